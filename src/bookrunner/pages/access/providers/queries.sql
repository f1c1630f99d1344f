-- name: provider_named^
-- The provider of a name, proposed or in force.
select provider_id, name, status, title, token_issuer, client_id, secret, wrapped, strong_acr, strong_amr, proposed_by
from api.sign_in_provider where name = :name and status <> 'ended';

-- name: providers
-- Every provider, those that have ended among them.
select p.provider_id, p.name, p.status, p.title, p.token_issuer, p.client_id, p.strong_acr, p.strong_amr, p.proposed_by,
    p.approved_by, p.version,
    (select count(*) from api.credential c where c.provider_id = p.provider_id and c.status = 'in_force') as linked
from api.sign_in_provider p order by p.name, p.provider_id;

-- name: linked^
-- The account that somebody at a provider opens.
select a.account_id, a.name, a.keeper, c.credential_id from api.credential c join api.account a using (account_id)
where c.provider_id = :provider and c.subject_sha256 = :subject and c.status = 'in_force' and a.status = 'active';

-- name: propose_provider$
-- Names a provider; another person grants it.
select api.propose_provider(:actor, :request, :provider, cast(:said as jsonb));

-- name: grant_provider$
-- Puts a provider in force.
select api.grant_provider(:actor, :request, :provider);

-- name: end_provider$
-- Ends a provider with its links and sessions, or declines it.
select api.end_provider(:actor, :request, :provider, :because);

-- name: hear_logout$
-- Ends what a provider opened for whom it has signed out; returns how many sessions.
select api.hear_logout(:request, :provider, :token, cast(:subject as bytea), cast(:elsewhere as bytea));
