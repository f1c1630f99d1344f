"""Answers about what follows a close: filings that offers owe, and votes of holders."""

from __future__ import annotations

from typing_extensions import TypedDict


class Filing(TypedDict):
    """One filing: the fact that starts its clock, the day it is due, and how it was met."""

    id: str
    offer: str
    form: str
    clock: str
    state: str | None
    status: str
    fact_on: str | None
    fact_source: str
    due_on: str | None
    is_missed: bool
    is_late: bool
    rule: str | None
    citation: str
    filed_on: str | None
    reference: str | None
    proof_sha256: str | None
    because: str | None
    ended_by: str | None
    version: str


class Filings(TypedDict):
    """What is missed first, then by the day it is due."""

    filings: list[Filing]


class FilingItem(TypedDict):
    """One item of a form; its value is null while nobody has filled it, money as a decimal text.

    Of a prepared or filed filing the value is the one that was kept, ``value_now`` today's where it
    differs.
    """

    code: str
    sentence: str
    citation: str
    is_mandatory: bool
    is_found: bool
    value: str | None
    unit: str
    source: str | None
    differs: bool
    value_now: str | None


class FilingPack(Filing):
    """A filing with the items of its form and the mandatory ones that nothing fills."""

    unfilled: list[str]
    items: list[FilingItem]


class FilingActed(TypedDict):
    """A filing after an act."""

    id: str
    offer: str
    form: str
    status: str
    due_on: str | None
    filed_on: str | None
    version: str


class FactStated(TypedDict):
    """A fact that a person stated."""

    id: str
    offer: str
    fact: str
    happened_on: str
    version: str


class VoteCount(TypedDict):
    """A vote in units of its record date, and whether quorum and majority are there."""

    units: str
    holders: int
    ballots: int
    voted: str
    in_favour: str
    against: str
    abstained: str
    quorum_is_met: bool
    is_carried: bool


class Vote(TypedDict):
    """A resolution that holders vote on; an issuer is not told who proposed and opened it."""

    id: str
    offer: str
    status: str
    resolution: str
    document_sha256: str
    record_on: str
    ends_at: str
    is_open: bool
    quorum_bps: int
    needed_over: int
    needed_of: int
    proposed_by: str | None
    opened_by: str | None
    because: str | None
    result: VoteCount | None
    version: str


class Votes(TypedDict):
    """The votes of an offer, the latest first."""

    votes: list[Vote]


class VotePosition(TypedDict):
    """The weight of one holder, its ballot and who cast it for the holder; version 0 is no ballot."""

    holder: str
    units: str
    choice: str | None
    cast_at: str | None
    cast_for_it_by: str | None
    delegate: str | None
    version: str


class VoteTally(TypedDict):
    """The count so far and positions by holder; ``next`` is the cursor that continues, null at the end."""

    vote: str
    count: VoteCount
    positions: list[VotePosition]
    next: str | None


class OwnVote(VotePosition):
    """A position that an investor votes with, in its vote."""

    vote: str
    offer: str
    status: str
    resolution: str
    document_sha256: str
    record_on: str
    ends_at: str
    is_open: bool
    because: str | None
    result: VoteCount | None


class OwnVotes(TypedDict):
    """Positions that an investor votes with, those that are open first."""

    votes: list[OwnVote]


class VoteActed(TypedDict):
    """A vote after an act."""

    id: str
    offer: str
    status: str
    version: str


class PositionActed(TypedDict):
    """A position after its ballot or its delegate changed; version 0 is no ballot."""

    vote: str
    offer: str
    holder: str
    units: str
    choice: str | None
    cast_for_it_by: str | None
    delegate: str | None
    version: str
