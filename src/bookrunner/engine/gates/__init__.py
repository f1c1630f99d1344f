"""Gates as pure functions: from the conditions that hold now to the names of those that are missing.

The same rows stand in ``engine/gates.sql``, where the database enforces them; a test compares all cases.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CONDITIONS", "GATES", "STAGES", "Condition", "missing_conditions", "stage_reached"]

STAGES = ("profile", "compliance", "subscription", "funding", "issuance")


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition of the composite gate: its place among the bits, its stage and its one keeper."""

    name: str
    bit: int
    stage: str
    keeper: str


CONDITIONS = (
    Condition("profile_is_complete", 0, "profile", "portal"),
    Condition("investor_is_cleared", 1, "compliance", "compliance"),
    Condition("materials_are_received", 2, "subscription", "subscription"),
    Condition("risks_are_acknowledged", 3, "subscription", "subscription"),
    Condition("representations_are_made", 4, "subscription", "subscription"),
    Condition("agreement_is_signed", 5, "subscription", "subscription"),
    Condition("agreement_is_countersigned", 6, "subscription", "subscription"),
    Condition("allocation_is_approved", 7, "subscription", "subscription"),
    Condition("funds_are_received", 8, "funding", "treasury"),
    Condition("funds_are_cleared", 9, "funding", "treasury"),
    Condition("wallet_is_linked", 10, "issuance", "registry"),
    Condition("holding_is_registered", 11, "issuance", "registry"),
)

_SIGNED = 0b0000_0011_1111
_EXECUTED = 0b0000_1111_1111

GATES = {
    "open_signing": 0b0000_0000_0011,
    "confirm": _SIGNED,
    "countersign": _SIGNED,
    "confirm_legally": _EXECUTED,
    "release_instructions": _EXECUTED,
    "issue": 0b0111_1111_1111,
    "release_escrow": 0b1010_0000_0000,
}


def missing_conditions(holds: int, act: str) -> tuple[str, ...]:
    """Return the names of the conditions that ``act`` waits for, in the order to fix them.

    ``holds`` has one bit per condition that holds now. Empty means that the gate is open.
    """
    lacking = GATES[act] & ~holds
    return tuple(c.name for c in CONDITIONS if lacking >> c.bit & 1)


def stage_reached(holds: int) -> str | None:
    """Return the last stage whose conditions, and those of all stages before it, hold; None for none."""
    reached = None
    for stage in STAGES:
        if any(c.stage == stage and not holds >> c.bit & 1 for c in CONDITIONS):
            return reached
        reached = stage
    return reached
