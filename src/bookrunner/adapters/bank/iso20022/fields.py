"""Read single facts out of camt elements, whatever version wrote them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Final, NamedTuple, TypeAlias, cast

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

# Every element below one, itself first, in the order of the file: its tag and how many children it has.
_Shape: TypeAlias = tuple[tuple[str, int], ...]
_SHAPES_MAX: Final = 128
_SHAPE_MAX: Final = 256


_PartyPaths: TypeAlias = tuple[str, ...]
_DEBTOR: Final[_PartyPaths] = (
    "RltdPties/Dbtr/Nm",
    "RltdPties/Dbtr/Pty/Nm",
    "RltdPties/Dbtr/Agt/FinInstnId/Nm",
    "RltdPties/DbtrAcct/Id/IBAN",
    "RltdPties/DbtrAcct/Id/Othr/Id",
    "RltdAgts/DbtrAgt/FinInstnId/BICFI",
    "RltdAgts/DbtrAgt/FinInstnId/BIC",
    "RltdAgts/DbtrAgt/FinInstnId/ClrSysMmbId/MmbId",
)
_CREDITOR: Final[_PartyPaths] = (
    "RltdPties/Cdtr/Nm",
    "RltdPties/Cdtr/Pty/Nm",
    "RltdPties/Cdtr/Agt/FinInstnId/Nm",
    "RltdPties/CdtrAcct/Id/IBAN",
    "RltdPties/CdtrAcct/Id/Othr/Id",
)


class Amount(NamedTuple):
    """An unsigned amount in minor units."""

    minor: int
    currency: str


class Party(NamedTuple):
    """Whose money it was, as far as the bank says; ``agent`` is the debtor's bank."""

    name: str | None = None
    account: str | None = None
    agent: str | None = None


class _Plan:
    """Where the paths of a shape are, as places in the order of the file.

    ``every`` has all places of a path. ``first`` has one: where an element is repeated, only the first is
    looked into.
    """

    def __init__(self, shape: _Shape, prefix: str) -> None:
        self.first: dict[str, int] = {}
        self.every: dict[str, list[int]] = {}
        self._prefix = prefix
        self._walk(shape, 0, "", is_first=True)

    def _walk(self, shape: _Shape, place: int, above: str, *, is_first: bool) -> int:
        children = shape[place][1]
        place += 1
        for _ in range(children):
            path = above + shape[place][0].removeprefix(self._prefix)
            is_met = path in self.every
            self.every.setdefault(path, []).append(place)
            if is_first and not is_met:
                self.first[path] = place
            place = self._walk(shape, place, path + "/", is_first=is_first and not is_met)
        return place


class Fields:
    """Looks facts up by path within one namespace; paths are written without it.

    The elements of a file have few shapes, and most facts are absent: where a shape has its paths is found
    out once for all elements of that shape.
    """

    def __init__(self, namespace: str) -> None:
        self._prefix = f"{{{namespace}}}"
        self._plans: dict[_Shape, _Plan] = {}
        self._parent: Element | None = None
        self._nodes: Sequence[Element] = ()
        self._plan = _Plan((("", 0),), self._prefix)
        self._texts: dict[str, str] = {}

    def tag(self, name: str) -> str:
        """Return the qualified tag of a local name."""
        return self._prefix + name

    def find(self, element: Element, path: str) -> Element | None:
        """Return the first element on this path."""
        self._look_at(element)
        place = self._plan.first.get(path)
        return None if place is None else self._nodes[place]

    def texts(self, element: Element) -> Mapping[str, str]:
        """Return the text at each path that has any, without blanks around it."""
        self._look_at(element)
        return self._texts

    def text(self, element: Element, *paths: str) -> str | None:
        """Return the text at the first of these paths that has any, without blanks around it."""
        texts = self._texts if element is self._parent else self.texts(element)
        for path in paths:
            if path in texts:
                return texts[path]
        return None

    def reference(self, element: Element, *paths: str) -> str | None:
        """Return a reference, None where the bank fills in that there is none."""
        return given(self.text(element, *paths))

    def joined(self, element: Element, path: str) -> str | None:
        """Return all texts at this path, joined by blanks."""
        self._look_at(element)
        places = self._plan.every.get(path)
        if places is None:
            return None
        return " ".join(" ".join([self._nodes[place].text or "" for place in places]).split()) or None

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
        told = self.texts(element)
        return _STATUSES.get(told.get("Sts/Cd") or told.get("Sts") or "")

    def account(self, element: Element, path: str) -> str | None:
        """Return the IBAN or the bank's own number, without blanks."""
        found = self.text(element, f"{path}/IBAN", f"{path}/Othr/Id")
        return None if found is None else "".join(found.split())

    def bank_code(self, element: Element) -> str | None:
        """Return the bank transaction code: ``domain-family-subfamily``, else the bank's own."""
        texts = self.texts(element)
        domain = texts.get("BkTxCd/Domn/Cd")
        if domain is None:
            return texts.get("BkTxCd/Prtry/Cd")
        family = texts.get("BkTxCd/Domn/Fmly/Cd") or ""
        return f"{domain}-{family}-{texts.get('BkTxCd/Domn/Fmly/SubFmlyCd') or ''}"

    def debtor(self, element: Element) -> Party:
        """Return the debtor of a transaction; version 08 wraps the party once more."""
        return _party(self.texts(element), _DEBTOR)

    def creditor(self, element: Element) -> Party:
        """Return the creditor of a transaction, without its bank."""
        return _party(self.texts(element), _CREDITOR)

    def original(self, element: Element) -> str | None:
        """Return what names the payment that a returned transaction undoes."""
        if self.find(element, "RtrInf") is None:
            return None
        return self.text(element, "Refs/UETR") or self.reference(element, "Refs/EndToEndId")

    def _look_at(self, element: Element) -> None:
        if element is self._parent:
            return
        nodes = list(element.iter())
        shape = tuple([(node.tag, len(node)) for node in nodes])
        plan = self._plans.get(shape)
        if plan is None:
            plan = _Plan(shape, self._prefix)
            if len(self._plans) >= _SHAPES_MAX:
                self._plans.clear()
            if len(shape) <= _SHAPE_MAX:
                self._plans[shape] = plan
        self._parent, self._nodes, self._plan = element, nodes, plan
        self._texts = {
            path: text
            for path, place in plan.first.items()
            if (text := nodes[place].text) and (text := text.strip())
        }


def _party(told: Mapping[str, str], paths: _PartyPaths) -> Party:
    name, of_party, of_agent, iban, other, *agent = paths
    account = told.get(iban) or told.get(other)
    return Party(
        told.get(name) or told.get(of_party) or told.get(of_agent),
        None if account is None else "".join(account.split()),
        next((told[path] for path in agent if path in told), None) if agent else None,
    )


def given(reference: str | None) -> str | None:
    """Return a reference, None where the bank fills in that there is none."""
    return None if reference is None or reference.upper() in _NOT_PROVIDED else reference


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
        return _exact(text, element.get("Ccy") or "")
    except Refused as refusal:
        raise refused(StatementRule(refusal.rule), element, refusal.detail) from None


# Many investors pay one amount. What is refused is not kept, so a kept text is short.
@lru_cache(maxsize=1024)
def _exact(text: str, code: str) -> Amount:
    read = money.parse(text, code)
    return Amount(read.minor, read.currency.code)
