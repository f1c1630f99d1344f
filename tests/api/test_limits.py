"""Limits of calls: told in headers, refused without effect, counted for each key and each address."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from starlette.requests import Request

from bookrunner.api import Limits, api, limited
from bookrunner.app import Application
from bookrunner.core.addresses import network_of
from bookrunner.core.credentials import make_key, make_token
from bookrunner.core.errors import TooManyCalls
from bookrunner.db import Database, Endpoint
from bookrunner.pages import web
from tests.api.conftest import Api, as_told, problem
from tests.attack.world import Connect, World
from tests.patience import PATIENT
from tests.serving import serving

PATH = "/v1/offers/ofr_one/units"


@pytest.fixture
def few(endpoint: Endpoint, database: Database, connect: Connect) -> Iterator[Api]:
    """Serve the API with three calls a minute for a key and four for an address."""
    world = World(connect).build("allocated")
    with serving(limited(api(database), Limits(key=3, address=4))) as url:
        yield Api(url, endpoint, world)


def blocked(answer: httpx.Response, kind: str) -> None:
    """Assert that a call is over the limit of its kind, and says when to come again."""
    as_told(answer)
    assert (answer.status_code, problem(answer)["code"]) == (429, f"{kind}_keeps_its_limit")
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert answer.headers["ratelimit"].startswith(f'"{kind}";r=0;t=')


def test_a_key_over_its_limit_does_nothing_and_others_go_on(few: Api) -> None:
    seen = few.get("/v1/investments/inv_one1")
    assert seen.headers["ratelimit-policy"] == '"key";q=3;w=60'
    assert seen.headers["ratelimit"].startswith('"key";r=2;t=')
    for _ in range(2):
        few.get(PATH)
    before = few.events("inv_one1")
    for body in (None, {}):
        path = "/v1/investments/inv_one1/confirm"
        blocked(few.post(path, body, seen=seen.headers["etag"], request="confirm-1"), "key")
    assert few.events("inv_one1") == before
    claimed = few.world.login("owner").execute(
        "select count(*) from audit.request where request_id = 'confirm-1'"
    )
    assert claimed.fetchone() == (0,)
    assert few.get(PATH, "portal").status_code == 200


@pytest.mark.parametrize("kind", ["no key", "unknown keys", "no keys at all"])
def test_an_address_that_nobody_vouches_for_is_limited(few: Api, kind: str) -> None:
    headers = {"Authorization": f"Bearer {few.key('engine')}"}
    assert (
        httpx.get(few.url + PATH, headers=headers, timeout=PATIENT).headers["ratelimit-policy"]
        == '"key";q=3;w=60'
    )
    for _ in range(3):
        shown = {"unknown keys": make_key("engine"), "no keys at all": "junk"}
        said = {"Authorization": f"Bearer {shown[kind]}"} if kind in shown else {}
        answer = httpx.get(few.url + PATH, headers=said, timeout=PATIENT)
        assert answer.status_code == 401
        assert answer.headers["ratelimit-policy"] == '"address";q=4;w=60'
    blocked(httpx.get(few.url + PATH, timeout=PATIENT), "address")
    blocked(
        httpx.get(few.url + PATH, headers={"Authorization": f"Bearer {make_key('engine')}"}, timeout=PATIENT),
        "address",
    )
    # Who was found good before is served on.
    assert httpx.get(few.url + PATH, headers=headers, timeout=PATIENT).status_code == 200
    for _ in range(6):
        assert httpx.get(f"{few.url}/livez", timeout=PATIENT).status_code == 200


def test_a_header_that_looks_like_a_key_lifts_no_limit(few: Api) -> None:
    for _ in range(4):
        post = {"headers": {"Authorization": "Bearer x"}, "content": b"{}"}
        assert httpx.post(f"{few.url}/v1/webhooks/identity/nobody", **post).status_code == 404  # type: ignore[arg-type]
    blocked(httpx.post(f"{few.url}/v1/webhooks/identity/nobody", **post), "address")  # type: ignore[arg-type]


def test_without_limits_nothing_is_counted(calls: Api) -> None:
    answers = [calls.get(PATH) for _ in range(8)]
    assert {answer.status_code for answer in answers} == {200}
    assert not any("ratelimit" in answer.headers for answer in answers)


def test_a_bucket_fills_again_evenly_and_a_refusal_takes_nothing() -> None:
    clock = 0.0
    limits = Limits(key=6, clock=lambda: clock)
    request = Request({"type": "http", "headers": [], "method": "GET", "path": "/v1/offers"})
    for _ in range(6):
        limits.meet_key(request, b"a")
    for _ in range(3):
        with pytest.raises(TooManyCalls) as refused:
            limits.meet_key(request, b"a")
        assert refused.value.seconds == 10
    limits.meet_key(request, b"b")
    clock = 10.0
    limits.meet_key(request, b"a")
    with pytest.raises(TooManyCalls):
        limits.meet_key(request, b"a")
    clock = 1000.0
    for _ in range(6):
        limits.meet_key(request, b"a")


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("testclient", "testclient"),
    ],
)
def test_one_site_counts_once_however_many_addresses_it_has(address: str, counted: str) -> None:
    assert network_of(address) == counted


def test_pages_of_an_address_are_limited_whatever_cookie_comes(application: Application) -> None:
    app = limited(api(application.database, beside=web(application)), Limits(visitor=3))
    with serving(app) as url:
        for number in range(3):
            cookies = {"bookrunner_session": make_token("engine")}
            seen = httpx.get(f"{url}/sign-in", cookies=cookies, timeout=PATIENT)
            assert (seen.status_code, seen.headers["ratelimit"][:13]) == (200, f'"visitor";r={2 - number}')
        for path in ("/sign-in", "/sign-in/passkey/options", "/nothing"):
            refused = httpx.post(url + path, headers={"Origin": url}, timeout=PATIENT)
            assert (refused.status_code, refused.text) == (429, "refused: visitor_keeps_its_limit\n")
            assert 1 <= int(refused.headers["retry-after"]) <= 60
            assert refused.headers["x-content-type-options"] == "nosniff"
        # What a page is made of, and the API, have limits of their own.
        assert httpx.get(f"{url}/static/a/b", timeout=PATIENT).status_code == 404
        assert httpx.get(f"{url}/v1/offers", timeout=PATIENT).status_code == 401
