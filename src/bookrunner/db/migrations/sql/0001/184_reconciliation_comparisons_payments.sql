-- Payments: what the bank booked and the treasury matched sums to the amount of each investment, and money of nobody is named.
-- With p_only, of these investments alone; money of nobody is named always.
create function reconciliation.payments(p_offering text, p_only text[]) returns setof reconciliation.difference
language sql stable parallel safe
begin atomic
    with known as (
        select i.investment_id, i.status = 'closed_successfully' as is_closed, i.amount_minor, i.currency,
            coalesce(m.received_minor, 0) as received_minor, coalesce(m.cleared_minor, 0) as cleared_minor,
            coalesce(t.received_minor, 0) as tried_minor, m.first_currency, m.last_currency, l.amount_minor as released_minor,
            pos.received_minor as shown_received, pos.cleared_minor as shown_cleared, pos.funds_are_received, pos.funds_are_cleared
        from engine.investment i
        join engine.position pos using (offering_id, investment_id)
        left join treasury.receipt_sum m on m.offering_id = p_offering and m.investment_id = i.investment_id
        left join treasury.attempt_sum t on t.offering_id = p_offering and t.investment_id = i.investment_id
        left join treasury.release_line_fact l on l.offering_id = p_offering and l.investment_id = i.investment_id
        where i.offering_id = p_offering and (p_only is null or i.investment_id = any (p_only))),
    judged as (
        select n.*, n.is_closed and n.cleared_minor <> n.amount_minor as is_uncleared,
            n.shown_received <> n.received_minor or n.shown_cleared <> n.cleared_minor
                or n.received_minor > 0 and (n.funds_are_received <> (n.received_minor >= n.amount_minor)
                    or n.funds_are_cleared <> (n.cleared_minor >= n.amount_minor)) as shows_other_money,
            n.first_currency <> n.currency or n.last_currency <> n.currency as is_in_another,
            n.tried_minor <> n.received_minor as is_tried_otherwise, n.released_minor <> n.amount_minor as is_released_otherwise
        from known n)
    select d.kind, j.investment_id, j.investment_id, d.left_value, d.right_value, cast(null as text)
    from judged j cross join lateral (values
        ('cleared_is_not_the_committed_amount', j.is_uncleared, j.cleared_minor::text, j.amount_minor::text),
        ('position_shows_other_money', j.shows_other_money, concat_ws(' ', j.shown_received, j.shown_cleared, j.funds_are_received, j.funds_are_cleared),
            concat_ws(' ', j.received_minor, j.cleared_minor, j.received_minor >= j.amount_minor, j.cleared_minor >= j.amount_minor)),
        ('receipt_is_in_another_currency', j.is_in_another, concat_ws(' ', j.first_currency, nullif(j.last_currency, j.first_currency)), j.currency),
        ('attempt_shows_other_money', j.is_tried_otherwise, j.tried_minor::text, j.received_minor::text),
        ('released_is_not_the_committed_amount', j.is_released_otherwise, j.released_minor::text, j.amount_minor::text))
        as d (kind, differs, left_value, right_value)
    where (j.is_uncleared or j.shows_other_money or j.is_in_another or j.is_tried_otherwise or j.is_released_otherwise) and d.differs
    union all
    select coalesce(r.exception, 'waits_for_matching'), r.receipt_id, null, r.amount_minor::text, null, null
    from treasury.receipt_fact r where r.offering_id = p_offering and r.status in ('unmatched', 'held')
    union all
    select 'receipt_of_no_investment', r.receipt_id, r.investment_id, r.amount_minor::text, null, null
    from treasury.receipt_fact r left join engine.investment i using (offering_id, investment_id)
    where r.offering_id = p_offering and r.status in ('matched', 'cleared') and i.investment_id is null
        and (p_only is null or r.investment_id = any (p_only))
    union all
    select 'settlement_is_overdue', a.allocation_id, null, audit.instant(a.settlement_due_at), a.status, null
    from engine.allocation a where a.offering_id = p_offering and a.settlement_due_at <= now() and a.status = 'escrow_initiated'
    union all
    select 'escrow_is_not_initiated', a.allocation_id, null, a.status, e.status, null
    from engine.allocation a left join treasury.initiation_fact e using (offering_id, allocation_id)
    where a.offering_id = p_offering
        and (a.status, coalesce(e.status, '')) in (('escrow_initiated', ''), ('funded', ''), ('funded', 'initiated'));
end;
