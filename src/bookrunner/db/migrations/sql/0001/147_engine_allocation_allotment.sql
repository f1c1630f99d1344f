-- Allotment: who gets how many units and why, first as a dry run, then decided by a named person on the same book.

-- Splits units in proportion to orders: largest remainder, ties by id, never above an order. An order whose share would
-- not reach the minimum gets nothing, the smallest first, and the others share what that leaves.
create function engine.pro_rata(p_ids text[], p_orders bigint[], p_units bigint, p_minimum bigint)
returns table (id text, units bigint)
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
    with ranked as (
        select u.id, u.ordered, row_number() over w as place, sum(u.ordered) over w as mass
        from unnest(p_ids, p_orders) as u (id, ordered)
        window w as (order by u.ordered desc, u.id collate "C" rows unbounded preceding)),
    kept as (
        select coalesce(max(r.place), 0) as places, coalesce(max(r.mass), 0) as mass from ranked r
        where r.ordered >= p_minimum and (r.mass <= p_units or r.ordered::numeric * p_units >= p_minimum * r.mass)),
    part as (
        select r.id, case when r.place > k.places then 0 when k.mass <= p_units then r.ordered
            else div(r.ordered::numeric * p_units, k.mass) end as whole,
            case when r.place <= k.places and k.mass > p_units then mod(r.ordered::numeric * p_units, k.mass) else -1 end as rest
        from ranked r cross join kept k),
    given as (
        select p.id, p.whole, p.rest, row_number() over (order by p.rest desc, p.id collate "C") as turn,
            p_units - sum(p.whole) over () as spare
        from part p)
    select g.id, (g.whole + case when g.rest >= 0 and g.turn <= g.spare then 1 else 0 end)::bigint
    from given g order by g.id collate "C";
end;

-- Every live order of an offer: settled ones keep their units, ordered ones wait for an allotment, and those that are
-- still signed have their reservation.
create function engine.order_book(p_offering text) returns table (investment_id text, investor_id text, units bigint,
    opened_at timestamptz, standing text, version bigint)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select i.investment_id, i.investor_id, i.units, pos.opened_at, case
        when i.status = 'new' then 'signing'
        when i.status in ('confirmed', 'legally_confirmed') and not pos.allocation_is_approved and pos.issuance = 'open'
            and engine.allotted_units(i.offering_id, i.investment_id) is distinct from i.units
            and not exists (select from engine.closing_member m where m.offering_id = i.offering_id
                and m.investment_id = i.investment_id and m.status <> 'left') then 'ordered'
        else 'settled' end, i.version
    from engine.investment i join engine.position pos using (offering_id, investment_id)
    where i.offering_id = p_offering
        and i.status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully');
end;

create function engine.units_to_allot(p_offering text) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
return (
    select o.units_total - coalesce((select sum(b.units) from engine.order_book(p_offering) b
        where b.standing = 'settled'), 0) from engine.offer o where o.offering_id = p_offering)::bigint;

create function engine.policy_of(p_offering text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return coalesce((select p.policy from engine.allocation_policy p where p.offering_id = p_offering), 'first_come');

-- The version of the book that a list is decided on: it changes with each order, each confirmation and each unit.
create function engine.book_version(p_offering text) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
return encode(substr(sha256(convert_to(engine.policy_of(p_offering) || ' ' || coalesce(engine.units_to_allot(p_offering), 0)
    || coalesce((select string_agg(E'\n' || b.investment_id || ' ' || b.units || ' ' || b.version, ''
        order by b.investment_id collate "C") from engine.order_book(p_offering) b where b.standing <> 'settled'), ''),
    'UTF8')), 1, 16), 'hex');

-- Who gets how many units and why; writes nothing. Wishes are {investment: units} and count for discretion alone.
create function engine.allot(p_offering text, p_wishes jsonb) returns table (investment_id text, investor_id text,
    ordered_units bigint, units bigint, because text)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    available constant bigint := engine.units_to_allot(p_offering);
    least_units constant bigint := (select o.minimum_units from engine.offer o where o.offering_id = p_offering);
    by_policy constant text := engine.policy_of(p_offering);
begin
    return query
    with book as materialized (select * from engine.order_book(p_offering)),
    shared as (
        select s.id, s.units from engine.pro_rata(
            array(select b.investment_id from book b where b.standing = 'ordered' and by_policy = 'pro_rata' order by 1),
            array(select b.units from book b where b.standing = 'ordered' and by_policy = 'pro_rata' order by b.investment_id),
            available, least_units) s),
    queued as (
        select b.*, greatest(available - coalesce(sum(b.units) over (order by b.opened_at, b.investment_id collate "C"
            rows between unbounded preceding and 1 preceding), 0), 0) as left_units
        from book b where b.standing = 'ordered'),
    line as (
        select q.investment_id, q.investor_id, q.units as ordered, case by_policy
            when 'pro_rata' then s.units
            when 'discretionary' then (p_wishes ->> q.investment_id)::bigint
            when 'first_come' then case when least(q.units, q.left_units) < least_units then 0
                else least(q.units, q.left_units) end end::bigint as given, q.left_units
        from queued q left join shared s on s.id = q.investment_id),
    signing as (
        select b.*, available - coalesce((select sum(l.given) from line l), 0)
            - sum(b.units) over (order by b.opened_at, b.investment_id collate "C" rows unbounded preceding) as left_units
        from book b where b.standing = 'signing')
    select l.investment_id, l.investor_id, l.ordered, l.given, case
        when l.given is null then 'no_units_are_named'
        when by_policy = 'discretionary' then 'by_discretion'
        when l.given = l.ordered then 'in_full'
        when l.given > 0 then case by_policy when 'pro_rata' then 'pro_rata' else 'what_was_left' end
        when by_policy = 'pro_rata' then 'share_is_below_the_minimum'
        when l.left_units > 0 then 'rest_is_below_the_minimum' else 'units_ran_out' end
    from line l
    union all
    select g.investment_id, g.investor_id, g.units, case when g.left_units >= 0 then g.units else 0 end,
        case when g.left_units >= 0 then 'reservation_stands' else 'not_confirmed_in_time' end
    from signing g order by 1;
end $$;

create function engine.require_person(p_actor text, p_capacity text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
    if p_actor = 'process' or p_actor like 'provider:%' or p_actor like 'delegate:%' then
        raise exception using errcode = 'BR010', constraint = 'decision_is_made_by_a_person',
            message = format('%s decides nothing here', p_actor);
    end if;
    if p_capacity is null or p_capacity not in ('issuer', 'placement_agent') then
        raise exception using errcode = 'BR008', constraint = 'approver_is_issuer_or_agent',
            message = 'the issuer or its placement agent decides';
    end if;
end $$;

-- Decides the list that the policy gives on the book that was seen. Cut orders become smaller, those with nothing end,
-- and from now on the offer takes no more than its units.
create function engine.decide_allotment(p_actor text, p_request text, p_offering text, p_allotment text, p_book text,
    p_wishes jsonb, p_capacity text, p_because text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    lines jsonb;
    o engine.offer;
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, p_capacity);
    perform 1 from engine.offer x where x.offering_id = p_offering for update;
    select * into o from engine.offer x where x.offering_id = p_offering;
    if o.status is null or o.status not in ('published', 'legally_closed') then
        raise exception using errcode = 'BR002', constraint = 'offer_can_close',
            message = format('%s is neither published nor legally closed', p_offering);
    end if;
    perform 1 from engine.position pos where pos.offering_id = p_offering order by pos.investment_id for update;
    perform 1 from engine.investment i where i.offering_id = p_offering order by i.investment_id for no key update;
    if p_book is distinct from engine.book_version(p_offering) then
        raise exception using errcode = 'BR412', constraint = 'book_is_the_one_that_was_seen',
            message = format('the book is now "%s"', engine.book_version(p_offering));
    end if;
    select coalesce(jsonb_agg(to_jsonb(l)), '[]') into lines from engine.allot(p_offering, p_wishes) l
    where l.because <> 'reservation_stands';
    perform engine.require_lines(p_offering, lines, p_wishes);
    insert into engine.allotment (offering_id, allotment_id, ordinal, status, policy, available_units, ordered_units,
        allotted_units, book, decided_by, capacity, because)
    select p_offering, p_allotment, 1 + (select count(*) from engine.allotment a where a.offering_id = p_offering), 'decided',
        engine.policy_of(p_offering), engine.units_to_allot(p_offering), sum(l.ordered_units), sum(l.units), p_book,
        p_actor, p_capacity, p_because
    from jsonb_to_recordset(lines) as l (ordered_units bigint, units bigint);
    insert into engine.allotment_line (offering_id, allotment_id, investment_id, ordered_units, units, because)
    select p_offering, p_allotment, l.investment_id, l.ordered_units, l.units, l.because
    from jsonb_to_recordset(lines) as l (investment_id text, ordered_units bigint, units bigint, because text);
    perform engine.carry_out(p_offering, p_allotment);
    update engine.reservation set most_units = o.units_total where offering_id = p_offering;
    return jsonb_array_length(lines);
end $$;

-- Refuses a list that leaves an order out, names a stranger, or cuts one below the minimum ticket.
create function engine.require_lines(p_offering text, p_lines jsonb, p_wishes jsonb) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if p_lines = '[]' or exists (select from jsonb_array_elements(p_lines) l where l -> 'units' = 'null')
        or exists (select from jsonb_object_keys(coalesce(p_wishes, '{}')) k where engine.policy_of(p_offering) <> 'discretionary'
            or not exists (select from jsonb_array_elements(p_lines) l
                where l ->> 'investment_id' = k and l ->> 'because' = 'by_discretion')) then
        raise exception using errcode = 'BR008', constraint = 'list_names_every_order_once',
            message = format('the list of %s is not its book', p_offering);
    end if;
    if exists (select from jsonb_to_recordset(p_lines) as l (units bigint), engine.offer o
        where o.offering_id = p_offering and l.units <> 0 and l.units < o.minimum_units) then
        raise exception using errcode = 'BR008', constraint = 'units_reach_the_minimum',
            message = 'a line is below the minimum ticket';
    end if;
end $$;

-- Cuts and ends the investments of a decided list; the caller has locked them.
create function engine.carry_out(p_offering text, p_allotment text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update engine.investment i set units = l.units, amount_minor = i.amount_minor / i.units * l.units
    from engine.allotment_line l
    where l.offering_id = p_offering and l.allotment_id = p_allotment and l.units between 1 and l.ordered_units - 1
        and i.offering_id = l.offering_id and i.investment_id = l.investment_id;
    update engine.investment i set status = 'cancelled_by_manager'
    from engine.allotment_line l
    where l.offering_id = p_offering and l.allotment_id = p_allotment and l.units = 0
        and i.offering_id = l.offering_id and i.investment_id = l.investment_id;
end $$;

-- Cuts one investment that no closing holds, at any time before its units move. What it has paid above its new amount
-- goes back, and it signs again for the new number.
create function engine.scale_back(p_actor text, p_request text, p_offering text, p_allotment text, p_investment text,
    p_units bigint, p_capacity text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    i engine.investment;
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, p_capacity);
    perform 1 from engine.offer x where x.offering_id = p_offering for update;
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id = p_investment for update;
    select * into i from engine.investment x where x.offering_id = p_offering and x.investment_id = p_investment for no key update;
    if i.status is null then
        raise exception using errcode = 'BR404', constraint = 'investment_exists',
            message = format('there is no investment %s in %s', p_investment, p_offering);
    end if;
    if i.status not in ('confirmed', 'legally_confirmed') or p_units not between 1 and i.units - 1
        or exists (select from engine.position pos where pos.offering_id = p_offering and pos.investment_id = p_investment
            and pos.issuance <> 'open')
        or exists (select from engine.closing_member m where m.offering_id = p_offering and m.investment_id = p_investment
            and m.status <> 'left') then
        raise exception using errcode = 'BR008', constraint = 'cut_order_is_confirmed_and_open',
            message = format('%s is not a confirmed order of more than %s units outside a closing', p_investment, p_units);
    end if;
    insert into engine.allotment (offering_id, allotment_id, ordinal, status, policy, available_units, ordered_units,
        allotted_units, book, decided_by, capacity, because)
    select p_offering, p_allotment, 1 + count(*), 'decided', 'scale_back', i.units, i.units, p_units,
        i.investment_id || '@' || i.version, p_actor, p_capacity, p_because
    from engine.allotment a where a.offering_id = p_offering;
    insert into engine.allotment_line (offering_id, allotment_id, investment_id, ordered_units, units, because)
    values (p_offering, p_allotment, p_investment, i.units, p_units, 'scaled_back');
    perform engine.carry_out(p_offering, p_allotment);
end $$;

create view engine.allotment_list as
select a.offering_id, a.allotment_id, a.ordinal, a.policy, a.decided_by, a.capacity, a.because as reason,
    a.available_units, l.investment_id, l.ordered_units, l.units, l.because
from engine.allotment a join engine.allotment_line l using (offering_id, allotment_id);
