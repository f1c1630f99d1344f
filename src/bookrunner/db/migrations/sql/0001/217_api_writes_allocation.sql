-- Calls on orders, allotments and amendments; each claims its key, acts and stores its answer like every other one.

create function api.name_policy(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_policy text,
    p_most_units bigint, p_hold_minutes integer, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform engine.name_policy(caller, p_request, p_offering, p_policy, p_most_units, p_hold_minutes);
    select json_build_object('offer', p.offering_id, 'policy', p.policy, 'most_units', p.most_units::text,
        'hold_minutes', p.hold_minutes, 'version', p.version::text)
    into answer from engine.allocation_policy p where p.offering_id = p_offering;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- Joins the line, or leaves it when the entry is there already and no investor is named.
create function api.wait_for_units(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_entry text,
    p_investor text, p_units bigint, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    if p_investor is null then
        perform engine.leave_waitlist(caller, p_request, p_offering, p_entry);
    else
        perform engine.join_waitlist(caller, p_request, p_offering, p_entry, p_investor, p_units);
    end if;
    select json_build_object('id', w.entry_id, 'offer', w.offering_id, 'place', w.place, 'units', w.units::text,
        'status', w.status, 'version', w.version::text)
    into answer from engine.waitlist_entry w where w.offering_id = p_offering and w.entry_id = p_entry;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.decide_allotment(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_version text,
    p_allotment text, p_wishes jsonb, p_capacity text, p_because text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform engine.decide_allotment(caller, p_request, p_offering, p_allotment, p_version, p_wishes, p_capacity, p_because);
    select json_build_object('id', a.allotment_id, 'offer', a.offering_id, 'ordinal', a.ordinal, 'policy', a.policy,
        'available', a.available_units::text, 'ordered', a.ordered_units::text, 'allotted', a.allotted_units::text,
        'decided_by', a.decided_by, 'capacity', a.capacity, 'version', a.version::text)
    into answer from engine.allotment a where a.offering_id = p_offering and a.allotment_id = p_allotment;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.scale_back(p_key bytea, p_request text, p_body_sha256 bytea, p_investment text, p_version text,
    p_allotment text, p_units bigint, p_capacity text, p_because text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    offering text;
    says bigint;
    i engine.investment;
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
    -- The locks of the cut in its order, before the version is compared.
    perform 1 from engine.offer o where o.offering_id = offering for update;
    select x.version into says from engine.position x
    where x.offering_id = offering and x.investment_id = p_investment for update;
    select * into i from engine.investment x
    where x.offering_id = offering and x.investment_id = p_investment for no key update;
    perform api.require_version(p_version, i.version || '.' || says);
    perform engine.scale_back(caller, p_request, offering, p_allotment, p_investment, p_units, p_capacity, p_because);
    select * into i from engine.investment x where x.offering_id = offering and x.investment_id = p_investment;
    answer := json_build_object('id', p_investment, 'offer', offering, 'status', i.status, 'units', i.units::text,
        'allotment', p_allotment, 'version', i.version || '.' || says);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.shown_amendment(p_offering text, p_amendment text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (
    select json_build_object('id', a.amendment_id, 'offer', a.offering_id, 'ordinal', a.ordinal, 'status', a.status,
        'is_material', a.is_material, 'due_at', audit.instant(a.due_at), 'version', a.version::text)::text
    from engine.amendment a where a.offering_id = p_offering and a.amendment_id = p_amendment);

create function api.propose_amendment(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text,
    p_amendment text, p_is_material boolean, p_sentence text, p_document_sha256 bytea, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform engine.propose_amendment(caller, p_request, p_offering, p_amendment, p_is_material, p_sentence, p_document_sha256);
    answer := api.shown_amendment(p_offering, p_amendment);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.decide_amendment(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text,
    p_amendment text, p_version bigint, p_is_accepted boolean, p_because text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform engine.decide_amendment(caller, p_request, p_offering, p_amendment, p_is_accepted, p_because, p_version);
    answer := api.shown_amendment(p_offering, p_amendment);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.answer_reconfirmation(p_key bytea, p_request text, p_body_sha256 bytea, p_investment text,
    p_reconfirmation text, p_is_reconfirmed boolean, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    r subscription.reconfirmation;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    select x.* into r from engine.investment i join subscription.reconfirmation x using (offering_id, investment_id)
    where i.investment_id = p_investment and x.reconfirmation_id = p_reconfirmation;
    if not found then
        perform api.refuse_unknown('reconfirmation_exists', p_reconfirmation);
    end if;
    perform subscription.answer_reconfirmation(caller, p_request, r.offering_id, p_reconfirmation, p_is_reconfirmed);
    select json_build_object('id', x.reconfirmation_id, 'offer', x.offering_id, 'investment', x.investment_id,
        'status', x.status, 'version', x.version::text)
    into answer from subscription.reconfirmation x
    where x.offering_id = r.offering_id and x.reconfirmation_id = p_reconfirmation;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;
