-- Holders whom mail does not reach: searches in their windows (17 CFR 240.17Ad-17), and how long until a state takes the units.

-- What states say of property without contact, as dated data that ships with the program: units, or money of distributions. What nobody
-- has read in the law itself is unconfirmed, and shown so.
create table registry.escheat_clock (
    region text not null constraint clock_names_its_state check (region ~ '^[A-Z]{2}-[A-Z0-9]{1,3}$'),
    property text not null constraint clock_is_of_a_kind_of_property check (property in ('units', 'distributions')),
    effective_from date not null,
    months integer not null constraint clock_lasts_months check (months between 1 and 600),
    citation text not null constraint escheat_clock_names_its_source check (citation ~ '\S'),
    certainty text not null constraint clock_is_confirmed_or_not check (certainty in ('confirmed', 'unconfirmed')),
    primary key (region, property, effective_from)
);
insert into registry.escheat_clock (region, property, effective_from, months, citation, certainty)
select c.region, p.property, date '2020-01-01', c.months, c.citation, 'unconfirmed'
from (values ('US-CA', 36, 'Cal. Code Civ. Proc. § 1516'), ('US-DE', 60, '12 Del. C. § 1133'),
    ('US-NY', 36, 'N.Y. Aband. Prop. Law § 501'), ('US-TX', 36, 'Tex. Prop. Code § 72.101')) as c (region, months, citation)
cross join (values ('units'), ('distributions')) as p (property);
call audit.append_only('registry.escheat_clock');

-- When property falls to a state, as two people put it in force for an offer: it stands before what ships with the program.
create table registry.dormancy_rule (
    offering_id text not null,
    rule_id text not null,
    status text not null,
    region text not null constraint dormancy_names_its_state check (region ~ '^[A-Z]{2}-[A-Z0-9]{1,3}$'),
    property text not null default 'units' constraint dormancy_is_of_a_kind_of_property check (property in ('units', 'distributions')),
    months integer not null constraint dormancy_lasts_months check (months between 1 and 600),
    starts_on date not null,
    source text not null constraint dormancy_names_its_source check (source ~ '\S'),
    proposed_by text not null,
    decided_by text,
    decided_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, rule_id),
    constraint dormancy_rule_needs_two_people
        check (status <> 'in_force' or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false)),
    constraint declined_dormancy_rule_has_its_reason check (status <> 'declined' or coalesce(decided_because ~ '\S', false))
);
create unique index one_dormancy_rule_of_a_day on registry.dormancy_rule (offering_id, region, property, starts_on) where status = 'in_force';
call audit.keep('registry.dormancy_rule', 'dormancy_rule', 'rule_id', 'offering_id');

-- A holder is lost when mail came back, was sent again within a month, and came back again (240.17Ad-17(b)(2)).
create table registry.lost_holder (
    offering_id text not null,
    lost_id text not null,
    status text not null,
    holding_id text not null,
    region text not null constraint lost_holder_names_its_state check (region ~ '^[A-Z]{2}-[A-Z0-9]{1,3}$'),
    last_contact_on date not null,
    returned_on date not null constraint mail_came_back_after_the_last_contact check (returned_on > last_contact_on),
    returned_sha256 bytea not null constraint returned_mail_is_kept check (octet_length(returned_sha256) = 32),
    sent_again_on date,
    lost_on date,
    lost_sha256 bytea constraint mail_returned_again_is_kept check (octet_length(lost_sha256) = 32),
    exempt_because text,
    found_on date,
    found_sha256 bytea constraint contact_is_kept check (octet_length(found_sha256) = 32),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, lost_id),
    foreign key (offering_id, holding_id) references registry.holding,
    constraint mail_is_sent_again_within_a_month
        check (sent_again_on between returned_on and (returned_on + interval '1 month')::date),
    constraint lost_holder_was_written_to_twice check (status <> 'lost' or num_nulls(sent_again_on, lost_on, lost_sha256) = 0
        and lost_on >= sent_again_on),
    constraint found_holder_has_its_contact check (status <> 'found' or num_nulls(found_on, found_sha256) = 0 and found_on >= returned_on)
);
create unique index one_search_for_a_holder on registry.lost_holder (offering_id, holding_id) where status <> 'found';
call audit.keep('registry.lost_holder', 'lost_holder', 'lost_id', 'offering_id');

-- The first search falls between three and twelve months after the loss, the second between six and twelve after the first.
create table registry.search_task (
    offering_id text not null,
    task_id text not null,
    status text not null,
    lost_id text not null,
    search_no integer not null constraint two_searches_are_owed check (search_no in (1, 2)),
    opens_on date not null,
    due_on date not null constraint search_window_opens_before_it_ends check (due_on > opens_on),
    searched_on date,
    database_name text,
    evidence_sha256 bytea,
    searched_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, task_id),
    foreign key (offering_id, lost_id) references registry.lost_holder,
    constraint search_is_owed_once unique (offering_id, lost_id, search_no),
    constraint search_keeps_its_evidence check (status <> 'done' or coalesce(octet_length(evidence_sha256) = 32
        and database_name ~ '\S', false) and searched_on is not null and searched_by is not null),
    constraint search_is_made_after_its_window_opens check (searched_on >= opens_on)
);
call audit.keep('registry.search_task', 'search_task', 'task_id', 'offering_id');

create function registry.require_past(p_on date) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if p_on > registry.today() then
        raise exception using errcode = 'BR008', constraint = 'day_of_a_record_has_come', message = format('%s is to come', p_on);
    end if;
end $$;

-- Why no search is owed: no natural person, a death on record, or units of less than $25 (240.17Ad-17(a)(3)).
create function registry.search_exemption(p_offering text, p_holding text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return (select case when registry.is_estate(h.offering_id, h.investor_id) then 'deceased'
            when engine.profile_kind(h.investor_id) not in ('individual', 'joint') then 'no_natural_person'
            when o.currency = 'USD' and h.units * o.unit_price_minor < 2500 then 'worth_less_than_25_dollars' end
        from registry.holding h join engine.offer o using (offering_id)
        where h.offering_id = p_offering and h.holding_id = p_holding);
end $$;

-- Mail came back. Said has holding, region of the address (ISO 3166-2), last_contact_on, returned_on and sha256 (hex).
create function registry.return_mail(p_actor text, p_request text, p_offering text, p_lost text, p_said jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.require_past((p_said ->> 'returned_on')::date);
    insert into registry.lost_holder (offering_id, lost_id, status, holding_id, region, last_contact_on, returned_on, returned_sha256)
    values (p_offering, p_lost, 'returned', p_said ->> 'holding', p_said ->> 'region', (p_said ->> 'last_contact_on')::date,
        (p_said ->> 'returned_on')::date, decode(p_said ->> 'sha256', 'hex'));
end $$;

create function registry.owe_search(p_offering text, p_lost text, p_no integer, p_since date) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    insert into registry.search_task (offering_id, task_id, status, lost_id, search_no, opens_on, due_on)
    values (p_offering, 'sea_' || substr(p_lost, 5) || '.' || p_no, 'waiting', p_lost, p_no,
        (p_since + case p_no when 1 then interval '3 months' else interval '6 months' end)::date, (p_since + interval '12 months')::date);
end;

-- Mail that was sent again came back too: the holder is lost, and the first search is owed unless the rule exempts it.
create function registry.lose_holder(p_actor text, p_request text, p_offering text, p_lost text, p_sent_again_on date,
    p_lost_on date, p_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    l registry.lost_holder;
begin
    perform audit.enter(p_actor, p_request);
    perform registry.require_past(p_lost_on);
    update registry.lost_holder set status = 'lost', sent_again_on = p_sent_again_on, lost_on = p_lost_on, lost_sha256 = p_sha256,
        exempt_because = registry.search_exemption(offering_id, holding_id)
    where offering_id = p_offering and lost_id = p_lost returning * into l;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'lost_holder_exists', message = format('there is no %s', p_lost);
    end if;
    if l.exempt_because is null then
        perform registry.owe_search(p_offering, p_lost, 1, p_lost_on);
    end if;
end $$;

-- A search was made and its result kept; the first one opens the window of the second.
create function registry.record_search(p_actor text, p_request text, p_offering text, p_task text, p_database text,
    p_searched_on date, p_evidence_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s registry.search_task;
begin
    perform audit.enter(p_actor, p_request);
    perform registry.require_past(p_searched_on);
    update registry.search_task set status = 'done', searched_on = p_searched_on, database_name = p_database,
        evidence_sha256 = p_evidence_sha256, searched_by = p_actor
    where offering_id = p_offering and task_id = p_task returning * into s;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'search_task_exists', message = format('there is no %s', p_task);
    end if;
    if s.search_no = 1 then
        perform registry.owe_search(p_offering, s.lost_id, 2, p_searched_on);
    end if;
end $$;

-- The holder was heard from: nothing more is owed.
create function registry.find_holder(p_actor text, p_request text, p_offering text, p_lost text, p_found_on date, p_sha256 bytea)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.require_past(p_found_on);
    update registry.lost_holder set status = 'found', found_on = p_found_on, found_sha256 = p_sha256
    where offering_id = p_offering and lost_id = p_lost;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'lost_holder_exists', message = format('there is no %s', p_lost);
    end if;
    update registry.search_task set status = 'dropped' where offering_id = p_offering and lost_id = p_lost and status = 'waiting';
end $$;

create function registry.propose_dormancy(p_actor text, p_request text, p_offering text, p_rule text, p_said jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into registry.dormancy_rule (offering_id, rule_id, status, region, property, months, starts_on, source, proposed_by)
    values (p_offering, p_rule, 'proposed', p_said ->> 'region', coalesce(p_said ->> 'property', 'units'), (p_said ->> 'months')::integer, (p_said ->> 'starts_on')::date,
        p_said ->> 'source', p_actor);
end $$;

create function registry.decide_dormancy(p_actor text, p_request text, p_offering text, p_rule text, p_is_approved boolean,
    p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update registry.dormancy_rule set status = case when p_is_approved then 'in_force' else 'declined' end, decided_by = p_actor,
        decided_because = p_because
    where offering_id = p_offering and rule_id = p_rule;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'dormancy_rule_exists', message = format('there is no %s', p_rule);
    end if;
end $$;

-- Whoever was not paid for six months is written to within the seventh (17 CFR 240.17Ad-17(c)), unless the holder is lost.
create table registry.unpaid_notice (
    offering_id text not null,
    disbursement_id text not null,
    written_on date not null,
    evidence_sha256 bytea not null constraint unpaid_notice_is_kept check (octet_length(evidence_sha256) = 32),
    recorded_by text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    constraint payee_is_written_to_once primary key (offering_id, disbursement_id)
);
call audit.append_only('registry.unpaid_notice');

create function registry.notice_is_of_unpaid_money() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform registry.require_past(new.written_on);
    if not engine.is_unpaid(new.offering_id, new.disbursement_id, new.written_on) then
        raise exception using errcode = 'BR008', constraint = 'notice_is_of_unpaid_money',
            message = format('%s was not owed to somebody on that day', new.disbursement_id);
    end if;
    return new;
end $$;
create trigger notice_is_of_unpaid_money before insert on registry.unpaid_notice
    for each row execute function registry.notice_is_of_unpaid_money();
alter table registry.unpaid_notice enable always trigger notice_is_of_unpaid_money;

create function registry.record_unpaid_notice(p_actor text, p_request text, p_offering text, p_disbursement text, p_written_on date,
    p_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into registry.unpaid_notice (offering_id, disbursement_id, written_on, evidence_sha256, recorded_by)
    values (p_offering, p_disbursement, p_written_on, p_sha256, p_actor);
end $$;

-- After how many months without contact property of a kind falls to a state: by a rule of the offer, else by what ships.
create function registry.dormancy_of(p_offering text, p_region text, p_property text)
returns table (months integer, source text, certainty text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select d.months, d.source, d.certainty from (
        select 1 as place, r.months, r.source, 'agreed' as certainty, r.starts_on from registry.dormancy_rule r
        where r.offering_id = p_offering and r.region = p_region and r.property = p_property and r.status = 'in_force'
        union all
        select 2, c.months, c.citation, c.certainty, c.effective_from from registry.escheat_clock c
        where c.region = p_region and c.property = p_property) d
    where d.starts_on <= registry.today() order by d.place, d.starts_on desc limit 1;
end;

-- Each lost holder with what is owed next and when its state takes the units; no date where nothing is on record.
create view registry.lost_standing as
select l.*, h.investor_id, h.units, (l.returned_on + interval '1 month')::date as send_again_by, d.months as dormant_after_months,
    d.source as dormancy_source, d.certainty as dormancy_certainty, (l.last_contact_on + make_interval(months => d.months))::date as dormant_on,
    s.task_id, s.search_no, s.opens_on, s.due_on, s.due_on < registry.today() as search_is_overdue,
    s.opens_on <= registry.today() as search_is_open
from registry.lost_holder l join registry.holding h using (offering_id, holding_id)
left join lateral registry.dormancy_of(l.offering_id, l.region, 'units') d on true
left join registry.search_task s on s.offering_id = l.offering_id and s.lost_id = l.lost_id and s.status = 'waiting';
