-- Splits over the API: a proposal on the issuer's paper, another person's word on the version that it saw.

create function api.shown_split(p_offering text, p_split text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select json_build_object('id', s.split_id, 'offer', s.offering_id, 'status', s.status, 'version', s.version::text)::text
    from registry.split s where s.offering_id = p_offering and s.split_id = p_split);

create function api.propose_split(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_split text, p_asked jsonb,
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
    perform registry.propose_split(caller, p_request, p_offering, p_split, p_asked);
    answer := api.shown_split(p_offering, p_split);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.decide_split(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_split text, p_version text,
    p_decision text, p_because text, out answer text, out is_replay boolean)
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
    select s.version into seen from registry.split s where s.offering_id = p_offering and s.split_id = p_split;
    if not found then
        perform api.refuse_unknown('split_exists', p_split);
    end if;
    perform registry.book_of(p_offering);
    select s.version into seen from registry.split s where s.offering_id = p_offering and s.split_id = p_split for update;
    perform api.require_version(p_version, seen::text);
    if p_decision = 'abandoned' then
        perform registry.abandon_split(caller, p_request, p_offering, p_split, p_because);
    else
        perform registry.decide_split(caller, p_request, p_offering, p_split, p_decision = 'approved', coalesce(p_because, ''));
    end if;
    answer := api.shown_split(p_offering, p_split);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

grant execute on function api.propose_split(bytea, text, bytea, text, text, jsonb),
    api.decide_split(bytea, text, bytea, text, text, text, text, text) to registry;
