"""The page on which a person confirms what an agent proposed: what it shows, on which version, with what."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import httpx
import pytest
from playwright.sync_api import Browser, expect

from bookrunner.api import Limits, api, issue
from bookrunner.app import Application
from bookrunner.pages import Door, web
from bookrunner.pages.access.people.store import People
from tests.api.conftest import Api
from tests.attack.world import Connect, World
from tests.browsing import EVERY_LOOK, PHONE, axe_is_content, fits, looks
from tests.pages.test_browser import keep
from tests.pages.test_passkeys import House, device, take_up
from tests.pages.test_people import WORDS, account
from tests.patience import PATIENT
from tests.serving import serving

pytestmark = pytest.mark.timeout(240)
CONFIRM: Mapping[str, object] = {
    "operation": "confirm_investment",
    "path": {"investment": "inv_one1"},
    "sentence": "Everything that confirming waits for is there.",
}


@dataclass(frozen=True)
class Office:
    """The pages beside the API at one address, the accounts behind them, and calls of programs."""

    url: str
    people: People
    calls: Api

    def propose(self, call: Mapping[str, object] = CONFIRM) -> str:
        """Let a tool propose; return the path of the page of its proposal."""
        answer = self.calls.post("/v1/proposals", call, keeper="engine", name="tool-planner")
        assert answer.status_code == 201, answer.text
        return f"/proposals/{answer.json()['id']}"

    def decided(self, connect: Connect) -> list[tuple[object, ...]]:
        """Return who confirmed or declined what, oldest first."""
        return (
            connect("owner")
            .execute(
                b"select is_confirmed, decided_by, because from api.decided_proposal order by decided_at"
            )
            .fetchall()
        )


@pytest.fixture
def office(application: Application, connect: Connect) -> Iterator[Office]:
    """Serve API and pages at localhost over an offer whose three investments are allocated."""
    world = World(connect).build("allocated")
    app = api(application.database, beside=web(application, door=Door("localhost")))
    with serving(app) as url:
        local = url.replace("127.0.0.1", "localhost")
        calls = Api(local, application.endpoint, world)
        yield Office(local, People(application.database), calls)


@contextmanager
def entered(office: Office, name: str = "closer.cara", keeper: str = "engine") -> Iterator[httpx.Client]:
    """Lend a client of a person who has taken an invitation up with a password."""
    said = {"invitation": account(office.people, name, keeper), "password": WORDS}
    headers = {"Origin": office.url}
    with httpx.Client(base_url=office.url, headers=headers, timeout=60, follow_redirects=True) as client:
        assert client.post("/invitation/password", data=said).status_code == 200
        yield client


def form_of(page: str) -> dict[str, str]:
    """Return the hidden fields of the form that confirms."""
    form = re.search(r'<form method="post" action="/proposals/[^"]+/confirm".*?</form>', page, re.DOTALL)
    assert form is not None, page
    found = re.findall(r'name="(\w+)" value="([^"]*)"', form[0])
    return {name: value.replace("&#34;", '"') for name, value in found}


def test_a_person_confirms_what_its_page_showed(office: Office, connect: Connect) -> None:
    path = office.propose()
    with entered(office) as client:
        assert path in client.get("/proposals").text
        page = client.get(path).text
        for shown in ("Confirm investment", "inv_one1", "tool-planner", str(CONFIRM["sentence"])):
            assert shown in page
        said = form_of(page)
        assert re.fullmatch(r'"[0-9a-f.]+"', said["seen"])
        done = client.post(f"{path}/confirm", data=said)
        assert (done.status_code, "its call was made" in done.text) == (200, True), done.text
        assert f'action="{path}/confirm"' not in done.text
    told = connect("owner").execute(
        b"select actor, request_id from audit.event where kind = 'investment.confirmed'"
    )
    assert told.fetchall() == [("closer.cara", path.rpartition("/")[2])]
    assert office.decided(connect) == [(True, "closer.cara", "")]


def test_what_the_api_does_not_answer_is_not_taken_for_absent(
    application: Application, connect: Connect
) -> None:
    world = World(connect).build("allocated")
    app = api(application.database, beside=web(application, door=Door("localhost")))
    with serving(app) as url:
        local = url.replace("127.0.0.1", "localhost")
        office = Office(local, People(application.database), Api(local, application.endpoint, world))
        path = office.propose()
        with entered(office) as client:
            said = form_of(client.get(path).text)
            # The proposal itself takes the one call of this minute; none is left for its record, or a list.
            app.state.door.limits = Limits(key=1)
            for page in (path, path, "/proposals"):
                assert client.get(page).status_code == 503
            app.state.door.limits = Limits(key=1)
            assert client.post(f"{path}/confirm", data={**said, "seen": ""}).status_code == 503
    assert office.decided(connect) == []


def test_a_record_that_changed_after_the_page_is_not_acted_on(office: Office, connect: Connect) -> None:
    path = office.propose()
    with entered(office) as client:
        said = form_of(client.get(path).text)
        office.calls.world.revoke(1)
        refused = client.post(f"{path}/confirm", data=said)
        assert (refused.status_code, "version is the one that was seen" in refused.text) == (412, True)
        assert office.decided(connect) == []
        # A version that a form makes up is no version that a page showed.
        made_up = client.post(f"{path}/confirm", data={**said, "seen": '"99"'})
        assert made_up.status_code == 412
    assert "investment.confirmed" not in office.calls.events("inv_one1")


def test_the_database_refuses_a_change_between_the_last_look_and_the_call(office: Office) -> None:
    seen = office.calls.get("/v1/investments/inv_one1").headers["etag"]
    office.calls.world.revoke(1)
    path = office.propose()
    answer = office.calls.post(f"/v1{path}/confirmations", {"version": seen}, seen='"1"')
    assert (answer.status_code, answer.json()["code"]) == (412, "version_is_the_one_that_was_seen")
    assert "investment.confirmed" not in office.calls.events("inv_one1")
    named = office.propose({**CONFIRM, "if_match": seen})
    other = office.calls.post(f"/v1{named}/confirmations", {"version": '"99"'}, seen='"1"')
    assert (other.status_code, other.json()["code"]) == (412, "version_is_the_one_that_was_seen")
    assert office.calls.get(f"/v1{named}").json()["status"] == "open"


def test_what_changed_since_it_was_proposed_is_declined(office: Office, connect: Connect) -> None:
    seen = office.calls.get("/v1/investments/inv_one1").headers["etag"]
    path = office.propose({**CONFIRM, "if_match": seen})
    office.calls.world.revoke(1)
    with entered(office) as client:
        page = client.get(path).text
        assert "changed since it was proposed" in page
        assert f'action="{path}/confirm"' not in page
        nothing = client.post(f"{path}/decline", data={"version": "1", "because": ""})
        assert (nothing.status_code, "request has the agreed shape" in nothing.text) == (422, True)
        declined = client.post(f"{path}/decline", data={"version": "1", "because": "cleared again first"})
        assert "declined" in declined.text
        late = client.post(f"{path}/decline", data={"version": "2", "because": "once more"})
        assert "proposal is decided once" in late.text
    assert office.decided(connect) == [(False, "closer.cara", "cleared again first")]


def test_a_closed_gate_is_shown_with_what_it_waits_for(office: Office) -> None:
    office.calls.world.revoke(1)
    path = office.propose()
    with entered(office) as client:
        refused = client.post(f"{path}/confirm", data=form_of(client.get(path).text))
        assert (refused.status_code, "gate is closed" in refused.text) == (409, True)
        assert 'class="lacks"' in refused.text
        assert "Have a refused call made again" in refused.text


def test_others_meet_no_proposal(office: Office, application: Application) -> None:
    path = office.propose()
    with entered(office, "fund.flo", "treasury") as client:
        assert path not in client.get("/proposals").text
        assert client.get(path).status_code == 404
        said = {"version": "1", "seen": ""}
        assert client.post(f"{path}/confirm", data=said).status_code == 404
    with entered(office, "ivr_0001", "portal") as client:
        for refused in (client.get("/proposals"), client.post(f"{path}/confirm", data=said)):
            assert refused.status_code == 403
    key = issue(application.endpoint, "engine-key", "engine", actor="usr_admin")
    with httpx.Client(base_url=office.url, headers={"Origin": office.url}, timeout=PATIENT) as client:
        assert client.get("/proposals").status_code == 303
        client.post("/sign-in", data={"key": key})
        assert "signed in with a key" in client.get("/proposals").text
        assert client.post(f"{path}/confirm", data=said).status_code == 403


def test_a_session_is_no_key_of_the_api(office: Office) -> None:
    with entered(office) as client:
        token = client.cookies["bookrunner_session"]
        for headers in (
            {"Authorization": f"Bearer {token}"},
            {"Cookie": f"bookrunner_session={token}"},
            {"bookrunner.session": token},
        ):
            assert httpx.get(f"{office.url}/v1/offers", headers=headers, timeout=PATIENT).status_code == 401


def test_the_session_of_an_investor_reaches_no_operation(office: Office, connect: Connect) -> None:
    with entered(office, "ivr_0001", "portal"):
        pass
    (session,) = connect("owner").execute(b"select session_sha256 from api.account_session").fetchone() or ()
    for verb in (b"select api.caller(%s)", b"select api.holder(%s)", b"select api.admit(%s)"):
        with pytest.raises(Exception, match="not known"):
            connect("portal").execute(verb, [session])


@pytest.mark.browser
def test_the_pages_of_proposals_are_accessible(office: Office, browser: Browser, axe: str) -> None:
    path = office.propose()
    office.propose({**CONFIRM, "path": {"investment": "inv_one2"}})
    with device(browser) as page:
        take_up(House(office.url, office.people), page, "closer.cara", "engine")
        for name, address in (("proposals", "/proposals"), ("proposal", path)):
            page.goto(office.url + address)
            for scheme, width in looks(page, EVERY_LOOK):
                keep(page, f"{name}-{scheme}-{width}")
                fits(page)
                if width == PHONE:
                    axe_is_content(page, axe)
        office.calls.world.revoke(1)
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_role("alert")).to_contain_text("version is the one that was seen")
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_role("alert")).to_contain_text("gate is closed")
        for scheme, width in looks(page, (("light", PHONE), ("dark", PHONE))):
            keep(page, f"proposal-refused-{scheme}-{width}")
            axe_is_content(page, axe)
        page.goto(f"{office.url}/proposals")
        page.set_viewport_size({"width": 1280, "height": 900})
        page.get_by_role("link", name="Confirm investment").first.click()
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text("confirmed").first).to_be_visible()


@pytest.mark.browser
def test_a_proposed_closing_is_confirmed_by_a_passkey(
    office: Office, browser: Browser, connect: Connect
) -> None:
    two = World(connect, "two").build("linked")
    dry = office.calls.post(f"/v1/offers/{two.offering}/closings/dry_run")
    call = {
        "operation": "freeze_closing",
        "path": {"offer": two.offering},
        "body": {"members": "ready"},
        "if_match": dry.headers["etag"],
        "sentence": "Three investments are ready.",
    }
    path = office.propose(call)
    with device(browser) as page:
        take_up(House(office.url, office.people), page, "closer.cara", "engine")
        page.goto(office.url + path)
        page.get_by_text("Show it").click()
        expect(page.get_by_text("inv_two3")).to_be_visible()
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            keep(page, f"proposal-closing-{width}")
            assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
        with page.expect_response("**/confirm") as given:
            page.get_by_role("button", name="Confirm").click()
        assert given.value.status == 200
        expect(page.get_by_text("confirmed").first).to_be_visible()
    told = connect("owner").execute(b"select proposed_by, status from engine.closing")
    assert told.fetchall() == [("closer.cara", "frozen")]
