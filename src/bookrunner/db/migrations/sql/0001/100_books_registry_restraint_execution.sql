-- A control action on chain: its calls, each an intent of its own, and what came of them.

-- One call of one try; all calls of a try are signed and stored in one transaction, with nonces that follow each other.
create table registry.control_step (
    offering_id text not null,
    action_id text not null,
    try_no integer not null constraint tries_count_from_one check (try_no > 0),
    step_no integer not null constraint steps_count_from_one check (step_no > 0),
    call text not null constraint control_call_is_known check (call in ('freeze', 'thaw', 'freeze_part', 'thaw_part', 'move',
        'register', 'remove', 'pause', 'unpause')),
    intent_id text not null references registry.chain_intent,
    receiver bytea,
    units bigint,
    primary key (offering_id, action_id, try_no, step_no),
    foreign key (offering_id, action_id) references registry.control_action,
    constraint intent_is_of_one_step unique (intent_id),
    constraint move_names_receiver_and_units check (call <> 'move' or receiver is not null and coalesce(units > 0, false))
);
call audit.append_only('registry.control_step');

-- Where on chain the units of an action moved.
create table registry.control_move (
    offering_id text not null,
    intent_id text primary key references registry.control_step (intent_id),
    chain_id bigint not null,
    transaction_hash bytea not null,
    ordinal integer not null
);
call audit.append_only('registry.control_move');

-- Whether the units of an action went over on chain already, by whichever of its tries.
create function registry.has_moved(a registry.control_action) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
return exists (select from registry.control_move m join registry.control_step s using (intent_id)
    where s.offering_id = a.offering_id and s.action_id = a.action_id);

-- The move of an action on chain, {chain_id, hash, ordinal}; null without one.
create function registry.move_seen(a registry.control_action) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
return (select jsonb_build_object('chain_id', m.chain_id, 'hash', encode(m.transaction_hash, 'hex'), 'ordinal', m.ordinal)
    from registry.control_move m join registry.control_step s using (intent_id)
    where s.offering_id = a.offering_id and s.action_id = a.action_id order by s.try_no desc limit 1);

-- Whether the wallet that an order was decided for is still one of its receiver.
create function registry.order_has_its_receiver(a registry.control_action) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
return registry.is_wallet_of(a.offering_id, a.receiver_id, a.to_address);

-- What an action needs to know to be carried out: addresses, and what our register says of the account.
create view registry.control_plan as
select a.offering_id, a.action_id, a.status, a.kind, a.investor_id, a.receiver_id, a.units, a.version,
    coalesce(a.from_address, registry.wallet_seen(a), registry.account_address(a.offering_id, a.investor_id)) as address,
    case when a.observed_id is null then registry.account_addresses(a.offering_id, a.investor_id)
        else array[registry.wallet_seen(a)] end as addresses,
    case a.kind when 'force_transfer' then case when registry.order_has_its_receiver(a) then a.to_address end
        when 'recover_wallet' then (select w.address from registry.wallet_mapping w
            where w.offering_id = a.offering_id and w.mapping_id = a.mapping_id) end as to_address,
    registry.is_account_frozen(a.offering_id, a.investor_id) as is_frozen,
    registry.frozen_units(a.offering_id, a.investor_id) as frozen_units,
    coalesce((select h.units from registry.holding h where h.offering_id = a.offering_id and h.investor_id = a.investor_id), 0)
        as held_units, registry.has_moved(a) as has_moved
from registry.control_action a;

-- Whether the chain has what an action becomes now: stored calls when it is submitted, final ones when it is executed. What
-- restrains may find the chain as it should be; units never move without a transaction where there is a token.
create function registry.chain_bears_out(a registry.control_action) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return (
    with last_try as (
        select s.intent_id from registry.control_step s where s.offering_id = a.offering_id and s.action_id = a.action_id
            and s.try_no = (select max(x.try_no) from registry.control_step x where x.offering_id = a.offering_id
                and x.action_id = a.action_id)),
    standing as (
        select l.intent_id, bool_or(t.status = 'final') as is_final, bool_or(t.status in ('signed', 'broadcast', 'mined')) as is_out
        from last_try l join registry.chain_transaction t using (intent_id) group by l.intent_id)
    select case when a.status = 'submitted' then coalesce(bool_and(s.is_out), false)
        when count(*) > 0 and not coalesce(bool_or(s.is_out), false) and not bool_and(s.is_final)
            then a.kind not in ('force_transfer', 'recover_wallet') or a.kind = 'force_transfer' and registry.has_moved(a)
        when count(*) > 0 then bool_and(s.is_final)
        else a.kind not in ('force_transfer', 'recover_wallet') or exists (select from engine.offer o
            where o.offering_id = a.offering_id and o.token_address is null) end
    from standing s);

-- Stores the calls of an action beside their transactions: [{intent, call, receiver (hex), units}]. The version is the one
-- that the caller planned by.
create function registry.submit_control(p_actor text, p_request text, p_offering text, p_action text, p_version bigint,
    p_steps jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a registry.control_action;
begin
    perform audit.enter(p_actor, p_request);
    a := registry.hold_control(p_offering, p_action);
    if a.version <> p_version then
        raise exception using errcode = 'BR412', constraint = 'version_is_the_one_that_was_seen',
            message = format('%s changed meanwhile', p_action);
    end if;
    if exists (select from registry.control_step s join registry.chain_transaction t using (intent_id)
        where s.offering_id = p_offering and s.action_id = p_action and t.status in ('signed', 'broadcast', 'mined')
        and not exists (select from jsonb_array_elements(p_steps) p where p ->> 'intent' = s.intent_id)) then
        raise exception using errcode = 'BR008', constraint = 'earlier_calls_are_settled',
            message = format('a call of %s is still on its way', p_action);
    end if;
    if a.kind = 'force_transfer' and not registry.has_moved(a) and not registry.order_has_its_receiver(a) then
        raise exception using errcode = 'BR008', constraint = 'receiver_wallet_is_linked',
            message = format('the wallet that %s was decided for is no longer one of %s', p_action, a.receiver_id);
    end if;
    if a.kind = 'force_transfer' and registry.has_moved(a)
        and exists (select from jsonb_array_elements(p_steps) p where p ->> 'call' = 'move') then
        raise exception using errcode = 'BR008', constraint = 'units_of_an_order_move_once',
            message = format('the units of %s went over already', p_action);
    end if;
    insert into registry.control_step (offering_id, action_id, try_no, step_no, call, intent_id, receiver, units)
    select p_offering, p_action, (select coalesce(max(x.try_no), 0) + 1 from registry.control_step x
            where x.offering_id = p_offering and x.action_id = p_action),
        s.ordinality, s.value ->> 'call', s.value ->> 'intent', decode(s.value ->> 'receiver', 'hex'), (s.value ->> 'units')::bigint
    from jsonb_array_elements(p_steps) with ordinality s;
    if p_steps = '[]' then
        perform registry.carry_out(a, registry.move_seen(a));
    else
        update registry.control_action set status = 'submitted', failed_because = null
        where offering_id = p_offering and action_id = p_action;
    end if;
end $$;

-- A call of an action is final; with the last one of its try the action is done, in this very transaction.
create function registry.post_control(t registry.chain_transaction, p_delivered jsonb) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s registry.control_step;
    a registry.control_action;
begin
    select * into s from registry.control_step where intent_id = t.intent_id;
    if not found then
        return 0;
    end if;
    a := registry.hold_control(t.offering_id, s.action_id);
    if s.call = 'move' then
        if jsonb_array_length(p_delivered) <> 1 or (decode(p_delivered -> 0 ->> 'address', 'hex'),
            (p_delivered -> 0 ->> 'units')::bigint) is distinct from (s.receiver, s.units) then
            raise exception using errcode = 'BR008', constraint = 'chain_delivered_the_frozen_lines',
                message = format('the logs of %s are not what was ordered', t.transaction_id);
        end if;
        insert into registry.control_move (offering_id, intent_id, chain_id, transaction_hash, ordinal)
        values (t.offering_id, t.intent_id, t.chain_id, t.hash, (p_delivered -> 0 ->> 'ordinal')::integer);
    end if;
    if a.status <> 'submitted' or exists (select from registry.control_step x where x.offering_id = s.offering_id
        and x.action_id = s.action_id and x.try_no = s.try_no and not exists (select from registry.chain_transaction y
            where y.intent_id = x.intent_id and y.status = 'final')) then
        return 0;
    end if;
    perform registry.carry_out(a, registry.move_seen(a));
    return 1;
end $$;

-- A call of an action came to nothing: the action waits for another try or its end.
create function registry.revert_control(t registry.chain_transaction, p_because text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    s registry.control_step;
begin
    select * into s from registry.control_step where intent_id = t.intent_id;
    if not found then
        return;
    end if;
    perform registry.hold_control(t.offering_id, s.action_id);
    update registry.control_action set status = 'reverted', failed_because = s.call || ': ' || p_because
    where offering_id = t.offering_id and action_id = s.action_id and status = 'submitted';
end $$;

-- Every action with its people and where it stands on chain, for the console.
create view registry.control_standing as
select a.*, c.calls, c.final_calls, c.transaction_hash
from registry.control_action a
left join lateral (
    select count(*) as calls, count(*) filter (where t.status = 'final') as final_calls,
        (array_agg(t.hash order by s.step_no desc) filter (where t.status = 'final'))[1] as transaction_hash
    from registry.control_step s join registry.chain_transaction t using (intent_id)
    where s.offering_id = a.offering_id and s.action_id = a.action_id and t.status not in ('replaced', 'dropped')
        and s.try_no = (select max(x.try_no) from registry.control_step x where x.offering_id = a.offering_id
            and x.action_id = a.action_id)) c on true;
