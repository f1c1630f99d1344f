"""What one version of a list changed, and who of many holders that concerns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from bookrunner.adapters.screening.model import (
    OPERATING_POINT,
    SanctionsList,
    Screening,
    Subject,
    Thresholds,
)
from bookrunner.core.errors import Refused

if TYPE_CHECKING:
    from bookrunner.adapters.screening.screener import Screener


@dataclass(frozen=True, slots=True)
class Difference:
    """Ids of the entries that are new, that say something else than before, and that are gone."""

    added: frozenset[str]
    changed: frozenset[str]
    removed: frozenset[str]

    @property
    def to_score(self) -> frozenset[str]:
        """Return the entries that a holder who was clear before may match now."""
        return self.added | self.changed


def difference(before: SanctionsList, after: SanctionsList) -> Difference:
    """Compare two versions of one list; refuses ``list_keeps_its_code``."""
    if before.code != after.code:
        raise Refused("list_keeps_its_code", f"{before.code} and {after.code}")
    common = before.entries.keys() & after.entries.keys()
    return Difference(
        added=frozenset(after.entries.keys() - common),
        changed=frozenset(key for key in common if before.entries[key].digest != after.entries[key].digest),
        removed=frozenset(before.entries.keys() - common),
    )


def rescreen(
    screener: Screener,
    found: Difference,
    holders: Iterable[Subject],
    thresholds: Thresholds = OPERATING_POINT,
) -> Iterator[tuple[int, Screening]]:
    """Yield the place and the screening of each holder who matches an entry that is new or changed.

    ``screener`` holds the new version. Scores are those of a full screening. A hit on an entry that is
    gone needs no scoring: whoever keeps the hits looks it up by its entry.
    """
    part = screener.only(found.to_score)
    for place, screening in enumerate(part.screen_all(holders, thresholds)):
        if screening.matches:
            yield place, screening
