-- What each move of an offer needs and does: terms that fit, a second person, a deadline, a target, an end.

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
    update engine.terms t set drafted_by = p_actor, security_type = coalesce(p_terms ->> 'security_type', t.security_type),
        instrument = coalesce(p_terms -> 'instrument', t.instrument),
        target_minor = coalesce((p_terms ->> 'target_minor')::bigint, t.target_minor),
        opens_at = coalesce((p_terms ->> 'opens_at')::timestamptz, t.opens_at),
        closes_at = coalesce((p_terms ->> 'closes_at')::timestamptz, t.closes_at),
        pays_by = coalesce((p_terms ->> 'pays_by')::timestamptz, (p_terms ->> 'closes_at')::timestamptz, t.pays_by),
        closes_at_cap = coalesce((p_terms ->> 'closes_at_cap')::boolean, t.closes_at_cap),
        two_people_close = coalesce((p_terms ->> 'two_people_close')::boolean, t.two_people_close)
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

-- Refuses terms that do not fit together; asked when they go to their review.
create function engine.check_terms(p_offering text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    o engine.offer;
    t engine.terms := engine.terms_of(p_offering);
    e engine.exemption_term;
    r compliance.rule;
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

-- What the target counts: cleared money of committed investors who do not belong to the issuer, and what was issued to them.
create function engine.counted_minor(p_offering text) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
return (
    select coalesce(sum(case i.status when 'closed_successfully' then i.amount_minor
        else least(pos.cleared_minor, i.amount_minor) end), 0)::bigint
    from engine.investment i join engine.position pos using (offering_id, investment_id)
    where i.offering_id = p_offering and i.status in ('confirmed', 'legally_confirmed', 'closed_successfully')
        and not exists (select from engine.related_investor x where x.offering_id = i.offering_id and x.investor_id = i.investor_id));

create function engine.target_is_met(p_offering text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return (select coalesce(engine.counted_minor(p_offering) >= (engine.terms_of(p_offering)).target_minor, true));

-- Refuses what waits for the target of an offer.
create function engine.require_target(p_offering text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if not engine.target_is_met(p_offering) then
        raise exception using errcode = 'BR008', constraint = 'target_is_met_before_a_close',
            message = format('%s has %s of %s minor units', p_offering, engine.counted_minor(p_offering),
                (engine.terms_of(p_offering)).target_minor);
    end if;
end $$;

create function engine.declare_related(p_actor text, p_request text, p_offering text, p_investor text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into engine.related_investor (offering_id, investor_id, declared_by, because)
    values (p_offering, p_investor, p_actor, p_because) on conflict do nothing;
end $$;

-- Refuses a move that lacks what it needs. The offer is locked.
create function engine.require_move(p_actor text, p_offering text, p_status text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    o engine.offer;
    t engine.terms := engine.terms_of(p_offering);
begin
    select * into o from engine.offer x where x.offering_id = p_offering;
    if p_status = 'legal_review' and o.status = 'draft' then
        perform engine.check_terms(p_offering);
    elsif p_status in ('legal_accepted', 'legal_declined') and o.status = 'legal_review' and t.drafted_by = p_actor then
        raise exception using errcode = 'BR010', constraint = 'terms_are_reviewed_by_another_person',
            message = format('%s drafted the terms of %s', p_actor, p_offering);
    elsif p_status = 'legally_closed' and o.status = 'published' and t.closes_at > clock_timestamp()
        and (select e.early_close_rule is not null from engine.exemption_term e where e.exemption = o.exemption) then
        raise exception using errcode = 'BR008', constraint = 'deadline_is_moved_before_an_early_close',
            message = format('%s closes at %s', p_offering, t.closes_at);
    elsif p_status = 'closed_successfully' and o.status = 'legally_closed' then
        if not exists (select from engine.closing c where c.offering_id = p_offering and c.status = 'certified') then
            raise exception using errcode = 'BR008', constraint = 'successful_offer_has_a_certified_closing',
                message = format('no closing of %s is certified', p_offering);
        end if;
        if exists (select from engine.investment i where i.offering_id = p_offering
                and i.status in ('new', 'confirmed', 'legally_confirmed', 'cancellation_requested'))
            or exists (select from engine.closing c where c.offering_id = p_offering
                and c.status in ('proposed', 'frozen', 'issued', 'released')) then
            raise exception using errcode = 'BR008', constraint = 'every_investment_has_ended',
                message = format('an investment or a closing of %s is open', p_offering);
        end if;
    end if;
end $$;

-- Reviews an offer: a person who did not draft its terms accepts them, or declines them with a reason.
create function engine.review_offer(p_actor text, p_request text, p_offering text, p_is_accepted boolean, p_because text)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    perform 1 from engine.offer where offering_id = p_offering for update;
    perform engine.require_move(p_actor, p_offering, case when p_is_accepted then 'legal_accepted' else 'legal_declined' end);
    update engine.offer set status = case when p_is_accepted then 'legal_accepted' else 'legal_declined' end,
        because = p_because where offering_id = p_offering;
    perform engine.follow_terms(p_offering);
end $$;

-- The terms follow the status of their offer: locked by its submission, open again after a decline.
create function engine.follow_terms(p_offering text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    stands text := (select o.status from engine.offer o where o.offering_id = p_offering);
begin
    update engine.terms t set status = case when stands = 'legal_review' then 'locked' else 'draft' end,
        locked_at = case when stands = 'legal_review' then clock_timestamp() end
    where t.offering_id = p_offering and (stands = 'legal_review' and t.status = 'draft'
        or stands = 'draft' and t.status = 'locked');
end $$;
-- Refuses an order or its confirmation outside the window of the offer, whatever its status still says.
create function engine.require_window(p_offering text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    t engine.terms := engine.terms_of(p_offering);
begin
    if t.opens_at > clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'offer_has_opened',
            message = format('%s opens at %s', p_offering, t.opens_at);
    end if;
    if t.closes_at <= clock_timestamp() then
        raise exception using errcode = 'BR002', constraint = 'offer_is_open_to_new_money',
            message = format('%s closed at %s', p_offering, t.closes_at);
    end if;
    if exists (select from engine.amendment a where a.offering_id = p_offering and a.status = 'announced') then
        raise exception using errcode = 'BR008', constraint = 'change_is_put_to_investors',
            message = format('a material change of %s is not put to its investors yet', p_offering);
    end if;
end $$;

-- Whether units of a set are on their way, or there.
create function engine.units_are_on_their_way(p_offering text, p_closing text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from engine.position pos join engine.closing_member m using (offering_id, investment_id)
    where m.offering_id = p_offering and m.closing_id = p_closing and m.status = 'frozen' and pos.issuance <> 'open');

-- Ends a set before any of its units are on their way; its members wait for the next closing. The offer is locked.
create function engine.dissolve_set(p_offering text, p_closing text, p_because text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.position pos join engine.closing_member m using (offering_id, investment_id)
    where m.offering_id = p_offering and m.closing_id = p_closing and m.status = 'frozen'
    order by pos.investment_id for update of pos;
    if engine.units_are_on_their_way(p_offering, p_closing) then
        raise exception using errcode = 'BR008', constraint = 'member_leaves_before_its_units_move',
            message = format('a member of %s is instructed, submitted or registered', p_closing);
    end if;
    update engine.closing_member set status = 'left', left_because = p_because
    where offering_id = p_offering and closing_id = p_closing and status = 'frozen';
    update engine.closing set status = 'abandoned' where offering_id = p_offering and closing_id = p_closing;
end $$;

-- A person abandons a closing, with a reason. Refused once units of a member are on their way.
create function engine.abandon_closing(p_actor text, p_request text, p_offering text, p_closing text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    perform 1 from engine.offer where offering_id = p_offering for update;
    if not exists (select from engine.closing c where c.offering_id = p_offering and c.closing_id = p_closing) then
        raise exception using errcode = 'BR404', constraint = 'closing_exists',
            message = format('there is no closing %s in %s', p_closing, p_offering);
    end if;
    perform engine.dissolve_set(p_offering, p_closing, p_because);
end $$;

-- Ends an offer without success: its minimum was missed, its issuer withdrew it, or a regulator halted it. No money enters any
-- more, a set that has not begun to issue is dissolved, and what follows for each investment follows from the event.
create function engine.fail_offer(p_actor text, p_request text, p_offering text, p_ended_as text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    running engine.closing;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer where offering_id = p_offering for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'offer_exists',
            message = format('there is no offer %s', p_offering);
    end if;
    select * into running from engine.closing c where c.offering_id = p_offering and c.status in ('proposed', 'frozen');
    if found then
        perform engine.dissolve_set(p_offering, running.closing_id, 'the offer failed');
    end if;
    update engine.offer set status = 'closed_unsuccessfully', ended_as = p_ended_as, because = p_because
    where offering_id = p_offering;
end $$;

-- Ends so many live investments of failed offers and returns how many; repeated until it answers 0. One that was not
-- confirmed, or whose cancellation was asked for, is cancelled; the others end with their offer.
create function engine.end_investments(p_actor text, p_request text, p_offering text, p_most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    ended integer;
begin
    perform audit.enter(p_actor, p_request);
    with live as materialized (
        select i.offering_id, i.investment_id, i.status from engine.offer o join engine.investment i using (offering_id)
        join engine.position pos using (offering_id, investment_id)
        where o.offering_id = p_offering and o.status = 'closed_unsuccessfully'
            and i.status in ('new', 'confirmed', 'legally_confirmed', 'cancellation_requested')
        order by i.investment_id limit p_most for update of pos for no key update of i)
    update engine.investment i set remembered_status = null,
        status = case when l.status in ('new', 'cancellation_requested') then 'cancelled_by_manager' else 'closed_unsuccessfully' end
    from live l where i.offering_id = l.offering_id and i.investment_id = l.investment_id and i.status = l.status;
    get diagnostics ended = row_count;
    return ended;
end $$;

-- Whether an offer issues units: what ends it then is decided by people, closing by closing.
create function engine.is_issuing(p_offering text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from engine.closing c where c.offering_id = p_offering and (c.status = 'issued'
    or c.status = 'frozen' and engine.units_are_on_their_way(p_offering, c.closing_id)));

-- Looks at the deadlines that have come: an offer closes to new money, and when the time for its money is over below its
-- target it fails (17 CFR 240.10b-9). Of several who look at one moment one takes an offer, the others leave it.
create function engine.look_at_deadlines(p_actor text, p_request text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    due record;
    moved integer := 0;
begin
    perform audit.enter(p_actor, p_request);
    for due in
        select o.offering_id, o.status, t.pays_by from engine.terms t join engine.offer o using (offering_id)
        where t.status = 'locked' and (o.status = 'published' and t.closes_at <= clock_timestamp()
            or o.status = 'legally_closed' and t.pays_by <= clock_timestamp() and not engine.target_is_met(o.offering_id)
                and not engine.is_issuing(o.offering_id))
        order by o.offering_id for no key update of o skip locked
    loop
        -- Another may have moved it before the lock was had.
        if due.status = 'published' and (select o.status from engine.offer o where o.offering_id = due.offering_id) = 'published' then
            update engine.offer set status = 'legally_closed' where offering_id = due.offering_id;
            moved := moved + 1;
        end if;
        if due.pays_by <= clock_timestamp() and not engine.target_is_met(due.offering_id) and not engine.is_issuing(due.offering_id)
            and (select o.status from engine.offer o where o.offering_id = due.offering_id) = 'legally_closed' then
            perform engine.fail_offer(p_actor, p_request, due.offering_id, 'minimum_missed',
                'the target was not reached in its time');
            moved := moved + 1;
        end if;
    end loop;
    return moved;
end $$;

-- Closes to new money each of these offers whose every unit is legally confirmed or issued, if its terms say so.
create function engine.close_full_offers(p_actor text, p_request text, p_offerings text[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    closed integer;
begin
    perform audit.enter(p_actor, p_request);
    with full_offer as materialized (
        select o.offering_id from engine.offer o join engine.terms t using (offering_id)
        where o.offering_id = any (p_offerings) and o.status = 'published' and t.status = 'locked' and t.closes_at_cap
            and o.units_total <= (select sum(i.units) from engine.investment i where i.offering_id = o.offering_id
                and i.status in ('legally_confirmed', 'closed_successfully'))
        order by o.offering_id for no key update of o)
    update engine.offer o set status = 'legally_closed' from full_offer f
    where o.offering_id = f.offering_id and o.status = 'published';
    get diagnostics closed = row_count;
    return closed;
end $$;
