"""The sandbox bank's own book: what it was told is a file, and all else follows from that and a seed."""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final

from bookrunner.adapters.bank.files import AnyFormatReader
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.sandbox.bank.statements import Payment, StatementHead, write_statement

_REASONS: Final = {
    "ach_debit": ("R01", "R02", "R10"),
    "ach_credit": ("R03",),
    "cheque": ("insufficient_funds",),
}
_LONGEST_DELAY_DAYS: Final = 3


@dataclass(frozen=True, slots=True)
class Account:
    """The account that the bank keeps; ``seed`` decides delays, duplicates and returns."""

    number: str
    currency: str
    seed: int
    opened_on: date


@dataclass(frozen=True, slots=True)
class Movement:
    """One movement of the account: whose it is, what the statement says, what a notice says."""

    booked_on: date
    subject: str
    payment: Payment
    status: str


@dataclass(frozen=True, slots=True)
class Notice:
    """One message for the receiver; ``times`` is how often it is sent."""

    id: str
    body: bytes
    times: int


@dataclass(slots=True)
class Book:
    """Deposits and orders in the order of arrival, each written and synced before it counts.

    Opened again on its file, the bank knows what it knew. The same seed and the same arrivals give the same
    statements and notices.
    """

    path: Path
    account: Account
    deposits: dict[str, dict[str, Any]] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)
    day: date = date.min

    def __post_init__(self) -> None:
        """Read what was kept; a line that a crash cut off was never acknowledged."""
        self.day = self.account.opened_on
        if self.path.exists():
            kept = self.path.read_bytes()
            whole = kept[: kept.rfind(b"\n") + 1]
            if whole != kept:
                with self.path.open("r+b") as file:
                    file.truncate(len(whole))
            for line in whole.splitlines():
                self._apply(json.loads(line))

    def deposit(self, told: Mapping[str, Any]) -> None:
        """Take money of an investor: id, offering, payment, amount_minor, reference, name, account, rail."""
        if told["id"] not in self.deposits:
            self._keep({"kind": "deposit", "on": self.day.isoformat(), **told})

    def order(self, order: str, content: bytes) -> None:
        """Take an order once by its id.

        Refuses ``order_id_has_one_content``, and an order that is no payment file as its reader does.
        """
        digest = hashlib.sha256(content).hexdigest()
        known = self.orders.get(order)
        if known is None:
            payments = list(_payments(content))
            self._keep(
                {
                    "kind": "order",
                    "id": order,
                    "on": self.day.isoformat(),
                    "sha256": digest,
                    "payments": payments,
                }
            )
        elif known["sha256"] != digest:
            raise Refused("order_id_has_one_content", "the order came before with other bytes")

    def move_to(self, day: date) -> None:
        """Let the days pass; refuses ``days_pass_forward``."""
        if day < self.day:
            raise Refused("days_pass_forward", f"it is {self.day} already")
        self._keep({"kind": "day", "day": day.isoformat()})

    def mark_told(self, notice: str) -> None:
        """Note that the receiver has a message."""
        self._keep({"kind": "told", "id": notice})

    def movements(self) -> list[Movement]:
        """Return what has moved until today, in the order of the days."""
        found = [*self._of_deposits(), *self._of_orders()]
        return sorted((m for m in found if m.booked_on <= self.day), key=lambda m: (m.booked_on, m.subject))

    def statement(self, day: date) -> bytes:
        """Return the statement of one day that has come; refuses ``statement_day_has_come``."""
        if not self.account.opened_on <= day <= self.day:
            raise UnknownRecord("statement_day_has_come", f"there is no statement of {day}")
        moved = self.movements()
        before = sum(_signed(m.payment) for m in moved if m.booked_on < day)
        sequence = (day - self.account.opened_on).days + 1
        head = StatementHead(self.account.number, self.account.currency, sequence, day, before)
        return write_statement(head, [m.payment for m in moved if m.booked_on == day])

    def is_executed(self, order: str) -> bool:
        """Say whether every payment of an order has left; refuses ``order_exists``."""
        known = self.orders.get(order)
        if known is None:
            raise UnknownRecord("order_exists", f"there is no order {order}")
        return all(self._left_on(known["on"], paid["id"]) <= self.day for paid in known["payments"])

    def notices(self) -> list[Notice]:
        """Return the messages that the receiver has not taken, shuffled by the seed."""
        found = [
            self._notice(told, "pending", date.fromisoformat(told["on"])) for told in self.deposits.values()
        ]
        found += [
            self._notice(self.deposits[moved.subject], moved.status, moved.booked_on)
            for moved in self.movements()
            if moved.subject in self.deposits
        ]
        waiting = [notice for notice in found if notice.id not in self.told]
        self._chance("order").shuffle(waiting)
        return waiting

    def paid(self) -> dict[str, list[int]]:
        """Return what every order carries, by payment: an amount twice is a payment twice."""
        found: dict[str, list[int]] = {}
        for order in self.orders.values():
            for payment in order["payments"]:
                found.setdefault(payment["id"], []).append(payment["amount_minor"])
        return found

    def _of_deposits(self) -> Iterator[Movement]:
        for identity, told in self.deposits.items():
            chance = self._chance(identity)
            settled = date.fromisoformat(told["on"]) + timedelta(chance.randint(0, _LONGEST_DELAY_DAYS))
            payment = Payment(
                amount_minor=told["amount_minor"],
                reference=told["reference"],
                debtor_name=told["name"],
                debtor_account=told["account"],
                value_on=settled,
                rail=told["rail"],
            )
            yield Movement(settled, identity, payment, "settled")
            if self._comes_back(told):
                back = settled + timedelta(chance.randint(1, _LONGEST_DELAY_DAYS))
                yield Movement(back, identity, _returned(told, self._reason(told), back), "returned")

    def _of_orders(self) -> Iterator[Movement]:
        for order in self.orders.values():
            for paid in order["payments"]:
                left = self._left_on(order["on"], paid["id"])
                payment = Payment(
                    amount_minor=paid["amount_minor"],
                    reference=None,
                    debtor_name=paid["name"],
                    debtor_account=paid["account"],
                    value_on=left,
                    credit=False,
                    end_to_end_id=paid["id"],
                )
                yield Movement(left, paid["id"], payment, "settled")

    def _left_on(self, on: str, payment: str) -> date:
        delay = self._chance(f"left {payment}").randint(0, _LONGEST_DELAY_DAYS)
        return date.fromisoformat(on) + timedelta(delay)

    def _comes_back(self, told: Mapping[str, Any]) -> bool:
        return told["rail"] in _REASONS and self._chance(f"back {told['id']}").randrange(8) == 0

    def _reason(self, told: Mapping[str, Any]) -> str:
        return self._chance(f"reason {told['id']}").choice(_REASONS[told["rail"]])

    def _notice(self, told: Mapping[str, Any], status: str, day: date) -> Notice:
        body: dict[str, object] = {
            "offering": told["offering"],
            "payment": told["payment"],
            "status": status,
            "amount_minor": told["amount_minor"],
            "currency": self.account.currency,
            "happened_at": datetime.combine(day, time(12), UTC).isoformat(),
        }
        if status == "returned":
            body |= {"rail": told["rail"], "code": self._reason(told)}
        identity = f"evt_{told['id']}_{status}"
        times = 1 + (self._chance(f"times {identity}").randrange(3) == 0)
        return Notice(identity, json.dumps(body, sort_keys=True).encode(), times)

    def _chance(self, about: str) -> random.Random:
        return random.Random(f"{self.account.seed} {about}")

    def _keep(self, record: dict[str, Any]) -> None:
        line = json.dumps(record, sort_keys=True).encode() + b"\n"
        with self.path.open("ab") as file:
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        self._apply(record)

    def _apply(self, record: dict[str, Any]) -> None:
        match record["kind"]:
            case "deposit":
                self.deposits[record["id"]] = record
            case "order":
                self.orders[record["id"]] = record
            case "told":
                self.told.add(record["id"])
            case "day":
                self.day = date.fromisoformat(record["day"])


def _returned(told: Mapping[str, Any], reason: str, on: date) -> Payment:
    return Payment(
        amount_minor=told["amount_minor"],
        reference=told["reference"],
        debtor_name=told["name"],
        debtor_account=told["account"],
        value_on=on,
        credit=False,
        end_to_end_id=told["payment"],
        return_reason=reason,
    )


def _signed(payment: Payment) -> int:
    return payment.amount_minor if payment.credit else -payment.amount_minor


def _payments(content: bytes) -> Iterator[dict[str, object]]:
    found = AnyFormatReader().read(content)
    for entry in found.entries:
        yield {
            "id": entry.end_to_end_id,
            "amount_minor": entry.amount_minor,
            "name": entry.creditor_name,
            "account": entry.creditor_account,
        }
