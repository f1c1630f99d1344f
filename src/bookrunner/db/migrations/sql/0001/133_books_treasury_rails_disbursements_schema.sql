-- What is paid to holders: the money for a distribution, and one payment for each line.

-- The issuer's money that is there for distributions: receipts that two people's distribution waits for.
create view treasury.distribution_funding as
select offering_id, funds_distribution_id as distribution_id, sum(amount_minor)::bigint as funded_minor from treasury.receipt
where status = 'funding' group by offering_id, funds_distribution_id;

-- What was taken for distributions in all, and what the bank took back of it: money of a payment that had begun is a receivable until
-- somebody makes it good.
create view treasury.distribution_money as
select offering_id, funds_distribution_id as distribution_id, sum(amount_minor)::bigint as taken_minor,
    coalesce(sum(amount_minor) filter (where status = 'returned'), 0)::bigint as taken_back_minor, sum(receivable_minor)::bigint as receivable_minor
from treasury.receipt where funds_distribution_id is not null and status in ('funding', 'returned')
group by offering_id, funds_distribution_id;

-- One payment to one payee: its id is the id of its line, so that no line is paid under two names.
create table treasury.disbursement (
    offering_id text not null,
    disbursement_id text not null,
    distribution_id text not null,
    investor_id text not null,
    payee_id text not null,
    status text not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    owed_since date not null,
    held_because text constraint hold_has_a_known_reason check (held_because in ('match_with_a_list', 'screening_waits',
        'wallet_change_in_progress', 'registration_change_in_progress', 'payee_change_in_progress', 'account_change_in_progress', 'account_is_not_known',
        'account_is_not_named', 'account_does_not_fit_its_rail', 'wallet_is_not_linked', 'wallet_changed_since_the_record_date',
        'money_is_on_another_rail', 'chain_refuses_the_payment')),
    payee_fingerprint bytea,
    try_no integer not null default 1 check (try_no > 0),
    payout_id text,
    receipt_id text,
    bounce_code text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, disbursement_id),
    foreign key (offering_id, payout_id) references treasury.payout,
    foreign key (offering_id, receipt_id) references treasury.receipt,
    constraint held_disbursement_says_why check ((status = 'held') = (held_because is not null)),
    constraint returned_disbursement_says_why check ((status = 'returned') <= (bounce_code is not null)),
    constraint disbursement_goes_one_way check (num_nonnulls(payout_id, receipt_id) = (status in ('paying', 'paid', 'returned'))::integer),
    constraint sent_disbursement_names_its_account check ((payout_id is not null) <= (payee_fingerprint is not null))
) with (fillfactor = 60);
create index disbursement_of_distribution on treasury.disbursement (offering_id, distribution_id, disbursement_id);
create index disbursement_to_pay on treasury.disbursement (offering_id, distribution_id, disbursement_id) where status = 'owed';
create index disbursement_of_payout on treasury.disbursement (offering_id, payout_id) where payout_id is not null;
create index disbursement_of_investor on treasury.disbursement (investor_id);
create index disbursement_of_payee on treasury.disbursement (payee_id);
call audit.keep('treasury.disbursement', 'disbursement', 'disbursement_id', 'offering_id');

-- The price of lines that a buy-back let go, back from what was set apart: as a receipt of the issuer's money that waits, or part of one.
create table treasury.released_price (
    offering_id text not null,
    line_id text not null,
    distribution_id text not null,
    amount_minor bigint not null check (amount_minor > 0),
    recorded_at timestamptz not null default clock_timestamp(),
    constraint price_is_released_once primary key (offering_id, line_id)
);
create index released_price_of_distribution on treasury.released_price (offering_id, distribution_id);
call audit.append_only('treasury.released_price');

-- The distributions whose lines are owed by now; one without a line that pays anything is, too, or one that is reinvested whole, and a redemption
-- is with its last line.
create view treasury.declared_distribution as
select d.offering_id, d.distribution_id from engine.distribution d
join treasury.journal j on j.offering_id = d.offering_id and j.journal_id = 'declared:' || d.distribution_id
union all
select d.offering_id, d.distribution_id from engine.distribution d where d.status in ('paying', 'paid') and d.reinvested_minor = d.distributable_minor
union all
select r.offering_id, r.distribution_id from engine.redemption r where not exists (select from engine.distribution_line l
    where l.offering_id = r.offering_id and l.distribution_id = r.distribution_id and l.net_minor > 0 and not exists (
        select from treasury.disbursement x where x.offering_id = l.offering_id and x.disbursement_id = l.line_id) and not exists (
        select from treasury.released_price x where x.offering_id = l.offering_id and x.line_id = l.line_id));

-- What is owed to whom under which name never changes.
create function treasury.disbursement_stays() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.distribution_id, new.investor_id, new.payee_id, new.amount_minor, new.currency, new.owed_since)
        is distinct from (old.distribution_id, old.investor_id, old.payee_id, old.amount_minor, old.currency, old.owed_since) then
        raise exception using errcode = 'BR006', constraint = 'disbursement_is_what_the_line_says',
            message = format('%s is owed by its line', old.disbursement_id);
    end if;
    return new;
end $$;
create trigger disbursement_stays before update on treasury.disbursement
    for each row execute function treasury.disbursement_stays();
alter table treasury.disbursement enable always trigger disbursement_stays;

-- A payment is of a line of a distribution that is being paid, with its net amount; of a redemption once its units are cancelled.
create function treasury.disbursement_is_of_its_line() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from engine.distribution_line l join engine.distribution d using (offering_id, distribution_id)
            where l.offering_id = new.offering_id and l.distribution_id = new.distribution_id and l.line_id = new.disbursement_id
                and l.investor_id = new.investor_id and l.payee_id = new.payee_id and l.net_minor = new.amount_minor and d.currency = new.currency and d.status = 'paying'
                and (engine.is_redeemed(l.offering_id, l.distribution_id, l.line_id) or not exists (select from engine.redemption r
                    where r.offering_id = l.offering_id and r.distribution_id = l.distribution_id)))
        and not exists (select from engine.cash_in_lieu l where (l.offering_id, l.split_id, l.line_id, l.investor_id, l.payee_id,
            l.amount_minor, l.currency) = (new.offering_id, new.distribution_id, new.disbursement_id, new.investor_id, new.payee_id,
            new.amount_minor, new.currency)) then
        raise exception using errcode = 'BR008', constraint = 'disbursement_is_what_the_line_says',
            message = format('%s is no line of %s that is paid now', new.disbursement_id, new.distribution_id);
    end if;
    return new;
end $$;
create trigger disbursement_is_of_its_line before insert on treasury.disbursement
    for each row execute function treasury.disbursement_is_of_its_line();
alter table treasury.disbursement enable always trigger disbursement_is_of_its_line;

-- After how many days money that nobody could be paid counts as unclaimed.
create table treasury.unclaimed_term (
    valid_from date primary key,
    days integer not null constraint unclaimed_term_is_a_length_of_time check (days between 1 and 3660),
    proposed_by text not null,
    approved_by text not null,
    constraint unclaimed_term_needs_two_people check (audit.person_of(proposed_by) <> audit.person_of(approved_by))
);
insert into treasury.unclaimed_term (valid_from, days, proposed_by, approved_by) values ('2020-01-01', 180, 'bookrunner', 'administrator');
call audit.append_only('treasury.unclaimed_term');

create view treasury.disbursement_fact as
select offering_id, disbursement_id, distribution_id, investor_id, payee_id, status, amount_minor, currency, owed_since, held_because, try_no,
    payout_id, receipt_id, bounce_code, version, chain_head from treasury.disbursement;
