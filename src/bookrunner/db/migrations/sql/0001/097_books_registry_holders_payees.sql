-- Payees other than the holder: who receives what a holder is paid, while the holder stays holder.

-- One mandate per holder is in force; one that names the holder itself ends the one before.
create table registry.payee_mandate (
    offering_id text not null,
    mandate_id text not null,
    status text not null,
    investor_id text not null,
    payee_id text not null constraint mandate_names_its_payee check (payee_id ~ '\S'),
    evidence_sha256 bytea not null constraint mandate_has_its_evidence check (octet_length(evidence_sha256) = 32),
    because text not null constraint mandate_has_its_reason check (because ~ '\S'),
    proposed_by text not null,
    proposed_at timestamptz not null default clock_timestamp(),
    decided_by text,
    decided_at timestamptz,
    superseded_at timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, mandate_id),
    constraint decided_mandate_names_who check ((status = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null)),
    constraint superseded_mandate_has_its_moment check ((status = 'superseded') = (superseded_at is not null)),
    constraint mandate_needs_two_people check (status in ('proposed', 'declined')
        or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false)),
    constraint holder_does_not_decide_its_mandate check (status in ('proposed', 'declined')
        or coalesce(audit.person_of(decided_by) not in (audit.person_of(investor_id), audit.person_of(payee_id)), false))
);
create unique index one_mandate_is_in_force on registry.payee_mandate (offering_id, investor_id) where status = 'in_force';
create unique index one_mandate_is_proposed on registry.payee_mandate (offering_id, investor_id) where status = 'proposed';
call audit.keep('registry.payee_mandate', 'payee_mandate', 'mandate_id', 'offering_id', '{because}');

-- What two people decide on stays as it was proposed; moments are now; and nobody is a payee who was not screened since the proposal.
create function registry.payee_mandate_stays() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if (new.investor_id, new.payee_id, new.evidence_sha256, new.because, new.proposed_by, new.proposed_at)
            is distinct from (old.investor_id, old.payee_id, old.evidence_sha256, old.because, old.proposed_by, old.proposed_at)
        or old.decided_at is not null and (new.decided_by, new.decided_at) is distinct from (old.decided_by, old.decided_at)
        or old.superseded_at is not null and new.superseded_at is distinct from old.superseded_at then
        raise exception using errcode = 'BR006', constraint = 'mandate_stays_as_proposed',
            message = format('%s is what two people decide on', old.mandate_id);
    end if;
    if old.decided_at is null and new.decided_at is not null then
        new.decided_at := clock_timestamp();
    end if;
    if old.superseded_at is null and new.superseded_at is not null then
        new.superseded_at := clock_timestamp();
    end if;
    if new.status = 'in_force' and old.status = 'proposed' and new.payee_id <> new.investor_id
        and not engine.is_screened_since(new.payee_id, new.proposed_at) then
        raise exception using errcode = 'BR008', constraint = 'payee_is_screened_before_it_is_paid',
            message = format('%s waits for its screening, or is on a list', new.payee_id);
    end if;
    return new;
end $$;

create function registry.mandate_is_of_a_holder() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.holding h where h.offering_id = new.offering_id and h.investor_id = new.investor_id) then
        raise exception using errcode = 'BR008', constraint = 'mandate_is_of_a_holder',
            message = format('%s holds nothing in %s', new.investor_id, new.offering_id);
    end if;
    new.proposed_at := clock_timestamp();
    return new;
end $$;
create trigger mandate_is_of_a_holder before insert on registry.payee_mandate
    for each row execute function registry.mandate_is_of_a_holder();
create trigger payee_mandate_stays before update on registry.payee_mandate
    for each row execute function registry.payee_mandate_stays();
alter table registry.payee_mandate enable always trigger mandate_is_of_a_holder;
alter table registry.payee_mandate enable always trigger payee_mandate_stays;

create function registry.propose_payee(p_actor text, p_request text, p_offering text, p_mandate text, p_said jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into registry.payee_mandate (offering_id, mandate_id, status, investor_id, payee_id, evidence_sha256, because, proposed_by)
    values (p_offering, p_mandate, 'proposed', p_said ->> 'holder', p_said ->> 'payee', decode(p_said ->> 'sha256', 'hex'),
        p_said ->> 'because', p_actor);
end $$;

create function registry.decide_payee(p_actor text, p_request text, p_offering text, p_mandate text, p_is_agreed boolean, p_seen bigint)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    m registry.payee_mandate;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from registry.payee_mandate x where x.offering_id = p_offering and x.investor_id = (select y.investor_id
        from registry.payee_mandate y where y.offering_id = p_offering and y.mandate_id = p_mandate) order by x.mandate_id for update;
    select * into m from registry.payee_mandate where offering_id = p_offering and mandate_id = p_mandate;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'mandate_exists', message = format('there is no mandate %s', p_mandate);
    end if;
    if m.version is distinct from p_seen then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen', message = 'look again, then decide';
    end if;
    if p_is_agreed is true then
        update registry.payee_mandate set status = 'superseded', superseded_at = clock_timestamp()
        where offering_id = p_offering and investor_id = m.investor_id and status = 'in_force';
    end if;
    update registry.payee_mandate set status = case when p_is_agreed then 'in_force' else 'declined' end, decided_by = p_actor,
        decided_at = clock_timestamp()
    where offering_id = p_offering and mandate_id = p_mandate;
end $$;

-- Who received what each holder was paid at the end of a day; a holder without a row receives it itself.
create function registry.payees_as_of(p_offering text, p_on date) returns table (investor_id text, payee_id text)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select m.investor_id, m.payee_id from registry.payee_mandate m
    where m.offering_id = p_offering and m.status in ('in_force', 'superseded') and m.decided_at < registry.end_of(p_on)
        and (m.superseded_at is null or m.superseded_at >= registry.end_of(p_on));
end;

-- Holders for whom somebody asked for another payee, and nobody has decided on it.
create view registry.payee_change_in_progress as
select m.offering_id, m.investor_id from registry.payee_mandate m where m.status = 'proposed';
