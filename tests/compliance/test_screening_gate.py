"""What screening does to the gate: lists that must be answered, an offer's own policy, a confirmed match."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import timedelta

import psycopg
import pytest

from bookrunner.adapters.bank.timing.calendar import add_banking_days
from bookrunner.adapters.screening import EntryKind
from bookrunner.adapters.vault import Vault
from bookrunner.books.compliance import Particulars, record_particulars
from bookrunner.core.errors import Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Database
from bookrunner.engine import Process
from tests.attack.world import World
from tests.compliance.screened import ENTRY, LISTED, Book, whole, without

Connect = Callable[[str], psycopg.Connection]
SDN_NAME = "SDN_ENHANCED.XML"
FIRST = "the first list with its files"
# Scores 8,917 against the entry that it resembles: an alert for the house, none for an offer at 9,500.
RESEMBLES = "Ismail Abdul Hania"
CLEARED = 2


class Offering:
    """A world up to a step, answered against the real list."""

    def __init__(self, database: Database, connect: Connect, label: str, until: str) -> None:
        self.world = World(connect, label, 3).build(until)
        self.book = Book(database)
        self.process = Process(self.book.desk)
        self.book.take(without(whole(), 9639), SDN_NAME, because=FIRST)
        self.answer()

    def answer(self) -> None:
        """Answer what waits, as a worker does."""
        self.process.drain()
        while self.book.screening.drain():
            self.process.drain()

    def cleared(self) -> list[bool]:
        """Return whether the compliance gate of each investor is open now."""
        rows = self.book.rows("select engine.holds(p) & 2 from engine.position p order by investment_id")
        return [row[0] == CLEARED for row in rows]

    def alias(self, number: int, name: str) -> None:
        """Let an officer record another name of an investor."""
        given = [(self.world.id("ivr", number), Particulars(EntryKind.PERSON, (name,)))]
        with self.book.desk.compliance.together() as within:
            record_particulars(
                within, Vault.of(self.book.desk.database.endpoint.secrets), given, actor="officer.one"
            )

    def policy(self, **changed: int) -> None:
        """Let two people set the offer's policy, the house's own where nothing is said."""
        terms = {"person_bp": 8500, "other_bp": 7500, "list_lag_hours": 24, "age_days": 365} | changed
        change, keeper = new_id("spc"), self.book.desk.compliance
        of = {"offering": self.world.offering, "change": change, "because": "the sponsor's policy"}
        keeper.propose_screening_policy(actor="officer.one", policy=terms, **of)
        with keeper.together() as within:
            within.decide_under(actor="officer.two", programme=within.programme_in_force())
            within.decide_screening_policy(actor="officer.two", is_adopted=True, seen=1, **of)

    def against(self) -> set[str]:
        """Return the days of the list versions that the positions were answered for."""
        rows = self.book.rows("select screened_against ->> 'us.ofac.sdn' from engine.position")
        return {row[0].partition(":")[0] for row in rows}


def test_a_confirmed_match_stops_an_open_closing_and_prepares_its_report(
    database: Database, connect: Connect
) -> None:
    offer = Offering(database, connect, "stop", "prepared")
    world, book = offer.world, offer.book
    assert offer.cleared() == [True] * 3
    offer.alias(1, LISTED)
    book.take(whole(), SDN_NAME)
    book.screening.drain()
    assert offer.cleared() == [False, True, True], "a case that nobody decided closes the gate"
    assert book.rows("select from compliance.sanctions_report") == []
    book.confirm("ivr_stop1")
    stopped = book.rows("select investment_id from engine.position where issuance_is_stopped")
    assert stopped == [("inv_stop1",)]
    taken = world.call("registry.take_lines", world.offering, world.closing, 500)
    assert sorted(line["investment"] for line in taken) == ["inv_stop2", "inv_stop3"], taken
    ((investor, kind, status, happened_on, due_on),) = book.rows(
        "select investor_id, kind, status, happened_on, due_on from compliance.sanctions_report"
    )
    assert (investor, kind, status) == ("ivr_stop1", "blocked", "due")
    assert due_on == add_banking_days(happened_on, 10)
    offer.process.drain()
    left = book.rows("select kind from audit.event where kind = 'clearance.reopened'")
    assert len(left) == 1


def test_no_refund_goes_to_whom_a_match_is_confirmed_of(database: Database, connect: Connect) -> None:
    offer = Offering(database, connect, "back", "received")
    world, book = offer.world, offer.book
    for number in (1, 2):
        world.call("treasury.refund_receipt", world.offering, world.id("rcp", number), "cancellation")
    offer.alias(1, LISTED)
    book.take(whole(), SDN_NAME)
    book.screening.drain()
    book.confirm("ivr_back1")
    taken = world.call("treasury.take_refunds", world.offering, 10)
    assert [one["receipt"] for one in taken] == ["rcp_back2"]


def test_no_refund_goes_to_a_payer_who_is_not_screened(database: Database, connect: Connect) -> None:
    """The money belongs to nobody known: who paid it is screened, as a person and as an entity."""
    offer = Offering(database, connect, "nobody", "instructed")
    world, book = offer.world, offer.book
    book.take(whole(), SDN_NAME)
    lines = [
        world.entry(1, reference="NONE", id="rcp_a", sender=LISTED),
        world.entry(2, reference="NONE", id="rcp_b"),
    ]
    head, entries = world.statement("first", lines)
    world.call("treasury.import_statement", world.offering, head, entries)
    world.call("treasury.match", world.offering)
    for receipt in ("rcp_a", "rcp_b"):
        world.call("treasury.refund_receipt", world.offering, receipt, "unidentified")
    assert world.call("treasury.take_refunds", world.offering, 10) == []
    book.screening.drain()
    kinds = "select distinct kind from compliance.particulars where subject_id like 'payer:%' order by 1"
    assert book.rows(kinds) == [("entity",), ("person",)]
    taken = world.call("treasury.take_refunds", world.offering, 10)
    assert [one["receipt"] for one in taken] == ["rcp_b"], "a case of the payer is open"
    ((payer, *_),) = book.hits()
    book.dismiss(payer)
    taken = world.call("treasury.take_refunds", world.offering, 10)
    assert [one["receipt"] for one in taken] == ["rcp_a", "rcp_b"]


def test_a_refund_waits_from_the_first_officer_on(database: Database, connect: Connect) -> None:
    offer = Offering(database, connect, "first", "received")
    world, book = offer.world, offer.book
    world.call("treasury.refund_receipt", world.offering, world.id("rcp", 1), "cancellation")
    offer.alias(1, LISTED)
    book.take(whole(), SDN_NAME)
    book.screening.drain()
    assert len(world.call("treasury.take_refunds", world.offering, 10)) == 1
    ((hit,),) = book.rows("select hit_id from compliance.hit")
    world.call("compliance.decide_hit", world.id("ivr", 1), hit, "confirmed", "the same passport", 1)
    assert world.call("treasury.take_refunds", world.offering, 10) == []


def test_a_changed_list_closes_the_gate_when_it_waits_too_long(database: Database, connect: Connect) -> None:
    """The offer gives a changed list no time: whoever is not answered is not cleared, by the clock alone."""
    offer = Offering(database, connect, "lag", "funded")
    assert offer.against() == {"2024-12-01"}
    offer.policy(list_lag_hours=0)
    assert offer.cleared() == [True] * 3
    offer.book.take(whole(), SDN_NAME)
    assert offer.cleared() == [False] * 3
    assert offer.against() == {"2024-12-01"}
    assert offer.book.rows("select distinct clearance_since > rescreen_by from engine.position") == [(False,)]
    offer.answer()
    assert offer.cleared() == [True] * 3
    assert offer.against() == {"2025-01-10"}


def test_within_the_permitted_time_the_gate_stays_open_and_then_closes(
    database: Database, connect: Connect
) -> None:
    offer = Offering(database, connect, "due", "funded")
    offer.book.take(whole(), SDN_NAME)
    assert offer.cleared() == [True] * 3
    with psycopg.connect(offer.book.desk.database.endpoint.admin_dsn(), autocommit=True) as admin:
        soon = "update {} set {} = clock_timestamp() + interval '1 second' where {} is not null"
        for table, column in (("compliance.rescreening", "due_at"), ("engine.position", "rescreen_by")):
            admin.execute(f"alter table {table} disable trigger all".encode())
            admin.execute(soon.format(table, column, column).encode())
            admin.execute(f"alter table {table} enable trigger all".encode())
    time.sleep(1.1)
    assert offer.cleared() == [False] * 3
    assert offer.process.expire() == 0
    lacks = offer.book.rows("select distinct lacks from compliance.clearance")
    assert lacks == [(["sanctions_are_screened"],)]
    offer.answer()
    assert offer.cleared() == [True] * 3


def test_the_facts_of_a_closing_name_the_lists(database: Database, connect: Connect) -> None:
    offer = Offering(database, connect, "fact", "linked")
    offer.world.frozen()
    facts = offer.book.rows("select facts -> 'compliance' -> 'screened_against' from engine.closing_member")
    ((version,),) = offer.book.rows("select list_version from compliance.list_status")
    assert [row[0] for row in facts] == [{"us.ofac.sdn": version}] * 3


MADE = "select distinct subject_id from compliance.screening where made_for = 'issuance' order by 1"


def test_an_issuance_waits_for_a_screening_made_for_it(database: Database, connect: Connect) -> None:
    offer = Offering(database, connect, "made", "frozen")
    investors = [offer.world.id("ivr", n) for n in (1, 2, 3)]
    offer.book.desk.compliance.enlist_for_issuance(actor="process", investors=investors)
    assert offer.cleared() == [False] * 3
    offer.book.screening.for_issuance(investors)
    assert offer.cleared() == [True] * 3
    screened = [row[0] for row in offer.book.rows(MADE)]
    assert set(investors) <= set(screened)


def test_a_hit_at_issuance_keeps_that_person_behind_alone(database: Database, connect: Connect) -> None:
    offer = Offering(database, connect, "alone", "frozen")
    world, book = offer.world, offer.book
    investors = [world.id("ivr", n) for n in (1, 2, 3)]
    # Another name of the second one is on record before the closing goes on, and not screened yet.
    offer.alias(2, "HANIYA, Ismail Abdul Salah")
    book.take(whole(), SDN_NAME)
    book.screening.for_issuance(investors)
    members = [{"investment": world.id("inv", n), "instruction": f"ins_alone{n}"} for n in (1, 2, 3)]
    refused = book.desk.registry.instruct(
        actor="process", offering=world.offering, closing=world.closing, members=members
    )
    assert set(refused) == {world.id("inv", 2)}
    (missing,) = (fault for fault in refused.values())
    assert missing[0]["condition"] == "investor_is_cleared"
    assert missing[0]["lacks"] == ["sanctions_are_clear"]


def test_an_issuance_is_refused_when_nobody_can_be_screened(database: Database, connect: Connect) -> None:
    offer = Offering(database, connect, "age", "frozen")
    owner = connect("owner")
    owner.execute(
        b"insert into compliance.rule (rule_id, rule_version, value, unit, jurisdiction, citation, certainty,"
        b" effective_from, proposed_by, adopted_by, because) values"
        b" ('house.list_age', 2, 0, 'calendar_days', 'house', 'a trial', 'house', current_date, 'a', 'b', '')"
    )
    with pytest.raises(Refused, match="issuance_is_screened"):
        offer.book.screening.for_issuance([offer.world.id("ivr", 1)])
    assert offer.cleared() == [False, True, True]


def test_the_threshold_belongs_to_the_offer(database: Database, connect: Connect) -> None:
    offer = Offering(database, connect, "bar", "funded")
    offer.book.take(whole(), SDN_NAME)
    offer.alias(1, RESEMBLES)
    offer.answer()
    ((_, entry, status, score),) = offer.book.hits()
    assert (entry, status) == (ENTRY, "open")
    assert 8_500 <= score < 9_500
    assert offer.cleared() == [False, True, True]
    offer.policy(person_bp=9_500)
    assert offer.cleared() == [False, True, True], "a case that stands is decided as a case, not by a policy"
    offer.book.dismiss("ivr_bar1")
    assert offer.cleared() == [True] * 3
    offer.alias(2, RESEMBLES)
    offer.answer()
    assert len(offer.book.hits()) == 1, "the threshold acts when a case would be opened"
    offer.policy(person_bp=6_000)
    assert offer.cleared() == [False] * 3, "who was screened from a higher score on is screened again"
    offer.answer()
    assert offer.cleared() == [True] * 3
    offer.alias(3, RESEMBLES)
    offer.answer()
    assert offer.cleared() == [True, True, False]
    thresholds = offer.book.rows(
        "select distinct threshold_bp from compliance.screening where made_for = 'change'"
    )
    assert (6_000,) in thresholds


def test_an_old_screening_is_made_again_before_it_lapses(database: Database, connect: Connect) -> None:
    offer = Offering(database, connect, "age", "funded")
    offer.policy(age_days=10)
    assert offer.book.screening.age() == 0
    _age(offer, timedelta(days=9, hours=1))
    assert offer.cleared() == [True] * 3
    assert offer.book.screening.age() == 9, "three investors, and each payer as a person and as an entity"
    assert offer.book.screening.age() == 0, "they wait already"
    offer.answer()
    assert [one[2] for one in offer.book.screenings("ivr_age1")][-1] == "age"
    _age(offer, timedelta(days=9, hours=1))
    assert offer.book.screening.age() == 9
    offer.answer()
    _age(offer, timedelta(days=10))
    offer.policy(age_days=10)
    assert offer.cleared() == [False] * 3
    offer.answer()
    assert offer.cleared() == [True] * 3


@pytest.mark.parametrize(
    ("changed", "rule"),
    [
        ({"person_bp": 4_999}, "threshold_can_alert"),
        ({"other_bp": 9_901}, "threshold_can_alert"),
        ({"age_days": 0}, "screening_age_is_in_bounds"),
        ({"age_days": 400}, "screening_age_is_in_bounds"),
        ({"list_lag_hours": 169}, "screening_age_is_in_bounds"),
        ({"list_lag_hours": -1}, "screening_age_is_in_bounds"),
    ],
)
def test_a_policy_stays_in_bounds(
    database: Database, connect: Connect, changed: dict[str, int], rule: str
) -> None:
    offer = Offering(database, connect, "bounds", "opened")
    with pytest.raises(Refused) as refused:
        offer.policy(**changed)
    assert refused.value.rule == rule


def test_a_new_investor_of_a_strict_offer_is_screened_for_it(database: Database, connect: Connect) -> None:
    """The screening of the profile came before the offer was known, from the house's threshold on."""
    offer = Offering(database, connect, "strict", "profiled")
    offer.policy(person_bp=6_000)
    offer.book.screening.drain()
    offer.book.desk.compliance.open_clearance(
        actor="officer.one", offering=offer.world.offering, clearance="clr_1", investor="ivr_strict1"
    )
    assert offer.book.waiting() == ["ivr_strict1"]
    offer.book.screening.drain()
    lacks = json.dumps(offer.book.rows("select lacks from compliance.clearance")[0][0])
    assert "sanctions" not in lacks


def _age(offer: Offering, by: timedelta) -> None:
    with psycopg.connect(offer.book.desk.database.endpoint.admin_dsn(), autocommit=True) as admin:
        admin.execute("alter table compliance.screening disable trigger all")
        admin.execute("update compliance.screening set screened_at = clock_timestamp() - %s::interval", [by])
        admin.execute("alter table compliance.screening enable trigger all")
