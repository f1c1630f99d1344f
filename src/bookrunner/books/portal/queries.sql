-- name: open_profile$
-- Opens a profile; detail holds legal_name, country, address, tax_id, email and, for entities, representative and
-- perhaps lei. The front door seals tax_id and birth_date before the call.
select portal.open_profile(:actor, :request, :investor, :account, :kind, cast(:detail as jsonb));

-- name: amend_profile$
-- A new version of the details; the earlier versions stay readable.
select portal.amend_profile(:actor, :request, :investor, cast(:detail as jsonb));

-- name: hold_profile$
-- Holds a profile in the version that was seen until the end of the transaction.
select portal.hold_profile(:actor, :request, :investor, cast(:seen as bigint));

-- name: claim_wallet$
-- Records a wallet whose proof of control the adapter has verified.
select portal.claim_wallet(:actor, :request, :offering, :claim, :investor, :challenge, :signature, :proof_kind, cast(:witness as jsonb),
    :controller, :custodian);

-- name: issue_challenge$
-- Keeps what a wallet is asked to sign.
select portal.issue_challenge(:actor, :request, :offering, :challenge, :investor, cast(:asked as jsonb));

-- name: challenge^
-- What a wallet was asked to sign.
select challenge_id, investor_id, status, chain_id, address, message, issued_at, expires_at from portal.wallet_challenge
where offering_id = :offering and challenge_id = :challenge;

-- name: wallet_proof^
-- The proof of one claimed wallet, as it was given.
select w.claim_id, w.address, c.message, w.signature, w.proof_kind
from portal.wallet_claim w join portal.wallet_challenge c using (offering_id, challenge_id)
where w.offering_id = :offering and w.claim_id = :claim;

-- name: request_change$
-- Asks for a new version of fields that are locked as verified.
select portal.request_change(:actor, :request, :investor, :change, cast(:detail as jsonb), :because, :evidence_sha256);

-- name: decide_change$
-- A second person applies or declines a requested change.
select portal.decide_change(:actor, :request, :investor, :change, cast(:is_approved as boolean), :because, cast(:seen as bigint), :programme);

-- name: obtain_key$
-- The wrapped data key of an investor; the given one is kept when there was none.
select portal.obtain_key(:actor, :request, :investor, :key, :wrapped);

-- name: view_personal^
-- The fields of one version, the sealed ones with their wrapped key; the view itself is an event.
select wrapped, sealed, plain from portal.view_personal(:actor, :request, :investor, cast(:detail_version as integer), :view, :purpose);

-- name: view_change^
-- Both sides of a requested change and their wrapped key; the view itself is an event.
select wrapped, before, after from portal.view_change(:actor, :request, :investor, :change, :view, :purpose);

-- name: erase_personal$
-- Erases the personal data of an investor, where no rule keeps the record.
select portal.erase_personal(:actor, :request, :investor, :because);

-- name: say_sent$
-- Keeps an investor's word that a payment was sent.
select portal.say_sent(:actor, :request, :offering, :investment, :reference);

-- name: choose_currency$
-- Keeps the currency that an investor will pay in.
select portal.choose_currency(:actor, :request, :offering, :investment, :currency);

-- name: names_on_paper
-- How investors are named and where they live, in the version of their profile that counts now.
select p.investor_id, p.kind, d.detail_version, d.detail_digest, d.legal_name, d.address, d.country,
    d.representative
from portal.profile p join portal.profile_detail d using (investor_id, detail_version)
where p.investor_id = any (:investors);

-- name: view_suitability$
-- The latest answers of an investor to the questionnaire of an offer; the view itself is an event.
select portal.view_suitability(:actor, :request, :offering, :investor, :view, :purpose);

-- name: view_ownership$
-- The owners that the signer certified, with their names; the view itself is an event.
select portal.view_ownership(:actor, :request, :investor, :view, :purpose);

-- name: mail_addresses
-- Where mail that points to a notice goes; nobody else is told.
select distinct on (d.investor_id) d.investor_id, d.email from portal.profile_detail d
where d.investor_id = any (cast(:investors as text[])) and d.erased_at is null order by d.investor_id, d.detail_version desc;
