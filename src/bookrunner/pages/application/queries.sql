-- name: items
-- What an investor has to receive, acknowledge and represent, in the order in which it is asked, one row an item; a
-- document was opened when a link to it was followed by this reader.
select r.kind, r.code, r.item_version, r.sentence, encode(r.document_sha256, 'hex') as sha256,
    a.acknowledgment_id is not null as is_made,
    exists (select from subscription.document_link l join subscription.document_fetch f using (link_id)
        where l.sha256 = r.document_sha256 and l.reader = :investor) as is_opened
from subscription.requirement_in_force r left join subscription.acknowledgment a
    on a.offering_id = r.offering_id and a.investment_id = :investment and a.kind = r.kind and a.code = r.code
    and a.item_version = r.item_version
where r.offering_id = :offering
order by array_position(array['material', 'risk', 'representation'], r.kind), r.code;

-- name: papers^
-- Whether an offer takes packets, the samples that an investment was given, its application and its agreement.
select o.agreement_form = 'packet' as takes_packets, o.unit_price_minor, o.minimum_units,
    (select count(*) from subscription.consent_sample c where c.offering_id = i.offering_id
        and c.investment_id = i.investment_id) as samples,
    exists (select from subscription.application p where p.offering_id = i.offering_id
        and p.investment_id = i.investment_id and p.status = 'submitted') as is_asked_for,
    exists (select from subscription.particular w where w.offering_id = i.offering_id and w.investment_id = i.investment_id
        and w.kind = 'records_consent' and w.status = 'withdrawn') as was_withdrawn,
    (select f.records_contact from subscription.packet_form_in_force f where f.offering_id = i.offering_id) as contact,
    (select f.paper_fee from subscription.packet_form_in_force f where f.offering_id = i.offering_id) as paper_fee,
    a.agreement_id, a.status, encode(a.document_sha256, 'hex') as document, encode(a.signed_sha256, 'hex') as signed,
    encode(a.executed_sha256, 'hex') as executed, encode(c.sha256, 'hex') as certificate,
    (select max(s.signed_at) from subscription.signed_file s where s.offering_id = a.offering_id
        and s.agreement_id = a.agreement_id and s.party <> 'issuer') as signed_at,
    array(select s.party from subscription.signed_file s where s.offering_id = a.offering_id
        and s.agreement_id = a.agreement_id order by s.ordinal) as signed_by,
    array(select jsonb_object_keys(k.boxes) from subscription.packet k where k.offering_id = a.offering_id
        and k.agreement_id = a.agreement_id order by 1) as parties
from engine.stage i join engine.offer o using (offering_id)
left join subscription.agreement a on a.offering_id = i.offering_id and a.investment_id = i.investment_id
    and a.status in ('draft', 'sent', 'investor_signed', 'countersigned')
left join subscription.certificate c on c.offering_id = a.offering_id and c.agreement_id = a.agreement_id
where i.offering_id = :offering and i.investment_id = :investment;

-- name: stated
-- What an investment has stated and not replaced or withdrawn.
select kind, detail from subscription.particular
where offering_id = :offering and investment_id = :investment and status = 'stated';

-- name: profile^
-- Who an investor is, as it claims itself.
select p.kind, p.legal_name, p.address, p.country, p.representative from portal.profile_claim p where p.investor_id = :investor;

-- name: offer^
-- What an order may be for.
select o.offering_id, o.name, o.status, o.currency, o.unit_price_minor, o.minimum_units, u.free_units
from engine.offer o join engine.unit_standing u using (offering_id) where o.offering_id = :offering;

-- name: waiting^
-- The place of an investor in the line for units of an offer.
select place, units from engine.waitlist_entry
where offering_id = :offering and investor_id = :investor and status = 'waiting';

-- name: deficiencies
-- What an investor has to answer before it asks again for its agreement.
select deficiency_id, page, field, reason, words from subscription.deficiency
where offering_id = :offering and investment_id = :investment and status = 'open' order by deficiency_id;

-- name: join_waitlist$
-- Takes a place in the line for units that may come free, and returns it.
select engine.join_waitlist(:actor, :request, :offering, :entry, :investor, cast(:units as bigint));
