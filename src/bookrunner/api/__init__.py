"""The JSON API: one file per resource, the same refusals as the pages, exact money, repeatable writes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi import APIRouter, FastAPI
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp

from bookrunner import __version__
from bookrunner.api import problems
from bookrunner.api.access import proposals
from bookrunner.api.access.authority import Door, authority
from bookrunner.api.access.authority.emergency import Emergencies
from bookrunner.api.access.edge import Edge
from bookrunner.api.access.keys import Scope, Subject, approve_client, issue, listed, propose_client, revoke
from bookrunner.api.access.limits import Limiting, Limits
from bookrunner.api.access.traced import Traced
from bookrunner.api.desks import (
    anchors,
    bank_files,
    breaks,
    market,
    receipts,
    register,
    releases,
    transfers,
    wallets,
)
from bookrunner.api.desks.servicing import distributions, filings, mandates, paying, payments
from bookrunner.api.desks.servicing.actions import buybacks, conversions, reinvestment, splits, votes
from bookrunner.api.desks.servicing.debt import coupons, principal
from bookrunner.api.gateway import Gateway
from bookrunner.api.hooks import endpoints, stream
from bookrunner.api.resources import (
    agreements,
    allocation,
    amendments,
    closings,
    events,
    health,
    investments,
    offers,
    statements,
    webhooks,
)
from bookrunner.api.resources.capital import escrow, institutions, intake
from bookrunner.api.resources.onboarding import cases, decisions, delegates, identity, profiles
from bookrunner.api.routing import Direct
from bookrunner.api.shapes import INVESTMENT
from bookrunner.api.shapes.description import describe, offered
from bookrunner.api.signing import Signing
from bookrunner.books.subscription import Archive, packets_of
from bookrunner.core.errors import UnknownRecord
from bookrunner.core.log import traces
from bookrunner.db import Database

if TYPE_CHECKING:
    from bookrunner.adapters.chain import Chain
    from bookrunner.app.capital import Capital

__all__ = [
    "Emergencies",
    "Limits",
    "Scope",
    "Signing",
    "Subject",
    "api",
    "approve_client",
    "authority",
    "issue",
    "limited",
    "listed",
    "propose_client",
    "revoke",
]

PLAIN = (
    offers,
    closings,
    allocation,
    amendments,
    investments,
    institutions,
    statements,
    events,
    health,
    transfers,
    market,
    anchors,
    endpoints,
    profiles,
    delegates,
    cases,
    decisions,
    receipts,
    register,
    releases,
    distributions,
    buybacks,
    splits,
    conversions,
    reinvestment,
    payments,
    paying,
    coupons,
    principal,
    mandates,
    bank_files,
    breaks,
    filings,
    votes,
)
BESIDE = (events.records, statements.questionnaires, statements.ownership, cases.clearances)
_METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE"]


class _Api(FastAPI):
    """Has its edge around everything else, also around what answers a fault of ours."""

    def build_middleware_stack(self) -> ASGIApp:
        """Return what serves a call."""
        served = Edge(super().build_middleware_stack())
        return Traced(served) if traces.is_on() else served


def api(  # noqa: PLR0913 - one parameter for each counterparty that may speak
    database: Database,
    beside: FastAPI | None = None,
    signing: Signing | None = None,
    *,
    providers: identity.Providers | None = None,
    payments: webhooks.HearPayment | None = None,
    signatures: webhooks.HearSignature | None = None,
    trades: webhooks.HearTrade | None = None,
    chain: Chain | None = None,
    capital: Capital | None = None,
) -> FastAPI:
    """Return the API over ``database``; ``beside`` serves every path that is none of the API's.

    ``signing`` is what signs packets; without it the API signs nothing. ``providers`` are the identity
    providers that may post messages, with their secrets. ``payments``, ``signatures`` and ``trades`` hear
    payment providers, e-sign providers and venues; without it their path does not exist. ``chain`` answers
    for contract wallets. ``capital`` takes institutions in, opens their escrow and hears settlements. Of the
    result, ``state.hooks_on_loopback`` lets a sandbox register webhooks to its own machine, and
    ``state.compare`` compares the books before a closing is frozen, ``state.bank_files`` reads bank files,
    ``state.paying_address`` tells the address whose key pays the holders of an offer.

    Each call runs under the login of its key's keeper, on threads of the API's own.
    """
    gateway = Gateway(database)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if beside is None:
            yield
        else:
            async with beside.router.lifespan_context(beside):
                yield
        gateway.close()

    app = _Api(
        title="Bookrunner",
        version=__version__,
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
    )
    problems.install(app)
    _lend(app, gateway)
    app.add_middleware(
        Direct,
        prefix=investments.PREFIX,
        record=("investment", INVESTMENT),
        acts=investments.plain_acts(gateway),
    )
    for routes in (*(resource.routes for resource in PLAIN), *BESIDE):
        _serve(app, routes(gateway))
    _serve(app, identity.routes(gateway, providers or {}))
    _serve(app, agreements.routes(gateway, Archive(packets_of(database)), signing))
    _serve(app, wallets.routes(gateway, chain))
    _serve(app, stream.routes(gateway, app.state.streams))
    _serve(app, proposals.routes(gateway, app))
    for heard in _heard(gateway, payments, signatures, trades):
        _serve(app, heard)
    if capital is not None:
        app.state.door.tokens = capital.tokens
        _serve(app, intake.routes(gateway, capital.intakes))
        _serve(app, escrow.routes(gateway, capital.intakes, capital.tokens))
        _serve(app, webhooks.settlements(gateway, capital.hear))
    _answer_unknown(app)
    describe(app)
    if beside is not None:
        _stand_beside(app, beside)
    return app


def _serve(app: FastAPI, part: APIRouter) -> None:
    """Serve the operations of a router as they are; to include one is to analyse each of them anew."""
    app.router.routes.extend(part.routes)


def _lend(app: FastAPI, gateway: Gateway) -> None:
    """Put on the application what its operations share, and what an installation may add."""
    app.state.streams, app.state.hooks_on_loopback = stream.Reader(gateway), False
    app.state.door, app.state.digest = Door(gateway), gateway.digest
    app.state.compare = app.state.bank_files = app.state.paying_address = None


def _heard(
    gateway: Gateway,
    payments: webhooks.HearPayment | None,
    signatures: webhooks.HearSignature | None,
    trades: webhooks.HearTrade | None,
) -> Iterator[APIRouter]:
    """Return the routes of those counterparties that somebody hears."""
    if payments is not None:
        yield webhooks.payments(gateway, payments)
    if signatures is not None:
        yield webhooks.signatures(gateway, signatures)
    if trades is not None:
        yield webhooks.trades(gateway, trades)


def limited(app: FastAPI, limits: Limits) -> FastAPI:
    """Return the API with limits on how many calls a caller may make; without them it has none."""
    app.state.door.limits = limits
    app.add_middleware(Limiting, limits=limits)
    return app


def _stand_beside(app: FastAPI, pages: FastAPI) -> None:
    """Serve the pages on every other path, and let them call the API for whoever is signed in."""
    pages.state.api = app
    app.mount("/", pages)


def _answer_unknown(app: FastAPI) -> None:
    @app.api_route("/v1/{path:path}", methods=_METHODS, include_in_schema=False)
    async def unknown(path: str) -> None:
        if methods := offered(app, f"/v1/{path}"):
            raise HTTPException(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": ", ".join(methods)})
        raise UnknownRecord("path_exists", f"there is no /v1/{path}")
