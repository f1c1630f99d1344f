-- What a buy-back owes: the price of a line from the moment on at which its units are cancelled, from money that was set apart before.

-- A price that goes back is that of a line that two people let go and that nobody is owed, and the ledger has it.
create function treasury.released_price_is_of_its_line() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from engine.released_line x where (x.offering_id, x.line_id, x.distribution_id, x.net_minor)
            = (new.offering_id, new.line_id, new.distribution_id, new.amount_minor))
        or exists (select from treasury.disbursement d where d.offering_id = new.offering_id and d.disbursement_id = new.line_id)
        or not exists (select from treasury.journal j where j.offering_id = new.offering_id and j.journal_id = 'released:' || new.line_id) then
        raise exception using errcode = 'BR008', constraint = 'released_price_is_of_its_line', message = format('%s was not let go', new.line_id);
    end if;
    return new;
end $$;
create trigger released_price_is_of_its_line before insert on treasury.released_price
    for each row execute function treasury.released_price_is_of_its_line();
alter table treasury.released_price enable always trigger released_price_is_of_its_line;

-- Takes so much out of one receipt of a payment that has begun: it is the issuer's money that waits, to be sent back like any.
create function treasury.free_of_funding(r treasury.receipt, p_line text, p_amount bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    freed text := r.receipt_id;
    kept text;
begin
    if p_amount < r.amount_minor then
        kept := 'rcp_' || left(encode(sha256(convert_to(r.receipt_id || '/kept/' || p_line, 'UTF8')), 'hex'), 26);
        freed := 'rcp_' || left(encode(sha256(convert_to(r.receipt_id || '/freed/' || p_line, 'UTF8')), 'hex'), 26);
        perform treasury.divide(r.offering_id, r.receipt_id, jsonb_build_array(
            jsonb_build_object('id', kept, 'amount', r.amount_minor - p_amount), jsonb_build_object('id', freed, 'amount', p_amount)));
        update treasury.receipt set status = 'funding', funds_distribution_id = r.funds_distribution_id
        where offering_id = r.offering_id and receipt_id = kept;
        update treasury.receipt set matched_in = null, exception = 'match_was_undone', undone_because = 'a line of a buy-back was let go'
        where offering_id = r.offering_id and receipt_id = freed;
        return;
    end if;
    update treasury.receipt set status = 'unmatched', funds_distribution_id = null, matched_in = null, exception = 'match_was_undone',
        undone_because = 'a line of a buy-back was let go'
    where offering_id = r.offering_id and receipt_id = freed;
end $$;

-- The receipts of one side from which a price may go back: money at the bank, or tokens that came to the wallet that pays now.
create function treasury.freeable_receipts(p_offering text, p_distribution text, p_is_coin boolean) returns setof treasury.receipt
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return query select f.* from treasury.receipt f where f.offering_id = p_offering and f.funds_distribution_id = p_distribution and f.status = 'funding'
        and (f.rail = 'stablecoin') = p_is_coin and not exists (select from treasury.coin_transfer t
            where t.offering_id = f.offering_id and t.receipt_id = coalesce(f.root_id, f.receipt_id) and not exists (select from treasury.paying_wallet w
                where w.offering_id = t.offering_id and w.address = t.address and w.status = 'in_force'))
    order by f.receipt_id;
end $$;

-- Gives the price of each line that was let go back from what is set apart, once every other line of the buy-back is paid: nobody needs the money
-- any more. First from the rail that its payee would have been paid by, and from no rail more than is left on it. What stands under no such receipt
-- waits, and so does everything while the bank has taken money of it back.
create function treasury.free_released(d engine.distribution) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    x engine.released_line;
    r treasury.receipt;
    rest bigint;
    part bigint;
    is_coin boolean;
    coins bigint;
    cash bigint;
begin
    if treasury.lacks_money(d.offering_id, d.distribution_id) or exists (select from engine.distribution_line l
            left join treasury.disbursement p on p.offering_id = l.offering_id and p.disbursement_id = l.line_id
            where l.offering_id = d.offering_id and l.distribution_id = d.distribution_id and l.net_minor > 0 and p.status is distinct from 'paid'
                and not exists (select from engine.released_line o where o.offering_id = l.offering_id and o.line_id = l.line_id)) then
        return;
    end if;
    for x in select l.* from engine.released_line l where l.offering_id = d.offering_id and l.distribution_id = d.distribution_id
            and l.net_minor > 0 and not exists (select from treasury.released_price p where p.offering_id = l.offering_id and p.line_id = l.line_id)
        order by l.line_id
    loop
        rest := x.net_minor;
        is_coin := exists (select from treasury.payee_account a where a.investor_id = x.payee_id and a.status = 'in_force' and a.way = 'stablecoin');
        coins := greatest(least(treasury.room_on(d.offering_id, d.distribution_id, true), (select coalesce(sum(f.amount_minor), 0)
            from treasury.freeable_receipts(d.offering_id, d.distribution_id, true) f)), 0);
        cash := greatest(least(treasury.room_on(d.offering_id, d.distribution_id, false), (select coalesce(sum(f.amount_minor), 0)
            from treasury.freeable_receipts(d.offering_id, d.distribution_id, false) f)), 0);
        continue when coins + cash < rest;
        for side in 1 .. 2 loop
            for r in select f.* from treasury.freeable_receipts(d.offering_id, d.distribution_id, is_coin) f loop
                part := least(rest, case when is_coin then coins else cash end, r.amount_minor);
                continue when part = 0;
                perform treasury.free_of_funding(r, x.line_id, part);
                rest := rest - part;
                coins := coins - case when is_coin then part else 0 end;
                cash := cash - case when is_coin then 0 else part end;
            end loop;
            is_coin := not is_coin;
        end loop;
        perform treasury.post(d.offering_id, 'released:' || x.line_id, 'redemption_released', d.currency, jsonb_build_array(
            jsonb_build_object('account', 'liab:distribution_funds:' || d.distribution_id, 'side', 'debit', 'amount', x.net_minor),
            jsonb_build_object('account', 'liab:unmatched', 'side', 'credit', 'amount', x.net_minor)));
        insert into treasury.released_price (offering_id, line_id, distribution_id, amount_minor)
        values (d.offering_id, x.line_id, d.distribution_id, x.net_minor);
    end loop;
end $$;

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
    perform treasury.free_released(d);
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
