-- name: import_rates$
-- Imports the rates of one file; returns how many are new.
select treasury.import_rates(:actor, :request, :source, :file, :file_sha256, cast(:rates as jsonb));

-- name: propose_currency$
-- Proposes a currency that investors of an offer may pay in.
select treasury.propose_currency(:actor, :request, :offering, :rule, cast(:terms as jsonb));

-- name: decide_currency$
-- Accepts or declines a proposed currency, or ends an accepted one.
select treasury.decide_currency(:actor, :request, :offering, :rule, :decision, cast(:seen as bigint));
