-- What screenings answered: hits opened once per pair, screenings pinned to list and matcher, and what a clearance
-- and its positions make of them.

-- From when on the screening of subjects no longer stands for an offer, by when a changed list must be answered, and when
-- the first of those that stand lapses.
-- Each list in force that covers the subject has its own screening, by a threshold that the offer allows; a list that
-- is new altogether may wait as long as a changed one.
create function compliance.screening_stands(p compliance.screening_policy, p_subjects text[])
returns table (until_when timestamptz, answer_by timestamptz, lapses_at timestamptz)
language plpgsql stable rows 1 set search_path = pg_catalog, pg_temp as $$
begin
    -- The array comes from a sub-select: seen itself, its length would make every call worth a plan of its own.
    return query
    select coalesce(min(t.until_when), '-infinity'), min(t.any_by), min(nullif(t.until_when, '-infinity')) from (
        select coalesce(min(coalesce(x.lapses, case when x.list_by is not null and x.known then x.list_by end, '-infinity')),
            '-infinity') as until_when, min(x.any_by) as any_by
        from unnest((select p_subjects)) n (id) left join lateral (
            select (select max(least(s.valid_until, s.screened_at + p.age)) from compliance.screening s
                    where s.subject_id = n.id and s.source = w.source and (s.matcher_version like 'exact.%'
                        or s.threshold_bp <= case s.subject_kind when 'person' then p.person_bp else p.other_bp end)) as lapses,
                r.list_by, r.any_by,
                r.list_by is not null and exists (select from compliance.screening s where s.subject_id = n.id) as known
            from compliance.watchlist w left join lateral (
                select min(least(z.due_at, z.opened_at + p.list_lag)) filter (where z.made_for = 'list_change') as list_by,
                    min(case when z.made_for = 'list_change' then least(z.due_at, z.opened_at + p.list_lag) else z.due_at end) as any_by
                from compliance.rescreening z where z.subject_id = n.id and z.source = w.source and z.done_at is null) r on true
            where w.status = 'active' and compliance.is_covered(w.covers, n.id)) x on true
        group by n.id) t;
end $$;

create function compliance.is_screened_by(p compliance.screening_policy, p_subjects text[]) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return (select s.until_when > clock_timestamp() and coalesce(s.answer_by > clock_timestamp(), true)
        from compliance.screening_stands(p, p_subjects) s);
end $$;

-- Screened by the house's own policy.
create function compliance.is_screened(p_subject text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return compliance.is_screened_by(compliance.policy_of(null), array[p_subject]);
end $$;

-- By when every changed list must be answered for an investor, and the version of each list that was answered for last.
create function compliance.screening_says(p_offering text, p_investor text) returns table (answer_by timestamptz, against jsonb)
language plpgsql stable rows 1 set search_path = pg_catalog, pg_temp as $$
declare
    subjects text[] := array(select compliance.subjects_of(p_investor));
    p compliance.screening_policy;
    waits jsonb;
begin
    -- Hardly anybody waits at a time: what the lists say of those who do not is the same for all.
    -- The lookup of each subject is fenced by its offset: the planner believes that nobody waits and would read them all.
    select jsonb_object_agg(t.source, coalesce(t.from_version, 'none')) into waits from (
        select distinct on (r.source) r.source, r.from_version from unnest(subjects) n (id), lateral (
            select w.source, w.from_version from compliance.rescreening w where w.subject_id = n.id and w.done_at is null offset 0) r
        order by r.source, r.from_version nulls first) t;
    against := (select jsonb_object_agg(w.source, coalesce(waits ->> w.source, w.list_version))
        from compliance.watchlist w where w.status = 'active');
    if waits is not null then
        p := compliance.policy_of(p_offering);
        answer_by := (select s.answer_by from compliance.screening_stands(p, subjects) s);
    end if;
    return next;
end $$;

-- Everybody on whom the clearances of many investors rest, and what lists in force wait for of each, in one statement.
create function compliance.subjects_behind(p_investors text[]) returns table (investor_id text, subject_id text)
language plpgsql stable rows 2000 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select i.id, i.id from unnest(p_investors) i (id)
    union select e.id, x.id from (select distinct o.investor_id as id from compliance.beneficial_owner o
        where o.investor_id = any (p_investors) and o.status <> 'former') e, compliance.owners_behind(e.id) x (id)
    union select p.investor_id, p.party_id from compliance.party p where p.investor_id = any (p_investors) and p.status <> 'ended'
    union select c.investor_id, c.subject_id from compliance.concern c where c.investor_id = any (p_investors);
end $$;

-- How many of these investors rest on somebody for whom a list in force has not answered since a moment.
create function compliance.unscreened_since(p_investors text[], p_since timestamptz) returns bigint
language sql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off
begin atomic
    select count(distinct b.investor_id) from compliance.subjects_behind(p_investors) b
    join compliance.watchlist w on w.status = 'active' and compliance.is_covered(w.covers, b.subject_id)
    left join compliance.rescreening r on r.subject_id = b.subject_id and r.source = w.source and r.list_version = w.list_version
        and r.done_at >= p_since
    where r.subject_id is null;
end;

-- The lookup of each subject is fenced by its offset: the planner believes that nobody waits and would read them all.
create function compliance.waits_behind(p_investors text[]) returns table (investor_id text, source text, from_version text,
    made_for text, opened_at timestamptz, due_at timestamptz)
language plpgsql stable rows 2000 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select b.investor_id, r.source, r.from_version, r.made_for, r.opened_at, r.due_at
    from compliance.subjects_behind(p_investors) b, lateral (select x.source, x.from_version, x.made_for, x.opened_at, x.due_at
        from compliance.rescreening x where x.subject_id = b.subject_id and x.done_at is null offset 0) r;
end $$;

-- The version of each list in force, which those who wait for nothing were answered by.
create function compliance.lists_answered() returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return (select coalesce(jsonb_object_agg(w.source, w.list_version), '{}') from compliance.watchlist w where w.status = 'active');
end $$;

-- Tells the positions of investors by when lists must be answered and which were.
create function compliance.tell_positions(p_investors text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
declare
    answered jsonb := compliance.lists_answered();
begin
    perform compliance.hold_positions(p_investors);
    with waits as materialized (select w.* from compliance.waits_behind(p_investors) w),
    told as (select o.offering_id, o.investor_id, p.list_lag from (select distinct x.offering_id, x.investor_id
            from engine.position x where x.investor_id = any (p_investors)) o
        join (select y.offering_id, (compliance.policy_of(y.offering_id)).list_lag from (select distinct x.offering_id
            from engine.position x where x.investor_id = any (p_investors)) y offset 0) p using (offering_id)),
    due as (select t.offering_id, t.investor_id, min(case when w.made_for = 'list_change'
            then least(w.due_at, w.opened_at + t.list_lag) else w.due_at end) as answer_by
        from told t join waits w using (investor_id) join compliance.watchlist l on l.source = w.source and l.status = 'active'
        group by t.offering_id, t.investor_id),
    seen as (select v.investor_id, jsonb_object_agg(v.source, coalesce(v.from_version, 'none')) as against from (
        select distinct on (w.investor_id, w.source) w.investor_id, w.source, w.from_version
        from waits w join compliance.watchlist l on l.source = w.source and l.status = 'active'
        order by w.investor_id, w.source, w.from_version nulls first) v group by v.investor_id)
    update engine.position pos set rescreen_by = x.answer_by, screened_against = x.against
    from (select t.offering_id, t.investor_id, d.answer_by, answered || coalesce(s.against, '{}') as against
        from told t left join due d using (offering_id, investor_id) left join seen s using (investor_id)) x
    where pos.investor_id = any (p_investors) and (pos.offering_id, pos.investor_id) = (x.offering_id, x.investor_id)
        and (pos.rescreen_by, pos.screened_against) is distinct from (x.answer_by, x.against);
end $$;

-- What a clearance was judged by beside lists and matcher: while it is the same, nothing that was held then lapses but by time.
create function compliance.judged_alike(p_programme text, p_content jsonb) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from compliance.programme p where p.programme_version = p_programme
        and p.content - '{lists,matcher}'::text[] = p_content - '{lists,matcher}'::text[]);
end $$;

-- Renews the clearances of one offer that lack nothing, after the screening of everybody behind these investors, in one
-- statement: of all that they rest on the screenings alone are new. The caller has locked them, and nobody is struck or waits.
-- Returns whose clearance was renewed; the others are computed as ever.
create function compliance.renew(p_offering text, p_judged_at timestamptz, p_investors text[]) returns text[]
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    p compliance.screening_policy := compliance.policy_of(p_offering);
    programme text := compliance.follow_programme(p_offering, p_judged_at);
    content jsonb := (select x.content from compliance.programme x where x.programme_version = programme);
    alike text[] := array(select v.name from (select distinct c.programme_version as name from compliance.clearance c
        where c.offering_id = p_offering and c.investor_id = any (p_investors) offset 0) v where compliance.judged_alike(v.name, content));
    answered jsonb := compliance.lists_answered();
    renewed text[];
begin
    with behind as materialized (select b.* from compliance.subjects_behind(p_investors) b),
    stands as materialized (select b.investor_id, min(coalesce(x.lapses, '-infinity')) as until_when
        from behind b cross join compliance.watchlist w left join lateral (
            select max(least(s.valid_until, s.screened_at + p.age)) as lapses from compliance.screening s
            where s.subject_id = b.subject_id and s.source = w.source and (s.matcher_version like 'exact.%'
                or s.threshold_bp <= case s.subject_kind when 'person' then p.person_bp else p.other_bp end) offset 0) x on true
        where w.status = 'active' and compliance.is_covered(w.covers, b.subject_id) group by b.investor_id),
    open as materialized (select c.clearance_id, c.investor_id, least(s.until_when, compliance.lapses_beside_screening(c)) as until_when
        from stands s join compliance.clearance c on c.offering_id = p_offering and c.investor_id = s.investor_id
        where c.status = 'clear' and coalesce(c.valid_until > clock_timestamp(), true) and c.programme_version = any (alike)
            and s.until_when > clock_timestamp() and not exists (select from behind b join compliance.hit h using (subject_id)
                where b.investor_id = c.investor_id and h.status not in ('no_match', 'released'))),
    moved as (update compliance.clearance c set valid_until = o.until_when, programme_version = programme from open o
        where c.offering_id = p_offering and c.clearance_id = o.clearance_id and c.valid_until is distinct from o.until_when)
    select array_agg(o.investor_id) into renewed from open o where coalesce(o.until_when > clock_timestamp(), true);
    update engine.position pos set rescreen_by = null, screened_against = answered,
        cleared_until = c.valid_until, clearance_fact = c.clearance_id || '@' || c.version, clearance_hash = c.chain_head
    from compliance.clearance c where c.offering_id = p_offering and c.investor_id = any (renewed)
        and pos.offering_id = p_offering and pos.investor_id = c.investor_id;
    return coalesce(renewed, '{}');
end $$;

-- Computes what rests on subjects that were screened: at once for whom a hit struck, else with the last answer that is due.
create function compliance.follow_results(p_subjects text[], p_struck text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    investors text[] := array(select distinct i.investor_id from compliance.concerned_by(p_subjects) i);
    struck text[] := array(select distinct i.investor_id from compliance.concerned_by(p_struck) i);
    awaited text[];
    waiting text[];
    ready text[];
    renewed text[] := '{}';
    c record;
begin
    perform compliance.hold_positions(investors);
    perform 1 from compliance.offer_places p where p.offering_id in (select x.offering_id from compliance.clearance x
        where x.investor_id = any (investors)) order by p.offering_id for update;
    perform 1 from compliance.clearance x where x.investor_id = any (investors) order by x.offering_id, x.investor_id for update;
    select coalesce(array_agg(distinct w.investor_id) filter (where w.due_at <= clock_timestamp()), '{}'),
        coalesce(array_agg(distinct w.investor_id), '{}') into awaited, waiting from compliance.waits_behind(investors) w;
    ready := array(select i.id from unnest(investors) i (id) where i.id <> all (waiting || struck));
    for c in select x.offering_id, min(x.judged_at) as judged_at, array_agg(x.investor_id) as investors from compliance.clearance x
        where x.investor_id = any (ready) and x.status = 'clear'
        group by x.offering_id, (x.judged_at at time zone 'UTC')::date order by 1, 2 loop
        renewed := renewed || array(select c.offering_id || '/' || r.id from unnest(compliance.renew(c.offering_id,
            c.judged_at, c.investors)) r (id));
    end loop;
    for c in select x.offering_id, x.investor_id from compliance.clearance x where x.investor_id = any (investors)
        and (x.investor_id = any (struck) or x.investor_id <> all (awaited))
        and x.offering_id || '/' || x.investor_id <> all (renewed) order by x.offering_id, x.investor_id loop
        perform compliance.compute_one(c.offering_id, c.investor_id);
    end loop;
    perform compliance.tell_positions(array(select distinct pos.investor_id from engine.position pos
        where pos.investor_id = any (awaited) and pos.investor_id <> all (struck) and coalesce(pos.rescreen_by > clock_timestamp(), true)));
end $$;

-- Closes the work of subjects against whom the changed entries of a list scored nothing; returns how many.
create function compliance.record_unchanged(p_actor text, p_request text, p_source text, p_list_version text,
    p_matcher_version text, p_subjects text[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    closed integer;
    programme text;
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.use_matcher(p_matcher_version);
    programme := compliance.follow_programme();
    update compliance.rescreening r set done_at = clock_timestamp(), matcher_version = p_matcher_version,
        programme_version = programme
    where r.source = p_source and r.list_version = p_list_version and r.done_at is null
        and r.subject_id = any (p_subjects);
    get diagnostics closed = row_count;
    perform compliance.follow_screenings(p_subjects);
    return closed;
end $$;

-- Computes what rests on subjects that were screened: a clearance that lacked the screening, else the positions alone.
create function compliance.follow_screenings(p_subjects text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    investors text[] := array(select distinct i.id from unnest(p_subjects) s (id), compliance.concerned(s.id) i (id) order by 1);
    c record;
begin
    perform compliance.hold_positions(investors);
    for c in select x.offering_id, x.investor_id from compliance.clearance x
        where x.investor_id = any (investors) and 'sanctions_are_screened' = any (x.lacks)
        order by x.offering_id, x.investor_id loop
        perform compliance.compute_one(c.offering_id, c.investor_id);
    end loop;
    perform compliance.tell_positions(investors);
end $$;

-- Opens a hit for each candidate that nobody has decided on for this very pair; returns whether one stands. A hit that
-- stands says what the pair scores now, and what one person proposed on the pair of before has to be proposed again.
create function compliance.open_hits(p_subject text, p_screening text, p_source text, p_result jsonb) returns boolean
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    candidate jsonb;
    digest bytea := decode(p_result ->> 'subject_digest', 'hex');
    listed bytea;
    matcher text := p_result ->> 'matcher_version';
    stands boolean := false;
begin
    for candidate in select c from jsonb_array_elements(coalesce(p_result -> 'candidates', '[]')) c
        order by c ->> 'entry_id' loop
        listed := decode(candidate ->> 'entry_digest', 'hex');
        continue when exists (select from compliance.hit h where h.subject_id = p_subject and h.source = p_source
            and h.entry_id = candidate ->> 'entry_id' and h.status in ('no_match', 'released')
            and h.entry_digest is not distinct from listed and h.subject_digest is not distinct from digest
            and split_part(h.matcher_version, '.', 1) = split_part(matcher, '.', 1));
        stands := true;
        update compliance.hit h set screening_id = p_screening, entry_digest = listed, subject_digest = digest,
            matcher_version = matcher, score_bp = (candidate ->> 'score_bp')::integer,
            status = case h.status when 'proposed' then 'open' when 'release_proposed' then 'confirmed' else h.status end
        where h.subject_id = p_subject and h.source = p_source and h.entry_id = candidate ->> 'entry_id'
            and h.status not in ('no_match', 'released')
            and (h.entry_digest, h.subject_digest, h.matcher_version) is distinct from (listed, digest, matcher);
        continue when exists (select from compliance.hit h where h.subject_id = p_subject and h.source = p_source
            and h.entry_id = candidate ->> 'entry_id' and h.status not in ('no_match', 'released'));
        insert into compliance.hit (subject_id, hit_id, screening_id, source, entry_id, entry_digest, subject_digest,
            matcher_version, score_bp, status)
        values (p_subject, 'hit_' || left(encode(sha256(convert_to(p_screening || '/' || (candidate ->> 'entry_id'), 'UTF8')), 'hex'), 26),
            p_screening, p_source, candidate ->> 'entry_id', listed, digest,
            matcher, (candidate ->> 'score_bp')::integer, 'open');
    end loop;
    return stands;
end $$;

-- The list that a screening names, if it is in force and was checked lately; it stays in force until the caller is done.
create function compliance.list_in_force(p_source text, p_list_version text) returns compliance.watchlist
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    l compliance.watchlist;
begin
    select * into l from compliance.watchlist where source = p_source and list_version = p_list_version for share;
    if l.status is distinct from 'active' then
        raise exception using errcode = 'BR008', constraint = 'screening_uses_the_list_in_force',
            message = format('%s is not the list in force', coalesce(p_list_version, 'no list'));
    end if;
    if compliance.after_rule('house.list_age', l.checked_at) < clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'list_is_young_enough',
            message = format('%s was last checked at %s', l.list_version, l.checked_at);
    end if;
    return l;
end $$;

-- Records screenings with everything that makes them repeatable. Each names subject, screening, source, list_version,
-- matcher_version, subject_digest, subject_kind, threshold_bp, the act it was made for, and the candidates with their
-- score parts. What rests on the subjects is computed at the end: at once for a hit, else with the last answer that is due.
create function compliance.record_results(p_actor text, p_request text, p_results jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    r jsonb;
    programme text;
    lapses timestamptz := compliance.after_rule('house.screening_validity', clock_timestamp());
    struck text[] := '{}';
    matched text[] := '{}';
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.use_matcher(v.matcher) from (select distinct e ->> 'matcher_version' as matcher
        from jsonb_array_elements(p_results) e) v;
    programme := compliance.follow_programme();
    perform compliance.list_in_force(v.source, v.list_version) from (select distinct e ->> 'source' as source,
        e ->> 'list_version' as list_version from jsonb_array_elements(p_results) e order by 1, 2) v;
    for r in select e from jsonb_array_elements(p_results) e where e -> 'candidates' <> '[]'
        order by e ->> 'subject', e ->> 'source' loop
        if compliance.open_hits(r ->> 'subject', r ->> 'screening', r ->> 'source', r) then
            struck := struck || (r ->> 'subject');
            matched := matched || (r ->> 'screening');
        end if;
    end loop;
    insert into compliance.screening (subject_id, screening_id, status, source, list_version, matcher_version, programme_version,
        subject_digest, subject_kind, threshold_bp, made_for, candidates, matched, valid_until)
    select e ->> 'subject', e ->> 'screening', case when y.stands then 'possible_match' else 'clear' end, e ->> 'source',
        e ->> 'list_version', e ->> 'matcher_version', programme, decode(e ->> 'subject_digest', 'hex'),
        coalesce(e ->> 'subject_kind', ''), (e ->> 'threshold_bp')::integer, coalesce(e ->> 'made_for', 'onboarding'),
        case when e -> 'candidates' = '[]' then '[]' else (select coalesce(jsonb_agg(x.c - 'parts' order by x.place), '[]')
            from jsonb_array_elements(e -> 'candidates') with ordinality x (c, place)) end,
        case when y.stands then e -> 'candidates' -> 0 ->> 'entry_id' end, lapses
    from jsonb_array_elements(p_results) e, lateral (select e ->> 'screening' = any (matched) as stands) y
    order by e ->> 'subject', e ->> 'source';
    insert into compliance.score_part (subject_id, screening_id, entry_id, parts)
    select e ->> 'subject', e ->> 'screening', x.c ->> 'entry_id', x.c -> 'parts'
    from jsonb_array_elements(p_results) e, jsonb_array_elements(coalesce(e -> 'candidates', '[]')) x (c)
    where coalesce(x.c -> 'parts', '{}') <> '{}';
    update compliance.rescreening w set done_at = clock_timestamp(), matcher_version = e.matcher_version, programme_version = programme
    from jsonb_to_recordset(p_results) as e (subject text, source text, matcher_version text)
    where w.subject_id = e.subject and w.source = e.source and w.done_at is null;
    perform compliance.follow_results(array(select distinct e ->> 'subject' from jsonb_array_elements(p_results) e), struck);
end $$;

create function compliance.record_result(p_actor text, p_request text, p_subject text, p_screening text,
    p_result jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform compliance.record_results(p_actor, p_request, jsonb_build_array(
        p_result || jsonb_build_object('subject', p_subject, 'screening', p_screening)));
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
