"""Consent to electronic records: a sample record, its printed code, consent, withdrawal, paper."""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from bookrunner.adapters.vault import Vault
from bookrunner.books.subscription.packets.room import Room
from bookrunner.core import clock
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Keeper, Row

if TYPE_CHECKING:
    from bookrunner.adapters.documents import Snapshot

__all__ = ["Consents", "missed"]

_TEMPLATE: Final = "consent_sample/1.0.0"
_ITEM_VERSION: Final = 1
_CODES: Final = "consent-sample-codes"
# Without letters and digits that are taken for each other; 32 of them, five bits each.
_LETTERS: Final = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
_LENGTH: Final = 8
_TIME: Final = "%Y-%m-%dT%H:%M:%SZ"


class Consents:
    """Asks the printed code back, and records consent only after that (15 USC 7001(c)(1)(C)(ii)).

    The code is nowhere stored: it is computed from a secret of the installation and the id of the sample, and
    the book keeps a keyed digest of it.
    """

    def __init__(self, database: Database, room: Room) -> None:
        self._book = Keeper(database, "subscription", __name__)
        self._room = room
        self._secrets = database.endpoint.secrets

    def issue(self, offering: str, investment: str, *, actor: str) -> str:
        """Make a sample for an investment and return its id; one that is open is replaced.

        Refuses ``offer_has_a_packet_form``, ``investment_exists`` and ``consent_samples_are_few``.
        """
        made = self.prepared(offering)
        self._book.issue_sample(actor=actor, offering=offering, investment=investment, **made)
        return str(made["sample"])

    def prepared(self, offering: str) -> dict[str, object]:
        """Return what is kept of a fresh sample: its id, template, form, statement, the digest of its code.

        Refuses ``offer_has_a_packet_form``.
        """
        form = self._book.sample_form(offering=offering)
        if form is None:
            raise Refused("offer_has_a_packet_form", offering)
        sample = new_id("csm")
        said = _said(form, clock.now().strftime(_TIME), self.code(sample))
        return {
            "sample": sample,
            "template": _TEMPLATE,
            "item_version": _ITEM_VERSION,
            "form": form["ordinal"],
            "statement": self._room.statement(_TEMPLATE, said).encode(),
            "code_mac": self._mac(sample, self.code(sample)),
        }

    def offer_of(self, investment: str) -> str:
        """Return the offer of an investment; raises UnknownRecord ``investment_exists``."""
        offering: str | None = self._book.offer_of_investment(investment=investment)
        if offering is None:
            raise UnknownRecord("investment_exists", f"there is no {investment}")
        return offering

    def waiting(self, offering: str, investment: str) -> str | None:
        """Return the sample of an investment that waits for its code, or None."""
        found: str | None = self._book.open_sample(offering=offering, investment=investment)
        return found

    def statement(self, offering: str, investment: str, sample: str) -> str:
        """Return the statement that a sample shows, without its code; refuses ``consent_sample_exists``."""
        return bytes(self._row(offering, investment, sample)["statement"]).decode()

    def open(self, offering: str, investment: str, sample: str) -> bytes:
        """Return the sample as PDF, the same bytes each time; refuses ``consent_sample_exists``."""
        row = self._row(offering, investment, sample)
        said = _said(row, row["issued_at"].strftime(_TIME), self.code(sample))
        return self._room.sample(row["template_id"], said).content

    def confirm(self, offering: str, investment: str, sample: str, *, code: str, actor: str) -> None:
        """Take the code that was read in the sample; repeated, the right one changes nothing.

        Refuses ``code_is_the_printed_one`` with the tries that are left, of five, and after the last
        ``sample_waits_for_its_code``. Each try is on record, what was typed is not.
        """
        left: int | None = self._book.try_sample_code(
            actor=actor,
            offering=offering,
            investment=investment,
            sample=sample,
            code_mac=self.typed(sample, code),
        )
        if left is not None:
            raise missed(left)

    def typed(self, sample: str, code: str) -> bytes:
        """Return the keyed digest of a code as somebody typed it; case, spaces and hyphens do not matter."""
        return self._mac(sample, "".join(code.split()).replace("-", "").upper()[:64])

    def give(self, offering: str, investment: str, sample: str, *, actor: str) -> str:
        """Record the consent and return its id; refuses ``consent_follows_an_opened_sample``."""
        particular = new_id("prt")
        self._book.consent(
            actor=actor, offering=offering, investment=investment, particular=particular, sample=sample
        )
        return particular

    def withdraw(self, offering: str, investment: str, *, actor: str) -> None:
        """End the consent: what is in force and what comes later goes on paper.

        Refuses ``records_consent_stands``.
        """
        self._book.withdraw_consent(actor=actor, offering=offering, investment=investment)

    def papers(self, offering: str) -> Sequence[Row]:
        """Return what is to go on paper to investors of an offer, oldest first, then what went."""
        found: Sequence[Row] = self._book.paper_deliveries(offering=offering)
        return found

    def sent(self, offering: str, delivery: str, how: str, *, actor: str) -> None:
        """Record how a record was sent on paper; refuses ``paper_delivery_exists`` and who says not how."""
        self._book.record_paper(actor=actor, offering=offering, delivery=delivery, how=how)

    def code(self, sample: str) -> str:
        """Return the code that is printed in a sample: eight letters and digits, other ones in each."""
        digest = hmac.digest(self._secrets.obtain(_CODES).encode(), sample.encode(), "sha256")
        return "".join(_LETTERS[byte & 31] for byte in digest[:_LENGTH])

    def _mac(self, sample: str, code: str) -> bytes:
        return Vault.of(self._secrets).blind(f"consent_sample/{sample}", code)

    def _row(self, offering: str, investment: str, sample: str) -> Row:
        row: Row | None = self._book.sample(offering=offering, investment=investment, sample=sample)
        if row is None:
            raise UnknownRecord("consent_sample_exists", f"there is no {sample}")
        return row


def missed(left: int) -> Refused:
    """Return the refusal of a wrong code: ``code_is_the_printed_one`` with the tries that are left."""
    more = f"{left} {'try' if left == 1 else 'tries'} left" if left else "ask for a new sample"
    return Refused("code_is_the_printed_one", more)


def _said(form: Row, as_of: str, code: str) -> Snapshot:
    return {
        "as_of": as_of,
        "issuer_name": form["issuer_name"],
        "offer_name": form["offer_name"],
        "contact": form["records_contact"],
        "paper_fee": form["paper_fee"],
        "code": code,
    }
