-- name: desks
-- Each offer with what waits in its escrow, or one of them.
select o.offering_id, o.name, o.status, o.currency,
    (select count(*) from treasury.receipt r where r.offering_id = o.offering_id and r.status = 'unmatched') as unmatched,
    (select count(*) from treasury.receipt r where r.offering_id = o.offering_id and r.status = 'held') as held,
    (select count(*) from treasury.proposal p where p.offering_id = o.offering_id and p.status = 'proposed')
        + (select count(*) from treasury.release l where l.offering_id = o.offering_id and l.status = 'proposed') as proposals,
    (select count(*) from treasury.refund f where f.offering_id = o.offering_id and f.status = 'created') as refunds,
    (select coalesce(bool_and(w.agrees), true) from treasury.three_way w where w.offering_id = o.offering_id)
        and (select coalesce(bool_and(a.agrees), true) from treasury.statement_agreement a where a.offering_id = o.offering_id) as agrees
from engine.offer o where cast(:offering as text) is null or o.offering_id = :offering order by o.offering_id;

-- name: statements
-- The imported statements of an offer, the latest first.
select s.statement_id, s.account, s.bank_statement_id, s.opening_minor, s.closing_minor, s.closed_on, s.entries,
    encode(s.file_sha256, 'hex') as file_sha256, e.actor, e.recorded_at,
    (select count(*) from treasury.receipt r where r.offering_id = s.offering_id and r.statement_id = s.statement_id
        and r.root_id is null) as receipts
from treasury.statement s join audit.event e on e.scope = s.offering_id and e.subject = s.statement_id and e.version = 1
where s.offering_id = :offering order by s.closed_on desc, s.statement_id desc limit 50;

-- name: waiting
-- What waits for a match or a decision, the oldest first; the state is unmatched, held or empty for both.
select w.receipt_id, w.status, w.amount_minor, w.currency, w.rail, w.booked_on, w.claimed_reference, w.sender, w.exception,
    w.waits_since, w.owner, w.goes_back_on, w.proposal_id, w.act, w.proposed_by, count(*) over () as total, sum(w.amount_minor) over () as total_minor,
    array(select c.investment_id from treasury.candidate c where c.offering_id = w.offering_id and c.receipt_id = w.receipt_id
        order by 1) as candidates
from treasury.waiting w where w.offering_id = :offering and cast(:state as text) in ('', w.status)
order by w.waits_since, w.receipt_id limit cast(:most as integer) offset cast(:skip as integer);

-- name: proposals
-- What one administrator proposed and another has not decided.
select p.proposal_id, p.act, p.receipt_id, p.investment_id, p.because, p.proposed_by, e.occurred_at as proposed_at,
    r.amount_minor, r.currency
from treasury.proposal p join treasury.receipt r using (offering_id, receipt_id)
join audit.event e on e.scope = p.offering_id and e.subject = p.proposal_id and e.version = 1
where p.offering_id = :offering and p.status = 'proposed' order by e.occurred_at, p.proposal_id;

-- name: receipt^
-- One receipt with the proposal that waits for it.
select r.receipt_id, r.status, r.amount_minor, r.currency, r.rail, r.booked_on, r.value_on, r.clears_on, r.claimed_reference,
    r.further_references, encode(r.source_fingerprint, 'hex') as source_fingerprint, r.sender, r.exception, r.investment_id,
    r.root_id, r.statement_id, r.source_accepted_by, r.source_accepted_because, r.undone_because, r.return_code,
    r.receivable_minor, r.version, p.proposal_id, p.act, p.investment_id as proposed_investment, p.because, p.proposed_by,
    p.version as proposal_version, w.owner, w.goes_back_on,
    (select string_agg(s.investor_id, ', ' order by s.investor_id) from treasury.source_account s
        where s.fingerprint = r.source_fingerprint and s.status = 'approved') as source_of
from treasury.receipt r
left join treasury.proposal p on p.offering_id = r.offering_id and p.receipt_id = r.receipt_id and p.status = 'proposed'
left join treasury.waiting w on w.offering_id = r.offering_id and w.receipt_id = r.receipt_id
where r.offering_id = :offering and r.receipt_id = :receipt;

-- name: candidates
-- The investments that a receipt may belong to: those with reasons by the rules, and the one that its reference names.
select f.investment_id, a.investor_id, f.committed_minor, f.short_minor, f.funding_status, f.reference,
    coalesce(c.reasons, '{}') || case when f.reference = r.claimed_reference then '{reference_is_its_own}' else cast('{}' as text[]) end as reasons
from treasury.receipt r
join treasury.funding f on f.offering_id = r.offering_id
join treasury.payment_attempt a on a.offering_id = f.offering_id and a.attempt_id = f.attempt_id
left join treasury.candidate c on c.offering_id = r.offering_id and c.receipt_id = r.receipt_id and c.investment_id = f.investment_id
where r.offering_id = :offering and r.receipt_id = :receipt
    and (c.receipt_id is not null or f.reference = r.claimed_reference)
order by cardinality(coalesce(c.reasons, '{}')) desc, f.investment_id limit 20;

-- name: parts
-- The receipts that were divided from the same money, this one among them.
select x.receipt_id, x.amount_minor, x.currency, x.status, x.root_id is null as is_root from treasury.receipt x
where x.offering_id = :offering and coalesce(x.root_id, x.receipt_id) = (select coalesce(r.root_id, r.receipt_id)
    from treasury.receipt r where r.offering_id = :offering and r.receipt_id = :receipt)
order by x.root_id nulls first, x.receipt_id;

-- name: history
-- What happened to a receipt and to the proposals about it, the latest first; never the content.
select e.kind, e.actor, e.subject, e.occurred_at from audit.event e
where e.scope = :offering and (e.subject = :receipt or e.subject in (select p.proposal_id from treasury.proposal p
        where p.offering_id = :offering and p.receipt_id = :receipt)
    or e.subject in (select v.view_id from treasury.payer_view v where v.offering_id = :offering and v.receipt_id = :receipt))
order by e.recorded_at desc limit 50;

-- name: since
-- What has happened to one record after a version of it: what each event changed.
select e.kind, e.actor, e.version, e.occurred_at, audit.payload_of(e.canonical) as payload from audit.event e
where e.scope = :offering and e.subject = :item and e.version > cast(:seen as bigint) order by e.version;

-- name: posted
-- What this very transaction has posted to the ledger of an offer.
select j.kind, j.reverses, e.account, e.side, e.amount_minor, e.currency from treasury.journal j
join treasury.entry e using (offering_id, journal_id)
where j.offering_id = :offering and j.posted_in = pg_current_xact_id() order by j.occurred_at, j.journal_id, e.leg;

-- name: gates
-- What the funding stage and the gate of issuance say of investments.
select s.investment_id, s.funding, s.received_minor, s.cleared_minor, s.amount_minor, s.currency, s.missing
from engine.stage s where s.offering_id = :offering and s.investment_id = any (cast(:investments as text[])) order by s.investment_id;

-- name: touched
-- The investments whose money this very transaction moved, by the accounts of its entries.
select distinct split_part(e.account, ':', 3) as investment_id from treasury.journal j join treasury.entry e using (offering_id, journal_id)
where j.offering_id = :offering and j.posted_in = pg_current_xact_id() and e.account like 'liab:inv:%' order by 1;

-- name: returned
-- What the bank took back, with the reason, what may follow it, and what is owed.
select r.receipt_id, r.investment_id, r.amount_minor, r.receivable_minor, r.currency, r.rail, r.return_code, f.then_do, f.sentence,
    (select max(e.occurred_at) from audit.event e where e.scope = r.offering_id and e.subject = r.receipt_id
        and e.kind = 'receipt.returned') as returned_at
from treasury.receipt r left join treasury.failure_reason f on f.rail = r.rail and f.code = r.return_code
where r.offering_id = :offering and r.status = 'returned' order by r.receivable_minor desc, r.receipt_id limit 100;

-- name: may_return
-- Matched money that can still come back, by the day on which its rail makes it final.
select r.clears_on, r.rail, count(*) as receipts, sum(r.amount_minor) as amount_minor, r.currency from treasury.receipt r
where r.offering_id = :offering and r.status = 'matched' group by r.clears_on, r.rail, r.currency order by r.clears_on nulls last, r.rail;

-- name: partials
-- The investments that are paid in part, by the day on which the rest is asked for.
select c.investment_id, c.reference, c.committed_minor, c.received_minor, c.short_minor, c.pay_by, o.currency,
    c.pay_by < current_date as is_late
from treasury.funding_card c join engine.offer o using (offering_id)
where c.offering_id = :offering and c.received_minor > 0 and c.short_minor > 0 order by c.pay_by, c.investment_id limit 100;

-- name: refunds
-- The refunds of an offer, those that wait first.
select f.refund_id, f.receipt_id, f.status, f.amount_minor, f.currency, f.reason, f.try_no, f.payout_id, f.bounce_code,
    e.occurred_at as decided_at, f.returned_in, c.chain_id, encode(c.token, 'hex') as token, encode(c.address, 'hex') as address,
    encode(c.wallet, 'hex') as wallet, c.base_units, c.refund_id is not null and treasury.may_be_sent_back(f.offering_id, f.refund_id) as may_be_sent
from treasury.refund f join audit.event e on e.scope = f.offering_id and e.subject = f.refund_id and e.version = 1
left join treasury.coin_refund c on c.offering_id = f.offering_id and c.refund_id = f.refund_id
where f.offering_id = :offering order by f.status in ('settled', 'cancelled'), e.occurred_at desc limit 100;

-- name: payouts
-- The orders to the bank, the latest first.
select p.payout_id, p.purpose, p.status, p.amount_minor, p.currency, p.orders, p.bank_reference,
    encode(p.content_sha256, 'hex') as sha256, e.occurred_at as stored_at
from treasury.payout p join audit.event e on e.scope = p.offering_id and e.subject = p.payout_id and e.version = 1
where p.offering_id = :offering order by e.occurred_at desc limit 50;

-- name: releases
-- The releases of an offer, those that wait first.
select l.release_id, l.closing_id, l.status, l.amount_minor, l.deducted_minor, l.currency, l.proposed_by, l.approved_by, l.payout_id,
    encode(l.payee_fingerprint, 'hex') as payee_fingerprint, l.version, l.differ_because,
    l.status = 'proposed' and treasury.fees_differ(l.offering_id, l.release_id, l.closing_id) as fees_differ, e.occurred_at as proposed_at,
    (select p.status from treasury.payout p where p.offering_id = l.offering_id and p.payout_id = l.payout_id) as payout_status
from treasury.release l join audit.event e on e.scope = l.offering_id and e.subject = l.release_id and e.version = 1
where l.offering_id = :offering order by l.status <> 'proposed', e.occurred_at desc;

-- name: closings
-- The closings whose escrow may be proposed for release.
select c.closing_id, c.ordinal, c.status from engine.closing c where c.offering_id = :offering
    and c.status in ('frozen', 'issued', 'released', 'certified') order by c.ordinal;

-- name: deductions
-- What the releases of an offer withhold, line by line.
select d.release_id, d.line, d.kind, d.payee, d.amount_minor from treasury.deduction d
where d.offering_id = :offering order by d.release_id, d.line;

-- name: fees_shown
-- What investors were shown that the releases of an offer which wait for a decision withhold, kind by kind.
select l.release_id, s.kind, s.amount_minor from treasury.release l
cross join lateral treasury.fees_shown(l.offering_id, l.closing_id) s
where l.offering_id = :offering and l.status = 'proposed' order by l.release_id, s.kind;

-- name: failures
-- The investments whose last payment failed or came back, with its reason and what may follow.
select a.investment_id, a.attempt_no, a.status, a.failed_code, f.then_do, f.stopped_because, f.tries_left, f.until_day, o.currency, s.short_minor as due_minor,
    coalesce((select n.sentence from treasury.notification n where n.offering_id = a.offering_id and n.attempt_id = a.attempt_id
        and n.told_to = 'administrator' order by n.told_at desc limit 1), f.sentence) as sentence
from (select distinct on (t.investment_id) t.* from treasury.payment_attempt t where t.offering_id = :offering
    order by t.investment_id, t.attempt_no desc) a
join treasury.funding s on s.offering_id = a.offering_id and s.investment_id = a.investment_id
join engine.offer o on o.offering_id = a.offering_id
left join lateral treasury.what_follows(a.offering_id, a.attempt_id) f on true
where a.status in ('failed', 'returned', 'creation_error') order by a.investment_id limit 100;

-- name: alarms
-- What a provider or bank file said that nobody has answered.
select a.source, a.alarm_id, a.rule, a.subject, e.occurred_at as raised_at from treasury.open_alarm a
join audit.event e on e.scope = a.source and e.subject = a.alarm_id and e.version = 1
where a.offering_id = :offering order by e.occurred_at limit 100;

-- name: accounts
-- The escrow accounts of an offer, the latest first.
select a.escrow_id, a.status, a.agent, a.beneficiary, a.bank, a.bank_code, a.account, a.agreed_on, a.because, a.proposed_by,
    a.decided_by, a.version, encode(a.agreement_sha256, 'hex') as agreement_sha256
from treasury.escrow_account a join audit.event e on e.scope = a.offering_id and e.subject = a.escrow_id and e.version = 1
where a.offering_id = :offering order by e.occurred_at desc;

-- name: fees
-- The fees of an offer, those that wait first.
select f.fee_id, f.status, f.kind, f.borne_by, f.basis_points, f.flat_minor, f.proposed_by, f.version, f.currency
from treasury.fee f where f.offering_id = :offering order by f.status <> 'proposed', f.fee_id;

-- name: fee_kinds
-- What an offer may charge.
select k.kind from treasury.fee_kind k order by k.kind;

-- name: told_where_to_pay$
-- How many investors have been told where to pay.
select count(distinct a.investor_id) from treasury.payment_attempt a where a.offering_id = :offering;

-- name: coins
-- The tokens that an offer takes as money, or may.
select c.coin_id, c.status, encode(c.token, 'hex') as token, c.valid_from, c.currency, c.decimals, c.dust_minor, c.received_after,
    c.cleared_after, c.proposed_by, c.version
from treasury.accepted_coin c where c.offering_id = :offering order by c.valid_from desc, c.coin_id;

-- name: transfers
-- What the chain has shown of tokens, the latest first.
select t.transfer_id, t.status, encode(t.transaction_hash, 'hex') as transaction_hash, t.ordinal, t.base_units, t.amount_minor, t.currency,
    encode(t.sender, 'hex') as sender, t.receipt_id, t.refused_because, t.depth, t.cleared_after
from treasury.coin_standing t where t.offering_id = :offering order by t.block_number desc, t.ordinal desc limit 100;

-- name: cheques
-- The cheques whose deposit no statement has shown, the oldest first.
select c.receipt_id, c.number, c.custodian, c.received_on, r.amount_minor, r.currency, r.clears_on
from treasury.cheque c join treasury.receipt r using (offering_id, receipt_id)
where c.offering_id = :offering and not exists (select from treasury.cheque_deposit d where d.offering_id = c.offering_id
        and d.receipt_id = c.receipt_id) and r.status <> 'returned' order by c.received_on, c.receipt_id limit 100;

-- name: balances
-- What investors have left in an escrow.
select b.investor_id, b.currency, b.available_minor from treasury.stored_balance b where b.offering_id = :offering order by b.investor_id;

-- name: debits
-- The debits of an offer, those that wait first, with the bank's reason in words.
select d.debit_id, d.status, d.investment_id, d.amount_minor, d.currency, d.trace, f.sentence from treasury.debit d
left join treasury.failure_reason f on f.rail = 'ach_debit' and f.code = d.return_code
where d.offering_id = :offering order by d.status <> 'ordered', d.debit_id limit 100;

-- name: initiations
-- The escrow of institutions: what is behind or overdue first, then by the moment by which it settles.
select s.allocation_id, s.tranche, s.entity_id, s.investment_id, s.amount_minor, s.currency, s.settlement_due_at, s.status,
    s.received_minor, s.cleared_minor, s.is_behind, s.is_overdue,
    (select e.actor from audit.event e where e.scope = s.offering_id and e.subject = s.initiation_id and e.version = 1) as opened_by,
    (select e.recorded_at from audit.event e where e.scope = s.offering_id and e.subject = s.initiation_id
        order by e.version desc limit 1) as moved_at
from engine.escrow_standing s where s.offering_id = :offering
order by s.status = 'settled', not s.is_behind, not s.is_overdue, s.settlement_due_at, s.allocation_id limit 200;

-- name: settlement_alarms
-- What settlement messages said that does not fit and nobody has answered; one that names no offer of ours stands at every offer.
select a.source, a.alarm_id, a.rule, a.subject, e.occurred_at as raised_at from treasury.open_alarm a
join audit.event e on e.scope = a.source and e.subject = a.alarm_id and e.version = 1
where a.source = 'settlements' and coalesce(a.offering_id, :offering) = :offering order by e.occurred_at limit 100;

-- name: rates
-- The newest rate of each currency, by source.
select distinct on (r.source, r.currency) s.name, s.base, s.told, r.currency, r.rate, r.set_at from treasury.reference_rate r
join treasury.rate_source s using (source) order by r.source, r.currency, r.set_at desc;

-- name: rate_files
-- The files of rates, the latest first.
select encode(f.file_sha256, 'hex') as file_sha256, f.first_on, f.last_on, f.rates, e.actor, e.recorded_at
from treasury.rate_file f join audit.event e on e.scope = f.source and e.subject = f.file_id and e.version = 1
order by e.recorded_at desc limit 50;

-- name: currencies
-- The currencies beside its own that investors of an offer may pay in, or could.
select c.rule_id, c.status, c.currency, c.most_hours, c.proposed_by, c.version, n.name as source,
    (select max(r.set_at) from treasury.reference_rate r where r.source = c.source
        and r.currency = case when c.currency = n.base then c.offer_currency else c.currency end) as set_at
from treasury.currency_rule c join treasury.rate_source n using (source)
where c.offering_id = :offering order by c.status in ('declined', 'ended'), c.currency, c.rule_id;

-- name: rates_of_receipt
-- The rate that was kept when a receipt was matched, with what its amount came to at the rate of the commitment.
select s.* from treasury.rate_standing s join treasury.receipt r on r.offering_id = s.offering_id
    and s.receipt_id in (r.receipt_id, r.root_id)
where s.offering_id = :offering and r.receipt_id = :receipt;
