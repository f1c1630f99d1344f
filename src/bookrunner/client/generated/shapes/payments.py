# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: payments."""

from __future__ import annotations

from bookrunner.client.records import Exact, Record


class Payment(Record):
    """One attempt of an investor to pay: its reference, what is due and what came."""

    attempt: int
    due: Exact
    failed_code: str | None
    failed_rail: str | None
    id: str
    investment: str
    investor: str
    received: Exact
    reference: str
    status: str
    version: str


class Payments(Record):
    """Attempts by id; `next` is the cursor that continues, null at the end."""

    next: str | None
    payments: list[Payment]
