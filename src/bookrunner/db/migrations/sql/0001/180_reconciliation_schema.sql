-- Runs of the comparisons between the keepers' books, the breaks that they find, and what each kind of break means.

create schema reconciliation;

create table reconciliation.comparison (
    comparison text primary key,
    is_of_the_five boolean not null,
    sentence text not null
);
call audit.append_only('reconciliation.comparison');

-- What a kind of break means: whose book has to say more, how grave it is, and whether it holds a closing of its set up.
create table reconciliation.kind (
    kind text primary key,
    comparison text not null references reconciliation.comparison,
    owner text not null,
    severity text not null constraint severity_is_known check (severity in ('high', 'medium', 'low')),
    is_blocking boolean not null,
    sentence text not null,
    suggestion text not null
);
call audit.append_only('reconciliation.kind');

-- One run: of everything, or of what events touched. A whole run names the phase of the offer whose cadence it kept.
create table reconciliation.run (
    offering_id text not null,
    run_id text not null,
    started_at timestamptz not null default clock_timestamp(),
    is_whole boolean not null,
    phase text not null,
    saw_the_chain boolean not null,
    compared integer not null,
    found integer not null,
    resolved integer not null,
    primary key (offering_id, run_id)
);
call audit.append_only('reconciliation.run');
create index whole_runs on reconciliation.run (offering_id, started_at) where is_whole;

-- What a comparison says of one row that differs. About is the investment, investor or address that it hangs on, null for
-- what concerns the whole offer; the owner is the kind's unless the row knows better.
create type reconciliation.difference as (
    kind text,
    subject_id text,
    about text,
    left_value text,
    right_value text,
    owner text
);

create table reconciliation.break (
    offering_id text not null,
    break_id text not null,
    comparison text not null references reconciliation.comparison,
    subject_id text not null,
    kind text not null references reconciliation.kind,
    about text,
    left_value text not null,
    right_value text not null,
    owner text not null,
    since timestamptz not null default clock_timestamp(),
    evidence text[] not null default '{}',
    status text not null,
    assigned_to text,
    assigned_by text,
    answered_by text,
    answer text,
    accepted_by text,
    accepted_because text,
    verified_in text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, break_id),
    constraint one_break_per_difference unique (offering_id, comparison, subject_id, kind),
    constraint assigned_break_names_its_person
        check (status = 'open' or status = 'verified' or coalesce(assigned_to ~ '\S', false)),
    constraint answered_break_says_why
        check (status not in ('explained', 'corrected') or answered_by is not null and coalesce(answer ~ '\S', false)),
    constraint acceptance_needs_two_people check (accepted_by is null
        or coalesce(audit.person_of(accepted_by) <> audit.person_of(answered_by), false)),
    constraint acceptance_has_its_reason check ((accepted_by is null) = (accepted_because is null) and coalesce(accepted_because ~ '\S', true)),
    constraint break_is_verified_by_a_run_or_two_people
        check ((status = 'verified') = (num_nonnulls(verified_in, accepted_by) = 1) and num_nonnulls(verified_in, accepted_by) <= 1),
    constraint verifying_run_exists foreign key (offering_id, verified_in)
        references reconciliation.run (offering_id, run_id) deferrable initially deferred
);
create index break_not_verified on reconciliation.break (offering_id, about) where status <> 'verified';

-- What a break is of never changes: another difference is another break.
create function reconciliation.break_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (old.comparison, old.subject_id, old.kind, old.about, old.owner) is distinct from
        (new.comparison, new.subject_id, new.kind, new.about, new.owner) then
        raise exception using errcode = 'BR006', constraint = 'difference_of_a_break_is_locked',
            message = format('%s is of one difference', old.break_id);
    end if;
    return new;
end $$;
create trigger break_stands before update on reconciliation.break
    for each row execute function reconciliation.break_stands();
alter table reconciliation.break enable always trigger break_stands;

call audit.keep('reconciliation.break', 'break', 'break_id', 'offering_id', '{answer,accepted_because}');

-- A break that nobody has answered in its time is told of once for each step of its age.
create table reconciliation.reminder (
    offering_id text not null,
    reminder_id text not null,
    break_id text not null,
    status text not null,
    step integer not null check (step > 0),
    age_days integer not null check (age_days > 0),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, reminder_id),
    constraint reminder_names_a_break foreign key (offering_id, break_id) references reconciliation.break
);
call audit.keep('reconciliation.reminder', 'break_reminder', 'reminder_id', 'offering_id');

-- After how many days of which severity somebody is reminded; one row a step.
create table reconciliation.ageing (
    severity text not null,
    step integer not null check (step > 0),
    after_days integer not null check (after_days > 0),
    primary key (severity, step)
);
insert into reconciliation.ageing (severity, step, after_days) values
    ('high', 1, 1), ('high', 2, 3), ('high', 3, 7),
    ('medium', 1, 3), ('medium', 2, 7), ('medium', 3, 30),
    ('low', 1, 7), ('low', 2, 30), ('low', 3, 90);
call audit.append_only('reconciliation.ageing');

-- A break as people read it: with its age in whole days, and what its kind means.
create view reconciliation.break_fact as
select b.offering_id, b.break_id, b.comparison, b.subject_id, b.kind, b.about, b.left_value, b.right_value, b.owner, b.since,
    floor(extract(epoch from clock_timestamp() - b.since) / 86400)::integer as age_days, k.severity, k.is_blocking, k.sentence, k.suggestion,
    b.evidence, b.status, b.assigned_to, b.answered_by, b.answer, b.accepted_by, b.accepted_because, b.verified_in, b.version, b.chain_head
from reconciliation.break b join reconciliation.kind k using (kind);
