"""Servers of tests on loopback, which are up and down as soon as they are told."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import uvicorn
from starlette.types import ASGIApp

GRACE_SECONDS = 1.0
_DATE_SECONDS = 1.0
_LOOK_SECONDS = 0.2


class Prompt(uvicorn.Server):
    """Waits for its end, where uvicorn's own looks every tenth of a second and pauses once more."""

    def __init__(self, app: ASGIApp) -> None:
        super().__init__(uvicorn.Config(app, log_level="warning", ws="none"))
        self.is_up = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._told = asyncio.Event()

    def end(self) -> None:
        """Tell it to stop; may be called on any thread."""
        self.should_exit = True
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._told.set)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to listen."""
        self._loop = asyncio.get_running_loop()
        await super().startup(sockets)
        self.is_up.set()

    async def main_loop(self) -> None:
        """Keep the date of answers until the end."""
        tick = 0
        while not await self.on_tick(tick):
            tick += 10
            with suppress(TimeoutError):
                await asyncio.wait_for(self._told.wait(), _DATE_SECONDS)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Answer what has been asked, then stop."""
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        if under_way := set(self.server_state.tasks):
            _, late = await asyncio.wait(under_way, timeout=GRACE_SECONDS)
            for task in late:
                task.cancel()
        await self.lifespan.shutdown()


@contextmanager
def serving(app: ASGIApp) -> Iterator[str]:
    """Serve an application on loopback and lend its address.

    Open streams, which would not end by themselves, are told to.
    """
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        server = Prompt(app)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        while thread.is_alive() and not server.is_up.wait(_LOOK_SECONDS):
            pass
        assert server.is_up.is_set(), "the server ended before it was up"
        try:
            yield f"http://127.0.0.1:{bound.getsockname()[1]}"
        finally:
            for name in ("hints", "streams"):
                if streams := getattr(getattr(app, "state", None), name, None):
                    streams.closing = True
            server.end()
            thread.join(60)
            assert not thread.is_alive(), "the server did not end when it was told to"
