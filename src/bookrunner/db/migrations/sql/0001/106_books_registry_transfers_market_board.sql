-- The bulletin board of an offer: who would buy or sell how many units at which price. A match asks for a transfer, and no more.

create table registry.interest (
    offering_id text not null,
    interest_id text not null,
    status text not null,
    side text not null constraint interest_buys_or_sells check (side in ('buy', 'sell')),
    investor_id text not null,
    units bigint not null constraint interest_has_units check (units > 0),
    price_minor bigint not null constraint interest_has_its_price check (price_minor > 0),
    currency text not null constraint interest_names_its_currency check (currency ~ '^[A-Z]{3}$'),
    ends_on date not null,
    posted_by text not null,
    matched_with text,
    request_id text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, interest_id),
    foreign key (offering_id, request_id) references registry.transfer_request,
    constraint matched_interest_is_a_transfer
        check (case when status = 'matched' then num_nulls(matched_with, request_id) = 0 else matched_with is null and request_id is null end),
    constraint nobody_matches_itself check (coalesce(matched_with <> investor_id, true))
);
create index interest_that_stands on registry.interest (offering_id, investor_id) where status = 'posted';
create unique index transfer_of_one_interest on registry.interest (offering_id, request_id) where request_id is not null;
call audit.keep('registry.interest', 'interest', 'interest_id', 'offering_id');

create function registry.interest_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.side, new.investor_id, new.units, new.price_minor, new.currency, new.ends_on, new.posted_by)
        is distinct from (old.side, old.investor_id, old.units, old.price_minor, old.currency, old.ends_on, old.posted_by) then
        raise exception using errcode = 'BR006', constraint = 'interest_terms_are_locked',
            message = format('the terms of %s are locked', old.interest_id);
    end if;
    return new;
end $$;
create trigger interest_stands before update on registry.interest
    for each row execute function registry.interest_stands();
alter table registry.interest enable always trigger interest_stands;

-- Units that a holder offers on the board now; an offer whose last day is over offers nothing.
create function registry.offered_units(p_offering text, p_holder text) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
return (select coalesce(sum(i.units), 0)::bigint from registry.interest i where i.offering_id = p_offering and i.investor_id = p_holder
    and i.side = 'sell' and i.status = 'posted' and i.ends_on >= registry.today());

-- Units of a holder that are free and neither pledged, traded nor offered.
create function registry.unoffered_units(p_offering text, p_holder text) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return coalesce(registry.free_units(p_offering, p_holder), 0) - registry.pledged(p_offering, p_holder, null, null)
        - registry.traded_units(p_offering, p_holder) - registry.offered_units(p_offering, p_holder);
end $$;

-- The wall, whoever writes it: a poster is cleared, and offers what is free and neither pledged, traded nor offered already.
create function registry.offer_stays_within_the_balance() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    free bigint := registry.unoffered_units(new.offering_id, new.investor_id);
begin
    if not coalesce((engine.party_of(new.offering_id, new.investor_id)).is_cleared, false) then
        raise exception using errcode = 'BR008', constraint = 'poster_is_cleared',
            message = format('%s is not cleared for %s', new.investor_id, new.offering_id);
    end if;
    if new.side = 'sell' and new.units > free then
        raise exception using errcode = 'BR008', constraint = 'offered_units_are_free',
            message = format('%s units are free to offer', greatest(free, 0));
    end if;
    return new;
end $$;
create trigger offer_stays_within_the_balance before insert on registry.interest
    for each row execute function registry.offer_stays_within_the_balance();
alter table registry.interest enable always trigger offer_stays_within_the_balance;

-- Said has side, investor, units, price_minor of one unit, currency and ends_on.
create function registry.post_interest(p_actor text, p_request text, p_offering text, p_interest text, p_said jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform engine.lock_parties(p_offering, array[p_said ->> 'investor']);
    perform registry.book_of(p_offering);
    if (p_said ->> 'ends_on')::date < registry.today() then
        raise exception using errcode = 'BR008', constraint = 'interest_ends_in_days_to_come', message = 'its last day is over';
    end if;
    insert into registry.interest (offering_id, interest_id, status, side, investor_id, units, price_minor, currency, ends_on, posted_by)
    select p_offering, p_interest, 'posted', s.side, s.investor, s.units, s.price_minor, s.currency, s.ends_on, p_actor
    from jsonb_to_record(p_said) as s (side text, investor text, units bigint, price_minor bigint, currency text, ends_on date);
end $$;

create function registry.hold_interest(p_offering text, p_interest text, p_other text) returns registry.interest
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    i registry.interest;
begin
    select * into i from registry.interest where offering_id = p_offering and interest_id = p_interest;
    perform engine.lock_parties(p_offering, array[i.investor_id, p_other]);
    perform registry.book_of(p_offering);
    select * into i from registry.interest where offering_id = p_offering and interest_id = p_interest for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'interest_exists', message = format('there is no interest %s', p_interest);
    end if;
    return i;
end $$;

-- Another investor takes an interest as a whole. What the rules of transfers refuse is refused here by the first of them;
-- what they allow is asked for, and goes its way: papers of both, screening, a person's approval.
create function registry.match_interest(p_actor text, p_request text, p_offering text, p_interest text, p_investor text,
    p_transfer text, p_item text, p_clock jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    i registry.interest;
    q registry.transfer_request;
begin
    perform audit.enter(p_actor, p_request);
    i := registry.hold_interest(p_offering, p_interest, p_investor);
    if i.ends_on < registry.today() then
        raise exception using errcode = 'BR008', constraint = 'interest_has_not_ended', message = format('%s has ended', p_interest);
    end if;
    q.offering_id := p_offering;
    q.units := i.units;
    q.seller_id := case i.side when 'sell' then i.investor_id else p_investor end;
    q.buyer_id := case i.side when 'sell' then p_investor else i.investor_id end;
    perform registry.require_transfer(q);
    if i.units > registry.unoffered_units(p_offering, q.seller_id) + (case i.side when 'sell' then i.units else 0 end) then
        raise exception using errcode = 'BR008', constraint = 'offered_units_are_free', message = 'fewer units are free to sell';
    end if;
    perform registry.request_transfer(p_actor, p_request, p_offering, p_transfer, jsonb_build_object('kind', 'sale', 'route', 'agent',
        'seller', q.seller_id, 'buyer', q.buyer_id, 'units', i.units, 'price_minor', i.units * i.price_minor,
        'currency', i.currency), '[]', p_item, p_clock);
    update registry.interest set status = 'matched', matched_with = p_investor, request_id = p_transfer
    where offering_id = p_offering and interest_id = p_interest;
end $$;

create function registry.withdraw_interest(p_actor text, p_request text, p_offering text, p_interest text, p_investor text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    i registry.interest;
begin
    perform audit.enter(p_actor, p_request);
    i := registry.hold_interest(p_offering, p_interest, null);
    if i.investor_id is distinct from p_investor then
        raise exception using errcode = 'BR404', constraint = 'interest_exists', message = format('there is no interest %s', p_interest);
    end if;
    update registry.interest set status = 'withdrawn' where offering_id = p_offering and interest_id = p_interest;
end $$;
