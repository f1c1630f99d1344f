-- Break-glass: for a short time the engine's login may end the keys of one keeper, and with them all of its sessions. It gives nothing
-- else: no fact is written, no gate is passed, no key is made. Two people, a reason, an end.

create table engine.emergency (
    emergency_id text primary key,
    keeper text not null constraint emergency_is_about_a_keeper check (keeper in
        ('portal', 'compliance', 'subscription', 'treasury', 'registry', 'engine', 'audit', 'issuer')),
    status text not null,
    reason text not null constraint emergency_has_a_reason check (reason ~ '[[:alpha:]]' and length(reason) <= 500),
    asked_by text not null,
    asked_at timestamptz not null default clock_timestamp(),
    granted_by text,
    ends_at timestamptz not null,
    keys_ended integer not null default 0,
    version bigint not null,
    chain_head bytea not null,
    constraint emergency_lasts_four_hours_at_most check (ends_at > asked_at and ends_at <= asked_at + interval '4 hours'),
    constraint emergency_needs_two_people check (status <> 'granted'
        or coalesce(audit.person_of(granted_by) <> audit.person_of(asked_by), false))
);

call audit.keep('engine.emergency', 'emergency', 'emergency_id', 'keeper', '{reason}');

-- The emergencies that stand now, for every page, the readiness and the measures; without their reasons.
create view engine.standing_emergency as
select e.emergency_id, e.keeper, e.asked_by, e.granted_by, e.ends_at, e.keys_ended from engine.emergency e
where e.status = 'granted' and e.ends_at > clock_timestamp();

create function engine.ask_emergency(p_actor text, p_request text, p_emergency text, p_keeper text, p_reason text, p_minutes integer)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    asked constant timestamptz := clock_timestamp();
begin
    perform audit.enter(p_actor, p_request);
    insert into engine.emergency (emergency_id, keeper, status, reason, asked_by, asked_at, ends_at)
    values (p_emergency, p_keeper, 'asked', p_reason, p_actor, asked, asked + make_interval(mins => p_minutes));
end $$;

-- The emergency in a status, locked, and before its end.
create function engine.emergency_in(p_emergency text, p_statuses text[]) returns engine.emergency
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    e engine.emergency;
begin
    select x.* into e from engine.emergency x where x.emergency_id = p_emergency for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'emergency_exists',
            message = format('there is no emergency %s', p_emergency);
    end if;
    if e.status <> all (p_statuses) or e.ends_at <= clock_timestamp() then
        raise exception using errcode = 'BR010', constraint = 'emergency_is_in_force',
            message = format('%s is %s, until %s', p_emergency, e.status, audit.instant(e.ends_at));
    end if;
    return e;
end $$;

create function engine.grant_emergency(p_actor text, p_request text, p_emergency text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.emergency_in(p_emergency, '{asked}');
    update engine.emergency set status = 'granted', granted_by = p_actor where emergency_id = p_emergency;
end $$;

create function engine.end_emergency(p_actor text, p_request text, p_emergency text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.emergency_in(p_emergency, '{asked,granted}');
    update engine.emergency set status = 'ended' where emergency_id = p_emergency;
end $$;

-- Ends every key of the keeper that is in force; its sessions and tokens end with them, and those of its people's accounts.
-- Returns how many keys.
create function engine.end_keys(p_actor text, p_request text, p_emergency text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    e engine.emergency;
    ended integer;
begin
    perform audit.enter(p_actor, p_request);
    e := engine.emergency_in(p_emergency, '{granted}');
    if audit.person_of(p_actor) not in (audit.person_of(e.asked_by), audit.person_of(e.granted_by)) then
        raise exception using errcode = 'BR010', constraint = 'emergency_is_used_by_its_two',
            message = format('%s was asked for by %s and granted by %s', p_emergency, e.asked_by, e.granted_by);
    end if;
    insert into api.revoked_key (name, revoked_by)
    select k.name, p_actor from api.key k where k.keeper = e.keeper and k.expires_at > clock_timestamp()
    on conflict do nothing;
    get diagnostics ended = row_count;
    update api.account_session s set status = 'ended', ended_by = p_actor
    from api.account a where a.account_id = s.account_id and a.keeper = e.keeper and s.status = 'open';
    update engine.emergency set keys_ended = keys_ended + ended where emergency_id = p_emergency;
    return ended;
end $$;
