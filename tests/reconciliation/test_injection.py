"""Every injected divergence is found by a whole run and by one of what was touched, and named right."""

from __future__ import annotations

import re

import psycopg
import pytest
from psycopg import sql

from tests.reconciliation.conftest import Books, look, undone
from tests.reconciliation.injectors import NOTHING, TABLE, Injector

CHECKS = """
select c.conname from pg_constraint c where c.conrelid = %s::regclass and c.contype = 'c'
"""
NAMES = ("agr", "alc", "inv", "iss", "ivr", "pay", "rcp", "wlc", "wmp")


def named(books: Books, text: str) -> str:
    """Return a statement with the ids of the first investor."""
    ids = {name: books.id(name, 1) for name in NAMES}
    return text.format(ofr=books.offering, x=NOTHING, **ids)


def break_it(admin: psycopg.Connection, books: Books, text: str) -> None:
    """Put off what guards a table, then write to it; the caller rolls all of it back."""
    if found := re.search(r"(?:update|delete from|insert into) ([a-z]+)\.([a-z_]+)", text):
        table = sql.Identifier(*found.groups())
        admin.execute(sql.SQL("alter table {} disable trigger all").format(table))
        for (check,) in admin.execute(CHECKS, [".".join(found.groups())]).fetchall():
            admin.execute(
                sql.SQL("alter table {} drop constraint {} cascade").format(table, sql.Identifier(check))
            )
        changed = admin.execute(named(books, text).encode())
        assert changed.rowcount > 0, "nothing was broken"


@pytest.mark.parametrize("case", TABLE, ids=lambda case: f"{case.kind}: {case.name}")
def test_a_divergence_is_found_named_and_owned(books: Books, case: Injector) -> None:
    investment, investor, wallet = books.id("inv", 1), books.id("ivr", 1), books.address(1).hex()
    about = {"inv": investment, "ivr": investor, "address": wallet, "offer": None}[case.about]
    shown = None if case.chain is None else case.chain(books)
    touched = None
    if shown is not None:
        touched = shown | {"lines": {at: units for at, units in shown["lines"].items() if at == wallet}}
    with undone(books.login("admin")) as admin:
        break_it(admin, books, case.statement)
        for chain, only in ((shown, None), (touched, [investment, investor, wallet])):
            with undone(admin):
                rows = look(admin, books, chain, only)
            told = {(kind, at, owner, status) for _, kind, _, at, owner, status in rows}
            assert (case.kind, about, case.owner, "open") in told, rows


def test_clean_books_have_no_break(books: Books) -> None:
    with undone(books.login("admin")) as admin:
        assert look(admin, books, books.shown()) == []
        assert look(admin, books, books.shown(), [books.id("inv", 1), books.id("ivr", 1)]) == []


def test_every_kind_is_injected(books: Books) -> None:
    rows = books.login("owner").execute("select kind from reconciliation.kind").fetchall()
    elsewhere = {"approved_intake_is_not_entered", "units_went_in_their_period"}
    assert {kind for (kind,) in rows} == {case.kind for case in TABLE} | elsewhere
    assert len({case.name for case in TABLE}) == len(TABLE) >= 40
