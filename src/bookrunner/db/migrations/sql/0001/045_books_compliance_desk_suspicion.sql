-- The suspicious-activity desk (31 CFR 1023.320): cases that nobody outside compliance knows of, decided by two people
-- under a filing clock. Who is reported must not learn it (31 U.S.C. 5318(g)(2)), so every move is a sealed entry.

create table compliance.suspicion (
    case_id text primary key,
    status text not null,
    about_kind text not null constraint suspicion_is_about_a_known_kind check (about_kind in
        ('investor', 'owner', 'party', 'hit', 'wallet', 'receipt', 'payment', 'refund', 'investment', 'transfer')),
    about_id text not null constraint suspicion_names_its_record check (about_id ~ '\S'),
    investor_id text,
    noticed text not null constraint suspicion_says_what_was_noticed check (noticed ~ '\S'),
    detected_on date not null,
    suspect_is_known boolean not null,
    due_on date not null,
    keep_until date not null,
    outcome text constraint suspicion_outcome_is_known check (outcome in ('report', 'no_report')),
    because text,
    proposed_by text,
    decided_by text,
    decided_because text,
    filed_on date,
    filing_reference text,
    opened_by text not null,
    opened_at timestamptz not null default clock_timestamp(),
    version bigint not null,
    last_commitment bytea not null,
    constraint suspicion_decision_has_its_reason check (outcome is null or coalesce(because ~ '\S', false)),
    constraint suspicion_needs_two_people check (decided_by is null or audit.person_of(decided_by) <> audit.person_of(proposed_by)),
    constraint decided_suspicion_was_proposed check (status not in ('to_report', 'closed', 'filed')
        or (decided_by is not null and proposed_by is not null and outcome is not null)),
    constraint suspicion_is_filed_as_decided check (
        status not in ('to_report', 'closed', 'filed') or (outcome = 'no_report') = (status = 'closed')),
    constraint filed_suspicion_has_its_proof check (coalesce(filing_reference ~ '\S', false) = (status = 'filed')
        and (filed_on is not null) = (status = 'filed')),
    constraint suspicion_is_filed_after_detection check (filed_on >= detected_on)
);

-- Who has looked at the desk, at which case; the list of cases is looked at without one.
create table compliance.suspicion_view (
    view_no bigint primary key generated always as identity,
    case_id text,
    viewed_by text not null,
    request text not null,
    viewed_at timestamptz not null default clock_timestamp()
);
call audit.append_only('compliance.suspicion_view');

-- Guards a case as the guard of every record does, but tells of it under seal. What adds a sealed entry alone is a version too.
create function compliance.guard_suspicion() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    was text := '';
    before jsonb := '{}';
    after jsonb := to_jsonb(new) - '{version,last_commitment}'::text[];
    trigger_of text;
begin
    if coalesce(current_setting('bookrunner.actor', true), '') = '' then
        raise exception using errcode = 'BR001', constraint = 'write_names_actor_and_request',
            message = 'a write names its actor and its request';
    end if;
    if tg_op = 'UPDATE' then
        was := old.status;
        before := to_jsonb(old) - '{version,last_commitment}'::text[];
        if before = after and new.last_commitment <> old.last_commitment then
            new.version := old.version + 1;
            return new;
        end if;
        if (new.case_id, new.about_kind, new.about_id, new.investor_id, new.noticed, new.detected_on, new.suspect_is_known, new.opened_by, new.opened_at)
            is distinct from (old.case_id, old.about_kind, old.about_id, old.investor_id, old.noticed, old.detected_on, old.suspect_is_known,
            old.opened_by, old.opened_at) or new.due_on > old.due_on or new.keep_until < old.keep_until then
            raise exception using errcode = 'BR004', constraint = 'suspicion_stands_as_noticed',
                message = 'what was noticed, when, and the clock that runs from it never change';
        end if;
    end if;
    select t.trigger into trigger_of from engine.transition t where t.machine = 'suspicion' and t.from_state = was
        and t.to_state = new.status and t.role = session_user;
    if trigger_of is null then
        raise exception using errcode = 'BR002', constraint = 'transition_is_listed_for_the_keeper',
            message = format('suspicion: %s may not move a case from "%s" to "%s"', session_user, was, new.status);
    end if;
    new.version := case tg_op when 'INSERT' then 1 else old.version + 1 end;
    new.last_commitment := compliance.seal(new.case_id, trigger_of, (select coalesce(jsonb_object_agg(e.key, e.value), '{}')
        from jsonb_each(after) e where e.value is distinct from before -> e.key));
    return new;
end $$;

create trigger zz_sealed_guard before insert or update on compliance.suspicion for each row execute function compliance.guard_suspicion();
create trigger aa_never_deleted before delete on compliance.suspicion for each row execute function audit.never_deleted();
create trigger aa_never_truncated before truncate on compliance.suspicion for each statement execute function audit.never_deleted();
alter table compliance.suspicion enable always trigger zz_sealed_guard;
alter table compliance.suspicion enable always trigger aa_never_deleted;
alter table compliance.suspicion enable always trigger aa_never_truncated;

-- The entries of a case whose content, order or digest is not what was sealed; none after the last one is missing.
create function compliance.broken_seals(p_case text) returns setof integer
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select c.entry_no from compliance.sealed_content c
    left join compliance.sealed_content b on b.case_id = c.case_id and b.entry_no = c.entry_no - 1
    left join compliance.sealed_entry e on e.sealed_id = c.sealed_id
    where c.case_id = p_case and (e.commitment is distinct from sha256(c.salt || convert_to(c.canonical, 'UTF8'))
        or c.canonical::jsonb ->> 'previous' is distinct from coalesce(encode(b.commitment, 'hex'), '')
        or (c.canonical::jsonb ->> 'entry')::integer is distinct from c.entry_no or c.canonical::jsonb ->> 'case' is distinct from p_case)
    union
    select coalesce(t.entry_no, 0) from compliance.suspicion s left join lateral (select c.entry_no, c.commitment
        from compliance.sealed_content c where c.case_id = s.case_id order by c.entry_no desc limit 1) t on true
    where s.case_id = p_case and t.commitment is distinct from s.last_commitment
    order by 1;
end;

-- Whether a case stands as its entries tell together.
create function compliance.is_as_sealed(s compliance.suspicion) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    told jsonb := (select jsonb_object_agg(e.key, e.value order by c.entry_no) from compliance.sealed_content c,
        jsonb_each(c.canonical::jsonb -> 'told') e where c.case_id = s.case_id and c.canonical::jsonb ->> 'kind' <> 'noted');
begin
    return coalesce((told ->> 'opened_at')::timestamptz = s.opened_at
        and told - 'opened_at' = to_jsonb(s) - '{version,last_commitment,opened_at}'::text[], false);
end $$;

-- Locks a case for a decision by a person on the version seen.
create function compliance.hold_suspicion(p_actor text, p_because text, p_case text, p_seen bigint) returns compliance.suspicion
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s compliance.suspicion;
begin
    perform compliance.by_a_person(p_actor, p_because);
    select * into s from compliance.suspicion where case_id = p_case for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'suspicion_exists', message = format('there is no case %s', p_case);
    end if;
    perform compliance.on_version(s.version, p_seen);
    return s;
end $$;

-- Everybody whose data a case rests on: the investor whom it names, its subject, and the investors whom that is known for,
-- or was, when it is an owner or a party.
create function compliance.suspects(s compliance.suspicion) returns setof text
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with named (id) as (
        select s.investor_id where s.investor_id is not null
        union select s.about_id where s.about_kind in ('owner', 'party')
        union select h.subject_id from compliance.hit h where s.about_kind = 'hit' and h.hit_id = s.about_id)
    select n.id from named n
    union select o.investor_id from compliance.beneficial_owner o join named n on n.id = o.owner_id
    union select p.investor_id from compliance.party p join named n on n.id = p.party_id
    union select c.investor_id from compliance.concern c join named n on n.id = c.subject_id;
end;

-- Refuses a case that would keep nobody's data without saying so.
create function compliance.check_suspects(s compliance.suspicion, p_is_of_nobody boolean) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if s.investor_id is not null and not exists (select from portal.profile_fact f where f.investor_id = s.investor_id) then
        raise exception using errcode = 'BR008', constraint = 'suspicion_names_a_known_investor',
            message = format('there is no investor %s', s.investor_id);
    end if;
    if not (case s.about_kind
        when 'owner' then exists (select from compliance.beneficial_owner o where o.owner_id = s.about_id)
        when 'party' then exists (select from compliance.party p where p.party_id = s.about_id)
        when 'hit' then exists (select from compliance.hit h where h.hit_id = s.about_id) else true end) then
        raise exception using errcode = 'BR008', constraint = 'suspicion_names_a_known_record',
            message = format('there is no %s %s', s.about_kind, s.about_id);
    end if;
    if s.investor_id is null and s.about_kind not in ('owner', 'party', 'hit') and not p_is_of_nobody then
        raise exception using errcode = 'BR008', constraint = 'suspicion_says_whom_it_concerns',
            message = 'a case about such a record names the investor whom it concerns, or says that there is none';
    end if;
end $$;

-- Opens a case from any record. The report is due within the days of the rule after the day of detection, later where no
-- suspect was known on that day.
create function compliance.open_suspicion(p_actor text, p_request text, p_case text, p_stated jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    detected date := (p_stated ->> 'detected_on')::date;
    is_known boolean := (p_stated ->> 'suspect_is_known')::boolean;
    of_rule text := case when is_known then 'us.sar.report_within' else 'us.sar.report_without_suspect' end;
    s compliance.suspicion;
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.by_a_person(p_actor, p_stated ->> 'noticed');
    if detected > (clock_timestamp() at time zone 'America/New_York')::date then
        raise exception using errcode = 'BR008', constraint = 'suspicion_is_detected_by_today',
            message = 'nothing is detected in the future';
    end if;
    insert into compliance.suspicion (case_id, status, about_kind, about_id, investor_id, noticed, detected_on, suspect_is_known,
        due_on, keep_until, opened_by)
    values (p_case, 'open', p_stated ->> 'about_kind', p_stated ->> 'about_id', case p_stated ->> 'about_kind'
            when 'investor' then p_stated ->> 'about_id' else p_stated ->> 'investor' end, p_stated ->> 'noticed', detected, is_known,
        detected + compliance.rule_value(of_rule, clock_timestamp())::integer,
        compliance.after_rule('us.sar.retention', clock_timestamp())::date, p_actor) returning * into s;
    perform compliance.check_suspects(s, coalesce((p_stated ->> 'of_nobody')::boolean, false));
end $$;

-- One officer decides to report or not to; it waits for a second.
create function compliance.propose_suspicion(p_actor text, p_request text, p_case text, p_outcome text, p_because text,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.hold_suspicion(p_actor, p_because, p_case, p_seen);
    update compliance.suspicion set status = 'proposed', outcome = coalesce(p_outcome, ''), because = p_because, proposed_by = p_actor,
        decided_by = null, decided_because = null where case_id = p_case;
end $$;

-- A second person agrees, or sends the case back.
create function compliance.second_suspicion(p_actor text, p_request text, p_case text, p_is_agreed boolean, p_because text,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s compliance.suspicion;
begin
    perform audit.enter(p_actor, p_request);
    s := compliance.hold_suspicion(p_actor, p_because, p_case, p_seen);
    update compliance.suspicion set decided_by = p_actor, decided_because = p_because,
        status = case when p_is_agreed is not true then 'open' when s.outcome = 'report' then 'to_report' else 'closed' end
    where case_id = p_case;
end $$;

-- The report was filed with FinCEN; its identifier is the proof. It is kept for the years of the rule from that day.
create function compliance.file_suspicion(p_actor text, p_request text, p_case text, p_reference text, p_filed_on date,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.hold_suspicion(p_actor, 'filed', p_case, p_seen);
    if p_filed_on > (clock_timestamp() at time zone 'America/New_York')::date then
        raise exception using errcode = 'BR008', constraint = 'report_is_filed_by_today', message = 'nothing is filed in the future';
    end if;
    update compliance.suspicion set status = 'filed', filing_reference = p_reference, filed_on = p_filed_on,
        keep_until = greatest(keep_until, compliance.after_rule('us.sar.retention', p_filed_on)::date)
    where case_id = p_case;
end $$;

-- Adds to the support of a case: what was found, which record shows it. Nobody decides on what was there before it.
create function compliance.note_suspicion(p_actor text, p_request text, p_case text, p_note text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.by_a_person(p_actor, p_note);
    if not exists (select from compliance.suspicion where case_id = p_case for update) then
        raise exception using errcode = 'BR404', constraint = 'suspicion_exists', message = format('there is no case %s', p_case);
    end if;
    update compliance.suspicion set last_commitment = compliance.seal(p_case, 'noted', jsonb_build_object('note', p_note))
    where case_id = p_case;
end $$;

create function compliance.is_overdue(s compliance.suspicion) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return s.status in ('open', 'proposed', 'to_report') and s.due_on < (clock_timestamp() at time zone 'America/New_York')::date;

-- The cases, those with the nearest end of their clock first; who looked is recorded.
create function compliance.read_desk(p_actor text, p_request text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.by_a_person(p_actor, 'looked');
    insert into compliance.suspicion_view (viewed_by, request) values (p_actor, p_request);
    return (select coalesce(jsonb_agg(to_jsonb(s) - 'last_commitment' || jsonb_build_object('is_overdue', compliance.is_overdue(s))
        order by s.status in ('closed', 'filed'), s.due_on, s.case_id), '[]') from compliance.suspicion s);
end $$;

-- One case with its sealed entries, what is broken among them, and who has looked; the look is recorded first.
create function compliance.read_suspicion(p_actor text, p_request text, p_case text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.by_a_person(p_actor, 'looked');
    insert into compliance.suspicion_view (case_id, viewed_by, request) values (p_case, p_actor, p_request);
    return (select to_jsonb(s) - 'last_commitment' || jsonb_build_object(
        'is_overdue', compliance.is_overdue(s), 'is_as_sealed', compliance.is_as_sealed(s),
        'entries', (select jsonb_agg(jsonb_build_object('entry_no', c.entry_no, 'sealed_id', c.sealed_id,
            'salt', encode(c.salt, 'hex'), 'canonical', c.canonical) order by c.entry_no)
            from compliance.sealed_content c where c.case_id = p_case),
        'broken', (select coalesce(jsonb_agg(b), '[]') from compliance.broken_seals(p_case) b),
        'views', (select coalesce(jsonb_agg(jsonb_build_object('viewed_by', v.viewed_by, 'viewed_at', v.viewed_at) order by v.view_no desc), '[]')
            from compliance.suspicion_view v where v.case_id = p_case))
    from compliance.suspicion s where s.case_id = p_case);
end $$;
