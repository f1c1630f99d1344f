# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: buybacks."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from bookrunner.client.records import Exact, Record, Sent


class Buyback(Record):
    """A buy-back with its terms, what is offered and accepted, and how many holders are left."""

    accepted_by: str | None
    accepted_units: int
    closes_at: str
    costs: Exact
    decided_by: str | None
    id: str
    kind: str
    most_money: Exact | None
    most_units: int | None
    open_lines: int
    opens_at: str
    periods_bind: bool
    price: Exact
    proposed_by: str
    status: str
    tendered_units: int
    version: str


class BuybackActed(Record):
    """A buy-back after an act on it."""

    id: str
    offer: str
    status: str
    version: str


class BuybackDecision(Sent):
    """A word on a buy-back: a second person opens or declines it; it is accepted pro rata, or given up."""

    decision: Literal["approved", "declined", "accepted", "abandoned"]
    because: str | None = None


class Buybacks(Record):
    """The buy-backs of an offer, the newest first."""

    buybacks: list[Buyback]


class LineRelease(Record):
    """A line that is taken out of a started buy-back; `hindered_by` is what kept its units there."""

    because: str
    decided_by: str | None
    hindered_by: str
    id: str
    investor: str
    price: Exact
    proposed_by: str
    status: str
    units: int
    version: str


class LineReleaseDecision(Sent):
    """A second person's word, with its reason."""

    because: str
    decision: Literal["released", "declined"]


class LineReleases(Record):
    """Lines of one buy-back that are let go, those that wait first."""

    line_releases: list[LineRelease]


class NewBuyback(Sent):
    """What is bought back at a price for one unit; of a redemption everything when no limit is named."""

    authority_reference: str
    authority_sha256: str
    closes_at: AwareDatetime
    kind: Literal["tender", "redemption"]
    opens_at: AwareDatetime
    price: Exact
    most_money: Exact | None = None
    most_units: int | None = None
    periods_bind: bool | None = None


class NewLineRelease(Sent):
    """The holder whose line nobody can cancel, and why it is let go."""

    because: str
    investor: str


class NewTender(Sent):
    """What a holder offers, with the paper on which it says so; 0 units take its offer back."""

    investor: str
    units: int
    paper_sha256: str | None = None


class TenderActed(Record):
    """What a holder offers, after it offered or took it back."""

    buyback: str
    id: str
    investor: str
    status: str
    units: int
    version: str
