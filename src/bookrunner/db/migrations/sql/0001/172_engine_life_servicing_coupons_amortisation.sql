-- Amortisation: the principal of a unit and its instalments as data, and the distributions that pay them. Every unit of a class owes the
-- same whole minor units, so that a lot's part is its units times them and nothing is left over.

create table engine.amortisation (
    offering_id text not null references engine.offer,
    amortisation_id text not null,
    status text not null,
    principal_minor bigint not null constraint amortised_principal_is_positive check (principal_minor > 0),
    proposed_by text not null,
    proposed_at timestamptz not null default clock_timestamp(),
    decided_by text,
    decided_at timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, amortisation_id),
    constraint decided_amortisation_names_who check ((status = 'proposed') = (decided_by is null) and (decided_by is null) = (decided_at is null)),
    constraint amortisation_needs_two_people check (status in ('proposed', 'declined')
        or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false))
);
create unique index one_amortisation_is_in_force on engine.amortisation (offering_id) where status = 'in_force';
call audit.keep('engine.amortisation', 'amortisation', 'amortisation_id', 'offering_id');

create table engine.instalment (
    offering_id text not null,
    amortisation_id text not null,
    number integer not null check (number > 0),
    due_on date not null,
    part_minor bigint not null constraint instalment_pays_something check (part_minor > 0),
    primary key (offering_id, amortisation_id, number),
    foreign key (offering_id, amortisation_id) references engine.amortisation deferrable initially deferred,
    constraint one_instalment_a_day unique (offering_id, amortisation_id, due_on)
);
call audit.append_only('engine.instalment');

-- The distribution that pays an instalment.
create table engine.instalment_run (
    offering_id text not null,
    distribution_id text not null,
    amortisation_id text not null,
    number integer not null,
    primary key (offering_id, distribution_id),
    foreign key (offering_id, distribution_id) references engine.distribution,
    foreign key (offering_id, amortisation_id, number) references engine.instalment
);
call audit.append_only('engine.instalment_run');

-- The principal of a unit that is left on a day under each of the terms: an instalment counts from the day on which it was due, once its payment
-- has begun.
create function engine.principal_left(p_offering text, p_on date)
returns table (amortisation_id text, status text, principal_minor bigint, left_minor bigint, decided_at timestamptz)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select a.amortisation_id, a.status, a.principal_minor, (a.principal_minor - coalesce((select sum(i.part_minor) from engine.instalment_run r
            join engine.instalment i using (offering_id, amortisation_id, number) join engine.distribution d using (offering_id, distribution_id)
            where r.offering_id = a.offering_id and r.amortisation_id = a.amortisation_id and d.status in ('paying', 'paid') and i.due_on <= p_on), 0))::bigint,
        a.decided_at
    from engine.amortisation a where a.offering_id = p_offering and a.status in ('in_force', 'superseded');
end;

-- How many instalments of classes began to be paid, and a distribution that would pay one.
create function engine.instalments_of(p_offerings text[], out begun bigint, out open text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select count(*) filter (where d.status in ('paying', 'paid')), min(d.distribution_id) filter (where d.status in ('draft', 'approved'))
    from engine.instalment_run r join engine.distribution d using (offering_id, distribution_id) where r.offering_id = any (p_offerings);
end;

-- No payment of these classes is drafted or begins before whoever holds this ends. The control books come first.
create function engine.hold_payments(p_offerings text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.offer o where o.offering_id = any (p_offerings) order by o.offering_id for update;
end $$;

-- The part of the principal of some day that is left on another, as a numerator and a denominator. Terms that took the place of others began with what
-- those had left; a class without any has all of it. Denominator 0: nothing was left on the first day.
create function engine.principal_fraction(p_offering text, p_of date, p_on date) returns numeric[]
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    x record;
    found numeric[] := array[1, 1];
begin
    for x in select n.left_minor as above, o.left_minor as below from engine.principal_left(p_offering, p_on) n
        join engine.principal_left(p_offering, p_of) o using (amortisation_id)
    loop
        found := array[found[1] * x.above, found[2] * x.below];
    end loop;
    return found;
end $$;

-- Terms stay as they were proposed. Those that go into force take no more than their predecessor left of a unit, by the splits since, and no payment of
-- it is open.
create function engine.amortisation_stands() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    moves constant text[] := '{status,version,chain_head}' || case when old.status = 'proposed' then '{decided_by,decided_at}' end::text[];
    before record;
    split record;
    above numeric;
    below numeric := 1;
begin
    if to_jsonb(new) - moves is distinct from to_jsonb(old) - moves then
        raise exception using errcode = 'BR006', constraint = 'amortisation_stays_as_proposed', message = 'propose other terms instead';
    end if;
    select * into before from engine.principal_left(new.offering_id, 'infinity') l where l.amortisation_id <> new.amortisation_id
    order by l.decided_at desc limit 1;
    if new.status <> 'in_force' or old.status = 'in_force' or not found then
        return new;
    end if;
    above := before.left_minor;
    for split in select x.* from engine.splits_of_principal(new.offering_id, before.decided_at, current_date) x loop
        above := above * split.above;
        below := below * split.below;
    end loop;
    if new.principal_minor * below > above then
        raise exception using errcode = 'BR008', constraint = 'principal_is_what_is_outstanding',
            message = format('a unit has %s minor units left by %s', round(above / below, 2), before.amortisation_id);
    end if;
    if exists (select from engine.instalment_run r join engine.distribution d using (offering_id, distribution_id) where r.offering_id = new.offering_id
            and r.amortisation_id = before.amortisation_id and d.status in ('draft', 'approved')) then
        raise exception using errcode = 'BR008', constraint = 'open_instalment_is_paid_first', message = format('an instalment of %s is open', before.amortisation_id);
    end if;
    return new;
end $$;
create trigger amortisation_stands before update on engine.amortisation for each row execute function engine.amortisation_stands();
alter table engine.amortisation enable always trigger amortisation_stands;

-- Terms of one unit: both moments are now, the figures are those of a unit as of the decision, and whoever proposed them meant a unit as of the
-- proposal. A split is executed under the lock of the control book, so that none comes in between unseen.
create function engine.terms_are_of_their_units() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'INSERT' then
        new.proposed_at := clock_timestamp();
        return new;
    end if;
    perform 1 from registry.control_book b where b.offering_id = new.offering_id for share;
    new.decided_at := clock_timestamp();
    if new.status = 'in_force' and exists (select from registry.split s where s.offering_id = new.offering_id and s.status = 'executed'
        and s.executed_at > new.proposed_at) then
        raise exception using errcode = 'BR008', constraint = 'terms_are_of_the_units_as_proposed',
            message = format('the units of %s were split since its terms were proposed: propose them anew', new.offering_id);
    end if;
    return new;
end $$;
create trigger proposal_is_of_its_units before insert on engine.amortisation for each row execute function engine.terms_are_of_their_units();
create trigger amortisation_is_of_its_units before update on engine.amortisation
    for each row when (old.status = 'proposed' and new.status <> 'proposed') execute function engine.terms_are_of_their_units();
alter table engine.amortisation enable always trigger proposal_is_of_its_units;
alter table engine.amortisation enable always trigger amortisation_is_of_its_units;

-- Instalments come with their terms and sum to the principal: nothing is left after the last, and nothing more is ever due.
create function engine.instalment_comes_with_its_terms() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from engine.amortisation a where a.offering_id = new.offering_id and a.amortisation_id = new.amortisation_id) then
        raise exception using errcode = 'BR006', constraint = 'amortisation_stays_as_proposed', message = 'propose other terms instead';
    end if;
    return new;
end $$;
create trigger instalment_comes_with_its_terms before insert on engine.instalment
    for each row execute function engine.instalment_comes_with_its_terms();
alter table engine.instalment enable always trigger instalment_comes_with_its_terms;

create function engine.instalments_sum() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    due numeric := (select coalesce(sum(i.part_minor), 0) from engine.instalment i where i.offering_id = new.offering_id and i.amortisation_id = new.amortisation_id);
begin
    if due <> new.principal_minor then
        raise exception using errcode = 'BR009', constraint = 'instalments_sum_to_the_principal',
            message = format('the instalments of %s pay %s of %s', new.amortisation_id, due, new.principal_minor);
    end if;
    return null;
end $$;
create constraint trigger instalments_sum after insert on engine.amortisation
    deferrable initially deferred for each row execute function engine.instalments_sum();
alter table engine.amortisation enable always trigger instalments_sum;

-- An instalment is paid once, by the terms in force, its part for every unit of the record day, and not within a coupon period: the coupons of a
-- period are on one principal.
create function engine.instalment_is_paid_once() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a engine.amortisation;
    i engine.instalment;
    d engine.distribution;
begin
    perform 1 from engine.offer o where o.offering_id = new.offering_id for update;
    select * into a from engine.amortisation x where x.offering_id = new.offering_id and x.amortisation_id = new.amortisation_id;
    select * into i from engine.instalment x where x.offering_id = new.offering_id and x.amortisation_id = new.amortisation_id and x.number = new.number;
    select * into d from engine.distribution x where x.offering_id = new.offering_id and x.distribution_id = new.distribution_id;
    if a.status is distinct from 'in_force' then
        raise exception using errcode = 'BR008', constraint = 'amortisation_is_in_force', message = format('%s is not in force', new.amortisation_id);
    end if;
    if exists (select from engine.splits_of_principal(new.offering_id, a.decided_at, d.record_on)) then
        raise exception using errcode = 'BR008', constraint = 'principal_terms_follow_the_split',
            message = format('units were split since %s; propose terms of a new unit', new.amortisation_id);
    end if;
    -- What a conversion took the place of is no principal any more; and the units that it made had no part on a day before it.
    if exists (select from registry.conversion c where new.offering_id in (c.offering_id, c.into_offering_id) and c.status in ('begun', 'executed')
            and coalesce(c.executed_at, 'infinity') >= registry.end_of(d.record_on)) then
        raise exception using errcode = 'BR008', constraint = 'instalment_is_of_the_units_after_the_conversion',
            message = format('units of %s were converted after %s', new.offering_id, d.record_on);
    end if;
    if exists (select from engine.instalment_run r join engine.distribution x using (offering_id, distribution_id) where r.offering_id = new.offering_id
            and r.amortisation_id = new.amortisation_id and r.number = new.number and x.status <> 'cancelled') then
        raise exception using errcode = 'BR008', constraint = 'instalment_is_paid_once', message = format('instalment %s has its distribution', new.number);
    end if;
    if exists (select from engine.coupon_schedule s cross join lateral engine.coupon_periods(s.offering_id, s.schedule_id) p
            where s.offering_id = new.offering_id and s.status = 'in_force' and i.due_on > p.from_on and i.due_on < p.to_on) then
        raise exception using errcode = 'BR008', constraint = 'principal_is_paid_between_coupons',
            message = format('%s lies within a coupon period', i.due_on);
    end if;
    if d.status is distinct from 'draft' or d.distributable_minor::numeric <> d.units::numeric * i.part_minor or d.pay_on < i.due_on
        or exists (select from engine.distribution_tier t where t.offering_id = d.offering_id and t.distribution_id = d.distribution_id and t.kind <> 'principal')
        or exists (select from engine.distribution_line l where l.offering_id = d.offering_id and l.distribution_id = d.distribution_id
            and l.capital_minor::numeric <> l.units::numeric * i.part_minor) then
        raise exception using errcode = 'BR008', constraint = 'distribution_pays_its_instalment',
            message = format('%s is no draft of %s minor units for each unit from %s on', new.distribution_id, i.part_minor, i.due_on);
    end if;
    return new;
end $$;
create trigger instalment_is_paid_once before insert on engine.instalment_run for each row execute function engine.instalment_is_paid_once();
alter table engine.instalment_run enable always trigger instalment_is_paid_once;

create function engine.principal_names_its_instalment() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from engine.instalment_run r where r.offering_id = new.offering_id and r.distribution_id = new.distribution_id) then
        raise exception using errcode = 'BR008', constraint = 'principal_names_its_instalment', message = format('%s pays no instalment', new.distribution_id);
    end if;
    return null;
end $$;
create constraint trigger principal_names_its_instalment after insert on engine.distribution_tier
    deferrable initially deferred for each row when (new.kind = 'principal') execute function engine.principal_names_its_instalment();
alter table engine.distribution_tier enable always trigger principal_names_its_instalment;

-- Said: {principal, instalments: [{due_on, part}]}, of one unit.
create function engine.propose_amortisation(p_actor text, p_request text, p_offering text, p_amortisation text, p_said jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into engine.instalment (offering_id, amortisation_id, number, due_on, part_minor)
    select p_offering, p_amortisation, row_number() over (order by t.due_on), t.due_on, t.part
    from jsonb_to_recordset(p_said -> 'instalments') as t (due_on date, part bigint);
    insert into engine.amortisation (offering_id, amortisation_id, status, principal_minor, proposed_by)
    values (p_offering, p_amortisation, 'proposed', (p_said ->> 'principal')::bigint, p_actor);
end $$;

create function engine.decide_amortisation(p_actor text, p_request text, p_offering text, p_amortisation text, p_is_agreed boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from registry.control_book b where b.offering_id = p_offering for share;
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    if p_is_agreed then
        update engine.amortisation set status = 'superseded' where offering_id = p_offering and status = 'in_force';
    end if;
    update engine.amortisation set status = case when p_is_agreed then 'in_force' else 'declined' end, decided_by = p_actor,
        decided_at = clock_timestamp()
    where offering_id = p_offering and amortisation_id = p_amortisation;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'amortisation_exists', message = format('there are no terms %s', p_amortisation);
    end if;
end $$;

-- Drafts the distribution that pays an instalment of the terms in force, its part for every unit of a record day.
create function engine.draft_instalment(p_actor text, p_request text, p_offering text, p_distribution text, p_number integer, p_record_on date, p_pay_on date)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    i engine.instalment;
    compared text;
    amount bigint;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    select x.* into i from engine.instalment x join engine.amortisation a using (offering_id, amortisation_id)
    where x.offering_id = p_offering and x.number = p_number and a.status = 'in_force';
    if not found then
        raise exception using errcode = 'BR404', constraint = 'instalment_exists', message = format('no terms in force have an instalment %s', p_number);
    end if;
    compared := reconciliation.require_reconciled(p_offering, p_record_on);
    select coalesce(sum(u.units), 0)::bigint * i.part_minor into amount from registry.units_as_of(p_offering, p_record_on) u;
    if amount = 0 then
        raise exception using errcode = 'BR008', constraint = 'something_is_distributed', message = format('nobody held a unit on %s', p_record_on);
    end if;
    insert into engine.distribution_tier (offering_id, distribution_id, tier, kind, holders_bp, due_minor, holders_minor, sponsor_minor, left_minor, working)
    values (p_offering, p_distribution, 1, 'principal', 10000, amount, amount, 0, 0,
        array[format('instalment %s of %s: %s minor units of each unit', p_number, i.due_on, i.part_minor)]);
    perform engine.draft_lines(p_offering, p_distribution, jsonb_build_object('record_on', p_record_on, 'pay_on', p_pay_on, 'income', 'interest'), amount, 0, 0);
    insert into engine.distribution (offering_id, distribution_id, status, record_on, pay_on, currency, income, available_minor,
        reserved_minor, distributable_minor, holders, units, withheld_minor, net_minor, lines_sha256, compared_in, drafted_by)
    select p_offering, p_distribution, 'draft', p_record_on, p_pay_on, o.currency, 'interest', amount, 0, amount, l.holders, l.units, 0, l.net, l.digest,
        compared, p_actor
    from engine.offer o, (select count(*)::integer as holders, coalesce(sum(x.units), 0)::bigint as units,
            coalesce(sum(x.net_minor), 0)::bigint as net,
            sha256(convert_to(coalesce(string_agg(concat_ws(' ', x.line_id, x.payee_id, x.units, x.gross_minor, x.withheld_minor), E'\n'
                order by x.line_id collate "C"), ''), 'UTF8')) as digest
        from engine.distribution_line x where x.offering_id = p_offering and x.distribution_id = p_distribution) l
    where o.offering_id = p_offering;
    insert into engine.instalment_run (offering_id, distribution_id, amortisation_id, number)
    values (p_offering, p_distribution, i.amortisation_id, p_number);
end $$;

-- What each lot has left of its principal by the terms in force.
create view engine.lot_principal as
select s.offering_id, s.lot_id, s.investor_id, s.left_units, (s.left_units * p.left_minor)::bigint as outstanding_minor
from engine.amortisation a cross join lateral engine.principal_left(a.offering_id, 'infinity') p
join registry.lot_standing s on s.offering_id = a.offering_id and s.left_units > 0
where a.status = 'in_force' and p.amortisation_id = a.amortisation_id;
