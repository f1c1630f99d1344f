"""What the worker does is part of the traces that led to it, where somebody follows them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bookrunner.core.log import traces
from bookrunner.db import Keeper, Row
from bookrunner.engine.desk import event_keys


@contextmanager
def reacting(engine: Keeper, events: Sequence[Row]) -> Iterator[None]:
    """Answer events inside the trace that led to them; a batch that serves several has a link to each."""
    if not traces.is_on():
        yield
        return
    causes = [row["traceparent"] for row in engine.traces_of(**event_keys(events))]
    with traces.span("reaction", causes=causes, kind=events[0]["kind"], events=len(events)):
        yield


@contextmanager
def carrying(engine: Keeper, offering: str, closing: str) -> Iterator[None]:
    """Carry a closing on inside the trace that froze it."""
    if not traces.is_on():
        yield
        return
    causes = [row["traceparent"] for row in engine.trace_of_closing(offering=offering, closing=closing)]
    with traces.span("closing", causes=causes, offering=offering, closing=closing):
        yield
