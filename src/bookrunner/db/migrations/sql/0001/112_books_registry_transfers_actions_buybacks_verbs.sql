-- A buy-back from its proposal to the books: two people, tenders of a window, acceptance pro rata, burns, and cancelled lots.

create trigger waits_for_the_split before insert or update on registry.buyback
    for each row when (new.status in ('proposed', 'open', 'accepted')) execute function registry.waits_for_the_split();
create trigger waits_for_the_split before insert on registry.tender for each row execute function registry.waits_for_the_split();
alter table registry.buyback enable always trigger waits_for_the_split;
alter table registry.tender enable always trigger waits_for_the_split;

-- Locks the control book and then the buy-back.
create function registry.hold_buyback(p_offering text, p_buyback text) returns registry.buyback
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    b registry.buyback;
begin
    perform registry.book_of(p_offering);
    select * into b from registry.buyback x where x.offering_id = p_offering and x.buyback_id = p_buyback for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'buyback_exists', message = format('there is no buy-back %s in %s', p_buyback, p_offering);
    end if;
    return b;
end $$;

-- What a holder may offer now: units that nothing freezes, moves, pledges or offers already and, where periods bind, whose lots are past
-- theirs. None of a frozen account, of a held holding, or of an estate.
create function registry.free_balance(p_offering text, p_investor text, p_periods_bind boolean) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
return (select case when registry.is_account_frozen(p_offering, p_investor) or coalesce(h.status <> 'registered', true)
        or registry.is_estate(p_offering, p_investor) then 0
    else greatest(0, least(registry.free_units(p_offering, p_investor), case when p_periods_bind then
        (select coalesce(sum(s.left_units) filter (where s.free_on <= registry.today() and not r.is_promised), 0)
                + coalesce(sum(s.left_units) filter (where r.is_promised), 0)
            from registry.lot_standing s join registry.lot x using (offering_id, lot_id)
            cross join lateral (select registry.is_promised_back(x.offering_id, x.movement_id) as is_promised) r
            where s.offering_id = p_offering and s.investor_id = p_investor)
            - registry.moving_units(p_offering, p_investor) - registry.tendered_units(p_offering, p_investor)
        end) - registry.pledged(p_offering, p_investor, null, null)) end::bigint
    from (select 1) one left join registry.holding h on h.offering_id = p_offering and h.investor_id = p_investor);

-- What is taken of whom: a tender for what is still there of it, of a redemption every holding; the most that is bought is shared by the
-- units offered, the largest remainder first, ties by the holding.
create function registry.accepted_parts(b registry.buyback)
returns table (holding_id text, investor_id text, offered_units bigint, units bigint, amount_minor bigint)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with offered as (
        select h.holding_id, h.investor_id, least(t.units, h.units - registry.frozen_units(h.offering_id, h.investor_id)) as units
        from registry.tender t join registry.holding h using (offering_id, investor_id)
        where b.kind = 'tender' and t.offering_id = b.offering_id and t.buyback_id = b.buyback_id and t.status = 'tendered'
            and not registry.is_estate(h.offering_id, h.investor_id)
        union all
        select h.holding_id, h.investor_id, h.units from registry.holding h
        where b.kind = 'redemption' and h.offering_id = b.offering_id and h.units > 0),
    whole as (select array_agg(o.holding_id) as holdings, array_agg(o.units) as weights,
            least(sum(o.units), b.most_units, div(b.most_minor, b.price_minor))::bigint as units from offered o where o.units > 0)
    select o.holding_id, o.investor_id, o.units, p.part, p.part * b.price_minor
    from whole w cross join lateral registry.apportioned(w.units, w.holdings, w.weights) p join offered o on o.holding_id = p.key where p.part > 0;
end;

create function registry.buyback_stands() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    moves constant text[] := '{status,decided_by,decided_because,decided_at,accepted_by,accepted_at,ended_by,ended_because,executed_at,version,chain_head}';
begin
    if to_jsonb(new) - moves is distinct from to_jsonb(old) - moves or old.status <> 'proposed' and (old.decided_by, old.decided_at)
            is distinct from (new.decided_by, new.decided_at)
        or old.status = 'accepted' and (old.accepted_by, old.accepted_at) is distinct from (new.accepted_by, new.accepted_at) then
        raise exception using errcode = 'BR006', constraint = 'buyback_terms_are_locked', message = format('the terms of %s are locked', old.buyback_id);
    end if;
    if new.status = 'accepted' and old.status <> 'accepted' then
        if new.closes_at > clock_timestamp() then
            raise exception using errcode = 'BR008', constraint = 'window_is_over_before_acceptance',
                message = format('%s is open until %s', new.buyback_id, audit.instant(new.closes_at));
        end if;
        if exists (with kept as (select l.holding_id, l.investor_id, l.offered_units, l.units, l.amount_minor from registry.redemption_line l
                where l.offering_id = new.offering_id and l.buyback_id = new.buyback_id)
            (table kept except select * from registry.accepted_parts(old)) union all (select * from registry.accepted_parts(old) except table kept)) then
            raise exception using errcode = 'BR008', constraint = 'acceptance_is_pro_rata',
                message = format('the lines of %s are not what its terms make of the offers', new.buyback_id);
        end if;
    end if;
    if new.status = 'accepted' and old.status <> 'accepted' and exists (select from registry.tender t where t.offering_id = new.offering_id
            and t.buyback_id = new.buyback_id and t.status = 'tendered' and audit.person_of(t.tendered_by) = audit.person_of(new.accepted_by)
            and not engine.is_person_of(t.tendered_by, t.investor_id)) then
        raise exception using errcode = 'BR010', constraint = 'whoever_tenders_for_another_accepts_nothing',
            message = format('%s recorded what a holder offers in %s', new.accepted_by, new.buyback_id);
    end if;
    -- Units that an order or a signed transfer takes away would leave a line that is never cancelled.
    if new.status = 'accepted' and old.status <> 'accepted' and exists (select from registry.redemption_line l join registry.holding h using (offering_id, holding_id)
            where l.offering_id = new.offering_id and l.buyback_id = new.buyback_id and l.units > h.units
                - registry.moving_units(l.offering_id, l.investor_id) - registry.instructed_units(l.offering_id, l.investor_id)) then
        raise exception using errcode = 'BR008', constraint = 'acceptance_meets_units_at_rest',
            message = format('units that %s would take are on their way', new.buyback_id);
    end if;
    if new.status = 'executed' and exists (select from registry.redemption_open o where o.offering_id = new.offering_id and o.buyback_id = new.buyback_id) then
        raise exception using errcode = 'BR008', constraint = 'buyback_ends_with_its_last_line', message = format('units of %s are there still', new.buyback_id);
    end if;
    if new.status = 'abandoned' and (engine.redemption_is_drafted(new.offering_id, new.buyback_id)
        or exists (select from registry.redemption_call c where c.offering_id = new.offering_id and c.buyback_id = new.buyback_id)) then
        raise exception using errcode = 'BR008', constraint = 'abandoned_buyback_pays_nobody',
            message = format('a distribution pays %s; cancel that first', new.buyback_id);
    end if;
    return new;
end $$;
create trigger buyback_stands before update on registry.buyback for each row execute function registry.buyback_stands();
alter table registry.buyback enable always trigger buyback_stands;

-- A holder offers within the window what is free; it may take its offer back until the window ends.
create function registry.tender_stands() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    b registry.buyback := registry.hold_buyback(new.offering_id, new.buyback_id);
    free bigint;
begin
    if tg_op = 'INSERT' then
        if b.kind <> 'tender' or b.status <> 'open' or clock_timestamp() not between b.opens_at and b.closes_at then
            raise exception using errcode = 'BR008', constraint = 'tender_comes_within_the_window', message = format('%s takes no offers now', b.buyback_id);
        end if;
        if new.paper_sha256 is null and not engine.is_person_of(new.tendered_by, new.investor_id) then
            raise exception using errcode = 'BR008', constraint = 'tender_for_another_names_its_paper',
                message = format('%s does not act for %s; name the paper of the holder', new.tendered_by, new.investor_id);
        end if;
        free := registry.free_balance(new.offering_id, new.investor_id, b.periods_bind);
        if new.units > free and not exists (select from registry.tender t where t.offering_id = new.offering_id and t.buyback_id = new.buyback_id
                and t.investor_id = new.investor_id and t.status = 'tendered') then
            raise exception using errcode = 'BR008', constraint = 'tender_is_within_the_free_balance', message = format('%s units are free', free);
        end if;
        return new;
    end if;
    if (new.buyback_id, new.investor_id, new.units, new.tendered_by, new.tendered_at, new.paper_sha256)
        is distinct from (old.buyback_id, old.investor_id, old.units, old.tendered_by, old.tendered_at, old.paper_sha256) then
        raise exception using errcode = 'BR006', constraint = 'tender_is_locked', message = format('%s says what its holder offered', old.tender_id);
    end if;
    if new.status = 'withdrawn' and (b.status <> 'open' or clock_timestamp() > b.closes_at) then
        raise exception using errcode = 'BR008', constraint = 'tender_is_withdrawn_within_the_window', message = format('the window of %s is over', b.buyback_id);
    end if;
    if new.status in ('accepted', 'declined') and (b.status not in ('accepted', 'abandoned') or new.accepted_units is distinct from (
            select l.units from registry.redemption_line l join registry.holding h using (offering_id, holding_id) where b.status = 'accepted'
                and l.offering_id = new.offering_id and l.buyback_id = new.buyback_id and h.investor_id = new.investor_id)) then
        raise exception using errcode = 'BR008', constraint = 'tender_is_answered_by_the_acceptance',
            message = format('%s is not accepted that way', new.tender_id);
    end if;
    return new;
end $$;
create trigger tender_stands before insert or update on registry.tender for each row execute function registry.tender_stands();
alter table registry.tender enable always trigger tender_stands;

-- Lines are worked out in the transaction that accepts.
create function registry.redemption_line_stands() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.buyback b where b.offering_id = new.offering_id and b.buyback_id = new.buyback_id and b.status = 'open'
        and b.closes_at <= clock_timestamp()) then
        raise exception using errcode = 'BR008', constraint = 'redemption_lines_stand_since_the_acceptance', message = format('%s takes no lines', new.buyback_id);
    end if;
    return new;
end $$;
create trigger redemption_line_stands before insert on registry.redemption_line for each row execute function registry.redemption_line_stands();
alter table registry.redemption_line enable always trigger redemption_line_stands;

-- Asked: {kind, price_minor, currency, most_units, most_minor, periods_bind, opens_at, closes_at, authority_sha256 (hex), authority_reference}.
create function registry.propose_buyback(p_actor text, p_request text, p_offering text, p_buyback text, p_asked jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.book_of(p_offering);
    if exists (select from engine.offer o where o.offering_id = p_offering and o.currency <> p_asked ->> 'currency') then
        raise exception using errcode = 'BR008', constraint = 'buyback_price_is_in_the_currency_of_the_offer',
            message = format('%s is not the currency of %s', p_asked ->> 'currency', p_offering);
    end if;
    insert into registry.buyback (offering_id, buyback_id, status, kind, price_minor, currency, most_units, most_minor, periods_bind, opens_at,
        closes_at, authority_sha256, authority_reference, proposed_by)
    select p_offering, p_buyback, 'proposed', a.kind, a.price_minor, o.currency, a.most_units, a.most_minor, coalesce(a.periods_bind, false), a.opens_at,
        a.closes_at, decode(a.authority_sha256, 'hex'), a.authority_reference, p_actor
    from engine.offer o, jsonb_to_record(p_asked) as a (kind text, price_minor bigint, most_units bigint, most_minor bigint, periods_bind boolean,
        opens_at timestamptz, closes_at timestamptz, authority_sha256 text, authority_reference text)
    where o.offering_id = p_offering;
end $$;

-- Another person opens a buy-back, or declines it.
create function registry.decide_buyback(p_actor text, p_request text, p_offering text, p_buyback text, p_is_approved boolean, p_because text)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.hold_buyback(p_offering, p_buyback);
    update registry.buyback set status = case when p_is_approved then 'open' else 'declined' end, decided_by = p_actor,
        decided_because = p_because, decided_at = clock_timestamp()
    where offering_id = p_offering and buyback_id = p_buyback;
end $$;

-- Gives up a buy-back that no distribution pays; after the acceptance another person does.
create function registry.abandon_buyback(p_actor text, p_request text, p_offering text, p_buyback text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.hold_buyback(p_offering, p_buyback);
    update registry.buyback set status = 'abandoned', ended_by = p_actor, ended_because = p_because
    where offering_id = p_offering and buyback_id = p_buyback;
    update registry.tender set status = 'declined' where offering_id = p_offering and buyback_id = p_buyback and status = 'tendered';
end $$;

create function registry.tender(p_actor text, p_request text, p_offering text, p_buyback text, p_tender text, p_investor text, p_units bigint,
    p_paper_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.hold_buyback(p_offering, p_buyback);
    if not exists (select from registry.holding h where h.offering_id = p_offering and h.investor_id = p_investor) then
        raise exception using errcode = 'BR008', constraint = 'tender_is_of_a_holder', message = format('%s holds no unit of %s', p_investor, p_offering);
    end if;
    insert into registry.tender (offering_id, tender_id, buyback_id, status, investor_id, units, tendered_by, paper_sha256)
    values (p_offering, p_tender, p_buyback, 'tendered', p_investor, p_units, p_actor, p_paper_sha256);
end $$;

create function registry.withdraw_tender(p_actor text, p_request text, p_offering text, p_buyback text, p_investor text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.hold_buyback(p_offering, p_buyback);
    update registry.tender set status = 'withdrawn', withdrawn_by = p_actor
    where offering_id = p_offering and buyback_id = p_buyback and investor_id = p_investor and status = 'tendered';
    if not found then
        raise exception using errcode = 'BR404', constraint = 'tender_exists', message = format('%s has offered nothing in %s', p_investor, p_buyback);
    end if;
end $$;

-- Accepts by the stated rule when the window is over; returns how many holders are bought from. Their units wait for the money.
create function registry.accept_buyback(p_actor text, p_request text, p_offering text, p_buyback text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    b registry.buyback;
    accepted integer;
begin
    perform audit.enter(p_actor, p_request);
    b := registry.hold_buyback(p_offering, p_buyback);
    if b.status <> 'open' then
        raise exception using errcode = 'BR008', constraint = 'accepted_buyback_is_open', message = format('%s is %s', p_buyback, b.status);
    end if;
    if b.closes_at > clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'window_is_over_before_acceptance',
            message = format('%s is open until %s', p_buyback, audit.instant(b.closes_at));
    end if;
    insert into registry.redemption_line (offering_id, buyback_id, holding_id, investor_id, offered_units, units, amount_minor)
    select p_offering, p_buyback, a.* from registry.accepted_parts(b) a order by a.holding_id;
    get diagnostics accepted = row_count;
    if accepted = 0 then
        raise exception using errcode = 'BR008', constraint = 'something_is_offered', message = format('nobody offers units in %s', p_buyback);
    end if;
    update registry.buyback set status = 'accepted', accepted_by = p_actor, accepted_at = clock_timestamp()
    where offering_id = p_offering and buyback_id = p_buyback;
    update registry.tender t set status = case when l.units is null then 'declined' else 'accepted' end, accepted_units = l.units
    from registry.tender x left join registry.redemption_line l on l.offering_id = x.offering_id and l.buyback_id = x.buyback_id
        and l.investor_id = x.investor_id
    where x.offering_id = p_offering and x.buyback_id = p_buyback and x.status = 'tendered' and t.offering_id = x.offering_id and t.tender_id = x.tender_id;
    return accepted;
end $$;
