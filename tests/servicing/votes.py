"""An offer whose holders vote."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.allocation.book import Book
from tests.attack.world import Connect, digest

RECORD_ON = (datetime.now(UTC) - timedelta(days=1)).date()
ENDS = datetime.now(UTC).replace(microsecond=0) + timedelta(days=30)
ASKED = {
    "resolution": "The fund may lend.",
    "record_on": str(RECORD_ON),
    "closes_at": ENDS.isoformat(),
    "quorum_bps": 5000,
    "needed_over": 1,
    "needed_of": 2,
}


def held(connect: Connect, label: str = "one") -> Book:
    """Return an offer with three holders of 1, 2 and 3 units since before yesterday."""
    book = Book(connect, label)
    book.build("registered")
    book.backdate("registry.posting", "posted_at = posted_at - interval '3 days'")
    return book


def propose(book: Book, vote: str = "vot_one", **changed: object) -> None:
    """Propose a vote."""
    book.call(
        "engine.propose_vote", book.offering, vote, ASKED | changed, digest("resolution"), actor="issuer.iris"
    )


def start(book: Book, vote: str = "vot_one", **changed: object) -> None:
    """Propose a vote and open it as another person."""
    propose(book, vote, **changed)
    book.call("engine.open_vote", book.offering, vote, 1, actor="issuer.ivan")


def cast(book: Book, n: int, choice: str, vote: str = "vot_one") -> None:
    """Cast the ballot of one holder."""
    name = book.id("ivr", n)
    book.call("engine.cast_ballot", book.offering, vote, name, choice, actor=name)


def finish(book: Book) -> int:
    """Let the time of every vote pass and close it; return how many closed."""
    book.backdate("engine.vote", "closes_at = clock_timestamp()")
    closed: int = book.call("engine.close_votes", actor="process")
    return closed


def result(book: Book, vote: str = "vot_one") -> dict[str, int]:
    """Return the result of a vote."""
    found: dict[str, int] = book.ask("select result from engine.vote where vote_id = %s", vote)[0][0]
    return found


def delegate(book: Book, n: int, to: str | None, vote: str = "vot_one") -> None:
    """Let a holder name a delegate, or take the proxy back."""
    name = book.id("ivr", n)
    proxy = f"prx_{vote}{n}{to or ''}"
    book.call("engine.give_proxy", book.offering, vote, proxy, name, to, actor=name)


def cast_for(book: Book, n: int, choice: str, by: str) -> None:
    """Cast the ballot of a holder as its delegate."""
    said = ["vot_one", book.id("ivr", n), choice, by]
    book.call("engine.cast_ballot", book.offering, *said, actor=by)
