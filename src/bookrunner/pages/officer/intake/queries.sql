-- name: to_begin
-- Who invests and has no case or no clearance for the offer yet, the one that waits longest first.
select s.investor_id, s.investment_id, s.offering_id, o.name, o.exemption, p.kind, p.country, k.case_id is not null as has_case,
    (select min(e.occurred_at) from audit.event e where e.scope = s.offering_id and e.subject = s.investment_id) as since
from engine.stage s join engine.offer o using (offering_id) join portal.profile_claim p using (investor_id)
left join compliance.kyc_case k using (investor_id)
left join compliance.clearance c on c.offering_id = s.offering_id and c.investor_id = s.investor_id
where c.clearance_id is null and s.status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully')
order by since, s.investment_id limit 200;

-- name: begun^
-- What of an investor is begun for an offer; no row where nobody of this profile invests in it.
select p.kind, k.case_id is not null as has_case, c.clearance_id is not null as has_clearance, a.status as accreditation
from portal.profile_claim p left join compliance.kyc_case k using (investor_id)
left join compliance.accreditation a using (investor_id)
left join compliance.clearance c on c.investor_id = p.investor_id and c.offering_id = :offering
where p.investor_id = :investor and exists (select from engine.stage s where s.offering_id = :offering and s.investor_id = p.investor_id);

-- name: needs_accreditation$
-- Whether a clearance rests on a verified accreditation.
select needs_accreditation from compliance.clearance where offering_id = :offering and investor_id = :investor;

-- name: submit_accreditation$
-- Begins the review of an accreditation.
select compliance.submit_accreditation(:actor, :request, :investor, :accreditation);
