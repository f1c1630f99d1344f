-- Conversions of a class: what two people agreed on, the inputs of the formula, what each holder has before and after.

-- Every unit of one class becomes units of another of the same issuer by a formula, from a moment on. A fraction of a new unit is
-- paid in cash at the price of the formula, or lapses where the paper says so.
create table registry.conversion (
    offering_id text not null,
    conversion_id text not null,
    status text not null,
    into_offering_id text not null constraint conversion_goes_into_another_class check (into_offering_id <> offering_id),
    formula text not null constraint conversion_formula_is_known check (formula in
        ('fixed_ratio', 'fixed_price', 'discounted_price', 'capped_price', 'lower_price')),
    bears_interest boolean not null constraint ratio_takes_no_interest check (formula <> 'fixed_ratio' or not bears_interest),
    fractions text,
    currency text not null,
    effective_at timestamptz not null,
    authority_sha256 bytea not null constraint conversion_has_its_paper check (octet_length(authority_sha256) = 32),
    authority_reference text not null constraint conversion_names_its_authority check (authority_reference ~ '\S'),
    proposed_by text not null,
    proposed_at timestamptz not null default clock_timestamp(),
    confirmations integer not null default 0,
    instalments_begun bigint not null,
    decided_by text,
    decided_because text,
    decided_at timestamptz,
    ended_by text,
    ended_because text,
    undelivered_units bigint constraint undelivered_units_are_counted check (undelivered_units >= 0),
    begun_at timestamptz,
    executed_at timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, conversion_id),
    constraint converted_class_has_a_control_book foreign key (offering_id) references registry.control_book,
    constraint conversion_has_a_rule_for_fractions check (coalesce(fractions in ('cash', 'lapse'), false)),
    constraint conversion_needs_two_people
        check (status in ('proposed', 'declined', 'abandoned') or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false)),
    constraint declined_conversion_has_its_reason check (status <> 'declined' or coalesce(decided_because ~ '\S', false)),
    constraint abandoned_conversion_has_its_reason check (status <> 'abandoned' or coalesce(ended_because ~ '\S', false)),
    constraint begun_conversion_states_its_moments check ((status in ('begun', 'executed')) = (num_nulls(begun_at, undelivered_units) = 0)
        and (status = 'executed') = (executed_at is not null))
);
create unique index one_conversion_waits on registry.conversion (offering_id) where status in ('proposed', 'approved', 'begun');
create index conversion_into_a_class on registry.conversion (into_offering_id);
call audit.keep('registry.conversion', 'conversion', 'conversion_id', 'offering_id');

-- An input of the formula, with who confirmed it, when and on which paper. The last one of a name stands.
create table registry.conversion_input (
    offering_id text not null,
    conversion_id text not null,
    ordinal integer not null check (ordinal > 0),
    name text not null,
    amount bigint,
    day date,
    source text not null constraint conversion_input_names_its_source check (source ~ '\S'),
    source_sha256 bytea not null constraint conversion_input_has_its_paper check (octet_length(source_sha256) = 32),
    confirmed_by text not null,
    confirmed_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, conversion_id, ordinal),
    foreign key (offering_id, conversion_id) references registry.conversion,
    constraint conversion_input_is_an_amount_or_a_day check ((name = 'interest_from') = (day is not null) and (day is null) = (amount is not null)),
    constraint conversion_input_is_within_its_bounds check (case name when 'interest_from' then true
        when 'interest_ppm' then amount between 0 and 1000000 when 'discount_ppm' then amount between 0 and 999999
        when 'year_days' then amount in (360, 365) else amount between 1 and 1000000000000000 end)
);
call audit.append_only('registry.conversion_input');

-- One holder: the units that end, the money that they stand for, the units that it gets and where, the cash owed for the fraction.
-- A fixed ratio knows no money.
create table registry.conversion_line (
    offering_id text not null,
    conversion_id text not null,
    holding_id text not null,
    units_before bigint not null constraint conversion_line_has_units check (units_before > 0),
    principal_minor bigint not null check (principal_minor >= 0),
    interest_minor bigint not null check (interest_minor >= 0),
    units_after bigint not null check (units_after >= 0),
    cash_minor bigint not null check (cash_minor >= 0),
    into_holding_id text,
    into_address bytea check (octet_length(into_address) = 20),
    primary key (offering_id, conversion_id, holding_id),
    foreign key (offering_id, conversion_id) references registry.conversion,
    foreign key (offering_id, holding_id) references registry.holding,
    constraint new_units_name_their_holder_and_wallet check ((units_after > 0) = (num_nulls(into_holding_id, into_address) = 0)
        and num_nulls(into_holding_id, into_address) in (0, 2))
);
call audit.append_only('registry.conversion_line');

-- What one wallet of one of the two classes loses or gains. The class is the first part of the key, as it is of its holdings.
create table registry.conversion_place (
    offering_id text not null,
    from_offering_id text not null,
    conversion_id text not null,
    address bytea not null check (octet_length(address) = 20),
    holding_id text not null,
    units_before bigint not null check (units_before >= 0),
    units_after bigint not null check (units_after >= 0 and units_after <> units_before),
    primary key (offering_id, from_offering_id, conversion_id, address),
    foreign key (offering_id, holding_id) references registry.holding
);
call audit.append_only('registry.conversion_place');

-- Which intent carries the change of a wallet to the chain; one that comes to nothing has a successor.
create table registry.conversion_call (
    offering_id text not null,
    from_offering_id text not null,
    conversion_id text not null,
    address bytea not null,
    intent_id text not null references registry.chain_intent,
    primary key (offering_id, from_offering_id, conversion_id, address, intent_id),
    foreign key (offering_id, from_offering_id, conversion_id, address) references registry.conversion_place
);
call audit.append_only('registry.conversion_call');

-- Where the chain burned or minted what a wallet loses or gains; once, whatever was signed.
create table registry.conversion_seen (
    offering_id text not null,
    from_offering_id text not null,
    conversion_id text not null,
    address bytea not null,
    chain_id bigint not null,
    transaction_hash bytea not null check (octet_length(transaction_hash) = 32),
    ordinal integer not null check (ordinal >= 0),
    constraint wallet_is_converted_once primary key (offering_id, from_offering_id, conversion_id, address),
    foreign key (offering_id, from_offering_id, conversion_id, address) references registry.conversion_place,
    constraint log_converts_one_wallet unique (offering_id, chain_id, transaction_hash, ordinal)
);
call audit.append_only('registry.conversion_seen');

-- Both classes of every conversion.
create view registry.conversion_class as
select c.offering_id, c.offering_id as from_offering_id, c.conversion_id, c.status, c.executed_at from registry.conversion c
union all select c.into_offering_id, c.offering_id, c.conversion_id, c.status, c.executed_at from registry.conversion c;

-- What conversions changed or change in the wallets of a class.
create view registry.conversion_change as
select p.offering_id, p.from_offering_id, p.conversion_id, p.address, p.holding_id, p.units_before, p.units_after, c.status, c.executed_at
from registry.conversion_place p join registry.conversion c on c.offering_id = p.from_offering_id and c.conversion_id = p.conversion_id;

-- The inputs that a formula takes; the price of a new unit is asked for where fractions of a ratio are paid in cash.
create function registry.inputs_of_conversion(c registry.conversion) returns text[]
language sql immutable set search_path = pg_catalog, pg_temp
return (case c.formula when 'fixed_ratio' then array['new_units', 'for_units'] || case when c.fractions = 'cash' then '{unit_price_minor}'::text[] else '{}' end
    when 'fixed_price' then array['principal_minor', 'price_minor']
    when 'discounted_price' then array['principal_minor', 'round_price_minor', 'discount_ppm']
    when 'capped_price' then array['principal_minor', 'valuation_cap_minor', 'diluted_units']
    else array['principal_minor', 'round_price_minor', 'discount_ppm', 'valuation_cap_minor', 'diluted_units'] end)
    || case when c.bears_interest then array['interest_ppm', 'interest_from', 'year_days'] else '{}' end;

-- The inputs as they stand.
create view registry.conversion_input_standing as
select distinct on (i.offering_id, i.conversion_id, i.name) i.offering_id, i.conversion_id, i.name, i.amount, i.day, i.source,
    encode(i.source_sha256, 'hex') as source_sha256, i.confirmed_by, i.confirmed_at
from registry.conversion_input i order by i.offering_id, i.conversion_id, i.name, i.ordinal desc;

create function registry.inputs_missing(c registry.conversion) returns text[]
language sql stable set search_path = pg_catalog, pg_temp
return array(select n.name from unnest(registry.inputs_of_conversion(c)) with ordinality n (name, place)
    where not exists (select from registry.conversion_input_standing i where i.offering_id = c.offering_id and i.conversion_id = c.conversion_id
        and i.name = n.name) order by n.place);

create function registry.input_of(c registry.conversion, p_name text) returns numeric
language sql stable set search_path = pg_catalog, pg_temp
return (select i.amount::numeric from registry.conversion_input_standing i where i.offering_id = c.offering_id and i.conversion_id = c.conversion_id
    and i.name = p_name);

-- The price of one new unit as a fraction, never rounded: in minor units, of a ratio in old units. By its discount the price of the round
-- less so many parts of a million; by its cap the valuation over every unit of the fully diluted capitalisation; the lower one converts.
create function registry.price_of_conversion(c registry.conversion) returns table (above numeric, below numeric, basis text)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with candidate as (
        select p.above, p.below, p.basis from (values
            ('ratio', registry.input_of(c, 'for_units'), registry.input_of(c, 'new_units'), '{fixed_ratio}'::text[]),
            ('price', registry.input_of(c, 'price_minor'), 1::numeric, '{fixed_price}'),
            ('discount', registry.input_of(c, 'round_price_minor') * (1000000 - registry.input_of(c, 'discount_ppm')), 1000000, '{discounted_price,lower_price}'),
            ('cap', registry.input_of(c, 'valuation_cap_minor'), registry.input_of(c, 'diluted_units'), '{capped_price,lower_price}'))
            p (basis, above, below, formulas)
        where c.formula = any (p.formulas) and registry.inputs_missing(c) = '{}')
    select p.above, p.below, p.basis from candidate p
    where not exists (select from candidate q where q.above * p.below < p.above * q.below) order by p.basis limit 1;
end;

create view registry.conversion_fact as
select offering_id, conversion_id, status, into_offering_id, effective_at, version, chain_head from registry.conversion;

-- The wallets of splits and conversions.
create view registry.changed_place_fact as
select p.offering_id, s.status, p.address, p.units_after from registry.split_place p join registry.split s using (offering_id, split_id)
union all select v.offering_id, v.status, v.address, v.units_after from registry.conversion_change v;
