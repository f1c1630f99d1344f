"""Every page there is, by a list that the routes are compared with: accessible, narrow enough, silent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, expect

from bookrunner.api import issue
from bookrunner.app import Application
from bookrunner.db import Endpoint
from bookrunner.pages import web
from tests.attack.test_issuers import PROFILE
from tests.attack.world import Connect
from tests.attack.world import World as Register
from tests.browsing import BOTH_SCHEMES, axe_is_content, looks, violations
from tests.pages.conftest import Site
from tests.pages.officers import ENTITY, PERSON
from tests.pages.test_browser import keep, opened
from tests.pages.test_wall import routed
from tests.pages.world import OFFERING
from tests.stages import Built

pytestmark = pytest.mark.timeout(300)

TESTS: Final = Path(__file__).parents[1]
REGISTER: Final = "ofr_one"
KEEPERS: Final = {
    "officer.ana": "compliance",
    "fund.flo": "treasury",
    "agent.theo": "registry",
    "desk.rosa": "subscription",
    "operator.otto": "engine",
    "ivr_0003": "portal",
    "issuer.ivan": "issuer",
    "auditor.ada": "audit",
}
_OFFER, _MINE = f"/offers/{OFFERING}", "/investments/inv_0003"
_ESCROW, _REGISTER, _DESK = f"/treasury/{OFFERING}", f"/registry/{REGISTER}", f"/desk/{OFFERING}"
# Who looks at which addresses; the routes are those that the addresses belong to.
LOOKS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "": {
        "/sign-in": ("/sign-in",),
        "/invitation": ("/invitation",),
        "/": ("/",),
        "/offers/{offering}": (_OFFER,),
        "/offers/{offering}/documents": (f"{_OFFER}/documents",),
        "/offers/{offering}/pictures": (f"{_OFFER}/pictures",),
        "/mailbox": ("/mailbox",),
    },
    "ivr_0003": {
        "/": ("/",),
        "/investments/{investment}": (_MINE,),
        "/investments/{investment}/lanes": (f"{_MINE}/lanes",),
        "/investments/{investment}/transfers": (f"{_MINE}/transfers",),
        "/investments/{investment}/wallets": (f"{_MINE}/wallets",),
        "/offers/{offering}/apply": (f"{_OFFER}/apply",),
        "/offers/{offering}/institution": (f"{_OFFER}/institution",),
        "/profile": ("/profile",),
        "/holdings": ("/holdings",),
        "/holdings/distributions": ("/holdings/distributions",),
        "/holdings/taxes": ("/holdings/taxes",),
        "/notices": ("/notices",),
        "/privacy": ("/privacy",),
        "/votes": ("/votes",),
        "/buybacks": ("/buybacks",),
        "/reinvestment": ("/reinvestment",),
        "/delegates": ("/delegates",),
    },
    "officer.ana": {
        "/compliance": ("/compliance",),
        "/compliance/intake": ("/compliance/intake",),
        "/compliance/programme": ("/compliance/programme",),
        "/compliance/desk": ("/compliance/desk",),
        "/compliance/cases/{investor}": (f"/compliance/cases/{PERSON}", f"/compliance/cases/{ENTITY}"),
        "/proposals": ("/proposals",),
    },
    "fund.flo": {
        "/treasury": ("/treasury",),
        "/treasury/rates": ("/treasury/rates",),
        "/treasury/{offering}": (_ESCROW,),
        **{
            f"/treasury/{{offering}}/{name}": (f"{_ESCROW}/{name}",)
            for name in (
                "account",
                "coins",
                "coupons",
                "distributions",
                "institutions",
                "fractions",
                "payees",
                "payouts",
                "queue",
                "returns",
                "statements",
                "stored",
                "taxes",
            )
        },
        "/treasury/{offering}/receipts/{name}": (f"{_ESCROW}/receipts/rcp_0004",),
    },
    "agent.theo": {
        "/registry": ("/registry",),
        "/registry/{offering}": (_REGISTER,),
        **{
            f"/registry/{{offering}}/{name}": (f"{_REGISTER}/{name}",)
            for name in (
                "buybacks",
                "controls",
                "conversions",
                "holders",
                "market",
                "records",
                "reinvestment",
                "splits",
                "transfers",
            )
        },
        "/registry/{offering}/{name}": tuple(
            f"{_REGISTER}/{name}" for name in ("wallets", "issuance", "turnaround")
        ),
        "/registry/{offering}/holders/{holding}": (f"{_REGISTER}/holders/hld_one2",),
    },
    "desk.rosa": {
        "/desk": ("/desk",),
        "/desk/{offering}/{name}": tuple(
            f"{_DESK}/{name}" for name in ("agreements", "allocations", "contradictions", "paper")
        ),
    },
    "auditor.ada": {
        "/proof": ("/proof?record=inv_0003",),
        "/proof/access": ("/proof/access",),
        "/proof/anchors": ("/proof/anchors",),
        "/proof/examinations": ("/proof/examinations",),
        "/proof/lists": ("/proof/lists?name=timeline&person=ivr_0003",),
    },
    "operator.otto": {
        "/offers/{offering}": (_OFFER,),
        "/offers/{offering}/breaks": (f"{_OFFER}/breaks",),
        "/offers/{offering}/filings": (f"{_OFFER}/filings",),
        "/offers/{offering}/votes": (f"{_OFFER}/votes",),
        "/desk/{offering}/{name}": tuple(
            f"{_DESK}/{name}" for name in ("life", "cases", "institutions", "requests")
        ),
    },
    "issuer.ivan": {
        "/issuer": ("/issuer",),
        "/issuer/filings": ("/issuer/filings",),
        "/issuer/votes": ("/issuer/votes",),
        "/issuer/offers/{offering}": (f"/issuer/offers/{OFFERING}",),
    },
}
# Pages that need a world of their own, and the file that looks at them in it.
ELSEWHERE: Final = {
    "/treasury/{offering}/distributions/{name}": "pages/test_payouts.py",
    "/compliance/cases/{investor}/{kind}/{name}": "pages/test_officer.py",
    "/compliance/hits/{subject}/{name}": "pages/test_officer.py",
    "/compliance/desk/{name}": "pages/test_suspicions.py",
    "/compliance/ownership/{investor}": "pages/test_owners.py",
    "/compliance/suitability/{offering}/{investor}": "pages/test_suitability.py",
    "/delegations": "pages/test_delegates.py",
    "/desk/{offering}/institutions/{allocation}": "capital/test_pages.py",
    "/investments/{investment}/apply/{step}": "subscription/test_application_pages.py",
    "/investments/{investment}/wallets/{challenge}": "pages/test_own.py",
    "/issuer/filings/{filing}": "pages/test_filings.py",
    "/offers/{offering}/filings/{filing}": "pages/test_filings.py",
    "/proposals/{proposal}": "pages/test_proposals.py",
    "/recovery": "pages/test_passkeys.py",
    "/security": "pages/test_passkeys.py",
    "/sign-in/with/{name}": "pages/test_providers.py",
}
# What is answered with no page: files, streams, fragments of a page, a way to another address.
NO_PAGE: Final = frozenset(
    {
        "/compliance/live",
        "/compliance/now",
        "/desk/{offering}/agreements/{agreement}",
        "/investments/{investment}/apply",
        "/investments/{investment}/apply/documents/{sha256}",
        "/investments/{investment}/apply/files/{name}",
        "/investments/{investment}/apply/sample.pdf",
        "/investments/{investment}/now",
        "/issuer/filings/{filing}/pack.{suffix}",
        "/issuer/logo/{name}.png",
        "/live/{offering}",
        "/offers/{offering}/closings/{closing}/certificate",
        "/offers/{offering}/closings/{closing}/certificate.pdf",
        "/offers/{offering}/documents/{document}",
        "/offers/{offering}/filings/{filing}/pack.{suffix}",
        "/offers/{offering}/now",
        "/registry/{offering}/files/register.csv",
        "/static/{digest}/{name}",
        "/treasury/{offering}/files/{name}",
        "/treasury/{offering}/queue/now",
        "/treasury/{offering}/taxes/{name}.csv",
    }
)


@pytest.fixture
def keys(
    site: Site,
    endpoint: Endpoint,
    connect: Connect,
    worked: Built,  # noqa: ARG001 - what the copy is of
) -> dict[str, str]:
    """Return the keys of everybody who looks, over a world with work in every console."""
    Register(connect).build("registered")
    site.world.desk.life.name_issuer(actor="usr_operator", issuer="iss_1", profile=PROFILE, logo=None)
    return {
        name: issue(
            endpoint, name, keeper, actor="usr_admin", **({"issuer": "iss_1"} if keeper == "issuer" else {})
        )
        for name, keeper in KEEPERS.items()
    }


def test_every_page_is_looked_at(application: Application) -> None:
    there = {path for path, methods in routed(web(application)) if "GET" in methods}
    looked = {route for looks in LOOKS.values() for route in looks}
    assert there == looked | ELSEWHERE.keys() | NO_PAGE
    assert not NO_PAGE & (looked | ELSEWHERE.keys())
    for file in set(ELSEWHERE.values()):
        assert "axe" in (TESTS / file).read_text(encoding="utf-8"), file


@contextmanager
def looking(site: Site, browser: Browser, key: str | None) -> Iterator[Page]:
    """Lend a page of somebody who has signed in, or of nobody; a console error fails it."""
    with opened(browser) as page:
        if key is not None:
            page.goto(f"{site.url}/sign-in")
            page.get_by_label("Your key").fill(key)
            page.get_by_role("button", name="Sign in").click()
            expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        yield page


@pytest.mark.browser
def test_every_page_is_accessible_fits_and_is_silent(
    site: Site, keys: dict[str, str], browser: Browser, axe: str
) -> None:
    faults: list[tuple[str, str, str, str]] = []
    for name, seen in LOOKS.items():
        with looking(site, browser, keys.get(name)) as page:
            for path in (path for paths in seen.values() for path in paths):
                answer = page.goto(site.url + path)
                assert answer is not None
                assert answer.status == 200, (name, path)
                told = re.sub(r"\W", "-", path)
                for scheme, width in looks(page):
                    keep(page, f"screen-{name or 'nobody'}{told}-{scheme}-{width}")
                    found = violations(page, axe)
                    faults += [(name, path, v["id"], v["nodes"][0]["html"][:200]) for v in found]
                    if page.evaluate("document.documentElement.scrollWidth") > width:
                        faults.append((name, path, "is wider than the screen", ""))
    assert faults == []


@pytest.mark.browser
def test_what_a_live_update_brings_is_accessible(site: Site, browser: Browser, axe: str) -> None:
    with opened(browser) as page, opened(browser) as console:
        page.goto(f"{site.url}{_MINE}")
        console.goto(f"{site.url}{_OFFER}")
        for each in (page, console):
            for _ in looks(each, BOTH_SCHEMES):
                axe_is_content(each, axe)
        site.world.link_wallet("0003")
        site.world.publish()
        expect(page.locator("#now [role=status]").first).to_contain_text("Everything is confirmed")
        expect(console.locator("#row-inv_0003")).to_have_count(0)
        for each in (page, console):
            for _ in looks(each, BOTH_SCHEMES):
                axe_is_content(each, axe)
