-- What the keepers say of somebody who gives or takes registered units.

create type engine.party as (
    profile_fact text,
    profile_digest bytea,
    country text,
    is_cleared boolean,
    lacks text[]
);

create function engine.party_of(p_offering text, p_investor text) returns engine.party
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    found_party engine.party;
begin
    select f.investor_id || '@' || f.version, f.detail_digest, v.country,
        coalesce(c.status = 'clear' and (c.valid_until is null or c.valid_until > clock_timestamp())
            and c.verified_digest = f.detail_digest, false),
        coalesce(c.lacks, '{clearance_is_open}')
    into found_party
    from portal.profile_fact f
    left join portal.version_fact v on v.investor_id = f.investor_id and v.detail_version = f.detail_version
    left join compliance.clearance_fact c on c.offering_id = p_offering and c.investor_id = f.investor_id
    where f.investor_id = p_investor;
    return found_party;
end $$;

-- Whether an actor is the investor: by its name, its account, or a representative; with or without a key.
create function engine.is_person_of(p_actor text, p_investor text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    person constant text := audit.person_of(p_actor);
begin
    return coalesce(person = p_investor or compliance.represents(p_investor, person)
        or exists (select from portal.account_fact f where f.investor_id = p_investor and f.account_id = person), false);
end $$;

create function engine.is_accredited(p_offering text, p_investor text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return compliance.is_accredited(p_offering, p_investor, clock_timestamp());
end $$;

-- Whether everybody on whom an investor rests has been screened, and none is a case.
create function engine.is_screened(p_investor text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return not exists (select from compliance.subjects_of(p_investor) s (id) where not compliance.is_answered(s.id));
end $$;

-- What a price is in base units of a coin that the offer takes as this money; null of any other coin.
create function engine.coin_units(p_offering text, p_coin bytea, p_currency text, p_price_minor bigint) returns numeric
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return (select p_price_minor * ('1' || repeat('0', c.decimals - c.minor_decimals))::numeric
        from treasury.coin_fact c join engine.offer o on o.offering_id = c.offering_id and o.chain_id = c.chain_id
        where c.offering_id = p_offering and c.token = p_coin and c.currency = p_currency
        and c.valid_from <= (clock_timestamp() at time zone 'UTC')::date order by c.valid_from desc limit 1);
end $$;

-- Locks what is said of parties in the order in which everybody locks it: positions, then clearances.
create function engine.lock_parties(p_offering text, p_investors text[]) returns void
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.position pos where pos.offering_id = p_offering and pos.investor_id = any (p_investors)
    order by pos.investment_id for update;
    perform 1 from compliance.clearance_fact c where c.offering_id = p_offering and c.investor_id = any (p_investors)
    order by c.investor_id for share;
end $$;
