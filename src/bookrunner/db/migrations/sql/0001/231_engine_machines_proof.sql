-- The moves of what auditors and examiners did: machine, from, to, trigger, login.

insert into engine.transition (machine, from_state, to_state, trigger, role) values
    ('record_view', '', 'viewed', 'viewed', 'audit'),
    ('list_export', '', 'taken', 'taken', 'audit'),
    ('examination', '', 'begun', 'begun', 'audit'),
    ('examination', 'begun', 'taken', 'taken', 'audit'),
    ('anchoring', '', 'signed', 'signed', 'audit'),
    ('anchoring', 'signed', 'signed', 'raised', 'audit'),
    ('anchoring', 'signed', 'mined', 'mined', 'audit'),
    ('anchoring', 'mined', 'mined', 'moved', 'audit'),
    ('anchoring', 'mined', 'signed', 'lost', 'audit'),
    ('anchoring', 'mined', 'final', 'finalized', 'audit'),
    ('anchoring', 'signed', 'final', 'finalized', 'audit');
