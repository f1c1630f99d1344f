"""Sends the mail that points to notices: each notice once, and again under the same name after a crash."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from bookrunner.adapters.mail import Letter, LetterRefused, Post
from bookrunner.core.log import warn
from bookrunner.engine.desk import PROCESS, Desk

AT_ONCE = 50
RETRY_SECONDS = 30
_ENGLISH: Final = "en"
# Subject and text in each language of the pages.
LETTERS: Final[Mapping[str, tuple[str, str]]] = {
    _ENGLISH: (
        "There is a notice for you",
        (
            "A notice about your investment waits for you in the investor portal.\n"
            "This mail does not repeat it. Notice: {notice}\n"
        ),
    ),
    "de": (
        "Es gibt eine Mitteilung für Sie",
        (
            "Eine Mitteilung zu Ihrer Zeichnung wartet im Anlegerportal auf Sie.\n"
            "Diese E-Mail wiederholt sie nicht. Mitteilung: {notice}\n"
        ),
    ),
}


def letter_of(notice: str, to: str, language: str | None = None) -> Letter:
    """Return the mail that points to a notice, in a language or in English; it repeats nothing of it."""
    subject, text = LETTERS.get(language or _ENGLISH, LETTERS[_ENGLISH])
    return Letter(notice, to, subject, text.format(notice=notice))


def send_notices(desk: Desk, post: Post, *, most: int = AT_ONCE) -> int:
    """Send the mail of written notices and return how many were looked at.

    A notice without an address, or whose address the server refuses, is marked as bounced with the reason.
    Raises OSError when no mail server answers; nothing is marked then.
    """
    with desk.life.together() as within:
        taken = within.take_notices(actor=PROCESS, most=most)
        if not taken:
            return 0
        people = sorted({each["recipient"] for each in taken})
        rows = desk.portal.mail_addresses(investors=people)
        read_in = {row["name"]: row["language"] for row in desk.life.languages(names=people)}
        addresses = {row["investor_id"]: row["email"] for row in rows}
        for each in taken:
            status, because = "sent", None
            to = addresses.get(each["recipient"])
            if to is None:
                status, because = "bounced", "no address is on record"
            else:
                try:
                    post.send(letter_of(each["notice"], to, read_in.get(each["recipient"])))
                except LetterRefused as refused:
                    status, because = "bounced", str(refused)
            within.mark_notice(
                actor=PROCESS,
                offering=each["offering"],
                notice=each["notice"],
                status=status,
                because=because,
            )
        return len(taken)


def try_notices(desk: Desk, post: Post) -> int | None:
    """Send written notices one by one; return in how many seconds to go on, None when none is left.

    A mail server that is silent leaves the others for later.
    """
    try:
        for _ in range(AT_ONCE):
            if not send_notices(desk, post, most=1):
                return None
    except OSError as silent:
        warn("a notice is not sent", kind=type(silent).__name__)
        return RETRY_SECONDS
    return 0
