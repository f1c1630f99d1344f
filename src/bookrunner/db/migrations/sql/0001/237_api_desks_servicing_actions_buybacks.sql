-- Buy-backs over the API: a proposal on the issuer's paper, words on the version that was seen, offers of holders.

create function api.shown_buyback(p_offering text, p_buyback text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select json_build_object('id', b.buyback_id, 'offer', b.offering_id, 'status', b.status, 'version', b.version::text)::text
    from registry.buyback b where b.offering_id = p_offering and b.buyback_id = p_buyback);

create function api.propose_buyback(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_buyback text, p_asked jsonb,
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
    perform registry.propose_buyback(caller, p_request, p_offering, p_buyback, p_asked);
    answer := api.shown_buyback(p_offering, p_buyback);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.decide_buyback(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_buyback text, p_version text,
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
    if not exists (select from registry.buyback b where b.offering_id = p_offering and b.buyback_id = p_buyback) then
        perform api.refuse_unknown('buyback_exists', p_buyback);
    end if;
    perform registry.book_of(p_offering);
    select b.version into seen from registry.buyback b where b.offering_id = p_offering and b.buyback_id = p_buyback for update;
    perform api.require_version(p_version, seen::text);
    if p_decision = 'accepted' then
        perform registry.accept_buyback(caller, p_request, p_offering, p_buyback);
    elsif p_decision = 'abandoned' then
        perform registry.abandon_buyback(caller, p_request, p_offering, p_buyback, p_because);
    else
        perform registry.decide_buyback(caller, p_request, p_offering, p_buyback, p_decision = 'approved', coalesce(p_because, ''));
    end if;
    answer := api.shown_buyback(p_offering, p_buyback);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- Offers units of a holder, or takes the offer back: no units are none.
create function api.tender(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_buyback text, p_tender text, p_investor text,
    p_units bigint, p_paper_sha256 text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    if not exists (select from registry.buyback b where b.offering_id = p_offering and b.buyback_id = p_buyback) then
        perform api.refuse_unknown('buyback_exists', p_buyback);
    end if;
    if p_units = 0 then
        perform registry.withdraw_tender(caller, p_request, p_offering, p_buyback, p_investor);
    else
        perform registry.tender(caller, p_request, p_offering, p_buyback, p_tender, p_investor, p_units, decode(p_paper_sha256, 'hex'));
    end if;
    answer := (select json_build_object('id', t.tender_id, 'buyback', t.buyback_id, 'investor', t.investor_id, 'status', t.status, 'units', t.units,
            'version', t.version::text)
        from registry.tender t where t.offering_id = p_offering and t.buyback_id = p_buyback and t.investor_id = p_investor
        order by t.tendered_at desc limit 1)::text;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

grant execute on function api.propose_buyback(bytea, text, bytea, text, text, jsonb),
    api.decide_buyback(bytea, text, bytea, text, text, text, text, text),
    api.tender(bytea, text, bytea, text, text, text, text, bigint, text) to registry;
