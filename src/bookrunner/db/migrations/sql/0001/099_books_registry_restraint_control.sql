-- The verbs of control actions: asked, decided by a second person, applied to the register, carried out on chain.

-- Units of an account in transfers whose transactions are signed.
create function registry.instructed_units(p_offering text, p_investor text) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
return (select coalesce(sum(q.units), 0)::bigint from registry.transfer_request q where q.offering_id = p_offering
    and q.seller_id = p_investor and q.status = 'instructed');

-- The wallet that the break of an action shows.
create function registry.wallet_seen(a registry.control_action) returns bytea
language sql stable security definer set search_path = pg_catalog, pg_temp
return (select o.to_address from registry.observed_transfer o where o.offering_id = a.offering_id and o.observed_id = a.observed_id);

-- What keeps units from being recovered to a wallet: a recovery passes no wall that stands before a link.
create function registry.new_wallet_hindrance(a registry.control_action) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    w registry.wallet_mapping;
begin
    select * into w from registry.wallet_mapping m where m.offering_id = a.offering_id and m.mapping_id = a.mapping_id
        and m.investor_id = a.investor_id and m.status = 'issuer_approved';
    return case
        when w.mapping_id is null then 'recovery_wallet_is_approved'
        when registry.is_unknown_frozen(w.offering_id, w.address) then 'unknown_wallet_is_thawed_first'
        when w.controller = 'custodian' and not registry.is_custody_agreed(w.offering_id, w.custodian_id)
            then 'custodian_has_an_agreement_in_force'
        when engine.wallet_is_listed(w.address) then 'linked_wallet_is_on_no_list' end;
end $$;

-- What keeps an action from being carried out on the register as it stands now.
create function registry.control_hindrance(a registry.control_action) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    frozen boolean := registry.is_account_frozen(a.offering_id, a.investor_id);
    paused boolean := registry.is_paused(a.offering_id);
    held bigint := coalesce((select h.units from registry.holding h where h.offering_id = a.offering_id
        and h.investor_id = a.investor_id), 0);
    leaving bigint := registry.moving_units(a.offering_id, a.investor_id)
        + registry.instructed_units(a.offering_id, a.investor_id);
    linked boolean := exists (select from registry.wallet_mapping w where w.offering_id = a.offering_id
        and w.investor_id = coalesce(a.receiver_id, a.investor_id) and w.status = 'linked');
begin
    return case a.kind
        when 'freeze_account' then case when frozen then 'account_to_freeze_is_free' end
        when 'thaw_account' then case when not frozen then 'account_to_thaw_is_frozen' end
        when 'freeze_units' then
            case when a.units > registry.free_units(a.offering_id, a.investor_id)
                - registry.instructed_units(a.offering_id, a.investor_id) then 'units_to_freeze_are_free' end
        when 'thaw_units' then
            case when a.units > registry.frozen_units(a.offering_id, a.investor_id) then 'units_to_thaw_are_frozen' end
        when 'force_transfer' then case
            when a.units > held - leaving then 'units_to_move_are_held'
            when cardinality(registry.account_addresses(a.offering_id, a.investor_id)) > 1
                and registry.source_of(a.offering_id, a.investor_id, a.units + leaving) is null then 'one_wallet_holds_the_units_to_move'
            when a.units > held - leaving - registry.accepted_units(a.offering_id, a.investor_id) then 'accepted_units_are_cancelled_first'
            when not linked then 'receiver_wallet_is_linked' end
        when 'recover_wallet' then case
            when not linked then 'lost_wallet_is_linked'
            when leaving > 0 or registry.transfer_is_signed_for(a.offering_id, a.investor_id, (select w.address
                from registry.wallet_mapping w where w.offering_id = a.offering_id and w.mapping_id = a.mapping_id))
                then 'recovered_account_moves_nothing'
            else registry.new_wallet_hindrance(a) end
        when 'freeze_unknown' then case
            when not exists (select from registry.observed_transfer o where o.offering_id = a.offering_id and o.observed_id = a.observed_id
                and o.status in ('unmapped', 'over_issued', 'explained') and registry.holder_of(o.offering_id, o.chain_id, o.to_address)
                    is null) then 'break_shows_an_unknown_wallet'
            when registry.is_unknown_frozen(a.offering_id, registry.wallet_seen(a)) then 'unknown_wallet_is_free' end
        when 'thaw_unknown' then
            case when not registry.is_unknown_frozen(a.offering_id, registry.wallet_seen(a)) then 'unknown_wallet_is_frozen' end
        when 'pause' then case when paused then 'security_to_pause_is_open' end
        when 'resume' then case when not paused then 'security_to_resume_is_paused' end
    end;
end $$;

-- An action starts, and is decided, only while the register allows what it asks; its terms never change.
create function registry.control_action_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    hindrance text;
begin
    if tg_op = 'UPDATE' and (old.kind, old.investor_id, old.receiver_id, old.mapping_id, old.observed_id, old.units, old.because,
        old.order_sha256, old.order_reference, old.asked_by, old.asked_at) is distinct from (new.kind, new.investor_id,
        new.receiver_id, new.mapping_id, new.observed_id, new.units, new.because, new.order_sha256, new.order_reference, new.asked_by,
        new.asked_at) then
        raise exception using errcode = 'BR006', constraint = 'control_terms_are_locked',
            message = format('the terms of %s are locked', old.action_id);
    end if;
    if tg_op = 'UPDATE' and old.status <> 'asked' and new.status not in ('approved', 'declined') and (old.decided_by, old.decided_because, old.decided_at,
        old.from_address, old.to_address) is distinct from (new.decided_by, new.decided_because, new.decided_at, new.from_address,
        new.to_address) then
        raise exception using errcode = 'BR006', constraint = 'control_terms_are_locked',
            message = format('%s is decided', old.action_id);
    end if;
    if new.status = 'asked' then
        hindrance := registry.control_hindrance(new);
    elsif new.status = 'approved' then
        hindrance := registry.control_hindrance(old);
    end if;
    if hindrance is not null then
        raise exception using errcode = 'BR008', constraint = hindrance,
            message = format('%s cannot be carried out on the register as it stands', new.action_id);
    end if;
    if tg_op = 'UPDATE' and new.status in ('submitted', 'executed') and new.status <> old.status
        and not registry.chain_bears_out(new) then
        raise exception using errcode = 'BR008', constraint = 'control_action_follows_its_chain',
            message = format('the chain transactions of %s do not say so', new.action_id);
    end if;
    if new.status = 'abandoned' and old.status = 'approved' and new.kind in ('freeze_account', 'freeze_units', 'freeze_unknown',
        'pause') then
        raise exception using errcode = 'BR008', constraint = 'restraint_is_carried_to_the_chain',
            message = format('what %s restrains is in force', new.action_id);
    end if;
    if new.status = 'abandoned' and exists (select from registry.control_step s join registry.chain_transaction t using (intent_id)
        where s.offering_id = new.offering_id and s.action_id = new.action_id and s.call = 'move'
        and t.status in ('signed', 'broadcast', 'mined', 'final')) then
        raise exception using errcode = 'BR008', constraint = 'moved_units_are_carried_through',
            message = format('the units of %s went over on chain, or are on their way', new.action_id);
    end if;
    if new.status = 'approved' and new.kind = 'recover_wallet' and exists (select from registry.wallet_mapping w
        where w.offering_id = new.offering_id and w.mapping_id = new.mapping_id
        and (audit.person_of(new.decided_by) = audit.person_of(w.approved_by) or engine.is_person_of(new.decided_by, w.investor_id))) then
        raise exception using errcode = 'BR008', constraint = 'wallet_is_linked_by_another_person',
            message = format('who approved %s does not make it effective', new.mapping_id);
    end if;
    return new;
end $$;
create trigger control_action_stands before insert or update on registry.control_action
    for each row execute function registry.control_action_stands();
alter table registry.control_action enable always trigger control_action_stands;

-- While a wallet is being recovered, no other step is taken with the wallets of its holder; and a restrained account gets
-- another address by a recovery alone, which takes the restraint along. Restraints are decided under the lock of the book: a
-- wallet that becomes effective waits for one that is decided meanwhile, and one that is decided later sees it.
create function registry.recovered_wallets_stand() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.status in ('linked', 'joined') and new.status <> old.status then
        perform 1 from registry.control_book b where b.offering_id = new.offering_id for share;
    end if;
    if new.status in ('linked', 'joined', 'superseded', 'revoked', 'rejected') and new.status <> old.status
        and exists (select from registry.control_action a where a.offering_id = new.offering_id
            and a.investor_id = new.investor_id and a.kind = 'recover_wallet' and a.status in ('approved', 'submitted', 'reverted')
            and (old.status in ('linked', 'joined') or new.status in ('linked', 'joined') or a.mapping_id = new.mapping_id)) then
        raise exception using errcode = 'BR008', constraint = 'wallets_stand_during_a_recovery',
            message = format('a wallet of %s is being recovered', new.investor_id);
    end if;
    if new.status in ('linked', 'joined') and new.status <> old.status and registry.is_unknown_frozen(new.offering_id, new.address)
        and not registry.is_recovered(new.offering_id, new.mapping_id) then
        raise exception using errcode = 'BR008', constraint = 'unknown_wallet_is_thawed_first',
            message = format('%s was frozen as a wallet that nobody registered', new.mapping_id);
    end if;
    if new.status in ('linked', 'joined') and old.status not in ('linked', 'joined') and (registry.is_account_frozen(new.offering_id, new.investor_id)
        or registry.frozen_units(new.offering_id, new.investor_id) > 0)
        and registry.account_address(new.offering_id, new.investor_id) is distinct from new.address
        and not registry.is_recovered(new.offering_id, new.mapping_id) then
        raise exception using errcode = 'BR008', constraint = 'restrained_account_keeps_its_address',
            message = format('the account of %s is frozen, or a part of it', new.investor_id);
    end if;
    return new;
end $$;
create trigger recovered_wallets_stand before update on registry.wallet_mapping
    for each row execute function registry.recovered_wallets_stand();
alter table registry.wallet_mapping enable always trigger recovered_wallets_stand;

-- Locks what an action is about, in the order of issuance: positions of its holders, then the book, then the action.
create function registry.hold_control(p_offering text, p_action text) returns registry.control_action
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    a registry.control_action;
begin
    select * into a from registry.control_action x where x.offering_id = p_offering and x.action_id = p_action;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'control_action_exists',
            message = format('there is no control action %s in %s', p_action, p_offering);
    end if;
    perform 1 from engine.position pos where pos.offering_id = p_offering
        and pos.investor_id in (a.investor_id, a.receiver_id) order by pos.investment_id for update;
    perform 1 from registry.control_book b where b.offering_id = p_offering for update;
    select * into a from registry.control_action x where x.offering_id = p_offering and x.action_id = p_action for update;
    return a;
end $$;

-- Asks for a control action: {kind, investor, receiver, mapping, observed, units, because, order_sha256 (hex), order_reference}.
create function registry.ask_control(p_actor text, p_request text, p_offering text, p_action text, p_asked jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.book_of(p_offering);
    insert into registry.control_action (offering_id, action_id, status, kind, investor_id, receiver_id, mapping_id, observed_id, units,
        because, order_sha256, order_reference, asked_by)
    values (p_offering, p_action, 'asked', p_asked ->> 'kind', p_asked ->> 'investor', p_asked ->> 'receiver',
        p_asked ->> 'mapping', p_asked ->> 'observed', (p_asked ->> 'units')::bigint, p_asked ->> 'because',
        decode(p_asked ->> 'order_sha256', 'hex'), p_asked ->> 'order_reference', p_actor);
end $$;

-- Approves or declines. What restrains is in force in our register at once, before the chain confirms it.
create function registry.decide_control(p_actor text, p_request text, p_offering text, p_action text,
    p_is_approved boolean, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a registry.control_action;
begin
    perform audit.enter(p_actor, p_request);
    perform registry.hold_control(p_offering, p_action);
    update registry.control_action set status = case when p_is_approved then 'approved' else 'declined' end,
        decided_by = p_actor, decided_because = p_because, decided_at = clock_timestamp(),
        from_address = case when p_is_approved and kind = 'force_transfer' then registry.source_of(offering_id, investor_id,
            units + registry.instructed_units(offering_id, investor_id)) end,
        to_address = case when p_is_approved and kind = 'force_transfer' then registry.linked_address(offering_id, receiver_id) end
    where offering_id = p_offering and action_id = p_action returning * into a;
    if p_is_approved and a.kind in ('freeze_account', 'freeze_units', 'pause') then
        perform registry.restrain(a);
    end if;
end $$;

-- Writes what an action says into the current rows.
create function registry.restrain(a registry.control_action) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if a.kind in ('pause', 'resume') then
        update registry.security_restraint set status = case a.kind when 'pause' then 'paused' else 'open' end,
            action_id = a.action_id
        where offering_id = a.offering_id;
        if not found then
            insert into registry.security_restraint (offering_id, restraint_id, status, action_id)
            values (a.offering_id, 'rst_' || substr(a.action_id, 5), 'paused', a.action_id);
        end if;
        return;
    end if;
    update registry.account_restraint r set action_id = a.action_id,
        status = case a.kind when 'freeze_account' then 'frozen' when 'thaw_account' then 'free' else r.status end,
        frozen_units = case a.kind when 'freeze_units' then r.frozen_units + a.units
            when 'thaw_units' then r.frozen_units - a.units
            when 'force_transfer' then least(r.frozen_units, (select h.units - a.units from registry.holding h
                where h.offering_id = a.offering_id and h.investor_id = a.investor_id)) else r.frozen_units end
    where r.offering_id = a.offering_id and r.investor_id = a.investor_id;
    if not found then
        insert into registry.account_restraint (offering_id, restraint_id, investor_id, status, frozen_units, action_id)
        values (a.offering_id, 'rst_' || substr(a.action_id, 5), a.investor_id,
            case a.kind when 'freeze_account' then 'frozen' else 'free' end,
            case a.kind when 'freeze_units' then a.units else 0 end, a.action_id);
    end if;
end $$;

-- The action is done: what frees is in force now, and what moves is posted. Seen is {chain_id, hash, ordinal} of the
-- transfer on chain, null where there is no token.
create function registry.carry_out(a registry.control_action, p_seen jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    lost bytea := coalesce(a.from_address, registry.account_address(a.offering_id, a.investor_id));
    found_address bytea := a.to_address;
    moved bigint := coalesce(a.units, case when cardinality(registry.account_addresses(a.offering_id, a.investor_id)) > 1
        then registry.units_in(a.offering_id, a.investor_id, lost) end, (select h.units from registry.holding h
            where h.offering_id = a.offering_id and h.investor_id = a.investor_id), 0);
begin
    update registry.control_action set status = 'executed', ended_at = clock_timestamp()
    where offering_id = a.offering_id and action_id = a.action_id returning * into a;
    if a.kind in ('thaw_account', 'thaw_units', 'resume') then
        perform registry.restrain(a);
    elsif a.kind = 'force_transfer' then
        if registry.frozen_units(a.offering_id, a.investor_id) > (select h.units - a.units from registry.holding h
            where h.offering_id = a.offering_id and h.investor_id = a.investor_id) then
            perform registry.restrain(a);
        end if;
    elsif a.kind = 'recover_wallet' then
        update registry.wallet_mapping set status = 'superseded', superseded_by = a.mapping_id, ended_by = a.decided_by,
            ended_at = clock_timestamp()
        where offering_id = a.offering_id and investor_id = a.investor_id and status = 'linked';
        update registry.wallet_mapping set status = 'linked', linked_by = a.decided_by, linked_at = clock_timestamp()
        where offering_id = a.offering_id and mapping_id = a.mapping_id;
        perform registry.publish_wallet(a.offering_id, a.investor_id);
        found_address := registry.linked_address(a.offering_id, a.investor_id);
    end if;
    if a.kind in ('force_transfer', 'recover_wallet') and moved > 0 then
        perform registry.post_movement(a.offering_id, 'mov_' || substr(a.action_id, 5), jsonb_build_object(
            'kind', case a.kind when 'force_transfer' then 'forced' else 'recovery' end, 'from_investor', a.investor_id,
            'to_investor', coalesce(a.receiver_id, a.investor_id), 'from_address', encode(lost, 'hex'),
            'to_address', encode(found_address, 'hex'), 'reference', a.action_id, 'is_tacked', true,
            'units', moved, 'rescinded', (select q.movement_id from registry.rescission r
                join registry.transfer_request q using (offering_id, request_id)
                where r.offering_id = a.offering_id and r.action_id = a.action_id)), p_seen);
    end if;
end $$;

-- Gives up an action that nothing was signed for yet, or that the chain refused; a restraint that it made stays until it is
-- thawed or resumed.
create function registry.abandon_control(p_actor text, p_request text, p_offering text, p_action text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.hold_control(p_offering, p_action);
    update registry.control_action set status = 'abandoned', ended_by = p_actor, failed_because = p_because,
        ended_at = clock_timestamp()
    where offering_id = p_offering and action_id = p_action;
end $$;
