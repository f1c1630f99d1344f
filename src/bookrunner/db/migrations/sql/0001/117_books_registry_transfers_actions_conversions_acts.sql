-- The acts on a conversion, and what its chains make of the books of both classes.

-- Proposes a conversion on the issuer's paper: {into, formula, bears_interest, fractions, effective_at, authority_sha256 (hex),
-- authority_reference}.
create function registry.propose_conversion(p_actor text, p_request text, p_offering text, p_conversion text, p_asked jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.book_of(p_offering);
    insert into registry.conversion (offering_id, conversion_id, status, into_offering_id, formula, bears_interest, fractions, currency,
        effective_at, authority_sha256, authority_reference, proposed_by)
    select p_offering, p_conversion, 'proposed', a."into", a.formula, coalesce(a.bears_interest, false), a.fractions, o.currency, a.effective_at,
        decode(a.authority_sha256, 'hex'), a.authority_reference, p_actor
    from engine.offer o, jsonb_to_record(p_asked) as a ("into" text, formula text, bears_interest boolean, fractions text,
        effective_at timestamptz, authority_sha256 text, authority_reference text)
    where o.offering_id = p_offering;
end $$;

-- Confirms an input from a paper: {name, amount or day, source, source_sha256 (hex)}. A later one of the same name takes its place.
create function registry.confirm_input(p_actor text, p_request text, p_offering text, p_conversion text, p_input jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c registry.conversion;
begin
    perform audit.enter(p_actor, p_request);
    c := registry.hold_conversion(p_offering, p_conversion);
    insert into registry.conversion_input (offering_id, conversion_id, ordinal, name, amount, day, source, source_sha256, confirmed_by)
    select p_offering, p_conversion, c.confirmations + 1, i.name, i.amount, i.day, i.source, decode(i.source_sha256, 'hex'), p_actor
    from jsonb_to_record(p_input) as i (name text, amount bigint, day date, source text, source_sha256 text);
    update registry.conversion set confirmations = confirmations + 1 where offering_id = p_offering and conversion_id = p_conversion;
end $$;

-- Approves or declines a conversion on the version that was seen, with the inputs that it had then.
create function registry.decide_conversion(p_actor text, p_request text, p_offering text, p_conversion text, p_is_approved boolean, p_because text,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c registry.conversion;
begin
    perform audit.enter(p_actor, p_request);
    c := registry.hold_conversion(p_offering, p_conversion);
    perform engine.hold_payments(array[c.offering_id, c.into_offering_id]);
    if c.version is distinct from p_seen then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen',
            message = format('%s is at version %s', p_conversion, c.version);
    end if;
    update registry.conversion set status = case when p_is_approved then 'approved' else 'declined' end, decided_by = p_actor,
        decided_because = p_because, decided_at = clock_timestamp()
    where offering_id = p_offering and conversion_id = p_conversion;
end $$;

-- Gives up a conversion that has not begun.
create function registry.abandon_conversion(p_actor text, p_request text, p_offering text, p_conversion text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.hold_conversion(p_offering, p_conversion);
    update registry.conversion set status = 'abandoned', ended_by = p_actor, ended_because = p_because
    where offering_id = p_offering and conversion_id = p_conversion;
end $$;

-- Begins an approved conversion whose time has come and that nothing hinders, with what the new class has undelivered, as the
-- chain showed it last.
create function registry.begin_conversion(p_actor text, p_request text, p_offering text, p_conversion text, p_undelivered bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c registry.conversion;
    holder record;
begin
    perform audit.enter(p_actor, p_request);
    c := registry.hold_conversion(p_offering, p_conversion);
    if c.status = 'begun' then
        return;
    end if;
    c.undelivered_units := p_undelivered;
    perform engine.hold_payments(array[c.offering_id, c.into_offering_id]);
    perform registry.require_conversion(c);
    for holder in select h.holding_id, h.investor_id from registry.lines_of_conversion(c) l join registry.holding h
            on h.offering_id = p_offering and h.holding_id = l.holding_id where l.units_after > 0 order by h.holding_id loop
        perform registry.holding_for(c.into_offering_id, holder.investor_id,
            'hld_' || substr(encode(sha256(convert_to(p_conversion || '/' || holder.holding_id, 'UTF8')), 'hex'), 1, 26));
    end loop;
    insert into registry.conversion_place (offering_id, from_offering_id, conversion_id, address, holding_id, units_before, units_after)
    select w.offering_id, p_offering, p_conversion, w.address, w.holding_id, w.units_before, w.units_after from registry.places_of_conversion(c) w;
    insert into registry.conversion_line (offering_id, conversion_id, holding_id, units_before, principal_minor, interest_minor, units_after,
        cash_minor, into_holding_id, into_address)
    select p_offering, p_conversion, l.*, n.holding_id, registry.linked_address(c.into_offering_id, n.investor_id)
    from registry.lines_of_conversion(c) l join registry.holding h on h.offering_id = p_offering and h.holding_id = l.holding_id
    left join registry.holding n on l.units_after > 0 and n.offering_id = c.into_offering_id and n.investor_id = h.investor_id;
    update registry.conversion set status = 'begun', begun_at = clock_timestamp(), undelivered_units = p_undelivered
    where offering_id = p_offering and conversion_id = p_conversion returning * into c;
    perform registry.finish_conversion(c);
end $$;

-- The transaction that record_transaction stores takes its wallets with it; a wallet that is on its way goes with no other.
create function registry.instruct_conversion(p_offering text, p_intent text, p_lines jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    taken integer;
begin
    perform registry.hold_conversion(x."of", x.conversion) from (select distinct l."of", l.conversion
        from jsonb_to_recordset(p_lines) as l ("of" text, conversion text)) x;
    insert into registry.conversion_call (offering_id, from_offering_id, conversion_id, address, intent_id)
    select p_offering, o.from_offering_id, o.conversion_id, o.address, p_intent
    from jsonb_to_recordset(p_lines) as l ("of" text, conversion text, address text, units bigint)
    join registry.conversion_open o on o.offering_id = p_offering and o.from_offering_id = l."of" and o.conversion_id = l.conversion
        and o.address = decode(l.address, 'hex') and o.units = l.units
    join registry.conversion c on c.offering_id = o.from_offering_id and c.conversion_id = o.conversion_id and c.status = 'begun'
    where not o.is_waiting;
    get diagnostics taken = row_count;
    if taken <> jsonb_array_length(p_lines) then
        raise exception using errcode = 'BR008', constraint = 'wallet_is_converted_once',
            message = format('a wallet of %s is changed already, or is on its way', p_intent);
    end if;
end $$;

-- Burned and minted units of a final transaction, wallet by wallet; with the last of both classes the books follow, in this transaction.
create function registry.post_conversion(t registry.chain_transaction, p_delivered jsonb) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    c registry.conversion := registry.hold_conversion(t.lines -> 0 ->> 'of', t.lines -> 0 ->> 'conversion');
    seen integer;
begin
    insert into registry.conversion_seen (offering_id, from_offering_id, conversion_id, address, chain_id, transaction_hash, ordinal)
    select t.offering_id, c.offering_id, c.conversion_id, o.address, t.chain_id, t.hash, d.ordinal
    from jsonb_to_recordset(p_delivered) as d (address text, units bigint, ordinal integer)
    join registry.conversion_open o on o.offering_id = t.offering_id and o.from_offering_id = c.offering_id and o.conversion_id = c.conversion_id
        and o.address = decode(d.address, 'hex') and o.units = d.units;
    get diagnostics seen = row_count;
    if seen <> jsonb_array_length(t.lines) then
        raise exception using errcode = 'BR008', constraint = 'chain_delivered_the_frozen_lines',
            message = format('the logs of %s are not what %s changes', t.transaction_id, c.conversion_id);
    end if;
    perform registry.finish_conversion(c);
    return seen;
end $$;

-- Posts a begun conversion whose wallets are all changed: every old lot ends, new ones in the other class name it, and both control
-- books follow on the paper of the conversion.
create function registry.finish_conversion(c registry.conversion) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from registry.conversion_open p where p.from_offering_id = c.offering_id and p.conversion_id = c.conversion_id) then
        return;
    end if;
    update registry.conversion set status = 'executed', executed_at = clock_timestamp()
    where offering_id = c.offering_id and conversion_id = c.conversion_id;
    perform registry.end_converted_lots(c);
    perform registry.make_converted_lots(c);
    update registry.control_book b set authority_sha256 = c.authority_sha256,
        issued_units = (select coalesce(sum(p.units), 0) from registry.posting p where p.offering_id = b.offering_id)
    where b.offering_id in (c.offering_id, c.into_offering_id);
end $$;

create function registry.end_converted_lots(c registry.conversion) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, units, reference, is_tacked)
    select l.offering_id, 'mov_' || substr(l.conversion_id, 5) || '.' || substr(l.holding_id, 5), 'conversion', l.holding_id, l.holding_id,
        l.units_before, l.conversion_id || '/' || l.holding_id, true
    from registry.conversion_line l where l.offering_id = c.offering_id and l.conversion_id = c.conversion_id order by l.holding_id;
    insert into registry.lot_use (offering_id, movement_id, lot_id, units, is_restricted)
    select m.offering_id, m.movement_id, g.lot_id, g.left_units, false
    from registry.movement m join registry.lot_standing g on g.offering_id = m.offering_id and g.holding_id = m.to_holding_id and g.left_units > 0
    where m.offering_id = c.offering_id and m.kind = 'conversion' and starts_with(m.reference, c.conversion_id || '/') order by m.movement_id, g.lot_id;
    insert into registry.posting (offering_id, posting_id, holding_id, movement_id, units)
    select m.offering_id, 'pst_' || substr(m.movement_id, 5), m.to_holding_id, m.movement_id, -m.units
    from registry.movement m where m.offering_id = c.offering_id and m.kind = 'conversion' and starts_with(m.reference, c.conversion_id || '/')
    order by m.to_holding_id;
    update registry.holding h set units = 0 from registry.conversion_line l
    where l.offering_id = c.offering_id and l.conversion_id = c.conversion_id and h.offering_id = l.offering_id and h.holding_id = l.holding_id;
end $$;

-- Units that come from the issuer for nothing but other securities of it were acquired when those were (17 CFR 230.144(d)(3)(ii));
-- a period of the exemption itself, of Regulation S or Crowdfunding, runs from the issue of what it is of.
create function registry.make_converted_lots(c registry.conversion) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    tacks constant boolean := (registry.period_of(c.into_offering_id)).kind in ('holding', 'none');
begin
    insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, units, reference, is_tacked)
    select c.into_offering_id, 'mov_' || substr(l.conversion_id, 5) || '.' || substr(l.into_holding_id, 5), 'conversion', l.into_holding_id,
        l.into_holding_id, l.units_after, l.conversion_id || '/' || l.into_holding_id, tacks
    from registry.conversion_line l where l.offering_id = c.offering_id and l.conversion_id = c.conversion_id and l.units_after > 0
    order by l.into_holding_id;
    insert into registry.lot (offering_id, lot_id, holding_id, movement_id, from_lot_id, units, legend, acquired_on, period_from)
    select c.into_offering_id, 'lot_' || substr(l.conversion_id, 5) || '.' || substr(l.into_holding_id, 5) || '.'
            || row_number() over (partition by l.into_holding_id order by g.acquired_on, g.lot_id), l.into_holding_id,
        'mov_' || substr(l.conversion_id, 5) || '.' || substr(l.into_holding_id, 5), g.lot_id, p.part,
        case when tacks and (registry.period_of(c.offering_id)).kind = 'holding' then g.legend else 'Restricted: 17 CFR 230.144' end,
        case when tacks then g.acquired_on else registry.today() end, case when tacks then g.period_from else registry.today() end
    from registry.conversion_line l
    cross join lateral (select array_agg(u.lot_id) as lots, array_agg(u.units::bigint * (1000000 + d.growth)) as weights
        from registry.lot_use u cross join lateral (select case when c.bears_interest then div(registry.input_of(c, 'interest_ppm')
            * registry.interest_days(c, u.lot_id), registry.input_of(c, 'year_days')) else 0 end::bigint as growth) d
        where u.offering_id = l.offering_id and u.movement_id = 'mov_' || substr(l.conversion_id, 5) || '.' || substr(l.holding_id, 5)) a
    cross join lateral registry.apportioned(l.units_after, a.lots, a.weights) p
    join registry.lot_standing g on g.offering_id = l.offering_id and g.lot_id = p.key
    where l.offering_id = c.offering_id and l.conversion_id = c.conversion_id and p.part > 0;
    insert into registry.posting (offering_id, posting_id, holding_id, movement_id, units)
    select m.offering_id, 'pst_' || substr(m.movement_id, 5), m.to_holding_id, m.movement_id, m.units
    from registry.movement m where m.offering_id = c.into_offering_id and m.kind = 'conversion' and starts_with(m.reference, c.conversion_id || '/')
    order by m.to_holding_id;
    update registry.holding h set units = h.units + l.units_after from registry.conversion_line l
    where l.offering_id = c.offering_id and l.conversion_id = c.conversion_id and h.offering_id = c.into_offering_id
        and h.holding_id = l.into_holding_id;
end $$;

-- What a movement of a conversion used, made and posted, as its line says: an end in the old class, a beginning in the new one.
create function registry.converted_by(m registry.movement) returns table (used bigint, made bigint, posted bigint, given bigint)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select t.used, t.made, t.made - t.used, t.made from (
        select l.units_before as used, 0::bigint as made, l.offering_id, l.holding_id, l.conversion_id, c.status
        from registry.conversion_line l join registry.conversion c using (offering_id, conversion_id)
        union all
        select 0, l.units_after, c.into_offering_id, l.into_holding_id, l.conversion_id, c.status
        from registry.conversion_line l join registry.conversion c using (offering_id, conversion_id) where l.units_after > 0) t
    where t.offering_id = m.offering_id and t.holding_id = m.to_holding_id and t.conversion_id || '/' || t.holding_id = m.reference
        and t.status = 'executed' and greatest(t.used, t.made) = m.units;
end;

-- Every conversion with its people, its price, its sums and how many wallets the chains have still to change.
create view registry.conversion_standing as
select c.offering_id, c.conversion_id, c.status, c.into_offering_id, c.formula, c.bears_interest, c.fractions, c.currency, c.effective_at,
    c.authority_reference, encode(c.authority_sha256, 'hex') as authority_sha256, c.proposed_by, c.proposed_at, c.decided_by, c.decided_because,
    c.ended_because, c.executed_at, c.version, p.basis, p.above, p.below, l.units_before, l.units_after, l.cash_minor,
    registry.inputs_missing(c) as missing, (select count(*) from registry.conversion_open o where o.from_offering_id = c.offering_id
        and o.conversion_id = c.conversion_id) as open_wallets
from registry.conversion c left join lateral registry.price_of_conversion(c) p on true
left join lateral (select sum(x.units_before)::bigint as units_before, sum(x.units_after)::bigint as units_after, sum(x.cash_minor)::bigint as cash_minor
    from registry.conversion_line x where x.offering_id = c.offering_id and x.conversion_id = c.conversion_id) l on true;
