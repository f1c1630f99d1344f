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

create function api.shown_line_release(p_offering text, p_release text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select json_build_object('id', r.release_id, 'status', r.status, 'version', r.version::text)::text
    from registry.line_release r where r.offering_id = p_offering and r.release_id = p_release);

-- Asks to let one line of a started buy-back go, on the version of the buy-back that was seen.
create function api.propose_line_release(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_buyback text, p_version text,
    p_release text, p_investor text, p_because text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    seen bigint;
    held constant text := (select l.holding_id from registry.redemption_line l where l.offering_id = p_offering and l.buyback_id = p_buyback
        and l.investor_id = p_investor);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    select b.version into seen from registry.buyback b where b.offering_id = p_offering and b.buyback_id = p_buyback;
    if not found then
        perform api.refuse_unknown('buyback_exists', p_buyback);
    elsif held is null then
        perform api.refuse_unknown('released_line_exists', p_investor);
    end if;
    perform api.require_version(p_version, seen::text);
    perform registry.propose_line_release(caller, p_request, p_offering, p_buyback, p_release, held, p_because, seen);
    answer := api.shown_line_release(p_offering, p_release);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.decide_line_release(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_buyback text, p_version text,
    p_release text, p_is_agreed boolean, p_because text, out answer text, out is_replay boolean)
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
    select r.version into seen from registry.line_release r
    where r.offering_id = p_offering and r.buyback_id = p_buyback and r.release_id = p_release;
    if not found then
        perform api.refuse_unknown('line_release_exists', p_release);
    end if;
    perform api.require_version(p_version, seen::text);
    perform registry.decide_line_release(caller, p_request, p_offering, p_release, p_is_agreed, p_because, seen);
    answer := api.shown_line_release(p_offering, p_release);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

grant execute on function api.propose_line_release(bytea, text, bytea, text, text, text, text, text, text),
    api.decide_line_release(bytea, text, bytea, text, text, text, text, boolean, text) to registry;
grant execute on function api.propose_buyback(bytea, text, bytea, text, text, jsonb),
    api.decide_buyback(bytea, text, bytea, text, text, text, text, text),
    api.tender(bytea, text, bytea, text, text, text, text, bigint, text) to registry;
