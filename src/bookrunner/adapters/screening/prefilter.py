"""Set aside listed names that no alignment could lift over a threshold, many at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Indel
from rapidfuzz.process import cpdist

from bookrunner.adapters.screening.grams import Found, Words


class Joined:
    """Names written as one string: with their words sorted, and in their order."""

    def __init__(self, names: Sequence[Words]) -> None:
        self.sorted = ["".join(sorted(words)) for words in names]
        self.ordered = ["".join(words) for words in names]

    def only(self, places: Sequence[int]) -> Joined:
        """Return some of the names."""
        part = Joined(())
        part.sorted = [self.sorted[place] for place in places]
        part.ordered = [self.ordered[place] for place in places]
        return part


_COSINE: Final = 0.42
_RATIO: Final = 0.6


def worth_aligning(found: Found, asked: Sequence[Words], listed: Joined) -> Iterator[tuple[int, int]]:
    """Yield the pairs that are alike enough in their grams, or as one string, as (query, name)."""
    queries, names = found.queries.tolist(), found.names.tolist()
    if not queries:
        return
    spelt = Joined(asked)
    alike = np.maximum(
        _ratios([spelt.sorted[q] for q in queries], [listed.sorted[n] for n in names]),
        _ratios([spelt.ordered[q] for q in queries], [listed.ordered[n] for n in names]),
    )
    kept = (found.cosines >= _COSINE) | (alike >= _RATIO)
    for place in kept.nonzero()[0].tolist():
        yield queries[place], names[place]


def _ratios(asked: list[str], listed: list[str]) -> npt.NDArray[np.float32]:
    return cpdist(asked, listed, scorer=Indel.normalized_similarity, dtype=np.float32)
