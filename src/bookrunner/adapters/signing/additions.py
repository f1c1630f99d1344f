"""What revisions may add to a rendered file: signature fields in their boxes, and what signatures bring.

A signature covers whatever stood there before it. An update that slipped in between rendering and the first
signature is therefore valid to every validator, and only a comparison with the rendered file finds it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any, Final

from pyhanko.pdf_utils import generic
from pyhanko.pdf_utils.reader import HistoricalResolver, PdfFileReader

from bookrunner.adapters.documents.render import SignatureBox

PAGE_HEIGHT: Final = 792
_SLACK: Final = 1
_CATALOG: Final = {"/AcroForm", "/DSS", "/Perms", "/Extensions", "/Version"}
_INFO: Final = {"/Producer", "/ModDate"}
_FORM: Final = {"/Fields", "/SigFlags"}
_ACTIONS: Final = {"/A", "/AA"}


def additions(reader: PdfFileReader, rendered: bytes, boxes: Mapping[str, SignatureBox]) -> Iterator[str]:
    """Yield what any later revision did to the rendered file beyond fields, signatures and their evidence.

    ``reader`` is of the signed file, which starts with the bytes of ``rendered``.
    """
    base = PdfFileReader(BytesIO(rendered)).xrefs.total_revisions
    before = reader.get_historical_resolver(base - 1)
    kept = {ref for revision in range(base) for ref in reader.xrefs.explicit_refs_in_revision(revision)}
    for revision in range(base, reader.xrefs.total_revisions):
        after = reader.get_historical_resolver(revision)
        if reader.xrefs.refs_freed_in_revision(revision) & kept:
            yield "an object was removed"
        if after.trailer_view.raw_get("/Root") != before.trailer_view.raw_get("/Root"):
            yield "another catalog was put in"
        for ref in reader.xrefs.explicit_refs_in_revision(revision) & kept:
            yield from _changed(before, after, ref, boxes)
        yield from _form(after, boxes)


def _changed(
    before: HistoricalResolver,
    after: HistoricalResolver,
    ref: generic.Reference,
    boxes: Mapping[str, SignatureBox],
) -> Iterator[str]:
    """Compare one object of the rendered file with what a revision made of it."""
    old, new = before(ref), after(ref)
    trailer = before.trailer_view
    if _refers(trailer, "/Info", ref):
        yield from (f"the property {key}" for key in _differing(old, new) - _INFO)
    elif _refers(trailer, "/Root", ref):
        yield from (f"the catalog's {key}" for key in _differing(old, new) - _CATALOG)
    elif _refers(before.root, "/Metadata", ref):
        return
    elif isinstance(old, generic.DictionaryObject) and old.get("/Type") == "/Page":
        yield from (f"a page's {key}" for key in _differing(old, new) - {"/Annots"})
        kept = _items(old, "/Annots")
        yield from _annotations([item for item in _items(new, "/Annots") if item not in kept], boxes)
    else:
        yield f"object {ref.idnum}"


def _annotations(added: list[Any], boxes: Mapping[str, SignatureBox]) -> Iterator[str]:
    for item in added:
        widget = item.get_object()
        box = boxes.get(str(widget.get("/T", "")))
        if widget.get("/Subtype") != "/Widget" or widget.get("/FT") != "/Sig" or box is None:
            yield "an annotation"
        elif _ACTIONS & set(widget) or not _inside(widget["/Rect"], box):
            yield "a signature field outside its box"


def _form(after: HistoricalResolver, boxes: Mapping[str, SignatureBox]) -> Iterator[str]:
    if "/AcroForm" not in after.root:
        return
    form = after.root["/AcroForm"]
    yield from (f"the form's {key}" for key in set(form) - _FORM)
    for item in _items(form, "/Fields"):
        if str(item.get_object().get("/T", "")) not in boxes:
            yield "a field that nobody asked for"


def _inside(rectangle: Any, box: SignatureBox) -> bool:  # noqa: ANN401 - a parsed object
    left, low, right, high = (int(edge) for edge in rectangle)
    top = PAGE_HEIGHT - box.y
    return (
        left >= box.x - _SLACK
        and right <= box.x + box.width + _SLACK
        and high <= top + _SLACK
        and low >= top - box.height - _SLACK
    )


def _differing(old: Any, new: Any) -> set[str]:  # noqa: ANN401 - parsed objects
    if not isinstance(new, generic.DictionaryObject):
        return {"type"}
    keys = set(old) | set(new)
    return {str(k) for k in keys if k not in old or k not in new or old.raw_get(k) != new.raw_get(k)}


def _items(container: Any, key: str) -> list[Any]:  # noqa: ANN401 - a parsed object
    try:
        return list(container[key])
    except KeyError:
        return []


def _refers(container: Any, key: str, ref: generic.Reference) -> bool:  # noqa: ANN401 - a parsed object
    try:
        found = container.raw_get(key)
    except KeyError:
        return False
    return isinstance(found, generic.IndirectObject) and found.reference == ref
