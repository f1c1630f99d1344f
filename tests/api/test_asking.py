"""An identity provider that is asked: its answer goes the way of a posted message, once."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from bookrunner.adapters.identity import webhook
from bookrunner.api import api
from bookrunner.app.settings import Settings, identity_providers, inquiry_providers
from bookrunner.books import compliance
from bookrunner.core import clock
from bookrunner.core.errors import ConfigurationError, Refused
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.intake import ask_identity
from bookrunner.sandbox.entering.provider import conclude, configure
from tests.attack.world import Connect, World
from tests.identity.inquiries import answering, running
from tests.patience import PATIENT
from tests.serving import serving

SECRET = b"a secret of thirty-two bytes 123"
SHOWN = "whsec_" + base64.b64encode(SECRET).decode()
CREDENTIAL = "a credential of the sandbox"
OFFICER = "key:officer.ana"


@dataclass
class Inquiries:
    """The sandbox provider at work, the desk that asks it, and the world behind."""

    folder: Path
    url: str
    world: World
    database: Database

    @property
    def investor(self) -> str:
        """The investor who is asked about."""
        return self.world.id("ivr", 1)

    def subject(self) -> str:
        """Return the name under which the provider knows the investor's present profile."""
        ((digest,),) = self.rows("select detail_digest from portal.profile where investor_id like '%1'")
        return f"{self.investor}-{bytes(digest).hex()}"

    def rows(self, query: str) -> list[tuple[Any, ...]]:
        """Return the rows of a query of the test."""
        return self.world.login("owner").execute(query.encode()).fetchall()

    def event(
        self, outcome: str = "approved", *, name: str = "evt_1", at: datetime | None = None
    ) -> dict[str, str]:
        """Return an event about the investor as the provider has it."""
        return {
            "event_id": name,
            "kind": "identity.completed",
            "subject": self.subject(),
            "outcome": outcome,
            "evidence_sha256": "ab" * 32,
            "occurred_at": (at or clock.now()).isoformat(),
        }

    def knows(self, event: dict[str, str]) -> dict[str, str]:
        """Let the provider answer with an event from now on."""
        conclude(self.folder, {self.subject(): event})
        return event

    def ask(self, url: str = "", *, provider: str = "standard", actor: str = OFFICER) -> bool:
        """Ask the provider, or whoever is at another address."""
        settings = Settings.model_validate(
            {
                "identity_inquiries": {provider: {"url": url or self.url, "credential": CREDENTIAL}},
                "identity_secrets": {"standard": {"one": SHOWN}},
            }
        )
        remote, secrets = inquiry_providers(settings)[provider]
        return ask_identity(Desk(self.database), remote, secrets, self.investor, actor=actor)


@pytest.fixture
def inquiries(database: Database, connect: Connect, tmp_path: Path) -> Iterator[Inquiries]:
    world = World(connect, "ask", 1).build("profiled")
    world.call("compliance.open_case", world.id("ivr", 1), "kyc_ask1", "individual")
    configure(tmp_path, secret=SHOWN, credential=CREDENTIAL)
    with running(tmp_path) as url:
        yield Inquiries(tmp_path, url, world, database)


CASE = "select status from compliance.kyc_case"
KEPT = "select (select count(*) from audit.inbox), (select count(*) from compliance.sealed_file)"
REPORTS = "select outcome, is_news, asked_by from compliance.identity_report order by heard_at"


def test_an_answer_verifies_once_and_its_raw_text_is_sealed(inquiries: Inquiries) -> None:
    event = inquiries.knows(inquiries.event())
    assert inquiries.ask()
    assert inquiries.rows(CASE) == [("approved",)]
    assert not inquiries.ask()
    assert inquiries.rows(KEPT) == [(1, 1)]
    assert inquiries.rows(REPORTS) == [("approved", True, OFFICER)]
    ((evidence, sealed),) = inquiries.rows(
        "select s.evidence_sha256, f.sealed from compliance.identity_snapshot s"
        " join compliance.sealed_file f on f.sha256 = s.evidence_sha256"
    )
    assert b"approved" not in bytes(sealed)
    keeper = compliance.keeper(inquiries.database)
    seen = compliance.view_file(keeper, inquiries.investor, bytes(evidence), actor=OFFICER, purpose="to read")
    assert json.loads(seen) == event


def test_what_was_posted_before_is_no_news_when_asked_for(inquiries: Inquiries) -> None:
    event = inquiries.knows(inquiries.event())
    body = json.dumps(event, sort_keys=True).encode()
    settings = Settings.model_validate({"identity_secrets": {"standard": {"one": SHOWN}}})
    with serving(api(inquiries.database, providers=identity_providers(settings))) as url:
        headers = dict(webhook.sign("evt_1", body, now=clock.now(), secrets=[SECRET]))
        posted = httpx.post(
            f"{url}/v1/webhooks/identity/standard", content=body, headers=headers, timeout=PATIENT
        )
    assert posted.json() == {"fresh": True}
    assert not inquiries.ask()
    assert inquiries.rows("select count(*) from compliance.identity_snapshot") == [(1,)]


def test_an_older_word_undoes_no_newer_one(inquiries: Inquiries) -> None:
    now = clock.now()
    inquiries.knows(inquiries.event("approved", name="evt_1", at=now - timedelta(hours=3)))
    assert inquiries.ask()
    inquiries.knows(inquiries.event("declined", name="evt_3", at=now - timedelta(hours=1)))
    assert inquiries.ask()
    assert inquiries.rows(CASE) == [("in_review",)]
    inquiries.knows(inquiries.event("approved", name="evt_2", at=now - timedelta(hours=2)))
    assert inquiries.ask()
    assert inquiries.rows(CASE) == [("in_review",)]
    assert [row[:2] for row in inquiries.rows(REPORTS)] == [
        ("approved", True),
        ("declined", True),
        ("approved", False),
    ]


def test_the_same_word_under_another_name_is_no_news(inquiries: Inquiries) -> None:
    at = clock.now()
    for name in ("evt_1", "evt_2"):
        inquiries.knows(inquiries.event(name=name, at=at))
        assert inquiries.ask()
    assert [row[1] for row in inquiries.rows(REPORTS)] == [True, False]
    assert inquiries.rows("select count(*) from compliance.identity_snapshot") == [(1,)]


def test_a_provider_that_knows_nobody_keeps_nothing(inquiries: Inquiries) -> None:
    with pytest.raises(Refused, match="inquiry_exists"):
        inquiries.ask()
    assert inquiries.rows(KEPT) == [(0, 0)]
    assert inquiries.rows(CASE) == [("pending",)]


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"subject": f"ivr_other-{'cd' * 32}"}, "answer_is_about_the_subject"),
        ({"outcome": 7}, "event_has_its_shape"),
        ({"occurred_at": "2999-01-01T00:00:00Z"}, "identity_event_has_happened"),
    ],
)
def test_a_signed_answer_that_cannot_be_used_is_kept_and_moves_nothing(
    inquiries: Inquiries, changed: dict[str, Any], rule: str
) -> None:
    inquiries.knows(inquiries.event() | changed)
    with pytest.raises(Refused) as caught:
        inquiries.ask()
    assert caught.value.rule == rule
    assert inquiries.rows(KEPT) == [(1, 1)]
    assert inquiries.rows("select investor_id from compliance.sealed_file") == [("provider:standard",)]
    assert inquiries.rows(CASE) == [("pending",)]


def test_an_answer_that_nobody_signed_keeps_nothing(inquiries: Inquiries) -> None:
    with answering(200, inquiries.event()) as url, pytest.raises(Refused, match="headers_are_complete"):
        inquiries.ask(url)
    assert inquiries.rows(KEPT) == [(0, 0)]


def test_an_inquiry_at_a_vendor_is_heard_by_the_same_way(inquiries: Inquiries) -> None:
    at = clock.now().isoformat()
    said = {"status": "approved", "reference-id": inquiries.subject(), "created-at": at}
    found = {"data": [{"type": "inquiry", "id": "inq_1", "attributes": said}]}
    with answering(200, found) as url:
        assert inquiries.ask(url, provider="persona")
        assert not inquiries.ask(url, provider="persona")
    assert inquiries.rows("select method, verified_by from compliance.identity_snapshot") == [
        ("provider", "provider:persona")
    ]


def test_only_a_person_asks(inquiries: Inquiries) -> None:
    inquiries.knows(inquiries.event())
    with pytest.raises(Refused, match="report_is_asked_for_by_a_person"):
        inquiries.ask(actor="process")
    assert inquiries.rows(CASE) == [("pending",)]


@pytest.mark.parametrize(
    "asked",
    [
        {"nobody": {"url": "https://provider.example.test", "credential": "hidden"}},
        {"persona": {"url": "http://provider.example.test", "credential": "hidden"}},
    ],
)
def test_a_setting_that_cannot_be_asked_is_a_fault_of_the_set_up(asked: dict[str, Any]) -> None:
    with pytest.raises(ConfigurationError) as fault:
        inquiry_providers(Settings.model_validate({"identity_inquiries": asked}))
    assert "hidden" not in str(fault.value)
