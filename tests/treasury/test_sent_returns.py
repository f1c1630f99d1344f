"""A person sends one refund as the return of its own payment: once, and only under a name it came under."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from bookrunner.adapters.bank import BankFile
from bookrunner.adapters.bank.files import AnyFormatReader
from bookrunner.adapters.payments.file_desk import FileDesk
from bookrunner.adapters.payments.orders import AccountBook, Courier
from bookrunner.adapters.payments.returns import Original, read_original, write_return
from bookrunner.books import treasury
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from bookrunner.engine.intake import fingerprint
from tests.attack.world import Connect
from tests.treasury.escrow import PRICE, Escrow
from tests.treasury.test_debits import COLLECTS

UETR = "3f2b8c1e-5d4a-4b7e-9a3c-1f6d2e8b7a90"
TRACE = "021000021234567"
BOOK = "name,number,bank\nExample Escrow,ESCROW1,021000021\nExample Person,ACC1,021000021\n"
WIRE = Original(reason="AC04", uetr=UETR.upper(), end_to_end="E2E1", message="MSG1")


@pytest.fixture
def world(connect: Connect) -> Escrow:
    """Return an escrow from which two stray payments are to go back."""
    world = Escrow(connect)
    world.build("instructed")
    stray = {"reference": None, "booked_on": "2026-01-05", "fingerprint": fingerprint("ACC1").hex()}
    world.pay("stray", world.entry(1, **stray, marks=[UETR]), world.entry(2, **stray, marks=[TRACE]))
    assert world.call("treasury.return_unidentified", world.offering, date(2026, 2, 2), 10) == 2
    return world


def send(database: Database, world: Escrow, n: int, original: Original, *, folder: Path) -> int:
    write = write_return(AccountBook(BOOK, fingerprint), original, date(2026, 2, 2))
    refund = f"rfd_{world.id('rcp', n)}"
    keeper = treasury.keeper(database)
    return treasury.send_return(keeper, (world.offering, refund), write, Courier(FileDesk(folder)))


def only_order(folder: Path) -> BankFile:
    (path,) = folder.iterdir()
    return AnyFormatReader().read_file(path.read_bytes())


def test_a_wire_goes_back_as_pacs_004_once(world: Escrow, database: Database, tmp_path: Path) -> None:
    assert send(database, world, 1, WIRE, folder=tmp_path / "out") == 1
    (entry,) = only_order(tmp_path / "out").only_statement().entries
    assert (entry.amount_minor, entry.return_reason, entry.original_reference) == (PRICE, "AC04", UETR)
    assert world.ask("select status from treasury.refund where receipt_id = %s", world.id("rcp", 1)) == [
        ("sent",)
    ]
    with pytest.raises(Refused, match="returned_refund_waits"):
        send(database, world, 1, WIRE, folder=tmp_path / "out")
    assert len(list((tmp_path / "out").iterdir())) == 1
    world.check()


def test_an_ach_credit_goes_back_as_a_nacha_return(world: Escrow, database: Database, tmp_path: Path) -> None:
    original = Original(reason="R23", trace=TRACE, originator=COLLECTS)
    assert send(database, world, 2, original, folder=tmp_path / "out") == 1
    (entry,) = only_order(tmp_path / "out").only_statement().entries
    assert (entry.amount_minor, entry.return_reason, entry.original_reference) == (2 * PRICE, "R23", TRACE)
    world.check()


@pytest.mark.parametrize(
    ("n", "original", "rule"),
    [
        (2, WIRE, "return_names_its_payment"),
        (1, Original(reason="AC04"), "return_names_its_payment"),
        (1, Original(reason="R23", trace=TRACE), "return_names_its_payment"),
        (2, Original(reason="R23", trace=TRACE), "originator_is_readable"),
        (2, Original(reason="R99", trace=TRACE, originator=COLLECTS), "return_code_is_known"),
        (3, WIRE, "returned_refund_waits"),
    ],
)
def test_nothing_goes_back_under_another_name(
    world: Escrow, database: Database, tmp_path: Path, *, n: int, original: Original, rule: str
) -> None:
    with pytest.raises(Refused, match=rule):
        send(database, world, n, original, folder=tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert world.ask("select distinct status from treasury.refund") == [("created",)]


def test_the_original_is_read_from_what_a_person_writes() -> None:
    wire = {"reason": "AC04", "uetr": UETR.upper(), "end_to_end": "E2E1", "message": "MSG1"}
    assert read_original(json.dumps(wire)) == WIRE
    ach = {"reason": "R23", "trace": TRACE, "originator": COLLECTS}
    assert read_original(json.dumps(ach)).originator == COLLECTS
    for broken in ("", "[]", "{}", '{"reason": "AC04", "other": "1"}'):
        with pytest.raises(Refused, match="original_is_readable"):
            read_original(broken)
    with pytest.raises(Refused, match="originator_is_readable"):
        read_original('{"reason": "R23", "originator": {}}')
