-- What happens to accounts and credentials. The login of accounts alone calls these; no keeper's login makes a way in.

create function api.account_of(p_account text, p_states text[]) returns api.account
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    a api.account;
begin
    select * into a from api.account where account_id = p_account for update;
    if not found or a.status <> all (p_states) then
        raise exception using errcode = 'BR008', constraint = 'account_is_in_a_state_for_this',
            message = format('the account is %s', coalesce(a.status, 'not known'));
    end if;
    return a;
end $$;

-- Names a person and whom it is to serve; another person grants it. An investor's needs no second person.
create function api.propose_account(p_actor text, p_request text, p_account text, p_name text, p_keeper text, p_issuer text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into api.account (account_id, name, status, keeper, issuer_id, proposed_by)
    values (p_account, p_name, 'proposed', p_keeper, p_issuer, p_actor);
end $$;

-- Grants an account: who has the invitation may take it up, once and within a week.
create function api.invite(p_actor text, p_request text, p_account text, p_invitation bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform api.account_of(p_account, array['proposed', 'invited']);
    update api.account set status = 'invited', approved_by = p_actor, invitation_sha256 = p_invitation,
        invitation_ends_at = clock_timestamp() + interval '7 days'
    where account_id = p_account;
end $$;

-- Declines a proposal, locks, opens again or deactivates. Whoever is locked or deactivated has no session any more; of whoever is
-- deactivated every credential has ended, so that who it was at a provider may open another account.
create function api.move_account(p_actor text, p_request text, p_account text, p_status text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform api.account_of(p_account, case p_status when 'declined' then array['proposed', 'invited'] when 'locked' then array['active']
        when 'active' then array['locked'] else array['active', 'locked'] end);
    update api.account set status = p_status, because = p_because,
        locked_by = case when p_status = 'locked' then p_actor else locked_by end,
        ended_by = case when p_status in ('declined', 'deactivated') then p_actor end
    where account_id = p_account;
    if p_status in ('locked', 'deactivated') then
        update api.account_session set status = 'ended', ended_by = p_actor where account_id = p_account and status = 'open';
    end if;
    if p_status = 'deactivated' then
        update api.credential set status = 'ended', ended_by = p_actor
        where account_id = p_account and status in ('in_force', 'waiting');
    end if;
end $$;

-- Keeps a credential of an account; a second password, secret, set of codes or link to a provider takes the place of the first.
create function api.keep_credential(p_actor text, p_account text, p_credential text, p_kept jsonb, p_codes bytea[]) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if p_kept ->> 'kind' = 'provider' and not exists (select from api.sign_in_provider p
            where p.provider_id = p_kept ->> 'provider_id' and p.status = 'in_force' for share) then
        raise exception using errcode = 'BR401', constraint = 'provider_is_in_force', message = 'nobody signs in with this provider';
    end if;
    update api.credential set status = 'ended', ended_by = p_actor
    where account_id = p_account and status = 'in_force' and kind = p_kept ->> 'kind' and kind <> 'passkey';
    insert into api.credential (credential_id, account_id, status, kind, passkey_id, public_key, transports, label, secret, wrapped,
        provider_id, subject_sha256)
    values (p_credential, p_account, 'in_force', p_kept ->> 'kind', decode(p_kept ->> 'passkey_id', 'hex'),
        decode(p_kept ->> 'public_key', 'hex'),
        array(select jsonb_array_elements_text(coalesce(p_kept -> 'transports', '[]'))), coalesce(p_kept ->> 'label', ''),
        decode(p_kept ->> 'secret', 'hex'), decode(p_kept ->> 'wrapped', 'hex'), p_kept ->> 'provider_id',
        decode(p_kept ->> 'subject', 'hex'));
    if p_kept ->> 'kind' = 'passkey' then
        insert into api.passkey_use (credential_id, sign_count) values (p_credential, (p_kept ->> 'sign_count')::bigint);
    end if;
    insert into api.recovery_code (code_sha256, credential_id) select c, p_credential from unnest(p_codes) c;
end $$;

-- Refuses a session that may not change what its account signs in with. Where a passkey is in force it was opened by one, and one
-- answers for this change anew: else a password alone, or a session that is left open, would make or end what decisions are
-- confirmed with. One factor changes nothing where the provider that is linked would show two, nor one of a provider where a code would.
create function api.require_way_in(a api.account, p_session text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    opened_by text;
begin
    select s.how into opened_by from api.account_session s where s.session_id = p_session and s.account_id = a.account_id
        and s.status = 'open' and s.ends_at > clock_timestamp();
    if opened_by is null then
        raise exception using errcode = 'BR401', constraint = 'session_is_in_force', message = 'sign in again';
    end if;
    if opened_by in ('provider', 'password') and exists (
            select from api.credential c left join api.sign_in_provider p using (provider_id)
            where c.account_id = a.account_id and c.status = 'in_force'
                and (c.kind = 'totp' and opened_by = 'provider' or cardinality(p.strong_acr || p.strong_amr) > 0)) then
        raise exception using errcode = 'BR401', constraint = 'two_factors_change_what_signs_in',
            message = 'sign in with two factors, here or at the provider, to change what you sign in with';
    end if;
    if not exists (select from api.credential c where c.account_id = a.account_id and c.kind = 'passkey' and c.status = 'in_force') then
        return;
    end if;
    if opened_by not in ('passkey', 'invitation') then
        raise exception using errcode = 'BR401', constraint = 'passkey_changes_what_signs_in',
            message = 'sign in with a passkey to change what you sign in with; who has lost it comes back by a recovery';
    end if;
    perform api.use_confirmation(a.name, 'passkey', '', a.account_id, a.version, p_session);
end $$;

-- Ends the sessions of an account but one: what they were opened with has changed.
create function api.end_other_sessions(p_actor text, p_account text, p_but text) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    update api.account_session set status = 'ended', ended_by = p_actor
    where account_id = p_account and status = 'open' and session_id <> p_but;
end;

-- Holds the provider of a link before anything else is held: whoever ends it waits for this, and then sees the link.
create function api.hold_provider(p_kept jsonb) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    select pg_advisory_xact_lock_shared(hashtextextended('api.provider/' || (p_kept ->> 'provider_id'), 0))
    where p_kept ->> 'kind' = 'provider';
end;

create function api.enroll(p_actor text, p_request text, p_account text, p_session text, p_credential text, p_kept jsonb,
    p_codes bytea[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a api.account;
begin
    perform audit.enter(p_actor, p_request);
    perform api.hold_provider(p_kept);
    a := api.account_of(p_account, array['active']);
    if p_actor <> a.name then
        raise exception using errcode = 'BR403', constraint = 'credential_is_kept_by_its_own_person',
            message = 'nobody makes a credential for another';
    end if;
    perform api.require_way_in(a, p_session);
    perform api.keep_credential(p_actor, p_account, p_credential, p_kept, p_codes);
    if p_kept ->> 'kind' in ('password', 'totp', 'provider') then
        perform api.end_other_sessions(p_actor, p_account, p_session);
    end if;
end $$;

-- Takes an invitation up with the first credential.
create function api.accept(p_request text, p_invitation bytea, p_credential text, p_kept jsonb) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a api.account;
begin
    perform api.hold_provider(p_kept);
    select * into a from api.account where invitation_sha256 = p_invitation and status = 'invited'
        and invitation_ends_at > clock_timestamp() for update;
    if not found then
        raise exception using errcode = 'BR401', constraint = 'invitation_is_in_force',
            message = 'the invitation is not known, was used or has run out';
    end if;
    perform audit.enter(a.name, p_request);
    update api.account set status = 'active' where account_id = a.account_id;
    perform api.keep_credential(a.name, a.account_id, p_credential, p_kept, '{}');
    return a.account_id;
end $$;

-- Ends a credential; a password that is short for want of codes ends with them, and the last way in stays.
create function api.end_credential(p_actor text, p_request text, p_account text, p_session text, p_credential text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a api.account;
begin
    perform audit.enter(p_actor, p_request);
    a := api.account_of(p_account, array['active']);
    if p_actor <> a.name then
        raise exception using errcode = 'BR403', constraint = 'credential_is_kept_by_its_own_person',
            message = 'nobody ends a credential of another';
    end if;
    -- Any way in stops a recovery that waits.
    if not exists (select from api.credential c where c.credential_id = p_credential and c.account_id = p_account
            and c.status = 'waiting') then
        perform api.require_way_in(a, p_session);
        perform api.end_other_sessions(p_actor, p_account, p_session);
    end if;
    update api.credential set status = 'ended', ended_by = p_actor
    where credential_id = p_credential and account_id = p_account and status in ('in_force', 'waiting');
    update api.credential set status = 'ended', ended_by = p_actor
    where account_id = p_account and status = 'in_force' and kind = 'password' and label = 'short'
        and not exists (select from api.credential c where c.account_id = p_account and c.kind = 'totp' and c.status = 'in_force');
    if not exists (select from api.credential c where c.account_id = p_account and c.status = 'in_force'
        and c.kind in ('passkey', 'password', 'provider')) then
        raise exception using errcode = 'BR008', constraint = 'account_keeps_a_way_in',
            message = 'this is the last that you sign in with; add another one first';
    end if;
end $$;

-- Counts a signature of a passkey. A count that does not grow says that two devices have the key (Web Authentication, 6.1.1).
create function api.use_passkey(p_credential text, p_count bigint) returns text
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    account text;
begin
    update api.passkey_use u set sign_count = p_count, used_at = clock_timestamp()
    from api.credential c where u.credential_id = p_credential and c.credential_id = p_credential and c.status = 'in_force'
        and (p_count > u.sign_count or p_count = 0 and u.sign_count = 0)
    returning c.account_id into account;
    if account is null then
        raise exception using errcode = 'BR401', constraint = 'passkey_counts_on',
            message = 'the passkey was ended, or signed with an earlier count than before';
    end if;
    return account;
end $$;

create function api.use_code(p_credential text, p_step bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into api.used_code (credential_id, step) values (p_credential, p_step);
end $$;

-- Uses a recovery code of an account up; whether there is such a one in force.
create function api.use_recovery_code(p_account text, p_code bytea) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    insert into api.used_recovery_code (code_sha256)
    select r.code_sha256 from api.recovery_code r join api.credential c using (credential_id)
    where r.code_sha256 = p_code and c.account_id = p_account and c.status = 'in_force';
    return found;
end $$;

-- Remembers a challenge. A network has 32 at a time and all have 16,384: beyond, the oldest goes, so that whoever asks and never
-- answers takes challenges from itself first.
create function api.ask(p_challenge bytea, p_purpose text, p_network bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from api.challenge where ends_at < clock_timestamp();
    delete from api.challenge where challenge_sha256 in (select c.challenge_sha256 from api.challenge c
        where c.network_sha256 = p_network order by c.ends_at desc offset 31);
    delete from api.challenge where challenge_sha256 in (select c.challenge_sha256 from api.challenge c order by c.ends_at desc offset 16383);
    insert into api.challenge (challenge_sha256, purpose, network_sha256) values (p_challenge, p_purpose, p_network);
end $$;

-- Takes the answer to a challenge, once.
create function api.answered(p_challenge bytea, p_purpose text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from api.challenge where challenge_sha256 = p_challenge and purpose = p_purpose and ends_at > clock_timestamp();
    if not found then
        raise exception using errcode = 'BR401', constraint = 'challenge_is_answered_once',
            message = 'this was not asked, was answered already, or too long ago';
    end if;
end $$;

-- Counts a try before it is judged, so that tries at the same moment are as many. After the fifth within a day each next
-- one waits, twice as long as the one before, up to an hour (NIST SP 800-63B-4, 3.2.2).
create function api.take_try(p_subjects bytea[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    until_when timestamptz;
begin
    delete from api.failed_try where tried_at < clock_timestamp() - interval '1 day' and waits_until < clock_timestamp();
    insert into api.failed_try as f (subject_sha256) select s from unnest(p_subjects) s order by s
    on conflict (subject_sha256) do update set tried_at = clock_timestamp(),
        tries = case when f.tried_at < clock_timestamp() - interval '1 day' then 1 else f.tries + 1 end;
    select max(f.waits_until) into until_when from api.failed_try f where f.subject_sha256 = any (p_subjects);
    if until_when > clock_timestamp() then
        raise exception using errcode = 'BR401', constraint = 'sign_in_waits_after_failures',
            message = 'too many tries have failed; a passkey signs in at once, anything else waits';
    end if;
    update api.failed_try set waits_until = clock_timestamp() + least(interval '1 hour', interval '30 seconds' * 2 ^ least(tries - 5, 10))
    where subject_sha256 = any (p_subjects) and tries >= 5;
end $$;

-- Takes a try back that was right: the account starts anew, the address has one less.
create function api.forget_try(p_account bytea, p_address bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    delete from api.failed_try where subject_sha256 = p_account;
    update api.failed_try set tries = greatest(tries - 1, 0), waits_until = case when tries <= 5 then '-infinity' else waits_until end
    where subject_sha256 = p_address;
end $$;

grant select on api.account, api.credential, api.passkey_use, api.account_session, api.account_session_use, api.recovery_code,
    api.used_recovery_code to access;
grant execute on function api.propose_account(text, text, text, text, text, text), api.invite(text, text, text, bytea),
    api.move_account(text, text, text, text, text), api.enroll(text, text, text, text, text, jsonb, bytea[]),
    api.accept(text, bytea, text, jsonb), api.end_credential(text, text, text, text, text), api.use_passkey(text, bigint),
    api.use_code(text, bigint), api.use_recovery_code(text, bytea), api.ask(bytea, text, bytea), api.answered(bytea, text),
    api.take_try(bytea[]), api.forget_try(bytea, bytea) to access;
