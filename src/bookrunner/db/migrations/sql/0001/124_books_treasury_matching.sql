-- Matching: gates and not scores, in a fixed order; amount alone never matches.

-- The first rule that stops money with one reference, whether it waits or just comes in. Without a search path of its own,
-- so that the planner can write it into a query.
create function treasury.stopped_by(p_reference text, p_attempt text, p_currency_differs boolean, p_investment_status text,
    p_source_is_approved boolean, p_attempt_status text) returns text
language sql immutable
return case
    when p_reference is null then 'no_reference'
    when p_attempt is null then 'unknown_reference'
    when p_currency_differs then 'currency_differs'
    when p_investment_status not in ('new', 'confirmed', 'legally_confirmed', 'cancellation_requested') then 'investment_has_ended'
    when not p_source_is_approved then 'source_is_not_approved'
    when p_attempt_status in ('received', 'cleared') then 'amount_exceeds_due'
    when p_attempt_status not in ('initialized', 'in_progress') then 'attempt_is_not_open' end;

-- What the rules say of each receipt that waits: whose it is and how much of it is due, or the first rule that stops it.
-- The order of booking day and key is fixed, so a second look gives the same answer.
create view treasury.verdict as
with judged as (
    select r.offering_id, r.receipt_id, r.status, r.booked_on, r.dedupe_key, r.amount_minor, r.currency, r.source_fingerprint,
        a.attempt_id, a.investment_id, a.due_minor - a.received_minor as room_minor, case
        when r.undone_because is not null then 'match_was_undone'
        else treasury.stopped_by(r.claimed_reference, a.attempt_id, a.currency <> r.currency, i.status,
            s.source_id is not null or r.source_accepted_by is not null, a.status) end as stopped_by
    from treasury.receipt r
    left join treasury.payment_attempt a on a.offering_id = r.offering_id and a.reference = r.claimed_reference
    left join engine.investment i on i.offering_id = a.offering_id and i.investment_id = a.investment_id
    left join treasury.source_account s on s.investor_id = a.investor_id
        and s.fingerprint = r.source_fingerprint and s.status = 'approved'
    where r.status in ('unmatched', 'held') and r.further_references is null
), placed as (
    select j.*, j.room_minor - coalesce(sum(j.amount_minor) filter (where j.stopped_by is null) over (
        partition by j.offering_id, j.attempt_id order by j.booked_on, j.dedupe_key
        rows between unbounded preceding and 1 preceding), 0) as left_minor
    from judged j
)
select p.offering_id, p.receipt_id, p.attempt_id, p.investment_id, p.status, p.booked_on, p.dedupe_key, p.amount_minor,
    least(p.amount_minor, p.left_minor) as takes_minor,
    coalesce(p.stopped_by, case when p.left_minor <= 0 then 'amount_exceeds_due' end) as exception
from placed p;

-- A receipt with several references: divided only when what is due on all of them is its amount to the cent, and its
-- source passes for every investor.
create view treasury.several as
select r.offering_id, r.receipt_id, r.status, case
    when r.undone_because is not null then 'match_was_undone'
    when count(a.attempt_id) < count(*) then 'unknown_reference'
    when bool_or(a.currency <> r.currency) then 'currency_differs'
    when bool_or(i.status not in ('new', 'confirmed', 'legally_confirmed', 'cancellation_requested')) then 'investment_has_ended'
    when not bool_and(s.source_id is not null or r.source_accepted_by is not null) then 'source_is_not_approved'
    when bool_or(a.status not in ('initialized', 'in_progress')) then 'attempt_is_not_open'
    when sum(a.due_minor - a.received_minor) <> r.amount_minor then 'references_do_not_sum' end as exception,
    array_agg(a.investment_id order by a.investment_id) as investments,
    jsonb_agg(jsonb_build_object('attempt', a.attempt_id, 'investment', a.investment_id,
        'amount', a.due_minor - a.received_minor) order by a.attempt_id) as parts
from treasury.receipt r cross join lateral unnest(r.claimed_reference || r.further_references) as u (reference)
left join treasury.payment_attempt a on a.offering_id = r.offering_id and a.reference = u.reference
left join engine.investment i on i.offering_id = a.offering_id and i.investment_id = a.investment_id
left join treasury.source_account s on s.investor_id = a.investor_id
    and s.fingerprint = r.source_fingerprint and s.status = 'approved'
where r.status in ('unmatched', 'held') and r.further_references is not null
group by r.offering_id, r.receipt_id;

-- Candidates for a receipt that no rule places, each with its reasons. A source that serves several open payments of
-- one amount gives no candidate: the choice would be a guess.
create view treasury.candidate as
select c.offering_id, c.receipt_id, c.investment_id, c.attempt_id, c.reasons from (
    select r.offering_id, r.receipt_id, a.investment_id, a.attempt_id,
        array_remove(array['source_is_approved', case when r.amount_minor = a.due_minor - a.received_minor then 'amount_is_due'
            when r.amount_minor < a.due_minor - a.received_minor then 'amount_is_part_of_due' end], null) as reasons,
        count(*) over (partition by r.offering_id, r.receipt_id, a.due_minor - a.received_minor) as alike
    from treasury.receipt r
    join treasury.source_account s on s.fingerprint = r.source_fingerprint and s.status = 'approved'
    join treasury.payment_attempt a on a.offering_id = r.offering_id and a.investor_id = s.investor_id
        and a.currency = r.currency and a.status in ('initialized', 'in_progress')
    where r.status = 'unmatched' and r.exception in ('no_reference', 'unknown_reference', 'match_was_undone')) c
where c.alike = 1;

-- Divides a receipt into parts {id, amount} that sum to it; each part goes on from where the receipt stands.
create function treasury.divide(p_offering text, p_receipt text, p_parts jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
begin
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = p_receipt for update;
    if (select coalesce(sum((x ->> 'amount')::bigint), 0) <> r.amount_minor or count(*) < 2
            or min((x ->> 'amount')::bigint) < 1 from jsonb_array_elements(p_parts) x) then
        raise exception using errcode = 'BR008', constraint = 'parts_sum_to_the_receipt',
            message = format('the parts of %s are not its amount', p_receipt);
    end if;
    update treasury.receipt set status = 'divided', exception = null where offering_id = p_offering and receipt_id = p_receipt;
    insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency, booked_on,
        value_on, rail, clears_on, claimed_reference, source_fingerprint, sender, line_sha256, exception, investment_id,
        attempt_id, matched_in, root_id, source_accepted_by, source_accepted_because, stored_for)
    select r.offering_id, x.part ->> 'id', r.statement_id, r.receipt_id || '/' || (x.part ->> 'id'), 'unmatched',
        (x.part ->> 'amount')::bigint, r.currency, r.booked_on, r.value_on, r.rail, r.clears_on, r.claimed_reference,
        r.source_fingerprint, r.sender, r.line_sha256, r.exception, r.investment_id, r.attempt_id, r.matched_in,
        coalesce(r.root_id, r.receipt_id), r.source_accepted_by, r.source_accepted_because, r.stored_for
    from jsonb_array_elements(p_parts) as x (part);
    -- A part is born like any receipt and takes the same way to where the whole stood; of what funds a payment whoever divides it says which do.
    update treasury.receipt p set status = case r.status when 'held' then 'held' when 'stored' then 'stored' else 'matched' end
    where r.status not in ('unmatched', 'funding') and p.offering_id = p_offering and p.receipt_id in (
        select x ->> 'id' from jsonb_array_elements(p_parts) x);
    update treasury.receipt p set status = 'cleared'
    where r.status = 'cleared' and p.offering_id = p_offering and p.receipt_id in (
        select x ->> 'id' from jsonb_array_elements(p_parts) x);
end $$;

create function treasury.divide_receipt(p_actor text, p_request text, p_offering text, p_receipt text, p_parts jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    if coalesce((select r.status not in ('unmatched', 'held') from treasury.receipt r
        where r.offering_id = p_offering and r.receipt_id = p_receipt), true) then
        raise exception using errcode = 'BR008', constraint = 'divided_receipt_waits',
            message = format('%s is not a receipt that waits', p_receipt);
    end if;
    perform treasury.divide(p_offering, p_receipt, p_parts);
end $$;

-- Matches every receipt that waits and passes the rules, and names what stops each other one. What is above the due
-- goes back to its source; what comes from a source that nobody approved is held. Takes at most so many by one reference,
-- the earliest first, and returns how many were matched: a caller with a long statement repeats it until it answers 0.
create function treasury.match(p_actor text, p_request text, p_offering text, p_most integer default 10000) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    lines jsonb;
    over jsonb;
    divided record;
    excess text[] := '{}';
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id in (
        (select v.investment_id from treasury.verdict v where v.offering_id = p_offering and v.exception is null
        order by v.booked_on, v.dedupe_key limit p_most)
        union all select unnest(v.investments) from treasury.several v where v.offering_id = p_offering and v.exception is null)
    order by pos.investment_id for update;
    select coalesce(jsonb_agg(jsonb_build_object('receipt', v.receipt_id, 'attempt', v.attempt_id,
                'investment', v.investment_id, 'amount', v.amount_minor)) filter (where v.takes_minor = v.amount_minor), '[]'),
        coalesce(jsonb_agg(jsonb_build_object('receipt', v.receipt_id, 'attempt', v.attempt_id, 'investment', v.investment_id,
                'amount', v.takes_minor, 'excess', v.amount_minor - v.takes_minor)) filter (where v.takes_minor < v.amount_minor), '[]')
    into lines, over from (select * from treasury.verdict x where x.offering_id = p_offering and x.exception is null
        order by x.booked_on, x.dedupe_key limit p_most) v;
    for divided in select * from jsonb_to_recordset(over) as o (receipt text, attempt text, investment text, amount bigint, excess bigint) loop
        perform treasury.divide(p_offering, divided.receipt, jsonb_build_array(
            jsonb_build_object('id', divided.receipt || '.1', 'amount', divided.amount),
            jsonb_build_object('id', divided.receipt || '.2', 'amount', divided.excess)));
        lines := lines || jsonb_build_array(jsonb_build_object('receipt', divided.receipt || '.1', 'attempt', divided.attempt,
            'investment', divided.investment, 'amount', divided.amount));
        excess := excess || (divided.receipt || '.2');
    end loop;
    for divided in select v.receipt_id, v.parts from treasury.several v
        where v.offering_id = p_offering and v.exception is null order by v.receipt_id loop
        -- An earlier one of this very run may have taken what is due.
        continue when (select v.exception is not null or exists (select from jsonb_array_elements(lines) l,
            jsonb_array_elements(divided.parts) d where l ->> 'attempt' = d ->> 'attempt')
            from treasury.several v where v.offering_id = p_offering and v.receipt_id = divided.receipt_id);
        perform treasury.divide(p_offering, divided.receipt_id, (select jsonb_agg(jsonb_build_object(
            'id', divided.receipt_id || '.' || d.place, 'amount', d.part -> 'amount') order by d.place)
            from jsonb_array_elements(divided.parts) with ordinality as d (part, place)));
        lines := lines || (select jsonb_agg(d.part || jsonb_build_object('receipt', divided.receipt_id || '.' || d.place))
            from jsonb_array_elements(divided.parts) with ordinality as d (part, place));
    end loop;
    perform treasury.assign(p_offering, lines);
    perform treasury.start_refunds(p_offering, excess, 'excess');
    perform treasury.name_exceptions(p_offering);
    perform treasury.keep_payment_rates(p_offering);
    return jsonb_array_length(lines);
end $$;

-- Writes the rule that stops a receipt on it, and holds what comes from a source that nobody approved.
create function treasury.name_exceptions(p_offering text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    money record;
begin
    for money in
        with stop as materialized (
            select v.receipt_id, v.exception from treasury.verdict v where v.offering_id = p_offering and v.exception is not null
            union all
            select v.receipt_id, v.exception from treasury.several v where v.offering_id = p_offering and v.exception is not null),
        written as (
            update treasury.receipt r set exception = s.exception,
                status = case s.exception when 'source_is_not_approved' then 'held' else r.status end
            from stop s where r.offering_id = p_offering and r.receipt_id = s.receipt_id and r.status = 'unmatched'
                and r.exception is distinct from s.exception
            returning r.receipt_id, r.status, r.currency, r.amount_minor)
        select w.currency, sum(w.amount_minor) as amount, min(w.receipt_id) as first from written w where w.status = 'held' group by w.currency
    loop
        perform treasury.post(p_offering, 'held:' || money.first || ':' || pg_current_xact_id(), 'source_held', money.currency,
            jsonb_build_array(jsonb_build_object('account', 'liab:unmatched', 'side', 'debit', 'amount', money.amount),
                jsonb_build_object('account', 'liab:held_source', 'side', 'credit', 'amount', money.amount)));
    end loop;
end $$;

-- Moves receipts to their investments, in one journal. Lines are {receipt, attempt, investment, amount}.
create function treasury.assign(p_offering text, p_lines jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    money text;
    journal text;
    debits jsonb;
    investments text[];
    attempts text[];
begin
    if jsonb_array_length(p_lines) = 0 then
        return;
    end if;
    perform 1 from treasury.receipt r where r.offering_id = p_offering
        and r.receipt_id in (select l ->> 'receipt' from jsonb_array_elements(p_lines) l) order by r.receipt_id for update;
    journal := 'matched:' || (select min(l ->> 'receipt') from jsonb_array_elements(p_lines) l) || ':' || pg_current_xact_id();
    select min(f.currency), jsonb_agg(jsonb_build_object('account', f.account, 'side', 'debit', 'amount', f.amount))
    into money, debits from (
        select min(r.currency) as currency, treasury.owing(r) as account, sum(r.amount_minor) as amount
        from jsonb_to_recordset(p_lines) as l (receipt text)
        join treasury.receipt r on r.offering_id = p_offering and r.receipt_id = l.receipt group by treasury.owing(r)) f;
    select array_agg(l.investment), array_agg(l.attempt) into investments, attempts
    from jsonb_to_recordset(p_lines) as l (investment text, attempt text);
    update treasury.receipt r set status = 'matched', investment_id = l.investment, attempt_id = l.attempt,
        matched_in = journal, exception = null, undone_because = null
    from jsonb_to_recordset(p_lines) as l (receipt text, attempt text, investment text)
    where r.offering_id = p_offering and r.receipt_id = l.receipt;
    perform treasury.post(p_offering, journal, 'receipts_matched', money, debits
        || (select jsonb_agg(jsonb_build_object('account', 'liab:inv:' || l.investment || ':received', 'side', 'credit',
                'amount', l.amount) order by l.investment)
            from (select x.investment, sum(x.amount) as amount
                from jsonb_to_recordset(p_lines) as x (investment text, amount bigint) group by x.investment) l));
    perform treasury.follow(p_offering, attempts, 'matched');
    perform treasury.keep_payment_rates(p_offering, investments);
    perform treasury.publish(p_offering, investments);
end $$;

-- Matches one receipt by hand: proposer and approver are two people. The source must be approved, or accepted for this
-- receipt; what is above the due stays refused until the receipt is divided.
create function treasury.match_by_hand(p_actor text, p_request text, p_offering text, p_receipt text,
    p_investment text, p_proposed_by text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
    a treasury.payment_attempt;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.refuse_one_person(p_actor, p_proposed_by, 'hand_match_needs_two_people');
    perform treasury.lock(p_offering, p_investment);
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = p_receipt for update;
    select * into a from treasury.payment_attempt where offering_id = p_offering and investment_id = p_investment
        and status in ('initialized', 'in_progress');
    if r.status is distinct from 'unmatched' or a.attempt_id is null then
        raise exception using errcode = 'BR008', constraint = 'receipt_and_attempt_are_open',
            message = format('%s and %s are not both open', p_receipt, p_investment);
    end if;
    if r.source_accepted_by is null and not exists (select from treasury.source_account s where s.investor_id = a.investor_id
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
end $$;

create function treasury.refuse_one_person(p_actor text, p_other text, p_rule text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if audit.person_of(p_other) = audit.person_of(p_actor) or coalesce(p_other, '') = '' then
        raise exception using errcode = 'BR008', constraint = p_rule, message = 'this needs a proposer and another approver';
    end if;
end $$;

-- Undoes a match by the reverse journal, which names the first. Refused from the moment units are instructed.
create function treasury.undo_match(p_actor text, p_request text, p_offering text, p_receipt text, p_because text,
    p_proposed_by text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
    owed_to text := (select x.investment_id from treasury.receipt x where x.offering_id = p_offering and x.receipt_id = p_receipt);
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.refuse_one_person(p_actor, p_proposed_by, 'undo_needs_two_people');
    perform treasury.lock(p_offering, owed_to);
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = p_receipt for update;
    if r.status is null or r.status not in ('matched', 'cleared') or coalesce(p_because, '') = '' then
        raise exception using errcode = 'BR008', constraint = 'undone_match_stands_and_has_a_reason',
            message = format('%s is not matched, or no reason is given', p_receipt);
    end if;
    perform treasury.refuse_after_issuance(p_offering, array[owed_to]);
    perform treasury.post(p_offering, 'undone:' || p_receipt || '@' || r.version, 'match_undone', r.currency, jsonb_build_array(
        jsonb_build_object('account', treasury.owing(r), 'side', 'debit', 'amount', r.amount_minor),
        jsonb_build_object('account', 'liab:unmatched', 'side', 'credit', 'amount', r.amount_minor)), r.matched_in);
    update treasury.receipt set status = 'unmatched', investment_id = null, attempt_id = null, matched_in = null,
        undone_because = p_because, exception = 'match_was_undone'
    where offering_id = p_offering and receipt_id = p_receipt;
    perform treasury.follow(p_offering, array[r.attempt_id], 'unmatched');
    perform treasury.publish(p_offering, array[owed_to]);
end $$;

create function treasury.refuse_after_issuance(p_offering text, p_investments text[]) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from engine.position pos where pos.offering_id = p_offering
        and pos.investment_id = any (p_investments) and pos.issuance <> 'open') then
        raise exception using errcode = 'BR008', constraint = 'money_stands_after_issuance',
            message = 'units are instructed or issued for this money';
    end if;
end $$;

-- A compliance decision lets one receipt in although its source is nobody's approved account.
create function treasury.accept_source(p_actor text, p_request text, p_offering text, p_receipt text, p_decided_by text,
    p_because text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.refuse_one_person(p_actor, p_decided_by, 'source_decision_needs_two_people');
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = p_receipt for update;
    if r.status is distinct from 'held' or coalesce(p_because, '') = '' then
        raise exception using errcode = 'BR008', constraint = 'accepted_source_is_held_and_has_a_reason',
            message = format('%s is not held, or no reason is given', p_receipt);
    end if;
    if engine.is_blocked(p_offering, p_receipt) then
        raise exception using errcode = 'BR008', constraint = 'accepted_source_is_not_listed',
            message = format('a sanctions list may name who paid %s', p_receipt);
    end if;
    perform treasury.post(p_offering, 'freed:' || p_receipt || '@' || r.version, 'source_accepted', r.currency, jsonb_build_array(
        jsonb_build_object('account', 'liab:held_source', 'side', 'debit', 'amount', r.amount_minor),
        jsonb_build_object('account', 'liab:unmatched', 'side', 'credit', 'amount', r.amount_minor)));
    update treasury.receipt set status = 'unmatched', exception = null, source_accepted_by = p_decided_by,
        source_accepted_because = p_because where offering_id = p_offering and receipt_id = p_receipt;
end $$;
