-- name: open_clearance$
-- Opens the clearance of an investor for an offer and computes it.
select compliance.open_clearance(:actor, :request, :offering, :clearance, :investor, :needs_accreditation);

-- name: open_case$
-- Open case.
select compliance.open_case(:actor, :request, :investor, :case, :kind);

-- name: record_identity$
-- Records what the identity provider found: outcome is approved, declined or in_review. The verified digest
-- names the very version of the profile that was verified.
select compliance.record_identity(:actor, :request, :investor, :outcome, :evidence_sha256, :verified_digest, cast(:valid_until as timestamp with time zone));

-- name: declare_owner$
-- Names an owner behind an entity. Without evidence of who it is, the owner stands as unidentified.
select compliance.declare_owner(:actor, :request, :investor, :owner, cast(:share_bp as integer), :controls, :is_identified);

-- name: verify_owner$
-- Verify owner.
select compliance.verify_owner(:actor, :request, :investor, :owner, :evidence_sha256);

-- name: record_screening$
-- Record screening.
select compliance.record_screening(:actor, :request, :subject, :screening, :list_version, :matched);

-- name: record_accreditation$
-- Record accreditation.
select compliance.record_accreditation(:actor, :request, :investor, :accreditation, :method, :evidence_sha256, cast(:valid_until as timestamp with time zone));

