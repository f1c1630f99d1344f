"""Money follows the units: nothing above the amount stays in escrow, whatever came before a cut."""

from __future__ import annotations

import hashlib

from bookrunner.db import Database
from bookrunner.engine.intake.screening import KINDS
from bookrunner.engine.process import transfers
from tests.allocation.book import PRICE, Book, process_of, refused
from tests.attack.world import Connect, proof

LIVE = """
select sum(amount_minor) from treasury.receipt where investment_id = %s and status in ('matched', 'cleared')
"""


def test_a_cut_after_a_part_went_back_leaves_the_amount(connect: Connect) -> None:
    book = Book(connect, cap=6).build("linked")
    investment = book.id("inv", 3)
    book.call("treasury.refund_receipt", book.offering, book.id("rcp", 3), "excess", 10)
    book.cut(3, 1)
    assert book.call("treasury.refund_cut", book.offering, investment) == 2 * PRICE - 10
    assert book.ask(LIVE, investment) == [(PRICE,)]
    assert book.call("treasury.refund_cut", book.offering, investment) == 0
    book.check()


def test_nobody_enters_a_closing_with_money_above_its_amount(connect: Connect) -> None:
    book = Book(connect, cap=6).build("linked")
    investment, again = book.id("inv", 3), book.id("agrb", 3)
    book.cut(3, 1)
    book.call("subscription.void_for_cut", book.offering, investment, actor="process")
    book.call("subscription.send_agreement", book.offering, again, investment, 1, PRICE, book.document)
    book.call("subscription.sign", book.offering, again, proof(book.document))
    executed = hashlib.sha256(book.document + b"\x22" * 64).digest()
    book.call("subscription.countersign", book.offering, again, proof(executed))
    approval = book.id("alcb", 3)
    book.call("subscription.propose_allocation", book.offering, approval, investment, 1)
    book.call("subscription.approve_allocation", book.offering, approval, actor="usr_second")
    with refused("escrow_holds_the_amount_and_no_more"):
        book.call("engine.freeze_closing", book.offering, "cls_x", [investment])
    assert book.call("treasury.refund_cut", book.offering, investment) == 2 * PRICE
    assert book.call("engine.freeze_closing", book.offering, "cls_x", [investment]) == 1


def test_a_long_line_is_promoted_in_parts(connect: Connect) -> None:
    book = Book(connect, investors=1, cap=5).build("published")
    book.call("engine.open_investment", book.offering, "inv_a", "ivr_a", 5)
    for n in range(7):
        book.call("engine.join_waitlist", book.offering, f"wle_{n}", f"ivr_w{n}", 1)
    book.call("engine.withdraw", book.offering, "inv_a")
    parts = [book.call("engine.promote_waiting", book.offering, 2) for _ in range(4)]
    assert parts == [2, 2, 1, 0]
    assert book.ask("select status, count(*) from engine.waitlist_entry group by 1 order by 1") == [
        ("promoted", 5),
        ("waiting", 2),
    ]


def test_each_answer_is_listed_with_its_keeper(connect: Connect, database: Database) -> None:
    ours = process_of(database).answered | {("screening", kind) for kind in KINDS}
    ours |= {(transfers.CONSUMER, kind) for kind in transfers.KINDS}
    assert set(connect("owner").execute("select consumer, kind from audit.answering").fetchall()) == ours
