-- What is paid beside the lines of distributions, over the API: each act on the version that was seen.

create function api.act_on_remittance(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_subject text, p_version text, p_act text,
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
    if not exists (select from engine.offer o where o.offering_id = p_offering) then
        perform api.refuse_unknown('offer_exists', p_offering);
    end if;
    if p_act = 'proposed' then
        perform treasury.propose_remittance(caller, p_request, p_offering, p_subject, p_said);
    else
        select m.version into seen from treasury.tax_remittance m where m.offering_id = p_offering and m.remittance_id = p_subject;
        if not found then
            perform api.refuse_unknown('remittance_exists', p_subject);
        end if;
        perform api.require_version(p_version, seen::text);
        if p_act = 'retried' then
            perform treasury.retry_remittance(caller, p_request, p_offering, p_subject);
        elsif p_act = 'given_up' then
            perform treasury.give_up_remittance(caller, p_request, p_offering, p_subject, p_said ->> 'because', seen);
        else
            perform treasury.decide_remittance(caller, p_request, p_offering, p_subject, p_act = 'approved', seen);
        end if;
    end if;
    answer := (select json_build_object('id', m.remittance_id, 'status', m.status, 'version', m.version::text)
        from treasury.tax_remittance m where m.offering_id = p_offering and m.remittance_id = p_subject)::text;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.act_on_payee_account(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_subject text, p_version text, p_act text,
    p_said jsonb, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a treasury.payee_account;
    caller constant text := api.caller(p_key);
    seen bigint;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    if not exists (select from engine.offer o where o.offering_id = p_offering) then
        perform api.refuse_unknown('offer_exists', p_offering);
    end if;
    if p_act = 'proposed' then
        if not exists (select from engine.payee_of_offer p where p.offering_id = p_offering and p.payee_id = p_said ->> 'payee') then
            perform api.refuse_unknown('payee_exists', p_said ->> 'payee');
        end if;
        perform treasury.name_payee_account(caller, p_request, p_said ->> 'payee', p_subject, decode(p_said ->> 'fingerprint', 'hex'),
            decode(p_said ->> 'evidence_sha256', 'hex'), p_said ->> 'because', p_said ->> 'way', p_said ->> 'class');
    else
        select * into a from treasury.payee_account x where x.investor_id = p_said ->> 'payee' and x.account_id = p_subject
            and exists (select from engine.payee_of_offer p where p.offering_id = p_offering and p.payee_id = x.investor_id);
        if not found then
            perform api.refuse_unknown('payee_account_exists', p_subject);
        end if;
        perform api.require_version(p_version, a.version::text);
        perform treasury.decide_payee_account(caller, p_request, a.investor_id, p_subject, p_act = 'approved', a.version);
    end if;
    answer := (select json_build_object('id', x.account_id, 'status', x.status, 'version', x.version::text)
        from treasury.payee_account x where x.investor_id = p_said ->> 'payee' and x.account_id = p_subject)::text;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.act_on_tax_year(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_subject text, p_version text, p_act text,
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
    if not exists (select from engine.offer o where o.offering_id = p_offering) then
        perform api.refuse_unknown('offer_exists', p_offering);
    end if;
    if p_act = 'drafted' then
        perform engine.draft_tax_year(caller, p_request, p_offering, p_subject, (p_said ->> 'year')::integer);
    else
        select y.version into seen from engine.tax_year y where y.offering_id = p_offering and y.tax_year_id = p_subject;
        if not found then
            perform api.refuse_unknown('tax_year_exists', p_subject);
        end if;
        perform api.require_version(p_version, seen::text);
        perform engine.decide_tax_year(caller, p_request, p_offering, p_subject, p_act = 'released', p_said ->> 'because', seen);
    end if;
    answer := (select json_build_object('id', y.tax_year_id, 'status', y.status, 'version', y.version::text)
        from engine.tax_year y where y.offering_id = p_offering and y.tax_year_id = p_subject)::text;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.act_on_mandate(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_subject text, p_version text, p_act text,
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
    if not exists (select from engine.offer o where o.offering_id = p_offering) then
        perform api.refuse_unknown('offer_exists', p_offering);
    end if;
    if p_act = 'proposed' then
        perform registry.propose_payee(caller, p_request, p_offering, p_subject, p_said);
    else
        select m.version into seen from registry.payee_mandate m where m.offering_id = p_offering and m.mandate_id = p_subject;
        if not found then
            perform api.refuse_unknown('mandate_exists', p_subject);
        end if;
        perform api.require_version(p_version, seen::text);
        perform registry.decide_payee(caller, p_request, p_offering, p_subject, p_act = 'approved', seen);
    end if;
    answer := (select json_build_object('id', m.mandate_id, 'status', m.status, 'version', m.version::text)
        from registry.payee_mandate m where m.offering_id = p_offering and m.mandate_id = p_subject)::text;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.act_on_rescission(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_subject text, p_version text, p_act text,
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
    if not exists (select from engine.offer o where o.offering_id = p_offering) then
        perform api.refuse_unknown('offer_exists', p_offering);
    end if;
    if p_act = 'asked' then
        perform registry.ask_rescission(caller, p_request, p_offering, p_subject, p_said ->> 'action', p_said);
    else
        select r.version into seen from registry.rescission r where r.offering_id = p_offering and r.rescission_id = p_subject;
        if not found then
            perform api.refuse_unknown('rescission_exists', p_subject);
        end if;
        perform api.require_version(p_version, seen::text);
        perform registry.record_repayment(caller, p_request, p_offering, p_subject, decode(p_said ->> 'evidence_sha256', 'hex'));
    end if;
    answer := (select json_build_object('id', r.rescission_id, 'status', r.status, 'version', r.version::text)
        from registry.rescission r where r.offering_id = p_offering and r.rescission_id = p_subject)::text;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

grant execute on function api.act_on_remittance(bytea, text, bytea, text, text, text, text, jsonb),
    api.act_on_payee_account(bytea, text, bytea, text, text, text, text, jsonb) to treasury;
grant execute on function api.act_on_tax_year(bytea, text, bytea, text, text, text, text, jsonb) to engine;
grant execute on function api.act_on_mandate(bytea, text, bytea, text, text, text, text, jsonb),
    api.act_on_rescission(bytea, text, bytea, text, text, text, text, jsonb) to registry;
