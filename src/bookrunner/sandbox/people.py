"""Investors made from a seed: invented names, reserved numbers, no real person."""

from __future__ import annotations

import hashlib
import random
from dataclasses import dataclass

from bookrunner.core.ids import encode
from bookrunner.core.money import allocate

_FIRST = (
    "Ada",
    "Bela",
    "Cleo",
    "Dara",
    "Eden",
    "Femi",
    "Gita",
    "Hana",
    "Ilya",
    "Juno",
    "Kofi",
    "Lena",
    "Mina",
    "Noor",
)
_LAST = (
    "Alder",
    "Birch",
    "Cedar",
    "Dogwood",
    "Elm",
    "Fir",
    "Gum",
    "Hazel",
    "Ivy",
    "Juniper",
    "Larch",
    "Maple",
    "Oak",
)
_FORMS = {"entity": "Holdings LLC", "trust": "Family Trust"}
_KINDS = ("individual",) * 6 + ("joint",) * 2 + ("entity", "trust")


LEADING_ENTITIES = 4
_PER_CANADIAN = 10


@dataclass(frozen=True, slots=True)
class Person:
    """One invented investor: ids, kind, units, the seed of its wallet key, and what the portal is told."""

    number: int
    investor: str
    investment: str
    kind: str
    units: int
    detail: dict[str, str]
    account: str
    wallet_secret: bytes


def ident(prefix: str, seed: int, label: str) -> str:
    """Return an id that the same seed and label always give."""
    digest = hashlib.sha256(f"{seed}/{prefix}/{label}".encode()).digest()
    return f"{prefix}_{encode(int.from_bytes(digest[:16]))}"


def name_of(subject: str) -> str:
    """Return the name that an id always gives."""
    rng = random.Random(subject)
    return f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"


def people(count: int, seed: int, units: int, minimum: int) -> list[Person]:
    """Return ``count`` investors whose units sum to ``units``, none below ``minimum``."""
    rng = random.Random(seed)
    weights = {f"{n:06d}": rng.choice((1, 1, 2, 2, 3, 5, 8)) for n in range(count)}
    extra = allocate(units - count * minimum, weights)
    return [_person(n, seed, rng, minimum + extra[f"{n:06d}"]) for n in range(count)]


def _person(number: int, seed: int, rng: random.Random, units: int) -> Person:
    # The first investors are entities: the story's gaps need some, at every size.
    kind = "entity" if number < LEADING_ENTITIES else rng.choice(_KINDS)
    surname = f"{rng.choice(_LAST)} {number}"
    name = f"{rng.choice(_FIRST)} {surname}" if kind not in _FORMS else f"{surname} {_FORMS[kind]}"
    detail = {
        "legal_name": name,
        "country": "CA" if number % _PER_CANADIAN == _PER_CANADIAN - 1 else "US",
        "address": f"{number + 1} Sample Street, Springfield",
        "tax_id": f"9{rng.randrange(10**8):08d}",
        "email": f"investor{number}@example.test",
    }
    if kind in _FORMS:
        detail["representative"] = f"{rng.choice(_FIRST)} {rng.choice(_LAST)}"
    secret = hashlib.sha256(f"{seed}/wallet/{number}".encode()).digest()
    return Person(
        number=number,
        investor=ident("ivr", seed, str(number)),
        investment=ident("inv", seed, str(number)),
        kind=kind,
        units=units,
        detail=detail,
        account=f"021000021-{seed % 1000:03d}{number:07d}",
        wallet_secret=secret,
    )
