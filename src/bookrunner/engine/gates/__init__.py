"""Gates as pure functions: from the conditions that hold now to the names of those that are missing.

The same rows stand in ``engine/gates.sql``, where the database enforces them; a test compares all cases.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "CONDITIONS",
    "GATES",
    "STAGES",
    "Condition",
    "keeper_mask",
    "mask",
    "missing_conditions",
    "stage_reached",
]

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


def mask(*conditions: str) -> int:
    """Return the bits of conditions by their names."""
    return sum(1 << c.bit for c in CONDITIONS if c.name in conditions)


def keeper_mask(keeper: str) -> int:
    """Return the bits of the conditions that one keeper confirms."""
    return sum(1 << c.bit for c in CONDITIONS if c.keeper == keeper)


_CLEARED = ("profile_is_complete", "investor_is_cleared")
_SIGNED = (
    *_CLEARED,
    "materials_are_received",
    "risks_are_acknowledged",
    "representations_are_made",
    "agreement_is_signed",
)
_EXECUTED = (*_SIGNED, "agreement_is_countersigned", "allocation_is_approved")

GATES = {
    "open_signing": mask(*_CLEARED),
    "confirm": mask(*_SIGNED),
    "countersign": mask(*_SIGNED),
    "confirm_legally": mask(*_EXECUTED),
    "release_instructions": mask(*_EXECUTED),
    "issue": mask(*_EXECUTED, "funds_are_received", "funds_are_cleared", "wallet_is_linked"),
    "release_escrow": mask("funds_are_cleared", "holding_is_registered"),
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
