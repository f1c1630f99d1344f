-- Reinvestment of what a class distributes: the plan that two people agreed on, what holders elect, and which transactions issue units.

-- The price of one unit, until how many days before a record date an election counts for it, from which record date on, and the most units
-- that are ever issued under it. A later plan takes its place from its own first day on.
create table registry.reinvestment_plan (
    offering_id text not null,
    plan_id text not null,
    status text not null,
    price_minor bigint not null constraint plan_has_its_price check (price_minor > 0),
    currency text not null,
    cutoff_days integer not null constraint plan_cut_off_is_within_a_year check (cutoff_days between 0 and 366),
    from_on date not null,
    most_units bigint not null constraint plan_issues_a_unit_or_more check (most_units > 0),
    authority_sha256 bytea not null constraint plan_has_its_paper check (octet_length(authority_sha256) = 32),
    authority_reference text not null constraint plan_names_its_authority check (authority_reference ~ '\S'),
    proposed_by text not null,
    proposed_at timestamptz not null default clock_timestamp(),
    instalments_begun bigint not null,
    decided_by text,
    decided_because text,
    decided_at timestamptz,
    end_proposed_by text,
    end_because text,
    ended_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, plan_id),
    constraint plan_class_has_a_control_book foreign key (offering_id) references registry.control_book,
    constraint decided_plan_names_who check ((status = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null)),
    constraint plan_needs_two_people
        check (status in ('proposed', 'declined') or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false)),
    constraint declined_plan_has_its_reason check (status <> 'declined' or coalesce(decided_because ~ '\S', false)),
    constraint plan_ends_for_a_reason check (case when status in ('ending', 'ended') then end_proposed_by is not null and coalesce(end_because ~ '\S', false)
        when status <> 'superseded' then num_nonnulls(end_proposed_by, end_because) = 0 else true end),
    constraint plan_is_ended_by_two_people
        check ((status = 'ended') = (ended_by is not null) and coalesce(audit.person_of(ended_by) <> audit.person_of(end_proposed_by), true))
);
create unique index one_plan_is_in_force on registry.reinvestment_plan (offering_id) where status in ('in_force', 'ending');
create unique index one_plan_is_proposed on registry.reinvestment_plan (offering_id) where status = 'proposed';
call audit.keep('registry.reinvestment_plan', 'reinvestment_plan', 'plan_id', 'offering_id');

-- What part of its distributions a holder wants in units, from this moment on; none ends it. Somebody who records it for the holder has the
-- holder's paper.
create table registry.reinvestment_election (
    offering_id text not null,
    election_id text not null,
    status text not null,
    investor_id text not null,
    share_bp integer not null constraint elected_share_is_a_part check (share_bp between 0 and 10000),
    given_by text not null,
    given_at timestamptz not null default clock_timestamp(),
    paper_sha256 bytea constraint election_paper_is_a_sha256 check (octet_length(paper_sha256) = 32),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, election_id),
    constraint election_is_of_a_holder foreign key (offering_id, investor_id) references registry.holding (offering_id, investor_id)
);
create index election_of_holder on registry.reinvestment_election (offering_id, investor_id, given_at);
call audit.keep('registry.reinvestment_election', 'reinvestment_election', 'election_id', 'offering_id');

-- Which intent mints the units of a line in which wallet; one that comes to nothing has a successor.
create table registry.reinvestment_call (
    offering_id text not null,
    distribution_id text not null,
    line_id text not null,
    address bytea not null check (octet_length(address) = 20),
    units bigint not null check (units > 0),
    intent_id text not null references registry.chain_intent,
    primary key (offering_id, line_id, intent_id)
);
call audit.append_only('registry.reinvestment_call');

-- Mints that the chain may do any moment, and the register has not heard of.
create view registry.mint_under_way as
select distinct c.offering_id, c.intent_id, c.address, c.units from registry.reinvestment_call c
join registry.chain_transaction t using (offering_id, intent_id) where t.status in ('signed', 'broadcast', 'mined');

-- The plan for a record date: the last one that was put in force with its first day by then, unless plans were ended since.
create function registry.plan_on(p_offering text, p_record_on date) returns setof registry.reinvestment_plan
language sql stable rows 1 set search_path = pg_catalog, pg_temp
begin atomic
    select p.* from registry.reinvestment_plan p
    where p.offering_id = p_offering and p.status in ('in_force', 'ending', 'superseded') and p.from_on <= p_record_on
        and not exists (select from registry.reinvestment_plan e where e.offering_id = p_offering and e.status = 'ended' and e.decided_at >= p.decided_at)
    order by p.decided_at desc limit 1;
end;

-- The election of each holder that counts by the end of a day (UTC): its newest one.
create function registry.elections_on(p_offering text, p_on date) returns setof registry.reinvestment_election
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select distinct on (e.investor_id) e.* from registry.reinvestment_election e
    where e.offering_id = p_offering and (e.given_at at time zone 'UTC')::date <= p_on
    order by e.investor_id, e.given_at desc, e.election_id desc;
end;

-- The first record date that an election of a day (UTC) counts for, by the plan that is for that date; null without a plan.
create function registry.counts_from(p_offering text, p_given_on date) returns date
language sql stable security definer set search_path = pg_catalog, pg_temp
return (select min(d.first_on) from registry.reinvestment_plan p
    cross join lateral (select greatest(p.from_on, p_given_on + p.cutoff_days) as first_on) d
    where p.offering_id = p_offering and p.status in ('in_force', 'ending', 'superseded')
        and (select x.plan_id from registry.plan_on(p_offering, d.first_on) x) = p.plan_id);

create view registry.plan_fact as
select offering_id, plan_id, status, price_minor, currency, cutoff_days, from_on, most_units, version, chain_head from registry.reinvestment_plan;

create view registry.election_fact as
select offering_id, election_id, status, investor_id, share_bp, given_at, version, chain_head from registry.reinvestment_election;
