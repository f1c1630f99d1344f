-- The compliance book: identity, owners, screenings, accreditation, and the clearance computed from them.

create schema compliance;

create table compliance.kyc_case (
    investor_id text primary key,
    case_id text not null unique,
    kind text not null,
    status text not null,
    verified_digest bytea,
    evidence_sha256 bytea,
    valid_until timestamptz,
    decided_because text,
    version bigint not null,
    chain_head bytea not null,
    constraint approved_identity_has_evidence
        check (status <> 'approved' or (evidence_sha256 is not null and verified_digest is not null))
);

create table compliance.beneficial_owner (
    investor_id text not null,
    owner_id text not null,
    status text not null,
    share_bp integer not null constraint share_is_within_the_whole check (share_bp between 0 and 10000),
    controls boolean not null default false,
    evidence_sha256 bytea,
    version bigint not null,
    chain_head bytea not null,
    primary key (investor_id, owner_id),
    constraint verified_owner_has_evidence check (status <> 'verified' or evidence_sha256 is not null)
);

create table compliance.accreditation (
    investor_id text primary key,
    accreditation_id text not null unique,
    status text not null,
    method text constraint accreditation_method_is_allowed
        check (method in ('income', 'net_worth', 'professional', 'entity_assets', 'high_minimum_506c')),
    evidence_sha256 bytea,
    valid_until timestamptz,
    version bigint not null,
    chain_head bytea not null,
    constraint approved_accreditation_has_evidence check (
        status <> 'approved' or (method is not null and evidence_sha256 is not null and valid_until is not null))
);

-- A person or entity is screened under its investor id, a wallet under "wallet:" and its address.
create table compliance.screening (
    subject_id text not null,
    screening_id text not null,
    status text not null,
    list_version text not null,
    matched text,
    screened_at timestamptz not null default clock_timestamp(),
    version bigint not null,
    chain_head bytea not null,
    primary key (subject_id, screening_id),
    constraint a_hit_names_its_entry check (status = 'clear' or matched is not null)
);

create table compliance.clearance (
    offering_id text not null,
    clearance_id text not null,
    investor_id text not null,
    status text not null,
    needs_accreditation boolean not null,
    lacks text[] not null,
    verified_digest bytea,
    valid_until timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, clearance_id),
    constraint one_clearance_per_investor_and_offer unique (offering_id, investor_id),
    constraint clear_means_nothing_lacks check ((status = 'clear') = (lacks = '{}'))
);

create index clearance_of_investor on compliance.clearance (investor_id);

call audit.keep('compliance.kyc_case', 'kyc_case', 'case_id', 'investor_id');
call audit.keep('compliance.beneficial_owner', 'beneficial_owner', 'owner_id', 'investor_id');
call audit.keep('compliance.accreditation', 'accreditation', 'accreditation_id', 'investor_id');
call audit.keep('compliance.screening', 'screening', 'screening_id', 'subject_id');
call audit.keep('compliance.clearance', 'clearance', 'clearance_id', 'offering_id');

create view compliance.clearance_fact as
select offering_id, clearance_id, investor_id, status, lacks, verified_digest, valid_until, version, chain_head
from compliance.clearance;

create view compliance.identity_fact as
select investor_id, status, verified_digest, version, chain_head from compliance.kyc_case;

create view compliance.wallet_screening as
select subject_id, screening_id, status, list_version, screened_at, version, chain_head
from compliance.screening where subject_id like 'wallet:%';
