-- What follows the close of an offer: what may become of a filing beside being prepared and filed, votes of holders, splits.

insert into engine.machine (machine, keeper, sentence) values
    ('vote', 'engine', 'A resolution that holders of a record date vote on.'),
    ('ballot', 'engine', 'One holder''s word in one vote.'),
    ('proxy', 'engine', 'One holder''s authority for another to cast its ballot in one vote.'),
    ('split', 'registry', 'So many new units for so many old ones, from a moment on.');

insert into engine.state (machine, state, sentence) values
    ('filing', 'not_owed', 'Owed no more, because its fact is gone or a person says how it was met otherwise.'),
    ('vote', 'proposed', 'Waits for a second person.'),
    ('vote', 'open', 'Holders of the record date vote until its end.'),
    ('vote', 'closed', 'Its time is over; the result stands with its arithmetic.'),
    ('vote', 'cancelled', 'Over without a result, with the reason.'),
    ('ballot', 'cast', 'Counts with the units of its holder at the record date.'),
    ('proxy', 'given', 'The delegate casts the ballot of the holder.'),
    ('proxy', 'revoked', 'Over: the holder took it back, or cast its ballot itself.'),
    ('split', 'proposed', 'Waits for a second person.'),
    ('split', 'approved', 'Agreed; begins at its time, when nothing of the class is under way and the security is paused.'),
    ('split', 'declined', 'Refused with a reason.'),
    ('split', 'abandoned', 'Given up before it began.'),
    ('split', 'begun', 'Every holder is worked out; the chain mints or burns the difference, wallet by wallet.'),
    ('split', 'executed', 'Chain, register and control book have the new units.');

insert into engine.transition (machine, from_state, to_state, trigger, role) values
    ('filing', 'due', 'due', 'dated', 'engine'),
    ('filing', 'prepared', 'prepared', 'dated', 'engine'),
    ('filing', 'due', 'not_owed', 'ended', 'engine'),
    ('filing', 'prepared', 'not_owed', 'ended', 'engine'),
    ('filing', 'not_owed', 'due', 'owed_again', 'engine'),
    ('vote', '', 'proposed', 'proposed', 'engine'),
    ('vote', 'proposed', 'open', 'opened', 'engine'),
    ('vote', 'open', 'closed', 'closed', 'engine'),
    ('vote', 'proposed', 'cancelled', 'cancelled', 'engine'),
    ('vote', 'open', 'cancelled', 'cancelled', 'engine'),
    ('ballot', '', 'cast', 'cast', 'engine'),
    ('ballot', 'cast', 'cast', 'changed', 'engine'),
    ('proxy', '', 'given', 'given', 'engine'),
    ('proxy', 'given', 'revoked', 'revoked', 'engine'),
    ('split', '', 'proposed', 'proposed', 'registry'),
    ('split', 'proposed', 'approved', 'approved', 'registry'),
    ('split', 'proposed', 'declined', 'declined', 'registry'),
    ('split', 'proposed', 'abandoned', 'abandoned', 'registry'),
    ('split', 'approved', 'abandoned', 'abandoned', 'registry'),
    ('split', 'approved', 'begun', 'begun', 'registry'),
    ('split', 'begun', 'executed', 'executed', 'registry'),
    ('offer', 'closed_successfully', 'closed_successfully', 'split', 'engine');
