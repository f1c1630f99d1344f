# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: releases."""

from __future__ import annotations

from typing import Literal

from bookrunner.client.records import Exact, Record, Sent


class Deduction(Sent):
    """What is withheld for a payee that the issuer owes: a fee or a commission, and the account of it."""

    account: str
    amount: Exact
    kind: str
    payee: str


class Withheld(Record):
    """One line that is deducted of a release: what for, to whom, how much; the account is not told."""

    amount: Exact
    kind: str
    payee: str


class EscrowRelease(Record):
    """Escrow of a closing on its way to the issuer, less what is deducted; no account is told."""

    amount: Exact
    approved_by: str | None
    closing: str
    deducted: Exact
    deductions: list[Withheld]
    fees_differ: bool
    id: str
    net: Exact
    proposed_by: str
    status: str
    version: str


class NewRelease(Sent):
    """Which closing is released, the account that is paid, and what is deducted."""

    account: str
    closing: str
    deductions: list[Deduction] | None = None


class ReleaseActed(Record):
    """A release after an act on it."""

    closing: str
    id: str
    offer: str
    status: str
    version: str


class ReleaseDecision(Sent):
    """A second person's word; whoever approves names account, amount and every deduction again.

    The net is named too where something is deducted. `because` says why the deductions are not the fees
    that investors were shown.
    """

    decision: Literal["approved", "declined"]
    account: str | None = None
    amount: Exact | None = None
    because: str | None = None
    deductions: list[Deduction] | None = None
    net: Exact | None = None


class Releases(Record):
    """Releases by id; `next` is the cursor that continues, null at the end."""

    next: str | None
    releases: list[EscrowRelease]
