"""What the pages repeat of the books: each list is compared with the one that it repeats."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from importlib.resources import files
from typing import get_args, get_type_hints

import pytest

from bookrunner.api.shapes import Fault
from bookrunner.core.errors import Refused
from bookrunner.core.money import read_whole
from bookrunner.db import load
from bookrunner.db.layout import read
from bookrunner.pages.application import acts, said, steps
from bookrunner.pages.desk.acts import REASONS
from bookrunner.sandbox.entering.papers import INTENT, TEMPLATE

MOVES = re.findall(
    r"^    \('investment', '(\w*)', '(\w+)'",
    read("bookrunner.engine.machines", "transitions.sql"),
    re.MULTILINE,
)
ENDED = {to for _, to in MOVES} - {start for start, _ in MOVES} - {"closed_successfully"}


def checked_reasons() -> set[str]:
    """Return the reasons that the book takes from a reviewer; the last is of a packet that nobody saw."""
    schema = read("bookrunner.books.subscription.packets", "schema.sql")
    (listed,) = re.findall(r"constraint deficiency_reason_is_known\s+check \(reason in \(([^)]*)\)", schema)
    return set(re.findall(r"'(\w+)'", listed)) - {"not_rendered"}


def printed_relations() -> set[str]:
    """Return the relations that the template of the packet prints."""
    folder = files("bookrunner.adapters.documents") / "templates" / TEMPLATE
    found = re.findall(r'"relation": (\{[^}]*\})', (folder / "schema.json").read_text(encoding="utf-8"))
    return set(json.loads(found[0])["enum"])


def left_out_of(package: str, query: str) -> set[str]:
    """Return the statuses that a query leaves out."""
    (listed,) = re.findall(r"status not in \(([^)]*)\)", getattr(load(package), query).sql)
    return set(re.findall(r"'(\w+)'", listed))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (REASONS, checked_reasons()),
        (get_args(get_type_hints(Fault)["reason"]), checked_reasons()),
        (said.RELATIONS, printed_relations()),
        (steps.ENDED, ENDED),
        (left_out_of("bookrunner.pages.desk", "contradictions"), ENDED),
        (left_out_of("bookrunner.pages.desk", "live_count"), ENDED),
        ([acts.INTENT], {INTENT}),
    ],
    ids=["reasons", "api reasons", "relations", "ended", "contradictions", "live count", "intent"],
)
def test_what_is_repeated_is_the_same(ours: Collection[str], theirs: set[str]) -> None:
    assert theirs
    assert (set(ours), len(ours)) == (theirs, len(theirs))


@pytest.mark.parametrize("required", ["", " ", "0", "two", "-1", "9" * 5_000])
def test_the_number_of_signers_is_said_in_digits(required: str) -> None:
    form = {"signers": "Ida; Manager; Resolution", "required": required}
    with pytest.raises(Refused, match="lines_name_their_parts"):
        said.particular("authority", form, "Harbor")


@pytest.mark.parametrize("share", ["%", ".", " . %", "1.234", "12,5", "x", "-1", "9" * 5_000])
def test_a_share_has_digits(share: str) -> None:
    with pytest.raises(Refused, match="lines_name_their_parts"):
        said.particular("ownership", {"owners": f"Ida; trustee; {share}"}, "Harbor")


@pytest.mark.parametrize(("share", "points"), [("0", 0), ("12.5 %", 1_250), (".25", 25), ("100%", 10_000)])
def test_a_share_is_read_in_basis_points(share: str, points: int) -> None:
    found = said.particular("ownership", {"owners": f"Ida; trustee; {share}"}, "Harbor")
    assert found["owners"][0]["basis_points"] == points


def test_a_whole_number_is_short() -> None:
    assert (read_whole(" 12 "), read_whole("9" * 18)) == (12, 10**18 - 1)
    assert [read_whole(text) for text in ("", "1.0", "+1", "\u0661", "9" * 19)] == [None] * 5
