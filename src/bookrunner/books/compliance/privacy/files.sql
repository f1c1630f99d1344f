-- Files of an investor, sealed under a key of its own, and who has opened them.

-- The key under which the files of an investor are sealed; destroying it erases them.
create table compliance.data_key (
    investor_id text primary key,
    key_id text not null unique,
    status text not null,
    wrapped bytea,
    destroyed_because text,
    version bigint not null,
    chain_head bytea not null,
    constraint destroyed_key_is_gone check ((status = 'destroyed') = (wrapped is null)),
    constraint erasure_has_its_reason check (status <> 'destroyed' or coalesce(destroyed_because ~ '\S', false))
);
call audit.keep('compliance.data_key', 'file_key', 'key_id', 'investor_id', '{wrapped}');

-- The sealed content of a paper, known by the digest of what it was before it was sealed.
create table compliance.sealed_file (
    investor_id text not null,
    sha256 bytea not null check (octet_length(sha256) = 32),
    sealed bytea not null constraint file_is_sealed check (octet_length(sealed) > 28),
    kept_at timestamptz not null default clock_timestamp(),
    primary key (investor_id, sha256)
);
call audit.append_only('compliance.sealed_file');

create table compliance.file_view (
    investor_id text not null,
    view_id text not null,
    status text not null,
    sha256 bytea not null,
    viewed_by text not null,
    purpose text not null constraint view_says_its_purpose check (purpose ~ '\S'),
    version bigint not null,
    chain_head bytea not null,
    primary key (investor_id, view_id)
);
call audit.keep('compliance.file_view', 'file_view', 'view_id', 'investor_id');

-- Two workers may come at once for a subject that has no key yet: the second waits, and looks again.
create function compliance.await_key(p_subject text) returns void
language sql volatile set search_path = pg_catalog, pg_temp
return (select pg_advisory_xact_lock(hashtextextended('compliance.data_key/' || p_subject, 0))
    where not exists (select from compliance.data_key k where k.investor_id = p_subject));

-- The wrapped key of an investor's files; the given one is kept when there was none.
create function compliance.obtain_key(p_actor text, p_request text, p_investor text, p_key text, p_wrapped bytea)
returns bytea language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    k compliance.data_key;
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.await_key(p_investor);
    select * into k from compliance.data_key where investor_id = p_investor;
    if k.status = 'destroyed' then
        raise exception using errcode = 'BR008', constraint = 'personal_data_is_not_erased',
            message = format('the files of %s were erased', p_investor);
    end if;
    if not found then
        insert into compliance.data_key (investor_id, key_id, status, wrapped) values (p_investor, p_key, 'active', p_wrapped);
    end if;
    return coalesce(k.wrapped, p_wrapped);
end $$;

create function compliance.keep_file(p_actor text, p_request text, p_investor text, p_sha256 bytea, p_sealed bytea)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into compliance.sealed_file (investor_id, sha256, sealed) values (p_investor, p_sha256, p_sealed)
    on conflict do nothing;
end $$;

-- Hands out a sealed file with its wrapped key. Who looked, at what and why is an event.
create function compliance.view_file(p_actor text, p_request text, p_investor text, p_sha256 bytea, p_view text,
    p_purpose text) returns table (wrapped bytea, sealed bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if not exists (select from compliance.data_key k where k.investor_id = p_investor and k.status = 'active') then
        raise exception using errcode = 'BR008', constraint = 'personal_data_is_not_erased',
            message = format('the files of %s were erased, or never given', p_investor);
    end if;
    insert into compliance.file_view (investor_id, view_id, status, sha256, viewed_by, purpose)
    values (p_investor, p_view, 'viewed', p_sha256, p_actor, p_purpose);
    return query select k.wrapped, f.sealed from compliance.data_key k join compliance.sealed_file f using (investor_id)
        where k.investor_id = p_investor and f.sha256 = p_sha256;
end $$;
