-- Refused even to the owner of the escrow ledger.

-- owner | journal_balances_per_currency | a journal without legs
insert into treasury.journal (offering_id, journal_id, kind, body_sha256)
    values ('ofr_full', 'x', 'x', '\x00');
set constraints all immediate;

-- owner | journal_balances_per_currency | a journal with one leg
insert into treasury.journal (offering_id, journal_id, kind, body_sha256)
    values ('ofr_full', 'x', 'x', '\x00');
insert into treasury.entry
    values ('ofr_full', 'x', 1, 'asset:escrow_bank', 'USD', 'debit', 5);
set constraints all immediate;

-- owner | journal_balances_per_currency | a journal that does not balance
insert into treasury.journal (offering_id, journal_id, kind, body_sha256)
    values ('ofr_full', 'x', 'x', '\x00');
insert into treasury.entry
    values ('ofr_full', 'x', 1, 'asset:escrow_bank', 'USD', 'debit', 5);
insert into treasury.entry
    values ('ofr_full', 'x', 2, 'liab:unmatched', 'USD', 'credit', 4);
set constraints all immediate;

-- owner | entry_is_in_the_accounts_currency | an entry in another currency than its account
insert into treasury.journal (offering_id, journal_id, kind, body_sha256)
    values ('ofr_full', 'x', 'x', '\x00');
insert into treasury.entry
    values ('ofr_full', 'x', 1, 'liab:unmatched', 'EUR', 'debit', 5);

-- owner | entry_amount_is_positive | an entry of nothing
insert into treasury.journal (offering_id, journal_id, kind, body_sha256)
    values ('ofr_full', 'x', 'x', '\x00');
insert into treasury.entry
    values ('ofr_full', 'x', 1, 'liab:unmatched', 'USD', 'debit', 0);

-- owner | entry_amount_is_positive | an entry of a negative amount
insert into treasury.journal (offering_id, journal_id, kind, body_sha256)
    values ('ofr_full', 'x', 'x', '\x00');
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

-- owner | history_is_append_only | an entry changed
update treasury.entry set amount_minor = 1;

-- owner | history_is_append_only | a journal deleted
delete
    from treasury.journal;
