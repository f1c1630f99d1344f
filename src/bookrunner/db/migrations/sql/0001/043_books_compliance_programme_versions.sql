-- The programme that screenings and clearances are made under: one digest over matcher, lists, policies and rules.

-- The matcher that screens, the latest row counts.
create table compliance.matcher (
    matcher_no bigint primary key generated always as identity,
    matcher_version text not null constraint matcher_has_a_version check (matcher_version ~ '\S'),
    first_used_at timestamptz not null default clock_timestamp()
);
call audit.append_only('compliance.matcher');

create function compliance.programme_name(p_content jsonb) returns text
language sql immutable set search_path = pg_catalog, pg_temp
return 'prg_' || left(encode(sha256(convert_to(p_content::text, 'UTF8')), 'hex'), 26);

-- What each version consists of; kept when something was first decided under it.
create table compliance.programme (
    programme_version text primary key,
    content jsonb not null,
    first_used_at timestamptz not null default clock_timestamp(),
    constraint programme_is_named_by_its_content check (programme_version = compliance.programme_name(content))
);
call audit.append_only('compliance.programme');

-- The version of each rule at a moment.
create function compliance.rules_at(p_at timestamptz) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return (select jsonb_object_agg(r.rule_id, r.rule_version) from (
        select distinct on (x.rule_id) x.rule_id, x.rule_version from compliance.rule x
        where x.effective_from <= (p_at at time zone 'UTC')::date order by x.rule_id, x.effective_from desc) r);
end $$;

-- The house's programme, or for a clearance that of its offer: its own policy, and the rules that it is judged by.
create function compliance.programme_content(p_offering text default null, p_judged_at timestamptz default null) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    moment timestamptz := clock_timestamp();
begin
    return jsonb_build_object(
        'matcher', (select m.matcher_version from compliance.matcher m order by m.matcher_no desc limit 1),
        'lists', (select coalesce(jsonb_object_agg(w.source, w.list_version), '{}') from compliance.watchlist w where w.status = 'active'),
        'policies', (select coalesce(jsonb_object_agg(p.offering_id, jsonb_build_array(p.policy_no, p.person_bp, p.other_bp,
                extract(epoch from p.list_lag)::bigint, extract(epoch from p.age)::bigint)), '{}')
            from compliance.screening_policy p where (p_offering is null or p.offering_id = p_offering) and p.policy_no = (
                select max(x.policy_no) from compliance.screening_policy x where x.offering_id = p.offering_id)),
        'rules', compliance.rules_at(moment),
        'risk', (select jsonb_agg(r.rule_id order by r.rule_id) from compliance.risk_rule r
            where r.effective_from <= current_date and coalesce(r.effective_to > current_date, true)))
        || case when p_judged_at is null then '{}' else jsonb_build_object('judged_by', compliance.rules_at(p_judged_at),
            'checks', (select coalesce(jsonb_agg(k.name order by k.name), '[]') from engine.offer o,
                compliance.checks_of(o.exemption, p_judged_at) k (name) where o.offering_id = p_offering)) end;
end $$;

-- The version that is in force now.
create function compliance.programme_in_force() returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return compliance.programme_name(compliance.programme_content());
end $$;

-- The version in force, kept with its content: something is made under it.
create function compliance.follow_programme(p_offering text default null, p_judged_at timestamptz default null) returns text
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    content jsonb := compliance.programme_content(p_offering, p_judged_at);
    named text := compliance.programme_name(content);
begin
    if not exists (select from compliance.programme p where p.programme_version = named) then
        insert into compliance.programme (programme_version, content) values (named, content) on conflict do nothing;
    end if;
    return named;
end $$;

create function compliance.use_matcher(p_version text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if p_version not like 'exact.%' and p_version is distinct from
        (select m.matcher_version from compliance.matcher m order by m.matcher_no desc limit 1) then
        insert into compliance.matcher (matcher_version) values (p_version);
    end if;
end $$;

-- The programme that a person says to decide under, in one transaction; the last word of a person in it counts.
create table compliance.stated_programme (
    transaction_id xid8 not null default pg_current_xact_id(),
    stated_no bigint generated always as identity,
    programme_version text not null references compliance.programme,
    stated_by text not null,
    primary key (transaction_id, stated_no)
);
call audit.append_only('compliance.stated_programme');

-- Each decision of an officer with the programme that it was made under.
create table compliance.decision (
    scope_id text not null,
    decision_no bigint generated always as identity,
    item_id text not null,
    programme_version text not null references compliance.programme,
    request text not null,
    decided_by text not null,
    decided_at timestamptz not null default clock_timestamp(),
    primary key (scope_id, decision_no)
);
call audit.append_only('compliance.decision');

-- Begins the transaction of a decision: it is made under the programme that the officer saw, and no list comes in force
-- until it is recorded.
create function compliance.decide_under(p_actor text, p_request text, p_programme text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    in_force text;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from compliance.watchlist w where w.status = 'active' order by w.source for share;
    in_force := compliance.follow_programme();
    if p_programme is distinct from in_force then
        raise exception using errcode = 'BR412', constraint = 'decision_is_under_the_programme_in_force',
            message = format('the programme is %s now, the decision was made under %s', in_force, coalesce(p_programme, 'none'));
    end if;
    insert into compliance.stated_programme (programme_version, stated_by) values (in_force, p_actor);
end $$;

-- Keeps what is decided with the programme that its person stated in this very transaction; p_on is scope and record.
create function compliance.record_decision(p_actor text, p_on text[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    under text := (select s.programme_version from compliance.stated_programme s
        where s.transaction_id = pg_current_xact_id() and s.stated_by = p_actor order by s.stated_no desc limit 1);
begin
    if under is null then
        raise exception using errcode = 'BR412', constraint = 'decision_states_its_programme',
            message = format('%s does not say under which programme %s is decided', p_actor, p_on[2]);
    end if;
    insert into compliance.decision (scope_id, item_id, programme_version, request, decided_by)
    values (p_on[1], p_on[2], under, current_setting('bookrunner.request'), p_actor);
end $$;

-- Each opening and closing of a clearance: under which programme, for what purpose, on what evidence, by whose act.
create table compliance.clearance_record (
    offering_id text not null,
    clearance_id text not null,
    record_no integer not null check (record_no > 0),
    investor_id text not null,
    status text not null,
    lacks text[] not null,
    programme_version text not null references compliance.programme,
    purpose text not null,
    evidence jsonb not null,
    decided_by text not null,
    request text not null,
    decided_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, clearance_id, record_no)
);
create index clearance_record_of_investor on compliance.clearance_record (investor_id);
call audit.append_only('compliance.clearance_record');

-- What a clearance rests on now, by ids, versions and digests; no name and no content.
create function compliance.evidence_of(p_investor text) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return jsonb_strip_nulls(jsonb_build_object(
        'identity', (select jsonb_build_object('snapshot', s.snapshot_no, 'method', s.method,
                'evidence_sha256', encode(s.evidence_sha256, 'hex'), 'verified_digest', encode(s.verified_digest, 'hex'))
            from compliance.identity_snapshot s where s.investor_id = p_investor order by s.snapshot_no desc limit 1),
        'accreditation', (select jsonb_build_object('id', a.accreditation_id, 'version', a.version, 'method', a.method,
                'evidence_sha256', encode(a.evidence_sha256, 'hex'))
            from compliance.accreditation a where a.investor_id = p_investor and a.status = 'approved'),
        'papers', (select jsonb_agg(encode(d.sha256, 'hex') order by d.code, d.document_id)
            from compliance.document d where d.investor_id = p_investor and d.status = 'on_file'),
        'owners', (select jsonb_agg(jsonb_build_object('id', o.owner_id, 'status', o.status, 'version', o.version) order by o.owner_id)
            from compliance.beneficial_owner o where o.investor_id = p_investor and o.status <> 'former'),
        'screenings', (select jsonb_agg(t.screening_id order by t.subject_id, t.source) from (
            select distinct on (s.subject_id, s.source) s.subject_id, s.source, s.screening_id
            from compliance.subjects_of(p_investor) i (id) join compliance.screening s on s.subject_id = i.id
            order by s.subject_id, s.source, s.screened_at desc) t),
        'risk', (select jsonb_build_object('tier', r.tier, 'reasons', r.reasons)
            from compliance.risk_rating r where r.investor_id = p_investor),
        'diligence', (select encode(d.findings_sha256, 'hex') from compliance.due_diligence d
            where d.investor_id = p_investor and d.status = 'approved' order by d.opened_at desc limit 1)));
end $$;

create function compliance.record_clearance(c compliance.clearance) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    insert into compliance.clearance_record (offering_id, clearance_id, record_no, investor_id, status, lacks,
        programme_version, purpose, evidence, decided_by, request)
    select c.offering_id, c.clearance_id, 1 + count(*), c.investor_id, c.status, c.lacks, c.programme_version, c.purpose,
        compliance.evidence_of(c.investor_id), current_setting('bookrunner.actor'), current_setting('bookrunner.request')
    from compliance.clearance_record r where r.offering_id = c.offering_id and r.clearance_id = c.clearance_id;
end;

-- An officer says what the relationship is for; the record of the clearance says it from now on.
create function compliance.state_purpose(p_actor text, p_request text, p_offering text, p_investor text, p_purpose text,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c compliance.clearance;
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, p_purpose, array[p_offering, p_investor], (select version from compliance.clearance
        where offering_id = p_offering and investor_id = p_investor for update), p_seen);
    update compliance.clearance set purpose = p_purpose
    where offering_id = p_offering and investor_id = p_investor returning * into c;
    perform compliance.record_clearance(c);
end $$;
