"""Letters by SMTP (RFC 5321)."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import format_datetime
from urllib.parse import unquote, urlsplit

from bookrunner.adapters.mail import Letter, LetterRefused
from bookrunner.core import clock

_PATIENCE_SECONDS = 20.0
_SUBMISSION_PORT = 587
# A reply below says that the same may be tried again (RFC 5321, 4.2.1).
_FOR_GOOD = 500
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
                    session.starttls(context=ssl.create_default_context())
                    session.login(unquote(self._server.username or ""), unquote(self._server.password or ""))
                session.send_message(mail)
        except smtplib.SMTPNotSupportedError:
            raise LetterRefused("the mail server takes no such address") from None
        except smtplib.SMTPRecipientsRefused as refused:
            (code, _) = next(iter(refused.recipients.values()))
            if code < _FOR_GOOD:
                raise
            raise LetterRefused(f"the mail server answered {code}") from None
