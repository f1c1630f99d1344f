-- name: issue_key!
-- Keeps the digest of a new key; run by the owner, since no login may make a credential for another.
insert into api.key (name, key_sha256, keeper, issuer_id, actions, offers, reveals, networks, issued_by, issued_at, expires_at)
values (:name, :key_sha256, :keeper, :issuer, cast(:actions as text[]), cast(:offers as text[]), :reveals,
    cast(cast(:networks as text[]) as cidr[]), :issued_by, statement_timestamp(),
    statement_timestamp() + make_interval(days => :days));

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
select k.name, k.keeper, k.actions, k.offers, k.reveals, cast(k.networks as text[]) as networks, k.issued_by, k.issued_at,
    k.expires_at, r.revoked_at, u.used_at
from api.key k left join api.revoked_key r using (name) left join api.key_use u on u.key_name = k.name order by k.name;

-- name: propose_client!
-- Binds a client to the subject of an OpenID provider; it counts when another person has approved it.
insert into api.client (name, token_issuer, subject, proposed_by) values (:name, :token_issuer, :subject, :proposed_by);

-- name: approve_client!
-- Approves a client, as another person.
insert into api.client_approval (name, approved_by) values (:name, :approved_by);
