-- name: propose_vote$
-- Proposes a vote; another person opens it.
select engine.propose_vote(:actor, :request, :offering, :vote, cast(:asked as jsonb), :document_sha256);

-- name: open_vote$
-- Opens a vote as another person, with the register of its record date as weights.
select engine.open_vote(:actor, :request, :offering, :vote, cast(:seen as bigint));

-- name: cancel_vote$
-- Ends a vote without a result.
select engine.cancel_vote(:actor, :request, :offering, :vote, :because, cast(:seen as bigint));

-- name: cast_ballot$
-- Casts the ballot of a holder, or casts it anew, itself or by its delegate.
select engine.cast_ballot(:actor, :request, :offering, :vote, :investor, :choice, cast(:delegate as text));

-- name: give_proxy$
-- Lets another investor cast the ballot of a holder; without a name nobody does any more.
select engine.give_proxy(:actor, :request, :offering, :vote, :proxy, :investor, cast(:delegate as text));

-- name: close_votes$
-- Closes the votes whose time is over.
select engine.close_votes(:actor, :request);

-- name: votes
-- The votes of an offer, the newest first.
select vote_id, status, resolution, document, record_on, closes_at, proposed_by, opened_by, because, version, is_open, result
from engine.vote_standing where offering_id = :offering order by closes_at desc, vote_id;

-- name: vote^
-- One vote of an offer, with its count so far.
select v.vote_id, v.status, v.resolution, v.record_on, v.closes_at, v.proposed_by, v.opened_by, v.because, v.version, v.is_open, v.quorum_bps,
    v.needed_over, v.needed_of, engine.vote_count(v.offering_id, v.vote_id) as count
from engine.vote_standing v where v.offering_id = :offering and v.vote_id = :vote;

-- name: vote_positions
-- The positions of a vote with their weights and ballots, the largest first.
select p.holder_id, p.units, p.choice, p.cast_at, p.cast_for_it_by, p.delegate_id
from engine.vote_position p where p.offering_id = :offering and p.vote_id = :vote
order by p.units desc, p.holder_id limit cast(:most as integer);

-- name: own_votes
-- The positions that an investor votes with, its own and those under a proxy, those that are open first.
select v.offering_id, o.name, v.vote_id, v.status, v.resolution, v.document, v.record_on, v.closes_at, v.is_open, v.result, v.because, v.units,
    v.choice, v.cast_at, v.cast_for_it_by, v.delegate_id, v.holder_id, v.holder_id = v.investor_id as is_own
from engine.own_vote v join engine.offer o using (offering_id)
where v.investor_id = :investor order by v.is_open desc, v.closes_at desc, v.vote_id, is_own desc, v.holder_id limit 200;

-- name: votes_with^
-- Whether an investor votes with one position, its own or one under a proxy.
select v.holder_id from engine.own_vote v
where v.offering_id = :offering and v.vote_id = :vote and v.holder_id = :holder and v.investor_id = :investor;

-- name: follow_split$
-- Moves price, units and least order of an offer with an executed split, once.
select engine.follow_split(:actor, :request, :offering, :split);

-- name: splits_to_follow
-- Executed splits that the terms of their offer have not followed.
select s.offering_id, s.split_id from registry.split_fact s
where s.status = 'executed' and not exists (select from engine.followed_split f
    where f.offering_id = s.offering_id and f.split_id = s.split_id) order by s.offering_id, s.split_id;
