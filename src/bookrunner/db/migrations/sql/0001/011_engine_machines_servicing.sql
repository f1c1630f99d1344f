-- What follows the close of an offer: what may become of a filing beside being prepared and filed, and votes of holders.

insert into engine.machine (machine, keeper, sentence) values
    ('vote', 'engine', 'A resolution that holders of a record date vote on.'),
    ('ballot', 'engine', 'One holder''s word in one vote.'),
    ('proxy', 'engine', 'One holder''s authority for another to cast its ballot in one vote.'),
    ('tax_year', 'engine', 'The tax documents of one year of an offer.');

insert into engine.state (machine, state, sentence) values
    ('filing', 'not_owed', 'Owed no more, because its fact is gone or a person says how it was met otherwise.'),
    ('vote', 'proposed', 'Waits for a second person.'),
    ('vote', 'open', 'Holders of the record date vote until its end.'),
    ('vote', 'closed', 'Its time is over; the result stands with its arithmetic.'),
    ('vote', 'cancelled', 'Over without a result, with the reason.'),
    ('ballot', 'cast', 'Counts with the units of its holder at the record date.'),
    ('proxy', 'given', 'The delegate casts the ballot of the holder.'),
    ('proxy', 'revoked', 'Over: the holder took it back, or cast its ballot itself.'),
    ('tax_year', 'draft', 'Its forms sum to what was paid; waits for a second person.'),
    ('tax_year', 'released', 'Recipients take their forms.'),
    ('tax_year', 'cancelled', 'Ended with a reason; another draft takes its place.');

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
    ('tax_year', '', 'draft', 'drafted', 'engine'),
    ('tax_year', 'draft', 'released', 'released', 'engine'),
    ('tax_year', 'draft', 'cancelled', 'cancelled', 'engine'),
    ('tax_year', 'released', 'cancelled', 'cancelled', 'engine');
