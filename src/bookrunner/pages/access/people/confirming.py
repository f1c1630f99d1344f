"""A decision that a passkey signs: its digest is the challenge; the session goes on under another token."""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

from fastapi import Request
from fastapi.responses import Response

from bookrunner.core.credentials import digest, make_token
from bookrunner.core.errors import NotAuthenticated
from bookrunner.core.ids import new_id
from bookrunner.db import Row
from bookrunner.pages.access.door import hand_over, token_of
from bookrunner.pages.access.people import passkeys
from bookrunner.pages.access.people.entering import Said, answer_of, site_of, told
from bookrunner.pages.access.people.passkeys import Passkeys
from bookrunner.pages.access.people.store import Entered, People
from bookrunner.pages.shell.routing import Router


def routes(people: People, asking: Passkeys | None) -> Router:
    """Return what the script of a form of a decision calls before the form is sent."""
    router = Router(prefix="/confirm")

    @router.post("/options")
    def options(request: Request, said: Said) -> Response:
        def work() -> Mapping[str, Any]:
            account, decision = _decision(people, request, said)
            held = people.ask("credentials", account=account["account_id"])
            known = [
                bytes(each["passkey_id"])
                for each in held
                if each["kind"] == "passkey" and each["status"] == "in_force"
            ]
            if not known:
                raise NotAuthenticated(
                    "decision_is_confirmed_by_passkey", "add a passkey on your security page"
                )
            return site_of(asking).signing(bytes(decision["decision_sha256"]), known)

        return told(work)

    @router.post("")
    def confirm(request: Request, said: Said) -> Response:
        entered: list[Entered] = []

        def work() -> dict[str, str]:
            confirmation = new_id("cnf")
            entered.append(_confirmed(people, site_of(asking), request, (said, confirmation)))
            return {"confirmed": confirmation}

        answer = told(work)
        for each in entered:
            hand_over(answer, request, each.token, each.ends_at)
        return answer

    return router


def _decision(people: People, request: Request, said: Mapping[str, Any]) -> tuple[Row, Row]:
    token = token_of(request)
    account = people.of(token)
    subjects = said.get("subjects")
    decision: Row = people.ask(
        "decision",
        session=digest(token or ""),
        act=str(said.get("act", "")),
        offering=str(said.get("offering", "")),
        subjects=[str(each) for each in subjects] if isinstance(subjects, list) else [],
    )
    return account, decision


def _confirmed(
    people: People, site: Passkeys, request: Request, told_as: tuple[Mapping[str, Any], str]
) -> Entered:
    said, confirmation = told_as
    account, decision = _decision(people, request, said)
    answer = answer_of(said)
    passkey = people.ask("passkey", passkey=passkeys.id_in(answer))
    if passkey is None or (passkey["account_id"], passkey["status"]) != (account["account_id"], "in_force"):
        raise NotAuthenticated("passkey_is_of_the_account", "it is no passkey of this account")
    signed = site.signed(request, answer, bytes(decision["decision_sha256"]), passkey)
    people.ask("use_passkey", credential=passkey["credential_id"], count=signed.count)
    token = make_token(account["keeper"])
    ends_at = people.act(
        "confirm",
        session=digest(token_of(request) or ""),
        said=json.dumps(
            {
                "act": said["act"],
                "items": decision["items"],
                "credential": passkey["credential_id"],
                "confirmation": confirmation,
                "session": new_id("ses"),
            }
        ),
        signed=bytes(decision["decision_sha256"]),
        assertion=sha256(signed.signature).digest(),
        next=digest(token),
    )
    return Entered(token, ends_at)
