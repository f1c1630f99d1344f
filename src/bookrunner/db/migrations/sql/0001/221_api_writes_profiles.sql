-- Who investors say they are: the numbers are sealed before they come here, and no answer that is kept repeats a field.

create function api.profile_says(p_investor text) returns text
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select json_build_object('id', p.investor_id, 'status', p.status, 'detail_version', p.detail_version,
        'detail_sha256', encode(p.detail_digest, 'hex'), 'version', p.version::text)::text
    from portal.profile p where p.investor_id = p_investor;
end;

-- Opens the profile of an investor who is not known yet, under a data key of its own.
create function api.open_profile(p_key bytea, p_request text, p_body_sha256 bytea, p_investor text, p_account text, p_kind text,
    p_detail jsonb, p_data_key text, p_wrapped bytea, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform portal.obtain_key(caller, p_request, p_investor, p_data_key, p_wrapped);
    perform portal.open_profile(caller, p_request, p_investor, p_account, p_kind, p_detail);
    answer := api.profile_says(p_investor);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.require_profile(p_investor text, p_version text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    stands bigint;
begin
    -- An erasure that came between the sealing and this act has the last word.
    perform portal.require_unerased(p_investor);
    select p.version into stands from portal.profile p where p.investor_id = p_investor for update;
    if not found then
        perform api.refuse_unknown('profile_exists', p_investor);
    end if;
    perform api.require_version(p_version, stands::text);
end $$;

create function api.amend_profile(p_key bytea, p_request text, p_body_sha256 bytea, p_investor text, p_version text,
    p_detail jsonb, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform api.require_profile(p_investor, p_version);
    perform portal.amend_profile(caller, p_request, p_investor, p_detail);
    answer := api.profile_says(p_investor);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.change_says(p_investor text, p_change text) returns text
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select json_build_object('id', c.change_id, 'investor', c.investor_id, 'status', c.status, 'version', c.version::text)::text
    from portal.profile_change c where c.investor_id = p_investor and c.change_id = p_change;
end;

create function api.request_profile_change(p_key bytea, p_request text, p_body_sha256 bytea, p_investor text, p_version text,
    p_change text, p_detail jsonb, p_because text, p_evidence_sha256 text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform api.require_profile(p_investor, p_version);
    perform portal.request_change(caller, p_request, p_investor, p_change, p_detail, p_because, decode(p_evidence_sha256, 'hex'));
    answer := api.change_says(p_investor, p_change);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- An officer decides under the login of the portal, which keeps profiles; who asked does not decide.
create function api.decide_profile_change(p_actor text, p_request text, p_body_sha256 bytea, p_investor text, p_change text,
    p_version text, p_programme text, p_is_approved boolean, p_because text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    answer := audit.claim_request(p_actor, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform portal.decide_change(p_actor, p_request, p_investor, p_change, p_is_approved, p_because,
        api.seen_version(p_version), p_programme);
    answer := api.change_says(p_investor, p_change);
    perform audit.answer_request(p_actor, p_request, p_body_sha256, answer);
end $$;

create function api.delegation_says(p_investor text, p_delegation text) returns text
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select json_build_object('id', d.delegation_id, 'investor', d.investor_id, 'delegate', d.delegate, 'status', d.status,
        'version', d.version::text)::text
    from portal.delegation d where d.investor_id = p_investor and d.delegation_id = p_delegation;
end;

-- Names a delegate that has an account already; no operation makes one.
create function api.name_delegate(p_actor text, p_request text, p_body_sha256 bytea, p_investor text, p_delegation text, p_said jsonb,
    out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    answer := audit.claim_request(p_actor, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    if not exists (select from api.account a where a.name = p_said ->> 'delegate' and a.status in ('invited', 'active')) then
        perform api.refuse_unknown('account_is_of_a_delegate', p_said ->> 'delegate');
    end if;
    perform portal.name_delegate(p_actor, p_request, p_investor, p_delegation, p_said);
    answer := api.delegation_says(p_investor, p_delegation);
    perform audit.answer_request(p_actor, p_request, p_body_sha256, answer);
end $$;

create function api.end_delegation(p_actor text, p_request text, p_body_sha256 bytea, p_investor text, p_delegation text,
    out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    answer := audit.claim_request(p_actor, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    if not exists (select from portal.delegation d where d.investor_id = p_investor and d.delegation_id = p_delegation) then
        perform api.refuse_unknown('delegation_stands', p_delegation);
    end if;
    perform portal.end_delegation(p_actor, p_request, p_delegation);
    answer := api.delegation_says(p_investor, p_delegation);
    perform audit.answer_request(p_actor, p_request, p_body_sha256, answer);
end $$;
