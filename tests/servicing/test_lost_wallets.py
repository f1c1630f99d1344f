"""A paying wallet whose key is lost: replaced by two people, a loss by its name until it is made good."""

from __future__ import annotations

import pytest

from tests.allocation.test_illegal import every_right
from tests.attack.world import digest
from tests.servicing.paying import DAY
from tests.servicing.test_coins import NAMES, NET, Purse, node, purse, sign
from tests.treasury.escrow import refused

__all__ = ["node", "purse"]

pytestmark = pytest.mark.chain

FIRST, SECOND = "fund.flo", "fund.gus"
KIND = "select left_value, right_value from reconciliation.ledger(%s) where kind = %s"


def lose(purse: Purse, loss: str = "wls_1") -> None:
    """Let somebody say that the key of the wallet in force is lost."""
    w = purse.world
    ((wallet,),) = w.ask("select wallet_id from treasury.paying_wallet where status = 'in_force'")
    w.call(
        "treasury.propose_wallet_loss", w.offering, loss, wallet, "the signing service burned", actor=FIRST
    )


def declare(
    purse: Purse, loss: str = "wls_1", *, by: str = SECOND, agreed: str = "true", seen: int = 1
) -> None:
    """Let somebody decide on it."""
    w = purse.world
    w.call("treasury.decide_wallet_loss", w.offering, loss, agreed, "looked for it", seen, actor=by)


def other(purse: Purse) -> None:
    """Propose another wallet."""
    w = purse.world
    ((coin,),) = w.ask("select coin_id from treasury.accepted_coin")
    w.call(
        "treasury.propose_paying_wallet", w.offering, "pwl_other", coin, digest("pwl_other")[:20], actor=FIRST
    )


def replacing(purse: Purse) -> list[object]:
    """Return the verb that puts the other wallet in force."""
    return ["treasury.decide_paying_wallet", purse.world.offering, "pwl_other", "true", 1]


def rooms(purse: Purse, distribution: str) -> tuple[int, int]:
    """Return what is left on both sides of a distribution, tokens and the bank's."""
    on = [purse.world.offering, distribution]
    ((coins, cash),) = purse.world.ask(
        "select treasury.room_on(%s, %s, true), treasury.room_on(%s, %s, false)", *on, *on
    )
    return int(coins), int(cash)


def pay_good(purse: Purse, distribution: str, amount: int, name: str) -> int:
    """Let money arrive at the bank for a loss; return what is open still."""
    w = purse.world
    entry = w.entry(
        9,
        id=f"rcp_{name}",
        key=f"key-{name}",
        amount=amount,
        reference=None,
        fingerprint=digest(name).hex(),
        marks=[f"e2e-{name}"],
    )
    w.pay(name, entry)
    said = [w.offering, "wls_1", distribution, f"rcp_{name}", w.version(name)]
    return int(w.call("treasury.make_loss_good", *said))


def lost(purse: Purse) -> tuple[str, int]:
    """Lose the wallet after one of three lines was paid; return the distribution and what was left."""
    w = purse.world
    distribution = purse.start()
    assert w.call("treasury.store_coin_payments", w.offering, distribution, NAMES) == 3
    sign(purse, NAMES[0])
    other(purse)
    lose(purse)
    with refused("wallet_is_lost_once"):
        lose(purse, "wls_2")
    with refused("withdrawn_order_is_not_signed"):
        declare(purse)
    purse.payments._submitter.send_unfinished(w.offering)
    purse.payments._submitter.settle(w.offering, None)
    w.call("treasury.mark_handed_over", w.offering, NAMES[0], "txn")
    with refused("lost_wallet_has_no_order_on_its_way"):
        declare(purse)
    assert purse.payments._settle(w.offering) == 1
    with refused("replaced_paying_wallet_funds_nothing"):
        w.call(*replacing(purse), actor=SECOND)  # type: ignore[arg-type]
    declare(purse)
    ((paid,),) = w.ask("select amount_minor from treasury.disbursement where status = 'paid'")
    return distribution, NET - paid


def test_what_is_left_is_a_loss_by_its_name_and_another_wallet_takes_its_place(purse: Purse) -> None:
    w = purse.world
    distribution, left = lost(purse)
    assert w.balance("asset:lost_wallet") == left
    assert rooms(purse, distribution) == (0, 0)
    assert w.ask(KIND, w.offering, "lost_wallet_is_not_made_good") == [("0", str(left))]
    # Orders that nobody signed were withdrawn.
    assert sorted(w.states().values()) == ["owed", "owed", "paid"]
    w.check()
    w.call(*replacing(purse), actor=SECOND)  # type: ignore[arg-type]
    assert w.call("treasury.store_coin_payments", w.offering, distribution, ["pyo_x", "pyo_y"]) == 0
    assert sorted(w.states().values()) == ["held", "held", "paid"]
    # Tokens that come to it make the loss good, and pay the lines.
    purse.payer = digest("pwl_other")[:20]
    receipt = purse.arrive(left)
    ((seen,),) = w.ask("select version from treasury.receipt where receipt_id = %s", receipt)
    said = [w.offering, "wls_1", distribution, receipt, seen]
    assert w.call("treasury.make_loss_good", *said) == 0
    assert rooms(purse, distribution) == (left, 0)
    w.check()


def test_lines_of_a_lost_wallet_go_by_the_bank_once_somebody_makes_it_good(purse: Purse) -> None:
    w = purse.world
    distribution, left = lost(purse)
    for n in w.numbers:
        if w.states()[w.id("ivr", n)] == "owed":
            purse.prefer(n, "bank", w.id("src", n), "pac_bank")
    # Nobody's cash stands in for it.
    assert w.send(distribution, "pyo_none") == []
    assert w.ask("select distinct held_because from treasury.disbursement where status = 'held'") == [
        ("money_is_on_another_rail",)
    ]
    assert pay_good(purse, distribution, left - 100, "part") == 100
    with refused("recovery_is_within_the_loss"):
        pay_good(purse, distribution, 101, "more")
    assert w.ask(KIND, w.offering, "lost_wallet_is_not_made_good") == [(str(left - 100), str(left))]
    assert pay_good(purse, distribution, 100, "rest") == 0
    assert w.ask(KIND, w.offering, "lost_wallet_is_not_made_good") == []
    assert w.ask("select status from treasury.wallet_loss") == [("made_good",)]
    assert w.balance("asset:lost_wallet") == 0
    assert rooms(purse, distribution) == (0, left)
    w.call("treasury.retry_disbursements", w.offering, distribution, None)
    lines = w.send(distribution, "pyo_bank")
    assert len(lines) == 2
    w.call("treasury.settle_disbursements", w.offering, lines, DAY)
    assert set(w.states().values()) == {"paid"}
    w.check()


def test_a_payment_that_has_not_begun_is_undone_first(purse: Purse) -> None:
    purse.ready()
    lose(purse)
    with refused("lost_wallet_funds_begun_payments_alone"):
        declare(purse)
    declare(purse, agreed="false")
    assert purse.world.ask("select status from treasury.paying_wallet") == [("in_force",)]


def test_a_wallet_without_money_is_replaced_and_owes_nothing(purse: Purse) -> None:
    w = purse.world
    lose(purse)
    with refused("lost_wallet_needs_two_people"):
        declare(purse, by=FIRST)
    with refused("BR412"):
        declare(purse, seen=7)
    declare(purse)
    assert w.ask("select status from treasury.wallet_loss") == [("made_good",)]
    assert w.ask("select status from treasury.paying_wallet") == [("lost",)]
    other(purse)
    w.call(*replacing(purse), actor=SECOND)  # type: ignore[arg-type]
    with refused("lost_wallet_is_in_force"):
        w.call("treasury.propose_wallet_loss", w.offering, "wls_9", "pwl_none", "x")


def test_no_loss_comes_past_the_verbs(purse: Purse) -> None:
    w = purse.world
    distribution = purse.start()
    lose(purse)
    said = "update treasury.wallet_loss set status = '%s', decided_by = '%s', decided_because = '%s'"
    part = "insert into treasury.lost_part values ('{}', 'wls_1', '{}', 'USD', {})".format  # type: ignore[str-format]
    for statement, rule in (
        ("update treasury.paying_wallet set status = 'lost'", "lost_wallet_leaves_its_loss"),
        (said % ("declared", FIRST, "x"), "lost_wallet_needs_two_people"),
        (said % ("declared", SECOND, " "), "decided_loss_says_who_and_why"),
        ("update treasury.wallet_loss set because = 'y'", "wallet_loss_stays_as_proposed"),
        (part(w.offering, distribution, NET), "lost_part_is_what_was_left"),
        (
            said % ("declared", SECOND, "x") + "; update treasury.paying_wallet set status = 'lost'",
            "lost_wallet_leaves_its_loss",
        ),
        (
            said % ("declared", SECOND, "x") + "; " + part(w.offering, distribution, 1),
            "lost_part_is_what_was_left",
        ),
    ):
        with every_right(w, "treasury") as login, refused(rule):
            login.execute(statement.encode())
    columns = "offering_id, wallet_id, status, coin_id, chain_id, address, proposed_by"
    again = (
        f"insert into treasury.paying_wallet ({columns})"  # noqa: S608
        " select offering_id, 'pwl_again', 'proposed', coin_id, chain_id, address, 'usr_x'"
        " from treasury.paying_wallet where status = 'lost'"
    )
    declare(purse)
    recovery = (
        "insert into treasury.loss_recovery select offering_id, 'wls_1', funds_distribution_id, receipt_id, 1"
        " from treasury.receipt where status = 'funding' limit 1"
    )
    for statement, rule in (
        (recovery, "recovery_is_within_the_loss"),
        ("update treasury.wallet_loss set status = 'made_good'", "loss_ends_when_it_is_made_good"),
        ("truncate treasury.lost_part cascade", "history_is_append_only"),
        (again, "lost_wallet_pays_no_more"),
    ):
        with every_right(w, "treasury") as login, refused(rule):
            login.execute(statement.encode())
