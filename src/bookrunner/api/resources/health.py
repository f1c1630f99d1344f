"""Whether the process lives, whether it can serve, which release it is; asked without a key."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Final

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from bookrunner import __version__
from bookrunner.api.access.authority import SCOPE
from bookrunner.api.caller import Called
from bookrunner.api.gateway import Gateway
from bookrunner.api.problems import METADATA
from bookrunner.api.routing import Router
from bookrunner.api.shapes.answers import Alive, Ready, Release, Resource
from bookrunner.api.shapes.moments import instant
from bookrunner.core.errors import UnknownRecord
from bookrunner.db import Row, load

_TEXT: dict[str, Any] = {"content": {"text/plain": {}}}
_MEASURES: Final[Mapping[str, str]] = {
    "gates_denied_total": "Conditions that kept a gate closed, by act",
    "breaks_open": "Open breaks between two records, by the keeper that solves them",
    "oldest_break_days": "Days for which the oldest open break has been open",
    "receipts_waiting": "Receipts that are nobody's funding yet",
    "oldest_waiting_receipt_days": "Days since the oldest of them was booked",
    "emergencies_open": "Emergencies that stand: two people may end the keys of a keeper",
    "events_waiting": "Committed events that are not in the feed yet",
    "events_unsealed": "Events of the feed behind the last seal",
    "chain_transactions": "Signed transactions, by where they stand",
    "offers": "Offers, by status",
    "investments": "Investments, by status",
}


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of health, outside ``/v1``."""
    router = Router(tags=["health"])

    @router.get("/livez", operation_id="is_alive")
    async def alive() -> Alive:
        """Answer as long as the process does."""
        return {"status": "alive"}

    @router.get("/readyz", operation_id="is_ready")
    async def ready() -> Ready:
        """Answer when the database does, with waiting events and standing emergencies; else 503."""
        row = await gateway.run(lambda: _waiting(gateway))
        oldest = None if row["oldest"] is None else instant(row["oldest"])
        return {
            "status": "ready",
            "events_waiting": row["events"],
            "oldest_since": oldest,
            "emergencies": row["emergencies"],
        }

    @router.get("/metrics", operation_id="get_metrics", response_class=Response, responses={200: _TEXT})
    async def metrics(caller: Called) -> Response:
        """Return what an operator watches, in the text that Prometheus reads; for a key of the auditors."""
        await gateway.admitted(caller, "audit")
        rows: list[Row] = await gateway.read(caller, lambda of: list(of.metrics()))
        return Response(_exposed(rows), media_type=CONTENT_TYPE_LATEST)

    @router.get("/version", operation_id="get_version")
    async def version() -> Release:
        """Return the release."""
        return {"version": __version__}

    @router.get(METADATA, operation_id="get_resource_metadata", responses={404: {}})
    async def resource(request: Request) -> Resource:
        """Say which OpenID provider's tokens are taken, and for which scopes (RFC 9728)."""
        tokens = request.app.state.door.tokens
        if tokens is None:
            raise UnknownRecord("token_issuer_is_configured", "no OpenID provider is set up")
        return {
            "resource": str(request.base_url).rstrip("/"),
            "authorization_servers": [tokens.issuer],
            "bearer_methods_supported": ["header"],
            "scopes_supported": [f"{SCOPE}{each}" for each in ("read", "act")],
        }

    return router


class _Measured(Collector):
    """Gives what the books say to the library that writes it; ``…_total`` only ever grows."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def collect(self) -> Iterator[Metric]:
        """Yield each measure with all of its labels."""
        for name, rows in groupby(self._rows, key=lambda row: str(row["name"])):
            kind = CounterMetricFamily if name.endswith("_total") else GaugeMetricFamily
            found = list(rows)
            metric = kind(f"bookrunner_{name}", _MEASURES[name], labels=sorted(found[0]["labels"]))
            for row in found:
                metric.add_metric([row["labels"][label] for label in sorted(row["labels"])], row["value"])
            yield metric


def _exposed(rows: Sequence[Row]) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Measured(rows))
    return generate_latest(registry)


def _waiting(gateway: Gateway) -> Row:
    with gateway.database.transaction("audit") as transaction:
        row: Row = load("bookrunner.api").waiting(transaction)
    return row
