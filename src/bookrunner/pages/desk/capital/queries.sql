-- name: board
-- The requests of institutions for an offer with how long each stands where it is, the oldest first.
select a.allocation_id, a.tranche, a.entity_id, a.status, a.amount_minor, a.currency, a.settlement_due_at, a.version,
    (select e.recorded_at from audit.event e where e.scope = a.offering_id and e.subject = a.allocation_id
        order by e.version desc limit 1) as moved_at,
    coalesce(a.status = 'escrow_initiated' and a.settlement_due_at <= clock_timestamp(), false) as is_overdue
from engine.allocation a where a.offering_id = :offering order by a.requested_at, a.allocation_id limit 500;

-- name: board_states
-- The states of an institutional allocation, each with its sentence.
select state, sentence from engine.state where machine = 'allocation';

-- name: allocation^
-- One request with what its next step looks at.
select a.*, coalesce(a.status = 'escrow_initiated' and a.settlement_due_at <= clock_timestamp(), false) as is_overdue,
    i.status as investment_status, coalesce(pos.funds_are_received, false) as funds_are_received,
    coalesce(pos.funds_are_cleared, false) as funds_are_cleared, e.status as escrow_status,
    exists (select from compliance.clearance_fact c where c.offering_id = a.offering_id and c.investor_id = a.entity_id
        and c.status = 'clear' and coalesce(c.valid_until > clock_timestamp(), true)) as is_cleared
from engine.allocation a
left join engine.investment i on i.offering_id = a.offering_id and i.investment_id = a.investment_id
left join engine.position pos on pos.offering_id = a.offering_id and pos.investment_id = a.investment_id
left join treasury.initiation_fact e on e.offering_id = a.offering_id and e.allocation_id = a.allocation_id
where a.offering_id = :offering and a.allocation_id = :allocation;

-- name: path
-- What happened to a request and to the intake that it came from, in order.
select e.subject, e.kind, e.actor, e.keeper, e.occurred_at, e.version from audit.event e
where e.scope = :offering and e.subject in (:allocation, :intake) order by e.recorded_at, e.version;

-- name: next_moves
-- The moves that are listed from a state, each with its role.
select trigger, to_state, role from engine.transition
where machine = 'allocation' and from_state = :status order by to_state = 'cancelled', to_state;

-- name: candidates
-- The confirmed investments of the entity that have the amount of its request and are not in escrow for another.
select i.investment_id, i.units from engine.investment i join engine.allocation a on a.offering_id = i.offering_id
    and a.entity_id = i.investor_id and (a.amount_minor, a.currency) = (i.amount_minor, i.currency)
where a.offering_id = :offering and a.allocation_id = :allocation and i.status in ('confirmed', 'legally_confirmed')
    and not exists (select from engine.allocation other where other.offering_id = i.offering_id
        and other.investment_id = i.investment_id)
order by i.investment_id;

-- name: intake^
-- The scored request that an allocation came from.
select * from engine.intake_case where offering_id = :offering and intake_id = :intake;

-- name: intakes
-- Scored requests of an offer, those that wait for an officer first.
select * from engine.intake_case where offering_id = :offering and status <> 'asked'
order by status <> 'in_review', asked_at desc, intake_id limit 200;

-- name: offer^
-- The offer that an institution asks of.
select offering_id, name, status, currency from engine.offer where offering_id = :offering;

-- name: own_requests
-- What one institution has asked for in an offer, and how far each request is.
select i.intake_id, i.status, i.tranche, i.amount_minor, i.currency, i.asked_at, i.rules_met, i.failed_rule, i.score,
    a.allocation_id, a.status as allocation_status, a.settlement_due_at, a.cancelled_because
from engine.intake i left join engine.allocation a on a.offering_id = i.offering_id and a.intake_id = i.intake_id
where i.offering_id = :offering and i.entity_id = :entity order by i.asked_at desc limit 100;
