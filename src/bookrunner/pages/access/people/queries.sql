-- name: by_name^
-- The account of a person, by the name that its acts are recorded under.
select account_id, name, status, keeper, issuer_id, proposed_by, approved_by from api.account where name = :name;

-- name: by_invitation^
-- The account that an invitation in force is for.
select account_id, name, keeper from api.account
where invitation_sha256 = :invitation and status = 'invited' and invitation_ends_at > clock_timestamp();

-- name: accounts
-- Every account, by name, with when its person last did something.
select a.account_id, a.name, a.status, a.keeper, a.proposed_by, a.approved_by, max(u.used_at) as used_at
from api.account a left join api.account_session s using (account_id) left join api.account_session_use u using (session_id)
group by a.account_id order by a.name;

-- name: credentials
-- What an account signs in with, the newest last.
select c.credential_id, c.status, c.opens_at, c.kind, c.label, c.passkey_id, c.transports, c.secret, c.wrapped, u.used_at,
    (select count(*) from api.recovery_code r where r.credential_id = c.credential_id
        and not exists (select from api.used_recovery_code d where d.code_sha256 = r.code_sha256)) as codes_left
from api.credential c left join api.passkey_use u using (credential_id)
where c.account_id = :account and c.status <> 'ended' order by c.credential_id;

-- name: passkey^
-- The passkey of an id, with its key, its count and its account.
select c.credential_id, c.account_id, c.status, c.public_key, u.sign_count, a.keeper, a.name
from api.credential c join api.passkey_use u using (credential_id) join api.account a using (account_id)
where c.passkey_id = :passkey and c.status <> 'ended' and a.status = 'active';

-- name: providers_in_force
-- The OpenID providers that people sign in with.
select name, title, token_issuer from api.sign_in_provider where status = 'in_force' order by title, name;

-- name: sessions
-- The open sessions of an account; one token each.
select s.session_id, s.how, s.opened_at, s.ends_at, u.used_at, s.session_sha256
from api.account_session s join api.account_session_use u using (session_id)
where s.account_id = :account and s.status = 'open' and s.ends_at > clock_timestamp()
    and u.used_at > clock_timestamp() - interval '30 minutes'
order by s.opened_at;

-- name: account_of_session^
-- The account behind the token of a session that is open.
select a.account_id, a.name, a.keeper, s.session_id from api.open_account_session(:session) s join api.account a using (account_id);

-- name: propose_account$
-- Names a person and whom it is to serve.
select api.propose_account(:actor, :request, :account, :name, :keeper, :issuer);

-- name: invite$
-- Grants an account, or makes its invitation anew.
select api.invite(:actor, :request, :account, :invitation);

-- name: move_account$
-- Moves an account: declined, locked, opened again or deactivated.
select api.move_account(:actor, :request, :account, :status, :because);

-- name: accept$
-- Takes an invitation up with the first credential; returns the account.
select api.accept(:request, :invitation, :credential, cast(:kept as jsonb));

-- name: enroll$
-- Keeps another credential of an account.
select api.enroll(:actor, :request, :account, :session, :credential, cast(:kept as jsonb), cast(:codes as bytea[]));

-- name: end_credential$
-- Ends a credential.
select api.end_credential(:actor, :request, :account, :session, :credential);

-- name: use_passkey$
-- Counts a signature of a passkey.
select api.use_passkey(:credential, :count);

-- name: use_code$
-- Uses a one-time code up.
select api.use_code(:credential, :step);

-- name: use_recovery_code$
-- Uses a recovery code up; whether it was one.
select api.use_recovery_code(:account, :code);

-- name: ask$
-- Remembers what a browser was asked to sign.
select api.ask(:challenge, :purpose, :network);

-- name: answered$
-- Takes the answer to a challenge, once.
select api.answered(:challenge, :purpose);

-- name: take_try$
-- Counts a try, or refuses it while tries wait.
select api.take_try(cast(:subjects as bytea[]));

-- name: forget_try$
-- Takes a try back that was right.
select api.forget_try(:account, :address);

-- name: sign_in$
-- Opens a session of an account; returns until when.
select api.sign_in(:request, :account, :credential, :id, :session, :how, :before, cast(:elsewhere as bytea));

-- name: end_account_session$
-- Ends a session of an account.
select api.end_account_session(:actor, :request, :account, :id);

-- name: choose_reading$
-- Keeps in which language and time zone the person behind a session reads.
select api.choose_reading(:session, :language, cast(:zone as text));

-- name: decision^
-- A decision that a person is about to make: its subjects with their versions, and the digest to sign.
select items, decision_sha256 from api.decision(:session, :act, :offering, cast(:subjects as text[]));

-- name: confirm$
-- Keeps that a passkey signed a decision; returns until when the session goes on.
select api.confirm(:request, :session, cast(:said as jsonb), :signed, :assertion, :next);

-- name: own_keys
-- The keys in force that count as a person's own.
select k.name, k.issued_at, k.expires_at from api.key_in_force k
where k.name = :name or k.account_name = :name
order by k.name;

-- name: by_recovery^
-- The account that a recovery in force is for.
select a.account_id, a.name, a.keeper from api.recovery r join api.account a using (account_id)
where r.recovery_sha256 = :recovery and r.ends_at > clock_timestamp() and a.status in ('active', 'locked')
    and not exists (select from api.credential c where c.recovery_sha256 = r.recovery_sha256);

-- name: ask_recovery$
-- Makes the secret of a recovery.
select api.ask_recovery(:actor, :request, :account, :recovery);

-- name: recover$
-- Keeps a new passkey that waits.
select api.recover(:request, :recovery, :credential, cast(:kept as jsonb));

-- name: admit_recovery$
-- Lets a recovered passkey sign in.
select api.admit_recovery(:actor, :request, :credential);
