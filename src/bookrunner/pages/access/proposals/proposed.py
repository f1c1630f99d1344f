"""One proposal as its page shows it: the call in words, and the record that it is about with its version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bookrunner.pages.access.proposals.calls import Answer, Calls

_OK, _LINES = 200, 200
# Where the version of an operation stands elsewhere than in the record that its path ends in.
_LISTS = {
    "freeze_closing": "/v1/offers/{offer}/closings/dry_run",
    "decide_allotment": "/v1/offers/{offer}/allotments/dry_run",
}
_RECORDS = {
    "approve_allocation": "/v1/investments/{investment}",
    "withdraw_acceptance": "/v1/investments/{investment}",
}


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal, what its call does, and the version of the record that the page shows.

    ``seen`` is the version that stands now, in quotation marks, or empty where the API tells none.
    """

    row: Mapping[str, Any]
    title: str
    says: str
    arguments: tuple[tuple[str, str], ...]
    record: tuple[tuple[str, str], ...]
    left_out: int
    seen: str
    takes_version: bool

    @property
    def operation(self) -> str:
        """The operation that would be called."""
        return str(self.row["operation"])

    @property
    def path(self) -> Mapping[str, str]:
        """What fills the path of the operation."""
        found: Mapping[str, str] = self.row["call"]["path"]
        return found

    @property
    def acts_on(self) -> str:
        """The version that the call names: the proposed one, else the one that the page shows."""
        return str(self.row["call"]["if_match"] or "") or (self.seen if self.takes_version else "")

    @property
    def has_changed(self) -> bool:
        """Whether the record has another version than the one that was proposed on."""
        named = self.row["call"]["if_match"]
        return bool(named and self.seen and named != self.seen)

    def is_for(self, name: str) -> bool:
        """Whether a person may decide still; whoever confirmed may ask again for a call that was not made."""
        status, by, is_made = self.row["status"], self.row["decided_by"], self.row["is_made"]
        return bool(status == "open" or (status == "confirmed" and by == name and not is_made))


async def proposed(calls: Calls, row: Mapping[str, Any]) -> Proposed:
    """Return a proposal with what its page shows."""
    _, path, told = calls.operations[row["operation"]]
    record = await _record(calls, row, path)
    lines = () if record is None else tuple(_flat("", record.body))
    return Proposed(
        row=row,
        title=row["operation"].replace("_", " "),
        says=" ".join(str(told.get("description", "")).split()),
        arguments=(*row["call"]["path"].items(), *_flat("", row["call"]["body"])),
        record=lines[:_LINES],
        left_out=max(len(lines) - _LINES, 0),
        seen="" if record is None else record.version,
        takes_version=any(each.get("name") == "If-Match" for each in told.get("parameters", ())),
    )


async def _record(calls: Calls, row: Mapping[str, Any], path: str) -> Answer | None:
    """Return what the operation is about, where the API reads it with its version."""
    filled, operation = row["call"]["path"], row["operation"]
    if operation in _LISTS:
        wishes = (row["call"]["body"] or {}).get("wishes")
        body = {"wishes": wishes} if wishes else None
        found = await calls.ask(_LISTS[operation].format(**filled), body)
    else:
        # The path up to its last record.
        whole = _RECORDS.get(operation) or "".join(re.findall(r"^.*}", path))
        reads = {at for method, at, _ in calls.operations.values() if method == "get"}
        if whole not in reads:
            return None
        found = await calls.get(whole.format(**filled))
    return found if found.status == _OK and found.version else None


def _flat(name: str, value: object) -> Iterator[tuple[str, str]]:
    """Yield each text of a body under its name, in the order of the body."""
    if isinstance(value, dict):
        for key, each in value.items():
            yield from _flat(f"{name} {key}".strip(), each)
    elif isinstance(value, list):
        for number, each in enumerate(value, start=1):
            yield from _flat(f"{name} {number}", each)
    elif value is not None:
        yield name, ("no", "yes")[value] if isinstance(value, bool) else str(value)
