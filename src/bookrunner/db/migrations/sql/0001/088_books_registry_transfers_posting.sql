-- From an approved transfer to the register: signed by the agent's key, stored before it is sent, posted when it is final.

-- The line of an approved transfer, for signing in this very transaction; the caller signs, then calls record_transaction.
create function registry.take_transfer(p_actor text, p_request text, p_offering text, p_transfer text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    q registry.transfer_request;
begin
    perform audit.enter(p_actor, p_request);
    q := registry.hold_transfer(p_offering, p_transfer);
    if (q.status, q.route) <> ('approved', 'agent') then
        raise exception using errcode = 'BR008', constraint = 'agent_moves_what_is_approved_for_it',
            message = format('%s is %s by the %s', p_transfer, q.status, q.route);
    end if;
    perform registry.require_transfer(q);
    return jsonb_build_object('transfer', q.request_id, 'from', encode(q.from_address, 'hex'),
        'address', encode(q.to_address, 'hex'), 'units', q.units);
end $$;

-- The transaction that record_transaction stores takes its transfers with it.
create function registry.instruct_transfers(p_offering text, p_transaction text, p_lines jsonb) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    update registry.transfer_request q set status = 'instructed', transaction_id = p_transaction
    from jsonb_to_recordset(p_lines) as l (transfer text)
    where q.offering_id = p_offering and q.request_id = l.transfer;
end;

-- Whose lots go, and since when the taker's period runs: the taker goes on with the giver's unless an affiliate of the
-- issuer sold (17 CFR 230.144(d)(1), (d)(3)(v) to (vii)).
create function registry.moved_by(q registry.transfer_request) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
return jsonb_build_object('kind', case q.kind when 'own' then 'own' else 'transfer' end, 'from_investor', q.seller_id, 'to_investor', q.buyer_id,
    'from_address', encode(q.from_address, 'hex'), 'to_address', encode(q.to_address, 'hex'), 'units', q.units,
    'reference', q.request_id, 'is_tacked', q.kind <> 'sale' or not exists (select from registry.affiliation a
        where a.offering_id = q.offering_id and a.investor_id = q.seller_id and a.group_name = 'issuer' and a.status = 'recorded'),
    'free_by', case when registry.period_binds(q.offering_id, q.buyer_id, registry.is_permitted(q.offering_id, q.buyer_id, q.request_id))
        then registry.today() end);

create function registry.register_transfer(q registry.transfer_request, p_seen jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    movement text := 'mov_' || substr(q.request_id, 5);
begin
    perform registry.post_movement(q.offering_id, movement, registry.moved_by(q), p_seen);
    update registry.transfer_request set status = 'registered', movement_id = movement
    where offering_id = q.offering_id and request_id = q.request_id;
    perform registry.turn_item(current_setting('bookrunner.actor'), q.offering_id, q.item_id, null);
end $$;

-- Posts the transfers of a final transaction, each from its own log.
create function registry.post_transfers(t registry.chain_transaction, p_delivered jsonb) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    q registry.transfer_request;
    log jsonb;
    posted integer := 0;
begin
    for q in select * from registry.transfer_request x where x.offering_id = t.offering_id
        and x.transaction_id = t.transaction_id and x.status = 'instructed' order by x.request_id for update loop
        select d into log from jsonb_array_elements(p_delivered) d where d ->> 'address' = encode(q.to_address, 'hex');
        perform registry.register_transfer(q, jsonb_build_object('chain_id', t.chain_id, 'hash', encode(t.hash, 'hex'),
            'ordinal', log -> 'ordinal'));
        posted := posted + 1;
    end loop;
    return posted;
end $$;

-- What a transaction that did nothing would have moved is approved as before.
create function registry.free_transfers(t registry.chain_transaction) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    update registry.transfer_request set status = 'approved', transaction_id = null
    where offering_id = t.offering_id and transaction_id = t.transaction_id and status = 'instructed';
end;

create view registry.transfer_fact as
select offering_id, request_id, status, kind, route, seller_id, buyer_id, units, version, chain_head from registry.transfer_request;
