-- The verbs of coupons: schedules and fixings by two people, the working of one coupon, and the distribution that pays it.

-- The part of a year between two days, as a numerator and a denominator. 2006 ISDA Definitions, section 4.16: (f) 30/360, (e) actual/360,
-- (d) actual/365. actual/actual is that of ICMA Rule 251: a regular period is its part of the year, and one that ends early is its days of
-- the days that the whole period would have.
create function engine.day_fraction(p_from date, p_to date, p_day_count text, p_months integer, p_whole_to date)
returns table (days integer, numerator bigint, denominator bigint)
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
    select f.days, case p_day_count when 'actual/actual' then f.days * p_months else f.days end::bigint,
        case p_day_count when 'actual/365' then 365 when 'actual/actual' then (p_whole_to - p_from) * 12 else 360 end::bigint
    from (select case p_day_count when '30/360' then 360 * (extract(year from p_to) - extract(year from p_from))::integer
            + 30 * (extract(month from p_to) - extract(month from p_from))::integer
            + (case when extract(day from p_from) >= 30 and extract(day from p_to) = 31 then 30 else extract(day from p_to) end)::integer
            - least(extract(day from p_from), 30)::integer else p_to - p_from end as days) f;
end;

-- The periods of a schedule, each from the end of the one before; the last one may be shorter.
create function engine.coupon_periods(p_offering text, p_schedule text) returns table (number integer, from_on date, to_on date, whole_to date)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select n, (s.starts_on + make_interval(months => s.months * (n - 1)))::date,
        least((s.starts_on + make_interval(months => s.months * n))::date, s.ends_on),
        (s.starts_on + make_interval(months => s.months * n))::date
    from engine.coupon_schedule s cross join lateral generate_series(1, 1200) n
    where s.offering_id = p_offering and s.schedule_id = p_schedule
        and (s.starts_on + make_interval(months => s.months * (n - 1)))::date < s.ends_on;
end;

-- The splits between the decision of a schedule and the end of a record day: a unit of that day counts above over below of the principal
-- of a unit as of the decision. One that was executed before the decision and after the day counts the other way round.
create function engine.splits_of_principal(p_offering text, p_decided_at timestamptz, p_record_on date)
returns table (split_id text, above bigint, below bigint, executed_at timestamptz)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select s.split_id, case when d.is_since then s.for_units else s.new_units end, case when d.is_since then s.new_units else s.for_units end,
        s.executed_at
    from registry.split s cross join lateral (select s.executed_at > p_decided_at as is_since) d
    where s.offering_id = p_offering and s.status = 'executed' and d.is_since = (s.executed_at < registry.end_of(p_record_on));
end;

-- One coupon on so many units of a record day, rounded half up once, with its working. The principal is that of a unit as of the decision
-- of the schedule, and as much of it as instalments had left at the beginning of the period. A fixing that is missing is refused by its index and day.
create function engine.work_coupon(p_offering text, p_schedule text, p_number integer, p_units bigint, p_record_on date)
returns table (from_on date, to_on date, amount_minor bigint, working text[])
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    s engine.coupon_schedule;
    p record;
    f record;
    split record;
    fixing_day date;
    fixed numeric;
    above numeric;
    below numeric;
    part numeric[];
    lines text[];
begin
    select * into s from engine.coupon_schedule x where x.offering_id = p_offering and x.schedule_id = p_schedule;
    select * into p from engine.coupon_periods(p_offering, p_schedule) x where x.number = p_number;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'coupon_exists', message = format('%s has no coupon %s', p_schedule, p_number);
    end if;
    select * into f from engine.day_fraction(p.from_on, p.to_on, s.day_count, s.months, p.whole_to);
    lines := array[format('%s to %s: %s days by %s = %s/%s of a year', p.from_on, p.to_on, f.days, s.day_count, f.numerator, f.denominator)];
    above := p_units::numeric * s.principal_minor * f.numerator;
    below := f.denominator;
    for split in select x.* from engine.splits_of_principal(p_offering, s.decided_at, p_record_on) x order by x.executed_at, x.split_id loop
        above := above * split.above;
        below := below * split.below;
        lines := lines || format('split %s: a unit counts %s/%s of that principal', split.split_id, split.above, split.below);
    end loop;
    part := engine.principal_fraction(p_offering, (s.decided_at at time zone 'UTC')::date, p.from_on);
    if part[1] <> part[2] then
        if part[2] = 0 then
            raise exception using errcode = 'BR008', constraint = 'coupon_is_on_principal', message = format('nothing was left when %s was put in force', p_schedule);
        end if;
        above := above * part[1];
        below := below * part[2];
        lines := lines || format('of that principal %s/%s is left on %s', trim_scale(part[1]), trim_scale(part[2]), p.from_on);
    end if;
    if s.kind <> 'fixed' then
        fixing_day := case s.kind when 'floating' then p.from_on else p.to_on end;
        select x.value::numeric into fixed from engine.coupon_fixing x where x.offering_id = p_offering and x.index_name = s.index_name
            and x.fixed_on = fixing_day and x.status = 'in_force';
        if not found then
            raise exception using errcode = 'BR008', constraint = 'coupon_has_its_fixing',
                message = format('%s is not fixed for %s', s.index_name, fixing_day);
        end if;
    end if;
    if s.kind = 'floating' then
        above := above * greatest(fixed * 100 + s.rate_bp, 0);
        below := below * 10000;
        lines := lines || format('%s on %s: %s %% and a spread of %s bp', s.index_name, fixing_day, trim_scale(fixed), s.rate_bp);
    else
        above := above * s.rate_bp;
        below := below * 10000;
        lines := lines || format('rate %s bp', s.rate_bp);
    end if;
    if s.kind = 'indexed' then
        above := above * fixed;
        below := below * s.base_value::numeric;
        lines := lines || format('%s on %s: %s over the base %s', s.index_name, fixing_day, trim_scale(fixed), s.base_value);
    end if;
    return query select p.from_on, p.to_on, div(2 * above + below, 2 * below)::bigint, lines || format('%s units of %s minor units: %s',
        p_units, s.principal_minor, div(2 * above + below, 2 * below));
end $$;

-- A coupon of the schedule in force on the units that the register had at the end of a day.
create function engine.coupon_on(p_offering text, p_number integer, p_record_on date)
returns table (from_on date, to_on date, amount_minor bigint, working text[])
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select w.from_on, w.to_on, w.amount_minor, w.working from engine.coupon_schedule s
    cross join lateral engine.work_coupon(p_offering, s.schedule_id, p_number, (select coalesce(sum(a.units), 0)::bigint
        from registry.units_as_of(p_offering, p_record_on) a), p_record_on) w
    where s.offering_id = p_offering and s.status = 'in_force';
end;

create function engine.propose_schedule(p_actor text, p_request text, p_offering text, p_schedule text, p_said jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into engine.coupon_schedule (offering_id, schedule_id, status, kind, rate_bp, index_name, base_value, principal_minor, day_count, months,
        starts_on, ends_on, proposed_by)
    select p_offering, p_schedule, 'proposed', t.kind, t.rate_bp, t.index, t.base, t.principal, t.day_count, t.months, t.starts_on, t.ends_on, p_actor
    from jsonb_to_record(p_said) as t (kind text, rate_bp integer, index text, base text, principal bigint, day_count text, months integer,
        starts_on date, ends_on date);
end $$;

create function engine.decide_schedule(p_actor text, p_request text, p_offering text, p_schedule text, p_is_agreed boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from registry.control_book b where b.offering_id = p_offering for share;
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    if p_is_agreed then
        update engine.coupon_schedule set status = 'superseded' where offering_id = p_offering and status = 'in_force';
    end if;
    update engine.coupon_schedule set status = case when p_is_agreed then 'in_force' else 'declined' end, decided_by = p_actor,
        decided_at = clock_timestamp()
    where offering_id = p_offering and schedule_id = p_schedule;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'schedule_exists', message = format('there is no schedule %s', p_schedule);
    end if;
end $$;

create function engine.propose_fixing(p_actor text, p_request text, p_offering text, p_fixing text, p_said jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into engine.coupon_fixing (offering_id, fixing_id, status, index_name, fixed_on, value, source, proposed_by)
    values (p_offering, p_fixing, 'proposed', p_said ->> 'index', (p_said ->> 'on')::date, p_said ->> 'value', p_said ->> 'source', p_actor);
end $$;

create function engine.decide_fixing(p_actor text, p_request text, p_offering text, p_fixing text, p_is_agreed boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update engine.coupon_fixing set status = case when p_is_agreed then 'in_force' else 'declined' end, decided_by = p_actor
    where offering_id = p_offering and fixing_id = p_fixing;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'fixing_exists', message = format('there is no fixing %s', p_fixing);
    end if;
end $$;

-- Ties a draft to the coupon that it pays: interest, the amount worked out on the units of its record date, and no coupon twice.
create function engine.tie_coupon(p_actor text, p_request text, p_offering text, p_distribution text, p_number integer) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s engine.coupon_schedule;
    d engine.distribution;
    w record;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    select * into s from engine.coupon_schedule x where x.offering_id = p_offering and x.status = 'in_force';
    select * into d from engine.distribution x where x.offering_id = p_offering and x.distribution_id = p_distribution for update;
    select * into w from engine.work_coupon(p_offering, s.schedule_id, p_number, d.units, d.record_on);
    if d.status is distinct from 'draft' or d.income <> 'interest' or d.distributable_minor <> w.amount_minor or d.pay_on < w.to_on then
        raise exception using errcode = 'BR008', constraint = 'distribution_pays_its_coupon',
            message = format('%s is no draft of %s interest from %s on', p_distribution, w.amount_minor, w.to_on);
    end if;
    if exists (select from engine.coupon_run c join engine.distribution x using (offering_id, distribution_id)
            where c.offering_id = p_offering and c.from_on < w.to_on and c.to_on > w.from_on and x.status <> 'cancelled') then
        raise exception using errcode = 'BR008', constraint = 'coupon_is_paid_once', message = format('coupon %s has its distribution', p_number);
    end if;
    insert into engine.coupon_run (offering_id, distribution_id, schedule_id, number, from_on, to_on, amount_minor, working)
    values (p_offering, p_distribution, s.schedule_id, p_number, w.from_on, w.to_on, w.amount_minor, w.working);
end $$;

-- Each coupon of the schedule in force with the distribution that pays it, and the index and day whose fixing is not in force. A floating one
-- asks at the beginning of its period, an indexed one at its end.
create view engine.coupon_standing as
select s.offering_id, s.schedule_id, p.number, p.from_on, p.to_on, r.distribution_id, r.amount_minor, r.status, r.working, o.currency,
    case when s.index_name is not null and f.fixing_id is null then s.index_name end as lacks_index,
    case when s.index_name is not null and f.fixing_id is null then x.fixed_on end as lacks_day
from engine.coupon_schedule s
join engine.offer o on o.offering_id = s.offering_id
cross join lateral engine.coupon_periods(s.offering_id, s.schedule_id) p
cross join lateral (select case s.kind when 'indexed' then p.to_on else p.from_on end as fixed_on) x
left join engine.coupon_fixing f on f.offering_id = s.offering_id and f.index_name = s.index_name and f.fixed_on = x.fixed_on
    and f.status = 'in_force'
left join lateral (select c.distribution_id, c.amount_minor, c.working, d.status from engine.coupon_run c
    join engine.distribution d using (offering_id, distribution_id)
    where c.offering_id = s.offering_id and c.schedule_id = s.schedule_id and c.number = p.number and d.status <> 'cancelled') r on true
where s.status = 'in_force';
