-- Tax documents of a year: what each recipient was paid by the books, in the boxes of its form; two people release the year.

-- One year of one offer, as it was drafted; a year that is wrong is cancelled and drafted anew.
create table engine.tax_year (
    offering_id text not null,
    tax_year_id text not null,
    status text not null,
    year integer not null constraint tax_year_is_a_year check (year between 2018 and 2999),
    currency text not null,
    forms integer not null constraint tax_year_has_its_forms check (forms > 0),
    gross_minor bigint not null check (gross_minor > 0),
    withheld_minor bigint not null check (withheld_minor >= 0),
    net_minor bigint not null check (net_minor >= 0),
    drafted_by text not null,
    drafted_at timestamptz not null default clock_timestamp(),
    decided_by text,
    cancelled_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, tax_year_id),
    constraint gross_less_withheld_is_net_of_a_year check (gross_minor = withheld_minor + net_minor),
    constraint decided_tax_year_names_who check ((status = 'draft') = (decided_by is null)),
    constraint tax_year_needs_two_people check (status <> 'released'
        or coalesce(audit.person_of(decided_by) <> audit.person_of(drafted_by), false)),
    constraint cancelled_tax_year_says_why check ((status = 'cancelled') = coalesce(cancelled_because ~ '\S', false))
);
create unique index one_tax_year_stands on engine.tax_year (offering_id, year) where status in ('draft', 'released');

-- One form of one recipient. Amounts of boxes are minor units, codes are as the form prints them. A Form 1042-S is of one income code,
-- rate and country (Instructions for Form 1042-S, "Multiple types of income").
create table engine.tax_form (
    offering_id text not null,
    tax_year_id text not null,
    form_id text not null,
    investor_id text not null,
    form text not null constraint tax_form_is_known check (form in ('1099-DIV', '1099-INT', '1042-S')),
    gross_minor bigint not null check (gross_minor >= 0),
    withheld_minor bigint not null check (withheld_minor >= 0),
    net_minor bigint not null generated always as (gross_minor - withheld_minor) stored,
    amounts jsonb not null,
    codes jsonb not null,
    primary key (offering_id, form_id),
    foreign key (offering_id, tax_year_id) references engine.tax_year deferrable initially deferred
);
create index tax_form_of_year on engine.tax_form (offering_id, tax_year_id);
create index tax_form_of_investor on engine.tax_form (investor_id);

-- Which payments a form counts, each whole or as its parts of income and capital.
create table engine.tax_part (
    offering_id text not null,
    tax_year_id text not null,
    line_id text not null,
    form_id text not null,
    gross_minor bigint not null check (gross_minor > 0),
    withheld_minor bigint not null check (withheld_minor between 0 and gross_minor),
    primary key (offering_id, tax_year_id, line_id, form_id),
    foreign key (offering_id, form_id) references engine.tax_form deferrable initially deferred
);

-- The printed form as a file that the books keep sealed for its recipient; the last one counts.
create table engine.tax_file (
    offering_id text not null,
    form_id text not null,
    file_no integer not null check (file_no > 0),
    sha256 bytea not null constraint tax_file_has_its_digest check (octet_length(sha256) = 32),
    attached_by text not null,
    attached_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, form_id, file_no),
    foreign key (offering_id, form_id) references engine.tax_form
);

-- Each time a recipient took its form: the data or the file.
create table engine.tax_delivery (
    offering_id text not null,
    form_id text not null,
    delivery_no integer not null check (delivery_no > 0),
    taken text not null constraint delivered_thing_is_known check (taken in ('data', 'file')),
    sha256 bytea not null constraint delivery_has_its_digest check (octet_length(sha256) = 32),
    delivered_to text not null,
    delivered_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, form_id, delivery_no),
    foreign key (offering_id, form_id) references engine.tax_form
);

call audit.append_only('engine.tax_form');
call audit.append_only('engine.tax_part');
call audit.append_only('engine.tax_file');
call audit.append_only('engine.tax_delivery');
call audit.keep('engine.tax_year', 'tax_year', 'tax_year_id', 'offering_id');

-- What was drafted is what two people release: nothing joins it later.
create function engine.tax_form_is_drafted_with_its_year() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from engine.tax_year y where y.offering_id = new.offering_id and y.tax_year_id = new.tax_year_id) then
        raise exception using errcode = 'BR006', constraint = 'tax_year_stays_as_drafted', message = format('%s is drafted', new.tax_year_id);
    end if;
    return new;
end $$;
create trigger tax_form_is_drafted_with_its_year before insert on engine.tax_form
    for each row execute function engine.tax_form_is_drafted_with_its_year();
create trigger tax_form_is_drafted_with_its_year before insert on engine.tax_part
    for each row execute function engine.tax_form_is_drafted_with_its_year();
alter table engine.tax_form enable always trigger tax_form_is_drafted_with_its_year;
alter table engine.tax_part enable always trigger tax_form_is_drafted_with_its_year;

-- A file or a delivery is of a form that was released; whoever takes it is its recipient.
create function engine.tax_form_is_released() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from engine.tax_form f join engine.tax_year y using (offering_id, tax_year_id)
            where f.offering_id = new.offering_id and f.form_id = new.form_id and y.status = 'released'
                and f.investor_id = coalesce(to_jsonb(new) ->> 'delivered_to', f.investor_id)) then
        raise exception using errcode = 'BR008', constraint = 'delivered_form_is_released',
            message = format('%s is not released, or is of another recipient', new.form_id);
    end if;
    return new;
end $$;
create trigger tax_form_is_released before insert on engine.tax_file
    for each row execute function engine.tax_form_is_released();
create trigger tax_form_is_released before insert on engine.tax_delivery
    for each row execute function engine.tax_form_is_released();
alter table engine.tax_file enable always trigger tax_form_is_released;
alter table engine.tax_delivery enable always trigger tax_form_is_released;

-- What a recipient takes as a file is the last one that is kept.
create function engine.delivered_file_is_the_last() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if new.sha256 is distinct from (select x.sha256 from engine.tax_file x where x.offering_id = new.offering_id and x.form_id = new.form_id
            order by x.file_no desc limit 1) then
        raise exception using errcode = 'BR008', constraint = 'delivered_file_is_the_last_one_kept',
            message = format('that is not the last file of %s', new.form_id);
    end if;
    return new;
end $$;
create trigger delivered_file_is_the_last before insert on engine.tax_delivery
    for each row when (new.taken = 'file') execute function engine.delivered_file_is_the_last();
alter table engine.tax_delivery enable always trigger delivered_file_is_the_last;
