-- Accounts of people: proposed by one person, granted by another, accepted by whoever has the invitation.

create schema api;

-- The name is what its acts are recorded under; the keys NAME and NAME~LABEL are the same person's.
create table api.account (
    account_id text primary key,
    name text not null constraint account_name_is_one_persons unique
        constraint account_name_is_plain check (name ~ '^[a-z0-9][a-zA-Z0-9._-]{1,62}$')
        -- The keys of an account are its person's: of such a name they would be those of a tool, which decides nothing.
        constraint account_is_of_a_person check (not starts_with(name, 'tool-')),
    status text not null,
    keeper text not null constraint account_serves_one_keeper check (keeper in
        ('portal', 'compliance', 'subscription', 'treasury', 'registry', 'engine', 'audit', 'issuer')),
    issuer_id text constraint account_names_an_issuer_on_record references engine.issuer,
    invitation_sha256 bytea constraint invitation_is_made_once unique check (octet_length(invitation_sha256) = 32),
    invitation_ends_at timestamptz,
    proposed_by text not null,
    approved_by text,
    locked_by text,
    ended_by text,
    because text,
    version bigint not null,
    chain_head bytea not null,
    constraint account_keeps_its_keeper unique (name, keeper),
    constraint account_of_an_investor_serves_the_portal check (not starts_with(name, 'ivr_') or keeper = 'portal'),
    constraint account_of_an_issuer_names_it check ((keeper = 'issuer') = (issuer_id is not null)),
    constraint account_of_a_delegate_serves_the_portal check (not starts_with(name, 'dlg_') or keeper = 'portal'),
    -- An investor gets its own, a delegate what an investor lets it, and neither a right of a keeper; every other account is a
    -- grant, which needs two people.
    constraint account_needs_two_people check (status in ('proposed', 'declined') or starts_with(name, 'ivr_') or starts_with(name, 'dlg_')
        or coalesce(audit.person_of(approved_by) <> audit.person_of(proposed_by), false)),
    constraint nobody_grants_an_account_to_itself check (audit.person_of(proposed_by) <> name
        and coalesce(audit.person_of(approved_by) <> name, true)),
    constraint invited_account_has_an_invitation check (status <> 'invited' or invitation_sha256 is not null
        and invitation_ends_at is not null),
    constraint ended_account_says_why check (status not in ('declined', 'deactivated')
        or coalesce(because ~ '\S', false) and ended_by is not null)
);
call audit.keep('api.account', 'account', 'account_id', 'account_id', array['invitation_sha256']);

-- Keeper and name are what two people granted.
create function api.account_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.name, new.keeper, new.issuer_id, new.proposed_by) is distinct from (old.name, old.keeper, old.issuer_id, old.proposed_by) then
        raise exception using errcode = 'BR003', constraint = 'account_serves_whom_it_was_granted_for',
            message = format('%s keeps its name and its keeper; another is another account', old.account_id);
    end if;
    if old.status = 'locked' and new.status = 'active'
        and audit.person_of(current_setting('bookrunner.actor', true)) in (audit.person_of(old.locked_by), old.name) then
        raise exception using errcode = 'BR010', constraint = 'locked_account_is_opened_by_another_person',
            message = format('%s locked it, or is its person', current_setting('bookrunner.actor', true));
    end if;
    return new;
end $$;
create trigger account_stands before update on api.account for each row execute function api.account_stands();
alter table api.account enable always trigger account_stands;

-- An OpenID provider that people sign in with, as two people granted it. What of its acr and amr values says that two factors were
-- shown is a part of it (OpenID Connect Core, 2; RFC 8176); a session of any other value counts as one factor.
create table api.sign_in_provider (
    provider_id text primary key,
    name text not null constraint provider_name_is_plain check (name ~ '^[a-z0-9][a-z0-9-]{1,30}$'),
    status text not null,
    title text not null constraint provider_has_a_title check (title ~ '\S' and length(title) <= 60),
    token_issuer text not null check (token_issuer <> ''),
    client_id text not null check (client_id <> ''),
    secret bytea not null,
    wrapped bytea not null,
    strong_acr text[] not null,
    strong_amr text[] not null,
    proposed_by text not null,
    approved_by text,
    ended_by text,
    because text,
    version bigint not null,
    chain_head bytea not null,
    constraint provider_needs_two_people check (status <> 'in_force'
        or coalesce(audit.person_of(approved_by) <> audit.person_of(proposed_by), false)),
    constraint ended_provider_says_why check (status <> 'ended' or coalesce(because ~ '\S', false) and ended_by is not null)
);
create unique index provider_name_is_one_providers on api.sign_in_provider (name) where status <> 'ended';
call audit.keep('api.sign_in_provider', 'sign_in_provider', 'provider_id', 'provider_id', array['secret', 'wrapped']);

-- A way back in that another person asked for; taken up once, by a passkey that then waits.
create table api.recovery (
    recovery_sha256 bytea primary key check (octet_length(recovery_sha256) = 32),
    account_id text not null references api.account,
    asked_by text not null,
    ends_at timestamptz not null default clock_timestamp() + interval '7 days'
);
call audit.append_only('api.recovery');

-- What a person signs in with. A password is kept as its argon2id encoding, the secret of one-time codes sealed by the vault.
create table api.credential (
    credential_id text primary key,
    account_id text not null references api.account,
    status text not null,
    kind text not null constraint credential_kind_is_known check (kind in ('passkey', 'password', 'totp', 'recovery_codes', 'provider')),
    passkey_id bytea constraint passkey_belongs_to_one_account unique,
    public_key bytea,
    transports text[] not null default '{}',
    label text not null default '',
    secret bytea,
    wrapped bytea,
    opens_at timestamptz,
    asked_by text,
    admitted_by text,
    provider_id text constraint credential_names_a_provider_on_record references api.sign_in_provider,
    -- The keyed digest of who the person is at the provider.
    subject_sha256 bytea check (octet_length(subject_sha256) = 32),
    recovery_sha256 bytea constraint recovery_is_taken_up_once unique
        constraint credential_recovers_what_was_asked references api.recovery,
    ended_by text,
    version bigint not null,
    chain_head bytea not null,
    constraint recovery_needs_two_people check (asked_by is null or status <> 'in_force'
        or coalesce(audit.person_of(admitted_by) <> audit.person_of(asked_by), false)),
    constraint passkey_has_its_public_key check ((kind = 'passkey') = (passkey_id is not null and public_key is not null)),
    constraint credential_has_its_secret check ((kind in ('password', 'totp')) = (secret is not null)),
    constraint secret_of_codes_is_sealed check ((kind = 'totp') = (wrapped is not null)),
    constraint credential_of_a_provider_names_its_subject check ((kind = 'provider') = (provider_id is not null and subject_sha256 is not null)),
    constraint password_is_kept_as_argon2id check (kind <> 'password' or starts_with(convert_from(secret, 'UTF8'), '$argon2id$')),
    constraint waiting_credential_is_a_passkey check (status <> 'waiting' or kind = 'passkey' and opens_at is not null
        and asked_by is not null and recovery_sha256 is not null)
);
create unique index one_credential_of_its_kind_is_in_force on api.credential (account_id, kind)
    where status = 'in_force' and kind <> 'passkey';
-- Who somebody is at a provider opens one account.
create unique index subject_is_one_account on api.credential (provider_id, subject_sha256) where status = 'in_force';
create unique index one_recovery_waits_per_account on api.credential (account_id) where status = 'waiting';
create index credential_by_account on api.credential (account_id);
call audit.keep('api.credential', 'credential', 'credential_id', 'account_id',
    array['passkey_id', 'public_key', 'transports', 'label', 'secret', 'wrapped', 'subject_sha256', 'recovery_sha256']);

-- How often a passkey has signed and when it did last (Web Authentication, 6.1.1).
create table api.passkey_use (
    credential_id text primary key references api.credential,
    sign_count bigint not null check (sign_count >= 0),
    used_at timestamptz not null default clock_timestamp()
);

-- A one-time code is of a step of thirty seconds (RFC 6238); a step counts once.
create table api.used_code (
    credential_id text not null references api.credential,
    step bigint not null,
    used_at timestamptz not null default clock_timestamp(),
    constraint code_is_used_once primary key (credential_id, step)
);

create table api.recovery_code (
    code_sha256 bytea primary key check (octet_length(code_sha256) = 32),
    credential_id text not null references api.credential
);

create table api.used_recovery_code (
    code_sha256 bytea constraint recovery_code_is_used_once primary key references api.recovery_code,
    used_at timestamptz not null default clock_timestamp()
);
call audit.append_only('api.used_code');
call audit.append_only('api.recovery_code');
call audit.append_only('api.used_recovery_code');

-- What a browser was asked to sign, until it is answered once.
create table api.challenge (
    challenge_sha256 bytea primary key check (octet_length(challenge_sha256) = 32),
    purpose text not null,
    -- Who asked, by the keyed digest of its network.
    network_sha256 bytea not null check (octet_length(network_sha256) = 32),
    ends_at timestamptz not null default clock_timestamp() + interval '5 minutes'
);
create index challenge_by_network on api.challenge (network_sha256, ends_at);
create index challenge_by_end on api.challenge (ends_at);

-- Wrong passwords and codes, by the digest of an account's name and of an address. Passkeys are not guessed and not counted.
create table api.failed_try (
    subject_sha256 bytea primary key check (octet_length(subject_sha256) = 32),
    tries integer not null default 1,
    tried_at timestamptz not null default clock_timestamp(),
    waits_until timestamptz not null default '-infinity'
);
create index failed_try_by_age on api.failed_try (tried_at);
