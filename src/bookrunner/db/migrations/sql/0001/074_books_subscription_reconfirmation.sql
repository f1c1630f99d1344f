-- What investors answer to a material change of an offer. Until they have, a representation of theirs is missing.

-- Asks every investor whose investment lives and whose units have not moved, signed or not, since each was shown the
-- terms before the change; asked again, it asks nobody twice.
create function subscription.ask_reconfirmations(p_actor text, p_request text, p_offering text, p_amendment text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    asked text[];
    each text;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.issuance in ('open', 'instructed')
    order by pos.investment_id for update;
    asked := array(select i.investment_id from engine.investment i join engine.position pos using (offering_id, investment_id)
        where i.offering_id = p_offering and pos.issuance in ('open', 'instructed')
            and i.status in ('new', 'confirmed', 'legally_confirmed', 'cancellation_requested')
            and not exists (select from subscription.reconfirmation r where r.offering_id = p_offering
                and r.amendment_id = p_amendment and r.investment_id = i.investment_id)
        order by i.investment_id);
    insert into subscription.reconfirmation (offering_id, reconfirmation_id, amendment_id, investment_id, status, due_at)
    select a.offering_id, 'rcf_' || substr(a.amendment_id, 5) || '_' || substr(x.investment_id, 5), a.amendment_id,
        x.investment_id, 'asked', a.due_at
    from engine.amendment a, unnest(asked) as x (investment_id)
    where a.offering_id = p_offering and a.amendment_id = p_amendment and a.status = 'announced' order by x.investment_id;
    foreach each in array asked loop
        perform subscription.publish(p_offering, each);
    end loop;
    return cardinality(asked);
end $$;

-- The investor's answer, inside the window.
create function subscription.answer_reconfirmation(p_actor text, p_request text, p_offering text, p_reconfirmation text,
    p_is_reconfirmed boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    r subscription.reconfirmation;
begin
    perform audit.enter(p_actor, p_request);
    select * into r from subscription.reconfirmation
    where offering_id = p_offering and reconfirmation_id = p_reconfirmation;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'reconfirmation_exists',
            message = format('there is no reconfirmation %s in %s', p_reconfirmation, p_offering);
    end if;
    perform subscription.lock(p_offering, r.investment_id);
    if r.due_at <= clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'answer_comes_inside_its_window',
            message = format('the window of %s has passed', p_reconfirmation);
    end if;
    update subscription.reconfirmation set status = case when p_is_reconfirmed then 'reconfirmed' else 'declined' end
    where offering_id = p_offering and reconfirmation_id = p_reconfirmation;
    perform subscription.publish(p_offering, r.investment_id);
end $$;

-- What was not answered in time lapses; a worker calls this by the clock.
create function subscription.lapse_reconfirmations(p_actor text, p_request text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    lapsed integer;
begin
    perform audit.enter(p_actor, p_request);
    with late as materialized (
        select r.offering_id, r.reconfirmation_id from subscription.reconfirmation r
        where r.status = 'asked' and r.due_at <= clock_timestamp()
        order by r.offering_id, r.reconfirmation_id for no key update skip locked)
    update subscription.reconfirmation r set status = 'lapsed' from late l
    where r.offering_id = l.offering_id and r.reconfirmation_id = l.reconfirmation_id and r.status = 'asked';
    get diagnostics lapsed = row_count;
    return lapsed;
end $$;

-- After a cut of its units the agreement and the approval of an investment are void; it signs again.
create function subscription.void_for_cut(p_actor text, p_request text, p_offering text, p_investment text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    now_units bigint;
begin
    perform audit.enter(p_actor, p_request);
    perform subscription.lock(p_offering, p_investment);
    select i.units into now_units from engine.investment i
    where i.offering_id = p_offering and i.investment_id = p_investment;
    update subscription.agreement set status = 'voided', void_because = 'its units were cut'
    where offering_id = p_offering and investment_id = p_investment and units <> now_units
        and status in ('sent', 'investor_signed', 'countersigned');
    update subscription.allocation_approval set status = 'superseded'
    where offering_id = p_offering and investment_id = p_investment and units <> now_units
        and status in ('proposed', 'approved');
    perform subscription.publish(p_offering, p_investment);
end $$;

-- Approves what a named person decided in an allotment, in that person's name.
create function subscription.approve_allotted(p_actor text, p_request text, p_offering text, p_approval text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a engine.allotment;
begin
    perform audit.enter(p_actor, p_request);
    select x.* into a from subscription.allocation_approval p
    join engine.allotment_line l on l.offering_id = p.offering_id and l.investment_id = p.investment_id and l.units = p.units
    join engine.allotment x on x.offering_id = l.offering_id and x.allotment_id = l.allotment_id
    where p.offering_id = p_offering and p.approval_id = p_approval order by x.ordinal desc limit 1;
    if not found then
        raise exception using errcode = 'BR008', constraint = 'approval_follows_a_decided_list',
            message = format('no decided list gives the units of %s', p_approval);
    end if;
    perform subscription.approve(p_offering, p_approval, a.decided_by, a.capacity);
end $$;
