-- Transfers of registered units: what is asked, and each step on the version that was seen.

create function api.transfer_answer(p_offering text, p_transfer text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select json_build_object('id', q.request_id, 'offer', q.offering_id, 'status', q.status,
    'missing', registry.missing_papers(q.offering_id, q.request_id), 'reasons', q.reasons, 'version', q.version::text)::text
    from registry.transfer_request q where q.offering_id = p_offering and q.request_id = p_transfer);

-- The key of an investor speaks for the units of that investor alone; of others' requests it learns nothing.
create function api.speaks_for(p_actor text, p_holder text) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
return not starts_with(audit.person_of(p_actor), 'ivr_') or coalesce(audit.person_of(p_actor) = p_holder, false);

-- Takes a request for whoever was found behind a key, of the registry or of the portal.
create function api.take_transfer(p_actor text, p_request text, p_body_sha256 bytea, p_offering text, p_transfer text,
    p_said jsonb, p_papers jsonb, p_item text, p_clock jsonb, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not api.speaks_for(p_actor, p_said ->> 'seller') then
        raise exception using errcode = 'BR403', constraint = 'key_of_an_investor_reaches_its_own_alone',
            message = 'the giver is another holder';
    end if;
    answer := audit.claim_request(p_actor, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    if not exists (select from engine.offer o where o.offering_id = p_offering) then
        perform api.refuse_unknown('offer_exists', p_offering);
    end if;
    if starts_with(audit.person_of(p_actor), 'ivr_') and not exists (select from registry.holding h where h.offering_id = p_offering
        and h.investor_id = p_said ->> 'seller' and h.units > 0) then
        raise exception using errcode = 'BR008', constraint = 'asking_holder_has_units',
            message = format('%s holds no unit of %s', p_said ->> 'seller', p_offering);
    end if;
    perform registry.request_transfer(p_actor, p_request, p_offering, p_transfer, p_said, p_papers, p_item, p_clock);
    answer := api.transfer_answer(p_offering, p_transfer);
    perform audit.answer_request(p_actor, p_request, p_body_sha256, answer);
end $$;

create function api.request_transfer(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_transfer text,
    p_said jsonb, p_papers jsonb, p_item text, p_clock jsonb, out answer text, out is_replay boolean)
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select t.answer, t.is_replay from api.take_transfer(api.caller(p_key), p_request, p_body_sha256, p_offering, p_transfer, p_said,
        p_papers, p_item, p_clock) t;
end;

-- Parties, book and request are locked, in this order, before the version is compared. Papers of a returned request present
-- it again, under a new item of the turnaround log.
create function api.move_transfer(p_actor text, p_request text, p_body_sha256 bytea, p_offering text, p_transfer text,
    p_version text, p_act text, p_papers jsonb, p_until timestamptz, p_reasons text[], p_item text, p_clock jsonb,
    out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    q registry.transfer_request;
begin
    answer := audit.claim_request(p_actor, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    if not exists (select from registry.transfer_request x where x.offering_id = p_offering and x.request_id = p_transfer
        and api.speaks_for(p_actor, x.seller_id)) then
        perform api.refuse_unknown('transfer_request_exists', p_transfer);
    end if;
    q := registry.hold_transfer(p_offering, p_transfer);
    perform api.require_version(p_version, q.version::text);
    if p_act = 'approve' then
        perform registry.approve_transfer(p_actor, p_request, p_offering, p_transfer, p_until);
    elsif p_act <> 'papers' then
        perform registry.end_transfer(p_actor, p_request, p_offering, p_transfer, p_act, p_reasons);
    elsif q.status = 'returned' then
        perform registry.present_again(p_actor, p_request, p_offering, p_transfer, p_papers, p_item, p_clock);
    else
        perform registry.add_transfer_papers(p_actor, p_request, p_offering, p_transfer, p_papers);
    end if;
    answer := api.transfer_answer(p_offering, p_transfer);
    perform audit.answer_request(p_actor, p_request, p_body_sha256, answer);
end $$;

create function api.act_on_transfer(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_transfer text,
    p_version text, p_act text, p_papers jsonb, p_until timestamptz, p_reasons text[], p_item text, p_clock jsonb,
    out answer text, out is_replay boolean)
language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select t.answer, t.is_replay from api.move_transfer(api.caller(p_key), p_request, p_body_sha256, p_offering, p_transfer, p_version,
        p_act, p_papers, p_until, p_reasons, p_item, p_clock) t;
end;

-- For a key of the portal, which the portal's own login has judged: what a holder may do with its request.
create function api.act_for_holder(p_actor text, p_request text, p_body_sha256 bytea, p_offering text, p_transfer text,
    p_version text, p_act text, p_papers jsonb, p_item text, p_clock jsonb, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if p_act not in ('papers', 'withdrawn') then
        raise exception using errcode = 'BR403', constraint = 'key_serves_this_keeper', message = 'registry decides this';
    end if;
    select t.answer, t.is_replay into answer, is_replay from api.move_transfer(p_actor, p_request, p_body_sha256, p_offering,
        p_transfer, p_version, p_act, p_papers, null, '{}', p_item, p_clock) t;
end $$;

-- Posts an interest, takes one, or takes it back, for whom the portal's login has found behind a key.
create function api.act_on_interest(p_actor text, p_request text, p_body_sha256 bytea, p_offering text, p_interest text, p_act text,
    p_said jsonb, p_transfer text, p_item text, p_clock jsonb, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not api.speaks_for(p_actor, p_said ->> 'investor') then
        raise exception using errcode = 'BR403', constraint = 'key_of_an_investor_reaches_its_own_alone',
            message = 'the interest is of another investor';
    end if;
    answer := audit.claim_request(p_actor, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    if not exists (select from engine.offer o where o.offering_id = p_offering) then
        perform api.refuse_unknown('offer_exists', p_offering);
    end if;
    if p_act = 'post' then
        perform registry.post_interest(p_actor, p_request, p_offering, p_interest, p_said);
    elsif p_act = 'match' then
        perform registry.match_interest(p_actor, p_request, p_offering, p_interest, p_said ->> 'investor', p_transfer, p_item, p_clock);
    else
        perform registry.withdraw_interest(p_actor, p_request, p_offering, p_interest, p_said ->> 'investor');
    end if;
    answer := (select json_build_object('id', i.interest_id, 'offer', i.offering_id, 'status', i.status, 'transfer', i.request_id,
        'version', i.version::text)::text
        from registry.interest i where i.offering_id = p_offering and i.interest_id = p_interest);
    perform audit.answer_request(p_actor, p_request, p_body_sha256, answer);
end $$;
