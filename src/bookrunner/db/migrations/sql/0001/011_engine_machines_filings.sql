-- What may become of a filing beside being prepared and filed: its day moves, or it is owed no more.

insert into engine.state (machine, state, sentence) values
    ('filing', 'not_owed', 'Owed no more, because its fact is gone or a person says how it was met otherwise.');

insert into engine.transition (machine, from_state, to_state, trigger, role) values
    ('filing', 'due', 'due', 'dated', 'engine'),
    ('filing', 'prepared', 'prepared', 'dated', 'engine'),
    ('filing', 'due', 'not_owed', 'ended', 'engine'),
    ('filing', 'prepared', 'not_owed', 'ended', 'engine');
