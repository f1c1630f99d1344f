-- What follows the close of an offer: what may become of a filing beside being prepared and filed, votes of holders, transfers that
-- are taken back.

insert into engine.machine (machine, keeper, sentence) values
    ('vote', 'engine', 'A resolution that holders of a record date vote on.'),
    ('ballot', 'engine', 'One holder''s word in one vote.'),
    ('rescission', 'registry', 'A registered transfer that is taken back, with the price that is owed back.'),
    ('proxy', 'engine', 'One holder''s authority for another to cast its ballot in one vote.');

insert into engine.state (machine, state, sentence) values
    ('filing', 'ending', 'Owed still: a person says that it is not, and waits for another who confirms it.'),
    ('filing', 'not_owed', 'Owed no more, because its fact is gone or two people say how it was met otherwise.'),
    ('vote', 'proposed', 'Waits for a second person.'),
    ('vote', 'open', 'Holders of the record date vote until its end.'),
    ('vote', 'closed', 'Its time is over; the result stands with its arithmetic.'),
    ('vote', 'cancelled', 'Over without a result, with the reason.'),
    ('ballot', 'cast', 'Counts with the units of its holder at the record date.'),
    ('transfer_request', 'rescinded', 'The units went back by an order of the agent.'),
    ('rescission', 'asked', 'Its order waits for a second person, or is on its way.'),
    ('rescission', 'dropped', 'Over without effect: its order was declined or given up.'),
    ('rescission', 'done', 'The units are back in the register; a price is owed back.'),
    ('rescission', 'repaid', 'The price was paid back, on evidence.'),
    ('proxy', 'given', 'The delegate casts the ballot of the holder.'),
    ('proxy', 'revoked', 'Over: the holder took it back, or cast its ballot itself.');

insert into engine.transition (machine, from_state, to_state, trigger, role) values
    ('filing', 'due', 'due', 'dated', 'engine'),
    ('filing', 'prepared', 'prepared', 'dated', 'engine'),
    ('filing', 'ending', 'ending', 'dated', 'engine'),
    ('filing', 'due', 'ending', 'end_proposed', 'engine'),
    ('filing', 'prepared', 'ending', 'end_proposed', 'engine'),
    ('filing', 'ending', 'due', 'end_declined', 'engine'),
    ('filing', 'ending', 'not_owed', 'ended', 'engine'),
    ('filing', 'due', 'not_owed', 'ended', 'engine'),
    ('filing', 'prepared', 'not_owed', 'ended', 'engine'),
    ('filing', 'not_owed', 'due', 'owed_again', 'engine'),
    ('transfer_request', 'registered', 'rescinded', 'rescinded', 'registry'),
    ('rescission', '', 'asked', 'asked', 'registry'),
    ('rescission', 'asked', 'dropped', 'dropped', 'registry'),
    ('rescission', 'asked', 'done', 'taken_back', 'registry'),
    ('rescission', 'done', 'repaid', 'repaid', 'registry'),
    ('vote', '', 'proposed', 'proposed', 'engine'),
    ('vote', 'proposed', 'open', 'opened', 'engine'),
    ('vote', 'open', 'closed', 'closed', 'engine'),
    ('vote', 'proposed', 'cancelled', 'cancelled', 'engine'),
    ('vote', 'open', 'cancelled', 'cancelled', 'engine'),
    ('ballot', '', 'cast', 'cast', 'engine'),
    ('ballot', 'cast', 'cast', 'changed', 'engine'),
    ('proxy', '', 'given', 'given', 'engine'),
    ('proxy', 'given', 'revoked', 'revoked', 'engine');
