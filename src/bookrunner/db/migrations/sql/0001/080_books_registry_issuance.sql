-- Issuance: instructions of a frozen set, signed batches, and the posting to the master securityholder file.

-- Locks the positions in order, then says in a statement of its own what each of them lacks.
create function registry.lock_and_judge(p_offering text, p_investments text[]) returns jsonb
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id = any (p_investments)
    order by pos.investment_id for update;
    return (select coalesce(jsonb_object_agg(pos.investment_id,
            case when g.mask & ~engine.holds(pos) = 0 then '[]' else engine.missing(pos, g.mask) end
            || case when r.status = 'frozen' then '["account_is_not_frozen"]'::jsonb else '[]' end), '{}')
        from engine.gate g cross join engine.position pos
        left join registry.account_restraint r on r.offering_id = pos.offering_id and r.investor_id = pos.investor_id
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
    perform registry.require_running(p_offering);
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

-- Nothing is signed while two people have not acknowledged what changed of the token, nor for a paused security.
create function registry.require_deliveries(p_offering text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if registry.deliveries_are_stopped(p_offering) then
        raise exception using errcode = 'BR008', constraint = 'deliveries_are_not_stopped',
            message = format('the token of %s is not as recorded', p_offering);
    end if;
    perform registry.require_running(p_offering);
end $$;

-- Takes up to p_most prepared instructions whose gate is open now, for signing in this very transaction; those
-- whose gate has closed are stopped. The caller signs, then calls record_transaction before it commits.
create function registry.take_lines(p_actor text, p_request text, p_offering text, p_closing text, p_most integer) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    chosen text[];
    verdict jsonb;
    closed text[];
begin
    perform audit.enter(p_actor, p_request);
    perform registry.require_deliveries(p_offering);
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

-- Locks the positions of members that have no instruction yet and says whose gate is open: the lines that the caller signs
-- and gives to record_issuance before it commits, and what each of the others lacks. Members are {investment, instruction,
-- address}; one whose wallet is another by now, or who is instructed already, is neither.
create function registry.open_lines(p_actor text, p_request text, p_offering text, p_closing text, p_members jsonb) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    verdict jsonb;
begin
    perform audit.enter(p_actor, p_request);
    perform registry.require_deliveries(p_offering);
    verdict := registry.lock_and_judge(p_offering,
        (select array_agg(m ->> 'investment') from jsonb_array_elements(p_members) m));
    return (select jsonb_build_object('lines', coalesce(jsonb_agg(jsonb_build_object('instruction', m.instruction,
                'investment', m.investment, 'address', m.address, 'units', cm.units) order by m.investment), '[]'),
            'refused', (select coalesce(jsonb_object_agg(v.key, v.value), '{}') from jsonb_each(verdict) v
                join engine.position o on o.offering_id = p_offering and o.investment_id = v.key and o.issuance = 'open'
                where v.value <> '[]'))
        from jsonb_to_recordset(p_members) as m (investment text, instruction text, address text)
        join engine.position pos on pos.offering_id = p_offering and pos.investment_id = m.investment and pos.issuance = 'open'
        join engine.closing_member cm on cm.offering_id = p_offering and cm.closing_id = p_closing
            and cm.investment_id = m.investment and cm.status = 'frozen'
        join registry.wallet_mapping w on w.offering_id = p_offering and w.investor_id = pos.investor_id and w.status = 'linked'
            and w.address = decode(m.address, 'hex')
        where verdict -> m.investment = '[]');
end $$;

-- Stores a signed delivery like record_transaction, and instructs its lines as submitted with it: their gates are computed
-- in the transaction that signs.
create function registry.record_issuance(p_actor text, p_request text, p_offering text, p_closing text, p_transaction jsonb,
    p_lines jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.require_deliveries(p_offering);
    perform registry.store_intent(p_offering, p_transaction, p_lines);
    insert into registry.issuance_instruction (offering_id, instruction_id, investment_id, investor_id, closing_id,
        status, units, address, authorised_by, transaction_id)
    select p_offering, l.instruction, l.investment, pos.investor_id, p_closing, 'submitted', l.units,
        decode(l.address, 'hex'), p_actor, p_transaction ->> 'id'
    from jsonb_to_recordset(p_lines) as l (instruction text, investment text, address text, units bigint)
    join engine.position pos on pos.offering_id = p_offering and pos.investment_id = l.investment
    order by l.investment;
    update engine.position pos set issuance = 'submitted', issuance_is_stopped = false
    from jsonb_to_recordset(p_lines) as l (investment text)
    where pos.offering_id = p_offering and pos.investment_id = l.investment and pos.issuance = 'open';
end $$;

-- The holding of one investor; its offset keeps the planner from joining the whole register instead. Without a search path
-- of its own, so that the planner can write it into a query.
create function registry.holding_of(p_offering text, p_investor text) returns table (holding_id text)
language sql stable
begin atomic
    select h.holding_id from registry.holding h where h.offering_id = p_offering and h.investor_id = p_investor offset 0;
end;

-- Posts what a final transaction delivered. One wallet may be delivered to more than once: each line has its own log.
-- A holding is looked up line by line: joined, a register that has grown since its last statistics is read once a line.
create function registry.post_delivery(t registry.chain_transaction, p_delivered jsonb) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    posted integer;
    held record;
begin
    for held in select h.holding_id, s.units from (select i.investor_id, sum(i.units) as units
            from registry.issuance_instruction i where i.offering_id = t.offering_id
                and i.transaction_id = t.transaction_id and i.status = 'submitted' group by i.investor_id) s,
        lateral registry.holding_of(t.offering_id, s.investor_id) h order by h.holding_id loop
        update registry.holding set units = units + held.units
        where offering_id = t.offering_id and holding_id = held.holding_id;
    end loop;
    insert into registry.holding (offering_id, holding_id, investor_id, status, units, registration_fact, registration_digest)
    select t.offering_id, 'hld_' || substr(min(i.instruction_id), 5), i.investor_id,
        case when bool_or(pos.holding_is_held) then 'held' else 'registered' end, sum(i.units),
        min(pos.profile_fact), (array_agg(pos.profile_digest))[1]
    from registry.issuance_instruction i
    join engine.position pos on pos.offering_id = i.offering_id and pos.investment_id = i.investment_id
    where i.offering_id = t.offering_id and i.transaction_id = t.transaction_id and i.status = 'submitted'
        and not exists (select from registry.holding_of(i.offering_id, i.investor_id))
    group by i.investor_id order by i.investor_id;
    insert into registry.lot (offering_id, lot_id, holding_id, instruction_id, units, legend, acquired_on, period_from)
    select i.offering_id, 'lot_' || substr(i.instruction_id, 5), h.holding_id, i.instruction_id, i.units,
        'Restricted: 17 CFR 230.144', current_date, current_date
    from registry.issuance_instruction i cross join lateral registry.holding_of(i.offering_id, i.investor_id) h
    where i.offering_id = t.offering_id and i.transaction_id = t.transaction_id and i.status = 'submitted';
    insert into registry.posting (offering_id, posting_id, holding_id, instruction_id, units, chain_id, transaction_hash, ordinal)
    select i.offering_id, 'pst_' || substr(i.instruction_id, 5), h.holding_id, i.instruction_id, i.units, t.chain_id,
        t.hash, d.ordinal
    from (select x.*, row_number() over (partition by x.address, x.units order by x.instruction_id) as place
        from registry.issuance_instruction x
        where x.offering_id = t.offering_id and x.transaction_id = t.transaction_id and x.status = 'submitted') i
    cross join lateral registry.holding_of(i.offering_id, i.investor_id) h
    join (select decode(x.address, 'hex') as address, x.units, x.ordinal,
            row_number() over (partition by x.address, x.units order by x.ordinal) as place
        from jsonb_to_recordset(p_delivered) as x (address text, units bigint, ordinal integer)) d
        on (d.address, d.units, d.place) = (i.address, i.units, i.place);
    get diagnostics posted = row_count;
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
