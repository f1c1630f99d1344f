-- What is owed for the fractions of splits and conversions, for the book that pays it.

-- What each holder has coming of an executed split, or of an executed conversion of the class that ended.
create view registry.fraction_line as
select l.offering_id, l.split_id, l.holding_id, l.cash_minor, s.currency, s.executed_at
from registry.split_line l join registry.split s using (offering_id, split_id) where s.status = 'executed' and l.cash_minor > 0
union all
select l.offering_id, l.conversion_id, l.holding_id, l.cash_minor, c.currency, c.executed_at
from registry.conversion_line l join registry.conversion c using (offering_id, conversion_id) where c.status = 'executed' and l.cash_minor > 0;

-- One line for each holder whose fraction is paid: owed to the payee that the register had at the execution, under an id that is computed from
-- split or conversion and holding. A conversion stands under its id where a split does.
create view registry.cash_in_lieu as
select l.offering_id, l.split_id, 'lie_' || left(encode(sha256(convert_to(l.split_id || '/' || l.holding_id, 'UTF8')), 'hex'), 26) as line_id,
    h.investor_id, coalesce(m.payee_id, h.investor_id) as payee_id, l.cash_minor as amount_minor, l.currency,
    (l.executed_at at time zone 'UTC')::date as owed_on
from registry.fraction_line l
join registry.holding h on h.offering_id = l.offering_id and h.holding_id = l.holding_id
left join registry.payee_mandate m on m.offering_id = h.offering_id and m.investor_id = h.investor_id
    and m.status in ('in_force', 'superseded') and m.decided_at <= l.executed_at
    and (m.superseded_at is null or m.superseded_at > l.executed_at);
