"""Each listed move of an offer, an investment, a closing, a change request is taken; every other refused."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
import pytest

from tests.allocation.book import Book
from tests.attack.conftest import shared
from tests.attack.rights import EVERY_RIGHT
from tests.attack.world import Connect, digest

__all__ = ["shared"]

UNLISTED = "transition_is_listed_for_the_keeper"
ENDED = "cancelled_by_manager", "closed_unsuccessfully"
# The tables of the design, written down a second time.
DESIGN = {
    "offer": {
        "new": {"draft"},
        "draft": {"legal_review"},
        "legal_review": {"legal_declined", "legal_accepted"},
        "legal_declined": {"draft"},
        "legal_accepted": {"published"},
        "published": {"legally_closed", "closed_unsuccessfully"},
        "legally_closed": {"closed_successfully", "closed_unsuccessfully"},
        "closed_successfully": {"exited"},
        "closed_unsuccessfully": set(),
        "exited": set(),
    },
    "investment": {
        "new": {"confirmed", "cancelled_by_investor", "cancelled_by_manager"},
        "confirmed": {"legally_confirmed", "cancellation_requested", *ENDED},
        "legally_confirmed": {"closed_successfully", "cancellation_requested", *ENDED},
        "cancellation_requested": {"cancelled_by_manager", "confirmed", "legally_confirmed"},
        "cancelled_by_investor": set(),
        "cancelled_by_manager": set(),
        "closed_successfully": set(),
        "closed_unsuccessfully": set(),
    },
    "closing": {
        "proposed": {"frozen", "abandoned"},
        "frozen": {"issued", "abandoned"},
        "issued": {"released"},
        "released": {"certified"},
        "certified": set(),
        "abandoned": set(),
    },
    "change_request": {
        "requested": {"approved", "declined"},
        "approved": {"applied"},
        "declined": set(),
        "applied": set(),
    },
}

REMEMBERS = "pending_cancellation_remembers_its_status"


@dataclass(frozen=True)
class Machine:
    """The row of one machine that is put into every state, and what a state says beside its name."""

    table: str
    key: str
    row: str
    beside: str = ""

    def set_to(self, state: str, was: str = "") -> str:
        """Return the assignments of a state that is reached from another."""
        more = self.beside.format(state=state, was=was)
        return f"status = '{state}'" + (f", {more}" if more else "")


MACHINES = {
    "offer": Machine(
        "engine.offer",
        "offering_id",
        "ofr_moves",
        "ended_as = case '{state}' when 'closed_unsuccessfully' then 'halted' end, because = 'so'",
    ),
    "investment": Machine(
        "engine.investment",
        "investment_id",
        "inv_moves1",
        "asked_by = 'usr_1', remembered_status = case '{state}' when 'cancellation_requested'"
        " then case '{was}' when 'legally_confirmed' then '{was}' else 'confirmed' end end",
    ),
    "change_request": Machine(
        "engine.change_request",
        "change_id",
        "chg_moves",
        "decided_by = case '{state}' when 'requested' then null else 'usr_2' end, decided_because = 'so',"
        " terms_ordinal = case '{state}' when 'applied' then 2 end",
    ),
    "closing": Machine("engine.closing", "closing_id", "cls_moves", "set_sha256 = sha256('set')"),
}


@pytest.fixture(scope="module")
def book(shared: Connect) -> Book:
    """Return an offer with a frozen closing whose member has left it."""
    made = Book(shared, "moves", 1)
    made.build("frozen")
    because = [made.closing, ["inv_moves1"], "the test needs it free"]
    made.call("engine.leave_closing", made.offering, *because)
    wanted = ["chg_moves", {"isin": "US0378331005"}, "it was issued", digest("letter")]
    made.call("engine.request_change", made.offering, *wanted)
    # An offer is exited once its escrow is empty.
    made.login("admin").execute("delete from treasury.balance")
    return made


@pytest.mark.parametrize("machine", list(DESIGN))
def test_the_rows_are_the_design(book: Book, machine: str) -> None:
    rows = book.ask(
        "select from_state, to_state from engine.transition where machine = %s and role = 'engine'", machine
    )
    moves = {(before, after) for before, after in rows if before not in {"", after}}
    assert moves == {(before, after) for before, ways in DESIGN[machine].items() for after in ways}
    states = book.ask("select state from engine.state where machine = %s", machine)
    assert {state for (state,) in states} == set(DESIGN[machine])


@pytest.mark.parametrize(
    ("machine", "was"), [(machine, was) for machine in MACHINES for was in DESIGN[machine]]
)
def test_every_pair_is_taken_or_refused(book: Book, machine: str, was: str) -> None:
    known, admin = MACHINES[machine], book.login("admin")
    for becomes in DESIGN[machine]:
        if becomes == was:
            continue
        with admin.transaction(force_rollback=True):
            # The memory of a requested cancellation is the status that it may go back to.
            _stand(admin, known, was, becomes if was == "cancellation_requested" else was)
            refusal = _refusal(admin, known, was, becomes)
            expected = None if becomes in DESIGN[machine][was] else UNLISTED
            assert refusal == expected, (was, becomes)


def _stand(admin: psycopg.Connection, known: Machine, state: str, was: str) -> None:
    """Put the row into a state past its guards, and go on as the engine with every right on the tables."""
    place = f"{known.table} set {known.set_to(state, was)} where {known.key} = '{known.row}'"
    for statement in (
        f"alter table {known.table} disable trigger user",
        f"update {place}",
        f"alter table {known.table} enable trigger user",
        f"alter table {known.table} enable always trigger zz_guard",
        EVERY_RIGHT.format("engine"),
        "select audit.enter('usr_1', 'req_1')",
    ):
        admin.execute(statement.encode())


def _refusal(connection: psycopg.Connection, known: Machine, was: str, becomes: str) -> str | None:
    place = f"{known.table} set {known.set_to(becomes, was)} where {known.key} = '{known.row}'"
    try:
        with connection.transaction():
            assert connection.execute(f"update {place}".encode()).rowcount == 1
    except psycopg.Error as refused:
        return refused.diag.constraint_name
    return None


@pytest.mark.parametrize(
    ("was", "change", "rule"),
    [
        ("confirmed", "status = 'cancellation_requested', asked_by = 'usr_1'", REMEMBERS),
        ("confirmed", "status = 'legally_confirmed', remembered_status = 'confirmed'", REMEMBERS),
        (
            "confirmed",
            "status = 'cancellation_requested', remembered_status = 'confirmed', asked_by = null",
            "pending_cancellation_names_who_asked",
        ),
    ],
)
def test_a_pending_cancellation_alone_remembers(book: Book, was: str, change: str, rule: str) -> None:
    admin = book.login("admin")
    with admin.transaction(force_rollback=True):
        known = MACHINES["investment"]
        _stand(admin, known, was, was)
        place = f"{known.table} set {change} where {known.key} = '{known.row}'"
        with pytest.raises(psycopg.Error) as refused:
            admin.execute(f"update {place}".encode())
    assert refused.value.diag.constraint_name == rule
