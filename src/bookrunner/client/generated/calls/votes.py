# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: votes."""

from __future__ import annotations

from collections.abc import Iterator

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.votes import (
    NewBallot,
    NewProxy,
    NewVote,
    OwnVotes,
    PositionActed,
    Vote,
    VoteActed,
    VoteDecision,
    VotePosition,
    Votes,
    VoteTally,
)
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport, every


class VotesCalls:
    """The operations of votes."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list_own_votes(self, investor: str) -> OwnVotes:
        """List the positions that an investor votes with, its own and those under a proxy; at most 200."""
        return self._transport.record(
            OwnVotes, OPERATIONS["list_own_votes"], Call(path={"investor": investor})
        )

    def list_votes(self, offer: str) -> Votes:
        """List the votes of an offer, the latest first, at most 200; an issuer those of its own."""
        return self._transport.record(Votes, OPERATIONS["list_votes"], Call(path={"offer": offer}))

    def propose_vote(self, offer: str, body: NewVote, *, idempotency_key: str | None = None) -> VoteActed:
        """Propose a vote; another person opens it, after its record date has ended."""
        return self._transport.record(
            VoteActed,
            OPERATIONS["propose_vote"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def get_vote(self, offer: str, vote: str) -> Vote:
        """Return one vote, with its result once it is closed; its ETag is the version of a decision."""
        return self._transport.record(Vote, OPERATIONS["get_vote"], Call(path={"offer": offer, "vote": vote}))

    def cast_ballot(
        self, offer: str, vote: str, body: NewBallot, *, idempotency_key: str | None = None
    ) -> PositionActed:
        """Cast the ballot of a holder, or cast it anew: the last one before the end counts.

        Refuses `ballot_is_cast_in_time`, `ballot_has_a_position` and, for another holder,
        `delegate_has_a_proxy`.
        """
        return self._transport.record(
            PositionActed,
            OPERATIONS["cast_ballot"],
            Call(path={"offer": offer, "vote": vote}, body=body, idempotency_key=idempotency_key),
        )

    def decide_vote(
        self, offer: str, vote: str, body: VoteDecision, *, if_match: ETag, idempotency_key: str | None = None
    ) -> VoteActed:
        """Open a vote on its version, as another person than who proposed it, or cancel it.

        Opened, it keeps the register of its record date as weights. Refuses `record_date_has_ended` and
        `vote_weighs_by_the_register`.
        """
        return self._transport.record(
            VoteActed,
            OPERATIONS["decide_vote"],
            Call(
                path={"offer": offer, "vote": vote},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def give_proxy(
        self, offer: str, vote: str, body: NewProxy, *, idempotency_key: str | None = None
    ) -> PositionActed:
        """Let another investor cast the ballot of a holder in this vote, or take that back."""
        return self._transport.record(
            PositionActed,
            OPERATIONS["give_proxy"],
            Call(path={"offer": offer, "vote": vote}, body=body, idempotency_key=idempotency_key),
        )

    def get_vote_tally(
        self, offer: str, vote: str, *, cursor: str | None = None, limit: int | None = None
    ) -> VoteTally:
        """Return the count of a vote so far, and its positions by holder with weight and ballot."""
        return self._transport.record(
            VoteTally,
            OPERATIONS["get_vote_tally"],
            Call(path={"offer": offer, "vote": vote}, query={"cursor": cursor, "limit": limit}),
        )

    def each_of_get_vote_tally(
        self, offer: str, vote: str, *, cursor: str | None = None, limit: int | None = None
    ) -> Iterator[VotePosition]:
        """Yield every record of :meth:`get_vote_tally`, page by page."""

        def page(at: str | None) -> tuple[list[VotePosition], str | None]:
            found = self.get_vote_tally(offer, vote, cursor=at or cursor, limit=limit)
            return found.positions, found.next

        return every(page)
