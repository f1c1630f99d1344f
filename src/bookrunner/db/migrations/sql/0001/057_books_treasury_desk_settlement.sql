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

-- Keeps a verified notice that an institution's money has settled, and lets it have its one effect: the allocation is funded,
-- and its escrow settled. Answers settled, known (it came before), contradicted (its id came before with another body),
-- unclaimed (it names no allocation of ours) or unfit (another amount). A step out of order is refused and keeps nothing; the
-- sender repeats it until it had its effect. A notice is {offering, allocation, amount, currency, settled_at}.
create function treasury.confirm_settlement(p_actor text, p_request text, p_message text, p_key_id text, p_signature_sha256 bytea,
    p_body bytea, p_notice jsonb) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    n record;
    a record;
    is_fresh boolean;
    found_wrong text;
begin
    perform audit.enter(p_actor, p_request);
    select * into n from jsonb_to_record(p_notice) as x (offering text, allocation text, amount bigint, currency text,
        settled_at timestamptz);
    begin
        is_fresh := audit.receive_message('settlements', p_message, p_body, p_key_id);
    exception when sqlstate 'BR422' then
        perform treasury.raise_alarm('settlements', 'message_id_has_one_body', null, p_message, sha256(p_body));
        insert into audit.refusal (scope, subject, act, rule, missing, actor, request_id)
        values ('settlements', p_message, 'receive_message', 'message_id_has_one_body', '[]', p_actor, p_request);
        return 'contradicted';
    end;
    -- In a statement of its own: it has to see what the one that was waited for has committed.
    select * into a from engine.allocation x where x.offering_id = n.offering and x.allocation_id = n.allocation;
    if not is_fresh and a.settlement_message = p_message then
        return 'known';
    end if;
    found_wrong := case when a.allocation_id is null then 'settled_allocation_is_known'
        when (a.amount_minor, a.currency) <> (n.amount, n.currency) then 'settlement_fits_its_allocation' end;
    if found_wrong is not null then
        perform treasury.raise_alarm('settlements', found_wrong, a.offering_id, coalesce(a.allocation_id, p_message), sha256(p_body));
        return case found_wrong when 'settled_allocation_is_known' then 'unclaimed' else 'unfit' end;
    end if;
    perform audit.because(null, n.settled_at);
    perform engine.hold_allocation(n.offering, n.allocation);
    update engine.allocation set status = 'funded', settlement_message = p_message, settlement_key_id = p_key_id,
        settlement_signature_sha256 = p_signature_sha256
    where offering_id = n.offering and allocation_id = n.allocation;
    perform treasury.follow_allocation(p_actor, p_request, n.offering, n.allocation);
    return 'settled';
end $$;

create view treasury.initiation_fact as
select offering_id, initiation_id, allocation_id, investment_id, status, amount_minor, currency, settlement_due_at, version, chain_head
from treasury.escrow_initiation;
