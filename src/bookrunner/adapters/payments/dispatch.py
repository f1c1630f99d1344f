"""How a worker sends orders by itself: the account books of offers in a folder, and one way to the bank."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

from bookrunner.adapters.payments.debits import originator, write_debits
from bookrunner.adapters.payments.entries import WriteEntries, write_entries
from bookrunner.adapters.payments.file_desk import FileDesk
from bookrunner.adapters.payments.orders import AccountBook, Courier, write_refunds, write_release
from bookrunner.adapters.payments.remote import RemoteBank, require_private
from bookrunner.core import clock

Refunds = Callable[[str, Sequence[Mapping[str, Any]]], bytes]
Debits = Callable[[Sequence[Mapping[str, Any]]], tuple[bytes, list[dict[str, str]]]]
Release = Callable[[str, Mapping[str, Any]], bytes]
_SCHEMES = ("http://", "https://")


class Dispatch:
    """Finds the account book of an offer as ``OFFER.csv`` in a folder, and knows where orders go."""

    def __init__(self, books: Path, to: str, fingerprint: Callable[[str], bytes]) -> None:
        """Raise ConfigurationError for an address that orders may not go to; a start stops at it."""
        if to.startswith(_SCHEMES):
            require_private(to)
        self._books = books
        self._to = to
        self._fingerprint = fingerprint

    def writers(self, offering: str) -> tuple[Refunds, Release] | None:
        """Return what writes the orders of an offer, None without its account book.

        Refuses ``account_book_is_readable``.
        """
        path = self._books / f"{offering}.csv"
        if not path.is_file():
            return None
        book = AccountBook(path.read_text(encoding="utf-8"), self._fingerprint)
        today = clock.today()
        return write_refunds(book.debtor, book.holder, today), write_release(book.debtor, book.holder, today)

    def debits(self, offering: str) -> Debits | None:
        """Return what writes the debits of an offer, None without ``OFFER.ach.json`` beside its accounts.

        Refuses ``originator_is_readable`` and ``account_book_is_readable``.
        """
        path = self._books / f"{offering}.ach.json"
        if not path.is_file():
            return None
        book = AccountBook((self._books / f"{offering}.csv").read_text(encoding="utf-8"), self._fingerprint)
        return write_debits(originator(path), book.holder, clock.today())

    def entries(self, offering: str) -> WriteEntries | None:
        """Return what writes lines as entries of the ACH, None without ``OFFER.ach.json``.

        Refuses ``originator_is_readable`` and ``account_book_is_readable``.
        """
        path = self._books / f"{offering}.ach.json"
        if not path.is_file():
            return None
        book = AccountBook((self._books / f"{offering}.csv").read_text(encoding="utf-8"), self._fingerprint)
        return write_entries(originator(path), book.holder, clock.today())

    def carrier(self) -> AbstractContextManager[Courier]:
        """Lend the way to the bank."""
        return carrier_to(self._to)


@contextmanager
def carrier_to(place: str) -> Iterator[Courier]:
    """Lend the way to a bank at a URL, or to the file desk in a folder."""
    if place.startswith(_SCHEMES):
        with RemoteBank(place) as bank:
            yield Courier(bank)
    else:
        yield Courier(FileDesk(Path(place)))
