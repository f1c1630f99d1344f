-- Lists in versions, screenings pinned to list and matcher, and the work that a new list makes.

create table compliance.watchlist (
    source text not null,
    list_version text not null,
    status text not null,
    sha256 bytea not null constraint list_is_named_by_its_digest check (octet_length(sha256) = 32),
    published_on date not null,
    entry_count integer not null check (entry_count > 0),
    parser_version text not null,
    checked_at timestamptz not null default clock_timestamp(),
    activated_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (source, list_version)
);

create unique index one_list_version_in_force on compliance.watchlist (source) where status = 'active';
create unique index list_version_has_one_source on compliance.watchlist (list_version);
call audit.keep('compliance.watchlist', 'watchlist', 'list_version', 'source');

-- A payer, signer or wallet is screened under its own id and concerns an investor.
create table compliance.concern (
    subject_id text not null,
    investor_id text not null,
    role text not null constraint concern_role_is_known check (role in ('payer', 'signer', 'wallet')),
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (subject_id, investor_id, role)
);
create index concern_of_investor on compliance.concern (investor_id);
call audit.append_only('compliance.concern');

-- One row per subject and list version: what must be screened again, until when, who took it, what came of it.
create table compliance.rescreening (
    source text not null,
    list_version text not null,
    subject_id text not null,
    from_version text,
    due_at timestamptz not null,
    claimed_by text,
    claimed_until timestamptz,
    matcher_version text,
    done_at timestamptz,
    primary key (subject_id, source, list_version)
);
create index rescreening_waits on compliance.rescreening (source, list_version, subject_id) where done_at is null;

-- Everybody whose clearance rests on a subject: the investor itself, or those whom an owner, party or payer concerns.
create function compliance.concerned(p_subject text) returns setof text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select p_subject
    union select o.investor_id from compliance.beneficial_owner o where o.owner_id = p_subject and o.status <> 'former'
    union select p.investor_id from compliance.party p where p.party_id = p_subject and p.status <> 'ended'
    union select c.investor_id from compliance.concern c where c.subject_id = p_subject
    order by 1;
end $$;

-- Screened: by a screening that has not lapsed, with no list change whose time to be answered is over.
create function compliance.is_screened(p_subject text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from compliance.screening s where s.subject_id = p_subject and s.valid_until > clock_timestamp())
    and not exists (select from compliance.rescreening r where r.subject_id = p_subject and r.done_at is null
        and r.due_at <= clock_timestamp());
end $$;

-- Records a list as imported; false when this very list is known. The same version with other content is refused.
create function compliance.import_list(p_actor text, p_request text, p_source text, p_list_version text,
    p_sha256 bytea, p_published_on date, p_entry_count integer, p_parser_version text) returns boolean
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
    insert into compliance.watchlist (source, list_version, status, sha256, published_on, entry_count, parser_version)
    values (p_source, p_list_version, 'imported', p_sha256, p_published_on, p_entry_count, p_parser_version);
    return true;
end $$;

-- A person puts a list in force. Everybody screened before is due to be screened against the difference. A list
-- with less than nine tenths of the entries of the one before it needs a reason that says so.
create function compliance.activate_list(p_actor text, p_request text, p_source text, p_list_version text,
    p_because text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    before compliance.watchlist;
    l compliance.watchlist;
    due timestamptz := compliance.after_rule('house.rescreen_within', clock_timestamp());
    opened integer;
begin
    perform audit.enter(p_actor, p_request);
    select * into before from compliance.watchlist where source = p_source and status = 'active' for update;
    select * into l from compliance.watchlist where source = p_source and list_version = p_list_version for update;
    if l.entry_count * 10 < before.entry_count * 9 and coalesce(p_because, '') !~ '\S' then
        raise exception using errcode = 'BR008', constraint = 'list_shrinks_for_a_reason',
            message = format('%s has %s entries, the list in force has %s', p_list_version, l.entry_count, before.entry_count);
    end if;
    update compliance.watchlist set status = 'superseded' where source = p_source and list_version = before.list_version;
    update compliance.watchlist set status = 'active', activated_because = p_because
    where source = p_source and list_version = p_list_version;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'activated_list_is_imported',
            message = format('%s %s is not imported', p_source, p_list_version);
    end if;
    insert into compliance.rescreening (source, list_version, subject_id, from_version, due_at)
    select p_source, p_list_version, s.subject_id, before.list_version, due
    from (select distinct x.subject_id from compliance.screening x) s;
    get diagnostics opened = row_count;
    return opened;
end $$;

-- Says that the publisher still has this very list.
create function compliance.confirm_list(p_actor text, p_request text, p_source text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update compliance.watchlist set checked_at = clock_timestamp() where source = p_source and status = 'active';
end $$;

-- Ties a payer, signer or wallet to an investor, whose clearance then rests on it too.
create function compliance.concern_investor(p_actor text, p_request text, p_subject text, p_investor text, p_role text)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into compliance.concern (subject_id, investor_id, role) values (p_subject, p_investor, p_role)
    on conflict do nothing;
    perform compliance.compute(p_investor);
end $$;

-- Takes subjects that wait for a list in force, for five minutes; two workers never get the same ones.
create function compliance.claim_rescreening(p_actor text, p_request text, p_source text, p_most integer)
returns table (subject_id text, list_version text, from_version text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    return query
        update compliance.rescreening r set claimed_by = p_actor, claimed_until = clock_timestamp() + interval '5 minutes'
        where (r.subject_id, r.source, r.list_version) in (
            select w.subject_id, w.source, w.list_version from compliance.rescreening w
            where w.source = p_source and w.done_at is null and coalesce(w.claimed_until < clock_timestamp(), true)
            order by w.source, w.list_version, w.subject_id limit p_most for update skip locked)
        returning r.subject_id, r.list_version, r.from_version;
end $$;

-- Closes the work of subjects against whom the changed entries of a list scored nothing; returns how many.
create function compliance.record_unchanged(p_actor text, p_request text, p_source text, p_list_version text,
    p_matcher_version text, p_subjects text[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    closed integer;
begin
    perform audit.enter(p_actor, p_request);
    update compliance.rescreening r set done_at = clock_timestamp(), matcher_version = p_matcher_version
    where r.source = p_source and r.list_version = p_list_version and r.done_at is null
        and r.subject_id = any (p_subjects);
    get diagnostics closed = row_count;
    return closed;
end $$;

-- Opens a hit for each candidate that nobody has decided on for this very pair; returns whether one stands.
create function compliance.open_hits(p_subject text, p_screening text, p_source text, p_result jsonb) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    candidate jsonb;
    digest bytea := decode(p_result ->> 'subject_digest', 'hex');
    matcher text := p_result ->> 'matcher_version';
    stands boolean := false;
begin
    for candidate in select c from jsonb_array_elements(coalesce(p_result -> 'candidates', '[]')) c
        order by c ->> 'entry_id' loop
        continue when exists (select from compliance.hit h where h.subject_id = p_subject and h.source = p_source
            and h.entry_id = candidate ->> 'entry_id' and h.status in ('no_match', 'released')
            and h.entry_digest is not distinct from decode(candidate ->> 'entry_digest', 'hex')
            and h.subject_digest is not distinct from digest
            and split_part(h.matcher_version, '.', 1) = split_part(matcher, '.', 1));
        stands := true;
        continue when exists (select from compliance.hit h where h.subject_id = p_subject and h.source = p_source
            and h.entry_id = candidate ->> 'entry_id' and h.status not in ('no_match', 'released'));
        insert into compliance.hit (subject_id, hit_id, screening_id, source, entry_id, entry_digest, subject_digest,
            matcher_version, score_bp, parts, status)
        values (p_subject, 'hit_' || left(encode(sha256(convert_to(p_screening || '/' || (candidate ->> 'entry_id'), 'UTF8')), 'hex'), 26),
            p_screening, p_source, candidate ->> 'entry_id', decode(candidate ->> 'entry_digest', 'hex'), digest,
            matcher, (candidate ->> 'score_bp')::integer, coalesce(candidate -> 'parts', '{}'), 'open');
    end loop;
    return stands;
end $$;

-- Records one screening with everything that makes it repeatable: source, list_version, matcher_version,
-- subject_digest, threshold_bp, the act it was made for, and the candidates with their score parts.
create function compliance.record_result(p_actor text, p_request text, p_subject text, p_screening text,
    p_result jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    l compliance.watchlist;
    stands boolean;
begin
    perform audit.enter(p_actor, p_request);
    select * into l from compliance.watchlist where source = p_result ->> 'source' and list_version = p_result ->> 'list_version';
    if l.status is distinct from 'active' then
        raise exception using errcode = 'BR008', constraint = 'screening_uses_the_list_in_force',
            message = format('%s is not the list in force', coalesce(p_result ->> 'list_version', 'no list'));
    end if;
    if compliance.after_rule('house.list_age', l.checked_at) < clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'list_is_young_enough',
            message = format('%s was last checked at %s', l.list_version, l.checked_at);
    end if;
    stands := compliance.open_hits(p_subject, p_screening, l.source, p_result);
    insert into compliance.screening (subject_id, screening_id, status, source, list_version, matcher_version,
        subject_digest, threshold_bp, made_for, candidates, matched, valid_until)
    values (p_subject, p_screening, case when stands then 'possible_match' else 'clear' end, l.source, l.list_version,
        p_result ->> 'matcher_version', decode(p_result ->> 'subject_digest', 'hex'),
        (p_result ->> 'threshold_bp')::integer, coalesce(p_result ->> 'made_for', 'onboarding'),
        coalesce(p_result -> 'candidates', '[]'), case when stands then p_result -> 'candidates' -> 0 ->> 'entry_id' end,
        compliance.after_rule('house.screening_validity', clock_timestamp()));
    update compliance.rescreening set done_at = clock_timestamp(), matcher_version = p_result ->> 'matcher_version'
    where subject_id = p_subject and source = l.source and done_at is null;
    perform compliance.compute(p_subject);
end $$;

-- Records an exact look-up, of a wallet for example: one listed entry, or none.
create function compliance.record_screening(p_actor text, p_request text, p_subject text, p_screening text,
    p_list_version text, p_matched text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform compliance.record_result(p_actor, p_request, p_subject, p_screening, jsonb_build_object(
        'source', (select source from compliance.watchlist where list_version = p_list_version),
        'list_version', p_list_version, 'matcher_version', 'exact.1', 'threshold_bp', 10000,
        'candidates', case when p_matched is null then '[]' else jsonb_build_array(
            jsonb_build_object('entry_id', p_matched, 'score_bp', 10000)) end));
end $$;
