-- Offers, investments and closings, and the rows that say which moves their machines list.

create schema engine;

create table engine.machine (
    machine text primary key,
    keeper text not null,
    sentence text not null
);

create table engine.state (
    machine text not null references engine.machine,
    state text not null check (state <> ''),
    sentence text not null,
    primary key (machine, state)
);

-- from_state is empty for a birth; role is the one login that may make the move.
create table engine.transition (
    machine text not null references engine.machine,
    from_state text not null,
    to_state text not null,
    trigger text not null,
    role text not null,
    primary key (machine, from_state, to_state, role),
    foreign key (machine, to_state) references engine.state (machine, state)
);

create table engine.condition (
    condition text primary key,
    bit integer not null unique check (bit between 0 and 30),
    stage text not null check (stage in ('profile', 'compliance', 'subscription', 'funding', 'issuance')),
    keeper text not null,
    sentence text not null
);

create table engine.gate (
    act text primary key,
    mask integer not null check (mask > 0),
    sentence text not null
);

create table engine.offer (
    offering_id text primary key,
    issuer_id text not null,
    name text not null,
    exemption text not null constraint exemption_is_known check (exemption in
        ('506(b)', '506(c)', 'reg_cf', 'reg_a_tier_1', 'reg_a_tier_2', 'reg_s', 'eu_crowdfunding')),
    currency text not null check (currency ~ '^[A-Z]{3}$'),
    unit_price_minor bigint not null check (unit_price_minor > 0),
    units_total bigint not null check (units_total > 0),
    minimum_units bigint not null constraint minimum_is_within_the_offer check (minimum_units between 1 and units_total),
    isin text constraint isin_is_twelve_characters check (isin ~ '^[A-Z]{2}[0-9A-Z]{9}[0-9]$'),
    agreement_form text not null default 'canonical' constraint agreement_form_is_known
        check (agreement_form in ('canonical', 'packet')),
    status text not null,
    chain_id bigint,
    token_address bytea check (octet_length(token_address) = 20),
    treasury_address bytea check (octet_length(treasury_address) = 20),
    published_at timestamptz,
    ended_as text constraint failure_has_a_known_kind check (ended_as in ('minimum_missed', 'withdrawn', 'halted')),
    because text,
    version bigint not null,
    chain_head bytea not null,
    constraint published_offer_has_its_token check (
        status not in ('published', 'legally_closed', 'closed_successfully')
        or (chain_id is not null and token_address is not null and treasury_address is not null)),
    constraint failed_offer_says_how_and_why check ((status = 'closed_unsuccessfully') = (ended_as is not null)
        and (ended_as is null or coalesce(because ~ '\S', false))),
    constraint declined_offer_says_why check (status <> 'legal_declined' or coalesce(because ~ '\S', false))
);

create table engine.investment (
    offering_id text not null references engine.offer,
    investment_id text not null,
    investor_id text not null,
    units bigint not null,
    amount_minor bigint not null,
    currency text not null,
    status text not null,
    remembered_status text,
    asked_by text,
    because text,
    closing_id text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, investment_id)
) with (fillfactor = 50);

create index investment_of_investor on engine.investment (investor_id);
-- A caller names an investment by its id alone.
create index investment_by_id on engine.investment (investment_id);

-- How many units of an offer are spoken for, kept by a trigger, so that opening one more costs the same in an offer
-- of any size, and so that no order ever passes the cap. most_units is the cap, or the orders that a policy takes above
-- it until its allotment is decided. An offer that has failed takes nobody in, so its investments keep their place here.
create table engine.reservation (
    offering_id text primary key references engine.offer,
    units bigint not null constraint reserved_units_are_live_units check (units >= 0),
    most_units bigint not null,
    minimum_units bigint not null,
    constraint live_units_are_within_the_cap check (units <= most_units)
) with (fillfactor = 50);

create function engine.require_minimum(p_units bigint, p_minimum bigint) returns void
language plpgsql immutable set search_path = pg_catalog, pg_temp as $$
begin
    if p_units < p_minimum then
        raise exception using errcode = 'BR008', constraint = 'units_reach_the_minimum',
            message = format('the minimum is %s units', p_minimum);
    end if;
end $$;

create function engine.units_are_reserved() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    least_units bigint;
begin
    insert into engine.reservation as r (offering_id, units, most_units, minimum_units)
    select o.offering_id, new.units, coalesce(p.most_units, o.units_total), o.minimum_units
    from engine.offer o left join engine.allocation_policy p using (offering_id) where o.offering_id = new.offering_id
    on conflict (offering_id) do update set units = r.units + excluded.units
    returning minimum_units into least_units;
    perform engine.require_minimum(new.units, least_units);
    return null;
end $$;

create function engine.units_are_cut() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    least_units bigint;
begin
    update engine.reservation set units = units + new.units - old.units where offering_id = old.offering_id
    returning minimum_units into least_units;
    perform engine.require_minimum(new.units, least_units);
    return null;
end $$;

create trigger units_are_reserved after insert on engine.investment
    for each row execute function engine.units_are_reserved();
alter table engine.investment enable always trigger units_are_reserved;
create trigger units_are_cut after update of units on engine.investment
    for each row when (new.units <> old.units) execute function engine.units_are_cut();
alter table engine.investment enable always trigger units_are_cut;

create table engine.closing (
    offering_id text not null references engine.offer,
    closing_id text not null,
    ordinal integer not null check (ordinal > 0),
    status text not null,
    proposed_by text not null,
    proposed_set text[],
    set_sha256 bytea,
    certificate_sha256 bytea,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, closing_id),
    constraint closing_has_its_number unique (offering_id, ordinal),
    constraint frozen_closing_has_its_digest check (status in ('proposed', 'abandoned') or set_sha256 is not null)
);

create unique index one_closing_runs_per_offer on engine.closing (offering_id)
    where status in ('proposed', 'frozen', 'issued', 'released');

create table engine.closing_member (
    offering_id text not null,
    closing_id text not null,
    investment_id text not null,
    status text not null,
    units bigint not null check (units > 0),
    amount_minor bigint not null check (amount_minor > 0),
    facts jsonb not null,
    facts_sha256 bytea not null,
    left_because text,
    member_id text not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, closing_id, investment_id),
    foreign key (offering_id, closing_id) references engine.closing,
    foreign key (offering_id, investment_id) references engine.investment,
    constraint member_leaves_for_a_reason check ((status = 'left') = (left_because is not null))
);

create unique index one_closing_per_investment on engine.closing_member (offering_id, investment_id)
    where status <> 'left';

create table engine.certificate (
    offering_id text not null,
    closing_id text not null,
    canonical text not null,
    sha256 bytea not null check (sha256 = sha256(convert_to(canonical, 'UTF8'))),
    issued_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, closing_id),
    foreign key (offering_id, closing_id) references engine.closing
);

call audit.keep('engine.offer', 'offer', 'offering_id', 'offering_id');
call audit.keep('engine.investment', 'investment', 'investment_id', 'offering_id', '{because}');
call audit.keep('engine.closing', 'closing', 'closing_id', 'offering_id');
call audit.keep('engine.closing_member', 'closing_member', 'member_id', 'offering_id');
call audit.append_only('engine.certificate');
call audit.append_only('engine.transition');

-- Terms and amounts stand: from legal review on, nobody edits them in place.
create function engine.terms_are_locked() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if old.status not in ('new', 'draft', 'legal_declined')
        and (old.unit_price_minor, old.units_total, old.minimum_units, old.currency, old.exemption, old.name, old.isin,
            old.agreement_form)
        is distinct from (new.unit_price_minor, new.units_total, new.minimum_units, new.currency, new.exemption, new.name,
            new.isin, new.agreement_form)
        and not (new.agreement_form = old.agreement_form
            and (old.unit_price_minor, old.units_total, old.minimum_units, old.currency, old.exemption)
                = (new.unit_price_minor, new.units_total, new.minimum_units, new.currency, new.exemption)
            and engine.change_allows(new.offering_id, new.name, new.isin))
        and not ((old.currency, old.exemption, old.name, old.isin, old.agreement_form)
                is not distinct from (new.currency, new.exemption, new.name, new.isin, new.agreement_form)
            and engine.split_allows(new.offering_id, array[old.unit_price_minor, old.units_total, old.minimum_units],
                array[new.unit_price_minor, new.units_total, new.minimum_units]))
    then
        raise exception using errcode = 'BR006', constraint = 'terms_are_locked_after_review',
            message = format('the terms of %s are locked since its legal review', old.offering_id);
    end if;
    if old.token_address is distinct from new.token_address and old.token_address is not null then
        raise exception using errcode = 'BR006', constraint = 'token_is_named_once',
            message = format('%s has its token', old.offering_id);
    end if;
    return new;
end $$;

create trigger terms_are_locked before update on engine.offer
    for each row execute function engine.terms_are_locked();

-- Only a decided allotment cuts an investment, to the very units of its line and at the same price.
create function engine.investment_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (old.currency, old.investor_id) is distinct from (new.currency, new.investor_id)
        or (old.units, old.amount_minor) is distinct from (new.units, new.amount_minor)
        and not (new.units between 1 and old.units - 1
            and new.amount_minor::numeric * old.units = old.amount_minor::numeric * new.units
            and new.status = old.status
            and engine.allotted_units(new.offering_id, new.investment_id) is not distinct from new.units) then
        raise exception using errcode = 'BR006', constraint = 'committed_amount_is_locked',
            message = format('units, amount and investor of %s are locked', old.investment_id);
    end if;
    return new;
end $$;

create trigger investment_stands before update of units, amount_minor, currency, investor_id on engine.investment
    for each row execute function engine.investment_stands();
alter table engine.investment enable always trigger investment_stands;

-- What a move of an investment owes beside its row: it is born with units and an amount, of which a cut leaves some; a pending cancellation, and it alone, remembers the status and who asked;
-- denied it returns to where it came from; nobody asks to end, or ends, out of a running set; a cancelled one gives its units
-- back; a status stays only where units are cut. One trigger without a condition, and no check of the table: PostgreSQL reads
-- and plans the condition of each trigger and each check anew for each statement.
create function engine.status_moves() returns trigger
language plpgsql as $$
declare
    was text := '';
begin
    if tg_op = 'UPDATE' then
        was := old.status;
    elsif new.units <= 0 or new.amount_minor <= 0 then
        raise exception using errcode = 'check_violation', constraint = 'committed_units_and_amount_are_positive',
            message = format('%s is of no units or no amount', new.investment_id);
    end if;
    if new.remembered_status is null and was <> new.status and was <> 'cancellation_requested'
        and new.status in ('new', 'confirmed', 'legally_confirmed', 'closed_successfully') then
        return new;
    end if;
    if (new.status = 'cancellation_requested') <> (new.remembered_status is not null) then
        raise exception using errcode = 'check_violation', constraint = 'pending_cancellation_remembers_its_status',
            message = format('%s remembers a status while it is asked to be cancelled, and only then', new.investment_id);
    end if;
    if new.status = 'cancellation_requested' and new.asked_by is null then
        raise exception using errcode = 'check_violation', constraint = 'pending_cancellation_names_who_asked',
            message = format('nobody asked to cancel %s', new.investment_id);
    end if;
    if was = new.status and old.units = new.units then
        raise exception using errcode = 'BR002', constraint = 'transition_is_listed_for_the_keeper',
            message = format('investment: %s stays in "%s" without a cut', old.investment_id, was);
    end if;
    if was = 'cancellation_requested' and new.status in ('confirmed', 'legally_confirmed')
        and new.status is distinct from old.remembered_status then
        raise exception using errcode = 'BR002', constraint = 'denial_returns_to_the_remembered_status',
            message = format('%s returns to "%s"', old.investment_id, old.remembered_status);
    end if;
    if was <> new.status and new.status in
        ('cancellation_requested', 'cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully') then
        perform engine.require_no_running_set(new.offering_id, new.investment_id);
    end if;
    if was <> new.status and new.status in ('cancelled_by_investor', 'cancelled_by_manager') then
        update engine.reservation set units = units - old.units where offering_id = old.offering_id;
    end if;
    return new;
end $$;

create trigger zzz_status_moves before insert or update on engine.investment for each row execute function engine.status_moves();
alter table engine.investment enable always trigger zzz_status_moves;
