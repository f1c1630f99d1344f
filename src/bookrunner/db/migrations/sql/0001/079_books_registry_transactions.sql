-- Chain transactions: keys and their nonces, attempts and their fees, and what the chain made of each.

create function registry.open_key(p_actor text, p_request text, p_chain_id bigint, p_address bytea, p_purpose text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into registry.chain_key (chain_id, address, purpose) values (p_chain_id, p_address, p_purpose)
    on conflict do nothing;
end $$;

create function registry.is_stopped(p_chain_id bigint, p_address bytea) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from registry.key_stop s where s.chain_id = p_chain_id and s.sender = p_address
    and s.status in ('stopped', 'proposed'));

-- Takes the next nonce of a key; the row stays locked until the transaction that signs with it commits. A key that
-- somebody else used signs nothing until two people start it again.
create function registry.take_nonce(p_actor text, p_request text, p_chain_id bigint, p_address bytea) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    taken bigint;
begin
    perform audit.enter(p_actor, p_request);
    update registry.chain_key set next_nonce = next_nonce + 1 where chain_id = p_chain_id and address = p_address
    returning next_nonce - 1 into taken;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'chain_key_is_known',
            message = 'that key has not been opened for this chain';
    end if;
    if registry.is_stopped(p_chain_id, p_address) then
        raise exception using errcode = 'BR008', constraint = 'chain_key_is_not_stopped',
            message = 'somebody else used that key';
    end if;
    return taken;
end $$;

-- A further attempt does what the one before it does, and offers at least an eighth more of both fees: nodes refuse less.
create function registry.attempt_follows_its_predecessor() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    t registry.chain_transaction;
begin
    if new.attempt_no = 1 then
        return new;
    end if;
    select * into t from registry.chain_transaction where intent_id = new.intent_id and attempt_no = new.attempt_no - 1;
    if (t.offering_id, t.purpose, t.lines_sha256) is distinct from (new.offering_id, new.purpose, new.lines_sha256) then
        raise exception using errcode = 'BR008', constraint = 'attempt_does_the_same',
            message = format('attempt %s of %s does something else', new.attempt_no, new.intent_id);
    end if;
    if new.max_fee_wei * 8 < t.max_fee_wei * 9 or new.priority_fee_wei * 8 < t.priority_fee_wei * 9 then
        raise exception using errcode = 'BR008', constraint = 'replacement_raises_both_fees',
            message = format('attempt %s of %s offers too little more', new.attempt_no, new.intent_id);
    end if;
    return new;
end $$;

create trigger attempt_follows_its_predecessor before insert on registry.chain_transaction
    for each row execute function registry.attempt_follows_its_predecessor();
alter table registry.chain_transaction enable always trigger attempt_follows_its_predecessor;

-- The RFC 8785 text of lines, which are flat: what audit.canonical says of them, without a call for each.
create function registry.spelled_lines(p_lines jsonb) returns text
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
    select '[' || coalesce(string_agg('{' || coalesce((select string_agg(to_json(f.key)::text || ':' || audit.spelled(f.value),
            ',' order by f.key collate "C") from jsonb_each(l.value) f), '') || '}', ',' order by l.ordinality), '') || ']'
    from jsonb_array_elements(p_lines) with ordinality l (value, ordinality);
end;

create function registry.store_attempt(p_offering text, p_transaction jsonb, p_attempt integer, p_lines jsonb) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    insert into registry.chain_transaction (offering_id, transaction_id, intent_id, purpose, status, chain_id, sender,
        nonce, attempt_no, max_fee_wei, priority_fee_wei, hash, raw, lines, lines_sha256)
    values (p_offering, p_transaction ->> 'id', p_transaction ->> 'intent', p_transaction ->> 'purpose', 'signed',
        (p_transaction ->> 'chain_id')::bigint, decode(p_transaction ->> 'sender', 'hex'), (p_transaction ->> 'nonce')::bigint, p_attempt,
        (p_transaction ->> 'max_fee')::bigint, (p_transaction ->> 'priority_fee')::bigint, decode(p_transaction ->> 'hash', 'hex'),
        decode(p_transaction ->> 'raw', 'hex'), p_lines, sha256(convert_to(registry.spelled_lines(p_lines), 'UTF8')));
end;

create function registry.store_intent(p_offering text, p_transaction jsonb, p_lines jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into registry.chain_intent (intent_id, chain_id, sender, nonce) values (p_transaction ->> 'intent',
        (p_transaction ->> 'chain_id')::bigint, decode(p_transaction ->> 'sender', 'hex'), (p_transaction ->> 'nonce')::bigint);
    perform registry.store_attempt(p_offering, p_transaction, 1, p_lines);
end $$;

-- Stores a signed transaction before anybody sees it. The transaction holds id, intent, purpose, chain_id, sender,
-- nonce, max_fee, priority_fee (wei for each unit of gas), hash, raw (hex); lines are what it must do.
create function registry.record_transaction(p_actor text, p_request text, p_offering text, p_transaction jsonb,
    p_lines jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.store_intent(p_offering, p_transaction, p_lines);
    update registry.issuance_instruction i set status = 'submitted', transaction_id = p_transaction ->> 'id'
    from jsonb_to_recordset(p_lines) as l (instruction text)
    where i.offering_id = p_offering and i.instruction_id = l.instruction;
    update engine.position pos set issuance = 'submitted' from jsonb_to_recordset(p_lines) as l (investment text)
    where pos.offering_id = p_offering and pos.investment_id = l.investment and pos.issuance = 'instructed';
    perform registry.instruct_transfers(p_offering, p_transaction ->> 'id', p_lines);
    case p_transaction ->> 'purpose'
        when 'split' then perform registry.instruct_split(p_offering, p_transaction ->> 'intent', p_lines);
        when 'redemption' then perform registry.instruct_redemption(p_offering, p_transaction ->> 'intent', p_lines);
        when 'conversion' then perform registry.instruct_conversion(p_offering, p_transaction ->> 'intent', p_lines);
        when 'reinvestment' then perform registry.instruct_reinvestment(p_offering, p_transaction ->> 'intent', p_lines);
        else null;
    end case;
end $$;

-- Locks every attempt at the intent of a transaction, in order, and returns the transaction as it stands then.
create function registry.hold_attempts(p_offering text, p_transaction text) returns registry.chain_transaction
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    t registry.chain_transaction;
begin
    perform 1 from registry.chain_transaction where intent_id = (select x.intent_id from registry.chain_transaction x
        where x.offering_id = p_offering and x.transaction_id = p_transaction) order by attempt_no for update;
    select * into t from registry.chain_transaction where offering_id = p_offering and transaction_id = p_transaction;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'transaction_exists',
            message = format('there is no transaction %s in %s', p_transaction, p_offering);
    end if;
    return t;
end $$;

-- Stores a further attempt at the intent of a transaction that no block holds; returns false when one of its attempts
-- has come through, when another worker has replaced it already, and while its key is stopped.
create function registry.record_replacement(p_actor text, p_request text, p_offering text, p_replaced text,
    p_transaction jsonb) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    t registry.chain_transaction;
begin
    perform audit.enter(p_actor, p_request);
    t := registry.hold_attempts(p_offering, p_replaced);
    if exists (select from registry.chain_transaction x where x.intent_id = t.intent_id
        and (x.status not in ('signed', 'broadcast') or x.attempt_no > t.attempt_no))
        or registry.is_stopped(t.chain_id, t.sender) then
        return false;
    end if;
    perform registry.store_attempt(p_offering, p_transaction || jsonb_build_object('intent', t.intent_id, 'purpose', t.purpose,
        'chain_id', t.chain_id, 'sender', encode(t.sender, 'hex'), 'nonce', t.nonce), t.attempt_no + 1, t.lines);
    return true;
end $$;

-- Notes what a node says of transactions that are not final: rows of transaction, status (broadcast or mined) and, for
-- one that is mined, block and hash. A block that lost it puts it back to broadcast. Returns how many changed.
create function registry.note_seen(p_actor text, p_request text, p_offering text, p_seen jsonb) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    changed integer;
begin
    perform audit.enter(p_actor, p_request);
    if exists (select from jsonb_array_elements(p_seen) s where s ->> 'status' not in ('broadcast', 'mined')) then
        raise exception using errcode = 'BR008', constraint = 'final_is_marked_with_its_posting',
            message = 'a transaction that came through is not noted by itself';
    end if;
    perform 1 from registry.chain_transaction t where t.offering_id = p_offering and t.transaction_id in (
        select s ->> 'transaction' from jsonb_array_elements(p_seen) s) order by t.transaction_id for update;
    update registry.chain_transaction t set status = s.status, block_number = s.block, block_hash = decode(s.hash, 'hex'),
        waits_since = clock_timestamp()
    from jsonb_to_recordset(p_seen) as s (transaction text, status text, block bigint, hash text)
    where t.offering_id = p_offering and t.transaction_id = s.transaction
        and (t.status = 'signed' or t.status = 'broadcast' and s.status = 'mined' or t.status = 'mined'
            and (s.status, decode(s.hash, 'hex')) is distinct from (t.status, t.block_hash));
    get diagnostics changed = row_count;
    return changed;
end $$;

-- One attempt came through: its siblings are replaced, and the lines of the intent belong to it.
create function registry.let_win(t registry.chain_transaction) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update registry.chain_transaction set status = 'replaced'
    where intent_id = t.intent_id and transaction_id <> t.transaction_id and status in ('signed', 'broadcast', 'mined');
    update registry.issuance_instruction i set transaction_id = t.transaction_id
    from registry.chain_transaction x where x.intent_id = t.intent_id and x.transaction_id <> t.transaction_id
        and i.offering_id = x.offering_id and i.transaction_id = x.transaction_id;
    update registry.transfer_request q set transaction_id = t.transaction_id
    from registry.chain_transaction x where x.intent_id = t.intent_id and x.transaction_id <> t.transaction_id
        and q.offering_id = x.offering_id and q.transaction_id = x.transaction_id and q.status = 'instructed';
end $$;

-- Marks a transaction final; a delivery is posted to the master securityholder file in the same transaction.
-- Delivered lists what the chain's logs say as {address, units, ordinal} and must equal the frozen lines.
create function registry.finalize(p_actor text, p_request text, p_offering text, p_transaction text, p_block jsonb,
    p_delivered jsonb) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    t registry.chain_transaction;
begin
    perform audit.enter(p_actor, p_request);
    t := registry.hold_attempts(p_offering, p_transaction);
    if t.status = 'final' then
        return 0;
    end if;
    perform 1 from engine.position pos join jsonb_to_recordset(t.lines) as l (investment text)
        on pos.investment_id = l.investment where pos.offering_id = p_offering order by pos.investment_id for update of pos;
    if t.purpose in ('deliver', 'transfer', 'split', 'redemption', 'conversion', 'reinvestment') and (
        select jsonb_agg(jsonb_build_array(l.address, l.units) order by l.address, l.units)
        from jsonb_to_recordset(t.lines) as l (address text, units bigint)) is distinct from (
        select jsonb_agg(jsonb_build_array(d.address, d.units) order by d.address, d.units)
        from jsonb_to_recordset(p_delivered) as d (address text, units bigint)) then
        raise exception using errcode = 'BR008', constraint = 'chain_delivered_the_frozen_lines',
            message = format('the logs of %s are not its frozen lines', p_transaction);
    end if;
    -- Whoever decides on a transfer takes the book before its request.
    perform registry.book_of(p_offering) where t.purpose = 'transfer';
    perform registry.let_win(t);
    update registry.chain_transaction set status = 'final', block_number = (p_block ->> 'number')::bigint,
        block_hash = decode(p_block ->> 'hash', 'hex'), incarnation = decode(p_block ->> 'incarnation', 'hex')
    where offering_id = p_offering and transaction_id = p_transaction;
    return case t.purpose
        when 'deliver' then registry.post_delivery(t, p_delivered)
        when 'control' then registry.post_control(t, p_delivered)
        when 'transfer' then registry.post_transfers(t, p_delivered)
        when 'split' then registry.post_split(t, p_delivered)
        when 'redemption' then registry.post_redemption(t, p_delivered)
        when 'conversion' then registry.post_conversion(t, p_delivered)
        when 'reinvestment' then registry.post_reinvestment(t, p_delivered)
        else 0 end;
end $$;

-- The lines of a transaction that did nothing are free again, as a new fact.
create function registry.free_lines(t registry.chain_transaction, p_because text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.position pos join registry.issuance_instruction i using (offering_id, investment_id)
        where i.offering_id = t.offering_id and i.transaction_id = t.transaction_id order by investment_id for update of pos;
    update registry.issuance_instruction set status = 'reverted', stopped_because = p_because
    where offering_id = t.offering_id and transaction_id = t.transaction_id and status = 'submitted';
    update engine.position pos set issuance = 'open' from registry.issuance_instruction i
    where i.offering_id = t.offering_id and i.transaction_id = t.transaction_id and pos.offering_id = i.offering_id
        and pos.investment_id = i.investment_id and pos.issuance = 'submitted';
    update registry.issuance_instruction set status = 'stopped'
    where offering_id = t.offering_id and transaction_id = t.transaction_id and status = 'reverted';
    perform registry.free_transfers(t);
    perform registry.revert_control(t, p_because);
end $$;

-- The chain refused a final transaction.
create function registry.record_revert(p_actor text, p_request text, p_offering text, p_transaction text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    t registry.chain_transaction;
begin
    perform audit.enter(p_actor, p_request);
    t := registry.hold_attempts(p_offering, p_transaction);
    if t.status in ('final', 'reverted') then
        return;
    end if;
    perform registry.let_win(t);
    update registry.chain_transaction set status = 'reverted' where offering_id = p_offering and transaction_id = p_transaction;
    perform registry.free_lines(t, p_because);
end $$;

-- A final transaction that is none of ours has our nonce: every attempt at the intent is dropped and the key signs
-- nothing more. Its lines stay with it until two people start the key again. The caller names the newest attempt that it
-- asked the chain for: while there is a newer one nothing is known, and false comes back.
create function registry.drop_intent(p_actor text, p_request text, p_offering text, p_transaction text, p_stop text)
returns boolean language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    t registry.chain_transaction;
begin
    perform audit.enter(p_actor, p_request);
    t := registry.hold_attempts(p_offering, p_transaction);
    if exists (select from registry.chain_transaction x where x.intent_id = t.intent_id
        and (x.attempt_no > t.attempt_no or x.status in ('final', 'reverted'))) then
        return false;
    end if;
    perform 1 from registry.chain_key where chain_id = t.chain_id and address = t.sender for update;
    update registry.chain_transaction set status = 'dropped', block_number = null, block_hash = null
    where intent_id = t.intent_id and status in ('signed', 'broadcast', 'mined');
    if found then
        insert into registry.key_stop (offering_id, stop_id, status, chain_id, sender, intent_id)
        values (p_offering, p_stop, 'stopped', t.chain_id, t.sender, t.intent_id);
    end if;
    return true;
end $$;

-- The chain holds a transaction of ours that was taken for dropped: it goes on from where it stood, and the key signs again.
create function registry.find_again(p_actor text, p_request text, p_offering text, p_stop text, p_transaction text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update registry.key_stop set status = 'mistaken' where offering_id = p_offering and stop_id = p_stop
        and intent_id = (registry.hold_attempts(p_offering, p_transaction)).intent_id;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'key_stop_exists',
            message = format('there is no stop %s of %s in %s', p_stop, p_transaction, p_offering);
    end if;
    update registry.chain_transaction set status = 'broadcast' where offering_id = p_offering and transaction_id = p_transaction;
end $$;

-- A person says why a stopped key may sign again.
create function registry.propose_start(p_actor text, p_request text, p_offering text, p_stop text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update registry.key_stop set status = 'proposed', proposed_by = p_actor, start_because = p_because
    where offering_id = p_offering and stop_id = p_stop;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'key_stop_exists',
            message = format('there is no stop %s in %s', p_stop, p_offering);
    end if;
end $$;

-- A second person starts the key again, from the nonce that the chain counts at its final block, and frees the lines of the dropped intent: they
-- can be delivered by a later one. While that count has not passed the nonce of the intent its bytes may still be mined, and nothing is freed.
create function registry.start_key(p_actor text, p_request text, p_offering text, p_stop text, p_next_nonce bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s registry.key_stop;
begin
    perform audit.enter(p_actor, p_request);
    update registry.key_stop set status = 'started', approved_by = p_actor
    where offering_id = p_offering and stop_id = p_stop returning * into s;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'key_stop_exists',
            message = format('there is no stop %s in %s', p_stop, p_offering);
    end if;
    if p_next_nonce <= (select i.nonce from registry.chain_intent i where i.intent_id = s.intent_id) then
        raise exception using errcode = 'BR008', constraint = 'dropped_nonce_is_spent',
            message = format('the chain counts %s final transactions of that key', p_next_nonce);
    end if;
    update registry.chain_key set next_nonce = greatest(next_nonce, p_next_nonce)
    where chain_id = s.chain_id and address = s.sender;
    perform registry.free_lines(t, s.start_because) from registry.chain_transaction t where t.intent_id = s.intent_id;
end $$;

create function registry.deliveries_are_stopped(p_offering text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from registry.delivery_stop s where s.offering_id = p_offering and s.status in ('stopped', 'proposed'));

-- Compares what was found of a token with its record, and stops its deliveries when something changed; returns the stop's
-- names of what did. The first finding is the record. While deliveries are stopped, the newest finding is shown.
create function registry.compare_token(p_actor text, p_request text, p_offering text, p_stop text, p_found jsonb) returns text[]
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    recorded jsonb;
    differs text[];
begin
    perform audit.enter(p_actor, p_request);
    perform pg_advisory_xact_lock(hashtextextended('registry.token_record/' || p_offering, 0));
    select r.shows into recorded from registry.token_record r where r.offering_id = p_offering order by r.record_no desc limit 1;
    if recorded is null then
        insert into registry.token_record (offering_id, record_no, shows) values (p_offering, 1, p_found);
        return '{}';
    end if;
    differs := array(select coalesce(f.key, r.key) from jsonb_each(p_found) f full join jsonb_each(recorded) r using (key)
        where f.value is distinct from r.value order by 1);
    if registry.deliveries_are_stopped(p_offering) then
        update registry.delivery_stop set status = 'stopped', changed = differs, shows = p_found, proposed_by = null,
            acknowledged_because = null
        where offering_id = p_offering and status in ('stopped', 'proposed') and shows <> p_found and differs <> '{}';
        return (select s.changed from registry.delivery_stop s where s.offering_id = p_offering and s.status in ('stopped', 'proposed'));
    end if;
    if differs <> '{}' then
        insert into registry.delivery_stop (offering_id, stop_id, status, changed, shows)
        values (p_offering, p_stop, 'stopped', differs, p_found);
    end if;
    return differs;
end $$;

-- A person says why the change that was found may stand.
create function registry.propose_acknowledgement(p_actor text, p_request text, p_offering text, p_stop text, p_because text)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update registry.delivery_stop set status = 'proposed', proposed_by = p_actor, acknowledged_because = p_because
    where offering_id = p_offering and stop_id = p_stop;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'delivery_stop_exists',
            message = format('there is no stop %s in %s', p_stop, p_offering);
    end if;
end $$;

-- A second person acknowledges it: what was found is the record from now on, and nonces start where the chain counts.
create function registry.acknowledge_change(p_actor text, p_request text, p_offering text, p_stop text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s registry.delivery_stop;
begin
    perform audit.enter(p_actor, p_request);
    update registry.delivery_stop set status = 'acknowledged', acknowledged_by = p_actor
    where offering_id = p_offering and stop_id = p_stop returning * into s;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'delivery_stop_exists',
            message = format('there is no stop %s in %s', p_stop, p_offering);
    end if;
    update registry.chain_key k set next_nonce = greatest(k.next_nonce, n.value::bigint)
    from jsonb_each_text(s.shows -> 'foreign_nonces') n where k.address = decode(n.key, 'hex')
        and k.chain_id = (s.shows ->> 'chain_id')::bigint;
    insert into registry.token_record (offering_id, record_no, shows)
    select p_offering, 1 + max(r.record_no), s.shows || jsonb_build_object('foreign_nonces', '{}'::jsonb)
    from registry.token_record r where r.offering_id = p_offering;
end $$;
