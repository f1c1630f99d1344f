"""Sealed certificates: how the signers of an executed packet were known, and what a closing issued."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Final

# By module: the names in it stand for a large library, which the first signature imports.
from bookrunner.adapters import signing
from bookrunner.adapters.vault import Vault
from bookrunner.books.subscription.packets.archive import Archive, Stored
from bookrunner.books.subscription.packets.room import Room
from bookrunner.core import clock
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.log import warn
from bookrunner.core.money import grouped
from bookrunner.db import Keeper, Row

if TYPE_CHECKING:
    from bookrunner.adapters.documents import Snapshot

_ACTOR: Final = "certificates"
_MOST: Final = 25
_LONGEST: Final = 300
# A sheet of 10,000 members takes longer to set than the press may work; their record lists them all.
_LISTED: Final = 500
_UNSHOWN: Final = re.compile(r"[^\x20-\x7e]")
_UNNAMED: Final = re.compile(r"[^A-Za-z0-9_.:/-]")


@dataclass(frozen=True, slots=True)
class SigningEvidence:
    """How one signer was known at its signature: the method, and address, browser and session.

    ``authenticated_at`` is None when nobody recorded the moment. What no page could print is shown as ``?``.
    ``is_of_one`` says that the session shows one person, who signs an agreement once.
    """

    method: str
    address: str
    agent: str
    session: str
    authenticated_at: datetime | None = None
    is_of_one: bool = False

    def sealed(self, vault: Vault, agreement: str, party: str) -> dict[str, str | None]:
        """Return what is stored: address, browser and session under a key that serves nothing else."""
        context = f"{agreement}/{party}"
        wrapped = vault.new_key(context)
        personal = {
            "address": _line(self.address),
            "agent": _line(self.agent),
            "session": _UNNAMED.sub("_", self.session)[:80] or "none",
        }
        return {
            "method": _line(self.method),
            "at": None if self.authenticated_at is None else self.authenticated_at.isoformat(),
            "session_sha256": sha256(f"{agreement}/{self.session}".encode()).hexdigest()
            if self.is_of_one
            else None,
            "wrapped": wrapped.hex(),
            "sealed": vault.seal(wrapped, context, "signing", json.dumps(personal).encode()).hex(),
        }


class Certificates:
    """Makes the certificate of each executed packet and the sheet of each closing once, from stored facts."""

    def __init__(self, packets: Keeper, room: Room) -> None:
        self._packets = packets
        self._room = room
        self._archive = Archive(packets)
        self._vault = Vault.of(packets.database.endpoint.secrets)

    def make_due(self, most: int = _MOST) -> int:
        """Make and archive the certificates that are due, at most ``most``; return how many were made.

        One that is refused, such as while no time-stamp is given, stays due and does not keep the others.
        """
        made = 0
        for row in self._packets.certificates_due(most=most):
            try:
                made += self.make(row["offering_id"], row["agreement_id"])
            except Refused as refused:
                warn("a certificate is refused", subject=row["agreement_id"], rule=refused.rule)
        return made

    def make_all(self) -> bool:
        """Make every certificate that is due; return whether some stay due because they were refused."""
        while self.make_due():
            pass
        return bool(self._packets.certificates_due(most=1))

    def make(self, offering: str, agreement: str) -> bool:
        """Make one certificate and archive it; false when another process did.

        Refuses what :meth:`Ceremony.certify` and the archive refuse.
        """
        _, sealed = self._room.ceremony.certify(self.evidence(offering, agreement))
        is_kept: bool = self._packets.keep_certificate(
            actor=_ACTOR, offering=offering, agreement=agreement, content=sealed.content
        )
        return is_kept

    def sheet(self, offering: str, closing: str) -> Stored:
        """Return the sealed sheet of a certified closing; whoever asks first has it made, once.

        Raises NotFound where the closing has no certificate. Refuses what :meth:`Ceremony.certify_closing`
        and the archive refuse.
        """
        where = {"offering": offering, "closing": closing}
        if self._packets.closing_sheet(**where) is None:
            record = self._packets.closing_record(**where)
            if record is None:
                raise NotFound(f"{closing} has no certificate")
            sealed = self._room.ceremony.certify_closing(_closing(record))
            self._packets.keep_closing_sheet(actor=_ACTOR, **where, content=sealed.content)
        return self._archive.fetch(bytes(self._packets.closing_sheet(**where)), actor=_ACTOR)

    def evidence(self, offering: str, agreement: str) -> Snapshot:
        """Return what the certificate of an executed packet states, in the shape of its template.

        Refuses ``signing_evidence_is_not_erased``.
        """
        where = {"offering": offering, "agreement": agreement}
        facts: Row = self._packets.certificate_facts(**where)
        signers: list[Row] = list(self._packets.signers_of(**where))
        data = json.loads(self._archive.fetch(bytes(facts["data_sha256"]), actor=_ACTOR).content)
        if any(row["wrapped"] is None for row in signers):
            raise Refused("signing_evidence_is_not_erased", agreement)
        *_, last, countersigned = signers
        executed = countersigned["verdict"]
        return {
            "as_of": clock.now().strftime("%Y-%m-%dT%H:%M:%SZ"),
            "envelope": agreement,
            "offer": offering,
            "investment": facts["investment_id"],
            "template": facts["template_id"],
            "template_sha256": bytes(facts["template_sha256"]).hex(),
            "pages": facts["pages"],
            "hashes": {
                "rendered": bytes(facts["document_sha256"]).hex(),
                "investor_signed": bytes(last["sha256"]).hex(),
                "executed": bytes(facts["executed_sha256"]).hex(),
            },
            "signers": [self._signer(facts, row, data) for row in signers],
            "happenings": [
                {"at": _when(row["occurred_at"]), "kind": row["kind"], "detail": f"by {row['actor']}"}
                for row in self._packets.happenings(**where)
            ],
            "verdict": {
                "checks": [rule.value for rule in signing.ExecutionRule],
                "tools": executed["tools"],
                "verified_at": _when(datetime.fromisoformat(executed["verified_at"])),
            },
            "retention": "executed_agreement",
            "chain_head": bytes(facts["chain_head"]).hex(),
        }

    def _signer(self, facts: Row, row: Row, data: Snapshot) -> dict[str, object]:
        is_investor = row["party"] != "issuer"
        context = f"{facts['agreement_id']}/{row['party']}"
        opened = self._vault.open(bytes(row["wrapped"]), context, "signing", bytes(row["sealed"]))
        known = {"method": row["method"]}
        if row["authenticated_at"] is not None:
            known["at"] = _when(row["authenticated_at"])
        signer: dict[str, object] = {
            "party": row["signer"],
            "name": row["name"],
            "capacity": row["capacity"],
            "authority": _authority(data, row["signer"]) if is_investor else row["authority"],
            "authentication": known,
            "intent": row["intent"],
            "materials": _materials(data) if is_investor else [],
            "sent_at": _when(facts["sent_at"]),
            "signed_at": _when(row["signed_at"]),
            "serial": row["serial"],
            **json.loads(opened),
        }
        if is_investor:
            consent = data["consent"]
            signer["consent"] = {
                "version": consent["version"],
                "sha256": consent["sha256"],
                "at": consent["given_at"],
            }
        stamped = row["verdict"]["signatures"][-1]["stamped_at"]
        if stamped is not None:
            signer["stamped_at"] = _when(datetime.fromisoformat(stamped))
        return signer


def _closing(row: Row) -> Snapshot:
    """Return what the sheet of a closing states, from the record of its certificate."""
    said, code = json.loads(row["canonical"]), row["currency"]
    members = said["members"]
    return {
        "as_of": row["issued_at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "envelope": row["closing_id"],
        "offer": row["offering_id"],
        "offer_name": row["name"],
        "number": str(said["number"]),
        "count": f"{len(members):,}",
        "units": f"{sum(each['units'] for each in members):,}",
        "amount": grouped(sum(each["amount_minor"] for each in members), code),
        "record": bytes(row["sha256"]).hex(),
        "root": said["root"],
        "set": said["set_sha256"],
        "members": [
            {
                "investment": each["investment"],
                "units": f"{each['units']:,}",
                "amount": grouped(each["amount_minor"], code),
                "transaction": each["transaction"],
                "facts": each["facts_sha256"],
            }
            for each in (members if len(members) <= _LISTED else [])
        ],
    }


def _authority(data: Snapshot, party: str) -> str:
    (authority,) = (each["authority"] for each in data["signers"] if each["party_id"] == party)
    return str(authority)


def _materials(data: Snapshot) -> list[dict[str, str]]:
    return [{"title": item["title"], "sha256": item["sha256"]} for item in data["materials"]]


def _line(text: str) -> str:
    return _UNSHOWN.sub("?", text)[:_LONGEST].strip() or "not recorded"


def _when(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
