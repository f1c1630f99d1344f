-- Append-only events with a hash chain per subject, and the one trigger that guards every state machine.

create schema audit;

create table audit.event (
    scope text not null,
    subject text not null,
    version bigint not null,
    kind text not null,
    keeper text not null,
    actor text not null,
    request_id text not null,
    occurred_at timestamptz not null,
    recorded_at timestamptz not null,
    caused_by text,
    canonical text not null,
    prev_hash bytea not null,
    hash bytea not null,
    primary key (scope, subject, version)
);

-- Nobody searches by them, and counting their values is most of what an analysis of this table costs.
alter table audit.event alter canonical set statistics 0, alter prev_hash set statistics 0, alter hash set statistics 0;

-- The relay turns these rows into the public feed after the commit; nothing here may ever conflict.
create table audit.outbox (
    outbox_id bigint generated always as identity primary key,
    scope text not null,
    subject text not null,
    version bigint not null
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);

create table audit.feed (
    seq bigint primary key,
    scope text not null,
    subject text not null,
    version bigint not null,
    published_at timestamptz not null default clock_timestamp()
);

create table audit.relay (
    relay text primary key,
    last_seq bigint not null
);

insert into audit.relay (relay, last_seq) values ('feed', 0), ('seal', 0);

create table audit.seal (
    seal_no bigint primary key,
    first_seq bigint not null,
    last_seq bigint not null,
    leaf_count bigint not null check (leaf_count > 0),
    prev_root bytea not null,
    root bytea not null unique,
    sealed_at timestamptz not null default clock_timestamp()
);

create table audit.seal_leaf (
    seal_no bigint not null references audit.seal,
    scope text not null,
    subject text not null,
    version bigint not null,
    head bytea not null,
    primary key (seal_no, scope, subject)
);

create table audit.anchor (
    seal_no bigint not null references audit.seal,
    chain_id bigint not null,
    transaction_hash bytea not null,
    anchored_at timestamptz not null default clock_timestamp(),
    primary key (seal_no, chain_id)
);

-- What a reaction saw, decided and did, once per event and consumer.
create table audit.reaction (
    consumer text not null,
    scope text not null,
    subject text not null,
    version bigint not null,
    result text not null check (result in ('done', 'not_applicable', 'refused', 'failed')),
    detail text not null default '',
    reacted_at timestamptz not null default clock_timestamp(),
    primary key (consumer, scope, subject, version)
);

-- Who answers which event: the login that may take an event of this kind for this consumer.
create table audit.answering (
    consumer text not null,
    kind text not null,
    keeper text not null,
    primary key (consumer, kind)
);

-- An idempotency key of one actor and its answer, written in the transaction of the effect. The digest of the body is keyed, so
-- that it tells nothing of what a body said.
create table audit.request (
    keeper text not null,
    actor text not null,
    request_id text not null,
    body_sha256 bytea not null,
    answer json not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (keeper, actor, request_id)
);

-- Signed messages from outside, kept as they came; the same id has one effect.
create table audit.inbox (
    provider text not null,
    message_id text not null,
    body bytea not null,
    body_sha256 bytea not null,
    key_id text not null,
    received_at timestamptz not null default clock_timestamp(),
    primary key (provider, message_id)
);

-- Acts that a gate turned away; the act itself left no trace in any book.
create table audit.refusal (
    refusal_id bigint generated always as identity primary key,
    scope text not null,
    subject text not null,
    act text not null,
    rule text not null,
    missing jsonb not null,
    keeper text not null default session_user,
    actor text not null,
    request_id text not null,
    refused_at timestamptz not null default clock_timestamp()
);

create function audit.history_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception using errcode = 'BR003', constraint = 'history_is_append_only',
        message = format('%s on %s.%s is refused: history is append only', tg_op, tg_table_schema, tg_table_name);
end $$;

-- Makes a table append only, also for its owner and for a restored copy.
create procedure audit.append_only(target regclass)
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    execute format('create trigger aa_append_only before update or delete on %s
        for each row execute function audit.history_stands()', target);
    execute format('create trigger aa_append_only_truncate before truncate on %s
        for each statement execute function audit.history_stands()', target);
    execute format('alter table %s enable always trigger aa_append_only', target);
    execute format('alter table %s enable always trigger aa_append_only_truncate', target);
end $$;

-- Events come from the guard of the row that they tell of, never by themselves, a tool proposes what a person confirms, and a delegate
-- stays within its scope, whichever verb it calls and by whatever login. One trigger without a condition, and no check of the table: PostgreSQL reads and
-- plans each of them anew for each statement.
create function audit.event_is_told_by_its_row() returns trigger
language plpgsql as $$
begin
    if pg_catalog.pg_trigger_depth() > 1 and not pg_catalog.starts_with(new.actor, 'key:tool-')
        and not pg_catalog.starts_with(new.actor, 'client:tool-') then
        if pg_catalog.strpos(new.actor, 'dlg_') > 0 or pg_catalog.starts_with(new.actor, 'delegate:') then
            perform engine.require_delegation(new.actor, new.kind, new.scope, new.subject, audit.payload_of(new.canonical));
        end if;
        return new;
    end if;
    if pg_catalog.pg_trigger_depth() > 1 then
        raise exception using errcode = 'check_violation', constraint = 'a_tool_changes_no_record',
            message = 'a tool proposes what a person confirms';
    end if;
    raise exception using errcode = 'BR003', constraint = 'event_is_told_by_its_row',
        message = pg_catalog.format('an event of %s is written by the guard of its row alone', new.subject);
end $$;

create trigger aa_told_by_its_row before insert on audit.event
    for each row execute function audit.event_is_told_by_its_row();
alter table audit.event enable always trigger aa_told_by_its_row;

call audit.append_only('audit.event');
call audit.append_only('audit.feed');
call audit.append_only('audit.seal');
call audit.append_only('audit.seal_leaf');
call audit.append_only('audit.anchor');
call audit.append_only('audit.reaction');
call audit.append_only('audit.answering');
call audit.append_only('audit.request');
call audit.append_only('audit.inbox');
call audit.append_only('audit.refusal');

-- RFC 8785: keys sorted, no spaces. Numbers are whole and within 2^53, so no number has two spellings.
create function audit.canonical(value jsonb) returns text
language plpgsql immutable strict set search_path = pg_catalog, pg_temp as $$
begin
    case jsonb_typeof(value)
    when 'object' then
        return '{' || coalesce((
            select string_agg(to_json(e.key)::text || ':' || audit.spelled(e.value), ',' order by e.key collate "C")
            from jsonb_each(value) e), '') || '}';
    when 'array' then
        return '[' || coalesce((
            select string_agg(audit.canonical(e.value), ',' order by e.ordinality)
            from jsonb_array_elements(value) with ordinality e(value, ordinality)), '') || ']';
    when 'number' then
        if (value::numeric) <> trunc(value::numeric) or abs(value::numeric) > 9007199254740991 then
            raise exception using errcode = 'BR005', constraint = 'numbers_are_whole_and_exact',
                message = 'a number in an event is a whole number within 2^53, or a string';
        end if;
        return trunc(value::numeric)::text;
    else
        return value::text;
    end case;
end $$;

-- What most values are in RFC 8785: their own text. The rest goes the long way. Without a search path of its own and not
-- strict, so that the planner can write it into a query.
create function audit.spelled(value jsonb) returns text
language sql immutable
return case when jsonb_typeof(value) in ('string', 'boolean', 'null')
        or jsonb_typeof(value) = 'number' and length(value::text) < 16 and strpos(value::text, '.') = 0
    then value::text else audit.canonical(value) end;

-- What an event tells, null where its text is none any more: damage is a finding and stops no reader.
create function audit.payload_of(p_canonical text) returns jsonb
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
    return p_canonical::jsonb -> 'payload';
exception when data_exception then
    return null;
end $$;

-- Without a search path of its own, so that the planner can write it into a query. A verb calls it under the verb's own
-- path, and a function in pg_temp is never found by its bare name.
create function audit.instant(moment timestamptz) returns text
language sql stable strict parallel safe
return to_char(moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');

-- Like audit.instant; stable and not more, because that is what convert_to calls itself.
create function audit.genesis(subject text) returns bytea
language sql stable strict
return sha256(convert_to('bookrunner/genesis/1/' || subject, 'UTF8'));

-- Who is behind an actor: at the pages and the API a key or a client stands for its name, and one of an account, NAME~LABEL,
-- for the account's; who acts for another, delegate:NAME:PRINCIPAL, is itself. Every rule that asks for two people compares these and never the actors themselves.
create function audit.person_of(p_actor text) returns text
language sql immutable parallel safe set search_path = pg_catalog, pg_temp
return case when starts_with(p_actor, 'key:') or starts_with(p_actor, 'client:') or starts_with(p_actor, 'delegate:')
    then split_part(split_part(p_actor, ':', 2), '~', 1) else p_actor end;

-- Names who writes and why, for this transaction; each verb calls it first. It and what follows on every write run under
-- the search path of the verb: one of their own would be set and reset at each call.
create function audit.enter(p_actor text, p_request text) returns void
language plpgsql as $$
begin
    if coalesce(p_actor, '') = '' or coalesce(p_request, '') = '' then
        raise exception using errcode = 'BR001', constraint = 'write_names_actor_and_request',
            message = 'a write names its actor and its request';
    end if;
    -- Assigned and not performed: an assignment starts no query.
    p_actor := set_config('bookrunner.actor', p_actor, true);
    p_request := set_config('bookrunner.request', p_request, true);
end $$;

-- Says which event made the following writes happen, and when the world saw it.
create function audit.because(p_event text, p_occurred_at timestamptz default null) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('bookrunner.cause', coalesce(p_event, ''), true),
           set_config('bookrunner.occurred_at', coalesce(audit.instant(p_occurred_at), ''), true);
end;

-- The RFC 8785 text of a column of a kind, as an expression: most values are what they are, the rest goes the long way.
create function audit.spelling(p_kind regtype, p_reads text) returns text
language sql immutable set search_path = pg_catalog, pg_temp
return case
    when p_kind = any ('{text,boolean,date,timestamptz,bytea}'::regtype[]) then format('to_json(%s)::text', p_reads)
    when p_kind = any ('{integer,smallint}'::regtype[]) then format('%s::text', p_reads)
    when p_kind = 'bigint'::regtype then format('case when %1$s between -9007199254740991 and 9007199254740991 then %1$s::text'
        ' else audit.canonical(to_jsonb(%1$s)) end', p_reads)
    else format('audit.canonical(to_jsonb(%s))', p_reads) end;

-- Writes what the guard asks of the rows of a table: audit.subject_of(row) and audit.scope_of(row), and audit.told(before, after),
-- the columns that differ as canonical text. Single expressions without a search path, so that the planner can write them into the guard. A table that gains a column
-- is told anew.
create procedure audit.tell(target regclass, id_column text, scope_column text, private text[])
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    told text[] := array(select a.attname from pg_attribute a
        where a.attrelid = target and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
            and a.attname <> all (array['version', 'chain_head'] || private));
begin
    execute format('create or replace function audit.subject_of(r %1$s) returns text language sql immutable return r.%2$I',
        target, id_column);
    execute format('create or replace function audit.scope_of(r %1$s) returns text language sql immutable return r.%2$I',
        target, scope_column);
    execute format('create or replace function audit.told(o %1$s, n %1$s) returns text language sql stable
        return ''{'' || concat_ws('','', %2$s) || ''}''', target, (
        select string_agg(format('case when n.%1$I is distinct from o.%1$I then %2$L || coalesce(%3$s, ''null'') end', a.attname,
                to_json(a.attname) || ':', audit.spelling(a.atttypid::regtype, format('n.%I', a.attname))),
            ', ' order by a.attname collate "C")
        from pg_attribute a where a.attrelid = target and a.attname = any (told)));
end $$;

-- Guards one row of a state machine: the move is listed for this login, the keys stand, the chain grows by one event.
-- Arguments: machine, id column, scope column, columns that stay out of events; audit.tell has written the last three into
-- functions. What a row needs is expressions, which stay prepared through a transaction; each of the three queries starts anew
-- for it. An expression is prepared when it first runs, so that the long ones are kept out of the way of a plain move, in which
-- the row is but for its status the same, byte for byte.
create function audit.guard() returns trigger
language plpgsql as $$
declare
    was text := '';
    subject_id text := audit.subject_of(new);
    scope_id text := audit.scope_of(new);
    previous bytea;
    moved constant text := new.status;
    is_plain boolean := false;
    actor text := current_setting('bookrunner.actor', true);
    request text := current_setting('bookrunner.request', true);
    cause text := nullif(current_setting('bookrunner.cause', true), '');
    recorded timestamptz := clock_timestamp();
    written text := audit.instant(recorded);
    occurred timestamptz := coalesce(nullif(current_setting('bookrunner.occurred_at', true), '')::timestamptz, recorded);
    told text;
    event_kind text;
    canon text;
begin
    if coalesce(actor, '') = '' or coalesce(request, '') = '' then
        raise exception using errcode = 'BR001', constraint = 'write_names_actor_and_request',
            message = 'a write names its actor and its request';
    end if;
    if tg_op = 'UPDATE' then
        was := old.status;
        previous := old.chain_head;
    end if;
    if previous is null then
        previous := audit.genesis(subject_id);
        new.version := 1;
        told := audit.told(case when false then new end, new);
    else
        if moved <> was then
            new.status := was;
            is_plain := old *= new;
            new.status := moved;
        end if;
        if is_plain then
            told := '{"status":' || to_json(moved) || '}';
        elsif audit.subject_of(old) is distinct from subject_id or audit.scope_of(old) is distinct from scope_id then
            raise exception using errcode = 'BR004', constraint = 'keys_never_change',
                message = format('the key of %s never changes', audit.subject_of(old));
        else
            told := audit.told(old, new);
        end if;
        new.version := old.version + 1;
    end if;
    select t.machine || '.' || t.trigger into event_kind from engine.transition t
    where t.machine = tg_argv[0] and t.from_state = was and t.to_state = moved and t.role = session_user;
    if not found then
        raise exception using errcode = 'BR002', constraint = 'transition_is_listed_for_the_keeper',
            message = format('%s: %s may not move %s from "%s" to "%s"', tg_argv[0], session_user, subject_id, was, moved);
    end if;
    canon := format('{"actor":%s,"caused_by":%s,"keeper":%s,"kind":"%s","occurred_at":"%s","payload":%s,"recorded_at":"%s",'
        '"request_id":%s,"scope":%s,"subject":%s,"version":%s}',
        to_json(actor), coalesce(to_json(cause), 'null'), to_json(session_user::text), event_kind,
        case when occurred = recorded then written else audit.instant(occurred) end, told, written, to_json(request), to_json(scope_id),
        to_json(subject_id), new.version);
    new.chain_head := sha256(previous || convert_to(canon, 'UTF8'));
    insert into audit.event (scope, subject, version, kind, keeper, actor, request_id, occurred_at, recorded_at,
        caused_by, canonical, prev_hash, hash)
    values (scope_id, subject_id, new.version, event_kind, session_user, actor, request, occurred, recorded,
        cause, canon, previous, new.chain_head);
    insert into audit.outbox (scope, subject, version) values (scope_id, subject_id, new.version);
    return new;
end $$;

create function audit.never_deleted() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception using errcode = 'BR003', constraint = 'records_are_never_deleted',
        message = format('%s on %s.%s is refused: a record is never deleted', tg_op, tg_table_schema, tg_table_name);
end $$;

-- Puts a table under its state machine.
create procedure audit.keep(target regclass, machine text, id_column text, scope_column text, private text[] default '{}')
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    call audit.tell(target, id_column, scope_column, private);
    execute format('create trigger zz_guard before insert or update on %s for each row
        execute function audit.guard(%L, %L, %L, %L)', target, machine, id_column, scope_column, private::text);
    execute format('create trigger aa_never_deleted before delete on %s for each row
        execute function audit.never_deleted()', target);
    execute format('create trigger aa_never_truncated before truncate on %s for each statement
        execute function audit.never_deleted()', target);
    execute format('alter table %s enable always trigger zz_guard', target);
    execute format('alter table %s enable always trigger aa_never_deleted', target);
    execute format('alter table %s enable always trigger aa_never_truncated', target);
end $$;
