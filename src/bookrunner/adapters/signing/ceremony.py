"""The signing of one packet: fields, the investor's signatures, countersignature, sealed certificate."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

import rfc8785
from pyhanko.sign.timestamps import TimeStamper

from bookrunner.adapters.documents.certificate import SEAL, render_certificate, render_closing
from bookrunner.adapters.documents.packet import INVESTOR, ISSUER, signer_fields
from bookrunner.adapters.documents.render import Rendered
from bookrunner.adapters.documents.snapshot import Snapshot, check_letters
from bookrunner.adapters.documents.template import SHELF, load_template
from bookrunner.adapters.documents.typesetter import Typesetter
from bookrunner.adapters.signing.authority import Credential, Trust
from bookrunner.adapters.signing.certificates import Holder
from bookrunner.adapters.signing.execution import (
    Expected,
    ExpectedSigner,
    Verdict,
    verify_executed,
    verify_investor_signed,
    verify_partly_signed,
)
from bookrunner.adapters.signing.pades import Act, PadesSigner, SignedFile, with_fields
from bookrunner.core import clock
from bookrunner.core.errors import Refused

_STAMP = ("signature_stamp", "1.0.0")
_CERTIFICATE = ("audit_certificate", "1.2.0")
_CLOSING = ("closing_certificate", "1.0.0")


class Authority(Protocol):
    """Who issues certificates to parties; the sandbox's own, or a certificate authority under contract."""

    def issue(self, holder: Holder) -> Credential:
        """Return a new credential of this party for this envelope."""

    def sealing(self) -> Credential:
        """Return the platform's seal."""

    def trust(self) -> Trust:
        """Return roots, certificates in between and current revocation lists."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who signs: id of the party, name as it stands on the paper, capacity such as ``Trustee``."""

    id: str
    name: str
    capacity: str


@dataclass(frozen=True, slots=True)
class Envelope:
    """One packet on its way to being executed: id, rendered file, who signs in which field.

    ``signers`` are the investor's, by field; all of them sign, in any order, before the issuer.
    """

    id: str
    rendered: Rendered
    signers: Mapping[str, Party]
    issuer: Party

    def party(self, field: str) -> Party:
        """Return who signs in a field; refuses ``signer_is_a_party_of_the_packet``."""
        if field == ISSUER:
            return self.issuer
        if field not in self.signers:
            raise Refused("signer_is_a_party_of_the_packet", f"{self.id} has no field {field}")
        return self.signers[field]


def envelope_for(name: str, rendered: Rendered, data: Snapshot) -> Envelope:
    """Return the envelope of a packet, whose parties are those that its snapshot names.

    Refuses ``envelope_is_of_the_rendered_data`` when the snapshot is not the one that was rendered.
    """
    if hashlib.sha256(rfc8785.dumps(dict(data))).hexdigest() != rendered.data_sha256:
        raise Refused("envelope_is_of_the_rendered_data", name)
    people = (*data["signers"], data["countersigner"])
    *signers, issuer = (Party(each["party_id"], each["name"], each["capacity"]) for each in people)
    return Envelope(name, rendered, dict(zip(signer_fields(data), signers, strict=True)), issuer)


@dataclass(frozen=True, slots=True)
class Signed:
    """A file after a signature, with the verdict on all of it; ``serial`` is the new certificate's number."""

    content: bytes
    sha256: str
    serial: int
    verdict: Verdict


class Ceremony:
    """Signs and checks packets; nothing is kept here, the caller stores what each step returns."""

    def __init__(
        self,
        authority: Authority,
        time_stamper: TimeStamper,
        typesetter: Typesetter,
        *,
        shelf: Path = SHELF,
        read_clock: Callable[[], datetime] = clock.now,
    ) -> None:
        self._authority = authority
        self._typesetter = typesetter
        self._signer = PadesSigner(load_template(*_STAMP, shelf), typesetter, time_stamper)
        self._certificate = load_template(*_CERTIFICATE, shelf)
        self._closing = load_template(*_CLOSING, shelf)
        self._now = read_clock

    def sign(
        self,
        envelope: Envelope,
        *,
        intent: str,
        field: str = INVESTOR,
        after: tuple[bytes, Expected] | None = None,
    ) -> Signed:
        """Return the packet signed by one of the investor's, who was shown ``intent`` and agreed to it.

        The first to sign certifies the file. ``after`` is the file that others signed before, with what it
        has to be; it is verified first. Refuses ``signer_is_a_party_of_the_packet``,
        ``each_signer_signs_once`` and what :meth:`PadesSigner.sign` and :func:`verify_partly_signed` refuse.
        """
        serials: dict[str, int] = {}
        if field == ISSUER:
            raise Refused("signer_is_a_party_of_the_packet", "the issuer countersigns")
        if after is None:
            content = with_fields(envelope.rendered.content, envelope.rendered.boxes)
        else:
            content = after[0]
            serials = {name: signer.serial for name, signer in after[1].signers.items()}
            if field in serials:
                raise Refused("each_signer_signs_once", field)
            verify_partly_signed(*after, read_clock=self._now)
        made = self._sign(envelope, content, field=field, intent=intent)
        expected = self.expected(envelope, sha256=made.sha256, **serials, **{field: made.serial})
        verdict = verify_partly_signed(made.content, expected, read_clock=self._now)
        return Signed(made.content, made.sha256, made.serial, verdict)

    def countersign(self, envelope: Envelope, signed: bytes, *, investor: Expected, intent: str) -> Signed:
        """Return the executed packet; ``investor`` is what the signed file has to be before.

        Refuses what :func:`verify_investor_signed`, :meth:`PadesSigner.sign` and :func:`verify_executed`
        refuse, in this order; nothing is signed when the first one does.
        """
        verify_investor_signed(signed, investor, read_clock=self._now)
        made = self._sign(envelope, signed, field=ISSUER, intent=intent)
        serials = {name: signer.serial for name, signer in investor.signers.items()}
        expected = self.expected(envelope, sha256=made.sha256, **serials, issuer=made.serial)
        verdict = verify_executed(made.content, expected, read_clock=self._now)
        return Signed(made.content, made.sha256, made.serial, verdict)

    def certify(self, evidence: Snapshot) -> tuple[Rendered, SignedFile]:
        """Return the audit certificate of an executed packet, as rendered and with the platform's seal."""
        rendered = render_certificate(self._certificate, evidence, self._typesetter)
        said = "The facts in this certificate were recorded as they happened."
        return rendered, self._sealed(rendered, evidence["envelope"], said)

    def certify_closing(self, data: Snapshot) -> SignedFile:
        """Return the certificate of a closing with the platform's seal."""
        rendered = render_closing(self._closing, data, self._typesetter)
        return self._sealed(
            rendered, data["envelope"], "This sheet states what the record of the closing states."
        )

    def trust(self) -> Trust:
        """Return whom this ceremony trusts now."""
        return self._authority.trust()

    def expected(self, envelope: Envelope, *, sha256: str | None = None, **serials: int) -> Expected:
        """Return what a file of this envelope has to be, given the serial number of each signed field."""
        signers = {
            field: ExpectedSigner(serial, envelope.party(field).id, envelope.id)
            for field, serial in serials.items()
        }
        rendered = envelope.rendered
        return Expected(rendered.content, rendered.boxes, signers, self._authority.trust(), sha256)

    def _sealed(self, rendered: Rendered, envelope: str, intent: str) -> SignedFile:
        act = Act(
            field=SEAL,
            name="Bookrunner",
            capacity="Platform",
            envelope=envelope,
            intent=intent,
            signed_at=self._now(),
            box=rendered.boxes[SEAL],
        )
        prepared = with_fields(rendered.content, rendered.boxes)
        return self._signer.sign(prepared, act, self._authority.sealing(), self._authority.trust())

    def _sign(self, envelope: Envelope, content: bytes, *, field: str, intent: str) -> SignedFile:
        party = envelope.party(field)
        check_letters({"intent": intent, "name": party.name, "capacity": party.capacity})
        act = Act(
            field=field,
            name=party.name,
            capacity=party.capacity,
            envelope=envelope.id,
            intent=intent,
            signed_at=self._now(),
            box=envelope.rendered.boxes[field],
        )
        credential = self._authority.issue(Holder(party.name, party.id, envelope.id))
        return self._signer.sign(content, act, credential, self._authority.trust())
