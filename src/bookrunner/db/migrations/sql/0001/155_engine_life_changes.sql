-- Changes of what is locked: which field is changed by whom through what, and the requests that change the terms of an offer.

-- Every locked field of every book, the machine through which alone it changes, and what is done again after a change.
create table engine.locked_field (
    book text not null,
    field text not null,
    changed_by text not null references engine.machine,
    is_material boolean not null,
    reruns text not null,
    primary key (book, field)
);

insert into engine.locked_field (book, field, changed_by, is_material, reruns) values
    ('engine', 'name', 'change_request', true, 'reconfirmation'),
    ('engine', 'isin', 'change_request', false, ''),
    ('engine', 'closes_at', 'change_request', true, 'reconfirmation of an extension, notice of an early close'),
    ('engine', 'pays_by', 'change_request', true, 'reconfirmation'),
    ('engine', 'target_minor', 'change_request', true, 'reconfirmation'),
    ('engine', 'instrument', 'change_request', true, 'reconfirmation'),
    ('engine', 'closes_at_cap', 'change_request', false, ''),
    ('engine', 'two_people_close', 'change_request', false, ''),
    ('portal', 'profile', 'profile_change', true, 'identity, agreement'),
    ('compliance', 'identity', 'kyc_case', true, 'clearance'),
    ('compliance', 'rule', 'rule_change', true, ''),
    ('compliance', 'screening_policy', 'screening_policy_change', true, 'screening'),
    ('subscription', 'executed_agreement', 'agreement', true, 'signature, countersignature, allocation'),
    ('subscription', 'approved_units', 'allocation_approval', true, 'legal confirmation'),
    ('treasury', 'escrow_account', 'escrow_account', true, 'notice of new instructions'),
    ('treasury', 'confirmed_payment', 'proposal', true, 'funding'),
    ('treasury', 'clearing_policy', 'policy_change', true, ''),
    ('registry', 'linked_wallet', 'wallet_mapping', true, 'screening, approval'),
    ('registry', 'authorised_units', 'control_change', true, ''),
    ('registry', 'legend', 'legend_removal', true, '');
call audit.append_only('engine.locked_field');

create table engine.change_request (
    offering_id text not null references engine.offer,
    change_id text not null,
    status text not null,
    wanted jsonb not null constraint change_wants_something check (jsonb_typeof(wanted) = 'object' and wanted <> '{}')
        constraint changed_field_has_a_value check (jsonb_strip_nulls(wanted) = wanted),
    asked_by text not null,
    because text not null constraint change_says_why check (because ~ '\S'),
    evidence_sha256 bytea not null check (octet_length(evidence_sha256) = 32),
    is_material boolean,
    decided_by text,
    decided_because text,
    terms_ordinal integer,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, change_id),
    constraint change_needs_two_people check (audit.person_of(decided_by) is distinct from audit.person_of(asked_by)),
    constraint decided_change_names_who_and_why
        check ((status = 'requested') = (decided_by is null) and (status = 'requested' or coalesce(decided_because ~ '\S', false))),
    constraint applied_change_names_its_version check ((status = 'applied') = (terms_ordinal is not null))
);

create unique index one_change_waits_per_offer on engine.change_request (offering_id) where status in ('requested', 'approved');

call audit.keep('engine.change_request', 'change_request', 'change_id', 'offering_id');

-- The request says what was asked; another wish is another request.
create function engine.change_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (old.wanted, old.asked_by, old.because, old.evidence_sha256)
        is distinct from (new.wanted, new.asked_by, new.because, new.evidence_sha256) then
        raise exception using errcode = 'BR006', constraint = 'change_is_locked_as_asked',
            message = format('%s says what was asked', old.change_id);
    end if;
    return new;
end $$;

create trigger change_stands before update on engine.change_request
    for each row execute function engine.change_stands();
alter table engine.change_request enable always trigger change_stands;

-- Whether an approved request wants exactly this name and number of an offer.
create function engine.change_allows(p_offering text, p_name text, p_isin text) returns boolean
language sql stable set search_path = pg_catalog, pg_temp
return exists (select from engine.change_request c join engine.offer o using (offering_id)
    where c.offering_id = p_offering and c.status = 'approved'
        and p_name = coalesce(c.wanted ->> 'name', o.name)
        and p_isin is not distinct from coalesce(c.wanted ->> 'isin', o.isin));

-- A person asks for a change of locked terms and says why, with a document.
create function engine.request_change(p_actor text, p_request text, p_offering text, p_change text, p_wanted jsonb,
    p_because text, p_evidence_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    stands text;
    unknown text;
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    select o.status into stands from engine.offer o where o.offering_id = p_offering for update;
    if stands is null or stands not in ('legal_review', 'legal_accepted', 'published', 'legally_closed') then
        raise exception using errcode = 'BR002', constraint = 'change_is_of_locked_terms',
            message = format('%s is %s', p_offering, coalesce(stands, 'unknown'));
    end if;
    select min(k.field) into unknown from jsonb_object_keys(p_wanted) k (field) where not exists (
        select from engine.locked_field f where f.book = 'engine' and f.field = k.field);
    if unknown is not null then
        raise exception using errcode = 'BR008', constraint = 'change_names_locked_fields_of_the_terms',
            message = format('%s is no field that a request changes', unknown);
    end if;
    insert into engine.change_request (offering_id, change_id, status, wanted, asked_by, because, evidence_sha256)
    values (p_offering, p_change, 'requested', p_wanted, p_actor, p_because, p_evidence_sha256);
end $$;

-- Refuses a deadline that investors could not know of in time (17 CFR 227.304(b)).
create function engine.require_deadline(p_offering text, p_closes_at timestamptz) returns void
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
declare
    o engine.offer;
    t engine.terms := engine.terms_of(p_offering);
    e engine.exemption_term;
    r compliance.rule;
    earliest date;
begin
    select * into o from engine.offer x where x.offering_id = p_offering;
    select * into strict e from engine.exemption_term x where x.exemption = o.exemption;
    if p_closes_at <= clock_timestamp() or t.closes_at <= clock_timestamp() or o.status = 'legally_closed' then
        raise exception using errcode = 'BR008', constraint = 'changed_deadline_is_ahead',
            message = format('%s is over, or its offer is closed to new money', p_closes_at);
    end if;
    if t.closes_at is null or p_closes_at >= t.closes_at or e.early_close_rule is null then
        return;
    end if;
    r := compliance.rule_at(e.open_rule, clock_timestamp());
    if p_closes_at < o.published_at + make_interval(days => r.value::integer) then
        raise exception using errcode = 'BR008', constraint = 'early_close_is_after_the_open_days',
            message = format('%s asks for %s days from %s on', r.rule_id, r.value, o.published_at);
    end if;
    if not engine.target_is_met(p_offering) then
        raise exception using errcode = 'BR008', constraint = 'early_close_is_of_a_met_target',
            message = format('%s has not met its target', p_offering);
    end if;
    r := compliance.rule_at(e.early_close_rule, clock_timestamp());
    earliest := compliance.business_day_after('us_federal_business', (clock_timestamp() at time zone 'America/New_York')::date, r.value);
    if (p_closes_at at time zone 'America/New_York')::date < earliest then
        raise exception using errcode = 'BR008', constraint = 'early_close_has_its_notice',
            message = format('a notice of today allows a deadline on %s at the earliest', earliest);
    end if;
end $$;

-- Another person decides. An approved change makes the next version of the terms in the same breath; a material one is
-- announced as an amendment, so that every investor is asked again. An earlier deadline is notified and not asked.
create function engine.decide_change(p_actor text, p_request text, p_offering text, p_change text, p_is_approved boolean,
    p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c engine.change_request;
    t engine.terms;
    material boolean;
    merged jsonb;
begin
    perform audit.enter(p_actor, p_request);
    perform engine.require_person(p_actor, 'issuer');
    perform 1 from engine.offer o where o.offering_id = p_offering for update;
    select * into c from engine.change_request x where x.offering_id = p_offering and x.change_id = p_change for update;
    if c.change_id is null then
        raise exception using errcode = 'BR404', constraint = 'change_exists',
            message = format('there is no change %s of %s', p_change, p_offering);
    end if;
    if p_seen is distinct from c.version then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen',
            message = format('the change is at version %s', c.version);
    end if;
    if p_is_approved is not true then
        update engine.change_request set status = 'declined', decided_by = p_actor, decided_because = p_because
        where offering_id = p_offering and change_id = p_change;
        return;
    end if;
    t := engine.terms_of(p_offering);
    if c.wanted ? 'closes_at' then
        perform engine.require_deadline(p_offering, (c.wanted ->> 'closes_at')::timestamptz);
    end if;
    if least((c.wanted ->> 'pays_by')::timestamptz, case when c.wanted ? 'pays_by' then t.pays_by end) <= clock_timestamp() then
        raise exception using errcode = 'BR008', constraint = 'changed_deadline_is_ahead',
            message = format('the time for the money of %s is over, or would be', p_offering);
    end if;
    material := exists (select from jsonb_object_keys(c.wanted) k (field) join engine.locked_field f
            on f.book = 'engine' and f.field = k.field and f.is_material
        where not case k.field
            when 'closes_at' then coalesce((c.wanted ->> 'closes_at')::timestamptz < t.closes_at, false)
            when 'pays_by' then coalesce((c.wanted ->> 'pays_by')::timestamptz <= t.pays_by, false) else false end);
    update engine.change_request set status = 'approved', decided_by = p_actor, decided_because = p_because, is_material = material
    where offering_id = p_offering and change_id = p_change;
    update engine.terms set status = 'superseded' where offering_id = p_offering and terms_id = t.terms_id;
    merged := jsonb_strip_nulls(to_jsonb(t)) || c.wanted || case when c.wanted ? 'closes_at' and not c.wanted ? 'pays_by'
        then jsonb_build_object('pays_by', c.wanted -> 'closes_at') else '{}' end;
    perform engine.write_terms(c.asked_by, p_offering, t.ordinal + 1, merged, 'locked');
    if c.wanted ?| array['name', 'isin'] then
        update engine.offer set name = coalesce(c.wanted ->> 'name', name), isin = coalesce(c.wanted ->> 'isin', isin)
        where offering_id = p_offering;
    end if;
    perform engine.require_fit(p_offering);
    update engine.change_request set status = 'applied', terms_ordinal = t.ordinal + 1
    where offering_id = p_offering and change_id = p_change;
    if material and exists (select from engine.offer o where o.offering_id = p_offering and o.status in ('published', 'legally_closed')) then
        insert into engine.amendment (offering_id, amendment_id, ordinal, status, is_material, sentence, document_sha256, proposed_by)
        select p_offering, 'amd_' || substr(p_change, 5), 1 + count(*), 'proposed', true, c.because, c.evidence_sha256, c.asked_by
        from engine.amendment a where a.offering_id = p_offering;
        perform engine.decide_amendment(p_actor, p_request, p_offering, 'amd_' || substr(p_change, 5), true, p_because, 1);
    end if;
end $$;
