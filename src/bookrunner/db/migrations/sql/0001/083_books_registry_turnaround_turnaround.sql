-- The turnaround log: every item that the agent receives, from its receipt to its turnaround (17 CFR 240.17Ad-2, -5, -6).

create table registry.turnaround_item (
    offering_id text not null,
    item_id text not null,
    status text not null,
    kind text not null constraint item_kind_is_known check (kind in
        ('transfer', 'issuance', 'wallet_change', 'registration_change', 'legend_removal', 'inquiry')),
    is_routine boolean not null,
    reference text not null constraint item_names_its_paper check (reference ~ '\S'),
    received_at timestamptz not null,
    counts_from date not null,
    due_on date not null,
    closed_at timestamptz,
    closed_by text,
    because text,
    answer_sha256 bytea constraint answer_has_its_hash check (octet_length(answer_sha256) = 32),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, item_id),
    -- What comes after noon counts from the next business day (17 CFR 240.17Ad-1(d)); the agent's clock is New York's.
    constraint item_after_noon_counts_from_the_next_day check (counts_from >= (received_at at time zone 'America/New_York')::date
        + case when (received_at at time zone 'America/New_York')::time > '12:00' then 1 else 0 end),
    constraint item_counts_in_business_days check (extract(isodow from counts_from) < 6 and extract(isodow from due_on) < 6),
    constraint item_is_due_after_its_days check (due_on - counts_from >= case kind when 'inquiry' then 5 else 3 end),
    constraint closed_item_says_when_and_who
        check ((status <> 'received') = (closed_at is not null and closed_by is not null)),
    constraint item_is_closed_after_its_receipt check (closed_at >= received_at),
    constraint rejected_item_has_its_reason check (status <> 'rejected' or coalesce(because ~ '\S', false)),
    constraint answered_inquiry_keeps_its_answer check (kind <> 'inquiry' or status <> 'completed' or answer_sha256 is not null)
);
create index item_that_waits on registry.turnaround_item (offering_id, due_on) where status = 'received';
call audit.keep('registry.turnaround_item', 'turnaround_item', 'item_id', 'offering_id');

create function registry.item_stays_as_received() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if tg_op = 'INSERT' and new.received_at > clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'item_was_received_before_now', message = 'that is to come';
    end if;
    if tg_op = 'UPDATE' and (new.kind, new.is_routine, new.received_at, new.counts_from, new.due_on)
        is distinct from (old.kind, old.is_routine, old.received_at, old.counts_from, old.due_on) then
        raise exception using errcode = 'BR006', constraint = 'clock_of_an_item_is_locked',
            message = format('the clock of %s runs since its receipt', old.item_id);
    end if;
    return new;
end $$;
create trigger item_stays_as_received before insert or update on registry.turnaround_item
    for each row execute function registry.item_stays_as_received();
alter table registry.turnaround_item enable always trigger item_stays_as_received;

-- Item has kind, is_routine, reference, received_at, counts_from and due_on.
create function registry.receive_item(p_actor text, p_request text, p_offering text, p_item text, p_received jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into registry.turnaround_item (offering_id, item_id, status, kind, is_routine, reference, received_at, counts_from, due_on)
    values (p_offering, p_item, 'received', p_received ->> 'kind', (p_received ->> 'is_routine')::boolean,
        p_received ->> 'reference', (p_received ->> 'received_at')::timestamptz, (p_received ->> 'counts_from')::date,
        (p_received ->> 'due_on')::date);
end $$;

-- Turns an item around, with the hash of the answer to an inquiry, or sends it back with the reason.
create function registry.close_item(p_actor text, p_request text, p_offering text, p_item text, p_is_completed boolean,
    p_because text, p_answer_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update registry.turnaround_item set status = case when p_is_completed then 'completed' else 'rejected' end,
        closed_at = clock_timestamp(), closed_by = p_actor, because = p_because, answer_sha256 = p_answer_sha256
    where offering_id = p_offering and item_id = p_item;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'item_exists', message = format('there is no item %s', p_item);
    end if;
end $$;
