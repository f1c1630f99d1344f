-- name: moved_by_day
-- What moved between the exclusive states of committed money on each day: bucket and signed amount.
with live as (
    select s.offering_id, s.investment_id, s.amount_minor from engine.stage s
    where s.offering_id = :offering and s.status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully')
), paid as (
    select r.investment_id, r.amount_minor, r.status,
        (select max(e.occurred_at) from audit.event e where e.scope = r.offering_id and e.subject = r.receipt_id
            and e.kind = 'receipt.matched') as matched_at,
        (select max(e.occurred_at) from audit.event e where e.scope = r.offering_id and e.subject = r.receipt_id
            and e.kind = 'receipt.cleared') as cleared_at
    from treasury.receipt_fact r join live using (offering_id, investment_id) where r.status in ('matched', 'cleared')
), sent as (
    select l.amount_minor, (select min(e.occurred_at) from audit.event e where e.scope = r.offering_id
        and e.subject = r.release_id and e.kind = 'release.sent') as sent_at
    from treasury.release_fact r join treasury.release_line_fact l using (offering_id, release_id)
    join live using (offering_id, investment_id) where r.status in ('sent', 'settled')
), moved as (
    select min(e.occurred_at) as at, 'committed' as bucket, l.amount_minor as amount_minor from live l
    join audit.event e on e.scope = l.offering_id and e.subject = l.investment_id group by l.investment_id, l.amount_minor
    union all select coalesce(p.matched_at, p.cleared_at), m.bucket, m.sign * p.amount_minor from paid p
        cross join (values ('committed', -1), ('matched', 1)) as m (bucket, sign)
    union all select p.cleared_at, m.bucket, m.sign * p.amount_minor from paid p
        cross join (values ('matched', -1), ('cleared', 1)) as m (bucket, sign) where p.status = 'cleared'
    union all select t.sent_at, m.bucket, m.sign * t.amount_minor from sent t
        cross join (values ('cleared', -1), ('released', 1)) as m (bucket, sign) where t.sent_at is not null
)
select cast(at at time zone 'UTC' as date) as day, bucket, cast(sum(amount_minor) as bigint) as amount_minor
from moved where at is not null group by 1, 2 order by 1, 2;

-- name: funnel^
-- How many investments came through each stage, with every stage before it.
select count(*) as opened, count(*) filter (where s.profile) as profile,
    count(*) filter (where s.profile and s.compliance) as compliance,
    count(*) filter (where s.profile and s.compliance and s.subscription) as subscription,
    count(*) filter (where s.profile and s.compliance and s.subscription and s.funding) as funding,
    count(*) filter (where s.profile and s.compliance and s.subscription and s.funding and s.issuance) as issuance
from engine.stage s where s.offering_id = :offering;

-- name: dropped
-- Why investments are not further: how each ended, or the first condition that it lacks.
select case when s.status in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully') then s.status
    else s.missing -> 0 ->> 'condition' end as reason, count(*) as investments
from engine.stage s where s.offering_id = :offering
    and (s.status in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully') or jsonb_array_length(s.missing) > 0)
group by 1 order by 2 desc, 1;

-- name: holders
-- Who holds how many units by the master securityholder file, the most first.
select h.investor_id, h.units from registry.holding_fact h where h.offering_id = :offering and h.units > 0
order by h.units desc, h.investor_id;

-- name: broken_by_day
-- How many breaks of each comparison were open at the end of each of the last fourteen days.
select d.day::date as day, c.comparison, count(b.break_id) as breaks
from generate_series(current_date - 13, current_date, interval '1 day') as d (day)
cross join unnest(array['identity', 'subscriptions', 'payments', 'wallets', 'holdings']) with ordinality as c (comparison, place)
left join reconciliation.break b on b.offering_id = :offering and b.comparison = c.comparison and b.since < d.day + interval '1 day'
    and (b.status <> 'verified' or d.day + interval '1 day' <= (select max(e.occurred_at) from audit.event e
        where e.scope = b.offering_id and e.subject = b.break_id))
group by d.day, c.comparison, c.place order by c.place, d.day;
