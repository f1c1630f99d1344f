-- name: issue_key!
-- Keeps the digest of a new key; run by the owner, since no login may make a credential for another.
insert into api.key (name, key_sha256, keeper, issuer_id, issued_by, expires_at)
values (:name, :key_sha256, :keeper, :issuer, :issued_by, clock_timestamp() + make_interval(days => :days));

-- name: revoke_key!
-- Ends a key from this moment on.
insert into api.revoked_key (name, revoked_by) values (:name, :revoked_by);

-- name: propose^
-- Claims the key, keeps a proposal, stores the answer.
select answer, is_replay from api.propose(:key, :request, :body_sha256, :proposal, :operation, cast(:call as jsonb), :sentence,
    cast(:hours as integer));

-- name: decide_proposal^
-- Claims the key, confirms a proposal or declines it, stores the answer.
select answer, is_replay from api.decide_proposal(:key, :request, :body_sha256, :proposal, cast(:is_confirmed as boolean),
    :because);

-- name: proposals
-- The proposals for this login, the newest first, or the named one.
select * from api.proposals(cast(:proposal as text));

-- name: keys
-- Every key without its digest, by name.
select k.name, k.keeper, k.issued_by, k.issued_at, k.expires_at, r.revoked_at
from api.key k left join api.revoked_key r using (name) order by k.name;
