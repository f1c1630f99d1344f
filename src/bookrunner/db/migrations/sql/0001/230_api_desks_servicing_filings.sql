-- Calls on filings; each claims its key, acts and stores its answer like every other one.

create function api.shown_filing(p_filing text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (
    select json_build_object('id', f.filing_id, 'offer', f.offering_id, 'form', f.form, 'status', f.status, 'due_on', f.due_on,
        'filed_on', f.filed_on, 'version', f.version::text)::text
    from engine.filing f where f.filing_id = p_filing);

create function api.offer_of_filing(p_filing text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    offering text;
begin
    select f.offering_id into offering from engine.filing f where f.filing_id = p_filing;
    if not found then
        perform api.refuse_unknown('filing_exists', p_filing);
    end if;
    return offering;
end $$;

create function api.state_filing_fact(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_fact_id text, p_fact text,
    p_place text, p_happened_on date, p_because text, p_evidence_sha256 bytea, out answer text, out is_replay boolean)
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
    perform engine.state_filing_fact(caller, p_request, p_offering, p_fact_id, p_fact, p_place, p_happened_on, p_because,
        p_evidence_sha256);
    answer := json_build_object('id', p_fact_id, 'offer', p_offering, 'fact', p_fact, 'happened_on', p_happened_on, 'version', '1');
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.fill_filing(p_key bytea, p_request text, p_body_sha256 bytea, p_filing text, p_code text, p_value text, p_source text,
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
    perform engine.fill_filing(caller, p_request, api.offer_of_filing(p_filing), p_filing, p_code, p_value, p_source);
    answer := api.shown_filing(p_filing);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.prepare_filing(p_key bytea, p_request text, p_body_sha256 bytea, p_filing text, p_version bigint,
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
    perform engine.prepare_filing(caller, p_request, api.offer_of_filing(p_filing), p_filing, p_version);
    answer := api.shown_filing(p_filing);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.record_filing(p_key bytea, p_request text, p_body_sha256 bytea, p_filing text, p_version bigint, p_filed_on date,
    p_reference text, p_proof_sha256 bytea, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform engine.record_filing(caller, p_request, api.offer_of_filing(p_filing), p_filing, p_filed_on, p_reference, p_proof_sha256,
        p_version);
    answer := api.shown_filing(p_filing);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.end_filing(p_key bytea, p_request text, p_body_sha256 bytea, p_filing text, p_version bigint, p_because text,
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
    perform engine.end_filing(caller, p_request, api.offer_of_filing(p_filing), p_filing, p_because, p_version);
    answer := api.shown_filing(p_filing);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.confirm_filing_end(p_key bytea, p_request text, p_body_sha256 bytea, p_filing text, p_version bigint,
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
    perform engine.confirm_filing_end(caller, p_request, api.offer_of_filing(p_filing), p_filing, p_version);
    answer := api.shown_filing(p_filing);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.reopen_filing(p_key bytea, p_request text, p_body_sha256 bytea, p_filing text, p_version bigint, p_because text,
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
    perform engine.reopen_filing(caller, p_request, api.offer_of_filing(p_filing), p_filing, p_because, p_version);
    answer := api.shown_filing(p_filing);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;
