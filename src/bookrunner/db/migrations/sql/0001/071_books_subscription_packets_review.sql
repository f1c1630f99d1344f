-- The desk's review of a signed packet, and what a countersignature of several would do.

-- The version that a reviewer saw is the one that is released, and only while the gate stands open.
create function subscription.release_packet(p_actor text, p_request text, p_offering text, p_review text,
    p_agreement text, p_seen_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a subscription.agreement := subscription.found_packet(p_offering, p_agreement);
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_gate(p_offering, a.investment_id, 'countersign');
    perform subscription.refuse_unseen(p_offering, p_agreement, p_seen_sha256);
    if exists (select from subscription.contradictions(p_offering, a.investment_id)) then
        perform subscription.refuse('statements_agree_with_the_compliance_record', (select string_agg(
            c.code || ' against ' || c.fact, ', ') from subscription.contradictions(p_offering, a.investment_id) c));
    end if;
    insert into subscription.review (offering_id, review_id, agreement_id, status, reviewer, signed_sha256)
    values (p_offering, p_review, p_agreement, 'released', p_actor, p_seen_sha256);
end $$;

-- Returns a packet to the investor: it is void, and each deficiency must be answered before the next application.
create function subscription.return_packet(p_actor text, p_request text, p_offering text, p_review text,
    p_agreement text, p_seen_sha256 bytea, p_deficiencies jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a subscription.agreement := subscription.found_packet(p_offering, p_agreement);
begin
    perform audit.enter(p_actor, p_request);
    perform subscription.lock(p_offering, a.investment_id);
    perform subscription.refuse_unseen(p_offering, p_agreement, p_seen_sha256);
    if coalesce(jsonb_array_length(p_deficiencies), 0) = 0 then
        perform subscription.refuse('returned_packet_names_its_deficiencies', p_agreement);
    end if;
    if exists (select from jsonb_to_recordset(p_deficiencies) as d (page integer) join subscription.packet p
        on p.offering_id = p_offering and p.agreement_id = p_agreement where d.page > p.pages) then
        perform subscription.refuse('deficiency_names_a_page_of_the_packet', p_agreement);
    end if;
    insert into subscription.review (offering_id, review_id, agreement_id, status, reviewer, signed_sha256)
    values (p_offering, p_review, p_agreement, 'deficient', p_actor, p_seen_sha256);
    insert into subscription.deficiency (offering_id, deficiency_id, agreement_id, investment_id, status, page, field,
        reason, words)
    select p_offering, d.id, p_agreement, a.investment_id, 'open', d.page, d.field, d.reason, d.words
    from jsonb_to_recordset(p_deficiencies) as d (id text, page integer, field text, reason text, words text);
    perform subscription.void_in_force(p_offering, a.investment_id, 'the review found deficiencies');
    update subscription.application set status = 'replaced'
    where offering_id = p_offering and investment_id = a.investment_id and status = 'submitted';
    perform subscription.publish(p_offering, a.investment_id);
end $$;

create function subscription.refuse_unseen(p_offering text, p_agreement text, p_seen_sha256 bytea) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from subscription.agreement a where a.offering_id = p_offering
        and a.agreement_id = p_agreement and a.status = 'investor_signed' and a.signed_sha256 = p_seen_sha256) then
        perform subscription.refuse('reviewed_file_is_the_signed_one', p_agreement);
    end if;
end $$;

-- What would be countersigned if this signatory did it now, and why others would not be.
create function subscription.countersign_preview(p_actor text, p_request text, p_offering text,
    p_agreements text[])
returns table (agreement_id text, investment_id text, investor_id text, units bigint, amount_minor bigint,
    signed_sha256 bytea, hindrance text, missing jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    return query select a.agreement_id, a.investment_id, pos.investor_id, a.units, a.amount_minor, a.signed_sha256,
        subscription.countersign_hindrance(a, p_actor),
        engine.missing(pos, (select g.mask from engine.gate g where g.act = 'countersign'))
    from subscription.agreement a
    join subscription.packet using (offering_id, agreement_id)
    join engine.position pos on pos.offering_id = a.offering_id and pos.investment_id = a.investment_id
    where a.offering_id = p_offering and a.status = 'investor_signed'
        and (p_agreements is null or a.agreement_id = any (p_agreements))
    order by a.agreement_id;
end $$;

create function subscription.record_envelope(p_actor text, p_request text, p_offering text, p_agreement text,
    p_provider text, p_ref text, p_signatory text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if (subscription.found_packet(p_offering, p_agreement)).status <> 'sent' then
        perform subscription.refuse('agreement_is_open_for_signature', format('%s is not open any more', p_agreement));
    end if;
    insert into subscription.envelope (offering_id, agreement_id, provider, ref, signatory_id)
    values (p_offering, p_agreement, p_provider, p_ref, p_signatory);
end $$;
