"""A provider of signatures is believed in nothing: its bytes are checked and pass the gates of the book."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from bookrunner.adapters.signing import Fetched, LocalProvider, SimulatedProvider
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.sandbox.entering.papers import INTENT
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.subscription.conftest import Tell, agreement
from tests.subscription.test_packets import papers, rule, state

OFFICER = "issuer.iris"
NAME = "simulated"


class House:
    """One provider that carries one packet."""

    def __init__(self, world: World, story: Story, folder: Path) -> None:
        self.desk = world.application.signing
        self.story = story
        self.inner = LocalProvider(folder, world.application.room.ceremony, b"secret" * 6)
        self.port = SimulatedProvider(self.inner, seed=7)
        self.ref = self.desk.hand_over(
            (NAME, self.port),
            (story.offering, agreement(story)),
            officer=OFFICER,
            until=clock.now() + timedelta(hours=1),
        )

    def sign(self, party: str) -> None:
        """Let a party sign at the provider, through its link."""
        link = parse_qs(urlsplit(self.inner.signing_url(self.ref, party, ttl=timedelta(minutes=5))).query)
        until, token = int(link["until"][0]), link["token"][0]
        self.inner.sign(self.ref, party, until=until, token=token, intent=INTENT)

    def look(self) -> str:
        return self.desk.look((NAME, self.port), self.ref)


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


def test_a_forged_message_is_not_heard(house: House) -> None:
    headers, body = house.inner.messages(house.ref)[0]
    forged = body.replace(b"sent", b"completed")
    with pytest.raises(Refused):
        house.desk.hear((NAME, house.port), headers, forged)
    assert state(house.story) == "sent"
