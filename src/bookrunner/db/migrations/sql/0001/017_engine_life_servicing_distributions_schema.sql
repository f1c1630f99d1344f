-- Distributions: terms, reserves, tiers with their working, and what each holder of a record date is entitled to.

-- What is withheld of income by the form that a payee gave; a later row takes the place of an earlier one. Country is the one whose
-- treaty a form claims, empty for what holds without a treaty.
create table engine.withholding_rate (
    form text not null constraint withholding_form_is_known check (form in ('none', 'W-9', 'W-9 with backup withholding', 'W-8')),
    country text not null constraint treaty_country_is_a_code check (country ~ '^([A-Z]{2})?$'),
    income text not null constraint withheld_income_is_known check (income in ('dividend', 'interest')),
    valid_from date not null,
    rate_bp integer not null constraint withholding_rate_is_a_share check (rate_bp between 0 and 10000),
    source text not null constraint withholding_rate_names_its_source check (source ~ '\S'),
    certainty text not null constraint certainty_of_a_rate_is_known check (certainty in ('confirmed', 'second_hand', 'unconfirmed')),
    proposed_by text not null,
    approved_by text not null,
    primary key (form, country, income, valid_from),
    constraint treaty_rate_is_of_a_foreign_form check (country = '' or form = 'W-8'),
    constraint withholding_rate_needs_two_people check (audit.person_of(proposed_by) <> audit.person_of(approved_by))
);

insert into engine.withholding_rate (form, country, income, valid_from, rate_bp, source, certainty, proposed_by, approved_by)
select r.form, '', i.income, r.valid_from, r.rate_bp, r.source, r.certainty, 'bookrunner', 'administrator'
from (values ('none', date '2018-01-01', 3000, '26 U.S.C. 1441(a), 1442(a): 30 %; no valid form was given', 'second_hand'),
    ('W-9', date '2018-01-01', 0, '26 CFR 1.1441-1(b)(1): a United States person by its Form W-9', 'second_hand'),
    ('W-9 with backup withholding', date '2018-01-01', 2400, '26 U.S.C. 3406(a)(1): the fourth lowest rate of section 1(c), 24 %', 'second_hand'),
    ('W-8', date '2018-01-01', 3000, '26 U.S.C. 1441(a), 1442(a): 30 %; the form claims no treaty that is listed', 'second_hand'))
    as r (form, valid_from, rate_bp, source, certainty) cross join (values ('dividend'), ('interest')) as i (income);

insert into engine.withholding_rate (form, country, income, valid_from, rate_bp, source, certainty, proposed_by, approved_by)
select 'W-8', t.country, i.income, date '2018-01-01', case i.income when 'dividend' then t.dividend_bp else t.interest_bp end,
    'IRS, Tax Treaty Table 1, ' || t.country, 'unconfirmed', 'bookrunner', 'administrator'
from (values ('CA', 1500, 0), ('CH', 1500, 0), ('DE', 1500, 0), ('FR', 1500, 0), ('GB', 1500, 0), ('IE', 1500, 0), ('JP', 1000, 0),
    ('NL', 1500, 0)) as t (country, dividend_bp, interest_bp) cross join (values ('dividend'), ('interest')) as i (income);

call audit.append_only('engine.withholding_rate');

create table engine.distribution (
    offering_id text not null,
    distribution_id text not null,
    status text not null,
    record_on date not null,
    pay_on date not null constraint payment_follows_the_record_date check (pay_on >= record_on),
    currency text not null,
    income text not null constraint distributed_income_is_known check (income in ('dividend', 'interest')),
    available_minor bigint not null,
    reserved_minor bigint not null constraint reserves_are_not_negative check (reserved_minor >= 0),
    distributable_minor bigint not null constraint something_is_distributed check (distributable_minor > 0),
    sponsor_id text,
    holders integer not null check (holders > 0),
    units bigint not null check (units > 0),
    withheld_minor bigint not null check (withheld_minor >= 0),
    reinvested_minor bigint not null default 0 constraint reinvested_amount_is_not_negative check (reinvested_minor >= 0),
    net_minor bigint not null check (net_minor >= 0),
    lines_sha256 bytea not null check (octet_length(lines_sha256) = 32),
    compared_in text not null,
    drafted_by text not null,
    drafted_at timestamptz not null default clock_timestamp(),
    approved_by text,
    cancelled_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, distribution_id),
    constraint reserves_leave_the_distributable_amount check (distributable_minor = available_minor - reserved_minor),
    constraint gross_less_withheld_is_net check (distributable_minor = withheld_minor + reinvested_minor + net_minor),
    constraint distribution_needs_two_people check (approved_by is null
        or coalesce(audit.person_of(approved_by) <> audit.person_of(drafted_by), false)),
    constraint approved_distribution_names_who check ((status in ('approved', 'paying', 'paid')) <= (approved_by is not null)),
    constraint cancelled_distribution_says_why check ((status = 'cancelled') = coalesce(cancelled_because ~ '\S', false))
);

-- The next one starts from what this one pays.
create unique index one_distribution_is_prepared on engine.distribution (offering_id) where status in ('draft', 'approved');

create table engine.distribution_reserve (
    offering_id text not null,
    distribution_id text not null,
    line integer not null check (line > 0),
    name text not null constraint reserve_is_named check (name ~ '\S'),
    amount_minor bigint not null constraint reserve_is_positive check (amount_minor > 0),
    primary key (offering_id, distribution_id, line),
    foreign key (offering_id, distribution_id) references engine.distribution deferrable initially deferred
);

-- The tiers as they were defined, each with what it paid and how that was found.
create table engine.distribution_tier (
    offering_id text not null,
    distribution_id text not null,
    tier integer not null check (tier > 0),
    kind text not null constraint tier_kind_is_known
        check (kind in ('return_of_capital', 'preferred_return', 'catch_up', 'hurdle', 'split', 'redemption', 'principal')),
    holders_bp integer not null constraint holders_have_a_share_of_a_tier check (holders_bp between 0 and 10000),
    rate_bp integer,
    target_bp integer,
    day_count text,
    compounds boolean,
    due_minor bigint,
    holders_minor bigint not null check (holders_minor >= 0),
    sponsor_minor bigint not null check (sponsor_minor >= 0),
    left_minor bigint not null check (left_minor >= 0),
    working text[] not null constraint tier_shows_its_working check (cardinality(working) > 0),
    primary key (offering_id, distribution_id, tier),
    foreign key (offering_id, distribution_id) references engine.distribution deferrable initially deferred,
    constraint tier_has_the_rate_that_it_needs check ((kind in ('preferred_return', 'hurdle'))
        = coalesce(rate_bp between 0 and 10000, false) and (kind in ('preferred_return', 'hurdle') or rate_bp is null)),
    constraint only_a_preferred_return_counts_days check (case when kind = 'preferred_return'
        then coalesce(day_count in ('actual/360', 'actual/365', '30/360'), false) and compounds is not null
        else day_count is null and compounds is null end),
    constraint only_a_catch_up_has_a_target check (case when kind = 'catch_up'
        then coalesce(target_bp between 0 and 9999 and target_bp < 10000 - holders_bp, false) else target_bp is null end),
    constraint holders_have_the_first_tiers_alone check (kind not in ('return_of_capital', 'preferred_return') or holders_bp = 10000),
    constraint hurdle_pays_the_holders check (kind <> 'hurdle' or holders_bp > 0),
    constraint only_the_split_has_no_limit check ((kind = 'split') = (due_minor is null)),
    constraint tier_pays_no_more_than_is_due check (holders_minor + sponsor_minor <= due_minor),
    constraint tier_is_split_by_its_shares
        check (abs(holders_minor::numeric * 10000 - (holders_minor::numeric + sponsor_minor) * holders_bp) <= 5000)
);

-- One payee of a record date: its part of what is returned of capital and of what is income, and what is withheld of the income.
create table engine.distribution_line (
    offering_id text not null,
    distribution_id text not null,
    line_id text not null,
    holding_id text,
    investor_id text not null,
    payee_id text not null,
    units bigint not null check (units >= 0),
    capital_minor bigint not null check (capital_minor >= 0),
    income_minor bigint not null check (income_minor >= 0),
    gross_minor bigint not null generated always as (capital_minor + income_minor) stored,
    form text not null,
    country text not null,
    rate_bp integer not null,
    rate_source text not null,
    withheld_minor bigint not null,
    reinvested_minor bigint not null default 0 constraint reinvested_part_is_not_negative check (reinvested_minor >= 0),
    net_minor bigint not null check (net_minor >= 0),
    primary key (offering_id, distribution_id, line_id),
    foreign key (offering_id, distribution_id) references engine.distribution deferrable initially deferred,
    constraint line_withholds_by_its_rate check (withheld_minor = div(income_minor::numeric * rate_bp + 5000, 10000)),
    constraint gross_less_withheld_is_net_on_a_line check (capital_minor + income_minor = withheld_minor + reinvested_minor + net_minor),
    constraint only_the_sponsor_has_no_units check ((units = 0) = (holding_id is null)),
    constraint sponsor_is_its_own_payee check (holding_id is not null or payee_id = investor_id)
);
create index distribution_line_of_investor on engine.distribution_line (offering_id, investor_id);

call audit.append_only('engine.distribution_reserve');
call audit.append_only('engine.distribution_tier');
call audit.append_only('engine.distribution_line');
call audit.keep('engine.distribution', 'distribution', 'distribution_id', 'offering_id');

-- What was drafted is what a second person sees and what is paid: nothing joins it later.
create function engine.part_is_drafted_with_the_whole() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from engine.distribution d where d.offering_id = new.offering_id and d.distribution_id = new.distribution_id) then
        raise exception using errcode = 'BR006', constraint = 'distribution_stays_as_drafted',
            message = format('%s is drafted already', new.distribution_id);
    end if;
    return new;
end $$;

create function engine.distribution_stays() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if to_jsonb(new) - '{status,approved_by,cancelled_because,version,chain_head}'::text[]
        is distinct from to_jsonb(old) - '{status,approved_by,cancelled_because,version,chain_head}'::text[]
        or old.approved_by is distinct from new.approved_by and old.status <> 'draft' then
        raise exception using errcode = 'BR006', constraint = 'distribution_stays_as_drafted',
            message = format('%s is what two people see; cancel it and draft another', old.distribution_id);
    end if;
    return new;
end $$;

-- The parts of a distribution sum to it, at the commit that drafts it.
create function engine.distribution_sums() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    reserved numeric;
    tiers record;
    lines record;
begin
    select coalesce(sum(r.amount_minor), 0) into reserved from engine.distribution_reserve r
    where r.offering_id = new.offering_id and r.distribution_id = new.distribution_id;
    select sum(t.holders_minor) as holders, sum(t.sponsor_minor) as sponsor, sum(t.holders_minor) filter (where t.kind in ('return_of_capital', 'redemption', 'principal'))
        as capital into tiers
    from engine.distribution_tier t where t.offering_id = new.offering_id and t.distribution_id = new.distribution_id;
    select sum(l.gross_minor) as gross, sum(l.capital_minor) as capital, sum(l.withheld_minor) as withheld, sum(l.net_minor) as net,
        sum(l.reinvested_minor) as reinvested,
        coalesce(sum(l.gross_minor) filter (where l.holding_id is null), 0) as sponsor, sum(l.units) as units into lines
    from engine.distribution_line l where l.offering_id = new.offering_id and l.distribution_id = new.distribution_id;
    if reserved <> new.reserved_minor or (tiers.holders + tiers.sponsor) is distinct from new.distributable_minor::numeric then
        raise exception using errcode = 'BR009', constraint = 'tiers_sum_to_the_distributable_amount',
            message = format('the tiers of %s pay %s of %s', new.distribution_id, tiers.holders + tiers.sponsor, new.distributable_minor);
    end if;
    if (lines.gross, lines.withheld, lines.reinvested, lines.net, lines.sponsor, lines.units) is distinct from (new.distributable_minor::numeric,
            new.withheld_minor::numeric, new.reinvested_minor::numeric, new.net_minor::numeric, tiers.sponsor, new.units::numeric)
        or coalesce(tiers.capital, 0) <> lines.capital then
        raise exception using errcode = 'BR009', constraint = 'lines_sum_to_the_distribution',
            message = format('the lines of %s are not what its tiers pay', new.distribution_id);
    end if;
    return null;
end $$;

create trigger part_is_drafted_with_the_whole before insert on engine.distribution_reserve
    for each row execute function engine.part_is_drafted_with_the_whole();
create trigger part_is_drafted_with_the_whole before insert on engine.distribution_tier
    for each row execute function engine.part_is_drafted_with_the_whole();
create trigger part_is_drafted_with_the_whole before insert on engine.distribution_line
    for each row execute function engine.part_is_drafted_with_the_whole();
create trigger distribution_stays before update on engine.distribution
    for each row execute function engine.distribution_stays();
alter table engine.distribution_reserve enable always trigger part_is_drafted_with_the_whole;
alter table engine.distribution_tier enable always trigger part_is_drafted_with_the_whole;
alter table engine.distribution_line enable always trigger part_is_drafted_with_the_whole;
alter table engine.distribution enable always trigger distribution_stays;
create constraint trigger distribution_sums after insert on engine.distribution
    deferrable initially deferred for each row execute function engine.distribution_sums();
alter table engine.distribution enable always trigger distribution_sums;
