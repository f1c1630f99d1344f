"""SIGKILL at random moments of the close: nobody is issued twice, nobody is missed, the books agree."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from bookrunner.app.settings import Settings
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import opened
from tests.engine.books import check_history_and_ledger, check_issued_once, check_released_once, members
from tests.engine.crash import VICTIMS, Installation
from tests.stages import Install

pytestmark = pytest.mark.chain

SEED = int(os.environ.get("BOOKRUNNER_TEST_SEED", "1"))
BY_DESIGN = [("payments", "no_reference")]
PAYEE = "021000021-700700700"


Make = Callable[[str, int], Installation]


@pytest.fixture
def make(state_root: Path, install_at: Install) -> Iterator[Make]:
    """Return a function that makes an installation with a frozen closing, on which nothing runs."""
    with ExitStack() as made:

        def frozen(name: str, investors: int) -> Installation:
            state = state_root / name
            install_at(state, 0)
            installation = Installation(state, investors, SEED)
            made.callback(installation.end)
            installation.freeze()
            return installation

        yield frozen


def check(installation: Installation, *, releases: bool = False) -> None:
    """Start the servers once more and compare everything that the closing touched."""
    offering, closing = installation.offering, installation.closing
    with opened(Settings(state_dir=installation.state)) as world:
        story = Story(world.application, investors=installation.investors, seed=installation.seed)
        ready = {p.investment for p in story.people[3:] if p is not story.people[4]}
        if releases:
            story.release(closing)
        assert members(world, closing, "issued") == ready
        assert members(world, closing, "left") == set()
        check_issued_once(world, offering, ready)
        check_history_and_ledger(world, offering)
        check_released_once(world, offering, closing, ready)
        breaks = world.application.reconcile(offering, actor="reconciliation")
        assert [(b["comparison"], b["kind"]) for b in breaks] == BY_DESIGN


def release(installation: Installation, chance: random.Random, kills: int) -> None:
    """Have two people release the escrow; a command that is killed is given again, as a person would."""
    heard = len(installation.said())
    arguments = ("release", installation.offering, installation.closing, PAYEE, "--actor")
    for actor in ("fundadmin.fay", "fundadmin.finn") * 5:
        if "released" in installation.said()[heard:]:
            break
        person = installation.command(*arguments, actor)
        if kills and installation.has_its_node(person):
            time.sleep(chance.uniform(0, 0.5))
            kills -= installation.kill("all", person)
        person.wait(60)
    assert "released" in installation.said()[heard:], installation.said()[heard:]
    assert installation.command("work", "--once").wait(60) == 0


def test_a_closing_survives_the_death_of_a_backend_and_of_everything(make: Make) -> None:
    chance = random.Random(SEED)
    installation = make("killed", 10)
    installation.work(chance, 2, ("backend", "all"))
    assert len(installation.kills) == 2
    check(installation, releases=True)


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_twenty_kills_lose_nothing_and_double_nothing(make: Make) -> None:
    chance = random.Random(SEED)
    victims = tuple(chance.sample(VICTIMS, len(VICTIMS)))
    kills = []
    while len(kills) < 20:
        installation = make(f"torture{len(kills)}", 40)
        installation.work(chance, 20 - len(kills), victims)
        assert installation.kills
        kills += installation.kills
        release(installation, chance, 2)
        check(installation)
    assert len({kill.phase for kill in kills}) >= 4, kills
    assert {kill.victim for kill in kills} == set(VICTIMS)
