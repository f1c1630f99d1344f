"""One offering with profiled investors for a whole module; every test rolls its transaction back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.attack.conftest import shared
from tests.attack.world import Connect, World

__all__ = ["shared"]

Script = tuple[str, str, list[str]]


@pytest.fixture(scope="module")
def world(shared: Connect) -> World:
    """Return an offering with investors who have a profile and an investment, and a list in force."""
    built = World(shared, "book", 4).build("profiled")
    built.listed()
    return built


@contextmanager
def rolled_back(world: World) -> Iterator[psycopg.Connection]:
    """Lend the keeper's own login inside a transaction that leaves nothing behind."""
    connection = world.login("compliance")
    with connection.transaction(force_rollback=True):
        yield connection


def play(connection: psycopg.Connection, statements: Sequence[str], first: int = 0) -> None:
    """Run statements one by one; each is a call without its actor and request."""
    for number, statement in enumerate(statements, first):
        connection.execute(named(expand(statement, number)).encode())


def named(statement: str) -> str:
    """Fill in ids that the database gives: ``:hitN`` is the hit on entry ``sdn-N``."""
    hit = r"(select hit_id from compliance.hit where entry_id = 'sdn-\1')"
    statement = re.sub(r":hit(\d)", hit, statement)
    statement = statement.replace(":report", "(select report_id from compliance.sanctions_report)")
    return statement.replace(":diligence", "(select diligence_id from compliance.due_diligence)")


def expand(statement: str, number: int) -> str:
    """Write a call in full: ``name@actor(…)`` is a verb of the book, by ``officer.one`` if none is named."""
    found = re.fullmatch(r"(\w+)(?:@([\w.:]+))?\((.*)\)", statement, re.DOTALL)
    if found is None:
        return statement
    verb, actor, arguments = found.groups()
    given = f", {arguments}" if arguments else ""
    return f"select compliance.{verb}('{actor or 'officer.one'}', 'req_{number}'{given})"


def scripts(name: str) -> list[Script]:
    """Read a file of scripts: ``-- name | sentence`` and one call a line, up to an empty line."""
    text = (Path(__file__).parent / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^-- (\S+) \| (.+)\n((?:(?!--).+\n?)+)", text, re.MULTILINE)
    return [(head, sentence, body.strip().splitlines()) for head, sentence, body in blocks]
