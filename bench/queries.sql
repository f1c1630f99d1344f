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
    agreement_is_signed, agreed_digest, agreement_fact, agreement_hash, standing)
select 'ofr_bench', 'inv_' || n, 'ivr_' || n, true, d, 'ivr_' || n || '@3', d, true, d,
    clock_timestamp() + interval '1 year', 'clr_' || n || '@5', d, true, true, true, true, d, 'agr_' || n || '@2', d,
    -- What the trigger would write of them: the first six conditions hold.
    b'111111'::integer
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
alter table engine.investment enable always trigger zzz_status_moves;
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

-- name: suspend_treasury_guards#
-- Only to fill the tables at once; restore_treasury_guards follows in the same transaction.
alter table treasury.payment_attempt disable trigger user;
alter table treasury.source_account disable trigger user;

-- name: restore_treasury_guards#
-- Every trigger as the schema declares it.
alter table treasury.payment_attempt enable trigger user;
alter table treasury.source_account enable trigger user;
alter table treasury.payment_attempt enable always trigger zz_guard;
alter table treasury.payment_attempt enable always trigger aa_never_deleted;
alter table treasury.payment_attempt enable always trigger aa_never_truncated;
alter table treasury.source_account enable always trigger zz_guard;
alter table treasury.source_account enable always trigger aa_never_deleted;
alter table treasury.source_account enable always trigger aa_never_truncated;

-- name: add_payments(numbers, references, fingerprints, due)!
-- Open payments of investors inv_<number>, each with its reference and the approved account of its investor.
with payer as (
    insert into treasury.source_account (investor_id, source_id, fingerprint, status, version, chain_head)
    select 'ivr_' || n, 'src_' || n, f, 'approved', 1, audit.genesis('src_' || n)
    from unnest(cast(:numbers as bigint[]), cast(:fingerprints as bytea[])) as u (n, f))
insert into treasury.payment_attempt (offering_id, attempt_id, investment_id, investor_id, attempt_no, status,
    reference, due_minor, currency, version, chain_head)
select 'ofr_bench', 'pay_' || n, 'inv_' || n, 'ivr_' || n, 1, 'initialized', r, :due, 'USD', 1, audit.genesis('pay_' || n)
from unnest(cast(:numbers as bigint[]), cast(:references as text[])) as u (n, r);

-- name: receipts_stand()^
-- What an import left: receipts matched, positions that hold their money, accounts that differ from their entries.
select (select count(*) from treasury.receipt where status = 'matched') as matched,
    (select count(*) from engine.position where funds_are_received) as received,
    (select count(*) from treasury.trial_balance b full join treasury.entry_sum s using (offering_id, account, currency)
        where coalesce(b.amount_minor, 0) <> coalesce(s.amount_minor, 0)) as uneven;

-- name: open_hot_accounts()$
-- Opens both accounts with a first journal, as after the first wire.
select treasury.post('ofr_bench', 'first', 'receipts_booked', 'USD', '[{"account": "asset:escrow_bank", "side": "debit", "amount": 1}, {"account": "liab:unmatched", "side": "credit", "amount": 1}]');

-- name: ledger_stands()^
-- How many journals the measured calls left, and how many accounts differ from their entries.
select (select count(*) - 1 from treasury.journal) as journals,
    (select count(*) from treasury.trial_balance b full join treasury.entry_sum s using (offering_id, account, currency)
        where coalesce(b.amount_minor, 0) <> coalesce(s.amount_minor, 0)) as uneven;

-- name: answers_given$
-- How many answers events have been given.
select count(*) from audit.reaction;
