-- Roots of seals on a chain: the signed bytes are kept before anything is sent, and what the chain made of them.

create table audit.anchoring (
    anchoring_id text primary key,
    status text not null,
    seal_no bigint not null references audit.seal,
    chain_id bigint not null,
    sender bytea not null check (octet_length(sender) = 20),
    nonce bigint not null check (nonce >= 0),
    hash bytea not null unique check (octet_length(hash) = 32),
    raw bytea not null,
    max_fee_wei bigint not null check (max_fee_wei > 0),
    priority_fee_wei bigint not null check (priority_fee_wei between 0 and max_fee_wei),
    attempts integer not null default 1,
    landed_hash bytea,
    block_number bigint,
    block_hash bytea,
    incarnation bytea,
    version bigint not null,
    chain_head bytea not null,
    constraint anchor_nonce_serves_once unique (chain_id, sender, nonce),
    constraint seal_is_anchored_once unique (chain_id, seal_no),
    constraint mined_anchor_names_its_block check ((status = 'signed') = (block_hash is null)),
    constraint mined_anchor_names_its_bytes check ((status = 'signed') = (landed_hash is null))
);
call audit.keep('audit.anchoring', 'anchoring', 'anchoring_id', 'anchoring_id', '{raw}');

-- A further attempt at an anchor that no block took: the same nonce and data, both fees higher. Whichever comes through has the nonce.
create table audit.anchor_attempt (
    anchoring_id text not null references audit.anchoring,
    attempt integer not null check (attempt > 1),
    hash bytea not null unique check (octet_length(hash) = 32),
    raw bytea not null,
    max_fee_wei bigint not null,
    priority_fee_wei bigint not null,
    signed_at timestamptz not null default clock_timestamp(),
    primary key (anchoring_id, attempt)
);
call audit.append_only('audit.anchor_attempt');

-- Every transaction that was signed for an anchor.
create view audit.signed_anchor as
select a.anchoring_id, 1 as attempt, a.hash, a.raw, a.max_fee_wei, a.priority_fee_wei from audit.anchoring a
union all
select x.anchoring_id, x.attempt, x.hash, x.raw, x.max_fee_wei, x.priority_fee_wei from audit.anchor_attempt x;

-- How often a root goes to the chain. A new row with a later day takes the place of an older one; two people name it.
create table audit.anchor_cadence (
    valid_from date primary key,
    every interval not null constraint anchor_cadence_has_a_length check (every > interval '0'),
    sentence text not null,
    proposed_by text not null,
    approved_by text not null,
    constraint anchor_cadence_needs_two_people check (audit.person_of(proposed_by) <> audit.person_of(approved_by)),
    constraint anchor_is_written_monthly_at_least check (every <= interval '1 month')
);
insert into audit.anchor_cadence (valid_from, every, sentence, proposed_by, approved_by) values
    ('2020-01-01', '1 day', 'Daily: whoever holds yesterday''s root finds a history that was made anew.', 'house', 'house rules');
call audit.append_only('audit.anchor_cadence');

create function audit.anchor_bytes_stand() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    raise exception using errcode = 'BR004', constraint = 'signed_anchor_never_changes',
        message = format('what was signed for %s never changes', old.anchoring_id);
end $$;
create trigger ab_bytes_stand before update on audit.anchoring for each row
    when ((old.seal_no, old.chain_id, old.sender, old.nonce, old.hash, old.raw)
        is distinct from (new.seal_no, new.chain_id, new.sender, new.nonce, new.hash, new.raw))
    execute function audit.anchor_bytes_stand();
alter table audit.anchoring enable always trigger ab_bytes_stand;

-- Keeps signed bytes before they are sent; the nonce is the next one of this key by our own count.
create function audit.sign_anchor(p_actor text, p_request text, p_anchoring text, p_seal_no bigint, p_chain_id bigint, p_sender bytea,
    p_nonce bigint, p_hash bytea, p_raw bytea, p_fees bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if p_nonce <> (select coalesce(max(a.nonce) + 1, 0) from audit.anchoring a where a.chain_id = p_chain_id and a.sender = p_sender) then
        raise exception using errcode = 'BR409', constraint = 'anchor_nonce_is_the_next_one',
            message = format('%s is not the next nonce of this key', p_nonce);
    end if;
    insert into audit.anchoring (anchoring_id, status, seal_no, chain_id, sender, nonce, hash, raw, max_fee_wei, priority_fee_wei)
    values (p_anchoring, 'signed', p_seal_no, p_chain_id, p_sender, p_nonce, p_hash, p_raw, p_fees[1], p_fees[2]);
end $$;

-- Keeps the bytes of a further attempt with higher fees before they are sent; one that a block has needs none.
create function audit.raise_anchor(p_actor text, p_request text, p_anchoring text, p_hash bytea, p_raw bytea, p_fees bigint[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    last_fee bigint;
begin
    perform audit.enter(p_actor, p_request);
    update audit.anchoring set attempts = attempts + 1 where anchoring_id = p_anchoring and status = 'signed';
    if not found then
        raise exception using errcode = 'BR008', constraint = 'raised_anchor_is_in_no_block',
            message = format('%s waits for no block', p_anchoring);
    end if;
    select max(s.max_fee_wei) into last_fee from audit.signed_anchor s where s.anchoring_id = p_anchoring;
    if p_fees[1] <= last_fee then
        raise exception using errcode = 'BR008', constraint = 'further_attempt_offers_more',
            message = format('%s wei was offered for %s already', last_fee, p_anchoring);
    end if;
    insert into audit.anchor_attempt (anchoring_id, attempt, hash, raw, max_fee_wei, priority_fee_wei)
    select a.anchoring_id, a.attempts, p_hash, p_raw, p_fees[1], p_fees[2] from audit.anchoring a where a.anchoring_id = p_anchoring;
end $$;

-- Notes what the chain shows of an anchor: a block, none any more, or its final block; then the seal is anchored.
create function audit.note_anchor(p_actor text, p_request text, p_anchoring text, p_status text, p_hash bytea,
    p_block_number bigint, p_block_hash bytea, p_incarnation bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if p_hash is not null and not exists (select from audit.signed_anchor s where s.anchoring_id = p_anchoring and s.hash = p_hash) then
        raise exception using errcode = 'BR008', constraint = 'mined_anchor_was_signed',
            message = format('%s was never signed for %s', encode(p_hash, 'hex'), p_anchoring);
    end if;
    update audit.anchoring set status = p_status, landed_hash = p_hash, block_number = p_block_number, block_hash = p_block_hash, incarnation = p_incarnation
    where anchoring_id = p_anchoring;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'anchoring_exists', message = format('there is no anchor %s', p_anchoring);
    end if;
    if p_status = 'final' then
        insert into audit.anchor (seal_no, chain_id, transaction_hash)
        select a.seal_no, a.chain_id, a.landed_hash from audit.anchoring a where a.anchoring_id = p_anchoring;
    end if;
end $$;
