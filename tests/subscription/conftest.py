"""One installation in which offers take packets, shared by the tests of the subscription book."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from bookrunner.app.settings import Settings
from bookrunner.core.ids import new_id
from bookrunner.sandbox.entering.papers import detail
from bookrunner.sandbox.people import Person, people
from bookrunner.sandbox.story import MINIMUM_UNITS, Story
from bookrunner.sandbox.world import World, opened
from tests.stages import Install
from tests.stories.conftest import NO_TOKEN, NO_TREASURY, refused

__all__ = ["refused"]

INVESTORS = 6
Tell = Callable[..., Story]


@pytest.fixture(scope="session")
def world(state_root: Path, install_at: Install) -> Iterator[World]:
    """Run an installation."""
    folder = state_root / "packets"
    install_at(folder, 0)
    with opened(Settings(state_dir=folder)) as running:
        yield running


@pytest.fixture(scope="session")
def seeds() -> Iterator[int]:
    """Return numbers that no test has used."""
    return iter(range(100, 10_000))


@pytest.fixture
def tell(world: World, seeds: Iterator[int]) -> Tell:
    """Return a function that tells a story of packets up to a step.

    The steps are cleared, sent, signed and released; with two signers, sent to two and signed by one of two.
    """
    app = world.application

    def until(step: str, investors: int = INVESTORS, units: int = 0) -> Story:
        seed = next(seeds)
        story = Story(app, investors=investors, seed=seed, packets=True)
        if units:
            story.units, story.people = units, people(investors, seed, units, MINIMUM_UNITS)
        story.publish(
            lambda: app.desk.engine.name_token(
                actor="agent.theo",
                offering=story.offering,
                chain_id=app.chain.chain_id(),
                token=NO_TOKEN,
                treasury=NO_TREASURY,
            )
        )
        story.enter()
        story.verify_identities()
        assert story.papers is not None
        one = story.people[:1]
        if step != "cleared":
            story.papers.apply(one, app.desk.subscription.requirements(offering=story.offering))
            app.process.drain()
        if step.endswith("two"):
            _state_two(story)
        if step == "signed by one of two":
            story.papers.sign(one, fields=["investor"])
        if step in {"signed", "released"}:
            story.papers.sign(one)
        if step == "released":
            story.papers.release([agreement(story)])
        return story

    return until


def together(count: int, person: Person) -> list[dict[str, str]]:
    """Return so many signers of an entity, its representative first."""
    first = detail(person, "authority")["signers"][0]
    return [first, *(first | {"name": f"Second Signer {n}"} for n in range(2, count + 1))]


def _state_two(story: Story) -> None:
    """Let the first investor name two signers and ask for its agreement anew."""
    person = story.people[0]
    story.desk.packets.state_particular(
        actor=person.investor,
        offering=story.offering,
        investment=person.investment,
        particular=new_id("prt"),
        kind="authority",
        detail={"signers": together(2, person), "required": 2},
    )
    assert story.papers is not None
    story.papers.submit([person])
    story.app.process.drain()


def withdraw(world: World, story: Story, person: Person) -> None:
    """Let an investor withdraw its order, so that its units are free."""
    with psycopg.connect(world.endpoint.dsn("engine")) as connection:
        said = [person.investor, "req_w", story.offering, person.investment]
        connection.execute("select engine.withdraw(%s, %s, %s, %s)", said)


def agreement(story: Story) -> str:
    """Return the agreement in force of the first investor."""
    (found,) = story.desk.engine.agreements_in_force(
        offering=story.offering, investments=[story.people[0].investment]
    )
    return str(found["agreement_id"])
