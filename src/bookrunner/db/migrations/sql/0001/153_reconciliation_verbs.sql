-- A run: the comparisons, and what becomes of the breaks that they find or find no more.

-- What the comparisons say, each under its name; a comparison that is not chosen says nothing. Planned for the arguments of each
-- call, so that a run of a few investments looks up a few rows and one of all joins whole books.
create function reconciliation.compared(p_offering text, p_only text[], p_chain jsonb, p_chosen text[]) returns table (comparison text,
    subject_id text, kind text, about text, left_value text, right_value text, owner text)
language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan as $$
declare
    next_one text;
begin
    foreach next_one in array coalesce(p_chosen, array(select c.comparison from reconciliation.comparison c order by c.comparison)) loop
        return query execute format('select %L::text, d.subject_id, d.kind, d.about, coalesce(d.left_value, ''none''),
            coalesce(d.right_value, ''none''), coalesce(d.owner, k.owner)
            from reconciliation.%s d join reconciliation.kind k using (kind)', next_one, case next_one
                when 'holdings' then 'holdings($1, $2, $3)'
                when 'position' then 'position_bits($1, $2)'
                when 'cadence' then 'kept_cadence($1)'
                when 'transfers' then 'transfers($1)'
                when 'ledger' then 'ledger($1)'
                when 'archive' then 'archive($1)'
                else format('%I($1, $2)', next_one) end)
        using p_offering, p_only, p_chain;
    end loop;
end $$;

-- What differs in a whole offer, by all comparisons or the chosen ones. Whole books are hashed: before their first statistics the planner takes them for a few
-- rows and walks one for each row of the other.
create function reconciliation.differences(p_offering text, p_chain jsonb, p_chosen text[] default null) returns table (comparison text,
    subject_id text, kind text, about text, left_value text, right_value text, owner text)
language sql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off set work_mem = '64MB'
begin atomic
    select d.comparison, d.subject_id, d.kind, d.about, d.left_value, d.right_value, d.owner
    from reconciliation.compared(p_offering, null, p_chain, p_chosen) d;
end;

-- The last events of what a break is of, up to five, by name.
create function reconciliation.evidence_of(p_offering text, p_subject text, p_about text) returns text[]
language sql stable set search_path = pg_catalog, pg_temp
return array(select e.subject || '@' || e.version from audit.event e
    where e.scope in (p_offering, p_about) and e.subject in (split_part(p_subject, '@', 1), p_about)
    order by e.recorded_at desc, e.version desc limit 5);

-- Runs the chosen comparisons, all of them when none is chosen, over these investments and what hangs on them, over everything
-- when none is named. p_chain is what the chain showed, null where nobody looked. One run of an offer at a time. A new difference is
-- a break, one whose values changed is told again, one that was verified opens again for whoever takes it now, and a break that the run looked at and did not
-- find is verified by it. What two people accepted stands while both sides say the same. Nothing is repaired, nothing deleted.
create function reconciliation.run(p_actor text, p_request text, p_offering text, p_run text, p_chain jsonb,
    p_only text[] default null, p_chosen text[] default null) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    seen jsonb;
    borne_out jsonb;
    found_now integer;
    reopened integer;
    resolved_now integer;
    is_whole constant boolean := p_only is null and p_chosen is null;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer where offering_id = p_offering for share;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'offer_exists', message = format('there is no offer %s', p_offering);
    end if;
    perform pg_advisory_xact_lock(hashtextextended('reconciliation/' || p_offering, 0));
    if p_only is null then
        select coalesce(jsonb_agg(to_jsonb(d)), '[]') into seen from (
            select distinct on (x.comparison, x.subject_id, x.kind) x.* from reconciliation.differences(p_offering, p_chain, p_chosen) x
            order by x.comparison, x.subject_id, x.kind, x.left_value) d;
    else
        select coalesce(jsonb_agg(to_jsonb(d)), '[]') into seen from (
            select distinct on (x.comparison, x.subject_id, x.kind) x.* from reconciliation.compared(p_offering, p_only, p_chain, p_chosen) x
            order by x.comparison, x.subject_id, x.kind, x.left_value) d;
    end if;
    select coalesce(jsonb_agg(d), '[]') into borne_out from jsonb_array_elements(seen) as d
    where p_chain -> 'standing' is null or not reconciliation.is_of_the_chain(d ->> 'kind')
        or p_chain -> 'standing' @> jsonb_build_array(jsonb_build_array(d ->> 'kind', d ->> 'subject_id'));
    with verified as (
        update reconciliation.break b set status = 'verified', verified_in = p_run, accepted_by = null, accepted_because = null
        where b.offering_id = p_offering and (b.status <> 'verified' or b.accepted_by is not null)
            and (p_chosen is null or b.comparison = any (p_chosen))
            and (p_only is null or b.about is null or b.about = any (p_only))
            and (p_chain is not null or not reconciliation.is_of_the_chain(b.kind))
            and (p_chain ->> 'delivered' is not null or b.kind <> 'supply_is_not_the_control_book')
            and not exists (select from jsonb_to_recordset(seen) as d (comparison text, subject_id text, kind text)
                where (d.comparison, d.subject_id, d.kind) = (b.comparison, b.subject_id, b.kind))
        returning 1)
    select count(*) into resolved_now from verified;
    update reconciliation.break b set left_value = d.left_value, right_value = d.right_value, verified_in = null, accepted_by = null,
        accepted_because = null, since = case b.status when 'verified' then clock_timestamp() else b.since end,
        evidence = reconciliation.evidence_of(p_offering, b.subject_id, b.about),
        status = case b.status when 'verified' then 'open' when 'open' then 'open' else 'assigned' end,
        assigned_to = case when b.status <> 'verified' then b.assigned_to end, assigned_by = case when b.status <> 'verified' then b.assigned_by end,
        answered_by = case when b.status <> 'verified' then b.answered_by end, answer = case when b.status <> 'verified' then b.answer end
    from jsonb_to_recordset(borne_out) as d (comparison text, subject_id text, kind text, left_value text, right_value text)
    where b.offering_id = p_offering and (d.comparison, d.subject_id, d.kind) = (b.comparison, b.subject_id, b.kind)
        and (b.verified_in is not null or b.status = 'corrected'
            or (b.left_value, b.right_value) is distinct from (d.left_value, d.right_value));
    get diagnostics reopened = row_count;
    insert into reconciliation.break (offering_id, break_id, comparison, subject_id, kind, about, left_value, right_value, owner, evidence,
        status)
    select p_offering, 'brk_' || substr(p_run, 5) || '_' || row_number() over (order by d.comparison, d.subject_id, d.kind),
        d.comparison, d.subject_id, d.kind, d.about, d.left_value, d.right_value, d.owner,
        reconciliation.evidence_of(p_offering, d.subject_id, d.about), 'open'
    from jsonb_to_recordset(borne_out) as d (comparison text, subject_id text, kind text, about text, left_value text, right_value text, owner text)
    where not exists (select from reconciliation.break b where b.offering_id = p_offering
        and (d.comparison, d.subject_id, d.kind) = (b.comparison, b.subject_id, b.kind));
    get diagnostics found_now = row_count;
    insert into reconciliation.run (offering_id, run_id, is_whole, phase, saw_the_chain, compared, found, resolved)
    select p_offering, p_run, is_whole, coalesce((select f.phase from reconciliation.phase f where f.offering_id = p_offering), 'none'),
        p_chain is not null, coalesce(cardinality(p_only), (select count(*) from engine.investment where offering_id = p_offering)),
        found_now + reopened, resolved_now;
    return borne_out;
end $$;
