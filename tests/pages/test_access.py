"""Signing in, the session, and what each kind of visitor may open, without a browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import httpx
import psycopg
import pytest

from bookrunner.api import issue, revoke
from bookrunner.core.credentials import digest, make_key, make_token
from bookrunner.core.errors import NotAuthenticated
from bookrunner.db import Endpoint, load
from bookrunner.pages.access.door import inside
from tests.pages.conftest import Site
from tests.pages.officers import PERSON, Work
from tests.pages.world import OFFERING
from tests.patience import PATIENT

Connect = Callable[[str], psycopg.Connection]
SHORT = b"""
insert into api.key (name, key_sha256, keeper, issued_by, issued_at, expires_at)
values ('short', %s, 'compliance', 'usr_admin', clock_timestamp() - interval '1 day',
    clock_timestamp() + interval '1 hour')
"""
# Only time itself may end a key, so its guard is off while an hour passes.
AN_HOUR_LATER = b"""
alter table api.session disable trigger all;
update api.session s set opened_at = opened_at - interval '1 hour', ends_at = s.ends_at - interval '1 hour'
from api.key k where k.name = 'short' and k.name = s.key_name and k.expires_at = s.ends_at;
alter table api.session enable trigger all
"""


class Served(Protocol):
    """What is served somewhere."""

    @property
    def url(self) -> str: ...


@contextmanager
def visitor(site: Served, key: str) -> Iterator[httpx.Client]:
    """Lend a client of a person who has signed in."""
    with httpx.Client(base_url=site.url, headers={"Origin": site.url}, timeout=30) as client:
        assert client.post("/sign-in", data={"key": key}).status_code == 303
        yield client


def test_a_session_is_opened_by_a_key_and_ended_by_signing_out(site: Site, endpoint: Endpoint) -> None:
    key = issue(endpoint, "officer.ana", "compliance", actor="usr_admin")
    with visitor(site, key) as client:
        page = client.get("/compliance")
        assert "officer.ana" in page.text
        assert page.headers["cache-control"] == "no-store"
        kept = dict(client.cookies)
        assert client.post("/sign-out").headers["location"] == "/sign-in"
        assert not client.cookies
        again = httpx.get(f"{site.url}/compliance", cookies=kept, timeout=PATIENT)
        assert (again.status_code, again.headers["location"]) == (303, "/sign-in?next=%2Fcompliance")


def test_the_cookie_is_for_the_server_alone(site: Site, endpoint: Endpoint) -> None:
    key = issue(endpoint, "officer.ana", "compliance", actor="usr_admin")
    entered = httpx.post(
        f"{site.url}/sign-in", data={"key": key}, headers={"Origin": site.url}, timeout=PATIENT
    )
    cookie = entered.headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= {part.strip() for part in cookie.split(";")}
    assert "Max-Age=28" in cookie
    assert key not in cookie


def test_only_the_digest_of_a_session_is_kept(site: Site, endpoint: Endpoint, connect: Connect) -> None:
    key = issue(endpoint, "officer.ana", "compliance", actor="usr_admin")
    with visitor(site, key) as client:
        token = client.cookies["bookrunner_session"]
    rows = connect("owner").execute(b"select session_sha256, key_name from api.session").fetchall()
    assert rows == [(digest(token), "officer.ana")]


def test_an_unknown_key_is_refused_in_words(site: Site) -> None:
    for key in ("", "no key", make_key("compliance"), make_key("compliance")[:-1] + "x"):
        answer = httpx.post(
            f"{site.url}/sign-in", data={"key": key}, headers={"Origin": site.url}, timeout=PATIENT
        )
        assert answer.status_code == 401
        assert "Refused: credential is in force" in answer.text
        assert "set-cookie" not in answer.headers


def test_a_token_that_was_never_given_is_nobody(site: Site) -> None:
    for token in ("", "compliance.short", make_token("compliance"), make_token("engine"), "x\u00e9"):
        cookie = {"Cookie": f"bookrunner_session={token}".encode()}
        assert httpx.get(f"{site.url}/compliance", headers=cookie, timeout=PATIENT).status_code == 303


def test_another_keepers_person_is_turned_away(site: Site, endpoint: Endpoint) -> None:
    with visitor(site, issue(endpoint, "fund.flo", "treasury", actor="usr_admin")) as client:
        answer = client.get("/compliance")
        assert answer.status_code == 403
        assert "Refused: key serves this keeper" in answer.text
        assert "fund.flo" in answer.text


def test_a_revoked_key_ends_its_sessions(site: Site, endpoint: Endpoint) -> None:
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as client:
        assert client.get("/compliance").status_code == 200
        revoke(endpoint, "officer.ana", actor="usr_admin")
        assert client.get("/compliance").status_code == 303


def test_a_session_never_outlives_its_key(site: Site, connect: Connect) -> None:
    key = make_key("compliance")
    connect("owner").execute(SHORT, [digest(key)])
    with visitor(site, key) as client:
        kept = {"bookrunner_session": str(client.cookies.get("bookrunner_session"))}
        assert httpx.get(f"{site.url}/compliance", cookies=kept, timeout=PATIENT).status_code == 200
        connect("admin").execute(AN_HOUR_LATER)
        assert httpx.get(f"{site.url}/compliance", cookies=kept, timeout=PATIENT).status_code == 303


IDLE = "update api.session_use set used_at = clock_timestamp() - make_interval(mins => %s)"


def test_an_idle_session_is_over(site: Site, endpoint: Endpoint, connect: Connect) -> None:
    owner = connect("owner")
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as client:
        owner.execute(IDLE.encode(), [29])
        assert client.get("/compliance").status_code == 200
        owner.execute(IDLE.encode(), [31])
        answer = client.get("/compliance")
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2Fcompliance")


def test_what_a_page_fetches_by_itself_keeps_no_session_alive(
    site: Site, endpoint: Endpoint, connect: Connect
) -> None:
    owner = connect("owner")
    fresh = b"select used_at > clock_timestamp() - interval '1 minute' from api.session_use"
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as client:
        owner.execute(IDLE.encode(), [20])
        assert client.get("/compliance/now", headers={"HX-Request": "true"}).status_code == 200
        assert owner.execute(fresh).fetchall() == [(False,)]
        assert client.get("/compliance").status_code == 200
        assert owner.execute(fresh).fetchall() == [(True,)]


def test_the_login_of_another_keeper_does_not_know_a_session(site: Site, endpoint: Endpoint) -> None:
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as client:
        session = digest(client.cookies["bookrunner_session"])
    queries = load("bookrunner.pages.access")
    with (
        pytest.raises(NotAuthenticated) as refused,
        site.world.database.transaction("treasury") as transaction,
    ):
        queries.session_of(transaction, session=session, is_act=True)
    assert refused.value.rule == "session_is_in_force"


def test_a_session_ends_after_it_begins(connect: Connect) -> None:
    with pytest.raises(psycopg.errors.CheckViolation) as broken:
        connect("owner").execute(
            b"insert into api.session (session_sha256, key_name, ends_at) "
            b"values (sha256('x'), 'none', '-infinity')"
        )
    assert broken.value.diag.constraint_name == "session_ends_after_it_begins"


def test_signing_in_leads_nowhere_else(site: Site, endpoint: Endpoint) -> None:
    key = issue(endpoint, "officer.ana", "compliance", actor="usr_admin")
    for path in ("//elsewhere.example", "https://elsewhere.example", "/\\elsewhere.example"):
        asked = {"key": key, "next": path}
        entered = httpx.post(f"{site.url}/sign-in", data=asked, headers={"Origin": site.url}, timeout=PATIENT)
        assert entered.headers["location"] == "/"


def test_a_write_from_elsewhere_is_refused(site: Site) -> None:
    for path in ("/sign-in", "/sign-out", "/compliance/work"):
        for headers in ({}, {"Origin": "https://elsewhere.example"}):
            answer = httpx.post(site.url + path, data={"key": "x"}, headers=headers, timeout=PATIENT)
            assert answer.status_code == 403
            assert "write_comes_from_our_own_page" in answer.text


def test_a_decision_without_a_session_asks_to_sign_in(site: Site) -> None:
    answer = httpx.post(
        f"{site.url}/compliance/hits/ivr_0001/hit_1",
        data={"seen": 1},
        headers={"Origin": site.url},
        timeout=PATIENT,
    )
    assert answer.status_code == 401
    assert "Nothing was changed" in answer.text


def test_who_is_signed_in_asks_for_the_closing(site: Site, endpoint: Endpoint, connect: Connect) -> None:
    with visitor(site, issue(endpoint, "operator.otto", "engine", actor="usr_admin")) as client:
        closed = client.post(f"/offers/{OFFERING}/close", data={"set": "ready"})
        assert closed.status_code == 303
    (row,) = connect("owner").execute(b"select proposed_by from engine.closing").fetchall()
    assert row == ("key:operator.otto",)


def test_nobodys_data_is_on_a_page_before_its_view_is_recorded(
    site: Site, endpoint: Endpoint, connect: Connect
) -> None:
    work = Work(site.world.database)
    work.hit(PERSON, "Victor Sokolov")
    work.change()
    (hit,) = connect("owner").execute(b"select hit_id from compliance.hit").fetchone() or ("",)
    views = b"select count(*) from audit.event where kind in ('personal_view.viewed', 'hit_view.viewed')"
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as client:
        shown = {
            f"/compliance/hits/{PERSON}/{hit}": "Victor Sokolov",
            "/compliance/cases/ivr_0002/change/chg_name": "Investor 0002-Hale",
            f"/compliance/cases/{PERSON}": "Investor 0001",
        }
        for number, (path, name) in enumerate(shown.items()):
            masked = client.get(path).text
            for secret in (name, "Investor 0001", "Investor 0002", "example.org", "1 Example Street"):
                assert secret not in masked
            verb = "personal" if name == "Investor 0001" else "show"
            asked = {"purpose": "to compare", "version": "1"}
            assert name in client.post(f"{path}/{verb}", data=asked).text
            assert connect("owner").execute(views).fetchone() == (number + 1,)
            refused = client.post(f"{path}/{verb}", data={"purpose": " ", "version": "1"})
            assert refused.status_code == 409
            assert "Refused: view says its purpose" in refused.text
            assert name not in refused.text


def test_what_does_not_exist_is_not_found(site: Site, endpoint: Endpoint) -> None:
    paths = (
        "cases/ivr_none",
        "hits/ivr_0001/hit_none",
        "cases/ivr_0001/change/chg_none",
        "cases/ivr_0001/hit/x",
    )
    with visitor(site, issue(endpoint, "officer.ana", "compliance", actor="usr_admin")) as client:
        for path in (*paths, "cases/ivr_0001/none/x", "cases/ivr_0001/diligence/edd_none"):
            assert client.get(f"/compliance/{path}").status_code == 404
        decided = client.post("/compliance/hits/ivr_0001/hit_none", data={"seen": 1, "choice": "no_match"})
        assert decided.status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/a\\b",
        "https://evil.example",
        "",
    ],
)
def test_what_could_lead_elsewhere_leads_to_the_start(path: str) -> None:
    assert inside(path) == "/"
    assert inside("/offers/ofr_one") == "/offers/ofr_one"
