-- The verbs of the transfer agent: wallets, the control book, holds.

-- Tells positions what the register says of their wallets; the caller has locked them.
create function registry.publish_wallet(p_offering text, p_investor text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    m registry.wallet_mapping;
begin
    select * into m from registry.wallet_mapping where offering_id = p_offering and investor_id = p_investor
    order by (status = 'linked') desc, version desc limit 1;
    update engine.position as pos set
        wallet_is_linked = m.status = 'linked',
        wallet_since = case when pos.wallet_is_linked = (m.status = 'linked') then pos.wallet_since else clock_timestamp() end,
        wallet_fact = m.mapping_id || '@' || m.version,
        wallet_hash = m.chain_head
    where pos.offering_id = p_offering and pos.investor_id = p_investor;
end $$;

-- The consent and the link are of others than the holder, its accounts and its representatives.
create function registry.wallet_steps_are_of_others() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.approved_by is distinct from old.approved_by and engine.is_person_of(new.approved_by, new.investor_id) then
        raise exception using errcode = 'BR008', constraint = 'holder_does_not_approve_a_wallet',
            message = format('%s acts for %s', new.approved_by, new.investor_id);
    end if;
    if new.linked_by is distinct from old.linked_by and engine.is_person_of(new.linked_by, new.investor_id) then
        raise exception using errcode = 'BR008', constraint = 'wallet_is_linked_by_another_person',
            message = format('%s acts for %s', new.linked_by, new.investor_id);
    end if;
    return new;
end $$;
create trigger wallet_steps_are_of_others before update on registry.wallet_mapping
    for each row execute function registry.wallet_steps_are_of_others();
alter table registry.wallet_mapping enable always trigger wallet_steps_are_of_others;

create function registry.lock_holder(p_offering text, p_mapping text) returns text
language plpgsql volatile set search_path = pg_catalog, pg_temp as $$
declare
    holder text;
begin
    select investor_id into holder from registry.wallet_mapping where offering_id = p_offering and mapping_id = p_mapping;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'wallet_exists',
            message = format('there is no wallet %s in %s', p_mapping, p_offering);
    end if;
    perform 1 from engine.position where offering_id = p_offering and investor_id = holder order by investment_id for update;
    return holder;
end $$;

-- Takes over a wallet that the investor claimed in the portal.
create function registry.open_mapping(p_actor text, p_request text, p_offering text, p_mapping text,
    p_investor text, p_chain_id bigint, p_address bytea, p_claim_fact text, p_proof_kind text,
    p_controller text default 'holder', p_custodian text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into registry.wallet_mapping (offering_id, mapping_id, investor_id, status, chain_id, address, claim_fact, proof_kind,
        controller, custodian_id)
    values (p_offering, p_mapping, p_investor, 'claimed', p_chain_id, p_address, p_claim_fact, p_proof_kind, p_controller, p_custodian);
    perform registry.publish_wallet(p_offering, p_investor);
end $$;

create function registry.mark_screened(p_actor text, p_request text, p_offering text, p_mapping text,
    p_screening_fact text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    holder text;
begin
    perform audit.enter(p_actor, p_request);
    holder := registry.lock_holder(p_offering, p_mapping);
    update registry.wallet_mapping set status = 'screened', screening_fact = p_screening_fact, screened_at = clock_timestamp()
    where offering_id = p_offering and mapping_id = p_mapping;
    perform registry.publish_wallet(p_offering, holder);
end $$;

create function registry.reject_wallet(p_actor text, p_request text, p_offering text, p_mapping text,
    p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    holder text;
begin
    perform audit.enter(p_actor, p_request);
    holder := registry.lock_holder(p_offering, p_mapping);
    update registry.wallet_mapping set status = 'rejected', refused_because = p_because, ended_by = p_actor,
        ended_at = clock_timestamp()
    where offering_id = p_offering and mapping_id = p_mapping;
    perform registry.publish_wallet(p_offering, holder);
end $$;

create function registry.approve_wallet(p_actor text, p_request text, p_offering text, p_mapping text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    holder text;
begin
    perform audit.enter(p_actor, p_request);
    holder := registry.lock_holder(p_offering, p_mapping);
    update registry.wallet_mapping set status = 'issuer_approved', approved_by = p_actor, approved_at = clock_timestamp()
    where offering_id = p_offering and mapping_id = p_mapping;
    perform registry.publish_wallet(p_offering, holder);
end $$;

-- Makes the wallet effective; an earlier linked wallet of the holder is superseded in the same breath. Witness is the
-- block at which a contract wallet was asked again.
create function registry.link_wallet(p_actor text, p_request text, p_offering text, p_mapping text,
    p_witness jsonb default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    holder text;
    chosen registry.wallet_mapping;
begin
    perform audit.enter(p_actor, p_request);
    holder := registry.lock_holder(p_offering, p_mapping);
    select * into chosen from registry.wallet_mapping where offering_id = p_offering and mapping_id = p_mapping;
    if engine.wallet_is_listed(chosen.address) then
        raise exception using errcode = 'BR008', constraint = 'linked_wallet_is_on_no_list',
            message = format('a list names the address of %s', p_mapping);
    end if;
    if exists (select from registry.issuance_instruction i where i.offering_id = p_offering and i.investor_id = holder
        and i.status in ('prepared', 'submitted') and i.address <> chosen.address)
        or registry.transfer_is_signed_for(p_offering, holder, chosen.address)
        or registry.mint_is_signed_for(p_offering, holder, chosen.address) then
        raise exception using errcode = 'BR008', constraint = 'wallet_changes_between_deliveries',
            message = format('units for the earlier wallet of %s are on their way', holder);
    end if;
    update registry.wallet_mapping set status = 'superseded', superseded_by = p_mapping, ended_by = p_actor,
        ended_at = clock_timestamp()
    where offering_id = p_offering and investor_id = holder and status = 'linked' and mapping_id <> p_mapping;
    update registry.wallet_mapping set status = 'linked', linked_by = p_actor, linked_at = clock_timestamp(), witness = p_witness
    where offering_id = p_offering and mapping_id = p_mapping;
    perform registry.publish_wallet(p_offering, holder);
end $$;

create function registry.revoke_wallet(p_actor text, p_request text, p_offering text, p_mapping text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    holder text;
begin
    perform audit.enter(p_actor, p_request);
    holder := registry.lock_holder(p_offering, p_mapping);
    update registry.wallet_mapping set status = 'revoked', ended_by = p_actor, ended_at = clock_timestamp()
    where offering_id = p_offering and mapping_id = p_mapping;
    perform registry.publish_wallet(p_offering, holder);
end $$;

-- Opens the control book with the issuer's written authority.
create function registry.open_control_book(p_actor text, p_request text, p_offering text, p_control text,
    p_authorised_units bigint, p_authority_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into registry.control_book (offering_id, control_id, status, authorised_units, authority_sha256)
    values (p_offering, p_control, 'open', p_authorised_units, p_authority_sha256);
end $$;

-- Follows the positions that a closed gate has held: the register shows the hold too.
create function registry.hold_where_gated(p_actor text, p_request text, p_offering text, p_investor text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    held integer;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.position where offering_id = p_offering and investor_id = p_investor
    order by investment_id for update;
    update registry.holding h set status = 'held' where h.offering_id = p_offering and h.investor_id = p_investor
        and h.status = 'registered' and exists (select from engine.position pos where pos.offering_id = p_offering
            and pos.investor_id = p_investor and pos.holding_is_held);
    get diagnostics held = row_count;
    return held;
end $$;

-- Frees a hold once every condition of issuance holds again.
create function registry.free_holding(p_actor text, p_request text, p_offering text, p_investment text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    p engine.position;
begin
    perform audit.enter(p_actor, p_request);
    p := engine.pass(p_offering, p_investment, 'issue');
    update engine.position set holding_is_held = false where offering_id = p_offering and investment_id = p_investment;
    update registry.holding set status = 'registered'
    where offering_id = p_offering and investor_id = p.investor_id and status = 'held';
end $$;
