-- The pack of a filing: each item that its form asks for, with its value and the record it comes from.

-- What the books say for a filing. Money in minor units, with its currency as the unit.
create function engine.filing_found(p_offering text, p_filing text) returns table (found text, value text, unit text, source text)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select x.found, x.value, x.unit, x.source
    from engine.offer o
    join engine.filing f on f.offering_id = o.offering_id and f.filing_id = p_filing
    cross join lateral engine.terms_of(o.offering_id) t
    left join engine.issuer s on s.issuer_id = o.issuer_id
    cross join lateral (select count(distinct i.investor_id) as investors, coalesce(sum(i.units), 0) as units,
            coalesce(sum(i.amount_minor), 0) as amount_minor from engine.investment i
        where i.offering_id = o.offering_id and i.status in ('legally_confirmed', 'closed_successfully')) sold
    cross join lateral (select coalesce(sum(i.amount_minor), 0) as amount_minor from engine.investment i where i.offering_id = o.offering_id
        and i.status in ('confirmed', 'legally_confirmed', 'cancellation_requested', 'closed_successfully')) committed
    cross join lateral (select count(*) as holders from registry.holding h where h.offering_id = o.offering_id and h.units > 0) held
    left join lateral (select e.reference, e.filing_id from engine.filing e where e.offering_id = o.offering_id and e.status = 'filed'
        and e.filing_id <> f.filing_id and (f.filed_on is null or e.filed_on <= f.filed_on) and e.form in ('D', 'D/A', 'C', 'C/A') order by e.filed_on desc, e.filing_id limit 1) earlier on true
    left join engine.amendment a on a.offering_id = o.offering_id and a.amendment_id = f.period
    left join engine.filing_fact stated on stated.offering_id = o.offering_id and stated.fact_id = f.fact_source
    cross join lateral (values
        ('issuer_name', s.name, '', 'engine.issuer/' || s.issuer_id),
        ('exemption', o.exemption, '', 'engine.offer/' || o.offering_id),
        ('security_type', t.security_type, '', 'engine.terms/' || t.terms_id),
        ('price', o.unit_price_minor::text, o.currency, 'engine.offer/' || o.offering_id),
        ('units_offered', o.units_total::text, 'units', 'engine.offer/' || o.offering_id),
        ('offer_amount', (o.units_total * o.unit_price_minor)::text, o.currency, 'engine.offer/' || o.offering_id),
        ('minimum_investment', (o.minimum_units * o.unit_price_minor)::text, o.currency, 'engine.offer/' || o.offering_id),
        ('target', t.target_minor::text, o.currency, 'engine.terms/' || t.terms_id),
        ('deadline', audit.instant(t.closes_at), '', 'engine.terms/' || t.terms_id),
        ('amount_sold', sold.amount_minor::text, o.currency, 'engine.investment of ' || o.offering_id),
        ('units_sold', sold.units::text, 'units', 'engine.investment of ' || o.offering_id),
        ('investors', sold.investors::text, 'investors', 'engine.investment of ' || o.offering_id),
        ('committed', committed.amount_minor::text, o.currency, 'engine.investment of ' || o.offering_id),
        ('holders', held.holders::text, 'holders', 'registry.holding of ' || o.offering_id),
        ('first_sale_on', case when f.clock in ('form_d', 'state_notice') then f.fact_on::text
            else (select d.fact_on::text from engine.filing d where d.offering_id = o.offering_id and d.clock = 'form_d') end, '', f.fact_source),
        ('state_sale_on', case when f.place <> '' then f.fact_on::text end, '', f.fact_source),
        ('state_fee', (select r.fee_minor::text from engine.state_notice_rule r where r.place = f.place and r.effective_from <= f.fact_on
            order by r.effective_from desc limit 1), 'USD', 'engine.state_notice_rule/' || f.place),
        ('state', nullif(f.place, ''), '', f.fact_source),
        ('year_end', f.fact_on::text, '', f.fact_source),
        ('half_year_end', f.fact_on::text, '', f.fact_source),
        ('earlier_reference', earlier.reference, '', 'engine.filing/' || earlier.filing_id),
        ('change', a.sentence, '', 'engine.amendment/' || a.amendment_id),
        ('event', stated.because, '', 'engine.filing_fact/' || stated.fact_id),
        ('event_on', stated.happened_on::text, '', 'engine.filing_fact/' || stated.fact_id)) x (found, value, unit, source)
    where o.offering_id = p_offering and x.value is not null;
end;

-- The items of a filing in their order; a value is null while nobody has filled it.
create function engine.filing_pack(p_offering text, p_filing text) returns table (place integer, code text, sentence text, citation text,
    is_mandatory boolean, is_found boolean, value text, unit text, source text, stated_by text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select i.place, i.code, i.sentence, i.citation, i.is_mandatory, i.found is not null, coalesce(w.value, v.value),
        coalesce(w.unit, ''), coalesce(w.source, v.source), v.stated_by
    from engine.filing f join engine.filing_item i using (form)
    left join engine.filing_found(p_offering, p_filing) w on w.found = i.found
    left join lateral (select x.value, x.source, x.stated_by from engine.filing_value x
        where i.found is null and x.offering_id = f.offering_id and x.filing_id = f.filing_id and x.code = i.code
        order by x.ordinal desc limit 1) v on true
    where f.offering_id = p_offering and f.filing_id = p_filing
    order by i.place;
end;

-- The mandatory items that nothing fills.
create function engine.filing_unfilled(p_offering text, p_filing text) returns text[]
language sql stable set search_path = pg_catalog, pg_temp
return array(select p.code from engine.filing_pack(p_offering, p_filing) p where p.is_mandatory and p.value is null order by p.place);

-- The pack as canonical text (RFC 8785), whose digest says whether a fact has changed since.
create function engine.filing_text(p_offering text, p_filing text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (
    select audit.canonical(jsonb_build_object('filing', f.filing_id, 'offer', f.offering_id, 'form', f.form, 'period', f.period,
        'fact_on', f.fact_on, 'due_on', f.due_on, 'items', (
            select coalesce(jsonb_agg(jsonb_build_object('code', p.code, 'sentence', p.sentence, 'value', p.value, 'unit', p.unit,
                'source', p.source) order by p.place), '[]') from engine.filing_pack(p_offering, p_filing) p)))
    from engine.filing f where f.offering_id = p_offering and f.filing_id = p_filing);

-- The items of a filing as people see them: of a prepared or filed one the values that were kept, with those of now where they differ.
create function engine.filing_shown(p_offering text, p_filing text) returns table (place integer, code text, sentence text, citation text,
    is_mandatory boolean, is_found boolean, value text, unit text, source text, stated_by text, differs boolean, value_now text,
    unit_now text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select n.place, n.code, n.sentence, n.citation, n.is_mandatory, n.is_found, n.value, n.unit, n.source, n.stated_by, false, n.value, n.unit
    from engine.filing f cross join lateral engine.filing_pack(f.offering_id, f.filing_id) n
    where f.offering_id = p_offering and f.filing_id = p_filing and f.pack is null
    union all
    select k.place::integer, k.item ->> 'code', k.item ->> 'sentence', coalesce(n.citation, ''), coalesce(n.is_mandatory, false),
        coalesce(n.is_found, false), k.item ->> 'value', k.item ->> 'unit', k.item ->> 'source', case when not d.differs then n.stated_by end,
        d.differs, n.value, coalesce(n.unit, '')
    from engine.filing f cross join lateral jsonb_array_elements(f.pack::jsonb -> 'items') with ordinality k (item, place)
    left join lateral engine.filing_pack(f.offering_id, f.filing_id) n on n.code = k.item ->> 'code'
    cross join lateral (select (n.value, n.unit) is distinct from (k.item ->> 'value', k.item ->> 'unit') as differs) d
    where f.offering_id = p_offering and f.filing_id = p_filing
    order by 1;
end;
