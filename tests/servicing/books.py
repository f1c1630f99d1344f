"""An offer whose filings are followed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.life.servicing.filings import follow_all
from tests.allocation.book import PRICE, Book, process_of
from tests.attack.world import Connect, digest

STATED = "Example, as its charter says"


class Crowd(Book):
    """A Regulation Crowdfunding offer with a target in units, whose investors order 1, 2 and 3 units."""

    def __init__(self, connect: Connect, target: int = 12) -> None:
        super().__init__(connect)
        self.exemption = "reg_cf"
        deadline = datetime.now(UTC) + timedelta(days=90)
        self.terms = {"target_minor": target * PRICE, "closes_at": deadline.isoformat()}

    def opened(self) -> None:
        stated = {"currency": "USD", "income_minor": 30_000_000, "net_worth_minor": 30_000_000}
        for n in self.numbers:
            self.call("compliance.state_finances", self.id("ivr", n), self.id("fin", n), stated)
        super().opened()

    def confirm(self, *numbers: int) -> None:
        """Let these investors confirm."""
        for n in numbers:
            self.call("engine.confirm", self.offering, self.id("inv", n))

    def cancel(self, *numbers: int) -> None:
        """Let a manager end these investments."""
        for n in numbers:
            self.call("engine.cancel_investment", self.offering, self.id("inv", n), "as asked")


def crowd(connect: Connect, until: str, target: int = 12) -> Crowd:
    """Return such an offer, built up to a step."""
    book = Crowd(connect, target)
    book.build(until)
    return book


def follow(database: Database) -> None:
    """Answer every event."""
    process_of(database).drain()


def look(database: Database) -> int:
    """Look for filings that no event opened; return how many changed."""
    return follow_all(Desk(database).filings, actor="process")


def filing(book: Book, clock: str) -> tuple[str, int, str]:
    """Return id, version and status of the one filing of a clock."""
    question = "select filing_id, version, status from engine.filing where offering_id = %s and clock = %s"
    (row,) = book.ask(question, book.offering, clock)
    return row[0], row[1], row[2]


def clocks(book: Book) -> dict[str, str]:
    """Return the status of each filing by its clock."""
    return dict(book.ask("select clock, status from engine.filing where offering_id = %s", book.offering))


def state(book: Book, fact: str, happened_on: str, place: str = "") -> str:
    """State a fact and return its id."""
    name = f"fct_{fact}_{happened_on.replace('-', '')}{place[3:]}"
    said: list[Any] = [name, fact, place, happened_on, "as the minutes say", digest("minutes")]
    book.call("engine.state_filing_fact", book.offering, *said, actor="issuer.iris")
    return name


def fill(book: Book, clock: str) -> None:
    """Fill every item of a filing that no book fills."""
    name = filing(book, clock)[0]
    question = "select code from engine.filing_pack(%s, %s) where value is null and not is_found"
    for (code,) in book.ask(question, book.offering, name):
        book.call("engine.fill_filing", book.offering, name, code, STATED, "charter", actor="issuer.iris")


def prepare(book: Book, clock: str) -> None:
    """Say that the pack of a filing is ready."""
    name, seen, _ = filing(book, clock)
    book.call("engine.prepare_filing", book.offering, name, seen, actor="issuer.iris")


def record(book: Book, clock: str, filed_on: str, reference: str = "0001234567-26-000001") -> None:
    """Record a filing as made."""
    name, seen, _ = filing(book, clock)
    said = [name, filed_on, reference, digest("acceptance"), seen]
    book.call("engine.record_filing", book.offering, *said, actor="issuer.iris")


def named(book: Book) -> None:
    """Put the issuer of the offer on record."""
    profile = {"name": "Example Partners", "colour": "#0b4f6c", "escrow_bank": "Example Bank"}
    profile |= {"transfer_agent": "Example Agent", "administrator": "Example Admin"}
    book.call("engine.name_issuer", "iss_one", profile, None)
