-- What is owed for the fractions of a split, for the book that pays it.

-- One line for each holder of an executed split whose fraction is paid: owed to the payee that the register had at the execution, under an id
-- that is computed from split and holding.
create view registry.cash_in_lieu as
select l.offering_id, l.split_id, 'lie_' || left(encode(sha256(convert_to(l.split_id || '/' || l.holding_id, 'UTF8')), 'hex'), 26) as line_id,
    h.investor_id, coalesce(m.payee_id, h.investor_id) as payee_id, l.cash_minor as amount_minor, s.currency,
    (s.executed_at at time zone 'UTC')::date as owed_on
from registry.split_line l
join registry.split s on s.offering_id = l.offering_id and s.split_id = l.split_id and s.status = 'executed'
join registry.holding h on h.offering_id = l.offering_id and h.holding_id = l.holding_id
left join registry.payee_mandate m on m.offering_id = h.offering_id and m.investor_id = h.investor_id
    and m.status in ('in_force', 'superseded') and m.decided_at <= s.executed_at
    and (m.superseded_at is null or m.superseded_at > s.executed_at)
where l.cash_minor > 0;
