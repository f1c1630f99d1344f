-- name: chains_of
-- Where a record is: the scopes that have a chain of its name. The scopes are stepped through, for events are kept by scope.
with recursive scopes as (
    (select e.scope from audit.event e order by e.scope limit 1)
    union all
    select (select e.scope from audit.event e where e.scope > s.scope order by e.scope limit 1) from scopes s where s.scope is not null
)
select s.scope from scopes s
where s.scope is not null and (cast(:scope as text) is null or s.scope = :scope)
    and exists (select from audit.event e where e.scope = s.scope and e.subject = :subject and e.version = 1)
order by s.scope;

-- name: versions_of
-- Every event of a chain in its order.
select e.version, e.kind, e.keeper, e.actor, e.request_id, e.caused_by, e.occurred_at, e.recorded_at, e.hash,
    audit.payload_of(e.canonical) as payload
from audit.event e where e.scope = :scope and e.subject = :subject order by e.version;

-- name: withheld_of$
-- The columns of a machine's records that stay out of their events.
select k.withheld from audit.kept_table k where k.machine = :machine;

-- name: look_at_record
-- Hands out what a record says and said outside of its events; the look is recorded first.
select name, until_version, said, is_erased from audit.look_at_record(:actor, :request, :scope, :subject, :view, :purpose);

-- name: accesses
-- Who viewed whose data in a period, the latest first; of one person also what concerned everybody.
select viewed_at, viewed_by, purpose, person_id, kind, about, view_id, is_of_everybody from audit.access_entry
where (cast(:person as text) is null or person_id = :person or is_of_everybody)
    and viewed_at >= coalesce(cast(:since as timestamptz), '-infinity') and viewed_at < coalesce(cast(:until as timestamptz), 'infinity')
order by viewed_at desc, view_id limit cast(:most as bigint);

-- name: begin_examination$
-- Puts on record who takes which period and why, before anything is read.
select audit.begin_examination(:actor, :request, :examination, cast(:since as timestamptz), cast(:until as timestamptz), :purpose);

-- name: end_examination$
-- Puts on record which bundle was taken, by the digest of its manifest.
select audit.end_examination(:actor, :request, :examination, :manifest_sha256, :files);

-- name: examinations
-- What was taken or begun, the latest first.
select x.examination_id, x.status, x.period_from, x.period_until, x.taken_by, x.purpose, x.manifest_sha256, x.files, e.recorded_at
from audit.examination x join audit.event e on e.scope = x.examination_id and e.subject = x.examination_id and e.version = 1
order by e.recorded_at desc limit 50;

-- name: next_anchor^
-- The newest seal that a chain has no anchor of, and the next nonce of a key there; none where anchors alone happened since the last.
select s.seal_no, s.root, (select coalesce(max(a.nonce) + 1, 0) from audit.anchoring a
    where a.chain_id = :chain_id and a.sender = :sender) as nonce
from audit.seal s where s.seal_no = (select max(x.seal_no) from audit.seal x)
    and exists (select from audit.feed f join audit.event e using (scope, subject, version)
        where f.seq <= s.last_seq and split_part(e.kind, '.', 1) <> 'anchoring' and f.seq > coalesce((select max(z.last_seq) from audit.anchoring a
            join audit.seal z using (seal_no) where a.chain_id = :chain_id), 0));

-- name: anchor_due^
-- How often a root goes to this chain, when the next one is due, and whether it is now; counted from the last one, else from the first seal.
select k.every, k.sentence, l.last_at + k.every as due_at, coalesce(l.last_at + k.every <= clock_timestamp(), false) as is_due
from (select c.every, c.sentence from audit.anchor_cadence c where c.valid_from <= current_date order by c.valid_from desc limit 1) k,
    (select coalesce((select max(e.recorded_at) from audit.anchoring a join audit.event e
            on e.scope = a.anchoring_id and e.subject = a.anchoring_id and e.version = 1 where a.chain_id = :chain_id),
        (select min(s.sealed_at) from audit.seal s)) as last_at) l;

-- name: sign_anchor$
-- Keeps the signed bytes of an anchor before they are sent.
select audit.sign_anchor(:actor, :request, :anchoring, :seal_no, :chain_id, :sender, :nonce, :hash, :raw, cast(:fees as bigint[]));

-- name: raise_anchor$
-- Keeps the bytes of a further attempt with higher fees.
select audit.raise_anchor(:actor, :request, :anchoring, :hash, :raw, cast(:fees as bigint[]));

-- name: note_anchor$
-- Notes what the chain shows of an anchor.
select audit.note_anchor(:actor, :request, :anchoring, :status, cast(:hash as bytea), cast(:block_number as bigint),
    cast(:block_hash as bytea), cast(:incarnation as bytea));

-- name: anchors_under_way
-- Anchors that are not final, in the order of their nonces, with the last attempt and the hashes of all.
select a.anchoring_id, a.seal_no, a.sender, a.nonce, a.status, a.block_hash, a.attempts, x.raw, x.max_fee_wei, x.priority_fee_wei,
    array(select h.hash from audit.signed_anchor h where h.anchoring_id = a.anchoring_id order by h.attempt) as hashes
from audit.anchoring a join audit.signed_anchor x on x.anchoring_id = a.anchoring_id and x.attempt = a.attempts
where a.chain_id = :chain_id and a.status <> 'final' order by a.sender, a.nonce;

-- name: all_anchors
-- The signed bytes of every anchor of a chain in the order of signing, those that a block took, for the embedded chain's replay.
select a.sender, x.raw from audit.anchoring a join lateral (select s.raw from audit.signed_anchor s where s.anchoring_id = a.anchoring_id
    order by s.hash is not distinct from a.landed_hash desc, s.attempt desc limit 1) x on true
where a.chain_id = :chain_id order by a.sender, a.nonce;

-- name: anchors_waiting
-- Anchors that are not final on any chain, the newest first.
select a.seal_no, a.chain_id, a.status, a.attempts, coalesce(a.landed_hash, x.hash) as hash, e.recorded_at as signed_at
from audit.anchoring a join audit.signed_anchor x on x.anchoring_id = a.anchoring_id and x.attempt = a.attempts
join audit.event e on e.scope = a.anchoring_id and e.subject = a.anchoring_id and e.version = 1
where a.status <> 'final' order by a.seal_no desc, a.chain_id limit 100;

-- name: anchor_of
-- The seal of an event, and the first anchored seal that covers it, with its transaction; a row for each scope that has such an event.
select f.seq, f.scope, s.seal_no, a.seal_no as anchored_by, a.chain_id, a.transaction_hash
from audit.feed f left join audit.seal s on f.seq between s.first_seq and s.last_seq
left join lateral (select x.seal_no, x.chain_id, x.transaction_hash from audit.anchor x where x.seal_no >= s.seal_no
    order by x.seal_no, x.chain_id limit 1) a on true
where f.subject = :subject and f.version = :version and f.scope = coalesce(cast(:scope as text), f.scope) order by f.seq limit 20;

-- name: anchors
-- Every anchor that is final, the newest first, with the root that the chain holds.
select a.seal_no, a.chain_id, a.transaction_hash, a.anchored_at, s.root, s.sealed_at, g.block_number
from audit.anchor a join audit.seal s using (seal_no) join audit.anchoring g using (seal_no, chain_id)
order by a.seal_no desc, a.chain_id limit 100;
