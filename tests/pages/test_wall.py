"""Each address of the pages has a rule, and each kind of visitor meets it on every route."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from playwright.sync_api import Browser

from bookrunner.api import issue
from bookrunner.app import Application
from bookrunner.core.errors import NotFound
from bookrunner.db import Endpoint
from bookrunner.pages import web
from bookrunner.pages.access.wall import RULES, Opens, rule_of
from tests.attack.test_issuers import PROFILE
from tests.attack.world import Connect
from tests.browsing import axe_is_content, fits, looks
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep, opened
from tests.pages.world import OFFERING, World
from tests.security.test_edge import said
from tests.serving import serving
from tests.stages import Built

KEEPERS = ("audit", "compliance", "engine", "portal", "registry", "subscription", "treasury")
CONSOLES = {
    "/compliance": {"compliance"},
    "/treasury": {"treasury"},
    "/registry": {"registry"},
    "/desk": {"subscription", "engine", "compliance"},
}
OWN, FOREIGN = "ivr_0001", "inv_0002"
DRAFT = "ofr_draft"
LOGOUT = "/sign-in/with/x/logout"
NOT_FOR_STRANGERS = re.compile(r"inv_\w+|ivr_\w+|Investor \d|example\.org|\bRF\d\d\s?\d{4}")


def routed(app: FastAPI) -> Iterator[tuple[str, set[str]]]:
    """Yield the address and methods of each route, those of included routers among them."""
    for route in app.routes:
        branch = getattr(route, "effective_route_contexts", None)
        for each in [route] if branch is None else branch():
            yield each.path, set(each.methods)


class Walk:
    """The pages as others reach them, and every route of theirs with ids in its places."""

    def __init__(self, application: Application, endpoint: Endpoint, url: str) -> None:
        self.url = url
        self.endpoint = endpoint
        self.routes = list(routed(web(application)))

    def asked(self, offering: str = OFFERING) -> Iterator[tuple[Opens, str, str]]:
        """Yield the rule, method and address of each route."""
        known = {"offering": offering, "investment": FOREIGN, "investor": "ivr_0002"}
        for route, methods in self.routes:
            path = re.sub(r"\{(\w+)\}", lambda place: known.get(place[1], "x"), route)
            for method in sorted(methods - {"HEAD"}):
                yield rule_of(path)[0], method, path

    @contextmanager
    def stranger(self) -> Iterator[httpx.Client]:
        """Lend a client of nobody."""
        with httpx.Client(base_url=self.url, headers={"Origin": self.url}, timeout=30) as client:
            yield client

    def key(self, name: str, keeper: str) -> str:
        return issue(self.endpoint, name, keeper, actor="usr_admin")


def exempt(connect: Connect, rule: str) -> None:
    """Have the published offer rest on another exemption."""
    owner = connect("owner")
    owner.execute("alter table engine.offer disable trigger user")
    owner.execute("update engine.offer set exemption = %s where offering_id = %s", [rule, OFFERING])
    owner.execute("alter table engine.offer enable trigger user")


@pytest.fixture
def walk(
    application: Application,
    endpoint: Endpoint,
    connect: Connect,
    built: Built,  # noqa: ARG001 - what the copy is of
) -> Iterator[Walk]:
    """Serve a world with a published offer and a draft to others."""
    world = World(application)
    exempt(connect, "506(c)")
    terms = {
        "issuer_id": "iss_1",
        "name": "Not to be told",
        "exemption": "506(b)",
        "currency": "USD",
        "unit_price_minor": 1000,
        "units_total": 10,
        "minimum_units": 1,
    }
    world.engine.open_offer(actor="issuer", offering=DRAFT, terms=terms)
    world.desk.life.name_issuer(actor="usr_o", issuer="iss_1", profile=PROFILE, logo=None)
    with serving(web(application)) as url:
        yield Walk(application, endpoint, url)


def test_every_route_has_its_rule_and_each_rule_a_route(walk: Walk) -> None:
    assert len(walk.routes) > 150
    used = {
        next(pattern for pattern in RULES if re.fullmatch(pattern, path, re.DOTALL))
        for _, _, path in walk.asked()
    }
    assert used == set(RULES)


@pytest.mark.parametrize(
    "path", ["/offers", "/offers/a/b", "/none", "/live", "/compliancex", "//", "", "/a\n/x"]
)
def test_an_address_without_a_rule_is_refused(path: str) -> None:
    with pytest.raises(NotFound):
        rule_of(path)


def test_nobody_reads_published_terms_alone(walk: Walk) -> None:
    with walk.stranger() as client:
        for rule, method, path in walk.asked():
            answer = client.request(method, path)
            if rule is Opens.EVERYBODY:
                # A provider that signs somebody out without a token is answered as its protocol says.
                fits = {400} if path == LOGOUT else {200, 303, 401, 404, 409, 422}
                assert answer.status_code in fits, (method, path)
            elif rule is Opens.SHOWN:
                assert answer.status_code == (404 if path.endswith("/x") else 200), (method, path)
            else:
                assert answer.status_code == (303 if method == "GET" else 401), (method, path)
            assert not NOT_FOR_STRANGERS.search(answer.text.replace(path, "")), (method, path)
        for rule, method, path in walk.asked(DRAFT):
            if rule is Opens.SHOWN:
                answer = client.request(method, path)
                assert (answer.status_code, "Not to be told" in answer.text) == (404, False), path


def test_a_private_placement_is_shown_to_no_stranger(walk: Walk, connect: Connect) -> None:
    exempt(connect, "506(b)")
    with walk.stranger() as client:
        assert client.get(f"/offers/{OFFERING}").status_code == 404
        assert OFFERING not in client.get("/").text
    with visitor(walk, walk.key(OWN, "portal")) as client:
        assert client.get(f"/offers/{OFFERING}").status_code == 200


@pytest.mark.browser
def test_what_a_stranger_is_shown_is_accessible_and_fits(walk: Walk, browser: Browser, axe: str) -> None:
    shown = {"terms": f"/offers/{OFFERING}", "invitation": "/invitation", "sign-in": "/sign-in"}
    with opened(browser) as page:
        for name, path in shown.items():
            page.goto(walk.url + path)
            for scheme, width in looks(page):
                keep(page, f"stranger-{name}-{scheme}-{width}")
                axe_is_content(page, axe)
                fits(page)


def test_an_investor_reads_what_is_its_own_alone(walk: Walk) -> None:
    with visitor(walk, walk.key(OWN, "portal")) as client:
        for rule, method, path in walk.asked():
            # A stream never ends, and signing out ends the walk.
            if path.startswith(("/live/", "/sign-out")):
                continue
            answer = client.request(method, path)
            if rule in {Opens.STAFF, Opens.CONSOLE, Opens.ISSUER, Opens.OWN}:
                assert answer.status_code == 403, (method, path)
            text = answer.text.replace(path, "")
            if rule is Opens.ITSELF:
                text = text.replace("Investor 0001", "").replace("0001@example.org", "")
            told = NOT_FOR_STRANGERS.findall(text)
            assert set(told) <= {OWN, "inv_0001"}, (method, path)
        for path in ("/", f"/offers/{OFFERING}"):
            page = client.get(path).text
            assert "inv_0001" in page
            assert "Close" not in page
        assert client.get("/investments/inv_0001").status_code == 200
        assert client.get(f"/offers/{DRAFT}").status_code == 404
        assert client.get(f"/live/{DRAFT}").status_code == 404


def test_people_of_keepers_read_what_they_did(walk: Walk) -> None:
    for keeper in KEEPERS:
        with visitor(walk, walk.key(f"person.{keeper}", keeper)) as client:
            for path in ("/", f"/offers/{OFFERING}", f"/offers/{DRAFT}", f"/investments/{FOREIGN}"):
                assert client.get(path).status_code == 200, (keeper, path)
            assert "inv_0006" in client.get(f"/offers/{OFFERING}/now").text
            assert client.get("/issuer").status_code == 403
            for path, keepers in CONSOLES.items():
                assert client.get(path).status_code == (200 if keeper in keepers else 403), (keeper, path)


def test_an_issuer_meets_its_own_pages_alone(walk: Walk) -> None:
    key = issue(walk.endpoint, "issuer.iris", "issuer", actor="usr_admin", issuer="iss_1")
    with visitor(walk, key) as client:
        for rule, method, path in walk.asked():
            if rule in {Opens.EVERYBODY, Opens.PERSON, Opens.ISSUER}:
                continue
            assert client.request(method, path).status_code == 404, (method, path)
        assert client.get("/issuer").status_code == 200


@pytest.mark.parametrize("path", [f"/treasury/{OFFERING}/statements", "/investments/inv_0001/transfers"])
def test_a_body_of_nobody_is_refused_before_it_is_read(walk: Walk, path: str) -> None:
    head = f"POST {path} HTTP/1.1\nHost: 127.0.0.1\nOrigin: http://127.0.0.1\nContent-Length: 200000000\n\n"
    assert b" 401 " in said(walk.url, head)


def test_over_tls_the_cookie_is_bound_to_its_host(walk: Walk, application: Application) -> None:
    key = walk.key("officer.ana", "compliance")
    place = "https://localhost"
    with TestClient(web(application), base_url=place, headers={"Origin": place}) as client:
        cookie = client.post("/sign-in", data={"key": key}, follow_redirects=False).headers["set-cookie"]
        parts = {part.strip() for part in cookie.split(";")}
        assert cookie.startswith("__Host-bookrunner_session=")
        assert {"Secure", "HttpOnly", "SameSite=strict", "Path=/"} <= parts
        assert not any(part.lower().startswith("domain") for part in parts)
        assert client.get("/compliance").status_code == 200
        token = client.cookies["__Host-bookrunner_session"]
        client.cookies.clear()
        client.cookies.set("bookrunner_session", token)
        assert client.get("/compliance", follow_redirects=False).status_code == 303
