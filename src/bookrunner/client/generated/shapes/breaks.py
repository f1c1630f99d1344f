# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: breaks."""

from __future__ import annotations

from typing import Literal

from bookrunner.client.records import Record, Sent


class Assignment(Sent):
    """Who has the break from now on; without a name it is whoever calls."""

    person: str | None = None


class BreakAcceptance(Sent):
    """Why an explained difference may stand."""

    because: str


class BreakActed(Record):
    """A break after what a person of its owner did."""

    assigned_to: str | None
    id: str
    offer: str
    owner: str
    status: str
    version: str


class BreakAnswer(Sent):
    """Why the records differ, or what was put right; neither verifies the break."""

    answer: str
    kind: Literal["explained", "corrected"]
