-- Who viewed whose data, when and why; and what was taken for an examination.

-- One bundle of records for a period. It is on record before anything is read for it, and again with the digest of its manifest.
create table audit.examination (
    examination_id text primary key,
    status text not null,
    period_from timestamptz not null,
    period_until timestamptz not null,
    taken_by text not null,
    purpose text not null constraint examination_says_its_purpose check (purpose ~ '\S'),
    manifest_sha256 bytea constraint manifest_is_named_by_its_hash check (octet_length(manifest_sha256) = 32),
    files integer,
    version bigint not null,
    chain_head bytea not null,
    constraint examined_period_ends_after_its_begin check (period_from < period_until),
    constraint taken_examination_names_its_files check ((status = 'taken') = (manifest_sha256 is not null and files is not null))
);
call audit.keep('audit.examination', 'examination', 'examination_id', 'examination_id');
create trigger examination_is_confirmed before insert on audit.examination for each row execute function api.beginning_is_confirmed('examination');
alter table audit.examination enable always trigger examination_is_confirmed;

create function audit.begin_examination(p_actor text, p_request text, p_examination text, p_from timestamptz, p_until timestamptz,
    p_purpose text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into audit.examination (examination_id, status, period_from, period_until, taken_by, purpose)
    values (p_examination, 'begun', p_from, p_until, p_actor, p_purpose);
end $$;

create function audit.end_examination(p_actor text, p_request text, p_examination text, p_manifest_sha256 bytea, p_files integer)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update audit.examination set status = 'taken', manifest_sha256 = p_manifest_sha256, files = p_files
    where examination_id = p_examination and audit.person_of(taken_by) = audit.person_of(p_actor);
    if not found then
        raise exception using errcode = 'BR404', constraint = 'examination_is_begun_by_its_taker',
            message = format('%s began no examination %s', p_actor, p_examination);
    end if;
end $$;

-- One list that was taken as files: whose, under which filter, by whom; on record before a row is read.
create table audit.list_export (
    export_id text primary key,
    status text not null,
    list text not null,
    of_offer text,
    of_person text,
    of_status text,
    of_since timestamptz,
    of_until timestamptz,
    taken_by text not null,
    version bigint not null,
    chain_head bytea not null
);
call audit.keep('audit.list_export', 'list_export', 'export_id', 'export_id');

create function audit.take_list(p_actor text, p_request text, p_export text, p_list text, p_offer text, p_person text, p_status text,
    p_since timestamptz, p_until timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into audit.list_export (export_id, status, list, of_offer, of_person, of_status, of_since, of_until, taken_by)
    values (p_export, 'taken', p_list, p_offer, p_person, p_status, p_since, p_until, p_actor);
end $$;

-- Whom a record concerns: the one whose scope it is in; in an offer the investor that its events or its investment name.
create function audit.whose_record(p_scope text, p_record text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select coalesce(i.investor_id, n.investor_id, case when o.offering_id is null then p_scope end)
    from (select max(p.says ->> 'investor_id') as investor_id, max(p.says ->> 'investment_id') as investment_id
        from audit.event x cross join lateral (select audit.payload_of(x.canonical) as says offset 0) p
        where x.scope = p_scope and x.subject = p_record) n
    left join engine.offer o on o.offering_id = p_scope
    left join engine.investment i on i.offering_id = p_scope and i.investment_id in (p_record, n.investment_id)
    order by i.investment_id = p_record desc nulls last limit 1);

-- Each look at personal data: at whose, by whom, when, what for. What was taken for an examination concerns everybody; a record of
-- an offer concerns the investor that its events or its investment name, and nobody where they name none. Whose a record is comes from a
-- function, which is asked for the rows alone that a reader is handed.
create view audit.access_entry as
select e.recorded_at as viewed_at, v.viewed_by, v.purpose,
    case when v.kind = 'record' then audit.whose_record(v.scope, v.about) else v.person_id end as person_id, v.kind, v.about, v.view_id, v.kind = 'examination' or v.kind = 'list' and v.person_id is null as is_of_everybody
from (
    select 'profile' as kind, investor_id as scope, view_id, viewed_by, purpose, investor_id as person_id, 'version ' || detail_version as about
    from portal.personal_view
    union all
    select 'file', investor_id, view_id, viewed_by, purpose, investor_id, encode(sha256, 'hex') from compliance.file_view
    union all
    select 'hit', subject_id, view_id, viewed_by, purpose, subject_id, hit_id from compliance.hit_view
    union all
    select 'payer', v.offering_id, v.view_id, v.viewed_by, v.purpose, i.investor_id, v.receipt_id
    from treasury.payer_view v join treasury.receipt r using (offering_id, receipt_id)
    left join engine.investment i on i.offering_id = r.offering_id and i.investment_id = r.investment_id
    union all
    select 'payment order', v.offering_id, v.view_id, v.viewed_by, v.purpose, i.investor_id, v.payout_id
    from treasury.order_view v left join treasury.refund f on f.offering_id = v.offering_id and f.payout_id = v.payout_id
    left join treasury.receipt r on r.offering_id = f.offering_id and r.receipt_id = f.receipt_id
    left join engine.investment i on i.offering_id = r.offering_id and i.investment_id = r.investment_id
    union all
    select 'record', v.scope, v.view_id, v.viewed_by, v.purpose, null, v.record from audit.record_view v
    union all
    select 'examination', examination_id, examination_id, taken_by, purpose, null,
        audit.instant(period_from) || ' to ' || audit.instant(period_until)
    from audit.examination
    union all
    select 'list', export_id, export_id, taken_by, 'a list as files', of_person,
        concat_ws(' ', list, of_offer, of_status, 'from ' || audit.instant(of_since), 'to ' || audit.instant(of_until))
    from audit.list_export
) v join audit.event e on e.scope = v.scope and e.subject = v.view_id and e.version = 1;
