"""What an investor's page says is left to do for the packet, and how long units are reserved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import httpx
import pytest
from starlette.testclient import TestClient

from bookrunner.core import clock
from bookrunner.pages import web
from bookrunner.pages.investment import facts
from bookrunner.sandbox.entering.papers import ITEMS
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.stories.conftest import NO_TOKEN, NO_TREASURY
from tests.subscription.conftest import INVESTORS, Tell, agreement
from tests.subscription.test_packets import papers


def titles(story: Story) -> list[str]:
    """Return the titles of what is left to do for the first investor."""
    return [each["title"] for each in facts(story.app.database, story.people[0].investment)["to_do"]]


def page(world: World, path: str) -> httpx.Response:
    """Return a page as it is served on loopback."""
    app = web(world.application, operator="operator:console")
    with TestClient(app, base_url="http://127.0.0.1:8360") as client:
        return client.get(path)


def test_the_steps_come_in_their_order_and_end(world: World, tell: Tell) -> None:
    story = tell("cleared")
    person = [story.people[0]]
    left = titles(story)
    assert left[0] == "Consent to electronic records"
    assert left[-3:] == ["State the authority of your signer", "State your owners", "State your tax form"]
    assert len(left) == len(ITEMS) + 4
    assert facts(world.application.database, story.people[1].investment)["to_do"]
    papers(story).consent(person)
    assert titles(story) == left[1:]
    papers(story).apply(person, story.desk.subscription.requirements(offering=story.offering))
    assert titles(story) == []
    world.application.process.drain()
    assert titles(story) == ["Sign your agreement"]
    papers(story).sign(person)
    assert titles(story) == []
    papers(story).give_back(agreement(story), page=4, field="tax", words="Another person.")
    assert titles(story) == ["Correct: tax"]
    shown = page(world, f"/investments/{person[0].investment}")
    assert shown.status_code == 200
    assert "Correct: tax</strong><br>page 4, inconsistent" in shown.text
    papers(story).answer(person[0], "Corrected.")
    assert titles(story) == ["Ask for your agreement"]


def test_an_offer_lists_its_open_deficiencies_without_their_words(world: World, tell: Tell) -> None:
    story = tell("signed")
    papers(story).give_back(agreement(story), page=4, field="tax", words="A secret name.")
    shown = page(world, f"/offers/{story.offering}/now").text
    assert "Deficiencies: 1 open" in shown
    assert story.people[0].investment in shown
    assert "A secret name." not in shown


@pytest.mark.parametrize("minutes", [None, 90])
def test_a_reservation_shows_its_end(world: World, seeds: Iterator[int], minutes: int | None) -> None:
    app = world.application
    story = Story(app, investors=INVESTORS, seed=next(seeds), packets=True)
    where = {"actor": "issuer.iris", "offering": story.offering}
    chain = app.chain.chain_id()
    story.publish(
        lambda: app.desk.engine.name_token(**where, chain_id=chain, token=NO_TOKEN, treasury=NO_TREASURY)
    )
    app.desk.allotment.name_policy(**where, policy="first_come", most_units=None, hold_minutes=minutes)
    story.enter()
    shown = page(world, f"/investments/{story.people[0].investment}/now")
    assert ('id="reservation"' in shown.text) == (minutes is not None)
    ends_at = facts(app.database, story.people[0].investment)["ends_at"]
    if minutes is not None:
        assert timedelta(minutes=minutes - 2) < ends_at - clock.now() <= timedelta(minutes=minutes)
