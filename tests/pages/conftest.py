"""The pages on a real server over a small real world."""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.app import Application, open_keys
from bookrunner.db import Endpoint, make_roles
from bookrunner.db.catalog import clone_database, drop_database
from bookrunner.pages import web
from tests.pages.world import World


@dataclass(frozen=True)
class Site:
    """A running server of the pages and the world behind it."""

    url: str
    world: World


@dataclass(frozen=True)
class Built:
    """A database with the world of the pages, only to be copied, and the money that its statement shows."""

    endpoint: Endpoint
    balance_minor: int


@pytest.fixture(scope="session")
def built(template: Endpoint, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the world of the pages once, through the keepers' verbs; each test has a copy of its own."""
    endpoint = template.of("template_of_pages")
    clone_database(template.of("postgres").admin_dsn(), endpoint.database, template.database)
    make_roles(endpoint.admin_dsn())
    with EvmChain("http://127.0.0.1:1") as chain:
        keys = open_keys(tmp_path_factory.mktemp("built") / "keys", 31337, embedded=True)
        application = Application(endpoint, chain, keys, pause=lambda: None)
        world = World(application)
        world.build()
        application.close()
    return Built(endpoint, world.balance_minor)


@pytest.fixture
def endpoint(template: Endpoint, request: pytest.FixtureRequest) -> Iterator[Endpoint]:
    """Return the endpoint of a fresh database: with the world where a site is asked for, else without."""
    wanted = request.getfixturevalue("built").endpoint if "site" in request.fixturenames else template
    maintenance = template.of("postgres").admin_dsn()
    name = f"test_{secrets.token_hex(6)}"
    clone_database(maintenance, name, wanted.database)
    make_roles(template.of(name).admin_dsn())
    yield template.of(name)
    drop_database(maintenance, name)


@pytest.fixture
def site(application: Application, built: Built) -> Iterator[Site]:
    """Serve the pages of a fresh world on loopback."""
    world = World(application)
    world.balance_minor = built.balance_minor
    app = web(application, operator="operator:console")
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = uvicorn.Server(
            uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1, ws="none")
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        deadline = time.monotonic() + 10
        while not server.started and time.monotonic() < deadline:
            time.sleep(0.02)
        try:
            yield Site(f"http://127.0.0.1:{bound.getsockname()[1]}", world)
        finally:
            app.state.hints.closing = True
            server.should_exit = True
            thread.join(10)
