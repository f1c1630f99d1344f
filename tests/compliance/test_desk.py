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
from bookrunner.books import compliance, portal
from bookrunner.core.errors import NotAllowed, Refused, VersionChanged
from bookrunner.db import Database
from tests.attack.world import DETAIL

Connect = Callable[[str], psycopg.Connection]

OTHERS = ("portal", "subscription", "treasury", "registry", "engine", "reconciliation", "audit", "workflow")
SUSPECT, NOTICED, FILING = "ivr_wexford", "deposits just under a threshold", "31000000000001"
NOTED, OFFICERS = "the employer does not exist", ("officer.ana", "officer.ben")
OTHER = "ivr_yarrow"
PROFILE = DETAIL | {
    "legal_name": "Harbor LLC",
    "address": "7 Pier Road",
    "tax_id": "900001234",
    "email": "desk@example.test",
    "representative": "Eve Example",
}
LISTED = """
select compliance.import_list('r', 'r', 'us.ofac.sdn', '1', sha256('l'), date '2026-03-01', 10, 'reader.1'),
    compliance.activate_list('reader', 'r', 'us.ofac.sdn', '1', null)
"""
AUTHORITY = """{"account": "acc_wren", "scope": ["sign"], "document_sha256": "00"}"""
VERIFIED = """
insert into compliance.identity_snapshot (investor_id, snapshot_no, verified_digest, method, elements,
    evidence_sha256, verified_by) values (%s, 1, sha256('d'), 'provider', '{}', sha256('e'), 'officer.one')
"""
KEPT = "a rule keeps the record"
ENDED = """
select compliance.decide_under('ana', 'r', compliance.programme_in_force()),
    compliance.end_owner('ana', 'r', o.investor_id, o.owner_id, o.version, 'sold')
from compliance.beneficial_owner o
"""
BEHIND = (
    f"select compliance.open_case('ana', 'r', '{SUSPECT}', 'kyc_1', 'entity', 'llc')",
    f"select compliance.declare_owner('ana', 'r', '{SUSPECT}', 'own_wren', 6000, true, true)",
    f"select compliance.record_party('ana', 'r', '{SUSPECT}', 'pty_wren', 'representative', '{AUTHORITY}')",
    LISTED,
    "select compliance.record_screening('ana', 'r', 'own_wren', 'scr_1', '1', 'sdn-1')",
)
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


def profile(database: Database, investor: str) -> None:
    """Open a profile, the only place from which an investor is known."""
    given = {"account": "acc_1", "kind": "entity", "detail": PROFILE}
    portal.keeper(database).open_profile(actor="usr_1", investor=investor, **given)


def entities(database: Database, connect: Connect) -> None:
    """Open two entities; behind the first stand an owner with a hit, and a party."""
    for investor in (SUSPECT, OTHER):
        profile(database, investor)
    for statement in BEHIND:
        connect("compliance").execute(statement.encode())


def opened(database: Database, **stated: object) -> None:
    """Open a case with what is stated of it."""
    known = {"noticed": NOTICED, "detected_on": "2026-01-05", "suspect_is_known": True}
    compliance.office(database).open_suspicion(actor="officer.ana", case="sus_1", stated=known | stated)


@pytest.fixture
def case(database: Database) -> dict[str, Any]:
    """Return a case that two officers have led to a filed report, as the desk shows it."""
    office = compliance.office(database)
    ana, ben = OFFICERS
    stated = {
        "about_kind": "payment",
        "about_id": "pay_wexford",
        "of_nobody": True,
        "noticed": NOTICED,
        "detected_on": "2026-01-05",
        "suspect_is_known": True,
    }
    office.open_suspicion(actor=ana, case="sus_wexford", stated=stated)
    office.note_suspicion(actor=ana, case="sus_wexford", note=NOTED)
    on = {"case": "sus_wexford", "because": "structured"}
    office.propose_suspicion(actor=ana, **on, outcome="report", seen=2)
    office.second_suspicion(actor=ben, **on, is_agreed=True, seen=3)
    filed = {"reference": FILING, "filed_on": "2026-01-20", "seen": 4}
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


TAMPERED = """
set session_replication_role = replica;
alter table compliance.sealed_content disable trigger all;
alter table compliance.suspicion disable trigger all;
"""


def test_a_removed_tail_and_a_rewritten_case_are_found(
    case: dict[str, Any], database: Database, connect: Connect
) -> None:
    office, looked = compliance.office(database), {"actor": "officer.ana", "case": "sus_wexford"}
    office.note_suspicion(**looked, note="the acknowledgement came")
    found = office.read_suspicion(**looked)
    assert (found["broken"], found["is_as_sealed"], len(found["entries"])) == ([], True, 6)
    admin = connect("admin")
    admin.execute(TAMPERED.encode())
    admin.execute("update compliance.suspicion set because = 'harmless'")
    assert not office.read_suspicion(**looked)["is_as_sealed"]
    admin.execute("update compliance.suspicion set because = 'structured'")
    admin.execute("delete from compliance.sealed_content where entry_no = 6")
    found = office.read_suspicion(**looked)
    assert (found["broken"], found["is_as_sealed"]) == ([5], True)
    admin.execute("delete from compliance.sealed_content")
    assert office.read_suspicion(**looked)["broken"] == [0]
    assert case["is_as_sealed"]


def test_nobody_decides_on_what_was_there_before_a_note(database: Database) -> None:
    office, (ana, ben) = compliance.office(database), OFFICERS
    profile(database, SUSPECT)
    opened(database, about_kind="investor", about_id=SUSPECT)
    on = {"case": "sus_1", "because": "structured"}
    office.propose_suspicion(actor=ana, **on, outcome="report", seen=1)
    office.note_suspicion(actor=ana, case="sus_1", note="an inheritance, by the probate record")
    with pytest.raises(VersionChanged, match="at version 3"):
        office.second_suspicion(actor=ben, **on, is_agreed=True, seen=2)
    office.second_suspicion(actor=ben, **on, is_agreed=False, seen=3)


@pytest.mark.parametrize(("is_known", "days"), [(True, 30), (False, 60)])
def test_the_clock_runs_from_the_detection(database: Database, is_known: bool, days: int) -> None:
    office = compliance.office(database)
    stated = {
        "about_kind": "wallet",
        "about_id": "0x1",
        "noticed": "mixed coins",
        "detected_on": "2026-01-05",
        "of_nobody": True,
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
    database: Database, connect: Connect
) -> None:
    profile(database, SUSPECT)
    profile(database, OTHER)
    opened(database, about_kind="investor", about_id=SUSPECT)
    admin = connect("admin")
    assert kept(admin, OTHER) is None
    admin.execute(VERIFIED.encode(), [OTHER])
    assert kept(admin, SUSPECT) == kept(admin, OTHER) == KEPT
    admin.execute(VERIFIED.encode(), [SUSPECT])
    assert kept(admin, SUSPECT) == KEPT


@pytest.mark.parametrize(
    ("stated", "whom"),
    [
        ({"about_kind": "investor", "about_id": SUSPECT, "investor": OTHER}, [SUSPECT]),
        ({"about_kind": "owner", "about_id": "own_wren"}, ["own_wren", SUSPECT]),
        ({"about_kind": "party", "about_id": "pty_wren"}, ["pty_wren", SUSPECT]),
        ({"about_kind": "hit", "about_id": "of the owner"}, ["own_wren", SUSPECT]),
        ({"about_kind": "payment", "about_id": "pay_1", "investor": SUSPECT}, [SUSPECT]),
        ({"about_kind": "wallet", "about_id": "0x1", "of_nobody": True}, []),
    ],
)
def test_whoever_a_case_is_about_is_kept(
    database: Database, connect: Connect, stated: dict[str, object], whom: list[str]
) -> None:
    entities(database, connect)
    admin = connect("admin")
    row = admin.execute("select hit_id from compliance.hit").fetchone()
    assert row is not None
    about = row[0] if stated["about_kind"] == "hit" else stated["about_id"]
    opened(database, **stated | {"about_id": about})
    found = admin.execute("select investor_id from compliance.retention_fact order by 1").fetchall()
    assert [name for (name,) in found] == sorted(whom)
    connect("compliance").execute(ENDED.encode())
    for name in whom:
        assert KEPT in str(kept(admin, name))


@pytest.mark.parametrize(
    ("rule", "stated"),
    [
        ("suspicion_names_a_known_investor", {"about_kind": "investor", "about_id": "ivr_wexfrod"}),
        ("suspicion_names_a_known_investor", {"about_kind": "payment", "investor": "ivr_wexfrod"}),
        ("suspicion_names_a_known_investor", {"about_kind": "owner", "investor": "ivr_wexfrod"}),
        ("suspicion_names_a_known_record", {"about_kind": "owner", "about_id": "own_wern"}),
        ("suspicion_names_a_known_record", {"about_kind": "party", "about_id": "own_wren"}),
        ("suspicion_names_a_known_record", {"about_kind": "hit", "about_id": "own_wren"}),
        ("suspicion_says_whom_it_concerns", {"about_kind": "wallet"}),
        ("suspicion_says_whom_it_concerns", {"about_kind": "payment", "of_nobody": False}),
    ],
)
def test_a_case_that_would_keep_nobody_is_refused(
    database: Database, connect: Connect, rule: str, stated: dict[str, object]
) -> None:
    entities(database, connect)
    with pytest.raises(Refused, match=rule):
        opened(database, **{"about_id": "own_wren"} | stated)


def kept(admin: psycopg.Connection, investor: str) -> str | None:
    """Return why an investor is kept."""
    row = admin.execute("select engine.kept_because(%s)", [investor]).fetchone()
    assert row is not None
    reason: str | None = row[0]
    return reason
