"""What becomes of a break: taken on, answered, verified by a run or two people; and what it holds up."""

from __future__ import annotations

import psycopg
import pytest

from bookrunner.db import load
from tests.reconciliation.conftest import Books, look, undone
from tests.reconciliation.injectors import TABLE
from tests.reconciliation.test_injection import break_it

OTHER = "update subscription.agreement set units = 2 where agreement_id = '{agr}'"
BACK = "update subscription.agreement set units = 1 where agreement_id = '{agr}'"
KIND = "units_are_not_the_agreed_ones"
ROW = """
select break_id, version, status, accepted_by, verified_in is not null, left_value, right_value
from reconciliation.break
where offering_id = %s and kind = %s
"""


def act(admin: psycopg.Connection, verb: str, *values: object, login: str = "reconciliation") -> None:
    """Call a verb of breaks as a login."""
    marks = ", ".join(["%s"] * len(values))
    admin.execute(f"set local session authorization {login}".encode())
    admin.execute(f"select reconciliation.{verb}({marks})".encode(), values)
    admin.execute("reset session authorization")


def found(admin: psycopg.Connection, books: Books) -> tuple[str, int, str, str | None, bool, str, str]:
    row = admin.execute(ROW.encode(), [books.offering, KIND]).fetchone()
    assert row is not None
    return row


def answered(admin: psycopg.Connection, books: Books, *, is_corrected: bool) -> str:
    """Find a break, give it to Sam and let her answer; return its id."""
    break_it(admin, books, OTHER)
    look(admin, books)
    name, version, status, *_ = found(admin, books)
    assert (status, version) == ("open", 1)
    desk = (books.offering, name, "subscription")
    act(admin, "assign_break", "usr_lead", "req_1", *desk, "desk.sam", 1)
    act(admin, "answer_break", "desk.sam", "req_2", *desk, is_corrected, "the paper says two", 2)
    return name


def test_a_break_is_verified_by_a_later_run_alone(books: Books) -> None:
    with undone(books.login("admin")) as admin:
        answered(admin, books, is_corrected=True)
        look(admin, books)
        assert found(admin, books)[2:5] == ("assigned", None, False), "it still differs"
        break_it(admin, books, BACK)
        look(admin, books)
        assert found(admin, books)[2:5] == ("verified", None, True)
        break_it(admin, books, OTHER)
        look(admin, books)
        assert found(admin, books)[2] == "open"


def test_a_break_that_comes_again_is_nobodys(books: Books) -> None:
    held = "select assigned_to, assigned_by, answered_by, answer from reconciliation.break where kind = %s"
    with undone(books.login("admin")) as admin:
        name = answered(admin, books, is_corrected=True)
        break_it(admin, books, BACK)
        look(admin, books)
        assert admin.execute(held, [KIND]).fetchall() == [
            ("desk.sam", "usr_lead", "desk.sam", "the paper says two")
        ]
        break_it(admin, books, OTHER)
        look(admin, books)
        assert admin.execute(held, [KIND]).fetchall() == [(None, None, None, None)]
        kept = "select said #>> '{}' from audit.replaced where subject = %s and name = 'answer'"
        assert "the paper says two" in [said for (said,) in admin.execute(kept, [name]).fetchall()]


def test_a_supply_that_was_not_read_verifies_no_break(books: Books) -> None:
    supply = "select status from reconciliation.break where kind = 'supply_is_not_the_control_book'"
    with undone(books.login("admin")) as admin:
        for delivered, status in ((99, "open"), (None, "open"), (sum(books.numbers), "verified")):
            look(admin, books, books.shown() | {"delivered": delivered})
            assert admin.execute(supply.encode()).fetchall() == [(status,)], delivered


def test_what_no_second_look_bears_out_is_no_break_and_verifies_none(books: Books) -> None:
    other, wallet = books.shown(**{books.address(1).hex(): 9}), books.address(1).hex()
    with undone(books.login("admin")) as admin:
        assert look(admin, books, other | {"standing": []}) == []
        (row,) = look(admin, books, other | {"standing": [["units_differ", wallet]]})
        assert row[1:3] == ("units_differ", wallet)
        assert look(admin, books, other | {"standing": []}) == [row]
        assert look(admin, books, books.shown() | {"standing": []}) == []


@pytest.mark.parametrize(
    "statement",
    [
        "delete from reconciliation.unseen",
        "insert into reconciliation.unseen (offering_id, about) values ('ofr_x', 'ivr_x')",
        "select reconciliation.differences('ofr_x', null)",
    ],
)
def test_what_waits_for_the_node_is_kept_by_verbs_alone(books: Books, statement: str) -> None:
    with undone(books.login("admin")) as admin:
        admin.execute("set local session authorization reconciliation")
        with pytest.raises(psycopg.errors.InsufficientPrivilege), undone(admin):
            admin.execute(statement.encode())


def test_damage_that_two_people_accepted_is_compared_no_more(books: Books) -> None:
    found = next(case for case in TABLE if case.name == "file that the round found damaged")
    with undone(books.login("admin")) as admin:
        waits = load("bookrunner.reconciliation").unbroken_damage
        break_it(admin, books, found.statement)
        assert [row["offering_id"] for row in waits(admin)] == [books.offering]
        look(admin, books)
        assert list(waits(admin)) == []
        ((name,),) = admin.execute(
            "select break_id from reconciliation.break where kind = %s", [found.kind]
        ).fetchall()
        desk = (books.offering, name, "subscription")
        act(admin, "assign_break", "usr_lead", "req_1", *desk, "desk.sam", 1)
        is_corrected = False
        act(admin, "answer_break", "desk.sam", "req_2", *desk, is_corrected, "the paper is in the safe", 2)
        act(admin, "accept_break", "usr_lead", "req_3", *desk, "the paper was seen", 3)
        assert list(waits(admin)) == []


@pytest.mark.parametrize(("hours", "days"), [(23, 0), (36, 1), (47, 1), (49, 2)])
def test_the_age_of_a_break_is_in_whole_days(books: Books, hours: int, days: int) -> None:
    with undone(books.login("admin")) as admin:
        break_it(admin, books, OTHER)
        look(admin, books)
        admin.execute("set constraints all immediate")
        admin.execute("alter table reconciliation.break disable trigger all")
        admin.execute(
            "update reconciliation.break set since = clock_timestamp() - make_interval(hours => %s)", [hours]
        )
        ages = admin.execute("select distinct age_days from reconciliation.break_fact where status = 'open'")
        assert ages.fetchall() == [(days,)]


def test_two_people_accept_while_both_sides_say_the_same(books: Books) -> None:
    with undone(books.login("admin")) as admin:
        name = answered(admin, books, is_corrected=False)
        desk = (books.offering, name, "subscription")
        for who in ("desk.sam", "key:desk.sam"):
            with pytest.raises(psycopg.errors.CheckViolation) as refused, undone(admin):
                act(admin, "accept_break", who, "req_3", *desk, "it is right", 3)
            assert refused.value.diag.constraint_name == "acceptance_needs_two_people"
        with pytest.raises(psycopg.errors.CheckViolation) as refused, undone(admin):
            act(admin, "accept_break", "usr_lead", "req_3", *desk, " ", 3)
        assert refused.value.diag.constraint_name == "acceptance_has_its_reason"
        act(admin, "accept_break", "usr_lead", "req_3", *desk, "the paper is right", 3)
        look(admin, books)
        assert found(admin, books)[2:5] == ("verified", "usr_lead", False)
        break_it(admin, books, OTHER.replace("units = 2", "units = 3"))
        look(admin, books)
        assert found(admin, books)[2:] == ("open", None, False, "1", "3")
        # The row forgets why it was accepted; its history does not.
        kept = "select said #>> '{}' from audit.replaced where subject = %s and name = 'accepted_because'"
        assert "the paper is right" in [said for (said,) in admin.execute(kept, [name]).fetchall()]


def test_an_acceptance_ends_when_both_sides_agree_again(books: Books) -> None:
    with undone(books.login("admin")) as admin:
        name = answered(admin, books, is_corrected=False)
        act(
            admin,
            "accept_break",
            "usr_lead",
            "req_3",
            books.offering,
            name,
            "subscription",
            "the paper is right",
            3,
        )
        before = found(admin, books)[5:]
        break_it(admin, books, BACK)
        look(admin, books)
        assert found(admin, books)[2:5] == ("verified", None, True)
        break_it(admin, books, OTHER)
        look(admin, books)
        assert found(admin, books)[2:] == ("open", None, False, *before)


@pytest.mark.parametrize(
    ("rule", "verb", "values"),
    [
        ("break_is_answered_by_its_owner", "assign_break", ("treasury", "usr_x", 1)),
        ("decision_is_on_the_version_seen", "assign_break", ("subscription", "usr_x", 7)),
        ("accepted_break_is_explained", "accept_break", ("subscription", "because", 1)),
        ("transition_is_listed_for_the_keeper", "answer_break", ("subscription", False, "because", 1)),
        ("assigned_break_names_its_person", "assign_break", ("subscription", " ", 1)),
    ],
)
def test_an_act_on_a_break_is_refused(books: Books, rule: str, verb: str, values: tuple[object, ...]) -> None:
    with undone(books.login("admin")) as admin:
        break_it(admin, books, OTHER)
        look(admin, books)
        name = found(admin, books)[0]
        with pytest.raises(psycopg.Error) as refused, undone(admin):
            act(admin, verb, "usr_1", "req_1", books.offering, name, *values)
        assert refused.value.diag.constraint_name == rule


@pytest.mark.parametrize(
    ("rule", "statement"),
    [
        ("records_are_never_deleted", "delete from reconciliation.break"),
        ("difference_of_a_break_is_locked", "update reconciliation.break set owner = 'portal'"),
        ("difference_of_a_break_is_locked", "update reconciliation.break set kind = 'units_differ'"),
        ("transition_is_listed_for_the_keeper", "update reconciliation.break set status = 'explained'"),
        (
            "break_is_verified_by_a_run_or_two_people",
            "update reconciliation.break set status = 'verified'",
        ),
        ("history_is_append_only", "delete from reconciliation.run"),
        ("history_is_append_only", "update reconciliation.kind set severity = 'low'"),
    ],
)
def test_raw_sql_closes_no_break(books: Books, rule: str, statement: str) -> None:
    with undone(books.login("admin")) as admin:
        break_it(admin, books, OTHER)
        look(admin, books)
        admin.execute("grant all on all tables in schema reconciliation, engine, audit to reconciliation")
        admin.execute("grant execute on all functions in schema audit, engine to reconciliation")
        admin.execute(
            "select set_config('bookrunner.actor', 'a', true), set_config('bookrunner.request', 'r', true)"
        )
        admin.execute("set local session authorization reconciliation")
        with pytest.raises(psycopg.Error) as refused, undone(admin):
            admin.execute(statement.encode())
        assert refused.value.diag.constraint_name == rule


def test_an_old_break_is_reminded_of_once_a_step(books: Books) -> None:
    with undone(books.login("admin")) as admin:
        break_it(admin, books, OTHER)
        look(admin, books)
        act(admin, "remind", "process", "req_1")
        assert reminders(admin) == []
        admin.execute("set constraints all immediate")
        admin.execute("alter table reconciliation.break disable trigger all")
        admin.execute("update reconciliation.break set since = since - interval '4 days'")
        for request in ("req_2", "req_3"):
            act(admin, "remind", "process", request)
        # State and history of the agreement and its units differ: three breaks, all of them grave.
        assert {step for step, _ in reminders(admin)} == {1, 2}
        assert len(reminders(admin)) == len(set(reminders(admin)))


def reminders(admin: psycopg.Connection) -> list[tuple[int, str]]:
    return admin.execute("select step, break_id from reconciliation.reminder order by 1, 2").fetchall()


def test_a_break_names_its_last_events(books: Books) -> None:
    with undone(books.login("admin")) as admin:
        break_it(admin, books, OTHER)
        look(admin, books)
        rows = admin.execute("select evidence from reconciliation.break where kind = %s", [KIND]).fetchall()
    ((named,),) = rows
    assert 0 < len(named) <= 5
    assert all(one.startswith(f"{books.id('inv', 1)}@") for one in named)
