-- Distributions over the API: another person's word on the version that it saw.

create function api.decide_distribution(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_distribution text,
    p_version text, p_is_approved boolean, p_because text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    seen bigint;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    select d.version into seen from engine.distribution d where d.offering_id = p_offering and d.distribution_id = p_distribution for update;
    if not found then
        perform api.refuse_unknown('distribution_exists', p_distribution);
    end if;
    perform api.require_version(p_version, seen::text);
    if p_is_approved is true then
        perform engine.approve_distribution(caller, p_request, p_offering, p_distribution, seen);
    else
        perform engine.cancel_distribution(caller, p_request, p_offering, p_distribution, p_because, seen);
    end if;
    answer := (select json_build_object('id', d.distribution_id, 'offer', d.offering_id, 'status', d.status, 'version', d.version::text)
        from engine.distribution d where d.offering_id = p_offering and d.distribution_id = p_distribution)::text;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

grant execute on function api.decide_distribution(bytea, text, bytea, text, text, text, boolean, text) to engine;
