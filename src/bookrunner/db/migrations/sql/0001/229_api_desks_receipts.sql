-- Acts of a fund administrator on one receipt. It is locked before its version is compared, in the order of every act on money.

create function api.held_receipt(p_offering text, p_receipt text) returns treasury.receipt
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
begin
    r := treasury.lock_receipt(p_offering, p_receipt, null);
    if r.receipt_id is null then
        perform api.refuse_unknown('receipt_exists', p_receipt);
    end if;
    return r;
end $$;

create function api.proposed_act(p_offering text, p_proposal text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select json_build_object('id', p.proposal_id, 'offer', p.offering_id, 'receipt', p.receipt_id, 'act', p.act,
    'investment', p.investment_id, 'status', p.status, 'receipt_status', r.status, 'version', p.version::text)::text
    from treasury.proposal p join treasury.receipt r using (offering_id, receipt_id)
    where p.offering_id = p_offering and p.proposal_id = p_proposal);

-- Stores what is to be done with a receipt, on the version that was seen, until another person decides.
create function api.propose_on_receipt(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_receipt text,
    p_version text, p_proposal text, p_act text, p_investment text, p_because text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    r treasury.receipt;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    r := api.held_receipt(p_offering, p_receipt);
    perform api.require_version(p_version, r.version::text);
    if p_investment is not null and not exists (select from engine.investment i where i.offering_id = p_offering
            and i.investment_id = p_investment) then
        perform api.refuse_unknown('investment_exists', p_investment);
    end if;
    perform treasury.propose_act(caller, p_request, p_offering, p_proposal, p_act, p_receipt, p_investment, p_because, r.version);
    answer := api.proposed_act(p_offering, p_proposal);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- Carries such a proposal out, or declines it, on the version that was seen.
create function api.decide_on_receipt(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_receipt text,
    p_version text, p_proposal text, p_is_approved boolean, p_because text, out answer text, out is_replay boolean)
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
    perform api.held_receipt(p_offering, p_receipt);
    select p.version into seen from treasury.proposal p where p.offering_id = p_offering and p.proposal_id = p_proposal
        and p.receipt_id = p_receipt;
    if seen is null then
        perform api.refuse_unknown('proposal_exists', p_proposal);
    end if;
    perform api.require_version(p_version, seen::text);
    perform treasury.decide_act(caller, p_request, p_offering, p_proposal, p_is_approved, p_because, seen);
    answer := api.proposed_act(p_offering, p_proposal);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- Confirms matched money as final before the policy of its rail does.
create function api.clear_receipt(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_receipt text,
    p_version text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    r treasury.receipt;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    r := api.held_receipt(p_offering, p_receipt);
    perform api.require_version(p_version, r.version::text);
    perform treasury.clear_receipt(caller, p_request, p_offering, p_receipt, r.version);
    answer := (select json_build_object('id', x.receipt_id, 'offer', x.offering_id, 'status', x.status, 'version', x.version::text)::text
        from treasury.receipt x where x.offering_id = p_offering and x.receipt_id = p_receipt);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;
