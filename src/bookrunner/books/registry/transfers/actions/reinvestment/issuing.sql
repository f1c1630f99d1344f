-- Units of a started distribution on their way to chain and register: signed for while nothing hinders, posted line by line with the mint.

-- Why lines that are owed units do not get them now, the first reason of each; none when they may. What the register says comes first. Of some
-- lines alone where they are named.
create function registry.reinvestment_hindrances(p_offering text, p_lines text[] default null) returns table (distribution_id text, line_id text, rule text)
language plpgsql stable security definer rows 100 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
declare
    people constant text[] := array(select distinct o.investor_id from registry.reinvestment_open o where o.offering_id = p_offering
        and o.status in ('paying', 'paid') and (p_lines is null or o.line_id = any (p_lines)));
begin
    return query
    select distinct on (x.line_id) x.distribution_id, x.line_id, x.rule from (
        select o.distribution_id, o.line_id, r.place, r.rule
        from registry.reinvestment_open o join registry.holding h using (offering_id, holding_id)
        cross join lateral (select registry.linked_address(p_offering, o.investor_id) as address) w
        cross join lateral (values
            (1, 'mint_follows_its_money', not engine.reinvestment_is_funded(p_offering, o.distribution_id)),
            (2, 'security_is_not_paused', registry.is_paused(p_offering)),
            (3, 'account_is_not_frozen', registry.is_account_frozen(p_offering, o.investor_id)),
            (4, 'estate_takes_no_units', registry.is_estate(p_offering, o.investor_id)),
            (5, 'holding_is_not_held', h.status <> 'registered'),
            (6, 'wallet_is_linked', w.address is null),
            (7, 'wallet_recovery_is_over', exists (select from registry.control_action a where a.offering_id = p_offering
                and a.investor_id = o.investor_id and a.kind = 'recover_wallet' and a.status in ('approved', 'submitted', 'reverted'))),
            (8, 'holder_is_cleared', not coalesce((engine.party_of(p_offering, o.investor_id)).is_cleared, false)),
            (9, 'wallet_is_on_no_list', coalesce(engine.wallet_is_listed(w.address), false))) r (place, rule, is_broken)
        where o.offering_id = p_offering and r.is_broken and (p_lines is null or o.line_id = any (p_lines))
        union all
        select o.distribution_id, o.line_id, 10, e.because from registry.reinvestment_open o
        join engine.payee_hindrances(p_offering, people) e on e.investor_id = o.investor_id
        where o.offering_id = p_offering and (p_lines is null or o.line_id = any (p_lines))) x
    order by x.line_id, x.place;
end $$;

-- Lines whose units can be minted now, all or some, each to the linked wallet of its holder, with the country that the token knows it by.
create function registry.mint_plan(p_offering text, p_lines text[] default null) returns table (distribution_id text, line_id text, investor_id text,
    address bytea, units bigint, country text)
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    with hindered as materialized (select h.line_id from registry.reinvestment_hindrances(p_offering, p_lines) h)
    select o.distribution_id, o.line_id, o.investor_id, registry.linked_address(p_offering, o.investor_id), o.units,
        (engine.party_of(p_offering, o.investor_id)).country
    from registry.reinvestment_open o
    where o.offering_id = p_offering and not o.is_waiting and o.line_id not in (select h.line_id from hindered h)
        and (p_lines is null or o.line_id = any (p_lines));
end;

-- The transaction that record_transaction stores takes lines of one distribution; one that is issued or on its way, or that something
-- hinders, goes with none. Whoever revokes a clearance or freezes an account comes before or after, not between.
create function registry.instruct_reinvestment(p_offering text, p_intent text, p_lines jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    paid constant text := p_lines -> 0 ->> 'distribution';
    people constant text[] := array(select w.investor_id from registry.wallet_mapping w join jsonb_to_recordset(p_lines) as l (address text)
        on w.address = decode(l.address, 'hex') where w.offering_id = p_offering and w.status = 'linked');
    lines constant text[] := array(select o.line_id from registry.reinvestment_open o where o.offering_id = p_offering and o.distribution_id = paid
        and o.investor_id = any (people));
begin
    perform engine.lock_parties(p_offering, people);
    perform registry.book_of(p_offering);
    perform 1 from registry.holding h where h.offering_id = p_offering and h.investor_id = any (people) order by h.holding_id for update;
    insert into registry.reinvestment_call (offering_id, distribution_id, line_id, address, units, intent_id)
    select p_offering, paid, m.line_id, m.address, m.units, p_intent
    from jsonb_to_recordset(p_lines) as l (distribution text, address text, units bigint)
    join registry.mint_plan(p_offering, lines) m on m.distribution_id = l.distribution and m.address = decode(l.address, 'hex') and m.units = l.units
    where l.distribution = paid order by m.line_id;
    if (select count(*) from registry.reinvestment_call c where c.offering_id = p_offering and c.intent_id = p_intent) <> jsonb_array_length(p_lines) then
        raise exception using errcode = 'BR008', constraint = 'line_is_minted_once',
            message = format('a line of %s is issued, on its way or hindered', p_intent);
    end if;
end $$;

-- A mint is signed for a line that is owed its units and has them not, with no other attempt, while its distribution is paid.
create function registry.mint_follows_its_money() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.reinvestment_open o where o.offering_id = new.offering_id and o.distribution_id = new.distribution_id
            and o.line_id = new.line_id and o.units = new.units and not o.is_waiting)
        or not engine.reinvestment_is_funded(new.offering_id, new.distribution_id) then
        raise exception using errcode = 'BR008', constraint = 'mint_follows_its_money',
            message = format('%s is owed no units now', new.line_id);
    end if;
    return new;
end $$;
create trigger mint_follows_its_money before insert on registry.reinvestment_call
    for each row execute function registry.mint_follows_its_money();
alter table registry.reinvestment_call enable always trigger mint_follows_its_money;

-- Whether units of a holder are on their way to another wallet than this one.
create function registry.mint_is_signed_for(p_offering text, p_investor text, p_address bytea) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
return exists (select from registry.reinvestment_open o join registry.reinvestment_call c using (offering_id, line_id)
    join registry.chain_transaction t using (offering_id, intent_id)
    where o.offering_id = p_offering and o.investor_id = p_investor and c.address <> p_address and t.status in ('signed', 'broadcast', 'mined'));

-- A recovery takes over what its wallet has: units that are on their way there arrive first.
create function registry.minted_units_arrive_first() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from registry.reinvestment_open o where o.offering_id = new.offering_id and o.investor_id = new.investor_id and o.is_waiting) then
        raise exception using errcode = 'BR008', constraint = 'minted_units_arrive_first',
            message = format('units of %s are on their way to its wallet', new.investor_id);
    end if;
    return new;
end $$;
create trigger minted_units_arrive_first before update on registry.control_action
    for each row when (new.status = 'approved' and old.status <> 'approved' and new.kind = 'recover_wallet')
    execute function registry.minted_units_arrive_first();
alter table registry.control_action enable always trigger minted_units_arrive_first;

-- Units come into the register by a line that is owed them, as a final transaction shows that was signed for it.
create function registry.reinvestment_gives_its_line() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.reinvestment_open o join registry.reinvestment_call c using (offering_id, line_id)
            join registry.chain_transaction t using (offering_id, intent_id)
            where o.offering_id = new.offering_id and o.line_id = new.reference and o.holding_id = new.to_holding_id and o.units = new.units
                and c.address = new.to_address and c.units = new.units and t.status = 'final' and t.chain_id = new.chain_id
                and t.hash = new.transaction_hash) then
        raise exception using errcode = 'BR008', constraint = 'reinvestment_gives_its_line',
            message = format('%s gives what no line is owed, or no final transaction minted', new.movement_id);
    end if;
    return new;
end $$;
create trigger reinvestment_gives_its_line before insert on registry.movement
    for each row when (new.kind = 'reinvestment') execute function registry.reinvestment_gives_its_line();
alter table registry.movement enable always trigger reinvestment_gives_its_line;

-- Minted units of a final transaction: a new issue to each holder, acquired and restricted from this day on, and the control book on the
-- paper of the plan.
create function registry.post_reinvestment(t registry.chain_transaction, p_delivered jsonb) returns integer
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    posted integer;
begin
    perform registry.book_of(t.offering_id);
    perform 1 from registry.holding h join registry.reinvestment_open o using (offering_id, holding_id) join registry.reinvestment_call c using (offering_id, line_id)
    where c.offering_id = t.offering_id and c.intent_id = t.intent_id order by h.holding_id for update of h;
    insert into registry.movement (offering_id, movement_id, kind, to_holding_id, to_address, units, reference, is_tacked, chain_id, transaction_hash, ordinal)
    select t.offering_id, 'mov_' || substr(o.line_id, 5), 'reinvestment', o.holding_id, c.address, o.units, o.line_id, false, t.chain_id, t.hash, d.ordinal
    from registry.reinvestment_call c join registry.reinvestment_open o using (offering_id, line_id)
    join jsonb_to_recordset(p_delivered) as d (address text, units bigint, ordinal integer) on decode(d.address, 'hex') = c.address and d.units = c.units
    where c.offering_id = t.offering_id and c.intent_id = t.intent_id order by o.line_id;
    get diagnostics posted = row_count;
    if posted <> jsonb_array_length(t.lines) then
        raise exception using errcode = 'BR008', constraint = 'chain_delivered_the_frozen_lines',
            message = format('the logs of %s are not the lines that it mints', t.transaction_id);
    end if;
    insert into registry.lot (offering_id, lot_id, holding_id, movement_id, units, legend, acquired_on, period_from)
    select m.offering_id, 'lot_' || substr(m.movement_id, 5), m.to_holding_id, m.movement_id, m.units, 'Restricted: 17 CFR 230.144', registry.today(),
        registry.today()
    from registry.movement m where m.offering_id = t.offering_id and m.chain_id = t.chain_id and m.transaction_hash = t.hash order by m.movement_id;
    insert into registry.posting (offering_id, posting_id, holding_id, movement_id, units)
    select m.offering_id, 'pst_' || substr(m.movement_id, 5), m.to_holding_id, m.movement_id, m.units
    from registry.movement m where m.offering_id = t.offering_id and m.chain_id = t.chain_id and m.transaction_hash = t.hash order by m.movement_id;
    update registry.holding h set units = h.units + m.units from registry.movement m
    where m.offering_id = t.offering_id and m.chain_id = t.chain_id and m.transaction_hash = t.hash and h.offering_id = m.offering_id
        and h.holding_id = m.to_holding_id;
    update registry.control_book b set issued_units = (select coalesce(sum(p.units), 0) from registry.posting p where p.offering_id = b.offering_id),
        authority_sha256 = (select p.authority_sha256 from registry.reinvestment_plan p join engine.reinvestment_due d using (offering_id, plan_id)
            join registry.reinvestment_call c using (offering_id, line_id) where c.offering_id = t.offering_id and c.intent_id = t.intent_id limit 1)
    where b.offering_id = t.offering_id;
    return posted;
end $$;

-- Units that came by reinvestment, each lot with what was set off for it: that is its cost.
create view registry.reinvested_lot as
select l.offering_id, l.lot_id, h.investor_id, l.units, d.amount_minor as cost_minor, d.price_minor, p.currency, d.distribution_id, l.acquired_on
from registry.movement m join registry.lot l using (offering_id, movement_id) join registry.holding h on h.offering_id = l.offering_id
    and h.holding_id = l.holding_id join engine.reinvestment_due d on d.offering_id = m.offering_id and d.line_id = m.reference
join registry.reinvestment_plan p on p.offering_id = d.offering_id and p.plan_id = d.plan_id
where m.kind = 'reinvestment';

-- Every plan with its people and its units: promised by distributions, and issued.
create view registry.plan_standing as
select p.offering_id, p.plan_id, p.status, p.price_minor, p.currency, p.cutoff_days, p.from_on, p.most_units, p.authority_reference,
    encode(p.authority_sha256, 'hex') as authority_sha256, p.proposed_by, p.proposed_at, p.decided_by, p.decided_because, p.decided_at,
    p.end_proposed_by, p.end_because, p.ended_by, p.version, coalesce(u.units, 0)::bigint as promised_units,
    (coalesce(u.units, 0) - coalesce(u.open_units, 0))::bigint as issued_units
from registry.reinvestment_plan p
left join lateral (select sum(d.units) as units, sum(d.units) filter (where not exists (select from registry.movement m where m.offering_id = d.offering_id
        and m.kind = 'reinvestment' and m.reference = d.line_id)) as open_units
    from engine.reinvestment_due d where d.offering_id = p.offering_id and d.plan_id = p.plan_id) u on true;

-- What each holder elected last, with the first record date that it counts for.
create view registry.election_standing as
select distinct on (e.offering_id, e.investor_id) e.offering_id, e.election_id, e.investor_id, e.share_bp, e.given_by, e.given_at,
    encode(e.paper_sha256, 'hex') as paper_sha256, registry.counts_from(e.offering_id, (e.given_at at time zone 'UTC')::date) as counts_from
from registry.reinvestment_election e order by e.offering_id, e.investor_id, e.given_at desc, e.election_id desc;
