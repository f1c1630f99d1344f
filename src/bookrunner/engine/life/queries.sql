-- name: review_offer$
-- A second person accepts the terms of an offer, or declines them with a reason.
select engine.review_offer(:actor, :request, :offering, :is_accepted, :because);

-- name: name_issuer$
-- Names an issuer, or changes how it shows itself and its counterparties.
select engine.name_issuer(:actor, :request, :issuer, cast(:profile as jsonb), cast(:logo as bytea));

-- name: letters
-- The newest notices that mail points to, of everybody or for one investor.
select n.notice_id, n.recipient, n.code, n.status, n.written_at, n.sent_at, n.because, o.name,
    (select l.language from api.languages_of(array[n.recipient]) l) as language
from engine.notice n join engine.offer o using (offering_id)
where starts_with(n.recipient, 'ivr_') and (cast(:recipient as text) is null or n.recipient = :recipient)
order by n.written_at desc, n.notice_id limit 100;

-- name: languages
-- In which language people read; nobody who has chosen none.
select name, language from api.languages_of(cast(:names as text[]));

-- name: edit_offer$
-- Edits a draft.
select engine.edit_offer(:actor, :request, :offering, cast(:terms as jsonb));

-- name: fail_offer$
-- Ends an offer without success, as minimum_missed, withdrawn or halted.
select engine.fail_offer(:actor, :request, :offering, :ended_as, :because);

-- name: abandon_closing$
-- Ends a set before any of its units are on their way.
select engine.abandon_closing(:actor, :request, :offering, :closing, :because);

-- name: declare_related$
-- Says that an investor belongs to the issuer; its money does not count towards the target.
select engine.declare_related(:actor, :request, :offering, :investor, :because);

-- name: cancel_investment$
-- A manager ends an investment and says why.
select engine.cancel_investment(:actor, :request, :offering, :investment, :because);

-- name: free_cancellation^
-- Until when an investor may cancel without anybody's consent, and by which rule.
select rule_id, ends_at, is_last_word from engine.free_cancellation(:offering, :investment);

-- name: end_investments$
-- Ends so many live investments of a failed offer.
select engine.end_investments(:actor, :request, :offering, cast(:most as integer));

-- name: look_at_deadlines$
-- Closes the offers whose deadline has come, and ends those that missed their target.
select engine.look_at_deadlines(:actor, :request);

-- name: close_full_offers$
-- Closes to new money the offers whose every unit is legally confirmed.
select engine.close_full_offers(:actor, :request, cast(:offerings as text[]));

-- name: terms_as_of^
-- The version of the terms that stood at a moment.
select t.ordinal, t.status, t.security_type, t.instrument, t.target_minor, t.opens_at, t.closes_at, t.pays_by, t.drafted_by,
    t.locked_at from engine.terms_as_of(:offering, cast(:at as timestamptz)) t where t.offering_id is not null;

-- name: raise_standing^
-- The money of an offer by state against its target, and what is committed of its units.
select o.offering_id, o.status, o.ended_as, o.because, o.currency, t.target_minor, t.opens_at, t.closes_at, t.pays_by,
    o.units_total * o.unit_price_minor as most_minor, engine.counted_minor(o.offering_id) as counted_minor,
    (select coalesce(sum(i.amount_minor), 0)::bigint from engine.investment i where i.offering_id = o.offering_id
        and i.status in ('confirmed', 'legally_confirmed', 'closed_successfully')) as committed_minor,
    (select coalesce(sum(pos.received_minor), 0)::bigint from engine.position pos where pos.offering_id = o.offering_id) as received_minor
from engine.offer o, engine.terms_of(o.offering_id) t where o.offering_id = :offering;

-- name: resumable
-- Confirmed investments, of the investors or investments that these events name, that wait for nothing but to be confirmed legally;
-- each with the last of its events, whose taker sees what the others tell.
select distinct on (s.offering_id, s.investment_id) e.subject || '@' || e.version as cause, s.offering_id, s.investment_id
from unnest(cast(:scopes as text[]), cast(:subjects as text[]), cast(:versions as bigint[]))
    with ordinality as e (scope, subject, version, place)
left join compliance.clearance_fact c on c.offering_id = e.scope and c.clearance_id = e.subject
join engine.stage s on s.offering_id = e.scope and (s.investment_id = e.subject or s.investor_id = c.investor_id)
where s.status = 'confirmed' and engine.act_mask('confirm_legally') & ~s.holds = 0
order by s.offering_id, s.investment_id, e.place desc;

-- name: request_change$
-- Asks for a change of locked terms.
select engine.request_change(:actor, :request, :offering, :change, cast(:wanted as jsonb), :because, :evidence_sha256);

-- name: decide_change$
-- Another person approves a change, which makes the next version of the terms, or declines it.
select engine.decide_change(:actor, :request, :offering, :change, :is_approved, :because, cast(:seen as bigint));

-- name: changes
-- The requested changes of an offer, the newest first.
select change_id, status, wanted, asked_by, because, is_material, decided_by, decided_because, terms_ordinal, version
from engine.change_request where offering_id = :offering order by change_id desc;

-- name: write_notices$
-- Writes the notices of events, each once.
select engine.write_notices(:actor, :request, cast(:scopes as text[]), cast(:subjects as text[]), cast(:versions as bigint[]));

-- name: take_notices$
-- The notices that mail has to point to, locked for this transaction.
select engine.take_notices(:actor, :request, cast(:most as integer));

-- name: mark_notice$
-- What became of the mail of a notice.
select engine.mark_notice(:actor, :request, :offering, :notice, :status, :because);

-- name: notices
-- The notices of an offer, the newest first, with what they say.
select n.notice_id, n.status, n.code, n.recipient, n.is_required, n.about, n.written_at, n.sent_at, n.ended_at, n.because,
    (select min(r.sentence) from engine.notice_rule r where r.code = n.code) as sentence
from engine.notice n where n.offering_id = :offering order by n.written_at desc, n.notice_id limit 500;

-- name: receipts_of
-- The receipts of one investment that are in escrow or on their way back, the oldest first.
select receipt_id, status, amount_minor from treasury.receipt_fact
where offering_id = :offering and investment_id = :investment and status in ('matched', 'cleared', 'refunding', 'refunded')
order by booked_on, receipt_id;

-- name: request_cancellation$
-- An investor asks to end a confirmed investment; inside its free time it is ended.
select engine.request_cancellation(:actor, :request, :offering, :investment, :because);

-- name: withdraw$
-- An investor ends an investment that it has not confirmed.
select engine.withdraw(:actor, :request, :offering, :investment);

-- name: decide_cancellation$
-- Another person grants a requested cancellation or denies it.
select engine.decide_cancellation(:actor, :request, :offering, :investment, :is_granted, :because);

-- name: propose_closing$
-- Names a set that another person freezes.
select engine.propose_closing(:actor, :request, :offering, :closing, cast(:investments as text[]));
