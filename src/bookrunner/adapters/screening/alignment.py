"""Compare two names word by word; the pairs of words are both the score and its explanation."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from math import log
from typing import Final

from rapidfuzz.distance import OSA, Indel

from bookrunner.adapters.screening.grams import Words
from bookrunner.adapters.screening.normalise import sound

_ASKED_LEFT: Final = 0.6
_LISTED_LEFT: Final = 0.2
_ONE_OF_SEVERAL: Final = 0.75
_INITIAL: Final = 0.7
_PREFIX: Final = 0.8
_SAME_SOUND: Final = 0.94
_SAME_SHORT_SOUND: Final = 0.85
_SAME_BONES: Final = 0.9
_LIKE_SOUND: Final = 0.97
_OWN_NAME: Final = 0.75
_NO_VOWELS: Final = str.maketrans("", "", "aeiou")
_JOINED: Final = 0.96
_WHOLE: Final = 0.97
_LEAST_WHOLE: Final = 0.92
_RARITY: Final = 1.4
_SHORT: Final = 3
_LEAST: Final = 0.6
_LEAST_WEIGHT: Final = 0.2
_INITIAL_WEIGHT: Final = 0.2


_Pair = tuple[str, str, float, float]


@dataclass(frozen=True, slots=True)
class Alignment:
    """A score from 0 to 1; ``pairs`` holds (asked word, listed word, likeness, weight), the best first.

    A word without partner stands beside an empty one. ``whole`` is set when the names written as one
    string are more alike than their words.
    """

    score: float
    pairs: tuple[_Pair, ...]
    whole: bool = False


@dataclass(frozen=True, slots=True)
class Weighed:
    """A name's words, how much each says, and which is a name of its own in the list."""

    words: Words
    weights: tuple[float, ...]
    own: tuple[bool, ...]


class Weights:
    """How much a word of a list says: the rarer, the more; from 0.2 to 1."""

    def __init__(self, names: Iterable[Words]) -> None:
        spread = Counter(word for words in names for word in set(words))
        most = log(1 + sum(spread.values()))
        self._of: Mapping[str, float] = {
            word: max(_LEAST_WEIGHT, 1 - log(count) / most * _RARITY) for word, count in spread.items()
        }

    def weigh(self, words: Words) -> Weighed:
        """Return a name ready to be aligned; a word that is itself a listed name is hardly a slip."""
        weights = tuple(self.of(word) for word in words)
        return Weighed(words, weights, tuple(word in self._of and len(word) > 1 for word in words))

    def of(self, word: str) -> float:
        """Return the weight of a word; one that the list does not know says most, an initial little."""
        return _INITIAL_WEIGHT if len(word) == 1 else self._of.get(word, 1.0)


_NOTHING: Final = Alignment(0.0, ())


@lru_cache(maxsize=524_288)
def likeness(asked: str, listed: str) -> float:
    """Return how alike two words are, from 0 to 1; below 0.6 is 0.

    The best of: edits in proportion to the length, the same for how the words sound, an initial
    (0.7) and a shortened form (0.8).
    """
    if asked == listed:
        return 1.0
    shorter, longer = sorted((len(asked), len(listed)))
    if shorter == 1:
        return _INITIAL if asked[0] == listed[0] else 0.0
    if asked.isdigit() or listed.isdigit():
        return 0.0
    best = _edits(asked, listed, longer)
    heard, meant = sound(asked), sound(listed)
    if heard == meant and shorter >= _SHORT:
        best = max(best, _SAME_SOUND if shorter > _SHORT else _SAME_SHORT_SOUND)
    elif shorter > _SHORT + 1 and _bones(heard) == _bones(meant) and len(_bones(asked)) >= _SHORT:
        best = max(best, _SAME_BONES)
    elif min(len(heard), len(meant)) > _SHORT:
        best = max(best, _LIKE_SOUND * _edits(heard, meant, max(len(heard), len(meant))))
    return max(best, _PREFIX) if _is_part(asked, listed, shorter) else best


def _is_part(asked: str, listed: str, shorter: int) -> bool:
    """Whether the shorter word, of four letters or more, begins the longer or, of five, ends it."""
    begins = asked.startswith(listed) or listed.startswith(asked)
    ends = asked.endswith(listed) or listed.endswith(asked)
    return (begins and shorter > _SHORT) or (ends and shorter > _SHORT + 1)


def _bones(heard: str) -> str:
    return heard[0] + heard[1:].translate(_NO_VOWELS)


def _edits(asked: str, listed: str, longer: int) -> float:
    allowed = 1 if longer <= 5 else 2 if longer <= 8 else 3  # noqa: PLR2004
    edits = OSA.distance(asked, listed, score_cutoff=allowed)
    alike = 1 - edits / longer
    return alike if edits <= allowed and alike >= _LEAST else 0.0


def align(asked: Weighed, listed: Weighed) -> Alignment:
    """Pair words one to one, the most telling first, then join neighbours, and score what is left over."""
    pairs, left_asked, left_listed = _paired(asked, listed)
    if left_asked and left_listed:
        _join(pairs, (asked, left_asked), (listed, left_listed))
    if not pairs:
        return _rescued(asked.words, listed.words, _NOTHING)
    matched = lost = 0.0
    for _, _, like, weight in pairs:
        matched += like * weight
        lost += (1 - like) * weight
    initials = [i for i in left_asked if len(asked.words[i]) == 1]
    asked_over = sum(asked.weights[i] for i in left_asked if i not in initials[1:])
    listed_over = sum(listed.weights[j] for j in left_listed)
    score = matched / (matched + lost + _ASKED_LEFT * asked_over + _LISTED_LEFT * listed_over)
    if _is_lone(pairs, asked.words, listed.words):
        score *= _ONE_OF_SEVERAL
    rest = [(asked.words[i], "", 0.0, asked.weights[i]) for i in left_asked]
    rest += [("", listed.words[j], 0.0, listed.weights[j]) for j in left_listed]
    return _rescued(asked.words, listed.words, Alignment(score, (*pairs, *rest)))


def _is_lone(pairs: list[_Pair], asked: Words, listed: Words) -> bool:
    """Whether one pair is all that names of several words have in common."""
    if len(pairs) != 1:
        return False
    is_joined = "+" in pairs[0][0] + pairs[0][1]
    left = len(asked) + len(listed) - (3 if is_joined else 2)
    return left > 0 and (not is_joined or min(len(asked), len(listed)) > 1)


def _paired(asked: Weighed, listed: Weighed) -> tuple[list[_Pair], list[int], list[int]]:
    options = []
    for i, one in enumerate(asked.words):
        for j, other in enumerate(listed.words):
            like = likeness(one, other)
            if not like:
                continue
            weight = listed.weights[j]
            if len(one) == 1:
                weight = min(weight, asked.weights[i])
            elif like < _SAME_BONES and asked.own[i]:
                like *= _OWN_NAME
            options.append((-like * weight, i, j, like, weight))
    options.sort()
    pairs: list[_Pair] = []
    left_asked, left_listed = list(range(len(asked.words))), list(range(len(listed.words)))
    for _, i, j, like, weight in options:
        if i in left_asked and j in left_listed:
            left_asked.remove(i)
            left_listed.remove(j)
            pairs.append((asked.words[i], listed.words[j], like, weight))
    return pairs, left_asked, left_listed


def _join(pairs: list[_Pair], asked: tuple[Weighed, list[int]], listed: tuple[Weighed, list[int]]) -> None:
    """Pair a word with two neighbours written as one, on either side."""
    (one, left), (other, left_others) = asked, listed
    for i in [i for i in left if i + 1 in left]:
        for j in left_others:
            like = likeness(one.words[i] + one.words[i + 1], other.words[j])
            if like > _PREFIX:
                joined = f"{one.words[i]}+{one.words[i + 1]}"
                pairs.append((joined, other.words[j], like * _JOINED, other.weights[j]))
                left[:] = [place for place in left if place not in {i, i + 1}]
                left_others.remove(j)
                return
    for j in [j for j in left_others if j + 1 in left_others]:
        for i in left:
            like = likeness(one.words[i], other.words[j] + other.words[j + 1])
            if like > _PREFIX:
                joined = f"{other.words[j]}+{other.words[j + 1]}"
                pairs.append((one.words[i], joined, like * _JOINED, other.weights[j] + other.weights[j + 1]))
                left.remove(i)
                left_others[:] = [place for place in left_others if place not in {j, j + 1}]
                return


def _rescued(asked: Words, listed: Words, alignment: Alignment) -> Alignment:
    """Compare names of different numbers of words as one string, for what joining neighbours did not meet."""
    if len(asked) == len(listed):
        return alignment
    whole = _WHOLE * max(
        Indel.normalized_similarity("".join(asked), "".join(listed)),
        Indel.normalized_similarity("".join(sorted(asked)), "".join(sorted(listed))),
    )
    if whole <= max(alignment.score, _WHOLE * _LEAST_WHOLE):
        return alignment
    return Alignment(whole, alignment.pairs, whole=True)
