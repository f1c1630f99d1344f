"""Worlds that are built once for a session, and copied for each test that asks for one of their fixtures."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.app import Application
from bookrunner.db import Database, Endpoint
from bookrunner.engine.issuance import Keys
from tests.copies import copy_of
from tests.pages.officers import Work
from tests.pages.world import World

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
