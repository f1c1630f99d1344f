-- Decisions on those whom a closing left out.

create function api.decide_case(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_case text,
    p_version text, p_status text, p_because text, p_evidence_sha256 text, out answer text, out is_replay boolean)
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
    select c.version into said from engine.closing_case c where c.offering_id = p_offering and c.case_id = p_case;
    if not found then
        perform api.refuse_unknown('closing_case_exists', p_case);
    end if;
    perform api.require_version(p_version, said::text);
    perform engine.decide_case(caller, p_request, p_offering, p_case, p_status, p_because, decode(p_evidence_sha256, 'hex'), said);
    answer := json_build_object('id', p_case, 'offer', p_offering, 'status', p_status, 'version', (said + 1)::text);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;
