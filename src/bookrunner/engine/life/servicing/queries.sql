-- name: charge_transfer_fee$
-- Posts the fee of a registered transfer to the ledger, once; false when it has none.
select treasury.charge_transfer_fee(:actor, :request, :offering, :transfer);
