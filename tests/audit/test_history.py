"""Events written by the keepers' own verbs are sealed and proved; attacks on the tables are found."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from threading import Thread

import psycopg
import pytest

from bookrunner.audit import Seal, advance_feed, export_history, seal, verify_export, verify_history
from bookrunner.audit.merkle import FIRST_ROOT
from bookrunner.books import portal
from bookrunner.core.errors import Refused
from bookrunner.db import Database, Keeper, load
from tests.audit.histories import resigned

Connect = Callable[[str], psycopg.Connection]

TERMS = {
    "issuer_id": "iss_1",
    "name": 'Façade "A"\n\t\\ \x7f 🏛',
    "exemption": "506(c)",
    "currency": "USD",
    "unit_price_minor": 100_000,
    "units_total": 1_000,
    "minimum_units": 1,
}


def _offer(database: Database, offering: str) -> None:
    engine = Keeper(database, "engine", "bookrunner.engine")
    engine.open_offer(actor="usr_1", offering=offering, terms=TERMS)


def _sealed(database: Database) -> Seal:
    advance_feed(database)
    made = seal(database)
    assert made is not None
    return made


@pytest.fixture
def history(database: Database) -> Database:
    """Return a database with three chains of two events, two of them sealed, then all three."""
    _offer(database, "ofr_1")
    _offer(database, "ofr_2")
    _sealed(database)
    _offer(database, "ofr_3")
    detail = {
        "legal_name": "Example Ltd",
        "country": "US",
        "address": "1 Main St",
        "tax_id": "123456789",
        "email": "a@example.test",
    }
    opened = {"investor": "inv_1", "account": "acc_1", "kind": "individual", "detail": detail}
    portal.keeper(database).open_profile(actor="usr_2", **opened)
    _sealed(database)
    return database


def _rules(database: Database) -> set[tuple[str, str]]:
    return {(fault.rule, fault.event) for fault in verify_history(database).faults}


def test_seals_follow_each_other_and_nothing_is_sealed_twice(history: Database) -> None:
    assert advance_feed(history) == 0
    assert seal(history) is None
    with history.transaction("audit") as transaction:
        seals = transaction.execute(
            "select prev_root, root, first_seq, last_seq from audit.seal order by seal_no"
        ).fetchall()
    assert [row[0] for row in seals] == [FIRST_ROOT, seals[0][1]]
    assert seals[1][2] == seals[0][3] + 1


def test_what_has_piled_up_is_sealed_in_parts(database: Database) -> None:
    for number in range(5):
        _offer(database, f"ofr_{number}")
    advance_feed(database)
    last = seal(database, at_once=3)
    assert last is not None
    assert (last.seal_no, last.first_seq, last.last_seq) == (5, 13, 15)
    assert seal(database, at_once=3) is None
    assert verify_history(database).ok


def test_two_sealers_at_once_make_one_seal(database: Database) -> None:
    for number in range(5):
        _offer(database, f"ofr_{number}")
    advance_feed(database)
    made: list[Seal | None] = []
    sealers = [Thread(target=lambda: made.append(seal(database))) for _ in range(3)]
    for sealer in sealers:
        sealer.start()
    for sealer in sealers:
        sealer.join()
    assert len([one for one in made if one]) == 1
    assert verify_history(database).ok


def test_live_history_and_export_stand(history: Database, tmp_path: Path) -> None:
    live = verify_history(history)
    assert live.ok, live.faults
    summary = export_history(history, tmp_path)
    assert summary.path == tmp_path / "history.jsonl"
    assert summary.size_bytes == summary.path.stat().st_size
    verdict = verify_export(summary.path)
    assert verdict.ok, verdict.faults
    assert (verdict.events, verdict.seals) == (live.events, live.seals) == (summary.events, summary.seals)
    assert live.seals == 2
    assert b"Example Ltd" not in summary.path.read_bytes()
    assert [path.name for path in tmp_path.iterdir()] == ["history.jsonl"]


def test_an_export_of_one_scope_proves_its_leaves(history: Database, tmp_path: Path) -> None:
    path = export_history(history, tmp_path / "one.jsonl", "ofr_2").path
    lines = path.read_bytes().splitlines(keepends=True)
    records = [json.loads(raw) for raw in lines]
    assert {r["subject"] for r in records if "subject" in r} == {"ofr_2", "trm_2_1"}
    assert b"ofr_1" not in path.read_bytes()
    verdict = verify_export(path)
    assert verdict.ok, verdict.faults
    assert (verdict.events, verdict.seals) == (3, 2)
    leaf = next(raw for raw in lines if json.loads(raw)["type"] == "leaf")
    proof = json.loads(leaf)["proof"]
    assert proof
    other = leaf.replace(proof[0].encode(), b"0" * 64)
    path.write_bytes(resigned([other if raw == leaf else raw for raw in lines[:-1]]))
    assert [fault.rule for fault in verify_export(path).faults] == ["seal_covers_its_leaves"]


def test_a_failed_export_leaves_nothing(history: Database, tmp_path: Path) -> None:
    history.close()
    with pytest.raises(Exception, match="closed"):
        export_history(history, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_audit_login_cannot_change_history(history: Database) -> None:
    for statement in (
        "update audit.event set kind = kind",
        "delete from audit.seal",
        "truncate audit.seal_leaf",
    ):
        with pytest.raises(Refused), history.transaction("audit") as transaction:
            transaction.execute(statement)


_FORGED = "update audit.event set canonical = replace(canonical, 'usr_1', 'usr_9'), actor = 'usr_9'"
_COVERED = ", hash = sha256(prev_hash || convert_to(replace(canonical, 'usr_1', 'usr_9'), 'UTF8'))"
_FIRST = " where subject = 'ofr_1' and version = 1"

ATTACKS = [
    (
        "update audit.event set actor = 'usr_9' where subject = 'ofr_1' and version = 2",
        ("columns_equal_text", "ofr_1@2"),
    ),
    (
        "update audit.event set occurred_at = now() where subject = 'ofr_1' and version = 1",
        ("columns_equal_text", "ofr_1@1"),
    ),
    (
        _FORGED + _FIRST,
        ("hash_covers_text", "ofr_1@1"),
    ),
    (_FORGED + _COVERED + _FIRST, ("chain_is_unbroken", "ofr_1@2")),
    (
        "delete from audit.event where subject = 'ofr_1' and version = 2",
        ("row_shows_its_last_event", "ofr_1@2"),
    ),
    ("delete from audit.event where subject = 'ofr_1'", ("sealed_head_is_present", "ofr_1@2")),
    ("delete from audit.seal_leaf where subject = 'ofr_1'", ("seal_covers_its_leaves", "")),
    ("update audit.seal set root = sha256(root) where seal_no = 1", ("seal_names_the_one_before", "")),
    (
        "delete from audit.seal_leaf where seal_no = 1; delete from audit.seal where seal_no = 1",
        ("seals_are_gap_free", ""),
    ),
    ("delete from engine.offer where offering_id = 'ofr_3'", ("chain_has_its_row", "ofr_3@1")),
    (
        "update engine.offer set chain_head = sha256(chain_head) where offering_id = 'ofr_3'",
        ("row_shows_its_last_event", "ofr_3@2"),
    ),
    ("delete from portal.profile_detail; delete from portal.profile", ("chain_has_its_row", "inv_1@1")),
]


@pytest.mark.parametrize(
    ("attack", "fault"), ATTACKS, ids=lambda value: value[0] if isinstance(value, tuple) else ""
)
def test_an_attack_by_the_administrator_is_found(
    history: Database, connect: Connect, attack: str, fault: tuple[str, str]
) -> None:
    admin = connect("admin")
    for table in (
        "audit.event",
        "audit.seal",
        "audit.seal_leaf",
        "engine.offer",
        "portal.profile",
        "portal.profile_detail",
    ):
        admin.execute(f"alter table {table} disable trigger all")
    admin.execute(attack)
    assert fault in _rules(history)


def test_every_kept_table_is_compared_with_its_chains(connect: Connect) -> None:
    kept = connect("admin").execute(
        "select tgrelid::regclass::text, encode(tgargs, 'escape') from pg_trigger where tgname = 'zz_guard'"
    )
    queries = load("bookrunner.audit")
    compared = 0
    for table, arguments in kept:
        machine, subject, scope, _ = arguments.split("\\000", 3)
        book = table.partition(".")[0]
        lines = getattr(queries, f"broken_heads_of_{book}").sql.splitlines()
        columns = f"'{machine}', {scope}, {subject}, version, chain_head"
        assert any(columns in line and line.endswith(table) for line in lines), table
        assert any(f"'{machine}'" in line for line in lines if columns not in line), table
        compared += 1
    assert compared > 20
