-- Sessions of accounts: opened by a credential, under a new token after each sign-in and each confirmation.

create table api.account_session (
    session_id text primary key,
    account_id text not null references api.account,
    status text not null,
    session_sha256 bytea not null unique check (octet_length(session_sha256) = 32),
    how text not null constraint session_says_how_it_was_opened check (how in ('passkey', 'password', 'password_and_code',
        'password_and_recovery_code', 'invitation', 'provider', 'provider_with_factors')),
    opened_at timestamptz not null default clock_timestamp(),
    ends_at timestamptz not null,
    follows text constraint session_is_followed_once unique references api.account_session,
    ended_by text,
    -- The keyed digest of the session at the provider that it was opened with, where the provider gives it a name.
    elsewhere_sha256 bytea check (octet_length(elsewhere_sha256) = 32),
    version bigint not null,
    chain_head bytea not null,
    constraint session_lasts_a_working_day check (ends_at > opened_at and ends_at <= opened_at + interval '8 hours')
);
create index account_session_by_account on api.account_session (account_id) where status = 'open';
call audit.keep('api.account_session', 'account_session', 'session_id', 'account_id', array['session_sha256', 'elsewhere_sha256']);

create table api.account_session_use (
    session_id text primary key references api.account_session,
    used_at timestamptz not null default clock_timestamp()
);

-- The session behind a token: open, in its time, used within half an hour (NIST SP 800-63B-4, 2.2.3), of an account that is active.
create function api.open_account_session(p_session bytea) returns api.account_session
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select s from api.account_session s join api.account a using (account_id) join api.account_session_use u using (session_id)
    where s.session_sha256 = p_session and s.status = 'open' and s.ends_at > clock_timestamp() and a.status = 'active'
        and u.used_at > clock_timestamp() - interval '30 minutes';
end;

-- Who is behind a token of either kind, with what that person reaches; nobody when the session is over.
create function api.behind_session(p_session bytea) returns table (name text, keeper text, issuer_id text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select k.name, k.keeper, k.issuer_id from api.session s join api.key_in_force k on k.name = s.key_name
        join api.session_use u on u.session_sha256 = s.session_sha256 and u.used_at > clock_timestamp() - interval '30 minutes'
    where s.session_sha256 = p_session and s.ends_at > clock_timestamp()
        and not exists (select from api.ended_session e where e.session_sha256 = s.session_sha256)
        and not k.is_shut
    union all
    select a.name, a.keeper, a.issuer_id from api.open_account_session(p_session) o join api.account a using (account_id);
end;

create function api.start_session(p_account text, p_id text, p_session bytea, p_how text, p_follows api.account_session,
    p_elsewhere bytea default null)
returns timestamptz
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    began constant timestamptz := coalesce(p_follows.opened_at, clock_timestamp());
    until_when constant timestamptz := coalesce(p_follows.ends_at, began + interval '8 hours');
begin
    insert into api.account_session (session_id, account_id, status, session_sha256, how, opened_at, ends_at, follows, elsewhere_sha256)
    values (p_id, p_account, 'open', p_session, p_how, began, until_when, p_follows.session_id,
        coalesce(p_follows.elsewhere_sha256, p_elsewhere));
    insert into api.account_session_use (session_id) values (p_id);
    return until_when;
end $$;

-- Opens a session for whoever has shown a credential that is still in force; the one that the browser had before, if any,
-- ends with it, also where it went on under another token meanwhile.
create function api.sign_in(p_request text, p_account text, p_credential text, p_id text, p_session bytea, p_how text, p_before bytea,
    p_elsewhere bytea default null)
returns timestamptz
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a api.account;
begin
    select * into a from api.account where account_id = p_account for share;
    if a.status is distinct from 'active' then
        raise exception using errcode = 'BR401', constraint = 'account_is_active', message = 'the account does not sign in';
    end if;
    if not exists (select from api.credential c where c.credential_id = p_credential and c.account_id = p_account
            and c.status = 'in_force' and (c.kind = 'provider') = (p_how in ('provider', 'provider_with_factors')) for share) then
        raise exception using errcode = 'BR401', constraint = 'credential_is_in_force',
            message = 'what was shown has ended meanwhile';
    end if;
    perform audit.enter(a.name, p_request);
    update api.account_session s set status = 'ended', ended_by = a.name
    where s.account_id = p_account and s.status = 'open' and s.session_id in (
        with recursive own as (
            select b.session_id from api.account_session b where b.session_sha256 = p_before
            union all select f.session_id from own join api.account_session f on f.follows = own.session_id)
        select own.session_id from own);
    return api.start_session(p_account, p_id, p_session, p_how, null, p_elsewhere);
end $$;

-- Goes on with a session under another token; the end of the session stays where it was. The account is held meanwhile: whoever
-- locks it waits, and then ends the session that follows.
create function api.rotate_session(p_request text, p_session bytea, p_id text, p_next bytea) returns timestamptz
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s api.account_session := api.open_account_session(p_session);
    actor text;
begin
    select a.name into actor from api.account a where a.account_id = s.account_id and a.status = 'active' for share;
    if actor is not null then
        perform audit.enter(actor, p_request);
        update api.account_session set status = 'ended', ended_by = actor where session_id = s.session_id and status = 'open';
    end if;
    if actor is null or not found then
        raise exception using errcode = 'BR401', constraint = 'session_is_in_force', message = 'sign in again';
    end if;
    return api.start_session(s.account_id, p_id, p_next, s.how, s);
end $$;

-- Ends a session of an account; its own person ends any of them.
create function api.end_account_session(p_actor text, p_request text, p_account text, p_id text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update api.account_session set status = 'ended', ended_by = p_actor
    where session_id = p_id and account_id = p_account and status = 'open';
end $$;

grant usage on schema api, audit to access;
-- What compares accounts with their history; nothing of what happened.
grant select (scope, subject, version, kind, hash) on audit.event to access;
grant execute on function api.open_account_session(bytea), api.sign_in(text, text, text, text, bytea, text, bytea, bytea),
    api.end_account_session(text, text, text, text) to access;
