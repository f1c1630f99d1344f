-- The fee of a transfer: fixed when it is registered, by the rule of the day of its approval, once for each transfer.

create table registry.transfer_charge (
    offering_id text not null,
    request_id text not null,
    rule_id text not null,
    payer_id text not null,
    amount_minor bigint not null constraint charge_is_positive check (amount_minor > 0),
    currency text not null,
    charged_at timestamptz not null default clock_timestamp(),
    constraint transfer_is_charged_once primary key (offering_id, request_id),
    foreign key (offering_id, request_id) references registry.transfer_request,
    foreign key (offering_id, rule_id) references registry.transfer_rule
);
call audit.append_only('registry.transfer_charge');

-- What a transfer costs whom, by the latest rule in force for the day of its approval; nothing between wallets of one holder.
create function registry.fee_of(q registry.transfer_request) returns table (rule_id text, payer_id text, amount_minor bigint, currency text)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select r.rule_id, case r.payer when 'seller' then q.seller_id else q.buyer_id end, r.amount, o.currency
    from registry.rules_on(q.offering_id, 'fee', null, (q.decided_at at time zone 'UTC')::date) r
    join engine.offer o on o.offering_id = q.offering_id
    where q.kind <> 'own' order by r.starts_on desc limit 1;
end;

create function registry.charge_is_that_of_its_rule() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.transfer_request q cross join lateral registry.fee_of(q) f
        where q.offering_id = new.offering_id and q.request_id = new.request_id and q.status = 'registered'
            and (f.rule_id, f.payer_id, f.amount_minor, f.currency) = (new.rule_id, new.payer_id, new.amount_minor, new.currency)) then
        raise exception using errcode = 'BR008', constraint = 'charge_is_that_of_its_rule',
            message = format('no rule charges that for %s', new.request_id);
    end if;
    return new;
end $$;
create trigger charge_is_that_of_its_rule before insert on registry.transfer_charge
    for each row execute function registry.charge_is_that_of_its_rule();
alter table registry.transfer_charge enable always trigger charge_is_that_of_its_rule;

create function registry.registered_transfer_is_charged() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into registry.transfer_charge (offering_id, request_id, rule_id, payer_id, amount_minor, currency)
    select new.offering_id, new.request_id, f.rule_id, f.payer_id, f.amount_minor, f.currency from registry.fee_of(new) f;
    return null;
end $$;
create trigger registered_transfer_is_charged after update on registry.transfer_request
    for each row when (new.status = 'registered' and old.status <> 'registered') execute function registry.registered_transfer_is_charged();
alter table registry.transfer_request enable always trigger registered_transfer_is_charged;

create view registry.charge_fact as
select offering_id, request_id, rule_id, payer_id, amount_minor, currency, charged_at from registry.transfer_charge;
