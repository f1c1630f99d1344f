# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: holdings."""

from __future__ import annotations

from bookrunner.client.records import Record


class Lot(Record):
    """Units of a holding that were acquired together: how many are left, and when they are free."""

    acquired_on: str
    free_on: str | None
    id: str
    legend: str | None
    units: str


class Holding(Record):
    """One line of the master securityholder file, with its lots and the linked wallet."""

    id: str
    investor: str
    lots: list[Lot]
    status: str
    units: str
    version: str
    wallet: str | None


class Holdings(Record):
    """Holdings by id; `next` is the cursor that continues, null at the end."""

    holdings: list[Holding]
    next: str | None
