-- The moves of what auditors and examiners did: machine, from, to, trigger, login.

insert into engine.transition (machine, from_state, to_state, trigger, role) values
    ('record_view', '', 'viewed', 'viewed', 'audit'),
    ('examination', '', 'begun', 'begun', 'audit'),
    ('examination', 'begun', 'taken', 'taken', 'audit');
