"""Signing in with an OpenID provider: to it, back from it, and what then happens to an account.

A provider sends a browser back from another site, and the cookie of a session is for pages of this very site
alone. So a page stands between: it goes on to what the session shows, or asks its person to link.
"""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from typing import Annotated, Final

from fastapi import Form, Query, Request
from fastapi.responses import JSONResponse, RedirectResponse, Response

from bookrunner.adapters.identity import Answer, Flow, Vouched
from bookrunner.core.errors import NotAuthenticated, NotReady, Refused
from bookrunner.core.log import mark, warn
from bookrunner.core.status import status_of
from bookrunner.db import Database
from bookrunner.pages.access.door import Door, bind, hand_over, inside, session_of, sheet_of, unbind
from bookrunner.pages.access.people import People, security
from bookrunner.pages.access.people.entering import accept, address_of, home_of, invited
from bookrunner.pages.access.people.passkeys import Passkeys
from bookrunner.pages.access.providers.store import Provider, Providers
from bookrunner.pages.shell import Shell
from bookrunner.pages.shell.routing import Router, take_in

__all__ = ["Providers", "routes"]

_COOKIE: Final = "bookrunner_way"
_SECONDS: Final = 300
_SIGN_IN, _LINK, _INVITATION = "sign-in", "link", "invitation"
_SEE_OTHER, _UNHEARD = 303, 400
_WITH: Final = "/sign-in/with"


@dataclass(frozen=True, slots=True)
class Way:
    """The way of one browser to a provider: what for, and the page, account or invitation of it.

    ``before`` is the digest of the session that the browser had: its cookie does not come back with it.
    """

    flow: Flow
    purpose: str
    about: str
    before: bytes

    def purpose_at(self, provider: Provider) -> str:
        """Return what the answer counts for, once: this provider, purpose and subject alone."""
        about = sha256(self.about.encode()).hexdigest()
        return f"provider/{provider.provider_id}/{self.purpose}/{about}"

    @property
    def text(self) -> str:
        """The way as a browser keeps it."""
        about = urlsafe_b64encode(self.about.encode()).decode("ascii").rstrip("=")
        return f"{self.flow.text}.{self.purpose}.{about}.{self.before.hex()}"

    @classmethod
    def of(cls, text: str) -> Way:
        """Return the way of a browser; raises NotAuthenticated ``sign_in_began_in_this_browser``."""
        flow, purpose, about, before = (*text.split("."), "", "", "")[:4]
        try:
            read = urlsafe_b64decode(about + "=" * (-len(about) % 4)).decode()
            session = bytes.fromhex(before)
        except ValueError:
            read, flow, session = "", "", b""
        return cls(Flow.of(flow), purpose, read, session)


class Entrance:
    """Leads people to providers and takes them in when they come back."""

    def __init__(self, people: People, providers: Providers, shell: Shell, door: Door) -> None:
        self.people = people
        self.providers = providers
        self.shell = shell
        self.door = door

    def leave(self, request: Request, name: str, purpose: str, about: str) -> Response:
        """Return the page that leads to a provider, and bind the answer to this browser.

        Raises NotAuthenticated ``provider_is_in_force`` and NotReady ``token_issuer_answers``.
        """
        provider = self.providers.in_force(name)
        way = Way(Flow.begun(), purpose, about, session_of(request))
        address = provider.own.leave(way.flow, _back(request, provider))
        self.people.ask(
            "ask",
            challenge=sha256(way.flow.state.encode()).digest(),
            purpose=way.purpose_at(provider),
            network=self.people.network("challenge", address_of(request)),
        )
        facts = {"title": provider.title, "issuer": provider.own.issuer, "address": address}
        answer = self.shell.page(request, "access/providers/leaving.html", facts)
        return bind(answer, request, _COOKIE, value=way.text, seconds=_SECONDS)

    def way(self, request: Request, state: str) -> Way:
        """Return the way that an answer ends; raises NotAuthenticated ``sign_in_began_in_this_browser``."""
        way = Way.of(unbind(request, _COOKIE))
        way.flow.check(state)
        return way

    def vouched(
        self, request: Request, name: str, way: Way, answer: Answer
    ) -> tuple[Provider, bytes, Vouched]:
        """Return the provider, the digest of its subject and what it says; an answer counts once.

        Raises NotAuthenticated ``challenge_is_answered_once`` and what redeeming an answer refuses.
        """
        provider = self.providers.in_force(name)
        challenge = sha256(way.flow.state.encode()).digest()
        self.people.ask("answered", challenge=challenge, purpose=way.purpose_at(provider))
        found = provider.own.redeem(answer, way.flow, _back(request, provider))
        return provider, self.providers.subject_of(provider, found), found

    def enter(self, request: Request, name: str, way: Way, answer: Answer) -> Response:
        """Sign in whoever is linked, or take an invitation up by what the provider says, and go on."""
        provider, subject, vouched = self.vouched(request, name, way, answer)
        elsewhere = self.providers.session_of(provider, vouched.session)
        how = "provider_with_factors" if vouched.has_two_factors else "provider"
        if way.purpose == _INVITATION:
            kept = _kept(provider, subject)
            account, entered = accept(self.people, way.about, kept, way.before, how=how, elsewhere=elsewhere)
            home = "/security"
        else:
            account = self.providers.linked(provider, subject)
            entered = self.people.enter(account, how, way.before, elsewhere)
            home = self.people.warned(account) or home_of(account, way.about)
        answered = self.shell.page(
            request, "access/providers/entered.html", {"name": account["name"], "home": home}
        )
        bind(answered, request, _COOKIE)
        return hand_over(answered, request, entered.token, entered.ends_at)

    def link(self, request: Request, own: security.Security, name: str, said: tuple[str, Answer]) -> None:
        """Link who somebody is at a provider to the account that is signed in, by its person's own act."""
        account, way = own.fresh(request), self.way(request, said[0])
        if (way.purpose, way.about) != (_LINK, account["account_id"]):
            raise NotAuthenticated(
                "sign_in_began_in_this_browser", "this is no answer to what this account asked for"
            )
        provider, subject, _ = self.vouched(request, name, way, said[1])
        self.people.enroll(account, _kept(provider, subject))

    def refused(self, request: Request, fault: Refused, after: str = "/") -> Response:
        """Return the page for signing in, with what a provider or its answer broke."""
        network = self.people.network("sign-in", address_of(request))
        warn("a sign-in is refused", means="provider", rule=fault.rule, network=mark(network))
        sheet = sheet_of(
            after, self.door, self.people.ask("providers_in_force"), rule=fault.rule, detail=fault.detail
        )
        answer = self.shell.page(request, "access/sign_in.html", sheet, int(status_of(fault)))
        return bind(answer, request, _COOKIE)


def routes(database: Database, shell: Shell, door: Door) -> Router:
    """Return the ways to a provider and back from it."""
    people, asking = People(database), None if door.site is None else Passkeys(door.site)
    entrance = Entrance(people, Providers(database), shell, door)
    router = _ways(entrance)
    take_in(router, _told(entrance))
    take_in(router, _links(entrance, security.Security(people, shell, asking)))
    return router


def _ways(entrance: Entrance) -> Router:
    """Return the ways to a provider that open a session, and the address that it sends people back to."""
    router, people = Router(), entrance.people

    def tried(request: Request, work: Callable[[], Response], after: str = "/") -> Response:
        try:
            return work()
        except Refused as fault:
            return entrance.refused(request, fault, after)

    @router.post(f"{_WITH}/{{name}}")
    def begin(request: Request, name: str, after: Annotated[str, Form(alias="next")] = "/") -> Response:
        page = inside(after)
        return tried(request, lambda: entrance.leave(request, name, _SIGN_IN, page), page)

    @router.post("/invitation/with/{name}")
    def invite(
        request: Request, name: str, invitation: Annotated[str, Form(max_length=200)] = ""
    ) -> Response:
        def work() -> Response:
            invited(people, invitation)
            return entrance.leave(request, name, _INVITATION, invitation)

        return tried(request, work)

    @router.get(f"{_WITH}/{{name}}")
    def back(
        request: Request,
        name: str,
        *,
        state: Annotated[str, Query(max_length=200)] = "",
        code: Annotated[str, Query(max_length=8192)] = "",
        iss: Annotated[str | None, Query(max_length=2000)] = None,
        error: Annotated[str | None, Query(max_length=200)] = None,
    ) -> Response:
        def work() -> Response:
            way = entrance.way(request, state)
            if way.purpose != _LINK:
                return entrance.enter(request, name, way, Answer(code, iss, error))
            provider = entrance.providers.in_force(name)
            facts = {"provider": provider, "state": state, "code": code, "iss": iss}
            return entrance.shell.page(request, "access/providers/link.html", facts)

        return tried(request, work)

    return router


def _told(entrance: Entrance) -> Router:
    """Return what the server of a provider calls when it has signed somebody out."""
    router = Router()

    @router.post(f"{_WITH}/{{name}}/logout")
    def logout(name: str, logout_token: Annotated[str, Form(max_length=8192)] = "") -> Response:
        """Hear from the server of a provider whom it has signed out; nobody is signed in here for that."""
        headers = {"Cache-Control": "no-store"}
        try:
            entrance.providers.hear_logout(entrance.providers.in_force(name), logout_token)
        except Refused as fault:
            warn("a logout of a provider is refused", rule=fault.rule)
            status = status_of(fault) if isinstance(fault, NotReady) else _UNHEARD
            said = {"error": "invalid_request", "error_description": fault.rule}
            return JSONResponse(said, status, headers)
        return Response(status_code=200, headers=headers)

    return router


def _links(entrance: Entrance, own: security.Security) -> Router:
    """Return what the security page asks for: to link an account of a provider, and to confirm it."""
    router = Router(prefix="/security/providers")

    @router.post("/{name}")
    def begin(request: Request, name: str) -> Response:
        try:
            return entrance.leave(request, name, _LINK, own.fresh(request)["account_id"])
        except Refused as fault:
            return own.page(request, {"fault": fault}, status_of(fault))

    @router.post("/{name}/link")
    def link(
        request: Request,
        name: str,
        *,
        state: Annotated[str, Form(max_length=200)] = "",
        code: Annotated[str, Form(max_length=8192)] = "",
        iss: Annotated[str | None, Form(max_length=2000)] = None,
    ) -> Response:
        try:
            entrance.link(request, own, name, (state, Answer(code, iss or None)))
        except Refused as fault:
            return own.page(request, {"fault": fault}, status_of(fault))
        return bind(RedirectResponse("/security", status_code=_SEE_OTHER), request, _COOKIE)

    return router


def _kept(provider: Provider, subject: bytes) -> dict[str, str]:
    return {
        "kind": "provider",
        "provider_id": provider.provider_id,
        "subject": subject.hex(),
        "label": provider.title,
    }


def _back(request: Request, provider: Provider) -> str:
    """Return the address of this installation that a provider sends people back to."""
    return f"{request.url.scheme}://{request.headers.get('host', '')}{_WITH}/{provider.name}"
