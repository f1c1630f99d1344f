"""Debits as a NACHA file: who collects, and the trace number that each entry gets."""

from __future__ import annotations

import json
import string
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any, Final

from bookrunner.adapters.bank.payouts import Account, AchClass, AchEntry, AchFile, write_ach
from bookrunner.adapters.payments import debit_identification
from bookrunner.core.errors import Refused

_FIELDS: Final = frozenset(
    {"destination", "destination_name", "origin", "origin_name", "company_name", "company_id", "description"}
)
_BANK_DIGITS: Final = 8
_MODIFIERS: Final = string.ascii_uppercase + string.digits
Rows = Sequence[Mapping[str, Any]]


def originator(path: Path) -> Mapping[str, str]:
    """Read who collects, the texts of a NACHA header in a JSON object; refuses ``originator_is_readable``."""
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        said = None
    return originator_of(said)


def originator_of(said: object) -> Mapping[str, str]:
    """Return the texts of a NACHA header; refuses ``originator_is_readable``."""
    if (
        not isinstance(said, dict)
        or set(said) != _FIELDS
        or not all(isinstance(v, str) for v in said.values())
    ):
        raise Refused("originator_is_readable", f"the members are {', '.join(sorted(_FIELDS))}")
    return said


def header(said: Mapping[str, str], on: date, *, first: int, file: int) -> AchFile:
    """Return the head of a NACHA file of a day, whose entries are numbered from ``first`` on.

    The number of the ``file`` tells it apart from the 35 others before it.
    """
    return AchFile(
        destination=said["destination"],
        destination_name=said["destination_name"],
        origin=said["origin"],
        origin_name=said["origin_name"],
        company_name=said["company_name"],
        company_id=said["company_id"],
        description=said["description"],
        written_at=datetime.combine(on, time()),
        effective_on=on,
        modifier=_MODIFIERS[(file - 1) % len(_MODIFIERS)],
        first_trace=first,
    )


def write_debits(
    said: Mapping[str, str], holder: Callable[[bytes], Account], collect_on: date
) -> Callable[[Rows], tuple[bytes, list[dict[str, str]]]]:
    """Return what writes the NACHA file of some debits and says the trace number of each.

    ``holder`` finds the account behind a fingerprint; its bank is the routing number.
    """

    def written(debits: Rows) -> tuple[bytes, list[dict[str, str]]]:
        # The writer numbers its entries class by class.
        ordered = sorted(debits, key=lambda debit: (debit["class"], debit["debit"]))
        first = int(ordered[0]["first"])
        head = header(said, collect_on, first=first, file=int(ordered[0]["file"]))
        bank = said["origin"][:_BANK_DIGITS]
        traces = [
            {"debit": debit["debit"], "trace": f"{bank}{first + place:07d}"}
            for place, debit in enumerate(ordered)
        ]
        return write_ach(head, [_entry(debit, holder) for debit in ordered]), traces

    return written


def _entry(debit: Mapping[str, Any], holder: Callable[[bytes], Account]) -> AchEntry:
    account = holder(bytes.fromhex(debit["fingerprint"]))
    return AchEntry(
        routing=account.bank,
        account=account.number,
        amount_minor=debit["amount"],
        credit=False,
        name=account.name,
        identification=debit_identification(debit["debit"]),
        entry_class=AchClass(debit["class"]),
    )
