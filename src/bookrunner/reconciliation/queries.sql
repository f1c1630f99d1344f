-- name: run$
-- Runs the comparisons: new differences become breaks, breaks that agree again are resolved by this run.
select reconciliation.run(:actor, :request, :offering, :run, cast(:chain as jsonb));
