-- Legs of a sale against a coin that went outside of its one transaction: each goes back, or two people post units that were paid.

-- A sale with a leg gone is nobody's to carry out any more.
create function registry.end_parted_sale(p_offering text, p_transfer text) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    update registry.transfer_request set status = case status when 'returned' then 'withdrawn' else 'rejected' end,
        reasons = array['its settlement moved otherwise than approved'], decided_by = current_setting('bookrunner.actor'),
        decided_at = clock_timestamp()
    where offering_id = p_offering and request_id = p_transfer and status in ('requested', 'screened', 'returned', 'approved');
    select registry.turn_item(current_setting('bookrunner.actor'), q.offering_id, q.item_id, 'its settlement moved otherwise than approved')
    from registry.transfer_request q where q.offering_id = p_offering and q.request_id = p_transfer;
end;

-- Units that no approval let go, with the coin in the same transaction if there is one. A sale that was dropped is concerned
-- by units that were paid, one whose coin came back by those that were not.
create function registry.part_units(o registry.observed_transfer, p_paid jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    paid record;
begin
    select s.request_id, p.ordinal, p.amount into paid
    from registry.settlement s join registry.transfer_request q using (offering_id, request_id)
    left join lateral (select * from registry.payments_of(q, o.transaction_hash, p_paid) limit 1) p on true
    where q.offering_id = o.offering_id and q.seller_id = o.seller_id and q.buyer_id = o.buyer_id and q.units = o.units
        and s.observed_id is null and case s.status when 'dropped' then p.ordinal is not null
            when 'returned' then p.ordinal is null else s.status in ('agreed', 'parted') end
    order by coalesce(p.is_whole, false) desc, p.ordinal is null, s.status <> 'parted', s.status <> 'agreed', s.request_id limit 1;
    update registry.settlement s set status = 'parted', observed_id = o.observed_id, observed_hash = o.transaction_hash,
        paid_hash = coalesce(s.paid_hash, case when paid.ordinal is not null then o.transaction_hash end),
        paid_ordinal = case when s.paid_hash is null then paid.ordinal else s.paid_ordinal end,
        paid_units = case when s.paid_hash is null then paid.amount else s.paid_units end
    where s.offering_id = o.offering_id and s.request_id = paid.request_id;
    perform registry.end_parted_sale(o.offering_id, paid.request_id);
end $$;

-- Units of a sale that the chain showed without authority and that no settlement names.
create function registry.unpaid_units(q registry.transfer_request) returns registry.observed_transfer
language sql stable set search_path = pg_catalog, pg_temp
return (select v from registry.observed_transfer v where v.offering_id = q.offering_id and v.status in ('unauthorised', 'explained')
    and (v.seller_id, v.buyer_id, v.units) = (q.seller_id, q.buyer_id, q.units) and not exists (select from registry.settlement s
        where s.offering_id = v.offering_id and s.observed_id = v.observed_id) order by v.observed_id limit 1);

-- A coin that went between the wallets of a sale without its units, or came back. Log has hash and ordinal, from, to and amount.
create function registry.note_payment(p_actor text, p_request text, p_offering text, p_transfer text, p_log jsonb) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    q registry.transfer_request;
    s registry.settlement;
    v registry.observed_transfer;
    log record;
begin
    perform audit.enter(p_actor, p_request);
    q := registry.hold_transfer(p_offering, p_transfer);
    select * into s from registry.settlement where offering_id = p_offering and request_id = p_transfer for update;
    select decode(l.hash, 'hex') as hash, l.ordinal, decode(l."from", 'hex') as giver, decode(l."to", 'hex') as taker, l.amount
    into log from jsonb_to_record(p_log) as l (hash text, ordinal integer, "from" text, "to" text, amount text);
    if registry.is_counted(p_offering, log.hash, log.ordinal) then
        return null;
    elsif s.status <> 'settled' and s.paid_hash is null
        and (log.giver, log.taker, log.amount) = (registry.payer_of(q), registry.payee_of(q), s.base_units) then
        if s.observed_id is null then
            v := registry.unpaid_units(q);
        end if;
        update registry.settlement set status = 'parted', paid_hash = log.hash, paid_ordinal = log.ordinal, paid_units = log.amount,
            observed_id = coalesce(observed_id, v.observed_id), observed_hash = coalesce(observed_hash, v.transaction_hash)
        where offering_id = p_offering and request_id = p_transfer;
        perform registry.end_parted_sale(p_offering, p_transfer);
        return 'parted';
    elsif s.status = 'parted' and s.returned_hash is null
        and (log.giver, log.taker, log.amount) = (registry.payee_of(q), registry.payer_of(q), s.paid_units) then
        update registry.settlement set returned_hash = log.hash, returned_ordinal = log.ordinal, status = case when exists (
            select from registry.observed_transfer x where x.offering_id = p_offering and x.observed_id = s.observed_id
                and x.status <> 'resolved') then 'parted' else 'returned' end
        where offering_id = p_offering and request_id = p_transfer;
        return 'returned';
    end if;
    return null;
end $$;

-- The wall: units of a parted sale go back, unless the seller has its coin; those that two people post then settle the sale.
create function registry.parted_units_go_back() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from registry.settlement s join registry.transfer_request q using (offering_id, request_id)
        where s.offering_id = new.offering_id and s.status = 'parted' and case when s.observed_id = new.observed_id
            then new.ending is distinct from 'reversed'
                and (new.ending is distinct from 'post' or s.paid_hash is null or s.returned_hash is not null)
            else new.ending = 'post' and (q.seller_id, q.buyer_id, q.units) = (new.seller_id, new.buyer_id, new.units) end) then
        raise exception using errcode = 'BR008', constraint = 'parted_units_go_back',
            message = format('%s went without its payment and is sent back', new.observed_id);
    end if;
    if new.status = 'resolved' then
        update registry.settlement set status = case when new.ending = 'post' then 'settled' else 'returned' end
        where offering_id = new.offering_id and observed_id = new.observed_id and status = 'parted'
            and (new.ending = 'post' or (paid_hash is null) = (returned_hash is null));
    end if;
    return null;
end $$;
create trigger parted_units_go_back after update on registry.observed_transfer
    for each row when (new.status in ('explained', 'resolved')) execute function registry.parted_units_go_back();
alter table registry.observed_transfer enable always trigger parted_units_go_back;
