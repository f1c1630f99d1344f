-- The ways out of an investment: by right until a cut-off, by request and another person's decision, by a manager with a reason.

-- Until when an investor may cancel without anybody's consent, by which rule; no row where its exemption gives no such right.
-- Hours are counted in elapsed time; the last of some days counts to its end in New York, in Brussels for the Union's own.
create function engine.free_cancellation(p_offering text, p_investment text)
returns table (rule_id text, ends_at timestamptz, is_last_word boolean)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select c.rule_id, case r.unit
            when 'hours' then x.starts + make_interval(hours => case c.counted_from when 'deadline' then -1 else 1 end * r.value::integer)
            when 'calendar_days' then ((x.starts at time zone z.zone)::date + r.value::integer + 1)::timestamp at time zone z.zone end,
        c.is_last_word
    from engine.offer o join engine.cancellation_rule c using (exemption)
    cross join lateral compliance.rule_at(c.rule_id, clock_timestamp()) r
    cross join lateral (select case r.jurisdiction when 'eu' then 'Europe/Brussels' else 'America/New_York' end as zone) z
    cross join lateral (select case c.counted_from when 'deadline' then (engine.terms_of(o.offering_id)).closes_at
        else (select max(e.recorded_at) from audit.event e where e.scope = p_offering and e.subject = p_investment
            and e.kind = 'investment.confirmed') end as starts) x
    where o.offering_id = p_offering and x.starts is not null;
end;

-- The position first, in a statement of its own: a freeze waits for it, or is seen.
create function engine.lock_investment(p_offering text, p_investment text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id = p_investment for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'investment_exists',
            message = format('there is no investment %s in %s', p_investment, p_offering);
    end if;
end $$;

-- The investor asks to end a confirmed investment. Inside the time in which its exemption lets it cancel for any reason the
-- cancellation is granted in the same breath (17 CFR 227.304(a)); after it, an exemption whose cut-off is the last word refuses.
create function engine.request_cancellation(p_actor text, p_request text, p_offering text, p_investment text,
    p_because text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    free record;
begin
    perform audit.enter(p_actor, p_request);
    perform engine.lock_investment(p_offering, p_investment);
    select f.* into free from engine.free_cancellation(p_offering, p_investment) f;
    if free.is_last_word and free.ends_at <= clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'cancellation_is_before_its_cut_off',
            message = format('%s could be cancelled until %s (%s)', p_investment, free.ends_at, free.rule_id);
    end if;
    update engine.investment set remembered_status = status, status = 'cancellation_requested', asked_by = p_actor,
        because = p_because where offering_id = p_offering and investment_id = p_investment;
    if free.ends_at > clock_timestamp() then
        update engine.investment set remembered_status = null, status = 'cancelled_by_manager'
        where offering_id = p_offering and investment_id = p_investment;
    end if;
end $$;

-- Another person decides a requested cancellation: granted ends the investment, denied returns it to the remembered status.
create function engine.decide_cancellation(p_actor text, p_request text, p_offering text, p_investment text,
    p_is_granted boolean, p_because text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    i engine.investment;
begin
    perform audit.enter(p_actor, p_request);
    if starts_with(p_actor, 'delegate:') then
        raise exception using errcode = 'BR403', constraint = 'delegate_stays_within_its_scope',
            message = format('%s asks for a cancellation and decides none', audit.person_of(p_actor));
    end if;
    perform engine.lock_investment(p_offering, p_investment);
    select x.* into i from engine.investment x where x.offering_id = p_offering and x.investment_id = p_investment for no key update;
    if i.status is distinct from 'cancellation_requested' then
        raise exception using errcode = 'BR002', constraint = 'decided_cancellation_was_asked_for',
            message = format('nobody asked for the cancellation of %s', p_investment);
    end if;
    if audit.person_of(i.asked_by) = audit.person_of(p_actor) then
        raise exception using errcode = 'BR010', constraint = 'cancellation_needs_two_people',
            message = format('%s asked for the cancellation of %s', p_actor, p_investment);
    end if;
    update engine.investment set remembered_status = null, because = coalesce(p_because, because),
        status = case when p_is_granted then 'cancelled_by_manager' else coalesce(remembered_status, status) end
    where offering_id = p_offering and investment_id = p_investment;
end $$;

-- A manager ends an investment that nobody asked to end, and says why.
create function engine.cancel_investment(p_actor text, p_request text, p_offering text, p_investment text, p_because text)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    if coalesce(p_because, '') !~ '\S' then
        raise exception using errcode = 'BR008', constraint = 'cancellation_by_a_manager_says_why',
            message = format('nobody says why %s is cancelled', p_investment);
    end if;
    perform engine.lock_investment(p_offering, p_investment);
    if exists (select from engine.investment i where i.offering_id = p_offering and i.investment_id = p_investment
        and i.status = 'cancellation_requested') then
        raise exception using errcode = 'BR002', constraint = 'asked_cancellation_is_decided',
            message = format('the cancellation of %s was asked for; another person decides it', p_investment);
    end if;
    update engine.investment set status = 'cancelled_by_manager', because = p_because
    where offering_id = p_offering and investment_id = p_investment;
end $$;
