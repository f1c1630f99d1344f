# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: votes."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from bookrunner.client.records import Record, Sent


class NewBallot(Sent):
    """Who casts, what, and for which holder: itself when it names none."""

    choice: Literal["for", "against", "abstain"]
    investor: str
    holder: str | None = None


class NewProxy(Sent):
    """The holder, and who casts its ballot; null takes the proxy back."""

    delegate: str | None
    investor: str


class NewVote(Sent):
    """A resolution with its document; carried by more than that part of for and against."""

    document_sha256: str
    ends_at: AwareDatetime
    needed_of: int
    needed_over: int
    quorum_bps: int
    record_on: str
    resolution: str


class VoteCount(Record):
    """A vote in units of its record date, and whether quorum and majority are there."""

    abstained: str
    against: str
    ballots: int
    holders: int
    in_favour: str
    is_carried: bool
    quorum_is_met: bool
    units: str
    voted: str


class OwnVote(Record):
    """A position that an investor votes with, in its vote."""

    because: str | None
    cast_at: str | None
    cast_for_it_by: str | None
    choice: str | None
    delegate: str | None
    document_sha256: str
    ends_at: str
    holder: str
    is_open: bool
    offer: str
    record_on: str
    resolution: str
    result: VoteCount | None
    status: str
    units: str
    version: str
    vote: str


class OwnVotes(Record):
    """Positions that an investor votes with, those that are open first."""

    votes: list[OwnVote]


class PositionActed(Record):
    """A position after its ballot or its delegate changed; version 0 is no ballot."""

    cast_for_it_by: str | None
    choice: str | None
    delegate: str | None
    holder: str
    offer: str
    units: str
    version: str
    vote: str


class Vote(Record):
    """A resolution that holders vote on; an issuer is not told who proposed and opened it."""

    because: str | None
    document_sha256: str
    ends_at: str
    id: str
    is_open: bool
    needed_of: int
    needed_over: int
    offer: str
    opened_by: str | None
    proposed_by: str | None
    quorum_bps: int
    record_on: str
    resolution: str
    result: VoteCount | None
    status: str
    version: str


class VoteActed(Record):
    """A vote after an act."""

    id: str
    offer: str
    status: str
    version: str


class VoteDecision(Sent):
    """A second person opens a vote; whoever cancels it says why."""

    decision: Literal["opened", "cancelled"]
    because: str | None = None


class VotePosition(Record):
    """The weight of one holder, its ballot and who cast it for the holder; version 0 is no ballot."""

    cast_at: str | None
    cast_for_it_by: str | None
    choice: str | None
    delegate: str | None
    holder: str
    units: str
    version: str


class VoteTally(Record):
    """The count so far and positions by holder; `next` is the cursor that continues, null at the end."""

    count: VoteCount
    next: str | None
    positions: list[VotePosition]
    vote: str


class Votes(Record):
    """The votes of an offer, the latest first."""

    votes: list[Vote]
