# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: distributions."""

from __future__ import annotations

from typing import Literal

from bookrunner.client.records import Exact, Record, Sent


class DistributionTier(Record):
    """What one tier of a distribution paid, and how that was found."""

    holders: Exact
    kind: str
    sponsor: Exact
    working: list[str]


class Distribution(Record):
    """A distribution with its sums and tiers; gross is withheld, reinvested and net.

    `taken_back` is what the bank took back of the money that funded it, `receivable` what nobody has
    made good of that.
    """

    approved_by: str | None
    distributed: Exact
    drafted_by: str
    funded: Exact
    holders: int
    id: str
    income: str
    net: Exact
    pay_on: str
    receivable: Exact
    record_on: str
    reinvested: Exact
    status: str
    taken_back: Exact
    tiers: list[DistributionTier]
    units: int
    version: str
    withheld: Exact


class DistributionDecision(Sent):
    """A second person's word; whoever cancels says why."""

    decision: Literal["approved", "cancelled"]
    because: str | None = None


class DistributionLine(Record):
    """What a holder is entitled to, who is paid and where that stands; `because` says why it waits."""

    because: str | None
    gross: Exact
    id: str
    investor: str
    net: Exact
    payee: str
    rate_source: str
    reinvested: Exact
    status: str
    units: int
    withheld: Exact


class DistributionLines(Record):
    """Lines by id; `next` is the cursor that continues, null at the end."""

    lines: list[DistributionLine]
    next: str | None


class Distributions(Record):
    """Distributions by id; `next` is the cursor that continues, null at the end."""

    distributions: list[Distribution]
    next: str | None
