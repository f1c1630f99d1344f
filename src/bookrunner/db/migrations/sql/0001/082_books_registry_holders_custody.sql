-- Who controls the key of a wallet: the holder, a custodian with an agreement on record, or the platform.

create table registry.custodian (
    offering_id text not null,
    custodian_id text not null,
    status text not null,
    name text not null constraint custodian_has_its_name check (name ~ '\S'),
    agreement_sha256 bytea not null constraint custodian_has_its_agreement check (octet_length(agreement_sha256) = 32),
    agreed_on date not null,
    ends_on date constraint custody_ends_after_it_begins check (ends_on > agreed_on),
    proposed_by text not null,
    decided_by text,
    decided_because text,
    ended_by text,
    ended_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, custodian_id),
    constraint custodian_needs_two_people check (status not in ('in_force', 'ended')
        or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false)),
    constraint declined_custodian_has_its_reason check (status <> 'declined' or coalesce(decided_because ~ '\S', false)),
    constraint ended_custodian_has_its_reason check (status <> 'ended' or coalesce(ended_because ~ '\S', false) and ended_by is not null)
);
call audit.keep('registry.custodian', 'custodian', 'custodian_id', 'offering_id');

create function registry.custodian_stays_as_agreed() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.name, new.agreement_sha256, new.agreed_on, new.ends_on, new.proposed_by)
        is distinct from (old.name, old.agreement_sha256, old.agreed_on, old.ends_on, old.proposed_by)
        or old.status <> 'proposed' and (new.decided_by, new.decided_because) is distinct from (old.decided_by, old.decided_because) then
        raise exception using errcode = 'BR006', constraint = 'custodian_terms_are_locked',
            message = format('the terms of %s are locked', old.custodian_id);
    end if;
    return new;
end $$;
create trigger custodian_stays_as_agreed before update on registry.custodian
    for each row execute function registry.custodian_stays_as_agreed();
alter table registry.custodian enable always trigger custodian_stays_as_agreed;

-- The wall: no step towards an effective wallet of a custodian without an agreement that is in force on that day, nor a choice of
-- one for deliveries. A recovery that the chain has carried out is not asked again.
create function registry.is_recovered(p_offering text, p_mapping text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from registry.control_action a where a.offering_id = p_offering and a.mapping_id = p_mapping
        and a.kind = 'recover_wallet' and a.status = 'executed');
end $$;

create function registry.is_custody_agreed(p_offering text, p_custodian text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from registry.custodian c where c.offering_id = p_offering and c.custodian_id = p_custodian
        and c.status = 'in_force' and c.agreed_on <= registry.today() and coalesce(c.ends_on > registry.today(), true));
end $$;

create function registry.custody_is_agreed() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' and (new.controller, new.custodian_id) is distinct from (old.controller, old.custodian_id) then
        raise exception using errcode = 'BR006', constraint = 'wallet_keeps_its_controller',
            message = format('who controls %s is stated', old.mapping_id);
    end if;
    if new.controller = 'custodian' and new.status in ('issuer_approved', 'linked', 'joined')
        and (tg_op = 'INSERT' or new.status <> old.status and (old.status, new.status) <> ('linked', 'joined'))
        and not registry.is_recovered(new.offering_id, new.mapping_id) then
        perform 1 from registry.custodian c where c.offering_id = new.offering_id and c.custodian_id = new.custodian_id for share;
        if not registry.is_custody_agreed(new.offering_id, new.custodian_id) then
            raise exception using errcode = 'BR008', constraint = 'custodian_has_an_agreement_in_force',
                message = format('%s has no agreement on record that is in force', new.custodian_id);
        end if;
    end if;
    return new;
end $$;
create trigger custody_is_agreed before insert or update on registry.wallet_mapping
    for each row execute function registry.custody_is_agreed();
alter table registry.wallet_mapping enable always trigger custody_is_agreed;

-- Said has name, agreement_sha256 (hex), agreed_on and, where it is agreed, ends_on.
create function registry.propose_custodian(p_actor text, p_request text, p_offering text, p_custodian text, p_said jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.book_of(p_offering);
    insert into registry.custodian (offering_id, custodian_id, status, name, agreement_sha256, agreed_on, ends_on, proposed_by)
    values (p_offering, p_custodian, 'proposed', p_said ->> 'name', decode(p_said ->> 'agreement_sha256', 'hex'),
        (p_said ->> 'agreed_on')::date, (p_said ->> 'ends_on')::date, p_actor);
end $$;

-- A second person puts the agreement in force, or declines it.
create function registry.decide_custodian(p_actor text, p_request text, p_offering text, p_custodian text, p_is_approved boolean,
    p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update registry.custodian set status = case when p_is_approved then 'in_force' else 'declined' end, decided_by = p_actor,
        decided_because = p_because
    where offering_id = p_offering and custodian_id = p_custodian;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'custodian_exists',
            message = format('there is no custodian %s', p_custodian);
    end if;
end $$;

-- The agreement ends early; wallets that are effective stay so until the agent ends them.
create function registry.end_custodian(p_actor text, p_request text, p_offering text, p_custodian text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update registry.custodian set status = 'ended', ended_by = p_actor, ended_because = p_because
    where offering_id = p_offering and custodian_id = p_custodian;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'custodian_exists',
            message = format('there is no custodian %s', p_custodian);
    end if;
end $$;
