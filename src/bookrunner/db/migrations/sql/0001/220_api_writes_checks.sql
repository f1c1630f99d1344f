-- The checks behind a clearance, as the officer's console makes them: each act is the book's own verb, each decision is made
-- under the programme and on the version that were seen.

-- The version that a decision names, as the verbs take it; what is no number is the version of nothing.
create function api.seen_version(p_version text) returns bigint
language sql immutable set search_path = pg_catalog, pg_temp
return case when p_version ~ '^[0-9]{1,18}$' then p_version::bigint else -1 end;

-- A file that a decision names was kept for this investor, or for one whom this subject concerns.
create function api.require_file(p_investor text, p_sha256 text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from compliance.sealed_file f where f.sha256 = decode(p_sha256, 'hex')
        and (f.investor_id = p_investor or f.investor_id in (select c.id from compliance.concerned(p_investor) c (id)))) then
        perform api.refuse_unknown('named_file_is_kept', format('file %s of %s', p_sha256, p_investor));
    end if;
end $$;

-- Where the record that an act is about stands.
create function api.check_says(p_act text, p_scope text, p_item text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    stands record;
begin
    case p_act
        when 'case' then
            select k.case_id as id, k.status, k.version into stands from compliance.kyc_case k where k.investor_id = p_scope;
        when 'paper' then
            select d.document_id as id, d.status, d.version into stands from compliance.document d
            where d.investor_id = p_scope and d.document_id = p_item;
        when 'party' then
            select y.party_id as id, y.status, y.version into stands from compliance.party y
            where y.investor_id = p_scope and y.party_id = p_item;
        when 'owner' then
            select o.owner_id as id, o.status, o.version into stands from compliance.beneficial_owner o
            where o.investor_id = p_scope and o.owner_id = p_item;
        when 'accreditation' then
            select a.accreditation_id as id, a.status, a.version into stands from compliance.accreditation a
            where a.investor_id = p_scope;
        when 'discrepancy' then
            select d.discrepancy_id as id, d.status, d.version into stands from compliance.discrepancy d
            where d.investor_id = p_scope and d.discrepancy_id = p_item;
        when 'diligence' then
            select d.diligence_id as id, d.status, d.version into stands from compliance.due_diligence d
            where d.investor_id = p_scope and d.diligence_id = p_item;
        when 'review' then
            select r.rating_id as id, r.status, r.version into stands from compliance.risk_rating r
            where r.investor_id = p_scope;
        when 'hit' then
            select h.hit_id as id, h.status, h.version into stands from compliance.hit h
            where h.subject_id = p_scope and h.hit_id = p_item;
    end case;
    return json_build_object('id', stands.id, 'investor', p_scope, 'status', stands.status, 'version', stands.version::text);
end $$;

-- Opens a case, or puts on record what a later decision rests on.
create function api.act_on_case(p_key bytea, p_request text, p_body_sha256 bytea, p_investor text, p_act text, p_item text,
    p_said jsonb, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    kind_claimed text;
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    if p_act = 'case' then
        select p.kind into kind_claimed from portal.profile p where p.investor_id = p_investor;
        if not found then
            perform api.refuse_unknown('profile_exists', p_investor);
        end if;
        perform compliance.open_case(caller, p_request, p_investor, p_item, kind_claimed, p_said ->> 'form');
    else
        perform compliance.found_case(p_investor);
    end if;
    case p_act
        when 'paper' then
            perform api.require_file(p_investor, p_said ->> 'sha256');
            perform compliance.file_document(caller, p_request, p_investor, p_item, p_said ->> 'code',
                decode(p_said ->> 'sha256', 'hex'), (p_said ->> 'issued_on')::date, (p_said ->> 'valid_until')::timestamptz);
        when 'party' then
            if p_said ? 'document_sha256' then
                perform api.require_file(p_investor, p_said ->> 'document_sha256');
            end if;
            perform compliance.record_party(caller, p_request, p_investor, p_item, p_said ->> 'role', p_said);
        when 'accreditation' then
            perform compliance.submit_accreditation(caller, p_request, p_investor, p_item);
        when 'evidence' then
            perform api.require_file(p_investor, p_said ->> 'sha256');
            perform compliance.add_evidence(caller, p_request, p_investor, p_said ->> 'kind', decode(p_said ->> 'sha256', 'hex'));
            if not exists (select from compliance.accreditation a where a.investor_id = p_investor) then
                perform api.refuse_unknown('accreditation_exists', format('accreditation of %s', p_investor));
            end if;
        else null;
    end case;
    answer := api.check_says(case p_act when 'evidence' then 'accreditation' else p_act end, p_investor, p_item);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.keep_file(p_key bytea, p_request text, p_body_sha256 bytea, p_investor text, p_sha256 text, p_sealed bytea,
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
    perform compliance.found_case(p_investor);
    perform compliance.keep_file(caller, p_request, p_investor, decode(p_sha256, 'hex'), p_sealed);
    answer := json_build_object('investor', p_investor, 'sha256', p_sha256, 'version', '1');
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

create function api.open_clearance(p_key bytea, p_request text, p_body_sha256 bytea, p_offering text, p_clearance text,
    p_investor text, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform compliance.found_case(p_investor);
    perform compliance.open_clearance(caller, p_request, p_offering, p_clearance, p_investor);
    select json_build_object('id', c.clearance_id, 'offer', c.offering_id, 'investor', c.investor_id, 'status', c.status,
        'lacks', c.lacks, 'version', c.version::text) into answer
    from compliance.clearance c where c.offering_id = p_offering and c.investor_id = p_investor;
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- Takes the owners that a signer certified into the record; the answer has the ids that they got, and no name.
create function api.take_ownership(p_key bytea, p_request text, p_body_sha256 bytea, p_investor text, p_statement text,
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
    answer := json_build_object('id', p_statement, 'investor', p_investor, 'owners',
        compliance.take_ownership(caller, p_request, p_investor, p_statement, p_because), 'version', '1');
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;

-- An officer's decision on one check. Its evidence is kept with it, sealed: a decision that is refused leaves none.
create function api.decide_check(p_key bytea, p_request text, p_body_sha256 bytea, p_scope text, p_act text, p_item text,
    p_version text, p_programme text, p_said jsonb, out answer text, out is_replay boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    caller constant text := api.caller(p_key);
    seen constant bigint := api.seen_version(p_version);
    because constant text := p_said ->> 'because';
    decision constant text := p_said ->> 'decision';
    evidence constant bytea := decode(p_said ->> 'evidence_sha256', 'hex');
begin
    answer := audit.claim_request(caller, p_request, p_body_sha256);
    is_replay := answer is not null;
    if is_replay then
        return;
    end if;
    perform compliance.decide_under(caller, p_request, p_programme);
    if evidence is not null then
        perform compliance.keep_file(caller, p_request, p_scope, evidence, decode(p_said ->> 'evidence_sealed', 'hex'));
    end if;
    case p_act
        when 'case' then
            if decision = 'declined' then
                perform compliance.decline_case(caller, p_request, p_scope, seen, because);
            else
                perform compliance.verify_identity(caller, p_request, p_scope, seen, p_said - 'evidence_sealed');
            end if;
        when 'paper' then perform compliance.reject_document(caller, p_request, p_scope, p_item, because, seen);
        when 'party' then perform compliance.verify_party(caller, p_request, p_scope, p_item, evidence, seen);
        when 'owner' then perform compliance.verify_owner(caller, p_request, p_scope, p_item, evidence, seen);
        when 'discrepancy' then
            perform compliance.decide_discrepancy(caller, p_request, p_scope, p_item, decision = 'resolved', because, seen);
        when 'accreditation' then
            if decision = 'approved' then
                perform compliance.approve_accreditation(caller, p_request, p_scope, p_said ->> 'method',
                    (p_said ->> 'valid_until')::timestamptz, seen, because);
            else
                perform compliance.move_accreditation(caller, p_request, p_scope, decision, because, seen);
            end if;
        when 'diligence' then
            if decision = 'completed' then
                perform compliance.complete_diligence(caller, p_request, p_scope, p_item, evidence, seen);
            else
                perform compliance.decide_diligence(caller, p_request, p_scope, p_item, decision = 'approved', because, seen);
            end if;
        when 'review' then perform compliance.complete_review(caller, p_request, p_scope, because, seen);
        when 'hit' then
            if decision in ('agreed', 'sent_back') then
                perform compliance.second_hit(caller, p_request, p_scope, p_item, decision = 'agreed', because, seen);
            elsif decision = 'release' then
                perform compliance.propose_release(caller, p_request, p_scope, p_item, evidence, because, seen);
            else
                perform compliance.decide_hit(caller, p_request, p_scope, p_item, decision, because, seen);
            end if;
    end case;
    answer := api.check_says(p_act, p_scope, p_item);
    perform audit.answer_request(caller, p_request, p_body_sha256, answer);
end $$;
