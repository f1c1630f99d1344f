"""Uploaded PDF files: taken only when they are nothing but paper."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from enum import StrEnum
from io import BytesIO
from typing import BinaryIO, Final

from pypdf import PdfReader
from pypdf.errors import PyPdfError
from pypdf.generic import ArrayObject, DictionaryObject, IndirectObject, PdfObject, StreamObject

from bookrunner.core.errors import Refused

LIMIT: Final = 25 << 20
_PAGES: Final = 500
_OBJECTS: Final = 100_000
_TAIL: Final = 66_000
_ACTIVE: Final = frozenset(
    {"/JavaScript", "/JS", "/Launch", "/SubmitForm", "/ImportData", "/GoToR", "/GoToE", "/RichMedia", "/XFA"}
)
_CARRIED: Final = frozenset({"/EmbeddedFile", "/EmbeddedFiles", "/FileAttachment", "/EF"})
# Libraries trust what a file says of itself: reading an unsound one ends in these too, not only in their own.
READER_FAULTS: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
    zlib.error,
)


class UploadRule(StrEnum):
    """What an uploaded file must keep, in the order in which it is looked at."""

    SIZE = "upload_fits_the_limit"
    PDF = "upload_starts_and_ends_as_pdf"
    ONE_FORMAT = "upload_is_of_one_format"
    READABLE = "upload_is_a_readable_pdf"
    OPEN = "upload_is_not_encrypted"
    PASSIVE = "upload_has_no_active_content"
    ALONE = "upload_carries_no_other_file"
    PAGES = "upload_has_an_allowed_number_of_pages"


def take_upload(source: BinaryIO, *, limit: int = LIMIT) -> bytes:
    """Return the bytes of an uploaded PDF after reading at most ``limit`` of them and one more.

    Refuses each rule of :class:`UploadRule`; the detail names what was found, never its content.
    """
    content = source.read(limit + 1)
    if len(content) > limit:
        raise Refused(UploadRule.SIZE, f"more than {limit} bytes")
    _check_ends(content)
    try:
        reader = PdfReader(BytesIO(content))
        if reader.is_encrypted:
            raise Refused(UploadRule.OPEN)
        _check_objects(reader)
        pages = len(reader.pages)
    except (PyPdfError, *READER_FAULTS) as fault:
        raise Refused(UploadRule.READABLE, type(fault).__name__) from None
    if not 1 <= pages <= _PAGES:
        raise Refused(UploadRule.PAGES, str(pages))
    return content


def _check_ends(content: bytes) -> None:
    if not content.startswith(b"%PDF-") or not content.rstrip(b"\r\n ").endswith(b"%%EOF"):
        raise Refused(UploadRule.PDF)
    # A zip archive is read from its end, a page from its beginning.
    if b"PK\x05\x06" in content[-_TAIL:]:
        raise Refused(UploadRule.ONE_FORMAT, "also a zip archive")
    head = content[:1024].lower()
    if any(mark in head for mark in (b"<html", b"<script", b"<?php", b"<svg")):
        raise Refused(UploadRule.ONE_FORMAT, "also a page")


def _check_objects(reader: PdfReader) -> None:
    """Look at every object of the file, also at those that no page reaches."""
    numbers = {(number, 0) for number in reader.xref_objStm}
    numbers |= {(number, generation) for generation, table in reader.xref.items() for number in table}
    if len(numbers) > _OBJECTS:
        raise Refused(UploadRule.READABLE, f"more than {_OBJECTS} objects")
    for number, generation in sorted(numbers):
        for name in _names(IndirectObject(number, generation, reader).get_object()):
            if name in _ACTIVE:
                raise Refused(UploadRule.PASSIVE, name)
            if name in _CARRIED:
                raise Refused(UploadRule.ALONE, name)


def _names(value: PdfObject | None) -> Iterator[str]:
    """Yield the keys and the names inside one object, without following references."""
    waiting: list[object] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, DictionaryObject | StreamObject):
            yield from (str(key) for key in item)
            waiting.extend(item.values())
        elif isinstance(item, ArrayObject):
            waiting.extend(item)
        elif isinstance(item, str) and item.startswith("/"):
            yield item
