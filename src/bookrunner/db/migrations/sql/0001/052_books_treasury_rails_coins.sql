-- Stablecoins: which token counts as money of an offer, where an investor sends it, and what the chain has shown.

-- A token that an offer takes as money from a day on: read by its own contract, set by two people.
create table treasury.accepted_coin (
    offering_id text not null,
    coin_id text not null,
    status text not null,
    chain_id bigint not null,
    token bytea not null constraint token_address_is_twenty_bytes check (octet_length(token) = 20),
    valid_from date not null,
    currency text not null,
    decimals integer not null check (decimals between 0 and 36),
    minor_decimals integer not null check (minor_decimals >= 0),
    dust_minor bigint not null constraint dust_is_an_amount check (dust_minor >= 0),
    received_after integer not null check (received_after > 0),
    cleared_after integer not null,
    proposed_by text not null,
    decided_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, coin_id),
    constraint coin_has_the_decimals_of_its_currency check (decimals >= minor_decimals),
    constraint money_clears_no_earlier_than_it_is_received check (cleared_after >= received_after),
    constraint accepted_coin_needs_two_people check (status <> 'accepted' or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false))
);

create unique index one_rule_per_coin_and_day on treasury.accepted_coin (offering_id, chain_id, token, valid_from)
    where status = 'accepted';

-- The next address of a tree of addresses; an index is taken once.
create table treasury.address_tree (
    tree text primary key,
    next_index bigint not null default 0 check (next_index between 0 and 2147483648)
);

-- Where one payment attempt is paid to on a chain: derived, its own for ever.
create table treasury.deposit_address (
    chain_id bigint not null,
    address bytea not null check (octet_length(address) = 20),
    offering_id text not null,
    attempt_id text not null,
    tree text not null,
    place bigint not null check (place >= 0),
    opened_at timestamptz not null default clock_timestamp(),
    constraint deposit_address_serves_one_attempt primary key (chain_id, address),
    constraint attempt_has_one_deposit_address unique (chain_id, offering_id, attempt_id),
    constraint deposit_address_is_derived_once unique (chain_id, tree, place)
);

-- How far a chain was read: the height and the hash of its block, in one incarnation of the chain.
create table treasury.chain_cursor (
    chain_id bigint not null,
    incarnation bytea not null check (octet_length(incarnation) = 32),
    height bigint not null check (height >= 0),
    block_hash bytea not null check (octet_length(block_hash) = 32),
    primary key (chain_id, incarnation)
);

-- One transfer of a token to a deposit address, known for ever by chain, transaction and ordinal in its receipt.
create table treasury.coin_transfer (
    offering_id text not null,
    transfer_id text not null,
    status text not null,
    chain_id bigint not null,
    incarnation bytea not null,
    transaction_hash bytea not null check (octet_length(transaction_hash) = 32),
    ordinal integer not null check (ordinal >= 0),
    block_number bigint not null,
    block_hash bytea not null check (octet_length(block_hash) = 32),
    token bytea not null check (octet_length(token) = 20),
    sender bytea not null check (octet_length(sender) = 20),
    address bytea not null,
    attempt_id text not null,
    base_units text not null constraint transfer_moves_money check (base_units ~ '^[1-9][0-9]{0,77}$'),
    coin_id text,
    amount_minor bigint check (amount_minor > 0),
    time_no integer not null default 1 check (time_no > 0),
    receipt_id text,
    refused_because text constraint transfer_refusal_is_known check (refused_because in ('coin_is_accepted',
        'transfer_is_above_dust', 'transfer_is_in_whole_minor_units', 'transfer_fits_a_receipt')),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, transfer_id),
    foreign key (chain_id, address) references treasury.deposit_address,
    constraint each_transfer_is_taken_once unique (offering_id, chain_id, transaction_hash, ordinal),
    constraint booked_transfer_has_its_receipt check (
        (status in ('booked', 'final')) <= (receipt_id is not null and amount_minor is not null and coin_id is not null)),
    constraint refused_transfer_says_why check ((status = 'refused') = (refused_because is not null))
);

create index coin_transfer_that_may_go on treasury.coin_transfer (chain_id, incarnation, block_number)
    where status in ('seen', 'booked');
create index coin_transfer_of_receipt on treasury.coin_transfer (offering_id, receipt_id) where receipt_id is not null;

call audit.append_only('treasury.deposit_address');
call audit.keep('treasury.accepted_coin', 'accepted_coin', 'coin_id', 'offering_id');
call audit.keep('treasury.coin_transfer', 'coin_transfer', 'transfer_id', 'offering_id');

-- The coins that an offer takes, each from a day on.
create view treasury.coin_fact as
select offering_id, chain_id, token, valid_from, currency, decimals, minor_decimals from treasury.accepted_coin
where status = 'accepted';

-- Who sent the tokens of a receipt, a part of one included; for screening and for the block on money.
create view treasury.sender_fact as
select r.offering_id, r.receipt_id, t.transfer_id, t.chain_id, t.sender, t.status
from treasury.coin_transfer t
join treasury.receipt r on r.offering_id = t.offering_id and coalesce(r.root_id, r.receipt_id) = t.receipt_id;

-- What a chain has brought, with the depth that it waits for.
create view treasury.coin_standing as
select t.offering_id, t.transfer_id, t.status, t.chain_id, t.token, t.sender, t.address, t.transaction_hash, t.ordinal, t.block_number,
    t.base_units, t.amount_minor, t.attempt_id, t.receipt_id, t.refused_because, c.currency, c.received_after, c.cleared_after,
    greatest(k.height - t.block_number + 1, 0) as depth
from treasury.coin_transfer t
left join treasury.accepted_coin c on c.offering_id = t.offering_id and c.coin_id = t.coin_id
left join treasury.chain_cursor k on k.chain_id = t.chain_id and k.incarnation = t.incarnation;

-- The fingerprint under which a wallet is known as a source of money.
create function treasury.wallet_fingerprint(p_chain bigint, p_address bytea) returns bytea
language sql immutable strict set search_path = pg_catalog, pg_temp
return sha256(convert_to('bookrunner/wallet/1/' || p_chain || ':' || encode(p_address, 'hex'), 'UTF8'));

-- Whether tokens behind a receipt could still be undone by their chain.
create function treasury.is_shallow(r treasury.receipt) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return r.rail = 'stablecoin' and not exists (select from treasury.coin_transfer t
        where t.offering_id = r.offering_id and t.receipt_id = coalesce(r.root_id, r.receipt_id) and t.status = 'final');
end $$;
