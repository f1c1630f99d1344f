"""The institutional capital lifecycle: scored intake, review, escrow, settlement."""

from bookrunner.engine.allocation.capital.intake import Asked, Intakes
from bookrunner.engine.allocation.capital.settlement import hear_settlement

__all__ = ["Asked", "Intakes", "hear_settlement"]
