"""Build ISO 20022 messages element by element; none leaves that its schema refuses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from lxml import etree

from bookrunner.adapters.bank.iso20022.schemas import schema
from bookrunner.adapters.bank.iso20022.stream import Element
from bookrunner.adapters.bank.nacha.records import is_routing
from bookrunner.adapters.bank.payouts.orders import Account
from bookrunner.core.errors import Refused
from bookrunner.core.money import Money

_IBAN: Final = re.compile(r"[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}", re.ASCII)


def document(message: str) -> Element:
    """Return the empty document of a message such as ``pain.001.001.09``."""
    namespace = f"urn:iso:std:iso:20022:tech:xsd:{message}"
    return etree.XML(f'<Document xmlns="{namespace}"/>')


def add(parent: Element, path: str, text: str | None = None, **attributes: str) -> Element:
    """Add the elements of a path, the last one with this text, and return the last one."""
    namespace = str(parent.tag).partition("}")[0]
    element = parent
    for name in path.split("/"):
        element = etree.SubElement(element, f"{namespace}}}{name}")
    element.text = text
    for name, value in attributes.items():
        element.set(name, value)
    return element


def add_all(parent: Element, texts: Mapping[str, str | None]) -> None:
    """Add one path for each text that is there, in order."""
    for path, text in texts.items():
        if text is not None:
            add(parent, path, text)


def add_amount(parent: Element, path: str, amount: Money) -> None:
    """Add an amount with its currency."""
    add(parent, path, amount.format(), Ccy=amount.currency.code)


def add_account(parent: Element, path: str, number: str) -> None:
    """Add an account by its IBAN or its number."""
    add(parent, f"{path}/Id/IBAN" if _IBAN.fullmatch(number) else f"{path}/Id/Othr/Id", number)


def add_bank(parent: Element, path: str, bank: str) -> None:
    """Add a bank by its routing number or its BIC."""
    institution = add(parent, f"{path}/FinInstnId")
    if is_routing(bank):
        member = add(institution, "ClrSysMmbId")
        add(member, "ClrSysId/Cd", "USABA")
        add(member, "MmbId", bank)
    else:
        add(institution, "BICFI", bank)


def add_holder(parent: Element, role: str, account: Account) -> None:
    """Add a return chain's party, as ISO 20022 wraps it there."""
    add(parent, f"{role}/Pty/Nm", account.name)


def moment(written_at: datetime) -> str:
    """Return a time in UTC to the second."""
    return written_at.astimezone(UTC).isoformat(timespec="seconds")


def encoded(root: Element, message: str) -> bytes:
    """Return the message's bytes; refuses ``message_fits_schema``."""
    raw = bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))
    checked = schema(message)
    # What is checked is what is sent, not the tree that it was made from.
    if checked is None or not checked.validate(etree.fromstring(raw)):
        raise Refused("message_fits_schema", message)
    return raw
