# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: register."""

from __future__ import annotations

from typing import Literal

from bookrunner.client.records import Exact, Record, Sent


class Mandate(Record):
    """Who receives what a holder is paid."""

    because: str
    decided_by: str | None
    holder: str
    id: str
    payee: str
    proposed_by: str
    status: str
    version: str


class MandateDecision(Sent):
    """A second person's word."""

    decision: Literal["approved", "declined"]


class Mandates(Record):
    """Mandates of payees, those that wait first."""

    mandates: list[Mandate]


class NewMandate(Sent):
    """Who receives what a holder is paid, by the paper that the holder signed."""

    because: str
    evidence_sha256: str
    holder: str
    payee: str


class NewRescission(Sent):
    """A registered transfer that is taken back, by an order and its reference."""

    because: str
    order_reference: str
    order_sha256: str
    transfer: str


class Repayment(Sent):
    """The evidence that the price was paid back."""

    evidence_sha256: str


class Rescission(Record):
    """A registered transfer that is taken back by an order, and who owes its price."""

    action: str
    asked_by: str
    decided_by: str | None
    id: str
    owed_by: str | None
    owed_to: str | None
    price: Exact | None
    status: str
    transfer: str
    units: int
    version: str


class Rescissions(Record):
    """Rescissions of an offer, those that wait first."""

    rescissions: list[Rescission]
