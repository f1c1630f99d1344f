-- name: open_mapping$
-- Takes over a wallet that the investor claimed in the portal.
select registry.open_mapping(:actor, :request, :offering, :mapping, :investor, cast(:chain_id as bigint), :address, :claim_fact);

-- name: mark_screened$
-- Mark screened.
select registry.mark_screened(:actor, :request, :offering, :mapping, :screening_fact);

-- name: approve_wallet$
-- Approve wallet.
select registry.approve_wallet(:actor, :request, :offering, :mapping);

-- name: link_wallet$
-- Makes the wallet effective; an earlier linked wallet of the holder is superseded in the same breath.
select registry.link_wallet(:actor, :request, :offering, :mapping);

-- name: open_control_book$
-- Opens the control book with the issuer's written authority.
select registry.open_control_book(:actor, :request, :offering, :control, cast(:authorised_units as bigint), :authority_sha256);

-- name: hold_where_gated$
-- Follows the positions that a closed gate has held: the register shows the hold too.
select registry.hold_where_gated(:actor, :request, :offering, :investor);

-- name: instruct$
-- Prepares the instructions of a frozen set. Members are {investment, instruction}; those whose gate has closed
-- get none and come back with what is missing.
select registry.instruct(:actor, :request, :offering, :closing, cast(:members as jsonb));

-- name: stop$
-- Stops prepared instructions whose gate has closed, or that a named cause keeps from the chain.
select registry.stop(:actor, :request, :offering, cast(:investments as text[]), :because);

-- name: take_lines$
-- Takes up to p_most prepared instructions whose gate is open now, for signing in this very transaction; those
-- whose gate has closed are stopped. The caller signs, then calls record_delivery before it commits.
select registry.take_lines(:actor, :request, :offering, :closing, cast(:most as integer));

-- name: open_key$
-- Open key.
select registry.open_key(:actor, :request, cast(:chain_id as bigint), :address, :purpose);

-- name: take_nonce$
-- Takes the next nonce of a key; the row stays locked until the transaction that signs with it commits.
select registry.take_nonce(:actor, :request, cast(:chain_id as bigint), :address);

-- name: record_transaction$
-- Stores a signed transaction before anybody sees it. The transaction holds id, intent, purpose, chain_id, sender,
-- nonce, hash, raw (hex); lines are what it must do.
select registry.record_transaction(:actor, :request, :offering, cast(:transaction as jsonb), cast(:lines as jsonb));

-- name: finalize$
-- Marks a transaction final; a delivery is posted to the master securityholder file in the same transaction.
-- Delivered lists what the chain's logs say as {address, units, ordinal} and must equal the frozen lines.
select registry.finalize(:actor, :request, :offering, :transaction, cast(:block as jsonb), cast(:delivered as jsonb));

-- name: record_revert$
-- The chain refused a final transaction: its lines are free again, as a new fact.
select registry.record_revert(:actor, :request, :offering, :transaction, :because);

-- name: unfinished
-- Signed transactions that are not final yet, with their bytes, in nonce order.
select offering_id, transaction_id, intent_id, purpose, status, sender, nonce, hash, raw, lines
from registry.chain_transaction where offering_id = :offering and status in ('signed', 'broadcast', 'mined')
order by sender, nonce;

-- name: all_signed
-- Every signed transaction of a chain in the order of signing, for the embedded chain's replay: a delivery comes after
-- the contracts and wallets that it needs, whichever key signed those. Ids order by time, nonces within one millisecond.
select sender, raw from (select sender, nonce, raw, max(transaction_id) over (partition by sender order by nonce) as signed
    from registry.chain_transaction where chain_id = cast(:chain_id as bigint)) t
order by signed, sender, nonce;

-- name: prepared_addresses
-- The wallets of a closing whose units wait for delivery.
select encode(address, 'hex') as address, investment_id, units from registry.issuance_instruction
where offering_id = :offering and closing_id = :closing and status = 'prepared' order by investment_id;

-- name: claimed_mappings
-- Wallets that wait for a step.
select mapping_id, investor_id, status, address from registry.wallet_mapping
where offering_id = :offering and status in ('claimed', 'screened', 'issuer_approved') order by mapping_id;

-- name: reject_wallet$
-- Rejects a wallet before it is linked, with the reason.
select registry.reject_wallet(:actor, :request, :offering, :mapping, :because);
