-- Rules of transfers by offer, as dated data that two people put in force, and who is whose affiliate.

-- One failing rule, its place in the order of precedence, and the day from which it would pass.
create type registry.refusal as (place integer, rule text, detail text, passes_on date);

create table registry.transfer_rule (
    offering_id text not null,
    rule_id text not null,
    status text not null,
    kind text not null constraint transfer_rule_kind_is_known check (kind in ('holding_period', 'flow_back_period', 'lock_up',
        'country_closed', 'holder_cap', 'non_accredited_cap', 'holding_limit', 'volume', 'fee')),
    investor_id text,
    starts_on date not null,
    ends_on date,
    amount bigint,
    span text constraint span_is_known check (span in ('day', 'quarter', 'year')),
    countries text[],
    payer text constraint fee_payer_is_giver_or_taker check (payer in ('seller', 'buyer')),
    because text not null constraint transfer_rule_has_its_reason check (because ~ '\S'),
    paper_sha256 bytea not null constraint transfer_rule_has_its_paper check (octet_length(paper_sha256) = 32),
    proposed_by text not null,
    decided_by text,
    decided_because text,
    decided_at timestamptz,
    ended_by text,
    ended_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, rule_id),
    constraint transfer_rule_ends_after_its_start check (ends_on > starts_on),
    constraint transfer_rule_has_its_measure check (case kind when 'lock_up' then ends_on is not null
        when 'country_closed' then coalesce(cardinality(countries) > 0, false) else coalesce(amount > 0, false) end),
    -- 17 CFR 230.144(d)(1)(i): the shortest period, of an issuer that files reports.
    constraint holding_period_is_six_months_or_more check (kind <> 'holding_period' or amount >= 6),
    constraint holding_limit_is_part_of_the_whole check (kind <> 'holding_limit' or amount <= 10000),
    constraint fee_names_its_payer check ((kind = 'fee') = (payer is not null)),
    constraint volume_has_its_span check ((kind = 'volume') = (span is not null)),
    constraint transfer_rule_needs_two_people
        check (status not in ('in_force', 'ended') or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false)),
    constraint declined_rule_has_its_reason check (status <> 'declined' or coalesce(decided_because ~ '\S', false)),
    constraint rule_of_one_holder_is_of_a_kind_that_asks_it
        check (investor_id is null or kind in ('lock_up', 'country_closed', 'holding_limit', 'volume')),
    constraint transfer_rule_is_ended_by_another_person check (status <> 'ended' or coalesce(audit.person_of(ended_by) <> audit.person_of(proposed_by), false)),
    constraint transfer_rule_is_ended_for_a_reason
        check (status <> 'ended' or (ended_by is not null and coalesce(ended_because ~ '\S', false)))
);
create unique index one_fee_from_a_day on registry.transfer_rule (offering_id, starts_on) where kind = 'fee' and status = 'in_force';
create index transfer_rule_in_force on registry.transfer_rule (offering_id, kind) where status = 'in_force';
call audit.keep('registry.transfer_rule', 'transfer_rule', 'rule_id', 'offering_id');

create function registry.transfer_rule_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.kind, new.investor_id, new.starts_on, new.ends_on, new.amount, new.span, new.countries, new.payer, new.paper_sha256, new.proposed_by)
        is distinct from (old.kind, old.investor_id, old.starts_on, old.ends_on, old.amount, old.span, old.countries,
            old.payer, old.paper_sha256, old.proposed_by)
        or old.status <> 'proposed' and new.decided_at is distinct from old.decided_at then
        raise exception using errcode = 'BR006', constraint = 'transfer_rule_is_locked',
            message = format('%s says what two people decided', old.rule_id);
    end if;
    -- The units of a rule are those of this moment; a split moves what they stand for.
    if old.status = 'proposed' and new.status <> 'proposed' then
        new.decided_at := clock_timestamp();
    end if;
    return new;
end $$;
create trigger transfer_rule_stands before update on registry.transfer_rule
    for each row execute function registry.transfer_rule_stands();
alter table registry.transfer_rule enable always trigger transfer_rule_stands;

create function registry.today() returns date
language sql stable set search_path = pg_catalog, pg_temp
return (clock_timestamp() at time zone 'UTC')::date;

-- The rules of one kind that bind a transfer on a day; those of one investor beside those of all.
create function registry.rules_on(p_offering text, p_kind text, p_investor text, p_on date) returns setof registry.transfer_rule
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select r.* from registry.transfer_rule r where r.offering_id = p_offering and r.kind = p_kind and r.status = 'in_force'
        and r.starts_on <= p_on and coalesce(p_on < r.ends_on, true) and coalesce(r.investor_id = p_investor, true)
    order by r.rule_id;
end;

-- Rule has kind, starts_on and what its kind needs of investor, ends_on, amount, span, countries,
-- payer; because and paper (hex). The amount of a fee is in minor units of the offer's currency.
create function registry.propose_transfer_rule(p_actor text, p_request text, p_offering text, p_rule text, p_said jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into registry.transfer_rule (offering_id, rule_id, status, kind, investor_id, starts_on, ends_on, amount, span, countries,
        payer, because, paper_sha256, proposed_by)
    select p_offering, p_rule, 'proposed', s.kind, s.investor, s.starts_on, s.ends_on, s.amount, s.span, s.countries, s.payer, s.because,
        decode(s.paper, 'hex'), p_actor
    from jsonb_to_record(p_said) as s (kind text, investor text, starts_on date, ends_on date, amount bigint, span text,
        countries text[], payer text, because text, paper text);
end $$;

create function registry.decide_transfer_rule(p_actor text, p_request text, p_offering text, p_rule text,
    p_is_approved boolean, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.book_of(p_offering);
    update registry.transfer_rule set status = case when p_is_approved then 'in_force' else 'declined' end,
        decided_by = p_actor, decided_because = p_because
    where offering_id = p_offering and rule_id = p_rule;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'transfer_rule_exists', message = format('there is no rule %s', p_rule);
    end if;
end $$;

-- A rule ends for a reason, by whoever says so.
create function registry.end_transfer_rule(p_actor text, p_request text, p_offering text, p_rule text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update registry.transfer_rule set status = 'ended', ended_by = p_actor, ended_because = p_because
    where offering_id = p_offering and rule_id = p_rule;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'transfer_rule_exists', message = format('there is no rule %s', p_rule);
    end if;
end $$;

-- Holders whose units are summed; those in the group "issuer" are affiliates of the issuer (17 CFR 230.144(a)(1)).
create table registry.affiliation (
    offering_id text not null,
    affiliation_id text not null,
    status text not null,
    investor_id text not null,
    group_name text not null constraint affiliation_names_its_group check (group_name ~ '\S'),
    because text not null constraint affiliation_has_its_reason check (because ~ '\S'),
    recorded_by text not null,
    ended_by text,
    ended_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, affiliation_id),
    constraint affiliation_ends_by_another_person_for_a_reason
        check (status <> 'ended' or coalesce(audit.person_of(ended_by) <> audit.person_of(recorded_by), false) and coalesce(ended_because ~ '\S', false))
);
create unique index affiliation_is_recorded_once on registry.affiliation (offering_id, group_name, investor_id)
    where status = 'recorded';
call audit.keep('registry.affiliation', 'affiliation', 'affiliation_id', 'offering_id');

create function registry.record_affiliation(p_actor text, p_request text, p_offering text, p_affiliation text, p_investor text,
    p_group text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into registry.affiliation (offering_id, affiliation_id, status, investor_id, group_name, because, recorded_by)
    values (p_offering, p_affiliation, 'recorded', p_investor, p_group, p_because, p_actor);
end $$;

create function registry.end_affiliation(p_actor text, p_request text, p_offering text, p_affiliation text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update registry.affiliation set status = 'ended', ended_by = p_actor, ended_because = p_because
    where offering_id = p_offering and affiliation_id = p_affiliation;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'affiliation_exists',
            message = format('there is no affiliation %s', p_affiliation);
    end if;
end $$;

create function registry.affiliates_of(p_offering text, p_investor text) returns setof text
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select p_investor union select o.investor_id from registry.affiliation a
    join registry.affiliation o on o.offering_id = a.offering_id and o.group_name = a.group_name and o.status = 'recorded'
    where a.offering_id = p_offering and a.investor_id = p_investor and a.status = 'recorded';
end;
