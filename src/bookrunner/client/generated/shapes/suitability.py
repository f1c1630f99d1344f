# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Shapes: suitability."""

from __future__ import annotations

from bookrunner.client.records import Exact, Record, Sent


class AskedQuestion(Record):
    """A question of suitability, its choices, and what it is asked after."""

    choices: list[str] | None
    id: str
    if_answers: list[str] | None
    if_question: str | None
    is_required: bool
    sentence: str


class Limit(Record):
    """What an investor may commit, and has; null for no limit."""

    investor: str
    limit: Exact | None
    offer: str
    remaining: Exact | None
    used: Exact


class Question(Sent):
    """A question: free text without choices; asked only after one of `if_answers` to `if_question`.

    `knowing` are the choices that show knowledge of what is offered.
    """

    id: str
    sentence: str
    choices: list[str] | None = None
    if_answers: list[str] | None = None
    if_question: str | None = None
    is_required: bool | None = None
    knowing: list[str] | None = None


class NewQuestionnaire(Sent):
    """The next version of the questions; `knowledge_from` knowing answers show appropriateness."""

    because: str
    questions: list[Question]
    knowledge_from: int | None = None


class Questionnaire(Record):
    """The questions in force, in their order."""

    offer: str
    questions: list[AskedQuestion] | None
    version: str


class QuestionnairePublished(Record):
    """A questionnaire by its number."""

    offer: str
    version: str


class Suitability(Sent):
    """The answers of an investor to the version of the questions that was seen, and a confirmed
    warning.
    """

    account: str
    answers: dict[str, str]
    investor: str
    questionnaire: str
    warning_confirmed: bool | None = None


class SuitabilityAnswered(Record):
    """Answers that were taken, and what they say of the offer for this investor."""

    appropriateness: str | None
    id: str
    investor: str
    offer: str
    questionnaire: str
    version: str
