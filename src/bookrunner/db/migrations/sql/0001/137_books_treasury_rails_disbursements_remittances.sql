-- Withheld tax on its way to the tax office: two people, one order, the statement that shows it.

create table treasury.tax_remittance (
    offering_id text not null,
    remittance_id text not null,
    status text not null,
    form text not null constraint remitted_form_is_known check (form in ('1042', '945')),
    tax_year integer not null constraint remitted_year_is_a_year check (tax_year between 2018 and 2999),
    amount_minor bigint not null constraint remittance_is_positive check (amount_minor > 0),
    currency text not null,
    payee_fingerprint bytea not null constraint remittance_names_its_account check (octet_length(payee_fingerprint) = 32),
    proposed_by text not null,
    decided_by text,
    try_no integer not null default 1 check (try_no > 0),
    payout_id text,
    bounce_code text,
    given_up_by text,
    given_up_because text constraint giving_up_has_its_reason check (given_up_because ~ '\S'),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, remittance_id),
    foreign key (offering_id, payout_id) references treasury.payout,
    constraint decided_remittance_names_who check ((status = 'proposed') = (decided_by is null)),
    constraint remittance_needs_two_people check (status in ('proposed', 'declined')
        or coalesce(audit.person_of(decided_by) <> audit.person_of(proposed_by), false)),
    constraint given_up_remittance_names_who check (num_nonnulls(given_up_by, given_up_because) = 0
        or num_nonnulls(given_up_by, given_up_because) = 2 and status = 'declined'),
    constraint giving_up_needs_two_people check (audit.person_of(given_up_by) <> audit.person_of(proposed_by)),
    constraint sent_remittance_names_its_order check ((payout_id is not null) = (status in ('sent', 'settled', 'returned'))),
    constraint returned_remittance_says_why check ((status = 'returned') <= (bounce_code is not null))
);
call audit.keep('treasury.tax_remittance', 'tax_remittance', 'remittance_id', 'offering_id');

-- What two people agreed to is what is paid.
create function treasury.remittance_stays() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (new.form, new.tax_year, new.amount_minor, new.currency, new.payee_fingerprint, new.proposed_by)
        is distinct from (old.form, old.tax_year, old.amount_minor, old.currency, old.payee_fingerprint, old.proposed_by)
        or old.decided_by is not null and new.decided_by <> old.decided_by then
        raise exception using errcode = 'BR006', constraint = 'remittance_stays_as_proposed',
            message = format('%s is what two people agreed to', old.remittance_id);
    end if;
    if (new.given_up_by is distinct from old.given_up_by) <> (new.status = 'declined' and old.status in ('approved', 'returned')) then
        raise exception using errcode = 'BR008', constraint = 'given_up_remittance_names_who',
            message = format('%s is given up by a person, before it is sent or once it came back', old.remittance_id);
    end if;
    return new;
end $$;
create trigger remittance_stays before update on treasury.tax_remittance
    for each row execute function treasury.remittance_stays();
alter table treasury.tax_remittance enable always trigger remittance_stays;

create function treasury.propose_remittance(p_actor text, p_request text, p_offering text, p_remittance text, p_said jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into treasury.tax_remittance (offering_id, remittance_id, status, form, tax_year, amount_minor, currency, payee_fingerprint, proposed_by)
    select p_offering, p_remittance, 'proposed', p_said ->> 'form', (p_said ->> 'year')::integer, (p_said ->> 'amount')::bigint, o.currency,
        decode(p_said ->> 'fingerprint', 'hex'), p_actor
    from engine.offer o where o.offering_id = p_offering;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'offer_exists', message = format('there is no offer %s', p_offering);
    end if;
end $$;

-- Whether the bank took money back of a distribution that withheld tax, and nobody has made it good: what is withheld is then in part
-- money of other investors in escrow.
create function treasury.tax_lacks_money(p_offering text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select exists (select from engine.distribution d where d.offering_id = p_offering and d.withheld_minor > 0
        and treasury.lacks_money(p_offering, d.distribution_id));
end;

create function treasury.refuse_tax_that_lacks_money(p_offering text, p_what text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if treasury.tax_lacks_money(p_offering) then
        raise exception using errcode = 'BR008', constraint = 'payout_has_its_money',
            message = format('%s remits tax of a distribution whose money the bank took back, and nobody has made it good', p_what);
    end if;
end $$;

-- Another person agrees, and the amount leaves what is withheld: no more than that is ever remitted.
create function treasury.decide_remittance(p_actor text, p_request text, p_offering text, p_remittance text, p_is_agreed boolean, p_seen bigint)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    m treasury.tax_remittance;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into m from treasury.tax_remittance where offering_id = p_offering and remittance_id = p_remittance for update;
    perform treasury.on_version(m.version, p_seen);
    if p_is_agreed is true then
        perform treasury.refuse_one_person(p_actor, m.proposed_by, 'remittance_needs_two_people');
        perform treasury.refuse_tax_that_lacks_money(p_offering, p_remittance);
        if m.amount_minor > coalesce((select b.amount_minor from treasury.balance b where b.offering_id = p_offering
                and b.account = 'liab:withheld_tax' and b.currency = m.currency), 0) then
            raise exception using errcode = 'BR008', constraint = 'remittance_is_within_what_is_withheld',
                message = format('%s is more than is withheld and not remitted', p_remittance);
        end if;
        perform treasury.post(p_offering, 'remitted:' || p_remittance, 'tax_set_apart', m.currency, jsonb_build_array(
            jsonb_build_object('account', 'liab:withheld_tax', 'side', 'debit', 'amount', m.amount_minor),
            jsonb_build_object('account', 'liab:tax_remittance:' || p_remittance, 'side', 'credit', 'amount', m.amount_minor)));
    end if;
    update treasury.tax_remittance set status = case when p_is_agreed then 'approved' else 'declined' end, decided_by = p_actor
    where offering_id = p_offering and remittance_id = p_remittance;
end $$;

-- An approved remittance that no order pays, locked for whoever writes its bytes in this very transaction; null when it is none by now,
-- or while a distribution that withheld tax lacks money.
create function treasury.take_remittance(p_actor text, p_request text, p_offering text, p_remittance text) returns jsonb
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    return (select jsonb_build_object('refund', m.remittance_id, 'amount', m.amount_minor, 'currency', m.currency,
            'fingerprint', encode(m.payee_fingerprint, 'hex'), 'try', m.try_no)
        from treasury.tax_remittance m where m.offering_id = p_offering and m.remittance_id = p_remittance and m.status = 'approved'
            and not treasury.tax_lacks_money(p_offering) for update);
end $$;

create function treasury.store_remittance(p_actor text, p_request text, p_offering text, p_payout text, p_content bytea, p_remittance text)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    m treasury.tax_remittance;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into m from treasury.tax_remittance where offering_id = p_offering and remittance_id = p_remittance for update;
    if m.status is distinct from 'approved' then
        raise exception using errcode = 'BR008', constraint = 'remittance_is_sent_once',
            message = format('%s is not approved, or has its order', p_remittance);
    end if;
    perform treasury.refuse_tax_that_lacks_money(p_offering, p_remittance);
    insert into treasury.payout (offering_id, payout_id, status, purpose, content, content_sha256, amount_minor, currency, orders)
    values (p_offering, p_payout, 'prepared', 'remittance', p_content, sha256(p_content), m.amount_minor, m.currency, 1);
    update treasury.tax_remittance set status = 'sent', payout_id = p_payout, bounce_code = null
    where offering_id = p_offering and remittance_id = p_remittance;
    perform treasury.post(p_offering, 'paid:' || p_payout, 'tax_remitted', m.currency, jsonb_build_array(
        jsonb_build_object('account', 'liab:tax_remittance:' || p_remittance, 'side', 'debit', 'amount', m.amount_minor),
        jsonb_build_object('account', 'asset:escrow_bank', 'side', 'credit', 'amount', m.amount_minor)));
end $$;

-- Opens the remittance of a withdrawn order again; its amount stays set apart.
create function treasury.free_remittance(p treasury.payout) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform treasury.post(p.offering_id, 'withdrawn:' || p.payout_id, 'remittance_withdrawn', p.currency, jsonb_build_array(
        jsonb_build_object('account', 'asset:escrow_bank', 'side', 'debit', 'amount', p.amount_minor),
        jsonb_build_object('account', 'liab:tax_remittance:' || (select m.remittance_id from treasury.tax_remittance m
            where m.offering_id = p.offering_id and m.payout_id = p.payout_id), 'side', 'credit', 'amount', p.amount_minor)),
        'paid:' || p.payout_id);
    update treasury.tax_remittance set status = 'approved', payout_id = null
    where offering_id = p.offering_id and payout_id = p.payout_id;
end $$;

-- The bank shows it on a statement: it has arrived.
create function treasury.settle_remittances(p_actor text, p_request text, p_offering text, p_remittances text[], p_booked_on date)
returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    settled integer;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    insert into treasury.booking (offering_id, booking_id, journal_id, currency, amount_minor, booked_on)
    select m.offering_id, m.remittance_id || '@' || m.try_no, 'paid:' || m.payout_id, m.currency, -m.amount_minor, p_booked_on
    from treasury.tax_remittance m where m.offering_id = p_offering and m.remittance_id = any (p_remittances) and m.status = 'sent'
    on conflict do nothing;
    perform treasury.note_shown(p_offering, array(select m.payout_id from treasury.tax_remittance m
        where m.offering_id = p_offering and m.remittance_id = any (p_remittances) and m.status = 'sent'));
    update treasury.tax_remittance set status = 'settled'
    where offering_id = p_offering and remittance_id = any (p_remittances) and status = 'sent';
    get diagnostics settled = row_count;
    return settled;
end $$;

-- It came back: its amount is in escrow again and set apart, until somebody tries it under the next number.
create function treasury.return_remittance(p_actor text, p_request text, p_offering text, p_remittance text, p_code text, p_booked_on date)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    m treasury.tax_remittance;
    journal text;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into m from treasury.tax_remittance where offering_id = p_offering and remittance_id = p_remittance for update;
    if m.status is null or m.status not in ('sent', 'settled') then
        raise exception using errcode = 'BR008', constraint = 'returned_remittance_was_sent', message = format('%s was not sent', p_remittance);
    end if;
    perform treasury.note_shown(p_offering, array[m.payout_id]);
    journal := 'bounced:' || p_remittance || '@' || m.try_no;
    perform treasury.post(p_offering, journal, 'tax_came_back', m.currency,
        treasury.cash(p_offering, m.currency, 'debit', m.amount_minor) || jsonb_build_array(jsonb_build_object('account',
            'liab:tax_remittance:' || p_remittance, 'side', 'credit', 'amount', m.amount_minor)));
    insert into treasury.booking (offering_id, booking_id, journal_id, currency, amount_minor, booked_on)
    values (p_offering, p_remittance || '@' || m.try_no, 'paid:' || m.payout_id, m.currency, -m.amount_minor, p_booked_on)
    on conflict do nothing;
    insert into treasury.booking (offering_id, booking_id, journal_id, currency, amount_minor, booked_on)
    values (p_offering, journal, journal, m.currency, m.amount_minor, p_booked_on);
    update treasury.tax_remittance set status = 'returned', bounce_code = p_code
    where offering_id = p_offering and remittance_id = p_remittance;
end $$;

create function treasury.retry_remittance(p_actor text, p_request text, p_offering text, p_remittance text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update treasury.tax_remittance set status = 'approved', payout_id = null, try_no = try_no + 1
    where offering_id = p_offering and remittance_id = p_remittance and status = 'returned';
    if not found then
        raise exception using errcode = 'BR008', constraint = 'retried_remittance_came_back', message = format('%s did not come back', p_remittance);
    end if;
end $$;

-- Gives up one that is not with the bank, such as to a wrong account: its amount is withheld and not remitted again.
create function treasury.give_up_remittance(p_actor text, p_request text, p_offering text, p_remittance text, p_because text, p_seen bigint)
returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    m treasury.tax_remittance;
begin
    perform audit.enter(p_actor, p_request);
    perform treasury.take_turn(p_offering);
    select * into m from treasury.tax_remittance where offering_id = p_offering and remittance_id = p_remittance for update;
    perform treasury.on_version(m.version, p_seen);
    if m.status is null or m.status not in ('approved', 'returned') then
        raise exception using errcode = 'BR008', constraint = 'given_up_remittance_is_set_apart',
            message = format('%s is not approved, or is with the bank', p_remittance);
    end if;
    perform treasury.refuse_one_person(p_actor, m.proposed_by, 'giving_up_needs_two_people');
    perform treasury.post(p_offering, 'given_up:' || p_remittance, 'tax_given_up', m.currency, jsonb_build_array(
        jsonb_build_object('account', 'liab:tax_remittance:' || p_remittance, 'side', 'debit', 'amount', m.amount_minor),
        jsonb_build_object('account', 'liab:withheld_tax', 'side', 'credit', 'amount', m.amount_minor)), 'remitted:' || p_remittance);
    update treasury.tax_remittance set status = 'declined', payout_id = null, given_up_by = p_actor, given_up_because = p_because
    where offering_id = p_offering and remittance_id = p_remittance;
end $$;
