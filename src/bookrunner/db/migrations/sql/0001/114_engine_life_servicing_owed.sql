-- What the register says that somebody is owed, for the book that pays it.

create view engine.cash_in_lieu as
select offering_id, split_id, line_id, investor_id, payee_id, amount_minor, currency, owed_on from registry.cash_in_lieu;
