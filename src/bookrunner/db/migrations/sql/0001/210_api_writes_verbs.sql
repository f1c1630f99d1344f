-- One call is one request: who calls, the claimed key, the act and the stored answer commit together or not at all.

create function api.refuse_version(p_now text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
    raise exception using errcode = 'BR412', constraint = 'version_is_the_one_that_was_seen',
        message = format('the version is now "%s"', p_now);
end $$;

create function api.require_version(p_seen text, p_now text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
    if p_seen <> p_now then
        perform api.refuse_version(p_now);
    end if;
end $$;

create function api.refuse_unknown(p_rule text, p_id text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
    raise exception using errcode = 'BR404', constraint = p_rule, message = format('there is no %s', p_id);
end $$;

-- An act on one investment. Position and investment are locked, in this order, before their versions are compared, so
-- that what was decided on is what is acted on.
create function api.act_on_investment(p_key bytea, p_request text, p_body_sha256 bytea, p_investment text,
    p_version text, p_act text, p_because text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    seen record;
    stands record;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    select i.offering_id, i.version, pos.version as says into seen
    from engine.investment i
    join engine.position pos on pos.offering_id = i.offering_id and pos.investment_id = i.investment_id
    where i.investment_id = p_investment
    for update of pos for no key update of i;
    if not found then
        perform api.refuse_unknown('investment_exists', p_investment);
    end if;
    if p_version <> seen.version || '.' || seen.says then
        perform api.refuse_version(seen.version || '.' || seen.says);
    end if;
    case p_act
        when 'confirm' then perform engine.confirm(caller, p_request, seen.offering_id, p_investment);
        when 'confirm_legally' then
            perform engine.confirm_legally(caller, p_request, seen.offering_id, p_investment);
        when 'withdraw' then perform engine.withdraw(caller, p_request, seen.offering_id, p_investment);
        when 'request_cancellation' then
            perform engine.request_cancellation(caller, p_request, seen.offering_id, p_investment, p_because);
        when 'cancel' then
            perform engine.cancel_investment(caller, p_request, seen.offering_id, p_investment, p_because);
        when 'grant_cancellation' then
            perform engine.decide_cancellation(caller, p_request, seen.offering_id, p_investment, true, p_because);
        when 'deny_cancellation' then
            perform engine.decide_cancellation(caller, p_request, seen.offering_id, p_investment, false, p_because);
    end case;
    select i.status, i.version into stands from engine.investment i
    where i.offering_id = seen.offering_id and i.investment_id = p_investment;
    answer := json_build_object('id', p_investment, 'offer', seen.offering_id, 'status', stands.status,
        'version', stands.version || '.' || seen.says);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.open_investment(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text,
    p_investment text, p_investor text, p_units bigint, out answer text, out is_replay boolean)
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
    perform engine.open_investment(caller, p_request, p_offering, p_investment, p_investor, p_units);
    answer := json_build_object('id', p_investment, 'offer', p_offering, 'status', 'new', 'version', '1.1');
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.open_offer(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_terms jsonb,
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
    perform engine.open_offer(caller, p_request, p_offering, p_terms);
    select json_build_object('id', o.offering_id, 'status', o.status, 'version', o.version::text) into answer
    from engine.offer o where o.offering_id = p_offering;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.move_offer(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_version text,
    p_status text, out answer text, out is_replay boolean)
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
    select o.version into said from engine.offer o where o.offering_id = p_offering for update;
    if not found then
        perform api.refuse_unknown('offer_exists', p_offering);
    end if;
    perform api.require_version(p_version, said::text);
    perform engine.move_offer(caller, p_request, p_offering, p_status);
    select json_build_object('id', o.offering_id, 'status', o.status, 'version', o.version::text) into answer
    from engine.offer o where o.offering_id = p_offering;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- The version of what a closing would take: it changes with every candidate and everything that a keeper says of one.
create function api.candidates_version(p_offering text) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select encode(substr(sha256(convert_to(coalesce(string_agg(
        c.investment_id || ' ' || i.version || ' ' || pos.version || ' ' || engine.holds(pos), E'\n'
        order by c.investment_id), ''), 'UTF8')), 1, 16), 'hex')
    from engine.candidates(p_offering) c
    join engine.position pos on pos.offering_id = p_offering and pos.investment_id = c.investment_id
    join engine.investment i on i.offering_id = p_offering and i.investment_id = c.investment_id;
end;

-- Freezes a closing of all candidates, of those that lack nothing, or of the named ones. The locks are those of the
-- freeze, in its order, and come before the comparison.
create function api.freeze_closing(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text,
    p_version text, p_closing text, p_chosen text, p_investments text[], out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    chosen text[] := p_investments;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    if not found then
        perform api.refuse_unknown('offer_exists', p_offering);
    end if;
    perform 1 from engine.position pos
    where pos.offering_id = p_offering
        and pos.investment_id = any (array(select c.investment_id from engine.candidates(p_offering) c))
    order by pos.investment_id for update;
    perform api.require_version(p_version, api.candidates_version(p_offering));
    if p_chosen = 'ready' then
        chosen := array(select c.investment_id from engine.candidates(p_offering) c where c.missing = '[]');
    end if;
    perform engine.freeze_closing(caller, p_request, p_offering, p_closing, chosen);
    select json_build_object('id', c.closing_id, 'offer', c.offering_id, 'ordinal', c.ordinal, 'status', c.status,
        'members', (select count(*) from engine.closing_member m
            where m.offering_id = c.offering_id and m.closing_id = c.closing_id),
        'set_sha256', encode(c.set_sha256, 'hex'), 'version', c.version::text)
    into answer from engine.closing c where c.offering_id = p_offering and c.closing_id = p_closing;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- Two keys propose and approve the units of one investment; the book itself refuses one for both.
create function api.propose_allocation(p_key bytea, p_request text, p_body_sha256 bytea, p_investment text,
    p_approval text, p_units bigint, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    offering text;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    select x.offering_id into offering from engine.investment x where x.investment_id = p_investment;
    if not found then
        perform api.refuse_unknown('investment_exists', p_investment);
    end if;
    perform subscription.propose_allocation(caller, p_request, offering, p_approval, p_investment, p_units);
    answer := json_build_object('id', p_approval, 'offer', offering, 'investment', p_investment,
        'status', 'proposed', 'version', '1');
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.approve_allocation(p_key bytea, p_request text, p_body_sha256 bytea, p_investment text,
    p_approval text, p_version text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    a subscription.allocation_approval;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    select x.* into a from engine.investment i join subscription.allocation_approval x using (offering_id, investment_id)
    where i.investment_id = p_investment and x.approval_id = p_approval;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'allocation_exists',
            message = format('there is no %s for %s', p_approval, p_investment);
    end if;
    perform 1 from engine.position pos
    where pos.offering_id = a.offering_id and pos.investment_id = p_investment for update;
    select x.* into a from subscription.allocation_approval x
    where x.offering_id = a.offering_id and x.approval_id = p_approval for update;
    perform api.require_version(p_version, a.version::text);
    perform subscription.approve_allocation(caller, p_request, a.offering_id, p_approval);
    answer := json_build_object('id', p_approval, 'offer', a.offering_id, 'investment', p_investment,
        'status', 'approved', 'version', (a.version + 1)::text);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- Keeps what a gate turned away under the caller's name; the refused act itself left nothing behind.
create function api.keep_refusal(p_key bytea, p_request text, p_scope text, p_subject text, p_act text, p_rule text,
    p_missing jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform engine.record_refusal(api.caller(p_key), p_request, coalesce(p_scope,
        (select i.offering_id from engine.investment i where i.investment_id = p_subject)), p_subject, p_act, p_rule,
        p_missing);
end $$;
