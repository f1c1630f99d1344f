"""Recognise a bank file by its first bytes, read it, and find what of it may be posted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import BinaryIO, Final

from bookrunner.adapters.bank.camt import CamtReader
from bookrunner.adapters.bank.entries import BankFile, BankFileReader, FileFormat, Statement
from bookrunner.adapters.bank.errors import XML_BYTES_MAX, StatementRefused, StatementRule, check_size
from bookrunner.adapters.bank.iso20022.payments import PaymentReader
from bookrunner.adapters.bank.nacha.reader import NachaReader
from bookrunner.adapters.bank.plain.bai2 import Bai2Reader
from bookrunner.adapters.bank.plain.comma import MARK, CsvReader
from bookrunner.adapters.bank.plain.mt940 import Mt940Reader

_HEAD_BYTES: Final = 4096
_BLANKS: Final = b"\xef\xbb\xbf \t\r\n\x01"
_CAMT: Final = re.compile(
    rb"camt\.05[234]\.001\.|<(?:[\w.-]{1,64}:)?BkToCstmr(?:Stmt|AcctRpt|DbtCdtNtfctn)\b"
)
_SHAPES: Final = (
    (re.compile(rb"101[ 0-9]"), FileFormat.NACHA),
    (re.compile(rb"01,[^,\r\n]{0,80},"), FileFormat.BAI2),
    (re.compile(rb"(?s).{0,1600}?:20:"), FileFormat.MT940),
)

READERS: Final[Mapping[FileFormat, BankFileReader]] = MappingProxyType(
    {
        FileFormat.CAMT: CamtReader(strict=True),
        FileFormat.PAYMENT: PaymentReader(),
        FileFormat.BAI2: Bai2Reader(),
        FileFormat.MT940: Mt940Reader(),
        FileFormat.NACHA: NachaReader(),
        FileFormat.CSV: CsvReader(),
    }
)


def recognise(raw: bytes) -> FileFormat:
    """Return the format that the first 4 KiB show; refuses ``format_is_known``."""
    head = raw[:_HEAD_BYTES].lstrip(_BLANKS)
    if head.startswith(b"<"):
        return FileFormat.CAMT if _CAMT.search(head) else FileFormat.PAYMENT
    if head.startswith(MARK.encode()):
        return FileFormat.CSV
    for shape, found in _SHAPES:
        if shape.match(head):
            return found
    raise StatementRefused(StatementRule.FORMAT_IS_KNOWN, 1, "no known format begins like this")


class AnyFormatReader:
    """Reads a bank file of any format; it keeps nothing between files."""

    def read_file(self, raw: bytes) -> BankFile:
        """Return what a file says; refuses ``format_is_known`` and as the format's reader does."""
        return READERS[recognise(raw)].read_file(raw)

    def read_stream(self, stream: BinaryIO) -> BankFile:
        """Return what an open file says, of which no more than the limit and one byte is taken in.

        Refuses ``file_fits_limit``, and as :meth:`read_file` does.
        """
        raw = stream.read(XML_BYTES_MAX + 1)
        check_size(raw, XML_BYTES_MAX)
        return self.read_file(raw)

    def read(self, raw: bytes) -> Statement:
        """Return the only statement of a file; refuses ``file_has_one_statement``."""
        return self.read_file(raw).only_statement()
