-- name: reinvested
-- What a run makes of the elections of its holders: units or cash with its reason, and where the units are.
select line_id, investor_id, plan_id, share_bp, price_minor, units, amount_minor, cash_minor, because, currency, state, issued_at
from engine.reinvestment_standing where offering_id = :offering and distribution_id = :distribution order by investor_id;
