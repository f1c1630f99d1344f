"""Where traces go: over OTLP to a collector that the settings name, and nowhere without one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bookrunner import __version__
from bookrunner.app.settings import Settings
from bookrunner.core.errors import ConfigurationError
from bookrunner.core.log import traces


@contextmanager
def tracing(settings: Settings) -> Iterator[None]:
    """Send traces to the collector of the settings while the block runs, and what is left at its end.

    Raises ConfigurationError where a collector is named and the extra that speaks to it is not installed.
    """
    if settings.traces_to is None:
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError:
        raise ConfigurationError("BOOKRUNNER_TRACES_TO needs the extra bookrunner[traces]") from None
    told = Resource.create({"service.name": "bookrunner", "service.version": __version__})
    provider = TracerProvider(resource=told)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=settings.traces_to)))
    traces.follow(provider)
    try:
        yield
    finally:
        traces.follow(None)
        provider.shutdown()
