"""Signing people in with an OpenID provider: linked by themselves, weighed by factors, and attacked."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import psycopg
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey
from playwright.sync_api import Browser, Page, expect

from bookrunner.adapters.identity import Registration
from bookrunner.core.credentials import digest
from bookrunner.core.errors import Refused
from bookrunner.pages.access.people import People
from bookrunner.pages.access.providers import Providers
from tests.browsing import axe_is_content, looks
from tests.pages.provider import CLIENT, SECRET, Provider, providing
from tests.pages.test_browser import keep
from tests.pages.test_passkeys import House, device, house, take_up
from tests.pages.test_people import WORDS, account, turn_codes_on
from tests.patience import PATIENT

__all__ = ["house"]

Connect = Callable[[str], psycopg.Connection]
NAME = "officer.ada"
# What a confirmation does with its session at last, without the passkey.
GOES_ON = b"""
create function api.goes_on(bytea, bytea) returns timestamptz language sql security definer
begin atomic
    select api.rotate_session('req_1', $1, 'ses_next', $2);
end;
grant execute on function api.goes_on(bytea, bytea) to access;
"""


@dataclass
class Place:
    """The pages, where accounts alone sign in, with a provider in force that another person granted."""

    url: str
    people: People
    providers: Providers
    provider: Provider

    def client(self) -> httpx.Client:
        """Return a browser without a script; it keeps its cookies."""
        return httpx.Client(base_url=self.url, headers={"Origin": self.url}, timeout=30)

    @contextmanager
    def enter(self, name: str = NAME) -> Iterator[httpx.Client]:
        """Lend a browser whose person took an invitation up with a password."""
        with self.client() as client:
            said = {"invitation": account(self.people, name), "password": WORDS}
            assert client.post("/invitation/password", data=said).status_code == 303
            yield client

    def leave(self, client: httpx.Client, path: str = "/sign-in/with/corp", **said: str) -> str:
        """Begin, and return where the provider sends the person back to."""
        page = client.post(path, data=said)
        assert page.status_code == 200, page.text
        found = re.search(r'class="button" href="([^"]+)"', page.text)
        assert found is not None
        address = found[1].replace("&amp;", "&")
        assert address.startswith(self.provider.url)
        return httpx.get(address, timeout=PATIENT).headers["location"]

    def sign_in(self, client: httpx.Client, **said: str) -> httpx.Response:
        """Go to the provider and come back."""
        return client.get(self.leave(client, **said))

    def link(self, client: httpx.Client) -> httpx.Response:
        """Link an account of the provider to whoever is signed in."""
        page = client.get(self.leave(client, "/security/providers/corp"))
        assert page.status_code == 200, page.text
        fields = dict(re.findall(r'name="(state|code|iss)" value="([^"]*)"', page.text))
        return client.post("/security/providers/corp/link", data=fields)

    def linked(self) -> None:
        """Link the person of the provider to an account, and sign out."""
        with self.enter() as client:
            assert self.link(client).status_code == 303
            client.post("/sign-out")

    def account(self, client: httpx.Client) -> str | None:
        """Return who is signed in, or None."""
        page = client.get("/security")
        return None if page.status_code == 303 else re.search(r'<strong class="id">([^<]+)', page.text)[1]  # type: ignore[index]


def granted(providers: Providers, name: str, own: Registration) -> None:
    """Put a provider in force by two people."""
    proposed = providers.propose(name, name.capitalize(), own, actor="usr_one")
    row = providers.grant(proposed, actor="usr_two")
    assert (row["name"], row["status"], row["token_issuer"]) == (name, "in_force", own.issuer)


@pytest.fixture
def place(house: House) -> Iterator[Place]:
    """Serve the pages with a provider whose ``mfa`` counts as two factors."""
    with providing() as provider:
        providers = Providers(house.people._database)
        own = Registration(provider.url, CLIENT, SECRET, frozenset({"urn:two"}), frozenset({"mfa"}))
        granted(providers, "corp", own)
        yield Place(house.url, house.people, providers, provider)


def rule_in(answer: httpx.Response) -> str:
    """Return the rule that the page for signing in names, as its words."""
    assert answer.status_code in {401, 409, 503}, answer.status_code
    found = re.search(r"Refused: ([^<]+)</h2>", answer.text)
    assert found is not None, answer.text
    return found[1].strip().lower().replace(" ", "_")


def test_a_person_links_and_then_signs_in_with_a_provider(place: Place) -> None:
    with place.client() as stranger:
        assert rule_in(place.sign_in(stranger)) == "subject_is_linked"
        assert place.account(stranger) is None
    place.linked()
    with place.client() as client:
        answer = place.sign_in(client, next="/compliance")
        assert answer.status_code == 200
        assert 'content="0;url=/compliance"' in answer.text
        assert place.account(client) == NAME
    asked = place.provider.asked[-1]
    assert asked["max_age"] == "28800"
    assert asked["acr_values"] == "urn:two"
    assert asked["redirect_uri"] == f"{place.url}/sign-in/with/corp"


def test_an_equal_mail_address_links_nobody(place: Place) -> None:
    place.linked()
    place.provider.subject = "somebody-else"
    with place.client() as client:
        assert rule_in(place.sign_in(client)) == "subject_is_linked"


def test_what_shows_one_factor_opens_the_security_page_alone(place: Place) -> None:
    place.linked()
    late = {"auth_time": int(time.time()) - 9 * 3600}
    for factors, is_strong in (
        ({}, False),
        ({"amr": ["pwd", "otp"]}, False),
        ({"amr": ["pwd", "mfa"]}, True),
        ({"acr": "urn:two"}, True),
        ({"acr": ["urn:two"]}, False),
        ({"acr": "urn:other", "amr": "mfa"}, False),
        ({"amr": ["mfa"], **late}, False),
        ({"amr": ["mfa"], "auth_time": None}, False),
        ({"amr": ["mfa"], "auth_time": True}, False),
    ):
        place.provider.factors = factors
        with place.client() as client:
            assert place.sign_in(client).status_code == 200
            assert client.get("/security").status_code == 200
            assert client.get("/compliance").status_code == (200 if is_strong else 403), factors


def test_one_factor_makes_no_second_where_the_provider_could_say_two(place: Place) -> None:
    place.linked()
    with place.client() as client:
        assert place.sign_in(client).status_code == 200
        answer = client.post("/security/recovery")
        assert rule_in(answer) == "two_factors_change_what_signs_in"
        place.provider.factors = {"amr": ["mfa"]}
        assert place.sign_in(client).status_code == 200
        assert client.post("/security/recovery").status_code == 200


def test_a_subject_takes_no_second_invitation_up(place: Place) -> None:
    place.linked()
    invitation = account(place.people, "officer.bob")
    with place.client() as client:
        answer = client.get(place.leave(client, "/invitation/with/corp", invitation=invitation))
        assert rule_in(answer) == "subject_is_one_account"
        assert place.account(client) is None


def test_one_factor_of_a_provider_changes_nothing_beside_codes(place: Place) -> None:
    with place.enter() as client:
        turn_codes_on(client)
        assert place.link(client).status_code == 303
    with place.client() as client:
        assert place.sign_in(client).status_code == 200
        assert client.get("/compliance").status_code == 403
        answer = client.post("/security/password", data={"password": WORDS + " twice", "present": WORDS})
        assert rule_in(answer) == "two_factors_change_what_signs_in"


def test_an_invitation_is_taken_up_with_a_provider(place: Place) -> None:
    invitation = account(place.people)
    place.provider.factors = {"amr": ["mfa"]}
    with place.client() as client:
        assert "Use Corp" in client.post("/invitation", data={"invitation": invitation}).text
        answer = client.get(place.leave(client, "/invitation/with/corp", invitation=invitation))
        assert answer.status_code == 200, answer.text
        assert place.account(client) == NAME
        assert client.get("/compliance").status_code == 200
        answer = client.post("/invitation/with/corp", data={"invitation": invitation})
        assert rule_in(answer) == "invitation_is_in_force"
    with place.client() as client:
        assert place.sign_in(client).status_code == 200
        assert place.account(client) == NAME


def test_an_answer_counts_once_and_in_its_own_browser(place: Place) -> None:
    place.linked()
    with place.client() as client, place.client() as thief:
        back = place.leave(client)
        assert rule_in(thief.get(back)) == "sign_in_began_in_this_browser"
        place.leave(thief)
        assert rule_in(thief.get(back)) == "sign_in_began_in_this_browser"
        kept = dict(client.cookies)
        assert client.get(back).status_code == 200
        client.cookies.clear()
        client.cookies.update(kept)
        assert rule_in(client.get(back)) == "challenge_is_answered_once"
        assert rule_in(client.get("/sign-in/with/corp")) == "sign_in_began_in_this_browser"
        assert place.account(client) is None


def test_a_code_of_another_flow_is_not_redeemed(place: Place) -> None:
    """An answer into which somebody puts a code of its own fails at the proof key (RFC 9700, 4.5)."""
    place.linked()
    with place.client() as client, place.client() as attacker:
        own = parse_qs(urlsplit(place.leave(attacker)).query)["code"][0]
        parts = urlsplit(place.leave(client))
        said = {name: each[0] for name, each in parse_qs(parts.query).items()} | {"code": own}
        answer = client.get(f"{parts.path}?{urlencode(said)}")
        assert rule_in(answer) == "provider_vouches_for_the_person"
        spent = parse_qs(urlsplit(place.leave(client)).query)
        place.provider.codes.clear()
        answer = client.get("/sign-in/with/corp", params={name: each[0] for name, each in spent.items()})
        assert rule_in(answer) == "provider_vouches_for_the_person"


def test_another_provider_cannot_answer(place: Place) -> None:
    """Mix-up: who answers is compared, and what was asked of one counts at no other (RFC 9207)."""
    place.linked()
    with providing() as other, place.client() as client:
        own = Registration(other.url, CLIENT, SECRET, frozenset(), frozenset({"mfa"}))
        granted(place.providers, "other", own)
        place.provider.iss = other.url
        assert rule_in(place.sign_in(client)) == "answer_is_of_the_asked_provider"
        place.provider.iss = None
        back = place.leave(client)
        assert rule_in(client.get(back.split("&iss=")[0])) == "answer_is_of_the_asked_provider"
        moved = place.leave(client).replace("/with/corp", "/with/other")
        assert rule_in(client.get(moved)) == "challenge_is_answered_once"
        # The same subject of another issuer is another person.
        page = client.post("/sign-in/with/other").text
        address = re.search(r'class="button" href="([^"]+)"', page)[1].replace("&amp;", "&")  # type: ignore[index]
        answer = client.get(httpx.get(address, timeout=PATIENT).headers["location"])
        assert rule_in(answer) == "subject_is_linked"


def unsigned(header: dict[str, object], claims: dict[str, object]) -> str:
    """Return a token with the algorithm none."""
    parts = [{**header, "alg": "none"}, claims]
    texts = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return f"{texts[0]}.{texts[1]}."


def shared(header: dict[str, object], claims: dict[str, object]) -> str:
    """Return a token signed with the client's secret, as a shared key."""
    return jwt.encode({**header, "alg": "HS256"}, claims, OctKey.import_key(SECRET), algorithms=["HS256"])


def test_an_identity_token_that_does_not_hold_signs_nobody_in(place: Place) -> None:
    place.linked()
    now, provider = int(time.time()), place.provider
    for changes in (
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://other.example"},
        {"aud": "another"},
        {"aud": [CLIENT, "another"]},
        {"aud": [CLIENT, "another"], "azp": "another"},
        {"azp": "another"},
        {"exp": now - 3600, "iat": now - 7200},
        {"exp": None},
        {"iat": None},
        {"iat": now + 3600, "exp": now + 7200},
        {"exp": now + 2 * 24 * 3600},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"sub": "x" * 256},
    ):
        provider.changes = changes
        with place.client() as client:
            assert rule_in(place.sign_in(client)) == "identity_token_holds", changes
    provider.changes = {}
    for sign in (unsigned, shared):
        provider.sign = sign
        with place.client() as client:
            assert rule_in(place.sign_in(client)) == "identity_token_holds"
    provider.sign = None
    provider.signer = ECKey.generate_key("P-256", {"kid": "key-1", "use": "sig"})
    with place.client() as client:
        assert rule_in(place.sign_in(client)) == "identity_token_holds"
    provider.signer, provider.changes = provider.key, {"aud": [CLIENT, "another"], "azp": CLIENT}
    with place.client() as client:
        assert place.sign_in(client).status_code == 200


@pytest.mark.parametrize(
    "path",
    ["//evil.example", "https://evil.example", "/\\evil.example", "/\t/evil.example", "/evil" + "x" * 496],
)
def test_signing_in_leads_to_no_other_site(place: Place, path: str) -> None:
    place.linked()
    with place.client() as client:
        answer = place.sign_in(client, next=path)
        assert 'content="0;url=/"' in answer.text
        assert "evil" not in answer.text


def test_what_is_linked_is_ones_own_act(place: Place) -> None:
    with place.enter() as ada, place.enter("officer.bob") as bob:
        back = place.leave(bob, "/security/providers/corp")
        # An answer that somebody hands over is of no use in another browser, also not to its own person.
        assert rule_in(ada.get(back)) == "sign_in_began_in_this_browser"
        said = {name: each[0] for name, each in parse_qs(urlsplit(back).query).items()}
        answer = ada.post("/security/providers/corp/link", data=said)
        assert rule_in(answer) == "sign_in_began_in_this_browser"
        # The way of one account does not link another that signs in beside it.
        ada.cookies.set("bookrunner_way", bob.cookies["bookrunner_way"])
        answer = ada.post("/security/providers/corp/link", data=said)
        assert rule_in(answer) == "sign_in_began_in_this_browser"
        ada.cookies.delete("bookrunner_way", domain="")
        assert place.link(ada).status_code == 303
        assert rule_in(place.link(bob)) == "subject_is_one_account"
        foreign = ada.post(
            "/security/providers/corp/link", data=said, headers={"Origin": "https://evil.example"}
        )
        assert foreign.status_code == 403


def test_a_provider_is_granted_by_another_person_and_ends_with_its_links(
    place: Place, connect: Connect
) -> None:
    place.linked()
    own = Registration(place.provider.url, CLIENT, SECRET, frozenset(), frozenset())
    with pytest.raises(Refused, match="provider_name_is_one_providers"):
        place.providers.propose("corp", "Corporation", own, actor="usr_one")
    two = place.providers.propose("two", "Two", own, actor="usr_one")
    for same in ("usr_one", "key:usr_one~laptop"):
        with pytest.raises(Refused, match="provider_needs_two_people"):
            place.providers.grant(two, actor=same)
    # What was looked at is granted, and nothing else that has its name meanwhile.
    place.providers.end(two, "mistyped", actor="usr_one")
    anew = place.providers.propose("two", "Thief", own, actor="usr_one")
    with pytest.raises(Refused, match="provider_is_proposed"):
        place.providers.grant(two, actor="usr_two")
    assert {row["provider_id"]: row["status"] for row in place.providers.listed()}[anew] == "proposed"
    with place.client() as client:
        assert rule_in(client.post("/sign-in/with/two")) == "provider_is_in_force"
        place.sign_in(client)
        assert place.account(client) == NAME
        (corp,) = [row["provider_id"] for row in place.providers.listed() if row["name"] == "corp"]
        with pytest.raises(Refused, match="ended_provider_says_why"):
            place.providers.end(corp, " ", actor="usr_one")
        # A name is no id: another provider may have it by now.
        for which in ("corp", "none"):
            with pytest.raises(Refused, match="provider_is_on_record"):
                place.providers.end(which, "contract ended", actor="usr_one")
        assert place.account(client) == NAME
        place.providers.end(corp, "contract ended", actor="usr_one")
        assert place.account(client) is None
        assert rule_in(client.post("/sign-in/with/corp")) == "provider_is_in_force"
    owner = connect("owner")
    kept = owner.execute("select secret, wrapped from api.sign_in_provider where name = 'corp'").fetchone()
    assert kept is not None
    assert SECRET.encode() not in bytes(kept[0]) + bytes(kept[1])
    told = owner.execute("select string_agg(canonical, '') from audit.event").fetchone()
    assert told is not None
    assert SECRET not in told[0]
    assert "person-7" not in told[0]
    assert "example.org" not in told[0]


@pytest.mark.parametrize("keeper", ["portal", "compliance", "engine", "audit"])
def test_no_keeper_makes_a_provider(connect: Connect, keeper: str) -> None:
    login = connect(keeper)
    for statement in (
        "select api.propose_provider('usr_one', 'req_1', 'prv_1', '{}')",
        "select api.grant_provider('usr_one', 'req_1', 'prv_1')",
        "select secret from api.sign_in_provider",
        "update api.sign_in_provider set status = 'in_force'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            login.execute(statement.encode())


@pytest.mark.parametrize(
    "about",
    [
        None,
        {"issuer": "https://other.example"},
        {"authorization_endpoint": "http://192.0.2.1/authorize"},
        {"authorization_endpoint": None},
        {"token_endpoint": "http://169.254.169.254/token"},
    ],
)
def test_a_silent_provider_is_told(place: Place, about: dict[str, object] | None) -> None:
    with place.client() as client:
        place.provider.fails, place.provider.about = about is None, about or {}
        assert rule_in(client.post("/sign-in/with/corp")) == "token_issuer_answers"
        # Whoever comes again makes us ask no oftener.
        place.provider.fails, place.provider.about = False, {}
        assert rule_in(client.post("/sign-in/with/corp")) == "token_issuer_answers"
    assert place.provider.looked_at == 1


def test_whoever_comes_often_makes_us_ask_once(place: Place) -> None:
    place.linked()
    with place.client() as client:
        for _ in range(3):
            assert place.sign_in(client).status_code == 200
    assert place.provider.looked_at == 1


def test_a_password_alone_takes_the_place_of_no_strong_link(place: Place) -> None:
    place.linked()
    with place.client() as thief:
        said = {"name": NAME, "password": WORDS}
        assert thief.post("/sign-in/password", data=said).status_code == 303
        link = re.search(
            r'action="(/security/credentials/\w+/end)"><button class="second">End the link',
            thief.get("/security").text,
        )
        assert link is not None
        place.provider.subject = "thief"
        assert rule_in(place.link(thief)) == "two_factors_change_what_signs_in"
        for path, fields in (
            (link[1], {}),
            ("/security/recovery", {}),
            ("/security/password", {"password": WORDS + " twice", "present": WORDS}),
        ):
            assert rule_in(thief.post(path, data=fields)) == "two_factors_change_what_signs_in"
    place.provider.subject, place.provider.factors = "person-7", {"amr": ["mfa"]}
    with place.client() as client:
        assert place.sign_in(client).status_code == 200
        assert client.post("/security/recovery").status_code == 200


def test_another_link_ends_what_the_earlier_one_opened(place: Place) -> None:
    place.linked()
    place.provider.factors = {"amr": ["mfa"]}
    with place.client() as left_open, place.client() as own:
        for client in (left_open, own):
            assert place.sign_in(client).status_code == 200
        place.provider.subject = "person-8"
        assert place.link(own).status_code == 303
        assert (place.account(left_open), place.account(own)) == (None, NAME)


def test_a_deactivated_account_gives_its_subject_back(place: Place) -> None:
    place.linked()
    place.people.move(NAME, "deactivated", "has left", actor="usr_admin")
    with place.client() as client:
        assert rule_in(place.sign_in(client)) == "subject_is_linked"
    with place.enter("officer.bob") as bob:
        assert place.link(bob).status_code == 303


def test_a_session_that_goes_on_meanwhile_ends_with_its_provider(place: Place, connect: Connect) -> None:
    """A confirmation gives a session another token, here in a transaction that the end has to wait for."""
    place.linked()
    place.provider.factors = {"amr": ["mfa"]}
    connect("owner").execute(GOES_ON)
    waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%end_provider%'"
    with place.client() as client, connect("access") as first, ThreadPoolExecutor(1) as beside:
        assert place.sign_in(client).status_code == 200
        token, follows = digest(client.cookies["bookrunner_session"]), sha256(b"next").digest()
        with first.transaction():
            first.execute("select api.goes_on(%s, %s)", [token, follows])
            (corp,) = [row["provider_id"] for row in place.providers.listed() if row["name"] == "corp"]
            ended = beside.submit(place.providers.end, corp, "contract ended", actor="usr_one")
            with connect("admin") as seeing:
                while not seeing.execute(waiting).fetchall() and not ended.done():
                    pass
            assert not ended.done()
        ended.result()
        still = connect("owner").execute("select session_id from api.account_session where status = 'open'")
        assert still.fetchall() == []


@pytest.mark.browser
def test_a_link_is_confirmed_by_a_passkey_in_its_own_session(
    place: Place, house: House, browser: Browser
) -> None:
    with device(browser) as page:
        take_up(house, page, NAME, "compliance")
        with page.expect_response("**/confirm") as given:
            page.get_by_role("button", name="Link your account at Corp").click()
        assert given.value.status == 200
        expect(page.get_by_role("button", name="Link it")).to_be_visible()
        back, own = page.url, page.context.cookies()
        # What this session confirmed is not used by another of the same person.
        page.context.clear_cookies()
        page.goto(f"{place.url}/sign-in")
        page.get_by_role("button", name="Use a passkey").click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        other = page.request.post(f"{place.url}/security/recovery", headers={"Origin": place.url})
        assert "decision is confirmed by passkey" in other.text()
        page.context.clear_cookies()
        page.context.add_cookies(own)  # type: ignore[arg-type]
        page.goto(back)
        page.get_by_role("button", name="Link it").click()
        expect(page.get_by_text("linked", exact=True)).to_be_visible()


def is_accessible(page: Page, axe: str, name: str) -> None:
    """Look at a page."""
    for _, width in looks(page):
        keep(page, f"{name}-{width}")
        axe_is_content(page, axe)


@pytest.mark.browser
def test_a_browser_goes_to_a_provider_and_comes_back(place: Place, browser: Browser, axe: str) -> None:
    """The way over another site keeps the strict cookie of the session, under the policy of the pages."""
    place.provider.factors = {"amr": ["mfa"]}
    with device(browser) as page:
        page.goto(f"{place.url}/invitation")
        page.get_by_label("Your invitation").fill(account(place.people))
        page.get_by_role("button", name="Continue").click()
        is_accessible(page, axe, "provider-invitation")
        page.get_by_role("textbox", name="Password").fill(WORDS)
        page.get_by_role("button", name="Set the password").click()
        expect(page.get_by_role("heading", name="How you sign in")).to_be_visible()
        page.get_by_role("button", name="Link your account at Corp").click()
        expect(page.get_by_role("heading", name="Link your account at Corp")).to_be_visible()
        is_accessible(page, axe, "provider-link")
        page.get_by_role("button", name="Link it").click()
        expect(page.get_by_text("linked", exact=True)).to_be_visible()
        is_accessible(page, axe, "provider-security")
        page.get_by_role("button", name="Sign out").click()
        is_accessible(page, axe, "provider-sign-in")
        page.get_by_role("button", name="Use Corp").click()
        expect(page.get_by_role("button", name="Sign out")).to_be_visible()
        page.goto(f"{place.url}/compliance")
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert page.url == f"{place.url}/compliance"
