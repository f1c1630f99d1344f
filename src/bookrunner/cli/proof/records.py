"""Any record at any past moment."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer
from rich.table import Table

from bookrunner.app.records import look
from bookrunner.app.settings import read_settings
from bookrunner.audit.record import History, Version, history_of
from bookrunner.cli.offers import OPERATOR, Actor, Id
from bookrunner.cli.screen import app, console, keep_facts, marked
from bookrunner.core import clock
from bookrunner.core.errors import UnknownRecord
from bookrunner.db import Database, Within, load
from bookrunner.sandbox.world import database_of


def moment_of(written: str, *, is_begin: bool = False) -> datetime:
    """Read a day or a moment; a day is the begin of the next one in UTC, or its own begin.

    What ends before that moment is of the day. A moment without a zone is in UTC.
    """
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        raise typer.BadParameter("write a day or a moment, such as 2026-03-31 or 2026-03-31T17:00Z") from None
    if _is_day(written) and not is_begin:
        moment += timedelta(days=1)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _is_day(written: str) -> bool:
    return "T" not in written.upper() and " " not in written


@app.command("as-of")
def as_of(
    record: Id,
    *,
    at: Annotated[str, typer.Option("--at", help="A day, which counts to its end in UTC, or a moment.")] = "",
    because: Annotated[
        str, typer.Option("--because", help="Shows what events leave out, for this purpose, on record.")
    ] = "",
    actor: Actor = OPERATOR,
) -> None:
    """Show a record as the books had it at a moment, and each version with its maker and both times."""
    moment = moment_of(at) if at else clock.now()
    if at and _is_day(at):
        # A version that was recorded as the next day began is not of this one.
        moment -= timedelta.resolution
    with database_of(read_settings()) as endpoint:
        database = Database(endpoint)
        try:
            if because:
                looked = look(database, record, moment, actor=actor, purpose=because)
                found, seen = looked.history, looked.version
                said = {
                    name: _erased() if word.is_erased else word.said for name, word in looked.words.items()
                }
                if looked.personal is not None:
                    said["profile"] = dict(looked.personal) or _erased()
            else:
                with database.transaction("audit") as transaction:
                    found = history_of(Within(transaction, load("bookrunner.audit.record")), record)
                seen, said = _at(found, moment), {}
        finally:
            database.close()
    _show(found, seen, moment, said)


def _erased() -> str:
    return "erased since"


def _at(found: History, moment: datetime) -> Version:
    seen = found.at(moment)
    if seen is None:
        raise UnknownRecord("record_exists", f"there was no record {found.record} at {told(moment)}")
    return seen


def _show(found: History, seen: Version, moment: datetime, said: dict[str, Any]) -> None:
    keep_facts(
        record=found.record, scope=found.scope, version=seen.version, fields=dict(seen.fields), said=said
    )
    console.print(
        f"{found.record} in {found.scope}: version {seen.version} of {len(found.versions)}, {told(moment)}"
    )
    fields = Table("field", "says", title="As the books had it")
    for name, value in (*seen.fields.items(), *said.items()):
        fields.add_row(name, _text(value))
    console.print(fields)
    hidden = [name for name in found.withheld if name not in said]
    if hidden:
        marked("withheld", f"{', '.join(hidden)}: events leave these out", "yellow")
    late = {each.version for each in found.late(moment)}
    table = Table("version", "what", "who", "happened", "recorded", "changed", title="Every version")
    for each in found.versions:
        mark = ", known later" if each.version in late else ""
        table.add_row(
            str(each.version),
            each.kind,
            each.actor,
            told(each.occurred_at),
            told(each.recorded_at) + mark,
            ", ".join(f"{name}: {_text(was)} to {_text(now)}" for name, (was, now) in each.changed.items()),
        )
    console.print(table)


def told(moment: datetime) -> str:
    """Write a moment as a person reads it, to the second."""
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _text(value: Any) -> str:  # noqa: ANN401 - whatever a field says
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
