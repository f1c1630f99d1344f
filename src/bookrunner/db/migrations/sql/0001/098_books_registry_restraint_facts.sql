-- Control actions, and what they keep: a frozen account, the frozen part of a holding, a paused security.

-- One order over an account or a security: asked with its reason, approved by a second person, carried out on chain.
create table registry.control_action (
    offering_id text not null,
    action_id text not null,
    status text not null,
    kind text not null constraint control_kind_is_known check (kind in ('freeze_account', 'thaw_account', 'freeze_units',
        'thaw_units', 'force_transfer', 'recover_wallet', 'freeze_unknown', 'thaw_unknown', 'pause', 'resume')),
    investor_id text,
    receiver_id text,
    mapping_id text,
    observed_id text,
    from_address bytea,
    to_address bytea constraint order_in_force_names_its_address check (kind <> 'force_transfer' or to_address is not null
        or status in ('asked', 'declined')),
    units bigint constraint control_units_are_positive check (units > 0),
    because text not null constraint control_action_has_its_reason check (because ~ '\S'),
    order_sha256 bytea constraint order_hash_is_sha256 check (octet_length(order_sha256) = 32),
    order_reference text,
    asked_by text not null,
    asked_at timestamptz not null default clock_timestamp(),
    decided_by text,
    decided_because text,
    decided_at timestamptz,
    failed_because text,
    ended_by text,
    ended_at timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, action_id),
    constraint control_action_names_its_account
        check ((kind in ('pause', 'resume', 'freeze_unknown', 'thaw_unknown')) = (investor_id is null)),
    constraint freeze_of_an_unknown_wallet_names_its_break check ((kind in ('freeze_unknown', 'thaw_unknown')) = (observed_id is not null)),
    foreign key (offering_id, observed_id) references registry.observed_transfer,
    constraint control_action_names_its_units
        check ((kind in ('freeze_units', 'thaw_units', 'force_transfer')) = (units is not null)),
    constraint forced_transfer_names_its_receiver check ((kind = 'force_transfer') = (receiver_id is not null)),
    constraint forced_transfer_goes_to_another check (receiver_id <> investor_id),
    constraint recovery_names_the_new_wallet check ((kind = 'recover_wallet') = (mapping_id is not null)),
    constraint control_action_has_its_order check (kind not in ('force_transfer', 'recover_wallet')
        or order_sha256 is not null and coalesce(order_reference ~ '\S', false)),
    constraint control_action_needs_two_people
        check (status in ('asked', 'declined') or coalesce(audit.person_of(decided_by) <> audit.person_of(asked_by), false)),
    constraint declined_control_action_has_its_reason
        check (status <> 'declined' or coalesce(decided_because ~ '\S', false))
);
-- Units change under one action at a time, an account's own freeze under another; a recovery is both.
create unique index one_unit_action_runs_per_account on registry.control_action (offering_id, investor_id)
    where status in ('approved', 'submitted', 'reverted')
    and kind in ('freeze_units', 'thaw_units', 'force_transfer', 'recover_wallet');
create unique index one_account_action_runs_per_account on registry.control_action (offering_id, investor_id)
    where status in ('approved', 'submitted', 'reverted') and kind in ('freeze_account', 'thaw_account', 'recover_wallet');
create unique index one_pause_runs_per_security on registry.control_action (offering_id)
    where status in ('approved', 'submitted', 'reverted') and kind in ('pause', 'resume');
create unique index one_freeze_runs_per_unknown_wallet on registry.control_action (offering_id, observed_id)
    where status in ('approved', 'submitted', 'reverted') and kind in ('freeze_unknown', 'thaw_unknown');
call audit.keep('registry.control_action', 'control_action', 'action_id', 'offering_id');

-- What a holder's account is under now. Freezing the account and freezing a part of it do not touch each other.
create table registry.account_restraint (
    offering_id text not null,
    restraint_id text not null,
    investor_id text not null,
    status text not null,
    frozen_units bigint not null default 0,
    action_id text not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, restraint_id),
    foreign key (offering_id, action_id) references registry.control_action,
    constraint one_restraint_per_account unique (offering_id, investor_id)
);
call audit.keep('registry.account_restraint', 'account_restraint', 'restraint_id', 'offering_id');

-- Whether a wallet that the register does not know is frozen: by the last order over it that has begun to count.
create function registry.is_unknown_frozen(p_offering text, p_address bytea) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return coalesce((select a.kind = 'freeze_unknown' from registry.control_action a join registry.observed_transfer o
        using (offering_id, observed_id)
    where a.offering_id = p_offering and o.to_address = p_address and (a.kind, a.status) in (('freeze_unknown', 'approved'),
        ('freeze_unknown', 'submitted'), ('freeze_unknown', 'reverted'), ('freeze_unknown', 'executed'), ('thaw_unknown', 'executed'))
    order by a.decided_at desc limit 1), false);

-- Whether a security moves at all.
create table registry.security_restraint (
    offering_id text primary key,
    restraint_id text not null unique,
    status text not null,
    action_id text not null,
    version bigint not null,
    chain_head bytea not null,
    foreign key (offering_id, action_id) references registry.control_action
);
call audit.keep('registry.security_restraint', 'security_restraint', 'restraint_id', 'offering_id');

-- Every version of a restraint, written by the database itself: what was frozen when, under which action.
create table registry.restraint_entry (
    offering_id text not null,
    restraint_id text not null,
    entry_no bigint not null,
    status text not null,
    frozen_units bigint not null,
    action_id text not null,
    entered_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, restraint_id, entry_no),
    constraint action_changes_a_restraint_once unique (offering_id, action_id)
);
call audit.append_only('registry.restraint_entry');

create function registry.is_paused(p_offering text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
return exists (select from registry.security_restraint s where s.offering_id = p_offering and s.status = 'paused');

create function registry.is_account_frozen(p_offering text, p_investor text) returns boolean
language sql stable security definer set search_path = pg_catalog, pg_temp
return exists (select from registry.account_restraint r where r.offering_id = p_offering and r.investor_id = p_investor
    and r.status = 'frozen');

create function registry.frozen_units(p_offering text, p_investor text) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
return coalesce((select r.frozen_units from registry.account_restraint r where r.offering_id = p_offering
    and r.investor_id = p_investor), 0);

-- Where the units of a holder are linked to now.
create function registry.linked_address(p_offering text, p_investor text) returns bytea
language sql stable security definer set search_path = pg_catalog, pg_temp
return (select w.address from registry.wallet_mapping w where w.offering_id = p_offering and w.investor_id = p_investor
    and w.status = 'linked');

-- Where the chain keeps the restraints of a holder: the linked wallet, or the last one that was revoked.
create function registry.account_address(p_offering text, p_investor text) returns bytea
language sql stable security definer set search_path = pg_catalog, pg_temp
return (select w.address from registry.wallet_mapping w where w.offering_id = p_offering and w.investor_id = p_investor
    and w.status in ('linked', 'revoked') order by w.status = 'linked' desc, w.ended_at desc limit 1);

-- Every wallet in which units of a holder may stand, an ended one as long as it holds any; the one that a delivery goes to
-- comes first.
create function registry.account_addresses(p_offering text, p_investor text) returns bytea[]
language sql stable security definer set search_path = pg_catalog, pg_temp
return array_remove(array[registry.account_address(p_offering, p_investor)], null) || array(select w.address from registry.wallet_mapping w
    where w.offering_id = p_offering and w.investor_id = p_investor
        and w.address is distinct from registry.account_address(p_offering, p_investor)
    group by w.address having bool_or(w.status = 'joined') or registry.units_in(p_offering, p_investor, w.address) <> 0
    order by min(w.linked_at), min(w.mapping_id));

-- The wallet that an order takes units from: of several, the first that holds them all; null when none does.
create function registry.source_of(p_offering text, p_investor text, p_units bigint) returns bytea
language sql stable set search_path = pg_catalog, pg_temp
return (select a.address from unnest(registry.account_addresses(p_offering, p_investor)) with ordinality a (address, place)
    where cardinality(registry.account_addresses(p_offering, p_investor)) = 1
        or registry.units_in(p_offering, p_investor, a.address) >= p_units order by a.place limit 1);

-- Units of an account that transfers under way are taking out of it.
create function registry.moving_units(p_offering text, p_investor text) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
return coalesce((select sum(a.units) from registry.control_action a where a.offering_id = p_offering
    and a.investor_id = p_investor and a.kind = 'force_transfer' and a.status in ('approved', 'submitted', 'reverted')), 0);

-- Registered units that no part freeze holds, nothing under way takes and nobody offered to the issuer; none while the wallet is being recovered. A
-- frozen account and a paused security are questions of their own.
create function registry.free_units(p_offering text, p_investor text) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
return case when exists (select from registry.control_action a where a.offering_id = p_offering and a.investor_id = p_investor
        and a.kind = 'recover_wallet' and a.status in ('approved', 'submitted', 'reverted')) then 0
    else greatest(0, coalesce((select h.units from registry.holding h where h.offering_id = p_offering
        and h.investor_id = p_investor), 0) - registry.frozen_units(p_offering, p_investor)
        - registry.moving_units(p_offering, p_investor) - registry.tendered_units(p_offering, p_investor)) end;

-- A pause waits for whoever holds this lock, and whoever takes it after the pause sees it. Without a search path of its own:
-- it is called for each row that is issued.
create function registry.lock_restraints(p_offering text) returns void
language plpgsql as $$
begin
    perform 1 from registry.control_book b where b.offering_id = p_offering for key share;
end $$;

create function registry.require_running(p_offering text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform registry.lock_restraints(p_offering);
    if registry.is_paused(p_offering) then
        raise exception using errcode = 'BR008', constraint = 'security_is_not_paused',
            message = format('%s is paused', p_offering);
    end if;
end $$;

-- The wall of an issuance: nothing is instructed or signed for a paused security or a frozen account.
create function registry.require_unrestrained(p_offering text, p_investor text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform registry.require_running(p_offering);
    if registry.is_account_frozen(p_offering, p_investor) then
        raise exception using errcode = 'BR008', constraint = 'account_is_not_frozen',
            message = format('the account of %s is frozen', p_investor);
    end if;
end $$;

-- A restraint follows an action that two people agreed on, by exactly what the action says.
create function registry.restraint_follows_its_action() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    a registry.control_action;
    was_status text := 'free';
    was_units bigint := 0;
    held bigint;
    expected record;
begin
    if tg_op = 'UPDATE' then
        was_status := old.status;
        was_units := old.frozen_units;
    end if;
    select * into a from registry.control_action x where x.offering_id = new.offering_id and x.action_id = new.action_id
        and x.investor_id = new.investor_id
        and x.status = case when x.kind in ('freeze_account', 'freeze_units') then 'approved' else 'executed' end;
    select coalesce(sum(h.units), 0) into held from registry.holding h where h.offering_id = new.offering_id
        and h.investor_id = new.investor_id;
    select case a.kind when 'freeze_account' then 'frozen' when 'thaw_account' then 'free' else was_status end as status,
        case a.kind when 'freeze_units' then was_units + a.units when 'thaw_units' then was_units - a.units
            when 'force_transfer' then least(was_units, held - a.units) else was_units end as units into expected;
    if a.action_id is null or a.kind = 'recover_wallet' or (new.status, new.frozen_units) <> (expected.status, expected.units) then
        raise exception using errcode = 'BR008', constraint = 'restraint_follows_its_action',
            message = 'no approved action says so';
    end if;
    return new;
end $$;
create trigger restraint_follows_its_action before insert or update on registry.account_restraint
    for each row execute function registry.restraint_follows_its_action();
alter table registry.account_restraint enable always trigger restraint_follows_its_action;

create function registry.pause_follows_its_action() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.control_action a where a.offering_id = new.offering_id and a.action_id = new.action_id
        and (a.kind, a.status, new.status) in (('pause', 'approved', 'paused'), ('resume', 'executed', 'open'))) then
        raise exception using errcode = 'BR008', constraint = 'pause_follows_its_action',
            message = 'no approved action says so';
    end if;
    return new;
end $$;
create trigger pause_follows_its_action before insert or update on registry.security_restraint
    for each row execute function registry.pause_follows_its_action();
alter table registry.security_restraint enable always trigger pause_follows_its_action;

create function registry.enter_restraint() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into registry.restraint_entry (offering_id, restraint_id, entry_no, status, frozen_units, action_id)
    values (new.offering_id, new.restraint_id, new.version, new.status,
        coalesce((to_jsonb(new) ->> 'frozen_units')::bigint, 0), new.action_id);
    return null;
end $$;
create trigger enter_restraint after insert or update on registry.account_restraint
    for each row execute function registry.enter_restraint();
create trigger enter_restraint after insert or update on registry.security_restraint
    for each row execute function registry.enter_restraint();
alter table registry.account_restraint enable always trigger enter_restraint;
alter table registry.security_restraint enable always trigger enter_restraint;

-- Nobody moves the frozen part of a holding away, whatever the movement is called.
create function registry.frozen_units_stay() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.units < registry.frozen_units(new.offering_id, new.investor_id) then
        raise exception using errcode = 'BR008', constraint = 'frozen_units_stay_with_their_holder',
            message = format('a part of %s is frozen', new.holding_id);
    end if;
    return new;
end $$;
create trigger frozen_units_stay before update on registry.holding
    for each row when (new.units < old.units) execute function registry.frozen_units_stay();
alter table registry.holding enable always trigger frozen_units_stay;

create view registry.restraint_fact as
select r.offering_id, r.restraint_id, r.investor_id, r.status, r.frozen_units, r.action_id, r.version, r.chain_head
from registry.account_restraint r;

-- The pause of a security with its two people and their reason.
create view registry.pause_fact as
select s.offering_id, s.restraint_id, s.status, s.action_id, a.because, a.asked_by, a.decided_by, a.decided_at,
    s.version, s.chain_head
from registry.security_restraint s join registry.control_action a using (offering_id, action_id);
