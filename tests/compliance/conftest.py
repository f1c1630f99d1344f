"""One offering with profiled investors for a whole module; every test rolls its transaction back."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.attack.conftest import shared
from tests.attack.rights import EVERY_RIGHT
from tests.attack.world import DECISIONS, Connect, World

__all__ = ["shared"]

NAMED = """
select set_config('bookrunner.actor', 'officer.one', true), set_config('bookrunner.request', 'req_0', true)
"""
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


@contextmanager
def every_right(world: World) -> Iterator[psycopg.Connection]:
    """Lend a session of the keeper that was given every right by mistake."""
    admin = world.login("admin")
    with admin.transaction(force_rollback=True):
        admin.execute(EVERY_RIGHT.format("compliance").encode())
        yield admin


def play(connection: psycopg.Connection, statements: Sequence[str], first: int = 0) -> None:
    """Run statements one by one; each is a call without its actor and request."""
    for number, statement in enumerate(statements, first):
        prefix, _, raw = statement.partition(" ")
        if prefix in {":owner", ":every"}:
            _raw(connection, raw, prefix)
        else:
            connection.execute(named(expand(statement, number)).encode())


def _raw(connection: psycopg.Connection, statement: str, who: str) -> None:
    """Run plain SQL as the owner of the tables, or as the keeper with every right."""
    if who == ":owner":
        connection.execute("reset session authorization")
    connection.execute(NAMED.encode())
    connection.execute(statement.encode())


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
    by = f"'{actor or 'officer.one'}', 'req_{number}'"
    stated = ""
    if f"compliance.{verb}" in DECISIONS:
        stated = f"compliance.decide_under({by}, compliance.programme_in_force()), "
    return f"select {stated}compliance.{verb}({by}{given})"


def scripts(name: str) -> list[Script]:
    """Read a file of scripts: ``-- name | sentence`` and one call a line, up to an empty line."""
    text = (Path(__file__).parent / "scripts" / name).read_text(encoding="utf-8")
    blocks = re.findall(r"^-- (\S+) \| (.+)\n((?:(?!--).+\n?)+)", text, re.MULTILINE)
    return [(head, sentence, body.strip().splitlines()) for head, sentence, body in blocks]
