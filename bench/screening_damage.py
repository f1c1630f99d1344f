"""What happens to a listed name on its way to a form: by accident, by another authority, or on purpose."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass

from bench.screening_names import WORDS

Damage = Callable[[random.Random, list[str]], list[str] | None]

LETTERS = "abcdefghijklmnopqrstuvwxyz"
LOOKALIKES = dict(WORDS["damage"]["lookalikes"])
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad\u202e\u202c\u200f\u200e"
ROMANISED = WORDS["damage"]["romanised"]
CYRILLIC = WORDS["damage"]["cyrillic"]
FORMS = "LLC|Ltd|Limited|Inc.|Corp.|Co., Ltd.|GmbH|S.A.|S.A. de C.V.|OOO|JSC|B.V.|PLC|Company|Group Ltd"
FORM = re.compile(
    r"^(?:llc|ltd|limited|inc|corp|corporation|co|company|gmbh|sa|s\.a\.?|ooo|oao|zao|jsc|ojsc|pjsc|plc|sarl|srl|bv"
    r"|ltda|s\.?a\.?s|c\.v|cv|de|ag|fze|pte|sdn|bhd|gesellschaft|pao|ao|pty|joint|stock|public|closed|open)\W*$",
    re.IGNORECASE,
)
TITLES = ("Mr.", "Dr.", "Mrs.", "Prof.")


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of damage: whom it happens to, and whether recall counts it as benign or adversarial.

    ``lossy`` damage takes away what identifies; it is measured and counted in neither.
    """

    name: str
    group: str
    damage: Damage
    people: bool = True
    companies: bool = True


def words_of(name: str) -> list[str]:
    """Return the words of a listed name, the given names of a person first."""
    family, comma, given = name.partition(", ")
    return (given + " " + family if comma else name).split()


def _long(rng: random.Random, words: list[str]) -> int | None:
    places = [i for i, word in enumerate(words) if len(word) > 3 and word.isalpha() and not FORM.match(word)]
    return rng.choice(places) if places else None


def order(rng: random.Random, words: list[str]) -> list[str] | None:
    """Put the words in another order."""
    turned = words[-1:] + words[:-1] if rng.random() < 0.5 else rng.sample(words, len(words))
    return turned if turned != words else None


def typo(rng: random.Random, words: list[str]) -> list[str] | None:
    """Make one slip of the finger in one longer word: another letter, one less, one more, or two swapped."""
    place = _long(rng, words)
    if place is None:
        return None
    word = words[place]
    at = rng.randrange(1, len(word) - 1)
    slips = (
        word[:at] + rng.choice(LETTERS) + word[at + 1 :],
        word[:at] + word[at + 1 :],
        word[:at] + rng.choice(LETTERS) + word[at:],
        word[:at] + word[at + 1] + word[at] + word[at + 2 :],
    )
    changed = rng.choice(slips)
    return [*words[:place], changed, *words[place + 1 :]] if changed.lower() != word.lower() else None


def two_typos(rng: random.Random, words: list[str]) -> list[str] | None:
    """Make two slips, in one word or in two."""
    once = typo(rng, words)
    return typo(rng, once) if once else None


def transliteration(rng: random.Random, words: list[str]) -> list[str] | None:
    """Write one or two words by another romanisation, or the whole name in Cyrillic now and then."""
    bare = [word for word in words if not FORM.match(word)]
    if rng.random() < 0.1 and bare and all(re.fullmatch(r"[A-Za-z]+", word) for word in bare):
        return [_cyrillic(word.lower()) for word in bare]
    changed = list(words)
    for _ in range(rng.choice((1, 2))):
        options = [
            (i, old, new)
            for i, word in enumerate(changed)
            if len(word) > 3 and word.isalpha() and not FORM.match(word)
            for old, new in ROMANISED
            if old in word.lower()[1:] or (len(old) > 3 and old in word.lower())
        ]
        if options:
            i, old, new = rng.choice(options)
            start = changed[i].lower().rindex(old)
            changed[i] = changed[i][:start] + new + changed[i][start + len(old) :]
    return changed if changed != words else None


def _cyrillic(word: str) -> str:
    for latin, letter in CYRILLIC:
        word = word.replace(latin, letter)
    return word


def missing_middle(rng: random.Random, words: list[str]) -> list[str] | None:
    """Leave out a word that is neither the first nor the last."""
    if len(words) < 3:
        return None
    place = rng.randrange(1, len(words) - 1)
    return words[:place] + words[place + 1 :]


def initials(_: random.Random, words: list[str]) -> list[str] | None:
    """Write the middle names as initials."""
    if len(words) < 3:
        return None
    return [words[0], *(word[0] + "." if word[0].isupper() else word for word in words[1:-1]), words[-1]]


def all_initials(_: random.Random, words: list[str]) -> list[str] | None:
    """Write every name but the last as an initial."""
    return [*(word[0] + "." for word in words[:-1]), words[-1]] if len(words) > 1 else None


def form(rng: random.Random, words: list[str]) -> list[str] | None:
    """Leave the legal form out, or write another one."""
    bare = [word for word in words if not FORM.match(word)]
    if not bare:
        return None
    changed = bare if rng.random() < 0.4 else [*bare, rng.choice(FORMS.split("|"))]
    return changed if changed != words else None


def title(rng: random.Random, words: list[str]) -> list[str]:
    """Put a title before the name."""
    return [rng.choice(TITLES), *words]


def homoglyph(rng: random.Random, words: list[str]) -> list[str] | None:
    """Draw one to four letters with those of another script."""
    text = " ".join(words)
    places = [i for i, letter in enumerate(text) if letter in LOOKALIKES]
    if not places:
        return None
    for place in rng.sample(places, min(len(places), rng.randint(1, 4))):
        text = text[:place] + LOOKALIKES[text[place]] + text[place + 1 :]
    return text.split(" ")


def invisible(rng: random.Random, words: list[str]) -> list[str]:
    """Put one to four characters that nobody sees between letters."""
    text = " ".join(words)
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(1, len(text))
        text = text[:place] + rng.choice(INVISIBLE) + text[place:]
    return text.split(" ")


def digits(rng: random.Random, words: list[str]) -> list[str] | None:
    """Write a letter as a digit that looks like it."""
    place = _long(rng, words)
    if place is None:
        return None
    changed = re.sub(
        r"(?<=.)[oleasOLEAS]",
        lambda m: dict(zip("oleas", "01345", strict=True))[m[0].lower()],
        words[place],
        count=1,
    )
    return [*words[:place], changed, *words[place + 1 :]] if changed != words[place] else None


def joined(rng: random.Random, words: list[str]) -> list[str] | None:
    """Write two neighbours as one word."""
    if len(words) < 2:
        return None
    place = rng.randrange(len(words) - 1)
    return [*words[:place], words[place] + words[place + 1].lower(), *words[place + 2 :]]


def split(rng: random.Random, words: list[str]) -> list[str] | None:
    """Write one longer word as two."""
    place = _long(rng, words)
    if place is None or len(words[place]) < 6:
        return None
    at = rng.randrange(2, len(words[place]) - 2)
    return [*words[:place], words[place][:at], words[place][at:], *words[place + 1 :]]


def token_drop(rng: random.Random, words: list[str]) -> list[str] | None:
    """Leave out any one of at least three words that are no legal form."""
    telling = [i for i, word in enumerate(words) if not FORM.match(word) and len(word) > 1]
    if len(telling) < 3:
        return None
    place = rng.choice(telling)
    return words[:place] + words[place + 1 :]


def half_left(rng: random.Random, words: list[str]) -> list[str] | None:
    """Leave out one of two words."""
    return [rng.choice(words)] if len(words) == 2 else None


KINDS = (
    Kind("order", "benign", order),
    Kind("transliteration", "benign", transliteration),
    Kind("typo", "benign", typo),
    Kind("missing middle name", "benign", missing_middle, companies=False),
    Kind("initials", "benign", initials, companies=False),
    Kind("title", "benign", title, companies=False),
    Kind("company suffix", "benign", form, people=False),
    Kind("homoglyph", "adversarial", homoglyph),
    Kind("invisible characters", "adversarial", invisible),
    Kind("digit for letter", "adversarial", digits),
    Kind("joined words", "adversarial", joined),
    Kind("split word", "adversarial", split),
    Kind("token drop", "adversarial", token_drop),
    Kind("two typos", "adversarial", two_typos),
    Kind("all given names as initials", "lossy", all_initials, companies=False),
    Kind("one word of two left", "lossy", half_left),
)
