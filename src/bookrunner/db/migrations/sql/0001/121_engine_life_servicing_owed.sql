-- What the register says that somebody is owed, for the book that pays it.

create view engine.cash_in_lieu as
select offering_id, split_id, line_id, investor_id, payee_id, amount_minor, currency, owed_on from registry.cash_in_lieu;

-- Whoever an offer pays or may have to pay: by a line or a fraction, as a holder, or for a holder who named it.
create view engine.payee_of_offer as
select offering_id, payee_id from engine.distribution_line
union all
select offering_id, payee_id from registry.cash_in_lieu
union all
select offering_id, investor_id from registry.holding where units > 0
union all
select offering_id, payee_id from registry.payee_mandate where status in ('proposed', 'in_force');
