-- Rules of the treasury as dated rows: clearing by rail, bank holidays, what may follow a failure.

insert into treasury.clearing_policy (rail, valid_from, hold_days, counted_in, source, proposed_by, approved_by) values
    ('wire', '2020-01-01', 0, 'banking_days', '12 CFR 210.31: payment by Fedwire is final when it is credited', 'bookrunner', 'administrator'),
    ('ach_credit', '2020-01-01', 2, 'banking_days', 'Nacha Rules: a credit can be returned for two banking days', 'bookrunner', 'administrator'),
    ('ach_debit', '2020-01-01', 60, 'calendar_days', 'Nacha Rules: an unauthorized consumer debit can be returned for 60 calendar days', 'bookrunner', 'administrator'),
    ('balance', '2020-01-01', 0, 'banking_days', 'Money that is already held', 'bookrunner', 'administrator'),
    ('stablecoin', '2020-01-01', 0, 'calendar_days', 'Final with its block', 'bookrunner', 'administrator'),
    ('cheque', '2020-01-01', 9, 'banking_days', 'Return of a dishonoured cheque, with the holds of 12 CFR 229.12 and 229.13', 'bookrunner', 'administrator'),
    ('card', '2020-01-01', 120, 'calendar_days', 'Rules of the card networks: a holder may dispute a payment for 120 calendar days', 'bookrunner', 'administrator');

-- Holidays of the Federal Reserve Banks: one that falls on a Sunday is kept on Monday, one on a Saturday is not moved.
insert into treasury.bank_holiday (day, name)
with year (first) as (select make_date(y, 1, 1) from generate_series(2020, 2040) y),
named (day, name) as (
    select first, 'New Year''s Day' from year
    union all select make_date(extract(year from first)::int, 6, 19), 'Juneteenth National Independence Day' from year where first >= '2022-01-01'
    union all select make_date(extract(year from first)::int, 7, 4), 'Independence Day' from year
    union all select make_date(extract(year from first)::int, 11, 11), 'Veterans Day' from year
    union all select make_date(extract(year from first)::int, 12, 25), 'Christmas Day' from year),
weekday (month, day_of_week, nth, name) as (values (1, 1, 3, 'Birthday of Martin Luther King, Jr.'),
    (2, 1, 3, 'Washington''s Birthday'), (9, 1, 1, 'Labor Day'), (10, 1, 2, 'Columbus Day'), (11, 4, 4, 'Thanksgiving Day'))
select case when extract(dow from day) = 0 then day + 1 else day end, name from named
union all
select m.first + (w.day_of_week - extract(dow from m.first)::int + 7) % 7 + 7 * (w.nth - 1), w.name
from year, weekday w, lateral (select make_date(extract(year from year.first)::int, w.month, 1) as first) m
union all
select last - (extract(dow from last)::int + 6) % 7, 'Memorial Day'
from year, lateral (select make_date(extract(year from first)::int, 5, 31) as last) m;

insert into treasury.failure_reason (rail, code, then_do, most_retries, within_days, sentence) values
    ('ach_debit', 'R01', 'retry', 2, 180, 'The account did not hold enough money.'),
    ('ach_debit', 'R02', 'new_account', 1, null, 'The account is closed.'),
    ('ach_debit', 'R03', 'new_account', 1, null, 'There is no such account.'),
    ('ach_debit', 'R04', 'new_account', 1, null, 'The account number is not valid.'),
    ('ach_debit', 'R05', 'stop', 0, null, 'A consumer''s account was debited as a business account without authorization.'),
    ('ach_debit', 'R07', 'stop', 0, null, 'The payer revoked the authorization.'),
    ('ach_debit', 'R08', 'stop', 0, null, 'The payer stopped the payment.'),
    ('ach_debit', 'R09', 'retry', 2, 180, 'The money in the account was not collected yet.'),
    ('ach_debit', 'R10', 'stop', 0, null, 'The payer says that the debit was not authorized.'),
    ('ach_debit', 'R16', 'stop', 0, null, 'The account is frozen.'),
    ('ach_debit', 'R20', 'new_account', 1, null, 'The account does not take such payments.'),
    ('ach_debit', 'R29', 'stop', 0, null, 'The company says that the debit was not authorized.'),
    ('wire', 'AC01', 'new_account', 1, null, 'The account number is not valid.'),
    ('wire', 'AC04', 'new_account', 1, null, 'The account is closed.'),
    ('wire', 'AC06', 'stop', 0, null, 'The account is blocked.'),
    ('wire', 'AM04', 'retry', 2, null, 'The account did not hold enough money.'),
    ('stablecoin', 'reorganised', 'retry', 2, null, 'The chain undid the transfer.'),
    ('card', 'declined', 'new_account', 1, null, 'The bank that issued the card declined the payment.'),
    ('card', 'expired', 'new_account', 1, null, 'The card has expired.'),
    ('card', 'fraud', 'stop', 0, null, 'The holder of the card says that the payment was not authorized.'),
    ('card', 'disputed', 'stop', 0, null, 'The holder of the card disputes the payment.'),
    ('card', 'processing_error', 'retry', 1, null, 'The payment was processed in error.'),
    ('cheque', 'insufficient_funds', 'retry', 1, null, 'The account of the drawer did not hold enough money.'),
    ('cheque', 'stopped', 'stop', 0, null, 'The drawer stopped the cheque.');

-- The banking day so many banking days after a day, or after the first banking day that follows one which is none.
create function treasury.banking_day(p_from date, p_count integer) returns date
language sql stable strict set search_path = pg_catalog, pg_temp
begin atomic
    select d::date from generate_series(p_from, p_from + 2 * p_count + 14, interval '1 day') d
    where extract(dow from d) not in (0, 6) and not exists (select from treasury.bank_holiday h where h.day = d::date)
    order by d offset p_count limit 1;
end;

-- The first banking day on or after which money booked on a day is final under the policy of that day.
create function treasury.clears_on(p_rail text, p_booked_on date) returns date
language sql stable strict set search_path = pg_catalog, pg_temp
begin atomic
    select case p.counted_in when 'calendar_days' then p_booked_on + p.hold_days
        else treasury.banking_day(p_booked_on, p.hold_days) end
    from treasury.clearing_policy p where p.rail = p_rail and p.valid_from <= p_booked_on
    order by p.valid_from desc limit 1;
end;

-- A policy that one administrator proposes and another decides on.
create table treasury.policy_change (
    rail text not null,
    change_id text not null,
    status text not null,
    valid_from date not null,
    hold_days integer not null,
    counted_in text not null,
    source text not null constraint policy_names_its_source check (source ~ '\S'),
    proposed_by text not null,
    decided_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (rail, change_id)
);

call audit.keep('treasury.policy_change', 'policy_change', 'change_id', 'rail');

create function treasury.propose_clearing_policy(p_actor text, p_request text, p_rail text, p_change text, p_valid_from date,
    p_hold_days integer, p_counted_in text, p_source text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into treasury.policy_change (rail, change_id, status, valid_from, hold_days, counted_in, source, proposed_by)
    values (p_rail, p_change, 'proposed', p_valid_from, p_hold_days, p_counted_in, p_source, p_actor);
end $$;

-- Adopts or declines a proposed policy; what is booked before its first day keeps its own. That day is to come when it is adopted.
create function treasury.decide_clearing_policy(p_actor text, p_request text, p_rail text, p_change text, p_is_adopted boolean,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c treasury.policy_change;
begin
    perform audit.enter(p_actor, p_request);
    select * into c from treasury.policy_change where rail = p_rail and change_id = p_change for update;
    perform treasury.on_version(c.version, p_seen);
    update treasury.policy_change set status = case when p_is_adopted then 'adopted' else 'declined' end, decided_by = p_actor
    where rail = p_rail and change_id = p_change;
    if p_is_adopted is not true then
        return;
    end if;
    if c.valid_from <= (clock_timestamp() at time zone 'UTC')::date then
        raise exception using errcode = 'BR008', constraint = 'policy_starts_in_the_future',
            message = 'a clearing policy is for days to come';
    end if;
    insert into treasury.clearing_policy (rail, valid_from, hold_days, counted_in, source, proposed_by, approved_by)
    values (c.rail, c.valid_from, c.hold_days, c.counted_in, c.source, c.proposed_by, p_actor);
end $$;
