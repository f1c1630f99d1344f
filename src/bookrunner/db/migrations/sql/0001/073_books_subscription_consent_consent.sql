-- Consent to electronic records: a sample whose printed code is asked back, consent, its withdrawal, paper.

-- A sample record made for one investment (15 USC 7001(c)(1)(C)(ii)). What is kept of its code is a keyed digest.
create table subscription.consent_sample (
    offering_id text not null,
    sample_id text not null,
    investment_id text not null,
    ordinal integer not null constraint consent_samples_are_few check (ordinal between 1 and 20),
    status text not null,
    template_id text not null,
    item_version integer not null check (item_version > 0),
    form_ordinal integer not null,
    statement_sha256 bytea not null references subscription.document,
    code_mac bytea not null check (octet_length(code_mac) = 32),
    tries integer not null default 0 constraint sample_code_is_tried_five_times check (tries between 0 and 5),
    issued_at timestamptz not null default clock_timestamp(),
    confirmed_at timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, sample_id),
    foreign key (offering_id, form_ordinal) references subscription.packet_form (offering_id, ordinal),
    constraint samples_of_an_investment_are_numbered unique (offering_id, investment_id, ordinal),
    constraint confirmed_sample_has_its_moment check ((status = 'confirmed') = (confirmed_at is not null))
);
create unique index one_consent_sample_is_open on subscription.consent_sample (offering_id, investment_id)
    where status = 'issued';

-- What has to go on paper, since nothing is delivered electronically without consent.
create table subscription.paper_delivery (
    offering_id text not null,
    delivery_id text not null,
    investment_id text not null,
    sha256 bytea not null references subscription.document,
    status text not null,
    due_at timestamptz not null default clock_timestamp(),
    sent_by text,
    sent_how text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, delivery_id),
    constraint each_record_goes_on_paper_once unique (offering_id, investment_id, sha256),
    constraint sent_paper_says_by_whom_and_how check ((status = 'sent') = (sent_by is not null)
        and (status = 'sent') = coalesce(sent_how ~ '\S', false))
);

call audit.keep('subscription.consent_sample', 'consent_sample', 'sample_id', 'offering_id', '{code_mac}');
call audit.keep('subscription.paper_delivery', 'paper_delivery', 'delivery_id', 'offering_id', '{sent_how}');

create unique index each_sample_serves_one_consent on subscription.particular (offering_id, (detail ->> 'sample'))
    where kind = 'records_consent';

create view subscription.consent_sample_fact as
select offering_id, sample_id, investment_id, ordinal, status, template_id, statement_sha256, tries, issued_at, confirmed_at, version
from subscription.consent_sample;

create view subscription.paper_delivery_fact as
select offering_id, delivery_id, investment_id, encode(sha256, 'hex') as sha256, status, due_at, sent_by, version
from subscription.paper_delivery;

create function subscription.sample_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (old.investment_id, old.ordinal, old.template_id, old.item_version, old.form_ordinal, old.statement_sha256, old.code_mac,
        old.issued_at) is distinct from (new.investment_id, new.ordinal, new.template_id, new.item_version, new.form_ordinal,
        new.statement_sha256, new.code_mac, new.issued_at) or new.tries < old.tries then
        raise exception using errcode = 'BR006', constraint = 'consent_sample_is_unchangeable',
            message = format('%s shows what it showed', old.sample_id);
    end if;
    return new;
end $$;

create trigger sample_stands before update on subscription.consent_sample
    for each row execute function subscription.sample_stands();
alter table subscription.consent_sample enable always trigger sample_stands;

-- Consent is recorded of a sample that was opened: its code came back, and the text is the one that was shown.
create function subscription.consent_follows_its_sample() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from subscription.consent_sample s where s.offering_id = new.offering_id
        and s.investment_id = new.investment_id and s.sample_id = new.detail ->> 'sample' and s.status = 'confirmed'
        and encode(s.statement_sha256, 'hex') = new.detail ->> 'sha256'
        and subscription.second_of(s.confirmed_at) = new.detail ->> 'format_opened_at') then
        perform subscription.refuse('consent_follows_an_opened_sample',
            format('no sample with its code confirmed stands behind the consent of %s', new.investment_id));
    end if;
    return new;
end $$;

create trigger consent_follows_its_sample before insert on subscription.particular
    for each row when (new.kind = 'records_consent') execute function subscription.consent_follows_its_sample();
alter table subscription.particular enable always trigger consent_follows_its_sample;

-- Nobody is asked to sign, and nobody signs, an electronic record without consent to it.
create function subscription.consent_stands_at_signing() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    investment constant text := (select a.investment_id from subscription.agreement a
        where a.offering_id = new.offering_id and a.agreement_id = new.agreement_id);
begin
    if not subscription.is_stated(new.offering_id, investment, 'records_consent') then
        perform subscription.refuse('signing_rests_on_records_consent',
            format('%s has not consented to electronic records, or no longer does', investment));
    end if;
    return new;
end $$;

create trigger consent_stands_at_signing before insert on subscription.signed_file
    for each row when (new.party <> 'issuer') execute function subscription.consent_stands_at_signing();
alter table subscription.signed_file enable always trigger consent_stands_at_signing;

create function subscription.second_of(p_moment timestamptz) returns text
language sql immutable set search_path = pg_catalog, pg_temp
return to_char(p_moment at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"');

-- The investments of a reader, in offers that take packets, among whose records a document is: those that go on, or when
-- none of them does, those that have ended.
create function subscription.investments_with(p_sha256 bytea, p_investor text)
returns table (offering_id text, investment_id text)
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    with those as (
        select pos.offering_id, pos.investment_id,
            i.status in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully') as has_ended
        from engine.position pos join engine.offer o using (offering_id)
        join engine.investment i on i.offering_id = pos.offering_id and i.investment_id = pos.investment_id
        where pos.investor_id = p_investor and o.agreement_form = 'packet' and (
            exists (select from subscription.requirement r where r.offering_id = pos.offering_id and r.document_sha256 = p_sha256)
            or exists (select from subscription.agreement a
                left join subscription.signed_file s using (offering_id, agreement_id)
                left join subscription.certificate c using (offering_id, agreement_id)
                where a.offering_id = pos.offering_id and a.investment_id = pos.investment_id
                    and p_sha256 in (a.document_sha256, s.sha256, c.sha256))))
    select t.offering_id, t.investment_id from those t
    where not t.has_ended or not exists (select from those l where not l.has_ended);
end;

-- A record is delivered electronically to an investor only while its consent stands.
create function subscription.refuse_electronic(p_sha256 bytea, p_reader text) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from subscription.investments_with(p_sha256, p_reader))
        and not exists (select from subscription.investments_with(p_sha256, p_reader) i
            where subscription.is_stated(i.offering_id, i.investment_id, 'records_consent')) then
        perform subscription.refuse('electronic_delivery_has_consent', format('%s gets its records on paper', p_reader));
    end if;
end $$;

create function subscription.deliver_on_paper(p_offering text, p_investment text, p_sha256 bytea) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    insert into subscription.paper_delivery (offering_id, delivery_id, investment_id, sha256, status)
    select p_offering, 'ppr_' || substr(encode(sha256(convert_to(p_offering || '/' || p_investment, 'UTF8') || p_sha256), 'hex'), 1, 26),
        p_investment, p_sha256, 'due'
    where not exists (select from subscription.paper_delivery d where d.offering_id = p_offering
        and d.investment_id = p_investment and d.sha256 = p_sha256);
end;

-- What is executed after a withdrawal goes to the investor on paper.
create function subscription.executed_goes_on_paper() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if exists (select from subscription.packet p where p.offering_id = new.offering_id and p.agreement_id = new.agreement_id)
        and not subscription.is_stated(new.offering_id, new.investment_id, 'records_consent') then
        perform subscription.deliver_on_paper(new.offering_id, new.investment_id, new.executed_sha256);
    end if;
    return null;
end $$;

create trigger executed_goes_on_paper after update of status on subscription.agreement
    for each row when (new.status = 'countersigned' and old.status <> 'countersigned')
    execute function subscription.executed_goes_on_paper();
alter table subscription.agreement enable always trigger executed_goes_on_paper;

-- Makes a sample for an investment, of the form that its statement was set from; one that is open is replaced.
create function subscription.issue_sample(p_actor text, p_request text, p_offering text, p_investment text, p_sample text,
    p_template text, p_version integer, p_form integer, p_statement bytea, p_code_mac bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform subscription.lock(p_offering, p_investment);
    if not exists (select from subscription.packet_form f where f.offering_id = p_offering and f.ordinal = p_form) then
        perform subscription.refuse('offer_has_a_packet_form', p_offering);
    end if;
    update subscription.consent_sample set status = 'replaced'
    where offering_id = p_offering and investment_id = p_investment and status = 'issued';
    insert into subscription.consent_sample (offering_id, sample_id, investment_id, ordinal, status, template_id,
        item_version, form_ordinal, statement_sha256, code_mac)
    select p_offering, p_sample, p_investment, 1 + count(*), 'issued', p_template, p_version, p_form,
        subscription.keep_bytes(p_statement, 'text/plain'), p_code_mac
    from subscription.consent_sample s where s.offering_id = p_offering and s.investment_id = p_investment;
    perform subscription.classify(sha256(p_statement), 'working_paper');
end $$;

-- Counts one try of a code; how many are left after a wrong one, or null after the right one. A wrong try is no refusal
-- here, since a refusal would undo its count.
create function subscription.try_sample_code(p_actor text, p_request text, p_offering text, p_investment text, p_sample text,
    p_code_mac bytea) returns integer
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s subscription.consent_sample;
begin
    perform audit.enter(p_actor, p_request);
    perform subscription.lock(p_offering, p_investment);
    select x.* into s from subscription.consent_sample x
    where x.offering_id = p_offering and x.investment_id = p_investment and x.sample_id = p_sample;
    if not found then
        perform subscription.refuse_missing('consent_sample_exists', p_sample);
    end if;
    if s.status = 'confirmed' and s.code_mac = p_code_mac then
        return null;
    end if;
    if s.status <> 'issued' then
        perform subscription.refuse('sample_waits_for_its_code', format('%s is %s', p_sample, s.status));
    end if;
    update subscription.consent_sample set tries = s.tries + 1,
        confirmed_at = case when s.code_mac = p_code_mac then clock_timestamp() end,
        status = case when s.code_mac = p_code_mac then 'confirmed' when s.tries = 4 then 'exhausted' else 'issued' end
    where offering_id = p_offering and sample_id = p_sample;
    return case when s.code_mac <> p_code_mac then 4 - s.tries end;
end $$;

-- Records the consent to electronic records, of a sample whose code was confirmed.
create function subscription.consent(p_actor text, p_request text, p_offering text, p_investment text, p_particular text,
    p_sample text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    said jsonb;
begin
    perform audit.enter(p_actor, p_request);
    select jsonb_build_object('version', s.item_version, 'sha256', encode(s.statement_sha256, 'hex'),
        'format_opened_at', subscription.second_of(s.confirmed_at), 'sample', p_sample) into said
    from subscription.consent_sample s where s.offering_id = p_offering and s.investment_id = p_investment
        and s.sample_id = p_sample and s.status = 'confirmed';
    if not found then
        perform subscription.refuse('consent_follows_an_opened_sample', format('%s is not confirmed', p_sample));
    end if;
    -- The agreement cites the statement, so it is kept as long.
    perform subscription.classify(decode(said ->> 'sha256', 'hex'), 'executed_agreement');
    perform subscription.state_particular(p_actor, p_request, p_offering, p_particular, p_investment, 'records_consent', said);
end $$;

-- Ends the consent to electronic records: nothing more is delivered or signed electronically. What is in force goes on
-- paper, and what comes later will.
create function subscription.withdraw_consent(p_actor text, p_request text, p_offering text, p_investment text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform subscription.lock(p_offering, p_investment);
    update subscription.particular set status = 'withdrawn' where offering_id = p_offering
        and investment_id = p_investment and kind = 'records_consent' and status = 'stated';
    if not found then
        perform subscription.refuse('records_consent_stands', format('%s has given no consent', p_investment));
    end if;
    perform subscription.deliver_on_paper(p_offering, p_investment, coalesce(a.executed_sha256, a.signed_sha256, a.document_sha256))
    from subscription.agreement a where a.offering_id = p_offering and a.investment_id = p_investment
        and a.status in ('sent', 'investor_signed', 'countersigned');
end $$;

-- The desk has sent a record on paper: how, such as the carrier and its number.
create function subscription.record_paper(p_actor text, p_request text, p_offering text, p_delivery text, p_how text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update subscription.paper_delivery set status = 'sent', sent_by = p_actor, sent_how = p_how
    where offering_id = p_offering and delivery_id = p_delivery;
    if not found then
        perform subscription.refuse_missing('paper_delivery_exists', p_delivery);
    end if;
end $$;
