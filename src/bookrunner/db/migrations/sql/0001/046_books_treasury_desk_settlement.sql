-- Escrow opened for an institution: what is expected, for which allocation, and by when it settles.

create table treasury.escrow_initiation (
    offering_id text not null,
    initiation_id text not null,
    allocation_id text not null,
    investment_id text not null,
    status text not null,
    amount_minor bigint not null check (amount_minor > 0),
    currency text not null,
    settlement_due_at timestamptz not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, initiation_id),
    constraint escrow_is_initiated_once unique (offering_id, allocation_id)
);

create index escrow_that_settles on treasury.escrow_initiation (offering_id, settlement_due_at) where status = 'initiated';

call audit.keep('treasury.escrow_initiation', 'escrow_initiation', 'initiation_id', 'offering_id');

-- It says what the allocation says: opened once that is in escrow, settled once that is funded, due when that is due.
create function treasury.initiation_follows_its_allocation() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from engine.allocation a where a.offering_id = new.offering_id and a.allocation_id = new.allocation_id
        and (a.investment_id, a.amount_minor, a.currency, a.settlement_due_at)
            = (new.investment_id, new.amount_minor, new.currency, new.settlement_due_at)
        and a.status in ('funded', case new.status when 'initiated' then 'escrow_initiated' end)) then
        raise exception using errcode = 'BR008', constraint = 'initiation_follows_its_allocation',
            message = format('%s is not in escrow with these terms', new.allocation_id);
    end if;
    return new;
end $$;

create trigger initiation_follows_its_allocation before insert or update on treasury.escrow_initiation
    for each row execute function treasury.initiation_follows_its_allocation();
alter table treasury.escrow_initiation enable always trigger initiation_follows_its_allocation;

-- Opens the record of an allocation that is in escrow, and settles it when that is funded; again, it changes nothing.
create function treasury.follow_allocation(p_actor text, p_request text, p_offering text, p_allocation text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into treasury.escrow_initiation (offering_id, initiation_id, allocation_id, investment_id, status, amount_minor, currency, settlement_due_at)
    select a.offering_id, 'ein_' || a.allocation_id, a.allocation_id, a.investment_id, 'initiated', a.amount_minor, a.currency, a.settlement_due_at
    from engine.allocation a where a.offering_id = p_offering and a.allocation_id = p_allocation
        and a.status in ('escrow_initiated', 'funded') and not exists (select from treasury.escrow_initiation e
            where e.offering_id = p_offering and e.allocation_id = p_allocation);
    update treasury.escrow_initiation e set status = 'settled' from engine.allocation a
    where e.offering_id = p_offering and e.allocation_id = p_allocation and e.status = 'initiated'
        and a.offering_id = p_offering and a.allocation_id = p_allocation and a.status = 'funded';
end $$;

create view treasury.initiation_fact as
select offering_id, initiation_id, allocation_id, investment_id, status, amount_minor, currency, settlement_due_at, version, chain_head
from treasury.escrow_initiation;
