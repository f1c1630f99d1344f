-- A paying wallet whose key is lost: two people say so, what is left in it is a loss by its name, and another wallet may take its place.

create table treasury.wallet_loss (
    offering_id text not null,
    loss_id text not null,
    wallet_id text not null,
    status text not null,
    because text not null constraint lost_wallet_has_its_reason check (because ~ '\S'),
    proposed_by text not null,
    decided_by text,
    decided_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, loss_id),
    foreign key (offering_id, wallet_id) references treasury.paying_wallet,
    constraint decided_loss_says_who_and_why check ((status = 'proposed') = (decided_by is null)
        and (decided_by is null or coalesce(decided_because ~ '\S', false))),
    constraint lost_wallet_needs_two_people
        check (status not in ('declared', 'made_good') or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false))
);
create unique index wallet_is_lost_once on treasury.wallet_loss (offering_id, wallet_id) where status <> 'declined';
call audit.keep('treasury.wallet_loss', 'wallet_loss', 'loss_id', 'offering_id', '{because,decided_because}');

-- What each payment that had begun loses with a wallet, and the money that made it good.
create table treasury.lost_part (
    offering_id text not null,
    loss_id text not null,
    distribution_id text not null,
    currency text not null,
    amount_minor bigint not null check (amount_minor > 0),
    primary key (offering_id, loss_id, distribution_id),
    foreign key (offering_id, loss_id) references treasury.wallet_loss
);
create index lost_part_of_distribution on treasury.lost_part (offering_id, distribution_id);
call audit.append_only('treasury.lost_part');
create table treasury.loss_recovery (
    offering_id text not null,
    loss_id text not null,
    distribution_id text not null,
    receipt_id text not null,
    amount_minor bigint not null check (amount_minor > 0),
    constraint receipt_makes_good_once primary key (offering_id, receipt_id),
    foreign key (offering_id, loss_id, distribution_id) references treasury.lost_part,
    foreign key (offering_id, receipt_id) references treasury.receipt
);
call audit.append_only('treasury.loss_recovery');

create view treasury.lost_standing as
select p.offering_id, p.loss_id, p.distribution_id, p.currency, p.amount_minor, coalesce(r.good_minor, 0)::bigint as good_minor,
    (p.amount_minor - coalesce(r.good_minor, 0))::bigint as open_minor
from treasury.lost_part p
left join lateral (select sum(x.amount_minor) as good_minor from treasury.loss_recovery x where x.offering_id = p.offering_id
    and x.loss_id = p.loss_id and x.distribution_id = p.distribution_id) r on true;

-- What was lost with wallets of a payment's tokens, and how much of it is made good.
create function treasury.lost_of(p_offering text, p_distribution text, out lost numeric, out good numeric)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select coalesce(sum(s.amount_minor), 0), coalesce(sum(s.good_minor), 0) from treasury.lost_standing s
    where s.offering_id = p_offering and s.distribution_id = p_distribution;
end;

-- A loss is of the wallet in force. With its declaration the wallet pays no more; no order of it may be on its way, and money that is there for a
-- payment that has not begun is taken back from that first.
create function treasury.wallet_loss_stands() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    w treasury.paying_wallet;
begin
    perform treasury.take_turn(new.offering_id);
    select * into w from treasury.paying_wallet x where x.offering_id = new.offering_id and x.wallet_id = new.wallet_id for update;
    if tg_op = 'UPDATE' and (new.wallet_id, new.because, new.proposed_by) is distinct from (old.wallet_id, old.because, old.proposed_by) then
        raise exception using errcode = 'BR006', constraint = 'wallet_loss_stays_as_proposed', message = format('propose %s anew', old.loss_id);
    elsif new.status in ('proposed', 'declared') and w.status is distinct from 'in_force' then
        raise exception using errcode = 'BR008', constraint = 'lost_wallet_is_in_force', message = format('%s pays nobody', new.wallet_id);
    elsif new.status = 'declared' and exists (select from treasury.coin_payment c join treasury.disbursement d on d.offering_id = c.offering_id
            and d.payout_id = c.payout_id and d.status = 'paying' where c.offering_id = new.offering_id and c.sender = w.address) then
        raise exception using errcode = 'BR008', constraint = 'lost_wallet_has_no_order_on_its_way',
            message = format('a transaction that %s signed may come through yet', new.wallet_id);
    elsif new.status = 'declared' and exists (select from treasury.receipt r where r.offering_id = new.offering_id and r.status = 'funding'
            and r.rail = 'stablecoin' and not treasury.has_begun(r.offering_id, r.funds_distribution_id)) then
        raise exception using errcode = 'BR008', constraint = 'lost_wallet_funds_begun_payments_alone',
            message = format('%s funds a payment that has not begun; undo that first', new.wallet_id);
    elsif new.status = 'made_good' and exists (select from treasury.lost_standing s where s.offering_id = new.offering_id
            and s.loss_id = new.loss_id and s.open_minor > 0) then
        raise exception using errcode = 'BR008', constraint = 'loss_ends_when_it_is_made_good', message = format('%s is open still', new.loss_id);
    end if;
    return new;
end $$;
create trigger wallet_loss_stands before insert or update on treasury.wallet_loss for each row execute function treasury.wallet_loss_stands();
alter table treasury.wallet_loss enable always trigger wallet_loss_stands;

-- A wallet that was lost pays nobody again, whoever finds the key: others may have found it too.
create function treasury.lost_wallet_stays_lost() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform treasury.take_turn(new.offering_id);
    if exists (select from treasury.paying_wallet w where w.address = new.address and w.status = 'lost') then
        raise exception using errcode = 'BR008', constraint = 'lost_wallet_pays_no_more',
            message = format('the key of %s was declared lost; use another', new.wallet_id);
    end if;
    return new;
end $$;
create trigger lost_wallet_stays_lost before insert or update on treasury.paying_wallet
    for each row when (new.status in ('proposed', 'in_force')) execute function treasury.lost_wallet_stays_lost();
alter table treasury.paying_wallet enable always trigger lost_wallet_stays_lost;

-- What is lost is what tokens of a payment are left; what makes it good is a receipt of that payment, and no more than is open.
create function treasury.lost_part_stands() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform treasury.take_turn(new.offering_id);
    if not exists (select from treasury.wallet_loss l join treasury.paying_wallet w using (offering_id, wallet_id)
            where l.offering_id = new.offering_id and l.loss_id = new.loss_id and l.status = 'declared' and w.status = 'in_force')
        or new.amount_minor::numeric <> treasury.room_on(new.offering_id, new.distribution_id, true) then
        raise exception using errcode = 'BR009', constraint = 'lost_part_is_what_was_left', message = format('%s had another sum left', new.distribution_id);
    end if;
    return new;
end $$;
create trigger lost_part_stands before insert on treasury.lost_part for each row execute function treasury.lost_part_stands();
alter table treasury.lost_part enable always trigger lost_part_stands;
create function treasury.loss_is_made_good_once() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform treasury.take_turn(new.offering_id);
    if not exists (select from treasury.lost_standing s join treasury.receipt r on r.offering_id = s.offering_id and r.receipt_id = new.receipt_id
        where s.offering_id = new.offering_id and s.loss_id = new.loss_id and s.distribution_id = new.distribution_id
            and new.amount_minor <= s.open_minor and r.amount_minor = new.amount_minor and r.status = 'funding'
            and r.currency = s.currency and r.funds_distribution_id = s.distribution_id and r.matched_in = 'good:' || new.receipt_id) then
        raise exception using errcode = 'BR009', constraint = 'recovery_is_within_the_loss',
            message = format('%s is more than is open, or is no money that makes it good', new.receipt_id);
    end if;
    return new;
end $$;
create trigger loss_is_made_good_once before insert on treasury.loss_recovery
    for each row execute function treasury.loss_is_made_good_once();
alter table treasury.loss_recovery enable always trigger loss_is_made_good_once;

create function treasury.propose_wallet_loss(p_actor text, p_request text, p_offering text, p_loss text, p_wallet text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into treasury.wallet_loss (offering_id, loss_id, wallet_id, status, because, proposed_by)
    values (p_offering, p_loss, p_wallet, 'proposed', p_because, p_actor);
end $$;

-- Another person agrees. Orders that nobody signed wait again; what is left of each payment leaves the tokens of the ledger for a loss.
create function treasury.decide_wallet_loss(p_actor text, p_request text, p_offering text, p_loss text, p_is_agreed boolean, p_because text,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    l treasury.wallet_loss;
    w record;
    p treasury.payout;
    x record;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into l from treasury.wallet_loss a where a.offering_id = p_offering and a.loss_id = p_loss for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'wallet_loss_exists', message = format('there is no loss %s', p_loss);
    end if;
    perform treasury.on_version(l.version, p_seen);
    select k.chain_id, k.address, c.token into w from treasury.paying_wallet k join treasury.accepted_coin c using (offering_id, coin_id)
    where k.offering_id = p_offering and k.wallet_id = l.wallet_id;
    if p_is_agreed then
        for p in select o.* from treasury.payout o join treasury.coin_payment c using (offering_id, payout_id)
            where o.offering_id = p_offering and o.status = 'prepared' and c.sender = w.address order by o.payout_id for update of o
        loop
            perform treasury.free_disbursements(p);
            update treasury.payout set status = 'withdrawn' where offering_id = p_offering and payout_id = p.payout_id;
        end loop;
    end if;
    update treasury.wallet_loss set status = case when p_is_agreed then 'declared' else 'declined' end, decided_by = p_actor, decided_because = p_because
    where offering_id = p_offering and loss_id = p_loss;
    if p_is_agreed is not true then
        return;
    end if;
    for x in select r.funds_distribution_id as id, min(r.currency) as currency, treasury.room_on(p_offering, r.funds_distribution_id, true)::bigint as rest
        from treasury.receipt r where r.offering_id = p_offering and r.status = 'funding' and r.rail = 'stablecoin' group by 1 order by 1
    loop
        continue when x.rest <= 0;
        insert into treasury.lost_part (offering_id, loss_id, distribution_id, currency, amount_minor)
        values (p_offering, p_loss, x.id, x.currency, x.rest);
        perform treasury.post(p_offering, 'lost:' || p_loss || ':' || x.id, 'wallet_lost', x.currency, jsonb_build_array(
            jsonb_build_object('account', 'asset:lost_wallet', 'side', 'debit', 'amount', x.rest),
            jsonb_build_object('account', 'asset:stablecoin:' || w.chain_id || ':' || encode(w.token, 'hex'), 'side', 'credit', 'amount', x.rest)));
    end loop;
    update treasury.paying_wallet set status = 'lost' where offering_id = p_offering and wallet_id = l.wallet_id;
    if not exists (select from treasury.lost_part a where a.offering_id = p_offering and a.loss_id = p_loss) then
        update treasury.wallet_loss set status = 'made_good' where offering_id = p_offering and loss_id = p_loss;
    end if;
end $$;

-- Takes a receipt that nobody owns as money that makes a loss good: at the bank, or in the wallet that pays now. The rule is that of funding.
create function treasury.make_loss_good(p_actor text, p_request text, p_offering text, p_loss text, p_distribution text, p_receipt text, p_seen bigint)
returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    r treasury.receipt;
    s treasury.lost_standing;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into r from treasury.receipt where offering_id = p_offering and receipt_id = p_receipt for update;
    perform treasury.on_version(r.version, p_seen);
    select * into s from treasury.lost_standing x where x.offering_id = p_offering and x.loss_id = p_loss and x.distribution_id = p_distribution;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'wallet_loss_exists', message = format('%s lost nothing of %s', p_loss, p_distribution);
    end if;
    if r.status is distinct from 'unmatched' or r.currency <> s.currency or r.amount_minor > s.open_minor
        or not (treasury.is_final_at_the_bank(r) or treasury.is_final_in_the_paying_wallet(r)) then
        raise exception using errcode = 'BR008', constraint = 'recovery_is_within_the_loss',
            message = format('%s does not wait, can still be taken back, or is more than is open', p_receipt);
    elsif treasury.is_an_investors(r) then
        raise exception using errcode = 'BR008', constraint = 'fund_is_no_investors_money',
            message = format('%s names an investment, or comes from the account of an investor', p_receipt);
    elsif not engine.may_go_back(p_offering, p_receipt) then
        raise exception using errcode = 'BR008', constraint = 'fund_comes_from_nobody_listed',
            message = format('whoever paid %s waits for a screening, or a list may name it', p_receipt);
    end if;
    perform treasury.post(p_offering, 'good:' || p_receipt, 'loss_made_good', r.currency, jsonb_build_array(
        jsonb_build_object('account', 'liab:unmatched', 'side', 'debit', 'amount', r.amount_minor),
        jsonb_build_object('account', 'asset:lost_wallet', 'side', 'credit', 'amount', r.amount_minor)));
    update treasury.receipt set status = 'funding', exception = null, funds_distribution_id = p_distribution, matched_in = 'good:' || p_receipt
    where offering_id = p_offering and receipt_id = p_receipt;
    insert into treasury.loss_recovery (offering_id, loss_id, distribution_id, receipt_id, amount_minor)
    values (p_offering, p_loss, p_distribution, p_receipt, r.amount_minor);
    if not exists (select from treasury.lost_standing x where x.offering_id = p_offering and x.loss_id = p_loss and x.open_minor > 0) then
        update treasury.wallet_loss set status = 'made_good' where offering_id = p_offering and loss_id = p_loss;
    end if;
    return s.open_minor - r.amount_minor;
end $$;
