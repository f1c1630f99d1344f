-- name: offers
-- Every offer with what each keeper counts as done.
select o.offering_id, o.name, o.status, o.exemption, o.currency, o.units_total, o.unit_price_minor,
    coalesce(c.investments, 0) as investments, coalesce(c.profile, 0) as profile,
    coalesce(c.compliance, 0) as compliance, coalesce(c.subscription, 0) as subscription,
    coalesce(c.treasury, 0) as treasury, coalesce(c.registry, 0) as registry, coalesce(c.issuable, 0) as issuable,
    p.because as paused_because, p.asked_by as paused_by, p.decided_by as paused_with, p.decided_at as paused_at
from engine.offer o left join engine.five_counts c using (offering_id)
left join registry.pause_fact p on p.offering_id = o.offering_id and p.status = 'paused'
where cast(:offering as text) is null or o.offering_id = :offering
order by o.offering_id;

-- name: offer_terms
-- The public terms of one offer, or of every published one; to strangers none under Rule 506(b) (17 CFR 230.502(c)).
select o.offering_id, o.name, o.status, o.exemption, o.currency, o.units_total, o.unit_price_minor from engine.offer o
where (o.offering_id = cast(:offering as text) or cast(:offering as text) is null and o.status = 'published')
    and not (cast(:is_stranger as boolean) and o.exemption = '506(b)')
order by o.offering_id;

-- name: own_investments
-- The investments of one investor, in one offer or in all.
select s.investment_id, s.offering_id, o.name, s.units, s.amount_minor, s.currency, s.status
from engine.stage s join engine.offer o using (offering_id)
where s.investor_id = :investor and (cast(:offering as text) is null or s.offering_id = :offering)
order by s.investment_id;

-- name: conditions
-- The conditions in the order to fix them, each with its stage, keeper and sentence.
select condition, bit, stage, keeper, sentence from engine.condition order by bit;

-- name: waiting
-- A page of the live investments that lack a condition of the mask, with every missing condition of issuance.
select s.investment_id, s.units, s.amount_minor, s.currency, s.status, s.holds, s.missing, s.issuance_state,
    count(*) over () as total
from engine.stage s
where s.offering_id = :offering and (s.holds & cast(:mask as integer)) <> cast(:mask as integer)
    and s.status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully')
order by s.investment_id limit :most offset :skip;

-- name: buckets^
-- The committed money in exclusive buckets that sum to the committed total, and what stands beside it.
with line as (
    select s.amount_minor,
        exists (select from treasury.release_line_fact l join treasury.release_fact r using (offering_id, release_id)
            where l.offering_id = s.offering_id and l.investment_id = s.investment_id
            and r.status in ('sent', 'settled')) as is_released,
        exists (select from treasury.attempt_fact a where a.offering_id = s.offering_id
            and a.investment_id = s.investment_id
            and a.status in ('initialized', 'in_progress', 'received', 'cleared')) as is_instructed,
        least(s.received_minor, s.amount_minor) as received_minor, least(s.cleared_minor, s.amount_minor) as cleared_minor
    from engine.stage s
    where s.offering_id = :offering
        and s.status not in ('cancelled_by_investor', 'cancelled_by_manager', 'closed_unsuccessfully')
), beside as (
    select r.status, sum(r.amount_minor) as amount_minor from treasury.receipt_fact r
    where r.offering_id = :offering group by r.status
)
select cast(coalesce(sum(amount_minor), 0) as bigint) as total,
    cast(coalesce(sum(case when not is_released and not is_instructed then amount_minor - received_minor end), 0) as bigint) as committed,
    cast(coalesce(sum(case when not is_released and is_instructed then amount_minor - received_minor end), 0) as bigint) as instructed,
    cast(coalesce(sum(case when not is_released then received_minor - cleared_minor end), 0) as bigint) as matched,
    cast(coalesce(sum(case when not is_released then cleared_minor end), 0) as bigint) as cleared,
    cast(coalesce(sum(case when is_released then amount_minor end), 0) as bigint) as released,
    (select cast(coalesce(sum(b.amount_minor), 0) as bigint) from beside b where b.status = 'unmatched') as unmatched,
    (select cast(coalesce(sum(b.amount_minor), 0) as bigint) from beside b where b.status = 'held') as held,
    (select cast(coalesce(sum(b.amount_minor), 0) as bigint) from beside b where b.status = 'returned') as returned,
    (select cast(coalesce(sum(b.amount_minor), 0) as bigint) from beside b where b.status = 'refunding') as refunding,
    (select cast(coalesce(sum(b.amount_minor), 0) as bigint) from beside b where b.status = 'refunded') as refunded
from line;

-- name: cleared_by_day
-- What became final on each day, of the receipts that still stand.
select cast(c.cleared_at at time zone 'UTC' as date) as day, cast(sum(r.amount_minor) as bigint) as amount_minor
from treasury.receipt_fact r
join lateral (select max(e.occurred_at) as cleared_at from audit.event e
    where e.scope = r.offering_id and e.subject = r.receipt_id and e.kind = 'receipt.cleared') c on true
where r.offering_id = :offering and r.status = 'cleared' and c.cleared_at is not null
group by 1 order by 1;

-- name: units^
-- The same units by the master securityholder file, the control book, final deliveries and these pages.
select coalesce((select cast(sum(h.units) as bigint) from registry.holding_fact h where h.offering_id = :offering), 0) as file,
    coalesce((select cast(sum(c.issued_units) as bigint) from registry.control_fact c where c.offering_id = :offering), 0) as control_book,
    coalesce((select cast(sum(p.units) as bigint) from registry.posting_fact p where p.offering_id = :offering), 0) as chain,
    coalesce((select cast(sum(s.units) as bigint) from engine.stage s
        where s.offering_id = :offering and engine.mask('{holding_is_registered}') & ~s.holds = 0), 0) as displayed,
    (select count(*) from registry.holding_fact h where h.offering_id = :offering) as holders;

-- name: standing^
-- The reserved, allocated and free units of an offer, and those that are ordered above or waited for.
select * from engine.unit_standing where offering_id = :offering;

-- name: closings
-- The closings of an offer with their members and certificates.
select c.closing_id, c.ordinal, c.status, encode(f.sha256, 'hex') as certificate_sha256, f.issued_at,
    (select count(*) from engine.closing_member m where m.offering_id = c.offering_id
        and m.closing_id = c.closing_id and m.status <> 'left') as members,
    (select count(*) from engine.closing_member m where m.offering_id = c.offering_id
        and m.closing_id = c.closing_id and m.status = 'left') as departed,
    (select cast(coalesce(sum(m.units), 0) as bigint) from engine.closing_member m where m.offering_id = c.offering_id
        and m.closing_id = c.closing_id and m.status <> 'left') as units,
    (select cast(coalesce(sum(m.amount_minor), 0) as bigint) from engine.closing_member m where m.offering_id = c.offering_id
        and m.closing_id = c.closing_id and m.status <> 'left') as amount_minor
from engine.closing c left join engine.certificate f using (offering_id, closing_id)
where c.offering_id = :offering order by c.ordinal desc;

-- name: certificate$
-- The canonical text of a closing's certificate.
select f.canonical from engine.certificate f where f.offering_id = :offering and f.closing_id = :closing;

-- name: breaks
-- The open breaks of an offer, oldest first.
select b.break_id, b.comparison, b.subject_id, b.kind, b.left_value, b.right_value, b.owner, b.since
from reconciliation.break b where b.offering_id = :offering and b.status <> 'verified' order by b.since, b.break_id;

-- name: worked_breaks
-- The breaks of an offer that stand, the oldest first, or those that are verified, the last one first.
select f.break_id, f.comparison, f.subject_id, f.kind, f.left_value, f.right_value, f.owner, f.since, f.severity, f.is_blocking,
    f.sentence, f.suggestion, f.evidence, f.status, f.assigned_to, f.answered_by, f.answer, f.accepted_by, f.accepted_because,
    f.verified_in, f.version, e.recorded_at as changed_at
from reconciliation.break_fact f
join audit.event e on e.scope = f.offering_id and e.subject = f.break_id and e.version = f.version
where f.offering_id = :offering and (f.status = 'verified') = cast(:verified as boolean)
order by case when f.status = 'verified' then e.recorded_at end desc, f.since, f.break_id limit :most;

-- name: runs
-- The last runs of the comparisons, newest first.
select r.run_id, r.started_at, r.is_whole, r.saw_the_chain, r.found, r.resolved
from reconciliation.run r where r.offering_id = :offering order by r.started_at desc limit 10;

-- name: due_run^
-- When everything is compared the next time, and how often.
select d.phase, cast(extract(epoch from d.every) / 86400 as integer) as every_days, d.due_at, d.is_due, d.is_missed
from reconciliation.due d where d.offering_id = :offering;

-- name: reached$
-- The feed sequence of the latest event of an offer or of one of its investors, from a known one on.
select coalesce(max(f.seq), cast(:after as bigint)) from audit.feed f
where f.seq > cast(:after as bigint) and (f.scope = :offering
    or f.scope in (select s.investor_id from engine.stage s where s.offering_id = :offering));

-- name: investment^
-- What an investor's page shows of one investment.
select s.offering_id, s.investment_id, s.investor_id, o.name, s.units, s.amount_minor, s.currency, s.status, s.holds, s.missing,
    s.profile, s.compliance, s.subscription, s.funding, s.issuance, s.issuance_state, s.issuance_is_stopped,
    s.holding_is_held, s.received_minor, s.cleared_minor, s.closing_id,
    p.because as paused_because, p.asked_by as paused_by, p.decided_by as paused_with, p.decided_at as paused_at
from engine.stage s join engine.offer o using (offering_id)
left join registry.pause_fact p on p.offering_id = o.offering_id and p.status = 'paused'
where s.investment_id = :investment;

-- name: packet_to_do
-- What an investor still has to do for its packet, in the order in which it can be done.
select step, code, says from engine.packet_to_do(:offering, :investment);

-- name: investor_notices
-- What was told to an investor of an offer, the newest first, and how the mail that points to it fared.
select notice_id, sentence, citation, is_required, status, written_at, sent_at from engine.investor_notice
where offering_id = :offering and investor_id = :investor order by written_at desc, notice_id limit 50;

-- name: free_cancellation^
-- Until when an investment may be cancelled without anybody's consent, and by which rule.
select rule_id, ends_at, is_last_word, ends_at > clock_timestamp() as is_open
from engine.free_cancellation(:offering, :investment);

-- name: reservation_end$
-- When the units of an order that is not confirmed are free again.
select ends_at from engine.reservation_end where offering_id = :offering and investment_id = :investment;

-- name: deficiencies
-- What investors have to correct before their agreements go on, oldest first; the words stay with investor and desk.
select d.deficiency_id, d.investment_id, d.page, d.field, d.reason, e.occurred_at as since
from subscription.deficiency_fact d join audit.event e on e.scope = d.offering_id and e.subject = d.deficiency_id
    and e.version = 1
where d.offering_id = :offering and d.status = 'open' order by e.occurred_at, d.deficiency_id limit 100;

-- name: timeline
-- The latest events of one investment over the five books: kind, keeper and time, never the payload. Screenings
-- stay with compliance.
with told as (
    select distinct e.scope, e.subject from audit.event e
    cross join lateral (select audit.payload_of(e.canonical) as said offset 0) p
    where e.scope = :offering and (position(:investment in e.canonical) > 0 or position(:investor in e.canonical) > 0)
        and (e.subject = :investment or p.said ->> 'investment_id' = :investment
            or (p.said ->> 'investor_id' = :investor and p.said ->> 'investment_id' is null))
    union select :investor, e.subject from audit.event e where e.scope = :investor
)
select e.kind, e.keeper, e.subject, e.occurred_at from told join audit.event e using (scope, subject)
where e.kind not like 'screening.%'
order by e.recorded_at desc limit 100;

-- name: declared_fees
-- The fees of an offer, as its investors are shown them.
select kind, borne_by, basis_points, flat_minor, currency from treasury.declared_fee where offering_id = :offering order by fee_id;

-- name: escrow_agent^
-- Who keeps the money of an offer, and under what.
select agent, agreed_on, agreement_sha256 from treasury.escrow_agent where offering_id = :offering;

-- name: issuer_sign^
-- Under whose sign an offer is shown; no row before its issuer is on record.
select name, colour, escrow_bank, transfer_agent, administrator from engine.issuer_sign where offering_id = :offering;

-- name: taken_currencies
-- The currencies beside its own that investors of an offer may pay in.
select currency, most_hours from treasury.taken_currency where offering_id = :offering order by currency;

-- name: chosen_currency$
-- The currency that an investor said it will pay in.
select currency from portal.pay_currency where offering_id = :offering and investment_id = :investment;

-- name: kept_rates
-- The rates kept for an investment: of its commitment, then of each payment with its difference.
select s.receipt_id, s.currency, s.offer_currency, s.source, s.base, s.rate, s.offer_rate, s.set_at, s.as_of, s.amount_minor, s.value_minor,
    s.committed_minor, s.difference_minor, s.receipt_status, s.most_hours
from treasury.rate_standing s where s.offering_id = :offering and s.investment_id = :investment order by s.receipt_id nulls first;

-- name: funding_card^
-- What an investor is asked for; no row before the instructions are released.
select c.reference, c.short_minor, c.received_minor, c.funding_status, c.clears_on, c.instructed_at, c.pay_by, c.deposits, c.told,
    c.agent, c.beneficiary, c.bank, c.bank_code, c.account, c.agreed_on, c.agreement_sha256, c.changed, c.cut_offs,
    c.then_do, c.stopped_because, c.tries_left, c.until_day, c.attempts,
    (select n.said_at from portal.sent_note n where n.offering_id = c.offering_id and n.investment_id = c.investment_id
        and n.reference = c.reference) as sent_at, c.reference as plain_reference,
    (select p.legal_name from portal.profile_claim p where p.investor_id = :investor) as payer_name
from treasury.funding_card c where c.offering_id = :offering and c.investment_id = :investment;

-- name: standing_emergencies
-- The emergencies that stand now, the first to end first.
select keeper, asked_by, granted_by, ends_at, keys_ended from engine.standing_emergency order by ends_at, emergency_id;
