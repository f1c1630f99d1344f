"""How an offer shares out its units: reservations, waitlist, allotment, amendments, and what follows from them."""

from bookrunner.engine.allocation.reactions import Reactions

__all__ = ["Reactions"]
