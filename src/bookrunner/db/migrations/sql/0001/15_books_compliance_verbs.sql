-- The verbs of compliance. No verb sets a clearance: each records a check and has it computed again.

create function compliance.lacking(p_offering text, p_investor text) returns text[]
language sql stable set search_path = pg_catalog, pg_temp
return (
    select coalesce(array_agg(l.name order by l.ordinal), '{}') from (
        select 1 as ordinal, 'identity_is_verified' as name
        where not exists (select from compliance.kyc_case k where k.investor_id = p_investor
            and k.status = 'approved' and coalesce(k.valid_until > clock_timestamp(), true))
        union all
        select 2, 'beneficial_owners_are_verified'
        where exists (select from compliance.beneficial_owner o where o.investor_id = p_investor
            and o.status not in ('verified', 'former'))
        union all
        select 3, 'control_person_is_verified'
        where exists (select from compliance.kyc_case k where k.investor_id = p_investor
                and k.kind in ('entity', 'trust', 'nominee'))
            and not exists (select from compliance.beneficial_owner o where o.investor_id = p_investor
                and o.controls and o.status = 'verified')
        union all
        select 4, 'sanctions_are_screened'
        where not exists (select from compliance.screening s where s.subject_id = p_investor)
        union all
        select 5, 'sanctions_are_clear'
        where exists (select from compliance.screening s where s.subject_id = p_investor and s.status <> 'clear')
        union all
        select 6, 'accreditation_is_verified'
        where (select c.needs_accreditation from compliance.clearance c
                where c.offering_id = p_offering and c.investor_id = p_investor)
            and not exists (select from compliance.accreditation a where a.investor_id = p_investor
                and a.status = 'approved' and a.valid_until > clock_timestamp())
    ) as l);

-- Computes one clearance from its checks and tells the position; the revoking row is written before this runs.
create function compliance.compute_one(p_offering text, p_investor text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    missing text[];
    until_when timestamptz;
    verified bytea;
    c compliance.clearance;
begin
    perform 1 from engine.position where offering_id = p_offering and investor_id = p_investor
    order by investment_id for update;
    select * into c from compliance.clearance where offering_id = p_offering and investor_id = p_investor for update;
    missing := compliance.lacking(p_offering, p_investor);
    select least(k.valid_until, a.valid_until), k.verified_digest into until_when, verified
    from compliance.kyc_case k left join compliance.accreditation a using (investor_id)
    where k.investor_id = p_investor;
    if c.lacks = missing and (c.valid_until, c.verified_digest) is not distinct from (until_when, verified) then
        return;
    end if;
    update compliance.clearance set
        status = case when missing = '{}' then 'clear' when c.status = 'clear' then 'reopened' else c.status end,
        lacks = missing, valid_until = until_when, verified_digest = verified
    where offering_id = p_offering and clearance_id = c.clearance_id returning * into c;
    update engine.position as pos set
        investor_is_cleared = c.status = 'clear', verified_digest = c.verified_digest, cleared_until = c.valid_until, clearance_lacks = c.lacks,
        clearance_since = case when pos.investor_is_cleared = (c.status = 'clear') then pos.clearance_since
            else clock_timestamp() end,
        clearance_fact = c.clearance_id || '@' || c.version, clearance_hash = c.chain_head
    where pos.offering_id = p_offering and pos.investor_id = p_investor;
end $$;

-- What a new position starts with; waits for a decision that is under way.
create function compliance.clearance_says(p_offering text, p_investor text) returns setof compliance.clearance
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    perform 1 from compliance.clearance where offering_id = p_offering and investor_id = p_investor for share;
    return query select * from compliance.clearance where offering_id = p_offering and investor_id = p_investor;
end $$;

create function compliance.compute(p_investor text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    o text;
begin
    for o in select offering_id from compliance.clearance where investor_id = p_investor order by offering_id loop
        perform compliance.compute_one(o, p_investor);
    end loop;
end $$;

-- Opens the clearance of an investor for an offer and computes it.
create function compliance.open_clearance(p_actor text, p_request text, p_offering text, p_clearance text,
    p_investor text, p_needs_accreditation boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into compliance.clearance (offering_id, clearance_id, investor_id, status, needs_accreditation, lacks)
    values (p_offering, p_clearance, p_investor, 'open', p_needs_accreditation, '{clearance_is_computed}');
    perform compliance.compute_one(p_offering, p_investor);
end $$;

create function compliance.compute_again(p_actor text, p_request text, p_investor text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.compute(p_investor);
end $$;

create function compliance.open_case(p_actor text, p_request text, p_investor text, p_case text, p_kind text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into compliance.kyc_case (investor_id, case_id, kind, status) values (p_investor, p_case, p_kind, 'new');
    update compliance.kyc_case set status = 'pending' where investor_id = p_investor;
    perform compliance.compute(p_investor);
end $$;

-- Records what the identity provider found: outcome is approved, declined or in_review. The verified digest
-- names the very version of the profile that was verified.
create function compliance.record_identity(p_actor text, p_request text, p_investor text, p_outcome text,
    p_evidence_sha256 bytea, p_verified_digest bytea, p_valid_until timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if p_outcome not in ('approved', 'declined', 'in_review') then
        raise exception using errcode = 'BR008', constraint = 'identity_outcome_is_known',
            message = format('an identity outcome is approved, declined or in_review, not "%s"', p_outcome);
    end if;
    update compliance.kyc_case as k set status = p_outcome, evidence_sha256 = p_evidence_sha256,
        valid_until = p_valid_until,
        verified_digest = case when p_outcome = 'approved' then p_verified_digest else k.verified_digest end
    where k.investor_id = p_investor;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'identity_case_exists',
            message = format('there is no identity case of %s', p_investor);
    end if;
    perform compliance.compute(p_investor);
end $$;

create function compliance.revoke_identity(p_actor text, p_request text, p_investor text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update compliance.kyc_case set status = 'revoked', decided_because = p_because where investor_id = p_investor;
    perform compliance.compute(p_investor);
end $$;

-- Names an owner behind an entity. Without evidence of who it is, the owner stands as unidentified.
create function compliance.declare_owner(p_actor text, p_request text, p_investor text, p_owner text,
    p_share_bp integer, p_controls boolean, p_is_identified boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into compliance.beneficial_owner (investor_id, owner_id, status, share_bp, controls)
    values (p_investor, p_owner, case when p_is_identified then 'identified' else 'unidentified' end,
        p_share_bp, p_controls);
    if (select sum(share_bp) from compliance.beneficial_owner
        where investor_id = p_investor and status <> 'former') > 10000 then
        raise exception using errcode = 'BR008', constraint = 'owners_hold_at_most_the_whole',
            message = format('the owners of %s would hold more than the whole', p_investor);
    end if;
    perform compliance.compute(p_investor);
end $$;

create function compliance.verify_owner(p_actor text, p_request text, p_investor text, p_owner text,
    p_evidence_sha256 bytea) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update compliance.beneficial_owner set status = 'identified'
    where investor_id = p_investor and owner_id = p_owner and status = 'unidentified';
    update compliance.beneficial_owner set status = 'verified', evidence_sha256 = p_evidence_sha256
    where investor_id = p_investor and owner_id = p_owner and status = 'identified';
    if not found then
        raise exception using errcode = 'BR404', constraint = 'owner_waits_for_verification',
            message = format('no owner %s of %s waits for verification', p_owner, p_investor);
    end if;
    perform compliance.compute(p_investor);
end $$;

create function compliance.record_screening(p_actor text, p_request text, p_subject text, p_screening text,
    p_list_version text, p_matched text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into compliance.screening (subject_id, screening_id, status, list_version, matched)
    values (p_subject, p_screening, case when p_matched is null then 'clear' else 'possible_match' end,
        p_list_version, p_matched);
    perform compliance.compute(p_subject);
end $$;

create function compliance.decide_hit(p_actor text, p_request text, p_subject text, p_screening text,
    p_is_match boolean) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update compliance.screening set status = case when p_is_match then 'confirmed_match' else 'clear' end
    where subject_id = p_subject and screening_id = p_screening;
    perform compliance.compute(p_subject);
end $$;

create function compliance.record_accreditation(p_actor text, p_request text, p_investor text,
    p_accreditation text, p_method text, p_evidence_sha256 bytea, p_valid_until timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if not exists (select from compliance.accreditation where investor_id = p_investor) then
        insert into compliance.accreditation (investor_id, accreditation_id, status)
        values (p_investor, p_accreditation, 'new');
    end if;
    update compliance.accreditation set status = 'pending' where investor_id = p_investor;
    update compliance.accreditation set status = 'approved', method = p_method,
        evidence_sha256 = p_evidence_sha256, valid_until = p_valid_until where investor_id = p_investor;
    perform compliance.compute(p_investor);
end $$;

create function compliance.end_accreditation(p_actor text, p_request text, p_investor text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update compliance.accreditation set status = 'expired' where investor_id = p_investor;
    perform compliance.compute(p_investor);
end $$;
