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

-- Price, units and least order of an offer after a split of it.
create function engine.terms_after_split(p_before bigint[], s registry.split) returns bigint[]
language sql immutable set search_path = pg_catalog, pg_temp
return (select array[greatest(1, div(2 * p_before[1]::numeric * s.for_units + s.new_units, 2 * s.new_units))::bigint, t.units,
        least(t.units, greatest(1, div(p_before[3]::numeric * s.new_units, s.for_units))::bigint)]
    from (select greatest(1, div(p_before[2]::numeric * s.new_units, s.for_units))::bigint as units) t);

create function engine.split_is_executed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.split s where s.offering_id = new.offering_id and s.split_id = new.split_id and s.status = 'executed'
        and engine.terms_after_split(new.before, s) = new.after) or not exists (select from engine.offer o
            where o.offering_id = new.offering_id and new.before = array[o.unit_price_minor, o.units_total, o.minimum_units]) then
        raise exception using errcode = 'BR008', constraint = 'followed_split_is_executed',
            message = format('%s is not executed, or takes the terms elsewhere', new.split_id);
    end if;
    return new;
end $$;
create trigger split_is_executed before insert on engine.followed_split for each row execute function engine.split_is_executed();
alter table engine.followed_split enable always trigger split_is_executed;

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
begin
    perform audit.enter(p_actor, p_request);
    select * into o from engine.offer where offering_id = p_offering for update;
    select * into s from registry.split x where x.offering_id = p_offering and x.split_id = p_split;
    if exists (select from engine.followed_split f where f.offering_id = p_offering and f.split_id = p_split) then
        return;
    end if;
    insert into engine.followed_split (offering_id, split_id, before, after)
    select p_offering, p_split, t.before, engine.terms_after_split(t.before, s)
    from (select array[o.unit_price_minor, o.units_total, o.minimum_units] as before) t;
    update engine.offer x set unit_price_minor = f.after[1], units_total = f.after[2], minimum_units = f.after[3]
    from engine.followed_split f where x.offering_id = p_offering and f.offering_id = p_offering and f.split_id = p_split;
end $$;
