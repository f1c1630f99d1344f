-- Moves that no test waits for, made by their own login.

-- engine | accepted | move 0
update engine.waitlist_entry set status = 'promoted', investment_id = 'inv_p' where entry_id = 'wle_promoted';

-- engine | accepted | move 1
update engine.waitlist_entry set status = 'passed_over', because = 'x' where entry_id = 'wle_passed';

-- engine | accepted | move 2
update engine.amendment set status = 'put_to_investors' where amendment_id = 'amd_put';

-- subscription | accepted | move 0
update subscription.allocation_approval set status = 'declined', decided_by = 'usr_2', capacity = 'issuer'
    where approval_id = 'alc_att2';

-- subscription | accepted | move 1
update subscription.allocation_approval set status = 'superseded' where approval_id = 'alc_att3';

-- subscription | accepted | move 2
update subscription.reconfirmation set status = 'lapsed' where reconfirmation_id = 'rcf_put_asked3';
