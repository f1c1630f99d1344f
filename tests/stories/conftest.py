"""One real installation for the stories of bad input, and a picture of its whole database."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest

from bookrunner.app.settings import Settings
from bookrunner.core.errors import Refused
from bookrunner.db import load
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World, opened
from tests.stages import Install

Picture = Mapping[str, tuple[int, str]]
Refusal = Callable[..., AbstractContextManager[None]]

INVESTORS = 6
NO_TOKEN, NO_TREASURY = b"\x11" * 20, b"\x22" * 20


@pytest.fixture(scope="module")
def story_state(state_root: Path, install_at: Install, request: pytest.FixtureRequest) -> Path:
    """Return the state directory of the installation, in which a small raise waits for its close."""
    folder = state_root / request.module.__name__.rsplit(".", 1)[-1]
    install_at(folder, INVESTORS)
    return folder


@pytest.fixture(scope="module")
def world(story_state: Path) -> Iterator[World]:
    """Run an installation in which a small raise was played up to the morning of its close."""
    with opened(Settings(state_dir=story_state)) as running:
        yield running


@pytest.fixture(scope="module")
def raised(world: World) -> Story:
    """Return the raise that waits for its close."""
    return Story(world.application, investors=INVESTORS)


@pytest.fixture(scope="module")
def published(world: World) -> Story:
    """Publish a second offer."""
    return publish(world, seed=2)


def publish(world: World, *, seed: int, investors: int = INVESTORS) -> Story:
    """Publish an offer whose token is only named: its story ends before anything is issued."""
    story = Story(world.application, investors=investors, seed=seed)
    story.publish(
        lambda: world.application.desk.engine.name_token(
            actor="agent.theo",
            offering=story.offering,
            chain_id=world.application.chain.chain_id(),
            token=NO_TOKEN,
            treasury=NO_TREASURY,
        )
    )
    # No event is left for a later act to number.
    world.application.answer()
    return story


@contextmanager
def watching(world: World) -> Iterator[Callable[[], Picture]]:
    """Lend what returns rows and digest of every table of the database, seen by its administrator."""
    with psycopg.connect(world.endpoint.admin_dsn(), autocommit=True) as connection:
        # Hundreds of small tables: further processes would take longer to start than the tables to read.
        connection.execute(b"set max_parallel_workers_per_gather = 0")

        def look() -> Picture:
            statement = load("tests.stories").picture_statement(connection)
            return {name: (rows, digest) for name, rows, digest in connection.execute(statement.encode())}

        yield look


def picture(world: World) -> Picture:
    """Return rows and digest of every table of the database."""
    with watching(world) as look:
        return look()


@pytest.fixture
def refused(world: World) -> Refusal:
    """Return a context that wants its block refused by one rule, with nothing left behind.

    Tables in ``but`` may have grown by one row: a closed gate's refusal is kept.
    """

    @contextmanager
    def expect(rule: str, *, but: tuple[str, ...] = ()) -> Iterator[None]:
        with watching(world) as look:
            before = look()
            with pytest.raises(Refused) as refusal:
                yield
            assert refusal.value.rule == rule, refusal.value
            after = look()
        grown = [name for name in after if after[name] != before.get(name)]
        assert tuple(grown) == but
        assert all(after[name][0] == before[name][0] + 1 for name in but)

    return expect
