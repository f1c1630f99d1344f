-- A split from its proposal to the books: two people, its time, what must be at rest, the chain, and one posting of all holders.

-- Everything that keeps a split from beginning now, in the order in which it is said; none when it may begin.
create function registry.split_hindrances(p_offering text, p_split text) returns table (place integer, rule text, detail text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    with s as (select x.* from registry.split x where x.offering_id = p_offering and x.split_id = p_split),
        open_work as (select count(*) as open, min(u.subject_id) as first from registry.units_under_way(p_offering) u),
        apart as (select count(*) as open from (
            select from registry.observed_transfer o where o.offering_id = p_offering and o.status not in ('matched', 'resolved')
            union all select from registry.record_difference d where d.offering_id = p_offering and d.status = 'open'
            union all select from registry.subsidiary_entry e where e.offering_id = p_offering and e.status = 'open') t),
        frozen as (select coalesce(sum(r.frozen_units), 0) as units from registry.account_restraint r where r.offering_id = p_offering),
        after as (select coalesce(sum(registry.units_after_split(h.units, (select x from registry.split x where x.offering_id = p_offering
            and x.split_id = p_split))), 0) as units from registry.holding h where h.offering_id = p_offering)
    select f.place, f.rule, f.detail from s
    join registry.control_book b using (offering_id) join engine.offer o using (offering_id)
    cross join open_work cross join apart cross join frozen cross join after cross join lateral (values
        (10, 'split_is_agreed', s.status <> 'approved', s.status),
        (20, 'split_time_has_come', s.effective_at > clock_timestamp(), audit.instant(s.effective_at)),
        (30, 'split_follows_the_sale', o.status <> 'closed_successfully', o.status),
        (40, 'split_meets_no_open_closing', exists (select from engine.closing c where c.offering_id = p_offering
            and c.status in ('proposed', 'frozen', 'issued', 'released')), ''),
        (50, 'split_meets_a_paused_security', not registry.is_paused(p_offering), ''),
        (60, 'split_meets_units_at_rest', open_work.open > 0, open_work.open || ' under way, such as ' || open_work.first),
        (70, 'split_meets_no_frozen_part', frozen.units > 0, frozen.units || ' units are frozen'),
        (80, 'split_meets_records_that_agree', apart.open > 0, apart.open || ' differences are open'),
        (90, 'split_stays_within_the_authorised_units', after.units > div(b.authorised_units::numeric * s.new_units, s.for_units),
            after.units || ' units would be issued')) f (place, rule, is_broken, detail)
    where f.is_broken order by f.place;
end;

-- What each holder has after a split, and its fraction. The cash for all fractions is rounded down once and shared by their size.
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
    if (select coalesce(sum(p.units_before), 0)::bigint from registry.split_place p where p.offering_id = s.offering_id
            and p.split_id = s.split_id and p.holding_id is null) is distinct from registry.undelivered_units(s.offering_id) then
        raise exception using errcode = 'BR008', constraint = 'split_has_the_undelivered_units_of_the_chain',
            message = format('the treasury wallet of %s had another number when the chain was looked at', s.split_id);
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

create function registry.require_split(p_offering text, p_split text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    hindered record;
begin
    select h.rule, h.detail into hindered from registry.split_hindrances(p_offering, p_split) h order by h.place limit 1;
    if found then
        raise exception using errcode = 'BR008', constraint = hindered.rule, message = format('%s waits: %s', p_split, hindered.detail);
    end if;
end $$;

-- The terms stand from the proposal on; it begins when nothing hinders it and as it is worked out; it is executed when the
-- chain shows every wallet changed.
create function registry.split_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (old.new_units, old.for_units, old.fractions, old.cash_price_minor, old.currency, old.effective_at, old.authority_sha256,
        old.authority_reference, old.proposed_by, old.proposed_at) is distinct from (new.new_units, new.for_units, new.fractions,
        new.cash_price_minor, new.currency, new.effective_at, new.authority_sha256, new.authority_reference, new.proposed_by, new.proposed_at)
        or old.status in ('begun', 'executed') and (old.authorised_before, old.authorised_after, old.begun_at, old.decided_by)
            is distinct from (new.authorised_before, new.authorised_after, new.begun_at, new.decided_by) then
        raise exception using errcode = 'BR006', constraint = 'split_terms_are_locked', message = format('the terms of %s are locked', old.split_id);
    end if;
    if new.status = 'begun' and old.status <> 'begun' then
        perform registry.require_split(new.offering_id, new.split_id);
        perform registry.require_working(new);
    end if;
    if new.status = 'executed' and old.status <> 'executed' and exists (select from registry.split_open p
        where p.offering_id = new.offering_id and p.split_id = new.split_id) then
        raise exception using errcode = 'BR008', constraint = 'split_follows_its_chain',
            message = format('the chain does not show every wallet of %s changed', new.split_id);
    end if;
    return new;
end $$;
create trigger split_stands before update on registry.split for each row execute function registry.split_stands();
alter table registry.split enable always trigger split_stands;

-- Lines are worked out in the transaction that begins the split, and none is added later.
create function registry.split_line_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.split s where s.offering_id = new.offering_id and s.split_id = new.split_id and s.status = 'approved') then
        raise exception using errcode = 'BR008', constraint = 'split_lines_stand_since_it_began',
            message = format('%s takes no lines', new.split_id);
    end if;
    return new;
end $$;
create trigger split_line_stands before insert on registry.split_line for each row execute function registry.split_line_stands();
create trigger split_line_stands before insert on registry.split_place for each row execute function registry.split_line_stands();
alter table registry.split_line enable always trigger split_line_stands;
alter table registry.split_place enable always trigger split_line_stands;

-- What the chain did to a wallet is told by a final transaction that was signed for it.
create function registry.split_is_seen() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.split_call c join registry.split_place p using (offering_id, split_id, address)
        join registry.chain_transaction t using (offering_id, intent_id)
        where c.offering_id = new.offering_id and c.split_id = new.split_id and c.address = new.address
            and t.chain_id = new.chain_id and t.hash = new.transaction_hash and t.status = 'final' and t.purpose = 'split'
            and t.lines @> jsonb_build_array(jsonb_build_object('split', new.split_id, 'address', encode(new.address, 'hex'),
                'units', p.units_after - p.units_before))) then
        raise exception using errcode = 'BR008', constraint = 'split_follows_its_chain',
            message = format('no final transaction changes that wallet of %s', new.split_id);
    end if;
    return new;
end $$;
create trigger split_is_seen before insert on registry.split_seen for each row execute function registry.split_is_seen();
alter table registry.split_seen enable always trigger split_is_seen;

-- Wallets that the chain has still to change; waiting are those with an attempt that may yet come through.
create view registry.split_open as
select p.offering_id, p.split_id, p.address, p.units_after - p.units_before as units,
    exists (select from registry.split_call c join registry.chain_transaction t using (intent_id) where c.offering_id = p.offering_id
        and c.split_id = p.split_id and c.address = p.address and t.status in ('signed', 'broadcast', 'mined')) as is_waiting
from registry.split_place p
where p.units_after <> p.units_before and not exists (select from registry.split_seen n where n.offering_id = p.offering_id
    and n.split_id = p.split_id and n.address = p.address);

-- Locks the control book and then the split.
create function registry.hold_split(p_offering text, p_split text) returns registry.split
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s registry.split;
begin
    perform registry.book_of(p_offering);
    select * into s from registry.split x where x.offering_id = p_offering and x.split_id = p_split for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'split_exists', message = format('there is no split %s in %s', p_split, p_offering);
    end if;
    return s;
end $$;

-- Proposes a split on the issuer's paper: {new_units, for_units, fractions, cash_price_minor, effective_at, authority_sha256 (hex),
-- authority_reference, currency}. The price of a fraction is that of one new unit, in minor units of the offer's currency.
create function registry.propose_split(p_actor text, p_request text, p_offering text, p_split text, p_asked jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.book_of(p_offering);
    if exists (select from engine.offer o where o.offering_id = p_offering and o.currency <> p_asked ->> 'currency') then
        raise exception using errcode = 'BR008', constraint = 'split_price_is_in_the_currency_of_the_offer',
            message = format('%s is not the currency of %s', p_asked ->> 'currency', p_offering);
    end if;
    insert into registry.split (offering_id, split_id, status, new_units, for_units, fractions, cash_price_minor, currency, effective_at,
        authority_sha256, authority_reference, proposed_by)
    select p_offering, p_split, 'proposed', a.new_units, a.for_units, a.fractions, a.cash_price_minor, o.currency, a.effective_at,
        decode(a.authority_sha256, 'hex'), a.authority_reference, p_actor
    from engine.offer o, jsonb_to_record(p_asked) as a (new_units bigint, for_units bigint, fractions text, cash_price_minor bigint,
        effective_at timestamptz, authority_sha256 text, authority_reference text)
    where o.offering_id = p_offering;
end $$;

create function registry.decide_split(p_actor text, p_request text, p_offering text, p_split text, p_is_approved boolean, p_because text)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.hold_split(p_offering, p_split);
    update registry.split set status = case when p_is_approved then 'approved' else 'declined' end, decided_by = p_actor,
        decided_because = p_because, decided_at = clock_timestamp()
    where offering_id = p_offering and split_id = p_split;
end $$;

-- Gives up a split that has not begun.
create function registry.abandon_split(p_actor text, p_request text, p_offering text, p_split text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.hold_split(p_offering, p_split);
    update registry.split set status = 'abandoned', ended_by = p_actor, ended_because = p_because
    where offering_id = p_offering and split_id = p_split;
end $$;

-- Begins an approved split that nothing hinders, with as many undelivered units in the treasury wallet as the chain showed last.
create function registry.begin_split(p_actor text, p_request text, p_offering text, p_split text, p_undelivered bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s registry.split;
    b registry.control_book;
begin
    perform audit.enter(p_actor, p_request);
    s := registry.hold_split(p_offering, p_split);
    if s.status = 'begun' then
        return;
    end if;
    b := registry.book_of(p_offering);
    perform registry.require_split(p_offering, p_split);
    insert into registry.split_line (offering_id, split_id, holding_id, units_before, units_after, fraction_parts, cash_minor)
    select p_offering, p_split, l.* from registry.lines_of_split(s) l;
    insert into registry.split_place (offering_id, split_id, address, holding_id, units_before, units_after)
    select p_offering, p_split, w.* from registry.places_of_split(s, p_undelivered) w;
    update registry.split set status = 'begun', begun_at = clock_timestamp(), authorised_before = b.authorised_units,
        authorised_after = registry.authorised_after_split(b.authorised_units, s)
    where offering_id = p_offering and split_id = p_split returning * into s;
    perform registry.finish_split(s);
end $$;

-- The transaction that record_transaction stores takes its wallets with it; a wallet that is on its way goes with no other.
create function registry.instruct_split(p_offering text, p_intent text, p_lines jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    taken integer;
begin
    perform registry.hold_split(p_offering, x.split) from (select distinct l.split from jsonb_to_recordset(p_lines) as l (split text)) x;
    insert into registry.split_call (offering_id, split_id, address, intent_id)
    select p_offering, o.split_id, o.address, p_intent
    from jsonb_to_recordset(p_lines) as l (split text, address text, units bigint)
    join registry.split_open o on o.offering_id = p_offering and o.split_id = l.split and o.address = decode(l.address, 'hex') and o.units = l.units
    join registry.split s on s.offering_id = p_offering and s.split_id = o.split_id and s.status = 'begun'
    where not o.is_waiting;
    get diagnostics taken = row_count;
    if taken <> jsonb_array_length(p_lines) then
        raise exception using errcode = 'BR008', constraint = 'wallet_is_changed_once',
            message = format('a wallet of %s is changed already, or is on its way', p_intent);
    end if;
end $$;

-- Minted and burned units of a final transaction, wallet by wallet; with the last of them the books follow, in this transaction.
create function registry.post_split(t registry.chain_transaction, p_delivered jsonb) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s registry.split := registry.hold_split(t.offering_id, t.lines -> 0 ->> 'split');
    seen integer;
begin
    insert into registry.split_seen (offering_id, split_id, address, chain_id, transaction_hash, ordinal)
    select t.offering_id, o.split_id, o.address, t.chain_id, t.hash, d.ordinal
    from jsonb_to_recordset(p_delivered) as d (address text, units bigint, ordinal integer)
    join registry.split_open o on o.offering_id = t.offering_id and o.split_id = s.split_id and o.address = decode(d.address, 'hex') and o.units = d.units;
    get diagnostics seen = row_count;
    if seen <> jsonb_array_length(t.lines) then
        raise exception using errcode = 'BR008', constraint = 'chain_delivered_the_frozen_lines',
            message = format('the logs of %s are not what %s changes', t.transaction_id, s.split_id);
    end if;
    perform registry.finish_split(s);
    return seen;
end $$;

-- Posts a begun split whose wallets are all changed: every lot of a holder ends, and new ones name it and keep its dates and legend
-- (17 CFR 230.144(d)(3)(i)); the authorised units move with the issued ones.
create function registry.finish_split(s registry.split) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from registry.split_open p where p.offering_id = s.offering_id and p.split_id = s.split_id) then
        return;
    end if;
    update registry.split set status = 'executed', executed_at = clock_timestamp() where offering_id = s.offering_id and split_id = s.split_id;
    perform registry.post_split_lines(s);
    update registry.control_book set authorised_units = s.authorised_after, authority_sha256 = s.authority_sha256,
        issued_units = (select coalesce(sum(p.units), 0) from registry.posting p where p.offering_id = s.offering_id)
    where offering_id = s.offering_id;
end $$;

create function registry.post_split_lines(s registry.split) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, units, reference, is_tacked)
    select l.offering_id, 'mov_' || substr(l.split_id, 5) || '.' || substr(l.holding_id, 5), 'split', l.holding_id, l.holding_id,
        abs(l.units_after - l.units_before), l.split_id || '/' || l.holding_id, true
    from registry.split_line l where l.offering_id = s.offering_id and l.split_id = s.split_id and l.units_after <> l.units_before
    order by l.holding_id;
    insert into registry.lot_use (offering_id, movement_id, lot_id, units, is_restricted)
    select m.offering_id, m.movement_id, g.lot_id, g.left_units, false
    from registry.movement m join registry.lot_standing g on g.offering_id = m.offering_id and g.holding_id = m.to_holding_id and g.left_units > 0
    where m.offering_id = s.offering_id and m.kind = 'split' and starts_with(m.reference, s.split_id || '/') order by m.movement_id, g.lot_id;
    insert into registry.lot (offering_id, lot_id, holding_id, movement_id, from_lot_id, units, legend, acquired_on, period_from)
    select m.offering_id, 'lot_' || substr(m.movement_id, 5) || '.' || row_number() over (partition by m.movement_id order by g.acquired_on, g.lot_id),
        m.to_holding_id, m.movement_id, g.lot_id, c.part, g.legend, g.acquired_on, g.period_from
    from registry.movement m
    join registry.split_line l on l.offering_id = m.offering_id and l.split_id = s.split_id and l.holding_id = m.to_holding_id
    cross join lateral (select array_agg(u.lot_id) as lots, array_agg(u.units) as weights from registry.lot_use u
        where u.offering_id = m.offering_id and u.movement_id = m.movement_id) a
    cross join lateral registry.apportioned(l.units_after, a.lots, a.weights) c
    join registry.lot_standing g on g.offering_id = m.offering_id and g.lot_id = c.key
    where m.offering_id = s.offering_id and m.kind = 'split' and m.reference = s.split_id || '/' || l.holding_id and c.part > 0;
    insert into registry.posting (offering_id, posting_id, holding_id, movement_id, units)
    select l.offering_id, 'pst_' || substr(m.movement_id, 5), l.holding_id, m.movement_id, l.units_after - l.units_before
    from registry.split_line l join registry.movement m on m.offering_id = l.offering_id and m.kind = 'split'
        and m.reference = l.split_id || '/' || l.holding_id
    where l.offering_id = s.offering_id and l.split_id = s.split_id order by l.holding_id;
    update registry.holding h set units = l.units_after from registry.split_line l
    where l.offering_id = s.offering_id and l.split_id = s.split_id and h.offering_id = l.offering_id and h.holding_id = l.holding_id
        and l.units_after <> l.units_before;
end $$;

-- Every split with its people, its sums and how many wallets the chain has still to change.
create view registry.split_standing as
select s.offering_id, s.split_id, s.status, s.new_units, s.for_units, s.fractions, s.cash_price_minor, s.currency, s.effective_at,
    s.authority_reference, encode(s.authority_sha256, 'hex') as authority_sha256, s.proposed_by, s.proposed_at, s.decided_by, s.decided_because,
    s.ended_because, s.authorised_before, s.authorised_after, s.executed_at, s.version, l.units_before, l.units_after, l.cash_minor,
    (select count(*) from registry.split_open p where p.offering_id = s.offering_id and p.split_id = s.split_id) as open_wallets
from registry.split s left join lateral (select sum(x.units_before)::bigint as units_before, sum(x.units_after)::bigint as units_after,
        sum(x.cash_minor)::bigint as cash_minor
    from registry.split_line x where x.offering_id = s.offering_id and x.split_id = s.split_id) l on true;
