-- name: propose_split$
-- Proposes a split on the issuer's paper.
select registry.propose_split(:actor, :request, :offering, :split, cast(:asked as jsonb));

-- name: decide_split$
-- Approves or declines a split as another person.
select registry.decide_split(:actor, :request, :offering, :split, :is_approved, :because);

-- name: abandon_split$
-- Gives up a split that has not begun.
select registry.abandon_split(:actor, :request, :offering, :split, :because);

-- name: begin_split$
-- Works out every holder and wallet of an approved split and begins it, or refuses it by the first thing that hinders it.
select registry.begin_split(:actor, :request, :offering, :split, cast(:undelivered as bigint));

-- name: splits
-- The splits of an offer, the newest first, with their people and how many wallets the chain has still to change.
select * from registry.split_standing s where s.offering_id = :offering order by s.proposed_at desc, s.split_id;

-- name: split_hindrances
-- Everything that keeps a split from beginning now.
select rule, detail from registry.split_hindrances(:offering, :split) order by place;

-- name: split_lines
-- What each holder had and has, the fraction and the cash owed for it.
select h.investor_id, l.holding_id, l.units_before, l.units_after, l.fraction_parts, l.cash_minor
from registry.split_line l join registry.holding h using (offering_id, holding_id)
where l.offering_id = :offering and l.split_id = :split order by h.investor_id;

-- name: open_wallets
-- Wallets that the chain has still to change and that no transaction under way does.
select address, units from registry.split_open where offering_id = :offering and split_id = :split and not is_waiting order by address;

-- name: planned_wallets
-- What a split would change in which wallet, with so many units that nobody has bought.
select w.address, w.units_after - w.units_before as units
from registry.split s cross join lateral registry.places_of_split(s, cast(:undelivered as bigint)) w
where s.offering_id = :offering and s.split_id = :split and w.units_after <> w.units_before order by w.address;

-- name: wallets_before
-- Where the register has units of an offer on chain.
select address, units from registry.address_units where offering_id = :offering order by address;

-- name: splits_under_way
-- Splits that are agreed or begun.
select offering_id, split_id, status, effective_at <= clock_timestamp() as is_due from registry.split
where status in ('approved', 'begun') order by effective_at, split_id;
