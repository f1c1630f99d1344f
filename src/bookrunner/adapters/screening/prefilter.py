"""Set aside candidates that no alignment could lift over a threshold, many at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from rapidfuzz.distance import Indel
from rapidfuzz.process import cpdist

from bookrunner.adapters.screening.candidates import Found

_COSINE: Final = 0.45
_RATIO: Final = 0.62


def worth_aligning(found: Found, asked: Sequence[str], listed: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Yield the pairs whose grams or whose sorted letters are alike enough, as (query, name)."""
    queries, names = found.queries.tolist(), found.names.tolist()
    if not queries:
        return
    alike = cpdist(
        [asked[q] for q in queries], [listed[n] for n in names], scorer=Indel.normalized_similarity
    )
    kept = (found.cosines >= _COSINE) | (alike >= _RATIO)
    for place in kept.nonzero()[0].tolist():
        yield queries[place], names[place]
