-- The archive: bytes under their hash, classes of retention, legal holds; erasure is the only change and the last.

create table subscription.retention_class (
    class text primary key,
    years integer not null check (years > 0),
    source text not null
);

insert into subscription.retention_class (class, years, source) values
    ('executed_agreement', 10, '31 CFR 501.601'),
    ('offering_material', 10, '31 CFR 501.601'),
    ('working_paper', 5, '31 CFR 1023.220(a)(3)');

-- A document may be of several classes; the longest counts.
create table subscription.retention (
    sha256 bytea not null references subscription.document,
    class text not null references subscription.retention_class,
    keep_until date not null,
    classed_at timestamptz not null default clock_timestamp(),
    primary key (sha256, class)
);

-- Keeps one document, or everything of one investor, whatever its retention says.
create table subscription.legal_hold (
    hold_id text primary key,
    sha256 bytea references subscription.document,
    investor_id text,
    status text not null,
    because text not null constraint legal_hold_says_why check (because ~ '\S'),
    placed_by text not null,
    lifted_by text,
    lifted_because text,
    version bigint not null,
    chain_head bytea not null,
    constraint legal_hold_is_on_one_thing check (num_nonnulls(sha256, investor_id) = 1),
    constraint legal_hold_is_lifted_by_another_person check (lifted_by is distinct from placed_by),
    constraint lifted_legal_hold_says_why check ((status = 'lifted') = coalesce(lifted_because ~ '\S', false)
        and (status = 'lifted') = (lifted_by is not null))
);

call audit.append_only('subscription.retention_class');
call audit.append_only('subscription.retention');
call audit.keep('subscription.legal_hold', 'legal_hold', 'hold_id', 'hold_id');

create view subscription.legal_hold_fact as
select hold_id, sha256, investor_id, status, version, chain_head from subscription.legal_hold;

create view subscription.document_fact as
select d.sha256, d.media_type, d.archived_at, d.erased_because is not null as is_erased,
    (select max(r.keep_until) from subscription.retention r where r.sha256 = d.sha256) as keep_until
from subscription.document d;

-- Whose papers a document is among.
create function subscription.investors_of(p_sha256 bytea) returns text[]
language sql stable set search_path = pg_catalog, pg_temp
return array(
    select distinct pos.investor_id from subscription.agreement a
    join engine.position pos using (offering_id, investment_id)
    left join subscription.packet p using (offering_id, agreement_id)
    left join subscription.signed_file s using (offering_id, agreement_id)
    where p_sha256 in (a.document_sha256, a.executed_sha256, p.data_sha256, s.sha256));

-- Why a document may not be erased now, or null.
create function subscription.kept_because(p_sha256 bytea) returns text
language sql stable set search_path = pg_catalog, pg_temp
return case
    when exists (select from subscription.legal_hold h where h.status = 'placed' and (h.sha256 = p_sha256
        or h.investor_id = any (subscription.investors_of(p_sha256)))) then subscription.rule 'no_legal_hold_stands'
    when not exists (select from subscription.retention r where r.sha256 = p_sha256)
        then subscription.rule 'erased_document_has_a_class_of_retention'
    when exists (select from subscription.retention r where r.sha256 = p_sha256 and r.keep_until >= current_date)
        then subscription.rule 'retention_has_ended'
    end;

-- Written once: the only change is the erasure of the content, when nothing keeps it.
create function subscription.document_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    kept text;
begin
    if tg_op = 'UPDATE' and old.content is not null and new.content is null and new.erased_because is not null
        and (old.sha256, old.media_type, old.archived_at) = (new.sha256, new.media_type, new.archived_at) then
        kept := subscription.kept_because(old.sha256);
        if kept is not null then
            perform subscription.refuse(kept, encode(old.sha256, 'hex'));
        end if;
        return new;
    end if;
    raise exception using errcode = 'BR003', constraint = 'archived_document_is_written_once',
        message = format('%s on the archive is refused', tg_op);
end $$;

create trigger document_stands before update or delete on subscription.document
    for each row execute function subscription.document_stands();
create trigger document_stands_truncate before truncate on subscription.document
    for each statement execute function subscription.document_stands();
alter table subscription.document enable always trigger document_stands;
alter table subscription.document enable always trigger document_stands_truncate;

create function subscription.keep_bytes(p_content bytea, p_media_type text) returns bytea
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into subscription.document (sha256, media_type, content) values (sha256(p_content), p_media_type, p_content)
    on conflict (sha256) do nothing;
    return sha256(p_content);
end $$;

create function subscription.classify(p_sha256 bytea, p_class text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into subscription.retention (sha256, class, keep_until)
    select p_sha256, c.class, (current_date + make_interval(years => c.years))::date
    from subscription.retention_class c where c.class = p_class
    on conflict (sha256, class) do nothing;
end $$;

create function subscription.keep_upload(p_actor text, p_request text, p_content bytea, p_class text) returns bytea
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    digest bytea;
begin
    perform audit.enter(p_actor, p_request);
    digest := subscription.keep_bytes(p_content, 'application/pdf');
    perform subscription.class_document(p_actor, p_request, digest, p_class);
    return digest;
end $$;

create function subscription.class_document(p_actor text, p_request text, p_sha256 bytea, p_class text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if not exists (select from subscription.retention_class c where c.class = p_class) then
        perform subscription.refuse('class_of_retention_is_known', p_class);
    end if;
    perform subscription.classify(p_sha256, p_class);
end $$;

-- The bytes of a document, or a refusal when they are not what they were archived as.
create function subscription.read_document(p_actor text, p_request text, p_sha256 bytea)
returns table (content bytea, media_type text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    d subscription.document;
begin
    perform audit.enter(p_actor, p_request);
    select * into d from subscription.document x where x.sha256 = p_sha256;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'document_exists',
            message = format('there is no document %s', encode(p_sha256, 'hex'));
    end if;
    if d.content is null then
        raise exception using errcode = 'BR404', constraint = 'document_is_not_erased',
            message = format('%s was erased', encode(p_sha256, 'hex'));
    end if;
    if sha256(d.content) <> d.sha256 then
        raise exception using errcode = 'BR003', constraint = 'archived_bytes_have_their_hash',
            message = format('%s is not what was archived', encode(p_sha256, 'hex'));
    end if;
    return query select d.content, d.media_type;
end $$;

create function subscription.place_legal_hold(p_actor text, p_request text, p_hold text, p_sha256 bytea,
    p_investor text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into subscription.legal_hold (hold_id, sha256, investor_id, status, because, placed_by)
    values (p_hold, p_sha256, p_investor, 'placed', p_because, p_actor);
end $$;

create function subscription.lift_legal_hold(p_actor text, p_request text, p_hold text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update subscription.legal_hold set status = 'lifted', lifted_by = p_actor, lifted_because = p_because
    where hold_id = p_hold;
end $$;

-- Erases what no retention and no hold keeps; hash, type and reason stay.
create function subscription.erase_document(p_actor text, p_request text, p_sha256 bytea, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update subscription.document set content = null, erased_because = p_because where sha256 = p_sha256;
end $$;
