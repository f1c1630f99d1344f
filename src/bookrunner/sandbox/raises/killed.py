"""A worker in a process of its own that the system ends in the middle of its work; another takes over."""

from __future__ import annotations

import multiprocessing
import time
from multiprocessing.connection import Connection
from pathlib import Path

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.app import Application
from bookrunner.db import Endpoint
from bookrunner.db.endpoint import Secrets
from bookrunner.engine.issuance import Keys
from bookrunner.sandbox.raises.closing import PaperRegister

NO_NODE = "http://127.0.0.1:1"
_BEGUN, _ENDED = "begun", "ended"
_SECRETS = (b"\x01" * 32, b"\x02" * 32)
# A fork of a process that holds no connection and no thread yet: a whole interpreter would take a second.
_FORKS = multiprocessing.get_context("forkserver")
_FORKS.set_forkserver_preload([__name__])


def kill_amid(app: Application, offering: str, closing: str | None, pause_seconds: float) -> bool:
    """Let a new process answer what waits and carry a closing on, and end it by a signal after a pause.

    Returns whether it died before its end. The pause counts from the moment at which it has its connections.
    """
    ours, theirs = _FORKS.Pipe(duplex=False)
    endpoint = app.endpoint
    place = (endpoint.admin_dsn(), str(endpoint.secrets.folder))
    worker = _FORKS.Process(target=_work, args=(place, offering, closing, theirs), daemon=True)
    worker.start()
    theirs.close()
    with ours:
        ours.recv()
        time.sleep(pause_seconds)
        worker.kill()
        worker.join()
        try:
            return not (ours.poll() and ours.recv() == _ENDED)
        except EOFError:
            return True


def _work(place: tuple[str, str], offering: str, closing: str | None, told: Connection) -> None:
    dsn, secrets = place
    keys = Keys(LocalKey(_SECRETS[0], chain_id=1), LocalKey(_SECRETS[1], chain_id=1))
    with EvmChain(NO_NODE) as chain:
        app = Application(Endpoint(dsn, Secrets(Path(secrets))), chain, keys, pause=lambda: None)
        app.desk.engine.feed_end()
        told.send(_BEGUN)
        app.process.expire()
        app.answer()
        if closing is not None:
            PaperRegister(app, offering).carry(closing)
        told.send(_ENDED)
        app.close()
