-- The machines of trade in registered units: who keeps each, its states, its moves.

insert into engine.machine (machine, keeper, sentence) values
    ('venue', 'registry', 'A trading system or broker that tells of executed trades under a key of its own.'),
    ('trade', 'registry', 'One executed trade as its venue signed it.'),
    ('interest', 'registry', 'What somebody would buy or sell, on the board of an offer.'),
    ('settlement', 'registry', 'Units against a coin, of one sale.'),
    ('trade_alarm', 'registry', 'A message of a venue that contradicts an earlier one.');

insert into engine.state (machine, state, sentence) values
    ('venue', 'proposed', 'Waits for a second person.'),
    ('venue', 'in_force', 'Trades under its key are taken.'),
    ('venue', 'declined', 'Refused with a reason.'),
    ('venue', 'ended', 'No further trade of it is taken.'),
    ('trade', 'taken', 'A transfer request goes its way with it.'),
    ('trade', 'rejected', 'Rules refused it when it came; they are named, and nothing was set aside.'),
    ('interest', 'posted', 'Others see it and may match it.'),
    ('interest', 'matched', 'Somebody took it; a transfer request goes its way.'),
    ('interest', 'withdrawn', 'Taken off the board.'),
    ('settlement', 'agreed', 'Neither leg has moved.'),
    ('settlement', 'settled', 'Both legs moved; the units are in the register.'),
    ('settlement', 'parted', 'A leg moved outside of one approved transaction; what moved goes back, or paid units are posted by two people.'),
    ('settlement', 'returned', 'What moved came back.'),
    ('settlement', 'dropped', 'The sale ended before a leg moved.'),
    ('trade_alarm', 'raised', 'Waits for the transfer agent; the transfer of its trade is not approved meanwhile.'),
    ('trade_alarm', 'answered', 'A person says what it was.');

insert into engine.transition (machine, from_state, to_state, trigger, role) values
    ('venue', '', 'proposed', 'proposed', 'registry'),
    ('venue', 'proposed', 'in_force', 'adopted', 'registry'),
    ('venue', 'proposed', 'declined', 'declined', 'registry'),
    ('venue', 'in_force', 'in_force', 'key_changed', 'registry'),
    ('venue', 'in_force', 'ended', 'ended', 'registry'),
    ('trade', '', 'taken', 'taken', 'registry'),
    ('trade', '', 'rejected', 'rejected', 'registry'),
    ('interest', '', 'posted', 'posted', 'registry'),
    ('interest', 'posted', 'matched', 'matched', 'registry'),
    ('interest', 'posted', 'withdrawn', 'withdrawn', 'registry'),
    ('settlement', '', 'agreed', 'agreed', 'registry'),
    ('settlement', 'agreed', 'settled', 'settled', 'registry'),
    ('settlement', 'agreed', 'parted', 'parted', 'registry'),
    ('settlement', 'parted', 'parted', 'leg_noted', 'registry'),
    ('settlement', 'parted', 'settled', 'posted', 'registry'),
    ('settlement', 'parted', 'returned', 'returned', 'registry'),
    ('settlement', 'returned', 'parted', 'parted', 'registry'),
    ('settlement', 'dropped', 'parted', 'parted', 'registry'),
    ('settlement', 'agreed', 'dropped', 'dropped', 'registry'),
    ('trade_alarm', '', 'raised', 'raised', 'registry'),
    ('trade_alarm', 'raised', 'answered', 'answered', 'registry');
