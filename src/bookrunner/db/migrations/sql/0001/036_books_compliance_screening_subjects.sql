-- Who is screened: what is known of each, under which policy of an offer, and the work that waits.

-- What a person or entity is screened by, sealed under its own key; the digest changes when the content does.
create table compliance.particulars (
    subject_id text not null,
    particulars_no integer not null check (particulars_no > 0),
    kind text not null constraint screened_kind_is_known check (kind in ('person', 'entity')),
    digest bytea not null check (octet_length(digest) = 32),
    sealed bytea not null constraint particulars_are_sealed check (octet_length(sealed) > 28),
    recorded_by text not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (subject_id, particulars_no)
);
call audit.append_only('compliance.particulars');

-- A payer, signer or wallet is screened under its own id and concerns an investor.
create table compliance.concern (
    subject_id text not null,
    investor_id text not null,
    role text not null constraint concern_role_is_known check (role in ('payer', 'signer', 'wallet', 'client')),
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (subject_id, investor_id, role)
);
create index concern_of_investor on compliance.concern (investor_id);
call audit.append_only('compliance.concern');

-- One row per subject and list version: what must be screened again, why, until when, who took it, what came of it.
create table compliance.rescreening (
    source text not null,
    list_version text not null,
    subject_id text not null,
    from_version text,
    made_for text not null default 'onboarding',
    opened_at timestamptz not null default clock_timestamp(),
    due_at timestamptz not null,
    claimed_by text,
    claimed_until timestamptz,
    matcher_version text,
    programme_version text,
    done_at timestamptz,
    primary key (subject_id, source, list_version)
);
-- The one index of what waits begins with the subject: beside another the planner may not take it for a lookup by subject
-- while it believes that nobody waits, and then reads all who do.
create index rescreening_waits on compliance.rescreening (subject_id, source) where done_at is null;

-- Locks the positions of many investors in the order in which everybody locks them, before any of their clearances.
create function compliance.hold_positions(p_investors text[]) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    select 1 from engine.position pos where pos.investor_id = any (p_investors)
    order by pos.offering_id, pos.investment_id for update;
end;

-- Everybody whose clearance rests on a subject: the investor itself, or those whom an owner, party or payer concerns.
create function compliance.concerned(p_subject text) returns setof text
language plpgsql stable rows 3 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select p_subject
    union select o.investor_id from compliance.beneficial_owner o where o.owner_id = p_subject and o.status <> 'former'
    union select p.investor_id from compliance.party p where p.party_id = p_subject and p.status <> 'ended'
    union select c.investor_id from compliance.concern c where c.subject_id = p_subject
    order by 1;
end $$;

-- The same of many subjects, in one statement.
create function compliance.concerned_by(p_subjects text[]) returns table (subject_id text, investor_id text)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select s.id, s.id from unnest(p_subjects) s (id)
    union select o.owner_id, o.investor_id from compliance.beneficial_owner o where o.owner_id = any (p_subjects) and o.status <> 'former'
    union select p.party_id, p.investor_id from compliance.party p where p.party_id = any (p_subjects) and p.status <> 'ended'
    union select c.subject_id, c.investor_id from compliance.concern c where c.subject_id = any (p_subjects);
end;

-- Without a search path of its own, so that the planner can write it into a query; it names nothing outside pg_catalog.
create function compliance.is_covered(p_covers text[], p_subject text) returns boolean
language sql immutable
return (case when p_subject like 'wallet:%' then 'wallets' else 'names' end) = any (p_covers);

-- Opens full screenings of subjects against every list in force that covers them; what waits is counted from now.
create function compliance.enlist(p_subjects text[], p_made_for text, p_due timestamptz) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    select compliance.keep_lists();
    insert into compliance.rescreening (source, list_version, subject_id, made_for, due_at)
    select w.source, w.list_version, s.subject_id, p_made_for, p_due
    from compliance.watchlist w, (select distinct unnest(p_subjects)) s (subject_id)
    where w.status = 'active' and compliance.is_covered(w.covers, s.subject_id)
    order by s.subject_id, w.source
    on conflict (subject_id, source, list_version) do update set done_at = null, claimed_by = null, claimed_until = null,
        from_version = null, made_for = excluded.made_for, opened_at = clock_timestamp(),
        due_at = case when rescreening.done_at is null then least(rescreening.due_at, excluded.due_at) else excluded.due_at end;
end;

-- Whoever comes in beside or behind an investor is screened at once, unless that was done.
create function compliance.enlist_newcomer() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    newcomer text := to_jsonb(new) ->> tg_argv[0];
begin
    perform compliance.keep_lists();
    insert into compliance.rescreening (source, list_version, subject_id, due_at)
    select w.source, w.list_version, newcomer, clock_timestamp() from compliance.watchlist w
    where w.status = 'active' and compliance.is_covered(w.covers, newcomer) and not exists (
        select from compliance.screening s where s.subject_id = newcomer and s.source = w.source)
    on conflict do nothing;
    return null;
end $$;

create trigger enlist_newcomer after insert on compliance.beneficial_owner
    for each row execute function compliance.enlist_newcomer('owner_id');
create trigger enlist_newcomer after insert on compliance.party
    for each row execute function compliance.enlist_newcomer('party_id');
create trigger enlist_newcomer after insert on compliance.concern
    for each row execute function compliance.enlist_newcomer('subject_id');
alter table compliance.beneficial_owner enable always trigger enlist_newcomer;
alter table compliance.party enable always trigger enlist_newcomer;
alter table compliance.concern enable always trigger enlist_newcomer;

-- An offer with a policy of its own has those screened again whose last screening does not meet it.
create function compliance.enlist_for_offer() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from compliance.screening_policy p where p.offering_id = new.offering_id) then
        perform compliance.enlist(array(select s.id from compliance.subjects_of(new.investor_id) s (id)
            where not compliance.is_screened_by(compliance.policy_of(new.offering_id), array[s.id])), 'onboarding', clock_timestamp());
    end if;
    return null;
end $$;

create trigger enlist_for_offer after insert on compliance.clearance
    for each row execute function compliance.enlist_for_offer();
alter table compliance.clearance enable always trigger enlist_for_offer;

-- Records what a person or entity is screened by and opens the screening; the same content again changes nothing.
create function compliance.record_particulars(p_actor text, p_request text, p_subject text, p_kind text,
    p_digest bytea, p_sealed bytea) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    last compliance.particulars;
begin
    perform audit.enter(p_actor, p_request);
    perform pg_advisory_xact_lock(hashtextextended('compliance.particulars/' || p_subject, 0));
    select * into last from compliance.particulars where subject_id = p_subject order by particulars_no desc limit 1;
    if (last.kind, last.digest) is not distinct from (p_kind, p_digest) then
        return false;
    end if;
    insert into compliance.particulars (subject_id, particulars_no, kind, digest, sealed, recorded_by)
    values (p_subject, coalesce(last.particulars_no, 0) + 1, p_kind, p_digest, p_sealed, p_actor);
    perform compliance.enlist(array[p_subject], case when last is null then 'onboarding' else 'change' end, clock_timestamp());
    if last is null then
        perform compliance.tell_positions(array(select compliance.concerned(p_subject)));
    else
        perform compliance.compute(p_subject);
    end if;
    return true;
end $$;

-- Opens the screening of investors whose profile is new or changed, and of wallets that were claimed.
create function compliance.enlist_subjects(p_actor text, p_request text, p_subjects text[], p_made_for text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.enlist(p_subjects, p_made_for, clock_timestamp());
end $$;

-- Opens the screening, on the lists in force, of everybody on whom the clearances of these investors rest, for an
-- issuance. Until they are answered the gates of the investors are closed.
create function compliance.enlist_for_issuance(p_actor text, p_request text, p_investors text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.enlist(array(select distinct b.subject_id from compliance.subjects_behind(p_investors) b),
        'issuance', clock_timestamp());
    perform compliance.tell_positions(p_investors);
end $$;

-- The same of payees, before money is owed to them.
create function compliance.enlist_for_payment(p_actor text, p_request text, p_investors text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.enlist(array(select distinct b.subject_id from compliance.subjects_behind(p_investors) b),
        'payment', clock_timestamp());
    perform compliance.tell_positions(p_investors);
end $$;

-- Waits until whoever screens somebody on whom these investors rest has recorded the answer or has given up.
create function compliance.await_screeners(p_actor text, p_request text, p_investors text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform from compliance.rescreening r where r.done_at is null
        and r.subject_id = any (array(select b.subject_id from compliance.subjects_behind(p_investors) b))
    order by r.subject_id, r.source for share;
end $$;

-- Opens the screening of everybody whose last one will lapse soon for an offer, or was made by another version
-- of the matcher. Returns how many subjects. A tenth of the permitted age is left to answer it.
create function compliance.enlist_aged(p_actor text, p_request text, p_matcher_version text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    aged text[];
    moment timestamptz := clock_timestamp();
    house interval := compliance.after_rule('house.screening_validity', moment) - moment;
    shortest interval := least(house, (select min(p.age) from compliance.screening_policy p));
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.use_matcher(p_matcher_version);
    select array_agg(distinct t.subject_id order by t.subject_id) into aged from (
        select s.subject_id, max(s.screened_at) as screened_at,
            (array_agg(s.matcher_version order by s.screened_at desc))[1] as matcher_version
        from compliance.screening s group by s.subject_id, s.source) t
    where (t.screened_at + shortest * 0.9 <= moment or t.matcher_version not in ('exact.1', p_matcher_version))
        and not exists (select from compliance.rescreening r where r.subject_id = t.subject_id and r.done_at is null)
        and exists (select from compliance.concerned(t.subject_id) i (id) join compliance.clearance c on c.investor_id = i.id
            where t.screened_at + (compliance.policy_of(c.offering_id)).age * 0.9 <= moment
                or t.matcher_version not in ('exact.1', p_matcher_version));
    perform compliance.enlist(aged, 'age', moment + house);
    return coalesce(cardinality(aged), 0);
end $$;

-- Opens the work that a list in force makes, from what each subject was answered for last.
create function compliance.open_list_work(l compliance.watchlist, p_before text) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    opened integer;
    due timestamptz := compliance.after_rule('house.rescreen_within', clock_timestamp());
    investors text[];
begin
    insert into compliance.rescreening (source, list_version, subject_id, from_version, made_for, due_at)
    select l.source, l.list_version, s.subject_id,
        case when w.subject_id is null and s.is_known then p_before else w.from_version end,
        coalesce(w.made_for, 'list_change'), least(due, w.due_at)
    from (select x.subject_id, bool_or(x.source = l.source) as is_known from compliance.screening x group by x.subject_id
        union select r.subject_id, false from compliance.rescreening r where r.done_at is null
            and not exists (select from compliance.screening x where x.subject_id = r.subject_id)) s
    left join compliance.rescreening w on w.subject_id = s.subject_id and w.source = l.source
        and w.list_version = p_before and w.done_at is null
    where compliance.is_covered(l.covers, s.subject_id)
    order by s.subject_id
    on conflict (subject_id, source, list_version) do update set done_at = null, claimed_by = null, claimed_until = null,
        from_version = excluded.from_version, made_for = excluded.made_for, opened_at = clock_timestamp(), due_at = excluded.due_at;
    get diagnostics opened = row_count;
    update compliance.rescreening set done_at = clock_timestamp()
    where source = l.source and list_version <> l.list_version and done_at is null;
    investors := array(select distinct i.id from compliance.rescreening r, compliance.concerned(r.subject_id) i (id)
        where r.source = l.source and r.list_version = l.list_version);
    perform 1 from engine.position pos where pos.investor_id = any (investors)
    order by pos.offering_id, pos.investment_id for update;
    update engine.position pos set rescreen_by = least(pos.rescreen_by, due, y.list_by),
        screened_against = case when p_before is null
            then coalesce(pos.screened_against, '{}') || jsonb_build_object(l.source, 'none') else pos.screened_against end
    from (select o.offering_id, clock_timestamp() + (compliance.policy_of(o.offering_id)).list_lag as list_by from (
        select distinct x.offering_id from engine.position x where x.investor_id = any (investors)) o) y
    where pos.investor_id = any (investors) and pos.offering_id = y.offering_id;
    return opened;
end $$;

-- Ties a payer, signer or wallet to an investor, whose clearance then rests on it too.
create function compliance.concern_investor(p_actor text, p_request text, p_subject text, p_investor text, p_role text)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into compliance.concern (subject_id, investor_id, role) values (p_subject, p_investor, p_role)
    on conflict do nothing;
    if found then
        perform compliance.compute(p_investor);
    end if;
end $$;

-- Whether enough is known of a subject to screen it.
create function compliance.is_known(p_subject text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return p_subject like 'wallet:%' or exists (select from compliance.particulars p
            join compliance.data_key k on k.investor_id = p.subject_id and k.status = 'active' where p.subject_id = p_subject)
        or exists (select from portal.profile_claim c where c.investor_id = p_subject and c.legal_name is not null);
end $$;

-- Lets who waits for a version that is no longer in force wait for the one that is, from what was answered last.
create function compliance.carry_over(l compliance.watchlist) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    insert into compliance.rescreening (source, list_version, subject_id, from_version, made_for, opened_at, due_at)
    select distinct on (w.subject_id) l.source, l.list_version, w.subject_id, w.from_version, w.made_for, w.opened_at, w.due_at
    from compliance.rescreening w
    where w.source = l.source and w.list_version <> l.list_version and w.done_at is null
    order by w.subject_id, w.due_at
    on conflict (subject_id, source, list_version) do update set done_at = null, claimed_by = null, claimed_until = null,
        from_version = null, due_at = least(rescreening.due_at, excluded.due_at);
    update compliance.rescreening set done_at = clock_timestamp()
    where source = l.source and list_version <> l.list_version and done_at is null;
end;

-- Takes known subjects that wait for a list in force, for five minutes; two workers never get the same ones. The list
-- stays in force until they are answered.
create function compliance.claim_rescreening(p_actor text, p_request text, p_source text, p_most integer)
returns table (subject_id text, list_version text, from_version text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    l compliance.watchlist;
begin
    perform audit.enter(p_actor, p_request);
    select * into l from compliance.watchlist w where w.source = p_source and w.status = 'active' for share;
    if not found then
        return;
    end if;
    perform compliance.carry_over(l);
    return query
        update compliance.rescreening r set claimed_by = p_actor, claimed_until = clock_timestamp() + interval '5 minutes'
        where (r.subject_id, r.source, r.list_version) in (
            select w.subject_id, w.source, w.list_version from compliance.rescreening w
            where w.source = l.source and w.list_version = l.list_version and w.done_at is null and coalesce(w.claimed_until < clock_timestamp(), true)
                and compliance.is_known(w.subject_id)
            order by w.source, w.list_version, w.subject_id limit p_most for update skip locked)
        returning r.subject_id, r.list_version, r.from_version;
end $$;

-- What subjects that the caller has claimed are screened by, and the lowest thresholds of the offers they concern.
create function compliance.claimed_subjects(p_actor text, p_request text, p_subjects text[])
returns table (subject_id text, made_for text, person_bp integer, other_bp integer, profile_kind text, legal_name text,
    country text, detail_version integer, birth_date_blind bytea, kind text, digest bytea, sealed bytea, wrapped bytea)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    house compliance.screening_policy := compliance.policy_of(null);
    has_policies boolean := exists (select from compliance.screening_policy);
begin
    perform audit.enter(p_actor, p_request);
    if exists (select from unnest(p_subjects) n (id) where not exists (select from compliance.rescreening r
        where r.subject_id = n.id and r.done_at is null and r.claimed_by = p_actor)) then
        raise exception using errcode = 'BR010', constraint = 'opened_particulars_are_claimed',
            message = 'particulars are opened for a screening that was claimed';
    end if;
    return query
    select n.id, (select min(r.made_for) from compliance.rescreening r where r.subject_id = n.id and r.done_at is null),
        coalesce(o.person_bp, house.person_bp), coalesce(o.other_bp, house.other_bp), c.kind, c.legal_name, c.country,
        c.detail_version, c.birth_date_blind, p.kind, p.digest, p.sealed, k.wrapped
    from unnest(p_subjects) n (id)
    left join portal.profile_claim c on c.investor_id = n.id
    left join lateral (select x.* from compliance.particulars x where x.subject_id = n.id
        order by x.particulars_no desc limit 1) p on true
    left join compliance.data_key k on k.investor_id = n.id and k.status = 'active'
    left join lateral (select min(y.person_bp) as person_bp, min(y.other_bp) as other_bp
        from compliance.concerned(n.id) i (id) join compliance.clearance z on z.investor_id = i.id,
            compliance.policy_of(z.offering_id) y where has_policies) o on true
    order by n.id;
end $$;

-- Each list in force, with its age and what still waits for it.
create view compliance.list_status as
select w.source, w.list_version, w.published_on, w.entry_count, w.covers, w.checked_at,
    compliance.after_rule('house.list_age', w.checked_at) as too_old_at,
    (select count(*) from compliance.rescreening r where r.source = w.source and r.done_at is null) as waiting,
    (select min(r.due_at) from compliance.rescreening r where r.source = w.source and r.done_at is null) as due_at
from compliance.watchlist w where w.status = 'active';
