"""The sandbox bank as a process: files, signed notices, delays, duplicates, returns, orders taken once."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from bookrunner.adapters.bank.files import AnyFormatReader
from bookrunner.adapters.bank.payouts import Account as Party
from bookrunner.adapters.chain.evm import EvmChain
from bookrunner.adapters.payments import OrderStatus, PaymentRail, RailUnavailable, payment_id
from bookrunner.adapters.payments.file_desk import FileDesk
from bookrunner.adapters.payments.orders import Courier, write_refunds
from bookrunner.adapters.payments.remote import RemoteBank
from bookrunner.api import api
from bookrunner.app import Application, open_keys
from bookrunner.app.settings import Outside
from bookrunner.core.errors import Refused
from bookrunner.db import Endpoint
from bookrunner.engine.intake import fingerprint
from bookrunner.sandbox.bank import Payment, StatementHead, write_statement
from bookrunner.sandbox.bank.book import Account, Book
from bookrunner.sandbox.bank.server import configure
from tests.attack.world import Connect
from tests.serving import serving
from tests.treasury.counter import running
from tests.treasury.escrow import PRICE, Escrow

OPENED_ON = date(2026, 3, 2)
LAST = OPENED_ON + timedelta(10)
SECRET = "whsec_" + base64.b64encode(b"b" * 32).decode()
BANK = "021000021"


def order(*refunds: tuple[str, int]) -> bytes:
    """Return the file of an order with these refunds."""
    lines = [
        {"refund": name, "amount": amount, "currency": "USD", "fingerprint": "00" * 32, "try": 1}
        for name, amount in refunds
    ]
    write = write_refunds(Party("Escrow", "ESCROW1", BANK), lambda _: Party("Payer", "ACC1", BANK), OPENED_ON)
    return write("pyo_one", lines)


@pytest.fixture(params=["remote", "file desk"])
def rail(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[PaymentRail]:
    """Return each of the two ways to a bank."""
    if request.param == "file desk":
        yield FileDesk(tmp_path / "orders")
        return
    configure(tmp_path / "bank", Account("ESCROW1", "USD", 1, OPENED_ON))
    with running(tmp_path / "bank") as bank, RemoteBank(bank.url) as remote:
        yield remote


def test_a_rail_takes_an_order_once_by_its_id(rail: PaymentRail) -> None:
    content = order(("rfd_one", 500), ("rfd_two", 700))
    assert rail.status("pyo_one") is None
    taken = rail.submit("pyo_one", content)
    assert taken.status in set(OrderStatus)
    assert rail.submit("pyo_one", content) == rail.status("pyo_one") == taken
    with pytest.raises(Refused, match="order_id_has_one_content"):
        rail.submit("pyo_one", content.replace(b"5.00", b"6.00"))
    assert rail.status("pyo_one") == taken


def test_an_order_is_carried_out_and_shown_on_the_statements(tmp_path: Path) -> None:
    configure(tmp_path, Account("ESCROW1", "USD", 1, OPENED_ON))
    with running(tmp_path) as bank:
        with RemoteBank(bank.url) as remote:
            remote.submit("pyo_one", order(("rfd_one", 500), ("rfd_two", 700)))
            bank.move_to(LAST)
            found = remote.status("pyo_one")
        assert found is not None
        assert found.status is OrderStatus.EXECUTED
        days = [OPENED_ON + timedelta(n) for n in range(11)]
        statements = [AnyFormatReader().read(bank.statement(day)) for day in days]
        assert all(not statement.findings for statement in statements)
        debits = {e.end_to_end_id: e.amount_minor for s in statements for e in s.entries if not e.credit}
        assert debits == {"rfd_one": 500, "rfd_two": 700}
        assert statements[-1].closing_minor == -1200


class Mute:
    """A rail whose answer is lost; it knows the order or not."""

    def __init__(self, rail: PaymentRail, *, takes: bool) -> None:
        self._rail, self._takes = rail, takes

    def submit(self, order: str, content: bytes) -> None:
        """Take the order or not, and say nothing."""
        if self._takes:
            self._rail.submit(order, content)
        raise RailUnavailable("no answer")

    def status(self, order: str) -> object:
        """Answer."""
        return self._rail.status(order)


def test_a_lost_answer_is_asked_for(tmp_path: Path) -> None:
    desk, content = FileDesk(tmp_path), order(("rfd_one", 500))
    with pytest.raises(RailUnavailable):
        Courier(Mute(desk, takes=False)).hand_over("pyo_one", content)  # type: ignore[arg-type]
    assert desk.status("pyo_one") is None
    reference = Courier(Mute(desk, takes=True)).hand_over("pyo_one", content)  # type: ignore[arg-type]
    assert reference == desk.submit("pyo_one", content).reference


def test_a_bank_that_is_gone_is_no_refusal() -> None:
    with RemoteBank("http://127.0.0.1:9") as remote, pytest.raises(RailUnavailable):
        remote.submit("pyo_one", b"")


def test_a_payment_has_an_id_that_every_bank_gives_back() -> None:
    whole = "rfd_rcp_" + "0" * 26
    assert payment_id(whole, 1) == whole
    others = {payment_id(whole, 2), payment_id(f"{whole}.1", 1), payment_id(f"{whole}.2", 1)}
    assert len(others) == 3
    assert max(map(len, others)) <= 35


def test_a_book_that_was_cut_off_is_what_was_acknowledged(tmp_path: Path) -> None:
    path, account = tmp_path / "book.jsonl", Account("ESCROW1", "USD", 1, OPENED_ON)
    book = Book(path, account)
    book.order("pyo_one", order(("rfd_one", 500)))
    with path.open("ab") as file:
        file.write(b'{"kind": "order", "id": "pyo_tw')
    again = Book(path, account)
    assert again.paid() == {"rfd_one": [500]}
    again.order("pyo_two", order(("rfd_two", 700)))
    assert Book(path, account).paid() == {"rfd_one": [500], "rfd_two": [700]}


def test_files_and_notices_of_the_bank_agree_with_the_book(
    application: Application, connect: Connect, tmp_path: Path
) -> None:
    world = Escrow(connect, investors=8)
    world.build("instructed")
    keys = application.endpoint.secrets.folder / "payments" / "sandbank"
    keys.mkdir(parents=True, exist_ok=True)
    (keys / "one").write_text(SECRET)
    with serving(api(application.database, payments=application.receive_payment)) as url:
        account = Account("ESCROW1", "USD", 7, OPENED_ON)
        configure(tmp_path, account, f"{url}/v1/webhooks/payments/sandbank", SECRET)
        with running(tmp_path) as bank:
            rails = ("wire", "ach_debit", "ach_credit", "cheque")
            for n in world.numbers:
                bank.deposit(
                    {
                        "id": f"dep{n}",
                        "offering": world.offering,
                        "payment": world.id("pay", n),
                        "amount_minor": n * PRICE,
                        "reference": f"RF{n:014}",
                        "name": "Example Person",
                        "account": f"ACC{n}",
                        "rail": rails[n % 4],
                    }
                )
            first = bank.tell()
            bank.move_to(LAST)
            said = bank.tell()
            statements = [bank.statement(OPENED_ON + timedelta(n)) for n in range(11)]
    assert first["waiting"] == said["waiting"] == 0
    returned = first["told"] + said["told"] - 16
    assert returned > 0, "the seed has no return"
    kept = world.ask("select status, count(*) from treasury.payment_notice group by 1")
    assert dict(kept) == {"pending": 8, "settled": 8, "returned": returned}
    entries = [e for raw in statements for e in AnyFormatReader().read(raw).entries]
    assert sum(e.return_reason is not None for e in entries) == returned
    assert sum(e.credit for e in entries) == 8
    statuses = dict(world.ask("select status, count(*) from treasury.payment_attempt group by 1"))
    assert statuses == {"in_progress": 8 - returned, "failed": returned}
    assert world.ask("select count(*) from treasury.journal") == [(0,)]


def test_refunds_leave_as_files_for_accounts_that_are_known(
    application: Application, connect: Connect, tmp_path: Path
) -> None:
    world, desk = Escrow(connect, investors=2), tmp_path / "orders"
    world.build("instructed")
    world.pay("day", *(world.entry(n, fingerprint=fingerprint(f"ACC{n}").hex()) for n in world.numbers))
    world.call("engine.move_offer", world.offering, "closed_unsuccessfully")
    world.call("treasury.refund_ended", world.offering, None, 10)
    book = f"name,number,bank\nEscrow,ESCROW1,{BANK}\nOne,ACC1,{BANK}\n"
    for accounts, rule in ((book, "payee_account_is_known"), ("name\nEscrow", "account_book_is_readable")):
        with pytest.raises(Refused, match=rule):
            application.send_refunds(world.offering, accounts, desk)
    assert not desk.exists()
    assert application.send_refunds(world.offering, f"{book}Two,ACC2,{BANK}\n", desk) == 1
    (file,) = desk.iterdir()
    entries = AnyFormatReader().read(file.read_bytes()).entries
    told = {(e.end_to_end_id, e.creditor_account, e.amount_minor) for e in entries}
    assert told == {("rfd_rcp_one1", "ACC1", PRICE), ("rfd_rcp_one2", "ACC2", 2 * PRICE)}
    assert application.send_refunds(world.offering, book, desk) == 0


def test_the_worker_sends_refunds_and_releases_by_itself(
    endpoint: Endpoint, connect: Connect, tmp_path: Path
) -> None:
    """Refunds of one offer, a release less fees of another; a third has a payee that nobody knows."""
    worlds = {name: Escrow(connect, name, investors=2) for name in ("back", "done", "lost")}
    for name in ("back", "lost"):
        world = worlds[name]
        world.build("instructed")
        world.pay("day", *(world.entry(n, fingerprint=fingerprint(f"ACC{n}").hex()) for n in world.numbers))
        world.call("engine.move_offer", world.offering, "closed_unsuccessfully")
        world.call("treasury.refund_ended", world.offering, None, 10)
    done = worlds["done"]
    done.build("registered")
    fees = [
        {"kind": "platform_fee", "payee": "platform", "fingerprint": fingerprint("FEE1").hex(), "amount": 700}
    ]
    propose = [done.offering, "rel_done", done.closing, fingerprint("ISSUER1"), fees]
    total = done.call("treasury.propose_release", *propose)
    approve = [done.offering, "rel_done", fingerprint("ISSUER1"), total, total - 700, "agreed by letter"]
    done.call("treasury.approve_release", *approve, actor="usr_second")
    books = endpoint.secrets.folder / "accounts"
    books.mkdir(parents=True, exist_ok=True)
    head = f"name,number,bank\nEscrow,ESCROW1,{BANK}\n"
    known = "".join(f"Known,{number},{BANK}\n" for number in ("ACC1", "ACC2", "FEE1", "ISSUER1"))
    for name, text in (("back", head + known), ("done", head + known), ("lost", head)):
        (books / f"{worlds[name].offering}.csv").write_text(text)
    with EvmChain("http://127.0.0.1:1") as chain:
        keys = open_keys(tmp_path / "keys", 31337, embedded=True)
        orders = tmp_path / "orders"
        app = Application(endpoint, chain, keys, pause=lambda: None, outside=Outside(orders_to=str(orders)))
        app.tend(look_seconds=0)
        waiting = (
            "select subject_id from compliance.rescreening where done_at is null and subject_id ~ '^payer:'"
        )
        assert done.ask("select distinct status from treasury.refund") == [("created",)]
        for number, (payer,) in enumerate(done.ask(waiting)):
            done.call("compliance.record_screening", payer, f"scr_again{number}", "list-1", None)
        app.tend()
        entries = [e for file in orders.iterdir() for e in AnyFormatReader().read(file.read_bytes()).entries]
        assert {(e.end_to_end_id, e.creditor_account, e.amount_minor) for e in entries} == {
            ("rfd_rcp_back1", "ACC1", PRICE),
            ("rfd_rcp_back2", "ACC2", 2 * PRICE),
            ("rel_done", "ISSUER1", total - 700),
            ("rel_done.1", "FEE1", 700),
        }
        assert done.ask("select status from treasury.refund where offering_id = 'ofr_lost' limit 1") == [
            ("created",)
        ]
        for sequence, (payment, amount) in enumerate((("rel_done", total - 700), ("rel_done.1", 700)), 5):
            shown = Payment(amount, None, "Us", "X1", OPENED_ON, credit=False, end_to_end_id=payment)
            raw = write_statement(StatementHead("ESCROW1", "USD", sequence, OPENED_ON, total), [shown])
            app.import_statement(done.offering, raw, actor="usr_first")
            expected = "sent" if payment == "rel_done" else "settled"
            assert done.ask("select status from treasury.release") == [(expected,)]
        app.close()
    for file in books.iterdir():
        file.unlink()
    assert done.ask("select on_its_way_minor from treasury.three_way where offering_id = 'ofr_done'") == [
        (0,)
    ]
    done.check()
