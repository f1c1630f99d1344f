"""People and companies that no list names: drawn from the words of several cultures in ``screening.toml``."""

from __future__ import annotations

import random
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bookrunner.adapters.screening import EntryKind, Subject

WORDS: dict[str, Any] = tomllib.loads(Path(__file__).with_name("screening.toml").read_text(encoding="utf-8"))
COMPANIES = WORDS["companies"]


@dataclass(frozen=True, slots=True)
class Culture:
    """How one culture names people; the numbers are per mille."""

    share: int
    middle: int
    family_first: int
    two_families: int
    rare: int
    given: str
    family: str
    beginnings: str = ""
    endings: str = ""
    syllables: str = ""


CULTURES = {name: Culture(**told) for name, told in WORDS["cultures"].items()}


def _drawn(rng: random.Random, words: str | list[str]) -> str:
    """Draw a word; the first are about six times as frequent as the last."""
    known = words.split() if isinstance(words, str) else words
    return known[int(len(known) * rng.random() ** 1.5)]


def _given(rng: random.Random, how: Culture) -> str:
    if how.syllables and rng.random() < 0.7:
        return "".join(rng.choices(how.syllables.split(), k=rng.choice((1, 2, 2, 2)))).capitalize()
    return _drawn(rng, how.given)


def _family(rng: random.Random, how: Culture) -> str:
    if rng.randrange(1000) < how.rare:
        return rng.choice(how.beginnings.split()) + rng.choice(how.endings.split())
    return _drawn(rng, how.family)


def person(rng: random.Random, culture: str) -> str:
    """Return a name as such a person would write it."""
    how = CULTURES[culture]
    given, family = _given(rng, how), _family(rng, how)
    if rng.randrange(1000) < how.two_families:
        family = f"{family} {_family(rng, how)}"
    if rng.randrange(1000) < how.middle:
        middle = _given(rng, how)
        given = f"{given} {middle if rng.random() < 0.5 else middle[0] + '.'}"
    return f"{family} {given}" if rng.randrange(1000) < how.family_first else f"{given} {family}"


def people(count: int, seed: int) -> list[tuple[str, str]]:
    """Return pairs of a culture and a name; the same seed gives the same people."""
    rng = random.Random(seed)
    shares = [culture.share for culture in CULTURES.values()]
    return [(culture, person(rng, culture)) for culture in rng.choices(list(CULTURES), shares, k=count)]


def company(rng: random.Random) -> str:
    """Return a company's name with its form."""
    family = _family(rng, CULTURES[rng.choice(("american", "american", "german", "italian", "indian"))])
    firsts, thirds = COMPANIES["first"].split(), COMPANIES["third"].split()
    first, second = rng.choice(firsts), rng.choice(COMPANIES["second"].split())
    third = rng.choice(COMPANIES["trades"]) if rng.random() < 0.3 else rng.choice(thirds)
    place = rng.choice(COMPANIES["places"].split())
    shape = rng.choice(
        (
            f"{first} {second}",
            f"{first} {second} {third}",
            f"{first} {rng.choice(firsts)} {second}",
            f"{family} {second} {third}",
            f"{family} & {_family(rng, CULTURES['american'])} {second}",
            f"{place} {first} {third}",
            f"{family} Family {rng.choice(('Trust', 'Holdings', 'Partners', 'Foundation'))}",
            f"{first}{second.lower()} {third}",
            f"{first} {second} Fund {rng.choice(('I', 'II', 'III', '2024', '7'))}",
        )
    )
    form = rng.choice(COMPANIES["forms"])
    return f"{shape} {form}"


def companies(count: int, seed: int) -> list[str]:
    """Return names of companies; the same seed gives the same ones."""
    rng = random.Random(seed)
    return [company(rng) for _ in range(count)]


def subjects(count: int, seed: int) -> list[Subject]:
    """Return clean subjects, three people to each company."""
    named = [Subject(EntryKind.PERSON, (name,)) for _, name in people(count - count // 4, seed)]
    return named + [Subject(EntryKind.ENTITY, (name,)) for name in companies(count // 4, seed)]
