-- name: picture_statement$
-- The statement that counts and digests every row of every table of every schema, whatever tables there are.
select string_agg(format(
    'select %L as name, count(*) as rows, md5(coalesce(string_agg(md5(t::text), '''' order by md5(t::text)), '''')) as digest from %I.%I t',
    n.nspname || '.' || c.relname, n.nspname, c.relname), ' union all ' order by n.nspname, c.relname)
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname not like 'pg\_%' and n.nspname <> 'information_schema';
