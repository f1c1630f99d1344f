"""Answers about money and the register: receipts, payments, refunds, instructions, holdings."""

from __future__ import annotations

from typing_extensions import TypedDict

from bookrunner.api.shapes.answers import Amount


class ReceiptProposal(TypedDict):
    """What one administrator proposed for a receipt and another has not decided."""

    id: str
    act: str
    investment: str | None
    because: str
    proposed_by: str
    version: str


class Receipt(TypedDict):
    """Money that arrived, why it waits, and what it funds; whose account sent it is not told."""

    id: str
    status: str
    amount: Amount
    rail: str
    booked_on: str
    value_on: str
    clears_on: str | None
    reference: str | None
    exception: str | None
    investment: str | None
    payment: str | None
    statement: str | None
    part_of: str | None
    return_code: str | None
    proposal: ReceiptProposal | None
    version: str


class Receipts(TypedDict):
    """Receipts by id; ``next`` is the cursor that continues, null at the end."""

    receipts: list[Receipt]
    next: str | None


class Payment(TypedDict):
    """One attempt of an investor to pay: its reference, what is due and what came."""

    id: str
    investment: str
    investor: str
    attempt: int
    status: str
    reference: str
    due: Amount
    received: Amount
    failed_rail: str | None
    failed_code: str | None
    version: str


class Payments(TypedDict):
    """Attempts by id; ``next`` is the cursor that continues, null at the end."""

    payments: list[Payment]
    next: str | None


class Refund(TypedDict):
    """Money that goes back to its source: why, in which payout, and what the bank said of it."""

    id: str
    receipt: str
    status: str
    amount: Amount
    reason: str
    tries: int
    payout: str | None
    bounce_code: str | None
    version: str


class Refunds(TypedDict):
    """Refunds by id; ``next`` is the cursor that continues, null at the end."""

    refunds: list[Refund]
    next: str | None


class ReceiptActed(TypedDict):
    """A proposal after an act on it, and what its receipt is now."""

    id: str
    offer: str
    receipt: str
    act: str
    investment: str | None
    status: str
    receipt_status: str
    version: str


class ReceiptCleared(TypedDict):
    """A receipt after it was confirmed as final."""

    id: str
    offer: str
    status: str
    version: str


class Instruction(TypedDict):
    """One instruction to issue: for whom, how many units, to which address, in which transaction."""

    id: str
    investment: str
    investor: str
    closing: str
    status: str
    units: str
    address: str
    authorised_by: str
    stopped_because: str | None
    transaction: str | None
    version: str


class Instructions(TypedDict):
    """Instructions by id; ``next`` is the cursor that continues, null at the end."""

    instructions: list[Instruction]
    next: str | None


class Lot(TypedDict):
    """Units of a holding that were acquired together: how many are left, and when they are free."""

    id: str
    units: str
    acquired_on: str
    legend: str | None
    free_on: str | None


class Holding(TypedDict):
    """One line of the master securityholder file, with its lots and the linked wallet."""

    id: str
    investor: str
    status: str
    units: str
    wallet: str | None
    lots: list[Lot]
    version: str


class Holdings(TypedDict):
    """Holdings by id; ``next`` is the cursor that continues, null at the end."""

    holdings: list[Holding]
    next: str | None


class Interest(TypedDict):
    """What stands on a board, with the price of one unit; the transfer agent alone is told who posted it."""

    id: str
    side: str
    units: str
    price: Amount
    ends_on: str
    is_own: bool
    status: str
    investor: str | None
    matched_with: str | None
    transfer: str | None


class Board(TypedDict):
    """Interests, each side from its best price on; for the transfer agent those that stand first."""

    interests: list[Interest]


class Prepared(TypedDict):
    """One call to a contract: where it goes, and its data."""

    to: str
    data: str


class Side(TypedDict):
    """What one holder signs, in this order, from its wallet."""

    wallet: str
    calls: list[Prepared]


class Swap(TypedDict):
    """The calls of both sides of a sale against a coin; the name is that of the offer in the contract."""

    transfer: str
    chain: int
    seller: Side
    buyer: Side
    name: str | None


class Anchor(TypedDict):
    """A root that a final block of a chain holds."""

    seal: int
    chain: int
    block: int | None
    transaction: str
    root: str
    sealed_at: str
    anchored_at: str


class WaitingAnchor(TypedDict):
    """A root on its way to a chain."""

    seal: int
    chain: int
    status: str
    attempts: int
    transaction: str
    signed_at: str


class Anchors(TypedDict):
    """Anchors, the newest first; the data of each transaction is the mark and the root."""

    mark: str
    cadence: str | None
    due_at: str | None
    waiting: list[WaitingAnchor]
    anchors: list[Anchor]


class AnchoredPlace(TypedDict):
    """Where an event is in the feed, its seal, and the first anchored seal that covers it, if any."""

    seq: int
    scope: str
    seal: int | None
    anchored_by: int | None
    chain: int | None
    transaction: str | None


class Anchored(TypedDict):
    """What covers an event, once for each scope that has one of this name."""

    places: list[AnchoredPlace]
