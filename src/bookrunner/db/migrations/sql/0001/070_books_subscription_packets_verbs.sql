-- The verbs of packets: templates, what investors state, sending and signing.

create function subscription.draft_template(p_actor text, p_request text, p_template text, p_sha256 bytea,
    p_engine text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into subscription.template (template_id, sha256, engine_version, author, status)
    values (p_template, p_sha256, p_engine, p_actor, 'draft');
end $$;

-- A second person approves exactly the files whose digest was seen.
create function subscription.approve_template(p_actor text, p_request text, p_template text, p_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update subscription.template set status = 'approved', approved_by = p_actor
    where template_id = p_template and sha256 = p_sha256;
    if not found then
        perform subscription.refuse('approved_template_is_the_seen_one', format('%s has other files', p_template));
    end if;
end $$;

create function subscription.retire_template(p_actor text, p_request text, p_template text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update subscription.template set status = 'retired' where template_id = p_template;
    if not found then
        perform subscription.refuse_missing('template_exists', p_template);
    end if;
end $$;

-- Says which approved template an offer uses from now on, and how the issuer stands in it.
create function subscription.name_packet_form(p_actor text, p_request text, p_offering text, p_template text,
    p_issuer jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if not exists (select from engine.offer o where o.offering_id = p_offering and o.agreement_form = 'packet') then
        perform subscription.refuse('offer_takes_packets', format('%s has another form of agreement', p_offering));
    end if;
    if not exists (select from subscription.template t where t.template_id = p_template and t.status = 'approved') then
        perform subscription.refuse('template_is_approved', p_template);
    end if;
    insert into subscription.packet_form (offering_id, ordinal, template_id, issuer_name, jurisdiction, security,
        records_contact, paper_fee, named_by)
    select p_offering, 1 + count(*), p_template, p_issuer ->> 'name', p_issuer ->> 'jurisdiction',
        p_issuer ->> 'security', p_issuer ->> 'contact', p_issuer ->> 'paper_fee', p_actor
    from subscription.packet_form f where f.offering_id = p_offering;
end $$;

create function subscription.authorise_signatory(p_actor text, p_request text, p_offering text, p_signatory text,
    p_said jsonb, p_authority_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into subscription.signatory (offering_id, signatory_id, name, capacity, authority, authority_sha256, status)
    values (p_offering, p_signatory, p_said ->> 'name', p_said ->> 'capacity', p_said ->> 'authority',
        p_authority_sha256, 'authorised');
end $$;

create function subscription.revoke_signatory(p_actor text, p_request text, p_offering text, p_signatory text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update subscription.signatory set status = 'revoked' where offering_id = p_offering and signatory_id = p_signatory;
    if not found then
        perform subscription.refuse_missing('signatory_exists', p_signatory);
    end if;
end $$;

-- Ends the agreement in force of an investment, whatever its state; the caller has locked the position.
create function subscription.void_in_force(p_offering text, p_investment text, p_because text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update subscription.agreement set status = 'voided', void_because = p_because
    where offering_id = p_offering and investment_id = p_investment
        and status in ('draft', 'sent', 'investor_signed', 'countersigned');
end $$;

-- Ends a packet that is not executed and shows an item in a version that no longer counts; the caller has locked the
-- position. What is executed stands: a material change asks its investors by an amendment.
create function subscription.void_outdated(p_offering text, p_investment text, p_because text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update subscription.agreement a set status = 'voided', void_because = p_because
    where a.offering_id = p_offering and a.investment_id = p_investment and a.status in ('draft', 'sent', 'investor_signed')
        and exists (select from subscription.packet p where p.offering_id = p_offering and p.agreement_id = a.agreement_id);
    update subscription.application set status = 'replaced'
    where offering_id = p_offering and investment_id = p_investment and status = 'submitted' and found;
end $$;

-- Records one particular. One that was stated before is replaced, and a packet that shows it is void.
create function subscription.state_particular(p_actor text, p_request text, p_offering text, p_particular text,
    p_investment text, p_kind text, p_detail jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform subscription.lock(p_offering, p_investment);
    update subscription.particular set status = 'replaced'
    where offering_id = p_offering and investment_id = p_investment and kind = p_kind and status = 'stated';
    if found then
        perform subscription.void_in_force(p_offering, p_investment, p_kind || ' was stated anew');
        update subscription.application set status = 'replaced'
        where offering_id = p_offering and investment_id = p_investment and status = 'submitted';
    end if;
    insert into subscription.particular (offering_id, particular_id, investment_id, kind, status, detail, detail_sha256,
        stated_by)
    values (p_offering, p_particular, p_investment, p_kind, 'stated', p_detail,
        sha256(convert_to(p_detail::text, 'UTF8')), p_actor);
    perform subscription.publish(p_offering, p_investment);
end $$;

-- What an application lacks: items that are not acknowledged, particulars that are not stated, open deficiencies,
-- statements that the compliance record contradicts.
create function subscription.application_lacks(p_offering text, p_investment text) returns text[]
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    kinds text[] := '{records_consent,tax_form}';
begin
    if (select engine.profile_kind(pos.investor_id) from engine.position pos where pos.offering_id = p_offering
        and pos.investment_id = p_investment) is distinct from 'individual' then
        kinds := kinds || '{authority,ownership}'::text[];
    end if;
    return array(
        select 'item:' || k from unnest(subscription.lacking(p_offering, p_investment)) k
        union all
        select 'particular:' || k from unnest(kinds) k where not subscription.is_stated(p_offering, p_investment, k)
        union all
        select 'deficiency:' || d.deficiency_id from subscription.deficiency d
        where d.offering_id = p_offering and d.investment_id = p_investment and d.status = 'open'
        union all
        select distinct 'contradiction:' || c.code from subscription.contradictions(p_offering, p_investment) c
        order by 1);
end $$;

create function subscription.refuse_incomplete(p_offering text, p_investment text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    lacks constant text[] := subscription.application_lacks(p_offering, p_investment);
begin
    if lacks <> '{}' then
        perform subscription.refuse('application_is_complete', array_to_string(lacks, ', '));
    end if;
end $$;

-- The investor asks for its agreement; it is rendered from what stands in the books now.
create function subscription.submit_application(p_actor text, p_request text, p_offering text, p_application text,
    p_investment text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform subscription.lock(p_offering, p_investment);
    perform subscription.refuse_incomplete(p_offering, p_investment);
    update subscription.application set status = 'replaced'
    where offering_id = p_offering and investment_id = p_investment and status = 'submitted';
    insert into subscription.application (offering_id, application_id, investment_id, status)
    values (p_offering, p_application, p_investment, 'submitted');
end $$;

-- No agreement can be made of what was stated: the application goes back with the rule that it breaks.
create function subscription.return_application(p_actor text, p_request text, p_offering text, p_investment text,
    p_deficiency jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform subscription.lock(p_offering, p_investment);
    update subscription.application set status = 'replaced'
    where offering_id = p_offering and investment_id = p_investment and status = 'submitted';
    if not found then
        return;
    end if;
    insert into subscription.deficiency (offering_id, deficiency_id, investment_id, status, field, reason, words)
    values (p_offering, p_deficiency ->> 'id', p_investment, 'open', p_deficiency ->> 'rule', 'not_rendered',
        p_deficiency ->> 'words');
end $$;

-- What an investor still has to do for its packet, in the order in which it can be done.
create function subscription.packet_to_do(p_offering text, p_investment text)
returns table (step text, code text, says text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    with form as (
        select 1 from engine.offer o join engine.investment i using (offering_id) where o.offering_id = p_offering
            and i.investment_id = p_investment and o.agreement_form = 'packet' and i.status in ('new', 'confirmed', 'legally_confirmed')
    ), lacks as (
        select split_part(l, ':', 1) as part, split_part(l, ':', 2) as code
        from unnest(subscription.application_lacks(p_offering, p_investment)) l
    ), agreed as (
        select a.agreement_id, a.status from subscription.agreement a where a.offering_id = p_offering
            and a.investment_id = p_investment and a.status in ('draft', 'sent', 'investor_signed', 'countersigned')
    ), steps as (
        select 1 as place, 'correct' as step, d.field as code,
            case when d.page is null then d.words else 'page ' || d.page || ', ' || d.reason end as says
        from subscription.deficiency d where d.offering_id = p_offering and d.investment_id = p_investment and d.status = 'open'
        union all
        select case l.code when 'records_consent' then 2 else 4 end, 'state', l.code, '' from lacks l where l.part = 'particular'
        union all
        select 1, 'correct', l.code, 'compliance has something else on record' from lacks l where l.part = 'contradiction'
        union all
        select 3, r.kind, r.code, r.sentence from subscription.requirement_in_force r
        where r.offering_id = p_offering and not exists (select from subscription.acknowledgment k
            where k.offering_id = p_offering and k.investment_id = p_investment
            and (k.kind, k.code, k.item_version) = (r.kind, r.code, r.item_version))
        union all
        select 5, 'submit', '', '' where not exists (select from lacks) and not exists (select from agreed)
            and not exists (select from subscription.application p where p.offering_id = p_offering
                and p.investment_id = p_investment and p.status = 'submitted')
        union all
        select 6, 'sign', a.agreement_id, case when cardinality(f.parties) > 2 then format('%s of %s have signed',
            (select count(*) from subscription.signed_file s where s.agreement_id = a.agreement_id
                and s.offering_id = p_offering), cardinality(f.parties) - 1) else '' end
        from agreed a join subscription.packet_fact f on f.offering_id = p_offering and f.agreement_id = a.agreement_id
        where a.status = 'sent'
    )
    select s.step, s.code, s.says from steps s where exists (select from form) order by s.place, s.step, s.code;
end;

-- Answers a deficiency of this investment; that of another is not there.
create function subscription.answer_deficiency(p_actor text, p_request text, p_offering text, p_investment text,
    p_deficiency text, p_answer text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update subscription.deficiency set status = 'answered', answer = p_answer
    where offering_id = p_offering and investment_id = p_investment and deficiency_id = p_deficiency;
    if not found then
        perform subscription.refuse_missing('deficiency_exists', p_deficiency);
    end if;
end $$;

-- Opens a rendered packet for signature; its two documents are archived. The packet says how it was made.
create function subscription.send_packet(p_actor text, p_request text, p_offering text, p_agreement text,
    p_investment text, p_packet jsonb, p_content bytea, p_data bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    p engine.position;
begin
    perform audit.enter(p_actor, p_request);
    p := engine.pass(p_offering, p_investment, 'open_signing');
    perform subscription.refuse_incomplete(p_offering, p_investment);
    if p.profile_digest is distinct from decode(p_packet ->> 'profile_sha256', 'hex') then
        perform subscription.refuse('packet_states_the_verified_profile', format('%s was amended', p.investor_id));
    end if;
    perform subscription.keep_bytes(p_content, 'application/pdf'), subscription.keep_bytes(p_data, 'application/json');
    insert into subscription.agreement (offering_id, agreement_id, investment_id, ordinal, status, units, amount_minor,
        profile_digest, document_sha256)
    select p_offering, p_agreement, p_investment, (select 1 + count(*) from subscription.agreement a
            where a.offering_id = p_offering and a.investment_id = p_investment),
        'draft', i.units, i.amount_minor, p.profile_digest, sha256(p_content)
    from engine.investment i where i.offering_id = p_offering and i.investment_id = p_investment;
    if not exists (select from engine.investment i where i.offering_id = p_offering and i.investment_id = p_investment
        and i.units = (p_packet ->> 'units')::bigint and i.amount_minor = (p_packet ->> 'amount_minor')::bigint) then
        perform subscription.refuse('agreement_states_the_committed_amount', p_investment);
    end if;
    insert into subscription.packet (offering_id, agreement_id, application_id, template_id, template_sha256,
        engine_version, data_sha256, reference, offer_version, profile_version, pages, boxes)
    select p_offering, p_agreement, a.application_id, p_packet ->> 'template',
        decode(p_packet ->> 'template_sha256', 'hex'), p_packet ->> 'engine_version', sha256(p_data),
        p_packet ->> 'reference', (p_packet ->> 'offer_version')::bigint, (p_packet ->> 'profile_version')::integer,
        (p_packet ->> 'pages')::integer, p_packet -> 'boxes'
    from subscription.application a where a.offering_id = p_offering and a.investment_id = p_investment
        and a.status = 'submitted';
    if not found then
        perform subscription.refuse('application_is_submitted', format('%s asks for no agreement', p_investment));
    end if;
    update subscription.agreement set status = 'sent' where offering_id = p_offering and agreement_id = p_agreement;
    perform subscription.publish(p_offering, p_investment);
end $$;

-- Keeps the bytes of one signature with its verdict and class of retention.
create function subscription.keep_signed(p_actor text, p_offering text, p_agreement text, p_party text, p_proof jsonb,
    p_content bytea) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if p_content is null then
        perform subscription.refuse('signed_packet_has_its_file', format('%s came without a file', p_agreement));
    end if;
    perform subscription.keep_bytes(p_content, 'application/pdf');
    perform subscription.classify(sha256(p_content),
        case p_party when 'issuer' then 'executed_agreement' else 'working_paper' end);
    insert into subscription.signed_file (offering_id, agreement_id, party, sha256, signer, name, capacity, intent,
        serial, verdict, recorded_by)
    values (p_offering, p_agreement, p_party, sha256(p_content), p_proof ->> 'signer', p_proof ->> 'name',
        p_proof ->> 'capacity', p_proof ->> 'intent', p_proof ->> 'serial', p_proof -> 'verdict', p_actor);
    if coalesce(p_proof -> 'evidence' ->> 'sealed', '') = '' then
        perform subscription.refuse('signature_has_its_evidence', format('nothing says how the %s was known', p_party));
    end if;
    insert into subscription.signing_evidence (offering_id, evidence_id, agreement_id, party, status, method,
        authenticated_at, wrapped, sealed, session_sha256)
    select p_offering, 'sev_' || substr(p_agreement, 5) || '_' || p_party, p_agreement, p_party, 'kept', e.method, e.at,
        decode(e.wrapped, 'hex'), decode(e.sealed, 'hex'), decode(e.session_sha256, 'hex')
    from jsonb_to_record(p_proof -> 'evidence') as e (method text, at timestamptz, wrapped text, sealed text, session_sha256 text);
end $$;

create function subscription.found_packet(p_offering text, p_agreement text) returns subscription.agreement
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    a subscription.agreement;
begin
    select x.* into a from subscription.agreement x join subscription.packet using (offering_id, agreement_id)
    where x.offering_id = p_offering and x.agreement_id = p_agreement;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'agreement_exists',
            message = format('there is no packet %s in %s', p_agreement, p_offering);
    end if;
    return a;
end $$;

-- One signature of the investor, verified on the bytes that are stored with it; the proof names its field. The packet
-- is signed when the last of the investor's signers has signed.
create function subscription.sign_packet(p_actor text, p_request text, p_offering text, p_agreement text, p_proof jsonb,
    p_content bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a subscription.agreement := subscription.found_packet(p_offering, p_agreement);
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_gate(p_offering, a.investment_id, 'open_signing');
    a := subscription.found_packet(p_offering, p_agreement);
    if a.status <> 'sent' then
        perform subscription.refuse('agreement_is_open_for_signature', format('%s is %s', p_agreement, a.status));
    end if;
    if exists (select from subscription.signed_file s where s.offering_id = p_offering and s.agreement_id = p_agreement
        and s.party = p_proof ->> 'party') then
        perform subscription.refuse('each_signer_signs_once', format('%s of %s', p_proof ->> 'party', p_agreement));
    end if;
    perform subscription.refuse_incomplete(p_offering, a.investment_id);
    perform subscription.keep_signed(p_actor, p_offering, p_agreement, p_proof ->> 'party', p_proof, p_content);
    update subscription.agreement set signed_sha256 = sha256(p_content),
        status = case when subscription.unsigned(p_offering, p_agreement) = '{}' then 'investor_signed' else 'sent' end
    where offering_id = p_offering and agreement_id = p_agreement;
    perform subscription.publish(p_offering, a.investment_id);
end $$;

-- The issuer's final countersignature: of two officers at once, the second finds the agreement executed.
create function subscription.countersign_packet(p_actor text, p_request text, p_offering text, p_agreement text,
    p_proof jsonb, p_content bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a subscription.agreement := subscription.found_packet(p_offering, p_agreement);
begin
    perform audit.enter(p_actor, p_request);
    perform subscription.lock(p_offering, a.investment_id);
    a := subscription.found_packet(p_offering, p_agreement);
    if a.status <> 'investor_signed' then
        perform subscription.refuse('agreement_waits_for_the_issuer', format('%s is %s', p_agreement, a.status));
    end if;
    if p_actor is distinct from p_proof ->> 'signer' then
        perform subscription.refuse('officer_signs_in_its_own_name', format('%s is not the signer', p_actor));
    end if;
    perform engine.require_gate(p_offering, a.investment_id, 'countersign');
    perform subscription.keep_signed(p_actor, p_offering, p_agreement, 'issuer', p_proof, p_content);
    update subscription.agreement set status = 'countersigned', executed_sha256 = sha256(p_content)
    where offering_id = p_offering and agreement_id = p_agreement;
    insert into subscription.certificate (offering_id, certificate_id, agreement_id, status)
    values (p_offering, 'crt_' || substr(p_agreement, 5), p_agreement, 'due');
    perform subscription.publish(p_offering, a.investment_id);
end $$;
