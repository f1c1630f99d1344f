-- The moves of proofs of wallets and of the transfer agent's records: machine, from, to, trigger, login.

insert into engine.transition (machine, from_state, to_state, trigger, role) values
    ('wallet_challenge', '', 'issued', 'issued', 'portal'),
    ('wallet_challenge', 'issued', 'answered', 'answered', 'portal'),
    ('control_change', '', 'proposed', 'proposed', 'registry'),
    ('control_change', 'proposed', 'approved', 'approved', 'registry'),
    ('control_change', 'proposed', 'declined', 'declined', 'registry'),
    ('record_difference', '', 'open', 'found', 'registry'),
    ('record_difference', 'open', 'open', 'measured', 'registry'),
    ('record_difference', 'open', 'resolved', 'resolved', 'registry'),
    ('subsidiary_entry', '', 'open', 'kept', 'registry'),
    ('subsidiary_entry', 'open', 'resolved', 'resolved', 'registry'),
    ('legend_removal', '', 'proposed', 'proposed', 'registry'),
    ('legend_removal', 'proposed', 'approved', 'approved', 'registry'),
    ('legend_removal', 'proposed', 'declined', 'declined', 'registry'),
    ('holder_statement', '', 'issued', 'issued', 'registry'),
    ('turnaround_item', '', 'received', 'received', 'registry'),
    ('turnaround_item', 'received', 'completed', 'completed', 'registry'),
    ('turnaround_item', 'received', 'rejected', 'rejected', 'registry');
