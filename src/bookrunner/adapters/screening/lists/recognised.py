"""Files as their publishers name them, told apart by what they say, never by their name alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from bookrunner.adapters.screening.lists import european_union, ofac_csv, ofac_xml, united_nations, us_csl
from bookrunner.adapters.screening.lists.assemble import digest_of
from bookrunner.adapters.screening.lists.tables import unpacked
from bookrunner.adapters.screening.model import EntryKind, ListEntry, ListVersion, SanctionsList
from bookrunner.adapters.screening.wallets import ListedWallets, read_addresses
from bookrunner.core.errors import Refused

PARSER_VERSION: Final = "1"
_HEAD_BYTES: Final = 4_096
_PACKED: Final = (".gz", ".zip")
_OFAC_PARTS: Final = re.compile(
    r"(?:(?P<cons>cons)_)?(?P<part>sdn|prim|alt|add|comments)(?:_comments)?(?:[._-]\d{4}-\d{2}-\d{2})?(?:\.csv|\.txt)?",
    re.IGNORECASE,
)
_ROOT: Final = re.compile(rb"<(?:[\w.-]+:)?([A-Za-z_]+)[\s>]")
_CSL_COLUMNS: Final = (b"_id,", b"source")
_DAY: Final = re.compile(r"(?<!\d)(\d{4})-(\d{2})-(\d{2})(?!\d)")
Reader = Callable[[], SanctionsList]


@dataclass(frozen=True, slots=True)
class Published:
    """The files of one list; ``read`` parses them whole or refuses them."""

    source: str
    files: Mapping[str, bytes]
    read: Reader


def recognise(files: Mapping[str, bytes], *, published_on: date | None) -> list[Published]:
    """Tell which lists files hold: OFAC's four tables together, addresses together, any other by itself.

    ``published_on`` dates the lists whose files name no day. Refuses ``list_file_is_recognised`` with
    the name, ``list_names_its_day``, and ``list_file_is_well_formed`` for what cannot be unpacked.
    """
    tables: dict[str, dict[str, bytes]] = {}
    addresses: dict[str, bytes] = {}
    found: list[Published] = []
    for name, raw in sorted(files.items()):
        kind = _kind(name, unpacked(name, raw))
        if kind == "addresses":
            addresses[name] = raw
        elif kind in {"us.ofac.sdn/csv", "us.ofac.consolidated/csv"}:
            tables.setdefault(kind.partition("/")[0], {})[name] = raw
        else:
            found.append(_alone(kind, name, raw, published_on))
    for source, parts in tables.items():
        found.append(Published(source, parts, _ofac_reader(parts, published_on)))
    if addresses:
        found.append(
            Published("us.ofac.wallets", addresses, lambda: _address_list(addresses, _dated(published_on)))
        )
    return found


def day_in_name(name: str) -> date | None:
    """Return the day that a file's name carries, if it carries one."""
    written = _DAY.search(name)
    try:
        return date(*map(int, written.groups())) if written else None
    except ValueError:
        return None


def _dated(day: date | None) -> date:
    if day is None:
        raise Refused("list_names_its_day", "the files name no day of publication; say it")
    return day


def _kind(name: str, content: bytes) -> str:
    head = content[:_HEAD_BYTES]
    if head.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<":
        return _xml_kind(name, head)
    if head.startswith(_CSL_COLUMNS[0]) and _CSL_COLUMNS[1] in head:
        return "us.csl"
    if (table := _OFAC_PARTS.fullmatch(_bare(name))) is not None:
        return "us.ofac.consolidated/csv" if table["cons"] else "us.ofac.sdn/csv"
    try:
        if read_addresses(_bare(name), content):
            return "addresses"
    except Refused:
        pass
    raise Refused("list_file_is_recognised", f"{name} is no list that is known")


def _bare(name: str) -> str:
    for end in _PACKED:
        name = name.removesuffix(end)
    return name


def _xml_kind(name: str, head: bytes) -> str:
    root = _ROOT.search(head)
    kinds = {
        b"sanctionsData": "ofac/enhanced",
        b"sdnList": "ofac/standard",
        b"export": "eu.consolidated",
        b"CONSOLIDATED_LIST": "un.consolidated",
    }
    found = kinds.get(root[1]) if root else None
    if found is None:
        raise Refused("list_file_is_recognised", f"{name} has no root that is known")
    if found.startswith("ofac/"):
        is_other = _bare(name).upper().startswith("CONS")
        return ("us.ofac.consolidated" if is_other else "us.ofac.sdn") + found[len("ofac") :]
    return found


def _alone(kind: str, name: str, raw: bytes, published_on: date | None) -> Published:
    source, _, form = kind.partition("/")
    readers: dict[str, Reader] = {
        "enhanced": lambda: ofac_xml.read_enhanced(raw),
        "standard": lambda: ofac_xml.read_standard(raw),
        "eu.consolidated": lambda: european_union.read(raw),
        "un.consolidated": lambda: united_nations.read(raw),
        "us.csl": lambda: us_csl.read(raw, published_on=_dated(published_on)),
    }
    return Published(source, {name: raw}, readers[form or source])


def _ofac_reader(parts: Mapping[str, bytes], published_on: date | None) -> Reader:
    named = {}
    for name, raw in parts.items():
        table = _OFAC_PARTS.fullmatch(_bare(name))
        part = (table["part"] if table else name).lower()
        is_comments = _bare(name).lower().partition(".")[0].endswith("comments")
        named["comments" if is_comments else "sdn" if part == "prim" else part] = raw
    return lambda: ofac_csv.read(named, published_on=_dated(published_on))


def _address_list(files: Mapping[str, bytes], published_on: date) -> SanctionsList:
    """Return a list with one entry for each address, named by nothing else."""
    plain: dict[str, bytes] = {}
    for name, raw in files.items():
        ticker = _bare(name).rpartition("_")[2].partition(".")[0]
        plain[ticker] = plain.get(ticker, b"") + unpacked(name, raw) + b"\n"
    listed = ListedWallets.load(plain, published_on=published_on)
    entries = {
        f"wallet:{one.address}": ListEntry(
            f"wallet:{one.address}",
            EntryKind.UNSPECIFIED,
            (),
            wallets=tuple((ticker, one.address) for ticker in one.tickers),
        )
        for one in listed
    }
    return SanctionsList("wallets", ListVersion(digest_of(files), published_on), entries)
