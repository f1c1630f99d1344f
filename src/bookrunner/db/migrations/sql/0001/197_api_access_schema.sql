-- Keys of programs that call the API. A key serves one keeper: the login that its calls run under.

-- Only the digest of a key is kept; whoever reads this table cannot call.
create table api.key (
    name text primary key constraint key_name_is_plain check (name ~ '^[a-z0-9][a-z0-9._-]{1,62}(~[a-z0-9._-]{1,20})?$'),
    -- A key NAME~LABEL is one of the account NAME, and serves its keeper.
    account_name text generated always as (case when strpos(name, '~') > 0 then split_part(name, '~', 1) end) stored,
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
    constraint key_of_an_account_is_of_its_keeper foreign key (account_name, keeper) references api.account (name, keeper),
    constraint key_of_an_investor_serves_the_portal check (not starts_with(name, 'ivr_') or keeper = 'portal'),
    constraint delegate_has_no_key check (not starts_with(name, 'dlg_')),
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

-- A name is one person's or program's, and serves one keeper: a key NAME or NAME~LABEL, and the account NAME.
create function api.name_serves_one_keeper() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    -- Whoever takes the same name at this moment waits, and then sees who has it.
    perform pg_advisory_xact_lock(hashtextextended('api.name/' || split_part(new.name, '~', 1), 0));
    if exists (select from api.account a where a.name = split_part(new.name, '~', 1) and a.keeper <> new.keeper)
        or exists (select from api.key_in_force k where split_part(k.name, '~', 1) = split_part(new.name, '~', 1)
            and k.keeper <> new.keeper) then
        raise exception using errcode = 'BR008', constraint = 'name_serves_one_keeper',
            message = format('%s serves another keeper already', split_part(new.name, '~', 1));
    end if;
    return new;
end $$;
create trigger name_serves_one_keeper before insert on api.key for each row execute function api.name_serves_one_keeper();
create trigger name_serves_one_keeper before insert on api.account for each row execute function api.name_serves_one_keeper();
alter table api.key enable always trigger name_serves_one_keeper;
alter table api.account enable always trigger name_serves_one_keeper;

-- Whether the person behind a key has an account that is locked or deactivated: then its keys end with it.
create function api.is_shut(p_name text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select exists (select from api.account a where a.name = split_part(p_name, '~', 1) and a.status in ('locked', 'deactivated'));
end;

-- The keys in their time that nobody has revoked, each with whether its person is shut out.
create view api.key_in_force as
select k.*, api.is_shut(k.name) as is_shut from api.key k
where k.expires_at > clock_timestamp() and not exists (select from api.revoked_key r where r.name = k.name);

-- The actor behind any key, verified token or open session of an account, for the login that asks. It is known, of this keeper, in
-- force and not revoked, or refused. Pages alone call with a session, for the person in it; an investor's and a delegate's reach no operation.
create function api.holder(p_key_sha256 bytea) returns text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    found_name text;
begin
    select k.name into found_name from api.key_in_force k
    where k.key_sha256 = p_key_sha256 and k.keeper = session_user and not k.is_shut;
    if found_name is null then
        found_name := api.client_of(p_key_sha256);
        if found_name is not null then
            return 'client:' || found_name;
        end if;
        select a.name into found_name from api.open_account_session(p_key_sha256) s join api.account a using (account_id)
        where a.keeper = session_user and not starts_with(a.name, 'ivr_') and not starts_with(a.name, 'dlg_');
        if found_name is not null then
            return found_name;
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

grant select (name, account_name, issued_at, expires_at) on api.key_in_force to access;
