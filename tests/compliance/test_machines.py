# ruff: noqa: S608 - table and state names come from the constants of this file and the transitions
"""Every listed move of the compliance book has a verb that makes it, and no other move can be made."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator

import psycopg
import pytest

from tests.attack.world import World
from tests.compliance.conftest import every_right, play, rolled_back, scripts

SCRIPTS = scripts("machines.txt")
# An officer moves a request of an institution too; tests/capital plays that machine, which is the engine's.
LISTED = """
select machine, from_state, to_state from engine.transition where role = 'compliance' and machine <> 'intake'
order by 1, 2, 3
"""
EVENTS = """
select kind, subject, canonical from audit.event where keeper = 'compliance' and subject <> all (%s)
order by scope, subject, version
"""
READ = "select compliance.read_suspicion('officer.one', 'req_look', %s)"
Move = tuple[str, str, str]


def moves_of(connection: psycopg.Connection, before: list[str]) -> Iterator[Move]:
    """Yield the moves of which the events tell, leaving out those of earlier subjects."""
    states: dict[tuple[str, str], str] = defaultdict(str)
    for kind, subject, canonical in connection.execute(EVENTS, [before]).fetchall():
        machine = kind.partition(".")[0]
        was = states[machine, subject]
        becomes = json.loads(canonical)["payload"].get("status", was)
        states[machine, subject] = becomes
        yield machine, was, becomes


def sealed_moves(connection: psycopg.Connection, head: str) -> Iterator[Move]:
    """Yield the moves of which the desk's sealed entries tell, to those who may open them."""
    for case in ("sus_1", "sus_2") if head == "suspicion" else ():
        row = connection.execute(READ.encode(), [case]).fetchone()
        assert row is not None
        was = ""
        for entry in row[0]["entries"]:
            becomes = json.loads(entry["canonical"])["told"].get("status", was)
            yield "suspicion", was, becomes
            was = becomes


@pytest.fixture(scope="module")
def made(world: World) -> dict[str, set[Move]]:
    """Play every script and return the moves that each made."""
    found = {}
    for head, _, statements in SCRIPTS:
        with rolled_back(world) as connection:
            known = connection.execute("select distinct subject from audit.event").fetchall()
            before = [] if head == "sanctions" else [row[0] for row in known]
            play(connection, statements)
            found[head] = set(moves_of(connection, before)) | set(sealed_moves(connection, head))
    return found


def test_every_listed_move_has_its_verb(world: World, made: dict[str, set[Move]]) -> None:
    listed = set(world.login("owner").execute(LISTED.encode()).fetchall())
    assert listed - set().union(*made.values()) == set()


@pytest.mark.parametrize(
    ("script", "machine"), [("kyc_case", "kyc_case"), ("accreditation", "accreditation")]
)
def test_every_other_move_is_refused(world: World, script: str, machine: str) -> None:
    """From each state that a script passes through, each state is tried with every right."""
    statements = next(body for head, _, body in SCRIPTS if head == script)
    listed = set(world.login("owner").execute(LISTED.encode()).fetchall())
    states = {to for name, _, to in listed if name == machine}
    tried: set[Move] = set()
    with every_right(world) as connection:
        for number, statement in enumerate(statements):
            play(connection, [statement], number)
            row = connection.execute(
                f"select status from compliance.{machine} where investor_id = 'ivr_book1'".encode()
            ).fetchone()
            assert row is not None
            for becomes in states:
                move = (machine, row[0], becomes)
                if move not in listed and move not in tried:
                    tried.add(move)
                    _refused(connection, machine, becomes)
    assert {was for _, was, _ in tried} == states - {"new"}


def _refused(connection: psycopg.Connection, machine: str, becomes: str) -> None:
    with pytest.raises(psycopg.Error) as caught, connection.transaction():
        connection.execute(
            f"update compliance.{machine} set status = '{becomes}' where investor_id = 'ivr_book1'".encode()
        )
    assert caught.value.diag.constraint_name == "transition_is_listed_for_the_keeper"
