-- Owners as their entity's signer certified them, taken into the record by an officer, who then verifies each.

create table compliance.ownership_taken (
    investor_id text not null,
    statement_id text not null,
    taken_by text not null,
    because text not null,
    taken_at timestamptz not null default clock_timestamp(),
    constraint ownership_statement_is_taken_once primary key (investor_id, statement_id)
);
call audit.append_only('compliance.ownership_taken');

-- Declares everybody whom the statement in force names, unidentified as yet, and their shares. Owners of an earlier statement
-- are ended first, each for its reason. Returns the id that each got.
create function compliance.take_ownership(p_actor text, p_request text, p_investor text, p_statement text, p_because text)
returns jsonb language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c record;
    p jsonb;
    s jsonb;
    direct integer;
    ids jsonb;
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.by_a_person(p_actor, p_because);
    select x.* into c from portal.ownership_claim x where x.investor_id = p_investor and x.statement_id = p_statement;
    if not found then
        raise exception using errcode = 'BR412', constraint = 'ownership_statement_is_in_force',
            message = format('%s is not the statement of %s in force', p_statement, p_investor);
    end if;
    insert into compliance.ownership_taken (investor_id, statement_id, taken_by, because)
    values (p_investor, p_statement, p_actor, p_because);
    if exists (select from compliance.beneficial_owner where investor_id = p_investor and status <> 'former') then
        raise exception using errcode = 'BR008', constraint = 'owners_stated_before_are_ended',
            message = format('owners of an earlier statement still stand behind %s', p_investor);
    end if;
    select jsonb_object_agg(x ->> 'id', 'own_' || left(encode(sha256(convert_to(p_statement || '/' || (x ->> 'id'), 'UTF8')), 'hex'), 26))
    into ids from jsonb_array_elements(c.people) x;
    for p in select x from jsonb_array_elements(c.people) x loop
        select (x ->> 'share_bp')::integer into direct from jsonb_array_elements(c.shares) x
        where x ->> 'owned' = p_investor and x ->> 'owner' = p ->> 'id';
        perform compliance.declare_owner(p_actor, p_request, p_investor, ids ->> (p ->> 'id'), coalesce(direct, 0),
            coalesce((p ->> 'controls')::boolean, false), false, p ->> 'kind');
    end loop;
    for s in select x from jsonb_array_elements(c.shares) x where x ->> 'owned' <> p_investor loop
        perform compliance.declare_share(p_actor, p_request, p_investor, 'shr_' || (ids ->> (s ->> 'owner')) || '_' || right(ids ->> (s ->> 'owned'), 8),
            ids ->> (s ->> 'owned'), ids ->> (s ->> 'owner'), (s ->> 'share_bp')::integer);
    end loop;
    return ids;
end $$;
