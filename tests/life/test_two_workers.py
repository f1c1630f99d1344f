"""Two workers read one batch; what one of them takes away from the other is answered all the same."""

from __future__ import annotations

import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import Any

import pytest

from bookrunner.audit import advance_feed
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Endpoint
from bookrunner.engine.process.workflow import ClosingStopped, Workflows
from tests.allocation.book import Book, process_of
from tests.attack.world import Connect

BLOCKED = "select count(*) from pg_locks where not granted"


def answer_while_another_holds(connect: Connect, database: Database, taken: tuple[str, str, str]) -> None:
    """Let a worker answer while another one has taken one of its events, and commits only then."""
    consumer, kind, subject = taken
    advance_feed(database)
    other = connect("engine")
    ((scope, version),) = connect("owner").execute(
        "select scope, version from audit.event where kind = %s and subject = %s", [kind, subject]
    )
    with ThreadPoolExecutor(1) as pool:
        with other.transaction():
            other.execute(
                "select audit.react(%s, %s, %s, %s, 'done', '')", [consumer, scope, subject, version]
            )
            answered: Future[Any] = pool.submit(process_of(database).drain)
            while not connect("admin").execute(BLOCKED.encode()).fetchone() > (0,):  # type: ignore[operator]
                wait([answered], timeout=0.02)
                assert not answered.done()
        answered.result(30)


def test_the_last_unit_closes_the_offer_whoever_takes_the_first(connect: Connect, database: Database) -> None:
    book = Book(connect, cap=6).build("allocated")
    book.backdate("engine.terms", "closes_at_cap = false")
    for n in book.numbers:
        book.call("engine.confirm", book.offering, book.id("inv", n))
        book.call("engine.confirm_legally", book.offering, book.id("inv", n))
    book.backdate("engine.terms", "closes_at_cap = true")
    taken = ("process.close_full", "investment.legally_confirmed", "inv_one1")
    answer_while_another_holds(connect, database, taken)
    assert book.ask("select status from engine.offer") == [("legally_closed",)]


def test_who_waits_is_confirmed_whoever_takes_the_first_event(connect: Connect, database: Database) -> None:
    book = Book(connect, investors=1).build("allocated")
    # The approval comes before the confirmation and confirms nobody.
    process_of(database).drain()
    book.call("engine.confirm", book.offering, "inv_one1")
    book.call("engine.request_cancellation", book.offering, "inv_one1", "changed my mind", actor="ivr")
    book.call("engine.decide_cancellation", book.offering, "inv_one1", "false", "so", actor="manager.mia")
    assert book.status(1)[0] == "confirmed"
    answer_while_another_holds(connect, database, ("process.resume", "investment.confirmed", "inv_one1"))
    assert book.status(1)[0] == "legally_confirmed"


@pytest.mark.timeout(120)
def test_a_worker_leaves_a_closing_that_another_has_taken_up(connect: Connect, endpoint: Endpoint) -> None:
    book = Book(connect).build("frozen")
    mine, tries = (book.offering, book.closing), []
    busy, over = threading.Event(), threading.Event()

    def carry(offering: str, closing: str) -> int:
        tries.append(closing)
        if closing == "cls_other":
            busy.set()
            over.wait(90)
            return 0
        raise Refused("token_is_not_paused", f"{offering} {closing}")

    here = Workflows(endpoint, carry)
    here.start([mine])
    with pytest.raises(ClosingStopped):
        here.wait(book.closing)
    # With its hands full, this worker takes nothing else from the queue.
    here._take_up(book.offering, "cls_other")
    assert busy.wait(30)
    arguments = [endpoint.admin_dsn(), str(endpoint.secrets.folder), *mine]
    command = [sys.executable, "-m", "tests.life.end_worker", *arguments]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as there:
        assert there.stdout is not None
        assert there.stdin is not None
        assert there.stdout.readline() == "began\n"
        is_open = [mine]
        here.keep_trying(lambda: list(is_open), seconds=1)
        over.wait(4)
        assert statuses(connect, book.closing) == ["ERROR", "PENDING"]
        is_open.clear()
        # A look that is under way may still see it open.
        over.wait(1)
        there.stdin.write("go on\n")
        there.stdin.flush()
        assert there.stdout.readline() == "done\n"
    over.set()
    here.stop()
    assert tries.count(book.closing) == 1


def statuses(connect: Connect, closing: str) -> list[str]:
    """Return the statuses of the attempts at a closing, in their order."""
    question = "select status from dbos.workflow_status where workflow_uuid like %s order by created_at"
    return [status for (status,) in connect("admin").execute(question, [f"close-{closing}%"])]


def test_a_strand_that_another_worker_has_is_passed_over_and_answered_after_it(
    connect: Connect, database: Database
) -> None:
    worlds = [Book(connect, label=label, investors=2).build("confirmed") for label in ("left", "right")]
    process_of(database).drain()
    left, right = worlds
    for world in worlds:
        for n in world.numbers:
            world.call("engine.cancel_investment", world.offering, world.id("inv", n), "a duplicate")
    advance_feed(database)
    question = """
        select e.scope, r.consumer from audit.event e join audit.reaction r using (scope, subject, version)
        where e.kind = 'investment.cancelled' and r.consumer in ('process', 'process.notify')
        group by 1, 2 order by 1, 2"""
    strands = [("process", left.offering), ("orders", left.offering)]
    other = connect("engine")
    process = process_of(database)
    with other.transaction():
        for family, strand in strands:
            other.execute("select pg_advisory_xact_lock(hashtext(%s), hashtext(%s) & 63)", [family, strand])
        assert process.drain(patient=False) > 0
        assert left.ask(question) == [(right.offering, "process"), (right.offering, "process.notify")]
        assert process.drain(patient=False) == 0
    # Who had the strand died: what it had taken is answered now, and each event once.
    assert process.drain() > 0
    assert len(left.ask(question)) == 4
    notices = left.ask(
        "select count(*), count(distinct recipient) from engine.notice where code = 'cancelled'"
    )
    assert notices == [(4, 4)]


def test_two_workers_share_what_many_offers_ask(connect: Connect, endpoint: Endpoint) -> None:
    worlds = [Book(connect, label=f"of{n}", investors=2).build("confirmed") for n in range(4)]
    pools = [Database(endpoint, max_size=4) for _ in range(2)]
    process_of(pools[0]).drain()
    for world in worlds:
        for n in world.numbers:
            world.call("engine.cancel_investment", world.offering, world.id("inv", n), "a duplicate")
    before = worlds[0].ask("select count(*) from audit.reaction")[0][0]
    with ThreadPoolExecutor(2) as pool:
        drained = [pool.submit(process_of(one).drain) for one in pools]
        tried = sum(each.result(60) for each in drained)
    for one in pools:
        one.close()
    given = worlds[0].ask("select count(*) from audit.reaction")[0][0] - before
    assert tried == given, "no answer is worked out twice"
    assert worlds[0].ask("select count(*) from engine.notice where code = 'cancelled'") == [(8,)]
