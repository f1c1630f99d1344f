-- Sessions of people at the pages. A session begins with a key, carries the key's actor and login, and has an end.

create table api.session (
    session_sha256 bytea primary key check (octet_length(session_sha256) = 32),
    key_name text not null references api.key,
    opened_at timestamptz not null default clock_timestamp(),
    ends_at timestamptz not null,
    constraint session_ends_after_it_begins check (ends_at > opened_at)
);

create table api.ended_session (
    session_sha256 bytea primary key references api.session,
    ended_at timestamptz not null default clock_timestamp()
);

-- When a person last did something in a session; what a page asks for by itself is nobody's doing.
create table api.session_use (
    session_sha256 bytea primary key references api.session,
    used_at timestamptz not null default clock_timestamp()
);

call audit.append_only('api.session');
call audit.append_only('api.ended_session');

-- Opens a session for whoever shows a key that is in force and has no scope, which the pages would not keep. It lasts a working day, and never longer than its key.
create function api.open_session(p_key bytea, p_session bytea) returns timestamptz
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    until_when timestamptz;
begin
    perform api.holder(p_key);
    if exists (select from api.key k where k.key_sha256 = p_key and (k.actions is not null or k.offers is not null
            or k.networks is not null or k.reveals <> 'identity' or starts_with(k.name, 'tool-'))) then
        raise exception using errcode = 'BR401', constraint = 'key_with_a_scope_opens_no_session',
            message = 'the pages know no scope; sign in with a key that has none';
    end if;
    insert into api.session (session_sha256, key_name, ends_at)
    select p_session, k.name, least(k.expires_at, clock_timestamp() + interval '8 hours')
    from api.key k where k.key_sha256 = p_key
    returning ends_at into until_when;
    insert into api.session_use (session_sha256) values (p_session);
    return until_when;
end $$;

-- Who is behind a session, for the login that asks. It is known, of this keeper, in its time, not ended, and its key
-- or its account is in force, or it is refused; also after half an hour in which nobody did anything (NIST SP 800-63B-4,
-- 2.2.3). The use is written down at most once a minute. A session of an account says whether two factors were shown in it
-- (ASVS 5.0, V6.3.3): a passkey that verified its person, a password with a code, or a provider that says so; whoever turns codes on
-- shows the first one.
create function api.session_of(p_session bytea, p_is_act boolean, out actor text, out ends_at timestamptz,
    out opened_at timestamptz, out has_two_factors boolean, out language text, out zone text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    used timestamptz;
    own_id text;
begin
    has_two_factors := false;
    select 'key:' || k.name, s.ends_at, s.opened_at, u.used_at into actor, ends_at, opened_at, used
    from api.session s join api.key_in_force k on k.name = s.key_name left join api.session_use u using (session_sha256)
    where s.session_sha256 = p_session and s.ends_at > clock_timestamp() and k.keeper = session_user
        and not exists (select from api.ended_session e where e.session_sha256 = s.session_sha256)
        and not k.is_shut;
    if actor is null then
        select a.name, s.ends_at, s.opened_at, u.used_at, s.session_id, s.how in ('passkey', 'password_and_code',
            'password_and_recovery_code', 'provider_with_factors') or s.how <> 'provider' and exists (select from api.credential c where c.account_id = s.account_id
                and c.status = 'in_force' and (c.kind = 'totp' or c.kind = 'passkey' and s.how = 'invitation'))
        into actor, ends_at, opened_at, used, own_id, has_two_factors
        from api.account_session s join api.account a using (account_id) left join api.account_session_use u using (session_id)
        where s.session_sha256 = p_session and s.status = 'open' and s.ends_at > clock_timestamp()
            and a.status = 'active' and a.keeper = session_user;
        select r.language, r.zone into language, zone
        from api.account_session s join api.reading r using (account_id) where s.session_id = own_id;
    end if;
    if actor is null then
        raise exception using errcode = 'BR401', constraint = 'session_is_in_force',
            message = 'the session is not known, has run out or was ended';
    end if;
    if used is null or used <= clock_timestamp() - interval '30 minutes' then
        raise exception using errcode = 'BR401', constraint = 'session_is_in_use',
            message = 'nothing was done in the session for half an hour';
    end if;
    if p_is_act and used <= clock_timestamp() - interval '1 minute' then
        update api.session_use u set used_at = clock_timestamp() where u.session_sha256 = p_session;
        update api.account_session_use u set used_at = clock_timestamp() where u.session_id = own_id;
    end if;
end $$;

-- Ends a session now; ending one that has ended changes nothing.
create function api.end_session(p_session bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into api.ended_session (session_sha256)
    select s.session_sha256 from api.session s where s.session_sha256 = p_session
    on conflict do nothing;
end $$;
