-- What people confirm by a passkey: one signature over the digest of one decision, and walls that ask for it.

create table api.confirmation (
    confirmation_id text primary key,
    account_id text not null references api.account,
    status text not null,
    act text not null constraint confirmed_act_is_known check (act in ('release', 'countersignature', 'wallet_approval',
        'wallet_link', 'control_action', 'closing', 'passkey', 'erasure', 'examination', 'delegation')),
    items jsonb not null,
    decision_sha256 bytea not null constraint decision_is_confirmed_once unique check (octet_length(decision_sha256) = 32),
    assertion_sha256 bytea not null constraint assertion_confirms_one_decision unique check (octet_length(assertion_sha256) = 32),
    credential_id text not null references api.credential,
    session_id text not null references api.account_session,
    given_at timestamptz not null default clock_timestamp(),
    version bigint not null,
    chain_head bytea not null
);
call audit.keep('api.confirmation', 'confirmation', 'confirmation_id', 'account_id');

-- Which part of a decision was carried out; each is, once.
create table api.used_confirmation (
    confirmation_id text not null references api.confirmation,
    offering_id text not null,
    subject text not null,
    used_at timestamptz not null default clock_timestamp(),
    constraint confirmation_serves_once primary key (confirmation_id, offering_id, subject)
);
call audit.append_only('api.used_confirmation');

-- What an act is about, with the version that each stands at now.
create function api.items_of(p_act text, p_offering text, p_subjects text[]) returns jsonb
language sql stable set search_path = pg_catalog, pg_temp
begin atomic
    select coalesce(jsonb_agg(jsonb_build_object('offering', p_offering, 'subject', x.subject, 'version', x.version) order by x.subject collate "C"), '[]')
    from (select r.release_id as subject, r.version from treasury.release r where p_act = 'release' and r.offering_id = p_offering
        union all select a.agreement_id, a.version from subscription.agreement a where p_act = 'countersignature' and a.offering_id = p_offering
        union all select w.mapping_id, w.version from registry.wallet_mapping w
            where p_act in ('wallet_approval', 'wallet_link') and w.offering_id = p_offering
        union all select c.action_id, c.version from registry.control_action c where p_act = 'control_action' and c.offering_id = p_offering
        -- A closing begins with its freeze: the offer stands for it, by the version of its terms.
        union all select o.offering_id, o.version from engine.offer o where p_act = 'closing' and o.offering_id = p_offering
        union all select a.account_id, a.version from api.account a where p_act = 'passkey' and p_offering = ''
        union all select a.name, a.version from api.account a where p_act = 'examination' and p_offering = ''
        -- A delegation is of no record yet: its terms in words, PRINCIPAL/DELEGATE/SCOPE/DAY, stand for it on the principal's account.
        union all select t.terms, a.version from unnest(p_subjects) t (terms) join api.account a on a.name = split_part(t.terms, '/', 1)
            where p_act = 'delegation' and p_offering = ''
        union all select p.investor_id, p.version from portal.profile p where p_act = 'erasure' and p_offering = '') x
    where x.subject = any (p_subjects);
end;

-- The digest that a passkey signs: act, subjects, their versions and the session, in canonical form (RFC 8785).
create function api.decision_of(p_session bytea, p_act text, p_items jsonb) returns bytea
language sql stable set search_path = pg_catalog, pg_temp
return sha256(convert_to(audit.canonical(jsonb_build_object('act', p_act, 'items', p_items, 'session', encode(p_session, 'hex'))), 'UTF8'));

-- The decision that a person in a session is about to make, and the digest to sign.
create function api.decision(p_session bytea, p_act text, p_offering text, p_subjects text[], out items jsonb, out decision_sha256 bytea)
language plpgsql stable security definer set search_path = pg_catalog, pg_temp as $$
begin
    items := api.items_of(p_act, p_offering, p_subjects);
    if items = '[]' or (api.open_account_session(p_session)).session_id is null then
        raise exception using errcode = 'BR008', constraint = 'decision_is_of_a_session_and_a_subject',
            message = 'there is no such subject, or no such session';
    end if;
    decision_sha256 := api.decision_of(p_session, p_act, items);
end $$;

-- Keeps that a passkey of the session's own account signed this very decision, and goes on under another token.
create function api.confirm(p_request text, p_session bytea, p_said jsonb, p_signed bytea, p_assertion bytea, p_next bytea)
returns timestamptz
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    s api.account_session := api.open_account_session(p_session);
    who text;
begin
    select a.name into who from api.account a where a.account_id = s.account_id;
    if who is null then
        raise exception using errcode = 'BR401', constraint = 'session_is_in_force', message = 'sign in again';
    end if;
    if p_signed is distinct from api.decision_of(p_session, p_said ->> 'act', p_said -> 'items') then
        raise exception using errcode = 'BR401', constraint = 'assertion_is_over_this_decision',
            message = 'the passkey signed another decision, or in another session';
    end if;
    if not exists (select from api.credential c where c.credential_id = p_said ->> 'credential' and c.account_id = s.account_id
        and c.kind = 'passkey' and c.status = 'in_force') then
        raise exception using errcode = 'BR401', constraint = 'passkey_is_of_the_account', message = 'it is no passkey of this account';
    end if;
    perform audit.enter(who, p_request);
    insert into api.confirmation (confirmation_id, account_id, status, act, items, decision_sha256, assertion_sha256, credential_id, session_id)
    values (p_said ->> 'confirmation', s.account_id, 'given', p_said ->> 'act', p_said -> 'items', p_signed, p_assertion,
        p_said ->> 'credential', s.session_id);
    return api.rotate_session(p_request, p_session, p_said ->> 'session', p_next);
end $$;

-- Uses up what a person confirmed: this act, subject and version, five minutes old at most, and once; where a session is named,
-- in it or in one that it follows, so that no session has the use of what another has not used yet.
create function api.use_confirmation(p_person text, p_act text, p_offering text, p_subject text, p_version bigint,
    p_session text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    found_id text;
begin
    select c.confirmation_id into found_id from api.confirmation c join api.account a using (account_id)
    where a.name = p_person and a.status = 'active' and c.act = p_act and c.given_at > clock_timestamp() - interval '5 minutes'
        and c.items @> jsonb_build_array(jsonb_build_object('offering', p_offering, 'subject', p_subject, 'version', p_version))
        and not exists (select from api.used_confirmation u where u.confirmation_id = c.confirmation_id
            and u.offering_id = p_offering and u.subject = p_subject)
        and (p_session is null or c.session_id in (
            with recursive own as (
                select s.session_id, s.follows from api.account_session s where s.session_id = p_session
                union all select s.session_id, s.follows from own join api.account_session s on s.session_id = own.follows)
            select own.session_id from own))
    order by c.given_at limit 1;
    if found_id is null then
        raise exception using errcode = 'BR010', constraint = 'decision_is_confirmed_by_passkey',
            message = 'a person with an account confirms this by a passkey, for this version of it';
    end if;
    insert into api.used_confirmation (confirmation_id, offering_id, subject) values (found_id, p_offering, p_subject);
end $$;

-- The wall: a person who has an account decides with a passkey, by whatever key it comes. Arguments: act, column of the subject.
create function api.decision_is_confirmed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    person constant text := audit.person_of(current_setting('bookrunner.actor', true));
    seen bigint := old.version;
begin
    if not exists (select from api.account a where a.name = person and a.status in ('active', 'locked', 'deactivated')) then
        return new;
    end if;
    if tg_argv[0] = 'closing' then
        select o.version into seen from engine.offer o where o.offering_id = new.offering_id;
    end if;
    perform api.use_confirmation(person, tg_argv[0], new.offering_id, to_jsonb(new) ->> tg_argv[1], seen);
    return new;
end $$;

-- What takes everything of somebody away, or everything of everybody out, asks for more than a session that was left open: an investor
-- who erases itself or names who acts for it, and whoever takes a bundle, confirm it. Officers and operators erase by the rules of their own keeper.
create function api.own_erasure_is_confirmed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    if audit.person_of(current_setting('bookrunner.actor', true)) = new.investor_id
        and exists (select from api.account a where a.name = new.investor_id
            and a.status in ('active', 'locked', 'deactivated')) then
        perform api.use_confirmation(new.investor_id, 'erasure', '', new.investor_id,
            (select p.version from portal.profile p where p.investor_id = new.investor_id));
    end if;
    return new;
end $$;
create trigger own_erasure_is_confirmed before update on portal.data_key for each row
    when (new.status = 'destroyed' and old.status <> 'destroyed') execute function api.own_erasure_is_confirmed();
alter table portal.data_key enable always trigger own_erasure_is_confirmed;

-- What is of no record yet is confirmed on the account of whoever does it. Arguments: act.
create function api.beginning_is_confirmed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a api.account;
begin
    select * into a from api.account x where x.name = audit.person_of(current_setting('bookrunner.actor', true))
        and x.status in ('active', 'locked', 'deactivated');
    if found then
        perform api.use_confirmation(a.name, tg_argv[0], '', a.name, a.version);
    end if;
    return new;
end $$;

-- Whom somebody names, in which scope and until the end of which day (UTC), is what its passkey signed; a delegate for whom an account is
-- made by this act has no name yet.
create function api.delegation_is_confirmed() returns trigger
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a api.account;
    ends constant timestamp := new.valid_until at time zone 'UTC';
begin
    select * into a from api.account x where x.name = audit.person_of(current_setting('bookrunner.actor', true))
        and x.status in ('active', 'locked', 'deactivated');
    if found then
        perform api.use_confirmation(a.name, 'delegation', '', concat_ws('/', new.investor_id,
            case when exists (select from api.account d where d.name = new.delegate) then new.delegate else '' end, new.scope,
            case when ends = date_trunc('day', ends) then (ends::date - 1)::text else ends::text end), a.version);
    end if;
    return new;
end $$;
create trigger delegation_is_confirmed before insert on portal.delegation
    for each row execute function api.delegation_is_confirmed();
alter table portal.delegation enable always trigger delegation_is_confirmed;

do $walls$
declare
    wall record;
begin
    for wall in select * from (values
        ('treasury.release', 'release', 'release_id', $$new.status = 'approved' and old.status <> 'approved'$$),
        ('subscription.agreement', 'countersignature', 'agreement_id', $$new.status = 'countersigned' and old.status <> 'countersigned'$$),
        ('registry.wallet_mapping', 'wallet_approval', 'mapping_id', $$new.status = 'issuer_approved' and old.status <> 'issuer_approved'$$),
        ('registry.wallet_mapping', 'wallet_link', 'mapping_id', $$new.status = 'linked' and old.status <> 'linked'
            or new.status = 'joined' and old.status = 'issuer_approved'$$),
        ('registry.control_action', 'control_action', 'action_id', $$new.status = 'approved' and old.status = 'asked'$$),
        ('engine.closing', 'closing', 'offering_id', $$new.status = 'frozen' and old.status <> 'frozen'$$)
    ) w (kept, act, id, when_it) loop
        execute format('create trigger %I before update on %s for each row when (%s) execute function api.decision_is_confirmed(%L, %L)',
            wall.act || '_is_confirmed', wall.kept, wall.when_it, wall.act, wall.id);
        execute format('alter table %s enable always trigger %I', wall.kept, wall.act || '_is_confirmed');
    end loop;
end $walls$;

create index confirmation_by_account on api.confirmation (account_id, given_at);
grant select on api.confirmation to access;
grant execute on function api.decision(bytea, text, text, text[]), api.confirm(text, bytea, jsonb, bytea, bytea, bytea) to access;
