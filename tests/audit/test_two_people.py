"""A person and the key of that person are one: what asks for two people is not passed by both."""

from __future__ import annotations

import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from tests.attack.world import Connect

RULES = [
    ("treasury.currency_rule", "currency_rule_needs_two_people", "accepted"),
    ("treasury.currency_rule", "currency_rule_needs_two_people", "ended"),
    ("treasury.accepted_coin", "accepted_coin_needs_two_people", "accepted"),
    ("treasury.proposal", "proposal_needs_two_people", "approved"),
    ("treasury.fee", "fee_needs_two_people", "declared"),
    ("treasury.escrow_account", "escrow_needs_two_people", "in_force"),
    ("treasury.escrow_account", "escrow_needs_two_people", "superseded"),
    ("compliance.suspicion", "suspicion_needs_two_people", "to_report"),
]


@pytest.mark.parametrize(("table", "rule", "status"), RULES)
def test_a_key_is_no_second_person(connect: Connect, table: str, rule: str, status: str) -> None:
    owner = connect("owner")
    stated = owner.execute(
        "select pg_get_expr(conbin, conrelid) from pg_constraint"
        " where conrelid = %s::regclass and conname = %s and convalidated",
        [table, rule],
    ).fetchone()
    assert stated
    asked = sql.SQL("select {} from jsonb_populate_record(null::{}, %s)").format(
        sql.SQL(stated[0]), sql.Identifier(*table.split("."))
    )

    def passes(proposed_by: str, decided_by: str) -> bool:
        row = {"status": status, "proposed_by": proposed_by, "decided_by": decided_by}
        (answer,) = owner.execute(asked, [Jsonb(row)]).fetchone() or (None,)
        return answer is not False

    assert not passes("usr_x", "usr_x")
    assert not passes("usr_x", "key:usr_x")
    assert not passes("key:usr_x", "usr_x")
    assert passes("usr_x", "usr_y")
    assert passes("key:usr_x", "key:usr_y")
