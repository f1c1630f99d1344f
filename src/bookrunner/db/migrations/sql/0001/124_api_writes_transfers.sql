-- Transfers of registered units: what is asked, and each step on the version that was seen.

create function api.transfer_answer(p_offering text, p_transfer text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select json_build_object('id', q.request_id, 'offer', q.offering_id, 'status', q.status,
    'missing', registry.missing_papers(q.offering_id, q.request_id), 'reasons', q.reasons, 'version', q.version::text)::text
    from registry.transfer_request q where q.offering_id = p_offering and q.request_id = p_transfer);

create function api.request_transfer(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_transfer text,
    p_said jsonb, p_papers jsonb, p_item text, p_clock jsonb, out answer text, out is_replay boolean)
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
    perform registry.request_transfer(caller, p_request, p_offering, p_transfer, p_said, p_papers, p_item, p_clock);
    answer := api.transfer_answer(p_offering, p_transfer);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- Parties, book and request are locked, in this order, before the version is compared. Papers of a returned request present
-- it again, under a new item of the turnaround log.
create function api.act_on_transfer(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_transfer text,
    p_version text, p_act text, p_papers jsonb, p_until timestamptz, p_reasons text[], p_item text, p_clock jsonb,
    out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    q registry.transfer_request;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    if not exists (select from registry.transfer_request x where x.offering_id = p_offering and x.request_id = p_transfer) then
        perform api.refuse_unknown('transfer_request_exists', p_transfer);
    end if;
    q := registry.hold_transfer(p_offering, p_transfer);
    perform api.require_version(p_version, q.version::text);
    if p_act = 'approve' then
        perform registry.approve_transfer(caller, p_request, p_offering, p_transfer, p_until);
    elsif p_act <> 'papers' then
        perform registry.end_transfer(caller, p_request, p_offering, p_transfer, p_act, p_reasons);
    elsif q.status = 'returned' then
        perform registry.present_again(caller, p_request, p_offering, p_transfer, p_papers, p_item, p_clock);
    else
        perform registry.add_transfer_papers(caller, p_request, p_offering, p_transfer, p_papers);
    end if;
    answer := api.transfer_answer(p_offering, p_transfer);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;
