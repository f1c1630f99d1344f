-- name: own_profile^
-- The profile of an investor in the version that counts, and whether that version is verified.
select p.kind, p.status, p.version, p.detail_version, d.legal_name, d.country, d.address, d.email, d.representative, d.lei,
    d.tax_id_blind is not null as has_tax_id, d.birth_date_blind is not null as has_birth_date, d.recorded_at, d.erased_at,
    portal.is_locked(p.investor_id) as is_verified
from portal.profile p join portal.profile_detail d using (investor_id, detail_version) where p.investor_id = :investor;

-- name: own_changes
-- What an investor asked to have changed, the newest first.
select c.change_id, c.status, c.touched, c.because, c.decided_by, c.decided_because, encode(c.evidence_sha256, 'hex') as paper,
    min(e.occurred_at) as asked_at, max(e.occurred_at) as moved_at
from portal.profile_change c join audit.event e on e.scope = c.investor_id and e.subject = c.change_id
where c.investor_id = :investor group by c.investor_id, c.change_id order by asked_at desc limit cast(:most as bigint);

-- name: views_of
-- When somebody looked at the personal data of an investor, the newest first, and for what where it looked itself: what an officer
-- writes down may be about a report that its subject must not learn of (31 U.S.C. 5318(g)(2)).
select audit.person_of(v.viewed_by) = v.investor_id as is_own,
    case when audit.person_of(v.viewed_by) = v.investor_id then v.purpose end as purpose, v.detail_version, e.occurred_at as viewed_at
from portal.personal_view v join audit.event e on e.scope = v.investor_id and e.subject = v.view_id and e.version = 1
where v.investor_id = :investor order by e.occurred_at desc limit cast(:most as bigint);

-- name: own_notices
-- What was told to an investor of any offer, the newest first, and how the mail that points to it fared.
select n.offering_id, o.name, n.notice_id, n.sentence, n.citation, n.is_required, n.status, n.written_at, n.sent_at
from engine.investor_notice n join engine.offer o using (offering_id)
where n.investor_id = :investor order by n.written_at desc, n.notice_id limit cast(:most as bigint);

-- name: own_holdings
-- The holdings of an investor in the master securityholder file.
select h.offering_id, h.holding_id, o.name, h.status, h.units
from registry.holding h join engine.offer o using (offering_id) where h.investor_id = :investor order by o.name, h.holding_id;

-- name: statements_of
-- The statements that were made of the holdings of an investor, the newest day first.
select s.offering_id, s.holding_id, s.as_of, s.units, encode(s.file_sha256, 'hex') as file_sha256
from registry.holder_statement s join registry.holding h using (offering_id, holding_id)
where h.investor_id = :investor order by s.as_of desc, s.statement_id limit cast(:most as bigint);

-- name: papers_of
-- The agreements of an investor and which files of each there are.
select s.investment_id, s.offering_id, o.name, a.agreement_id, a.status,
    encode(a.document_sha256, 'hex') as document, encode(a.executed_sha256, 'hex') as executed
from engine.stage s join engine.offer o using (offering_id) join subscription.agreement a using (offering_id, investment_id)
where s.investor_id = :investor order by o.name, a.ordinal desc;

-- name: missed_reports
-- The filings that an issuer of something the investor holds has missed, or made late, the oldest first.
select o.name, r.form, r.sentence, r.due_on, r.filed_on, r.is_missed
from engine.report_owed r join engine.offer o using (offering_id)
where (r.is_missed or r.is_late) and r.offering_id = any (cast(:offerings as text[])) order by r.due_on, r.filing_id limit 100;
