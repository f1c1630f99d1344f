"""Distributions that holders take in units: what a run reinvests, and its units on their way."""

from bookrunner.engine.life.servicing.reinvestment.run import Reinvestments

__all__ = ["Reinvestments"]
