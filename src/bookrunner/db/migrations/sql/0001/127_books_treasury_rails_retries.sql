-- Payments that failed or came back, and whether their reason lets them be tried again on the same investment.

-- The day of the entry that an attempt stands for: the bank's, else the day its debit was sent, else that of its instructions.
create function treasury.entered_on(p_offering text, p_attempt text) returns date
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select coalesce(
        (select min(r.booked_on) from treasury.receipt r where r.offering_id = p_offering and r.attempt_id = p_attempt),
        (select min(e.recorded_at at time zone 'UTC')::date from treasury.debit d join audit.event e
            on e.scope = d.offering_id and e.subject = d.debit_id and e.kind = 'debit.sent'
            where d.offering_id = p_offering and d.attempt_id = p_attempt),
        (select (e.recorded_at at time zone 'UTC')::date from audit.event e
            where e.scope = p_offering and e.subject = p_attempt and e.version = 1));
end;

-- What may follow an attempt that failed or came back; no row for any other. All reasons of one rail that let the same
-- money be asked for again count together, and their days begin with the first entry: of an ACH debit, R01 and R09 at most
-- twice within 180 days (Nacha Operating Rules, Subsection 2.12.4); a reason that is not listed stops.
create function treasury.what_follows(p_offering text, p_attempt text)
returns table (then_do text, sentence text, stopped_because text, tries_left integer, until_day date)
language sql stable rows 1 security definer set search_path = pg_catalog, pg_temp
begin atomic
    select case when s.stopped_because is null then s.then_do else 'stop' end, s.sentence, s.stopped_because,
        case when s.stopped_because is null then s.tries_left else 0 end, s.until_day
    from (select f.then_do, f.sentence, t.tries_left, t.until_day, case
            when f.then_do is null then 'A person decides.'
            when f.then_do = 'stop' then 'Such a payment is never tried again.'
            when t.tries_left = 0 then 'It was tried as often as its rule allows.'
            when t.until_day < (clock_timestamp() at time zone 'UTC')::date then 'The days in which it may be tried again are over.'
            end as stopped_because
        from treasury.payment_attempt a
        left join treasury.failure_reason f on f.rail = a.failed_rail and f.code = a.failed_code
        cross join lateral (select greatest(f.most_retries + 1 - count(*), 0)::integer as tries_left,
                min(treasury.entered_on(x.offering_id, x.attempt_id)) + f.within_days as until_day
            from treasury.payment_attempt x
            join treasury.failure_reason g on g.rail = x.failed_rail and g.code = x.failed_code
            where x.offering_id = a.offering_id and x.investment_id = a.investment_id and x.attempt_no <= a.attempt_no
                and g.rail = f.rail and (g.code = f.code or g.then_do = 'retry' and f.then_do = 'retry')) t
        where a.offering_id = p_offering and a.attempt_id = p_attempt
            and a.status in ('failed', 'returned', 'creation_error')) s;
end;

-- The failures of an investment with the accounts they came from: of whole attempts, of receipts that were a part, of debits.
-- A reason that is not known, or not listed, stops; a transfer that the chain undid has none.
create function treasury.failures_of(p_offering text, p_investment text) returns table (then_do text, fingerprint bytea)
language sql stable rows 3 set search_path = pg_catalog, pg_temp
begin atomic
    select coalesce(f.then_do, 'stop'), x.fingerprint
    from (select a.failed_rail as rail, a.failed_code as code, s.fingerprint from treasury.payment_attempt a
            cross join lateral (select r.source_fingerprint as fingerprint from treasury.receipt r
                    where r.offering_id = a.offering_id and r.attempt_id = a.attempt_id
                union select d.payer_fingerprint from treasury.debit d
                    where d.offering_id = a.offering_id and d.attempt_id = a.attempt_id) s
            where a.offering_id = p_offering and a.investment_id = p_investment and a.failed_code is not null
        union all select r.rail, r.return_code, r.source_fingerprint from treasury.receipt r
            where r.offering_id = p_offering and r.investment_id = p_investment and r.status = 'returned'
                and r.rail <> 'stablecoin'
        union all select 'ach_debit', d.return_code, d.payer_fingerprint from treasury.debit d
            where d.offering_id = p_offering and d.investment_id = p_investment and d.status = 'returned') x
    left join treasury.failure_reason f on f.rail = x.rail and f.code = x.code;
end;

-- Whether a payment from this account failed on the investment for a reason that asks for another account, or for none.
create function treasury.is_spent_source(p_offering text, p_investment text, p_fingerprint bytea) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select exists (select from treasury.failures_of(p_offering, p_investment) x
        where x.fingerprint = p_fingerprint and x.then_do <> 'retry');
end;

-- Whether no account may be debited for the investment: some payment of it failed for a reason that stops, or its ACH debits were
-- entered as often or as long as their reason allows (Nacha Operating Rules, Subsection 2.12.4).
create function treasury.bars_debits(p_offering text, p_investment text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select exists (select from treasury.failures_of(p_offering, p_investment) x where x.then_do = 'stop')
        or exists (select from treasury.payment_attempt a cross join lateral treasury.what_follows(a.offering_id, a.attempt_id) w
            where a.offering_id = p_offering and a.investment_id = p_investment and a.failed_rail = 'ach_debit' and w.then_do = 'stop');
end;

-- Another attempt on the same investment, when the reason of the last failure allows one; due is what is missing. Units,
-- price and signature are the investment's and stay.
create function treasury.retry_payment(p_actor text, p_request text, p_offering text, p_attempt text,
    p_investment text, p_reference text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    p engine.position;
    last treasury.payment_attempt;
    follows record;
    due bigint;
begin
    perform audit.enter(p_actor, p_request);
    p := engine.pass(p_offering, p_investment, 'release_instructions');
    select * into last from treasury.payment_attempt a where a.offering_id = p_offering and a.investment_id = p_investment
    order by a.attempt_no desc limit 1;
    if last.status is null or last.status not in ('failed', 'returned', 'creation_error') then
        raise exception using errcode = 'BR008', constraint = 'retry_follows_a_failure',
            message = format('the last payment of %s neither failed nor came back', p_investment);
    end if;
    select * into follows from treasury.what_follows(p_offering, last.attempt_id);
    if follows.then_do = 'stop' then
        raise exception using errcode = 'BR008', constraint = 'reason_allows_a_retry',
            message = concat_ws(' ', coalesce(last.failed_code, 'no reason is known') || ':', follows.sentence,
                follows.stopped_because);
    end if;
    if follows.then_do = 'new_account' and not exists (select from treasury.source_account s
        where s.investor_id = p.investor_id and s.status = 'approved'
            and not treasury.is_spent_source(p_offering, p_investment, s.fingerprint)) then
        raise exception using errcode = 'BR008', constraint = 'reason_allows_a_retry',
            message = format('%s: %s No other account is approved.', last.failed_code, follows.sentence);
    end if;
    due := (select i.amount_minor from engine.investment i where i.offering_id = p_offering
        and i.investment_id = p_investment) - p.received_minor;
    insert into treasury.payment_attempt (offering_id, attempt_id, investment_id, investor_id, attempt_no, status,
        reference, due_minor, currency)
    values (p_offering, p_attempt, p_investment, p.investor_id, last.attempt_no + 1, 'initialized', p_reference, due, last.currency);
    perform treasury.publish(p_offering, array[p_investment]);
    return due;
end $$;

-- The rail refused a payment before any money arrived.
create function treasury.fail_payment(p_actor text, p_request text, p_offering text, p_attempt text, p_rail text,
    p_code text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    paid text := (select a.investment_id from treasury.payment_attempt a
        where a.offering_id = p_offering and a.attempt_id = p_attempt);
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    perform treasury.lock(p_offering, paid);
    if exists (select from treasury.payment_attempt a where a.offering_id = p_offering and a.attempt_id = p_attempt
        and a.received_minor > 0) then
        raise exception using errcode = 'BR008', constraint = 'failed_payment_brought_nothing',
            message = format('money of %s is in escrow', p_attempt);
    end if;
    update treasury.payment_attempt set status = 'failed', failed_rail = p_rail, failed_code = p_code
    where offering_id = p_offering and attempt_id = p_attempt;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'attempt_exists', message = format('there is no attempt %s', p_attempt);
    end if;
    perform treasury.publish(p_offering, array[paid]);
end $$;
