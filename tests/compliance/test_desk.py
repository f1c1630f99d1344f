"""The suspicious-activity desk: nobody outside compliance learns of a case, and seals can be opened."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bookrunner.audit import advance_feed, export_history, seal, verify_export, verify_history
from bookrunner.books import compliance
from bookrunner.core.errors import NotAllowed, VersionChanged
from bookrunner.db import Database

Connect = Callable[[str], psycopg.Connection]

OTHERS = ("portal", "subscription", "treasury", "registry", "engine", "reconciliation", "audit", "workflow")
SUSPECT, NOTICED, FILING = "ivr_wexford", "deposits just under a threshold", "31000000000001"
NOTED, OFFICERS = "the employer does not exist", ("officer.ana", "officer.ben")
READABLE = """
select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p', 'v', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')
    and has_schema_privilege(n.oid, 'usage') and has_any_column_privilege(c.oid, 'select')
"""
COLUMNS = """
select string_agg(quote_ident(attname), ', ') from pg_attribute
where attrelid = cast(%s as regclass) and attnum > 0 and not attisdropped
    and has_column_privilege(attrelid, attnum, 'select')
"""


@pytest.fixture
def case(database: Database) -> dict[str, Any]:
    """Return a case that two officers have led to a filed report, as the desk shows it."""
    office = compliance.office(database)
    ana, ben = OFFICERS
    stated = {
        "about_kind": "investor",
        "about_id": SUSPECT,
        "noticed": NOTICED,
        "detected_on": "2026-01-05",
        "suspect_is_known": True,
    }
    office.open_suspicion(actor=ana, case="sus_wexford", stated=stated)
    office.note_suspicion(actor=ana, case="sus_wexford", note=NOTED)
    on = {"case": "sus_wexford", "because": "structured"}
    office.propose_suspicion(actor=ana, **on, outcome="report", seen=1)
    office.second_suspicion(actor=ben, **on, is_agreed=True, seen=2)
    filed = {"reference": FILING, "filed_on": "2026-01-20", "seen": 3}
    office.file_suspicion(actor=ben, case="sus_wexford", **filed)
    advance_feed(database)
    seal(database)
    found: dict[str, Any] = office.read_suspicion(actor=ana, case="sus_wexford")
    return found


def test_no_other_keeper_reads_anything_of_a_case(case: dict[str, Any], connect: Connect) -> None:
    """Each login reads all that it may; a login of compliance itself reads the desk by verbs alone."""
    secrets = ("wexford", NOTICED, NOTED, FILING, "structured", *OFFICERS)
    assert case["status"] == "filed"
    for login in (*OTHERS, "compliance"):
        reader = connect(login)
        tables = [row[0] for row in reader.execute(READABLE.encode()).fetchall()]
        assert tables or login == "workflow"
        for table in tables:
            row = reader.execute(COLUMNS.encode(), [table]).fetchone()
            assert row is not None
            rows = reader.execute(f"select row({row[0]})::text from {table}".encode()).fetchall()  # noqa: S608 - names of the catalog
            told = "\n".join(text for (text,) in rows).lower()
            assert [secret for secret in secrets if secret.lower() in told] == [], (login, table)


def test_the_desk_is_opened_by_no_other_login(case: dict[str, Any], database: Database) -> None:
    assert case["case_id"] == "sus_wexford"
    for login in OTHERS[:-1]:
        queries = compliance.office(database).queries
        with pytest.raises(NotAllowed), database.transaction(login) as transaction:
            queries.read_desk(transaction, actor="usr_curious", request="req_1")


def test_events_of_a_case_say_nothing_but_a_digest(case: dict[str, Any], connect: Connect) -> None:
    rows = (
        connect("treasury")
        .execute(
            "select kind, keeper, actor, scope = subject, request_id = subject, caused_by, canonical"
            " from audit.event"
        )
        .fetchall()
    )
    assert len(rows) == len(case["entries"]) == 5
    assert {row[:6] for row in rows} == {
        ("sealed_entry.sealed", "compliance", "compliance", True, True, None)
    }
    assert {tuple(json.loads(row[6])["payload"]) for row in rows} == {("commitment", "sealed_id", "status")}


def test_an_export_verifies_offline_and_opens_with_the_case(
    case: dict[str, Any], database: Database, tmp_path: Path
) -> None:
    summary = export_history(database, tmp_path / "history.jsonl")
    assert verify_export(summary.path).faults == ()
    assert verify_history(database).faults == ()
    exported = summary.path.read_text(encoding="utf-8")
    for entry in case["entries"]:
        digest = hashlib.sha256(bytes.fromhex(entry["salt"]) + entry["canonical"].encode())
        assert digest.hexdigest() in exported
        assert entry["sealed_id"] in exported
    kinds = [json.loads(entry["canonical"])["kind"] for entry in case["entries"]]
    assert kinds == ["opened", "noted", "proposed", "agreed_to_report", "filed"]
    assert case["broken"] == []


REWRITE = """
set session_replication_role = replica;
alter table compliance.sealed_content disable trigger all;
alter table compliance.sealed_content drop constraint content_opens_its_commitment;
update compliance.sealed_content set canonical = replace(canonical, 'structured', 'harmless')
where entry_no = 3
"""


def test_a_rewritten_entry_is_found(case: dict[str, Any], database: Database, connect: Connect) -> None:
    assert case["broken"] == []
    connect("admin").execute(REWRITE.encode())
    found = compliance.office(database).read_suspicion(actor="officer.ana", case="sus_wexford")
    assert found["broken"] == [3]


@pytest.mark.parametrize(("is_known", "days"), [(True, 30), (False, 60)])
def test_the_clock_runs_from_the_detection(database: Database, is_known: bool, days: int) -> None:
    office = compliance.office(database)
    stated = {
        "about_kind": "wallet",
        "about_id": "0x1",
        "noticed": "mixed coins",
        "detected_on": "2026-01-05",
    }
    office.open_suspicion(actor="officer.ana", case="sus_1", stated={**stated, "suspect_is_known": is_known})
    (row,) = office.read_desk(actor="officer.ana")
    assert date.fromisoformat(row["due_on"]) == date(2026, 1, 5) + timedelta(days=days)
    assert row["is_overdue"]


def test_every_look_is_recorded(case: dict[str, Any], database: Database) -> None:
    office = compliance.office(database)
    office.read_desk(actor="officer.eve")
    office.read_suspicion(actor="officer.eve", case="sus_wexford")
    found = office.read_suspicion(actor="officer.ana", case="sus_wexford")
    assert [view["viewed_by"] for view in found["views"]] == ["officer.ana", "officer.eve", "officer.ana"]
    assert office.read_suspicion(actor="officer.ana", case="sus_unknown") is None
    with pytest.raises(VersionChanged):
        office.propose_suspicion(
            actor="officer.eve", case="sus_wexford", outcome="report", because="x", seen=1
        )
    assert case["views"][0]["viewed_by"] == "officer.ana"


def test_what_a_case_rests_on_is_not_erased_and_no_reason_tells_why(
    case: dict[str, Any], connect: Connect
) -> None:
    reasons = connect("admin").execute("select engine.kept_because(%s)", [SUSPECT]).fetchone()
    assert reasons == (f"identification of customers, 31 CFR 1023.220(a)(3) until {case['keep_until']}",)
