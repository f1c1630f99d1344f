-- Orders before their allotment: the policy of an offer, the end of a reservation, the line of those who wait.

-- Names the policy of an offer, or changes it while nobody has ordered. Orders above the units of the offer are taken up
-- to most_units; a reservation that is not confirmed ends after hold_minutes.
create function engine.name_policy(p_actor text, p_request text, p_offering text, p_policy text, p_most_units bigint,
    p_hold_minutes integer) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    total bigint := (select o.units_total from engine.offer o where o.offering_id = p_offering);
begin
    perform audit.enter(p_actor, p_request);
    if total is null then
        raise exception using errcode = 'BR404', constraint = 'offer_exists',
            message = format('there is no offer %s', p_offering);
    end if;
    update engine.allocation_policy set policy = p_policy, most_units = coalesce(p_most_units, total),
        hold_minutes = p_hold_minutes where offering_id = p_offering;
    if not found then
        insert into engine.allocation_policy (offering_id, policy_id, status, policy, most_units, hold_minutes)
        values (p_offering, 'plc_' || substr(p_offering, 5), 'named', p_policy, coalesce(p_most_units, total), p_hold_minutes);
    end if;
end $$;

-- Ends reservations that were not confirmed in time; their units are free again. One that is confirmed or withdrawn
-- at this very moment is left to that.
create function engine.expire_reservations(p_actor text, p_request text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    ended integer;
begin
    perform audit.enter(p_actor, p_request);
    with late as materialized (
        select i.offering_id, i.investment_id from engine.allocation_policy p
        join engine.investment i using (offering_id) join engine.position pos using (offering_id, investment_id)
        where p.hold_minutes is not null and i.status = 'new'
            and pos.opened_at + make_interval(mins => p.hold_minutes) <= clock_timestamp()
        order by i.offering_id, i.investment_id for no key update of i skip locked)
    update engine.investment i set status = 'cancelled_by_manager' from late l
    where i.offering_id = l.offering_id and i.investment_id = l.investment_id and i.status = 'new';
    get diagnostics ended = row_count;
    return ended;
end $$;

-- Puts an investor in line for units that may come free; returns the place. Nothing is due and nothing can be paid.
create function engine.join_waitlist(p_actor text, p_request text, p_offering text, p_entry text, p_investor text,
    p_units bigint) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    o engine.offer;
    taken bigint;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer where offering_id = p_offering for update;
    select * into o from engine.offer where offering_id = p_offering;
    if o.status is distinct from 'published' then
        raise exception using errcode = 'BR002', constraint = 'offer_is_open_to_new_money',
            message = format('%s is %s', p_offering, coalesce(o.status, 'unknown'));
    end if;
    perform engine.require_minimum(p_units, o.minimum_units);
    if p_units > o.units_total then
        raise exception using errcode = 'BR008', constraint = 'waiting_units_are_within_the_offer',
            message = format('%s has %s units', p_offering, o.units_total);
    end if;
    if p_units <= engine.units_left(p_offering) and not exists (select from engine.waitlist_entry w
        where w.offering_id = p_offering and w.status = 'waiting') then
        raise exception using errcode = 'BR008', constraint = 'waitlist_opens_when_units_run_out',
            message = format('%s units are left', engine.units_left(p_offering));
    end if;
    select 1 + coalesce(max(w.place), 0) into taken from engine.waitlist_entry w where w.offering_id = p_offering;
    insert into engine.waitlist_entry (offering_id, entry_id, place, investor_id, units, status)
    values (p_offering, p_entry, taken, p_investor, p_units, 'waiting');
    return taken;
end $$;

create function engine.leave_waitlist(p_actor text, p_request text, p_offering text, p_entry text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update engine.waitlist_entry set status = 'withdrawn' where offering_id = p_offering and entry_id = p_entry;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'waitlist_entry_exists',
            message = format('nobody waits as %s', p_entry);
    end if;
end $$;

-- Gives free units to those who wait, strictly in order: the first one stops the line until its units are free. Each
-- gets an investment with the offer's limited time to confirm; one whose order a rule refuses is passed over. Looks at so
-- many at most and returns how many it looked at: a caller with a long line repeats it until it answers 0.
create function engine.promote_waiting(p_actor text, p_request text, p_offering text, p_most integer default 500)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    w engine.waitlist_entry;
    investment text;
    looked integer := 0;
    broken text;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    if not exists (select from engine.offer o where o.offering_id = p_offering and o.status = 'published') then
        return 0;
    end if;
    loop
        select * into w from engine.waitlist_entry x where x.offering_id = p_offering and x.status = 'waiting'
        order by x.place limit 1;
        exit when not found or looked = p_most or w.units > engine.units_left(p_offering);
        looked := looked + 1;
        investment := 'inv_' || substr(w.entry_id, 5);
        begin
            perform engine.open_order(p_offering, investment, w.investor_id, w.units);
            update engine.waitlist_entry set status = 'promoted', investment_id = investment
            where offering_id = p_offering and entry_id = w.entry_id;
        exception when sqlstate 'BR008' or unique_violation then
            get stacked diagnostics broken = constraint_name;
            update engine.waitlist_entry set status = 'passed_over', because = broken
            where offering_id = p_offering and entry_id = w.entry_id;
        end;
    end loop;
    return looked;
end $$;

-- Every unit of an offer is reserved, allocated or free; orders above the cap are oversubscribed until an allotment.
create view engine.unit_standing as
select o.offering_id, o.units_total, coalesce(p.policy, 'first_come') as policy, p.hold_minutes,
    (u.live - u.allocated - u.over)::bigint as reserved_units, u.allocated::bigint as allocated_units,
    greatest(o.units_total - u.counted, 0)::bigint as free_units, u.over::bigint as oversubscribed_units,
    coalesce((select sum(w.units) from engine.waitlist_entry w
        where w.offering_id = o.offering_id and w.status = 'waiting'), 0)::bigint as waiting_units
from engine.offer o left join engine.allocation_policy p using (offering_id)
cross join lateral (
    select coalesce(sum(i.units), 0) as live,
        coalesce(sum(i.units) filter (where pos.allocation_is_approved or i.status = 'closed_successfully'), 0) as allocated,
        coalesce((select r.units from engine.reservation r where r.offering_id = o.offering_id), 0) as counted,
        greatest(coalesce((select r.units from engine.reservation r where r.offering_id = o.offering_id), 0)
            - o.units_total, 0) as over
    from engine.investment i join engine.position pos using (offering_id, investment_id)
    where i.offering_id = o.offering_id and i.status not in ('cancelled_by_investor', 'cancelled_by_manager')) u;

-- What an investor's page says is left to do for the packet.
create function engine.packet_to_do(p_offering text, p_investment text)
returns table (step text, code text, says text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select t.step, t.code, t.says from subscription.packet_to_do(p_offering, p_investment) t;
end;

-- When the units of an order that is not confirmed are free again.
create view engine.reservation_end as
select i.offering_id, i.investment_id, pos.opened_at + make_interval(mins => p.hold_minutes) as ends_at
from engine.allocation_policy p join engine.investment i using (offering_id) join engine.position pos using (offering_id, investment_id)
where p.hold_minutes is not null and i.status = 'new';
