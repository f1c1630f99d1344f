-- The terms of an offer: drafted, edited, read as of a moment, and checked against what its type and its exemption ask.

-- Writes the terms that stand beside the offer itself; keys that are not given stay empty. An offer that says nothing else
-- is of equity, and closes when its last unit is legally confirmed.
create function engine.write_terms(p_actor text, p_offering text, p_ordinal integer, p_terms jsonb, p_status text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into engine.terms (offering_id, terms_id, ordinal, status, security_type, instrument, target_minor, opens_at,
        closes_at, pays_by, closes_at_cap, two_people_close, drafted_by, locked_at)
    values (p_offering, 'trm_' || substr(p_offering, 5) || '_' || p_ordinal, p_ordinal, p_status,
        coalesce(p_terms ->> 'security_type', 'equity'), coalesce(p_terms -> 'instrument', '{}'),
        (p_terms ->> 'target_minor')::bigint, (p_terms ->> 'opens_at')::timestamptz, (p_terms ->> 'closes_at')::timestamptz,
        coalesce((p_terms ->> 'pays_by')::timestamptz, (p_terms ->> 'closes_at')::timestamptz),
        coalesce((p_terms ->> 'closes_at_cap')::boolean, true),
        coalesce((p_terms ->> 'two_people_close')::boolean, false), p_actor,
        case p_status when 'locked' then clock_timestamp() end);
end $$;

-- The version of the terms that stands, or that is drafted.
create function engine.terms_of(p_offering text) returns engine.terms
language sql stable security definer set search_path = pg_catalog, pg_temp
return (select t from engine.terms t where t.offering_id = p_offering and t.status <> 'superseded');

-- Which version of the terms stood at a moment; empty before the terms were locked.
create function engine.terms_as_of(p_offering text, p_at timestamptz) returns engine.terms
language sql stable security definer set search_path = pg_catalog, pg_temp
return (select t from engine.terms t where t.offering_id = p_offering and t.locked_at <= p_at
    order by t.ordinal desc limit 1);

-- Edits a draft: price, units, minimum and name on the offer, the rest in its terms. A key that is not given stays.
create function engine.edit_offer(p_actor text, p_request text, p_offering text, p_terms jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    o engine.offer;
begin
    perform audit.enter(p_actor, p_request);
    select * into o from engine.offer where offering_id = p_offering for update;
    if o.status is distinct from 'draft' then
        raise exception using errcode = 'BR006', constraint = 'terms_are_locked_after_review',
            message = format('%s is %s', p_offering, coalesce(o.status, 'unknown'));
    end if;
    update engine.offer set name = coalesce(p_terms ->> 'name', name), exemption = coalesce(p_terms ->> 'exemption', exemption),
        unit_price_minor = coalesce((p_terms ->> 'unit_price_minor')::bigint, unit_price_minor),
        units_total = coalesce((p_terms ->> 'units_total')::bigint, units_total),
        minimum_units = coalesce((p_terms ->> 'minimum_units')::bigint, minimum_units)
    where offering_id = p_offering;
    update engine.terms t set security_type = coalesce(p_terms ->> 'security_type', t.security_type),
        instrument = coalesce(p_terms -> 'instrument', t.instrument),
        target_minor = coalesce((p_terms ->> 'target_minor')::bigint, t.target_minor),
        opens_at = coalesce((p_terms ->> 'opens_at')::timestamptz, t.opens_at),
        closes_at = coalesce((p_terms ->> 'closes_at')::timestamptz, t.closes_at),
        pays_by = coalesce((p_terms ->> 'pays_by')::timestamptz, (p_terms ->> 'closes_at')::timestamptz, t.pays_by),
        closes_at_cap = coalesce((p_terms ->> 'closes_at_cap')::boolean, t.closes_at_cap),
        two_people_close = coalesce((p_terms ->> 'two_people_close')::boolean, t.two_people_close),
        edited_by = array(select distinct x from unnest(t.edited_by || p_actor) x order by x)
    where t.offering_id = p_offering and t.status = 'draft';
end $$;

-- What the issuer has raised under the exemption of an offer in the twelve months before, this offer left out.
create function engine.raised_before(p_offering text) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
return (
    select coalesce(sum(case when b.status = 'closed_successfully' or b.status = 'exited' then (
            select coalesce(sum(i.amount_minor), 0) from engine.investment i
            where i.offering_id = b.offering_id and i.status = 'closed_successfully')
        else b.units_total * b.unit_price_minor end), 0)::bigint
    from engine.offer a join engine.offer b on b.issuer_id = a.issuer_id and b.exemption = a.exemption
        and b.currency = a.currency and b.offering_id <> a.offering_id
    where a.offering_id = p_offering and b.published_at > clock_timestamp() - interval '12 months'
        and b.status <> 'closed_unsuccessfully');

-- Lets one offer of an issuer be published at a time: its cap counts all of them. A statement of its own, so that the next one
-- sees what was published before.
create function engine.take_issuer(p_offering text) returns void
language sql set search_path = pg_catalog, pg_temp
return (select pg_advisory_xact_lock(hashtextextended('engine.issuer/' || o.issuer_id, 0))
    from engine.offer o where o.offering_id = p_offering);

-- Refuses terms that do not fit together, in every version of them.
create function engine.require_fit(p_offering text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    o engine.offer;
    t engine.terms := engine.terms_of(p_offering);
    e engine.exemption_term;
    lacking text;
begin
    select * into o from engine.offer x where x.offering_id = p_offering;
    select * into strict e from engine.exemption_term x where x.exemption = o.exemption;
    select min(x.code) into lacking from engine.instrument_term x
    where x.security_type = t.security_type and x.is_required and not t.instrument ? x.code;
    if lacking is not null then
        raise exception using errcode = 'BR008', constraint = 'instrument_states_what_its_type_asks',
            message = format('an offer of %s states its %s', t.security_type, lacking);
    end if;
    select min(k.code) into lacking from jsonb_object_keys(t.instrument) k (code)
    where not exists (select from engine.instrument_term x where x.security_type = t.security_type and x.code = k.code);
    if lacking is not null then
        raise exception using errcode = 'BR008', constraint = 'instrument_states_only_its_own_terms',
            message = format('an offer of %s has no %s', t.security_type, lacking);
    end if;
    if t.security_type = 'convertible' and not t.instrument ?| array['discount_bps', 'cap_minor'] then
        raise exception using errcode = 'BR008', constraint = 'convertible_states_a_discount_or_a_cap',
            message = format('%s says neither at which discount nor under which cap it converts', p_offering);
    end if;
    if t.target_minor > o.units_total * o.unit_price_minor then
        raise exception using errcode = 'BR008', constraint = 'target_is_within_the_offer',
            message = format('the target is above %s minor units', o.units_total * o.unit_price_minor);
    end if;
    if e.needs_deadline_and_target and (t.closes_at is null or t.target_minor is null) then
        raise exception using errcode = 'BR008', constraint = 'exemption_has_its_deadline_and_target',
            message = format('an offer under %s names its deadline and its target', o.exemption);
    end if;
end $$;

-- Refuses terms that do not fit together, a window that is too short from now on, and more than the issuer may raise: asked
-- when the terms go to their review, and again when the offer is published.
create function engine.check_terms(p_offering text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    o engine.offer;
    t engine.terms := engine.terms_of(p_offering);
    e engine.exemption_term;
    r compliance.rule;
begin
    perform engine.require_fit(p_offering);
    select * into o from engine.offer x where x.offering_id = p_offering;
    select * into strict e from engine.exemption_term x where x.exemption = o.exemption;
    if e.open_rule is not null then
        r := compliance.rule_at(e.open_rule, clock_timestamp());
        if t.closes_at < greatest(t.opens_at, clock_timestamp()) + make_interval(days => r.value::integer) then
            raise exception using errcode = 'BR008', constraint = 'offer_is_open_long_enough',
                message = format('%s asks for %s days', r.rule_id, r.value);
        end if;
    end if;
    if e.cap_rule is not null then
        r := compliance.rule_at(e.cap_rule, clock_timestamp());
        if o.units_total * o.unit_price_minor + engine.raised_before(p_offering) > r.value then
            raise exception using errcode = 'BR008', constraint = 'issuer_stays_within_its_cap',
                message = format('%s asks for %s after %s in twelve months; %s allows %s', p_offering,
                    o.units_total * o.unit_price_minor, engine.raised_before(p_offering), r.rule_id, r.value);
        end if;
    end if;
end $$;
