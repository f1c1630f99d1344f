"""The catalogues of the pages' languages are complete, current and say what the sentences say."""

from __future__ import annotations

import pytest

from scripts import words

LANGUAGE = "de"


def kept() -> bytes:
    return (words.CATALOGUES / f"{LANGUAGE}.po").read_bytes()


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_a_catalogue_is_whole_and_current(language: str) -> None:
    content = (words.CATALOGUES / f"{language}.po").read_bytes()
    assert words.faults(content, language) == []
    assert words.renewed(language) == content, "run `make words`"


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('msgstr "Anmelden"', 'msgstr ""', "has no translation: Sign in"),
        ('msgid "Sign in"', 'msgid "Sign in twice"', "is not in it: Sign in"),
        ('msgid "Sign in"', 'msgid "Sign in twice"', "is said nowhere: Sign in twice"),
        ("in %(span)s", "in %(spam)s", "has other parts: in %(span)s"),
        (
            "<strong>Jemand war schneller.</strong>",
            "Jemand war schneller.",
            "has other parts: <strong>Somebody",
        ),
    ],
)
def test_what_is_wrong_with_a_catalogue_is_said(before: str, after: str, says: str) -> None:
    head, found, tail = kept().decode().rpartition(before)
    assert found
    faults = words.faults((head + after + tail).encode(), LANGUAGE)
    assert any(fault.startswith(says) for fault in faults), faults[:3]
