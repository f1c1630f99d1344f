-- name: issue_key!
-- Keeps the digest of a new key; run by the owner, since no login may make a credential for another.
insert into api.key (name, key_sha256, keeper, issuer_id, issued_by, expires_at)
values (:name, :key_sha256, :keeper, :issuer, :issued_by, clock_timestamp() + make_interval(days => :days));

-- name: revoke_key!
-- Ends a key from this moment on.
insert into api.revoked_key (name, revoked_by) values (:name, :revoked_by);

-- name: keys
-- Every key without its digest, by name.
select k.name, k.keeper, k.issued_by, k.issued_at, k.expires_at, r.revoked_at
from api.key k left join api.revoked_key r using (name) order by k.name;
