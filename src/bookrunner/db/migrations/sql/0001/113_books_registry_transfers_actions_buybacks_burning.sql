-- Accepted units leave the chain and the register: signed for when their money is set apart, posted line by line with the burn.

-- In which wallets the units of a line are burned: first where no frozen part of the holder stands, and never that part, which a burn would thaw.
create function registry.places_to_burn(p_offering text, p_holding text, p_units bigint) returns table (address bytea, units bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select w.address, least(w.units, p_units - (w.up_to - w.units))::bigint from (
        select p.address, u.units, sum(u.units) over (order by p.address is not distinct from a.address, p.address) as up_to
        from registry.places_of(p_offering, p_holding, 'infinity') p
        cross join (select registry.account_address(h.offering_id, h.investor_id) as address, registry.frozen_units(h.offering_id, h.investor_id) as frozen
            from registry.holding h where h.offering_id = p_offering and h.holding_id = p_holding) a
        cross join lateral (select p.units - case when p.address is not distinct from a.address then a.frozen else 0 end as units) u
        where u.units > 0) w
    where w.up_to - w.units < p_units;
end;

-- Why lines of an accepted buy-back are not cancelled now, the first reason of each; none when the units and the money are there. What the
-- register says comes first, then what is known of the payee.
create function registry.line_hindrances(p_offering text, p_buyback text) returns table (holding_id text, rule text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select distinct on (x.holding_id) x.holding_id, x.rule from (
        select o.holding_id, r.place, r.rule from registry.redemption_open o join registry.holding h using (offering_id, holding_id)
        join registry.buyback b using (offering_id, buyback_id)
        cross join lateral (values
            (1, 'redemption_is_paid_from_set_apart_money', not engine.redemption_is_funded(p_offering, p_buyback)),
            (2, 'security_is_not_paused', registry.is_paused(p_offering)),
            (3, 'seller_account_is_not_frozen', registry.is_account_frozen(p_offering, o.investor_id)),
            (4, 'holding_is_not_held', h.status <> 'registered'),
            (4, 'estate_gives_by_inheritance', b.kind = 'tender' and registry.is_estate(p_offering, o.investor_id)),
            (5, 'accepted_units_are_there', h.units - registry.frozen_units(p_offering, o.investor_id) - registry.moving_units(p_offering, o.investor_id)
                - registry.pledged(p_offering, o.investor_id, null, null) < o.units or exists (select from registry.control_action a
                where a.offering_id = p_offering and a.investor_id = o.investor_id and a.kind = 'recover_wallet'
                    and a.status in ('approved', 'submitted', 'reverted')))) r (place, rule, is_broken)
        where o.offering_id = p_offering and o.buyback_id = p_buyback and r.is_broken
        union all
        select o.holding_id, 6, e.because from registry.redemption_open o
        join engine.redemption_hindrances(p_offering, p_buyback) e on e.investor_id = o.investor_id
        where o.offering_id = p_offering and o.buyback_id = p_buyback) x order by x.holding_id, x.place;
end;

-- Lines that can be cancelled now, each wallet of theirs; without an address what is a book entry alone.
create function registry.burn_plan(p_offering text, p_buyback text) returns table (holding_id text, address bytea, units bigint)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    with hindered as materialized (select h.holding_id from registry.line_hindrances(p_offering, p_buyback) h)
    select o.holding_id, p.address, coalesce(p.units, o.units)
    from registry.redemption_open o left join lateral registry.places_to_burn(o.offering_id, o.holding_id, o.units) p on true
    where o.offering_id = p_offering and o.buyback_id = p_buyback and not o.is_waiting and o.holding_id not in (select h.holding_id from hindered h);
end;

-- The transaction that record_transaction stores takes lines whole, with every wallet of theirs; one that is on its way, or that something
-- hinders, goes with none.
create function registry.instruct_redemption(p_offering text, p_intent text, p_lines jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    b registry.buyback;
begin
    b := registry.hold_buyback(p_offering, p_lines -> 0 ->> 'buyback');
    perform 1 from registry.holding h join jsonb_to_recordset(p_lines) as l (holding text) on l.holding = h.holding_id
    where h.offering_id = p_offering order by h.holding_id for update of h;
    if exists (with asked as (select l.buyback, l.holding, l.address, l.units from jsonb_to_recordset(p_lines)
                as l (buyback text, holding text, address text, units bigint)),
            planned as (select b.buyback_id, x.holding_id, encode(x.address, 'hex'), -x.units from registry.burn_plan(p_offering, b.buyback_id) x
                where x.holding_id in (select a.holding from asked a))
            (table asked except all table planned) union all (table planned except all table asked)) then
        raise exception using errcode = 'BR008', constraint = 'line_is_burned_whole_and_once',
            message = format('a line of %s is cancelled, on its way, hindered, or not whole', p_intent);
    end if;
    insert into registry.redemption_call (offering_id, buyback_id, holding_id, address, units, intent_id)
    select p_offering, b.buyback_id, l.holding, decode(l.address, 'hex'), -l.units, p_intent
    from jsonb_to_recordset(p_lines) as l (holding text, address text, units bigint);
end $$;

-- A burn is signed for a line that is open, while its price is set apart.
create function registry.burn_follows_its_money() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not engine.redemption_is_funded(new.offering_id, new.buyback_id) or not exists (select from registry.redemption_open o
            where o.offering_id = new.offering_id and o.buyback_id = new.buyback_id and o.holding_id = new.holding_id) then
        raise exception using errcode = 'BR008', constraint = 'burn_follows_its_money', message = format('the price of %s is not set apart', new.holding_id);
    end if;
    return new;
end $$;
create trigger burn_follows_its_money before insert on registry.redemption_call for each row execute function registry.burn_follows_its_money();
alter table registry.redemption_call enable always trigger burn_follows_its_money;

-- A cancellation is of a line whose movements took all of its units; those of a wallet are told by a final transaction signed for them.
create function registry.cancellation_stands() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.redemption_line l join registry.buyback b using (offering_id, buyback_id)
        where l.offering_id = new.offering_id and l.buyback_id = new.buyback_id and l.holding_id = new.holding_id and b.status = 'accepted'
            and not registry.is_line_released(l.offering_id, l.buyback_id, l.holding_id)
            and new.units = l.units and l.units = (select sum(m.units) from registry.movement m where m.offering_id = l.offering_id
                and m.kind = 'redemption' and m.from_holding_id = l.holding_id and starts_with(m.reference, l.buyback_id || '/'))) then
        raise exception using errcode = 'BR008', constraint = 'cancellation_is_of_its_line', message = format('the units of %s were not taken', new.holding_id);
    end if;
    return new;
end $$;
create trigger cancellation_stands before insert on registry.cancellation for each row execute function registry.cancellation_stands();
alter table registry.cancellation enable always trigger cancellation_stands;

-- What a redemption takes: of a wallet what its burn shows, of book entries what no wallet has; of a line whose money is set apart, or was when its
-- burn was signed: what the chain has burned is posted.
create function registry.redemption_takes_its_line() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.redemption_open o where o.offering_id = new.offering_id and o.holding_id = new.from_holding_id
            and o.buyback_id = split_part(new.reference, '/', 1) and new.units <= o.units)
        or not engine.redemption_is_funded(new.offering_id, split_part(new.reference, '/', 1)) and not exists (
            select from registry.redemption_call c join registry.chain_transaction t using (offering_id, intent_id) where c.offering_id = new.offering_id
                and c.buyback_id = split_part(new.reference, '/', 1) and c.holding_id = new.from_holding_id and t.status = 'final')
        or new.from_address is not null and not exists (select from registry.redemption_call c join registry.chain_transaction t using (offering_id, intent_id)
            where c.offering_id = new.offering_id and c.buyback_id = split_part(new.reference, '/', 1) and c.holding_id = new.from_holding_id
                and c.address = new.from_address and c.units = new.units and t.chain_id = new.chain_id and t.hash = new.transaction_hash and t.status = 'final')
        or new.from_address is null and new.units > (select h.units from registry.holding h where h.offering_id = new.offering_id
            and h.holding_id = new.from_holding_id) - (select coalesce(sum(p.units), 0) from registry.places_of(new.offering_id, new.from_holding_id, 'infinity') p) then
        raise exception using errcode = 'BR008', constraint = 'redemption_takes_its_line',
            message = format('%s takes what no accepted and funded line says', new.movement_id);
    end if;
    return new;
end $$;
create trigger redemption_takes_its_line before insert on registry.movement
    for each row when (new.kind = 'redemption') execute function registry.redemption_takes_its_line();
alter table registry.movement enable always trigger redemption_takes_its_line;

-- One movement of a line: its lots end, the oldest first and, where periods bind, those past theirs before the others; none that a rescission was promised.
create function registry.take_redeemed(l registry.redemption_line, p_place integer, p_address bytea, p_units bigint, p_seen jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    movement constant text := 'mov_' || substr(l.buyback_id, 5) || '.' || substr(l.holding_id, 5) || '.' || p_place;
    periods_bind constant boolean := (select b.periods_bind from registry.buyback b where b.offering_id = l.offering_id and b.buyback_id = l.buyback_id);
begin
    insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, from_address, units, reference, is_tacked,
        chain_id, transaction_hash, ordinal)
    values (l.offering_id, movement, 'redemption', l.holding_id, l.holding_id, p_address, p_units,
        concat_ws('/', l.buyback_id, l.holding_id, encode(p_address, 'hex')), true,
        (p_seen ->> 'chain_id')::bigint, decode(p_seen ->> 'hash', 'hex'), (p_seen ->> 'ordinal')::integer);
    insert into registry.lot_use (offering_id, movement_id, lot_id, units, is_restricted)
    select l.offering_id, movement, f.lot_id, least(f.left_units, p_units - (f.up_to - f.left_units)), false
    from (select s.lot_id, s.left_units, sum(s.left_units) over (order by periods_bind and s.free_on > registry.today(), s.acquired_on, s.lot_id)::bigint as up_to
        from registry.lot_standing s join registry.lot x using (offering_id, lot_id) where s.offering_id = l.offering_id and s.holding_id = l.holding_id
            and s.left_units > 0 and not registry.is_promised_back(x.offering_id, x.movement_id)) f
    where f.up_to - f.left_units < p_units order by f.up_to;
    insert into registry.posting (offering_id, posting_id, holding_id, movement_id, units)
    values (l.offering_id, 'pst_' || substr(movement, 5), l.holding_id, movement, -p_units);
end $$;

-- With its last line a buy-back is executed.
create function registry.end_buyback(p_offering text, p_buyback text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.redemption_open o where o.offering_id = p_offering and o.buyback_id = p_buyback) then
        update registry.buyback set status = 'executed', executed_at = clock_timestamp() where offering_id = p_offering and buyback_id = p_buyback;
    end if;
end $$;

-- Cancels one line: what its burns show, and the rest of it from the book entries. With the last line the buy-back is executed.
create function registry.cancel_line(l registry.redemption_line, p_burns jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    burned bigint := (select coalesce(sum((x ->> 'units')::bigint), 0) from jsonb_array_elements(p_burns) x);
begin
    perform 1 from registry.holding h where h.offering_id = l.offering_id and h.holding_id = l.holding_id for update;
    if burned < l.units then
        perform registry.take_redeemed(l, 0, null, l.units - burned, null);
    end if;
    perform registry.take_redeemed(l, x.place::integer, decode(x.value ->> 'address', 'hex'), (x.value ->> 'units')::bigint, x.value)
    from jsonb_array_elements(p_burns) with ordinality x (value, place);
    update registry.holding set units = units - l.units where offering_id = l.offering_id and holding_id = l.holding_id;
    insert into registry.cancellation (offering_id, buyback_id, holding_id, units) values (l.offering_id, l.buyback_id, l.holding_id, l.units);
    update registry.control_book set issued_units = (select coalesce(sum(p.units), 0) from registry.posting p where p.offering_id = l.offering_id)
    where offering_id = l.offering_id;
    perform registry.end_buyback(l.offering_id, l.buyback_id);
end $$;

-- Burned units of a final transaction: every line of it is cancelled in this transaction.
create function registry.post_redemption(t registry.chain_transaction, p_delivered jsonb) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    l registry.redemption_line;
begin
    perform registry.hold_buyback(t.offering_id, t.lines -> 0 ->> 'buyback');
    for l in select r.* from registry.redemption_line r where r.offering_id = t.offering_id and (r.buyback_id, r.holding_id) in (
        select x.buyback, x.holding from jsonb_to_recordset(t.lines) as x (buyback text, holding text)) order by r.holding_id
    loop
        perform registry.cancel_line(l, (select jsonb_agg(jsonb_build_object('address', c.address, 'units', -c.units, 'chain_id', t.chain_id,
                'hash', encode(t.hash, 'hex'), 'ordinal', d.ordinal) order by c.address)
            from jsonb_to_recordset(t.lines) as c (holding text, address text, units bigint)
            join jsonb_to_recordset(p_delivered) as d (address text, units bigint, ordinal integer) using (address)
            where c.holding = l.holding_id));
    end loop;
    return jsonb_array_length(t.lines);
end $$;

-- Cancels a line whose units are book entries alone; nothing of it is on chain. True when it was cancelled now.
create function registry.cancel_entries(p_actor text, p_request text, p_offering text, p_buyback text, p_holding text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    l registry.redemption_line;
begin
    perform audit.enter(p_actor, p_request);
    perform registry.hold_buyback(p_offering, p_buyback);
    perform 1 from registry.burn_plan(p_offering, p_buyback) b where b.holding_id = p_holding and b.address is null;
    if not found then
        return false;
    end if;
    select * into l from registry.redemption_line x where x.offering_id = p_offering and x.buyback_id = p_buyback and x.holding_id = p_holding;
    perform registry.cancel_line(l, '[]');
    return true;
end $$;

-- Every buy-back with its people, what was offered, accepted and cancelled.
create view registry.buyback_standing as
select b.offering_id, b.buyback_id, b.status, b.kind, b.price_minor, b.currency, b.most_units, b.most_minor, b.periods_bind, b.opens_at, b.closes_at,
    b.authority_reference, encode(b.authority_sha256, 'hex') as authority_sha256, b.proposed_by, b.proposed_at, b.decided_by, b.decided_because,
    b.accepted_by, b.accepted_at, b.ended_by, b.ended_because, b.executed_at, b.version, t.tenders, t.tendered_units, l.accepted_units, l.amount_minor,
    (select count(*) from registry.redemption_open o where o.offering_id = b.offering_id and o.buyback_id = b.buyback_id) as open_lines
from registry.buyback b
left join lateral (select count(*) as tenders, coalesce(sum(x.units), 0)::bigint as tendered_units from registry.tender x
    where x.offering_id = b.offering_id and x.buyback_id = b.buyback_id and x.status <> 'withdrawn') t on true
left join lateral (select coalesce(sum(x.units), 0)::bigint as accepted_units, coalesce(sum(x.amount_minor), 0)::bigint as amount_minor
    from registry.redemption_line x where x.offering_id = b.offering_id and x.buyback_id = b.buyback_id) l on true;
