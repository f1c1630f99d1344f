-- How a split is worked out: every holder, every wallet, the authorised units. What begins it writes this, and the wall asks for it.

-- Each holder's units after and fraction. The cash for all fractions is rounded down once and shared by their size.
create function registry.lines_of_split(s registry.split)
returns table (holding_id text, units_before bigint, units_after bigint, fraction_parts bigint, cash_minor bigint)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with line as (
        select h.holding_id, h.units, registry.units_after_split(h.units, s) as after,
            case s.fractions when 'cash' then mod(h.units::numeric * s.new_units, s.for_units) else 0 end::bigint as parts
        from registry.holding h where h.offering_id = s.offering_id and h.units > 0),
    cash as (
        select c.key, c.part from (select array_agg(l.holding_id) as holdings, array_agg(l.parts) as parts,
                div(sum(l.parts)::numeric * s.cash_price_minor, s.for_units)::bigint as minor from line l where l.parts > 0) t,
            lateral registry.apportioned(t.minor, t.holdings, t.parts) c)
    select l.holding_id, l.units, l.after, l.parts, coalesce(c.part, 0) from line l left join cash c on c.key = l.holding_id;
end;

-- The authorised units move by the ratio, rounded down.
create function registry.authorised_after_split(p_units bigint, s registry.split) returns bigint
language sql immutable set search_path = pg_catalog, pg_temp
return div(p_units::numeric * s.new_units, s.for_units)::bigint;

-- Each wallet's units: those of a holder shared over its wallets by their size, and the undelivered ones of the treasury wallet as
-- far as the authorised units reach.
create function registry.places_of_split(s registry.split, p_undelivered bigint)
returns table (address bytea, holding_id text, units_before bigint, units_after bigint)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select decode(c.key, 'hex'), l.holding_id, w.units, c.part
    from registry.lines_of_split(s) l
    cross join lateral (select array_agg(p.key) as keys, array_agg(p.units) as weights from (
        select encode(x.address, 'hex') as key, x.units from registry.places_of(s.offering_id, l.holding_id, 'infinity') x
        union all select '', l.units_before - coalesce(sum(x.units), 0)::bigint from registry.places_of(s.offering_id, l.holding_id, 'infinity') x) p
        where p.units > 0) a
    cross join lateral registry.apportioned(l.units_after, a.keys, a.weights) c
    cross join lateral (select u.weight as units from unnest(a.keys, a.weights) as u (key, weight) where u.key = c.key) w
    where c.key <> ''
    union all
    select o.treasury_address, null, p_undelivered, greatest(0, least(registry.authorised_after_split(p_undelivered, s),
        registry.authorised_after_split(b.authorised_units, s) - (select coalesce(sum(l.units_after), 0) from registry.lines_of_split(s) l)::bigint))
    from engine.offer o join registry.control_book b using (offering_id) where o.offering_id = s.offering_id and p_undelivered > 0;
end;

-- Refuses a split whose authorised units, lines or wallets are not those of its working.
create function registry.require_working(s registry.split) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.control_book b where b.offering_id = s.offering_id and b.authorised_units = s.authorised_before
        and registry.authorised_after_split(b.authorised_units, s) = s.authorised_after) then
        raise exception using errcode = 'BR008', constraint = 'authorised_units_move_by_the_ratio',
            message = format('%s moves the authorised units otherwise', s.split_id);
    end if;
    if exists (with kept as (select l.holding_id, l.units_before, l.units_after, l.fraction_parts, l.cash_minor
            from registry.split_line l where l.offering_id = s.offering_id and l.split_id = s.split_id)
        (table kept except select * from registry.lines_of_split(s)) union all (select * from registry.lines_of_split(s) except table kept)) then
        raise exception using errcode = 'BR008', constraint = 'split_has_a_line_for_every_holder',
            message = format('the lines of %s are not what its ratio makes of the register', s.split_id);
    end if;
    if exists (with kept as (select p.address, p.holding_id, p.units_before, p.units_after
            from registry.split_place p where p.offering_id = s.offering_id and p.split_id = s.split_id),
            worked as (select w.* from (select coalesce(max(k.units_before), 0) as undelivered from kept k where k.holding_id is null) t,
                lateral registry.places_of_split(s, t.undelivered) w)
        (table kept except table worked) union all (table worked except table kept)) then
        raise exception using errcode = 'BR008', constraint = 'split_has_a_place_for_every_wallet',
            message = format('the wallets of %s are not what its ratio makes of them', s.split_id);
    end if;
end $$;
