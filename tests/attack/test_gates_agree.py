"""The gates of the program and of the database are one set of rules."""

from __future__ import annotations

import pytest

from bookrunner.engine.gates import (
    CONDITIONS,
    GATES,
    STAGES,
    keeper_mask,
    mask,
    missing_conditions,
    stage_reached,
)
from tests.attack.world import Connect, World

PATTERNS = 1 << len(CONDITIONS)

# A position with exactly the conditions of one bit pattern; digests are equal because both are absent.
EVERY_PATTERN = """
with pattern as (
    select n, (jsonb_populate_record(null::engine.position, (
        select jsonb_object_agg(c.condition, (n >> c.bit) & 1 = 1) from engine.condition c)
        || '{"offering_id": "ofr_x", "investment_id": "inv_x", "clearance_lacks": []}')) as p
    from generate_series(0, %s) n),
standing as (
    select n, jsonb_populate_record(p, jsonb_build_object('standing', engine.stands_at(p))) as p from pattern)
select n, g.act, engine.holds(p) as holds, array(
    select m ->> 'condition' from jsonb_array_elements(engine.missing(p, g.mask))
        with ordinality as e (m, place)
    order by place)
from standing, engine.gate g
"""


def test_conditions_are_the_rows_of_the_database(shared: Connect) -> None:
    rows = shared("owner").execute("select condition, bit, stage, keeper from engine.condition order by bit")
    assert rows.fetchall() == [(c.name, c.bit, c.stage, c.keeper) for c in CONDITIONS]


def test_gates_are_the_rows_of_the_database(shared: Connect) -> None:
    assert dict(shared("owner").execute("select act, mask from engine.gate").fetchall()) == GATES


def test_no_verb_and_no_keeper_changes_a_gate(shared: Connect) -> None:
    """Plans hold the masks as numbers: what changed a gate would leave open sessions at the former one."""
    owner = shared("owner")
    writes = (
        r"(insert\s+into|update|delete\s+from|truncate|merge\s+into)\s+(only\s+)?engine\.(gate|condition)\M"
    )
    verbs = owner.execute(
        "select p.oid::regprocedure::text from pg_proc p"
        " where coalesce(pg_get_function_sqlbody(p.oid), p.prosrc) ~* %s",
        [writes],
    )
    assert verbs.fetchall() == []
    with owner.transaction(force_rollback=True):
        # The tests lend it to attackers who shall have every right.
        owner.execute("revoke all on engine.gate, engine.condition from every_right")
        lent = owner.execute(
            "select t.name, r.rolname"
            " from unnest(array['engine.gate', 'engine.condition']) t (name), pg_roles r"
            " where not r.rolsuper and r.rolname <> current_user and not starts_with(r.rolname, 'pg_')"
            " and has_table_privilege(r.oid, t.name, 'insert, update, delete, truncate')"
        )
    assert lent.fetchall() == []


def test_masks_are_computed_alike(shared: Connect) -> None:
    owner = shared("owner")
    for keeper in {c.keeper for c in CONDITIONS}:
        found = owner.execute("select engine.keeper_mask(%s)", [keeper]).fetchone()
        assert found == (keeper_mask(keeper),)
    names = [c.name for c in CONDITIONS[::3]]
    assert owner.execute("select engine.mask(%s)", [names]).fetchone() == (mask(*names),)
    for act, expected in GATES.items():
        assert owner.execute("select engine.act_mask(%s)", [act]).fetchone() == (expected,)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_is_reached_at_its_mask_and_not_below(shared: Connect, stage: str) -> None:
    row = shared("owner").execute("select engine.stage_mask(%s)", [stage]).fetchone()
    assert row is not None
    assert stage_reached(row[0]) == stage
    for condition in (c for c in CONDITIONS if row[0] >> c.bit & 1):
        assert stage_reached(row[0] & ~(1 << condition.bit)) != stage


def test_missing_conditions_agree_for_every_pattern_and_act(shared: Connect) -> None:
    rows = shared("owner").execute(EVERY_PATTERN, [PATTERNS - 1]).fetchall()
    assert len(rows) == PATTERNS * len(GATES)
    for pattern, act, holds, missing in rows:
        assert holds == pattern
        assert tuple(missing) == missing_conditions(pattern, act), (pattern, act)


@pytest.mark.parametrize(
    ("change", "closed"),
    [
        (
            "profile_digest = '\\x01'",
            {"investor_is_cleared", "agreement_is_signed", "agreement_is_countersigned"},
        ),
        ("verified_digest = '\\x01'", {"investor_is_cleared"}),
        ("agreed_digest = '\\x01'", {"agreement_is_signed", "agreement_is_countersigned"}),
        ("cleared_until = clock_timestamp() - interval '1 second'", {"investor_is_cleared"}),
        ("cleared_until = clock_timestamp() + interval '1 hour'", set()),
    ],
)
def test_a_condition_counts_only_for_its_profile_and_its_time(
    shared: Connect, change: str, closed: set[str]
) -> None:
    column, _, value = change.partition(" = ")
    statement = """
        select engine.holds(jsonb_populate_record(p, jsonb_build_object('standing', engine.stands_at(p))))
        from jsonb_populate_record(null::engine.position, (
            select jsonb_object_agg(c.condition, true) from engine.condition c)
            || jsonb_build_object('{column}', {value})) p"""
    row = shared("owner").execute(statement.format(column=column, value=value).encode()).fetchone()
    assert row is not None
    assert {c.name for c in CONDITIONS if not row[0] >> c.bit & 1} == closed


def test_the_displayed_holds_of_a_real_offering_lack_what_python_says(shared: Connect) -> None:
    world = World(shared, "agree").build("funded")
    rows = world.login("engine").execute(
        "select holds, array(select m ->> 'condition' from jsonb_array_elements(missing) m) from engine.stage"
    )
    for holds, missing in rows.fetchall():
        assert tuple(missing) == missing_conditions(holds, "issue") == ("wallet_is_linked",)


def test_a_row_stands_at_what_its_facts_say_whoever_writes_it(shared: Connect) -> None:
    world = World(shared, "stands").build("funded")
    owner = shared("owner")
    owner.execute(
        "update engine.position set standing = 0 where offering_id = %s",
        [world.offering],
    )
    stands = owner.execute(
        "select pos.standing, engine.stands_at(pos), engine.holds(pos) from engine.position pos"
        " where pos.offering_id = %s",
        [world.offering],
    ).fetchall()
    expected = PATTERNS - 1 & ~mask("wallet_is_linked", "holding_is_registered")
    assert stands
    assert set(stands) == {(expected, expected, expected)}


def test_a_row_that_stands_beside_its_facts_is_a_break(shared: Connect) -> None:
    world = World(shared, "beside").build("funded")
    with world.login("admin") as admin, admin.transaction(force_rollback=True):
        admin.execute("alter table engine.position disable trigger user")
        admin.execute("update engine.position set standing = 0 where offering_id = %s", [world.offering])
        kinds = admin.execute(
            "select distinct kind from reconciliation.differences(%s, null)", [world.offering]
        ).fetchall()
    assert ("position_stands_at_its_facts",) in kinds
    found = shared("owner").execute("select kind from reconciliation.differences(%s, null)", [world.offering])
    assert ("position_stands_at_its_facts",) not in found.fetchall()
