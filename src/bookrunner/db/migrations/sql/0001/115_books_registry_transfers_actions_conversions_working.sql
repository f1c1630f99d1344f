-- The working of a conversion: what each holder gets, in which wallet, and what keeps a conversion from beginning.

-- The day on which units of a lot were first bought from the issuer, whoever had them since.
create function registry.first_bought_on(p_offering text, p_lot text) returns date
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with recursive origin as (
        select l.lot_id, l.from_lot_id, l.acquired_on from registry.lot l where l.offering_id = p_offering and l.lot_id = p_lot
        union all select l.lot_id, l.from_lot_id, l.acquired_on from origin o
        join registry.lot l on l.offering_id = p_offering and l.lot_id = o.from_lot_id)
    select min(o.acquired_on) from origin o;
end;

-- For how many days units of a lot bear interest by the day of the conversion.
create function registry.interest_days(c registry.conversion, p_lot text) returns integer
language sql stable set search_path = pg_catalog, pg_temp
return case when c.bears_interest then greatest(0, (c.effective_at at time zone 'UTC')::date - greatest(registry.first_bought_on(c.offering_id, p_lot),
    (select i.day from registry.conversion_input_standing i where i.offering_id = c.offering_id and i.conversion_id = c.conversion_id
        and i.name = 'interest_from'))) else 0 end;

-- Each holder's principal with simple interest to the day, over the price; whole units, rounded down, and the rest in cash, rounded
-- down. None while an input is missing.
create function registry.lines_of_conversion(c registry.conversion)
returns table (holding_id text, units_before bigint, principal_minor bigint, interest_minor bigint, units_after bigint, cash_minor bigint)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with held as (
        select s.holding_id, sum(s.left_units)::bigint as units, sum(s.left_units::numeric * registry.interest_days(c, s.lot_id)) as unit_days
        from registry.lot_standing s where s.offering_id = c.offering_id and s.left_units > 0 group by s.holding_id),
    worth as (
        select h.holding_id, h.units, case c.formula when 'fixed_ratio' then 0 else h.units * registry.input_of(c, 'principal_minor') end as principal,
            case when c.bears_interest then div(h.unit_days * registry.input_of(c, 'principal_minor') * registry.input_of(c, 'interest_ppm'),
                1000000 * registry.input_of(c, 'year_days')) else 0 end as interest
        from held h),
    whole as (
        select w.*, p.above, p.below, (case c.formula when 'fixed_ratio' then w.units else w.principal + w.interest end) * p.below as amount
        from worth w cross join registry.price_of_conversion(c) p)
    select w.holding_id, w.units, w.principal::bigint, w.interest::bigint, div(w.amount, w.above)::bigint,
        case when c.fractions <> 'cash' then 0 when c.formula = 'fixed_ratio'
            then div(mod(w.amount, w.above) * registry.input_of(c, 'unit_price_minor'), w.above)
            else div(mod(w.amount, w.above), w.below) end::bigint
    from whole w;
end;

-- What each wallet of the two classes has before and after: the old units leave every wallet, the new ones come into the one that
-- is linked for the new class.
create function registry.places_of_conversion(c registry.conversion)
returns table (offering_id text, address bytea, holding_id text, units_before bigint, units_after bigint)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select c.offering_id, w.address, l.holding_id, w.units, 0::bigint
    from registry.lines_of_conversion(c) l cross join lateral registry.places_of(c.offering_id, l.holding_id, 'infinity') w where w.units > 0
    union all
    select c.into_offering_id, a.address, n.holding_id, u.units, u.units + l.units_after
    from registry.lines_of_conversion(c) l join registry.holding h on h.offering_id = c.offering_id and h.holding_id = l.holding_id
    join registry.holding n on n.offering_id = c.into_offering_id and n.investor_id = h.investor_id
    cross join lateral (select registry.linked_address(c.into_offering_id, h.investor_id) as address) a
    cross join lateral (select registry.units_in(c.into_offering_id, h.investor_id, a.address) as units) u
    where l.units_after > 0 and a.address is not null;
end;

-- What a class of a conversion has open: units under way, differences, a split or another conversion that has begun.
create function registry.open_in_class(p_offering text) returns table (subject_id text, is_difference boolean)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select u.subject_id, false from registry.units_under_way(p_offering) u
    union all select s.split_id, false from registry.split s where s.offering_id = p_offering and s.status = 'begun'
    union all select o.observed_id, true from registry.observed_transfer o where o.offering_id = p_offering and o.status not in ('matched', 'resolved')
    union all select d.difference_id, true from registry.record_difference d where d.offering_id = p_offering and d.status = 'open'
    union all select e.entry_id, true from registry.subsidiary_entry e where e.offering_id = p_offering and e.status = 'open';
end;

-- What the holders of a conversion lack to have units of the new class, and what its caps would say.
create function registry.conversion_lacks(c registry.conversion) returns table (place integer, rule text, detail text)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with getting as (
        select h.investor_id, l.units_after from registry.lines_of_conversion(c) l
        join registry.holding h on h.offering_id = c.offering_id and h.holding_id = l.holding_id where l.units_after > 0),
    after as (
        select h.investor_id from registry.holding h where h.offering_id = c.into_offering_id and h.units > 0 union select g.investor_id from getting g),
    found as (
        select 110 as place, 'holders_are_cleared_for_the_new_units' as rule, count(*) as open, min(g.investor_id) as first from getting g
        where not coalesce((engine.party_of(c.into_offering_id, g.investor_id)).is_cleared, false)
        union all
        select 120, 'holders_have_a_wallet_for_the_new_units', count(*), min(g.investor_id) from getting g
        where registry.linked_address(c.into_offering_id, g.investor_id) is null
        union all
        select 130, 'new_units_stay_within_the_authorised_ones', case when t.units > b.authorised_units then t.units end, b.authorised_units || ' are authorised'
        from registry.control_book b cross join lateral (select b.issued_units + coalesce(c.undelivered_units, (select a.undelivered_units
            from registry.balance a where a.offering_id = b.offering_id), 0) + (select coalesce(sum(g.units_after), 0) from getting g) as units) t
        where b.offering_id = c.into_offering_id
        union all
        select 140, 'conversion_stays_within_the_holder_cap', count(*), min(r.amount) || ' holders may be'
        from registry.rules_on(c.into_offering_id, 'holder_cap', null, registry.today()) r where (select count(*) from after) > r.amount
        union all
        select 150, 'conversion_stays_within_the_non_accredited_cap', count(*), min(r.amount) || ' may be'
        from registry.rules_on(c.into_offering_id, 'non_accredited_cap', null, registry.today()) r
        where (select count(*) from after a where not engine.is_accredited(c.into_offering_id, a.investor_id)) > r.amount)
    select f.place, f.rule, f.open || ': ' || coalesce(f.first, '') from found f where f.open > 0;
end;

-- What makes the terms and inputs of a conversion those of other units than there are: a split of either class since it was proposed, or a
-- payment of principal. It is proposed anew.
create function registry.changed_since_proposal(c registry.conversion) returns table (place integer, rule text, detail text)
language plpgsql stable rows 1 set search_path = pg_catalog, pg_temp as $$
begin
    return query
    select 32, 'conversion_is_of_the_units_as_proposed', min(s.split_id) from registry.split s
    where s.offering_id in (c.offering_id, c.into_offering_id) and s.status = 'executed' and s.executed_at > c.proposed_at having count(*) > 0
    union all
    select 34, 'conversion_is_of_the_principal_as_proposed', format('%s instalments since', i.begun - c.instalments_begun)
    from engine.instalments_of(array[c.offering_id, c.into_offering_id]) i where i.begun <> c.instalments_begun;
end $$;

-- An instalment that is drafted pays the principal of units that a conversion would end.
create function registry.instalment_is_open(p_offerings text[]) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return (select i.open from engine.instalments_of(p_offerings) i);
end $$;

-- Everything that keeps a conversion from beginning now, in the order in which it is said; none when it may begin.
create function registry.hindrances_of_conversion(c registry.conversion) returns table (place integer, rule text, detail text)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with class as (
        select o.offering_id, o.status, registry.is_paused(o.offering_id) as is_paused, exists (select from engine.closing x
                where x.offering_id = o.offering_id and x.status in ('proposed', 'frozen', 'issued', 'released')) as is_closing,
            (select min(u.subject_id) from registry.open_in_class(o.offering_id) u where not u.is_difference) as moving,
            (select min(u.subject_id) from registry.open_in_class(o.offering_id) u where u.is_difference) as differing
        from engine.offer o where o.offering_id in (c.offering_id, c.into_offering_id)),
    broken as (
        select 10 as place, 'conversion_is_agreed' as rule, case when c.status <> 'approved' then c.status end as detail
        union all select 20, 'conversion_time_has_come', case when c.effective_at > clock_timestamp() then audit.instant(c.effective_at) end
        union all select 30, 'conversion_has_its_inputs', nullif(array_to_string(registry.inputs_missing(c), ', '), '')
        union all select s.place, s.rule, s.detail from registry.changed_since_proposal(c) s
        union all select 36, 'open_instalment_is_paid_first', registry.instalment_is_open(array[c.offering_id, c.into_offering_id])
        union all select 40, 'conversion_follows_the_sale', min(k.status) from class k where k.offering_id = c.offering_id and k.status <> 'closed_successfully'
        union all select 50, 'new_class_is_offered', min(k.status) from class k where k.offering_id <> c.offering_id
            and k.status not in ('published', 'legally_closed', 'closed_successfully')
        union all select 60, 'conversion_meets_no_open_closing', min(k.offering_id) from class k where k.is_closing
        union all select 70, 'conversion_meets_paused_securities', min(k.offering_id) from class k where not k.is_paused
        union all select 80, 'conversion_meets_units_at_rest', min(k.moving) from class k
        union all select 90, 'conversion_meets_no_restraint', min(h.holding_id) from registry.holding h where h.offering_id = c.offering_id and h.units > 0
            and (h.status = 'held' or registry.is_account_frozen(h.offering_id, h.investor_id) or registry.frozen_units(h.offering_id, h.investor_id) > 0)
        union all select 100, 'conversion_meets_records_that_agree', min(k.differing) from class k
        union all select l.place, l.rule, l.detail from registry.conversion_lacks(c) l)
    select b.place, b.rule, b.detail from broken b where b.detail is not null order by b.place;
end;

create function registry.conversion_hindrances(p_offering text, p_conversion text) returns table (place integer, rule text, detail text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select h.place, h.rule, h.detail from registry.conversion c cross join lateral registry.hindrances_of_conversion(c) h
    where c.offering_id = p_offering and c.conversion_id = p_conversion order by h.place;
end;

create function registry.conversion_working(p_offering text, p_conversion text)
returns table (investor_id text, units_before bigint, principal_minor bigint, interest_minor bigint, units_after bigint, cash_minor bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select h.investor_id, l.units_before, l.principal_minor, l.interest_minor, l.units_after, l.cash_minor
    from registry.conversion c cross join lateral (
        select x.* from registry.lines_of_conversion(c) x where c.begun_at is null
        union all select y.holding_id, y.units_before, y.principal_minor, y.interest_minor, y.units_after, y.cash_minor from registry.conversion_line y
        where y.offering_id = c.offering_id and y.conversion_id = c.conversion_id) l
    join registry.holding h on h.offering_id = c.offering_id and h.holding_id = l.holding_id
    where c.offering_id = p_offering and c.conversion_id = p_conversion order by h.investor_id;
end;

-- The wallets that are to get units of the new class, with the country of their holder, for the token to know them by.
create function registry.wallets_of_conversion(p_offering text, p_conversion text) returns table (address bytea, units bigint, country text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select a.address, l.units_after, (engine.party_of(c.into_offering_id, h.investor_id)).country
    from registry.conversion c cross join lateral registry.lines_of_conversion(c) l
    join registry.holding h on h.offering_id = c.offering_id and h.holding_id = l.holding_id
    cross join lateral (select registry.linked_address(c.into_offering_id, h.investor_id) as address) a
    where c.offering_id = p_offering and c.conversion_id = p_conversion and l.units_after > 0 order by a.address;
end;
