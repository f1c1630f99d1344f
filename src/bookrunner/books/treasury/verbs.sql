-- The verbs of the fund administrator.

create function treasury.lock(p_offering text, p_investment text) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.position where offering_id = p_offering and investment_id = p_investment for update;
end $$;

-- Tells positions what the treasury says now; the caller has locked them.
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
        select a.investment_id, a.attempt_id, a.version, a.chain_head, a.due_minor as due,
            a.received_minor as received,
            coalesce((select sum(r.amount_minor) from treasury.receipt r where r.offering_id = a.offering_id
                and r.investment_id = a.investment_id and r.attempt_id = a.attempt_id and r.status = 'cleared'), 0) as cleared
        from unnest(p_investments) as x (investment_id)
        join treasury.payment_attempt a on a.offering_id = p_offering and a.investment_id = x.investment_id
        where a.attempt_no = (select max(l.attempt_no) from treasury.payment_attempt l
                where l.offering_id = a.offering_id and l.investment_id = a.investment_id)
    ) f
    where pos.offering_id = p_offering and pos.investment_id = f.investment_id;
end $$;

create function treasury.approve_source(p_actor text, p_request text, p_investor text, p_source text,
    p_fingerprint bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into treasury.source_account (investor_id, source_id, fingerprint, status)
    values (p_investor, p_source, p_fingerprint, 'approved');
end $$;

-- Releases funding instructions; waits for the whole subscription stage.
create function treasury.release_instructions(p_actor text, p_request text, p_offering text, p_attempt text,
    p_investment text, p_reference text, p_due_minor bigint, p_currency text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    p engine.position;
begin
    perform audit.enter(p_actor, p_request);
    p := engine.pass(p_offering, p_investment, 'release_instructions');
    insert into treasury.payment_attempt (offering_id, attempt_id, investment_id, investor_id, attempt_no, status,
        reference, due_minor, currency)
    select p_offering, p_attempt, p_investment, p.investor_id, 1 + count(*), 'initialized', p_reference, p_due_minor, p_currency
    from treasury.payment_attempt where offering_id = p_offering and investment_id = p_investment;
    perform treasury.publish(p_offering, array[p_investment]);
end $$;

-- Imports the booked credits of one statement: each new entry is a receipt and stands in the ledger as unmatched.
-- Entries are {id, key, amount, currency, booked_on, value_on, reference, fingerprint, sender, line_sha256}.
create function treasury.import_statement(p_actor text, p_request text, p_offering text, p_statement jsonb,
    p_entries jsonb) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    added integer;
    in_currency text;
    booked record;
begin
    perform audit.enter(p_actor, p_request);
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
        (p_statement ->> 'closing_minor')::bigint, (p_statement ->> 'closed_on')::date, jsonb_array_length(p_entries));
    insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency,
        booked_on, value_on, claimed_reference, source_fingerprint, sender, line_sha256)
    select p_offering, e.id, p_statement ->> 'id', e.key, 'unmatched', e.amount, e.currency, e.booked_on, e.value_on,
        e.reference, decode(e.fingerprint, 'hex'), e.sender, decode(e.line_sha256, 'hex')
    from jsonb_to_recordset(p_entries) as e (id text, key text, amount bigint, currency text, booked_on date,
        value_on date, reference text, fingerprint text, sender text, line_sha256 text)
    where not exists (select from treasury.receipt r where r.offering_id = p_offering and r.dedupe_key = e.key);
    get diagnostics added = row_count;
    -- A single entry may carry another currency than its account; each currency balances by itself.
    for booked in select r.currency, sum(r.amount_minor) as total from treasury.receipt r
        where r.offering_id = p_offering and r.statement_id = p_statement ->> 'id' group by r.currency order by 1 loop
        perform treasury.post(p_offering, concat_ws(':', 'booked', p_statement ->> 'id', nullif(booked.currency, in_currency)),
            'receipts_booked', booked.currency, jsonb_build_array(
                jsonb_build_object('account', 'asset:escrow_bank', 'side', 'debit', 'amount', booked.total),
                jsonb_build_object('account', 'liab:unmatched', 'side', 'credit', 'amount', booked.total)));
    end loop;
    return added;
end $$;

-- What the rules say of each unmatched receipt: the investment it belongs to, or the first rule that stops it.
create function treasury.verdicts(p_offering text) returns table (receipt_id text, attempt_id text, investment_id text,
    amount_minor bigint, exception text)
language sql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off
begin atomic
    select r.receipt_id, a.attempt_id, a.investment_id, r.amount_minor, case
        when r.claimed_reference is null then 'no_reference'
        when a.attempt_id is null then 'unknown_reference'
        when a.currency <> r.currency then 'currency_differs'
        when a.status not in ('initialized', 'in_progress') then 'attempt_is_not_open'
        when s.source_id is null then 'source_is_not_approved'
        when a.received_minor + sum(r.amount_minor) over (partition by a.attempt_id order by r.booked_on, r.dedupe_key)
            > a.due_minor then 'amount_exceeds_due' end
    from treasury.receipt r
    left join treasury.payment_attempt a on a.offering_id = r.offering_id and a.reference = r.claimed_reference
    left join treasury.source_account s on s.investor_id = a.investor_id
        and s.fingerprint = r.source_fingerprint and s.status = 'approved'
    where r.offering_id = p_offering and r.status = 'unmatched'
    order by r.booked_on, r.dedupe_key;
end;

-- Matches every unmatched receipt that passes the rules, and names what stops each other one.
create function treasury.match(p_actor text, p_request text, p_offering text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    matched jsonb;
    touched text[];
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.position pos where pos.offering_id = p_offering
        and pos.investment_id in (select v.investment_id from treasury.verdicts(p_offering) v where v.exception is null)
    order by pos.investment_id for update;
    select coalesce(jsonb_agg(jsonb_build_object('receipt', v.receipt_id, 'attempt', v.attempt_id,
            'investment', v.investment_id, 'amount', v.amount_minor)) filter (where v.exception is null), '[]'),
        coalesce(array_agg(v.investment_id) filter (where v.exception is null), '{}')
    into matched, touched from treasury.verdicts(p_offering) v;
    update treasury.receipt r set exception = v.exception
    from treasury.verdicts(p_offering) v
    where r.offering_id = p_offering and r.receipt_id = v.receipt_id and v.exception is not null
        and r.exception is distinct from v.exception and r.status = 'unmatched';
    perform treasury.assign(p_offering, matched);
    perform treasury.publish(p_offering, touched);
    return cardinality(touched);
end $$;

-- Moves receipts from unmatched to their investments, in one journal. Lines are {receipt, attempt, investment, amount}.
create function treasury.assign(p_offering text, p_lines jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    money text;
    total numeric;
begin
    if jsonb_array_length(p_lines) = 0 then
        return;
    end if;
    update treasury.receipt r set status = 'matched', investment_id = l.investment, attempt_id = l.attempt, exception = null
    from jsonb_to_recordset(p_lines) as l (receipt text, attempt text, investment text)
    where r.offering_id = p_offering and r.receipt_id = l.receipt;
    update treasury.payment_attempt a set received_minor = a.received_minor + l.amount,
        status = case when a.received_minor + l.amount = a.due_minor then 'received' else a.status end
    from (select x.attempt, sum(x.amount) as amount
        from jsonb_to_recordset(p_lines) as x (attempt text, amount bigint) group by x.attempt) l
    where a.offering_id = p_offering and a.attempt_id = l.attempt;
    select min(r.currency) into money from treasury.receipt r
    where r.offering_id = p_offering and r.receipt_id = p_lines -> 0 ->> 'receipt';
    select sum((l ->> 'amount')::numeric) into total from jsonb_array_elements(p_lines) l;
    perform treasury.post(p_offering, 'matched:' || (select min(l ->> 'receipt') from jsonb_array_elements(p_lines) l)
            || ':' || pg_current_xact_id(), 'receipts_matched', money,
        jsonb_build_array(jsonb_build_object('account', 'liab:unmatched', 'side', 'debit', 'amount', total))
        || (select jsonb_agg(jsonb_build_object('account', 'liab:inv:' || l.investment || ':received', 'side', 'credit',
                'amount', l.amount) order by l.investment)
            from (select x.investment, sum(x.amount) as amount
                from jsonb_to_recordset(p_lines) as x (investment text, amount bigint) group by x.investment) l));
end $$;

-- Matches one receipt without a reference by hand: proposer and approver are two people and give the reason.
create function treasury.match_by_hand(p_actor text, p_request text, p_offering text, p_receipt text,
    p_investment text, p_proposed_by text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
    a treasury.payment_attempt;
begin
    perform audit.enter(p_actor, p_request);
    if p_proposed_by = p_actor or coalesce(p_proposed_by, '') = '' then
        raise exception using errcode = 'BR008', constraint = 'hand_match_needs_two_people',
            message = 'a match without a reference needs a proposer and another approver';
    end if;
    perform treasury.lock(p_offering, p_investment);
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = p_receipt for update;
    select * into a from treasury.payment_attempt where offering_id = p_offering and investment_id = p_investment
        and status in ('initialized', 'in_progress');
    if r.status is distinct from 'unmatched' or a.attempt_id is null then
        raise exception using errcode = 'BR008', constraint = 'receipt_and_attempt_are_open',
            message = format('%s and %s are not both open', p_receipt, p_investment);
    end if;
    if not exists (select from treasury.source_account s where s.investor_id = a.investor_id
        and s.fingerprint = r.source_fingerprint and s.status = 'approved') then
        raise exception using errcode = 'BR008', constraint = 'source_is_approved',
            message = format('the source of %s is not an approved account of that investor', p_receipt);
    end if;
    if r.currency <> a.currency or a.received_minor + r.amount_minor > a.due_minor then
        raise exception using errcode = 'BR008', constraint = 'received_is_within_due',
            message = format('%s does not fit what is due', p_receipt);
    end if;
    perform treasury.assign(p_offering, jsonb_build_array(jsonb_build_object('receipt', p_receipt,
        'attempt', a.attempt_id, 'investment', p_investment, 'amount', r.amount_minor)));
    perform treasury.publish(p_offering, array[p_investment]);
end $$;

-- Confirms matched receipts as final; all of the offer's, or those named.
create function treasury.clear(p_actor text, p_request text, p_offering text, p_receipts text[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    lines jsonb;
    money text;
    touched text[];
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id in (
        select r.investment_id from treasury.receipt r where r.offering_id = p_offering and r.status = 'matched'
        and (p_receipts is null or r.receipt_id = any (p_receipts))) order by pos.investment_id for update;
    with cleared as (
        update treasury.receipt r set status = 'cleared' where r.offering_id = p_offering and r.status = 'matched'
        and (p_receipts is null or r.receipt_id = any (p_receipts))
        returning r.receipt_id, r.investment_id, r.amount_minor, r.currency)
    select jsonb_agg(jsonb_build_object('account', 'liab:inv:' || investment_id || ':received', 'side', 'debit', 'amount', amount_minor))
        || jsonb_agg(jsonb_build_object('account', 'liab:inv:' || investment_id || ':cleared', 'side', 'credit', 'amount', amount_minor)),
        min(currency), array_agg(investment_id) into lines, money, touched from cleared;
    if lines is null then
        return 0;
    end if;
    perform treasury.post(p_offering, 'cleared:' || pg_current_xact_id() || ':' || p_request, 'receipts_cleared', money, lines);
    update treasury.payment_attempt a set status = 'cleared'
    where a.offering_id = p_offering and a.investment_id = any (touched) and a.status = 'received'
        and a.due_minor = (select sum(r.amount_minor) from treasury.receipt r where r.offering_id = p_offering
            and r.investment_id = a.investment_id and r.attempt_id = a.attempt_id and r.status = 'cleared');
    perform treasury.publish(p_offering, touched);
    return cardinality(touched);
end $$;

-- The bank took a receipt back: a new fact that closes the funding stage.
create function treasury.record_return(p_actor text, p_request text, p_offering text, p_receipt text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
begin
    perform audit.enter(p_actor, p_request);
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = p_receipt;
    perform treasury.lock(p_offering, r.investment_id);
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = p_receipt for update;
    if exists (select from treasury.release_line l where l.offering_id = p_offering and l.investment_id = r.investment_id) then
        perform treasury.post(p_offering, 'returned:' || p_receipt, 'return_after_release', r.currency, jsonb_build_array(
            jsonb_build_object('account', 'asset:clawback_receivable', 'side', 'debit', 'amount', r.amount_minor),
            jsonb_build_object('account', 'asset:escrow_bank', 'side', 'credit', 'amount', r.amount_minor)));
    else
        perform treasury.post(p_offering, 'returned:' || p_receipt, 'receipt_returned', r.currency, jsonb_build_array(
            jsonb_build_object('account', case r.status when 'matched' then 'liab:inv:' || r.investment_id || ':received'
                when 'cleared' then 'liab:inv:' || r.investment_id || ':cleared' else 'liab:unmatched' end,
                'side', 'debit', 'amount', r.amount_minor),
            jsonb_build_object('account', 'asset:escrow_bank', 'side', 'credit', 'amount', r.amount_minor)));
    end if;
    update treasury.receipt set status = 'returned' where offering_id = p_offering and receipt_id = p_receipt;
    if r.attempt_id is not null then
        update treasury.payment_attempt
        set status = case when status in ('received', 'cleared') then 'returned' else status end,
            received_minor = received_minor - r.amount_minor
        where offering_id = p_offering and attempt_id = r.attempt_id;
        perform treasury.publish(p_offering, array[r.investment_id]);
    end if;
end $$;
