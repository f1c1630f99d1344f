-- name: propose_custodian$
-- Proposes a custodian with the digest and dates of its agreement.
select registry.propose_custodian(:actor, :request, :offering, :custodian, cast(:said as jsonb));

-- name: decide_custodian$
-- A second person puts a custodian's agreement in force, or declines it.
select registry.decide_custodian(:actor, :request, :offering, :custodian, :is_approved, :because);

-- name: end_custodian$
-- Ends a custodian's agreement for a reason.
select registry.end_custodian(:actor, :request, :offering, :custodian, :because);

-- name: custodians
-- The custodians of an offer, those that wait first, with how many effective wallets each controls.
select c.custodian_id, c.status, c.name, encode(c.agreement_sha256, 'hex') as agreement_sha256, c.agreed_on, c.ends_on,
    c.proposed_by, c.decided_by, c.ended_by, c.ended_because, (select count(*) from registry.wallet_mapping w
        where w.offering_id = c.offering_id and w.custodian_id = c.custodian_id and w.status in ('linked', 'joined')) as wallets
from registry.custodian c where c.offering_id = :offering
order by array_position('{proposed,in_force,ended,declined}', c.status), c.name, c.custodian_id;

-- name: propose_registration$
-- Proposes a change of a registration with its papers, and opens its item of the turnaround log.
select registry.propose_registration(:actor, :request, :offering, :change, cast(:said as jsonb), cast(:papers as jsonb), :item,
    cast(:clock as jsonb));

-- name: decide_registration$
-- A second person makes a change of a registration, or declines it.
select registry.decide_registration(:actor, :request, :offering, :change, :is_approved, :because);

-- name: registration_changes
-- Changes of registrations, those that wait first, with what is missing.
select c.change_id, c.status, c.kind, c.holding_id, h.investor_id, c.form, c.co_holder_id, c.because, c.proposed_by, c.decided_by,
    c.decided_because, i.due_on, registry.missing_registration_papers(c) as missing
from registry.registration_change c join registry.holding h using (offering_id, holding_id)
join registry.turnaround_item i on i.offering_id = c.offering_id and i.item_id = c.item_id
where c.offering_id = :offering order by (c.status = 'proposed') desc, c.change_id desc limit cast(:most as integer);

-- name: registration_papers
-- Which papers each change of a registration needs.
select change_kind, paper, sentence from registry.registration_paper_kind order by change_kind, paper;

-- name: return_mail$
-- Mail of a holder came back.
select registry.return_mail(:actor, :request, :offering, :lost, cast(:said as jsonb));

-- name: lose_holder$
-- Mail that was sent again came back too.
select registry.lose_holder(:actor, :request, :offering, :lost, cast(:sent_again_on as date), cast(:lost_on as date), :sha256);

-- name: record_search$
-- Records a search for a lost holder with its evidence.
select registry.record_search(:actor, :request, :offering, :task, :database, cast(:searched_on as date), :evidence_sha256);

-- name: find_holder$
-- A lost holder was heard from.
select registry.find_holder(:actor, :request, :offering, :lost, cast(:found_on as date), :sha256);

-- name: propose_dormancy$
-- Proposes after how long without contact units fall to a state.
select registry.propose_dormancy(:actor, :request, :offering, :rule, cast(:said as jsonb));

-- name: decide_dormancy$
-- A second person puts such a rule in force, or declines it.
select registry.decide_dormancy(:actor, :request, :offering, :rule, :is_approved, :because);

-- name: lost_holders
-- Holders whom mail does not reach, with what is owed next and the day on which a state takes the units.
select lost_id, status, holding_id, investor_id, units, region, last_contact_on, returned_on, send_again_by, sent_again_on, lost_on,
    exempt_because, found_on, task_id, search_no, opens_on, due_on, search_is_open, search_is_overdue, dormant_on,
    dormant_after_months, dormancy_source, dormancy_certainty
from registry.lost_standing where offering_id = :offering
order by status = 'found', coalesce(due_on, send_again_by), lost_id limit cast(:most as integer);

-- name: dormancy_rules
-- After how long units fall to a state, those that wait first.
select rule_id, status, region, property, months, starts_on, source, proposed_by, decided_by from registry.dormancy_rule
where offering_id = :offering order by (status = 'proposed') desc, region, starts_on desc;

-- name: propose_payee$
-- Proposes who receives what a holder is paid.
select registry.propose_payee(:actor, :request, :offering, :mandate, cast(:said as jsonb));

-- name: decide_payee$
-- A second person puts a payee in force, or declines it.
select registry.decide_payee(:actor, :request, :offering, :mandate, cast(:is_agreed as boolean), :seen);

-- name: payee_mandates
-- Who receives what holders of an offer are paid, those that wait first.
select m.mandate_id, m.status, m.investor_id, m.payee_id, m.because, m.proposed_by, m.decided_by, m.decided_at, m.version
from registry.payee_mandate m where m.offering_id = :offering and m.status in ('proposed', 'in_force')
order by m.status desc, m.investor_id limit cast(:most as integer);

-- name: escheat_clocks
-- What ships with the program of the law of states, by state and kind of property.
select region, property, effective_from, months, citation, certainty from registry.escheat_clock order by region, property, effective_from;

-- name: record_unpaid_notice$
-- Records that an unpaid payee was written to.
select registry.record_unpaid_notice(:actor, :request, :offering, :disbursement, cast(:written_on as date), :sha256);

-- name: holder_work
-- What the agent owes about holders whom mail or money does not reach, by the day it is due.
select work, subject, investor_id, opens_on, due_on, is_open, is_overdue, source, certainty
from engine.holder_work where offering_id = :offering order by due_on, work, subject limit cast(:most as integer);
