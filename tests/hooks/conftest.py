"""A subscriber with an HTTPS server and a certificate of its own, and the API over a small offering."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from fastapi import FastAPI
from psycopg.types.json import Jsonb

from bookrunner.adapters.webhooks import Sender
from bookrunner.api import api, issue
from bookrunner.api.hooks.courier import Courier
from bookrunner.audit import advance_feed
from bookrunner.core import clock
from bookrunner.db import Database, Endpoint
from tests.api.conftest import Api
from tests.attack.world import Connect, World
from tests.serving import serving

NAME = "hooks.example.org"


@dataclass
class Message:
    """One request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """An HTTPS server of a subscriber: keeps what comes, answers what ``says`` says."""

    port: int
    trusted: Path
    came: list[Message] = field(default_factory=list)
    says: Callable[[Message], tuple[int, dict[str, str], bytes]] = lambda _: (204, {}, b"")

    def url(self, path: str = "/in", host: str = NAME) -> str:
        """Return its address under a name."""
        return f"https://{host}:{self.port}{path}"

    def context(self) -> ssl.SSLContext:
        """Return what trusts its certificate, and nothing else."""
        return ssl.create_default_context(cafile=str(self.trusted))


def certificate(folder: Path, name: str = NAME) -> tuple[Path, Path]:
    """Make a certificate for a name and the loopback; return its file and the one of its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    who = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    names = [x509.DNSName(name), x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(who)
        .issuer_name(who)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=2))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    files = folder / f"{name}.pem", folder / f"{name}.key"
    files[0].write_bytes(made.public_bytes(Encoding.PEM))
    files[1].write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return files


@contextmanager
def receiving(folder: Path, name: str = NAME) -> Iterator[Receiver]:
    """Run a receiver on loopback whose certificate is for a name."""
    chain, key = certificate(folder, name)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            length = int(self.headers.get("content-length", 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            message = Message(self.path, headers, self.rfile.read(length))
            receiver.came.append(message)
            status, said, body = receiver.says(message)
            self.send_response(status)
            for header, value in said.items():
                self.send_header(header, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:
            return

    server = Quiet(("127.0.0.1", 0), Handler)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(chain, key)
    server.socket = tls.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver = Receiver(server.server_address[1], chain)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    """Run a receiver."""
    with receiving(tmp_path) as running:
        yield running


async def to_loopback(host: str, port: int) -> Sequence[str]:
    """Resolve every name to this machine."""
    assert (host, port > 0) != ("", False)
    return ["127.0.0.1"]


@dataclass
class Hooks:
    """The API, a receiver, and a courier whose clock the test moves."""

    calls: Api
    receiver: Receiver
    database: Database
    app: FastAPI
    moment: datetime = field(default_factory=lambda: clock.now() + timedelta(minutes=2))

    def courier(self) -> Courier:
        """Return a courier that may go to this machine."""
        sender = Sender(loopback=True, trusted=self.receiver.context(), resolving=to_loopback)
        return Courier(self.database, sender, now=lambda: self.moment)

    def send(self, **later: int) -> int:
        """Move the clock on, publish what was committed, and send all that is due."""
        self.moment += timedelta(**later)
        advance_feed(self.database)
        return self.courier().round()

    def register(self, keeper: str = "engine", name: str = "", **said: object) -> dict[str, Any]:
        """Register the receiver; return the answer."""
        body = {"url": self.receiver.url(), **said}
        answer = self.calls.post("/v1/webhooks/endpoints", body, keeper=keeper, name=name)
        assert answer.status_code == 201, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def endpoint(self, which: str) -> dict[str, Any]:
        """Return an endpoint as the engine reads it."""
        found: dict[str, Any] = self.calls.get(f"/v1/webhooks/endpoints/{which}").json()
        return found

    def deliveries(self, which: str) -> list[dict[str, Any]]:
        """Return the messages of an endpoint, the newest first."""
        found = self.calls.get(f"/v1/webhooks/endpoints/{which}/deliveries?limit=200")
        return list(found.json()["deliveries"])

    def happen(self) -> None:
        """Let one thing happen to the first investment that is unconfirmed."""
        row = self.calls.world.login("owner").execute(
            "select investment_id from engine.investment where status = 'new' order by 1 limit 1"
        )
        self.calls.world.call("engine.confirm", "ofr_one", row.fetchone()[0])


@pytest.fixture
def hooks(endpoint: Endpoint, database: Database, connect: Connect, receiver: Receiver) -> Iterator[Hooks]:
    """Serve the API beside a receiver over an offer with three unconfirmed investments."""
    world = World(connect).build("allocated")
    app = api(database)
    with serving(app) as url:
        yield Hooks(Api(url, endpoint, world), receiver, database, app)


def issuer_key(hooks: Hooks, issuer: str, name: str) -> str:
    """Make a key of an issuer, which is named first."""
    profile = {
        "name": f"Issuer {name}",
        "colour": "#0b4f6c",
        "escrow_bank": "First Harbor Bank",
        "transfer_agent": "Theo Transfer Agency",
        "administrator": "Flo Fund Services",
    }
    hooks.calls.world.login("engine").execute(
        "select engine.name_issuer('usr_operator', %s, %s, %s)", [f"req_{name}", issuer, Jsonb(profile)]
    )
    key = issue(hooks.calls.endpoint, name, "issuer", actor="usr_admin", issuer=issuer)
    hooks.calls.keys[name] = key
    return key
