"""What a desk shows of the life of a raise, and what a person of the issuer may do with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from io import BytesIO
from typing import Any, Final

from bookrunner.books.subscription import Archive, packets_of
from bookrunner.core.errors import Malformed, Refused
from bookrunner.core.ids import new_id
from bookrunner.core.money import parse, read_whole, ungrouped
from bookrunner.db import Keeper, load
from bookrunner.pages.desk.acts import Clerk, Form

_RETENTION: Final = "working_paper"
_MOST: Final = 200
# What a form changes, each with its title; the terms of an instrument are changed by commands and the API.
FIELDS: Final[Mapping[str, str]] = {
    "closes_at": "The deadline, a moment in UTC",
    "pays_by": "Until when money counts, a moment in UTC",
    "target_minor": "The target, an amount",
    "name": "The name of the offer",
    "isin": "The ISIN",
}
_WAITING: Final = frozenset({"requested", "approved"})
_MOMENTS: Final = frozenset({"closes_at", "pays_by"})
_NOTICES: Final = {
    "written": ("waiting", "wait", "to be mailed"),
    "sent": ("progress", "calm", "mailed"),
    "delivered": ("confirmed", "good", "delivered"),
    "bounced": ("refused", "bad", "bounced"),
}
Facts = dict[str, Any]


def read(life: Keeper, offering: str) -> Facts:
    """Return where a raise stands: money, versions of its terms, changes, cancellations, notices."""
    with life.database.transaction("engine") as transaction:
        queries = load("bookrunner.pages.desk")
        versions = list(queries.versions_of_terms(transaction, offering=offering))
        asked = list(queries.asked_cancellations(transaction, offering=offering, most=_MOST))
    return {
        "standing": life.raise_standing(offering=offering),
        "versions": versions,
        "changes": list(life.changes(offering=offering)),
        "cancellations": asked,
        "notices": list(life.notices(offering=offering))[:_MOST],
        "notice_states": _NOTICES,
        "fields": FIELDS,
    }


def act(clerk: Clerk, form: Form, paper: bytes) -> None:
    """Do what a form asks for.

    Refuses ``decision_is_one_of_those_offered``, ``change_has_its_document``, what a field cannot hold, and
    what the engine refuses.
    """
    acts: Mapping[str, Callable[[], None]] = {
        "accept": lambda: _review(clerk, form, is_accepted=True),
        "decline": lambda: _review(clerk, form, is_accepted=False),
        "publish": lambda: _publish(clerk),
        "request": lambda: _request(clerk, form, paper),
        "apply": lambda: _decide(clerk, form, is_approved=True),
        "refuse": lambda: _decide(clerk, form, is_approved=False),
        "grant": lambda: _answer(clerk, form, is_granted=True),
        "deny": lambda: _answer(clerk, form, is_granted=False),
        "withdrawn": lambda: _end(clerk, form),
        "halted": lambda: _end(clerk, form),
    }
    chosen = acts.get(form.get("act", ""))
    if chosen is None:
        raise Refused("decision_is_one_of_those_offered", "choose one of the decisions")
    chosen()


def _life(clerk: Clerk) -> Keeper:
    return Keeper(clerk.database, "engine", "bookrunner.engine.life")


def _by(clerk: Clerk) -> dict[str, str]:
    return {"actor": clerk.actor, "offering": clerk.offering}


def _review(clerk: Clerk, form: Form, *, is_accepted: bool) -> None:
    _life(clerk).review_offer(**_by(clerk), is_accepted=is_accepted, because=form.get("reason", ""))


def _publish(clerk: Clerk) -> None:
    Keeper(clerk.database, "engine", "bookrunner.engine").move_offer(**_by(clerk), status="published")


def _request(clerk: Clerk, form: Form, paper: bytes) -> None:
    field, typed = form.get("field", ""), form.get("value", "").strip()
    if field not in FIELDS:
        raise Refused("change_names_locked_fields_of_the_terms", "choose one of the fields")
    life = _life(clerk)
    value = _value(field, typed, life.raise_standing(offering=clerk.offering)["currency"])
    if not paper:
        raise Refused("change_has_its_document", "a change is asked for on a document")
    if not form.get("reason", "").strip():
        raise Refused("change_says_why", "say why")
    # The archive keeps what it once took, so only the document of a request that can stand is taken.
    if any(row["status"] in _WAITING for row in life.changes(offering=clerk.offering)):
        raise Refused("one_change_waits_per_offer", "another change waits for its decision")
    digest = Archive(packets_of(clerk.database)).take(
        BytesIO(paper), _RETENTION, investor=None, actor=clerk.actor
    )
    life.request_change(
        **_by(clerk),
        change=new_id("chg"),
        wanted={field: value},
        because=form["reason"],
        evidence_sha256=digest,
    )


def _value(field: str, typed: str, currency: str) -> object:
    if field in _MOMENTS:
        try:
            moment = datetime.strptime(typed, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
        except ValueError:
            raise Malformed("moment_is_written_in_full", "write the moment as 2026-03-31 17:00") from None
        return moment.isoformat()
    if field == "target_minor":
        return parse(ungrouped(typed), currency).minor
    return typed


def _decide(clerk: Clerk, form: Form, *, is_approved: bool) -> None:
    seen = read_whole(form.get("seen", ""))
    if seen is None:
        raise Malformed("number_is_whole", "the version that was seen is missing")
    _life(clerk).decide_change(
        **_by(clerk),
        change=form.get("what", ""),
        is_approved=is_approved,
        because=form.get("reason", ""),
        seen=seen,
    )


def _answer(clerk: Clerk, form: Form, *, is_granted: bool) -> None:
    if not form.get("reason", "").strip():
        raise Refused("decision_has_its_reason", "say why")
    _life(clerk).decide_cancellation(
        **_by(clerk), investment=form.get("what", ""), is_granted=is_granted, because=form["reason"]
    )


def _end(clerk: Clerk, form: Form) -> None:
    if form.get("typed", "").strip() != clerk.offering:
        raise Refused("ended_offer_is_typed", "type the id of the offer that you end")
    _life(clerk).fail_offer(**_by(clerk), ended_as=form["act"], because=form.get("reason", ""))
