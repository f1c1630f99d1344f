-- Refused even to the owner of the escrow ledger.

-- owner | journal_balances_per_currency | a journal without legs
insert into treasury.journal (offering_id, journal_id, kind, body_sha256, legs)
    values ('ofr_full', 'x', 'x', '\x00', 2);
set constraints all immediate;

-- owner | journal_balances_per_currency | a journal with one leg
insert into treasury.journal (offering_id, journal_id, kind, body_sha256, legs)
    values ('ofr_full', 'x', 'x', '\x00', 2);
insert into treasury.entry
    values ('ofr_full', 'x', 1, 'asset:escrow_bank', 'USD', 'debit', 5);
set constraints all immediate;

-- owner | journal_balances_per_currency | a journal that does not balance
insert into treasury.journal (offering_id, journal_id, kind, body_sha256, legs)
    values ('ofr_full', 'x', 'x', '\x00', 2);
insert into treasury.entry
    values ('ofr_full', 'x', 1, 'asset:escrow_bank', 'USD', 'debit', 5);
insert into treasury.entry
    values ('ofr_full', 'x', 2, 'liab:unmatched', 'USD', 'credit', 4);
set constraints all immediate;

-- owner | entry_is_a_declared_leg | a third leg after the two that were found to balance
insert into treasury.journal (offering_id, journal_id, kind, body_sha256, legs)
    values ('ofr_full', 'x', 'x', '\x00', 2);
insert into treasury.entry
    values ('ofr_full', 'x', 1, 'asset:escrow_bank', 'USD', 'debit', 5);
insert into treasury.entry
    values ('ofr_full', 'x', 2, 'liab:unmatched', 'USD', 'credit', 5);
set constraints all immediate;
insert into treasury.entry
    values ('ofr_full', 'x', 3, 'asset:escrow_bank', 'USD', 'debit', 5);

-- owner | entry_is_a_declared_leg | a leg before the first
insert into treasury.journal (offering_id, journal_id, kind, body_sha256, legs)
    values ('ofr_full', 'x', 'x', '\x00', 2);
insert into treasury.entry
    values ('ofr_full', 'x', 0, 'asset:escrow_bank', 'USD', 'debit', 5);

-- owner | journal_balances_per_currency | a journal that declared a leg more
insert into treasury.journal (offering_id, journal_id, kind, body_sha256, legs)
    values ('ofr_full', 'x', 'x', '\x00', 3);
insert into treasury.entry
    values ('ofr_full', 'x', 1, 'asset:escrow_bank', 'USD', 'debit', 5);
insert into treasury.entry
    values ('ofr_full', 'x', 2, 'liab:unmatched', 'USD', 'credit', 5);
set constraints all immediate;

-- owner | entry_is_in_the_accounts_currency | an entry in another currency than its account
insert into treasury.journal (offering_id, journal_id, kind, body_sha256, legs)
    values ('ofr_full', 'x', 'x', '\x00', 2);
insert into treasury.entry
    values ('ofr_full', 'x', 1, 'liab:unmatched', 'EUR', 'debit', 5);

-- owner | entry_amount_is_positive | an entry of nothing
insert into treasury.journal (offering_id, journal_id, kind, body_sha256, legs)
    values ('ofr_full', 'x', 'x', '\x00', 2);
insert into treasury.entry
    values ('ofr_full', 'x', 1, 'liab:unmatched', 'USD', 'debit', 0);

-- owner | entry_amount_is_positive | an entry of a negative amount
insert into treasury.journal (offering_id, journal_id, kind, body_sha256, legs)
    values ('ofr_full', 'x', 'x', '\x00', 2);
insert into treasury.entry
    values ('ofr_full', 'x', 1, 'liab:unmatched', 'USD', 'debit', -5);

-- owner | journal_is_closed | an entry in a closed journal
insert into treasury.entry
    values ('ofr_full', 'booked:stm_full_first', 9, 'asset:escrow_bank', 'USD', 'debit', 5);

-- owner | account_is_never_overdrawn | an overdraft
select treasury.post('ofr_full', 'x', 'x', 'USD', '[{"account": "liab:unmatched", "side": "debit", "amount": 1}, {"account": "liab:issuer_payable", "side": "credit", "amount": 1}]');

-- owner | journal_id_has_one_body | one journal id with two bodies
select treasury.post('ofr_full', 'booked:stm_full_first', 'x', 'USD', '[]');

-- owner | entry_is_in_the_accounts_currency | an account outside the chart
select treasury.post('ofr_full', 'x', 'x', 'USD', '[{"account": "cash", "side": "debit", "amount": 1}, {"account": "gift", "side": "credit", "amount": 1}]');

-- owner | journal_id_has_one_body | one journal id in two currencies
select treasury.post('ofr_full', 'x', 'x', 'USD', '[{"account": "asset:escrow_bank", "side": "debit", "amount": 1}, {"account": "liab:unmatched", "side": "credit", "amount": 1}]');
select treasury.post('ofr_full', 'x', 'x', 'EUR', '[{"account": "asset:escrow_bank", "side": "debit", "amount": 1}, {"account": "liab:unmatched", "side": "credit", "amount": 1}]');

-- owner | account_grows_by_its_kind | an asset that grows by credits
insert into treasury.account
    values ('ofr_full', 'asset:x', 'USD', 'credit');

-- owner | history_is_append_only | an account closed
delete
    from treasury.account;

-- owner | history_is_append_only | an account renamed
update treasury.account set account = 'liab:x' where account = 'liab:unmatched';

-- owner | history_is_append_only | an entry changed
update treasury.entry set amount_minor = 1;

-- owner | history_is_append_only | a journal deleted
delete
    from treasury.journal;


-- owner | history_is_append_only | a journal changed
update treasury.journal set kind = 'x';

-- owner | history_is_append_only | an entry deleted
delete
    from treasury.entry;

-- owner | history_is_append_only | all entries truncated
truncate treasury.entry;

-- owner | history_is_append_only | all journals truncated
truncate treasury.journal cascade;

-- owner | history_is_append_only | a booking changed
update treasury.booking set amount_minor = 1;

-- owner | journal_is_closed | an entry in a closed journal beside an open one
insert into treasury.journal (offering_id, journal_id, kind, body_sha256, legs)
    values ('ofr_full', 'x', 'x', '\x00', 2);
insert into treasury.entry
    values ('ofr_full', 'x', 1, 'asset:escrow_bank', 'USD', 'debit', 5);
insert into treasury.entry
    values ('ofr_full', 'booked:stm_full_first', 9, 'liab:unmatched', 'USD', 'credit', 5);

-- owner | journal_balances_per_currency | dollars against euros
insert into treasury.account
    values ('ofr_full', 'liab:unmatched', 'EUR', 'credit');
insert into treasury.journal (offering_id, journal_id, kind, body_sha256, legs)
    values ('ofr_full', 'x', 'x', '\x00', 2);
insert into treasury.entry
    values ('ofr_full', 'x', 1, 'asset:escrow_bank', 'USD', 'debit', 5);
insert into treasury.entry
    values ('ofr_full', 'x', 2, 'liab:unmatched', 'EUR', 'credit', 5);
set constraints all immediate;

-- owner | entry_is_in_the_accounts_currency | an entry on an account that nobody opened
insert into treasury.journal (offering_id, journal_id, kind, body_sha256, legs)
    values ('ofr_full', 'x', 'x', '\x00', 2);
insert into treasury.entry
    values ('ofr_full', 'x', 1, 'liab:nobody', 'USD', 'debit', 5);

-- owner | reversed_journal_exists | a reversal of a journal that is not there
insert into treasury.journal (offering_id, journal_id, kind, body_sha256, legs, reverses)
    values ('ofr_full', 'x', 'x', '\x00', 2, 'none');

-- owner | account_is_never_overdrawn | a balance set below zero
update treasury.balance set amount_minor = -1;

-- owner | balance_is_of_an_account | a balance of no account
insert into treasury.balance
    values ('ofr_full', 'liab:nobody', 'USD', 5);

-- owner | balance_is_of_an_account | a balance that becomes another account's
update treasury.balance set account = 'liab:nobody'
    where offering_id = 'ofr_full' and account = 'liab:unmatched';

-- owner | booking_moves_money | a booking of nothing
insert into treasury.booking
    values ('ofr_full', 'x', 'booked:stm_full_first', 'USD', 0, '2026-03-31');
