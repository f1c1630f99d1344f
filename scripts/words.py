"""Keep the catalogues of the pages' languages complete: what is said is in them, and nothing else.

Without an argument they are written anew: a sentence that is new stands there without its translation, and
one that nothing says any more is gone. With --check nothing is written, and what is stale ends with status 1.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

from scripts import stored

ROOT: Final = Path(__file__).resolve().parents[1]
PAGES: Final = ROOT / "src/bookrunner/pages"
CATALOGUES: Final = PAGES / "shell/language"
LANGUAGES: Final = ("de",)
_SAID: Final = {"_": None, "gettext": None, "later": None, "ngettext": (1, 2)}
_ERRORS: Final = ("Refused", "Malformed", "NotAllowed", "NotAuthenticated", "NotReady")
# What investors' pages themselves refuse; what the books refuse is in the list of what they say.
_REFUSING: Final = ("access", "application", "investment", "desk/capital/institution.py")
_STAFF: Final = frozenset({"access/proposals"})
_OPTIONS: Final = {"trimmed": "false", "silent": "false", "newstyle_gettext": "true"}
Message = str | tuple[str, ...]


def _extracted(path: Path, keywords: Mapping[str, object]) -> Iterator[Message]:
    method = "jinja2.ext:babel_extract" if path.suffix == ".html" else "python"
    options = {**_OPTIONS, "encoding": "utf-8"}
    for _, message, _, _ in extract_from_file(method, path, keywords=keywords, options=options):  # type: ignore[arg-type]
        yield message


def _refusals(path: Path) -> Iterator[str]:
    """Yield what a file refuses: each rule in words, and what it says of it."""
    text = path.read_text(encoding="utf-8")
    names = "|".join(_ERRORS)
    for rule in re.findall(rf'(?:{names})\(\s*"([a-z_]+)"', text):
        yield rule.replace("_", " ")
    for message in _extracted(path, dict.fromkeys(_ERRORS, (2,))):
        if isinstance(message, str) and not message.startswith("%"):
            yield message


@cache
def said() -> Mapping[Message, tuple[str, ...]]:
    """Return every sentence of the pages with the files that say it."""
    found: dict[Message, set[str]] = {text: {"books"} for text in stored.sentences()}
    for path in sorted(PAGES.rglob("*")):
        name = path.relative_to(PAGES).as_posix()
        if path.suffix not in {".html", ".py"}:
            continue
        for message in _extracted(path, _SAID):
            found.setdefault(message, set()).add(name)
        if path.suffix == ".py" and name.startswith(_REFUSING) and not name.startswith(tuple(_STAFF)):
            for message in _refusals(path):
                found.setdefault(message, set()).add(name)
    plurals = {message[0] for message in found if isinstance(message, tuple)}
    return {
        message: tuple(sorted(places))
        for message, places in found.items()
        if not (isinstance(message, str) and message in plurals)
    }


def catalogue(language: str) -> Catalog:
    """Return the catalogue of a language as it is kept."""
    with (CATALOGUES / f"{language}.po").open("rb") as file:
        return read_po(file, locale=language, abort_invalid=True)


def renewed(language: str) -> bytes:
    """Return the file of a catalogue with exactly what is said."""
    kept = catalogue(language)
    fresh = Catalog(locale=language, fuzzy=False)
    for message in sorted(said(), key=str):
        known = kept.get(message if isinstance(message, str) else message[0])
        empty: Message = "" if isinstance(message, str) else ("", "")
        fresh.add(message, known.string if known is not None and known.string else empty)
    written = io.BytesIO()
    write_po(written, fresh, width=110, omit_header=True, no_location=True, ignore_obsolete=True)
    head = [
        'msgid ""',
        'msgstr ""',
        '"Content-Type: text/plain; charset=UTF-8\\n"',
        f'"Language: {language}\\n"',
        f'"Plural-Forms: {fresh.plural_forms}\\n"',
        "",
        "",
    ]
    return "\n".join(head).encode() + written.getvalue()


def faults(kept: bytes, language: str) -> list[str]:
    """Return what is wrong with a catalogue.

    A sentence that is said and is not in it, one that nothing says, one without a translation, and one whose
    translation has other parts or other marks of HTML.
    """
    found = read_po(io.BytesIO(kept), locale=language, abort_invalid=True)
    wanted = {message if isinstance(message, str) else message[0] for message in said()}
    there = {_first(message.id): _strings(message.string) for message in found if message.id}
    return [
        *(f"is not in it: {text}" for text in sorted(wanted - there.keys())),
        *(f"is said nowhere: {text}" for text in sorted(there.keys() - wanted)),
        *(f"has no translation: {text}" for text, strings in there.items() if not all(strings)),
        *(
            f"has other parts: {text}"
            for text, strings in there.items()
            for string in strings
            if string and _parts(string) != _parts(text)
        ),
    ]


def _first(message: object) -> str:
    return str(message[0] if isinstance(message, list | tuple) else message)


def _strings(string: object) -> tuple[str, ...]:
    return tuple(string) if isinstance(string, list | tuple) else (str(string or ""),)


def _parts(text: str) -> list[str]:
    return sorted(re.findall(r"%\(\w+\)s|<[^>]+>", text))


def main(arguments: list[str]) -> int:
    """Write the catalogues, or say what is wrong with them."""
    wrong = 0
    for language in LANGUAGES:
        path, fresh = CATALOGUES / f"{language}.po", renewed(language)
        if "--check" not in arguments:
            path.write_bytes(fresh)
        elif path.read_bytes() != fresh:
            print(f"{path.relative_to(ROOT)} is stale: run `make words`")
            wrong = 1
        for fault in faults(path.read_bytes(), language):
            print(f"{language}: {fault}")
            wrong = 1
    return wrong if "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
