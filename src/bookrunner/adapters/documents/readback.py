"""Reading a rendered file back: what stands on the paper equals the data it was made from."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from io import BytesIO
from typing import Final

from pypdf import PdfReader

from bookrunner.core.errors import Refused

_PAGES: Final = 2


def check_summary(content: bytes, summary: Sequence[tuple[str, str]]) -> None:
    """Refuse a file whose summary, read from its first pages, is not label by label the given one.

    Blanks count as one, and none is expected where a line may break after a hyphen or a stroke. Refuses
    ``printed_text_equals_the_data`` with the label.
    """
    printed, wrong = "", summary[0][0]
    for page in PdfReader(BytesIO(content)).pages[:_PAGES]:
        printed = _squeezed(f"{printed} {page.extract_text()}")
        found = _first_difference(printed, summary)
        if found is None:
            return
        wrong = found
    raise Refused("printed_text_equals_the_data", wrong)


def check_boxes(boxes: Mapping[str, Mapping[str, float]], pages: int, paper: tuple[float, float]) -> None:
    """Refuse signature boxes that are not wholly on a page: ``signature_box_lies_on_a_page``.

    Coordinates are points from the upper left corner; ``paper`` is width and height.
    """
    for name, box in boxes.items():
        inside = (
            1 <= box["page"] <= pages
            and box["x"] >= 0
            and box["y"] >= 0
            and box["x"] + box["width"] <= paper[0]
            and box["y"] + box["height"] <= paper[1]
        )
        if not inside:
            raise Refused("signature_box_lies_on_a_page", name)


def _first_difference(printed: str, summary: Sequence[tuple[str, str]]) -> str | None:
    at = printed.find(_squeezed(summary[0][0]))
    for label, value in summary:
        wanted = _squeezed(f"{label} {value}")
        if at < 0 or not printed.startswith(wanted, at):
            return label
        at += len(wanted) + (printed[at + len(wanted) : at + len(wanted) + 1] == " ")
    return None


def _squeezed(text: str) -> str:
    return re.sub(r"(?<=[-/\u2010-\u2014]) ", "", " ".join(text.split()))
