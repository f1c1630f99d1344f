-- What people do with a break: one of its owner takes it on and says why it is or what was put right. Only a later run, or a
-- second person with a reason, verifies it.

-- The break as it was seen, locked; a decision on an older version is refused, and so is one by another keeper than its owner.
create function reconciliation.seen_break(p_offering text, p_break text, p_keeper text, p_version bigint) returns reconciliation.break
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    b reconciliation.break;
begin
    select * into b from reconciliation.break where offering_id = p_offering and break_id = p_break for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'break_exists', message = format('there is no break %s', p_break);
    end if;
    if b.version is distinct from p_version then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen', message = 'look again, then decide';
    end if;
    if p_keeper is distinct from b.owner and b.owner in ('portal', 'compliance', 'subscription', 'treasury', 'registry', 'engine', 'audit') then
        raise exception using errcode = 'BR008', constraint = 'break_is_answered_by_its_owner',
            message = format('%s answers for %s', b.owner, p_break);
    end if;
    return b;
end $$;

-- Gives a break to a person of its owner; p_keeper is whom the one who says so serves.
create function reconciliation.assign_break(p_actor text, p_request text, p_offering text, p_break text, p_keeper text, p_person text,
    p_version bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform reconciliation.seen_break(p_offering, p_break, p_keeper, p_version);
    update reconciliation.break set status = 'assigned', assigned_to = p_person, assigned_by = p_actor
    where offering_id = p_offering and break_id = p_break;
end $$;

-- Says why a break is ("explained") or what was put right ("corrected"); neither verifies it.
create function reconciliation.answer_break(p_actor text, p_request text, p_offering text, p_break text, p_keeper text, p_is_corrected boolean,
    p_answer text, p_version bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform reconciliation.seen_break(p_offering, p_break, p_keeper, p_version);
    update reconciliation.break set status = case when p_is_corrected then 'corrected' else 'explained' end, answered_by = p_actor,
        answer = p_answer
    where offering_id = p_offering and break_id = p_break;
end $$;

-- Accepts an explained break with a reason, as another person than who explained it; it stands while both sides say the same.
create function reconciliation.accept_break(p_actor text, p_request text, p_offering text, p_break text, p_keeper text, p_because text,
    p_version bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    b reconciliation.break;
begin
    perform audit.enter(p_actor, p_request);
    b := reconciliation.seen_break(p_offering, p_break, p_keeper, p_version);
    if b.status <> 'explained' then
        raise exception using errcode = 'BR008', constraint = 'accepted_break_is_explained',
            message = format('%s is %s; somebody explains it first', p_break, b.status);
    end if;
    update reconciliation.break set status = 'verified', accepted_by = p_actor, accepted_because = p_because
    where offering_id = p_offering and break_id = p_break;
end $$;

-- Reminds of each break that is older than its severity allows, once for each step; returns how many it reminded of.
create function reconciliation.remind(p_actor text, p_request text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    told integer;
begin
    perform audit.enter(p_actor, p_request);
    insert into reconciliation.reminder (offering_id, reminder_id, break_id, status, step, age_days)
    select b.offering_id, 'brm_' || substr(b.break_id, 5) || '_' || to_char(b.since, 'YYYYMMDDHH24MISS') || '_' || a.step, b.break_id, 'told',
        a.step, b.age_days
    from reconciliation.break_fact b join reconciliation.ageing a on a.severity = b.severity
    where b.status not in ('verified', 'corrected') and b.since + make_interval(days => a.after_days) <= clock_timestamp()
        and not exists (select from reconciliation.reminder r where r.offering_id = b.offering_id
            and r.reminder_id = 'brm_' || substr(b.break_id, 5) || '_' || to_char(b.since, 'YYYYMMDDHH24MISS') || '_' || a.step);
    get diagnostics told = row_count;
    return told;
end $$;

-- Refuses a closing of a set that a break holds up: one of a member or of its investor, or one of the whole offer.
create function reconciliation.require_no_break(p_offering text, p_investments text[]) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    b reconciliation.break;
begin
    select x.* into b from reconciliation.break x join reconciliation.kind k using (kind)
    where x.offering_id = p_offering and x.status <> 'verified' and k.is_blocking
        and (x.about is null or x.about = any (p_investments) or x.about in (select i.investor_id from engine.investment i
            where i.offering_id = p_offering and i.investment_id = any (p_investments)))
    order by x.since, x.break_id limit 1;
    if found then
        raise exception using errcode = 'BR008', constraint = 'closing_set_has_no_blocking_break',
            message = format('%s of %s: %s is open, its owner is %s', b.kind, b.subject_id, b.break_id, b.owner);
    end if;
end $$;

-- Refuses a record date whose holdings nobody has compared, chain and books, since they last moved by its end, or where a
-- difference of holdings is open; answers the run.
create function reconciliation.require_reconciled(p_offering text, p_on date) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    b reconciliation.break;
    since timestamptz := greatest(least((p_on + 1)::timestamp at time zone 'UTC', date_trunc('day', clock_timestamp(), 'UTC')),
        registry.last_posted_at(p_offering, p_on));
    compared text := (select r.run_id from reconciliation.run r where r.offering_id = p_offering and r.is_whole and r.saw_the_chain
        and r.started_at >= since order by r.started_at desc limit 1);
begin
    if compared is null then
        raise exception using errcode = 'BR008', constraint = 'record_date_is_reconciled',
            message = format('the holdings of %s were not compared since %s', p_offering, since);
    end if;
    select x.* into b from reconciliation.break x where x.offering_id = p_offering and x.status <> 'verified' and x.comparison = 'holdings'
    order by x.since, x.break_id limit 1;
    if found then
        raise exception using errcode = 'BR008', constraint = 'record_date_is_reconciled',
            message = format('%s of %s: %s is open, its owner is %s', b.kind, b.subject_id, b.break_id, b.owner);
    end if;
    return compared;
end $$;
