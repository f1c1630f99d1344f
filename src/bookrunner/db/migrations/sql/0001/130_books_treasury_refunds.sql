-- Refunds: one machine for every reason, always to the source, and never twice for one receipt.

-- Starts the refunds of receipts that are locked by their investments' positions. One whose source is unknown stays.
create function treasury.start_refunds(p_offering text, p_receipts text[], p_reason text) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    money record;
    touched text[];
    attempts text[];
    started integer;
begin
    if coalesce(cardinality(p_receipts), 0) = 0 then
        return 0;
    end if;
    perform 1 from treasury.receipt r where r.offering_id = p_offering and r.receipt_id = any (p_receipts)
    order by r.receipt_id for update;
    insert into treasury.refund (offering_id, refund_id, receipt_id, status, amount_minor, currency, reason, payee_fingerprint)
    select r.offering_id, 'rfd_' || r.receipt_id, r.receipt_id, 'created', r.amount_minor, r.currency, p_reason, r.source_fingerprint
    from treasury.receipt r where r.offering_id = p_offering and r.receipt_id = any (p_receipts)
        and r.source_fingerprint is not null and r.status in ('unmatched', 'held', 'stored', 'matched', 'cleared');
    get diagnostics started = row_count;
    for money in
        select d.currency, min(d.first) as first, sum(d.amount) as total,
            jsonb_agg(jsonb_build_object('account', d.account, 'side', 'debit', 'amount', d.amount)) as debits
        from (select r.currency, treasury.owing(r) as account, sum(r.amount_minor) as amount, min(r.receipt_id) as first
            from treasury.receipt r join treasury.refund f using (offering_id, receipt_id)
            where r.offering_id = p_offering and r.receipt_id = any (p_receipts) and f.status = 'created'
            and r.status in ('unmatched', 'held', 'stored', 'matched', 'cleared')
            group by r.currency, treasury.owing(r)) d group by d.currency
    loop
        perform treasury.post(p_offering, 'refund:' || money.first, 'refund_decided', money.currency, money.debits
            || jsonb_build_array(jsonb_build_object('account', 'liab:refund_payable', 'side', 'credit', 'amount', money.total)));
    end loop;
    with leaving as (
        update treasury.receipt r set status = 'refunding', exception = null
        from treasury.refund f where r.offering_id = p_offering and r.receipt_id = any (p_receipts)
            and f.offering_id = r.offering_id and f.receipt_id = r.receipt_id and f.status = 'created'
            and r.status in ('unmatched', 'held', 'stored', 'matched', 'cleared')
        returning r.investment_id, r.attempt_id)
    select array_agg(l.investment_id) filter (where l.investment_id is not null),
        array_agg(l.attempt_id) filter (where l.attempt_id is not null) into touched, attempts from leaving l;
    perform treasury.follow(p_offering, attempts, case p_reason when 'scale_back' then 'scaled_back' else 'refunded' end);
    perform treasury.publish(p_offering, touched);
    return started;
end $$;

-- Sends one receipt back to its source, or a part of it. Refused once units are instructed for it. No login may call it:
-- it is what a decided proposal does.
create function treasury.refund_receipt(p_actor text, p_request text, p_offering text, p_receipt text, p_reason text,
    p_amount_minor bigint default null) returns text
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
    leaving text := p_receipt;
    owed_to text := (select x.investment_id from treasury.receipt x where x.offering_id = p_offering and x.receipt_id = p_receipt);
begin
    perform audit.enter(p_actor, p_request);
    if p_reason = 'scale_back' then
        raise exception using errcode = 'BR008', constraint = 'scale_back_follows_a_cut',
            message = 'money above the amount goes back when the investment is cut';
    end if;
    perform treasury.lock(p_offering, owed_to);
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = p_receipt for update;
    if r.receipt_id is null then
        raise exception using errcode = 'BR404', constraint = 'receipt_exists', message = format('there is no receipt %s', p_receipt);
    end if;
    perform treasury.refuse_after_issuance(p_offering, array[r.investment_id]);
    if r.source_fingerprint is null then
        raise exception using errcode = 'BR008', constraint = 'refund_goes_to_its_source',
            message = format('the source of %s is not known', p_receipt);
    end if;
    if p_amount_minor <> r.amount_minor then
        leaving := p_receipt || '.back';
        perform treasury.divide(p_offering, p_receipt, jsonb_build_array(
            jsonb_build_object('id', p_receipt || '.kept', 'amount', r.amount_minor - p_amount_minor),
            jsonb_build_object('id', leaving, 'amount', p_amount_minor)));
    end if;
    if treasury.start_refunds(p_offering, array[leaving], p_reason) = 0 then
        raise exception using errcode = 'BR008', constraint = 'one_refund_per_receipt',
            message = format('%s is on its way back, or gone', p_receipt);
    end if;
    return 'rfd_' || leaving;
end $$;

-- Sends back the money of investments that have ended, at most so many receipts; repeated until it answers 0.
create function treasury.refund_ended(p_actor text, p_request text, p_offering text, p_investments text[], p_most integer)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    failed boolean := (select o.status = 'closed_unsuccessfully' from engine.offer o where o.offering_id = p_offering);
    chosen text[];
    ended text[];
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    ended := array(select i.investment_id from engine.investment i join engine.position pos using (offering_id, investment_id)
        where i.offering_id = p_offering and (p_investments is null or i.investment_id = any (p_investments))
        and pos.issuance = 'open' and (failed or i.status in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully')));
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id = any (ended)
    order by pos.investment_id for update;
    -- Units may have been instructed for one of them before its lock was had.
    ended := array(select pos.investment_id from engine.position pos where pos.offering_id = p_offering
        and pos.investment_id = any (ended) and pos.issuance = 'open');
    update treasury.payment_attempt a set status = 'cancelled' where a.offering_id = p_offering
        and a.investment_id = any (ended) and a.status in ('initialized', 'in_progress') and a.received_minor = 0;
    -- Nobody's money of a failed offer goes back too.
    chosen := array(select r.receipt_id from treasury.receipt r where r.offering_id = p_offering
        and r.source_fingerprint is not null
        and (r.status in ('matched', 'cleared') and r.investment_id = any (ended)
            or failed and p_investments is null and r.status in ('unmatched', 'held', 'stored'))
        order by r.receipt_id limit p_most);
    return treasury.start_refunds(p_offering, chosen, case when failed then 'failed_offer' else 'cancellation' end);
end $$;

-- The refunds that wait for the bank, all of one currency, or a named one; locked for the one who writes their bytes in this very
-- transaction. One to a party with a confirmed match stays where it is (31 CFR 501.603), and so does one whose payer is not
-- screened yet.
create function treasury.take_refunds(p_actor text, p_request text, p_offering text, p_most integer, p_refund text default null)
returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    return (select coalesce(jsonb_agg(jsonb_build_object('refund', f.refund_id, 'receipt', f.receipt_id, 'amount', f.amount_minor,
            'currency', f.currency, 'fingerprint', encode(f.payee_fingerprint, 'hex'), 'try', f.try_no) order by f.refund_id), '[]')
        from (select * from treasury.refund t where t.offering_id = p_offering and t.status = 'created' and not treasury.is_of_coins(t)
            and case when p_refund is not null then t.refund_id = p_refund
                else t.currency = (select min(c.currency) from treasury.refund c where c.offering_id = p_offering and c.status = 'created'
                    and not treasury.is_of_coins(c) and engine.may_go_back(p_offering, c.receipt_id)) end
            and engine.may_go_back(p_offering, t.receipt_id)
            order by t.refund_id limit p_most for update skip locked) f);
end $$;

-- Tokens go back on their chain, never through a bank.
create function treasury.is_of_coins(f treasury.refund) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from treasury.receipt r where r.offering_id = f.offering_id and r.receipt_id = f.receipt_id
        and r.rail = 'stablecoin');
end $$;

-- Commits the bytes of an order before they leave: from now on the money is with the bank or on its way there. An order that
-- sends a payment back as such says so, because the bank may book it under the names of that payment.
create function treasury.store_payout(p_actor text, p_request text, p_offering text, p_payout text, p_content bytea,
    p_refunds text[], p_is_return boolean default false) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    total bigint;
    money text;
    orders integer;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    perform 1 from treasury.refund f where f.offering_id = p_offering and f.refund_id = any (p_refunds)
    order by f.refund_id for update;
    select sum(f.amount_minor), min(f.currency), count(*) into total, money, orders from treasury.refund f
    where f.offering_id = p_offering and f.refund_id = any (p_refunds) and f.status = 'created';
    if orders <> cardinality(p_refunds) or orders = 0 or exists (select from treasury.refund f
        where f.offering_id = p_offering and f.refund_id = any (p_refunds) and f.currency <> money) then
        raise exception using errcode = 'BR008', constraint = 'payout_carries_each_refund_once',
            message = format('a refund of %s is sent already, or in another currency', p_payout);
    end if;
    if exists (select from treasury.refund f where f.offering_id = p_offering and f.refund_id = any (p_refunds)
        and treasury.is_of_coins(f)) then
        raise exception using errcode = 'BR008', constraint = 'payout_is_on_the_rail_of_its_money',
            message = format('%s would send tokens through a bank', p_payout);
    end if;
    if exists (select from treasury.refund f where f.offering_id = p_offering and f.refund_id = any (p_refunds)
        and engine.is_blocked(p_offering, f.receipt_id)) then
        raise exception using errcode = 'BR008', constraint = 'payout_goes_to_nobody_blocked',
            message = format('a payee of %s has a match with a sanctions list', p_payout);
    end if;
    insert into treasury.payout (offering_id, payout_id, status, purpose, content, content_sha256, amount_minor, currency, orders)
    values (p_offering, p_payout, 'prepared', case when p_is_return then 'return' else 'refund' end, p_content, sha256(p_content),
        total, money, orders);
    update treasury.refund set status = 'sent', payout_id = p_payout
    where offering_id = p_offering and refund_id = any (p_refunds);
    perform treasury.post(p_offering, 'paid:' || p_payout, 'refunds_sent', money, jsonb_build_array(
        jsonb_build_object('account', 'liab:refund_payable', 'side', 'debit', 'amount', total),
        jsonb_build_object('account', 'asset:escrow_bank', 'side', 'credit', 'amount', total)));
    return total;
end $$;

-- The bytes of a prepared order, locked for the one who hands them over in this very transaction. Refused when somebody
-- whom they pay was blocked since they were written, and when the money for it went back.
create function treasury.take_payout(p_actor text, p_request text, p_offering text, p_payout text) returns bytea
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    bytes bytea;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select p.content into bytes from treasury.payout p
    where p.offering_id = p_offering and p.payout_id = p_payout and p.status = 'prepared' for update;
    if exists (select from treasury.refund f where f.offering_id = p_offering and f.payout_id = p_payout
        and engine.is_blocked(p_offering, f.receipt_id)) then
        raise exception using errcode = 'BR008', constraint = 'payout_goes_to_nobody_blocked',
            message = format('a payee of %s has a match with a sanctions list', p_payout);
    end if;
    if exists (select from treasury.debit d join engine.position pos using (offering_id, investment_id)
        where d.offering_id = p_offering and d.payout_id = p_payout and not pos.investor_is_cleared) then
        raise exception using errcode = 'BR008', constraint = 'debit_is_of_a_cleared_investor',
            message = format('an investor of %s is not cleared any more', p_payout);
    end if;
    if treasury.pays_somebody_hindered(p_offering, p_payout) then
        raise exception using errcode = 'BR008', constraint = 'payout_goes_to_nobody_held',
            message = format('a payee of %s is held, or is paid elsewhere by now', p_payout);
    end if;
    if exists (select from treasury.tax_remittance m where m.offering_id = p_offering and m.payout_id = p_payout) then
        perform treasury.refuse_tax_that_lacks_money(p_offering, p_payout);
    end if;
    return bytes;
end $$;

-- Takes back an order that the bank does not have; its refunds wait again, and those that may go get another order.
create function treasury.withdraw_payout(p_actor text, p_request text, p_offering text, p_payout text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    p treasury.payout;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    perform 1 from treasury.refund f where f.offering_id = p_offering and f.payout_id = p_payout order by f.refund_id for update;
    select * into p from treasury.payout x where x.offering_id = p_offering and x.payout_id = p_payout for update;
    if p.status is distinct from 'prepared' or p.purpose not in ('refund', 'return', 'distribution', 'remittance') then
        raise exception using errcode = 'BR008', constraint = 'withdrawn_payout_was_not_handed_over',
            message = format('%s is not an order that waits and may be withdrawn', p_payout);
    end if;
    if p.purpose in ('distribution', 'remittance') then
        if p.purpose = 'remittance' then
            perform treasury.free_remittance(p);
        else
            perform treasury.free_disbursements(p);
        end if;
        update treasury.payout set status = 'withdrawn' where offering_id = p_offering and payout_id = p_payout;
        return;
    end if;
    perform treasury.post(p_offering, 'withdrawn:' || p_payout, 'refunds_withdrawn', p.currency, jsonb_build_array(
        jsonb_build_object('account', 'asset:escrow_bank', 'side', 'debit', 'amount', p.amount_minor),
        jsonb_build_object('account', 'liab:refund_payable', 'side', 'credit', 'amount', p.amount_minor)), 'paid:' || p_payout);
    update treasury.payout set status = 'withdrawn' where offering_id = p_offering and payout_id = p_payout;
    update treasury.refund set status = 'created', payout_id = null where offering_id = p_offering and payout_id = p_payout;
end $$;

-- The bank acknowledged the bytes; the same answer again changes nothing.
create function treasury.mark_handed_over(p_actor text, p_request text, p_offering text, p_payout text,
    p_bank_reference text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update treasury.payout set status = 'handed_over', bank_reference = p_bank_reference
    where offering_id = p_offering and payout_id = p_payout and status = 'prepared';
    return found;
end $$;

-- What a statement shows the bank had, though nobody noted its answer.
create function treasury.note_shown(p_offering text, p_payouts text[]) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    update treasury.payout set status = 'handed_over', bank_reference = 'statement'
    where offering_id = p_offering and payout_id = any (p_payouts) and status = 'prepared';
end;

-- The bank shows refunds on a statement: they have arrived.
create function treasury.settle_refunds(p_actor text, p_request text, p_offering text, p_refunds text[], p_booked_on date)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    attempts text[];
    touched text[];
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id in (
        select r.investment_id from treasury.refund f join treasury.receipt r using (offering_id, receipt_id)
        where f.offering_id = p_offering and f.refund_id = any (p_refunds)) order by pos.investment_id for update;
    update treasury.refund set status = 'settled' where offering_id = p_offering and refund_id = any (p_refunds) and status <> 'settled';
    perform treasury.note_shown(p_offering, array(select distinct f.payout_id from treasury.refund f
        where f.offering_id = p_offering and f.refund_id = any (p_refunds) and f.payout_id is not null));
    insert into treasury.booking (offering_id, booking_id, journal_id, currency, amount_minor, booked_on)
    select f.offering_id, f.refund_id || '@' || f.try_no, 'paid:' || f.payout_id, f.currency, -f.amount_minor, p_booked_on
    from treasury.refund f where f.offering_id = p_offering and f.refund_id = any (p_refunds)
    on conflict do nothing;
    with arrived as (
        update treasury.receipt r set status = 'refunded' from treasury.refund f
        where r.offering_id = p_offering and f.offering_id = r.offering_id and f.receipt_id = r.receipt_id
            and f.refund_id = any (p_refunds) and r.status = 'refunding'
        returning r.attempt_id, r.investment_id)
    select array_agg(a.attempt_id) filter (where a.attempt_id is not null),
        array_agg(a.investment_id) filter (where a.investment_id is not null) into attempts, touched from arrived a;
    perform treasury.follow(p_offering, attempts, 'settled');
    perform treasury.publish(p_offering, touched);
    return cardinality(p_refunds);
end $$;

-- The payee's bank sent a refund back: the money is in escrow again and the refund waits for another try.
create function treasury.bounce_refund(p_actor text, p_request text, p_offering text, p_refund text, p_code text,
    p_booked_on date) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    f treasury.refund;
    r treasury.receipt;
    journal text;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    perform treasury.lock(p_offering, (select x.investment_id from treasury.refund y join treasury.receipt x
        using (offering_id, receipt_id) where y.offering_id = p_offering and y.refund_id = p_refund));
    select * into f from treasury.refund where offering_id = p_offering and refund_id = p_refund for update;
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = f.receipt_id for update;
    if f.status is null or f.status not in ('sent', 'settled') or f.returned_in is not null then
        raise exception using errcode = 'BR008', constraint = 'bounced_refund_was_sent',
            message = format('%s was not sent', p_refund);
    end if;
    journal := 'bounced:' || p_refund || '@' || f.try_no;
    perform treasury.post(p_offering, journal, 'refund_bounced', f.currency,
        treasury.cash(p_offering, f.currency, 'debit', f.amount_minor) || jsonb_build_array(
            jsonb_build_object('account', case r.status when 'returned' then 'asset:clawback_receivable'
                else 'liab:refund_payable' end, 'side', 'credit', 'amount', f.amount_minor)));
    insert into treasury.booking (offering_id, booking_id, journal_id, currency, amount_minor, booked_on)
    values (p_offering, p_refund || '@' || f.try_no, 'paid:' || f.payout_id, f.currency, -f.amount_minor, p_booked_on)
    on conflict do nothing;
    insert into treasury.booking (offering_id, booking_id, journal_id, currency, amount_minor, booked_on)
    values (p_offering, journal, journal, f.currency, f.amount_minor, p_booked_on);
    update treasury.refund set status = 'bounced', bounce_code = p_code where offering_id = p_offering and refund_id = p_refund;
    if r.status = 'returned' then
        -- It went out after the receipt had come back: what bounced is no longer lost.
        update treasury.receipt set receivable_minor = receivable_minor - f.amount_minor
        where offering_id = p_offering and receipt_id = f.receipt_id;
        return;
    end if;
    update treasury.refund set status = 'created', try_no = try_no + 1 where offering_id = p_offering and refund_id = p_refund;
    if r.status = 'refunded' then
        update treasury.receipt set status = 'refunding' where offering_id = p_offering and receipt_id = f.receipt_id;
        perform treasury.follow(p_offering, array[r.attempt_id], 'bounced');
        perform treasury.publish(p_offering, array[r.investment_id]);
    end if;
end $$;

-- Sends back what one investment holds above its amount, the latest receipts first, and returns the excess in minor units. Asked
-- again it finds no excess. Refused once units are instructed.
create function treasury.refund_cut(p_actor text, p_request text, p_offering text, p_investment text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a treasury.payment_attempt;
    owed bigint;
    excess bigint;
    remaining bigint;
    money record;
    leaving text[] := '{}';
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    perform treasury.lock(p_offering, p_investment);
    perform treasury.refuse_after_issuance(p_offering, array[p_investment]);
    select i.amount_minor into owed from engine.investment i
    where i.offering_id = p_offering and i.investment_id = p_investment;
    -- What counts is the money that stands here, whatever an earlier refund has made of the attempt.
    select * into a from treasury.payment_attempt x where x.offering_id = p_offering and x.investment_id = p_investment
    order by x.attempt_no desc limit 1 for update;
    excess := greatest((select coalesce(sum(r.amount_minor), 0) from treasury.receipt r where r.offering_id = p_offering
        and r.investment_id = p_investment and r.status in ('matched', 'cleared')) - owed, 0);
    if a.attempt_id is null or (a.due_minor <= owed and excess = 0) then
        return 0;
    end if;
    remaining := excess;
    for money in select r.receipt_id, r.amount_minor from treasury.receipt r
        where r.offering_id = p_offering and r.investment_id = p_investment and r.status in ('matched', 'cleared')
        order by r.booked_on desc, r.receipt_id desc for update
    loop
        exit when remaining = 0;
        if money.amount_minor > remaining then
            perform treasury.divide(p_offering, money.receipt_id, jsonb_build_array(
                jsonb_build_object('id', money.receipt_id || '.kept', 'amount', money.amount_minor - remaining),
                jsonb_build_object('id', money.receipt_id || '.back', 'amount', remaining)));
            leaving := leaving || (money.receipt_id || '.back');
            remaining := 0;
        else
            leaving := leaving || money.receipt_id;
            remaining := remaining - money.amount_minor;
        end if;
    end loop;
    if treasury.start_refunds(p_offering, leaving, 'scale_back') <> cardinality(leaving) then
        raise exception using errcode = 'BR008', constraint = 'refund_goes_to_its_source',
            message = format('the source of a receipt of %s is not known', p_investment);
    end if;
    if excess = 0 and a.status in ('initialized', 'in_progress', 'received', 'cleared', 'returned', 'sent_back_pending') then
        update treasury.payment_attempt set due_minor = owed where offering_id = p_offering and attempt_id = a.attempt_id;
    end if;
    -- What was a part of the old amount may be the whole of the new one.
    perform treasury.follow(p_offering, array[a.attempt_id], 'matched');
    perform treasury.follow(p_offering, array[a.attempt_id], 'cleared');
    perform treasury.publish(p_offering, array[p_investment]);
    return excess;
end $$;
