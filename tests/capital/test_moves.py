# ruff: noqa: S608 - states and columns come from the constants of this file
"""Every pair of states, by raw SQL as every login: five moves pass, each by its role alone."""

from __future__ import annotations

import itertools

import psycopg
import pytest

from tests.attack.conftest import shared
from tests.attack.rights import EVERY_RIGHT
from tests.attack.test_illegal_statements import (
    APPEND_ONLY,
    LOGINS,
    NAMED,
    NEVER_DELETED,
    NO_RIGHT,
    UNLISTED,
    rolled_back,
)
from tests.attack.world import Connect
from tests.capital.institution import DUE, STATES, Institutions

__all__ = ["shared"]

LISTED = {
    ("pending", "under_internal_review"): "engine",
    ("under_internal_review", "escrow_initiated"): "engine",
    ("escrow_initiated", "funded"): "treasury",
    ("pending", "cancelled"): "engine",
    ("under_internal_review", "cancelled"): "engine",
}
NEW = """
insert into engine.allocation (offering_id, allocation_id, tranche, entity_id, status, amount_minor,
    currency, requested_by)
values ('{offering}', '{id}', 'a', '{entity}', '{status}', {amount}, '{currency}', 'usr_asker')
"""


@pytest.fixture(scope="module")
def one(shared: Connect) -> Institutions:
    """Return a world whose institutions have paid; every attack in it is rolled back."""
    return Institutions(shared).build("funded")


def told(one: Institutions, status: str) -> str:
    """Return the columns that a move to a state says."""
    more = {
        "under_internal_review": ", reviewed_by = 'usr_reviewer'",
        "escrow_initiated": f", investment_id = '{one.investment}', settlement_due_at = '{DUE}',"
        " reviewed_by = 'usr_reviewer'",
        "funded": ", settlement_message = 'm', settlement_key_id = 'k',"
        f" settlement_signature_sha256 = sha256('x'), investment_id = '{one.investment}',"
        f" settlement_due_at = '{DUE}', reviewed_by = 'usr_reviewer'",
        "cancelled": ", cancelled_by = 'usr_x', cancelled_because = 'because'",
    }
    return f"status = '{status}'{more.get(status, '')}"


def attempt(one: Institutions, start: str, statement: str, rights: str = "") -> psycopg.Error | None:
    """Run a statement on an allocation in a state, undo it, and return what refused it."""
    with rolled_back(one.login("admin")) as connection:
        connection.execute(NAMED.encode())
        if start:
            connection.execute(one.placed(start, "a").encode())
            connection.execute(RECEIVED)
        connection.execute(rights.encode() or b"select 1")
        try:
            connection.execute(statement.encode())
        except psycopg.Error as refused:
            return refused
    return None


RECEIVED = b"""
insert into audit.inbox (provider, message_id, body, body_sha256, key_id)
values ('settlements', 'm', 'x', sha256('x'), 'k')
"""
PAIRS = list(itertools.product(STATES, STATES))


@pytest.mark.parametrize("login", LOGINS)
def test_of_all_pairs_of_states_five_pass_each_by_its_role(one: Institutions, login: str) -> None:
    for start, end in PAIRS:
        move = f"update engine.allocation set {told(one, end)} where allocation_id = 'iac_a'"
        refused = attempt(one, start, move, EVERY_RIGHT.format(login))
        if LISTED.get((start, end)) == login:
            assert refused is None, (start, end, refused)
        else:
            assert refused is not None, (start, end)
            assert refused.diag.constraint_name == UNLISTED, (start, end, refused)
            assert f'from "{start}" to "{end}"' in (refused.diag.message_primary or "")
        plain = attempt(one, start, move, f"set local session authorization {login}")
        assert plain is not None
        assert plain.sqlstate == NO_RIGHT


def test_the_five_moves_are_the_rows_of_the_machine(one: Institutions) -> None:
    rows = (
        one.login("owner")
        .execute("select from_state, to_state, role from engine.transition where machine = 'allocation'")
        .fetchall()
    )
    assert {(start, end): role for start, end, role in rows} == LISTED | {("", "pending"): "engine"}


@pytest.mark.parametrize("login", LOGINS)
def test_an_allocation_begins_as_pending_by_the_engine_alone(one: Institutions, login: str) -> None:
    for status in STATES:
        born = NEW.format(
            offering=one.offering,
            id="iac_b",
            entity=one.entity,
            status=status,
            amount=10**7,
            currency="USD",
        )
        refused = attempt(one, "", born, EVERY_RIGHT.format(login))
        if (login, status) == ("engine", "pending"):
            assert refused is None, refused
        else:
            assert refused is not None
            assert refused.diag.constraint_name == UNLISTED


BOUNDS = {
    "below 100,000": ("allocation_is_at_least_100_000", {"amount": 9_999_999}),
    "above 50,000,000": ("allocation_is_at_most_50_000_000", {"amount": 5_000_000_001}),
    "another currency": ("allocation_is_in_us_dollars", {"currency": "EUR"}),
    "an unknown entity": ("allocation_is_for_a_known_institution", {"entity": "ivr_unknown"}),
    "an entity that is not cleared": ("allocation_is_for_a_cleared_entity", {"entity": "uncleared"}),
}


@pytest.mark.parametrize("case", BOUNDS)
def test_bounds_hold_for_every_right(one: Institutions, case: str) -> None:
    rule, change = BOUNDS[case]
    said = {"offering": one.offering, "id": "iac_b", "entity": one.entity, "status": "pending"}
    said |= {"amount": 10**7, "currency": "USD"} | change
    rights = EVERY_RIGHT.format("engine")
    if change.get("entity") == "uncleared":
        said["entity"] = one.entity
        rights = (
            "alter table compliance.clearance disable trigger all;"
            "update compliance.clearance set status = 'pending', lacks = '{x}';" + rights
        )
    refused = attempt(one, "", NEW.format(**said), rights)
    assert refused is not None
    assert refused.diag.constraint_name == rule
    assert refused.diag.message_primary


def test_the_least_and_the_most_pass(one: Institutions) -> None:
    for amount in (10_000_000, 5_000_000_000):
        said = {"offering": one.offering, "id": "iac_b", "entity": one.entity, "status": "pending"}
        row = NEW.format(**said, amount=amount, currency="USD")
        assert attempt(one, "", row, EVERY_RIGHT.format("engine")) is None


def test_a_second_pending_request_of_a_tranche_is_refused(one: Institutions) -> None:
    said = {"offering": one.offering, "entity": one.entity, "status": "pending", "amount": 10**7}
    twins = "; ".join(NEW.format(**said, currency="USD", id=f"iac_{n}") for n in (1, 2))
    refused = attempt(one, "", twins, EVERY_RIGHT.format("engine"))
    assert refused is not None
    assert refused.diag.constraint_name == "one_pending_request_per_entity_and_tranche"


STANDING = {
    "cancelled without a reason": (
        "pending",
        "status = 'cancelled', cancelled_by = 'usr_x'",
        "cancelled_allocation_names_actor_and_reason",
    ),
    "cancelled by nobody": (
        "pending",
        "status = 'cancelled', cancelled_because = 'x'",
        "cancelled_allocation_names_actor_and_reason",
    ),
    "reviewed by who asked": (
        "pending",
        "status = 'under_internal_review', reviewed_by = 'usr_asker'",
        "requester_does_not_review",
    ),
    "reviewed by who asked, with a key": (
        "pending",
        "status = 'under_internal_review', reviewed_by = 'key:usr_asker'",
        "requester_does_not_review",
    ),
    "reviewed by nobody": (
        "pending",
        "status = 'under_internal_review'",
        "reviewed_allocation_names_its_reviewer",
    ),
    "another amount": (
        "pending",
        "status = 'under_internal_review', reviewed_by = 'usr_r', amount_minor = 20000000",
        "allocation_terms_are_locked",
    ),
    "due in the past": (
        "under_internal_review",
        "status = 'escrow_initiated', investment_id = '{investment}', settlement_due_at = '2020-01-01'",
        "settlement_is_due_in_the_future",
    ),
    "never due": (
        "under_internal_review",
        "status = 'escrow_initiated', investment_id = '{investment}'",
        "escrow_says_when_it_settles",
    ),
    "of somebody else": (
        "under_internal_review",
        "status = 'escrow_initiated', investment_id = '{other}', settlement_due_at = '" + DUE + "'",
        "escrow_is_for_an_investment_of_the_entity",
    ),
}


@pytest.mark.parametrize("case", STANDING)
def test_a_listed_move_still_says_what_it_owes(one: Institutions, case: str) -> None:
    start, columns, rule = STANDING[case]
    said = columns.format(investment=one.investment, other=one.id("inv", 201))
    move = f"update engine.allocation set {said} where allocation_id = 'iac_a'"
    refused = attempt(one, start, move, EVERY_RIGHT.format("engine"))
    assert refused is not None
    assert refused.diag.constraint_name == rule


SETTLED = ", settlement_message = 'm', settlement_key_id = 'k', settlement_signature_sha256 = sha256('x')"


def test_funded_names_its_settlement_and_has_its_money(one: Institutions) -> None:
    rights = EVERY_RIGHT.format("treasury")
    move = "update engine.allocation set status = 'funded'{} where allocation_id = 'iac_a'"
    unnamed = attempt(one, "escrow_initiated", move.format(""), rights)
    assert unnamed is not None
    assert unnamed.diag.constraint_name == "funded_allocation_names_its_settlement"
    gone = "alter table engine.position disable trigger all;"
    gone += "update engine.position set funds_are_cleared = false;"
    poor = attempt(one, "escrow_initiated", move.format(SETTLED), gone + rights)
    assert poor is not None
    assert poor.diag.constraint_name == "funded_allocation_has_its_money"
    for other in (SETTLED.replace("'m'", "'m2'"), SETTLED.replace("'k'", "'k2'")):
        unheard = attempt(one, "escrow_initiated", move.format(other), rights)
        assert unheard is not None
        assert unheard.diag.constraint_name == "funded_allocation_has_its_message"


@pytest.mark.parametrize("login", LOGINS)
def test_the_log_of_an_allocation_stands(one: Institutions, login: str) -> None:
    born = NEW.format(
        offering=one.offering,
        id="iac_a",
        entity=one.entity,
        status="pending",
        amount=10**7,
        currency="USD",
    )
    for statement, rule in (
        ("update audit.event set actor = 'usr_x' where subject = 'iac_a'", APPEND_ONLY),
        ("delete from audit.event where subject = 'iac_a'", APPEND_ONLY),
        ("truncate audit.event cascade", APPEND_ONLY),
        ("delete from engine.allocation", NEVER_DELETED),
        ("truncate engine.allocation cascade", NEVER_DELETED),
    ):
        with rolled_back(one.login("admin")) as connection:
            connection.execute(NAMED.encode())
            connection.execute((EVERY_RIGHT.format("engine") + born).encode())
            connection.execute(("reset session authorization;" + EVERY_RIGHT.format(login)).encode())
            with pytest.raises(psycopg.Error) as caught:
                connection.execute(statement.encode())
        assert caught.value.diag.constraint_name == rule, statement
