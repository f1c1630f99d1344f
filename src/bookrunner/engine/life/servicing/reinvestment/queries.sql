-- name: reinvested
-- What a run makes of the elections of its holders: units or cash with its reason, and where the units are.
select line_id, investor_id, plan_id, share_bp, price_minor, units, amount_minor, cash_minor, because, currency, state, issued_at
from engine.reinvestment_standing where offering_id = :offering and distribution_id = :distribution order by investor_id;

-- name: reinvested_of
-- What runs that two people approved made of an investor's elections, the latest first.
select s.offering_id, o.name, s.distribution_id, s.record_on, s.share_bp, s.price_minor, s.units, s.amount_minor, s.cash_minor, s.because, s.currency,
    s.state, s.issued_at
from engine.reinvestment_standing s join engine.offer o using (offering_id)
where s.investor_id = :investor and s.distribution_status in ('approved', 'paying', 'paid') order by s.pay_on desc, s.line_id limit 200;
