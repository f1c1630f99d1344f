-- What subscribers do with their endpoints. The actor is the name of a key that its own login has judged.

-- The issuer that a key or client belongs to, null for one of the engine.
create function api.issuer_behind(p_actor text) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    found_key api.key;
begin
    select k.* into found_key from api.key k where k.name = split_part(p_actor, ':', 2)
        and split_part(p_actor, ':', 1) in ('key', 'client') and k.keeper in ('engine', 'issuer');
    if found_key.name is null then
        raise exception using errcode = 'BR403', constraint = 'webhook_endpoint_has_a_key_behind_it',
            message = 'endpoints belong to keys of the engine and of issuers';
    end if;
    return found_key.issuer_id;
end $$;

-- The endpoint, locked for what follows; of another issuer's there is none.
create function api.webhook_of(p_actor text, p_endpoint text) returns engine.webhook_endpoint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    issuer constant text := api.issuer_behind(p_actor);
    e engine.webhook_endpoint;
begin
    select x.* into e from engine.webhook_endpoint x
    where x.endpoint_id = p_endpoint and (issuer is null or x.issuer_id = issuer) for no key update;
    if e.endpoint_id is null then
        perform api.refuse_unknown('webhook_endpoint_exists', p_endpoint);
    end if;
    return e;
end $$;

create function api.webhook_answer(p_endpoint text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select json_build_object('id', e.endpoint_id, 'status', e.status, 'version', e.version::text)::text
    from engine.webhook_endpoint e where e.endpoint_id = p_endpoint);

-- The events of a part of the feed that an endpoint hears of: those that it asked for, of those that it may know.
create function api.heard_events(p_endpoint engine.webhook_endpoint, p_first bigint, p_last bigint)
returns table (seq bigint, kind text, scope text, subject text, version bigint, occurred_at timestamptz)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select f.seq, v.kind, f.scope, f.subject, f.version, v.occurred_at
    from audit.feed f join audit.event v using (scope, subject, version) join api.webhook_kind k on k.kind = v.kind
    where f.seq between p_first and p_last and f.subject <> p_endpoint.endpoint_id
        and (p_endpoint.kinds = '{}' or v.kind = any (p_endpoint.kinds))
        and (p_endpoint.offers = '{}' or f.scope = any (p_endpoint.offers))
        and (p_endpoint.issuer_id is null or k.issuer_hears
            and exists (select from engine.offer o where o.offering_id = f.scope and o.issuer_id = p_endpoint.issuer_id));
end;

create function api.webhook_delivery_id(p_endpoint text, p_seq bigint) returns text
language sql immutable set search_path = pg_catalog, pg_temp
return 'whd_' || substr(encode(sha256(convert_to(p_endpoint || '/' || p_seq, 'UTF8')), 'hex'), 1, 32);

create function api.add_webhook_secret(p_actor text, p_endpoint text, p_secret jsonb, p_from timestamptz) returns void
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    insert into api.webhook_secret (secret_id, endpoint_id, wrapped, sealed, public_key, made_by, valid_from)
    values (p_secret ->> 'id', p_endpoint, decode(p_secret ->> 'wrapped', 'hex'), decode(p_secret ->> 'sealed', 'hex'),
        decode(p_secret ->> 'public_key', 'hex'), p_actor, p_from);
end;

-- Refuses one endpoint more than an issuer, or the engine, may have enabled; whoever enables one at this moment waits.
create function api.require_webhook_room(p_issuer text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform pg_advisory_xact_lock(hashtextextended('api.webhook_room/' || coalesce(p_issuer, ''), 0));
    if (select count(*) from engine.webhook_endpoint e where e.issuer_id is not distinct from p_issuer and e.status <> 'disabled') >= 20 then
        raise exception using errcode = 'BR008', constraint = 'webhook_endpoints_are_at_most_twenty',
            message = 'disable one of the twenty endpoints first';
    end if;
end $$;

create function api.require_webhook_wishes(p_issuer text, p_kinds text[], p_offers text[]) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    unknown text;
begin
    select x into unknown from unnest(p_kinds) x
    where not exists (select from api.webhook_kind k where k.kind = x and (p_issuer is null or k.issuer_hears)) limit 1;
    if unknown is not null then
        raise exception using errcode = 'BR008', constraint = 'webhook_kind_is_told',
            message = format('%s is told to no such endpoint', unknown);
    end if;
    select x into unknown from unnest(p_offers) x where not exists (
        select from engine.offer o where o.offering_id = x and (p_issuer is null or o.issuer_id = p_issuer)) limit 1;
    if unknown is not null then
        perform api.refuse_unknown('offer_exists', unknown);
    end if;
end $$;

create function api.register_webhook(p_actor text, p_request text, p_body_sha256 bytea, p_endpoint text, p_said jsonb,
    p_secret jsonb, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    issuer constant text := api.issuer_behind(p_actor);
    kinds constant text[] := array(select jsonb_array_elements_text(p_said -> 'kinds'));
    offers constant text[] := array(select jsonb_array_elements_text(p_said -> 'offers'));
begin
    answer := audit.claim_request(p_actor, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform api.require_webhook_wishes(issuer, kinds, offers);
    perform api.require_webhook_room(issuer);
    perform audit.enter(p_actor, p_request);
    insert into engine.webhook_endpoint (endpoint_id, status, issuer_id, url, kinds, offers, form, registered_by, held_by)
    values (p_endpoint, 'enabled', issuer, p_said ->> 'url', kinds, offers, p_said ->> 'form', p_actor, p_actor);
    insert into api.webhook_progress (endpoint_id, last_seq)
    select p_endpoint, least(coalesce((p_said ->> 'after')::bigint, r.last_seq), r.last_seq) from audit.relay r where r.relay = 'feed';
    perform api.add_webhook_secret(p_actor, p_endpoint, p_secret, clock_timestamp());
    answer := api.webhook_answer(p_endpoint);
    perform audit.answer_request(p_actor, p_request, p_body_sha256, answer);
end $$;

-- Disabled, an endpoint is sent nothing. Enabled again, by a key that holds it from then on, it is sent what still waits and goes on
-- at the end of the feed; what it missed can be sent again.
create function api.switch_webhook(p_actor text, p_request text, p_body_sha256 bytea, p_endpoint text, p_version text,
    p_because text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    e engine.webhook_endpoint;
begin
    answer := audit.claim_request(p_actor, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    e := api.webhook_of(p_actor, p_endpoint);
    perform api.require_version(p_version, e.version::text);
    if p_because is null then
        perform api.require_webhook_room(e.issuer_id);
    end if;
    if (e.status = 'disabled') = (p_because is not null) then
        raise exception using errcode = 'BR008', constraint = 'webhook_endpoint_is_in_the_other_state',
            message = format('%s is %s already', p_endpoint, e.status);
    end if;
    perform audit.enter(p_actor, p_request);
    update engine.webhook_endpoint set status = case when p_because is null then 'enabled' else 'disabled' end,
        disabled_because = p_because, held_by = case when p_because is null then p_actor else held_by end
    where endpoint_id = p_endpoint;
    if p_because is null then
        update api.webhook_progress set failing_since = null,
            last_seq = (select r.last_seq from audit.relay r where r.relay = 'feed') where endpoint_id = p_endpoint;
    end if;
    answer := api.webhook_answer(p_endpoint);
    perform audit.answer_request(p_actor, p_request, p_body_sha256, answer);
end $$;

-- A new secret signs from its beginning on; the earlier ones sign beside it until the overlap is over. The key that makes it holds
-- the endpoint.
create function api.rotate_webhook(p_actor text, p_request text, p_body_sha256 bytea, p_endpoint text, p_version text,
    p_secret jsonb, p_from timestamptz, p_overlap_hours integer, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    e engine.webhook_endpoint;
    starts constant timestamptz := greatest(coalesce(p_from, clock_timestamp()), clock_timestamp());
begin
    answer := audit.claim_request(p_actor, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    e := api.webhook_of(p_actor, p_endpoint);
    perform api.require_version(p_version, e.version::text);
    if exists (select from api.webhook_secret s where s.endpoint_id = p_endpoint and s.valid_from > clock_timestamp()) then
        raise exception using errcode = 'BR008', constraint = 'webhook_secret_comes_after_the_next',
            message = 'a secret waits to become active';
    end if;
    if starts > clock_timestamp() + interval '30 days' then
        raise exception using errcode = 'BR008', constraint = 'webhook_secret_begins_within_a_month',
            message = 'a secret that is to begin later stands in the way of one that is needed now';
    end if;
    perform audit.enter(p_actor, p_request);
    update engine.webhook_endpoint set status = status, held_by = p_actor where endpoint_id = p_endpoint;
    update api.webhook_secret set valid_until = least(valid_until, starts + make_interval(hours => p_overlap_hours))
    where endpoint_id = p_endpoint and (valid_until is null or valid_until > starts);
    perform api.add_webhook_secret(p_actor, p_endpoint, p_secret, starts);
    answer := api.webhook_answer(p_endpoint);
    perform audit.answer_request(p_actor, p_request, p_body_sha256, answer);
end $$;

-- Sends again: one message, or every message of a part of the feed, also of events that an endpoint missed. One that is on its way is
-- sent once more when its try is over.
create function api.send_webhook(p_actor text, p_request text, p_body_sha256 bytea, p_endpoint text, p_delivery text,
    p_first bigint, p_last bigint, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    e engine.webhook_endpoint;
    sent integer;
begin
    answer := audit.claim_request(p_actor, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    e := api.webhook_of(p_actor, p_endpoint);
    if e.status = 'disabled' then
        raise exception using errcode = 'BR008', constraint = 'webhook_endpoint_is_enabled', message = format('%s is disabled', p_endpoint);
    end if;
    if p_first is not null then
        insert into api.webhook_delivery (delivery_id, endpoint_id, seq, kind, scope, subject, version, occurred_at, status, due_at)
        select api.webhook_delivery_id(p_endpoint, h.seq), p_endpoint, h.seq, h.kind, h.scope, h.subject, h.version, h.occurred_at,
            'waiting', clock_timestamp()
        from api.heard_events(e, p_first, p_last) h order by h.seq
        on conflict (endpoint_id, seq) do update
        set status = 'waiting', tries = 0, due_at = excluded.due_at, asks = webhook_delivery.asks + 1;
    else
        update api.webhook_delivery set status = 'waiting', tries = 0, due_at = clock_timestamp(), asks = asks + 1
        where endpoint_id = p_endpoint and delivery_id = p_delivery;
    end if;
    get diagnostics sent = row_count;
    if p_first is null and sent = 0 then
        perform api.refuse_unknown('webhook_delivery_exists', p_delivery);
    end if;
    answer := json_build_object('id', p_endpoint, 'status', e.status, 'sent', sent, 'version', e.version::text);
    perform audit.answer_request(p_actor, p_request, p_body_sha256, answer);
end $$;

-- Sends a message of no event.
create function api.test_webhook(p_actor text, p_request text, p_body_sha256 bytea, p_endpoint text, p_delivery text,
    out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    e engine.webhook_endpoint;
begin
    answer := audit.claim_request(p_actor, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    e := api.webhook_of(p_actor, p_endpoint);
    if e.status = 'disabled' then
        raise exception using errcode = 'BR008', constraint = 'webhook_endpoint_is_enabled', message = format('%s is disabled', p_endpoint);
    end if;
    insert into api.webhook_delivery (delivery_id, endpoint_id, kind, scope, subject, version, occurred_at, status, due_at)
    values (p_delivery, p_endpoint, 'webhook_endpoint.tested', p_endpoint, p_endpoint, e.version, clock_timestamp(), 'waiting',
        clock_timestamp());
    answer := json_build_object('id', p_delivery, 'endpoint', p_endpoint, 'status', 'waiting', 'version', e.version::text);
    perform audit.answer_request(p_actor, p_request, p_body_sha256, answer);
end $$;
