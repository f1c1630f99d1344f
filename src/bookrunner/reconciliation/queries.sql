-- name: run$
-- Runs all comparisons; returns every difference. New ones become breaks, breaks that agree again are verified by this run.
select reconciliation.run(:actor, :request, :offering, :run, cast(:chain as jsonb));

-- name: run_of$
-- Runs all comparisons over these investments, investors and wallets alone.
select reconciliation.run(:actor, :request, :offering, :run, cast(:chain as jsonb), cast(:only as text[]));

-- name: touched
-- What the events that were not followed yet touch, up to so many of them; a row without an offer says how far they go.
select last_seq, offering_id, is_about_units, only_these from reconciliation.touched(cast(:most as integer));

-- name: addresses_of
-- The wallets of these investors that the register knows.
select a.address from reconciliation.addresses_of(:offering, cast(:only as text[])) as a (address);

-- name: follow$
-- Says up to where the feed was followed.
select reconciliation.follow(:actor, :request, cast(:seq as bigint));

-- name: due_runs
-- The offers whose whole run is due, the longest waiting first, and whether the books were compared without the chain since, no longer
-- ago than a period.
select d.offering_id, d.phase, d.due_at, exists (select from reconciliation.run x where x.offering_id = d.offering_id and x.is_whole
        and not x.saw_the_chain and x.started_at >= greatest(case when d.is_missed then d.missed_at else d.due_at end,
            clock_timestamp() - d.every)) as was_compared_without_chain
from reconciliation.due d where d.is_due order by d.due_at, d.offering_id;

-- name: units_apart
-- Where the books have other units than the chain showed; writes nothing.
select a.kind, a.subject_id, a.units from reconciliation.units_apart(:offering, cast(:only as text[]), cast(:chain as jsonb)) a;

-- name: leave_unseen$
-- Keeps what events about units touched while the node was silent.
select reconciliation.leave_unseen(:actor, :request, :offering, cast(:only as text[]));

-- name: unseen
-- What waits for a look at the chain, by offer, and until when it was read.
select u.offering_id, array_agg(u.about order by u.about) as only_these, max(u.since) as until from reconciliation.unseen u
group by u.offering_id order by u.offering_id;

-- name: see$
-- Says that these were compared with the chain.
select reconciliation.see(:actor, :request, :offering, cast(:only as text[]), :until);

-- name: remind$
-- Reminds of breaks that are older than they should be; returns of how many.
select reconciliation.remind(:actor, :request);

-- name: assign_break$
-- Gives a break to a person of its owner.
select reconciliation.assign_break(:actor, :request, :offering, :break_id, :keeper, :person, cast(:version as bigint));

-- name: answer_break$
-- Says why a break is, or what was put right.
select reconciliation.answer_break(:actor, :request, :offering, :break_id, :keeper, :is_corrected, :answer, cast(:version as bigint));

-- name: accept_break$
-- Accepts an explained break, as a second person with a reason.
select reconciliation.accept_break(:actor, :request, :offering, :break_id, :keeper, :because, cast(:version as bigint));

-- name: unbroken_damage
-- Offers with damage in the archive that no break names yet, or with such a break of what is repaired.
select f.offering_id from subscription.damage_fact f
left join reconciliation.break b on b.offering_id = f.offering_id and b.comparison = 'archive' and b.subject_id = f.sha256
where f.status = 'found' and coalesce(b.status, 'verified') = 'verified' and b.accepted_by is null or f.status = 'repaired' and b.status <> 'verified'
group by f.offering_id order by f.offering_id;

-- name: our_investments
-- The portal's list of investments; amounts in minor units.
select i.investment_id, i.investor_id, i.units, i.amount_minor as amount, i.status from engine.investment i where i.offering_id = :offering;

-- name: our_payments
-- What was received for each investment under its last reference; amounts in minor units.
select f.investment_id, f.reference, f.received_minor as amount from treasury.funding f
where f.offering_id = :offering and f.received_minor > 0;

-- name: our_wallets
-- The wallets that the agent linked.
select w.investor_id, encode(w.address, 'hex') as address from registry.wallet_fact w
where w.offering_id = :offering and w.status = 'linked';

-- name: our_holdings
-- The holders of the register with the wallet that is linked.
select h.investor_id, encode(w.address, 'hex') as address, h.units from registry.holding_fact h
left join registry.wallet_fact w on w.offering_id = h.offering_id and w.investor_id = h.investor_id and w.status = 'linked'
where h.offering_id = :offering and h.units > 0;
