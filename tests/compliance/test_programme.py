"""The programme that screenings and clearances are made under, and the record of each clearance."""

from __future__ import annotations

from typing import Any

import psycopg

from tests.attack.world import DECISIONS, World
from tests.compliance.conftest import play, rolled_back
from tests.compliance.test_book import CLEAR, opened

NEW_LIST = [
    "import_list('us.ofac.sdn', 'list-2', sha256('l2'), date '2026-04-01', 1010, 'reader.1')",
    "activate_list('us.ofac.sdn', 'list-2', null)",
]
RESULT = """{{"source": "us.ofac.sdn", "list_version": "list-1", "matcher_version": "{}",
    "threshold_bp": 8000, "candidates": []}}"""
POLICY = '{"person_bp": 9000, "other_bp": 8000, "list_lag_hours": 24, "age_days": 90}'


def one(connection: psycopg.Connection, query: str, *arguments: object) -> Any:  # noqa: ANN401
    """Return the one value that a query of the test answers."""
    row = connection.execute(query.encode(), arguments or None).fetchone()
    assert row is not None
    return row[0]


ADOPTED = [
    f"propose_screening_policy('ofr_book', 'spc_1', '{POLICY}', 'a stricter issuer')",
    "decide_screening_policy@officer.two('ofr_book', 'spc_1', true, 'agreed', 1)",
]


def in_force(connection: psycopg.Connection) -> str:
    """Return the version of the programme in force."""
    return str(one(connection, "select compliance.programme_in_force()"))


def records(connection: psycopg.Connection) -> list[tuple[Any, ...]]:
    """Return number, state and programme of each record of the first investor's clearance."""
    return connection.execute(
        "select record_no, status, programme_version from compliance.clearance_record"
        " where investor_id = 'ivr_book1' order by 1"
    ).fetchall()


def test_each_part_makes_another_version(world: World) -> None:
    with rolled_back(world) as connection:
        versions = [in_force(connection)]
        for step in (
            [f"record_result('ivr_book1', 'scr_m', '{RESULT.format('7.1')}')"],
            ADOPTED,
            NEW_LIST,
        ):
            play(connection, step, 10 * len(versions))
            versions.append(in_force(connection))
            assert in_force(connection) == versions[-1]
        assert len(set(versions)) == len(versions)


def test_a_rule_changes_it_from_its_day_on(world: World) -> None:
    rule = "'house.list_age', 'rch_9'"
    with rolled_back(world) as connection:
        today = in_force(connection)
        play(
            connection,
            [
                f"propose_rule({rule}, 6, current_date + 3, 'sanctions policy', 'stricter')",
                f"decide_rule@officer.two({rule}, true, 'read', 1)",
            ],
        )
        assert in_force(connection) == today
        days = [
            one(
                connection,
                "select compliance.rules_at(now() + make_interval(days => %s)) ->> 'house.list_age'",
                n,
            )
            for n in (2, 4)
        ]
        assert days == ["1", "2"]


def test_a_screening_and_a_clearance_state_their_programme(world: World) -> None:
    with rolled_back(world) as connection:
        play(connection, opened("individual") + CLEAR)
        under = one(connection, "select programme_version from compliance.screening")
        assert under == in_force(connection)
        cleared = one(connection, "select programme_version from compliance.clearance")
        content = one(
            connection,
            "select content from compliance.programme where programme_version = %s",
            cleared,
        )
        assert content["lists"] == {"us.ofac.sdn": "list-1"}
        assert content["checks"] == ["accreditation_is_verified"]
        assert content["judged_by"]["us.506c.document_validity"] == 1
        play(connection, NEW_LIST, 40)
        assert (
            one(connection, "select programme_version from compliance.screening")
            == under
            != in_force(connection)
        )


def test_a_clearance_keeps_the_record_of_how_it_was_made(world: World) -> None:
    with rolled_back(world) as connection:
        play(connection, opened("individual") + CLEAR)
        play(connection, ["revoke_identity@officer.two('ivr_book1', 'forged')"], 40)
        assert [(number, status) for number, status, _ in records(connection)] == [
            (1, "clear"),
            (2, "reopened"),
        ]
        kept = connection.execute(
            "select purpose, evidence, decided_by, lacks, decided_at <= clock_timestamp()"
            " from compliance.clearance_record where investor_id = 'ivr_book1' order by record_no"
        ).fetchall()
        purpose, evidence, decider, _, _ = kept[0]
        assert purpose == "to buy and hold units of ofr_book, offered under 506(c)"
        assert evidence["identity"]["method"] == "provider"
        assert evidence["accreditation"]["method"] == "income"
        assert evidence["screenings"] == ["scr_1"]
        assert evidence["risk"]["tier"] == "low"
        assert decider == "officer.one"
        assert kept[1][2:] == ("officer.two", ["identity_is_verified"], True)


def test_a_clearance_judged_again_follows_the_programme_of_today(world: World) -> None:
    with rolled_back(world) as connection:
        play(connection, opened("individual") + CLEAR)
        play(connection, ADOPTED, 40)
        version = one(connection, "select version from compliance.clearance where investor_id = 'ivr_book1'")
        play(connection, [f"judge_again('ofr_book', 'ivr_book1', 'a new policy', {version})"], 50)
        last = one(
            connection, "select programme_version from compliance.clearance where investor_id = 'ivr_book1'"
        )
        assert records(connection)[-1][2] == last != records(connection)[0][2]


def test_an_officer_states_the_purpose(world: World) -> None:
    with rolled_back(world) as connection:
        play(connection, opened("individual") + CLEAR)
        version = one(connection, "select version from compliance.clearance where investor_id = 'ivr_book1'")
        play(connection, [f"state_purpose('ofr_book', 'ivr_book1', 'savings for a pension', {version})"], 40)
        stated = one(
            connection,
            "select purpose from compliance.clearance_record where investor_id = 'ivr_book1'"
            " order by record_no desc limit 1",
        )
        assert stated == "savings for a pension"


def test_every_verb_of_a_person_keeps_its_decision_with_its_programme(world: World) -> None:
    """Whatever verb decides keeps who, on what and under which programme, once."""
    owner = world.login("owner")
    found = {
        f"compliance.{name}"
        for (name,) in owner.execute(
            "select p.proname from pg_proc p join pg_namespace n on n.oid = p.pronamespace"
            " where n.nspname = 'compliance' and p.prosecdef"
            " and p.prosrc ~ 'compliance\\.(decide|decide_accreditation|move_case)\\('"
        )
    }
    assert found == set(DECISIONS)
    with rolled_back(world) as connection:
        under = in_force(connection)
        play(
            connection,
            [
                "record_screening('ivr_book1', 'scr_1', 'list-1', 'sdn-1')",
                "decide_hit('ivr_book1', :hit1, 'escalated', 'a second look', 1)",
                "decide_hit@officer.two('ivr_book1', :hit1, 'no_match', 'another birth date', 2)",
            ],
        )
        rows = connection.execute(
            "select scope_id, item_id = (select hit_id from compliance.hit), programme_version, decided_by"
            " from compliance.decision order by decision_no"
        ).fetchall()
        assert rows == [("ivr_book1", True, under, f"officer.{who}") for who in ("one", "two")]
