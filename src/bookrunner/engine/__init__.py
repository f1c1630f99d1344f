"""Offers, investments, gates and closings, and the process that events drive."""

from bookrunner.engine.closing import ClosingRun
from bookrunner.engine.desk import Desk
from bookrunner.engine.process import Process
from bookrunner.engine.submission import Submitter

__all__ = ["ClosingRun", "Desk", "Process", "Submitter"]
