"""The case of an investor: opened, read by ids, and given the papers and people that decisions rest on."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from functools import partial
from typing import Any

from fastapi import APIRouter, Response

from bookrunner.adapters.screening import EntryKind
from bookrunner.adapters.vault import Vault
from bookrunner.api.caller import Called, Write, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.resources.onboarding.telling import told
from bookrunner.api.routing import Router
from bookrunner.api.shapes import InvestorId, Nothing, OfferId
from bookrunner.api.shapes.acts import InvestorActed
from bookrunner.api.shapes.onboarding import (
    Case,
    ClearanceOpened,
    FileKept,
    NewCase,
    NewClearance,
    NewEvidence,
    NewFile,
    NewPaper,
    NewParty,
    OwnersTaken,
    Reference,
    StatementId,
)
from bookrunner.books import compliance, portal
from bookrunner.core import identity
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Row, Within

_CREATED = 201
_KINDS = {"person": EntryKind.PERSON, "entity": EntryKind.ENTITY}
_TO_TAKE = "to take the owners into the record"


def routes(gateway: Gateway) -> APIRouter:
    """Return the routes of cases; compliance alone reads and writes them."""
    router = Router(prefix="/v1/investors/{investor}", tags=["compliance"])
    _cases(router, gateway)
    _papers(router, gateway)
    _people(router, gateway)
    return router


def clearances(gateway: Gateway) -> APIRouter:
    """Return the route that opens the clearance of an investor for an offer."""
    router = Router(prefix="/v1/offers/{offer}", tags=["compliance"])

    @router.post(
        "/clearances", operation_id="open_clearance", response_model=ClearanceOpened, status_code=_CREATED
    )
    async def opened(write: Written, offer: OfferId, body: NewClearance) -> Response:
        """Open a clearance; it is computed from the checks of the case, now and after each of them."""
        answer = await gateway.write(
            write,
            "compliance",
            "open_clearance",
            offering=offer,
            clearance=new_id("clr"),
            investor=body.investor,
        )
        answer.status_code = _CREATED
        return answer

    return router


async def _put(gateway: Gateway, write: Write, on: tuple[str, str, str], said: dict[str, object]) -> Response:
    """Put something on record; ``on`` are the investor, the act, and the id of what it makes."""
    investor, name, item = on
    answer = await gateway.write(
        write, "compliance", "act_on_case", investor=investor, act=name, item=item, said=json.dumps(said)
    )
    answer.status_code = _CREATED
    return answer


def _cases(router: APIRouter, gateway: Gateway) -> None:
    @router.post(
        "/case", operation_id="open_identity_case", response_model=InvestorActed, status_code=_CREATED
    )
    async def opened(write: Written, investor: InvestorId, body: NewCase) -> Response:
        """Open the case of a profile; its kind and form decide which papers and people it needs."""
        return await _put(gateway, write, (investor, "case", new_id("kyc")), body.model_dump())

    @router.get("/case", operation_id="get_identity_case")
    async def one(caller: Called, investor: InvestorId, response: Response) -> Case:
        """Return every check of an investor with the version that a decision on it names, and no name."""
        await gateway.admitted(caller, "compliance")
        case = await gateway.read(caller, partial(_read, investor))
        response.headers["ETag"] = f'"{case["version"]}"'
        return case

    @router.post(
        "/accreditation",
        operation_id="submit_accreditation",
        response_model=InvestorActed,
        status_code=_CREATED,
    )
    async def submitted(write: Written, investor: InvestorId, _: Nothing | None = None) -> Response:
        """Begin the review of an accreditation, or begin it again after its end."""
        return await _put(gateway, write, (investor, "accreditation", new_id("acr")), {})


def _read(investor: str, of: Within) -> Case:
    head = of.case(investor=investor)
    if head is None:
        raise UnknownRecord("identity_case_exists", f"there is no case of {investor}")
    rest: dict[str, list[Row]] = {
        "requires": list(of.case_requires(investor=investor)),
        "records": list(of.case_records(investor=investor)),
        "hits": list(of.case_hits(investor=investor)),
        "clearances": list(of.case_clearances(investor=investor)),
    }
    return told(head, rest, of.case_accreditation(investor=investor))


def _papers(router: APIRouter, gateway: Gateway) -> None:
    keeper = compliance.keeper(gateway.database)

    @router.post("/files", operation_id="keep_file", response_model=FileKept, status_code=_CREATED)
    async def kept(write: Written, investor: InvestorId, body: NewFile) -> Response:
        """Keep a paper, sealed; papers, evidence and decisions name it by its SHA-256."""
        actor = await gateway.admitted(write.caller, "compliance")
        await _known(gateway, write, investor)
        try:
            content = base64.b64decode(body.content, validate=True)
        except binascii.Error:
            raise Refused("file_is_written_in_base64", "the content is not base64") from None
        seal = partial(compliance.sealed_paper, keeper, investor, content, actor=actor)
        digest, sealed = await gateway.run(seal)
        answer = await gateway.write(
            write, "compliance", "keep_file", investor=investor, sha256=digest.hex(), sealed=sealed
        )
        answer.status_code = _CREATED
        return answer

    @router.post("/papers", operation_id="file_paper", response_model=InvestorActed, status_code=_CREATED)
    async def filed(write: Written, investor: InvestorId, body: NewPaper) -> Response:
        """Say what a kept file is; an earlier paper of the same code is replaced by it."""
        said = body.model_dump(exclude_none=True, mode="json")
        return await _put(gateway, write, (investor, "paper", new_id("doc")), said)

    @router.post(
        "/accreditation/evidence",
        operation_id="add_accreditation_evidence",
        response_model=InvestorActed,
        status_code=_CREATED,
    )
    async def added(write: Written, investor: InvestorId, body: NewEvidence) -> Response:
        """Put a kept file on record as evidence of an accreditation."""
        return await _put(gateway, write, (investor, "evidence", ""), body.model_dump())


def _people(router: APIRouter, gateway: Gateway) -> None:
    keeper = compliance.keeper(gateway.database)

    @router.post("/parties", operation_id="record_party", response_model=InvestorActed, status_code=_CREATED)
    async def party(write: Written, investor: InvestorId, body: NewParty) -> Response:
        """Name a person beside an investor, who is screened by that name and waits to be verified."""
        actor = await gateway.admitted(write.caller, "compliance")
        identity.name(body.name)

        def named(within: Within, answer: Mapping[str, Any]) -> None:
            _name(gateway, within, {answer["id"]: (EntryKind.PERSON, body.name)}, actor=actor)

        answer = await gateway.write_with(
            write,
            keeper,
            "act_on_case",
            named,
            investor=investor,
            act="party",
            item=new_id("pty"),
            said=body.model_dump_json(exclude_none=True, exclude={"name"}),
        )
        answer.status_code = _CREATED
        return answer

    @router.post(
        "/ownership/{statement}/acceptances",
        operation_id="take_ownership",
        responses={412: {}},
        response_model=OwnersTaken,
    )
    async def taken(
        write: Written, investor: InvestorId, statement: StatementId, body: Reference
    ) -> Response:
        """Take certified owners into the record; each waits to be screened and verified."""
        actor = await gateway.admitted(write.caller, "compliance")
        desk = portal.keeper(gateway.database)
        look = {"actor": actor, "investor": investor, "view": new_id("pvw"), "purpose": _TO_TAKE}
        stated = await gateway.run(lambda: desk.view_ownership(**look)) or {}
        for one in stated.get("people", ()):
            identity.name(one["name"])

        def named(within: Within, answer: Mapping[str, Any]) -> None:
            if stated.get("statement") != statement:
                raise Refused("ownership_statement_is_in_force", "another statement came in force meanwhile")
            people = {
                answer["owners"][one["id"]]: (_KINDS[one["kind"]], one["name"]) for one in stated["people"]
            }
            _name(gateway, within, people, actor=actor)

        return await gateway.write_with(
            write,
            keeper,
            "take_ownership",
            named,
            investor=investor,
            statement=statement,
            because=body.because,
        )


async def _known(gateway: Gateway, write: Write, investor: str) -> None:
    if await gateway.read(write.caller, lambda of: of.case(investor=investor)) is None:
        raise UnknownRecord("identity_case_exists", f"there is no case of {investor}")


def _name(
    gateway: Gateway, within: Within, people: Mapping[str, tuple[EntryKind, str]], *, actor: str
) -> None:
    """Say by which names people are screened, in the transaction that puts them on record."""
    safe = Vault.of(gateway.database.endpoint.secrets)
    given = [(one, compliance.Particulars(kind, (name,))) for one, (kind, name) in people.items()]
    compliance.record_particulars(within, safe, given, actor=actor)
