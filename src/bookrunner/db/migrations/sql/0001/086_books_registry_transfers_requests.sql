-- Transfers that a holder or its representative asks for: papers, screening, the agent's decision, the chain, the posting.

create table registry.required_paper (
    transfer_kind text not null,
    paper text not null,
    sentence text not null,
    primary key (transfer_kind, paper)
);
insert into registry.required_paper values
    ('sale', 'transfer_instruction', 'The giver''s signed instruction to transfer.'),
    ('sale', 'purchase_agreement', 'The agreement between giver and taker.'),
    ('gift', 'transfer_instruction', 'The giver''s signed instruction to transfer.'),
    ('gift', 'gift_statement', 'The giver''s statement that nothing is paid.'),
    ('inheritance', 'death_certificate', 'The certificate of the holder''s death.'),
    ('inheritance', 'letters_of_administration', 'The court''s letters to whoever acts for the estate.'),
    ('trust', 'transfer_instruction', 'The giver''s signed instruction to transfer.'),
    ('trust', 'trust_certification', 'The trustee''s certification of the trust.'),
    ('own', 'transfer_instruction', 'The holder''s signed instruction to move units between its own wallets.');
call audit.append_only('registry.required_paper');

-- Papers that state why units of a crowdfunding offer may go in their first year (17 CFR 227.501(a)); none has to be given.
create table registry.permitting_paper (
    transfer_kind text not null,
    paper text not null,
    sentence text not null,
    primary key (transfer_kind, paper)
);
insert into registry.permitting_paper values
    ('sale', 'issuer_statement', 'The issuer''s statement that it takes the units itself.'),
    ('sale', 'registration_statement', 'The registration of the offering in which the units are sold.'),
    ('gift', 'family_statement', 'The giver''s statement that the taker is of the giver''s family.'),
    ('gift', 'divorce_decree', 'The decree of the divorce in which the units go over.'),
    ('inheritance', 'death_certificate', 'The certificate of the holder''s death.'),
    ('trust', 'trust_statement', 'The statement that the giver controls the trust, or that it is for the giver''s family.');
call audit.append_only('registry.permitting_paper');

create table registry.transfer_request (
    offering_id text not null,
    request_id text not null,
    status text not null,
    kind text not null constraint transfer_kind_is_known check (kind in ('sale', 'gift', 'inheritance', 'trust', 'own')),
    route text not null constraint transfer_route_is_known check (route in ('agent', 'holder')),
    seller_id text not null,
    buyer_id text not null,
    units bigint not null constraint transfer_has_units check (units > 0),
    price_minor bigint,
    currency text,
    asked_from bytea check (octet_length(asked_from) = 20),
    asked_to bytea check (octet_length(asked_to) = 20),
    asked_by text not null,
    asked_at timestamptz not null default clock_timestamp(),
    item_id text not null,
    screened jsonb,
    decided_by text,
    decided_at timestamptz,
    approved_until timestamptz,
    reasons text[] not null default '{}',
    from_address bytea check (octet_length(from_address) = 20),
    to_address bytea check (octet_length(to_address) = 20),
    transaction_id text,
    movement_id text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, request_id),
    foreign key (offering_id, item_id) references registry.turnaround_item,
    foreign key (offering_id, movement_id) references registry.movement,
    constraint transfer_goes_to_another_holder check (kind = 'own' or seller_id <> buyer_id),
    constraint own_transfer_stays_with_its_holder check (kind <> 'own' or seller_id = buyer_id and asked_to is not null),
    constraint sale_states_its_price
        check (case kind when 'sale' then coalesce(price_minor > 0 and currency ~ '^[A-Z]{3}$', false) else price_minor is null end),
    constraint screened_transfer_says_of_whom
        check (status not in ('screened', 'approved', 'instructed', 'registered', 'rescinded') or screened is not null),
    constraint transfer_is_approved_by_another_person check (status not in ('approved', 'instructed', 'registered', 'rescinded')
        or coalesce(audit.person_of(decided_by) not in (audit.person_of(asked_by), seller_id, buyer_id), false)),
    constraint approval_names_wallets_and_end check (status not in ('approved', 'instructed', 'registered', 'rescinded')
        or num_nulls(from_address, to_address, approved_until) = 0),
    constraint refused_transfer_has_its_reasons
        check (status not in ('returned', 'rejected') or coalesce(array_to_string(reasons, '') ~ '\S', false)),
    constraint instructed_transfer_names_its_transaction check (status <> 'instructed' or transaction_id is not null),
    constraint registered_transfer_names_its_movement check ((status in ('registered', 'rescinded')) = (movement_id is not null))
);
create index transfer_that_waits on registry.transfer_request (offering_id, seller_id)
    where status not in ('registered', 'rescinded', 'rejected', 'withdrawn');
create index transfer_to_taker on registry.transfer_request (offering_id, buyer_id) where status in ('approved', 'instructed');
create index transfer_of_transaction on registry.transfer_request (offering_id, transaction_id) where transaction_id is not null;
call audit.keep('registry.transfer_request', 'transfer_request', 'request_id', 'offering_id');

create table registry.transfer_paper (
    offering_id text not null,
    request_id text not null,
    paper text not null,
    sha256 bytea not null constraint transfer_paper_has_its_hash check (octet_length(sha256) = 32),
    presented_by text not null,
    presented_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, request_id, paper, sha256),
    foreign key (offering_id, request_id) references registry.transfer_request
);
call audit.append_only('registry.transfer_paper');

create function registry.missing_papers(p_offering text, p_request text) returns text[]
language sql stable set search_path = pg_catalog, pg_temp
return (select coalesce(array_agg(n.paper order by n.paper), '{}') from registry.transfer_request q
    join registry.required_paper n on n.transfer_kind = q.kind
    where q.offering_id = p_offering and q.request_id = p_request and not exists (select from registry.transfer_paper t
        where t.offering_id = q.offering_id and t.request_id = q.request_id and t.paper = n.paper));

create function registry.paper_comes_before_the_decision() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from registry.transfer_request q where q.offering_id = new.offering_id
        and q.request_id = new.request_id and q.status in ('requested', 'returned')) then
        raise exception using errcode = 'BR008', constraint = 'paper_comes_before_the_decision',
            message = format('%s takes no more papers', new.request_id);
    end if;
    return new;
end $$;
create trigger paper_comes_before_the_decision before insert on registry.transfer_paper
    for each row execute function registry.paper_comes_before_the_decision();
alter table registry.transfer_paper enable always trigger paper_comes_before_the_decision;

-- Refuses with the first rule that fails, and names the others.
create function registry.require_transfer(q registry.transfer_request) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    failing registry.refusal[] := array(select t from registry.transfer_refusals(q.offering_id, q.seller_id, q.buyer_id, q.units,
        q.request_id) t order by t.place, t.rule);
begin
    if failing <> '{}' then
        raise exception using errcode = 'BR008', constraint = (failing[1]).rule, message = (failing[1]).detail,
            detail = (select string_agg(f.rule || coalesce(' until ' || f.passes_on, ''), '; ' order by f.place, f.rule)
                from unnest(failing) f);
    end if;
end $$;

-- The wall: papers before the screening, every rule before approval and again before signing, whoever writes it.
create function registry.transfer_passes_its_rules() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.kind, new.route, new.seller_id, new.buyer_id, new.units, new.price_minor, new.currency, new.asked_from, new.asked_to,
            new.asked_by) is distinct from (old.kind, old.route, old.seller_id, old.buyer_id, old.units, old.price_minor,
            old.currency, old.asked_from, old.asked_to, old.asked_by)
        or old.status in ('approved', 'instructed') and new.status in ('approved', 'instructed', 'registered')
        and (new.from_address, new.to_address, new.approved_until, new.decided_by, new.decided_at)
            is distinct from (old.from_address, old.to_address, old.approved_until, old.decided_by, old.decided_at) then
        raise exception using errcode = 'BR006', constraint = 'transfer_terms_are_locked',
            message = format('the terms of %s are locked', old.request_id);
    end if;
    -- A decision is of now: the rules of that day bind it, and none of a day that somebody names.
    if new.status <> old.status and new.status in ('approved', 'returned', 'rejected', 'withdrawn') then
        new.decided_at := clock_timestamp();
    end if;
    if new.status = 'screened' and old.status <> 'screened' and registry.missing_papers(new.offering_id, new.request_id) <> '{}' then
        raise exception using errcode = 'BR008', constraint = 'transfer_papers_are_complete',
            message = array_to_string(registry.missing_papers(new.offering_id, new.request_id), ', ');
    end if;
    if new.status = 'screened' and not (engine.is_screened(new.seller_id) and engine.is_screened(new.buyer_id)) then
        raise exception using errcode = 'BR008', constraint = 'both_sides_are_screened',
            message = 'somebody of giver or taker waits for a screening, or is a case';
    end if;
    if (old.status, new.status) in (('screened', 'approved'), ('approved', 'instructed')) then
        perform registry.book_of(new.offering_id);
        perform registry.require_transfer(new);
    end if;
    if new.status = 'approved' and old.status = 'screened' and (engine.is_person_of(new.decided_by, new.seller_id)
        or engine.is_person_of(new.decided_by, new.buyer_id)) then
        raise exception using errcode = 'BR008', constraint = 'transfer_is_approved_by_another_person',
            message = format('%s acts for giver or taker', new.decided_by);
    end if;
    if new.status = 'instructed' and old.status = 'approved' and not (registry.is_wallet_of(new.offering_id, new.seller_id,
        new.from_address) and registry.is_wallet_of(new.offering_id, new.buyer_id, new.to_address)) then
        raise exception using errcode = 'BR008', constraint = 'approval_names_the_linked_wallets',
            message = 'a wallet of giver or taker was changed after the approval';
    end if;
    if new.status = 'instructed' and old.status = 'approved' and new.approved_until <= clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'approval_has_not_ended', message = 'the approval has ended';
    end if;
    return new;
end $$;
create trigger transfer_passes_its_rules before update on registry.transfer_request
    for each row execute function registry.transfer_passes_its_rules();
alter table registry.transfer_request enable always trigger transfer_passes_its_rules;

-- Whether a transfer of a holder is signed for another wallet of it than this one.
create function registry.transfer_is_signed_for(p_offering text, p_holder text, p_address bytea) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from registry.transfer_request q where q.offering_id = p_offering and q.status = 'instructed'
    and (q.seller_id = p_holder and q.from_address is distinct from p_address
        or q.buyer_id = p_holder and q.to_address is distinct from p_address));

-- Whether the register has a wallet as effective for a holder: the linked one, or another beside it.
create function registry.is_wallet_of(p_offering text, p_holder text, p_address bytea) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from registry.wallet_mapping w where w.offering_id = p_offering and w.investor_id = p_holder
    and w.address = p_address and w.status in ('linked', 'joined'));

-- Units of a holder that may leave one of its wallets: nobody knows which wallet will be asked for a frozen unit, so none of
-- them gives it.
create function registry.free_in(p_offering text, p_holder text, p_address bytea, p_except text) returns bigint
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return registry.units_in(p_offering, p_holder, p_address) - registry.frozen_units(p_offering, p_holder)
        - (select coalesce(sum(q.units), 0)::bigint from registry.transfer_request q where q.offering_id = p_offering
        and q.status in ('approved', 'instructed') and q.seller_id = p_holder and q.from_address = p_address
        and q.request_id is distinct from p_except)
        - (select coalesce(sum(a.units), 0)::bigint from registry.control_action a where a.offering_id = p_offering
        and a.investor_id = p_holder and a.from_address = p_address and a.status in ('approved', 'submitted', 'reverted'));
end $$;

create function registry.hold_transfer(p_offering text, p_request text) returns registry.transfer_request
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    q registry.transfer_request;
begin
    select * into q from registry.transfer_request where offering_id = p_offering and request_id = p_request;
    perform engine.lock_parties(p_offering, array[q.seller_id, q.buyer_id]);
    perform registry.book_of(p_offering);
    select * into q from registry.transfer_request where offering_id = p_offering and request_id = p_request for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'transfer_request_exists',
            message = format('there is no transfer %s', p_request);
    end if;
    return q;
end $$;

create function registry.log_transfer(p_offering text, p_item text, p_clock jsonb, p_reference text) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    insert into registry.turnaround_item (offering_id, item_id, status, kind, is_routine, reference, received_at, counts_from, due_on)
    values (p_offering, p_item, 'received', 'transfer', (p_clock ->> 'is_routine')::boolean, p_reference,
        (p_clock ->> 'received_at')::timestamptz, (p_clock ->> 'counts_from')::date, (p_clock ->> 'due_on')::date);
end;

create function registry.turn_item(p_actor text, p_offering text, p_item text, p_because text) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    update registry.turnaround_item set status = case when p_because is null then 'completed' else 'rejected' end,
        closed_at = clock_timestamp(), closed_by = p_actor, because = p_because
    where offering_id = p_offering and item_id = p_item and status = 'received';
end;

create function registry.keep_papers(p_actor text, p_offering text, p_request text, p_papers jsonb) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    insert into registry.transfer_paper (offering_id, request_id, paper, sha256, presented_by)
    select p_offering, p_request, t.paper, decode(t.sha256, 'hex'), p_actor
    from jsonb_to_recordset(p_papers) as t (paper text, sha256 text) on conflict do nothing;
end;

-- Said has kind, route, seller, buyer, units, price_minor and currency of a sale, and from and to (hex) where wallets are
-- named, and coin (hex) where the sale is paid in one; papers are rows of paper and sha256 (hex); clock says received_at, counts_from, due_on and is_routine of the item of the turnaround log.
create function registry.request_transfer(p_actor text, p_request text, p_offering text, p_transfer text, p_said jsonb,
    p_papers jsonb, p_item text, p_clock jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.log_transfer(p_offering, p_item, p_clock, p_transfer);
    insert into registry.transfer_request (offering_id, request_id, status, kind, route, seller_id, buyer_id, units, price_minor,
        currency, asked_from, asked_to, asked_by, item_id)
    select p_offering, p_transfer, 'requested', s.kind, s.route, s.seller, s.buyer, s.units, s.price_minor, s.currency,
        decode(s."from", 'hex'), decode(s."to", 'hex'), p_actor, p_item
    from jsonb_to_record(p_said) as s (kind text, route text, seller text, buyer text, units bigint, price_minor bigint,
        currency text, "from" text, "to" text);
    if p_said ->> 'coin' is not null then
        perform registry.agree_settlement(p_offering, p_transfer, decode(p_said ->> 'coin', 'hex'));
    end if;
    perform registry.keep_papers(p_actor, p_offering, p_transfer, p_papers);
end $$;

-- More papers while nothing is decided.
create function registry.add_transfer_papers(p_actor text, p_request text, p_offering text, p_transfer text, p_papers jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.hold_transfer(p_offering, p_transfer);
    perform registry.keep_papers(p_actor, p_offering, p_transfer, p_papers);
    update registry.transfer_request set status = 'requested' where offering_id = p_offering and request_id = p_transfer;
end $$;

-- A returned request comes again as a new item, with what was missing.
create function registry.present_again(p_actor text, p_request text, p_offering text, p_transfer text, p_papers jsonb,
    p_item text, p_clock jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform registry.hold_transfer(p_offering, p_transfer);
    perform registry.keep_papers(p_actor, p_offering, p_transfer, p_papers);
    perform registry.log_transfer(p_offering, p_item, p_clock, p_transfer);
    update registry.transfer_request set status = 'requested', item_id = p_item, reasons = '{}', screened = null,
        decided_by = null, decided_at = null
    where offering_id = p_offering and request_id = p_transfer;
end $$;

-- Both sides were screened for this transfer and its papers are there.
create function registry.mark_transfer_screened(p_actor text, p_request text, p_offering text, p_transfer text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    q registry.transfer_request;
begin
    perform audit.enter(p_actor, p_request);
    q := registry.hold_transfer(p_offering, p_transfer);
    update registry.transfer_request set status = 'screened', screened = jsonb_build_object('at', audit.instant(clock_timestamp()),
        'seller', to_jsonb(engine.party_of(p_offering, q.seller_id)), 'buyer', to_jsonb(engine.party_of(p_offering, q.buyer_id)))
    where offering_id = p_offering and request_id = p_transfer;
end $$;

-- The agent approves to an end: the wallets are those that the request names, else those that are linked now; the approval
-- serves once.
create function registry.approve_transfer(p_actor text, p_request text, p_offering text, p_transfer text, p_until timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    q registry.transfer_request;
begin
    perform audit.enter(p_actor, p_request);
    q := registry.hold_transfer(p_offering, p_transfer);
    update registry.transfer_request set status = 'approved', decided_by = p_actor, decided_at = clock_timestamp(),
        approved_until = p_until,
        from_address = coalesce(q.asked_from, registry.linked_address(p_offering, q.seller_id)),
        to_address = coalesce(q.asked_to, registry.linked_address(p_offering, q.buyer_id))
    where offering_id = p_offering and request_id = p_transfer;
end $$;

-- Sends a request back with what it lacks, rejects it, or withdraws it.
create function registry.end_transfer(p_actor text, p_request text, p_offering text, p_transfer text, p_status text, p_reasons text[])
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    q registry.transfer_request;
begin
    perform audit.enter(p_actor, p_request);
    q := registry.hold_transfer(p_offering, p_transfer);
    if p_status not in ('returned', 'rejected', 'withdrawn') then
        raise exception using errcode = 'BR008', constraint = 'transfer_ends_by_a_known_word', message = 'say how it ends';
    end if;
    update registry.transfer_request set status = p_status, reasons = p_reasons,
        decided_by = case when p_status = 'withdrawn' then decided_by else p_actor end, decided_at = clock_timestamp()
    where offering_id = p_offering and request_id = p_transfer;
    perform registry.turn_item(p_actor, p_offering, q.item_id, coalesce(nullif(array_to_string(p_reasons, '; '), ''), 'withdrawn'));
end $$;

-- An approval that has ended is none: the request waits for another. One of the holder's own transfers ends when the chain
-- has been looked at beyond its end: what was mined before is still carried out.
create function registry.lapse_transfers(p_actor text, p_request text, p_offering text) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    lapsed integer;
begin
    perform audit.enter(p_actor, p_request);
    update registry.transfer_request set status = 'screened', decided_by = null, decided_at = null, approved_until = null,
        from_address = null, to_address = null
    where offering_id = p_offering and status = 'approved' and approved_until <= case route when 'agent' then clock_timestamp()
        else (select w.through_time from registry.watched_token w where w.offering_id = p_offering) end;
    get diagnostics lapsed = row_count;
    return lapsed;
end $$;
