"""A booked debit that takes a receipt back is its return by itself, and so is an announced one."""

from __future__ import annotations

from datetime import UTC, date, datetime

import psycopg
import pytest

from bookrunner.adapters.bank.files import AnyFormatReader
from bookrunner.adapters.bank.payouts import (
    Account,
    AchEntry,
    AchFile,
    AchReturn,
    WireReturn,
    write_ach,
    write_pacs004,
)
from bookrunner.core.money import Money, currency
from bookrunner.db import Database
from bookrunner.engine.desk import Desk
from bookrunner.engine.intake import import_returns, import_statement
from bookrunner.sandbox.bank import Payment, StatementHead, write_statement
from tests.attack.world import Connect
from tests.treasury.escrow import PRICE, Escrow

MONDAY = date(2026, 3, 30)
TRACE = "021000021234567"
UETR = "8a562c67-ca16-48ba-b074-65581be6f001"
OURS = ("076401251", "021000021")


def moved(amount: int, name: str, **changed: object) -> Payment:
    base: dict[str, object] = {"end_to_end_id": name, "credit": False}
    return Payment(amount, None, "Example Person", "ACC1", MONDAY, **(base | changed))  # type: ignore[arg-type]


class Desktop:
    """An escrow whose statements are files."""

    def __init__(self, world: Escrow, database: Database) -> None:
        self.world = world
        self.desk = Desk(database)
        self.sequence = 0

    def take(self, *payments: Payment) -> int:
        self.sequence += 1
        raw = write_statement(StatementHead("ESCROW1", "USD", self.sequence, MONDAY, 10**7), payments)
        return import_statement(self.desk, AnyFormatReader(), self.world.offering, raw, actor="usr_first")

    def announce(self, raw: bytes) -> int:
        return import_returns(self.desk, AnyFormatReader(), self.world.offering, raw, actor="usr_first")

    def standing(self, n: int) -> tuple[str, str | None]:
        question = "select status, return_code from treasury.receipt where receipt_id = %s"
        ((status, code),) = self.world.ask(question, self.world.id("rcp", n))
        return status, code

    def alarms(self) -> int:
        question = "select count(*) from treasury.open_alarm where rule = 'return_has_its_receipt'"
        return int(self.world.ask(question)[0][0])


@pytest.fixture
def desktop(connect: Connect, database: Database) -> Desktop:
    """Return an escrow with three cleared receipts that a bank may name when it takes them back."""
    world = Escrow(connect)
    world.build("instructed")
    marks = {1: ["e2e-1"], 2: [TRACE], 3: [UETR, "e2e-3"]}
    world.pay("first", *(world.entry(n, marks=marks[n]) for n in world.numbers))
    world.call("treasury.clear", world.offering, None)
    return Desktop(world, database)


@pytest.mark.parametrize("shown", ["return_reason", "reversal"])
def test_a_booked_debit_takes_its_receipt_back(desktop: Desktop, shown: str) -> None:
    payment = moved(PRICE, "E2E-1", return_reason="AC04")
    if shown == "return_reason":
        assert desktop.take(payment) == 0
        assert desktop.standing(1) == ("returned", "AC04")
    else:
        head = StatementHead("ESCROW1", "USD", 7, MONDAY, 10**7)
        raw = write_statement(head, [moved(PRICE, "E2E-1")])
        reversed_ = raw.replace(b"</CdtDbtInd><Sts>", b"</CdtDbtInd><RvslInd>true</RvslInd><Sts>")
        assert reversed_ != raw
        import_statement(
            desktop.desk, AnyFormatReader(), desktop.world.offering, reversed_, actor="usr_first"
        )
        assert desktop.standing(1) == ("returned", "reversal")
    assert (desktop.world.gates(1), desktop.world.funding(1)) == ((False, False), "returned")
    assert desktop.world.gates(2) == (True, True)
    assert desktop.alarms() == 0
    desktop.world.check()


def test_a_credit_and_its_return_on_one_statement(desktop: Desktop) -> None:
    again = moved(700, "e2e-9", return_reason="AC01")
    assert desktop.take(moved(700, "e2e-9", credit=True), again) == 1
    assert desktop.world.ask("select status, return_code from treasury.receipt where amount_minor = 700") == [
        ("returned", "AC01")
    ]
    desktop.world.check()


@pytest.mark.parametrize(
    "payment",
    [
        moved(PRICE - 1, "e2e-1", return_reason="AC04"),
        moved(PRICE, "e2e-unknown", return_reason="AC04"),
    ],
    ids=["another amount", "another name"],
)
def test_a_return_that_names_no_receipt_raises_an_alarm(desktop: Desktop, payment: Payment) -> None:
    desktop.take(payment)
    assert (desktop.alarms(), desktop.standing(1)) == (1, ("cleared", None))


def test_a_debit_that_is_no_return_takes_nothing_back(desktop: Desktop) -> None:
    desktop.take(moved(PRICE, "e2e-1"))
    assert (desktop.alarms(), desktop.standing(1)) == (0, ("cleared", None))


def nacha() -> bytes:
    head = AchFile(
        destination=OURS[0],
        destination_name="Ours",
        origin=OURS[1],
        origin_name="Theirs",
        company_name="Example",
        company_id="1234567890",
        description="FUNDING",
        written_at=datetime(2026, 4, 1, 9, 0),  # noqa: DTZ001 - local time, as the format has it
        effective_on=date(2026, 4, 1),
    )
    entry = AchEntry(
        routing=OURS[0],
        account="111",
        amount_minor=2 * PRICE,
        credit=False,
        name="Example Person",
        identification="pay-2",
        returned=AchReturn(code="R01", original_trace=TRACE, received_by=OURS[1]),
    )
    return write_ach(head, [entry])


def pacs004() -> bytes:
    bank = Account("Example Bank", "12345678", OURS[1])
    return write_pacs004(
        WireReturn(
            return_id="RTR-1",
            written_at=datetime(2026, 4, 1, 9, 0, tzinfo=UTC),
            settle_on=date(2026, 4, 1),
            amount=Money(3 * PRICE, currency("USD")),
            reason="AC04",
            returner=bank,
            sender=Account("Example Person", "87654321", OURS[0]),
            original_message_id="MSG-1",
            original_end_to_end_id="e2e-3",
            original_uetr=UETR,
        )
    )


@pytest.mark.parametrize(
    ("n", "raw", "said"),
    [(2, nacha(), ("R01", TRACE)), (3, pacs004(), ("AC04", "e2e-3"))],
    ids=["NACHA", "pacs.004"],
)
def test_an_announced_return_closes_funding_and_is_booked_once(
    desktop: Desktop, n: int, raw: bytes, said: tuple[str, str]
) -> None:
    code, name = said
    assert desktop.world.gates(n) == (True, True)
    assert desktop.announce(raw) == 1
    assert desktop.standing(n) == ("returned", code)
    assert (desktop.world.gates(n), desktop.world.funding(n)) == ((False, False), "returned")
    booked = "select count(*) from treasury.booking where booking_id like 'returned:%%'"
    assert desktop.world.ask(booked) == [(0,)]
    desktop.world.check()
    # The same announcement under the same keys changes nothing.
    assert desktop.announce(raw) == 0
    assert desktop.alarms() == 0
    desktop.take(moved(n * PRICE, name, return_reason=code))
    assert desktop.world.ask(booked) == [(1,)]
    assert desktop.alarms() == 0
    desktop.world.check()
    desktop.take(moved(n * PRICE, name, return_reason=code))
    assert desktop.alarms() == 1


def test_a_returned_notice_after_clearing_closes_the_gate_until_it_is_answered(desktop: Desktop) -> None:
    world = desktop.world
    notice = {"offering": world.offering, "payment": "pay_one1", "status": "returned", "amount": PRICE}
    notice |= {"currency": "USD", "rail": "ach_debit", "code": "R10", "happened_at": "2026-03-30T12:00:00Z"}
    world.call("treasury.hear_payment", "acmepay", "msg_1", "key", b"body", notice, actor="provider:acmepay")
    assert (world.gates(1), world.funding(1)) == ((True, False), "received")
    world.call("treasury.clear", world.offering, None)
    assert world.gates(1) == (True, False)
    world.check()
    ((alarm,),) = world.ask("select alarm_id from treasury.open_alarm")
    world.call("treasury.answer_alarm", "acmepay", alarm, "the provider was wrong")
    assert (world.gates(1), world.funding(1)) == ((True, True), "cleared")
    world.check()


def test_investor_and_administrator_are_told_why_and_what_follows(desktop: Desktop) -> None:
    world = desktop.world
    world.call("treasury.record_return", world.offering, "rcp_one1", "R01", "2026-04-01")
    assert desktop.announce(nacha()) == 1
    world.call("treasury.record_return", world.offering, "rcp_one3")
    told = world.ask(
        "select investment_id, told_to, sentence from treasury.notification"
        " order by investment_id, told_to desc"
    )
    # The wires of these receipts have no such reason, so a person decides.
    stop = ("An administrator will be in touch.", "No further attempt follows by itself.")
    assert told == [
        (world.id("inv", n), who, f"The payment came back. {rest}")
        for n in world.numbers
        for who, rest in zip(("investor", "administrator"), stop, strict=True)
    ]


def test_a_reason_says_whether_it_may_be_tried_again(connect: Connect) -> None:
    world = Escrow(connect)
    world.build("instructed")
    for n, code in ((1, "R01"), (2, "R03"), (3, "R10")):
        world.call("treasury.fail_payment", world.offering, world.id("pay", n), "ach_debit", code)
    told = world.ask(
        "select sentence from treasury.notification where told_to = 'investor' order by investment_id"
    )
    unauthorised = "The payer says that the debit was not authorized."
    assert [row[0] for row in told] == [
        "The payment failed. The account did not hold enough money. It may be tried again.",
        "The payment failed. There is no such account. It may be tried again from another account.",
        f"The payment failed. {unauthorised} An administrator will be in touch.",
    ]
    card = world.ask("select told from treasury.funding_card where investment_id = %s", world.id("inv", 1))
    assert card == [([told[0][0]],)]
    with pytest.raises(psycopg.Error):
        world.login("treasury").execute("delete from treasury.notification")
