-- A register that comes from elsewhere: read, judged without writing, then posted on written authority by two people.

create table registry.register_import (
    offering_id text not null,
    import_id text not null,
    status text not null,
    file_sha256 bytea not null constraint import_has_the_hash_of_its_file check (octet_length(file_sha256) = 32),
    authority_sha256 bytea not null constraint import_has_its_written_authority check (octet_length(authority_sha256) = 32),
    authority_reference text not null constraint import_names_its_authority check (authority_reference ~ '\S'),
    lines jsonb not null constraint import_has_lines check (jsonb_array_length(lines) > 0),
    proposed_by text not null,
    decided_by text,
    because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, import_id),
    constraint import_needs_two_people check (status <> 'posted' or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false)),
    constraint declined_import_has_its_reason check (status <> 'declined' or coalesce(because ~ '\S', false))
);
create unique index one_import_waits on registry.register_import (offering_id) where status = 'proposed';
call audit.keep('registry.register_import', 'register_import', 'import_id', 'offering_id', '{lines}');

create function registry.import_enters_an_empty_register() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' and (new.lines, new.file_sha256, new.authority_sha256, new.proposed_by)
        is distinct from (old.lines, old.file_sha256, old.authority_sha256, old.proposed_by) then
        raise exception using errcode = 'BR006', constraint = 'import_is_locked', message = format('%s is locked', old.import_id);
    end if;
    if new.status <> 'declined' and exists (select from registry.posting p where p.offering_id = new.offering_id) then
        raise exception using errcode = 'BR008', constraint = 'import_enters_an_empty_register',
            message = format('units are posted to %s', new.offering_id);
    end if;
    return new;
end $$;
create trigger import_enters_an_empty_register before insert or update on registry.register_import
    for each row execute function registry.import_enters_an_empty_register();
alter table registry.register_import enable always trigger import_enters_an_empty_register;

-- Lines are {security, investor, units, legend, acquired_on, period_from}.
create function registry.propose_import(p_actor text, p_request text, p_offering text, p_import text, p_said jsonb, p_lines jsonb)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.book_of(p_offering);
    insert into registry.register_import (offering_id, import_id, status, file_sha256, authority_sha256, authority_reference, lines,
        proposed_by)
    values (p_offering, p_import, 'proposed', decode(p_said ->> 'file_sha256', 'hex'),
        decode(p_said ->> 'authority_sha256', 'hex'), p_said ->> 'reference', p_lines, p_actor);
end $$;

create function registry.post_import(i registry.register_import) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    l record;
    movement text;
    taker text;
begin
    for l in select x.*, row_number() over (order by x.investor, x.security) as number from jsonb_to_recordset(i.lines)
        as x (security text, investor text, units bigint, legend text, acquired_on date, period_from date) loop
        movement := 'mov_' || substr(i.import_id, 5) || '.' || l.number;
        taker := registry.holding_for(i.offering_id, l.investor, 'hld_' || substr(movement, 5));
        insert into registry.movement (offering_id, movement_id, kind, to_holding_id, units, reference, is_tacked)
        values (i.offering_id, movement, 'import', taker, l.units, l.security, true);
        insert into registry.lot (offering_id, lot_id, holding_id, movement_id, units, legend, acquired_on, period_from)
        values (i.offering_id, 'lot_' || substr(movement, 5), taker, movement, l.units, l.legend, l.acquired_on, l.period_from);
        insert into registry.posting (offering_id, posting_id, holding_id, movement_id, units)
        values (i.offering_id, 'pst_' || substr(movement, 5), taker, movement, l.units);
        update registry.holding set units = units + l.units where offering_id = i.offering_id and holding_id = taker;
    end loop;
    update registry.control_book set issued_units = issued_units + (select sum(p.units) from registry.posting p
        where p.offering_id = i.offering_id) where offering_id = i.offering_id;
end $$;

-- A second person posts the whole of it, or declines it.
create function registry.decide_import(p_actor text, p_request text, p_offering text, p_import text, p_is_approved boolean,
    p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    i registry.register_import;
begin
    perform audit.enter(p_actor, p_request);
    perform registry.book_of(p_offering);
    update registry.register_import set status = case when p_is_approved then 'posted' else 'declined' end, decided_by = p_actor,
        because = p_because
    where offering_id = p_offering and import_id = p_import returning * into i;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'import_exists', message = format('there is no import %s', p_import);
    end if;
    if p_is_approved then
        perform registry.post_import(i);
    end if;
end $$;

-- The holders of a register with what an open file says of each; names stay with the portal.
create function registry.stakeholders(p_offering text) returns table (investor_id text, holding_id text, kind text,
    registration_fact text, registration_digest bytea)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return query select h.investor_id, h.holding_id, engine.profile_kind(h.investor_id), g.registration_fact, g.registration_digest
    from registry.holding h, lateral registry.registration_of(h.offering_id, h.holding_id, 'infinity') g where h.offering_id = p_offering order by h.investor_id;
end $$;

-- Whether the portal knows each of these, for a dry run.
create function registry.unknown_investors(p_investors text[]) returns setof text
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return query select i.id from unnest(p_investors) i (id) where engine.profile_kind(i.id) is null;
end $$;
