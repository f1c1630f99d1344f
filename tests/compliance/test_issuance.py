"""What the screenings that an issuance asks for do to a clearance: nothing before the last answer."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from bookrunner.db import Database
from bookrunner.engine.desk import Desk
from bookrunner.engine.intake import Screening
from tests.compliance.screened import whole, without
from tests.compliance.test_screening_gate import SDN_NAME, Offering

Connect = Callable[[str], psycopg.Connection]
ANSWER = "select compliance.record_screening('scanner', %s, %s, %s, %s, %s)"
LISTED = "9639"


class Issuance:
    """An investor of a frozen closing whose subjects wait for a screening made for the issuance."""

    def __init__(self, database: Database, connect: Connect) -> None:
        self.offer = Offering(database, connect, "iss", "frozen")
        self.investor = self.offer.world.id("ivr", 1)
        self.offer.book.desk.compliance.enlist_for_issuance(actor="process", investors=[self.investor])
        self.subjects = self.offer.book.waiting()
        self.before = self.records()
        ((self.list_version,),) = self.offer.book.rows("select list_version from compliance.list_status")

    def records(self) -> int:
        """Return how often the clearance was opened or closed."""
        return len(self.offer.book.rows("select 1 from compliance.clearance_record"))

    def answer(self, connection: psycopg.Connection, subject: str, matched: str | None = None) -> None:
        """Record the answer of one subject in a transaction that the caller ends."""
        connection.execute(ANSWER, (f"req_{subject}", subject, f"scr_{subject}", self.list_version, matched))


@pytest.fixture
def issuance(database: Database, connect: Connect) -> Issuance:
    return Issuance(database, connect)


def test_the_last_answer_opens_the_gate_and_no_clearance_falls_before_it(
    issuance: Issuance, connect: Connect
) -> None:
    compliance = connect("compliance")
    *first, last = issuance.subjects
    assert len(first) > 1, "the investor and each payer"
    for subject in first:
        issuance.answer(compliance, subject)
        assert issuance.offer.cleared()[0] is False
        assert issuance.offer.book.rows("select distinct status from compliance.clearance") == [("clear",)]
    issuance.answer(compliance, last)
    assert issuance.offer.cleared() == [True] * 3
    assert issuance.records() == issuance.before


def test_a_hit_takes_the_clearance_at_once(issuance: Issuance, connect: Connect) -> None:
    issuance.answer(connect("compliance"), issuance.subjects[0], LISTED)
    status = "select status, lacks from compliance.clearance where investor_id = 'ivr_iss1'"
    ((stands, lacks),) = issuance.offer.book.rows(status)
    assert stands == "reopened"
    assert "sanctions_are_clear" in lacks
    assert issuance.records() == issuance.before + 1


def test_two_last_answers_at_once_open_the_gate(issuance: Issuance, connect: Connect) -> None:
    """Each sees the other's subject waiting when it begins; the one that commits last computes."""
    one, two = connect("compliance"), connect("compliance")
    *first, left, right = issuance.subjects
    for subject in first:
        issuance.answer(one, subject)
    one.autocommit = False
    issuance.answer(one, left)
    other = threading.Thread(target=issuance.answer, args=(two, right))
    other.start()
    other.join(timeout=0.5)
    assert other.is_alive(), "the second answer waits for the first"
    one.commit()
    other.join(timeout=10)
    assert issuance.offer.cleared() == [True] * 3


def test_a_list_between_screening_and_gate_is_answered_before_it(
    issuance: Issuance, database: Database
) -> None:
    """The gate stays open while a new list waits for its answer; an issuance does not rest on the old one."""
    desk, book = Desk(database), issuance.offer.book
    of = {"offering": issuance.offer.world.offering, "investors": [issuance.investor]}

    def before() -> list[str]:
        lists = {row["source"]: row["list_version"] for row in desk.compliance.lists_in_force()}
        return [row["investor_id"] for row in desk.engine.screened_before(lists=lists, **of)]

    book.screening.for_issuance([issuance.investor])
    assert before() == []
    book.take(without(whole(), 9639, day="2024-12-02"), SDN_NAME)
    assert issuance.offer.cleared()[0] is True
    assert before() == [issuance.investor]
    book.screening.for_issuance([issuance.investor])
    assert before() == []


def test_a_portion_is_renewed_and_keeps_what_its_clearances_say(issuance: Issuance) -> None:
    """A renewal writes what a computation of each would have written, and nothing when nothing moved."""
    book = issuance.offer.book
    stated = (
        "select c.lacks, c.status, c.valid_until, p.cleared_until, p.investor_is_cleared, p.clearance_fact"
        " from compliance.clearance c join engine.position p using (offering_id, investor_id) order by 1, 6"
    )
    book.screening.for_issuance([issuance.investor])
    renewed = book.rows(stated)
    book.rows("select compliance.compute_again('process', 'req_again', %(who)s)", who=issuance.investor)
    assert book.rows(stated) == renewed
    assert all(row[2] == row[3] for row in renewed)


class _Died(Exception):
    """The end of a worker that had claimed and not recorded."""


@pytest.mark.parametrize("dies", [False, True])
def test_an_issuance_waits_for_another_worker_who_screens_its_investors(
    issuance: Issuance, database: Database, *, dies: bool
) -> None:
    """It neither refuses nor leaves an investor behind because somebody else holds the work."""
    held = threading.Event()
    is_armed = False

    def hold(_: int) -> None:
        if is_armed:
            held.set()
            time.sleep(2)
            if dies:
                raise _Died

    other = Screening(Desk(database), before_recording=hold)
    other.drain()  # It has read its list; the one below has not, and comes second.
    mine = Screening(Desk(database))
    is_armed = True
    with ThreadPoolExecutor() as pool:
        first = pool.submit(_until_it_holds, other, held)
        second = pool.submit(mine.for_issuance, [issuance.investor])
        second.result(timeout=60)
        held_it = held.is_set()
        held.set()
        assert isinstance(first.exception(timeout=60), _Died) is dies
    assert held_it
    assert issuance.offer.cleared() == [True] * 3


def _until_it_holds(screening: Screening, held: threading.Event) -> None:
    while not held.is_set():
        screening.drain()


def test_a_name_that_is_new_closes_the_gate_until_it_is_screened(
    database: Database, connect: Connect
) -> None:
    offer = Offering(database, connect, "new", "funded")
    assert offer.cleared() == [True] * 3
    offer.alias(1, "Another Example")
    assert offer.cleared() == [False, True, True]
    offer.answer()
    assert offer.cleared() == [True] * 3
