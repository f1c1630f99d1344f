-- Lists in versions: imported whole with the files they were read from, put in force, confirmed, or refused.

create table compliance.watchlist (
    source text not null,
    list_version text not null,
    status text not null,
    sha256 bytea not null constraint list_is_named_by_its_digest check (octet_length(sha256) = 32),
    published_on date not null,
    entry_count integer not null check (entry_count > 0),
    parser_version text not null,
    covers text[] not null constraint list_covers_names_or_wallets check (covers <> '{}' and covers <@ '{names,wallets}'),
    checked_at timestamptz not null default clock_timestamp(),
    activated_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (source, list_version)
);

create unique index one_list_version_in_force on compliance.watchlist (source) where status = 'active';
create unique index list_version_has_one_source on compliance.watchlist (list_version);
call audit.keep('compliance.watchlist', 'watchlist', 'list_version', 'source');

-- The files of a version as they were published; a worker reads its index from them.
create table compliance.watchlist_file (
    source text not null,
    list_version text not null,
    file_name text not null,
    content bytea not null constraint list_file_has_content check (octet_length(content) > 0),
    primary key (source, list_version, file_name),
    foreign key (source, list_version) references compliance.watchlist
);
call audit.append_only('compliance.watchlist_file');

-- A file that was offered as a list and refused whole, with the rule that it broke.
create table compliance.refused_list (
    sha256 bytea primary key constraint refused_list_is_named_by_its_digest check (octet_length(sha256) = 32),
    file_name text not null,
    rule text not null,
    detail text not null,
    refused_at timestamptz not null default clock_timestamp()
);
call audit.append_only('compliance.refused_list');

-- Records a list as imported; false when this very list is known. The same version with other content is refused.
create function compliance.import_list(p_actor text, p_request text, p_source text, p_list_version text,
    p_sha256 bytea, p_published_on date, p_entry_count integer, p_parser_version text,
    p_covers text[] default '{names,wallets}') returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    known bytea;
begin
    perform audit.enter(p_actor, p_request);
    select sha256 into known from compliance.watchlist where source = p_source and list_version = p_list_version;
    if known = p_sha256 then
        return false;
    end if;
    if known is not null then
        raise exception using errcode = 'BR422', constraint = 'list_version_has_one_content',
            message = format('%s %s was imported with other content', p_source, p_list_version);
    end if;
    insert into compliance.watchlist (source, list_version, status, sha256, published_on, entry_count, parser_version, covers)
    values (p_source, p_list_version, 'imported', p_sha256, p_published_on, p_entry_count, p_parser_version, p_covers);
    return true;
end $$;

create function compliance.keep_list_file(p_actor text, p_request text, p_source text, p_list_version text,
    p_file_name text, p_content bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into compliance.watchlist_file (source, list_version, file_name, content)
    values (p_source, p_list_version, p_file_name, p_content);
end $$;

create function compliance.refuse_list(p_actor text, p_request text, p_sha256 bytea, p_file_name text, p_rule text,
    p_detail text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into compliance.refused_list (sha256, file_name, rule, detail)
    values (p_sha256, p_file_name, p_rule, p_detail) on conflict do nothing;
end $$;

-- Whoever opens work for the lists in force waits for a change of them that is under way, and a change waits for the work.
create function compliance.keep_lists() returns void
language sql set search_path = pg_catalog, pg_temp
return pg_advisory_xact_lock_shared(hashtextextended('compliance.watchlist', 0));

-- Puts a list in force. Everybody screened before is due to be screened against the difference; who still waited
-- for an earlier version waits for the difference to what was answered last. A list that was published before the one
-- in force, or has less than nine tenths of its entries, needs a reason that says so.
create function compliance.activate_list(p_actor text, p_request text, p_source text, p_list_version text,
    p_because text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    before compliance.watchlist;
    l compliance.watchlist;
    opened integer;
begin
    perform audit.enter(p_actor, p_request);
    perform pg_advisory_xact_lock(hashtextextended('compliance.watchlist', 0));
    select * into before from compliance.watchlist where source = p_source and status = 'active' for update;
    select * into l from compliance.watchlist where source = p_source and list_version = p_list_version for update;
    if l.status = 'active' then
        raise exception using errcode = 'BR002', constraint = 'activated_list_is_not_in_force',
            message = format('%s is in force', p_list_version);
    end if;
    if l.published_on < before.published_on and coalesce(p_because, '') !~ '\S' then
        raise exception using errcode = 'BR008', constraint = 'list_goes_back_for_a_reason',
            message = format('%s is of %s, the list in force of %s', p_list_version, l.published_on, before.published_on);
    end if;
    if l.entry_count * 10 < before.entry_count * 9 and coalesce(p_because, '') !~ '\S' then
        raise exception using errcode = 'BR008', constraint = 'list_shrinks_for_a_reason',
            message = format('%s has %s entries, the list in force has %s', p_list_version, l.entry_count, before.entry_count);
    end if;
    update compliance.watchlist set status = 'superseded' where source = p_source and list_version = before.list_version;
    update compliance.watchlist set status = 'active', activated_because = p_because
    where source = p_source and list_version = p_list_version returning * into l;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'activated_list_is_imported',
            message = format('%s %s is not imported', p_source, p_list_version);
    end if;
    opened := compliance.open_list_work(l, before.list_version);
    return opened;
end $$;

-- Says that the publisher still has this very list.
create function compliance.confirm_list(p_actor text, p_request text, p_source text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update compliance.watchlist set checked_at = clock_timestamp() where source = p_source and status = 'active';
end $$;
