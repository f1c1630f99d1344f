"""The pages on a real server over a small real world."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn

from bookrunner.app import Application
from bookrunner.pages import web
from tests.pages.world import World
from tests.stages import Built


@dataclass(frozen=True)
class Site:
    """A running server of the pages and the world behind it."""

    url: str
    world: World


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
