"""The frame of every page: templates, words, language, assets, the sandbox mark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from hashlib import sha256
from typing import Final

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from bookrunner.core import clock
from bookrunner.core.errors import NotAuthenticated, Refused
from bookrunner.core.log import mark, tell
from bookrunner.db import Row
from bookrunner.pages.shell import language
from bookrunner.pages.shell.assets import Asset, assets
from bookrunner.pages.shell.guard import LOOPBACK, Guard, is_our_own
from bookrunner.pages.shell.language import ENGLISH, Offered, current, gettext, later, ngettext, spoken

__all__ = ["LOOPBACK", "Guard", "Shell", "age", "is_our_own", "mask", "sentence", "told", "words"]

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_READS: Final = frozenset({"GET", "HEAD"})
# The templates whose sentences are in the catalogues; every other page is in English, whole.
TRANSLATED: Final = (
    "access/delegates/",
    "access/forbidden",
    "access/people/",
    "access/providers/",
    "access/sign_in",
    "application/",
    "desk/capital/institution",
    "investment/",
    "offers/documents",
    "offers/home",
    "offers/pictures/lanes",
    "offers/terms",
    "shell/",
)


def age(since: datetime | str) -> str:
    """Write how long ago a moment was, in plain words."""
    return _span(int((clock.now() - _moment(since)).total_seconds()))


def _span(seconds: int) -> str:
    # A span always follows "for", "since", "in" or "ago": its case in other languages is the one after these.
    if seconds >= _DAY:
        return ngettext("%(count)s day", "%(count)s days", seconds // _DAY)
    if seconds >= _HOUR:
        return ngettext("%(count)s hour", "%(count)s hours", seconds // _HOUR)
    if seconds >= _MINUTE:
        return ngettext("%(count)s minute", "%(count)s minutes", seconds // _MINUTE)
    return gettext("less than a minute")


def instant(moment: datetime | str) -> str:
    """Write a moment in the reader's language and time zone."""
    return current().moment(_moment(moment))


def day(written: date | str) -> str:
    """Write a day in the reader's language."""
    return current().day(date.fromisoformat(written) if isinstance(written, str) else written)


def until(moment: datetime | str) -> str:
    """Write how long it is until a moment, or for how long it has passed."""
    left = int((_moment(moment) - clock.now()).total_seconds())
    span = _span(abs(left))
    return gettext("in %(span)s", span=span) if left > 0 else gettext("%(span)s over", span=span)


def units(count: int) -> str:
    """Write a number of units, with the word."""
    return ngettext("%(count)s unit", "%(count)s units", count)


def who(actor: str | None) -> str:
    """Write an actor as a person reads it: an account or a key by its name."""
    return (actor or gettext("nobody")).removeprefix("key:")


def mask(text: str | None) -> str:
    """Write a text as the first character of each word and dots; nothing of it can be read back."""
    return " ".join(f"{word[0]}•••" for word in (text or "").split()) or later("not given")


def told(fault: Refused, sentences: Mapping[str, str]) -> dict[str, str]:
    """Write a refusal as a page says it; of a broken constraint only the name is for people."""
    detail = "" if fault.rule in fault.detail else fault.detail
    return {"rule": fault.rule, "detail": sentences.get(fault.rule, detail)}


def _note(request: Request, facts: Mapping[str, object], status: int) -> None:
    """Write down what a page refuses in its own place; a refused sign-in is written where it is judged."""
    refusal = facts.get("refusal") or facts.get("fault")
    if refusal is None or isinstance(refusal, NotAuthenticated):
        return
    rule = (
        refusal.get("rule") or refusal.get("code")
        if isinstance(refusal, Mapping)
        else getattr(refusal, "rule", None)
    )
    session = getattr(request.state, "session", None)
    seen = {} if session is None else {"session": mark(session)}
    tell("a form is refused", rule=str(rule), status=int(status), **seen)


def words(name: str) -> str:
    """Write a stable name as words in the reader's language: ``funds_are_cleared`` as ``funds are cleared``.

    A name of two parts, such as ``receipt.cleared``, is put into it as a whole if that has words of its own,
    else part by part.
    """
    parts = [part.replace("_", " ") for part in name.split(".", 1)]
    whole = ", ".join(parts)
    said = spoken(whole)
    return said if said != whole else ", ".join(spoken(part) for part in parts)


def sentence(text: str) -> str:
    """Write what was refused as a sentence begins, in the reader's language.

    What names a record, a number or a person has no translation: then only that it is refused is said.
    """
    said = spoken(text) if current().has(text) else gettext("A rule refuses this; nothing was changed")
    return said[:1].upper() + said[1:]


def _moment(moment: datetime | str) -> datetime:
    return datetime.fromisoformat(moment) if isinstance(moment, str) else moment


def _filters() -> dict[str, Callable[..., str]]:
    """Return the filters that write in the reader's language, none of them while a template is compiled."""
    plain: dict[str, Callable[..., str]] = {
        "age": age,
        "day": day,
        "instant": instant,
        "money": lambda minor, code: current().money(minor, code),
        "number": lambda number: current().number(number),
        "sentence": sentence,
        "share": lambda basis_points: current().share(basis_points),
        "spoken": spoken,
        "units": units,
        "until": until,
        "who": who,
        "words": words,
    }

    def written(filter_: Callable[..., str]) -> Callable[..., str]:
        @pass_context
        def late(_: Context, *arguments: object) -> str:
            return filter_(*arguments)

        return late

    return {name: written(each) for name, each in plain.items()}


class Shell:
    """Renders pages and fragments; ``is_sandbox`` puts the mark on each page.

    An emergency puts its banner on those of whoever is signed in: it names two people. ``offered`` are the
    languages that a reader is given to choose among.
    """

    def __init__(
        self,
        *,
        is_sandbox: bool,
        emergencies: Callable[[], Sequence[Row]] = tuple,
        offered: Offered | None = None,
    ) -> None:
        self._emergencies = emergencies
        self._offered = offered or Offered.of([ENGLISH])
        self.assets: Mapping[str, Asset] = assets()
        self.by_path = {asset.path: asset for asset in self.assets.values()}
        self._environment = Environment(
            loader=PackageLoader("bookrunner.pages", ""),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        self._environment.install_gettext_callables(  # type: ignore[attr-defined]
            lambda text: current().gettext(text),
            lambda one, many, count: current().ngettext(one, many, count),
            newstyle=True,
        )
        self._environment.filters.update(_filters())
        self._environment.tests["said"] = lambda text: bool(text) and current().has(text)
        self._environment.globals.update(assets=self.assets, is_sandbox=is_sandbox)

    def page(
        self, request: Request, template: str, facts: Mapping[str, object], status: int = 200
    ) -> Response:
        """Return a whole page or a fragment; nothing of it is kept by the browser.

        What it refuses, as ``refusal`` or ``fault`` among the facts, stands in the log (ASVS 5.0, V16.3.3).
        """
        _note(request, facts, status)
        is_translated = template.startswith(TRANSLATED)
        shown = {
            **facts,
            "nonce": request.state.nonce,
            "visitor": getattr(request.state, "visitor", None),
            "rendered_at": clock.now(),
            "emergencies": self._emergencies(),
            "path": request.url.path,
            "is_read": request.method in _READS,
            "offered": tuple(self._offered.by_code.values()) if is_translated else (),
        }
        headers = {"Cache-Control": "no-store"}
        return HTMLResponse(self._render(template, shown, headers), status_code=status, headers=headers)

    def fragment(self, request: Request, template: str, facts: Mapping[str, object]) -> Response:
        """Return a fragment whose tag is its own digest, or 304 when the browser has this very text.

        A feed sequence would not do as the tag: facts are there before the feed has numbered their event,
        and ages and lapsed clearances change without one.
        """
        headers = {"Cache-Control": "private, no-cache"}
        text = self._render(template, facts, headers)
        tag = f'"{sha256(text.encode()).hexdigest()}"'
        headers["ETag"] = tag
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return HTMLResponse(text, headers=headers)

    def _render(self, template: str, facts: Mapping[str, object], headers: dict[str, str]) -> str:
        """Return a template in the reader's language, or in English if it has no other; headers say which."""
        tongue = current() if template.startswith(TRANSLATED) else ENGLISH
        headers["Content-Language"] = tongue.code
        headers["Vary"] = "Accept-Language, Cookie"
        with language.speaking(tongue):
            return self._environment.get_template(template).render(**facts, tongue=tongue)
