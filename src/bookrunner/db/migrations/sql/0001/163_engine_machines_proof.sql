-- The states and moves of what auditors and examiners did: machine, from, to, trigger, login.

insert into engine.state (machine, state, sentence) values
    ('record_view', 'viewed', 'Who looked, at which record, for what.'),
    ('examination', 'begun', 'Who takes which period, and why, before anything is read.'),
    ('examination', 'taken', 'The bundle is written; the digest of its manifest names it.'),
    ('anchoring', 'signed', 'The bytes are stored; they may be out.'),
    ('anchoring', 'mined', 'A block has it.'),
    ('anchoring', 'final', 'Its block is final.');

insert into engine.transition (machine, from_state, to_state, trigger, role) values
    ('record_view', '', 'viewed', 'viewed', 'audit'),
    ('examination', '', 'begun', 'begun', 'audit'),
    ('examination', 'begun', 'taken', 'taken', 'audit'),
    ('anchoring', '', 'signed', 'signed', 'audit'),
    ('anchoring', 'signed', 'mined', 'mined', 'audit'),
    ('anchoring', 'mined', 'mined', 'moved', 'audit'),
    ('anchoring', 'mined', 'signed', 'lost', 'audit'),
    ('anchoring', 'mined', 'final', 'finalized', 'audit'),
    ('anchoring', 'signed', 'final', 'finalized', 'audit');
