-- name: fund_distribution$
-- Takes a receipt as the issuer's money for an approved distribution; answers what is there for it.
select treasury.fund_distribution(:actor, :request, :offering, :distribution, :receipt, :seen);

-- name: declare_disbursements$
-- Owes every line of a started distribution, once.
select treasury.declare_disbursements(:actor, :request, :offering, :distribution);

-- name: propose_payee_account$
-- Proposes where a payee gets its money.
select treasury.propose_payee_account(:actor, :request, :investor, :account, :way, :source, :because);

-- name: decide_payee_account$
-- Puts it in force, or declines it, as another person.
select treasury.decide_payee_account(:actor, :request, :investor, :account, cast(:is_agreed as boolean), :seen);

-- name: take_disbursements$
-- The owed lines that may be paid now, locked; the others are held.
select treasury.take_disbursements(:actor, :request, :offering, :distribution, :most);

-- name: hold_disbursements$
-- Holds owed lines whose account nobody knows.
select treasury.hold_disbursements(:actor, :request, :offering, cast(:lines as text[]));

-- name: store_disbursements$
-- Commits the bytes of an order with the lines that it pays.
select treasury.store_disbursements(:actor, :request, :offering, :payout, :content, cast(:lines as text[]));

-- name: settle_disbursements$
-- A statement shows these payments as arrived.
select treasury.settle_disbursements(:actor, :request, :offering, cast(:lines as text[]), :booked_on);

-- name: return_disbursement$
-- A statement shows that a payment came back.
select treasury.return_disbursement(:actor, :request, :offering, :line, :code, :booked_on);

-- name: retry_disbursements$
-- Opens lines that were not paid for another try.
select treasury.retry_disbursements(:actor, :request, :offering, :distribution, cast(:lines as text[]));

-- name: age_disbursements$
-- Marks as unclaimed what nobody could be paid for the term.
select treasury.age_disbursements(:actor, :request, :on);

-- name: distributions_owed
-- The distributions of an offer with lines that wait to be ordered.
select distinct distribution_id from treasury.disbursement where offering_id = :offering and status = 'owed' order by 1;

-- name: unowned_receipts
-- Receipts that belong to nobody and can pay holders, with the version that a decision is on.
select r.receipt_id, r.amount_minor, r.currency, r.booked_on, r.version from treasury.receipt r
where r.offering_id = :offering and r.status = 'unmatched' and treasury.is_final_at_the_bank(r) order by r.booked_on, r.receipt_id;
