"""The sandbox's bank: writes balanced camt.053.001.08 statements, equal bytes for equal input."""

from __future__ import annotations

import hashlib
import re
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Final

from lxml import etree

from bookrunner.core.errors import Refused
from bookrunner.core.money import Money, currency

NAMESPACE: Final = "urn:iso:std:iso:20022:tech:xsd:camt.053.001.08"

_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}")
_BANK: Final = "SANDUS33"
# Family and sub-family of the ISO 20022 bank transaction codes, by the rail that money arrives on.
_ARRIVED: Final = {
    "wire": ("RCDT", "DMCT"),
    "ach_credit": ("RCDT", "ATXN"),
    "ach_debit": ("IDDT", "ADBT"),
    "cheque": ("RCHQ", "CCHQ"),
}


@dataclass(frozen=True, slots=True)
class Payment:
    """One movement: a credit from the debtor unless ``credit`` is False.

    ``amount_minor`` is positive. The reference goes into the free text when ``structured`` is
    False, as with most domestic wires. ``end_to_end_id`` of a debit of ours is its refund's id.
    ``rail`` gives a credit its transaction code.
    """

    amount_minor: int
    reference: str | None
    debtor_name: str
    debtor_account: str
    value_on: date
    credit: bool = True
    structured: bool = True
    end_to_end_id: str | None = None
    return_reason: str | None = None
    rail: str = "wire"


@dataclass(frozen=True, slots=True)
class StatementHead:
    """What a statement says besides its payments; ``opening_minor`` may be negative."""

    account: str
    currency: str
    sequence: int
    booked_on: date
    opening_minor: int = 0


def closing_minor(head: StatementHead, payments: Sequence[Payment]) -> int:
    """Return the closing balance that makes the statement balanced."""
    moved = sum(p.amount_minor if p.credit else -p.amount_minor for p in payments)
    return head.opening_minor + moved


def write_statement(head: StatementHead, payments: Sequence[Payment]) -> bytes:
    """Return a camt.053.001.08 file whose opening balance and entries make its closing balance.

    Refuses ``payment_is_positive``.
    """
    if any(payment.amount_minor <= 0 for payment in payments):
        raise Refused("payment_is_positive", "the direction is a field of its own")
    document = etree.XML(f'<Document xmlns="{NAMESPACE}"/>')
    message = _add(document, "BkToCstmrStmt")
    written_at = datetime.combine(head.booked_on, time(23, 0), UTC).isoformat()
    identity = f"STMT-{_digest(head.account)[:8].upper()}-{head.sequence}"
    header = _add(message, "GrpHdr")
    _add(header, "MsgId", identity)
    _add(header, "CreDtTm", written_at)
    statement = _add(message, "Stmt")
    _add(statement, "Id", identity)
    _add(statement, "ElctrncSeqNb", str(head.sequence))
    _add(statement, "CreDtTm", written_at)
    account = _add(statement, "Acct")
    _account(_add(account, "Id"), head.account)
    _add(account, "Ccy", head.currency)
    _balance(statement, "OPBD", head, head.opening_minor)
    _balance(statement, "CLBD", head, closing_minor(head, payments))
    for place, payment in enumerate(payments, start=1):
        _entry(statement, head, payment, place)
    raw = etree.tostring(document, xml_declaration=True, encoding="UTF-8")
    return bytes(raw)


def _entry(statement: etree._Element, head: StatementHead, payment: Payment, place: int) -> None:
    bank_reference = f"SB{head.booked_on:%y%m%d}{head.sequence:06d}{place:07d}"
    entry = _add(statement, "Ntry")
    entry.tail = "\n"
    _amount(entry, payment.amount_minor, head.currency)
    _add(entry, "CdtDbtInd", _direction(credit=payment.credit))
    _add(_add(entry, "Sts"), "Cd", "BOOK")
    _add(_add(entry, "BookgDt"), "Dt", head.booked_on.isoformat())
    _add(_add(entry, "ValDt"), "Dt", payment.value_on.isoformat())
    _add(entry, "AcctSvcrRef", bank_reference)
    domain = _add(_add(entry, "BkTxCd"), "Domn")
    _add(domain, "Cd", "PMNT")
    family = _add(domain, "Fmly")
    kind, detail = _ARRIVED[payment.rail] if payment.credit else ("ICDT", "DMCT")
    _add(family, "Cd", kind)
    _add(family, "SubFmlyCd", "RRTN" if payment.return_reason else detail)
    details = _add(_add(entry, "NtryDtls"), "TxDtls")
    references = _add(details, "Refs")
    _add(references, "EndToEndId", payment.end_to_end_id or "NOTPROVIDED")
    _add(references, "UETR", _uetr(head.account, bank_reference))
    _amount(details, payment.amount_minor, head.currency)
    _add(details, "CdtDbtInd", _direction(credit=payment.credit))
    _parties(details, head, payment)
    _remittance(details, payment)
    if payment.return_reason:
        _add(_add(_add(details, "RtrInf"), "Rsn"), "Cd", payment.return_reason)


def _parties(details: etree._Element, head: StatementHead, payment: Payment) -> None:
    parties = _add(details, "RltdPties")
    _add(_add(_add(parties, "Dbtr"), "Pty"), "Nm", payment.debtor_name)
    _account(_add(_add(parties, "DbtrAcct"), "Id"), payment.debtor_account)
    if payment.credit:
        _account(_add(_add(parties, "CdtrAcct"), "Id"), head.account)
    agents = _add(details, "RltdAgts")
    _add(_add(_add(agents, "DbtrAgt"), "FinInstnId"), "BICFI", _BANK)


def _remittance(details: etree._Element, payment: Payment) -> None:
    if payment.reference is None:
        return
    remittance = _add(details, "RmtInf")
    if not payment.structured:
        _add(remittance, "Ustrd", payment.reference)
        return
    creditor = _add(_add(remittance, "Strd"), "CdtrRefInf")
    kind = _add(creditor, "Tp")
    _add(_add(kind, "CdOrPrtry"), "Cd", "SCOR")
    _add(kind, "Issr", "ISO")
    _add(creditor, "Ref", payment.reference)


def _balance(statement: etree._Element, kind: str, head: StatementHead, minor: int) -> None:
    balance = _add(statement, "Bal")
    _add(_add(_add(balance, "Tp"), "CdOrPrtry"), "Cd", kind)
    _amount(balance, abs(minor), head.currency)
    _add(balance, "CdtDbtInd", _direction(credit=minor >= 0))
    _add(_add(balance, "Dt"), "Dt", head.booked_on.isoformat())


def _account(parent: etree._Element, account: str) -> None:
    if _IBAN.fullmatch(account):
        _add(parent, "IBAN", account)
    else:
        _add(_add(parent, "Othr"), "Id", account)


def _amount(parent: etree._Element, minor: int, code: str) -> None:
    _add(parent, "Amt", Money(minor, currency(code)).format()).set("Ccy", code)


def _direction(*, credit: bool) -> str:
    return "CRDT" if credit else "DBIT"


def _uetr(account: str, bank_reference: str) -> str:
    seed = hashlib.sha256(f"{account}:{bank_reference}".encode()).digest()
    return str(uuid.UUID(bytes=seed[:16], version=4))


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    child.text = text
    return child
