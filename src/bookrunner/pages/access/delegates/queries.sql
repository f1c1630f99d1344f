-- name: delegates_of
-- Whom an investor has named, those that stand first, the latest first.
select d.delegation_id, d.status, d.delegate, d.scope, d.valid_from, d.valid_until, d.ended_by, d.valid_until <= clock_timestamp() as is_over
from portal.delegation d where d.investor_id = :investor
order by d.status not in ('named', 'in_force'), d.valid_from desc, d.delegation_id limit cast(:most as bigint);

-- name: delegations_of
-- For whom a delegate acts, what waits for it first.
select d.delegation_id, d.investor_id, d.status, d.scope, d.valid_from, d.valid_until, d.valid_until <= clock_timestamp() as is_over
from portal.delegation d where d.delegate = :delegate
order by array_position('{named,in_force,declined,ended}', d.status), d.valid_from desc, d.delegation_id limit cast(:most as bigint);

-- name: name_delegate$
-- Names a delegate of an investor.
select portal.name_delegate(:actor, :request, :investor, :delegation, cast(:said as jsonb));

-- name: answer_delegation$
-- Accepts a delegation or declines it, as the delegate.
select portal.answer_delegation(:actor, :request, :delegation, :is_accepted);

-- name: end_delegation$
-- Ends a delegation from this moment on.
select portal.end_delegation(:actor, :request, :delegation);
