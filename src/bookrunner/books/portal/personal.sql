-- Changes of what was verified, and the keys under which personal data is sealed.

create table portal.profile_change (
    investor_id text not null references portal.profile,
    change_id text not null,
    status text not null,
    from_version integer not null,
    touched text[] not null default '{}',
    because text not null constraint change_says_why check (because ~ '\S'),
    evidence_sha256 bytea not null,
    requested_by text not null,
    decided_by text,
    decided_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (investor_id, change_id),
    constraint change_needs_two_people check (audit.person_of(decided_by) is distinct from audit.person_of(requested_by) or decided_by is null),
    constraint decided_change_has_its_reason check (status = 'requested' or coalesce(decided_because ~ '\S', false))
);
-- What a request would make of the profile; it goes when the investor's data is erased.
create table portal.change_detail (
    investor_id text not null,
    change_id text not null,
    detail jsonb not null,
    primary key (investor_id, change_id),
    foreign key (investor_id, change_id) references portal.profile_change
);

create unique index one_change_is_open on portal.profile_change (investor_id) where status = 'requested';

-- The key of an investor, wrapped by the master key. Destroying it erases everything sealed under it.
create table portal.data_key (
    investor_id text primary key,
    key_id text not null unique,
    status text not null,
    wrapped bytea,
    destroyed_because text,
    version bigint not null,
    chain_head bytea not null,
    constraint destroyed_key_is_gone check ((status = 'destroyed') = (wrapped is null)),
    constraint erasure_has_its_reason check (status <> 'destroyed' or coalesce(destroyed_because ~ '\S', false))
);

create table portal.personal_view (
    investor_id text not null,
    view_id text not null,
    status text not null,
    detail_version integer not null,
    viewed_by text not null,
    purpose text not null constraint view_says_its_purpose check (purpose ~ '\S'),
    version bigint not null,
    chain_head bytea not null,
    primary key (investor_id, view_id)
);

call audit.keep('portal.profile_change', 'profile_change', 'change_id', 'investor_id');
call audit.keep('portal.data_key', 'data_key', 'key_id', 'investor_id', '{wrapped}');
call audit.keep('portal.personal_view', 'personal_view', 'view_id', 'investor_id');

-- Versions and requests stand as they were written; under a destroyed key they are emptied, once, and never rewritten.
create function portal.detail_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    is_erased boolean := tg_op <> 'TRUNCATE' and exists (select from portal.data_key k
        where k.investor_id = old.investor_id and k.status = 'destroyed');
begin
    if is_erased and tg_op = 'UPDATE' and tg_table_name = 'profile_detail' then
        if old.erased_at is null and new.erased_at is not null
            and (old.investor_id, old.detail_version, old.detail_digest, old.recorded_at)
                = (new.investor_id, new.detail_version, new.detail_digest, new.recorded_at) then
            return new;
        end if;
    elsif is_erased and tg_op = 'DELETE' and tg_table_name = 'change_detail' then
        return old;
    end if;
    raise exception using errcode = 'BR003', constraint = 'history_is_append_only',
        message = format('%s on %s.%s is refused: history is append only', tg_op, tg_table_schema, tg_table_name);
end $$;

create trigger aa_append_only before update or delete on portal.profile_detail
    for each row execute function portal.detail_stands();
create trigger aa_append_only_truncate before truncate on portal.profile_detail
    for each statement execute function portal.detail_stands();
create trigger aa_append_only before update or delete on portal.change_detail
    for each row execute function portal.detail_stands();
create trigger aa_append_only_truncate before truncate on portal.change_detail
    for each statement execute function portal.detail_stands();
alter table portal.profile_detail enable always trigger aa_append_only;
alter table portal.profile_detail enable always trigger aa_append_only_truncate;
alter table portal.change_detail enable always trigger aa_append_only;
alter table portal.change_detail enable always trigger aa_append_only_truncate;

-- The fields that a request would change, by name alone.
create view portal.change_fact as
select c.investor_id, c.change_id, c.status, c.from_version, c.touched, c.requested_by, c.version, c.chain_head, c.because,
    c.decided_by, c.decided_because,
    array_remove(array[
        case when d.legal_name <> x.detail ->> 'legal_name' then 'legal_name' end,
        case when d.country <> x.detail ->> 'country' then 'country' end,
        case when d.address <> x.detail ->> 'address' then 'address' end,
        case when d.email <> x.detail ->> 'email' then 'email' end,
        case when d.representative is distinct from x.detail ->> 'representative' then 'representative' end,
        case when encode(d.tax_id_blind, 'hex') <> x.detail ->> 'tax_id_blind' then 'tax_id' end,
        case when encode(d.birth_date_blind, 'hex') is distinct from x.detail ->> 'birth_date_blind' then 'birth_date' end],
        null) as fields
from portal.profile_change c join portal.profile_detail d on d.investor_id = c.investor_id and d.detail_version = c.from_version
left join portal.change_detail x on x.investor_id = c.investor_id and x.change_id = c.change_id;

-- Two spellings of one name: in the version that was verified and in the version that was agreed on.
create view portal.spelling_difference as
select pos.offering_id, pos.investment_id, pos.investor_id, v.legal_name as verified_name, a.legal_name as agreed_name,
    case when lower(v.legal_name) = lower(a.legal_name) then 'case'
        when regexp_replace(lower(v.legal_name), '[^[:alnum:]]', '', 'g')
            = regexp_replace(lower(a.legal_name), '[^[:alnum:]]', '', 'g') then 'punctuation'
        else 'letters' end as kind
from engine.position pos
join portal.profile_detail v on v.investor_id = pos.investor_id and v.detail_digest = pos.verified_digest
join portal.profile_detail a on a.investor_id = pos.investor_id and a.detail_digest = pos.agreed_digest
where v.legal_name <> a.legal_name;

create function portal.request_change(p_actor text, p_request text, p_investor text, p_change text, p_detail jsonb,
    p_because text, p_evidence_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into portal.profile_change (investor_id, change_id, status, from_version, because, evidence_sha256, requested_by)
    select p_investor, p_change, 'requested', p.detail_version, p_because, p_evidence_sha256, p_actor
    from portal.profile p where p.investor_id = p_investor;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'profile_exists',
            message = format('there is no profile %s', p_investor);
    end if;
    insert into portal.change_detail (investor_id, change_id, detail) values (p_investor, p_change, p_detail);
end $$;

-- Whether the version of a profile that counts is verified, so that it changes by request alone.
create function portal.is_locked(p_investor text) returns boolean
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    return (select engine.profile_is_verified(p.investor_id, p.detail_version) from portal.profile p where p.investor_id = p_investor);
end $$;

-- A second person decides on the version seen, under the programme seen; applied, the change is a new version and its checks run again.
create function portal.decide_change(p_actor text, p_request text, p_investor text, p_change text,
    p_is_approved boolean, p_because text, p_seen bigint, p_programme text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c portal.profile_change;
    current_version integer;
begin
    perform audit.enter(p_actor, p_request);
    select detail_version into current_version from portal.profile where investor_id = p_investor for update;
    select * into c from portal.profile_change where investor_id = p_investor and change_id = p_change for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'change_exists',
            message = format('there is no change %s of %s', p_change, p_investor);
    end if;
    if c.version is distinct from p_seen or (p_is_approved and c.from_version <> current_version) then
        raise exception using errcode = 'BR412', constraint = 'decision_is_on_the_version_seen',
            message = format('the change is at version %s on profile version %s', c.version, current_version);
    end if;
    if p_is_approved then
        perform portal.put_version(p_investor, current_version + 1, (select x.detail from portal.change_detail x
            where x.investor_id = p_investor and x.change_id = p_change));
    end if;
    update portal.profile_change set decided_by = p_actor, decided_because = p_because,
        touched = coalesce(portal.touched(p_investor, current_version, current_version + 1), '{}'),
        status = case when p_is_approved then 'applied' else 'declined' end
    where investor_id = p_investor and change_id = p_change;
    perform engine.decide_under(p_actor, p_request, array[p_investor, p_change], p_programme);
end $$;

-- Refuses what would tell of an investor again after an erasure; an erasure under way is waited for, and waits.
create function portal.require_unerased(p_investor text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    found_status text;
begin
    select status into found_status from portal.data_key where investor_id = p_investor for share;
    if found_status = 'destroyed' then
        raise exception using errcode = 'BR008', constraint = 'personal_data_is_not_erased',
            message = format('the personal data of %s was erased', p_investor);
    end if;
end $$;

-- The wrapped key of an investor; the given one is kept when there was none. A destroyed key never comes back.
create function portal.obtain_key(p_actor text, p_request text, p_investor text, p_key text, p_wrapped bytea) returns bytea
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    k portal.data_key;
begin
    perform audit.enter(p_actor, p_request);
    if not exists (select from portal.data_key x where x.investor_id = p_investor) then
        -- Two may come at once for an investor without a key: the second waits, and looks again.
        perform pg_advisory_xact_lock(hashtextextended('portal.data_key/' || p_investor, 0));
    end if;
    perform portal.require_unerased(p_investor);
    select * into k from portal.data_key where investor_id = p_investor;
    if not found then
        insert into portal.data_key (investor_id, key_id, status, wrapped) values (p_investor, p_key, 'active', p_wrapped);
        return p_wrapped;
    end if;
    return k.wrapped;
end $$;

-- Hands out one version: its sealed fields with their wrapped key, and the plain ones. Who looked, at what and why is an event.
create function portal.view_personal(p_actor text, p_request text, p_investor text, p_detail_version integer,
    p_view text, p_purpose text) returns table (wrapped bytea, sealed bytea, plain jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if not exists (select from portal.data_key k where k.investor_id = p_investor and k.status = 'active') then
        raise exception using errcode = 'BR008', constraint = 'personal_data_is_not_erased',
            message = format('the personal data of %s was erased, or never given', p_investor);
    end if;
    insert into portal.personal_view (investor_id, view_id, status, detail_version, viewed_by, purpose)
    values (p_investor, p_view, 'viewed', p_detail_version, p_actor, p_purpose);
    return query select k.wrapped, d.sealed, jsonb_build_object('legal_name', d.legal_name, 'country', d.country,
            'address', d.address, 'email', d.email, 'representative', d.representative)
        from portal.data_key k join portal.profile_detail d using (investor_id)
        where k.investor_id = p_investor and d.detail_version = p_detail_version;
end $$;

-- Hands out both sides of a requested change with their wrapped key; who looked, and why, is an event.
create function portal.view_change(p_actor text, p_request text, p_investor text, p_change text, p_view text,
    p_purpose text) returns table (wrapped bytea, before jsonb, after jsonb)
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform portal.view_personal(p_actor, p_request, p_investor,
        (select c.from_version from portal.profile_change c where c.investor_id = p_investor and c.change_id = p_change),
        p_view, p_purpose);
    return query select k.wrapped, jsonb_build_object('legal_name', d.legal_name, 'country', d.country, 'address', d.address,
            'email', d.email, 'representative', d.representative, 'sealed', encode(d.sealed, 'hex')), x.detail
        from portal.profile_change c join portal.data_key k using (investor_id) join portal.change_detail x using (investor_id, change_id)
        join portal.profile_detail d on d.investor_id = c.investor_id and d.detail_version = c.from_version
        where c.investor_id = p_investor and c.change_id = p_change;
end $$;

-- Erases: destroys the key and empties what stood in clear. Refused with the reason while a rule keeps the record.
create function portal.erase_personal(p_actor text, p_request text, p_investor text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    kept text := engine.kept_because(p_investor);
begin
    perform audit.enter(p_actor, p_request);
    if kept is not null then
        raise exception using errcode = 'BR008', constraint = 'retention_allows_erasure', message = kept;
    end if;
    update portal.data_key set status = 'destroyed', wrapped = null, destroyed_because = p_because
    where investor_id = p_investor and status = 'active';
    if not found then
        raise exception using errcode = 'BR404', constraint = 'erased_key_exists',
            message = format('there is no key of %s', p_investor);
    end if;
    update portal.profile_detail set erased_at = clock_timestamp(), salt = null, legal_name = null, country = null, address = null,
        sealed = null, tax_id_blind = null, birth_date_blind = null, email = null, representative = null, lei = null
    where investor_id = p_investor;
    delete from portal.change_detail where investor_id = p_investor;
    update portal.ownership_statement set status = 'erased', people = '[]', shares = '[]'
    where investor_id = p_investor and status <> 'erased';
    update portal.suitability set status = 'erased', answers = '{}' where investor_id = p_investor and status = 'answered';
end $$;
