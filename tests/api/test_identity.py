"""Webhooks of identity providers: the signature decides, the body is sealed, a replay changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import psycopg
import pytest

from bookrunner.adapters.identity import persona, sumsub
from bookrunner.api import api
from bookrunner.app.settings import Settings, identity_providers
from bookrunner.books import compliance
from bookrunner.core import clock
from bookrunner.core.errors import ConfigurationError
from bookrunner.db import Database
from tests.api.conftest import problem
from tests.attack.world import Connect, World
from tests.patience import PATIENT
from tests.serving import serving

SECRET = b"a secret of thirty-two bytes 123"
NAME = "Ada Never-in-plain-text"


@dataclass
class Hooks:
    """A running API that two providers may post to, and the world behind it."""

    url: str
    world: World
    database: Database

    def post(self, provider: str, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
        """Send a message, signed by the provider unless headers are given."""
        signed = {
            "persona": lambda: {"Persona-Signature": persona.sign(body, now=clock.now(), secrets=[SECRET])},
            "sumsub": lambda: dict(sumsub.sign(body, SECRET)),
        }
        sent = signed[provider]() if headers is None else headers
        return httpx.post(
            f"{self.url}/v1/webhooks/identity/{provider}", content=body, headers=sent, timeout=PATIENT
        )

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query of the test."""
        return self.world.login("owner").execute(query.encode()).fetchall()

    def message(self, status: str = "approved", **changed: object) -> bytes:
        """Return Persona's message about the first investor."""
        subject = f"{self.world.id('ivr', 1)}-{'ab' * 32}"
        attributes = {"status": status, "reference-id": subject, "name-first": NAME} | changed
        told = {
            "name": f"inquiry.{status}",
            "created-at": clock.now().isoformat(),
            "payload": {"data": {"type": "inquiry", "id": "inq_1", "attributes": attributes}},
        }
        return json.dumps({"data": {"type": "event", "id": "evt_1", "attributes": told}}).encode()


@pytest.fixture
def hooks(database: Database, connect: Connect) -> Iterator[Hooks]:
    world = World(connect, "hook", 2).build("profiled")
    world.call("compliance.open_case", world.id("ivr", 1), "kyc_hook1", "individual")
    settings = Settings.model_validate(
        {"identity_secrets": {name: {"one": SECRET.decode()} for name in ("persona", "sumsub")}}
    )
    with serving(api(database, providers=identity_providers(settings))) as url:
        yield Hooks(url, world, database)


CASE = "select status from compliance.kyc_case"
KEPT = "select (select count(*) from audit.inbox), (select count(*) from compliance.sealed_file)"


def test_a_signed_approval_verifies_once(hooks: Hooks) -> None:
    body = hooks.message()
    assert hooks.post("persona", body).json() == {"fresh": True}
    assert hooks.rows(CASE) == [("approved",)]
    again = hooks.post("persona", body)
    assert (again.status_code, again.json()) == (202, {"fresh": False})
    assert hooks.rows("select method, verified_by from compliance.identity_snapshot") == [
        ("provider", "provider:persona")
    ]
    assert hooks.rows(KEPT) == [(1, 1)]


def test_the_raw_result_is_sealed_and_opened_by_a_view(hooks: Hooks) -> None:
    body = hooks.message()
    hooks.post("persona", body)
    ((investor, digest, sealed),) = hooks.rows(
        "select investor_id, sha256, sealed from compliance.sealed_file"
    )
    ((inbox,),) = hooks.rows("select body from audit.inbox")
    assert NAME.encode() not in bytes(sealed) + bytes(inbox)
    ((evidence,),) = hooks.rows("select evidence_sha256 from compliance.identity_snapshot")
    assert evidence == digest
    keeper = compliance.keeper(hooks.database)
    shown = compliance.view_file(keeper, investor, bytes(digest), actor="officer.one", purpose="to compare")
    assert shown == body


def test_a_review_of_the_other_provider_is_heard(hooks: Hooks) -> None:
    subject = f"{hooks.world.id('ivr', 1)}-{'cd' * 32}"
    message = {
        "correlationId": "req-1",
        "externalUserId": subject,
        "type": "applicantReviewed",
        "reviewStatus": "completed",
        "createdAtMs": clock.now().strftime("%Y-%m-%d %H:%M:%S.000"),
        "reviewResult": {"reviewAnswer": "RED", "reviewRejectType": "FINAL"},
    }
    assert hooks.post("sumsub", json.dumps(message).encode()).json() == {"fresh": True}
    assert hooks.rows("select status, decided_because from compliance.kyc_case") == [
        ("declined", "declined by provider:sumsub")
    ]


def test_what_is_not_decided_is_kept_and_moves_nothing(hooks: Hooks) -> None:
    hooks.post("persona", hooks.message())
    assert hooks.post("persona", hooks.message("pending")).json() == {"fresh": True}
    assert hooks.rows(CASE) == [("approved",)]
    assert hooks.rows(KEPT) == [(2, 2)]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "headers_are_complete"),
        ({"Persona-Signature": f"t=1,v1={'0' * 64}"}, "timestamp_is_recent"),
        ({"Persona-Signature": "v1=0"}, "headers_follow_grammar"),
        ({"Persona-Signature": "forged"}, "headers_follow_grammar"),
    ],
)
def test_a_bad_signature_keeps_nothing(hooks: Hooks, headers: dict[str, str], code: str) -> None:
    answer = hooks.post("persona", hooks.message(), headers)
    assert (answer.status_code, problem(answer)["code"]) == (401, code)
    assert hooks.rows(KEPT) == [(0, 0)]


def test_another_secret_keeps_nothing(hooks: Hooks) -> None:
    body = hooks.message()
    forged = persona.sign(body, now=clock.now(), secrets=[b"x" * 32])
    answer = hooks.post("persona", body, {"Persona-Signature": forged})
    assert (answer.status_code, problem(answer)["code"]) == (401, "signature_matches")
    assert hooks.rows(KEPT) == [(0, 0)]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{}", "event_has_its_shape"),
        (b"no json at all", "event_has_its_shape"),
    ],
)
def test_a_signed_body_of_another_shape_is_kept(hooks: Hooks, body: bytes, code: str) -> None:
    for _ in range(2):
        answer = hooks.post("persona", body)
        assert (answer.status_code, problem(answer)["code"]) == (422, code)
    assert hooks.rows(KEPT) == [(1, 1)]
    ((scope, digest),) = hooks.rows("select investor_id, sha256 from compliance.sealed_file")
    assert scope == "provider:persona"
    keeper = compliance.keeper(hooks.database)
    shown = compliance.view_file(keeper, scope, bytes(digest), actor="officer.one", purpose="to read it")
    assert shown == body


def test_a_subject_that_names_no_profile_is_kept(hooks: Hooks) -> None:
    answer = hooks.post("persona", hooks.message(**{"reference-id": "somebody"}))
    assert (answer.status_code, problem(answer)["code"]) == (422, "identity_subject_names_its_profile")
    assert hooks.rows(KEPT) == [(1, 1)]
    assert hooks.rows(CASE) == [("pending",)]


def test_an_investor_without_a_case_is_heard_when_there_is_one(hooks: Hooks) -> None:
    subject = f"{hooks.world.id('ivr', 2)}-{'ab' * 32}"
    body = hooks.message(**{"reference-id": subject})
    assert problem(hooks.post("persona", body))["code"] == "identity_case_exists"
    assert hooks.rows(KEPT) == [(0, 1)]
    hooks.world.call("compliance.open_case", hooks.world.id("ivr", 2), "kyc_hook2", "individual")
    assert hooks.post("persona", body).json() == {"fresh": True}


def test_a_body_over_the_limit_is_refused(hooks: Hooks) -> None:
    answer = hooks.post("persona", b"x" * (2**20 + 1))
    assert (answer.status_code, problem(answer)["code"]) == (422, "body_fits_limit")
    assert hooks.rows(KEPT) == [(0, 0)]


@pytest.mark.parametrize("provider", ["standard", "nobody"])
def test_a_provider_that_is_not_set_up_has_no_address(hooks: Hooks, provider: str) -> None:
    answer = hooks.post(provider, b"{}", {})
    assert (answer.status_code, problem(answer)["code"]) == (404, "identity_provider_is_known")


def test_a_contradiction_of_an_officer_is_a_task(hooks: Hooks) -> None:
    with psycopg.connect(hooks.database.endpoint.dsn("compliance"), autocommit=True) as officer:
        investor = hooks.world.id("ivr", 1)
        officer.execute(
            "select compliance.decide_under('officer.one', 'req_d', compliance.programme_in_force()),"
            " compliance.decline_case('officer.one', 'req_d', %s, 2, 'forged')",
            [investor],
        )
    assert hooks.post("persona", hooks.message()).json() == {"fresh": True}
    assert hooks.rows("select because from compliance.discrepancy") == [
        ("the provider says approved of a refused case",)
    ]
    assert hooks.rows(CASE) == [("declined",)]


@pytest.mark.parametrize("secrets", [{"nobody": {"one": "x" * 32}}, {"persona": {"one": "short"}}])
def test_a_setting_that_cannot_be_used_is_a_fault_of_the_set_up(secrets: dict[str, dict[str, str]]) -> None:
    with pytest.raises(ConfigurationError) as fault:
        identity_providers(Settings.model_validate({"identity_secrets": secrets}))
    assert not any(secret in str(fault.value) for keys in secrets.values() for secret in keys.values())
