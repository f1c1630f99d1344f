-- The register as of the end of any day (UTC), lots and their legends, and statements of holders.

create function registry.end_of(p_on date) returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp
return least((p_on + 1)::timestamp at time zone 'UTC', clock_timestamp());

create function registry.require_day(p_on date) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if p_on > (clock_timestamp() at time zone 'UTC')::date then
        raise exception using errcode = 'BR008', constraint = 'register_day_has_begun',
            message = format('%s is to come', p_on);
    end if;
end $$;

-- What each holding had at the end of a day, from the postings alone; today is as it stands now.
create function registry.units_as_of(p_offering text, p_on date) returns table (holding_id text, units bigint, first_posted_at timestamptz)
language plpgsql stable rows 1000 set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
begin
    perform registry.require_day(p_on);
    return query select p.holding_id, sum(p.units)::bigint, min(p.posted_at) from registry.posting p
    where p.offering_id = p_offering and p.posted_at < registry.end_of(p_on) group by p.holding_id;
end $$;

-- When units of an offer last moved before the end of a day.
create function registry.last_posted_at(p_offering text, p_on date) returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp
return (select max(p.posted_at) from registry.posting p where p.offering_id = p_offering and p.posted_at < registry.end_of(p_on));

create function registry.register_as_of(p_offering text, p_on date) returns table (holding_id text, investor_id text,
    units bigint, lots bigint, first_posted_at timestamptz)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return query select h.holding_id, h.investor_id, a.units,
        (select count(*) from registry.lots_as_of(p_offering, h.holding_id, p_on)), a.first_posted_at
    from registry.units_as_of(p_offering, p_on) a join registry.holding h on h.offering_id = p_offering and h.holding_id = a.holding_id
    order by h.holding_id;
end $$;

-- The lots of a holding at the end of a day with what was left of each then.
create function registry.lots_as_of(p_offering text, p_holding text, p_on date) returns table (lot_id text, units bigint)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select t.lot_id, t.left_units from (
        select l.lot_id, l.units - coalesce((select sum(u.units) from registry.lot_use u
            join registry.posting p on p.offering_id = u.offering_id and p.movement_id = u.movement_id and p.holding_id = l.holding_id
            where u.offering_id = l.offering_id and u.lot_id = l.lot_id and p.posted_at < registry.end_of(p_on)), 0)::bigint as left_units
        from registry.lot l
        join registry.posting o on o.offering_id = l.offering_id and o.holding_id = l.holding_id
            and (o.instruction_id = l.instruction_id or o.movement_id = l.movement_id)
        where l.offering_id = p_offering and l.holding_id = p_holding and o.posted_at < registry.end_of(p_on)) t
    where t.left_units > 0;
end;

-- The control book at the end of a day.
create function registry.control_as_of(p_offering text, p_on date) returns setof registry.control_entry
language plpgsql stable rows 1 set search_path = pg_catalog, pg_temp as $$
begin
    perform registry.require_day(p_on);
    return query select e.* from registry.control_entry e where e.offering_id = p_offering and e.entered_at < registry.end_of(p_on)
    order by e.entry_no desc limit 1;
end $$;

-- The removal of a lot's legend: an opinion, a registration or the rule itself, and two people.
create table registry.legend_removal (
    offering_id text not null,
    removal_id text not null,
    status text not null,
    lot_id text not null,
    basis text not null constraint removal_basis_is_known check (basis in ('opinion', 'registration', 'rule_144')),
    paper_sha256 bytea,
    because text not null constraint legend_removal_has_its_reason check (because ~ '\S'),
    proposed_by text not null,
    decided_by text,
    decided_because text,
    decided_at timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, removal_id),
    constraint removal_names_a_lot_of_the_register foreign key (offering_id, lot_id) references registry.lot,
    constraint legend_removal_has_its_paper
        check (basis = 'rule_144' or coalesce(octet_length(paper_sha256) = 32, false)),
    constraint legend_removal_needs_two_people check (status <> 'approved' or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false)),
    constraint declined_removal_has_its_reason check (status <> 'declined' or coalesce(decided_because ~ '\S', false))
);
create unique index legend_is_removed_once on registry.legend_removal (offering_id, lot_id) where status <> 'declined';
call audit.keep('registry.legend_removal', 'legend_removal', 'removal_id', 'offering_id');

-- By the rule alone, a lot is held a year: the issuer files no reports (17 CFR 230.144(d)(1)(ii)).
create function registry.legend_period_is_over() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.basis = 'rule_144' and new.status <> 'declined' and not exists (select from registry.lot l
        where l.offering_id = new.offering_id and l.lot_id = new.lot_id
        and (l.period_from + interval '1 year')::date <= (clock_timestamp() at time zone 'UTC')::date) then
        raise exception using errcode = 'BR008', constraint = 'lot_is_held_for_its_period',
            message = format('%s has not been held for a year', new.lot_id);
    end if;
    return new;
end $$;
create trigger legend_period_is_over before insert or update on registry.legend_removal
    for each row execute function registry.legend_period_is_over();
alter table registry.legend_removal enable always trigger legend_period_is_over;

-- Lots as they stand: what is left of each, its legend, and from which day on its units may go without an exception.
create view registry.lot_standing as
select l.offering_id, l.lot_id, l.holding_id, h.investor_id, l.units, l.acquired_on,
    case when r.removal_id is null or r.status <> 'approved' then l.legend end as legend,
    r.removal_id, r.status as removal, r.basis, r.because, r.proposed_by, r.decided_by, r.decided_at,
    l.units - coalesce((select sum(u.units) from registry.lot_use u where u.offering_id = l.offering_id
        and u.lot_id = l.lot_id), 0)::bigint as left_units, l.period_from, l.from_lot_id,
    registry.free_on(l.offering_id, case when r.removal_id is null or r.status <> 'approved' then l.legend end, l.period_from) as free_on
from registry.lot l join registry.holding h using (offering_id, holding_id)
left join registry.legend_removal r on r.offering_id = l.offering_id and r.lot_id = l.lot_id and r.status <> 'declined';

create function registry.propose_legend_removal(p_actor text, p_request text, p_offering text, p_removal text, p_lot text,
    p_basis text, p_paper_sha256 bytea, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into registry.legend_removal (offering_id, removal_id, status, lot_id, basis, paper_sha256, because, proposed_by)
    values (p_offering, p_removal, 'proposed', p_lot, p_basis, p_paper_sha256, p_because, p_actor);
end $$;

create function registry.decide_legend_removal(p_actor text, p_request text, p_offering text, p_removal text,
    p_is_approved boolean, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update registry.legend_removal set status = case when p_is_approved then 'approved' else 'declined' end,
        decided_by = p_actor, decided_because = p_because, decided_at = clock_timestamp()
    where offering_id = p_offering and removal_id = p_removal;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'legend_removal_exists',
            message = format('there is no removal %s', p_removal);
    end if;
end $$;

-- A statement of one holding; the content is what its file was made of, to the word, so that it can be made again.
create table registry.holder_statement (
    offering_id text not null,
    statement_id text not null,
    status text not null,
    holding_id text not null,
    as_of date not null,
    units bigint not null,
    content jsonb not null,
    file_sha256 bytea not null constraint statement_has_the_hash_of_its_file check (octet_length(file_sha256) = 32),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, statement_id),
    constraint statement_is_of_a_holding_of_the_register foreign key (offering_id, holding_id) references registry.holding,
    constraint statement_file_is_recorded_once unique (offering_id, file_sha256)
);
call audit.keep('registry.holder_statement', 'holder_statement', 'statement_id', 'offering_id');

create function registry.statement_equals_the_register() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    held bigint;
begin
    select r.units into held from registry.register_as_of(new.offering_id, new.as_of) r where r.holding_id = new.holding_id;
    if held is null then
        raise exception using errcode = 'BR008', constraint = 'statement_is_not_before_the_first_posting',
            message = format('nothing was posted to %s by %s', new.holding_id, new.as_of);
    end if;
    if new.units <> held or new.content ->> 'units' <> held::text then
        raise exception using errcode = 'BR008', constraint = 'statement_equals_the_register',
            message = format('the register has %s units on %s', held, new.as_of);
    end if;
    return new;
end $$;
create trigger statement_equals_the_register before insert or update on registry.holder_statement
    for each row execute function registry.statement_equals_the_register();
alter table registry.holder_statement enable always trigger statement_equals_the_register;

create function registry.issue_statement(p_actor text, p_request text, p_offering text, p_statement text, p_holding text,
    p_as_of date, p_content jsonb, p_file_sha256 bytea) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    recorded registry.holder_statement;
begin
    perform audit.enter(p_actor, p_request);
    insert into registry.holder_statement (offering_id, statement_id, status, holding_id, as_of, units, content, file_sha256)
    values (p_offering, p_statement, 'issued', p_holding, p_as_of, (p_content ->> 'units')::bigint, p_content, p_file_sha256)
    on conflict (offering_id, file_sha256) do nothing;
    select * into recorded from registry.holder_statement where offering_id = p_offering and file_sha256 = p_file_sha256;
    if (recorded.holding_id, recorded.as_of) is distinct from (p_holding, p_as_of) then
        raise exception using errcode = 'BR008', constraint = 'statement_file_is_recorded_once',
            message = format('that file is the statement %s', recorded.statement_id);
    end if;
    return recorded.statement_id;
end $$;
