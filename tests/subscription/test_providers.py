"""A provider of signatures is believed in nothing: its bytes are checked and pass the gates of the book."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psycopg
import pytest

from bookrunner.adapters.identity.webhook import sign
from bookrunner.adapters.signing import Fetched, LocalProvider, SimulatedProvider
from bookrunner.api import Signing, api
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.engine.intake import look_at_envelopes
from bookrunner.sandbox.entering.papers import INTENT
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.serving import serving
from tests.subscription.conftest import Tell, agreement
from tests.subscription.test_api import OFFICER as KEY_HOLDER
from tests.subscription.test_api import Calls, authorised
from tests.subscription.test_packets import papers, rule, state

OFFICER = "issuer.iris"
NAME = "simulated"
SECRET = b"secret" * 6


class House:
    """One provider that carries one packet."""

    def __init__(self, world: World, story: Story, folder: Path) -> None:
        self.desk = world.application.signing
        self.story = story
        self.inner = LocalProvider(folder, world.application.room.ceremony, SECRET)
        self.port = SimulatedProvider(self.inner, seed=7)
        self.ref = self.desk.hand_over(
            (NAME, self.port),
            (story.offering, agreement(story)),
            officer=OFFICER,
            until=clock.now() + timedelta(hours=1),
        )

    def sign(self, party: str) -> None:
        """Let a party sign at the provider, through its link."""
        sign_at(self.inner, self.ref, party)

    def look(self) -> str:
        return self.desk.look((NAME, self.port), self.ref)


def sign_at(provider: LocalProvider, ref: str, party: str) -> None:
    link = parse_qs(urlsplit(provider.signing_url(ref, party, ttl=timedelta(minutes=5))).query)
    provider.sign(ref, party, until=int(link["until"][0]), token=link["token"][0], intent=INTENT)


@pytest.fixture
def house(world: World, tell: Tell, tmp_path: Path) -> House:
    return House(world, tell("sent"), tmp_path / "provider")


def test_both_signatures_at_a_provider_end_in_our_own_verdict(house: House) -> None:
    story = house.story
    assert house.look() == "sent"
    house.sign(story.people[0].investor)
    assert house.look() == "investor_signed"
    papers(story).release([agreement(story)])
    house.sign(OFFICER)
    messages = house.inner.messages(house.ref)
    for headers, body in (*house.port.messages(house.ref), *messages, *messages):
        house.desk.hear((NAME, house.port), headers, body)
    assert house.look() == state(story) == "countersigned"
    assert not house.desk.verify(story.offering, agreement(story), actor="ann").failures


def test_completed_executes_nothing_before_the_review(house: House) -> None:
    story = house.story
    house.sign(story.people[0].investor)
    house.sign(OFFICER)
    assert rule(house.look) == "packet_is_in_good_order"
    assert state(story) == "investor_signed"
    papers(story).release([agreement(story)])
    assert house.look() == "countersigned"


def test_completed_with_other_bytes_executes_nothing(house: House) -> None:
    story = house.story
    house.sign(story.people[0].investor)
    assert house.look() == "investor_signed"
    papers(story).release([agreement(story)])
    signed = house.inner.fetch_signed(house.ref)
    house.sign(OFFICER)
    honest = house.inner.fetch_executed(house.ref)
    for content, broken in (
        (signed.content, "required_fields_are_signed_and_no_other"),
        (honest.content + b"%", "last_signature_covers_the_whole_file"),
        (b"%PDF-1.7 another", "file_starts_with_the_rendered_document"),
    ):
        house.port.substitute(house.ref, Fetched(content, honest.serials))
        assert rule(house.look) == broken
        assert state(story) == "investor_signed"


Send = Callable[..., httpx.Response]


@pytest.fixture
def send(world: World, house: House) -> Iterator[Send]:
    """Serve the API, and return what posts a message about the house's envelope to it."""
    app = world.application
    app.signers[NAME] = house.port
    with serving(api(app.database, signatures=app.receive_signature)) as url:

        def posted(kind: str, message: str, **how: Any) -> httpx.Response:  # noqa: ANN401
            told = {
                "id": message,
                "kind": kind,
                "ref": how.get("ref", house.ref),
                "occurred_at": "2026-03-01T00:00:00Z",
            }
            body = json.dumps(told | how.get("more", {})).encode()
            at = clock.now() - timedelta(seconds=how.get("age", 0))
            headers = sign(message, body, now=at, secrets=[how.get("secret", SECRET)])
            path = f"{url}/v1/webhooks/signatures/{how.get('provider', NAME)}"
            return httpx.post(path, content=how.get("sent", body), headers=headers, timeout=30)

        yield posted
    del app.signers[NAME]


def heard(house: House, state_: str, refused: str | None = None) -> dict[str, object]:
    return {"envelopes": [{"ref": house.ref, "state": state_, "refused": refused}]}


def test_completed_over_http_executes_only_what_we_verified(house: House, send: Send) -> None:
    story = house.story
    assert send("completed", "ntc_early").json() == heard(house, "sent")
    house.sign(story.people[0].investor)
    assert send("signed", "ntc_signed").json() == heard(house, "investor_signed")
    house.sign(OFFICER)
    assert send("completed", "ntc_done").json() == heard(house, "investor_signed", "packet_is_in_good_order")
    papers(story).release([agreement(story)])
    honest = house.inner.fetch_executed(house.ref)
    house.port.substitute(house.ref, Fetched(honest.content + b"%", honest.serials))
    broken = "last_signature_covers_the_whole_file"
    assert send("completed", "ntc_forged").json() == heard(house, "investor_signed", broken)
    house.port.substitute(house.ref, honest)
    for _ in range(2):
        assert send("completed", "ntc_done").json() == heard(house, "countersigned")
    # A word that comes late takes nothing back.
    assert send("sent", "ntc_late").json() == heard(house, "countersigned")
    with psycopg.connect(story.app.endpoint.admin_dsn()) as connection:
        (kept,) = connection.execute(
            "select count(*) from audit.inbox where provider = %s and message_id = 'ntc_done'",
            [f"signatures.{NAME}"],
        ).fetchone() or (None,)
    assert kept == 1


def test_messages_over_http_are_signed_recent_and_of_one_body(house: House, send: Send) -> None:
    refusals = (
        (send("completed", "ntc_1", secret=b"another secret " * 3), 401, "signature_matches"),
        (send("completed", "ntc_1", age=3600), 401, "timestamp_is_recent"),
        (send("completed", "ntc_1", sent=b"{}"), 401, "signature_matches"),
        (send("exploded", "ntc_1"), 422, "event_has_its_shape"),
        (send("completed", "ntc_1", sent=b"x" * (2**20 + 1)), 422, "body_fits_limit"),
        (send("completed", "ntc_1", provider="unknown"), 404, "signing_provider_is_known"),
        (send("completed", "ntc_2", ref="env_other"), 404, "envelope_exists"),
    )
    for answer, status, broken in refusals:
        assert (answer.json()["code"], answer.status_code) == (broken, status)
    assert send("sent", "ntc_3").status_code == 200
    twin = send("sent", "ntc_3", more={"party": "x"})
    assert (twin.status_code, twin.json()["code"]) == (422, "message_id_has_one_body")
    assert state(house.story) == "sent"


def test_a_packet_is_handed_over_over_the_api(world: World, tell: Tell) -> None:
    app, story = world.application, authorised(tell("sent"))
    name = agreement(story)
    with serving(api(app.database, signing=Signing(lambda: app.signing, app.consents, app.signer))) as url:
        calls = Calls(world, url)
        path, until = f"/v1/agreements/{name}", "2030-01-01T00:00:00Z"
        seen = calls.get(path).headers["etag"]

        def give(provider: str, caller: str = KEY_HOLDER) -> httpx.Response:
            body = {"provider": provider, "expires_at": until}
            return calls.post(f"{path}/envelopes", body, caller, seen)

        assert give("unknown").json()["code"] == "signing_provider_is_known"
        assert give("local", "portal-backend").json()["code"] == "signatory_has_recorded_authority"
        assert give("local").status_code == 200
        assert give("local").json()["code"] == "packet_is_handed_over_once"
    local = app.signers["local"]
    assert isinstance(local, LocalProvider)
    refs = [ref for carrier, ref in app.signing.waiting() if carrier == "local"]
    sign_at(local, refs[-1], story.people[0].investor)
    look_at_envelopes(app.signing, app.signer)
    assert state(story) == "investor_signed"


def test_an_envelope_of_which_no_notice_comes_is_looked_at(world: World, house: House) -> None:
    app, story = world.application, house.story
    app.signers[NAME] = house.port
    try:
        house.sign(story.people[0].investor)
        app.tend(look_seconds=0)
        assert state(story) == "investor_signed"
    finally:
        del app.signers[NAME]


def test_several_signers_at_a_provider(world: World, tell: Tell, tmp_path: Path) -> None:
    house = House(world, tell("sent to two"), tmp_path / "provider")
    investor = house.story.people[0].investor
    house.sign(f"{investor}:2")
    assert house.look() == "sent"
    house.sign(investor)
    assert house.look() == "investor_signed"
    papers(house.story).release([agreement(house.story)])
    house.sign(OFFICER)
    assert house.look() == "countersigned"
    verdict = house.desk.verify(house.story.offering, agreement(house.story), actor="ann")
    assert [found.field for found in verdict.signatures] == ["investor_2", "investor", "issuer"]


def test_a_forged_message_is_not_heard(house: House) -> None:
    headers, body = house.inner.messages(house.ref)[0]
    forged = body.replace(b"sent", b"completed")
    with pytest.raises(Refused):
        house.desk.hear((NAME, house.port), headers, forged)
    assert state(house.story) == "sent"
