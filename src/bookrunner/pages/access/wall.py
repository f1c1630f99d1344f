"""Who may open which page: one rule per address, decided before a body is read; without a rule nobody may."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from fastapi import Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send

from bookrunner.core.credentials import ISSUER, read_token
from bookrunner.core.errors import BookrunnerError, NotAllowed, NotAuthenticated, NotFound
from bookrunner.db import Database, load
from bookrunner.pages.access.door import FOR_WHOM, Door, token_of, unbind
from bookrunner.pages.access.visitor import SignedIn, actor_for
from bookrunner.pages.shell import language
from bookrunner.pages.shell.language import Offered, later


class Opens(StrEnum):
    """Who may open an address. An issuer meets its own pages alone; any other is as if it did not exist."""

    EVERYBODY = "everybody"
    """Anybody, and no session is looked at."""
    PERSON = "person"
    """Whoever is signed in, issuers too."""
    ISSUER = "issuer"
    """Issuers; which offers, row security says."""
    SHOWN = "shown"
    """Anybody for a published offer, save under Rule 506(b).

    An investor also for an offer that it invests in, staff for each.
    """
    MEMBER = "member"
    """An investor of the offer, and staff."""
    OWN = "own"
    """The investor of the investment, and staff."""
    ITSELF = "itself"
    """An investor, about itself; nobody else, and in its place a delegate where the address is lent."""
    DELEGATE = "delegate"
    """A delegate, about whom it acts for."""
    VISITOR = "visitor"
    """Investors and staff; the page shows each what is its own."""
    STAFF = "staff"
    """People of keepers."""
    CONSOLE = "console"
    """People of keepers, in a sandbox too; the console says of which."""


_OFFER, _BELOW = r"/offers/(?P<offering>[^/]+)", r"(?:/.*)?"
RULES: Final[Mapping[str, Opens]] = {
    r"/static/.+": Opens.EVERYBODY,
    rf"/(?:sign-in|invitation|recovery){_BELOW}": Opens.EVERYBODY,
    r"/language": Opens.EVERYBODY,
    rf"/(?:sign-out|security|confirm){_BELOW}": Opens.PERSON,
    rf"/issuer{_BELOW}": Opens.ISSUER,
    _OFFER: Opens.SHOWN,
    rf"{_OFFER}/documents{_BELOW}": Opens.SHOWN,
    r"/live/(?P<offering>[^/]+)": Opens.MEMBER,
    rf"/investments/(?P<investment>[^/]+){_BELOW}": Opens.OWN,
    rf"/(?:profile|holdings|notices|privacy|delegates|votes|buybacks|reinvestment){_BELOW}": Opens.ITSELF,
    rf"/delegations{_BELOW}": Opens.DELEGATE,
    r"/": Opens.VISITOR,
    r"/mailbox": Opens.VISITOR,
    rf"{_OFFER}/(?:apply|institution)": Opens.VISITOR,
    rf"{_OFFER}/(?:now|close|pictures|breaks|votes)": Opens.STAFF,
    rf"{_OFFER}/filings{_BELOW}": Opens.STAFF,
    rf"{_OFFER}/closings/[^/]+/certificate(?:\.pdf)?": Opens.STAFF,
    rf"/(?:compliance|desk|treasury|registry|proposals|proof){_BELOW}": Opens.CONSOLE,
}
# What a delegate opens of its principal's pages, and the least scope for it: to look, and to send a form.
# What stands in no row is the principal's alone; what an act changes, the database judges besides.
LENT: Final[Mapping[str, tuple[str | None, str | None]]] = {
    r"/": ("see", None),
    _OFFER: ("see", None),
    rf"{_OFFER}/apply": ("prepare", "prepare"),
    r"/live/[^/]+": ("see", None),
    r"/investments/[^/]+(?:/now|/lanes|/wallets)?": ("see", None),
    r"/investments/[^/]+/currency": (None, "prepare"),
    r"/investments/[^/]+/(?:cancel|sent)": (None, "act"),
    r"/investments/[^/]+/transfers": ("see", "act"),
    r"/(?:profile|holdings|notices)": ("see", None),
    r"/holdings/[^/]+/[^/]+/statement\.pdf": (None, "see"),
}
_SCOPES: Final = ("see", "prepare", "act")
# What is told where a delegation does not reach, by the least scope that would.
_TAKES: Final[Mapping[str | None, str]] = {
    None: later("only the investor does this itself"),
    "prepare": later("this delegation is for looking alone"),
    "act": later("this takes a delegation to act for the investor"),
}
_LENT: Final = tuple((re.compile(pattern), scopes) for pattern, scopes in LENT.items())
_COMPILED: Final = tuple((re.compile(pattern, re.DOTALL), rule) for pattern, rule in RULES.items())
_IN_A_SANDBOX: Final = frozenset({Opens.SHOWN, Opens.MEMBER, Opens.OWN, Opens.VISITOR, Opens.STAFF})
# Whose pages they are, told to anybody else.
_WHOSE: Final = {
    Opens.ISSUER: ("key_serves_this_keeper", f"{ISSUER} decides this"),
    Opens.DELEGATE: ("delegate_acts_for_others", later("this is the page of who acts for an investor")),
}
_OF_ISSUERS: Final = frozenset({Opens.PERSON, Opens.ISSUER})


def rule_of(path: str) -> tuple[Opens, Mapping[str, str]]:
    """Return the rule of an address and the ids in it; raises NotFound where there is none."""
    for pattern, rule in _COMPILED:
        if found := pattern.fullmatch(path):
            return rule, found.groupdict()
    raise NotFound("There is no such page")


@dataclass(frozen=True, slots=True)
class Admission:
    """Recognises who asks and applies the rule of the address.

    With an ``operator``, as in a sandbox that nobody else can reach, whoever is not signed in reads offers
    and investments as staff does. Consoles ask for a session everywhere.
    """

    database: Database
    door: Door
    operator: str | None

    def admit(self, request: Request) -> None:
        """Put who is signed in on the request; raises NotAuthenticated, NotAllowed and NotFound.

        The rules are ``person_is_signed_in``, ``session_has_two_factors``, ``key_serves_this_keeper``,
        ``investor_acts_for_itself`` and those of delegates, ``delegate_chooses_for_whom``,
        ``delegate_stays_within_its_scope`` and ``delegate_acts_for_others``. Where accounts alone sign
        in, a password without a code opens the security page alone, where the second factor is set up
        (ASVS 5.0, V6.3.3).
        """
        rule, ids = rule_of(request.url.path)
        if rule is Opens.EVERYBODY:
            return
        visitor = self._recognise(request)
        request.state.visitor = visitor
        if visitor is None:
            self._stranger(rule, ids)
        elif self.door.is_for_accounts_alone and not visitor.has_two_factors and rule is not Opens.PERSON:
            raise NotAllowed(
                "session_has_two_factors", "a password alone opens your security page and no other"
            )
        elif visitor.is_delegate:
            self._delegate(request, visitor, rule, ids)
        elif visitor.keeper == ISSUER:
            if rule not in _OF_ISSUERS:
                raise NotFound("There is no such page")
        elif rule in _WHOSE:
            raise NotAllowed(*_WHOSE[rule])
        elif rule is Opens.ITSELF and not visitor.is_investor:
            raise NotAllowed("investor_acts_for_itself", "an investor reads this about itself")
        elif visitor.is_investor:
            self._investor(visitor.name, rule, ids)

    def _recognise(self, request: Request) -> SignedIn | None:
        """Return who is signed in.

        A session that is over is nobody, and so is one of a key where accounts alone sign in.
        """
        token = token_of(request)
        if token is None:
            return None
        try:
            keeper, session = read_token(token)
            with self.database.transaction(keeper) as transaction:
                row = load(__package__).session_of(transaction, session=session, is_act=_is_act(request))
        except NotAuthenticated:
            return None
        request.state.session = session
        visitor = SignedIn(**row, keeper=keeper)
        return None if self.door.is_for_accounts_alone and not visitor.is_account else visitor

    def _stranger(self, rule: Opens, ids: Mapping[str, str]) -> None:
        if self.operator is not None and rule in _IN_A_SANDBOX:
            return
        if rule is not Opens.SHOWN:
            raise NotAuthenticated("person_is_signed_in", "sign in to see this page")
        self._check_offer(ids["offering"], None, is_public=True)

    def _delegate(self, request: Request, visitor: SignedIn, rule: Opens, ids: Mapping[str, str]) -> None:
        """Let a delegate in to its own pages, or in the place of the investor whom it has chosen."""
        if rule in {Opens.PERSON, Opens.DELEGATE}:
            return
        with self.database.transaction("portal") as transaction:
            chosen = load(__package__).delegation_in_force(
                transaction, delegation=unbind(request, FOR_WHOM), delegate=visitor.person
            )
        if chosen is None:
            raise NotAllowed("delegate_chooses_for_whom", "choose on your page for whom you act")
        least = _least(request)
        if least is None or _SCOPES.index(chosen["scope"]) < _SCOPES.index(least):
            raise NotAllowed(
                "delegate_stays_within_its_scope",
                _TAKES[least],
            )
        investor = chosen["investor_id"]
        request.state.visitor = replace(visitor, actor=actor_for(visitor.person, investor))
        self._investor(investor, rule, ids)

    def _investor(self, investor: str, rule: Opens, ids: Mapping[str, str]) -> None:
        if rule in {Opens.STAFF, Opens.CONSOLE}:
            raise NotAllowed("key_serves_this_keeper", "a person of a keeper reads this")
        if rule in {Opens.SHOWN, Opens.MEMBER}:
            self._check_offer(ids["offering"], investor, is_public=rule is Opens.SHOWN)
        if rule is Opens.OWN:
            with self.database.transaction("portal") as transaction:
                is_foreign = load(__package__).is_of_another(
                    transaction, investment=ids["investment"], investor=investor
                )
            if is_foreign:
                raise NotAllowed("investor_acts_for_itself", "this is an investment of somebody else")

    def _check_offer(self, offering: str, investor: str | None, *, is_public: bool) -> None:
        with self.database.transaction("engine") as transaction:
            is_shown = load(__package__).is_shown(
                transaction, offering=offering, investor=investor, is_public=is_public
            )
        if not is_shown:
            raise NotFound(f"there is no offer {offering}")


def _least(request: Request) -> str | None:
    """Return the least scope in which a delegate opens an address, or None where it does not."""
    for pattern, (looks, acts) in _LENT:
        if pattern.fullmatch(request.url.path):
            return looks if request.method in {"GET", "HEAD"} else acts
    return None


def _is_act(request: Request) -> bool:
    """Say whether a person asked: what an open page fetches by itself keeps no session alive."""
    return "hx-request" not in request.headers and not request.url.path.endswith("/live")


class Wall:
    """Admits or refuses a request of the pages before anything of its body is read (ASVS 5.0, V5.2.1).

    Either way it is answered in the language of whoever asks, one of those ``offered``.
    """

    def __init__(self, app: ASGIApp, admission: Admission, offered: Offered) -> None:
        self._app = app
        self._admission = admission
        self._offered = offered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one ASGI call."""
        if scope["type"] == "http":
            request = Request(scope)
            try:
                await run_in_threadpool(self._admission.admit, request)
            except BookrunnerError as refused:
                self._speak(request)
                answer = await run_in_threadpool(_answer, request, refused)
                await answer(scope, receive, send)
                return
            self._speak(request)
        await self._app(scope, receive, send)

    def _speak(self, request: Request) -> None:
        language.start(self._offered.of_request(request, unbind(request, language.COOKIE)))


def _answer(request: Request, refused: BookrunnerError) -> Response:
    """Return what the application answers to a refusal."""
    handlers = request.app.exception_handlers
    answer: Response = next(handlers[kind] for kind in type(refused).__mro__ if kind in handlers)(
        request, refused
    )
    return answer
