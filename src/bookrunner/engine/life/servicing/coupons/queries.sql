-- name: propose_schedule$
-- Proposes the coupons of an offer.
select engine.propose_schedule(:actor, :request, :offering, :schedule, cast(:said as jsonb));

-- name: decide_schedule$
-- Puts a schedule in force as another person, or declines it.
select engine.decide_schedule(:actor, :request, :offering, :schedule, cast(:is_agreed as boolean));

-- name: propose_fixing$
-- Says what an index was on a day.
select engine.propose_fixing(:actor, :request, :offering, :fixing, cast(:said as jsonb));

-- name: decide_fixing$
-- Puts a fixing in force as another person, or declines it.
select engine.decide_fixing(:actor, :request, :offering, :fixing, cast(:is_agreed as boolean));

-- name: tie_coupon$
-- Ties a draft to the coupon that it pays.
select engine.tie_coupon(:actor, :request, :offering, :distribution, cast(:number as integer));

-- name: coupon_on^
-- A coupon on the units of a day, with its working.
select w.from_on, w.to_on, w.amount_minor, w.working from engine.coupon_on(:offering, cast(:number as integer), cast(:record_on as date)) w;

-- name: schedules
-- The schedules of an offer, the last first.
select s.schedule_id, s.status, s.kind, s.rate_bp, s.index_name, s.day_count, s.months, s.starts_on, s.ends_on, s.proposed_by, s.decided_by
from engine.coupon_schedule s where s.offering_id = :offering order by s.schedule_id desc limit 20;

-- name: coupons
-- The coupons of the schedule in force, each with the distribution that pays it, its working, and the fixing that it lacks.
select * from engine.coupon_standing where offering_id = :offering order by number;

-- name: fixings
-- What indices were, those that wait first.
select f.fixing_id, f.status, f.index_name, f.fixed_on, f.value, f.source, f.proposed_by from engine.coupon_fixing f
where f.offering_id = :offering and f.status <> 'declined' order by f.status desc, f.fixed_on desc limit 200;

-- name: coupon_of^
-- The coupon that a distribution pays.
select c.number, c.from_on, c.to_on, c.amount_minor, c.working from engine.coupon_run c
where c.offering_id = :offering and c.distribution_id = :distribution;

-- name: propose_amortisation$
-- Proposes the principal of a unit and its instalments.
select engine.propose_amortisation(:actor, :request, :offering, :amortisation, cast(:said as jsonb));

-- name: decide_amortisation$
-- Puts them in force as another person, or declines them.
select engine.decide_amortisation(:actor, :request, :offering, :amortisation, cast(:is_agreed as boolean));

-- name: draft_instalment$
-- Drafts the distribution that pays an instalment.
select engine.draft_instalment(:actor, :request, :offering, :distribution, cast(:number as integer), :record_on, :pay_on);

-- name: amortisations
-- The terms of an offer with what is left of a unit, the last first.
select a.amortisation_id, a.status, a.principal_minor, l.left_minor, a.proposed_by, a.decided_by from engine.amortisation a
left join engine.principal_left(:offering, 'infinity') l using (amortisation_id) where a.offering_id = :offering
order by a.amortisation_id desc limit 20;

-- name: instalments
-- The instalments of the terms in force, each with the distribution that pays it.
select i.number, i.due_on, i.part_minor, r.distribution_id, r.status from engine.amortisation a
join engine.instalment i using (offering_id, amortisation_id)
left join lateral (select x.distribution_id, d.status from engine.instalment_run x join engine.distribution d using (offering_id, distribution_id)
    where x.offering_id = i.offering_id and x.amortisation_id = i.amortisation_id and x.number = i.number and d.status <> 'cancelled') r on true
where a.offering_id = :offering and a.status = 'in_force' order by i.number;

-- name: lot_principal
-- What each lot has left of its principal.
select lot_id, investor_id, left_units, outstanding_minor from engine.lot_principal where offering_id = :offering order by lot_id;
