-- Fees of transfers in the ledger: what the payer owes, and whose it is; each once, by the charge that the register fixed.

create function treasury.charge_transfer_fee(p_actor text, p_request text, p_offering text, p_transfer text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c record;
begin
    perform audit.enter(p_actor, p_request);
    select * into c from engine.transfer_fee(p_offering, p_transfer);
    if not found then
        return false;
    end if;
    perform treasury.take_turn(p_offering);
    perform treasury.post(p_offering, 'transfer_fee:' || p_transfer, 'transfer_fee', c.currency, jsonb_build_array(
        jsonb_build_object('account', 'asset:transfer_fee:' || c.payer_id, 'side', 'debit', 'amount', c.amount_minor),
        jsonb_build_object('account', 'liab:transfer_fees', 'side', 'credit', 'amount', c.amount_minor)));
    return true;
end $$;
