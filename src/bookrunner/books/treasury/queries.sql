-- name: approve_source$
-- Approve source.
select treasury.approve_source(:actor, :request, :investor, :source, :fingerprint);

-- name: release_instructions$
-- Releases funding instructions; waits for the whole subscription stage.
select treasury.release_instructions(:actor, :request, :offering, :attempt, :investment, :reference, cast(:due_minor as bigint), :currency);

-- name: import_statement$
-- Imports the booked credits of one statement: each new entry is a receipt and stands in the ledger as unmatched.
-- Entries are {id, key, amount, currency, booked_on, value_on, reference, fingerprint, sender, line_sha256}.
select treasury.import_statement(:actor, :request, :offering, cast(:statement as jsonb), cast(:entries as jsonb));

-- name: match$
-- Matches every unmatched receipt that passes the rules, and names what stops each other one.
select treasury.match(:actor, :request, :offering);

-- name: match_by_hand$
-- Matches one receipt without a reference by hand: proposer and approver are two people and give the reason.
select treasury.match_by_hand(:actor, :request, :offering, :receipt, :investment, :proposed_by);

-- name: clear$
-- Confirms matched receipts as final; all of the offer's, or those named.
select treasury.clear(:actor, :request, :offering, cast(:receipts as text[]));

-- name: propose_release$
-- Propose release.
select treasury.propose_release(:actor, :request, :offering, :release, :closing, :payee_fingerprint);

-- name: approve_release$
-- The second person names payee and amount again; the lines are computed again under their locks.
select treasury.approve_release(:actor, :request, :offering, :release, :payee_fingerprint, cast(:amount_minor as bigint));

-- name: attempts
-- The newest payment attempt of each investment, with its reference.
select a.attempt_id, a.investment_id, a.investor_id, a.reference, a.due_minor, a.status from treasury.payment_attempt a
where a.offering_id = :offering order by a.attempt_id;

-- name: unmatched
-- Receipts that belong to nobody yet, with the rule that stops each.
select receipt_id, amount_minor, exception, booked_on, source_fingerprint from treasury.receipt
where offering_id = :offering and status = 'unmatched' order by booked_on, receipt_id;

