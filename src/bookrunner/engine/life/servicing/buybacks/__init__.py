"""Buy-backs and redemptions: the distribution that pays one, and the burns that follow its money."""

from bookrunner.engine.life.servicing.buybacks.run import Buybacks

__all__ = ["Buybacks"]
