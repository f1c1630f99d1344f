-- Which rate stood when an investor committed in another currency than the offer's, and which when its money was matched.
-- Escrow exchanges nothing: money is counted in the currency in which it lies there, and a snapshot is for people.

create table treasury.rate_snapshot (
    offering_id text not null,
    snapshot_id text not null,
    status text not null,
    investment_id text not null,
    receipt_id text,
    rule_id text not null,
    source text not null,
    currency text not null,
    offer_currency text not null,
    rate_on date not null,
    set_at timestamptz not null,
    as_of timestamptz not null,
    most_hours integer not null,
    rate text not null,
    offer_rate text not null,
    decimals integer not null,
    offer_decimals integer not null,
    amount_minor bigint not null check (amount_minor > 0),
    value_minor bigint not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, snapshot_id),
    foreign key (offering_id, rule_id) references treasury.currency_rule,
    constraint rate_is_within_its_age check (set_at <= as_of and as_of <= set_at + make_interval(hours => most_hours))
);

create unique index one_rate_per_commitment on treasury.rate_snapshot (offering_id, investment_id) where receipt_id is null;
create unique index one_rate_per_payment on treasury.rate_snapshot (offering_id, investment_id, receipt_id) where receipt_id is not null;

call audit.keep('treasury.rate_snapshot', 'rate_snapshot', 'snapshot_id', 'offering_id');

-- An amount in another currency, rounded half up to its minor unit; exact, as the rates are decimals and no step divides before
-- the last. A rate is for one unit of a common base.
create function treasury.exchanged(p_amount bigint, p_from numeric, p_from_decimals integer, p_to numeric, p_to_decimals integer)
returns numeric
language sql immutable
return div(2 * p_amount::numeric * p_to * 10::numeric ^ p_to_decimals + p_from * 10::numeric ^ p_from_decimals,
    2 * p_from * 10::numeric ^ p_from_decimals);

alter table treasury.rate_snapshot add constraint value_is_exchanged_at_its_rate
    check (value_minor = treasury.exchanged(amount_minor, offer_rate::numeric, offer_decimals, rate::numeric, decimals));

-- The newest rates of a source for two currencies, both of one day and set by a moment; no row when there are none.
create function treasury.rates_as_of(p_source text, p_from text, p_to text, p_at timestamptz)
returns table (rate_on date, set_at timestamptz, from_rate numeric, to_rate numeric)
language sql stable rows 1 set search_path = pg_catalog, pg_temp
begin atomic
    select r.rate_on, r.set_at, case when p_from = s.base then 1 else f.rate end, case when p_to = s.base then 1 else t.rate end
    from treasury.rate_source s
    join treasury.reference_rate r on r.source = s.source and r.set_at <= p_at
        and r.currency = case when p_from = s.base then p_to else p_from end
    left join treasury.reference_rate f on f.source = s.source and f.currency = p_from and f.rate_on = r.rate_on
    left join treasury.reference_rate t on t.source = s.source and t.currency = p_to and t.rate_on = r.rate_on
    where s.source = p_source and (p_from = s.base or f.rate is not null) and (p_to = s.base or t.rate is not null)
    order by r.set_at desc limit 1;
end;

-- The moment whose rate counts for money that was booked on a day: the end of that day, or now while it lasts.
create function treasury.rate_moment(p_booked_on date) returns timestamptz
language sql stable set search_path = pg_catalog, pg_temp
return least(clock_timestamp(), (p_booked_on + 1)::timestamp at time zone 'UTC');

-- Keeps the rate of a moment for an amount of an investment; refused when the newest one is older than its rule allows.
create function treasury.take_rate(p_rule treasury.currency_rule, p_investment text, p_receipt text, p_amount bigint,
    p_at timestamptz) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    r record;
begin
    select * into r from treasury.rates_as_of(p_rule.source, p_rule.offer_currency, p_rule.currency, p_at);
    if r.set_at is null or p_at > r.set_at + make_interval(hours => p_rule.most_hours) then
        raise exception using errcode = 'BR008', constraint = 'rate_is_within_its_age',
            message = format('the newest rate of %s for %s is of %s, and may be %s hours old', p_rule.source, p_rule.currency,
                coalesce(r.rate_on::text, 'no day'), p_rule.most_hours);
    end if;
    insert into treasury.rate_snapshot (offering_id, snapshot_id, status, investment_id, receipt_id, rule_id, source, currency,
        offer_currency, rate_on, set_at, as_of, most_hours, rate, offer_rate, decimals, offer_decimals, amount_minor, value_minor)
    values (p_rule.offering_id, 'rsn_' || concat_ws('.', p_investment, p_receipt), 'taken', p_investment, p_receipt, p_rule.rule_id,
        p_rule.source, p_rule.currency, p_rule.offer_currency, r.rate_on, r.set_at, p_at, p_rule.most_hours, r.to_rate::text, r.from_rate::text,
        p_rule.decimals, p_rule.offer_decimals, p_amount,
        treasury.exchanged(p_amount, r.from_rate, p_rule.offer_decimals, r.to_rate, p_rule.decimals));
end $$;

-- Keeps the rate at which an investment is committed to in a currency that the offer takes beside its own.
create function treasury.keep_commitment_rate(p_offering text, p_investment text, p_currency text, p_amount bigint) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    rule treasury.currency_rule;
begin
    select * into rule from treasury.currency_rule c
    where c.offering_id = p_offering and c.currency = p_currency and c.status = 'accepted' for share;
    if rule.rule_id is null then
        raise exception using errcode = 'BR008', constraint = 'currency_is_taken_by_the_offer',
            message = format('%s does not take %s any more', p_offering, p_currency);
    end if;
    perform treasury.take_rate(rule, p_investment, null, p_amount, clock_timestamp());
end $$;

-- Whether the source of a rule had set a rate by a moment that was no older than the rule allows.
create function treasury.has_rate(p_rule treasury.currency_rule, p_at timestamptz) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from treasury.rates_as_of(p_rule.source, p_rule.offer_currency, p_rule.currency, p_at) r
    where p_at <= r.set_at + make_interval(hours => p_rule.most_hours));

-- Keeps the rates of what is matched to investments, or to any of the offer, and has none. A part of a receipt has the rate that
-- the whole has. Money whose rate is missing is matched all the same: a rate is for people, and is kept once one of its day is there.
create function treasury.keep_payment_rates(p_offering text, p_investments text[] default null) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    paid record;
    rule treasury.currency_rule;
    moment timestamptz;
begin
    if not exists (select from treasury.rate_snapshot q where q.offering_id = p_offering) then
        return;
    end if;
    for paid in
        select r.receipt_id, r.investment_id, r.amount_minor, r.booked_on, c.rule_id
        from treasury.rate_snapshot c join treasury.receipt r on r.offering_id = c.offering_id and r.investment_id = c.investment_id
        where c.offering_id = p_offering and c.receipt_id is null and coalesce(c.investment_id = any (p_investments), true)
            and r.status in ('matched', 'cleared')
            and not exists (select from treasury.rate_snapshot p where p.offering_id = p_offering
                and p.investment_id = r.investment_id and p.receipt_id in (r.receipt_id, r.root_id)) order by r.receipt_id
    loop
        select * into rule from treasury.currency_rule x where x.offering_id = p_offering and x.rule_id = paid.rule_id;
        moment := treasury.rate_moment(paid.booked_on);
        if treasury.has_rate(rule, moment) then
            perform treasury.take_rate(rule, paid.investment_id, paid.receipt_id, paid.amount_minor, moment);
        end if;
    end loop;
end $$;

-- The rates of an investment as people are shown them: the commitment first, then each payment with what its amount came to at
-- the rate of the commitment. A payment without a rate of its day has its row too, with the hours that one may be old.
create view treasury.rate_standing as
select s.offering_id, s.investment_id, s.receipt_id, s.currency, s.offer_currency, n.name as source, n.base, s.rate, s.offer_rate,
    s.set_at, s.as_of, s.amount_minor, s.value_minor, p.committed_minor, s.value_minor - p.committed_minor as difference_minor,
    r.status as receipt_status, s.most_hours
from treasury.rate_snapshot s
join treasury.rate_source n using (source)
join treasury.rate_snapshot c on c.offering_id = s.offering_id and c.investment_id = s.investment_id and c.receipt_id is null
cross join lateral (select treasury.exchanged(s.amount_minor, c.offer_rate::numeric, c.offer_decimals, c.rate::numeric, c.decimals)::bigint
    as committed_minor) p
left join treasury.receipt r on r.offering_id = s.offering_id and r.receipt_id = s.receipt_id
union all
select c.offering_id, c.investment_id, r.receipt_id, c.currency, c.offer_currency, n.name, n.base, null, null, null, null, r.amount_minor,
    null, treasury.exchanged(r.amount_minor, c.offer_rate::numeric, c.offer_decimals, c.rate::numeric, c.decimals)::bigint, null,
    r.status, c.most_hours
from treasury.rate_snapshot c
join treasury.rate_source n using (source)
join treasury.receipt r on r.offering_id = c.offering_id and r.investment_id = c.investment_id and r.status in ('matched', 'cleared')
where c.receipt_id is null and not exists (select from treasury.rate_snapshot k where k.offering_id = c.offering_id
    and k.investment_id = c.investment_id and k.receipt_id in (r.receipt_id, r.root_id));
