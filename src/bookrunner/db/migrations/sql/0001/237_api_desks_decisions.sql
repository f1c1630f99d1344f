-- Acts of people at the desks, each on the version that was seen: releases of escrow, wallets of the register, breaks. What is acted
-- on is locked before its version is compared.

create function api.release_answer(p_offering text, p_release text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select json_build_object('id', r.release_id, 'offer', r.offering_id, 'closing', r.closing_id, 'status', r.status,
    'version', r.version::text)::text
    from treasury.release r where r.offering_id = p_offering and r.release_id = p_release);

-- Refuses money of another currency than the offer's: its minor units would be read as the offer's own.
create function api.require_offers_currency(p_offering text, p_named text[]) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from engine.offer o cross join unnest(p_named) n where o.offering_id = p_offering and o.currency <> n) then
        raise exception using errcode = 'BR008', constraint = 'release_is_in_the_offers_currency',
            message = format('what is released or deducted in %s is named in the currency of the offer', p_offering);
    end if;
end $$;

-- Refuses another list of deductions than was proposed: kind, payee, account and amount of each line, in any order.
create function api.require_deductions(p_offering text, p_release text, p_named jsonb) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if exists (
        with proposed as (
            select d.kind, d.payee, encode(d.payee_fingerprint, 'hex') as fingerprint, d.amount_minor as amount
            from treasury.deduction d where d.offering_id = p_offering and d.release_id = p_release),
        named as (select n.kind, n.payee, n.fingerprint, n.amount
            from jsonb_to_recordset(p_named) as n (kind text, payee text, fingerprint text, amount bigint))
        (table proposed except all table named) union all (table named except all table proposed)) then
        raise exception using errcode = 'BR008', constraint = 'both_people_confirm_payee_and_amount',
            message = format('%s was proposed with other deductions, to another payee or account', p_release);
    end if;
end $$;

create function api.propose_release(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_release text, p_closing text,
    p_payee_fingerprint bytea, p_deductions jsonb, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform api.require_offers_currency(p_offering, array(select d ->> 'currency' from jsonb_array_elements(p_deductions) d));
    perform treasury.propose_release(caller, p_request, p_offering, p_release, p_closing, p_payee_fingerprint, p_deductions);
    answer := api.release_answer(p_offering, p_release);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- The second person names payee, amounts and deductions again, or declines. What is named is {amount, net, deductions}, of which
-- amount and net are {minor, currency} or null.
create function api.decide_release(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_release text, p_version text,
    p_is_approved boolean, p_payee_fingerprint bytea, p_named jsonb, p_because text,
    out answer text, out is_replay boolean)
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
    perform treasury.take_turn(p_offering);
    select r.version into seen from treasury.release r where r.offering_id = p_offering and r.release_id = p_release for update;
    if not found then
        perform api.refuse_unknown('release_exists', p_release);
    end if;
    perform api.require_version(p_version, seen::text);
    if p_is_approved then
        perform api.require_offers_currency(p_offering, array[p_named #>> '{amount,currency}', p_named #>> '{net,currency}']
            || array(select d ->> 'currency' from jsonb_array_elements(p_named -> 'deductions') d));
        perform api.require_deductions(p_offering, p_release, p_named -> 'deductions');
    end if;
    perform treasury.decide_release(caller, p_request, p_offering, p_release, p_is_approved, p_payee_fingerprint,
        (p_named #>> '{amount,minor}')::bigint, seen, (p_named #>> '{net,minor}')::bigint, p_because);
    answer := api.release_answer(p_offering, p_release);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- One step of a claimed wallet: approved, rejected, linked, or joined to the linked one with what its proof was when asked again.
create function api.move_wallet(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_mapping text, p_version text,
    p_act text, p_because text, p_witness jsonb, out answer text, out is_replay boolean)
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
    perform registry.lock_holder(p_offering, p_mapping);
    select m.version into seen from registry.wallet_mapping m where m.offering_id = p_offering and m.mapping_id = p_mapping for update;
    perform api.require_version(p_version, seen::text);
    case p_act
        when 'approve' then perform registry.approve_wallet(caller, p_request, p_offering, p_mapping);
        when 'reject' then perform registry.reject_wallet(caller, p_request, p_offering, p_mapping, p_because);
        when 'link' then perform registry.link_wallet(caller, p_request, p_offering, p_mapping, p_witness);
        when 'join' then perform registry.join_wallet(caller, p_request, p_offering, p_mapping, p_witness);
    end case;
    answer := (select json_build_object('id', m.mapping_id, 'offer', m.offering_id, 'investor', m.investor_id, 'status', m.status,
        'version', m.version::text)::text
        from registry.wallet_mapping m where m.offering_id = p_offering and m.mapping_id = p_mapping);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- What a person of a break's owner does with it, for the actor and keeper that were found behind a key; a break that is given to
-- nobody by name goes to whoever calls.
create function api.act_on_break(p_actor text, p_request text, p_body_sha256 bytea, p_offering text, p_break text, p_version text,
    p_keeper text, p_act text, p_words text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    seen bigint;
begin
    answer := audit.claim_request(p_actor, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    select b.version into seen from reconciliation.break b where b.offering_id = p_offering and b.break_id = p_break for update;
    if not found then
        perform api.refuse_unknown('break_exists', p_break);
    end if;
    perform api.require_version(p_version, seen::text);
    case p_act
        when 'assign' then perform reconciliation.assign_break(p_actor, p_request, p_offering, p_break, p_keeper,
            coalesce(p_words, audit.person_of(p_actor)), seen);
        when 'accept' then perform reconciliation.accept_break(p_actor, p_request, p_offering, p_break, p_keeper, p_words, seen);
        else perform reconciliation.answer_break(p_actor, p_request, p_offering, p_break, p_keeper, p_act = 'correct', p_words, seen);
    end case;
    answer := (select json_build_object('id', b.break_id, 'offer', b.offering_id, 'owner', b.owner, 'status', b.status,
        'assigned_to', b.assigned_to, 'version', b.version::text)::text
        from reconciliation.break b where b.offering_id = p_offering and b.break_id = p_break);
    perform audit.answer_request(p_actor, p_request, p_body_sha256, answer);
end $$;

-- Claims the key of a bank statement, which the same transaction then posts whole.
create function api.take_bank_statement(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_statement text,
    p_file_sha256 text, out answer text, out is_replay boolean)
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
    answer := json_build_object('id', p_statement, 'offer', p_offering, 'status', 'imported', 'file_sha256', p_file_sha256,
        'version', '1');
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

grant execute on function api.propose_release(bytea, text, bytea, text, text, text, bytea, jsonb),
    api.decide_release(bytea, text, bytea, text, text, text, boolean, bytea, jsonb, text),
    api.take_bank_statement(bytea, text, bytea, text, text, text) to treasury;
grant execute on function api.move_wallet(bytea, text, bytea, text, text, text, text, text, jsonb) to registry;
grant usage on schema api to reconciliation;
grant execute on function api.act_on_break(text, text, bytea, text, text, text, text, text, text) to reconciliation;
