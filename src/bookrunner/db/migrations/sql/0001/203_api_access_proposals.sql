-- What tools propose and people decide. A key named tool-… belongs to a program that reasons: it reads, and proposes.

-- Whether an actor is a tool, which changes no record and decides nothing: a key or a client of such a name.
create function api.is_tool(p_actor text) returns boolean
language sql immutable parallel safe
return starts_with(p_actor, 'key:tool-') or starts_with(p_actor, 'client:tool-');

-- A call of the API that somebody may make: of one operation, with what fills it, for the keeper whose key it takes.
create table api.proposal (
    proposal_id text primary key constraint proposal_id_has_its_form check (proposal_id ~ '^pps_[0-9A-Za-z_]{1,64}$'),
    keeper text not null constraint proposal_waits_for_one_keeper check (keeper in
        ('portal', 'compliance', 'subscription', 'treasury', 'registry', 'engine', 'audit')),
    operation text not null check (operation ~ '^[a-z][a-z0-9_]{0,62}$'),
    call jsonb not null check (jsonb_typeof(call) = 'object')
        constraint proposed_call_is_short check (octet_length(call::text) <= 65536),
    sentence text not null constraint proposal_says_why check (length(sentence) between 1 and 2000),
    proposed_by text not null check (proposed_by <> ''),
    proposed_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    constraint proposal_waits_a_month_at_most check (expires_at > proposed_at and expires_at <= proposed_at + interval '31 days')
);

-- One decision for each proposal, by somebody else than who proposed, and by no tool.
create table api.decided_proposal (
    proposal_id text primary key references api.proposal,
    is_confirmed boolean not null,
    because text not null,
    proposed_by text not null,
    decided_by text not null constraint a_tool_decides_nothing check (not api.is_tool(decided_by)),
    decided_at timestamptz not null default clock_timestamp(),
    constraint proposal_is_decided_by_another check (audit.person_of(decided_by) <> audit.person_of(proposed_by)),
    constraint declined_proposal_says_why check (is_confirmed or because <> '')
);

call audit.append_only('api.proposal');
call audit.append_only('api.decided_proposal');

-- Keeps a proposal for the login that asks: of a call that its keys may make. It is kept for good, so none says who a person is.
create function api.propose(p_key bytea, p_request text, p_body_sha256 bytea, p_proposal text, p_operation text, p_call jsonb,
    p_sentence text, p_hours integer, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    if not exists (select from api.operation o where o.operation = p_operation and o.may_be_proposed
            and session_user = any (o.roles)) then
        raise exception using errcode = 'BR422', constraint = 'operation_may_be_proposed',
            message = format('%s is not what a key of %s proposes', p_operation, session_user);
    end if;
    insert into api.proposal (proposal_id, keeper, operation, call, sentence, proposed_by, expires_at)
    values (p_proposal, session_user, p_operation, p_call, p_sentence, caller, clock_timestamp() + make_interval(hours => p_hours));
    answer := json_build_object('id', p_proposal, 'status', 'open', 'version', '1');
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- Whether the call of a proposal was made by an actor and has its answer, under whichever login it was carried out.
create function api.is_made(p_proposal text, p_actor text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from audit.request r where r.keeper in ('portal', 'compliance', 'subscription', 'treasury', 'registry', 'engine',
    'audit', 'reconciliation') and r.actor = p_actor and r.request_id = p_proposal);

-- Decides a proposal once. Whoever confirmed it may confirm again in its time, which decides nothing: the call of it can then
-- be carried out again, under the same idempotency key.
create function api.decide_proposal(p_key bytea, p_request text, p_body_sha256 bytea, p_proposal text, p_is_confirmed boolean,
    p_because text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    stands api.proposal;
    decided api.decided_proposal;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    perform pg_advisory_xact_lock(hashtextextended(p_proposal, 0));
    select * into stands from api.proposal p where p.proposal_id = p_proposal and p.keeper = session_user;
    -- After its time a repetition is told what its call has answered, and makes none.
    if is_replay and (stands.expires_at > clock_timestamp() or not p_is_confirmed
            or api.is_made(p_proposal, caller)) then
        return;
    end if;
    if stands.proposal_id is null then
        perform api.refuse_unknown('proposal_exists', p_proposal);
    end if;
    select * into decided from api.decided_proposal d where d.proposal_id = p_proposal;
    if decided.proposal_id is not null and (not p_is_confirmed or not decided.is_confirmed or decided.decided_by <> caller) then
        raise exception using errcode = 'BR008', constraint = 'proposal_is_decided_once',
            message = format('%s was decided by %s', p_proposal, decided.decided_by);
    end if;
    if stands.expires_at <= clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'proposal_is_in_its_time',
            message = format('%s waited until %s', p_proposal, audit.instant(stands.expires_at));
    end if;
    if decided.proposal_id is null then
        insert into api.decided_proposal (proposal_id, is_confirmed, because, proposed_by, decided_by)
        values (p_proposal, p_is_confirmed, p_because, stands.proposed_by, caller);
    end if;
    answer := json_build_object('id', p_proposal, 'status', case when p_is_confirmed then 'confirmed' else 'declined' end,
        'version', '2');
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- The proposals that wait for the login that asks, or waited: the newest first, one of them where it is named.
create function api.proposals(p_proposal text) returns table (proposal_id text, status text, operation text, call jsonb,
    sentence text, proposed_by text, proposed_at timestamptz, expires_at timestamptz, decided_by text, because text, is_made boolean,
    version text)
language sql stable security definer set search_path = pg_catalog, pg_temp as $$
    select p.proposal_id, case when d.is_confirmed then 'confirmed' when not d.is_confirmed then 'declined'
            when p.expires_at <= clock_timestamp() then 'expired' else 'open' end,
        p.operation, p.call, p.sentence, p.proposed_by, p.proposed_at, p.expires_at, d.decided_by, d.because,
        d.is_confirmed is true and api.is_made(p.proposal_id, d.decided_by), case when d.proposal_id is null then '1' else '2' end
    from api.proposal p left join api.decided_proposal d using (proposal_id)
    where p.keeper = session_user and (p_proposal is null or p.proposal_id = p_proposal)
    order by p.proposed_at desc limit 200;
$$;
