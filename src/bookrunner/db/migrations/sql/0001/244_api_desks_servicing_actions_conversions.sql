-- Conversions over the API: a proposal on the issuer's paper, inputs that are confirmed, another person's word on the version seen.

create function api.shown_conversion(p_offering text, p_conversion text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select json_build_object('id', c.conversion_id, 'offer', c.offering_id, 'status', c.status, 'missing', registry.inputs_missing(c),
        'version', c.version::text)::text
    from registry.conversion c where c.offering_id = p_offering and c.conversion_id = p_conversion);

create function api.propose_conversion(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_conversion text, p_asked jsonb,
    out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform registry.propose_conversion(caller, p_request, p_offering, p_conversion, p_asked);
    answer := api.shown_conversion(p_offering, p_conversion);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.confirm_input(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_conversion text, p_said jsonb,
    out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform registry.confirm_input(caller, p_request, p_offering, p_conversion, p_said);
    answer := api.shown_conversion(p_offering, p_conversion);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.decide_conversion(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_conversion text, p_version text,
    p_decision text, p_because text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    c registry.conversion;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    c := registry.hold_conversion(p_offering, p_conversion);
    perform api.require_version(p_version, c.version::text);
    if p_decision = 'abandoned' then
        perform registry.abandon_conversion(caller, p_request, p_offering, p_conversion, p_because);
    else
        perform registry.decide_conversion(caller, p_request, p_offering, p_conversion, p_decision = 'approved', coalesce(p_because, ''),
            c.version);
    end if;
    answer := api.shown_conversion(p_offering, p_conversion);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

grant execute on function api.propose_conversion(bytea, text, bytea, text, text, jsonb),
    api.confirm_input(bytea, text, bytea, text, text, jsonb),
    api.decide_conversion(bytea, text, bytea, text, text, text, text, text) to registry;
