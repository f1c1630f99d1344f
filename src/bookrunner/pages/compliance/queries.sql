-- name: work^
-- One page of what waits for an officer, urgent first, with the number of each kind; the filters are empty for all.
with rated as (
    select i.kind, i.scope, i.item_id, i.investor_id, i.status, i.state, i.about, i.opened_at, t.tier,
        case when t.tier = 'high' or i.kind = 'report' then 0 else 1 end as rank, coalesce(cast(i.due_on + 1 as timestamp with time zone), compliance.after_rule(i.rule, i.opened_at)) as due_at,
        g.assigned_to, p.country
    from engine.waiting_work i left join compliance.risk_rating r using (investor_id)
        cross join lateral (select case when i.kind = 'hit' and compliance.is_high_risk(i.scope) then 'high' else r.tier end as tier) t
        left join compliance.assignment g on g.scope_id = i.scope and g.assignment_id = 'asn_' || i.item_id
        left join portal.profile_claim p on p.investor_id = i.investor_id
), wanted as (
    select * from rated where cast(:state as text) in ('', state) and (cast(:assigned as text) in ('', assigned_to)
        or (:assigned = 'nobody' and assigned_to is null))
), page as (
    select * from wanted where cast(:kind as text) in ('', kind) and (cast(:after_item as text) is null
        or (rank, due_at, item_id) > (cast(:after_rank as integer), cast(:after_due as timestamp with time zone), cast(:after_item as text)))
    order by rank, due_at, item_id limit cast(:most as integer) + 1
)
select (select count(*) from rated) as waiting,
    (select coalesce(json_object_agg(n.kind, n.number), '{}') from (select kind, count(*) as number from wanted group by kind) n) as kinds,
    (select coalesce(json_agg(to_json(p) order by p.rank, p.due_at, p.item_id), '[]') from page p) as rows,
    (select count(*) from rated r where r.due_at <= clock_timestamp()) as overdue,
    (select coalesce(json_agg(distinct r.assigned_to), '[]') from rated r where r.assigned_to is not null) as officers;

-- name: work_reached$
-- The feed sequence of the latest event that changes what waits for an officer, from a known one on.
select coalesce(max(f.seq), cast(:after as bigint)) from audit.feed f join audit.event e using (scope, subject, version)
where f.seq > cast(:after as bigint) and (e.keeper = 'compliance' or e.kind like 'profile_change.%');

-- name: case_file^
-- The head of a case: identity, claimed profile, risk tier, review.
select k.investor_id, k.case_id, k.kind, k.form, k.status, k.opened_at, k.valid_until, k.decided_because, k.version,
    encode(k.evidence_sha256, 'hex') as evidence_sha256, r.tier, r.rated_at, compliance.review_due(k.investor_id) as review_due,
    p.legal_name, p.address, p.email, p.country, p.detail_version, p.detail_digest, p.birth_date_blind is not null as has_birth_date,
    coalesce(p.detail_digest = k.verified_digest, false) as is_as_verified, compliance.differs(k.investor_id) as differs,
    exists (select from portal.ownership_fact s where s.investor_id = k.investor_id and s.status = 'certified') as owners_are_certified
from compliance.kyc_case k left join compliance.risk_rating r using (investor_id)
left join portal.profile_claim p using (investor_id) where k.investor_id = :investor;

-- name: tier_reasons
-- The rules that make a risk tier.
select q.rule_id, q.tier, q.sentence from compliance.risk_rating r join compliance.risk_rule q on q.rule_id = any (r.reasons)
where r.investor_id = :investor and q.effective_from <= current_date and coalesce(q.effective_to > current_date, true)
order by q.rule_id;

-- name: snapshots
-- What the identity was verified from, as it was each time, the latest first.
select s.snapshot_no, s.method, s.elements, s.documents, s.sources, s.verified_by, s.verified_at,
    encode(s.evidence_sha256, 'hex') as evidence_sha256, v.detail_version
from compliance.identity_snapshot s
left join portal.version_fact v on v.investor_id = s.investor_id and v.detail_digest = s.verified_digest
where s.investor_id = :investor order by s.snapshot_no desc;

-- name: cip_elements
-- What must be known of this kind of investor (31 CFR 1023.220(a)(2)).
select e.element from compliance.cip_element e join compliance.kyc_case k using (kind)
where k.investor_id = :investor order by e.element;

-- name: discrepancies
-- The discrepancies of an investor, or one of them.
select d.discrepancy_id, d.element, d.because, d.status, d.decided_because, d.opened_at, d.version
from compliance.discrepancy d where d.investor_id = :investor
    and (cast(:item as text) is null or d.discrepancy_id = :item) order by d.opened_at desc;

-- name: owners
-- Everybody behind an investor with the effective share; those who must be known say what they lack.
select o.owner_id, o.kind, o.status, o.controls, o.version, coalesce(e.share_bp, 0) as share_bp, b.lacks,
    o.changed_at, o.decided_because,
    b.owner_id is not null as must_be_known, compliance.is_hit(o.owner_id) as is_hit
from compliance.beneficial_owner o left join compliance.effective_shares(:investor) e using (owner_id)
left join compliance.people_behind(:investor) b using (owner_id)
where o.investor_id = :investor and o.status <> 'former' order by e.share_bp desc nulls last, o.owner_id;

-- name: shares
-- The direct shares in the graph of an investor.
select c.owned_id, c.owner_id, c.share_bp from compliance.ownership_chart c where c.investor_id = :investor
order by c.owned_id, c.share_bp desc, c.owner_id;

-- name: people_missing^
-- How many of the people who must be known lack something.
select missing, people from compliance.people_missing(:investor);

-- name: screenings
-- The latest screening of each subject on each list, of everybody whom a clearance rests on.
select distinct on (s.subject_id, s.source) s.subject_id, s.screening_id, s.status, s.source, s.list_version, s.matcher_version,
    s.threshold_bp, s.made_for, s.screened_at, s.valid_until, compliance.is_screened(s.subject_id) as is_current
from compliance.subjects_of(:investor) i (id) join compliance.screening s on s.subject_id = i.id
order by s.subject_id, s.source, s.screened_at desc;

-- name: unscreened
-- Whom a clearance rests on and who is not screened, or no longer.
select i.id as subject_id from compliance.subjects_of(:investor) i (id) where not compliance.is_screened(i.id) order by 1;

-- name: hits
-- The hits of everybody whom a clearance rests on, open ones first.
select h.subject_id, h.hit_id, h.entry_id, h.source, h.score_bp, h.status, h.proposed_status, h.proposed_by, h.decided_by,
    h.decided_because, h.opened_at
from compliance.subjects_of(:investor) i (id) join compliance.hit h on h.subject_id = i.id
order by h.status in ('no_match', 'released'), h.opened_at desc;

-- name: accreditation^
-- The accreditation of an investor.
select a.accreditation_id, a.status, a.method, encode(a.evidence_sha256, 'hex') as evidence_sha256, a.valid_until,
    a.approved_at, a.decided_because, a.through_owners_only, a.version, m.citation
from compliance.accreditation a left join compliance.accreditation_method m using (method) where a.investor_id = :investor;

-- name: accreditation_evidence
-- The evidence on file, and whether it came after the last approval.
select e.kind, encode(e.sha256, 'hex') as sha256, e.recorded_at, coalesce(e.recorded_at > a.approved_at, true) as is_fresh
from compliance.accreditation_evidence e left join compliance.accreditation a using (investor_id)
where e.investor_id = :investor order by e.recorded_at desc, e.kind;

-- name: accreditation_methods
-- The listed methods, what each needs, what of that is not on file since the last approval, and how long it holds.
select m.method, m.citation, m.evidence, r.value as holds_for, r.unit,
    array(select k from unnest(m.evidence) k where not exists (
        select from compliance.accreditation_evidence e where e.investor_id = :investor and e.kind = k
            and e.recorded_at > coalesce((select a.approved_at from compliance.accreditation a where a.investor_id = :investor), '-infinity'))) as missing
from compliance.accreditation_method m cross join lateral compliance.rule_at(m.validity_rule, clock_timestamp()) r order by m.method;

-- name: contrary
-- What is known against the status of an investor.
select c.because, c.recorded_by, c.recorded_at from compliance.contrary_knowledge c where c.investor_id = :investor
order by c.recorded_at desc;

-- name: diligences
-- The enhanced due diligence of an investor, or one of them.
select d.diligence_id, d.status, d.opened_at, encode(d.findings_sha256, 'hex') as findings_sha256, d.completed_by, d.decided_by,
    d.decided_because, d.version
from compliance.due_diligence d where d.investor_id = :investor
    and (cast(:item as text) is null or d.diligence_id = :item) order by d.opened_at desc;

-- name: changes
-- The requested changes of an investor, or one of them; fields by name alone.
select c.change_id, c.status, c.from_version, c.touched, c.fields, c.requested_by, c.because, c.decided_by, c.decided_because,
    c.version
from portal.change_fact c where c.investor_id = :investor and (cast(:item as text) is null or c.change_id = :item)
order by c.change_id desc;

-- name: spellings
-- Two spellings of one name, in identity and agreement.
select s.investment_id, s.kind from portal.spelling_difference s where s.investor_id = :investor order by s.investment_id;

-- name: papers
-- The papers on file about an investor.
select d.document_id, d.code, d.status, encode(d.sha256, 'hex') as sha256, d.issued_on, d.valid_until from compliance.document d
where d.investor_id = :investor and d.status <> 'replaced' order by d.status = 'on_file' desc, d.code;

-- name: parties
-- The people beside an investor.
select p.party_id, p.role, p.status, p.scope, p.valid_until from compliance.party p
where p.investor_id = :investor and p.status <> 'ended' order by p.role, p.party_id;

-- name: required
-- What the kind and form of the investor need and is not on file.
select r.what, r.code, r.missing, r.sentence from compliance.open_requirements(:investor) r;

-- name: clearances
-- The clearance of an investor for each offer, with every check that it lacks.
select c.offering_id, c.clearance_id, o.name, c.status, c.exemption, c.judged_at, c.lacks, c.valid_until, c.needs_accreditation,
    c.purpose, c.version, (compliance.sophistication_of(c.offering_id, c.investor_id)).basis as sophistication,
    compliance.looks_through(c.offering_id) as looks_through,
    (compliance.questionnaire_of(c.offering_id)).questionnaire_no is not null as asks_questions,
    compliance.units_unstated(c.offering_id, c.investor_id) as unstated,
    (select count(*) from engine.stage s where s.offering_id = c.offering_id and s.investor_id = c.investor_id) as investments
from compliance.clearance c join engine.offer o using (offering_id) where c.investor_id = :investor order by c.offering_id;

-- name: reports
-- The sanctions reports about an investor with their deadlines.
select r.report_id, r.kind, r.status, r.happened_on, r.due_on, r.keep_until, r.hit_id, r.subject_id, r.version,
    encode(r.filed_sha256, 'hex') as filed_sha256
from compliance.sanctions_report r where r.investor_id = :investor order by r.due_on;

-- name: history
-- The events of an investor and of everybody whom the clearance rests on, the latest first; never their content.
select e.kind, e.actor, e.subject, e.version, e.occurred_at from audit.event e
where e.scope = :investor or e.scope in (select i.id from compliance.subjects_of(:investor) i (id))
order by e.recorded_at desc limit cast(:most as integer);

-- name: since
-- What has happened to one record after a version of it: what each event changed.
select e.kind, e.actor, e.version, e.occurred_at, audit.payload_of(e.canonical) as payload from audit.event e
where e.scope = :scope and e.subject = :item and e.version > cast(:seen as bigint) order by e.version;

-- name: hit^
-- One hit with the screening that found it and the list it was found on.
select h.subject_id, h.hit_id, h.status, h.source, h.entry_id, encode(h.entry_digest, 'hex') as entry_digest, h.matcher_version,
    h.score_bp, compliance.parts_of(h) as parts, h.proposed_status, h.proposed_by, h.escalated_by, h.decided_by, h.decided_because, h.opened_at, h.version,
    s.screening_id, s.list_version, s.threshold_bp, s.made_for, s.screened_at, w.published_on, encode(w.sha256, 'hex') as list_sha256,
    w.status as list_status, compliance.is_high_risk(h.subject_id) as is_high_risk
from compliance.hit h join compliance.screening s on s.subject_id = h.subject_id and s.screening_id = h.screening_id
join compliance.watchlist w on w.source = h.source and w.list_version = s.list_version
where h.subject_id = :subject and h.hit_id = :hit;

-- name: earlier_hits
-- The earlier decisions about the same pair.
select h.hit_id, h.status, h.score_bp, h.decided_by, h.decided_because, h.opened_at from compliance.hit h
where h.subject_id = :subject and h.entry_id = :entry and h.hit_id <> :hit order by h.opened_at desc;

-- name: concerned_investors
-- Whom a hit concerns, in which role, with what would stop: open investments and holdings.
select k.investor_id, k.kind, r.tier, case when k.investor_id = :subject then 'the investor itself'
    when exists (select from compliance.beneficial_owner o where o.investor_id = k.investor_id and o.owner_id = :subject) then 'owner'
    when exists (select from compliance.party p where p.investor_id = k.investor_id and p.party_id = :subject) then 'party'
    else coalesce((select c.role from compliance.concern c where c.investor_id = k.investor_id and c.subject_id = :subject limit 1), 'subject') end as role,
    (select count(*) from engine.stage s where s.investor_id = k.investor_id
        and s.status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully')) as investments,
    (select count(*) from engine.stage s where s.investor_id = k.investor_id and s.issuance_state = 'registered') as holdings
from compliance.concerned(:subject) c (id) join compliance.kyc_case k on k.investor_id = c.id
left join compliance.risk_rating r using (investor_id) order by k.investor_id;

-- name: claimed^
-- What a subject that has a profile claims: country and version, and whether there is a birth date.
select p.investor_id, p.country, p.detail_version, p.birth_date_blind is not null as has_birth_date, p.legal_name
from portal.profile_claim p where p.investor_id = :subject;

-- name: programme$
-- The version of the programme in force.
select compliance.programme_in_force();

-- name: clearance_records
-- Each opening and closing of the clearances of an investor, the latest first.
select r.offering_id, r.record_no, r.status, r.lacks, r.programme_version, r.purpose, r.evidence, r.decided_by, r.decided_at
from compliance.clearance_record r where r.investor_id = :investor order by r.decided_at desc, r.record_no desc;

-- name: kept_files
-- The sealed files of an investor, the latest first, with what each is used for.
select encode(f.sha256, 'hex') as sha256, f.kept_at, coalesce(
    (select d.code from compliance.document d where d.investor_id = f.investor_id and d.sha256 = f.sha256 limit 1),
    (select e.kind from compliance.accreditation_evidence e where e.investor_id = f.investor_id and e.sha256 = f.sha256 limit 1),
    (select 'identity evidence, ' || s.method from compliance.identity_snapshot s
        where s.investor_id = f.investor_id and s.evidence_sha256 = f.sha256 limit 1),
    (select 'findings' from compliance.due_diligence d where d.investor_id = f.investor_id and d.findings_sha256 = f.sha256 limit 1),
    'file') as used_for
from compliance.sealed_file f where f.investor_id = :investor order by f.kept_at desc, f.sha256;

-- name: reports_heard
-- What providers said of an investor, the latest first.
select r.provider, r.outcome, r.occurred_at, r.asked_by, r.is_news from compliance.identity_report r
where r.investor_id = :investor order by r.heard_at desc limit 10;

-- name: reviews
-- The rating of an investor, with the day of its next review: due when that has come.
select r.rating_id, r.tier, r.reviewed_at, r.version, compliance.review_due(r.investor_id) as due_at,
    case when compliance.review_due(r.investor_id) <= clock_timestamp() then 'due' else 'rated' end as status
from compliance.risk_rating r where r.investor_id = :investor;

-- name: deficiencies
-- What the review of packets has returned to an investor and nobody has answered yet.
select w.item_id, w.about, w.opened_at from engine.waiting_work w where w.kind = 'deficiency' and w.scope = :investor
order by w.opened_at;

-- name: notices
-- What lapses soon of an investor, and whether the investor was told.
select n.about || ':' || n.subject_id || ':' || n.stage as notice_id, n.about, n.subject_id, n.stage, n.lapses_at, n.due_at, n.sent_at,
    case when n.sent_at is null then 'due' else 'sent' end as status, 0 as version
from compliance.notice n where n.investor_id = :investor and n.lapses_at > clock_timestamp() order by n.lapses_at, n.stage;

-- name: categories
-- What an investor is under the rules of the European Union, the latest of each set of rules.
select distinct on (g.regime) g.regime, g.category, g.valid_until, g.recorded_at,
    coalesce(g.valid_until > clock_timestamp(), true) as is_current
from compliance.investor_category g where g.investor_id = :investor order by g.regime, g.recorded_at desc;
