-- name: open_offer$
-- Open offer.
select engine.open_offer(:actor, :request, :offering, cast(:terms as jsonb));

-- name: move_offer$
-- Moves an offer along its machine; what the move needs is checked by the row itself.
select engine.move_offer(:actor, :request, :offering, :status);

-- name: name_token$
-- Name token.
select engine.name_token(:actor, :request, :offering, cast(:chain_id as bigint), :token, :treasury);

-- name: open_investment$
-- Opens an investment and its position; units are reserved against the offer under its lock.
select engine.open_investment(:actor, :request, :offering, :investment, :investor, cast(:units as bigint));

-- name: confirm$
-- The investor submits the review step; profile, compliance and the signed packet must hold at this moment.
select engine.confirm(:actor, :request, :offering, :investment);

-- name: confirm_legally$
-- Confirm legally.
select engine.confirm_legally(:actor, :request, :offering, :investment);

-- name: record_refusal$
-- Keeps what a gate turned away; the refused act itself left nothing behind.
select engine.record_refusal(:actor, :request, :offering, :subject, :act, :rule, cast(:missing as jsonb));

-- name: freeze_closing$
-- Freezes a closing of the named investments, or of all candidates. Every one of them must pass the gate in this
-- very transaction; otherwise nothing is frozen and every missing condition is named. Enqueues the process.
select engine.freeze_closing(:actor, :request, :offering, :closing, cast(:investments as text[]));

-- name: leave_closing$
-- One whose gate closed before issuance leaves the set; the others go on.
select engine.leave_closing(:actor, :request, :offering, :closing, cast(:investments as text[]), :because);

-- name: mark_issued$
-- The set is issued when every member that stayed stands in the register.
select engine.mark_issued(:actor, :request, :offering, :closing);

-- name: mark_released$
-- Mark released.
select engine.mark_released(:actor, :request, :offering, :closing);

-- name: certify$
-- Writes the certificate of a released closing: who, how many units, on which facts, in which transactions.
select engine.certify(:actor, :request, :offering, :closing);

-- name: touched_by_change$
-- The verified fields that an applied change touched.
select touched from portal.change_fact where investor_id = :investor and change_id = :change;

-- name: offers
-- Every offer, the newest last.
select offering_id, issuer_id, name, exemption, currency, unit_price_minor, units_total, status, chain_id,
    token_address, treasury_address from engine.offer order by offering_id;

-- name: offer^
-- One offer.
select offering_id, issuer_id, name, exemption, currency, unit_price_minor, units_total, status, chain_id,
    token_address, treasury_address from engine.offer where offering_id = :offering;

-- name: five_counts^
-- What each of the five books counts as done by itself.
select * from engine.five_counts where offering_id = :offering;

-- name: candidates
-- Who would be in a closing now, and what each lacks.
select investment_id, units, amount_minor, missing from engine.stage
where offering_id = :offering and status in ('new', 'confirmed', 'legally_confirmed') and issuance_state = 'open'
order by investment_id;

-- name: stage^
-- The composite stages of one investment.
select * from engine.stage where investment_id = :investment;

-- name: stages_of_investor
-- The investments of one investor in one offer.
select * from engine.stage where offering_id = :offering and investor_id = :investor;

-- name: closing^
-- One closing.
select * from engine.closing where closing_id = :closing;

-- name: closings
-- The closings of an offer by number.
select * from engine.closing where offering_id = :offering order by ordinal;

-- name: frozen_members
-- The members of a closing that stay in it.
select investment_id, units from engine.closing_member
where offering_id = :offering and closing_id = :closing and status = 'frozen' order by investment_id;

-- name: pending_reactions
-- Events in feed order that the process answers and has not answered yet.
select f.seq, e.scope, e.subject, e.version, e.kind, cast(e.canonical as jsonb) -> 'payload' as payload, e.actor
from audit.feed f join audit.event e using (scope, subject, version)
where f.seq > :after and e.kind = any (:kinds)
    and not exists (select from audit.reaction r where r.consumer = :consumer and r.scope = e.scope
        and r.subject = e.subject and r.version = e.version)
order by f.seq limit :most;

-- name: react$
-- Takes an event for a consumer inside the transaction of its effect; false when that was done before.
select audit.react(:consumer, :scope, :subject, cast(:version as bigint), :result, :detail);

-- name: because$
-- Says which event makes the following writes happen.
select audit.because(:event, null);

-- name: agreement_in_force^
-- The agreement of an investment that is neither voided nor declined.
select agreement_id, status, units, amount_minor, document_sha256, executed_sha256, profile_digest
from subscription.agreement_fact where offering_id = :offering and investment_id = :investment
    and status in ('draft', 'sent', 'investor_signed', 'countersigned');

-- name: agreement^
-- One agreement.
select investment_id, status, units, profile_digest from subscription.agreement_fact
where offering_id = :offering and agreement_id = :agreement;

-- name: allocation^
-- One allocation approval.
select investment_id, status, units from subscription.allocation_fact
where offering_id = :offering and approval_id = :approval;

-- name: profile^
-- What the portal says of a profile, without personal data.
select investor_id, kind, status, detail_version, detail_digest from portal.profile_fact where investor_id = :investor;

-- name: wallets_at
-- Claimed wallets with an address that has been screened.
select offering_id, mapping_id from registry.wallet_fact where address = :address and status = 'claimed';

-- name: live_attempts$
-- How many payment attempts of an investment are live.
select count(*) from treasury.attempt_fact where offering_id = :offering and investment_id = :investment
    and status in ('initialized', 'in_progress', 'received', 'cleared');

-- name: release_of_closing^
-- The release of a closing.
select release_id, status, amount_minor from treasury.release_fact
where offering_id = :offering and closing_id = :closing order by release_id desc limit 1;

-- name: certificate^
-- The certificate of a closing.
select canonical, sha256 from engine.certificate where offering_id = :offering and closing_id = :closing;

-- name: breaks
-- The open breaks of an offer, the oldest first.
select break_id, comparison, subject_id, kind, left_value, right_value, owner, since
from reconciliation.break where offering_id = :offering and status = 'open' order by since, break_id;

-- name: totals^
-- Units in the register and in the control book, and holdings displayed.
select (select coalesce(sum(units), 0) from registry.holding_fact where offering_id = :offering)::bigint as registered_units,
    (select count(*) from registry.holding_fact where offering_id = :offering and units > 0) as holdings,
    (select issued_units from registry.control_fact where offering_id = :offering) as control_units,
    (select coalesce(sum(units), 0) from engine.stage where offering_id = :offering and issuance)::bigint as displayed_units;

-- name: holders_on_chain
-- The addresses that the register knows to hold units of an offer.
select distinct encode(address, 'hex') as address from registry.instruction_fact
where offering_id = :offering and transaction_id is not null;

-- name: registered_members
-- Members of a closing that stand in the register.
select m.investment_id from engine.closing_member m join engine.stage s using (offering_id, investment_id)
where m.offering_id = :offering and m.closing_id = :closing and s.issuance_state = 'registered';

-- name: clearance^
-- One clearance.
select investor_id, status, lacks from compliance.clearance_fact
where offering_id = :offering and clearance_id = :clearance;

-- name: agreements_of_investor
-- The agreements in force of an investor over all offers.
select a.offering_id, a.agreement_id from subscription.agreement_fact a
join engine.investment i using (offering_id, investment_id)
where i.investor_id = :investor and a.status in ('draft', 'sent', 'investor_signed', 'countersigned');

-- name: live_allocations$
-- How many allocations of an investment are proposed or approved.
select count(*) from subscription.allocation_fact
where offering_id = :offering and investment_id = :investment and status in ('proposed', 'approved');

-- name: release^
-- One release.
select closing_id, status, amount_minor from treasury.release_fact
where offering_id = :offering and release_id = :release;

-- name: receive_message$
-- Keeps a verified message; true when it is new.
select audit.receive_message(:provider, :message, :body, :key_id);
