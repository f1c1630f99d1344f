-- name: broken
-- Every invariant that an offer breaks now, by its name, with the record that breaks it; in one statement, so of one moment. What
-- lives on after its offer counts only at the end, once every event is answered.
with said as (
    select e.subject, e.version, split_part(e.kind, '.', 1) as machine, split_part(e.kind, '.', 2) as trigger,
        cast(e.canonical as jsonb) -> 'payload' ->> 'status' as status
    from audit.event e where e.scope = :offering and split_part(e.kind, '.', 1) = any (array(select m.machine from engine.machine m))
), counted as (
    select s.*, count(s.status) over (partition by s.subject order by s.version) as place from said s
), stands as (
    -- An event that names no status leaves it what it was.
    select c.*, max(c.status) over (partition by c.subject, c.place) as now from counted c
), moves as (
    select s.*, coalesce(lag(s.now) over (partition by s.subject order by s.version), '') as was,
        lead(s.subject) over (partition by s.subject order by s.version) is null as is_last from stands s
)
-- Units on their way or registered although a keeper says no, and neither stopped nor held.
select 'issued_past_a_gate' as invariant, pos.investment_id as subject from engine.position pos
where pos.offering_id = :offering and pos.issuance <> 'open'
    and not (pos.investor_is_cleared and pos.agreement_is_countersigned and pos.funds_are_cleared)
    and not pos.issuance_is_stopped and not pos.holding_is_held
union all
-- Registered or moving units of an investment that was cancelled or failed.
select 'issued_to_somebody_who_ended', i.investment_id from engine.investment i join engine.position pos using (offering_id, investment_id)
where i.offering_id = :offering and i.status not in ('legally_confirmed', 'closed_successfully')
    and pos.issuance in ('submitted', 'registered')
union all
-- Live or issued units above the units of the offer.
select 'units_above_the_cap', o.offering_id from engine.offer o where o.offering_id = :offering and o.units_total < greatest((
        select sum(i.units) from engine.investment i where i.offering_id = o.offering_id
            and i.status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully')),
    (select sum(p.units) from registry.posting_fact p where p.offering_id = o.offering_id))
union all
-- Ledgers whose two sides differ.
select 'money_that_is_not_conserved', b.currency from treasury.trial_balance b where b.offering_id = :offering group by b.currency
having sum(case b.side when 'debit' then b.amount_minor else -b.amount_minor end) <> 0
union all
-- Accounts that differ from the receipts behind them.
select 'money_that_is_not_conserved', coalesce(b.account, s.account) from (
    select * from treasury.trial_balance t where t.offering_id = :offering and (t.account like 'liab:inv:%'
        or t.account in ('liab:unmatched', 'liab:held_source', 'liab:refund_payable'))) b
full join (select * from treasury.receipt_standing t where t.offering_id = :offering) s using (offering_id, account, currency)
where coalesce(b.amount_minor, 0) <> coalesce(s.amount_minor, 0)
union all
-- Receipts with two refunds, or a refund that is not the whole of its receipt.
select 'refunded_twice', r.receipt_id from treasury.refund_fact f join treasury.receipt_fact r using (offering_id, receipt_id)
where f.offering_id = :offering group by r.receipt_id, r.amount_minor
having count(*) > 1 or sum(f.amount_minor) <> r.amount_minor
union all
-- Moves in the history that no row of the machines lists.
select 'status_without_its_row', m.subject from moves m where not exists (select from engine.transition x where x.machine = m.machine
    and x.trigger = m.trigger and x.from_state = m.was and x.to_state = coalesce(m.now, ''))
union all
-- Records whose status is not the one that their history came to.
select 'status_without_its_history', r.subject from (
    select i.investment_id as subject, i.status from engine.investment i where i.offering_id = :offering
    union all select o.offering_id, o.status from engine.offer o where o.offering_id = :offering
    union all select c.closing_id, c.status from engine.closing c where c.offering_id = :offering) r
left join moves m on m.subject = r.subject and m.is_last where m.now is distinct from r.status
union all
-- Investments that live on after their offer.
select 'not_ended_with_its_offer', i.investment_id from engine.investment i join engine.offer o using (offering_id)
where :is_over and o.offering_id = :offering and o.status in ('closed_unsuccessfully', 'closed_successfully')
    and i.status in ('new', 'confirmed', 'legally_confirmed', 'cancellation_requested')
union all
-- Money in escrow for an investment that has ended.
select 'not_ended_with_its_offer', r.receipt_id from treasury.receipt_fact r left join engine.investment i using (offering_id, investment_id)
where :is_over and r.offering_id = :offering and r.status in ('matched', 'cleared')
    and i.status in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully');
