"""An offering whose money is followed to the cent, and the questions that every test asks of its ledger."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import pytest
from psycopg.types.json import Jsonb

from tests.attack.world import PRICE, World, digest

DAY = "2026-03-30"

_UNEVEN = """
select currency, sum(case side when 'debit' then amount_minor else -amount_minor end)
from treasury.trial_balance group by offering_id, currency
having sum(case side when 'debit' then amount_minor else -amount_minor end) <> 0
"""
_NOT_ITS_ENTRIES = """
select offering_id, account, b.amount_minor, s.amount_minor from treasury.trial_balance b
full join treasury.entry_sum s using (offering_id, account, currency)
where coalesce(b.amount_minor, 0) <> coalesce(s.amount_minor, 0)
"""
_NOT_ITS_RECEIPTS = """
select offering_id, account, b.amount_minor, s.amount_minor
from (select * from treasury.trial_balance
    where account like 'liab:inv:%' or account like 'liab:wallet:%'
    or account in ('liab:unmatched', 'liab:held_source', 'liab:refund_payable')) b
full join treasury.receipt_standing s using (offering_id, account, currency)
where coalesce(b.amount_minor, 0) <> coalesce(s.amount_minor, 0)
"""
_NOT_ITS_POSITION = """
select p.investment_id, p.received_minor, f.received_minor, p.cleared_minor, f.cleared_minor
from engine.position p join treasury.funding f using (offering_id, investment_id)
where (p.received_minor, p.cleared_minor, p.funds_are_received, p.funds_are_cleared)
    is distinct from (f.received_minor, f.cleared_minor, f.received_minor >= f.committed_minor,
        f.cleared_minor >= f.committed_minor)
"""
_RECEIVABLE = """
select coalesce((select sum(amount_minor) from treasury.trial_balance
    where account = 'asset:clawback_receivable'), 0)
    - coalesce((select sum(receivable_minor) from treasury.receipt), 0)
"""
_UNSCREENED = """
select p.id, w.list_version from compliance.watchlist w cross join (
    select distinct 'payer:' || encode(r.source_fingerprint, 'hex') || k.mark as id
    from treasury.receipt r, (values (''), (':entity')) k (mark) where r.source_fingerprint is not null) p
where w.status = 'active' and not compliance.is_answered(p.id)
"""


class Escrow(World):
    """A world with short names for what the fund administrator does."""

    def ask(self, question: str, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows that the owner sees."""
        return self.login("owner").execute(question.encode(), values or None).fetchall()

    def pay(self, name: str, *entries: dict[str, object], **head: object) -> int:
        """Import one statement with these entries and match; return how many were matched."""
        first, lines = self.statement(name, entries)
        self.call("treasury.import_statement", self.offering, first | head, Jsonb(lines))
        matched: int = self.call("treasury.match", self.offering)
        self.screen_payers()
        return matched

    def received(self) -> None:
        super().received()
        self.screen_payers()

    def screen_payers(self) -> None:
        """Answer for whoever paid, against the one list of these worlds where it is in force."""
        for payer, version in self.ask(_UNSCREENED):
            self.call("compliance.record_screening", payer, f"scr_{payer}", version, None)

    def balance(self, account: str) -> int:
        """Return the minor units in an account of this offering; 0 for one without entries."""
        rows = self.ask(
            "select amount_minor from treasury.trial_balance where offering_id = %s and account = %s",
            self.offering,
            account,
        )
        return int(rows[0][0]) if rows else 0

    def receipt(self, receipt: str) -> str:
        """Return the status of a receipt."""
        return str(self.ask("select status from treasury.receipt where receipt_id = %s", receipt)[0][0])

    def exception(self, receipt: str) -> str | None:
        """Return the rule that stops a receipt."""
        found: str | None = self.ask("select exception from treasury.receipt where receipt_id = %s", receipt)[
            0
        ][0]
        return found

    def funding(self, n: int) -> str:
        """Return the computed funding status of one investment."""
        rows = self.ask(
            "select funding_status from treasury.funding where investment_id = %s", self.id("inv", n)
        )
        return str(rows[0][0])

    def gates(self, n: int) -> tuple[bool, bool]:
        """Return whether funds are received and cleared, as the position says."""
        question = (
            "select funds_are_received, funds_are_cleared from engine.position where investment_id = %s"
        )
        (row,) = self.ask(question, self.id("inv", n))
        return row[0], row[1]

    def release(self) -> None:
        """Let two people release the escrow of the registered closing."""
        total = self.call(
            "treasury.propose_release", self.offering, f"rel_{self.label}", self.closing, digest("payee")
        )
        self.call(
            "treasury.approve_release",
            self.offering,
            f"rel_{self.label}",
            digest("payee"),
            total,
            actor="usr_second",
        )

    def check_ledger(self) -> None:
        """Debits equal credits, and each account equals its entries."""
        for question in (_UNEVEN, _NOT_ITS_ENTRIES):
            assert self.ask(question) == []

    def check(self) -> None:
        """Debits equal credits, accounts equal entries and receipts, positions equal both."""
        self.check_ledger()
        for question in (_NOT_ITS_RECEIPTS, _NOT_ITS_POSITION):
            assert self.ask(question) == []
        assert self.ask(_RECEIVABLE) == [(0,)]
        assert self.ask("select * from treasury.three_way where not agrees") == []


@contextmanager
def refused(rule: str) -> Iterator[None]:
    """Assert that the block is refused with this SQLSTATE or constraint."""
    with pytest.raises(psycopg.Error) as caught:
        yield
    assert rule in {caught.value.sqlstate, caught.value.diag.constraint_name}, caught.value


__all__ = ["DAY", "PRICE", "Escrow", "digest", "refused"]
