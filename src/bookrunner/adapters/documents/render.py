"""Rendering: one template version and one snapshot of data become one file, which is then read back."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import rfc8785

from bookrunner.adapters.documents.readback import check_boxes, check_summary
from bookrunner.adapters.documents.snapshot import Snapshot, moment
from bookrunner.adapters.documents.template import LAYOUT, Template
from bookrunner.adapters.documents.typesetter import Sheet, Typesetter, engine_version

MEDIA_TYPE: Final = "application/pdf"
_LETTER: Final = (612, 792)


@dataclass(frozen=True, slots=True)
class SignatureBox:
    """Where a signature is shown: page from 1, upper left corner, width and height in points."""

    page: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Rendered:
    """The bytes of a file and what proves how they were made.

    Hashes are SHA-256 in hex: ``sha256`` of the PDF, ``data_sha256`` of the snapshot in canonical form
    (RFC 8785), ``template_sha256`` of all files of the template version. ``media_type`` is PDF.
    """

    content: bytes
    sha256: str
    data_sha256: str
    template: str
    template_sha256: str
    engine_version: str
    pages: int
    boxes: Mapping[str, SignatureBox]
    media_type: str = MEDIA_TYPE


def render(
    template: Template,
    data: Snapshot,
    typesetter: Typesetter,
    *,
    packet: Mapping[str, object],
    summary: Sequence[tuple[str, str]],
    fields: Sequence[str] = (),
) -> Rendered:
    """Return the file whose layout shows ``packet`` and opens with the lines of ``summary``.

    ``fields`` name the boxes that the layout leaves for signatures.

    Refuses what :meth:`Typesetter.typeset` refuses, ``signature_box_lies_on_a_page``, and
    ``printed_text_equals_the_data`` when the file, read back, says something else than the summary.
    """
    labels = [f"sig-{name}" for name in fields]
    printed = typesetter.typeset(
        Sheet(template.folder, LAYOUT, packet, moment(data["as_of"]), (*labels, "pages"))
    )
    pages = int(printed.labels["pages"][0])
    boxes = {label.removeprefix("sig-"): printed.labels[label][0] for label in labels}
    check_boxes(boxes, pages, _LETTER)
    check_summary(printed.content, summary)
    return Rendered(
        content=printed.content,
        sha256=hashlib.sha256(printed.content).hexdigest(),
        data_sha256=hashlib.sha256(rfc8785.dumps(dict(data))).hexdigest(),
        template=f"{template.id}/{template.version}",
        template_sha256=template.sha256,
        engine_version=engine_version(),
        pages=pages,
        boxes={name: SignatureBox(**box) for name, box in boxes.items()},
    )
