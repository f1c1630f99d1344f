-- Tokens on their way back: whoever holds the keys of the deposit addresses sends them, and the chain says that they went.

-- The transfer that a refund of tokens went back by, final on its chain.
create table treasury.coin_return (
    offering_id text not null,
    refund_id text not null,
    chain_id bigint not null,
    transaction_hash bytea not null check (octet_length(transaction_hash) = 32),
    ordinal integer not null check (ordinal >= 0),
    block_number bigint not null,
    block_hash bytea not null check (octet_length(block_hash) = 32),
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, refund_id),
    foreign key (offering_id, refund_id) references treasury.refund,
    constraint transfer_settles_one_refund unique (offering_id, chain_id, transaction_hash, ordinal)
);

call audit.append_only('treasury.coin_return');

-- What a refund of tokens is, to the base unit: from the address where they were received, to the wallet that sent them.
create view treasury.coin_refund as
select f.offering_id, f.refund_id, f.status, f.amount_minor, f.currency, t.chain_id, t.token, t.address, t.sender as wallet,
    (f.amount_minor * 10::numeric ^ (c.decimals - c.minor_decimals))::numeric(78, 0) as base_units, f.returned_in
from treasury.refund f
join treasury.receipt r on r.offering_id = f.offering_id and r.receipt_id = f.receipt_id and r.rail = 'stablecoin'
join treasury.coin_transfer t on t.offering_id = r.offering_id and t.receipt_id = coalesce(r.root_id, r.receipt_id)
join treasury.accepted_coin c on c.offering_id = t.offering_id and c.coin_id = t.coin_id;

-- Whether a refund may be sent now; one to a party with a match stays where it is (31 CFR 501.603). The page of the administrator
-- asks, so it runs with the rights of its owner.
create function treasury.may_be_sent_back(p_offering text, p_refund text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return (select f.status = 'created' and engine.may_go_back(f.offering_id, f.receipt_id) from treasury.refund f
        where f.offering_id = p_offering and f.refund_id = p_refund);
end $$;

-- Settles a refund of tokens by the transfer {hash, ordinal, number, block, token, sender, receiver, units} that a final block
-- holds. The same transfer again changes nothing and answers false. What went to somebody whom a list may name has gone all the
-- same, and is an alarm.
create function treasury.settle_coin_refund(p_actor text, p_request text, p_offering text, p_refund text, p_transfer jsonb)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    f treasury.refund;
    r treasury.receipt;
    due treasury.coin_refund;
    told text;
    gone record;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    perform treasury.lock(p_offering, (select x.investment_id from treasury.refund y join treasury.receipt x
        using (offering_id, receipt_id) where y.offering_id = p_offering and y.refund_id = p_refund));
    select * into f from treasury.refund where offering_id = p_offering and refund_id = p_refund for update;
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = f.receipt_id for update;
    select * into due from treasury.coin_refund c where c.offering_id = p_offering and c.refund_id = p_refund;
    select * into gone from jsonb_to_record(p_transfer) as x (hash text, ordinal integer, number bigint, block text, token text,
        sender text, receiver text, units numeric);
    told := concat_ws(':', due.chain_id, gone.hash, gone.ordinal);
    if f.returned_in = told then
        return false;
    end if;
    if due.refund_id is null or f.status <> 'created' then
        raise exception using errcode = 'BR008', constraint = 'returned_tokens_are_of_a_refund_that_waits',
            message = format('%s is no refund of tokens that waits', p_refund);
    end if;
    if (decode(gone.token, 'hex'), decode(gone.sender, 'hex'), decode(gone.receiver, 'hex'), gone.units)
        is distinct from (due.token, due.address, due.wallet, due.base_units) then
        raise exception using errcode = 'BR008', constraint = 'tokens_go_back_to_their_source',
            message = format('%s goes from its deposit address to the wallet it came from, to the unit', p_refund);
    end if;
    insert into treasury.coin_return (offering_id, refund_id, chain_id, transaction_hash, ordinal, block_number, block_hash)
    values (p_offering, p_refund, due.chain_id, decode(gone.hash, 'hex'), gone.ordinal, gone.number, decode(gone.block, 'hex'));
    perform treasury.post(p_offering, 'paid:' || p_refund, 'tokens_sent_back', f.currency, jsonb_build_array(
            jsonb_build_object('account', 'liab:refund_payable', 'side', 'debit', 'amount', f.amount_minor))
        || treasury.lying(r, 'credit', f.amount_minor));
    update treasury.refund set status = 'sent', returned_in = told where offering_id = p_offering and refund_id = p_refund;
    update treasury.refund set status = 'settled' where offering_id = p_offering and refund_id = p_refund;
    update treasury.receipt set status = 'refunded' where offering_id = p_offering and receipt_id = r.receipt_id and status = 'refunding';
    if engine.is_blocked(p_offering, r.receipt_id) then
        perform treasury.raise_alarm('chain', 'payout_goes_to_nobody_blocked', p_offering, p_refund, sha256(convert_to(told, 'UTF8')));
    end if;
    if r.attempt_id is not null then
        perform treasury.follow(p_offering, array[r.attempt_id], 'settled');
        perform treasury.publish(p_offering, array[r.investment_id]);
    end if;
    return true;
end $$;
