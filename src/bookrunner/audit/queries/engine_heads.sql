-- name: broken_heads_of_engine
-- The records of this book whose head is not their last event, and the chains of this book without a record.
with kept (machine, scope, subject, version, head) as (
    select 'offer', offering_id, offering_id, version, chain_head from engine.offer
    union all
    select 'issuer', issuer_id, issuer_id, version, chain_head from engine.issuer
    union all
    select 'investment', offering_id, investment_id, version, chain_head from engine.investment
    union all
    select 'closing', offering_id, closing_id, version, chain_head from engine.closing
    union all
    select 'closing_member', offering_id, member_id, version, chain_head from engine.closing_member
    union all
    select 'allocation_policy', offering_id, policy_id, version, chain_head from engine.allocation_policy
    union all
    select 'allotment', offering_id, allotment_id, version, chain_head from engine.allotment
    union all
    select 'waitlist_entry', offering_id, entry_id, version, chain_head from engine.waitlist_entry
    union all
    select 'amendment', offering_id, amendment_id, version, chain_head from engine.amendment
    union all
    select 'allocation', offering_id, allocation_id, version, chain_head from engine.allocation
    union all
    select 'intake', offering_id, intake_id, version, chain_head from engine.intake
    union all
    select 'closing_case', offering_id, case_id, version, chain_head from engine.closing_case
    union all
    select 'terms', offering_id, terms_id, version, chain_head from engine.terms
    union all
    select 'notice', offering_id, notice_id, version, chain_head from engine.notice
    union all
    select 'change_request', offering_id, change_id, version, chain_head from engine.change_request
    union all select 'filing', offering_id, filing_id, version, chain_head from engine.filing
    union all select 'vote', offering_id, vote_id, version, chain_head from engine.vote
    union all select 'ballot', offering_id, ballot_id, version, chain_head from engine.ballot
    union all select 'distribution', offering_id, distribution_id, version, chain_head from engine.distribution
    union all select 'proxy', offering_id, proxy_id, version, chain_head from engine.proxy
    union all select 'tax_year', offering_id, tax_year_id, version, chain_head from engine.tax_year
    union all select 'coupon_schedule', offering_id, schedule_id, version, chain_head from engine.coupon_schedule
    union all select 'amortisation', offering_id, amortisation_id, version, chain_head from engine.amortisation
    union all select 'coupon_fixing', offering_id, fixing_id, version, chain_head from engine.coupon_fixing
    union all
    select 'webhook_endpoint', endpoint_id, endpoint_id, version, chain_head from engine.webhook_endpoint
    union all
    select 'emergency', keeper, emergency_id, version, chain_head from engine.emergency
)
select k.scope, k.subject, k.version, k.machine, 'row_shows_its_last_event' as rule
from kept k left join audit.event e on e.scope = k.scope and e.subject = k.subject and e.version = k.version
where e.hash is distinct from k.head or exists (
    select from audit.event n where n.scope = k.scope and n.subject = k.subject and n.version > k.version)
union all
select e.scope, e.subject, e.version, split_part(e.kind, '.', 1), 'chain_has_its_row'
from audit.event e
where e.version = 1
    and split_part(e.kind, '.', 1) in ('offer', 'issuer', 'investment', 'closing', 'closing_member', 'webhook_endpoint', 'emergency', 'allocation_policy', 'allotment', 'waitlist_entry', 'amendment', 'allocation', 'intake', 'closing_case', 'terms', 'notice', 'change_request', 'filing', 'vote', 'ballot', 'proxy', 'distribution', 'tax_year', 'coupon_schedule', 'amortisation', 'coupon_fixing')
    and not exists (
        select from kept k
        where k.scope = e.scope and k.subject = e.subject and k.machine = split_part(e.kind, '.', 1));

-- name: broken_heads_of_reconciliation
-- The records of this book whose head is not their last event, and the chains of this book without a record.
with kept (machine, scope, subject, version, head) as (
    select 'break', offering_id, break_id, version, chain_head from reconciliation.break
    union all
    select 'break_reminder', offering_id, reminder_id, version, chain_head from reconciliation.reminder
)
select k.scope, k.subject, k.version, k.machine, 'row_shows_its_last_event' as rule
from kept k left join audit.event e on e.scope = k.scope and e.subject = k.subject and e.version = k.version
where e.hash is distinct from k.head or exists (
    select from audit.event n where n.scope = k.scope and n.subject = k.subject and n.version > k.version)
union all
select e.scope, e.subject, e.version, split_part(e.kind, '.', 1), 'chain_has_its_row'
from audit.event e
where e.version = 1
    and split_part(e.kind, '.', 1) in ('break', 'break_reminder')
    and not exists (
        select from kept k
        where k.scope = e.scope and k.subject = e.subject and k.machine = split_part(e.kind, '.', 1));

-- name: broken_heads_of_api
-- The records of accounts whose head is not their last event, and the chains of accounts without a record.
with kept (machine, scope, subject, version, head) as (
    select 'account', account_id, account_id, version, chain_head from api.account
    union all
    select 'credential', account_id, credential_id, version, chain_head from api.credential
    union all
    select 'account_session', account_id, session_id, version, chain_head from api.account_session
    union all
    select 'confirmation', account_id, confirmation_id, version, chain_head from api.confirmation
    union all
    select 'sign_in_provider', provider_id, provider_id, version, chain_head from api.sign_in_provider
)
select k.scope, k.subject, k.version, k.machine, 'row_shows_its_last_event' as rule
from kept k left join audit.event e on e.scope = k.scope and e.subject = k.subject and e.version = k.version
where e.hash is distinct from k.head or exists (
    select from audit.event n where n.scope = k.scope and n.subject = k.subject and n.version > k.version)
union all
select e.scope, e.subject, e.version, split_part(e.kind, '.', 1), 'chain_has_its_row'
from audit.event e
where e.version = 1
    and split_part(e.kind, '.', 1) in ('account', 'credential', 'account_session', 'confirmation', 'sign_in_provider')
    and not exists (
        select from kept k
        where k.scope = e.scope and k.subject = e.subject and k.machine = split_part(e.kind, '.', 1));

-- name: broken_heads_of_audit
-- Looks and examinations whose head is not their last event, and their chains without a record.
with kept (machine, scope, subject, version, head) as (
    select 'record_view', scope, view_id, version, chain_head from audit.record_view
    union all
    select 'list_export', export_id, export_id, version, chain_head from audit.list_export
    union all
    select 'examination', examination_id, examination_id, version, chain_head from audit.examination
    union all
    select 'anchoring', anchoring_id, anchoring_id, version, chain_head from audit.anchoring
)
select k.scope, k.subject, k.version, k.machine, 'row_shows_its_last_event' as rule
from kept k left join audit.event e on e.scope = k.scope and e.subject = k.subject and e.version = k.version
where e.hash is distinct from k.head or exists (
    select from audit.event n where n.scope = k.scope and n.subject = k.subject and n.version > k.version)
union all
select e.scope, e.subject, e.version, split_part(e.kind, '.', 1), 'chain_has_its_row'
from audit.event e
where e.version = 1
    and split_part(e.kind, '.', 1) in ('record_view', 'list_export', 'examination', 'anchoring')
    and not exists (
        select from kept k
        where k.scope = e.scope and k.subject = e.subject and k.machine = split_part(e.kind, '.', 1));
