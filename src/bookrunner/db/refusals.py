"""The one place where the database's errors become ours, by SQLSTATE and constraint name, never by text."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import count
from typing import TypeVar

import psycopg
from psycopg import errors

from bookrunner.core.errors import (
    BookrunnerError,
    GateClosed,
    Malformed,
    Missing,
    NotAllowed,
    NotAuthenticated,
    Refused,
    StillRunning,
    Unavailable,
    UnknownRecord,
    VersionChanged,
)

T = TypeVar("T")

GATE_IS_CLOSED = "BR409"

_OUR_CLASS = "BR"
_OUR_KINDS: Mapping[str, type[Refused]] = {
    "BR401": NotAuthenticated,
    "BR403": NotAllowed,
    "BR404": UnknownRecord,
    "BR412": VersionChanged,
    "BR422": Malformed,
    "BR423": StillRunning,
}
_CONSTRAINTS = (
    errors.CheckViolation,
    errors.UniqueViolation,
    errors.ForeignKeyViolation,
    errors.NotNullViolation,
    errors.ExclusionViolation,
    errors.RestrictViolation,
)
_CONTENTION = (errors.SerializationFailure, errors.DeadlockDetected, errors.LockNotAvailable)
# A text that cannot be kept: refused by the server, or by the driver, which gives no SQLSTATE.
_UNKEPT_TEXT = frozenset({"", "22021", "22P05"})
_SESSION_CLASSES = ("08", "28", "53")
_SESSION_STATES = frozenset({"25P03", "57P01", "57P02", "57P03", "57P05"})
_LONGEST_PAUSE_SECONDS = 0.5


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached, or ended the session."""


class DatabaseFault(BookrunnerError):
    """The database refused a statement for a reason that is no rule; ``sqlstate`` names it."""

    def __init__(self, sqlstate: str, summary: str) -> None:
        super().__init__(f"{sqlstate}: {summary}")
        self.sqlstate = sqlstate


class Contention(DatabaseFault, Unavailable):
    """Another transaction was in the way; the same transaction may succeed when it is repeated."""


def translate(fault: psycopg.Error) -> BookrunnerError:
    """Return our error for one of the driver's.

    ``BR409`` is a closed gate, any other ``BR…`` a refusal named by its constraint field, of the class in
    ``_OUR_KINDS``, a broken constraint a refusal named by the constraint, a missing privilege NotAllowed
    ``login_may_not_do_this``, a number out of range ``number_fits_its_field``, a text with a NUL Malformed
    ``text_can_be_kept``. The server's DETAIL is kept
    only where we wrote it: for a broken constraint it quotes the row, personal data included.
    """
    state = fault.sqlstate or ""
    if state == GATE_IS_CLOSED:
        return _gate_closed(fault)
    if state.startswith(_OUR_CLASS):
        return _our_refusal(fault, state)
    if isinstance(fault, _CONSTRAINTS):
        return _broken_constraint(fault)
    return _foreign(fault, state)


def unkept_text() -> Malformed:
    """Return the refusal of a text that PostgreSQL cannot keep."""
    return Malformed("text_can_be_kept", "a text holds a NUL, or is no Unicode")


@contextmanager
def translated() -> Iterator[None]:
    """Let no error of the driver out untranslated.

    The driver's error is not chained: its text quotes rows.
    """
    try:
        yield
    except psycopg.Error as fault:
        raise translate(fault) from None


def retrying(work: Callable[[], T], attempts: int | None = 5) -> T:
    """Run ``work``, a whole transaction, again after Contention, and return its result.

    ``None`` never gives up, as a revocation must not. Raises the last Contention after ``attempts``; nothing
    else is repeated.
    """
    for attempt in count(1):
        try:
            return work()
        except Contention:
            if attempts is not None and attempt >= attempts:
                raise
        # Jitter only spreads the rivals; nothing secret depends on it.
        time.sleep(random.uniform(0, min(_LONGEST_PAUSE_SECONDS, 0.005 * 2 ** min(attempt, 10))))  # noqa: S311
    raise AssertionError("count() ended")


def _gate_closed(fault: psycopg.Error) -> GateClosed:
    found = json.loads(fault.diag.message_detail or "{}")
    missing = [
        Missing(
            condition=item["condition"],
            keeper=item["keeper"],
            since=datetime.fromisoformat(item["since"]),
            investment_id=item.get("investment") or "",
        )
        for item in found["missing"]
    ]
    return GateClosed(found["act"], missing)


def _our_refusal(fault: psycopg.Error, state: str) -> Refused:
    diagnostic = fault.diag
    parts = [part for part in (diagnostic.message_primary, diagnostic.message_detail) if part]
    kind = _OUR_KINDS.get(state, Refused)
    return kind(diagnostic.constraint_name or state.lower(), "; ".join(parts))


def _broken_constraint(fault: psycopg.Error) -> Refused:
    diagnostic = fault.diag
    rule = diagnostic.constraint_name
    if rule is None and diagnostic.column_name is not None:
        rule = f"{diagnostic.column_name}_is_required"
    return Refused(rule or "constraint_holds", diagnostic.message_primary or "")


def _foreign(fault: psycopg.Error, state: str) -> BookrunnerError:
    """Translate what is no rule of ours; the driver's own faults carry no SQLSTATE."""
    summary = fault.diag.message_primary or str(fault).partition("\n")[0] or type(fault).__name__
    if isinstance(fault, errors.InsufficientPrivilege):
        return NotAllowed("login_may_not_do_this", summary)
    if isinstance(fault, errors.NumericValueOutOfRange):
        return Refused("number_fits_its_field", "a number is larger than what is kept")
    if isinstance(fault, psycopg.DataError) and state in _UNKEPT_TEXT:
        return unkept_text()
    if isinstance(fault, _CONTENTION):
        return Contention(state, summary)
    if _session_is_gone(fault, state):
        return DatabaseUnavailable(summary)
    return DatabaseFault(state or type(fault).__name__, summary)


def _session_is_gone(fault: psycopg.Error, state: str) -> bool:
    if not state:
        return isinstance(fault, psycopg.OperationalError)
    return state.startswith(_SESSION_CLASSES) or state in _SESSION_STATES
