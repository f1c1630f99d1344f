"""What an officer may decide on each kind of work, and the verb that carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, File, Form, UploadFile

from bookrunner.books import compliance, portal
from bookrunner.core.errors import Refused
from bookrunner.db import Database

# What may be chosen in a state: the choice, what it says, and what follows.
Choice = tuple[str, str, str]

_AGAIN = ("sent_back", "Send back", "It waits for a first decision again.")
_VERIFIED = ("verified", "Verified", "Who this is stands; the screening is a check of its own.")
CHOICES: Mapping[tuple[str, str], Sequence[Choice]] = {
    ("discrepancy", "open"): (
        ("resolved", "Resolved", "The difference is explained and no longer stands in the way."),
        ("upheld", "Upheld", "It stays in the way of the clearance until it is resolved."),
    ),
    ("discrepancy", "upheld"): (("resolved", "Resolved", "The difference is explained after all."),),
    ("identity", "in_review"): (
        ("verified", "Verified", "The profile as it stands now is locked as verified."),
        ("declined", "Declined", "The clearance stays closed; only an officer takes it up again."),
    ),
    ("owner", "unidentified"): (_VERIFIED,),
    ("owner", "identified"): (_VERIFIED,),
    ("accreditation", "pending"): (
        (
            "approved",
            "Approved",
            "Counts until its end, or for as long as the method allows if that is less.",
        ),
        ("info_required", "More evidence", "The investor is asked for what is missing."),
        ("declined", "Declined", "The investor may submit again."),
    ),
    ("accreditation", "info_required"): (("pending", "Take up again", "The review goes on."),),
    ("change", "requested"): (
        (
            "approved",
            "Approved",
            "A new version of the profile stands, and what it touches is checked again.",
        ),
        ("declined", "Declined", "The profile stays as it was verified."),
    ),
    ("diligence", "open"): (("completed", "Completed", "The findings wait for a second officer."),),
    ("diligence", "completed"): (
        ("approved", "Approved", "The diligence no longer stands in the way."),
        ("sent_back", "Send back", "The first officer looks again."),
    ),
    ("hit", "open"): (
        ("no_match", "No match", "The pair does not come back until either side changes."),
        ("confirmed", "Confirmed", "A second officer agrees; then everything in flight stops."),
        ("escalated", "Escalated", "Somebody else decides."),
    ),
    ("hit", "escalated"): (
        ("no_match", "No match", "The pair does not come back until either side changes."),
        ("confirmed", "Confirmed", "A second officer agrees; then everything in flight stops."),
    ),
    ("hit", "proposed"): (("agreed", "Agree", "The first decision counts from now on."), _AGAIN),
    ("hit", "confirmed"): (
        ("release", "Propose to end the block", "By a licence or a delisting; a second officer agrees."),
    ),
    ("report", "due"): (("filed", "Filed", "The proof is kept for as long as the rule says."),),
    ("hit", "release_proposed"): (
        ("agreed", "Agree", "The block ends from now on."),
        ("sent_back", "Refuse", "The block goes on."),
    ),
}


@dataclass(frozen=True, slots=True)
class Checked:
    """What an officer verified of an identity: elements, sources, the digest of the profile seen."""

    sources: str = ""
    elements: tuple[str, ...] = ()
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as the form sent it: the version seen, the choice, the reason, and what belongs to it."""

    seen: int = 0
    choice: str = ""
    reason: str = ""
    method: str = ""
    valid_until: str = ""
    paper: bytes = b""
    checked: Checked = field(default_factory=Checked)


_Line = Annotated[str, Form(max_length=4000)]
_Paper = Annotated[UploadFile | None, File()]


def checked(
    *, sources: _Line = "", elements: Annotated[tuple[str, ...], Form()] = (), digest: _Line = ""
) -> Checked:
    """Read from the form what was verified of an identity."""
    return Checked(sources, elements, digest)


def paper_of(paper: _Paper = None) -> bytes:
    """Read a file from the form: no more than may be kept, and one byte."""
    return b"" if paper is None else paper.file.read(compliance.MOST_BYTES + 1)


def decision(
    *,
    seen: Annotated[int, Form(ge=0)],
    choice: _Line = "",
    reason: _Line = "",
    method: _Line = "",
    valid_until: _Line = "",
    paper: Annotated[bytes, Depends(paper_of)],
    of_identity: Annotated[Checked, Depends(checked)],
) -> Decision:
    """Read a decision from the form."""
    return Decision(seen, choice, reason, method, valid_until, paper, of_identity)


@dataclass(frozen=True, slots=True)
class Officer:
    """Who decides, over the books whose verbs carry decisions out; every rule is the database's."""

    database: Database
    actor: str

    def decide(self, kind: str, scope: str, item: str, said: Decision) -> None:
        """Carry out a decision on the version that was seen.

        Refuses ``decision_is_one_of_those_offered`` and whatever the verb refuses; VersionChanged when the
        record has moved on.
        """
        verbs: Mapping[str, Callable[[str, str, Decision], None]] = {
            "hit": self._hit,
            "discrepancy": self._discrepancy,
            "identity": self._identity,
            "owner": self._owner,
            "report": self._report,
            "accreditation": self._accreditation,
            "change": self._change,
            "diligence": self._diligence,
        }
        offered = {choice for (of, _), choices in CHOICES.items() if of == kind for choice, _, _ in choices}
        if said.choice not in offered:
            raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")
        verbs[kind](scope, item, said)

    def take(self, scope: str, item: str, *, back: bool) -> None:
        """Take work that waits, or give back one's own; refuses ``taken_work_waits`` for other work."""
        keeper = compliance.keeper(self.database)
        verb = keeper.give_back_item if back else keeper.take_item
        verb(actor=self.actor, scope=scope, item=item)

    def add_evidence(self, scope: str, kind: str, paper: bytes) -> None:
        """Put a file on record as evidence of an accreditation; refuses what `keep_file` refuses."""
        keeper = compliance.keeper(self.database)
        digest = compliance.keep_file(keeper, scope, paper, actor=self.actor)
        keeper.add_evidence(actor=self.actor, investor=scope, kind=kind, sha256=digest)

    def _hit(self, scope: str, item: str, said: Decision) -> None:
        keeper = compliance.keeper(self.database)
        on = {"actor": self.actor, "subject": scope, "hit": item, "because": said.reason, "seen": said.seen}
        if said.choice in {"agreed", "sent_back"}:
            keeper.second_hit(**on, is_agreed=said.choice == "agreed")
        elif said.choice == "release":
            keeper.propose_release(**on, evidence_sha256=self._paper(scope, said))
        else:
            keeper.decide_hit(**on, decision=said.choice)

    def _discrepancy(self, scope: str, item: str, said: Decision) -> None:
        compliance.keeper(self.database).decide_discrepancy(
            actor=self.actor,
            investor=scope,
            discrepancy=item,
            is_resolved=said.choice == "resolved",
            because=said.reason,
            seen=said.seen,
        )

    def _identity(self, scope: str, _: str, said: Decision) -> None:
        keeper = compliance.keeper(self.database)
        on = {"actor": self.actor, "investor": scope, "seen": said.seen}
        if said.choice == "declined":
            keeper.decline_case(**on, because=said.reason)
            return
        evidence = self._kept(scope, said, "what was checked is the evidence")
        verification = {
            "method": "non_documentary",
            "elements": list(said.checked.elements),
            "sources": [line.strip() for line in said.checked.sources.splitlines() if line.strip()],
            "evidence_sha256": evidence.hex(),
            "verified_digest": said.checked.digest,
            "valid_until": _end_of(said.valid_until),
        }
        keeper.verify_identity(**on, verification=verification)

    def _owner(self, scope: str, item: str, said: Decision) -> None:
        keeper = compliance.keeper(self.database)
        evidence = self._kept(scope, said, "what was checked is the evidence")
        keeper.verify_owner(
            actor=self.actor, investor=scope, owner=item, evidence_sha256=evidence, seen=said.seen
        )

    def _report(self, scope: str, item: str, said: Decision) -> None:
        keeper = compliance.keeper(self.database)
        subject = keeper.report_subject(investor=scope, report=item)
        proof = self._paper(scope, said)
        keeper.file_report(actor=self.actor, subject=subject, report=item, filed_sha256=proof, seen=said.seen)

    def _paper(self, scope: str, said: Decision) -> bytes | None:
        """Seal the paper that came with a decision and return its digest; None where none came."""
        if not said.paper:
            return None
        return compliance.keep_file(compliance.keeper(self.database), scope, said.paper, actor=self.actor)

    def _kept(self, scope: str, said: Decision, why: str) -> bytes:
        """Seal what was written and return its digest."""
        if not said.reason.strip():
            raise Refused("decision_has_its_reason", why)
        keeper = compliance.keeper(self.database)
        return compliance.keep_file(keeper, scope, said.reason.encode(), actor=self.actor)

    def _accreditation(self, scope: str, _: str, said: Decision) -> None:
        keeper = compliance.keeper(self.database)
        on = {"actor": self.actor, "investor": scope, "because": said.reason, "seen": said.seen}
        if said.choice == "approved":
            keeper.approve_accreditation(**on, method=said.method, valid_until=_end_of(said.valid_until))
        else:
            keeper.move_accreditation(**on, status=said.choice)

    def _change(self, scope: str, item: str, said: Decision) -> None:
        portal.keeper(self.database).decide_change(
            actor=self.actor,
            investor=scope,
            change=item,
            is_approved=said.choice == "approved",
            because=said.reason,
            seen=said.seen,
        )

    def _diligence(self, scope: str, item: str, said: Decision) -> None:
        keeper = compliance.keeper(self.database)
        on = {"actor": self.actor, "investor": scope, "diligence": item, "seen": said.seen}
        if said.choice == "completed":
            findings = self._kept(scope, said, "the findings say what was found")
            keeper.complete_diligence(**on, findings_sha256=findings)
        else:
            keeper.decide_diligence(**on, is_approved=said.choice == "approved", because=said.reason)


def _end_of(day: str) -> str | None:
    """Return the first moment after a day in UTC; refuses ``end_is_a_day`` for what is none."""
    if not day:
        return None
    try:
        return datetime.fromisoformat(day).replace(hour=23, minute=59, second=59, tzinfo=UTC).isoformat()
    except ValueError:
        raise Refused("end_is_a_day", "write the day as 2027-01-31") from None
