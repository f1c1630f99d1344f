-- What stands before the amount of a commitment: the questionnaire of an offer, its answers, the limit of the investor.

create function api.publish_questionnaire(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_content jsonb,
    p_because text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    answer := json_build_object('offer', p_offering,
        'version', compliance.publish_questionnaire(caller, p_request, p_offering, p_content, p_because)::text);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.answer_suitability(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_suitability text,
    p_investor text, p_questionnaire integer, p_answers jsonb, p_is_warned boolean,
    p_account text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform portal.answer_suitability(caller, p_request, p_offering, p_suitability, p_investor, p_account,
        p_questionnaire, p_answers, p_is_warned);
    answer := json_build_object('id', p_suitability, 'offer', p_offering, 'investor', p_investor, 'questionnaire',
        p_questionnaire::text, 'appropriateness', compliance.appropriateness(p_offering, p_investor, p_answers, p_is_warned), 'version', '1');
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- The questionnaire in force with its questions, in the order in which they are asked; nothing where none is asked.
create function api.questionnaire(p_offering text) returns json
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select json_build_object('offer', q.offering_id, 'version', q.questionnaire_no::text, 'questions', (
        select json_agg(json_build_object('id', x.question_id, 'sentence', x.sentence, 'choices', x.choices,
            'is_required', x.is_required, 'if_question', x.if_question, 'if_answers', x.if_answers) order by x.place)
        from compliance.question x where x.offering_id = q.offering_id and x.questionnaire_no = q.questionnaire_no))
    from compliance.questionnaire_of(p_offering) q where q.questionnaire_no is not null;
end;

-- How much an investor may still commit to an offer; no limit where the exemption has none, or for the accredited.
create function api.commitment_limit(p_offering text, p_investor text)
returns table (currency text, limit_minor bigint, used_minor bigint, stated_at timestamptz)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    o engine.offer;
begin
    select * into o from engine.offer x where x.offering_id = p_offering;
    if not found then
        perform api.refuse_unknown('offer_exists', p_offering);
    end if;
    return query select o.currency, l.limit_minor, coalesce(l.used_minor, 0), l.stated_at
    from (select) one left join compliance.limit_of(p_offering, p_investor, null, clock_timestamp()) l on true;
end $$;

create function api.certify_ownership(p_key bytea, p_request text, p_body_sha256 bytea, p_investor text, p_statement text,
    p_account text, p_people jsonb, p_shares jsonb, p_is_certified boolean, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform portal.certify_ownership(caller, p_request, p_investor, p_statement, p_account, p_people, p_shares, p_is_certified);
    answer := json_build_object('id', p_statement, 'investor', p_investor, 'status', 'certified', 'version', '1');
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;
