"""A worker in a process of its own that is killed with a letter in its hand."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
from pathlib import Path

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.mail import Letter
from bookrunner.app import Application, open_keys
from bookrunner.app.settings import Outside
from bookrunner.db import Endpoint
from bookrunner.db.endpoint import Secrets


class Mortal:
    """A way to a mail server on which the process dies."""

    def send(self, letter: Letter) -> None:  # noqa: ARG002 - the letter dies with its bearer
        """Die."""
        os.kill(os.getpid(), signal.SIGKILL)


def main() -> None:
    """Do one round."""
    endpoint = Endpoint(sys.argv[1], Secrets(Path(sys.argv[2])))
    with tempfile.TemporaryDirectory() as folder, EvmChain("http://127.0.0.1:1") as chain:
        keys = open_keys(Path(folder), 31337, embedded=True)
        Application(endpoint, chain, keys, pause=lambda: None, outside=Outside(post=Mortal())).tend()


if __name__ == "__main__":
    main()
