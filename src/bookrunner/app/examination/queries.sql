-- name: postings
-- What was posted to the register in a period.
select offering_id, posting_id, holding_id, instruction_id, movement_id, units, chain_id,
    '0x' || encode(transaction_hash, 'hex') as transaction_hash, ordinal, posted_at
from registry.posting where posted_at >= :since and posted_at < :until order by posted_at, offering_id, posting_id;

-- name: control_entries
-- Each version of the control books that was entered before the end of a period.
select offering_id, entry_no, authorised_units, issued_units, encode(authority_sha256, 'hex') as authority_sha256, entered_by, entered_at
from registry.control_entry where entered_at >= :since and entered_at < :until order by offering_id, entry_no;

-- name: movements
-- What moved between holdings in a period.
select offering_id, movement_id, kind, from_holding_id, to_holding_id, '0x' || encode(from_address, 'hex') as from_address,
    '0x' || encode(to_address, 'hex') as to_address, units, reference, is_tacked, chain_id,
    '0x' || encode(transaction_hash, 'hex') as transaction_hash, ordinal, moved_at
from registry.movement where moved_at >= :since and moved_at < :until order by moved_at, offering_id, movement_id;

-- name: ledger_entries
-- Each leg of each journal that was posted to the escrow ledger in a period; amounts in minor units.
select j.offering_id, j.journal_id, j.kind, j.occurred_at, j.reverses, e.leg, e.account, e.side, e.amount_minor, e.currency
from treasury.journal j join treasury.entry e using (offering_id, journal_id)
where j.occurred_at >= :since and j.occurred_at < :until order by j.occurred_at, j.offering_id, j.journal_id, e.leg;

-- name: clearance_records
-- Each opening and closing of a clearance in a period, with the programme and the evidence.
select offering_id, clearance_id, record_no, investor_id, status, lacks, programme_version, purpose, evidence, decided_by, request, decided_at
from compliance.clearance_record where decided_at >= :since and decided_at < :until order by offering_id, clearance_id, record_no;

-- name: decisions
-- Each decision of an officer in a period, with the programme that it was made under.
select scope_id, decision_no, item_id, programme_version, request, decided_by, decided_at
from compliance.decision where decided_at >= :since and decided_at < :until order by decided_at, scope_id, decision_no;

-- name: distribution_reserves
-- What distributions that were drafted in a period kept back, in minor units.
select d.offering_id, d.distribution_id, r.line, r.name, r.amount_minor, d.currency
from engine.distribution d join engine.distribution_reserve r using (offering_id, distribution_id)
where d.drafted_at >= :since and d.drafted_at < :until order by d.drafted_at, d.offering_id, d.distribution_id, r.line;

-- name: distribution_tiers
-- The tiers of distributions that were drafted in a period, each with what it paid in minor units and how that was found.
select d.offering_id, d.distribution_id, t.tier, t.kind, t.holders_bp, t.rate_bp, t.target_bp, t.day_count, t.compounds, t.due_minor,
    t.holders_minor, t.sponsor_minor, t.left_minor, d.currency, t.working
from engine.distribution d join engine.distribution_tier t using (offering_id, distribution_id)
where d.drafted_at >= :since and d.drafted_at < :until order by d.drafted_at, d.offering_id, d.distribution_id, t.tier;

-- name: distribution_lines
-- What each payee of distributions that were drafted in a period is entitled to, and what is withheld, in minor units.
select d.offering_id, d.distribution_id, l.line_id, l.holding_id, l.investor_id, l.units, l.capital_minor, l.income_minor, l.gross_minor,
    l.form, l.country, l.rate_bp, l.rate_source, l.withheld_minor, l.reinvested_minor, l.net_minor, d.currency
from engine.distribution d join engine.distribution_line l using (offering_id, distribution_id)
where d.drafted_at >= :since and d.drafted_at < :until order by d.drafted_at, d.offering_id, d.distribution_id, l.line_id;

-- name: runs
-- Each run of the comparisons in a period.
select offering_id, run_id, started_at, compared, found, resolved
from reconciliation.run where started_at >= :since and started_at < :until order by started_at, run_id;

-- name: already_here
-- Every offer, and every person with the version of the details that stands.
select offering_id as id, cast(null as integer) as version from engine.offer
union all
select investor_id, detail_version from portal.profile_fact;
