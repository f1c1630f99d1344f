-- How an offer shares out its units: its policy, the line of those who wait, decided lists, and its amendments.

-- Without a row the first who come are served, up to the units of the offer, and no reservation ends by the clock.
create table engine.allocation_policy (
    offering_id text primary key references engine.offer,
    policy_id text not null,
    status text not null,
    policy text not null constraint policy_is_known check (policy in ('first_come', 'pro_rata', 'discretionary')),
    most_units bigint not null,
    hold_minutes integer constraint hold_is_a_length_of_time check (hold_minutes between 1 and 525600),
    version bigint not null,
    chain_head bytea not null
);

create table engine.waitlist_entry (
    offering_id text not null references engine.offer,
    entry_id text not null,
    place bigint not null check (place > 0),
    investor_id text not null,
    units bigint not null constraint waiting_units_are_positive check (units > 0),
    status text not null,
    investment_id text,
    because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, entry_id),
    constraint each_place_is_taken_once unique (offering_id, place),
    constraint promoted_entry_names_its_investment check ((status = 'promoted') = (investment_id is not null)),
    constraint passed_over_for_a_reason check ((status = 'passed_over') = (because is not null))
);

create unique index one_place_per_investor on engine.waitlist_entry (offering_id, investor_id) where status = 'waiting';
create index waitlist_in_order on engine.waitlist_entry (offering_id, place) where status = 'waiting';

create table engine.allotment (
    offering_id text not null references engine.offer,
    allotment_id text not null,
    ordinal integer not null check (ordinal > 0),
    status text not null,
    policy text not null check (policy in ('first_come', 'pro_rata', 'discretionary', 'scale_back')),
    available_units bigint not null,
    ordered_units bigint not null check (ordered_units > 0),
    allotted_units bigint not null check (allotted_units >= 0),
    book text not null,
    decided_by text not null constraint allotment_is_decided_by_a_person
        check (decided_by <> 'process' and decided_by not like 'provider:%'),
    capacity text not null constraint approver_is_issuer_or_agent check (capacity in ('issuer', 'placement_agent')),
    because text not null constraint allotment_has_its_reason check (because ~ '\S'),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, allotment_id),
    constraint allotments_are_numbered unique (offering_id, ordinal),
    constraint allotment_is_within_the_units check (allotted_units <= available_units)
);

create table engine.allotment_line (
    offering_id text not null,
    allotment_id text not null,
    investment_id text not null,
    ordered_units bigint not null,
    units bigint not null,
    because text not null,
    primary key (offering_id, allotment_id, investment_id),
    foreign key (offering_id, allotment_id) references engine.allotment,
    foreign key (offering_id, investment_id) references engine.investment,
    constraint line_is_within_its_order check (units between 0 and ordered_units)
);

create index lines_of_investment on engine.allotment_line (offering_id, investment_id);

create table engine.amendment (
    offering_id text not null references engine.offer,
    amendment_id text not null,
    ordinal integer not null check (ordinal > 0),
    status text not null,
    is_material boolean not null,
    sentence text not null constraint amendment_says_what_changes check (sentence ~ '\S'),
    document_sha256 bytea not null check (octet_length(document_sha256) = 32),
    proposed_by text not null,
    decided_by text,
    because text,
    rule_id text,
    rule_version integer,
    due_at timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, amendment_id),
    constraint amendments_are_numbered unique (offering_id, ordinal),
    constraint amendment_needs_two_people check (audit.person_of(decided_by) is distinct from audit.person_of(proposed_by)),
    constraint decided_amendment_names_who check ((status = 'proposed') = (decided_by is null)),
    constraint material_change_is_put_to_investors check (
        case when status = 'recorded' then not is_material
            when status in ('announced', 'put_to_investors')
            then is_material and due_at is not null and rule_id is not null and rule_version is not null
            else true end)
);

call audit.keep('engine.allocation_policy', 'allocation_policy', 'policy_id', 'offering_id');
call audit.keep('engine.waitlist_entry', 'waitlist_entry', 'entry_id', 'offering_id');
call audit.keep('engine.allotment', 'allotment', 'allotment_id', 'offering_id');
call audit.keep('engine.amendment', 'amendment', 'amendment_id', 'offering_id');
call audit.append_only('engine.allotment_line');

-- The offer names its policy beforehand: nobody who has ordered is served by another one.
create function engine.policy_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from engine.offer where offering_id = new.offering_id for update;
    if exists (select from engine.investment i where i.offering_id = new.offering_id) then
        raise exception using errcode = 'BR006', constraint = 'policy_is_named_before_the_first_order',
            message = format('%s has orders', new.offering_id);
    end if;
    if new.most_units < (select o.units_total from engine.offer o where o.offering_id = new.offering_id) then
        raise exception using errcode = 'BR008', constraint = 'orders_may_fill_the_offer',
            message = format('%s orders less than its units', new.offering_id);
    end if;
    return new;
end $$;

create trigger policy_stands before insert or update on engine.allocation_policy
    for each row execute function engine.policy_stands();

create function engine.amendment_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (old.ordinal, old.is_material, old.sentence, old.document_sha256, old.proposed_by)
        is distinct from (new.ordinal, new.is_material, new.sentence, new.document_sha256, new.proposed_by)
        or old.status <> 'proposed' and (old.due_at, old.rule_id, old.rule_version, old.decided_by, old.because)
        is distinct from (new.due_at, new.rule_id, new.rule_version, new.decided_by, new.because) then
        raise exception using errcode = 'BR006', constraint = 'amendment_is_locked',
            message = format('%s says what was proposed; another change is another amendment', old.amendment_id);
    end if;
    return new;
end $$;

create trigger amendment_stands before update on engine.amendment
    for each row execute function engine.amendment_stands();

-- What the last decided list gives an investment; null when none has named it.
create function engine.allotted_units(p_offering text, p_investment text) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
return (
    select l.units from engine.allotment_line l join engine.allotment a using (offering_id, allotment_id)
    where l.offering_id = p_offering and l.investment_id = p_investment order by a.ordinal desc limit 1);

create function engine.units_left(p_offering text) returns bigint
language sql stable set search_path = pg_catalog, pg_temp
return (
    select coalesce(r.most_units, p.most_units, o.units_total) - coalesce(r.units, 0)
    from engine.offer o left join engine.allocation_policy p using (offering_id)
    left join engine.reservation r using (offering_id) where o.offering_id = p_offering);
