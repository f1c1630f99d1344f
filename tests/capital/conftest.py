"""An installation with a scorer, an OpenID provider and a settlement webhook, and an institution in it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from bookrunner.adapters.identity.webhook import sign
from bookrunner.api import api, issue
from bookrunner.app.capital import Around as Parts
from bookrunner.app.capital import Capital, ScoringService, TokenService, around
from bookrunner.core import clock
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Endpoint
from bookrunner.engine import Desk
from tests.attack.world import Connect
from tests.capital.institution import DUE, Institutions
from tests.capital.servers import MODEL, Issuer, Scorer, issuing, scoring
from tests.serving import serving

SECRETS = {"key-1": b"\x01" * 32, "key-2": b"\x02" * 32}
ASKED = {"tranche": "senior", "amount": {"amount": "100000.00", "currency": "USD"}}


@dataclass
class Capitals:
    """A running installation and everything around it."""

    url: str
    endpoint: Endpoint
    world: Institutions
    scorer: Scorer
    issuer: Issuer
    keys: dict[str, str] = field(default_factory=dict)

    def key(self, name: str, keeper: str) -> str:
        """Return the key of a name, issued at its first use."""
        if name not in self.keys:
            self.keys[name] = issue(self.endpoint, name, keeper, actor="usr_admin")
        return self.keys[name]

    def post(
        self, path: str, body: object, token: str, request: str | None = None, **more: str
    ) -> httpx.Response:
        """Write under a bearer credential."""
        said = {"Authorization": f"Bearer {token}", "Idempotency-Key": request or new_id("req"), **more}
        return httpx.post(self.url + path, json=body, headers=said, timeout=30)

    def ask(
        self, request: str | None = None, name: str = "", keeper: str = "portal", **said: object
    ) -> httpx.Response:
        """Let the institution ask for an allocation."""
        body = {"offer": self.world.offering, **ASKED, **said}
        return self.post("/v1/ai-intake", body, self.key(name or self.world.entity, keeper), request)

    def move(self, allocation: str, status: str, **said: str) -> httpx.Response:
        """Let a reviewer decide on the version that it has now."""
        path = f"/v1/offers/{self.world.offering}/institutional_allocations/{allocation}/moves"
        (version,) = self.one(
            "select version::text from engine.allocation where allocation_id = %s", allocation
        )
        token = self.key("reviewer-ria", "engine")
        return self.post(path, {"status": status, **said}, token, **{"If-Match": f'"{version}"'})

    def escrow(
        self, allocation: str, token: str | None = None, request: str | None = None, **said: str
    ) -> httpx.Response:
        """Open the escrow of an allocation under a token of the issuer."""
        body = {"offer": self.world.offering, "allocation": allocation, "investment": self.world.investment}
        body |= {"settlement_due_at": DUE} | said
        return self.post(
            "/v1/escrow-initiation", body, self.issuer.token() if token is None else token, request
        )

    def notice(self, allocation: str, /, **changed: object) -> bytes:
        """Return the body of a settlement."""
        told = {"offering": self.world.offering, "allocation": allocation, "amount_minor": 10_000_000}
        told |= {"currency": "USD", "settled_at": clock.now().isoformat()} | changed
        return json.dumps(told).encode()

    def settle(
        self,
        body: bytes,
        name: str = "msg_1",
        *,
        now: datetime | None = None,
        secrets: tuple[bytes, ...] = (SECRETS["key-1"],),
    ) -> httpx.Response:
        """Send a signed settlement."""
        return self.deliver(body, dict(sign(name, body, now=now or clock.now(), secrets=secrets)))

    def deliver(self, body: bytes, headers: dict[str, str]) -> httpx.Response:
        """Send a settlement with headers of its own."""
        return httpx.post(f"{self.url}/v1/webhooks/settlements", content=body, headers=headers, timeout=30)

    def one(self, statement: str, *said: object) -> tuple[Any, ...]:
        """Return the one row of a statement."""
        row = self.world.login("owner").execute(statement.encode(), said).fetchone()
        assert row is not None
        return row

    def events(self, subject: str) -> list[str]:
        """Return the kinds of the events of a subject, in order."""
        rows = self.world.login("owner").execute(
            "select kind from audit.event where subject = %s order by version", [subject]
        )
        return [kind for (kind,) in rows]


def rated(world: Institutions, **facts: str) -> Institutions:
    """Let compliance rate every institution."""
    for number in world.numbers:
        world.call(
            "compliance.rate_investor", world.id("ivr", number), {"kind": "entity", "country": "US"} | facts
        )
    return world


@pytest.fixture(scope="session")
def scorer() -> Iterator[Scorer]:
    """Serve a scorer for the session; a test sets its answer."""
    with scoring() as one:
        yield one


@pytest.fixture(scope="session")
def issuer() -> Iterator[Issuer]:
    """Serve an OpenID provider for the session."""
    with issuing() as one:
        yield one


@dataclass(frozen=True)
class Around:
    """The servers around an installation."""

    scorer: Scorer
    issuer: Issuer


@pytest.fixture
def servers(scorer: Scorer, issuer: Issuer) -> Around:
    """Return the servers, each as it was at its start."""
    fresh = Scorer()
    scorer.answer, scorer.wait_seconds = fresh.answer, 0.0
    scorer.asked.clear()
    issuer.fails, issuer.says = False, None
    return Around(scorer, issuer)


@pytest.fixture
def capital(endpoint: Endpoint, database: Database, connect: Connect, servers: Around) -> Iterator[Capitals]:
    """Run the lifecycle over an offer whose institutions have confirmed and not paid."""
    world = rated(Institutions(connect).build("confirmed"))
    with serving(api(database, capital=Capital(Desk(database), set_up(servers)))) as url:
        yield Capitals(url, endpoint, world, servers.scorer, servers.issuer)


def set_up(servers: Around) -> Parts:
    """Return all parts of the lifecycle."""
    return around(
        ScoringService(url=servers.scorer.url, key=SecretStr("sk-test"), model=MODEL, seconds=4),
        TokenService(issuer=servers.issuer.url, audience="bookrunner"),
        {name: SecretStr("whsec_" + base64.b64encode(secret).decode()) for name, secret in SECRETS.items()},
    )


@pytest.fixture
def unset(endpoint: Endpoint, database: Database, connect: Connect, servers: Around) -> Iterator[Capitals]:
    """Run an installation in which nothing of the lifecycle is set up."""
    world = rated(Institutions(connect).build("confirmed"))
    with serving(api(database, capital=Capital(Desk(database), around(None, None, {})))) as url:
        yield Capitals(url, endpoint, world, servers.scorer, servers.issuer)
