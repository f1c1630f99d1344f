-- The verbs of a distribution: drafted from the register of its record date, approved by another person, paid, ended.

-- What moved between the holders, the sponsor and the offer: money paid in for units of the register up to a record date, what was set off for
-- reinvested ones with it, and every earlier distribution; with units that were bought back their part of the capital left.
create function engine.distribution_flows(p_offering text, p_record_on date) returns table (distribution_id text, on_day date, contributed numeric, returned numeric,
    preferred numeric, further numeric, sponsor numeric)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select null, (p.posted_at at time zone 'UTC')::date, sum(i.amount_minor), 0, 0, 0, 0
    from registry.posting_fact p join engine.investment i using (offering_id, investment_id)
    where p.offering_id = p_offering and (p.posted_at at time zone 'UTC')::date <= p_record_on group by 2
    union all
    select null, (m.moved_at at time zone 'UTC')::date, sum(r.amount_minor), 0, 0, 0, 0
    from engine.reinvestment r join registry.movement_fact m on m.offering_id = r.offering_id and m.kind = 'reinvestment' and m.reference = r.line_id
    where r.offering_id = p_offering and (m.moved_at at time zone 'UTC')::date <= p_record_on group by 2
    union all
    select d.distribution_id, d.pay_on, 0, coalesce(sum(t.holders_minor) filter (where t.kind in ('return_of_capital', 'principal')), 0)
            + coalesce((select r.capital_minor - engine.capital_let_go(r) from engine.redemption r where r.offering_id = p_offering and r.distribution_id = d.distribution_id), 0),
        coalesce(sum(t.holders_minor) filter (where t.kind = 'preferred_return'), 0),
        coalesce(sum(t.holders_minor) filter (where t.kind not in ('return_of_capital', 'preferred_return', 'redemption', 'principal')), 0), sum(t.sponsor_minor)
    from engine.distribution d join engine.distribution_tier t using (offering_id, distribution_id)
    where d.offering_id = p_offering and d.status in ('paying', 'paid') group by d.distribution_id, d.pay_on
    order by 2;
end;

-- The form by which an investor is withheld from on a day: the last one that it gave for this offer. A Form W-8 holds to the end
-- of the third calendar year after it was signed (26 CFR 1.1441-1(e)(4)(ii)(A)); an older one is none.
create function engine.tax_standing(p_offering text, p_investors text[], p_on date) returns table (investor_id text, form text, country text)
language sql stable set search_path = pg_catalog, pg_temp set enable_nestloop = off
begin atomic
    select n.id, case when f.form is null or f.form <> 'W-9' and p_on >= make_date(extract(year from f.stated_at)::integer + 4, 1, 1) then 'none'
            when f.form = 'W-9' and f.is_backup_withheld then 'W-9 with backup withholding' when f.form = 'W-9' then 'W-9' else 'W-8' end,
        case when f.form <> 'W-9' and p_on < make_date(extract(year from f.stated_at)::integer + 4, 1, 1)
            then coalesce(f.treaty_country, '') else '' end
    from unnest(p_investors) n (id)
    left join (select distinct on (i.investor_id) i.investor_id, t.form, t.is_backup_withheld, t.treaty_country, t.stated_at
        from subscription.tax_form_fact t join engine.investment i using (offering_id, investment_id)
        where t.offering_id = p_offering order by i.investor_id, t.stated_at desc) f on f.investor_id = n.id;
end;

-- The rate of each form and country that may be asked for on a day: the treaty's where one is listed, else what holds without.
create function engine.rates_on(p_income text, p_on date) returns table (form text, country text, rate_bp integer, source text)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select distinct on (r.form, r.country) r.form, r.country, r.rate_bp,
        r.source || case r.certainty when 'confirmed' then '' else ' (' || replace(r.certainty, '_', ' ') || ')' end
    from engine.withholding_rate r where r.income = p_income and r.valid_from <= p_on
    order by r.form, r.country, r.valid_from desc;
end;

-- Splits what the holders get by their units on the record date, to the cent: each its whole part, and the cents that are left one by
-- one to the largest remainders, ties by the id of the holding. The sponsor is a line of its own. A line is paid to the payee whom the
-- register has at the end of the record date; what is withheld is by the holder's form. Of an ordinary distribution whoever elected it gets a
-- part of its net in units.
create function engine.draft_lines(p_offering text, p_distribution text, p_terms jsonb, p_capital bigint, p_income bigint, p_sponsor bigint)
returns void
language plpgsql set search_path = pg_catalog, pg_temp set enable_nestloop = off as $$
declare
    record_on date := (p_terms ->> 'record_on')::date;
    pay_on date := (p_terms ->> 'pay_on')::date;
    payees text[];
begin
    payees := array(select h.investor_id from registry.units_as_of(p_offering, record_on) a
        join registry.holding_fact h on h.offering_id = p_offering and h.holding_id = a.holding_id where a.units > 0)
        || case when p_sponsor > 0 then array[p_terms ->> 'sponsor'] end;
    with held as materialized (select a.holding_id, h.investor_id, a.units, sum(a.units) over () as mass
        from registry.units_as_of(p_offering, record_on) a
        join registry.holding_fact h on h.offering_id = p_offering and h.holding_id = a.holding_id where a.units > 0),
    parts as (select h.*, div(p_capital::numeric * h.units, h.mass) as capital, div(p_income::numeric * h.units, h.mass) as income,
            row_number() over (order by mod(p_capital::numeric * h.units, h.mass) desc, h.holding_id collate "C") as capital_place,
            row_number() over (order by mod(p_income::numeric * h.units, h.mass) desc, h.holding_id collate "C") as income_place
        from held h),
    entitled as (select x.holding_id, x.investor_id, x.units,
            (x.capital + (x.capital_place <= p_capital - sum(x.capital) over ())::integer)::bigint as capital_minor,
            (x.income + (x.income_place <= p_income - sum(x.income) over ())::integer)::bigint as income_minor
        from parts x
        union all select null, p_terms ->> 'sponsor', 0, 0, p_sponsor where p_sponsor > 0),
    line as materialized (select
        'dln_' || left(encode(sha256(convert_to(p_distribution || '/' || coalesce(e.holding_id, 'sponsor'), 'UTF8')), 'hex'), 26) as line_id,
        e.holding_id, e.investor_id, coalesce(m.payee_id, e.investor_id) as payee_id, e.units, e.capital_minor, e.income_minor, s.form,
        coalesce(t.country, '') as country, coalesce(t.rate_bp, r.rate_bp) as rate_bp, coalesce(t.source, r.source) as rate_source,
        w.minor as withheld, e.capital_minor + e.income_minor - w.minor as net
    from entitled e
    join (select distinct * from engine.tax_standing(p_offering, payees, pay_on)) s on s.investor_id = e.investor_id
    join engine.rates_on(p_terms ->> 'income', pay_on) r on r.form = s.form and r.country = ''
    left join engine.rates_on(p_terms ->> 'income', pay_on) t on t.form = s.form and t.country = s.country and s.country <> ''
    left join registry.payees_as_of(p_offering, record_on) m on m.investor_id = e.investor_id and e.holding_id is not null
    cross join lateral (select div(e.income_minor::numeric * coalesce(t.rate_bp, r.rate_bp) + 5000, 10000)::bigint as minor) w),
    reinvested as (insert into engine.reinvestment (offering_id, distribution_id, line_id, investor_id, plan_id, election_id, share_bp, price_minor,
            units, amount_minor, because)
        select p_offering, p_distribution, l.line_id, v.investor_id, v.plan_id, v.election_id, v.share_bp, v.price_minor, v.units,
            v.units * v.price_minor, v.because
        from (select array_agg(x.investor_id) as investors, array_agg(x.payee_id) as payees, array_agg(x.net) as nets from line x
            where x.holding_id is not null and (p_terms ->> 'is_ordinary')::boolean) a
        cross join lateral engine.reinvested(p_offering, p_distribution, record_on, a.investors, a.payees, a.nets) v
        join line l on l.investor_id = v.investor_id and l.holding_id is not null
        returning line_id, amount_minor)
    insert into engine.distribution_line (offering_id, distribution_id, line_id, holding_id, investor_id, payee_id, units, capital_minor,
        income_minor, form, country, rate_bp, rate_source, withheld_minor, reinvested_minor, net_minor)
    select p_offering, p_distribution, l.line_id, l.holding_id, l.investor_id, l.payee_id, l.units, l.capital_minor, l.income_minor, l.form, l.country,
        l.rate_bp, l.rate_source, l.withheld, coalesce(v.amount_minor, 0), l.net - coalesce(v.amount_minor, 0)
    from line l left join reinvested v on v.line_id = l.line_id;
end $$;

-- Drafts a distribution {record_on, pay_on, income, available, sponsor, counted: [the earlier ones that its
-- tiers count], reserves: [{name, amount}], tiers: [a tier with due, holders,
-- sponsor, rest, working]} from the register of its record date.
create function engine.draft_distribution(p_actor text, p_request text, p_offering text, p_distribution text, p_terms jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    record_on date := (p_terms ->> 'record_on')::date;
    distributable bigint := (p_terms ->> 'available')::bigint - (select coalesce(sum((r ->> 'amount')::bigint), 0)
        from jsonb_array_elements(p_terms -> 'reserves') r);
    compared text;
    capital bigint;
    income bigint;
    sponsor bigint;
    unreturned numeric;
begin
    perform audit.enter(p_actor, p_request);
    -- Plans, units and what is promised of them stand still meanwhile.
    perform 1 from registry.control_book c where c.offering_id = p_offering for share;
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'offer_exists', message = format('there is no offer %s', p_offering);
    end if;
    compared := reconciliation.require_reconciled(p_offering, record_on);
    if array(select c.id from jsonb_array_elements_text(p_terms -> 'counted') c (id) order by c.id collate "C") is distinct from array(
            select d.distribution_id from engine.distribution d where d.offering_id = p_offering and d.status in ('paying', 'paid')
            order by d.distribution_id collate "C") then
        raise exception using errcode = 'BR008', constraint = 'tiers_count_what_was_paid_before',
            message = format('another distribution was started while the tiers of %s were worked out; draft it again', p_distribution);
    end if;
    if exists (select from engine.distribution d where d.offering_id = p_offering and d.status in ('paying', 'paid')
            and d.pay_on > (p_terms ->> 'pay_on')::date) then
        raise exception using errcode = 'BR008', constraint = 'distributions_follow_each_other',
            message = format('%s would be paid before one that was paid already', p_distribution);
    end if;
    insert into engine.distribution_reserve (offering_id, distribution_id, line, name, amount_minor)
    select p_offering, p_distribution, r.place, r.part ->> 'name', (r.part ->> 'amount')::bigint
    from jsonb_array_elements(p_terms -> 'reserves') with ordinality as r (part, place);
    insert into engine.distribution_tier (offering_id, distribution_id, tier, kind, holders_bp, rate_bp, target_bp, day_count, compounds,
        due_minor, holders_minor, sponsor_minor, left_minor, working)
    select p_offering, p_distribution, x.place, t.kind, t.holders_bp, t.rate_bp, t.target_bp, t.day_count, t.compounds,
        t.due, t.holders, t.sponsor, t.rest, t.working
    from jsonb_array_elements(p_terms -> 'tiers') with ordinality as x (part, place), jsonb_to_record(x.part) as t (kind text,
        holders_bp integer, rate_bp integer, target_bp integer, day_count text, compounds boolean, due bigint, holders bigint, sponsor bigint,
        rest bigint, working text[]);
    select coalesce(sum(t.holders_minor) filter (where t.kind = 'return_of_capital'), 0),
        coalesce(sum(t.holders_minor) filter (where t.kind <> 'return_of_capital'), 0), coalesce(sum(t.sponsor_minor), 0)
    into capital, income, sponsor
    from engine.distribution_tier t where t.offering_id = p_offering and t.distribution_id = p_distribution;
    if distributable > 0 and capital + income + sponsor <> distributable then
        raise exception using errcode = 'BR009', constraint = 'tiers_sum_to_the_distributable_amount',
            message = format('the tiers of %s pay %s of %s', p_distribution, capital + income + sponsor, distributable);
    end if;
    select coalesce(sum(f.contributed - f.returned), 0) into unreturned from engine.distribution_flows(p_offering, record_on) f;
    if capital > greatest(unreturned, 0) then
        raise exception using errcode = 'BR008', constraint = 'capital_is_returned_once',
            message = format('%s would return %s of %s that is not returned', p_distribution, capital, unreturned);
    end if;
    if sponsor > 0 and coalesce(p_terms ->> 'sponsor', '') !~ '\S' then
        raise exception using errcode = 'BR008', constraint = 'paid_sponsor_is_named',
            message = format('%s pays a sponsor and names none', p_distribution);
    end if;
    perform engine.draft_lines(p_offering, p_distribution, p_terms || '{"is_ordinary": true}', capital, income, sponsor);
    insert into engine.distribution (offering_id, distribution_id, status, record_on, pay_on, currency, income, available_minor,
        reserved_minor, distributable_minor, sponsor_id, holders, units, withheld_minor, reinvested_minor, net_minor, lines_sha256, compared_in, drafted_by)
    select p_offering, p_distribution, 'draft', record_on, (p_terms ->> 'pay_on')::date, o.currency, p_terms ->> 'income',
        (p_terms ->> 'available')::bigint, (p_terms ->> 'available')::bigint - distributable, distributable, p_terms ->> 'sponsor', l.holders,
        l.units, l.withheld, l.reinvested, l.net, l.digest, compared, p_actor
    from engine.offer o, (select count(x.holding_id)::integer as holders, coalesce(sum(x.units), 0)::bigint as units,
            coalesce(sum(x.withheld_minor), 0)::bigint as withheld, coalesce(sum(x.net_minor), 0)::bigint as net,
            coalesce(sum(x.reinvested_minor), 0)::bigint as reinvested,
            sha256(convert_to(coalesce(string_agg(concat_ws(' ', x.line_id, x.payee_id, x.units, x.gross_minor, x.withheld_minor,
                nullif(x.reinvested_minor, 0)), E'\n'
                order by x.line_id collate "C"), ''), 'UTF8')) as digest
        from engine.distribution_line x where x.offering_id = p_offering and x.distribution_id = p_distribution) l
    where o.offering_id = p_offering;
end $$;

-- The distribution as it was seen, locked; a decision on an older version is refused.
create function engine.seen_distribution(p_offering text, p_distribution text, p_seen bigint) returns engine.distribution
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    d engine.distribution;
begin
    select * into d from engine.distribution where offering_id = p_offering and distribution_id = p_distribution for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'distribution_exists',
            message = format('there is no distribution %s', p_distribution);
    end if;
    if p_seen is distinct from d.version then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen', message = 'look again, then decide';
    end if;
    return d;
end $$;

-- Another person approves what was drafted. Every payee has been screened since; a match is no bar, it holds that payee alone.
create function engine.approve_distribution(p_actor text, p_request text, p_offering text, p_distribution text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    d engine.distribution;
    waits bigint;
begin
    perform audit.enter(p_actor, p_request);
    d := engine.seen_distribution(p_offering, p_distribution, p_seen);
    if audit.person_of(p_actor) = audit.person_of(d.drafted_by) then
        raise exception using errcode = 'BR010', constraint = 'distribution_needs_two_people',
            message = format('%s drafted %s', p_actor, p_distribution);
    end if;
    if (d.record_on + 1)::timestamp at time zone 'UTC' > clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'record_date_has_ended', message = format('%s has not ended', d.record_on);
    end if;
    perform reconciliation.require_reconciled(p_offering, d.record_on);
    if not exists (select from engine.redemption r where r.offering_id = p_offering and r.distribution_id = p_distribution)
        and exists (select from registry.units_as_of(p_offering, d.record_on) a full join (select l.holding_id, l.units from engine.distribution_line l
            where l.offering_id = p_offering and l.distribution_id = p_distribution and l.holding_id is not null) x using (holding_id)
            where coalesce(a.units, 0) <> coalesce(x.units, 0))
        or exists (select from engine.distribution_line l left join registry.payees_as_of(p_offering, d.record_on) m using (investor_id)
            where l.offering_id = p_offering and l.distribution_id = p_distribution and l.holding_id is not null
                and l.payee_id <> coalesce(m.payee_id, l.investor_id)) then
        raise exception using errcode = 'BR008', constraint = 'lines_are_of_the_register_of_their_day',
            message = format('units or payees changed on %s after %s was drafted; cancel it and draft another', d.record_on, p_distribution);
    end if;
    waits := compliance.unscreened_since(array(select distinct n.id from engine.distribution_line l
        cross join lateral (values (l.investor_id), (l.payee_id)) n (id)
        where l.offering_id = p_offering and l.distribution_id = p_distribution), d.drafted_at);
    if waits > 0 then
        raise exception using errcode = 'BR008', constraint = 'payees_are_screened_before_approval',
            message = format('%s payees of %s wait for their screening', waits, p_distribution);
    end if;
    update engine.distribution set status = 'approved', approved_by = p_actor
    where offering_id = p_offering and distribution_id = p_distribution;
end $$;

-- Ends a distribution before its payment; money that was taken for it is given back first.
create function engine.cancel_distribution(p_actor text, p_request text, p_offering text, p_distribution text, p_because text, p_seen bigint)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.seen_distribution(p_offering, p_distribution, p_seen);
    if exists (select from treasury.distribution_funding f where f.offering_id = p_offering and f.distribution_id = p_distribution) then
        raise exception using errcode = 'BR008', constraint = 'cancelled_distribution_holds_no_money',
            message = format('the issuer''s money is there for %s; undo that first', p_distribution);
    end if;
    update engine.distribution set status = 'cancelled', cancelled_because = p_because
    where offering_id = p_offering and distribution_id = p_distribution;
end $$;

-- Starts the payment of an approved distribution on its day, once the money for it is there. A second start changes nothing. The offer is
-- locked first, so that a draft counts either all of this or nothing.
create function engine.start_distribution(p_actor text, p_request text, p_offering text, p_distribution text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    d engine.distribution;
    funded numeric;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    select * into d from engine.distribution where offering_id = p_offering and distribution_id = p_distribution for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'distribution_exists',
            message = format('there is no distribution %s', p_distribution);
    end if;
    if d.status in ('paying', 'paid') then
        return false;
    end if;
    if d.pay_on > (clock_timestamp() at time zone 'UTC')::date then
        raise exception using errcode = 'BR008', constraint = 'distribution_is_paid_from_its_day_on',
            message = format('%s is paid on %s', p_distribution, d.pay_on);
    end if;
    select coalesce(sum(f.funded_minor), 0) into funded from treasury.distribution_funding f
    where f.offering_id = p_offering and f.distribution_id = p_distribution;
    if d.status = 'approved' and funded < d.distributable_minor - d.reinvested_minor then
        raise exception using errcode = 'BR008', constraint = 'distribution_is_funded_before_it_is_paid',
            message = format('%s of %s are there for %s', funded, d.distributable_minor - d.reinvested_minor, p_distribution);
    end if;
    update engine.distribution set status = 'paying' where offering_id = p_offering and distribution_id = p_distribution;
    return true;
end $$;

-- Ends each payment in which nobody waits for a bank or for units: every line is paid, or held, returned or unclaimed with its reason.
create function engine.finish_distributions(p_actor text, p_request text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    finished integer;
begin
    perform audit.enter(p_actor, p_request);
    update engine.distribution d set status = 'paid' where d.status = 'paying'
        and exists (select from treasury.declared_distribution x where x.offering_id = d.offering_id and x.distribution_id = d.distribution_id)
        and not exists (select from treasury.disbursement_fact x where x.offering_id = d.offering_id and x.distribution_id = d.distribution_id
            and x.status in ('owed', 'paying'))
        and not exists (select from registry.reinvestment_open o where o.offering_id = d.offering_id and o.distribution_id = d.distribution_id);
    get diagnostics finished = row_count;
    return finished;
end $$;

-- Why payees of an offer cannot be paid now, the gravest reason of each: a match, a screening that waits, a wallet, a registration or a
-- payee on its way to be another.
create function engine.payee_hindrances(p_offering text, p_investors text[]) returns table (investor_id text, because text)
language plpgsql stable rows 100 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select distinct on (h.investor_id) h.investor_id, h.because from (
        select b.investor_id, case when compliance.is_hit(b.subject_id) then 'match_with_a_list' else 'screening_waits' end as because,
            case when compliance.is_hit(b.subject_id) then 1 else 2 end as place
        from compliance.subjects_behind(p_investors) b where not compliance.is_answered(b.subject_id)
        union all
        select w.investor_id, 'wallet_change_in_progress', 3 from registry.wallet_fact w
        where w.offering_id = p_offering and w.investor_id = any (p_investors) and w.status in ('claimed', 'screened', 'issuer_approved')
        union all
        select r.investor_id, 'registration_change_in_progress', 4 from registry.registration_in_progress r
        where r.offering_id = p_offering and r.investor_id = any (p_investors)
        union all
        select m.investor_id, 'payee_change_in_progress', 5 from registry.payee_change_in_progress m
        where m.offering_id = p_offering and m.investor_id = any (p_investors)) h
    order by h.investor_id, h.place;
end $$;

-- Whether every list in force has answered for an investor, and whoever stands behind it, since a moment, and nothing is open by now.
-- Where no list is in force nobody is screened.
create function engine.is_screened_since(p_investor text, p_since timestamptz) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from compliance.watchlist w where w.status = 'active' and compliance.is_covered(w.covers, p_investor))
        and compliance.unscreened_since(array[p_investor], p_since) = 0
        and not exists (select from compliance.subjects_behind(array[p_investor]) b where not compliance.is_answered(b.subject_id));
end $$;

-- A distribution beside the state of its payments, for whoever runs it.
create view engine.distribution_standing as
select d.offering_id, d.distribution_id, d.status, d.record_on, d.pay_on, d.currency, d.income, d.available_minor, d.reserved_minor,
    d.distributable_minor, d.sponsor_id, d.holders, d.units, d.withheld_minor, d.reinvested_minor, d.net_minor, d.drafted_by, d.approved_by, d.cancelled_because,
    d.version, coalesce(f.taken_minor, 0) as funded_minor, coalesce(f.taken_back_minor, 0) as taken_back_minor,
    coalesce(f.receivable_minor, 0) as receivable_minor, coalesce(x.lines, '{}') as lines
from engine.distribution d
left join treasury.distribution_money f using (offering_id, distribution_id)
left join lateral (select jsonb_object_agg(s.status, jsonb_build_object('lines', s.lines, 'minor', s.minor)) as lines
    from (select p.status, count(*) as lines, sum(p.amount_minor) as minor from treasury.disbursement_fact p
        where p.offering_id = d.offering_id and p.distribution_id = d.distribution_id group by p.status) s) x on true;

-- The lines of distributions beside their payments.
create view engine.distribution_line_standing as
select l.offering_id, l.distribution_id, l.line_id, l.holding_id, l.investor_id, l.payee_id, l.units, l.capital_minor, l.income_minor, l.gross_minor,
    l.form, l.country, l.rate_bp, l.rate_source, l.withheld_minor, l.reinvested_minor, l.net_minor, d.status as distribution_status, d.record_on, d.pay_on,
    d.currency, coalesce(p.status, case when x.line_id is null then 'entitled' else 'released' end) as status, p.held_because, p.bounce_code, p.try_no, current_date - p.owed_since as age_days,
    case when exists (select from treasury.unsettled_payment u where u.offering_id = l.offering_id and u.disbursement_id = l.line_id)
        then 'final_payment_is_not_settled' end as finding
from engine.distribution_line l join engine.distribution d using (offering_id, distribution_id)
left join treasury.disbursement_fact p on p.offering_id = l.offering_id and p.disbursement_id = l.line_id
left join engine.released_line x on x.offering_id = l.offering_id and x.line_id = l.line_id;

create view engine.distribution_tiers as
select t.offering_id, t.distribution_id, jsonb_agg(jsonb_build_object('kind', t.kind, 'holders_minor', t.holders_minor,
    'sponsor_minor', t.sponsor_minor, 'working', t.working) order by t.tier) as tiers
from engine.distribution_tier t group by t.offering_id, t.distribution_id;
