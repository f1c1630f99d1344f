"""One spelling for each name: what a reader would call the same letters becomes the same letters."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

from anyascii import anyascii
from rapidfuzz.distance import OSA

from bookrunner.adapters.screening.model import EntryKind
from bookrunner.adapters.screening.words import LEGAL_FORMS, LONG_FORMS, MIDDLE_FORMS, PARTICLES, TITLES

# Cyrillic, Greek, Armenian and phonetic letters that draw like a Latin one, in the order of the second row.
_ALIKE: Final = str.maketrans(
    "\u0430\u0432\u0441\u0501\u0435\u04bb\u0456\u0458\u043a\u051b\u043c\u043e\u0440\u0455\u0442\u0475"
    "\u051d\u0445\u0443\u0451\u04cf\u0450\u0457\u04af\u0261\u0578\u0585\u057d\u0570\u0566\u0581\u0410"
    "\u0412\u0421\u0415\u041d\u0406\u0408\u041a\u041c\u041e\u0420\u0405\u0422\u0425\u0423\u0401\u04c0"
    "\u051a\u051c\u0474\u0500\u04ae\u04ba\u0490\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d"
    "\u039f\u03a1\u03a4\u03a5\u03a7\u03f9\u037f\u03b1\u03b3\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5"
    "\u03c7\u03c9\u03b7\u03f2\u03f3\u03b2\u03b5\u03c3\u0131\u0251\u0269\u028f\u1d0f\u1d04\u1d20\u1d21"
    "\u1d22\ua731\u029f\u0274\u1d0b\u1d0d\u1d00\u1d07\u0299\u0262\u029c\u026a\u1d1b\u1d1c\u0280\u1d05"
    "\u1d18\u1d0a\u0461\u026f\u025b\u0185\u054f\u053c\u0555\u054d",
    "abcdehijkqmopstv"
    "wxyeleiygnouhqgA"
    "BCEHIJKMOPSTXYEI"
    "QWVDYhrABEZHIKMN"
    "OPTYXCJayikvoptu"
    "xwncjbeoiaiyocvw"
    "zslnkmaebghiturd"
    "pjwmebSLOU",
)
_FILLERS: Final = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0]")
_GONE: Final = re.compile(r"['`\u2018\u2019\u02bb-\u02bf\u00b4\u2032\"]")
_DOTTED: Final = re.compile(r"(?<=\b[a-z])\.(?=[a-z]\b)|(?<=[a-z0-9])\.(?=[a-z0-9])|(?<=\b[a-z])/(?=[a-z]\b)")
_INITIALISM: Final = re.compile(r"\b[a-z](?: [a-z]\b)+")
_TOKEN: Final = re.compile(r"[a-z0-9]+")
_LEET: Final = str.maketrans("0134578$@!|", "oleastbsaii")
_CHUNK: Final = re.compile(r"[a-z0-9$@!|]+")
_MIXED: Final = re.compile(r"(?=.*[a-z])[a-z0-9$@!|]+")
_INNER_DIGIT: Final = re.compile(r"(?<=[a-z]{2})[01345](?=[a-z])|(?<=[a-z])[01345](?=[a-z]{2})")
_WORD: Final = re.compile(r"\S+")
_FEWEST_LETTERS: Final = 3
_LONG_ENOUGH: Final = 6


def normalise(name: str, kind: EntryKind) -> tuple[str, ...]:
    """Return the words of a name in order: lower-case ASCII, without what identifies nobody.

    Invisible and direction characters vanish, look-alike letters become Latin, other scripts are
    transliterated, titles and legal forms go unless fewer than three letters would be left. Digits stay.
    """
    person = kind is EntryKind.PERSON
    folded = (name if name.isascii() else _latin(name)).casefold()
    if person and folded.count(",") == 1:
        family, _, given = folded.partition(",")
        folded = f"{given} {family}"
    if not folded.isascii():
        folded = anyascii(folded).casefold()
    folded = _GONE.sub("", folded)
    if person:
        folded = _CHUNK.sub(_unleeted, folded)
    else:
        folded = _INNER_DIGIT.sub(lambda digit: digit[0].translate(_LEET), _DOTTED.sub("", folded))
    words = _TOKEN.findall(folded)
    kept = _without_titles(words) if person else _without_forms(words)
    return tuple(kept if sum(map(len, kept)) >= _FEWEST_LETTERS else words)


def _latin(name: str) -> str:
    """Return a name with compatibility forms resolved, what is invisible removed and look-alikes folded."""
    text = _FILLERS.sub("", unicodedata.normalize("NFKC", name))
    text = "".join(c for c in text if unicodedata.category(c) not in {"Cf", "Cc"} or c in "\t\n")
    if text.isascii():
        return text
    decomposed = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    if not any("a" <= c <= "z" for c in decomposed.casefold()):
        return text
    # Beside Latin letters a word that is drawn wholly with Latin shapes is meant to be read as Latin.
    return _WORD.sub(_read_as_latin, decomposed)


def _read_as_latin(match: re.Match[str]) -> str:
    word = match[0]
    if word.isascii():
        return word
    folded = word.translate(_ALIKE)
    if folded.isascii():
        return folded
    return folded if any("a" <= c <= "z" for c in word.casefold()) else word


def _unleeted(match: re.Match[str]) -> str:
    return match[0].translate(_LEET) if _MIXED.fullmatch(match[0]) else match[0]


def _without_titles(words: list[str]) -> list[str]:
    kept = [word for word in words if word not in TITLES] if len(words) > 2 else words  # noqa: PLR2004
    named = [word for word in kept if word not in PARTICLES]
    return named if len(named) > 1 else kept


def _without_forms(words: list[str]) -> list[str]:
    told = _INITIALISM.sub(lambda letters: letters[0].replace(" ", ""), " ".join(words)).split()
    forms = [word in LEGAL_FORMS or _is_joined_form(word) for word in told]
    return [
        word
        for place, word in enumerate(told)
        if not forms[place]
        and not _is_misspelt_form(word, beside_form=any(forms[max(0, place - 1) : place + 2]))
    ]


@lru_cache(maxsize=65_536)
def _is_joined_form(word: str) -> bool:
    halves = ((word[:at], word[at:]) for at in range(_FEWEST_LETTERS, len(word) - 1))
    return len(word) >= _LONG_ENOUGH and any(
        one in LEGAL_FORMS and other in LEGAL_FORMS for one, other in halves
    )


@lru_cache(maxsize=65_536)
def _is_misspelt_form(word: str, *, beside_form: bool) -> bool:
    forms = LONG_FORMS + MIDDLE_FORMS if beside_form else LONG_FORMS
    return len(word) >= _FEWEST_LETTERS + 1 and any(
        abs(len(word) - len(form)) <= 1 and OSA.distance(word, form, score_cutoff=1) <= 1 for form in forms
    )


_SOUNDS: Final = (
    (re.compile("rn"), "m"),
    (re.compile("vv"), "w"),
    (re.compile("shch|tsch|tch|tsh|sch|sh|ch|cz|sz"), "X"),
    (re.compile("x"), "ks"),
    (re.compile("dzh|zh|dj|dsch"), "j"),
    (re.compile("(?<=[oe])ff$"), "v"),
    (re.compile("ph"), "f"),
    (re.compile("kh|ck|gh(?=[^aeiou])|q|c"), "k"),
    (re.compile("gh|gu(?=[ei])"), "g"),
    (re.compile("th"), "t"),
    (re.compile("dh"), "d"),
    (re.compile("ts|tz"), "z"),
    (re.compile("aw|au|ou|oo|ow|uo"), "u"),
    (re.compile("ay|ai|ei|ey|ij|iy|yi|ee|ie|ya|ia|ye"), "i"),
    (re.compile("[eiy]"), "i"),
    (re.compile("[ou]"), "u"),
    (re.compile("w"), "v"),
    (re.compile("h$"), ""),
    (re.compile(r"(.)\1+"), r"\1"),
)


@lru_cache(maxsize=262_144)
def sound(word: str) -> str:
    """Return one spelling for the romanisations of a word: Yousef, Youssef and Yusuf come close."""
    for pattern, letters in _SOUNDS:
        word = pattern.sub(letters, word)
    return word
