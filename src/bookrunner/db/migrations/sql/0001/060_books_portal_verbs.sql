-- The verbs of the investor portal.

-- Tells every position of an investor what the portal says of the profile now.
create function portal.publish(p_investor text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update engine.position as pos set
        profile_is_complete = p.status = 'complete',
        profile_since = case when pos.profile_is_complete = (p.status = 'complete') then pos.profile_since
            else clock_timestamp() end,
        profile_digest = p.detail_digest,
        profile_fact = p.investor_id || '@' || p.version,
        profile_hash = p.chain_head
    from portal.profile p
    where p.investor_id = p_investor and pos.investor_id = p_investor;
end $$;

-- What a new position starts with; waits for a change of the profile that is under way.
create function portal.profile_says(p_investor text) returns setof portal.profile
language plpgsql rows 1 set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from portal.profile where investor_id = p_investor for share;
    return query select * from portal.profile where investor_id = p_investor;
end $$;

-- Keeps an investor's word that the payment under a reference was sent; it moves nothing.
create function portal.say_sent(p_actor text, p_request text, p_offering text, p_investment text, p_reference text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if not exists (select from treasury.attempt_fact a where a.offering_id = p_offering and a.investment_id = p_investment
        and a.reference = p_reference) then
        raise exception using errcode = 'BR008', constraint = 'sent_note_is_of_a_payment',
            message = format('%s was asked for no such payment', p_investment);
    end if;
    insert into portal.sent_note (offering_id, investment_id, reference, said_by)
    values (p_offering, p_investment, p_reference, p_actor) on conflict do nothing;
end $$;

-- Keeps the currency that an investor will pay in: one that the offer takes, or its own, until the investment is confirmed.
create function portal.choose_currency(p_actor text, p_request text, p_offering text, p_investment text, p_currency text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    i engine.investment;
begin
    perform audit.enter(p_actor, p_request);
    select * into i from engine.investment x where x.offering_id = p_offering and x.investment_id = p_investment for update;
    if i.status is distinct from 'new' then
        raise exception using errcode = 'BR008', constraint = 'currency_is_chosen_before_confirming',
            message = format('%s is confirmed, or unknown', p_investment);
    end if;
    if p_currency <> i.currency and not exists (select from treasury.taken_currency t
        where t.offering_id = p_offering and t.currency = p_currency) then
        raise exception using errcode = 'BR008', constraint = 'currency_is_taken_by_the_offer',
            message = format('%s does not take %s', p_offering, p_currency);
    end if;
    insert into portal.currency_choice (offering_id, investment_id, choice_no, currency, said_by)
    select p_offering, p_investment, 1 + count(*), p_currency, p_actor from portal.currency_choice c
    where c.offering_id = p_offering and c.investment_id = p_investment;
end $$;

create function portal.record_detail(p_investor text, p_version integer, p_detail jsonb) returns bytea
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    p_salt bytea := uuid_send(gen_random_uuid());
    digest bytea := sha256(p_salt || convert_to(audit.canonical(p_detail), 'UTF8'));
begin
    if p_detail ?| array['tax_id', 'birth_date'] then
        raise exception using errcode = 'BR008', constraint = 'personal_numbers_are_sealed',
            message = 'tax id and birth date are sealed before they reach the database';
    end if;
    insert into portal.profile_detail (investor_id, detail_version, salt, detail_digest, legal_name, country, address,
        sealed, tax_id_blind, birth_date_blind, email, representative, lei)
    values (p_investor, p_version, p_salt, digest, p_detail ->> 'legal_name', p_detail ->> 'country', p_detail ->> 'address',
        decode(p_detail ->> 'sealed', 'hex'), decode(p_detail ->> 'tax_id_blind', 'hex'),
        decode(p_detail ->> 'birth_date_blind', 'hex'), p_detail ->> 'email', p_detail ->> 'representative', p_detail ->> 'lei');
    return digest;
end $$;

-- The fields of a version that differ from another and that a verification covers.
create function portal.touched(p_investor text, p_before integer, p_after integer) returns text[]
language sql stable set search_path = pg_catalog, pg_temp
return (select array_remove(array[
        case when b.legal_name <> a.legal_name then 'legal_name' end,
        case when b.birth_date_blind is distinct from a.birth_date_blind then 'birth_date' end,
        case when b.tax_id_blind <> a.tax_id_blind then 'tax_id' end,
        case when b.lei is distinct from a.lei then 'lei' end,
        case when (b.address, b.country) <> (a.address, a.country) then 'address' end], null)
    from portal.profile_detail b, portal.profile_detail a
    where b.investor_id = p_investor and b.detail_version = p_before
        and a.investor_id = p_investor and a.detail_version = p_after);

-- Writes a version and makes it the one that counts.
create function portal.put_version(p_investor text, p_version integer, p_detail jsonb) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    update portal.profile set status = 'complete', detail_version = p_version,
        detail_digest = portal.record_detail(p_investor, p_version, p_detail)
    where investor_id = p_investor;
    perform portal.publish(p_investor);
end $$;

-- Opens a profile; detail holds legal_name, country, address, email, the sealed tax id and birth date with their
-- blind indexes and, for entities, representative and LEI.
create function portal.open_profile(p_actor text, p_request text, p_investor text, p_account text, p_kind text,
    p_detail jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    no_digest constant bytea := decode(repeat('00', 32), 'hex');
begin
    perform audit.enter(p_actor, p_request);
    insert into portal.profile (investor_id, account_id, kind, status, detail_version, detail_digest)
    values (p_investor, p_account, p_kind, 'draft', 1, no_digest);
    update portal.profile set status = 'complete', detail_digest = portal.record_detail(p_investor, 1, p_detail)
    where investor_id = p_investor;
    if p_kind in ('entity', 'trust', 'nominee') and coalesce(p_detail ->> 'representative', '') = '' then
        raise exception using errcode = 'BR008', constraint = 'entity_names_its_representative',
            message = 'an entity, trust or nominee names the person who acts for it';
    end if;
    perform portal.publish(p_investor);
end $$;

-- Holds a profile for a change that was made on the version that its person saw.
create function portal.hold_profile(p_actor text, p_request text, p_investor text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    stands bigint;
begin
    perform audit.enter(p_actor, p_request);
    select version into stands from portal.profile where investor_id = p_investor for update;
    if stands is distinct from p_seen then
        raise exception using errcode = 'BR412', constraint = 'version_is_the_one_that_was_seen',
            message = format('the profile is at version %s; look at what it says now', coalesce(stands, 0));
    end if;
end $$;

-- A new version of the details; the earlier versions stay readable. What was verified changes by request only.
create function portal.amend_profile(p_actor text, p_request text, p_investor text, p_detail jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    next_version integer;
begin
    perform audit.enter(p_actor, p_request);
    select detail_version + 1 into next_version from portal.profile where investor_id = p_investor for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'profile_exists',
            message = format('there is no profile %s', p_investor);
    end if;
    perform portal.put_version(p_investor, next_version, p_detail);
    if portal.touched(p_investor, next_version - 1, next_version) <> '{}'
        and engine.profile_is_verified(p_investor, next_version - 1) then
        raise exception using errcode = 'BR006', constraint = 'verified_fields_are_locked',
            message = format('locked as verified: %s', array_to_string(
                portal.touched(p_investor, next_version - 1, next_version), ', '));
    end if;
end $$;

create function portal.require_correction(p_actor text, p_request text, p_investor text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update portal.profile set status = 'correction_required' where investor_id = p_investor;
    perform portal.publish(p_investor);
end $$;

-- Keeps what a wallet is asked to sign, before anybody is shown it.
create function portal.issue_challenge(p_actor text, p_request text, p_offering text, p_challenge text, p_investor text,
    p_asked jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into portal.wallet_challenge (offering_id, challenge_id, investor_id, status, chain_id, address, nonce, message,
        issued_at, expires_at)
    values (p_offering, p_challenge, p_investor, 'issued', (p_asked ->> 'chain_id')::bigint, decode(p_asked ->> 'address', 'hex'),
        p_asked ->> 'nonce', p_asked ->> 'message', (p_asked ->> 'issued_at')::timestamptz, (p_asked ->> 'expires_at')::timestamptz);
end $$;

-- Records a wallet whose proof of control the adapter has verified; the challenge serves this once. Controller is who holds its
-- key: the holder, a custodian that is named, or the platform.
create function portal.claim_wallet(p_actor text, p_request text, p_offering text, p_claim text, p_investor text,
    p_challenge text, p_signature bytea, p_proof_kind text, p_witness jsonb, p_controller text default 'holder',
    p_custodian text default null) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    c portal.wallet_challenge;
begin
    perform audit.enter(p_actor, p_request);
    select * into c from portal.wallet_challenge where offering_id = p_offering and challenge_id = p_challenge for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'challenge_exists',
            message = format('there is no challenge %s in %s', p_challenge, p_offering);
    end if;
    if c.investor_id <> p_investor then
        raise exception using errcode = 'BR008', constraint = 'challenge_names_investor_and_offer',
            message = 'the challenge was made for another investor';
    end if;
    if c.status <> 'issued' then
        raise exception using errcode = 'BR008', constraint = 'one_proof_serves_once',
            message = 'the challenge was answered before';
    end if;
    if clock_timestamp() >= c.expires_at then
        raise exception using errcode = 'BR008', constraint = 'challenge_has_not_expired',
            message = 'the challenge has expired; ask for a new one';
    end if;
    update portal.wallet_challenge set status = 'answered' where offering_id = p_offering and challenge_id = p_challenge;
    insert into portal.wallet_claim (offering_id, claim_id, investor_id, status, challenge_id, chain_id, address, signature,
        proof_kind, witness, controller, custodian_id)
    values (p_offering, p_claim, p_investor, 'claimed', p_challenge, c.chain_id, c.address, p_signature, p_proof_kind, p_witness,
        p_controller, p_custodian);
end $$;
