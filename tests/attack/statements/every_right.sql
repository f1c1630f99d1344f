-- Refused even to a login that was given every right by mistake.

-- registry | gate_is_closed | an instruction past a closed gate
insert into registry.issuance_instruction (offering_id, instruction_id, investment_id, investor_id, closing_id, status, units, address, authorised_by)
    values ('ofr_open', 'iss_x', 'inv_open1', 'ivr_open1', 'cls_open', 'prepared', 1, decode(repeat('01', 20), 'hex'), 'usr_1');

-- registry | instruction_is_inside_a_frozen_set | an instruction outside a frozen set
insert into registry.issuance_instruction (offering_id, instruction_id, investment_id, investor_id, closing_id, status, units, address, authorised_by)
    values ('ofr_open', 'iss_x', 'inv_open2', 'ivr_open2', 'cls_full', 'prepared', 2, decode(repeat('01', 20), 'hex'), 'usr_1');

-- registry | instruction_terms_are_locked | an instruction over other units
update registry.issuance_instruction set units = 99, status = 'stopped', stopped_because = 'x'
    where instruction_id = 'iss_full1';

-- registry | transition_is_listed_for_the_keeper | an instruction posted before it is submitted
update registry.issuance_instruction set status = 'posted', transaction_id = 'x';

-- registry | transition_is_listed_for_the_keeper | a holding born in no state of the machine
insert into registry.holding
    values ('ofr_full', 'hld_x', 'ivr_full1', 'invented', 5, 'f', '\x00');

-- registry | issue_stays_within_authorised | more issued than authorised
update registry.control_book set issued_units = 1000001
    where offering_id = 'ofr_full';

-- registry | registered_holding_is_in_the_register | a holding registered while its instruction is open
update engine.position set holding_is_registered = true
    where investment_id = 'inv_full1';

-- compliance | clear_means_nothing_lacks | a clearance set clear by hand
update compliance.clearance set status = 'clear'
    where clearance_id = 'clr_open1';

-- compliance | keys_never_change | an identity moved to another key
update compliance.kyc_case set case_id = 'kyc_x'
    where investor_id = 'ivr_full1';

-- compliance | transition_is_listed_for_the_keeper | an identity born approved
insert into compliance.kyc_case (investor_id, case_id, kind, status, verified_digest, evidence_sha256)
    values ('ivr_x', 'kyc_x', 'individual', 'approved', '\x00', '\x00');

-- subscription | transition_is_listed_for_the_keeper | an agreement born countersigned
insert into subscription.agreement (offering_id, agreement_id, investment_id, ordinal, status, units, amount_minor, profile_digest, document_sha256, executed_sha256)
    values ('ofr_full', 'agr_x', 'inv_full1', 9, 'countersigned', 1, 1, '\x00', '\x00', '\x00');

-- subscription | agreement_terms_are_locked | an executed agreement over other units
update subscription.agreement set units = 99, status = 'voided', void_because = 'x'
    where agreement_id = 'agr_full1';

-- subscription | transition_is_listed_for_the_keeper | an executed agreement back at the investor
update subscription.agreement set status = 'sent'
    where agreement_id = 'agr_full1';

-- treasury | transition_is_listed_for_the_keeper | money cleared before it is matched
insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency, booked_on, value_on, line_sha256)
    values ('ofr_full', 'rcp_x', 'stm_full_first', 'kx', 'cleared', 5, 'USD', now(), now(), '\x00');

-- treasury | receipt_is_of_its_statement | money of a statement that nobody imported
insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency, booked_on, value_on, line_sha256)
    values ('ofr_full', 'rcp_x', 'stm_none', 'kx', 'unmatched', 5, 'USD', now(), now(), '\x00');

-- treasury | receipt_is_of_its_statement | money of another offer's statement
insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency, booked_on, value_on, line_sha256)
    values ('ofr_open', 'rcp_x', 'stm_full_first', 'kx', 'unmatched', 5, 'USD', now(), now(), '\x00');

-- treasury | receipt_is_of_its_statement | money that comes to be of another statement
update treasury.receipt set statement_id = 'stm_none'
    where receipt_id = 'rcp_full1';

-- treasury | refund_goes_to_its_source | a refund to an account that the money did not come from
insert into treasury.refund (offering_id, refund_id, receipt_id, status, amount_minor, currency, reason, payee_fingerprint)
    values ('ofr_open', 'rfd_x', 'rcp_open1', 'created', 50000, 'USD', 'excess', sha256('thief'));

-- treasury | refund_goes_to_its_source | a refund of more than came
insert into treasury.refund (offering_id, refund_id, receipt_id, status, amount_minor, currency, reason, payee_fingerprint)
    select offering_id, 'rfd_x', receipt_id, 'created', 50001, 'USD', 'excess', source_fingerprint
    from treasury.receipt
    where receipt_id = 'rcp_open1';

-- treasury | payout_digest_is_of_its_bytes | an order whose digest is of other bytes
insert into treasury.payout (offering_id, payout_id, status, purpose, content, content_sha256, amount_minor, currency, orders)
    values ('ofr_open', 'pyo_x', 'prepared', 'refund', 'one', sha256('two'), 1, 'USD', 1);

-- treasury | transition_is_listed_for_the_keeper | a release born approved
insert into treasury.release (offering_id, release_id, closing_id, status, amount_minor, currency, payee_fingerprint, proposed_by, approved_by)
    values ('ofr_full', 'rel_x', 'cls_full', 'approved', 1, 'USD', '\x00', 'a', 'b');

-- treasury | proposed_act_is_known | a proposal of an act that nobody knows
insert into treasury.proposal (offering_id, proposal_id, status, act, receipt_id, receipt_version, investment_id, because, proposed_by, decided_by)
    values ('ofr_open', 'prp_x', 'proposed', 'keep', 'rcp_open1', 1, null, 'why', 'usr_1', null);

-- treasury | proposal_has_its_reason | a proposal without a reason
insert into treasury.proposal (offering_id, proposal_id, status, act, receipt_id, receipt_version, investment_id, because, proposed_by, decided_by)
    values ('ofr_open', 'prp_x', 'proposed', 'match', 'rcp_open1', 1, 'inv_open1', ' ', 'usr_1', null);

-- treasury | proposed_match_names_its_investment | a proposed match with nobody's investment
insert into treasury.proposal (offering_id, proposal_id, status, act, receipt_id, receipt_version, investment_id, because, proposed_by, decided_by)
    values ('ofr_open', 'prp_x', 'proposed', 'match', 'rcp_open1', 1, null, 'why', 'usr_1', null);

-- treasury | decided_proposal_names_who | a proposal that waits and is decided
insert into treasury.proposal (offering_id, proposal_id, status, act, receipt_id, receipt_version, investment_id, because, proposed_by, decided_by)
    values ('ofr_open', 'prp_x', 'proposed', 'match', 'rcp_open1', 1, 'inv_open1', 'why', 'usr_1', 'usr_2');

-- treasury | transition_is_listed_for_the_keeper | a proposal born approved
insert into treasury.proposal (offering_id, proposal_id, status, act, receipt_id, receipt_version, investment_id, because, proposed_by, decided_by)
    values ('ofr_open', 'prp_x', 'approved', 'match', 'rcp_open1', 1, 'inv_open1', 'why', 'usr_1', 'usr_2');

-- engine | committed_amount_is_locked | an investment with another amount
update engine.investment set amount_minor = 1, status = 'closed_successfully'
    where investment_id = 'inv_full1';

-- engine | transition_is_listed_for_the_keeper | an investment born legally confirmed
insert into engine.investment (offering_id, investment_id, investor_id, units, amount_minor, currency, status)
    values ('ofr_full', 'inv_x', 'ivr_full1', 1, 1, 'USD', 'legally_confirmed');

-- engine | committed_units_and_amount_are_positive | an investment of no units
insert into engine.investment (offering_id, investment_id, investor_id, units, amount_minor, currency, status)
    values ('ofr_full', 'inv_x', 'ivr_full1', 0, 1, 'USD', 'new');

-- engine | committed_units_and_amount_are_positive | an investment of no money
insert into engine.investment (offering_id, investment_id, investor_id, units, amount_minor, currency, status)
    values ('ofr_full', 'inv_x', 'ivr_full1', 1, -1, 'USD', 'new');

-- engine | committed_amount_is_locked | an investment that is cut to nothing
update engine.investment set units = 0, amount_minor = 0 where investment_id = 'inv_full1';

-- engine | transition_is_listed_for_the_keeper | an offer born published
insert into engine.offer (offering_id, issuer_id, name, exemption, currency, unit_price_minor, units_total, minimum_units, status)
    values ('ofr_x', 'i', 'n', '506(b)', 'USD', 1, 1, 1, 'published');

-- engine | terms_are_locked_after_review | terms changed after the review
update engine.offer set unit_price_minor = 1
    where offering_id = 'ofr_full';

-- engine | token_is_named_once | another token
update engine.offer set token_address = decode(repeat('01', 20), 'hex')
    where offering_id = 'ofr_full';

-- engine | keeper_alone_writes_its_facts | a position born full
insert into engine.position (offering_id, investment_id, investor_id, funds_are_received)
    values ('ofr_x', 'inv_x', 'ivr_full1', true);

-- engine | keys_never_change | a position of another investor
update engine.position set investor_id = 'ivr_x'
    where investment_id = 'inv_full1';

-- engine | history_is_append_only | a machine with one more move
update engine.transition set role = 'portal';

-- portal | transition_is_listed_for_the_keeper | a profile back in draft
update portal.profile set status = 'draft'
    where investor_id = 'ivr_full1';

-- reconciliation | transition_is_listed_for_the_keeper | a break verified at birth
insert into reconciliation.break (offering_id, break_id, comparison, subject_id, kind, left_value, right_value, owner, status, verified_in)
    values ('ofr_full', 'brk_x', 'wallets', 's', 'claimed_is_not_linked', 'l', 'r', 'o', 'verified', 'run_x');

-- reconciliation | history_is_append_only | a weight of a kind that is changed
update reconciliation.kind set is_blocking = false;

-- reconciliation | history_is_append_only | a cadence that is changed in place
update reconciliation.cadence set every = '1 day';

-- reconciliation | cadence_is_at_least_the_least | a cadence that is too slow
insert into reconciliation.cadence (phase, valid_from, every, sentence, proposed_by, approved_by)
    values ('closing', '2027-01-01', '2 days', 'Slower.', 'usr_1', 'usr_2');

-- reconciliation | cadence_needs_two_people | a cadence by one person
insert into reconciliation.cadence (phase, valid_from, every, sentence, proposed_by, approved_by)
    values ('closing', '2027-01-01', '1 day', 'Daily.', 'usr_1', 'key:usr_1');

-- audit | event_is_told_by_its_row | an event without a row
insert into audit.event (scope, subject, version, kind, keeper, actor, request_id, occurred_at, recorded_at, canonical, prev_hash, hash)
    values ('s', 's', 1, 'k', 'k', 'a', 'r', now(), now(), '{}', '\x00', '\x00');

-- compliance | acceptance_says_why | a statement accepted without a reason
insert into compliance.statement_acceptance (offering_id, acceptance_id, investor_id, statement, fact, status, because, decided_by)
    values ('ofr_open', 'sac_x', 'ivr_open1', 'accredited_investor', 'accreditation_is_refused', 'accepted', ' ', 'usr_1');

-- compliance | withdrawn_acceptance_says_why | an acceptance withdrawn without a reason
insert into compliance.statement_acceptance (offering_id, acceptance_id, investor_id, statement, fact, status, because, decided_by)
    values ('ofr_open', 'sac_x', 'ivr_open1', 'accredited_investor', 'accreditation_is_refused', 'accepted', 'x', 'usr_1');
update compliance.statement_acceptance set status = 'withdrawn'

-- registry | attempt_does_the_same | a further attempt that does something else
insert into registry.chain_transaction (offering_id, transaction_id, intent_id, purpose, status, chain_id, sender, nonce,
    attempt_no, max_fee_wei, priority_fee_wei, hash, raw, lines, lines_sha256)
select offering_id, 'txn_x', intent_id, purpose, 'signed', chain_id, sender, nonce,
    2, max_fee_wei * 2, priority_fee_wei * 2, sha256('x'), raw, lines, sha256('other lines')
from registry.chain_transaction where transaction_id = 'txn_sent';

-- registry | attempt_does_the_same | a third attempt without a second
insert into registry.chain_transaction (offering_id, transaction_id, intent_id, purpose, status, chain_id, sender, nonce,
    attempt_no, max_fee_wei, priority_fee_wei, hash, raw, lines, lines_sha256)
select offering_id, 'txn_x', intent_id, purpose, 'signed', chain_id, sender, nonce,
    3, max_fee_wei * 2, priority_fee_wei * 2, sha256('x'), raw, lines, lines_sha256
from registry.chain_transaction where transaction_id = 'txn_sent';

-- registry | replacement_raises_both_fees | a further attempt at the same price
insert into registry.chain_transaction (offering_id, transaction_id, intent_id, purpose, status, chain_id, sender, nonce,
    attempt_no, max_fee_wei, priority_fee_wei, hash, raw, lines, lines_sha256)
select offering_id, 'txn_x', intent_id, purpose, 'signed', chain_id, sender, nonce,
    2, max_fee_wei, priority_fee_wei, sha256('x'), raw, lines, lines_sha256
from registry.chain_transaction where transaction_id = 'txn_sent';

-- registry | attempt_belongs_to_its_intent | an attempt at another nonce
insert into registry.chain_transaction (offering_id, transaction_id, intent_id, purpose, status, chain_id, sender, nonce,
    attempt_no, max_fee_wei, priority_fee_wei, hash, raw, lines, lines_sha256)
select offering_id, 'txn_x', intent_id, purpose, 'signed', chain_id, sender, nonce + 500,
    2, max_fee_wei * 2, priority_fee_wei * 2, sha256('x'), raw, lines, lines_sha256
from registry.chain_transaction where transaction_id = 'txn_sent';

-- registry | hash_is_of_one_transaction | a further attempt with the hash of the first
insert into registry.chain_transaction (offering_id, transaction_id, intent_id, purpose, status, chain_id, sender, nonce,
    attempt_no, max_fee_wei, priority_fee_wei, hash, raw, lines, lines_sha256)
select offering_id, 'txn_x', intent_id, purpose, 'signed', chain_id, sender, nonce,
    2, max_fee_wei * 2, priority_fee_wei * 2, hash, raw, lines, lines_sha256
from registry.chain_transaction where transaction_id = 'txn_sent';

-- registry | attempt_is_made_once | the first attempt a second time
insert into registry.chain_transaction (offering_id, transaction_id, intent_id, purpose, status, chain_id, sender, nonce,
    attempt_no, max_fee_wei, priority_fee_wei, hash, raw, lines, lines_sha256)
select offering_id, 'txn_x', intent_id, purpose, 'signed', chain_id, sender, nonce,
    1, max_fee_wei * 2, priority_fee_wei * 2, sha256('x'), raw, lines, lines_sha256
from registry.chain_transaction where transaction_id = 'txn_sent';

-- registry | one_attempt_wins | two attempts at one intent that both came through
with second as (insert into registry.chain_transaction (offering_id, transaction_id, intent_id, purpose, status, chain_id,
    sender, nonce, attempt_no, max_fee_wei, priority_fee_wei, hash, raw, lines, lines_sha256)
select offering_id, 'txn_x', intent_id, purpose, 'signed', chain_id, sender, nonce, 2, max_fee_wei * 2, priority_fee_wei * 2,
    sha256('x'), raw, lines, lines_sha256 from registry.chain_transaction where transaction_id = 'txn_done' returning 1)
select 1 from second;
update registry.chain_transaction set status = 'final', block_hash = sha256('b') where transaction_id = 'txn_x';

-- registry | key_is_started_by_two_people | a stopped key that one person starts
insert into registry.key_stop (offering_id, stop_id, status, chain_id, sender, intent_id)
    select offering_id, 'stp_x', 'stopped', chain_id, sender, intent_id from registry.chain_transaction where transaction_id = 'txn_sent';
update registry.key_stop set status = 'proposed', proposed_by = 'usr_1', start_because = 'lost' where stop_id = 'stp_x';
update registry.key_stop set status = 'started', approved_by = 'usr_1' where stop_id = 'stp_x';

-- registry | change_is_acknowledged_by_two_people | a changed token that one person acknowledges
insert into registry.delivery_stop (offering_id, stop_id, status, changed, shows) values ('ofr_done', 'stp_y', 'stopped', '{compliance}', '{}');
update registry.delivery_stop set status = 'proposed', proposed_by = 'usr_1', acknowledged_because = 'a new module' where stop_id = 'stp_y';
update registry.delivery_stop set status = 'acknowledged', acknowledged_by = 'usr_1' where stop_id = 'stp_y';

-- registry | acknowledgement_has_a_reason | a changed token that stands for no reason
insert into registry.delivery_stop (offering_id, stop_id, status, changed, shows) values ('ofr_done', 'stp_y', 'stopped', '{compliance}', '{}');
update registry.delivery_stop set status = 'proposed', proposed_by = 'usr_1' where stop_id = 'stp_y';

-- registry | stop_names_what_changed | deliveries that are stopped for nothing
insert into registry.delivery_stop (offering_id, stop_id, status, changed, shows) values ('ofr_done', 'stp_y', 'stopped', '{}', '{}');

-- registry | deliveries_are_stopped_once | two stops of one offer at once
insert into registry.delivery_stop (offering_id, stop_id, status, changed, shows) values ('ofr_done', 'stp_y', 'stopped', '{compliance}', '{}');
insert into registry.delivery_stop (offering_id, stop_id, status, changed, shows) values ('ofr_done', 'stp_z', 'stopped', '{paused}', '{}');

-- registry | start_has_a_reason | a start that nobody explains
insert into registry.key_stop (offering_id, stop_id, status, chain_id, sender, intent_id)
    select offering_id, 'stp_x', 'stopped', chain_id, sender, intent_id from registry.chain_transaction where transaction_id = 'txn_sent';
update registry.key_stop set status = 'proposed', proposed_by = 'usr_1' where stop_id = 'stp_x';

-- registry | control_book_changes_on_written_authority | more authorised units without the issuer's authority
update registry.control_book set authorised_units = authorised_units + 1 where offering_id = 'ofr_done';

-- registry | control_book_changes_on_written_authority | another paper behind the authorised units
update registry.control_book set authority_sha256 = sha256('x') where offering_id = 'ofr_done';

-- registry | issued_units_are_the_postings | units issued without a posting
update registry.control_book set issued_units = issued_units + 1 where offering_id = 'ofr_done';

-- registry | history_is_append_only | an entry of the control book changed
update registry.control_entry set authorised_units = 1;

-- registry | history_is_append_only | what the chain showed forgotten
delete from registry.supply_seen;

-- registry | one_open_difference_of_a_kind | a difference found twice
insert into registry.record_difference (offering_id, difference_id, status, kind, left_units, right_units)
    select offering_id, 'rdf_x', 'open', kind, 1, 2 from registry.record_difference where offering_id = 'ofr_done';

-- registry | difference_kind_is_known | a difference of no kind
insert into registry.record_difference (offering_id, difference_id, status, kind, left_units, right_units)
    values ('ofr_done', 'rdf_x', 'open', 'a_feeling', 1, 2);

-- registry | superseded_wallet_names_its_successor | a wallet superseded by none
update registry.wallet_mapping set status = 'superseded' where mapping_id = 'wmp_done1';

-- registry | one_linked_wallet_per_holder | a second effective wallet of one holder
insert into registry.wallet_mapping (offering_id, mapping_id, investor_id, status, chain_id, address, claim_fact, proof_kind)
    values ('ofr_done', 'wmp_x', 'ivr_done1', 'claimed', 31337, decode(repeat('0b', 20), 'hex'), 'wlc_x@1', 'key');
update registry.wallet_mapping set status = 'screened', screening_fact = 'scr_x@1' where mapping_id = 'wmp_x';
update registry.wallet_mapping set status = 'issuer_approved', approved_by = 'usr_1' where mapping_id = 'wmp_x';
update registry.wallet_mapping set status = 'linked', linked_by = 'usr_2' where mapping_id = 'wmp_x';

-- registry | instruction_names_a_linked_wallet | units for an address that is nobody's
insert into registry.issuance_instruction (offering_id, instruction_id, investment_id, investor_id, closing_id, status, units,
    address, authorised_by)
    select offering_id, 'iss_x', investment_id, investor_id, closing_id, 'prepared', units, decode(repeat('0c', 20), 'hex'), 'usr_1'
    from registry.issuance_instruction where instruction_id = 'iss_full1';

-- registry | clock_of_an_item_is_locked | the clock of an item set back
update registry.turnaround_item set due_on = due_on + 7 where item_id = 'itm_done';

-- registry | closed_item_says_when_and_who | an item closed by nobody
update registry.turnaround_item set status = 'completed', answer_sha256 = sha256('x') where item_id = 'itm_done';

-- registry | item_is_closed_after_its_receipt | an item closed before it came
update registry.turnaround_item set status = 'completed', answer_sha256 = sha256('x'), closed_by = 'usr_1',
    closed_at = '2026-01-01Z' where item_id = 'itm_done';

-- registry | lots_are_past_their_holding_period | a transfer approved past its rules
update registry.transfer_request set status = 'approved', decided_by = 'usr_2', approved_until = now() + interval '1 day', from_address = decode(repeat('01', 20), 'hex'), to_address = decode(repeat('02', 20), 'hex') where request_id = 'xfr_done';

-- registry | transfer_terms_are_locked | a request for other units than were asked for
update registry.transfer_request set units = 2 where request_id = 'xfr_done';

-- registry | transfer_rule_is_locked | a rule that says something else than was proposed
update registry.transfer_rule set amount = 99 where rule_id = 'trl_done';

-- registry | history_is_append_only | a movement rewritten
insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, units, reference, is_tacked) values ('ofr_done', 'mov_x', 'transfer', 'hld_done1', 'hld_done2', 1, 'x', true); update registry.movement set units = 2;

-- registry | history_is_append_only | a use of a lot taken back
insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, units, reference, is_tacked) values ('ofr_done', 'mov_x', 'transfer', 'hld_done1', 'hld_done2', 1, 'x', true); insert into registry.lot_use values ('ofr_done', 'mov_x', 'lot_done1', 1, false); delete from registry.lot_use;

-- registry | history_is_append_only | a required paper dropped
delete from registry.required_paper;

-- registry | movement_changes_something | a movement from a holding to itself
insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, units, reference, is_tacked) values ('ofr_done', 'mov_x', 'transfer', 'hld_done1', 'hld_done1', 1, 'x', true);

-- registry | movement_has_units | a movement of nothing
insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, units, reference, is_tacked) values ('ofr_done', 'mov_x', 'transfer', 'hld_done1', 'hld_done2', 0, 'x', true);

-- registry | movement_kind_is_known | a movement of no known kind
insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, units, reference, is_tacked) values ('ofr_done', 'mov_x', 'gust', 'hld_done1', 'hld_done2', 1, 'x', true);

-- registry | movement_names_what_ordered_it | a movement that nothing ordered
insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, units, reference, is_tacked) values ('ofr_done', 'mov_x', 'transfer', 'hld_done1', 'hld_done2', 1, ' ', true);

-- registry | movement_names_its_log_or_none | a movement with half of its log
insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, units, reference, is_tacked, chain_id) values ('ofr_done', 'mov_x', 'transfer', 'hld_done1', 'hld_done2', 1, 'x', true, 1);

-- registry | movement_keeps_its_units | a movement that posts nothing
insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, units, reference, is_tacked) values ('ofr_done', 'mov_x', 'transfer', 'hld_done1', 'hld_done2', 1, 'x', true); set constraints all immediate;

-- registry | lot_covers_its_uses | more units than a lot has left
insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, units, reference, is_tacked) values ('ofr_done', 'mov_x', 'transfer', 'hld_done1', 'hld_done2', 2, 'x', true); insert into registry.lot_use values ('ofr_done', 'mov_x', 'lot_done1', 2, false);

-- registry | lot_used_is_the_givers | a lot of somebody else
insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, units, reference, is_tacked) values ('ofr_done', 'mov_x', 'transfer', 'hld_done1', 'hld_done2', 1, 'x', true); insert into registry.lot_use values ('ofr_done', 'mov_x', 'lot_done3', 1, false);

-- registry | lot_use_has_units | a lot used for nothing
insert into registry.movement (offering_id, movement_id, kind, from_holding_id, to_holding_id, units, reference, is_tacked) values ('ofr_done', 'mov_x', 'transfer', 'hld_done1', 'hld_done2', 1, 'x', true); insert into registry.lot_use values ('ofr_done', 'mov_x', 'lot_done1', 0, false);

-- registry | lot_names_its_origin | a lot from nowhere
insert into registry.lot (offering_id, lot_id, holding_id, units, acquired_on, period_from) values ('ofr_done', 'lot_x', 'hld_done1', 5, '2026-03-02', '2026-03-02');

-- registry | split_lot_came_by_a_movement | a lot of an instruction that names another lot
insert into registry.lot (offering_id, lot_id, holding_id, instruction_id, from_lot_id, units, acquired_on, period_from) values ('ofr_done', 'lot_x', 'hld_done1', 'ins_x', 'lot_done1', 5, '2026-03-02', '2026-03-02');

-- registry | period_begins_by_the_acquisition | a period that begins after its lot
insert into registry.lot (offering_id, lot_id, holding_id, movement_id, units, acquired_on, period_from) values ('ofr_done', 'lot_x', 'hld_done1', 'mov_x', 5, '2026-03-02', '2026-03-03');

-- registry | posting_names_its_origin | a posting that nothing ordered
insert into registry.posting (offering_id, posting_id, holding_id, units) values ('ofr_done', 'pst_x', 'hld_done1', 5);

-- registry | only_a_movement_takes_units | an instruction that takes units
insert into registry.posting (offering_id, posting_id, holding_id, instruction_id, units, chain_id, transaction_hash, ordinal) values ('ofr_done', 'pst_x', 'hld_done1', 'ins_x', -5, 1, '\x01', 0);

-- registry | delivery_names_its_log | a delivery without its log
insert into registry.posting (offering_id, posting_id, holding_id, instruction_id, units) values ('ofr_done', 'pst_x', 'hld_done1', 'ins_x', 5);

-- registry | log_is_observed_once | one log observed twice
insert into registry.observed_transfer (offering_id, observed_id, status, chain_id, transaction_hash, ordinal, block_number, mined_at, from_address, to_address, units, owner) select offering_id, 'obs_x', 'unmapped', chain_id, transaction_hash, ordinal, block_number, mined_at, from_address, to_address, units, owner from registry.observed_transfer where observed_id = 'obs_done';

-- registry | observed_transfer_has_units | a transfer of nothing observed
insert into registry.observed_transfer (offering_id, observed_id, status, chain_id, transaction_hash, ordinal, block_number, mined_at, from_address, to_address, units, owner) values ('ofr_done', 'obs_x', 'unmapped', 1, sha256('x'), 0, 1, now(), decode(repeat('01', 20), 'hex'), decode(repeat('02', 20), 'hex'), 0, 'registry');

-- registry | observed_transfer_has_its_owner | a break that nobody owns
insert into registry.observed_transfer (offering_id, observed_id, status, chain_id, transaction_hash, ordinal, block_number, mined_at, from_address, to_address, units, owner) values ('ofr_done', 'obs_x', 'unmapped', 1, sha256('x'), 0, 1, now(), decode(repeat('01', 20), 'hex'), decode(repeat('02', 20), 'hex'), 1, ' ');

-- registry | matched_transfer_names_its_request | a match with nothing
insert into registry.observed_transfer (offering_id, observed_id, status, chain_id, transaction_hash, ordinal, block_number, mined_at, from_address, to_address, units, owner) values ('ofr_done', 'obs_x', 'matched', 1, sha256('x'), 0, 1, now(), decode(repeat('01', 20), 'hex'), decode(repeat('02', 20), 'hex'), 1, 'registry');

-- registry | known_wallets_name_their_holders | an unauthorised transfer between nobody
insert into registry.observed_transfer (offering_id, observed_id, status, chain_id, transaction_hash, ordinal, block_number, mined_at, from_address, to_address, units, owner) values ('ofr_done', 'obs_x', 'unauthorised', 1, sha256('x'), 0, 1, now(), decode(repeat('01', 20), 'hex'), decode(repeat('02', 20), 'hex'), 1, 'registry');

-- registry | import_is_locked | an import that says something else than was proposed
select registry.propose_import('usr_1', 'req_1', 'ofr_early', 'imp_x', jsonb_build_object('file_sha256', repeat('0a', 32), 'authority_sha256', repeat('0b', 32), 'reference', 'letter'), '[{"security": "s", "investor": "ivr_early1", "units": 1, "acquired_on": "2026-03-02", "period_from": "2026-03-02"}]'); update registry.register_import set proposed_by = 'usr_9' where import_id = 'imp_x';
