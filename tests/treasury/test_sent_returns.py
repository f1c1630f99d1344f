"""A person sends one refund as the return of its own payment: once, and only under a name it came under."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from bookrunner.adapters.bank import BankFile
from bookrunner.adapters.bank.files import AnyFormatReader
from bookrunner.adapters.payments import debit_identification
from bookrunner.adapters.payments.file_desk import FileDesk
from bookrunner.adapters.payments.orders import AccountBook, Courier, write_refunds
from bookrunner.adapters.payments.returns import Original, read_original, write_return
from bookrunner.books import treasury
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from bookrunner.engine.desk import Desk
from bookrunner.engine.intake import fingerprint, import_statement
from bookrunner.sandbox.bank import Payment, StatementHead, write_statement
from tests.attack.world import Connect
from tests.treasury.escrow import PRICE, Escrow
from tests.treasury.payout_worker import BOOK, WIRE
from tests.treasury.test_debits import COLLECTS, Collector
from tests.treasury.test_refunds import block

UETR = WIRE.uetr.lower()
TRACE = "021000021234567"
ACH = Original(reason="R23", trace=TRACE, originator=COLLECTS)
TUESDAY = date(2026, 2, 3)


@pytest.fixture
def world(connect: Connect) -> Escrow:
    """Return an escrow from which two stray payments are to go back."""
    world = Escrow(connect)
    world.build("instructed")
    stray = {"reference": None, "booked_on": "2026-01-05", "fingerprint": fingerprint("ACC1").hex()}
    marks = {1: [UETR, "e2e1"], 2: [TRACE, "inv 7"]}
    world.pay("stray", *(world.entry(n, **stray, marks=marks[n]) for n in marks))
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


def show(database: Database, world: Escrow, *debits: tuple[int, str, str | None], day: int = 1) -> None:
    """Import the statement that shows debits, each an amount, a name and a reason."""
    paid = [
        Payment(
            amount,
            None,
            "Example Person",
            "ACC1",
            TUESDAY,
            credit=False,
            end_to_end_id=name,
            return_reason=reason,
        )
        for amount, name, reason in debits
    ]
    raw = write_statement(StatementHead("ESCROW1", "USD", day, TUESDAY, 3 * PRICE), paid)
    import_statement(Desk(database), AnyFormatReader(), world.offering, raw, actor="usr_first")


def stands(world: Escrow, n: int) -> tuple[str, str, int, int]:
    """Return the states of refund and receipt, the receivable, and how many alarms are open."""
    question = """select f.status, r.status, r.receivable_minor, (select count(*) from treasury.open_alarm)
        from treasury.refund f join treasury.receipt r using (offering_id, receipt_id)
        where receipt_id = %s"""
    ((refund, receipt, lost, alarms),) = world.ask(question, world.id("rcp", n))
    return refund, receipt, lost, alarms


@pytest.mark.parametrize("reason", ["AC04", None])
@pytest.mark.parametrize(
    ("n", "original", "name"),
    [
        (1, WIRE, "E2E1"),
        (1, WIRE, "{refund}"),
        (2, ACH, "INV 7"),
        (2, ACH, TRACE),
        (2, ACH, "{debit}"),
    ],
)
def test_the_debit_of_a_return_settles_it_once(
    world: Escrow,
    database: Database,
    tmp_path: Path,
    *,
    n: int,
    original: Original,
    name: str,
    reason: str | None,
) -> None:
    send(database, world, n, original, folder=tmp_path / "out")
    refund = f"rfd_{world.id('rcp', n)}"
    shown = name.format(refund=refund, debit=debit_identification(refund))
    show(database, world, (n * PRICE, shown, reason))
    assert stands(world, n) == ("settled", "refunded", 0, 0)
    assert world.balance("asset:escrow_bank") == (3 - n) * PRICE
    assert world.balance("liab:bank_overdraft") == world.balance("asset:clawback_receivable") == 0
    world.check()


@pytest.mark.parametrize("together", [True, False])
def test_a_second_debit_of_the_same_name_is_the_banks_own(
    world: Escrow, database: Database, tmp_path: Path, *, together: bool
) -> None:
    send(database, world, 1, WIRE, folder=tmp_path / "out")
    twice = [(PRICE, "E2E1", "AC04")] * 2
    if together:
        show(database, world, *twice)
    else:
        show(database, world, twice[0])
        show(database, world, twice[1], day=2)
    assert stands(world, 1) == ("settled", "returned", PRICE, 0)
    world.check()


def test_what_the_bank_takes_back_of_a_plain_refund_is_lost(
    world: Escrow, database: Database, tmp_path: Path
) -> None:
    write = write_refunds(
        AccountBook(BOOK, fingerprint).debtor, AccountBook(BOOK, fingerprint).holder, TUESDAY
    )
    treasury.send_refunds(
        treasury.keeper(database), world.offering, write, Courier(FileDesk(tmp_path / "out"))
    )
    show(database, world, (PRICE, "E2E1", "AC04"))
    assert stands(world, 1) == ("sent", "returned", PRICE, 0)
    world.check()


def test_a_debit_of_another_amount_is_not_the_return(
    world: Escrow, database: Database, tmp_path: Path
) -> None:
    send(database, world, 1, WIRE, folder=tmp_path / "out")
    show(database, world, (PRICE - 1, "E2E1", "AC04"))
    assert stands(world, 1) == ("sent", "refunding", 0, 1)


def test_a_stored_return_to_somebody_blocked_is_withdrawn(
    connect: Connect, database: Database, tmp_path: Path
) -> None:
    world = Escrow(connect).build("received")
    world.call("engine.move_offer", world.offering, "closed_unsuccessfully")
    world.call("treasury.refund_ended", world.offering, None, 10)
    refund = f"rfd_{world.id('rcp', 1)}"
    world.call("treasury.store_payout", world.offering, "pyo_1", b"order", [refund], "true")
    block(world, 1)
    with pytest.raises(Refused, match="returned_refund_waits"):
        send(database, world, 1, WIRE, folder=tmp_path / "out")
    assert world.ask("select purpose, status from treasury.payout") == [("return", "withdrawn")]
    assert world.ask("select status from treasury.refund where refund_id = %s", refund) == [("created",)]
    assert not (tmp_path / "out").exists()
    world.check()


def test_an_ach_credit_goes_back_as_a_nacha_return(world: Escrow, database: Database, tmp_path: Path) -> None:
    assert send(database, world, 2, ACH, folder=tmp_path / "out") == 1
    (entry,) = only_order(tmp_path / "out").only_statement().entries
    assert (entry.amount_minor, entry.return_reason, entry.original_reference) == (2 * PRICE, "R23", TRACE)
    world.check()


def test_a_return_is_numbered_among_the_debits(world: Escrow, database: Database, tmp_path: Path) -> None:
    collector = Collector(world, database, tmp_path)
    assert send(database, world, 2, ACH, folder=tmp_path / "out") == 1
    for n in (1, 2):
        collector.order(n)
        collector.send()
    written = [path.read_text() for at in ("orders", "out") for path in (tmp_path / at).iterdir()]
    lines = [text.splitlines() for text in written if text.startswith("101")]
    entries = [line for text in lines for line in text if line.startswith("6")]
    numbers = sorted(line[79:94] for line in entries)
    assert numbers == [f"{COLLECTS['origin'][:8]}{number:07d}" for number in (1, 2, 3)]
    assert len({text[0] for text in lines}) == len(lines) == 3
    (returned,) = (line[79:94] for line in entries if line[1:3] == "21")
    assert not world.call("treasury.return_debit", world.offering, returned, "R03")
    assert world.ask("select distinct status from treasury.debit") == [("sent",)]


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


def test_a_return_is_found_among_refunds_of_another_currency(
    world: Escrow, database: Database, tmp_path: Path
) -> None:
    stray = world.entry(3, reference=None, booked_on="2026-01-05", currency="EUR")
    world.pay("foreign", stray)
    assert world.call("treasury.return_unidentified", world.offering, date(2026, 2, 2), 10) == 1
    assert send(database, world, 1, WIRE, folder=tmp_path / "out") == 1
    assert world.ask("select orders, currency from treasury.payout") == [(1, "USD")]


def test_the_original_is_read_from_what_a_person_writes() -> None:
    wire = {"reason": "AC04", "uetr": UETR.upper(), "end_to_end": "E2E1", "message": "MSG1"}
    assert read_original(json.dumps(wire)) == WIRE
    ach = {"reason": "R23", "trace": TRACE, "originator": COLLECTS}
    assert read_original(json.dumps(ach)).originator == COLLECTS
    unreadable = ["", "[]", "{}", '{"reason": "AC04", "other": "1"}', '{"uetr": "1"}', '{"reason": null}']
    for broken in (*unreadable, '{"reason": "R23", "trace": 21000021234567}'):
        with pytest.raises(Refused, match="original_is_readable"):
            read_original(broken)
    with pytest.raises(Refused, match="originator_is_readable"):
        read_original('{"reason": "R23", "originator": {}}')
