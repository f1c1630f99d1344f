"""The profile of an investor: given once, amended until it is verified, then changed by a request."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request
from fastapi.responses import RedirectResponse, Response

from bookrunner.books import portal
from bookrunner.core.errors import Malformed, NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import read_whole
from bookrunner.db import Database, Row, load
from bookrunner.pages.access import SignedIn, signed_in
from bookrunner.pages.application.opening import CHECK, Opening
from bookrunner.pages.investment.own.itself import Itself
from bookrunner.pages.shell import Shell, mask, told
from bookrunner.pages.shell.language import later
from bookrunner.pages.shell.routing import Router

_CONFLICT, _PRECONDITION, _SEE_OTHER = 409, 412, 303
_SEEN: Final = "version_is_the_one_that_was_seen"
_MOST_BYTES: Final = 20 * 2**20
KINDS: Final[Mapping[str, str]] = {
    "individual": later("A person"),
    "joint": later("Two persons together"),
    "retirement": later("A retirement account"),
    "entity": later("A company or partnership"),
    "trust": later("A trust"),
    "nominee": later("A nominee for others"),
}
# Field, label, hint, what a browser may fill in.
FIELDS: Final = (
    (
        "legal_name",
        later("Legal name"),
        later("As it stands in the passport or in the register of companies."),
        "name",
    ),
    ("country", later("Country"), later("Two letters, such as US or DE."), "country"),
    ("address", later("Address"), later("Street, town and postal code."), "street-address"),
    (
        "email",
        later("E-mail"),
        later("Where notices are pointed to; nothing secret is ever sent there."),
        "email",
    ),
    ("tax_id", later("Tax number"), later("Nine digits. It is sealed under a key of your own."), "off"),
    (
        "birth_date",
        later("Birth date, of a person"),
        later("Year, month and day, as in 1975-12-24. It is sealed too."),
        "bday",
    ),
    (
        "representative",
        later("Who acts for it, of an entity, trust or nominee"),
        later("The full name."),
        "off",
    ),
    ("lei", later("Legal entity identifier, if there is one"), later("Twenty letters and digits."), "off"),
)
_NAMES: Final = tuple(name for name, *_ in FIELDS)
# What a verification does not cover.
_FREE: Final = frozenset({"email", "representative"})
_STATES: Final = {
    "requested": ("waiting", "wait", later("compliance decides")),
    "applied": ("confirmed", "good", later("applied")),
    "declined": ("refused", "bad", later("declined")),
}
_SENTENCES: Final = {
    _SEEN: later(
        "your profile has changed since you saw it; what you typed is kept below, look at what stands now"
    ),
    "one_change_is_open": later("one request is open already; compliance decides it first"),
    "change_says_why": later("say why it changes"),
    "legal_name_is_printable": later("write the legal name, at most 200 characters"),
    "country_is_two_letters": later("write the country as two letters, such as US"),
    "address_is_given": later("write the address, between 5 and 400 characters"),
    "email_has_an_at_sign": later("write an e-mail address"),
    "lei_is_twenty_characters": later("an LEI has eighteen letters or digits and two digits"),
}


@dataclass(frozen=True, slots=True)
class Form:
    """What was typed, and the SHA-256 of the paper that came with it."""

    typed: Mapping[str, str]
    paper: bytes | None

    @property
    def given(self) -> dict[str, str]:
        """The fields that are not empty."""
        return {name: self.typed[name] for name in _NAMES if self.typed.get(name)}

    @property
    def seen(self) -> int:
        """The version of the profile that the form was shown with; 0 of a form that names none."""
        return read_whole(self.typed.get("seen", "")) or 0


async def form_of(request: Request) -> Form:
    """Read a form; of its file only the hash goes on."""
    typed: dict[str, str] = {}
    paper: bytes | None = None
    async with request.form(max_files=1, max_fields=20) as read:
        for name, value in read.multi_items():
            if isinstance(value, str):
                typed[name] = value.strip()[:4000]
            elif value.size:
                if value.size > _MOST_BYTES:
                    raise Malformed("paper_is_not_too_large", "a paper has at most 20 megabytes")
                paper = hashlib.sha256(await value.read()).digest()
    return Form(typed, paper)


_Form = Annotated[Form, Depends(form_of)]


def profile_of(database: Database, investor: str) -> Row | None:
    """Return the profile of an investor in the version that counts, or None."""
    with database.transaction("portal") as transaction:
        found: Row | None = load(__package__).own_profile(transaction, investor=investor)
    return found


class Profiles:
    """Renders and writes the profile of whoever is signed in."""

    def __init__(self, database: Database, shell: Shell) -> None:
        self.database = database
        self.shell = shell
        self.portal = portal.keeper(database)
        self.opening = Opening(shell, FIELDS, KINDS)

    def page(self, request: Request, investor: str, **shown: object) -> Response:
        """Return the first question of a new profile, or the profile and its requests; 409 or 412 if refused.

        What is refused of a new profile comes back over its answers.
        """
        found = profile_of(self.database, investor)
        if found is None:
            typed, refusal = shown.get("typed") or {}, shown.get("refusal")
            at = CHECK if refusal else "kind"
            return self.opening.page(request, typed, at, refusal)  # type: ignore[arg-type]
        with self.database.transaction("portal") as transaction:
            changes = list(load(__package__).own_changes(transaction, investor=investor, most=50))
        visitor = signed_in(request)
        is_lent = visitor is not None and visitor.is_delegate
        facts = {
            "profile": found,
            "masked": masked(found) | (_lent(found) if is_lent else {}),
            "is_lent": is_lent,
            "changes": changes,
            "states": _STATES,
            "kinds": KINDS,
            "fields": FIELDS,
            "is_done": False,
            "refusal": None,
            **shown,
        }
        facts["typed"] = defaultdict(str, facts.get("typed") or {})  # type: ignore[call-overload]
        status = 200
        if isinstance(facts["refusal"], Mapping):
            status = _PRECONDITION if facts["refusal"]["rule"] == _SEEN else _CONFLICT
        return self.shell.page(request, "investment/own/profile.html", facts, status)

    def open(self, investor: SignedIn, form: Form) -> None:
        """Open the profile; refuses what the book and its front door refuse."""
        if form.typed.get("kind") not in KINDS:
            raise Refused("investor_kind_is_known", "choose who invests")
        self.portal.open_profile(
            actor=investor.actor,
            investor=investor.name,
            account=investor.name,
            kind=form.typed["kind"],
            detail=form.given,
        )

    def change(self, investor: SignedIn, form: Form) -> None:
        """Write the next version; what is verified becomes a request, with a reason and the hash of a paper.

        Refuses ``profile_exists``, ``version_is_the_one_that_was_seen``, ``change_names_its_fields``,
        ``locked_change_has_its_paper`` and what the book and its front door refuse.
        """
        found = profile_of(self.database, investor.name)
        if found is None:
            raise NotFound("there is no profile of yours")
        if not form.given:
            raise Refused("change_names_its_fields", "write at least one field anew")
        by = {"actor": investor.actor, "investor": investor.name}
        stands = portal.reveal_profile(
            self.portal, **by, detail_version=found["detail_version"], purpose="to change one's own profile"
        )
        detail = stands | form.given
        touched = {name for name, value in form.given.items() if value != stands.get(name)}
        if not found["is_verified"] or touched <= _FREE:
            with self.portal.together() as within:
                within.hold_profile(**by, seen=form.seen)
                within.amend_profile(**by, detail=detail)
            return
        if form.paper is None:
            raise Refused(
                "locked_change_has_its_paper",
                "compliance has verified these fields; attach the paper that shows the change",
            )
        with self.portal.together() as within:
            within.hold_profile(**by, seen=form.seen)
            within.request_change(
                **by,
                change=new_id("chg"),
                detail=detail,
                because=form.typed.get("because", ""),
                evidence_sha256=form.paper,
            )


def masked(found: Row) -> dict[str, str]:
    """Return each field as initials, so that a glance over a shoulder reads nothing."""
    said = {name: mask(found[name]) for name in ("legal_name", "address", "email", "representative")}
    sealed = {"tax_id": found["has_tax_id"], "birth_date": found["has_birth_date"]}
    return (
        said
        | {"country": found["country"] or later("not given"), "lei": found["lei"] or later("not given")}
        | {name: later("sealed") if is_given else later("not given") for name, is_given in sealed.items()}
    )


def _lent(found: Row) -> dict[str, str]:
    """Return what a delegate sees of the fields that the investor itself sees in clear."""
    return {name: later("hidden") if found[name] else later("not given") for name in ("country", "lei")}


def _question_routes(router: Router, pages: Profiles) -> None:
    @router.post("/new")
    def answered(request: Request, investor: Itself, form: _Form) -> Response:
        if profile_of(pages.database, investor.name) is not None:
            return RedirectResponse("/profile", status_code=_SEE_OTHER)
        return pages.opening.answered(request, form.typed)


def routes(database: Database, shell: Shell) -> Router:
    """Return the routes of ``/profile``; an investor writes about itself alone."""
    router = Router(prefix="/profile")
    pages = Profiles(database, shell)
    _question_routes(router, pages)

    @router.get("")
    def shown(request: Request, investor: Itself, *, done: bool = False) -> Response:
        return pages.page(request, investor.name, is_done=done)

    @router.post("")
    def opened(request: Request, investor: Itself, form: _Form) -> Response:
        try:
            pages.open(investor, form)
        except Refused as fault:
            return pages.page(request, investor.name, refusal=told(fault, _SENTENCES), typed=form.typed)
        return RedirectResponse("/profile?done=1", status_code=_SEE_OTHER)

    @router.post("/changes")
    def changed(request: Request, investor: Itself, form: _Form) -> Response:
        try:
            pages.change(investor, form)
        except NotFound:
            raise
        except Refused as fault:
            return pages.page(request, investor.name, refusal=told(fault, _SENTENCES), typed=form.typed)
        return RedirectResponse("/profile?done=1", status_code=_SEE_OTHER)

    @router.post("/look")
    def looked(request: Request, investor: Itself) -> Response:
        found = profile_of(database, investor.name)
        if found is None:
            raise NotFound("there is no profile of yours")
        try:
            fields = portal.reveal_profile(
                pages.portal,
                investor.name,
                found["detail_version"],
                actor=investor.actor,
                purpose="to read one's own profile",
            )
        except Refused as fault:
            return pages.page(request, investor.name, refusal=told(fault, _SENTENCES))
        return pages.page(request, investor.name, seen=fields)

    return router
