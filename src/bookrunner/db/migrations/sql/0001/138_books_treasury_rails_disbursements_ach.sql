-- Lines that go as entries of a NACHA file: the trace number by which the network names each, and what it sends back.

-- One line in one file. A line that is tried again, or whose file was withdrawn, is another entry.
create table treasury.ach_entry (
    offering_id text not null,
    payout_id text not null,
    disbursement_id text not null,
    try_no integer not null,
    trace text not null constraint trace_has_fifteen_digits check (trace ~ '^[0-9]{15}$'),
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null constraint ach_pays_in_dollars check (currency = 'USD'),
    primary key (offering_id, payout_id, disbursement_id),
    foreign key (offering_id, payout_id) references treasury.payout,
    foreign key (offering_id, disbursement_id) references treasury.disbursement,
    constraint trace_names_one_entry unique (offering_id, trace)
);
create index ach_entry_of_line on treasury.ach_entry (offering_id, disbursement_id, try_no);
call audit.append_only('treasury.ach_entry');

-- What a statement may show of lines and remittances as paid or as sent back, with the trace number of an entry; no line that tokens pay. Of
-- an entry whose return was announced the statement still books both ways.
create view treasury.line_with_the_bank as
select d.offering_id, d.disbursement_id as refund_id, d.try_no, d.amount_minor, d.currency,
    case d.status when 'paying' then 'sent' else 'settled' end as status, false as is_return, 'line' as kind,
    (select array[e.trace] from treasury.ach_entry e where e.offering_id = d.offering_id and e.payout_id = d.payout_id
        and e.disbursement_id = d.disbursement_id) as marks
from treasury.disbursement d where d.status in ('paying', 'paid') and d.payout_id is not null and not exists (select from treasury.payout p
    where p.offering_id = d.offering_id and p.payout_id = d.payout_id and p.rail = 'stablecoin')
union all
select e.offering_id, e.disbursement_id, e.try_no, e.amount_minor, e.currency, 'announced', false, 'line', array[e.trace]
from treasury.ach_entry e
join treasury.journal j on j.offering_id = e.offering_id and j.journal_id = 'bounced:' || e.disbursement_id || '@' || e.try_no
join treasury.payout p on p.offering_id = e.offering_id and p.payout_id = e.payout_id and p.status = 'handed_over'
where not exists (select from treasury.booking b where b.offering_id = j.offering_id and b.booking_id = j.journal_id)
union all
select m.offering_id, m.remittance_id, m.try_no, m.amount_minor, m.currency, m.status, false, 'remittance', null
from treasury.tax_remittance m where m.status in ('sent', 'settled');

-- Takes the numbers of the entries of one file; whoever else numbers waits for the end of this transaction.
create function treasury.number_ach_entries(p_actor text, p_request text, p_entries integer) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    return treasury.number_entries(p_entries);
end $$;

-- Commits the bytes of a file before they leave, with the trace number of each line: {line, trace}.
create function treasury.store_ach_entries(p_actor text, p_request text, p_offering text, p_payout text, p_content bytea, p_entries jsonb)
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    total bigint;
begin
    perform audit.enter(p_actor, p_request);
    total := treasury.order_lines(p_offering, p_payout, p_content, array(select x ->> 'line' from jsonb_array_elements(p_entries) x), 'ach');
    insert into treasury.ach_entry (offering_id, payout_id, disbursement_id, try_no, trace, amount_minor, currency)
    select p_offering, p_payout, d.disbursement_id, d.try_no, x.trace, d.amount_minor, d.currency
    from jsonb_to_recordset(p_entries) as x (line text, trace text)
    join treasury.disbursement d on d.offering_id = p_offering and d.disbursement_id = x.line;
    return total;
end $$;

-- The network announces that an entry came back: its line is open again. The same announcement again changes nothing; false when the trace
-- number and the amount are of no entry that was sent.
create function treasury.return_ach_entry(p_actor text, p_request text, p_offering text, p_trace text, p_amount_minor bigint, p_code text)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    e treasury.ach_entry;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into e from treasury.ach_entry x where x.offering_id = p_offering and x.trace = p_trace and x.amount_minor = p_amount_minor;
    if exists (select from treasury.disbursement d where d.offering_id = p_offering and d.disbursement_id = e.disbursement_id
        and d.payout_id = e.payout_id and d.status in ('paying', 'paid')) then
        perform treasury.return_disbursement(p_actor, p_request, p_offering, e.disbursement_id, p_code, null);
        return true;
    end if;
    return exists (select from treasury.journal j where j.offering_id = p_offering
        and j.journal_id = 'bounced:' || e.disbursement_id || '@' || e.try_no);
end $$;

-- A statement books an entry whose return was announced before: as it left, and where it shows the money again, as it came back.
create function treasury.book_ach_entry(p_actor text, p_request text, p_offering text, p_line text, p_try integer, p_is_back boolean,
    p_booked_on date) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    insert into treasury.booking (offering_id, booking_id, journal_id, currency, amount_minor, booked_on)
    select e.offering_id, x.id, x.journal, e.currency, x.minor, p_booked_on
    from treasury.line_with_the_bank w
    join treasury.ach_entry e on e.offering_id = w.offering_id and array[e.trace] = w.marks
    cross join lateral (values (e.disbursement_id || '@' || e.try_no, 'paid:' || e.payout_id, -e.amount_minor, true),
        ('bounced:' || e.disbursement_id || '@' || e.try_no, 'bounced:' || e.disbursement_id || '@' || e.try_no, e.amount_minor, p_is_back))
        as x (id, journal, minor, is_shown)
    where w.offering_id = p_offering and w.refund_id = p_line and w.try_no = p_try and w.status = 'announced' and x.is_shown
    on conflict do nothing;
end $$;
