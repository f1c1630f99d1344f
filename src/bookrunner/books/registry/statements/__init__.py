"""Statements of holders as PDF, and the register as CSV, both as of the end of a day."""

from __future__ import annotations

import csv
import hashlib
import io
from datetime import UTC, date
from typing import TYPE_CHECKING, Final

from bookrunner.adapters import documents
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.core.ids import new_id
from bookrunner.db import Keeper, Row

if TYPE_CHECKING:
    from bookrunner.adapters.documents import Rendered, Typesetter

_TEMPLATE: Final = ("holder_statement", "1.1.0")
_COLUMNS: Final = ("holding_id", "investor_id", "units", "lots", "first_posted_at", "wallets")


def issue_statement(
    keeper: Keeper, press: Typesetter, on: tuple[str, str, date], *, actor: str, offer_name: str
) -> tuple[str, Rendered]:
    """Make the statement of (offering, holding) at the end of a day, record its hash, return id and file.

    The same file again is the same statement.
    Refuses ``statement_is_not_before_the_first_posting``, ``register_day_has_begun`` and what the template
    refuses.
    """
    offering, holding, day = on
    where = {"offering": offering, "holding": holding, "day": day}
    found = keeper.statement_facts(**where)
    if found is None:
        raise Refused("statement_is_not_before_the_first_posting", f"nothing was posted by {day}")
    content: dict[str, object] = {
        "as_of": found["seen_at"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "day": day.isoformat(),
        "offer": offering,
        "offer_name": offer_name,
        "holding": holding,
        "holder": found["investor_id"],
        "registration": bytes(found["registration_digest"]).hex(),
        "units": str(found["units"]),
        "lots": [_lot(row) for row in keeper.statement_lots(**where)],
        "wallets": [_place(row) for row in keeper.places(**where)],
    }
    made = _render(press, content)
    statement: str = keeper.issue_statement(
        actor=actor,
        offering=offering,
        statement=new_id("hst"),
        holding=holding,
        as_of=day,
        content=content,
        file_sha256=bytes.fromhex(made.sha256),
    )
    return statement, made


def verify_statement(keeper: Keeper, press: Typesetter, offering: str, file: bytes) -> Row:
    """Return the recorded statement that these bytes are, after making it again from what was recorded.

    Refuses ``statement_is_recorded`` and ``statement_is_made_the_same_again``.
    """
    digest = hashlib.sha256(file).digest()
    found: Row | None = keeper.statement_of_file(offering=offering, file_sha256=digest)
    if found is None:
        raise UnknownRecord("statement_is_recorded", "no statement with these bytes was issued")
    if bytes.fromhex(_render(press, found["content"]).sha256) != digest:
        raise Refused("statement_is_made_the_same_again", str(found["statement_id"]))
    return found


def register_csv(keeper: Keeper, offering: str, day: date) -> str:
    """Return the register at the end of a day as CSV, a line for each holding; refuses a day to come.

    The last column has each wallet of a holding with the units that stood in it, as ``address=units``.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for row in keeper.register_as_of(offering=offering, day=day):
        first = row["first_posted_at"].astimezone(UTC).isoformat(timespec="seconds")
        places = keeper.places(offering=offering, holding=row["holding_id"], day=day)
        stood = " ".join(f"{each['address']}={each['units']}" for each in map(_place, places))
        writer.writerow([*(row[name] for name in _COLUMNS[:-2]), first, stood])
    return out.getvalue()


def _lot(row: Row) -> dict[str, str]:
    shown = {"lot": row["lot_id"], "units": str(row["units"]), "acquired_on": row["acquired_on"].isoformat()}
    return {**shown, "legend": row["legend"] or "none"}


def _place(row: Row) -> dict[str, str]:
    return {"address": "0x" + bytes(row["address"]).hex(), "units": str(row["units"])}


def _render(press: Typesetter, content: dict[str, object]) -> Rendered:
    return documents.render_statement(documents.load_template(*_TEMPLATE), content, press)
