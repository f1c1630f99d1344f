"""Read single facts out of camt elements, whatever version wrote them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from typing import Final, cast

from bookrunner.adapters.bank.entries import EntryStatus
from bookrunner.adapters.bank.errors import StatementRefused, StatementRule
from bookrunner.adapters.bank.iso20022.stream import Element
from bookrunner.core import money
from bookrunner.core.errors import Refused

_DAY: Final = re.compile(r"([0-9]{4}-[0-9]{2}-[0-9]{2})(?:[T+Z-].*)?", re.ASCII | re.DOTALL)
_STATUSES: Final = {
    "BOOK": EntryStatus.BOOK,
    "PDNG": EntryStatus.PDNG,
    "FUTR": EntryStatus.PDNG,
    "INFO": EntryStatus.INFO,
}
_NOT_PROVIDED: Final = frozenset({"NOTPROVIDED", "NOT PROVIDED", "NONREF"})


@dataclass(frozen=True, slots=True)
class Amount:
    """An unsigned amount in minor units."""

    minor: int
    currency: str


@dataclass(frozen=True, slots=True)
class Party:
    """Whose money it was, as far as the bank says; ``agent`` is the debtor's bank."""

    name: str | None = None
    account: str | None = None
    agent: str | None = None


class Fields:
    """Looks facts up by path within one namespace; paths are written without it."""

    def __init__(self, namespace: str) -> None:
        self._prefix = f"{{{namespace}}}"
        self._paths: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._parent: Element | None = None
        self._below: dict[str, Element] = {}

    def tag(self, name: str) -> str:
        """Return the qualified tag of a local name."""
        return self._prefix + name

    def find(self, element: Element, path: str) -> Element | None:
        """Return the first element on this path."""
        return self._found(element).get(path)

    def text(self, element: Element, *paths: str) -> str | None:
        """Return the text at the first of these paths that has any, without blanks around it."""
        below = self._below if element is self._parent else self._found(element)
        for path in paths:
            found = below.get(path)
            if found is not None and (text := (found.text or "").strip()):
                return text
        return None

    def reference(self, element: Element, *paths: str) -> str | None:
        """Return a reference, None where the bank fills in that there is none."""
        found = self.text(element, *paths)
        return None if found is None or found.upper() in _NOT_PROVIDED else found

    def joined(self, element: Element, path: str) -> str | None:
        """Return all texts at this path, joined by blanks."""
        if self.find(element, path.partition("/")[0]) is None:
            return None
        found = element.iterfind(self._qualified(path))
        texts = (" ".join((part.text or "").split()) for part in found)
        return " ".join(text for text in texts if text) or None

    def amount(self, element: Element, *paths: str) -> Amount | None:
        """Return the amount at the first of these paths, exact in minor units.

        Zeros beyond the currency's decimals are dropped, any other digit there is refused.
        """
        for path in paths:
            found = self.find(element, path)
            if found is not None:
                return _amount(found)
        return None

    def is_credit(self, element: Element) -> bool | None:
        """Tell credit from debit; None when the element does not say."""
        indicator = self.text(element, "CdtDbtInd")
        if indicator not in {"CRDT", "DBIT", None}:
            raise refused(StatementRule.DIRECTION_IS_GIVEN, element, "neither CRDT nor DBIT")
        return None if indicator is None else indicator == "CRDT"

    def day(self, element: Element, path: str) -> date | None:
        """Return the calendar day that the bank wrote, from a date or a date and time."""
        written = self.text(element, f"{path}/Dt", f"{path}/DtTm")
        return None if written is None else parse_day(written, element)

    def status(self, element: Element) -> EntryStatus | None:
        """Return the status from its text or its code; None when it is not of the standard."""
        return _STATUSES.get(self.text(element, "Sts/Cd", "Sts") or "")

    def account(self, element: Element, path: str) -> str | None:
        """Return the IBAN or the bank's own number, without blanks."""
        found = self.text(element, f"{path}/IBAN", f"{path}/Othr/Id")
        return None if found is None else "".join(found.split())

    def bank_code(self, element: Element) -> str | None:
        """Return the bank transaction code: ``domain-family-subfamily``, else the bank's own."""
        domain = self.text(element, "BkTxCd/Domn/Cd")
        if domain is None:
            return self.text(element, "BkTxCd/Prtry/Cd")
        family = self.text(element, "BkTxCd/Domn/Fmly/Cd") or ""
        return f"{domain}-{family}-{self.text(element, 'BkTxCd/Domn/Fmly/SubFmlyCd') or ''}"

    def debtor(self, element: Element) -> Party:
        """Return the debtor of a transaction; version 08 wraps the party once more."""
        agent = "RltdAgts/DbtrAgt/FinInstnId"
        bank = self.text(element, f"{agent}/BICFI", f"{agent}/BIC", f"{agent}/ClrSysMmbId/MmbId")
        return self._party(element, "RltdPties/Dbtr", bank)

    def creditor(self, element: Element) -> Party:
        """Return the creditor of a transaction, without its bank."""
        return self._party(element, "RltdPties/Cdtr", None)

    def original(self, element: Element) -> str | None:
        """Return what names the payment that a returned transaction undoes."""
        if self.find(element, "RtrInf") is None:
            return None
        return self.text(element, "Refs/UETR") or self.reference(element, "Refs/EndToEndId")

    def _party(self, element: Element, path: str, agent: str | None) -> Party:
        name = self.text(element, f"{path}/Nm", f"{path}/Pty/Nm", f"{path}/Agt/FinInstnId/Nm")
        return Party(name, self.account(element, f"{path}Acct/Id"), agent)

    def _found(self, element: Element) -> dict[str, Element]:
        # Most facts are absent: one walk below an element answers all questions to it.
        if element is not self._parent:
            self._parent, self._below = element, {}
            self._walk(element, "")
        return self._below

    def _walk(self, element: Element, above: str) -> None:
        below, names = self._below, self._names
        for child in element:
            tag = child.tag
            name = names.get(tag)
            if name is None:
                name = names[tag] = tag.removeprefix(self._prefix)
            path = above + name
            # Where an element is repeated, only the first is looked into.
            if path not in below:
                below[path] = child
                if len(child):
                    self._walk(child, path + "/")

    def _qualified(self, path: str) -> str:
        found = self._paths.get(path)
        if found is None:
            found = self._paths[path] = "/".join(self._prefix + step for step in path.split("/"))
        return found


def refused(rule: StatementRule, element: Element, detail: str) -> StatementRefused:
    """Make the refusal for an element, with its line."""
    return StatementRefused(rule, line_of(element), detail)


def line_of(element: Element) -> int:
    """Return the line of the file on which the element starts, 0 when unknown."""
    return cast("int | None", element.sourceline) or 0


def parse_day(written: str, element: Element) -> date:
    """Return the day of ``YYYY-MM-DD``, with or without a time or a zone."""
    match = _DAY.fullmatch(written)
    if match is None:
        raise refused(StatementRule.DATE_IS_ISO, element, "expected YYYY-MM-DD")
    try:
        return date.fromisoformat(match[1])
    except ValueError:
        raise refused(StatementRule.DATE_IS_ISO, element, "no such day") from None


def _amount(element: Element) -> Amount:
    text = element.text or ""
    if len(element) or text.startswith("-"):
        raise refused(StatementRule.AMOUNT_IS_DECIMAL, element, "expected unsigned digits")
    # ISO 20022 allows five decimals in any currency; banks pad them with zeros.
    whole, point, decimals = text.partition(".")
    if point and decimals:
        kept = decimals.rstrip("0")
        text = f"{whole}.{kept}" if kept else whole
    try:
        read = money.parse(text, element.get("Ccy") or "")
    except Refused as refusal:
        raise refused(StatementRule(refusal.rule), element, refusal.detail) from None
    return Amount(read.minor, read.currency.code)
