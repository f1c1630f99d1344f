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

-- Until when a rule keeps what is known of an investor, counted from the last event of the record.
create view compliance.retention_fact as
select s.investor_id, 'identification of customers, 31 CFR 1023.220(a)(3)' as because,
    compliance.after_rule('us.cip.retention', max(s.verified_at))::date as keep_until
from compliance.identity_snapshot s group by s.investor_id
union all
select r.investor_id, 'a sanctions report, 31 CFR 501.601', max(r.keep_until)
from compliance.sanctions_report r group by r.investor_id;

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
