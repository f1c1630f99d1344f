-- The fee of a transfer: fixed at its approval by the rule that is in force then, charged once when it is registered.

-- What an approval says of the fee, also that there is none: rules that begin or end later change nothing for it.
create table registry.fixed_fee (
    offering_id text not null,
    request_id text not null,
    approved_at timestamptz not null,
    rule_id text,
    payer_id text,
    amount_minor bigint,
    currency text,
    constraint fee_is_fixed_once primary key (offering_id, request_id, approved_at),
    constraint fixed_fee_is_whole_or_none check (num_nulls(rule_id, payer_id, amount_minor, currency) in (0, 4)),
    foreign key (offering_id, request_id) references registry.transfer_request,
    foreign key (offering_id, rule_id) references registry.transfer_rule
);
call audit.append_only('registry.fixed_fee');

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

-- What a transfer that is being approved costs whom, by the latest rule in force; nothing between wallets of one holder.
create function registry.fee_of(q registry.transfer_request) returns table (rule_id text, payer_id text, amount_minor bigint, currency text)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select r.rule_id, case r.payer when 'seller' then q.seller_id else q.buyer_id end, r.amount, o.currency
    from registry.rules_on(q.offering_id, 'fee', null, (q.decided_at at time zone 'UTC')::date) r
    join engine.offer o on o.offering_id = q.offering_id
    where q.kind <> 'own' order by r.starts_on desc limit 1;
end;

create function registry.fee_is_that_of_its_rule() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.transfer_request q left join lateral registry.fee_of(q) f on true
        where q.offering_id = new.offering_id and q.request_id = new.request_id and q.status = 'approved' and q.decided_at = new.approved_at
            and (f.rule_id, f.payer_id, f.amount_minor, f.currency)
                is not distinct from (new.rule_id, new.payer_id, new.amount_minor, new.currency)) then
        raise exception using errcode = 'BR008', constraint = 'fee_is_that_of_its_rule',
            message = format('no rule asks that for %s', new.request_id);
    end if;
    return new;
end $$;
create trigger fee_is_that_of_its_rule before insert on registry.fixed_fee
    for each row execute function registry.fee_is_that_of_its_rule();
alter table registry.fixed_fee enable always trigger fee_is_that_of_its_rule;

create function registry.approval_fixes_the_fee() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into registry.fixed_fee (offering_id, request_id, approved_at, rule_id, payer_id, amount_minor, currency)
    select new.offering_id, new.request_id, new.decided_at, f.rule_id, f.payer_id, f.amount_minor, f.currency
    from (values (true)) t left join lateral registry.fee_of(new) f on true;
    return null;
end $$;
create trigger approval_fixes_the_fee after update on registry.transfer_request
    for each row when (new.status = 'approved' and old.status = 'screened') execute function registry.approval_fixes_the_fee();
alter table registry.transfer_request enable always trigger approval_fixes_the_fee;

create function registry.charge_is_that_of_its_rule() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.transfer_request q
        join registry.fixed_fee f on (f.offering_id, f.request_id, f.approved_at) = (q.offering_id, q.request_id, q.decided_at)
        where q.offering_id = new.offering_id and q.request_id = new.request_id and q.status = 'registered'
            and (f.rule_id, f.payer_id, f.amount_minor, f.currency) = (new.rule_id, new.payer_id, new.amount_minor, new.currency)) then
        raise exception using errcode = 'BR008', constraint = 'charge_is_that_of_its_rule',
            message = format('the approval says no such fee for %s', new.request_id);
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
    select f.offering_id, f.request_id, f.rule_id, f.payer_id, f.amount_minor, f.currency from registry.fixed_fee f
    where (f.offering_id, f.request_id, f.approved_at) = (new.offering_id, new.request_id, new.decided_at) and f.rule_id is not null;
    return null;
end $$;
create trigger registered_transfer_is_charged after update on registry.transfer_request
    for each row when (new.status = 'registered' and old.status <> 'registered') execute function registry.registered_transfer_is_charged();
alter table registry.transfer_request enable always trigger registered_transfer_is_charged;

create view registry.charge_fact as
select offering_id, request_id, rule_id, payer_id, amount_minor, currency, charged_at from registry.transfer_charge;
