# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: instructions."""

from __future__ import annotations

from bookrunner.client.records import Record


class Instruction(Record):
    """One instruction to issue: for whom, how many units, to which address, in which transaction."""

    address: str
    authorised_by: str
    closing: str
    id: str
    investment: str
    investor: str
    status: str
    stopped_because: str | None
    transaction: str | None
    units: str
    version: str


class Instructions(Record):
    """Instructions by id; `next` is the cursor that continues, null at the end."""

    instructions: list[Instruction]
    next: str | None
