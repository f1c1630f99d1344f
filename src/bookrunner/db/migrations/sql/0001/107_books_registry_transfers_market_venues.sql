-- Venues whose signed messages tell of executed trades, and the trades: each becomes a transfer request or is rejected by name.

create table registry.venue (
    offering_id text not null,
    venue_id text not null,
    status text not null,
    -- An alternative trading system (17 CFR 242.300(a)), or a broker that trades outside of one.
    kind text not null constraint venue_kind_is_known check (kind in ('ats', 'broker')),
    name text not null constraint venue_has_its_name check (name ~ '\S'),
    -- An alternative trading system is registered as a broker-dealer (17 CFR 242.301(b)(1)).
    registered_as text not null constraint venue_names_its_registration check (registered_as ~ '\S'),
    agreement_sha256 bytea not null constraint venue_has_its_agreement check (octet_length(agreement_sha256) = 32),
    public_key bytea not null constraint venue_key_is_ed25519 check (octet_length(public_key) = 32),
    next_key bytea constraint next_venue_key_is_ed25519 check (octet_length(next_key) = 32),
    next_key_by text,
    key_declined_because text,
    proposed_by text not null,
    decided_by text,
    decided_because text,
    ended_by text,
    ended_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, venue_id),
    constraint venue_needs_two_people check (status not in ('in_force', 'ended')
        or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false)),
    constraint next_venue_key_names_its_proposer check ((next_key is null) = (next_key_by is null)),
    constraint declined_venue_has_its_reason check (status <> 'declined' or coalesce(decided_because ~ '\S', false)),
    constraint ended_venue_has_its_reason check (status <> 'ended' or ended_by is not null and coalesce(ended_because ~ '\S', false))
);
call audit.keep('registry.venue', 'venue', 'venue_id', 'offering_id');

-- What two people agreed to stays; another key comes in force by two people too, whoever writes it.
create function registry.venue_stays_as_agreed() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.kind, new.name, new.registered_as, new.agreement_sha256, new.proposed_by)
        is distinct from (old.kind, old.name, old.registered_as, old.agreement_sha256, old.proposed_by)
        or old.status <> 'proposed' and (new.decided_by, new.decided_because) is distinct from (old.decided_by, old.decided_because)
        or new.public_key <> old.public_key and new.public_key is distinct from old.next_key then
        raise exception using errcode = 'BR006', constraint = 'venue_terms_are_locked',
            message = format('the terms of %s are locked', old.venue_id);
    end if;
    if new.public_key <> old.public_key
        and audit.person_of(current_setting('bookrunner.actor')) = audit.person_of(old.next_key_by) then
        raise exception using errcode = 'BR008', constraint = 'venue_key_needs_two_people',
            message = format('%s proposed the key', old.next_key_by);
    end if;
    return new;
end $$;
create trigger venue_stays_as_agreed before update on registry.venue
    for each row execute function registry.venue_stays_as_agreed();
alter table registry.venue enable always trigger venue_stays_as_agreed;

-- One executed trade as its venue signed it; whoever has body, key and signature can check it without us.
create table registry.trade (
    offering_id text not null,
    trade_id text not null,
    status text not null,
    venue_id text not null,
    number text not null constraint trade_has_its_number check (number ~ '^[A-Za-z0-9_.-]{1,64}$'),
    message_id text not null,
    signed_at bigint not null,
    public_key bytea not null check (octet_length(public_key) = 32),
    signature bytea not null constraint trade_is_signed check (octet_length(signature) = 64),
    body_sha256 bytea not null check (octet_length(body_sha256) = 32),
    seller_id text not null,
    buyer_id text not null,
    units bigint not null constraint trade_has_units check (units > 0),
    price_minor bigint not null constraint trade_has_its_price check (price_minor > 0),
    currency text not null constraint trade_names_its_currency check (currency ~ '^[A-Z]{3}$'),
    executed_at timestamptz not null,
    request_id text,
    rules text[] not null default '{}',
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, trade_id),
    foreign key (offering_id, venue_id) references registry.venue,
    foreign key (offering_id, request_id) references registry.transfer_request,
    constraint each_trade_of_a_venue_is_one unique (offering_id, venue_id, number),
    constraint taken_trade_is_a_transfer check ((status = 'taken') = (request_id is not null)),
    constraint rejected_trade_names_its_rules check ((status = 'rejected') = (rules <> '{}'))
);
create unique index transfer_of_one_trade on registry.trade (offering_id, request_id) where request_id is not null;
call audit.keep('registry.trade', 'trade', 'trade_id', 'offering_id');

-- A message that contradicts an earlier one. While one is open, the transfer of its trade is not approved.
create table registry.trade_alarm (
    offering_id text not null,
    alarm_id text not null,
    status text not null,
    rule text not null constraint trade_alarm_rule_is_known check (rule in ('message_id_has_one_body', 'trade_has_one_content')),
    venue_id text not null,
    message_id text not null,
    trade_id text,
    body_sha256 bytea not null check (octet_length(body_sha256) = 32),
    answered_by text,
    answered_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, alarm_id),
    constraint answered_trade_alarm_says_who_and_why
        check ((status = 'answered') = (answered_by is not null and coalesce(answered_because ~ '\S', false)))
);
create index trade_alarm_that_is_open on registry.trade_alarm (offering_id, trade_id) where status = 'raised';
call audit.keep('registry.trade_alarm', 'trade_alarm', 'alarm_id', 'offering_id');

-- The rule that an open alarm breaks for the request of its trade.
create function registry.refusal_by_trade(p_offering text, p_except text) returns setof registry.refusal
language sql stable rows 1 set search_path = pg_catalog, pg_temp
begin atomic
    select 67, 'trade_is_not_contradicted', 'its venue sent it with two contents', null::date
    from registry.trade t join registry.trade_alarm a on a.offering_id = t.offering_id and a.trade_id = t.trade_id
    where t.offering_id = p_offering and t.request_id = p_except and a.status = 'raised' limit 1;
end;

-- Units that trades and matches of a seller will take and that no approval has set aside yet.
create function registry.traded_units(p_offering text, p_seller text) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
return (select coalesce(sum(q.units), 0)::bigint from registry.transfer_request q where q.offering_id = p_offering
    and q.seller_id = p_seller and q.status in ('requested', 'screened', 'returned')
    and (exists (select from registry.trade t where t.offering_id = q.offering_id and t.request_id = q.request_id)
        or exists (select from registry.interest i where i.offering_id = q.offering_id and i.request_id = q.request_id)));

-- Every rule that keeps a trade from going now: those of a transfer, and the balance less what waits for other transfers and trades.
create function registry.trade_refusals(p_offering text, p_seller text, p_buyer text, p_units bigint) returns text[]
language sql stable set search_path = pg_catalog, pg_temp
return (select coalesce(array_agg(f.rule order by f.place, f.rule), '{}') from (
    select r.place, r.rule from registry.transfer_refusals(p_offering, p_seller, p_buyer, p_units) r
    union
    select r.place, r.rule from registry.restraint_refusals(p_offering, jsonb_build_array(jsonb_build_object('seller', p_seller,
        'buyer', p_buyer, 'units', p_units + registry.pledged(p_offering, p_seller, null, null)
            + registry.traded_units(p_offering, p_seller)))) r) f);

-- Said has kind, name, registered_as, agreement_sha256 and public_key (hex).
create function registry.propose_venue(p_actor text, p_request text, p_offering text, p_venue text, p_said jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.book_of(p_offering);
    insert into registry.venue (offering_id, venue_id, status, kind, name, registered_as, agreement_sha256, public_key, proposed_by)
    values (p_offering, p_venue, 'proposed', p_said ->> 'kind', p_said ->> 'name', p_said ->> 'registered_as',
        decode(p_said ->> 'agreement_sha256', 'hex'), decode(p_said ->> 'public_key', 'hex'), p_actor);
end $$;

create function registry.hold_venue(p_offering text, p_venue text) returns registry.venue
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    v registry.venue;
begin
    select * into v from registry.venue where offering_id = p_offering and venue_id = p_venue for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'venue_exists', message = format('there is no venue %s', p_venue);
    end if;
    return v;
end $$;

-- A second person puts a venue in force, or declines it, at the version that was seen; of one in force, its next key.
create function registry.decide_venue(p_actor text, p_request text, p_offering text, p_venue text, p_is_approved boolean,
    p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    v registry.venue;
begin
    perform audit.enter(p_actor, p_request);
    v := registry.hold_venue(p_offering, p_venue);
    if v.version is distinct from p_seen then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen',
            message = format('the record is at version %s, the decision was made on %s', v.version, p_seen);
    elsif v.status = 'in_force' and v.next_key is null then
        raise exception using errcode = 'BR008', constraint = 'venue_waits_for_a_decision',
            message = format('nothing of %s waits', p_venue);
    elsif v.status = 'in_force' then
        update registry.venue set public_key = case when p_is_approved then next_key else public_key end, next_key = null, next_key_by = null,
            key_declined_because = case when p_is_approved is not true then p_because end
        where offering_id = p_offering and venue_id = p_venue;
        return;
    end if;
    update registry.venue set status = case when p_is_approved then 'in_force' else 'declined' end, decided_by = p_actor,
        decided_because = p_because
    where offering_id = p_offering and venue_id = p_venue;
end $$;

-- Another key of the same venue; the numbers of its trades go on.
create function registry.propose_venue_key(p_actor text, p_request text, p_offering text, p_venue text, p_public_key bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.hold_venue(p_offering, p_venue);
    update registry.venue set next_key = p_public_key, next_key_by = p_actor, key_declined_because = null
    where offering_id = p_offering and venue_id = p_venue;
end $$;

-- At once and by one person: no further trade of it is taken.
create function registry.end_venue(p_actor text, p_request text, p_offering text, p_venue text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.hold_venue(p_offering, p_venue);
    update registry.venue set status = 'ended', ended_by = p_actor, ended_because = p_because, next_key = null, next_key_by = null
    where offering_id = p_offering and venue_id = p_venue;
end $$;

create function registry.answer_trade_alarm(p_actor text, p_request text, p_offering text, p_alarm text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update registry.trade_alarm set status = 'answered', answered_by = p_actor, answered_because = p_because
    where offering_id = p_offering and alarm_id = p_alarm;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'trade_alarm_exists', message = format('there is no alarm %s', p_alarm);
    end if;
end $$;
