"""The sandbox identity provider as a process of its own: it is asked over loopback and signs what it answers.

``python -m bookrunner.sandbox.entering.provider FOLDER`` reads ``provider.json`` in the folder, answers from
``inquiries.json`` there as it stands at each question, and writes its address to ``address`` when it answers.
"""

from __future__ import annotations

import hmac
import json
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Final
from urllib.parse import unquote

from bookrunner.adapters.identity.webhook import decode_secret, sign
from bookrunner.core import clock

CONFIGURATION: Final = "provider.json"
INQUIRIES: Final = "inquiries.json"
ADDRESS: Final = "address"
_PREFIX: Final = "/inquiries/"


def configure(folder: Path, *, secret: str, credential: str) -> None:
    """Write what a provider starts from: the secret that signs its answers, and whom it answers."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CONFIGURATION
    path.touch(mode=0o600)
    path.write_text(json.dumps({"secret": secret, "credential": credential}), encoding="utf-8")
    conclude(folder, {})


def conclude(folder: Path, inquiries: dict[str, dict[str, str]]) -> None:
    """Say what the provider knows from now on: the latest event of each subject, as it would post it."""
    draft = folder / f".{INQUIRIES}"
    draft.write_text(json.dumps(inquiries), encoding="utf-8")
    draft.replace(folder / INQUIRIES)


class Provider:
    """What the provider knows, and how it signs."""

    def __init__(self, folder: Path) -> None:
        said = json.loads((folder / CONFIGURATION).read_text(encoding="utf-8"))
        self._folder = folder
        self._secret = decode_secret(said["secret"])
        self._bearer = f"Bearer {said['credential']}"

    def answer(self, path: str, bearer: str) -> tuple[HTTPStatus, bytes, tuple[tuple[str, str], ...]]:
        """Return status, body and headers: the event about the subject of a path, to whom it answers."""
        if not hmac.compare_digest(bearer.encode(), self._bearer.encode()):
            return HTTPStatus.UNAUTHORIZED, b"{}", ()
        known = json.loads((self._folder / INQUIRIES).read_text(encoding="utf-8"))
        event = known.get(unquote(path.removeprefix(_PREFIX))) if path.startswith(_PREFIX) else None
        if event is None:
            return HTTPStatus.NOT_FOUND, b"{}", ()
        body = json.dumps(event, sort_keys=True).encode()
        return HTTPStatus.OK, body, sign(event["event_id"], body, now=clock.now(), secrets=[self._secret])


class _Handler(BaseHTTPRequestHandler):
    """Takes questions off the wire; what is answered is the provider's."""

    provider: Provider

    def do_GET(self) -> None:
        """Answer."""
        status, body, headers = self.provider.answer(self.path, self.headers.get("authorization", ""))
        self.send_response(status)
        for name, value in (
            *headers,
            ("content-type", "application/json"),
            ("content-length", str(len(body))),
        ):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing: the path names an investor."""


def serve(folder: Path) -> None:
    """Serve the provider of a folder on a free port of loopback, until the process ends."""
    handler = type("Handler", (_Handler,), {"provider": Provider(folder)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    draft = folder / f".{ADDRESS}"
    draft.write_text(f"http://127.0.0.1:{server.server_port}", encoding="ascii")
    draft.replace(folder / ADDRESS)
    server.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
