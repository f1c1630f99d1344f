"""The pages and the API in one web application, and the server of both."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from ipaddress import ip_address

import uvicorn
from fastapi import FastAPI

from bookrunner.api import Limits, Signing, api, limited
from bookrunner.api.hooks.stream import Reader
from bookrunner.app import Application
from bookrunner.app.settings import hooks_on_loopback, identity_providers, read_settings
from bookrunner.app.trading import receive_trade
from bookrunner.core.log import tell
from bookrunner.pages import Door, web
from bookrunner.pages.shell.live import Hints

GRACE_SECONDS = 2
OPERATOR = "operator:console"


def site(application: Application, pages: FastAPI | None = None) -> FastAPI:
    """Return the API, and beside it the pages on every path that is none of the API's."""
    for sentence in application.capital.lacking:
        tell(sentence)
    settings = read_settings()
    served = api(
        application.database,
        beside=pages or web(application),
        signing=Signing(lambda: application.signing, application.consents, application.signer),
        payments=application.receive_payment,
        signatures=application.receive_signature,
        trades=partial(receive_trade, application.database),
        chain=application.chain,
        capital=application.capital,
        providers=identity_providers(settings),
    )
    served.state.hooks_on_loopback = hooks_on_loopback(settings)
    served.state.compare = application.comparing.before_closing
    served.state.bank_files = application.bank_files
    served.state.paying_address = application.payments.address
    return limited(served, Limits(settings.limits.key, settings.limits.address, settings.limits.visitor))


class _Server(uvicorn.Server):
    """Ends the open streams before it waits for connections, which would not end by themselves."""

    def __init__(self, config: uvicorn.Config, *streams: Hints | Reader) -> None:
        super().__init__(config)
        self._streams = streams

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Let every stream end, then stop."""
        for each in self._streams:
            each.closing = True
        await super().shutdown(sockets)


@contextmanager
def serving(application: Application, bound: socket.socket, hosts: Sequence[str] = ()) -> Iterator[None]:
    """Serve API and pages of a sandbox on a bound socket while the block runs; they answer from its begin on.

    On the loopback whoever is not signed in closes as ``OPERATOR``; elsewhere a closing needs a key of the
    engine. ``hosts`` are names that the pages answer to beside the bound address and the loopback.

    At its end requests are finished and open streams ended, within a few seconds.
    """
    host = bound.getsockname()[0]
    is_alone = ip_address(host).is_loopback
    operator = OPERATOR if is_alone else None
    settings = read_settings()
    door = Door(settings.passkey_site or ("localhost" if is_alone else None), settings.accounts_only)
    names = (f"[{host}]" if ":" in host else host, *hosts)
    pages = web(application, operator=operator, hosts=names, door=door)
    app = site(application, pages)
    config = uvicorn.Config(
        app, log_config=None, log_level="warning", timeout_graceful_shutdown=GRACE_SECONDS
    )
    server = _Server(config, pages.state.hints, app.state.streams)
    thread = threading.Thread(target=server.run, args=([bound],), daemon=True, name="pages")
    thread.start()
    try:
        while thread.is_alive() and not server.started:
            time.sleep(0.01)
        yield
    finally:
        server.should_exit = True
        thread.join(2 * GRACE_SECONDS)
