"""Who decides, and the verb that carries each decision out."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from bookrunner.adapters.vault import Vault
from bookrunner.books import compliance, portal
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Within
from bookrunner.pages.compliance.deciding.forms import CATEGORIES, CHOICES, IDENTITY_PAPERS, Decision, Seen

_WORDS_OF_A_HOLDER = 2
_UNITS = re.compile(r"[0-9]{1,15}")


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
            "review": self._review,
            "notice": self._notice,
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

    def state_purpose(self, scope: str, offering: str, purpose: str, *, seen: Seen) -> None:
        """Say what the relationship behind a clearance is for, on the version seen."""
        with self._deciding(seen.programme) as within:
            within.state_purpose(
                actor=self.actor, investor=scope, offering=offering, purpose=purpose, seen=seen.version
            )

    @contextmanager
    def _deciding(self, programme: str) -> Iterator[Within]:
        """Lend the verbs in one transaction that the programme seen stands to the end of."""
        with compliance.keeper(self.database).together() as within:
            within.decide_under(actor=self.actor, programme=programme)
            yield within

    def record_sophistication(self, scope: str, stated: Mapping[str, str], paper: bytes) -> None:
        """State, by a paper, whether a purchaser can judge an offer (17 CFR 230.506(b)(2)(ii)).

        ``stated`` has offering, basis, representative, until, reason and the programme seen. Refuses what
        `keep_paper` refuses and each rule of such a statement.
        """
        until = _end_of(stated["until"])
        content = compliance.checked_paper(paper)
        with self._deciding(stated["programme"]) as within:
            statement = {
                "basis": stated["basis"],
                "representative": stated["representative"] or None,
                "evidence_sha256": self._sealed(within, scope, content).hex(),
                "valid_until": until,
            }
            within.record_sophistication(
                actor=self.actor,
                offering=stated["offering"],
                investor=scope,
                statement=statement,
                because=stated["reason"],
            )

    def record_category(self, scope: str, stated: Mapping[str, str], paper: bytes) -> None:
        """Record the category of an investor by its paper; ``stated`` has regime, category, until, programme.

        Refuses ``category_is_one_of_those_listed`` and what `keep_paper` refuses.
        """
        if f"{stated['regime']}:{stated['category']}" not in dict(CATEGORIES):
            raise Refused("category_is_one_of_those_listed", "choose a category")
        until = _end_of(stated["until"])
        content = compliance.checked_paper(paper)
        with self._deciding(stated["programme"]) as within:
            within.record_category(
                actor=self.actor,
                investor=scope,
                regime=stated["regime"],
                category=stated["category"],
                evidence_sha256=self._sealed(within, scope, content),
                valid_until=until,
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

    def set_look_through(self, offering: str, reason: str, *, is_required: bool, programme: str) -> None:
        """Say whether an offer looks through nominees."""
        with self._deciding(programme) as within:
            within.set_look_through(
                actor=self.actor, offering=offering, is_required=is_required, because=reason
            )

    def _hit(self, scope: str, item: str, said: Decision) -> None:
        on = {"actor": self.actor, "subject": scope, "hit": item, "because": said.reason, "seen": said.seen}
        with self._deciding(said.programme) as within:
            if said.choice in {"agreed", "sent_back"}:
                within.second_hit(**on, is_agreed=said.choice == "agreed")
            elif said.choice == "release":
                within.propose_release(**on, evidence_sha256=self._paper(within, scope, said))
            else:
                within.decide_hit(**on, decision=said.choice)

    def _discrepancy(self, scope: str, item: str, said: Decision) -> None:
        with self._deciding(said.programme) as within:
            within.decide_discrepancy(
                actor=self.actor,
                investor=scope,
                discrepancy=item,
                is_resolved=said.choice == "resolved",
                because=said.reason,
                seen=said.seen,
            )

    def _identity(self, scope: str, _: str, said: Decision) -> None:
        on = {"actor": self.actor, "investor": scope, "seen": said.seen}
        if said.choice == "declined":
            with self._deciding(said.programme) as within:
                within.decline_case(**on, because=said.reason)
            return
        verification = {
            "method": said.method,
            "elements": list(said.checked.elements),
            "documents": list(said.checked.documents),
            "sources": [line.strip() for line in said.checked.sources.splitlines() if line.strip()],
            "verified_digest": said.checked.digest,
            "valid_until": _end_of(said.valid_until),
        }
        with self._deciding(said.programme) as within:
            evidence = self._kept(within, scope, said, "what was checked is the evidence")
            within.verify_identity(**on, verification=verification | {"evidence_sha256": evidence.hex()})

    def _owner(self, scope: str, item: str, said: Decision) -> None:
        with self._deciding(said.programme) as within:
            evidence = self._kept(within, scope, said, "what was checked is the evidence")
            within.verify_owner(
                actor=self.actor, investor=scope, owner=item, evidence_sha256=evidence, seen=said.seen
            )

    def _report(self, scope: str, item: str, said: Decision) -> None:
        on = {"actor": self.actor, "report": item, "seen": said.seen}
        with self._deciding(said.programme) as within:
            proof = self._paper(within, scope, said)
            subject = within.report_subject(investor=scope, report=item)
            within.file_report(**on, subject=subject, filed_sha256=proof)

    def _notice(self, scope: str, item: str, _said: Decision) -> None:
        what, _, stage = item.rpartition(":")
        about, _, subject = what.partition(":")
        compliance.keeper(self.database).send_notice(
            actor=self.actor, investor=scope, about=about, subject=subject, stage=stage
        )

    def _review(self, scope: str, _: str, said: Decision) -> None:
        on = {"actor": self.actor, "investor": scope, "because": said.reason, "seen": said.seen}
        with self._deciding(said.programme) as within:
            within.complete_review(**on)

    def _paper(self, within: Within, scope: str, said: Decision) -> bytes | None:
        """Seal the paper that came with a decision and return its digest; None where none came."""
        if not said.paper:
            return None
        return self._sealed(within, scope, compliance.checked_paper(said.paper))

    def _kept(self, within: Within, scope: str, said: Decision, why: str) -> bytes:
        """Seal what was written and return its digest."""
        if not said.reason.strip():
            raise Refused("decision_has_its_reason", why)
        return self._sealed(within, scope, said.reason.encode())

    def _sealed(self, within: Within, scope: str, content: bytes) -> bytes:
        """Seal evidence in the transaction of its decision: one that is refused leaves none."""
        safe = Vault.of(self.database.endpoint.secrets)
        (digest,) = compliance.keep_files(within, safe, [(scope, content)], actor=self.actor)
        return digest

    def _accreditation(self, scope: str, _: str, said: Decision) -> None:
        on = {"actor": self.actor, "investor": scope, "because": said.reason, "seen": said.seen}
        until = _end_of(said.valid_until)
        with self._deciding(said.programme) as within:
            if said.choice == "approved":
                within.approve_accreditation(**on, method=said.method, valid_until=until)
            else:
                within.move_accreditation(**on, status=said.choice)

    def _change(self, scope: str, item: str, said: Decision) -> None:
        portal.keeper(self.database).decide_change(
            actor=self.actor,
            investor=scope,
            change=item,
            is_approved=said.choice == "approved",
            because=said.reason,
            seen=said.seen,
            programme=said.programme,
        )

    def _diligence(self, scope: str, item: str, said: Decision) -> None:
        on = {"actor": self.actor, "investor": scope, "diligence": item, "seen": said.seen}
        if said.choice == "completed":
            with self._deciding(said.programme) as within:
                findings = self._kept(within, scope, said, "the findings say what was found")
                within.complete_diligence(**on, findings_sha256=findings)
            return
        with self._deciding(said.programme) as within:
            within.decide_diligence(**on, is_approved=said.choice == "approved", because=said.reason)


def _end_of(day: str) -> str | None:
    """Return the first moment after a day in UTC; refuses ``end_is_a_day`` for what is none."""
    if not day:
        return None
    try:
        return datetime.fromisoformat(day).replace(hour=23, minute=59, second=59, tzinfo=UTC).isoformat()
    except ValueError:
        raise Refused("end_is_a_day", "write the day as 2027-01-31") from None
