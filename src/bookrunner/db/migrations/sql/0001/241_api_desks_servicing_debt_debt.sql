-- Debt over the API: terms and fixings by two people, each decision on the version that was seen, and the distributions that pay them.

-- Terms say their currency, which is the offer's: principal in whole minor units means nothing in another.
create function api.require_offer(p_offering text, p_currency text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    has constant text := (select o.currency from engine.offer o where o.offering_id = p_offering);
begin
    if has is null then
        perform api.refuse_unknown('offer_exists', p_offering);
    elsif p_currency <> has then
        raise exception using errcode = 'BR008', constraint = 'terms_are_in_the_currency_of_the_offer',
            message = format('%s is in %s', p_offering, has);
    end if;
end $$;

create function api.act_on_schedule(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_subject text, p_version text, p_act text,
    p_said jsonb, out answer text, out is_replay boolean)
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
    perform api.require_offer(p_offering, p_said ->> 'currency');
    if p_act = 'proposed' then
        perform engine.propose_schedule(caller, p_request, p_offering, p_subject, p_said);
    else
        select t.version into seen from engine.coupon_schedule t where t.offering_id = p_offering and t.schedule_id = p_subject;
        if not found then
            perform api.refuse_unknown('schedule_exists', p_subject);
        end if;
        perform api.require_version(p_version, seen::text);
        perform engine.decide_schedule(caller, p_request, p_offering, p_subject, p_act = 'approved');
    end if;
    answer := (select json_build_object('id', t.schedule_id, 'status', t.status, 'version', t.version::text)
        from engine.coupon_schedule t where t.offering_id = p_offering and t.schedule_id = p_subject)::text;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.act_on_fixing(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_subject text, p_version text, p_act text,
    p_said jsonb, out answer text, out is_replay boolean)
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
    perform api.require_offer(p_offering, p_said ->> 'currency');
    if p_act = 'proposed' then
        perform engine.propose_fixing(caller, p_request, p_offering, p_subject, p_said);
    else
        select t.version into seen from engine.coupon_fixing t where t.offering_id = p_offering and t.fixing_id = p_subject;
        if not found then
            perform api.refuse_unknown('fixing_exists', p_subject);
        end if;
        perform api.require_version(p_version, seen::text);
        perform engine.decide_fixing(caller, p_request, p_offering, p_subject, p_act = 'approved');
    end if;
    answer := (select json_build_object('id', t.fixing_id, 'status', t.status, 'version', t.version::text)
        from engine.coupon_fixing t where t.offering_id = p_offering and t.fixing_id = p_subject)::text;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.act_on_amortisation(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_subject text, p_version text, p_act text,
    p_said jsonb, out answer text, out is_replay boolean)
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
    perform api.require_offer(p_offering, p_said ->> 'currency');
    if p_act = 'proposed' then
        perform engine.propose_amortisation(caller, p_request, p_offering, p_subject, p_said);
    else
        select t.version into seen from engine.amortisation t where t.offering_id = p_offering and t.amortisation_id = p_subject;
        if not found then
            perform api.refuse_unknown('amortisation_exists', p_subject);
        end if;
        perform api.require_version(p_version, seen::text);
        perform engine.decide_amortisation(caller, p_request, p_offering, p_subject, p_act = 'approved');
    end if;
    answer := (select json_build_object('id', t.amortisation_id, 'status', t.status, 'version', t.version::text)
        from engine.amortisation t where t.offering_id = p_offering and t.amortisation_id = p_subject)::text;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.shown_distribution(p_offering text, p_distribution text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select json_build_object('id', d.distribution_id, 'offer', d.offering_id, 'status', d.status, 'version', d.version::text)::text
    from engine.distribution d where d.offering_id = p_offering and d.distribution_id = p_distribution);

create function api.draft_coupon(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_distribution text, p_number integer,
    p_said jsonb, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform engine.draft_distribution(caller, p_request, p_offering, p_distribution, p_said);
    perform engine.tie_coupon(caller, p_request, p_offering, p_distribution, p_number);
    answer := api.shown_distribution(p_offering, p_distribution);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.draft_instalment(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_distribution text, p_number integer,
    p_said jsonb, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform api.require_offer(p_offering, null);
    perform engine.draft_instalment(caller, p_request, p_offering, p_distribution, p_number, (p_said ->> 'record_on')::date,
        (p_said ->> 'pay_on')::date);
    answer := api.shown_distribution(p_offering, p_distribution);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.act_on_paying_wallet(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_subject text, p_version text, p_act text,
    p_said jsonb, out answer text, out is_replay boolean)
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
    perform api.require_offer(p_offering, null);
    if p_act = 'proposed' then
        perform treasury.propose_paying_wallet(caller, p_request, p_offering, p_subject, p_said ->> 'coin', decode(p_said ->> 'address', 'hex'));
    else
        select t.version into seen from treasury.paying_wallet t where t.offering_id = p_offering and t.wallet_id = p_subject;
        if not found then
            perform api.refuse_unknown('paying_wallet_exists', p_subject);
        end if;
        perform api.require_version(p_version, seen::text);
        perform treasury.decide_paying_wallet(caller, p_request, p_offering, p_subject, p_act = 'approved', seen);
    end if;
    answer := (select json_build_object('id', t.wallet_id, 'status', t.status, 'version', t.version::text)
        from treasury.paying_wallet t where t.offering_id = p_offering and t.wallet_id = p_subject)::text;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

grant execute on function api.act_on_schedule(bytea, text, bytea, text, text, text, text, jsonb),
    api.act_on_fixing(bytea, text, bytea, text, text, text, text, jsonb),
    api.act_on_amortisation(bytea, text, bytea, text, text, text, text, jsonb),
    api.draft_coupon(bytea, text, bytea, text, text, integer, jsonb),
    api.draft_instalment(bytea, text, bytea, text, text, integer, jsonb) to engine;
grant execute on function api.act_on_paying_wallet(bytea, text, bytea, text, text, text, text, jsonb) to treasury;
