-- name: begin_intake$
-- Takes a request of an institution up for a score, or says that it is known.
select engine.begin_intake(:actor, :request, :offering, :intake, :entity, :body_sha256, cast(:asked as jsonb), :lease_seconds);

-- name: record_score$
-- Keeps a score and lets the rules decide where the request goes.
select engine.record_score(:actor, :request, :offering, :intake, :attempt, cast(:score as jsonb));

-- name: leave_unscored$
-- Notes why a request could not be scored.
select engine.leave_unscored(:actor, :request, :offering, :intake, :attempt, :rule);

-- name: intake^
-- One request of an institution, with its score, the rules that it met and the allocation that it became.
select i.*, a.allocation_id, a.status as allocation_status from engine.intake_case i
left join engine.allocation a on a.offering_id = i.offering_id and a.intake_id = i.intake_id
where i.offering_id = :offering and i.intake_id = :intake and (cast(:entity as text) is null or i.entity_id = :entity);

-- name: initiate_escrow_once^
-- Opens escrow once under the key of a request.
select answer, is_replay from engine.initiate_escrow_once(:actor, :request, :body_sha256, cast(:asked as jsonb));
