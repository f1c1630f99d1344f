# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: receipts."""

from __future__ import annotations

from typing import Literal

from bookrunner.client.records import Exact, Record, Sent


class NewReceiptAct(Sent):
    """What is to be done with a receipt, and why; a match names the investment that it funds."""

    act: Literal["match", "undo", "accept_source", "refund", "redeem"]
    because: str
    investment: str | None = None


class ReceiptProposal(Record):
    """What one administrator proposed for a receipt and another has not decided."""

    act: str
    because: str
    id: str
    investment: str | None
    proposed_by: str
    version: str


class Receipt(Record):
    """Money that arrived, why it waits, and what it funds; whose account sent it is not told."""

    amount: Exact
    booked_on: str
    clears_on: str | None
    exception: str | None
    id: str
    investment: str | None
    part_of: str | None
    payment: str | None
    proposal: ReceiptProposal | None
    rail: str
    reference: str | None
    return_code: str | None
    statement: str | None
    status: str
    value_on: str
    version: str


class ReceiptActed(Record):
    """A proposal after an act on it, and what its receipt is now."""

    act: str
    id: str
    investment: str | None
    offer: str
    receipt: str
    receipt_status: str
    status: str
    version: str


class ReceiptCleared(Record):
    """A receipt after it was confirmed as final."""

    id: str
    offer: str
    status: str
    version: str


class ReceiptDecision(Sent):
    """Whether what was proposed is done; a refusal has its reason."""

    approved: bool
    because: str | None = None


class Receipts(Record):
    """Receipts by id; `next` is the cursor that continues, null at the end."""

    next: str | None
    receipts: list[Receipt]
