-- name: approve_source$
-- Approve source.
select treasury.approve_source(:actor, :request, :investor, :source, :fingerprint);

-- name: release_instructions$
-- Releases funding instructions; waits for the whole subscription stage.
select treasury.release_instructions(:actor, :request, :offering, :attempt, :investment, :reference, cast(:due_minor as bigint), :currency);

-- name: import_statement$
-- Imports the booked credits of one statement: each new entry is a receipt and stands in the ledger as unmatched.
-- Entries are {id, key, amount, currency, booked_on, value_on, reference, fingerprint, sender, line_sha256, waits}.
select treasury.import_statement(:actor, :request, :offering, cast(:statement as jsonb), cast(:entries as jsonb));

-- name: import_entries$
-- Entries of the statement that this transaction imports; what the rules place is matched at once.
select treasury.import_entries(:actor, :request, :offering, :statement, cast(:entries as jsonb));

-- name: known_keys
-- Which of these keys of bank entries, a JSON array, were taken before.
select key from treasury.entry_key where offering_id = :offering and key = any (array(select jsonb_array_elements_text(cast(:keys as jsonb))))
union select dedupe_key from treasury.receipt where offering_id = :offering and dedupe_key = any (array(select jsonb_array_elements_text(cast(:keys as jsonb))));

-- name: remember_keys$
-- Remembers the keys, a JSON array, of the entries that this transaction takes.
select treasury.remember_keys(:actor, :request, :offering, array(select jsonb_array_elements_text(cast(:keys as jsonb))));

-- name: match$
-- Matches every unmatched receipt that passes the rules, and names what stops each other one.
select treasury.match(:actor, :request, :offering);

-- name: clear$
-- Confirms matched receipts as final; all of the offer's, or those named.
select treasury.clear(:actor, :request, :offering, cast(:receipts as text[]));

-- name: clear_receipt$
-- Confirms one matched receipt as final, on the version seen.
select treasury.clear_receipt(:actor, :request, :offering, :receipt, :seen);

-- name: propose_release$
-- Propose release.
select treasury.propose_release(:actor, :request, :offering, :release, :closing, :payee_fingerprint);

-- name: approve_release$
-- The second person names payee and amount again; the lines are computed again under their locks.
select treasury.approve_release(:actor, :request, :offering, :release, :payee_fingerprint, cast(:amount_minor as bigint));

-- name: hear_payment$
-- Keeps a verified message of a payment provider with its one effect; says what became of it.
select treasury.hear_payment(:actor, :request, :provider, :message, :key_id, :body, cast(:notice as jsonb));

-- name: attempts
-- The newest payment attempt of each investment, with its reference.
select a.attempt_id, a.investment_id, a.investor_id, a.reference, a.due_minor, a.status from treasury.payment_attempt a
where a.offering_id = :offering order by a.attempt_id;

-- name: unmatched
-- Receipts that belong to nobody yet, with the rule that stops each.
select receipt_id, amount_minor, exception, booked_on, source_fingerprint, version from treasury.receipt
where offering_id = :offering and status in ('unmatched', 'held') order by booked_on, receipt_id;

-- name: refund_ended$
-- Sends back the money of investments that have ended, or of a failed offer; says how many receipts.
select treasury.refund_ended(:actor, :request, :offering, cast(:investments as text[]), :most);

-- name: take_refunds$
-- The refunds that wait for the bank, locked for this transaction.
select treasury.take_refunds(:actor, :request, :offering, :most);

-- name: take_refund$
-- One refund that waits for the bank, locked for this transaction; none of it when it does not wait.
select treasury.take_refunds(:actor, :request, :offering, 1, :refund);

-- name: store_payout$
-- Commits the bytes of an order with the refunds that it carries.
select treasury.store_payout(:actor, :request, :offering, :payout, :content, cast(:refunds as text[]));

-- name: store_return$
-- Commits the bytes of an order that sends one payment back as such.
select treasury.store_payout(:actor, :request, :offering, :payout, :content, array[cast(:refund as text)], true);

-- name: prepared_return$
-- The order that sends one payment back and that the bank has not acknowledged.
select p.payout_id from treasury.refund f join treasury.payout p using (offering_id, payout_id)
where f.offering_id = :offering and f.refund_id = :refund and p.status = 'prepared' and p.purpose = 'return';

-- name: refunds_with_the_bank
-- What a statement may show as paid or as sent back: refunds, lines, remittances; a return with the names under which its money came.
select f.refund_id, f.try_no, f.amount_minor, f.currency, f.status, p.purpose = 'return' as is_return, 'refund' as kind,
    case p.purpose when 'return' then (select coalesce(w.marks, '{}') from treasury.receipt r join treasury.receipt w on w.offering_id = r.offering_id
        and w.receipt_id = coalesce(r.root_id, r.receipt_id) where r.offering_id = f.offering_id and r.receipt_id = f.receipt_id) end as marks from treasury.refund f join treasury.payout p using (offering_id, payout_id) where f.offering_id = :offering and f.status in ('sent', 'settled')
union all select w.refund_id, w.try_no, w.amount_minor, w.currency, w.status, w.is_return, w.kind, w.marks
from treasury.line_with_the_bank w where w.offering_id = :offering order by 1;

-- name: settle_refunds$
-- A statement shows these refunds as paid.
select treasury.settle_refunds(:actor, :request, :offering, cast(:refunds as text[]), :booked_on);

-- name: bounce_refund$
-- A statement shows that a refund came back; it waits for another try.
select treasury.bounce_refund(:actor, :request, :offering, :refund, :code, :booked_on);

-- name: mark_handed_over$
-- Notes that the bank has the bytes; false when that was known.
select treasury.mark_handed_over(:actor, :request, :offering, :payout, :bank_reference);

-- name: prepared_payouts
-- The orders that the bank has not acknowledged.
select payout_id, purpose from treasury.payout where offering_id = :offering and status = 'prepared' and (rail = 'stablecoin') = cast(:is_coin as boolean) order by payout_id;

-- name: take_payout$
-- The bytes of a prepared order, locked for the one who hands them over.
select treasury.take_payout(:actor, :request, :offering, :payout);

-- name: withdraw_payout$
-- Takes back an order that the bank does not have.
select treasury.withdraw_payout(:actor, :request, :offering, :payout);

-- name: offers_to_clear
-- The offers with matched money whose day has come.
select distinct offering_id from treasury.receipt where status = 'matched' and clears_on <= :on order by offering_id;

-- name: clear_due$
-- Clears what the policy of its rail lets clear by a day.
select treasury.clear_due(:actor, :request, :offering, :on, :most);

-- name: offers_to_return
-- The offers with money that nobody owns and whose day has come.
select distinct offering_id from treasury.unidentified where goes_back_on <= :on order by offering_id;

-- name: return_unidentified$
-- Sends back what has waited its term; says how many receipts.
select treasury.return_unidentified(:actor, :request, :offering, :on, :most);

-- name: give_receipt$
-- Names who answers for a receipt that waits.
select treasury.give_receipt(:actor, :request, :offering, :receipt, :owner);

-- name: trial_balance
-- The accounts of an offer with their balances, debits and credits apart.
select account, currency, case side when 'debit' then amount_minor else 0 end as debit_minor,
    case side when 'credit' then amount_minor else 0 end as credit_minor
from treasury.trial_balance where offering_id = :offering order by currency, account;

-- name: account_statement
-- The entries of one account in the order of posting, each with the balance after it.
select occurred_at, journal_id, kind, side, amount_minor, currency, balance_minor from treasury.account_statement
where offering_id = :offering and account = :account order by currency, occurred_at, journal_id, leg;

-- name: statement_agreement
-- Each bank statement beside the ledger of its day.
select closed_on, currency, statement_minor, ledger_minor, agrees from treasury.statement_agreement
where offering_id = :offering order by closed_on, statement_id;

-- name: three_way
-- The ledger, the bank with what is on its way, and the investors with queues.
select currency, cash_minor, bank_minor, coins_minor, on_its_way_minor, investors_minor, queues_minor, receivable_minor, agrees
from treasury.three_way where offering_id = :offering order by currency;

-- name: refund_cut$
-- Sends back what an investment holds above its amount after a cut, and returns the excess.
select treasury.refund_cut(:actor, :request, :offering, :investment);

-- name: propose_act$
-- Stores what one administrator wants done with a receipt, for another to decide.
select treasury.propose_act(:actor, :request, :offering, :proposal, :act, :receipt, :investment, :because, cast(:seen as bigint));

-- name: decide_act$
-- Carries a proposal out, or declines it.
select treasury.decide_act(:actor, :request, :offering, :proposal, :is_approved, :because, cast(:seen as bigint));

-- name: divide_receipt$
-- Divides a receipt that waits into parts {id, amount} that sum to it.
select treasury.divide_receipt(:actor, :request, :offering, :receipt, cast(:parts as jsonb));

-- name: combine_receipts$
-- Makes one receipt again of parts of one receipt.
select treasury.combine_receipts(:actor, :request, :offering, :whole, cast(:parts as text[]));

-- name: decide_release$
-- Approves a release, naming payee and amount again, or declines it.
select treasury.decide_release(:actor, :request, :offering, :release, :is_approved, :payee_fingerprint, cast(:amount_minor as bigint), cast(:seen as bigint), cast(:net_minor as bigint), :because);

-- name: all_entries
-- Every entry of an offer in the order of posting, with its journal.
select j.occurred_at, j.journal_id, j.kind, j.reverses, e.account, e.currency, e.side, e.amount_minor
from treasury.entry e join treasury.journal j using (offering_id, journal_id)
where e.offering_id = :offering order by j.posted_in, j.occurred_at, j.journal_id, e.leg;

-- name: view_payer$
-- The name of a payer, after the look at it is on record.
select treasury.view_payer(:actor, :request, :offering, :receipt, :view, :purpose);

-- name: view_order$
-- The bytes of an order to the bank, after the look at them is on record.
select treasury.view_order(:actor, :request, :offering, :payout, :view, :purpose);

-- name: follow_allocation$
-- Opens or settles the escrow of an institutional allocation, as that stands.
select treasury.follow_allocation(:actor, :request, :offering, :allocation);

-- name: confirm_settlement$
-- Keeps a verified settlement and funds the allocation that it names; answers what became of it.
select treasury.confirm_settlement(:actor, :request, :message, :key_id, :signature_sha256, :body, cast(:notice as jsonb));

-- name: propose_escrow$
-- Proposes where the money of an offer is kept.
select treasury.propose_escrow(:actor, :request, :offering, :escrow, cast(:terms as jsonb));

-- name: decide_escrow$
-- Puts a proposed escrow in force or declines it, as a second person.
select treasury.decide_escrow(:actor, :request, :offering, :escrow, :is_agreed, cast(:seen as bigint));

-- name: propose_fee$
-- Proposes a fee of an offer.
select treasury.propose_fee(:actor, :request, :offering, :fee, cast(:terms as jsonb));

-- name: decide_fee$
-- Declares a proposed fee or declines it, as a second person.
select treasury.decide_fee(:actor, :request, :offering, :fee, :is_declared, cast(:seen as bigint));

-- name: propose_coin$
-- Proposes a token as money of an offer from a day on.
select treasury.propose_coin(:actor, :request, :offering, :coin, cast(:terms as jsonb));

-- name: decide_coin$
-- Accepts or declines a proposed token, as a second person.
select treasury.decide_coin(:actor, :request, :offering, :coin, :is_accepted, cast(:seen as bigint));

-- name: attempts_without_address
-- The attempts that may be paid in tokens of a chain and have no address there yet.
select offering_id, attempt_id from treasury.attempt_without_address where chain_id = :chain_id order by offering_id, attempt_id limit 500;

-- name: take_address$
-- The next free place in a tree of addresses.
select treasury.take_address(:actor, :request, :tree);

-- name: open_deposit_address$
-- Gives an attempt its own address.
select treasury.open_deposit_address(:actor, :request, :offering, :attempt, cast(:chain_id as bigint), :address, :tree, cast(:place as bigint));

-- name: deposit_addresses
-- The addresses to watch on a chain.
select address from treasury.deposit_address where chain_id = :chain_id order by address;

-- name: chain_cursor^
-- How far a chain was read in one incarnation.
select height, block_hash from treasury.chain_cursor where chain_id = :chain_id and incarnation = :incarnation;

-- name: transfers_that_may_go
-- The transfers that the chain could still undo.
select transfer_id, transaction_hash, ordinal, block_number from treasury.coin_transfer
where chain_id = :chain_id and incarnation = :incarnation and status in ('seen', 'booked') order by block_number;

-- name: deepest_rule$
-- The greatest depth that an accepted token of a chain waits for.
select coalesce(max(cleared_after), 0) from treasury.accepted_coin where chain_id = :chain_id and status = 'accepted';

-- name: known_senders
-- Which of these wallets have sent something before.
select distinct sender from treasury.coin_transfer where sender = any (cast(:senders as bytea[]));

-- name: note_transfers$
-- Keeps what was read of a chain up to a block, and what of it is gone.
select treasury.note_transfers(:actor, :request, cast(:chain as jsonb), cast(:transfers as jsonb), cast(:gone as text[]));

-- name: offers_with_transfers
-- The offers whose transfers are not settled: not deep, or of a receipt that waits.
select distinct t.offering_id from treasury.coin_transfer t
left join treasury.receipt r on r.offering_id = t.offering_id and r.receipt_id = t.receipt_id
where t.chain_id = :chain_id and (t.status in ('seen', 'booked') or r.status in ('unmatched', 'held')) order by 1;

-- name: settle_transfers$
-- Books what is deep enough of an offer, matches it, and finishes it.
select treasury.settle_transfers(:actor, :request, :offering);

-- name: coin_refund^
-- What a refund of tokens sends back: the token, from where, to which wallet, how many base units.
select token, address, wallet, base_units from treasury.coin_refund where offering_id = :offering and refund_id = :refund;

-- name: settle_coin_refund$
-- Settles a refund of tokens by the transfer that a final block holds.
select treasury.settle_coin_refund(:actor, :request, :offering, :refund, cast(:transfer as jsonb));

-- name: receipts_with_marks
-- The whole receipts that one of these marks names, as a bank may name them when it takes them back.
select receipt_id, status, amount_minor, currency, marks, exists (select from treasury.booking b
    where b.offering_id = r.offering_id and b.booking_id = 'returned:' || r.receipt_id) as is_return_booked
from treasury.receipt r where offering_id = :offering and root_id is null and marks && cast(:marks as text[]) order by receipt_id;

-- name: marks_of_receipt$
-- The names under which the money of a receipt came.
select w.marks from treasury.receipt r join treasury.receipt w on w.offering_id = r.offering_id
    and w.receipt_id = coalesce(r.root_id, r.receipt_id) where r.offering_id = :offering and r.receipt_id = :receipt;

-- name: record_return$
-- The bank took a receipt back, or says that it will.
select treasury.record_return(:actor, :request, :offering, :receipt, :code, :booked_on, :is_booked);

-- name: question_entry$
-- Raises an alarm about an entry of a bank file.
select treasury.question_entry(:actor, :request, :offering, :rule, :entry, :evidence);

-- name: propose_release_less$
-- Proposes a release less deductions {kind, payee, fingerprint, amount}.
select treasury.propose_release(:actor, :request, :offering, :release, :closing, :payee_fingerprint, cast(:deductions as jsonb));

-- name: record_recovery$
-- Money that was lost to a return is made good.
select treasury.record_recovery(:actor, :request, :offering, :receipt, cast(:amount_minor as bigint), :booked_on);

-- name: retry_payment$
-- Opens another attempt when the reason of the last failure allows one.
select treasury.retry_payment(:actor, :request, :offering, :attempt, :investment, :reference);

-- name: answer_alarm$
-- Ends an alarm with what it was.
select treasury.answer_alarm(:actor, :request, :source, :alarm, :because);

-- name: offers_with_orders
-- The offers with refunds or releases that no bank has.
select offering_id from treasury.refund where status = 'created' union select offering_id from treasury.payout where status = 'prepared' and rail <> 'stablecoin'
union select offering_id from treasury.disbursement where status = 'owed' union select offering_id from treasury.tax_remittance where status = 'approved' union select offering_id from treasury.debit where status = 'ordered'
union select offering_id from treasury.release where status = 'sent' and payout_id is null order by 1;

-- name: releases_to_pay
-- The approved releases without an order, each with its payments: the issuer first, then the payees of fees.
select r.release_id, r.currency, (select jsonb_agg(l order by l.line) from (
        select 0 as line, r.release_id as payment, encode(r.payee_fingerprint, 'hex') as fingerprint,
            r.amount_minor - r.deducted_minor as amount
        union all select d.line, r.release_id || '.' || d.line, encode(d.payee_fingerprint, 'hex'), d.amount_minor
        from treasury.deduction d where d.offering_id = r.offering_id and d.release_id = r.release_id) l) as lines
from treasury.release r where r.offering_id = :offering and r.status = 'sent' and r.payout_id is null order by r.release_id;

-- name: store_release_payout$
-- Commits the bytes of the order that pays a release.
select treasury.store_release_payout(:actor, :request, :offering, :payout, :content, :release);

-- name: releases_with_the_bank
-- The payments of releases that a statement may show.
select l.payment, l.release_id, l.amount_minor, l.currency from treasury.release_payment l where l.offering_id = :offering;

-- name: book_release_payment$
-- A statement shows one payment of a release.
select treasury.book_release_payment(:actor, :request, :offering, :release, :payment, :booked_on);

-- name: record_cheque$
-- Records a cheque that was taken in.
select treasury.record_cheque(:actor, :request, :offering, cast(:cheque as jsonb));

-- name: cheques_in_hand
-- The cheques whose deposit no statement has shown.
select c.receipt_id, c.number, r.amount_minor, r.currency from treasury.cheque c join treasury.receipt r using (offering_id, receipt_id)
where c.offering_id = :offering and r.status <> 'returned'
    and not exists (select from treasury.cheque_deposit d where d.offering_id = c.offering_id and d.receipt_id = c.receipt_id);

-- name: deposit_cheque$
-- A statement shows the deposit of a cheque.
select treasury.deposit_cheque(:actor, :request, :offering, :receipt, :booked_on);

-- name: store_receipt$
-- Keeps a receipt for its investor to pay with later.
select treasury.store_receipt(:actor, :request, :offering, :receipt, :investor);

-- name: pay_from_balance$
-- Pays an investment from what its investor has left.
select treasury.pay_from_balance(:actor, :request, :offering, :investment, cast(:amount_minor as bigint));

-- name: withdraw_balance$
-- Sends what an investor has left back to its source.
select treasury.withdraw_balance(:actor, :request, :offering, :investor, cast(:amount_minor as bigint));

-- name: order_debit$
-- Orders an ACH debit that an investor has authorised.
select treasury.order_debit(:actor, :request, :offering, :debit, :investment, :payer_fingerprint, :mandate_sha256, :entry_class);

-- name: void_debit$
-- Withdraws a debit whose bytes are not written.
select treasury.void_debit(:actor, :request, :offering, :debit);

-- name: take_debits$
-- The debits that wait, locked for this transaction.
select treasury.take_debits(:actor, :request, :offering, :most);

-- name: number_return$
-- The number of the one entry of a file that sends a payment back.
select treasury.number_return(:actor, :request);

-- name: store_debits$
-- Commits a file of debits with the trace number of each.
select treasury.store_debits(:actor, :request, :offering, :payout, :content, cast(:debits as jsonb));

-- name: debits_sent
-- The debits that a statement may show, with the reference of their payment.
select d.debit_id, d.trace, d.amount_minor, d.currency, a.reference, encode(d.payer_fingerprint, 'hex') as fingerprint
from treasury.debit d join treasury.payment_attempt a using (offering_id, attempt_id)
where d.offering_id = :offering and d.status = 'sent';

-- name: return_debit$
-- The bank sends a debit back before any of its money was booked; false when the trace is of none.
select treasury.return_debit(:actor, :request, :offering, :trace, :code);
