"""The message schemas of ISO 20022, as published, and which one a file names."""

from __future__ import annotations

import re
import zipfile
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Final

from lxml import etree

_NAMED: Final = re.compile(
    rb"""xmlns(?::[\w.-]{1,64})?\s*=\s*["']"""
    rb"""urn:iso:std:iso:20022:tech:xsd:([a-z]{4}\.[0-9]{3}\.[0-9]{3}\.[0-9]{2})["']"""
)
_HEAD_BYTES: Final = 4096


def schema_of(raw: bytes) -> etree.XMLSchema | None:
    """Return the schema of the first ISO 20022 namespace that a file names, None when it is not here."""
    message = message_of(raw)
    return None if message is None else schema(message)


def message_of(raw: bytes) -> str | None:
    """Return the message that a file says it is, such as ``pacs.008.001.08``."""
    named = _NAMED.search(raw[:_HEAD_BYTES])
    return None if named is None else named[1].decode("ascii")


def is_checked(namespace: str, used: etree.XMLSchema | None) -> bool:
    """Tell whether a document of this namespace is read with its schema, or has none here.

    A file may name one message before its document and be another.
    """
    return used is not None or schema(namespace.rpartition(":")[2]) is None


@cache
def schema(message: str) -> etree.XMLSchema | None:
    """Return the compiled schema of one message, None when it is not here."""
    with zipfile.ZipFile(BytesIO(_packed())) as archive:
        if f"{message}.xsd" not in archive.namelist():
            return None
        text = archive.read(f"{message}.xsd")
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    return etree.XMLSchema(etree.fromstring(text, parser))


def messages() -> tuple[str, ...]:
    """Return the messages whose schemas are here, sorted."""
    with zipfile.ZipFile(BytesIO(_packed())) as archive:
        return tuple(sorted(name.removesuffix(".xsd") for name in archive.namelist()))


def _packed() -> bytes:
    return (files(__package__) / "schemas.zip").read_bytes()
