"""What a request is held to before it is read, and what every answer carries, over a real connection."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi.responses import PlainTextResponse
from fastapi.testclient import TestClient
from starlette.types import Receive, Scope, Send

from bookrunner.api import api, issue
from bookrunner.api.access.edge import API_BYTES_MAX, FILES_BYTES_MAX, PAGE_BYTES_MAX, Edge
from bookrunner.app import Application
from bookrunner.core.credentials import make_key
from bookrunner.db import Endpoint
from bookrunner.pages import web
from tests.api.conftest import problem
from tests.pages.world import OFFERING
from tests.patience import PATIENT
from tests.serving import serving
from tests.stages import Built

PIECE = b"x" * 65_536
PATHS = (
    "/v1/none",
    "/v1/openapi.json",
    "/livez",
    "/metrics",
    "/",
    "/sign-in",
    "/none",
    "/static/a/b",
    "/compliance",
)


@pytest.fixture
def whole(
    application: Application,
    built: Built,  # noqa: ARG001 - what the copy is of
) -> Iterator[str]:
    """Serve the API and the pages beside it, as a program of ours does."""
    with serving(api(application.database, beside=web(application))) as url:
        yield url


def said(url: str, head: str, pieces: int = 0) -> bytes:
    """Send a head, then so many pieces of a body as the server takes, and return the status line."""
    place = urlsplit(url)
    with socket.create_connection((place.hostname, place.port), timeout=30) as line:
        line.sendall(head.replace("\n", "\r\n").encode())
        try:
            for _ in range(pieces):
                line.sendall(b"%x\r\n%b\r\n" % (len(PIECE), PIECE))
        except OSError:
            # The server has answered and hung up, and what it said is still to be read.
            pass
        return line.makefile("rb").readline()


@pytest.mark.parametrize(
    ("path", "most"),
    [
        ("/v1/offers", API_BYTES_MAX),
        ("/sign-in", PAGE_BYTES_MAX),
        ("/treasury/a", FILES_BYTES_MAX),
        ("/investments/a/transfers", FILES_BYTES_MAX),
    ],
)
def test_a_length_over_the_limit_is_refused_before_a_byte_is_sent(whole: str, path: str, most: int) -> None:
    head = f"POST {path} HTTP/1.1\nHost: 127.0.0.1\nContent-Length: {most + 1}\n\n"
    assert b" 413 " in said(whole, head)


def test_a_body_in_pieces_is_read_up_to_the_limit(whole: str) -> None:
    head = (
        "POST /v1/offers HTTP/1.1\nHost: 127.0.0.1\nTransfer-Encoding: chunked\nIdempotency-Key: a\n"
        f"Content-Type: application/json\nAuthorization: Bearer {make_key('engine')}\n\n"
    )
    assert b" 413 " in said(whole, head, 2 * API_BYTES_MAX // len(PIECE))
    # The server goes on.
    assert httpx.get(f"{whole}/livez", timeout=PATIENT).status_code == 200


def test_the_refusal_is_a_problem_of_the_api(whole: str) -> None:
    answer = httpx.post(f"{whole}/v1/offers", content=b"x" * (API_BYTES_MAX + 1), timeout=PATIENT)
    assert answer.status_code == 413
    assert problem(answer)["code"] == "request_fits_its_limit"


def test_two_lengths_of_one_body_are_refused(whole: str) -> None:
    for lengths in ("Content-Length: 1\nContent-Length: 2", "Content-Length: -1", "Content-Length: 1e3"):
        assert b" 400 " in said(whole, f"POST /v1/offers HTTP/1.1\nHost: 127.0.0.1\n{lengths}\n\n")


@pytest.mark.parametrize("path", PATHS)
def test_every_answer_says_how_it_may_be_used(whole: str, path: str) -> None:
    answer = httpx.get(whole + path, timeout=PATIENT)
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] in {"no-referrer", "same-origin"}
    policy = answer.headers["content-security-policy"]
    for part in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert "no-store" in answer.headers["cache-control"]
    assert "access-control-allow-origin" not in answer.headers
    # A browser ignores the header over plain HTTP, and RFC 6797, 7.2, forbids it there.
    assert "strict-transport-security" not in answer.headers


def test_over_tls_every_answer_asks_for_tls_alone() -> None:
    async def plain(scope: Scope, receive: Receive, send: Send) -> None:
        await PlainTextResponse("here")(scope, receive, send)

    for scheme, told in (("https", "max-age=31536000; includeSubDomains"), ("http", None)):
        client = TestClient(Edge(plain), base_url=f"{scheme}://books.example")
        assert client.get("/").headers.get("strict-transport-security") == told


def test_a_fault_of_ours_says_nothing_and_has_the_headers(application: Application) -> None:
    app = api(application.database)

    @app.get("/v1-fault")
    def fault() -> None:
        raise RuntimeError("select secret from the_inside")

    answer = TestClient(app, raise_server_exceptions=False).get("/v1-fault")
    assert (answer.status_code, answer.text) == (500, "Internal Server Error")
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "DEBUG", "PROPFIND"])
def test_a_method_that_nobody_offers_does_nothing(whole: str, method: str) -> None:
    for path in ("/v1/offers", "/sign-in"):
        answer = httpx.request(method, whole + path, headers={"X-Secret": "told-nobody"}, timeout=PATIENT)
        assert answer.status_code in {400, 403, 404, 405}
        assert "told-nobody" not in answer.text


@pytest.mark.parametrize(
    "path",
    ["/static/", "/static/..%2f..%2fapp", "/.git/config", "/static/%2e%2e/%2e%2e/pyproject.toml", "/docs/"],
)
def test_no_folder_and_no_file_beside_the_pages_is_served(whole: str, path: str) -> None:
    assert httpx.get(whole + path, timeout=PATIENT).status_code in {404, 405}


@pytest.mark.parametrize(
    "body",
    [b"[" * 100_000, b'{"a":' * 50_000, b'{"id": NaN}', b"\xff\xfe", b'"' + b"\\u0000" * 10],
    ids=["lists", "objects", "no number", "no text", "cut"],
)
def test_a_body_that_is_no_sound_json_is_refused_and_no_fault(
    whole: str, endpoint: Endpoint, body: bytes
) -> None:
    key = issue(endpoint, "sender", "engine", actor="usr_admin")
    headers = {
        "Authorization": f"Bearer {key}",
        "Idempotency-Key": "deep",
        "Content-Type": "application/json",
    }
    answer = httpx.post(f"{whole}/v1/offers", content=body, headers=headers, timeout=PATIENT)
    assert answer.status_code in {400, 422}
    assert set(problem(answer)) <= {
        "type",
        "title",
        "status",
        "code",
        "instance",
        "request_id",
        "errors",
        "detail",
    }


def test_the_libraries_of_a_server_leave_the_depth_of_calls_as_it_is() -> None:
    loaded = "import sys, bookrunner.cli.site, eth_account; print(sys.getrecursionlimit())"
    done = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert int(done.stdout) == 1000


def test_a_field_that_nobody_asked_for_is_refused(whole: str, endpoint: Endpoint) -> None:
    key = issue(endpoint, "sender", "engine", actor="usr_admin")
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "more"}
    body = {"status": "published", "actor": "usr_admin", "keeper": "treasury"}
    answer = httpx.post(f"{whole}/v1/offers", json=body, headers=headers, timeout=PATIENT)
    assert answer.status_code == 422
    pointers = {each["pointer"] for each in problem(answer)["errors"]}  # type: ignore[attr-defined]
    assert {"/body/status", "/body/actor", "/body/keeper"} <= pointers


@pytest.mark.parametrize(
    "after",
    [
        "/\t/elsewhere.example",
        "/\n//elsewhere.example",
        "javascript:alert(1)",
        "/%5celsewhere.example",
        "\\\\x",
    ],
)
def test_signing_in_leads_to_these_pages_alone(whole: str, endpoint: Endpoint, after: str) -> None:
    key = issue(endpoint, "officer.ana", "compliance", actor="usr_admin")
    answer = httpx.post(
        f"{whole}/sign-in", data={"key": key, "next": after}, headers={"Origin": whole}, timeout=PATIENT
    )
    place = answer.headers["location"]
    # A browser drops tabs and line feeds of an address, and reads a backslash as a slash.
    assert place.startswith("/")
    assert not {"\t", "\n", "\r", "\\"} & set(place)
    assert not place.startswith("//")


def test_a_header_cannot_be_put_into_an_answer(whole: str, endpoint: Endpoint) -> None:
    key = issue(endpoint, "officer.ana", "compliance", actor="usr_admin")
    data = {"key": key, "next": "/a\r\nSet-Cookie: x=1"}
    answer = httpx.post(f"{whole}/sign-in", data=data, headers={"Origin": whole}, timeout=PATIENT)
    assert "x=1" not in answer.headers.get("set-cookie", "").partition(";")[0]


def test_a_page_says_its_words_as_text(whole: str) -> None:
    answer = httpx.get(f"{whole}/sign-in", params={"next": '/"><script>alert(1)</script>'}, timeout=PATIENT)
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_an_offer_is_read_by_its_id_and_nothing_else(whole: str, endpoint: Endpoint) -> None:
    key = issue(endpoint, "reader", "engine", actor="usr_admin")
    headers = {"Authorization": f"Bearer {key}"}
    for path in (f"{OFFERING}'--", f"{OFFERING}%27%20or%201=1--", "..%2f..%2fmetrics"):
        assert httpx.get(f"{whole}/v1/offers/{path}", headers=headers, timeout=PATIENT).status_code in {
            404,
            422,
        }
