"""The language that a page speaks: chosen for its reader, kept for the request that is answered."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from fastapi import Request

from bookrunner.pages.shell.language.tongue import ENGLISH, Tongue, tongues, zones

__all__ = [
    "COOKIE",
    "ENGLISH",
    "Offered",
    "Tongue",
    "current",
    "gettext",
    "later",
    "ngettext",
    "speaking",
    "spoken",
    "start",
    "tongues",
    "zones",
]

COOKIE: Final = "bookrunner_language"
_MOST_ASKED: Final = 20
_ASKED: Final = re.compile(r"\s*([A-Za-z]{1,8})(?:-[A-Za-z0-9-]+)?\s*(?:;\s*q=([01](?:\.\d{0,3})?)\s*)?")
_SENTENCES: Final = re.compile(r"(?<=\.) ")
_CURRENT: ContextVar[Tongue] = ContextVar("tongue", default=ENGLISH)


def current() -> Tongue:
    """Return the language of the request that is answered; English outside of one."""
    return _CURRENT.get()


def start(tongue: Tongue) -> None:
    """Speak a language for the rest of the request."""
    _CURRENT.set(tongue)


@contextmanager
def speaking(tongue: Tongue) -> Iterator[None]:
    """Speak a language within the block."""
    before = _CURRENT.set(tongue)
    try:
        yield
    finally:
        _CURRENT.reset(before)


def gettext(text: str, /, **parts: object) -> str:
    """Return a sentence in the reader's language with its ``%(name)s`` parts, or in English."""
    said = current().gettext(text)
    return said % parts if parts else said


def ngettext(one: str, many: str, count: int, /, **parts: object) -> str:
    """Return the form of a sentence that a count takes in the reader's language, with its parts."""
    return current().ngettext(one, many, count) % {"count": current().number(count), **parts}


def spoken(text: object) -> str:
    """Return what was stored in English in the reader's language, as it stands where it has none.

    A text that is put together of sentences is put into it one by one.
    """
    tongue, stored = current(), str(text)
    whole = tongue.gettext(stored)
    if whole != stored or ". " not in stored:
        return whole
    return " ".join(tongue.gettext(sentence) for sentence in _SENTENCES.split(stored))


def later(text: str) -> str:
    """Mark a sentence for the catalogues; it is put into the reader's language where it is shown."""
    return text


@dataclass(frozen=True, slots=True)
class Offered:
    """The languages of an installation by their codes; the first is spoken unless another is asked for."""

    by_code: Mapping[str, Tongue]

    @classmethod
    def of(cls, offered: Sequence[Tongue]) -> Offered:
        """Return what offers these languages."""
        return cls({tongue.code: tongue for tongue in offered})

    def of_request(self, request: Request, cookie: str) -> Tongue:
        """Return the language of a request.

        The account's own setting wins, then what a browser was told to keep, then what it asks for (RFC 9110,
        12.5.4).
        """
        visitor = getattr(request.state, "visitor", None)
        own = getattr(visitor, "language", None)
        found = self.by_code.get(own or "") or self.by_code.get(cookie) or self._asked(request)
        zone = getattr(visitor, "zone", None)
        return found if zone is None else found.within(zone)

    def _asked(self, request: Request) -> Tongue:
        asked = request.headers.get("accept-language", "").split(",")[:_MOST_ASKED]
        ranked = [
            ((match[2] or "1").ljust(2, ".").ljust(5, "0"), -place, match[1].lower())
            for place, part in enumerate(asked)
            if (match := _ASKED.fullmatch(part))
        ]
        wanted = [code for weight, _, code in sorted(ranked, reverse=True) if weight != "0.000"]
        first = next(iter(self.by_code.values()))
        return next((self.by_code[code] for code in wanted if code in self.by_code), first)
