-- A tier from rules that name their reasons, and the enhanced due diligence that a high one opens.

create table compliance.risk_rule (
    rule_id text not null,
    factor text not null,
    value text not null,
    tier text not null check (tier in ('low', 'standard', 'high')),
    sentence text not null,
    effective_from date not null,
    effective_to date,
    primary key (rule_id, effective_from)
);

insert into compliance.risk_rule (rule_id, factor, value, tier, sentence, effective_from) values
    ('kind.nominee', 'kind', 'nominee', 'high', 'A nominee holds for others.', '2020-01-01'),
    ('kind.trust', 'kind', 'trust', 'standard', 'A trust has people behind it.', '2020-01-01'),
    ('kind.entity', 'kind', 'entity', 'standard', 'An entity has people behind it.', '2020-01-01'),
    ('country.KP', 'country', 'KP', 'high', 'The FATF calls for action on this country.', '2020-02-21'),
    ('country.IR', 'country', 'IR', 'high', 'The FATF calls for action on this country.', '2020-02-21'),
    ('country.MM', 'country', 'MM', 'high', 'The FATF calls for action on this country.', '2022-10-21'),
    ('ownership.complex', 'ownership', 'complex', 'high', 'Shares run through more than two layers.', '2020-01-01'),
    ('funds.unexplained', 'source_of_funds', 'unexplained', 'high', 'The source of funds is not explained.', '2020-01-01'),
    ('funds.crypto', 'source_of_funds', 'crypto_assets', 'high', 'The source of funds is crypto-assets.', '2020-01-01'),
    ('exposure.political', 'exposure', 'political', 'high', 'The person holds or held a prominent public function.', '2020-01-01');
call audit.append_only('compliance.risk_rule');

-- The rating in force of each investor; every earlier one stands in its events.
create table compliance.risk_rating (
    investor_id text primary key,
    rating_id text not null unique,
    status text not null,
    tier text not null check (tier in ('low', 'standard', 'high')),
    facts jsonb not null,
    reasons text[] not null,
    rated_at timestamptz not null,
    reviewed_at timestamptz not null,
    version bigint not null,
    chain_head bytea not null,
    constraint tier_above_low_has_its_reasons check (tier = 'low' or reasons <> '{}')
);
call audit.keep('compliance.risk_rating', 'risk_rating', 'rating_id', 'investor_id');

create table compliance.due_diligence (
    investor_id text not null,
    diligence_id text not null,
    status text not null,
    opened_at timestamptz not null default clock_timestamp(),
    findings_sha256 bytea,
    completed_by text,
    decided_by text,
    decided_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (investor_id, diligence_id),
    constraint completed_diligence_has_its_findings check (status = 'open' or (findings_sha256 is not null and completed_by is not null)),
    constraint diligence_needs_two_people check (audit.person_of(decided_by) is distinct from audit.person_of(completed_by) or decided_by is null)
);
create unique index one_diligence_runs on compliance.due_diligence (investor_id) where status in ('open', 'completed');
call audit.keep('compliance.due_diligence', 'due_diligence', 'diligence_id', 'investor_id');

-- Rates an investor by the rules in force: the highest tier that a fact meets, with the rules it comes from.
-- Known facts stay until they are said otherwise. A rise to high opens enhanced due diligence.
create function compliance.rate(p_investor text, p_facts jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    before compliance.risk_rating;
    facts_now jsonb;
    tier_now text;
    reasons_now text[];
begin
    select * into before from compliance.risk_rating where investor_id = p_investor for update;
    facts_now := coalesce(before.facts, '{}') || p_facts;
    select case when bool_or(r.tier = 'high') then 'high' when bool_or(r.tier = 'standard') then 'standard' else 'low' end,
        coalesce(array_agg(r.rule_id order by r.rule_id), '{}') into tier_now, reasons_now
    from compliance.risk_rule r where facts_now ->> r.factor = r.value and r.effective_from <= current_date
        and coalesce(r.effective_to > current_date, true);
    if before.investor_id is null then
        insert into compliance.risk_rating (investor_id, rating_id, status, tier, facts, reasons, rated_at, reviewed_at)
        values (p_investor, 'rsk_' || p_investor, 'rated', tier_now, facts_now, reasons_now, clock_timestamp(), clock_timestamp());
    else
        update compliance.risk_rating set tier = tier_now, facts = facts_now, reasons = reasons_now,
            rated_at = clock_timestamp() where investor_id = p_investor;
    end if;
    if tier_now = 'high' and before.tier is distinct from 'high' and not exists (select from compliance.due_diligence
        where investor_id = p_investor and status in ('open', 'completed')) then
        insert into compliance.due_diligence (investor_id, diligence_id, status)
        values (p_investor, 'edd_' || replace(gen_random_uuid()::text, '-', ''), 'open');
    end if;
end $$;

-- Diligence counts from the moment of the rise to the high tier: an earlier one does not answer a later rise.
create function compliance.diligence_is_done(p_investor text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return not exists (select from compliance.risk_rating r where r.investor_id = p_investor and r.tier = 'high')
    or coalesce((select d.status = 'approved' from compliance.due_diligence d where d.investor_id = p_investor
        order by d.opened_at desc limit 1), false);
end $$;

create function compliance.review_due(p_investor text) returns timestamptz
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return (select compliance.after_rule('house.review.' || r.tier, r.reviewed_at)
    from compliance.risk_rating r where r.investor_id = p_investor);
end $$;

-- Ratings whose review is due. The first condition spares the exact one for ratings of the last weeks.
create view compliance.overdue_review as
select r.investor_id, r.rating_id, r.status, r.tier, r.version, compliance.review_due(r.investor_id) as due_at
from compliance.risk_rating r
where r.reviewed_at <= clock_timestamp() - (select min(compliance.after_rule('house.review.' || t.tier, clock_timestamp()) - clock_timestamp())
        from (values ('low'), ('standard'), ('high')) t (tier)) + interval '3 days'
    and compliance.review_due(r.investor_id) <= clock_timestamp();

create view compliance.risk_fact as
select r.investor_id, r.tier, r.reasons, r.version, coalesce((select d.status from compliance.due_diligence d
    where d.investor_id = r.investor_id order by d.opened_at desc limit 1), 'none') as due_diligence
from compliance.risk_rating r;

create view compliance.country_risk as
select r.value as country, r.tier from compliance.risk_rule r where r.factor = 'country'
    and r.effective_from <= current_date and coalesce(r.effective_to > current_date, true);

create function compliance.rate_investor(p_actor text, p_request text, p_investor text, p_facts jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.found_case(p_investor);
    perform compliance.rate(p_investor, p_facts);
    perform compliance.compute(p_investor);
end $$;

-- An officer has looked at the whole file again; the next review is counted from now.
create function compliance.complete_review(p_actor text, p_request text, p_investor text, p_because text, p_seen bigint)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, p_because, array[p_investor, 'rsk_' || p_investor], (select version from compliance.risk_rating
        where investor_id = p_investor for update), p_seen);
    update compliance.risk_rating set reviewed_at = clock_timestamp() where investor_id = p_investor;
    perform compliance.compute(p_investor);
end $$;

create function compliance.complete_diligence(p_actor text, p_request text, p_investor text, p_diligence text,
    p_findings_sha256 bytea, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, 'completed', array[p_investor, p_diligence], (select version from compliance.due_diligence
        where investor_id = p_investor and diligence_id = p_diligence for update), p_seen);
    update compliance.due_diligence set status = 'completed', findings_sha256 = p_findings_sha256, completed_by = p_actor,
        decided_by = null
    where investor_id = p_investor and diligence_id = p_diligence;
    perform compliance.compute(p_investor);
end $$;

create function compliance.decide_diligence(p_actor text, p_request text, p_investor text, p_diligence text,
    p_is_approved boolean, p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, p_because, array[p_investor, p_diligence], (select version from compliance.due_diligence
        where investor_id = p_investor and diligence_id = p_diligence for update), p_seen);
    update compliance.due_diligence set decided_by = p_actor, decided_because = p_because,
        status = case when p_is_approved then 'approved' else 'open' end
    where investor_id = p_investor and diligence_id = p_diligence;
    perform compliance.compute(p_investor);
end $$;
