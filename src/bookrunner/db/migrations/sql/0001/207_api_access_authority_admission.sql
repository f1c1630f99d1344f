-- What one key may call: the operations of its role, less what its scope leaves out. Asked once a minute by each process for
-- each key; that the key is in force is asked by every statement of a call besides.

-- When a key last called, written at most once a minute.
create table api.key_use (
    key_name text primary key references api.key,
    used_at timestamptz not null default clock_timestamp()
);

-- A key is scoped to what exists: a name that is none would look like a limit and be one by accident.
create function api.key_scope_is_known() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from unnest(new.actions) a where not exists (
            select from api.operation o where a in (o.operation, o.area, o.kind))) then
        raise exception using errcode = 'BR422', constraint = 'key_names_known_actions',
            message = 'an action is an operation, an area, or read or act';
    end if;
    if exists (select from unnest(new.offers) f where not exists (select from engine.offer o where o.offering_id = f)) then
        raise exception using errcode = 'BR422', constraint = 'key_names_offers_on_record',
            message = 'an offer of the scope is not on record';
    end if;
    return new;
end $$;

create trigger scope_is_known before insert on api.key for each row execute function api.key_scope_is_known();

create function api.role_of(p_key_name text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return case when starts_with(p_key_name, 'ivr_') then 'investor' else session_user::text end;

create function api.is_among(o api.operation, p_actions text[]) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
return p_actions is null or o.operation = any (p_actions) or o.area = any (p_actions) or o.kind = any (p_actions);

create function api.is_in_scope(k api.key, o api.operation) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
return api.is_among(o, k.actions)
    and array_position(array['nothing', 'dealings', 'identity'], o.reveals)
        <= array_position(array['nothing', 'dealings', 'identity'], coalesce(k.reveals, 'identity'));

-- A tool reads and proposes, whatever its role may.
create function api.is_for_tools(p_actor text, o api.operation) returns boolean
language sql immutable set search_path = pg_catalog, pg_temp
return not api.is_tool(p_actor) or o.kind = 'read' or o.operation = 'propose';

-- Who is behind a key, and what it may call, on which offers, from where. Refuses a key that is not in force. The session of a person
-- has no scope: it may call what its keeper may.
create function api.admit(p_key bytea, out actor text, out operations text[], out offers text[], out networks text[])
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    k api.key;
    said text[];
begin
    actor := api.holder(p_key);
    select x.* into k from api.key x where x.name = split_part(actor, ':', 2);
    said := (select t.actions from api.token t where t.token_digest = p_key);
    operations := array(select o.operation from api.operation o
        where api.role_of(k.name) = any (o.roles) and api.is_in_scope(k, o) and api.is_among(o, said)
            and api.is_for_tools(actor, o));
    offers := k.offers;
    networks := k.networks::text[];
    insert into api.key_use as u (key_name) select k.name where k.name is not null
    on conflict (key_name) do update set used_at = excluded.used_at
    where u.used_at <= excluded.used_at - interval '1 minute';
end $$;

-- Why a key may not make a call; keeps the refusal under its name. The first of role, tool, token, action and tier that fails is told,
-- or the rule that the caller found.
create function api.refuse_call(p_key bytea, p_operation text, p_request text, p_rule text, out rule text, out detail text)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    actor constant text := api.holder(p_key);
    k api.key;
    o api.operation;
begin
    select x.* into k from api.key x where x.name = split_part(actor, ':', 2);
    select x.* into o from api.operation x where x.operation = p_operation;
    if not coalesce(api.role_of(k.name) = any (o.roles), false) then
        rule := case when api.role_of(k.name) = 'investor' then 'key_of_an_investor_reaches_its_own_alone'
            else 'key_serves_this_keeper' end;
        detail := coalesce(array_to_string(o.roles, ' or '), 'nobody') || ' decides this';
    elsif not api.is_for_tools(actor, o) then
        rule := case when o.area = 'proposals' then 'a_tool_decides_nothing' else 'a_tool_changes_no_record' end;
        detail := 'a tool reads, and proposes what a person confirms';
    elsif exists (select from api.token t where t.token_digest = p_key and not api.is_among(o, t.actions)) then
        rule := 'token_has_the_scope';
        detail := format('this takes a token with the scope bookrunner:%s, bookrunner:%s or bookrunner:%s', p_operation,
            o.area, o.kind);
    elsif not api.is_among(o, k.actions) then
        rule := 'key_has_this_action';
        detail := 'the key is for ' || array_to_string(k.actions, ', ');
    elsif not api.is_in_scope(k, o) then
        rule := 'key_reveals_this_tier';
        detail := format('the key reveals %s, this reveals %s', k.reveals, o.reveals);
    elsif p_rule = 'key_reaches_this_offer' then
        rule := p_rule;
        detail := 'the key is for ' || array_to_string(k.offers, ', ') || ', and the call names one of them';
    elsif p_rule is null then
        raise exception using errcode = 'BR008', constraint = 'refused_call_breaks_a_rule',
            message = format('%s breaks no rule any more; call again', p_operation);
    else
        rule := 'key_calls_from_its_networks';
        detail := 'the key is used from the networks that it was issued for';
    end if;
    insert into audit.refusal (scope, subject, act, rule, missing, actor, request_id)
    values ('api', coalesce(k.name, actor), p_operation, rule, '[]', actor, p_request);
end $$;

-- The offer of an investment or an agreement, for a key that reaches some offers alone.
create function api.offer_of(p_investment text, p_agreement text) returns text
language sql stable security definer set search_path = pg_catalog, pg_temp
begin atomic
    select coalesce(
        (select i.offering_id from engine.investment i where i.investment_id = p_investment),
        (select a.offering_id from subscription.agreement a where a.agreement_id = p_agreement));
end;
