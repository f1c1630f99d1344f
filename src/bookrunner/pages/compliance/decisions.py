"""What an officer may decide on each kind of work, and the verb that carries it out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Depends, File, Form, UploadFile

from bookrunner.books import compliance, portal
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Within

# What may be chosen in a state: the choice, what it says, and what follows.
Choice = tuple[str, str, str]

IDENTITY_PAPERS = ("passport", "driving_licence", "identity_card", "proof_of_address", "register_extract")
"""What an identity may be verified from, beside the papers that a kind of investor needs anyway."""

_WORDS_OF_A_HOLDER = 2
_UNITS = re.compile(r"[0-9]{1,15}")
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
    """What an officer verified of an identity: elements, from what, the digest of the profile seen."""

    sources: str = ""
    elements: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    digest: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """A decision as the form sent it: versions seen of record and programme, choice, reason, papers."""

    seen: int = 0
    programme: str = ""
    choice: str = ""
    reason: str = ""
    method: str = ""
    valid_until: str = ""
    paper: bytes = b""
    checked: Checked = field(default_factory=Checked)


_Line = Annotated[str, Form(max_length=4000)]
_Paper = Annotated[UploadFile | None, File()]


def checked(
    *,
    sources: _Line = "",
    elements: Annotated[tuple[str, ...], Form()] = (),
    documents: Annotated[tuple[str, ...], Form()] = (),
    digest: _Line = "",
) -> Checked:
    """Read from the form what was verified of an identity."""
    return Checked(sources, elements, documents, digest)


def sophistication_of(
    *,
    offering: _Line,
    basis: _Line = "",
    representative: _Line = "",
    until: _Line = "",
    reason: _Line = "",
) -> Mapping[str, str]:
    """Read from the form what is stated of a purchaser's knowledge and experience."""
    return {
        "offering": offering,
        "basis": basis,
        "representative": representative,
        "until": until,
        "reason": reason,
    }


def paper_of(paper: _Paper = None) -> bytes:
    """Read a file from the form: no more than may be kept, and one byte."""
    return b"" if paper is None else paper.file.read(compliance.MOST_BYTES + 1)


def decision(
    *,
    seen: Annotated[int, Form(ge=0)],
    programme: _Line = "",
    choice: _Line = "",
    reason: _Line = "",
    method: _Line = "",
    valid_until: _Line = "",
    paper: Annotated[bytes, Depends(paper_of)],
    of_identity: Annotated[Checked, Depends(checked)],
) -> Decision:
    """Read a decision from the form."""
    return Decision(seen, programme, choice, reason, method, valid_until, paper, of_identity)


@dataclass(frozen=True, slots=True)
class Officer:
    """Who decides, over the books whose verbs carry decisions out; every rule is the database's."""

    database: Database
    actor: str

    def decide(self, kind: str, scope: str, item: str, said: Decision) -> None:
        """Carry out a decision on the version that was seen, under the programme that was seen.

        Refuses ``decision_is_one_of_those_offered`` and whatever the verb refuses; VersionChanged when the
        record has moved on or another programme is in force.
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
        """Put a file on record as evidence of an accreditation; refuses what `keep_paper` refuses."""
        keeper = compliance.keeper(self.database)
        digest = compliance.keep_paper(keeper, scope, paper, actor=self.actor)
        keeper.add_evidence(actor=self.actor, investor=scope, kind=kind, sha256=digest)

    def file_paper(self, scope: str, code: str, paper: bytes, until: str) -> None:
        """File a paper about an investor until the end of a day, if one is given.

        Refuses ``paper_says_what_it_is``, what `keep_paper` refuses, and ``filed_document_is_in_force``.
        """
        if code not in IDENTITY_PAPERS:
            raise Refused("paper_says_what_it_is", "choose what the paper is")
        keeper = compliance.keeper(self.database)
        ends = _end_of(until)
        digest = compliance.keep_paper(keeper, scope, paper, actor=self.actor)
        keeper.file_document(
            actor=self.actor,
            investor=scope,
            document=new_id("doc"),
            code=code,
            sha256=digest,
            issued_on=None,
            valid_until=ends,
        )

    def open_file(self, scope: str, digest: str, purpose: str) -> bytes:
        """Return a kept file of an investor; the view is recorded first. Refuses what `view_file` refuses."""
        try:
            named = bytes.fromhex(digest)
        except ValueError:
            raise UnknownRecord("viewed_file_exists", f"{scope} has no such file") from None
        keeper = compliance.keeper(self.database)
        return compliance.view_file(keeper, scope, named, actor=self.actor, purpose=purpose)

    def state_purpose(self, scope: str, offering: str, purpose: str, seen: int) -> None:
        """Say what the relationship behind a clearance is for, on the version seen."""
        compliance.keeper(self.database).state_purpose(
            actor=self.actor, investor=scope, offering=offering, purpose=purpose, seen=seen
        )

    @contextmanager
    def _deciding(self, scope: str, item: str, said: Decision) -> Iterator[Within]:
        """Lend the verbs in one transaction that the programme seen stands to the end of."""
        with compliance.keeper(self.database).together() as within:
            within.decide_under(actor=self.actor, scope=scope, item=item, programme=said.programme)
            yield within

    def record_sophistication(self, scope: str, stated: Mapping[str, str], paper: bytes) -> None:
        """State, by a paper, whether a purchaser can judge an offer (17 CFR 230.506(b)(2)(ii)).

        ``stated`` has offering, basis, representative, until and reason. Refuses what `keep_paper` refuses
        and each rule of such a statement.
        """
        keeper = compliance.keeper(self.database)
        until = _end_of(stated["until"])
        evidence = compliance.keep_paper(keeper, scope, paper, actor=self.actor)
        statement = {
            "basis": stated["basis"],
            "representative": stated["representative"] or None,
            "evidence_sha256": evidence.hex(),
            "valid_until": until,
        }
        keeper.record_sophistication(
            actor=self.actor,
            offering=stated["offering"],
            investor=scope,
            statement=statement,
            because=stated["reason"],
        )

    def state_holders(self, scope: str, offering: str, document: str, written: str) -> None:
        """State who is behind a nominee's units, one client and its units a line.

        Refuses ``holders_are_written_as_client_and_units`` and each rule of such a statement.
        """
        rows = [line.split() for line in written.splitlines() if line.strip()]
        if any(len(row) != _WORDS_OF_A_HOLDER or not _UNITS.fullmatch(row[1]) for row in rows):
            raise Refused(
                "holders_are_written_as_client_and_units", "write a client and its units on each line"
            )
        holders = [{"client": client, "units": int(units)} for client, units in rows]
        compliance.keeper(self.database).state_holders(
            actor=self.actor, offering=offering, investor=scope, document=document, holders=holders
        )

    def set_look_through(self, offering: str, reason: str, *, is_required: bool) -> None:
        """Say whether an offer looks through nominees."""
        compliance.keeper(self.database).set_look_through(
            actor=self.actor, offering=offering, is_required=is_required, because=reason
        )

    def _hit(self, scope: str, item: str, said: Decision) -> None:
        on = {"actor": self.actor, "subject": scope, "hit": item, "because": said.reason, "seen": said.seen}
        paper = self._paper(scope, said) if said.choice == "release" else None
        with self._deciding(scope, item, said) as within:
            if said.choice in {"agreed", "sent_back"}:
                within.second_hit(**on, is_agreed=said.choice == "agreed")
            elif said.choice == "release":
                within.propose_release(**on, evidence_sha256=paper)
            else:
                within.decide_hit(**on, decision=said.choice)

    def _discrepancy(self, scope: str, item: str, said: Decision) -> None:
        with self._deciding(scope, item, said) as within:
            within.decide_discrepancy(
                actor=self.actor,
                investor=scope,
                discrepancy=item,
                is_resolved=said.choice == "resolved",
                because=said.reason,
                seen=said.seen,
            )

    def _identity(self, scope: str, item: str, said: Decision) -> None:
        on = {"actor": self.actor, "investor": scope, "seen": said.seen}
        if said.choice == "declined":
            with self._deciding(scope, item, said) as within:
                within.decline_case(**on, because=said.reason)
            return
        evidence = self._kept(scope, said, "what was checked is the evidence")
        verification = {
            "method": said.method,
            "elements": list(said.checked.elements),
            "documents": list(said.checked.documents),
            "sources": [line.strip() for line in said.checked.sources.splitlines() if line.strip()],
            "evidence_sha256": evidence.hex(),
            "verified_digest": said.checked.digest,
            "valid_until": _end_of(said.valid_until),
        }
        with self._deciding(scope, item, said) as within:
            within.verify_identity(**on, verification=verification)

    def _owner(self, scope: str, item: str, said: Decision) -> None:
        evidence = self._kept(scope, said, "what was checked is the evidence")
        with self._deciding(scope, item, said) as within:
            within.verify_owner(
                actor=self.actor, investor=scope, owner=item, evidence_sha256=evidence, seen=said.seen
            )

    def _report(self, scope: str, item: str, said: Decision) -> None:
        on = {"actor": self.actor, "report": item, "seen": said.seen}
        proof = self._paper(scope, said)
        with self._deciding(scope, item, said) as within:
            subject = within.report_subject(investor=scope, report=item)
            within.file_report(**on, subject=subject, filed_sha256=proof)

    def _paper(self, scope: str, said: Decision) -> bytes | None:
        """Seal the paper that came with a decision and return its digest; None where none came."""
        if not said.paper:
            return None
        return compliance.keep_paper(compliance.keeper(self.database), scope, said.paper, actor=self.actor)

    def _kept(self, scope: str, said: Decision, why: str) -> bytes:
        """Seal what was written and return its digest."""
        if not said.reason.strip():
            raise Refused("decision_has_its_reason", why)
        keeper = compliance.keeper(self.database)
        return compliance.keep_file(keeper, scope, said.reason.encode(), actor=self.actor)

    def _accreditation(self, scope: str, item: str, said: Decision) -> None:
        on = {"actor": self.actor, "investor": scope, "because": said.reason, "seen": said.seen}
        until = _end_of(said.valid_until)
        with self._deciding(scope, item, said) as within:
            if said.choice == "approved":
                within.approve_accreditation(**on, method=said.method, valid_until=until)
            else:
                within.move_accreditation(**on, status=said.choice)

    def _change(self, scope: str, item: str, said: Decision) -> None:
        # The portal decides under its own login, so the programme is looked at before.
        with self._deciding(scope, item, said):
            pass
        portal.keeper(self.database).decide_change(
            actor=self.actor,
            investor=scope,
            change=item,
            is_approved=said.choice == "approved",
            because=said.reason,
            seen=said.seen,
        )

    def _diligence(self, scope: str, item: str, said: Decision) -> None:
        on = {"actor": self.actor, "investor": scope, "diligence": item, "seen": said.seen}
        if said.choice == "completed":
            findings = self._kept(scope, said, "the findings say what was found")
            with self._deciding(scope, item, said) as within:
                within.complete_diligence(**on, findings_sha256=findings)
            return
        with self._deciding(scope, item, said) as within:
            within.decide_diligence(**on, is_approved=said.choice == "approved", because=said.reason)


def _end_of(day: str) -> str | None:
    """Return the first moment after a day in UTC; refuses ``end_is_a_day`` for what is none."""
    if not day:
        return None
    try:
        return datetime.fromisoformat(day).replace(hour=23, minute=59, second=59, tzinfo=UTC).isoformat()
    except ValueError:
        raise Refused("end_is_a_day", "write the day as 2027-01-31") from None
