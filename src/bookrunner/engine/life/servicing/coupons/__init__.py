"""Coupons: fixed, floating and indexed, worked out exactly by their day count, and paid by distributions."""

from bookrunner.engine.life.servicing.coupons.run import Coupons

__all__ = ["Coupons"]
