-- What decides whether a scored request enters at once or waits for a compliance officer. A score can only meet more of these
-- rules, never fewer: each fact that is the books' own stands whatever a scorer says.

create table engine.intake_rule (
    rule_id text not null,
    factor text not null,
    comparison text not null check (comparison in ('is', 'is_not', 'above', 'below')),
    value text not null,
    sentence text not null,
    effective_from date not null,
    effective_to date,
    primary key (rule_id, effective_from),
    constraint bound_is_a_whole_number check (comparison in ('is', 'is_not') or value ~ '^[0-9]{1,15}$')
);

insert into engine.intake_rule (rule_id, factor, comparison, value, sentence, effective_from) values
    ('advice.manual', 'advised_tier', 'is_not', 'fast_track', 'The scorer asks for a person''s look.', '2020-01-01'),
    ('amount.large', 'amount_minor', 'above', '1000000000', 'What the entity asks for and holds in this offer is above 10,000,000 USD.', '2020-01-01'),
    ('clearance.open', 'clearance', 'is_not', 'clear', 'The entity is not cleared for this offer.', '2020-01-01'),
    ('diligence.open', 'due_diligence', 'is_not', 'settled', 'Enhanced due diligence is not completed.', '2020-01-01'),
    ('diligence.enhanced', 'risk_tier', 'is', 'high', 'The entity is in the high risk tier.', '2020-01-01'),
    ('history.declined', 'declined', 'above', '0', 'A request in this offer was declined, or waits for an officer.', '2020-01-01'),
    ('history.revoked', 'revocations', 'above', '0', 'An identity or clearance was revoked before.', '2020-01-01'),
    ('jurisdiction.high', 'jurisdiction_tier', 'is', 'high', 'The jurisdiction is of high risk.', '2020-01-01'),
    ('kind.nominee', 'entity_kind', 'is', 'nominee', 'A nominee holds for others.', '2020-01-01'),
    ('risk.unrated', 'risk_tier', 'is', 'unrated', 'The entity has no risk rating.', '2020-01-01'),
    ('score.low', 'score', 'below', '70', 'The score is below 70.', '2020-01-01'),
    ('score.part_low', 'lowest_part', 'below', '50', 'A part of the score is below 50.', '2020-01-01'),
    ('statement.instructs', 'has_instructions', 'is_not', 'false', 'The statement speaks to its reader.', '2020-01-01');

call audit.append_only('engine.intake_rule');

-- The rules in force that these factors meet; a factor that is missing meets its rule.
create function engine.intake_rules_met(p_factors jsonb) returns text[]
language sql stable set search_path = pg_catalog, pg_temp
return (select coalesce(array_agg(r.rule_id order by r.rule_id), '{}') from engine.intake_rule r
    where r.effective_from <= current_date and coalesce(r.effective_to > current_date, true)
        and coalesce(case r.comparison
            when 'is' then p_factors ->> r.factor = r.value
            when 'is_not' then p_factors ->> r.factor <> r.value
            when 'above' then (p_factors ->> r.factor)::bigint > r.value::bigint
            else (p_factors ->> r.factor)::bigint < r.value::bigint end, true));

-- What the books say of an entity that asks: codes alone, which is all that may leave for a score. Suspicions are no part of it.
create function engine.intake_facts(p_offering text, p_entity text) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
return (select jsonb_build_object(
        'entity_kind', p.kind,
        'jurisdiction', coalesce(v.country, 'unknown'),
        'clearance', coalesce((select case when coalesce(c.valid_until > clock_timestamp(), true) then c.status else 'expired' end
            from compliance.clearance_fact c where c.offering_id = p_offering and c.investor_id = p_entity), 'none'),
        'risk_tier', coalesce(r.tier, 'unrated'),
        'risk_reasons', coalesce(to_jsonb(r.reasons), '[]'),
        'due_diligence', coalesce(r.due_diligence, 'none'),
        'compliance_history', (select coalesce(jsonb_object_agg(h.kind, h.times), '{}') from (
            select e.kind, count(*) as times from audit.event e
            where (e.scope = p_entity and split_part(e.kind, '.', 1) in ('kyc_case', 'accreditation', 'due_diligence', 'discrepancy'))
                or (e.scope, e.subject) in (select c.offering_id, c.clearance_id from compliance.clearance_fact c
                    where c.offering_id = p_offering and c.investor_id = p_entity)
            group by e.kind) h),
        'exemption', o.exemption,
        'security_type', coalesce(to_jsonb(o) ->> 'security_type', 'equity'))
    from portal.profile_fact p cross join engine.offer o
    left join portal.version_fact v using (investor_id, detail_version)
    left join compliance.risk_fact r using (investor_id)
    where p.investor_id = p_entity and o.offering_id = p_offering);

-- What an entity has in an offer beside one request: the amounts that are asked for or allocated and not cancelled, each once, and
-- how many requests an officer declined or has before him.
create function engine.asked_beside(p_offering text, p_entity text, p_intake text, out amount_minor bigint, out declined bigint)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    select coalesce(sum(i.amount_minor) filter (where i.status in ('asked', 'in_review') or i.status in ('fast_tracked', 'approved')
            and not exists (select from engine.allocation a where a.offering_id = i.offering_id and a.intake_id = i.intake_id)), 0),
        count(*) filter (where i.status in ('declined', 'in_review')) into amount_minor, declined
    from engine.intake i where i.offering_id = p_offering and i.entity_id = p_entity and i.intake_id <> p_intake;
    amount_minor := amount_minor + (select coalesce(sum(a.amount_minor), 0) from engine.allocation a where a.offering_id = p_offering
        and a.entity_id = p_entity and a.status <> 'cancelled' and a.intake_id is distinct from p_intake);
end $$;

-- What the rules look at: what the books say now beside what a scorer said.
create function engine.intake_factors(p_offering text, p_entity text, p_intake text, p_amount_minor bigint, p_score jsonb)
returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
return (select jsonb_build_object(
        'entity_kind', f -> 'entity_kind',
        'clearance', f -> 'clearance',
        'risk_tier', f -> 'risk_tier',
        'due_diligence', case when f ->> 'due_diligence' in ('none', 'approved') then 'settled' else 'open' end,
        'jurisdiction_tier', case when f ->> 'jurisdiction' = 'unknown' or exists (select from compliance.country_risk c
            where c.country = f ->> 'jurisdiction' and c.tier = 'high') then 'high' else 'standard' end,
        'revocations', (select coalesce(sum((h.value)::bigint), 0) from jsonb_each_text(f -> 'compliance_history') h
            where h.key like '%.revoked'),
        'amount_minor', p_amount_minor + b.amount_minor,
        'declined', b.declined,
        'advised_tier', p_score -> 'tier',
        'score', p_score -> 'score',
        'lowest_part', (select min((n.value)::bigint) from jsonb_each_text(p_score -> 'parts') n),
        'has_instructions', p_score -> 'has_instructions')
    from engine.intake_facts(p_offering, p_entity) f, engine.asked_beside(p_offering, p_entity, p_intake) b);
