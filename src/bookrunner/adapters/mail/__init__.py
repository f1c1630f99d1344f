"""Mail that points to a notice; what is told stands in the record, never in the mail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bookrunner.core.errors import BookrunnerError

__all__ = ["Letter", "LetterRefused", "Post"]


class LetterRefused(BookrunnerError):
    """The mail server does not take a letter to this address."""


@dataclass(frozen=True, slots=True)
class Letter:
    """One mail; ``name`` is the same whenever it is tried again, so that a mailbox shows it once."""

    name: str
    to: str
    subject: str
    text: str


class Post(Protocol):
    """Takes letters."""

    def send(self, letter: Letter) -> None:
        """Hand a letter over; raises LetterRefused where it cannot arrive, OSError where nobody answers."""
        ...
