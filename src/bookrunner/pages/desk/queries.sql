-- name: offers
-- The offers that a desk can look at.
select offering_id, name, currency from engine.offer where status not in ('new', 'draft') order by offering_id;

-- name: contradictions
-- What investors of an offer have stated that the compliance record contradicts and nobody has accepted, of a page of its
-- investments.
select i.investment_id, c.investor_id, c.kind, c.code, c.fact, c.sentence from (
    select s.investment_id from engine.stage s where s.offering_id = :offering
        and s.status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully')
    order by s.investment_id limit :most offset :skip) i
cross join lateral subscription.read_contradictions(i.investment_id) c
order by i.investment_id, c.kind, c.code, c.fact;

-- name: live_count$
-- How many live investments an offer has.
select count(*) from engine.stage where offering_id = :offering
    and status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully');

-- name: acceptances
-- The contradictions of an offer that compliance has accepted.
select acceptance_id, investor_id, statement, fact, because, decided_by, version from compliance.statement_acceptance
where offering_id = :offering and status = 'accepted' order by acceptance_id;

-- name: programme$
-- The programme that decisions are made under now.
select compliance.programme_in_force();

-- name: decide_under$
-- Begins a decision under the programme that was seen.
select compliance.decide_under(:actor, :request, :programme);

-- name: accept_statement$
-- Lets a statement stand although the record contradicts it.
select compliance.accept_statement(:actor, :request, :offering, :acceptance, :investor, :statement, :fact, :because);

-- name: withdraw_acceptance$
-- Takes an acceptance back.
select compliance.withdraw_acceptance(:actor, :request, :offering, :acceptance, :because, cast(:seen as bigint));

-- name: request_allocation$
-- Asks for an allocation of one tranche for an institution.
select engine.request_allocation(:actor, :request, :offering, :allocation, :entity, cast(:asked as jsonb));

-- name: seen_allocation$
-- The version of an allocation, locked until the transaction ends.
select engine.lock_allocation(:actor, :request, :offering, :allocation);

-- name: open_review$
-- Takes a request of an institution up for review.
select engine.open_review(:actor, :request, :offering, :allocation);

-- name: initiate_escrow$
-- Opens the escrow of a reviewed request, with the moment by which it settles.
select engine.initiate_escrow(:actor, :request, :offering, :allocation, :investment, :due);

-- name: decide_intake$
-- Approves or declines a request of an institution that the rules sent to a person.
select engine.decide_intake(:actor, :request, :offering, :intake, :is_approved, :because, cast(:seen as bigint));

-- name: cancel_allocation$
-- Ends an institutional allocation for a reason.
select engine.cancel_allocation(:actor, :request, :offering, :allocation, :because);

-- name: names_signed
-- Whom signed packets name, as their own data says it, and since when they wait for the issuer.
select a.agreement_id, k.pages, convert_from(d.content, 'UTF8')::jsonb #>> '{investor,legal_name}' as legal_name,
    (select max(s.signed_at) from subscription.signed_file s where s.offering_id = a.offering_id
        and s.agreement_id = a.agreement_id and s.party <> 'issuer') as signed_at
from subscription.agreement a join subscription.packet k using (offering_id, agreement_id)
join subscription.document d on d.sha256 = k.data_sha256
where a.offering_id = :offering and a.agreement_id = any (:agreements);

-- name: versions_of_terms
-- Every version of the terms of an offer, the newest first, with the moment from which it was locked.
select t.ordinal, t.status, t.security_type, t.instrument, t.target_minor, t.opens_at, t.closes_at, t.pays_by, t.drafted_by,
    t.locked_at, t.two_people_close
from engine.terms t where t.offering_id = :offering order by t.ordinal desc;

-- name: asked_cancellations
-- Investments of an offer whose investor asks to leave, the first asked first.
select i.investment_id, i.investor_id, i.units, i.amount_minor, i.currency, i.asked_by, i.because, i.remembered_status,
    (select max(e.recorded_at) from audit.event e where e.scope = i.offering_id and e.subject = i.investment_id
        and e.kind = 'investment.cancellation_requested') as asked_at
from engine.investment i where i.offering_id = :offering and i.status = 'cancellation_requested'
order by asked_at, i.investment_id limit :most;

-- name: allocations
-- The units that were proposed for investments, those that wait for a second person first.
select al.approval_id, al.investment_id, al.status, al.units, al.proposed_by, al.decided_by, s.amount_minor, s.currency,
    s.units as subscribed_units,
    (select min(e.occurred_at) from audit.event e where e.scope = al.offering_id and e.subject = al.approval_id) as since
from subscription.allocation_approval al join engine.stage s using (offering_id, investment_id)
where al.offering_id = :offering order by al.status <> 'proposed', since desc, al.approval_id limit cast(:most as integer);
