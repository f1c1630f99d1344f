-- Which filings an offer owes by its facts, each fact from the record that holds it.

-- The day on which committed and not cancelled money first reached a part of the target, by the history of each investment:
-- what was cancelled later was committed then.
create function engine.target_passed(p_offering text, p_bps bigint, out happened_on date, out source text)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with moved as (
        select e.occurred_at, e.recorded_at, e.subject, e.version,
            array_remove(array_agg(t.told ->> 'status') over w, null) as statuses,
            min((t.told ->> 'amount_minor')::bigint) over w as amount_minor
        from audit.event e cross join lateral (select audit.payload_of(e.canonical) as told) t
        where e.scope = p_offering and starts_with(e.kind, 'investment.')
        window w as (partition by e.subject order by e.version)
    ), committed as (
        select m.*, case when m.statuses[cardinality(m.statuses)] in
            ('confirmed', 'legally_confirmed', 'cancellation_requested', 'closed_successfully') then m.amount_minor else 0 end as committed_minor
        from moved m
    ), changed as (
        select c.*, c.committed_minor - lag(c.committed_minor, 1, 0::bigint) over (partition by c.subject order by c.version) as change_minor
        from committed c
    ), summed as (
        select c.*, sum(c.change_minor) over (order by c.recorded_at, c.subject, c.version) as total_minor from changed c
    )
    select engine.filing_day(s.occurred_at), s.subject || '@' || s.version from summed s
    where s.total_minor * 10000 >= (engine.terms_of(p_offering)).target_minor::numeric * p_bps
    order by s.recorded_at, s.subject, s.version limit 1;
end;

-- The ends of fiscal years that reports are owed for: from the first sale to a year ahead, until reports were ended.
create function engine.year_ends(p_offering text, p_sale date) returns table (ends_on date, half_ends_on date, source text)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select y.ends_on, case when y.ends_on = (date_trunc('month', y.ends_on) + interval '1 month - 1 day')::date
            then (date_trunc('month', y.ends_on) - interval '5 months')::date - 1
            else (y.ends_on - interval '6 months')::date end, y.fact_id
    from (
        select (s.happened_on + make_interval(years => n))::date as ends_on, s.fact_id
        from (select f.happened_on, f.fact_id from engine.filing_fact f where f.offering_id = p_offering and f.fact = 'year_end'
            order by f.stated_at desc, f.fact_id limit 1) s
        cross join generate_series(extract(year from p_sale)::integer - extract(year from s.happened_on)::integer,
            extract(year from engine.filing_day(clock_timestamp()))::integer - extract(year from s.happened_on)::integer + 1) n) y
    where y.ends_on >= p_sale and y.ends_on <= engine.filing_day(clock_timestamp()) + interval '1 year'
        and not exists (select from engine.filing f where f.offering_id = p_offering and f.clock in ('form_c_stop', 'form_1_z')
            and f.status = 'filed' and f.filed_on <= y.ends_on);
end;

-- The facts of an offer that start a clock. A first sale is the first investment that is bound on both sides: countersigned,
-- with its units approved.
create function engine.filing_facts(p_offering text) returns table (fact text, period text, place text, happened_on date, source text)
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    o engine.offer;
    t engine.terms := engine.terms_of(p_offering);
    sale record;
begin
    select * into o from engine.offer x where x.offering_id = p_offering;
    if o.status is null or o.status in ('new', 'draft', 'legal_review', 'legal_declined') then
        return;
    end if;
    -- What was found once stands on its filing: an offer has many events.
    select f.fact_on as on_day, f.fact_source as source into sale from engine.filing f
    where f.offering_id = p_offering and (f.clock = 'form_d' or f.clock = 'state_notice' and f.period = '') limit 1;
    if not found then
        select engine.filing_day(e.occurred_at) as on_day, e.subject || '@' || e.version as source into sale from audit.event e
        where e.scope = p_offering and e.kind = 'investment.legally_confirmed' order by e.recorded_at, e.subject limit 1;
    end if;
    return query
    select 'opening', '', '', engine.filing_day(coalesce(o.published_at, t.opens_at)), coalesce(t.terms_id, o.offering_id)
    union all
    select 'first_sale', '', '', sale.on_day, sale.source where sale.on_day is not null
    union all
    (select 'last_notice', f.filing_id, '', f.filed_on, f.filing_id from engine.filing f
        where f.offering_id = p_offering and f.form in ('D', 'D/A') and f.status = 'filed' and o.status = 'published'
        order by f.filed_on desc, f.filing_id limit 1)
    union all
    select k.fact, e.subject, '', engine.filing_day(e.occurred_at), e.subject || '@' || e.version
    from engine.amendment a join audit.event e on e.scope = a.offering_id and e.subject = a.amendment_id
    cross join (values ('material_change'), ('change_of_notice')) k (fact)
    where a.offering_id = p_offering and e.kind = 'amendment.announced'
    union all
    select f.fact, f.fact_id, '', f.happened_on, f.fact_id from engine.filing_fact f
    where f.offering_id = p_offering and f.fact in ('change_of_notice', 'reportable_event', 'end_of_duty')
    union all
    (select distinct on (f.place) f.fact, f.place, f.place, f.happened_on, f.fact_id from engine.filing_fact f
        where f.offering_id = p_offering and f.fact = 'state_sale' order by f.place, f.happened_on, f.fact_id)
    union all
    select 'state_sale', '', '', sale.on_day, sale.source where sale.on_day is not null and not exists (
        select from engine.filing_fact f where f.offering_id = p_offering and f.fact = 'state_sale')
    union all
    (select 'end_of_offer', '', '', engine.filing_day(e.occurred_at), e.subject || '@' || e.version from audit.event e
        where e.scope = p_offering and e.subject = p_offering and e.kind = 'offer.closed_to_new_money' and o.status <> 'closed_unsuccessfully'
        order by e.version limit 1)
    union all
    select k.fact, k.ends_on::text, '', k.ends_on, y.source from engine.year_ends(p_offering, sale.on_day) y
    cross join lateral (values ('year_end', y.ends_on), ('half_year_end', y.half_ends_on)) k (fact, ends_on)
    where k.ends_on >= sale.on_day;
    if o.exemption = 'reg_cf' and t.target_minor is not null then
        return query
        select p.fact, '', '', coalesce(f.fact_on, m.happened_on), coalesce(f.fact_source, m.source)
        from (values ('half_of_target', 'form_c_half'), ('whole_target', 'form_c_whole')) p (fact, clock)
        left join engine.filing f on f.offering_id = p_offering and f.clock = p.clock
        left join lateral engine.target_passed(p_offering, compliance.rule_value('us.filing.' || p.fact, clock_timestamp())) m
            on f.filing_id is null
        where coalesce(f.fact_on, m.happened_on) is not null;
    end if;
end $$;

-- The filings that an offer owes, each with its due day and the version of its rule.
create function engine.filings_owed(p_offering text) returns table (clock text, form text, period text, place text, fact_on date,
    fact_source text, due_on date, rule_id text, rule_version integer)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select c.clock, c.form, f.period, f.place, f.happened_on, f.source, d.due_on, d.rule_id, d.rule_version
    from engine.offer o cross join lateral engine.filing_facts(o.offering_id) f
    join engine.filing_clock c on c.fact = f.fact and o.exemption = any (c.exemptions)
    cross join lateral engine.filing_due(c.clock, f.place, f.happened_on) d
    where o.offering_id = p_offering;
end;
