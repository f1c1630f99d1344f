"""Lines that are paid as entries of a NACHA file: written once, open again when one is sent back."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bookrunner.adapters.bank.files import AnyFormatReader
from bookrunner.adapters.bank.payouts import AchEntry, AchFile, AchReturn, write_ach
from bookrunner.adapters.payments import debit_identification, payment_id
from bookrunner.adapters.payments.dispatch import Dispatch
from bookrunner.adapters.payments.entries import line_writers
from bookrunner.books import treasury
from bookrunner.core import clock
from bookrunner.db import Database
from bookrunner.engine.intake import fingerprint
from bookrunner.engine.life.servicing.distributions import Distributions
from tests.allocation.test_illegal import every_right
from tests.attack.world import Connect
from tests.servicing.paying import Payer, payer
from tests.treasury.escrow import refused
from tests.treasury.test_debits import COLLECTS, OURS, ROUTING
from tests.treasury.test_returned_entries import Desktop, moved


class Office:
    """A distribution whose first two payees are paid by the ACH, and what a worker sends for it."""

    def __init__(self, world: Payer, runs: Distributions, folder: Path) -> None:
        self.world, self.runs, self.folder = world, runs, folder
        self.books = folder / "accounts"
        self.books.mkdir()
        lines = "".join(f"Person,ACC{n},{ROUTING}\n" for n in world.numbers)
        (self.books / f"{world.offering}.csv").write_text(f"name,number,bank\nEscrow,ESCROW1,{OURS}\n{lines}")
        (self.books / f"{world.offering}.ach.json").write_text(json.dumps(COLLECTS))
        self.outbox = Dispatch(self.books, str(folder / "orders"), fingerprint)
        for n, (way, kind) in {1: ("ach", "PPD"), 2: ("ach", "CCD"), 3: ("bank", None)}.items():
            world.call("treasury.approve_source", world.id("ivr", n), f"src_a{n}", fingerprint(f"ACC{n}"))
            self.prefer(n, way, kind)

    def prefer(self, n: int, way: str, kind: str | None, name: str = "pac_") -> None:
        """Let two people say by which rail a payee is paid."""
        of, account = self.world.id("ivr", n), f"{name}{n}"
        self.world.call(
            "treasury.propose_payee_account", of, account, way, f"src_a{n}", "asked in writing", kind
        )
        self.runs.screen_payee(of, actor="usr_first")
        self.world.screen()
        self.world.call("treasury.decide_payee_account", of, account, "true", 1, actor="usr_second")

    def start(self) -> str:
        """Start the payment; return the distribution."""
        distribution = self.world.ready(self.runs)
        self.runs.start(self.world.offering, distribution, actor="usr_first")
        return distribution

    def send(self, database: Database) -> list[tuple[str | None, int]]:
        """Let the worker send; return the entries of every NACHA file so far."""
        treasury.send_waiting(treasury.keeper(database), self.outbox)
        files = [each.read_bytes() for each in sorted((self.folder / "orders").iterdir())]
        read = [AnyFormatReader().read_file(raw) for raw in files if raw.startswith(b"101")]
        parts = [part for file in read for part in file.statements]
        return [(entry.end_to_end_id, entry.amount_minor) for part in parts for entry in part.entries]

    def trace(self, n: int) -> str:
        """Return the last trace number of one holder's line."""
        asked = "select trace from treasury.ach_entry where disbursement_id = %s order by try_no desc limit 1"
        return str(self.world.ask(asked, self.world.line(n))[0][0])

    def announce(self, desktop: Desktop, n: int, code: str) -> int:
        """Let the network send the entry of one holder back in a file."""
        entry = AchEntry(
            routing=OURS,
            account="1",
            amount_minor=self.net(n),
            credit=True,
            name="Person",
            identification="back",
            returned=AchReturn(code=code, original_trace=self.trace(n), received_by=ROUTING),
        )
        said = {"written_at": clock.now().replace(tzinfo=None), "effective_on": clock.today(), **COLLECTS}
        return desktop.announce(write_ach(AchFile(**said), [entry]))  # type: ignore[arg-type]

    def net(self, n: int) -> int:
        """Return what one line pays."""
        asked = "select amount_minor from treasury.disbursement where disbursement_id = %s"
        return int(self.world.ask(asked, self.world.line(n))[0][0])

    def name(self, n: int, try_no: int = 1) -> str:
        """Return the fifteen characters by which the network names a line."""
        return debit_identification(payment_id(self.world.line(n), try_no))


@pytest.fixture
def office(connect: Connect, database: Database, tmp_path: Path) -> Office:
    world, runs = payer(connect, database)
    return Office(world, runs, tmp_path)


def test_each_line_leaves_once_by_the_rail_of_its_payee(office: Office, database: Database) -> None:
    w = office.world
    office.start()
    named = {(office.name(n), office.net(n)) for n in (1, 2)}
    assert set(office.send(database)) == named
    assert set(office.send(database)) == named
    assert w.ask("select rail, orders from treasury.payout order by 1") == [("ach", 2), ("bank", 1)]
    assert w.ask("select count(distinct trace), min(left(trace, 8)) from treasury.ach_entry") == [
        (2, OURS[:8])
    ]
    desktop = Desktop(w, database)
    paid = [moved(office.net(n), office.name(n)) for n in (1, 2)]
    assert desktop.take(*paid, moved(office.net(3), w.line(3))) == 0
    assert set(w.states().values()) == {"paid"}
    w.check()


def test_a_returned_entry_opens_its_line_and_is_tried_again(office: Office, database: Database) -> None:
    w = office.world
    distribution = office.start()
    office.send(database)
    desktop = Desktop(w, database)
    assert desktop.take(moved(office.net(1), office.name(1)), moved(office.net(2), office.name(2))) == 0
    back = moved(office.net(2), office.trace(2), credit=True, return_reason="R03")
    assert desktop.take(back) == 0
    assert w.states()[w.id("ivr", 2)] == "returned"
    asked = "select bounce_code from treasury.disbursement where disbursement_id = %s"
    assert w.ask(asked, w.line(2)) == [("R03",)]
    w.check()
    assert w.call("treasury.retry_disbursements", w.offering, distribution, [w.line(2)]) == 1
    assert (office.name(2, 2), office.net(2)) in office.send(database)
    assert desktop.take(moved(office.net(2), office.name(2, 2))) == 0
    assert w.states()[w.id("ivr", 2)] == "paid"
    w.check()


def test_an_announced_return_is_booked_by_a_later_statement(office: Office, database: Database) -> None:
    w = office.world
    distribution = office.start()
    office.send(database)
    desktop = Desktop(w, database)
    first = office.trace(1)
    assert office.announce(desktop, 1, "R02") == 0
    assert office.announce(desktop, 1, "R02") == 0
    assert desktop.alarms() == 0
    assert w.states()[w.id("ivr", 1)] == "returned"
    # Nobody waits for the statement to pay the line again.
    w.call("treasury.retry_disbursements", w.offering, distribution, None)
    office.send(database)
    assert office.trace(1) != first
    assert desktop.take(moved(office.net(1), office.name(1))) == 0
    booked = "select count(*), sum(amount_minor) from treasury.booking where booking_id like %s"
    assert w.ask(booked, f"%{w.line(1)}@1") == [(1, -office.net(1))]
    back = moved(office.net(1), first, credit=True, return_reason="R02")
    assert desktop.take(back) == 0
    assert w.ask(booked, f"%{w.line(1)}@1") == [(2, 0)]
    assert w.ask("select count(*) from treasury.receipt where status = 'unmatched'") == [(0,)]
    assert w.states()[w.id("ivr", 1)] == "paying"
    w.check()


def test_an_account_that_the_network_does_not_reach_is_held(office: Office, database: Database) -> None:
    w = office.world
    lines = f"Person,ACC1,{ROUTING}\nPerson,ACC2,DEUTDEFFXXX\nPerson,ACC3,{ROUTING}\n"
    (office.books / f"{w.offering}.csv").write_text(f"name,number,bank\nEscrow,ESCROW1,{OURS}\n{lines}")
    office.start()
    assert office.send(database) == [(office.name(1), office.net(1))]
    held = "select investor_id, held_because from treasury.disbursement where status = 'held'"
    assert w.ask(held) == [(w.id("ivr", 2), "account_does_not_fit_its_rail")]
    w.check()


def test_without_a_sender_a_line_of_the_network_stays_owed(office: Office, database: Database) -> None:
    w = office.world
    (office.books / f"{w.offering}.ach.json").unlink()
    office.start()
    assert office.send(database) == []
    assert sorted(w.states().values()) == ["owed", "owed", "paying"]


def test_a_change_of_rail_withdraws_an_order_that_has_not_left(office: Office, database: Database) -> None:
    w = office.world
    office.start()
    accounts = (office.books / f"{w.offering}.csv").read_text()
    write, entries = line_writers(
        accounts, office.books / f"{w.offering}.ach.json", fingerprint, clock.today()
    )
    assert treasury.store_orders(database, w.offering, write, entries=entries) == 2
    office.prefer(1, "bank", None, "pac_now")
    office.send(database)
    assert w.ask("select count(*) from treasury.payout where status = 'withdrawn'") == [(1,)]
    office.send(database)
    asked = "select rail, status, count(*) from treasury.payout group by 1, 2 order by 1, 2"
    assert w.ask(asked) == [
        ("ach", "handed_over", 1),
        ("ach", "withdrawn", 1),
        ("bank", "handed_over", 2),
    ]
    assert set(w.states().values()) == {"paying"}
    w.check()


def test_a_file_that_died_half_written_is_written_again(office: Office, database: Database) -> None:
    w = office.world
    office.start()

    def dies(
        lines: Sequence[Mapping[str, Any]], numbers: Mapping[str, int]
    ) -> tuple[bytes, list[dict[str, str]]]:
        if numbers["first"] > 1 or len(lines) > 1:
            raise RuntimeError("the worker is gone")
        return b"", []

    def write(order: str, lines: Sequence[Mapping[str, Any]]) -> bytes:
        return order.encode() * len(lines)

    with pytest.raises(RuntimeError):
        treasury.store_orders(database, w.offering, write, entries=dies)
    assert sorted(w.states().values()) == ["owed", "owed", "paying"]
    assert len(office.send(database)) == 2
    w.check()


def test_raw_statements_do_not_pay_an_entry_twice(office: Office, database: Database) -> None:
    w = office.world
    office.start()
    office.send(database)
    again = json.dumps([{"line": w.line(1), "trace": "1" * 15}])
    with refused("payout_carries_each_line_once"):
        w.call("treasury.store_ach_entries", w.offering, "pyo_x", b"again", again)
    copied = (
        "insert into treasury.ach_entry select offering_id, payout_id, disbursement_id, try_no + 1, {trace},"
        " amount_minor, {currency} from treasury.ach_entry limit 1"
    )
    for trace, currency, rule in (
        ("trace", "currency", "ach_entry_pkey"),
        ("'12345'", "currency", "trace_has_fifteen_digits"),
        ("repeat('1', 15)", "'EUR'", "ach_pays_in_dollars"),
    ):
        with every_right(w, "treasury") as login, refused(rule):
            login.execute(copied.format(trace=trace, currency=currency).encode())
    with every_right(w, "treasury") as login, refused("history_is_append_only"):
        login.execute(b"update treasury.ach_entry set trace = repeat('9', 15)")
    with refused("ach_way_names_its_class"):
        w.call("treasury.propose_payee_account", w.id("ivr", 3), "pac_x", "ach", "src_a3", "no class")
