"""SIGKILL at random moments of the close: nobody is issued twice, nobody is missed, the books agree."""

from __future__ import annotations

import os
import random
import time
from pathlib import Path

import pytest

from bookrunner.app import Settings
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import opened
from tests.engine.books import check_history_and_ledger, check_issued_once, check_released_once, members
from tests.engine.crash import VICTIMS, Installation

pytestmark = pytest.mark.chain

SEED = int(os.environ.get("BOOKRUNNER_TEST_SEED", "1"))
BY_DESIGN = [("payments", "no_reference")]
PAYEE = "021000021-700700700"


def made(state: Path, investors: int, seed: int) -> Installation:
    """Return an installation with a frozen closing, on which nothing runs."""
    state.mkdir(mode=0o711)
    installation = Installation(state, investors, seed)
    installation.freeze()
    return installation


def check(installation: Installation) -> None:
    """Start the servers once more and compare everything that the closing touched."""
    offering, closing = installation.offering, installation.closing
    with opened(Settings(state_dir=installation.state)) as world:
        story = Story(world.application, investors=installation.investors, seed=installation.seed)
        ready = {p.investment for p in story.people[3:] if p is not story.people[4]}
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


def test_a_closing_survives_the_death_of_every_part(state_root: Path) -> None:
    chance = random.Random(SEED)
    installation = made(state_root / "killed", 10, SEED)
    installation.work(chance, 3, ("node", "backend", "all"))
    assert len(installation.kills) == 3
    release(installation, chance, 0)
    check(installation)


@pytest.mark.torture
@pytest.mark.timeout(1800)
def test_twenty_kills_lose_nothing_and_double_nothing(state_root: Path) -> None:
    chance = random.Random(SEED)
    victims = tuple(chance.sample(VICTIMS, len(VICTIMS)))
    kills = []
    while len(kills) < 20:
        installation = made(state_root / f"torture{len(kills)}", 40, SEED)
        installation.work(chance, 20 - len(kills), victims)
        assert installation.kills
        kills += installation.kills
        release(installation, chance, 2)
        check(installation)
    assert len({kill.phase for kill in kills}) >= 4, kills
    assert {kill.victim for kill in kills} == set(VICTIMS)
