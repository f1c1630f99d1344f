"""Write NACHA files: credits, debits and returns, one batch per entry class and direction."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from bookrunner.adapters.bank.nacha.records import PADDING, WIDTH, is_routing
from bookrunner.adapters.bank.nacha.totals import Totals
from bookrunner.adapters.bank.timing.returns import find_return_code
from bookrunner.core.errors import Refused

_AMOUNT_MAX: Final = 10**10 - 1
_SAME_DAY_MINOR_MAX: Final = 100_000_000
_ENTRIES_MAX: Final = 100_000
_BLOCK: Final = 10
_ACCOUNT: Final = re.compile(r"[A-Za-z0-9 -]{1,17}", re.ASCII)
_COMPANY: Final = re.compile(r"[A-Za-z0-9]{1,10}", re.ASCII)
_TRACE: Final = re.compile(r"[0-9]{15}", re.ASCII)
_PRINTABLE: Final = re.compile(r"[ -~]+", re.ASCII)


class AchAccount(StrEnum):
    """What kind of account an entry moves money on."""

    CHECKING = "2"
    """Demand deposits."""
    SAVINGS = "3"
    """Savings."""


class AchClass(StrEnum):
    """The entry classes that are written."""

    PPD = "PPD"
    """A consumer who authorised in writing."""
    WEB = "WEB"
    """A consumer who authorised over the internet."""
    CCD = "CCD"
    """A company."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AchReturn:
    """Why an entry goes back: the code, the trace number that it had, and where it was received."""

    code: str
    original_trace: str
    received_by: str
    note: str = ""

    def __post_init__(self) -> None:
        """Refuse ``return_code_is_known``, ``trace_has_fifteen_digits`` and ``routing_number_is_valid``."""
        if find_return_code(self.code) is None:
            raise Refused("return_code_is_known", "no such return reason code")
        if _TRACE.fullmatch(self.original_trace) is None:
            raise Refused("trace_has_fifteen_digits", "original trace number")
        _check_routing(self.received_by)


@dataclass(frozen=True, slots=True, kw_only=True)
class AchEntry:
    """One entry; ``identification`` is our id of the payment, ``credit`` pays the receiver.

    With ``returned`` it sends an entry back to the bank that ``routing`` names.
    """

    routing: str
    account: str = field(repr=False)
    amount_minor: int
    credit: bool
    name: str
    identification: str
    kind: AchAccount = AchAccount.CHECKING
    entry_class: AchClass = AchClass.PPD
    returned: AchReturn | None = None

    def __post_init__(self) -> None:
        """Refuse what does not fit the record."""
        _check_routing(self.routing)
        if _ACCOUNT.fullmatch(self.account) is None:
            raise Refused("account_number_is_usable", "1 to 17 letters and digits")
        if type(self.amount_minor) is not int or not 0 < self.amount_minor <= _AMOUNT_MAX:
            raise Refused("payout_is_positive", "1 to 9,999,999,999 cents")
        if len(self.identification) > 15 or not _PRINTABLE.fullmatch(self.identification):  # noqa: PLR2004
            raise Refused("payment_id_is_usable", "1 to 15 printable characters")
        plain_name(self.name)

    @property
    def transaction_code(self) -> str:
        """Return the two digits of account and direction; 1 and 6 are returns."""
        if self.returned is not None:
            return self.kind.value + ("1" if self.credit else "6")
        return self.kind.value + ("2" if self.credit else "7")


@dataclass(frozen=True, slots=True, kw_only=True)
class AchFile:
    """What a file says besides its entries; ``first_trace`` numbers the entries from there on.

    ``written_at`` is local time at the originating bank. ``modifier`` tells the files of a day apart.
    """

    destination: str
    destination_name: str
    origin: str
    origin_name: str
    company_name: str
    company_id: str
    description: str
    written_at: datetime
    effective_on: date
    modifier: str = "A"
    first_trace: int = 1
    same_day: bool = False

    def __post_init__(self) -> None:
        """Refuse what does not fit the headers."""
        _check_routing(self.destination)
        _check_routing(self.origin)
        if _COMPANY.fullmatch(self.company_id) is None:
            raise Refused("company_id_is_usable", "1 to 10 letters and digits")
        if re.fullmatch(r"[A-Z0-9]", self.modifier, re.ASCII) is None:
            raise Refused("file_modifier_is_one_character", "A to Z or 0 to 9")
        if not 0 < self.first_trace < 10**7 - _ENTRIES_MAX:
            raise Refused("trace_has_fifteen_digits", "first number out of range")


def write_ach(head: AchFile, entries: Sequence[AchEntry]) -> bytes:
    """Return the file, blocked by ten, with counts, hashes and totals that match.

    Refuses ``file_has_payouts``, ``payment_id_is_unique`` and ``entry_fits_same_day``.
    """
    if not 0 < len(entries) <= _ENTRIES_MAX:
        raise Refused("file_has_payouts", "1 to 100,000 entries")
    if len({entry.identification for entry in entries}) != len(entries):
        raise Refused("payment_id_is_unique", "one payment twice in a file")
    if head.same_day and any(entry.amount_minor > _SAME_DAY_MINOR_MAX for entry in entries):
        raise Refused("entry_fits_same_day", "more than 1,000,000 dollars")
    lines, totals = [_file_header(head)], Totals()
    groups: dict[tuple[str, str], list[AchEntry]] = {}
    for entry in entries:
        groups.setdefault((entry.entry_class.value, "220" if entry.credit else "225"), []).append(entry)
    trace = head.first_trace
    for number, ((kind, service), group) in enumerate(sorted(groups.items()), start=1):
        lines += _batch(head, (kind, service, number, trace), group, totals)
        trace += len(group)
    blocks = -(-(len(lines) + 1) // _BLOCK)
    lines.append(
        f"9{len(groups):06d}{blocks:06d}{totals.lines:08d}{totals.hash_digits:010d}"
        f"{totals.debit_minor:012d}{totals.credit_minor:012d}"
    )
    lines += [PADDING] * (blocks * _BLOCK - len(lines))
    return "".join(line.ljust(WIDTH) + "\n" for line in lines).encode("ascii")


def plain_name(name: str) -> str:
    """Return a name without accents, as the network's characters allow; refuses ``name_is_latin``."""
    apart = unicodedata.normalize("NFKD", name.replace("ß", "ss"))
    plain = "".join(character for character in apart if not unicodedata.combining(character))
    if not plain.strip() or _PRINTABLE.fullmatch(plain) is None:
        raise Refused("name_is_latin", "letters that the network does not carry")
    return plain


def _file_header(head: AchFile) -> str:
    return (
        f"101 {head.destination} {head.origin}{head.written_at:%y%m%d%H%M}{head.modifier}094101"
        f"{_cell(head.destination_name, 23)}{_cell(head.origin_name, 23)}"
    )


def _batch(
    head: AchFile, place: tuple[str, str, int, int], entries: list[AchEntry], file_totals: Totals
) -> list[str]:
    kind, service, number, trace = place
    bank, totals = head.origin[:8], Totals()
    header = (
        f"5{service}{_cell(head.company_name, 16)}{'':20}{head.company_id:10}{kind}"
        f"{_cell(head.description, 10)}{'':6}{head.effective_on:%y%m%d}{'':3}1{bank}{number:07d}"
    )
    lines = [header]
    for offset, entry in enumerate(entries):
        own = f"{bank}{trace + offset:07d}"
        lines.append(
            f"6{entry.transaction_code}{entry.routing}{entry.account:17}{entry.amount_minor:010d}"
            f"{entry.identification:15}{_cell(entry.name, 22)}{'':2}{int(entry.returned is not None)}{own}"
        )
        totals.add_entry(int(entry.routing[:8]), entry.amount_minor, credit=entry.credit)
        if entry.returned is not None:
            back = entry.returned
            lines.append(
                f"799{back.code}{back.original_trace}{'':6}{back.received_by[:8]}{_cell(back.note, 44)}{own}"
            )
            totals.lines += 1
    lines.append(
        f"8{service}{totals.lines:06d}{totals.hash_digits:010d}{totals.debit_minor:012d}"
        f"{totals.credit_minor:012d}{head.company_id:10}{'':25}{bank}{number:07d}"
    )
    file_totals.add(totals)
    return lines


def _cell(text: str, width: int) -> str:
    return (plain_name(text) if text else "")[:width].ljust(width)


def _check_routing(routing: str) -> None:
    if not is_routing(routing):
        raise Refused("routing_number_is_valid", "nine digits with their check digit")
