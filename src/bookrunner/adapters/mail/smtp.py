"""Letters by SMTP (RFC 5321)."""

from __future__ import annotations

import smtplib
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import urlsplit

from bookrunner.adapters.mail import Letter, LetterRefused
from bookrunner.core import clock

_PATIENCE_SECONDS = 20.0
_SUBMISSION_PORT = 587
_DOMAIN = "bookrunner.invalid"


class SmtpPost:
    """Hands letters to one mail server, each in a session of its own.

    ``url`` is ``smtp://HOST:PORT`` or, with STARTTLS and a login, ``smtps://USER:PASSWORD@HOST:PORT``.
    """

    def __init__(self, url: str, sender: str) -> None:
        self._server = urlsplit(url)
        self._sender = sender

    def send(self, letter: Letter) -> None:
        """Hand a letter over; raises LetterRefused and OSError."""
        mail = EmailMessage()
        mail["From"], mail["To"], mail["Subject"] = self._sender, letter.to, letter.subject
        mail["Message-ID"] = f"<{letter.name}@{_DOMAIN}>"
        mail["Date"] = format_datetime(clock.now())
        mail["Auto-Submitted"] = "auto-generated"
        mail.set_content(letter.text)
        host, port = self._server.hostname or "", self._server.port or _SUBMISSION_PORT
        try:
            with smtplib.SMTP(host, port, timeout=_PATIENCE_SECONDS) as session:
                if self._server.scheme == "smtps":
                    session.starttls()
                    session.login(self._server.username or "", self._server.password or "")
                session.send_message(mail)
        except smtplib.SMTPRecipientsRefused as refused:
            (code, _) = next(iter(refused.recipients.values()))
            raise LetterRefused(f"the mail server answered {code}") from None
