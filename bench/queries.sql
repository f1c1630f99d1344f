-- name: suspend_guards#
-- Only to fill the tables at once; restore_guards follows in the same transaction.
alter table engine.offer disable trigger user;
alter table engine.investment disable trigger user;
alter table engine.position disable trigger user;

-- name: add_offer!
-- One published offer.
insert into engine.offer (offering_id, issuer_id, name, exemption, currency, unit_price_minor, units_total,
    minimum_units, status, chain_id, token_address, treasury_address, version, chain_head)
values ('ofr_bench', 'iss_bench', 'Bench', '506(c)', 'USD', 100000, 1000000000, 1, 'published', 1,
    decode(repeat('11', 20), 'hex'), decode(repeat('22', 20), 'hex'), 1, audit.genesis('ofr_bench'));

-- name: add_investments(count)!
-- New investments inv_1 to inv_count, of which nobody has confirmed one.
insert into engine.investment (offering_id, investment_id, investor_id, units, amount_minor, currency, status,
    version, chain_head)
select 'ofr_bench', 'inv_' || n, 'ivr_' || n, 10, 1000000, 'USD', 'new', 1, audit.genesis('inv_' || n)
from generate_series(1, :count) n;

-- name: add_positions(count)!
-- Their positions, on which everything holds that a confirmation waits for.
insert into engine.position (offering_id, investment_id, investor_id, profile_is_complete, profile_digest,
    profile_fact, profile_hash, investor_is_cleared, verified_digest, cleared_until, clearance_fact,
    clearance_hash, materials_are_received, risks_are_acknowledged, representations_are_made,
    agreement_is_signed, agreed_digest, agreement_fact, agreement_hash)
select 'ofr_bench', 'inv_' || n, 'ivr_' || n, true, d, 'ivr_' || n || '@3', d, true, d,
    clock_timestamp() + interval '1 year', 'clr_' || n || '@5', d, true, true, true, true, d, 'agr_' || n || '@2', d
from generate_series(1, :count) n, sha256(convert_to(n::text, 'UTF8')) d;

-- name: restore_guards#
-- Every trigger as the schema declares it.
alter table engine.offer enable trigger user;
alter table engine.investment enable trigger user;
alter table engine.position enable trigger user;
alter table engine.offer enable always trigger zz_guard;
alter table engine.offer enable always trigger aa_never_deleted;
alter table engine.offer enable always trigger aa_never_truncated;
alter table engine.investment enable always trigger zz_guard;
alter table engine.investment enable always trigger aa_never_deleted;
alter table engine.investment enable always trigger aa_never_truncated;
alter table engine.position enable always trigger position_is_born;
alter table engine.position enable always trigger position_stands;
alter table engine.position enable always trigger aa_never_deleted;
alter table engine.position enable always trigger aa_never_truncated;

-- name: vacuum#
-- Statistics for the planner, and hint bits that a measured call would else set.
vacuum analyze;

-- name: checkpoint#
-- Writes the pages of the filling before the first measured call.
checkpoint;

-- name: confirmed()$
-- How many events the measured calls left, each with its link in a hash chain.
select count(*) from audit.event where kind = 'investment.confirmed';

-- name: answered()$
-- How many answers the measured requests stored.
select count(*) from audit.request;
