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

-- Ends a provider, what was linked of it, and every session that it opened. The accounts are held first, in one order and before
-- their credentials as everywhere: a session that goes on under another token meanwhile ends under its new one.
create function api.end_provider(p_actor text, p_request text, p_provider text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
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

grant select on api.sign_in_provider to access;
grant execute on function api.propose_provider(text, text, text, jsonb), api.grant_provider(text, text, text),
    api.end_provider(text, text, text, text) to access;
