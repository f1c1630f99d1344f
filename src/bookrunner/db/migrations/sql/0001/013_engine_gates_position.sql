-- The position row, on which every gate is computed.

-- One row per investment with what each keeper says now; each column group is written by its keeper alone.
create table engine.position (
    offering_id text not null,
    investment_id text not null,
    investor_id text not null,
    version bigint not null default 1,
    opened_at timestamptz not null default clock_timestamp(),

    profile_is_complete boolean not null default false,
    profile_since timestamptz not null default clock_timestamp(),
    profile_digest bytea,
    profile_fact text,
    profile_hash bytea,

    investor_is_cleared boolean not null default false,
    verified_digest bytea,
    cleared_until timestamptz,
    rescreen_by timestamptz,
    screened_against jsonb,
    clearance_lacks text[] not null default '{}',
    clearance_since timestamptz not null default clock_timestamp(),
    clearance_fact text,
    clearance_hash bytea,

    materials_are_received boolean not null default false,
    risks_are_acknowledged boolean not null default false,
    representations_are_made boolean not null default false,
    agreement_is_signed boolean not null default false,
    agreement_is_countersigned boolean not null default false,
    allocation_is_approved boolean not null default false,
    packet_since timestamptz not null default clock_timestamp(),
    agreement_since timestamptz not null default clock_timestamp(),
    countersigned_since timestamptz not null default clock_timestamp(),
    allocation_since timestamptz not null default clock_timestamp(),
    agreed_digest bytea,
    agreement_fact text,
    agreement_hash bytea,

    funds_are_received boolean not null default false,
    funds_are_cleared boolean not null default false,
    received_minor bigint not null default 0 check (received_minor >= 0),
    cleared_minor bigint not null default 0,
    received_since timestamptz not null default clock_timestamp(),
    cleared_since timestamptz not null default clock_timestamp(),
    funding_fact text,
    funding_hash bytea,

    wallet_is_linked boolean not null default false,
    holding_is_registered boolean not null default false,
    wallet_since timestamptz not null default clock_timestamp(),
    holding_since timestamptz not null default clock_timestamp(),
    wallet_fact text,
    wallet_hash bytea,
    issuance text not null default 'open'
        check (issuance in ('open', 'instructed', 'submitted', 'registered')),
    issuance_is_stopped boolean not null default false,
    holding_is_held boolean not null default false,
    -- The conditions that the facts of this row say hold, one bit each; its trigger alone writes it.
    standing integer not null default 0,

    primary key (offering_id, investment_id),
    foreign key (offering_id, investment_id) references engine.investment,
    constraint cleared_is_never_above_received check (cleared_minor between 0 and received_minor),
    constraint countersigned_after_signed check (agreement_is_signed or not agreement_is_countersigned),
    constraint no_instruction_runs_on_a_closed_gate check (
        issuance <> 'instructed' or issuance_is_stopped
        or (profile_is_complete and investor_is_cleared and agreement_is_countersigned
            and allocation_is_approved and funds_are_cleared and wallet_is_linked)),
    constraint no_free_holding_on_a_closed_gate check (
        issuance not in ('submitted', 'registered') or holding_is_held
        or (investor_is_cleared and agreement_is_countersigned and funds_are_cleared)),
    constraint registered_holding_is_in_the_register check (
        (issuance = 'registered') = holding_is_registered)
) with (fillfactor = 50);

create index position_of_investor on engine.position (investor_id, offering_id);
create index position_of_investment on engine.position (investment_id);

-- The conditions that the facts of a position say hold, in the order of engine.condition. A clearance and an agreement
-- count only for the very profile they were made on: a later amendment opens both at once. Without a search path of its own,
-- so that the planner can write it into the trigger.
create function engine.stands_at(p engine.position) returns integer
language sql immutable parallel safe
return p.profile_is_complete::int
    | ((p.investor_is_cleared and p.verified_digest is not distinct from p.profile_digest)::int << 1)
    | (p.materials_are_received::int << 2) | (p.risks_are_acknowledged::int << 3)
    | (p.representations_are_made::int << 4)
    | ((p.agreement_is_signed and p.agreed_digest is not distinct from p.profile_digest)::int << 5)
    | ((p.agreement_is_countersigned and p.agreed_digest is not distinct from p.profile_digest)::int << 6)
    | (p.allocation_is_approved::int << 7)
    | (p.funds_are_received::int << 8) | (p.funds_are_cleared::int << 9)
    | (p.wallet_is_linked::int << 10) | (p.holding_is_registered::int << 11);

-- Each login writes its own columns; a revocation stops what is in flight and holds what is done. Runs under the search path
-- of the verb, like the guard: one of its own would be set and reset for each row.
create function engine.position_stands() returns trigger
language plpgsql as $$
declare
    owner_of_change text := case
        when (new.profile_is_complete, new.profile_since, new.profile_digest, new.profile_fact, new.profile_hash)
            is distinct from (old.profile_is_complete, old.profile_since, old.profile_digest, old.profile_fact, old.profile_hash)
            then 'portal' end;
    keepers text[] := '{}';
begin
    if (new.offering_id, new.investment_id, new.investor_id, new.opened_at)
        is distinct from (old.offering_id, old.investment_id, old.investor_id, old.opened_at) then
        raise exception using errcode = 'BR004', constraint = 'keys_never_change',
            message = 'the key of a position never changes';
    end if;
    keepers := array_remove(array[
        owner_of_change,
        case when (new.investor_is_cleared, new.verified_digest, new.cleared_until, new.rescreen_by, new.screened_against,
                   new.clearance_lacks, new.clearance_since, new.clearance_fact, new.clearance_hash)
            is distinct from (old.investor_is_cleared, old.verified_digest, old.cleared_until, old.rescreen_by, old.screened_against,
                   old.clearance_lacks, old.clearance_since, old.clearance_fact, old.clearance_hash) then 'compliance' end,
        case when (new.materials_are_received, new.risks_are_acknowledged, new.representations_are_made,
                   new.agreement_is_signed, new.agreement_is_countersigned, new.allocation_is_approved,
                   new.packet_since, new.agreement_since, new.countersigned_since, new.allocation_since,
                   new.agreed_digest, new.agreement_fact, new.agreement_hash)
            is distinct from (old.materials_are_received, old.risks_are_acknowledged, old.representations_are_made,
                   old.agreement_is_signed, old.agreement_is_countersigned, old.allocation_is_approved,
                   old.packet_since, old.agreement_since, old.countersigned_since, old.allocation_since,
                   old.agreed_digest, old.agreement_fact, old.agreement_hash) then 'subscription' end,
        case when (new.funds_are_received, new.funds_are_cleared, new.received_minor, new.cleared_minor,
                   new.received_since, new.cleared_since, new.funding_fact, new.funding_hash)
            is distinct from (old.funds_are_received, old.funds_are_cleared, old.received_minor, old.cleared_minor,
                   old.received_since, old.cleared_since, old.funding_fact, old.funding_hash) then 'treasury' end,
        case when (new.wallet_is_linked, new.holding_is_registered, new.wallet_since, new.holding_since,
                   new.wallet_fact, new.wallet_hash, new.issuance, new.issuance_is_stopped, new.holding_is_held)
            is distinct from (old.wallet_is_linked, old.holding_is_registered, old.wallet_since, old.holding_since,
                   old.wallet_fact, old.wallet_hash, old.issuance, old.issuance_is_stopped, old.holding_is_held)
            then 'registry' end], null);
    if keepers <> '{}' and keepers <> array[session_user::text] then
        raise exception using errcode = 'BR007', constraint = 'keeper_alone_writes_its_facts',
            message = format('%s may not write facts of %s', session_user, array_to_string(keepers, ', '));
    end if;
    new.standing := engine.stands_at(new);
    if new.issuance <> 'open' and engine.act_mask('issue') & ~engine.holds(new) <> 0 then
        new.issuance_is_stopped := new.issuance_is_stopped or new.issuance = 'instructed';
        new.holding_is_held := new.holding_is_held or new.issuance in ('submitted', 'registered');
    end if;
    new.version := old.version + 1;
    return new;
end $$;

-- A position is born with what the keepers of the investor say at that moment, not with what its maker says.
create function engine.position_is_born() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    select f.status = 'complete', f.detail_digest, f.investor_id || '@' || f.version, f.chain_head
    into new.profile_is_complete, new.profile_digest, new.profile_fact, new.profile_hash
    from portal.profile_says(new.investor_id) f;
    new.profile_is_complete := coalesce(new.profile_is_complete, false);
    select c.status = 'clear', c.verified_digest, c.valid_until, c.lacks, c.clearance_id || '@' || c.version, c.chain_head
    into new.investor_is_cleared, new.verified_digest, new.cleared_until, new.clearance_lacks, new.clearance_fact,
        new.clearance_hash
    from compliance.clearance_says(new.offering_id, new.investor_id) c;
    new.investor_is_cleared := coalesce(new.investor_is_cleared, false);
    select s.answer_by, s.against into new.rescreen_by, new.screened_against
    from compliance.screening_says(new.offering_id, new.investor_id) s;
    new.clearance_lacks := coalesce(new.clearance_lacks, '{clearance_is_opened}');
    if (new.materials_are_received, new.risks_are_acknowledged, new.representations_are_made, new.agreement_is_signed,
        new.agreement_is_countersigned, new.allocation_is_approved, new.funds_are_received, new.funds_are_cleared,
        new.wallet_is_linked, new.holding_is_registered) is distinct from
        (false, false, false, false, false, false, false, false, false, false) or new.issuance <> 'open' then
        raise exception using errcode = 'BR007', constraint = 'keeper_alone_writes_its_facts',
            message = 'a position is born empty';
    end if;
    new.standing := engine.stands_at(new);
    return new;
end $$;

create trigger position_is_born before insert on engine.position
    for each row execute function engine.position_is_born();
alter table engine.position enable always trigger position_is_born;
create trigger position_stands before update on engine.position
    for each row execute function engine.position_stands();
alter table engine.position enable always trigger position_stands;
create trigger aa_never_deleted before delete on engine.position
    for each row execute function audit.never_deleted();
alter table engine.position enable always trigger aa_never_deleted;
create trigger aa_never_truncated before truncate on engine.position
    for each statement execute function audit.never_deleted();
alter table engine.position enable always trigger aa_never_truncated;

-- One bit per condition that holds now, in the order of engine.condition: what a row stands at, less a clearance that has
-- lapsed since. These two have no search path of their own, which each call would set and reset: a verb calls them under the
-- verb's own path, and a function in pg_temp is never found by its bare name.
create function engine.holds_at(p_standing integer, p_lapses timestamptz) returns integer
language sql volatile
return case when p_lapses <= clock_timestamp() then p_standing & ~2 else p_standing end;

create function engine.holds(p engine.position) returns integer
language plpgsql stable as $$
begin
    return engine.holds_at(p.standing, least(p.cleared_until, p.rescreen_by));
end $$;

-- The moment since which a condition of this position has been as it is now.
create function engine.since(p engine.position, p_condition text) returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp
return case p_condition
    when 'profile_is_complete' then p.profile_since
    when 'investor_is_cleared' then
        case when p.investor_is_cleared and least(p.cleared_until, p.rescreen_by) <= clock_timestamp()
            then least(p.cleared_until, p.rescreen_by)
        else p.clearance_since end
    when 'materials_are_received' then p.packet_since
    when 'risks_are_acknowledged' then p.packet_since
    when 'representations_are_made' then p.packet_since
    when 'agreement_is_signed' then p.agreement_since
    when 'agreement_is_countersigned' then p.countersigned_since
    when 'allocation_is_approved' then p.allocation_since
    when 'funds_are_received' then p.received_since
    when 'funds_are_cleared' then p.cleared_since
    when 'wallet_is_linked' then p.wallet_since
    when 'holding_is_registered' then p.holding_since end;
