-- The clearance: computed from component checks, never typed in. Each verb of this book records a check and has
-- the clearances that rest on it computed again.

-- Everybody whose screening a clearance rests on: the investor, people behind and beside it, payers and wallets.
create function compliance.subjects_of(p_investor text) returns setof text
language plpgsql stable rows 5 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select p_investor
    union select compliance.owners_behind(p_investor)
    union select p.party_id from compliance.party p where p.investor_id = p_investor and p.status <> 'ended'
    union select c.subject_id from compliance.concern c where c.investor_id = p_investor;
end $$;

-- What the exemption of an offer asks and this investor does not meet, by the rules that the clearance is judged by.
create function compliance.lacking_by_exemption(c compliance.clearance) returns table (ordinal integer, name text)
language plpgsql stable rows 3 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select case k.name when 'accreditation_is_verified' then 11 when 'non_accredited_place_is_left' then 12
        when 'purchaser_is_sophisticated' then 13 when 'investor_is_outside_the_united_states' then 14 else 15 end, k.name
    from compliance.checks_of(c.exemption, c.judged_at) k (name)
    where case k.name
        when 'accreditation_is_verified' then not compliance.is_accredited(c.offering_id, c.investor_id, c.judged_at)
        when 'non_accredited_place_is_left' then not compliance.is_accredited(c.offering_id, c.investor_id, c.judged_at)
            and (select count(*) from compliance.clearance o where o.offering_id = c.offering_id and o.takes_place
                and o.investor_id <> c.investor_id) >= compliance.rule_value('us.506b.non_accredited_places', c.judged_at)
        when 'purchaser_is_sophisticated' then not compliance.is_accredited(c.offering_id, c.investor_id, c.judged_at)
            and not exists (select from compliance.sophistication_of(c.offering_id, c.investor_id) s
                where s.basis in ('alone', 'with_representative') and coalesce(s.valid_until > clock_timestamp(), true))
        when 'investor_is_outside_the_united_states' then coalesce((select p.country from portal.profile_claim p
            where p.investor_id = c.investor_id), 'US') in ('US', 'PR', 'GU', 'VI', 'AS', 'MP', 'UM')
        when 'investor_category_is_recorded' then coalesce((select g.valid_until <= clock_timestamp()
            from compliance.investor_category g where g.investor_id = c.investor_id and g.regime = c.exemption
            order by g.recorded_at desc limit 1), not exists (select from compliance.investor_category g
                where g.investor_id = c.investor_id and g.regime = c.exemption))
        else false end;
end $$;

create function compliance.lacking(p_offering text, p_investor text) returns text[]
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    policy compliance.screening_policy := compliance.policy_of(p_offering);
    subjects text[] := array(select compliance.subjects_of(p_investor));
begin
    return (
    select coalesce(array_agg(l.name order by l.ordinal), '{}') from (
        select 1 as ordinal, 'identity_is_verified' as name
        where not exists (select from compliance.kyc_case k where k.investor_id = p_investor
            and k.status = 'approved' and coalesce(k.valid_until > clock_timestamp(), true))
        union all
        select 2, 'discrepancies_are_resolved' where compliance.differs(p_investor)
        union all
        select case r.what when 'party' then 3 else 4 end,
            case r.what when 'party' then 'required_parties_are_verified' else 'required_documents_are_on_file' end
        from (select distinct q.what from compliance.open_requirements(p_investor) q) r
        union all
        select 5, 'beneficial_owners_are_verified'
        where exists (select from compliance.beneficial_owner o where o.investor_id = p_investor and o.status <> 'verified'
            and o.owner_id in (select compliance.owners_behind(p_investor)))
        union all
        select 6, 'control_person_is_verified'
        where exists (select from compliance.kyc_case k where k.investor_id = p_investor
                and k.kind in ('entity', 'trust', 'nominee'))
            and not exists (select from compliance.beneficial_owner o where o.investor_id = p_investor
                and o.controls and o.status = 'verified')
        union all
        select 7, 'sanctions_are_screened'
        where not compliance.is_screened_by(policy, subjects)
        union all
        select 8, 'sanctions_are_clear'
        where exists (select from unnest(subjects) s (id) where compliance.is_hit(s.id))
        union all
        select 8, 'blocked_owners_hold_less_than_half' where p_investor = any (compliance.blocked_behind(p_investor))
        union all
        select 9, 'enhanced_due_diligence_is_complete' where not compliance.diligence_is_done(p_investor)
        union all
        select 10, 'units_behind_a_nominee_are_stated'
        where compliance.units_unstated(p_offering, p_investor) > 0
        union all
        select 10, 'country_is_permitted' where not compliance.country_is_permitted(p_offering, p_investor)
        union all
        select 10, 'review_is_current' where compliance.review_due(p_investor) <= clock_timestamp()
        union all
        select x.ordinal, x.name from compliance.clearance c, compliance.lacking_by_exemption(c) x
        where c.offering_id = p_offering and c.investor_id = p_investor
    ) as l);
end $$;

-- The earliest moment at which one of the checks behind a clearance lapses by itself, its screenings apart.
create function compliance.lapses_beside_screening(c compliance.clearance) returns timestamptz
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return (
    select min(t.lapses) from (
        select k.valid_until as lapses from compliance.kyc_case k where k.investor_id = c.investor_id
        union all
        select a.valid_until from compliance.accreditation a where a.investor_id = c.investor_id
            and compliance.is_accredited(c.offering_id, c.investor_id, c.judged_at)
            and (c.needs_accreditation or c.exemption = '506(b)')
        union all
        select case r.what when 'document' then (select min(d.valid_until) from compliance.document d
                where d.investor_id = c.investor_id and d.status = 'on_file' and d.code = r.code)
            else (select min(p.valid_until) from compliance.party p
                where p.investor_id = c.investor_id and p.status = 'verified' and p.role = r.code) end
        from compliance.kyc_case k join compliance.kind_requirement r on r.kind = k.kind and r.form in ('', k.form)
        where k.investor_id = c.investor_id
        union all
        select compliance.review_due(c.investor_id)
        union all
        select g.valid_until from compliance.investor_category g where g.investor_id = c.investor_id and g.regime = c.exemption
        union all
        select s.valid_until from compliance.sophistication_of(c.offering_id, c.investor_id) s where c.exemption = '506(b)'
            and not compliance.is_accredited(c.offering_id, c.investor_id, c.judged_at)
    ) as t);
end $$;

-- Locks what a clearance is computed into, in the one order that every computation keeps, and returns the clearance.
create function compliance.hold_clearance(p_offering text, p_investor text) returns compliance.clearance
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    c compliance.clearance;
begin
    perform 1 from engine.position where offering_id = p_offering and investor_id = p_investor
    order by investment_id for update;
    perform 1 from compliance.offer_places where offering_id = p_offering for update;
    select * into c from compliance.clearance where offering_id = p_offering and investor_id = p_investor for update;
    return c;
end $$;

-- Computes one clearance from its checks and tells the position; the revoking row is written before this runs.
create function compliance.compute_one(p_offering text, p_investor text, p_is_anew boolean default false) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    missing text[];
    until_when timestamptz;
    verified bytea;
    takes boolean := false;
    c compliance.clearance := compliance.hold_clearance(p_offering, p_investor);
    stood text;
begin
    update engine.position pos set rescreen_by = s.answer_by, screened_against = s.against
    from compliance.screening_says(p_offering, p_investor) s where pos.offering_id = p_offering
        and pos.investor_id = p_investor and (pos.rescreen_by, pos.screened_against) is distinct from (s.answer_by, s.against);
    missing := compliance.lacking(p_offering, p_investor);
    until_when := least(compliance.lapses_beside_screening(c), (select s.lapses_at from compliance.screening_stands(
        compliance.policy_of(c.offering_id), array(select compliance.subjects_of(c.investor_id))) s));
    select k.verified_digest into verified from compliance.kyc_case k where k.investor_id = p_investor;
    takes := c.exemption = '506(b)' and missing = '{}'
        and not compliance.is_accredited(p_offering, p_investor, c.judged_at);
    if p_is_anew is not true and c.lacks = missing and (c.valid_until, c.verified_digest, c.takes_place) is not distinct from (until_when, verified, takes) then
        return;
    end if;
    stood := c.status;
    update compliance.clearance set programme_version = compliance.follow_programme(p_offering, c.judged_at),
        status = case when missing = '{}' then 'clear'
            when c.status = 'clear' then case when c.valid_until <= clock_timestamp() then 'expired' else 'reopened' end
            else c.status end,
        lacks = missing, valid_until = until_when, verified_digest = verified, takes_place = takes
    where offering_id = p_offering and clearance_id = c.clearance_id returning * into c;
    if p_is_anew or c.status <> stood then
        perform compliance.record_clearance(c);
    end if;
    update engine.position as pos set
        investor_is_cleared = c.status = 'clear', verified_digest = c.verified_digest, cleared_until = c.valid_until, clearance_lacks = c.lacks,
        clearance_since = case when pos.investor_is_cleared = (c.status = 'clear') then pos.clearance_since
            else clock_timestamp() end,
        clearance_fact = c.clearance_id || '@' || c.version, clearance_hash = c.chain_head
    where pos.offering_id = p_offering and pos.investor_id = p_investor;
end $$;

-- What a new position starts with; waits for a decision that is under way.
create function compliance.clearance_says(p_offering text, p_investor text) returns setof compliance.clearance
language plpgsql rows 1 set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from compliance.clearance where offering_id = p_offering and investor_id = p_investor for share;
    return query select * from compliance.clearance where offering_id = p_offering and investor_id = p_investor;
end $$;

-- Computes every clearance that rests on a subject: an investor, an owner, a party, a payer or a wallet.
create function compliance.compute(p_subject text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    c record;
begin
    for c in select x.offering_id, x.investor_id from compliance.concerned(p_subject) i (id)
        join compliance.clearance x on x.investor_id = i.id order by x.offering_id, x.investor_id loop
        perform compliance.compute_one(c.offering_id, c.investor_id);
    end loop;
end $$;

-- Opens the clearance of an investor for an offer and computes it. What it asks comes from the offer's exemption,
-- by the rules in force now; a later version of a rule does not judge it again.
create function compliance.open_clearance(p_actor text, p_request text, p_offering text, p_clearance text,
    p_investor text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    exemption_of text := (select exemption from engine.offer where offering_id = p_offering);
begin
    perform audit.enter(p_actor, p_request);
    if exemption_of is null then
        raise exception using errcode = 'BR404', constraint = 'offer_exists',
            message = format('there is no offer %s', p_offering);
    end if;
    if exists (select from compliance.checks_of(exemption_of, clock_timestamp()) k (name) where k.name = 'non_accredited_place_is_left') then
        insert into compliance.offer_places (offering_id) values (p_offering) on conflict do nothing;
    end if;
    insert into compliance.clearance (offering_id, clearance_id, investor_id, status, exemption, purpose, needs_accreditation, lacks)
    values (p_offering, p_clearance, p_investor, 'open', exemption_of,
        format('to buy and hold units of %s, offered under %s', p_offering, exemption_of), exists (
        select from compliance.checks_of(exemption_of, clock_timestamp()) k (name) where k.name = 'accreditation_is_verified'),
        '{clearance_is_computed}');
    perform compliance.compute_one(p_offering, p_investor);
end $$;

create function compliance.compute_again(p_actor text, p_request text, p_investor text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.compute(p_investor);
end $$;

-- An officer has one clearance judged by the rules of today instead of those of the day it was opened.
create function compliance.judge_again(p_actor text, p_request text, p_offering text, p_investor text, p_because text,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, p_because, array[p_offering, p_investor], (select version from compliance.clearance
        where offering_id = p_offering and investor_id = p_investor for update), p_seen);
    update compliance.clearance set judged_at = clock_timestamp()
    where offering_id = p_offering and investor_id = p_investor;
    perform compliance.compute_one(p_offering, p_investor, true);
end $$;

-- What lapses by itself: the clock closes it, and says so before. A worker calls expire_due.

-- One notice per thing, moment and stage of warning; nothing is noticed twice.
create table compliance.notice (
    investor_id text not null,
    about text not null,
    subject_id text not null,
    stage text not null check (stage in ('first', 'last')),
    lapses_at timestamptz not null,
    due_at timestamptz not null default clock_timestamp(),
    sent_at timestamptz,
    primary key (investor_id, about, subject_id, stage, lapses_at)
);

-- Everything of every investor that has an end, with that end.
create function compliance.endings() returns table (investor_id text, about text, subject_id text, lapses_at timestamptz)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select k.investor_id, 'identity', k.case_id, k.valid_until from compliance.kyc_case k where k.status = 'approved'
    union all
    select a.investor_id, 'accreditation', a.accreditation_id, a.valid_until from compliance.accreditation a where a.status = 'approved'
    union all
    select d.investor_id, 'document', d.document_id, d.valid_until from compliance.document d where d.status = 'on_file'
    union all
    select p.investor_id, 'party', p.party_id, p.valid_until from compliance.party p where p.status = 'verified'
    union all
    select s.subject_id, 'screening', s.subject_id, max(s.valid_until) from compliance.screening s group by s.subject_id
    union all
    select r.investor_id, 'review', r.rating_id, compliance.review_due(r.investor_id) from compliance.risk_rating r;
end;

-- Until when a rule keeps what is known of an investor or a subject, or the papers of a programme item: the identification of
-- customers, 31 CFR 1023.220(a)(3), a suspicion, 31 CFR 1023.320(d), a sanctions report or programme, 31 CFR 501.601. One
-- reason without a date stands for all, so that none tells of a sealed case.
create view compliance.retention_fact as
select k.investor_id, 'a rule keeps the record' as because, max(k.keep_until) as keep_until from (
    select s.investor_id, compliance.after_rule('us.cip.retention', s.verified_at)::date as keep_until from compliance.identity_snapshot s
    union all select i.id, u.keep_until from compliance.suspicion u, compliance.suspects(u) i (id)
    union all select r.investor_id, r.keep_until from compliance.sanctions_report r
    union all select p.item_id, (max(p.done_on) + make_interval(years => compliance.rule_value('us.ofac.retention',
        clock_timestamp())::integer))::date from compliance.programme_record p group by p.item_id) k
group by k.investor_id;

-- Closes what has lapsed: identities, accreditations, papers, and every clearance whose time is over or whose
-- subjects were not screened against a new list in time. Opens the notices that are due. Returns how many closed.
create function compliance.expire_due(p_actor text, p_request text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    moment timestamptz := clock_timestamp();
    closed integer := 0;
    touched text[] := '{}';
    e record;
begin
    perform audit.enter(p_actor, p_request);
    for e in select x.* from compliance.endings() x where x.lapses_at <= moment order by x.investor_id, x.about loop
        if e.about = 'identity' then
            update compliance.kyc_case set status = 'expired' where investor_id = e.investor_id and status = 'approved';
        elsif e.about = 'accreditation' then
            update compliance.accreditation set status = 'expired' where investor_id = e.investor_id and status = 'approved';
        elsif e.about = 'document' then
            update compliance.document set status = 'expired'
            where investor_id = e.investor_id and document_id = e.subject_id and status = 'on_file';
        elsif e.about = 'party' then
            update compliance.party set status = 'ended', ended_because = 'the authority has run out'
            where investor_id = e.investor_id and party_id = e.subject_id and status = 'verified';
        else
            continue;
        end if;
        closed := closed + 1;
        touched := touched || e.investor_id;
    end loop;
    for e in
        select c.investor_id from compliance.clearance c where c.status = 'clear' and c.valid_until <= moment
        union
        select i.id from compliance.rescreening r, compliance.concerned(r.subject_id) i (id)
        where r.done_at is null and r.due_at <= moment
        union
        select pos.investor_id from engine.position pos where pos.investor_is_cleared and pos.rescreen_by <= moment
        union
        select unnest(touched)
        order by 1 loop
        perform compliance.compute(e.investor_id);
    end loop;
    insert into compliance.notice (investor_id, about, subject_id, stage, lapses_at)
    select x.investor_id, x.about, x.subject_id, n.stage, x.lapses_at from compliance.endings() x,
        (values ('first'), ('last')) as n (stage)
    where x.lapses_at > moment and x.lapses_at <= compliance.after_rule('house.notice.' || n.stage, moment)
    on conflict do nothing;
    return closed;
end $$;

create function compliance.send_notice(p_actor text, p_request text, p_investor text, p_about text, p_subject text,
    p_stage text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update compliance.notice set sent_at = clock_timestamp() where investor_id = p_investor and about = p_about
        and subject_id = p_subject and stage = p_stage and sent_at is null;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'sent_notice_is_due',
            message = format('no notice about %s of %s is due', p_about, p_investor);
    end if;
end $$;

-- The officer's queue: each case that is not at rest, with its age and what raises its priority.
create view compliance.case_queue as
select k.investor_id, k.case_id, k.kind, k.form, k.status, k.opened_at, r.tier, r.reasons,
    (select count(*) from compliance.hit h where h.subject_id = k.investor_id
        and h.status in ('open', 'escalated', 'proposed', 'release_proposed')) as open_hits,
    (select count(*) from compliance.discrepancy d where d.investor_id = k.investor_id and d.status <> 'resolved') as open_discrepancies,
    (select min(c.lacks) from compliance.clearance c where c.investor_id = k.investor_id and c.status <> 'clear') as lacks,
    k.version
from compliance.kyc_case k left join compliance.risk_rating r using (investor_id)
where k.status in ('new', 'pending', 'in_review', 'expired')
    or exists (select from compliance.clearance c where c.investor_id = k.investor_id and c.status <> 'clear')
order by r.tier = 'high' desc nulls last, k.opened_at;

-- Who works on what. It keeps two officers from doing the same work and gives nobody a right.
create table compliance.assignment (
    scope_id text not null,
    assignment_id text not null,
    item_id text not null,
    status text not null,
    assigned_to text,
    version bigint not null,
    chain_head bytea not null,
    primary key (scope_id, assignment_id),
    constraint taken_work_names_its_officer check ((status = 'taken') = (assigned_to is not null))
);
call audit.keep('compliance.assignment', 'assignment', 'assignment_id', 'scope_id');

create function compliance.take_item(p_actor text, p_request text, p_scope text, p_item text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.by_a_person(p_actor, 'taken');
    if not exists (select from engine.waiting_work w where w.scope = p_scope and w.item_id = p_item) then
        raise exception using errcode = 'BR404', constraint = 'taken_work_waits',
            message = format('%s of %s waits for nobody', p_item, p_scope);
    end if;
    update compliance.assignment set status = 'taken', assigned_to = p_actor
    where scope_id = p_scope and assignment_id = 'asn_' || p_item;
    if not found then
        insert into compliance.assignment (scope_id, assignment_id, item_id, status, assigned_to)
        values (p_scope, 'asn_' || p_item, p_item, 'taken', p_actor);
    end if;
end $$;

create function compliance.give_back_item(p_actor text, p_request text, p_scope text, p_item text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update compliance.assignment set status = 'open', assigned_to = null
    where scope_id = p_scope and assignment_id = 'asn_' || p_item and assigned_to = p_actor;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'given_back_work_is_ones_own',
            message = format('%s is not taken by %s', p_item, p_actor);
    end if;
end $$;
