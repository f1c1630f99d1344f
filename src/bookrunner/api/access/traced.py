"""One span for each request: its route as a template, its status and its keeper, and nothing of who calls."""

from __future__ import annotations

from http import HTTPMethod
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bookrunner.core.log import traces

_METHODS: Final = frozenset(HTTPMethod)
_HEADER: Final = traces.HEADER.encode()


class Traced:
    """Continues the trace that a request names in ``traceparent`` (W3C Trace Context), or begins one.

    The answer names the span of the request in the same header.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"] if scope["method"] in _METHODS else "other"
        # Two of them could be read as either, so that none counts.
        named = [value.decode("latin-1") for name, value in scope["headers"] if name == _HEADER]
        causes = named if len(named) == 1 else []
        with traces.span("request", causes=causes, is_served=True, method=method) as made:
            trace = traces.here()

            async def answer(message: Message) -> None:
                if message["type"] == "http.response.start" and made is not None:
                    if trace is not None:
                        MutableHeaders(scope=message)[traces.HEADER] = trace
                    traces.say(made, status=message["status"], **_told(scope))
                await send(message)

            await self._app(scope, receive, answer)


def _told(scope: Scope) -> dict[str, str]:
    """Return what is known of a request by the time of its answer; no address, for ids stand in it."""
    route = scope.get("route")
    template = scope.get("template") or getattr(route, "path", None)
    operation = scope.get("operation") or getattr(route, "operation_id", None)
    found = {"route": template, "operation": operation, "keeper": scope.get("keeper")}
    return {name: value for name, value in found.items() if value}
