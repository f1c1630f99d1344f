-- Numbers of law and of house policy as dated versions. A later version never decides an earlier moment again.

create table compliance.rule (
    rule_id text not null,
    rule_version integer not null check (rule_version > 0),
    value bigint not null,
    unit text not null constraint rule_unit_is_known check (unit in
        ('usd_minor', 'eur_minor', 'bps', 'calendar_days', 'business_days', 'hours', 'months', 'years', 'count')),
    jurisdiction text not null,
    citation text not null constraint rule_names_its_source check (citation ~ '\S'),
    certainty text not null check (certainty in ('confirmed', 'second_hand', 'unconfirmed', 'house')),
    effective_from date not null,
    proposed_by text not null,
    adopted_by text not null,
    because text not null,
    primary key (rule_id, rule_version),
    constraint one_rule_version_starts_on_a_day unique (rule_id, effective_from),
    constraint rule_needs_two_people check (audit.person_of(proposed_by) <> audit.person_of(adopted_by))
);

insert into compliance.rule
select r.rule_id, r.rule_version, r.value, r.unit, r.jurisdiction, r.citation, r.certainty, r.effective_from,
    'shipped', 'installed', 'shipped with the schema'
from (values
    ('us.cdd.owner_threshold', 1, 2500, 'bps', 'us', '31 CFR 1010.230(d)(1)', 'confirmed', date '2018-05-11'),
    ('us.ofac.owned_by_blocked', 1, 5000, 'bps', 'us', 'OFAC revised guidance of 2014-08-13; 31 CFR 589.411', 'confirmed', date '2014-08-13'),
    ('us.506b.non_accredited_places', 1, 35, 'count', 'us', '17 CFR 230.506(b)(2)(i)', 'confirmed', date '1982-04-15'),
    ('us.506c.document_validity', 1, 3, 'months', 'us', '17 CFR 230.506(c)(2)(ii)', 'confirmed', date '2013-09-23'),
    ('us.506c.income_validity', 1, 12, 'months', 'us', '17 CFR 230.506(c)(2)(ii)(A)', 'house', date '2013-09-23'),
    ('us.506c.verified_before', 1, 5, 'years', 'us', '17 CFR 230.506(c)(2)(ii)(E)', 'confirmed', date '2021-03-15'),
    ('us.506c.high_minimum.person', 1, 20000000, 'usd_minor', 'us', 'SEC staff letter of 2025-03-12', 'confirmed', date '2025-03-12'),
    ('us.506c.high_minimum.entity', 1, 100000000, 'usd_minor', 'us', 'SEC staff letter of 2025-03-12', 'confirmed', date '2025-03-12'),
    ('us.506c.high_minimum.owner', 1, 20000000, 'usd_minor', 'us', 'SEC staff letter of 2025-03-12', 'confirmed', date '2025-03-12'),
    ('us.506c.high_minimum.owners_below', 1, 5, 'count', 'us', 'SEC staff letter of 2025-03-12', 'confirmed', date '2025-03-12'),
    ('us.regcf.limit.threshold', 1, 10700000, 'usd_minor', 'us', '17 CFR 227.100(a)(2); 82 FR 17552', 'confirmed', date '2017-04-12'),
    ('us.regcf.limit.threshold', 2, 12400000, 'usd_minor', 'us', '17 CFR 227.100(a)(2); 87 FR 57394', 'confirmed', date '2022-09-20'),
    ('us.regcf.limit.floor', 1, 220000, 'usd_minor', 'us', '17 CFR 227.100(a)(2)(i); 82 FR 17552', 'confirmed', date '2017-04-12'),
    ('us.regcf.limit.floor', 2, 250000, 'usd_minor', 'us', '17 CFR 227.100(a)(2)(i); 87 FR 57394', 'confirmed', date '2022-09-20'),
    ('us.regcf.limit.below', 1, 500, 'bps', 'us', '17 CFR 227.100(a)(2)(i)', 'confirmed', date '2017-04-12'),
    ('us.regcf.limit.at', 1, 1000, 'bps', 'us', '17 CFR 227.100(a)(2)(ii)', 'confirmed', date '2017-04-12'),
    ('us.regcf.limit.window', 1, 12, 'months', 'us', '17 CFR 227.100(a)(2)', 'confirmed', date '2017-04-12'),
    ('us.rega2.limit', 1, 1000, 'bps', 'us', '17 CFR 230.251(d)(2)(i)(C)', 'confirmed', date '2015-06-19'),
    ('eu.ecspr.warning.floor', 1, 100000, 'eur_minor', 'eu', 'Regulation (EU) 2020/1503 article 21', 'second_hand', date '2021-11-10'),
    ('eu.ecspr.warning.share', 1, 500, 'bps', 'eu', 'Regulation (EU) 2020/1503 article 21', 'second_hand', date '2021-11-10'),
    ('us.regcf.reconfirm_within', 1, 5, 'business_days', 'us', '17 CFR 227.304(c)', 'confirmed', date '2016-05-16'),
    ('us.regcf.open_for', 1, 21, 'calendar_days', 'us', '17 CFR 227.303(a), 227.304(b)(1)', 'confirmed', date '2016-05-16'),
    ('us.regcf.cancel_until', 1, 48, 'hours', 'us', '17 CFR 227.304(a)', 'confirmed', date '2016-05-16'),
    ('us.regcf.early_close_notice', 1, 5, 'business_days', 'us', '17 CFR 227.304(b)', 'confirmed', date '2016-05-16'),
    ('us.regcf.issuer_cap', 1, 500000000, 'usd_minor', 'us', '17 CFR 227.100(a)(1)', 'confirmed', date '2021-03-15'),
    ('us.rega.tier_1.issuer_cap', 1, 2000000000, 'usd_minor', 'us', '17 CFR 230.251(a)(1)', 'second_hand', date '2015-06-19'),
    ('us.rega.tier_2.issuer_cap', 1, 7500000000, 'usd_minor', 'us', '17 CFR 230.251(a)(2)', 'second_hand', date '2021-03-15'),
    ('eu.ecspr.issuer_cap', 1, 500000000, 'eur_minor', 'eu', 'Regulation (EU) 2020/1503 article 1(2)', 'second_hand', date '2021-11-10'),
    ('eu.ecspr.reflection', 1, 4, 'calendar_days', 'eu', 'Regulation (EU) 2020/1503 article 22', 'second_hand', date '2021-11-10'),
    ('us.filing.form_d', 1, 15, 'calendar_days', 'us', '17 CFR 230.503(a)(1)', 'confirmed', date '2008-09-15'),
    ('us.filing.form_d_yearly', 1, 12, 'months', 'us', '17 CFR 230.503(a)(3)(iii)', 'confirmed', date '2008-09-15'),
    ('us.filing.form_c_u', 1, 5, 'business_days', 'us', '17 CFR 227.203(a)(3)', 'second_hand', date '2016-05-16'),
    ('us.filing.form_c_ar', 1, 120, 'calendar_days', 'us', '17 CFR 227.202(a)', 'confirmed', date '2016-05-16'),
    ('us.filing.form_c_tr', 1, 5, 'business_days', 'us', '17 CFR 227.203(b)(3)', 'second_hand', date '2016-05-16'),
    ('us.filing.form_1_k', 1, 120, 'calendar_days', 'us', '17 CFR 230.257(b)(1)', 'confirmed', date '2015-06-19'),
    ('us.filing.form_1_sa', 1, 90, 'calendar_days', 'us', '17 CFR 230.257(b)(3)', 'confirmed', date '2015-06-19'),
    ('us.filing.form_1_u', 1, 4, 'business_days', 'us', '17 CFR 230.257(b)(4)', 'confirmed', date '2015-06-19'),
    ('us.filing.form_1_z', 1, 30, 'calendar_days', 'us', '17 CFR 230.257(a)', 'confirmed', date '2015-06-19'),
    ('us.filing.half_of_target', 1, 5000, 'bps', 'us', '17 CFR 227.203(a)(3)(i)', 'second_hand', date '2016-05-16'),
    ('us.filing.whole_target', 1, 10000, 'bps', 'us', '17 CFR 227.203(a)(3)(i)', 'second_hand', date '2016-05-16'),
    ('house.reconfirm_within', 1, 5, 'business_days', 'house', 'amendment policy; these exemptions name no period', 'house', date '2016-05-16'),
    ('us.ofac.report_within', 1, 10, 'business_days', 'us', '31 CFR 501.603, 501.604', 'confirmed', date '2000-01-01'),
    ('us.ofac.retention', 1, 10, 'years', 'us', '31 CFR 501.601; 90 FR 13286', 'confirmed', date '2025-03-12'),
    ('us.sar.report_within', 1, 30, 'calendar_days', 'us', '31 CFR 1023.320(b)(3)', 'second_hand', date '2011-03-01'),
    ('us.sar.report_without_suspect', 1, 60, 'calendar_days', 'us', '31 CFR 1023.320(b)(3)', 'second_hand', date '2011-03-01'),
    ('us.sar.retention', 1, 5, 'years', 'us', '31 CFR 1023.320(d)', 'unconfirmed', date '2011-03-01'),
    ('us.cip.retention', 1, 5, 'years', 'us', '31 CFR 1023.220(a)(3)', 'confirmed', date '2003-06-09'),
    ('house.list_age', 1, 7, 'calendar_days', 'house', 'sanctions policy', 'house', date '2020-01-01'),
    ('house.screening_validity', 1, 12, 'months', 'house', 'sanctions policy', 'house', date '2020-01-01'),
    ('house.screening.person', 1, 8500, 'bps', 'house', 'sanctions policy', 'house', date '2020-01-01'),
    ('house.screening.other', 1, 7500, 'bps', 'house', 'sanctions policy', 'house', date '2020-01-01'),
    ('house.rescreen_within', 1, 24, 'hours', 'house', 'sanctions policy', 'house', date '2020-01-01'),
    ('house.review.low', 1, 36, 'months', 'house', 'risk policy', 'house', date '2020-01-01'),
    ('house.review.standard', 1, 24, 'months', 'house', 'risk policy', 'house', date '2020-01-01'),
    ('house.review.high', 1, 12, 'months', 'house', 'risk policy', 'house', date '2020-01-01'),
    ('house.decide.hit', 1, 24, 'hours', 'house', 'sanctions policy', 'house', date '2020-01-01'),
    ('house.decide.identity', 1, 5, 'calendar_days', 'house', 'identification policy', 'house', date '2020-01-01'),
    ('house.decide.accreditation', 1, 5, 'calendar_days', 'house', 'accreditation policy', 'house', date '2020-01-01'),
    ('house.decide.change', 1, 5, 'calendar_days', 'house', 'identification policy', 'house', date '2020-01-01'),
    ('house.decide.diligence', 1, 30, 'calendar_days', 'house', 'risk policy', 'house', date '2020-01-01'),
    ('house.decide.deficiency', 1, 5, 'calendar_days', 'house', 'identification policy', 'house', date '2020-01-01'),
    ('house.programme_review', 1, 12, 'months', 'house', 'sanctions policy', 'house', date '2020-01-01'),
    ('house.notice.first', 1, 30, 'calendar_days', 'house', 'notice policy', 'house', date '2020-01-01'),
    ('house.notice.last', 1, 7, 'calendar_days', 'house', 'notice policy', 'house', date '2020-01-01')
) as r (rule_id, rule_version, value, unit, jurisdiction, citation, certainty, effective_from);

call audit.append_only('compliance.rule');

create table compliance.rule_change (
    rule_id text not null,
    change_id text not null,
    status text not null,
    value bigint not null,
    unit text not null,
    jurisdiction text not null,
    citation text not null,
    certainty text not null,
    effective_from date not null,
    proposed_by text not null,
    decided_by text,
    because text not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (rule_id, change_id),
    constraint rule_change_needs_two_people check (audit.person_of(decided_by) is distinct from audit.person_of(proposed_by) or decided_by is null)
);

call audit.keep('compliance.rule_change', 'rule_change', 'change_id', 'rule_id');

-- Days on which a calendar does not count; Saturdays and Sundays never count.
create table compliance.holiday (
    calendar text not null,
    day date not null,
    name text not null,
    primary key (calendar, day)
);

-- Where the days of each calendar come from, and for what they count.
create table compliance.calendar (
    calendar text primary key,
    citation text not null constraint calendar_names_its_source check (citation ~ '\S'),
    saturday_moves_to_friday boolean not null,
    sentence text not null
);

insert into compliance.calendar (calendar, citation, saturday_moves_to_friday, sentence) values
    ('us_federal_business', '12 CFR 210.2; 5 USC 6103(a)', false, 'Days on which the Federal Reserve Banks are open.'),
    ('us_sec_business', '17 CFR 232.11; 5 USC 6103(a) and (b)', true,
        'Days on which the Securities and Exchange Commission takes filings; closures by an order are rows to add.');
call audit.append_only('compliance.calendar');

-- A holiday that falls on a Sunday is kept on Monday; one on a Saturday on Friday by the government, and not moved by the
-- Federal Reserve Banks.
insert into compliance.holiday (calendar, day, name)
with named (y, m, d, name) as (
    select y, n.* from generate_series(2020, 2060) y, (values (1, 1, 'New Year''s Day'), (6, 19, 'Juneteenth'),
        (7, 4, 'Independence Day'), (11, 11, 'Veterans Day'), (12, 25, 'Christmas Day')) n (m, d, name)
    where n.name <> 'Juneteenth' or y >= 2022),
fixed as (select make_date(y, m, d) as day, name from named),
moving (first, weekday, nth, name) as (
    select make_date(y, n.m, 1), n.weekday, n.nth, n.name from generate_series(2020, 2060) y, (values
        (1, 1, 3, 'Birthday of Martin Luther King, Jr.'), (2, 1, 3, 'Washington''s Birthday'), (9, 1, 1, 'Labor Day'),
        (10, 1, 2, 'Columbus Day'), (11, 4, 4, 'Thanksgiving Day')) n (m, weekday, nth, name))
select c.calendar, f.day + case extract(isodow from f.day) when 7 then 1 when 6 then -c.saturday_moves_to_friday::integer else 0 end, f.name
from compliance.calendar c, fixed f
union all
select c.calendar, first + (weekday - extract(isodow from first)::integer + 7) % 7 + 7 * (nth - 1), name
from compliance.calendar c, moving
union all
select c.calendar, make_date(y, 5, 31) - (extract(isodow from make_date(y, 5, 31))::integer - 1), 'Memorial Day'
from compliance.calendar c, generate_series(2020, 2060) y;
call audit.append_only('compliance.holiday');

-- The day that is the given number of business days after another; the first business day after it counts as one.
create function compliance.business_day_after(p_calendar text, p_day date, p_count bigint) returns date
language sql stable set search_path = pg_catalog, pg_temp
return (
    select n.day from (
        select d::date as day, row_number() over (order by d) as place
        from generate_series(p_day + 1, p_day + 10 + 3 * p_count::integer, interval '1 day') d
        where extract(isodow from d) < 6
            and not exists (select from compliance.holiday h where h.calendar = p_calendar and h.day = d::date)) n
    where n.place = p_count);

-- The version of a rule that is in force at a moment.
create function compliance.rule_at(p_rule text, p_at timestamptz) returns compliance.rule
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    found_rule compliance.rule;
begin
    select * into found_rule from compliance.rule
    where rule_id = p_rule and effective_from <= (p_at at time zone 'UTC')::date
    order by effective_from desc limit 1;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'rule_is_in_force',
            message = format('no version of %s is in force at %s', p_rule, p_at);
    end if;
    return found_rule;
end $$;

create function compliance.rule_value(p_rule text, p_at timestamptz) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return (compliance.rule_at(p_rule, p_at)).value;
end $$;

-- The moment that lies a rule's length of time after another.
create function compliance.after_rule(p_rule text, p_at timestamptz) returns timestamptz
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    r compliance.rule := compliance.rule_at(p_rule, p_at);
begin
    return p_at + make_interval(
        years => case when r.unit = 'years' then r.value::integer else 0 end,
        months => case when r.unit = 'months' then r.value::integer else 0 end,
        days => case when r.unit = 'calendar_days' then r.value::integer else 0 end,
        hours => case when r.unit = 'hours' then r.value::integer else 0 end);
end $$;

-- A decision is made by a person, with a reason, on the version of the record that the person saw.
create function compliance.decide(p_actor text, p_because text, p_on text[], p_version bigint, p_seen bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if p_version is null then
        raise exception using errcode = 'BR404', constraint = 'decided_record_exists',
            message = 'there is no such record to decide on';
    end if;
    perform compliance.by_a_person(p_actor, p_because);
    perform compliance.record_decision(p_actor, p_on);
    perform compliance.on_version(p_version, p_seen);
end $$;

create function compliance.on_version(p_version bigint, p_seen bigint) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
    if p_seen is distinct from p_version then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen',
            message = format('the record is at version %s, the decision was made on %s', p_version, p_seen);
    end if;
end $$;

create function compliance.by_a_person(p_actor text, p_because text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if p_actor = 'process' or p_actor like 'provider:%' then
        raise exception using errcode = 'BR010', constraint = 'decision_is_made_by_a_person',
            message = format('%s is no person', p_actor);
    end if;
    if coalesce(p_because, '') !~ '\S' then
        raise exception using errcode = 'BR008', constraint = 'decision_has_its_reason',
            message = 'a decision says why';
    end if;
end $$;

create function compliance.propose_rule(p_actor text, p_request text, p_rule text, p_change text, p_value bigint,
    p_effective_from date, p_citation text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    last compliance.rule;
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.by_a_person(p_actor, p_because);
    select * into last from compliance.rule where rule_id = p_rule order by rule_version desc limit 1;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'changed_rule_exists',
            message = format('there is no rule %s', p_rule);
    end if;
    if p_effective_from <= last.effective_from or p_effective_from <= (clock_timestamp() at time zone 'UTC')::date then
        raise exception using errcode = 'BR008', constraint = 'rule_never_starts_in_the_past',
            message = format('a new version of %s starts tomorrow or later, after %s', p_rule, last.effective_from);
    end if;
    insert into compliance.rule_change (rule_id, change_id, status, value, unit, jurisdiction, citation, certainty,
        effective_from, proposed_by, because)
    values (p_rule, p_change, 'proposed', p_value, last.unit, last.jurisdiction, p_citation, last.certainty,
        p_effective_from, p_actor, p_because);
end $$;

-- A second person adopts or declines a proposed version; adopted, it counts from its day on.
create function compliance.decide_rule(p_actor text, p_request text, p_rule text, p_change text, p_is_adopted boolean,
    p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c compliance.rule_change;
begin
    perform audit.enter(p_actor, p_request);
    select * into c from compliance.rule_change where rule_id = p_rule and change_id = p_change for update;
    perform compliance.decide(p_actor, p_because, array[p_rule, p_change], c.version, p_seen);
    update compliance.rule_change set decided_by = p_actor,
        status = case when p_is_adopted then 'adopted' else 'declined' end
    where rule_id = p_rule and change_id = p_change;
    if p_is_adopted then
        insert into compliance.rule
        select p_rule, max(r.rule_version) + 1, c.value, c.unit, c.jurisdiction, c.citation, c.certainty,
            c.effective_from, c.proposed_by, p_actor, c.because
        from compliance.rule r where r.rule_id = p_rule;
    end if;
end $$;
