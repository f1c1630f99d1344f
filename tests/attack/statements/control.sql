-- registry | control_kind_is_known | a control action of an unknown kind
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'confiscate', 'because', 'court', 'investor', 'ivr_held3'));

-- registry | control_units_are_positive | a freeze of no units
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'freeze_units', 'because', 'court', 'investor', 'ivr_held3', 'units', 0));

-- registry | control_action_has_its_reason | a freeze without a reason
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'freeze_account', 'because', ' ', 'investor', 'ivr_held3'));

-- registry | order_hash_is_sha256 | an order whose hash is too short
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'freeze_account', 'because', 'court', 'investor', 'ivr_held3', 'order_sha256', 'ab'));

-- registry | control_action_names_its_account | a freeze of nobody
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'freeze_account', 'because', 'court'));

-- registry | control_action_names_its_account | a pause of one account
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'pause', 'because', 'court', 'investor', 'ivr_held3'));

-- registry | control_action_names_its_units | a whole account frozen by units
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'freeze_account', 'because', 'court', 'investor', 'ivr_held3', 'units', 1));

-- registry | control_action_names_its_units | a part freeze without units
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'freeze_units', 'because', 'court', 'investor', 'ivr_held3'));

-- registry | forced_transfer_names_its_receiver | a freeze with a receiver
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'freeze_account', 'because', 'court', 'investor', 'ivr_held3', 'receiver', 'ivr_held2'));

-- registry | forced_transfer_goes_to_another | a forced transfer to oneself
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'force_transfer', 'because', 'court', 'investor', 'ivr_held2', 'receiver', 'ivr_held2', 'units', 1, 'order_sha256', 'abababababababababababababababababababababababababababababababab', 'order_reference', 'order 9'));

-- registry | recovery_names_the_new_wallet | a freeze that names a wallet
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'freeze_account', 'because', 'court', 'investor', 'ivr_held3', 'mapping', 'wmp_held3'));

-- registry | control_action_has_its_order | a forced transfer without the order
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'force_transfer', 'because', 'court', 'investor', 'ivr_held2', 'receiver', 'ivr_held1', 'units', 1));

-- registry | control_action_has_its_order | a forced transfer on an order without a name
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'force_transfer', 'because', 'court', 'investor', 'ivr_held2', 'receiver', 'ivr_held1', 'units', 1, 'order_sha256', 'abababababababababababababababababababababababababababababababab', 'order_reference', ' '));

-- registry | control_action_needs_two_people | a freeze approved by its asker
select registry.decide_control('usr_first', 'req_1', 'ofr_held', 'cta_asked', true, '');

-- registry | declined_control_action_has_its_reason | a freeze declined without a word
select registry.decide_control('usr_2', 'req_1', 'ofr_held', 'cta_asked', false, '');

-- registry | control_action_exists | an action that nobody asked for
select registry.decide_control('usr_2', 'req_1', 'ofr_held', 'cta_none', true, '');

-- registry | control_book_exists | a pause of a security without a control book
select registry.ask_control('usr_1', 'req_1', 'ofr_none', 'cta_x', jsonb_build_object('kind', 'pause', 'because', 'court'));

-- registry | transition_is_listed_for_the_keeper | an action approved twice
select registry.decide_control('usr_2', 'req_1', 'ofr_held', 'cta_part', true, '');

-- registry | restraint_is_carried_to_the_chain | an approved freeze given up before the chain had it
select registry.abandon_control('usr_1', 'req_1', 'ofr_held', 'cta_part', 'too late');

-- registry | one_unit_action_runs_per_account | a second part freeze while the first is under way
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'freeze_units', 'because', 'court', 'investor', 'ivr_held2', 'units', 1)),
    registry.decide_control('usr_2', 'req_1', 'ofr_held', 'cta_x', true, '');

-- registry | one_account_action_runs_per_account | an account thawed while its freeze is under way
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'freeze_account', 'because', 'court', 'investor', 'ivr_held3')),
    registry.decide_control('usr_2', 'req_1', 'ofr_held', 'cta_x', true, ''),
    registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_y', jsonb_build_object('kind', 'thaw_account', 'because', 'court', 'investor', 'ivr_held3')),
    registry.decide_control('usr_2', 'req_1', 'ofr_held', 'cta_y', true, '');

-- registry | one_account_action_runs_per_account | an account frozen anew while its wallet is recovered
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'freeze_account', 'because', 'court', 'investor', 'ivr_held1')),
    registry.decide_control('usr_2', 'req_1', 'ofr_held', 'cta_x', true, '');

-- registry | one_pause_runs_per_security | a security resumed while its pause is under way
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'pause', 'because', 'court')),
    registry.decide_control('usr_2', 'req_1', 'ofr_held', 'cta_x', true, ''),
    registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_y', jsonb_build_object('kind', 'resume', 'because', 'court')),
    registry.decide_control('usr_2', 'req_1', 'ofr_held', 'cta_y', true, '');

-- registry | security_to_resume_is_paused | a security resumed that is not paused
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'resume', 'because', 'court'));

-- registry | receiver_wallet_is_linked | units forced on somebody without a wallet
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'force_transfer', 'because', 'court', 'investor', 'ivr_held2', 'receiver', 'ivr_none', 'units', 1, 'order_sha256', 'abababababababababababababababababababababababababababababababab', 'order_reference', 'order 9'));

-- registry | units_to_move_are_held | more units forced away than are left
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'force_transfer', 'because', 'court', 'investor', 'ivr_held3', 'receiver', 'ivr_held1', 'units', 3, 'order_sha256', 'abababababababababababababababababababababababababababababababab', 'order_reference', 'order 9'));

-- registry | lost_wallet_is_linked | the wallet of a stranger recovered
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'recover_wallet', 'because', 'court', 'investor', 'ivr_none', 'mapping', 'wmp_held_new', 'order_sha256', 'abababababababababababababababababababababababababababababababab', 'order_reference', 'order 9'));

-- registry | recovered_account_moves_nothing | a wallet recovered while units are forced away
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'recover_wallet', 'because', 'court', 'investor', 'ivr_held3', 'mapping', 'wmp_held_new', 'order_sha256', 'abababababababababababababababababababababababababababababababab', 'order_reference', 'order 9'));

-- registry | recovery_wallet_is_approved | a wallet recovered to the wallet of another
select registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'recover_wallet', 'because', 'court', 'investor', 'ivr_held2', 'mapping', 'wmp_held_new', 'order_sha256', 'abababababababababababababababababababababababababababababababab', 'order_reference', 'order 9'));

-- registry | wallets_stand_during_a_recovery | the lost wallet revoked during its recovery
select registry.revoke_wallet('usr_1', 'req_1', 'ofr_held', 'wmp_held1');

-- registry | wallets_stand_during_a_recovery | the new wallet rejected during the recovery
select registry.reject_wallet('usr_1', 'req_1', 'ofr_held', 'wmp_held_new', 'why not');

-- registry | wallets_stand_during_a_recovery | the new wallet linked past the recovery
select registry.link_wallet('usr_9', 'req_1', 'ofr_held', 'wmp_held_new');

-- registry | wallet_is_linked_by_another_person | a recovery approved by who approved the wallet
select registry.open_mapping('usr_1', 'req_1', 'ofr_held', 'wmp_new2', 'ivr_held2', 31337, decode(repeat('0d', 20), 'hex'), 'wlc_x@1', 'key'),
    registry.mark_screened('usr_1', 'req_1', 'ofr_held', 'wmp_new2', 'scr_x@1'),
    registry.approve_wallet('usr_2', 'req_1', 'ofr_held', 'wmp_new2'),
    registry.ask_control('usr_1', 'req_1', 'ofr_held', 'cta_x', jsonb_build_object('kind', 'recover_wallet', 'because', 'court', 'investor', 'ivr_held2', 'mapping', 'wmp_new2', 'order_sha256', 'abababababababababababababababababababababababababababababababab', 'order_reference', 'order 9')),
    registry.decide_control('usr_2', 'req_1', 'ofr_held', 'cta_x', true, '');

-- registry | version_is_the_one_that_was_seen | calls of an action that changed meanwhile
select registry.submit_control('usr_1', 'req_1', 'ofr_held', 'cta_part', 1, '[]');

-- registry | control_action_follows_its_chain | a forced transfer done without a transaction
select registry.submit_control('usr_1', 'req_1', 'ofr_held', 'cta_force', 2, '[]');

-- registry | control_action_follows_its_chain | an action submitted with the call of a final transaction
select registry.submit_control('usr_1', 'req_1', 'ofr_held', 'cta_part', 2,
    '[{"intent": "deliver cls_held", "call": "freeze_part", "units": 1}]');

-- registry | restrained_account_keeps_its_address | a part-frozen account given another wallet past a recovery
select registry.open_mapping('usr_1', 'req_1', 'ofr_held', 'wmp_new2', 'ivr_held2', 31337, decode(repeat('0d', 20), 'hex'), 'wlc_x@1', 'key'),
    registry.mark_screened('usr_1', 'req_1', 'ofr_held', 'wmp_new2', 'scr_x@1'),
    registry.approve_wallet('usr_2', 'req_1', 'ofr_held', 'wmp_new2'), registry.link_wallet('usr_3', 'req_1', 'ofr_held', 'wmp_new2');

-- registry | earlier_calls_are_settled | a second try while a call of the first is on its way
select registry.open_key('usr_1', 'req_1', 31337, decode(repeat('0e', 20), 'hex'), 'agent held'),
    registry.record_transaction('usr_1', 'req_1', 'ofr_held', jsonb_build_object('id', 'txn_' || n, 'intent', 'int_' || n,
        'purpose', 'control', 'chain_id', 31337, 'sender', repeat('0e', 20), 'nonce', n, 'max_fee', 2, 'priority_fee', 1,
        'hash', encode(sha256(convert_to('t' || n, 'UTF8')), 'hex'), 'raw', '00'), '[]'),
    registry.submit_control('usr_1', 'req_1', 'ofr_held', 'cta_part', (select a.version from registry.control_action a
        where a.action_id = 'cta_part') + n - 7, jsonb_build_array(jsonb_build_object('intent', 'int_' || n, 'call', 'freeze_part')))
from generate_series(7, 8) n;
