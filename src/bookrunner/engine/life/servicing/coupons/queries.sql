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
