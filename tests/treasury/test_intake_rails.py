"""The rail of a receipt comes from its transaction code, and no other file brings it a second time."""

from __future__ import annotations

import re
from datetime import date

import pytest

from bookrunner.adapters.bank import Rail, rail_of
from bookrunner.adapters.bank.dedupe import plain_account
from bookrunner.adapters.bank.files import AnyFormatReader
from bookrunner.books import treasury
from bookrunner.core.errors import Refused
from bookrunner.db import Database
from bookrunner.engine.desk import Desk
from bookrunner.engine.intake import import_statement
from bookrunner.sandbox.bank import Payment, StatementHead, write_statement
from tests.attack.world import Connect
from tests.bank.test_comma import HEAD, LINES
from tests.treasury.escrow import PRICE, Escrow

MONDAY = date(2026, 3, 30)
CLEARS_ON = {
    "wire": date(2026, 3, 30),
    "ach_credit": date(2026, 4, 1),
    "ach_debit": date(2026, 5, 29),
    "cheque": date(2026, 4, 10),
}


def paid(amount: int, rail: str = "wire") -> Payment:
    return Payment(amount, None, "Example Person", f"ACC{amount}", MONDAY, rail=rail)


def statement(*payments: Payment, sequence: int = 1) -> bytes:
    return write_statement(StatementHead("ESCROW1", "USD", sequence, MONDAY), payments)


@pytest.fixture
def offer(connect: Connect) -> Escrow:
    """Return a published offer."""
    world = Escrow(connect)
    world.build("published")
    return world


def take(database: Database, offer: Escrow, raw: bytes) -> int:
    return import_statement(Desk(database), AnyFormatReader(), offer.offering, raw, actor="usr_first")


@pytest.mark.parametrize(
    ("code", "rail"),
    [
        ("PMNT-RCDT-DMCT", Rail.WIRE),
        ("PMNT-RCDT-", Rail.WIRE),
        ("PMNT-RCDT-ATXN", Rail.ACH_CREDIT),
        ("PMNT-IDDT-ADBT", Rail.ACH_DEBIT),
        ("PMNT-IDDT-PMDD", Rail.ACH_DEBIT),
        ("PMNT-RCHQ-CCHQ", Rail.CHEQUE),
        ("PMNT-MCRD-POSP", Rail.CARD),
        ("PMNT-MCOP-OTHR", None),
        ("195", Rail.WIRE),
        ("165", Rail.ACH_CREDIT),
        ("175", Rail.CHEQUE),
        ("399", None),
        ("PPD-22", Rail.ACH_CREDIT),
        ("PPD-27", Rail.ACH_DEBIT),
        ("PPD-21", None),
        ("S103", Rail.WIRE),
        ("NTRF", None),
        (None, None),
    ],
)
def test_a_transaction_code_names_its_rail(code: str | None, rail: Rail | None) -> None:
    assert rail_of(code) is rail


def test_the_policy_of_its_rail_clears_a_receipt(database: Database, offer: Escrow) -> None:
    raw = statement(*(paid(100 + n, rail) for n, rail in enumerate(CLEARS_ON)))
    assert take(database, offer, raw) == 4
    assert dict(offer.ask("select rail, clears_on from treasury.receipt")) == CLEARS_ON


def test_no_policy_clears_what_came_on_an_unnamed_rail(database: Database, offer: Escrow) -> None:
    assert take(database, offer, statement(paid(100)).replace(b">RCDT<", b">MCOP<")) == 1
    assert offer.ask("select rail, clears_on from treasury.receipt") == [("unnamed", None)]


def test_a_second_file_brings_nothing_again_under_another_reference(
    database: Database, offer: Escrow
) -> None:
    raw = statement(paid(100), paid(200))
    assert take(database, offer, raw) == 2
    renamed = raw.replace(b"STMT-", b"LATE-")
    assert take(database, offer, renamed) == 0
    nameless = re.sub(rb"<AcctSvcrRef>[^<]*</AcctSvcrRef>", b"", raw.replace(b"STMT-", b"BARE-"))
    assert take(database, offer, nameless) == 0
    assert offer.ask("select count(*), sum(amount_minor) from treasury.receipt") == [(2, 300)]
    offer.check()


def test_two_equal_deposits_of_a_day_post_twice(database: Database, offer: Escrow) -> None:
    assert take(database, offer, statement(paid(100), paid(100))) == 2


def test_a_file_with_one_entry_twice_posts_nothing(database: Database, offer: Escrow) -> None:
    raw = statement(paid(100), paid(100))
    one, two = re.findall(rb"<AcctSvcrRef>([^<]*)<", raw)
    with pytest.raises(Refused, match="each_bank_entry_posts_once"):
        take(database, offer, raw.replace(two, one))
    assert offer.ask("select count(*) from treasury.entry_key") == [(0,)]


class Desktop:
    """A bank that takes everything."""

    def hand_over(self, order: str, _: bytes) -> str:
        return order

    def reference_of(self, _: str) -> str | None:
        return None


def out(refund: str, amount: int, *, back: bool = False) -> Payment:
    return Payment(
        amount,
        None,
        "Example Person",
        "ACC1",
        MONDAY,
        credit=back,
        end_to_end_id=refund,
        return_reason="AC04" if back else None,
    )


def test_a_statement_settles_and_bounces_refunds(database: Database, connect: Connect) -> None:
    world = Escrow(connect, investors=2)
    world.build("received")
    world.call("engine.move_offer", world.offering, "closed_unsuccessfully")
    world.call("treasury.refund_ended", world.offering, None, 10)
    keeper = treasury.keeper(database)
    treasury.send_refunds(keeper, world.offering, lambda order, _: order.encode(), Desktop())
    one, two = ("rfd_rcp_one1", PRICE), ("rfd_rcp_one2", 2 * PRICE)
    assert take(database, world, statement(out(*one), out(*two), out(one[0], 1))) == 0
    question = "select refund_id, status, try_no from treasury.refund order by 1"
    assert world.ask(question) == [(one[0], "settled", 1), (two[0], "settled", 1)]
    assert take(database, world, statement(out(*one, back=True), sequence=2)) == 0
    assert world.ask(question) == [(one[0], "created", 2), (two[0], "settled", 1)]
    # A return of another amount is nobody's refund: it waits for a person.
    assert take(database, world, statement(out(two[0], 7, back=True), sequence=3)) == 1
    assert world.ask("select amount_minor, status from treasury.receipt where amount_minor = 7") == [
        (7, "unmatched")
    ]
    world.check()


def test_a_comma_separated_statement_posts_once(database: Database, offer: Escrow) -> None:
    first = (HEAD + LINES).encode()
    assert take(database, offer, first) == 2
    with pytest.raises(Refused, match="statement_is_imported_once"):
        take(database, offer, first)
    again = first.replace(b"#statement,2026-03-30", b"#statement,later")
    assert take(database, offer, again) == 0
    respelled = again.replace(b"later", b"respelled").replace(b"#account,ESCROW1", b"#account,Escrow-1 ")
    assert take(database, offer, respelled) == 0
    assert offer.balance("liab:unmatched") == 150_000
    damaged = again.replace(b"later", b"gap").replace(b"1350.00", b"1350.01")
    with pytest.raises(Refused):
        take(database, offer, damaged)
    offer.check()


@pytest.mark.parametrize("written", ["ESCROW1", " escrow 1", "DE89 3704-0044/0532.0130_00", "Ĺ1é٣ﬁ2", ""])
def test_an_account_is_plain_here_and_in_the_book_alike(offer: Escrow, written: str) -> None:
    assert offer.ask("select treasury.plain_account(%s)", written) == [(plain_account(written),)]
