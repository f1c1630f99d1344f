"""Coupons and principal of debt: worked out exactly, and paid by distributions."""

from bookrunner.engine.life.servicing.coupons.principal import Amortisation
from bookrunner.engine.life.servicing.coupons.run import Coupons

__all__ = ["Amortisation", "Coupons"]
