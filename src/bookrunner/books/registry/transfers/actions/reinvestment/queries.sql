-- name: propose_plan$
-- Proposes a plan of reinvestment on the issuer's paper.
select registry.propose_plan(:actor, :request, :offering, :plan, cast(:asked as jsonb));

-- name: decide_plan$
-- Puts a plan in force or declines it, as another person, on the version seen.
select registry.decide_plan(:actor, :request, :offering, :plan, :is_approved, :because, :seen);

-- name: propose_plan_end$
-- Asks that a plan ends, with the reason.
select registry.propose_plan_end(:actor, :request, :offering, :plan, :because, :seen);

-- name: decide_plan_end$
-- Ends a plan as another person, or lets it go on.
select registry.decide_plan_end(:actor, :request, :offering, :plan, :is_agreed, :seen);

-- name: elect_reinvestment$
-- Records what part of its distributions a holder wants in units, for somebody else by the SHA-256 of the holder's paper.
select registry.elect_reinvestment(:actor, :request, :offering, :election, :investor, :share_bp, :paper_sha256);

-- name: plans
-- The plans of an offer, the newest first, with their people and units.
select * from registry.plan_standing where offering_id = :offering order by proposed_at desc, plan_id;

-- name: elections
-- What each holder of an offer elected last, with the first record date that it counts for.
select e.election_id, e.investor_id, e.share_bp, e.given_by, e.given_at, e.paper_sha256, e.counts_from
from registry.election_standing e where e.offering_id = :offering order by e.investor_id;

-- name: mint_plan
-- Lines whose units can be minted now.
select distribution_id, line_id, investor_id, address, units, country from registry.mint_plan(:offering) order by distribution_id, address;

-- name: hindered_lines
-- Lines of started distributions that are owed units and wait, each with its reason.
select h.distribution_id, h.line_id, h.rule, o.investor_id, o.units from registry.reinvestment_hindrances(:offering) h
join registry.reinvestment_open o on o.offering_id = :offering and o.line_id = h.line_id
where o.status in ('paying', 'paid') order by h.distribution_id, h.line_id;

-- name: offers_that_issue
-- The offers with lines of started distributions that are owed units.
select distinct offering_id from registry.reinvestment_open where status in ('paying', 'paid') order by 1;

-- name: newest_run
-- What the newest run with elections makes of them: units or cash with its reason, and where the units are.
select r.* from engine.reinvestment_standing r where r.offering_id = :offering and r.distribution_id = (select x.distribution_id
    from engine.reinvestment_standing x where x.offering_id = :offering and x.state <> 'cancelled' order by x.record_on desc, x.distribution_id desc limit 1)
order by r.investor_id;

-- name: reinvestments_of
-- The plans in force of offers in which an investor holds units, with its election and what waits for its cut-off.
select h.offering_id, o.name, p.plan_id, p.price_minor, p.currency, p.cutoff_days, p.from_on, h.units, coalesce(e.share_bp, 0) as share_bp, e.given_at,
    e.counts_from
from registry.holding h join engine.offer o using (offering_id)
join registry.reinvestment_plan p on p.offering_id = h.offering_id and p.status in ('in_force', 'ending')
left join registry.election_standing e on e.offering_id = h.offering_id and e.investor_id = h.investor_id
where h.investor_id = :investor and h.units > 0 order by o.name, h.offering_id;
