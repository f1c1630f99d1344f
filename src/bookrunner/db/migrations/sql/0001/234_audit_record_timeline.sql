-- What the books have of one person: the records that name them, and those that name such a record.

-- The records of a person, each with the last version that its row or an event of it has. A record is the person's by its scope, or
-- where its row or one of its events names the person, an investment of theirs, or a receipt, transfer or trade that is theirs; what
-- a receipt was divided into is theirs with it.
create function audit.records_of(p_person text) returns table (scope text, subject text, version bigint)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
declare
    keys constant text[] := '{investor_id,investment_id,seller_id,buyer_id,matched_with,receipt_id,root_id,request_id,trade_id}';
    names text[] := array[p_person] || array(select i.investment_id from engine.investment i where i.investor_id = p_person)
        || array(select distinct r.root_id from treasury.receipt r join engine.investment i using (offering_id, investment_id)
            where i.investor_id = p_person and r.root_id is not null);
    scopes text[];
    rows_of text := (
        select string_agg(format('select r.%1$I as scope, r.%2$I as subject, r.version from %3$s r where r.%1$I = any ($1) or r.%2$I = any ($1)%4$s',
            k.scope_column, k.id_column, k.target, (
                select string_agg(format(' or r.%I = any ($1)', a.attname), '') from pg_attribute a
                where a.attrelid = k.target and a.attname = any (keys) and a.atttypid = 'text'::regtype)), ' union all ')
        from audit.kept_table k);
    known record;
begin
    execute 'select array_agg(distinct x.scope) as scopes, array_agg(distinct x.subject) as subjects from (' || rows_of || ') x'
    into known using names;
    scopes := array[p_person] || known.scopes;
    names := names || known.subjects;
    select array_agg(t.scope) as scopes, array_agg(t.subject) as subjects, array_agg(t.version) as versions into known from (
        select e.scope, e.subject, max(e.version) as version from audit.event e
        cross join lateral (select audit.payload_of(e.canonical) as says offset 0) p
        where e.scope = any (scopes) and (e.scope = p_person or e.subject = any (names)
            or exists (select from unnest(keys) k (name) where p.says ->> k.name = any (names)))
        group by e.scope, e.subject
        union all
        select f.scope, f.subject, max(f.version) from audit.feed f where f.scope = p_person group by f.scope, f.subject) t;
    names := names || known.subjects;
    return query execute 'select x.scope, x.subject, max(x.version) from (' || rows_of || ' union all
        select t.scope, t.subject, t.version from unnest($2, $3, $4) t (scope, subject, version)) x
        where x.scope = any ($5) group by x.scope, x.subject'
    using names, known.scopes, known.subjects, known.versions, scopes;
end $$;

-- Which versions of a person's records are missing among the events: between them, after the last, or all. What is there is said by
-- the record itself and by the feed.
create function audit.gaps_of(p_person text) returns table (scope text, subject text, lacks text)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with known as materialized (
        select r.scope, r.subject, greatest(r.version, max(f.version)) as version
        from audit.records_of(p_person) r left join audit.feed f on f.scope = r.scope and f.subject = r.subject
        group by r.scope, r.subject, r.version),
    there as (
        select k.scope, k.subject, e.version from known k join audit.event e on e.scope = k.scope and e.subject = k.subject
        union all
        select k.scope, k.subject, k.version + 1 from known k),
    followed as (
        select t.scope, t.subject, t.version, lag(t.version, 1, 0::bigint) over (partition by t.scope, t.subject order by t.version) as was
        from there t)
    select f.scope, f.subject, (f.was + 1) || ' to ' || (f.version - 1)
    from followed f where f.version > f.was + 1 order by f.scope, f.subject, f.version;
end;
