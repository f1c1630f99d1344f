-- The identity case: its verbs, what was used to verify, and differences that stand in the way.

-- The data that must be known before an account is opened (31 CFR 1023.220(a)(2)).
create table compliance.cip_element (
    kind text not null,
    element text not null,
    primary key (kind, element)
);

insert into compliance.cip_element
select k, e from unnest('{individual,joint,retirement,entity,trust,nominee}'::text[]) k,
    unnest('{name,birth_date,address,identification_number}'::text[]) e
where e <> 'birth_date' or k in ('individual', 'joint', 'retirement');
call audit.append_only('compliance.cip_element');

-- What an identity was verified from, as it was at that moment; a later address leaves it untouched.
create table compliance.identity_snapshot (
    investor_id text not null,
    snapshot_no integer not null check (snapshot_no > 0),
    verified_digest bytea not null,
    method text not null constraint identity_method_is_known
        check (method in ('documentary', 'non_documentary', 'provider')),
    elements text[] not null,
    documents text[] not null default '{}',
    sources text[] not null default '{}',
    evidence_sha256 bytea not null,
    sealed bytea,
    verified_by text not null,
    verified_at timestamptz not null default clock_timestamp(),
    primary key (investor_id, snapshot_no),
    constraint documentary_method_names_its_documents check (method <> 'documentary' or documents <> '{}'),
    constraint non_documentary_method_names_its_sources check (method <> 'non_documentary' or sources <> '{}')
);
call audit.append_only('compliance.identity_snapshot');

create table compliance.discrepancy (
    investor_id text not null,
    discrepancy_id text not null,
    element text not null,
    because text not null constraint discrepancy_says_what_differs check (because ~ '\S'),
    status text not null,
    decided_because text,
    opened_at timestamptz not null default clock_timestamp(),
    version bigint not null,
    chain_head bytea not null,
    primary key (investor_id, discrepancy_id),
    constraint decided_discrepancy_has_its_reason check ((status = 'open') = (decided_because is null))
);
call audit.keep('compliance.discrepancy', 'discrepancy', 'discrepancy_id', 'investor_id');

create function compliance.differs(p_investor text) returns boolean
language plpgsql stable set search_path = pg_catalog, pg_temp as $$
begin
    return exists (select from compliance.discrepancy d where d.investor_id = p_investor and d.status <> 'resolved');
end $$;

-- Opens the case of an investor; form is the legal form of an entity, which decides its papers.
create function compliance.open_case(p_actor text, p_request text, p_investor text, p_case text, p_kind text,
    p_form text default '') returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into compliance.kyc_case (investor_id, case_id, kind, form, status)
    values (p_investor, p_case, p_kind, p_form, 'new');
    perform compliance.rate(p_investor, jsonb_strip_nulls(jsonb_build_object('kind', p_kind, 'country', (
        select p.country from portal.profile_claim p where p.investor_id = p_investor))));
    update compliance.kyc_case set status = 'pending' where investor_id = p_investor;
    perform compliance.compute(p_investor);
end $$;

create function compliance.found_case(p_investor text) returns compliance.kyc_case
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    k compliance.kyc_case;
begin
    select * into k from compliance.kyc_case where investor_id = p_investor for update;
    if not found then
        raise exception using errcode = 'BR404', constraint = 'identity_case_exists',
            message = format('there is no identity case of %s', p_investor);
    end if;
    return k;
end $$;

create function compliance.keep_snapshot(p_investor text, p_digest bytea, p_evidence bytea, p_method text,
    p_said jsonb, p_actor text) returns void
language sql set search_path = pg_catalog, pg_temp
begin atomic
    insert into compliance.identity_snapshot (investor_id, snapshot_no, verified_digest, method, elements, documents,
        sources, evidence_sha256, sealed, verified_by)
    select p_investor, (select count(*) + 1 from compliance.identity_snapshot s where s.investor_id = p_investor),
        p_digest, p_method, array(select jsonb_array_elements_text(p_said -> 'elements')),
        array(select jsonb_array_elements_text(coalesce(p_said -> 'documents', '[]'))),
        array(select jsonb_array_elements_text(coalesce(p_said -> 'sources', '[]'))),
        p_evidence, decode(p_said ->> 'sealed', 'hex'), p_actor;
end;

-- Records what the identity provider found: outcome is approved, declined or in_review. The verified digest
-- names the very version of the profile that was verified. A decline after an approval, and an approval beside
-- an open discrepancy, wait for an officer; only an officer takes up what was declined or revoked.
create function compliance.record_identity(p_actor text, p_request text, p_investor text, p_outcome text,
    p_evidence_sha256 bytea, p_verified_digest bytea, p_valid_until timestamptz) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    k compliance.kyc_case;
    becomes text := p_outcome;
begin
    perform audit.enter(p_actor, p_request);
    if p_outcome not in ('approved', 'declined', 'in_review') then
        raise exception using errcode = 'BR008', constraint = 'identity_outcome_is_known',
            message = format('an identity outcome is approved, declined or in_review, not "%s"', p_outcome);
    end if;
    k := compliance.found_case(p_investor);
    if k.status in ('declined', 'revoked') then
        raise exception using errcode = 'BR002', constraint = 'refused_case_is_reopened_by_an_officer',
            message = format('the case of %s is %s', p_investor, k.status);
    end if;
    if k.status = 'expired' then
        update compliance.kyc_case set status = 'pending' where investor_id = p_investor;
    end if;
    if (k.status = 'approved' and p_outcome = 'declined') or (p_outcome = 'approved' and compliance.differs(p_investor)) then
        becomes := 'in_review';
    end if;
    update compliance.kyc_case as c set status = becomes, evidence_sha256 = p_evidence_sha256,
        valid_until = p_valid_until,
        decided_because = case when p_outcome = 'declined' then 'declined by ' || p_actor end,
        verified_digest = case when becomes = 'approved' then p_verified_digest else c.verified_digest end
    where c.investor_id = p_investor;
    if becomes = 'approved' then
        perform compliance.keep_snapshot(p_investor, p_verified_digest, p_evidence_sha256, 'provider',
            jsonb_build_object('sources', array[p_actor], 'elements', array(
                select e.element from compliance.cip_element e where e.kind = k.kind order by e.element)), p_actor);
    end if;
    perform compliance.compute(p_investor);
end $$;

-- An officer verifies an identity from documents or other sources. The verification names its method, the
-- elements it covers, the documents or sources, and may carry the sealed text of what was seen.
create function compliance.verify_identity(p_actor text, p_request text, p_investor text, p_seen bigint,
    p_verification jsonb) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    k compliance.kyc_case;
    open_elements text;
begin
    perform audit.enter(p_actor, p_request);
    k := compliance.found_case(p_investor);
    perform compliance.decide(p_actor, 'verified', array[p_investor, k.case_id], k.version, p_seen);
    select string_agg(e.element, ', ' order by e.element) into open_elements from compliance.cip_element e
    where e.kind = k.kind and not coalesce(p_verification -> 'elements', '[]') ? e.element;
    if open_elements is not null then
        raise exception using errcode = 'BR008', constraint = 'every_identity_element_is_verified',
            message = format('not verified: %s', open_elements);
    end if;
    if exists (select from jsonb_array_elements_text(coalesce(p_verification -> 'documents', '[]')) n (document_id)
        where not exists (select from compliance.document d where d.investor_id = p_investor
            and d.document_id = n.document_id and d.status = 'on_file' and coalesce(d.valid_until > clock_timestamp(), true))) then
        raise exception using errcode = 'BR008', constraint = 'verifying_documents_are_on_file',
            message = 'a document of the verification is not on file, or has expired';
    end if;
    if compliance.differs(p_investor) then
        raise exception using errcode = 'BR008', constraint = 'discrepancies_are_resolved',
            message = format('a discrepancy of %s is not resolved', p_investor);
    end if;
    update compliance.kyc_case set status = 'approved', decided_because = null,
        evidence_sha256 = decode(p_verification ->> 'evidence_sha256', 'hex'),
        verified_digest = decode(p_verification ->> 'verified_digest', 'hex'),
        valid_until = (p_verification ->> 'valid_until')::timestamptz
    where investor_id = p_investor returning * into k;
    perform compliance.keep_snapshot(p_investor, k.verified_digest, k.evidence_sha256, p_verification ->> 'method',
        p_verification, p_actor);
    perform compliance.compute(p_investor);
end $$;

-- An officer moves a case by hand: to review, to declined, or back from what ended it.
create function compliance.move_case(p_actor text, p_investor text, p_seen bigint, p_status text, p_because text) returns void
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    k compliance.kyc_case := compliance.found_case(p_investor);
begin
    perform compliance.decide(p_actor, p_because, array[p_investor, k.case_id], k.version, p_seen);
    update compliance.kyc_case set status = p_status, decided_because = p_because where investor_id = p_investor;
    perform compliance.compute(p_investor);
end $$;

create function compliance.review_case(p_actor text, p_request text, p_investor text, p_seen bigint, p_because text)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.move_case(p_actor, p_investor, p_seen, 'in_review', p_because);
end $$;

create function compliance.decline_case(p_actor text, p_request text, p_investor text, p_seen bigint, p_because text)
returns void language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.move_case(p_actor, p_investor, p_seen, 'declined', p_because);
end $$;

-- Begins a verification that has expired again.
create function compliance.submit_case(p_actor text, p_request text, p_investor text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.found_case(p_investor);
    update compliance.kyc_case set status = 'pending' where investor_id = p_investor;
    perform compliance.compute(p_investor);
end $$;

-- Takes a verification back. It waits for no version: a revocation always wins.
create function compliance.revoke_identity(p_actor text, p_request text, p_investor text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update compliance.kyc_case set status = 'revoked', decided_because = p_because where investor_id = p_investor;
    perform compliance.compute(p_investor);
end $$;

-- A verified profile was changed: the identity waits for an officer, and a new name or birth date is screened again.
create function compliance.verify_again(p_actor text, p_request text, p_investor text, p_touched text[]) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update compliance.kyc_case set status = 'in_review', decided_because = 'changed: ' || array_to_string(p_touched, ', ')
    where investor_id = p_investor and status = 'approved';
    if p_touched && array['legal_name', 'birth_date'] then
        insert into compliance.rescreening (source, list_version, subject_id, due_at)
        select w.source, w.list_version, p_investor, compliance.after_rule('house.rescreen_within', clock_timestamp())
        from compliance.watchlist w where w.status = 'active'
            and exists (select from compliance.screening s where s.subject_id = p_investor and s.source = w.source)
        on conflict (subject_id, source, list_version) do update
            set done_at = null, claimed_by = null, claimed_until = null, from_version = null, due_at = excluded.due_at;
    end if;
    perform compliance.compute(p_investor);
end $$;

create function compliance.open_discrepancy(p_actor text, p_request text, p_investor text, p_discrepancy text,
    p_element text, p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    insert into compliance.discrepancy (investor_id, discrepancy_id, element, because, status)
    values (p_investor, p_discrepancy, p_element, p_because, 'open');
    perform compliance.compute(p_investor);
end $$;

-- Resolved, the discrepancy is explained; upheld, it stays in the way until it is resolved after all.
create function compliance.decide_discrepancy(p_actor text, p_request text, p_investor text, p_discrepancy text,
    p_is_resolved boolean, p_because text, p_seen bigint) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform compliance.decide(p_actor, p_because, array[p_investor, p_discrepancy], (select version from compliance.discrepancy
        where investor_id = p_investor and discrepancy_id = p_discrepancy for update), p_seen);
    update compliance.discrepancy set decided_because = p_because,
        status = case when p_is_resolved then 'resolved' else 'upheld' end
    where investor_id = p_investor and discrepancy_id = p_discrepancy;
    perform compliance.compute(p_investor);
end $$;

-- What providers said of an investor, posted or asked for, in the words common to all; the sealed body is the evidence.
create table compliance.identity_report (
    investor_id text not null,
    provider text not null,
    message_id text not null,
    outcome text not null,
    occurred_at timestamptz not null,
    evidence_sha256 bytea not null,
    verified_digest bytea not null,
    asked_by text,
    is_news boolean not null,
    heard_at timestamptz not null default clock_timestamp(),
    primary key (investor_id, provider, message_id),
    constraint report_is_asked_for_by_a_person check (asked_by not like 'provider:%' and asked_by <> 'process')
);
call audit.append_only('compliance.identity_report');

-- Keeps what a provider said; false where it is older than what the same provider has said of the investor, or the same.
-- Messages overtake each other: an approval of yesterday does not undo the decline of today.
create function compliance.note_report(p_actor text, p_request text, p_investor text, p_report jsonb) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    told timestamptz := (p_report ->> 'occurred_at')::timestamptz;
    digest bytea := decode(p_report ->> 'verified_digest', 'hex');
    news boolean;
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from compliance.kyc_case where investor_id = p_investor for update;
    news := not exists (select from compliance.identity_report r where r.investor_id = p_investor
        and r.provider = p_report ->> 'provider' and (r.occurred_at > told
            or (r.occurred_at, r.outcome, r.verified_digest) = (told, p_report ->> 'outcome', digest)));
    insert into compliance.identity_report (investor_id, provider, message_id, outcome, occurred_at, evidence_sha256,
        verified_digest, asked_by, is_news)
    values (p_investor, p_report ->> 'provider', p_report ->> 'message', p_report ->> 'outcome', told,
        decode(p_report ->> 'evidence_sha256', 'hex'), digest,
        p_report ->> 'asked_by', news);
    return news;
end $$;

-- What the provider found, on its way in: recorded, or kept as a discrepancy where an officer has refused the
-- case. True where it was recorded.
create function compliance.hear_identity(p_actor text, p_request text, p_investor text, p_outcome text,
    p_evidence_sha256 bytea, p_verified_digest bytea, p_valid_until timestamptz, p_discrepancy text) returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    if (compliance.found_case(p_investor)).status in ('declined', 'revoked') then
        perform compliance.open_discrepancy(p_actor, p_request, p_investor, p_discrepancy, 'outcome',
            format('the provider says %s of a refused case', p_outcome));
        return false;
    end if;
    perform compliance.record_identity(p_actor, p_request, p_investor, p_outcome, p_evidence_sha256,
        p_verified_digest, p_valid_until);
    return true;
end $$;
