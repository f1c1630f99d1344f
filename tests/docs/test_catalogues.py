"""The catalogues of the pages' languages are complete, current and say what the sentences say."""

from __future__ import annotations

import re

import pytest

from scripts import stored, words

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


def test_every_rule_that_has_a_translation_is_one() -> None:
    rules = set(
        re.findall(r"^\| `(\w+)`", (words.ROOT / "docs/refusals.md").read_text("utf-8"), re.MULTILINE)
    )
    own = "".join(path.read_text("utf-8") for path in words.PAGES.rglob("*.py"))
    assert [rule for rule in stored.REFUSALS.split() if rule not in rules and f'"{rule}"' not in own] == []
