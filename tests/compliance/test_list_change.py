"""A list that changes under its work: nobody is left on the old one, and nobody stops the others."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date

import psycopg

from bookrunner.db import Database
from tests.attack.world import LIST, World, digest
from tests.compliance.screened import LISTED, Book, whole, without

Connect = Callable[[str], psycopg.Connection]
HANIYA = 9639
ENLIST = "select compliance.enlist_subjects('process', 'req_e', array['ivr_1'], 'change')"
HIT = """
select hit_id, status, encode(entry_digest, 'hex'), version from compliance.hit where subject_id = %s
"""
STALE = """
insert into compliance.rescreening (source, list_version, subject_id, from_version, due_at, done_at)
select source, (select list_version from compliance.watchlist where status = 'superseded'), %s, null,
    clock_timestamp() + interval '1 hour', null
from compliance.watchlist where status = 'active'
"""


def admin(book: Book, statement: str, *values: object) -> None:
    """Run a statement that no keeper may."""
    with psycopg.connect(book.desk.database.endpoint.admin_dsn(), autocommit=True) as connection:
        connection.execute(statement.encode(), values or None)


def test_a_list_waits_for_whoever_is_being_enlisted(database: Database, connect: Connect) -> None:
    book = Book(database)
    book.take(without(whole(), HANIYA))
    book.profile("ivr_1", LISTED)
    enlisting = connect("compliance")
    with enlisting.transaction():
        enlisting.execute(ENLIST)
        taking = threading.Thread(target=lambda: book.take(whole()))
        taking.start()
        taking.join(1)
        assert taking.is_alive()
    taking.join()
    waits = "select from compliance.rescreening join compliance.watchlist using (source, list_version)"
    assert len(book.rows(f"{waits} where done_at is null and status = 'active'")) == 1
    assert len(book.rows(f"{waits} where done_at is null and status <> 'active'")) == 0
    book.screening.drain()
    assert [hit[0] for hit in book.hits()] == ["ivr_1"]


def test_a_list_waits_for_a_screening_that_uses_the_one_in_force(
    database: Database, connect: Connect
) -> None:
    book = Book(database)
    book.take(without(whole(), HANIYA))
    ((version,),) = book.rows("select list_version from compliance.watchlist")
    screening = connect("compliance")
    with screening.transaction():
        screening.execute(
            "select compliance.record_screening('process', 'req_s', 'ivr_1', 'scr_1', %s, null)", [version]
        )
        taking = threading.Thread(target=lambda: book.take(whole()))
        taking.start()
        taking.join(1)
        assert taking.is_alive()
    taking.join()
    assert book.waiting() == ["ivr_1"], "the new list knows of the screening on the old one"


def test_whoever_waits_for_an_old_list_is_screened_by_the_new_one(database: Database) -> None:
    book = Book(database)
    book.take(without(whole(), HANIYA))
    book.take(whole())
    for investor in ("ivr_1", "ivr_2"):
        book.profile(investor, LISTED)
        admin(book, STALE, investor)
    book.screening.drain()
    assert book.waiting() == []
    assert [hit[0] for hit in book.hits()] == ["ivr_1", "ivr_2"]


def test_a_refused_screening_does_not_stop_the_others(database: Database) -> None:
    book = Book(database)
    book.take(whole())
    names = [f"ivr_{number}" for number in range(5)]
    for investor in names:
        book.profile(investor, LISTED)
    refusing = "score_is_within_the_whole check (subject_id <> 'ivr_3')"
    admin(book, f"alter table compliance.screening add constraint {refusing}")
    book.screening.drain()
    assert book.waiting() == ["ivr_3"]
    assert [hit[0] for hit in book.hits()] == [name for name in names if name != "ivr_3"]


def test_an_older_list_comes_back_for_a_reason(connect: Connect) -> None:
    """What was published last comes back by itself; work for the list that returns is opened anew."""
    world = World(connect, investors=1).build("cleared")
    world.call("compliance.import_list", LIST[0], "list-0", digest("l0"), date(2020, 1, 1), 1000, "reader.1")
    world.call("compliance.activate_list", LIST[0], "list-0", "list-1 named a party by mistake")
    assert world.call("compliance.activate_list", LIST[0], "list-1", None) > 0
    login = world.login("owner")
    ((active,),) = login.execute(
        "select list_version from compliance.watchlist where status = 'active'"
    ).fetchall()
    waits = login.execute("select distinct list_version from compliance.rescreening where done_at is null")
    assert (active, waits.fetchall()) == ("list-1", [("list-1",)])


def test_a_hit_that_is_not_at_rest_says_what_the_pair_scores_now(connect: Connect) -> None:
    """A proposal on the entry of before is open again, and a decision on what was seen before is refused."""
    world = World(connect, investors=3).build("cleared")
    held = {}
    for number, decision in ((1, "escalated"), (2, "confirmed")):
        _screened(world, number, "list-1", "bb")
        world.call(
            "compliance.decide_hit", world.id("ivr", number), _hit(world, number)[0], decision, "why", 1
        )
        held[number] = _hit(world, number)
    world.call("compliance.import_list", LIST[0], "list-2", digest("l2"), date(2026, 4, 1), 1000, "reader.1")
    world.call("compliance.activate_list", LIST[0], "list-2", None)
    for number, status in ((1, "escalated"), (2, "open")):
        _screened(world, number, "list-2", "cc")
        assert _hit(world, number) == (held[number][0], status, "cc" * 32, held[number][3] + 1)
        _screened(world, number, "list-2", "cc")
        assert _hit(world, number)[2:] == ("cc" * 32, held[number][3] + 1), "the same pair changes nothing"


def _screened(world: World, number: int, version: str, entry: str) -> None:
    world.call(
        "compliance.record_result",
        world.id("ivr", number),
        f"scr_{version}_{number}_{len(_screenings(world, number))}",
        {
            "source": LIST[0],
            "list_version": version,
            "matcher_version": "1.0",
            "subject_digest": "aa" * 32,
            "subject_kind": "person",
            "threshold_bp": 8500,
            "candidates": [{"entry_id": "E1", "entry_digest": entry * 32, "score_bp": 9000}],
        },
    )


def _screenings(world: World, number: int) -> list[object]:
    query = "select from compliance.screening where subject_id = %s"
    return list(world.login("owner").execute(query, [world.id("ivr", number)]).fetchall())


def _hit(world: World, number: int) -> tuple[str, str, str, int]:
    subject = [world.id("ivr", number)]
    ((hit, status, entry, version),) = world.login("owner").execute(HIT, subject).fetchall()
    return hit, status, entry, version
