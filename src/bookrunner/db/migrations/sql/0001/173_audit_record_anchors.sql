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
    block_number bigint,
    block_hash bytea,
    incarnation bytea,
    version bigint not null,
    chain_head bytea not null,
    constraint anchor_nonce_serves_once unique (chain_id, sender, nonce),
    constraint seal_is_anchored_once unique (chain_id, seal_no),
    constraint mined_anchor_names_its_block check ((status = 'signed') = (block_hash is null))
);
call audit.keep('audit.anchoring', 'anchoring', 'anchoring_id', 'anchoring_id', '{raw}');

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
    p_nonce bigint, p_hash bytea, p_raw bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if p_nonce <> (select coalesce(max(a.nonce) + 1, 0) from audit.anchoring a where a.chain_id = p_chain_id and a.sender = p_sender) then
        raise exception using errcode = 'BR409', constraint = 'anchor_nonce_is_the_next_one',
            message = format('%s is not the next nonce of this key', p_nonce);
    end if;
    insert into audit.anchoring (anchoring_id, status, seal_no, chain_id, sender, nonce, hash, raw)
    values (p_anchoring, 'signed', p_seal_no, p_chain_id, p_sender, p_nonce, p_hash, p_raw);
end $$;

-- Notes what the chain shows of an anchor: a block, none any more, or its final block; then the seal is anchored.
create function audit.note_anchor(p_actor text, p_request text, p_anchoring text, p_status text, p_block_number bigint,
    p_block_hash bytea, p_incarnation bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update audit.anchoring set status = p_status, block_number = p_block_number, block_hash = p_block_hash, incarnation = p_incarnation
    where anchoring_id = p_anchoring;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'anchoring_exists', message = format('there is no anchor %s', p_anchoring);
    end if;
    if p_status = 'final' then
        insert into audit.anchor (seal_no, chain_id, transaction_hash)
        select a.seal_no, a.chain_id, a.hash from audit.anchoring a where a.anchoring_id = p_anchoring;
    end if;
end $$;
