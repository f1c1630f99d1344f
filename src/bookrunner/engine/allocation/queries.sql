-- name: name_policy$
-- Names the policy by which an offer shares out its units.
select engine.name_policy(:actor, :request, :offering, :policy, cast(:most_units as bigint), cast(:hold_minutes as integer));

-- name: expire_reservations$
-- Ends reservations that were not confirmed in time.
select engine.expire_reservations(:actor, :request);

-- name: cancel_unreconfirmed$
-- Cancels who said no to a material change, or nothing inside the window.
select engine.cancel_unreconfirmed(:actor, :request);

-- name: promote_waiting$
-- Gives free units to those who wait, in order.
select engine.promote_waiting(:actor, :request, :offering);

-- name: admit_intake$
-- Enters a request of an institution that an officer approved.
select engine.admit_intake(:actor, :request, :offering, :intake);

-- name: erase_intake_words$
-- Empties what an entity whose data is erased said of itself; returns of how many requests.
select engine.erase_intake_words(:actor, :request, :entity);

-- name: decide_allotment$
-- Decides the list that the policy gives on the book that was seen.
select engine.decide_allotment(:actor, :request, :offering, :allotment, :book, cast(:wishes as jsonb), :capacity, :because);

-- name: propose_amendment$
-- Proposes an amendment of a published offer.
select engine.propose_amendment(:actor, :request, :offering, :amendment, :is_material, :sentence, :document_sha256);

-- name: decide_amendment$
-- A second person announces, records or declines a proposed amendment; returns the end of the window.
select engine.decide_amendment(:actor, :request, :offering, :amendment, :is_accepted, :because, cast(:seen as bigint));

-- name: mark_put$
-- Every investor has been asked.
select engine.mark_put(:actor, :request, :offering, :amendment);

-- name: dry_run
-- Who gets how many units and why.
select investment_id, investor_id, ordered_units, units, because from engine.allot(:offering, cast(:wishes as jsonb));

-- name: book_version$
-- The version of the book that a list is decided on.
select engine.book_version(:offering);

-- name: units^
-- The units of an offer: reserved, allocated, free, oversubscribed and waited for.
select * from engine.unit_standing where offering_id = :offering;

-- name: amendment^
-- One amendment.
select amendment_id, status, is_material, sentence, proposed_by, decided_by, due_at, version
from engine.amendment where offering_id = :offering and amendment_id = :amendment;

-- name: waiting_events
-- Events in feed order that somebody of ours answers and has not answered yet. A proposed approval counts when a decided
-- list gives its units, a clearance when somebody waits for it, a legal confirmation when no unit is free, and for filings what may
-- start a clock that has not run yet, or change a pack that is prepared.
-- Until the end of the transaction half of the offers that nobody has are ours, at least one.
with waiting as materialized (
select w.consumer, f.seq, e.scope, e.subject, e.version, e.kind, e.scope as strand
from audit.feed f join audit.event e using (scope, subject, version)
join unnest(cast(:kinds as text[]), cast(:consumers as text[])) as w (kind, consumer) using (kind)
where f.seq > :after
    and not exists (select from audit.reaction r where r.consumer = w.consumer and r.scope = e.scope
        and r.subject = e.subject and r.version = e.version)
    and (e.kind <> 'allocation_approval.proposed' or exists (
        select from engine.allotment_list l join subscription.allocation_fact p using (offering_id, investment_id, units)
        where p.offering_id = e.scope and p.approval_id = e.subject))
    and (w.consumer <> 'process.resume' or e.kind = 'investment.cancellation_denied' or exists (
        select from compliance.clearance_fact c join engine.position pos using (offering_id, investor_id)
        join engine.investment i using (offering_id, investment_id)
        where c.offering_id = e.scope and c.clearance_id = e.subject and i.status = 'confirmed' and pos.allocation_is_approved)
        or exists (select from engine.position pos where pos.offering_id = e.scope and pos.investment_id = e.subject
            and pos.allocation_is_approved))
    and (w.consumer <> 'process.close_full' or exists (select from engine.reservation r
        where r.offering_id = e.scope and r.units >= r.most_units))
    and (w.consumer <> 'process.filings'
        or exists (select from engine.filing d where d.offering_id = e.scope and d.status = 'prepared')
        or exists (select from engine.offer o join engine.filing_clock k on o.exemption = any (k.exemptions)
            where o.offering_id = e.scope and e.kind = any (k.opened_by)
                and (k.repeats and not starts_with(e.kind, 'investment.') or not exists (select from engine.filing d where d.offering_id = o.offering_id and d.clock = k.clock))))
), taken as materialized (
    select d.strand from (select distinct strand from waiting order by strand) d
    where pg_try_advisory_xact_lock(hashtext('orders'), hashtext(d.strand) & 63)
    limit (select (count(distinct strand) + 1) / 2 from waiting)
)
select w.*, t.strand is not null as is_ours from waiting w left join taken t using (strand) order by w.seq;

-- name: allotted_approvals
-- Proposed approvals of the units that a decided list gives, of the lists or approvals that these events name.
select distinct on (p.offering_id, p.approval_id) e.subject || '@' || e.version as cause, p.offering_id, p.approval_id
from unnest(cast(:scopes as text[]), cast(:subjects as text[]), cast(:versions as bigint[]))
    with ordinality as e (scope, subject, version, place)
join engine.allotment_list l on l.offering_id = e.scope
join subscription.allocation_fact p on p.offering_id = l.offering_id and p.investment_id = l.investment_id
    and p.units = l.units and p.status = 'proposed'
    and (l.allotment_id = e.subject or p.approval_id = e.subject)
order by p.offering_id, p.approval_id, e.place desc;

-- name: offers_with_waitlist
-- Of these offers, or of all, those for whose units somebody waits.
select distinct offering_id from engine.waitlist_entry
where status = 'waiting' and (cast(:offers as text[]) is null or offering_id = any (cast(:offers as text[])))
order by offering_id;
