"""Read ISO 20022 payment messages: pacs.008, pain.001, pacs.004, pacs.002 and pain.002.

None of them is the book of an account: their entries are ``PDNG`` until a statement brings them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
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
    PaymentStatus,
    Statement,
)
from bookrunner.adapters.bank.errors import StatementRefused, StatementRule
from bookrunner.adapters.bank.iso20022.fields import Fields, Party, line_of, parse_day, refused
from bookrunner.adapters.bank.iso20022.schemas import is_checked, schema_of
from bookrunner.adapters.bank.iso20022.stream import Element, elements, forget

_NAMESPACE: Final = re.compile(
    r"(?:urn:iso:std:iso:20022:tech:xsd:|https?://www\.six-interbank-clearing\.com/de/)"
    r"(pacs\.00[248]|pain\.00[12])\.001\.[0-9]{2}(?:\.ch\.[0-9]{2})?(?:\.xsd)?",
    re.ASCII,
)
_COUNT: Final = re.compile(r"[0-9]{1,15}", re.ASCII)
_WATCHED: Final = (
    "Document",
    "GrpHdr",
    "OrgnlGrpInfAndSts",
    "OrgnlPmtInfAndSts",
    "CdtTrfTxInf",
    "TxInf",
    "TxInfAndSts",
    "PmtInf",
)


@dataclass(slots=True)
class _Draft:
    account: str
    currency: str
    entries: list[Entry] = field(default_factory=list)


class PaymentReader:
    """Reads payment messages; statements are grouped by the account that the money moves on.

    That is the creditor's account for a pacs.008 and a pacs.004, where money arrives, and the
    debtor's for a pain.001, where it leaves. A payment without the account is under its agent's number.
    """

    def read_file(self, raw: bytes) -> BankFile:
        """Return the payments or the statuses of one message; refuses what is not sound."""
        schema = schema_of(raw)
        reading: _Reading | None = None
        for event, element in elements(raw, _WATCHED, schema):
            if event == "start":
                reading = _Reading(element)
                if not is_checked(reading.namespace, schema):
                    raise refused(StatementRule.MESSAGE_FITS_SCHEMA, element, "named as another message")
            elif reading is not None:
                reading.take(element)
        if reading is None:
            raise StatementRefused(StatementRule.MESSAGE_IS_SUPPORTED, 0, "no payment document")
        return reading.close(has_schema=schema is not None)


class _Reading:
    """The state of reading one message."""

    def __init__(self, root: Element) -> None:
        namespace, _, name = str(root.tag).removeprefix("{").rpartition("}")
        match = _NAMESPACE.fullmatch(namespace)
        if match is None or name != "Document":
            raise refused(StatementRule.MESSAGE_IS_SUPPORTED, root, "not a payment message")
        self.namespace = namespace
        self._message = match[1]
        self._fields = Fields(namespace)
        self._head: dict[str, str | None] = {}
        self._drafts: dict[tuple[str, str], _Draft] = {}
        self._pending: list[Entry] = []
        self._statuses: list[PaymentStatus] = []
        self._findings: list[Finding] = []
        self._keys = Keys()
        self._count = 0
        self._original: str | None = None
        tag = self._fields.tag
        self._takers = {
            tag("GrpHdr"): self._take_header,
            tag("OrgnlGrpInfAndSts"): self._take_group_status,
            tag("OrgnlPmtInfAndSts"): self._take_batch_status,
            tag("CdtTrfTxInf"): self._take_transfer,
            tag("TxInf"): self._take_return,
            tag("TxInfAndSts"): self._take_status,
            tag("PmtInf"): self._take_batch,
        }

    def take(self, element: Element) -> None:
        """Read one complete element and free it."""
        taker = self._takers.get(str(element.tag))
        if taker is not None:
            taker(element)
            if self._message == "pain.001" and element.tag == self._fields.tag("CdtTrfTxInf"):
                # The debtor of the group stands before its payments and is read after them.
                _forget_equals(element)
            else:
                forget(element)

    def close(self, *, has_schema: bool) -> BankFile:
        """Return what was read."""
        if not self._drafts and not self._statuses:
            raise StatementRefused(StatementRule.FILE_HAS_STATEMENT, 0, "no payment in the message")
        if not has_schema:
            self._findings.append(Finding(FindingRule.SCHEMA_IS_KNOWN, 0, "no schema for this version"))
        told = self._head.get("count")
        if self._drafts and told is not None and told.lstrip("0") != str(self._count):
            detail = f"{self._count} payments are there"
            self._findings.append(Finding(FindingRule.CONTROL_COUNTS_MATCH, 0, detail))
        return BankFile(
            format=FileFormat.PAYMENT,
            statements=tuple(self._statement(draft) for draft in self._drafts.values()),
            statuses=tuple(self._statuses),
        )

    def _statement(self, draft: _Draft) -> Statement:
        return Statement(
            account=draft.account,
            statement_id=self._head.get("id") or "",
            sequence=None,
            currency=draft.currency,
            opening_minor=None,
            closing_minor=None,
            opened_on=None,
            closed_on=None,
            entries=tuple(draft.entries),
            findings=tuple(self._findings),
        )

    def _take_header(self, element: Element) -> None:
        fields = self._fields
        count = fields.text(element, "NbOfTxs")
        if count is not None and _COUNT.fullmatch(count) is None:
            raise refused(StatementRule.COUNT_IS_PLAUSIBLE, element, "declared count of payments")
        day = fields.text(element, "IntrBkSttlmDt")
        self._head = {"id": fields.text(element, "MsgId"), "count": count, "day": day}

    def _take_transfer(self, element: Element) -> None:
        fields = self._fields
        entry = self._entry(element, "IntrBkSttlmAmt", "Amt/InstdAmt")
        entry = entry._replace(
            credit=self._message == "pacs.008",
            entry_ref=fields.reference(element, "PmtId/InstrId"),
            end_to_end_id=fields.reference(element, "PmtId/EndToEndId"),
            uetr=fields.text(element, "PmtId/UETR"),
            bank_code=fields.text(element, "PmtTpInf/LclInstrm/Prtry", "PmtTpInf/LclInstrm/Cd"),
        )
        entry = self._with_parties(entry, element)
        if self._message == "pain.001":
            self._pending.append(entry)
            return
        agent = fields.text(element, "CdtrAgt/FinInstnId/ClrSysMmbId/MmbId", "CdtrAgt/FinInstnId/BICFI")
        self._add(element, entry.creditor_account or agent, entry)

    def _take_batch(self, element: Element) -> None:
        """Read a group of a pain.001, whose debtor is written after its payments began."""
        fields = self._fields
        debtor = fields.text(element, "Dbtr/Nm")
        account = fields.account(element, "DbtrAcct/Id")
        agent = fields.text(
            element,
            "DbtrAgt/FinInstnId/BICFI",
            "DbtrAgt/FinInstnId/BIC",
            "DbtrAgt/FinInstnId/ClrSysMmbId/MmbId",
        )
        day = fields.text(element, "ReqdExctnDt/Dt", "ReqdExctnDt")
        value_on = parse_day(day, element) if day else None
        identity, size = fields.text(element, "PmtInfId"), len(self._pending)
        for place, entry in enumerate(self._pending, start=1):
            named = entry._replace(
                value_on=value_on,
                debtor_name=debtor,
                debtor_account=account,
                debtor_agent=agent,
                batch=Batch(identity, fields.text(element, "PmtMtd"), place, size),
            )
            self._add(element, account, named)
        self._pending = []

    def _take_return(self, element: Element) -> None:
        fields = self._fields
        entry = self._entry(element, "RtrdIntrBkSttlmAmt", "RtrdInstdAmt")
        chain = fields.find(element, "RtrChain")
        if chain is not None:
            entry = self._with_parties(entry, chain)
        original = fields.text(element, "OrgnlUETR") or fields.reference(element, "OrgnlEndToEndId")
        entry = entry._replace(
            entry_ref=fields.reference(element, "RtrId") or self._head.get("id"),
            end_to_end_id=fields.reference(element, "OrgnlEndToEndId"),
            return_reason=self._reason(element, "RtrRsnInf") or "UNKNOWN",
            original_reference=original,
            remittance_text=fields.text(element, "RtrRsnInf/AddtlInf"),
            bank_code="PMNT-RCDT-RRTN",
        )
        agent = fields.text(element, "InstdAgt/FinInstnId/ClrSysMmbId/MmbId", "InstdAgt/FinInstnId/BICFI")
        self._add(element, entry.creditor_account or agent or original, entry)

    def _take_group_status(self, element: Element) -> None:
        self._original = self._fields.text(element, "OrgnlMsgId")
        self._add_status(element, "GrpSts")

    def _take_batch_status(self, element: Element) -> None:
        self._add_status(element, "PmtInfSts")

    def _take_status(self, element: Element) -> None:
        self._add_status(element, "TxSts")

    def _add_status(self, element: Element, tag: str) -> None:
        fields = self._fields
        code = fields.text(element, tag)
        if code is None:
            return
        self._statuses.append(
            PaymentStatus(
                message_id=self._head.get("id") or "",
                original_message_id=fields.text(element, "OrgnlGrpInf/OrgnlMsgId") or self._original,
                end_to_end_id=fields.reference(element, "OrgnlEndToEndId"),
                uetr=fields.text(element, "OrgnlUETR"),
                code=code,
                reason=self._reason(element, "StsRsnInf"),
            )
        )

    def _reason(self, element: Element, path: str) -> str | None:
        return self._fields.text(element, f"{path}/Rsn/Cd", f"{path}/Rsn/Prtry")

    def _entry(self, element: Element, *amounts: str) -> Entry:
        fields = self._fields
        amount = fields.amount(element, *amounts)
        if amount is None:
            raise refused(StatementRule.AMOUNT_IS_DECIMAL, element, "payment without amount")
        day = fields.text(element, "IntrBkSttlmDt") or self._head.get("day")
        return Entry(
            entry_ref=None,
            end_to_end_id=None,
            uetr=None,
            amount_minor=amount.minor,
            currency=amount.currency,
            credit=True,
            reversal=False,
            status=EntryStatus.PDNG,
            booked_on=None,
            value_on=parse_day(day, element) if day else None,
            remittance_structured=fields.joined(element, "RmtInf/Strd/CdtrRefInf/Ref"),
            remittance_text=fields.joined(element, "RmtInf/Ustrd"),
            debtor_name=None,
            debtor_account=None,
            debtor_agent=None,
            bank_code=None,
            return_reason=None,
            dedupe_key="",
            line_sha256="",
        )

    def _with_parties(self, entry: Entry, element: Element) -> Entry:
        debtor, creditor = self._party(element, "Dbtr"), self._party(element, "Cdtr")
        return entry._replace(
            debtor_name=debtor.name,
            debtor_account=debtor.account,
            debtor_agent=debtor.agent,
            creditor_name=creditor.name,
            creditor_account=creditor.account,
        )

    def _party(self, element: Element, role: str) -> Party:
        fields, agent = self._fields, f"{role}Agt/FinInstnId"
        return Party(
            fields.text(element, f"{role}/Nm", f"{role}/Pty/Nm"),
            fields.account(element, f"{role}Acct/Id"),
            fields.text(element, f"{agent}/BICFI", f"{agent}/BIC", f"{agent}/ClrSysMmbId/MmbId"),
        )

    def _add(self, element: Element, account: str | None, entry: Entry) -> None:
        if account is None:
            raise refused(StatementRule.STATEMENT_HAS_ACCOUNT, element, "no account and no agent")
        draft = self._drafts.setdefault((account, entry.currency), _Draft(account, entry.currency))
        if entry.amount_minor == 0:
            self._findings.append(Finding(FindingRule.AMOUNT_IS_POSITIVE, line_of(element), "zero"))
        draft.entries.append(self._keys.of_entry(account, entry))
        self._count += 1


def _forget_equals(element: Element) -> None:
    element.clear()
    elder, parent = element.getprevious(), element.getparent()
    if elder is not None and parent is not None and elder.tag == element.tag:
        parent.remove(elder)
