-- The owner role, one login for each keeper, and what they may do in this database. May be run again at any time,
-- and must be run in every copy of a database, because a copy does not inherit the rights on its original.

do $roles$
declare
    login text;
    logins constant text[] := array[
        'portal', 'compliance', 'subscription', 'treasury', 'registry',
        'engine', 'audit', 'reconciliation', 'workflow', 'issuer', 'access'
    ];
begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'bookrunner_owner') then
        create role bookrunner_owner nologin;
    end if;
    -- From 16 on the maker of a role administers it but may not act as it until he is granted it.
    if not (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
        execute pg_catalog.format('grant bookrunner_owner to %I', current_user);
    end if;

    execute pg_catalog.format('revoke all on database %I from public', pg_catalog.current_database());
    execute pg_catalog.format(
        'grant connect, create on database %I to bookrunner_owner', pg_catalog.current_database()
    );

    foreach login in array logins loop
        if not exists (select from pg_catalog.pg_roles where rolname = login) then
            execute pg_catalog.format('create role %I login noinherit', login);
        end if;
        execute pg_catalog.format('alter role %I noinherit nocreatedb nocreaterole', login);
        execute pg_catalog.format('revoke all on database %I from %I', pg_catalog.current_database(), login);
        execute pg_catalog.format('grant connect on database %I to %I', pg_catalog.current_database(), login);
        -- A day that a statement reads from the clock is the same in every session.
        execute pg_catalog.format('alter role %I set timezone = ''UTC''', login);
        execute pg_catalog.format('alter role %I set statement_timeout = ''60s''', login);
        execute pg_catalog.format('alter role %I set lock_timeout = ''10s''', login);
        -- What a dead client had asked for ends soon, and lets go of what it had locked.
        execute pg_catalog.format('alter role %I set client_connection_check_interval = ''1s''', login);
        -- A plan made while a table is small stays in use while it grows: it must not be a scan of the whole.
        execute pg_catalog.format('alter role %I set random_page_cost = 1.1', login);
        execute pg_catalog.format('alter role %I set idle_in_transaction_session_timeout = ''60s''', login);
        -- The server's log would quote the row of a broken constraint; whoever asked hears of the error and tells it without.
        if (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
            execute pg_catalog.format('alter role %I set log_min_messages = ''log''', login);
        end if;
    end loop;

    -- The workflow engine polls and listens; it bounds its own steps.
    alter role workflow reset statement_timeout;
end
$roles$;

revoke all on schema public from public;
grant usage, create on schema public to bookrunner_owner;

alter default privileges for role bookrunner_owner revoke all on functions from public;
