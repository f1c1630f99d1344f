-- A cut investment owes less: its open attempt asks for less, and what is above the new amount goes back.

-- Sends back what one investment holds above its amount, the latest receipts first, and returns the excess in minor units. Asked
-- again it finds no excess. Refused once units are instructed.
create function treasury.refund_cut(p_actor text, p_request text, p_offering text, p_investment text) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a treasury.payment_attempt;
    owed bigint;
    excess bigint;
    remaining bigint;
    money record;
    leaving text[] := '{}';
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.lock(p_offering, p_investment);
    perform treasury.refuse_after_issuance(p_offering, array[p_investment]);
    select i.amount_minor into owed from engine.investment i
    where i.offering_id = p_offering and i.investment_id = p_investment;
    select * into a from treasury.payment_attempt x where x.offering_id = p_offering and x.investment_id = p_investment
        and x.status in ('initialized', 'in_progress', 'received', 'cleared') for update;
    if not found or a.due_minor <= owed then
        return 0;
    end if;
    excess := greatest(a.received_minor - owed, 0);
    remaining := excess;
    for money in select r.receipt_id, r.amount_minor from treasury.receipt r
        where r.offering_id = p_offering and r.attempt_id = a.attempt_id and r.status in ('matched', 'cleared')
        order by r.booked_on desc, r.receipt_id desc for update
    loop
        exit when remaining = 0;
        if money.amount_minor > remaining then
            perform treasury.divide(p_offering, money.receipt_id, jsonb_build_array(
                jsonb_build_object('id', money.receipt_id || '.kept', 'amount', money.amount_minor - remaining),
                jsonb_build_object('id', money.receipt_id || '.back', 'amount', remaining)));
            leaving := leaving || (money.receipt_id || '.back');
            remaining := 0;
        else
            leaving := leaving || money.receipt_id;
            remaining := remaining - money.amount_minor;
        end if;
    end loop;
    if treasury.start_refunds(p_offering, leaving, 'scale_back') <> cardinality(leaving) then
        raise exception using errcode = 'BR008', constraint = 'refund_goes_to_its_source',
            message = format('the source of a receipt of %s is not known', p_investment);
    end if;
    if excess = 0 then
        update treasury.payment_attempt set due_minor = owed where offering_id = p_offering and attempt_id = a.attempt_id;
    end if;
    -- What was a part of the old amount may be the whole of the new one.
    perform treasury.follow(p_offering, array[a.attempt_id], 'matched');
    perform treasury.follow(p_offering, array[a.attempt_id], 'cleared');
    perform treasury.publish(p_offering, array[p_investment]);
    return excess;
end $$;
