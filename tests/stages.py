"""Worlds that are built once for a session, and copied for each test that asks for one of their fixtures."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.app import Application
from bookrunner.app.settings import Settings
from bookrunner.db import Database, Endpoint
from bookrunner.engine.issuance import Keys
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World as Installed
from bookrunner.sandbox.world import opened
from tests.copies import copy_of
from tests.pages.officers import Work
from tests.pages.world import World

Install = Callable[[Path, int], None]

# The first of these that a test asks for, itself or through its fixtures, is what its database is a copy of.
STAGES = ("worked", "built")


@dataclass(frozen=True)
class Built:
    """A database with the world of the pages, only to be copied, and the money that its statement shows."""

    endpoint: Endpoint
    balance_minor: int


@pytest.fixture(scope="session")
def built(template: Endpoint, signing_keys: Keys) -> Built:
    """Build the world of the pages through the keepers' verbs."""
    endpoint = template.of("template_of_pages")
    copy_of(template, endpoint)
    with EvmChain("http://127.0.0.1:1") as chain:
        application = Application(endpoint, chain, signing_keys, pause=lambda: None)
        world = World(application)
        world.build()
        application.close()
    return Built(endpoint, world.balance_minor)


@pytest.fixture(scope="session")
def worked(built: Built) -> Built:
    """Build the world of the pages with each kind of a compliance officer's work in it."""
    endpoint = built.endpoint.of("template_of_work")
    copy_of(built.endpoint, endpoint)
    database = Database(endpoint, max_size=1)
    Work(database).all()
    database.close()
    return Built(endpoint, built.balance_minor)


@pytest.fixture(scope="session")
def install_at(state_root: Path) -> Install:
    """Return what leaves a stopped installation in a directory that is not there yet.

    A raise of so many investors was played in it up to the morning of its close, none for 0. Whoever opens it
    is its first process since a stop: the server begins anew, and the chain is rebuilt from the books.
    """
    made: dict[int, Path] = {}

    def install(folder: Path, investors: int) -> None:
        if investors not in made:
            origin = state_root / f"installation-{investors}"
            with opened(Settings(state_dir=origin)) as installed:
                if investors:
                    play(installed, investors)
            made[investors] = origin
        # A copy that keeps the database's owner, modes and times.
        subprocess.run(["cp", "-a", "--", str(made[investors]), str(folder)], check=True)  # noqa: S607

    return install


def play(installed: Installed, investors: int) -> None:
    """Play a raise up to the morning of its close."""
    story, app = Story(installed.application, investors=investors), installed.application
    story.play(lambda: app.deploy_token(installed.tools.artifacts, story.offering, story.units))
