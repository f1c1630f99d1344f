-- Units that went without the coin they were sold for: they are posted to nobody, and go back.

create function registry.part_units(o registry.observed_transfer) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    update registry.settlement s set status = 'parted', alone = 'units', alone_hash = o.transaction_hash, alone_ordinal = o.ordinal,
        observed_id = o.observed_id
    where s.offering_id = o.offering_id and s.status = 'agreed' and s.request_id = (select min(q.request_id)
        from registry.transfer_request q join registry.settlement x using (offering_id, request_id)
        where q.offering_id = o.offering_id and x.status = 'agreed' and q.status = 'approved' and q.from_address = o.from_address
        and q.to_address = o.to_address and q.units = o.units);
end;

create function registry.parted_units_go_back() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.ending is distinct from 'reversed' and exists (select from registry.settlement s
        where s.offering_id = new.offering_id and s.observed_id = new.observed_id) then
        raise exception using errcode = 'BR008', constraint = 'parted_units_go_back',
            message = format('%s went without its payment and is sent back', new.observed_id);
    end if;
    if new.status = 'resolved' then
        update registry.settlement set status = 'returned'
        where offering_id = new.offering_id and observed_id = new.observed_id and status = 'parted';
    end if;
    return null;
end $$;
create trigger parted_units_go_back after update on registry.observed_transfer
    for each row when (new.status in ('explained', 'resolved')) execute function registry.parted_units_go_back();
alter table registry.observed_transfer enable always trigger parted_units_go_back;
