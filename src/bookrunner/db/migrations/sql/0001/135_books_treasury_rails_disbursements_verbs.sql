-- Payments to holders: funded, declared, judged one by one, ordered in files, settled by statements, returned and tried again.

-- Takes a receipt that nobody owns as the issuer's money for an approved distribution. Only money that stands on the bank account and
-- can no longer be taken back, no cheque in hand; or tokens in the paying wallet, which pay lines and no tax. Nor what an investor sent, for
-- whom two people match or refund it, nor what somebody paid whom a list may name.
create function treasury.fund_distribution(p_actor text, p_request text, p_offering text, p_distribution text, p_receipt text, p_seen bigint)
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
    d engine.distribution;
    funded bigint;
    journal text := 'funded:' || p_receipt || '@' || p_seen;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = p_receipt for update;
    perform treasury.on_version(r.version, p_seen);
    select * into d from engine.distribution x where x.offering_id = p_offering and x.distribution_id = p_distribution for share;
    if not found then
        select 'approved', s.currency, s.owed_minor, 0, s.owed_minor into d.status, d.currency, d.distributable_minor, d.reinvested_minor, d.net_minor
        from treasury.lieu_standing s where s.offering_id = p_offering and s.split_id = p_distribution and not s.is_started;
    end if;
    if d.status is distinct from 'approved' then
        raise exception using errcode = 'BR008', constraint = 'funded_distribution_is_approved',
            message = format('%s is not approved by two people, or its payment has begun', p_distribution);
    end if;
    select coalesce(sum(f.funded_minor), 0) into funded from treasury.distribution_funding f
    where f.offering_id = p_offering and f.distribution_id = p_distribution;
    if treasury.is_final_in_the_paying_wallet(r) and treasury.room_on(p_offering, p_distribution, true) + r.amount_minor > d.net_minor then
        raise exception using errcode = 'BR008', constraint = 'tokens_pay_lines_alone',
            message = format('%s is more than the lines of %s', p_receipt, p_distribution);
    end if;
    if r.status <> 'unmatched' or r.currency <> d.currency
        or not (treasury.is_final_at_the_bank(r) or treasury.is_final_in_the_paying_wallet(r))
        or funded + r.amount_minor > d.distributable_minor - d.reinvested_minor then
        raise exception using errcode = 'BR008', constraint = 'fund_is_final_and_within_the_amount',
            message = format('%s does not wait, can still be taken back, or is more than %s needs', p_receipt, p_distribution);
    end if;
    if treasury.is_an_investors(r) then
        raise exception using errcode = 'BR008', constraint = 'fund_is_no_investors_money',
            message = format('%s names an investment, or comes from the account of an investor', p_receipt);
    end if;
    if not engine.may_go_back(p_offering, p_receipt) then
        raise exception using errcode = 'BR008', constraint = 'fund_comes_from_nobody_listed',
            message = format('whoever paid %s waits for a screening, or a list may name it', p_receipt);
    end if;
    perform treasury.post(p_offering, journal, 'distribution_funded', r.currency, jsonb_build_array(
        jsonb_build_object('account', 'liab:unmatched', 'side', 'debit', 'amount', r.amount_minor),
        jsonb_build_object('account', 'liab:distribution_funds:' || p_distribution, 'side', 'credit', 'amount', r.amount_minor)));
    update treasury.receipt set status = 'funding', exception = null, funds_distribution_id = p_distribution, matched_in = journal
    where offering_id = p_offering and receipt_id = p_receipt;
    return funded + r.amount_minor;
end $$;

-- Whether the bank took money of a distribution back after its payment had begun, and nobody has made it good.
create function treasury.lacks_money(p_offering text, p_distribution text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select exists (select from treasury.receipt r where r.offering_id = p_offering and r.funds_distribution_id = p_distribution
        and r.status = 'returned' and r.receivable_minor > 0);
end;

-- Takes money back from a distribution whose payment has not begun, by the reverse journal: two people decide it as of a match.
create function treasury.undo_funding(p_receipt treasury.receipt, p_because text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt := p_receipt;
begin
    perform 1 from engine.distribution d where d.offering_id = r.offering_id and d.distribution_id = r.funds_distribution_id for share;
    if treasury.has_begun(r.offering_id, r.funds_distribution_id) then
        raise exception using errcode = 'BR008', constraint = 'money_stays_in_a_payment_that_began',
            message = format('%s is being paid from %s', r.funds_distribution_id, r.receipt_id);
    end if;
    perform treasury.post(r.offering_id, 'undone:' || r.receipt_id || '@' || r.version, 'funding_undone', r.currency, jsonb_build_array(
        jsonb_build_object('account', treasury.owing(r), 'side', 'debit', 'amount', r.amount_minor),
        jsonb_build_object('account', 'liab:unmatched', 'side', 'credit', 'amount', r.amount_minor)), r.matched_in);
    update treasury.receipt set status = 'unmatched', funds_distribution_id = null, matched_in = null, undone_because = p_because,
        exception = 'match_was_undone'
    where offering_id = r.offering_id and receipt_id = r.receipt_id;
end $$;

-- Owes every line of a distribution that is being paid, once: net to the payees, what is withheld to the tax office. What is reinvested is owed
-- in units, by the register.
create function treasury.declare_disbursements(p_actor text, p_request text, p_offering text, p_distribution text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    d engine.distribution;
    declared integer;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into d from engine.distribution x where x.offering_id = p_offering and x.distribution_id = p_distribution;
    if d.status is null or d.status not in ('paying', 'paid') then
        raise exception using errcode = 'BR008', constraint = 'declared_distribution_is_started',
            message = format('%s is not started', p_distribution);
    end if;
    if exists (select from engine.redemption r where r.offering_id = p_offering and r.distribution_id = p_distribution) then
        return treasury.declare_redeemed(d);
    end if;
    -- Of a distribution that is reinvested whole no money moves.
    if exists (select from treasury.journal j where j.offering_id = p_offering and j.journal_id = 'declared:' || p_distribution)
        or d.reinvested_minor = d.distributable_minor then
        return 0;
    end if;
    insert into treasury.disbursement (offering_id, disbursement_id, distribution_id, investor_id, payee_id, status, amount_minor, currency,
        owed_since)
    select l.offering_id, l.line_id, l.distribution_id, l.investor_id, l.payee_id, 'owed', l.net_minor, d.currency, d.pay_on
    from engine.distribution_line l where l.offering_id = p_offering and l.distribution_id = p_distribution and l.net_minor > 0
    order by l.line_id;
    get diagnostics declared = row_count;
    perform treasury.post(p_offering, 'declared:' || p_distribution, 'distribution_declared', d.currency,
        (select jsonb_agg(jsonb_build_object('account', x.account, 'side', x.side, 'amount', x.amount) order by x.account)
        from (values ('liab:distribution_funds:' || p_distribution, 'debit', d.distributable_minor - d.reinvested_minor),
            ('liab:distribution:' || p_distribution, 'credit', d.net_minor), ('liab:withheld_tax', 'credit', d.withheld_minor))
            as x (account, side, amount) where x.amount > 0));
    return declared;
end $$;

-- What hinders lines now, the gravest reason of each, and where they go otherwise: a match of the holder or of its payee, a screening of
-- either, a change of the holder, an account of the payee.
create function treasury.standing_of(p_offering text, p_lines text[]) returns table (line text, because text, way text, fingerprint bytea)
language plpgsql stable rows 1000 set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
#variable_conflict use_column
declare
    payees text[] := array(select distinct d.payee_id from treasury.disbursement d
        where d.offering_id = p_offering and d.disbursement_id = any (p_lines));
    people text[] := array(select distinct n.id from treasury.disbursement d cross join lateral (values (d.investor_id), (d.payee_id)) n (id)
        where d.offering_id = p_offering and d.disbursement_id = any (p_lines));
begin
    return query
    with hindered as materialized (select h.investor_id, h.because from engine.payee_hindrances(p_offering, people) h)
    select d.disbursement_id, coalesce(case h.because when 'match_with_a_list' then h.because end, p.because, h.because,
            case when w.way <> 'stablecoin' or w.because = 'account_change_in_progress' then w.because else c.because end),
        w.way, case w.way when 'stablecoin' then c.fingerprint else w.fingerprint end
    from treasury.disbursement d join treasury.ways_to(payees) w on w.investor_id = d.payee_id
    left join hindered h on h.investor_id = d.investor_id
    left join hindered p on p.investor_id = d.payee_id and p.because in ('match_with_a_list', 'screening_waits')
    left join treasury.coin_ways(p_offering, p_lines) c on c.line = d.disbursement_id
    where d.offering_id = p_offering and d.disbursement_id = any (p_lines);
end $$;

-- Judges lines that are owed: one that hinders is held with its reason, one to be kept becomes the payee's balance, the others leave by
-- the rail of their payee. The room on a rail, which adds up what was paid before, is asked once. Runs under its caller's locks; answers what leaves.
create function treasury.judge_disbursements(p_offering text, p_lines text[]) returns jsonb
language plpgsql set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
declare
    judged jsonb;
begin
    with standing as materialized (
        select x.*, d.distribution_id, x.way = 'stablecoin' as is_coin, sum(d.amount_minor) filter (where x.because is null) over (
            partition by d.distribution_id, x.way = 'stablecoin' order by x.line) as upto
        from treasury.standing_of(p_offering, p_lines) x
        join treasury.disbursement d on d.offering_id = p_offering and d.disbursement_id = x.line where d.status = 'owed'),
    rooms as materialized (select r.distribution_id, r.is_coin, treasury.room_on(p_offering, r.distribution_id, r.is_coin) as minor
        from (select distinct s.distribution_id, s.is_coin from standing s) r)
    select jsonb_agg(jsonb_build_object('line', s.line, 'because', coalesce(s.because, case when s.upto > r.minor
            then 'money_is_on_another_rail' end), 'way', s.way, 'fingerprint', encode(s.fingerprint, 'hex')) order by s.line)
    into judged from standing s join rooms r using (distribution_id, is_coin);
    update treasury.disbursement d set status = 'held', held_because = j.because
    from jsonb_to_recordset(judged) as j (line text, because text)
    where j.because is not null and d.offering_id = p_offering and d.disbursement_id = j.line;
    perform treasury.keep_as_balance(p_offering, array(select j.line from jsonb_to_recordset(judged) as j (line text, because text, way text)
        where j.because is null and j.way = 'balance'));
    return (select coalesce(jsonb_agg(jsonb_build_object('refund', d.disbursement_id, 'amount', d.amount_minor, 'currency', d.currency,
            'fingerprint', j.fingerprint, 'try', d.try_no, 'way', j.way, 'class', a.entry_class) order by d.disbursement_id), '[]')
        from jsonb_to_recordset(judged) as j (line text, because text, way text, fingerprint text)
        join treasury.disbursement d on d.offering_id = p_offering and d.disbursement_id = j.line
        left join treasury.payee_account a on a.investor_id = d.payee_id and a.status = 'in_force'
        where j.because is null and j.way <> 'balance');
end $$;

-- Keeps lines as balances that their payees leave in escrow: the money is theirs at once, to pay with or to withdraw.
create function treasury.keep_as_balance(p_offering text, p_lines text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    d record;
    today constant date := (clock_timestamp() at time zone 'UTC')::date;
begin
    for d in select x.*, w.fingerprint from treasury.disbursement x, treasury.ways_to(array[x.payee_id]) w
        where x.offering_id = p_offering and x.disbursement_id = any (p_lines) order by x.disbursement_id
    loop
        insert into treasury.receipt (offering_id, receipt_id, dedupe_key, status, amount_minor, currency, booked_on, value_on, rail, clears_on,
            source_fingerprint, line_sha256)
        values (p_offering, 'rcp_' || d.disbursement_id, 'balance:' || d.disbursement_id, 'unmatched', d.amount_minor, d.currency, today,
            today, 'balance', today, d.fingerprint, sha256(convert_to(d.disbursement_id, 'UTF8')));
        update treasury.receipt set status = 'stored', stored_for = d.payee_id
        where offering_id = p_offering and receipt_id = 'rcp_' || d.disbursement_id;
        perform treasury.post(p_offering, 'kept:' || d.disbursement_id, 'distribution_kept', d.currency, jsonb_build_array(
            jsonb_build_object('account', 'liab:distribution:' || d.distribution_id, 'side', 'debit', 'amount', d.amount_minor),
            jsonb_build_object('account', 'liab:wallet:' || d.payee_id, 'side', 'credit', 'amount', d.amount_minor)));
        update treasury.disbursement set status = 'paid', receipt_id = 'rcp_' || d.disbursement_id
        where offering_id = p_offering and disbursement_id = d.disbursement_id;
    end loop;
end $$;

-- The lines that wait for a rail, at most so many, locked for whoever writes their bytes in this very transaction; of those judged none
-- may be left. Null when nobody waits, or while the distribution lacks money. What stays as a balance is taken with the bank's.
create function treasury.take_disbursements(p_actor text, p_request text, p_offering text, p_distribution text, p_most integer,
    p_rail text default 'bank') returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    taken text[];
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    taken := array(select d.disbursement_id from treasury.disbursement d where d.offering_id = p_offering
        and d.distribution_id = p_distribution and d.status = 'owed' and p_rail = coalesce((select replace(a.way, 'balance', 'bank')
            from treasury.payee_account a where a.investor_id = d.payee_id and a.status = 'in_force'), 'bank')
        order by d.disbursement_id limit p_most for update);
    if cardinality(taken) = 0 or treasury.lacks_money(p_offering, p_distribution) then
        return null;
    end if;
    return treasury.judge_disbursements(p_offering, taken);
end $$;

-- Holds owed lines whose account the administrator does not have, or whose account is none for the rail of its payee.
create function treasury.hold_disbursements(p_actor text, p_request text, p_offering text, p_lines text[],
    p_because text default 'account_is_not_known') returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    held integer;
begin
    perform audit.enter(p_actor, p_request);
    update treasury.disbursement set status = 'held', held_because = p_because
    where offering_id = p_offering and disbursement_id = any (p_lines) and status = 'owed';
    get diagnostics held = row_count;
    return held;
end $$;

-- Commits the bytes of an order before they leave. Whom something hinders by now is refused here, whoever took the lines.
create function treasury.store_disbursements(p_actor text, p_request text, p_offering text, p_payout text, p_content bytea, p_lines text[])
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    return treasury.order_lines(p_offering, p_payout, p_content, p_lines, 'bank');
end $$;

create function treasury.order_lines(p_offering text, p_payout text, p_content bytea, p_lines text[], p_rail text,
    p_account text default 'asset:escrow_bank') returns bigint
language plpgsql set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
declare
    sums record;
    hindered record;
begin
    perform treasury.take_turn(p_offering);
    perform 1 from treasury.disbursement d where d.offering_id = p_offering and d.disbursement_id = any (p_lines)
    order by d.disbursement_id for update;
    select sum(d.amount_minor)::bigint as total, min(d.currency) as currency, min(d.distribution_id) as distribution, count(*) as lines
    into sums from treasury.disbursement d
    where d.offering_id = p_offering and d.disbursement_id = any (p_lines) and d.status = 'owed' having min(d.distribution_id) = max(d.distribution_id);
    if sums.lines is distinct from cardinality(p_lines) then
        raise exception using errcode = 'BR008', constraint = 'payout_carries_each_line_once',
            message = format('a line of %s is not owed now, or is of another distribution', p_payout);
    end if;
    if treasury.lacks_money(p_offering, sums.distribution) then
        raise exception using errcode = 'BR008', constraint = 'payout_has_its_money',
            message = format('the bank took money of %s back, and nobody has made it good', sums.distribution);
    end if;
    if sums.total > treasury.room_on(p_offering, sums.distribution, p_rail = 'stablecoin') then
        raise exception using errcode = 'BR008', constraint = 'payout_has_money_on_its_rail',
            message = format('%s has less on the rail of %s', sums.distribution, p_payout);
    end if;
    select s.line, s.because into hindered from treasury.standing_of(p_offering, p_lines) s
    where s.because is not null or s.way <> p_rail limit 1;
    if found then
        raise exception using errcode = 'BR008', constraint = 'payout_goes_to_nobody_held',
            message = format('%s of %s: %s', hindered.line, p_payout, hindered.because);
    end if;
    insert into treasury.payout (offering_id, payout_id, status, purpose, content, content_sha256, amount_minor, currency, orders, rail)
    values (p_offering, p_payout, 'prepared', 'distribution', p_content, sha256(p_content), sums.total, sums.currency, sums.lines, p_rail);
    update treasury.disbursement d set status = 'paying', payout_id = p_payout, payee_fingerprint = w.fingerprint, bounce_code = null
    from treasury.standing_of(p_offering, p_lines) w where d.offering_id = p_offering and w.line = d.disbursement_id;
    perform treasury.post(p_offering, 'paid:' || p_payout, 'distribution_sent', sums.currency, jsonb_build_array(
        jsonb_build_object('account', 'liab:distribution:' || sums.distribution, 'side', 'debit', 'amount', sums.total),
        jsonb_build_object('account', p_account, 'side', 'credit', 'amount', sums.total)));
    return sums.total;
end $$;

-- Gives the lines of a withdrawn order back to those who wait.
create function treasury.free_disbursements(p treasury.payout) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform treasury.post(p.offering_id, 'withdrawn:' || p.payout_id, 'distribution_withdrawn', p.currency, jsonb_build_array(
        jsonb_build_object('account', treasury.left_from(p.offering_id, p.payout_id), 'side', 'debit', 'amount', p.amount_minor),
        jsonb_build_object('account', 'liab:distribution:' || (select min(d.distribution_id) from treasury.disbursement d
            where d.offering_id = p.offering_id and d.payout_id = p.payout_id), 'side', 'credit', 'amount', p.amount_minor)),
        'paid:' || p.payout_id);
    update treasury.disbursement set status = 'owed', payout_id = null, payee_fingerprint = null
    where offering_id = p.offering_id and payout_id = p.payout_id;
end $$;

-- Whether an order pays somebody whom something hinders by now, an account that is not the payee's any more, from money that the bank
-- took back, or from a wallet that the offer has replaced.
create function treasury.pays_somebody_hindered(p_offering text, p_payout text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
declare
    lines text[] := array(select d.disbursement_id from treasury.disbursement d where d.offering_id = p_offering and d.payout_id = p_payout);
begin
    return cardinality(lines) > 0 and (treasury.is_of_a_former_wallet(p_offering, p_payout)
        or exists (select from treasury.disbursement d where d.offering_id = p_offering and d.payout_id = p_payout
            and treasury.lacks_money(p_offering, d.distribution_id))
        or exists (select from treasury.standing_of(p_offering, lines) s
        join treasury.disbursement d on d.offering_id = p_offering and d.disbursement_id = s.line
        join treasury.payout p on p.offering_id = p_offering and p.payout_id = p_payout
        where s.because is not null or s.way <> p.rail or s.fingerprint is distinct from d.payee_fingerprint));
end $$;

-- The bank shows these payments on a statement: they have arrived.
create function treasury.settle_disbursements(p_actor text, p_request text, p_offering text, p_lines text[], p_booked_on date) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    settled integer;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    insert into treasury.booking (offering_id, booking_id, journal_id, currency, amount_minor, booked_on)
    select d.offering_id, d.disbursement_id || '@' || d.try_no, 'paid:' || d.payout_id, d.currency, -d.amount_minor, p_booked_on
    from treasury.disbursement d where d.offering_id = p_offering and d.disbursement_id = any (p_lines) and d.status = 'paying'
    on conflict do nothing;
    perform treasury.note_shown(p_offering, array(select distinct d.payout_id from treasury.disbursement d
        where d.offering_id = p_offering and d.disbursement_id = any (p_lines) and d.status = 'paying'));
    update treasury.disbursement set status = 'paid'
    where offering_id = p_offering and disbursement_id = any (p_lines) and status = 'paying';
    get diagnostics settled = row_count;
    return settled;
end $$;

-- The payee's bank sent a payment back: the money is in escrow again and the line is open, until somebody tries it again. Without a day it
-- is announced, and a later statement books it.
create function treasury.return_disbursement(p_actor text, p_request text, p_offering text, p_line text, p_code text, p_booked_on date) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    d treasury.disbursement;
    journal text;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into d from treasury.disbursement where offering_id = p_offering and disbursement_id = p_line for update;
    if d.status is null or d.status not in ('paying', 'paid') or d.payout_id is null
        or treasury.left_from(p_offering, d.payout_id) <> 'asset:escrow_bank' then
        raise exception using errcode = 'BR008', constraint = 'returned_disbursement_was_sent', message = format('%s was not sent', p_line);
    end if;
    perform treasury.note_shown(p_offering, array[d.payout_id]);
    journal := 'bounced:' || p_line || '@' || d.try_no;
    perform treasury.post(p_offering, journal, 'distribution_returned', d.currency,
        treasury.cash(p_offering, d.currency, 'debit', d.amount_minor) || jsonb_build_array(jsonb_build_object('account',
            'liab:distribution:' || d.distribution_id, 'side', 'credit', 'amount', d.amount_minor)));
    insert into treasury.booking (offering_id, booking_id, journal_id, currency, amount_minor, booked_on)
    select p_offering, x.id, x.journal, d.currency, x.minor, p_booked_on
    from (values (p_line || '@' || d.try_no, 'paid:' || d.payout_id, -d.amount_minor), (journal, journal, d.amount_minor)) x (id, journal, minor)
    where p_booked_on is not null on conflict do nothing;
    update treasury.disbursement set status = 'returned', bounce_code = p_code where offering_id = p_offering and disbursement_id = p_line;
end $$;

-- Opens lines that were not paid for another try: what came back under the next number, what is held or unclaimed to be judged again.
-- All of a distribution, or those named; a line that is paid or with the bank is none of them.
create function treasury.retry_disbursements(p_actor text, p_request text, p_offering text, p_distribution text, p_lines text[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    opened integer;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    update treasury.disbursement d set status = 'owed', held_because = null, payout_id = null, payee_fingerprint = null,
        try_no = d.try_no + (d.status = 'returned')::integer
    where d.offering_id = p_offering and d.distribution_id = p_distribution and d.status in ('held', 'returned', 'unclaimed')
        and (p_lines is null or d.disbursement_id = any (p_lines));
    get diagnostics opened = row_count;
    if opened = 0 and p_lines is not null then
        raise exception using errcode = 'BR008', constraint = 'retried_line_failed',
            message = format('none of these lines of %s is held, returned or unclaimed', p_distribution);
    end if;
    return opened;
end $$;

-- Marks as unclaimed what is held or came back and has been owed for the term, and stays owed; what came back has the next number from then on.
-- Returns how many lines.
create function treasury.age_disbursements(p_actor text, p_request text, p_on date) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    term integer := (select t.days from treasury.unclaimed_term t where t.valid_from <= p_on order by t.valid_from desc limit 1);
    aged integer;
begin
    perform audit.enter(p_actor, p_request);
    if p_on > (clock_timestamp() at time zone 'UTC')::date then
        raise exception using errcode = 'BR008', constraint = 'unclaimed_day_has_come', message = format('%s is to come', p_on);
    end if;
    update treasury.disbursement set status = 'unclaimed', held_because = null, payout_id = null, payee_fingerprint = null,
        try_no = try_no + (status = 'returned')::integer
    where status in ('held', 'returned') and held_because is distinct from 'match_with_a_list' and owed_since + term <= p_on;
    get diagnostics aged = row_count;
    return aged;
end $$;
