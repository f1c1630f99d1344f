-- Programs that an OpenID provider vouches for. A client is a key without a secret: its keeper, scope, end and revocation are
-- those of the key of its name, and two people bind it to a subject of the provider.

create table api.client (
    name text primary key references api.key constraint client_is_no_investor check (not starts_with(name, 'ivr_')),
    token_issuer text not null check (token_issuer <> ''),
    subject text not null check (subject <> ''),
    proposed_by text not null check (proposed_by <> ''),
    constraint subject_is_one_client unique (token_issuer, subject)
);

create table api.client_approval (
    name text primary key references api.client,
    approved_by text not null check (approved_by <> ''),
    approved_at timestamptz not null default clock_timestamp()
);

-- A token that was verified, until its end, with the actions that its scopes name. Its digest is longer than that of a key, so that
-- what a login of a keeper takes for a token is never the key of anybody.
create table api.token (
    token_digest bytea primary key constraint token_is_no_key check (octet_length(token_digest) = 33 and substring(token_digest for 1) = '\x01'),
    key_name text not null references api.client,
    actions text[] not null,
    expires_at timestamptz not null
);
create index token_of_client on api.token (key_name, expires_at);

call audit.append_only('api.client');
call audit.append_only('api.client_approval');

create function api.client_is_approved_by_another() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from api.client c where c.name = new.name
            and audit.person_of(c.proposed_by) = audit.person_of(new.approved_by)) then
        raise exception using errcode = 'BR010', constraint = 'client_needs_two_people',
            message = format('%s proposed %s and may not approve it', new.approved_by, new.name);
    end if;
    return new;
end $$;

create trigger approved_by_another before insert on api.client_approval
    for each row execute function api.client_is_approved_by_another();
alter table api.client_approval enable always trigger approved_by_another;

-- The keeper of the client that a provider calls so; nothing where two people have not bound one.
create function api.client_keeper(p_issuer text, p_subject text) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select k.keeper from api.client c join api.client_approval a using (name) join api.key k using (name)
    where c.token_issuer = p_issuer and c.subject = p_subject;
end;

-- Takes a verified token for the client of this keeper; tokens of the client that have ended leave.
create function api.accept_token(p_token bytea, p_issuer text, p_subject text, p_actions text[], p_ends timestamptz)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    client text;
begin
    select k.name into client from api.client c join api.client_approval a using (name) join api.key k using (name)
    where c.token_issuer = p_issuer and c.subject = p_subject and k.keeper = session_user;
    if client is null then
        raise exception using errcode = 'BR403', constraint = 'token_names_a_client',
            message = 'no client of this keeper is bound to the subject of the token';
    end if;
    delete from api.token t where t.key_name = client and t.expires_at < clock_timestamp();
    insert into api.token (token_digest, key_name, actions, expires_at) values (p_token, client, p_actions, p_ends)
    on conflict do nothing;
end $$;

-- The client behind a verified token, for the login that asks; nothing where the token, the client or its key has ended.
create function api.client_of(p_token bytea) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select k.name from api.token t join api.key_in_force k on k.name = t.key_name
    where t.token_digest = p_token and t.expires_at > clock_timestamp() and k.keeper = session_user and not k.is_shut;
end;

-- Which of these keys and tokens are in force, whichever keeper they serve.
create function api.keys_in_force(p_keys bytea[]) returns setof bytea
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select k.key_sha256 from api.key_in_force k where k.key_sha256 = any (p_keys) and not k.is_shut
    union all
    select t.token_digest from api.token t join api.key_in_force k on k.name = t.key_name
    where t.token_digest = any (p_keys) and t.expires_at > clock_timestamp() and not k.is_shut;
end;
