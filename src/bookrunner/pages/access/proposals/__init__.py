"""What agents propose to a keeper, and the page on which a person of the keeper confirms or declines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.core.errors import NotAllowed, NotAuthenticated, NotFound
from bookrunner.pages.access.proposals.calls import Answer, Calls
from bookrunner.pages.access.proposals.proposed import Proposed, proposed
from bookrunner.pages.access.visitor import SignedIn, signed_in
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router

__all__ = ["routes"]

_OK, _NOT_FOUND, _PRECONDITION_FAILED, _REFUSED, _SEE_OTHER = 200, 404, 412, 300, 303
_Version = Annotated[str, Form(pattern="^[0-9]{1,18}$")]
_Seen = Annotated[str, Form(pattern='^("[0-9a-f.]{1,64}")?$')]
_Because = Annotated[str, Form(max_length=2000)]
_CHANGED = {
    "code": "version_is_the_one_that_was_seen",
    "detail": "the record has changed since this page showed it; look again, then decide on what stands now",
}
# Acts that ask a person for a passkey: the act that it signs, and the part of the path that is its subject.
_SIGNED = {"freeze_closing": ("closing", "offer")}


class Proposals:
    """Renders proposals and decides them, by the API and as the person who is signed in."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    async def every(self, request: Request) -> Response:
        """Return the list of what is proposed to the keeper of whoever is signed in."""
        rows = ()
        if _visitor(request).is_account:
            found = await Calls(request).get("/v1/proposals")
            if found.status != _OK:
                raise NotAllowed(found.body["code"], found.body["detail"])
            rows = found.body["proposals"]
        return self._shell.page(request, "access/proposals/list.html", {"rows": rows})

    async def one(
        self, request: Request, proposal: str, refusal: Mapping[str, Any] | None = None, status: int = _OK
    ) -> Response:
        """Return the page of a proposal; raises NotFound where none of the keeper has this id."""
        shown = await _shown(_calls(request), proposal)
        signed = _SIGNED.get(shown.operation)
        facts = {
            "shown": shown,
            "refusal": refusal,
            "signed": None if signed is None else (signed[0], shown.path[signed[1]]),
        }
        return self._shell.page(request, "access/proposals/one.html", facts, status)

    async def confirm(self, request: Request, proposal: str, version: str, seen: str) -> Response:
        """Confirm what the page showed: the proposal in this version, and the record in the one seen."""
        calls = _calls(request)
        shown = await _shown(calls, proposal)
        # Here for calls that name no version; those that do are refused by the database besides.
        if shown.seen != seen:
            return await self.one(request, proposal, _CHANGED, _PRECONDITION_FAILED)
        body = {"version": shown.acts_on} if shown.acts_on else None
        made = await calls.post(f"/v1/proposals/{proposal}/confirmations", body, version)
        return await self._decided(request, proposal, made)

    async def decline(self, request: Request, proposal: str, version: str, because: str) -> Response:
        """Decline a proposal for a reason."""
        path = f"/v1/proposals/{proposal}/refusals"
        made = await _calls(request).post(path, {"because": because}, version)
        return await self._decided(request, proposal, made)

    async def _decided(self, request: Request, proposal: str, made: Answer) -> Response:
        if made.status < _REFUSED:
            return RedirectResponse(f"/proposals/{proposal}", status_code=_SEE_OTHER)
        return await self.one(request, proposal, made.body, made.status)


def routes(shell: Shell) -> Router:
    """Return the routes ``/proposals``: the list, one proposal, and its two decisions."""
    router = Router(prefix="/proposals")
    pages = Proposals(shell)

    @router.get("")
    async def every(request: Request) -> Response:
        return await pages.every(request)

    @router.get("/{proposal}")
    async def one(request: Request, proposal: str) -> Response:
        return await pages.one(request, proposal)

    @router.post("/{proposal}/confirm")
    async def confirm(request: Request, proposal: str, version: _Version, seen: _Seen = "") -> Response:
        return await pages.confirm(request, proposal, version, seen)

    @router.post("/{proposal}/decline")
    async def decline(request: Request, proposal: str, version: _Version, because: _Because = "") -> Response:
        return await pages.decline(request, proposal, version, because)

    return router


def _visitor(request: Request) -> SignedIn:
    visitor = signed_in(request)
    if visitor is None:
        raise NotAuthenticated("person_is_signed_in", "sign in to see this page")
    return visitor


def _calls(request: Request) -> Calls:
    if not _visitor(request).is_account:
        raise NotAllowed("person_signs_in_with_an_account", "whoever has a key confirms through the API")
    return Calls(request)


async def _shown(calls: Calls, proposal: str) -> Proposed:
    found = await calls.get(f"/v1/proposals/{proposal}")
    if found.status == _NOT_FOUND:
        raise NotFound(f"there is no proposal {proposal}")
    if found.status != _OK:
        raise NotAllowed(found.body["code"], found.body["detail"])
    return await proposed(calls, found.body)
