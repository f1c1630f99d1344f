-- What the worker does: makes messages of the feed, takes those that are due, records each try. The caller says what time it is.

-- Makes the messages of the next part of the feed for each endpoint that has not been told of it. Position and messages
-- move together, so that whoever dies in between has done neither.
create function api.fan_out_webhooks(p_most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    told record;
    reached bigint;
    moved integer := 0;
begin
    for told in select g.last_seq, e as endpoint from api.webhook_progress g join engine.webhook_endpoint e using (endpoint_id)
        where e.status <> 'disabled' and g.last_seq < (select max(f.seq) from audit.feed f)
        order by g.endpoint_id for update of g skip locked loop
        select max(x.seq) into reached
        from (select f.seq from audit.feed f where f.seq > told.last_seq order by f.seq limit p_most) x;
        insert into api.webhook_delivery (delivery_id, endpoint_id, seq, kind, scope, subject, version, occurred_at, status, due_at)
        select api.webhook_delivery_id((told.endpoint).endpoint_id, h.seq), (told.endpoint).endpoint_id, h.seq, h.kind, h.scope, h.subject,
            h.version, h.occurred_at, 'waiting', clock_timestamp()
        from api.heard_events(told.endpoint, told.last_seq + 1, reached) h order by h.seq
        on conflict do nothing;
        update api.webhook_progress set last_seq = reached where endpoint_id = (told.endpoint).endpoint_id;
        moved := moved + 1;
    end loop;
    return moved;
end $$;

-- Whether the key that holds an endpoint is revoked, expired, or of an account that is deactivated.
create function api.holder_has_ended(p_holder text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select not exists (select from api.key_in_force k where k.name = split_part(p_holder, ':', 2)
        and not exists (select from api.account a where a.name = split_part(k.name, '~', 1) and a.status = 'deactivated'));
end;

-- Disables the endpoints whose key has ended; returns how many. Another key of the same issuer, or of the engine, may enable them.
create function api.end_webhooks(p_actor text, p_request text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    ended integer;
begin
    if not exists (select from engine.webhook_endpoint e where e.status <> 'disabled' and api.holder_has_ended(e.held_by)) then
        return 0;
    end if;
    perform audit.enter(p_actor, p_request);
    update engine.webhook_endpoint e set status = 'disabled', disabled_because = 'the key that held it has ended'
    where e.status <> 'disabled' and api.holder_has_ended(e.held_by);
    get diagnostics ended = row_count;
    return ended;
end $$;

-- Forgets messages that came through before a moment, with their tries; returns how many. What waits or is parked is kept.
create function api.purge_webhooks(p_before timestamptz, p_most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    gone integer;
begin
    delete from api.webhook_delivery d where d.delivery_id = any (array(
        select x.delivery_id from api.webhook_delivery x where x.status = 'delivered' and x.due_at < p_before
        order by x.due_at limit p_most for update skip locked));
    get diagnostics gone = row_count;
    return gone;
end $$;

-- Takes messages that are due, of each endpoint a few, for a minute: who dies with them leaves them to the next. The endpoints
-- with the fewest under way come first, so that what waits long at one does not hold up the others.
create function api.take_webhooks(p_now timestamptz, p_most integer, p_each integer)
returns table (delivery_id text, endpoint_id text, url text, form text, seq bigint, kind text, scope text, subject text,
    version bigint, occurred_at timestamptz, asks integer, secrets jsonb)
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    with due as (
        select w.delivery_id from engine.webhook_endpoint e cross join lateral (
            select count(*) as flying from api.webhook_delivery t
            where t.endpoint_id = e.endpoint_id and t.status = 'waiting' and t.taken_until > p_now) b
        cross join lateral (
            select d.delivery_id, d.due_at from api.webhook_delivery d
            where d.endpoint_id = e.endpoint_id and d.status = 'waiting' and d.due_at <= p_now
                and (d.taken_until is null or d.taken_until <= p_now)
            order by d.due_at limit greatest(0, p_each - b.flying) for update skip locked) w
        where e.status <> 'disabled' and not api.holder_has_ended(e.held_by) and not api.is_shut(split_part(e.held_by, ':', 2))
        order by b.flying, w.due_at limit p_most),
    taken as (
        update api.webhook_delivery d set taken_until = p_now + interval '1 minute' from due
        where d.delivery_id = due.delivery_id returning d.*)
    select t.delivery_id, t.endpoint_id, e.url, e.form, t.seq, t.kind, t.scope, t.subject, t.version, t.occurred_at, t.asks,
        (select jsonb_agg(jsonb_build_object('id', s.secret_id, 'wrapped', encode(s.wrapped, 'hex'), 'sealed', encode(s.sealed, 'hex'))
            order by s.valid_from desc)
        from api.webhook_secret s where s.endpoint_id = t.endpoint_id and s.valid_from <= p_now
            and (s.valid_until is null or s.valid_until > p_now))
    from taken t join engine.webhook_endpoint e using (endpoint_id) order by t.delivery_no;
end;

-- Moves an endpoint that does not take messages, and writes the notice of it where an offer has one to whom it matters.
create function api.fail_webhook(p_delivery api.webhook_delivery, p_status text, p_because text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    issuer text;
    code constant text := case p_status when 'failing' then 'webhook_parked' else 'webhook_disabled' end;
begin
    update engine.webhook_endpoint set status = p_status, disabled_because = p_because
    where endpoint_id = p_delivery.endpoint_id and status <> 'disabled' and status <> p_status returning issuer_id into issuer;
    if found then
        insert into engine.notice (offering_id, notice_id, status, code, recipient, is_required, about)
        select o.offering_id, 'ntc_' || substr(encode(sha256(convert_to(concat_ws('/', e.endpoint_id, e.version, code), 'UTF8')), 'hex'), 1, 26),
            'written', code, coalesce(issuer, 'role:administrator'), false, e.endpoint_id || '@' || e.version
        from engine.offer o join engine.webhook_endpoint e on e.endpoint_id = p_delivery.endpoint_id
        where o.offering_id = p_delivery.scope;
    end if;
end $$;

-- Records one try and says what comes next: delivered, due again when its pause after the end of the try is over, or parked after
-- the tenth. A message that was asked for again since it was taken is due at once, whatever came of the try. An endpoint that says
-- that it is gone, or that took nothing for five days, is disabled.
create function api.record_webhook(p_actor text, p_request text, p_began timestamptz, p_ended timestamptz, p_delivery text,
    p_asks integer, p_try jsonb) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    d api.webhook_delivery;
    e engine.webhook_endpoint;
    since timestamptz;
    rest interval;
begin
    perform audit.enter(p_actor, p_request);
    select x.* into e from engine.webhook_endpoint x join api.webhook_delivery w using (endpoint_id)
    where w.delivery_id = p_delivery for no key update of x;
    select x.* into d from api.webhook_delivery x where x.delivery_id = p_delivery for update;
    insert into api.webhook_attempt (delivery_id, attempt_no, started_at, duration_ms, outcome, status_code, answer_sha256)
    select p_delivery, 1 + count(*), p_began, (p_try ->> 'duration_ms')::integer, p_try ->> 'outcome',
        (p_try ->> 'status_code')::integer, decode(p_try ->> 'answer_sha256', 'hex')
    from api.webhook_attempt a where a.delivery_id = p_delivery;
    update api.webhook_secret s set last_used_at = p_began
    where s.endpoint_id = d.endpoint_id and s.valid_from <= p_began and (s.valid_until is null or s.valid_until > p_began)
        and (s.last_used_at is null or s.last_used_at < p_began - interval '1 minute');
    if p_try ->> 'outcome' = 'accepted' then
        update api.webhook_delivery set status = 'delivered', tries = tries + 1, taken_until = null, due_at = p_ended
        where delivery_id = p_delivery and asks = p_asks;
        update api.webhook_progress set failing_since = null where endpoint_id = d.endpoint_id and failing_since is not null;
        update engine.webhook_endpoint set status = 'enabled' where endpoint_id = d.endpoint_id and status = 'failing';
    end if;
    if d.asks <> p_asks then
        update api.webhook_delivery set taken_until = null where delivery_id = p_delivery and status = 'waiting';
        return 'asked_again';
    elsif p_try ->> 'outcome' = 'accepted' then
        return 'delivered';
    end if;
    if d.status <> 'waiting' then
        return d.status;
    end if;
    update api.webhook_progress set failing_since = coalesce(failing_since, p_ended) where endpoint_id = d.endpoint_id
    returning failing_since into since;
    select p.pause into rest from api.webhook_pause p where p.tries = d.tries + 1;
    -- What is added to a pause only spreads the tries of many messages.
    update api.webhook_delivery set tries = tries + 1, taken_until = null,
        status = case when rest is null then 'parked' else 'waiting' end,
        due_at = case when rest is null then due_at else p_ended + rest + rest * (random() / 10) end
    where delivery_id = p_delivery;
    if (p_try ->> 'status_code')::integer = 410 then
        perform api.fail_webhook(d, 'disabled', 'it answered 410 Gone');
    elsif since <= p_ended - interval '5 days' then
        perform api.fail_webhook(d, 'disabled', 'nothing came through for five days');
    elsif rest is null then
        perform api.fail_webhook(d, 'failing', null);
    end if;
    return case when rest is null then 'parked' else 'waiting' end;
end $$;
