# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: allocation."""

from __future__ import annotations

from typing import Literal

from bookrunner.client.records import Record, Sent


class AllotmentDecided(Record):
    """A decided list, in units."""

    allotted: str
    available: str
    capacity: str
    decided_by: str
    id: str
    offer: str
    ordered: str
    ordinal: int
    policy: str
    version: str


class AllotmentLine(Record):
    """How many units an order gets, and why; `units` is null where none can be said yet."""

    because: str
    investment: str
    ordered: str
    units: str | None


class AllotmentDryRun(Record):
    """Who would get how many units; a decision names this `version`."""

    lines: list[AllotmentLine]
    offer: str
    version: str


class DecidedLine(Record):
    """A line of a list that was decided, by whom and in which capacity."""

    allotment_id: str
    because: str
    capacity: str
    decided_by: str
    investment: str
    ordered: str
    ordinal: int
    policy: str
    reason: str
    units: str | None


class Allotments(Record):
    """The lines of the decided lists."""

    lines: list[DecidedLine]


class Cut(Sent):
    """The units that are left to one investment."""

    because: str
    capacity: Literal["issuer", "placement_agent"]
    units: str


class CutBack(Record):
    """An investment after its cut."""

    allotment: str
    id: str
    offer: str
    status: str
    units: str
    version: str


class NewAllotment(Sent):
    """Who decides on the list that a dry run showed, and why."""

    because: str
    capacity: Literal["issuer", "placement_agent"]
    wishes: dict[str, str] | None = None


class Policy(Sent):
    """How an offer shares out its units: orders up to `most_units`, held for so many minutes."""

    policy: Literal["first_come", "pro_rata", "discretionary"]
    hold_minutes: int | None = None
    most_units: str | None = None


class PolicyNamed(Record):
    """How an offer shares its units out."""

    hold_minutes: int | None
    most_units: str | None
    offer: str
    policy: str
    version: str


class Queued(Record):
    """A place in the line for units."""

    id: str
    offer: str
    place: int
    status: str
    units: str
    version: str


class Units(Record):
    """Units of an offer: reserved, allocated and free ones sum to the total."""

    allocated: str
    free: str
    hold_minutes: int | None
    offer: str
    oversubscribed: str
    policy: str
    reserved: str
    total: str
    waiting: str


class Waiting(Sent):
    """An order that waits for units to come free."""

    investor: str
    units: str


class WaitlistEntry(Record):
    """Who waits for units, and the investment that came of it."""

    because: str | None
    id: str
    investment: str | None
    investor: str
    place: int
    status: str
    units: str
    version: str


class Waitlist(Record):
    """Who waits or waited, in order."""

    waitlist: list[WaitlistEntry]


class Wished(Sent):
    """The units of each order, where the issuer has discretion; empty for any other policy."""

    wishes: dict[str, str] | None = None
