-- Acceptance of statements that the compliance record contradicts.

create function api.accept_statement(p_key bytea, p_request text, p_body_sha256 bytea, p_investment text,
    p_acceptance text, p_statement text, p_fact text, p_because text, p_programme text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    i engine.investment;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    select x.* into i from engine.investment x where x.investment_id = p_investment;
    if not found then
        perform api.refuse_unknown('investment_exists', p_investment);
    end if;
    perform compliance.decide_under(caller, p_request, p_programme);
    perform compliance.accept_statement(caller, p_request, i.offering_id, p_acceptance, i.investor_id, p_statement, p_fact,
        p_because);
    answer := json_build_object('id', p_acceptance, 'offer', i.offering_id, 'investment', p_investment, 'status', 'accepted',
        'version', '1');
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.withdraw_acceptance(p_key bytea, p_request text, p_body_sha256 bytea, p_investment text,
    p_acceptance text, p_version text, p_because text, p_programme text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    a compliance.statement_acceptance;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    select x.* into a from compliance.statement_acceptance x join engine.investment i using (offering_id, investor_id)
    where i.investment_id = p_investment and x.acceptance_id = p_acceptance;
    if not found then
        perform api.refuse_unknown('acceptance_exists', p_acceptance);
    end if;
    perform api.require_version(p_version, a.version::text);
    perform compliance.decide_under(caller, p_request, p_programme);
    perform compliance.withdraw_acceptance(caller, p_request, a.offering_id, p_acceptance, p_because, a.version);
    answer := json_build_object('id', p_acceptance, 'offer', a.offering_id, 'investment', p_investment, 'status', 'withdrawn',
        'version', (a.version + 1)::text);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;
