-- Splits of a class: what two people agreed on, what each holder and each wallet has before and after, what the chain showed.

-- So many new units stand for so many old ones from a moment on. What is left of a holder's units that make no whole one is paid
-- in cash at a stated price, or rounded up, or to the nearest whole.
create table registry.split (
    offering_id text not null,
    split_id text not null,
    status text not null,
    new_units bigint not null,
    for_units bigint not null,
    fractions text,
    cash_price_minor bigint,
    currency text not null,
    effective_at timestamptz not null,
    authority_sha256 bytea not null constraint split_has_its_paper check (octet_length(authority_sha256) = 32),
    authority_reference text not null constraint split_names_its_authority check (authority_reference ~ '\S'),
    proposed_by text not null,
    proposed_at timestamptz not null default clock_timestamp(),
    decided_by text,
    decided_because text,
    decided_at timestamptz,
    ended_by text,
    ended_because text,
    authorised_before bigint,
    authorised_after bigint constraint authorised_units_stay_positive check (authorised_after > 0),
    begun_at timestamptz,
    executed_at timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, split_id),
    constraint split_class_has_a_control_book foreign key (offering_id) references registry.control_book,
    constraint split_ratio_is_of_whole_numbers check (new_units between 1 and 1000000 and for_units between 1 and 1000000),
    constraint split_changes_the_units check (new_units <> for_units),
    constraint split_ratio_is_in_lowest_terms check (new_units = for_units or least(new_units, for_units) < 1
        or gcd(new_units, for_units) = 1),
    constraint split_has_a_rule_for_fractions check (coalesce(fractions in ('cash', 'round_up', 'round_half'), false)),
    constraint cash_in_lieu_has_its_price check (coalesce(fractions, '') <> 'cash' and cash_price_minor is null
        or fractions = 'cash' and coalesce(cash_price_minor > 0, false)),
    constraint split_needs_two_people
        check (status in ('proposed', 'declined', 'abandoned') or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false)),
    constraint declined_split_has_its_reason check (status <> 'declined' or coalesce(decided_because ~ '\S', false)),
    constraint abandoned_split_has_its_reason check (status <> 'abandoned' or coalesce(ended_because ~ '\S', false)),
    constraint begun_split_states_the_authorised_units check ((status in ('begun', 'executed'))
        = (num_nulls(begun_at, authorised_before, authorised_after) = 0) and (status = 'executed') = (executed_at is not null))
);
create unique index one_split_waits on registry.split (offering_id) where status in ('proposed', 'approved', 'begun');
call audit.keep('registry.split', 'split', 'split_id', 'offering_id');

-- One holder's units before and after; the fraction is so many parts of a new unit, each one over the old units of the ratio.
create table registry.split_line (
    offering_id text not null,
    split_id text not null,
    holding_id text not null,
    units_before bigint not null constraint split_line_has_units check (units_before > 0),
    units_after bigint not null check (units_after >= 0),
    fraction_parts bigint not null check (fraction_parts >= 0),
    cash_minor bigint not null constraint cash_in_lieu_is_for_a_fraction check (cash_minor >= 0 and (cash_minor = 0 or fraction_parts > 0)),
    primary key (offering_id, split_id, holding_id),
    foreign key (offering_id, split_id) references registry.split,
    foreign key (offering_id, holding_id) references registry.holding
);
call audit.append_only('registry.split_line');

-- What stands in one wallet before and after. The treasury wallet, of units that are sold to nobody, has no holding.
create table registry.split_place (
    offering_id text not null,
    split_id text not null,
    address bytea not null check (octet_length(address) = 20),
    holding_id text,
    units_before bigint not null check (units_before > 0),
    units_after bigint not null check (units_after >= 0),
    primary key (offering_id, split_id, address),
    foreign key (offering_id, split_id) references registry.split,
    foreign key (offering_id, holding_id) references registry.holding
);
call audit.append_only('registry.split_place');

-- Which intent carries the change of a wallet to the chain; one that comes to nothing has a successor.
create table registry.split_call (
    offering_id text not null,
    split_id text not null,
    address bytea not null,
    intent_id text not null references registry.chain_intent,
    primary key (offering_id, split_id, address, intent_id),
    foreign key (offering_id, split_id, address) references registry.split_place
);
call audit.append_only('registry.split_call');

-- Where the chain minted or burned what a wallet gains or loses; once, whatever was signed.
create table registry.split_seen (
    offering_id text not null,
    split_id text not null,
    address bytea not null,
    chain_id bigint not null,
    transaction_hash bytea not null check (octet_length(transaction_hash) = 32),
    ordinal integer not null check (ordinal >= 0),
    constraint wallet_is_changed_once primary key (offering_id, split_id, address),
    foreign key (offering_id, split_id, address) references registry.split_place,
    constraint log_changes_one_wallet unique (offering_id, chain_id, transaction_hash, ordinal)
);
call audit.append_only('registry.split_seen');

-- A whole in parts by weight, largest remainder first, ties by key; the parts sum to the whole whatever the order of the rows.
create function registry.apportioned(p_whole bigint, p_keys text[], p_weights bigint[]) returns table (key text, part bigint)
language sql immutable set search_path = pg_catalog, pg_temp
begin atomic
    with share as (
        select w.key, div(p_whole::numeric * w.weight, sum(w.weight) over ()) as base, mod(p_whole::numeric * w.weight, sum(w.weight) over ()) as rest
        from unnest(p_keys, p_weights) as w (key, weight) where w.weight > 0)
    select s.key, (s.base + (row_number() over (order by s.rest desc, s.key collate "C") <= p_whole - sum(s.base) over ())::integer)::bigint
    from share s;
end;

-- The whole units that stand for some old ones, by the rule for fractions.
create function registry.units_after_split(p_units bigint, s registry.split) returns bigint
language sql immutable set search_path = pg_catalog, pg_temp
return (case s.fractions when 'round_up' then div(p_units::numeric * s.new_units + s.for_units - 1, s.for_units)
    when 'round_half' then div(2 * p_units::numeric * s.new_units + s.for_units, 2 * s.for_units)
    else div(p_units::numeric * s.new_units, s.for_units) end)::bigint;

-- What units of a moment stand for now, after the splits since then; parts of a unit are cut off beyond the twelfth decimal.
create function registry.units_since(p_offering text, p_units bigint, p_since timestamptz) returns numeric
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    s registry.split;
    above numeric := p_units;
    below numeric := 1;
begin
    for s in select x.* from registry.split x where x.offering_id = p_offering and x.status = 'executed' and x.executed_at > p_since loop
        above := above * s.new_units;
        below := below * s.for_units;
    end loop;
    return div(above * 1000000000000, below) / 1000000000000;
end $$;

-- A limit of whole units that was decided at a moment, in units of now.
create function registry.volume_now(p_offering text, p_units bigint, p_since timestamptz) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
return trunc(registry.units_since(p_offering, p_units, p_since))::bigint;

-- The authorised units move by the ratio, rounded down.
create function registry.authorised_after_split(p_units bigint, s registry.split) returns bigint
language sql immutable set search_path = pg_catalog, pg_temp
return div(p_units::numeric * s.new_units, s.for_units)::bigint;

create function registry.is_being_split(p_offering text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
return exists (select from registry.split s where s.offering_id = p_offering and s.status = 'begun');

create view registry.split_fact as
select offering_id, split_id, status, new_units, for_units, effective_at, version, chain_head from registry.split;
