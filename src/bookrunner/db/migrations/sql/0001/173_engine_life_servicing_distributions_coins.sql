-- What a payment in tokens asks of the other books: the payee's wallet, its screening, and what became of the transaction.

-- The linked wallet of an investor on a chain, since when it is that, and whether another one is on its way.
create function engine.wallet_to_pay(p_offering text, p_investor text, p_chain bigint)
returns table (address bytea, linked_at timestamptz, is_changing boolean)
language plpgsql stable rows 1 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select w.address, w.linked_at, exists (select from registry.wallet_fact c where c.offering_id = p_offering
        and c.investor_id = p_investor and c.status in ('claimed', 'screened', 'issuer_approved'))
    from (select 1) one left join registry.wallet_standing w on w.offering_id = p_offering and w.investor_id = p_investor
        and w.chain_id = p_chain and w.status = 'linked';
end $$;

-- Whether every list in force has answered for an address, and none names it.
create function engine.address_is_answered(p_address bytea) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return compliance.is_answered('wallet:' || encode(p_address, 'hex'));
end $$;

-- What became of the transaction that was signed for an order: given up is one whose number another transaction has, once two people started
-- its key again.
create function engine.payment_on_chain(p_offering text, p_payout text) returns table (status text, hash bytea, block_number bigint)
language plpgsql stable rows 1 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select case when x.status = 'dropped' and exists (select from registry.started_key s where s.intent_id = x.intent_id) then 'given_up'
        else x.status end, x.hash, x.block_number
    from registry.transaction_fact x where x.offering_id = p_offering and x.intent_id = 'pay:' || p_payout and x.purpose = 'pay'
    order by x.status = 'final' desc, x.status = 'reverted' desc, x.attempt_no desc limit 1;
end $$;

-- A transaction is stored for an order that waits, or that was handed over: nobody withdraws the order meanwhile.
create function engine.signed_order_is_not_withdrawn() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform treasury.hold_order(substr(new.intent_id, 5));
    if not exists (select from treasury.payout p where p.offering_id = new.offering_id and 'pay:' || p.payout_id = new.intent_id
        and p.payout_id = substr(new.intent_id, 5) and p.rail = 'stablecoin' and p.status in ('prepared', 'handed_over')) then
        raise exception using errcode = 'BR008', constraint = 'signed_order_is_not_withdrawn',
            message = format('%s is no order in tokens that waits', new.intent_id);
    end if;
    return new;
end $$;
create trigger signed_order_is_not_withdrawn before insert on registry.chain_transaction for each row
    when (new.purpose = 'pay' and new.attempt_no = 1) execute function engine.signed_order_is_not_withdrawn();
alter table registry.chain_transaction enable always trigger signed_order_is_not_withdrawn;
