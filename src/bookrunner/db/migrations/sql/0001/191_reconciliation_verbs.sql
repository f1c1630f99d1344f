-- A run: the comparisons, and what becomes of the breaks that they find or find no more.

-- What the books say of the same thing, each comparison under its name; one that is not chosen says nothing. With p_only, of these
-- investments and what hangs on them. No part looks a row up for each row of another, so that several can be read at once.
create function reconciliation.between_books(p_offering text, p_only text[], p_chosen text[]) returns table (comparison text,
    kind text, subject_id text, about text, left_value text, right_value text, owner text)
language sql stable parallel safe
begin atomic
    select 'holdings', d.* from reconciliation.holdings_in_books(p_offering, p_only) d where p_chosen is null or 'holdings' = any (p_chosen)
    union all
    select 'identity', d.* from reconciliation.identity(p_offering, p_only) d where p_chosen is null or 'identity' = any (p_chosen)
    union all
    select 'payments', d.* from reconciliation.payments(p_offering, p_only) d where p_chosen is null or 'payments' = any (p_chosen)
    union all
    select 'position', d.* from reconciliation.position_bits(p_offering, p_only) d where p_chosen is null or 'position' = any (p_chosen)
    union all
    select 'subscriptions', d.* from reconciliation.subscriptions(p_offering, p_only) d where p_chosen is null or 'subscriptions' = any (p_chosen)
    union all
    select 'wallets', d.* from reconciliation.wallets(p_offering, p_only) d where p_chosen is null or 'wallets' = any (p_chosen);
end;

-- What the chain, the archive, the events, the calendar and the ledger say, likewise, in one process.
create function reconciliation.beside_books(p_offering text, p_only text[], p_chain jsonb, p_chosen text[]) returns table (comparison text,
    kind text, subject_id text, about text, left_value text, right_value text, owner text)
language sql stable
begin atomic
    select 'archive', d.* from reconciliation.archive(p_offering) d where p_chosen is null or 'archive' = any (p_chosen)
    union all
    select 'cadence', d.* from reconciliation.kept_cadence(p_offering) d where p_chosen is null or 'cadence' = any (p_chosen)
    union all
    select 'history', d.* from reconciliation.history(p_offering, p_only) d where p_chosen is null or 'history' = any (p_chosen)
    union all
    select 'holdings', d.* from reconciliation.holdings(p_offering, p_only, p_chain) d where p_chosen is null or 'holdings' = any (p_chosen)
    union all
    select 'ledger', d.* from reconciliation.ledger(p_offering) d where p_chosen is null or 'ledger' = any (p_chosen)
    union all
    select 'subscriptions', d.* from reconciliation.agreement_bytes(p_offering, p_only) d
    where p_chosen is null or 'subscriptions' = any (p_chosen)
    union all
    select 'transfers', d.* from reconciliation.transfers(p_offering) d where p_chosen is null or 'transfers' = any (p_chosen);
end;

-- What differs among a few investments. Planned for the arguments of each call, so that it looks up a few rows, in one process.
create function reconciliation.compared(p_offering text, p_only text[], p_chain jsonb, p_chosen text[]) returns table (comparison text,
    kind text, subject_id text, about text, left_value text, right_value text, owner text)
language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_custom_plan
    set max_parallel_workers_per_gather = 0 as $$
begin
    return query select d.* from reconciliation.between_books(p_offering, p_only, p_chosen) d;
    return query select d.* from reconciliation.beside_books(p_offering, p_only, p_chain, p_chosen) d;
end $$;

-- What differs in a whole offer, by all comparisons or the chosen ones. Whole books are read in the order of their keys and
-- merged: a table of hashes outgrows the caches of a processor, and before their first statistics the planner takes books for a
-- few rows. No scan is divided among processes; each reads a comparison, so that several are read at once. A generic plan holds
-- no arguments: one of what a large chain showed would be copied again and again.
create function reconciliation.differences(p_offering text, p_chain jsonb, p_chosen text[] default null) returns table (comparison text,
    kind text, subject_id text, about text, left_value text, right_value text, owner text)
language plpgsql stable set search_path = pg_catalog, pg_temp set plan_cache_mode = force_generic_plan
    set enable_nestloop = off set enable_hashjoin = off set work_mem = '64MB'
    set parallel_tuple_cost = 0 set min_parallel_table_scan_size = '1TB' set min_parallel_index_scan_size = '1TB' as $$
begin
    return query select d.* from reconciliation.between_books(p_offering, null, p_chosen) d;
    return query select d.* from reconciliation.beside_books(p_offering, null, p_chain, p_chosen) d;
end $$;

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
    -- Apart from p_chain, which no plan of the breaks then holds.
    saw_the_chain constant boolean := p_chain is not null;
    saw_the_supply constant boolean := p_chain ->> 'delivered' is not null;
    standing constant jsonb := p_chain -> 'standing';
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer where offering_id = p_offering for share;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'offer_exists', message = format('there is no offer %s', p_offering);
    end if;
    perform pg_advisory_xact_lock(hashtextextended('reconciliation/' || p_offering, 0));
    select coalesce(jsonb_agg(to_jsonb(d)), '[]') into seen from (
        select distinct on (x.comparison, x.subject_id, x.kind) x.comparison, x.subject_id, x.kind, x.about,
            coalesce(x.left_value, 'none') as left_value, coalesce(x.right_value, 'none') as right_value, coalesce(x.owner, k.owner) as owner
        from (select w.* from reconciliation.differences(p_offering, p_chain, p_chosen) w where p_only is null
            union all
            select o.* from reconciliation.compared(p_offering, p_only, p_chain, p_chosen) o where p_only is not null) x
        join reconciliation.kind k using (kind)
        order by x.comparison, x.subject_id, x.kind, x.left_value) d;
    select coalesce(jsonb_agg(d), '[]') into borne_out from jsonb_array_elements(seen) as d
    where standing is null or not reconciliation.is_of_the_chain(d ->> 'kind')
        or standing @> jsonb_build_array(jsonb_build_array(d ->> 'kind', d ->> 'subject_id'));
    with verified as (
        update reconciliation.break b set status = 'verified', verified_in = p_run, accepted_by = null, accepted_because = null
        where b.offering_id = p_offering and (b.status <> 'verified' or b.accepted_by is not null)
            and (p_chosen is null or b.comparison = any (p_chosen))
            and (p_only is null or b.about is null or b.about = any (p_only))
            and (saw_the_chain or not reconciliation.is_of_the_chain(b.kind))
            and (saw_the_supply or b.kind <> 'supply_is_not_the_control_book')
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
        saw_the_chain, coalesce(cardinality(p_only), (select count(*) from engine.investment where offering_id = p_offering)),
        found_now + reopened, resolved_now;
    return borne_out;
end $$;
