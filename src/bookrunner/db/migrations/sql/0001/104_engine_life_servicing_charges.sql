-- What the register charges for a transfer, for the book that posts it.

create function engine.transfer_fee(p_offering text, p_transfer text) returns table (payer_id text, amount_minor bigint, currency text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select c.payer_id, c.amount_minor, c.currency from registry.charge_fact c
    where c.offering_id = p_offering and c.request_id = p_transfer;
end;

-- Every fee that was charged.
create view engine.transfer_charge as
select offering_id, request_id, payer_id, amount_minor, currency, charged_at from registry.charge_fact;
