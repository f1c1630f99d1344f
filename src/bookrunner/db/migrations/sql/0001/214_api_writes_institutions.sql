-- Writes of institutional allocations.

create function api.request_allocation(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text,
    p_allocation text, p_entity text, p_asked jsonb, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    if not exists (select from engine.offer o where o.offering_id = p_offering) then
        perform api.refuse_unknown('offer_exists', p_offering);
    end if;
    perform engine.request_allocation(caller, p_request, p_offering, p_allocation, p_entity, p_asked);
    answer := json_build_object('id', p_allocation, 'offer', p_offering, 'status', 'pending', 'version', '1');
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- Takes a request up for review or cancels it, on the version that was seen.
create function api.move_allocation(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text,
    p_allocation text, p_version text, p_status text, p_because text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    said bigint;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    select a.version into said from engine.allocation a
    where a.offering_id = p_offering and a.allocation_id = p_allocation for update;
    if not found then
        perform api.refuse_unknown('institutional_allocation_exists', p_allocation);
    end if;
    perform api.require_version(p_version, said::text);
    if p_status = 'cancelled' then
        perform engine.cancel_allocation(caller, p_request, p_offering, p_allocation, p_because);
    else
        perform engine.open_review(caller, p_request, p_offering, p_allocation);
    end if;
    answer := json_build_object('id', p_allocation, 'offer', p_offering, 'status', p_status, 'version', (said + 1)::text);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;
