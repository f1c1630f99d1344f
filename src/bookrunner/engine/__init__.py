"""Offers, investments, gates and closings, and the process that events drive."""

from bookrunner.engine.closing import ClosingRun
from bookrunner.engine.desk import Desk
from bookrunner.engine.issuance import Submitter
from bookrunner.engine.process import Process

__all__ = ["ClosingRun", "Desk", "Process", "Submitter"]
