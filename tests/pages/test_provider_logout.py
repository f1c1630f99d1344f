"""What a provider signs out, or opens again, leaves nothing open that was before; ends and links in turn."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256

import httpx
import psycopg
import pytest
from joserfc.jwk import ECKey

from bookrunner.adapters.identity import Registration
from bookrunner.core.credentials import digest
from tests.pages.provider import CLIENT, SECRET, providing
from tests.pages.test_passkeys import house
from tests.pages.test_people import WORDS
from tests.pages.test_providers import GOES_ON, NAME, Place, granted, place, rule_in, shared, unsigned

__all__ = ["house", "place"]

Connect = Callable[[str], psycopg.Connection]
PATH = "/sign-in/with/corp/logout"
OPEN = b"select how from api.account_session where status = 'open' order by opened_at"


def told(place: Place, token: str, path: str = PATH) -> httpx.Response:
    """Send a logout token as the server of a provider does: without a cookie and without an origin."""
    return httpx.post(place.url + path, data={"logout_token": token}, timeout=30)


def opened(connect: Connect) -> list[str]:
    """Return how each session that is open was opened."""
    return [how for (how,) in connect("owner").execute(OPEN)]


def test_a_provider_signs_its_person_out_of_what_it_opened(place: Place, connect: Connect) -> None:
    place.linked()
    with place.client() as one, place.client() as two, place.client() as other:
        for client in (one, two):
            assert place.sign_in(client).status_code == 200
        said = {"name": NAME, "password": WORDS}
        assert other.post("/sign-in/password", data=said).status_code == 303
        answer = told(place, place.provider.logout())
        assert (answer.status_code, answer.text, answer.headers["cache-control"]) == (200, "", "no-store")
        assert [place.account(client) for client in (one, two, other)] == [None, None, NAME]
    ended = connect("owner").execute(
        b"select distinct ended_by from api.account_session where how = 'provider' and status = 'ended'"
    )
    assert [by.startswith("provider:prv_") for (by,) in ended] == [True]


def test_one_session_of_a_provider_ends_by_its_name_there(place: Place) -> None:
    place.linked()
    with place.client() as one, place.client() as two:
        for client, name in ((one, "there-1"), (two, "there-2")):
            place.provider.changes = {"sid": name}
            assert place.sign_in(client).status_code == 200
        assert told(place, place.provider.logout({"sub": None, "sid": "there-1"})).status_code == 200
        assert [place.account(client) for client in (one, two)] == [None, NAME]
        # Of another person the name of the session is no name of this one's.
        assert told(place, place.provider.logout({"sub": "person-9", "sid": "there-3"})).status_code == 200
        assert place.account(two) == NAME
        assert told(place, place.provider.logout({"sid": "there-2"})).status_code == 200
        assert place.account(two) is None


def test_a_session_that_goes_on_under_another_token_keeps_its_name_there(
    place: Place, connect: Connect
) -> None:
    place.linked()
    connect("owner").execute(GOES_ON)
    place.provider.changes = {"sid": "there-1"}
    waiting = "select from pg_stat_activity where wait_event_type = 'Lock' and query like '%hear_logout%'"
    with place.client() as client, connect("access") as first, ThreadPoolExecutor(1) as beside:
        assert place.sign_in(client).status_code == 200
        token = digest(client.cookies["bookrunner_session"])
        with first.transaction():
            first.execute("select api.goes_on(%s, %s)", [token, sha256(b"next").digest()])
            heard = beside.submit(told, place, place.provider.logout({"sub": None, "sid": "there-1"}))
            with connect("admin") as seeing:
                while not seeing.execute(waiting).fetchall() and not heard.done():
                    pass
            assert not heard.done()
        assert heard.result().status_code == 200
    assert opened(connect) == []


def test_a_logout_token_that_does_not_hold_ends_nothing(place: Place) -> None:
    place.linked()
    now, provider = int(time.time()), place.provider
    event = "http://schemas.openid.net/event/backchannel-logout"
    with place.client() as client:
        assert place.sign_in(client).status_code == 200
        for changes in (
            {"iss": "https://other.example"},
            {"iss": None},
            {"aud": "another"},
            {"aud": None},
            {"events": None},
            {"events": {}},
            {"events": {event: True}},
            {"events": [event]},
            {"nonce": "one"},
            {"sub": None},
            {"sub": ""},
            {"sub": 7},
            {"sub": "x" * 256},
            {"sid": ""},
            {"sid": 7},
            {"jti": None},
            {"jti": ""},
            {"jti": 7},
            {"iat": None},
            {"iat": now - 3600, "exp": now + 120},
            {"iat": now + 3600, "exp": now + 7200},
            {"exp": None},
            {"exp": now - 3600, "iat": now - 7200},
        ):
            answer = told(place, provider.logout(changes))
            assert (answer.status_code, answer.json()["error"]) == (400, "invalid_request"), changes
            assert answer.json()["error_description"] == "logout_token_holds", changes
            assert answer.headers["cache-control"] == "no-store"
        for header in ({"typ": "at+jwt"}, {"kid": "another"}):
            assert told(place, provider.logout(header=header)).status_code == 400, header
        for sign in (unsigned, shared):
            provider.sign = sign
            assert told(place, provider.logout()).status_code == 400
        provider.sign = None
        provider.signer = ECKey.generate_key("P-256", {"kid": "key-1", "use": "sig"})
        assert told(place, provider.logout()).status_code == 400
        provider.signer = provider.key
        for token in ("", "x", "a.b.c", provider.logout() + "x", "x" * 9000, provider.token("n")):
            assert told(place, token).status_code in {400, 422}
        assert told(place, provider.logout(), "/sign-in/with/none/logout").status_code == 400
        assert place.account(client) == NAME
        assert told(place, provider.logout(header={"typ": "Logout+JWT"})).status_code == 200
        assert place.account(client) is None


@pytest.mark.parametrize("kind", ["JWT", "jwt"])
def test_a_logout_token_of_the_plain_type_is_heard(place: Place, kind: str) -> None:
    place.linked()
    with place.client() as client:
        assert place.sign_in(client).status_code == 200
        assert told(place, place.provider.logout(header={"typ": kind})).status_code == 200
        assert place.account(client) is None


def test_a_logout_token_counts_once(place: Place) -> None:
    place.linked()
    token = place.provider.logout()
    assert told(place, token).status_code == 200
    with place.client() as client:
        assert place.sign_in(client).status_code == 200
        again = told(place, token)
        assert (again.status_code, again.json()["error_description"]) == (400, "logout_is_heard_once")
        assert place.account(client) == NAME


def test_another_provider_signs_nobody_out(place: Place) -> None:
    """The same subject and the same session at another provider are another person's."""
    place.linked()
    with providing() as other, place.client() as client:
        own = Registration(other.url, CLIENT, SECRET, frozenset(), frozenset())
        granted(place.providers, "other", own)
        place.provider.changes = {"sid": "there-1"}
        assert place.sign_in(client).status_code == 200
        token = other.logout({"sid": "there-1"})
        assert told(place, token).status_code == 400
        assert told(place, token, "/sign-in/with/other/logout").status_code == 200
        assert place.account(client) == NAME


def test_whoever_sends_tokens_makes_us_ask_for_keys_rarely(place: Place) -> None:
    for _ in range(3):
        assert told(place, place.provider.logout()).status_code == 200
    assert (place.provider.looked_at, place.provider.keys_asked) == (1, 1)


@pytest.mark.parametrize("goes_on", [False, True])
def test_the_earlier_session_of_a_browser_ends_when_it_signs_in_at_a_provider(
    place: Place, connect: Connect, *, goes_on: bool
) -> None:
    place.linked()
    connect("owner").execute(GOES_ON)
    with place.client() as client:
        assert client.post("/sign-in/password", data={"name": NAME, "password": WORDS}).status_code == 303
        back = place.leave(client)
        token = digest(client.cookies["bookrunner_session"])
        if goes_on:
            connect("access").execute("select api.goes_on(%s, %s)", [token, sha256(b"next").digest()])
        # The strict cookie of the session stays away from what another site leads to.
        client.cookies.delete("bookrunner_session")
        assert client.get(back).status_code == 200
        assert place.account(client) == NAME
    assert opened(connect) == ["provider"]


def test_the_way_of_a_browser_is_read_whole_or_not_at_all(place: Place) -> None:
    place.linked()
    with place.client() as client:
        for broken in ("", ".", "a.b.c.d", "....", "x" * 4000):
            back = place.leave(client)
            client.cookies.clear()
            client.cookies.set("bookrunner_way", broken)
            assert rule_in(client.get(back)) == "sign_in_began_in_this_browser"


def test_a_link_that_is_begun_is_waited_for_and_its_account_is_held(place: Place, connect: Connect) -> None:
    """The end comes while a link is not committed; it ends the link, and holds the account while it does."""
    waits = "select from pg_locks where locktype = 'advisory' and not granted"
    ((corp,),) = connect("owner").execute("select provider_id from api.sign_in_provider").fetchall()
    kept = json.dumps({"kind": "provider", "provider_id": corp, "subject": "ab" * 32})
    end = "select api.end_provider('usr_one', 'req_end', %s, 'contract ended')"
    with place.enter() as client, connect("access") as linking, connect("access") as ending:
        session = digest(client.cookies["bookrunner_session"])
        ((account_id, session_id),) = linking.execute(
            "select account_id, session_id from api.account_session where session_sha256 = %s", [session]
        ).fetchall()
        with ThreadPoolExecutor(1) as beside, ending.transaction():
            with linking.transaction():
                linking.execute(
                    "select api.enroll(%s, 'req_link', %s, %s, 'crd_link', %s, '{}')",
                    [NAME, account_id, session_id, kept],
                )
                ended = beside.submit(ending.execute, end, [corp])
                with connect("admin") as seeing:
                    while not seeing.execute(waits).fetchall() and not ended.done():
                        pass
                assert not ended.done()
            ended.result()
            with pytest.raises(psycopg.errors.LockNotAvailable):
                connect("owner").execute(
                    "select from api.account where account_id = %s for share nowait", [account_id]
                )
        status = "select status from api.credential where credential_id = 'crd_link'"
        assert connect("owner").execute(status).fetchall() == [("ended",)]
