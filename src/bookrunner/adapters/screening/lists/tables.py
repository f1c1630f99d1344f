"""Rows of a comma-separated file, whole or refused."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO

from bookrunner.adapters.screening.lists.draft import MAX_BYTES
from bookrunner.core.errors import Refused


def unpacked(name: str, raw: bytes, limit: int = MAX_BYTES) -> bytes:
    """Return the bytes of a plain, gzip or zip file; a zip file holds one file.

    Refuses ``list_file_is_well_formed`` and ``list_file_fits_limit``.
    """
    try:
        if raw[:2] == b"\x1f\x8b":
            return _bounded(name, gzip.GzipFile(fileobj=io.BytesIO(raw)), limit)
        if raw[:4] == b"PK\x03\x04":
            with zipfile.ZipFile(io.BytesIO(raw)) as archive:
                (only,) = archive.namelist()
                with archive.open(only) as stream:
                    return _bounded(name, stream, limit)
    except (OSError, EOFError, ValueError, zlib.error, zipfile.BadZipFile):
        raise Refused("list_file_is_well_formed", f"{name}: cannot be unpacked") from None
    return raw


def _bounded(name: str, stream: IO[bytes] | gzip.GzipFile, limit: int) -> bytes:
    content = stream.read(limit + 1)
    if len(content) > limit:
        raise Refused("list_file_fits_limit", f"{name}: more than {limit} bytes")
    return content


def rows(name: str, content: bytes, columns: int, *, end: bytes) -> Iterator[list[str]]:
    """Yield each row of a UTF-8 file that ends in ``end``; the end is no row.

    Refuses ``list_file_is_whole`` without that end and ``list_file_is_well_formed`` for bytes that
    are no text and for a row with another number of columns.
    """
    if not content.endswith(end):
        raise Refused("list_file_is_whole", f"{name}: its last bytes are missing")
    try:
        text = content.removesuffix(end).decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("list_file_is_well_formed", f"{name}: not UTF-8") from None
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        for row in reader:
            if len(row) != columns:
                raise Refused(
                    "list_file_is_well_formed", f"{name}, line {reader.line_num}: {len(row)} columns"
                )
            yield row
    except csv.Error:
        raise Refused("list_file_is_well_formed", f"{name}, line {reader.line_num}") from None
