-- The moves of accounts and of what people sign in with: machine, from, to, trigger, login.

insert into engine.transition (machine, from_state, to_state, trigger, role) values
    ('account', '', 'proposed', 'proposed', 'access'),
    ('account', 'proposed', 'invited', 'granted', 'access'),
    ('account', 'proposed', 'declined', 'declined', 'access'),
    ('account', 'invited', 'invited', 'invited_again', 'access'),
    ('account', 'invited', 'declined', 'withdrawn', 'access'),
    ('account', 'invited', 'active', 'accepted', 'access'),
    ('account', 'active', 'locked', 'locked', 'access'),
    ('account', 'locked', 'active', 'opened', 'access'),
    ('account', 'active', 'deactivated', 'deactivated', 'access'),
    ('account', 'locked', 'deactivated', 'deactivated', 'access'),
    ('credential', '', 'in_force', 'kept', 'access'),
    ('credential', 'in_force', 'ended', 'ended', 'access'),
    ('credential', '', 'waiting', 'recovery_asked', 'access'),
    ('credential', 'waiting', 'in_force', 'recovered', 'access'),
    ('credential', 'waiting', 'ended', 'recovery_stopped', 'access'),
    ('account_session', '', 'open', 'opened', 'access'),
    ('account_session', 'open', 'ended', 'ended', 'access'),
    ('account_session', 'open', 'ended', 'ended_in_emergency', 'engine'),
    ('confirmation', '', 'given', 'given', 'access');
