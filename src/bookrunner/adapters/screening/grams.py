"""Find the few listed names that could be a given name: sparse three-letter grams weighted by rarity."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from scipy import sparse

from bookrunner.adapters.screening.normalise import sound

Words = tuple[str, ...]
Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]

FLOOR: Final = 0.24
MOST: Final = 30
_WHOLE_WORD: Final = 0.6
_FEW_LETTERS: Final = 10
_CONFUSED: Final = (("rn", "m"), ("vv", "w"), ("0", "o"), ("1", "l"), ("5", "s"))


def grams(words: Words) -> list[str]:
    """Return the grams of a name: its words sorted and joined, so that split and joined words meet."""
    joined = "".join(sorted(words))
    for drawn, meant in _CONFUSED:
        joined = joined.replace(drawn, meant)
    found = [joined[i : i + 3] for i in range(len(joined) - 2)]
    if len(joined) <= _FEW_LETTERS:
        found += [joined[i : i + 2] for i in range(len(joined) - 1)]
    for word in words:
        found.append(f"={word}")
        found.append(f"~{sound(word)}")
    return found


@dataclass(frozen=True, slots=True)
class Found:
    """Pairs of a query and a listed name, ordered by query, each with the cosine of their grams."""

    queries: Ints
    names: Ints
    cosines: Floats


class GramIndex:
    """Listed names by their grams; made once for a version of a list."""

    def __init__(self, names: Sequence[Words]) -> None:
        told = [grams(words) for words in names]
        spread = Counter(gram for found in told for gram in set(found))
        self._column = {gram: number for number, gram in enumerate(spread)}
        rarity = np.log((1 + len(names)) / (1 + np.array(list(spread.values()), dtype=np.float32))) + 1
        trust = np.array([_WHOLE_WORD if gram[0] in "=~" else 1.0 for gram in spread])
        self._rarity: Floats = (rarity * trust).astype(np.float32)
        self._unknown = float(np.log(1 + len(names)) + 1)
        self._names = len(names)
        self._listed = self._matrix(told).T.tocsr()

    def only(self, names: Ints) -> GramIndex:
        """Return an index of some of the names, by their numbers, with the rarities of all of them."""
        part = object.__new__(GramIndex)
        part._column, part._rarity, part._unknown = self._column, self._rarity, self._unknown
        part._names = len(names)
        part._listed = self._listed[:, names].tocsr()
        return part

    def find(self, queries: Sequence[Words]) -> Found:
        """Return at most 30 listed names for each query, none below a cosine of 0.24."""
        product = self._matrix(grams(words) for words in queries) @ self._listed
        keep = product.data >= FLOOR
        counts = np.diff(np.concatenate(([0], np.cumsum(keep)))[product.indptr])
        rows = np.repeat(np.arange(product.shape[0]), counts)
        names, cosines = product.indices[keep].astype(np.int64), product.data[keep]
        order = np.lexsort((names, -cosines, rows))
        rows, names, cosines = rows[order], names[order], cosines[order]
        rank = np.arange(len(rows)) - np.searchsorted(rows, rows)
        kept = rank < MOST
        return Found(rows[kept], names[kept], cosines[kept])

    def _matrix(self, told: Iterable[list[str]]) -> sparse.csr_matrix:
        """Return unit rows; grams that the list does not know make a row longer and match nothing."""
        column = self._column.get
        columns: list[int] = []
        ends = [0]
        for found in told:
            columns += [column(gram, -1) for gram in found]
            ends.append(len(columns))
        which, count = np.array(columns, dtype=np.int32), len(ends) - 1
        rows = np.repeat(np.arange(count, dtype=np.int32), np.diff(ends))
        known = which >= 0
        once = np.ones(int(known.sum()), dtype=np.float32)
        matrix = sparse.csr_matrix((once, (rows[known], which[known])), shape=(count, len(self._rarity)))
        matrix.data *= self._rarity[matrix.indices]
        filled = np.repeat(np.arange(count), np.diff(matrix.indptr))
        squares = np.bincount(filled, weights=matrix.data**2, minlength=count)
        strangers = np.bincount(rows[~known], minlength=count)
        length = np.sqrt(squares + strangers * self._unknown**2).astype(np.float32)
        matrix.data /= np.maximum(length[filled], np.float32(1e-9))
        return matrix
