# ruff: noqa: S608 - table and state names come from the constants of this file and the transitions
"""Raw SQL with every right breaks no rule of orders, allotments and amendments."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.allocation.book import Book, digest
from tests.attack.rights import EVERY_RIGHT, kept
from tests.attack.world import Connect

UNLISTED = "transition_is_listed_for_the_keeper"
STATEMENTS = Path(__file__).with_name("statements")
MACHINES = {
    "allotment": ("engine.allotment", "allotment_id"),
    "waitlist_entry": ("engine.waitlist_entry", "entry_id"),
    "amendment": ("engine.amendment", "amendment_id"),
    "reconfirmation": ("subscription.reconfirmation", "reconfirmation_id"),
    "allocation_approval": ("subscription.allocation_approval", "approval_id"),
}


def read(name: str) -> list[tuple[str, str, str, str]]:
    """Return login, rule, sentence and statements of each head ``-- login | rule | sentence`` of a file."""
    text = (STATEMENTS / name).read_text(encoding="utf-8")
    return re.findall(r"^-- (\w+) \| (\w+) \| (.+)\n((?:(?!--).+\n)+)", text, re.MULTILINE)


ATTACKS = read("illegal.sql")

_THIEF = "select audit.enter('usr_thief', 'req_theft')"


@pytest.fixture(scope="module")
def att(shared: Connect) -> Book:
    """Return a decided book with rows in every state of its machines."""
    Book(shared, "full", cap=9000).build("instructed")
    Book(shared, "free", cap=20, least=2, policy="first_come").build("published")
    Book(shared, "asked").build("linked")
    book = Book(shared, "att", cap=4, policy="pro_rata", most_units=6).ordered()
    for n in (1, 2, 3):
        approval = [f"alc_att{n}", book.id("inv", n), n]
        book.call("subscription.propose_allocation", book.offering, *approval, actor="process")
    book.decide()
    for n, name in enumerate(("waits", "left", "promoted", "passed"), 1):
        book.call("engine.join_waitlist", book.offering, f"wle_{name}", f"ivr_{name}", n)
    book.call("engine.leave_waitlist", book.offering, "wle_left")
    _amend(Book(shared, "asked"))
    for login, _, _, statement in read("states.sql"):
        admin = book.login("admin")
        with kept(admin, login):
            admin.execute(_THIEF)
            admin.execute(statement.encode())
    return book


def _amend(book: Book) -> None:
    for name, material, accepted in (
        ("put", True, True),
        ("open", True, None),
        ("no", True, False),
        ("small", False, True),
        ("new", True, True),
    ):
        amendment = f"amd_{name}"
        book.call("engine.propose_amendment", book.offering, amendment, material, "So.", digest("d"))
        if accepted is not None:
            decision = [amendment, accepted, "so", 1]
            book.call("engine.decide_amendment", book.offering, *decision, actor="usr_second")
    for amendment in ("amd_put", "amd_new"):
        book.call("subscription.ask_reconfirmations", book.offering, amendment)
    for n, says in ((1, True), (2, False)):
        question = f"rcf_put_asked{n}"
        book.call("subscription.answer_reconfirmation", book.offering, question, says)


@contextmanager
def every_right(book: Book, login: str) -> Iterator[psycopg.Connection]:
    """Lend a session of a login that was given every right by mistake."""
    admin = book.login("admin")
    with admin.transaction(force_rollback=True):
        admin.execute(EVERY_RIGHT.format(login).encode())
        admin.execute(_THIEF)
        yield admin


@pytest.mark.parametrize("row", ATTACKS, ids=[row[2] for row in ATTACKS])
def test_it_is_refused(att: Book, row: tuple[str, str, str, str]) -> None:
    login, rule, _, statement = row
    with every_right(att, login) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute(statement.encode())
    assert caught.value.diag.constraint_name == rule, caught.value


@pytest.mark.parametrize("machine", list(MACHINES))
def test_every_move_that_is_not_listed_is_refused(att: Book, machine: str) -> None:
    table, key = MACHINES[machine]
    listed = set(att.ask("select from_state, to_state from engine.transition where machine = %s", machine))
    states = {after for _, after in listed}
    found = dict(att.ask(f"select status, min({key}) from {table} group by status"))
    assert set(found) >= states - {"approved"}
    tried = 0
    with every_right(att, table.partition(".")[0]) as connection:
        for was, name in found.items():
            for becomes in states:
                if (was, becomes) in listed:
                    continue
                tried += 1
                with pytest.raises(psycopg.Error) as caught, connection.transaction():
                    connection.execute(
                        f"update {table} set status = %s where {key} = %s".encode(), [becomes, name]
                    )
                assert caught.value.diag.constraint_name == UNLISTED, (was, becomes, caught.value)
    assert tried == len(found) * len(states) - len({m for m in listed if m[0] in found})


@pytest.mark.parametrize("login", ["portal", "compliance", "treasury", "registry", "subscription"])
def test_another_keeper_decides_nothing(connect: Connect, login: str) -> None:
    connection = connect(login)
    for statement in (
        "select engine.decide_allotment('u', 'r', 'ofr_att', 'alm_x', '', null, 'issuer', 'so')",
        "select engine.scale_back('u', 'r', 'ofr_att', 'alm_x', 'inv_att2', 1, 'issuer', 'so')",
        "select engine.decide_amendment('u', 'r', 'ofr_att', 'amd_open', true, 'so', 1)",
        "select engine.expire_reservations('u', 'r')",
        "insert into engine.allotment_line default values",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())
