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

-- name: touched_by_changes
-- The verified fields that applied changes touched.
select e.subject || '@' || e.version as cause, c.investor_id, c.touched
from unnest(cast(:scopes as text[]), cast(:subjects as text[]), cast(:versions as bigint[]))
    as e (scope, subject, version)
join portal.change_fact c on c.investor_id = e.scope and c.change_id = e.subject;

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
-- Who would be in a closing now, and what each lacks; who was left out of one comes back by a decision alone.
select investment_id, units, amount_minor, missing from engine.candidates(:offering);

-- name: stage^
-- The composite stages of one investment.
select * from engine.stage where investment_id = :investment;

-- name: closing^
-- One closing.
select * from engine.closing where closing_id = :closing;

-- name: closings
-- The closings of an offer by number.
select * from engine.closing where offering_id = :offering order by ordinal;

-- name: open_closings
-- Frozen closings, which the process still has to carry to the register.
select offering_id, closing_id from engine.closing where status = 'frozen' order by offering_id, ordinal;

-- name: frozen_members
-- The members of a closing that stay in it, how far each is issued, and what keeps it from an instruction. One whose
-- transaction did nothing is instructed again, twice at most.
select m.investment_id, m.units, pos.investor_id, pos.issuance, i.stopped_because
from engine.closing_member m join engine.position pos using (offering_id, investment_id)
left join (select f.investment_id, case when count(f.transaction_id) > 2
            or (array_agg(f.transaction_id order by f.instruction_id desc))[1] is null
        then (array_agg(f.stopped_because order by f.instruction_id desc))[1] end as stopped_because
    from registry.instruction_fact f where f.offering_id = :offering and f.closing_id = :closing and f.status = 'stopped'
    group by f.investment_id) i on i.investment_id = m.investment_id
where m.offering_id = :offering and m.closing_id = :closing and m.status = 'frozen' order by m.investment_id;

-- name: issuable
-- The members of a closing that have no instruction and whose gate is open now, with their wallets.
select i.investment_id, i.units, i.investor_id, i.address from engine.issuable(:offering, :closing) i;

-- name: screened_before
-- Of these investors, those for whom another version than that of a list in force was the last to answer.
select distinct pos.investor_id from engine.position pos
where pos.offering_id = :offering and pos.investor_id = any (cast(:investors as text[]))
    and not coalesce(pos.screened_against, '{}') @> cast(:lists as jsonb);

-- name: residences
-- The country of each member of a closing, by the profile that its position rests on.
select m.investment_id, v.country from engine.closing_member m join engine.position pos using (offering_id, investment_id)
join portal.version_fact v on v.investor_id = pos.investor_id and v.detail_digest = pos.profile_digest
where m.offering_id = :offering and m.closing_id = :closing;

-- name: pending_reactions
-- Events in feed order that the process answers and has not answered yet. Until the end of the transaction half of the free
-- strands are ours, at least one, so that another worker finds some: a strand is a scope for some kinds, and one for all
-- others, whose order counts across scopes. A strand that was passed over is left alone: its earlier events come first.
with waiting as materialized (
    select f.seq, e.scope, e.subject, e.version, e.kind, audit.payload_of(e.canonical) as payload, e.actor,
        case when e.kind = any (cast(:by_scope as text[])) then e.scope else '' end as strand
    from audit.feed f join audit.event e using (scope, subject, version)
    where f.seq > :after and e.kind = any (:kinds)
        and not exists (select from audit.reaction r where r.consumer = :consumer and r.scope = e.scope
            and r.subject = e.subject and r.version = e.version)
    order by f.seq limit :most
), taken as materialized (
    select d.strand from (select distinct strand from waiting order by strand) d
    where d.strand <> all (cast(:passed as text[])) and pg_try_advisory_xact_lock(hashtext(:consumer), hashtext(d.strand) & 63)
    limit (select (count(distinct strand) + 1) / 2 from waiting)
)
select w.*, t.strand is not null as is_ours from waiting w left join taken t using (strand) order by w.seq;

-- name: unanswered
-- The places, from one, of these events that their consumers have not answered yet.
select w.place from unnest(cast(:consumers as text[]), cast(:scopes as text[]), cast(:subjects as text[]),
    cast(:versions as bigint[])) with ordinality as w (consumer, scope, subject, version, place)
where not exists (select from audit.reaction r where r.consumer = w.consumer and r.scope = w.scope
    and r.subject = w.subject and r.version = w.version);

-- name: stand_still$
-- Lets this transaction wait for others of ours longer than a keeper's may stand idle. Not for ever: a worker that hangs or
-- is cut off gives its strands back, and an answer that another gave meanwhile is not given twice.
select set_config('idle_in_transaction_session_timeout', '10min', true);

-- name: await_strand$
-- Waits until nobody has a strand.
select pg_advisory_xact_lock_shared(hashtext(:family), hashtext(:strand) & 63);

-- name: announced
-- Which kinds of these events came into a stretch of the feed, and in which scopes.
select distinct e.kind, e.scope from audit.feed f join audit.event e using (scope, subject, version)
where f.seq > :after and f.seq <= :end and e.kind = any (:kinds);

-- name: take_turn$
-- Takes the turn of a work by the clock: nothing when it is taken, else the milliseconds until it may be.
select engine.take_turn(:actor, :request, :work, cast(:seconds as integer));

-- name: react$
-- Takes an event for a consumer inside the transaction of its effect; false when that was done before.
select audit.react(:consumer, :scope, :subject, cast(:version as bigint), :result, :detail);

-- name: because$
-- Says which event makes the following writes happen.
select audit.because(:event, null);

-- name: agreements_in_force
-- The agreements of investments that are neither voided nor declined.
select agreement_id, investment_id, status, units, amount_minor, document_sha256, executed_sha256, profile_digest
from subscription.agreement_fact where offering_id = :offering and investment_id = any (:investments)
    and status in ('draft', 'sent', 'investor_signed', 'countersigned') order by investment_id;

-- name: profiles
-- What the portal says of profiles, without personal data.
select investor_id, kind, status, detail_version, detail_digest from portal.profile_fact
where investor_id = any (:investors) order by investor_id;

-- name: release_of_closing^
-- The release of a closing.
select release_id, status, amount_minor from treasury.release_fact
where offering_id = :offering and closing_id = :closing order by release_id desc limit 1;

-- name: certificate^
-- The certificate of a closing.
select canonical, sha256 from engine.certificate where offering_id = :offering and closing_id = :closing;

-- name: breaks
-- The breaks of an offer that nothing has verified, the oldest first.
select break_id, comparison, subject_id, kind, left_value, right_value, owner, since, status, severity
from reconciliation.break_fact where offering_id = :offering and status <> 'verified' order by since, break_id;

-- name: totals^
-- Units in the register and in the control book, and holdings displayed.
select (select coalesce(sum(units), 0) from registry.holding_fact where offering_id = :offering)::bigint as registered_units,
    (select count(*) from registry.holding_fact where offering_id = :offering and units > 0) as holdings,
    (select issued_units from registry.control_fact where offering_id = :offering) as control_units,
    (select coalesce(sum(units), 0) from engine.stage where offering_id = :offering and issuance)::bigint as displayed_units;

-- name: holders_on_chain
-- The addresses that the register knows to hold units of an offer.
select encode(address, 'hex') as address from registry.instruction_fact
where offering_id = :offering and transaction_id is not null
union select encode(address, 'hex') from registry.address_units where offering_id = :offering;


-- name: release^
-- One release.
select closing_id, status, amount_minor from treasury.release_fact
where offering_id = :offering and release_id = :release;

-- name: receive_message$
-- Keeps a verified message; true when it is new.
select audit.receive_message(:provider, :message, :body, :key_id);

-- name: feed_end$
-- The last place of the feed that is given away.
select coalesce(max(seq), 0) from audit.feed;

-- name: agreement_terms
-- What the agreements of the investors state now whom these clearances or investments concern, with the reference of a
-- live payment attempt, and which is in force; cause names the last event that concerns the investor: whoever takes it sees
-- what the others tell.
with concerned as (
    select distinct on (1, 2) e.scope as offering_id, coalesce(c.investor_id, i.investor_id, ai.investor_id) as investor_id,
        e.subject || '@' || e.version as cause
    from unnest(cast(:scopes as text[]), cast(:subjects as text[]), cast(:versions as bigint[]))
    with ordinality as e (scope, subject, version, place)
    left join compliance.clearance_fact c on c.offering_id = e.scope and c.clearance_id = e.subject
    left join engine.investment i on i.offering_id = e.scope and i.investment_id = e.subject
    left join subscription.application_fact ap on ap.offering_id = e.scope and ap.application_id = e.subject
    left join engine.investment ai on ai.offering_id = ap.offering_id and ai.investment_id = ap.investment_id
    order by 1, 2, e.place desc
)
select c.cause, s.offering_id, s.investment_id, s.investor_id, s.units, s.amount_minor, s.currency, s.status,
    s.compliance, o.name as offer_name, o.exemption, f.detail_digest, a.agreement_id as in_force, o.agreement_form,
    o.issuer_id, o.version as offer_version, o.unit_price_minor, pos.clearance_since as verified_at,
    exists (select from subscription.application_fact ap where ap.offering_id = s.offering_id
        and ap.investment_id = s.investment_id and ap.status = 'submitted') as is_asked_for,
    (select t.reference from treasury.attempt_fact t where t.offering_id = s.offering_id
        and t.investment_id = s.investment_id
        and t.status in ('initialized', 'in_progress', 'received', 'cleared')) as reference
from concerned c
join engine.stage s using (offering_id, investor_id)
join engine.position pos using (offering_id, investment_id)
join engine.offer o using (offering_id)
join portal.profile_fact f on f.investor_id = s.investor_id
left join subscription.agreement_fact a on a.offering_id = s.offering_id and a.investment_id = s.investment_id
    and a.status in ('draft', 'sent', 'investor_signed', 'countersigned')
order by s.offering_id, s.investment_id;

-- name: investors_of_clearances
-- The investors of clearances.
select e.subject || '@' || e.version as cause, c.offering_id, c.investor_id
from unnest(cast(:scopes as text[]), cast(:subjects as text[]), cast(:versions as bigint[]))
    as e (scope, subject, version)
join compliance.clearance_fact c on c.offering_id = e.scope and c.clearance_id = e.subject
order by c.offering_id, c.investor_id;

-- name: investors_of_attempts
-- The investors of payment attempts.
select e.subject || '@' || e.version as cause, i.offering_id, i.investor_id
from unnest(cast(:scopes as text[]), cast(:subjects as text[]), cast(:versions as bigint[]))
    as e (scope, subject, version)
join treasury.attempt_fact t on t.offering_id = e.scope and t.attempt_id = e.subject
join engine.investment i on i.offering_id = t.offering_id and i.investment_id = t.investment_id
order by i.offering_id, i.investor_id;

-- name: agreements_of_investors
-- The agreements in force of investors over all offers.
select distinct on (a.offering_id, a.investment_id) e.subject || '@' || e.version as cause, a.offering_id, a.agreement_id
from unnest(cast(:scopes as text[]), cast(:subjects as text[]), cast(:versions as bigint[]))
    with ordinality as e (scope, subject, version, place)
join engine.investment i on i.investor_id = e.subject
join subscription.agreement_fact a on a.offering_id = i.offering_id and a.investment_id = i.investment_id
    and a.status in ('draft', 'sent', 'investor_signed', 'countersigned')
order by a.offering_id, a.investment_id, e.place desc;

-- name: unallocated_agreements
-- Agreements for whose investment no allocation is proposed or approved.
select e.subject || '@' || e.version as cause, a.offering_id, a.investment_id, a.units
from unnest(cast(:scopes as text[]), cast(:subjects as text[]), cast(:versions as bigint[]))
    as e (scope, subject, version)
join subscription.agreement_fact a on a.offering_id = e.scope and a.agreement_id = e.subject
where not exists (select from subscription.allocation_fact l where l.offering_id = a.offering_id
    and l.investment_id = a.investment_id and l.status in ('proposed', 'approved'))
order by a.offering_id, a.investment_id;

-- name: investments_of_approvals
-- The investments whose units were approved.
select e.subject || '@' || e.version as cause, l.offering_id, l.investment_id
from unnest(cast(:scopes as text[]), cast(:subjects as text[]), cast(:versions as bigint[]))
    as e (scope, subject, version)
join subscription.allocation_fact l on l.offering_id = e.scope and l.approval_id = e.subject
order by l.offering_id, l.investment_id;

-- name: investments_without_attempt
-- Investments that no live payment attempt serves, what is due, and the reference that their packet states unless an
-- earlier attempt had it.
select e.subject || '@' || e.version as cause, i.offering_id, i.investment_id, i.amount_minor, i.currency,
    (select p.reference from subscription.packet_fact p join subscription.agreement_fact a using (offering_id, agreement_id)
    where a.offering_id = i.offering_id and a.investment_id = i.investment_id and a.status = 'countersigned'
        and not exists (select from treasury.attempt_fact t where t.offering_id = i.offering_id
            and t.reference = p.reference)) as reference
from unnest(cast(:scopes as text[]), cast(:subjects as text[]), cast(:versions as bigint[]))
    as e (scope, subject, version)
join engine.investment i on i.offering_id = e.scope and i.investment_id = e.subject
where not exists (select from treasury.attempt_fact t where t.offering_id = i.offering_id
    and t.investment_id = i.investment_id and t.status in ('initialized', 'in_progress', 'received', 'cleared'))
order by i.offering_id, i.investment_id;

-- name: payers
-- Who paid a receipt by the word of the bank: account, name, and the investor it is matched to, if any.
select e.subject || '@' || e.version as cause,
    'payer:' || coalesce(encode(p.source_fingerprint, 'hex'), p.receipt_id) as payer, p.sender, i.investor_id
from unnest(cast(:scopes as text[]), cast(:subjects as text[]), cast(:versions as bigint[]))
    as e (scope, subject, version)
join treasury.payer_fact p on p.offering_id = e.scope and p.receipt_id = e.subject
left join engine.investment i on i.offering_id = p.offering_id and i.investment_id = p.investment_id
where p.sender ~ '[[:alpha:]]';

-- name: claimed_wallets
-- Claimed wallets whose address was screened.
select distinct on (w.offering_id, w.investor_id, w.mapping_id) e.subject || '@' || e.version as cause, w.offering_id, w.mapping_id
from unnest(cast(:scopes as text[]), cast(:subjects as text[]), cast(:versions as bigint[]))
    with ordinality as e (scope, subject, version, place)
join registry.wallet_fact w on w.address = decode(substr(e.scope, 8), 'hex') and w.status = 'claimed'
order by w.offering_id, w.investor_id, w.mapping_id, e.place desc;

-- name: screened_wallets
-- Which of these wallets were screened before.
select distinct subject_id from compliance.wallet_screening where subject_id = any (cast(:subjects as text[]));

-- name: decide_case$
-- Decides the case of an investment that a set left out, on the version that was seen.
select engine.decide_case(:actor, :request, :offering, :case, :status, :because, cast(:evidence_sha256 as bytea), cast(:seen as bigint));

-- name: closing_cases
-- The cases of an offer, those that wait first, oldest first.
select c.case_id, c.investment_id, c.closing_id, c.status, c.opened_at, c.decided_by, c.decided_because,
    encode(c.evidence_sha256, 'hex') as evidence_sha256, c.version, s.units, s.amount_minor, s.currency, s.received_minor,
    engine.mask('{agreement_is_countersigned}') & ~s.holds = 0 as is_countersigned
from engine.closing_case c join engine.stage s using (offering_id, investment_id)
where c.offering_id = :offering
order by c.status not in ('open', 'decided_by_counsel'), c.opened_at, c.case_id;

-- name: traces_of
-- The traces that led to these events, where somebody follows.
select distinct t.traceparent from unnest(cast(:scopes as text[]), cast(:subjects as text[]), cast(:versions as bigint[]))
    as w (scope, subject, version) join audit.event e using (scope, subject, version)
    join audit.trace t using (keeper, actor, request_id) order by 1 limit 100;

-- name: trace_of_closing
-- The trace that froze a closing.
select t.traceparent from audit.event e join audit.trace t using (keeper, actor, request_id)
where e.scope = :offering and e.subject = :closing and e.kind = 'closing.frozen' order by e.version desc limit 1;
