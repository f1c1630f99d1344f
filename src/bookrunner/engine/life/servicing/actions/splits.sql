-- The terms of an offer after a split: its units, its least order and the price of one move by the ratio.

-- What a split made of them. A price that the ratio does not divide into whole minor units is rounded half up; what was sold stays
-- as it was sold.
create table engine.followed_split (
    offering_id text not null,
    split_id text not null,
    before bigint[] not null,
    after bigint[] not null,
    followed_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, split_id),
    constraint followed_split_states_price_units_and_minimum check (cardinality(before) = 3 and cardinality(after) = 3)
);
call audit.append_only('engine.followed_split');

-- Whether a split took the price, the units and the least order of an offer from one to the other.
create function engine.split_allows(p_offering text, p_before bigint[], p_after bigint[]) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from engine.followed_split f where f.offering_id = p_offering and f.before = p_before and f.after = p_after);

-- Moves the terms of an offer with an executed split, once.
create function engine.follow_split(p_actor text, p_request text, p_offering text, p_split text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    o engine.offer;
    s registry.split;
    moved bigint[];
begin
    perform audit.enter(p_actor, p_request);
    select * into o from engine.offer where offering_id = p_offering for update;
    select * into s from registry.split x where x.offering_id = p_offering and x.split_id = p_split and x.status = 'executed';
    if not found then
        raise exception using errcode = 'BR008', constraint = 'followed_split_is_executed', message = format('%s is not executed', p_split);
    end if;
    moved := array[greatest(1, div(2 * o.unit_price_minor::numeric * s.for_units + s.new_units, 2 * s.new_units)),
        greatest(1, div(o.units_total::numeric * s.new_units, s.for_units)), 0];
    moved[3] := least(moved[2], greatest(1, div(o.minimum_units::numeric * s.new_units, s.for_units)));
    insert into engine.followed_split (offering_id, split_id, before, after)
    values (p_offering, p_split, array[o.unit_price_minor, o.units_total, o.minimum_units], moved) on conflict do nothing;
    if found then
        update engine.offer set unit_price_minor = moved[1], units_total = moved[2], minimum_units = moved[3] where offering_id = p_offering;
    end if;
end $$;
