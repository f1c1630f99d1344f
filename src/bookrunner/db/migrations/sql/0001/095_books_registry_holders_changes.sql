-- Changes of a registration: name, address, death and joint tenancy, each with its papers, two people and a new version.

create table registry.registration_paper_kind (
    change_kind text not null,
    paper text not null,
    sentence text not null,
    primary key (change_kind, paper)
);
insert into registry.registration_paper_kind values
    ('name', 'name_document', 'The certificate or order by which the name changed.'),
    ('name', 'signature_guarantee', 'The holder''s signature in both names, guaranteed (17 CFR 240.17Ad-15).'),
    ('address', 'address_instruction', 'The holder''s signed instruction with both addresses.'),
    ('death', 'death_certificate', 'The certificate of the holder''s death.'),
    ('death', 'letters_of_administration', 'The court''s letters to whoever acts for the estate.'),
    ('joint_tenancy', 'joint_instruction', 'The instruction of all holders, signed, with the form of their tenancy.'),
    ('joint_tenancy', 'signature_guarantee', 'The signatures of all holders, guaranteed (17 CFR 240.17Ad-15).');
call audit.append_only('registry.registration_paper_kind');

create table registry.registration_change (
    offering_id text not null,
    change_id text not null,
    status text not null,
    kind text not null constraint registration_change_kind_is_known check (kind in ('name', 'address', 'death', 'joint_tenancy')),
    holding_id text not null,
    item_id text not null,
    registration_fact text not null,
    registration_digest bytea not null,
    form text not null,
    co_holder_id text,
    because text not null constraint registration_change_has_its_reason check (because ~ '\S'),
    proposed_by text not null,
    decided_by text,
    decided_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, change_id),
    foreign key (offering_id, holding_id) references registry.holding,
    foreign key (offering_id, item_id) references registry.turnaround_item,
    constraint registration_form_follows_its_change check (case kind when 'death' then form = 'estate' and co_holder_id is null
        when 'joint_tenancy' then form in ('joint_tenants', 'tenants_in_common') and co_holder_id is not null else true end),
    constraint registration_change_needs_two_people
        check (status <> 'approved' or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false)),
    constraint declined_registration_change_has_its_reason check (status <> 'declined' or coalesce(decided_because ~ '\S', false))
);
create unique index one_registration_change_waits on registry.registration_change (offering_id, holding_id) where status = 'proposed';
call audit.keep('registry.registration_change', 'registration_change', 'change_id', 'offering_id');

-- Holders whose registration somebody asked to change, and nobody has decided on it.
create view registry.registration_in_progress as
select c.offering_id, h.investor_id from registry.registration_change c join registry.holding h using (offering_id, holding_id)
where c.status = 'proposed';

create table registry.registration_paper (
    offering_id text not null,
    change_id text not null,
    paper text not null,
    sha256 bytea not null constraint registration_paper_has_its_hash check (octet_length(sha256) = 32),
    primary key (offering_id, change_id, paper),
    foreign key (offering_id, change_id) references registry.registration_change
);
call audit.append_only('registry.registration_paper');

-- The versions after the first, which the holding was opened with and keeps.
create table registry.registration (
    offering_id text not null,
    holding_id text not null,
    version_no integer not null check (version_no > 0),
    change_id text not null,
    registration_fact text not null,
    registration_digest bytea not null,
    form text not null,
    co_holder_id text,
    entered_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, holding_id, version_no),
    constraint change_makes_one_version unique (offering_id, change_id),
    foreign key (offering_id, change_id) references registry.registration_change
);
call audit.append_only('registry.registration');

-- How a holding was registered just before a moment.
create function registry.registration_of(p_offering text, p_holding text, p_before timestamptz) returns registry.registration
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    r registry.registration;
begin
    select x.* into r from registry.registration x where x.offering_id = p_offering and x.holding_id = p_holding
        and x.entered_at < p_before order by x.version_no desc limit 1;
    if not found then
        select h.offering_id, h.holding_id, 0, null, h.registration_fact, h.registration_digest, 'as opened', null, null into r
        from registry.holding h where h.offering_id = p_offering and h.holding_id = p_holding;
    end if;
    return r;
end $$;

create function registry.missing_registration_papers(c registry.registration_change) returns text[]
language sql stable set search_path = pg_catalog, pg_temp
return (select coalesce(array_agg(k.paper order by k.paper), '{}') from registry.registration_paper_kind k
    where k.change_kind = c.kind and not exists (select from registry.registration_paper p where p.offering_id = c.offering_id
        and p.change_id = c.change_id and p.paper = k.paper));

-- What keeps a change from being made; the first of several.
create function registry.registration_hindrance(c registry.registration_change) returns text
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    holder text := (select h.investor_id from registry.holding h where h.offering_id = c.offering_id and h.holding_id = c.holding_id);
    now_is registry.registration := registry.registration_of(c.offering_id, c.holding_id, 'infinity');
begin
    return case
        when (c.registration_digest, c.form, c.co_holder_id) is not distinct from (now_is.registration_digest, now_is.form,
            now_is.co_holder_id) then 'registration_change_changes_something'
        when now_is.form = 'estate' and c.kind <> 'address' then 'estate_keeps_its_registration'
        when c.kind in ('name', 'address') and c.registration_digest is distinct from
            (engine.party_of(c.offering_id, holder)).profile_digest then 'registration_is_that_of_the_profile'
        when c.co_holder_id = holder then 'co_holder_is_another_investor'
        when c.kind = 'joint_tenancy' and not coalesce((engine.party_of(c.offering_id, c.co_holder_id)).is_cleared, false)
            then 'co_holder_is_cleared'
        when c.status = 'approved' and registry.missing_registration_papers(c) <> '{}' then 'registration_papers_are_complete'
        when c.status = 'approved' and (engine.is_person_of(c.decided_by, holder)
            or coalesce(engine.is_person_of(c.decided_by, c.co_holder_id), false)) then 'registration_is_changed_by_another_person' end;
end $$;

-- The wall: a change is decided as it was proposed, while it still is one.
create function registry.registration_change_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    hindrance text;
begin
    if tg_op = 'UPDATE' and (new.kind, new.holding_id, new.registration_fact, new.registration_digest, new.form, new.co_holder_id,
        new.because, new.proposed_by) is distinct from (old.kind, old.holding_id, old.registration_fact, old.registration_digest,
        old.form, old.co_holder_id, old.because, old.proposed_by) then
        raise exception using errcode = 'BR006', constraint = 'registration_change_is_locked',
            message = format('%s is decided as it was proposed', old.change_id);
    end if;
    hindrance := case when new.status <> 'declined' then registry.registration_hindrance(new) end;
    if hindrance is not null then
        raise exception using errcode = 'BR008', constraint = hindrance, message = format('%s cannot be made', new.change_id);
    end if;
    return new;
end $$;
create trigger registration_change_stands before insert or update on registry.registration_change
    for each row execute function registry.registration_change_stands();
alter table registry.registration_change enable always trigger registration_change_stands;

create function registry.registration_follows_its_change() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.version_no <> (registry.registration_of(new.offering_id, new.holding_id, 'infinity')).version_no + 1
        or not exists (select from registry.registration_change c where c.offering_id = new.offering_id and c.change_id = new.change_id
            and c.status = 'approved' and c.holding_id = new.holding_id and (c.registration_fact, c.registration_digest, c.form,
                c.co_holder_id) is not distinct from (new.registration_fact, new.registration_digest, new.form, new.co_holder_id)) then
        raise exception using errcode = 'BR008', constraint = 'registration_follows_its_change',
            message = 'no approved change says so';
    end if;
    return new;
end $$;
create trigger registration_follows_its_change before insert on registry.registration
    for each row execute function registry.registration_follows_its_change();
alter table registry.registration enable always trigger registration_follows_its_change;

-- Said has kind, holding, because and, of a joint tenancy, form and co_holder; papers are rows of paper and sha256 (hex). A
-- change of name or address takes the profile as it is now: the portal's own change comes before it.
create function registry.propose_registration(p_actor text, p_request text, p_offering text, p_change text, p_said jsonb,
    p_papers jsonb, p_item text, p_clock jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    holder text;
    now_is registry.registration;
    party engine.party;
    wanted constant text := p_said ->> 'kind';
begin
    perform audit.enter(p_actor, p_request);
    perform registry.book_of(p_offering);
    select h.investor_id into holder from registry.holding h where h.offering_id = p_offering and h.holding_id = p_said ->> 'holding';
    if not found then
        raise exception using errcode = 'BR404', constraint = 'holding_exists',
            message = format('there is no holding %s', p_said ->> 'holding');
    end if;
    now_is := registry.registration_of(p_offering, p_said ->> 'holding', 'infinity');
    party := engine.party_of(p_offering, holder);
    insert into registry.turnaround_item (offering_id, item_id, status, kind, is_routine, reference, received_at, counts_from, due_on)
    values (p_offering, p_item, 'received', 'registration_change', (p_clock ->> 'is_routine')::boolean, p_change,
        (p_clock ->> 'received_at')::timestamptz, (p_clock ->> 'counts_from')::date, (p_clock ->> 'due_on')::date);
    insert into registry.registration_change (offering_id, change_id, status, kind, holding_id, item_id, registration_fact,
        registration_digest, form, co_holder_id, because, proposed_by)
    values (p_offering, p_change, 'proposed', wanted, p_said ->> 'holding', p_item,
        case when wanted in ('name', 'address') then party.profile_fact else now_is.registration_fact end,
        case when wanted in ('name', 'address') then party.profile_digest else now_is.registration_digest end,
        case wanted when 'death' then 'estate' when 'joint_tenancy' then p_said ->> 'form' else now_is.form end,
        case wanted when 'death' then null when 'joint_tenancy' then p_said ->> 'co_holder' else now_is.co_holder_id end,
        p_said ->> 'because', p_actor);
    insert into registry.registration_paper (offering_id, change_id, paper, sha256)
    select p_offering, p_change, t.paper, decode(t.sha256, 'hex') from jsonb_to_recordset(p_papers) as t (paper text, sha256 text);
end $$;

-- A second person makes the change, as a new version, or declines it.
create function registry.decide_registration(p_actor text, p_request text, p_offering text, p_change text, p_is_approved boolean,
    p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c registry.registration_change;
begin
    perform audit.enter(p_actor, p_request);
    perform registry.book_of(p_offering);
    update registry.registration_change set status = case when p_is_approved then 'approved' else 'declined' end,
        decided_by = p_actor, decided_because = p_because
    where offering_id = p_offering and change_id = p_change returning * into c;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'registration_change_exists',
            message = format('there is no change %s', p_change);
    end if;
    if p_is_approved then
        insert into registry.registration (offering_id, holding_id, version_no, change_id, registration_fact, registration_digest,
            form, co_holder_id)
        values (p_offering, c.holding_id, (registry.registration_of(p_offering, c.holding_id, 'infinity')).version_no + 1, p_change,
            c.registration_fact, c.registration_digest, c.form, c.co_holder_id);
    end if;
    perform registry.turn_item(p_actor, p_offering, c.item_id, case when p_is_approved is not true then p_because end);
end $$;

-- The units of a holder who died go by inheritance alone.
create function registry.is_estate(p_offering text, p_investor text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return coalesce((select (registry.registration_of(h.offering_id, h.holding_id, 'infinity')).form = 'estate'
        from registry.holding h where h.offering_id = p_offering and h.investor_id = p_investor), false);
end $$;
