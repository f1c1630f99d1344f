-- name: filings
-- What offers owe: of one or all, all or what is missed, what is missed first, then by the day it is due.
select s.offering_id, s.filing_id, s.clock, s.form, s.place, s.status, s.fact_on, s.fact_source, s.due_on, s.rule_id, s.filed_on, s.reference,
    encode(s.proof_sha256, 'hex') as proof, s.because, s.ended_by, s.version, s.citation, s.is_missed, s.is_late
from engine.filing_standing s
where (cast(:offering as text) is null or s.offering_id = :offering) and (cast(:filing as text) is null or s.filing_id = :filing)
    and (s.is_missed or not cast(:is_missed as boolean))
order by s.is_missed desc, s.status in ('filed', 'not_owed'), s.due_on nulls first, s.filing_id limit cast(:most as integer);

-- name: filing_pack
-- The items of a filing in their order.
select code, sentence, citation, is_mandatory, is_found, value, unit, source, differs, value_now, unit_now
from engine.filing_shown(:offering, :filing);

-- name: state_filing_fact^
-- Claims the key, states a fact, stores the answer.
select answer, is_replay from api.state_filing_fact(:key, :request, :body_sha256, :offering, :fact_id, :fact, :place,
    cast(:happened_on as date), :because, :evidence_sha256);

-- name: fill_filing^
-- Claims the key, fills an item, stores the answer.
select answer, is_replay from api.fill_filing(:key, :request, :body_sha256, :filing, :code, :value, :source);

-- name: prepare_filing^
-- Claims the key, says that a pack is ready, stores the answer.
select answer, is_replay from api.prepare_filing(:key, :request, :body_sha256, :filing, cast(:version as bigint));

-- name: record_filing^
-- Claims the key, records that a filing was made, stores the answer.
select answer, is_replay from api.record_filing(:key, :request, :body_sha256, :filing, cast(:version as bigint),
    cast(:filed_on as date), :reference, :proof_sha256);

-- name: end_filing^
-- Claims the key, says why a filing is owed no more, stores the answer.
select answer, is_replay from api.end_filing(:key, :request, :body_sha256, :filing, cast(:version as bigint), :because);

-- name: confirm_filing_end^
-- Claims the key, confirms that a filing is not owed, stores the answer.
select answer, is_replay from api.confirm_filing_end(:key, :request, :body_sha256, :filing, cast(:version as bigint));

-- name: reopen_filing^
-- Claims the key, opens a filing again, stores the answer.
select answer, is_replay from api.reopen_filing(:key, :request, :body_sha256, :filing, cast(:version as bigint), :because);
