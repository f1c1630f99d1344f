"""Money, ids, clock, errors, identity and ownership: no I/O, nothing of ours above it."""

from bookrunner.core import identity, ownership

__all__ = ["identity", "ownership"]
