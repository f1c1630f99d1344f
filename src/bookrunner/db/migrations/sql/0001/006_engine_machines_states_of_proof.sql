-- The states of breaks, looks, examinations and anchors.

insert into engine.state (machine, state, sentence) values
    ('record_view', 'viewed', 'Who looked, at which record, for what.'),
    ('list_export', 'taken', 'Who takes which list under which filter, before a row is read.'),
    ('examination', 'begun', 'Who takes which period, and why, before anything is read.'),
    ('examination', 'taken', 'The bundle is written; the digest of its manifest names it.'),
    ('anchoring', 'signed', 'The bytes are stored; they may be out.'),
    ('anchoring', 'mined', 'A block has it.'),
    ('anchoring', 'final', 'Its block is final.'),
    ('break', 'open', 'The records differ, and nobody has taken it on.'),
    ('break', 'assigned', 'A person of its owner has it.'),
    ('break', 'explained', 'That person says why it is; a second one may accept it.'),
    ('break', 'corrected', 'That person says what was put right; the next run looks.'),
    ('break', 'verified', 'A later run found the records equal, or a second person accepted the reason.'),
    ('break_reminder', 'told', 'A break is older than it should be.');
