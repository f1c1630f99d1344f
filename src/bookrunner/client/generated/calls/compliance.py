# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: compliance."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.compliance import (
    AccreditationDecision,
    Case,
    ClearanceOpened,
    Decided,
    DiligenceDecision,
    DiscrepancyDecision,
    FileKept,
    HitDecision,
    IdentityDecision,
    NewCase,
    NewClearance,
    NewEvidence,
    NewFile,
    NewPaper,
    NewParty,
    OwnersTaken,
    Reference,
    Verified,
)
from bookrunner.client.generated.shapes.shared import InvestorActed
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class ComplianceCalls:
    """The operations of compliance."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def submit_accreditation(self, investor: str, *, idempotency_key: str | None = None) -> InvestorActed:
        """Begin the review of an accreditation, or begin it again after its end."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["submit_accreditation"],
            Call(path={"investor": investor}, idempotency_key=idempotency_key),
        )

    def decide_accreditation(
        self,
        investor: str,
        body: AccreditationDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> InvestorActed:
        """Approve by a method whose evidence is on file, ask for more, take up again, or decline."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["decide_accreditation"],
            Call(path={"investor": investor}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )

    def add_accreditation_evidence(
        self, investor: str, body: NewEvidence, *, idempotency_key: str | None = None
    ) -> InvestorActed:
        """Put a kept file on record as evidence of an accreditation."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["add_accreditation_evidence"],
            Call(path={"investor": investor}, body=body, idempotency_key=idempotency_key),
        )

    def get_identity_case(self, investor: str) -> Case:
        """Return every check of an investor with the version that a decision on it names, and no name."""
        return self._transport.record(
            Case, OPERATIONS["get_identity_case"], Call(path={"investor": investor})
        )

    def open_identity_case(
        self, investor: str, body: NewCase, *, idempotency_key: str | None = None
    ) -> InvestorActed:
        """Open the case of a profile; its kind and form decide which papers and people it needs."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["open_identity_case"],
            Call(path={"investor": investor}, body=body, idempotency_key=idempotency_key),
        )

    def decide_identity(
        self, investor: str, body: IdentityDecision, *, if_match: ETag, idempotency_key: str | None = None
    ) -> InvestorActed:
        """Verify an identity, element by element, as the profile stands; or decline it."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["decide_identity"],
            Call(path={"investor": investor}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )

    def decide_diligence(
        self,
        investor: str,
        diligence: str,
        body: DiligenceDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> InvestorActed:
        """Complete enhanced due diligence with its findings; a second officer approves or sends back."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["decide_diligence"],
            Call(
                path={"investor": investor, "diligence": diligence},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def decide_discrepancy(
        self,
        investor: str,
        discrepancy: str,
        body: DiscrepancyDecision,
        *,
        if_match: ETag,
        idempotency_key: str | None = None,
    ) -> InvestorActed:
        """Explain a difference between what was said and what was found, or uphold it."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["decide_discrepancy"],
            Call(
                path={"investor": investor, "discrepancy": discrepancy},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def keep_file(self, investor: str, body: NewFile, *, idempotency_key: str | None = None) -> FileKept:
        """Keep a paper, sealed; papers, evidence and decisions name it by its SHA-256."""
        return self._transport.record(
            FileKept,
            OPERATIONS["keep_file"],
            Call(path={"investor": investor}, body=body, idempotency_key=idempotency_key),
        )

    def verify_owner(
        self, investor: str, owner: str, body: Verified, *, if_match: ETag, idempotency_key: str | None = None
    ) -> InvestorActed:
        """Record that somebody behind an entity is who was certified; the screening is a check of its own."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["verify_owner"],
            Call(
                path={"investor": investor, "owner": owner},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def take_ownership(
        self, investor: str, statement: str, body: Reference, *, idempotency_key: str | None = None
    ) -> OwnersTaken:
        """Take certified owners into the record; each waits to be screened and verified."""
        return self._transport.record(
            OwnersTaken,
            OPERATIONS["take_ownership"],
            Call(
                path={"investor": investor, "statement": statement},
                body=body,
                idempotency_key=idempotency_key,
            ),
        )

    def file_paper(
        self, investor: str, body: NewPaper, *, idempotency_key: str | None = None
    ) -> InvestorActed:
        """Say what a kept file is; an earlier paper of the same code is replaced by it."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["file_paper"],
            Call(path={"investor": investor}, body=body, idempotency_key=idempotency_key),
        )

    def reject_paper(
        self, investor: str, paper: str, body: Decided, *, if_match: ETag, idempotency_key: str | None = None
    ) -> InvestorActed:
        """Reject a paper on file, so that another one is asked for."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["reject_paper"],
            Call(
                path={"investor": investor, "paper": paper},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def record_party(
        self, investor: str, body: NewParty, *, idempotency_key: str | None = None
    ) -> InvestorActed:
        """Name a person beside an investor, who is screened by that name and waits to be verified."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["record_party"],
            Call(path={"investor": investor}, body=body, idempotency_key=idempotency_key),
        )

    def verify_party(
        self, investor: str, party: str, body: Verified, *, if_match: ETag, idempotency_key: str | None = None
    ) -> InvestorActed:
        """Record that a person beside an investor is who was named."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["verify_party"],
            Call(
                path={"investor": investor, "party": party},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )

    def complete_review(
        self, investor: str, body: Decided, *, if_match: ETag, idempotency_key: str | None = None
    ) -> InvestorActed:
        """Say that the whole case was looked at again, on the version of its rating."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["complete_review"],
            Call(path={"investor": investor}, body=body, if_match=if_match, idempotency_key=idempotency_key),
        )

    def open_clearance(
        self, offer: str, body: NewClearance, *, idempotency_key: str | None = None
    ) -> ClearanceOpened:
        """Open a clearance; it is computed from the checks of the case, now and after each of them."""
        return self._transport.record(
            ClearanceOpened,
            OPERATIONS["open_clearance"],
            Call(path={"offer": offer}, body=body, idempotency_key=idempotency_key),
        )

    def decide_hit(
        self, subject: str, hit: str, body: HitDecision, *, if_match: ETag, idempotency_key: str | None = None
    ) -> InvestorActed:
        """Decide on a possible match; a weighty decision waits for a second officer to agree."""
        return self._transport.record(
            InvestorActed,
            OPERATIONS["decide_hit"],
            Call(
                path={"subject": subject, "hit": hit},
                body=body,
                if_match=if_match,
                idempotency_key=idempotency_key,
            ),
        )
