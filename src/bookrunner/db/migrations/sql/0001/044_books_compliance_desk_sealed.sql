-- Entries that nobody outside compliance may read. The chains that everybody reads hold a salted digest of each under an id
-- and an actor that say nothing; the content stands apart, each entry naming the digest of the one before.

create table compliance.sealed_entry (
    sealed_id text primary key,
    status text not null,
    commitment bytea not null constraint commitment_is_a_digest check (octet_length(commitment) = 32),
    version bigint not null,
    chain_head bytea not null
);
call audit.keep('compliance.sealed_entry', 'sealed_entry', 'sealed_id', 'sealed_id');

create table compliance.sealed_content (
    case_id text not null,
    entry_no integer not null check (entry_no > 0),
    sealed_id text not null unique,
    salt bytea not null,
    canonical text not null,
    commitment bytea not null,
    primary key (case_id, entry_no),
    constraint content_opens_its_commitment check (commitment = sha256(salt || convert_to(canonical, 'UTF8')))
);
call audit.append_only('compliance.sealed_content');

-- Writes the next entry of a case and its digest. Actor, request and cause of the writing are part of what is sealed, and
-- stand again afterwards.
create function compliance.seal(p_case text, p_kind text, p_told jsonb) returns bytea
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    actor text := current_setting('bookrunner.actor');
    request text := current_setting('bookrunner.request');
    cause text := current_setting('bookrunner.cause', true);
    named text := 'sld_' || replace(gen_random_uuid()::text, '-', '');
    before compliance.sealed_content;
    salt bytea := uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid());
    content text;
begin
    select * into before from compliance.sealed_content where case_id = p_case order by entry_no desc limit 1;
    content := audit.canonical(jsonb_build_object('case', p_case, 'entry', coalesce(before.entry_no, 0) + 1, 'kind', p_kind,
        'actor', actor, 'request', request, 'recorded_at', audit.instant(clock_timestamp()), 'told', p_told,
        'previous', coalesce(encode(before.commitment, 'hex'), '')));
    insert into compliance.sealed_content (case_id, entry_no, sealed_id, salt, canonical, commitment)
    values (p_case, coalesce(before.entry_no, 0) + 1, named, salt, content, sha256(salt || convert_to(content, 'UTF8')));
    perform audit.enter('compliance', named), audit.because(null);
    insert into compliance.sealed_entry (sealed_id, status, commitment)
    values (named, 'sealed', sha256(salt || convert_to(content, 'UTF8')));
    perform audit.enter(actor, request), audit.because(cause);
    return sha256(salt || convert_to(content, 'UTF8'));
end $$;
