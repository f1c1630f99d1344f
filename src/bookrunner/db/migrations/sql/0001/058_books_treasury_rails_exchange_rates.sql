-- Reference rates as dated data of named sources, and which currencies an offer lets its investors pay in.

-- Who sets rates: each is the number of units of a currency for one unit of the base, set at one time of a day.
create table treasury.rate_source (
    source text primary key,
    name text not null,
    base text not null,
    sets_at time not null,
    zone text not null,
    told text not null
);

insert into treasury.rate_source (source, name, base, sets_at, zone, told) values
    ('ecb', 'European Central Bank', 'EUR', '14:10', 'Europe/Berlin',
        'Euro foreign exchange reference rates: from the daily concertation at 14:10, for information only');

-- A file of rates as it was imported.
create table treasury.rate_file (
    source text not null constraint rate_source_is_known references treasury.rate_source,
    file_id text not null,
    status text not null,
    file_sha256 bytea not null constraint rate_file_digest_has_its_length check (octet_length(file_sha256) = 32),
    first_on date not null,
    last_on date not null,
    rates integer not null constraint rate_file_has_rates check (rates > 0),
    version bigint not null,
    chain_head bytea not null,
    primary key (source, file_id),
    constraint rate_file_is_imported_once unique (source, file_sha256)
);

-- A rate as its source wrote it, digit by digit.
create table treasury.reference_rate (
    source text not null references treasury.rate_source,
    currency text not null constraint rate_is_of_a_currency check (currency ~ '^[A-Z]{3}$'),
    rate_on date not null,
    rate numeric not null constraint rate_is_a_short_positive_decimal check (rate > 0 and scale(rate) <= 12 and rate < 10::numeric ^ 15),
    set_at timestamptz not null constraint rate_is_not_of_a_day_to_come check (set_at <= clock_timestamp()),
    file_id text not null,
    primary key (source, currency, rate_on),
    foreign key (source, file_id) references treasury.rate_file
);

create index reference_rate_by_time on treasury.reference_rate (source, currency, set_at desc);

call audit.append_only('treasury.rate_source');
call audit.append_only('treasury.reference_rate');
call audit.keep('treasury.rate_file', 'rate_file', 'file_id', 'source');

-- A currency beside the offer's own that its investors may pay in, and how old a rate may be.
create table treasury.currency_rule (
    offering_id text not null,
    rule_id text not null,
    status text not null,
    currency text not null,
    offer_currency text not null,
    source text not null constraint rate_source_is_known references treasury.rate_source,
    most_hours integer not null constraint age_of_a_rate_is_bounded check (most_hours between 1 and 240),
    decimals integer not null check (decimals between 0 and 4),
    offer_decimals integer not null check (offer_decimals between 0 and 4),
    proposed_by text not null,
    decided_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, rule_id),
    constraint taken_currency_is_not_the_offers check (currency <> offer_currency),
    constraint currency_rule_needs_two_people check (
        (status in ('accepted', 'ended')) <= coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false))
);

create unique index one_rule_per_currency on treasury.currency_rule (offering_id, currency) where status = 'accepted';

call audit.keep('treasury.currency_rule', 'currency_rule', 'rule_id', 'offering_id');

-- Imports the rates of one file, {currency, on, rate} each; the rate is a text with its digits. What was imported before
-- stays; a rate that differs from the one of its day is refused, with the whole file. Returns how many are new.
create function treasury.import_rates(p_actor text, p_request text, p_source text, p_file text, p_file_sha256 bytea, p_rates jsonb)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    fresh integer;
begin
    perform audit.enter(p_actor, p_request);
    insert into treasury.rate_file (source, file_id, status, file_sha256, first_on, last_on, rates)
    select p_source, p_file, 'imported', p_file_sha256, min(r."on"), max(r."on"), count(*)
    from jsonb_to_recordset(p_rates) as r ("on" date);
    insert into treasury.reference_rate (source, currency, rate_on, rate, set_at, file_id)
    select p_source, r.currency, r."on", r.rate::numeric, (r."on" + s.sets_at) at time zone s.zone, p_file
    from jsonb_to_recordset(p_rates) as r (currency text, "on" date, rate text) join treasury.rate_source s on s.source = p_source
    on conflict do nothing;
    get diagnostics fresh = row_count;
    if exists (select from jsonb_to_recordset(p_rates) as r (currency text, "on" date, rate text)
        join treasury.reference_rate k on k.source = p_source and k.currency = r.currency and k.rate_on = r."on"
        where k.rate <> r.rate::numeric) then
        raise exception using errcode = 'BR008', constraint = 'rate_of_a_day_is_set_once',
            message = format('%s has other rates of a day that is known', p_file);
    end if;
    return fresh;
end $$;

-- Proposes {currency, source, most_hours, decimals, offer_decimals} for an offer.
create function treasury.propose_currency(p_actor text, p_request text, p_offering text, p_rule text, p_terms jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into treasury.currency_rule (offering_id, rule_id, status, currency, offer_currency, source, most_hours, decimals,
        offer_decimals, proposed_by)
    select p_offering, p_rule, 'proposed', t.currency, o.currency, t.source, t.most_hours, t.decimals, t.offer_decimals, p_actor
    from jsonb_to_record(p_terms) as t (currency text, source text, most_hours integer, decimals integer, offer_decimals integer),
        engine.offer o where o.offering_id = p_offering;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'offer_exists', message = format('there is no offer %s', p_offering);
    end if;
end $$;

-- Accepts a proposed currency or declines it; one that is accepted is ended the same way, by anybody. Who has confirmed in it
-- keeps the rule that stood then.
create function treasury.decide_currency(p_actor text, p_request text, p_offering text, p_rule text, p_decision text, p_seen bigint)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c treasury.currency_rule;
begin
    perform audit.enter(p_actor, p_request);
    select * into c from treasury.currency_rule where offering_id = p_offering and rule_id = p_rule for update;
    perform treasury.on_version(c.version, p_seen);
    update treasury.currency_rule set status = p_decision, decided_by = case p_decision when 'ended' then decided_by else p_actor end
    where offering_id = p_offering and rule_id = p_rule;
end $$;

-- The currencies that an offer takes beside its own, with the newest rates that there are.
create view treasury.taken_currency as
select offering_id, rule_id, currency, source, most_hours from treasury.currency_rule where status = 'accepted';
