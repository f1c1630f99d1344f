"""When two lines of bank files are the same movement of money.

The bank's own reference decides, else the UETR, else the line itself with its ordinal among equal
lines of that day: two equal deposits on one day are two deposits, the same file twice is none.
The account counts without blanks and signs and in capitals: its spelling makes no other movement.
"""

from __future__ import annotations

import hashlib
import unicodedata
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache

from bookrunner.adapters.bank.entries import Entry


@lru_cache(maxsize=64)
def plain_account(account: str) -> str:
    """Return an account without what only separates, as the treasury book keeps it."""
    return "".join(character for character in account if character.isascii() and character.isalnum()).upper()


class Keys:
    """Gives the entries of one file their dedupe keys and line hashes, in the order of the file."""

    def __init__(self) -> None:
        self._ordinals: Counter[tuple[str, str]] = Counter()

    def of_entry(self, account: str, entry: Entry) -> Entry:
        """Return the entry with its key, for one that stands for itself."""
        account = plain_account(account)
        line = _line_digest(account, entry)
        # The amount and the direction belong to the key: banks reuse a reference for the
        # packets of a day, and a return carries the UETR of the payment that it undoes.
        movement = [account, *_movement(entry)]
        keys = []
        if entry.entry_ref:
            keys.append("ref:" + _digest([*movement, entry.entry_ref]))
        if entry.uetr:
            keys.append("uetr:" + _digest([*movement, entry.uetr.lower()]))
        if not keys:
            keys.append(self._numbered("line:" + line, entry))
        return entry.known_as(tuple(keys), line)

    def of_part(self, account: str, entry: Entry) -> Entry:
        """Return the entry with its key, for one of several under one bank reference."""
        account = plain_account(account)
        line = _line_digest(account, entry)
        keys = [self._numbered("part:" + line, entry)]
        if entry.uetr:
            keys.append("uetr:" + _digest([account, *_movement(entry), entry.uetr.lower()]))
        return entry.known_as(tuple(keys), line)

    def _numbered(self, base: str, entry: Entry) -> str:
        # A pending line and the booked one that follows it are the same deposit.
        place = (base, entry.status.value)
        self._ordinals[place] += 1
        return f"{base}:{self._ordinals[place]}"


def _movement(entry: Entry) -> list[str]:
    return [
        str(entry.amount_minor),
        entry.currency,
        "C" if entry.credit else "D",
        "R" if entry.reversal else "",
    ]


def _line_digest(account: str, entry: Entry) -> str:
    # Neither the account nor the movement has a blank in it.
    moved = "\x1f".join([account, *_movement(entry)]).casefold()
    told = (
        entry.entry_ref,
        entry.end_to_end_id,
        entry.uetr,
        entry.remittance_structured,
        entry.remittance_text,
        entry.debtor_name,
        entry.debtor_account,
    )
    return _digest(
        [
            moved,
            entry.booked_on.isoformat() if entry.booked_on else "",
            entry.value_on.isoformat() if entry.value_on else "",
            *[_normal(fact) if fact else "" for fact in told],
        ]
    )


def _normal(text: str) -> str:
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return " ".join(text.casefold().split())


def _digest(facts: Iterable[str]) -> str:
    return hashlib.sha256("\x1f".join(facts).encode()).hexdigest()
