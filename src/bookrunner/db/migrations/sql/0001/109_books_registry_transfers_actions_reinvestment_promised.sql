-- Units that distributions owe and that are not issued yet: counted wherever units are promised.

-- Lines whose units are not in the register; waiting are those with an attempt that may yet come through.
create view registry.reinvestment_open as
select d.offering_id, d.distribution_id, d.line_id, d.holding_id, d.investor_id, d.plan_id, d.units, d.amount_minor, d.status,
    exists (select from registry.reinvestment_call c join registry.chain_transaction t using (offering_id, intent_id) where c.offering_id = d.offering_id
        and c.line_id = d.line_id and t.status in ('signed', 'broadcast', 'mined')) as is_waiting
from engine.reinvestment_due d where not exists (select from registry.movement m where m.offering_id = d.offering_id and m.kind = 'reinvestment'
    and m.reference = d.line_id);

-- Units that are promised and not issued: of a class, or of holders of it; one distribution may be left out.
create function registry.promised_units(p_offering text, p_investors text[], p_except text) returns bigint
language sql stable security definer set search_path = pg_catalog, pg_temp
return (select coalesce(sum(o.units), 0)::bigint from registry.reinvestment_open o where o.offering_id = p_offering
    and (p_investors is null or o.investor_id = any (p_investors)) and o.distribution_id is distinct from p_except);

-- Authorised units are not lowered below those that are issued, unsold on chain or promised, and nothing else is issued of what is promised.
create function registry.promised_units_stay_authorised() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    promised constant bigint := registry.promised_units(new.offering_id, null, null);
begin
    if promised > 0 and new.authorised_units < new.issued_units + promised + (case when new.authorised_units < old.authorised_units
            then coalesce(registry.undelivered_units(new.offering_id), 0) else 0 end) then
        raise exception using errcode = 'BR008', constraint = 'promised_units_stay_authorised',
            message = format('distributions owe %s units of %s', promised, new.offering_id);
    end if;
    return new;
end $$;
create trigger promised_units_stay_authorised before update on registry.control_book
    for each row when (new.authorised_units < old.authorised_units or new.issued_units > old.issued_units) execute function registry.promised_units_stay_authorised();
alter table registry.control_book enable always trigger promised_units_stay_authorised;

-- Why a holder of a class may have no units instead of cash at a draft, as the register sees it; null when it may.
create function registry.reinvestment_bar(p_offering text, p_investor text) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return (select case when registry.is_account_frozen(p_offering, p_investor) then 'account_is_frozen'
            when registry.is_estate(p_offering, p_investor) then 'holder_died'
            when h.status <> 'registered' then 'holding_is_held'
            when h.units = 0 then 'holder_has_no_units'
            when registry.linked_address(p_offering, p_investor) is null then 'wallet_is_not_linked' end
        from registry.holding h where h.offering_id = p_offering and h.investor_id = p_investor);
end $$;

-- Whether so many units more, for a holder and its affiliates together, would pass its limit.
create function registry.is_over_its_limit(p_offering text, p_investor text, p_group text[], p_units numeric, p_except text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from registry.rules_on(p_offering, 'holding_limit', p_investor, registry.today()) r
        join registry.control_book b using (offering_id)
        where ((select coalesce(sum(x.units), 0) from registry.holding x where x.offering_id = p_offering and x.investor_id = any (p_group))
            + (select coalesce(sum(q.units), 0) from registry.transfer_request q where q.offering_id = p_offering
                and q.status in ('approved', 'instructed') and q.kind <> 'own' and q.buyer_id = any (p_group))
            + registry.promised_units(p_offering, p_group, p_except) + p_units) * 10000 > r.amount::numeric * b.issued_units);
end $$;

-- How many units may yet be promised: under a plan, and of the class; the latter is not known where nobody looked at the chain. Units of a sale that
-- were sent to their wallets have left the undelivered ones, and are issued with their posting alone.
create function registry.room_for_promises(p_offering text, p_plan text, p_except text) returns table (of_plan numeric, of_class numeric)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select p.most_units - (select coalesce(sum(d.units), 0) from engine.reinvestment_due d where d.offering_id = p_offering and d.plan_id = p_plan
            and d.distribution_id is distinct from p_except),
        b.authorised_units - b.issued_units - registry.undelivered_units(p_offering) - registry.promised_units(p_offering, null, p_except)
            - (select coalesce(sum(i.units), 0) from registry.issuance_instruction i where i.offering_id = p_offering and i.status = 'submitted')
    from registry.reinvestment_plan p join registry.control_book b using (offering_id)
    where p.offering_id = p_offering and p.plan_id = p_plan;
end;
