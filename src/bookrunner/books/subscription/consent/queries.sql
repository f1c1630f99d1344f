-- name: issue_sample$
-- Makes a sample record for an investment; one that is open is replaced.
select subscription.issue_sample(:actor, :request, :offering, :investment, :sample, :template, :item_version, :form,
    :statement, :code_mac);

-- name: try_sample_code$
-- Counts one try of a code; the tries that are left after a wrong one, or null after the right one.
select subscription.try_sample_code(:actor, :request, :offering, :investment, :sample, :code_mac);

-- name: consent$
-- Records the consent of an investment whose sample was opened.
select subscription.consent(:actor, :request, :offering, :investment, :particular, :sample);

-- name: withdraw_consent$
-- Ends the consent to electronic records.
select subscription.withdraw_consent(:actor, :request, :offering, :investment);

-- name: record_paper$
-- Says how a record was sent on paper.
select subscription.record_paper(:actor, :request, :offering, :delivery, :how);

-- name: sample^
-- One sample of an investment, and whom its statement names: those of the form that it was set from.
select s.sample_id, s.template_id, s.status, s.tries, s.issued_at, f.issuer_name, f.records_contact, f.paper_fee,
    o.name as offer_name, d.content as statement
from subscription.consent_sample s
join subscription.packet_form f on f.offering_id = s.offering_id and f.ordinal = s.form_ordinal
join engine.offer o on o.offering_id = s.offering_id
join subscription.document d on d.sha256 = s.statement_sha256
where s.offering_id = :offering and s.investment_id = :investment and s.sample_id = :sample;

-- name: open_sample$
-- The sample of an investment that waits for its code.
select sample_id from subscription.consent_sample
where offering_id = :offering and investment_id = :investment and status = 'issued';

-- name: sample_form^
-- What the statement of an offer names.
select f.ordinal, f.issuer_name, f.records_contact, f.paper_fee, o.name as offer_name
from subscription.packet_form_in_force f join engine.offer o using (offering_id) where f.offering_id = :offering;

-- name: paper_deliveries
-- What is to go on paper to investors of an offer, oldest first, then what went.
select d.offering_id, d.delivery_id, d.investment_id, encode(d.sha256, 'hex') as sha256, d.status, d.due_at, d.sent_by, d.sent_how
from subscription.paper_delivery d where d.offering_id = :offering order by d.status = 'sent', d.due_at, d.delivery_id limit 200;

-- name: offer_of_investment$
-- The offer of an investment.
select offering_id from engine.stage where investment_id = :investment;
