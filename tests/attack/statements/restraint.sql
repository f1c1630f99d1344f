-- What a keeper with every right on its tables still may not write.

-- registry | control_terms_are_locked | the units of an action changed after it was asked
update registry.control_action set units = 2 where action_id = 'cta_asked';

-- registry | control_terms_are_locked | another person named for a decision that was made
update registry.control_action set status = 'executed', decided_by = 'usr_x' where action_id = 'cta_part';

-- registry | control_action_follows_its_chain | a forced transfer called done by hand
update registry.control_action set status = 'executed' where action_id = 'cta_force';

-- registry | control_action_follows_its_chain | an action called submitted by hand
update registry.control_action set status = 'submitted' where action_id = 'cta_force';

-- registry | restraint_follows_its_action | a frozen part thawed by hand
update registry.account_restraint set frozen_units = 0 where investor_id = 'ivr_held2';

-- registry | restraint_follows_its_action | an account frozen under the order of another
insert into registry.account_restraint (offering_id, restraint_id, investor_id, status, frozen_units, action_id)
values ('ofr_held', 'rst_x', 'ivr_held3', 'free', 1, 'cta_part');

-- registry | restraint_follows_its_action | a recovery that thaws
update registry.account_restraint set frozen_units = 0, action_id = 'cta_lost' where investor_id = 'ivr_held2';

-- registry | one_restraint_per_account | a second row for one account
insert into registry.account_restraint (offering_id, restraint_id, investor_id, status, frozen_units, action_id)
values ('ofr_held', 'rst_x', 'ivr_held2', 'free', 1, 'cta_part');

-- registry | action_changes_a_restraint_once | one order carried out twice
update registry.account_restraint set frozen_units = 2 where investor_id = 'ivr_held2';

-- registry | pause_follows_its_action | a security paused by hand
insert into registry.security_restraint (offering_id, restraint_id, status, action_id) values ('ofr_held', 'rst_x', 'paused', 'cta_part');

-- registry | frozen_units_stay_with_their_holder | a frozen unit taken out of a holding
update registry.holding set units = 0 where investor_id = 'ivr_held2';

-- registry | tries_count_from_one | a call of no try
insert into registry.control_step (offering_id, action_id, try_no, step_no, call, intent_id) values ('ofr_held', 'cta_part', 0, 1, 'freeze', 'deliver cls_held');

-- registry | steps_count_from_one | a call without a place
insert into registry.control_step (offering_id, action_id, try_no, step_no, call, intent_id) values ('ofr_held', 'cta_part', 1, 0, 'freeze', 'deliver cls_held');

-- registry | control_call_is_known | a call that is none
insert into registry.control_step (offering_id, action_id, try_no, step_no, call, intent_id) values ('ofr_held', 'cta_part', 1, 1, 'burn', 'deliver cls_held');

-- registry | move_names_receiver_and_units | a transfer to nobody
insert into registry.control_step (offering_id, action_id, try_no, step_no, call, intent_id) values ('ofr_held', 'cta_part', 1, 1, 'move', 'deliver cls_held');

-- registry | intent_is_of_one_step | one transaction for two calls
insert into registry.control_step (offering_id, action_id, try_no, step_no, call, intent_id) values ('ofr_held', 'cta_part', 1, 1, 'freeze', 'deliver cls_held');
insert into registry.control_step (offering_id, action_id, try_no, step_no, call, intent_id) values ('ofr_held', 'cta_part', 1, 2, 'freeze', 'deliver cls_held');

-- registry | history_is_append_only | an earlier freeze rewritten
update registry.restraint_entry set frozen_units = 0;

-- registry | history_is_append_only | a call taken back
insert into registry.control_step (offering_id, action_id, try_no, step_no, call, intent_id) values ('ofr_held', 'cta_part', 1, 1, 'freeze', 'deliver cls_held');
delete from registry.control_step;

-- registry | history_is_append_only | the places of moves forgotten
truncate registry.control_move;

-- registry | security_is_not_paused | units of a paused security signed for
select registry.ask_control('usr_1', 'req_1', 'ofr_full', 'cta_x', '{"kind": "pause", "because": "court"}'), registry.decide_control('usr_2', 'req_1', 'ofr_full', 'cta_x', true, '');
update registry.issuance_instruction set status = 'submitted', transaction_id = 'txn_x' where offering_id = 'ofr_full';

-- registry | account_is_not_frozen | units signed for a frozen account
select registry.ask_control('usr_1', 'req_1', 'ofr_full', 'cta_x', '{"kind": "freeze_account", "investor": "ivr_full1", "because": "court"}'), registry.decide_control('usr_2', 'req_1', 'ofr_full', 'cta_x', true, '');
update registry.issuance_instruction set status = 'submitted', transaction_id = 'txn_x' where offering_id = 'ofr_full';
