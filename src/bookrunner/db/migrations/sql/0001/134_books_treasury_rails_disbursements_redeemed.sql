-- What a buy-back owes: the price of a line from the moment on at which its units are cancelled, from money that was set apart before.

-- Owes the lines of a started redemption whose units are cancelled by now and that nobody is owed yet.
create function treasury.declare_redeemed(d engine.distribution) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    redeemed text[] := array(select l.line_id from engine.distribution_line l where l.offering_id = d.offering_id
        and l.distribution_id = d.distribution_id and l.net_minor > 0 and engine.is_redeemed(l.offering_id, l.distribution_id, l.line_id)
        and not exists (select from treasury.disbursement x where x.offering_id = l.offering_id and x.disbursement_id = l.line_id));
    turn integer := 1 + (select count(*) from treasury.journal j where j.offering_id = d.offering_id
        and starts_with(j.journal_id, 'redeemed:' || d.distribution_id || '@'));
    owed bigint;
begin
    if cardinality(redeemed) = 0 then
        return 0;
    end if;
    insert into treasury.disbursement (offering_id, disbursement_id, distribution_id, investor_id, payee_id, status, amount_minor, currency, owed_since)
    select l.offering_id, l.line_id, l.distribution_id, l.investor_id, l.payee_id, 'owed', l.net_minor, d.currency, greatest(d.pay_on, current_date)
    from engine.distribution_line l where l.offering_id = d.offering_id and l.distribution_id = d.distribution_id and l.line_id = any (redeemed)
    order by l.line_id;
    select sum(x.amount_minor)::bigint into owed from treasury.disbursement x where x.offering_id = d.offering_id and x.disbursement_id = any (redeemed);
    perform treasury.post(d.offering_id, 'redeemed:' || d.distribution_id || '@' || turn, 'distribution_declared', d.currency, jsonb_build_array(
        jsonb_build_object('account', 'liab:distribution_funds:' || d.distribution_id, 'side', 'debit', 'amount', owed),
        jsonb_build_object('account', 'liab:distribution:' || d.distribution_id, 'side', 'credit', 'amount', owed)));
    return cardinality(redeemed);
end $$;
