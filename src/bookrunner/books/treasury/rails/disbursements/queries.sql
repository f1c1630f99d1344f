-- name: fund_distribution$
-- Takes a receipt as the issuer's money for an approved distribution; answers what is there for it.
select treasury.fund_distribution(:actor, :request, :offering, :distribution, :receipt, :seen);

-- name: declare_disbursements$
-- Owes every line of a started distribution, once.
select treasury.declare_disbursements(:actor, :request, :offering, :distribution);

-- name: propose_payee_account$
-- Proposes where a payee gets its money.
select treasury.propose_payee_account(:actor, :request, :investor, :account, :way, :source, :because, :entry_class);

-- name: name_payee_account$
-- Proposes an account that the book does not have, with its evidence.
select treasury.name_payee_account(:actor, :request, :investor, :account, :fingerprint, :evidence_sha256, :because, :way, :entry_class);

-- name: decide_payee_account$
-- Puts it in force, or declines it, as another person.
select treasury.decide_payee_account(:actor, :request, :investor, :account, cast(:is_agreed as boolean), :seen);

-- name: take_disbursements$
-- The owed lines that may be paid now by a rail, locked; the others are held.
select treasury.take_disbursements(:actor, :request, :offering, :distribution, :most, :rail);

-- name: hold_disbursements$
-- Holds owed lines whose account nobody knows, or whose account is none for its rail.
select treasury.hold_disbursements(:actor, :request, :offering, cast(:lines as text[]), :because);

-- name: store_disbursements$
-- Commits the bytes of an order with the lines that it pays.
select treasury.store_disbursements(:actor, :request, :offering, :payout, :content, cast(:lines as text[]));

-- name: number_entries$
-- The numbers of the entries of a file: the first of them, and that of the file.
select treasury.number_ach_entries(:actor, :request, :entries);

-- name: store_entries$
-- Commits the bytes of a NACHA file with the trace number of each line.
select treasury.store_ach_entries(:actor, :request, :offering, :payout, :content, cast(:entries as jsonb));

-- name: return_entry$
-- The network sends an entry back; false when it is none of ours.
select treasury.return_ach_entry(:actor, :request, :offering, :trace, cast(:amount as bigint), :code);

-- name: book_entry$
-- A statement shows an entry whose return was announced, as it left or as it came back.
select treasury.book_ach_entry(:actor, :request, :offering, :line, cast(:try_no as integer), cast(:is_back as boolean), :booked_on);

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
where r.offering_id = :offering and r.status = 'unmatched' and (treasury.is_final_at_the_bank(r) or treasury.is_final_in_the_paying_wallet(r)) order by r.booked_on, r.receipt_id;

-- name: payee_accounts
-- The accounts that are proposed or in force of whoever an offer pays or may have to pay, those that wait first.
select a.investor_id, a.account_id, a.status, a.way, a.entry_class, a.source_id, encode(a.evidence_sha256, 'hex') as evidence_sha256, a.because,
    a.proposed_by, a.decided_by, a.version
from treasury.payee_account a where a.status in ('proposed', 'in_force') and exists (select from engine.payee_of_offer p
    where p.offering_id = :offering and p.payee_id = a.investor_id)
order by a.status desc, a.investor_id limit 200;

-- name: payees_without_account
-- Payees of an offer whose line is held because no account is known or named.
select d.payee_id as investor_id, d.held_because, sum(d.amount_minor)::bigint as amount_minor, d.currency from treasury.disbursement d
where d.offering_id = :offering and d.status = 'held' and d.held_because in ('account_is_not_known', 'account_is_not_named')
group by d.payee_id, d.held_because, d.currency order by d.payee_id limit 200;

-- name: propose_remittance$
-- Proposes that withheld tax goes to the tax office.
select treasury.propose_remittance(:actor, :request, :offering, :remittance, cast(:said as jsonb));

-- name: decide_remittance$
-- Agrees to a remittance as another person, or declines it.
select treasury.decide_remittance(:actor, :request, :offering, :remittance, cast(:is_agreed as boolean), :seen);

-- name: remittances_approved
-- The remittances of an offer that wait to be ordered.
select remittance_id from treasury.tax_remittance where offering_id = :offering and status = 'approved' order by 1;

-- name: take_remittance$
-- An approved remittance that no order pays, locked.
select treasury.take_remittance(:actor, :request, :offering, :remittance);

-- name: store_remittance$
-- Commits the bytes of the order that pays a remittance.
select treasury.store_remittance(:actor, :request, :offering, :payout, :content, :remittance);

-- name: settle_remittances$
-- A statement shows these remittances as arrived.
select treasury.settle_remittances(:actor, :request, :offering, cast(:remittances as text[]), :booked_on);

-- name: return_remittance$
-- A statement shows that a remittance came back.
select treasury.return_remittance(:actor, :request, :offering, :remittance, :code, :booked_on);

-- name: retry_remittance$
-- Opens a remittance that came back for another try.
select treasury.retry_remittance(:actor, :request, :offering, :remittance);

-- name: give_up_remittance$
-- Gives up a remittance that is not with the bank, as another person than who proposed it.
select treasury.give_up_remittance(:actor, :request, :offering, :remittance, :because, :seen);

-- name: remittances
-- The remittances of an offer, the newest first.
select remittance_id, status, form, tax_year, amount_minor, currency, proposed_by, decided_by, bounce_code, given_up_by,
    given_up_because, version
from treasury.tax_remittance where offering_id = :offering order by remittance_id desc limit 200;

-- name: withheld$
-- What is withheld in an offer and not remitted, in minor units.
select coalesce(sum(amount_minor), 0)::bigint from treasury.balance where offering_id = :offering and account = 'liab:withheld_tax';

-- name: propose_paying_wallet$
-- Proposes the wallet that an offer pays from.
select treasury.propose_paying_wallet(:actor, :request, :offering, :wallet, :coin, :address);

-- name: decide_paying_wallet$
-- Puts it in force, or declines it, as another person.
select treasury.decide_paying_wallet(:actor, :request, :offering, :wallet, cast(:is_agreed as boolean), :seen);

-- name: paying_wallets
-- The wallets that an offer pays from, that in force first.
select w.wallet_id, w.status, w.coin_id, w.chain_id, w.address, w.proposed_by, w.decided_by, w.version from treasury.paying_wallet w
where w.offering_id = :offering order by w.status <> 'in_force', w.wallet_id desc;

-- name: coin_accepted$
-- The coin that an offer takes now, if it takes one alone.
select case when count(*) = 1 then min(coin_id) end from treasury.accepted_coin where offering_id = :offering and status = 'accepted';

-- name: offers_that_pay_in_coins
-- The offers with a line to pay in tokens, an order to sign or one whose end the chain has not told.
select w.offering_id, w.address from treasury.paying_wallet w where w.status = 'in_force' and (exists (select from treasury.disbursement d
        join treasury.payee_account a on a.investor_id = d.payee_id and a.status = 'in_force' and a.way = 'stablecoin'
        where d.offering_id = w.offering_id and d.status = 'owed')
    or exists (select from treasury.payout p where p.offering_id = w.offering_id and p.rail = 'stablecoin' and p.status = 'prepared')
    or exists (select from treasury.coin_payment_under_way u where u.offering_id = w.offering_id)) order by w.offering_id;

-- name: store_coin_payments$
-- Stores an order for each line that may be paid in tokens now; how many, null when nobody waits.
select treasury.store_coin_payments(:actor, :request, :offering, :distribution, cast(:payouts as text[]));

-- name: settle_coin_payment$
-- A final block holds the transfer of an order.
select treasury.settle_coin_payment(:actor, :request, :offering, :payout, cast(:transfer as jsonb));

-- name: return_coin_payment$
-- The chain says that an order did nothing.
select treasury.return_coin_payment(:actor, :request, :offering, :payout);

-- name: coin_order^
-- What one order in tokens moves.
select token, receiver, base_units from treasury.coin_payment where offering_id = :offering and payout_id = :payout;

-- name: lines_of_coin_payments$
-- The lines of some orders in tokens.
select coalesce(array_agg(disbursement_id), '{}') from treasury.coin_payment
where offering_id = :offering and payout_id = any (cast(:payouts as text[]));

-- name: fractions_owed
-- What the executed splits of an offer owe for fractions, the latest first.
select * from treasury.lieu_standing where offering_id = :offering order by owed_on desc, split_id desc;

-- name: lines_of_fractions
-- The lines of a split that owes cash, each with its payment where it is owed.
select l.line_id, l.investor_id, l.payee_id, l.amount_minor, l.currency, coalesce(d.status, 'entitled') as status, d.held_because, d.bounce_code,
    current_date - d.owed_since as age_days,
    case when exists (select from treasury.unsettled_payment u where u.offering_id = l.offering_id and u.disbursement_id = l.line_id)
        then 'final_payment_is_not_settled' end as finding
from engine.cash_in_lieu l left join treasury.disbursement d on d.offering_id = l.offering_id and d.disbursement_id = l.line_id
where l.offering_id = :offering and l.split_id = :split order by l.line_id limit 500;

-- name: pay_fractions$
-- Owes every line of a split for its fraction, once its money is there.
select treasury.pay_cash_in_lieu(:actor, :request, :offering, :split);

-- name: propose_payment_finding$
-- Says that the final transaction of an order in tokens moved nothing.
select treasury.propose_payment_finding(:actor, :request, :offering, :finding, :payout, :because);

-- name: decide_payment_finding$
-- Opens the line of that order again as another person, or declines.
select treasury.decide_payment_finding(:actor, :request, :offering, :finding, cast(:is_agreed as boolean), :because, :seen);

-- name: payment_findings
-- The orders of an offer whose final transaction did not move what they order, with what somebody said of each.
select c.payout_id, c.disbursement_id, c.base_units, c.receiver, f.finding_id, coalesce(f.status, 'open') as status, f.because, f.proposed_by, f.decided_by, f.version
from treasury.coin_payment c
left join treasury.payment_finding f on f.offering_id = c.offering_id and f.payout_id = c.payout_id and f.status <> 'declined'
where c.offering_id = :offering and (f.finding_id is not null or exists (select from treasury.unsettled_payment u
    where u.offering_id = c.offering_id and u.payout_id = c.payout_id)) order by c.payout_id;

-- name: propose_wallet_loss$
-- Says that the key of the paying wallet is lost.
select treasury.propose_wallet_loss(:actor, :request, :offering, :loss, :wallet, :because);

-- name: decide_wallet_loss$
-- Declares the loss as another person, or declines.
select treasury.decide_wallet_loss(:actor, :request, :offering, :loss, cast(:is_agreed as boolean), :because, :seen);

-- name: make_loss_good$
-- Takes a receipt as money that makes a loss good; answers what is open.
select treasury.make_loss_good(:actor, :request, :offering, :loss, :distribution, :receipt, :seen);

-- name: wallet_losses
-- The lost wallets of an offer, those that wait first, each with what every payment lost.
select l.loss_id, l.wallet_id, l.status, l.because, l.proposed_by, l.decided_by, l.version, s.distribution_id, s.currency, s.amount_minor, s.open_minor
from treasury.wallet_loss l left join treasury.lost_standing s using (offering_id, loss_id)
where l.offering_id = :offering order by l.status <> 'proposed', l.loss_id, s.distribution_id;
