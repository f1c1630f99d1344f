-- Looks at the chain beside books that go on being written: whose difference a second look bears out, and what waits for a look.

create function reconciliation.is_of_the_chain(p_kind text) returns boolean
language sql immutable
return p_kind in ('registered_not_on_chain', 'on_chain_not_registered', 'units_differ', 'supply_is_not_the_control_book');

-- Where the books differ from what the chain showed, with the units that the books have; of these investments, investors and
-- addresses alone where some are named. Writes nothing: whoever asks looks at the chain once more.
create function reconciliation.units_apart(p_offering text, p_only text[], p_chain jsonb) returns table (kind text, subject_id text, units bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    if p_only is null then
        return query select d.kind, d.subject_id, d.left_value::bigint from reconciliation.differences(p_offering, p_chain, '{holdings}') d
            where reconciliation.is_of_the_chain(d.kind);
    else
        return query select d.kind, d.subject_id, d.left_value::bigint
            from reconciliation.compared(p_offering, p_only, p_chain, '{holdings}') d where reconciliation.is_of_the_chain(d.kind);
    end if;
end $$;

-- What events about units touched while the node was silent; each waits here for a look at the chain.
create table reconciliation.unseen (
    offering_id text not null,
    about text not null,
    since timestamptz not null default clock_timestamp(),
    primary key (offering_id, about)
);

create function reconciliation.leave_unseen(p_actor text, p_request text, p_offering text, p_only text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into reconciliation.unseen (offering_id, about) select distinct p_offering, x.about from unnest(p_only) as x (about)
    on conflict (offering_id, about) do update set since = clock_timestamp();
end $$;

-- Says that these were compared with the chain; what was touched again after p_until waits on.
create function reconciliation.see(p_actor text, p_request text, p_offering text, p_only text[], p_until timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    delete from reconciliation.unseen where offering_id = p_offering and about = any (p_only) and since <= p_until;
end $$;
