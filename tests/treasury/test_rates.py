"""Rates are dated data of a source; commitments and payments in another currency keep theirs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta

import psycopg
import pytest
from psycopg.types.json import Jsonb

from bookrunner.adapters.payments import ReferenceRate
from bookrunner.adapters.payments.rates import read_reference_rates
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.core.money import currency
from tests.attack.world import PRICE, Connect, digest
from tests.treasury.escrow import DAY, Escrow, refused

FILE = (
    '<?xml version="1.0" encoding="UTF-8"?>\n<gesmes:Envelope'
    ' xmlns:gesmes="http://www.gesmes.org/xml/2002-08-01"'
    ' xmlns="http://www.ecb.int/vocabulary/2002-08-01/eurofxref">'
    "<gesmes:subject>Reference rates</gesmes:subject>"
    "<gesmes:Sender><gesmes:name>{sender}</gesmes:name></gesmes:Sender>"
    "<Cube><Cube time='{day}'><Cube currency='USD' rate='{rate}'/>"
    "<Cube currency='JPY' rate='160.47'/></Cube></Cube></gesmes:Envelope>"
)
YESTERDAY = (clock.now() - timedelta(days=1)).date()
PAID = date.fromisoformat(DAY)


def ecb_file(day: date = YESTERDAY, rate: str = "1.0811", sender: str = "European Central Bank") -> bytes:
    """Return a file of two rates as the European Central Bank publishes it."""
    return FILE.format(day=day, rate=rate, sender=sender).encode()


def test_a_file_is_read_digit_by_digit() -> None:
    assert read_reference_rates(ecb_file(rate="1.08110")) == (
        ReferenceRate("USD", YESTERDAY, "1.08110"),
        ReferenceRate("JPY", YESTERDAY, "160.47"),
    )


UNKNOWN = "rates_are_of_a_known_source"
NO_RATE = "rate_is_a_positive_decimal"


@pytest.mark.parametrize(
    ("raw", "rule"),
    [
        (b"", UNKNOWN),
        (b"<x/>", UNKNOWN),
        (b"\xff\xfe<", UNKNOWN),
        (ecb_file()[:-20], UNKNOWN),
        (ecb_file(sender="Somebody"), UNKNOWN),
        (ecb_file().replace(b"<gesmes:Env", b'<!DOCTYPE x [<!ENTITY a "1">]><gesmes:Env', 1), UNKNOWN),
        (ecb_file().replace(b"time='", b"time='x"), UNKNOWN),
        (ecb_file().replace(b"currency", b"code"), NO_RATE),
        *(
            (ecb_file(rate=rate), NO_RATE)
            for rate in ("", "0", "0.000", "-1.1", "1e3", "NaN", "1,08", "01.5", "1.")
        ),
        (ecb_file(rate="1.0000000000001"), NO_RATE),
        (b" " * (5 * 1024 * 1024), UNKNOWN),
    ],
)
def test_another_file_is_refused(raw: bytes, rule: str) -> None:
    with pytest.raises(Refused) as fault:
        read_reference_rates(raw)
    assert fault.value.rule == rule


class Exchange(Escrow):
    """An offer in USD that takes EUR, whose investors choose before they confirm."""

    def rates(self, day: date, usd: str = "1.0811", name: str | None = None) -> int:
        """Import the rates of a day and return how many are new."""
        raw = ecb_file(day, usd)
        lines = [
            {"currency": r.currency, "on": r.on.isoformat(), "rate": r.rate}
            for r in read_reference_rates(raw)
        ]
        added: int = self.call(
            "treasury.import_rates", "ecb", name or f"rtf_{day}", digest(str(raw)), Jsonb(lines)
        )
        return added

    def propose(self, code: str = "EUR", hours: int = 96, rule: str = "cur_1") -> None:
        terms = {"currency": code, "source": "ecb", "most_hours": hours, "offer_decimals": 2}
        terms |= {"decimals": currency(code).exponent}
        self.call("treasury.propose_currency", self.offering, rule, Jsonb(terms))

    def decide(
        self, decision: str = "accepted", seen: int = 1, rule: str = "cur_1", actor: str = "usr_second"
    ) -> None:
        self.call("treasury.decide_currency", self.offering, rule, decision, seen, actor=actor)

    def takes(self, code: str = "EUR", hours: int = 96) -> None:
        self.propose(code, hours)
        self.decide()

    def choose(self, n: int, code: str = "EUR") -> None:
        self.call("portal.choose_currency", *self._investment(n), code)

    def kept(self) -> list[tuple[object, ...]]:
        """Return what was kept, commitment first."""
        return self.ask(
            "select receipt_id, currency, amount_minor, value_minor, committed_minor, difference_minor"
            " from treasury.rate_standing order by investment_id, receipt_id nulls first"
        )


@pytest.fixture
def world(connect: Connect) -> Exchange:
    """Return an offer whose investors may confirm."""
    made = Exchange(connect)
    made.build("allocated")
    return made


def first(world: Exchange) -> int:
    return next(iter(world.numbers))


def confirm(world: Exchange, numbers: Sequence[int]) -> None:
    for n in numbers:
        world.call("engine.confirm", *world._investment(n))


def test_rates_are_imported_once_and_stand(world: Exchange) -> None:
    assert world.rates(YESTERDAY) == 2
    with refused("rate_file_is_imported_once"):
        world.rates(YESTERDAY, name="rtf_again")
    with refused("rate_of_a_day_is_set_once"):
        world.rates(YESTERDAY, "1.0812", "rtf_other")
    assert world.rates(YESTERDAY, "1.08110", "rtf_same") == 0
    tomorrow = YESTERDAY + timedelta(days=2)
    with refused("rate_is_not_of_a_day_to_come"):
        world.rates(tomorrow)
    with pytest.raises(psycopg.Error) as fault:
        world.call(
            "treasury.import_rates",
            "nobody",
            "rtf_9",
            digest("9"),
            Jsonb([{"currency": "USD", "on": "2026-03-30", "rate": "1"}]),
        )
    assert fault.value.diag.constraint_name == "rate_source_is_known"
    for rate in ("0", "-1", "NaN", "1.1234567890123"):
        line = Jsonb([{"currency": "CHF", "on": "2026-03-30", "rate": rate}])
        with pytest.raises(psycopg.Error) as fault:
            world.call("treasury.import_rates", "ecb", f"rtf_{rate}", digest(rate), line)
        assert fault.value.diag.constraint_name == "rate_is_a_short_positive_decimal"
    assert world.ask("select count(*) from treasury.reference_rate") == [(2,)]
    for statement in ("update treasury.reference_rate set rate = 2", "delete from treasury.reference_rate"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            world.login("treasury").execute(statement.encode())
        with pytest.raises(psycopg.Error):
            world.login("owner").execute(statement.encode())


def test_two_people_let_a_currency_in(world: Exchange) -> None:
    n = first(world)
    with refused("currency_is_taken_by_the_offer"):
        world.choose(n)
    with refused("taken_currency_is_not_the_offers"):
        world.propose("USD")
    with refused("age_of_a_rate_is_bounded"):
        world.propose(hours=241)
    world.propose()
    for same in ("usr_first", "key:usr_first"):
        with refused("currency_rule_needs_two_people"):
            world.decide(actor=same)
    with refused("currency_is_taken_by_the_offer"):
        world.choose(n)
    world.decide()
    world.choose(n)
    world.propose(rule="cur_2")
    with refused("one_rule_per_currency"):
        world.decide(rule="cur_2")
    world.decide("declined", rule="cur_2")
    world.rates(YESTERDAY)
    world.decide("ended", 2, actor="usr_first")
    with refused("currency_is_taken_by_the_offer"):
        confirm(world, [n])
    world.choose(n, "USD")
    confirm(world, [n])
    assert world.kept() == []
    with refused("currency_is_chosen_before_confirming"):
        world.choose(n)


def test_commitment_and_payment_keep_their_rates(world: Exchange) -> None:
    n = first(world)
    amount = n * PRICE
    world.takes()
    world.choose(n)
    world.rates(YESTERDAY, "1.0811")
    confirm(world, world.numbers)
    # 1.0811 USD are 1 EUR, rounded half up to the cent.
    then = (2 * amount * 10_000 + 10_811) // (2 * 10_811)
    assert world.kept() == [(None, "EUR", amount, then, then, 0)]
    for each in world.numbers:
        world.call("engine.confirm_legally", *world._investment(each))
    world.instructed()
    world.rates(PAID, "1.05")
    assert world.pay("first", world.entry(n)) == 1
    now = (2 * amount * 100 + 105) // (2 * 105)
    paid = (world.id("rcp", n), "EUR", amount, now, then, now - then)
    assert world.kept() == [(None, "EUR", amount, then, then, 0), paid]
    assert now > then
    # Escrow holds the offer's currency alone, and what is owed has not moved.
    assert world.balance("asset:escrow_bank") == amount
    assert world.funding(n) == "received"
    kinds = world.ask(
        "select kind, keeper from audit.event where kind like 'rate_snapshot.%%' order by recorded_at"
    )
    assert kinds == [("rate_snapshot.taken", "engine"), ("rate_snapshot.taken", "treasury")]


def test_an_old_rate_is_refused_at_commitment(world: Exchange) -> None:
    n = first(world)
    world.takes(hours=96)
    world.choose(n)
    with refused("rate_is_within_its_age"):
        confirm(world, [n])
    world.rates(YESTERDAY - timedelta(days=5))
    with refused("rate_is_within_its_age"):
        confirm(world, [n])
    assert world.ask("select status from engine.investment where investment_id = %s", world.id("inv", n)) == [
        ("new",)
    ]
    world.rates(YESTERDAY)
    confirm(world, [n])


def committed(world: Exchange) -> int:
    """Let the first investor commit in EUR and be asked for its money; return its number."""
    n = first(world)
    world.takes()
    world.choose(n)
    world.rates(YESTERDAY)
    world.confirmed()
    world.instructed()
    return n


def test_money_does_not_wait_for_a_rate(world: Exchange) -> None:
    n = committed(world)
    world.rates(PAID - timedelta(days=5))
    assert world.pay("first", world.entry(n)) == 1
    assert (world.receipt(world.id("rcp", n)), world.funding(n)) == ("matched", "received")
    (_, unrated) = world.kept()
    (amount, committed_minor) = (unrated[2], unrated[4])
    assert unrated == (world.id("rcp", n), "EUR", n * PRICE, None, committed_minor, None)
    assert (amount, committed_minor) == (n * PRICE, world.kept()[0][3])
    # Rates of later days are none of its moment; one of its own is kept by the next match.
    world.rates(PAID + timedelta(days=1))
    assert world.call("treasury.match", world.offering) == 0
    assert world.kept()[1] == unrated
    world.rates(PAID - timedelta(days=1))
    assert world.call("treasury.match", world.offering) == 0
    (_, rated) = world.kept()
    assert rated[3] is not None


def test_money_is_matched_by_hand_without_a_rate(world: Exchange) -> None:
    n = committed(world)
    assert world.pay("first", world.entry(n, reference=None)) == 0
    by_hand = [world.offering, world.id("rcp", n), world.id("inv", n), "usr_proposer"]
    world.call("treasury.match_by_hand", *by_hand)
    assert world.funding(n) == "received"
    assert world.kept()[1][3] is None


def test_parts_have_the_rate_of_the_whole(world: Exchange) -> None:
    n = committed(world)
    world.rates(PAID)
    assert world.pay("first", world.entry(n, amount=n * PRICE + 500)) == 1
    (_, part) = world.kept()
    assert part[:3] == (world.id("rcp", n) + ".1", "EUR", n * PRICE)


def test_money_in_another_currency_is_never_matched(world: Exchange) -> None:
    n = committed(world)
    world.rates(PAID)
    first_line, lines = world.statement("first", [world.entry(n, currency="EUR")])
    world.call("treasury.import_statement", world.offering, first_line, Jsonb(lines))
    assert world.call("treasury.match", world.offering) == 0
    assert world.exception(world.id("rcp", n)) == "currency_differs"
    by_hand = [world.offering, world.id("rcp", n), world.id("inv", n), "usr_proposer"]
    with refused("received_is_within_due"):
        world.call("treasury.match_by_hand", *by_hand)


FORGED = """
insert into treasury.rate_snapshot (offering_id, snapshot_id, status, investment_id, rule_id, source,
    currency, offer_currency, rate_on, set_at, as_of, most_hours, rate, offer_rate, decimals,
    offer_decimals, amount_minor, value_minor, version, chain_head)
values ('{offering}', 'rsn_x', 'taken', 'inv_x', 'cur_1', 'ecb', 'EUR', 'USD', '2026-03-02', {set_at},
    '2026-03-06', 96, '1', '{rate}', 2, 2, 100, {value}, 1, '')
"""


@pytest.mark.parametrize(
    ("set_at", "value", "rule"),
    [
        ("'2026-03-06 00:00:01'", 50, "rate_is_within_its_age"),
        ("'2026-03-01 23:59:59'", 50, "rate_is_within_its_age"),
        ("'2026-03-02'", 51, "value_is_exchanged_at_its_rate"),
    ],
)
def test_a_forged_rate_is_refused(world: Exchange, set_at: str, value: int, rule: str) -> None:
    world.takes()
    forged = FORGED.format(offering=world.offering, set_at=set_at, rate="2", value=value).encode()
    for keeper in ("treasury", "engine", "portal"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            world.login(keeper).execute(forged)
    owner = world.login("owner")
    owner.execute(b"alter table treasury.rate_snapshot disable trigger zz_guard")
    with pytest.raises(psycopg.errors.CheckViolation) as fault:
        owner.execute(forged)
    assert fault.value.diag.constraint_name == rule


def test_values_are_exact_in_every_unit(connect: Connect) -> None:
    question = "select treasury.exchanged(%s, %s, %s, %s, %s)"
    owner = Exchange(connect).login("owner")
    for amount, rate, decimals, to, to_decimals, value in (
        (10_000, "1.0811", 2, "1", 2, 9_250),
        (1, "2", 2, "1", 2, 1),
        (10_000, "1.0811", 2, "160.47", 0, 14_843),
        (100, "160.47", 0, "1.0811", 2, 67),
        (2**62, "1", 2, "0.999999999999", 2, 4611686018422776218),
    ):
        assert owner.execute(question.encode(), [amount, rate, decimals, to, to_decimals]).fetchone() == (
            value,
        )
