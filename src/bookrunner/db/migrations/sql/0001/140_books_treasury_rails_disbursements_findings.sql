-- Payments in tokens whose final transaction did not move what they order: two people say that nothing moved, and the line is open again.

create table treasury.payment_finding (
    offering_id text not null,
    finding_id text not null,
    payout_id text not null,
    disbursement_id text not null,
    status text not null,
    because text not null constraint closed_payment_has_its_reason check (because ~ '\S'),
    proposed_by text not null,
    decided_by text,
    decided_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, finding_id),
    foreign key (offering_id, payout_id) references treasury.coin_payment,
    constraint decided_finding_says_who_and_why check ((status = 'proposed') = (decided_by is null)
        and (decided_by is null or coalesce(decided_because ~ '\S', false))),
    constraint closed_payment_needs_two_people
        check (status <> 'closed' or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false))
);
create unique index payment_is_closed_once on treasury.payment_finding (offering_id, payout_id) where status <> 'declined';
call audit.keep('treasury.payment_finding', 'payment_finding', 'finding_id', 'offering_id', '{because,decided_because}');

create function treasury.is_closed(p_offering text, p_payout text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select exists (select from treasury.payment_finding f where f.offering_id = p_offering and f.payout_id = p_payout and f.status = 'closed');
end;

-- Whoever closes an order and whoever settles it take the turn of the ledger, and see what the other one has done.
create function treasury.payment_finding_stands() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform treasury.take_turn(new.offering_id);
    if tg_op = 'UPDATE' and (new.payout_id, new.disbursement_id, new.because, new.proposed_by)
            is distinct from (old.payout_id, old.disbursement_id, old.because, old.proposed_by) then
        raise exception using errcode = 'BR006', constraint = 'payment_finding_stays_as_proposed', message = format('propose %s anew', old.finding_id);
    end if;
    if new.status <> 'declined' and not exists (select from treasury.unsettled_payment u where u.offering_id = new.offering_id
            and u.payout_id = new.payout_id and u.disbursement_id = new.disbursement_id) then
        raise exception using errcode = 'BR008', constraint = 'closed_payment_is_final_and_unsettled',
            message = format('%s is settled, closed, or its transaction is not final', new.payout_id);
    end if;
    return new;
end $$;
create trigger payment_finding_stands before insert or update on treasury.payment_finding
    for each row execute function treasury.payment_finding_stands();
alter table treasury.payment_finding enable always trigger payment_finding_stands;

create function treasury.closed_payment_is_not_settled() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform treasury.take_turn(new.offering_id);
    if treasury.is_closed(new.offering_id, new.payout_id) then
        raise exception using errcode = 'BR008', constraint = 'closed_payment_is_not_settled',
            message = format('two people closed %s, and its line may be paid again', new.payout_id);
    end if;
    return new;
end $$;
create trigger closed_payment_is_not_settled before insert on treasury.coin_settlement
    for each row execute function treasury.closed_payment_is_not_settled();
alter table treasury.coin_settlement enable always trigger closed_payment_is_not_settled;

create function treasury.propose_payment_finding(p_actor text, p_request text, p_offering text, p_finding text, p_payout text, p_because text)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into treasury.payment_finding (offering_id, finding_id, payout_id, disbursement_id, status, because, proposed_by)
    select p_offering, p_finding, c.payout_id, c.disbursement_id, 'proposed', p_because, p_actor
    from treasury.coin_payment c where c.offering_id = p_offering and c.payout_id = p_payout;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'payment_exists', message = format('%s is no order in tokens of %s', p_payout, p_offering);
    end if;
end $$;

-- Another person says that nothing moved: the tokens are where they were, and the line is open until somebody tries it again.
create function treasury.decide_payment_finding(p_actor text, p_request text, p_offering text, p_finding text, p_is_agreed boolean, p_because text,
    p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    f treasury.payment_finding;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into f from treasury.payment_finding x where x.offering_id = p_offering and x.finding_id = p_finding for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'finding_exists', message = format('there is no finding %s', p_finding);
    end if;
    perform treasury.on_version(f.version, p_seen);
    update treasury.payment_finding set status = case when p_is_agreed then 'closed' else 'declined' end, decided_by = p_actor,
        decided_because = p_because
    where offering_id = p_offering and finding_id = p_finding;
    if p_is_agreed then
        perform treasury.open_coin_line(p_offering, f.payout_id, 'moved_nothing');
    end if;
end $$;
