-- ACH debits that an investor has authorised: ordered once, sent once, in progress until a statement shows the money.

create table treasury.debit (
    offering_id text not null,
    debit_id text not null,
    status text not null,
    attempt_id text not null,
    investment_id text not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null constraint debit_is_in_dollars check (currency = 'USD'),
    payer_fingerprint bytea not null,
    mandate_sha256 bytea not null constraint debit_names_its_authorisation check (octet_length(mandate_sha256) = 32),
    entry_class text not null constraint debit_has_its_entry_class check (entry_class in ('PPD', 'WEB', 'CCD')),
    payout_id text,
    trace text constraint trace_has_fifteen_digits check (trace ~ '^[0-9]{15}$'),
    return_code text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, debit_id),
    foreign key (offering_id, payout_id) references treasury.payout,
    constraint trace_is_given_once unique (offering_id, trace),
    constraint sent_debit_names_its_order check ((status in ('sent', 'returned')) <= (payout_id is not null and trace is not null))
);

create unique index one_debit_waits_per_investment on treasury.debit (offering_id, investment_id) where status = 'ordered';
create index debit_with_the_bank on treasury.debit (offering_id, investment_id) where status = 'sent';
create index debit_to_send on treasury.debit (offering_id, debit_id) where status = 'ordered';
call audit.keep('treasury.debit', 'debit', 'debit_id', 'offering_id');

-- How many entries and files we have numbered for a clearing house, debits and returns of all offers in one series: the trace
-- number of one entry never stands for another.
create table treasury.trace_series (
    network text primary key constraint traced_network_is_known check (network = 'ach'),
    entries bigint not null default 0 check (entries >= 0),
    files bigint not null default 0 check (files >= 0)
);

insert into treasury.trace_series (network) values ('ach');

-- Takes the next numbers for the entries of one file; whoever else numbers waits for the end of this transaction.
create function treasury.number_entries(p_count integer) returns jsonb
language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
    update treasury.trace_series s set entries = s.entries + p_count, files = s.files + 1 where s.network = 'ach'
    returning jsonb_build_object('first', s.entries - p_count + 1, 'file', s.files);
end;

-- The number of the one entry of a file that sends a payment back.
create function treasury.number_return(p_actor text, p_request text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    return treasury.number_entries(1);
end $$;

-- Whether a debit was sent and neither its money nor its return has come: the receipt of its money carries its trace.
create function treasury.is_with_the_bank(d treasury.debit) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return d.status = 'sent' and not exists (select from treasury.receipt r
        where r.offering_id = d.offering_id and r.marks && array[d.trace]);
end $$;

-- Whether nothing can make an ordered debit due again: another payment is on its way or came, its payment or its investment ended,
-- or a failure since allows no debit of its account.
create function treasury.is_over(d treasury.debit) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return not exists (select from treasury.payment_attempt a join engine.investment i using (offering_id, investment_id)
        where a.offering_id = d.offering_id and a.attempt_id = d.attempt_id and a.status = 'initialized'
            and d.amount_minor <= a.due_minor - a.received_minor
            and i.status in ('legally_confirmed', 'cancellation_requested'))
        or treasury.bars_debits(d.offering_id, d.investment_id)
        or treasury.is_spent_source(d.offering_id, d.investment_id, d.payer_fingerprint);
end $$;

-- Whether an ordered debit may leave now: it waits while its investor is not cleared or asks to withdraw.
create function treasury.may_leave(d treasury.debit) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return d.status = 'ordered' and not treasury.is_over(d) and exists (select from engine.position pos
        join engine.investment i using (offering_id, investment_id)
        where pos.offering_id = d.offering_id and pos.investment_id = d.investment_id and pos.investor_is_cleared
            and i.status = 'legally_confirmed');
end $$;

-- Voids the ordered debits that are over, of one investment or of all; the caller has locked their positions.
create function treasury.void_what_is_over(p_offering text, p_investment text default null) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update treasury.debit d set status = 'voided' where d.offering_id = p_offering and d.status = 'ordered'
        and (p_investment is null or d.investment_id = p_investment) and treasury.is_over(d);
end $$;

-- Orders a debit of what is missing, from an approved account, while the gate of funding instructions is open.
create function treasury.order_debit(p_actor text, p_request text, p_offering text, p_debit text, p_investment text,
    p_payer_fingerprint bytea, p_mandate_sha256 bytea, p_entry_class text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    p engine.position;
    a treasury.payment_attempt;
begin
    perform audit.enter(p_actor, p_request);
    p := engine.pass(p_offering, p_investment, 'release_instructions');
    select * into a from treasury.payment_attempt x where x.offering_id = p_offering and x.investment_id = p_investment
        and x.status = 'initialized' for update;
    if not found then
        raise exception using errcode = 'BR008', constraint = 'debit_is_for_an_open_attempt',
            message = format('%s waits for no payment', p_investment);
    end if;
    if not exists (select from treasury.source_account s where s.investor_id = a.investor_id
        and s.fingerprint = p_payer_fingerprint and s.status = 'approved') then
        raise exception using errcode = 'BR008', constraint = 'source_is_approved',
            message = format('the account is no approved account of %s', a.investor_id);
    end if;
    if treasury.bars_debits(p_offering, p_investment) then
        raise exception using errcode = 'BR008', constraint = 'reason_allows_a_debit',
            message = format('the reason of an earlier failure of %s allows no further debit', p_investment);
    end if;
    if treasury.is_spent_source(p_offering, p_investment, p_payer_fingerprint) then
        raise exception using errcode = 'BR008', constraint = 'debit_is_from_another_account',
            message = format('the reason of an earlier failure of %s allows no further debit of this account', p_investment);
    end if;
    if exists (select from treasury.debit d where d.offering_id = p_offering and d.investment_id = p_investment
        and d.status = 'sent' and treasury.is_with_the_bank(d)) then
        raise exception using errcode = 'BR008', constraint = 'earlier_debit_is_answered',
            message = format('neither the money nor the return of an earlier debit of %s has come', p_investment);
    end if;
    perform treasury.void_what_is_over(p_offering, p_investment);
    insert into treasury.debit (offering_id, debit_id, status, attempt_id, investment_id, amount_minor, currency, payer_fingerprint,
        mandate_sha256, entry_class)
    values (p_offering, p_debit, 'ordered', a.attempt_id, p_investment, a.due_minor - a.received_minor, a.currency, p_payer_fingerprint,
        p_mandate_sha256, p_entry_class);
    return a.due_minor - a.received_minor;
end $$;

-- Withdraws a debit whose bytes are not written; one that was sent can only come back.
create function treasury.void_debit(p_actor text, p_request text, p_offering text, p_debit text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update treasury.debit set status = 'voided' where offering_id = p_offering and debit_id = p_debit;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'debit_exists', message = format('there is no debit %s', p_debit);
    end if;
end $$;

-- The debits that wait, locked with their positions for the one who writes their bytes in this very transaction; what is over is
-- voided. An investor who is not cleared any more is not debited. Each line says from which number on their entries are numbered, and in which file.
create function treasury.take_debits(p_actor text, p_request text, p_offering text, p_most integer) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    taken jsonb;
    numbers jsonb;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id in (select d.investment_id
        from treasury.debit d where d.offering_id = p_offering and d.status = 'ordered') order by pos.investment_id for update;
    perform treasury.void_what_is_over(p_offering);
    taken := (select coalesce(jsonb_agg(jsonb_build_object('debit', d.debit_id, 'amount', d.amount_minor, 'currency', d.currency,
            'fingerprint', encode(d.payer_fingerprint, 'hex'), 'class', d.entry_class) order by d.entry_class, d.debit_id), '[]')
        from (select t.* from treasury.debit t where t.offering_id = p_offering and t.status = 'ordered' and treasury.may_leave(t)
            order by t.debit_id limit p_most for update of t skip locked) d);
    if taken = '[]' then
        return taken;
    end if;
    numbers := treasury.number_entries(jsonb_array_length(taken));
    return (select jsonb_agg(l.line || numbers order by l.place) from jsonb_array_elements(taken) with ordinality as l (line, place));
end $$;

-- Commits the bytes of a file of debits with the trace number of each: {debit, trace}. Their payments are in progress.
create function treasury.store_debits(p_actor text, p_request text, p_offering text, p_payout text, p_content bytea, p_debits jsonb)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    total bigint;
    orders integer;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id in (select d.investment_id
        from treasury.debit d where d.offering_id = p_offering and d.debit_id in (select x ->> 'debit' from jsonb_array_elements(p_debits) x))
    order by pos.investment_id for update;
    select sum(d.amount_minor), count(*) into total, orders from treasury.debit d where d.offering_id = p_offering
        and treasury.may_leave(d) and d.debit_id in (select x ->> 'debit' from jsonb_array_elements(p_debits) x);
    if orders <> jsonb_array_length(p_debits) or orders = 0 then
        raise exception using errcode = 'BR008', constraint = 'payout_carries_each_debit_once',
            message = format('a debit of %s is sent already, void or not due', p_payout);
    end if;
    insert into treasury.payout (offering_id, payout_id, status, purpose, content, content_sha256, amount_minor, currency, orders)
    values (p_offering, p_payout, 'prepared', 'debit', p_content, sha256(p_content), total, 'USD', orders);
    update treasury.debit d set status = 'sent', payout_id = p_payout, trace = x.trace
    from jsonb_to_recordset(p_debits) as x (debit text, trace text)
    where d.offering_id = p_offering and d.debit_id = x.debit;
    update treasury.payment_attempt a set status = 'in_progress' from treasury.debit d
    where d.offering_id = p_offering and d.payout_id = p_payout and a.offering_id = d.offering_id and a.attempt_id = d.attempt_id;
end $$;

-- The bank sends a debit back before any of its money was booked. Its payment fails for the bank's reason where it waits and nothing
-- came; one that brought a part, was paid otherwise or ended stays as it is. A second return of a debit, or of booked money, is false.
create function treasury.return_debit(p_actor text, p_request text, p_offering text, p_trace text, p_code text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    d treasury.debit;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into d from treasury.debit where offering_id = p_offering and trace = p_trace and status = 'sent';
    if not found or not treasury.is_with_the_bank(d) then
        return false;
    end if;
    perform treasury.lock(p_offering, d.investment_id);
    update treasury.debit set status = 'returned', return_code = p_code where offering_id = p_offering and debit_id = d.debit_id;
    if exists (select from treasury.payment_attempt a where a.offering_id = p_offering and a.attempt_id = d.attempt_id
        and a.status in ('initialized', 'in_progress') and a.received_minor = 0) then
        perform treasury.fail_payment(p_actor, p_request, p_offering, d.attempt_id, 'ach_debit', p_code);
    end if;
    return true;
end $$;
