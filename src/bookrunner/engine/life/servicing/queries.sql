-- name: charge_transfer_fee$
-- Posts the fee of a registered transfer to the ledger, once; false when it has none.
select treasury.charge_transfer_fee(:actor, :request, :offering, :transfer);

-- name: transfer_fees
-- The fees of transfers of an offer that were charged, those that are open first.
select transfer_id, payer_id, amount_minor, currency, charged_at, settlement_id, act, because, status, proposed_by, decided_by, version
from treasury.fee_standing where offering_id = :offering order by status = 'settled', charged_at desc, transfer_id limit 500;

-- name: propose_fee_settlement$
-- Proposes that a charged fee was paid, on evidence, or is waived.
select treasury.propose_fee_settlement(:actor, :request, :offering, :settlement, :transfer, :act, :evidence_sha256, :because);

-- name: decide_fee_settlement$
-- Ends what is owed for a fee as another person, or declines that.
select treasury.decide_fee_settlement(:actor, :request, :offering, :settlement, cast(:is_agreed as boolean), :seen);
