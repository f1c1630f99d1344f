"""A notice is in the record; the mail that points to it is sent once, or its bounce is kept."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from bookrunner.adapters.mail.smtp import SmtpPost
from bookrunner.db import Database
from bookrunner.engine import Desk
from bookrunner.engine.life.post import send_notices
from tests.allocation.book import Book, process_of
from tests.attack.world import Connect


class Mailbox:
    """A mail server on the loopback that keeps what it takes, and knows no address with ``nobody``."""

    def __init__(self) -> None:
        self.letters: list[str] = []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"smtp://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop listening."""
        self._socket.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with client, client.makefile("rwb") as talk:
                self._talk(talk)

    def _talk(self, talk: socket.SocketIO) -> None:  # type: ignore[type-arg]
        def say(text: str) -> None:
            talk.write(f"{text}\r\n".encode())
            talk.flush()

        say("220 ready")
        while line := talk.readline().decode():
            word = line[:4].upper()
            if word == "DATA":
                say("354 go on")
                taken = []
                while (part := talk.readline()) != b".\r\n":
                    taken.append(part.decode())
                self.letters.append("".join(taken))
            if word == "QUIT":
                say("221 bye")
                return
            say("550 unknown" if word == "RCPT" and "nobody" in line else "250 ok")


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    """Return a mail server that runs."""
    box = Mailbox()
    yield box
    box.close()


def test_mail_points_to_a_notice_once(connect: Connect, database: Database, mailbox: Mailbox) -> None:
    book = Book(connect).build("confirmed")
    book.backdate("portal.profile_detail", "email = 'nobody@example.org' where investor_id = 'ivr_one2'")
    personal = "salt legal_name country address sealed tax_id_blind birth_date_blind email representative lei"
    emptied = ", ".join(f"{name} = null" for name in personal.split())
    book.backdate("portal.profile_detail", f"erased_at = now(), {emptied} where investor_id = 'ivr_one3'")
    for n in book.numbers:
        book.call("engine.cancel_investment", book.offering, book.id("inv", n), "a duplicate")
    process_of(database).drain()
    desk, post = Desk(database), SmtpPost(mailbox.url, "notices@example.org")
    assert send_notices(desk, post) == 3
    assert send_notices(desk, post) == 0
    rows = dict(book.ask("select recipient, status || coalesce(': ' || because, '') from engine.notice"))
    assert rows == {
        "ivr_one1": "sent",
        "ivr_one2": "bounced: the mail server answered 550",
        "ivr_one3": "bounced: no address is on record",
    }
    (letter,) = mailbox.letters
    ((notice,),) = book.ask("select notice_id from engine.notice where recipient = 'ivr_one1'")
    assert f"Message-ID: <{notice}@" in letter
    assert "To: person@example.org" in letter
    assert "cancel" not in letter


def test_without_a_server_the_notice_waits(connect: Connect, database: Database) -> None:
    book = Book(connect, investors=1).build("confirmed")
    book.call("engine.cancel_investment", book.offering, "inv_one1", "a duplicate")
    process_of(database).drain()
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"smtp://127.0.0.1:{taken.getsockname()[1]}"
    with pytest.raises(OSError, match="refused"):
        send_notices(Desk(database), SmtpPost(nobody, "notices@example.org"))
    assert book.ask("select status from engine.notice") == [("written",)]
    assert book.call("engine.take_notices", 9) != []
