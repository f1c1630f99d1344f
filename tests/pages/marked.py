"""A language in which every sentence of the catalogue stands between marks, and what stands outside."""

from __future__ import annotations

import re
from collections.abc import Iterator
from gettext import NullTranslations
from typing import Final

from lxml import html

from bookrunner.pages.shell.language import ENGLISH, Offered, Tongue
from scripts import words

OPEN, CLOSE = "⟦", "⟧"
_READ_ALOUD: Final = ("aria-label", "placeholder", "title", "alt", "data-name")
_SILENT: Final = {"script", "style", "noscript", "svg"}
# What no language changes: ids and hashes, codes, numbers with their signs, and names of standards.
_SAME: Final = re.compile(
    r"[a-z]+_\w+|0x\w*|\b(?=\w*\d)\w+\b|\bRF\d\d[\d ]+|\b[0-9a-f]{12,}…?|\b[A-Z]{2,}\b|\S+@\S+|W-8BEN|"
    r"Bookrunner|English|Deutsch"
)
_PART: Final = re.compile(r"%\(\w+\)s")
_WORD: Final = re.compile(r"[^\W\d_]{2,}")


class Marks(NullTranslations):
    """Marks each sentence of a catalogue; one that it lacks stays bare."""

    def __init__(self, known: frozenset[str]) -> None:
        super().__init__()
        self._known = known

    def gettext(self, message: str) -> str:
        """Return the sentence between marks."""
        return _between_marks(message) if message in self._known else message

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return the form of the sentence between marks."""
        form = msgid1 if n == 1 else msgid2
        return _between_marks(form) if msgid1 in self._known else form


def _between_marks(sentence: str) -> str:
    """Mark a sentence without its parts, each of which has to have marks of its own."""
    return OPEN + _PART.sub(lambda part: CLOSE + part[0] + OPEN, sentence) + CLOSE


def marked() -> Offered:
    """Return what offers English, and in place of German the language of marks."""
    said = {message.id for message in words.catalogue("de")}
    marks = Marks(frozenset(text if isinstance(text, str) else text[0] for text in said))
    return Offered.of([ENGLISH, Tongue("de", "Deutsch", marks, "dd.MM.yyyy", "dd.MM.yyyy, HH:mm z")])


def bare(page: str, data: frozenset[str]) -> list[str]:
    """Return each text of a page, shown or read aloud, in which a word stands outside of the marks.

    ``data`` are texts that the books hold, such as the name of an offer.
    """
    tree = html.fromstring(page)
    return [text for text in _outside(tree) if _has_word(text, data)]


def _outside(tree: html.HtmlElement) -> Iterator[str]:
    depth = 0
    for element in tree.iter():
        if not isinstance(element.tag, str) or any(
            parent.tag in _SILENT for parent in (element, *element.iterancestors())
        ):
            continue
        yield from (_stripped(element.get(name, ""), 0)[0] for name in _READ_ALOUD)
    for text in tree.xpath("//text()[not(ancestor::script or ancestor::style or ancestor::noscript)]"):
        if not text.is_tail and _is_of_the_books(text.getparent()):
            continue
        rest, depth = _stripped(str(text), depth)
        yield rest


def _is_of_the_books(element: html.HtmlElement) -> bool:
    """Whether an element holds words of an offer's document, or what goes on record in English."""
    return element.get("lang") == "en" or "text" in element.get("class", "").split()


def _stripped(text: str, depth: int) -> tuple[str, int]:
    """Return what of a text stands outside of the marks, and how deep it ends."""
    kept = []
    for character in text:
        depth += (character == OPEN) - (character == CLOSE)
        kept.append(character if depth == 0 and character != CLOSE else " ")
    return "".join(kept), depth


def _has_word(text: str, data: frozenset[str]) -> bool:
    for known in sorted(data, key=len, reverse=True):
        text = text.replace(known, " ")
    return _WORD.search(_SAME.sub(" ", text)) is not None
