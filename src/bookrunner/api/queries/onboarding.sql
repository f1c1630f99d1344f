-- name: open_profile^
-- Claims the key, opens a profile under a data key of its own, stores the answer.
select answer, is_replay from api.open_profile(:key, :request, :body_sha256, :investor, :account, :kind,
    cast(:detail as jsonb), :data_key, :wrapped);

-- name: amend_profile^
-- Claims the key, writes the next version of a profile that is not verified, stores the answer.
select answer, is_replay from api.amend_profile(:key, :request, :body_sha256, :investor, :version, cast(:detail as jsonb));

-- name: request_profile_change^
-- Claims the key, asks for a change of what was verified, stores the answer.
select answer, is_replay from api.request_profile_change(:key, :request, :body_sha256, :investor, :version, :change,
    cast(:detail as jsonb), :because, :evidence_sha256);

-- name: decide_profile_change^
-- Claims the key, decides on such a change as another person, stores the answer.
select answer, is_replay from api.decide_profile_change(:actor, :request, :body_sha256, :investor, :change, :version,
    :programme, :is_approved, :because);

-- name: profile^
-- A profile by what is no secret: which fields it has, not what they say.
select p.investor_id, p.account_id, p.kind, p.status, p.detail_version, p.detail_digest, p.version, d.country,
    array_remove(array[case when d.legal_name is not null then 'legal_name' end, case when d.country is not null then 'country' end,
        case when d.address is not null then 'address' end, case when d.email is not null then 'email' end,
        case when d.representative is not null then 'representative' end, case when d.lei is not null then 'lei' end,
        case when d.tax_id_blind is not null then 'tax_id' end, case when d.birth_date_blind is not null then 'birth_date' end],
        null) as given
from portal.profile p join portal.profile_detail d using (investor_id, detail_version) where p.investor_id = :investor;

-- name: act_on_case^
-- Claims the key, opens a case or puts on record what a decision rests on, stores the answer.
select answer, is_replay from api.act_on_case(:key, :request, :body_sha256, :investor, :act, :item, cast(:said as jsonb));

-- name: keep_file^
-- Claims the key, keeps a sealed file of an investor, stores the answer.
select answer, is_replay from api.keep_file(:key, :request, :body_sha256, :investor, :sha256, :sealed);

-- name: open_clearance^
-- Claims the key, opens the clearance of an investor for an offer and computes it, stores the answer.
select answer, is_replay from api.open_clearance(:key, :request, :body_sha256, :offering, :clearance, :investor);

-- name: take_ownership^
-- Claims the key, takes certified owners into the record, stores the answer.
select answer, is_replay from api.take_ownership(:key, :request, :body_sha256, :investor, :statement, :because);

-- name: decide_check^
-- Claims the key, decides on one check of a case, stores the answer.
select answer, is_replay from api.decide_check(:key, :request, :body_sha256, :scope, :act, :item, :version, :programme,
    cast(:said as jsonb));

-- name: case^
-- The head of the case of an investor.
select k.case_id, k.investor_id, k.kind, k.form, k.status, k.valid_until, k.version, r.tier, r.rating_id,
    r.version as rating_version, case when compliance.review_due(k.investor_id) <= clock_timestamp() then 'due' else 'rated' end as rated,
    p.detail_digest, coalesce(p.detail_digest = k.verified_digest, false) as is_as_verified,
    array(select e.element from compliance.cip_element e where e.kind = k.kind order by e.element) as elements,
    array(select i.id from compliance.subjects_of(k.investor_id) i (id) where not compliance.is_screened(i.id) order by 1) as unscreened,
    compliance.programme_in_force() as programme
from compliance.kyc_case k left join compliance.risk_rating r using (investor_id)
left join portal.profile_claim p using (investor_id) where k.investor_id = :investor;

-- name: case_requires
-- What the kind and form of the investor need and is not on file.
select r.what, r.code, r.missing, r.sentence from compliance.open_requirements(:investor) r;

-- name: case_records
-- Every record of a case that somebody decides on, by its id.
select 'papers' as list, d.document_id as id, d.code as what, d.status, cast(d.version as text) as version
from compliance.document d where d.investor_id = :investor and d.status <> 'replaced'
union all
select 'parties', y.party_id, y.role, y.status, cast(y.version as text)
from compliance.party y where y.investor_id = :investor and y.status <> 'ended'
union all
select 'owners', o.owner_id, case when o.controls then 'control_person' else o.kind end, o.status, cast(o.version as text)
from compliance.beneficial_owner o where o.investor_id = :investor and o.status <> 'former'
union all
select 'discrepancies', x.discrepancy_id, x.element, x.status, cast(x.version as text)
from compliance.discrepancy x where x.investor_id = :investor
union all
select 'diligences', e.diligence_id, 'enhanced', e.status, cast(e.version as text)
from compliance.due_diligence e where e.investor_id = :investor
union all
select 'changes', c.change_id, array_to_string(c.fields, ','), c.status, cast(c.version as text)
from portal.change_fact c where c.investor_id = :investor
order by list, id;

-- name: case_hits
-- The hits of everybody whom a clearance of the investor rests on.
select h.subject_id, h.hit_id, h.source, h.entry_id, h.score_bp, h.status, h.proposed_by, h.version
from compliance.subjects_of(:investor) i (id) join compliance.hit h on h.subject_id = i.id order by h.opened_at, h.hit_id;

-- name: case_accreditation^
-- The accreditation of an investor with the kinds of evidence on file since its last approval.
select a.accreditation_id, a.status, a.method, a.valid_until, a.version,
    array(select distinct e.kind from compliance.accreditation_evidence e where e.investor_id = a.investor_id
        and coalesce(e.recorded_at > a.approved_at, true) order by e.kind) as evidence
from compliance.accreditation a where a.investor_id = :investor;

-- name: case_clearances
-- The clearance of an investor for each offer, with every check that it lacks.
select c.clearance_id, c.offering_id, c.status, c.exemption, c.lacks, c.valid_until, c.version
from compliance.clearance c where c.investor_id = :investor order by c.offering_id;

-- name: delegates
-- Whom an investor has named, those that stand first, the latest first.
select d.delegation_id, d.delegate, d.scope, d.status, d.valid_from, d.valid_until, d.version from portal.delegation d
where d.investor_id = :investor
order by d.status not in ('named', 'in_force'), d.valid_from desc, d.delegation_id limit cast(:most as integer);

-- name: name_delegate^
-- Claims the key, names a delegate, stores the answer.
select answer, is_replay from api.name_delegate(:actor, :request, :body_sha256, :investor, :delegation, cast(:said as jsonb));

-- name: end_delegation^
-- Claims the key, ends a delegation, stores the answer.
select answer, is_replay from api.end_delegation(:actor, :request, :body_sha256, :investor, :delegation);
