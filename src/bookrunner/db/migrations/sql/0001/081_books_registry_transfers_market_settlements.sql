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
    alone text constraint leg_is_known check (alone in ('units', 'money')),
    alone_hash bytea check (octet_length(alone_hash) = 32),
    alone_ordinal integer check (alone_ordinal >= 0),
    observed_id text,
    returned_hash bytea check (octet_length(returned_hash) = 32),
    returned_ordinal integer check (returned_ordinal >= 0),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, settlement_id),
    constraint sale_has_one_settlement unique (offering_id, request_id),
    foreign key (offering_id, request_id) references registry.transfer_request,
    constraint payment_settles_one_sale unique (offering_id, paid_hash, paid_ordinal),
    constraint settled_sale_names_its_payment check ((status = 'settled') = (paid_hash is not null and paid_ordinal is not null)),
    constraint parted_sale_names_the_leg_that_went
        check ((status in ('parted', 'returned')) = (num_nulls(alone, alone_hash, alone_ordinal) = 0)),
    constraint returned_leg_names_both_ways check (case when status <> 'returned' then returned_hash is null
        when alone = 'money' then num_nulls(returned_hash, returned_ordinal) = 0 else observed_id is not null end)
);
create unique index leg_that_went_alone on registry.settlement (offering_id, alone_hash, alone_ordinal) where alone_hash is not null;
call audit.keep('registry.settlement', 'settlement', 'settlement_id', 'offering_id');

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
create function registry.units_move_with_their_money() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.status = 'registered' and exists (select from registry.settlement s where s.offering_id = new.offering_id
        and s.request_id = new.request_id and s.status <> 'settled') then
        raise exception using errcode = 'BR008', constraint = 'units_move_with_their_money',
            message = format('the payment of %s is not in the same transaction', new.request_id);
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

-- The log of a transaction that pays for a sale, and for no other; paid are {coin, from, to, amount, ordinal} of that transaction.
create function registry.payment_of(q registry.transfer_request, p_hash bytea, p_paid jsonb) returns integer
language sql stable set search_path = pg_catalog, pg_temp
return (select min(l.ordinal) from registry.settlement s, jsonb_to_recordset(p_paid) as l (coin text, "from" text, "to" text,
        amount text, ordinal integer)
    where s.offering_id = q.offering_id and s.request_id = q.request_id and s.status = 'agreed' and l.coin = encode(s.coin, 'hex')
    and l."from" = encode(q.to_address, 'hex') and l."to" = encode(q.from_address, 'hex') and l.amount = s.base_units
    and not exists (select from registry.settlement x where x.offering_id = q.offering_id and x.paid_hash = p_hash
        and x.paid_ordinal = l.ordinal));

-- Whether a sale may go by a transaction with these payments in it.
create function registry.is_paid(q registry.transfer_request, p_hash bytea, p_paid jsonb) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return not exists (select from registry.settlement s where s.offering_id = q.offering_id and s.request_id = q.request_id)
    or registry.payment_of(q, p_hash, p_paid) is not null;

create function registry.settle(p_offering text, p_request text, p_hash bytea, p_paid jsonb) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    update registry.settlement s set status = 'settled', paid_hash = p_hash, paid_ordinal = registry.payment_of(q, p_hash, p_paid)
    from registry.transfer_request q where q.offering_id = p_offering and q.request_id = p_request
        and s.offering_id = q.offering_id and s.request_id = q.request_id;
end;

-- A coin that went between the wallets of a sale without its units, or came back. Log has hash and ordinal, from, to and amount.
create function registry.note_payment(p_actor text, p_request text, p_offering text, p_transfer text, p_log jsonb) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    q registry.transfer_request;
    s registry.settlement;
    payer bytea;
    payee bytea;
    log record;
begin
    perform audit.enter(p_actor, p_request);
    q := registry.hold_transfer(p_offering, p_transfer);
    select * into s from registry.settlement where offering_id = p_offering and request_id = p_transfer for update;
    select decode(l.hash, 'hex') as hash, l.ordinal, decode(l."from", 'hex') as giver, decode(l."to", 'hex') as taker, l.amount
    into log from jsonb_to_record(p_log) as l (hash text, ordinal integer, "from" text, "to" text, amount text);
    payer := coalesce(q.to_address, q.asked_to, registry.linked_address(p_offering, q.buyer_id));
    payee := coalesce(q.from_address, q.asked_from, registry.linked_address(p_offering, q.seller_id));
    if log.amount <> s.base_units or exists (select from registry.settlement x where x.offering_id = p_offering
        and (log.hash, log.ordinal) in ((x.paid_hash, x.paid_ordinal), (x.alone_hash, x.alone_ordinal),
            (x.returned_hash, x.returned_ordinal))) then
        return null;
    end if;
    if s.status = 'agreed' and (log.giver, log.taker) = (payer, payee) then
        update registry.settlement set status = 'parted', alone = 'money', alone_hash = log.hash, alone_ordinal = log.ordinal
        where offering_id = p_offering and request_id = p_transfer;
        return 'parted';
    elsif s.status = 'parted' and s.alone = 'money' and (log.giver, log.taker) = (payee, payer) then
        update registry.settlement set status = 'returned', returned_hash = log.hash, returned_ordinal = log.ordinal
        where offering_id = p_offering and request_id = p_transfer;
        return 'returned';
    end if;
    return null;
end $$;

create view registry.settlement_fact as
select s.offering_id, s.settlement_id, s.request_id, s.status, s.coin, s.base_units, s.paid_hash, s.paid_ordinal, s.alone, s.alone_hash, s.alone_ordinal,
    s.observed_id, s.returned_hash, s.returned_ordinal, s.version, s.chain_head from registry.settlement s;
