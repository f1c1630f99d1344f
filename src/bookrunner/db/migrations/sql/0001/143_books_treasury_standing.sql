-- What the treasury shows: the funding status of an investment, accounts by day, three balances side by side.

-- The funding status by its settled names, computed from attempts and receipts; partial and over are facts beside it.
create view treasury.funding as
select i.offering_id, i.investment_id, i.amount_minor as committed_minor, a.attempt_id, a.reference,
    coalesce(m.live, 0)::bigint as received_minor, coalesce(m.final, 0)::bigint as cleared_minor,
    greatest(i.amount_minor - coalesce(m.live, 0), 0)::bigint as short_minor, m.clears_on,
    case when a.status is null then 'none'
        when a.status in ('received', 'cleared') and coalesce(m.final, 0) >= i.amount_minor then 'cleared'
        when a.status = 'cleared' then 'received'
        else a.status end as funding_status,
    coalesce(m.live, 0) between 1 and i.amount_minor - 1 as is_partial,
    exists (select from treasury.receipt r join treasury.refund f using (offering_id, receipt_id)
        where r.offering_id = i.offering_id and r.claimed_reference = a.reference and f.reason = 'excess') as is_over,
    exists (select from treasury.receipt r where r.offering_id = i.offering_id and r.claimed_reference = a.reference
        and r.status in ('unmatched', 'held')) as is_unmatched
from engine.investment i
left join lateral (select l.attempt_id, l.reference, l.status from treasury.payment_attempt l
    where l.offering_id = i.offering_id and l.investment_id = i.investment_id order by l.attempt_no desc limit 1) a on true
left join lateral (select sum(r.amount_minor) as live, sum(r.amount_minor) filter (where r.status = 'cleared' and not exists (
            select from treasury.recalled_attempt q where q.offering_id = r.offering_id and q.attempt_id = r.attempt_id)) as final,
        max(r.clears_on) filter (where r.status = 'matched') as clears_on
    from treasury.receipt r where r.offering_id = i.offering_id and r.investment_id = i.investment_id
    and r.status in ('matched', 'cleared')) m on true;

-- One line per entry, in the order of posting, with the balance after it.
create view treasury.account_statement as
select e.offering_id, e.account, e.currency, j.occurred_at, j.journal_id, j.kind, j.reverses, e.leg, e.side, e.amount_minor,
    sum(case when e.side = a.side then e.amount_minor else -e.amount_minor end) over (
        partition by e.offering_id, e.account, e.currency order by j.posted_in, j.occurred_at, j.journal_id, e.leg
        rows unbounded preceding) as balance_minor
from treasury.entry e join treasury.journal j using (offering_id, journal_id)
join treasury.account a using (offering_id, account, currency);

-- Each statement beside what the ledger had booked by its day; they agree to the cent or there is a break.
create view treasury.statement_agreement as
select s.offering_id, s.statement_id, s.closed_on, o.currency, s.closing_minor as statement_minor,
    coalesce(b.booked, 0) as ledger_minor, coalesce(b.booked, 0) = s.closing_minor as agrees
from treasury.statement s join engine.offer o using (offering_id)
left join lateral (select sum(x.amount_minor) as booked from treasury.booking x
    where x.offering_id = s.offering_id and x.currency = o.currency and x.booked_on <= s.closed_on) b on true;

-- Three balances per offer and currency: the ledger's cash and tokens, the bank's with what is on its way, the investors' with queues.
-- Fees of transfers are owed outside escrow, and no part of it.
create view treasury.three_way as
select l.offering_id, l.currency, l.cash_minor, l.coins_minor, l.investors_minor, l.queues_minor, l.receivable_minor,
    coalesce(b.booked, 0) as bank_minor, l.cash_minor - l.coins_minor - coalesce(b.booked, 0) as on_its_way_minor,
    l.cash_minor = l.investors_minor + l.queues_minor - l.receivable_minor as agrees
from (select t.offering_id, t.currency,
        coalesce(sum(t.amount_minor) filter (where t.account in ('asset:escrow_bank', 'asset:cheques_in_hand')
            or t.account like 'asset:stablecoin:%'), 0)
            - coalesce(sum(t.amount_minor) filter (where t.account = 'liab:bank_overdraft'), 0) as cash_minor,
        coalesce(sum(t.amount_minor) filter (where t.account like 'asset:stablecoin:%'), 0) as coins_minor,
        coalesce(sum(t.amount_minor) filter (where t.account like 'liab:inv:%'), 0) as investors_minor,
        coalesce(sum(t.amount_minor) filter (where t.account like 'liab:%' and t.account not like 'liab:inv:%'
            and t.account not in ('liab:bank_overdraft', 'liab:transfer_fees')), 0) as queues_minor,
        coalesce(sum(t.amount_minor) filter (where t.account in ('asset:clawback_receivable', 'asset:lost_wallet')), 0) as receivable_minor
    from treasury.trial_balance t group by t.offering_id, t.currency) l
left join lateral (select sum(x.amount_minor) as booked from treasury.booking x
    where x.offering_id = l.offering_id and x.currency = l.currency) b on true;

-- What each investor account should hold by its receipts, beside what the ledger says: never two answers.
create view treasury.receipt_standing as
select r.offering_id, treasury.owing(r) as account, r.currency, sum(r.amount_minor) as amount_minor
from treasury.receipt r
left join treasury.release_line l on l.offering_id = r.offering_id and l.investment_id = r.investment_id and r.status = 'cleared'
left join treasury.refund f on f.offering_id = r.offering_id and f.receipt_id = r.receipt_id
where r.status in ('unmatched', 'held', 'stored', 'matched', 'cleared', 'refunding') and l.investment_id is null
    and (f.status is null or f.status = 'created')
group by r.offering_id, treasury.owing(r), r.currency;

-- Per investment: what its receipts sum to, what its attempts say that they received, and what left escrow for it.
create view treasury.receipt_sum as
select r.offering_id, r.investment_id, sum(r.amount_minor) as received_minor,
    coalesce(sum(r.amount_minor) filter (where r.status = 'cleared'
        and (r.offering_id, r.attempt_id) not in (select q.offering_id, q.attempt_id from treasury.recalled_attempt q)), 0) as cleared_minor,
    min(r.currency) as first_currency, max(r.currency) as last_currency
from treasury.receipt r where r.status in ('matched', 'cleared') group by r.offering_id, r.investment_id;
create view treasury.attempt_sum as
select offering_id, investment_id, sum(received_minor) as received_minor from treasury.payment_attempt
group by offering_id, investment_id;
create view treasury.release_line_fact as
select offering_id, investment_id, release_id, amount_minor from treasury.release_line;
