-- A plan from its proposal to its end, and what holders elect under it.

-- Terms stand from the proposal on. A plan begins when there is a whole day (UTC) to elect by its first cut-off; it is of the units as
-- proposed, and of a class that has a token.
create function registry.plan_stands() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    moves constant text[] := '{status,decided_by,decided_because,decided_at,end_proposed_by,end_because,ended_by,version,chain_head}';
begin
    if tg_op = 'INSERT' then
        if not exists (select from engine.offer o where o.offering_id = new.offering_id and o.currency = new.currency) then
            raise exception using errcode = 'BR008', constraint = 'plan_price_is_in_the_currency_of_the_offer',
                message = format('%s is not the currency of %s', new.currency, new.offering_id);
        end if;
        new.proposed_at := clock_timestamp();
        new.instalments_begun := (engine.instalments_of(array[new.offering_id])).begun;
        return new;
    end if;
    if to_jsonb(new) - moves is distinct from to_jsonb(old) - moves
        or old.status <> 'proposed' and (old.decided_by, old.decided_because, old.decided_at)
            is distinct from (new.decided_by, new.decided_because, new.decided_at) then
        raise exception using errcode = 'BR006', constraint = 'plan_terms_are_locked', message = format('the terms of %s are locked', old.plan_id);
    end if;
    if old.status = 'proposed' then
        new.decided_at := clock_timestamp();
    end if;
    if old.status = 'proposed' and new.status = 'in_force' then
        if new.from_on <= registry.today() + new.cutoff_days then
            raise exception using errcode = 'BR008', constraint = 'plan_begins_after_its_cut_off',
                message = format('holders have a whole day to elect under %s; it may begin on %s', new.plan_id, registry.today() + new.cutoff_days + 1);
        end if;
        if not exists (select from engine.offer o where o.offering_id = new.offering_id and o.token_address is not null) then
            raise exception using errcode = 'BR008', constraint = 'plan_is_of_a_class_with_a_token',
                message = format('%s has no token', new.offering_id);
        end if;
        if registry.has_other_units(new) then
            raise exception using errcode = 'BR008', constraint = 'plan_is_of_the_units_as_proposed',
                message = format('units of %s are not those that it was proposed for; propose it anew', new.offering_id);
        end if;
    end if;
    return new;
end $$;
create trigger plan_stands before insert or update on registry.reinvestment_plan for each row execute function registry.plan_stands();
alter table registry.reinvestment_plan enable always trigger plan_stands;

-- Whether a class has other units than a plan was proposed for: split, converted, redeemed or with less principal since, or just now.
create function registry.has_other_units(p registry.reinvestment_plan) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from registry.split s where s.offering_id = p.offering_id
            and (s.status = 'begun' or s.status = 'executed' and s.executed_at > p.proposed_at))
        or exists (select from registry.conversion c where c.offering_id = p.offering_id
            and (c.status = 'begun' or c.status = 'executed' and c.executed_at > p.proposed_at))
        or exists (select from registry.buyback y where y.offering_id = p.offering_id and y.kind = 'redemption'
            and (y.status = 'accepted' or y.status = 'executed' and y.executed_at > p.proposed_at))
        or (select i.begun <> p.instalments_begun from engine.instalments_of(array[p.offering_id]) i);
end $$;

-- Why nobody of a class takes units under a plan now; null when they may. Units that another class becomes are issued when all of them are
-- there: what is authorised for them is promised to nobody else.
create function registry.class_bar(p registry.reinvestment_plan) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return case when registry.has_other_units(p) then 'units_changed_since_the_plan'
        when exists (select from registry.conversion c where c.into_offering_id = p.offering_id and c.status = 'begun')
            then 'another_class_is_converted_into_this_one' end;
end $$;

-- An election is given now, under a plan in force; for another by its paper.
create function registry.election_stands() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    new.given_at := clock_timestamp();
    if new.paper_sha256 is null and not engine.is_person_of(new.given_by, new.investor_id) then
        raise exception using errcode = 'BR008', constraint = 'election_for_another_names_its_paper',
            message = format('%s does not act for %s; name the paper of the holder', new.given_by, new.investor_id);
    end if;
    if new.share_bp > 0 and not exists (select from registry.reinvestment_plan p where p.offering_id = new.offering_id
            and p.status in ('in_force', 'ending')) then
        raise exception using errcode = 'BR008', constraint = 'election_is_under_a_plan_in_force',
            message = format('%s has no plan of reinvestment', new.offering_id);
    end if;
    return new;
end $$;
create trigger election_stands before insert on registry.reinvestment_election for each row execute function registry.election_stands();
alter table registry.reinvestment_election enable always trigger election_stands;

-- An election is there when it says that it was given: a session that waits with it would choose by what came since.
create function registry.election_is_kept_when_it_is_given() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if clock_timestamp() > new.given_at + interval '1 minute' then
        raise exception using errcode = 'BR008', constraint = 'election_is_kept_when_it_is_given',
            message = format('%s was given at %s; elect again', new.election_id, audit.instant(new.given_at));
    end if;
    return null;
end $$;
create constraint trigger election_is_kept_when_it_is_given after insert on registry.reinvestment_election
    deferrable initially deferred for each row execute function registry.election_is_kept_when_it_is_given();
alter table registry.reinvestment_election enable always trigger election_is_kept_when_it_is_given;

-- Locks the control book and then the plan, as it was seen.
create function registry.seen_plan(p_offering text, p_plan text, p_seen bigint) returns registry.reinvestment_plan
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    p registry.reinvestment_plan;
begin
    perform registry.book_of(p_offering);
    select * into p from registry.reinvestment_plan x where x.offering_id = p_offering and x.plan_id = p_plan for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'plan_exists', message = format('there is no plan %s in %s', p_plan, p_offering);
    end if;
    if p.version is distinct from p_seen then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen', message = format('%s is at version %s', p_plan, p.version);
    end if;
    return p;
end $$;

-- Asked: {price_minor, currency, cutoff_days, from_on, most_units, authority_sha256 (hex), authority_reference}.
create function registry.propose_plan(p_actor text, p_request text, p_offering text, p_plan text, p_asked jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.book_of(p_offering);
    insert into registry.reinvestment_plan (offering_id, plan_id, status, price_minor, currency, cutoff_days, from_on, most_units,
        authority_sha256, authority_reference, proposed_by)
    select p_offering, p_plan, 'proposed', a.price_minor, coalesce(a.currency, o.currency), a.cutoff_days, a.from_on, a.most_units,
        decode(a.authority_sha256, 'hex'), a.authority_reference, p_actor
    from engine.offer o, jsonb_to_record(p_asked) as a (price_minor bigint, currency text, cutoff_days integer, from_on date, most_units bigint,
        authority_sha256 text, authority_reference text)
    where o.offering_id = p_offering;
end $$;

-- Another person puts a plan in force on the version seen, in the place of the one before, or declines it.
create function registry.decide_plan(p_actor text, p_request text, p_offering text, p_plan text, p_is_approved boolean, p_because text,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    p registry.reinvestment_plan;
begin
    perform audit.enter(p_actor, p_request);
    p := registry.seen_plan(p_offering, p_plan, p_seen);
    if p_is_approved and p.status = 'proposed' then
        update registry.reinvestment_plan set status = 'superseded' where offering_id = p_offering and status in ('in_force', 'ending');
    end if;
    update registry.reinvestment_plan set status = case when p_is_approved then 'in_force' else 'declined' end, decided_by = p_actor,
        decided_because = p_because, decided_at = clock_timestamp()
    where offering_id = p_offering and plan_id = p_plan;
end $$;

-- Asks that a plan ends, with the reason; it goes on until another person agrees.
create function registry.propose_plan_end(p_actor text, p_request text, p_offering text, p_plan text, p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.seen_plan(p_offering, p_plan, p_seen);
    update registry.reinvestment_plan set status = 'ending', end_proposed_by = p_actor, end_because = p_because
    where offering_id = p_offering and plan_id = p_plan;
end $$;

-- Another person ends a plan, or lets it go on. What distributions have approved under it is issued.
create function registry.decide_plan_end(p_actor text, p_request text, p_offering text, p_plan text, p_is_agreed boolean, p_seen bigint)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    p registry.reinvestment_plan;
begin
    perform audit.enter(p_actor, p_request);
    p := registry.seen_plan(p_offering, p_plan, p_seen);
    if p.status <> 'ending' then
        raise exception using errcode = 'BR008', constraint = 'end_of_a_plan_is_proposed_first', message = format('%s is %s', p_plan, p.status);
    end if;
    update registry.reinvestment_plan set status = case when p_is_agreed then 'ended' else 'in_force' end,
        ended_by = case when p_is_agreed then p_actor end, end_proposed_by = case when p_is_agreed then end_proposed_by end,
        end_because = case when p_is_agreed then end_because end
    where offering_id = p_offering and plan_id = p_plan;
end $$;

-- Records what part of its distributions a holder wants in units.
create function registry.elect_reinvestment(p_actor text, p_request text, p_offering text, p_election text, p_investor text, p_share_bp integer,
    p_paper_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if not exists (select from registry.holding h where h.offering_id = p_offering and h.investor_id = p_investor) then
        raise exception using errcode = 'BR008', constraint = 'election_is_of_a_holder', message = format('%s holds no unit of %s', p_investor, p_offering);
    end if;
    insert into registry.reinvestment_election (offering_id, election_id, status, investor_id, share_bp, given_by, paper_sha256)
    values (p_offering, p_election, 'given', p_investor, p_share_bp, p_actor, p_paper_sha256);
end $$;
