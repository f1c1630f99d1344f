-- The verbs of tax documents: a year drafted from what was paid in it, compared with that again, released by another person.

-- What was paid in a year: a line in the year in which the bank booked it, one that was withheld whole in that of its pay day. A line
-- whose payment is on its way or came back was not paid, and one that gives units is when both its units and its cash came; what units were bought
-- back for is the proceeds of a sale, and an instalment pays back what was lent.
create function engine.paid_in(p_offering text, p_year integer) returns table (line_id text, investor_id text, form text, income text,
    rate_bp integer, country text, capital_minor bigint, income_minor bigint, withheld_minor bigint)
language sql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off
begin atomic
    select l.line_id, l.investor_id, l.form, d.income, l.rate_bp, l.country, l.capital_minor, l.income_minor, l.withheld_minor
    from engine.distribution_line l join engine.distribution d using (offering_id, distribution_id)
    left join treasury.paid_disbursement p on p.offering_id = l.offering_id and p.disbursement_id = l.line_id
    left join lateral (select (m.moved_at at time zone 'UTC')::date as issued_on from registry.movement_fact m where m.offering_id = l.offering_id
        and m.kind = 'reinvestment' and m.reference = l.line_id) u on l.reinvested_minor > 0
    where l.offering_id = p_offering and d.status in ('paying', 'paid') and l.gross_minor > 0
        and not exists (select from engine.redemption r where r.offering_id = d.offering_id and r.distribution_id = d.distribution_id)
        and not exists (select from engine.instalment_run r where r.offering_id = d.offering_id and r.distribution_id = d.distribution_id)
        and extract(year from case when l.reinvested_minor > 0 then case when u.issued_on is not null and (l.net_minor = 0 or p.paid_on is not null)
            then greatest(u.issued_on, p.paid_on) end when l.net_minor = 0 then d.pay_on else p.paid_on end) = p_year;
end;

-- What was paid in a year as the parts of forms. United States persons get a Form 1099 by the kind of income, everybody else a Form
-- 1042-S for each income code: 06 dividends, 01 interest, 37 return of capital (26 CFR 1.6042-2, 1.6049-4, 1.1461-1(c)). Who gave no
-- valid form is presumed foreign, as it was withheld from (26 CFR 1.1441-1(b)(3)).
create function engine.tax_parts(p_offering text, p_year integer) returns table (line_id text, investor_id text, form text, code text,
    rate_bp integer, country text, capital_minor bigint, income_minor bigint, withheld_minor bigint)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select p.line_id, p.investor_id, case p.income when 'dividend' then '1099-DIV' else '1099-INT' end, '', 0, '', p.capital_minor,
        p.income_minor, p.withheld_minor
    from engine.paid_in(p_offering, p_year) p where starts_with(p.form, 'W-9')
    union all
    select p.line_id, p.investor_id, '1042-S', case p.income when 'dividend' then '06' else '01' end, p.rate_bp, p.country, 0,
        p.income_minor, p.withheld_minor
    from engine.paid_in(p_offering, p_year) p where not starts_with(p.form, 'W-9') and p.income_minor > 0
    union all
    select p.line_id, p.investor_id, '1042-S', '37', 0, '', p.capital_minor, 0, 0
    from engine.paid_in(p_offering, p_year) p where not starts_with(p.form, 'W-9') and p.capital_minor > 0;
end;

-- How many payments of its year a draft does not count as they are: paid since, come back, or with other amounts.
create function engine.tax_year_differs(p_offering text, p_tax_year text, p_year integer) returns bigint
language sql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off
begin atomic
    select count(*) from (select x.line_id, sum(x.gross_minor) as gross, sum(x.withheld_minor) as withheld from engine.tax_part x
        where x.offering_id = p_offering and x.tax_year_id = p_tax_year group by x.line_id) c
    full join (select p.line_id, p.capital_minor + p.income_minor as gross, p.withheld_minor as withheld
        from engine.paid_in(p_offering, p_year) p) p using (line_id)
    where (c.gross, c.withheld) is distinct from (p.gross::numeric, p.withheld::numeric);
end;

-- The forms of a year sum to its payments at the commit that drafts it, and again when it is released, once the year is over. A payment
-- that came back and was made again in another year is on the forms of one released year alone.
create function engine.tax_year_sums() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    forms record;
    twice record;
begin
    select count(*) as forms, sum(f.gross_minor) as gross, sum(f.withheld_minor) as withheld, sum(f.net_minor) as net,
        count(*) filter (where (f.gross_minor::numeric, f.withheld_minor::numeric) is distinct from (x.gross, x.withheld)) as wrong
    into forms from engine.tax_form f left join (select p.form_id, sum(p.gross_minor) as gross, sum(p.withheld_minor) as withheld
        from engine.tax_part p where p.offering_id = new.offering_id and p.tax_year_id = new.tax_year_id group by p.form_id) x using (form_id)
    where f.offering_id = new.offering_id and f.tax_year_id = new.tax_year_id;
    if (forms.forms, forms.gross, forms.withheld, forms.net) is distinct from (new.forms::bigint, new.gross_minor::numeric,
            new.withheld_minor::numeric, new.net_minor::numeric) or forms.wrong > 0
        or engine.tax_year_differs(new.offering_id, new.tax_year_id, new.year) > 0 then
        raise exception using errcode = 'BR009', constraint = 'forms_sum_to_what_was_paid',
            message = format('the forms of %s are not what was paid in %s', new.tax_year_id, new.year);
    end if;
    select y.tax_year_id, y.year into twice from engine.tax_part here join engine.tax_part there using (offering_id, line_id)
    join engine.tax_year y on y.offering_id = there.offering_id and y.tax_year_id = there.tax_year_id
    where here.offering_id = new.offering_id and here.tax_year_id = new.tax_year_id and y.tax_year_id <> new.tax_year_id
        and y.status = 'released' order by y.year limit 1;
    if found and new.status = 'released' then
        raise exception using errcode = 'BR008', constraint = 'payment_is_on_one_released_form',
            message = format('a payment of %s is on the forms of %s, %s; cancel that year first', new.year, twice.year, twice.tax_year_id);
    end if;
    return null;
end $$;
create constraint trigger tax_year_sums after insert on engine.tax_year
    deferrable initially deferred for each row execute function engine.tax_year_sums();
create constraint trigger tax_year_sums_when_released after update on engine.tax_year
    not deferrable for each row when (new.status = 'released' and old.status <> 'released') execute function engine.tax_year_sums();
alter table engine.tax_year enable always trigger tax_year_sums;
alter table engine.tax_year enable always trigger tax_year_sums_when_released;

create function engine.tax_year_stays() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if to_jsonb(new) - '{status,decided_by,cancelled_because,version,chain_head}'::text[]
        is distinct from to_jsonb(old) - '{status,decided_by,cancelled_because,version,chain_head}'::text[] then
        raise exception using errcode = 'BR006', constraint = 'tax_year_stays_as_drafted', message = format('%s is drafted', old.tax_year_id);
    end if;
    if new.status = 'released' and make_date(new.year + 1, 1, 1) > (clock_timestamp() at time zone 'UTC')::date then
        raise exception using errcode = 'BR008', constraint = 'released_year_is_over', message = format('%s is not over', new.year);
    end if;
    return new;
end $$;
create trigger tax_year_stays before update on engine.tax_year for each row execute function engine.tax_year_stays();
alter table engine.tax_year enable always trigger tax_year_stays;

create function engine.draft_tax_year(p_actor text, p_request text, p_offering text, p_tax_year text, p_year integer) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'offer_exists', message = format('there is no offer %s', p_offering);
    end if;
    if not exists (select from engine.paid_in(p_offering, p_year)) then
        raise exception using errcode = 'BR008', constraint = 'tax_year_has_its_forms', message = format('nothing was paid in %s', p_year);
    end if;
    with parts as materialized (select x.*, 'tfm_' || left(encode(sha256(convert_to(concat_ws('/', p_tax_year, x.investor_id, x.form, x.code,
            x.rate_bp, x.country), 'UTF8')), 'hex'), 26) as form_id from engine.tax_parts(p_offering, p_year) x),
    counted as (
        insert into engine.tax_part (offering_id, tax_year_id, line_id, form_id, gross_minor, withheld_minor)
        select p_offering, p_tax_year, p.line_id, p.form_id, p.capital_minor + p.income_minor, p.withheld_minor from parts p)
    insert into engine.tax_form (offering_id, tax_year_id, form_id, investor_id, form, gross_minor, withheld_minor, amounts, codes)
    select p_offering, p_tax_year, s.form_id, s.investor_id, s.form, s.capital + s.income, s.withheld,
        case s.form when '1099-DIV' then jsonb_build_object('1a', s.income, '3', s.capital, '4', s.withheld)
            when '1099-INT' then jsonb_build_object('1', s.income, '4', s.withheld, 'principal', s.capital)
            else jsonb_build_object('2', s.capital + s.income, '7a', s.withheld, '10', s.withheld) end,
        case s.form when '1042-S' then jsonb_build_object('1', s.code, '3', '3', '3a', case when s.rate_bp > 0 or s.code = '37' then '00'
                when s.country <> '' then '04' else '' end, '3b', to_char(s.rate_bp / 100.0, 'FM00.00'), 'treaty_country', s.country)
            else '{}' end
    from (select p.form_id, p.investor_id, p.form, p.code, p.rate_bp, p.country, sum(p.capital_minor)::bigint as capital,
            sum(p.income_minor)::bigint as income, sum(p.withheld_minor)::bigint as withheld
        from parts p group by p.form_id, p.investor_id, p.form, p.code, p.rate_bp, p.country) s;
    insert into engine.tax_year (offering_id, tax_year_id, status, year, currency, forms, gross_minor, withheld_minor, net_minor, drafted_by)
    select p_offering, p_tax_year, 'draft', p_year, o.currency, f.forms, f.gross, f.withheld, f.net, p_actor
    from engine.offer o, (select count(*)::integer as forms, sum(x.gross_minor)::bigint as gross, sum(x.withheld_minor)::bigint as withheld,
            sum(x.net_minor)::bigint as net from engine.tax_form x where x.offering_id = p_offering and x.tax_year_id = p_tax_year) f
    where o.offering_id = p_offering;
end $$;

-- Another person releases a year on the version that it saw, or cancels it with a reason; a released one may be cancelled too, and is
-- drafted anew.
create function engine.decide_tax_year(p_actor text, p_request text, p_offering text, p_tax_year text, p_is_released boolean, p_because text,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    y engine.tax_year;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    select * into y from engine.tax_year x where x.offering_id = p_offering and x.tax_year_id = p_tax_year for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'tax_year_exists', message = format('there is no tax year %s', p_tax_year);
    end if;
    if y.version is distinct from p_seen then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen', message = 'look again, then decide';
    end if;
    update engine.tax_year set status = case when p_is_released then 'released' else 'cancelled' end, decided_by = p_actor,
        cancelled_because = case when p_is_released then null else p_because end
    where offering_id = p_offering and tax_year_id = p_tax_year;
end $$;

create function engine.attach_tax_file(p_actor text, p_request text, p_offering text, p_form text, p_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    insert into engine.tax_file (offering_id, form_id, file_no, sha256, attached_by)
    select p_offering, p_form, 1 + coalesce(max(x.file_no), 0), p_sha256, p_actor from engine.tax_file x
    where x.offering_id = p_offering and x.form_id = p_form;
end $$;

-- Notes that a recipient takes its form, before it has it.
create function engine.deliver_tax_form(p_actor text, p_request text, p_offering text, p_form text, p_investor text, p_taken text, p_sha256 bytea)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    numbered integer;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.tax_form f where f.offering_id = p_offering and f.form_id = p_form for update;
    insert into engine.tax_delivery (offering_id, form_id, delivery_no, taken, sha256, delivered_to)
    select p_offering, p_form, 1 + coalesce(max(x.delivery_no), 0), p_taken, p_sha256, p_investor from engine.tax_delivery x
    where x.offering_id = p_offering and x.form_id = p_form
    returning delivery_no into numbered;
    return numbered;
end $$;

-- Forms with their year, the last file and how often each was taken.
create view engine.tax_form_standing as
select f.offering_id, f.tax_year_id, y.year, y.status, y.currency, f.form_id, f.investor_id, f.form, f.gross_minor, f.withheld_minor, f.net_minor,
    f.amounts, f.codes, x.sha256 as file_sha256, coalesce(t.taken, 0) as taken, t.first_taken_at
from engine.tax_form f join engine.tax_year y using (offering_id, tax_year_id)
left join lateral (select a.sha256 from engine.tax_file a where a.offering_id = f.offering_id and a.form_id = f.form_id
    order by a.file_no desc limit 1) x on true
left join lateral (select count(*) as taken, min(a.delivered_at) as first_taken_at from engine.tax_delivery a
    where a.offering_id = f.offering_id and a.form_id = f.form_id) t on true;
