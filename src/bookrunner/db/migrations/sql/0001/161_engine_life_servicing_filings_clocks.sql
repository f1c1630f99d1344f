-- The clocks of filings and reports: which fact starts each, how long it runs, and in which calendar.

-- A clock runs for the length of its rule; one without a rule has a fixed number of days, below zero for what comes before
-- its fact. moves_on says whether a due day without business goes on to the next one, as some rules say and others do not.
create table engine.filing_clock (
    clock text primary key,
    form text not null,
    exemptions text[] not null,
    fact text not null,
    rule_id text,
    fixed_days integer,
    calendar text not null,
    moves_on boolean not null,
    repeats boolean not null,
    opened_by text[] not null,
    citation text not null constraint clock_names_its_source check (citation ~ '\S'),
    sentence text not null,
    constraint clock_has_a_rule_or_days check (rule_id is null or fixed_days is null)
);

insert into engine.filing_clock (clock, form, exemptions, fact, rule_id, fixed_days, calendar, moves_on, repeats, opened_by,
    citation, sentence) values
    ('form_d', 'D', '{506(b),506(c)}', 'first_sale', 'us.filing.form_d', null, 'us_sec_business', true, false,
        '{investment.legally_confirmed}', '17 CFR 230.503(a)(1)', 'Notice of an exempt offering, after the first sale.'),
    ('form_d_yearly', 'D/A', '{506(b),506(c)}', 'last_notice', 'us.filing.form_d_yearly', null, 'us_sec_business', false, true,
        '{filing.filed,offer.closed_to_new_money,offer.failed}', '17 CFR 230.503(a)(3)(iii)',
        'Yearly amendment while the offer continues, on the anniversary of the last notice.'),
    ('form_d_change', 'D/A', '{506(b),506(c)}', 'change_of_notice', null, 0, 'us_sec_business', true, true,
        '{amendment.announced}', '17 CFR 230.503(a)(3)(i) and (ii)', 'Amendment after a material mistake or change.'),
    ('state_notice', 'state notice', '{506(b),506(c),reg_a_tier_2}', 'state_sale', null, null, 'us_sec_business', false, true,
        '{investment.legally_confirmed}', 'law of each state', 'Notice in each state of a first sale.'),
    ('form_c', 'C', '{reg_cf}', 'opening', null, -1, 'us_sec_business', false, true, '{offer.accepted,offer.published}',
        '17 CFR 227.203(a)(1)', 'Offering statement, before the offer opens.'),
    ('form_c_change', 'C/A', '{reg_cf}', 'material_change', null, 0, 'us_sec_business', true, true, '{amendment.announced}',
        '17 CFR 227.203(a)(2)', 'Amendment on a material change, before the offer ends.'),
    ('form_c_half', 'C-U', '{reg_cf}', 'half_of_target', 'us.filing.form_c_u', null, 'us_sec_business', false, false,
        '{investment.confirmed,investment.legally_confirmed}', '17 CFR 227.203(a)(3)(i)',
        'Progress update at half of the target; the platform''s own updates may stand for it.'),
    ('form_c_whole', 'C-U', '{reg_cf}', 'whole_target', 'us.filing.form_c_u', null, 'us_sec_business', false, false,
        '{investment.confirmed,investment.legally_confirmed}', '17 CFR 227.203(a)(3)(i)',
        'Progress update at the target; the platform''s own updates may stand for it.'),
    ('form_c_end', 'C-U', '{reg_cf}', 'end_of_offer', 'us.filing.form_c_u', null, 'us_sec_business', false, false,
        '{offer.closed_to_new_money}', '17 CFR 227.203(a)(3)(iii)', 'Update with the total sold, after the end.'),
    ('form_c_year', 'C-AR', '{reg_cf}', 'year_end', 'us.filing.form_c_ar', null, 'us_sec_business', false, true,
        '{}', '17 CFR 227.202(a)', 'Annual report, also on the site of the issuer.'),
    ('form_c_stop', 'C-TR', '{reg_cf}', 'end_of_duty', 'us.filing.form_c_tr', null, 'us_sec_business', false, false, '{}',
        '17 CFR 227.203(b)(3)', 'Notice that annual reports end.'),
    ('form_1_a', '1-A', '{reg_a_tier_1,reg_a_tier_2}', 'opening', null, -1, 'us_sec_business', false, true,
        '{offer.accepted,offer.published}', '17 CFR 230.251(d), 230.252', 'Offering statement; qualified before any sale.'),
    ('form_1_k', '1-K', '{reg_a_tier_2}', 'year_end', 'us.filing.form_1_k', null, 'us_sec_business', false, true,
        '{}', '17 CFR 230.257(b)(1)', 'Annual report.'),
    ('form_1_sa', '1-SA', '{reg_a_tier_2}', 'half_year_end', 'us.filing.form_1_sa', null, 'us_sec_business', false, true,
        '{}', '17 CFR 230.257(b)(3)', 'Semiannual report.'),
    ('form_1_u', '1-U', '{reg_a_tier_2}', 'reportable_event', 'us.filing.form_1_u', null, 'us_sec_business', false, true, '{}',
        '17 CFR 230.257(b)(4)', 'Current report of an event.'),
    ('form_1_z', '1-Z', '{reg_a_tier_1}', 'end_of_offer', 'us.filing.form_1_z', null, 'us_sec_business', false, false,
        '{offer.closed_to_new_money}', '17 CFR 230.257(a)', 'Exit report after the end.');
call audit.append_only('engine.filing_clock');

-- What a state asks after a first sale there. Ships empty: a row is added when somebody has read the law of the state.
create table engine.state_notice_rule (
    place text not null constraint place_is_a_state check (place ~ '^US-[A-Z]{2}$'),
    effective_from date not null,
    within integer not null check (within > 0),
    unit text not null check (unit in ('calendar_days', 'business_days')),
    fee_minor bigint check (fee_minor >= 0),
    citation text not null constraint state_rule_names_its_source check (citation ~ '\S'),
    primary key (place, effective_from)
);
call audit.append_only('engine.state_notice_rule');

-- The day on which a clock ends: so many days, business days or months after a day, which is not counted itself. With
-- p_moves_on an end on a day without business moves to the next one; months end on the last day of a shorter month. Reads
-- the calendar and nothing else; what ends past the calendar is refused.
create function engine.clock_ends(p_from date, p_count bigint, p_unit text, p_calendar text, p_moves_on boolean) returns date
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    ends date := case p_unit
        when 'business_days' then case when p_count = 0 then p_from else compliance.business_day_after(p_calendar, p_from, p_count) end
        when 'calendar_days' then p_from + p_count::integer
        when 'months' then (p_from + make_interval(months => p_count::integer))::date end;
begin
    if p_moves_on then
        ends := compliance.business_day_after(p_calendar, ends - 1, 1);
    end if;
    if ends is null or ends > (select max(h.day) from compliance.holiday h where h.calendar = p_calendar) then
        raise exception using errcode = 'BR008', constraint = 'filing_is_due_inside_the_calendar',
            message = format('%s %s after %s end past the calendar %s', p_count, p_unit, p_from, p_calendar);
    end if;
    return ends;
end $$;

-- When a filing is due by its clock, and by which version of which rule; nothing where the fact has no day yet, or the state no rule.
create function engine.filing_due(p_clock text, p_place text, p_from date, out due_on date, out rule_id text, out rule_version integer)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    c engine.filing_clock;
    s engine.state_notice_rule;
    r compliance.rule;
begin
    select * into strict c from engine.filing_clock x where x.clock = p_clock;
    if p_from is null then
        return;
    end if;
    if c.rule_id is not null then
        r := compliance.rule_at(c.rule_id, p_from::timestamp at time zone 'UTC');
        due_on := engine.clock_ends(p_from, r.value, r.unit, c.calendar, c.moves_on);
        rule_id := r.rule_id;
        rule_version := r.rule_version;
    elsif c.fixed_days is not null then
        due_on := engine.clock_ends(p_from, c.fixed_days, 'calendar_days', c.calendar, c.moves_on);
    else
        select * into s from engine.state_notice_rule x where x.place = p_place and x.effective_from <= p_from
        order by x.effective_from desc limit 1;
        if found then
            due_on := engine.clock_ends(p_from, s.within, s.unit, c.calendar, c.moves_on);
        end if;
    end if;
end $$;

-- Days of filings are days in New York, where the Commission keeps its calendar.
create function engine.filing_day(p_at timestamptz) returns date
language sql stable
return (p_at at time zone 'America/New_York')::date;
