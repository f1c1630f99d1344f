-- Refused to a login that has its own rights. Each head: login, SQLSTATE or constraint, sentence.

-- treasury | statement_is_imported_once | a second import of the same statement
select treasury.import_statement('usr_1', 'req_1', 'ofr_full', '{"id": "stm_again", "account": "ESCROW1", "bank_id": "bank-first", "file_sha256": "00", "opening_minor": 0, "closing_minor": 0, "closed_on": "2026-03-31", "currency": "USD"}', '[]');

-- treasury | event_pkey | a statement under the id of another
select treasury.import_statement('usr_1', 'req_1', 'ofr_full', '{"id": "stm_full_first", "account": "ESCROW1", "bank_id": "bank-other", "file_sha256": "00", "opening_minor": 0, "closing_minor": 0, "closed_on": "2026-03-31", "currency": "USD"}', '[]');

-- treasury | gate_is_closed | instructions for money before the agreement
select treasury.release_instructions('usr_1', 'req_1', 'ofr_early', 'pay_x', 'inv_early1', 'RF00000000000001', 5, 'USD');

-- treasury | one_payment_attempt_is_live | a second payment attempt while one is live
select treasury.release_instructions('usr_1', 'req_1', 'ofr_open', 'pay_x', 'inv_open2', 'RF99999999999999', 5, 'USD');

-- treasury | holding_stands_before_escrow_is_released | escrow released before holdings exist
select treasury.propose_release('usr_1', 'req_1', 'ofr_full', 'rel_x', 'cls_full', sha256('payee'));

-- treasury | release_needs_two_people | escrow released by the person who proposed it
select treasury.approve_release('usr_first', 'req_1', 'ofr_done', 'rel_done', sha256('payee'), 300000);

-- treasury | both_people_confirm_payee_and_amount | escrow released to another payee
select treasury.approve_release('usr_second', 'req_1', 'ofr_done', 'rel_done', sha256('thief'), 300000);

-- treasury | both_people_confirm_payee_and_amount | escrow released with another amount
select treasury.approve_release('usr_second', 'req_1', 'ofr_done', 'rel_done', sha256('payee'), 300001);

-- treasury | 42501 | a match by hand without a proposal
select treasury.match_by_hand('usr_1', 'req_1', 'ofr_full', 'rcp_full1', 'inv_full1', 'usr_2');

-- treasury | 42501 | a match undone without a proposal
select treasury.undo_match('usr_1', 'req_1', 'ofr_full', 'rcp_full1', 'because', 'usr_2');

-- treasury | 42501 | a source accepted without a proposal
select treasury.accept_source('usr_1', 'req_1', 'ofr_full', 'rcp_full1', 'usr_2', 'because');

-- treasury | 42501 | a refund without a proposal
select treasury.refund_receipt('usr_1', 'req_1', 'ofr_open', 'rcp_open1', 'cancellation');

-- treasury | proposed_act_fits_the_receipt | money matched twice by hand
select treasury.propose_act('usr_1', 'req_1', 'ofr_full', 'prp_x', 'match', 'rcp_full1', 'inv_full1', 'because',
    (select version from treasury.receipt where receipt_id = 'rcp_full1'));
select treasury.decide_act('usr_2', 'req_2', 'ofr_full', 'prp_x', true, '', 1);

-- treasury | proposal_needs_two_people | a refund by one person
select treasury.propose_act('usr_1', 'req_1', 'ofr_open', 'prp_x', 'refund', 'rcp_open1', null, 'because',
    (select version from treasury.receipt where receipt_id = 'rcp_open1'));
select treasury.decide_act('usr_1', 'req_2', 'ofr_open', 'prp_x', true, '', 1);

-- treasury | withdrawn_payout_was_not_handed_over | an order withdrawn that is not there
select treasury.withdraw_payout('usr_1', 'req_1', 'ofr_open', 'pyo_none');

-- treasury | 42501 | a journal posted past the verbs
select treasury.post('ofr_full', 'x', 'x', 'USD', '[]');

-- registry | 42501 | an instruction past a closed gate
insert into registry.issuance_instruction (offering_id, instruction_id, investment_id, investor_id, closing_id, status, units, address, authorised_by)
    values ('ofr_open', 'iss_x', 'inv_open1', 'ivr_open1', 'cls_open', 'prepared', 1, '\x01', 'usr_1');

-- registry | transition_is_listed_for_the_keeper | a wallet linked without screening and approval
select registry.link_wallet('usr_1', 'req_1', 'ofr_early', 'wmp_early1');

-- registry | transition_is_listed_for_the_keeper | a wallet approved without screening
select registry.approve_wallet('usr_1', 'req_1', 'ofr_early', 'wmp_early1');

-- registry | one_holder_per_live_wallet | a wallet that belongs to another holder
select registry.open_mapping('usr_1', 'req_1', 'ofr_full', 'wmp_x', 'ivr_full2', 31337, address, 'wlc_x@1', 'key')
    from registry.wallet_mapping
    where mapping_id = 'wmp_full1';

-- registry | final_is_marked_with_its_posting | a transaction marked final without its posting
select registry.note_seen('usr_1', 'req_1', 'ofr_done', '[{"transaction": "txn_done", "status": "final"}]');

-- registry | replacement_raises_both_fees | a further attempt that raises one of the two fees
select registry.record_replacement('usr_1', 'req_1', 'ofr_sent', 'txn_sent', '{"id": "txn_x", "max_fee": 4000000000, "priority_fee": 1000000000, "hash": "1111111111111111111111111111111111111111111111111111111111111111", "raw": "01"}');

-- registry | BR404 | a further attempt at a transaction of another offer
select registry.record_replacement('usr_1', 'req_1', 'ofr_done', 'txn_sent', '{"id": "txn_x"}');

-- registry | nonce_serves_one_intent | another intent with a nonce that is used
select registry.record_transaction('usr_1', 'req_1', 'ofr_sent', jsonb_build_object('id', 'txn_x', 'intent', 'int_x',
    'purpose', 'deliver', 'chain_id', 31337, 'sender', encode(t.sender, 'hex'), 'nonce', t.nonce, 'max_fee', 1,
    'priority_fee', 1, 'hash', repeat('1', 64), 'raw', '01'), '[]')
    from registry.chain_transaction t where t.transaction_id = 'txn_sent';

-- registry | intent_is_signed_once | an intent that takes a second nonce
select registry.record_transaction('usr_1', 'req_1', 'ofr_sent', jsonb_build_object('id', 'txn_x', 'intent', t.intent_id,
    'purpose', 'deliver', 'chain_id', 31337, 'sender', encode(t.sender, 'hex'), 'nonce', 1000, 'max_fee', 1,
    'priority_fee', 1, 'hash', repeat('1', 64), 'raw', '01'), '[]')
    from registry.chain_transaction t where t.transaction_id = 'txn_sent';

-- registry | chain_delivered_the_frozen_lines | deliveries that are not the frozen lines
select registry.finalize('usr_1', 'req_1', 'ofr_sent', 'txn_sent', '{"number": 1, "hash": "01"}', '[{"address": "01", "units": 6, "ordinal": 0}]');

-- registry | gate_is_closed | a hold freed while the clearance is revoked
select registry.free_holding('usr_1', 'req_1', 'ofr_open', 'inv_open1');

-- registry | control_book_pkey | a second control book
select registry.open_control_book('usr_1', 'req_1', 'ofr_full', 'ctl_x', 5, '\x00');

-- engine | gate_is_closed | a closing frozen with a closed gate
select engine.freeze_closing('usr_1', 'req_1', 'ofr_open', 'cls_open', '{inv_open1,inv_open2}');

-- engine | closing_has_open_investments | a closing of an investment that nobody opened
select engine.freeze_closing('usr_1', 'req_1', 'ofr_open', 'cls_x', '{inv_nobody}');

-- engine | one_closing_runs_per_offer | an investment in two closings
select engine.freeze_closing('usr_1', 'req_1', 'ofr_full', 'cls_x', '{inv_full1}');

-- engine | every_member_is_registered | a closing issued before its members are registered
select engine.mark_issued('usr_1', 'req_1', 'ofr_full', 'cls_full');

-- engine | escrow_is_released | a closing released before its escrow
select engine.mark_released('usr_1', 'req_1', 'ofr_full', 'cls_full');

-- engine | certificate_follows_the_release | a certificate of a closing that is not released
select engine.certify('usr_1', 'req_1', 'ofr_full', 'cls_full');

-- engine | gate_is_closed | an investment confirmed without its agreement
select engine.confirm('usr_1', 'req_1', 'ofr_early', 'inv_early1');

-- engine | gate_is_closed | an investment legally confirmed before it is confirmed
select engine.confirm_legally('usr_1', 'req_1', 'ofr_early', 'inv_early1');

-- engine | transition_is_listed_for_the_keeper | a confirmed investment withdrawn by the investor alone
select engine.withdraw('usr_1', 'req_1', 'ofr_open', 'inv_open1');

-- engine | transition_is_listed_for_the_keeper | an offer that skips its legal close
select engine.move_offer('usr_1', 'req_1', 'ofr_full', 'closed_successfully');

-- engine | transition_is_listed_for_the_keeper | an offer back in draft
select engine.move_offer('usr_1', 'req_1', 'ofr_full', 'draft');

-- engine | transition_is_listed_for_the_keeper | an offer in a state that does not exist
select engine.move_offer('usr_1', 'req_1', 'ofr_full', 'finished');

-- engine | token_follows_legal_acceptance | another token for a published offer
select engine.name_token('usr_1', 'req_1', 'ofr_full', 1, '\x00', '\x00');

-- engine | units_are_left | more units than the offer has
select engine.open_investment('usr_1', 'req_1', 'ofr_full', 'inv_x', 'ivr_full1', 1000001);

-- subscription | allocation_needs_two_people | a private approval of one person alone
select subscription.approve_allocation('usr_first', 'req_1', 'ofr_lone', 'alc_lone1');

-- subscription | one_agreement_is_in_force | a second agreement while one is in force
select subscription.send_agreement('usr_1', 'req_1', 'ofr_full', 'agr_x', 'inv_full1', 1, 50000, document_sha256)
    from subscription.agreement
    where agreement_id = 'agr_full1';

-- subscription | gate_is_closed | an agreement for an investor who is not cleared
select subscription.send_agreement('usr_1', 'req_1', 'ofr_open', 'agr_x', 'inv_open1', 1, 50000, '\x00');

-- subscription | agreement_states_the_committed_amount | an agreement over fewer units than were ordered
select subscription.send_agreement('usr_1', 'req_1', 'ofr_early', 'agr_x', 'inv_early2', 1, 100000, '\x00');

-- subscription | agreement_states_the_committed_amount | an agreement over another amount than was ordered
select subscription.send_agreement('usr_1', 'req_1', 'ofr_early', 'agr_x', 'inv_early2', 2, 50000, '\x00');

-- subscription | signature_covers_the_agreement | a signature over another document
select subscription.sign('usr_1', 'req_1', 'ofr_full', 'agr_full1', '{"signed_sha256": "00"}');

-- subscription | signature_pkey | an agreement signed a second time
select subscription.sign('usr_1', 'req_1', 'ofr_full', 'agr_full1', jsonb_build_object('capacity', 'self', 'intent', 'I sign', 'signed_sha256', encode(document_sha256, 'hex'), 'public_key', repeat('11', 32), 'signature', repeat('22', 64)))
    from subscription.agreement
    where agreement_id = 'agr_full1';

-- subscription | each_item_is_acknowledged_once | an item acknowledged twice
select subscription.acknowledge('usr_1', 'req_1', 'ofr_full', 'inv_full1', '[{"id": "ack_x", "kind": "risk", "code": "first", "version": 1}]');

-- subscription | acknowledged_item_is_required | an item acknowledged that nobody requires
select subscription.acknowledge('usr_1', 'req_1', 'ofr_full', 'inv_full1', '[{"id": "ack_x", "kind": "risk", "code": "other", "version": 1}]');

-- compliance | approved_identity_has_evidence | an identity approved without evidence
select compliance.record_identity('usr_1', 'req_1', 'ivr_fresh1', 'approved', null, null, null);

-- compliance | identity_outcome_is_known | an identity with an invented outcome
select compliance.record_identity('usr_1', 'req_1', 'ivr_early1', 'revoked', null, null, null);

-- compliance | transition_is_listed_for_the_keeper | an identity revoked twice
select compliance.revoke_identity('usr_1', 'req_1', 'ivr_open1', 'again');

-- compliance | accreditation_method_is_allowed | an accreditation by a method that is not allowed
select compliance.record_accreditation('usr_1', 'req_1', 'ivr_full1', 'acr_1', 'word_of_honour', '\x00', now());

-- compliance | owners_hold_at_most_the_whole | owners of more than the whole
select compliance.declare_owner('usr_1', 'req_1', 'ivr_full1', 'own_1', 9000, true, true), compliance.declare_owner('usr_1', 'req_1', 'ivr_full1', 'own_2', 2000, false, true);

-- portal | event_pkey | a profile opened twice
select portal.open_profile('usr_1', 'req_1', 'ivr_full1', 'acc_x', 'individual', '{}');

-- portal | address_is_given | a profile without its details
select portal.amend_profile('usr_1', 'req_1', 'ivr_full1', '{}');

-- portal | entity_names_its_representative | an entity without a representative
select portal.open_profile('usr_1', 'req_1', 'ivr_x', 'acc_x', 'entity', ('{"legal_name": "X", "country": "US", "address": "1 Example Street", "sealed": "' || repeat('00', 29) || '", "tax_id_blind": "' || repeat('11', 32) || '", "email": "a@example.org"}')::jsonb);

-- portal | one_proof_serves_once | one proof of control used twice
select portal.claim_wallet('u', 'r', 'ofr_early', c, 'ivr_early1', 'wch_early1', decode(repeat('01', 65), 'hex'), 'key', null)
    from unnest('{wlc_1,wlc_2}'::text[]) c;

-- portal | wallet_proof_is_given | a wallet without a proof
select portal.claim_wallet('u', 'r', 'ofr_early', 'wlc_1', 'ivr_early1', 'wch_early1', '\x', 'contract',
    '{"block_number": 1, "block_hash": "00", "code_hash": "00"}');

-- portal | key_signs_sixty_five_bytes | a key's signature of another length
select portal.claim_wallet('u', 'r', 'ofr_early', 'wlc_1', 'ivr_early1', 'wch_early1', '\x01', 'key', null);

-- portal | contract_proof_names_its_block | a contract's word without its block
select portal.claim_wallet('u', 'r', 'ofr_early', 'wlc_1', 'ivr_early1', 'wch_early1', '\x01', 'contract', null);

-- portal | proof_kind_is_known | a proof of no kind
select portal.claim_wallet('u', 'r', 'ofr_early', 'wlc_1', 'ivr_early1', 'wch_early1', '\x01', 'word', null);

-- portal | challenge_names_investor_and_offer | a challenge answered by another investor
select portal.claim_wallet('u', 'r', 'ofr_early', 'wlc_1', 'ivr_early2', 'wch_early1', decode(repeat('01', 65), 'hex'), 'key', null);

-- portal | challenge_exists | a challenge answered in another offer
select portal.claim_wallet('u', 'r', 'ofr_full', 'wlc_1', 'ivr_early1', 'wch_early1', decode(repeat('01', 65), 'hex'), 'key', null);

-- portal | challenge_has_not_expired | a challenge answered after its end
select portal.claim_wallet('u', 'r', 'ofr_early', 'wlc_1', 'ivr_early1', 'wch_early_old', decode(repeat('01', 65), 'hex'), 'key', null);

-- portal | challenge_nonce_serves_once | a nonce given to two challenges
select portal.issue_challenge('u', 'r', 'ofr_early', 'wch_x', investor_id, jsonb_build_object('chain_id', chain_id,
    'address', encode(address, 'hex'), 'nonce', nonce, 'message', message, 'issued_at', issued_at, 'expires_at', expires_at))
    from portal.wallet_challenge where challenge_id = 'wch_early1';

-- portal | challenge_nonce_is_random_text | a nonce that can be guessed
select portal.issue_challenge('u', 'r', 'ofr_early', 'wch_x', investor_id, jsonb_build_object('chain_id', chain_id,
    'address', encode(address, 'hex'), 'nonce', '1', 'message', replace(message, nonce, '1'), 'issued_at', issued_at, 'expires_at', expires_at))
    from portal.wallet_challenge where challenge_id = 'wch_early1';

-- portal | challenge_lives_for_minutes | a challenge for a day
select portal.issue_challenge('u', 'r', 'ofr_early', 'wch_x', investor_id, jsonb_build_object('chain_id', chain_id,
    'address', encode(address, 'hex'), 'nonce', 'another1', 'message', replace(message, nonce, 'another1'),
    'issued_at', issued_at, 'expires_at', issued_at + interval '1 day'))
    from portal.wallet_challenge where challenge_id = 'wch_early1';

-- portal | challenge_names_what_it_proves | a challenge whose text names another investor
select portal.issue_challenge('u', 'r', 'ofr_early', 'wch_x', 'ivr_early2', jsonb_build_object('chain_id', chain_id,
    'address', encode(address, 'hex'), 'nonce', 'another1', 'message', replace(message, nonce, 'another1'),
    'issued_at', issued_at, 'expires_at', expires_at))
    from portal.wallet_challenge where challenge_id = 'wch_early1';

-- portal | verified_fields_are_locked | a verified name changed without a request
select portal.amend_profile('usr_1', 'req_1', 'ivr_full1', ('{"legal_name": "Another", "country": "US", "address": "1 Example Street, Example", "sealed": "' || repeat('00', 29) || '", "tax_id_blind": "' || repeat('11', 32) || '", "email": "a@example.org"}')::jsonb);

-- portal | personal_numbers_are_sealed | a tax id in plain
select portal.amend_profile('usr_1', 'req_1', 'ivr_full1', '{"tax_id": "123456789"}');

-- portal | change_says_why | a change without a reason
select portal.request_change('usr_1', 'req_1', 'ivr_full1', 'chg_1', '{}', ' ', '\x00');

-- portal | one_change_is_open | a second change while one is open
select portal.request_change('usr_1', 'req_1', 'ivr_full1', 'chg_1', '{}', 'a', '\x00'), portal.request_change('usr_1', 'req_1', 'ivr_full1', 'chg_2', '{}', 'b', '\x00');

-- portal | change_exists | a change decided that nobody asked for
select portal.decide_change('usr_1', 'req_1', 'ivr_full1', 'chg_x', false, 'no', 1, 'prg_none');

-- portal | change_needs_two_people | a change declined by the one who asked for it
select portal.request_change('usr_1', 'req_1', 'ivr_full1', 'chg_1', '{}', 'a', '\x00'), portal.decide_change('usr_1', 'req_1', 'ivr_full1', 'chg_1', false, 'no', 1, 'prg_none');

-- portal | decided_change_has_its_reason | a change declined without a reason
select portal.request_change('usr_1', 'req_1', 'ivr_full1', 'chg_1', '{}', 'a', '\x00'), portal.decide_change('usr_2', 'req_1', 'ivr_full1', 'chg_1', false, '', 1, 'prg_none');

-- portal | decision_is_on_the_version_seen | a change decided on a version that nobody saw
select portal.request_change('usr_1', 'req_1', 'ivr_full1', 'chg_1', '{}', 'a', '\x00'), portal.decide_change('usr_2', 'req_1', 'ivr_full1', 'chg_1', false, 'no', 2, 'prg_none');

-- portal | profile_exists | a change of a profile that does not exist
select portal.request_change('usr_1', 'req_1', 'ivr_x', 'chg_1', '{}', 'a', '\x00');

-- portal | retention_allows_erasure | personal data erased while an investment stands
select portal.erase_personal('usr_1', 'req_1', 'ivr_full1', 'asked for');

-- portal | 42501 | a wrapped key read past the view that is an event
select wrapped from portal.data_key;

-- compliance | 42501 | the key of a file read past the view that is an event
select wrapped from compliance.data_key;

-- engine | 42501 | hits read outside compliance
select * from compliance.hit_queue;

-- audit | 42501 | the reason of a retention read outside compliance
select * from compliance.retention_fact;

-- engine | 42501 | a key for another keeper
insert into api.key (name, key_sha256, keeper, issued_by, expires_at)
    values ('mine', sha256('x'), 'treasury', 'usr_1', now() + interval '1 day');

-- audit | seals_are_gap_free | a seal that is not the next one
select audit.record_seal(9, 1, 1, sha256('x'), now(), '[]');

-- audit | 42501 | the digests of keys
select key_sha256 from api.key;

-- portal | 42501 | an act of the engine through the API
select api.act_on_investment(sha256('x'), 'req_1', sha256('y'), 'inv_full1', null, 'confirm', null);

-- subscription | 42501 | a closing through the API
select api.freeze_closing(sha256('x'), 'req_1', sha256('y'), 'ofr_full', 'x', 'cls_x', 'all', null);

-- engine | credential_is_in_force | an act of the API under a key that nobody issued
select api.act_on_investment(sha256('x'), 'req_1', sha256('y'), 'inv_full1', null, 'confirm', null);

-- engine | 42501 | an answer of an earlier request removed
delete from audit.request;


-- treasury | receipt_exists | a return of a receipt that is not there
select treasury.record_return('usr_1', 'req_1', 'ofr_full', 'rcp_none');

-- treasury | money_stands_after_issuance | a refund while units are instructed
select treasury.propose_act('usr_1', 'req_1', 'ofr_full', 'prp_x', 'refund', 'rcp_full1', null, 'because',
    (select version from treasury.receipt where receipt_id = 'rcp_full1'));
select treasury.decide_act('usr_2', 'req_2', 'ofr_full', 'prp_x', true, '', 1);

-- treasury | money_stands_after_issuance | a match undone while units are instructed
select treasury.propose_act('usr_1', 'req_1', 'ofr_full', 'prp_x', 'undo', 'rcp_full1', null, 'because',
    (select version from treasury.receipt where receipt_id = 'rcp_full1'));
select treasury.decide_act('usr_2', 'req_2', 'ofr_full', 'prp_x', true, '', 1);

-- treasury | proposal_needs_two_people | a match undone by one person
select treasury.propose_act('usr_1', 'req_1', 'ofr_open', 'prp_x', 'undo', 'rcp_open2', null, 'because',
    (select version from treasury.receipt where receipt_id = 'rcp_open2'));
select treasury.decide_act('usr_1', 'req_2', 'ofr_open', 'prp_x', true, '', 1);

-- treasury | refund_reason_is_known | a refund for an invented reason
select treasury.propose_act('usr_1', 'req_1', 'ofr_open', 'prp_x', 'refund', 'rcp_open1', null, 'because',
    (select version from treasury.receipt where receipt_id = 'rcp_open1'), null, 'kindness');
select treasury.decide_act('usr_2', 'req_2', 'ofr_open', 'prp_x', true, '', 1);

-- treasury | parts_sum_to_the_receipt | more sent back than came
select treasury.propose_act('usr_1', 'req_1', 'ofr_open', 'prp_x', 'refund', 'rcp_open1', null, 'because',
    (select version from treasury.receipt where receipt_id = 'rcp_open1'), 50001, 'excess');
select treasury.decide_act('usr_2', 'req_2', 'ofr_open', 'prp_x', true, '', 1);

-- treasury | scale_back_follows_a_cut | a due lowered without a cut
select treasury.propose_act('usr_1', 'req_1', 'ofr_open', 'prp_x', 'refund', 'rcp_open1', null, 'because',
    (select version from treasury.receipt where receipt_id = 'rcp_open1'), 1, 'scale_back');
select treasury.decide_act('usr_2', 'req_2', 'ofr_open', 'prp_x', true, '', 1);

-- treasury | retry_follows_a_failure | a retry of a payment that arrived
select treasury.retry_payment('usr_1', 'req_1', 'ofr_open', 'pay_x', 'inv_open2', 'RF99999999999999');

-- treasury | failed_payment_brought_nothing | a payment failed whose money is in escrow
select treasury.fail_payment('usr_1', 'req_1', 'ofr_open', 'pay_open1', 'wire', 'AC01');

-- treasury | attempt_exists | a failure of an attempt that is not there
select treasury.fail_payment('usr_1', 'req_1', 'ofr_open', 'pay_none', 'wire', 'AC01');

-- treasury | payout_carries_each_refund_once | an order without a refund
select treasury.store_payout('usr_1', 'req_1', 'ofr_open', 'pyo_x', '\x00', '{rfd_none}');

-- treasury | policy_needs_two_people | a hold shortened by one person
select treasury.propose_clearing_policy('usr_1', 'req_1', 'ach_debit', 'pch_x', '2999-01-01', 0, 'banking_days', 'x');
select treasury.decide_clearing_policy('usr_1', 'req_2', 'ach_debit', 'pch_x', true, 1);

-- treasury | 42501 | a refund written past the verbs
insert into treasury.refund (offering_id, refund_id, receipt_id, status, amount_minor, currency, reason, payee_fingerprint)
    values ('ofr_open', 'rfd_x', 'rcp_open1', 'created', 50000, 'USD', 'excess', sha256('thief'));

-- treasury | 42501 | the fund administrator books past the verbs
insert into treasury.entry
    values ('ofr_full', 'booked:stm_full_first', 9, 'asset:escrow_bank', 'USD', 'debit', 5);

-- treasury | 42501 | a balance written past the ledger
update treasury.balance set amount_minor = 0;

-- compliance | 42501 | a refund by another keeper
select treasury.refund_receipt('usr_1', 'req_1', 'ofr_open', 'rcp_open1', 'cancellation');

-- compliance | 42501 | the sessions of others read past their owner
select * from api.session;

-- engine | 42501 | a session ended by raw SQL
insert into api.ended_session (session_sha256) values (sha256('x'));

-- compliance | 42501 | a requested change read past the view that is an event
select detail from portal.change_detail;

-- portal | answer_is_given_by_its_keeper | another book's answer taken before it is given
select audit.react('process', e.scope, e.subject, e.version, 'done', '')
from audit.event e where e.kind = 'investment.legally_confirmed' limit 1;

-- treasury | answer_is_given_by_its_keeper | an answer for an invented consumer
select audit.react('nobody', e.scope, e.subject, e.version, 'done', '')
from audit.event e where e.kind = 'investment.legally_confirmed' limit 1;

-- engine | answer_is_given_by_its_keeper | the engine says that the treasury is done
select audit.react('process', e.scope, e.subject, e.version, 'done', '')
from audit.event e where e.kind = 'investment.legally_confirmed' limit 1;
