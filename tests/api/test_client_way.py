"""Where the client sends a key, and what it makes of answers that no server of ours gives."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bookrunner.client import (
    ApiRefused,
    Bookrunner,
    ETag,
    ServerFault,
    StillRunning,
    Unreachable,
    shapes,
)
from bookrunner.core.errors import Refused
from tests.api.conftest import Api

OTHER = ["http://10.0.0.5:8360", "http://api.example.org", "http://localhost.example.org", "HTTP://8.8.8.8/x"]
PROXIES = ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy")
Answer = tuple[int, dict[str, str], bytes]


@dataclass
class Between:
    """A server that answers what it is told, in place of ours or on the way to it."""

    url: str
    says: Callable[[], Answer] = lambda: (200, {}, b"{}")
    asked: list[dict[str, str]] = field(default_factory=list)


@pytest.fixture
def between() -> Iterator[Between]:
    """Run the server."""

    class Handler(BaseHTTPRequestHandler):
        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length", 0)))
            running.asked.append({name.lower(): value for name, value in self.headers.items()})
            status, headers, body = running.says()
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = _answer  # noqa: N815 - as the library calls them

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = Between(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield running
    server.shutdown()
    thread.join(10)
    server.server_close()


@pytest.mark.parametrize("url", OTHER)
def test_a_key_goes_in_the_clear_to_the_loopback_alone(url: str) -> None:
    with pytest.raises(Refused, match="key_goes_over_tls"):
        Bookrunner(url, "brk_engine_x")
    with pytest.raises(Refused, match="key_goes_over_tls"):
        Bookrunner(url, "brk_engine_x", in_the_clear_to="other.example.org")


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8360", "http://[::1]:8360", "http://localhost:8360", "https://api.example.org"]
)
def test_a_key_goes_to_the_loopback_and_over_tls(url: str) -> None:
    Bookrunner(url, "brk_engine_x").close()


def test_a_host_that_is_named_gets_a_key_in_the_clear_and_without_a_key_any_is_called() -> None:
    Bookrunner("http://10.0.0.5:8360", "brk_engine_x", in_the_clear_to="10.0.0.5").close()
    Bookrunner("http://api.example.org").close()


def test_a_proxy_of_the_environment_is_asked_only_when_it_is_trusted(
    calls: Api, between: Between, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in PROXIES:
        monkeypatch.setenv(name, between.url)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with Bookrunner(calls.url, calls.key("engine")) as direct:
        assert direct.offers.get_offer("ofr_one").id == "ofr_one"
    assert between.asked == []
    with (
        Bookrunner(calls.url, calls.key("engine"), trust_environment=True, attempts=1) as trusting,
        pytest.raises(Unreachable),
    ):
        trusting.offers.get_offer("ofr_one")
    assert len(between.asked) == 1


def test_credentials_of_the_environment_replace_no_key(
    between: Between, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password word\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    with Bookrunner(between.url, attempts=1) as nobody, pytest.raises(Unreachable):
        nobody.offers.get_offer("ofr_one")
    assert "authorization" not in between.asked[0]


def test_a_redirect_takes_no_key_along(between: Between) -> None:
    between.says = lambda: (307, {"location": "http://10.0.0.5/"}, b"")
    with Bookrunner(between.url, "brk_engine_x", attempts=1) as client, pytest.raises(ServerFault):
        client.offers.get_offer("ofr_one")
    assert len(between.asked) == 1


def test_a_weak_etag_is_the_version_and_what_is_none_is_refused(calls: Api, between: Between) -> None:
    with Bookrunner(calls.url, calls.key("engine")) as client:
        body = client.offers.get_offer("ofr_one")
    text = body.model_dump_json(by_alias=True).encode()
    with Bookrunner(between.url, "brk_engine_x") as client:
        between.says = lambda: (200, {"etag": 'W/"7"'}, text)
        assert client.offers.get_offer("ofr_one").etag == ETag.of("7")
        for odd in ("7", 'w/"7"', 'W/W/"7"', '"x y"', ""):
            between.says = lambda odd=odd: (200, {"etag": odd}, text)
            with pytest.raises(Unreachable):
                client.offers.get_offer("ofr_one")


@pytest.mark.parametrize(
    "body", [b"", b"not json", b"[]", b'{"id": 7}', b"\xff\xfe", b"<html>busy</html>", b"null"]
)
@pytest.mark.parametrize("status", [200, 201])
def test_an_answer_that_is_no_record_names_the_key_to_send_again(
    between: Between, status: int, body: bytes
) -> None:
    between.says = lambda: (status, {"content-type": "application/json"}, body)
    with Bookrunner(between.url, "brk_engine_x") as client:
        with pytest.raises(Unreachable) as caught:
            freeze(client)
        assert caught.value.idempotency_key == "act-1"
        with pytest.raises(Unreachable) as read:
            client.offers.get_offer("ofr_one")
        assert read.value.idempotency_key is None


ERRORS = [
    (status, ApiRefused) for status in (400, 401, 403, 404, 409, 412, 422, 428, 429, 500, 502, 503, 504)
]


@pytest.mark.parametrize(("status", "kind"), [*ERRORS, (302, ServerFault)])
@pytest.mark.parametrize("body", [b"", b'{"status": 1, "code": "a_rule"}'])
def test_every_error_of_a_write_has_its_idempotency_key(
    between: Between, status: int, kind: type[ApiRefused], body: bytes
) -> None:
    between.says = lambda: (status, {}, body)
    with Bookrunner(between.url, "brk_engine_x", pause=lambda _: None) as client:
        with pytest.raises(kind) as caught:
            freeze(client)
        assert caught.value.idempotency_key == "act-1"
        with pytest.raises(ApiRefused) as made:
            client.closings.freeze_closing("ofr_one", shapes.NewClosing(members="all"), if_match=ETag.of("1"))
    assert made.value.idempotency_key
    sent = [asked["idempotency-key"] for asked in between.asked]
    assert set(sent) == {"act-1", made.value.idempotency_key}


def test_a_write_that_still_runs_and_one_without_an_answer_name_their_key(between: Between) -> None:
    between.says = lambda: (
        409,
        {"retry-after": "1"},
        b'{"status": 409, "code": "request_has_come_to_its_end"}',
    )
    with (
        Bookrunner(between.url, "brk_engine_x", pause=lambda _: None) as client,
        pytest.raises(StillRunning) as runs,
    ):
        freeze(client)
    assert runs.value.idempotency_key == "act-1"
    assert len(between.asked) == 4
    with (
        Bookrunner("http://127.0.0.1:9", "brk_engine_x", pause=lambda _: None) as client,
        pytest.raises(Unreachable) as lost,
    ):
        freeze(client)
    assert lost.value.idempotency_key == "act-1"


def freeze(client: Bookrunner) -> None:
    """Make one write under a key of its own."""
    client.closings.freeze_closing(
        "ofr_one", shapes.NewClosing(members="all"), if_match=ETag.of("1"), idempotency_key="act-1"
    )
