"""Delegates at the pages: named by an investor, invited, accepted, and kept within their scope."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Route, expect

from bookrunner.api import issue
from bookrunner.core import clock
from bookrunner.core.credentials import digest
from bookrunner.db import Endpoint
from tests.attack.world import Connect
from tests.browsing import axe_is_content, fits, looks
from tests.pages.conftest import Site
from tests.pages.test_access import visitor
from tests.pages.test_browser import keep
from tests.pages.test_passkeys import House, device, house, take_up
from tests.pages.test_people import WORDS, browsing

__all__ = ["house"]

pytestmark = pytest.mark.timeout(240)
OWN, FOREIGN = "ivr_0003", "ivr_0006"
LOOKED_AT = (
    "/",
    "/profile",
    "/holdings",
    "/notices",
    "/investments/inv_0003",
    "/investments/inv_0003/wallets",
)
KEPT = (
    ("GET", "/privacy"),
    ("GET", "/delegates"),
    ("POST", "/delegates"),
    ("POST", "/profile"),
    ("POST", "/profile/look"),
    ("POST", "/profile/changes"),
    ("POST", "/privacy/export"),
    ("POST", "/privacy/erase"),
    ("GET", "/investments/inv_0003/apply"),
    ("GET", "/investments/inv_0003/apply/sign"),
    ("POST", "/investments/inv_0003/apply/sign"),
    ("GET", "/investments/inv_0003/apply/documents/00"),
    ("POST", "/investments/inv_0003/wallets/challenges"),
    ("GET", "/offers/ofr_pages/documents"),
    ("GET", "/compliance"),
    ("GET", "/proposals"),
    ("GET", "/issuer"),
    ("GET", "/mailbox"),
)


def last_day(days: int = 30) -> str:
    """Return a day to come."""
    return (clock.today() + timedelta(days=days)).isoformat()


def name(client: httpx.Client, scope: str, **said: str) -> tuple[str, str]:
    """Let an investor name a delegate; return its account and its invitation."""
    answer = client.post("/delegates", data={"scope": scope, "until": last_day(), **said})
    assert answer.status_code == 200, answer.text
    account, invitation = re.findall(r'<dd class="id">([^<]+)</dd>', answer.text)[:2]
    return str(account), str(invitation)


@contextmanager
def taken_up(site: Site, invitation: str) -> Iterator[httpx.Client]:
    """Lend a client of a delegate who has taken its invitation up."""
    with browsing(site) as client:
        said = {"invitation": invitation, "password": WORDS}
        assert client.post("/invitation/password", data=said).headers["location"] == "/security"
        yield client


def only(client: httpx.Client) -> str:
    """Return the one delegation that the page of a delegate shows."""
    (found,) = set(re.findall(r'action="/delegations/(dgn_\w+)/', client.get("/delegations").text))
    return str(found)


@pytest.fixture
def own(site: Site, endpoint: Endpoint) -> Iterator[httpx.Client]:
    """Lend a client of an investor."""
    with visitor(site, issue(endpoint, OWN, "portal", actor="usr_admin")) as client:
        yield client


@contextmanager
def acting(site: Site, own: httpx.Client, scope: str) -> Iterator[httpx.Client]:
    """Lend a client of a delegate who has entered the place of the investor."""
    _, invitation = name(own, scope)
    with taken_up(site, invitation) as client:
        delegation = only(client)
        assert client.post(f"/delegations/{delegation}/accept").status_code == 303
        assert client.post(f"/delegations/{delegation}/enter").headers["location"] == "/holdings"
        yield client


def test_a_delegate_accepts_and_looks_and_no_more(site: Site, own: httpx.Client, connect: Connect) -> None:
    account, invitation = name(own, "see")
    with taken_up(site, invitation) as client:
        assert "waits for you" in client.get("/delegations").text
        refused = client.get("/holdings")
        assert (refused.status_code, "delegate chooses for whom" in refused.text) == (403, True)
        delegation = only(client)
        early = client.post(f"/delegations/{delegation}/enter")
        assert (early.status_code, "delegation stands" in early.text) == (409, True)
        assert client.post(f"/delegations/{delegation}/accept").status_code == 303
        assert client.post(f"/delegations/{delegation}/enter").status_code == 303
        for path in LOOKED_AT:
            shown = client.get(path)
            assert shown.status_code == 200, path
            assert f"{account}</a> for {OWN}" in shown.text
        for method, path in KEPT:
            assert client.request(method, path).status_code in {403, 404}, path
        assert client.get("/investments/inv_0006").status_code == 403
        for path in (
            "/offers/ofr_pages/apply",
            "/investments/inv_0003/cancel",
            "/investments/inv_0003/transfers",
        ):
            refused = client.post(path, data={"act": "post"})
            assert (refused.status_code, "delegate stays within its scope" in refused.text) == (403, True)
        assert client.post(f"/delegations/{delegation}/leave").status_code == 303
        assert client.get("/holdings").status_code == 403
    told = connect("owner").execute(b"select count(*) from audit.event where actor like 'delegate:%'")
    assert told.fetchone() == (0,)


def test_a_delegate_that_prepares_opens_an_order_in_its_own_name(
    site: Site, own: httpx.Client, connect: Connect
) -> None:
    with acting(site, own, "prepare") as client:
        page = client.get("/offers/ofr_pages/apply")
        (order,) = re.findall(r'name="order" value="([^"]+)"', page.text)
        opened = client.post("/offers/ofr_pages/apply", data={"order": order, "units": "10", "investor": OWN})
        assert opened.status_code == 303, opened.text
        # What comes next is the investor's: it applies, states and signs.
        assert client.get(opened.headers["location"]).status_code == 403
        investment = opened.headers["location"].split("/")[2]
        assert client.post(f"/investments/{investment}/cancel").status_code == 403
    rows = connect("owner").execute(
        b"select actor, audit.person_of(actor) from audit.event where subject = %s", [investment]
    )
    ((actor, person),) = rows.fetchall()
    assert re.fullmatch(rf"delegate:dlg_\w+:{OWN}", actor)
    assert actor.split(":")[1] == person


def test_a_delegate_that_acts_withdraws_what_is_its_principals(site: Site, own: httpx.Client) -> None:
    with acting(site, own, "act") as client:
        (order,) = re.findall(r'name="order" value="([^"]+)"', client.get("/offers/ofr_pages/apply").text)
        opened = client.post("/offers/ofr_pages/apply", data={"order": order, "units": "10", "investor": OWN})
        investment = opened.headers["location"].split("/")[2]
        assert client.post(f"/investments/{investment}/cancel").status_code == 303
        assert client.post("/investments/inv_0006/cancel").status_code == 403


def test_an_order_is_for_whom_its_form_was_shown(
    site: Site, own: httpx.Client, endpoint: Endpoint, connect: Connect
) -> None:
    """One browser has one choice for all its tabs; the form of another tab says whom it was shown for."""
    with (
        acting(site, own, "prepare") as client,
        visitor(site, issue(endpoint, FOREIGN, "portal", actor="usr_admin")) as foreign,
    ):
        shown = client.get("/offers/ofr_pages/apply").text
        (order,) = re.findall(r'name="order" value="([^"]+)"', shown)
        assert re.findall(r'name="investor" value="([^"]+)"', shown) == [OWN]
        (account,) = re.findall(r"<a[^>]*>(dlg_\w+)</a> for", shown)
        said = {"scope": "prepare", "until": last_day(), "delegate": account}
        assert foreign.post("/delegates", data=said).status_code == 303
        page = client.get("/delegations").text
        (second,) = re.findall(r'action="/delegations/(dgn_\w+)/accept"', page)
        for act in ("accept", "enter"):
            assert client.post(f"/delegations/{second}/{act}").status_code == 303
        for principal in ({"investor": OWN}, {}):
            refused = client.post("/offers/ofr_pages/apply", data={"order": order, "units": "10"} | principal)
            assert (refused.status_code, "order is for whom it was shown" in refused.text) == (409, True)
        told = connect("owner").execute(b"select count(*) from audit.event where actor like 'delegate:%'")
        assert told.fetchone() == (0,)
        assert client.post("/sign-out").status_code == 303
        assert not client.cookies


def test_a_delegate_sees_neither_country_nor_reasons_of_a_profile(site: Site, own: httpx.Client) -> None:
    paper = {"paper": ("deed.pdf", b"%PDF-1.7 a deed")}
    (seen,) = re.findall(r'name="seen" value="(\d+)"', own.get("/profile").text)
    asked = {"seen": seen, "legal_name": "Ada Married", "because": "a reason of my own"}
    assert own.post("/profile/changes", data=asked, files=paper).status_code == 303
    mine = own.get("/profile").text
    assert "a reason of my own" in mine
    assert "<dd><span" in mine
    with acting(site, own, "see") as client:
        theirs = client.get("/profile").text
        assert "a reason of my own" not in theirs
        country = re.search(r"<dt>Country</dt><dd>(.*?)</dd>", theirs, re.DOTALL)
        assert country is not None
        assert country[1].endswith("hidden")


def test_what_an_investor_ends_is_over_at_once(site: Site, own: httpx.Client, connect: Connect) -> None:
    with acting(site, own, "see") as client:
        assert client.get("/holdings").status_code == 200
        (delegation,) = re.findall(r'action="/delegates/(dgn_\w+)/end"', own.get("/delegates").text)
        assert own.post(f"/delegates/{delegation}/end").status_code == 303
        refused = client.get("/holdings")
        assert (refused.status_code, "delegate chooses for whom" in refused.text) == (403, True)
        assert "ended" in own.get("/delegates").text
    # What its time has ended has nothing that could be ended.
    name(own, "see")
    assert "End it now" in own.get("/delegates").text
    admin = connect("admin")
    admin.execute("alter table portal.delegation disable trigger user")
    admin.execute("update portal.delegation set valid_from = now() - interval '9 days', valid_until = now()")
    told = own.get("/delegates").text
    assert ("over</" in told, "End it now" in told) == (True, False)


def test_a_delegation_of_another_is_none_of_ones_own(
    site: Site, own: httpx.Client, endpoint: Endpoint
) -> None:
    _, invitation = name(own, "act")
    with (
        taken_up(site, invitation) as client,
        visitor(site, issue(endpoint, FOREIGN, "portal", actor="usr_admin")) as foreign,
    ):
        mine = only(client)
        assert foreign.post(f"/delegates/{mine}/end").status_code == 404
        _, second = name(foreign, "see")
        with taken_up(site, second) as other:
            theirs = only(other)
            for act in ("accept", "decline", "end", "enter"):
                assert client.post(f"/delegations/{theirs}/{act}").status_code in {404, 409}, act
            assert other.post(f"/delegations/{theirs}/accept").status_code == 303
        # The cookie names a delegation and gives no right: that it is one's own is looked up.
        client.cookies.set("bookrunner_for", theirs)
        assert client.get("/holdings").status_code == 403
        assert foreign.get("/delegations").status_code == 403


def test_one_delegate_serves_several_and_a_known_name_is_asked(
    site: Site, own: httpx.Client, endpoint: Endpoint
) -> None:
    account, invitation = name(own, "see")
    with (
        taken_up(site, invitation) as client,
        visitor(site, issue(endpoint, FOREIGN, "portal", actor="usr_admin")) as foreign,
    ):
        said = {"scope": "prepare", "until": last_day(), "delegate": account}
        assert foreign.post("/delegates", data=said).status_code == 303
        page = client.get("/delegations").text
        assert OWN in page
        assert FOREIGN in page
        for wrong, says in (
            ({"delegate": "dlg_nobody"}, "there is no such account"),
            ({"delegate": FOREIGN}, "there is no such account"),
            ({"until": "2020-01-01"}, "still to come"),
            ({"until": "x"}, "write a day"),
            ({"until": last_day(900)}, "within two years"),
            ({"scope": "sign"}, "choose what the delegate may do"),
        ):
            refused = foreign.post("/delegates", data={**said, **wrong})
            assert refused.status_code in {409, 422}, wrong
            assert says in refused.text, wrong


def test_the_session_of_a_delegate_reaches_no_operation(
    site: Site, own: httpx.Client, connect: Connect
) -> None:
    _, invitation = name(own, "act")
    with taken_up(site, invitation) as client:
        token = digest(client.cookies["bookrunner_session"])
    raw = connect("portal")
    with pytest.raises(psycopg.Error, match="the key is not known"):
        raw.execute("select api.holder(%s)", [token])


def widened(route: Route) -> None:
    """Send another scope than the page showed."""
    route.continue_(post_data=(route.request.post_data or "").replace("scope=see", "scope=act"))


@pytest.mark.browser
def test_an_investor_names_a_delegate_with_a_passkey(house: House, browser: Browser, axe: str) -> None:
    with device(browser) as page, device(browser) as other:
        take_up(house, page, "ivr_fresh", "portal")
        alone = page.request.post(
            f"{house.url}/delegates",
            form={"scope": "see", "until": last_day()},
            headers={"Origin": house.url},
        )
        assert (alone.status, "decision is confirmed by passkey" in alone.text()) == (409, True)
        page.goto(f"{house.url}/delegates")
        # What is sent after the signature is another scope than was signed.
        page.route("**/delegates", widened)
        page.get_by_label("See only").check()
        with page.expect_response("**/delegates") as sent:
            page.get_by_role("button", name="Name the delegate").click()
        assert sent.value.status == 409
        expect(page.get_by_role("main")).to_contain_text("decision is confirmed by passkey")
        page.unroute("**/delegates")
        page.get_by_label("See only").check()
        with page.expect_response("**/confirm") as given:
            page.get_by_role("button", name="Name the delegate").click()
        assert given.value.status == 200
        expect(page.get_by_role("status")).to_contain_text("shown once")
        for _, width in looks(page):
            keep(page, f"delegates-{width}")
            axe_is_content(page, axe)
            fits(page)
        invitation = page.locator("dl.facts dd").nth(1).inner_text()
        other.goto(f"{house.url}/invitation")
        other.get_by_label("Your invitation").fill(invitation)
        other.get_by_role("button", name="Continue").click()
        other.get_by_label("What you call this device").fill("office")
        other.get_by_role("button", name="Make a passkey").click()
        other.wait_for_url("**/security")
        other.get_by_role("link", name="For others").click()
        for _, width in looks(other):
            keep(other, f"delegations-waiting-{width}")
        other.get_by_role("button", name="Accept").click()
        expect(other.get_by_role("button", name="Act for ivr_fresh")).to_be_visible()
        for _, width in looks(other):
            keep(other, f"delegations-{width}")
            axe_is_content(other, axe)
            fits(other)
        other.get_by_role("button", name="Act for ivr_fresh").click()
        expect(other.get_by_role("banner")).to_contain_text("for ivr_fresh")
        for _, width in looks(other):
            keep(other, f"delegate-holdings-{width}")
        other.get_by_role("button", name="Sign out").click()
        other.get_by_role("button", name="Use a passkey").click()
        other.wait_for_url("**/delegations")
