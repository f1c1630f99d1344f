"""Cash in lieu of fractions of splits and conversions: funded, owed once, paid as distributions are."""

from __future__ import annotations

import pytest

from bookrunner.core.errors import Refused
from bookrunner.db import Database
from bookrunner.engine.life.servicing.distributions import Distributions
from tests.allocation.test_illegal import every_right
from tests.attack.world import Connect
from tests.registry.converting import Note
from tests.registry.test_splits import Class
from tests.servicing.paying import DAY, Payer, distributions
from tests.treasury.escrow import digest, refused
from tests.treasury.test_returned_entries import Desktop, moved

OWED = 333_33


@pytest.fixture
def held(connect: Connect, database: Database) -> tuple[Payer, Distributions, str]:
    """Return a class whose holders of 31 and of 91 units have half a unit too many, and its split."""
    units = Class(connect, database, Payer)
    assert isinstance(units.world, Payer)
    units.close()
    return units.world, distributions(database), units.execute()


def _arrive(w: Payer, amount: int, name: str = "issuer") -> None:
    entry = {"id": f"rcp_{name}", "key": f"key-{name}", "reference": None, "marks": [f"e2e-{name}"]}
    w.pay(name, w.entry(9, amount=amount, fingerprint=digest(name).hex(), **entry))


def _fund(w: Payer, runs: Distributions, split: str, name: str = "issuer") -> None:
    runs.fund_fractions((w.offering, split), f"rcp_{name}", w.version(name), actor="usr_first")


def test_fractions_are_funded_and_paid_once(held: tuple[Payer, Distributions, str]) -> None:
    w, runs, split = held
    (row,) = runs.payments.fractions_owed(offering=w.offering)
    assert (row["split_id"], row["owed_minor"], row["holders"]) == (split, OWED, 2)
    with pytest.raises(Refused, match="cash_in_lieu_is_funded_before_it_is_paid"):
        runs.pay_fractions(w.offering, split, actor="usr_first")
    _arrive(w, OWED + 1, "much")
    with pytest.raises(Refused, match="fund_is_final_and_within_the_amount"):
        _fund(w, runs, split, "much")
    _arrive(w, OWED)
    _fund(w, runs, split)
    w.unfund()
    with pytest.raises(Refused, match="cash_in_lieu_is_funded_before_it_is_paid"):
        runs.pay_fractions(w.offering, split, actor="usr_first")
    _fund(w, runs, split)
    assert runs.pay_fractions(w.offering, split, actor="usr_first") == 2
    assert runs.pay_fractions(w.offering, split, actor="usr_first") == 0
    assert w.balance(f"liab:distribution:{split}") == OWED
    with refused("funded_distribution_is_approved"):
        w.call("treasury.fund_distribution", w.offering, split, "rcp_much", w.version("much"))
    with refused("money_stays_in_a_payment_that_began"):
        w.unfund(proposal="prp_late")
    assert w.send(split) == []
    assert set(w.states().values()) == {"held"}
    w.screen()
    w.call("treasury.retry_disbursements", w.offering, split, None)
    lines = w.send(split)
    assert len(lines) == 2
    assert w.call("treasury.settle_disbursements", w.offering, lines, DAY) == 2
    (row,) = runs.payments.fractions_owed(offering=w.offering)
    assert row["states"] == {"paid": {"lines": 2, "minor": OWED}}
    assert w.balance(f"liab:distribution:{split}") == 0
    assert {r["status"] for r in runs.payments.lines_of_fractions(offering=w.offering, split=split)} == {
        "paid"
    }
    w.check()


def test_fractions_of_a_conversion_are_funded_and_paid_once(connect: Connect, database: Database) -> None:
    note, runs = Note(connect, database, Payer), distributions(database)
    w = note.world
    assert isinstance(w, Payer)
    note.enter_holders(note.holders)
    note.close()
    said = {"principal_minor": 50_000, "price_minor": 30_000}
    conversion = note.agreed(said, formula="fixed_price", bears_interest=False)
    note.begin(conversion)
    assert list(runs.payments.fractions_owed(offering=w.offering)) == []
    note.carry(conversion)
    owed = {holder: line[4] for holder, line in note.working(conversion).items() if line[4]}
    (row,) = runs.payments.fractions_owed(offering=w.offering)
    total = sum(owed.values())
    assert (row["split_id"], row["owed_minor"], row["holders"]) == (conversion, total, len(owed))
    with pytest.raises(Refused, match="cash_in_lieu_is_funded_before_it_is_paid"):
        runs.pay_fractions(w.offering, conversion, actor="usr_first")
    _arrive(w, total)
    _fund(w, runs, conversion)
    assert runs.pay_fractions(w.offering, conversion, actor="usr_first") == len(owed)
    assert runs.pay_fractions(w.offering, conversion, actor="usr_first") == 0
    lines = runs.payments.lines_of_fractions(offering=w.offering, split=conversion)
    assert {line["investor_id"]: line["amount_minor"] for line in lines} == owed
    assert w.balance(f"liab:distribution:{conversion}") == total
    w.check()


def test_a_line_of_a_fraction_comes_back_and_goes_again(held: tuple[Payer, Distributions, str]) -> None:
    w, runs, split = held
    _arrive(w, OWED)
    _fund(w, runs, split)
    runs.pay_fractions(w.offering, split, actor="usr_first")
    w.screen()
    lines = w.send(split)
    w.call("treasury.return_disbursement", w.offering, lines[0], "AC04", DAY)
    assert w.call("treasury.retry_disbursements", w.offering, split, None) == 1
    assert w.send(split, "pyo_2") == [lines[0]]
    w.check()


@pytest.mark.parametrize("is_started", [False, True])
def test_a_bank_takes_the_money_for_fractions_back(
    held: tuple[Payer, Distributions, str], database: Database, *, is_started: bool
) -> None:
    w, runs, split = held
    _arrive(w, OWED)
    _fund(w, runs, split)
    if is_started:
        runs.pay_fractions(w.offering, split, actor="usr_first")
    assert Desktop(w, database).take(moved(OWED, "e2e-issuer", return_reason="AC04")) == 0
    (row,) = runs.payments.fractions_owed(offering=w.offering)
    assert row["taken_back_minor"] == OWED
    assert row["receivable_minor"] == (OWED if is_started else 0)
    if is_started:
        w.screen()
        assert w.send(split) == []
        w.call("treasury.record_recovery", w.offering, "rcp_issuer", OWED, DAY)
        assert len(w.send(split)) == 2
    else:
        with pytest.raises(Refused, match="cash_in_lieu_is_funded_before_it_is_paid"):
            runs.pay_fractions(w.offering, split, actor="usr_first")
    w.check()


def test_nobody_is_owed_for_a_fraction_that_no_split_left(held: tuple[Payer, Distributions, str]) -> None:
    w, runs, split = held
    with pytest.raises(Refused, match="cash_in_lieu_is_of_an_executed_split"):
        runs.pay_fractions(w.offering, "spl_none", actor="usr_first")
    asked = (
        "insert into treasury.disbursement (offering_id, disbursement_id, distribution_id, investor_id,"
        " payee_id, status, amount_minor, currency, owed_since) select offering_id, {line}, split_id,"
        " investor_id, {payee}, 'owed', amount_minor + {more}, currency, owed_on from engine.cash_in_lieu"
        " limit 1"
    )
    for line, payee, more in (
        ("line_id", "payee_id", 1),
        ("line_id", "'ivr_x'", 0),
        ("'lie_x'", "payee_id", 0),
    ):
        with every_right(w, "treasury") as login, refused("disbursement_is_what_the_line_says"):
            login.execute(asked.format(line=line, payee=payee, more=more).encode())
    assert split


def test_fractions_go_to_no_wallet_that_was_linked_after_the_split(
    held: tuple[Payer, Distributions, str],
) -> None:
    w, runs, split = held
    ((payee,),) = w.ask("select min(payee_id) from engine.cash_in_lieu")
    w.open_coins()
    w.name_coins(payee)
    _arrive(w, OWED)
    _fund(w, runs, split)
    runs.pay_fractions(w.offering, split, actor="usr_first")
    ways = (
        "select x.because from treasury.disbursement d cross join lateral"
        " treasury.coin_ways(d.offering_id, array[d.disbursement_id]) x"
    )
    assert w.ask(ways) == [(None,)]
    admin = w.login("admin")
    for table, change in (
        ("treasury.payee_account", "proposed_at = proposed_at - interval '1 day'"),
        ("registry.wallet_mapping", "linked_at = linked_at + interval '2 days'"),
    ):
        admin.execute(f"alter table {table} disable trigger user".encode())
        admin.execute(f"update {table} set {change}".encode())  # noqa: S608 - from this test
        admin.execute(f"alter table {table} enable trigger user".encode())
    assert w.ask(ways) == [("wallet_changed_since_the_record_date",)]


def test_no_offer_is_exited_while_fractions_are_owed(held: tuple[Payer, Distributions, str]) -> None:
    w, runs, split = held
    asked = "select open from engine.exit_hindrances(%s) where rule = 'exit_leaves_no_payment_under_way'"
    assert w.ask(asked, w.offering) == [(1,)]
    _arrive(w, OWED)
    _fund(w, runs, split)
    runs.pay_fractions(w.offering, split, actor="usr_first")
    w.screen()
    w.call("treasury.settle_disbursements", w.offering, w.send(split), DAY)
    assert w.ask(asked, w.offering) == []
