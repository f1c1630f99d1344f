-- name: broken_heads_of_portal
-- The records of this book whose head is not their last event, and the chains of this book without a record.
with kept (machine, scope, subject, version, head) as (
    select 'profile', investor_id, investor_id, version, chain_head from portal.profile
    union all
    select 'wallet_claim', offering_id, claim_id, version, chain_head from portal.wallet_claim
    union all
    select 'profile_change', investor_id, change_id, version, chain_head from portal.profile_change
    union all
    select 'data_key', investor_id, key_id, version, chain_head from portal.data_key
    union all
    select 'personal_view', investor_id, view_id, version, chain_head from portal.personal_view
    union all
    select 'suitability', offering_id, suitability_id, version, chain_head from portal.suitability
    union all
    select 'ownership_statement', investor_id, statement_id, version, chain_head from portal.ownership_statement
    union all
    select 'delegation', investor_id, delegation_id, version, chain_head from portal.delegation
    union all
    select 'wallet_challenge', offering_id, challenge_id, version, chain_head from portal.wallet_challenge
)
select k.scope, k.subject, k.version, k.machine, 'row_shows_its_last_event' as rule
from kept k left join audit.event e on e.scope = k.scope and e.subject = k.subject and e.version = k.version
where e.hash is distinct from k.head or exists (
    select from audit.event n where n.scope = k.scope and n.subject = k.subject and n.version > k.version)
union all
select e.scope, e.subject, e.version, split_part(e.kind, '.', 1), 'chain_has_its_row'
from audit.event e
where e.version = 1
    and split_part(e.kind, '.', 1) in ('profile', 'wallet_claim', 'profile_change', 'data_key', 'personal_view',
        'suitability', 'ownership_statement', 'delegation', 'wallet_challenge')
    and not exists (
        select from kept k
        where k.scope = e.scope and k.subject = e.subject and k.machine = split_part(e.kind, '.', 1));

-- name: broken_heads_of_compliance
-- The records of this book whose head is not their last event, and the chains of this book without a record.
with kept (machine, scope, subject, version, head) as (
    select 'kyc_case', investor_id, case_id, version, chain_head from compliance.kyc_case
    union all
    select 'beneficial_owner', investor_id, owner_id, version, chain_head from compliance.beneficial_owner
    union all
    select 'accreditation', investor_id, accreditation_id, version, chain_head from compliance.accreditation
    union all
    select 'screening', subject_id, screening_id, version, chain_head from compliance.screening
    union all
    select 'clearance', offering_id, clearance_id, version, chain_head from compliance.clearance
    union all
    select 'file_key', investor_id, key_id, version, chain_head from compliance.data_key
    union all
    select 'file_view', investor_id, view_id, version, chain_head from compliance.file_view
    union all
    select 'rule_change', rule_id, change_id, version, chain_head from compliance.rule_change
    union all
    select 'screening_policy_change', offering_id, change_id, version, chain_head from compliance.screening_policy_change
    union all
    select 'party', investor_id, party_id, version, chain_head from compliance.party
    union all
    select 'kyc_document', investor_id, document_id, version, chain_head from compliance.document
    union all
    select 'discrepancy', investor_id, discrepancy_id, version, chain_head from compliance.discrepancy
    union all
    select 'ownership_share', investor_id, share_id, version, chain_head from compliance.ownership_share
    union all
    select 'watchlist', source, list_version, version, chain_head from compliance.watchlist
    union all
    select 'hit', subject_id, hit_id, version, chain_head from compliance.hit
    union all
    select 'sanctions_report', subject_id, report_id, version, chain_head from compliance.sanctions_report
    union all
    select 'risk_rating', investor_id, rating_id, version, chain_head from compliance.risk_rating
    union all
    select 'due_diligence', investor_id, diligence_id, version, chain_head from compliance.due_diligence
    union all
    select 'sealed_entry', sealed_id, sealed_id, version, chain_head from compliance.sealed_entry
    union all
    select 'programme_item', item_id, item_id, version, chain_head from compliance.programme_item
    union all
    select 'assignment', scope_id, assignment_id, version, chain_head from compliance.assignment
    union all
    select 'hit_view', subject_id, view_id, version, chain_head from compliance.hit_view
    union all
    select 'statement_acceptance', offering_id, acceptance_id, version, chain_head from compliance.statement_acceptance
)
select k.scope, k.subject, k.version, k.machine, 'row_shows_its_last_event' as rule
from kept k left join audit.event e on e.scope = k.scope and e.subject = k.subject and e.version = k.version
where e.hash is distinct from k.head or exists (
    select from audit.event n where n.scope = k.scope and n.subject = k.subject and n.version > k.version)
union all
select e.scope, e.subject, e.version, split_part(e.kind, '.', 1), 'chain_has_its_row'
from audit.event e
where e.version = 1
    and split_part(e.kind, '.', 1) in ('kyc_case', 'beneficial_owner', 'accreditation', 'screening', 'clearance',
        'rule_change', 'screening_policy_change', 'party', 'kyc_document', 'discrepancy', 'ownership_share', 'watchlist', 'hit',
        'sanctions_report', 'risk_rating', 'due_diligence', 'file_key', 'file_view',
        'sealed_entry', 'programme_item', 'assignment', 'hit_view', 'statement_acceptance')
    and not exists (
        select from kept k
        where k.scope = e.scope and k.subject = e.subject and k.machine = split_part(e.kind, '.', 1));

-- name: broken_heads_of_subscription
-- The records of this book whose head is not their last event, and the chains of this book without a record.
with kept (machine, scope, subject, version, head) as (
    select 'acknowledgment', offering_id, acknowledgment_id, version, chain_head from subscription.acknowledgment
    union all
    select 'agreement', offering_id, agreement_id, version, chain_head from subscription.agreement
    union all
    select 'allocation_approval', offering_id, approval_id, version, chain_head from subscription.allocation_approval
    union all
    select 'reconfirmation', offering_id, reconfirmation_id, version, chain_head from subscription.reconfirmation
    union all
    select 'template', template_id, template_id, version, chain_head from subscription.template
    union all
    select 'signatory', offering_id, signatory_id, version, chain_head from subscription.signatory
    union all
    select 'particular', offering_id, particular_id, version, chain_head from subscription.particular
    union all
    select 'application', offering_id, application_id, version, chain_head from subscription.application
    union all
    select 'packet_review', offering_id, review_id, version, chain_head from subscription.review
    union all
    select 'deficiency', offering_id, deficiency_id, version, chain_head from subscription.deficiency
    union all
    select 'certificate', offering_id, certificate_id, version, chain_head from subscription.certificate
    union all
    select 'legal_hold', hold_id, hold_id, version, chain_head from subscription.legal_hold
    union all
    select 'damage', damage_id, damage_id, version, chain_head from subscription.damage
    union all
    select 'signing_evidence', offering_id, evidence_id, version, chain_head from subscription.signing_evidence
    union all
    select 'offered_document', offering_id, document_id, version, chain_head from subscription.offered_document
    union all
    select 'consent_sample', offering_id, sample_id, version, chain_head from subscription.consent_sample
    union all
    select 'paper_delivery', offering_id, delivery_id, version, chain_head from subscription.paper_delivery
)
select k.scope, k.subject, k.version, k.machine, 'row_shows_its_last_event' as rule
from kept k left join audit.event e on e.scope = k.scope and e.subject = k.subject and e.version = k.version
where e.hash is distinct from k.head or exists (
    select from audit.event n where n.scope = k.scope and n.subject = k.subject and n.version > k.version)
union all
select e.scope, e.subject, e.version, split_part(e.kind, '.', 1), 'chain_has_its_row'
from audit.event e
where e.version = 1
    and split_part(e.kind, '.', 1) in ('acknowledgment', 'agreement', 'allocation_approval', 'reconfirmation', 'template', 'signatory', 'particular', 'application', 'packet_review', 'deficiency', 'certificate',
        'legal_hold', 'damage', 'signing_evidence', 'consent_sample', 'paper_delivery', 'offered_document')
    and not exists (
        select from kept k
        where k.scope = e.scope and k.subject = e.subject and k.machine = split_part(e.kind, '.', 1));

-- name: broken_heads_of_treasury
-- The records of this book whose head is not their last event, and the chains of this book without a record.
with kept (machine, scope, subject, version, head) as (
    select 'source_account', investor_id, source_id, version, chain_head from treasury.source_account
    union all
    select 'payment_attempt', offering_id, attempt_id, version, chain_head from treasury.payment_attempt
    union all
    select 'statement', offering_id, statement_id, version, chain_head from treasury.statement
    union all
    select 'receipt', offering_id, receipt_id, version, chain_head from treasury.receipt
    union all
    select 'release', offering_id, release_id, version, chain_head from treasury.release
    union all
    select 'refund', offering_id, refund_id, version, chain_head from treasury.refund
    union all
    select 'payout', offering_id, payout_id, version, chain_head from treasury.payout
    union all
    select 'alarm', source, alarm_id, version, chain_head from treasury.alarm
    union all
    select 'payer_view', offering_id, view_id, version, chain_head from treasury.payer_view
    union all
    select 'escrow_initiation', offering_id, initiation_id, version, chain_head from treasury.escrow_initiation
    union all
    select 'order_view', offering_id, view_id, version, chain_head from treasury.order_view
    union all
    select 'payment_notice', offering_id, notice_id, version, chain_head from treasury.payment_notice
    union all
    select 'proposal', offering_id, proposal_id, version, chain_head from treasury.proposal
    union all
    select 'policy_change', rail, change_id, version, chain_head from treasury.policy_change
    union all
    select 'debit', offering_id, debit_id, version, chain_head from treasury.debit
    union all
    select 'fee', offering_id, fee_id, version, chain_head from treasury.fee
    union all
    select 'escrow_account', offering_id, escrow_id, version, chain_head from treasury.escrow_account
    union all
    select 'accepted_coin', offering_id, coin_id, version, chain_head from treasury.accepted_coin
    union all
    select 'coin_transfer', offering_id, transfer_id, version, chain_head from treasury.coin_transfer
    union all
    select 'rate_file', source, file_id, version, chain_head from treasury.rate_file
    union all
    select 'currency_rule', offering_id, rule_id, version, chain_head from treasury.currency_rule
    union all
    select 'rate_snapshot', offering_id, snapshot_id, version, chain_head from treasury.rate_snapshot
    union all
    select 'payee_account', investor_id, account_id, version, chain_head from treasury.payee_account
    union all
    select 'fee_settlement', offering_id, settlement_id, version, chain_head from treasury.fee_settlement
    union all
    select 'paying_wallet', offering_id, wallet_id, version, chain_head from treasury.paying_wallet
    union all
    select 'payment_finding', offering_id, finding_id, version, chain_head from treasury.payment_finding
    union all
    select 'wallet_loss', offering_id, loss_id, version, chain_head from treasury.wallet_loss
    union all
    select 'disbursement', offering_id, disbursement_id, version, chain_head from treasury.disbursement
    union all
    select 'tax_remittance', offering_id, remittance_id, version, chain_head from treasury.tax_remittance
)
select k.scope, k.subject, k.version, k.machine, 'row_shows_its_last_event' as rule
from kept k left join audit.event e on e.scope = k.scope and e.subject = k.subject and e.version = k.version
where e.hash is distinct from k.head or exists (
    select from audit.event n where n.scope = k.scope and n.subject = k.subject and n.version > k.version)
union all
select e.scope, e.subject, e.version, split_part(e.kind, '.', 1), 'chain_has_its_row'
from audit.event e
where e.version = 1
    and split_part(e.kind, '.', 1) in ('source_account', 'payment_attempt', 'statement', 'receipt', 'release', 'refund', 'payout',
        'alarm', 'payer_view', 'order_view', 'escrow_initiation', 'payment_notice', 'proposal', 'accepted_coin', 'coin_transfer', 'debit',
        'policy_change', 'escrow_account', 'fee', 'rate_file', 'currency_rule', 'rate_snapshot',
        'payee_account', 'fee_settlement', 'paying_wallet', 'payment_finding', 'wallet_loss', 'disbursement', 'tax_remittance')
    and not exists (
        select from kept k
        where k.scope = e.scope and k.subject = e.subject and k.machine = split_part(e.kind, '.', 1));

-- name: broken_heads_of_registry
-- The records of this book whose head is not their last event, and the chains of this book without a record.
with kept (machine, scope, subject, version, head) as (
    select 'wallet_mapping', offering_id, mapping_id, version, chain_head from registry.wallet_mapping
    union all
    select 'issuance_instruction', offering_id, instruction_id, version, chain_head from registry.issuance_instruction
    union all
    select 'chain_transaction', offering_id, transaction_id, version, chain_head from registry.chain_transaction
    union all
    select 'key_stop', offering_id, stop_id, version, chain_head from registry.key_stop
    union all
    select 'delivery_stop', offering_id, stop_id, version, chain_head from registry.delivery_stop
    union all
    select 'holding', offering_id, holding_id, version, chain_head from registry.holding
    union all
    select 'control_book', offering_id, control_id, version, chain_head from registry.control_book
    union all
    select 'control_change', offering_id, change_id, version, chain_head from registry.control_change
    union all
    select 'custodian', offering_id, custodian_id, version, chain_head from registry.custodian
    union all select 'registration_change', offering_id, change_id, version, chain_head from registry.registration_change
    union all select 'lost_holder', offering_id, lost_id, version, chain_head from registry.lost_holder
    union all select 'search_task', offering_id, task_id, version, chain_head from registry.search_task
    union all select 'dormancy_rule', offering_id, rule_id, version, chain_head from registry.dormancy_rule
    union all select 'payee_mandate', offering_id, mandate_id, version, chain_head from registry.payee_mandate
    union all select 'record_difference', offering_id, difference_id, version, chain_head from registry.record_difference
    union all select 'subsidiary_entry', offering_id, entry_id, version, chain_head from registry.subsidiary_entry
    union all select 'legend_removal', offering_id, removal_id, version, chain_head from registry.legend_removal
    union all select 'holder_statement', offering_id, statement_id, version, chain_head from registry.holder_statement
    union all select 'turnaround_item', offering_id, item_id, version, chain_head from registry.turnaround_item
    union all select 'transfer_rule', offering_id, rule_id, version, chain_head from registry.transfer_rule
    union all select 'affiliation', offering_id, affiliation_id, version, chain_head from registry.affiliation
    union all select 'transfer_request', offering_id, request_id, version, chain_head from registry.transfer_request
    union all select 'rescission', offering_id, rescission_id, version, chain_head from registry.rescission
    union all select 'observed_transfer', offering_id, observed_id, version, chain_head from registry.observed_transfer
    union all select 'venue', offering_id, venue_id, version, chain_head from registry.venue
    union all select 'trade', offering_id, trade_id, version, chain_head from registry.trade
    union all select 'interest', offering_id, interest_id, version, chain_head from registry.interest
    union all select 'settlement', offering_id, settlement_id, version, chain_head from registry.settlement
    union all select 'trade_alarm', offering_id, alarm_id, version, chain_head from registry.trade_alarm
    union all select 'register_import', offering_id, import_id, version, chain_head from registry.register_import
    union all select 'control_action', offering_id, action_id, version, chain_head from registry.control_action
    union all select 'account_restraint', offering_id, restraint_id, version, chain_head from registry.account_restraint
    union all select 'security_restraint', offering_id, restraint_id, version, chain_head from registry.security_restraint
    union all select 'split', offering_id, split_id, version, chain_head from registry.split
    union all select 'buyback', offering_id, buyback_id, version, chain_head from registry.buyback
    union all select 'tender', offering_id, tender_id, version, chain_head from registry.tender
    union all select 'line_release', offering_id, release_id, version, chain_head from registry.line_release
    union all select 'conversion', offering_id, conversion_id, version, chain_head from registry.conversion
    union all select 'reinvestment_plan', offering_id, plan_id, version, chain_head from registry.reinvestment_plan
    union all select 'reinvestment_election', offering_id, election_id, version, chain_head from registry.reinvestment_election
)
select k.scope, k.subject, k.version, k.machine, 'row_shows_its_last_event' as rule
from kept k left join audit.event e on e.scope = k.scope and e.subject = k.subject and e.version = k.version
where e.hash is distinct from k.head or exists (
    select from audit.event n where n.scope = k.scope and n.subject = k.subject and n.version > k.version)
union all
select e.scope, e.subject, e.version, split_part(e.kind, '.', 1), 'chain_has_its_row'
from audit.event e
where e.version = 1
    and split_part(e.kind, '.', 1) in (
        'wallet_mapping', 'issuance_instruction', 'chain_transaction', 'key_stop', 'delivery_stop', 'holding', 'control_book',
        'control_change', 'custodian', 'registration_change', 'lost_holder', 'search_task', 'dormancy_rule', 'payee_mandate', 'record_difference', 'subsidiary_entry', 'legend_removal', 'holder_statement', 'turnaround_item', 'transfer_rule',
        'affiliation', 'transfer_request', 'rescission', 'observed_transfer', 'register_import', 'venue', 'trade', 'trade_alarm', 'settlement', 'interest',
        'control_action', 'account_restraint', 'security_restraint', 'split', 'buyback', 'tender', 'line_release', 'conversion',
        'reinvestment_plan', 'reinvestment_election')
    and not exists (
        select from kept k
        where k.scope = e.scope and k.subject = e.subject and k.machine = split_part(e.kind, '.', 1));
