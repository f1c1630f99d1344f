-- name: open_suspicion$
-- Opens a case of the suspicious-activity desk from a record, with what was noticed and when.
select compliance.open_suspicion(:actor, :request, :case, cast(:stated as jsonb));

-- name: propose_suspicion$
-- Decides to report or not to; a second person agrees.
select compliance.propose_suspicion(:actor, :request, :case, :outcome, :because, cast(:seen as bigint));

-- name: second_suspicion$
-- Agrees with what was decided, or sends the case back.
select compliance.second_suspicion(:actor, :request, :case, :is_agreed, :because, cast(:seen as bigint));

-- name: file_suspicion$
-- Records the identifier under which the report was filed.
select compliance.file_suspicion(:actor, :request, :case, :reference, cast(:filed_on as date), cast(:seen as bigint));

-- name: note_suspicion$
-- Adds to the support of a case.
select compliance.note_suspicion(:actor, :request, :case, :note);

-- name: read_desk$
-- Every case, the nearest end of its clock first; the look is recorded.
select compliance.read_desk(:actor, :request);

-- name: read_suspicion$
-- One case with its sealed entries and who has looked at it; nothing for an unknown one. The look is recorded.
select compliance.read_suspicion(:actor, :request, :case);
