-- What a person decides about an offer, on the version that was seen.

-- Locks an offer and compares its version; the caller has claimed the request.
create function api.seen_offer(p_offering text, p_version text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    said bigint;
begin
    select o.version into said from engine.offer o where o.offering_id = p_offering for update;
    if not found then
        perform api.refuse_unknown('offer_exists', p_offering);
    end if;
    perform api.require_version(p_version, said::text);
end $$;

create function api.end_review(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_version text,
    p_is_accepted boolean, p_because text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform api.seen_offer(p_offering, p_version);
    perform engine.review_offer(caller, p_request, p_offering, p_is_accepted, p_because);
    select json_build_object('id', o.offering_id, 'status', o.status, 'version', o.version::text) into answer
    from engine.offer o where o.offering_id = p_offering;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.fail_offer(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_version text,
    p_ended_as text, p_because text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform api.seen_offer(p_offering, p_version);
    perform engine.fail_offer(caller, p_request, p_offering, p_ended_as, p_because);
    select json_build_object('id', o.offering_id, 'status', o.status, 'version', o.version::text) into answer
    from engine.offer o where o.offering_id = p_offering;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;
