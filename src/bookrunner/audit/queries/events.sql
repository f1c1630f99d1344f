-- name: advance_feed$
-- Gives at most so many committed events their place in the feed and says how many there were.
select audit.advance_feed(cast(:most as integer));

-- name: unsealed_heads
-- The last event of each chain in the next so many places of the feed, in the order of the leaves.
select first_seq, last_seq, scope, subject, version, head from audit.unsealed_heads(cast(:most as bigint));

-- name: next_seal^
-- The number of the next seal, the root of the last one, and the moment as the next one states it.
select coalesce(max(s.seal_no), 0) + 1 as number, (array_agg(s.root order by s.seal_no desc))[1] as root,
    to_char(clock_timestamp() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as sealed_at
from audit.seal s where s.seal_no = (select max(x.seal_no) from audit.seal x);

-- name: record_seal$
-- Keeps a seal with its leaves.
select audit.record_seal(cast(:number as bigint), cast(:first as bigint), cast(:last as bigint), :root,
    cast(:sealed_at as timestamptz), cast(:leaves as jsonb));

-- name: one_snapshot!
-- All that this transaction reads is of one moment.
set transaction isolation level repeatable read, read only;

-- name: unhurried$
-- A walk over the whole history may take longer than a keeper's statement.
select set_config('statement_timeout', '0', true);

-- name: open_events!
-- Opens the walk over the events of one scope, or of all, chain by chain.
declare "select of events" no scroll cursor for
select scope, subject, version, kind, keeper, actor, request_id, caused_by, canonical, prev_hash, hash,
    to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as occurred_at,
    to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as recorded_at
from audit.event
where cast(:scope as text) is null or scope = :scope
order by scope collate "C", subject collate "C", version;

-- name: next_events
-- The next events of the walk. The loader wants the word select in whatever returns rows.
fetch 1000 from "select of events";

-- name: open_leaves!
-- Opens the walk over the seals, each with its leaves in the order in which they were sealed.
declare "select of leaves" no scroll cursor for
select s.seal_no, s.first_seq, s.last_seq, s.leaf_count, s.prev_root, s.root,
    to_char(s.sealed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as sealed_at,
    l.scope, l.subject, l.version, l.head
from audit.seal s left join audit.seal_leaf l using (seal_no)
order by s.seal_no, l.scope collate "C", l.subject collate "C";

-- name: next_leaves
-- The next leaves of the walk. The loader wants the word select in whatever returns rows.
fetch 1000 from "select of leaves";
