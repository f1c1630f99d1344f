"""How an offer shares out its units: reservations, waitlist, allotments, amendments."""

from bookrunner.engine.allocation.reactions import Reactions

__all__ = ["Reactions"]
