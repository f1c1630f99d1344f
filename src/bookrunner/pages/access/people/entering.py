"""Coming in: by a passkey, by a password with a code, by an invitation."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Annotated, Any

from fastapi import Body, Form, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from bookrunner.core.credentials import read_token
from bookrunner.core.errors import NotAuthenticated, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.log import warn
from bookrunner.core.status import status_of
from bookrunner.db import Row
from bookrunner.pages.access.door import Door, hand_over, inside, session_of, sheet_of
from bookrunner.pages.access.people import passkeys, words
from bookrunner.pages.access.people.passkeys import Passkeys
from bookrunner.pages.access.people.store import Entered, People
from bookrunner.pages.shell import Shell, sentence
from bookrunner.pages.shell import words as titled
from bookrunner.pages.shell.routing import Router

Said = Annotated[dict[str, Any], Body()]
_SIGN_IN = "sign-in"
_UNKNOWN, _SEE_OTHER = 401, 303
_HOMES = {"issuer": "/issuer"}


def told(work: Callable[[], Mapping[str, Any]]) -> JSONResponse:
    """Answer a script with what ``work`` returns, or with the sentence and rule of what it refused."""
    try:
        return JSONResponse(work(), headers={"Cache-Control": "no-store"})
    except Refused as fault:
        warn("an answer of a passkey is refused", rule=fault.rule, status=int(status_of(fault)))
        said = {"rule": fault.rule, "title": titled(fault.rule), "sentence": sentence(fault.detail)}
        return JSONResponse(said, status_of(fault), {"Cache-Control": "no-store"})


def site_of(found: Passkeys | None) -> Passkeys:
    """Return what asks for passkeys; raises Refused ``passkeys_have_their_site`` where no site is set."""
    if found is None:
        raise Refused("passkeys_have_their_site", "no site is set that passkeys could be bound to")
    return found


def asked(people: People, purpose: str, request: Request) -> bytes:
    """Return a fresh challenge that is answered once, for this purpose and within five minutes."""
    challenge, network = passkeys.fresh(), people.network("challenge", address_of(request))
    people.ask("ask", challenge=sha256(challenge).digest(), purpose=purpose, network=network)
    return challenge


def answer_of(said: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the answer of a passkey in what a script sent; anything else is unreadable later on."""
    found = said.get("credential")
    return found if isinstance(found, dict) else {}


def taken(people: People, said: Mapping[str, Any], purpose: str) -> bytes:
    """Return the challenge that an answer is to, used up; raises NotAuthenticated or Malformed."""
    challenge = passkeys.challenge_in(answer_of(said))
    people.ask("answered", challenge=sha256(challenge).digest(), purpose=purpose)
    return challenge


def address_of(request: Request) -> str:
    """Return the address that a request comes from."""
    return "" if request.client is None else request.client.host


def home_of(account: Row, after: str) -> str:
    """Return where the person of an account goes after signing in."""
    wanted = inside(after)
    if wanted != "/":
        return wanted
    return "/delegations" if account["name"].startswith("dlg_") else _HOMES.get(account["keeper"], wanted)


def accept(
    people: People,
    invitation: str,
    kept: Mapping[str, Any],
    before: bytes,
    *,
    how: str = "invitation",
    elsewhere: bytes | None = None,
) -> tuple[Row, Entered]:
    """Take an invitation up with its first credential and sign its person in, as having come so."""
    account = invited(people, invitation)
    account = {**account, "credential_id": new_id("crd")}
    people.act(
        "accept",
        invitation=sha256(invitation.encode()).digest(),
        credential=account["credential_id"],
        kept=json.dumps(kept),
    )
    return account, people.enter(account, how, before, elsewhere)


def invited(people: People, invitation: str) -> Row:
    """Return the account of an invitation; raises NotAuthenticated ``invitation_is_in_force``."""
    try:
        _, digest = read_token(invitation)
    except NotAuthenticated:
        digest = b""
    found: Row | None = people.ask("by_invitation", invitation=digest)
    if found is None:
        warn("a sign-in is refused", means="invitation", rule="invitation_is_in_force")
        raise NotAuthenticated("invitation_is_in_force", "it is not known, was used or has run out")
    return found


def passkey_routes(people: People, asking: Passkeys | None) -> Router:
    """Return what the script of the sign-in page and of an invitation calls."""
    router = Router()

    @router.post("/sign-in/passkey/options")
    def options(request: Request) -> Response:
        return told(lambda: site_of(asking).signing(asked(people, _SIGN_IN, request)))

    @router.post("/sign-in/passkey")
    def enter(request: Request, said: Said) -> Response:
        entered: list[Entered] = []

        def work() -> dict[str, str]:
            site, answer = site_of(asking), answer_of(said)
            challenge = taken(people, said, _SIGN_IN)
            passkey = people.ask("passkey", passkey=passkeys.id_in(answer))
            if passkey is None:
                raise NotAuthenticated("passkey_is_in_force", "nobody signs in with this passkey here")
            signed = site.signed(request, answer, challenge, passkey)
            if passkey["status"] == "waiting":
                people.act("admit_recovery", actor=passkey["name"], credential=passkey["credential_id"])
            people.ask("use_passkey", credential=passkey["credential_id"], count=signed.count)
            entered.append(people.enter(passkey, "passkey", session_of(request)))
            return {"next": people.warned(passkey) or home_of(passkey, str(said.get("next", "/")))}

        return _handed(told(work), request, entered)

    @router.post("/invitation/passkey/options")
    def new(request: Request, said: Said) -> Response:
        def work() -> Mapping[str, Any]:
            account = invited(people, str(said.get("invitation", "")))
            return site_of(asking).new(account, (), asked(people, account["account_id"], request))

        return told(work)

    @router.post("/invitation/passkey")
    def take_up(request: Request, said: Said) -> Response:
        entered: list[Entered] = []

        def work() -> dict[str, str]:
            invitation = str(said.get("invitation", ""))
            challenge = taken(people, said, invited(people, invitation)["account_id"])
            kept = site_of(asking).made(request, answer_of(said), challenge)
            kept["label"] = str(said.get("label", ""))[:60]
            entered.append(accept(people, invitation, kept, session_of(request))[1])
            return {"next": "/security"}

        return _handed(told(work), request, entered)

    return router


def form_routes(people: People, shell: Shell, door: Door) -> Router:
    """Return the pages that need no script: password and code, and taking an invitation up."""
    router = Router()

    def sheet(request: Request, invitation: str, fault: Refused | None = None) -> Response:
        account = None
        if invitation:
            try:
                account = invited(people, invitation)
            except NotAuthenticated as unknown:
                fault = unknown
        facts = {
            "account": account,
            "invitation": invitation,
            "fault": fault,
            "has_passkeys": door.site is not None,
            "least": words.ALONE,
            "providers": () if account is None else people.ask("providers_in_force"),
        }
        status = 200 if fault is None else status_of(fault)
        return shell.page(request, "access/people/invitation.html", facts, status)

    @router.post("/sign-in/password")
    def enter(
        request: Request,
        *,
        name: Annotated[str, Form(max_length=80)] = "",
        password: Annotated[str, Form(max_length=1000)] = "",
        code: Annotated[str, Form(max_length=60)] = "",
        after: Annotated[str, Form(alias="next")] = "/",
    ) -> Response:
        try:
            account, how = people.by_password(name.strip(), password, code, address_of(request))
            entered = people.enter(account, how, session_of(request))
        except NotAuthenticated as refused:
            return shell.page(
                request,
                "access/sign_in.html",
                sheet_of(after, door, people.ask("providers_in_force"), rule=refused.rule),
                _UNKNOWN,
            )
        home = people.warned(account) or home_of(account, after)
        answer = RedirectResponse(home, status_code=_SEE_OTHER)
        return hand_over(answer, request, entered.token, entered.ends_at)

    @router.get("/invitation")
    def ask(request: Request) -> Response:
        return sheet(request, "")

    @router.post("/invitation")
    def show(request: Request, invitation: Annotated[str, Form(max_length=200)] = "") -> Response:
        return sheet(request, invitation.strip() or "none")

    @router.post("/invitation/password")
    def take_up(
        request: Request,
        invitation: Annotated[str, Form(max_length=200)] = "",
        password: Annotated[str, Form(max_length=1000)] = "",
    ) -> Response:
        try:
            account = invited(people, invitation)
            words.check_password(password, (account["name"], account["keeper"]), with_code=False)
            kept = {"kind": "password", "secret": words.encoded(password).hex()}
            _, entered = accept(people, invitation, kept, session_of(request))
        except Refused as fault:
            return sheet(request, invitation, fault)
        answer = RedirectResponse("/security", status_code=_SEE_OTHER)
        return hand_over(answer, request, entered.token, entered.ends_at)

    return router


def _handed(answer: JSONResponse, request: Request, entered: list[Entered]) -> Response:
    for each in entered:
        hand_over(answer, request, each.token, each.ends_at)
    return answer
