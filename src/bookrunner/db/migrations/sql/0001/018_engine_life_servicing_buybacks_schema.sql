-- The money of buy-backs: which distribution pays which, and what holds a line of it up.

-- A distribution that pays the lines of an accepted buy-back, and the part of what is not returned of the class's capital that leaves with them.
create table engine.redemption (
    offering_id text not null,
    distribution_id text not null,
    buyback_id text not null,
    capital_minor bigint not null check (capital_minor >= 0),
    primary key (offering_id, distribution_id),
    foreign key (offering_id, distribution_id) references engine.distribution
);
create index redemption_of_buyback on engine.redemption (offering_id, buyback_id);
call audit.append_only('engine.redemption');

create function engine.redemption_is_drafted(p_offering text, p_buyback text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
return exists (select from engine.redemption r join engine.distribution d using (offering_id, distribution_id)
    where r.offering_id = p_offering and r.buyback_id = p_buyback and d.status <> 'cancelled');

-- Whether the whole price of a buy-back is set apart for its holders: two people agreed, the payment has begun, and no bank took money back.
create function engine.redemption_is_funded(p_offering text, p_buyback text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from engine.redemption r join engine.distribution d using (offering_id, distribution_id)
        where r.offering_id = p_offering and r.buyback_id = p_buyback and d.status in ('paying', 'paid')
            and not treasury.lacks_money(p_offering, r.distribution_id));
end $$;

-- Whether the units of a line are cancelled; its price is owed from then on.
create function engine.is_redeemed(p_offering text, p_distribution text, p_line text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from engine.distribution_line l join engine.redemption r using (offering_id, distribution_id)
        join registry.redemption_line_fact f on f.offering_id = l.offering_id and f.buyback_id = r.buyback_id and f.holding_id = l.holding_id
        where l.offering_id = p_offering and l.distribution_id = p_distribution and l.line_id = p_line and f.cancelled_at is not null);
end $$;

-- Why holders of a buy-back could not be paid now: what hinders the holder, a match or a screening of its payee, an account or a wallet that
-- is not known, or money on the rail of its payee that is too little for it beside the lines before it.
create function engine.redemption_hindrances(p_offering text, p_buyback text) returns table (investor_id text, because text)
language plpgsql stable security definer rows 100 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    paid text;
    recorded date;
    holders text[];
    payees text[];
begin
    select d.distribution_id, d.record_on into paid, recorded from engine.redemption r join engine.distribution d using (offering_id, distribution_id)
    where r.offering_id = p_offering and r.buyback_id = p_buyback and d.status in ('paying', 'paid');
    if paid is null then
        return;
    end if;
    select array_agg(l.investor_id), array_agg(distinct l.payee_id) into holders, payees from engine.distribution_line l
    where l.offering_id = p_offering and l.distribution_id = paid;
    return query
    with hindered as materialized (select h.investor_id, h.because from engine.payee_hindrances(p_offering, holders || payees) h),
        rooms as materialized (select c.is_coin, treasury.room_on(p_offering, paid, c.is_coin) as minor from (values (true), (false)) c (is_coin)),
        judged as materialized (
            select l.line_id, l.investor_id, l.net_minor, coalesce(w.way, 'bank') = 'stablecoin' as is_coin,
                coalesce(x.status, '') in ('paying', 'paid') as is_paid, coalesce(o.is_waiting, true) as is_first,
                coalesce(case h.because when 'match_with_a_list' then h.because end, p.because, h.because,
                    case when w.way <> 'stablecoin' or w.because = 'account_change_in_progress' then w.because else c.because end) as because
            from engine.distribution_line l
            left join treasury.ways_to(payees) w on w.investor_id = l.payee_id
            left join treasury.coin_ways_to(p_offering, payees, array_fill(recorded, array[cardinality(payees)])) c on c.payee_id = l.payee_id
            left join hindered h on h.investor_id = l.investor_id
            left join hindered p on p.investor_id = l.payee_id and p.because in ('match_with_a_list', 'screening_waits')
            left join treasury.disbursement x on x.offering_id = l.offering_id and x.disbursement_id = l.line_id
            left join registry.redemption_open o on o.offering_id = l.offering_id and o.buyback_id = p_buyback and o.holding_id = l.holding_id
            where l.offering_id = p_offering and l.distribution_id = paid
                and not registry.is_line_released(l.offering_id, p_buyback, l.holding_id))
    select s.investor_id, coalesce(s.because, 'money_is_on_another_rail') from (
        select j.*, sum(j.net_minor) filter (where not j.is_paid and (j.because is null or j.is_first))
            over (partition by j.is_coin order by j.is_first desc, j.line_id) as upto from judged j) s
    join rooms r on r.is_coin = s.is_coin
    where s.because is not null or not s.is_paid and s.upto > r.minor;
end $$;

-- A redemption pays every line of its buy-back and nothing else, and no other one does.
create function engine.redemption_pays_its_lines() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.buyback_fact b where b.offering_id = new.offering_id and b.buyback_id = new.buyback_id and b.status = 'accepted')
        or exists (select from engine.redemption r join engine.distribution d using (offering_id, distribution_id) where r.offering_id = new.offering_id
            and r.buyback_id = new.buyback_id and r.distribution_id <> new.distribution_id and d.status <> 'cancelled') then
        raise exception using errcode = 'BR008', constraint = 'redemption_follows_its_acceptance',
            message = format('%s is not accepted, or is paid already', new.buyback_id);
    end if;
    if exists (select from (select l.holding_id, l.investor_id, l.units, l.gross_minor, l.withheld_minor from engine.distribution_line l
                where l.offering_id = new.offering_id and l.distribution_id = new.distribution_id) x
            full join (select f.holding_id, f.investor_id, f.units, f.amount_minor from registry.redemption_line_fact f
                where f.offering_id = new.offering_id and f.buyback_id = new.buyback_id) y using (holding_id)
            where (x.investor_id, x.units, x.gross_minor, x.withheld_minor) is distinct from (y.investor_id, y.units, y.amount_minor, 0::bigint))
        or exists (select from engine.distribution_tier t where t.offering_id = new.offering_id and t.distribution_id = new.distribution_id
            and t.kind <> 'redemption') then
        raise exception using errcode = 'BR009', constraint = 'redemption_pays_its_lines',
            message = format('the lines of %s are not those of %s', new.distribution_id, new.buyback_id);
    end if;
    return null;
end $$;
create constraint trigger redemption_pays_its_lines after insert on engine.redemption
    deferrable initially deferred for each row execute function engine.redemption_pays_its_lines();
alter table engine.redemption enable always trigger redemption_pays_its_lines;

-- No price is approved or set apart for a buy-back that was given up.
create function engine.redemption_follows_its_acceptance() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from engine.redemption r join registry.buyback_fact b using (offering_id, buyback_id) where r.offering_id = new.offering_id
            and r.distribution_id = new.distribution_id and b.status <> 'accepted') then
        raise exception using errcode = 'BR008', constraint = 'redemption_follows_its_acceptance',
            message = format('the buy-back that %s pays is not accepted', new.distribution_id);
    end if;
    return new;
end $$;
create trigger redemption_follows_its_acceptance before update on engine.distribution
    for each row when (new.status in ('approved', 'paying') and old.status <> new.status) execute function engine.redemption_follows_its_acceptance();
alter table engine.distribution enable always trigger redemption_follows_its_acceptance;

create function engine.redemption_names_its_buyback() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from engine.redemption r where r.offering_id = new.offering_id and r.distribution_id = new.distribution_id) then
        raise exception using errcode = 'BR008', constraint = 'redemption_names_its_buyback', message = format('%s pays no buy-back', new.distribution_id);
    end if;
    return null;
end $$;
create constraint trigger redemption_names_its_buyback after insert on engine.distribution_tier
    deferrable initially deferred for each row when (new.kind = 'redemption') execute function engine.redemption_names_its_buyback();
alter table engine.distribution_tier enable always trigger redemption_names_its_buyback;
