"""Read ISO 20022 cash management messages: camt.053 statements, .052 reports, .054 notifications.

Versions 02 to 08 and the Swiss dialect's namespaces. Streaming: memory grows with the entries that
are returned, not with the file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import date
from typing import Final

from bookrunner.adapters.bank.dedupe import Keys
from bookrunner.adapters.bank.entries import (
    BankFile,
    Batch,
    Entry,
    EntryStatus,
    FileFormat,
    Finding,
    FindingRule,
    Statement,
)
from bookrunner.adapters.bank.errors import StatementRefused, StatementRule
from bookrunner.adapters.bank.iso20022.fields import Amount, Fields, Party, given, line_of, parse_day, refused
from bookrunner.adapters.bank.iso20022.schemas import is_checked, schema_of
from bookrunner.adapters.bank.iso20022.stream import Element, elements, forget

_NAMESPACE: Final = re.compile(
    r"(?:urn:iso:std:iso:20022:tech:xsd:|https?://www\.six-interbank-clearing\.com/de/)"
    r"camt\.(05[234])\.001\.0[2-8](?:\.ch\.[0-9]{2})?(?:\.xsd)?",
    re.ASCII,
)
_CONTAINERS: Final = {"052": "Rpt", "053": "Stmt", "054": "Ntfctn"}
_WATCHED: Final = ("Document", "GrpHdr", *_CONTAINERS.values(), "Acct", "Bal", "TxDtls", "Ntry")
_OPENING: Final = ("OPBD", "PRCD")
_CLOSING: Final = "CLBD"


@dataclass(slots=True)
class _Detail:
    amount: Amount | None
    credit: bool | None
    entry_ref: str | None
    end_to_end_id: str | None
    uetr: str | None
    remittance_structured: str | None
    remittance_text: str | None
    debtor: Party
    creditor: Party
    bank_code: str | None
    return_reason: str | None
    original_reference: str | None


@dataclass(frozen=True, slots=True)
class _Balance:
    minor: int
    day: date | None


@dataclass(slots=True)
class _Draft:
    account: str
    statement_id: str
    sequence: int | None
    currency: str | None
    first_day: date | None
    last_day: date | None
    balances: dict[str, _Balance] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    booked_minor: int = 0


class CamtReader:
    """Reads camt.052, .053 and .054 files; it keeps nothing between files.

    With ``strict``, a message of a version whose schema is here is refused unless it fits it, and one
    without a schema carries a finding.
    """

    def __init__(self, *, strict: bool = False) -> None:
        self._strict = strict

    def read(self, raw: bytes) -> Statement:
        """Return the only statement of the file; refuses ``file_has_one_statement``."""
        statements = self.read_all(raw)
        if len(statements) != 1:
            raise StatementRefused(StatementRule.FILE_HAS_ONE_STATEMENT, 0, f"{len(statements)} statements")
        return statements[0]

    def read_file(self, raw: bytes) -> BankFile:
        """Return the file's statements; refuses as :meth:`read_all` does."""
        return BankFile(format=FileFormat.CAMT, statements=self.read_all(raw))

    def read_all(self, raw: bytes) -> tuple[Statement, ...]:
        """Return every statement of the file in its order; refuses any file that is not sound."""
        reading: _Reading | None = None
        schema = schema_of(raw) if self._strict else None
        for event, element in elements(raw, _WATCHED, schema):
            if event == "start":
                reading = _Reading(element)
                if self._strict and not is_checked(reading.namespace, schema):
                    raise refused(StatementRule.MESSAGE_FITS_SCHEMA, element, "named as another message")
                reading.lacks_schema = self._strict and schema is None
            elif reading is not None:
                reading.take(element)
        if reading is None:
            raise StatementRefused(StatementRule.MESSAGE_IS_SUPPORTED, 0, "no camt document")
        if not reading.statements:
            raise StatementRefused(StatementRule.FILE_HAS_STATEMENT, 0, "no statement in the file")
        return tuple(reading.statements)


class _Reading:
    """The state of reading one file."""

    def __init__(self, root: Element) -> None:
        namespace, _, name = str(root.tag).removeprefix("{").rpartition("}")
        match = _NAMESPACE.fullmatch(namespace)
        if match is None or name != "Document":
            raise refused(StatementRule.MESSAGE_IS_SUPPORTED, root, "not camt.052 to .054, 02 to 08")
        self.namespace = namespace
        self.statements: list[Statement] = []
        self._fields = Fields(namespace)
        self._has_balances = match[1] == "053"
        self._container = self._fields.tag(_CONTAINERS[match[1]])
        self._draft: _Draft | None = None
        self._details: list[_Detail] = []
        self._page: Finding | None = None
        self.lacks_schema = False
        self._keys = Keys()
        self._seen: set[str] = set()
        tag = self._fields.tag
        self._takers = {
            (tag("Acct"), self._container): self._take_account,
            (tag("Bal"), self._container): self._take_balance,
            (tag("Ntry"), self._container): self._take_entry,
            (tag("TxDtls"), tag("NtryDtls")): self._take_detail,
        }

    def take(self, element: Element) -> None:
        """Read one complete element and free it."""
        parent = element.getparent()
        taker = self._takers.get((str(element.tag), "" if parent is None else str(parent.tag)))
        if taker is not None:
            taker(element)
            forget(element)
        elif element.tag == self._container:
            self.statements.append(self._close(element))
            self._draft = None
            forget(element)
        elif element.tag == self._fields.tag("GrpHdr"):
            self._take_header(element)

    def _take_header(self, element: Element) -> None:
        page = self._fields.text(element, "MsgPgntn/PgNb")
        last = self._fields.text(element, "MsgPgntn/LastPgInd")
        if page is not None and (page.lstrip("0") != "1" or last not in {"true", "1"}):
            self._page = Finding(FindingRule.MESSAGE_IS_ONE_PAGE, line_of(element), "one page of several")

    def _take_account(self, element: Element) -> None:
        fields, statement = self._fields, element.getparent()
        account = fields.account(element, "Id")
        if account is None or statement is None:
            raise refused(StatementRule.STATEMENT_HAS_ACCOUNT, element, "no IBAN and no number")
        sequence = fields.text(statement, "ElctrncSeqNb", "LglSeqNb") or ""
        first = fields.text(statement, "FrToDt/FrDtTm", "FrToDt/FrDt")
        last = fields.text(statement, "FrToDt/ToDtTm", "FrToDt/ToDt")
        self._draft = _Draft(
            account=account,
            statement_id=fields.text(statement, "Id") or "",
            sequence=int(sequence) if re.fullmatch(r"[0-9]{1,18}", sequence) else None,
            currency=fields.text(element, "Ccy"),
            first_day=parse_day(first, statement) if first else None,
            last_day=parse_day(last, statement) if last else None,
        )
        if self.lacks_schema:
            self._find(FindingRule.SCHEMA_IS_KNOWN, element, "no schema for this version")
        if self._page is not None:
            self._draft.findings.append(self._page)

    def _opened(self, element: Element) -> _Draft:
        if self._draft is None:
            raise refused(StatementRule.STATEMENT_HAS_ACCOUNT, element, "no account before this")
        return self._draft

    def _take_balance(self, element: Element) -> None:
        draft, fields = self._opened(element), self._fields
        amount, credit = fields.amount(element, "Amt"), fields.is_credit(element)
        if amount is None:
            raise refused(StatementRule.AMOUNT_IS_DECIMAL, element, "balance without amount")
        if credit is None:
            raise refused(StatementRule.DIRECTION_IS_GIVEN, element, "balance without direction")
        draft.currency = draft.currency or amount.currency
        kind = fields.text(element, "Tp/CdOrPrtry/Cd", "Tp/Cd") or ""
        if amount.currency == draft.currency:
            signed = amount.minor if credit else -amount.minor
            draft.balances.setdefault(kind, _Balance(signed, fields.day(element, "Dt")))

    def _take_detail(self, element: Element) -> None:
        fields = self._fields
        self._opened(element)
        told = fields.texts(element)
        self._details.append(
            _Detail(
                amount=fields.amount(element, "Amt", "AmtDtls/TxAmt/Amt"),
                credit=fields.is_credit(element),
                entry_ref=given(told.get("Refs/AcctSvcrRef")),
                end_to_end_id=given(told.get("Refs/EndToEndId")),
                uetr=told.get("Refs/UETR"),
                remittance_structured=fields.joined(element, "RmtInf/Strd/CdtrRefInf/Ref"),
                remittance_text=fields.joined(element, "RmtInf/Ustrd")
                or fields.joined(element, "AddtlTxInf"),
                debtor=fields.debtor(element),
                creditor=fields.creditor(element),
                bank_code=fields.bank_code(element),
                return_reason=told.get("RtrInf/Rsn/Cd") or told.get("RtrInf/Rsn/Prtry"),
                original_reference=fields.original(element),
            )
        )

    def _take_entry(self, element: Element) -> None:
        draft, fields = self._opened(element), self._fields
        details, self._details = self._details, []
        amount, credit = fields.amount(element, "Amt"), fields.is_credit(element)
        if amount is None:
            raise refused(StatementRule.AMOUNT_IS_DECIMAL, element, "entry without amount")
        if credit is None:
            raise refused(StatementRule.DIRECTION_IS_GIVEN, element, "entry without direction")
        whole = self._whole(element, amount, credit=credit)
        self._check_entry(element, whole)
        parts = _parts(whole, details)
        if parts is None:
            rule = FindingRule.DETAILS_SUM_TO_ENTRY if details else FindingRule.ENTRY_HAS_DETAILS
            self._find(rule, element, f"{len(details)} details")
            parts = [whole]
        if len(parts) == 1:
            parts = [self._keys.of_entry(draft.account, parts[0])]
            self._check_key(element, parts[0])
        else:
            parts = self._batch(draft.account, parts, whole)
        draft.entries.extend(parts)

    def _batch(self, account: str, parts: list[Entry], whole: Entry) -> list[Entry]:
        whole = self._keys.of_entry(account, whole)
        keyed = [self._keys.of_part(account, part) for part in parts]
        return [
            part._replace(
                batch=Batch(whole.entry_ref, whole.bank_code, place, len(keyed), whole.dedupe_key),
            )
            for place, part in enumerate(keyed, start=1)
        ]

    def _whole(self, element: Element, amount: Amount, *, credit: bool) -> Entry:
        fields = self._fields
        return Entry(
            entry_ref=fields.reference(element, "AcctSvcrRef"),
            end_to_end_id=None,
            uetr=None,
            amount_minor=amount.minor,
            currency=amount.currency,
            credit=credit,
            reversal=fields.text(element, "RvslInd") in {"true", "1"},
            status=fields.status(element) or EntryStatus.INFO,
            booked_on=fields.day(element, "BookgDt"),
            value_on=fields.day(element, "ValDt"),
            remittance_structured=None,
            remittance_text=fields.joined(element, "AddtlNtryInf"),
            debtor_name=None,
            debtor_account=None,
            debtor_agent=None,
            bank_code=fields.bank_code(element),
            return_reason=None,
            dedupe_key="",
            line_sha256="",
        )

    def _check_entry(self, element: Element, whole: Entry) -> None:
        draft = self._opened(element)
        draft.currency = draft.currency or whole.currency
        if self._fields.status(element) is None:
            self._find(FindingRule.STATUS_IS_KNOWN, element, "read as INFO")
        if whole.amount_minor == 0:
            self._find(FindingRule.AMOUNT_IS_POSITIVE, element, "amount is zero")
        if whole.currency != draft.currency:
            self._find(FindingRule.ENTRY_IS_IN_ACCOUNT_CURRENCY, element, whole.currency)
        elif whole.status is EntryStatus.BOOK:
            draft.booked_minor += _signed(whole)

    def _check_key(self, element: Element, entry: Entry) -> None:
        if entry.status is not EntryStatus.BOOK:
            return
        if entry.dedupe_key in self._seen:
            self._find(FindingRule.DEDUPE_KEY_IS_UNIQUE, element, entry.dedupe_key)
        self._seen.add(entry.dedupe_key)

    def _find(self, rule: FindingRule, element: Element, detail: str) -> None:
        self._opened(element).findings.append(Finding(rule, line_of(element), detail))

    def _close(self, element: Element) -> Statement:
        draft = self._opened(element)
        if draft.currency is None:
            raise refused(StatementRule.STATEMENT_HAS_CURRENCY, element, "no currency given")
        opening = next((draft.balances[k] for k in _OPENING if k in draft.balances), None)
        closing = draft.balances.get(_CLOSING)
        if opening is not None and closing is not None:
            gap = closing.minor - opening.minor - draft.booked_minor
            if gap:
                self._find(FindingRule.BALANCES_ADD_UP, element, f"off by {gap} minor units")
        elif self._has_balances:
            self._find(FindingRule.BALANCES_ARE_GIVEN, element, "opening or closing is missing")
        return Statement(
            account=draft.account,
            statement_id=draft.statement_id,
            sequence=draft.sequence,
            currency=draft.currency,
            opening_minor=opening.minor if opening else None,
            closing_minor=closing.minor if closing else None,
            opened_on=(opening.day if opening else None) or draft.first_day,
            closed_on=(closing.day if closing else None) or draft.last_day,
            entries=tuple(draft.entries),
            findings=tuple(draft.findings),
        )


def _signed(entry: Entry) -> int:
    return entry.amount_minor if entry.credit else -entry.amount_minor


def _parts(whole: Entry, details: list[_Detail]) -> list[Entry] | None:
    """Split an entry by its details; None when there are none or they do not sum to it."""
    only = len(details) == 1
    parts = []
    for detail in details:
        amount = detail.amount
        if amount is None and only:
            amount = Amount(whole.amount_minor, whole.currency)
        if amount is None or amount.currency != whole.currency:
            return None
        parts.append(_part(whole, detail, amount.minor, only=only))
    if not parts or sum(map(_signed, parts)) != _signed(whole):
        return None
    return parts


def _part(whole: Entry, detail: _Detail, minor: int, *, only: bool) -> Entry:
    # The entry's reference comes first where it stands for one transaction, because reports
    # without details carry no other; under a batch the transaction's own one tells them apart.
    refs = (whole.entry_ref, detail.entry_ref) if only else (detail.entry_ref, whole.entry_ref)
    return Entry(
        entry_ref=refs[0] or refs[1],
        end_to_end_id=detail.end_to_end_id,
        uetr=detail.uetr,
        amount_minor=minor,
        currency=whole.currency,
        credit=whole.credit if detail.credit is None else detail.credit,
        reversal=whole.reversal,
        status=whole.status,
        booked_on=whole.booked_on,
        value_on=whole.value_on,
        remittance_structured=detail.remittance_structured,
        remittance_text=detail.remittance_text or (whole.remittance_text if only else None),
        debtor_name=detail.debtor.name,
        debtor_account=detail.debtor.account,
        debtor_agent=detail.debtor.agent,
        bank_code=detail.bank_code or whole.bank_code,
        return_reason=detail.return_reason,
        dedupe_key="",
        line_sha256="",
        creditor_name=detail.creditor.name,
        creditor_account=detail.creditor.account,
        original_reference=detail.original_reference,
    )
