"""Elements of an XML list, one at a time, so that memory does not grow with the file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from datetime import date
from typing import Final

from lxml import etree

from bookrunner.core.errors import Refused

Element = etree._Element  # noqa: SLF001
_DATE_LENGTH: Final = 10


def local(element: Element) -> str:
    """Return an element's name without its namespace."""
    return etree.QName(element).localname


def elements(name: str, content: bytes, root: str, *wanted: str) -> Iterator[Element]:
    """Yield the root at its start, then each wanted element when it is whole; each is emptied after use.

    Namespaces are ignored, because publishers change them with each version. Refuses
    ``list_file_is_whole`` for a file that breaks off or is no XML, ``list_file_is_well_formed`` for
    another root, and ``list_file_has_no_doctype``.
    """
    stream = io.BytesIO(content)
    tags = [f"{{*}}{tag}" for tag in wanted]
    is_right = False
    try:
        for event, element in etree.iterparse(
            stream,
            events=("start", "end"),
            tag=[f"{{*}}{root}", *tags],
            resolve_entities=False,
            no_network=True,
            load_dtd=False,
        ):
            is_right = is_right or _is_right_root(name, element, root)
            if event == "start":
                if element.getparent() is None:
                    yield element
            elif element.getparent() is not None:
                yield element
                element.clear()
                while element.getprevious() is not None:
                    del element.getparent()[0]
    except etree.XMLSyntaxError:
        raise Refused("list_file_is_whole", f"{name}: breaks off or is no XML") from None
    if not is_right:
        raise _other_root(name, root)


def _is_right_root(name: str, element: Element, root: str) -> bool:
    tree = element.getroottree()
    doctype: object = tree.docinfo.internalDTD
    if doctype is not None:
        raise Refused("list_file_has_no_doctype", name)
    if local(tree.getroot()) != root:
        raise _other_root(name, root)
    return True


def _other_root(name: str, root: str) -> Refused:
    return Refused("list_file_is_well_formed", f"{name}: the root is no {root}")


def under(element: Element, path: str) -> Iterator[Element]:
    """Yield each descendant along a path of names, such as ``names/name``."""
    found = [element]
    for step in path.split("/"):
        found = [child for parent in found for child in parent.iterchildren(f"{{*}}{step}")]
    yield from found


def text(element: Element, path: str) -> str:
    """Return the stripped text of the first element along a path, or nothing."""
    first = next(under(element, path), None)
    return (first.text or "").strip() if first is not None else ""


def day(name: str, written: str) -> date:
    """Return the day of an ISO date or time; refuses ``list_names_its_day``."""
    try:
        return date.fromisoformat(written[:_DATE_LENGTH])
    except ValueError:
        raise Refused("list_names_its_day", f"{name}: no publication date") from None
