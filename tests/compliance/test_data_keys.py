"""Two who come at once for somebody without a data key get one key."""

from __future__ import annotations

import time
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg
import pytest

from tests.attack.rights import kept
from tests.attack.world import Connect
from tests.compliance.conftest import NAMED

OBTAIN = "select {}.obtain_key('worker', 'req_1', 'ivr_new', %s, %s)"
KEPT = """
select key_id, wrapped from compliance.data_key union all select key_id, wrapped from portal.data_key
"""
WAITING = "select from pg_stat_activity where wait_event = 'advisory' and query like '%_key(%'"


def waits(seeing: psycopg.Connection, beside: Future[psycopg.Cursor]) -> bool:
    for _ in range(500):
        if seeing.execute(WAITING).fetchall():
            return not beside.done()
        if beside.done():
            break
        time.sleep(0.01)
    return False


@pytest.mark.parametrize("book", ["compliance", "portal"])
def test_the_second_waits_for_the_first_and_takes_its_key(connect: Connect, book: str) -> None:
    first, second = connect(book), connect(book)
    obtain = OBTAIN.format(book).encode()
    with ThreadPoolExecutor(1) as pool:
        with first.transaction():
            assert first.execute(obtain, ["dek_1", b"one"]).fetchone() == (b"one",)
            beside = pool.submit(second.execute, obtain, ["dek_2", b"two"])
            assert waits(connect("admin"), beside)
        assert beside.result().fetchone() == (b"one",)
    assert connect("owner").execute(KEPT).fetchall() == [("dek_1", b"one")]


def test_an_erasure_of_somebody_without_a_key_lets_none_in(connect: Connect) -> None:
    eraser, worker = connect("admin"), connect("compliance")
    with ThreadPoolExecutor(1) as pool:
        with kept(eraser, "compliance"):
            eraser.execute(NAMED)
            eraser.execute("select compliance.erase_subject('ivr_new', 'asked')")
            beside = pool.submit(worker.execute, OBTAIN.format("compliance").encode(), ["dek_2", b"two"])
            assert waits(connect("admin"), beside)
        with pytest.raises(psycopg.Error) as refused:
            beside.result()
    assert refused.value.diag.constraint_name == "personal_data_is_not_erased"
