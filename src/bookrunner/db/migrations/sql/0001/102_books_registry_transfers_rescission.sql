-- Rescission of a transfer: the units go back by an order of the agent that two people agreed on, and the price is owed back by name.

create table registry.rescission (
    offering_id text not null,
    rescission_id text not null,
    request_id text not null,
    action_id text not null,
    status text not null,
    owed_by text,
    owed_to text,
    price_minor bigint,
    currency text,
    repaid_by text,
    repaid_sha256 bytea constraint repayment_is_proved check (octet_length(repaid_sha256) = 32),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, rescission_id),
    foreign key (offering_id, request_id) references registry.transfer_request,
    foreign key (offering_id, action_id) references registry.control_action,
    constraint order_rescinds_one_transfer unique (offering_id, action_id),
    constraint owed_price_names_both_sides check (num_nulls(owed_by, owed_to, price_minor, currency) in (0, 4)),
    constraint repaid_price_has_its_proof check ((status = 'repaid') = (repaid_sha256 is not null)
        and (repaid_sha256 is null) = (repaid_by is null) and (status <> 'repaid' or price_minor is not null))
);
create unique index transfer_is_rescinded_once on registry.rescission (offering_id, request_id) where status <> 'dropped';
call audit.keep('registry.rescission', 'rescission', 'rescission_id', 'offering_id');

-- Units of a transfer that are still in the lots which it made.
create function registry.units_that_stayed(p_offering text, p_movement text) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
return (select coalesce(sum(registry.left_of(l.offering_id, l.lot_id)), 0)::bigint from registry.lot l
    where l.offering_id = p_offering and l.movement_id = p_movement);

-- Whether the lots that a transfer made go back by an order that is agreed and not carried out.
create function registry.is_promised_back(p_offering text, p_movement text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from registry.rescission r join registry.control_action a using (offering_id, action_id)
    join registry.transfer_request q using (offering_id, request_id)
    where r.offering_id = p_offering and r.status = 'asked' and a.status in ('approved', 'submitted', 'reverted')
        and q.movement_id = p_movement);

create function registry.require_rescindable(p_offering text, p_transfer text, p_person text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    q registry.transfer_request;
    ended text[];
begin
    select * into q from registry.transfer_request x where x.offering_id = p_offering and x.request_id = p_transfer;
    if q.status is distinct from 'registered' or q.kind = 'own' then
        raise exception using errcode = 'BR008', constraint = 'rescinded_transfer_is_registered',
            message = format('%s put no units of one holder to another', p_transfer);
    end if;
    if registry.units_that_stayed(p_offering, q.movement_id) <> q.units then
        ended := array(select distinct m.kind from registry.lot l join registry.lot_use u using (offering_id, lot_id)
            join registry.movement m on m.offering_id = u.offering_id and m.movement_id = u.movement_id
            where l.offering_id = p_offering and l.movement_id = q.movement_id);
        if ended <@ '{split}' then
            raise exception using errcode = 'BR008', constraint = 'rescinded_units_were_not_split',
                message = format('the units of %s were split, and stand for others', p_transfer);
        elsif ended <@ '{split,conversion}' then
            raise exception using errcode = 'BR008', constraint = 'rescinded_units_were_not_converted',
                message = format('the units of %s became those of another class', p_transfer);
        elsif ended <@ '{split,conversion,redemption}' then
            raise exception using errcode = 'BR008', constraint = 'rescinded_units_were_not_bought_back',
                message = format('the issuer bought units of %s back', p_transfer);
        end if;
        raise exception using errcode = 'BR008', constraint = 'rescinded_units_stayed_with_their_taker',
            message = format('units of %s moved on', p_transfer);
    end if;
    if engine.is_person_of(p_person, q.seller_id) or engine.is_person_of(p_person, q.buyer_id) then
        raise exception using errcode = 'BR008', constraint = 'rescission_is_decided_by_others',
            message = format('%s acts for giver or taker of %s', p_person, p_transfer);
    end if;
end $$;

-- A rescission says what its transfer and its order say; its end follows the order.
create function registry.rescission_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'UPDATE' and (old.request_id, old.action_id, old.owed_by, old.owed_to, old.price_minor, old.currency) is distinct from
        (new.request_id, new.action_id, new.owed_by, new.owed_to, new.price_minor, new.currency) then
        raise exception using errcode = 'BR006', constraint = 'rescission_is_locked',
            message = format('%s says what was asked', old.rescission_id);
    end if;
    if not exists (select from registry.transfer_request q join registry.control_action a using (offering_id)
        where q.offering_id = new.offering_id and q.request_id = new.request_id and a.action_id = new.action_id
            and a.kind = 'force_transfer' and (a.investor_id, a.receiver_id, a.units) = (q.buyer_id, q.seller_id, q.units)
            and (new.price_minor, new.currency) is not distinct from (q.price_minor, case when q.price_minor is not null then q.currency end)
            and (new.price_minor is null or (new.owed_by, new.owed_to) = (q.seller_id, q.buyer_id))
            and (new.status, a.status) in (('asked', 'asked'), ('dropped', 'declined'), ('dropped', 'abandoned'), ('done', 'executed'),
                ('repaid', 'executed'))) then
        raise exception using errcode = 'BR008', constraint = 'rescission_follows_its_order',
            message = format('no order puts the units of %s back', new.request_id);
    end if;
    return new;
end $$;
create trigger rescission_stands before insert or update on registry.rescission for each row execute function registry.rescission_stands();
alter table registry.rescission enable always trigger rescission_stands;

-- The wall: nobody approves the order of a rescission whose units moved on, or that is the person's own; and a transfer is rescinded
-- by what its order did.
create function registry.order_of_rescission_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    r registry.rescission;
begin
    select * into r from registry.rescission x where x.offering_id = new.offering_id and x.action_id = new.action_id;
    if not found then
        return null;
    end if;
    if new.status = 'approved' then
        perform registry.require_rescindable(r.offering_id, r.request_id, new.decided_by);
    elsif new.status in ('declined', 'abandoned') then
        update registry.rescission set status = 'dropped' where offering_id = r.offering_id and rescission_id = r.rescission_id;
    elsif new.status = 'executed' then
        update registry.rescission set status = 'done' where offering_id = r.offering_id and rescission_id = r.rescission_id;
        update registry.transfer_request set status = 'rescinded' where offering_id = r.offering_id and request_id = r.request_id;
    end if;
    return null;
end $$;
create trigger order_of_rescission_stands after update on registry.control_action
    for each row when (new.kind = 'force_transfer' and new.status <> old.status) execute function registry.order_of_rescission_stands();
alter table registry.control_action enable always trigger order_of_rescission_stands;

create function registry.transfer_is_rescinded_by_its_order() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.rescission r where r.offering_id = new.offering_id and r.request_id = new.request_id
        and r.status = 'done') then
        raise exception using errcode = 'BR008', constraint = 'transfer_is_rescinded_by_its_order',
            message = format('no order rescinded %s', new.request_id);
    end if;
    return new;
end $$;
create trigger transfer_is_rescinded_by_its_order before update on registry.transfer_request
    for each row when (new.status = 'rescinded' and old.status = 'registered') execute function registry.transfer_is_rescinded_by_its_order();
alter table registry.transfer_request enable always trigger transfer_is_rescinded_by_its_order;

-- Asks for a rescission: {transfer, because, order_sha256 (hex), order_reference}. Another person approves its order.
create function registry.ask_rescission(p_actor text, p_request text, p_offering text, p_rescission text, p_action text, p_asked jsonb)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    q registry.transfer_request;
begin
    perform audit.enter(p_actor, p_request);
    q := registry.hold_transfer(p_offering, p_asked ->> 'transfer');
    perform registry.require_rescindable(p_offering, q.request_id, p_actor);
    insert into registry.control_action (offering_id, action_id, status, kind, investor_id, receiver_id, units, because, order_sha256,
        order_reference, asked_by)
    values (p_offering, p_action, 'asked', 'force_transfer', q.buyer_id, q.seller_id, q.units, p_asked ->> 'because',
        decode(p_asked ->> 'order_sha256', 'hex'), p_asked ->> 'order_reference', p_actor);
    insert into registry.rescission (offering_id, rescission_id, request_id, action_id, status, owed_by, owed_to, price_minor, currency)
    values (p_offering, p_rescission, q.request_id, p_action, 'asked', case when q.price_minor is not null then q.seller_id end,
        case when q.price_minor is not null then q.buyer_id end, q.price_minor, case when q.price_minor is not null then q.currency end);
end $$;

-- Records that the price was paid back, on evidence.
create function registry.record_repayment(p_actor text, p_request text, p_offering text, p_rescission text, p_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update registry.rescission set status = 'repaid', repaid_by = p_actor, repaid_sha256 = p_sha256
    where offering_id = p_offering and rescission_id = p_rescission;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'rescission_exists', message = format('there is no rescission %s', p_rescission);
    end if;
end $$;

-- Each rescission with its order, its people and who owes the price to whom.
create view registry.rescission_standing as
select r.*, q.seller_id, q.buyer_id, q.units, a.status as order_status, a.because, a.order_reference, a.order_sha256, a.asked_by,
    a.asked_at, a.decided_by, a.decided_because, a.ended_at
from registry.rescission r join registry.transfer_request q using (offering_id, request_id)
join registry.control_action a using (offering_id, action_id);
