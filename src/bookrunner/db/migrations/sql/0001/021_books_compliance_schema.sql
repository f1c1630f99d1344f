-- The compliance book: identity, owners, screenings, accreditation, and the clearance computed from them.

create schema compliance;

create table compliance.kyc_case (
    investor_id text primary key,
    case_id text not null unique,
    kind text not null constraint case_kind_is_known
        check (kind in ('individual', 'joint', 'entity', 'trust', 'retirement', 'nominee')),
    form text not null default '' constraint legal_form_is_known check (form = ''
        or (kind = 'entity' and form in ('llc', 'corporation', 'partnership', 'fund'))),
    status text not null,
    verified_digest bytea,
    evidence_sha256 bytea,
    valid_until timestamptz,
    decided_because text,
    opened_at timestamptz not null default clock_timestamp(),
    version bigint not null,
    chain_head bytea not null,
    constraint approved_identity_has_evidence
        check (status <> 'approved' or (evidence_sha256 is not null and verified_digest is not null)),
    constraint refused_identity_has_its_reason check (
        status not in ('declined', 'revoked') or coalesce(decided_because ~ '\S', false))
);

create table compliance.beneficial_owner (
    investor_id text not null,
    owner_id text not null,
    kind text not null default 'person' constraint owner_kind_is_known check (kind in ('person', 'entity')),
    status text not null,
    share_bp integer not null constraint share_is_within_the_whole check (share_bp between 0 and 10000),
    controls boolean not null default false,
    evidence_sha256 bytea,
    decided_because text,
    changed_at timestamptz not null default clock_timestamp(),
    version bigint not null,
    chain_head bytea not null,
    primary key (investor_id, owner_id),
    constraint verified_owner_has_evidence check (status <> 'verified' or evidence_sha256 is not null),
    constraint control_person_is_a_person check (kind = 'person' or not controls)
);

create unique index one_control_person_per_entity on compliance.beneficial_owner (investor_id)
    where controls and status <> 'former';
create index beneficial_owner_by_owner on compliance.beneficial_owner (owner_id);

-- How an accreditation may be verified.
create table compliance.accreditation_method (
    method text primary key,
    evidence text[] not null,
    validity_rule text not null,
    citation text not null
);

insert into compliance.accreditation_method values
    ('income', '{tax_form_last_year,tax_form_year_before,statement_for_this_year}', 'us.506c.income_validity', '17 CFR 230.506(c)(2)(ii)(A)'),
    ('net_worth', '{asset_statement,credit_report,statement_of_liabilities}', 'us.506c.document_validity', '17 CFR 230.506(c)(2)(ii)(B)'),
    ('third_party_letter', '{letter}', 'us.506c.document_validity', '17 CFR 230.506(c)(2)(ii)(C)'),
    ('already_verified', '{statement_of_status}', 'us.506c.verified_before', '17 CFR 230.506(c)(2)(ii)(E)'),
    ('professional', '{licence}', 'us.506c.document_validity', '17 CFR 230.501(a)(10)'),
    ('entity_assets', '{balance_sheet}', 'us.506c.document_validity', '17 CFR 230.501(a)'),
    ('high_minimum_506c', '{statement_of_status,statement_of_own_financing}', 'us.506c.document_validity', 'SEC staff letter of 2025-03-12');
call audit.append_only('compliance.accreditation_method');

create table compliance.accreditation (
    investor_id text primary key,
    accreditation_id text not null unique,
    status text not null,
    method text constraint accreditation_method_is_allowed references compliance.accreditation_method,
    evidence_sha256 bytea,
    valid_until timestamptz,
    approved_at timestamptz,
    verified_at timestamptz,
    through_owners_only boolean not null default false,
    decided_because text,
    version bigint not null,
    chain_head bytea not null,
    constraint approved_accreditation_has_evidence check (
        status <> 'approved' or (method is not null and evidence_sha256 is not null and valid_until is not null)),
    constraint declined_accreditation_has_its_reason check (
        status <> 'declined' or coalesce(decided_because ~ '\S', false))
);

-- A person or entity is screened under its own id, a wallet under "wallet:" and its address. The row has what
-- makes the screening repeatable; candidates are entries with their scores, what made these stands apart.
create table compliance.screening (
    subject_id text not null,
    screening_id text not null,
    status text not null,
    source text not null,
    list_version text not null,
    matcher_version text not null,
    programme_version text not null,
    subject_digest bytea,
    subject_kind text not null default '' check (subject_kind in ('', 'person', 'entity', 'wallet')),
    threshold_bp integer not null check (threshold_bp between 0 and 10000),
    made_for text not null,
    candidates jsonb not null,
    matched text,
    screened_at timestamptz not null default clock_timestamp(),
    valid_until timestamptz not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (subject_id, screening_id),
    constraint a_hit_names_its_entry check (status = 'clear' or matched is not null)
);

-- What made the score of a candidate: the names that were compared, their words, each fact. It goes when the data of the
-- subject is erased.
create table compliance.score_part (
    subject_id text not null,
    screening_id text not null,
    entry_id text not null,
    parts jsonb not null,
    primary key (subject_id, screening_id, entry_id)
);

create table compliance.clearance (
    offering_id text not null,
    clearance_id text not null,
    investor_id text not null,
    status text not null,
    exemption text not null,
    needs_accreditation boolean not null,
    judged_at timestamptz not null default clock_timestamp(),
    takes_place boolean not null default false,
    lacks text[] not null,
    programme_version text,
    purpose text not null constraint clearance_states_its_purpose check (purpose ~ '\S'),
    verified_digest bytea,
    valid_until timestamptz,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, clearance_id),
    constraint clear_names_its_programme check (status <> 'clear' or programme_version is not null),
    constraint one_clearance_per_investor_and_offer unique (offering_id, investor_id),
    constraint clear_means_nothing_lacks check ((status = 'clear') = (lacks = '{}'))
);

-- The row that two computations lock before they count the places of one offer.
create table compliance.offer_places (
    offering_id text primary key
);

create index clearance_of_investor on compliance.clearance (investor_id);

call audit.keep('compliance.kyc_case', 'kyc_case', 'case_id', 'investor_id');
call audit.keep('compliance.beneficial_owner', 'beneficial_owner', 'owner_id', 'investor_id');
call audit.keep('compliance.accreditation', 'accreditation', 'accreditation_id', 'investor_id');
call audit.keep('compliance.screening', 'screening', 'screening_id', 'subject_id', '{candidates}');
call audit.keep('compliance.clearance', 'clearance', 'clearance_id', 'offering_id');

create view compliance.clearance_fact as
select offering_id, clearance_id, investor_id, status, lacks, verified_digest, valid_until, version, chain_head
from compliance.clearance;

create view compliance.identity_fact as
select investor_id, case_id, status, verified_digest, version, chain_head from compliance.kyc_case;

create view compliance.wallet_screening as
select subject_id, screening_id, status, source, list_version, matcher_version, screened_at, valid_until, version, chain_head
from compliance.screening where subject_id like 'wallet:%';
