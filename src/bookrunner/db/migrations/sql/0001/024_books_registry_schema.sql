-- The registry book: wallets, instructions, the master securityholder file, the control book, chain transactions.

create schema registry;

create table registry.wallet_mapping (
    offering_id text not null,
    mapping_id text not null,
    investor_id text not null,
    status text not null,
    chain_id bigint not null,
    address bytea not null check (octet_length(address) = 20),
    claim_fact text not null,
    screening_fact text,
    approved_by text,
    refused_because text,
    proof_kind text not null check (proof_kind in ('key', 'contract')),
    controller text not null default 'holder',
    custodian_id text,
    claimed_at timestamptz not null default clock_timestamp(),
    screened_at timestamptz,
    approved_at timestamptz,
    linked_by text,
    linked_at timestamptz,
    witness jsonb,
    superseded_by text,
    ended_by text,
    ended_at timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, mapping_id),
    constraint wallet_states_who_controls_it check (controller in ('holder', 'custodian', 'platform')
        and (controller = 'custodian') = (custodian_id is not null)),
    constraint holder_does_not_approve_a_wallet check (audit.person_of(approved_by) <> investor_id),
    constraint wallet_is_linked_by_another_person
        check (status not in ('linked', 'joined') or coalesce(audit.person_of(linked_by) not in (audit.person_of(approved_by), investor_id), false)),
    constraint superseded_wallet_names_its_successor check ((status = 'superseded') = (superseded_by is not null)),
    constraint contract_wallet_is_asked_again_when_linked check (status not in ('linked', 'joined') or proof_kind = 'key'
        or coalesce(witness ?& '{block_number,block_hash,code_hash}', false)),
    constraint screened_wallet_names_its_screening
        check (status not in ('screened', 'issuer_approved', 'linked', 'joined') or screening_fact is not null),
    constraint linked_wallet_names_its_approver
        check (status not in ('issuer_approved', 'linked', 'joined') or approved_by is not null)
);

create unique index one_holder_per_live_wallet on registry.wallet_mapping (offering_id, chain_id, address)
    where status in ('claimed', 'screened', 'issuer_approved', 'linked', 'joined');
create unique index one_linked_wallet_per_holder on registry.wallet_mapping (offering_id, investor_id)
    where status = 'linked';
create index wallet_of_holder on registry.wallet_mapping (offering_id, investor_id);
create index wallet_to_screen on registry.wallet_mapping (address) where status = 'claimed';

create table registry.issuance_instruction (
    offering_id text not null,
    instruction_id text not null,
    investment_id text not null,
    investor_id text not null,
    closing_id text not null,
    status text not null,
    units bigint not null check (units > 0),
    address bytea not null check (octet_length(address) = 20),
    authorised_by text not null,
    transaction_id text,
    stopped_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, instruction_id),
    constraint submitted_instruction_names_its_transaction
        check (status not in ('submitted', 'posted') or transaction_id is not null),
    constraint stopped_instruction_names_its_cause check ((status = 'stopped') <= (stopped_because is not null))
);

create unique index one_instruction_per_investment on registry.issuance_instruction (offering_id, investment_id)
    where status <> 'stopped';
create index instruction_of_transaction on registry.issuance_instruction (offering_id, transaction_id);
create index instruction_to_sign on registry.issuance_instruction (offering_id, closing_id, investment_id)
    where status = 'prepared';

create table registry.chain_key (
    chain_id bigint not null,
    address bytea not null check (octet_length(address) = 20),
    purpose text not null,
    next_nonce bigint not null default 0 check (next_nonce >= 0),
    primary key (chain_id, address)
);

-- An intent never changes its nonce, and a nonce never serves two intents.
create table registry.chain_intent (
    intent_id text constraint intent_is_signed_once primary key,
    chain_id bigint not null,
    sender bytea not null,
    nonce bigint not null check (nonce >= 0),
    foreign key (chain_id, sender) references registry.chain_key,
    constraint nonce_serves_one_intent unique (chain_id, sender, nonce),
    constraint intent_keeps_its_nonce unique (intent_id, chain_id, sender, nonce)
);
call audit.append_only('registry.chain_intent');

-- One attempt at an intent. The bytes are committed before they are sent; recovery sends the same bytes. Only a
-- further attempt is signed anew: it offers higher fees at the same nonce, and any of them may win.
create table registry.chain_transaction (
    offering_id text not null,
    transaction_id text not null,
    intent_id text not null,
    purpose text not null check (purpose in ('deploy', 'identity', 'mint', 'unpause', 'deliver', 'transfer', 'control', 'split', 'redemption',
        'conversion', 'reinvestment', 'pay')),
    status text not null,
    chain_id bigint not null,
    sender bytea not null,
    nonce bigint not null check (nonce >= 0),
    attempt_no integer not null default 1 check (attempt_no > 0),
    max_fee_wei bigint not null check (max_fee_wei >= priority_fee_wei),
    priority_fee_wei bigint not null check (priority_fee_wei >= 0),
    waits_since timestamptz not null default clock_timestamp(),
    hash bytea not null check (octet_length(hash) = 32),
    raw bytea not null,
    lines jsonb not null default '[]',
    lines_sha256 bytea not null,
    block_number bigint,
    block_hash bytea,
    incarnation bytea,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, transaction_id),
    constraint attempt_belongs_to_its_intent foreign key (intent_id, chain_id, sender, nonce)
        references registry.chain_intent (intent_id, chain_id, sender, nonce),
    constraint attempt_is_made_once unique (intent_id, attempt_no),
    constraint hash_is_of_one_transaction unique (chain_id, hash),
    constraint final_transaction_names_its_block check (status not in ('mined', 'final') or block_hash is not null)
);

create unique index one_attempt_wins on registry.chain_transaction (intent_id) where status in ('final', 'reverted');
create index transaction_not_final on registry.chain_transaction (chain_id, sender, nonce)
    where status in ('signed', 'broadcast', 'mined');

-- A key that somebody else used: it signs nothing until one person says why it may, and another starts it.
create table registry.key_stop (
    offering_id text not null,
    stop_id text not null,
    status text not null,
    chain_id bigint not null,
    sender bytea not null,
    intent_id text not null references registry.chain_intent,
    proposed_by text,
    start_because text,
    approved_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, stop_id),
    foreign key (chain_id, sender) references registry.chain_key,
    constraint key_is_started_by_two_people check ((status = 'started') <= coalesce(audit.person_of(approved_by) <> audit.person_of(proposed_by), false)),
    constraint start_has_a_reason check (status in ('stopped', 'mistaken') or coalesce(start_because, '') <> '')
);
create unique index intent_is_dropped_once on registry.key_stop (intent_id) where status <> 'mistaken';

-- What was found of a token when it was first delivered, and what two people have acknowledged since; the newest counts.
create table registry.token_record (
    offering_id text not null,
    record_no integer not null check (record_no > 0),
    shows jsonb not null,
    recorded_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, record_no)
);
call audit.append_only('registry.token_record');

-- A token, or a key of ours, that is not as recorded: nothing is delivered until two people acknowledge what was found.
create table registry.delivery_stop (
    offering_id text not null,
    stop_id text not null,
    status text not null,
    changed text[] not null constraint stop_names_what_changed check (cardinality(changed) > 0),
    shows jsonb not null,
    proposed_by text,
    acknowledged_because text,
    acknowledged_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, stop_id),
    constraint change_is_acknowledged_by_two_people
        check (status <> 'acknowledged' or coalesce(audit.person_of(acknowledged_by) <> audit.person_of(proposed_by), false)),
    constraint acknowledgement_has_a_reason check (status = 'stopped' or coalesce(acknowledged_because ~ '\S', false))
);
create unique index deliveries_are_stopped_once on registry.delivery_stop (offering_id) where status in ('stopped', 'proposed');

-- The master securityholder file: one row per holder and offer.
create table registry.holding (
    offering_id text not null,
    holding_id text not null,
    investor_id text not null,
    status text not null,
    units bigint not null check (units >= 0),
    registration_fact text not null,
    registration_digest bytea not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, holding_id),
    constraint one_holding_per_holder unique (offering_id, investor_id)
);

create table registry.lot (
    offering_id text not null,
    lot_id text not null,
    holding_id text not null,
    instruction_id text,
    movement_id text,
    from_lot_id text,
    units bigint not null check (units > 0),
    legend text,
    acquired_on date not null,
    period_from date not null,
    primary key (offering_id, lot_id),
    foreign key (offering_id, holding_id) references registry.holding,
    constraint one_lot_per_instruction unique (offering_id, instruction_id),
    foreign key (offering_id, instruction_id) references registry.issuance_instruction,
    constraint lot_names_its_origin check ((instruction_id is null) <> (movement_id is null)),
    constraint split_lot_came_by_a_movement check (from_lot_id is null or movement_id is not null),
    constraint period_begins_by_the_acquisition check (period_from <= acquired_on)
);
create index lot_of_holding on registry.lot (offering_id, holding_id);

create table registry.posting (
    offering_id text not null,
    posting_id text not null,
    holding_id text not null,
    instruction_id text,
    movement_id text,
    units bigint not null check (units <> 0),
    chain_id bigint,
    transaction_hash bytea,
    ordinal integer check (ordinal >= 0),
    posted_at timestamptz not null default now(),
    primary key (offering_id, posting_id),
    constraint posting_names_its_origin check ((instruction_id is null) <> (movement_id is null)),
    constraint only_a_movement_takes_units check (units > 0 or movement_id is not null),
    constraint delivery_names_its_log
        check (instruction_id is null or (chain_id is not null and transaction_hash is not null and ordinal is not null)),
    constraint movement_posts_once unique (offering_id, movement_id, holding_id),
    foreign key (offering_id, holding_id) references registry.holding,
    foreign key (offering_id, instruction_id) references registry.issuance_instruction,
    constraint instruction_posts_once unique (offering_id, instruction_id),
    constraint delivery_posts_once unique (offering_id, chain_id, transaction_hash, ordinal)
);
create index posting_of_holding on registry.posting (offering_id, holding_id);

create table registry.control_book (
    offering_id text primary key,
    control_id text not null unique,
    status text not null,
    authorised_units bigint not null check (authorised_units > 0),
    issued_units bigint not null default 0 check (issued_units >= 0),
    authority_sha256 bytea not null,
    version bigint not null,
    chain_head bytea not null,
    constraint issue_stays_within_authorised check (issued_units <= authorised_units)
);

call audit.keep('registry.wallet_mapping', 'wallet_mapping', 'mapping_id', 'offering_id');
call audit.keep('registry.issuance_instruction', 'issuance_instruction', 'instruction_id', 'offering_id');
call audit.keep('registry.chain_transaction', 'chain_transaction', 'transaction_id', 'offering_id', '{raw,lines}');
call audit.keep('registry.key_stop', 'key_stop', 'stop_id', 'offering_id');
call audit.keep('registry.delivery_stop', 'delivery_stop', 'stop_id', 'offering_id');
call audit.keep('registry.holding', 'holding', 'holding_id', 'offering_id');
call audit.keep('registry.control_book', 'control_book', 'control_id', 'offering_id');
call audit.append_only('registry.lot');
call audit.append_only('registry.posting');

-- Whether everything lets an instruction pass, asked in one statement after its rows were locked in others. Without a
-- search path of its own, which each row would set and reset: the wall calls it under its own.
create function registry.may_be_issued(i registry.issuance_instruction) returns boolean
language plpgsql stable as $$
begin
    return coalesce((select engine.act_mask('issue') & ~engine.holds(pos) = 0 from engine.position pos
            where pos.offering_id = i.offering_id and pos.investment_id = i.investment_id), false)
        and not exists (select from registry.security_restraint s where s.offering_id = i.offering_id and s.status = 'paused')
        and not exists (select from registry.account_restraint r where r.offering_id = i.offering_id
            and r.investor_id = i.investor_id and r.status = 'frozen')
        and exists (select from engine.closing_member m join engine.closing c using (offering_id, closing_id)
            where m.offering_id = i.offering_id and m.closing_id = i.closing_id and m.investment_id = i.investment_id
                and m.status = 'frozen' and m.units = i.units and c.status = 'frozen')
        and exists (select from registry.wallet_mapping w where w.offering_id = i.offering_id
            and w.investor_id = i.investor_id and w.address = i.address and w.status = 'linked');
end $$;

-- Names what keeps an instruction from passing; the first of several is said.
create function registry.refuse_issuance(i registry.issuance_instruction) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform engine.require_gate(i.offering_id, i.investment_id, 'issue');
    perform registry.require_unrestrained(i.offering_id, i.investor_id);
    perform engine.require_member(i.offering_id, i.closing_id, i.investment_id, i.units);
    raise exception using errcode = 'BR008', constraint = 'instruction_names_a_linked_wallet',
        message = format('the wallet of %s is not linked to its holder', i.instruction_id);
end $$;

-- The wall: no instruction outside a frozen set, none past a closed gate, whoever writes it. Without a search path of its
-- own, like the guard: each row would set and reset it.
create function registry.instruction_passes_the_gate() returns trigger
language plpgsql as $$
begin
    if tg_op = 'INSERT' or (new.status = 'submitted' and old.status <> 'submitted') then
        perform 1 from engine.position pos where pos.offering_id = new.offering_id
            and pos.investment_id = new.investment_id for update;
        perform registry.lock_restraints(new.offering_id);
        if not registry.may_be_issued(new) then
            perform registry.refuse_issuance(new);
        end if;
    end if;
    if tg_op = 'UPDATE' and (old.units, old.address, old.investment_id, old.closing_id)
        is distinct from (new.units, new.address, new.investment_id, new.closing_id) then
        raise exception using errcode = 'BR006', constraint = 'instruction_terms_are_locked',
            message = format('the terms of %s are locked', old.instruction_id);
    end if;
    return new;
end $$;

create trigger instruction_passes_the_gate before insert or update on registry.issuance_instruction
    for each row execute function registry.instruction_passes_the_gate();
alter table registry.issuance_instruction enable always trigger instruction_passes_the_gate;

create view registry.wallet_fact as
select offering_id, mapping_id, investor_id, status, chain_id, address, claim_fact, version, chain_head from registry.wallet_mapping;

create view registry.instruction_fact as
select offering_id, instruction_id, investment_id, investor_id, closing_id, status, units, address, transaction_id,
    stopped_because, version, chain_head from registry.issuance_instruction;

create view registry.holding_fact as
select offering_id, holding_id, investor_id, status, units, version, chain_head from registry.holding;

create view registry.lot_fact as
select l.offering_id, l.lot_id, h.investor_id, i.investment_id, l.units, l.legend, l.acquired_on
from registry.lot l join registry.holding h using (offering_id, holding_id)
join registry.issuance_instruction i using (offering_id, instruction_id);

create view registry.posting_fact as
select p.offering_id, p.posting_id, i.investment_id, p.units, p.chain_id, p.transaction_hash, p.ordinal, p.posted_at
from registry.posting p join registry.issuance_instruction i using (offering_id, instruction_id);

-- Each instruction with what was posted for it, if anything was.
create view registry.instruction_posting as
select i.offering_id, i.instruction_id, i.investment_id, i.status, p.units as posted_units
from registry.issuance_instruction i left join registry.posting p using (offering_id, instruction_id);

create view registry.control_fact as
select offering_id, control_id, authorised_units, issued_units, version, chain_head from registry.control_book;

-- The dropped intents whose key two people started again: nothing of them can come any more.
create view registry.started_key as
select s.offering_id, s.intent_id from registry.key_stop s where s.status = 'started';

create view registry.transaction_fact as
select offering_id, transaction_id, intent_id, purpose, status, chain_id, sender, nonce, attempt_no, hash, lines,
    block_number, version, chain_head from registry.chain_transaction;
