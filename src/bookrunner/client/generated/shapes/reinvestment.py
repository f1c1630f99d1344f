# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: reinvestment."""

from __future__ import annotations

from typing import Literal

from bookrunner.client.records import Exact, Record, Sent


class Election(Record):
    """What a holder elected last; `counts_from` is the first record date that it counts for."""

    counts_from: str | None
    given_at: str
    given_by: str
    id: str
    investor: str
    share_bp: int


class ElectionGiven(Record):
    """An election as it was recorded, with its moment."""

    given_at: str
    id: str
    investor: str
    offer: str
    share_bp: int
    version: str


class Elections(Record):
    """The newest election of each holder."""

    elections: list[Election]


class NewElection(Sent):
    """The share in parts of ten thousand that a holder wants in units, with its paper; 0 ends it."""

    investor: str
    share_bp: int
    paper_sha256: str | None = None


class NewPlan(Sent):
    """The price of a unit, the days of the cut-off, the first record date and the most units."""

    authority_reference: str
    authority_sha256: str
    cutoff_days: int
    from_on: str
    most_units: int
    price: Exact


class Plan(Record):
    """A plan of reinvestment with its terms and the units that runs promised, issued ones among them."""

    cutoff_days: int
    decided_by: str | None
    end_proposed_by: str | None
    from_on: str
    id: str
    issued_units: int
    most_units: int
    price: Exact
    promised_units: int
    proposed_by: str
    status: str
    version: str


class PlanActed(Record):
    """A plan of reinvestment after an act on it."""

    id: str
    offer: str
    status: str
    version: str


class PlanDecision(Sent):
    """A word on a plan or on its end; each is proposed by one person and decided by another."""

    decision: Literal["approved", "declined", "end_proposed", "end_approved", "end_declined"]
    because: str | None = None


class Plans(Record):
    """The plans of reinvestment of an offer, the newest first."""

    plans: list[Plan]


class ReinvestedLine(Record):
    """What a run makes of an election; `because` says why it is cash, or what its units wait for."""

    because: str | None
    cash: Exact
    id: str
    investor: str
    plan: str
    price: Exact
    set_off: Exact
    share_bp: int
    status: str
    units: int


class ReinvestedRun(Record):
    """What a distribution makes of the elections of its holders."""

    lines: list[ReinvestedLine]
