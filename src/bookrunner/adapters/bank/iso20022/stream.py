"""Feed an untrusted XML file to the parser in pieces, within fixed limits."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import Final, TypeAlias, cast

from lxml import etree

from bookrunner.adapters.bank.errors import XML_BYTES_MAX, StatementRefused, StatementRule, check_size

Element: TypeAlias = etree._Element  # noqa: SLF001 - lxml has no public name for it

LINE_BYTES_MAX: Final = 1024 * 1024
LINES_MAX: Final = 500_000

_PIECE_BYTES: Final = 64 * 1024
_SCHEMA_ERRORS: Final = range(1800, 1900)
"""libxml2's numbers for what a schema refuses."""
_BLANKS: Final = b" \t\r\n"
_DECLARED: Final = re.compile(rb"""<\?xml[^>]*?\bencoding\s*=\s*["']([^"'>]*)["']""")
_ENCODINGS: Final = frozenset(
    {b"UTF-8", b"US-ASCII", b"ASCII", b"ISO-8859-1", b"LATIN1", b"ISO-8859-15", b"WINDOWS-1252"}
)


def elements(
    raw: bytes, watched: tuple[str, ...], schema: etree.XMLSchema | None = None
) -> Iterator[tuple[str, Element]]:
    """Yield ``("start", root)``, then ``("end", element)`` for each watched local name.

    With a schema, the file is checked against it; an element may be seen before its fault is, so
    nothing of a file counts before the last one.

    Whoever consumes an element should :func:`forget` it, which keeps memory bounded: a stretch
    of more than 1 MiB without a watched element is refused.
    """
    _check_bytes(raw)
    tags = tuple(f"{{*}}{name}" for name in watched)
    parser = etree.XMLPullParser(
        events=("start", "end"),
        tag=tags,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
        schema=schema,
    )
    quiet = seen = 0
    opened = ended = False
    for start in range(0, len(raw), _PIECE_BYTES):
        quiet += _PIECE_BYTES
        for event, element in _fed(parser, raw[start : start + _PIECE_BYTES]):
            is_root = element.getparent() is None
            if event == "end":
                quiet, seen = 0, seen + 1
                ended = ended or is_root
                yield "end", element
            elif is_root:
                opened = True
                yield "start", element
        if quiet > LINE_BYTES_MAX or seen > LINES_MAX:
            raise StatementRefused(
                StatementRule.FILE_FITS_LIMIT, 0, "a line over 1 MiB, or over 500,000 lines"
            )
    for event, element in _fed(parser, None):
        if event == "end":
            ended = ended or element.getparent() is None
            yield "end", element
    if opened and not ended:
        # With a schema the parser takes a file that was cut for a whole one.
        raise StatementRefused(StatementRule.STATEMENT_IS_XML, 0, "the file is cut")


def forget(element: Element) -> None:
    """Free an element that has been read, and its elder siblings."""
    element.clear()
    parent = element.getparent()
    if parent is None:
        return
    while (elder := element.getprevious()) is not None:
        parent.remove(elder)


def _fed(parser: etree.XMLPullParser, piece: bytes | None) -> Iterator[tuple[str, Element]]:
    try:
        if piece is None:
            parser.close()
        else:
            parser.feed(piece)
    except etree.XMLSyntaxError as error:
        # The parser's own message may quote the file.
        if cast("int", getattr(error, "code", 0)) in _SCHEMA_ERRORS:
            rule = StatementRule.MESSAGE_FITS_SCHEMA
            raise StatementRefused(rule, error.lineno or 0, "not what the schema allows") from None
        raise StatementRefused(StatementRule.STATEMENT_IS_XML, error.lineno or 0, "not well-formed") from None
    yield from cast("Iterator[tuple[str, Element]]", parser.read_events())


def _check_bytes(raw: bytes) -> None:
    check_size(raw, XML_BYTES_MAX)
    # Each of these encodings leaves ASCII as it is, so none hides a declaration from the search.
    declared = _DECLARED.match(raw.removeprefix(codecs.BOM_UTF8))
    if b"\0" in raw[:64] or (declared and declared[1].upper() not in _ENCODINGS):
        raise StatementRefused(StatementRule.ENCODING_IS_SUPPORTED, 1, "encoding not supported")
    if not raw.removeprefix(codecs.BOM_UTF8).lstrip(_BLANKS).startswith(b"<"):
        raise StatementRefused(StatementRule.STATEMENT_IS_XML, 1, "no markup at its start")
    place = raw.find(b"<!DOCTYPE")
    if place >= 0:
        line = raw.count(b"\n", 0, place) + 1
        raise StatementRefused(StatementRule.STATEMENT_HAS_NO_DOCTYPE, line, "it declares a type")
