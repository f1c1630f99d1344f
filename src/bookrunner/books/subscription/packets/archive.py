"""The archive as it is read: bytes with their hash checked, by hand or through a link that ends."""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import BinaryIO, Final

from bookrunner.adapters import documents
from bookrunner.core import clock
from bookrunner.core.errors import NotAllowed, Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Keeper

_DAMAGED: Final = "archived_bytes_have_their_hash"
_CHECKER: Final = "archive"
_PART: Final = 100
_LINKS: Final = "document-links"
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Stored:
    """The bytes of an archived document and their media type."""

    content: bytes
    media_type: str


class Archive:
    """Reads documents by their SHA-256 and makes links to them; ``packets`` is the keeper of packets."""

    def __init__(self, packets: Keeper, *, read_clock: Callable[[], datetime] = clock.now) -> None:
        self._packets = packets
        self._now = read_clock
        self._checked = b""

    def fetch(self, sha256: bytes, *, actor: str) -> Stored:
        """Return a document, after the database has compared its bytes with its hash.

        Refuses ``document_exists``, ``document_is_not_erased`` and ``archived_bytes_have_their_hash``, which
        is also recorded as damage.
        """
        try:
            row = self._packets.read_document(actor=actor, sha256=sha256)
        except Refused as refused:
            if refused.rule == _DAMAGED:
                # The read was undone; what it found stays, and the next comparison makes a break of it.
                self._packets.check_document(actor=actor, sha256=sha256)
            raise
        return Stored(bytes(row["content"]), row["media_type"])

    def check(self, most: int = _PART) -> bool:
        """Compare the next ``most`` documents with their hashes; false when the last one is passed.

        It goes on where it ended and begins again after that; what differs is recorded as damage.
        """
        last: bytes | None = self._packets.check_documents(actor=_CHECKER, after=self._checked, most=most)
        self._checked = b"" if last is None else bytes(last)
        return last is not None

    def take(self, source: BinaryIO, retention: str, *, investor: str | None, actor: str) -> bytes:
        """Archive an uploaded PDF under a class of retention and return its SHA-256.

        ``investor`` is whose paper it is, so that a legal hold on the investor keeps it; None for a paper
        of no investor. Refuses each rule of :class:`UploadRule`, ``class_of_retention_is_known``,
        ``investor_exists`` and ``erased_document_is_not_filed_again``, with nothing kept.
        """
        content = documents.take_upload(source)
        digest: bytes = bytes(
            self._packets.keep_upload(actor=actor, content=content, retention=retention, investor=investor)
        )
        return digest

    def classify(self, sha256: bytes, retention: str, *, actor: str) -> None:
        """Put a document under a class of retention; refuses ``class_of_retention_is_known``."""
        self._packets.class_document(actor=actor, sha256=sha256, retention=retention)

    def hold(
        self, because: str, *, actor: str, sha256: bytes | None = None, investor: str | None = None
    ) -> str:
        """Place a legal hold on one document or on everything of one investor, and return its id.

        Refuses ``legal_hold_is_on_one_thing`` and ``legal_hold_says_why``.
        """
        hold = new_id("lgh")
        self._packets.place_legal_hold(
            actor=actor, hold=hold, sha256=sha256, investor=investor, because=because
        )
        return hold

    def lift(self, hold: str, because: str, *, actor: str) -> None:
        """Lift a legal hold as another person.

        Refuses ``legal_hold_exists`` and ``legal_hold_is_lifted_by_another_person``.
        """
        self._packets.lift_legal_hold(actor=actor, hold=hold, because=because)

    def erase(self, sha256: bytes, because: str, *, actor: str) -> None:
        """Erase the bytes of a document and keep its hash.

        Refuses ``document_exists``, ``no_legal_hold_stands``, ``retention_has_ended`` and
        ``erased_document_has_a_class_of_retention``.
        """
        self._packets.erase_document(actor=actor, sha256=sha256, because=because)

    def erase_evidence(self, offering: str, agreement: str, because: str, *, actor: str) -> None:
        """Destroy what is sealed of how the signers of an agreement were known; method and moment stay.

        Refuses ``kept_evidence_exists``, ``certificate_comes_before_erasure`` and what keeps any of the files
        that the evidence speaks of: ``no_legal_hold_stands``, ``retention_has_ended``.
        """
        self._packets.erase_evidence(actor=actor, offering=offering, agreement=agreement, because=because)

    def link(self, sha256: bytes, reader: str, *, ttl: timedelta, actor: str) -> str:
        """Return the path under which ``reader`` may fetch a document until ``ttl`` is over, and record it.

        ``reader`` is an investor, a key or a named person. Refuses ``document_link_names_its_reader`` and
        ``document_link_ends_within_a_week``.
        """
        ends_at = (self._now() + ttl).replace(microsecond=0)
        self._packets.make_link(actor=actor, sha256=sha256, reader=reader, ends_at=ends_at)
        until = int(ends_at.timestamp())
        digest = sha256.hex()
        token = self._token(digest, reader, until)
        return f"/v1/documents/{digest}?reader={reader}&until={until}&token={token}"

    def follow(self, digest: str, *, reader: str, until: int, token: str) -> Stored:
        """Return the document of a link and record the fetch.

        A link that was changed or is over raises NotAllowed; ``document_link_exists`` is refused.
        """
        if not _DIGEST.fullmatch(digest) or not hmac.compare_digest(
            token.encode(), self._token(digest, reader, until).encode()
        ):
            raise NotAllowed("document_link_is_ours", "the link was changed")
        if self._now().timestamp() > until:
            raise NotAllowed("document_link_is_not_over", "ask for a new link")
        row = self._packets.follow_link(
            actor=reader, sha256=bytes.fromhex(digest), ends_at=datetime.fromtimestamp(until, UTC)
        )
        return Stored(bytes(row["content"]), row["media_type"])

    def _token(self, digest: str, reader: str, until: int) -> str:
        secret = self._packets.database.endpoint.secrets.obtain(_LINKS).encode()
        return hmac.digest(secret, f"{digest}/{reader}/{until}".encode(), "sha256").hex()
