"""Signing through the book: what was verified is stored, and only what is stored counts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bookrunner.adapters.documents import ISSUER, Rendered, SignatureBox
from bookrunner.adapters.signing import (
    Ceremony,
    Envelope,
    EnvelopeEvent,
    Expected,
    Party,
    Signed,
    SigningProvider,
    Verdict,
    accept_executed,
    accept_signed,
    envelope_for,
    verify_executed,
)
from bookrunner.adapters.vault import Vault
from bookrunner.books.subscription.packets.archive import Archive
from bookrunner.books.subscription.packets.certificates import SigningEvidence
from bookrunner.books.subscription.packets.room import Room
from bookrunner.core.errors import NotAllowed, Refused, UnknownRecord
from bookrunner.db import Keeper, Row

_INTENT = "The issuer accepts this subscription and countersigns it."


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one packet in a batch: the rule that kept it from being executed, or none."""

    agreement: str
    refused: str | None


@dataclass(frozen=True, slots=True)
class Heard:
    """Where the packet of an envelope stands with us after a look, and the rule that stopped it, or none."""

    ref: str
    state: str
    refused: str | None


@dataclass(frozen=True, slots=True)
class Made:
    """A file after one signature that passed every check, and the proof that is stored with it."""

    signed: Signed
    proof: dict[str, object]


class PacketDesk:
    """Carries packets from the investor's signatures to the executed file."""

    def __init__(self, packets: Keeper, room: Room) -> None:
        self._packets = packets
        self._room = room
        self._archive = Archive(packets)
        self._vault = Vault.of(packets.database.endpoint.secrets)

    def sign(
        self,
        offering: str,
        agreement: str,
        *,
        actor: str,
        intent: str,
        evidence: SigningEvidence,
        field: str | None = None,
    ) -> Signed:
        """Let one of the investor's signers sign, verify the file and store both with the signature.

        Refuses what :meth:`certified` refuses and, in the database, ``agreement_is_open_for_signature``, a
        gate that has closed, and ``application_is_complete``. Of two signers at once the second is refused
        ``signed_file_continues_the_file_before_it`` and may sign again.
        """
        made = self.certified(offering, agreement, intent=intent, evidence=evidence, field=field)
        self._store("sign_packet", (offering, agreement), made, actor=actor)
        return made.signed

    def certified(
        self,
        offering: str,
        agreement: str,
        *,
        intent: str,
        evidence: SigningEvidence,
        field: str | None = None,
    ) -> Made:
        """Return the packet with one more signature of the investor, verified and not yet stored.

        ``field`` says whose; it may be left out while only one signature is awaited, else
        ``signer_is_named`` is refused. Refuses ``agreement_is_open_for_signature`` when none is, and what the
        ceremony refuses.
        """
        row, envelope = self._row(offering, agreement), self._envelope(offering, agreement)
        awaited = _awaited(row)
        if row["status"] != "sent":
            raise Refused("agreement_is_open_for_signature", f"{agreement} is {row['status']}")
        if field is None and len(awaited) > 1:
            raise Refused("signer_is_named", ", ".join(awaited))
        after = None
        if row["serials"]:
            before = bytes(row["signed_sha256"])
            after = (
                self._archive.fetch(before, actor="signing").content,
                self._expected(envelope, row, before),
            )
        signed = self._ceremony.sign(envelope, intent=intent, field=field or awaited[0], after=after)
        return Made(signed, self._proof(envelope, signed, intent, evidence))

    def awaited(self, offering: str, agreement: str) -> list[str]:
        """Return the fields of a packet in which the investor's signers have not signed yet."""
        return _awaited(self._row(offering, agreement))

    def countersign(
        self,
        offering: str,
        agreement: str,
        *,
        officer: str,
        evidence: SigningEvidence,
        intent: str = _INTENT,
    ) -> Signed:
        """Let one officer countersign; the packet is executed when all checks hold on the stored bytes.

        Refuses the hindrance that :meth:`preview` names, before anything is signed, and what the ceremony
        refuses. Of two officers at once the second is refused ``agreement_waits_for_the_issuer``.
        """
        self._refuse_hindered(offering, agreement, officer)
        made = self.executed(offering, agreement, officer=officer, intent=intent, evidence=evidence)
        self._store("countersign_packet", (offering, agreement), made, actor=officer)
        return made.signed

    def executed(
        self,
        offering: str,
        agreement: str,
        *,
        officer: str,
        evidence: SigningEvidence,
        intent: str = _INTENT,
    ) -> Made:
        """Return the packet with this officer's countersignature, verified and not yet stored."""
        row = self._row(offering, agreement)
        if row["status"] != "investor_signed":
            raise Refused("agreement_waits_for_the_issuer", agreement)
        envelope = self._envelope(offering, agreement, officer)
        digest = bytes(row["signed_sha256"])
        signed = self._archive.fetch(digest, actor=officer).content
        before = self._expected(envelope, row, digest)
        closed = self._ceremony.countersign(envelope, signed, investor=before, intent=intent)
        return Made(closed, self._proof(envelope, closed, intent, evidence))

    def offer_of(self, agreement: str) -> str:
        """Return the offer of an agreement; raises UnknownRecord."""
        offering: str | None = self._packets.offer_of(agreement=agreement)
        if offering is None:
            raise UnknownRecord("agreement_exists", f"there is no {agreement}")
        return offering

    def preview(
        self, offering: str, *, officer: str, agreements: Sequence[str] | None = None
    ) -> Sequence[Row]:
        """Return each signed packet with its hindrance, the rule that would refuse this officer, or none."""
        found: Sequence[Row] = self._packets.countersign_preview(
            actor=officer, offering=offering, agreements=None if agreements is None else list(agreements)
        )
        return found

    def countersign_many(
        self, offering: str, agreements: Sequence[str], *, officer: str, evidence: SigningEvidence
    ) -> list[Outcome]:
        """Countersign each packet by itself; one that is refused does not keep the others."""
        outcomes = []
        for agreement in agreements:
            try:
                self.countersign(offering, agreement, officer=officer, evidence=evidence)
            except Refused as refused:
                outcomes.append(Outcome(agreement, refused.rule))
            else:
                outcomes.append(Outcome(agreement, None))
        return outcomes

    def verify(self, offering: str, agreement: str, *, actor: str) -> Verdict:
        """Check the stored bytes of an executed packet again; refuses the first broken rule."""
        row = self._row(offering, agreement)
        if row["executed_sha256"] is None:
            raise Refused("agreement_is_executed", agreement)
        digest = bytes(row["executed_sha256"])
        content = self._archive.fetch(digest, actor=actor).content
        return verify_executed(content, self._expected(self._envelope(offering, agreement), row, digest))

    def hand_over(
        self, provider: tuple[str, SigningProvider], packet: tuple[str, str], *, officer: str, until: datetime
    ) -> str:
        """Give a packet to a provider, which asks the investor, then this officer; return its reference.

        Refuses what :meth:`offered` refuses and ``packet_is_handed_over_once``.
        """
        ref = self.offered(provider, packet, officer=officer, until=until)
        self._packets.record_envelope(
            actor=officer,
            offering=packet[0],
            agreement=packet[1],
            provider=provider[0],
            ref=ref,
            signatory=officer,
        )
        return ref

    def offered(
        self, provider: tuple[str, SigningProvider], packet: tuple[str, str], *, officer: str, until: datetime
    ) -> str:
        """Return a provider's reference for a packet, which is not recorded yet; repeated, it is the same.

        ``provider`` is a name and the provider, ``packet`` an offer and an agreement. Refuses
        ``signatory_has_recorded_authority`` and what the provider refuses.
        """
        envelope = self._envelope(*packet, officer)
        return provider[1].create(envelope, expires_at=until, idempotency_key=packet[1])

    def hear(
        self, provider: tuple[str, SigningProvider], headers: Iterable[tuple[str, str]], body: bytes
    ) -> list[Heard]:
        """Keep a provider's message once, and take it as a hint to look at each envelope that it names.

        A repetition looks again, which changes nothing. Refuses each rule of a webhook, ``envelope_exists``
        and ``message_id_has_one_body``.
        """
        heard = []
        for notice in provider[1].verify_webhook(headers, body):
            self._packets.receive_message(
                provider=f"signatures.{provider[0]}", message=notice.id, body=body, key_id=""
            )
            heard.append(self.look_in_turn(provider, notice.ref))
        return heard

    def look_in_turn(self, provider: tuple[str, SigningProvider], ref: str) -> Heard:
        """Look at an envelope; what our checks or gates refuse is said and not raised."""
        try:
            return Heard(ref, self.look(provider, ref), None)
        except UnknownRecord:
            raise
        except Refused as refused:
            known = self._packets.envelope(provider=provider[0], ref=ref)
            state = self._state((known["offering_id"], known["agreement_id"]))
            return Heard(ref, state, refused.rule)

    def waiting(self) -> Sequence[tuple[str, str]]:
        """Return name and reference of each envelope at a provider whose packet is not executed or ended."""
        return [(row["provider"], row["ref"]) for row in self._packets.open_envelopes()]

    def look(self, provider: tuple[str, SigningProvider], ref: str) -> str:
        """Fetch what a provider has of an envelope, verify it here, store what holds; return our own state.

        The provider's word moves nothing: its bytes pass the same checks and gates as those signed here.
        """
        name, port = provider
        known = self._packets.envelope(provider=name, ref=ref)
        if known is None:
            raise UnknownRecord("envelope_exists", f"{name} carries no {ref} for us")
        packet = known["offering_id"], known["agreement_id"]
        said, intent = port.status(ref), f"Signed with {name}."
        envelope = self._envelope(*packet, known["signatory_id"])
        kept = f"kept by {name}"
        evidence = SigningEvidence(f"as {name} does", kept, kept, ref)
        if said in {EnvelopeEvent.SIGNED, EnvelopeEvent.COMPLETED} and self._state(packet) == "sent":
            steps = accept_signed(port, ref, envelope, self._ceremony.trust())
            for step in steps[len(self._row(*packet)["serials"]) :]:
                signed = _as_signed(*step)
                made = Made(signed, self._proof(envelope, signed, intent, evidence))
                self._store("sign_packet", packet, made, actor=name)
        if said is EnvelopeEvent.COMPLETED and self._state(packet) == "investor_signed":
            self._refuse_hindered(*packet, known["signatory_id"])
            signed = _as_signed(*accept_executed(port, ref, envelope, self._ceremony.trust()))
            made = Made(signed, self._proof(envelope, signed, intent, evidence))
            self._store("countersign_packet", packet, made, actor=envelope.issuer.id)
        return self._state(packet)

    @property
    def _ceremony(self) -> Ceremony:
        return self._room.ceremony

    def _state(self, packet: tuple[str, str]) -> str:
        state: str = self._row(*packet)["status"]
        return state

    def _row(self, offering: str, agreement: str) -> Row:
        row: Row | None = self._packets.packet(offering=offering, agreement=agreement)
        if row is None:
            raise UnknownRecord("agreement_exists", f"there is no packet {agreement} in {offering}")
        return row

    def _refuse_hindered(self, offering: str, agreement: str, officer: str) -> None:
        found = self.preview(offering, officer=officer, agreements=[agreement])
        if not found:
            raise Refused("agreement_waits_for_the_issuer", agreement)
        if found[0]["hindrance"] is not None:
            raise Refused(found[0]["hindrance"], agreement)

    def _envelope(self, offering: str, agreement: str, officer: str | None = None) -> Envelope:
        row = self._row(offering, agreement)
        reader = officer or "signing"
        data = self._archive.fetch(bytes(row["data_sha256"]), actor=reader).content
        content = self._archive.fetch(bytes(row["document_sha256"]), actor=reader).content
        envelope = envelope_for(agreement, _rendered(row, content), json.loads(data))
        if officer is not None:
            return replace(envelope, issuer=self._officer(offering, officer))
        if row["issuer_signer"] is not None:
            signer = Party(row["issuer_signer"], row["issuer_name"], row["issuer_capacity"])
            return replace(envelope, issuer=signer)
        return envelope

    def _officer(self, offering: str, officer: str) -> Party:
        found = self._packets.signatory(offering=offering, signatory=officer)
        if found is None:
            raise NotAllowed("signatory_has_recorded_authority", officer)
        return Party(officer, found["name"], found["capacity"])

    def _expected(self, envelope: Envelope, row: Row, digest: bytes) -> Expected:
        """Return what the file of this digest has to be, signed by those whose signatures are stored."""
        serials = {field: int(serial, 16) for field, serial in row["serials"].items()}
        return self._ceremony.expected(envelope, sha256=digest.hex(), **serials)

    def _proof(
        self, envelope: Envelope, made: Signed, intent: str, evidence: SigningEvidence
    ) -> dict[str, object]:
        field = made.verdict.signatures[-1].field
        known = evidence.sealed(self._vault, envelope.id, field)
        return {"party": field, **_proof(envelope.party(field), made, intent, known)}

    def _store(self, verb: str, packet: tuple[str, str], made: Made, *, actor: str) -> None:
        getattr(self._packets, verb)(
            actor=actor,
            offering=packet[0],
            agreement=packet[1],
            proof=made.proof,
            content=made.signed.content,
        )


def _awaited(row: Row) -> list[str]:
    return sorted(row["boxes"].keys() - row["serials"].keys() - {ISSUER})


def _as_signed(content: bytes, verdict: Verdict) -> Signed:
    return Signed(content, verdict.sha256, verdict.signatures[-1].serial, verdict)


def _proof(party: Party, made: Signed, intent: str, known: dict[str, str | None]) -> dict[str, object]:
    return {
        "evidence": known,
        "signer": party.id,
        "name": party.name,
        "capacity": party.capacity,
        "intent": intent,
        "serial": f"{made.serial:x}",
        "verdict": made.verdict.record(),
    }


def _rendered(row: Row, content: bytes) -> Rendered:
    return Rendered(
        content=content,
        sha256=bytes(row["document_sha256"]).hex(),
        data_sha256=bytes(row["data_sha256"]).hex(),
        template=row["template_id"],
        template_sha256=bytes(row["template_sha256"]).hex(),
        engine_version=row["engine_version"],
        pages=row["pages"],
        boxes={name: SignatureBox(**box) for name, box in row["boxes"].items()},
    )
