-- Who is behind an entity: shares as a graph, effective shares through layers, the people who must be known.

-- One share of one thing in the graph of an investor; the investor itself is the root.
create table compliance.ownership_share (
    investor_id text not null,
    share_id text not null,
    owned_id text not null,
    owner_id text not null,
    share_bp integer not null constraint share_is_within_the_whole check (share_bp between 0 and 10000),
    status text not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (investor_id, share_id),
    constraint owner_is_another_than_the_owned check (owner_id <> owned_id and owner_id <> investor_id)
);

create unique index one_share_between_two on compliance.ownership_share (investor_id, owned_id, owner_id)
    where status = 'held';
create index share_of_owner on compliance.ownership_share (owner_id);
call audit.keep('compliance.ownership_share', 'ownership_share', 'share_id', 'investor_id');

-- Shares of one thing are at most the whole, and no chain of owners comes back to where it began.
create function compliance.shares_stand() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.status <> 'held' then
        return null;
    end if;
    if (select sum(s.share_bp) from compliance.ownership_share s where s.investor_id = new.investor_id
        and s.owned_id = new.owned_id and s.status = 'held') > 10000 then
        raise exception using errcode = 'BR008', constraint = 'owners_hold_at_most_the_whole',
            message = format('the owners of %s would hold more than the whole', new.owned_id);
    end if;
    if exists (
        with recursive above as (
            select new.owner_id as node
            union
            select s.owner_id from above a join compliance.ownership_share s
                on s.investor_id = new.investor_id and s.owned_id = a.node and s.status = 'held')
        select from above where node = new.owned_id) then
        raise exception using errcode = 'BR008', constraint = 'ownership_has_no_cycle',
            message = format('%s would own a part of itself through %s', new.owned_id, new.owner_id);
    end if;
    return null;
end $$;

create trigger shares_stand after insert or update on compliance.ownership_share
    for each row execute function compliance.shares_stand();
alter table compliance.ownership_share enable always trigger shares_stand;

-- The share of each owner in the whole investor, exact, in basis points: multiplied along a path, added over paths.
create function compliance.effective_shares(p_investor text) returns table (owner_id text, share_bp numeric)
language plpgsql stable rows 5 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    return query
    with recursive path as (
        select s.owner_id, s.share_bp::numeric as share_bp from compliance.ownership_share s
        where s.investor_id = p_investor and s.owned_id = p_investor and s.status = 'held'
        union all
        select s.owner_id, p.share_bp * s.share_bp * 0.0001 from path p join compliance.ownership_share s
            on s.investor_id = p_investor and s.owned_id = p.owner_id and s.status = 'held')
    select p.owner_id, trim_scale(sum(p.share_bp)) from path p group by p.owner_id;
end $$;

-- The ids of the people behind an investor, and nothing else of them. Hardly any natural person has one: whose shares are to
-- be followed is looked up first.
create function compliance.owners_behind(p_investor text) returns setof text
language plpgsql stable rows 2 set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from compliance.beneficial_owner o where o.investor_id = p_investor and o.status <> 'former') then
        return;
    end if;
    return query
    select o.owner_id from compliance.beneficial_owner o left join compliance.effective_shares(p_investor) e using (owner_id)
    where o.investor_id = p_investor and o.status <> 'former' and (o.controls or coalesce(e.share_bp, 0) >=
        compliance.rule_value('us.cdd.owner_threshold', clock_timestamp()));
end $$;

-- The owners at or above the threshold and the control person, with what each of them lacks. An entity in
-- between stands verified when its schedule of owners is certified.
create function compliance.people_behind(p_investor text) returns table (owner_id text, kind text, share_bp numeric,
    controls boolean, status text, lacks text[], since timestamptz)
language plpgsql stable rows 5 set search_path = pg_catalog, pg_temp as $$
#variable_conflict use_column
begin
    return query
    select o.owner_id, o.kind, coalesce(e.share_bp, 0), o.controls, o.status,
        array_remove(array[
            case when o.status = 'unidentified' then 'identified' end,
            case when o.status <> 'verified' then 'verified' end,
            case when not compliance.is_screened(o.owner_id) then 'screened' end,
            case when compliance.is_hit(o.owner_id) then 'clear' end], null),
        o.changed_at
    from compliance.beneficial_owner o left join compliance.effective_shares(p_investor) e using (owner_id)
    where o.investor_id = p_investor and o.status <> 'former' and o.owner_id in (select compliance.owners_behind(p_investor))
    order by e.share_bp desc nulls last, o.owner_id;
end $$;

-- What is blocked behind an investor: owners with a confirmed match, and whatever blocked owners hold half of or more in
-- sum, layer by layer, the investor included. A blocked entity counts with its whole stake, so shares are added here and
-- not multiplied (OFAC's 50 percent rule); an owner far below the threshold of people_behind counts too.
create function compliance.blocked_behind(p_investor text) returns text[]
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    blocked text[] := array(select o.owner_id from compliance.beneficial_owner o
        where o.investor_id = p_investor and o.status <> 'former' and exists (select from compliance.hit h
            where h.subject_id = o.owner_id and h.status in ('confirmed', 'release_proposed')));
    found text[] := blocked;
begin
    while found <> '{}' loop
        found := array(select s.owned_id from compliance.ownership_share s
            where s.investor_id = p_investor and s.status = 'held' and s.owner_id = any (blocked) and s.owned_id <> all (blocked)
            group by s.owned_id
            having sum(s.share_bp) >= compliance.rule_value('us.ofac.owned_by_blocked', clock_timestamp()));
        blocked := blocked || found;
    end loop;
    return blocked;
end $$;

-- "1 of 4 people missing", as numbers.
create function compliance.people_missing(p_investor text) returns table (missing bigint, people bigint)
language sql stable rows 1 set search_path = pg_catalog, pg_temp
begin atomic
    select count(*) filter (where b.lacks <> '{}'), count(*) from compliance.people_behind(p_investor) b;
end;

-- How many layers of owners stand behind an investor.
create function compliance.layers(p_investor text) returns integer
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with recursive layer as (
        select s.owner_id, 1 as depth from compliance.ownership_share s
        where s.investor_id = p_investor and s.owned_id = p_investor and s.status = 'held'
        union
        select s.owner_id, l.depth + 1 from layer l join compliance.ownership_share s
            on s.investor_id = p_investor and s.owned_id = l.owner_id and s.status = 'held')
    select coalesce(max(l.depth), 0) from layer l;
end;

-- Whether a share may be added: the entity has a case, and both ends are known.
create function compliance.add_share(p_investor text, p_share text, p_owned text, p_owner text, p_share_bp integer)
returns void language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    -- One declaration at a time, so that two cannot close a cycle together.
    perform compliance.found_case(p_investor);
    if exists (select from unnest(array[p_owned, p_owner]) n (node) where n.node <> p_investor
        and not exists (select from compliance.beneficial_owner o
            where o.investor_id = p_investor and o.owner_id = n.node and o.status <> 'former')) then
        raise exception using errcode = 'BR404', constraint = 'both_ends_of_a_share_are_known',
            message = format('%s or %s is not known behind %s', p_owned, p_owner, p_investor);
    end if;
    insert into compliance.ownership_share (investor_id, share_id, owned_id, owner_id, share_bp, status)
    values (p_investor, p_share, p_owned, p_owner, p_share_bp, 'held');
    if compliance.layers(p_investor) > 2 then
        perform compliance.rate(p_investor, '{"ownership": "complex"}');
    end if;
end $$;

-- Names an owner behind an entity with its direct share. Without evidence of who it is, the owner stands as
-- unidentified; kind is person or entity.
create function compliance.declare_owner(p_actor text, p_request text, p_investor text, p_owner text,
    p_share_bp integer, p_controls boolean, p_is_identified boolean, p_kind text default 'person') returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if p_owner = p_investor then
        raise exception using errcode = 'BR008', constraint = 'owner_is_another_than_the_owned',
            message = format('%s cannot own itself', p_investor);
    end if;
    insert into compliance.beneficial_owner (investor_id, owner_id, kind, status, share_bp, controls)
    values (p_investor, p_owner, p_kind, case when p_is_identified then 'identified' else 'unidentified' end,
        p_share_bp, p_controls);
    if p_share_bp > 0 then
        perform compliance.add_share(p_investor, 'shr_' || p_owner, p_investor, p_owner, p_share_bp);
    end if;
    perform compliance.compute(p_investor);
end $$;

-- Records that one known owner holds a part of another, or of the investor.
create function compliance.declare_share(p_actor text, p_request text, p_investor text, p_share text, p_owned text,
    p_owner text, p_share_bp integer) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.add_share(p_investor, p_share, p_owned, p_owner, p_share_bp);
    perform compliance.compute(p_investor);
end $$;

create function compliance.end_share(p_actor text, p_request text, p_investor text, p_share text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update compliance.ownership_share set status = 'ended' where investor_id = p_investor and share_id = p_share;
    perform compliance.compute(p_investor);
end $$;

create function compliance.verify_owner(p_actor text, p_request text, p_investor text, p_owner text,
    p_evidence_sha256 bytea, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, 'verified', array[p_investor, p_owner], (select version from compliance.beneficial_owner
        where investor_id = p_investor and owner_id = p_owner for update), p_seen);
    update compliance.beneficial_owner set status = 'identified', changed_at = clock_timestamp()
    where investor_id = p_investor and owner_id = p_owner and status = 'unidentified';
    update compliance.beneficial_owner set status = 'verified', evidence_sha256 = p_evidence_sha256,
        changed_at = clock_timestamp()
    where investor_id = p_investor and owner_id = p_owner and status = 'identified';
    if not found then
        raise exception using errcode = 'BR404', constraint = 'owner_waits_for_verification',
            message = format('no owner %s of %s waits for verification', p_owner, p_investor);
    end if;
    perform compliance.compute(p_investor);
end $$;

-- An owner is doubted again, one step back; or has gone, and the shares it held end with it.
create function compliance.doubt_owner(p_actor text, p_request text, p_investor text, p_owner text, p_seen bigint,
    p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, p_because, array[p_investor, p_owner], (select version from compliance.beneficial_owner
        where investor_id = p_investor and owner_id = p_owner for update), p_seen);
    update compliance.beneficial_owner set decided_because = p_because, changed_at = clock_timestamp(),
        status = case status when 'verified' then 'identified' else 'unidentified' end
    where investor_id = p_investor and owner_id = p_owner;
    perform compliance.compute(p_investor);
end $$;

create function compliance.end_owner(p_actor text, p_request text, p_investor text, p_owner text, p_seen bigint,
    p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, p_because, array[p_investor, p_owner], (select version from compliance.beneficial_owner
        where investor_id = p_investor and owner_id = p_owner for update), p_seen);
    update compliance.ownership_share set status = 'ended'
    where investor_id = p_investor and owner_id = p_owner and status = 'held';
    update compliance.beneficial_owner set status = 'former', decided_because = p_because, changed_at = clock_timestamp()
    where investor_id = p_investor and owner_id = p_owner;
    perform compliance.compute(p_investor);
end $$;

create view compliance.ownership_chart as
select s.investor_id, s.share_id, s.owned_id, s.owner_id, s.share_bp, o.kind, o.controls, o.status
from compliance.ownership_share s join compliance.beneficial_owner o using (investor_id, owner_id)
where s.status = 'held';
