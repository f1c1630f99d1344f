-- What comes before a freeze, and decisions on those whom a closing left out.

-- Whether a freeze is to be carried out: false where its answer is stored. Refuses a key that had another body, an offer that is
-- not there and a list that has changed, so that none of them has the books compared first.
create function api.freeze_is_due(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_version text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if audit.claim_request(api.caller(p_key), p_request, p_body_sha256) is not null then
        return false;
    end if;
    if not exists (select from engine.offer o where o.offering_id = p_offering) then
        perform api.refuse_unknown('offer_exists', p_offering);
    end if;
    perform api.require_version(p_version, api.candidates_version(p_offering));
    return true;
end $$;

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
