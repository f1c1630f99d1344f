"""The kinds of events that webhooks tell of, read from the rows of the machines, and the schema of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from bookrunner.api.hooks.messages import SOURCE, THIN
from bookrunner.db.layout import SCHEMA_FILES, read

SCHEMA_VERSION: Final = "1"
ISSUER_MACHINES: Final = frozenset(
    {"closing", "control_book", "escrow_account", "holding", "investment", "offer", "release", "terms"}
)
"""What an issuer hears of: the machines whose records its own pages show."""

WITHHELD: Final = frozenset({"data_key", "order_view", "payer_view", "personal_view", "signatory"})
"""Machines of other keepers than compliance that nobody outside hears of: views, keys, and people by name."""

TOLD_OF_COMPLIANCE: Final = frozenset({"clearance"})
"""What of compliance leaves the house: whether somebody is cleared, and no case (31 U.S.C. 5318(g)(2))."""

_PACKAGE: Final = "bookrunner.engine.machines"
_TEXT: Final = r"'((?:[^']|'')*)'"
_INSERT: Final = re.compile(
    r"insert into engine\.(machine|transition) \([a-z_, ]+\) values(.*?)\);\n", re.DOTALL
)
_ROW: Final = re.compile(rf"\(({_TEXT}(?:,\s*{_TEXT})*)\)")
_VALUE: Final = re.compile(_TEXT)
_TESTED: Final = "webhook_endpoint.tested"
_ID: Final = "01m7zaf8kjmsd9r30y5rz6jrp8"
_AT: Final = "2026-03-02T09:30:00.000000Z"


@dataclass(slots=True)
class Kind:
    """One kind of event: what its record is, and the moves that it tells of, as ``from`` and ``to``."""

    about: str
    moves: list[tuple[str, str]] = field(default_factory=list)
    issuer_hears: bool = False


@cache
def kinds() -> Mapping[str, Kind]:
    """Return every kind that webhooks tell of, by its name."""
    rows: dict[str, list[tuple[str, ...]]] = {"machine": [], "transition": []}
    for package, name in SCHEMA_FILES:
        if package == _PACKAGE:
            for table, body in _INSERT.findall(read(package, name)):
                found = (_VALUE.findall(row.group(1)) for row in _ROW.finditer(f"{body})"))
                rows[table] += [tuple(value.replace("''", "'") for value in values) for values in found]
    about = {machine: (keeper, sentence) for machine, keeper, sentence in rows["machine"]}
    told: dict[str, Kind] = {}
    for machine, before, after, trigger, _ in rows["transition"]:
        keeper, sentence = about[machine]
        if machine in TOLD_OF_COMPLIANCE or (keeper != "compliance" and machine not in WITHHELD):
            kind = told.setdefault(
                f"{machine}.{trigger}", Kind(sentence, issuer_hears=machine in ISSUER_MACHINES)
            )
            if (before, after) not in kind.moves:
                kind.moves.append((before, after))
    return dict(sorted(told.items()))


def schema_of(kind: str) -> dict[str, Any]:
    """Return the JSON schema of a thin message of this kind."""
    return {"$ref": "#/components/schemas/EventHint", "properties": {"type": {"const": kind}}}


def hint_schemas() -> dict[str, Any]:
    """Return what the schemas of all kinds share, by name: the thin form and the one of CloudEvents."""
    place = {"type": ["integer", "null"], "description": "Place in the feed; null in a test."}
    data = {
        "type": "object",
        "additionalProperties": False,
        "required": ["scope", "subject", "sequence", "version"],
        "properties": {
            "scope": {"type": "string", "description": "The offer, or what else the record belongs to."},
            "subject": {"type": "string", "description": "The record."},
            "sequence": place,
            "version": {"type": "integer", "description": "The version of the record after the event."},
        },
    }
    moment = {"type": "string", "format": "date-time"}
    thin = {
        "type": "object",
        "description": "The body of a webhook; of the form `cloudevents` it is EventHintCloudEvent.",
        "additionalProperties": False,
        "required": ["type", "timestamp", "data"],
        "properties": {"type": {"type": "string"}, "timestamp": moment, "data": data},
    }
    texts = ("specversion", "id", "source", "type", "subject", "sequence", "datacontenttype")
    cloud = {
        "type": "object",
        "additionalProperties": False,
        "required": ["specversion", "id", "source", "type", "subject", "time", "data"],
        "properties": {
            **{name: {"type": "string"} for name in texts},
            "specversion": {"const": "1.0"},
            "source": {"const": SOURCE},
            "time": moment,
            "data": data,
        },
    }
    return {"EventHint": thin, "EventHintCloudEvent": cloud}


def described() -> dict[str, Any]:
    """Return the ``webhooks`` of the API's description: each kind with its schema and an example."""
    found = {name: _operation(name, kind) for name, kind in kinds().items()}
    found[_TESTED] = _operation(_TESTED, Kind("A test that somebody asked for; it is no event."))
    return found


def _operation(name: str, kind: Kind) -> dict[str, Any]:
    moves = "; ".join(f"{before or 'born'} to {after}" for before, after in kind.moves)
    heard = " Issuers hear of it." if kind.issuer_hears else ""
    content = {THIN: {"schema": schema_of(name), "example": example_of(name)}}
    said = {
        "operationId": "hear_" + name.replace(".", "_"),
        "description": f"{kind.about}{f' Moves: {moves}.' if moves else ''}{heard}",
        "x-schema-version": SCHEMA_VERSION,
        "requestBody": {"content": content},
        "responses": {"2XX": {"$ref": "#/components/responses/Taken"}},
    }
    return {"post": said}


def example_of(kind: str) -> dict[str, object]:
    """Return an example of a thin message; its record does not exist."""
    subject = f"{kind.partition('.')[0][:3]}_{_ID}"
    sequence = None if kind == _TESTED else 4711
    data = {"scope": f"ofr_{_ID}", "subject": subject, "sequence": sequence, "version": 3}
    return {"type": kind, "timestamp": _AT, "data": data}
