-- The control book: its entries, changes on written authority, and what differs from it.

-- Each version of the control book, written by the database itself (17 CFR 240.17Ad-9(d)).
create table registry.control_entry (
    offering_id text not null,
    entry_no bigint not null,
    authorised_units bigint not null,
    issued_units bigint not null,
    authority_sha256 bytea not null,
    entered_by text not null,
    entered_at timestamptz not null default now(),
    primary key (offering_id, entry_no)
);
call audit.append_only('registry.control_entry');

-- A change of the authorised units: the issuer's paper, its reference, and two people (17 CFR 240.17Ad-10(e)).
create table registry.control_change (
    offering_id text not null,
    change_id text not null,
    status text not null,
    units_before bigint not null,
    units_after bigint not null constraint authorised_units_are_positive check (units_after > 0),
    authority_sha256 bytea not null constraint control_change_has_its_paper check (octet_length(authority_sha256) = 32),
    authority_reference text not null constraint control_change_names_its_authority check (authority_reference ~ '\S'),
    proposed_by text not null,
    decided_by text,
    decided_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, change_id),
    constraint changed_control_book_exists foreign key (offering_id) references registry.control_book,
    constraint control_change_changes_the_units check (units_before <> units_after),
    constraint control_change_needs_two_people check (status <> 'approved' or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false)),
    constraint declined_control_change_has_its_reason check (status <> 'declined' or coalesce(decided_because ~ '\S', false))
);
create unique index one_control_change_waits on registry.control_change (offering_id) where status = 'proposed';
call audit.keep('registry.control_change', 'control_change', 'change_id', 'offering_id');

create function registry.control_book_is_kept() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.authorised_units, new.authority_sha256) is distinct from (old.authorised_units, old.authority_sha256)
        and not exists (select from registry.control_change c where c.offering_id = new.offering_id and c.status = 'approved'
            and c.units_before = old.authorised_units and c.units_after = new.authorised_units
            and c.authority_sha256 = new.authority_sha256)
        and not exists (select from registry.split s where s.offering_id = new.offering_id and s.status = 'executed'
            and s.authorised_before = old.authorised_units and s.authorised_after = new.authorised_units
            and s.authority_sha256 = new.authority_sha256)
        and not exists (select from registry.conversion_class c join registry.conversion v on v.offering_id = c.from_offering_id
            and v.conversion_id = c.conversion_id where c.offering_id = new.offering_id and c.status = 'executed'
            and v.authority_sha256 = new.authority_sha256 and new.authorised_units = old.authorised_units)
        and not exists (select from registry.reinvestment_plan p where p.offering_id = new.offering_id and p.decided_at is not null and p.status <> 'declined'
            and p.authority_sha256 = new.authority_sha256 and new.authorised_units = old.authorised_units and new.issued_units > old.issued_units) then
        raise exception using errcode = 'BR008', constraint = 'control_book_changes_on_written_authority',
            message = 'no approved authority of the issuer says so';
    end if;
    if new.issued_units <> old.issued_units and new.issued_units <= new.authorised_units and new.issued_units <> (select coalesce(sum(p.units), 0)
        from registry.posting p where p.offering_id = new.offering_id) then
        raise exception using errcode = 'BR008', constraint = 'issued_units_are_the_postings',
            message = 'the postings do not sum to that';
    end if;
    return new;
end $$;
create trigger control_book_is_kept before update on registry.control_book
    for each row execute function registry.control_book_is_kept();
alter table registry.control_book enable always trigger control_book_is_kept;

create function registry.enter_control() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    insert into registry.control_entry (offering_id, entry_no, authorised_units, issued_units, authority_sha256, entered_by)
    values (new.offering_id, new.version, new.authorised_units, new.issued_units, new.authority_sha256,
        current_setting('bookrunner.actor'));
    return null;
end $$;
create trigger enter_control after insert or update on registry.control_book
    for each row execute function registry.enter_control();
alter table registry.control_book enable always trigger enter_control;

create function registry.propose_control_change(p_actor text, p_request text, p_offering text, p_change text,
    p_units bigint, p_authority_sha256 bytea, p_reference text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    b registry.control_book;
begin
    perform audit.enter(p_actor, p_request);
    b := registry.book_of(p_offering);
    insert into registry.control_change (offering_id, change_id, status, units_before, units_after, authority_sha256,
        authority_reference, proposed_by)
    values (p_offering, p_change, 'proposed', b.authorised_units, p_units, p_authority_sha256, p_reference, p_actor);
end $$;

create function registry.book_of(p_offering text) returns registry.control_book
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    b registry.control_book;
begin
    select * into b from registry.control_book where offering_id = p_offering for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'control_book_exists',
            message = format('%s has no control book', p_offering);
    end if;
    return b;
end $$;

-- Approves or declines a change of the authorised units; the book follows an approved one at once.
create function registry.decide_control_change(p_actor text, p_request text, p_offering text, p_change text,
    p_is_approved boolean, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c registry.control_change;
begin
    perform audit.enter(p_actor, p_request);
    perform registry.book_of(p_offering);
    update registry.control_change set status = case when p_is_approved then 'approved' else 'declined' end,
        decided_by = p_actor, decided_because = p_because
    where offering_id = p_offering and change_id = p_change returning * into c;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'control_change_exists',
            message = format('there is no change %s', p_change);
    end if;
    if p_is_approved then
        update registry.control_book set authorised_units = c.units_after, authority_sha256 = c.authority_sha256
        where offering_id = p_offering;
    end if;
end $$;

-- What the chain showed at a final block: all units minted, and those still in the treasury wallet.
create table registry.supply_seen (
    offering_id text not null,
    block_number bigint not null check (block_number >= 0),
    block_hash bytea not null check (octet_length(block_hash) = 32),
    minted_units bigint not null,
    undelivered_units bigint not null,
    seen_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, block_hash),
    constraint undelivered_is_part_of_the_supply check (undelivered_units between 0 and minted_units)
);
call audit.append_only('registry.supply_seen');

-- Units that nobody has bought, as the chain showed them last; null where nobody looked, none without a token.
create function registry.undelivered_units(p_offering text) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
return (select case when o.token_address is null then coalesce(x.undelivered_units, 0) else x.undelivered_units end
    from engine.offer o left join lateral (select s.undelivered_units from registry.supply_seen s where s.offering_id = o.offering_id
        order by s.seen_at desc, s.block_number desc limit 1) x on true where o.offering_id = p_offering);

create table registry.record_difference (
    offering_id text not null,
    difference_id text not null,
    status text not null,
    kind text not null constraint difference_kind_is_known check (kind in ('control_book_is_not_the_register',
        'register_is_not_its_postings', 'register_is_not_its_lots', 'chain_is_not_the_control_book', 'supply_is_over_authorised')),
    left_units bigint not null,
    right_units bigint not null,
    found_at timestamptz not null default clock_timestamp(),
    resolved_by text,
    resolved_because text,
    resolved_at timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, difference_id),
    constraint resolved_difference_has_its_reason
        check (status <> 'resolved' or coalesce(resolved_because ~ '\S', false) and resolved_by is not null),
    constraint resolved_difference_is_none check (status <> 'resolved' or left_units = right_units)
);
create unique index one_open_difference_of_a_kind on registry.record_difference (offering_id, kind) where status = 'open';
call audit.keep('registry.record_difference', 'record_difference', 'difference_id', 'offering_id');

-- Every total of the same units, side by side; the chain as it was last seen, null where it never was.
create view registry.balance as
select c.offering_id, c.control_id, c.authorised_units, c.issued_units, c.issued_units as outstanding_units,
    coalesce(h.units, 0)::bigint as register_units, coalesce(p.units, 0)::bigint as posted_units,
    (coalesce(l.units, 0) - coalesce(u.units, 0))::bigint as lot_units,
    s.minted_units, s.undelivered_units, s.minted_units - s.undelivered_units as delivered_units, s.block_number, s.seen_at,
    c.authority_sha256, c.version
from registry.control_book c
left join (select x.offering_id, sum(x.units) as units from registry.holding x group by 1) h on h.offering_id = c.offering_id
left join (select x.offering_id, sum(x.units) as units from registry.posting x group by 1) p on p.offering_id = c.offering_id
left join (select x.offering_id, sum(x.units) as units from registry.lot x group by 1) l on l.offering_id = c.offering_id
left join (select x.offering_id, sum(x.units) as units from registry.lot_use x group by 1) u on u.offering_id = c.offering_id
left join (select distinct on (x.offering_id) x.* from registry.supply_seen x
    order by x.offering_id, x.seen_at desc, x.block_number desc) s on s.offering_id = c.offering_id;

-- What a begun split or conversion mints to or burns from holders, with the block that shows it, what a redemption burns and a reinvestment mints; without a block
-- while the chain may do it any moment.
create view registry.split_change as
select p.offering_id, p.units_after - p.units_before as units, t.block_number
from registry.split s join registry.split_place p using (offering_id, split_id)
left join registry.split_seen n using (offering_id, split_id, address)
left join registry.chain_transaction t on t.chain_id = n.chain_id and t.hash = n.transaction_hash
where s.status = 'begun' and p.holding_id is not null and exists (select from registry.split_call c
    join registry.chain_transaction x using (offering_id, intent_id) where c.offering_id = p.offering_id and c.split_id = p.split_id
        and c.address = p.address and x.status in ('signed', 'broadcast', 'mined', 'final'))
union all
select b.offering_id, -b.units, null from registry.burn_under_way b
union all
select m.offering_id, m.units, null from registry.mint_under_way m
union all
select p.offering_id, p.units_after - p.units_before, t.block_number
from registry.conversion_change p left join registry.conversion_seen n using (offering_id, from_offering_id, conversion_id, address)
left join registry.chain_transaction t on t.chain_id = n.chain_id and t.hash = n.transaction_hash
where p.status = 'begun' and exists (select from registry.conversion_call c join registry.chain_transaction x using (offering_id, intent_id)
    where c.offering_id = p.offering_id and c.from_offering_id = p.from_offering_id and c.conversion_id = p.conversion_id
        and c.address = p.address and x.status in ('signed', 'broadcast', 'mined', 'final'));

-- Which totals of the books must be equal.
create view registry.book_comparison as
select b.offering_id, b.control_id, d.kind, d.left_units, d.right_units
from registry.balance b cross join lateral (values
    ('control_book_is_not_the_register', b.issued_units, b.register_units),
    ('register_is_not_its_postings', b.register_units, b.posted_units),
    ('register_is_not_its_lots', b.register_units, b.lot_units))
    as d (kind, left_units, right_units);

-- Those, and which totals of the chain as it was last seen; a supply over the authorised units is measured as the surplus beside none.
-- While a split or conversion is minted or burned the chain has what it did by that block, with any part of what is on its way.
create view registry.comparison as
select b.offering_id, b.kind, b.left_units, b.right_units from registry.book_comparison b
union all
select b.offering_id, d.kind, d.left_units, d.right_units
from registry.balance b cross join lateral (select coalesce(sum(c.units) filter (where c.is_done), 0) as done,
        coalesce(sum(least(c.units, 0)) filter (where not c.is_done), 0) as least, coalesce(sum(greatest(c.units, 0)) filter (where not c.is_done), 0) as most
    from (select x.units, coalesce(x.block_number <= b.block_number, false) as is_done
        from registry.split_change x where x.offering_id = b.offering_id) c) w
cross join lateral (select greatest(b.authorised_units, max(s.authorised_after)) as authorised_units from registry.split s
    where s.offering_id = b.offering_id and s.status = 'begun') a
cross join lateral (values
    ('chain_is_not_the_control_book', b.delivered_units,
        greatest(b.issued_units + w.done + w.least, least(b.delivered_units, b.issued_units + w.done + w.most))::bigint),
    ('supply_is_over_authorised', greatest(b.minted_units - a.authorised_units, 0), 0::bigint))
    as d (kind, left_units, right_units)
where d.left_units is not null;

-- Each holding beside what was posted to it and what is left of its lots.
create view registry.holding_parts as
select h.offering_id, h.holding_id, h.investor_id, h.units, coalesce(p.units, 0) as posted_units,
    coalesce(l.units, 0) - coalesce(u.units, 0) as lot_units
from registry.holding h
left join (select x.offering_id, x.holding_id, sum(x.units) as units from registry.posting x group by 1, 2) p
    on p.offering_id = h.offering_id and p.holding_id = h.holding_id
left join (select x.offering_id, x.holding_id, sum(x.units) as units from registry.lot x group by 1, 2) l
    on l.offering_id = h.offering_id and l.holding_id = h.holding_id
left join (select o.offering_id, o.holding_id, sum(x.units) as units from registry.lot_use x
    join registry.lot o using (offering_id, lot_id) group by 1, 2) u on u.offering_id = h.offering_id and u.holding_id = h.holding_id;

-- Compares the records, with what the chain shows when it is given as {block_number, block_hash, minted, undelivered}.
-- A new difference is named, a known one measured again; returns how many differ now.
create function registry.compare_records(p_actor text, p_request text, p_offering text, p_chain jsonb) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    differing integer;
begin
    perform audit.enter(p_actor, p_request);
    perform registry.book_of(p_offering);
    if p_chain is not null then
        insert into registry.supply_seen (offering_id, block_number, block_hash, minted_units, undelivered_units)
        values (p_offering, (p_chain ->> 'block_number')::bigint, decode(p_chain ->> 'block_hash', 'hex'),
            (p_chain ->> 'minted')::bigint, (p_chain ->> 'undelivered')::bigint)
        on conflict do nothing;
    end if;
    update registry.record_difference d set left_units = c.left_units, right_units = c.right_units
    from registry.comparison c where c.offering_id = p_offering and d.offering_id = p_offering and d.kind = c.kind
        and d.status = 'open' and (d.left_units, d.right_units) is distinct from (c.left_units, c.right_units);
    insert into registry.record_difference (offering_id, difference_id, status, kind, left_units, right_units)
    select p_offering, 'rdf_' || replace(gen_random_uuid()::text, '-', ''), 'open', c.kind, c.left_units, c.right_units
    from registry.comparison c where c.offering_id = p_offering and c.left_units <> c.right_units
        and not exists (select from registry.record_difference d where d.offering_id = p_offering and d.kind = c.kind
            and d.status = 'open');
    select count(*) into differing from registry.comparison c
    where c.offering_id = p_offering and c.left_units <> c.right_units;
    return differing;
end $$;

-- Says why a difference was; refused while the records still differ.
create function registry.resolve_difference(p_actor text, p_request text, p_offering text, p_difference text,
    p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update registry.record_difference d set status = 'resolved', left_units = c.left_units, right_units = c.right_units,
        resolved_by = p_actor, resolved_because = p_because, resolved_at = clock_timestamp()
    from registry.comparison c where d.offering_id = p_offering and d.difference_id = p_difference
        and c.offering_id = p_offering and c.kind = d.kind;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'difference_exists',
            message = format('there is no difference %s', p_difference);
    end if;
end $$;

-- The subsidiary file: what was presented and matches no holding, with its age and owner (17 CFR 240.17Ad-9(h), -10(a)).
create table registry.subsidiary_entry (
    offering_id text not null,
    entry_id text not null,
    status text not null,
    side text not null constraint subsidiary_side_is_known check (side in ('debit', 'credit')),
    units bigint not null constraint subsidiary_units_are_positive check (units > 0),
    reference text not null constraint subsidiary_entry_names_its_paper check (reference ~ '\S'),
    because text not null constraint subsidiary_entry_has_its_reason check (because ~ '\S'),
    owner text not null constraint subsidiary_entry_has_its_owner check (owner ~ '\S'),
    opened_by text not null,
    opened_at timestamptz not null default clock_timestamp(),
    holding_id text,
    resolved_by text,
    resolved_because text,
    resolved_at timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, entry_id),
    constraint entry_names_a_holding_of_the_register foreign key (offering_id, holding_id) references registry.holding,
    constraint subsidiary_entry_needs_two_people check (status <> 'resolved' or coalesce(audit.person_of(resolved_by) <> audit.person_of(opened_by), false)),
    constraint resolved_entry_names_its_holding
        check (status <> 'resolved' or holding_id is not null and coalesce(resolved_because ~ '\S', false))
);
call audit.keep('registry.subsidiary_entry', 'subsidiary_entry', 'entry_id', 'offering_id');

create function registry.keep_apart(p_actor text, p_request text, p_offering text, p_entry text, p_side text, p_units bigint,
    p_reference text, p_because text, p_owner text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into registry.subsidiary_entry (offering_id, entry_id, status, side, units, reference, because, owner, opened_by)
    values (p_offering, p_entry, 'open', p_side, p_units, p_reference, p_because, p_owner, p_actor);
end $$;

-- Names the holding of an entry; a debit needs one that holds as many units.
create function registry.resolve_entry(p_actor text, p_request text, p_offering text, p_entry text, p_holding text,
    p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    e registry.subsidiary_entry;
begin
    perform audit.enter(p_actor, p_request);
    update registry.subsidiary_entry set status = 'resolved', holding_id = p_holding, resolved_by = p_actor,
        resolved_because = p_because, resolved_at = clock_timestamp()
    where offering_id = p_offering and entry_id = p_entry returning * into e;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'subsidiary_entry_exists',
            message = format('there is no entry %s', p_entry);
    end if;
    if e.side = 'debit' and not exists (select from registry.holding h where h.offering_id = p_offering
        and h.holding_id = p_holding and h.units >= e.units) then
        raise exception using errcode = 'BR008', constraint = 'debit_is_covered_by_its_holding',
            message = 'the holding has fewer units';
    end if;
end $$;
