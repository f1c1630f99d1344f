-- Five comparisons between the keepers' books, and the breaks they find.

create schema reconciliation;

create table reconciliation.run (
    offering_id text not null,
    run_id text not null,
    started_at timestamptz not null default clock_timestamp(),
    compared integer not null,
    found integer not null,
    resolved integer not null,
    primary key (offering_id, run_id)
);

create table reconciliation.break (
    offering_id text not null,
    break_id text not null,
    comparison text not null check (comparison in ('identity', 'subscriptions', 'payments', 'wallets', 'holdings', 'transfers', 'position', 'archive')),
    subject_id text not null,
    kind text not null,
    left_value text not null,
    right_value text not null,
    owner text not null,
    since timestamptz not null default clock_timestamp(),
    status text not null,
    proposed_by text,
    accepted_by text,
    accepted_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, break_id),
    constraint one_break_per_difference unique (offering_id, comparison, subject_id, kind),
    constraint acceptance_needs_two_people check (audit.person_of(accepted_by) is distinct from audit.person_of(proposed_by) or accepted_by is null)
);

call audit.append_only('reconciliation.run');
call audit.keep('reconciliation.break', 'break', 'break_id', 'offering_id');
