-- Transfers that the chain shows and that no transaction of ours made: matched, or a break with an owner until two people end it.

create table registry.observed_transfer (
    offering_id text not null,
    observed_id text not null,
    status text not null,
    chain_id bigint not null,
    transaction_hash bytea not null check (octet_length(transaction_hash) = 32),
    ordinal integer not null check (ordinal >= 0),
    block_number bigint not null,
    mined_at timestamptz not null,
    from_address bytea not null check (octet_length(from_address) = 20),
    to_address bytea not null check (octet_length(to_address) = 20),
    units bigint not null constraint observed_transfer_has_units check (units > 0),
    seller_id text,
    buyer_id text,
    request_id text,
    item_id text,
    owner text not null constraint observed_transfer_has_its_owner check (owner ~ '\S'),
    observed_at timestamptz not null default clock_timestamp(),
    ending text constraint ending_is_known check (ending in ('post', 'reversed', 'bought_in', 'authority_raised')),
    paper_sha256 bytea constraint ending_has_its_paper check (octet_length(paper_sha256) = 32),
    because text,
    explained_by text,
    resolved_by text,
    movement_id text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, observed_id),
    constraint log_is_observed_once unique (offering_id, chain_id, transaction_hash, ordinal),
    constraint matched_transfer_names_its_request check (status <> 'matched' or request_id is not null),
    constraint known_wallets_name_their_holders check (status <> 'unauthorised' or num_nulls(seller_id, buyer_id) = 0),
    constraint explained_transfer_has_its_paper check (status not in ('explained', 'resolved')
        or num_nulls(ending, paper_sha256, explained_by) = 0 and coalesce(because ~ '\S', false)),
    constraint observed_transfer_needs_two_people check (status <> 'resolved' or coalesce(audit.person_of(resolved_by) <> audit.person_of(explained_by), false)),
    constraint only_known_holders_are_posted check (coalesce(ending <> 'post', true) or num_nulls(seller_id, buyer_id) = 0)
);
create index observed_transfer_that_waits on registry.observed_transfer (offering_id) where status not in ('matched', 'resolved');
call audit.keep('registry.observed_transfer', 'observed_transfer', 'observed_id', 'offering_id');

-- Up to which block the logs of a token have been looked at.
create table registry.watched_token (
    offering_id text primary key,
    through_block bigint not null check (through_block >= 0),
    through_time timestamptz not null
);

create function registry.holder_of(p_offering text, p_chain bigint, p_address bytea) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select w.investor_id from registry.wallet_mapping w where w.offering_id = p_offering and w.chain_id = p_chain
    and w.address = p_address and w.status in ('linked', 'joined'));

-- The approved request that a holder's own transfer carries out: both wallets and their holders, these units, mined within
-- its time, once; of a sale against a coin, with its payment in the same transaction.
create function registry.approval_for(o registry.observed_transfer, p_paid jsonb) returns text
language sql stable set search_path = pg_catalog, pg_temp
return (select q.request_id from registry.transfer_request q where q.offering_id = o.offering_id and q.status = 'approved'
    and q.route = 'holder' and q.from_address = o.from_address and q.to_address = o.to_address and q.units = o.units
    and q.seller_id = o.seller_id and q.buyer_id = o.buyer_id and date_trunc('second', q.decided_at) <= o.mined_at and q.approved_until > o.mined_at
    and registry.is_paid(q, o.transaction_hash, p_paid)
    and not exists (select from registry.transfer_refusals(q.offering_id, q.seller_id, q.buyer_id, q.units, q.request_id))
    order by q.request_id limit 1);

-- What a log is: units from nowhere are over-issued, a wallet that nobody has makes it unmapped.
create function registry.observed_as(o registry.observed_transfer) returns text
language sql immutable set search_path = pg_catalog, pg_temp
return case when o.from_address = decode(repeat('00', 20), 'hex') then 'over_issued'
    when o.seller_id is null or o.buyer_id is null then 'unmapped' when o.request_id is null then 'unauthorised' else 'matched' end;

-- Log has id, chain_id, hash, ordinal, block, mined_at, from, to (hex), units, and as paid the coins that went with it; clock is that of an item of the turnaround log. Returns
-- what it is, null for one that is ours or was observed before.
create function registry.observe_transfer(p_actor text, p_request text, p_offering text, p_log jsonb, p_item text, p_clock jsonb)
returns text language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    o registry.observed_transfer;
begin
    perform audit.enter(p_actor, p_request);
    select p_offering, s.id, s.chain_id, decode(s.hash, 'hex'), s.ordinal, s.block, s.mined_at, decode(s."from", 'hex'),
        decode(s."to", 'hex'), s.units
    into o.offering_id, o.observed_id, o.chain_id, o.transaction_hash, o.ordinal, o.block_number, o.mined_at, o.from_address,
        o.to_address, o.units
    from jsonb_to_record(p_log) as s (id text, chain_id bigint, hash text, ordinal integer, block bigint, mined_at timestamptz,
        "from" text, "to" text, units bigint);
    o.seller_id := registry.holder_of(p_offering, o.chain_id, o.from_address);
    o.buyer_id := registry.holder_of(p_offering, o.chain_id, o.to_address);
    perform engine.lock_parties(p_offering, array[o.seller_id, o.buyer_id]);
    perform registry.book_of(p_offering);
    if (o.seller_id, o.buyer_id) is distinct from (registry.holder_of(p_offering, o.chain_id, o.from_address),
        registry.holder_of(p_offering, o.chain_id, o.to_address)) then
        raise exception using errcode = 'serialization_failure', message = 'a wallet got another holder meanwhile';
    end if;
    if exists (select from registry.chain_transaction t where t.chain_id = o.chain_id and t.hash = o.transaction_hash)
        or exists (select from registry.observed_transfer x where x.offering_id = p_offering and x.chain_id = o.chain_id
            and x.transaction_hash = o.transaction_hash and x.ordinal = o.ordinal) then
        return null;
    end if;
    o.request_id := registry.approval_for(o, p_log -> 'paid');
    o.status := registry.observed_as(o);
    if o.status = 'unauthorised' then
        perform registry.log_transfer(p_offering, p_item, p_clock, o.observed_id);
        o.item_id := p_item;
    end if;
    insert into registry.observed_transfer (offering_id, observed_id, status, chain_id, transaction_hash, ordinal, block_number,
        mined_at, from_address, to_address, units, seller_id, buyer_id, request_id, item_id, owner)
    values (o.offering_id, o.observed_id, o.status, o.chain_id, o.transaction_hash, o.ordinal, o.block_number, o.mined_at,
        o.from_address, o.to_address, o.units, o.seller_id, o.buyer_id, o.request_id, o.item_id, 'registry');
    if o.status = 'unauthorised' then
        perform registry.part_units(o, p_log -> 'paid');
    elsif o.status = 'matched' then
        perform registry.settle(p_offering, o.request_id, o.transaction_hash, p_log -> 'paid');
        perform registry.register_transfer(registry.hold_transfer(p_offering, o.request_id), registry.log_of(o));
    end if;
    return o.status;
end $$;

create function registry.log_of(o registry.observed_transfer) returns jsonb
language sql immutable set search_path = pg_catalog, pg_temp
return jsonb_build_object('chain_id', o.chain_id, 'hash', encode(o.transaction_hash, 'hex'), 'ordinal', o.ordinal);

create function registry.watch_through(p_actor text, p_request text, p_offering text, p_block bigint, p_time timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into registry.watched_token as w (offering_id, through_block, through_time) values (p_offering, p_block, p_time)
    on conflict (offering_id) do update set through_block = greatest(w.through_block, excluded.through_block),
        through_time = greatest(w.through_time, excluded.through_time);
end $$;

-- One person says how an observed transfer ends, with the paper; another agrees or sends it back.
create function registry.explain_observed(p_actor text, p_request text, p_offering text, p_observed text, p_ending text,
    p_paper_sha256 bytea, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update registry.observed_transfer set status = 'explained', ending = p_ending, paper_sha256 = p_paper_sha256,
        because = p_because, explained_by = p_actor
    where offering_id = p_offering and observed_id = p_observed;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'observed_transfer_exists',
            message = format('there is no observed transfer %s', p_observed);
    end if;
end $$;

create function registry.resolve_observed(p_actor text, p_request text, p_offering text, p_observed text, p_is_agreed boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    o registry.observed_transfer;
    movement text := 'mov_' || substr(p_observed, 5);
begin
    perform audit.enter(p_actor, p_request);
    select * into o from registry.observed_transfer where offering_id = p_offering and observed_id = p_observed;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'observed_transfer_exists',
            message = format('there is no observed transfer %s', p_observed);
    end if;
    perform engine.lock_parties(p_offering, array[o.seller_id, o.buyer_id]);
    perform registry.book_of(p_offering);
    select * into o from registry.observed_transfer where offering_id = p_offering and observed_id = p_observed for update;
    if p_is_agreed is not true then
        update registry.observed_transfer set status = registry.observed_as(o), ending = null, paper_sha256 = null, because = null,
            explained_by = null
        where offering_id = p_offering and observed_id = p_observed;
        return;
    end if;
    if o.ending = 'post' then
        perform registry.post_movement(p_offering, movement, jsonb_build_object('from_investor', o.seller_id,
            'kind', case when o.seller_id = o.buyer_id then 'own' else 'transfer' end,
            'to_investor', o.buyer_id, 'from_address', encode(o.from_address, 'hex'), 'to_address', encode(o.to_address, 'hex'),
            'units', o.units, 'reference', o.observed_id, 'is_tacked', false, 'free_by', case when registry.period_binds(
                p_offering, o.buyer_id, registry.is_permitted(p_offering, o.buyer_id, null)) then registry.today() end),
            registry.log_of(o));
    end if;
    update registry.observed_transfer set status = 'resolved', resolved_by = p_actor,
        movement_id = case when o.ending = 'post' then movement end
    where offering_id = p_offering and observed_id = p_observed;
    if o.item_id is not null then
        perform registry.turn_item(p_actor, p_offering, o.item_id, case when o.ending <> 'post' then o.because end);
    end if;
end $$;

-- Units over the authorised ones that came by chain: what has to be bought in, or authorised (17 CFR 240.17Ad-10(g)).
create view registry.buy_in_case as
select o.offering_id, o.observed_id, o.status, o.to_address, o.units, o.observed_at, c.authorised_units, b.minted_units,
    greatest(coalesce(b.minted_units, 0) - c.authorised_units, 0) as over_units, o.ending, o.because
from registry.observed_transfer o join registry.control_book c using (offering_id) join registry.balance b using (offering_id)
where o.from_address = decode(repeat('00', 20), 'hex');

create view registry.observed_fact as
select offering_id, observed_id, status, chain_id, transaction_hash, ordinal, from_address, to_address, units, seller_id, buyer_id,
    owner, observed_at, version, chain_head from registry.observed_transfer;
