"""What a person signs in with, and from where: one page for passkeys, password, codes, sessions and keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Annotated, Any

from fastapi import Form, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.core import clock
from bookrunner.core.credentials import digest
from bookrunner.core.errors import NotAuthenticated, Refused
from bookrunner.core.status import status_of
from bookrunner.db import Row
from bookrunner.pages.access.door import token_of
from bookrunner.pages.access.people import words
from bookrunner.pages.access.people.entering import Said, address_of, answer_of, asked, site_of, taken, told
from bookrunner.pages.access.people.passkeys import Passkeys
from bookrunner.pages.access.people.store import People
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.language import current, zones
from bookrunner.pages.shell.routing import Router

# How long after signing in a person may change what it signs in with.
FRESH = timedelta(minutes=15)
_OTHERS = ("password", "totp", "recovery_codes")
_SEE_OTHER = 303


class Security:
    """The security page of whoever is signed in with an account."""

    def __init__(self, people: People, shell: Shell, asking: Passkeys | None) -> None:
        self.people = people
        self.shell = shell
        self.asking = asking

    def owner(self, request: Request) -> Row:
        """Return the account that is signed in; raises NotAuthenticated."""
        return self.people.of(token_of(request))

    def fresh(self, request: Request) -> Row:
        """Return the account that signed in a moment ago.

        Raises NotAuthenticated, and Refused ``credentials_change_soon_after_signing_in``.
        """
        account = self.owner(request)
        if clock.now() - request.state.visitor.opened_at > FRESH:
            raise Refused(
                "credentials_change_soon_after_signing_in",
                "sign out and in again; a session that is left open then cannot be made another way in",
            )
        return account

    def page(self, request: Request, extra: Mapping[str, Any] | None = None, status: int = 200) -> Response:
        """Return the page; ``extra`` is what is shown this once."""
        account = self.owner(request)
        token = token_of(request) or ""
        held = self.people.ask("credentials", account=account["account_id"])
        facts = {
            "account": account,
            "passkeys": [each for each in held if each["kind"] == "passkey"],
            "linked": next((each for each in held if each["kind"] == "provider"), None),
            "providers": self.people.ask("providers_in_force"),
            "others": {kind: next((each for each in held if each["kind"] == kind), None) for kind in _OTHERS},
            "sessions": self.people.ask("sessions", account=account["account_id"]),
            "own": digest(token),
            "keys": self.people.ask("own_keys", name=account["name"]),
            "has_passkeys": self.asking is not None,
            "zones": zones(),
            "zone": current().zone,
            "codes": (),
            "setting_up": None,
            "fault": None,
            "least": words.WITH_CODE if any(each["kind"] == "totp" for each in held) else words.ALONE,
        }
        return self.shell.page(request, "access/people/security.html", {**facts, **(extra or {})}, status)

    def done(self, request: Request, work: Callable[[], Mapping[str, Any] | None]) -> Response:
        """Do ``work`` and show the page again, with what it returns shown once, or with what it refused."""
        try:
            shown = work()
        except NotAuthenticated:
            raise
        except Refused as fault:
            return self.page(request, {"fault": fault}, status_of(fault))
        if shown is None:
            return RedirectResponse("/security", status_code=_SEE_OTHER)
        return self.page(request, shown)

    def keep_password(self, account: Row, password: str, *, present: str, address: str) -> None:
        """Keep a password; a short one stands beside one-time codes and leaves with them.

        Where one is in force it is said once more (ASVS 5.0, V6.2.3): Refused ``present_password_is_right``.
        """
        self.people.check_present(account, present, address)
        held = {each["kind"] for each in self.people.ask("credentials", account=account["account_id"])}
        words.check_password(password, (account["name"], account["keeper"]), with_code="totp" in held)
        label = "short" if len(password) < words.ALONE else ""
        self.people.enroll(
            account, {"kind": "password", "secret": words.encoded(password).hex(), "label": label}
        )

    def keep_codes(self, account: Row, secret: str, code: str) -> None:
        """Keep a secret of one-time codes once its first code was shown; that code is used up."""
        step = words.step_of(secret, code)
        if step is None:
            raise Refused(
                "first_code_is_right", "the code is not of this secret now; look at the clock of the device"
            )
        self.people.enroll(account, self.people.sealed_codes(account["account_id"], secret))
        (kept,) = [
            each["credential_id"]
            for each in self.people.ask("credentials", account=account["account_id"])
            if each["kind"] == "totp"
        ]
        self.people.ask("use_code", credential=kept, step=step)


def routes(security: Security) -> Router:
    """Return the page, and the routes that set something up."""
    router = Router(prefix="/security")

    @router.get("")
    def look(request: Request) -> Response:
        return security.page(request)

    @router.post("/password")
    def password(
        request: Request,
        password: Annotated[str, Form(max_length=1000)] = "",
        present: Annotated[str, Form(max_length=1000)] = "",
    ) -> Response:
        def work() -> None:
            account = security.fresh(request)
            security.keep_password(account, password, present=present, address=address_of(request))

        return security.done(request, work)

    @router.post("/codes/new")
    def set_up(request: Request) -> Response:
        def work() -> Mapping[str, Any]:
            account = security.fresh(request)
            secret = words.new_secret()
            return {"setting_up": {"secret": secret, "address": words.address_of(secret, account["name"])}}

        return security.done(request, work)

    @router.post("/codes")
    def codes(
        request: Request,
        secret: Annotated[str, Form(pattern="^[A-Z2-7]{32}$")],
        code: Annotated[str, Form(max_length=10)] = "",
    ) -> Response:
        return security.done(request, lambda: security.keep_codes(security.fresh(request), secret, code))

    @router.post("/recovery")
    def recovery(request: Request) -> Response:
        def work() -> Mapping[str, Any]:
            made = words.new_codes()
            security.people.enroll(security.fresh(request), {"kind": "recovery_codes"}, made)
            return {"codes": made}

        return security.done(request, work)

    return router


def end_routes(security: Security) -> Router:
    """Return the routes that end a credential or a session."""
    router = Router(prefix="/security")
    people = security.people

    @router.post("/credentials/{credential}/end")
    def end(request: Request, credential: str) -> Response:
        def work() -> None:
            account = security.fresh(request)
            people.act(
                "end_credential",
                actor=account["name"],
                account=account["account_id"],
                session=account["session_id"],
                credential=credential,
            )

        return security.done(request, work)

    @router.post("/sessions/{session}/end")
    def end_session(request: Request, session: str) -> Response:
        def work() -> None:
            account = security.owner(request)
            people.act(
                "end_account_session", actor=account["name"], account=account["account_id"], id=session
            )

        return security.done(request, work)

    return router


def script_routes(security: Security) -> Router:
    """Return what the script of the page calls to add a passkey."""
    router = Router(prefix="/security/passkey")
    people, asking = security.people, security.asking

    @router.post("/options")
    def options(request: Request) -> Response:
        def work() -> Mapping[str, Any]:
            account = security.fresh(request)
            held = people.ask("credentials", account=account["account_id"])
            known = [bytes(each["passkey_id"]) for each in held if each["kind"] == "passkey"]
            return site_of(asking).new(account, known, asked(people, account["account_id"], request))

        return told(work)

    @router.post("")
    def add(request: Request, said: Said) -> Response:
        def work() -> dict[str, str]:
            account = security.fresh(request)
            kept = site_of(asking).made(request, answer_of(said), taken(people, said, account["account_id"]))
            people.enroll(account, {**kept, "label": str(said.get("label", ""))[:60]})
            return {"next": "/security"}

        return told(work)

    return router
