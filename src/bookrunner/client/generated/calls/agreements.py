# Made by scripts/generate_client.py from docs/openapi.json; run that again instead.
"""Calls: agreements."""

from __future__ import annotations

from bookrunner.client.generated.operations import OPERATIONS
from bookrunner.client.generated.shapes.agreements import (
    Acknowledged,
    Agreement,
    Answered,
    Consented,
    Countersignatures,
    Deficiencies,
    HandedOver,
    Intent,
    Link,
    Linked,
    Particular,
    Released,
    Returned,
    Step,
)
from bookrunner.client.generated.shapes.shared import InvestmentActed
from bookrunner.client.records import ETag
from bookrunner.client.transport import Call, Transport


class AgreementsCalls:
    """The operations of agreements."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def get_agreement(self, agreement: str) -> Agreement:
        """Return one agreement with the SHA-256 of each of its files and its review."""
        return self._transport.record(
            Agreement, OPERATIONS["get_agreement"], Call(path={"agreement": agreement})
        )

    def countersign_agreement(
        self, agreement: str, body: Intent, *, if_match: ETag, idempotency_key: str | None = None
    ) -> InvestmentActed:
        """Countersign as the officer whose key this is; executed when every check holds on the bytes."""
        return self._transport.record(
            InvestmentActed,
            OPERATIONS["countersign_agreement"],
            Call(
                path={"agreement": agreement}, body=body, if_match=if_match, idempotency_key=idempotency_key
            ),
        )

    def hand_over_agreement(
        self, agreement: str, body: HandedOver, *, if_match: ETag, idempotency_key: str | None = None
    ) -> InvestmentActed:
        """Give a packet to an e-sign provider, which asks its signers and then the officer behind the key."""
        return self._transport.record(
            InvestmentActed,
            OPERATIONS["hand_over_agreement"],
            Call(
                path={"agreement": agreement}, body=body, if_match=if_match, idempotency_key=idempotency_key
            ),
        )

    def link_agreement_file(self, agreement: str, body: Linked) -> Link:
        """Return a link to one file of an agreement, for one reader and for some minutes; it is on record."""
        return self._transport.record(
            Link, OPERATIONS["link_agreement_file"], Call(path={"agreement": agreement}, body=body)
        )

    def release_agreement(
        self, agreement: str, body: Released, *, if_match: ETag, idempotency_key: str | None = None
    ) -> InvestmentActed:
        """Find the signed file that was seen in good order; the reviewer may not countersign it."""
        return self._transport.record(
            InvestmentActed,
            OPERATIONS["release_agreement"],
            Call(
                path={"agreement": agreement}, body=body, if_match=if_match, idempotency_key=idempotency_key
            ),
        )

    def return_agreement(
        self, agreement: str, body: Returned, *, if_match: ETag, idempotency_key: str | None = None
    ) -> InvestmentActed:
        """Return a packet with deficiencies; it is void and the investor sees exactly these."""
        return self._transport.record(
            InvestmentActed,
            OPERATIONS["return_agreement"],
            Call(
                path={"agreement": agreement}, body=body, if_match=if_match, idempotency_key=idempotency_key
            ),
        )

    def sign_agreement(
        self, agreement: str, body: Intent, *, if_match: ETag, idempotency_key: str | None = None
    ) -> InvestmentActed:
        """Let one of the investor's signers sign, with the sentence of intent that it was shown."""
        return self._transport.record(
            InvestmentActed,
            OPERATIONS["sign_agreement"],
            Call(
                path={"agreement": agreement}, body=body, if_match=if_match, idempotency_key=idempotency_key
            ),
        )

    def get_document(self, digest: str, *, reader: str, until: int, token: str) -> bytes:
        """Return the bytes that a link names, their hash checked; the link is the credential."""
        return self._transport.content(
            OPERATIONS["get_document"],
            Call(path={"digest": digest}, query={"reader": reader, "until": until, "token": token}),
        )

    def acknowledge_item(
        self, investment: str, body: Acknowledged, *, idempotency_key: str | None = None
    ) -> Step:
        """Record that one item was received, acknowledged or represented, at one version of it."""
        return self._transport.record(
            Step,
            OPERATIONS["acknowledge_item"],
            Call(path={"investment": investment}, body=body, idempotency_key=idempotency_key),
        )

    def submit_application(self, investment: str, *, idempotency_key: str | None = None) -> Step:
        """Ask for the agreement; refused with all that is lacking."""
        return self._transport.record(
            Step,
            OPERATIONS["submit_application"],
            Call(path={"investment": investment}, idempotency_key=idempotency_key),
        )

    def issue_consent_sample(self, investment: str, *, idempotency_key: str | None = None) -> Step:
        """Make a sample record with a code of its own; the investor opens it and reads the code."""
        return self._transport.record(
            Step,
            OPERATIONS["issue_consent_sample"],
            Call(path={"investment": investment}, idempotency_key=idempotency_key),
        )

    def get_consent_sample(self, investment: str, sample: str) -> bytes:
        """Return the sample as PDF, with the code printed in it."""
        return self._transport.content(
            OPERATIONS["get_consent_sample"], Call(path={"investment": investment, "sample": sample})
        )

    def withdraw_consent(self, investment: str, *, idempotency_key: str | None = None) -> Step:
        """End the consent to electronic records; nothing more is signed electronically."""
        return self._transport.record(
            Step,
            OPERATIONS["withdraw_consent"],
            Call(path={"investment": investment}, idempotency_key=idempotency_key),
        )

    def give_consent(self, investment: str, body: Consented, *, idempotency_key: str | None = None) -> Step:
        """Record the consent of an investor who has read the code; wrong codes are counted and refused."""
        return self._transport.record(
            Step,
            OPERATIONS["give_consent"],
            Call(path={"investment": investment}, body=body, idempotency_key=idempotency_key),
        )

    def list_deficiencies(self, investment: str) -> Deficiencies:
        """List what reviews found, with page, field and reason; its words are for the book's own keys."""
        return self._transport.record(
            Deficiencies, OPERATIONS["list_deficiencies"], Call(path={"investment": investment})
        )

    def answer_deficiency(
        self, investment: str, body: Answered, *, idempotency_key: str | None = None
    ) -> Step:
        """Answer one deficiency that the review found."""
        return self._transport.record(
            Step,
            OPERATIONS["answer_deficiency"],
            Call(path={"investment": investment}, body=body, idempotency_key=idempotency_key),
        )

    def state_particular(
        self, investment: str, body: Particular, *, idempotency_key: str | None = None
    ) -> Step:
        """Record a tax form, an authority or an ownership; a packet that shows another is void."""
        return self._transport.record(
            Step,
            OPERATIONS["state_particular"],
            Call(path={"investment": investment}, body=body, idempotency_key=idempotency_key),
        )

    def preview_countersignatures(self, offer: str) -> Countersignatures:
        """List what this officer would countersign now, and which rule keeps each of the others."""
        return self._transport.record(
            Countersignatures, OPERATIONS["preview_countersignatures"], Call(path={"offer": offer})
        )
