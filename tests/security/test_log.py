"""What the log says of sign-ins, refusals, lockouts and recoveries, and what it never says."""

from __future__ import annotations

import json
import logging
import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, redirect_stderr
from io import StringIO

import httpx
import pytest
import structlog
import uvicorn
from starlette.types import Receive, Scope, Send

from bookrunner.api import api, issue
from bookrunner.app import Application
from bookrunner.cli.site import serving as production
from bookrunner.core.credentials import digest, make_key, read_key
from bookrunner.core.errors import Refused
from bookrunner.core.log import configure, mark
from bookrunner.pages import web
from bookrunner.pages.access.people.store import People
from tests.pages.test_people import WORDS, account, sign_in, turn_codes_on
from tests.serving import serving

OTHER = "ten loud herons cross"
SECRETS = re.compile(r"bookrunner_[a-z]+_\w+|[a-z]+\.[0-9a-z]{52}|(?:[0-9a-f]{4}-){7}[0-9a-f]{4}")


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    before = {name: logging.getLogger(name).handlers for name in ("uvicorn", "asyncio")}
    yield
    structlog.reset_defaults()
    for name, handlers in before.items():
        logging.getLogger(name).handlers = handlers


@contextmanager
def logged() -> Iterator[StringIO]:
    """Lend what the log writes while the block runs."""
    with redirect_stderr(StringIO()) as told:
        configure(as_json=True)
        yield told


def lines(told: StringIO) -> list[Mapping[str, object]]:
    """Return the lines of a log, each of which is JSON."""
    return [json.loads(line) for line in told.getvalue().splitlines()]


@pytest.fixture
def whole(application: Application) -> Iterator[str]:
    """Serve the API and the pages beside it."""
    with serving(api(application.database, beside=web(application))) as url:
        yield url


@contextmanager
def browsing(url: str) -> Iterator[httpx.Client]:
    """Lend a client that keeps its cookies."""
    with httpx.Client(base_url=url, headers={"Origin": url}, timeout=30) as client:
        yield client


def session_of(client: httpx.Client) -> str:
    """Return the mark of the session that a client has."""
    return mark(digest(client.cookies["bookrunner_session"]))


def test_each_sign_in_stands_in_the_log_and_by_which_means(whole: str, application: Application) -> None:
    people = People(application.database)
    with logged() as told, browsing(whole) as client:
        invitation = account(people)
        client.post("/invitation/password", data={"invitation": invitation, "password": WORDS})
        first = session_of(client)
        client.post("/sign-out")
        for name, password in (("nobody.here", WORDS), ("officer.ada", OTHER)):
            sign_in(client, name=name, password=password)
        sign_in(client)
        second = session_of(client)
        secret = turn_codes_on(client)
        client.post("/invitation", data={"invitation": "no such"})
        client.post("/recovery", data={"recovery": "no such"})
        client.post("/sign-in/passkey", json={"credential": {}})
    said = lines(told)
    (own,) = {line["account"] for line in said if line.get("means") == "invitation" and "account" in line}
    entered = [line for line in said if line["event"] == "a person signed in"]
    assert [(line["means"], line["session"], line["account"]) for line in entered] == [
        ("invitation", first, own),
        ("password", second, own),
    ]
    failed = [line for line in said if line["event"] == "a sign-in is refused"]
    assert [(line["means"], line["rule"], line.get("account")) for line in failed] == [
        ("password", "name_password_and_code_are_right", None),
        ("password", "name_password_and_code_are_right", own),
        ("invitation", "invitation_is_in_force", None),
        ("recovery", "recovery_is_in_force", None),
    ]
    assert len({line["network"] for line in failed[:2]}) == 1
    assert "passkeys_have_their_site" in {line.get("rule") for line in said}
    acts = [line["act"] for line in said if line["event"] == "an act on an account is done"]
    assert acts == ["propose_account", "invite", "accept", "end_account_session", "enroll"]
    for hidden in (WORDS, OTHER, "officer.ada", "nobody.here", invitation, secret, "127.0.0.1"):
        assert hidden not in told.getvalue()
    assert not SECRETS.search(told.getvalue())


def test_a_key_that_signs_in_is_named_by_its_mark(whole: str, application: Application) -> None:
    key = issue(application.endpoint, "officer.key", "compliance", actor="usr_admin")
    with logged() as told, browsing(whole) as client:
        client.post("/sign-in", data={"key": make_key("compliance")})
        client.post("/sign-in", data={"key": key})
        client.post("/sign-out")
    failed, entered, left = lines(told)
    assert (failed["event"], failed["means"], failed["rule"]) == (
        "a sign-in is refused",
        "key",
        "credential_is_in_force",
    )
    assert (entered["event"], entered["credential"]) == ("a person signed in", mark(read_key(key)[1]))
    assert (left["event"], left["session"]) == ("a person signed out", entered["session"])
    assert not SECRETS.search(told.getvalue())
    assert "officer.key" not in told.getvalue()


def test_each_refusal_of_pages_and_api_stands_in_the_log(whole: str, application: Application) -> None:
    key = issue(application.endpoint, "officer.key", "compliance", actor="usr_admin")
    bearer = {"Authorization": f"Bearer {key}", "Idempotency-Key": "mine-1"}
    with browsing(whole) as client, logged() as told:
        client.get("/compliance")
        client.post("/sign-in", data={"key": key})
        session = session_of(client)
        client.get("/treasury")
        client.post("/sign-out", headers={"Origin": "https://elsewhere.example"})
        client.get("/v1/offers")
        client.get("/v1/offers", headers={"Authorization": "Bearer Ada Example, 1 Main Street"})
        client.post("/v1/offers/ofr_one/closings", headers=bearer, json={})
        client.post(
            "/v1/offers/ofr_one/closings", headers={**bearer, "Idempotency-Key": "Ada Example"}, json={}
        )
    said = [line for line in lines(told) if line["event"] != "a person signed in"]
    assert [(line["event"], line["rule"], line["status"], line.get("session")) for line in said] == [
        ("a page is refused", "person_is_signed_in", 401, None),
        ("a page is refused", "key_serves_this_keeper", 403, session),
        ("a page is refused", "write_comes_from_our_own_page", 403, None),
        ("a call is refused", "credential_is_given", 401, None),
        ("a call is refused", "credential_is_in_force", 401, None),
        ("a call is refused", "key_serves_this_keeper", 403, None),
        ("a call is refused", "key_serves_this_keeper", 403, None),
    ]
    refused, unreadable = said[-2:]
    assert (refused["request"], unreadable["request"]) == ("mine-1", "(hidden)")
    assert refused["operation"] == unreadable["operation"]
    assert refused["credential"] == mark(read_key(key)[1])
    assert not SECRETS.search(told.getvalue())
    assert "Ada Example" not in told.getvalue()


def test_what_a_form_refuses_on_its_page_stands_in_the_log(whole: str, application: Application) -> None:
    with browsing(whole) as client:
        said = {"invitation": account(People(application.database)), "password": WORDS}
        client.post("/invitation/password", data=said)
        session = session_of(client)
        with logged() as told:
            refused = client.post("/security/password", data={"present": OTHER, "password": OTHER})
            short = client.post("/security/password", data={"present": WORDS, "password": "vexed"})
        assert (refused.status_code, short.status_code) == (409, 409)
    said = [line for line in lines(told) if line["event"] == "a form is refused"]
    assert [(line["rule"], line["status"], line["session"]) for line in said] == [
        ("present_password_is_right", 409, session),
        ("password_is_long_enough", 409, session),
    ]
    assert not SECRETS.search(told.getvalue())
    for hidden in (WORDS, OTHER, "officer.ada"):
        assert hidden not in told.getvalue()


def test_lockouts_and_recoveries_stand_in_the_log(whole: str, application: Application) -> None:
    people = People(application.database)
    with browsing(whole) as client, logged() as told:
        invitation = account(people)
        client.post("/invitation/password", data={"invitation": invitation, "password": WORDS})
        for _ in range(6):
            sign_in(client, password=OTHER)
        people.move("officer.ada", "locked", "lost a laptop", actor="usr_admin")
        with pytest.raises(Refused):
            people.move("officer.ada", "active", "found", actor="usr_admin")
        recovery = people.recovery_of("officer.ada", actor="usr_admin")
        client.post("/recovery", data={"recovery": recovery})
    said = lines(told)
    waits = [line for line in said if line.get("rule") == "sign_in_waits_after_failures"]
    assert {line["account"] for line in waits} == {line["account"] for line in said if "account" in line}
    assert [line["act"] for line in said if "act" in line][-3:] == [
        "move_account",
        "move_account",
        "ask_recovery",
    ]
    assert "locked_account_is_opened_by_another_person" in {line.get("rule") for line in said}
    for hidden in (recovery, "officer.ada", "usr_admin", "lost a laptop"):
        assert hidden not in told.getvalue()


def test_a_fault_of_ours_is_logged_without_what_it_says() -> None:
    async def faulty(scope: Scope, _: Receive, __: Send) -> None:
        if scope["type"] == "http":
            raise RuntimeError('Ada Example, 123-45-6789\n{"event": "a person signed in"}')

    with logged() as told, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        server = uvicorn.Server(uvicorn.Config(faulty, log_config=None, lifespan="off", ws="none"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [bound]})
        thread.start()
        try:
            answer = httpx.get(f"http://127.0.0.1:{bound.getsockname()[1]}", timeout=30)
            assert answer.status_code == 500
        finally:
            server.should_exit = True
            thread.join(10)
    (fault,) = [line for line in lines(told) if "kind" in line]
    assert (fault["event"], fault["kind"]) == ("Exception in ASGI application", "RuntimeError")
    assert (fault["level"], fault["source"]) == ("error", "uvicorn.error")
    frames = fault["frames"]
    assert isinstance(frames, list)
    assert re.fullmatch(r"[\w.-]*tests\.security\.test_log:\d+", frames[-1])
    assert "Ada Example" not in told.getvalue()


def test_the_server_of_an_installation_writes_lines_of_ours(application: Application) -> None:
    with logged() as told, socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        bound.listen()
        with production(application, bound):
            logging.getLogger("uvicorn.error").warning("Invalid\x1b[31m of %s\nforged", "Ada Example")
    (line,) = [line for line in lines(told) if line.get("source") == "uvicorn.error"]
    assert line["event"] == "Invalid\\x1b[31m of %s"
