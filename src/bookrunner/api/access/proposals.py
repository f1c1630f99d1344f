"""Proposals: a call that a tool suggests, and that is made when a person of the keeper confirms it."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any

import httpx
from fastapi import APIRouter, FastAPI, Request, Response
from pydantic import Field, JsonValue, StringConstraints
from starlette.types import Receive, Scope, Send
from typing_extensions import TypedDict

from bookrunner.api.caller import PROPOSAL, SESSION, Called, Caller, Decided, Write, Written
from bookrunner.api.gateway import Gateway
from bookrunner.api.routing import Router
from bookrunner.api.shapes import Because, Shape
from bookrunner.api.shapes.acts import OfferActed
from bookrunner.api.shapes.description import writes
from bookrunner.api.shapes.moments import instant
from bookrunner.core.errors import Malformed, UnknownRecord, VersionChanged
from bookrunner.core.ids import new_id
from bookrunner.db import Row, load

_CREATED, _REFUSED = 201, 300
_JSON = "application/json"
# What a refusal says beside its body: when to come again, and how to show who one is.
_TOLD = ("Retry-After", "WWW-Authenticate", "RateLimit", "RateLimit-Policy")
QUERIES = load(__package__)
ProposalId = Annotated[str, StringConstraints(pattern="^pps_[0-9A-Za-z_]{1,64}$")]
_Part = Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_][A-Za-z0-9_.:-]{0,127}$")]


class NewProposal(Shape):
    """A call that somebody may make: an operation, what fills it, and why, in words for a person."""

    operation: Annotated[str, StringConstraints(pattern="^[a-z][a-z0-9_]{0,62}$")]
    path: dict[_Part, _Part] = Field(default_factory=dict, max_length=4)
    body: dict[str, JsonValue] | None = Field(default=None, max_length=50)
    if_match: Annotated[str, StringConstraints(pattern='^"[0-9a-f.]{1,64}"$')] | None = None
    sentence: Because
    hours: Annotated[int, Field(ge=1, le=744)] = 72


class Declined(Shape):
    """Why a proposal is not followed."""

    because: Because


class Seen(Shape):
    """The version of the record that its person saw, for a call that names none; it then acts on no other."""

    version: Annotated[str, StringConstraints(pattern='^"[0-9a-f.]{1,64}"$')] | None = None


class ProposedCall(TypedDict):
    """What a confirmation sends."""

    path: dict[str, str]
    body: JsonValue
    if_match: str | None


class Proposal(TypedDict):
    """A proposal: the call, why, by whom, until when, and what was decided. Its words are the proposer's.

    ``is_made`` says that its call was made and answered; a confirmed one that is not may be confirmed again.
    """

    id: str
    status: str
    operation: str
    call: ProposedCall
    sentence: str
    proposed_by: str
    proposed_at: str
    expires_at: str
    decided_by: str | None
    because: str | None
    is_made: bool
    version: str


class Proposals(TypedDict):
    """The proposals for the keeper of a key, the newest first, at most 200."""

    proposals: list[Proposal]


class Confirmed(TypedDict):
    """A confirmed proposal, and what its call answered."""

    id: str
    status: str
    version: str
    answered: int
    answer: Any


def routes(gateway: Gateway, app: FastAPI) -> APIRouter:
    """Return the routes of proposals; ``app`` is what a confirmed call is made to."""
    router = Router(prefix="/v1/proposals", tags=["proposals"])
    _readings(router, gateway)

    @router.post("", operation_id="propose", response_model=OfferActed, status_code=_CREATED)
    async def proposed(write: Written, body: NewProposal) -> Response:
        """Keep a call for a person to confirm; it has no effect before, and none after its time."""
        _required(app, body)
        answer = await gateway.write_own(
            write,
            QUERIES,
            "propose",
            proposal=new_id("pps"),
            operation=body.operation,
            call=json.dumps({"path": body.path, "body": body.body, "if_match": body.if_match}),
            sentence=body.sentence,
            hours=body.hours,
        )
        answer.status_code = _CREATED
        return answer

    @router.post("/{proposal}/refusals", operation_id="decline_proposal", response_model=OfferActed)
    async def declined(write: Decided, proposal: ProposalId, body: Declined) -> Response:
        """Decline a proposal; its call is never made."""
        await _seen(gateway, write, proposal)
        return await _decide(gateway, write, proposal, because=body.because)

    @router.post("/{proposal}/confirmations", operation_id="confirm_proposal", response_model=Confirmed)
    async def confirmed(
        write: Decided, proposal: ProposalId, request: Request, body: Seen | None = None
    ) -> Response:
        """Confirm a proposal and make its call under your own key, once; a refusal of the call is returned.

        Whoever confirmed may do so again when the call was refused, or no answer came.
        """
        row = await _seen(gateway, write, proposal)
        seen = _version(row, body)
        decided = await _decide(gateway, write, proposal, because=None)
        made = await _carry(app, request, row, seen)
        if made.status_code >= _REFUSED:
            told = {name: made.headers[name] for name in _TOLD if name in made.headers}
            return Response(made.content, made.status_code, told, made.headers["content-type"])
        whole = json.loads(bytes(decided.body)) | {"answered": made.status_code, "answer": made.json()}
        return Response(json.dumps(whole), headers={"ETag": decided.headers["etag"]}, media_type=_JSON)

    return router


def _readings(router: APIRouter, gateway: Gateway) -> None:
    @router.get("", operation_id="list_proposals")
    async def every(caller: Called) -> Proposals:
        """List the proposals for the keeper of the key, the newest first."""
        return {"proposals": [shown(row) for row in await _found(gateway, caller, None)]}

    @router.get("/{proposal}", operation_id="get_proposal")
    async def one(caller: Called, proposal: ProposalId, response: Response) -> Proposal:
        """Return one proposal, with the call that a confirmation makes."""
        row = await _one(gateway, caller, proposal)
        response.headers["ETag"] = f'"{row["version"]}"'
        return shown(row)


async def _found(gateway: Gateway, caller: Caller, proposal: str | None) -> list[Row]:
    return await gateway.read(caller, lambda of: list(of.using(QUERIES).proposals(proposal=proposal)))


async def _one(gateway: Gateway, caller: Caller, proposal: str) -> Row:
    rows = await _found(gateway, caller, proposal)
    if not rows:
        raise UnknownRecord("proposal_exists", f"there is no {proposal}")
    return rows[0]


async def _seen(gateway: Gateway, write: Write, proposal: str) -> Row:
    """Return a proposal whose version was seen; one that was confirmed may be confirmed again by any."""
    row = await _one(gateway, write.caller, proposal)
    if write.decided_on != row["version"] and row["status"] != "confirmed":
        raise VersionChanged("version_is_the_one_that_was_seen", f'the version is now "{row["version"]}"')
    return row


def _version(row: Row, body: Seen | None) -> str | None:
    """Return the version that a call acts on: the proposed one, or the one that its person saw."""
    named: str | None = row["call"]["if_match"]
    seen = None if body is None else body.version
    if named is not None and seen not in {None, named}:
        raise VersionChanged("version_is_the_one_that_was_seen", f"the proposal is for {named}")
    return named or seen


async def _decide(gateway: Gateway, write: Write, proposal: str, *, because: str | None) -> Response:
    return await gateway.write_own(
        write,
        QUERIES,
        "decide_proposal",
        proposal=proposal,
        is_confirmed=str(because is None).lower(),
        because=because or "",
    )


def _required(app: FastAPI, body: NewProposal) -> None:
    """Refuse a call whose path is not filled; which operation may be proposed is the matrix's to say."""
    offered = writes(app).get(body.operation)
    if offered is not None and set(re.findall(r"{(\w+)}", offered[1])) != set(body.path):
        raise Malformed("proposed_call_fills_its_path", f"the path is {offered[1]}")


async def _carry(app: FastAPI, request: Request, row: Row, seen: str | None) -> httpx.Response:
    """Make the call of a proposal under the key that confirms it; the proposal is its idempotency key."""
    call = row["call"]
    method, path = writes(app)[row["operation"]]
    headers = {"Idempotency-Key": row["proposal_id"]}
    if "authorization" in request.headers:
        headers["Authorization"] = request.headers["authorization"]
    if seen is not None:
        headers["If-Match"] = seen

    async def carried(scope: Scope, receive: Receive, send: Send) -> None:
        lent = {SESSION: request.scope.get(SESSION), PROPOSAL: row["proposal_id"]}
        await app({**scope, **lent}, receive, send)

    caller = request.client
    transport = httpx.ASGITransport(app=carried, client=(caller.host, caller.port) if caller else ("", 0))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as inner:
        return await inner.request(method, path.format(**call["path"]), headers=headers, json=call["body"])


def shown(row: Row) -> Proposal:
    """Write a proposal as an answer shows it."""
    return {
        "id": row["proposal_id"],
        "status": row["status"],
        "operation": row["operation"],
        "call": row["call"],
        "sentence": row["sentence"],
        "proposed_by": row["proposed_by"],
        "proposed_at": instant(row["proposed_at"]),
        "expires_at": instant(row["expires_at"]),
        "decided_by": row["decided_by"],
        "because": row["because"],
        "is_made": row["is_made"],
        "version": row["version"],
    }
