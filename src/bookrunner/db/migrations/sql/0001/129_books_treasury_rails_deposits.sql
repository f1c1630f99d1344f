-- The verbs of stablecoins: coins by two people, addresses once, transfers as the chain shows them.

create function treasury.propose_coin(p_actor text, p_request text, p_offering text, p_coin text, p_terms jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if (select o.currency from engine.offer o where o.offering_id = p_offering) is distinct from p_terms ->> 'currency' then
        raise exception using errcode = 'BR008', constraint = 'coin_is_in_the_offers_currency',
            message = format('%s is not sold in %s', p_offering, p_terms ->> 'currency');
    end if;
    insert into treasury.accepted_coin (offering_id, coin_id, status, chain_id, token, valid_from, currency, decimals,
        minor_decimals, dust_minor, received_after, cleared_after, proposed_by)
    select p_offering, p_coin, 'proposed', t.chain_id, decode(t.token, 'hex'), t.valid_from, t.currency, t.decimals,
        t.minor_decimals, t.dust_minor, t.received_after, t.cleared_after, p_actor
    from jsonb_to_record(p_terms) as t (chain_id bigint, token text, valid_from date, currency text, decimals integer,
        minor_decimals integer, dust_minor bigint, received_after integer, cleared_after integer);
end $$;

create function treasury.decide_coin(p_actor text, p_request text, p_offering text, p_coin text, p_is_accepted boolean,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c treasury.accepted_coin;
begin
    perform audit.enter(p_actor, p_request);
    select * into c from treasury.accepted_coin where offering_id = p_offering and coin_id = p_coin for update;
    perform treasury.on_version(c.version, p_seen);
    update treasury.accepted_coin set status = case when p_is_accepted then 'accepted' else 'declined' end, decided_by = p_actor
    where offering_id = p_offering and coin_id = p_coin;
end $$;

-- The next free place in a tree of addresses; who takes it derives the address and opens it in the same transaction.
create function treasury.take_address(p_actor text, p_request text, p_tree text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    taken bigint;
begin
    perform audit.enter(p_actor, p_request);
    insert into treasury.address_tree (tree) values (p_tree) on conflict do nothing;
    update treasury.address_tree set next_index = next_index + 1 where tree = p_tree returning next_index - 1 into taken;
    return taken;
end $$;

create function treasury.open_deposit_address(p_actor text, p_request text, p_offering text, p_attempt text,
    p_chain bigint, p_address bytea, p_tree text, p_place bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if not exists (select from treasury.payment_attempt a where a.offering_id = p_offering and a.attempt_id = p_attempt
        and a.status in ('initialized', 'in_progress')) then
        raise exception using errcode = 'BR008', constraint = 'deposit_address_is_for_an_open_attempt',
            message = format('%s waits for no payment', p_attempt);
    end if;
    insert into treasury.deposit_address (chain_id, address, offering_id, attempt_id, tree, place)
    values (p_chain, p_address, p_offering, p_attempt, p_tree, p_place);
end $$;

-- The attempts that may be paid in tokens of a chain and have no address there yet.
create view treasury.attempt_without_address as
select distinct a.offering_id, a.attempt_id, c.chain_id from treasury.payment_attempt a
join treasury.accepted_coin c on c.offering_id = a.offering_id and c.currency = a.currency and c.status = 'accepted'
    and c.valid_from <= current_date
where a.status in ('initialized', 'in_progress') and not exists (select from treasury.deposit_address d
    where d.chain_id = c.chain_id and d.offering_id = a.offering_id and d.attempt_id = a.attempt_id);

-- Keeps what was read of a chain up to a block, and what of it is gone, with the new end of the reading. Refused when
-- somebody else has read on since. Transfers are {hash, ordinal, number, block, token, sender, receiver, units}.
create function treasury.note_transfers(p_actor text, p_request text, p_chain jsonb, p_transfers jsonb, p_gone text[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    k record;
    known record;
    noted integer;
begin
    perform audit.enter(p_actor, p_request);
    select * into k from jsonb_to_record(p_chain) as x (chain_id bigint, incarnation text, height bigint, hash text,
        read_height bigint);
    insert into treasury.chain_cursor (chain_id, incarnation, height, block_hash)
    values (k.chain_id, decode(k.incarnation, 'hex'), k.read_height, decode(k.incarnation, 'hex')) on conflict do nothing;
    update treasury.chain_cursor set height = k.height, block_hash = decode(k.hash, 'hex')
    where chain_id = k.chain_id and incarnation = decode(k.incarnation, 'hex') and height = k.read_height;
    if not found then
        raise exception using errcode = 'BR008', constraint = 'chain_is_read_on_from_the_cursor',
            message = format('chain %s was read on by another', k.chain_id);
    end if;
    -- Of every transfer that changes, its offer's turn before its row, as whoever settles an offer does.
    for known in select distinct x.offering_id from treasury.coin_transfer x where x.chain_id = k.chain_id
        and x.status in ('seen', 'booked', 'gone') and (x.transfer_id = any (p_gone) or exists (
            select from jsonb_to_recordset(p_transfers) as m (hash text, ordinal integer, block text)
            where x.transaction_hash = decode(m.hash, 'hex') and x.ordinal = m.ordinal
            and (x.status = 'gone' or x.block_hash <> decode(m.block, 'hex')))) order by x.offering_id loop
        perform treasury.take_turn(known.offering_id);
    end loop;
    perform treasury.undo_transfers(p_request, k.chain_id, p_gone);
    with line as materialized (
        select t.*, d.offering_id, d.attempt_id, d.address from jsonb_to_recordset(p_transfers) as t (hash text, ordinal integer,
            number bigint, block text, token text, sender text, receiver text, units numeric)
        join treasury.deposit_address d on d.chain_id = k.chain_id and d.address = decode(t.receiver, 'hex')),
    judged as (
        select l.*, c.coin_id, round(l.units / (10::numeric ^ (c.decimals - c.minor_decimals)), 0) as minor, case
            when c.coin_id is null then 'coin_is_accepted'
            when l.units < c.dust_minor * (10::numeric ^ (c.decimals - c.minor_decimals)) then 'transfer_is_above_dust'
            when mod(l.units, (10::numeric ^ (c.decimals - c.minor_decimals))) <> 0 then 'transfer_is_in_whole_minor_units'
            when l.units / (10::numeric ^ (c.decimals - c.minor_decimals)) > 9007199254740991 then 'transfer_fits_a_receipt'
            end as because
        from line l left join lateral (select a.* from treasury.accepted_coin a where a.offering_id = l.offering_id
            and a.chain_id = k.chain_id and a.token = decode(l.token, 'hex') and a.status = 'accepted'
            and a.valid_from <= (clock_timestamp() at time zone 'UTC')::date order by a.valid_from desc limit 1) c on true),
    fresh as (
        insert into treasury.coin_transfer (offering_id, transfer_id, status, chain_id, incarnation, transaction_hash, ordinal,
            block_number, block_hash, token, sender, address, attempt_id, base_units, coin_id, amount_minor, refused_because)
        select j.offering_id, 'ctr_' || left(encode(sha256(convert_to(concat_ws(':', k.chain_id, j.hash, j.ordinal), 'UTF8')), 'hex'), 26),
            case when j.because is null then 'seen' else 'refused' end, k.chain_id, decode(k.incarnation, 'hex'),
            decode(j.hash, 'hex'), j.ordinal, j.number, decode(j.block, 'hex'), decode(j.token, 'hex'), decode(j.sender, 'hex'),
            j.address, j.attempt_id, j.units::text, j.coin_id, case when j.because is null then j.minor::bigint end, j.because
        from judged j where not exists (select from treasury.coin_transfer t where t.offering_id = j.offering_id
            and t.chain_id = k.chain_id and t.transaction_hash = decode(j.hash, 'hex') and t.ordinal = j.ordinal)
        returning 1)
    select count(*) into noted from fresh;
    -- The same transfer in another block has moved; one that was gone is there again.
    update treasury.coin_transfer t set block_number = m.number, block_hash = decode(m.block, 'hex'),
        incarnation = decode(k.incarnation, 'hex'), status = case t.status when 'gone' then 'seen' else t.status end,
        time_no = t.time_no + (t.status = 'gone')::integer, receipt_id = case t.status when 'gone' then null else t.receipt_id end
    from jsonb_to_recordset(p_transfers) as m (hash text, ordinal integer, number bigint, block text)
    where t.chain_id = k.chain_id and t.transaction_hash = decode(m.hash, 'hex') and t.ordinal = m.ordinal
        and t.status in ('seen', 'booked', 'gone') and (t.status = 'gone' or t.block_hash <> decode(m.block, 'hex'));
    return noted;
end $$;

-- What the chain has undone: a receipt of it is a return.
create function treasury.undo_transfers(p_request text, p_chain bigint, p_gone text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    t treasury.coin_transfer;
begin
    for t in select x.* from treasury.coin_transfer x where x.chain_id = p_chain and x.transfer_id = any (p_gone)
        and x.status in ('seen', 'booked') order by x.offering_id, x.transfer_id loop
        if t.status = 'booked' then
            perform treasury.record_return(current_setting('bookrunner.actor'), p_request, t.offering_id, t.receipt_id, 'reorganised');
        end if;
        update treasury.coin_transfer set status = 'gone' where offering_id = t.offering_id and transfer_id = t.transfer_id;
    end loop;
end $$;

-- Books the transfers of an offer that are deep enough, says of each sender whether it is a wallet of the investor, matches,
-- and marks final what is deep enough for that. Returns how much of it changed anything.
create function treasury.settle_transfers(p_actor text, p_request text, p_offering text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    moved integer := 0;
    turned integer;
    t record;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    for t in select s.transfer_id from treasury.coin_standing s where s.offering_id = p_offering and s.status = 'seen'
        and s.depth >= s.received_after order by s.block_number, s.transaction_hash, s.ordinal loop
        perform treasury.book_transfer(p_offering, t.transfer_id);
        moved := moved + 1;
    end loop;
    turned := treasury.judge_wallets(p_offering);
    if moved + turned > 0 then
        perform treasury.match(p_actor, p_request, p_offering);
        perform treasury.hold_listed_senders(p_offering);
    end if;
    update treasury.coin_transfer x set status = 'final' from treasury.coin_standing s
    where x.offering_id = p_offering and x.status = 'booked' and s.offering_id = x.offering_id
        and s.transfer_id = x.transfer_id and s.depth >= s.cleared_after;
    get diagnostics turned = row_count;
    return moved + turned;
end $$;

create function treasury.book_transfer(p_offering text, p_transfer text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    t treasury.coin_transfer;
    money text;
    named text;
    known text;
begin
    select * into t from treasury.coin_transfer where offering_id = p_offering and transfer_id = p_transfer and status = 'seen' for update;
    if not found then
        return;
    end if;
    money := (select c.currency from treasury.accepted_coin c where c.offering_id = p_offering and c.coin_id = t.coin_id);
    known := concat_ws(':', t.chain_id, encode(t.transaction_hash, 'hex'), t.ordinal) || case when t.time_no > 1 then '@' || t.time_no else '' end;
    named := 'rcp_' || left(encode(sha256(convert_to(known, 'UTF8')), 'hex'), 26);
    insert into treasury.receipt (offering_id, receipt_id, dedupe_key, status, amount_minor, currency, booked_on, value_on, rail,
        clears_on, claimed_reference, source_fingerprint, line_sha256)
    select p_offering, named, known, 'unmatched', t.amount_minor, money, d.today, d.today, 'stablecoin',
        treasury.clears_on('stablecoin', d.today), a.reference, treasury.wallet_fingerprint(t.chain_id, t.sender),
        sha256(convert_to(concat_ws(' ', known, encode(t.block_hash, 'hex'), t.base_units), 'UTF8'))
    from (select (clock_timestamp() at time zone 'UTC')::date as today) d
    left join treasury.payment_attempt a on a.offering_id = p_offering and a.attempt_id = t.attempt_id;
    perform treasury.post(p_offering, 'transferred:' || named, 'coins_received', money, jsonb_build_array(
        jsonb_build_object('account', treasury.coin_account(t), 'side', 'debit', 'amount', t.amount_minor),
        jsonb_build_object('account', 'liab:unmatched', 'side', 'credit', 'amount', t.amount_minor)));
    update treasury.coin_transfer set status = 'booked', receipt_id = named where offering_id = p_offering and transfer_id = p_transfer;
end $$;

create function treasury.coin_account(t treasury.coin_transfer) returns text
language sql immutable
return 'asset:stablecoin:' || t.chain_id || ':' || encode(t.token, 'hex');

-- A wallet is a source of an investor while the registry knows it as screened and no list names it. Returns how many turned.
create function treasury.judge_wallets(p_offering text) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    w record;
    turned integer := 0;
begin
    for w in
        select x.*, s.status as stands, x.investor_id || ' ' || encode(x.print, 'hex') as place from (
            select distinct a.investor_id, t.chain_id, t.sender, treasury.wallet_fingerprint(t.chain_id, t.sender) as print,
                engine.wallet_is_screened(p_offering, a.investor_id, t.chain_id, t.sender) as is_own
            from treasury.coin_transfer t join treasury.payment_attempt a using (offering_id, attempt_id)
            where t.offering_id = p_offering and t.status in ('booked', 'final')) x
        left join treasury.source_account s on s.investor_id = x.investor_id and s.fingerprint = x.print
        order by place
    loop
        if w.is_own and w.stands is null then
            insert into treasury.source_account (investor_id, source_id, fingerprint, status)
            values (w.investor_id, 'wallet:' || w.chain_id || ':' || encode(w.sender, 'hex'), w.print, 'approved');
        elsif w.is_own <> (w.stands = 'approved') then
            update treasury.source_account set status = case when w.is_own then 'approved' else 'revoked' end
            where investor_id = w.investor_id and fingerprint = w.print;
        else
            continue;
        end if;
        turned := turned + 1;
    end loop;
    return turned;
end $$;

-- What a listed wallet sent says so, beside being held.
create function treasury.hold_listed_senders(p_offering text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update treasury.receipt r set exception = 'source_is_listed' from treasury.sender_fact s
    where r.offering_id = p_offering and r.status = 'held' and r.exception <> 'source_is_listed'
        and s.offering_id = r.offering_id and s.receipt_id = r.receipt_id and engine.wallet_is_listed(s.sender);
end $$;

-- The lines that move money of a receipt into or out of where it lies: the bank account, a drawer of cheques, or the tokens.
create function treasury.lying(r treasury.receipt, p_side text, p_amount numeric) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if treasury.is_in_hand(r) then
        return jsonb_build_array(jsonb_build_object('account', 'asset:cheques_in_hand', 'side', p_side, 'amount', p_amount));
    end if;
    if r.rail <> 'stablecoin' then
        return treasury.cash(r.offering_id, r.currency, p_side, p_amount);
    end if;
    return (select jsonb_build_array(jsonb_build_object('account', treasury.coin_account(t), 'side', p_side, 'amount', p_amount))
        from treasury.coin_transfer t where t.offering_id = r.offering_id and t.receipt_id = coalesce(r.root_id, r.receipt_id));
end $$;

-- A receipt of the bank that is the price of tokens which were redeemed: nobody's funding, and as many fewer tokens. No
-- login may call it: it is what a decided proposal does.
create function treasury.redeem_coins(p_offering text, p_receipt text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
    held text;
begin
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = p_receipt for update;
    held := (select b.account from treasury.balance b where b.offering_id = p_offering and b.currency = r.currency
        and b.account like 'asset:stablecoin:%' and b.amount_minor >= r.amount_minor order by b.amount_minor desc, b.account limit 1);
    if held is null or r.statement_id is null then
        raise exception using errcode = 'BR008', constraint = 'redeemed_tokens_are_in_escrow',
            message = format('%s is no price of tokens that are held', p_receipt);
    end if;
    perform treasury.post(p_offering, 'redeemed:' || p_receipt, 'coins_redeemed', r.currency, jsonb_build_array(
        jsonb_build_object('account', 'liab:unmatched', 'side', 'debit', 'amount', r.amount_minor),
        jsonb_build_object('account', held, 'side', 'credit', 'amount', r.amount_minor)));
    update treasury.receipt set status = 'redeemed', exception = null where offering_id = p_offering and receipt_id = p_receipt;
end $$;
