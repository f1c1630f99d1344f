-- Acts on applications and packets: like every write, one statement that claims its key and keeps its answer.

-- The investor's steps towards its agreement.
create function api.act_on_application(p_key bytea, p_request text, p_body_sha256 bytea, p_investment text,
    p_act text, p_detail jsonb, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    offering text;
    says bigint;
    tries_left integer;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    select i.offering_id into offering from engine.investment i where i.investment_id = p_investment;
    if not found then
        perform api.refuse_unknown('investment_exists', p_investment);
    end if;
    case p_act
        when 'acknowledge' then
            perform subscription.acknowledge(caller, p_request, offering, p_investment, jsonb_build_array(p_detail));
        when 'state' then
            perform subscription.state_particular(caller, p_request, offering, p_detail ->> 'id', p_investment,
                p_detail ->> 'kind', p_detail -> 'detail');
        when 'issue_sample' then
            perform subscription.issue_sample(caller, p_request, offering, p_investment, p_detail ->> 'sample',
                p_detail ->> 'template', (p_detail ->> 'item_version')::integer, (p_detail ->> 'form')::integer,
                decode(p_detail ->> 'statement', 'hex'), decode(p_detail ->> 'code_mac', 'hex'));
        when 'consent' then
            tries_left := subscription.try_sample_code(caller, p_request, offering, p_investment, p_detail ->> 'sample',
                decode(p_detail ->> 'code_mac', 'hex'));
            if tries_left is null then
                perform subscription.consent(caller, p_request, offering, p_investment, p_detail ->> 'id', p_detail ->> 'sample');
            end if;
        when 'withdraw_consent' then
            perform subscription.withdraw_consent(caller, p_request, offering, p_investment);
        when 'answer' then
            perform subscription.answer_deficiency(caller, p_request, offering, p_investment, p_detail ->> 'id',
                p_detail ->> 'answer');
        when 'submit' then
            perform subscription.submit_application(caller, p_request, offering, p_detail ->> 'id', p_investment);
    end case;
    select pos.version into says from engine.position pos
    where pos.offering_id = offering and pos.investment_id = p_investment;
    answer := json_build_object('id', coalesce(p_detail ->> 'id', p_investment), 'offer', offering,
        'investment', p_investment, 'lacks', subscription.application_lacks(offering, p_investment),
        'version', says::text);
    if tries_left is not null then
        answer := json_build_object('tries_left', tries_left, 'version', says::text);
    end if;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- A signature, a review or a countersignature, on the version of the agreement that was seen.
create function api.act_on_packet(p_key bytea, p_request text, p_body_sha256 bytea, p_agreement text, p_version text,
    p_act text, p_detail jsonb, p_content bytea, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    a subscription.agreement;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    select x.* into a from subscription.agreement x where x.agreement_id = p_agreement;
    if not found then
        perform api.refuse_unknown('agreement_exists', p_agreement);
    end if;
    perform 1 from engine.position pos
    where pos.offering_id = a.offering_id and pos.investment_id = a.investment_id for update;
    select x.* into a from subscription.agreement x
    where x.offering_id = a.offering_id and x.agreement_id = p_agreement;
    perform api.require_version(p_version, a.version::text);
    case p_act
        when 'sign' then
            perform subscription.sign_packet(caller, p_request, a.offering_id, p_agreement, p_detail, p_content);
        when 'countersign' then
            perform subscription.countersign_packet(caller, p_request, a.offering_id, p_agreement, p_detail, p_content);
        when 'hand_over' then
            perform subscription.record_envelope(caller, p_request, a.offering_id, p_agreement, p_detail ->> 'provider',
                p_detail ->> 'ref', caller);
        when 'release' then
            perform subscription.release_packet(caller, p_request, a.offering_id, p_detail ->> 'id', p_agreement,
                decode(p_detail ->> 'seen_sha256', 'hex'));
        when 'return' then
            perform subscription.return_packet(caller, p_request, a.offering_id, p_detail ->> 'id', p_agreement,
                decode(p_detail ->> 'seen_sha256', 'hex'), p_detail -> 'deficiencies');
    end case;
    select json_build_object('id', p_agreement, 'offer', x.offering_id, 'investment', x.investment_id,
        'status', x.status, 'version', x.version::text) into answer
    from subscription.agreement x where x.offering_id = a.offering_id and x.agreement_id = p_agreement;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;
