"""The frame of every page: templates, words, assets, the sandbox mark."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from hashlib import sha256

from fastapi import Request
from fastapi.responses import HTMLResponse, Response
from jinja2 import Environment, PackageLoader, StrictUndefined

from bookrunner.core import clock
from bookrunner.core.errors import NotAuthenticated, Refused
from bookrunner.core.log import mark, tell
from bookrunner.core.money import grouped
from bookrunner.db import Row
from bookrunner.pages.shell.assets import Asset, assets
from bookrunner.pages.shell.guard import LOOPBACK, Guard, is_our_own

__all__ = ["LOOPBACK", "Guard", "Shell", "age", "is_our_own", "mask", "told"]

_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def age(since: datetime | str) -> str:
    """Write how long ago a moment was, in plain words."""
    return _span(int((clock.now() - _moment(since)).total_seconds()))


def _span(seconds: int) -> str:
    for size, unit in ((_DAY, "day"), (_HOUR, "hour"), (_MINUTE, "minute")):
        if seconds >= size:
            count = seconds // size
            return f"{count} {unit}{'' if count == 1 else 's'}"
    return "less than a minute"


def instant(moment: datetime | str) -> str:
    """Write a moment as a reader in UTC sees it."""
    return _moment(moment).strftime("%Y-%m-%d %H:%M UTC")


def until(moment: datetime | str) -> str:
    """Write how long it is until a moment, or for how long it has passed."""
    left = int((_moment(moment) - clock.now()).total_seconds())
    span = _span(abs(left))
    return f"in {span}" if left > 0 else f"{span} over"


def who(actor: str | None) -> str:
    """Write an actor as a person reads it: an account or a key by its name."""
    return (actor or "nobody").removeprefix("key:")


def mask(text: str | None) -> str:
    """Write a text as the first character of each word and dots; nothing of it can be read back."""
    return " ".join(f"{word[0]}•••" for word in (text or "").split()) or "not given"


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
    """Write a stable name as words: ``funds_are_cleared`` as ``funds are cleared``."""
    return name.replace("_", " ").replace(".", ", ", 1)


def _moment(moment: datetime | str) -> datetime:
    return datetime.fromisoformat(moment) if isinstance(moment, str) else moment


class Shell:
    """Renders pages and fragments; ``is_sandbox`` puts the mark on each page.

    An emergency puts its banner on those of whoever is signed in: it names two people.
    """

    def __init__(self, *, is_sandbox: bool, emergencies: Callable[[], Sequence[Row]] = tuple) -> None:
        self._emergencies = emergencies
        self.assets: Mapping[str, Asset] = assets()
        self.by_path = {asset.path: asset for asset in self.assets.values()}
        self._environment = Environment(
            loader=PackageLoader("bookrunner.pages", ""),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.filters.update(
            money=grouped, age=age, instant=instant, words=words, until=until, who=who
        )
        self._environment.globals.update(assets=self.assets, is_sandbox=is_sandbox)

    def page(
        self, request: Request, template: str, facts: Mapping[str, object], status: int = 200
    ) -> Response:
        """Return a whole page or a fragment; nothing of it is kept by the browser.

        What it refuses, as ``refusal`` or ``fault`` among the facts, stands in the log (ASVS 5.0, V16.3.3).
        """
        _note(request, facts, status)
        text = self._environment.get_template(template).render(
            **facts,
            nonce=request.state.nonce,
            visitor=getattr(request.state, "visitor", None),
            rendered_at=clock.now(),
            emergencies=self._emergencies(),
            path=request.url.path,
        )
        return HTMLResponse(text, status_code=status, headers={"Cache-Control": "no-store"})

    def fragment(self, request: Request, template: str, facts: Mapping[str, object]) -> Response:
        """Return a fragment whose tag is its own digest, or 304 when the browser has this very text.

        A feed sequence would not do as the tag: facts are there before the feed has numbered their event,
        and ages and lapsed clearances change without one.
        """
        text = self._environment.get_template(template).render(**facts)
        tag = f'"{sha256(text.encode()).hexdigest()}"'
        headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return HTMLResponse(text, headers=headers)
