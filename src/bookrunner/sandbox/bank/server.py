"""The sandbox bank as a process of its own: orders and statements over loopback, signed notices out.

``python -m bookrunner.sandbox.bank.server FOLDER`` reads ``bank.json`` in the folder, keeps its book there
and writes its address to ``address`` when it answers. Killed at any moment it goes on where its book ends.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Mapping
from datetime import date
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import httpx

from bookrunner.adapters.identity.webhook import decode_secret, sign
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.core.status import status_of
from bookrunner.sandbox.bank.book import Account, Book, Notice

CONFIGURATION: Final = "bank.json"
ADDRESS: Final = "address"
_NOTICE_SECONDS: Final = 30.0


def configure(folder: Path, account: Account, receiver: str = "", secret: str = "") -> None:
    """Write what a bank starts from; ``receiver`` is the address of its notices, signed with ``secret``."""
    said = {
        "number": account.number,
        "currency": account.currency,
        "seed": account.seed,
        "opened_on": account.opened_on.isoformat(),
        "receiver": receiver,
        "secret": secret,
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / CONFIGURATION
    path.touch(mode=0o600)
    path.write_text(json.dumps(said), encoding="utf-8")


class Bank:
    """The book behind one lock, and the receiver of its notices."""

    def __init__(self, folder: Path) -> None:
        said: Mapping[str, Any] = json.loads((folder / CONFIGURATION).read_text(encoding="utf-8"))
        opened_on = date.fromisoformat(said["opened_on"])
        account = Account(said["number"], said["currency"], said["seed"], opened_on)
        self._book = Book(folder / "book.jsonl", account)
        self._receiver: str = said.get("receiver", "")
        self._secret = decode_secret(said["secret"]) if self._receiver else b""
        self._lock = threading.Lock()

    def answer(self, method: str, path: str, body: bytes) -> tuple[str, bytes]:
        """Carry out one request; return media type and content.

        Refuses ``request_is_known``, and what the book refuses.
        """
        asked = path.strip("/").split("/")
        with self._lock:
            if method == "GET" and asked[0] == "statements":
                return "application/xml", self._book.statement(date.fromisoformat(asked[1]))
            return "application/json", json.dumps(self._done(method, asked, body)).encode()

    def _done(self, method: str, asked: list[str], body: bytes) -> object:
        found: object = {}
        match method, asked:
            case "PUT", ["orders", order]:
                self._book.order(order, body)
                found = self._standing(order)
            case "GET", ["orders", order]:
                found = self._standing(order)
            case "GET", ["paid"]:
                found = self._book.paid()
            case "POST", ["deposits"]:
                self._book.deposit(json.loads(body))
            case "POST", ["days"]:
                self._book.move_to(date.fromisoformat(json.loads(body)["day"]))
            case "POST", ["notices"]:
                found = self._tell()
            case _:
                raise Refused("request_is_known", f"{method} {'/'.join(asked)}")
        return found

    def _standing(self, order: str) -> dict[str, str]:
        executed = self._book.is_executed(order)
        digest: str = self._book.orders[order]["sha256"]
        return {"reference": f"SB{digest[:16].upper()}", "status": "executed" if executed else "accepted"}

    def _tell(self) -> dict[str, int]:
        """Send what waits, some of it twice; what the receiver does not take is sent again next time."""
        taken = 0
        waiting = self._book.notices() if self._receiver else []
        with httpx.Client(timeout=_NOTICE_SECONDS, trust_env=False) as client:
            for notice in waiting:
                if all(self._sent(client, notice) for _ in range(notice.times)):
                    self._book.mark_told(notice.id)
                    taken += 1
        return {"told": taken, "waiting": len(waiting) - taken}

    def _sent(self, client: httpx.Client, notice: Notice) -> bool:
        headers = sign(notice.id, notice.body, now=clock.now(), secrets=[self._secret])
        try:
            answer = client.post(self._receiver, content=notice.body, headers=list(headers))
        except httpx.TransportError:
            return False
        return answer.is_success


class _Handler(BaseHTTPRequestHandler):
    """Takes requests off the wire; what they do is the bank's."""

    bank: Bank

    def do_GET(self) -> None:
        """Answer."""
        self._answer()

    def do_POST(self) -> None:
        """Answer."""
        self._answer()

    def do_PUT(self) -> None:
        """Answer."""
        self._answer()

    def log_message(self, *_: object) -> None:
        """Say nothing: a line of the path may name a payment."""

    def _answer(self) -> None:
        length = int(self.headers.get("content-length", 0))
        try:
            media, content = self.bank.answer(self.command, self.path, self.rfile.read(length))
            status = HTTPStatus.OK
        except Refused as refused:
            media, content = "application/json", json.dumps({"code": refused.rule}).encode()
            status = status_of(refused)
        self.send_response(status)
        self.send_header("content-type", media)
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


def serve(folder: Path) -> None:
    """Serve the bank of a folder on a free port of loopback, until the process ends."""
    handler = type("Handler", (_Handler,), {"bank": Bank(folder)})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    draft = folder / f".{ADDRESS}"
    draft.write_text(f"http://127.0.0.1:{server.server_port}", encoding="ascii")
    draft.replace(folder / ADDRESS)
    server.serve_forever()


if __name__ == "__main__":
    serve(Path(sys.argv[1]))
