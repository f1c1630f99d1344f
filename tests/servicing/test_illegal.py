"""Raw SQL with every right breaks no rule of filings and votes, and without it reaches none of them."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from tests.allocation.book import Book
from tests.allocation.test_illegal import every_right
from tests.attack.world import Connect
from tests.servicing.books import filing, fill, named, state
from tests.servicing.votes import cast, delegate, finish, held, propose, start

STATEMENTS = Path(__file__).with_name("statements")


def read(name: str) -> list[tuple[str, str, str, str]]:
    """Return login, rule, sentence and statements of each head ``-- login | rule | sentence`` of a file."""
    text = (STATEMENTS / name).read_text(encoding="utf-8")
    return re.findall(r"^-- (\w+) \| (\w+) \| (.+)\n((?:(?!--).+\n)+)", text, re.MULTILINE)


ATTACKS = read("illegal.sql")
VOTES = read("votes.sql")


@pytest.fixture(scope="module")
def owing(shared: Connect) -> Book:
    """Return an offer whose notice is filled and not yet prepared."""
    book = Book(shared)
    book.build("confirmed")
    named(book)
    book.call("engine.open_filings", [book.offering], actor="process")
    state(book, "year_end", "2026-12-31")
    fill(book, "form_d")
    return book


@pytest.fixture(scope="module")
def voting(shared: Connect) -> Book:
    """Return an offer with a vote that is over, one that is open and one that waits to be opened."""
    book = held(shared, "voted")
    start(book, "vot_over")
    cast(book, 1, "for", "vot_over")
    finish(book)
    start(book, "vot_one")
    cast(book, 1, "for", "vot_one")
    delegate(book, 2, "ivr_voted1", "vot_one")
    propose(book, "vot_waits")
    return book


@pytest.mark.parametrize("row", ATTACKS, ids=[row[2] for row in ATTACKS])
def test_it_is_refused(owing: Book, row: tuple[str, str, str, str]) -> None:
    login, rule, _, statement = row
    with every_right(owing, login) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute(statement.encode())
    assert caught.value.diag.constraint_name == rule, caught.value


def test_a_prepared_pack_is_the_one_that_is_filed(owing: Book) -> None:
    name, seen, _ = filing(owing, "form_d")
    with every_right(owing, "engine") as connection:
        connection.execute(
            "select engine.prepare_filing('issuer.iris', 'req_ready', 'ofr_one', %s, %s)", [name, seen]
        )
        filed = "filed_by = 'usr_thief', filed_on = fact_on, reference = 'x', proof_sha256 = sha256('x')"
        for moved in ("", f", status = 'filed', {filed}"):
            with pytest.raises(psycopg.Error) as caught, connection.transaction():
                connection.execute(
                    f"update engine.filing set pack = '{{}}', pack_sha256 = sha256('{{}}'){moved}"  # noqa: S608
                    " where clock = 'form_d'".encode()
                )
            assert caught.value.diag.constraint_name == "pack_stays_as_prepared", caught.value


def test_what_a_person_ended_the_engine_owes_again_never(owing: Book) -> None:
    name, seen, _ = filing(owing, "form_d")
    with every_right(owing, "engine") as connection:
        connection.execute(
            "select engine.end_filing('issuer.iris', 'req_end', 'ofr_one', %s, 'so', %s)", [name, seen]
        )
        connection.execute("select audit.enter('process', 'req_theft')")
        with pytest.raises(psycopg.Error) as caught:
            connection.execute(
                "update engine.filing set status = 'due', ended_by = null where clock = 'form_d'"
            )
    assert caught.value.diag.constraint_name == "ended_filing_is_owed_again_by_a_person", caught.value


@pytest.mark.parametrize("row", VOTES, ids=[row[2] for row in VOTES])
def test_no_vote_is_bent(voting: Book, row: tuple[str, str, str, str]) -> None:
    login, rule, _, statement = row
    with every_right(voting, login) as connection, pytest.raises(psycopg.Error) as caught:
        connection.execute(statement.encode())
    assert caught.value.diag.constraint_name == rule, caught.value


@pytest.mark.parametrize(
    "login", ["portal", "compliance", "treasury", "registry", "subscription", "engine", "issuer", "audit"]
)
def test_nobody_writes_a_filing_by_hand(owing: Book, login: str) -> None:
    for statement in (
        "update engine.filing set status = 'not_owed'",
        "insert into engine.filing_fact default values",
        "insert into engine.filing_value default values",
        "insert into engine.state_notice_rule default values",
        "update engine.vote set status = 'cancelled'",
        "insert into engine.vote_weight default values",
        "update engine.ballot set choice = 'for'",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owing.login(login).execute(statement.encode())


@pytest.mark.parametrize("login", ["portal", "compliance", "treasury", "registry", "subscription", "issuer"])
def test_another_keeper_moves_no_filing(owing: Book, login: str) -> None:
    name, seen, _ = filing(owing, "form_d")
    for statement in (
        f"select engine.end_filing('u', 'r', 'ofr_one', '{name}', 'so', {seen})",
        f"select engine.prepare_filing('u', 'r', 'ofr_one', '{name}', {seen})",
        "select engine.open_filings('u', 'r', null)",
        "select engine.cast_ballot('u', 'r', 'ofr_voted', 'vot_one', 'ivr_voted1', 'for')",
        "select engine.close_votes('u', 'r')",
    ):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            owing.login(login).execute(statement.encode())
