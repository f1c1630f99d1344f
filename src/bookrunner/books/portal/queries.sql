-- name: open_profile$
-- Opens a profile; detail holds legal_name, country, address, tax_id, email and, for entities, representative.
select portal.open_profile(:actor, :request, :investor, :account, :kind, cast(:detail as jsonb));

-- name: amend_profile$
-- A new version of the details; the earlier versions stay readable.
select portal.amend_profile(:actor, :request, :investor, cast(:detail as jsonb));

-- name: claim_wallet$
-- Records a wallet whose proof of control the adapter has verified.
select portal.claim_wallet(:actor, :request, :offering, :claim, :investor, cast(:chain_id as bigint), :address, :challenge_sha256, :signature);
