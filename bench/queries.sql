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


-- name: open_books#
-- Only to fill the tables of the five books at once, in a database that is thrown away.
do $$
declare
    t regclass;
begin
    foreach t in array '{engine.offer, engine.investment, engine.position, portal.profile, portal.wallet_claim, compliance.kyc_case,
        compliance.clearance, subscription.document, subscription.agreement, subscription.allocation_approval, treasury.payment_attempt,
        treasury.receipt, treasury.account, treasury.balance, treasury.entry, registry.wallet_mapping,
        registry.issuance_instruction, registry.holding, registry.posting, registry.lot, registry.control_book}'::regclass[] loop
        execute 'alter table ' || t || ' disable trigger all';
    end loop;
end $$;

-- name: add_people(count)!
-- What portal and compliance have of so many investors.
with numbered as (select n, 'ivr_' || n as ivr, sha256(convert_to(n::text, 'UTF8')) as d from generate_series(1, :count) n),
profiles as (
    insert into portal.profile (investor_id, account_id, kind, status, detail_version, detail_digest, version, chain_head)
    select ivr, 'acc_' || n, 'individual', 'complete', 1, d, 3, d from numbered),
cases as (
    insert into compliance.kyc_case (investor_id, case_id, kind, status, verified_digest, evidence_sha256, version, chain_head)
    select ivr, 'kyc_' || n, 'individual', 'approved', d, d, 3, d from numbered),
claims as (
    insert into portal.wallet_claim (offering_id, claim_id, investor_id, status, challenge_id, chain_id, address, signature, proof_kind,
        version, chain_head)
    select 'ofr_bench', 'wlc_' || n, ivr, 'claimed', 'wch_' || n, 1, substr(d, 1, 20), decode(repeat('01', 65), 'hex'), 'key', 1, d
    from numbered)
insert into compliance.clearance (offering_id, clearance_id, investor_id, status, exemption, needs_accreditation, lacks, programme_version,
    purpose, verified_digest, version, chain_head)
select 'ofr_bench', 'clr_' || n, ivr, 'clear', '506(c)', true, '{}', 'first', 'issuance', d, 5, d from numbered;

-- name: add_papers(count)!
-- Their agreements, executed by one archived file, their approvals, and their money.
with numbered as (select n, 'inv_' || n as inv, 'ivr_' || n as ivr, sha256(convert_to(n::text, 'UTF8')) as d from generate_series(1, :count) n),
file as (
    insert into subscription.document (sha256, media_type, content) values (sha256('paper'), 'text/plain', 'paper')),
agreements as (
    insert into subscription.agreement (offering_id, agreement_id, investment_id, ordinal, status, units, amount_minor, profile_digest,
        document_sha256, executed_sha256, version, chain_head)
    select 'ofr_bench', 'agr_' || n, inv, 1, 'countersigned', 10, 1000000, d, sha256('paper'), sha256('paper'), 4, d from numbered),
approvals as (
    insert into subscription.allocation_approval (offering_id, approval_id, investment_id, status, units, proposed_by, decided_by, capacity,
        version, chain_head)
    select 'ofr_bench', 'alc_' || n, inv, 'approved', 10, 'one', 'two', 'issuer', 2, d from numbered),
attempts as (
    insert into treasury.payment_attempt (offering_id, attempt_id, investment_id, investor_id, attempt_no, status, reference, due_minor,
        currency, received_minor, version, chain_head)
    select 'ofr_bench', 'pay_' || n, inv, ivr, 1, 'cleared', 'RF' || lpad(n::text, 14, '0'), 1000000, 'USD', 1000000, 3, d from numbered)
insert into treasury.receipt (offering_id, receipt_id, dedupe_key, status, amount_minor, currency, booked_on, value_on, rail, line_sha256,
    investment_id, attempt_id, version, chain_head)
select 'ofr_bench', 'rcp_' || n, 'key_' || n, 'cleared', 1000000, 'USD', '2026-03-30', '2026-03-30', 'cheque', d, inv, 'pay_' || n, 3, d
from numbered;

-- name: add_holders(count)!
-- Their linked wallets, instructions, holdings, postings and lots, and the control book.
with numbered as (select n, 'inv_' || n as inv, 'ivr_' || n as ivr, 'iss_' || n as iss, 'hld_' || n as hld,
    sha256(convert_to(n::text, 'UTF8')) as d from generate_series(1, :count) n),
book as (
    insert into registry.control_book (offering_id, control_id, status, authorised_units, issued_units, authority_sha256, version, chain_head)
    select 'ofr_bench', 'ctl_bench', 'open', 100000000, 10 * count(*), sha256('paper'), 2, sha256('paper') from numbered),
mappings as (
    insert into registry.wallet_mapping (offering_id, mapping_id, investor_id, status, chain_id, address, claim_fact, screening_fact,
        approved_by, proof_kind, linked_by, version, chain_head)
    select 'ofr_bench', 'wmp_' || n, ivr, 'linked', 1, substr(d, 1, 20), 'wlc_' || n || '@1', 'scr@1', 'one', 'key', 'two', 4, d
    from numbered),
instructions as (
    insert into registry.issuance_instruction (offering_id, instruction_id, investment_id, investor_id, closing_id, status, units, address,
        authorised_by, transaction_id, version, chain_head)
    select 'ofr_bench', iss, inv, ivr, 'cls_bench', 'posted', 10, substr(d, 1, 20), 'one', 'txn_bench', 3, d from numbered),
holdings as (
    insert into registry.holding (offering_id, holding_id, investor_id, status, units, registration_fact, registration_digest, version,
        chain_head)
    select 'ofr_bench', hld, ivr, 'registered', 10, ivr || '@3', d, 1, d from numbered),
postings as (
    insert into registry.posting (offering_id, posting_id, holding_id, instruction_id, units, chain_id, transaction_hash, ordinal,
        posted_at)
    select 'ofr_bench', 'pst_' || n, hld, iss, 10, 1, d, 0, now() - interval '1 day' from numbered)
insert into registry.lot (offering_id, lot_id, holding_id, instruction_id, units, acquired_on, period_from)
select 'ofr_bench', 'lot_' || n, hld, iss, 10, '2026-03-31', '2026-03-31' from numbered;

-- name: close_compared#
-- Every investment is closed, and its position shows all of it.
update engine.investment set status = 'closed_successfully';
update engine.position set agreement_is_countersigned = true, allocation_is_approved = true, funds_are_received = true,
    funds_are_cleared = true, received_minor = 1000000, cleared_minor = 1000000, wallet_is_linked = true, holding_is_registered = true,
    issuance = 'registered', cleared_until = null, standing = b'111111111111'::integer;

-- name: shown_by_the_chain$
-- What the chain shows where it agrees with the register, as the application hands it over.
select cast(jsonb_build_object('delivered', sum(i.units), 'lines',
    jsonb_object_agg(encode(i.address, 'hex'), i.units)) as text)
from registry.issuance_instruction i;

-- name: compare_five(run, chain)$
-- The five comparisons; how many rows differ.
select jsonb_array_length(reconciliation.run('bench', 'req_' || cast(:run as text), 'ofr_bench', cast(:run as text), cast(:chain as jsonb),
    null, (select array_agg(c.comparison) from reconciliation.comparison c where c.is_of_the_five)));

-- name: read_compared$
-- Every row that the comparisons read, read once and no more.
select (select count(version) from engine.investment) + (select count(version) from engine.position)
    + (select count(version) from portal.profile) + (select count(version) from portal.wallet_claim)
    + (select count(version) from compliance.kyc_case) + (select count(version) from compliance.clearance)
    + (select count(version) from subscription.agreement) + (select count(version) from subscription.allocation_approval)
    + (select count(version) from treasury.payment_attempt) + (select count(version) from treasury.receipt)
    + (select count(version) from registry.wallet_mapping) + (select count(version) from registry.issuance_instruction)
    + (select count(version) from registry.holding) + (select count(units) from registry.posting) + (select count(units) from registry.lot);

-- name: spoil_compared(every)!
-- Each so many-th agreement is over other units, and each so many-th holding too.
with papers as (update subscription.agreement set units = 11 where mod(substr(agreement_id, 5)::bigint, :every) = 0)
update registry.holding set units = 11 where mod(substr(holding_id, 5)::bigint, :every) = 0;

-- name: end_clearances!
-- Holders who are past their subscription: a screening moves no clearance.
delete from compliance.clearance;

-- name: add_payees(names)!
-- A name, and an account that two people agreed to, for each investor, ivr_1 first.
with named as (select n, 'ivr_' || n as ivr, name, sha256(convert_to(n::text, 'UTF8')) as d
    from unnest(cast(:names as text[])) with ordinality as x (name, n)),
details as (
    insert into portal.profile_detail (investor_id, detail_version, salt, detail_digest, legal_name, country, address, sealed, tax_id_blind,
        email)
    select ivr, 1, substr(d, 1, 16), d, name, 'US', '1 Example Street', decode(repeat('00', 29), 'hex'), d, 'bench@example.org' from named),
accounts as (
    insert into treasury.payee_account (investor_id, account_id, status, way, source_id, because, proposed_by, decided_by, version, chain_head)
    select ivr, 'pac_' || n, 'in_force', 'bank', 'src_' || n, 'asked in writing', 'usr_1', 'usr_2', 1, d from named)
insert into treasury.source_account (investor_id, source_id, fingerprint, status, version, chain_head)
select ivr, 'src_' || n, d, 'approved', 1, d from named;

-- name: suspend_payee_guards#
-- Only to fill three more tables at once, in a database that is thrown away.
alter table portal.profile_detail disable trigger all;
alter table treasury.source_account disable trigger all;
alter table treasury.payee_account disable trigger all;

-- name: restore_paid_guards#
-- What a payment writes is guarded as the schema declares it.
alter table treasury.receipt enable trigger user;
alter table treasury.account enable trigger user;
alter table treasury.balance enable trigger user;
alter table treasury.entry enable trigger user;
alter table treasury.source_account enable trigger user;
alter table treasury.payee_account enable trigger user;

-- name: note_compared!
-- A whole run that saw the chain and found nothing.
insert into reconciliation.run (offering_id, run_id, is_whole, phase, saw_the_chain, compared, found, resolved)
values ('ofr_bench', 'run_bench', true, 'quiet', true, 1, 0, 0);

-- name: enter
-- Who acts from here on.
select audit.enter('bench', 'req_bench');

-- name: suspend_receipt_guards#
-- Only for the one receipt that no statement brings; restore_paid_guards follows in the same transaction.
alter table treasury.receipt disable trigger user;

-- name: issuer_pays(amount)!
-- The issuer's money for a distribution, as a receipt that waits.
with booked as (
    insert into treasury.receipt (offering_id, receipt_id, dedupe_key, status, amount_minor, currency, booked_on, value_on, rail, clears_on,
        line_sha256, version, chain_head)
    values ('ofr_bench', 'rcp_issuer', 'key-issuer', 'unmatched', :amount, 'USD', current_date, current_date, 'balance', current_date,
        sha256('issuer'), 1, audit.genesis('rcp_issuer'))
    returning amount_minor)
select treasury.post('ofr_bench', 'booked:issuer', 'receipts_booked', 'USD',
    jsonb_build_array(jsonb_build_object('account', 'asset:escrow_bank', 'side', 'debit', 'amount', amount_minor),
    jsonb_build_object('account', 'liab:unmatched', 'side', 'credit', 'amount', amount_minor))) from booked;

-- name: orders_stored$
-- How many orders stand in the book.
select count(*) from treasury.payout;

-- name: lines_paid^
-- How many lines are with the bank, how many a match holds, how many are neither, and whether the ledger stands at zero.
select count(*) filter (where status = 'paying') as paying, count(*) filter (where held_because = 'match_with_a_list') as held,
    count(*) filter (where status <> 'paying' and held_because is distinct from 'match_with_a_list') as others,
    (select coalesce(sum(case side when 'debit' then amount_minor else -amount_minor end), 0) from treasury.trial_balance) as uneven
from treasury.disbursement;
