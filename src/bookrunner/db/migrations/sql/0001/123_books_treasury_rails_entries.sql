-- Every key under which another bank file may bring an entry that was taken.

create table treasury.entry_key (
    offering_id text not null,
    key text not null,
    constraint each_entry_is_taken_once primary key (offering_id, key)
);

call audit.append_only('treasury.entry_key');

create function treasury.remember_keys(p_actor text, p_request text, p_offering text, p_keys text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into treasury.entry_key (offering_id, key) select p_offering, k from unnest(p_keys) k;
end $$;
