"""The pages on a real server over a small real world."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bookrunner.app import Application
from bookrunner.pages import web
from tests.pages.world import World
from tests.serving import serving
from tests.stages import Built


@dataclass(frozen=True)
class Site:
    """A running server of the pages and the world behind it."""

    url: str
    world: World


@pytest.fixture
def site(application: Application, built: Built) -> Iterator[Site]:
    """Serve the pages of a fresh world on loopback."""
    world = World(application)
    world.balance_minor = built.balance_minor
    with serving(web(application, operator="operator:console")) as url:
        yield Site(url, world)
