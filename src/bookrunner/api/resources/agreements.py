"""Agreements as packets: what the investor states, signatures, the desk's review, links to the files."""

from __future__ import annotations

import json
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from bookrunner.api.caller import Called, Decided, Write, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes import (
    Acknowledged,
    AgreementId,
    Answered,
    Consented,
    HandedOver,
    Intent,
    InvestmentId,
    Linked,
    Nothing,
    OfferId,
    Particular,
    Released,
    Returned,
    money,
)
from bookrunner.api.shapes.acts import InvestmentActed, Step
from bookrunner.api.shapes.answers import hexed
from bookrunner.api.shapes.papers import Agreement, Countersignatures, Deficiencies, Link
from bookrunner.api.signing import Open, Port, Signing, known_as, made_once
from bookrunner.books.subscription import Archive, Consents, missed
from bookrunner.core.errors import UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

if TYPE_CHECKING:
    from bookrunner.books.subscription import Made

_CREATED = 201
_PDF = "application/pdf"
_FILE: dict[str, Any] = {"content": {_PDF: {}, "application/octet-stream": {}}}
_PRIVATE = {"Cache-Control": "private, no-store", "X-Content-Type-Options": "nosniff"}


def routes(gateway: Gateway, archive: Archive, signing: Signing | None) -> APIRouter:
    """Return the routes of agreements and their files.

    Without ``signing`` nothing is signed here, and the routes that sign or ask for consent are left out.
    """
    router = Router(prefix="/v1", tags=["agreements"])
    _applications(router, gateway)
    _reviews(router, gateway)
    _files(router, gateway, archive)
    if signing is not None:
        _consents(router, gateway, signing.consents)
        _signatures(router, gateway, signing.desk, signing.signer)
    return router


def _applications(router: APIRouter, gateway: Gateway) -> None:
    step = partial(_step, gateway)

    @router.post(
        "/investments/{investment}/acknowledgments",
        operation_id="acknowledge_item",
        response_model=Step,
        status_code=_CREATED,
    )
    async def acknowledged(write: Written, investment: InvestmentId, body: Acknowledged) -> Response:
        """Record that one item was received, acknowledged or represented, at one version of it."""
        said = body.model_dump()
        return await step(write, investment, "acknowledge", id=new_id("ack"), **said)

    @router.post(
        "/investments/{investment}/particulars",
        operation_id="state_particular",
        response_model=Step,
        status_code=_CREATED,
    )
    async def stated(write: Written, investment: InvestmentId, body: Particular) -> Response:
        """Record a tax form, an authority or an ownership; a packet that shows another is void."""
        said = {"kind": body.kind, "detail": body.detail}
        return await step(write, investment, "state", id=new_id("prt"), **said)

    @router.post(
        "/investments/{investment}/consent_withdrawals",
        operation_id="withdraw_consent",
        response_model=Step,
        status_code=_CREATED,
    )
    async def withdrawn(write: Written, investment: InvestmentId, _: Nothing | None = None) -> Response:
        """End the consent to electronic records; nothing more is signed electronically."""
        return await step(write, investment, "withdraw_consent")

    @router.post(
        "/investments/{investment}/applications",
        operation_id="submit_application",
        response_model=Step,
        status_code=_CREATED,
    )
    async def submitted(write: Written, investment: InvestmentId, _: Nothing | None = None) -> Response:
        """Ask for the agreement; refused with all that is lacking."""
        return await step(write, investment, "submit", id=new_id("app"))

    @router.post(
        "/investments/{investment}/deficiency_answers",
        operation_id="answer_deficiency",
        response_model=Step,
        status_code=_CREATED,
    )
    async def answered(write: Written, investment: InvestmentId, body: Answered) -> Response:
        """Answer one deficiency that the review found."""
        return await step(write, investment, "answer", id=body.deficiency, answer=body.answer)

    @router.get("/investments/{investment}/deficiencies", operation_id="list_deficiencies")
    async def deficiencies(caller: Called, investment: InvestmentId) -> Deficiencies:
        """List what reviews found, with page, field and reason; its words are for the book's own keys."""

        def found(of: Within) -> list[Row]:
            of_book = caller.keeper == "subscription"
            return list((of.deficiencies if of_book else of.deficiency_facts)(investment=investment))

        rows: list[Row] = await gateway.read(caller, found)
        return {"deficiencies": [{**row, "id": row.pop("deficiency_id")} for row in map(dict, rows)]}


async def _step(gateway: Gateway, write: Write, investment: str, act: str, **detail: object) -> Response:
    answer = await gateway.write(
        write, "subscription", "act_on_application", investment=investment, act=act, detail=json.dumps(detail)
    )
    answer.status_code = _CREATED
    return answer


def _consents(router: APIRouter, gateway: Gateway, consents: Consents) -> None:
    @router.post(
        "/investments/{investment}/consent_samples",
        operation_id="issue_consent_sample",
        response_model=Step,
        status_code=_CREATED,
    )
    async def issued(write: Written, investment: InvestmentId, _: Nothing | None = None) -> Response:
        """Make a sample record with a code of its own; the investor opens it and reads the code."""
        await gateway.admitted(write.caller, "subscription")
        made = await gateway.run(lambda: consents.prepared(consents.offer_of(investment)))
        kept = {name: value.hex() if isinstance(value, bytes) else value for name, value in made.items()}
        return await _step(gateway, write, investment, "issue_sample", id=made["sample"], **kept)

    @router.get(
        "/investments/{investment}/consent_samples/{sample}",
        operation_id="get_consent_sample",
        response_class=Response,
        responses={200: {"content": {_PDF: {}}}},
    )
    async def shown(caller: Called, investment: InvestmentId, sample: str) -> Response:
        """Return the sample as PDF, with the code printed in it."""
        await gateway.admitted(caller, "subscription")

        offer_of, opened = consents.offer_of, consents.open
        content = await gateway.run(lambda: opened(offer_of(investment), investment, sample))
        return Response(content, headers=_PRIVATE, media_type=_PDF)

    @router.post(
        "/investments/{investment}/consents",
        operation_id="give_consent",
        response_model=Step,
        status_code=_CREATED,
    )
    async def given(write: Written, investment: InvestmentId, body: Consented) -> Response:
        """Record the consent of an investor who has read the code; wrong codes are counted and refused."""
        typed = consents.typed(body.sample, body.code).hex()
        answer = await _step(
            gateway, write, investment, "consent", id=new_id("prt"), sample=body.sample, code_mac=typed
        )
        # The count of a wrong code has to be kept, so the database answers it and the refusal is made here.
        left: int | None = json.loads(bytes(answer.body)).get("tries_left")
        if left is not None:
            raise missed(left)
        return answer


def _reviews(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/agreements/{agreement}/release", operation_id="release_agreement", response_model=InvestmentActed
    )
    async def released(write: Decided, agreement: AgreementId, body: Released) -> Response:
        """Find the signed file that was seen in good order; the reviewer may not countersign it."""
        return await _act(
            gateway, write, agreement, act="release", detail={"id": new_id("rvw"), **body.model_dump()}
        )

    @router.post(
        "/agreements/{agreement}/return", operation_id="return_agreement", response_model=InvestmentActed
    )
    async def returned(write: Decided, agreement: AgreementId, body: Returned) -> Response:
        """Return a packet with deficiencies; it is void and the investor sees exactly these."""
        found = [{"id": new_id("dfc"), **one.model_dump()} for one in body.deficiencies]
        seen = {"id": new_id("rvw"), "seen_sha256": body.seen_sha256}
        return await _act(gateway, write, agreement, act="return", detail={**seen, "deficiencies": found})


def _signatures(router: APIRouter, gateway: Gateway, signing: Open, signer: Port) -> None:
    @router.post(
        "/agreements/{agreement}/sign", operation_id="sign_agreement", response_model=InvestmentActed
    )
    async def signed(write: Decided, agreement: AgreementId, body: Intent, request: Request) -> Response:
        """Let one of the investor's signers sign, with the sentence of intent that it was shown."""
        await gateway.admitted(write.caller, "subscription")

        def make() -> Made:
            desk, evidence = signing(), known_as(write, body, request)
            offer = desk.offer_of(agreement)
            return desk.certified(offer, agreement, intent=body.intent, evidence=evidence, field=body.party)

        proof, content = await gateway.run(lambda: made_once(make, body.party))
        return await _act(gateway, write, agreement, act="sign", detail=proof, content=content)

    @router.post(
        "/agreements/{agreement}/countersign",
        operation_id="countersign_agreement",
        response_model=InvestmentActed,
    )
    async def countersigned(
        write: Decided, agreement: AgreementId, body: Intent, request: Request
    ) -> Response:
        """Countersign as the officer whose key this is; executed when every check holds on the bytes."""
        officer = await gateway.admitted(write.caller, "subscription")

        def make() -> Made:
            desk, evidence = signing(), known_as(write, body, request)
            offer = desk.offer_of(agreement)
            return desk.executed(offer, agreement, officer=officer, intent=body.intent, evidence=evidence)

        proof, content = await gateway.run(lambda: made_once(make, "issuer"))
        return await _act(gateway, write, agreement, act="countersign", detail=proof, content=content)

    @router.post(
        "/agreements/{agreement}/envelopes",
        operation_id="hand_over_agreement",
        response_model=InvestmentActed,
    )
    async def handed_over(write: Decided, agreement: AgreementId, body: HandedOver) -> Response:
        """Give a packet to an e-sign provider, which asks its signers and then the officer behind the key."""
        officer = await gateway.admitted(write.caller, "subscription")

        def give() -> str:
            desk, carrier = signing(), (body.provider, signer(body.provider))
            packet = desk.offer_of(agreement), agreement
            return desk.offered(carrier, packet, officer=officer, until=body.expires_at)

        said = {"provider": body.provider, "ref": await gateway.run(give)}
        return await _act(gateway, write, agreement, act="hand_over", detail=dict(said))

    @router.get("/offers/{offer}/countersignatures", operation_id="preview_countersignatures")
    async def preview(caller: Called, offer: OfferId) -> Countersignatures:
        """List what this officer would countersign now, and which rule keeps each of the others."""
        officer = await gateway.admitted(caller, "subscription")
        rows = await gateway.run(lambda: signing().preview(offer, officer=officer))
        return {
            "countersignatures": [
                {
                    "agreement": row["agreement_id"],
                    "investment": row["investment_id"],
                    "units": str(row["units"]),
                    "signed_sha256": bytes(row["signed_sha256"]).hex(),
                    "hindrance": row["hindrance"],
                    "missing": row["missing"],
                }
                for row in rows
            ]
        }


def _files(router: APIRouter, gateway: Gateway, archive: Archive) -> None:
    async def found(caller: Called, agreement: str) -> Row:
        row: Row | None = await gateway.read(caller, lambda of: of.agreement(agreement=agreement))
        if row is None:
            raise UnknownRecord("agreement_exists", f"there is no {agreement}")
        return row

    @router.get("/agreements/{agreement}", operation_id="get_agreement")
    async def one(caller: Called, agreement: AgreementId, response: Response) -> Agreement:
        """Return one agreement with the SHA-256 of each of its files and its review."""
        row = await found(caller, agreement)
        response.headers["ETag"] = f'"{row["version"]}"'
        return _shown(row)

    @router.post("/agreements/{agreement}/links", operation_id="link_agreement_file")
    async def linked(caller: Called, agreement: AgreementId, body: Linked) -> Link:
        """Return a link to one file of an agreement, for one reader and for some minutes; it is on record."""
        actor = await gateway.admitted(caller, "subscription", "engine")
        digest = (await found(caller, agreement))[f"{body.file}_sha256"]
        if digest is None:
            raise UnknownRecord("document_exists", f"{agreement} has no such file")
        ttl = timedelta(minutes=body.minutes)
        link = partial(archive.link, bytes(digest), body.reader, ttl=ttl, actor=actor)
        return {"path": await gateway.run(link)}

    @router.get(
        "/documents/{digest}", operation_id="get_document", response_class=Response, responses={200: _FILE}
    )
    async def document(
        digest: str,
        *,
        reader: Annotated[str, Query(max_length=64)],
        until: Annotated[int, Query(ge=0, le=10**11)],
        token: Annotated[str, Query(max_length=64)],
    ) -> Response:
        """Return the bytes that a link names, their hash checked; the link is the credential."""
        stored = await gateway.run(lambda: archive.follow(digest, reader=reader, until=until, token=token))
        return Response(stored.content, media_type=stored.media_type, headers=_PRIVATE)


async def _act(
    gateway: Gateway,
    write: Write,
    agreement: str,
    *,
    act: str,
    detail: dict[str, object],
    content: bytes | None = None,
) -> Response:
    return await gateway.write(
        write,
        "subscription",
        "act_on_packet",
        agreement=agreement,
        version=write.decided_on,
        act=act,
        detail=json.dumps(detail),
        content=content,
    )


def _shown(row: Row) -> Agreement:
    return {
        "id": row["agreement_id"],
        "offer": row["offering_id"],
        "investment": row["investment_id"],
        "ordinal": row["ordinal"],
        "status": row["status"],
        "units": str(row["units"]),
        "amount": money(row["amount_minor"], row["currency"]),
        "files": {
            "document_sha256": hexed(row["document_sha256"]),
            "signed_sha256": hexed(row["signed_sha256"]),
            "executed_sha256": hexed(row["executed_sha256"]),
            "certificate_sha256": hexed(row["certificate_sha256"]),
        },
        "signatures": {"required": row["parties"] or [], "made": row["signed_by"]},
        "review": row["review"],
        "void_because": row["void_because"],
        "version": str(row["version"]),
    }
