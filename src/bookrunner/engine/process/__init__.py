"""What answers events, each by a keeper's verb, once; what an event hastens, and what the clock tells."""

from bookrunner.engine.process.agreements import prepare
from bookrunner.engine.process.answers import Process
from bookrunner.engine.process.causes import carrying
from bookrunner.engine.process.clocks import LAPSE_SECONDS, Clocks, Timed
from bookrunner.engine.process.errands import Errand, Errands, Scopes
from bookrunner.engine.process.transfers import TransferScreening

__all__ = [
    "LAPSE_SECONDS",
    "Clocks",
    "Errand",
    "Errands",
    "Process",
    "Scopes",
    "Timed",
    "TransferScreening",
    "carrying",
    "prepare",
]
