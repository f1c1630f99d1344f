-- Lines that are paid in a stablecoin: from the paying wallet of the offer to the registered wallet of the payee, each by one transaction.

-- The wallet that an offer pays its holders from, in one of the coins that it takes. What arrives there is money of nobody until it funds.
create table treasury.paying_wallet (
    offering_id text not null,
    wallet_id text not null,
    status text not null,
    coin_id text not null,
    chain_id bigint not null,
    address bytea not null check (octet_length(address) = 20),
    proposed_by text not null,
    decided_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, wallet_id),
    foreign key (offering_id, coin_id) references treasury.accepted_coin,
    constraint paying_wallet_needs_two_people
        check (status not in ('in_force', 'superseded') or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false))
);
create unique index one_paying_wallet_is_in_force on treasury.paying_wallet (offering_id) where status = 'in_force';
create unique index one_paying_wallet_is_proposed on treasury.paying_wallet (offering_id) where status = 'proposed';
call audit.keep('treasury.paying_wallet', 'paying_wallet', 'wallet_id', 'offering_id');

create function treasury.paying_wallet_stays() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.coin_id, new.chain_id, new.address, new.proposed_by) is distinct from (old.coin_id, old.chain_id, old.address, old.proposed_by) then
        raise exception using errcode = 'BR006', constraint = 'paying_wallet_stays_as_proposed',
            message = format('%s is what two people decide on', old.wallet_id);
    end if;
    return new;
end $$;
create trigger paying_wallet_stays before update on treasury.paying_wallet
    for each row execute function treasury.paying_wallet_stays();
alter table treasury.paying_wallet enable always trigger paying_wallet_stays;

-- What one order moves, to the base unit, and the transfer that settled it.
create table treasury.coin_payment (
    offering_id text not null,
    payout_id text not null,
    disbursement_id text not null,
    chain_id bigint not null,
    token bytea not null check (octet_length(token) = 20),
    sender bytea not null check (octet_length(sender) = 20),
    receiver bytea not null check (octet_length(receiver) = 20),
    base_units numeric(78, 0) not null check (base_units > 0),
    primary key (offering_id, payout_id),
    foreign key (offering_id, payout_id) references treasury.payout,
    foreign key (offering_id, disbursement_id) references treasury.disbursement
);
call audit.append_only('treasury.coin_payment');
create table treasury.coin_settlement (
    offering_id text not null,
    payout_id text not null,
    chain_id bigint not null,
    transaction_hash bytea not null check (octet_length(transaction_hash) = 32),
    ordinal integer not null check (ordinal >= 0),
    block_number bigint not null,
    block_hash bytea not null check (octet_length(block_hash) = 32),
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, payout_id),
    foreign key (offering_id, payout_id) references treasury.coin_payment,
    constraint transfer_settles_one_line unique (offering_id, chain_id, transaction_hash, ordinal)
);
call audit.append_only('treasury.coin_settlement');

-- Whoever signs an order and whoever withdraws it go one after the other. Taken after every row, so that a worker that signs waits for no
-- row that it holds itself in another session.
create function treasury.hold_order(p_payout text) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    select pg_advisory_xact_lock(hashtextextended('pay:' || p_payout, 0));
end;

-- What is signed may reach the chain whoever forgets it: such an order is not withdrawn, and no other one counts as handed over.
create function treasury.coin_order_follows_its_transaction() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    is_signed boolean;
begin
    perform treasury.hold_order(new.payout_id);
    is_signed := exists (select from engine.payment_on_chain(new.offering_id, new.payout_id));
    if new.status = 'withdrawn' and is_signed then
        raise exception using errcode = 'BR008', constraint = 'withdrawn_order_is_not_signed',
            message = format('a transaction is signed for %s', new.payout_id);
    elsif new.status = 'handed_over' and not is_signed then
        raise exception using errcode = 'BR008', constraint = 'order_in_tokens_is_handed_over_signed',
            message = format('no transaction is signed for %s', new.payout_id);
    end if;
    return new;
end $$;
create trigger coin_order_follows_its_transaction before update on treasury.payout for each row
    when (new.rail = 'stablecoin' and new.status <> old.status) execute function treasury.coin_order_follows_its_transaction();
alter table treasury.payout enable always trigger coin_order_follows_its_transaction;

-- A line that tokens pay is paid by its own transfer alone, and comes back where the chain says that nothing moved.
create function treasury.coin_line_follows_its_transaction() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from treasury.coin_payment c where c.offering_id = old.offering_id and c.payout_id = old.payout_id)
        and (new.status = 'paid' and not exists (select from treasury.coin_settlement s
                where s.offering_id = old.offering_id and s.payout_id = old.payout_id)
            or new.status = 'returned' and not exists (select from engine.payment_on_chain(old.offering_id, old.payout_id) f
                where f.status in ('reverted', 'given_up')) and not treasury.is_closed(old.offering_id, old.payout_id)) then
        raise exception using errcode = 'BR008', constraint = 'line_is_settled_by_its_own_transfer',
            message = format('%s is paid in tokens by %s', old.disbursement_id, old.payout_id);
    end if;
    return new;
end $$;
create trigger coin_line_follows_its_transaction before update on treasury.disbursement for each row
    when (old.payout_id is not null and new.status <> old.status and new.status in ('paid', 'returned'))
    execute function treasury.coin_line_follows_its_transaction();
alter table treasury.disbursement enable always trigger coin_line_follows_its_transaction;

-- The orders in coins whose end the chain has not told yet.
create view treasury.coin_payment_under_way as
select c.offering_id, c.payout_id, c.disbursement_id, c.chain_id, c.token, c.sender, c.receiver, c.base_units
from treasury.coin_payment c
join treasury.payout p on p.offering_id = c.offering_id and p.payout_id = c.payout_id and p.status = 'handed_over'
join treasury.disbursement d on d.offering_id = c.offering_id and d.payout_id = c.payout_id and d.status = 'paying';

-- The orders whose transaction is final and that are not settled: it moved nothing, or other than it orders.
create view treasury.unsettled_payment as
select u.offering_id, u.payout_id, u.disbursement_id from treasury.coin_payment_under_way u
where exists (select from registry.transaction_fact x where x.offering_id = u.offering_id and x.intent_id = 'pay:' || u.payout_id
    and x.purpose = 'pay' and x.status = 'final');

-- When each payment was made: as the bank booked it, as it became the payee's balance, or as a final block showed it.
create view treasury.paid_disbursement as
select d.offering_id, d.disbursement_id,
    coalesce(r.booked_on, b.booked_on, (c.recorded_at at time zone 'UTC')::date) as paid_on from treasury.disbursement d
left join treasury.receipt r on r.offering_id = d.offering_id and r.receipt_id = d.receipt_id
left join treasury.booking b on b.offering_id = d.offering_id and b.booking_id = d.disbursement_id || '@' || d.try_no
left join treasury.coin_settlement c on c.offering_id = d.offering_id and c.payout_id = d.payout_id
where d.status = 'paid';

create function treasury.propose_paying_wallet(p_actor text, p_request text, p_offering text, p_wallet text, p_coin text, p_address bytea)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c treasury.accepted_coin;
begin
    perform audit.enter(p_actor, p_request);
    select * into c from treasury.accepted_coin where offering_id = p_offering and coin_id = p_coin;
    if c.status is distinct from 'accepted' then
        raise exception using errcode = 'BR008', constraint = 'paying_wallet_pays_in_an_accepted_coin',
            message = format('%s is no coin that %s takes', p_coin, p_offering);
    end if;
    insert into treasury.paying_wallet (offering_id, wallet_id, status, coin_id, chain_id, address, proposed_by)
    values (p_offering, p_wallet, 'proposed', p_coin, c.chain_id, p_address, p_actor);
end $$;

-- Another person decides. What arrives at the wallet is watched from then on, as at an address of an investor's payment.
create function treasury.decide_paying_wallet(p_actor text, p_request text, p_offering text, p_wallet text, p_is_agreed boolean, p_seen bigint)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    w treasury.paying_wallet;
    named text;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into w from treasury.paying_wallet where offering_id = p_offering and wallet_id = p_wallet for update;
    perform treasury.on_version(w.version, p_seen);
    if p_is_agreed is true then
        perform treasury.refuse_one_person(p_actor, w.proposed_by, 'paying_wallet_needs_two_people');
        named := 'paying:' || encode(w.address, 'hex');
        insert into treasury.deposit_address (chain_id, address, offering_id, attempt_id, tree, place)
        values (w.chain_id, w.address, p_offering, named, named, 0) on conflict (chain_id, address) do nothing;
        if not exists (select from treasury.deposit_address a where a.chain_id = w.chain_id and a.address = w.address
            and a.offering_id = p_offering and a.attempt_id = named) then
            raise exception using errcode = 'BR008', constraint = 'paying_wallet_serves_one_offer',
                message = format('something else is paid to the address of %s', p_wallet);
        end if;
        update treasury.paying_wallet set status = 'superseded' where offering_id = p_offering and status = 'in_force';
    end if;
    update treasury.paying_wallet set status = case when p_is_agreed then 'in_force' else 'declined' end, decided_by = p_actor
    where offering_id = p_offering and wallet_id = p_wallet;
end $$;

-- A wallet that funds lines, or whose orders are under way, is not replaced: nobody else's tokens would pay them.
create function treasury.paying_wallet_is_free() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if new.status = 'lost' then
        if not exists (select from treasury.wallet_loss l where l.offering_id = old.offering_id and l.wallet_id = old.wallet_id and l.status = 'declared')
            or exists (select from treasury.receipt r where r.offering_id = old.offering_id and r.status = 'funding' and r.rail = 'stablecoin'
                and treasury.room_on(r.offering_id, r.funds_distribution_id, true) > 0) then
            raise exception using errcode = 'BR008', constraint = 'lost_wallet_leaves_its_loss',
                message = format('what is left in %s is no loss that two people declared', old.wallet_id);
        end if;
        return new;
    end if;
    if exists (select from treasury.coin_payment c join treasury.disbursement d on d.offering_id = c.offering_id
            and d.payout_id = c.payout_id and d.status = 'paying' where c.offering_id = old.offering_id and c.sender = old.address)
        or exists (select from (select distinct r.funds_distribution_id as id from treasury.receipt r
                join treasury.coin_transfer t on t.offering_id = r.offering_id and t.receipt_id = coalesce(r.root_id, r.receipt_id)
                    and t.address = old.address
                where r.offering_id = old.offering_id and r.status = 'funding') f
            where treasury.room_on(old.offering_id, f.id, true) > 0) then
        raise exception using errcode = 'BR008', constraint = 'replaced_paying_wallet_funds_nothing',
            message = format('lines of %s are paid from the tokens of %s', old.offering_id, old.wallet_id);
    end if;
    return new;
end $$;
create trigger paying_wallet_is_free before update on treasury.paying_wallet for each row
    when (old.status = 'in_force' and new.status <> 'in_force') execute function treasury.paying_wallet_is_free();
alter table treasury.paying_wallet enable always trigger paying_wallet_is_free;

-- Whether an order is of another wallet than the one that the offer pays from now.
create function treasury.is_of_a_former_wallet(p_offering text, p_payout text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select exists (select from treasury.coin_payment c where c.offering_id = p_offering and c.payout_id = p_payout and not exists (
        select from treasury.paying_wallet k where k.offering_id = c.offering_id and k.status = 'in_force'
            and (k.chain_id, k.address) = (c.chain_id, c.sender)));
end;

-- Whether tokens stand in the paying wallet for good, and nobody whom a list names or has not answered for sent them.
create function treasury.is_final_in_the_paying_wallet(r treasury.receipt) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return r.rail = 'stablecoin' and exists (select from treasury.coin_transfer t
        join treasury.paying_wallet w on w.offering_id = t.offering_id and w.address = t.address and w.status = 'in_force'
        join treasury.accepted_coin c on c.offering_id = w.offering_id and c.coin_id = w.coin_id and c.token = t.token
        where t.offering_id = r.offering_id and t.receipt_id = coalesce(r.root_id, r.receipt_id) and t.status = 'final'
            and engine.address_is_answered(t.sender));
end $$;

-- What is left on one side of a distribution's money, tokens or the bank account, beside what left there, with the tax that the bank pays. What
-- was lost with a wallet pays nobody, and what made it good pays on the side where it came.
create function treasury.room_on(p_offering text, p_distribution text, p_is_coin boolean) returns numeric
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    coins numeric := (select coalesce(sum(r.amount_minor), 0) from treasury.receipt r where r.offering_id = p_offering
        and r.funds_distribution_id = p_distribution and r.status = 'funding' and r.rail = 'stablecoin');
    gone numeric := (select coalesce(sum(d.amount_minor), 0) from treasury.disbursement d
        left join treasury.payout p on p.offering_id = d.offering_id and p.payout_id = d.payout_id
        where d.offering_id = p_offering and d.distribution_id = p_distribution and d.status in ('paying', 'paid')
            and (coalesce(p.rail, 'bank') = 'stablecoin') = p_is_coin);
    wallets record;
begin
    wallets := treasury.lost_of(p_offering, p_distribution);
    if p_is_coin then
        return coins - gone - wallets.lost;
    end if;
    return coalesce((select x.distributable_minor - x.withheld_minor - x.reinvested_minor from engine.distribution x
            where x.offering_id = p_offering and x.distribution_id = p_distribution),
        (select s.owed_minor from treasury.lieu_standing s where s.offering_id = p_offering and s.split_id = p_distribution)) - coins - gone + wallets.good
        - (select coalesce(sum(r.amount_minor), 0) from treasury.released_price r
            where r.offering_id = p_offering and r.distribution_id = p_distribution);
end $$;

-- The wallet that each payee is paid to in tokens for a record date, or why it is paid to none: its linked one if it was that at the end of
-- the record date, or if two people named the rail since it was linked. Nobody whose way is another one is among them.
create function treasury.coin_ways_to(p_offering text, p_payees text[], p_record_dates date[])
returns table (payee_id text, record_on date, address bytea, fingerprint bytea, because text)
language plpgsql stable rows 100 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select n.payee_id, n.record_on, e.address, treasury.wallet_fingerprint(k.chain_id, e.address),
        case when k.wallet_id is null then 'account_is_not_known'
            when e.is_changing then 'wallet_change_in_progress'
            when e.address is null then 'wallet_is_not_linked'
            when e.linked_at >= (n.record_on + 1)::timestamp at time zone 'UTC' and e.linked_at > a.proposed_at
                then 'wallet_changed_since_the_record_date'
            when engine.wallet_is_listed(e.address) then 'match_with_a_list'
            when not engine.address_is_answered(e.address) then 'screening_waits' end
    from (select distinct * from unnest(p_payees, p_record_dates) x (payee_id, record_on)) n
    join treasury.payee_account a on a.investor_id = n.payee_id and a.status = 'in_force' and a.way = 'stablecoin'
    left join treasury.paying_wallet k on k.offering_id = p_offering and k.status = 'in_force'
    left join lateral engine.wallet_to_pay(p_offering, n.payee_id, k.chain_id) e on true;
end $$;

-- The same for each line. Fractions of a split have the day on which they were owed for a record date.
create function treasury.coin_ways(p_offering text, p_lines text[]) returns table (line text, address bytea, fingerprint bytea, because text)
language plpgsql stable rows 100 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    payees text[];
    dates date[];
begin
    select array_agg(d.payee_id order by d.disbursement_id), array_agg(coalesce(x.record_on, d.owed_since) order by d.disbursement_id)
    into payees, dates
    from treasury.disbursement d
    left join engine.distribution x on x.offering_id = d.offering_id and x.distribution_id = d.distribution_id
    where d.offering_id = p_offering and d.disbursement_id = any (p_lines);
    return query
    select d.disbursement_id, w.address, w.fingerprint, w.because
    from treasury.disbursement d
    left join engine.distribution x on x.offering_id = d.offering_id and x.distribution_id = d.distribution_id
    join treasury.coin_ways_to(p_offering, payees, dates) w
        on w.payee_id = d.payee_id and w.record_on = coalesce(x.record_on, d.owed_since)
    where d.offering_id = p_offering and d.disbursement_id = any (p_lines);
end $$;

-- Stores an order for each line of a distribution that may be paid in tokens now, at most as many as there are names for orders. Answers how
-- many; null when nobody waits. Nothing is signed here: whoever signs takes the stored order.
create function treasury.store_coin_payments(p_actor text, p_request text, p_offering text, p_distribution text, p_payouts text[])
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    taken jsonb := treasury.take_disbursements(p_actor, p_request, p_offering, p_distribution, cardinality(p_payouts), 'stablecoin');
    w record;
    due record;
    units numeric;
    stored integer := 0;
begin
    if taken is null then
        return null;
    end if;
    select k.chain_id, k.address, c.token, c.decimals - c.minor_decimals as places into w from treasury.paying_wallet k
    join treasury.accepted_coin c using (offering_id, coin_id) where k.offering_id = p_offering and k.status = 'in_force';
    for due in select t.line ->> 'refund' as line, (t.line ->> 'amount')::bigint as amount, p_payouts[t.place] as payout, y.address
        from jsonb_array_elements(taken) with ordinality as t (line, place)
        cross join lateral treasury.coin_ways(p_offering, array[t.line ->> 'refund']) y order by t.place
    loop
        units := due.amount * 10::numeric ^ w.places;
        perform treasury.order_lines(p_offering, due.payout, convert_to(jsonb_build_object('chain', w.chain_id, 'token', encode(w.token, 'hex'),
                'sender', encode(w.address, 'hex'), 'receiver', encode(due.address, 'hex'), 'units', trunc(units)::text)::text, 'UTF8'),
            array[due.line], 'stablecoin', 'asset:stablecoin:' || w.chain_id || ':' || encode(w.token, 'hex'));
        insert into treasury.coin_payment (offering_id, payout_id, disbursement_id, chain_id, token, sender, receiver, base_units)
        values (p_offering, due.payout, due.line, w.chain_id, w.token, w.address, due.address, units);
        stored := stored + 1;
    end loop;
    return stored;
end $$;

-- The account of the ledger that an order left from.
create function treasury.left_from(p_offering text, p_payout text) returns text
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select coalesce((select 'asset:stablecoin:' || c.chain_id || ':' || encode(c.token, 'hex') from treasury.coin_payment c
        where c.offering_id = p_offering and c.payout_id = p_payout), 'asset:escrow_bank');
end;

-- A final block holds the transfer {hash, ordinal, number, block, token, sender, receiver, units} of an order: its line is paid. It is the
-- transaction that was signed for the order, and moves what the order says to the unit. The same again answers false.
create function treasury.settle_coin_payment(p_actor text, p_request text, p_offering text, p_payout text, p_transfer jsonb) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    due treasury.coin_payment;
    t record;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into due from treasury.coin_payment where offering_id = p_offering and payout_id = p_payout;
    if exists (select from treasury.coin_settlement s where s.offering_id = p_offering and s.payout_id = p_payout) then
        return false;
    end if;
    select * into t from jsonb_to_record(p_transfer) as x (hash text, ordinal integer, number bigint, block text, token text, sender text,
        receiver text, units numeric);
    if (decode(t.token, 'hex'), decode(t.sender, 'hex'), decode(t.receiver, 'hex'), t.units)
            is distinct from (due.token, due.sender, due.receiver, due.base_units)
        or not exists (select from engine.payment_on_chain(p_offering, p_payout) f
            where f.status = 'final' and (f.hash, f.block_number) = (decode(t.hash, 'hex'), t.number)) then
        raise exception using errcode = 'BR008', constraint = 'line_is_settled_by_its_own_transfer',
            message = format('no final transaction of %s moves what it orders', p_payout);
    end if;
    insert into treasury.coin_settlement (offering_id, payout_id, chain_id, transaction_hash, ordinal, block_number, block_hash)
    values (p_offering, p_payout, due.chain_id, decode(t.hash, 'hex'), t.ordinal, t.number, decode(t.block, 'hex'));
    update treasury.disbursement set status = 'paid'
    where offering_id = p_offering and disbursement_id = due.disbursement_id and payout_id = p_payout and status = 'paying';
    return true;
end $$;

-- The tokens of an order are where they were, and its line is open until somebody tries it again; false when it waits for no end.
create function treasury.open_coin_line(p_offering text, p_payout text, p_code text) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    d treasury.disbursement;
begin
    select * into d from treasury.disbursement where offering_id = p_offering and payout_id = p_payout and status = 'paying' for update;
    if not found then
        return false;
    end if;
    perform treasury.post(p_offering, 'bounced:' || d.disbursement_id || '@' || d.try_no, 'distribution_returned', d.currency, jsonb_build_array(
        jsonb_build_object('account', treasury.left_from(p_offering, p_payout), 'side', 'debit', 'amount', d.amount_minor),
        jsonb_build_object('account', 'liab:distribution:' || d.distribution_id, 'side', 'credit', 'amount', d.amount_minor)), 'paid:' || p_payout);
    update treasury.disbursement set status = 'returned', bounce_code = p_code
    where offering_id = p_offering and disbursement_id = d.disbursement_id;
    return true;
end $$;

-- The chain says that an order did nothing and never will.
create function treasury.return_coin_payment(p_actor text, p_request text, p_offering text, p_payout text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    told text := (select f.status from engine.payment_on_chain(p_offering, p_payout) f);
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    if told is null or told not in ('reverted', 'given_up') then
        raise exception using errcode = 'BR008', constraint = 'returned_tokens_never_left',
            message = format('the transaction of %s is under way, or came through', p_payout);
    end if;
    return treasury.open_coin_line(p_offering, p_payout, told);
end $$;
