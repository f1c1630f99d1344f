-- The investor portal: who the investors say they are, and the wallets they claim.

create schema portal;

create table portal.profile (
    investor_id text primary key,
    account_id text not null,
    kind text not null constraint investor_kind_is_known
        check (kind in ('individual', 'joint', 'entity', 'trust', 'retirement', 'nominee')),
    status text not null,
    detail_version integer not null check (detail_version > 0),
    detail_digest bytea not null check (octet_length(detail_digest) = 32),
    version bigint not null,
    chain_head bytea not null
);

-- Personal data stands apart from the chain, which holds only a salted digest of it. Tax id and birth date are
-- sealed under the investor's own key, a blind index finds equal ones; names and addresses stand in clear for screening
-- and are emptied with the salt when the key is destroyed. An emptied version says nothing but its digest.
create table portal.profile_detail (
    investor_id text not null references portal.profile,
    detail_version integer not null,
    salt bytea check (octet_length(salt) = 16),
    detail_digest bytea not null unique,
    legal_name text constraint legal_name_is_printable check (erased_at is not null or coalesce(
        legal_name ~ '\S' and length(legal_name) <= 200 and legal_name !~ '[\u0001-\u001f\u007f\u202a-\u202e\u2066-\u2069]', false)),
    country text constraint country_is_two_letters check (erased_at is not null or coalesce(country ~ '^[A-Z]{2}$', false)),
    address text constraint address_is_given check (erased_at is not null or coalesce(length(address) between 5 and 400, false)),
    sealed bytea constraint personal_numbers_are_sealed check (erased_at is not null or coalesce(octet_length(sealed) > 28, false)),
    tax_id_blind bytea constraint tax_id_is_searchable check (erased_at is not null or coalesce(octet_length(tax_id_blind) = 32, false)),
    birth_date_blind bytea check (octet_length(birth_date_blind) = 32),
    email text constraint email_has_an_at_sign check (erased_at is not null or coalesce(email ~ '^[^@\s]+@[^@\s]+$', false)),
    representative text,
    lei text constraint lei_is_twenty_characters check (lei ~ '^[0-9A-Z]{18}[0-9]{2}$'),
    recorded_at timestamptz not null default clock_timestamp(),
    erased_at timestamptz,
    primary key (investor_id, detail_version),
    constraint erased_version_is_empty check (erased_at is null or (salt, legal_name, country, address, sealed, tax_id_blind,
        birth_date_blind, email, representative, lei) is null)
);

-- What a wallet was asked to sign, to the byte: with the signature it proves control again at any time, without us.
create table portal.wallet_challenge (
    offering_id text not null,
    challenge_id text not null,
    investor_id text not null,
    status text not null,
    chain_id bigint not null check (chain_id > 0),
    address bytea not null constraint wallet_address_is_twenty_bytes
        check (octet_length(address) = 20 and address <> '\x0000000000000000000000000000000000000000'),
    nonce text not null constraint challenge_nonce_is_random_text check (nonce ~ '^[A-Za-z0-9]{8,}$'),
    message text not null,
    issued_at timestamptz not null,
    expires_at timestamptz not null,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, challenge_id),
    constraint challenge_nonce_serves_once unique (offering_id, nonce),
    constraint challenge_lives_for_minutes check (expires_at > issued_at and expires_at <= issued_at + interval '30 minutes'),
    constraint challenge_names_what_it_proves check (strpos(message, offering_id) > 0 and strpos(message, investor_id) > 0
        and strpos(lower(message), '0x' || encode(address, 'hex')) > 0
        and strpos(message, format(E'\nChain ID: %s\nNonce: %s\nIssued At: ', chain_id, nonce)) > 0)
);

-- A key signs for itself; a contract answers for a signature at a block, which is named.
create table portal.wallet_claim (
    offering_id text not null,
    claim_id text not null,
    investor_id text not null,
    status text not null,
    challenge_id text not null,
    chain_id bigint not null,
    address bytea not null,
    signature bytea not null constraint wallet_proof_is_given check (octet_length(signature) > 0),
    proof_kind text not null constraint proof_kind_is_known check (proof_kind in ('key', 'contract')),
    witness jsonb,
    controller text not null default 'holder',
    custodian_id text,
    version bigint not null,
    chain_head bytea not null,
    primary key (offering_id, claim_id),
    constraint claim_states_who_controls_the_wallet check (controller in ('holder', 'custodian', 'platform')
        and (controller = 'custodian') = (custodian_id is not null)),
    foreign key (offering_id, challenge_id) references portal.wallet_challenge,
    constraint one_proof_serves_once unique (offering_id, challenge_id),
    constraint key_signs_sixty_five_bytes check (proof_kind <> 'key' or octet_length(signature) = 65),
    constraint contract_proof_names_its_block check ((proof_kind = 'contract') = coalesce(
        witness ?& '{block_number,block_hash,code_hash}', false))
);
create index claim_of_investor on portal.wallet_claim (offering_id, investor_id);

-- An investor's word that a payment was sent, once for each reference: a note, and no fact about money.
create table portal.sent_note (
    offering_id text not null,
    investment_id text not null,
    reference text not null constraint sent_note_names_its_reference check (reference ~ '^RF[0-9]{14}$'),
    said_by text not null,
    said_at timestamptz not null default clock_timestamp(),
    constraint each_payment_is_said_once primary key (offering_id, investment_id, reference)
);

-- The currency that an investor says it will pay in; the last word before it confirms counts.
create table portal.currency_choice (
    offering_id text not null,
    investment_id text not null,
    choice_no integer not null,
    currency text not null constraint chosen_currency_is_a_code check (currency ~ '^[A-Z]{3}$'),
    said_by text not null,
    said_at timestamptz not null default clock_timestamp(),
    primary key (offering_id, investment_id, choice_no)
);

call audit.append_only('portal.sent_note');
call audit.append_only('portal.currency_choice');
call audit.keep('portal.profile', 'profile', 'investor_id', 'investor_id');
call audit.keep('portal.wallet_challenge', 'wallet_challenge', 'challenge_id', 'offering_id');
call audit.keep('portal.wallet_claim', 'wallet_claim', 'claim_id', 'offering_id');

create view portal.currency_fact as
select offering_id, investment_id, choice_no, currency from portal.currency_choice;

create view portal.pay_currency as
select distinct on (offering_id, investment_id) offering_id, investment_id, currency, said_at from portal.currency_choice
order by offering_id, investment_id, choice_no desc;

create view portal.profile_fact as
select investor_id, kind, status, detail_version, detail_digest, version, chain_head from portal.profile;

create view portal.wallet_claimed as
select offering_id, claim_id, investor_id, status, chain_id, address, version, chain_head from portal.wallet_claim;

create view portal.version_fact as
select investor_id, detail_version, detail_digest, country from portal.profile_detail;

-- For the keeper of verified identity, who compares it with what it verified.
create view portal.profile_claim as
select d.*, p.kind from portal.profile p join portal.profile_detail d using (investor_id, detail_version);
