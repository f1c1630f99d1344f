"""The questions of a new profile, one a page, then the answers to check before they are sent.

What was answered goes from page to page in the form itself: an unfinished profile is nobody's record. What
the books seal is asked last, beside the answers, and is on no page again, not even where it is refused.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from fastapi import Request
from fastapi.responses import Response

from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.language import later

_CONFLICT: Final = 409
CHECK: Final = "check"
_FIRST: Final = "kind"
Field = tuple[str, str, str, str]
# Each question with its title and the fields that answer it.
QUESTIONS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {
    _FIRST: (later("Who invests"), ()),
    "name": (later("What is the legal name?"), ("legal_name",)),
    "seat": (later("Where is the residence or seat?"), ("country", "address")),
    "mail": (later("Where do notices point you to?"), ("email",)),
    "acting": (later("Who acts for it?"), ("representative", "lei")),
}
SEALED: Final = ("tax_id", "birth_date")
REQUIRED: Final = frozenset({"legal_name", "country", "address", "email", "tax_id"})
_ACTED_FOR: Final = frozenset({"entity", "trust", "nominee"})
_UNANSWERED: Final = {"rule": "question_is_answered", "detail": later("answer this question first")}


def questions(kind: str) -> tuple[str, ...]:
    """Return the questions of a kind of investor in their order; nobody acts for a person."""
    return tuple(name for name in QUESTIONS if name != "acting" or kind in _ACTED_FOR)


def fields_of(kind: str, question: str) -> tuple[str, ...]:
    """Return the fields of a page; only of persons a birth date is asked."""
    fields = SEALED if question == CHECK else QUESTIONS[question][1]
    return tuple(name for name in fields if name != "birth_date" or kind not in _ACTED_FOR)


class Opening:
    """Renders the questions over the fields and kinds of a profile."""

    def __init__(self, shell: Shell, fields: Sequence[Field], kinds: Mapping[str, str]) -> None:
        self._shell = shell
        self._fields = {field[0]: field for field in fields}
        self._kinds = kinds

    def page(
        self, request: Request, typed: Mapping[str, str], at: str, refusal: Mapping[str, str] | None = None
    ) -> Response:
        """Return the page of a question, or of the answers; 409 with a refusal."""
        kind = typed.get("kind", "")
        order = questions(kind)
        place = order.index(at) if at in order else len(order)
        asked = [self._fields[name] for name in fields_of(kind, at)]
        own = {_FIRST, *(name for name, *_ in asked)} if at == _FIRST else {name for name, *_ in asked}
        # What another kind was asked is let go: only what the check shows is sent.
        plain = [_FIRST, *(name for question in order for name in fields_of(kind, question))]
        known = {name: typed[name] for name in plain if typed.get(name)}
        facts = {
            "at": at,
            "title": QUESTIONS[at][0] if at in order else later("Check your answers"),
            "place": place + 1,
            "count": len(order),
            "back": order[place - 1] if place else None,
            "asked": asked,
            "required": REQUIRED,
            "kinds": self._kinds,
            "typed": defaultdict(str, known),
            "is_checked": at != CHECK and "checked" in typed,
            "known": known,
            "kept": {name: value for name, value in known.items() if name not in own},
            "answers": self._answers(known, order) if at == CHECK else [],
            "refusal": refusal,
        }
        status = _CONFLICT if refusal else 200
        return self._shell.page(request, "application/opening/question.html", facts, status)

    def answered(self, request: Request, typed: Mapping[str, str]) -> Response:
        """Return the page after an answer: the one that was asked for, this one again, or the next."""
        kind, at, wanted = typed.get("kind", ""), typed.get("at", _FIRST), typed.get("to", "")
        order = questions(kind)
        if wanted in order:
            return self.page(request, typed, wanted)
        if at not in order:
            return self.page(request, typed, _FIRST)
        left = self._left(typed, (at,))
        if left:
            return self.page(request, typed, at, _UNANSWERED)
        # After a change of one answer the next one that lacks is asked for, else all of them are shown.
        if typed.get("checked"):
            return self.page(request, typed, next(iter(self._left(typed, order)), CHECK))
        following = order.index(at) + 1
        return self.page(request, typed, order[following] if following < len(order) else CHECK)

    def _left(self, typed: Mapping[str, str], order: Sequence[str]) -> list[str]:
        """Return the questions that lack a required answer."""
        kind = typed.get("kind", "")
        return [
            name
            for name in order
            if (name == _FIRST and kind not in self._kinds)
            or any(field in REQUIRED and not typed.get(field) for field in fields_of(kind, name))
            or (name == "acting" and not typed.get("representative"))
        ]

    def _answers(self, known: Mapping[str, str], order: Sequence[str]) -> list[tuple[str, str, str]]:
        """Return the question, label and answer of each field that was asked."""
        kind = known.get(_FIRST, "")
        found = [(_FIRST, QUESTIONS[_FIRST][0], self._kinds.get(kind, ""))]
        return found + [
            (question, self._fields[name][1], known.get(name, ""))
            for question in order
            for name in fields_of(kind, question)
        ]
