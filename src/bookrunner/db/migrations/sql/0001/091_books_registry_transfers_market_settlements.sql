-- Delivery against payment: units and coin of a sale go in one transaction of the chain, or the leg that went alone comes back.

create table registry.settlement (
    offering_id text not null,
    settlement_id text not null,
    request_id text not null,
    status text not null,
    coin bytea not null check (octet_length(coin) = 20),
    base_units text not null constraint settlement_has_its_payment check (base_units ~ '^[1-9][0-9]{0,77}$'),
    paid_hash bytea check (octet_length(paid_hash) = 32),
    paid_ordinal integer check (paid_ordinal >= 0),
    paid_units text check (paid_units ~ '^[1-9][0-9]{0,77}$'),
    observed_id text,
    observed_hash bytea check (octet_length(observed_hash) = 32),
    returned_hash bytea check (octet_length(returned_hash) = 32),
    returned_ordinal integer check (returned_ordinal >= 0),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, settlement_id),
    constraint sale_has_one_settlement unique (offering_id, request_id),
    foreign key (offering_id, request_id) references registry.transfer_request,
    constraint settlement_names_the_legs_that_went
        check ((status in ('agreed', 'dropped')) = (num_nonnulls(paid_hash, observed_id) = 0)),
    constraint settled_sale_names_its_payment check (status <> 'settled' or paid_hash is not null and returned_hash is null),
    constraint leg_names_its_log check (num_nulls(paid_hash, paid_ordinal, paid_units) in (0, 3)
        and num_nulls(observed_id, observed_hash) in (0, 2) and num_nulls(returned_hash, returned_ordinal) in (0, 2)),
    constraint returned_coin_names_both_ways check ((returned_hash is null or paid_hash is not null)
        and (status <> 'returned' or (paid_hash is null) = (returned_hash is null)))
);
create unique index units_of_one_settlement on registry.settlement (offering_id, observed_id) where observed_id is not null;
create index settlement_with_its_coin on registry.settlement (offering_id, paid_hash) where paid_hash is not null;
call audit.keep('registry.settlement', 'settlement', 'settlement_id', 'offering_id');

-- The coin log that paid for a sale, of whichever offer: it pays for no other.
create table registry.settling_log (
    chain_id bigint not null,
    hash bytea not null check (octet_length(hash) = 32),
    ordinal integer not null check (ordinal >= 0),
    offering_id text not null,
    settlement_id text not null,
    constraint payment_settles_one_sale primary key (chain_id, hash, ordinal),
    foreign key (offering_id, settlement_id) references registry.settlement
);
call audit.append_only('registry.settling_log');

create function registry.payment_settles_one_sale() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into registry.settling_log (chain_id, hash, ordinal, offering_id, settlement_id)
    select o.chain_id, new.paid_hash, new.paid_ordinal, new.offering_id, new.settlement_id from engine.offer o
    where o.offering_id = new.offering_id;
    return null;
end $$;
create trigger payment_settles_one_sale after update on registry.settlement
    for each row when (new.status = 'settled' and old.status <> 'settled') execute function registry.payment_settles_one_sale();
alter table registry.settlement enable always trigger payment_settles_one_sale;

-- The holders themselves sign for both legs: neither moves by a key of ours.
create function registry.agree_settlement(p_offering text, p_request text, p_coin bytea) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    q registry.transfer_request;
    amount numeric;
begin
    select * into q from registry.transfer_request where offering_id = p_offering and request_id = p_request;
    if (q.kind, q.route) <> ('sale', 'holder') then
        raise exception using errcode = 'BR008', constraint = 'holders_settle_their_own_sale',
            message = 'a coin pays for a sale that the holders carry out themselves';
    end if;
    amount := engine.coin_units(p_offering, p_coin, q.currency, q.price_minor);
    if amount is null then
        raise exception using errcode = 'BR008', constraint = 'settlement_is_in_an_accepted_coin',
            message = format('the offer takes no such coin as %s', q.currency);
    end if;
    insert into registry.settlement (offering_id, settlement_id, request_id, status, coin, base_units)
    values (p_offering, 'stl_' || substr(p_request, 5), p_request, 'agreed', p_coin, amount::text);
end $$;

-- The wall: a sale against a coin is registered with its payment alone, whoever writes it; one that ends drops what it waits for.
-- An approved one ends when the chain was looked at beyond its approval: until then both legs may have moved already.
create function registry.units_move_with_their_money() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.status = 'registered' and exists (select from registry.settlement s where s.offering_id = new.offering_id
        and s.request_id = new.request_id and s.status <> 'settled') then
        raise exception using errcode = 'BR008', constraint = 'units_move_with_their_money',
            message = format('the payment of %s is not in the same transaction', new.request_id);
    end if;
    if old.status = 'approved' and new.status in ('rejected', 'withdrawn') and exists (select from registry.settlement s
        where s.offering_id = new.offering_id and s.request_id = new.request_id and s.status = 'agreed')
        and not exists (select from registry.watched_token w where w.offering_id = new.offering_id
            and w.through_time >= old.approved_until) then
        raise exception using errcode = 'BR008', constraint = 'approved_settlement_ends_by_its_time',
            message = format('both legs of %s may move until its approval ends', new.request_id);
    end if;
    if new.status in ('rejected', 'withdrawn') then
        update registry.settlement set status = 'dropped' where offering_id = new.offering_id and request_id = new.request_id
            and status = 'agreed';
    end if;
    return null;
end $$;
create trigger units_move_with_their_money after update on registry.transfer_request
    for each row when (new.status in ('registered', 'rejected', 'withdrawn') and new.status <> old.status)
    execute function registry.units_move_with_their_money();
alter table registry.transfer_request enable always trigger units_move_with_their_money;

-- Whose wallets the coin of a sale moves between: those approved, those it was asked for, or those that are linked.
create function registry.payer_of(q registry.transfer_request) returns bytea
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return coalesce(q.to_address, q.asked_to, registry.linked_address(q.offering_id, q.buyer_id));
end $$;

create function registry.payee_of(q registry.transfer_request) returns bytea
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return coalesce(q.from_address, q.asked_from, registry.linked_address(q.offering_id, q.seller_id));
end $$;

-- Whether a log of a coin counts for something already: it settled a sale of any offer, or is a leg of one of this offer.
create function registry.is_counted(p_offering text, p_hash bytea, p_ordinal integer) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from registry.settling_log g join engine.offer o using (chain_id) where o.offering_id = p_offering
        and (g.hash, g.ordinal) = (p_hash, p_ordinal))
    or exists (select from registry.settlement x where x.offering_id = p_offering
        and (p_hash, p_ordinal) in ((x.paid_hash, x.paid_ordinal), (x.returned_hash, x.returned_ordinal)));

-- Coins of a transaction that went from buyer to seller of a sale and count for nothing else, the whole price first; paid are
-- {coin, from, to, amount, ordinal} of that transaction.
create function registry.payments_of(q registry.transfer_request, p_hash bytea, p_paid jsonb)
returns table (ordinal integer, amount text, is_whole boolean)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select l.ordinal, l.amount, l.amount = s.base_units from registry.settlement s, jsonb_to_recordset(p_paid) as l (coin text,
        "from" text, "to" text, amount text, ordinal integer)
    where s.offering_id = q.offering_id and s.request_id = q.request_id and l.coin = encode(s.coin, 'hex')
        and l."from" = encode(registry.payer_of(q), 'hex') and l."to" = encode(registry.payee_of(q), 'hex')
        and l.amount ~ '^[1-9]' and not registry.is_counted(q.offering_id, p_hash, l.ordinal)
    order by l.amount = s.base_units desc, l.ordinal;
end;

-- Whether a sale may go by a transaction with these payments in it.
create function registry.is_paid(q registry.transfer_request, p_hash bytea, p_paid jsonb) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return coalesce((select s.status = 'agreed' and exists (select from registry.payments_of(q, p_hash, p_paid) p where p.is_whole)
    from registry.settlement s where s.offering_id = q.offering_id and s.request_id = q.request_id), true);

create function registry.settle(p_offering text, p_request text, p_hash bytea, p_paid jsonb) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    update registry.settlement s set status = 'settled', paid_hash = p_hash, paid_ordinal = p.ordinal, paid_units = p.amount
    from registry.transfer_request q, lateral (select * from registry.payments_of(q, p_hash, p_paid) limit 1) p
    where q.offering_id = p_offering and q.request_id = p_request and s.offering_id = q.offering_id and s.request_id = q.request_id;
end;

create view registry.settlement_fact as
select s.offering_id, s.settlement_id, s.request_id, s.status, s.coin, s.base_units, s.paid_hash, s.paid_ordinal, s.paid_units,
    s.observed_id, s.observed_hash, s.returned_hash, s.returned_ordinal, s.version, s.chain_head from registry.settlement s;
