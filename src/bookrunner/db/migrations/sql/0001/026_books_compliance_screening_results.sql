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

-- Whether an answer on which an investor rests is due and not yet there; the gate of its positions is closed for it.
create function compliance.is_awaited(p_investor text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from compliance.subjects_of(p_investor) s (id) where exists (
        select from compliance.rescreening r where r.subject_id = s.id and r.done_at is null and r.due_at <= clock_timestamp() offset 0));
end $$;

-- Tells the positions of investors by when lists must be answered and which were.
create function compliance.tell_positions(p_investors text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform compliance.hold_positions(p_investors);
    update engine.position pos set rescreen_by = x.answer_by, screened_against = x.against
    from engine.position o cross join lateral compliance.screening_says(o.offering_id, o.investor_id) x
    where o.investor_id = any (p_investors) and (pos.offering_id, pos.investment_id) = (o.offering_id, o.investment_id)
        and (pos.rescreen_by, pos.screened_against) is distinct from (x.answer_by, x.against);
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
    investors text[];
    c record;
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
    investors := array(select distinct i.investor_id from compliance.concerned_by(
        array(select distinct e ->> 'subject' from jsonb_array_elements(p_results) e)) i);
    perform compliance.hold_positions(investors);
    for c in select x.offering_id, x.investor_id, coalesce(bool_or(i.subject_id = any (struck)), false) as is_struck
        from compliance.concerned_by(array(select distinct e ->> 'subject' from jsonb_array_elements(p_results) e)) i
            join compliance.clearance x on x.investor_id = i.investor_id
        group by x.offering_id, x.investor_id order by x.offering_id, x.investor_id loop
        perform compliance.hold_clearance(c.offering_id, c.investor_id);
        if c.is_struck or not compliance.is_awaited(c.investor_id) then
            perform compliance.compute_one(c.offering_id, c.investor_id);
        elsif exists (select from engine.position pos where pos.investor_id = c.investor_id
            and coalesce(pos.rescreen_by > clock_timestamp(), true)) then
            perform compliance.tell_positions(array[c.investor_id]);
        end if;
    end loop;
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
