-- What a packet is made of: approved templates, what investors state, files, reviews and who signed.

create table subscription.template (
    template_id text primary key constraint template_is_named_with_its_version
        check (template_id ~ '^[a-z_]{1,60}/[0-9]+\.[0-9]+\.[0-9]+$'),
    sha256 bytea not null check (octet_length(sha256) = 32),
    engine_version text not null,
    author text not null,
    status text not null,
    approved_by text,
    version bigint not null,
    chain_head bytea not null,
    constraint template_approver_is_not_its_author check (audit.person_of(approved_by) is distinct from audit.person_of(author)),
    constraint approved_template_names_its_approver check (status <> 'approved' or approved_by is not null)
);

-- Which template the agreements of an offer are made from, and how the issuer stands in them; the last one counts.
create table subscription.packet_form (
    offering_id text not null,
    ordinal integer not null check (ordinal > 0),
    template_id text not null references subscription.template,
    issuer_name text not null constraint issuer_is_named check (issuer_name ~ '\S'),
    jurisdiction text not null constraint jurisdiction_is_named check (jurisdiction ~ '\S'),
    security text not null constraint security_is_named check (security ~ '\S'),
    records_contact text not null constraint records_contact_is_named check (records_contact ~ '\S'),
    paper_fee text not null constraint fee_of_paper_is_stated check (paper_fee ~ '\S'),
    named_by text not null,
    named_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, ordinal)
);

create table subscription.signatory (
    offering_id text not null,
    signatory_id text not null,
    name text not null constraint signatory_is_named check (name ~ '\S'),
    capacity text not null constraint signatory_has_a_capacity check (capacity ~ '\S'),
    authority text not null constraint signatory_has_an_authority check (authority ~ '\S'),
    authority_sha256 bytea not null references subscription.document,
    status text not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, signatory_id)
);

-- What an investor states for its packet. The text stays out of the events, which hold its digest.
create table subscription.particular (
    offering_id text not null,
    particular_id text not null,
    investment_id text not null,
    kind text not null constraint particular_kind_is_known
        check (kind in ('records_consent', 'tax_form', 'authority', 'ownership')),
    status text not null,
    detail jsonb not null,
    detail_sha256 bytea not null,
    stated_by text not null,
    stated_at timestamptz not null default clock_timestamp(),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, particular_id),
    constraint particular_has_the_digest_of_its_text check (detail_sha256 = sha256(convert_to(detail::text, 'UTF8'))),
    constraint consent_shows_that_the_format_opens check (kind <> 'records_consent'
        or detail ?& '{version,sha256,format_opened_at,sample}'),
    constraint tax_form_is_of_a_known_kind check (kind <> 'tax_form'
        or coalesce(detail ->> 'form' in ('W-9', 'W-8BEN', 'W-8BEN-E'), false)),
    constraint authority_lists_one_to_ten_signers check (kind <> 'authority' or case
        when jsonb_typeof(detail -> 'signers') = 'array' then jsonb_array_length(detail -> 'signers') between 1 and 10
        else false end),
    constraint authority_names_signer_capacity_and_source check (kind <> 'authority'
        or jsonb_array_length(jsonb_path_query_array(detail, '$.signers[*] ? (@.name like_regex "\\S"
            && @.capacity like_regex "\\S" && @.authority like_regex "\\S")'))
        = jsonb_array_length(jsonb_path_query_array(detail, '$.signers[*]'))),
    constraint authority_has_the_signers_it_requires check (kind <> 'authority' or case
        when jsonb_typeof(detail -> 'required') = 'number' then (detail ->> 'required')::numeric
            between 1 and greatest(1, jsonb_array_length(jsonb_path_query_array(detail, '$.signers[*]')))
        else false end),
    constraint ownership_lists_one_to_twenty_owners check (kind <> 'ownership' or case
        when jsonb_typeof(detail -> 'owners') = 'array' then jsonb_array_length(detail -> 'owners') between 1 and 20
        else false end)
);

create unique index one_particular_of_a_kind_is_in_force on subscription.particular (offering_id, investment_id, kind)
    where status = 'stated';

-- An investor's request for its agreement: every item acknowledged, every particular stated.
create table subscription.application (
    offering_id text not null,
    application_id text not null,
    investment_id text not null,
    status text not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, application_id)
);

create unique index one_application_is_in_force on subscription.application (offering_id, investment_id)
    where status = 'submitted';

-- How the rendered file of an agreement was made.
create table subscription.packet (
    offering_id text not null,
    agreement_id text not null,
    application_id text not null,
    template_id text not null references subscription.template,
    template_sha256 bytea not null,
    engine_version text not null,
    data_sha256 bytea not null references subscription.document,
    reference text not null constraint payment_reference_is_short check (reference ~ '^[A-Z0-9]{4,35}$'),
    offer_version bigint not null,
    profile_version integer not null,
    pages integer not null constraint packet_has_pages check (pages > 0),
    boxes jsonb not null,
    primary key (offering_id, agreement_id),
    foreign key (offering_id, agreement_id) references subscription.agreement,
    foreign key (offering_id, application_id) references subscription.application
);

-- The file after one party's signature, with our verdict on its bytes. A party is a field of the packet: the issuer's,
-- or one of the investor's, of whom there are as many as sign for it.
create table subscription.signed_file (
    offering_id text not null,
    agreement_id text not null,
    party text not null check (party ~ '^(issuer|investor(_([2-9]|10))?)$'),
    sha256 bytea not null references subscription.document,
    signer text not null,
    name text not null,
    capacity text not null,
    intent text not null constraint signature_states_its_intent check (intent ~ '\S'),
    serial text not null constraint certificate_serial_is_hexadecimal check (serial ~ '^[0-9a-f]{1,40}$'),
    verdict jsonb not null,
    recorded_by text not null,
    signed_at timestamptz not null default clock_timestamp(),
    ordinal integer not null,
    primary key (offering_id, agreement_id, party),
    constraint signatures_of_a_packet_are_numbered unique (offering_id, agreement_id, ordinal),
    foreign key (offering_id, agreement_id) references subscription.packet,
    constraint verdict_is_on_the_stored_bytes check (coalesce(verdict ->> 'sha256' = encode(sha256, 'hex'), false)),
    constraint verdict_has_no_failure check (coalesce(verdict -> 'failures' = '[]', false))
);

-- A caller names an agreement by its id alone.
create index agreement_by_id on subscription.agreement (agreement_id);

-- A packet that an e-sign provider carries, and the officer whom it will ask.
create table subscription.envelope (
    offering_id text not null,
    agreement_id text not null,
    provider text not null,
    ref text not null,
    signatory_id text not null,
    opened_at timestamptz not null default clock_timestamp(),
    constraint packet_is_handed_over_once primary key (offering_id, agreement_id),
    constraint envelope_has_one_reference unique (provider, ref),
    foreign key (offering_id, agreement_id) references subscription.packet,
    foreign key (offering_id, signatory_id) references subscription.signatory
);

create table subscription.review (
    offering_id text not null,
    review_id text not null,
    agreement_id text not null,
    status text not null,
    reviewer text not null,
    signed_sha256 bytea not null references subscription.document,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, review_id),
    constraint packet_is_reviewed_once unique (offering_id, agreement_id),
    foreign key (offering_id, agreement_id) references subscription.packet
);

create table subscription.deficiency (
    offering_id text not null,
    deficiency_id text not null,
    agreement_id text,
    investment_id text not null,
    status text not null,
    page integer constraint deficiency_names_a_page check (page > 0),
    field text not null constraint deficiency_names_its_field check (field ~ '\S'),
    reason text not null constraint deficiency_reason_is_known
        check (reason in ('missing', 'illegible', 'inconsistent', 'name_differs', 'capacity', 'expired', 'other', 'not_rendered')),
    words text not null constraint deficiency_is_said_in_words check (words ~ '\S'),
    answer text constraint deficiency_is_answered_in_words check (answer ~ '\S'),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, deficiency_id),
    foreign key (offering_id, agreement_id) references subscription.packet,
    constraint deficiency_is_of_a_page_unless_none_was_made check ((reason = 'not_rendered') = (page is null)
        and (page is null) = (agreement_id is null)),
    constraint answered_deficiency_has_its_answer check ((status = 'open') = (answer is null))
);

call audit.keep('subscription.template', 'template', 'template_id', 'template_id');
call audit.keep('subscription.signatory', 'signatory', 'signatory_id', 'offering_id');
call audit.keep('subscription.particular', 'particular', 'particular_id', 'offering_id', '{detail}');
call audit.keep('subscription.application', 'application', 'application_id', 'offering_id');
call audit.keep('subscription.review', 'packet_review', 'review_id', 'offering_id');
call audit.keep('subscription.deficiency', 'deficiency', 'deficiency_id', 'offering_id', '{words,answer}');
call audit.append_only('subscription.packet_form');
call audit.append_only('subscription.packet');
call audit.append_only('subscription.signed_file');
call audit.append_only('subscription.envelope');

create function subscription.template_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (old.sha256, old.engine_version, old.author) is distinct from (new.sha256, new.engine_version, new.author)
        or (old.approved_by is not null and old.approved_by is distinct from new.approved_by) then
        raise exception using errcode = 'BR006', constraint = 'template_version_is_unchangeable',
            message = format('%s stands; a change is a new version', old.template_id);
    end if;
    return new;
end $$;

create trigger template_stands before update on subscription.template
    for each row execute function subscription.template_stands();
alter table subscription.template enable always trigger template_stands;

-- A packet comes from an approved template, whose files are those that were approved.
create function subscription.packet_is_made() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if not exists (select from subscription.template t where t.template_id = new.template_id
        and t.status = 'approved' and t.sha256 = new.template_sha256 and t.engine_version = new.engine_version) then
        raise exception using errcode = 'BR008', constraint = 'template_is_approved',
            message = format('%s is not approved with these files and this engine', new.template_id);
    end if;
    return new;
end $$;

create trigger packet_is_made before insert on subscription.packet
    for each row execute function subscription.packet_is_made();
alter table subscription.packet enable always trigger packet_is_made;

-- The investor's fields of a packet that still wait for a signature.
create function subscription.unsigned(p_offering text, p_agreement text) returns text[]
language sql stable set search_path = pg_catalog, pg_temp
return array(
    select field from subscription.packet p cross join jsonb_object_keys(p.boxes) field
    where p.offering_id = p_offering and p.agreement_id = p_agreement and field <> 'issuer'
        and not exists (select from subscription.signed_file s
            where s.offering_id = p_offering and s.agreement_id = p_agreement and s.party = field)
    order by field);

-- Each signature adds to the bytes before it, the rendered ones first; those of the investor come before the issuer's.
create function subscription.file_is_continued() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
declare
    earlier bytea;
    later bytea;
begin
    if not exists (select from subscription.packet p where p.offering_id = new.offering_id
        and p.agreement_id = new.agreement_id and p.boxes ? new.party) then
        perform subscription.refuse('signer_is_a_party_of_the_packet',
            format('%s has no field %s', new.agreement_id, new.party));
    end if;
    if new.party = 'issuer' and subscription.unsigned(new.offering_id, new.agreement_id) <> '{}'
        or exists (select from subscription.signed_file s where s.offering_id = new.offering_id
            and s.agreement_id = new.agreement_id and s.party = 'issuer') then
        perform subscription.refuse('issuer_signs_last', format('%s signs %s out of turn', new.party, new.agreement_id));
    end if;
    new.ordinal := (select 1 + count(*) from subscription.signed_file s
        where s.offering_id = new.offering_id and s.agreement_id = new.agreement_id);
    select d.content into earlier from subscription.agreement a
    left join subscription.signed_file s on s.offering_id = a.offering_id and s.agreement_id = a.agreement_id
        and s.ordinal = new.ordinal - 1
    join subscription.document d on d.sha256 = coalesce(s.sha256, a.document_sha256)
    where a.offering_id = new.offering_id and a.agreement_id = new.agreement_id;
    select d.content into later from subscription.document d where d.sha256 = new.sha256;
    if coalesce(octet_length(later) <= octet_length(earlier)
        or substr(later, 1, octet_length(earlier)) <> earlier, true) then
        raise exception using errcode = 'BR008', constraint = 'signed_file_continues_the_file_before_it',
            message = format('the file signed by the %s does not begin with the one before it', new.party);
    end if;
    return new;
end $$;

create trigger file_is_continued before insert on subscription.signed_file
    for each row execute function subscription.file_is_continued();
alter table subscription.signed_file enable always trigger file_is_continued;

create view subscription.application_fact as
select offering_id, application_id, investment_id, status, version, chain_head from subscription.application;

create view subscription.particular_fact as
select offering_id, particular_id, investment_id, kind, status, version, chain_head from subscription.particular;

-- The tax form in force of an investment, without name and number.
create view subscription.tax_form_fact as
select offering_id, investment_id, particular_id, detail ->> 'form' as form, coalesce((detail ->> 'backup_withholding')::boolean, false)
    as is_backup_withheld, case when coalesce(detail ->> 'treaty', '') ~ '\S' then detail ->> 'country' end as treaty_country, stated_at
from subscription.particular where kind = 'tax_form' and status = 'stated';

create view subscription.packet_form_in_force as
select distinct on (f.offering_id) f.offering_id, f.template_id, f.issuer_name, f.jurisdiction, f.security,
    f.records_contact, f.paper_fee, t.status,
    t.sha256, t.engine_version, f.ordinal
from subscription.packet_form f join subscription.template t using (template_id)
order by f.offering_id, f.ordinal desc;

create view subscription.packet_fact as
select p.offering_id, p.agreement_id, a.investment_id, p.template_id, p.data_sha256, p.reference, p.pages,
    array(select jsonb_object_keys(p.boxes) order by 1) as parties
from subscription.packet p join subscription.agreement a using (offering_id, agreement_id);

create view subscription.signed_file_fact as
select offering_id, agreement_id, party, sha256, signer, serial, signed_at, ordinal from subscription.signed_file;

create view subscription.review_fact as
select offering_id, review_id, agreement_id, status, reviewer, signed_sha256, version, chain_head
from subscription.review;

-- What is said of a person in words stays in the book.
create view subscription.deficiency_fact as
select offering_id, deficiency_id, agreement_id, investment_id, status, page, field, reason, version
from subscription.deficiency;
