-- name: caller$
-- The actor behind a key for this login; refuses a key that is not in force, and one of an investor.
select api.caller(:key);

-- name: enter_issuer$
-- Lets this transaction read what belongs to the issuer of a key; refuses a key that is not in force.
select issuer.enter(:key);

-- name: issuer_offers
-- The offers of the issuer that has entered, by id.
select * from issuer.offer where cast(:after as text) is null or offering_id > :after order by offering_id limit :most;

-- name: issuer_offer^
-- One offer of the issuer that has entered; of another issuer there is none.
select * from issuer.offer where offering_id = :offering;

-- name: holder$
-- The actor behind any key for this login; refuses a key that is not in force.
select api.holder(:key);

-- name: act_on_investment^
-- Claims the key, acts, stores the answer.
select answer, is_replay from api.act_on_investment(:key, :request, :body_sha256, :investment, :version, :act,
    cast(:because as text));

-- name: open_investment^
-- Claims the key, opens an investment, stores the answer.
select answer, is_replay from api.open_investment(:key, :request, :body_sha256, :offering, :investment, :investor,
    cast(:units as bigint));

-- name: open_offer^
-- Claims the key, opens an offer, stores the answer.
select answer, is_replay from api.open_offer(:key, :request, :body_sha256, :offering, cast(:terms as jsonb));

-- name: move_offer^
-- Claims the key, moves an offer along its machine, stores the answer.
select answer, is_replay from api.move_offer(:key, :request, :body_sha256, :offering, :version, :status);

-- name: review_offer^
-- A second person accepts the terms of an offer, or declines them.
select answer, is_replay from api.end_review(:key, :request, :body_sha256, :offering, :version, :is_accepted, :because);

-- name: fail_offer^
-- Ends an offer without success.
select answer, is_replay from api.fail_offer(:key, :request, :body_sha256, :offering, :version, :ended_as, :because);

-- name: propose_allocation^
-- Claims the key, proposes the units of an investment, stores the answer.
select answer, is_replay from api.propose_allocation(:key, :request, :body_sha256, :investment, :approval,
    cast(:units as bigint));

-- name: approve_allocation^
-- Claims the key, approves a proposed allocation, stores the answer.
select answer, is_replay from api.approve_allocation(:key, :request, :body_sha256, :investment, :approval, :version);

-- name: keep_refusal^
-- Keeps what a gate turned away.
select api.keep_refusal(:key, :request, :scope, :subject, :act, :rule, cast(:missing as jsonb));

-- name: offers
-- Offers after a place in the order of their ids.
select offering_id, issuer_id, name, exemption, currency, unit_price_minor, units_total, minimum_units, isin,
    agreement_form, status, chain_id, token_address, treasury_address, version
from engine.offer where cast(:after as text) is null or offering_id > :after order by offering_id limit :most;

-- name: offer^
-- One offer.
select offering_id, issuer_id, name, exemption, currency, unit_price_minor, units_total, minimum_units, isin,
    agreement_form, status, chain_id, token_address, treasury_address, version
from engine.offer where offering_id = :offering;

-- name: investments
-- Investments of an offer after a place in the order of their ids, with their stages.
select * from engine.stage
where offering_id = :offering and (cast(:after as text) is null or investment_id > :after)
    and (cast(:status as text) is null or status = :status)
order by investment_id limit :most;

-- name: cancellation_right^
-- Until when an investor may cancel without anybody's consent, by which rule; the rule is empty where there is none.
select s.investment_id, s.status, f.rule_id, f.ends_at, coalesce(f.is_last_word, false) as is_last_word,
    s.status in ('confirmed', 'legally_confirmed') and coalesce(f.ends_at > clock_timestamp(), false) as is_open
from engine.stage s left join lateral engine.free_cancellation(s.offering_id, s.investment_id) f on true
where s.investment_id = :investment;

-- name: investor_notices
-- What was told to the investor of an investment about its offer, the newest first.
select n.notice_id, n.code, n.sentence, n.citation, n.is_required, n.status, n.written_at, n.sent_at
from engine.stage s join engine.investor_notice n using (offering_id, investor_id)
where s.investment_id = :investment order by n.written_at desc, n.notice_id limit 200;

-- name: investment^
-- One investment with its stages.
select * from engine.stage where investment_id = :investment;

-- name: candidates
-- Who would be in a closing now, and what each lacks.
select investment_id, units, amount_minor, missing from engine.candidates(:offering);

-- name: candidates_version$
-- The version of what a closing would take.
select api.candidates_version(:offering);

-- name: closings
-- The closings of an offer by number.
select closing_id, offering_id, ordinal, status, proposed_by, set_sha256, certificate_sha256, version
from engine.closing where offering_id = :offering order by ordinal;

-- name: breaks
-- The open breaks of an offer, the oldest first; what was answered is for its owner, the engine and audit.
select break_id, comparison, subject_id, kind, left_value, right_value, owner, since, status, assigned_to, version,
    case when cast(:keeper as text) in (owner, 'engine', 'audit') then answer end as answer
from reconciliation.break where offering_id = :offering and status <> 'verified' order by since, break_id;

-- name: events
-- Committed events after a place in the feed; of one whose text is damaged, no payload.
select f.seq, e.scope, e.subject, e.version, e.kind, e.keeper, e.actor, e.request_id, e.caused_by,
    audit.payload_of(e.canonical) as payload, e.hash,
    e.occurred_at, e.recorded_at
from audit.feed f join audit.event e using (scope, subject, version)
where f.seq > :after order by f.seq limit :most;

-- name: waiting^
-- How many committed events wait for their place in the feed, since when the oldest one does, and the emergencies that stand.
select count(*) as events, min(e.recorded_at) as oldest,
    (select count(*) from engine.standing_emergency) as emergencies
from (select scope, subject, version from audit.outbox order by outbox_id limit 1000) o
join audit.event e using (scope, subject, version);

-- name: metrics
-- What an operator watches: a name, its labels, a whole number; read by the login of the auditors.
select 'gates_denied_total' as name, jsonb_build_object('act', r.act, 'condition', m.condition) as labels, count(*) as value
from audit.refusal r cross join lateral jsonb_to_recordset(r.missing) as m (condition text) group by r.act, m.condition
union all
select 'breaks_open', jsonb_build_object('owner', b.owner, 'comparison', b.comparison), count(*)
from reconciliation.break b where b.status <> 'verified' group by b.owner, b.comparison
union all
select 'oldest_break_days', '{}', coalesce(max(current_date - b.since::date), 0) from reconciliation.break b where b.status <> 'verified'
union all
select 'receipts_waiting', jsonb_build_object('status', r.status), count(*)
from treasury.receipt_fact r where r.status in ('unmatched', 'held') group by r.status
union all
select 'oldest_waiting_receipt_days', '{}', coalesce(max(current_date - r.booked_on), 0)
from treasury.receipt_fact r where r.status in ('unmatched', 'held')
union all
select 'emergencies_open', '{}', count(*) from engine.standing_emergency
union all
select 'events_waiting', '{}', count(*) from audit.outbox
union all
select 'events_unsealed', '{}', coalesce((select max(f.seq) from audit.feed f), 0)
    - coalesce((select max(s.last_seq) from audit.seal s), 0)
union all
select 'chain_transactions', jsonb_build_object('status', t.status), count(*) from registry.transaction_fact t group by t.status
union all
select 'offers', jsonb_build_object('status', o.status), count(*) from engine.offer o group by o.status
union all
select 'investments', jsonb_build_object('status', i.status), count(*) from engine.investment i group by i.status;

-- name: act_on_application^
-- One step of an investor towards its agreement.
select answer, is_replay from api.act_on_application(:key, :request, :body_sha256, :investment, :act, cast(:detail as jsonb));

-- name: act_on_packet^
-- A signature, a review or a countersignature.
select answer, is_replay from api.act_on_packet(:key, :request, :body_sha256, :agreement, :version, :act, cast(:detail as jsonb), cast(:content as bytea));

-- name: agreement^
-- One agreement and its files.
select a.offering_id, a.agreement_id, a.investment_id, a.ordinal, a.status, a.units, a.amount_minor, o.currency, a.version,
    a.document_sha256, s.sha256 as signed_sha256, a.executed_sha256, a.void_because, c.sha256 as certificate_sha256,
    r.status as review, r.reviewer, p.parties, array(select f.party from subscription.signed_file_fact f
        where f.offering_id = a.offering_id and f.agreement_id = a.agreement_id order by f.ordinal) as signed_by
from subscription.agreement_fact a join engine.offer o using (offering_id)
left join lateral (select f.sha256 from subscription.signed_file_fact f where f.offering_id = a.offering_id
    and f.agreement_id = a.agreement_id and f.party <> 'issuer' order by f.ordinal desc limit 1) s on true
left join subscription.packet_fact p on p.offering_id = a.offering_id and p.agreement_id = a.agreement_id
left join subscription.certificate_fact c on c.offering_id = a.offering_id and c.agreement_id = a.agreement_id
left join subscription.review_fact r on r.offering_id = a.offering_id and r.agreement_id = a.agreement_id
where a.agreement_id = :agreement;

-- name: institutional_allocations
-- The requests of institutions for an offer; one is overdue when its settlement is due and it is not funded.
select allocation_id, tranche, entity_id, status, amount_minor, currency, settlement_due_at, investment_id, intake_id, reviewed_by,
    cancelled_by, version, coalesce(status = 'escrow_initiated' and settlement_due_at <= clock_timestamp(), false) as is_overdue
from engine.allocation where offering_id = :offering order by requested_at, allocation_id;

-- name: request_allocation^
-- Claims the key, keeps the request of an institution, stores the answer.
select answer, is_replay from api.request_allocation(:key, :request, :body_sha256, :offering, :allocation, :entity,
    cast(:wish as jsonb));

-- name: move_allocation^
-- Claims the key, takes one step of an institutional allocation, stores the answer.
select answer, is_replay from api.move_allocation(:key, :request, :body_sha256, :offering, :allocation, :version, :status,
    cast(:because as text));

-- name: contradictions
-- Statements of an investor that the compliance record contradicts and compliance has not accepted.
select offering_id, investor_id, kind, code, fact, sentence from subscription.read_contradictions(:investment);

-- name: programme$
-- The version of the compliance programme that decisions are made under now; the login of compliance reads it.
select compliance.programme_in_force();

-- name: accept_statement^
-- Claims the key, lets a statement stand beside a fact of the record, stores the answer.
select answer, is_replay from api.accept_statement(:key, :request, :body_sha256, :investment, :acceptance, :statement, :fact,
    :because, :programme);

-- name: withdraw_acceptance^
-- Claims the key, lets a contradiction stand again, stores the answer.
select answer, is_replay from api.withdraw_acceptance(:key, :request, :body_sha256, :investment, :acceptance, :version,
    :because, :programme);

-- name: deficiencies
-- What reviews found in the packets of an investment, with their words and the answers; the book's own login reads it.
select deficiency_id, agreement_id, status, page, field, reason, words, answer from subscription.deficiency
where investment_id = :investment order by deficiency_id;

-- name: deficiency_facts
-- What reviews found in the packets of an investment, without what was said in words.
select deficiency_id, agreement_id, status, page, field, reason from subscription.deficiency_fact
where investment_id = :investment order by deficiency_id;

-- name: name_policy^
-- Claims the key, names the policy of an offer, stores the answer.
select answer, is_replay from api.name_policy(:key, :request, :body_sha256, :offering, :policy, cast(:most_units as bigint),
    cast(:hold_minutes as integer));

-- name: wait_for_units^
-- Claims the key, joins or leaves the waitlist, stores the answer.
select answer, is_replay from api.wait_for_units(:key, :request, :body_sha256, :offering, :entry, :investor,
    cast(:units as bigint));

-- name: decide_allotment^
-- Claims the key, decides an allotment on the book that was seen, stores the answer.
select answer, is_replay from api.decide_allotment(:key, :request, :body_sha256, :offering, :version, :allotment,
    cast(:wishes as jsonb), :capacity, :because);

-- name: scale_back^
-- Claims the key, cuts one investment, stores the answer.
select answer, is_replay from api.scale_back(:key, :request, :body_sha256, :investment, :version, :allotment,
    cast(:units as bigint), :capacity, :because);

-- name: propose_amendment^
-- Claims the key, proposes an amendment, stores the answer.
select answer, is_replay from api.propose_amendment(:key, :request, :body_sha256, :offering, :amendment,
    cast(:is_material as boolean), :sentence, :document_sha256);

-- name: decide_amendment^
-- Claims the key, decides an amendment on the version that was seen, stores the answer.
select answer, is_replay from api.decide_amendment(:key, :request, :body_sha256, :offering, :amendment,
    cast(:version as bigint), cast(:is_accepted as boolean), :because);

-- name: answer_reconfirmation^
-- Claims the key, answers a material change, stores the answer.
select answer, is_replay from api.answer_reconfirmation(:key, :request, :body_sha256, :investment, :reconfirmation,
    cast(:is_reconfirmed as boolean));

-- name: units^
-- The units of an offer: reserved, allocated, free, oversubscribed and waited for.
select * from engine.unit_standing where offering_id = :offering;

-- name: allotment_dry_run
-- Who gets how many units and why.
select investment_id, investor_id, ordered_units, units, because from engine.allot(:offering, cast(:wishes as jsonb));

-- name: book_version$
-- The version of the book that a list is decided on.
select engine.book_version(:offering);

-- name: allotment_lines
-- The decided lists of an offer, line by line.
select * from engine.allotment_list where offering_id = :offering order by ordinal, investment_id;

-- name: waitlist
-- Who waits or waited for units of an offer, in order.
select entry_id, place, investor_id, units, status, investment_id, because, version
from engine.waitlist_entry where offering_id = :offering order by place;

-- name: amendments
-- The amendments of an offer by number, with how many investors were asked and how they answered.
select a.*, r.asked, r.reconfirmed, r.declined, r.lapsed
from engine.amendment a cross join lateral (
    select count(*) filter (where f.status = 'asked') as asked, count(*) filter (where f.status = 'reconfirmed') as reconfirmed,
        count(*) filter (where f.status = 'declined') as declined, count(*) filter (where f.status = 'lapsed') as lapsed
    from subscription.reconfirmation_fact f where f.offering_id = a.offering_id and f.amendment_id = a.amendment_id) r
where a.offering_id = :offering order by a.ordinal;

-- name: reconfirmations
-- What one investor was asked after material changes, with the answers.
select reconfirmation_id, amendment_id, status, due_at, version from subscription.reconfirmation_fact
where investment_id = :investment order by due_at, reconfirmation_id;

-- name: publish_questionnaire^
-- Claims the key, publishes the next version of a questionnaire, stores the answer.
select answer, is_replay from api.publish_questionnaire(:key, :request, :body_sha256, :offering, cast(:content as jsonb), :because);

-- name: answer_suitability^
-- Claims the key, answers a questionnaire, stores the answer.
select answer, is_replay from api.answer_suitability(:key, :request, :body_sha256, :offering, :suitability, :investor,
    cast(:questionnaire as integer), cast(:answers as jsonb), cast(:is_warned as boolean), :account);

-- name: questionnaire$
-- The questionnaire of an offer in force.
select api.questionnaire(:offering);

-- name: commitment_limit^
-- How much an investor may commit to an offer, and has used of it.
select * from api.commitment_limit(:offering, :investor);

-- name: certify_ownership^
-- Claims the key, certifies who is behind an entity, stores the answer.
select answer, is_replay from api.certify_ownership(:key, :request, :body_sha256, :investor, :statement, :account,
    cast(:people as jsonb), cast(:shares as jsonb), cast(:is_certified as boolean));

-- name: closing_cases
-- Those whom closings of an offer left out for want of a countersignature, oldest first.
select case_id, investment_id, closing_id, status, opened_at, decided_by, evidence_sha256, version
from engine.closing_case_fact where offering_id = :offering order by opened_at, case_id;

-- name: decide_case^
-- Claims the key, decides a case, stores the answer.
select answer, is_replay from api.decide_case(:key, :request, :body_sha256, :offering, :case, :version, :status, :because,
    cast(:evidence as text));

-- name: ask_wallet^
-- Claims the key, keeps what a wallet is asked to sign, stores the answer.
select answer, is_replay from api.ask_wallet(:key, :request, :body_sha256, :offering, :challenge, :investor,
    cast(:words as jsonb));

-- name: claim_wallet^
-- Claims the key, claims a wallet with its proof, stores the answer.
select answer, is_replay from api.claim_wallet(:key, :request, :body_sha256, :offering, :claim, :investor, :challenge,
    :signature, :proof_kind, cast(:witness as jsonb), cast(:held as jsonb));

-- name: asked_of_wallet^
-- What a wallet was asked to sign.
select investor_id, address, message, expires_at, status from portal.wallet_challenge
where offering_id = :offering and challenge_id = :challenge;

-- name: wallet_claims
-- Whose an address was and is, and which addresses a holder had, with dates and states.
select mapping_id, investor_id, '0x' || encode(address, 'hex') as address, chain_id, status, controller, custodian_id, is_effective,
    missing_step, cast(version as text) as version,
    claimed_at, screened_at, approved_by, approved_at, linked_by, linked_at, superseded_by, ended_at, refused_because
from registry.wallet_standing where offering_id = :offering
    and (cast(:address as bytea) is null or address = :address) and (cast(:investor as text) is null or investor_id = :investor)
order by claimed_at, mapping_id;

-- name: transfer_refusals
-- Every rule that keeps units from going now, in the order of precedence.
select rule, detail, passes_on from registry.transfer_refusals(:offering, :seller, :buyer, cast(:units as bigint));

-- name: transfers
-- Requests of an offer, of one holder, or the one that is named, with papers and clock; those that wait first.
select q.request_id, q.status, q.kind, q.route, q.seller_id, q.buyer_id, q.units, q.price_minor, q.currency, q.asked_by, q.asked_at,
    q.reasons, q.decided_by, q.approved_until, '0x' || encode(coalesce(q.from_address, q.asked_from), 'hex') as from_wallet,
    '0x' || encode(coalesce(q.to_address, q.asked_to), 'hex') as to_wallet, q.version, i.due_on,
    registry.missing_papers(q.offering_id, q.request_id) as missing,
    array(select distinct p.paper from registry.transfer_paper p where p.offering_id = q.offering_id
        and p.request_id = q.request_id order by p.paper) as papers
from registry.transfer_request q join registry.turnaround_item i using (offering_id, item_id)
where q.offering_id = :offering and (cast(:investor as text) is null or :investor in (q.seller_id, q.buyer_id))
    and (cast(:transfer as text) is null or q.request_id = :transfer)
order by q.status in ('registered', 'rescinded', 'rejected', 'withdrawn'), q.asked_at desc, q.request_id limit cast(:most as integer);

-- name: request_transfer^
-- Claims the key, takes a request of a holder, stores the answer.
select answer, is_replay from api.request_transfer(:key, :request, :body_sha256, :offering, :transfer, cast(:said as jsonb),
    cast(:papers as jsonb), :item, cast(:clock as jsonb));

-- name: take_transfer^
-- The same for a key of the portal, whose holder was found under the portal's login.
select answer, is_replay from api.take_transfer(:actor, :request, :body_sha256, :offering, :transfer, cast(:said as jsonb),
    cast(:papers as jsonb), :item, cast(:clock as jsonb));

-- name: act_for_holder^
-- Takes papers of a holder, or its withdrawal, for a key of the portal.
select answer, is_replay from api.act_for_holder(:actor, :request, :body_sha256, :offering, :transfer, :version, :act,
    cast(:papers as jsonb), :item, cast(:clock as jsonb));

-- name: act_on_transfer^
-- Claims the key, takes papers or a decision on a transfer, stores the answer.
select answer, is_replay from api.act_on_transfer(:key, :request, :body_sha256, :offering, :transfer, :version, :act,
    cast(:papers as jsonb), cast(:until as timestamptz), cast(:reasons as text[]), :item, cast(:clock as jsonb));

-- name: note_trace^
-- Notes the trace of a request for the actor behind its key, or for the one that was found.
select audit.note_traces(array[coalesce(cast(:actor as text), api.holder(cast(:key as bytea)))], array[cast(:request as text)],
    cast(:trace as text)) as noted;
