"""What answers events: each by a keeper's verb, once."""

from bookrunner.engine.process.agreements import prepare
from bookrunner.engine.process.answers import Process

__all__ = ["Process", "prepare"]
