-- registry | holder_does_not_approve_a_wallet | a holder who approves the wallet that it claimed
select registry.approve_wallet('ivr_early2', 'req_1', 'ofr_early', 'wmp_early2');

-- registry | wallet_is_linked_by_another_person | a wallet linked by the person who approved it
select registry.approve_wallet('usr_1', 'req_1', 'ofr_early', 'wmp_early2'), registry.link_wallet('usr_1', 'req_1', 'ofr_early', 'wmp_early2');

-- registry | wallet_is_linked_by_another_person | a wallet linked by its holder
select registry.approve_wallet('usr_1', 'req_1', 'ofr_early', 'wmp_early2'), registry.link_wallet('ivr_early2', 'req_1', 'ofr_early', 'wmp_early2');

-- registry | contract_wallet_is_asked_again_when_linked | a contract wallet linked on its word of before
select registry.approve_wallet('usr_1', 'req_1', 'ofr_early', 'wmp_early3'), registry.link_wallet('usr_2', 'req_1', 'ofr_early', 'wmp_early3');

-- registry | wallet_changes_between_deliveries | a wallet changed while units for the earlier one are on their way
select registry.open_mapping('usr_1', 'req_1', 'ofr_full', 'wmp_new', 'ivr_full1', 31337, decode(repeat('0a', 20), 'hex'), 'wlc_x@1', 'key'),
    registry.mark_screened('usr_1', 'req_1', 'ofr_full', 'wmp_new', 'scr_x@1'),
    registry.approve_wallet('usr_1', 'req_1', 'ofr_full', 'wmp_new'), registry.link_wallet('usr_2', 'req_1', 'ofr_full', 'wmp_new');

-- registry | authorised_units_are_positive | a control book without units
select registry.propose_control_change('usr_1', 'req_1', 'ofr_early', 'cch_x', 0, sha256('x'), 'resolution 2');

-- registry | control_change_changes_the_units | a change that changes nothing
select registry.propose_control_change('usr_1', 'req_1', 'ofr_early', 'cch_x', 1000000, sha256('x'), 'resolution 2');

-- registry | control_change_has_its_paper | authorised units changed without the issuer's paper
select registry.propose_control_change('usr_1', 'req_1', 'ofr_early', 'cch_x', 5, '\x01', 'resolution 2');

-- registry | control_change_names_its_authority | authorised units changed on a paper without a name
select registry.propose_control_change('usr_1', 'req_1', 'ofr_early', 'cch_x', 5, sha256('x'), ' ');

-- registry | one_control_change_waits | two changes of one control book at once
select registry.propose_control_change('usr_1', 'req_1', 'ofr_done', 'cch_x', 5, sha256('x'), 'resolution 3');

-- registry | control_change_needs_two_people | a change of the control book approved by its proposer
select registry.decide_control_change('usr_first', 'req_1', 'ofr_done', 'cch_done', true, '');

-- registry | declined_control_change_has_its_reason | a change declined without a word
select registry.decide_control_change('usr_2', 'req_1', 'ofr_done', 'cch_done', false, ' ');

-- registry | control_change_exists | a change that nobody proposed
select registry.decide_control_change('usr_2', 'req_1', 'ofr_done', 'cch_none', true, '');

-- registry | transition_is_listed_for_the_keeper | a change decided twice
select registry.decide_control_change('usr_2', 'req_1', 'ofr_done', 'cch_done', d, 'late') from unnest('{false,true}'::boolean[]) d;

-- registry | issue_stays_within_authorised | fewer authorised units than are issued
select registry.decide_control_change('usr_2', 'req_1', 'ofr_done', 'cch_done', false, 'no'),
    registry.propose_control_change('usr_1', 'req_1', 'ofr_done', 'cch_x', 5, sha256('x'), 'resolution 3'),
    registry.decide_control_change('usr_2', 'req_1', 'ofr_done', 'cch_x', true, '');

-- registry | control_book_exists | records of an offer without a control book compared
select registry.compare_records('usr_1', 'req_1', 'ofr_none', null);

-- registry | undelivered_is_part_of_the_supply | a treasury wallet with more than the whole supply
select registry.compare_records('usr_1', 'req_1', 'ofr_done', jsonb_build_object('block_number', 9, 'block_hash', repeat('01', 32),
    'minted', 5, 'undelivered', 6));

-- registry | resolved_difference_is_none | a difference resolved while the records differ
select registry.resolve_difference('usr_1', 'req_1', 'ofr_done', difference_id, 'nothing to see')
    from registry.record_difference where offering_id = 'ofr_done';

-- registry | resolved_difference_has_its_reason | a difference resolved without a word
select registry.compare_records('usr_1', 'req_1', 'ofr_done', jsonb_build_object('block_number', 99, 'block_hash', repeat('02', 32),
    'minted', 6, 'undelivered', 0)), registry.resolve_difference('usr_1', 'req_1', 'ofr_done', difference_id, ' ')
    from registry.record_difference where offering_id = 'ofr_done';

-- registry | difference_exists | a difference that nobody found
select registry.resolve_difference('usr_1', 'req_1', 'ofr_done', 'rdf_none', 'because');

-- registry | subsidiary_side_is_known | an entry that is neither debit nor credit
select registry.keep_apart('usr_1', 'req_1', 'ofr_done', 'sub_x', 'both', 1, 'power of 2 March', 'no such lot', 'agent.theo');

-- registry | subsidiary_units_are_positive | an entry of no units
select registry.keep_apart('usr_1', 'req_1', 'ofr_done', 'sub_x', 'debit', 0, 'power of 2 March', 'no such lot', 'agent.theo');

-- registry | subsidiary_entry_names_its_paper | an entry without a paper
select registry.keep_apart('usr_1', 'req_1', 'ofr_done', 'sub_x', 'debit', 1, '', 'no such lot', 'agent.theo');

-- registry | subsidiary_entry_has_its_reason | an entry without a reason
select registry.keep_apart('usr_1', 'req_1', 'ofr_done', 'sub_x', 'debit', 1, 'power of 2 March', '', 'agent.theo');

-- registry | subsidiary_entry_has_its_owner | an entry that nobody owns
select registry.keep_apart('usr_1', 'req_1', 'ofr_done', 'sub_x', 'debit', 1, 'power of 2 March', 'no such lot', '');

-- registry | subsidiary_entry_needs_two_people | an entry resolved by the person who opened it
select registry.resolve_entry('usr_first', 'req_1', 'ofr_done', 'sub_done', 'hld_done3', 'found');

-- registry | resolved_entry_names_its_holding | an entry resolved for nobody
select registry.resolve_entry('usr_2', 'req_1', 'ofr_done', 'sub_done', null, 'found');

-- registry | debit_is_covered_by_its_holding | a debit of more units than the holding has
select registry.resolve_entry('usr_2', 'req_1', 'ofr_done', 'sub_done', 'hld_done1', 'found');

-- registry | subsidiary_entry_exists | an entry that nobody opened
select registry.resolve_entry('usr_2', 'req_1', 'ofr_done', 'sub_none', 'hld_done1', 'found');

-- registry | transition_is_listed_for_the_keeper | an entry resolved twice
select registry.resolve_entry('usr_2', 'req_1', 'ofr_done', 'sub_done', 'hld_done3', 'found') from generate_series(1, 2);

-- registry | register_day_has_begun | the register of a day to come
select * from registry.register_as_of('ofr_done', current_date + 2);

-- registry | register_day_has_begun | the control book of a day to come
select * from registry.control_as_of('ofr_done', current_date + 2);

-- registry | removal_basis_is_known | a legend removed on no ground
select registry.propose_legend_removal('usr_1', 'req_1', 'ofr_done', 'lgr_x', 'lot_done2', 'favour', sha256('x'), 'because');

-- registry | legend_removal_has_its_paper | a legend removed on an opinion that nobody has
select registry.propose_legend_removal('usr_1', 'req_1', 'ofr_done', 'lgr_x', 'lot_done2', 'opinion', null, 'because');

-- registry | legend_removal_has_its_reason | a legend removed without a word
select registry.propose_legend_removal('usr_1', 'req_1', 'ofr_done', 'lgr_x', 'lot_done2', 'opinion', sha256('x'), ' ');

-- registry | lot_is_held_for_its_period | a legend removed by the rule in the first year
select registry.propose_legend_removal('usr_1', 'req_1', 'ofr_done', 'lgr_x', 'lot_done2', 'rule_144', null, 'held long');

-- registry | legend_is_removed_once | two removals of one legend
select registry.propose_legend_removal('usr_1', 'req_1', 'ofr_done', 'lgr_x', 'lot_done1', 'opinion', sha256('x'), 'because');

-- registry | legend_removal_needs_two_people | a legend removed by one person
select registry.decide_legend_removal('usr_first', 'req_1', 'ofr_done', 'lgr_done', true, '');

-- registry | declined_removal_has_its_reason | a removal declined without a word
select registry.decide_legend_removal('usr_2', 'req_1', 'ofr_done', 'lgr_done', false, '');

-- registry | legend_removal_exists | a removal that nobody proposed
select registry.decide_legend_removal('usr_2', 'req_1', 'ofr_done', 'lgr_none', true, '');

-- registry | transition_is_listed_for_the_keeper | a removal decided twice
select registry.decide_legend_removal('usr_2', 'req_1', 'ofr_done', 'lgr_done', d, 'late') from unnest('{true,false}'::boolean[]) d;

-- registry | statement_equals_the_register | a statement of other units
select registry.issue_statement('usr_1', 'req_1', 'ofr_done', 'hst_x', 'hld_done2', (now() at time zone 'UTC')::date, '{"units": "3"}', sha256('x'));

-- registry | statement_is_not_before_the_first_posting | a statement of the day before
select registry.issue_statement('usr_1', 'req_1', 'ofr_done', 'hst_x', 'hld_done2', (now() at time zone 'UTC')::date - 1, '{"units": "2"}', sha256('x'));

-- registry | register_day_has_begun | a statement of a day to come
select registry.issue_statement('usr_1', 'req_1', 'ofr_done', 'hst_x', 'hld_done2', current_date + 2, '{"units": "2"}', sha256('x'));

-- registry | statement_has_the_hash_of_its_file | a statement without its file
select registry.issue_statement('usr_1', 'req_1', 'ofr_done', 'hst_x', 'hld_done2', (now() at time zone 'UTC')::date, '{"units": "2"}', '\x01');

-- registry | statement_file_is_recorded_once | one file for two statements
select registry.issue_statement('usr_1', 'req_1', 'ofr_done', 'hst_' || n, 'hld_done' || n, (now() at time zone 'UTC')::date,
    jsonb_build_object('units', n::text), sha256('x')) from generate_series(1, 2) n;

-- registry | item_kind_is_known | an item of no kind
select registry.receive_item('usr_1', 'req_1', 'ofr_done', 'itm_x', item || '{"kind": "gift"}') from (select '{"kind": "transfer",
    "is_routine": true, "reference": "power 1", "received_at": "2026-03-02T16:00:00Z", "counts_from": "2026-03-02",
    "due_on": "2026-03-05"}'::jsonb) x (item);

-- registry | item_names_its_paper | an item without a paper
select registry.receive_item('usr_1', 'req_1', 'ofr_done', 'itm_x', item || '{"reference": ""}') from (select '{"kind": "transfer",
    "is_routine": true, "reference": "power 1", "received_at": "2026-03-02T16:00:00Z", "counts_from": "2026-03-02",
    "due_on": "2026-03-05"}'::jsonb) x (item);

-- registry | item_was_received_before_now | an item that comes tomorrow
select registry.receive_item('usr_1', 'req_1', 'ofr_done', 'itm_x', item || '{"received_at": "2199-03-01T10:00:00Z",
    "counts_from": "2199-03-04", "due_on": "2199-03-11"}') from (select '{"kind": "transfer",
    "is_routine": true, "reference": "power 1", "received_at": "2026-03-02T16:00:00Z", "counts_from": "2026-03-02",
    "due_on": "2026-03-05"}'::jsonb) x (item);

-- registry | item_after_noon_counts_from_the_next_day | an item of the afternoon that counts from its own day
select registry.receive_item('usr_1', 'req_1', 'ofr_done', 'itm_x', item || '{"received_at": "2026-03-02T17:00:01Z"}') from (select '{"kind": "transfer",
    "is_routine": true, "reference": "power 1", "received_at": "2026-03-02T16:00:00Z", "counts_from": "2026-03-02",
    "due_on": "2026-03-05"}'::jsonb) x (item);

-- registry | item_counts_in_business_days | an item that is due on a Saturday
select registry.receive_item('usr_1', 'req_1', 'ofr_done', 'itm_x', item || '{"due_on": "2026-03-07"}') from (select '{"kind": "transfer",
    "is_routine": true, "reference": "power 1", "received_at": "2026-03-02T16:00:00Z", "counts_from": "2026-03-02",
    "due_on": "2026-03-05"}'::jsonb) x (item);

-- registry | item_is_due_after_its_days | an item that is due after two days
select registry.receive_item('usr_1', 'req_1', 'ofr_done', 'itm_x', item || '{"due_on": "2026-03-04"}') from (select '{"kind": "transfer",
    "is_routine": true, "reference": "power 1", "received_at": "2026-03-02T16:00:00Z", "counts_from": "2026-03-02",
    "due_on": "2026-03-05"}'::jsonb) x (item);

-- registry | item_is_due_after_its_days | an inquiry that is due after three days
select registry.receive_item('usr_1', 'req_1', 'ofr_done', 'itm_x', item || '{"kind": "inquiry"}') from (select '{"kind": "transfer",
    "is_routine": true, "reference": "power 1", "received_at": "2026-03-02T16:00:00Z", "counts_from": "2026-03-02",
    "due_on": "2026-03-05"}'::jsonb) x (item);

-- registry | rejected_item_has_its_reason | an item sent back without a word
select registry.close_item('usr_1', 'req_1', 'ofr_done', 'itm_done', false, ' ', null);

-- registry | answered_inquiry_keeps_its_answer | an inquiry answered without its answer
select registry.close_item('usr_1', 'req_1', 'ofr_done', 'itm_done', true, null, null);

-- registry | answer_has_its_hash | an answer that is no hash
select registry.close_item('usr_1', 'req_1', 'ofr_done', 'itm_done', true, null, '\x01');

-- registry | item_exists | an item that nobody received
select registry.close_item('usr_1', 'req_1', 'ofr_done', 'itm_none', true, null, null);

-- registry | transition_is_listed_for_the_keeper | an item turned around twice
select registry.close_item('usr_1', 'req_1', 'ofr_done', 'itm_done', true, null, sha256('x')) from generate_series(1, 2);

-- registry | transfer_rule_kind_is_known | a rule of transfers of no known kind
select registry.propose_transfer_rule('usr_1', 'req_1', 'ofr_done', 'trl_x', jsonb_build_object('kind', 'mood', 'amount', 1, 'starts_on', '2026-03-02', 'because', 'x', 'paper', repeat('0a', 32)));

-- registry | transfer_rule_has_its_paper | a rule of transfers without its paper
select registry.propose_transfer_rule('usr_1', 'req_1', 'ofr_done', 'trl_x', '{"kind": "holder_cap", "amount": 1, "starts_on": "2026-03-02", "because": "x", "paper": "00"}');

-- registry | transfer_rule_has_its_reason | a rule of transfers without a reason
select registry.propose_transfer_rule('usr_1', 'req_1', 'ofr_done', 'trl_x', jsonb_build_object('kind', 'holder_cap', 'amount', 1, 'starts_on', '2026-03-02', 'because', ' ', 'paper', repeat('0a', 32)));

-- registry | transfer_rule_has_its_measure | a cap of no number
select registry.propose_transfer_rule('usr_1', 'req_1', 'ofr_done', 'trl_x', jsonb_build_object('kind', 'holder_cap', 'starts_on', '2026-03-02', 'because', 'x', 'paper', repeat('0a', 32)));

-- registry | transfer_rule_has_its_measure | a lock-up without an end
select registry.propose_transfer_rule('usr_1', 'req_1', 'ofr_done', 'trl_x', jsonb_build_object('kind', 'lock_up', 'starts_on', '2026-03-02', 'because', 'x', 'paper', repeat('0a', 32)));

-- registry | transfer_rule_ends_after_its_start | a rule that ends before it starts
select registry.propose_transfer_rule('usr_1', 'req_1', 'ofr_done', 'trl_x', jsonb_build_object('kind', 'lock_up', 'starts_on', '2026-03-02', 'ends_on', '2026-03-02', 'because', 'x', 'paper', repeat('0a', 32)));

-- registry | holding_limit_is_part_of_the_whole | a limit of more than the whole
select registry.propose_transfer_rule('usr_1', 'req_1', 'ofr_done', 'trl_x', jsonb_build_object('kind', 'holding_limit', 'amount', 10001, 'starts_on', '2026-03-02', 'because', 'x', 'paper', repeat('0a', 32)));

-- registry | volume_has_its_span | a volume limit for no span
select registry.propose_transfer_rule('usr_1', 'req_1', 'ofr_done', 'trl_x', jsonb_build_object('kind', 'volume', 'amount', 1, 'starts_on', '2026-03-02', 'because', 'x', 'paper', repeat('0a', 32)));

-- registry | span_is_known | a volume limit for a fortnight
select registry.propose_transfer_rule('usr_1', 'req_1', 'ofr_done', 'trl_x', jsonb_build_object('kind', 'volume', 'amount', 1, 'span', 'fortnight', 'starts_on', '2026-03-02', 'because', 'x', 'paper', repeat('0a', 32)));

-- registry | transfer_rule_needs_two_people | a rule of transfers put in force by its proposer
select registry.decide_transfer_rule('usr_first', 'req_1', 'ofr_done', 'trl_done', true, '');

-- registry | declined_rule_has_its_reason | a rule declined without a word
select registry.decide_transfer_rule('usr_2', 'req_1', 'ofr_done', 'trl_done', false, ' ');

-- registry | transfer_rule_is_ended_for_a_reason | a rule ended without a word
select registry.decide_transfer_rule('usr_2', 'req_1', 'ofr_done', 'trl_done', true, ''), registry.end_transfer_rule('usr_2', 'req_1', 'ofr_done', 'trl_done', ' ');

-- registry | transfer_rule_is_ended_by_another_person | a rule ended by its proposer
select registry.decide_transfer_rule('usr_2', 'req_1', 'ofr_done', 'trl_done', true, ''), registry.end_transfer_rule('usr_first', 'req_1', 'ofr_done', 'trl_done', 'I changed my mind');

-- registry | rule_of_one_holder_is_of_a_kind_that_asks_it | a shorter period for one holder
select registry.propose_transfer_rule('usr_1', 'req_1', 'ofr_done', 'trl_x', jsonb_build_object('kind', 'holding_period', 'amount', 6, 'investor', 'ivr_done1', 'starts_on', '2026-03-02', 'because', 'x', 'paper', repeat('0a', 32)));

-- registry | transfer_rule_exists | a rule that nobody proposed
select registry.decide_transfer_rule('usr_2', 'req_1', 'ofr_done', 'trl_none', true, '');

-- registry | affiliation_names_its_group | affiliates of nobody
select registry.record_affiliation('usr_1', 'req_1', 'ofr_done', 'aff_x', 'ivr_done1', ' ', 'x');

-- registry | affiliation_has_its_reason | affiliates for no reason
select registry.record_affiliation('usr_1', 'req_1', 'ofr_done', 'aff_x', 'ivr_done1', 'family', ' ');

-- registry | affiliation_is_recorded_once | an affiliate counted twice
select registry.record_affiliation('usr_1', 'req_1', 'ofr_done', 'aff_x', 'ivr_done1', 'family', 'x');

-- registry | affiliation_ends_by_another_person_for_a_reason | an affiliation ended by the person who recorded it
select registry.end_affiliation('usr_first', 'req_1', 'ofr_done', 'aff_done', 'x');

-- registry | affiliation_exists | an affiliation that nobody recorded
select registry.end_affiliation('usr_2', 'req_1', 'ofr_done', 'aff_none', 'x');

-- registry | transfer_goes_to_another_holder | a transfer to oneself
select registry.request_transfer('usr_1', 'req_1', 'ofr_done', 'xfr_x', '{"kind": "sale", "route": "agent", "seller": "ivr_done3", "buyer": "ivr_done3", "units": 1, "price_minor": 5, "currency": "USD"}', '[]', 'itm_x', '{"is_routine": true, "received_at": "2026-03-02T16:00:00Z", "counts_from": "2026-03-02", "due_on": "2026-03-05"}');

-- registry | transfer_has_units | a transfer of nothing
select registry.request_transfer('usr_1', 'req_1', 'ofr_done', 'xfr_x', '{"kind": "sale", "route": "agent", "seller": "ivr_done3", "buyer": "ivr_done1", "units": 0, "price_minor": 5, "currency": "USD"}', '[]', 'itm_x', '{"is_routine": true, "received_at": "2026-03-02T16:00:00Z", "counts_from": "2026-03-02", "due_on": "2026-03-05"}');

-- registry | sale_states_its_price | a sale without a price
select registry.request_transfer('usr_1', 'req_1', 'ofr_done', 'xfr_x', '{"kind": "sale", "route": "agent", "seller": "ivr_done3", "buyer": "ivr_done1", "units": 1}', '[]', 'itm_x', '{"is_routine": true, "received_at": "2026-03-02T16:00:00Z", "counts_from": "2026-03-02", "due_on": "2026-03-05"}');

-- registry | sale_states_its_price | a gift with a price
select registry.request_transfer('usr_1', 'req_1', 'ofr_done', 'xfr_x', '{"kind": "gift", "route": "agent", "seller": "ivr_done3", "buyer": "ivr_done1", "units": 1, "price_minor": 5}', '[]', 'itm_x', '{"is_routine": true, "received_at": "2026-03-02T16:00:00Z", "counts_from": "2026-03-02", "due_on": "2026-03-05"}');

-- registry | transfer_kind_is_known | a transfer of no known kind
select registry.request_transfer('usr_1', 'req_1', 'ofr_done', 'xfr_x', '{"kind": "loan", "route": "agent", "seller": "ivr_done3", "buyer": "ivr_done1", "units": 1}', '[]', 'itm_x', '{"is_routine": true, "received_at": "2026-03-02T16:00:00Z", "counts_from": "2026-03-02", "due_on": "2026-03-05"}');

-- registry | transfer_route_is_known | a transfer that nobody carries out
select registry.request_transfer('usr_1', 'req_1', 'ofr_done', 'xfr_x', '{"kind": "gift", "route": "pigeon", "seller": "ivr_done3", "buyer": "ivr_done1", "units": 1}', '[]', 'itm_x', '{"is_routine": true, "received_at": "2026-03-02T16:00:00Z", "counts_from": "2026-03-02", "due_on": "2026-03-05"}');

-- registry | transfer_paper_has_its_hash | a paper without the hash of its file
select registry.add_transfer_papers('usr_1', 'req_1', 'ofr_done', 'xfr_new', '[{"paper": "purchase_agreement", "sha256": "00"}]');

-- registry | paper_comes_before_the_decision | a paper added to a screened request
select registry.add_transfer_papers('usr_1', 'req_1', 'ofr_done', 'xfr_done', jsonb_build_array(jsonb_build_object('paper', 'other', 'sha256', repeat('0a', 32))));

-- registry | transfer_papers_are_complete | a request screened before its papers are there
select registry.mark_transfer_screened('usr_1', 'req_1', 'ofr_done', 'xfr_new');

-- registry | lots_are_past_their_holding_period | a transfer approved before the lots are free
select registry.approve_transfer('usr_2', 'req_1', 'ofr_done', 'xfr_done', now() + interval '1 day');

-- registry | refused_transfer_has_its_reasons | a request returned without a word
select registry.end_transfer('usr_2', 'req_1', 'ofr_done', 'xfr_done', 'returned', '{" "}');

-- registry | transfer_ends_by_a_known_word | a request ended as registered
select registry.end_transfer('usr_2', 'req_1', 'ofr_done', 'xfr_done', 'registered', '{x}');

-- registry | transfer_request_exists | a transfer that nobody asked for
select registry.approve_transfer('usr_2', 'req_1', 'ofr_done', 'xfr_none', now());

-- registry | agent_moves_what_is_approved_for_it | a transfer signed before it is approved
select registry.take_transfer('usr_2', 'req_1', 'ofr_done', 'xfr_done');

-- registry | explained_transfer_has_its_paper | an observed transfer explained without a paper
select registry.explain_observed('usr_1', 'req_1', 'ofr_done', 'obs_done', 'reversed', null, 'x');

-- registry | ending_has_its_paper | an observed transfer explained by half a hash
select registry.explain_observed('usr_1', 'req_1', 'ofr_done', 'obs_done', 'reversed', '\x01', 'x');

-- registry | ending_is_known | an observed transfer that ends by being forgotten
select registry.explain_observed('usr_1', 'req_1', 'ofr_done', 'obs_done', 'forgotten', sha256('x'), 'x');

-- registry | only_known_holders_are_posted | units posted to a wallet that nobody has
select registry.explain_observed('usr_1', 'req_1', 'ofr_done', 'obs_done', 'post', sha256('x'), 'x');

-- registry | observed_transfer_needs_two_people | an observed transfer ended by one person
select registry.explain_observed('usr_1', 'req_1', 'ofr_done', 'obs_done', 'reversed', sha256('x'), 'x'), registry.resolve_observed('usr_1', 'req_1', 'ofr_done', 'obs_done', true);

-- registry | observed_transfer_exists | an observed transfer that the chain never showed
select registry.resolve_observed('usr_1', 'req_1', 'ofr_done', 'obs_none', true);

-- registry | import_has_the_hash_of_its_file | a register imported from an unknown file
select registry.propose_import('usr_1', 'req_1', 'ofr_early', 'imp_x', jsonb_build_object('file_sha256', '00', 'authority_sha256', repeat('0b', 32), 'reference', 'letter'), '[{"security": "s", "investor": "ivr_early1", "units": 1, "acquired_on": "2026-03-02", "period_from": "2026-03-02"}]');

-- registry | import_has_its_written_authority | a register imported without a paper
select registry.propose_import('usr_1', 'req_1', 'ofr_early', 'imp_x', jsonb_build_object('file_sha256', repeat('0a', 32), 'authority_sha256', '00', 'reference', 'letter'), '[{"security": "s", "investor": "ivr_early1", "units": 1, "acquired_on": "2026-03-02", "period_from": "2026-03-02"}]');

-- registry | import_names_its_authority | a register imported on a paper without a name
select registry.propose_import('usr_1', 'req_1', 'ofr_early', 'imp_x', jsonb_build_object('file_sha256', repeat('0a', 32), 'authority_sha256', repeat('0b', 32), 'reference', ' '), '[{"security": "s", "investor": "ivr_early1", "units": 1, "acquired_on": "2026-03-02", "period_from": "2026-03-02"}]');

-- registry | import_has_lines | a register imported without a holder
select registry.propose_import('usr_1', 'req_1', 'ofr_early', 'imp_x', jsonb_build_object('file_sha256', repeat('0a', 32), 'authority_sha256', repeat('0b', 32), 'reference', 'letter'), '[]');

-- registry | one_import_waits | two imports at once
select registry.propose_import('usr_1', 'req_1', 'ofr_early', 'imp_x', jsonb_build_object('file_sha256', repeat('0a', 32), 'authority_sha256', repeat('0b', 32), 'reference', 'letter'), '[{"security": "s", "investor": "ivr_early1", "units": 1, "acquired_on": "2026-03-02", "period_from": "2026-03-02"}]'), registry.propose_import('usr_1', 'req_1', 'ofr_early', 'imp_y', jsonb_build_object('file_sha256', repeat('0a', 32), 'authority_sha256', repeat('0b', 32), 'reference', 'letter'), '[{"security": "s", "investor": "ivr_early1", "units": 1, "acquired_on": "2026-03-02", "period_from": "2026-03-02"}]');

-- registry | import_needs_two_people | an import posted by its proposer
select registry.propose_import('usr_1', 'req_1', 'ofr_early', 'imp_x', jsonb_build_object('file_sha256', repeat('0a', 32), 'authority_sha256', repeat('0b', 32), 'reference', 'letter'), '[{"security": "s", "investor": "ivr_early1", "units": 1, "acquired_on": "2026-03-02", "period_from": "2026-03-02"}]'), registry.decide_import('usr_1', 'req_1', 'ofr_early', 'imp_x', true, '');

-- registry | declined_import_has_its_reason | an import declined without a word
select registry.propose_import('usr_1', 'req_1', 'ofr_early', 'imp_x', jsonb_build_object('file_sha256', repeat('0a', 32), 'authority_sha256', repeat('0b', 32), 'reference', 'letter'), '[{"security": "s", "investor": "ivr_early1", "units": 1, "acquired_on": "2026-03-02", "period_from": "2026-03-02"}]'), registry.decide_import('usr_2', 'req_1', 'ofr_early', 'imp_x', false, ' ');

-- registry | import_enters_an_empty_register | a register imported over another
select registry.propose_import('usr_1', 'req_1', 'ofr_done', 'imp_x', jsonb_build_object('file_sha256', repeat('0a', 32), 'authority_sha256', repeat('0b', 32), 'reference', 'letter'), '[{"security": "s", "investor": "ivr_early1", "units": 1, "acquired_on": "2026-03-02", "period_from": "2026-03-02"}]');

-- registry | receiver_has_a_registration | an import for somebody without a profile
select registry.propose_import('usr_1', 'req_1', 'ofr_early', 'imp_x', jsonb_build_object('file_sha256', repeat('0a', 32), 'authority_sha256', repeat('0b', 32), 'reference', 'letter'), '[{"security": "s", "investor": "ivr_nobody", "units": 1, "acquired_on": "2026-03-02", "period_from": "2026-03-02"}]'), registry.decide_import('usr_2', 'req_1', 'ofr_early', 'imp_x', true, '');

-- registry | issue_stays_within_authorised | an import beyond the authorised units
select registry.propose_import('usr_1', 'req_1', 'ofr_early', 'imp_x', jsonb_build_object('file_sha256', repeat('0a', 32), 'authority_sha256', repeat('0b', 32), 'reference', 'letter'), '[{"security": "s", "investor": "ivr_early1", "units": 1000001, "acquired_on": "2026-03-02", "period_from": "2026-03-02"}]'), registry.decide_import('usr_2', 'req_1', 'ofr_early', 'imp_x', true, '');

-- registry | import_exists | an import that nobody proposed
select registry.decide_import('usr_2', 'req_1', 'ofr_early', 'imp_none', true, '');
