-- Cheques that a person records, and balances that investors leave in escrow: money beside what a bank statement brings.

-- A cheque as it was taken in; it is money in hand until a statement shows its deposit.
create table treasury.cheque (
    offering_id text not null,
    receipt_id text not null,
    number text not null constraint cheque_has_its_number check (number ~ '^[0-9]{1,20}$'),
    drawer text not null constraint cheque_names_its_drawer check (drawer ~ '[[:alpha:]]'),
    custodian text constraint custodian_is_named check (custodian ~ '[[:alpha:]]'),
    drawn_on date not null,
    received_on date not null,
    recorded_by text not null,
    primary key (offering_id, receipt_id),
    foreign key (offering_id, receipt_id) references treasury.receipt,
    constraint cheque_is_not_drawn_ahead check (drawn_on <= received_on),
    constraint cheque_is_not_stale check (received_on <= drawn_on + 180)
);

-- The deposit of a cheque, as the bank booked it.
create table treasury.cheque_deposit (
    offering_id text not null,
    receipt_id text not null,
    booked_on date not null,
    primary key (offering_id, receipt_id),
    foreign key (offering_id, receipt_id) references treasury.cheque
);

call audit.append_only('treasury.cheque');
call audit.append_only('treasury.cheque_deposit');

-- Whether the money of a receipt is a cheque that no statement has shown.
create function treasury.is_in_hand(r treasury.receipt) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return r.rail = 'cheque' and r.statement_id is null and not exists (select from treasury.cheque_deposit d
        where d.offering_id = r.offering_id and d.receipt_id = coalesce(r.root_id, r.receipt_id));
end $$;

-- Records a cheque {receipt, number, amount, drawer, custodian, drawn_on, received_on, reference, fingerprint}. The account
-- that it is drawn on is its source, as with any receipt.
create function treasury.record_cheque(p_actor text, p_request text, p_offering text, p_cheque jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c record;
    money text := (select o.currency from engine.offer o where o.offering_id = p_offering);
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    if money is null then
        raise exception using errcode = 'BR404', constraint = 'offer_exists', message = format('there is no offer %s', p_offering);
    end if;
    select * into c from jsonb_to_record(p_cheque) as x (receipt text, number text, amount bigint, drawer text, custodian text,
        drawn_on date, received_on date, reference text, fingerprint text);
    insert into treasury.receipt (offering_id, receipt_id, dedupe_key, status, amount_minor, currency, booked_on, value_on, rail,
        clears_on, claimed_reference, source_fingerprint, sender, line_sha256, marks)
    values (p_offering, c.receipt, concat_ws(':', 'cheque', c.fingerprint, c.number), 'unmatched', c.amount, money, c.received_on,
        c.received_on, 'cheque', treasury.clears_on('cheque', c.received_on), c.reference, decode(c.fingerprint, 'hex'), c.drawer,
        sha256(convert_to(p_cheque::text, 'UTF8')), array[c.number]);
    insert into treasury.cheque (offering_id, receipt_id, number, drawer, custodian, drawn_on, received_on, recorded_by)
    values (p_offering, c.receipt, c.number, c.drawer, c.custodian, c.drawn_on, c.received_on, p_actor);
    perform treasury.post(p_offering, 'cheque:' || c.receipt, 'cheque_recorded', money, jsonb_build_array(
        jsonb_build_object('account', 'asset:cheques_in_hand', 'side', 'debit', 'amount', c.amount),
        jsonb_build_object('account', 'liab:unmatched', 'side', 'credit', 'amount', c.amount)));
    perform treasury.match(p_actor, p_request, p_offering);
end $$;

-- A statement shows the deposit of a cheque: the money is with the bank now, and no second receipt.
create function treasury.deposit_cheque(p_actor text, p_request text, p_offering text, p_receipt text, p_booked_on date) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = p_receipt for update;
    if r.receipt_id is null or not treasury.is_in_hand(r) or r.status = 'returned' then
        raise exception using errcode = 'BR008', constraint = 'deposited_cheque_is_in_hand',
            message = format('%s is no cheque in hand', p_receipt);
    end if;
    perform treasury.post(p_offering, 'deposited:' || p_receipt, 'cheque_deposited', r.currency,
        treasury.cash(p_offering, r.currency, 'debit', r.amount_minor) || jsonb_build_array(
            jsonb_build_object('account', 'asset:cheques_in_hand', 'side', 'credit', 'amount', r.amount_minor)));
    insert into treasury.booking (offering_id, booking_id, journal_id, currency, amount_minor, booked_on)
    values (p_offering, 'deposited:' || p_receipt, 'deposited:' || p_receipt, r.currency, r.amount_minor, p_booked_on);
    insert into treasury.cheque_deposit (offering_id, receipt_id, booked_on) values (p_offering, p_receipt, p_booked_on);
end $$;

-- What investors have left in the escrow of an offer: only what is here can be spent.
create view treasury.stored_balance as
select r.offering_id, r.stored_for as investor_id, r.currency, sum(r.amount_minor) as available_minor
from treasury.receipt r where r.status = 'stored' group by r.offering_id, r.stored_for, r.currency;

-- Keeps a receipt for an investor whose account it came from, for the investor to pay with later.
create function treasury.store_receipt(p_actor text, p_request text, p_offering text, p_receipt text, p_investor text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = p_receipt for update;
    if r.status is distinct from 'unmatched' or not exists (select from treasury.source_account s where s.investor_id = p_investor
        and s.fingerprint = r.source_fingerprint and s.status = 'approved') then
        raise exception using errcode = 'BR008', constraint = 'stored_money_is_the_investors_own',
            message = format('%s does not wait, or is from no account of %s', p_receipt, p_investor);
    end if;
    perform treasury.post(p_offering, 'stored:' || p_receipt || '@' || r.version, 'receipt_stored', r.currency, jsonb_build_array(
        jsonb_build_object('account', 'liab:unmatched', 'side', 'debit', 'amount', r.amount_minor),
        jsonb_build_object('account', 'liab:wallet:' || p_investor, 'side', 'credit', 'amount', r.amount_minor)));
    update treasury.receipt set status = 'stored', stored_for = p_investor, exception = null
    where offering_id = p_offering and receipt_id = p_receipt;
end $$;

-- The oldest receipts of a balance that make an amount, the last of them divided; refused above what is available.
create function treasury.take_stored(p_offering text, p_investor text, p_amount bigint) returns text[]
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    money record;
    remaining bigint := p_amount;
    taken text[] := '{}';
begin
    for money in select r.receipt_id, r.amount_minor from treasury.receipt r where r.offering_id = p_offering
        and r.stored_for = p_investor and r.status = 'stored' order by r.booked_on, r.receipt_id for update
    loop
        exit when remaining <= 0;
        if money.amount_minor > remaining then
            perform treasury.divide(p_offering, money.receipt_id, jsonb_build_array(
                jsonb_build_object('id', money.receipt_id || '.spent', 'amount', remaining),
                jsonb_build_object('id', money.receipt_id || '.left', 'amount', money.amount_minor - remaining)));
            taken := taken || (money.receipt_id || '.spent');
            remaining := 0;
        else
            taken := taken || money.receipt_id;
            remaining := remaining - money.amount_minor;
        end if;
    end loop;
    if p_amount < 1 or remaining > 0 then
        raise exception using errcode = 'BR008', constraint = 'balance_is_available',
            message = format('%s has not left so much in %s', p_investor, p_offering);
    end if;
    return taken;
end $$;

-- Pays an investment from what its investor has left, at most what is due. The money clears as it would have from its rail.
create function treasury.pay_from_balance(p_actor text, p_request text, p_offering text, p_investment text, p_amount_minor bigint)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a treasury.payment_attempt;
    taken text[];
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    perform treasury.lock(p_offering, p_investment);
    select * into a from treasury.payment_attempt where offering_id = p_offering and investment_id = p_investment
        and status in ('initialized', 'in_progress');
    if a.attempt_id is null or a.received_minor + p_amount_minor > a.due_minor then
        raise exception using errcode = 'BR008', constraint = 'received_is_within_due',
            message = format('%s is not due on %s', p_amount_minor, p_investment);
    end if;
    taken := treasury.take_stored(p_offering, a.investor_id, p_amount_minor);
    perform treasury.assign(p_offering, (select jsonb_agg(jsonb_build_object('receipt', r.receipt_id, 'attempt', a.attempt_id,
            'investment', p_investment, 'amount', r.amount_minor))
        from treasury.receipt r where r.offering_id = p_offering
        and r.receipt_id = any (taken)));
end $$;

-- Sends what an investor has left back to where it came from.
create function treasury.withdraw_balance(p_actor text, p_request text, p_offering text, p_investor text, p_amount_minor bigint)
returns integer language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    return treasury.start_refunds(p_offering, treasury.take_stored(p_offering, p_investor, p_amount_minor), 'withdrawal');
end $$;
