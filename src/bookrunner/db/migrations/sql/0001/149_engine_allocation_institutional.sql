-- Institutional allocations: asked for, reviewed, in escrow, funded, each step from the one before and from no other. The
-- engine takes the first steps; that the money has settled is the treasury's to say.

create table engine.allocation (
    offering_id text not null references engine.offer,
    allocation_id text not null,
    tranche text not null constraint tranche_is_a_short_name check (tranche ~ '^[a-z0-9][a-z0-9_-]{0,39}$'),
    entity_id text not null,
    status text not null,
    amount_minor bigint not null constraint allocation_is_at_least_100_000 check (amount_minor >= 10000000)
        constraint allocation_is_at_most_50_000_000 check (amount_minor <= 5000000000),
    currency text not null constraint allocation_is_in_us_dollars check (currency = 'USD'),
    settlement_due_at timestamptz,
    investment_id text,
    intake_id text,
    requested_by text not null,
    requested_at timestamptz not null default clock_timestamp(),
    reviewed_by text,
    settlement_message text,
    settlement_key_id text,
    settlement_signature_sha256 bytea constraint settlement_signature_is_kept_as_digest
        check (octet_length(settlement_signature_sha256) = 32),
    cancelled_by text,
    cancelled_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, allocation_id),
    constraint settlement_is_due_after_the_request check (settlement_due_at > requested_at),
    constraint settlement_is_due_within_two_years check (settlement_due_at <= requested_at + interval '2 years'),
    constraint escrow_says_when_it_settles check ((status in ('escrow_initiated', 'funded')) = (settlement_due_at is not null)),
    constraint allocation_in_escrow_names_its_investment check ((status in ('escrow_initiated', 'funded')) = (investment_id is not null)),
    constraint reviewed_allocation_names_its_reviewer
        check (status in ('pending', 'cancelled') or reviewed_by is not null),
    constraint requester_does_not_review check (audit.person_of(reviewed_by) <> audit.person_of(requested_by)),
    constraint funded_allocation_names_its_settlement check ((status = 'funded') = (settlement_message is not null)
        and (status = 'funded') = (settlement_key_id is not null) and (status = 'funded') = (settlement_signature_sha256 is not null)),
    constraint cancelled_allocation_names_actor_and_reason check ((status = 'cancelled') = (cancelled_by is not null)
        and (status = 'cancelled') = coalesce(cancelled_because ~ '\S', false))
);
create unique index one_pending_request_per_entity_and_tranche on engine.allocation (offering_id, entity_id, tranche)
    where status = 'pending';
create unique index one_allocation_per_investment on engine.allocation (offering_id, investment_id)
    where investment_id is not null;

create unique index one_allocation_per_intake on engine.allocation (offering_id, intake_id) where intake_id is not null;

call audit.keep('engine.allocation', 'allocation', 'allocation_id', 'offering_id', '{cancelled_because}');

create function engine.require_cleared_institution(p_offering text, p_entity text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if coalesce(engine.profile_kind(p_entity), '') not in ('entity', 'trust', 'nominee') then
        raise exception using errcode = 'BR008', constraint = 'allocation_is_for_a_known_institution',
            message = format('%s is no institution that is known here', p_entity);
    end if;
    if not exists (select from compliance.clearance_fact c where c.offering_id = p_offering
        and c.investor_id = p_entity and c.status = 'clear' and coalesce(c.valid_until > clock_timestamp(), true)) then
        raise exception using errcode = 'BR008', constraint = 'allocation_is_for_a_cleared_entity',
            message = format('%s is not cleared for %s', p_entity, p_offering);
    end if;
end $$;

-- Who it is for stands by what compliance says now, and what is funded by what the treasury says; neither is an opinion.
create function engine.allocation_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' and ((old.tranche, old.entity_id, old.amount_minor, old.currency, old.requested_by, old.requested_at,
        old.intake_id) is distinct from (new.tranche, new.entity_id, new.amount_minor, new.currency, new.requested_by,
        new.requested_at, new.intake_id)
        or (old.investment_id, old.settlement_due_at) is distinct from (new.investment_id, new.settlement_due_at)
            and new.status <> 'escrow_initiated'
        or old.reviewed_by is distinct from new.reviewed_by and new.status <> 'under_internal_review') then
        raise exception using errcode = 'BR006', constraint = 'allocation_terms_are_locked',
            message = format('the terms of %s are locked; a change is a new request', old.allocation_id);
    end if;
    if tg_op = 'INSERT' and new.intake_id is not null and not exists (select from engine.intake i
        where i.offering_id = new.offering_id and i.intake_id = new.intake_id and i.status in ('fast_tracked', 'approved')
        and (i.entity_id, i.tranche, i.amount_minor, i.currency, i.asked_by)
            = (new.entity_id, new.tranche, new.amount_minor, new.currency, new.requested_by)) then
        raise exception using errcode = 'BR008', constraint = 'allocation_fits_its_intake',
            message = format('%s is no approved request of %s with these terms', new.intake_id, new.entity_id);
    end if;
    if new.status = 'cancelled' then
        return new;
    end if;
    perform engine.require_cleared_institution(new.offering_id, new.entity_id);
    if new.status = 'escrow_initiated' and new.settlement_due_at <= clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'settlement_is_due_in_the_future',
            message = format('the settlement of %s would be overdue at once', new.allocation_id);
    end if;
    if new.status in ('escrow_initiated', 'funded') and not exists (select from engine.investment i
        where i.offering_id = new.offering_id and i.investment_id = new.investment_id and i.investor_id = new.entity_id
        and (i.amount_minor, i.currency) = (new.amount_minor, new.currency) and (i.status in ('confirmed', 'legally_confirmed') or (new.status, i.status) = ('funded', 'closed_successfully'))) then
        raise exception using errcode = 'BR008', constraint = 'escrow_is_for_an_investment_of_the_entity',
            message = format('%s has no confirmed investment of that amount', new.entity_id);
    end if;
    if new.status = 'funded' and not exists (select from engine.position pos where pos.offering_id = new.offering_id
        and pos.investment_id = new.investment_id and pos.funds_are_received and pos.funds_are_cleared) then
        raise exception using errcode = 'BR008', constraint = 'funded_allocation_has_its_money',
            message = format('the money of %s is not cleared', new.investment_id);
    end if;
    if new.status = 'funded' and num_nulls(new.settlement_message, new.settlement_key_id) = 0 and not exists (select from audit.inbox m where m.provider = 'settlements'
        and (m.message_id, m.key_id) = (new.settlement_message, new.settlement_key_id)) then
        raise exception using errcode = 'BR008', constraint = 'funded_allocation_has_its_message',
            message = format('no settlement message %s was received', new.settlement_message);
    end if;
    return new;
end $$;

-- Its name sorts behind the guard's, so that a step that is not listed is refused for that.
create trigger zzz_allocation_stands before insert or update on engine.allocation
    for each row execute function engine.allocation_stands();
alter table engine.allocation enable always trigger zzz_allocation_stands;

-- Enters a request of a cleared entity; p_asked is {tranche, amount_minor, currency, intake}.
create function engine.enter_allocation(p_offering text, p_allocation text, p_entity text, p_by text, p_asked jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from engine.offer o where o.offering_id = p_offering and o.status = 'published') then
        raise exception using errcode = 'BR002', constraint = 'offer_is_open_to_new_money',
            message = format('%s is not open to new money', p_offering);
    end if;
    insert into engine.allocation (offering_id, allocation_id, tranche, entity_id, status, amount_minor, currency, intake_id,
        requested_by)
    values (p_offering, p_allocation, p_asked ->> 'tranche', p_entity, 'pending', (p_asked ->> 'amount_minor')::bigint,
        p_asked ->> 'currency', p_asked ->> 'intake', p_by);
end $$;

create function engine.request_allocation(p_actor text, p_request text, p_offering text, p_allocation text,
    p_entity text, p_asked jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.enter_allocation(p_offering, p_allocation, p_entity, p_actor, p_asked - 'intake');
end $$;

-- Locks the positions of an entity, then its request: a revocation comes before or after and never between.
create function engine.hold_allocation(p_offering text, p_allocation text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.position pos join engine.allocation a using (offering_id)
    where a.offering_id = p_offering and a.allocation_id = p_allocation and pos.investor_id = a.entity_id
    order by pos.investment_id for update of pos;
    perform 1 from engine.allocation a where a.offering_id = p_offering and a.allocation_id = p_allocation for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'institutional_allocation_exists',
            message = format('there is no %s in %s', p_allocation, p_offering);
    end if;
end $$;

-- A person of ours, and not the one who asked, takes the request up.
create function engine.open_review(p_actor text, p_request text, p_offering text, p_allocation text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.hold_allocation(p_offering, p_allocation);
    update engine.allocation set status = 'under_internal_review', reviewed_by = p_actor
    where offering_id = p_offering and allocation_id = p_allocation;
end $$;

create function engine.initiate_escrow(p_actor text, p_request text, p_offering text, p_allocation text, p_investment text,
    p_due timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.hold_allocation(p_offering, p_allocation);
    update engine.allocation set status = 'escrow_initiated', investment_id = p_investment, settlement_due_at = p_due
    where offering_id = p_offering and allocation_id = p_allocation;
end $$;

create function engine.cancel_allocation(p_actor text, p_request text, p_offering text, p_allocation text,
    p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update engine.allocation set status = 'cancelled', cancelled_by = p_actor, cancelled_because = p_because
    where offering_id = p_offering and allocation_id = p_allocation;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'institutional_allocation_exists',
            message = format('there is no %s in %s', p_allocation, p_offering);
    end if;
end $$;

-- The version of a request, locked until the transaction ends, so that an act is on what was seen.
create function engine.lock_allocation(p_actor text, p_request text, p_offering text, p_allocation text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    return (select a.version from engine.allocation a
        where a.offering_id = p_offering and a.allocation_id = p_allocation for update);
end $$;

-- What is in escrow for institutions and what its record says, with the money that is there: a record that is missing or
-- behind is told apart from money that is late.
create view engine.escrow_standing as
select a.offering_id, a.allocation_id, a.tranche, a.entity_id, a.investment_id, a.amount_minor, a.currency, a.settlement_due_at,
    a.status as allocation_status, e.initiation_id, coalesce(e.status, 'missing') as status, f.received_minor, f.cleared_minor,
    (a.status, coalesce(e.status, '')) not in (('escrow_initiated', 'initiated'), ('funded', 'settled')) as is_behind,
    a.status = 'escrow_initiated' and a.settlement_due_at <= clock_timestamp() as is_overdue
from engine.allocation a
left join treasury.initiation_fact e on e.offering_id = a.offering_id and e.allocation_id = a.allocation_id
left join treasury.funding f on f.offering_id = a.offering_id and f.investment_id = a.investment_id
where a.status in ('escrow_initiated', 'funded');
