"""Distributions: what is there after reserves, what each holder of a record date gets, and its payment."""

from bookrunner.engine.life.servicing.distributions.run import Distributions, Terms
from bookrunner.engine.life.servicing.distributions.waterfall import Step

__all__ = ["Distributions", "Step", "Terms"]
