-- The archive: bytes under their hash, classes of retention, legal holds; erasure is the only change and the last.

create table subscription.retention_class (
    class text primary key,
    years integer not null check (years > 0),
    source text not null
);

insert into subscription.retention_class (class, years, source) values
    ('executed_agreement', 10, '31 CFR 501.601'),
    ('offering_material', 10, '31 CFR 501.601'),
    ('closing_decision', 10, '31 CFR 501.601'),
    ('working_paper', 5, '31 CFR 1023.220(a)(3)');

-- A document may be of several classes, and filed again it is kept anew; the longest counts.
create table subscription.retention (
    sha256 bytea not null references subscription.document,
    class text not null references subscription.retention_class,
    keep_until date not null,
    classed_at timestamptz not null default clock_timestamp(),
    primary key (sha256, class, keep_until)
);

-- Whose papers an uploaded document is among, beside those that an agreement names.
create table subscription.upload (
    sha256 bytea not null references subscription.document,
    investor_id text not null,
    uploaded_by text not null,
    uploaded_at timestamptz not null default clock_timestamp(),
    primary key (sha256, investor_id)
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
    constraint legal_hold_is_lifted_by_another_person check (audit.person_of(lifted_by) is distinct from audit.person_of(placed_by)),
    constraint lifted_legal_hold_says_why check ((status = 'lifted') = coalesce(lifted_because ~ '\S', false)
        and (status = 'lifted') = (lifted_by is not null))
);

create table subscription.certificate (
    offering_id text not null,
    certificate_id text not null,
    agreement_id text not null,
    status text not null,
    sha256 bytea references subscription.document,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, certificate_id),
    constraint executed_packet_has_one_certificate unique (offering_id, agreement_id),
    foreign key (offering_id, agreement_id) references subscription.packet,
    constraint made_certificate_has_its_file check ((status = 'made') = (sha256 is not null))
);

create index certificate_is_due on subscription.certificate (offering_id, certificate_id) where status = 'due';

create table subscription.damage (
    damage_id text primary key,
    sha256 bytea not null references subscription.document,
    found_sha256 bytea not null,
    status text not null,
    version bigint not null,
    chain_head bytea not null,
    constraint damaged_document_is_named_once unique (sha256)
);

call audit.keep('subscription.certificate', 'certificate', 'certificate_id', 'offering_id');
call audit.append_only('subscription.retention_class');
call audit.append_only('subscription.retention');
call audit.keep('subscription.damage', 'damage', 'damage_id', 'damage_id');

-- Who was given a link to a document, by whom and until when. A reader is an investor, a key or a named person.
create table subscription.document_link (
    link_id bigint generated always as identity primary key,
    sha256 bytea not null references subscription.document,
    reader text not null constraint document_link_names_its_reader
        check (reader ~ '^(ivr_[0-9A-Za-z_]{1,60}|key:[a-z0-9][a-z0-9._-]{1,59}|[a-z]{1,20}\.[a-z]{1,40})$'),
    ends_at timestamptz not null,
    made_by text not null,
    made_at timestamptz not null default clock_timestamp(),
    constraint document_link_ends_within_a_week check (ends_at > made_at and ends_at <= made_at + interval '7 days')
);

create index document_link_by_document on subscription.document_link (sha256, reader, ends_at);

create table subscription.document_fetch (
    link_id bigint not null references subscription.document_link,
    fetched_at timestamptz not null default clock_timestamp()
);

call audit.append_only('subscription.document_link');
call audit.append_only('subscription.document_fetch');
call audit.append_only('subscription.upload');
call audit.keep('subscription.legal_hold', 'legal_hold', 'hold_id', 'hold_id');

create view subscription.legal_hold_fact as
select hold_id, sha256, investor_id, status, version, chain_head from subscription.legal_hold;

create view subscription.certificate_fact as
select offering_id, certificate_id, agreement_id, status, sha256, version, chain_head from subscription.certificate;

create view subscription.document_fact as
select d.sha256, d.media_type, d.archived_at, d.erased_because is not null as is_erased,
    (select max(r.keep_until) from subscription.retention r where r.sha256 = d.sha256) as keep_until
from subscription.document d;

-- Damage under each offer that uses the document.
create view subscription.damage_fact as
select o.offering_id, d.damage_id, encode(d.sha256, 'hex') as sha256, encode(d.found_sha256, 'hex') as found_sha256, d.status
from subscription.damage d cross join lateral (
    select a.offering_id from subscription.agreement a where d.sha256 in (a.document_sha256, a.signed_sha256, a.executed_sha256)
    union select p.offering_id from subscription.packet p where p.data_sha256 = d.sha256
    union select c.offering_id from subscription.certificate c where c.sha256 = d.sha256
    union select r.offering_id from subscription.requirement r where r.document_sha256 = d.sha256
    union select s.offering_id from subscription.signatory s where s.authority_sha256 = d.sha256) o;

-- Whose papers a document is among.
create function subscription.investors_of(p_sha256 bytea) returns text[]
language sql stable set search_path = pg_catalog, pg_temp
return array(
    select distinct pos.investor_id from subscription.agreement a
    join engine.position pos using (offering_id, investment_id)
    left join subscription.packet p using (offering_id, agreement_id)
    left join subscription.signed_file s using (offering_id, agreement_id)
    left join subscription.certificate c using (offering_id, agreement_id)
    where p_sha256 in (a.document_sha256, a.executed_sha256, p.data_sha256, s.sha256, c.sha256)
    union
    select u.investor_id from subscription.upload u where u.sha256 = p_sha256);

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

-- Files bytes under their hash. The row is locked, so that no erasure comes between the bytes and what keeps them.
create function subscription.keep_bytes(p_content bytea, p_media_type text) returns bytea
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into subscription.document (sha256, media_type, content) values (sha256(p_content), p_media_type, p_content)
    on conflict (sha256) do nothing;
    perform 1 from subscription.document d where d.sha256 = sha256(p_content) and d.content is not null for share;
    if not found then
        perform subscription.refuse('erased_document_is_not_filed_again', encode(sha256(p_content), 'hex'));
    end if;
    return sha256(p_content);
end $$;

create function subscription.classify(p_sha256 bytea, p_class text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into subscription.retention (sha256, class, keep_until)
    select p_sha256, c.class, (current_date + make_interval(years => c.years))::date
    from subscription.retention_class c where c.class = p_class
    on conflict (sha256, class, keep_until) do nothing;
end $$;

-- Keeps the sealed certificate of an executed packet; false when it was made before.
create function subscription.keep_certificate(p_actor text, p_request text, p_offering text, p_agreement text,
    p_content bytea) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c subscription.certificate;
begin
    perform audit.enter(p_actor, p_request);
    select * into c from subscription.certificate x where x.offering_id = p_offering and x.agreement_id = p_agreement for update;
    if c.status is distinct from 'due' then
        return false;
    end if;
    perform subscription.keep_bytes(p_content, 'application/pdf');
    perform subscription.classify(sha256(p_content), 'executed_agreement');
    update subscription.certificate set status = 'made', sha256 = sha256(p_content)
    where offering_id = p_offering and certificate_id = c.certificate_id;
    return true;
end $$;

create function subscription.keep_upload(p_actor text, p_request text, p_content bytea, p_class text,
    p_investor text) returns bytea
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    digest bytea;
begin
    perform audit.enter(p_actor, p_request);
    digest := subscription.keep_bytes(p_content, 'application/pdf');
    perform subscription.class_document(p_actor, p_request, digest, p_class);
    if p_investor is not null and engine.profile_kind(p_investor) is null
        and not exists (select from engine.position pos where pos.investor_id = p_investor) then
        perform subscription.refuse_missing('investor_exists', p_investor);
    end if;
    insert into subscription.upload (sha256, investor_id, uploaded_by)
    select digest, p_investor, p_actor where p_investor is not null
    on conflict (sha256, investor_id) do nothing;
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
        perform subscription.refuse_missing('document_exists', encode(p_sha256, 'hex'));
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

create function subscription.make_link(p_actor text, p_request text, p_sha256 bytea, p_reader text,
    p_ends_at timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform subscription.refuse_electronic(p_sha256, p_reader);
    insert into subscription.document_link (sha256, reader, ends_at, made_by)
    values (p_sha256, p_reader, p_ends_at, p_actor);
end $$;

-- The bytes behind a link that was made; that they were fetched stays on record.
create function subscription.follow_link(p_actor text, p_request text, p_sha256 bytea, p_ends_at timestamptz)
returns table (content bytea, media_type text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform subscription.refuse_electronic(p_sha256, p_actor);
    insert into subscription.document_fetch (link_id)
    select min(l.link_id) from subscription.document_link l
    where l.sha256 = p_sha256 and l.reader = p_actor and l.ends_at = p_ends_at having count(*) > 0;
    if not found then
        perform subscription.refuse_missing('document_link_exists', encode(p_sha256, 'hex'));
    end if;
    return query select d.content, d.media_type from subscription.read_document(p_actor, p_request, p_sha256) d;
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
    if not found then
        perform subscription.refuse_missing('legal_hold_exists', p_hold);
    end if;
end $$;

-- Erases what no retention and no hold keeps; hash, type and reason stay.
create function subscription.erase_document(p_actor text, p_request text, p_sha256 bytea, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update subscription.document set content = null, erased_because = p_because where sha256 = p_sha256;
    if not found then
        perform subscription.refuse_missing('document_exists', encode(p_sha256, 'hex'));
    end if;
end $$;

-- Compares the next documents with their hashes, in the order of these, and records what differs and what is sound again.
-- Returns the last hash that was looked at, or null at the end of the archive.
create function subscription.check_documents(p_actor text, p_request text, p_after bytea, p_most integer) returns bytea
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    last bytea;
    seen record;
begin
    perform audit.enter(p_actor, p_request);
    for seen in
        select d.sha256, sha256(d.content) as found_sha256 from subscription.document d
        where d.sha256 > p_after and d.content is not null order by d.sha256 limit p_most
    loop
        last := seen.sha256;
        perform subscription.note_soundness(seen.sha256, seen.found_sha256);
    end loop;
    return last;
end $$;

create function subscription.note_soundness(p_sha256 bytea, p_found_sha256 bytea) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if p_sha256 = p_found_sha256 then
        update subscription.damage set status = 'repaired', found_sha256 = p_found_sha256
        where sha256 = p_sha256 and status = 'found';
        return;
    end if;
    update subscription.damage set status = 'found', found_sha256 = p_found_sha256
    where sha256 = p_sha256 and status = 'repaired';
    insert into subscription.damage (damage_id, sha256, found_sha256, status)
    select 'dmg_' || substr(encode(p_sha256, 'hex'), 1, 32), p_sha256, p_found_sha256, 'found'
    where not exists (select from subscription.damage d where d.sha256 = p_sha256);
end $$;

-- Records what a read has found, in a transaction of its own.
create function subscription.check_document(p_actor text, p_request text, p_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform subscription.note_soundness(d.sha256, sha256(d.content)) from subscription.document d
    where d.sha256 = p_sha256 and d.content is not null;
end $$;

-- What a countersigned agreement is executed by: an archived file, or the hash of its document with the investor's signature.
create view subscription.execution_fact as
select a.offering_id, a.agreement_id, a.investment_id, a.executed_sha256, d.sha256 is not null as is_archived,
    sha256(a.document_sha256 || i.signature) as computed_sha256, (i.signature is not null)::int + (m.signature is not null)::int as signatures
from subscription.agreement a
left join subscription.document d on d.sha256 = a.executed_sha256
left join subscription.signature i on i.offering_id = a.offering_id and i.agreement_id = a.agreement_id and i.party = 'investor'
left join subscription.signature m on m.offering_id = a.offering_id and m.agreement_id = a.agreement_id and m.party = 'issuer'
where a.status = 'countersigned';

-- The agreements in force of which a file, read again, has another hash than it was archived under.
create view subscription.damaged_reading as
select a.offering_id, a.agreement_id, a.investment_id, d.sha256, sha256(d.content) as found_sha256
from subscription.document d join subscription.agreement a
    on a.document_sha256 = d.sha256 and a.status in ('investor_signed', 'countersigned')
where sha256(d.content) <> d.sha256
union all
select a.offering_id, a.agreement_id, a.investment_id, d.sha256, sha256(d.content)
from subscription.document d join subscription.agreement a on a.executed_sha256 = d.sha256 and a.status = 'countersigned'
    and a.executed_sha256 <> a.document_sha256
where sha256(d.content) <> d.sha256;
