"""Traces of an installation (OpenTelemetry): a closed vocabulary of attributes, nothing when they are off."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from opentelemetry.context import Context
    from opentelemetry.trace import Span, SpanContext, Tracer, TracerProvider

ATTRIBUTES: Final[Mapping[str, str]] = {
    "closing": "bookrunner.closing",
    "events": "bookrunner.events",
    "keeper": "bookrunner.keeper",
    "kind": "bookrunner.kind",
    "method": "http.request.method",
    "offering": "bookrunner.offering",
    "operation": "bookrunner.operation",
    "route": "http.route",
    "status": "http.response.status_code",
    "transactions": "bookrunner.transactions",
}
"""What a span may say: counts, kinds, templates, an offer and its closing. No person, wallet or amount."""

HEADER: Final = "traceparent"
_TRACEPARENT: Final = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9_.:@+{}/-]{1,160}")


class _Following:
    """The tracer of this process, None while traces are off."""

    tracer: Tracer | None = None


def follow(provider: TracerProvider | None) -> None:
    """Send spans to a provider from now on; None switches them off."""
    _Following.tracer = None if provider is None else provider.get_tracer("bookrunner")


def is_on() -> bool:
    """Say whether anybody follows."""
    return _Following.tracer is not None


@contextmanager
def span(
    name: str, *, causes: Sequence[str] = (), is_served: bool = False, **told: str | int
) -> Iterator[Span | None]:
    """Make a span of the block; lends None when traces are off.

    ``causes`` are traceparents (W3C Trace Context): when they are of one trace it is continued, else each is
    a link, and without any the span is part of the one that is open here. What the block raises is told by
    the name of its class alone: a message may quote somebody. Another attribute than those of the vocabulary
    raises KeyError.
    """
    tracer = _Following.tracer
    if tracer is None:
        yield None
        return
    from opentelemetry.trace import Link, SpanKind, StatusCode

    contexts = [_context(cause) for cause in causes if _TRACEPARENT.fullmatch(cause)]
    is_one = len({_span_in(context).trace_id for context in contexts}) == 1
    links = [] if is_one else [Link(_span_in(context)) for context in contexts]
    kind = SpanKind.SERVER if is_served else SpanKind.INTERNAL
    with tracer.start_as_current_span(
        name,
        context=contexts[0] if is_one else None,
        kind=kind,
        links=links,
        record_exception=False,
        set_status_on_exception=False,
    ) as made:
        say(made, **told)
        try:
            yield made
        except Exception as fault:
            made.set_status(StatusCode.ERROR, type(fault).__name__)
            raise


def say(made: Span, **told: str | int) -> None:
    """Add attributes to a span; a text that is no identifier or template is hidden."""
    for name, value in told.items():
        shown = value if isinstance(value, int) or _PLAIN.fullmatch(value) else "(hidden)"
        made.set_attribute(ATTRIBUTES[name], shown)


def here() -> str | None:
    """Return the traceparent of the span that is open here, None outside of any and while traces are off."""
    if _Following.tracer is None:
        return None
    from opentelemetry.trace import get_current_span

    context = get_current_span().get_span_context()
    if not context.is_valid:
        return None
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"


def _context(cause: str) -> Context:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({HEADER: cause})


def _span_in(context: Context) -> SpanContext:
    from opentelemetry.trace import get_current_span

    return get_current_span(context).get_span_context()
