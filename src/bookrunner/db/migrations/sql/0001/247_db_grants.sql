-- Each keeper may call the verbs of its own book and read its own tables; engine and reconciliation read views.

do $grants$
declare
    book text;
    verb regprocedure;
begin
    foreach book in array array['portal', 'compliance', 'subscription', 'treasury', 'registry', 'engine', 'reconciliation'] loop
        execute format('grant usage on schema %I to %I', book, book);
        execute format('grant select on all tables in schema %I to %I', book, book);
        for verb in select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
            where n.nspname = book and p.prosecdef and p.proargnames[1] = 'p_actor' loop
            execute format('grant execute on function %s to %I', verb, book);
        end loop;
        execute format('grant usage on schema audit to %I', book);
        execute format('grant execute on function audit.react(text, text, text, bigint, text, text),
            audit.receive_message(text, text, bytea, text), audit.because(text, timestamptz),
            audit.note_traces(text[], text[], text), audit.payload_of(text) to %I', book);
        execute format('grant select on audit.event, audit.feed, audit.kept_table to %I', book);
    end loop;
end $grants$;

grant usage on schema audit to audit;
grant select on all tables in schema audit to audit;
grant execute on function audit.advance_feed(integer), audit.unsealed_heads(bigint),
    audit.record_seal(bigint, bigint, bigint, bytea, timestamptz, jsonb), audit.note_traces(text[], text[], text),
    audit.payload_of(text), audit.whose_record(text, text), audit.records_of(text), audit.gaps_of(text),
    audit.take_list(text, text, text, text, text, text, text, timestamptz, timestamptz),
    audit.look_at_record(text, text, text, text, text, text), audit.end_examination(text, text, text, bytea, integer),
    audit.sign_anchor(text, text, text, bigint, bigint, bytea, bigint, bytea, bytea, bigint[]),
    audit.raise_anchor(text, text, text, bytea, bytea, bigint[]),
    audit.note_anchor(text, text, text, text, bytea, bigint, bytea, bytea),
    audit.begin_examination(text, text, text, timestamptz, timestamptz, text) to audit;
grant select on audit.trace to engine;
grant select on audit.reaction, audit.refusal, audit.seal to engine, reconciliation;

do $views$
declare
    published regclass;
    reader text;
begin
    foreach reader in array array['engine', 'reconciliation', 'audit'] loop
        execute format('grant usage on schema portal, compliance, subscription, treasury, registry, engine, reconciliation to %I', reader);
        for published in select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where c.relkind = 'v' and c.relname not in ('profile_claim', 'spelling_difference', 'hit_queue', 'case_queue',
                'retention_fact', 'ownership_chart', 'list_status', 'blocked_fact', 'payer_fact', 'waiting_work', 'overdue_review',
                'suitability_claim', 'ownership_claim', 'intake_case')
            and n.nspname in ('portal', 'compliance', 'subscription', 'treasury', 'registry', 'engine', 'reconciliation') loop
            execute format('grant select on %s to %I', published, reader);
        end loop;
    end loop;
end $views$;

-- A call of the API runs under the login of its key's keeper, and reaches that keeper's verbs alone.
grant usage on schema api to portal, compliance, subscription, treasury, registry, engine, audit, issuer;
grant execute on function api.caller(bytea), api.holder(bytea), api.open_session(bytea, bytea), api.session_of(bytea, boolean), api.end_session(bytea)
    to portal, compliance, subscription, treasury, registry, engine, audit, issuer;
grant execute on function api.admit(bytea), api.refuse_call(bytea, text, text, text)
    to portal, compliance, subscription, treasury, registry, engine, audit, issuer;
grant execute on function api.propose(bytea, text, bytea, text, text, jsonb, text, integer),
    api.decide_proposal(bytea, text, bytea, text, boolean, text), api.proposals(text)
    to portal, compliance, subscription, treasury, registry, engine, audit;
grant execute on function api.offer_of(text, text), api.accept_token(bytea, text, text, text[], timestamptz)
    to portal, compliance, subscription, treasury, registry, engine, audit;
grant execute on function api.client_keeper(text, text) to engine;
grant execute on function api.request_allocation(bytea, text, bytea, text, text, text, jsonb),
    api.move_allocation(bytea, text, bytea, text, text, text, text, text),
    api.decide_case(bytea, text, bytea, text, text, text, text, text, text) to engine;
grant execute on function api.act_on_investment(bytea, text, bytea, text, text, text, text),
    api.open_investment(bytea, text, bytea, text, text, text, bigint),
    api.open_offer(bytea, text, bytea, text, jsonb), api.move_offer(bytea, text, bytea, text, text, text),
    api.end_review(bytea, text, bytea, text, text, boolean, text), api.fail_offer(bytea, text, bytea, text, text, text, text),
    engine.terms_of(text), engine.terms_as_of(text, timestamptz), engine.counted_minor(text), engine.free_cancellation(text, text),
    engine.distribution_flows(text, date), api.candidates_version(text), engine.candidates(text), engine.issuable(text, text), engine.allot(text, jsonb), engine.book_version(text),
    api.freeze_closing(bytea, text, bytea, text, text, text, text, text[]),
    api.freeze_is_due(bytea, text, bytea, text, text),
    api.keep_refusal(bytea, text, text, text, text, text, jsonb),
    api.name_policy(bytea, text, bytea, text, text, bigint, integer),
    api.wait_for_units(bytea, text, bytea, text, text, text, bigint),
    api.decide_allotment(bytea, text, bytea, text, text, text, jsonb, text, text),
    api.scale_back(bytea, text, bytea, text, text, text, bigint, text, text),
    api.propose_amendment(bytea, text, bytea, text, text, boolean, text, bytea),
    api.decide_amendment(bytea, text, bytea, text, text, bigint, boolean, text),
    api.state_filing_fact(bytea, text, bytea, text, text, text, text, date, text, bytea),
    api.fill_filing(bytea, text, bytea, text, text, text, text), api.prepare_filing(bytea, text, bytea, text, bigint),
    api.record_filing(bytea, text, bytea, text, bigint, date, text, bytea),
    api.end_filing(bytea, text, bytea, text, bigint, text), api.confirm_filing_end(bytea, text, bytea, text, bigint),
    api.reopen_filing(bytea, text, bytea, text, bigint, text) to engine;
grant execute on function api.answer_reconfirmation(bytea, text, bytea, text, text, boolean),
    api.propose_allocation(bytea, text, bytea, text, text, bigint),
    api.approve_allocation(bytea, text, bytea, text, text, text),
    api.act_on_application(bytea, text, bytea, text, text, jsonb),
    api.act_on_packet(bytea, text, bytea, text, text, text, jsonb, bytea) to subscription;
grant execute on function api.accept_statement(bytea, text, bytea, text, text, text, text, text, text),
    api.withdraw_acceptance(bytea, text, bytea, text, text, text, text, text),
    api.publish_questionnaire(bytea, text, bytea, text, jsonb, text),
    api.act_on_case(bytea, text, bytea, text, text, text, jsonb), api.keep_file(bytea, text, bytea, text, text, bytea),
    api.open_clearance(bytea, text, bytea, text, text, text), api.take_ownership(bytea, text, bytea, text, text, text),
    api.decide_check(bytea, text, bytea, text, text, text, text, text, jsonb) to compliance;
grant execute on function api.answer_suitability(bytea, text, bytea, text, text, text, integer, jsonb, boolean, text),
    api.certify_ownership(bytea, text, bytea, text, text, text, jsonb, jsonb, boolean),
    api.open_profile(bytea, text, bytea, text, text, text, jsonb, text, bytea),
    api.amend_profile(bytea, text, bytea, text, text, jsonb),
    api.request_profile_change(bytea, text, bytea, text, text, text, jsonb, text, text),
    api.name_delegate(text, text, bytea, text, text, jsonb), api.end_delegation(text, text, bytea, text, text),
    api.decide_profile_change(text, text, bytea, text, text, text, text, boolean, text) to portal;
grant execute on function api.is_shut(text) to portal;
grant execute on function api.commitment_limit(text, text) to portal, compliance;
grant execute on function api.questionnaire(text) to portal, compliance, subscription, engine;
grant execute on function api.ask_wallet(bytea, text, bytea, text, text, text, jsonb),
    api.claim_wallet(bytea, text, bytea, text, text, text, text, bytea, text, jsonb, jsonb) to portal;
grant execute on function api.request_transfer(bytea, text, bytea, text, text, jsonb, jsonb, text, jsonb),
    api.take_transfer(text, text, bytea, text, text, jsonb, jsonb, text, jsonb),
    api.act_for_holder(text, text, bytea, text, text, text, text, jsonb, text, jsonb),
    api.act_on_interest(text, text, bytea, text, text, text, jsonb, text, text, jsonb),
    api.act_on_transfer(bytea, text, bytea, text, text, text, text, jsonb, timestamptz, text[], text, jsonb) to registry;
grant execute on function api.propose_on_receipt(bytea, text, bytea, text, text, text, text, text, text, text),
    api.decide_on_receipt(bytea, text, bytea, text, text, text, text, boolean, text),
    api.clear_receipt(bytea, text, bytea, text, text, text) to treasury;
-- Who states and who verified both see where the two differ.
grant usage on schema subscription to compliance;
grant execute on function subscription.read_contradictions(text) to subscription, compliance;

-- The portal displays what the engine computes; compliance reads the claimed identity it verifies.
grant usage on schema engine to portal, registry, treasury, subscription, compliance;
revoke select on engine.waiting_work from engine;
grant select on engine.intake_case to compliance;
grant execute on function engine.decide_intake(text, text, text, text, boolean, text, bigint) to compliance;
grant select on engine.waiting_work to compliance;
grant select on engine.stage, engine.condition, engine.gate, engine.offer, engine.unit_standing, engine.allotment_list,
    engine.reservation_end to portal, registry, treasury, subscription, compliance;
grant select on reconciliation.break, reconciliation.reminder to audit;
grant select on engine.offer, engine.investment, engine.closing, engine.closing_member, engine.certificate to audit, reconciliation;
grant execute on function engine.packet_to_do(text, text), engine.free_cancellation(text, text), portal.is_locked(text),
    portal.is_erased(text),
    audit.person_of(text) to portal;
grant select on engine.investor_notice, engine.report_owed to portal;
grant execute on function engine.filing_pack(text, text) to engine, audit;
grant execute on function engine.bound_offers(), engine.paid_in(text, integer),
    engine.coupon_on(text, integer, date), engine.tax_year_differs(text, text, integer) to engine;
grant execute on function engine.filing_shown(text, text) to engine, audit;
grant execute on function engine.principal_left(text, date), engine.coupon_periods(text, text) to engine, reconciliation, audit;
grant execute on function engine.filing_day(timestamptz) to portal, engine, reconciliation, audit;
-- Whoever pays a distribution sees what it pays.
grant select on engine.distribution_standing, engine.distribution_line_standing, engine.distribution_tiers, engine.cash_in_lieu, engine.payee_of_offer,
    engine.transfer_charge, engine.reinvestment_standing to treasury;
grant select on engine.reinvestment_standing to registry;
-- The agent sees whom mail and money do not reach.
grant select on engine.holder_work, engine.unpaid_money to registry;
grant execute on function engine.is_matched(text[]) to registry, engine, reconciliation, audit;
grant execute on function registry.dormancy_of(text, text, text) to registry, engine, reconciliation, audit;
-- They act on a closing: registry delivers its members, treasury releases their escrow.
grant select on engine.closing to registry, treasury;
-- It keeps the escrow record of an institution's allocation.
grant select on engine.escrow_standing to treasury;
-- The sheet of a closing is made from its record.
grant select on engine.certificate to subscription;
grant usage on schema portal to compliance;
grant select on portal.profile_claim, portal.suitability_fact, portal.ownership_fact, portal.spelling_difference, portal.change_fact, portal.version_fact to compliance;
-- Sealed fields and their keys are read by a verb that records the view.
revoke select on portal.data_key from portal;
revoke select on compliance.data_key from compliance;
-- The desk is read by verbs that record who looks.
revoke select on compliance.suspicion, compliance.suspicion_view, compliance.sealed_content, compliance.retention_fact
    from compliance;
grant select (investor_id, key_id, status, version, chain_head) on compliance.data_key to compliance;
grant select (investor_id, key_id, status, version, chain_head) on portal.data_key to portal;
grant select on reconciliation.break, reconciliation.run to engine;
grant usage on schema treasury to portal;
grant execute on function subscription.readable(text, bytea) to subscription;
grant select on engine.issuer_sign to portal;
grant execute on function treasury.what_follows(text, text) to treasury, portal, engine, reconciliation, audit;
grant select on treasury.funding_card, treasury.escrow_agent, treasury.declared_fee, treasury.taken_currency, treasury.rate_standing to portal;
-- Whoever looks at an offer sees whether its units move.
grant usage on schema registry to portal;
grant select on registry.pause_fact to portal;
grant usage on schema reconciliation to engine;
grant execute on function reconciliation.touched(integer), reconciliation.addresses_of(text, text[]),
    reconciliation.units_apart(text, text[], jsonb) to reconciliation;
grant select on treasury.payer_fact to engine;

-- A view runs its functions with its reader's rights.
grant execute on function engine.holds(engine.position), engine.holds_at(integer, timestamptz), engine.stands_at(engine.position),
    engine.missing(engine.position, integer),
    engine.since(engine.position, text), engine.facts(engine.position), audit.instant(timestamptz),
    engine.mask(text[]), engine.stage_mask(text), engine.keeper_mask(text), engine.act_mask(text)
    to portal, compliance, subscription, treasury, registry, engine, reconciliation, audit;
grant execute on function treasury.banking_day(date, integer) to treasury, portal, engine, reconciliation, audit;
grant select on treasury.bank_holiday to portal, engine, reconciliation, audit;
grant execute on function treasury.may_be_sent_back(text, text) to treasury;
grant execute on function treasury.is_final_at_the_bank(treasury.receipt), treasury.is_final_in_the_paying_wallet(treasury.receipt), treasury.is_in_hand(treasury.receipt) to treasury;
grant execute on function treasury.fees_shown(text, text), treasury.fees_differ(text, text, text) to treasury;
grant execute on function treasury.owing(treasury.receipt), treasury.goes_back_on(date),
    treasury.stopped_by(text, text, boolean, text, boolean, text) to treasury, engine, reconciliation, audit;
grant execute on function treasury.exchanged(bigint, numeric, integer, numeric, integer)
    to portal, treasury, engine, reconciliation, audit;
grant select on engine.condition, engine.gate to audit, reconciliation;

grant execute on function registry.is_paused(text), registry.is_account_frozen(text, text), registry.frozen_units(text, text),
    registry.free_units(text, text), registry.restraint_refusals(text, jsonb), registry.linked_address(text, text),
    registry.payer_of(registry.transfer_request), registry.payee_of(registry.transfer_request),
    registry.account_address(text, text), registry.account_addresses(text, text),
    registry.wallet_seen(registry.control_action), registry.has_moved(registry.control_action),
    registry.order_has_its_receiver(registry.control_action)
    to registry, engine, reconciliation, audit;
grant execute on function registry.split_hindrances(text, text) to registry, engine, audit;
grant execute on function registry.volume_now(text, bigint, timestamptz) to registry;
grant execute on function registry.is_line_released(text, text, text) to registry, engine, reconciliation, audit;
grant execute on function engine.capital_let_go(engine.redemption) to engine;
grant execute on function registry.line_hindrances(text, text), registry.burn_plan(text, text), registry.free_balance(text, text, boolean) to registry, engine, audit;
grant execute on function registry.conversion_hindrances(text, text), registry.conversion_working(text, text),
    registry.inputs_missing(registry.conversion), registry.inputs_of_conversion(registry.conversion),
    registry.input_of(registry.conversion, text), registry.price_of_conversion(registry.conversion) to registry, engine, reconciliation, audit;
grant execute on function registry.converted_by(registry.movement), registry.lines_of_conversion(registry.conversion),
    registry.places_of_conversion(registry.conversion), registry.interest_days(registry.conversion, text),
    registry.first_bought_on(text, text), registry.wallets_of_conversion(text, text) to registry;
grant execute on function registry.mint_plan(text, text[]), registry.reinvestment_hindrances(text, text[]), registry.plan_on(text, date), registry.elections_on(text, date),
    registry.counts_from(text, date)
    to registry, engine, reconciliation, audit;
grant execute on function registry.places_of_split(registry.split, bigint), registry.lines_of_split(registry.split),
    registry.units_after_split(bigint, registry.split), registry.authorised_after_split(bigint, registry.split),
    registry.apportioned(bigint, text[], bigint[]) to registry;
grant execute on function registry.units_as_of(text, date), registry.register_as_of(text, date), registry.control_as_of(text, date), registry.end_of(date),
    registry.require_day(date), registry.lots_as_of(text, text, date), registry.missing_papers(text, text), registry.today(),
    registry.transfer_refusals(text, text, text, bigint, text), registry.stakeholders(text),
    registry.unknown_investors(text[]), registry.places_of(text, text, timestamptz), registry.registration_of(text, text, timestamptz),
    registry.missing_registration_papers(registry.registration_change), registry.period_of(text), registry.period_binds(text, text, boolean) to registry;
-- A view of lots says from when on each is free.
grant execute on function registry.free_on(text, text, date), registry.today() to registry, engine, reconciliation, audit;

-- What compliance may compute when it reads its own book.
do $reads$
declare
    read regprocedure;
begin
    for read in select p.oid::regprocedure from pg_proc p join pg_namespace n on n.oid = p.pronamespace
        where n.nspname = 'compliance' and p.provolatile <> 'v' and (not p.prosecdef or p.proname in ('units_unstated', 'country_is_permitted')) loop
        execute format('grant execute on function %s to compliance', read);
    end loop;
end $reads$;

-- Webhooks: the engine writes for whoever the key's own login has judged, and sends; an issuer reads behind row security.
grant execute on function api.register_webhook(text, text, bytea, text, jsonb, jsonb),
    api.switch_webhook(text, text, bytea, text, text, text), api.rotate_webhook(text, text, bytea, text, text, jsonb, timestamptz, integer),
    api.send_webhook(text, text, bytea, text, text, bigint, bigint), api.test_webhook(text, text, bytea, text, text),
    api.fan_out_webhooks(integer), api.take_webhooks(timestamptz, integer, integer),
    api.record_webhook(text, text, timestamptz, timestamptz, text, integer, jsonb), api.end_webhooks(text, text),
    api.purge_webhooks(timestamptz, integer), api.keys_in_force(bytea[]) to engine;
grant select on api.webhook_kind to engine;
grant select on engine.webhook_endpoint, api.webhook_progress, api.webhook_delivery, api.webhook_attempt, api.webhook_standing
    to engine, audit, issuer;
grant select (secret_id, endpoint_id, public_key, made_by, valid_from, valid_until, last_used_at) on api.webhook_secret
    to engine, audit, issuer;
