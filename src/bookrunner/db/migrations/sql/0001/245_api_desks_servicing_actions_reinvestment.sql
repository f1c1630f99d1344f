-- Reinvestment over the API: a plan on the issuer's paper, words on the version that was seen, elections of holders.

create function api.shown_plan(p_offering text, p_plan text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select json_build_object('id', p.plan_id, 'offer', p.offering_id, 'status', p.status, 'version', p.version::text)::text
    from registry.reinvestment_plan p where p.offering_id = p_offering and p.plan_id = p_plan);

create function api.propose_plan(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_plan text, p_asked jsonb,
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
    perform registry.propose_plan(caller, p_request, p_offering, p_plan, p_asked);
    answer := api.shown_plan(p_offering, p_plan);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.decide_plan(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_plan text, p_version text, p_decision text,
    p_because text, out answer text, out is_replay boolean)
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
    perform registry.book_of(p_offering);
    select p.version into seen from registry.reinvestment_plan p where p.offering_id = p_offering and p.plan_id = p_plan for update;
    if not found then
        perform api.refuse_unknown('plan_exists', p_plan);
    end if;
    perform api.require_version(p_version, seen::text);
    if p_decision = 'end_proposed' then
        perform registry.propose_plan_end(caller, p_request, p_offering, p_plan, coalesce(p_because, ''), seen);
    elsif p_decision in ('end_approved', 'end_declined') then
        perform registry.decide_plan_end(caller, p_request, p_offering, p_plan, p_decision = 'end_approved', seen);
    else
        perform registry.decide_plan(caller, p_request, p_offering, p_plan, p_decision = 'approved', coalesce(p_because, ''), seen);
    end if;
    answer := api.shown_plan(p_offering, p_plan);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.elect_reinvestment(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_election text, p_investor text,
    p_share_bp integer, p_paper_sha256 text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform registry.elect_reinvestment(caller, p_request, p_offering, p_election, p_investor, p_share_bp, decode(p_paper_sha256, 'hex'));
    answer := (select json_build_object('id', e.election_id, 'offer', e.offering_id, 'investor', e.investor_id, 'share_bp', e.share_bp,
            'given_at', audit.instant(e.given_at), 'version', e.version::text)::text
        from registry.reinvestment_election e where e.offering_id = p_offering and e.election_id = p_election);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

grant execute on function api.propose_plan(bytea, text, bytea, text, text, jsonb),
    api.decide_plan(bytea, text, bytea, text, text, text, text, text),
    api.elect_reinvestment(bytea, text, bytea, text, text, text, integer, text) to registry;
