-- name: setting(name)$
-- The value of one server setting as this session sees it.
select current_setting(:name);

-- name: server_version()$
-- The version without the packager's suffix, such as 15.18.
select split_part(current_setting('server_version'), ' ', 1);

-- name: lax_host_rules()$
-- How many lines of pg_hba.conf let somebody in without a scram password.
select count(*) from pg_hba_file_rules where auth_method is distinct from 'scram-sha-256';

-- name: database_exists(name)$
-- Whether a database of this name exists.
select exists (select from pg_database where datname = :name);

-- name: create_statement(name, template)$
-- The statement that makes a database, its names quoted by the server.
select format('create database %I template %I strategy file_copy', :name::text, :template::text);

-- name: admission_statement(name, template)$
-- The statements that open a copy to whom its original is open: no copy inherits the rights on a database.
select concat_ws('; ', format('revoke all on database %I from public', :name::text),
    string_agg(format('grant %s on database %I to %I', a.privilege_type, :name::text, r.rolname), '; '))
from pg_catalog.pg_database d cross join pg_catalog.aclexplode(d.datacl) a join pg_catalog.pg_roles r on r.oid = a.grantee
where d.datname = :template;

-- name: drop_statement(name)$
-- The statement that drops a database and ends its sessions.
select format('drop database if exists %I with (force)', :name::text);

-- name: password_statement(login, verifier)$
-- The statement that gives a login its password, of which the server sees only the scram verifier.
select format('alter role %I password %L', :login::text, :verifier::text);

-- name: migration_heads()
-- The migrations that this database has reached.
select version_num from public.alembic_version order by version_num;

-- name: is_migrated()$
-- Whether any migration ever ran here.
select to_regclass('public.alembic_version') is not null;

-- name: close_side_doors#
-- Nobody but the administrator enters the databases that come with the server.
revoke all on database postgres from public;
revoke all on database template1 from public;

-- name: lock_migrations()$
-- Waits until no other deployment migrates this database; the lock ends with the session.
select pg_advisory_lock(hashtext('bookrunner migrations'))::text;

-- name: note_traces(actors, requests, trace)$
-- Notes under which trace these requests write.
select audit.note_traces(:actors::text[], :requests::text[], :trace::text);
