-- Issuance: instructions of a frozen set, signed batches, and the posting to the master securityholder file.

-- Locks the positions in order, then says in a statement of its own what each of them lacks.
create function registry.lock_and_judge(p_offering text, p_investments text[]) returns jsonb
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id = any (p_investments)
    order by pos.investment_id for update;
    return (select coalesce(jsonb_object_agg(pos.investment_id, engine.missing(pos, g.mask)), '{}')
        from engine.position pos, engine.gate g
        where pos.offering_id = p_offering and pos.investment_id = any (p_investments) and g.act = 'issue');
end $$;

-- Prepares the instructions of a frozen set. Members are {investment, instruction}; those whose gate has closed
-- get none and come back with what is missing.
create function registry.instruct(p_actor text, p_request text, p_offering text, p_closing text, p_members jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    verdict jsonb;
    passing text[];
begin
    perform audit.enter(p_actor, p_request);
    verdict := registry.lock_and_judge(p_offering,
        (select array_agg(m ->> 'investment') from jsonb_array_elements(p_members) m));
    passing := array(select v.key from jsonb_each(verdict) v where v.value = '[]');
    insert into registry.issuance_instruction (offering_id, instruction_id, investment_id, investor_id, closing_id,
        status, units, address, authorised_by)
    select p_offering, m.instruction, m.investment, pos.investor_id, p_closing, 'prepared', cm.units, w.address, p_actor
    from jsonb_to_recordset(p_members) as m (investment text, instruction text)
    join engine.position pos on pos.offering_id = p_offering and pos.investment_id = m.investment
    join engine.closing_member cm on cm.offering_id = p_offering and cm.closing_id = p_closing
        and cm.investment_id = m.investment
    join registry.wallet_mapping w on w.offering_id = p_offering and w.investor_id = pos.investor_id and w.status = 'linked'
    where m.investment = any (passing) and not exists (select from registry.issuance_instruction i
        where i.offering_id = p_offering and i.investment_id = m.investment and i.status <> 'stopped')
    order by m.investment;
    update engine.position pos set issuance = 'instructed', issuance_is_stopped = false
    where pos.offering_id = p_offering and pos.investment_id = any (passing) and pos.issuance = 'open';
    return (select coalesce(jsonb_object_agg(v.key, v.value), '{}') from jsonb_each(verdict) v where v.value <> '[]');
end $$;

-- Stops prepared instructions whose gate has closed, or that a named cause keeps from the chain.
create function registry.stop(p_actor text, p_request text, p_offering text, p_investments text[], p_because text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    stopped integer;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id = any (p_investments)
    order by pos.investment_id for update;
    update registry.issuance_instruction set status = 'stopped', stopped_because = p_because
    where offering_id = p_offering and investment_id = any (p_investments) and status = 'prepared';
    get diagnostics stopped = row_count;
    update engine.position set issuance = 'open', issuance_is_stopped = false
    where offering_id = p_offering and investment_id = any (p_investments) and issuance = 'instructed';
    return stopped;
end $$;

-- Takes up to p_most prepared instructions whose gate is open now, for signing in this very transaction; those
-- whose gate has closed are stopped. The caller signs, then calls record_delivery before it commits.
create function registry.take_lines(p_actor text, p_request text, p_offering text, p_closing text, p_most integer) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    chosen text[];
    verdict jsonb;
    closed text[];
begin
    perform audit.enter(p_actor, p_request);
    chosen := array(select i.investment_id from registry.issuance_instruction i
        where i.offering_id = p_offering and i.closing_id = p_closing and i.status = 'prepared'
        order by i.investment_id limit p_most);
    verdict := registry.lock_and_judge(p_offering, chosen);
    closed := array(select v.key from jsonb_each(verdict) v where v.value <> '[]');
    if closed <> '{}' then
        perform registry.stop(p_actor, p_request, p_offering, closed, 'gate_is_closed');
    end if;
    return (select coalesce(jsonb_agg(jsonb_build_object('instruction', i.instruction_id, 'investment', i.investment_id,
            'address', encode(i.address, 'hex'), 'units', i.units) order by i.investment_id), '[]')
        from registry.issuance_instruction i where i.offering_id = p_offering and i.status = 'prepared'
        and i.closing_id = p_closing and i.investment_id = any (chosen));
end $$;

create function registry.open_key(p_actor text, p_request text, p_chain_id bigint, p_address bytea, p_purpose text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into registry.chain_key (chain_id, address, purpose) values (p_chain_id, p_address, p_purpose)
    on conflict do nothing;
end $$;

-- Takes the next nonce of a key; the row stays locked until the transaction that signs with it commits.
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
    return taken;
end $$;

-- Stores a signed transaction before anybody sees it. The transaction holds id, intent, purpose, chain_id, sender,
-- nonce, hash, raw (hex); lines are what it must do.
create function registry.record_transaction(p_actor text, p_request text, p_offering text, p_transaction jsonb,
    p_lines jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into registry.chain_transaction (offering_id, transaction_id, intent_id, purpose, status, chain_id, sender,
        nonce, hash, raw, lines, lines_sha256)
    values (p_offering, p_transaction ->> 'id', p_transaction ->> 'intent', p_transaction ->> 'purpose', 'signed',
        (p_transaction ->> 'chain_id')::bigint, decode(p_transaction ->> 'sender', 'hex'),
        (p_transaction ->> 'nonce')::bigint, decode(p_transaction ->> 'hash', 'hex'),
        decode(p_transaction ->> 'raw', 'hex'), p_lines, sha256(convert_to(audit.canonical(p_lines), 'UTF8')));
    update registry.issuance_instruction i set status = 'submitted', transaction_id = p_transaction ->> 'id'
    from jsonb_to_recordset(p_lines) as l (instruction text)
    where i.offering_id = p_offering and i.instruction_id = l.instruction;
    update engine.position pos set issuance = 'submitted' from jsonb_to_recordset(p_lines) as l (investment text)
    where pos.offering_id = p_offering and pos.investment_id = l.investment and pos.issuance = 'instructed';
end $$;

-- A node has the bytes, a block holds them, or a block lost them: status is broadcast or mined.
create function registry.mark_transaction(p_actor text, p_request text, p_offering text, p_transaction text,
    p_status text, p_block jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if p_status not in ('broadcast', 'mined', 'replaced', 'dropped') then
        raise exception using errcode = 'BR008', constraint = 'final_is_marked_with_its_posting',
            message = format('"%s" is not marked by itself', p_status);
    end if;
    update registry.chain_transaction set status = p_status, block_number = (p_block ->> 'number')::bigint,
        block_hash = decode(p_block ->> 'hash', 'hex'), incarnation = decode(p_block ->> 'incarnation', 'hex')
    where offering_id = p_offering and transaction_id = p_transaction;
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
    select * into t from registry.chain_transaction
    where offering_id = p_offering and transaction_id = p_transaction for update;
    if t.status = 'final' then
        return 0;
    end if;
    perform 1 from engine.position pos join jsonb_to_recordset(t.lines) as l (investment text)
        on pos.investment_id = l.investment where pos.offering_id = p_offering order by pos.investment_id for update of pos;
    if t.purpose = 'deliver' and (
        select jsonb_agg(jsonb_build_array(l.address, l.units) order by l.address, l.units)
        from jsonb_to_recordset(t.lines) as l (address text, units bigint)) is distinct from (
        select jsonb_agg(jsonb_build_array(d.address, d.units) order by d.address, d.units)
        from jsonb_to_recordset(p_delivered) as d (address text, units bigint)) then
        raise exception using errcode = 'BR008', constraint = 'chain_delivered_the_frozen_lines',
            message = format('the logs of %s are not its frozen lines', p_transaction);
    end if;
    update registry.chain_transaction set status = 'final', block_number = (p_block ->> 'number')::bigint,
        block_hash = decode(p_block ->> 'hash', 'hex'), incarnation = decode(p_block ->> 'incarnation', 'hex')
    where offering_id = p_offering and transaction_id = p_transaction;
    if t.purpose = 'deliver' then
        return registry.post_delivery(t, p_delivered);
    end if;
    return 0;
end $$;

create function registry.post_delivery(t registry.chain_transaction, p_delivered jsonb) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    posted integer;
begin
    insert into registry.holding (offering_id, holding_id, investor_id, status, units, registration_fact, registration_digest)
    select t.offering_id, 'hld_' || substr(min(i.instruction_id), 5), i.investor_id,
        case when bool_or(pos.holding_is_held) then 'held' else 'registered' end, 0,
        min(pos.profile_fact), (array_agg(pos.profile_digest))[1]
    from registry.issuance_instruction i
    join engine.position pos on pos.offering_id = i.offering_id and pos.investment_id = i.investment_id
    where i.offering_id = t.offering_id and i.transaction_id = t.transaction_id and i.status = 'submitted'
        and not exists (select from registry.holding h where h.offering_id = i.offering_id and h.investor_id = i.investor_id)
    group by i.investor_id order by i.investor_id;
    insert into registry.lot (offering_id, lot_id, holding_id, instruction_id, units, legend, acquired_on)
    select i.offering_id, 'lot_' || substr(i.instruction_id, 5), h.holding_id, i.instruction_id, i.units,
        'Restricted: 17 CFR 230.144', current_date
    from registry.issuance_instruction i join registry.holding h using (offering_id, investor_id)
    where i.offering_id = t.offering_id and i.transaction_id = t.transaction_id and i.status = 'submitted';
    insert into registry.posting (offering_id, posting_id, holding_id, instruction_id, units, chain_id, transaction_hash, ordinal)
    select i.offering_id, 'pst_' || substr(i.instruction_id, 5), h.holding_id, i.instruction_id, i.units, t.chain_id,
        t.hash, d.ordinal
    from registry.issuance_instruction i join registry.holding h using (offering_id, investor_id)
    join jsonb_to_recordset(p_delivered) as d (address text, ordinal integer) on decode(d.address, 'hex') = i.address
    where i.offering_id = t.offering_id and i.transaction_id = t.transaction_id and i.status = 'submitted';
    get diagnostics posted = row_count;
    update registry.holding h set units = h.units + s.units
    from (select p.holding_id, sum(p.units) as units from registry.posting p
        where p.offering_id = t.offering_id and p.transaction_hash = t.hash group by p.holding_id) s
    where h.offering_id = t.offering_id and h.holding_id = s.holding_id;
    update registry.control_book set issued_units = issued_units + (select sum(p.units) from registry.posting p
        where p.offering_id = t.offering_id and p.transaction_hash = t.hash)
    where offering_id = t.offering_id;
    update engine.position pos set issuance = 'registered', holding_is_registered = true, holding_since = clock_timestamp()
    from registry.issuance_instruction i
    where i.offering_id = t.offering_id and i.transaction_id = t.transaction_id and i.status = 'submitted'
        and pos.offering_id = i.offering_id and pos.investment_id = i.investment_id;
    update registry.issuance_instruction set status = 'posted'
    where offering_id = t.offering_id and transaction_id = t.transaction_id and status = 'submitted';
    return posted;
end $$;

-- The chain refused a final transaction: its lines are free again, as a new fact.
create function registry.record_revert(p_actor text, p_request text, p_offering text, p_transaction text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from registry.chain_transaction t where t.offering_id = p_offering and t.transaction_id = p_transaction
        and t.status in ('signed', 'broadcast', 'mined') for update;
    if not found then
        return;
    end if;
    perform 1 from engine.position pos join registry.issuance_instruction i using (offering_id, investment_id)
        where i.offering_id = p_offering and i.transaction_id = p_transaction order by investment_id for update of pos;
    update registry.chain_transaction set status = 'reverted' where offering_id = p_offering and transaction_id = p_transaction;
    update registry.issuance_instruction set status = 'reverted', stopped_because = p_because
    where offering_id = p_offering and transaction_id = p_transaction and status = 'submitted';
    update engine.position pos set issuance = 'open' from registry.issuance_instruction i
    where i.offering_id = p_offering and i.transaction_id = p_transaction and pos.offering_id = i.offering_id
        and pos.investment_id = i.investment_id and pos.issuance = 'submitted';
    update registry.issuance_instruction set status = 'stopped'
    where offering_id = p_offering and transaction_id = p_transaction and status = 'reverted';
end $$;
