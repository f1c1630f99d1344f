-- A conversion from its proposal to the books: inputs that people confirm, two people, the chains of both classes, one posting of all.

create function registry.is_being_converted(p_offering text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
return exists (select from registry.conversion_class c where c.offering_id = p_offering and c.status = 'begun');

-- Both classes are the same issuer's, of one currency and on a chain, whoever proposes it. What is agreed is of the units and the principal as of now.
create function registry.conversion_stays_with_its_issuer() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a engine.offer;
    b engine.offer;
begin
    select * into a from engine.offer where offering_id = new.offering_id;
    select * into b from engine.offer where offering_id = new.into_offering_id;
    if b.offering_id is null then
        raise exception using errcode = 'BR404', constraint = 'offer_exists', message = format('there is no offer %s', new.into_offering_id);
    end if;
    if a.issuer_id <> b.issuer_id then
        raise exception using errcode = 'BR008', constraint = 'conversion_stays_with_its_issuer',
            message = format('%s is of another issuer', new.into_offering_id);
    end if;
    if num_nulls(a.token_address, b.token_address) > 0 then
        raise exception using errcode = 'BR008', constraint = 'conversion_goes_from_token_to_token',
            message = format('%s has no token', case when a.token_address is null then a.offering_id else b.offering_id end);
    end if;
    if (a.currency, b.currency) is distinct from (new.currency, new.currency) then
        raise exception using errcode = 'BR008', constraint = 'conversion_is_in_the_currency_of_both_offers',
            message = format('%s is not the currency of %s and %s', new.currency, a.offering_id, b.offering_id);
    end if;
    new.proposed_at := clock_timestamp();
    new.instalments_begun := (engine.instalments_of(array[new.offering_id, new.into_offering_id])).begun;
    return new;
end $$;
create trigger conversion_stays_with_its_issuer before insert on registry.conversion
    for each row execute function registry.conversion_stays_with_its_issuer();
alter table registry.conversion enable always trigger conversion_stays_with_its_issuer;

-- Inputs are those of the formula, and none changes once the conversion is decided.
create function registry.conversion_takes_its_inputs() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    c registry.conversion;
begin
    select * into c from registry.conversion x where x.offering_id = new.offering_id and x.conversion_id = new.conversion_id;
    if c.status <> 'proposed' then
        raise exception using errcode = 'BR006', constraint = 'conversion_inputs_are_locked', message = format('the inputs of %s are locked', c.conversion_id);
    end if;
    if not new.name = any (registry.inputs_of_conversion(c)) then
        raise exception using errcode = 'BR008', constraint = 'conversion_takes_the_inputs_of_its_formula',
            message = format('%s takes %s', c.formula, array_to_string(registry.inputs_of_conversion(c), ', '));
    end if;
    return new;
end $$;
create trigger conversion_takes_its_inputs before insert on registry.conversion_input
    for each row execute function registry.conversion_takes_its_inputs();
alter table registry.conversion_input enable always trigger conversion_takes_its_inputs;

-- Refuses a conversion whose lines or wallets are not those of its working.
create function registry.require_conversion_working(c registry.conversion) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if exists (with kept as (select l.holding_id, l.units_before, l.principal_minor, l.interest_minor, l.units_after, l.cash_minor
            from registry.conversion_line l where l.offering_id = c.offering_id and l.conversion_id = c.conversion_id)
        (table kept except select * from registry.lines_of_conversion(c)) union all (select * from registry.lines_of_conversion(c) except table kept)) then
        raise exception using errcode = 'BR008', constraint = 'conversion_has_a_line_for_every_holder',
            message = format('the lines of %s are not what its formula makes of the register', c.conversion_id);
    end if;
    if exists (with kept as (select p.offering_id, p.address, p.holding_id, p.units_before, p.units_after from registry.conversion_place p
            where p.from_offering_id = c.offering_id and p.conversion_id = c.conversion_id)
        (table kept except select * from registry.places_of_conversion(c)) union all (select * from registry.places_of_conversion(c) except table kept))
        or exists (select from registry.conversion_line l where l.offering_id = c.offering_id and l.conversion_id = c.conversion_id
            and l.units_after > 0 and not exists (select from registry.conversion_place p where p.from_offering_id = c.offering_id
                and p.offering_id = c.into_offering_id and p.conversion_id = c.conversion_id and (p.address, p.holding_id, p.units_after - p.units_before)
                    = (l.into_address, l.into_holding_id, l.units_after))) then
        raise exception using errcode = 'BR008', constraint = 'conversion_has_a_place_for_every_wallet',
            message = format('the wallets of %s are not what its formula makes of them', c.conversion_id);
    end if;
end $$;

-- Refuses terms and inputs whose units or principal are no longer those of the proposal.
create function registry.require_as_proposed(c registry.conversion) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    hindered record;
begin
    select h.rule, h.detail into hindered from registry.changed_since_proposal(c) h order by h.place limit 1;
    if found then
        raise exception using errcode = 'BR008', constraint = hindered.rule,
            message = format('%s is not what was proposed any more: %s', c.conversion_id, hindered.detail);
    end if;
end $$;

create function registry.require_conversion(c registry.conversion) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    hindered record;
begin
    select h.rule, h.detail into hindered from registry.hindrances_of_conversion(c) h order by h.place limit 1;
    if found then
        raise exception using errcode = 'BR008', constraint = hindered.rule, message = format('%s waits: %s', c.conversion_id, hindered.detail);
    end if;
end $$;

-- The terms stand from the proposal on. It is approved with every input, by nobody who confirmed one; it begins when nothing hinders
-- it and as it is worked out; it is executed when both chains show every wallet changed.
create function registry.conversion_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (old.into_offering_id, old.formula, old.bears_interest, old.fractions, old.currency, old.effective_at, old.authority_sha256,
        old.authority_reference, old.proposed_by, old.proposed_at, old.instalments_begun) is distinct from (new.into_offering_id, new.formula, new.bears_interest,
        new.fractions, new.currency, new.effective_at, new.authority_sha256, new.authority_reference, new.proposed_by, new.proposed_at,
        new.instalments_begun)
        or old.status in ('approved', 'begun', 'executed') and (old.decided_by, old.confirmations) is distinct from (new.decided_by, new.confirmations)
        or old.status in ('begun', 'executed') and (old.undelivered_units, old.begun_at) is distinct from (new.undelivered_units, new.begun_at) then
        raise exception using errcode = 'BR006', constraint = 'conversion_terms_are_locked', message = format('the terms of %s are locked', old.conversion_id);
    end if;
    if new.status = 'approved' and old.status <> 'approved' then
        if registry.inputs_missing(new) <> '{}' then
            raise exception using errcode = 'BR008', constraint = 'conversion_has_its_inputs',
                message = format('%s lacks %s', new.conversion_id, array_to_string(registry.inputs_missing(new), ', '));
        end if;
        perform registry.require_as_proposed(new);
        -- Whoever proposed it is refused by the constraint, which says so.
        if audit.person_of(new.decided_by) <> audit.person_of(new.proposed_by) and exists (select from registry.conversion_input_standing i
                where i.offering_id = new.offering_id and i.conversion_id = new.conversion_id
                    and audit.person_of(i.confirmed_by) = audit.person_of(new.decided_by)) then
            raise exception using errcode = 'BR008', constraint = 'whoever_confirms_an_input_approves_nothing',
                message = format('%s confirmed an input of %s', new.decided_by, new.conversion_id);
        end if;
    end if;
    if new.status = 'begun' and old.status <> 'begun' then
        old.undelivered_units := new.undelivered_units;
        perform registry.require_conversion(old);
        if new.undelivered_units is distinct from registry.undelivered_units(new.into_offering_id) then
            raise exception using errcode = 'BR008', constraint = 'conversion_has_the_undelivered_units_of_the_chain',
                message = format('the treasury wallet of %s had another number when the chain was looked at', new.into_offering_id);
        end if;
        perform registry.require_conversion_working(new);
    end if;
    if new.status = 'executed' and old.status <> 'executed' and exists (select from registry.conversion_open p
        where p.from_offering_id = new.offering_id and p.conversion_id = new.conversion_id) then
        raise exception using errcode = 'BR008', constraint = 'conversion_follows_its_chains',
            message = format('the chain does not show every wallet of %s changed', new.conversion_id);
    end if;
    return new;
end $$;
create trigger conversion_stands before update on registry.conversion for each row execute function registry.conversion_stands();
alter table registry.conversion enable always trigger conversion_stands;

-- Lines are worked out in the transaction that begins the conversion, and none is added later.
create function registry.conversion_line_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.conversion c where c.offering_id = coalesce(to_jsonb(new) ->> 'from_offering_id', new.offering_id)
        and c.conversion_id = new.conversion_id and c.status = 'approved' and new.offering_id in (c.offering_id, c.into_offering_id)) then
        raise exception using errcode = 'BR008', constraint = 'conversion_lines_stand_since_it_began',
            message = format('%s takes no lines', new.conversion_id);
    end if;
    return new;
end $$;
create trigger conversion_line_stands before insert on registry.conversion_line for each row execute function registry.conversion_line_stands();
create trigger conversion_line_stands before insert on registry.conversion_place for each row execute function registry.conversion_line_stands();
alter table registry.conversion_line enable always trigger conversion_line_stands;
alter table registry.conversion_place enable always trigger conversion_line_stands;

-- What the chain did to a wallet is told by a final transaction that was signed for it.
create function registry.conversion_is_seen() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.conversion_call c join registry.conversion_place p using (offering_id, from_offering_id, conversion_id, address)
        join registry.chain_transaction t using (offering_id, intent_id)
        where c.offering_id = new.offering_id and c.from_offering_id = new.from_offering_id and c.conversion_id = new.conversion_id
            and c.address = new.address and t.chain_id = new.chain_id and t.hash = new.transaction_hash and t.status = 'final'
            and t.purpose = 'conversion' and t.lines @> jsonb_build_array(jsonb_build_object('conversion', new.conversion_id,
                'of', new.from_offering_id, 'address', encode(new.address, 'hex'), 'units', p.units_after - p.units_before))) then
        raise exception using errcode = 'BR008', constraint = 'conversion_follows_its_chains',
            message = format('no final transaction changes that wallet of %s', new.conversion_id);
    end if;
    return new;
end $$;
create trigger conversion_is_seen before insert on registry.conversion_seen for each row execute function registry.conversion_is_seen();
alter table registry.conversion_seen enable always trigger conversion_is_seen;

-- Wallets that the chain has still to change; waiting are those with an attempt that may yet come through.
create view registry.conversion_open as
select p.offering_id, p.from_offering_id, p.conversion_id, p.address, p.units_after - p.units_before as units,
    exists (select from registry.conversion_call c join registry.chain_transaction t using (intent_id) where c.offering_id = p.offering_id
        and c.from_offering_id = p.from_offering_id and c.conversion_id = p.conversion_id and c.address = p.address
        and t.status in ('signed', 'broadcast', 'mined')) as is_waiting
from registry.conversion_place p
where not exists (select from registry.conversion_seen n where n.offering_id = p.offering_id and n.from_offering_id = p.from_offering_id
    and n.conversion_id = p.conversion_id and n.address = p.address);

-- Locks both control books, in one order whichever class asks, and then the conversion.
create function registry.hold_conversion(p_offering text, p_conversion text) returns registry.conversion
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    c registry.conversion;
begin
    select * into c from registry.conversion x where x.offering_id = p_offering and x.conversion_id = p_conversion;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'conversion_exists',
            message = format('there is no conversion %s in %s', p_conversion, p_offering);
    end if;
    perform registry.book_of(least(c.offering_id, c.into_offering_id));
    perform registry.book_of(greatest(c.offering_id, c.into_offering_id));
    select * into c from registry.conversion x where x.offering_id = p_offering and x.conversion_id = p_conversion for update;
    return c;
end $$;
