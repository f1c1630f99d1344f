-- Clearing and returns: when matched money is final, and what a return does at each moment.

-- Whether the holder of the card that paid may still dispute the payment: nobody confirms such money before its day.
create function treasury.is_disputable(r treasury.receipt) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return r.rail = 'card' and coalesce(r.clears_on > (clock_timestamp() at time zone 'UTC')::date, true);

-- Confirms matched receipts as final; all of the offer's, or those named.
create function treasury.clear(p_actor text, p_request text, p_offering text, p_receipts text[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    return treasury.settle_clearing(p_offering, coalesce(p_receipts, array(select r.receipt_id from treasury.receipt r
        where r.offering_id = p_offering and r.status = 'matched' and not treasury.is_recalled(r)
        and not treasury.is_shallow(r) and not treasury.is_in_hand(r) and not treasury.is_disputable(r))), p_request);
end $$;

-- Clears what the policy of its rail lets clear by a day that has come, at most so many receipts; a worker repeats it.
create function treasury.clear_due(p_actor text, p_request text, p_offering text, p_on date, p_most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    if p_on > (clock_timestamp() at time zone 'UTC')::date then
        raise exception using errcode = 'BR008', constraint = 'clearing_day_has_come', message = format('%s is yet to come', p_on);
    end if;
    return treasury.settle_clearing(p_offering, array(select r.receipt_id from treasury.receipt r
        where r.offering_id = p_offering and r.status = 'matched' and r.clears_on <= p_on
        and not treasury.is_recalled(r) and not treasury.is_shallow(r) and not treasury.is_in_hand(r)
        order by r.clears_on, r.receipt_id limit p_most), p_request);
end $$;

create function treasury.settle_clearing(p_offering text, p_receipts text[], p_request text) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    lines jsonb;
    money text;
    touched text[];
    attempts text[];
begin
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id in (
        select r.investment_id from treasury.receipt r where r.offering_id = p_offering and r.status = 'matched'
        and r.receipt_id = any (p_receipts)) order by pos.investment_id for update;
    if exists (select from treasury.receipt r where r.offering_id = p_offering and r.status = 'matched'
        and r.receipt_id = any (p_receipts) and treasury.is_recalled(r)) then
        raise exception using errcode = 'BR008', constraint = 'cleared_money_is_not_recalled',
            message = 'the provider took a payment back; the administrator has not answered';
    end if;
    if exists (select from treasury.receipt r where r.offering_id = p_offering and r.status = 'matched'
        and r.receipt_id = any (p_receipts) and treasury.is_shallow(r)) then
        raise exception using errcode = 'BR008', constraint = 'cleared_transfer_is_deep',
            message = 'the chain could still undo a transfer';
    end if;
    if exists (select from treasury.receipt r where r.offering_id = p_offering and r.status = 'matched'
        and r.receipt_id = any (p_receipts) and treasury.is_in_hand(r)) then
        raise exception using errcode = 'BR008', constraint = 'cleared_cheque_is_deposited',
            message = 'no statement has shown the deposit of a cheque';
    end if;
    if exists (select from treasury.receipt r where r.offering_id = p_offering and r.status = 'matched'
        and r.receipt_id = any (p_receipts) and treasury.is_disputable(r)) then
        raise exception using errcode = 'BR008', constraint = 'cleared_card_payment_is_past_disputes',
            message = 'the holder of a card may still dispute a payment';
    end if;
    with cleared as (
        update treasury.receipt r set status = 'cleared' where r.offering_id = p_offering and r.status = 'matched'
        and r.receipt_id = any (p_receipts)
        returning r.investment_id, r.attempt_id, r.amount_minor, r.currency),
    summed as (select c.investment_id, sum(c.amount_minor) as amount from cleared c group by c.investment_id)
    select (select jsonb_agg(jsonb_build_object('account', 'liab:inv:' || s.investment_id || ':received', 'side', 'debit', 'amount', s.amount))
            || jsonb_agg(jsonb_build_object('account', 'liab:inv:' || s.investment_id || ':cleared', 'side', 'credit', 'amount', s.amount))
            from summed s),
        min(c.currency), array_agg(c.investment_id), array_agg(c.attempt_id) into lines, money, touched, attempts from cleared c;
    if lines is null then
        return 0;
    end if;
    perform treasury.post(p_offering, 'cleared:' || pg_current_xact_id() || ':' || p_request, 'receipts_cleared', money, lines);
    perform treasury.follow(p_offering, attempts, 'cleared');
    perform treasury.publish(p_offering, touched);
    return cardinality(touched);
end $$;

-- The bank took a receipt back, whatever had become of it: a new fact that closes the funding stage. Money that escrow
-- no longer holds for it, because it was released or sent back, becomes a receivable. A return that was only announced
-- counts at once; the debit of the bank that follows books it, and changes nothing else. A payment of several receipts keeps
-- the strictest of their reasons.
create function treasury.record_return(p_actor text, p_request text, p_offering text, p_receipt text,
    p_code text default null, p_booked_on date default null, p_is_booked boolean default true) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    root text;
    whole treasury.receipt;
    touched text[];
    attempts text[];
    lines jsonb;
    lost numeric;
    total numeric;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    root := (select coalesce(r.root_id, r.receipt_id) from treasury.receipt r
        where r.offering_id = p_offering and r.receipt_id = p_receipt);
    if root is null then
        raise exception using errcode = 'BR404', constraint = 'receipt_exists', message = format('there is no receipt %s', p_receipt);
    end if;
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id in (
        select r.investment_id from treasury.receipt r
        where r.offering_id = p_offering and (r.receipt_id = root or r.root_id = root))
    order by pos.investment_id for update;
    perform 1 from treasury.receipt r where r.offering_id = p_offering and (r.receipt_id = root or r.root_id = root)
    order by r.receipt_id for update;
    perform 1 from engine.distribution d where d.offering_id = p_offering and d.distribution_id in (
        select r.funds_distribution_id from treasury.receipt r
        where r.offering_id = p_offering and (r.receipt_id = root or r.root_id = root))
    order by d.distribution_id for share;
    select * into whole from treasury.receipt r where r.offering_id = p_offering and r.receipt_id = root;
    perform treasury.lying(whole, 'credit', whole.amount_minor);
    select jsonb_agg(jsonb_build_object('account', p.account, 'side', 'debit', 'amount', p.amount)),
        sum(p.amount), sum(p.amount) filter (where p.account = 'asset:clawback_receivable')
    into lines, total, lost from (
        select x.account, sum(x.amount_minor) as amount from treasury.part_standing(p_offering, root) x group by x.account) p;
    -- Tokens and a cheque in hand are never booked by a bank, so that nothing is left to book of their return.
    if p_is_booked and total is null and whole.rail <> 'stablecoin' and not treasury.is_in_hand(whole) and not exists (select from treasury.booking b
        where b.offering_id = p_offering and b.booking_id = 'returned:' || root) then
        insert into treasury.booking (offering_id, booking_id, journal_id, currency, amount_minor, booked_on)
        values (p_offering, 'returned:' || root, 'returned:' || root, whole.currency, -whole.amount_minor, p_booked_on);
        return;
    end if;
    if total is distinct from whole.amount_minor::numeric then
        raise exception using errcode = 'BR008', constraint = 'receipt_returns_once',
            message = format('%s came back before', p_receipt);
    end if;
    perform treasury.post(p_offering, 'returned:' || root,
        case when lost is null then 'receipt_returned' else 'return_after_release' end, whole.currency,
        lines || treasury.lying(whole, 'credit', total));
    insert into treasury.booking (offering_id, booking_id, journal_id, currency, amount_minor, booked_on)
    select p_offering, 'returned:' || root, 'returned:' || root, whole.currency, -total,
        coalesce(p_booked_on, (clock_timestamp() at time zone 'UTC')::date)
    where p_is_booked and whole.rail <> 'stablecoin' and not treasury.is_in_hand(whole);
    update treasury.refund f set status = 'cancelled' from treasury.part_standing(p_offering, root) x
    where f.offering_id = p_offering and f.receipt_id = x.receipt_id and f.status = 'created';
    with gone as (
        update treasury.receipt r set status = 'returned', exception = null, return_code = p_code,
            receivable_minor = case x.account when 'asset:clawback_receivable' then r.amount_minor else 0 end
        from treasury.part_standing(p_offering, root) x
        where r.offering_id = p_offering and r.receipt_id = x.receipt_id
        returning r.investment_id, r.attempt_id)
    select array_agg(g.investment_id) filter (where g.investment_id is not null),
        array_agg(g.attempt_id) filter (where g.attempt_id is not null) into touched, attempts from gone g;
    perform treasury.follow(p_offering, attempts, 'returned');
    update treasury.payment_attempt a set failed_rail = worst.rail, failed_code = worst.return_code
    from treasury.payment_attempt t cross join lateral (select r.rail, r.return_code from treasury.receipt r
        left join treasury.failure_reason f on f.rail = r.rail and f.code = r.return_code
        where r.offering_id = t.offering_id and r.attempt_id = t.attempt_id and r.status = 'returned' and r.return_code is not null
        order by array_position(array['stop', 'new_account', 'retry'], coalesce(f.then_do, 'stop')), r.receipt_id = p_receipt
        limit 1) worst
    where t.offering_id = p_offering and t.attempt_id = any (attempts) and a.offering_id = t.offering_id
        and a.attempt_id = t.attempt_id and a.status = 'returned'
        and (a.failed_rail, a.failed_code) is distinct from (worst.rail, worst.return_code);
    perform treasury.publish(p_offering, touched);
end $$;

-- Whether the payment that money was taken for has begun: a distribution that was started, or lines that are owed.
create function treasury.has_begun(p_offering text, p_distribution text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select exists (select from engine.distribution d where d.offering_id = p_offering and d.distribution_id = p_distribution
            and d.status in ('paying', 'paid'))
        or exists (select from treasury.journal j where j.offering_id = p_offering and j.journal_id = 'declared:' || p_distribution);
end;

-- The parts of a receipt that have not come back, and the account that each is taken from when it does.
create function treasury.part_standing(p_offering text, p_root text) returns table (receipt_id text, amount_minor bigint, account text)
language sql stable rows 2 set search_path = pg_catalog, pg_temp
begin atomic
    select r.receipt_id, r.amount_minor, case
        when r.status = 'refunded' or r.status = 'refunding' and f.status not in ('created', 'cancelled')
            or r.status = 'cleared' and l.investment_id is not null
            or r.status = 'funding' and treasury.has_begun(r.offering_id, r.funds_distribution_id) then 'asset:clawback_receivable'
        else treasury.owing(r) end
    from treasury.receipt r
    left join treasury.refund f on f.offering_id = r.offering_id and f.receipt_id = r.receipt_id
    left join treasury.release_line l on l.offering_id = r.offering_id and l.investment_id = r.investment_id
    where r.offering_id = p_offering and (r.receipt_id = p_root or r.root_id = p_root)
        and r.status not in ('divided', 'returned');
end;

-- Money that was lost to a return is made good; it pays what the bank advanced first.
create function treasury.record_recovery(p_actor text, p_request text, p_offering text, p_receipt text,
    p_amount_minor bigint, p_booked_on date) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
    journal text := 'recovered:' || p_receipt || ':' || p_request;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = p_receipt for update;
    if r.status is distinct from 'returned' or p_amount_minor not between 1 and r.receivable_minor then
        raise exception using errcode = 'BR008', constraint = 'recovery_is_within_the_receivable',
            message = format('%s is not owed on %s', p_amount_minor, p_receipt);
    end if;
    perform treasury.post(p_offering, journal, 'receivable_recovered', r.currency,
        treasury.cash(p_offering, r.currency, 'debit', p_amount_minor) || jsonb_build_array(
            jsonb_build_object('account', 'asset:clawback_receivable', 'side', 'credit', 'amount', p_amount_minor)));
    insert into treasury.booking (offering_id, booking_id, journal_id, currency, amount_minor, booked_on)
    values (p_offering, journal, journal, r.currency, p_amount_minor, p_booked_on);
    update treasury.receipt set receivable_minor = receivable_minor - p_amount_minor
    where offering_id = p_offering and receipt_id = p_receipt;
end $$;
