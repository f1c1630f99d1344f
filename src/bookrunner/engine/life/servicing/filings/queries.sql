-- name: open_filings$
-- Brings the filings of these offers to their facts, or of all; returns how many changed.
select engine.open_filings(:actor, :request, cast(:offerings as text[]));

-- name: bound_offers
-- The offers that a clock binds.
select b as offering_id from engine.bound_offers() b;

-- name: state_filing_fact$
-- A person states a fact that no book holds, on a document.
select engine.state_filing_fact(:actor, :request, :offering, :fact_id, :fact, :place, cast(:happened_on as date), :because,
    :evidence_sha256);

-- name: fill_filing$
-- Fills an item that no book holds, with its source.
select engine.fill_filing(:actor, :request, :offering, :filing, :code, :value, :source);

-- name: prepare_filing$
-- Says that the pack of a filing is ready.
select engine.prepare_filing(:actor, :request, :offering, :filing, cast(:seen as bigint));

-- name: reopen_filing$
-- A person opens a filing again: a prepared pack, or one that was said not to be owed.
select engine.reopen_filing(:actor, :request, :offering, :filing, :because, cast(:seen as bigint));

-- name: record_filing$
-- Records that a person filed it, with number and proof.
select engine.record_filing(:actor, :request, :offering, :filing, cast(:filed_on as date), :reference, :proof_sha256,
    cast(:seen as bigint));

-- name: end_filing$
-- A person says why a filing is owed no more.
select engine.end_filing(:actor, :request, :offering, :filing, :because, cast(:seen as bigint));

-- name: confirm_filing_end$
-- A second person confirms that a filing is not owed.
select engine.confirm_filing_end(:actor, :request, :offering, :filing, cast(:seen as bigint));

-- name: filings
-- The filings of one offer, or of all, what is missed first, then by the day they are due.
select s.offering_id, o.name, o.issuer_id, s.filing_id, s.clock, s.form, s.period, s.place, s.status, s.fact_on, s.fact_source, s.due_on,
    s.rule_id, s.rule_version, s.prepared_by, encode(s.pack_sha256, 'hex') as pack, s.filed_by, s.filed_on, s.reference,
    encode(s.proof_sha256, 'hex') as proof, s.because, s.ended_by, s.version, s.citation, s.calendar, s.sentence, s.is_missed, s.is_late
from engine.filing_standing s join engine.offer o using (offering_id)
where (cast(:offering as text) is null or s.offering_id = :offering) and (cast(:filing as text) is null or s.filing_id = :filing)
order by s.is_missed desc, s.status in ('filed', 'not_owed'), s.due_on nulls first, s.filing_id limit 1000;

-- name: filing_pack
-- The items of a filing in their order; of a prepared or filed one as they were kept, with those of now where they differ.
select place, code, sentence, citation, is_mandatory, is_found, value, unit, source, stated_by, differs, value_now, unit_now
from engine.filing_shown(:offering, :filing);

-- name: filing_facts
-- The facts that people stated for filings of an offer, the newest first.
select fact_id, fact, place, happened_on, because, encode(evidence_sha256, 'hex') as evidence, stated_by, stated_at
from engine.filing_fact where offering_id = :offering order by stated_at desc, fact_id;
