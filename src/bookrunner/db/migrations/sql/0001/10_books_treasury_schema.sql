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
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, attempt_id),
    constraint attempts_are_numbered unique (offering_id, investment_id, attempt_no),
    constraint reference_is_issued_once unique (offering_id, reference),
    constraint received_is_within_due check (received_minor <= due_minor)
);

create unique index one_payment_attempt_is_live on treasury.payment_attempt (offering_id, investment_id)
    where status in ('initialized', 'in_progress', 'received', 'cleared');

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
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, statement_id),
    constraint statement_is_imported_once unique (offering_id, account, bank_statement_id)
);

create table treasury.receipt (
    offering_id text not null,
    receipt_id text not null,
    statement_id text not null,
    dedupe_key text not null,
    status text not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    booked_on date not null,
    value_on date not null,
    claimed_reference text,
    source_fingerprint bytea,
    sender text,
    line_sha256 bytea not null,
    exception text constraint exception_is_known check (exception in ('no_reference', 'unknown_reference',
        'currency_differs', 'source_is_not_approved', 'attempt_is_not_open', 'amount_exceeds_due')),
    investment_id text,
    attempt_id text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, receipt_id),
    foreign key (offering_id, statement_id) references treasury.statement,
    constraint each_bank_entry_posts_once unique (offering_id, dedupe_key),
    constraint matched_receipt_names_its_investment check (
        (status in ('matched', 'cleared')) <= (investment_id is not null and attempt_id is not null))
);

create index receipt_of_investment on treasury.receipt (offering_id, investment_id);

create table treasury.release (
    offering_id text not null,
    release_id text not null,
    closing_id text not null,
    status text not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    payee_fingerprint bytea not null,
    proposed_by text not null,
    approved_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, release_id),
    constraint release_needs_two_people check (approved_by is distinct from proposed_by),
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

call audit.append_only('treasury.release_line');
call audit.keep('treasury.source_account', 'source_account', 'source_id', 'investor_id');
call audit.keep('treasury.payment_attempt', 'payment_attempt', 'attempt_id', 'offering_id');
call audit.keep('treasury.statement', 'statement', 'statement_id', 'offering_id');
call audit.keep('treasury.receipt', 'receipt', 'receipt_id', 'offering_id', '{sender}');
call audit.keep('treasury.release', 'release', 'release_id', 'offering_id');

create view treasury.attempt_fact as
select offering_id, attempt_id, investment_id, attempt_no, status, reference, due_minor, currency, received_minor,
    version, chain_head from treasury.payment_attempt;

create view treasury.receipt_fact as
select offering_id, receipt_id, statement_id, status, amount_minor, currency, booked_on, value_on, claimed_reference,
    exception, investment_id, version, chain_head from treasury.receipt;

create view treasury.release_fact as
select offering_id, release_id, closing_id, status, amount_minor, currency, version, chain_head from treasury.release;

create view treasury.statement_fact as
select offering_id, statement_id, account, bank_statement_id, opening_minor, closing_minor, closed_on, entries
from treasury.statement;
