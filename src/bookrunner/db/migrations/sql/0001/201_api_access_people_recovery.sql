-- A way back in for whoever has lost every credential: asked for by another person, slow, and stopped by any credential left.

-- Makes the secret that a new passkey is made with; whoever knows the person hands it over.
create function api.ask_recovery(p_actor text, p_request text, p_account text, p_recovery bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    a api.account;
begin
    perform audit.enter(p_actor, p_request);
    a := api.account_of(p_account, array['active', 'locked']);
    if audit.person_of(p_actor) = a.name then
        raise exception using errcode = 'BR010', constraint = 'recovery_is_asked_by_another_person',
            message = 'who still comes in adds a passkey; who does not is vouched for by another person';
    end if;
    insert into api.recovery (recovery_sha256, account_id, asked_by) values (p_recovery, p_account, p_actor);
end $$;

-- Keeps a new passkey that waits three days before it may sign in.
create function api.recover(p_request text, p_recovery bytea, p_credential text, p_kept jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    r api.recovery;
    a api.account;
begin
    select * into r from api.recovery where recovery_sha256 = p_recovery and ends_at > clock_timestamp();
    a := api.account_of(r.account_id, array['active', 'locked']);
    perform audit.enter(a.name, p_request);
    insert into api.credential (credential_id, account_id, status, kind, passkey_id, public_key, label, opens_at, asked_by, recovery_sha256)
    values (p_credential, a.account_id, 'waiting', 'passkey', decode(p_kept ->> 'passkey_id', 'hex'),
        decode(p_kept ->> 'public_key', 'hex'), coalesce(p_kept ->> 'label', ''), clock_timestamp() + interval '72 hours', r.asked_by,
        p_recovery);
    insert into api.passkey_use (credential_id, sign_count) values (p_credential, (p_kept ->> 'sign_count')::bigint);
end $$;

-- Lets a recovered passkey sign in: after its time, and for a keeper's person by somebody who neither asked for it nor is it.
-- What was lost signs in no more, and the person's keys are revoked. A locked account recovers too, so that a thief who can still
-- sign in does not stop it; it stays locked until it is opened.
create function api.admit_recovery(p_actor text, p_request text, p_credential text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c api.credential;
    a api.account;
begin
    perform audit.enter(p_actor, p_request);
    select * into c from api.credential where credential_id = p_credential for update;
    a := api.account_of(c.account_id, array['active', 'locked']);
    if c.status is distinct from 'waiting' or c.opens_at > clock_timestamp() then
        raise exception using errcode = 'BR401', constraint = 'recovery_waits_its_time',
            message = 'the recovery was stopped, or its three days are not over';
    end if;
    if not starts_with(a.name, 'ivr_') and not starts_with(a.name, 'dlg_') and audit.person_of(p_actor) = a.name then
        raise exception using errcode = 'BR010', constraint = 'recovery_is_admitted_by_another_person',
            message = 'a recovery of a keeper''s person needs a second person';
    end if;
    update api.credential set status = 'ended', ended_by = p_actor where account_id = a.account_id and status = 'in_force';
    update api.account_session set status = 'ended', ended_by = p_actor where account_id = a.account_id and status = 'open';
    insert into api.revoked_key (name, revoked_by)
    select k.name, p_actor from api.key k where (k.name = a.name or k.account_name = a.name)
        and not exists (select from api.revoked_key r where r.name = k.name);
    update api.credential set status = 'in_force', admitted_by = p_actor where credential_id = p_credential;
end $$;

grant select on api.recovery to access;
grant execute on function api.ask_recovery(text, text, text, bytea), api.recover(text, bytea, text, jsonb),
    api.admit_recovery(text, text, text) to access;
