-- A hit as a case: decided with a reason, by two people where it weighs, remembered while both sides stay the same.

create table compliance.hit (
    subject_id text not null,
    hit_id text not null,
    screening_id text not null,
    source text not null,
    entry_id text not null,
    entry_digest bytea,
    subject_digest bytea,
    matcher_version text not null,
    score_bp integer not null constraint score_is_within_the_whole check (score_bp between 0 and 10000),
    status text not null,
    escalated_by text,
    proposed_status text,
    proposed_by text,
    decided_by text,
    decided_because text,
    evidence_sha256 bytea,
    opened_at timestamptz not null default clock_timestamp(),
    version bigint not null,
    chain_head bytea not null,
    primary key (subject_id, hit_id),
    constraint decided_hit_has_its_reason check (status = 'open' or coalesce(decided_because ~ '\S', false)),
    constraint weighty_hit_needs_two_people check (audit.person_of(decided_by) is distinct from audit.person_of(proposed_by) or decided_by is null),
    constraint confirmed_hit_was_proposed check (status not in ('confirmed', 'released') or proposed_by is not null)
);
call audit.keep('compliance.hit', 'hit', 'hit_id', 'subject_id');

create table compliance.sanctions_report (
    subject_id text not null,
    report_id text not null,
    investor_id text not null,
    hit_id text not null,
    kind text not null check (kind in ('blocked', 'rejected')),
    status text not null,
    happened_on date not null,
    due_on date not null,
    keep_until date not null,
    filed_sha256 bytea,
    version bigint not null,
    chain_head bytea not null,
    primary key (subject_id, report_id),
    constraint filed_report_has_its_proof check ((status = 'filed') = (filed_sha256 is not null))
);
call audit.keep('compliance.sanctions_report', 'sanctions_report', 'report_id', 'subject_id');

-- What made the score of a hit, in the screening that it was last scored by; nothing once that is erased.
create function compliance.parts_of(h compliance.hit) returns jsonb
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return coalesce((select p.parts from compliance.score_part p where p.subject_id = h.subject_id
        and p.screening_id = h.screening_id and p.entry_id = h.entry_id), '{}');
end $$;

-- A hit stands until two sides agree that it is none, or a block is released.
create function compliance.is_hit(p_subject text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from compliance.hit h where h.subject_id = p_subject and h.status not in ('no_match', 'released'));
end $$;

-- High: somebody whom the subject concerns is in the high tier.
create function compliance.is_high_risk(p_subject text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from compliance.concerned(p_subject) c (investor_id)
    join compliance.risk_rating r using (investor_id) where r.tier = 'high');

-- One report per investor whom a confirmed match concerns: blocked where money of the investor is held, else
-- rejected; due in business days after the day on which it was confirmed (31 CFR 501.603, 501.604).
create function compliance.prepare_reports(p_subject text, p_hit text) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    insert into compliance.sanctions_report (subject_id, report_id, investor_id, hit_id, kind, status, happened_on,
        due_on, keep_until)
    select p_subject, 'srp_' || left(encode(sha256(convert_to(p_hit || '/' || c.investor_id || '/' || d.day, 'UTF8')), 'hex'), 26),
        c.investor_id, p_hit, case when exists (select from engine.position pos where pos.investor_id = c.investor_id
            and (pos.received_minor > 0 or pos.holding_is_registered)) then 'blocked' else 'rejected' end,
        'due', d.day, compliance.business_day_after('us_federal_business', d.day,
            compliance.rule_value('us.ofac.report_within', clock_timestamp())),
        compliance.after_rule('us.ofac.retention', clock_timestamp())::date
    from compliance.concerned(p_subject) c (investor_id), (select (clock_timestamp() at time zone 'America/New_York')::date as day) d
    where exists (select from compliance.kyc_case k where k.investor_id = c.investor_id)
    order by c.investor_id;
end;

-- Lets the screening that found a hit say what became of it, then computes everybody whom it concerns.
create function compliance.follow_hit(p_subject text, p_hit text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s compliance.screening;
    becomes text;
begin
    for s in select x.* from compliance.screening x where x.subject_id = p_subject and x.status <> 'clear'
        order by x.screening_id for update loop
        select case when bool_or(h.status in ('confirmed', 'release_proposed')) then 'confirmed_match'
            when bool_or(h.status not in ('no_match', 'released')) then 'possible_match' else 'clear' end into becomes
        from compliance.hit h join jsonb_array_elements(s.candidates) c on c ->> 'entry_id' = h.entry_id
        where h.subject_id = p_subject and h.source = s.source;
        if becomes <> s.status then
            update compliance.screening set status = becomes where subject_id = p_subject and screening_id = s.screening_id;
        end if;
    end loop;
    if (select status from compliance.hit where subject_id = p_subject and hit_id = p_hit) = 'confirmed'
        and not exists (select from compliance.sanctions_report where subject_id = p_subject and hit_id = p_hit) then
        perform compliance.prepare_reports(p_subject, p_hit);
    end if;
    perform compliance.compute(p_subject);
end $$;

-- Decides an open hit: no_match, confirmed, or escalated to somebody else. A confirmation, and a no_match for a
-- subject of high risk, become proposals that a second person agrees to.
create function compliance.decide_hit(p_actor text, p_request text, p_subject text, p_hit text, p_decision text,
    p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    h compliance.hit;
    is_proposal boolean := p_decision = 'confirmed' or (p_decision = 'no_match' and compliance.is_high_risk(p_subject));
begin
    perform audit.enter(p_actor, p_request);
    if coalesce(p_decision, '') not in ('no_match', 'confirmed', 'escalated') then
        raise exception using errcode = 'BR008', constraint = 'hit_decision_is_known',
            message = 'a hit is no_match, confirmed or escalated';
    end if;
    select * into h from compliance.hit where subject_id = p_subject and hit_id = p_hit for update;
    perform compliance.decide(p_actor, p_because, array[p_subject, p_hit], h.version, p_seen);
    if h.status = 'escalated' and audit.person_of(h.escalated_by) = audit.person_of(p_actor) then
        raise exception using errcode = 'BR010', constraint = 'escalated_hit_is_decided_by_another',
            message = format('%s escalated %s', p_actor, p_hit);
    end if;
    if h.status not in ('open', 'escalated') then
        raise exception using errcode = 'BR002', constraint = 'decided_hit_is_open',
            message = format('%s is %s', p_hit, h.status);
    end if;
    update compliance.hit set status = case when is_proposal then 'proposed' else p_decision end,
        proposed_status = case when is_proposal then p_decision end,
        proposed_by = case when is_proposal then p_actor end,
        escalated_by = case when p_decision = 'escalated' then p_actor else escalated_by end,
        decided_by = case when p_decision = 'no_match' and not is_proposal then p_actor end,
        decided_because = p_because
    where subject_id = p_subject and hit_id = p_hit;
    perform compliance.follow_hit(p_subject, p_hit);
end $$;

-- The second person agrees with a proposal, or sends the hit back to where it was.
create function compliance.second_hit(p_actor text, p_request text, p_subject text, p_hit text, p_is_agreed boolean,
    p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    h compliance.hit;
begin
    perform audit.enter(p_actor, p_request);
    select * into h from compliance.hit where subject_id = p_subject and hit_id = p_hit for update;
    perform compliance.decide(p_actor, p_because, array[p_subject, p_hit], h.version, p_seen);
    if h.proposed_status is null or h.status not in ('proposed', 'release_proposed') then
        raise exception using errcode = 'BR002', constraint = 'second_person_answers_a_proposal',
            message = format('%s is %s', p_hit, h.status);
    end if;
    update compliance.hit set decided_by = p_actor, decided_because = p_because, status = case
            when p_is_agreed then h.proposed_status when h.status = 'release_proposed' then 'confirmed' else 'open' end
    where subject_id = p_subject and hit_id = p_hit;
    perform compliance.follow_hit(p_subject, p_hit);
end $$;

-- Proposes to end a block by a licence or a delisting, with its paper.
create function compliance.propose_release(p_actor text, p_request text, p_subject text, p_hit text,
    p_evidence_sha256 bytea, p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, p_because, array[p_subject, p_hit], (select version from compliance.hit
        where subject_id = p_subject and hit_id = p_hit for update), p_seen);
    if p_evidence_sha256 is null then
        raise exception using errcode = 'BR008', constraint = 'release_of_a_block_has_its_paper',
            message = 'a block ends by a licence or a delisting that is on file';
    end if;
    update compliance.hit set status = 'release_proposed', proposed_status = 'released', proposed_by = p_actor,
        decided_by = null, decided_because = p_because, evidence_sha256 = p_evidence_sha256
    where subject_id = p_subject and hit_id = p_hit;
    perform compliance.follow_hit(p_subject, p_hit);
end $$;

create function compliance.file_report(p_actor text, p_request text, p_subject text, p_report text,
    p_filed_sha256 bytea, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, 'filed', array[p_subject, p_report], (select version from compliance.sanctions_report
        where subject_id = p_subject and report_id = p_report for update), p_seen);
    update compliance.sanctions_report set status = 'filed', filed_sha256 = p_filed_sha256
    where subject_id = p_subject and report_id = p_report;
end $$;

-- Of whom a match is confirmed or one person says so, and every investor whom that concerns.
create view compliance.blocked_fact as
select h.subject_id, i.id as investor_id from compliance.hit h, compliance.concerned(h.subject_id) i (id)
where h.status in ('confirmed', 'release_proposed') or (h.status = 'proposed' and h.proposed_status = 'confirmed');

-- Whether each list in force that covers a subject has answered for it, and no hit of it stands.
create function compliance.is_answered(p_subject text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return not compliance.is_hit(p_subject)
        and not exists (select from compliance.rescreening r where r.subject_id = p_subject and r.done_at is null)
        and not exists (select from compliance.watchlist w where w.status = 'active' and compliance.is_covered(w.covers, p_subject)
            and not exists (select from compliance.screening s where s.subject_id = p_subject and s.source = w.source));
end $$;

-- Hits that stand: neither cleared nor released.
create view compliance.hit_fact as
select h.subject_id, h.hit_id, h.status, h.version, h.chain_head from compliance.hit h where h.status not in ('no_match', 'released');

create view compliance.hit_queue as
select h.subject_id, h.hit_id, h.status, h.source, h.entry_id, h.score_bp, compliance.parts_of(h) as parts, h.proposed_status, h.proposed_by,
    h.opened_at, compliance.is_high_risk(h.subject_id) as is_high_risk, h.version
from compliance.hit h where h.status in ('open', 'escalated', 'proposed', 'release_proposed');

create table compliance.hit_view (
    subject_id text not null,
    view_id text not null,
    status text not null,
    hit_id text not null,
    viewed_by text not null,
    purpose text not null constraint view_says_its_purpose check (purpose ~ '\S'),
    version bigint not null,
    chain_head bytea not null,
    primary key (subject_id, view_id)
);
call audit.keep('compliance.hit_view', 'hit_view', 'view_id', 'subject_id');

-- Hands out what made the score of a hit, with the names that were compared. Who looked, and why, is an event.
create function compliance.view_hit(p_actor text, p_request text, p_subject text, p_hit text, p_view text,
    p_purpose text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    h compliance.hit;
begin
    perform audit.enter(p_actor, p_request);
    select * into h from compliance.hit where subject_id = p_subject and hit_id = p_hit;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'decided_record_exists',
            message = 'there is no such record to decide on';
    end if;
    insert into compliance.hit_view (subject_id, view_id, status, hit_id, viewed_by, purpose)
    values (p_subject, p_view, 'viewed', p_hit, p_actor, p_purpose);
    return compliance.parts_of(h);
end $$;
