-- What each move of an offer needs and does: a second person, a deadline, a target, an end.

-- What the target counts: cleared money of committed investors who do not belong to the issuer, and what was issued to them.
create function engine.counted_minor(p_offering text) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
return (
    select coalesce(sum(case i.status when 'closed_successfully' then i.amount_minor
        else least(pos.cleared_minor, i.amount_minor) end), 0)::bigint
    from engine.investment i join engine.position pos using (offering_id, investment_id)
    where i.offering_id = p_offering and i.status in ('confirmed', 'legally_confirmed', 'closed_successfully')
        and not exists (select from engine.related_investor x where x.offering_id = i.offering_id and x.investor_id = i.investor_id));

create function engine.target_is_met(p_offering text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return (select coalesce(engine.counted_minor(p_offering) >= (engine.terms_of(p_offering)).target_minor, true));

-- Refuses what waits for the target of an offer.
create function engine.require_target(p_offering text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if not engine.target_is_met(p_offering) then
        raise exception using errcode = 'BR008', constraint = 'target_is_met_before_a_close',
            message = format('%s has %s of %s minor units', p_offering, engine.counted_minor(p_offering),
                (engine.terms_of(p_offering)).target_minor);
    end if;
end $$;

create function engine.declare_related(p_actor text, p_request text, p_offering text, p_investor text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into engine.related_investor (offering_id, investor_id, declared_by, because)
    values (p_offering, p_investor, p_actor, p_because) on conflict do nothing;
end $$;

-- Whether an offer may close only at its deadline, which an early close moves first (17 CFR 227.304(b)).
create function engine.waits_for_deadline(p_offering text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return (select coalesce((engine.terms_of(o.offering_id)).closes_at > clock_timestamp(), false)
    from engine.offer o join engine.exemption_term e using (exemption)
    where o.offering_id = p_offering and e.early_close_rule is not null);

create function engine.require_deadline_passed(p_offering text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if engine.waits_for_deadline(p_offering) then
        raise exception using errcode = 'BR008', constraint = 'deadline_is_moved_before_an_early_close',
            message = format('%s closes at %s', p_offering, (engine.terms_of(p_offering)).closes_at);
    end if;
end $$;

-- Refuses a move that lacks what it needs. The offer is locked.
create function engine.require_move(p_actor text, p_offering text, p_status text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    o engine.offer;
    t engine.terms := engine.terms_of(p_offering);
begin
    select * into o from engine.offer x where x.offering_id = p_offering;
    if p_status = 'legal_review' and o.status = 'draft' then
        perform engine.check_terms(p_offering);
    elsif p_status in ('legal_accepted', 'legal_declined') and o.status = 'legal_review' then
        perform engine.require_person(p_actor, 'issuer');
        if exists (select from unnest(t.drafted_by || t.edited_by) w (who) where audit.person_of(w.who) = audit.person_of(p_actor)) then
            raise exception using errcode = 'BR010', constraint = 'terms_are_reviewed_by_another_person',
                message = format('%s drafted the terms of %s', p_actor, p_offering);
        end if;
    elsif p_status = 'published' and o.status = 'legal_accepted' then
        perform engine.check_terms(p_offering);
    elsif p_status = 'legally_closed' and o.status = 'published' then
        perform engine.require_deadline_passed(p_offering);
    elsif p_status = 'closed_successfully' and o.status = 'legally_closed' then
        if not exists (select from engine.closing c where c.offering_id = p_offering and c.status = 'certified') then
            raise exception using errcode = 'BR008', constraint = 'successful_offer_has_a_certified_closing',
                message = format('no closing of %s is certified', p_offering);
        end if;
        if exists (select from engine.investment i where i.offering_id = p_offering
                and i.status in ('new', 'confirmed', 'legally_confirmed', 'cancellation_requested'))
            or exists (select from engine.closing c where c.offering_id = p_offering
                and c.status in ('proposed', 'frozen', 'issued', 'released')) then
            raise exception using errcode = 'BR008', constraint = 'every_investment_has_ended',
                message = format('an investment or a closing of %s is open', p_offering);
        end if;
    end if;
end $$;

-- Reviews an offer: a person who did not draft its terms accepts them, or declines them with a reason.
create function engine.review_offer(p_actor text, p_request text, p_offering text, p_is_accepted boolean, p_because text)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer where offering_id = p_offering for update;
    perform engine.require_move(p_actor, p_offering, case when p_is_accepted then 'legal_accepted' else 'legal_declined' end);
    update engine.offer set status = case when p_is_accepted then 'legal_accepted' else 'legal_declined' end,
        because = p_because where offering_id = p_offering;
    perform engine.follow_terms(p_offering);
end $$;

-- The terms follow the status of their offer: locked by its submission, open again after a decline.
create function engine.follow_terms(p_offering text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    stands text := (select o.status from engine.offer o where o.offering_id = p_offering);
begin
    update engine.terms t set status = case when stands = 'legal_review' then 'locked' else 'draft' end,
        locked_at = case when stands = 'legal_review' then clock_timestamp() end
    where t.offering_id = p_offering and (stands = 'legal_review' and t.status = 'draft'
        or stands = 'draft' and t.status = 'locked');
end $$;
-- Refuses an order or its confirmation where the offer takes none: by its status, outside its window whatever the status
-- still says, or while a material change waits. Whether it is open is one plain look; why not is read apart. Not locked: who read the open offer stands before the close that overlapped.
create function engine.require_open(p_offering text) returns void
language plpgsql stable as $$
declare
    stands text;
    opens timestamptz;
    closes timestamptz;
    changes boolean;
    is_open boolean;
begin
    select o.status = 'published'
        and not exists (select from engine.terms t where t.offering_id = p_offering and t.status <> 'superseded'
            and (clock_timestamp() < t.opens_at or clock_timestamp() >= t.closes_at))
        and not exists (select from engine.amendment a where a.offering_id = p_offering and a.status = 'announced')
    into is_open from engine.offer o where o.offering_id = p_offering;
    if is_open then
        return;
    end if;
    select o.status, t.opens_at, t.closes_at,
        exists (select from engine.amendment a where a.offering_id = p_offering and a.status = 'announced')
    into stands, opens, closes, changes
    from engine.offer o left join engine.terms t on t.offering_id = p_offering and t.status <> 'superseded'
    where o.offering_id = p_offering;
    if stands is null then
        raise exception using errcode = 'BR404', constraint = 'offer_exists', message = format('there is no offer %s', p_offering);
    elsif stands <> 'published' then
        raise exception using errcode = 'BR002', constraint = 'offer_is_open_to_new_money',
            message = format('%s is %s', p_offering, stands);
    elsif opens > clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'offer_has_opened',
            message = format('%s opens at %s', p_offering, opens);
    elsif changes then
        raise exception using errcode = 'BR008', constraint = 'change_is_put_to_investors',
            message = format('a material change of %s is not put to its investors yet', p_offering);
    end if;
    raise exception using errcode = 'BR002', constraint = 'offer_is_open_to_new_money',
        message = format('%s closed at %s', p_offering, closes);
end $$;

-- Whether units of a set are on their way, or there.
create function engine.units_are_on_their_way(p_offering text, p_closing text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from engine.position pos join engine.closing_member m using (offering_id, investment_id)
    where m.offering_id = p_offering and m.closing_id = p_closing and m.status = 'frozen' and pos.issuance <> 'open');

-- Ends a set before any of its units are on their way; its members wait for the next closing. The offer is locked.
create function engine.dissolve_set(p_offering text, p_closing text, p_because text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.position pos join engine.closing_member m using (offering_id, investment_id)
    where m.offering_id = p_offering and m.closing_id = p_closing and m.status = 'frozen'
    order by pos.investment_id for update of pos;
    if engine.units_are_on_their_way(p_offering, p_closing) then
        raise exception using errcode = 'BR008', constraint = 'member_leaves_before_its_units_move',
            message = format('a member of %s is instructed, submitted or registered', p_closing);
    end if;
    update engine.closing_member set status = 'left', left_because = p_because
    where offering_id = p_offering and closing_id = p_closing and status = 'frozen';
    update engine.closing set status = 'abandoned' where offering_id = p_offering and closing_id = p_closing;
end $$;

-- A person abandons a closing, with a reason. Refused once units of a member are on their way.
create function engine.abandon_closing(p_actor text, p_request text, p_offering text, p_closing text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    perform 1 from engine.offer where offering_id = p_offering for update;
    if not exists (select from engine.closing c where c.offering_id = p_offering and c.closing_id = p_closing) then
        raise exception using errcode = 'BR404', constraint = 'closing_exists',
            message = format('there is no closing %s in %s', p_closing, p_offering);
    end if;
    perform engine.dissolve_set(p_offering, p_closing, p_because);
end $$;

-- Ends an offer without success: its minimum was missed, its issuer withdrew it, or a regulator halted it. No money enters any
-- more, a set that has not begun to issue is dissolved, and what follows for each investment follows from the event.
create function engine.fail_offer(p_actor text, p_request text, p_offering text, p_ended_as text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    running engine.closing;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer where offering_id = p_offering for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'offer_exists',
            message = format('there is no offer %s', p_offering);
    end if;
    select * into running from engine.closing c where c.offering_id = p_offering and c.status in ('proposed', 'frozen');
    if found then
        perform engine.dissolve_set(p_offering, running.closing_id, 'the offer failed');
    end if;
    update engine.offer set status = 'closed_unsuccessfully', ended_as = p_ended_as, because = p_because
    where offering_id = p_offering;
end $$;

-- Ends so many live investments of failed offers and returns how many; repeated until it answers 0. One that was not
-- confirmed, or whose cancellation was asked for, is cancelled; the others end with their offer.
create function engine.end_investments(p_actor text, p_request text, p_offering text, p_most integer) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    ended integer;
begin
    perform audit.enter(p_actor, p_request);
    with live as materialized (
        select i.offering_id, i.investment_id, i.status from engine.offer o join engine.investment i using (offering_id)
        join engine.position pos using (offering_id, investment_id)
        where o.offering_id = p_offering and o.status = 'closed_unsuccessfully'
            and i.status in ('new', 'confirmed', 'legally_confirmed', 'cancellation_requested')
        order by i.investment_id limit p_most for update of pos for no key update of i)
    update engine.investment i set remembered_status = null,
        status = case when l.status in ('new', 'cancellation_requested') then 'cancelled_by_manager' else 'closed_unsuccessfully' end
    from live l where i.offering_id = l.offering_id and i.investment_id = l.investment_id and i.status = l.status;
    get diagnostics ended = row_count;
    return ended;
end $$;

-- Whether an offer issues units or has issued some: what ends it then is decided by people, never by the clock.
create function engine.has_issued(p_offering text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from engine.closing c where c.offering_id = p_offering and (c.status in ('issued', 'released', 'certified')
    or c.status = 'frozen' and engine.units_are_on_their_way(p_offering, c.closing_id)));

-- Looks at the deadlines that have come: an offer closes to new money, and when the time for its money is over below its
-- target it fails (17 CFR 240.10b-9). Of several who look at one moment one takes an offer, the others leave it.
create function engine.look_at_deadlines(p_actor text, p_request text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    due record;
    moved integer := 0;
begin
    perform audit.enter(p_actor, p_request);
    for due in
        select o.offering_id, o.status, t.pays_by from engine.terms t join engine.offer o using (offering_id)
        where t.status = 'locked' and (o.status = 'published' and t.closes_at <= clock_timestamp()
            or o.status = 'legally_closed' and t.pays_by <= clock_timestamp() and not engine.target_is_met(o.offering_id)
                and not engine.has_issued(o.offering_id))
        order by o.offering_id for no key update of o skip locked
    loop
        -- Another may have moved it before the lock was had.
        if due.status = 'published' and (select o.status from engine.offer o where o.offering_id = due.offering_id) = 'published' then
            update engine.offer set status = 'legally_closed' where offering_id = due.offering_id;
            moved := moved + 1;
        end if;
        if due.pays_by <= clock_timestamp() and not engine.target_is_met(due.offering_id) and not engine.has_issued(due.offering_id)
            and (select o.status from engine.offer o where o.offering_id = due.offering_id) = 'legally_closed' then
            perform engine.fail_offer(p_actor, p_request, due.offering_id, 'minimum_missed',
                'the target was not reached in its time');
            moved := moved + 1;
        end if;
    end loop;
    return moved;
end $$;

-- Closes to new money each of these offers whose every unit is legally confirmed or issued, if its terms say so.
create function engine.close_full_offers(p_actor text, p_request text, p_offerings text[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    closed integer;
begin
    perform audit.enter(p_actor, p_request);
    with full_offer as materialized (
        select o.offering_id from engine.offer o join engine.terms t using (offering_id)
        where o.offering_id = any (p_offerings) and o.status = 'published' and t.status = 'locked' and t.closes_at_cap
            and engine.waits_for_deadline(o.offering_id) is not true
            and o.units_total <= (select sum(i.units) from engine.investment i where i.offering_id = o.offering_id
                and i.status in ('legally_confirmed', 'closed_successfully'))
        order by o.offering_id for no key update of o)
    update engine.offer o set status = 'legally_closed' from full_offer f
    where o.offering_id = f.offering_id and o.status = 'published';
    get diagnostics closed = row_count;
    return closed;
end $$;
