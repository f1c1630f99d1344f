-- What happens to OpenID providers that people sign in with: named by one person, granted by another, ended for good.

create function api.propose_provider(p_actor text, p_request text, p_provider text, p_said jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into api.sign_in_provider (provider_id, name, status, title, token_issuer, client_id, secret, wrapped, strong_acr, strong_amr,
        proposed_by)
    values (p_provider, p_said ->> 'name', 'proposed', p_said ->> 'title', p_said ->> 'token_issuer', p_said ->> 'client_id',
        decode(p_said ->> 'secret', 'hex'), decode(p_said ->> 'wrapped', 'hex'),
        array(select jsonb_array_elements_text(p_said -> 'strong_acr')), array(select jsonb_array_elements_text(p_said -> 'strong_amr')),
        p_actor);
end $$;

create function api.grant_provider(p_actor text, p_request text, p_provider text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update api.sign_in_provider set status = 'in_force', approved_by = p_actor where provider_id = p_provider and status = 'proposed';
    if not found then
        raise exception using errcode = 'BR008', constraint = 'provider_is_proposed', message = 'there is no such proposal';
    end if;
end $$;

-- Ends a provider, what was linked of it, and every session that it opened. A link that is begun is waited for, so that its account is
-- held too. The accounts are held first, in one order and before their credentials as everywhere: a session that goes on under
-- another token meanwhile ends under its new one.
create function api.end_provider(p_actor text, p_request text, p_provider text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform pg_advisory_xact_lock(hashtextextended('api.provider/' || p_provider, 0));
    perform 1 from api.sign_in_provider p where p.provider_id = p_provider for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'provider_is_on_record',
            message = format('there is no provider with the id %s', p_provider);
    end if;
    perform 1 from api.account a where a.account_id in (select c.account_id from api.credential c where c.provider_id = p_provider)
    order by a.account_id for update;
    update api.sign_in_provider set status = 'ended', ended_by = p_actor, because = p_because
    where provider_id = p_provider and status <> 'ended';
    -- Before the sessions: whoever signs in holds its credential, so that no session is opened behind this one.
    update api.credential set status = 'ended', ended_by = p_actor where provider_id = p_provider and status = 'in_force';
    update api.account_session s set status = 'ended', ended_by = p_actor
    where s.status = 'open' and s.how in ('provider', 'provider_with_factors') and s.account_id in (
        select c.account_id from api.credential c where c.provider_id = p_provider);
end $$;

-- Which logout tokens of a provider were heard; each counts once (OpenID Connect Back-Channel Logout 1.0, 2.6).
create table api.heard_logout (
    provider_id text not null references api.sign_in_provider,
    token_sha256 bytea not null check (octet_length(token_sha256) = 32),
    heard_at timestamptz not null default clock_timestamp(),
    constraint logout_is_heard_once primary key (provider_id, token_sha256)
);
call audit.append_only('api.heard_logout');

-- Ends what a provider opened for somebody whom it has signed out: the session of the name that it gives, those that have no such
-- name of the person it names, or, where it names no session, all that it opened for the person. The accounts are held first, so that a
-- session that goes on under another token meanwhile ends too.
create function api.hear_logout(p_request text, p_provider text, p_token bytea, p_subject bytea, p_elsewhere bytea) returns bigint
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    told constant text := 'provider:' || p_provider;
    ended bigint;
begin
    perform audit.enter(told, p_request);
    insert into api.heard_logout (provider_id, token_sha256) values (p_provider, p_token);
    perform 1 from api.account a where a.account_id in (
        select c.account_id from api.credential c where c.provider_id = p_provider and c.subject_sha256 = p_subject
        union all select s.account_id from api.account_session s where s.elsewhere_sha256 = p_elsewhere and s.status = 'open')
    order by a.account_id for update;
    update api.account_session s set status = 'ended', ended_by = told
    where s.status = 'open' and s.how in ('provider', 'provider_with_factors')
        and (s.elsewhere_sha256 = p_elsewhere or (p_elsewhere is null or s.elsewhere_sha256 is null) and s.account_id in (
            select c.account_id from api.credential c where c.provider_id = p_provider and c.subject_sha256 = p_subject
                and c.status = 'in_force'));
    get diagnostics ended = row_count;
    return ended;
end $$;

create index account_session_elsewhere on api.account_session (elsewhere_sha256) where status = 'open';
grant select on api.sign_in_provider to access;
grant execute on function api.propose_provider(text, text, text, jsonb), api.grant_provider(text, text, text),
    api.end_provider(text, text, text, text), api.hear_logout(text, text, bytea, bytea, bytea) to access;
