-- name: receipts
-- Receipts of an offer after a place in the order of their ids, of one status or investment, or the one that is named.
select r.receipt_id, r.status, r.amount_minor, r.currency, r.rail, r.booked_on, r.value_on, r.clears_on, r.claimed_reference,
    r.exception, r.investment_id, r.attempt_id, r.statement_id, r.root_id, r.return_code, r.version, p.proposal_id, p.act,
    p.investment_id as proposed_investment, p.because, p.proposed_by, p.version as proposal_version
from treasury.receipt r
left join treasury.proposal p on p.offering_id = r.offering_id and p.receipt_id = r.receipt_id and p.status = 'proposed'
where r.offering_id = :offering and (cast(:after as text) is null or r.receipt_id > :after)
    and (cast(:receipt as text) is null or r.receipt_id = :receipt) and (cast(:status as text) is null or r.status = :status)
    and (cast(:investment as text) is null or r.investment_id = :investment)
    and (cast(:statement as text) is null or r.statement_id = :statement)
order by r.receipt_id limit cast(:most as integer);

-- name: payments
-- The attempts of an offer's investors to pay, after a place in the order of their ids.
select a.attempt_id, a.investment_id, a.investor_id, a.attempt_no, a.status, a.reference, a.due_minor, a.received_minor, a.currency,
    a.failed_rail, a.failed_code, a.version
from treasury.payment_attempt a
where a.offering_id = :offering and (cast(:after as text) is null or a.attempt_id > :after)
    and (cast(:status as text) is null or a.status = :status)
    and (cast(:investment as text) is null or a.investment_id = :investment)
order by a.attempt_id limit cast(:most as integer);

-- name: refunds
-- Money that goes back to where it came from, after a place in the order of its ids.
select f.refund_id, f.receipt_id, f.status, f.amount_minor, f.currency, f.reason, f.try_no, f.payout_id, f.bounce_code, f.version
from treasury.refund f
where f.offering_id = :offering and (cast(:after as text) is null or f.refund_id > :after)
    and (cast(:status as text) is null or f.status = :status)
order by f.refund_id limit cast(:most as integer);

-- name: propose_on_receipt^
-- Claims the key, proposes what is to be done with a receipt, stores the answer.
select answer, is_replay from api.propose_on_receipt(:key, :request, :body_sha256, :offering, :receipt, :version, :proposal, :act,
    :investment, :because);

-- name: decide_on_receipt^
-- Claims the key, decides on such a proposal as another person, stores the answer.
select answer, is_replay from api.decide_on_receipt(:key, :request, :body_sha256, :offering, :receipt, :version, :proposal,
    :is_approved, :because);

-- name: clear_receipt^
-- Claims the key, confirms a matched receipt as final, stores the answer.
select answer, is_replay from api.clear_receipt(:key, :request, :body_sha256, :offering, :receipt, :version);

-- name: issuance_instructions
-- Issuance instructions of an offer after a place in the order of their ids, with the transaction of each.
select i.instruction_id, i.investment_id, i.investor_id, i.closing_id, i.status, i.units, '0x' || encode(i.address, 'hex') as address,
    i.authorised_by, i.stopped_because, '0x' || encode(t.hash, 'hex') as transaction_hash, i.version
from registry.issuance_instruction i
left join registry.chain_transaction t on t.offering_id = i.offering_id and t.transaction_id = i.transaction_id
where i.offering_id = :offering and (cast(:after as text) is null or i.instruction_id > :after)
    and (cast(:status as text) is null or i.status = :status)
order by i.instruction_id limit cast(:most as integer);

-- name: holdings
-- The master securityholder file after a place in the order of its ids, with the linked wallet of each holder.
select h.holding_id, h.investor_id, h.status, h.units, '0x' || encode(w.address, 'hex') as address, h.version
from registry.holding h
left join registry.wallet_mapping w on w.offering_id = h.offering_id and w.investor_id = h.investor_id and w.status = 'linked'
where h.offering_id = :offering and (cast(:after as text) is null or h.holding_id > :after)
    and (cast(:investor as text) is null or h.investor_id = :investor)
order by h.holding_id limit cast(:most as integer);

-- name: lots_of
-- The lots of some holdings.
select holding_id, lot_id, left_units, acquired_on, legend, free_on from registry.lot_standing
where offering_id = :offering and holding_id = any (:holdings) order by holding_id, lot_id;
