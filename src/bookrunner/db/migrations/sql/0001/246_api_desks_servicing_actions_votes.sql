-- Votes over the API: people of the engine propose, open and cancel; holders cast their ballots and name delegates.

create function api.vote_says(p_offering text, p_vote text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select json_build_object('id', v.vote_id, 'offer', v.offering_id, 'status', v.status, 'version', v.version::text)::text
    from engine.vote v where v.offering_id = p_offering and v.vote_id = p_vote);

create function api.propose_vote(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_vote text, p_asked jsonb,
    p_document_sha256 bytea, out answer text, out is_replay boolean)
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
    perform engine.propose_vote(caller, p_request, p_offering, p_vote, p_asked, p_document_sha256);
    answer := api.vote_says(p_offering, p_vote);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.decide_vote(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_vote text, p_version text,
    p_is_opened boolean, p_because text, out answer text, out is_replay boolean)
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
    select v.version into seen from engine.vote v where v.offering_id = p_offering and v.vote_id = p_vote for update;
    if not found then
        perform api.refuse_unknown('vote_exists', p_vote);
    end if;
    perform api.require_version(p_version, seen::text);
    if p_is_opened is true then
        perform engine.open_vote(caller, p_request, p_offering, p_vote, seen);
    else
        perform engine.cancel_vote(caller, p_request, p_offering, p_vote, p_because, seen);
    end if;
    answer := api.vote_says(p_offering, p_vote);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.position_says(p_offering text, p_vote text, p_holder text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select json_build_object('vote', p.vote_id, 'offer', p.offering_id, 'holder', p.holder_id, 'units', p.units::text,
    'choice', p.choice, 'cast_for_it_by', p.cast_for_it_by, 'delegate', p.delegate_id, 'version', p.version::text)::text
    from engine.vote_position p where p.offering_id = p_offering and p.vote_id = p_vote and p.holder_id = p_holder);

-- The ballot of a holder, cast by the holder itself or by its delegate; the portal's login has judged for whom the key speaks.
create function api.cast_ballot(p_actor text, p_request text, p_body_sha256 bytea, p_offering text, p_vote text, p_holder text,
    p_choice text, p_delegate text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    answer := audit.claim_request(p_actor, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform engine.cast_ballot(p_actor, p_request, p_offering, p_vote, p_holder, p_choice, p_delegate);
    answer := api.position_says(p_offering, p_vote, p_holder);
    perform audit.answer_request(p_actor, p_request, p_body_sha256, answer);
end $$;

create function api.give_proxy(p_actor text, p_request text, p_body_sha256 bytea, p_offering text, p_vote text, p_proxy text,
    p_holder text, p_delegate text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    answer := audit.claim_request(p_actor, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    if not exists (select from engine.vote_position p where p.offering_id = p_offering and p.vote_id = p_vote and p.holder_id = p_holder) then
        perform api.refuse_unknown('vote_exists', p_vote);
    end if;
    perform engine.give_proxy(p_actor, p_request, p_offering, p_vote, p_proxy, p_holder, p_delegate);
    answer := api.position_says(p_offering, p_vote, p_holder);
    perform audit.answer_request(p_actor, p_request, p_body_sha256, answer);
end $$;

grant execute on function api.propose_vote(bytea, text, bytea, text, text, jsonb, bytea),
    api.decide_vote(bytea, text, bytea, text, text, text, boolean, text),
    api.cast_ballot(text, text, bytea, text, text, text, text, text),
    api.give_proxy(text, text, bytea, text, text, text, text, text) to engine;
-- The transfer agent reads what its register weighs.
grant select on engine.vote_standing, engine.vote_position to registry;
grant execute on function engine.vote_count(text, text) to engine, registry, audit;
