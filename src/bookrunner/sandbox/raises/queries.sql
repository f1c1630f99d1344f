-- name: issued_past_a_gate
-- Units on their way or registered although a keeper says no, and neither stopped nor held.
select pos.investment_id as subject from engine.position pos where pos.offering_id = :offering and pos.issuance <> 'open'
    and not (pos.investor_is_cleared and pos.agreement_is_countersigned and pos.funds_are_cleared)
    and not pos.issuance_is_stopped and not pos.holding_is_held;

-- name: issued_to_somebody_who_ended
-- Registered or moving units of an investment that was cancelled or failed.
select i.investment_id as subject from engine.investment i join engine.position pos using (offering_id, investment_id)
where i.offering_id = :offering and i.status not in ('legally_confirmed', 'closed_successfully')
    and pos.issuance in ('submitted', 'registered');

-- name: units_above_the_cap
-- Live or issued units above the units of the offer.
select o.offering_id as subject from engine.offer o where o.offering_id = :offering and (o.units_total < (
        select coalesce(sum(i.units), 0) from engine.investment i where i.offering_id = o.offering_id
            and i.status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully'))
    or o.units_total < (select coalesce(sum(p.units), 0) from registry.posting_fact p where p.offering_id = o.offering_id));

-- name: money_that_is_not_conserved
-- Ledgers whose two sides differ, and accounts that differ from the receipts behind them.
select b.currency as subject from treasury.trial_balance b where b.offering_id = :offering group by b.currency
having sum(case b.side when 'debit' then b.amount_minor else -b.amount_minor end) <> 0
union all
select coalesce(b.account, s.account) from (
    select * from treasury.trial_balance t where t.offering_id = :offering and (t.account like 'liab:inv:%'
        or t.account in ('liab:unmatched', 'liab:held_source', 'liab:refund_payable'))) b
full join (select * from treasury.receipt_standing t where t.offering_id = :offering) s using (offering_id, account, currency)
where coalesce(b.amount_minor, 0) <> coalesce(s.amount_minor, 0);

-- name: refunded_twice
-- Receipts with two refunds, or a refund that is not the whole of its receipt.
select r.receipt_id as subject from treasury.refund_fact f join treasury.receipt_fact r using (offering_id, receipt_id)
where f.offering_id = :offering group by r.receipt_id, r.amount_minor
having count(*) > 1 or sum(f.amount_minor) <> r.amount_minor;

-- name: status_without_its_row
-- Moves in the history of offer, investments and closings that no row of the machines lists.
with told as (
    select e.subject, e.version, split_part(e.kind, '.', 1) as machine, split_part(e.kind, '.', 2) as trigger,
        cast(e.canonical as jsonb) -> 'payload' ->> 'status' as said
    from audit.event e where e.scope = :offering and split_part(e.kind, '.', 1) in ('offer', 'investment', 'closing', 'change_request')
), moves as (
    select t.*, coalesce((select p.said from told p where p.subject = t.subject and p.version < t.version and p.said is not null
        order by p.version desc limit 1), '') as was from told t)
select m.subject from moves m where not exists (select from engine.transition x where x.machine = m.machine
    and x.trigger = m.trigger and x.from_state = m.was and x.to_state = coalesce(m.said, m.was));

-- name: not_ended_with_its_offer
-- What still lives of an offer that has ended, once every event is answered.
select i.investment_id as subject from engine.investment i join engine.offer o using (offering_id)
where o.offering_id = :offering and o.status in ('closed_unsuccessfully', 'closed_successfully')
    and i.status in ('new', 'confirmed', 'legally_confirmed', 'cancellation_requested')
union all
select r.receipt_id from treasury.receipt_fact r join engine.offer o using (offering_id)
left join engine.investment i using (offering_id, investment_id)
where o.offering_id = :offering and r.status in ('matched', 'cleared')
    and i.status in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully');
