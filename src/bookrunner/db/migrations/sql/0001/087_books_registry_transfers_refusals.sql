-- May A give N units to B now? One answer, with every failing rule in the order of precedence.

-- Which period binds the units of an offer: how it works, and how long it lasts.
create type registry.period as (kind text, lasts interval);

-- 17 CFR 230.144(d)(1)(ii) a year, six months by a rule of an issuer that reports; 230.903(b)(3) and 227.501(a) a year.
create function registry.period_of(p_offering text) returns registry.period
language sql stable security definer set search_path = pg_catalog, pg_temp
return (select case when o.exemption in ('506(b)', '506(c)') then row ('holding', coalesce((select min(r.amount) * interval '1 month'
        from registry.rules_on(p_offering, 'holding_period', null, registry.today()) r), interval '1 year'))::registry.period
    when o.exemption = 'reg_s' then row ('flow_back', coalesce((select max(r.amount) * interval '1 day'
        from registry.rules_on(p_offering, 'flow_back_period', null, registry.today()) r), interval '1 year'))::registry.period
    when o.exemption = 'reg_cf' then row ('first_year', interval '1 year')::registry.period
    else row ('none', interval '0')::registry.period end
    from engine.offer o where o.offering_id = p_offering);

-- A restricted lot is free when its period is over, or its legend gone; the first year of Regulation Crowdfunding knows none.
create function registry.free_on(p_offering text, p_legend text, p_period_from date) returns date
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    p registry.period := registry.period_of(p_offering);
begin
    return case when p.kind <> 'first_year' and p_legend is null then p_period_from else (p_period_from + p.lasts)::date end;
end $$;

-- Whether lots in their period may not go to a taker: to nobody, to no US person (the fifty states and the territories), or to
-- nobody who is not permitted. Nobody named is any taker.
create function registry.period_binds(p_offering text, p_buyer text, p_is_permitted boolean) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return case (registry.period_of(p_offering)).kind when 'holding' then true when 'first_year' then not p_is_permitted
        when 'flow_back' then coalesce((engine.party_of(p_offering, p_buyer)).country in ('US', 'PR', 'GU', 'VI', 'AS', 'MP', 'UM'), true)
        else false end;
end $$;

-- Units that wait in approved transfers to another holder, of a giver or for a taker; one request may be left out.
create function registry.pledged(p_offering text, p_seller text, p_buyer text, p_except text) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
return (select coalesce(sum(q.units), 0)::bigint from registry.transfer_request q where q.offering_id = p_offering
    and q.status in ('approved', 'instructed') and q.kind <> 'own' and coalesce(q.seller_id = p_seller, true)
    and coalesce(q.buyer_id = p_buyer, true)
    and q.request_id is distinct from p_except);

-- Whether a request moves units between wallets of one holder.
create function registry.is_own(p_offering text, p_request text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from registry.transfer_request q where q.offering_id = p_offering and q.request_id = p_request and q.kind = 'own');

create function registry.refusal_by_accounts(p_offering text, p_seller text, p_buyer text, p_units bigint, p_except text)
returns setof registry.refusal
language plpgsql stable rows 3 set search_path = pg_catalog, pg_temp as $$
declare
    waiting bigint := case when p_seller = p_buyer then 0 else registry.pledged(p_offering, p_seller, null, p_except) end;
begin
    return query select 1, 'taker_is_another_holder', 'giver and taker are one', null::date
    where p_seller = p_buyer and not registry.is_own(p_offering, p_except)
    union all
    select r.place, r.rule, r.detail, null from registry.restraint_refusals(p_offering, jsonb_build_array(jsonb_build_object(
        'seller', p_seller, 'buyer', p_buyer, 'units', p_units + waiting))) r
    union all
    select 65, 'holding_is_not_held', 'a closed gate holds the units of the giver', null
    where exists (select from registry.holding h where h.offering_id = p_offering and h.investor_id = p_seller and h.status = 'held')
    union all
    select 66, 'estate_gives_by_inheritance', 'the giver died', null
    where registry.is_estate(p_offering, p_seller) and not exists (select from registry.transfer_request q
        where q.offering_id = p_offering and q.request_id = p_except and q.kind = 'inheritance');
end $$;

-- The wallets that a request names, else the linked ones. Which wallet the units stand in is asked of a holder with several.
create function registry.refusal_by_wallets(p_offering text, p_seller text, p_buyer text, p_units bigint, p_except text)
returns setof registry.refusal
language plpgsql stable rows 3 set search_path = pg_catalog, pg_temp as $$
declare
    q registry.transfer_request;
    source bytea;
begin
    select * into q from registry.transfer_request x where x.offering_id = p_offering and x.request_id = p_except;
    source := coalesce(q.asked_from, registry.linked_address(p_offering, p_seller));
    return query select v.place, v.rule, v.detail, null::date from (values
        (61, 'giver_wallet_is_effective', 'the register does not know it as a wallet of the giver',
            q.asked_from is not null and not registry.is_wallet_of(p_offering, p_seller, q.asked_from)),
        (62, 'taker_wallet_is_effective', 'the register does not know it as a wallet of the taker',
            q.asked_to is not null and not registry.is_wallet_of(p_offering, p_buyer, q.asked_to)),
        (63, 'own_transfer_changes_the_wallet', 'both wallets are one', p_seller = p_buyer and source = q.asked_to))
        as v (place, rule, detail, fails) where v.fails;
    if exists (select from registry.wallet_mapping w where w.offering_id = p_offering and w.investor_id = p_seller
        and w.status = 'joined') or q.kind = 'own' then
        return query select 64, 'wallet_holds_the_units', format('%s units may leave it', greatest(f.units, 0)), null::date
        from (select registry.free_in(p_offering, p_seller, source, p_except) as units) f where p_units > f.units;
    end if;
end $$;

-- The country decides over flow-back as it does over the offer: the fifty states and the territories.
create function registry.refusal_by_parties(p_offering text, p_seller text, p_buyer text) returns setof registry.refusal
language plpgsql stable rows 3 set search_path = pg_catalog, pg_temp as $$
declare
    seller engine.party := engine.party_of(p_offering, p_seller);
    buyer engine.party := engine.party_of(p_offering, p_buyer);
begin
    return query select v.place, v.rule, v.detail, null::date from (values
        (71, 'seller_is_cleared', array_to_string(seller.lacks, ', '), not coalesce(seller.is_cleared, false)),
        (72, 'buyer_is_cleared', coalesce(array_to_string(buyer.lacks, ', '), 'the taker has no profile'),
            not coalesce(buyer.is_cleared, false)),
        (73, 'country_is_open_to_transfers', format('no transfer goes to %s', coalesce(buyer.country, 'an unknown country')),
            exists (select from registry.rules_on(p_offering, 'country_closed', p_buyer, registry.today()) r
                where coalesce(buyer.country = any (r.countries), true))))
        as v (place, rule, detail, fails) where v.fails;
end $$;

-- The lots whose period binds this taker, less what other transfers will use first; the day on which enough are free.
create function registry.refusal_by_lots(p_offering text, p_seller text, p_buyer text, p_units bigint, p_except text, p_is_permitted boolean)
returns setof registry.refusal
language plpgsql stable rows 3 set search_path = pg_catalog, pg_temp as $$
declare
    p registry.period := registry.period_of(p_offering);
    today date := registry.today();
    wanted bigint := p_units + registry.pledged(p_offering, p_seller, null, p_except)
        + registry.moving_units(p_offering, p_seller) + registry.tendered_units(p_offering, p_seller);
    promised text[];
    free_units bigint;
    enough_on date;
begin
    -- Lots that a rescission takes back go nowhere else, and it asks for no others.
    select coalesce(array_agg(l.lot_id), '{}'), wanted - coalesce(sum(registry.left_of(l.offering_id, l.lot_id)), 0) into promised, wanted
    from registry.lot l join registry.holding h using (offering_id, holding_id)
    where l.offering_id = p_offering and h.investor_id = p_seller and registry.is_promised_back(l.offering_id, l.movement_id);
    select coalesce(sum(s.left_units) filter (where s.free_on <= today), 0) into free_units
    from registry.lot_standing s where s.offering_id = p_offering and s.investor_id = p_seller and s.lot_id <> all (promised);
    select min(t.free_on) into enough_on from (select s.free_on, sum(s.left_units) over (order by s.free_on) as units
        from registry.lot_standing s where s.offering_id = p_offering and s.investor_id = p_seller and s.left_units > 0
            and s.lot_id <> all (promised)) t
    where t.units >= wanted;
    if free_units < wanted and registry.period_binds(p_offering, p_buyer, p_is_permitted) then
        return next (80, case p.kind when 'holding' then 'lots_are_past_their_holding_period'
            when 'flow_back' then 'no_us_person_takes_during_the_distribution_period' else 'first_year_is_over_or_taker_is_permitted' end,
            format('%s units are free now', free_units), enough_on)::registry.refusal;
    end if;
    return query select 81, 'lock_up_is_over', format('locked up until %s', r.ends_on), r.ends_on
        from registry.rules_on(p_offering, 'lock_up', p_seller, today) r order by r.ends_on desc limit 1;
end $$;

-- Holders as they will be when every approved transfer is registered; a giver of all its units is one less.
create function registry.holders_after(p_offering text, p_seller text, p_buyer text, p_units bigint, p_except text) returns setof text
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select h.investor_id from registry.holding h where h.offering_id = p_offering and h.units > 0
        and (h.investor_id <> p_seller or h.units > p_units)
    union select q.buyer_id from registry.transfer_request q where q.offering_id = p_offering
        and q.status in ('approved', 'instructed') and q.kind <> 'own' and q.request_id is distinct from p_except
    union select p_buyer;
end;

-- From which day on a limit of units for a span lets these pass; null when it never does. What is approved or signed counts
-- as if it had moved today, or two approvals at once would pass. What moved before a split counts as what it became.
create function registry.passes_on(p_offering text, p_seller text, p_units bigint, p_amount bigint, p_span text, p_except text) returns date
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with span as (select case p_span when 'day' then interval '1 day' when 'quarter' then interval '3 months' else interval '1 year' end as lasts),
        moved as (select (m.moved_at at time zone 'UTC')::date as moved_on, registry.units_since(p_offering, m.units, m.moved_at) as units
            from registry.movement m
            join registry.holding h on h.offering_id = m.offering_id and h.holding_id = m.from_holding_id
            where m.offering_id = p_offering and m.kind = 'transfer' and h.investor_id = p_seller
            union all select registry.today(), registry.pledged(p_offering, p_seller, null, p_except))
    select min(d.day) from span, (select registry.today() as day
        union select (m.moved_on + s.lasts)::date from moved m, span s) d
    where d.day >= registry.today() and p_units + (select coalesce(sum(m.units), 0) from moved m
        where (m.moved_on + span.lasts)::date > d.day and m.moved_on <= d.day) <= p_amount;
end;

create function registry.refusal_by_limits(p_offering text, p_seller text, p_buyer text, p_units bigint, p_except text)
returns setof registry.refusal
language plpgsql stable rows 3 set search_path = pg_catalog, pg_temp as $$
declare
    today date := registry.today();
    issued bigint := (select c.issued_units from registry.control_book c where c.offering_id = p_offering);
    had bigint := (select coalesce(sum(h.units), 0) from registry.holding h where h.offering_id = p_offering
        and h.investor_id in (select registry.affiliates_of(p_offering, p_buyer)));
    awaited bigint := (select coalesce(sum(q.units), 0) from registry.transfer_request q where q.offering_id = p_offering
        and q.status in ('approved', 'instructed') and q.kind <> 'own' and q.request_id is distinct from p_except
        and q.buyer_id in (select registry.affiliates_of(p_offering, p_buyer)))
        + registry.promised_units(p_offering, array(select registry.affiliates_of(p_offering, p_buyer)), null);
begin
    return query
    select 90, 'holder_count_is_within_its_cap', format('%s holders after it, %s may be', c.holders, r.amount), null::date
    from registry.rules_on(p_offering, 'holder_cap', null, today) r,
        (select count(*) as holders from registry.holders_after(p_offering, p_seller, p_buyer, p_units, p_except)) c
    where c.holders > r.amount
    union all
    select 91, 'non_accredited_count_is_within_its_cap', format('%s holders after it, %s may be', c.holders, r.amount), null
    from registry.rules_on(p_offering, 'non_accredited_cap', null, today) r, (select count(*) as holders
        from registry.holders_after(p_offering, p_seller, p_buyer, p_units, p_except) h (id)
        where not engine.is_accredited(p_offering, h.id)) c
    where c.holders > r.amount
    union all
    select 92, 'share_is_within_its_limit', format('%s of %s units now, %s of 10000 parts may be', had, issued, r.amount), null
    from registry.rules_on(p_offering, 'holding_limit', p_buyer, today) r
    where (had + awaited + p_units)::numeric * 10000 > r.amount::numeric * issued
        and p_seller not in (select registry.affiliates_of(p_offering, p_buyer))
    union all
    select 93, 'volume_is_within_its_window', format('%s units a %s may go', t.amount, r.span), d.day
    from registry.rules_on(p_offering, 'volume', p_seller, today) r
    cross join lateral (select registry.volume_now(p_offering, r.amount, r.decided_at) as amount) t
    cross join lateral (select registry.passes_on(p_offering, p_seller, p_units, t.amount, r.span, p_except) as day) d
    where d.day is distinct from today;
end $$;

-- Every rule that keeps these units from going now, in the order of precedence; none means yes. Except names the request
-- that asks, so that its own units are not counted against it. Permitted: the taker is one of 17 CFR 227.501(a). Between two
-- wallets of one holder no period, limit or country binds: units and lots stay with the holder.
create function registry.transfer_refusals(p_offering text, p_seller text, p_buyer text, p_units bigint, p_except text default null)
returns setof registry.refusal
language plpgsql stable security definer rows 5 set search_path = pg_catalog, pg_temp as $$
declare
    is_permitted boolean := registry.is_permitted(p_offering, p_buyer, p_except);
    is_own boolean := registry.is_own(p_offering, p_except);
begin
    return query select t.* from (
        select a.* from registry.refusal_by_accounts(p_offering, p_seller, p_buyer, p_units, p_except) a
        union all select m.* from registry.refusal_by_trade(p_offering, p_except) m
        union all select w.* from registry.refusal_by_wallets(p_offering, p_seller, p_buyer, p_units, p_except) w
        union all select b.* from registry.refusal_by_parties(p_offering, p_seller, p_buyer) b
            where not is_own or b.rule = 'seller_is_cleared'
        union all select c.* from registry.refusal_by_lots(p_offering, p_seller, p_buyer, p_units, p_except, is_permitted) c
            where not is_own
        union all select d.* from registry.refusal_by_limits(p_offering, p_seller, p_buyer, p_units, p_except) d
            where not is_own) t
    order by t.place, t.rule;
end $$;

-- An accredited investor by the compliance record, or one whose relation the papers of a request state (17 CFR 227.501(a)).
create function registry.is_permitted(p_offering text, p_buyer text, p_request text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return engine.is_accredited(p_offering, p_buyer) or exists (select from registry.transfer_request q
        join registry.permitting_paper n on n.transfer_kind = q.kind
        join registry.transfer_paper t on t.offering_id = q.offering_id and t.request_id = q.request_id and t.paper = n.paper
        where q.offering_id = p_offering and q.request_id = p_request and q.buyer_id = p_buyer);
end $$;
