-- Movements of registered units between holders and between addresses, and the lots that they use.

-- One movement, by the reference of what ordered it; a recovery, and a transfer of its own, moves units between addresses of
-- one holder: lots and postings stay as they are. A split ends the lots of a holder and makes new ones, with what it adds or
-- takes as its units; a redemption ends lots and makes none; a conversion ends them in one class and makes new ones in another; a reinvestment
-- makes a lot of units that come from nobody.
create table registry.movement (
    offering_id text not null,
    movement_id text not null,
    kind text not null constraint movement_kind_is_known
        check (kind in ('transfer', 'own', 'forced', 'recovery', 'import', 'split', 'redemption', 'conversion', 'reinvestment')),
    from_holding_id text,
    to_holding_id text not null,
    from_address bytea check (octet_length(from_address) = 20),
    to_address bytea check (octet_length(to_address) = 20),
    units bigint not null constraint movement_has_units check (units > 0),
    reference text not null constraint movement_names_what_ordered_it check (reference ~ '\S'),
    is_tacked boolean not null,
    chain_id bigint,
    transaction_hash bytea check (octet_length(transaction_hash) = 32),
    ordinal integer check (ordinal >= 0),
    moved_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, movement_id),
    foreign key (offering_id, from_holding_id) references registry.holding,
    foreign key (offering_id, to_holding_id) references registry.holding,
    constraint order_moves_once unique (offering_id, kind, reference),
    constraint log_moves_once unique (offering_id, chain_id, transaction_hash, ordinal),
    constraint movement_names_its_log_or_none check (num_nulls(chain_id, transaction_hash, ordinal) in (0, 3)),
    constraint movement_changes_something check (case when kind = 'import' then from_holding_id is null
        when kind = 'reinvestment' then num_nonnulls(from_holding_id, from_address) = 0 and num_nulls(to_address, chain_id) = 0
        when kind in ('own', 'recovery') then coalesce(from_holding_id = to_holding_id and from_address <> to_address, false)
        when kind in ('split', 'conversion') then coalesce(from_holding_id = to_holding_id, false) and num_nonnulls(from_address, to_address, chain_id) = 0
        when kind = 'redemption' then coalesce(from_holding_id = to_holding_id, false) and to_address is null and num_nulls(from_address, chain_id) <> 1
        else coalesce(from_holding_id <> to_holding_id, false) end)
);
create index movement_of_giver on registry.movement (offering_id, from_holding_id, moved_at);
create index movement_of_taker on registry.movement (offering_id, to_holding_id, moved_at);
call audit.append_only('registry.movement');

-- What a movement took of a lot; what is left of it is its units less these. Restricted: the lot was still in a period that
-- bound the taker.
create table registry.lot_use (
    offering_id text not null,
    movement_id text not null,
    lot_id text not null,
    units bigint not null constraint lot_use_has_units check (units > 0),
    is_restricted boolean not null,
    primary key (offering_id, movement_id, lot_id),
    foreign key (offering_id, movement_id) references registry.movement,
    foreign key (offering_id, lot_id) references registry.lot
);
create index use_of_lot on registry.lot_use (offering_id, lot_id);
call audit.append_only('registry.lot_use');

create function registry.left_of(p_offering text, p_lot text) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
return (select l.units - coalesce((select sum(u.units) from registry.lot_use u where u.offering_id = l.offering_id
    and u.lot_id = l.lot_id), 0)::bigint from registry.lot l where l.offering_id = p_offering and l.lot_id = p_lot);

create function registry.lot_covers_its_uses() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from registry.holding h join registry.lot l using (offering_id, holding_id)
    where l.offering_id = new.offering_id and l.lot_id = new.lot_id for update of h;
    if not exists (select from registry.movement m join registry.lot l on l.offering_id = m.offering_id
        and l.holding_id = m.from_holding_id where m.offering_id = new.offering_id and m.movement_id = new.movement_id
        and l.lot_id = new.lot_id) then
        raise exception using errcode = 'BR008', constraint = 'lot_used_is_the_givers',
            message = format('%s is no lot of the giver of %s', new.lot_id, new.movement_id);
    end if;
    if registry.left_of(new.offering_id, new.lot_id) < new.units then
        raise exception using errcode = 'BR008', constraint = 'lot_covers_its_uses',
            message = format('%s has fewer units left', new.lot_id);
    end if;
    return new;
end $$;
create trigger lot_covers_its_uses before insert on registry.lot_use
    for each row execute function registry.lot_covers_its_uses();
alter table registry.lot_use enable always trigger lot_covers_its_uses;

-- At commit a movement has used, given on and posted its units to the last one; one that comes from outside gives on alone, and a
-- split has used all that its holder had and made what the line of the split says.
create function registry.movement_keeps_its_units() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    used bigint := (select coalesce(sum(u.units), 0) from registry.lot_use u
        where u.offering_id = new.offering_id and u.movement_id = new.movement_id);
    made bigint := (select coalesce(sum(l.units), 0) from registry.lot l
        where l.offering_id = new.offering_id and l.movement_id = new.movement_id);
    posted bigint := (select coalesce(sum(p.units), 0) from registry.posting p
        where p.offering_id = new.offering_id and p.movement_id = new.movement_id);
    given bigint := (select coalesce(sum(p.units), 0) from registry.posting p
        where p.offering_id = new.offering_id and p.movement_id = new.movement_id and p.units > 0);
begin
    if (used, made, posted, given) is distinct from (case when new.kind in ('import', 'reinvestment') then (0::bigint, new.units, new.units, new.units)
        when new.kind in ('own', 'recovery') then (0::bigint, 0::bigint, 0::bigint, 0::bigint)
        when new.kind = 'redemption' then (new.units, 0::bigint, -new.units, 0::bigint)
        when new.kind = 'split' then (select (l.units_before, l.units_after, l.units_after - l.units_before, greatest(l.units_after - l.units_before, 0))
            from registry.split_line l join registry.split s using (offering_id, split_id) where l.offering_id = new.offering_id
                and l.holding_id = new.to_holding_id and l.split_id || '/' || l.holding_id = new.reference and s.status = 'executed'
                and abs(l.units_after - l.units_before) = new.units)
        when new.kind = 'conversion' then (select (c.used, c.made, c.posted, c.given) from registry.converted_by(new) c)
        else (new.units, new.units, 0::bigint, new.units) end) then
        raise exception using errcode = 'BR008', constraint = 'movement_keeps_its_units',
            message = format('%s moves %s units and its lots or postings say otherwise', new.movement_id, new.units);
    end if;
    return null;
end $$;
create constraint trigger movement_keeps_its_units after insert on registry.movement
    deferrable initially deferred for each row execute function registry.movement_keeps_its_units();
alter table registry.movement enable always trigger movement_keeps_its_units;

-- The holding of an investor, locked; a new one is registered as the profile says (17 CFR 240.17Ad-9(a)).
create function registry.holding_for(p_offering text, p_investor text, p_holding text) returns text
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    known text;
    party engine.party := engine.party_of(p_offering, p_investor);
begin
    select h.holding_id into known from registry.holding h where h.offering_id = p_offering and h.investor_id = p_investor for update;
    if found then
        return known;
    end if;
    if party.profile_fact is null then
        raise exception using errcode = 'BR008', constraint = 'receiver_has_a_registration',
            message = format('%s has no profile to register', p_investor);
    end if;
    insert into registry.holding (offering_id, holding_id, investor_id, status, units, registration_fact, registration_digest)
    values (p_offering, p_holding, p_investor, 'registered', 0, party.profile_fact, party.profile_digest);
    return p_holding;
end $$;

-- Uses the lots of a giver, first in first out; where a day is given, those that are free by it before the others. A rescission uses
-- the lots of the transfer that it takes back and no others, and from its approval on nothing else uses them. The period is a wall
-- before the signature: what the chain has moved is posted, and restricted lots that went are a break.
create function registry.use_lots(p_offering text, p_movement text, p_units bigint, p_free_by date, p_rescinded text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into registry.lot_use (offering_id, movement_id, lot_id, units, is_restricted)
    select p_offering, p_movement, f.lot_id, least(f.left_units, p_units - (f.up_to - f.left_units)), f.is_restricted
    from (select l.*, sum(l.left_units) over (order by l.is_restricted, l.acquired_on, l.lot_id)::bigint as up_to
        from (select s.lot_id, s.left_units, s.acquired_on, coalesce(s.free_on > p_free_by, false) as is_restricted
            from registry.lot_standing s join registry.movement m on m.offering_id = s.offering_id and m.from_holding_id = s.holding_id
            join registry.lot x on x.offering_id = s.offering_id and x.lot_id = s.lot_id
            where m.offering_id = p_offering and m.movement_id = p_movement and s.left_units > 0
                and case when p_rescinded is null then not registry.is_promised_back(p_offering, x.movement_id)
                    else x.movement_id = p_rescinded end) l) f
    where f.up_to - f.left_units < p_units order by f.up_to;
    if (select coalesce(sum(u.units), 0) from registry.lot_use u where u.offering_id = p_offering and u.movement_id = p_movement)
        <> p_units then
        raise exception using errcode = 'BR008', constraint = 'lots_cover_the_units',
            message = format('the lots that %s may use do not hold %s units', p_movement, p_units);
    end if;
    -- What is taken back is what it was: its legend, the day it was acquired on, the beginning of its period.
    insert into registry.lot (offering_id, lot_id, holding_id, movement_id, from_lot_id, units, legend, acquired_on, period_from)
    select p_offering, 'lot_' || substr(p_movement, 5) || '.' || row_number() over (order by s.acquired_on, s.lot_id),
        m.to_holding_id, p_movement, u.lot_id, u.units, case when g.lot_id is null then s.legend else g.legend end,
        coalesce(g.acquired_on, registry.today()),
        coalesce(g.period_from, case when m.is_tacked then s.period_from else registry.today() end)
    from registry.lot_use u join registry.movement m using (offering_id, movement_id)
    join registry.lot_standing s using (offering_id, lot_id)
    left join registry.lot x on p_rescinded is not null and x.offering_id = u.offering_id and x.lot_id = u.lot_id
        and x.movement_id = p_rescinded
    left join registry.lot_standing g on g.offering_id = x.offering_id and g.lot_id = x.from_lot_id
    where u.offering_id = p_offering and u.movement_id = p_movement;
end $$;

-- Posts one movement. Moved has kind, from_investor, to_investor, from_address and to_address (hex), units, reference,
-- is_tacked and, where lots past their period go first, free_by, and of a rescission the movement that it takes back; seen is
-- {chain_id, hash, ordinal}, or null without a chain.
create function registry.post_movement(p_offering text, p_movement text, p_moved jsonb, p_seen jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    wanted bigint := (p_moved ->> 'units')::bigint;
    giver text;
    taker text;
begin
    perform 1 from registry.holding h where h.offering_id = p_offering
        and h.investor_id in (p_moved ->> 'from_investor', p_moved ->> 'to_investor') order by h.holding_id for update;
    select h.holding_id into giver from registry.holding h
    where h.offering_id = p_offering and h.investor_id = p_moved ->> 'from_investor';
    taker := registry.holding_for(p_offering, p_moved ->> 'to_investor', 'hld_' || substr(p_movement, 5));
    insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, from_address, to_address, units,
        reference, is_tacked, chain_id, transaction_hash, ordinal)
    values (p_offering, p_movement, p_moved ->> 'kind', giver, taker, decode(p_moved ->> 'from_address', 'hex'),
        decode(p_moved ->> 'to_address', 'hex'), wanted, p_moved ->> 'reference', coalesce((p_moved ->> 'is_tacked')::boolean, true),
        (p_seen ->> 'chain_id')::bigint, decode(p_seen ->> 'hash', 'hex'), (p_seen ->> 'ordinal')::integer);
    if p_moved ->> 'kind' in ('own', 'recovery') then
        return;
    end if;
    perform registry.use_lots(p_offering, p_movement, wanted, (p_moved ->> 'free_by')::date, p_moved ->> 'rescinded');
    insert into registry.posting (offering_id, posting_id, holding_id, movement_id, units)
    values (p_offering, 'pst_' || substr(p_movement, 5) || '.1', giver, p_movement, -wanted),
        (p_offering, 'pst_' || substr(p_movement, 5) || '.2', taker, p_movement, wanted);
    update registry.holding h set units = h.units + case h.holding_id when giver then -wanted else wanted end
    where h.offering_id = p_offering and h.holding_id in (giver, taker);
end $$;

-- Units by address: what was delivered there and what moved in and out since. Those without an address are book entries.
create view registry.address_units as
select t.offering_id, t.address, sum(t.units)::bigint as units from (
    select i.offering_id, i.address, i.units from registry.issuance_instruction i where i.status = 'posted'
    union all select m.offering_id, m.from_address, -m.units from registry.movement m
    union all select m.offering_id, m.to_address, m.units from registry.movement m
    union all select p.offering_id, p.address, p.units_after - p.units_before from registry.split_place p
        join registry.split s using (offering_id, split_id) where s.status = 'executed' and p.holding_id is not null
    union all select v.offering_id, v.address, v.units_after - v.units_before from registry.conversion_change v where v.status = 'executed') t
where t.address is not null group by t.offering_id, t.address having sum(t.units) <> 0;

-- Where the units of a holding stand, or stood before a moment, by address; units without one are book entries.
create function registry.places_of(p_offering text, p_holding text, p_before timestamptz) returns table (address bytea, units bigint)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select t.address, sum(t.units)::bigint from (
        select i.address, i.units from registry.lot l join registry.issuance_instruction i using (offering_id, instruction_id)
        join registry.posting p using (offering_id, instruction_id)
        where l.offering_id = p_offering and l.holding_id = p_holding and p.posted_at < p_before
        union all select m.from_address, -m.units from registry.movement m
        where m.offering_id = p_offering and m.from_holding_id = p_holding and m.moved_at < p_before
        union all select m.to_address, m.units from registry.movement m
        where m.offering_id = p_offering and m.to_holding_id = p_holding and m.moved_at < p_before
        union all select s.address, s.units_after - s.units_before from registry.split_place s join registry.split x using (offering_id, split_id)
        where s.offering_id = p_offering and s.holding_id = p_holding and x.executed_at < p_before
        union all select v.address, v.units_after - v.units_before from registry.conversion_change v
        where v.offering_id = p_offering and v.holding_id = p_holding and v.executed_at < p_before) t
    where t.address is not null group by t.address having sum(t.units) <> 0 order by t.address;
end;

-- How many units of a holder stand in one wallet.
create function registry.units_in(p_offering text, p_investor text, p_address bytea) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
return (select coalesce(sum(p.units), 0)::bigint from registry.holding h, lateral registry.places_of(h.offering_id, h.holding_id,
    'infinity') p where h.offering_id = p_offering and h.investor_id = p_investor and p.address = p_address);

-- Units that went although a period bound their taker.
create view registry.restricted_use_fact as
select u.offering_id, u.movement_id, m.reference, sum(u.units)::bigint as restricted_units, m.units, m.moved_at
from registry.lot_use u join registry.movement m using (offering_id, movement_id)
where u.is_restricted group by u.offering_id, u.movement_id, m.reference, m.units, m.moved_at;

create view registry.movement_fact as
select m.offering_id, m.movement_id, m.kind, g.investor_id as giver_id, t.investor_id as taker_id, m.units, m.reference,
    m.chain_id, m.transaction_hash, m.ordinal, m.moved_at
from registry.movement m left join registry.holding g on g.offering_id = m.offering_id and g.holding_id = m.from_holding_id
join registry.holding t on t.offering_id = m.offering_id and t.holding_id = m.to_holding_id;
