# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: refunds."""

from __future__ import annotations

from bookrunner.client.records import Exact, Record


class Refund(Record):
    """Money that goes back to its source: why, in which payout, and what the bank said of it."""

    amount: Exact
    bounce_code: str | None
    id: str
    payout: str | None
    reason: str
    receipt: str
    status: str
    tries: int
    version: str


class Refunds(Record):
    """Refunds by id; `next` is the cursor that continues, null at the end."""

    next: str | None
    refunds: list[Refund]
