"""Raw statements against packets, under the book's own login with every right: the database refuses each."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from bookrunner.db import load
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.attack.rights import EVERY_RIGHT
from tests.attack.test_illegal_statements import NAMED, rolled_back
from tests.subscription.conftest import Tell, agreement
from tests.subscription.test_packets import revoke

TEXT = (Path(__file__).parent / "statements.sql").read_text(encoding="utf-8")
ROWS = re.findall(r"^-- ([\w ]+) \| (\w+) \| (.+)\n((?:(?!--).+\n)+)", TEXT, re.MULTILINE)
# After these steps a clearance is withdrawn.
REVOKED = {"revoked": "released", "suspended": "sent"}
SIGNED = frozenset({"signed", "released", "revoked"})


@pytest.fixture(scope="module")
def stories() -> dict[str, Story]:
    return {}


@pytest.fixture
def told(world: World, tell: Tell, stories: dict[str, Story]) -> Tell:
    """Return a function that tells the story of each step once."""

    def once(step: str) -> Story:
        if step not in stories:
            stories[step] = tell(REVOKED.get(step, step))
            if step in REVOKED:
                revoke(world, stories[step])
        return stories[step]

    return once


@pytest.mark.parametrize("row", ROWS, ids=[row[2] for row in ROWS])
def test_a_raw_statement_is_refused(world: World, told: Tell, row: tuple[str, str, str, str]) -> None:
    step, broken, _, statement = row
    name = agreement(told(step))
    queries = load("tests.subscription")
    if statement.startswith("EXECUTED"):
        signer = statement.split()[1]
        statement = queries.execute.sql.replace("SIGNER", signer)
    with psycopg.connect(world.endpoint.admin_dsn()) as connection, rolled_back(connection):
        connection.execute(NAMED.encode())
        if step in SIGNED:
            connection.execute(queries.longer_file.sql.replace("AGREEMENT", name).encode())
        connection.execute(EVERY_RIGHT.format("subscription").encode())
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(statement.replace("AGREEMENT", name).encode())
    assert caught.value.diag.constraint_name == broken, caught.value
