"""What a kit says of people, offers and registers, read from its files and compared with its own history."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from bookrunner.app.examination.tables import Line, Past
from bookrunner.books import registry
from bookrunner.core.errors import Refused

EVER: Final = datetime(1970, 1, 1, tzinfo=UTC)

Lots = Counter[tuple[str, int, str, str, str]]


@dataclass(frozen=True, slots=True)
class Kit:
    """A kit that was found whole: its files below ``root`` and its history as it ends."""

    root: Path
    manifest_sha256: str
    past: Past
    people: Mapping[str, Line]
    offers: Sequence[str]

    def lots(self, offering: str) -> Lots:
        """Return how often each lot (investor, units, legend, days) stands in the register of an offer."""
        return lots_in((self.root / f"registers/{offering}/lots.csv").read_text(encoding="utf-8"))

    def package(self, offering: str) -> bytes:
        """Return the register of an offer in the Open Cap Table Format."""
        return (self.root / f"registers/{offering}/register.ocf.zip").read_bytes()

    def totals(self, offering: str) -> Line:
        """Return the totals of the register of an offer, in units."""
        (found,) = json.loads((self.root / f"registers/{offering}/totals.json").read_bytes())
        return dict(found)


def read_kit(root: Path, manifest_sha256: str) -> Kit:
    """Return the kit whose files lie below a folder.

    Refuses ``kit_agrees_with_its_history`` where a register has other units than the history, its package or
    its totals: then units moved while it was written.
    """
    past = Past(root / "history.jsonl", EVER, datetime.max.replace(tzinfo=UTC))
    people = {row["investor"]: row for row in json.loads((root / "people/profiles.json").read_bytes())}
    offers = [
        str(row["record"])
        for row in past.records.get("offer", [])
        if (root / f"registers/{row['record']}").is_dir()
    ]
    kit = Kit(root, manifest_sha256, past, people, sorted(offers))
    for offering in kit.offers:
        _agrees(kit, offering)
    return kit


def _agrees(kit: Kit, offering: str) -> None:
    lots = Counter((investor, units) for investor, units, *_ in kit.lots(offering).elements())
    said: Counter[str] = Counter()
    for investor, units in lots.elements():
        said[investor] += units
    kept = Counter(
        {
            str(row["investor_id"]): int(row["units"])
            for row in kit.past.records.get("holding", [])
            if row["scope"] == offering and int(row["units"])
        }
    )
    if said != kept:
        raise Refused("kit_agrees_with_its_history", f"the register of {offering} has other units")
    packed = registry.judge_package(kit.package(offering)).lines
    if Counter((str(line["investor"]), int(line["units"])) for line in packed) != lots:
        raise Refused("kit_agrees_with_its_history", f"the package of {offering} has other lots")
    if int(kit.totals(offering)["lot_units"]) != said.total():
        raise Refused("kit_agrees_with_its_history", f"the totals of {offering} are other ones")


def lots_in(text: str) -> Lots:
    """Return how often each lot stands in a register as CSV; refuses ``kit_is_whole``."""
    judged = registry.judge_csv(text)
    if judged.faults:
        first = judged.faults[0]
        raise Refused("kit_is_whole", f"lots.csv {first.place} {first.rule}: {first.detail}")
    return Counter(
        (
            str(line["investor"]),
            int(line["units"]),
            str(line["legend"] or ""),
            str(line["acquired_on"]),
            str(line["period_from"]),
        )
        for line in judged.lines
    )
