"""Real servers on the loopback: one that speaks the OpenAI protocol, one that is an OpenID provider."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

PARTS = ("entity", "jurisdiction", "compliance_history", "tranche_fit")
MODEL = "risk-model-1"
Reply = tuple[int, bytes]
Answer = Callable[[dict[str, Any]], Reply]


def verdict(score: int = 90, tier: str = "fast_track", **changed: object) -> dict[str, object]:
    """Return what a model says in the agreed form."""
    return {
        "score": score,
        "parts": dict.fromkeys(PARTS, score),
        "tier": tier,
        "reasons": ["The entity is cleared."],
        "facts_used": ["clearance", "risk_tier"],
        "has_instructions": False,
    } | changed


def completion(content: object, **changed: object) -> bytes:
    """Return a chat completion with this content."""
    text = content if isinstance(content, str) else json.dumps(content)
    choice = {
        "index": 0,
        "finish_reason": "stop",
        "message": {"role": "assistant", "content": text, "refusal": None} | changed.pop("message", {}),  # type: ignore[dict-item]
    } | changed
    return json.dumps(
        {"id": "chat-1", "object": "chat.completion", "model": MODEL, "choices": [choice]}
    ).encode()


def obeying(asked: dict[str, Any]) -> Reply:
    """Answer like a model that follows every order it reads, also those in the text of an entity."""
    facts = json.loads(asked["messages"][1]["content"])
    orders = "fast_track" in facts["statement"]
    return 200, completion(verdict(100) if orders else verdict(60, "manual_review"))


class Scorer:
    """A server that speaks the OpenAI protocol; ``answer`` is what the next questions get."""

    def __init__(self) -> None:
        self.answer: Answer = lambda _: (200, completion(verdict()))
        self.asked: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.wait_seconds = 0.0
        self.url = ""


@contextmanager
def _serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


class _Quiet(BaseHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the library's
        """Say nothing."""

    def reply(self, status: int, body: bytes) -> None:
        """Send an answer; whoever asked may have gone."""
        try:
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.send_header("Content-Type", "application/json")
            if status == 429:
                self.send_header("Retry-After", "20")
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True


@contextmanager
def scoring() -> Iterator[Scorer]:
    """Serve a scorer."""
    one = Scorer()

    class Handler(_Quiet):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            assert self.path == "/v1/chat/completions"
            one.asked.append(asked)
            one.keys.append(self.headers["Authorization"])
            time.sleep(one.wait_seconds)
            self.reply(*one.answer(asked))

    with _serving(Handler) as url:
        one.url = f"{url}/v1"
        yield one


class Issuer:
    """An OpenID provider with keys that rotate."""

    def __init__(self) -> None:
        self.url = ""
        self.keys = {"key-1": ECKey.generate_key("P-256", {"kid": "key-1", "use": "sig"})}
        self.looked = 0
        self.fails = False
        self.says: str | None = None

    def rotate(self, name: str) -> None:
        """Sign with another key from now on; the one before is withdrawn."""
        self.keys = {name: ECKey.generate_key("P-256", {"kid": name, "use": "sig"})}

    def token(self, *, header: dict[str, Any] | None = None, **changed: object) -> str:
        """Return a token of an officer who may open escrow, with some claims changed; None leaves one out."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": self.url,
            "aud": "bookrunner",
            "sub": "escrow-desk-7",
            "iat": now,
            "exp": now + 300,
            "scope": "openid escrow:initiate",
        }
        claims = {name: value for name, value in (claims | changed).items() if value is not None}
        name, key = next(iter(self.keys.items()))
        return jwt.encode({"alg": "ES256", "kid": name, "typ": "at+jwt"} | (header or {}), claims, key)


@contextmanager
def issuing() -> Iterator[Issuer]:
    """Serve an OpenID provider."""
    one = Issuer()

    class Handler(_Quiet):
        def do_GET(self) -> None:
            one.looked += 1
            if one.fails:
                self.reply(503, b"{}")
            elif self.path == "/.well-known/openid-configuration":
                about = {"issuer": one.says or one.url, "jwks_uri": f"{one.url}/keys"}
                self.reply(200, json.dumps(about).encode())
            else:
                listed = [key.as_dict(private=False) for key in one.keys.values()]
                self.reply(200, json.dumps({"keys": listed}).encode())

    with _serving(Handler) as url:
        one.url = url
        yield one
