-- Every version of a record: events tell what changed of it, and what they leave out is kept here before something else is said.

-- Each kept table: its machine, the columns that name its rows, the columns that stay out of its events.
create view audit.kept_table as
select g.told[1] as machine, t.tgrelid::regclass as target, g.told[2] as id_column, g.told[3] as scope_column,
    g.told[4]::text[] as withheld
from pg_catalog.pg_trigger t
cross join lateral (select string_to_array(encode(t.tgargs, 'escape'), '\000') as told) g
where t.tgname = 'zz_guard';

-- What a record said outside of its events, with the last version that said so; null where it said nothing yet. What an
-- erasure took is not kept: the row says that it was there.
create table audit.replaced (
    scope text not null,
    subject text not null,
    version bigint not null,
    name text not null,
    said jsonb not null,
    is_erased boolean not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (scope, subject, version, name),
    constraint erased_words_are_gone check (not is_erased or said = 'null')
);
call audit.append_only('audit.replaced');

create function audit.word_is_kept_by_its_row() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception using errcode = 'BR003', constraint = 'word_is_kept_by_its_row',
        message = format('what %s said before is kept by its row alone', new.subject);
end $$;
create trigger aa_kept_by_its_row before insert on audit.replaced
    for each row when (pg_trigger_depth() = 0) execute function audit.word_is_kept_by_its_row();
alter table audit.replaced enable always trigger aa_kept_by_its_row;

-- Keeps the words that a row is about to lose. Arguments: whether to keep them at all, then the columns.
create function audit.keep_replaced() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    was constant jsonb := to_jsonb(old);
    becomes constant jsonb := to_jsonb(new);
begin
    insert into audit.replaced (scope, subject, version, name, said, is_erased)
    select audit.scope_of(old), audit.subject_of(old), old.version, n.name,
        case when tg_argv[0] = 'kept' then was -> n.name else 'null' end, tg_argv[0] <> 'kept' and was ->> n.name is not null
    from unnest(tg_argv[1:]) n (name)
    where was -> n.name is distinct from becomes -> n.name;
    return null;
end $$;

-- Lets a table keep what columns outside of its events said; what erasures empty is noted as erased. No other trigger writes these
-- columns, so that a statement which does not name them loses nothing.
create procedure audit.keep_words(target regclass, how text, variadic names text[])
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    execute format('create trigger zz_replaced_%s after update of %s on %s for each row when (%s) execute function audit.keep_replaced(%L, %s)',
        how, (select string_agg(quote_ident(n), ', ') from unnest(names) n), target, (select string_agg(format('old.%1$I is distinct from new.%1$I', n), ' or ') from unnest(names) n), how,
        (select string_agg(format('%L', n), ', ') from unnest(names) n));
    execute format('alter table %s enable always trigger zz_replaced_%s', target, how);
end $$;

call audit.keep_words('engine.investment', 'kept', 'because');
call audit.keep_words('engine.closing_case', 'kept', 'decided_because');
call audit.keep_words('engine.issuer', 'kept', 'logo');
call audit.keep_words('engine.allocation', 'kept', 'cancelled_because');
call audit.keep_words('engine.intake', 'kept', 'decided_because');
call audit.keep_words('engine.intake', 'erased', 'statement', 'reasons');
call audit.keep_words('compliance.statement_acceptance', 'kept', 'because', 'withdrawn_because');
call audit.keep_words('subscription.deficiency', 'kept', 'words', 'answer');
call audit.keep_words('subscription.paper_delivery', 'kept', 'sent_how');
call audit.keep_words('reconciliation.break', 'kept', 'answer', 'accepted_because');
call audit.keep_words('portal.ownership_statement', 'erased', 'people', 'shares');
call audit.keep_words('portal.suitability', 'erased', 'answers');

create table audit.record_view (
    scope text not null,
    view_id text not null,
    status text not null,
    record text not null,
    viewed_by text not null,
    purpose text not null constraint view_says_its_purpose check (purpose ~ '\S'),
    version bigint not null,
    chain_head bytea not null,
    primary key (scope, view_id)
);
call audit.keep('audit.record_view', 'record_view', 'view_id', 'scope');

-- Hands out what a record says and said outside of its events: each word with the last version that said it, none for what it
-- says now. Who looked, and why, is an event. Secrets, keys and sealed bytes are not handed out.
create function audit.look_at_record(p_actor text, p_request text, p_scope text, p_subject text, p_view text, p_purpose text)
returns table (name text, until_version bigint, said jsonb, is_erased boolean)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    words constant text[] := '{accepted_because,answer,answers,because,cancelled_because,candidates,decided_because,imported_in,lines,logo,marks,
        people,reason,reasons,sender,sent_how,shares,statement,withdrawn_because,words}';
    k audit.kept_table;
    stands jsonb;
begin
    perform audit.enter(p_actor, p_request);
    select t.* into k from audit.event e join audit.kept_table t on t.machine = split_part(e.kind, '.', 1)
    where e.scope = p_scope and e.subject = p_subject and e.version = 1;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'record_exists',
            message = format('there is no record %s in %s', p_subject, p_scope);
    end if;
    insert into audit.record_view (scope, view_id, status, record, viewed_by, purpose)
    values (p_scope, p_view, 'viewed', p_subject, p_actor, p_purpose);
    execute format('select to_jsonb(r) from %s r where r.%I = $1 and r.%I = $2', k.target, k.id_column, k.scope_column)
    into stands using p_subject, p_scope;
    return query
        select r.name, r.version, r.said, r.is_erased from audit.replaced r
        where r.scope = p_scope and r.subject = p_subject and r.name = any (words)
        union all
        select w.name, null, coalesce(stands -> w.name, 'null'), false from unnest(k.withheld) w (name) where w.name = any (words)
        order by 1, 2;
end $$;
