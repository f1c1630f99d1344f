-- What each exemption asks of an investor, accreditation by listed methods, limits at the moment of commitment.

create table compliance.exemption_check (
    exemption text not null,
    check_name text not null check (check_name in ('accreditation_is_verified', 'non_accredited_place_is_left',
        'purchaser_is_sophisticated', 'investor_is_outside_the_united_states', 'investor_category_is_recorded',
        'commitment_is_within_the_limit')),
    effective_from date not null,
    effective_to date,
    citation text not null,
    primary key (exemption, check_name, effective_from)
);

insert into compliance.exemption_check (exemption, check_name, effective_from, citation) values
    ('506(b)', 'non_accredited_place_is_left', '1982-04-15', '17 CFR 230.506(b)(2)(i)'),
    ('506(b)', 'purchaser_is_sophisticated', '1982-04-15', '17 CFR 230.506(b)(2)(ii)'),
    ('506(c)', 'accreditation_is_verified', '2013-09-23', '17 CFR 230.506(c)(2)'),
    ('reg_cf', 'commitment_is_within_the_limit', '2016-05-16', '17 CFR 227.100(a)(2)'),
    ('reg_a_tier_2', 'commitment_is_within_the_limit', '2015-06-19', '17 CFR 230.251(d)(2)(i)(C)'),
    ('reg_s', 'investor_is_outside_the_united_states', '1990-05-02', '17 CFR 230.903'),
    ('eu_crowdfunding', 'investor_category_is_recorded', '2021-11-10', 'Regulation (EU) 2020/1503 annex II');
call audit.append_only('compliance.exemption_check');

create table compliance.accreditation_evidence (
    investor_id text not null,
    kind text not null,
    sha256 bytea not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (investor_id, kind, sha256)
);
call audit.append_only('compliance.accreditation_evidence');

-- What speaks against the status of an investor, whoever learned it and how; it blocks the high-minimum method.
create table compliance.contrary_knowledge (
    investor_id text not null,
    knowledge_id text primary key,
    because text not null constraint contrary_knowledge_says_what_is_known check (because ~ '\S'),
    recorded_by text not null,
    recorded_at timestamptz not null default clock_timestamp()
);
call audit.append_only('compliance.contrary_knowledge');

-- Yearly income and net worth as stated, in minor units; for an entity, revenue and net assets.
create table compliance.financial_statement (
    investor_id text not null,
    statement_id text primary key,
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    income_minor bigint not null constraint stated_income_is_not_negative check (income_minor >= 0),
    net_worth_minor bigint not null,
    outside_bought_minor bigint not null default 0 check (outside_bought_minor >= 0),
    stated_at timestamptz not null default clock_timestamp()
);
create index financial_statement_of_investor on compliance.financial_statement (investor_id, stated_at);
call audit.append_only('compliance.financial_statement');

-- What makes a purchaser who is not accredited able to judge the merits and risks of an offer, alone or with a
-- purchaser representative (17 CFR 230.506(b)(2)(ii)); the latest statement for an offer counts.
create table compliance.sophistication (
    offering_id text not null,
    investor_id text not null,
    statement_no integer not null check (statement_no > 0),
    basis text not null constraint sophistication_basis_is_known check (basis in ('alone', 'with_representative', 'not_capable')),
    representative_id text,
    because text not null,
    evidence_sha256 bytea not null constraint sophistication_names_its_evidence check (octet_length(evidence_sha256) = 32),
    valid_until timestamptz,
    recorded_by text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, investor_id, statement_no),
    constraint purchaser_representative_is_another check ((basis = 'with_representative')
        = coalesce(representative_id ~ '\S' and representative_id <> investor_id, false))
);
call audit.append_only('compliance.sophistication');

create table compliance.investor_category (
    investor_id text not null,
    regime text not null check (regime in ('eu_crowdfunding', 'mifid_ii')),
    category text not null constraint category_is_of_the_regime check (
        (regime = 'eu_crowdfunding' and category in ('sophisticated', 'non_sophisticated'))
        or (regime = 'mifid_ii' and category in ('retail', 'professional', 'eligible_counterparty'))),
    evidence_sha256 bytea not null,
    valid_until timestamptz,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (investor_id, regime, recorded_at)
);
call audit.append_only('compliance.investor_category');

-- Each commitment with the limit and the versions of the rules that it was judged by; never judged again.
create table compliance.commitment (
    offering_id text not null,
    investment_id text not null,
    investor_id text not null,
    exemption text not null,
    amount_minor bigint not null,
    used_minor bigint not null,
    limit_minor bigint,
    judged_by jsonb not null,
    judged_at timestamptz not null,
    primary key (offering_id, investment_id)
);
create index commitment_of_investor on compliance.commitment (investor_id, judged_at);
call audit.append_only('compliance.commitment');

create function compliance.checks_of(p_exemption text, p_at timestamptz) returns setof text
language plpgsql stable rows 3 set search_path = pg_catalog, pg_temp as $$
begin
    return query select e.check_name from compliance.exemption_check e where e.exemption = p_exemption
    and e.effective_from <= (p_at at time zone 'UTC')::date
    and coalesce(e.effective_to > (p_at at time zone 'UTC')::date, true);
end $$;

-- The least amount with which the high-minimum method counts: by kind, and by owners where only they are accredited.
create function compliance.high_minimum(p_investor text, p_at timestamptz) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    kind_of text := (select kind from compliance.kyc_case where investor_id = p_investor);
    people bigint;
begin
    if kind_of in ('individual', 'joint', 'retirement') then
        return compliance.rule_value('us.506c.high_minimum.person', p_at);
    end if;
    select count(*) into people from compliance.beneficial_owner o join compliance.effective_shares(p_investor) using (owner_id)
    where o.investor_id = p_investor and o.status <> 'former';
    if people between 1 and compliance.rule_value('us.506c.high_minimum.owners_below', p_at) - 1
        and not exists (select from compliance.beneficial_owner o
            where o.investor_id = p_investor and o.status <> 'former' and o.kind <> 'person')
        and exists (select from compliance.accreditation a where a.investor_id = p_investor and a.through_owners_only) then
        return people * compliance.rule_value('us.506c.high_minimum.owner', p_at);
    end if;
    return compliance.rule_value('us.506c.high_minimum.entity', p_at);
end $$;

-- Whether the accreditation of an investor counts for an offer now. The high-minimum method needs the whole
-- minimum from the buyer in this offer, and nothing known against it.
create function compliance.is_accredited(p_offering text, p_investor text, p_at timestamptz) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from compliance.accreditation a where a.investor_id = p_investor and a.status = 'approved'
    and a.valid_until > clock_timestamp() and (a.method <> 'high_minimum_506c' or (
        not exists (select from compliance.contrary_knowledge c where c.investor_id = p_investor)
        and coalesce((select max(i.amount_minor) from engine.investment i where i.offering_id = p_offering
            and i.investor_id = p_investor and i.currency = 'USD' and i.status not in
            ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully')), 0)
            >= compliance.high_minimum(p_investor, p_at))));
end $$;

-- The most that an investor may commit within the window of Regulation Crowdfunding; amounts in cents.
create function compliance.crowdfunding_limit(p_income bigint, p_worth bigint, p_at timestamptz) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
return (select case when least(p_income, p_worth) < r.threshold
        then least(r.threshold, greatest(r.floor, greatest(p_income, p_worth) * r.below / 10000))
        else least(r.threshold, greatest(p_income, p_worth) * r.at / 10000) end
    from (select compliance.rule_value('us.regcf.limit.threshold', p_at) as threshold,
        compliance.rule_value('us.regcf.limit.floor', p_at) as floor, compliance.rule_value('us.regcf.limit.below', p_at) as below,
        compliance.rule_value('us.regcf.limit.at', p_at) as at) r);

-- The versions of the rules of an exemption that are in force at a moment, by their ids.
create function compliance.rule_versions(p_exemption text, p_at timestamptz) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return (select coalesce(jsonb_object_agg(r.rule_id, r.rule_version), '{}') from (
        select distinct on (x.rule_id) x.rule_id, x.rule_version from compliance.rule x
        where x.rule_id like case p_exemption when '506(b)' then 'us.506b.%' when '506(c)' then 'us.506c.%'
                when 'reg_cf' then 'us.regcf.%' when 'reg_a_tier_2' then 'us.rega2.%' when 'eu_crowdfunding' then 'eu.ecspr.%' end
            and x.effective_from <= (p_at at time zone 'UTC')::date
        order by x.rule_id, x.effective_from desc) r);
end $$;

-- How much an investor may commit to an offer and has used of it, in minor units; no limit for the accredited, nothing where
-- the exemption has none. The investment that is being judged does not count itself.
create function compliance.limit_of(p_offering text, p_investor text, p_investment text, p_at timestamptz)
returns table (limit_minor bigint, used_minor bigint, stated_at timestamptz)
language plpgsql stable rows 1 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    exemption_of text := (select exemption from engine.offer where offering_id = p_offering);
    stated compliance.financial_statement;
    most bigint;
    used bigint := 0;
    window_rule compliance.rule;
begin
    if not exists (select from compliance.checks_of(exemption_of, p_at) c (name) where c.name = 'commitment_is_within_the_limit') then
        return;
    end if;
    select * into stated from compliance.financial_statement f where f.investor_id = p_investor
        and f.currency = (select o.currency from engine.offer o where o.offering_id = p_offering)
    order by f.stated_at desc limit 1;
    if not found then
        raise exception using errcode = 'BR008', constraint = 'investor_states_income_and_net_worth',
            message = format('%s has stated neither income nor net worth', p_investor);
    end if;
    if not compliance.is_accredited(p_offering, p_investor, p_at) then
        most := case exemption_of when 'reg_cf'
            then compliance.crowdfunding_limit(stated.income_minor, stated.net_worth_minor, p_at)
            else greatest(stated.income_minor, stated.net_worth_minor) * compliance.rule_value('us.rega2.limit', p_at) / 10000 end;
    end if;
    if exemption_of = 'reg_cf' then
        window_rule := compliance.rule_at('us.regcf.limit.window', p_at);
        select stated.outside_bought_minor + coalesce(sum(c.amount_minor), 0) into used
        from compliance.commitment c join engine.investment i using (offering_id, investment_id)
        where c.investor_id = p_investor and c.exemption = 'reg_cf'
            and (c.judged_at at time zone 'UTC')::date >= ((p_at at time zone 'UTC')::date - make_interval(months => window_rule.value::integer))::date
            and i.status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully');
    else
        select coalesce(sum(i.amount_minor), 0) into used from engine.investment i where i.offering_id = p_offering
            and i.investor_id = p_investor and i.investment_id is distinct from p_investment
            and i.status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully');
    end if;
    return query select most, used, stated.stated_at;
end $$;

-- Judges one commitment by the rules in force at this moment and keeps them with it. Called under the lock of
-- the offer; the investor's statement is locked too, so that two offers are never filled at the same second. An
-- exemption without a limit keeps the versions alone.
create function compliance.judge_commitment(p_offering text, p_investment text, p_investor text, p_amount_minor bigint)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    moment timestamptz := clock_timestamp();
    allowed record;
begin
    perform compliance.look_through(p_offering, p_investor);
    perform compliance.refuse_country(p_offering, p_investor);
    perform compliance.judge_suitability(p_offering, p_investor);
    perform 1 from compliance.financial_statement where investor_id = p_investor order by statement_id for update;
    select l.limit_minor, coalesce(l.used_minor, 0) as used_minor into allowed
    from (select) one left join compliance.limit_of(p_offering, p_investor, p_investment, moment) l on true;
    if allowed.used_minor + p_amount_minor > allowed.limit_minor then
        raise exception using errcode = 'BR008', constraint = 'commitment_is_within_the_limit', message = format(
            'the limit is %s, used %s, remaining %s', allowed.limit_minor, allowed.used_minor, greatest(allowed.limit_minor - allowed.used_minor, 0));
    end if;
    insert into compliance.commitment (offering_id, investment_id, investor_id, exemption, amount_minor, used_minor,
        limit_minor, judged_by, judged_at)
    select p_offering, p_investment, p_investor, o.exemption, p_amount_minor, allowed.used_minor, allowed.limit_minor,
        compliance.rule_versions(o.exemption, moment), moment
    from engine.offer o where o.offering_id = p_offering;
end $$;

create function compliance.state_finances(p_actor text, p_request text, p_investor text, p_statement text,
    p_stated jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into compliance.financial_statement (investor_id, statement_id, currency, income_minor, net_worth_minor,
        outside_bought_minor)
    values (p_investor, p_statement, p_stated ->> 'currency', (p_stated ->> 'income_minor')::bigint,
        (p_stated ->> 'net_worth_minor')::bigint, coalesce((p_stated ->> 'outside_bought_minor')::bigint, 0));
end $$;

create function compliance.sophistication_of(p_offering text, p_investor text) returns compliance.sophistication
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select * from compliance.sophistication where offering_id = p_offering and investor_id = p_investor
    order by statement_no desc limit 1;
end;

-- An officer states what the belief rests on that a purchaser can judge the offer, or that the purchaser cannot.
create function compliance.record_sophistication(p_actor text, p_request text, p_offering text, p_investor text,
    p_statement jsonb, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, p_because, array[p_offering, p_investor], 0, 0);
    insert into compliance.sophistication (offering_id, investor_id, statement_no, basis, representative_id, because,
        evidence_sha256, valid_until, recorded_by)
    select p_offering, p_investor, 1 + count(*), p_statement ->> 'basis', p_statement ->> 'representative', p_because,
        coalesce(decode(p_statement ->> 'evidence_sha256', 'hex'), ''), (p_statement ->> 'valid_until')::timestamptz, p_actor
    from compliance.sophistication s where s.offering_id = p_offering and s.investor_id = p_investor;
    perform compliance.compute(p_investor);
end $$;

-- An officer records the category that an investor has under the rules of the European Union, by its paper.
create function compliance.record_category(p_actor text, p_request text, p_investor text, p_regime text,
    p_category text, p_evidence_sha256 bytea, p_valid_until timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, 'recorded', array[p_investor, p_regime], 0, 0);
    insert into compliance.investor_category (investor_id, regime, category, evidence_sha256, valid_until)
    values (p_investor, p_regime, p_category, p_evidence_sha256, p_valid_until);
    perform compliance.compute(p_investor);
end $$;

create function compliance.record_contrary_knowledge(p_actor text, p_request text, p_investor text, p_knowledge text,
    p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into compliance.contrary_knowledge (investor_id, knowledge_id, because, recorded_by)
    values (p_investor, p_knowledge, p_because, p_actor);
    perform compliance.compute(p_investor);
end $$;

create function compliance.submit_accreditation(p_actor text, p_request text, p_investor text, p_accreditation text)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if not exists (select from compliance.accreditation where investor_id = p_investor) then
        insert into compliance.accreditation (investor_id, accreditation_id, status)
        values (p_investor, p_accreditation, 'new');
    end if;
    update compliance.accreditation set status = 'pending' where investor_id = p_investor;
    perform compliance.compute(p_investor);
end $$;

create function compliance.add_evidence(p_actor text, p_request text, p_investor text, p_kind text, p_sha256 bytea)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into compliance.accreditation_evidence (investor_id, kind, sha256) values (p_investor, p_kind, p_sha256)
    on conflict do nothing;
end $$;

-- Approves by a listed method when each kind of evidence that it asks for is on file since the last approval. A written
-- statement alone serves for somebody who was verified by another method within the years of the rule, counted from then.
create function compliance.approve(p_investor text, p_method text, p_valid_until timestamptz,
    p_because text default null) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    m compliance.accreditation_method;
    open_kinds text;
    since timestamptz := (select coalesce(approved_at, '-infinity') from compliance.accreditation where investor_id = p_investor);
    verified timestamptz := clock_timestamp();
begin
    select * into m from compliance.accreditation_method where method = p_method;
    if not found then
        raise exception using errcode = 'BR008', constraint = 'accreditation_method_is_allowed',
            message = format('%s is no listed method', p_method);
    end if;
    select string_agg(k, ', ') into open_kinds from unnest(m.evidence) k where not exists (
        select from compliance.accreditation_evidence e where e.investor_id = p_investor and e.kind = k and e.recorded_at > since);
    if open_kinds is not null then
        raise exception using errcode = 'BR008', constraint = 'accreditation_evidence_is_complete',
            message = format('not on file: %s', open_kinds);
    end if;
    if p_method = 'already_verified' then
        select a.verified_at into verified from compliance.accreditation a where a.investor_id = p_investor;
        if verified is null or compliance.after_rule(m.validity_rule, verified) <= clock_timestamp() then
            raise exception using errcode = 'BR008', constraint = 'status_was_verified_before',
                message = format('%s was last verified %s', p_investor, coalesce('at ' || verified, 'never'));
        end if;
    end if;
    if p_method in ('high_minimum_506c', 'already_verified') and exists (select from compliance.contrary_knowledge where investor_id = p_investor) then
        raise exception using errcode = 'BR008', constraint = 'nothing_is_known_against_the_status',
            message = format('something is known against the status of %s', p_investor);
    end if;
    update compliance.accreditation set status = 'approved', method = p_method, approved_at = clock_timestamp(), verified_at = verified,
        decided_because = p_because, valid_until = least(p_valid_until, compliance.after_rule(m.validity_rule, verified)),
        evidence_sha256 = (select sha256(string_agg(e.sha256, ''::bytea order by e.kind, e.sha256))
            from compliance.accreditation_evidence e where e.investor_id = p_investor and e.kind = any (m.evidence) and e.recorded_at > since)
    where investor_id = p_investor;
    perform compliance.compute(p_investor);
end $$;

create function compliance.decide_accreditation(p_actor text, p_because text, p_investor text, p_seen bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    a compliance.accreditation;
begin
    select * into a from compliance.accreditation where investor_id = p_investor for update;
    perform compliance.decide(p_actor, p_because, array[p_investor, a.accreditation_id], a.version, p_seen);
end $$;

create function compliance.approve_accreditation(p_actor text, p_request text, p_investor text, p_method text,
    p_valid_until timestamptz, p_seen bigint, p_because text default 'approved') returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide_accreditation(p_actor, p_because, p_investor, p_seen);
    perform compliance.approve(p_investor, p_method, p_valid_until, p_because);
end $$;

-- Records an accreditation whose whole evidence is one file, such as a provider's certificate.
create function compliance.record_accreditation(p_actor text, p_request text, p_investor text,
    p_accreditation text, p_method text, p_evidence_sha256 bytea, p_valid_until timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if not exists (select from compliance.accreditation where investor_id = p_investor and status = 'approved') then
        perform compliance.submit_accreditation(p_actor, p_request, p_investor, p_accreditation);
    end if;
    insert into compliance.accreditation_evidence (investor_id, kind, sha256)
    select p_investor, k, p_evidence_sha256 from compliance.accreditation_method m, unnest(m.evidence) k where m.method = p_method
    on conflict do nothing;
    perform compliance.approve(p_investor, p_method, p_valid_until);
end $$;

create function compliance.move_accreditation(p_actor text, p_request text, p_investor text, p_status text,
    p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if coalesce(p_status, '') not in ('info_required', 'pending', 'declined', 'expired') then
        raise exception using errcode = 'BR008', constraint = 'accreditation_is_approved_by_its_own_verb',
            message = format('an accreditation is not moved to "%s" by hand', p_status);
    end if;
    perform compliance.decide_accreditation(p_actor, p_because, p_investor, p_seen);
    update compliance.accreditation set status = p_status, decided_because = p_because where investor_id = p_investor;
    perform compliance.compute(p_investor);
end $$;
