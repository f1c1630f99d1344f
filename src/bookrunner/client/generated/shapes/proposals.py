# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: proposals."""

from __future__ import annotations

from pydantic import JsonValue

from bookrunner.client.records import Record, Sent


class Confirmed(Record):
    """A confirmed proposal, and what its call answered."""

    answer: JsonValue
    answered: int
    id: str
    status: str
    version: str


class Declined(Sent):
    """Why a proposal is not followed."""

    because: str


class NewProposal(Sent):
    """A call that somebody may make: an operation, what fills it, and why, in words for a person."""

    operation: str
    sentence: str
    body: dict[str, JsonValue] | None = None
    hours: int | None = None
    if_match: str | None = None
    path: dict[str, str] | None = None


class ProposedCall(Record):
    """What a confirmation sends."""

    body: JsonValue
    if_match: str | None
    path: dict[str, str]


class Proposal(Record):
    """A proposal: the call, why, by whom, until when, and what was decided. Its words are the
    proposer's.

    `is_made` says that its call was made and answered; a confirmed one that is not may be confirmed
    again.
    """

    because: str | None
    call: ProposedCall
    decided_by: str | None
    expires_at: str
    id: str
    is_made: bool
    operation: str
    proposed_at: str
    proposed_by: str
    sentence: str
    status: str
    version: str


class Proposals(Record):
    """The proposals for the keeper of a key, the newest first, at most 200."""

    proposals: list[Proposal]


class Seen(Sent):
    """The version of the record that its person saw, for a call that names none; it then acts on no
    other.
    """

    version: str | None = None
