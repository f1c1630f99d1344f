"""Passkeys in a real browser with a virtual authenticator: signing in, and confirming one decision."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from hashlib import sha256

import httpx
import psycopg
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from bookrunner.adapters.chain.keys import LocalKey
from bookrunner.api import issue
from bookrunner.app import Application
from bookrunner.core.credentials import make_token, read_key
from bookrunner.core.errors import Refused
from bookrunner.db import load
from bookrunner.pages import Door, web
from bookrunner.pages.access.people.store import People
from tests.attack.world import CHAIN, Connect, digest
from tests.attack.world import World as Register
from tests.browsing import EVERY_LOOK, PHONE, axe_is_content, fits, looks
from tests.pages.test_browser import keep
from tests.pages.test_people import WORDS, account, turn_codes_on
from tests.patience import PATIENT
from tests.serving import serving

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

WALLETS = "/registry/ofr_one/wallets"
AUTHENTICATOR = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@dataclass(frozen=True)
class House:
    """The pages at a name that passkeys can be bound to, and the accounts behind them."""

    url: str
    people: People


@pytest.fixture
def house(application: Application) -> Iterator[House]:
    """Serve the pages at localhost, which browsers take for a secure place."""
    app = web(application, door=Door("localhost", is_for_accounts_alone=True))
    with serving(app) as url:
        yield House(url.replace("127.0.0.1", "localhost"), People(application.database))


@contextmanager
def device(browser: Browser, *, width: int = 1280) -> Iterator[Page]:
    """Lend a page with an authenticator of its own, which fails on any fault of its scripts."""
    context = browser.new_context(viewport={"width": width, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda fault: faults.append(str(fault)))
    page.on("console", lambda said: faults.append(said.text) if "Content Security" in said.text else None)
    session = context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    session.send("WebAuthn.addVirtualAuthenticator", {"options": AUTHENTICATOR})
    yield page
    context.close()
    assert faults == []


def take_up(house: House, page: Page, name: str, keeper: str) -> None:
    """Take an invitation up with a passkey."""
    page.goto(f"{house.url}/invitation")
    page.get_by_label("Your invitation").fill(account(house.people, name, keeper))
    page.get_by_role("button", name="Continue").click()
    page.get_by_label("What you call this device").fill("laptop")
    page.get_by_role("button", name="Make a passkey").click()
    page.wait_for_url("**/security")


def test_a_passkey_opens_the_account_and_signs_in_again(house: House, browser: Browser, axe: str) -> None:
    with device(browser) as page:
        take_up(house, page, "agent.tess", "registry")
        expect(page.get_by_role("row", name="laptop")).to_contain_text("in force")
        page.get_by_role("button", name="Make recovery codes").click()
        expect(page.get_by_role("heading", name="Your recovery codes")).to_be_visible()
        for scheme, width in looks(page, EVERY_LOOK):
            keep(page, f"security-{scheme}-{width}")
            fits(page)
            if width == PHONE:
                axe_is_content(page, axe)
        page.get_by_role("button", name="Sign out").click()
        for scheme, width in looks(page, EVERY_LOOK):
            keep(page, f"sign-in-{scheme}-{width}")
            if width == PHONE:
                axe_is_content(page, axe)
        assert page.get_by_label("Your key").count() == 0
        page.goto(f"{house.url}/sign-in?next=/registry")
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url("**/registry")
        expect(page.get_by_role("banner")).to_contain_text("agent.tess")
        page.goto(f"{house.url}/security")
        page.get_by_role("button", name="Set up one-time codes").click()
        for scheme, width in looks(page, (("light", PHONE), ("dark", PHONE))):
            keep(page, f"codes-{scheme}-{width}")
            axe_is_content(page, axe)


def test_tries_of_a_stranger_shut_no_passkey_out(house: House, browser: Browser) -> None:
    with device(browser) as page:
        take_up(house, page, "agent.tess", "registry")
        page.get_by_role("button", name="Sign out").click()
        page.get_by_label("Name of your account").fill("agent.tess")
        page.get_by_label("Password", exact=True).fill(WORDS)
        for _ in range(6):
            page.get_by_role("button", name="Use the password").click()
            page.get_by_label("Name of your account").fill("agent.tess")
            page.get_by_label("Password", exact=True).fill(WORDS)
        expect(page.get_by_role("alert")).to_contain_text("sign in waits after failures")
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url(f"{house.url}/")
        expect(page.get_by_role("banner")).to_contain_text("agent.tess")


def test_a_password_alone_opens_the_security_page_alone(house: House) -> None:
    with httpx.Client(base_url=house.url, headers={"Origin": house.url}, timeout=30) as client:
        said = {"invitation": account(house.people, "agent.tess", "registry"), "password": WORDS}
        assert client.post("/invitation/password", data=said).headers["location"] == "/security"
        for path in ("/", "/registry"):
            refused = client.get(path)
            assert (refused.status_code, "session has two factors" in refused.text) == (403, True)
        turn_codes_on(client)
        assert client.get("/registry").status_code == 200


def test_another_passkey_is_made_after_one_in_force_has_answered(
    house: House, browser: Browser, connect: Connect
) -> None:
    def on_the_same_device(route: Route) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, json={**answer.json(), "excludeCredentials": []})

    with device(browser) as page:
        take_up(house, page, "agent.tess", "registry")
        page.route("**/security/passkey/options", on_the_same_device)
        page.get_by_label("Name of another passkey").fill("key ring")
        with page.expect_response("**/confirm") as given:
            page.get_by_role("button", name="Add a passkey").click()
        assert given.value.status == 200
        expect(page.get_by_role("row", name="key ring")).to_contain_text("in force")
        keep(page, "two-passkeys-1280")
        with page.expect_response("**/confirm") as given:
            page.get_by_role("button", name="End the passkey laptop").click()
        assert given.value.status == 200
        expect(page.get_by_role("row", name="laptop")).to_have_count(0)
    kept = connect("owner").execute(b"select act, count(*) from api.confirmation group by act").fetchall()
    assert kept == [("passkey", 2)]


def test_a_closing_is_frozen_by_a_passkey(house: House, browser: Browser, connect: Connect) -> None:
    register = Register(connect, "two").build("linked")
    with device(browser) as page:
        take_up(house, page, "closer.cara", "engine")
        page.goto(f"{house.url}/offers/{register.offering}")
        page.get_by_role("button", name="Close all").click()
        page.wait_for_url("**?closed=*")
    told = connect("owner").execute(
        b"""select c.act, u.subject, k.proposed_by from api.confirmation c join api.used_confirmation u
        using (confirmation_id) join engine.closing k on k.offering_id = u.subject"""
    )
    assert told.fetchall() == [("closing", "ofr_two", "closer.cara")]


def a_wallet(register: Register) -> None:
    """Claim and screen another wallet of the first holder."""
    where = [register.offering, "wmp_new1"]
    key = LocalKey(digest("new 1"), chain_id=CHAIN)
    register.claim_wallet("wlc_new1", register.id("ivr", 1), key.address, key.sign_text)
    named = [register.id("ivr", 1), CHAIN, key.address, "wlc_new1@1", "key"]
    register.call("registry.open_mapping", *where, *named)
    register.call("registry.mark_screened", *where, "scr_new@1")


APPROVE = b"select registry.approve_wallet(%s, 'req_raw', 'ofr_one', 'wmp_new1')"


def test_a_wallet_is_approved_by_a_passkey_over_this_very_decision(
    house: House, browser: Browser, connect: Connect
) -> None:
    register = Register(connect).build("registered")
    a_wallet(register)
    raw = connect("registry")
    with device(browser) as page:
        take_up(house, page, "agent.tess", "registry")
        for actor in ("agent.tess", "key:agent.tess", "key:agent.tess~program"):
            with pytest.raises(psycopg.Error) as refused:
                raw.execute(APPROVE, [actor])
            assert refused.value.diag.constraint_name == "decision_is_confirmed_by_passkey"
        page.goto(house.url + WALLETS)
        before = page.context.cookies()[0]["value"]
        with page.expect_response("**/confirm") as given:
            page.get_by_role("button", name="Record the issuer's consent").click()
        page.get_by_role("button", name="Link to the holder").wait_for()
        assert page.context.cookies()[0]["value"] != before
        replayed = page.request.post(
            f"{house.url}/confirm",
            data=given.value.request.post_data_json,
            headers={"Origin": house.url},
        )
        assert replayed.status == 401
    owner = connect("owner")
    kept = owner.execute(
        b"""select c.act, c.items -> 0 ->> 'subject', u.subject, w.approved_by from api.confirmation c
        join api.used_confirmation u using (confirmation_id)
        join registry.wallet_mapping w on w.mapping_id = u.subject"""
    ).fetchall()
    assert kept == [("wallet_approval", "wmp_new1", "wmp_new1", "agent.tess")]
    told = owner.execute(b"select actor from audit.event where kind = 'confirmation.given'").fetchall()
    assert told == [("agent.tess",)]


def test_a_key_is_nobody_where_people_have_accounts(house: House, application: Application) -> None:
    key = issue(application.endpoint, "agent.theo", "registry", actor="usr_admin")
    with httpx.Client(base_url=house.url, headers={"Origin": house.url}, timeout=PATIENT) as client:
        answer = client.post("/sign-in", data={"key": key})
        assert (answer.status_code, "person signs in with an account" in answer.text) == (401, True)
        with application.database.transaction("registry") as transaction:
            token = make_token("registry")
            load("bookrunner.pages.access").open_session(
                transaction, key=read_key(key)[1], session=sha256(token.encode()).digest()
            )
        client.cookies.set("bookrunner_session", token)
        assert client.get("/registry").status_code == 303


THREE_DAYS = b"""
alter table api.credential disable trigger all;
update api.credential set opens_at = opens_at - interval '72 hours' where status = 'waiting';
alter table api.credential enable trigger all;
alter table api.credential enable always trigger zz_guard
"""


def come_back(house: House, page: Page, name: str) -> None:
    """Make a new passkey with a recovery that somebody vouched for."""
    page.goto(f"{house.url}/recovery")
    page.get_by_label("Your recovery").fill(house.people.recovery_of(name, actor="usr_admin"))
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Make a new passkey").click()
    page.wait_for_url("**/recovery?waits=1")


def test_a_recovery_waits_and_is_let_in_by_another_person(
    house: House, browser: Browser, connect: Connect
) -> None:
    with device(browser, width=390) as lost:
        take_up(house, lost, "agent.tess", "registry")
        with device(browser, width=390) as page:
            come_back(house, page, "agent.tess")
            keep(page, "recovery-390")
            for actor in ("usr_second", "agent.tess"):
                early = rule_of(partial(house.people.admit, "agent.tess", actor=actor))
                assert early == "recovery_waits_its_time"
            connect("admin").execute(THREE_DAYS)
            page.goto(f"{house.url}/sign-in")
            page.get_by_role("button", name="Use a passkey").click()
            expect(page.get_by_role("alert")).to_contain_text("recovery is admitted by another person")
            for actor in ("usr_admin", "key:usr_admin"):
                alone = rule_of(partial(house.people.admit, "agent.tess", actor=actor))
                assert alone == "recovery_needs_two_people"
            house.people.admit("agent.tess", actor="usr_second")
            page.get_by_role("button", name="Use a passkey").click()
            page.wait_for_url(f"{house.url}/")
        lost.goto(f"{house.url}/security")
        lost.get_by_role("button", name="Use a passkey").click()
        expect(lost.get_by_role("alert")).to_contain_text("passkey is in force")


def test_whoever_still_comes_in_stops_a_recovery(house: House, browser: Browser, connect: Connect) -> None:
    with device(browser, width=390) as own:
        take_up(house, own, "agent.tess", "registry")
        with device(browser) as page:
            come_back(house, page, "agent.tess")
            own.get_by_role("button", name="Sign out").click()
            own.get_by_role("button", name="Use a passkey").click()
            own.wait_for_url("**/security")
            keep(own, "recovery-warning-390")
            own.get_by_role("button", name="Stop the recovery").click()
            expect(own.get_by_role("row", name="laptop")).to_contain_text("in force")
            connect("admin").execute(THREE_DAYS)
            assert rule_of(lambda: house.people.admit("agent.tess", actor="usr_second")) == "recovery_waits"


def test_an_investor_comes_back_by_itself_after_three_days(
    house: House, browser: Browser, connect: Connect
) -> None:
    with device(browser) as lost, device(browser) as page:
        take_up(house, lost, "ivr_0001", "portal")
        come_back(house, page, "ivr_0001")
        page.goto(f"{house.url}/sign-in")
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("alert")).to_contain_text("recovery waits its time")
        connect("admin").execute(THREE_DAYS)
        page.get_by_role("button", name="Use a passkey").click()
        page.wait_for_url(f"{house.url}/")


def test_nobody_recovers_itself(house: House, browser: Browser) -> None:
    with device(browser) as page:
        take_up(house, page, "agent.tess", "registry")
    refused = rule_of(lambda: house.people.recovery_of("agent.tess", actor="key:agent.tess"))
    assert refused == "recovery_is_asked_by_another_person"


def rule_of(work: Callable[[], object]) -> str:
    """Return the rule by which work is refused."""
    with pytest.raises(Refused) as caught:
        work()
    return caught.value.rule
