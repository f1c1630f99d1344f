"""Where an investor claims a wallet by its signature, and follows it until it is linked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Protocol

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.adapters.chain import checksum
from bookrunner.books import portal, registry
from bookrunner.core.errors import Malformed, NotFound, Refused
from bookrunner.db import Database, load
from bookrunner.pages.access import acting_for
from bookrunner.pages.shell import Shell, told
from bookrunner.pages.shell.language import later
from bookrunner.pages.shell.routing import Router

_CONFLICT, _SEE_OTHER = 409, 303
_Line = Annotated[str, Form(max_length=10_000)]
# What each state of a wallet says to its holder: icon, tone, word, who decides next.
STATES: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "claimed": ("waiting", "wait", later("waiting for compliance"), later("compliance screens the address")),
    "screened": (
        "waiting",
        "wait",
        later("waiting for the issuer"),
        later("the issuer consents to the address"),
    ),
    "issuer_approved": (
        "waiting",
        "wait",
        later("waiting for the transfer agent"),
        later("the transfer agent links it"),
    ),
    "linked": ("confirmed", "good", later("linked"), later("units are delivered here")),
    "joined": ("confirmed", "good", later("kept beside"), later("you hold units here too")),
    "superseded": ("cancelled", "grey", later("superseded"), later("another wallet of yours took its place")),
    "rejected": ("refused", "bad", later("rejected"), later("claim another wallet")),
    "revoked": ("refused", "bad", later("revoked"), later("nothing is delivered here; claim another wallet")),
}


class Proving(Protocol):
    """What proves a wallet: the application."""

    @property
    def database(self) -> Database:
        """The keepers' logins."""

    def wallet_challenge(self, offering: str, investor: str, written: str, *, domain: str) -> tuple[str, str]:
        """Keep what a wallet has to sign; return id and text."""

    def claim_wallet(self, offering: str, investor: str, challenge: str, signature: bytes) -> str:
        """Record a wallet that signed its challenge; return the claim's id."""


class Wallets:
    """Renders the wallets of one investment's holder; a refusal comes back on the page it was asked from."""

    def __init__(self, application: Proving, shell: Shell, operator: str | None) -> None:
        self.application = application
        self.shell = shell
        self.operator = operator

    def holder(self, request: Request, investment: str) -> Mapping[str, Any]:
        """Return the investment whose holder asks; raises NotFound and as :func:`acting_for` does."""
        with self.application.database.transaction("portal") as transaction:
            found: Mapping[str, Any] | None = load("bookrunner.pages").investment(
                transaction, investment=investment
            )
        if found is None:
            raise NotFound(f"there is no investment {investment}")
        acting_for(request, found["investor_id"], self.operator)
        return found

    def page(self, request: Request, found: Mapping[str, Any], **shown: object) -> Response:
        """Return the wallets and the form of the next step; 409 with a refusal."""
        on = {"offering": found["offering_id"], "investor": found["investor_id"], "address": None}
        rows = registry.keeper(self.application.database).wallet_history(**on)
        facts = {
            "investment": found,
            "wallets": [
                {**row, "written": checksum(bytes(row["address"])), "says": STATES[row["status"]]}
                for row in reversed(list(rows))
            ],
            "challenge": None,
            "is_done": False,
            "refusal": None,
            "typed": "",
            **shown,
        }
        status = _CONFLICT if facts["refusal"] else 200
        return self.shell.page(request, "investment/own/wallets.html", facts, status)

    def asked(self, found: Mapping[str, Any], challenge: str) -> Mapping[str, Any] | None:
        """Return what a wallet of this holder was asked to sign, or None."""
        kept = portal.keeper(self.application.database).challenge(
            offering=found["offering_id"], challenge=challenge
        )
        return kept if kept is not None and kept["investor_id"] == found["investor_id"] else None


def signature_of(text: str) -> bytes:
    """Read a signature as wallets write it; raises Malformed ``signature_is_hexadecimal``."""
    try:
        found = bytes.fromhex(text.strip().removeprefix("0x"))
    except ValueError:
        found = b""
    if not found:
        raise Malformed(
            "signature_is_hexadecimal", "paste the signature as the wallet shows it: 0x and digits"
        )
    return found


def routes(application: Proving, shell: Shell, operator: str | None) -> Router:
    """Return the routes below ``/investments/{id}/wallets``; the holder alone claims."""
    router = Router(prefix="/investments/{investment}/wallets")
    pages = Wallets(application, shell, operator)

    @router.get("")
    def shown(request: Request, investment: str, *, done: bool = False) -> Response:
        return pages.page(request, pages.holder(request, investment), is_done=done)

    @router.post("/challenges")
    def challenge(request: Request, investment: str, address: _Line = "") -> Response:
        found = pages.holder(request, investment)
        try:
            name, _ = application.wallet_challenge(
                found["offering_id"],
                found["investor_id"],
                address.strip(),
                domain=request.url.hostname or "localhost",
            )
        except Refused as fault:
            return pages.page(request, found, refusal=told(fault, {}), typed=address)
        return RedirectResponse(f"/investments/{investment}/wallets/{name}", status_code=_SEE_OTHER)

    @router.get("/{challenge}")
    def asked(request: Request, investment: str, challenge: str) -> Response:
        found = pages.holder(request, investment)
        kept = pages.asked(found, challenge)
        if kept is None:
            raise NotFound("there is no such challenge of yours")
        return pages.page(request, found, challenge=kept)

    @router.post("/{challenge}")
    def claim(request: Request, investment: str, challenge: str, signature: _Line = "") -> Response:
        found = pages.holder(request, investment)
        kept = pages.asked(found, challenge)
        if kept is None:
            raise NotFound("there is no such challenge of yours")
        try:
            application.claim_wallet(
                found["offering_id"], found["investor_id"], challenge, signature_of(signature)
            )
        except Refused as fault:
            return pages.page(request, found, challenge=kept, refusal=told(fault, {}))
        return RedirectResponse(f"/investments/{investment}/wallets?done=1", status_code=_SEE_OTHER)

    return router
