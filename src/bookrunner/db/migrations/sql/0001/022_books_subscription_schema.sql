-- The subscription book: what was received and acknowledged, agreements, signatures, approved units.

create schema subscription;

create table subscription.document (
    sha256 bytea primary key check (sha256 = sha256(content)),
    media_type text not null,
    content bytea constraint archived_document_fits_the_limit check (octet_length(content) between 1 and 16777216),
    archived_at timestamptz not null default clock_timestamp(),
    erased_because text constraint erasure_says_why check (erased_because ~ '\S'),
    constraint document_has_its_bytes_or_was_erased check ((content is null) = (erased_because is not null))
);
-- Signed files are compressed already, and each is compared with the beginning of the next.
alter table subscription.document alter column content set storage external;

-- What an investor has to receive, acknowledge or represent before signing, one row per item and version.
create table subscription.requirement (
    offering_id text not null,
    kind text not null check (kind in ('material', 'risk', 'representation')),
    code text not null,
    item_version integer not null check (item_version > 0),
    document_sha256 bytea not null references subscription.document,
    sentence text not null,
    in_force_since timestamptz not null default clock_timestamp(),
    primary key (offering_id, kind, code, item_version)
);

create table subscription.acknowledgment (
    offering_id text not null,
    acknowledgment_id text not null,
    investment_id text not null,
    kind text not null,
    code text not null,
    item_version integer not null,
    status text not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, acknowledgment_id),
    constraint each_item_is_acknowledged_once unique (offering_id, investment_id, kind, code, item_version),
    constraint acknowledged_item_is_required foreign key (offering_id, kind, code, item_version)
        references subscription.requirement
);

create table subscription.agreement (
    offering_id text not null,
    agreement_id text not null,
    investment_id text not null,
    ordinal integer not null check (ordinal > 0),
    status text not null,
    units bigint not null check (units > 0),
    amount_minor bigint not null check (amount_minor > 0),
    profile_digest bytea not null,
    document_sha256 bytea not null references subscription.document,
    signed_sha256 bytea references subscription.document,
    executed_sha256 bytea,
    void_because text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, agreement_id),
    constraint agreements_of_an_investment_are_numbered unique (offering_id, investment_id, ordinal),
    constraint executed_agreement_has_its_hash check (status <> 'countersigned' or executed_sha256 is not null),
    constraint voided_for_a_reason check (status <> 'voided' or void_because is not null)
);

create unique index one_agreement_is_in_force on subscription.agreement (offering_id, investment_id)
    where status in ('draft', 'sent', 'investor_signed', 'countersigned');

create table subscription.signature (
    offering_id text not null,
    agreement_id text not null,
    party text not null check (party in ('investor', 'issuer')),
    signer text not null,
    capacity text not null,
    intent text not null,
    signed_sha256 bytea not null,
    public_key bytea not null check (octet_length(public_key) = 32),
    signature bytea not null check (octet_length(signature) = 64),
    signed_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, agreement_id, party),
    foreign key (offering_id, agreement_id) references subscription.agreement
);

create table subscription.allocation_approval (
    offering_id text not null,
    approval_id text not null,
    investment_id text not null,
    status text not null,
    units bigint not null check (units > 0),
    proposed_by text not null,
    decided_by text,
    capacity text constraint approver_is_issuer_or_agent check (capacity in ('issuer', 'placement_agent')),
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, approval_id),
    constraint allocation_needs_two_people check (audit.person_of(decided_by) is distinct from audit.person_of(proposed_by)),
    constraint decided_allocation_names_who check (
        (decided_by is null) = (capacity is null)
        and (status = 'superseded' or (status = 'proposed') = (decided_by is null)))
);

create unique index one_allocation_is_in_force on subscription.allocation_approval (offering_id, investment_id)
    where status in ('proposed', 'approved');

-- One question to one investor after a material change of the offer.
create table subscription.reconfirmation (
    offering_id text not null,
    reconfirmation_id text not null,
    amendment_id text not null,
    investment_id text not null,
    status text not null,
    due_at timestamptz not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, reconfirmation_id),
    constraint each_change_is_asked_once unique (offering_id, investment_id, amendment_id)
);

call audit.append_only('subscription.requirement');
call audit.append_only('subscription.signature');
call audit.keep('subscription.acknowledgment', 'acknowledgment', 'acknowledgment_id', 'offering_id');
call audit.keep('subscription.agreement', 'agreement', 'agreement_id', 'offering_id');
call audit.keep('subscription.allocation_approval', 'allocation_approval', 'approval_id', 'offering_id');
call audit.keep('subscription.reconfirmation', 'reconfirmation', 'reconfirmation_id', 'offering_id');

create function subscription.question_stands() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (old.amendment_id, old.investment_id, old.due_at) is distinct from (new.amendment_id, new.investment_id, new.due_at) then
        raise exception using errcode = 'BR006', constraint = 'question_is_locked',
            message = format('%s asks what it asked', old.reconfirmation_id);
    end if;
    return new;
end $$;

create trigger question_stands before update on subscription.reconfirmation
    for each row execute function subscription.question_stands();

create function subscription.executed_terms_stand() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp as $$
begin
    if (old.units, old.amount_minor, old.profile_digest, old.document_sha256, old.investment_id)
        is distinct from (new.units, new.amount_minor, new.profile_digest, new.document_sha256, new.investment_id)
        or (old.signed_sha256 is not null and old.status <> 'sent' and old.signed_sha256 is distinct from new.signed_sha256)
        or (old.executed_sha256 is not null and old.executed_sha256 is distinct from new.executed_sha256) then
        raise exception using errcode = 'BR006', constraint = 'agreement_terms_are_locked',
            message = format('the terms of %s are locked; a change is a new agreement', old.agreement_id);
    end if;
    return new;
end $$;

create trigger executed_terms_stand before update on subscription.agreement
    for each row execute function subscription.executed_terms_stand();

create view subscription.agreement_fact as
select offering_id, agreement_id, investment_id, ordinal, status, units, amount_minor, profile_digest,
    document_sha256, executed_sha256, void_because, version, chain_head from subscription.agreement;

create view subscription.allocation_fact as
select offering_id, approval_id, investment_id, status, units, decided_by, capacity, version, chain_head
from subscription.allocation_approval;

create view subscription.reconfirmation_fact as
select offering_id, reconfirmation_id, amendment_id, investment_id, status, due_at, version, chain_head
from subscription.reconfirmation;

create view subscription.requirement_in_force as
select distinct on (offering_id, kind, code) offering_id, kind, code, item_version, document_sha256, sentence
from subscription.requirement order by offering_id, kind, code, item_version desc;
