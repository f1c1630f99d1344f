"""Answers about what people decide at the desks: releases, bank statements, wallets, breaks."""

from __future__ import annotations

from typing_extensions import TypedDict

from bookrunner.api.shapes.answers import Amount


class Break(TypedDict):
    """What two books say differently, since when, and whose it is to solve."""

    id: str
    comparison: str
    subject: str
    kind: str
    left: str | None
    right: str | None
    owner: str
    since: str
    status: str
    assigned_to: str | None
    answer: str | None
    version: str


class Breaks(TypedDict):
    """Open breaks, the oldest first."""

    breaks: list[Break]


class Withheld(TypedDict):
    """One line that is deducted of a release: what for, to whom, how much; the account is not told."""

    kind: str
    payee: str
    amount: Amount


class EscrowRelease(TypedDict):
    """Escrow of a closing on its way to the issuer, less what is deducted; no account is told."""

    id: str
    closing: str
    status: str
    amount: Amount
    deducted: Amount
    net: Amount
    deductions: list[Withheld]
    proposed_by: str
    approved_by: str | None
    fees_differ: bool
    version: str


class Releases(TypedDict):
    """Releases by id; ``next`` is the cursor that continues, null at the end."""

    releases: list[EscrowRelease]
    next: str | None


class ReleaseActed(TypedDict):
    """A release after an act on it."""

    id: str
    offer: str
    closing: str
    status: str
    version: str


class BankStatement(TypedDict):
    """A bank statement as it was posted, and how many of its receipts are in which state."""

    id: str
    status: str
    account: str
    bank_statement_id: str
    file_sha256: str
    opening: Amount
    closing: Amount
    closed_on: str
    entries: int
    receipts: dict[str, int]
    version: str


class BankStatements(TypedDict):
    """Bank statements by id; ``next`` is the cursor that continues, null at the end."""

    bank_statements: list[BankStatement]
    next: str | None


class StatementPosted(TypedDict):
    """A bank file that was posted whole."""

    id: str
    offer: str
    status: str
    file_sha256: str
    version: str


class WalletMoved(TypedDict):
    """A wallet of the register after a step."""

    id: str
    offer: str
    investor: str
    status: str
    version: str


class BreakActed(TypedDict):
    """A break after what a person of its owner did."""

    id: str
    offer: str
    owner: str
    status: str
    assigned_to: str | None
    version: str
