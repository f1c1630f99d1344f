-- Money that nobody owns: who answers for it, until when it waits, and how it goes back by itself.

-- How many banking days money that no payment claims may wait.
create table treasury.unidentified_term (
    valid_from date primary key,
    banking_days integer not null constraint unidentified_term_is_a_length_of_time check (banking_days between 1 and 366),
    source text not null constraint unidentified_term_names_its_source check (source ~ '\S'),
    proposed_by text not null,
    approved_by text not null,
    constraint unidentified_term_needs_two_people check (audit.person_of(proposed_by) <> audit.person_of(approved_by))
);

insert into treasury.unidentified_term (valid_from, banking_days, source, proposed_by, approved_by)
values ('2020-01-01', 10, 'Escrow policy: what nobody claims goes back to its sender', 'bookrunner', 'administrator');

-- Who answers for a receipt that waits, each time that it changes.
create table treasury.receipt_owner (
    offering_id text not null,
    receipt_id text not null,
    place integer not null,
    owner text not null constraint receipt_owner_is_named check (owner ~ '\S'),
    given_by text not null,
    given_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, receipt_id, place),
    foreign key (offering_id, receipt_id) references treasury.receipt
);

call audit.append_only('treasury.unidentified_term');
call audit.append_only('treasury.receipt_owner');

-- The banking day on which money that was booked on a day goes back when nobody owns it, by the term of that day.
create function treasury.goes_back_on(p_booked_on date) returns date
language sql stable strict set search_path = pg_catalog, pg_temp
begin atomic
    select treasury.banking_day(p_booked_on + 1, t.banking_days - 1)
    from treasury.unidentified_term t where t.valid_from <= p_booked_on order by t.valid_from desc limit 1;
end;

-- Names who answers for a receipt that waits; before that it is whoever brought it in.
create function treasury.give_receipt(p_actor text, p_request text, p_offering text, p_receipt text, p_owner text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from treasury.receipt r where r.offering_id = p_offering and r.receipt_id = p_receipt
        and r.status in ('unmatched', 'held') for update;
    if not found then
        raise exception using errcode = 'BR008', constraint = 'owned_receipt_waits', message = format('%s does not wait', p_receipt);
    end if;
    insert into treasury.receipt_owner (offering_id, receipt_id, place, owner, given_by)
    select p_offering, p_receipt, 1 + count(*), p_owner, p_actor from treasury.receipt_owner o
    where o.offering_id = p_offering and o.receipt_id = p_receipt;
end $$;

-- What no reference or an unknown one names, from a known account of a bank, with no proposal about it.
create view treasury.unidentified as
select r.offering_id, r.receipt_id, r.booked_on, treasury.goes_back_on(r.booked_on) as goes_back_on from treasury.receipt r
where r.status = 'unmatched' and r.exception in ('no_reference', 'unknown_reference') and r.source_fingerprint is not null
    and r.statement_id is not null and r.rail <> 'stablecoin' and not exists (select from treasury.proposal p
        where p.offering_id = r.offering_id and p.receipt_id = r.receipt_id and p.status = 'proposed');

-- Sends back what has waited its term on a day that has come, at most so many receipts; a worker repeats it until it answers 0.
create function treasury.return_unidentified(p_actor text, p_request text, p_offering text, p_on date, p_most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    if p_on > (clock_timestamp() at time zone 'UTC')::date then
        raise exception using errcode = 'BR008', constraint = 'return_day_has_come', message = format('%s is yet to come', p_on);
    end if;
    return treasury.start_refunds(p_offering, array(select u.receipt_id from treasury.unidentified u
        where u.offering_id = p_offering and u.goes_back_on <= p_on order by u.booked_on, u.receipt_id limit p_most), 'unidentified');
end $$;
