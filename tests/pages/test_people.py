"""Accounts at the pages: invitations, passwords with codes, sessions, the security page; without a script."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import httpx
import psycopg
import pyotp
import pytest
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from bookrunner.api import issue
from bookrunner.core import clock
from bookrunner.core.errors import NotAuthenticated, Refused
from bookrunner.db import Endpoint
from bookrunner.pages.access.people import words
from bookrunner.pages.access.people.store import People
from tests.pages.conftest import Site
from tests.patience import PATIENT

Connect = Callable[[str], psycopg.Connection]
WORDS = "nine quiet herons cross"
IDLE = b"update api.account_session_use set used_at = clock_timestamp() - interval '31 minutes'"
FORGET_CODES = b"""
alter table api.used_code disable trigger all;
delete from api.used_code;
alter table api.used_code enable trigger all;
"""
LATER = b"""
alter table api.account_session disable trigger all;
update api.account_session set opened_at = opened_at - interval '16 minutes',
    ends_at = ends_at - interval '16 minutes';
alter table api.account_session enable trigger all;
alter table api.account_session enable always trigger zz_guard;
"""


def account(people: People, name: str = "officer.ada", keeper: str = "compliance") -> str:
    """Make an account that two people granted and return its invitation."""
    people.propose(name, keeper, actor="usr_admin")
    return people.invite(name, actor="usr_second")


@contextmanager
def browsing(site: Site) -> Iterator[httpx.Client]:
    """Lend a client that keeps its cookies."""
    with httpx.Client(base_url=site.url, headers={"Origin": site.url}, timeout=30) as client:
        yield client


@contextmanager
def entered(
    site: Site, people: People, name: str = "officer.ada", keeper: str = "compliance"
) -> Iterator[httpx.Client]:
    """Lend a client of a person who has taken an invitation up with a password."""
    invitation = account(people, name, keeper)
    with browsing(site) as client:
        said = {"invitation": invitation, "password": WORDS}
        answer = client.post("/invitation/password", data=said)
        assert answer.status_code == 303, answer.text
        yield client


@pytest.fixture
def people(site: Site) -> People:
    """Return the accounts of the served world."""
    return People(site.world.database)


def sign_in(client: httpx.Client, **said: str) -> httpx.Response:
    """Sign in with a name and a password."""
    return client.post("/sign-in/password", data={"name": "officer.ada", "password": WORDS, **said})


def turn_codes_on(client: httpx.Client) -> str:
    """Set one-time codes up and return their secret."""
    page = client.post("/security/codes/new").text
    found = re.search(r'name="secret" value="([A-Z2-7]{32})"', page)
    assert found is not None
    with_code(found[1], lambda code: client.post("/security/codes", data={"secret": found[1], "code": code}))
    return found[1]


def with_code(secret: str, send: Callable[[str], httpx.Response]) -> str:
    """Send the code of this moment and return it; one that was over before it came is made anew."""
    for _ in range(3):
        code = pyotp.TOTP(secret).now()
        answer = send(code)
        if answer.status_code == 303:
            return code
    raise AssertionError(answer.text)


def test_an_invitation_opens_an_account_once(site: Site, people: People, connect: Connect) -> None:
    invitation = account(people)
    with browsing(site) as client:
        shown = client.post("/invitation", data={"invitation": invitation})
        assert "officer.ada" in shown.text
        said = {"invitation": invitation, "password": WORDS}
        assert client.post("/invitation/password", data=said).headers["location"] == "/security"
        assert "You are" in client.get("/security").text
        assert client.get("/compliance").status_code == 200
    with browsing(site) as other:
        again = other.post("/invitation/password", data=said)
        assert (again.status_code, "invitation is in force" in again.text) == (401, True)
    told = connect("owner").execute(
        b"""select kind, actor from audit.event
        where kind like any ('{account.%,account_session.%,credential.%}') order by recorded_at"""
    )
    assert told.fetchall() == [
        ("account.proposed", "usr_admin"),
        ("account.granted", "usr_second"),
        ("account.accepted", "officer.ada"),
        ("credential.kept", "officer.ada"),
        ("account_session.opened", "officer.ada"),
    ]


def test_no_secret_of_a_person_is_in_an_event(site: Site, people: People, connect: Connect) -> None:
    with entered(site, people) as client:
        secret = turn_codes_on(client)
        client.post("/security/recovery")
    told = connect("owner").execute(
        b"select string_agg(canonical, ' ') from audit.event where kind like any ('{account%,credential%}')"
    )
    (text,) = told.fetchone() or ("",)
    assert not [word for word in ("argon2", secret, "public_key", "sha256") if word in text]


@pytest.mark.parametrize(
    ("password", "rule"),
    [
        ("too short", "password is long enough"),
        ("officer.ada-compliance-1", "password is no common one"),
        ("passwordpassword1234", "password is no common one"),
        ("1234567890123456789", "password is no common one"),
        ("lalalalalalalalala", "password is no common one"),
        ("liverpoolchelsea", "password is no common one"),
        ("qwertyuiopasdfghjkl", "password is no common one"),
        ("sunshine1234567", "password is no common one"),
        (f"{WORDS} and {'x' * 300}", "password is not too long"),
    ],
)
def test_a_bad_password_is_refused(site: Site, people: People, password: str, rule: str) -> None:
    invitation = account(people)
    with browsing(site) as client:
        said = {"invitation": invitation, "password": password}
        assert rule in client.post("/invitation/password", data=said).text
        assert client.get("/security").status_code == 303


def test_name_and_password_sign_in_and_nothing_says_which_is_wrong(site: Site, people: People) -> None:
    with entered(site, people) as client:
        assert client.post("/sign-out").status_code == 303
        assert client.get("/security").status_code == 303
        wrong = sign_in(client, password="ten loud herons cross")
        unknown = sign_in(client, name="nobody.here")
        assert wrong.status_code == unknown.status_code == 401
        rendered = re.compile(r"<footer.*|nonce=\"[^\"]*\"", re.DOTALL)
        assert rendered.sub("", wrong.text) == rendered.sub("", unknown.text)
        assert sign_in(client).status_code == 303
        assert client.get("/compliance").status_code == 200


def test_a_one_time_code_counts_once(site: Site, people: People, connect: Connect) -> None:
    with entered(site, people) as client:
        secret = turn_codes_on(client)
        client.post("/sign-out")
        assert sign_in(client).status_code == 401
        (used,) = connect("owner").execute(b"select max(step) from api.used_code").fetchone() or (0,)
        # The code that turned codes on is used up, and the one before it is over.
        for step in (used, used - 1):
            assert sign_in(client, code=pyotp.TOTP(secret).generate_otp(step)).status_code == 401
        connect("admin").execute(FORGET_CODES)
        once = with_code(secret, lambda code: sign_in(client, code=code))
        assert sign_in(client, code=once).status_code == 401


def test_a_code_lives_for_its_step_alone() -> None:
    secret = words.new_secret()
    made, now = pyotp.TOTP(secret), int(clock.now().timestamp()) // words.STEP_SECONDS
    assert words.step_of(secret, made.generate_otp(now - 1)) is None
    assert any(words.step_of(secret, made.now()) for _ in range(3))


def test_a_recovery_code_signs_in_once(site: Site, people: People) -> None:
    with entered(site, people) as client:
        turn_codes_on(client)
        shown = client.post("/security/recovery").text
        codes = re.findall(r'<li class="id">([0-9a-f-]+)</li>', shown)
        assert len(set(codes)) == 10
        assert {len(code.replace("-", "")) * 4 for code in codes} == {128}
        assert codes[0] not in client.get("/security").text
        assert sign_in(client, code=codes[0].upper()).status_code == 303
        assert sign_in(client, code=codes[0]).status_code == 401
        assert "9 left" in client.get("/security").text


def test_tries_wait_after_failures(site: Site, people: People) -> None:
    with entered(site, people) as client:
        for _ in range(5):
            assert sign_in(client, password="ten loud herons cross").status_code == 401
        answer = sign_in(client)
        assert (answer.status_code, "sign in waits after failures" in answer.text) == (401, True)
        # Whoever is in stays in: a stranger's tries shut nobody out.
        assert client.get("/security").status_code == 200


def test_another_session_is_ended_from_here(site: Site, people: People) -> None:
    with entered(site, people) as here, browsing(site) as there:
        assert sign_in(there).status_code == 303
        page = here.get("/security").text
        (other,) = re.findall(r'action="/security/sessions/([^/]+)/end"', page)
        assert here.post(f"/security/sessions/{other}/end").status_code == 303
        assert there.get("/compliance").status_code == 303
        assert here.get("/compliance").status_code == 200


def test_a_session_of_an_account_ends_by_itself(site: Site, people: People, connect: Connect) -> None:
    with entered(site, people) as client:
        connect("owner").execute(IDLE)
        assert client.get("/compliance").status_code == 303


def test_deactivation_ends_sessions_and_keys_at_once(site: Site, people: People, endpoint: Endpoint) -> None:
    with entered(site, people) as client, browsing(site) as program:
        key = issue(endpoint, "officer.ada~laptop", "compliance", actor="usr_admin")
        assert program.post("/sign-in", data={"key": key}).status_code == 303
        assert "officer.ada~laptop" in client.get("/security").text
        people.move("officer.ada", "deactivated", "left", actor="usr_second")
        assert client.get("/compliance").status_code == 303
        assert program.get("/compliance").status_code == 303
        assert sign_in(client).status_code == 401
        assert program.post("/sign-in", data={"key": key}).status_code == 401


def test_credentials_change_soon_after_signing_in(site: Site, people: People, connect: Connect) -> None:
    with entered(site, people) as client:
        connect("admin").execute(LATER)
        refused = client.post("/security/recovery")
        assert "credentials change soon after signing in" in refused.text
        assert 'id="codes"' not in refused.text


def test_the_three_thousand_most_common_passwords_are_refused() -> None:
    common = [each for each in FREQUENCY_LISTS["passwords"] if len(each) >= words.WITH_CODE]
    assert len(common) > 3000
    for password in (*common[:3000], *[each for each in common if len(each) >= words.ALONE]):
        with pytest.raises(Refused) as refused:
            words.check_password(password, (), with_code=True)
        assert refused.value.rule == "password_is_no_common_one", password
    for password in (WORDS, "ten loud herons cross"):
        words.check_password(password, ("officer.ada", "compliance"), with_code=False)


def test_a_change_of_the_password_says_the_present_one(site: Site, people: People) -> None:
    other = "seven amber lamps drift"
    with entered(site, people) as client:
        assert 'name="present"' in client.get("/security").text
        for present in ("", other, WORDS.upper()):
            refused = client.post("/security/password", data={"present": present, "password": other})
            assert (refused.status_code, "present password is right" in refused.text) == (409, True)
        said = {"present": WORDS, "password": other}
        assert client.post("/security/password", data=said).status_code == 303
        assert sign_in(client).status_code == 401
        assert sign_in(client, password=other).status_code == 303
        for _ in range(5):
            client.post("/security/password", data={"present": WORDS, "password": other})
        waits = client.post("/security/password", data={"present": other, "password": WORDS})
        assert "sign in waits after failures" in waits.text


@pytest.mark.parametrize("said", [f"{WORDS}x", WORDS.title(), f" {WORDS}", WORDS[:-1]])
def test_a_password_is_compared_exactly_as_it_came(said: str) -> None:
    assert not words.is_password(words.encoded(WORDS), said)


def test_no_character_of_a_long_password_is_left_out() -> None:
    longest = f"{WORDS} " * 11
    assert words.is_password(words.encoded(longest), longest)
    assert not words.is_password(words.encoded(longest), f"{longest}{'x' * 300}")


def test_the_last_way_in_stays(site: Site, people: People) -> None:
    with entered(site, people) as client:
        page = client.get("/security").text
        (kept,) = re.findall(r'action="/security/credentials/([^/]+)/end"', page)
        assert "account keeps a way in" in client.post(f"/security/credentials/{kept}/end").text
        assert sign_in(client).status_code == 303


def test_a_short_password_leaves_with_the_codes(site: Site, people: People) -> None:
    with entered(site, people) as client:
        turn_codes_on(client)
        said = {"present": WORDS, "password": "vexed owl"}
        assert client.post("/security/password", data=said).status_code == 303
        page = client.get("/security").text
        ends = re.findall(r'credentials/([^/]+)/end"><button class="second">End ([a-z -]+)<', page)
        codes = next(kept for kept, name in ends if name == "one-time codes")
        assert "account keeps a way in" in client.post(f"/security/credentials/{codes}/end").text


def test_signing_in_anew_ends_the_session_before(site: Site, people: People) -> None:
    with entered(site, people) as client:
        before = dict(client.cookies)
        assert sign_in(client).status_code == 303
        assert httpx.get(f"{site.url}/compliance", cookies=before, timeout=PATIENT).status_code == 303


def test_one_account_is_of_one_keeper(site: Site, people: People) -> None:
    with entered(site, people) as client:
        assert client.get("/treasury").status_code == 403


@pytest.mark.parametrize("second", ["usr_admin", "key:usr_admin", "key:usr_admin~x"])
def test_an_account_is_granted_by_another_person(people: People, second: str) -> None:
    people.propose("fund.flo", "treasury", actor="usr_admin")
    with pytest.raises(Refused) as refused:
        people.invite("fund.flo", actor=second)
    assert refused.value.rule == "account_needs_two_people"


def test_an_investors_account_needs_no_second_person(people: People) -> None:
    people.propose("ivr_0001", "portal", actor="usr_admin")
    assert people.invite("ivr_0001", actor="usr_admin").startswith("portal.")


def test_no_login_of_a_keeper_makes_a_way_in(connect: Connect) -> None:
    for login in (
        "portal",
        "compliance",
        "subscription",
        "treasury",
        "registry",
        "engine",
        "audit",
        "issuer",
    ):
        for attempt in (
            b"select api.propose_account('a', 'r', 'acc_x', 'thief', 'treasury', null)",
            b"select api.sign_in('r', 'acc_x', 'crd_x', 'ses_x', sha256('x'), 'passkey', null)",
            b"select secret from api.credential",
            b"insert into api.account_session (session_id) values ('ses_x')",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connect(login).execute(attempt)


def test_a_locked_account_is_opened_by_another_person(people: People, site: Site) -> None:
    with entered(site, people) as client:
        people.move("officer.ada", "locked", "lost a laptop", actor="usr_admin")
        assert client.get("/compliance").status_code == 303
        for actor in ("usr_admin", "key:usr_admin", "officer.ada"):
            with pytest.raises(Refused) as refused:
                people.move("officer.ada", "active", "found", actor=actor)
            assert refused.value.rule == "locked_account_is_opened_by_another_person"
        people.move("officer.ada", "active", "found", actor="usr_second")
        assert sign_in(client).status_code == 303


def test_a_person_makes_credentials_for_itself_alone(people: People, site: Site) -> None:
    with entered(site, people) as client:
        row = people.of(client.cookies["bookrunner_session"])
        with pytest.raises(Refused) as refused:
            people.enroll({**row, "name": "usr_admin"}, {"kind": "recovery_codes"})
    assert refused.value.rule == "credential_is_kept_by_its_own_person"


def test_an_unknown_token_is_nobody(people: People) -> None:
    with pytest.raises(NotAuthenticated):
        people.of("compliance.unknown")
