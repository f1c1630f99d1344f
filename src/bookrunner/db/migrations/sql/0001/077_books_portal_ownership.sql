-- What the signer of an entity states and certifies of its owners (31 CFR 1010.230(b)); people and shares stay out of events. Ids
-- of people, which their entity chooses, count within one statement: the compliance book gives each its own.

create table portal.ownership_statement (
    investor_id text not null,
    statement_id text not null,
    status text not null,
    account_id text not null,
    people jsonb not null,
    shares jsonb not null,
    certified_by text not null,
    certified_at timestamptz not null default clock_timestamp(),
    version bigint not null,
    chain_head bytea not null,
    primary key (investor_id, statement_id)
);
call audit.keep('portal.ownership_statement', 'ownership_statement', 'statement_id', 'investor_id', '{people,shares}');
create unique index one_ownership_statement_in_force on portal.ownership_statement (investor_id) where status = 'certified';

create view portal.ownership_claim as
select investor_id, statement_id, people, shares, certified_by, certified_at from portal.ownership_statement
where status = 'certified';

create view portal.ownership_fact as
select investor_id, statement_id, status, account_id, certified_by, certified_at, version, chain_head from portal.ownership_statement;

create view portal.account_fact as
select investor_id, account_id, kind, detail_version, version, chain_head from portal.profile;

create function portal.refuse_owners(p_rule text, p_detail text) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
    raise exception using errcode = 'BR008', constraint = p_rule, message = p_detail;
end $$;

-- Refuses a statement of owners that cannot be so. People have id, name, kind and controls; shares owned, owner and share_bp.
create function portal.check_owners(p_investor text, p_people jsonb, p_shares jsonb) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    known text[] := array(select p ->> 'id' from jsonb_array_elements(p_people) p);
    named text;
begin
    if cardinality(known) <> (select count(distinct k) from unnest(known) k) or p_investor = any (known)
        or exists (select from jsonb_array_elements(p_people) p where coalesce(p ->> 'name', '') !~ '\S'
            or coalesce(p ->> 'kind', '') not in ('person', 'entity')) then
        perform portal.refuse_owners('stated_owners_are_named_once', 'each owner has a name and an id of its own, and none is the entity itself');
    end if;
    if (select count(*) from jsonb_array_elements(p_people) p where (p ->> 'controls')::boolean and p ->> 'kind' = 'person') <> 1
        or (select count(*) from jsonb_array_elements(p_people) p where (p ->> 'controls')::boolean) <> 1 then
        perform portal.refuse_owners('one_control_person_is_stated', 'one person who controls the entity is stated');
    end if;
    select string_agg(distinct n.node, ', ') into named from jsonb_array_elements(p_shares) s,
        unnest(array[s ->> 'owner', nullif(s ->> 'owned', p_investor)]) n (node) where n.node <> all (known);
    if named is not null then
        perform portal.refuse_owners('stated_shares_are_of_stated_owners', format('not stated: %s', named));
    end if;
    select string_agg(o.owned, ', ') into named from (select s ->> 'owned' as owned from jsonb_array_elements(p_shares) s
        group by 1 having sum((s ->> 'share_bp')::bigint) > 10000 or count(*) <> count(distinct s ->> 'owner')
            or min((s ->> 'share_bp')::bigint) < 1) o;
    if named is not null then
        perform portal.refuse_owners('stated_owners_hold_at_most_the_whole', format('the owners of %s hold more than the whole', named));
    end if;
    with recursive above (start, node) as (
        select s ->> 'owned', s ->> 'owner' from jsonb_array_elements(p_shares) s
        union
        select a.start, s ->> 'owner' from above a join jsonb_array_elements(p_shares) s on s ->> 'owned' = a.node)
    select string_agg(distinct a.start, ', ') into named from above a where a.start = a.node;
    if named is not null then
        perform portal.refuse_owners('stated_owners_form_no_loop', format('a part of itself would belong to: %s', named));
    end if;
end $$;

-- The signer certifies who is behind an entity. Only an account with a recorded authority to certify may; a later statement
-- counts instead of an earlier one, so that two at once wait for each other.
create function portal.certify_ownership(p_actor text, p_request text, p_investor text, p_statement text, p_account text,
    p_people jsonb, p_shares jsonb, p_is_certified boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_authority(p_investor, p_account, 'certify');
    perform 1 from portal.profile where investor_id = p_investor and kind in ('entity', 'trust', 'nominee') for update;
    if not found then
        perform portal.refuse_owners('owners_are_stated_of_an_entity', format('%s is no entity', p_investor));
    end if;
    if p_is_certified is not true then
        perform portal.refuse_owners('ownership_is_certified', 'the signer certifies that the statement is complete and correct');
    end if;
    perform portal.check_owners(p_investor, p_people, p_shares);
    perform portal.require_unerased(p_investor);
    update portal.ownership_statement set status = 'superseded' where investor_id = p_investor and status = 'certified';
    insert into portal.ownership_statement (investor_id, statement_id, status, account_id, people, shares, certified_by)
    values (p_investor, p_statement, 'certified', p_account, p_people, p_shares, p_actor);
end $$;

-- Hands out the statement in force with its names; who looked, and why, is an event.
create function portal.view_ownership(p_actor text, p_request text, p_investor text, p_view text, p_purpose text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform portal.view_personal(p_actor, p_request, p_investor, (select p.detail_version from portal.profile p
        where p.investor_id = p_investor), p_view, p_purpose);
    return (select jsonb_build_object('statement', c.statement_id, 'people', c.people, 'shares', c.shares)
        from portal.ownership_claim c where c.investor_id = p_investor);
end $$;
