-- What comes to rest before the units of a class change, and what waits while they do.

-- While units are minted or burned wallet by wallet, none of them moves otherwise and nothing is asked for in units.
create function registry.waits_for_the_split() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    -- Whoever begins a split holds the book: what is written meanwhile waits for it, and sees it.
    perform 1 from registry.control_book b where b.offering_id = new.offering_id for share;
    if registry.is_being_split(new.offering_id) then
        raise exception using errcode = 'BR008', constraint = 'split_is_carried_through_first',
            message = format('the units of %s are being split', new.offering_id);
    end if;
    if registry.is_being_converted(new.offering_id) then
        raise exception using errcode = 'BR008', constraint = 'conversion_is_carried_through_first',
            message = format('the units of %s are being converted', new.offering_id);
    end if;
    return new;
end $$;
create trigger waits_for_the_split before insert on registry.movement
    for each row when (new.kind <> 'split') execute function registry.waits_for_the_split();
create trigger waits_for_the_split before insert on registry.transfer_request for each row execute function registry.waits_for_the_split();
create trigger waits_for_the_split before insert on registry.interest for each row execute function registry.waits_for_the_split();
create trigger waits_for_the_split before insert on registry.transfer_rule
    for each row when (new.kind = 'volume') execute function registry.waits_for_the_split();
create trigger waits_for_the_split before insert or update on registry.control_action
    for each row when (new.status in ('asked', 'approved') and new.kind not in ('freeze_account', 'thaw_account', 'freeze_unknown', 'thaw_unknown'))
    execute function registry.waits_for_the_split();
create trigger waits_for_the_split before insert or update on registry.control_change
    for each row when (new.status in ('proposed', 'approved')) execute function registry.waits_for_the_split();
alter table registry.control_change enable always trigger waits_for_the_split;
alter table registry.movement enable always trigger waits_for_the_split;
alter table registry.transfer_request enable always trigger waits_for_the_split;
alter table registry.transfer_rule enable always trigger waits_for_the_split;
alter table registry.interest enable always trigger waits_for_the_split;
alter table registry.control_action enable always trigger waits_for_the_split;

-- What is open of a class that is stated in its units or moves them: what has to end before they change.
create function registry.units_under_way(p_offering text) returns table (subject_id text)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select i.instruction_id from registry.issuance_instruction i where i.offering_id = p_offering and i.status in ('prepared', 'submitted', 'reverted')
    union all select q.request_id from registry.transfer_request q where q.offering_id = p_offering
        and q.status in ('requested', 'returned', 'screened', 'approved', 'instructed')
    union all select n.interest_id from registry.interest n where n.offering_id = p_offering and n.status = 'posted'
    union all select y.buyback_id from registry.buyback y where y.offering_id = p_offering and y.status in ('proposed', 'open', 'accepted')
    union all select c.conversion_id from registry.conversion_class c where c.offering_id = p_offering and c.status = 'begun'
    union all select o.line_id from registry.reinvestment_open o where o.offering_id = p_offering
    union all select m.import_id from registry.register_import m where m.offering_id = p_offering and m.status = 'proposed'
    union all select c.change_id from registry.control_change c where c.offering_id = p_offering and c.status = 'proposed'
    union all select r.rule_id from registry.transfer_rule r where r.offering_id = p_offering and r.kind = 'volume' and r.status = 'proposed'
    union all select a.action_id from registry.control_action a where a.offering_id = p_offering
        and (a.status in ('approved', 'submitted', 'reverted') and a.kind not in ('freeze_account', 'thaw_account', 'freeze_unknown', 'thaw_unknown')
            or a.status = 'asked' and a.units is not null);
end;
