-- Wallets with their dates: which are effective, which step another lacks, and whose an address was at any time. A holder has
-- one linked wallet, which units are delivered to, and may have others beside it.

-- A wallet joins a linked one; one that holds units, or that a signed transfer names, is not given up.
create function registry.further_wallet_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.status = 'joined' and old.status = 'issuer_approved' and registry.linked_address(new.offering_id, new.investor_id) is null then
        raise exception using errcode = 'BR008', constraint = 'further_wallet_stands_beside_a_linked_one',
            message = format('%s has no linked wallet', new.investor_id);
    end if;
    if new.status = 'revoked' and old.status = 'joined' and (registry.units_in(new.offering_id, new.investor_id, new.address) <> 0
        or exists (select from registry.transfer_request q where q.offering_id = new.offering_id and q.status = 'instructed'
            and (q.seller_id = new.investor_id and q.from_address = new.address
                or q.buyer_id = new.investor_id and q.to_address = new.address))
        or exists (select from registry.control_action a where a.offering_id = new.offering_id and a.receiver_id = new.investor_id
            and a.to_address = new.address and a.status = 'submitted')) then
        raise exception using errcode = 'BR008', constraint = 'further_wallet_is_given_up_empty',
            message = format('units stand in %s, or are on their way to it', new.mapping_id);
    end if;
    return new;
end $$;
create trigger further_wallet_stands before update on registry.wallet_mapping
    for each row execute function registry.further_wallet_stands();
alter table registry.wallet_mapping enable always trigger further_wallet_stands;

-- Makes a wallet effective beside the linked one, by the same steps and proofs.
create function registry.join_wallet(p_actor text, p_request text, p_offering text, p_mapping text,
    p_witness jsonb default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    chosen registry.wallet_mapping;
begin
    perform audit.enter(p_actor, p_request);
    perform registry.lock_holder(p_offering, p_mapping);
    select * into chosen from registry.wallet_mapping where offering_id = p_offering and mapping_id = p_mapping;
    if engine.wallet_is_listed(chosen.address) then
        raise exception using errcode = 'BR008', constraint = 'linked_wallet_is_on_no_list',
            message = format('a list names the address of %s', p_mapping);
    end if;
    update registry.wallet_mapping set status = 'joined', linked_by = p_actor, linked_at = clock_timestamp(), witness = p_witness
    where offering_id = p_offering and mapping_id = p_mapping;
end $$;

-- Units are delivered to this wallet of the holder from now on; the one before stays effective beside it.
create function registry.choose_wallet(p_actor text, p_request text, p_offering text, p_mapping text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    holder text;
    chosen bytea;
begin
    perform audit.enter(p_actor, p_request);
    holder := registry.lock_holder(p_offering, p_mapping);
    select address into chosen from registry.wallet_mapping where offering_id = p_offering and mapping_id = p_mapping;
    if engine.wallet_is_listed(chosen) then
        raise exception using errcode = 'BR008', constraint = 'linked_wallet_is_on_no_list',
            message = format('a list names the address of %s', p_mapping);
    end if;
    if exists (select from registry.issuance_instruction i where i.offering_id = p_offering and i.investor_id = holder
        and i.status in ('prepared', 'submitted') and i.address <> chosen) then
        raise exception using errcode = 'BR008', constraint = 'wallet_changes_between_deliveries',
            message = format('units for the earlier wallet of %s are on their way', holder);
    end if;
    update registry.wallet_mapping set status = 'joined'
    where offering_id = p_offering and investor_id = holder and status = 'linked' and mapping_id <> p_mapping;
    update registry.wallet_mapping set status = 'linked'
    where offering_id = p_offering and mapping_id = p_mapping and status = 'joined';
    if not found then
        raise exception using errcode = 'BR008', constraint = 'chosen_wallet_is_effective',
            message = format('%s is not beside a linked wallet', p_mapping);
    end if;
    perform registry.publish_wallet(p_offering, holder);
end $$;

create view registry.wallet_standing as
select m.offering_id, m.mapping_id, m.investor_id, m.chain_id, m.address, m.status, m.proof_kind, m.controller, m.custodian_id,
    m.claim_fact,
    m.screening_fact, m.claimed_at, m.screened_at, m.approved_by, m.approved_at, m.linked_by, m.linked_at, m.superseded_by,
    m.ended_by, m.ended_at, m.refused_because, m.version, m.status in ('linked', 'joined') as is_effective,
    case m.status when 'claimed' then 'screening' when 'screened' then 'issuer_consent'
        when 'issuer_approved' then 'agent_link' end as missing_step,
    case when m.status in ('claimed', 'screened', 'issuer_approved') then e.mapping_id end as replaces,
    case when m.status in ('claimed', 'screened', 'issuer_approved') then e.address end as effective_address
from registry.wallet_mapping m
left join registry.wallet_mapping e on e.offering_id = m.offering_id and e.investor_id = m.investor_id and e.status = 'linked';
