-- Coupons: the terms of a schedule, the fixings that it asks for, each coupon with its working, and the distribution that pays it.

-- A fixed coupon has its rate, a floating one the fixing at the beginning of its period and a spread, an indexed one a rate on principal that
-- moves with the fixing at the end of its period against the base.
create table engine.coupon_schedule (
    offering_id text not null references engine.offer,
    schedule_id text not null,
    status text not null,
    kind text not null constraint coupon_kind_is_known check (kind in ('fixed', 'floating', 'indexed')),
    rate_bp integer not null constraint coupon_rate_is_a_share check (rate_bp between 0 and 10000),
    index_name text,
    base_value text constraint base_is_a_decimal check (base_value ~ '^[0-9]{1,12}(\.[0-9]{1,8})?$'),
    principal_minor bigint not null constraint coupon_is_on_principal check (principal_minor > 0),
    day_count text not null
        constraint coupon_day_count_is_known check (day_count in ('30/360', 'actual/360', 'actual/365', 'actual/actual')),
    months integer not null constraint coupon_period_divides_a_year check (months in (1, 2, 3, 4, 6, 12)),
    starts_on date not null,
    ends_on date not null constraint coupons_end_after_they_start check (ends_on > starts_on),
    proposed_by text not null,
    proposed_at timestamptz not null default clock_timestamp(),
    decided_by text,
    decided_at timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, schedule_id),
    constraint coupon_names_its_index check ((kind = 'fixed') = (index_name is null) and coalesce(index_name ~ '\S', true)),
    constraint indexed_coupon_has_its_base check ((kind = 'indexed') = (base_value is not null) and coalesce(base_value::numeric > 0, true)),
    constraint decided_schedule_names_who check ((status = 'proposed') = (decided_by is null)
        and (decided_by is null) = (decided_at is null)),
    constraint schedule_needs_two_people check (status in ('proposed', 'declined')
        or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false))
);
create unique index one_schedule_is_in_force on engine.coupon_schedule (offering_id) where status = 'in_force';
call audit.keep('engine.coupon_schedule', 'coupon_schedule', 'schedule_id', 'offering_id');

-- What an index was on a day: of a rate its percent, of an indicator its level; a source and two people stand for it.
create table engine.coupon_fixing (
    offering_id text not null references engine.offer,
    fixing_id text not null,
    status text not null,
    index_name text not null,
    fixed_on date not null,
    value text not null constraint fixing_is_a_decimal check (value ~ '^-?[0-9]{1,12}(\.[0-9]{1,8})?$'),
    source text not null constraint fixing_names_its_source check (source ~ '\S'),
    proposed_by text not null,
    decided_by text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, fixing_id),
    constraint decided_fixing_names_who check ((status = 'proposed') = (decided_by is null)),
    constraint fixing_needs_two_people check (status in ('proposed', 'declined')
        or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false))
);
create unique index index_is_fixed_once_a_day on engine.coupon_fixing (offering_id, index_name, fixed_on) where status = 'in_force';
call audit.keep('engine.coupon_fixing', 'coupon_fixing', 'fixing_id', 'offering_id');

-- The distribution that pays a coupon, with the working of its amount.
create table engine.coupon_run (
    offering_id text not null,
    distribution_id text not null,
    schedule_id text not null,
    number integer not null check (number > 0),
    from_on date not null,
    to_on date not null constraint coupon_period_ends_after_it_begins check (to_on > from_on),
    amount_minor bigint not null check (amount_minor > 0),
    working text[] not null,
    primary key (offering_id, distribution_id),
    foreign key (offering_id, distribution_id) references engine.distribution,
    foreign key (offering_id, schedule_id) references engine.coupon_schedule
);
call audit.append_only('engine.coupon_run');

create function engine.coupon_terms_stay() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    moves constant text[] := '{status,version,chain_head}' || case when old.status = 'proposed' then '{decided_by,decided_at}' end::text[];
begin
    if to_jsonb(new) - moves is distinct from to_jsonb(old) - moves then
        raise exception using errcode = 'BR006', constraint = 'coupon_terms_stay_as_proposed', message = 'propose others instead';
    end if;
    return new;
end $$;
create trigger coupon_terms_stay before update on engine.coupon_schedule for each row execute function engine.coupon_terms_stay();
create trigger coupon_terms_stay before update on engine.coupon_fixing for each row execute function engine.coupon_terms_stay();
alter table engine.coupon_schedule enable always trigger coupon_terms_stay;
alter table engine.coupon_fixing enable always trigger coupon_terms_stay;

create trigger proposal_is_of_its_units before insert on engine.coupon_schedule for each row execute function engine.terms_are_of_their_units();
create trigger schedule_is_of_its_units before update on engine.coupon_schedule
    for each row when (old.status = 'proposed' and new.status <> 'proposed') execute function engine.terms_are_of_their_units();
alter table engine.coupon_schedule enable always trigger proposal_is_of_its_units;
alter table engine.coupon_schedule enable always trigger schedule_is_of_its_units;
