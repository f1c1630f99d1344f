-- name: votes
-- The votes of an offer, or one of them, the latest first.
select v.offering_id, v.vote_id, v.status, v.resolution, v.document, v.record_on, v.closes_at, v.is_open, v.quorum_bps, v.needed_over,
    v.needed_of, v.proposed_by, v.opened_by, v.because, v.result, v.version
from engine.vote_standing v
where v.offering_id = :offering and (cast(:vote as text) is null or v.vote_id = :vote)
order by v.closes_at desc, v.vote_id limit cast(:most as integer);

-- name: issuer_votes
-- The same for the issuer of the offer, which is not told who proposed and opened them.
select v.offering_id, v.vote_id, v.status, v.resolution, v.document, v.record_on, v.closes_at, v.is_open, v.quorum_bps, v.needed_over,
    v.needed_of, null::text as proposed_by, null::text as opened_by, v.because, v.result, v.version
from issuer.vote v
where v.offering_id = :offering and (cast(:vote as text) is null or v.vote_id = :vote)
order by v.closes_at desc, v.vote_id limit cast(:most as integer);

-- name: vote_count$
-- The count of a vote so far.
select engine.vote_count(:offering, :vote);

-- name: vote_positions
-- The positions of a vote by holder, with weights and ballots.
select p.holder_id, p.units, p.choice, p.cast_at, p.cast_for_it_by, p.delegate_id, p.version from engine.vote_position p
where p.offering_id = :offering and p.vote_id = :vote and (cast(:after as text) is null or p.holder_id > :after)
order by p.holder_id limit cast(:most as integer);

-- name: own_positions
-- The positions that an investor votes with, its own and those under a proxy, those that are open first.
select v.offering_id, v.vote_id, v.status, v.resolution, v.document, v.record_on, v.closes_at, v.is_open, v.result, v.because, v.holder_id,
    v.units, v.choice, v.cast_at, v.cast_for_it_by, v.delegate_id, v.version
from engine.own_vote v where v.investor_id = :investor
order by v.is_open desc, v.closes_at desc, v.vote_id, v.holder_id limit cast(:most as integer);

-- name: propose_vote^
-- Claims the key, proposes a vote, stores the answer.
select answer, is_replay from api.propose_vote(:key, :request, :body_sha256, :offering, :vote, cast(:terms as jsonb), :document_sha256);

-- name: decide_vote^
-- Claims the key, opens or cancels a vote on the version that was seen, stores the answer.
select answer, is_replay from api.decide_vote(:key, :request, :body_sha256, :offering, :vote, :version, :is_opened, :because);

-- name: cast_ballot^
-- Claims the key, casts the ballot of a holder, stores the answer.
select answer, is_replay from api.cast_ballot(:actor, :request, :body_sha256, :offering, :vote, :holder, :choice, :delegate);

-- name: give_proxy^
-- Claims the key, names the delegate of a holder or nobody, stores the answer.
select answer, is_replay from api.give_proxy(:actor, :request, :body_sha256, :offering, :vote, :proxy, :holder, :delegate);
