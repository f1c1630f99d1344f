"""Whether the controls of a NACHA file say what its entries sum to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from bookrunner.adapters.bank.entries import Finding, FindingRule
from bookrunner.adapters.bank.errors import StatementRefused, StatementRule
from bookrunner.adapters.bank.nacha.records import Record

_HASH_MODULUS: Final = 10**10
_HASH_NINES: Final = _HASH_MODULUS - 1


@dataclass(slots=True)
class Totals:
    """What the entries of a batch, or of a file, sum to; amounts are minor units."""

    lines: int = 0
    hash: int = 0
    debit_minor: int = 0
    credit_minor: int = 0

    def add_entry(self, routing: int, amount_minor: int, *, credit: bool) -> None:
        """Count one entry; ``routing`` is the number's first eight digits."""
        self.lines += 1
        self.hash += routing
        if credit:
            self.credit_minor += amount_minor
        else:
            self.debit_minor += amount_minor

    def add(self, other: Totals) -> None:
        """Count a whole batch."""
        self.lines += other.lines
        self.hash += other.hash
        self.debit_minor += other.debit_minor
        self.credit_minor += other.credit_minor

    @property
    def hash_digits(self) -> int:
        """Return the entry hash as a control holds it, its last ten digits."""
        return self.hash % _HASH_MODULUS

    def check_batch(self, control: Record) -> Finding | None:
        """Compare with a batch control; refuses ``control_totals_match``."""
        return self._check(control, (5, 10), (11, 20), (21, 32, 33, 44))

    def check_file(self, control: Record, batches: int) -> Finding | None:
        """Compare with the file control; refuses ``control_totals_match``."""
        if control.number(2, 7) != batches:
            raise _unequal(control, "number of batches")
        return self._check(control, (14, 21), (22, 31), (32, 43, 44, 55))

    def _check(
        self,
        control: Record,
        count: tuple[int, int],
        digest: tuple[int, int],
        sums: tuple[int, int, int, int],
    ) -> Finding | None:
        if control.number(*sums[:2]) != self.debit_minor:
            raise _unequal(control, "sum of debits")
        if control.number(*sums[2:]) != self.credit_minor:
            raise _unequal(control, "sum of credits")
        if control.number(*count) != self.lines:
            raise _unequal(control, "number of entries and addenda")
        told = control.number(*digest)
        if told == _HASH_NINES:
            return Finding(FindingRule.ENTRY_HASH_IS_GIVEN, control.line, "nines in place of the hash")
        if told != self.hash_digits:
            raise _unequal(control, "entry hash")
        return None


def _unequal(control: Record, what: str) -> StatementRefused:
    return StatementRefused(StatementRule.CONTROL_TOTALS_MATCH, control.line, what)
