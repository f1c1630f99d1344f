-- Keys of programs that call the API. A key serves one keeper: the login that its calls run under.

create schema api;

-- Only the digest of a key is kept; whoever reads this table cannot call.
create table api.key (
    name text primary key constraint key_name_is_plain check (name ~ '^[a-z0-9][a-z0-9._-]{1,62}$'),
    key_sha256 bytea not null constraint key_is_issued_once unique check (octet_length(key_sha256) = 32),
    keeper text not null constraint key_serves_one_keeper check (keeper in
        ('portal', 'compliance', 'subscription', 'treasury', 'registry', 'engine', 'audit', 'issuer')),
    issuer_id text constraint key_names_an_issuer_on_record references engine.issuer,
    -- The scope: operations, areas or kinds of them; offers; how much of a person it reveals; networks. Nothing is no limit.
    actions text[] constraint key_names_an_action check (actions <> '{}'),
    offers text[] constraint key_names_an_offer check (offers <> '{}'),
    reveals text not null default 'identity' constraint key_reveals_a_known_tier check (
        reveals in ('nothing', 'dealings', 'identity')),
    networks cidr[] constraint key_names_a_network check (networks <> '{}'),
    issued_by text not null check (issued_by <> ''),
    issued_at timestamptz not null default clock_timestamp(),
    expires_at timestamptz not null,
    constraint key_of_an_investor_serves_the_portal check (not starts_with(name, 'ivr_') or keeper = 'portal'),
    constraint key_of_an_issuer_names_it check ((keeper = 'issuer') = (issuer_id is not null)),
    constraint key_expires_after_it_is_issued check (expires_at > issued_at)
);

create table api.revoked_key (
    name text primary key references api.key,
    revoked_by text not null check (revoked_by <> ''),
    revoked_at timestamptz not null default clock_timestamp()
);

call audit.append_only('api.key');
call audit.append_only('api.revoked_key');

-- The actor behind any key or verified token, for the login that asks. It is known, of this keeper, in force and not revoked,
-- or refused.
create function api.holder(p_key_sha256 bytea) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    found_name text;
begin
    select k.name into found_name from api.key k
    where k.key_sha256 = p_key_sha256 and k.keeper = session_user and k.expires_at > clock_timestamp()
        and not exists (select from api.revoked_key r where r.name = k.name);
    if found_name is null then
        found_name := api.client_of(p_key_sha256);
        if found_name is not null then
            return 'client:' || found_name;
        end if;
        raise exception using errcode = 'BR401', constraint = 'credential_is_in_force',
            message = 'the key is not known, has expired or was revoked';
    end if;
    return 'key:' || found_name;
end $$;

-- The actor behind the key of a program of ours. Every call that does not bind to its caller's own id asks for this one: a key
-- with the id of an investor as its name is refused.
create function api.caller(p_key_sha256 bytea) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    actor constant text := api.holder(p_key_sha256);
begin
    if starts_with(actor, 'key:ivr_') then
        raise exception using errcode = 'BR403', constraint = 'key_of_an_investor_reaches_its_own_alone',
            message = 'the key of an investor serves the intake, its own transfers and its own pages';
    end if;
    return actor;
end $$;
