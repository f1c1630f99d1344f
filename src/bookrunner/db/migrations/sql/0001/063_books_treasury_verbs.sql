-- The verbs of the fund administrator.

create function treasury.lock(p_offering text, p_investment text) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.position where offering_id = p_offering and investment_id = p_investment for update;
end $$;

-- Tells positions what the treasury says now, over all attempts of an investment; the caller has locked them.
create function treasury.publish(p_offering text, p_investments text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update engine.position as pos set
        funds_are_received = f.received >= f.due,
        funds_are_cleared = f.cleared >= f.due,
        received_minor = f.received,
        cleared_minor = f.cleared,
        received_since = case when pos.funds_are_received = (f.received >= f.due) then pos.received_since else clock_timestamp() end,
        cleared_since = case when pos.funds_are_cleared = (f.cleared >= f.due) then pos.cleared_since else clock_timestamp() end,
        funding_fact = f.attempt_id || '@' || f.version,
        funding_hash = f.chain_head
    from (
        select x.investment_id, a.attempt_id, a.version, a.chain_head, i.amount_minor as due,
            coalesce(m.received, 0) as received, coalesce(m.cleared, 0) as cleared
        from (select distinct u.investment_id from unnest(p_investments) as u (investment_id)) x
        join engine.investment i on i.offering_id = p_offering and i.investment_id = x.investment_id
        cross join lateral (select l.attempt_id, l.version, l.chain_head from treasury.payment_attempt l
            where l.offering_id = p_offering and l.investment_id = x.investment_id order by l.attempt_no desc limit 1) a
        cross join lateral (select sum(r.amount_minor) as received,
                sum(r.amount_minor) filter (where r.status = 'cleared' and not exists (select from treasury.recalled_attempt q
                    where q.offering_id = r.offering_id and q.attempt_id = r.attempt_id)) as cleared
            from treasury.receipt r where r.offering_id = p_offering and r.investment_id = x.investment_id
            and r.status in ('matched', 'cleared')) m
    ) f
    where pos.offering_id = p_offering and pos.investment_id = f.investment_id;
end $$;

-- Lets attempts follow their receipts after an event: p_because is matched, cleared, unmatched, returned, refunded,
-- scaled_back, settled or bounced. An attempt that the event does not change is not written.
create function treasury.follow(p_offering text, p_attempts text[], p_because text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update treasury.payment_attempt a set received_minor = f.live, status = f.becomes,
        due_minor = case p_because when 'scaled_back' then f.live else a.due_minor end
    from (
        select t.attempt_id, t.status, t.received_minor, m.live, case
            when p_because = 'matched' and t.status in ('initialized', 'in_progress') and m.live >= t.due_minor then 'received'
            when p_because = 'cleared' and t.status = 'received' and m.final >= t.due_minor then 'cleared'
            when p_because = 'unmatched' and t.status in ('received', 'cleared') and m.live < t.due_minor then 'initialized'
            when p_because = 'returned' and t.status in ('received', 'cleared', 'settled', 'sent_back_pending', 'sent_back_settled')
                and m.live < t.due_minor then 'returned'
            when p_because = 'refunded' and t.status in ('initialized', 'in_progress', 'received', 'cleared', 'returned')
                and m.live < t.due_minor then 'sent_back_pending'
            when p_because = 'settled' and t.status = 'sent_back_pending' and m.leaving = 0 then 'sent_back_settled'
            when p_because = 'bounced' and t.status = 'sent_back_settled' then 'sent_back_pending'
            else t.status end as becomes
        from (select distinct u.attempt_id from unnest(p_attempts) as u (attempt_id)) x
        join treasury.payment_attempt t on t.offering_id = p_offering and t.attempt_id = x.attempt_id
        cross join lateral (select
                coalesce(sum(r.amount_minor) filter (where r.status in ('matched', 'cleared')), 0) as live,
                coalesce(sum(r.amount_minor) filter (where r.status = 'cleared'), 0) as final,
                count(*) filter (where r.status = 'refunding') as leaving
            from treasury.receipt r where r.offering_id = p_offering and r.investment_id = t.investment_id
            and r.attempt_id = t.attempt_id) m
    ) f
    where a.offering_id = p_offering and a.attempt_id = f.attempt_id
        and ((f.becomes, f.live) is distinct from (f.status, f.received_minor::numeric) or p_because = 'scaled_back');
end $$;

-- The liability that owes a receipt, by where the receipt stands.
create function treasury.owing(r treasury.receipt) returns text
language sql immutable
return case r.status when 'matched' then 'liab:inv:' || r.investment_id || ':received'
    when 'cleared' then 'liab:inv:' || r.investment_id || ':cleared'
    when 'held' then 'liab:held_source' when 'stored' then 'liab:wallet:' || r.stored_for when 'refunding' then 'liab:refund_payable'
    when 'funding' then 'liab:distribution_funds:' || r.funds_distribution_id else 'liab:unmatched' end;

create function treasury.approve_source(p_actor text, p_request text, p_investor text, p_source text,
    p_fingerprint bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into treasury.source_account (investor_id, source_id, fingerprint, status)
    values (p_investor, p_source, p_fingerprint, 'approved');
end $$;

-- Releases funding instructions; waits for the whole subscription stage. After a payment that failed or came back its
-- reason is asked first, by treasury.retry_payment.
create function treasury.release_instructions(p_actor text, p_request text, p_offering text, p_attempt text,
    p_investment text, p_reference text, p_due_minor bigint, p_currency text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    p engine.position;
begin
    perform audit.enter(p_actor, p_request);
    p := engine.pass(p_offering, p_investment, 'release_instructions');
    if (select a.status from treasury.payment_attempt a where a.offering_id = p_offering and a.investment_id = p_investment
        order by a.attempt_no desc limit 1) in ('failed', 'returned', 'creation_error') then
        raise exception using errcode = 'BR008', constraint = 'failed_payment_is_retried',
            message = format('the last payment of %s failed or came back; a further try asks its reason', p_investment);
    end if;
    insert into treasury.payment_attempt (offering_id, attempt_id, investment_id, investor_id, attempt_no, status,
        reference, due_minor, currency)
    select p_offering, p_attempt, p_investment, p.investor_id, 1 + count(*), 'initialized', p_reference, p_due_minor, p_currency
    from treasury.payment_attempt where offering_id = p_offering and investment_id = p_investment;
    perform treasury.publish(p_offering, array[p_investment]);
end $$;

-- Imports the booked credits of one statement: each new entry is a receipt and stands in the ledger as unmatched.
-- Entries are {id, key, amount, currency, booked_on, value_on, reference, references, rail, fingerprint, sender, line_sha256}.
create function treasury.import_statement(p_actor text, p_request text, p_offering text, p_statement jsonb,
    p_entries jsonb) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    in_currency text;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select o.currency into in_currency from engine.offer o where o.offering_id = p_offering;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'offer_exists',
            message = format('there is no offer %s', p_offering);
    end if;
    if in_currency is distinct from p_statement ->> 'currency' then
        raise exception using errcode = 'BR008', constraint = 'statement_is_in_the_offers_currency',
            message = format('the account is in %s, %s is sold in %s', p_statement ->> 'currency', p_offering, in_currency);
    end if;
    insert into treasury.statement (offering_id, statement_id, status, account, bank_statement_id, file_sha256,
        opening_minor, closing_minor, closed_on, entries)
    values (p_offering, p_statement ->> 'id', 'imported', p_statement ->> 'account', p_statement ->> 'bank_id',
        decode(p_statement ->> 'file_sha256', 'hex'), (p_statement ->> 'opening_minor')::bigint,
        (p_statement ->> 'closing_minor')::bigint, (p_statement ->> 'closed_on')::date,
        coalesce((p_statement ->> 'entries')::integer, jsonb_array_length(p_entries)));
    return treasury.book(p_offering, p_statement ->> 'id', p_entries);
end $$;

-- Entries of a statement that this very transaction imports: a long file comes in pieces, in the order of booking day and
-- key. What the rules place is matched in the same breath, as a look at every waiting receipt would do next.
create function treasury.import_entries(p_actor text, p_request text, p_offering text, p_statement text,
    p_entries jsonb) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    if (select s.imported_in from treasury.statement s where s.offering_id = p_offering and s.statement_id = p_statement)
        is distinct from pg_current_xact_id() then
        raise exception using errcode = 'BR009', constraint = 'statement_is_open',
            message = format('%s is imported as a whole', p_statement);
    end if;
    return treasury.book(p_offering, p_statement, p_entries, true);
end $$;

-- Posts what a statement brought, {currency, amount} each: money of the bank account that is nobody's yet.
create function treasury.post_booked(p_offering text, p_statement text, p_totals jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    booked record;
    journal text;
    closing date := (select s.closed_on from treasury.statement s
        where s.offering_id = p_offering and s.statement_id = p_statement);
begin
    -- A single entry may carry another currency than its account; each currency balances by itself.
    for booked in select t.currency, t.amount from jsonb_to_recordset(p_totals) as t (currency text, amount numeric) loop
        journal := concat_ws(':', 'booked', p_statement, nullif(booked.currency,
            (select o.currency from engine.offer o where o.offering_id = p_offering)));
        if exists (select from treasury.journal j where j.offering_id = p_offering and j.journal_id = journal) then
            journal := journal || ':' || (select count(*) from treasury.journal j
                where j.offering_id = p_offering and starts_with(j.journal_id, 'booked:' || p_statement));
        end if;
        perform treasury.post(p_offering, journal, 'receipts_booked', booked.currency,
            treasury.cash(p_offering, booked.currency, 'debit', booked.amount) || jsonb_build_array(
                jsonb_build_object('account', 'liab:unmatched', 'side', 'credit', 'amount', booked.amount)));
        insert into treasury.booking (offering_id, booking_id, journal_id, currency, amount_minor, booked_on)
        values (p_offering, journal, journal, booked.currency, booked.amount, closing);
    end loop;
end $$;

-- Takes entries as receipts. At once, what the rules place whole is born matched, in the order of booking day and key; what
-- they stop, divide or find together with other waiting money waits for treasury.match, and so does an entry that says so.
-- A session keeps the plans that it made while few had paid: none may be a scan of the whole.
create function treasury.book(p_offering text, p_statement text, p_entries jsonb, p_at_once boolean default false) returns integer
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off as $$
declare
    matching text := 'matched:' || (p_entries -> 0 ->> 'id') || ':' || pg_current_xact_id();
    added integer;
    totals jsonb;
    credits jsonb;
    crowded text[];
    attempts text[];
    investments text[];
    placed_in text;
    placed_minor bigint;
begin
    if p_at_once then
        perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id in (
            select a.investment_id from jsonb_to_recordset(p_entries) as e (reference text, "references" text[])
            join treasury.payment_attempt a on a.offering_id = p_offering and a.reference = coalesce(e.reference, e."references"[1]))
        order by pos.investment_id for update;
    end if;
    crowded := array(select r.claimed_reference from treasury.receipt r where r.offering_id = p_offering
        and r.status in ('unmatched', 'held') and r.claimed_reference is not null);
    with line as materialized (
        select e.*, coalesce(e.rail, 'wire') as on_rail, coalesce(e.reference, e."references"[1]) as claimed,
            nullif(e."references"[2:], '{}') as further, decode(e.fingerprint, 'hex') as source
        from jsonb_to_recordset(p_entries) as e (id text, key text, amount bigint, currency text, booked_on date, value_on date,
            reference text, "references" text[], rail text, fingerprint text, sender text, line_sha256 text, marks text[], waits boolean)
        where not exists (select from treasury.receipt r where r.offering_id = p_offering and r.dedupe_key = e.key offset 0)),
    day as materialized (
        select d.on_rail, d.booked_on, treasury.clears_on(d.on_rail, d.booked_on) as clears_on
        from (select distinct on_rail, booked_on from line) d),
    judged as (
        select l.*, a.attempt_id, a.investment_id, a.due_minor - a.received_minor as room_minor,
            p_at_once and l.further is null and l.waits is not true and l.claimed <> all (crowded)
                and treasury.stopped_by(l.claimed, a.attempt_id, a.currency <> l.currency, i.status, s.source_id is not null, a.status)
                    is null as passes
        from line l
        left join lateral (select * from treasury.payment_attempt x
            where p_at_once and x.offering_id = p_offering and x.reference = l.claimed offset 0) a on true
        left join lateral (select x.status from engine.investment x
            where x.offering_id = p_offering and x.investment_id = a.investment_id offset 0) i on true
        left join lateral (select x.source_id from treasury.source_account x
            where x.investor_id = a.investor_id and x.fingerprint = l.source and x.status = 'approved' offset 0) s on true),
    fitted as (
        select j.*, coalesce(j.passes and j.room_minor >= sum(j.amount) filter (where j.passes) over (
            partition by j.attempt_id order by j.booked_on, j.key rows between unbounded preceding and current row), false) as fits
        from judged j),
    fresh as (
        insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency,
            booked_on, value_on, rail, clears_on, claimed_reference, further_references, source_fingerprint, sender, line_sha256,
            marks, investment_id, attempt_id, matched_in)
        select p_offering, l.id, p_statement, l.key, case when l.fits then 'matched' else 'unmatched' end, l.amount, l.currency,
            l.booked_on, l.value_on, l.on_rail, d.clears_on, l.claimed, l.further, l.source, l.sender,
            decode(l.line_sha256, 'hex'), nullif(l.marks, '{}'), case when l.fits then l.investment_id end,
            case when l.fits then l.attempt_id end, case when l.fits then matching end
        from fitted l join day d using (on_rail, booked_on)
        returning currency, amount_minor, investment_id, attempt_id),
    total as (select f.currency, sum(f.amount_minor) as amount, count(*) as entries from fresh f group by f.currency),
    placed as (select f.investment_id, min(f.attempt_id) as attempt_id, min(f.currency) as currency, sum(f.amount_minor) as amount
        from fresh f where f.investment_id is not null group by f.investment_id)
    select t.entries, t.totals, p.credits, p.attempts, p.investments, p.currency, p.amount
    into added, totals, credits, attempts, investments, placed_in, placed_minor
    from (select sum(x.entries) as entries, jsonb_agg(to_jsonb(x) order by x.currency) as totals from total x) t,
        (select jsonb_agg(jsonb_build_object('account', 'liab:inv:' || x.investment_id || ':received', 'side', 'credit',
                'amount', x.amount) order by x.investment_id) as credits, array_agg(x.attempt_id) as attempts,
            array_agg(x.investment_id) as investments, min(x.currency) as currency, sum(x.amount) as amount from placed x) p;
    perform treasury.post_booked(p_offering, p_statement, totals);
    if credits is not null then
        perform treasury.post(p_offering, matching, 'receipts_matched', placed_in, jsonb_build_array(
            jsonb_build_object('account', 'liab:unmatched', 'side', 'debit', 'amount', placed_minor)) || credits);
        perform treasury.follow(p_offering, attempts, 'matched');
        perform treasury.keep_payment_rates(p_offering, investments);
        perform treasury.publish(p_offering, investments);
    end if;
    return coalesce(added, 0);
end $$;
