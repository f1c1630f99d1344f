-- Every way in which the books can come apart: what the owner's raw SQL does, and what must be found of it. The head of each is
-- `kind | owner | about | name`; about is inv, ivr, address or offer. The verbs refuse all of these, so triggers, foreign keys and
-- checks are put off first, in a transaction that is rolled back. {ivr} and the like are the first investor's records, {x} is a
-- digest of nothing.

-- claimed_is_not_verified | compliance | inv | another profile
update portal.profile set detail_digest = {x} where investor_id = '{ivr}';

-- claimed_is_not_verified | compliance | inv | identity of another profile
update compliance.kyc_case set verified_digest = {x} where investor_id = '{ivr}';

-- investor_has_no_profile | portal | inv | profile that is gone
delete from portal.profile where investor_id = '{ivr}';

-- position_is_not_the_books | engine | inv | profile with another head
update portal.profile set chain_head = {x} where investor_id = '{ivr}';

-- position_shows_another_profile | engine | inv | profile that is a draft again
update portal.profile set status = 'draft' where investor_id = '{ivr}';

-- position_shows_another_profile | engine | inv | position without its profile
update engine.position set profile_is_complete = false where investment_id = '{inv}';

-- cleared_without_identity | compliance | inv | identity that was revoked alone
update compliance.kyc_case set status = 'revoked' where investor_id = '{ivr}';

-- cleared_without_identity | compliance | inv | identity that is gone
delete from compliance.kyc_case where investor_id = '{ivr}';

-- cleared_as_another_person | compliance | inv | clearance of another person
update compliance.clearance set verified_digest = {x} where offering_id = '{ofr}' and investor_id = '{ivr}';

-- position_is_not_the_clearance | engine | inv | clearance with another head
update compliance.clearance set chain_head = {x} where offering_id = '{ofr}' and investor_id = '{ivr}';

-- position_shows_another_clearance | engine | inv | clearance that is gone
delete from compliance.clearance where offering_id = '{ofr}' and investor_id = '{ivr}';

-- position_shows_another_clearance | engine | inv | clearance that ends earlier
update compliance.clearance set valid_until = '2026-04-01' where offering_id = '{ofr}' and investor_id = '{ivr}';

-- amount_is_not_the_agreed_one | subscription | inv | agreement over another amount
update subscription.agreement set amount_minor = 49999 where agreement_id = '{agr}';

-- amount_is_not_the_agreed_one | subscription | inv | agreement that is gone
delete from subscription.agreement where agreement_id = '{agr}';

-- amount_is_not_the_agreed_one | subscription | inv | investment over another amount
update engine.investment set amount_minor = 40000 where investment_id = '{inv}';

-- units_are_not_the_agreed_ones | subscription | inv | agreement over other units
update subscription.agreement set units = 2 where agreement_id = '{agr}';

-- units_are_not_the_approved_ones | subscription | inv | approval of other units
update subscription.allocation_approval set units = 2 where approval_id = '{alc}';

-- units_are_not_the_approved_ones | subscription | inv | approval that is gone
delete from subscription.allocation_approval where approval_id = '{alc}';

-- signatures_are_missing | subscription | inv | signature that is gone
delete from subscription.signature where agreement_id = '{agr}' and party = 'issuer';

-- executed_file_is_not_archived | subscription | inv | executed file of another hash
update subscription.agreement set executed_sha256 = {x} where agreement_id = '{agr}';

-- agreement_bytes_are_not_their_hash | subscription | inv | archive with other bytes
update subscription.document set content = 'other bytes' where sha256 = (select document_sha256 from
    subscription.agreement where agreement_id = '{agr}');

-- agreement_of_no_investment | subscription | inv | agreement of nobody
delete from engine.investment where investment_id = '{inv}';

-- position_shows_another_agreement | engine | inv | position of another agreement
update engine.position set agreed_digest = {x} where investment_id = '{inv}';

-- position_shows_another_agreement | engine | inv | position without its signature
update engine.position set agreement_is_countersigned = false where investment_id = '{inv}';

-- position_shows_another_approval | engine | inv | position without its approval
update engine.position set allocation_is_approved = false where investment_id = '{inv}';

-- position_shows_other_money | engine | inv | receipt over another amount
update treasury.receipt set amount_minor = 50001 where receipt_id = '{rcp}';

-- position_shows_other_money | engine | inv | receipt that is gone
delete from treasury.receipt where receipt_id = '{rcp}';

-- attempt_shows_other_money | treasury | inv | receipt that was matched twice
insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency,
    booked_on, value_on, line_sha256, version, chain_head, investment_id, attempt_id) values ('{ofr}', 'rcp_new',
    'stm_rec_first', 'key-new', 'matched', 50000, 'USD', '2026-03-30', '2026-03-30', {x}, 1, {x}, '{inv}', '{pay}');

-- receipt_is_in_another_currency | treasury | inv | receipt in another currency
update treasury.receipt set currency = 'EUR' where receipt_id = '{rcp}';

-- attempt_shows_other_money | treasury | inv | attempt over another amount
update treasury.payment_attempt set received_minor = 1 where attempt_id = '{pay}';

-- cleared_is_not_the_committed_amount | treasury | inv | money that is final no more
update treasury.receipt set status = 'matched' where receipt_id = '{rcp}';

-- position_shows_other_money | engine | inv | position with other money
update engine.position set received_minor = 50001 where investment_id = '{inv}';

-- position_shows_other_money | engine | inv | position without its money
update engine.position set funds_are_received = false where investment_id = '{inv}';

-- receipt_of_no_investment | treasury | inv | receipt of nobody
delete from engine.investment where investment_id = '{inv}';

-- released_is_not_the_committed_amount | treasury | inv | release of another amount
insert into treasury.release_line (offering_id, investment_id, release_id, amount_minor) values ('{ofr}', '{inv}',
    'rel_x', 1);

-- no_reference | treasury | offer | money that is no_reference
insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency,
    booked_on, value_on, line_sha256, version, chain_head, exception) values ('{ofr}', 'rcp_new', 'stm_rec_first',
    'key-new', 'unmatched', 50000, 'USD', '2026-03-30', '2026-03-30', {x}, 1, {x}, 'no_reference');

-- unknown_reference | treasury | offer | money that is unknown_reference
insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency,
    booked_on, value_on, line_sha256, version, chain_head, exception) values ('{ofr}', 'rcp_new', 'stm_rec_first',
    'key-new', 'unmatched', 50000, 'USD', '2026-03-30', '2026-03-30', {x}, 1, {x}, 'unknown_reference');

-- currency_differs | treasury | offer | money that is currency_differs
insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency,
    booked_on, value_on, line_sha256, version, chain_head, exception) values ('{ofr}', 'rcp_new', 'stm_rec_first',
    'key-new', 'unmatched', 50000, 'USD', '2026-03-30', '2026-03-30', {x}, 1, {x}, 'currency_differs');

-- attempt_is_not_open | treasury | offer | money that is attempt_is_not_open
insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency,
    booked_on, value_on, line_sha256, version, chain_head, exception) values ('{ofr}', 'rcp_new', 'stm_rec_first',
    'key-new', 'unmatched', 50000, 'USD', '2026-03-30', '2026-03-30', {x}, 1, {x}, 'attempt_is_not_open');

-- amount_exceeds_due | treasury | offer | money that is amount_exceeds_due
insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency,
    booked_on, value_on, line_sha256, version, chain_head, exception) values ('{ofr}', 'rcp_new', 'stm_rec_first',
    'key-new', 'unmatched', 50000, 'USD', '2026-03-30', '2026-03-30', {x}, 1, {x}, 'amount_exceeds_due');

-- investment_has_ended | treasury | offer | money that is investment_has_ended
insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency,
    booked_on, value_on, line_sha256, version, chain_head, exception) values ('{ofr}', 'rcp_new', 'stm_rec_first',
    'key-new', 'unmatched', 50000, 'USD', '2026-03-30', '2026-03-30', {x}, 1, {x}, 'investment_has_ended');

-- references_do_not_sum | treasury | offer | money that is references_do_not_sum
insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency,
    booked_on, value_on, line_sha256, version, chain_head, exception) values ('{ofr}', 'rcp_new', 'stm_rec_first',
    'key-new', 'unmatched', 50000, 'USD', '2026-03-30', '2026-03-30', {x}, 1, {x}, 'references_do_not_sum');

-- match_was_undone | treasury | offer | money that is match_was_undone
insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency,
    booked_on, value_on, line_sha256, version, chain_head, exception) values ('{ofr}', 'rcp_new', 'stm_rec_first',
    'key-new', 'unmatched', 50000, 'USD', '2026-03-30', '2026-03-30', {x}, 1, {x}, 'match_was_undone');

-- source_is_not_approved | treasury | offer | money that is source_is_not_approved
insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency,
    booked_on, value_on, line_sha256, version, chain_head, exception) values ('{ofr}', 'rcp_new', 'stm_rec_first',
    'key-new', 'held', 50000, 'USD', '2026-03-30', '2026-03-30', {x}, 1, {x}, 'source_is_not_approved');

-- source_is_listed | treasury | offer | money that is source_is_listed
insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency,
    booked_on, value_on, line_sha256, version, chain_head, exception) values ('{ofr}', 'rcp_new', 'stm_rec_first',
    'key-new', 'held', 50000, 'USD', '2026-03-30', '2026-03-30', {x}, 1, {x}, 'source_is_listed');

-- waits_for_matching | treasury | offer | money that waits
insert into treasury.receipt (offering_id, receipt_id, statement_id, dedupe_key, status, amount_minor, currency,
    booked_on, value_on, line_sha256, version, chain_head) values ('{ofr}', 'rcp_new', 'stm_rec_first', 'key-new',
    'unmatched', 50000, 'USD', '2026-03-30', '2026-03-30', {x}, 1, {x});

-- linked_is_not_claimed | registry | inv | claim of another wallet
update portal.wallet_claim set address = decode(repeat('ab', 20), 'hex') where claim_id = '{wlc}';

-- linked_is_not_claimed | registry | inv | claim that is gone
delete from portal.wallet_claim where claim_id = '{wlc}';

-- claimed_is_not_linked | registry | inv | claim that nobody linked
update portal.wallet_claim set address = decode(repeat('ab', 20), 'hex'), status = 'claimed' where claim_id = '{wlc}';

-- linked_is_not_claimed | registry | inv | link of another wallet
update registry.wallet_mapping set address = decode(repeat('ab', 20), 'hex') where mapping_id = '{wmp}';

-- position_shows_another_wallet | engine | inv | link that is gone
delete from registry.wallet_mapping where mapping_id = '{wmp}';

-- position_shows_another_wallet | engine | inv | position without its wallet
update engine.position set wallet_is_linked = false where investment_id = '{inv}';

-- units_went_to_another_wallet | registry | inv | units to another wallet
update registry.issuance_instruction set address = decode(repeat('ab', 20), 'hex') where instruction_id = '{iss}';

-- holding_is_not_its_postings | registry | ivr | holding of other units
update registry.holding set units = 7 where offering_id = '{ofr}' and investor_id = '{ivr}';

-- control_book_is_not_the_register | registry | offer | holding that is gone
delete from registry.holding where offering_id = '{ofr}' and investor_id = '{ivr}';

-- register_is_not_its_postings | registry | offer | register over its postings
update registry.holding set units = 7 where offering_id = '{ofr}' and investor_id = '{ivr}';

-- closed_without_a_posting | registry | inv | posting that is gone
delete from registry.posting where instruction_id = '{iss}';

-- closed_without_a_posting | registry | inv | posting of other units
update registry.posting set units = 7 where instruction_id = '{iss}';

-- holding_is_not_its_lots | registry | ivr | lot that is gone
delete from registry.lot where instruction_id = '{iss}';

-- register_is_not_its_lots | registry | offer | register over its lots
update registry.lot set units = 7 where instruction_id = '{iss}';

-- control_book_is_not_the_register | registry | offer | control book of other units
update registry.control_book set issued_units = 7 where offering_id = '{ofr}';

-- posted_without_a_closing | registry | inv | posting outside a closing
update engine.investment set status = 'confirmed' where investment_id = '{inv}';

-- position_shows_another_holding | engine | inv | position without its holding
update engine.position set holding_is_registered = false, issuance = 'submitted' where investment_id = '{inv}';

-- on_chain_not_registered | registry | address | units that nobody registered
delete from registry.issuance_instruction where offering_id = '{ofr}' and investor_id = '{ivr}';

-- transfer_to_an_unknown_wallet | registry | offer | transfer to nobody
insert into registry.observed_transfer (offering_id, observed_id, status, chain_id, transaction_hash, ordinal,
    from_address, to_address, units, owner, block_number, mined_at, version, chain_head) values ('{ofr}', 'obs_x',
    'open', 31337, {x}, 0, decode(repeat('ab', 20), 'hex'), decode(repeat('cd', 20), 'hex'), 1, 'registry', 1, now(),
    1, {x});

-- balance_is_not_its_entries | treasury | offer | balance beside its entries
update treasury.balance set amount_minor = amount_minor + 1 where offering_id = '{ofr}' and account =
    'asset:escrow_bank';

-- balance_is_not_its_entries | treasury | offer | entry that is gone
delete from treasury.entry where offering_id = '{ofr}' and account = 'asset:escrow_bank';

-- statement_is_not_the_ledger | treasury | offer | statement with another balance
update treasury.statement set closing_minor = closing_minor + 1 where offering_id = '{ofr}';

-- lost_wallet_is_not_made_good | treasury | offer | wallet whose key is lost
insert into treasury.lost_part (offering_id, loss_id, distribution_id, currency, amount_minor) values ('{ofr}', 'wls_1', 'dst_1', 'USD', 100);

-- position_stands_at_its_facts | engine | inv | position with other bits
update engine.position set standing = 0 where investment_id = '{inv}';

-- run_was_missed | reconciliation | offer | missed run
update engine.offer set published_at = published_at - interval '3 months' where offering_id = '{ofr}';

-- state_is_not_its_events | engine | inv | state without its event
update engine.investment set status = 'legally_confirmed' where investment_id = '{inv}';

-- state_is_not_its_events | subscription | inv | state of an agreement without its event
update subscription.agreement set status = 'sent' where agreement_id = '{agr}';

-- state_is_not_its_events | treasury | inv | state of a receipt without its event
update treasury.receipt set status = 'matched' where receipt_id = '{rcp}';

-- record_is_not_its_last_event | registry | ivr | version without its event
update registry.wallet_mapping set version = version + 1 where mapping_id = '{wmp}';

-- record_is_not_its_last_event | compliance | ivr | head of no event
update compliance.clearance set chain_head = {x} where offering_id = '{ofr}' and investor_id = '{ivr}';

-- record_is_not_its_last_event | subscription | inv | last event that is gone
delete from audit.event where subject = '{agr}' and version = (select max(version) from audit.event where subject =
    '{agr}');

-- chain_is_broken | subscription | inv | first event that is gone
delete from audit.event where subject = '{agr}' and version = 1;

-- record_has_no_events | treasury | inv | events that are gone
delete from audit.event where subject = '{pay}';

-- event_is_not_its_hash | treasury | inv | event that was changed
update audit.event set canonical = replace(canonical, 'usr_first', 'usr_other') where subject = '{rcp}' and version =
    1;

-- chain_is_broken | treasury | inv | event that was rehashed
update audit.event set hash = {x} where subject = '{rcp}' and version = 1;

-- move_is_not_listed | engine | inv | move that no machine lists
update audit.event set kind = 'investment.invented' where subject = '{inv}' and version = 2;

-- move_is_not_listed | registry | inv | move by another keeper
update audit.event set keeper = 'portal' where subject = '{iss}' and version = 1;

-- event_is_not_its_hash | subscription | inv | event whose text is cut off
update audit.event set canonical = left(canonical, 20) where subject = '{agr}' and version = 1;

-- issue_without_an_instruction | registry | offer | units from nowhere
insert into registry.observed_transfer (offering_id, observed_id, status, chain_id, transaction_hash, ordinal, block_number, mined_at,
    from_address, to_address, units, owner, version, chain_head)
values ('{ofr}', 'obs_1', 'unauthorised', 1, {x}, 0, 1, now(), decode(repeat('00', 20), 'hex'), decode(repeat('02', 20), 'hex'), 5, 'registry', 1, {x});

-- transfer_waits_for_a_second_person | registry | offer | transfer that one person explained
insert into registry.observed_transfer (offering_id, observed_id, status, chain_id, transaction_hash, ordinal, block_number, mined_at,
    from_address, to_address, units, seller_id, buyer_id, owner, version, chain_head)
values ('{ofr}', 'obs_1', 'explained', 1, {x}, 0, 1, now(), decode(repeat('01', 20), 'hex'), decode(repeat('02', 20), 'hex'), 5, '{ivr}', 'ivr_other', 'registry', 1, {x});

-- transfer_without_authority | registry | offer | transfer that nobody asked for
insert into registry.observed_transfer (offering_id, observed_id, status, chain_id, transaction_hash, ordinal, block_number, mined_at,
    from_address, to_address, units, seller_id, buyer_id, owner, version, chain_head)
values ('{ofr}', 'obs_1', 'unauthorised', 1, {x}, 0, 1, now(), decode(repeat('01', 20), 'hex'), decode(repeat('02', 20), 'hex'), 5, '{ivr}', 'ivr_other', 'registry', 1, {x});

-- archived_bytes_are_not_their_hash | subscription | offer | file that the round found damaged
insert into subscription.damage (damage_id, sha256, found_sha256, status, version, chain_head)
select 'dmg_1', a.executed_sha256, {x}, 'found', 1, {x} from subscription.agreement a where a.agreement_id = '{agr}';

-- escrow_is_not_initiated | treasury | offer | escrow that the treasury does not know
insert into engine.allocation (offering_id, allocation_id, tranche, entity_id, status, amount_minor, currency, settlement_due_at, investment_id,
    requested_by, version, chain_head)
values ('{ofr}', 'ica_1', 'a', 'ent_1', 'escrow_initiated', 10000000, 'USD', now() + interval '9 days', '{inv}', 'usr_1', 1, {x});

-- settlement_is_overdue | treasury | offer | settlement past its day
insert into engine.allocation (offering_id, allocation_id, tranche, entity_id, status, amount_minor, currency, settlement_due_at, investment_id,
    requested_by, version, chain_head)
values ('{ofr}', 'ica_1', 'a', 'ent_1', 'escrow_initiated', 10000000, 'USD', now() - interval '9 days', '{inv}', 'usr_1', 1, {x});
