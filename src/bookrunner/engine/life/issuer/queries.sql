-- name: enter$
-- Lets this transaction read for the issuer behind a session; refuses one that is not in force.
select issuer.enter_session(:session);

-- name: profile^
-- How the issuer that has entered shows itself, and its counterparties.
select issuer_id, name, colour, logo, logo_sha256, escrow_bank, transfer_agent, administrator from issuer.profile;

-- name: offers
-- The offers of the issuer, with the units and money that live investments of each stand for.
select o.offering_id, o.name, o.status, o.exemption, o.currency, o.units_total, o.unit_price_minor, o.target_minor, o.closes_at,
    count(i.investment_id) as investments, coalesce(sum(i.amount_minor), 0)::bigint as committed_minor,
    coalesce(sum(i.cleared_minor), 0)::bigint as cleared_minor
from issuer.offer o left join issuer.investment i on i.offering_id = o.offering_id
    and i.status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully')
group by o.offering_id, o.name, o.status, o.exemption, o.currency, o.units_total, o.unit_price_minor, o.target_minor, o.closes_at
order by o.offering_id;

-- name: offer^
-- One offer of the issuer, with its terms in force or in draft.
select offering_id, name, status, exemption, currency, unit_price_minor, units_total, minimum_units, isin, terms_ordinal,
    terms_status, security_type, target_minor, opens_at, closes_at from issuer.offer where offering_id = :offering;

-- name: totals^
-- What live investments of an offer sum to, and how many pass each stage.
select count(*) as investments, coalesce(sum(amount_minor), 0)::bigint as committed_minor,
    coalesce(sum(received_minor), 0)::bigint as received_minor, coalesce(sum(cleared_minor), 0)::bigint as cleared_minor,
    count(*) filter (where holds & 1 = 1) as profile, count(*) filter (where holds & 2 = 2) as compliance,
    count(*) filter (where holds & 252 = 252) as subscription, count(*) filter (where holds & 768 = 768) as treasury,
    count(*) filter (where holds & 2048 = 2048) as registry
from issuer.investment
where offering_id = :offering and status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully');

-- name: investments
-- The first investments of an offer that lack something, then the others.
select investment_id, investor_id, units, amount_minor, currency, status, holds & 2 = 2 as investor_is_cleared,
    holds & 64 = 64 as agreement_is_countersigned, holds & 512 = 512 as funds_are_cleared, holds & 2048 = 2048 as holding_is_registered
from issuer.investment where offering_id = :offering
order by holds & 2048, investment_id limit 100;

-- name: closings
-- The closings of an offer in their order.
select closing_id, ordinal, status, certificate_sha256 from issuer.closing where offering_id = :offering order by ordinal;

-- name: holders
-- Who is in the register of an offer, the largest holdings first.
select investor_id, status, units, authorised_units, issued_units from issuer.holder where offering_id = :offering and units > 0
order by units desc, investor_id limit 100;

-- name: money
-- The balances of the escrow ledger of an offer; what is kept for investors in one line for each state.
select account, currency, amount_minor::bigint as amount_minor from issuer.money where offering_id = :offering and amount_minor > 0
order by account;

-- name: escrow^
-- The escrow of an offer that is in force.
select agent, beneficiary, bank, bank_code, account, agreed_on from issuer.escrow where offering_id = :offering;

-- name: releases
-- What was released from the escrow of an offer, or waits for a second person.
select release_id, closing_id, status, amount_minor, deducted_minor, currency from issuer.release where offering_id = :offering
order by release_id;

-- name: documents
-- What investors of an offer receive and state, by kind.
select kind, code, item_version, sentence, document_sha256, in_force_since from issuer.document where offering_id = :offering
order by kind, code, item_version;

-- name: notices
-- What was told to the issuer, of one offer or of all.
select n.offering_id, n.code, n.status, n.is_required, n.written_at from issuer.notice n
where cast(:offering as text) is null or n.offering_id = :offering order by n.written_at desc limit 50;

-- name: filings
-- What the offers of the issuer owe, or one of them: what is missed first, then by the day they are due.
select f.offering_id, o.name, f.filing_id, f.clock, f.form, f.period, f.place, f.status, f.fact_on, f.fact_source, f.due_on, f.rule_id,
    f.rule_version, f.prepared_by, encode(f.pack_sha256, 'hex') as pack, f.filed_by, f.filed_on, f.reference,
    encode(f.proof_sha256, 'hex') as proof, f.because, f.ended_by, f.version, f.citation, f.calendar, f.sentence, f.is_missed, f.is_late
from issuer.filing f join issuer.offer o using (offering_id) where cast(:filing as text) is null or f.filing_id = :filing
order by f.is_missed desc, f.status in ('filed', 'not_owed'), f.due_on nulls first, f.filing_id limit 1000;

-- name: filing_pack
-- The items of one filing of the issuer.
select place, code, sentence, citation, is_mandatory, is_found, value, unit, source, stated_by, differs, value_now,
    unit_now from issuer.filing_pack(:filing);

-- name: votes
-- The votes of the issuer's offers, the newest first.
select v.offering_id, o.name, v.vote_id, v.status, v.resolution, v.document, v.record_on, v.closes_at, v.because, v.is_open, v.result
from issuer.vote v join issuer.offer o using (offering_id) order by v.closes_at desc, v.vote_id limit 200;
