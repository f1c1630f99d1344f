-- name: propose_buyback$
-- Proposes a buy-back or a redemption on the issuer's paper.
select registry.propose_buyback(:actor, :request, :offering, :buyback, cast(:asked as jsonb));

-- name: decide_buyback$
-- Opens or declines it as another person.
select registry.decide_buyback(:actor, :request, :offering, :buyback, :is_approved, :because);

-- name: abandon_buyback$
-- Gives up a buy-back that no distribution pays.
select registry.abandon_buyback(:actor, :request, :offering, :buyback, :because);

-- name: tender$
-- Offers units of a holder within the window, for somebody else by the SHA-256 of the holder's paper.
select registry.tender(:actor, :request, :offering, :buyback, :tender, :investor, :units, :paper_sha256);

-- name: withdraw_tender$
-- Takes an offer back within the window.
select registry.withdraw_tender(:actor, :request, :offering, :buyback, :investor);

-- name: accept_buyback$
-- Accepts pro rata when the window is over; answers from how many holders.
select registry.accept_buyback(:actor, :request, :offering, :buyback);

-- name: cancel_entries$
-- Cancels a line whose units are book entries alone.
select registry.cancel_entries(:actor, :request, :offering, :buyback, :holding);

-- name: buybacks
-- The buy-backs of an offer, the newest first, with their people and sums.
select * from registry.buyback_standing s where s.offering_id = :offering order by s.proposed_at desc, s.buyback_id;

-- name: tenders
-- What holders offer in a buy-back, and what was accepted of it.
select t.tender_id, t.investor_id, t.status, t.units, t.accepted_units, t.tendered_by, t.tendered_at,
    encode(t.paper_sha256, 'hex') as paper_sha256 from registry.tender t
where t.offering_id = :offering and t.buyback_id = :buyback order by t.tendered_at, t.tender_id;

-- name: redemption_lines
-- What is taken of whom, when it was cancelled or let go, and what a line waits for.
select l.investor_id, l.holding_id, b.offered_units, l.units, l.amount_minor, l.cancelled_at, l.released_at, h.rule as waits_for
from registry.redemption_line_fact l join registry.redemption_line b using (offering_id, buyback_id, holding_id)
left join registry.line_hindrances(:offering, :buyback) h on h.holding_id = l.holding_id
where l.offering_id = :offering and l.buyback_id = :buyback order by l.investor_id;

-- name: burn_plan
-- What can be cancelled now, wallet by wallet; without an address what is a book entry alone.
select holding_id, address, units from registry.burn_plan(:offering, :buyback) order by holding_id, address;

-- name: buybacks_accepted
-- The buy-backs whose lines are still to be cancelled.
select offering_id, buyback_id from registry.buyback where status = 'accepted' order by accepted_at, buyback_id;

-- name: buybacks_of
-- The open buy-backs of offers in which an investor holds units, with what it may offer and has offered; those that are over with its offer.
select s.offering_id, o.name, s.buyback_id, s.status, s.kind, s.price_minor, s.currency, s.closes_at, clock_timestamp() between s.opens_at and s.closes_at
    and s.status = 'open' as is_open, registry.free_balance(s.offering_id, h.investor_id, s.periods_bind) as free_units,
    t.units, t.accepted_units, case when t.status = 'accepted' and l.released_at is not null then 'released' else t.status end as tender_status
from registry.holding h join registry.buyback s using (offering_id) join engine.offer o using (offering_id)
left join lateral (select x.units, x.accepted_units, x.status from registry.tender x where x.offering_id = s.offering_id and x.buyback_id = s.buyback_id
    and x.investor_id = h.investor_id order by x.tendered_at desc limit 1) t on true
left join registry.redemption_line_fact l on l.offering_id = s.offering_id and l.buyback_id = s.buyback_id and l.holding_id = h.holding_id
where h.investor_id = :investor and s.status not in ('proposed', 'declined') and (h.units > 0 or t.status is not null) and (s.kind = 'tender' or s.status <> 'abandoned')
order by s.proposed_at desc, s.buyback_id;

-- name: propose_line_release$
-- Asks to let one line of a started buy-back go, on the version of the buy-back that was seen.
select registry.propose_line_release(:actor, :request, :offering, :buyback, :release, :holding, :because, :seen);

-- name: decide_line_release$
-- Lets the line go as another person, or declines.
select registry.decide_line_release(:actor, :request, :offering, :release, :is_agreed, :because, :seen);

-- name: line_releases
-- The lines of a buy-back that somebody asks to let go, or that were let go, those that wait first.
select * from registry.line_release_standing where offering_id = :offering and buyback_id = :buyback
order by status <> 'proposed', proposed_at, release_id;
