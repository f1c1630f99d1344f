# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: splits."""

from __future__ import annotations

from typing import Literal

from pydantic import AwareDatetime

from bookrunner.client.records import Exact, Record, Sent


class NewSplit(Sent):
    """So many new units for so many old ones; of fractions paid in cash, the price of one new unit."""

    authority_reference: str
    authority_sha256: str
    effective_at: AwareDatetime
    for_units: int
    fractions: Literal["cash", "round_up", "round_half"]
    new_units: int
    price: Exact | None = None


class Split(Record):
    """A split with its terms and sums; `waits_for` names what keeps an agreed one from beginning."""

    cash_owed: Exact | None
    decided_by: str | None
    effective_at: str
    executed_at: str | None
    for_units: int
    fractions: str
    id: str
    new_units: int
    price: Exact | None
    proposed_by: str
    status: str
    units_after: int | None
    units_before: int | None
    version: str
    waits_for: list[str]


class SplitActed(Record):
    """A split after an act on it."""

    id: str
    offer: str
    status: str
    version: str


class SplitDecision(Sent):
    """A second person's word; whoever declines or abandons says why."""

    decision: Literal["approved", "declined", "abandoned"]
    because: str | None = None


class Splits(Record):
    """The splits of an offer, the newest first."""

    splits: list[Split]
