-- The treasury book: what is due, what arrived, whose it is, what is final, and the escrow ledger.

create schema treasury;

create table treasury.source_account (
    investor_id text not null,
    source_id text not null,
    fingerprint bytea not null check (octet_length(fingerprint) = 32),
    status text not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (investor_id, source_id)
);

create unique index source_account_is_listed_once on treasury.source_account (investor_id, fingerprint);

create table treasury.payment_attempt (
    offering_id text not null,
    attempt_id text not null,
    investment_id text not null,
    investor_id text not null,
    attempt_no integer not null check (attempt_no > 0),
    status text not null,
    reference text not null constraint reference_is_iso_11649 check (reference ~ '^RF[0-9]{14}$'),
    due_minor bigint not null check (due_minor > 0),
    currency text not null,
    received_minor bigint not null default 0 check (received_minor >= 0),
    failed_rail text,
    failed_code text,
    is_live boolean not null generated always as (status in ('initialized', 'in_progress', 'received', 'cleared')) stored,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, attempt_id),
    constraint attempts_are_numbered unique (offering_id, investment_id, attempt_no),
    constraint reference_is_issued_once unique (offering_id, reference),
    constraint received_is_within_due check (received_minor <= due_minor)
) with (fillfactor = 50);

-- By a column of its own, so that a move within the live states touches no index; the room for it is on the page.
create unique index one_payment_attempt_is_live on treasury.payment_attempt (offering_id, investment_id) where is_live;

create table treasury.statement (
    offering_id text not null,
    statement_id text not null,
    status text not null,
    account text not null,
    bank_statement_id text not null,
    file_sha256 bytea not null,
    opening_minor bigint not null,
    closing_minor bigint not null,
    closed_on date not null,
    entries integer not null check (entries >= 0),
    imported_in xid8 not null default pg_current_xact_id(),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, statement_id),
    constraint statement_is_imported_once unique (offering_id, account, bank_statement_id)
);

create table treasury.receipt (
    offering_id text not null,
    receipt_id text not null,
    statement_id text,
    dedupe_key text not null,
    status text not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    booked_on date not null,
    value_on date not null,
    rail text not null default 'wire',
    clears_on date,
    claimed_reference text,
    further_references text[],
    source_fingerprint bytea,
    sender text,
    line_sha256 bytea not null,
    marks text[],
    exception text constraint exception_is_known check (exception in ('no_reference', 'unknown_reference',
        'currency_differs', 'source_is_not_approved', 'attempt_is_not_open', 'amount_exceeds_due', 'investment_has_ended',
        'references_do_not_sum', 'match_was_undone', 'source_is_listed')),
    investment_id text,
    attempt_id text,
    matched_in text,
    root_id text,
    stored_for text,
    funds_distribution_id text,
    source_accepted_by text,
    source_accepted_because text,
    undone_because text,
    return_code text,
    receivable_minor bigint not null default 0 check (receivable_minor >= 0),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, receipt_id),
    constraint bank_receipt_names_its_statement check (statement_id is not null or rail in ('stablecoin', 'cheque', 'balance')),
    constraint part_belongs_to_a_receipt foreign key (offering_id, root_id) references treasury.receipt,
    constraint each_bank_entry_posts_once unique (offering_id, dedupe_key),
    constraint stored_receipt_names_its_investor check ((status = 'stored') <= (stored_for is not null)),
    constraint funding_receipt_names_its_distribution check ((status = 'funding') <= (funds_distribution_id is not null)),
    constraint matched_receipt_names_its_investment check (
        (status in ('matched', 'cleared')) <= (investment_id is not null and attempt_id is not null))
);

-- A receipt is of a statement of its offer for good, and no statement ever goes away: one look for all that an import takes in.
create function treasury.receipts_are_of_statements() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    r record;
begin
    if tg_op = 'INSERT' then
        select n.receipt_id, n.statement_id into r from (select distinct on (x.offering_id, x.statement_id) x.* from added x) n
        left join treasury.statement s on s.offering_id = n.offering_id and s.statement_id = n.statement_id
        where n.statement_id is not null and s.statement_id is null limit 1;
        if not found then
            return null;
        end if;
    else
        r := new;
    end if;
    raise exception using errcode = 'BR009', constraint = 'receipt_is_of_its_statement',
        message = format('%s is of no statement %s', r.receipt_id, r.statement_id);
end $$;

create trigger receipts_are_of_statements after insert on treasury.receipt
    referencing new table as added for each statement execute function treasury.receipts_are_of_statements();
create trigger receipt_keeps_its_statement before update of statement_id on treasury.receipt
    for each row execute function treasury.receipts_are_of_statements();
alter table treasury.receipt enable always trigger receipts_are_of_statements;
alter table treasury.receipt enable always trigger receipt_keeps_its_statement;

create index receipt_of_investment on treasury.receipt (offering_id, investment_id);
create index receipt_of_statement on treasury.receipt (offering_id, statement_id) where statement_id is not null;
create index part_of_receipt on treasury.receipt (offering_id, root_id) where root_id is not null;
-- What waits is few among what was ever received.
create index receipt_that_waits on treasury.receipt (offering_id, booked_on) where status in ('unmatched', 'held');
create index receipt_of_distribution on treasury.receipt (offering_id, funds_distribution_id) where funds_distribution_id is not null;
create index receipt_that_may_clear on treasury.receipt (offering_id, clears_on) where status = 'matched';

-- The orders to the bank: the bytes are committed before they leave, and sent again as they are.
create table treasury.payout (
    offering_id text not null,
    payout_id text not null,
    status text not null,
    purpose text not null check (purpose in ('refund', 'return', 'release', 'debit', 'distribution', 'remittance')),
    content bytea not null,
    content_sha256 bytea not null constraint payout_digest_is_of_its_bytes check (content_sha256 = sha256(content)),
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    orders integer not null check (orders > 0),
    rail text not null default 'bank' constraint rail_of_an_order_is_known check (rail in ('bank', 'ach', 'stablecoin')),
    bank_reference text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, payout_id),
    constraint handed_over_payout_has_its_receipt check ((status = 'handed_over') = (bank_reference is not null))
);

create index payout_to_hand_over on treasury.payout (offering_id, payout_id) where status = 'prepared';

create table treasury.refund (
    offering_id text not null,
    refund_id text not null,
    receipt_id text not null,
    status text not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    reason text not null constraint refund_reason_is_known check (reason in ('cancellation', 'excess', 'scale_back',
        'failed_offer', 'unidentified', 'source_is_not_approved', 'withdrawal')),
    payee_fingerprint bytea not null,
    try_no integer not null default 1 check (try_no > 0),
    payout_id text,
    returned_in text,
    bounce_code text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, refund_id),
    constraint one_refund_per_receipt unique (offering_id, receipt_id),
    foreign key (offering_id, receipt_id) references treasury.receipt,
    foreign key (offering_id, payout_id) references treasury.payout,
    constraint sent_refund_names_its_payout check ((status in ('sent', 'settled', 'bounced')) <=
        (num_nonnulls(payout_id, returned_in) = 1))
);

create index refund_to_send on treasury.refund (offering_id, refund_id) where status = 'created';

-- Money goes back to the account it came from, and exactly as much as came.
create function treasury.refund_goes_to_its_source() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from treasury.receipt r where r.offering_id = new.offering_id and r.receipt_id = new.receipt_id
        and (r.source_fingerprint, r.amount_minor, r.currency) = (new.payee_fingerprint, new.amount_minor, new.currency)) then
        raise exception using errcode = 'BR008', constraint = 'refund_goes_to_its_source',
            message = format('%s would not return %s to its source', new.refund_id, new.receipt_id);
    end if;
    return new;
end $$;

create trigger refund_goes_to_its_source before insert or update of receipt_id, payee_fingerprint, amount_minor, currency
    on treasury.refund for each row execute function treasury.refund_goes_to_its_source();
alter table treasury.refund enable always trigger refund_goes_to_its_source;

create table treasury.release (
    offering_id text not null,
    release_id text not null,
    closing_id text not null,
    status text not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    payee_fingerprint bytea not null,
    deducted_minor bigint not null default 0 check (deducted_minor >= 0),
    fees_differ boolean not null default false,
    differ_because text,
    payout_id text,
    proposed_by text not null,
    approved_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, release_id),
    foreign key (offering_id, payout_id) references treasury.payout,
    constraint issuer_gets_the_larger_part check (deducted_minor < amount_minor),
    constraint release_needs_two_people check (audit.person_of(approved_by) is distinct from audit.person_of(proposed_by)),
    constraint deductions_are_the_fees_shown check (not fees_differ or status not in ('approved', 'sent', 'settled')
        or coalesce(differ_because ~ '\S', false)),
    constraint approved_release_names_who check ((status in ('approved', 'sent', 'settled')) <= (approved_by is not null))
);

create unique index one_release_waits_per_closing on treasury.release (offering_id, closing_id)
    where status = 'proposed';

create table treasury.release_line (
    offering_id text not null,
    investment_id text not null,
    release_id text not null,
    amount_minor bigint not null check (amount_minor > 0),
    primary key (offering_id, investment_id),
    foreign key (offering_id, release_id) references treasury.release
);

-- What an offer may charge, to the issuer or to investors.
create table treasury.fee_kind (
    kind text primary key
);

insert into treasury.fee_kind (kind) values ('platform_fee'), ('broker_commission'), ('transaction_fee');

-- What a release withholds from the issuer, and for whom.
create table treasury.deduction (
    offering_id text not null,
    release_id text not null,
    line integer not null,
    kind text not null constraint deduction_kind_is_known references treasury.fee_kind,
    payee text not null constraint payee_is_named check (payee ~ '^[a-z0-9_]+$'),
    payee_fingerprint bytea not null check (octet_length(payee_fingerprint) = 32),
    amount_minor bigint not null check (amount_minor > 0),
    primary key (offering_id, release_id, line),
    foreign key (offering_id, release_id) references treasury.release
);

-- How long money of a rail can come back, in calendar or banking days, from a day on.
create table treasury.clearing_policy (
    rail text not null constraint rail_is_known check (rail in ('wire', 'ach_credit', 'ach_debit', 'balance', 'stablecoin', 'cheque', 'card')),
    valid_from date not null,
    hold_days integer not null check (hold_days >= 0),
    counted_in text not null check (counted_in in ('banking_days', 'calendar_days')),
    source text not null,
    proposed_by text not null,
    approved_by text not null,
    primary key (rail, valid_from),
    constraint policy_needs_two_people check (audit.person_of(proposed_by) <> audit.person_of(approved_by))
);

-- Days on which the Federal Reserve Banks do not settle, beside Saturdays and Sundays.
create table treasury.bank_holiday (
    day date primary key,
    name text not null
);

-- What may follow a failed or returned payment, by the reason that the rail gives.
create table treasury.failure_reason (
    rail text not null,
    code text not null,
    then_do text not null check (then_do in ('retry', 'new_account', 'stop')),
    most_retries integer not null check (most_retries >= 0),
    within_days integer constraint days_of_retries_are_positive check (within_days > 0),
    sentence text not null,
    primary key (rail, code),
    constraint stopped_payment_is_never_retried check ((then_do = 'stop') = (most_retries = 0))
);

call audit.append_only('treasury.release_line');
call audit.append_only('treasury.deduction');
call audit.append_only('treasury.clearing_policy');
call audit.keep('treasury.source_account', 'source_account', 'source_id', 'investor_id');
call audit.keep('treasury.payment_attempt', 'payment_attempt', 'attempt_id', 'offering_id');
call audit.keep('treasury.statement', 'statement', 'statement_id', 'offering_id', '{imported_in}');
call audit.keep('treasury.receipt', 'receipt', 'receipt_id', 'offering_id', '{sender,marks}');
call audit.keep('treasury.payout', 'payout', 'payout_id', 'offering_id', '{content}');
call audit.keep('treasury.refund', 'refund', 'refund_id', 'offering_id');
call audit.keep('treasury.release', 'release', 'release_id', 'offering_id');

create view treasury.attempt_fact as
select offering_id, attempt_id, investment_id, attempt_no, status, reference, due_minor, currency, received_minor,
    version, chain_head from treasury.payment_attempt;

-- Who paid, by the word of the bank; for screening alone.
create view treasury.payer_fact as
select offering_id, receipt_id, investment_id, source_fingerprint, sender, stored_for from treasury.receipt;

create view treasury.receipt_fact as
select offering_id, receipt_id, statement_id, status, amount_minor, currency, booked_on, value_on, claimed_reference,
    exception, investment_id, rail, clears_on, root_id, receivable_minor, version, chain_head from treasury.receipt
where status <> 'divided';

create view treasury.refund_fact as
select offering_id, refund_id, receipt_id, status, amount_minor, currency, reason, try_no, payout_id, version, chain_head
from treasury.refund;

create view treasury.release_fact as
select offering_id, release_id, closing_id, status, amount_minor, deducted_minor, currency, version, chain_head from treasury.release;

create view treasury.statement_fact as
select offering_id, statement_id, account, bank_statement_id, opening_minor, closing_minor, closed_on, entries
from treasury.statement;
