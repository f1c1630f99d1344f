-- The relay from the outbox to the public feed, seals over the feed, reactions and idempotent requests.

-- Gives committed events their place in the feed. One relay runs at a time; the order is gap free by construction. With nothing
-- to move nothing is locked or written; what another relay is moving is still there to see, and is waited for.
create function audit.advance_feed(p_most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    last bigint;
    moved integer;
begin
    if not exists (select from audit.outbox) then
        return 0;
    end if;
    select r.last_seq into last from audit.relay r where r.relay = 'feed' for update;
    with taken as (
        delete from audit.outbox o where o.outbox_id = any (array(
            select x.outbox_id from audit.outbox x order by x.outbox_id limit p_most for update skip locked))
        returning o.outbox_id, o.scope, o.subject, o.version)
    insert into audit.feed (seq, scope, subject, version)
    select last + row_number() over (order by t.outbox_id), t.scope, t.subject, t.version from taken t;
    get diagnostics moved = row_count;
    update audit.relay set last_seq = last + moved where relay = 'feed';
    return moved;
end $$;

-- Seals the chain heads that the feed has reached since the last seal. The root is made by the caller over the
-- leaves this returns, in this same transaction, by record_seal.
create function audit.unsealed_heads(p_most bigint) returns table (first_seq bigint, last_seq bigint, scope text, subject text,
    version bigint, head bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    sealed bigint;
    reached bigint;
begin
    select r.last_seq into sealed from audit.relay r where r.relay = 'seal' for update;
    select least(sealed + p_most, max(f.seq)) into reached from audit.feed f;
    return query
        select sealed + 1, reached, e.scope, e.subject, e.version, e.hash
        from (select f.scope, f.subject, max(f.version) as version from audit.feed f
            where f.seq > sealed and f.seq <= reached group by f.scope, f.subject) h
        join audit.event e using (scope, subject, version)
        order by e.scope collate "C", e.subject collate "C";
end $$;

create function audit.record_seal(p_number bigint, p_first bigint, p_last bigint, p_root bytea, p_sealed_at timestamptz,
    p_leaves jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if p_number <> (select coalesce(max(s.seal_no), 0) + 1 from audit.seal s) then
        raise exception using errcode = 'BR003', constraint = 'seals_are_gap_free',
            message = format('seal %s is not the next one', p_number);
    end if;
    insert into audit.seal (seal_no, first_seq, last_seq, leaf_count, prev_root, root, sealed_at)
    values (p_number, p_first, p_last, jsonb_array_length(p_leaves),
        coalesce((select s.root from audit.seal s where s.seal_no = p_number - 1), audit.genesis('seal')), p_root, p_sealed_at);
    insert into audit.seal_leaf (seal_no, scope, subject, version, head)
    select p_number, l.scope, l.subject, l.version, decode(l.head, 'hex')
    from jsonb_to_recordset(p_leaves) as l (scope text, subject text, version bigint, head text);
    update audit.relay set last_seq = p_last where relay = 'seal';
end $$;

-- Takes an event for a consumer, in the transaction of its effect; false when that was done before. Only the keeper whose
-- effect it is may say so; the engine notes what was refused.
create function audit.react(p_consumer text, p_scope text, p_subject text, p_version bigint, p_result text,
    p_detail text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from audit.event e join audit.answering a using (kind)
        where e.scope = p_scope and e.subject = p_subject and e.version = p_version and a.consumer = p_consumer
            and (a.keeper = session_user or session_user = 'engine' and p_result = 'refused')) then
        raise exception using errcode = 'BR002', constraint = 'answer_is_given_by_its_keeper',
            message = format('%s answers no such event for %s', session_user, p_consumer);
    end if;
    insert into audit.reaction (consumer, scope, subject, version, result, detail)
    values (p_consumer, p_scope, p_subject, p_version, p_result, p_detail) on conflict do nothing;
    return found;
end $$;

-- Claims an idempotency key for this transaction: null when it is new, else the stored answer. The same key in a
-- transaction that still runs is refused at once, and so is another body under it. A session keeps the plan that it made
-- while few requests were known: it must not be a scan of the whole.
create function audit.claim_request(p_actor text, p_request text, p_body_sha256 bytea) returns text
language plpgsql set enable_seqscan = off as $$
declare
    known audit.request;
begin
    if not pg_try_advisory_xact_lock(hashtextextended(session_user || E'\n' || p_actor || E'\n' || p_request, 0)) then
        raise exception using errcode = 'BR423', constraint = 'request_has_come_to_its_end',
            message = format('the key %s belongs to a request that still runs', p_request);
    end if;
    select * into known from audit.request r
    where r.keeper = session_user and r.actor = p_actor and r.request_id = p_request;
    if known.body_sha256 <> p_body_sha256 then
        raise exception using errcode = 'BR422', constraint = 'request_key_has_one_body',
            message = format('the key %s was used with another body', p_request);
    end if;
    return known.answer;
end $$;

create function audit.answer_request(p_actor text, p_request text, p_body_sha256 bytea, p_answer text) returns void
language plpgsql as $$
begin
    insert into audit.request (keeper, actor, request_id, body_sha256, answer)
    values (session_user, p_actor, p_request, p_body_sha256, p_answer::json);
end $$;

-- Keeps a verified message; true when it is new. The same id with another body is refused.
create function audit.receive_message(p_provider text, p_message text, p_body bytea, p_key_id text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    known bytea;
begin
    insert into audit.inbox (provider, message_id, body, body_sha256, key_id)
    values (p_provider, p_message, p_body, sha256(p_body), p_key_id) on conflict do nothing;
    if found then
        return true;
    end if;
    select i.body_sha256 into known from audit.inbox i where i.provider = p_provider and i.message_id = p_message;
    if known <> sha256(p_body) then
        raise exception using errcode = 'BR422', constraint = 'message_id_has_one_body',
            message = format('the message %s came before with another body', p_message);
    end if;
    return false;
end $$;

-- Under which trace (W3C Trace Context) somebody asked for a write. It stands beside the events and not in them: a trace is no part of
-- what happened, and is there only where somebody follows. A crash may lose it, and after a week nobody asks for it.
create unlogged table audit.trace (
    keeper text not null,
    actor text not null,
    request_id text not null,
    traceparent text not null constraint traceparent_is_of_version_00 check (traceparent ~ '^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$'),
    noted_at timestamptz not null default clock_timestamp(),
    primary key (keeper, actor, request_id)
);
create index trace_by_age on audit.trace (noted_at);

-- Notes the trace of requests, each with its actor, for the login that writes; the first one stays. Old ones leave, a few at a time.
create function audit.note_traces(p_actors text[], p_requests text[], p_traceparent text) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    delete from audit.trace t where (t.keeper, t.actor, t.request_id) in (
        select o.keeper, o.actor, o.request_id from audit.trace o where o.noted_at < clock_timestamp() - interval '7 days'
        order by o.noted_at limit 20 for update skip locked);
    insert into audit.trace (keeper, actor, request_id, traceparent)
    select distinct session_user, w.actor, w.request_id, p_traceparent from unnest(p_actors, p_requests) w (actor, request_id)
    on conflict do nothing;
end;
