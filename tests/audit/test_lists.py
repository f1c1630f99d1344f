"""Lists as files: what the filter shows, no formula, a manifest, and a timeline that names its gaps."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
import zipfile
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from bookrunner.app import Application
from bookrunner.app.examination.tables import as_csv
from bookrunner.app.lists import LISTS, Filter, export, listed
from bookrunner.app.lists.sheets import Sheet
from bookrunner.audit import advance_feed
from bookrunner.audit.record import look_at
from bookrunner.core import clock
from bookrunner.core.errors import Refused, UnknownRecord
from bookrunner.db import DatabaseFault
from tests.attack.world import Connect
from tests.reconciliation.conftest import Books

NOW = datetime(2026, 3, 31, 17, tzinfo=UTC)
EVIL = ("=1+1", "+1", "-1+2", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=HYPERLINK("http://x.test")')


@pytest.fixture
def books(application: Application, connect: Connect) -> Books:
    made = Books(connect)
    made.build("registered")
    application.comparing.without_chain(made.offering, actor="recon.rita")
    advance_feed(application.database)
    return made


def taken(application: Application, name: str, by: Filter) -> dict[str, bytes]:
    room = io.BytesIO()
    export(application.database, name, by, room, actor="auditor.ada")
    return opened(room.getvalue())


def workbook(path: Path, rows: Sequence[Mapping[str, object]]) -> bytes:
    sheet = Sheet(path, list(rows[0]), NOW)
    try:
        for row in rows:
            sheet.add(row)
    finally:
        sheet.close()
    return path.read_bytes()


def opened(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


@pytest.mark.parametrize("name", sorted(LISTS))
def test_every_list_comes_with_both_files_and_a_manifest(
    books: Books, application: Application, name: str
) -> None:
    by = Filter(offering=books.offering, person=books.id("ivr", 1) if name == "timeline" else None)
    files = taken(application, name, by)
    manifest = json.loads(files.pop("manifest.json"))
    found = listed(application.database, name, by)
    assert manifest["filter"]["offering"] == books.offering
    assert (manifest["rows"], manifest["taken_by"]) == (len(found.rows), "auditor.ada")
    for one in manifest["files"]:
        content = files.pop(one["path"])
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (one["sha256"], one["bytes"])
        if one["path"].endswith(".csv"):
            assert len(list(csv.DictReader(io.StringIO(content.decode(), newline="")))) == len(found.rows)
    assert files == {}


def test_a_filter_leaves_out_what_it_does_not_name(books: Books, application: Application) -> None:
    def ids(name: str, column: str, **by: str | datetime) -> list[str]:
        return [row[column] for row in listed(application.database, name, Filter(**by)).rows]  # type: ignore[arg-type]

    one, mine = books.id("ivr", 1), books.id("inv", 1)
    assert ids("investments", "investment_id", person=one) == [mine]
    assert ids("investments", "investment_id", status="new") == []
    assert len(ids("holdings", "holding_id", offering=books.offering)) == 3
    assert ids("holdings", "investor_id", person=one) == [one]
    assert ids("receipts", "investor_id", person=one) == [one]
    assert ids("holdings", "holding_id", offering="ofr_none") == []
    assert ids("events", "seq", until=NOW.replace(year=2001)) == []
    assert set(ids("events", "scope", offering=books.offering)) == {books.offering}
    assert set(ids("events", "kind", offering=books.offering, status="published")) == {"offer.published"}


def test_a_text_is_never_a_formula(tmp_path: Path) -> None:
    rows = [{"name": text, "units": -5, "big": 10**18, "at": NOW, "is_so": True} for text in EVIL]
    for cell in (row["name"] for row in csv.DictReader(io.StringIO(as_csv(rows).decode(), newline=""))):
        assert cell.startswith("'")
    book = workbook(tmp_path / "list.xlsx", rows)
    files = opened(book)
    sheet = files["xl/worksheets/sheet1.xml"].decode()
    assert "<f>" not in sheet
    assert not re.search(r"hyperlink", sheet)
    assert sheet.count("<v>-5</v>") == len(EVIL)
    assert "1E+18" not in sheet
    assert "1000000000000000000" in sheet
    assert workbook(tmp_path / "again.xlsx", rows) == book


def test_what_fits_no_sheet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="list_fits_a_sheet"):
        workbook(tmp_path / "list.xlsx", [{"name": "x" * 40_000}])


def test_who_takes_a_list_is_on_record_before_it_is_read(
    books: Books, application: Application, connect: Connect
) -> None:
    one = books.id("ivr", 1)
    taken(application, "investments", Filter(person=one))
    taken(application, "holdings", Filter(offering=books.offering, until=NOW))
    log = listed(application.database, "accesses", Filter(person=one)).rows
    assert [(row["kind"], row["viewed_by"], row["person_id"], row["about"]) for row in log] == [
        ("list", "auditor.ada", one, "investments"),
        ("list", "auditor.ada", None, f"holdings {books.offering} to 2026-03-31T17:00:00.000000Z"),
    ]
    admin = connect("admin")
    admin.execute("alter view registry.holding_fact rename to gone")
    with pytest.raises(DatabaseFault):
        taken(application, "holdings", Filter())
    admin.execute("alter view registry.gone rename to holding_fact")
    assert admin.execute("select count(*) from audit.list_export").fetchone() == (3,)


@pytest.mark.parametrize(
    ("login", "attack", "code"),
    [
        ("audit", "insert into audit.list_export values ('x', 'taken', 'events')", "42501"),
        ("audit", "delete from audit.list_export", "42501"),
        ("engine", "select audit.take_list('u', 'r', 'x', 'events', null, null, null, null, null)", "42501"),
        ("owner", "delete from audit.list_export", "BR003"),
    ],
)
def test_what_was_taken_stands(
    application: Application, connect: Connect, *, login: str, attack: str, code: str
) -> None:
    taken(application, "events", Filter())
    with pytest.raises(psycopg.Error) as refused:
        connect(login).execute(attack.encode())
    assert refused.value.sqlstate == code


def test_a_list_that_is_unknown_or_of_nobody_is_refused(application: Application) -> None:
    with pytest.raises(UnknownRecord, match="list_is_known"):
        listed(application.database, "packed", Filter())
    with pytest.raises(Refused, match="timeline_is_of_a_person"):
        listed(application.database, "timeline", Filter())


def test_a_timeline_has_the_five_books_and_names_a_gap(
    books: Books, application: Application, connect: Connect
) -> None:
    one, two = books.id("ivr", 1), books.id("ivr", 2)
    found = listed(application.database, "timeline", Filter(person=one))
    assert {"portal", "compliance", "subscription", "treasury", "registry"} <= {
        row["keeper"] for row in found.rows
    }
    seqs = [row["seq"] for row in found.rows]
    assert seqs == sorted(seqs)
    assert found.gaps == []
    others = {row["subject"] for row in listed(application.database, "timeline", Filter(person=two)).rows}
    assert books.id("inv", 1) not in others
    admin, mine = connect("admin"), books.id("inv", 1)
    with admin.transaction():
        admin.execute("alter table audit.event disable trigger user")
        admin.execute("alter table audit.feed disable trigger user")
        for table in ("feed", "event"):
            admin.execute(f"delete from audit.{table} where subject = %s and version = 2".encode(), [mine])  # noqa: S608
    broken = listed(application.database, "timeline", Filter(person=one))
    for by in (Filter(person=one, status="none"), Filter(person=one, since=clock.now())):
        assert listed(application.database, "timeline", by).gaps == broken.gaps, "a filter hides no gap"
    assert broken.gaps == [f"{mine}: 2 to 2"]
    assert len(broken.rows) == len(found.rows) - 1
    manifest = json.loads(taken(application, "timeline", Filter(person=one))["manifest.json"])
    assert manifest["gaps"] == [f"{mine}: 2 to 2"]


def test_a_damaged_event_takes_down_no_proof(
    books: Books, application: Application, connect: Connect
) -> None:
    one, agreement = books.id("ivr", 1), books.id("agr", 1)
    look_at(application.database, agreement, actor="auditor.ada", purpose="a question")
    whole = listed(application.database, "timeline", Filter(person=one))
    admin = connect("admin")
    with admin.transaction():
        admin.execute("alter table audit.event disable trigger user")
        admin.execute(
            "update audit.event set canonical = left(canonical, 20) where subject = %s", [agreement]
        )
    for person in (None, one):
        listed(application.database, "accesses", Filter(person=person))
    (row,) = listed(application.database, "accesses", Filter()).rows
    assert (row["about"], row["viewed_by"]) == (agreement, "auditor.ada")
    found = listed(application.database, "timeline", Filter(person=one))
    assert 0 < len(found.rows) <= len(whole.rows)
    shown = look_at(application.database, agreement, actor="auditor.ada", purpose="a question")
    assert shown.versions[0].changed == {}


@pytest.mark.parametrize("is_in_the_feed", [True, False])
@pytest.mark.parametrize(("record", "first"), [("inv", 3), ("rcp", 1)], ids=["the last", "the whole record"])
def test_events_that_are_gone_from_the_end_are_a_gap(
    books: Books, connect: Connect, record: str, first: int, *, is_in_the_feed: bool, application: Application
) -> None:
    name, admin = books.id(record, 1), connect("admin")
    (last,) = admin.execute("select max(version) from audit.event where subject = %s", [name]).fetchone() or (
        0,
    )
    with admin.transaction():
        for table in ("event",) if is_in_the_feed else ("event", "feed"):
            admin.execute(f"alter table audit.{table} disable trigger user".encode())
            admin.execute(
                f"delete from audit.{table} where subject = %s and version >= %s".encode(),  # noqa: S608
                [name, first],
            )
    found = listed(application.database, "timeline", Filter(person=books.id("ivr", 1)))
    assert found.gaps == [f"{name}: {first} to {last}"]


def test_a_page_reads_no_more_than_it_shows_and_free_words_stay_out(
    books: Books, application: Application
) -> None:
    assert len(listed(application.database, "events", Filter(), 3).rows) == 3
    look_at(application.database, books.id("agr", 1), actor="auditor.ada", purpose="about Ada Example")
    for name in sorted(set(LISTS) - {"timeline"}):
        for row in listed(application.database, name, Filter()).rows:
            assert not {"answer", "accepted_because", "purpose"} & set(row), name
