"""What answers events: each by a keeper's verb, once."""

from bookrunner.engine.process.agreements import prepare
from bookrunner.engine.process.answers import LAPSE_SECONDS, Process
from bookrunner.engine.process.transfers import TransferScreening

__all__ = ["LAPSE_SECONDS", "Process", "TransferScreening", "prepare"]
