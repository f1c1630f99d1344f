-- What a run reinvests of each holder, worked out at its draft and again by the walls.

-- Every holder with an election that counts for a record date: its whole units at the price of the plan, or why it is paid in cash. Where the plan
-- or the authorised units have too few for all of them, nobody gets units: holders are treated alike. Nets are what lines would pay in cash.
create function engine.reinvested(p_offering text, p_distribution text, p_record_on date, p_investors text[], p_payees text[], p_nets bigint[])
returns table (investor_id text, plan_id text, election_id text, share_bp integer, price_minor bigint, units bigint, because text)
language plpgsql stable rows 1000 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    p registry.reinvestment_plan;
    elected text[];
    bar text;
begin
    select * into p from registry.plan_on(p_offering, p_record_on);
    if p.plan_id is null then
        return;
    end if;
    elected := array(select e.investor_id from registry.elections_on(p_offering, p_record_on - p.cutoff_days) e where e.share_bp > 0);
    bar := registry.class_bar(p);
    return query
    with matched as materialized (select h.investor_id from engine.payee_hindrances(p_offering, elected) h where h.because = 'match_with_a_list'),
    asked as materialized (
        select n.investor_id, n.payee_id, e.election_id, e.share_bp, div(n.net_minor::numeric * e.share_bp, 10000::numeric * p.price_minor)::bigint as units
        from unnest(p_investors, p_payees, p_nets) n (investor_id, payee_id, net_minor)
        join registry.elections_on(p_offering, p_record_on - p.cutoff_days) e on e.investor_id = n.investor_id and e.share_bp > 0),
    alone as materialized (
        select a.*, array(select g.id from registry.affiliates_of(p_offering, a.investor_id) g (id)) as group_of, case when m.investor_id is not null then 'match_with_a_list' when a.payee_id <> a.investor_id then 'payee_is_another'
            when a.units = 0 then 'amount_is_less_than_a_unit' when bar is not null then bar
            when not coalesce((engine.party_of(p_offering, a.investor_id)).is_cleared, false) then 'holder_is_not_cleared'
            else registry.reinvestment_bar(p_offering, a.investor_id) end as because
        from asked a left join matched m on m.investor_id = a.investor_id),
    -- Affiliates of one run come to their limit together, and none of them before another.
    together as materialized (
        select a.investor_id, a.group_of, sum(o.units) as units from alone a cross join lateral unnest(a.group_of) g (id)
        join alone o on o.investor_id = g.id and o.because is null where a.because is null group by a.investor_id, a.group_of),
    over as materialized (
        select distinct g.id from together t cross join lateral unnest(t.group_of) g (id)
        where registry.is_over_its_limit(p_offering, t.investor_id, t.group_of, t.units, p_distribution)),
    judged as materialized (
        select a.investor_id, a.election_id, a.share_bp, a.units, coalesce(a.because, case when v.id is not null then 'share_is_over_its_limit' end) as because
        from alone a left join over v on v.id = a.investor_id),
    bounded as (
        select j.*, case when w.units > r.of_plan then 'plan_has_too_few_units' when r.of_class is null then 'supply_is_not_known'
            when w.units > r.of_class then 'authorised_units_are_too_few' end as bound
        from judged j cross join (select coalesce(sum(x.units), 0) as units from judged x where x.because is null) w
        cross join registry.room_for_promises(p_offering, p.plan_id, p_distribution) r)
    select b.investor_id, p.plan_id, b.election_id, b.share_bp, p.price_minor, case when coalesce(b.because, b.bound) is null then b.units else 0 end,
        coalesce(b.because, b.bound)
    from bounded b;
end $$;

-- Whoever recorded for somebody else what a run counts takes no part in it: a paper that nobody else saw would be paid out in units.
create function engine.elections_are_of_others(d engine.distribution, p_actor text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from engine.distribution_tier t where t.offering_id = d.offering_id and t.distribution_id = d.distribution_id
            and t.kind in ('redemption', 'principal'))
        and exists (select from registry.plan_on(d.offering_id, d.record_on) p
            cross join lateral registry.elections_on(d.offering_id, d.record_on - p.cutoff_days) e
            join engine.distribution_line l on l.offering_id = d.offering_id and l.distribution_id = d.distribution_id
                and l.investor_id = e.investor_id and l.holding_id is not null
            where audit.person_of(e.given_by) = audit.person_of(p_actor) and not engine.is_person_of(e.given_by, e.investor_id)) then
        raise exception using errcode = 'BR010', constraint = 'whoever_elects_for_another_decides_no_run',
            message = format('%s recorded what a holder of %s elects', p_actor, d.distribution_id);
    end if;
end $$;

-- What is kept of a distribution is what the plan and the elections make of its lines, at the commit that drafts it; only of income and
-- capital that tiers distribute, not of the price of units or of principal.
create function engine.reinvestment_is_worked_out() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform engine.elections_are_of_others(new, new.drafted_by);
    if exists (with line as materialized (select l.* from engine.distribution_line l where l.offering_id = new.offering_id
                and l.distribution_id = new.distribution_id and l.holding_id is not null and not exists (select from engine.distribution_tier t
                    where t.offering_id = l.offering_id and t.distribution_id = l.distribution_id and t.kind in ('redemption', 'principal'))),
            worked as materialized (select w.* from (select array_agg(l.investor_id) as investors, array_agg(l.payee_id) as payees,
                    array_agg(l.gross_minor - l.withheld_minor) as nets from line l) a
                cross join lateral engine.reinvested(new.offering_id, new.distribution_id, new.record_on, a.investors, a.payees, a.nets) w),
            kept as materialized (select r.investor_id, r.plan_id, r.election_id, r.share_bp, r.price_minor, r.units, r.because
                from engine.reinvestment r where r.offering_id = new.offering_id and r.distribution_id = new.distribution_id)
            (table kept except table worked) union all (table worked except table kept))
        or exists (select from engine.distribution_line l left join engine.reinvestment r using (offering_id, distribution_id, line_id)
            where l.offering_id = new.offering_id and l.distribution_id = new.distribution_id
                and (l.reinvested_minor <> coalesce(r.amount_minor, 0) or r.investor_id <> l.investor_id)) then
        raise exception using errcode = 'BR009', constraint = 'reinvestment_is_worked_out',
            message = format('%s does not reinvest what its plan and the elections say', new.distribution_id);
    end if;
    return null;
end $$;
create constraint trigger reinvestment_is_worked_out after insert on engine.distribution
    deferrable initially deferred for each row execute function engine.reinvestment_is_worked_out();
alter table engine.distribution enable always trigger reinvestment_is_worked_out;

-- A distribution is approved while its plan and its elections are those that count for its record date: a draft may come before the last of them.
create function engine.reinvestment_is_as_elected() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    p registry.reinvestment_plan;
begin
    if exists (select from engine.distribution_tier t where t.offering_id = new.offering_id and t.distribution_id = new.distribution_id
            and t.kind in ('redemption', 'principal')) then
        return new;
    end if;
    perform engine.elections_are_of_others(new, n.actor) from unnest(array[new.drafted_by, new.approved_by]) n (actor);
    select * into p from registry.plan_on(new.offering_id, new.record_on);
    if exists (with counting as (select e.investor_id, e.election_id, p.plan_id from registry.elections_on(new.offering_id, new.record_on - p.cutoff_days) e
                join engine.distribution_line l on l.offering_id = new.offering_id and l.distribution_id = new.distribution_id
                    and l.investor_id = e.investor_id and l.holding_id is not null
                where e.share_bp > 0 and p.plan_id is not null),
            kept as (select r.investor_id, r.election_id, r.plan_id from engine.reinvestment r
                where r.offering_id = new.offering_id and r.distribution_id = new.distribution_id)
            (table kept except table counting) union all (table counting except table kept))
        or registry.class_bar(p) is not null and exists (select from engine.reinvestment r
            where r.offering_id = new.offering_id and r.distribution_id = new.distribution_id and r.units > 0) then
        raise exception using errcode = 'BR008', constraint = 'reinvestment_is_as_elected',
            message = format('the plan, an election or the units changed since %s was drafted; cancel it and draft another', new.distribution_id);
    end if;
    return new;
end $$;
create trigger reinvestment_is_as_elected before update on engine.distribution
    for each row when (new.status = 'approved' and old.status <> 'approved') execute function engine.reinvestment_is_as_elected();
alter table engine.distribution enable always trigger reinvestment_is_as_elected;

-- What each run makes of the elections: units or cash with its reason, and where the units are.
create view engine.reinvestment_standing as
select r.offering_id, r.distribution_id, r.line_id, r.investor_id, r.plan_id, r.election_id, r.share_bp, r.price_minor, r.units, r.amount_minor, r.because,
    l.net_minor as cash_minor, d.status as distribution_status, d.record_on, d.pay_on, d.currency, m.moved_at as issued_at,
    case when r.units = 0 then 'cash' when m.moved_at is not null then 'issued' when d.status = 'cancelled' then 'cancelled'
        when d.status in ('paying', 'paid') then 'open' else 'planned' end as state
from engine.reinvestment r join engine.distribution d using (offering_id, distribution_id)
join engine.distribution_line l using (offering_id, distribution_id, line_id)
left join registry.movement_fact m on m.offering_id = r.offering_id and m.kind = 'reinvestment' and m.reference = r.line_id;
