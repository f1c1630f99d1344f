-- name: propose_transfer_rule$
-- Proposes a rule of transfers, with its paper.
select registry.propose_transfer_rule(:actor, :request, :offering, :rule, cast(:said as jsonb));

-- name: decide_transfer_rule$
-- Puts a rule in force, or declines it.
select registry.decide_transfer_rule(:actor, :request, :offering, :rule, :is_approved, :because);

-- name: end_transfer_rule$
-- Ends a rule for a reason.
select registry.end_transfer_rule(:actor, :request, :offering, :rule, :because);

-- name: transfer_rules
-- The rules of an offer, those that wait first; of a volume that is in force what it is in units of now.
select rule_id, status, kind, investor_id, starts_on, ends_on, amount, span, countries, payer, because, proposed_by, decided_by,
    case when kind = 'volume' and status = 'in_force' then registry.volume_now(:offering, amount, decided_at) else amount end as amount_now
from registry.transfer_rule where offering_id = :offering
order by array_position('{proposed,in_force,declined,ended}', status), kind, rule_id;

-- name: record_affiliation$
-- Records that the units of a holder are summed with those of a group.
select registry.record_affiliation(:actor, :request, :offering, :affiliation, :investor, :group, :because);

-- name: end_affiliation$
-- Ends an affiliation for a reason.
select registry.end_affiliation(:actor, :request, :offering, :affiliation, :because);

-- name: transfer_refusals
-- Every rule that keeps units from going now, in the order of precedence.
select place, rule, detail, passes_on from registry.transfer_refusals(:offering, :seller, :buyer, cast(:units as bigint),
    cast(:transfer as text));

-- name: request_transfer$
-- Takes a request with its papers and opens its item of the turnaround log.
select registry.request_transfer(:actor, :request, :offering, :transfer, cast(:said as jsonb), cast(:papers as jsonb), :item,
    cast(:clock as jsonb));

-- name: add_transfer_papers$
-- Takes further papers of a request.
select registry.add_transfer_papers(:actor, :request, :offering, :transfer, cast(:papers as jsonb));

-- name: present_again$
-- Takes a returned request again, with a new item.
select registry.present_again(:actor, :request, :offering, :transfer, cast(:papers as jsonb), :item, cast(:clock as jsonb));

-- name: mark_transfer_screened$
-- Both sides were screened for a transfer.
select registry.mark_transfer_screened(:actor, :request, :offering, :transfer);

-- name: approve_transfer$
-- Approves a transfer to an end.
select registry.approve_transfer(:actor, :request, :offering, :transfer, cast(:until as timestamptz));

-- name: end_transfer$
-- Sends a request back, rejects it, or withdraws it.
select registry.end_transfer(:actor, :request, :offering, :transfer, :status, cast(:reasons as text[]));

-- name: lapse_transfers$
-- Puts approvals that have ended back; returns how many.
select registry.lapse_transfers(:actor, :request, :offering);

-- name: take_transfer$
-- The line of an approved transfer, for signing in this very transaction.
select registry.take_transfer(:actor, :request, :offering, :transfer);

-- name: transfer^
-- One request with its papers, what is missing and its clock.
select q.*, registry.missing_papers(q.offering_id, q.request_id) as missing, i.due_on, i.received_at,
    encode(t.hash, 'hex') as transaction_hash, t.status as transaction_status, (select coalesce(jsonb_agg(jsonb_build_object(
        'paper', p.paper, 'sha256', encode(p.sha256, 'hex')) order by p.presented_at, p.paper), '[]')
        from registry.transfer_paper p where p.offering_id = q.offering_id and p.request_id = q.request_id) as papers
from registry.transfer_request q join registry.turnaround_item i on i.offering_id = q.offering_id and i.item_id = q.item_id
left join registry.chain_transaction t on t.offering_id = q.offering_id and t.transaction_id = q.transaction_id
where q.offering_id = :offering and q.request_id = :transfer;

-- name: transfers
-- Requests of an offer, or of one holder, those that wait first.
select q.request_id, q.status, q.kind, q.route, q.seller_id, q.buyer_id, q.units, q.price_minor, q.currency, q.asked_by, q.asked_at,
    q.reasons, q.decided_by, q.approved_until, q.movement_id, registry.missing_papers(q.offering_id, q.request_id) as missing, i.due_on,
    array(select distinct p.paper from registry.transfer_paper p where p.offering_id = q.offering_id
        and p.request_id = q.request_id order by p.paper) as papers, q.version, c.payer_id, c.amount_minor as fee_minor,
    c.currency as fee_currency
from registry.transfer_request q join registry.turnaround_item i on i.offering_id = q.offering_id and i.item_id = q.item_id
left join registry.transfer_charge c on c.offering_id = q.offering_id and c.request_id = q.request_id
where q.offering_id = :offering and (cast(:investor as text) is null or :investor in (q.seller_id, q.buyer_id))
order by q.status in ('registered', 'rescinded', 'rejected', 'withdrawn'), q.asked_at desc, q.request_id limit cast(:most as integer);

-- name: paper_kinds
-- Which papers each kind of transfer needs, and which others state why units may go in a first year.
select transfer_kind, paper, sentence, is_required from (
    select transfer_kind, paper, sentence, true as is_required from registry.required_paper
    union all select p.transfer_kind, p.paper, p.sentence, false from registry.permitting_paper p where not exists (
        select from registry.required_paper r where (r.transfer_kind, r.paper) = (p.transfer_kind, p.paper))) k
order by transfer_kind, is_required desc, paper;

-- name: approved_transfers
-- Approved requests that the agent's key carries out.
select request_id from registry.transfer_request
where offering_id = :offering and status = 'approved' and route = 'agent' and approved_until > clock_timestamp()
order by decided_at, request_id;

-- name: transfers_under_way
-- Offers with approved requests that the agent's key carries out, that are signed, or whose approval has ended.
select distinct offering_id from registry.transfer_request where status = 'instructed'
    or status = 'approved' and (route = 'agent' or approved_until <= clock_timestamp()) order by offering_id;

-- name: affiliations
-- Whose units are summed with whose.
select affiliation_id, status, investor_id, group_name, because, recorded_by, ended_by, ended_because
from registry.affiliation where offering_id = :offering order by status desc, group_name, investor_id;

-- name: waiting_for_screening
-- Requests whose papers are there and that are not screened.
select q.request_id, q.offering_id, q.seller_id, q.buyer_id from registry.transfer_request q
where q.status = 'requested' and registry.missing_papers(q.offering_id, q.request_id) = '{}'
order by q.asked_at, q.request_id;

-- name: observe_transfer$
-- Takes a log of the chain that may be none of ours; returns what it is.
select registry.observe_transfer(:actor, :request, :offering, cast(:log as jsonb), :item, cast(:clock as jsonb));

-- name: watched_offers
-- Offers with units in the register and a token on a chain.
select o.offering_id from engine.offer o join registry.control_book c using (offering_id)
where o.chain_id = cast(:chain_id as bigint) and o.token_address is not null and c.issued_units > 0 order by o.offering_id;

-- name: watched_through$
-- Up to which block the logs of a token have been looked at; at first, up to the first of our own transactions.
select coalesce((select w.through_block from registry.watched_token w where w.offering_id = :offering),
    (select min(t.block_number) - 1 from registry.chain_transaction t where t.offering_id = :offering and t.status = 'final'), 0);

-- name: watch_through$
-- Notes up to which block the logs have been looked at.
select registry.watch_through(:actor, :request, :offering, cast(:block as bigint), cast(:time as timestamptz));

-- name: observed
-- Transfers that the chain showed, those that wait first.
select observed_id, status, '0x' || encode(from_address, 'hex') as from_address, '0x' || encode(to_address, 'hex') as to_address, units,
    seller_id, buyer_id, request_id, owner, observed_at, ending, because, explained_by, resolved_by, encode(transaction_hash, 'hex') as hash
from registry.observed_transfer where offering_id = :offering
order by status in ('matched', 'resolved'), observed_at desc, observed_id limit cast(:most as integer);

-- name: buy_in_cases
-- Units that came by chain without an instruction, and how many are over the authorised ones.
select observed_id, status, '0x' || encode(to_address, 'hex') as to_address, units, observed_at, authorised_units, minted_units,
    over_units, ending, because from registry.buy_in_case where offering_id = :offering order by observed_at;

-- name: explain_observed$
-- Says how an observed transfer ends, with the paper.
select registry.explain_observed(:actor, :request, :offering, :observed, :ending, :paper_sha256, :because);

-- name: resolve_observed$
-- A second person agrees to how an observed transfer ends, or sends it back.
select registry.resolve_observed(:actor, :request, :offering, :observed, :is_agreed);

-- name: lots_of
-- What is left of a holder's lots, from when on each is free, which period binds it until then, and what it cost where it was reinvested.
select s.lot_id, s.acquired_on, s.left_units, s.legend, s.free_on, (registry.period_of(s.offering_id)).kind as period,
    s.free_on <= registry.today() or not registry.period_binds(s.offering_id, null, false) as is_free, s.left_units * r.price_minor as cost_minor, r.currency
from registry.lot_standing s left join registry.reinvested_lot r using (offering_id, lot_id)
where s.offering_id = :offering and s.investor_id = :investor and s.left_units > 0 order by s.acquired_on, s.lot_id;

-- name: ask_rescission$
-- Asks for a transfer to be taken back, on a paper.
select registry.ask_rescission(:actor, :request, :offering, :rescission, :action, cast(:asked as jsonb));

-- name: record_repayment$
-- Records that the price of a rescinded transfer was paid back.
select registry.record_repayment(:actor, :request, :offering, :rescission, :sha256);

-- name: rescissions
-- What was taken back or is asked to be, with who owes its price to whom, what waits first.
select rescission_id, request_id, action_id, status, seller_id, buyer_id, units, owed_by, owed_to, price_minor, currency, order_status,
    because, order_reference, asked_by, decided_by, ended_at, repaid_by
from registry.rescission_standing where offering_id = :offering
order by array_position('{asked,done,repaid,dropped}', status), asked_at desc, rescission_id limit cast(:most as integer);
