"""What the pages turn away at their edge: foreign names, strangers who would close, texts with a NUL."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import httpx
import psycopg
import pytest
from fastapi.testclient import TestClient

from bookrunner.api import issue
from bookrunner.app import Application
from bookrunner.db import Endpoint
from bookrunner.pages import web
from tests.pages.conftest import Site
from tests.pages.test_access import visitor
from tests.pages.world import OFFERING
from tests.patience import PATIENT
from tests.stages import Built

Connect = Callable[[str], psycopg.Connection]
INVESTMENT = "inv_0003"
CLOSE = f"/offers/{OFFERING}/close"
HERE = "http://127.0.0.1"
READS = (
    "/compliance?assigned=%00",
    "/compliance?after=1~2026-01-01~%00",
    "/compliance/cases/%00",
    "/compliance/hits/a/%00",
    "/offers/%00",
    f"/offers/{OFFERING}/closings/%00/certificate",
    "/investments/%00",
    "/live/%00",
)


@pytest.fixture
def elsewhere(
    application: Application,
    built: Built,  # noqa: ARG001 - what the copy is of
) -> Iterator[TestClient]:
    """Lend a client of pages that others can reach, under a name of theirs."""
    with TestClient(web(application, hosts=("books.example",)), base_url=HERE) as client:
        yield client


def closings(connect: Connect) -> int:
    """Return how many closings there are."""
    return len(connect("owner").execute(b"select from engine.closing").fetchall())


def test_a_closing_needs_somebody_signed_in(elsewhere: TestClient, connect: Connect) -> None:
    answer = elsewhere.post(CLOSE, data={"set": "ready"}, headers={"Origin": HERE})
    assert answer.status_code == 401
    assert closings(connect) == 0
    page = elsewhere.get(f"/offers/{OFFERING}")
    assert page.status_code == 404, "a private placement is shown to no stranger"
    assert "Close all" not in page.text


def test_the_sandbox_alone_says_that_nobody_needs_to_sign_in(site: Site) -> None:
    page = httpx.get(f"{site.url}/offers/{OFFERING}", timeout=PATIENT).text
    assert "whoever is not signed in closes as" in page
    assert "Close all" in page


@pytest.mark.parametrize("keeper", ["audit", "compliance", "treasury"])
def test_a_key_of_another_keeper_closes_nothing(
    site: Site, endpoint: Endpoint, connect: Connect, keeper: str
) -> None:
    with visitor(site, issue(endpoint, "stranger", keeper, actor="usr_admin")) as client:
        assert client.post(CLOSE, data={"set": "ready"}).status_code == 403
        assert "Close all" not in client.get(f"/offers/{OFFERING}").text
    assert closings(connect) == 0


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8360", "127.0.0.1.evil.example", "localhost@evil.example", "", "[::2]"],
)
def test_a_name_that_is_not_ours_is_refused(site: Site, connect: Connect, host: str) -> None:
    said = {"Host": host, "Origin": f"http://{host}", "Sec-Fetch-Site": "same-origin"}
    answer = httpx.post(site.url + CLOSE, data={"set": "ready"}, headers=said, timeout=PATIENT)
    assert (answer.status_code, answer.text) == (421, "refused: request_names_our_host\n")
    assert httpx.get(site.url, headers={"Host": host}, timeout=PATIENT).status_code == 421
    assert closings(connect) == 0


@pytest.mark.parametrize("host", ["books.example", "BOOKS.example:443", "localhost:8360", "[::1]:8360"])
def test_our_names_are_served(elsewhere: TestClient, host: str) -> None:
    assert elsewhere.get("/sign-in", headers={"Host": host}).status_code == 200


def test_a_nul_in_an_address_or_a_form_is_no_fault_of_ours(site: Site, endpoint: Endpoint) -> None:
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as client:
        found = {path: client.get(path).status_code for path in READS}
        work = {"scope": "a\0", "item": "b\0", "kind": "hit"}
        found["work"] = client.post("/compliance/work", data=work).status_code
    assert {path: status for path, status in found.items() if status not in {400, 404, 422}} == {}


def test_a_number_longer_than_any_field_is_refused_by_name(site: Site, endpoint: Endpoint) -> None:
    long = "9" * 5_000
    transfers = f"{site.url}/investments/{INVESTMENT}/transfers"
    wish = {"act": "ask", "units": long, "buyer": "ivr_x", "kind": "gift"}
    asked = httpx.post(transfers, data=wish, headers={"Origin": site.url}, timeout=PATIENT)
    assert (asked.status_code, "units are a whole number" in asked.text) == (409, True)
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as client:
        for rank in ("9" * 60, "\u0663"):
            assert client.get(f"/compliance?after={rank}~2026-01-01~x").status_code == 200
        held = {"offering": OFFERING, "version": long, "purpose": "x"}
        assert client.post("/compliance/cases/ivr_x/personal", data=held).status_code in {400, 404, 422}
    with visitor(site, issue(endpoint, "agent.theo", "registry", actor="usr_admin")) as client:
        forms = {
            "": {"act": "propose_control", "units": "9" * 30, "paper": "ab" * 32, "because": "x"},
            "/transfers": {
                "act": "propose_rule",
                "kind": "holder_cap",
                "amount": "9" * 30,
                "paper": "ab" * 32,
            },
            "/controls": {"act": "ask", "kind": "freeze_units", "units": "9" * 30, "because": "x"},
        }
        for path, form in forms.items():
            answer = client.post(f"/registry/{OFFERING}{path}", data=form)
            assert (answer.status_code, "units are a whole number" in answer.text) == (409, True), path
        days = client.post(f"/registry/{OFFERING}/transfers", data={"act": "approve", "days": "9" * 30})
        assert (days.status_code, "days are a whole number" in days.text) == (409, True)
    with visitor(site, issue(endpoint, "fund.flo", "treasury", actor="usr_admin")) as client:
        whole = client.post(f"/treasury/{OFFERING}/receipts/rcp_x", data={"seen": "9" * 30})
        assert whole.status_code in {400, 404, 422}
        points = {"kind": "placement", "borne_by": "investor", "points": "9" * 300}
        fee = client.post(f"/treasury/{OFFERING}/fees", data=points)
        assert fee.status_code in {400, 409, 422}
