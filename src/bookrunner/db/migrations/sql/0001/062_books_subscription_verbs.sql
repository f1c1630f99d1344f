-- The verbs of the subscription desk.

-- The kinds of items of which an investment still lacks one.
create function subscription.lacking(p_offering text, p_investment text) returns text[]
language sql stable set search_path = pg_catalog, pg_temp
return (
    select coalesce(array_agg(distinct r.kind), '{}') from subscription.requirement_in_force r
    where r.offering_id = p_offering and not exists (select from subscription.acknowledgment a
        where a.offering_id = p_offering and a.investment_id = p_investment and a.kind = r.kind
        and a.code = r.code and a.item_version = r.item_version));

-- Tells the position what the desk says now; the caller has locked it.
create function subscription.publish(p_offering text, p_investment text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    a subscription.agreement;
    allocated boolean;
    represents boolean;
    lacks text[] := subscription.lacking(p_offering, p_investment);
begin
    select * into a from subscription.agreement where offering_id = p_offering and investment_id = p_investment
        and status in ('draft', 'sent', 'investor_signed', 'countersigned');
    allocated := exists (select from subscription.allocation_approval where offering_id = p_offering
        and investment_id = p_investment and status = 'approved');
    -- A change that nobody has agreed to is a representation that is not made.
    represents := 'representation' <> all (lacks) and not exists (select from subscription.reconfirmation r
        where r.offering_id = p_offering and r.investment_id = p_investment and r.status in ('asked', 'declined', 'lapsed'));
    update engine.position as pos set
        materials_are_received = 'material' <> all (lacks),
        risks_are_acknowledged = 'risk' <> all (lacks),
        representations_are_made = represents,
        packet_since = case when pos.representations_are_made and not represents then clock_timestamp() else pos.packet_since end,
        agreement_is_signed = coalesce(a.status in ('investor_signed', 'countersigned'), false),
        agreement_is_countersigned = coalesce(a.status = 'countersigned', false),
        allocation_is_approved = allocated,
        agreement_since = case when pos.agreement_is_signed = coalesce(a.status in ('investor_signed', 'countersigned'), false)
            then pos.agreement_since else clock_timestamp() end,
        countersigned_since = case when pos.agreement_is_countersigned = coalesce(a.status = 'countersigned', false)
            then pos.countersigned_since else clock_timestamp() end,
        allocation_since = case when pos.allocation_is_approved = allocated then pos.allocation_since
            else clock_timestamp() end,
        agreed_digest = a.profile_digest,
        agreement_fact = a.agreement_id || '@' || a.version,
        agreement_hash = a.chain_head
    where pos.offering_id = p_offering and pos.investment_id = p_investment;
end $$;

create function subscription.lock(p_offering text, p_investment text) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.position where offering_id = p_offering and investment_id = p_investment for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'investment_exists',
            message = format('there is no investment %s in %s', p_investment, p_offering);
    end if;
end $$;

create function subscription.archive(p_actor text, p_request text, p_content bytea, p_media_type text) returns bytea
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    return subscription.keep_bytes(p_content, p_media_type);
end $$;

-- Puts a material, risk or representation in force. A later version must be acknowledged again.
create function subscription.require_item(p_actor text, p_request text, p_offering text, p_kind text, p_code text,
    p_version integer, p_document_sha256 bytea, p_sentence text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    i text;
begin
    perform audit.enter(p_actor, p_request);
    insert into subscription.requirement (offering_id, kind, code, item_version, document_sha256, sentence)
    values (p_offering, p_kind, p_code, p_version, p_document_sha256, p_sentence);
    for i in select investment_id from engine.position where offering_id = p_offering order by investment_id for update loop
        perform subscription.void_outdated(p_offering, i, p_code || ' is required anew');
        perform subscription.publish(p_offering, i);
    end loop;
end $$;

-- Records items one by one; items is a list of {id, kind, code, version}.
create function subscription.acknowledge(p_actor text, p_request text, p_offering text, p_investment text,
    p_items jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform subscription.lock(p_offering, p_investment);
    insert into subscription.acknowledgment (offering_id, acknowledgment_id, investment_id, kind, code, item_version, status)
    select p_offering, i.id, p_investment, i.kind, i.code, i.version, 'made'
    from jsonb_to_recordset(p_items) as i (id text, kind text, code text, version integer);
    perform subscription.publish(p_offering, p_investment);
end $$;

-- Opens the agreement for signature; waits for the profile and compliance, and states what the investor has committed.
create function subscription.send_agreement(p_actor text, p_request text, p_offering text, p_agreement text,
    p_investment text, p_units bigint, p_amount_minor bigint, p_document_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    p engine.position;
begin
    perform audit.enter(p_actor, p_request);
    p := engine.pass(p_offering, p_investment, 'open_signing');
    if not exists (select from engine.investment i where i.offering_id = p_offering and i.investment_id = p_investment
        and i.units = p_units and i.amount_minor = p_amount_minor) then
        perform subscription.refuse('agreement_states_the_committed_amount', p_investment);
    end if;
    insert into subscription.agreement (offering_id, agreement_id, investment_id, ordinal, status, units,
        amount_minor, profile_digest, document_sha256)
    select p_offering, p_agreement, p_investment, 1 + count(*), 'draft', p_units, p_amount_minor, p.profile_digest,
        p_document_sha256
    from subscription.agreement where offering_id = p_offering and investment_id = p_investment;
    update subscription.agreement set status = 'sent' where offering_id = p_offering and agreement_id = p_agreement;
    perform subscription.publish(p_offering, p_investment);
end $$;

create function subscription.record_signature(p_offering text, p_agreement text, p_party text, p_signer text,
    p_proof jsonb) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    insert into subscription.signature (offering_id, agreement_id, party, signer, capacity, intent, signed_sha256,
        public_key, signature)
    values (p_offering, p_agreement, p_party, p_signer, p_proof ->> 'capacity', p_proof ->> 'intent',
        decode(p_proof ->> 'signed_sha256', 'hex'), decode(p_proof ->> 'public_key', 'hex'),
        decode(p_proof ->> 'signature', 'hex'));
end;

-- The investor's signature, verified by the signing adapter. The proof holds capacity, intent, signed_sha256,
-- public_key and signature (hex).
create function subscription.sign(p_actor text, p_request text, p_offering text, p_agreement text, p_proof jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a subscription.agreement;
begin
    perform audit.enter(p_actor, p_request);
    select * into a from subscription.agreement where offering_id = p_offering and agreement_id = p_agreement;
    perform subscription.lock(p_offering, a.investment_id);
    if decode(p_proof ->> 'signed_sha256', 'hex') is distinct from a.document_sha256 then
        raise exception using errcode = 'BR008', constraint = 'signature_covers_the_agreement',
            message = 'the signature is over another document';
    end if;
    perform subscription.record_signature(p_offering, p_agreement, 'investor', p_actor, p_proof);
    update subscription.agreement set status = 'investor_signed'
    where offering_id = p_offering and agreement_id = p_agreement;
    perform subscription.publish(p_offering, a.investment_id);
end $$;

-- The issuer's countersignature; the executed hash covers the document and the investor's signature.
create function subscription.countersign(p_actor text, p_request text, p_offering text, p_agreement text,
    p_proof jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a subscription.agreement;
    executed bytea;
begin
    perform audit.enter(p_actor, p_request);
    select * into a from subscription.agreement where offering_id = p_offering and agreement_id = p_agreement;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'agreement_exists',
            message = format('there is no agreement %s in %s', p_agreement, p_offering);
    end if;
    perform engine.require_gate(p_offering, a.investment_id, 'countersign');
    select sha256(a.document_sha256 || s.signature) into executed from subscription.signature s
    where s.offering_id = p_offering and s.agreement_id = p_agreement and s.party = 'investor';
    if decode(p_proof ->> 'signed_sha256', 'hex') is distinct from executed then
        raise exception using errcode = 'BR008', constraint = 'signature_covers_the_agreement',
            message = 'the countersignature is over another document or signature';
    end if;
    perform subscription.record_signature(p_offering, p_agreement, 'issuer', p_actor, p_proof);
    update subscription.agreement set status = 'countersigned', executed_sha256 = executed
    where offering_id = p_offering and agreement_id = p_agreement;
    perform subscription.publish(p_offering, a.investment_id);
end $$;

create function subscription.void_agreement(p_actor text, p_request text, p_offering text, p_agreement text,
    p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    i text;
begin
    perform audit.enter(p_actor, p_request);
    select investment_id into i from subscription.agreement where offering_id = p_offering and agreement_id = p_agreement;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'agreement_exists',
            message = format('there is no agreement %s in %s', p_agreement, p_offering);
    end if;
    perform subscription.lock(p_offering, i);
    update subscription.agreement set status = 'voided', void_because = p_because
    where offering_id = p_offering and agreement_id = p_agreement;
    perform subscription.publish(p_offering, i);
end $$;

create function subscription.propose_allocation(p_actor text, p_request text, p_offering text, p_approval text,
    p_investment text, p_units bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform subscription.lock(p_offering, p_investment);
    insert into subscription.allocation_approval (offering_id, approval_id, investment_id, status, units, proposed_by)
    values (p_offering, p_approval, p_investment, 'proposed', p_units, p_actor);
end $$;

-- The second person approves exactly the units of the agreement in force, as the issuer or its placement agent. Where
-- more may be ordered than there is, a decided list comes first.
create function subscription.approve_allocation(p_actor text, p_request text, p_offering text, p_approval text,
    p_capacity text default 'issuer') returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if exists (select from engine.allocation_policy y join engine.offer o using (offering_id)
        where y.offering_id = p_offering and y.most_units > o.units_total)
        and not exists (select from subscription.allocation_approval al
            where al.offering_id = p_offering and al.approval_id = p_approval
            and al.units = engine.allotted_units(p_offering, al.investment_id)) then
        raise exception using errcode = 'BR008', constraint = 'approval_follows_a_decided_list',
            message = format('no decided list gives the units of %s', p_approval);
    end if;
    perform subscription.approve(p_offering, p_approval, p_actor, p_capacity);
end $$;

create function subscription.approve(p_offering text, p_approval text, p_decided_by text, p_capacity text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    al subscription.allocation_approval;
begin
    select * into al from subscription.allocation_approval where offering_id = p_offering and approval_id = p_approval;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'allocation_exists',
            message = format('there is no allocation %s in %s', p_approval, p_offering);
    end if;
    perform subscription.lock(p_offering, al.investment_id);
    if al.units is distinct from (select a.units from subscription.agreement a where a.offering_id = p_offering
        and a.investment_id = al.investment_id and a.status = 'countersigned') then
        raise exception using errcode = 'BR008', constraint = 'allocation_equals_the_executed_units',
            message = format('%s does not carry the units of an executed agreement', p_approval);
    end if;
    update subscription.allocation_approval set status = 'approved', decided_by = p_decided_by, capacity = p_capacity
    where offering_id = p_offering and approval_id = p_approval;
    perform subscription.publish(p_offering, al.investment_id);
end $$;
