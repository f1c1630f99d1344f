-- Refused to a login with every right. Each head: login, constraint, sentence.

-- engine | live_units_are_within_the_cap | an order above the cap
insert into engine.investment (offering_id, investment_id, investor_id, units, amount_minor, currency, status)
    values ('ofr_att', 'inv_x', 'ivr_x', 1, 1, 'USD', 'new');

-- engine | units_reach_the_minimum | an order below the minimum
insert into engine.investment (offering_id, investment_id, investor_id, units, amount_minor, currency, status)
    values ('ofr_free', 'inv_x', 'ivr_x', 1, 1, 'USD', 'new');

-- engine | live_units_are_within_the_cap | a counter above the cap
update engine.reservation set units = most_units + 1;

-- engine | reserved_units_are_live_units | a counter below nothing
update engine.reservation set units = -1;

-- engine | committed_amount_is_locked | a cut that nobody decided
update engine.investment set units = 1, amount_minor = amount_minor / units
    where investment_id = 'inv_att3';

-- engine | committed_amount_is_locked | a decided cut at another price
insert into engine.allotment (offering_id, allotment_id, ordinal, status, policy, available_units, ordered_units, allotted_units, book, decided_by, capacity, because)
    values ('ofr_att', 'alm_x', 9, 'decided', 'pro_rata', 4, 6, 4, 'b', 'usr_1', 'issuer', 'so');
insert into engine.allotment_line values ('ofr_att', 'alm_x', 'inv_att2', 2, 1, 'x');
update engine.investment set units = 1 where investment_id = 'inv_att2';

-- engine | transition_is_listed_for_the_keeper | an investment that is written and neither moves nor is cut
update engine.investment set closing_id = 'cls_x' where investment_id = 'inv_att3';

-- engine | policy_is_named_before_the_first_order | a policy changed after the first order
update engine.allocation_policy set policy = 'discretionary' where offering_id = 'ofr_att';

-- engine | policy_is_named_before_the_first_order | a policy named after the first order
insert into engine.allocation_policy (offering_id, policy_id, status, policy, most_units)
    values ('ofr_full', 'plc_full', 'named', 'pro_rata', 9000);

-- engine | orders_may_fill_the_offer | a policy that sells less than the offer
update engine.allocation_policy set most_units = 3 where offering_id = 'ofr_free';

-- engine | policy_is_known | an invented policy
update engine.allocation_policy set policy = 'by_lot' where offering_id = 'ofr_free';

-- engine | hold_is_a_length_of_time | a reservation for no time
update engine.allocation_policy set hold_minutes = 0 where offering_id = 'ofr_free';

-- engine | each_place_is_taken_once | a place in line that is taken
insert into engine.waitlist_entry (offering_id, entry_id, place, investor_id, units, status)
    values ('ofr_att', 'wle_x', 1, 'ivr_x', 1, 'waiting');

-- engine | one_place_per_investor | two places for one investor
insert into engine.waitlist_entry (offering_id, entry_id, place, investor_id, units, status)
    values ('ofr_att', 'wle_x', 99, 'ivr_waits', 1, 'waiting');

-- engine | waiting_units_are_positive | an entry for nothing
insert into engine.waitlist_entry (offering_id, entry_id, place, investor_id, units, status)
    values ('ofr_att', 'wle_x', 99, 'ivr_x', 0, 'waiting');

-- engine | promoted_entry_names_its_investment | a promotion without an investment
update engine.waitlist_entry set status = 'promoted' where entry_id = 'wle_waits';

-- engine | passed_over_for_a_reason | an entry passed over without a reason
update engine.waitlist_entry set status = 'passed_over' where entry_id = 'wle_waits';

-- engine | allotment_is_within_the_units | a list above the units
insert into engine.allotment (offering_id, allotment_id, ordinal, status, policy, available_units, ordered_units, allotted_units, book, decided_by, capacity, because)
    values ('ofr_att', 'alm_x', 9, 'decided', 'pro_rata', 4, 6, 5, 'b', 'usr_1', 'issuer', 'so');

-- engine | allotments_are_numbered | two lists of one number
insert into engine.allotment (offering_id, allotment_id, ordinal, status, policy, available_units, ordered_units, allotted_units, book, decided_by, capacity, because)
    values ('ofr_att', 'alm_x', 1, 'decided', 'pro_rata', 4, 6, 4, 'b', 'usr_1', 'issuer', 'so');

-- engine | allotment_is_decided_by_a_person | a list decided by the process
insert into engine.allotment (offering_id, allotment_id, ordinal, status, policy, available_units, ordered_units, allotted_units, book, decided_by, capacity, because)
    values ('ofr_att', 'alm_x', 9, 'decided', 'pro_rata', 4, 6, 4, 'b', 'process', 'issuer', 'so');

-- engine | approver_is_issuer_or_agent | a list decided by a stranger
insert into engine.allotment (offering_id, allotment_id, ordinal, status, policy, available_units, ordered_units, allotted_units, book, decided_by, capacity, because)
    values ('ofr_att', 'alm_x', 9, 'decided', 'pro_rata', 4, 6, 4, 'b', 'usr_1', 'friend', 'so');

-- engine | allotment_has_its_reason | a list without a reason
insert into engine.allotment (offering_id, allotment_id, ordinal, status, policy, available_units, ordered_units, allotted_units, book, decided_by, capacity, because)
    values ('ofr_att', 'alm_x', 9, 'decided', 'pro_rata', 4, 6, 4, 'b', 'usr_1', 'issuer', ' ');

-- engine | line_is_within_its_order | a line above its order
insert into engine.allotment (offering_id, allotment_id, ordinal, status, policy, available_units, ordered_units, allotted_units, book, decided_by, capacity, because)
    values ('ofr_att', 'alm_x', 9, 'decided', 'pro_rata', 4, 6, 4, 'b', 'usr_1', 'issuer', 'so');
insert into engine.allotment_line values ('ofr_att', 'alm_x', 'inv_att1', 1, 2, 'x');

-- engine | allotment_line_pkey | a second line for one order
insert into engine.allotment_line values ('ofr_att', 'alm_att_first', 'inv_att1', 1, 1, 'x');

-- engine | history_is_append_only | a line rewritten
update engine.allotment_line set units = 0;

-- engine | history_is_append_only | a window of another rule
update engine.reconfirmation_rule set rule_id = 'us.ofac.report_within';

-- engine | amendment_is_locked | an amendment that says something else later
update engine.amendment set sentence = 'Nothing.', status = 'declined', decided_by = 'usr_2'
    where status = 'proposed';

-- engine | amendment_is_locked | a window that is moved
update engine.amendment set due_at = now(), status = 'put_to_investors' where status = 'announced';

-- engine | amendment_needs_two_people | an amendment decided by its proposer
update engine.amendment set status = 'declined', decided_by = proposed_by where status = 'proposed';

-- engine | decided_amendment_names_who | an amendment decided by nobody
update engine.amendment set status = 'declined' where status = 'proposed';

-- engine | material_change_is_put_to_investors | a material change that is only recorded
update engine.amendment set status = 'recorded', decided_by = 'usr_2' where status = 'proposed';

-- engine | material_change_is_put_to_investors | a material change without a window
update engine.amendment set status = 'announced', decided_by = 'usr_2' where status = 'proposed';

-- engine | amendments_are_numbered | two amendments of one number
insert into engine.amendment (offering_id, amendment_id, ordinal, status, is_material, sentence, document_sha256, proposed_by)
    values ('ofr_asked', 'amd_x', 1, 'proposed', true, 'x', sha256('x'), 'usr_1');

-- engine | amendment_says_what_changes | an amendment that says nothing
insert into engine.amendment (offering_id, amendment_id, ordinal, status, is_material, sentence, document_sha256, proposed_by)
    values ('ofr_att', 'amd_x', 99, 'proposed', true, ' ', sha256('x'), 'usr_1');

-- subscription | question_is_locked | a question whose window is moved
update subscription.reconfirmation set due_at = now() + interval '1 year', status = 'reconfirmed'
    where status = 'asked';

-- subscription | each_change_is_asked_once | a question asked twice
insert into subscription.reconfirmation (offering_id, reconfirmation_id, amendment_id, investment_id, status, due_at)
    select offering_id, 'rcf_x', amendment_id, investment_id, 'asked', due_at
    from subscription.reconfirmation limit 1;

-- subscription | approver_is_issuer_or_agent | an approval by a stranger
update subscription.allocation_approval set status = 'approved', decided_by = 'usr_9', capacity = 'friend'
    where status = 'proposed';

-- subscription | decided_allocation_names_who | an approval without a capacity
update subscription.allocation_approval set status = 'approved', decided_by = 'usr_9'
    where status = 'proposed';
