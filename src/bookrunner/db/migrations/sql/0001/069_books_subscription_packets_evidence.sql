-- How signers were known: sealed, kept as long as their files, and erased by destroying keys. And the sheets of closings.

-- How a signer was known at its signature. Address, browser and session are sealed under a key of their own, which
-- erasure destroys; that there was evidence, by which method and when, stays. A session that shows one person signs an
-- agreement once: its digest, taken together with the agreement, stands beside the evidence until it is erased.
create table subscription.signing_evidence (
    offering_id text not null,
    evidence_id text not null,
    agreement_id text not null,
    party text not null,
    status text not null,
    method text not null constraint authentication_names_its_method check (method ~ '\S'),
    authenticated_at timestamptz,
    wrapped bytea,
    sealed bytea,
    session_sha256 bytea check (octet_length(session_sha256) = 32),
    erased_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, evidence_id),
    constraint signer_is_known_once unique (offering_id, agreement_id, party),
    constraint each_signer_is_known_by_itself unique (offering_id, agreement_id, session_sha256),
    foreign key (offering_id, agreement_id, party) references subscription.signed_file,
    constraint erased_evidence_is_gone check ((status = 'erased') = (wrapped is null) and (wrapped is null) = (sealed is null)
        and (status = 'kept' or session_sha256 is null)),
    constraint erased_evidence_says_why check ((status = 'erased') = coalesce(erased_because ~ '\S', false))
);

call audit.keep('subscription.signing_evidence', 'signing_evidence', 'evidence_id', 'offering_id', '{wrapped,sealed,session_sha256}');

-- Why the evidence of the signatures on an agreement may not be erased now, or null. It is kept as long as any file that
-- it speaks of, and its certificate comes first, since nothing else could make one.
create function subscription.evidence_kept_because(p_offering text, p_agreement text) returns text
language sql stable set search_path = pg_catalog, pg_temp
return coalesce((
    select subscription.rule 'certificate_comes_before_erasure' from subscription.certificate c
    where c.offering_id = p_offering and c.agreement_id = p_agreement and c.status = 'due'), (
    select min(subscription.kept_because(f.sha256)) from (
        select s.sha256 from subscription.signed_file s where s.offering_id = p_offering and s.agreement_id = p_agreement
        union
        select c.sha256 from subscription.certificate c where c.offering_id = p_offering and c.agreement_id = p_agreement) f));

create function subscription.evidence_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    kept text;
begin
    if (old.agreement_id, old.party, old.method, old.authenticated_at)
        is distinct from (new.agreement_id, new.party, new.method, new.authenticated_at)
        or (new.wrapped is not null and (old.wrapped, old.sealed, old.session_sha256)
            is distinct from (new.wrapped, new.sealed, new.session_sha256)) then
        raise exception using errcode = 'BR006', constraint = 'signing_evidence_is_unchangeable',
            message = format('how the %s of %s was known stands', old.party, old.agreement_id);
    end if;
    kept := subscription.evidence_kept_because(old.offering_id, old.agreement_id);
    if kept is not null then
        perform subscription.refuse(kept, format('the evidence of %s is kept', old.agreement_id));
    end if;
    return new;
end $$;

create trigger evidence_stands before update on subscription.signing_evidence
    for each row execute function subscription.evidence_stands();
alter table subscription.signing_evidence enable always trigger evidence_stands;

-- Destroys the keys under which it is sealed who signed an agreement from where, when nothing keeps that any more.
create function subscription.erase_evidence(p_actor text, p_request text, p_offering text, p_agreement text,
    p_because text) returns void
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    update subscription.signing_evidence set status = 'erased', wrapped = null, sealed = null, session_sha256 = null,
        erased_because = p_because
    where offering_id = p_offering and agreement_id = p_agreement and status = 'kept';
    if not found then
        perform subscription.refuse_missing('kept_evidence_exists', p_agreement);
    end if;
end $$;

-- The sealed sheet of a certified closing; the record that proves itself is the engine's.
create table subscription.closing_sheet (
    offering_id text not null,
    closing_id text not null,
    sha256 bytea not null references subscription.document,
    made_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, closing_id),
    foreign key (offering_id, closing_id) references engine.certificate
);
call audit.append_only('subscription.closing_sheet');

-- Keeps the sealed sheet of a certified closing; false when it was made before.
create function subscription.keep_closing_sheet(p_actor text, p_request text, p_offering text, p_closing text, p_content bytea)
returns boolean
language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
begin
    perform audit.enter(p_actor, p_request);
    perform 1 from engine.certificate c where c.offering_id = p_offering and c.closing_id = p_closing for update;
    if not found then
        perform subscription.refuse_missing('certificate_exists', p_closing);
    end if;
    if exists (select from subscription.closing_sheet s where s.offering_id = p_offering and s.closing_id = p_closing) then
        return false;
    end if;
    perform subscription.keep_bytes(p_content, 'application/pdf');
    perform subscription.classify(sha256(p_content), 'closing_decision');
    insert into subscription.closing_sheet (offering_id, closing_id, sha256) values (p_offering, p_closing, sha256(p_content));
    return true;
end $$;
