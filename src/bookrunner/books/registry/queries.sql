-- name: open_mapping$
-- Takes over a wallet that the investor claimed in the portal.
select registry.open_mapping(:actor, :request, :offering, :mapping, :investor, cast(:chain_id as bigint), :address, :claim_fact,
    :proof_kind, :controller, :custodian);

-- name: mark_screened$
-- Mark screened.
select registry.mark_screened(:actor, :request, :offering, :mapping, :screening_fact);

-- name: approve_wallet$
-- Approve wallet.
select registry.approve_wallet(:actor, :request, :offering, :mapping);

-- name: link_wallet$
-- Makes the wallet effective; an earlier linked wallet of the holder is superseded in the same breath.
select registry.link_wallet(:actor, :request, :offering, :mapping, cast(:witness as jsonb));

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
-- whose gate has closed are stopped. The caller signs, then calls record_transaction before it commits.
select registry.take_lines(:actor, :request, :offering, :closing, cast(:most as integer));

-- name: open_lines$
-- Says which members can be instructed and signed for in this very transaction; the caller signs, then calls record_issuance.
select registry.open_lines(:actor, :request, :offering, :closing, cast(:members as jsonb));

-- name: record_issuance$
-- Stores a signed delivery and instructs its lines in the same breath.
select registry.record_issuance(:actor, :request, :offering, :closing, cast(:transaction as jsonb), cast(:lines as jsonb));

-- name: open_key$
-- Open key.
select registry.open_key(:actor, :request, cast(:chain_id as bigint), :address, :purpose);

-- name: take_nonce$
-- Takes the next nonce of a key; the row stays locked until the transaction that signs with it commits.
select registry.take_nonce(:actor, :request, cast(:chain_id as bigint), :address);

-- name: record_transaction$
-- Stores a signed transaction before anybody sees it. The transaction holds id, intent, purpose, chain_id, sender,
-- nonce, max_fee, priority_fee, hash, raw (hex); lines are what it must do.
select registry.record_transaction(:actor, :request, :offering, cast(:transaction as jsonb), cast(:lines as jsonb));

-- name: finalize$
-- Marks a transaction final; a delivery is posted to the master securityholder file in the same transaction.
-- Delivered lists what the chain's logs say as {address, units, ordinal} and must equal the frozen lines.
select registry.finalize(:actor, :request, :offering, :transaction, cast(:block as jsonb), cast(:delivered as jsonb));

-- name: record_revert$
-- The chain refused a final transaction: its lines are free again, as a new fact.
select registry.record_revert(:actor, :request, :offering, :transaction, :because);

-- name: record_replacement$
-- Stores a further attempt with higher fees; false when it is not needed any more.
select registry.record_replacement(:actor, :request, :offering, :replaced, cast(:transaction as jsonb));

-- name: note_seen$
-- Notes what a node says of transactions that are not final; returns how many changed.
select registry.note_seen(:actor, :request, :offering, cast(:seen as jsonb));

-- name: drop_intent$
-- Somebody else used the nonce of a transaction: its attempts are dropped and its key is stopped.
select registry.drop_intent(:actor, :request, :offering, :transaction, :stop);

-- name: find_again$
-- A transaction that was taken for dropped stands on the chain.
select registry.find_again(:actor, :request, :offering, :stop, :transaction);

-- name: attempts
-- The attempts at an intent, in order.
select transaction_id, attempt_no, status, hash from registry.chain_transaction where intent_id = :intent order by attempt_no;

-- name: propose_start$
-- A person says why a stopped key may sign again.
select registry.propose_start(:actor, :request, :offering, :stop, :because);

-- name: start_key$
-- A second person starts a stopped key again, from the nonce that the chain counts now.
select registry.start_key(:actor, :request, :offering, :stop, cast(:next_nonce as bigint));

-- name: key_stops
-- The keys of an offer that are stopped, and who proposed to start them.
select stop_id, status, chain_id, sender, intent_id, proposed_by, start_because
from registry.key_stop where offering_id = :offering and status in ('stopped', 'proposed') order by stop_id;

-- name: compare_token$
-- Compares what was found of a token with its record; returns what changed, and then deliveries are stopped.
select registry.compare_token(:actor, :request, :offering, :stop, cast(:found as jsonb));

-- name: propose_acknowledgement$
-- A person says why a change of the token may stand.
select registry.propose_acknowledgement(:actor, :request, :offering, :stop, :because);

-- name: acknowledge_change$
-- A second person acknowledges it; deliveries go on.
select registry.acknowledge_change(:actor, :request, :offering, :stop);

-- name: delivery_stops
-- The stops of an offer's deliveries that wait for people.
select stop_id, status, changed, proposed_by, acknowledged_because
from registry.delivery_stop where offering_id = :offering and status in ('stopped', 'proposed') order by stop_id;

-- name: next_nonces
-- The nonce after the highest of each key of a chain.
select address, next_nonce from registry.chain_key where chain_id = cast(:chain_id as bigint) order by address;

-- name: highest_final$
-- The highest block of a chain on which a transaction of ours became final.
select coalesce(max(block_number), 0) from registry.chain_transaction
where chain_id = cast(:chain_id as bigint) and status = 'final' and incarnation = :incarnation;

-- name: unfinished
-- Attempts that are not final yet, with their bytes, in the order of nonces and attempts, and for how long each waits.
select offering_id, transaction_id, intent_id, purpose, status, sender, nonce, attempt_no, hash, raw, lines, block_number, block_hash,
    max_fee_wei, priority_fee_wei, cast(extract(epoch from clock_timestamp() - waits_since) as double precision) as waits_seconds
from registry.chain_transaction where offering_id = :offering and status in ('signed', 'broadcast', 'mined')
order by sender, nonce, attempt_no;

-- name: under_way
-- The same without bytes and lines, for one look at the chain.
select offering_id, transaction_id, intent_id, purpose, status, sender, nonce, attempt_no, hash, block_number, block_hash
from registry.chain_transaction where offering_id = :offering and status in ('signed', 'broadcast', 'mined')
order by sender, nonce, attempt_no;

-- name: all_signed
-- What came of every nonce of a chain, or its newest attempt, in the order of signing, for the embedded chain's replay: a
-- delivery comes after the contracts and wallets that it needs, whichever key signed those. Ids order by time, nonces
-- within one millisecond.
select sender, raw from (select distinct on (sender, nonce) sender, nonce, raw,
        max(transaction_id) filter (where attempt_no = 1) over (partition by sender order by nonce, attempt_no) as signed
    from registry.chain_transaction where chain_id = cast(:chain_id as bigint) and status <> 'dropped'
    order by sender, nonce, status in ('final', 'reverted') desc, attempt_no desc) t
order by signed, sender, nonce;

-- name: deployment_intents
-- What was signed for an offer's token, and whether it is final; what waits is neither.
select intent_id, purpose, bool_or(status = 'final') as is_final from registry.chain_transaction
where offering_id = :offering group by intent_id, purpose order by intent_id;

-- name: prepared_addresses
-- The wallets of a closing whose units wait for delivery, all or so many at most.
select encode(address, 'hex') as address, investment_id, units from registry.issuance_instruction
where offering_id = :offering and closing_id = :closing and status = 'prepared' order by investment_id
limit cast(:most as integer);

-- name: claimed_mappings
-- Wallets that wait for a step.
select mapping_id, investor_id, status, address from registry.wallet_mapping
where offering_id = :offering and status in ('claimed', 'screened', 'issuer_approved') order by mapping_id;

-- name: reject_wallet$
-- Rejects a wallet before it is linked, with the reason.
select registry.reject_wallet(:actor, :request, :offering, :mapping, :because);

-- name: join_wallet$
-- Makes a wallet effective beside the linked one.
select registry.join_wallet(:actor, :request, :offering, :mapping, cast(:witness as jsonb));

-- name: choose_wallet$
-- Lets units be delivered to another effective wallet of the holder.
select registry.choose_wallet(:actor, :request, :offering, :mapping);

-- name: places
-- Where the units of a holding stood at the end of a day, by address.
select address, units from registry.places_of(:offering, :holding, registry.end_of(cast(:day as date)));

-- name: revoke_wallet$
-- Ends a linked wallet without a successor.
select registry.revoke_wallet(:actor, :request, :offering, :mapping);

-- name: wallet_history
-- Who held an address, or which addresses a holder had, with dates and states; either may be left out.
select * from registry.wallet_standing where offering_id = :offering
    and (cast(:address as bytea) is null or address = :address) and (cast(:investor as text) is null or investor_id = :investor)
order by claimed_at, mapping_id;

-- name: mapping^
-- One wallet as it stands.
select * from registry.wallet_standing where offering_id = :offering and mapping_id = :mapping;

-- name: propose_control_change$
-- Proposes other authorised units on written authority of the issuer.
select registry.propose_control_change(:actor, :request, :offering, :change, cast(:units as bigint), :authority_sha256, :reference);

-- name: decide_control_change$
-- Approves or declines a change of the authorised units.
select registry.decide_control_change(:actor, :request, :offering, :change, :is_approved, :because);

-- name: compare_records$
-- Compares the records of an offer; returns how many pairs differ now.
select registry.compare_records(:actor, :request, :offering, cast(:chain as jsonb));

-- name: resolve_difference$
-- Says why a difference was.
select registry.resolve_difference(:actor, :request, :offering, :difference, :because);

-- name: keep_apart$
-- Keeps a debit or credit without its detail in the subsidiary file.
select registry.keep_apart(:actor, :request, :offering, :entry, :side, cast(:units as bigint), :reference, :because, :owner);

-- name: resolve_entry$
-- Names the holding of an entry of the subsidiary file.
select registry.resolve_entry(:actor, :request, :offering, :entry, :holding, :because);

-- name: register_as_of
-- Every holder's units at the end of a day.
select * from registry.register_as_of(:offering, cast(:day as date));

-- name: control_as_of^
-- The control book at the end of a day.
select * from registry.control_as_of(:offering, cast(:day as date));

-- name: balance^
-- Every total of the same units, side by side.
select * from registry.balance where offering_id = :offering;

-- name: propose_legend_removal$
-- Proposes that a lot loses its legend.
select registry.propose_legend_removal(:actor, :request, :offering, :removal, :lot, :basis, :paper_sha256, :because);

-- name: decide_legend_removal$
-- Approves or declines the removal of a legend.
select registry.decide_legend_removal(:actor, :request, :offering, :removal, :is_approved, :because);

-- name: statement_facts^
-- What a statement of a holding says: the holding at the end of a day, and its registration.
select r.holding_id, r.investor_id, r.units, r.lots, r.first_posted_at, g.registration_fact, g.registration_digest,
    registry.end_of(cast(:day as date)) as seen_at
from registry.register_as_of(:offering, cast(:day as date)) r,
    lateral registry.registration_of(:offering, r.holding_id, registry.end_of(cast(:day as date))) g
where r.holding_id = :holding;

-- name: statement_lots
-- The lots of a holding at the end of a day, each with the legend that it bore then.
select l.lot_id, a.units, l.acquired_on, case when s.removal = 'approved' and s.decided_at < registry.end_of(cast(:day as date))
    then null else l.legend end as legend
from registry.lots_as_of(:offering, :holding, cast(:day as date)) a
join registry.lot l on l.offering_id = :offering and l.lot_id = a.lot_id
join registry.lot_standing s on s.offering_id = l.offering_id and s.lot_id = l.lot_id
order by l.lot_id;

-- name: issue_statement$
-- Records a statement of a holding with the hash of its file.
select registry.issue_statement(:actor, :request, :offering, :statement, :holding, cast(:as_of as date), cast(:content as jsonb),
    :file_sha256);

-- name: statement_of_file^
-- The statement that a file is, by the hash of its bytes.
select statement_id, holding_id, as_of, units, content from registry.holder_statement
where offering_id = :offering and file_sha256 = :file_sha256;

-- name: receive_item$
-- Logs an item or inquiry with its clock.
select registry.receive_item(:actor, :request, :offering, :item, cast(:received as jsonb));

-- name: close_item$
-- Turns an item around, or sends it back.
select registry.close_item(:actor, :request, :offering, :item, :is_completed, :because, :answer_sha256);

-- name: items_up_to
-- Items and inquiries that were open in or before a month, for its figures.
select offering_id, item_id, kind, is_routine, status, received_at, counts_from, due_on, closed_at from registry.turnaround_item
where received_at < cast(:until as timestamptz) and (closed_at is null or closed_at >= cast(:from_moment as timestamptz)
    or received_at >= cast(:from_moment as timestamptz))
order by received_at, item_id;

-- name: ask_control$
-- Asks for a control action over an account or a security.
select registry.ask_control(:actor, :request, :offering, :action, cast(:asked as jsonb));

-- name: decide_control$
-- Approves or declines a control action.
select registry.decide_control(:actor, :request, :offering, :action, :is_approved, :because);

-- name: abandon_control$
-- Gives up a control action that nothing was signed for yet, or that the chain refused.
select registry.abandon_control(:actor, :request, :offering, :action, :because);

-- name: control_plan^
-- What an action needs to know to be carried out on chain.
select * from registry.control_plan where offering_id = :offering and action_id = :action;

-- name: submit_control$
-- Stores the calls of an action beside their transactions; without calls it is done at once.
select registry.submit_control(:actor, :request, :offering, :action, cast(:version as bigint), cast(:steps as jsonb));

-- name: control_actions
-- The control actions of an offer, newest first, with their people and where they stand on chain.
select * from registry.control_standing where offering_id = :offering order by asked_at desc, action_id;

-- name: propose_import$
-- Proposes a register that came from elsewhere, on written authority.
select registry.propose_import(:actor, :request, :offering, :import_id, cast(:said as jsonb), cast(:lines as jsonb));

-- name: decide_import$
-- Posts a proposed import, or declines it.
select registry.decide_import(:actor, :request, :offering, :import_id, :is_approved, :because);

-- name: imports_under_way
-- Proposed imports that nobody has decided.
select import_id from registry.register_import where offering_id = :offering and status = 'proposed';

-- name: unknown_investors
-- Those of whom the portal has no profile.
select i as investor_id from registry.unknown_investors(cast(:investors as text[])) i;

-- name: export_head^
-- The class that a register holds.
select o.offering_id, o.issuer_id, o.name, o.exemption, o.currency, o.unit_price_minor, c.issued_units,
    (select e.authorised_units from registry.control_entry e where e.offering_id = o.offering_id order by e.entry_no limit 1) as first_authorised
from engine.offer o join registry.control_book c using (offering_id) where o.offering_id = :offering;

-- name: export_authorised
-- Each later number of authorised units, with its day.
select t.entry_no, t.authorised_units, cast(t.entered_at at time zone 'UTC' as date) as entered_on from (
    select e.*, lag(e.authorised_units) over (order by e.entry_no) as before from registry.control_entry e
    where e.offering_id = :offering) t where t.before <> t.authorised_units order by t.entry_no;

-- name: export_holders
-- The holders of a register.
select investor_id, holding_id, kind, registration_fact, encode(registration_digest, 'hex') as registration_digest
from registry.stakeholders(:offering);

-- name: export_places
-- Where the units of each holding stand now, by address.
select h.holding_id, '0x' || encode(p.address, 'hex') as address, p.units from registry.holding h,
    lateral registry.places_of(h.offering_id, h.holding_id, 'infinity') p
where h.offering_id = :offering order by h.holding_id, p.address;

-- name: export_lots
-- Every lot that ever was, the oldest first; of reinvested units there is the price that was set off.
select l.lot_id, l.investor_id, l.units, l.left_units, l.legend, l.acquired_on, l.period_from, l.from_lot_id, r.price_minor
from registry.lot_standing l left join registry.reinvested_lot r using (offering_id, lot_id) where l.offering_id = :offering order by l.acquired_on, l.lot_id;

-- name: export_uses
-- What movements took of each lot, in order, and which lot came of it; a split may leave none, a conversion has its own in another class, and of
-- what the issuer bought back there is the price of a unit.
select u.lot_id, u.movement_id, u.units, cast(m.moved_at at time zone 'UTC' as date) as moved_on, m.kind, n.lot_id as new_lot_id, b.price_minor
from registry.lot_use u join registry.movement m using (offering_id, movement_id)
left join registry.lot n on n.offering_id = u.offering_id and n.movement_id = u.movement_id and n.from_lot_id = u.lot_id
left join registry.buyback b on m.kind = 'redemption' and b.offering_id = m.offering_id and b.buyback_id = split_part(m.reference, '/', 1)
where u.offering_id = :offering order by u.lot_id, m.moved_at, u.movement_id;

-- name: controls_under_way
-- Approved control actions that the chain does not have yet.
select offering_id, action_id from registry.control_action where status in ('approved', 'submitted') order by decided_at, action_id;

-- name: linked_address$
-- The address of a holder's linked wallet, if it has one.
select registry.linked_address(:offering, :investor);
