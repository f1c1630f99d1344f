"""An OpenID provider on the loopback, with real keys: it checks what one checks, and lies on request."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote_plus, urlencode, urlsplit

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from joserfc import jwt
from joserfc.jwk import ECKey

CLIENT, SECRET = "bookrunner", "a secret: of 100% this+client"
Claims = dict[str, Any]


class Provider:
    """A provider whose person is signed in already; ``changes`` is what its tokens say otherwise."""

    def __init__(self) -> None:
        self.url = ""
        self.key = ECKey.generate_key("P-256", {"kid": "key-1", "use": "sig"})
        self.signer: Any = self.key
        self.subject = "person-7"
        self.factors: Claims = {"amr": ["pwd"]}
        self.changes: Claims = {}
        self.header: Claims = {}
        self.about: Claims = {}
        self.iss: str | None = None
        self.sign: Callable[[Claims, Claims], str] | None = None
        self.codes: dict[str, dict[str, str]] = {}
        self.asked: list[dict[str, str]] = []
        self.fails = False
        self.looked_at = self.keys_asked = 0

    def configuration(self) -> Claims:
        """Return what it says of itself."""
        return {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "authorization_response_iss_parameter_supported": True,
        } | self.about

    def authorize(self, query: str) -> str:
        """Return where a person who agrees is sent."""
        said = {name: values[0] for name, values in parse_qs(query).items()}
        assert said["response_type"] == "code"
        assert said["client_id"] == CLIENT
        assert said["code_challenge_method"] == "S256"
        assert "openid" in said["scope"].split()
        self.asked.append(said)
        code = secrets.token_urlsafe(16)
        self.codes[code] = said
        answer = {"code": code, "state": said["state"], "iss": self.iss or self.url}
        return f"{said['redirect_uri']}?{urlencode(answer)}"

    def redeem(self, body: str, authorization: str) -> tuple[int, Claims]:
        """Answer with an identity token for a code, once, to its client with the proof key alone."""
        said = {name: values[0] for name, values in parse_qs(body).items()}
        pair = base64.b64decode(authorization.removeprefix("Basic ")).decode()
        client, _, secret = (unquote_plus(part) for part in pair.partition(":"))
        asked = self.codes.pop(said.get("code", ""), None)
        is_right = (
            asked is not None
            and (client, secret) == (CLIENT, SECRET)
            and said["redirect_uri"] == asked["redirect_uri"]
            and create_s256_code_challenge(said["code_verifier"]) == asked["code_challenge"]
        )
        if asked is None or not is_right:
            return 400, {"error": "invalid_grant"}
        return 200, {"token_type": "Bearer", "access_token": "x", "id_token": self.token(asked["nonce"])}

    def token(self, nonce: str) -> str:
        """Return an identity token; ``changes`` of None leave a claim out."""
        now = int(time.time())
        claims: Claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": self.subject,
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
            "nonce": nonce,
            "email": "person.seven@example.org",
        }
        said = claims | self.factors | self.changes
        claims = {name: value for name, value in said.items() if value is not None}
        header = {"alg": "ES256", "kid": "key-1"} | self.header
        if self.sign is not None:
            return self.sign(header, claims)
        return jwt.encode(header, claims, self.signer)

    def logout(self, changes: Claims | None = None, header: Claims | None = None) -> str:
        """Return a logout token for its person; ``changes`` of None leave a claim out."""
        now = int(time.time())
        claims: Claims = {
            "iss": self.url,
            "aud": CLIENT,
            "sub": self.subject,
            "iat": now,
            "exp": now + 120,
            "jti": secrets.token_urlsafe(12),
            "events": {"http://schemas.openid.net/event/backchannel-logout": {}},
        }
        said = {name: value for name, value in (claims | (changes or {})).items() if value is not None}
        told = {"alg": "ES256", "kid": "key-1", "typ": "logout+jwt"} | (header or {})
        if self.sign is not None:
            return self.sign(told, said)
        return jwt.encode(told, said, self.signer)


@contextmanager
def providing(one: Provider | None = None) -> Iterator[Provider]:
    """Serve a provider."""
    one = one or Provider()

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            return

        def reply(self, status: int, said: Claims) -> None:
            body = json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            one.looked_at += parts.path == "/.well-known/openid-configuration"
            if one.fails:
                self.reply(503, {})
            elif parts.path == "/.well-known/openid-configuration":
                self.reply(200, one.configuration())
            elif parts.path == "/keys":
                one.keys_asked += 1
                self.reply(200, {"keys": [one.key.as_dict(private=False)]})
            else:
                self.send_response(302)
                self.send_header("Location", one.authorize(parts.query))
                self.send_header("Content-Length", "0")
                self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.reply(*one.redeem(body, self.headers.get("Authorization", "")))

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        one.url = f"http://127.0.0.1:{server.server_address[1]}"
        yield one
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
