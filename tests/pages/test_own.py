"""What an investor reads and asks about itself, with and without scripts, and nobody in its place."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from bookrunner.adapters.chain import checksum
from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.api import issue
from bookrunner.books import portal
from bookrunner.db import Endpoint
from tests.attack.world import Connect
from tests.browsing import axe_is_content, fits, looks
from tests.pages.conftest import Site
from tests.pages.test_access import visitor
from tests.pages.test_administrator import Office, at
from tests.pages.test_browser import keep
from tests.pages.world import CHAIN, digest
from tests.patience import PATIENT

pytestmark = pytest.mark.timeout(240)

NEW, OWN = "ivr_fresh", "ivr_0003"
PAGES = ("/profile", "/holdings", "/notices", "/privacy")
DETAIL = {
    "legal_name": "Ada Example",
    "country": "US",
    "address": "1 Sample Street, Springfield",
    "email": "ada@example.test",
    "tax_id": "900001234",
    "birth_date": "1980-01-31",
}
NAMES = {
    "Legal name": "legal_name",
    "Country": "country",
    "Address": "address",
    "E-mail": "email",
    "Tax number": "tax_id",
    "Birth date": "birth_date",
}
PAPER = {"paper": ("deed.pdf", b"%PDF-1.7 a deed")}


@pytest.fixture
def office(site: Site, endpoint: Endpoint) -> Office:
    """Return the site with the keys of three investors and of an officer."""
    names = {NEW: "portal", OWN: "portal", "ivr_0006": "portal", "officer.ana": "compliance"}
    keys = {name: issue(endpoint, name, keeper, actor="usr_admin") for name, keeper in names.items()}
    return Office(site, keys)


@pytest.fixture
def fresh(office: Office) -> Iterator[httpx.Client]:
    """Lend a client of an investor without a profile."""
    with visitor(office.site, office.keys[NEW]) as client:
        yield client


@pytest.fixture
def own(office: Office) -> Iterator[httpx.Client]:
    """Lend a client of an investor who is verified and lacks a wallet."""
    with visitor(office.site, office.keys[OWN]) as client:
        yield client


def seen(client: httpx.Client) -> str:
    """Return the version of its profile that the form of a client carries."""
    (found,) = re.findall(r'name="seen" value="(\d+)"', client.get("/profile").text)
    return str(found)


def test_a_profile_is_stated_once_and_masked(fresh: httpx.Client) -> None:
    assert "Who invests" in fresh.get("/profile").text
    assert fresh.post("/profile", data={"kind": "individual", **DETAIL}).status_code == 303
    page = fresh.get("/profile?done=1").text
    assert "compliance has not verified it yet" in page
    assert not any(value in page for value in ("Ada", "Springfield", "900001234", "1980"))
    again = fresh.post("/profile", data={"kind": "individual", **DETAIL})
    assert again.status_code == 409
    shown = fresh.post("/profile/look").text
    assert all(value in shown for value in ("Ada Example", "900001234", "1980-01-31"))
    assert "to read one&#39;s own profile" in fresh.get("/privacy").text


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"kind": "alien"}, "choose who invests"),
        ({"tax_id": "12"}, "nine digits"),
        ({"country": "ZZ"}, "country"),
        ({"address": "x"}, "between 5 and 400"),
        ({"email": "none"}, "an e-mail address"),
        ({"legal_name": ""}, "Refused"),
        ({"kind": "trust"}, "names the person who acts"),
        ({"birth_date": "2999-01-01"}, "Refused"),
    ],
)
def test_a_field_that_cannot_be_is_refused_in_words(
    fresh: httpx.Client, change: dict[str, str], says: str
) -> None:
    refused = fresh.post("/profile", data={"kind": "individual", **DETAIL, **change})
    assert (refused.status_code, says in refused.text) == (409, True), refused.text
    assert "900001234" not in refused.text
    assert "Who invests" in fresh.get("/profile").text


def test_an_unverified_profile_is_written_anew(fresh: httpx.Client) -> None:
    fresh.post("/profile", data={"kind": "individual", **DETAIL})
    said = {"address": "2 Other Street, Salem", "seen": seen(fresh)}
    assert fresh.post("/profile/changes", data=said).status_code == 303
    shown = fresh.post("/profile/look").text
    assert "2 Other Street, Salem" in shown
    assert "Ada Example" in shown
    assert "version 2" in shown
    assert "write at least one field" in fresh.post("/profile/changes", data={}).text


def test_a_change_is_made_on_the_version_that_was_seen(fresh: httpx.Client, connect: Connect) -> None:
    fresh.post("/profile", data={"kind": "individual", **DETAIL})
    first = seen(fresh)
    said = {"address": "2 Other Street, Salem", "seen": first}
    assert fresh.post("/profile/changes", data=said).status_code == 303
    for stale in ({"seen": first}, {}, {"seen": "x"}):
        lost = fresh.post("/profile/changes", data={"address": "3 Third Street, Salem", **stale})
        assert (lost.status_code, "has changed since you saw it" in lost.text) == (412, True)
        assert 'value="3 Third Street, Salem"' in lost.text
        assert seen(fresh) != first
    addresses = connect("owner").execute(
        b"select address from portal.profile_detail where investor_id = 'ivr_fresh' order by detail_version"
    )
    assert [address for (address,) in addresses] == [DETAIL["address"], "2 Other Street, Salem"]


def test_a_request_is_made_on_the_version_that_was_seen(own: httpx.Client) -> None:
    said = {"legal_name": "Married Name", "because": "married", "seen": "1"}
    lost = own.post("/profile/changes", data=said, files=PAPER)
    assert (lost.status_code, "has changed since you saw it" in lost.text) == (412, True)
    assert "One request is open" not in own.get("/profile").text


def test_what_is_verified_changes_by_request_alone(own: httpx.Client, connect: Connect) -> None:
    assert "Compliance has verified this version" in own.get("/profile").text
    bare = own.post("/profile/changes", data={"legal_name": "Married Name", "because": "married"})
    assert (bare.status_code, "attach the paper" in bare.text) == (409, True)
    said = {"legal_name": "Married Name", "seen": seen(own)}
    silent = own.post("/profile/changes", data=said, files=PAPER)
    assert (silent.status_code, "say why it changes" in silent.text) == (409, True)
    said = {"legal_name": "Married Name", "because": "married", "seen": seen(own)}
    assert own.post("/profile/changes", data=said, files=PAPER).status_code == 303
    page = own.get("/profile?done=1").text
    assert "waits for compliance" in page
    assert "One request is open" in page
    twice = own.post("/profile/changes", data=said, files=PAPER)
    assert (twice.status_code, "one request is open already" in twice.text) == (409, True)
    ((version,),) = connect("owner").execute(
        b"select detail_version from portal.profile where investor_id = 'ivr_0003'"
    )
    assert version == 1
    said = {"email": "new@example.org", "seen": said["seen"]}
    assert own.post("/profile/changes", data=said).status_code == 303


def test_a_wallet_is_claimed_by_its_own_signature(own: httpx.Client, office: Office) -> None:
    home = "/investments/inv_0003/wallets"
    key = LocalKey(digest("my wallet"), chain_id=CHAIN)
    assert "No wallet is on record" in own.get(home).text
    bad = own.post(f"{home}/challenges", data={"address": "0x12"})
    assert bad.status_code == 409
    asked = own.post(f"{home}/challenges", data={"address": checksum(key.address)})
    assert asked.status_code == 303
    page = own.get(asked.headers["location"]).text
    text = re.findall(r"readonly>(.*?)</textarea>", page, re.DOTALL)[0]
    unread = own.post(asked.headers["location"], data={"signature": "zz"})
    assert (unread.status_code, "signature is hexadecimal" in unread.text) == (409, True)
    with visitor(office.site, office.keys["ivr_0006"]) as other:
        assert other.get(asked.headers["location"]).status_code == 403
        stolen = asked.headers["location"].replace("inv_0003", "inv_0006")
        assert other.get(stolen).status_code == 404
        assert other.post(stolen, data={"signature": "0x00"}).status_code == 404
    signed = own.post(asked.headers["location"], data={"signature": "0x" + key.sign_text(text).hex()})
    assert signed.status_code == 303
    office.site.world.application.answer()
    shown = own.get(home).text
    assert checksum(key.address) in shown
    assert "waiting for" in shown


def test_the_export_holds_ones_own_data_and_is_on_record(own: httpx.Client) -> None:
    assert own.post("/privacy/export").status_code == 409
    answer = own.post("/privacy/export", data={"agree": "yes"})
    assert answer.headers["content-disposition"] == 'attachment; filename="my-data.json"'
    told = json.loads(answer.text)
    assert told["profile"]["legal_name"] == "Investor 0003"
    assert told["profile"]["tax_id"] == "900000003"
    assert [row["investment_id"] for row in told["investments"]] == ["inv_0003"]
    assert not re.search(r"ivr_000[124-6]|inv_000[124-6]", answer.text)
    assert "to hand over one&#39;s own data" in own.get("/privacy").text


def test_the_export_is_whole_however_much_it_is(office: Office, own: httpx.Client) -> None:
    books = portal.keeper(office.site.world.database)
    for _ in range(101):
        portal.reveal_profile(books, OWN, 1, actor="officer.ana", purpose="a review")
    told = json.loads(own.post("/privacy/export", data={"agree": "yes"}).text)
    assert len(told["views"]) == 102
    assert own.get("/privacy").text.count("<time") < 102


def test_a_look_of_staff_tells_its_subject_neither_who_nor_why(office: Office, own: httpx.Client) -> None:
    books = portal.keeper(office.site.world.database)
    portal.reveal_profile(
        books, "ivr_0003", 1, actor="officer.ana", purpose="a report of suspicious activity"
    )
    for shown in (own.get("/privacy").text, own.post("/privacy/export", data={"agree": "yes"}).text):
        assert "staff" in shown or '"is_own": false' in shown
        assert "suspicious" not in shown
        assert "officer.ana" not in shown


def test_an_erasure_is_refused_by_rules_and_done_without(own: httpx.Client, fresh: httpx.Client) -> None:
    assert "type the word erase" in own.post("/privacy/erase", data={"word": "yes"}).text
    kept = own.post("/privacy/erase", data={"word": "erase"})
    assert (kept.status_code, "an investment is not ended" in kept.text) == (409, True)
    fresh.post("/profile", data={"kind": "individual", **DETAIL})
    assert fresh.post("/privacy/erase", data={"word": "Erase"}).status_code == 303
    assert "Your personal data was erased" in fresh.get("/privacy").text
    assert fresh.post("/profile/look").status_code == 409
    assert fresh.post("/privacy/export", data={"agree": "yes"}).status_code == 409
    assert "Your personal data was erased" in fresh.get("/profile").text


def test_it_is_for_investors_alone(office: Office) -> None:
    for path in PAGES:
        assert httpx.get(office.site.url + path, timeout=PATIENT).status_code == 303
        with visitor(office.site, office.keys["officer.ana"]) as officer:
            assert officer.get(path).status_code == 403


@pytest.mark.parametrize("path", ["/offers/ofr_pages/apply", "/investments/inv_0003/transfers"])
def test_a_comma_that_may_be_a_decimal_point_multiplies_no_units(own: httpx.Client, path: str) -> None:
    said = {"order": "req_comma", "act": "post", "side": "buy", "each": "1.00", "ends_on": "2999-12-31"}
    refused = own.post(path, data=said | {"units": "10,00"})
    assert (refused.status_code, "comma stands before three digits" in refused.text) == (409, True)


def test_a_statement_is_of_ones_own_holding_alone(own: httpx.Client) -> None:
    answer = own.post("/holdings/ofr_pages/hld_x/statement.pdf", data={"on": "2026-03-02"})
    assert answer.status_code == 404


def state_profile(
    page: Page, detail: Mapping[str, str], look: Callable[[Page], None] = lambda _: None
) -> None:
    """Answer the questions of a person's profile, each on its page, and keep what was answered."""
    look(page)
    page.get_by_label("A person", exact=True).check()
    for labels in (("Legal name",), ("Country", "Address"), ("E-mail",), ("Tax number", "Birth date")):
        page.get_by_role("button", name="Go on").click()
        look(page)
        for label in labels:
            page.get_by_role("textbox", name=label).fill(detail[NAMES[label]])
    expect(page.get_by_role("heading", name="Check your answers")).to_be_visible()
    page.get_by_role("button", name="Keep my profile").click()


def test_each_question_of_a_new_profile_has_its_page(fresh: httpx.Client) -> None:
    def ask(**said: str) -> httpx.Response:
        return fresh.post("/profile/new", data=said)

    first = ask(at="kind")
    assert (first.status_code, "question is answered" in first.text) == (409, True)
    known = {"kind": "entity"}
    name = ask(at="kind", **known)
    assert "Question 2 of 5" in name.text
    assert 'name="kind" value="entity"' in name.text
    silent = ask(at="name", **known, legal_name="  ")
    assert silent.status_code == 409
    known |= {"legal_name": "Example <b>Partners</b>"}
    seat = ask(at="name", **known)
    assert 'value="Example &lt;b&gt;Partners&lt;/b&gt;"' in seat.text
    back = ask(to="name", at="seat", **known)
    assert 'id="legal_name"' in back.text
    known |= {"country": "US", "address": "1 Example Street", "email": "a@example.org"}
    assert "Who acts for it?" in ask(at="mail", **known).text
    # A person answers for itself; what another kind asks beside is asked when the kind changes.
    person = ask(at="mail", **known | {"kind": "individual"}).text
    assert ("Check your answers" in person, 'id="birth_date"' in person) == (True, True)
    former = ask(at="mail", **known | {"kind": "individual", "representative": "Ada Example"}).text
    assert "Ada Example" not in former
    changed = ask(at="kind", checked="yes", **known)
    assert "Who acts for it?" in changed.text
    known |= {"representative": "Ada Example"}
    checked = ask(at="acting", checked="yes", **known)
    assert "Check your answers" in checked.text
    assert ('id="tax_id"' in checked.text, 'id="birth_date"' in checked.text) == (True, False)
    sealed = {"tax_id": "900000009"}
    again = fresh.post("/profile", data={**known, **sealed, "country": "nowhere"})
    assert (again.status_code, "Check your answers" in again.text) == (409, True)
    assert 'value="Ada Example"' in again.text
    assert "900000009" not in again.text
    assert "900000009" not in ask(at="name", **known, **sealed).text
    assert fresh.post("/profile", data=known | sealed).status_code == 303
    assert ask(at="kind", kind="individual").headers["location"] == "/profile"


def fill(page: Page, site: Site, look: Callable[[Page], None] = lambda _: None) -> None:
    """State a profile in the page."""
    page.goto(f"{site.url}/profile")
    state_profile(page, DETAIL, look)


@pytest.mark.browser
def test_the_pages_fit_and_are_accessible(office: Office, browser: Browser, axe: str) -> None:
    paths = [*PAGES, "/investments/inv_0003/wallets", "/investments/inv_0003"]

    def look(page: Page, name: str) -> None:
        for scheme, width in looks(page):
            keep(page, f"own-{name}-{scheme}-{width}")
            axe_is_content(page, axe)
            fits(page)

    with at(office, browser, OWN) as page:
        for path in paths:
            page.goto(office.site.url + path)
            look(page, path.strip("/").replace("/", "-"))
        page.goto(f"{office.site.url}/investments/inv_0003/wallets")
        page.get_by_label("Address").fill(checksum(LocalKey(digest("mine"), chain_id=CHAIN).address))
        page.get_by_role("button", name="Go on to the proof").click()
        look(page, "challenge")
        page.goto(f"{office.site.url}/profile")
        page.get_by_label("Legal name").fill("Married Name")
        page.get_by_label("Why it changes").fill("married")
        page.get_by_label("The paper that shows it").set_input_files(
            {"name": "deed.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.7 a deed"}
        )
        page.get_by_role("button", name="Ask for the change").click()
        expect(page.get_by_role("status").first).to_contain_text("waits for compliance")
        look(page, "asked")

    def look_at_question(page: Page) -> None:
        title = page.get_by_role("heading", level=2).first.inner_text()
        look(page, f"new-profile-{title.split()[0]}-{title.split()[-1].rstrip('?')}")

    with at(office, browser, NEW) as page:
        fill(page, office.site, look_at_question)
        expect(page.get_by_role("status").first).to_contain_text("Your profile is complete")
        for scheme, width in looks(page):
            keep(page, f"own-kept-profile-{scheme}-{width}")


@pytest.mark.browser
def test_an_officer_begins_the_checks_of_a_new_investor(office: Office, browser: Browser, axe: str) -> None:
    with at(office, browser, "officer.ana", scripts=False) as page:
        page.goto(f"{office.site.url}/compliance/intake")
        for scheme, width in looks(page):
            keep(page, f"intake-{scheme}-{width}")
            fits(page)
        page.get_by_role("button", name="Begin the checks of ivr_0006").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Case ivr_0006")
        page.get_by_role("link", name="Decide on the identity").click()
        expect(page.get_by_role("button", name="Record the decision")).to_be_visible()
        page.goto(f"{office.site.url}/compliance/intake")
        expect(page.get_by_role("status")).to_contain_text("has a case and a clearance")
        answer = page.request.post(
            f"{office.site.url}/compliance/intake",
            form={"investor": "ivr_fresh", "offering": "ofr_pages"},
            headers={"Origin": office.site.url},
        )
        assert answer.status == 404
    with at(office, browser, "officer.ana") as page:
        page.goto(f"{office.site.url}/compliance/intake")
        for _ in looks(page):
            axe_is_content(page, axe)
