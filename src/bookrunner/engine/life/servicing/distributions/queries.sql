-- name: distribution_flows
-- What moved between holders, sponsor and offer: paid in up to a record date, and each earlier distribution.
select distribution_id, on_day, contributed, returned, preferred, further, sponsor from engine.distribution_flows(:offering, :record_on);

-- name: draft_distribution$
-- Drafts a distribution from the register of its record date, with what its tiers pay.
select engine.draft_distribution(:actor, :request, :offering, :distribution, cast(:terms as jsonb));

-- name: approve_distribution$
-- Approves a distribution, as another person and on the version seen.
select engine.approve_distribution(:actor, :request, :offering, :distribution, :seen);

-- name: cancel_distribution$
-- Ends a distribution before its payment, with a reason.
select engine.cancel_distribution(:actor, :request, :offering, :distribution, :because, :seen);

-- name: start_distribution$
-- Starts the payment; false when it was started.
select engine.start_distribution(:actor, :request, :offering, :distribution);

-- name: undeclared
-- Payments that were started and owe nobody yet, because whoever started them ended in between.
select d.offering_id, d.distribution_id from engine.distribution d where d.status = 'paying' and not exists (
    select from treasury.declared_distribution x where x.offering_id = d.offering_id and x.distribution_id = d.distribution_id)
order by d.offering_id, d.distribution_id;

-- name: finish_distributions$
-- Ends each payment in which nobody waits for a bank; answers how many.
select engine.finish_distributions(:actor, :request);

-- name: distribution^
-- One distribution beside the state of its payments.
select * from engine.distribution_standing where offering_id = :offering and distribution_id = :distribution;

-- name: distributions
-- The distributions of an offer, the newest first.
select * from engine.distribution_standing where offering_id = :offering order by record_on desc, distribution_id desc;

-- name: distribution_reserves
-- What a distribution sets aside, line by line.
select line, name, amount_minor from engine.distribution_reserve
where offering_id = :offering and distribution_id = :distribution order by line;

-- name: distribution_tiers
-- The tiers of a distribution with what each paid and how that was found.
select tier, kind, holders_bp, rate_bp, target_bp, day_count, compounds, due_minor, holders_minor, sponsor_minor, left_minor, working
from engine.distribution_tier where offering_id = :offering and distribution_id = :distribution order by tier;

-- name: distribution_lines
-- The lines of a distribution after one of them, each with its payment where it is owed; all, or those in a state.
select * from engine.distribution_line_standing l where l.offering_id = :offering and l.distribution_id = :distribution
    and l.line_id > :after and (cast(:status as text) is null or l.status = :status)
order by l.line_id limit :most;

-- name: distributions_of
-- What an investor is or was entitled to, over all offers, once two people have approved it.
select * from engine.distribution_line_standing l
where l.investor_id = :investor and l.distribution_status in ('approved', 'paying', 'paid')
order by l.pay_on desc, l.line_id;

-- name: payees$
-- Everybody whom a distribution pays, and for whom.
select coalesce(array_agg(distinct n.id order by n.id), '{}') from engine.distribution_line l
cross join lateral (values (l.investor_id), (l.payee_id)) n (id)
where l.offering_id = :offering and l.distribution_id = :distribution;

-- name: coin_payments_under_way
-- The orders in tokens whose end is not kept yet, with what the chain has made of the transaction of each.
select u.payout_id, u.token, u.sender, u.receiver, u.base_units, f.status, f.hash, f.block_number
from treasury.coin_payment_under_way u join lateral (
    select case when x.status = 'dropped' and s.intent_id is not null then 'given_up' else x.status end as status, x.hash, x.block_number
    from registry.transaction_fact x left join registry.started_key s on s.intent_id = x.intent_id
    where x.offering_id = u.offering_id and x.intent_id = 'pay:' || u.payout_id
    order by x.status = 'final' desc, x.status = 'reverted' desc, x.attempt_no desc limit 1) f on true
where u.offering_id = :offering and f.status in ('final', 'reverted', 'given_up') order by u.payout_id;

-- name: signed_payment$
-- The transaction that was signed for an order in tokens, if one was.
select min(transaction_id) from registry.transaction_fact where offering_id = :offering and intent_id = 'pay:' || :payout and attempt_no = 1;
