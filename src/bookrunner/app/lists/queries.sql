-- name: take_list$
-- Puts on record who takes which list under which filter, before a row of it is read.
select audit.take_list(:actor, :request, :export, :listing, :offering, :person, :status, cast(:since as timestamptz), cast(:until as timestamptz));

-- name: investments
-- The investments of an offer, or of all, with their stages; amounts in minor units.
select s.offering_id, s.investment_id, s.investor_id, s.status, s.units, s.amount_minor, s.currency, s.profile, s.compliance, s.subscription,
    s.funding, s.issuance, s.received_minor, s.cleared_minor, s.closing_id
from engine.stage s where s.offering_id = coalesce(:offering, s.offering_id) and s.investor_id = coalesce(:person, s.investor_id)
    and s.status = coalesce(:status, s.status)
order by s.offering_id, s.investment_id limit cast(:most as bigint);

-- name: receipts
-- What the bank says has arrived; amounts in minor units.
select r.offering_id, r.receipt_id, r.investment_id, i.investor_id, r.status, r.amount_minor, r.currency, r.rail, r.booked_on, r.value_on,
    r.claimed_reference, r.exception, r.clears_on
from treasury.receipt_fact r left join engine.investment i using (offering_id, investment_id)
where r.offering_id = coalesce(:offering, r.offering_id) and r.status = coalesce(:status, r.status)
    and (cast(:person as text) is null or i.investor_id = :person)
order by r.offering_id, r.booked_on, r.receipt_id limit cast(:most as bigint);

-- name: refunds
-- Money on its way back; amounts in minor units.
select f.offering_id, f.refund_id, f.receipt_id, f.status, f.amount_minor, f.currency, f.reason, f.try_no, f.payout_id
from treasury.refund_fact f left join treasury.receipt_fact r using (offering_id, receipt_id)
left join engine.investment i on i.offering_id = f.offering_id and i.investment_id = r.investment_id
where f.offering_id = coalesce(:offering, f.offering_id) and f.status = coalesce(:status, f.status)
    and (cast(:person as text) is null or i.investor_id = :person)
order by f.offering_id, f.refund_id limit cast(:most as bigint);

-- name: holdings
-- The master securityholder file now.
select h.offering_id, h.holding_id, h.investor_id, h.status, h.units from registry.holding_fact h
where h.offering_id = coalesce(:offering, h.offering_id) and h.investor_id = coalesce(:person, h.investor_id)
    and h.status = coalesce(:status, h.status)
order by h.offering_id, h.holding_id limit cast(:most as bigint);

-- name: breaks
-- The breaks of the comparisons, without the words of their answers: a person may stand in them.
select b.offering_id, b.break_id, b.comparison, b.kind, b.subject_id, b.about, b.left_value, b.right_value, b.owner, b.severity, b.is_blocking,
    b.status, b.since, b.age_days, b.assigned_to, b.answered_by, b.accepted_by, b.verified_in
from reconciliation.break_fact b
where b.offering_id = coalesce(:offering, b.offering_id) and b.status = coalesce(:status, b.status)
    and b.since >= coalesce(cast(:since as timestamptz), '-infinity') and b.since < coalesce(cast(:until as timestamptz), 'infinity')
    and (cast(:person as text) is null or b.about = :person
        or b.about in (select i.investment_id from engine.investment i where i.investor_id = :person))
order by b.since, b.break_id limit cast(:most as bigint);

-- name: accesses
-- Who viewed whose data, without the words that say why; of one person also what was taken of everybody.
select a.viewed_at, a.viewed_by, a.person_id, a.is_of_everybody, a.kind, a.about, a.view_id from audit.access_entry a
where (cast(:person as text) is null or a.person_id = :person or a.is_of_everybody)
    and a.viewed_at >= coalesce(cast(:since as timestamptz), '-infinity') and a.viewed_at < coalesce(cast(:until as timestamptz), 'infinity')
order by a.viewed_at, a.view_id limit cast(:most as bigint);

-- name: events
-- The numbered events of a time, of an offer or a person's own scope; a status is the last word of the kind.
select f.seq, e.scope, e.subject, e.version, e.kind, e.keeper, e.actor, e.request_id, e.caused_by, e.occurred_at, e.recorded_at,
    encode(e.hash, 'hex') as hash
from audit.feed f join audit.event e using (scope, subject, version)
where (cast(:offering as text) is null or f.scope = :offering) and (cast(:person as text) is null or f.scope = :person)
    and (cast(:status as text) is null or split_part(e.kind, '.', 2) = :status)
    and e.recorded_at >= coalesce(cast(:since as timestamptz), '-infinity') and e.recorded_at < coalesce(cast(:until as timestamptz), 'infinity')
order by f.seq limit cast(:most as bigint);

-- name: timeline
-- The events of the records of one person, in the order of the feed.
select f.seq, e.occurred_at, e.recorded_at, e.keeper, e.kind, e.scope, e.subject, e.version, e.actor, e.request_id, encode(e.hash, 'hex') as hash
from audit.records_of(:person) r join audit.event e on e.scope = r.scope and e.subject = r.subject
left join audit.feed f on f.scope = e.scope and f.subject = e.subject and f.version = e.version
where (cast(:offering as text) is null or e.scope in (:offering, :person)) and (cast(:status as text) is null or split_part(e.kind, '.', 2) = :status)
    and e.recorded_at >= coalesce(cast(:since as timestamptz), '-infinity') and e.recorded_at < coalesce(cast(:until as timestamptz), 'infinity')
order by f.seq nulls last, e.recorded_at, e.scope, e.subject, e.version limit cast(:most as bigint);

-- name: gaps
-- Which versions of the records of one person are missing among the events, whatever else is asked for.
select g.subject, g.lacks from audit.gaps_of(:person) g;
