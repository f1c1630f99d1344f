-- The verbs of a closing: propose and freeze in one transaction, then follow what the registry and treasury did.

create function engine.require_member(p_offering text, p_closing text, p_investment text, p_units bigint) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from engine.closing_member m join engine.closing c using (offering_id, closing_id)
        where m.offering_id = p_offering and m.closing_id = p_closing and m.investment_id = p_investment
        and m.status = 'frozen' and m.units = p_units and c.status = 'frozen') then
        raise exception using errcode = 'BR008', constraint = 'instruction_is_inside_a_frozen_set',
            message = format('%s is not a member of the frozen closing %s with %s units', p_investment, p_closing, p_units);
    end if;
end $$;

-- Who would be in a closing now: every investment that no closing holds, with what it lacks. One that was left out for want
-- of a countersignature is none before somebody decides its case.
create function engine.candidates(p_offering text) returns table (investment_id text, units bigint,
    amount_minor bigint, missing jsonb)
language sql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off
begin atomic
    select s.investment_id, s.units, s.amount_minor, s.missing from engine.stage s
    where s.offering_id = p_offering and s.status in ('new', 'confirmed', 'legally_confirmed')
        and not exists (select from engine.closing_member m where m.offering_id = s.offering_id
            and m.investment_id = s.investment_id and m.status <> 'left')
        and not exists (select from engine.left_out l where l.offering_id = s.offering_id
            and l.investment_id = s.investment_id)
    order by s.investment_id;
end;

-- Whom a closing can instruct now. A gate is computed once for each member, whatever the planner knows of a set that was
-- filled a moment ago: a nested loop would compute it for each pair.
create function engine.issuable(p_offering text, p_closing text) returns table (investment_id text, units bigint,
    investor_id text, address text)
language sql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off
begin atomic
    select m.investment_id, m.units, pos.investor_id, encode(w.address, 'hex')
    from engine.closing_member m join engine.position pos using (offering_id, investment_id)
    join registry.wallet_fact w on w.offering_id = pos.offering_id and w.investor_id = pos.investor_id and w.status = 'linked'
    where m.offering_id = p_offering and m.closing_id = p_closing and m.status = 'frozen' and pos.issuance = 'open'
        and engine.act_mask('issue') & ~engine.holds(pos) = 0
    order by m.investment_id;
end;

-- Freezes a closing of the named investments, or of all candidates. Every one of them must pass the gate in this
-- very transaction; otherwise nothing is frozen and every missing condition is named. Enqueues the process.
create function engine.freeze_closing(p_actor text, p_request text, p_offering text, p_closing text,
    p_investments text[]) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    chosen text[];
    missing jsonb;
    digest bytea;
    running engine.closing;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'offer_exists',
            message = format('there is no offer %s', p_offering);
    end if;
    if (select o.status from engine.offer o where o.offering_id = p_offering) not in ('published', 'legally_closed') then
        raise exception using errcode = 'BR002', constraint = 'offer_can_close',
            message = format('%s is neither published nor legally closed', p_offering);
    end if;
    perform engine.require_deadline_passed(p_offering);
    p_investments := engine.proposed_set(p_actor, p_offering, p_closing, p_investments);
    select * into running from engine.closing c where c.offering_id = p_offering
        and c.status in ('proposed', 'frozen', 'issued', 'released') and (c.status, c.closing_id) <> ('proposed', p_closing);
    if found then
        raise exception using errcode = 'BR008', constraint = 'one_closing_runs_per_offer',
            message = format('%s is %s; the next closing waits for its certificate', running.closing_id, running.status);
    end if;
    chosen := coalesce(p_investments, array(select c.investment_id from engine.candidates(p_offering) c));
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id = any (chosen)
    order by pos.investment_id for update;
    if exists (select from unnest(chosen) x where engine.is_left_out(p_offering, x)) then
        raise exception using errcode = 'BR008', constraint = 'left_out_investment_is_included_by_decision',
            message = format('%s was left out of a closing; somebody decides its case first',
                (select min(x) from unnest(chosen) x where engine.is_left_out(p_offering, x)));
    end if;
    if cardinality(chosen) = 0 or exists (select from unnest(chosen) x where not exists (
        select from engine.candidates(p_offering) c where c.investment_id = x)) then
        raise exception using errcode = 'BR008', constraint = 'closing_has_open_investments',
            message = format('there is nothing to close in %s, or a named investment is not open to a closing', p_offering);
    end if;
    select coalesce(jsonb_agg(m.value order by pos.investment_id, m.place), '[]') into missing
    from engine.position pos, engine.gate g,
        jsonb_array_elements(engine.missing(pos, g.mask)) with ordinality as m (value, place)
    where pos.offering_id = p_offering and pos.investment_id = any (chosen) and g.act = 'issue';
    if missing <> '[]' then
        raise exception using errcode = 'BR409', constraint = 'gate_is_closed',
            message = format('the closing of %s waits', p_offering),
            detail = jsonb_build_object('act', 'issue', 'missing', missing)::text;
    end if;
    if exists (select from engine.amendment a where a.offering_id = p_offering and a.status = 'announced') then
        raise exception using errcode = 'BR008', constraint = 'change_is_put_to_investors',
            message = format('a material change of %s is not put to its investors yet', p_offering);
    end if;
    perform engine.require_target(p_offering);
    if exists (select from engine.investment i where i.offering_id = p_offering and i.investment_id = any (chosen)
        and i.status <> 'legally_confirmed') then
        raise exception using errcode = 'BR008', constraint = 'frozen_investment_is_legally_confirmed',
            message = 'an investment is not legally confirmed yet';
    end if;
    if exists (select from engine.investment i where i.offering_id = p_offering and i.investment_id = any (chosen)
        and not exists (select from subscription.allocation_fact l where l.offering_id = p_offering
            and l.investment_id = i.investment_id and l.status = 'approved' and l.units = i.units)) then
        raise exception using errcode = 'BR008', constraint = 'units_equal_the_approved_allocation',
            message = 'an investment has other units than were approved for it';
    end if;
    -- More than the amount in escrow would stay there: it goes back before units are on their way.
    if exists (select from engine.investment i join engine.position pos using (offering_id, investment_id)
        where i.offering_id = p_offering and i.investment_id = any (chosen) and pos.cleared_minor <> i.amount_minor) then
        raise exception using errcode = 'BR008', constraint = 'escrow_holds_the_amount_and_no_more',
            message = format('%s holds other money than its amount', (select min(i.investment_id)
                from engine.investment i join engine.position pos using (offering_id, investment_id)
                where i.offering_id = p_offering and i.investment_id = any (chosen) and pos.cleared_minor <> i.amount_minor));
    end if;
    perform reconciliation.require_no_break(p_offering, chosen);
    insert into engine.closing (offering_id, closing_id, ordinal, status, proposed_by)
    select p_offering, p_closing, 1 + count(*), 'proposed', p_actor from engine.closing where offering_id = p_offering
    having not coalesce(bool_or(closing_id = p_closing), false);
    select sha256(convert_to(string_agg(pos.investment_id || ' ' || i.units || ' ' || encode(pos.funding_hash, 'hex'),
        E'\n' order by pos.investment_id), 'UTF8')) into digest
    from engine.position pos join engine.investment i using (offering_id, investment_id)
    where pos.offering_id = p_offering and pos.investment_id = any (chosen);
    update engine.closing set status = 'frozen', set_sha256 = digest where offering_id = p_offering and closing_id = p_closing;
    insert into engine.closing_member (offering_id, closing_id, investment_id, status, units, amount_minor, facts,
        facts_sha256, member_id)
    select p_offering, p_closing, pos.investment_id, 'frozen', i.units, i.amount_minor, f.saw,
        sha256(convert_to(audit.canonical(f.saw), 'UTF8')),
        'mbr_' || substr(p_closing, 5) || '_' || substr(pos.investment_id, 5)
    from engine.position pos join engine.investment i using (offering_id, investment_id),
        lateral (select engine.facts(pos) as saw offset 0) f
    where pos.offering_id = p_offering and pos.investment_id = any (chosen) order by pos.investment_id;
    perform engine.open_cases(p_offering, p_closing);
    perform dbos.enqueue_workflow('run_closing', 'closings', array[to_json(p_offering), to_json(p_closing)],
        workflow_id => 'close-' || p_closing);
    return cardinality(chosen);
end $$;

-- One whose gate closed before issuance leaves the set; the others go on. Nobody leaves whose units are on their way.
create function engine.leave_closing(p_actor text, p_request text, p_offering text, p_closing text,
    p_investments text[], p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investment_id = any (p_investments)
    order by pos.investment_id for update;
    if exists (select from engine.position pos where pos.offering_id = p_offering
        and pos.investment_id = any (p_investments) and pos.issuance <> 'open') then
        raise exception using errcode = 'BR008', constraint = 'member_leaves_before_its_units_move',
            message = format('a member of %s is instructed, submitted or registered', p_closing);
    end if;
    update engine.closing_member set status = 'left', left_because = p_because
    where offering_id = p_offering and closing_id = p_closing and investment_id = any (p_investments) and status = 'frozen';
end $$;

-- The set is issued when every member that stayed stands in the register.
create function engine.mark_issued(p_actor text, p_request text, p_offering text, p_closing text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    issued integer;
begin
    perform audit.enter(p_actor, p_request);
    if exists (select from engine.closing_member m join engine.position pos using (offering_id, investment_id)
        where m.offering_id = p_offering and m.closing_id = p_closing and m.status = 'frozen'
        and not pos.holding_is_registered) then
        raise exception using errcode = 'BR008', constraint = 'every_member_is_registered',
            message = format('a member of %s is not in the register', p_closing);
    end if;
    update engine.closing_member set status = 'issued'
    where offering_id = p_offering and closing_id = p_closing and status = 'frozen';
    select count(*) into issued from engine.closing_member m
    where m.offering_id = p_offering and m.closing_id = p_closing and m.status = 'issued';
    update engine.investment i set status = 'closed_successfully', closing_id = p_closing
    from engine.closing_member m
    where m.offering_id = p_offering and m.closing_id = p_closing and m.status = 'issued'
        and i.offering_id = m.offering_id and i.investment_id = m.investment_id and i.status = 'legally_confirmed';
    update engine.closing set status = case when issued = 0 then 'abandoned' else 'issued' end
    where offering_id = p_offering and closing_id = p_closing and status = 'frozen';
    return issued;
end $$;

create function engine.mark_released(p_actor text, p_request text, p_offering text, p_closing text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if not exists (select from treasury.release_fact r where r.offering_id = p_offering and r.closing_id = p_closing
        and r.status in ('sent', 'settled')) then
        raise exception using errcode = 'BR008', constraint = 'escrow_is_released',
            message = format('escrow of %s has not been released', p_closing);
    end if;
    update engine.closing set status = 'released' where offering_id = p_offering and closing_id = p_closing;
end $$;

-- Writes the certificate of a released closing: who, how many units, on which facts, in which transactions.
create function engine.certify(p_actor text, p_request text, p_offering text, p_closing text) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
declare
    text_of text;
begin
    perform audit.enter(p_actor, p_request);
    select audit.canonical(jsonb_build_object('closing', c.closing_id, 'offering', c.offering_id, 'number', c.ordinal,
        'set_sha256', encode(c.set_sha256, 'hex'), 'members', m.members, 'root', encode(engine.merkle_root(m.leaves), 'hex')))
    into text_of from engine.closing c cross join lateral engine.certified_members(c.offering_id, c.closing_id) m
    where c.offering_id = p_offering and c.closing_id = p_closing and c.status = 'released';
    if text_of is null then
        raise exception using errcode = 'BR002', constraint = 'certificate_follows_the_release',
            message = format('%s is not released', p_closing);
    end if;
    insert into engine.certificate (offering_id, closing_id, canonical, sha256)
    values (p_offering, p_closing, text_of, sha256(convert_to(text_of, 'UTF8')));
    update engine.closing set status = 'certified', certificate_sha256 = sha256(convert_to(text_of, 'UTF8'))
    where offering_id = p_offering and closing_id = p_closing;
    return text_of;
end $$;
