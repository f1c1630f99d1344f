"""An issuer at its pages and at the API: its own offers, under its own sign, and no trace of another's."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Browser, expect

from bookrunner.api import api, issue
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Endpoint
from tests.attack.test_issuers import PROFILE
from tests.attack.world import Connect, World
from tests.browsing import axe_is_content
from tests.pages.conftest import Site
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.pages.world import OFFERING
from tests.patience import PATIENT
from tests.serving import serving

pytestmark = pytest.mark.timeout(240)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def picture() -> bytes:
    """Return a PNG of one colour."""
    head = _chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 2, 0, 0, 0))
    rows = b"".join(b"\0" + b"\x0b\x4f\x6c" * 8 for _ in range(8))
    return b"\x89PNG\r\n\x1a\n" + head + _chunk(b"IDAT", zlib.compress(rows)) + _chunk(b"IEND", b"")


@dataclass(frozen=True)
class Houses:
    """The site with two issuers: ``iss_1`` of the world's offer, ``iss_other`` of another; a key of each."""

    site: Site
    keys: dict[str, str]


@pytest.fixture
def houses(site: Site, endpoint: Endpoint, connect: Connect) -> Houses:
    other = World(connect, "other")
    other.terms = {"issuer_id": "iss_other", "name": "Elsewhere Fund"}
    other.build("received")
    life, keys = site.world.desk.life, {}
    for name, profile, logo in (
        ("iss_1", PROFILE, None),
        ("iss_other", PROFILE | {"name": "Elsewhere Partners", "colour": "#7a1f3d"}, picture()),
    ):
        life.name_issuer(actor="usr_operator", issuer=name, profile=profile, logo=logo)
        keys[name] = issue(endpoint, f"staff.{name}", "issuer", actor="usr_admin", issuer=name)
    return Houses(site, keys)


@pytest.fixture
def staff(houses: Houses) -> Iterator[httpx.Client]:
    """Lend a client of a person of ``iss_1``."""
    with visitor(houses.site, houses.keys["iss_1"]) as client:
        yield client


def test_an_issuer_sees_its_own_offers_alone(staff: httpx.Client) -> None:
    listed = staff.get("/issuer")
    assert listed.status_code == 200
    assert OFFERING in listed.text
    assert "Harbor Street Capital" in listed.text
    assert "ofr_other" not in listed.text
    assert "Elsewhere" not in listed.text
    assert staff.get(f"/issuer/offers/{OFFERING}").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        "/issuer/offers/ofr_other",
        "/offers/ofr_other",
        "/offers/ofr_other/now",
        "/investments/inv_other1",
        f"/offers/{OFFERING}",
        "/",
        "/live/ofr_other",
        "/treasury/ofr_other",
        "/registry",
    ],
)
def test_what_is_of_another_does_not_exist(staff: httpx.Client, path: str) -> None:
    found, unknown = staff.get(path), staff.get("/issuer/offers/ofr_none")
    assert found.status_code == unknown.status_code == 404
    assert "Elsewhere" not in found.text
    if path.startswith("/issuer/"):
        assert found.text.split("<footer")[0].replace(path, "") == unknown.text.split("<footer")[0]


def test_a_logo_is_served_to_its_issuer_by_its_digest(houses: Houses, staff: httpx.Client) -> None:
    with visitor(houses.site, houses.keys["iss_other"]) as other:
        (path,) = {
            part.split('"')[0]
            for part in other.get("/issuer").text.split('src="')
            if part.startswith("/issuer")
        }
        logo = other.get(path)
        assert (logo.headers["content-type"], logo.content) == ("image/png", picture())
    assert staff.get(path).status_code == 404


def test_no_name_of_an_investor_is_on_the_pages(staff: httpx.Client, connect: Connect) -> None:
    names = connect("portal").execute("select legal_name from portal.profile_claim").fetchall()
    text = staff.get(f"/issuer/offers/{OFFERING}").text
    assert names
    assert not [name for (name,) in names if name and name in text]


def test_who_is_no_issuer_is_turned_away(houses: Houses, endpoint: Endpoint) -> None:
    with visitor(houses.site, issue(endpoint, "fund.flo", "treasury", actor="usr_admin")) as flo:
        assert flo.get("/issuer").status_code == 403
    with httpx.Client(base_url=houses.site.url, timeout=PATIENT) as nobody:
        assert nobody.get("/issuer").status_code == 303


def test_the_api_lists_an_issuers_offers_alone(houses: Houses, database: Database) -> None:
    with serving(api(database)) as url:
        said = {"Authorization": f"Bearer {houses.keys['iss_1']}"}
        with httpx.Client(base_url=url, headers=said, timeout=PATIENT) as client:
            offers = client.get("/v1/offers").json()["offers"]
            assert [each["id"] for each in offers] == [OFFERING]
            assert client.get(f"/v1/offers/{OFFERING}").json()["issuer"] == "iss_1"
            other, none = client.get("/v1/offers/ofr_other"), client.get("/v1/offers/ofr_none")
            assert (other.status_code, none.status_code) == (404, 404)
            assert other.json()["code"] == none.json()["code"] == "offer_exists"
            for path in ("/v1/offers/ofr_other/breaks", "/v1/investments/inv_other1", "/v1/events"):
                assert client.get(path).status_code in {403, 404}, path
            moved = client.post(
                "/v1/offers/ofr_other/moves",
                json={"to": "legally_closed"},
                headers={"Idempotency-Key": "x", "If-Match": '"1"'},
            )
            assert moved.status_code == 403


@pytest.mark.usefixtures("houses")
def test_a_key_of_an_issuer_names_one_on_record(endpoint: Endpoint) -> None:
    for issuer, rule in (
        (None, "key_of_an_issuer_names_it"),
        ("iss_none", "key_names_an_issuer_on_record"),
    ):
        with pytest.raises(Refused) as caught:
            issue(endpoint, "staff.x", "issuer", actor="usr_admin", issuer=issuer)
        assert caught.value.rule == rule


def test_an_investor_meets_the_sign_of_its_issuer(houses: Houses) -> None:
    with httpx.Client(base_url=houses.site.url, timeout=PATIENT) as client:
        page = client.get("/investments/inv_0001").text
    assert "Your issuer is Harbor Street Capital." in page
    assert PROFILE["colour"] in page
    assert "Elsewhere" not in page


@pytest.mark.browser
def test_the_pages_of_an_issuer_are_readable(houses: Houses, browser: Browser, axe: str) -> None:
    for name, scheme, width in (("iss_1", "light", 1280), ("iss_other", "dark", 390)):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{houses.site.url}/sign-in")
        page.get_by_label("Your key").fill(houses.keys[name])
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Your offers")
        keep(page, f"issuer-list-{width}")
        axe_is_content(page, axe)
        page.locator("tbody a").first.click()
        expect(page.get_by_role("heading", name="Escrow ledger")).to_be_visible()
        keep(page, f"issuer-offer-{width}")
        axe_is_content(page, axe)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        context.close()
