"""A bundle for examiners: each file against the manifest, the verifier alone, the record of taking it."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
import zipfile
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import psycopg
import pytest
from pypdf import PdfReader

from bookrunner.adapters.documents import Typesetter
from bookrunner.adapters.documents.typesetter import Printed, Sheet
from bookrunner.app import Application
from bookrunner.app.examination import Asked, Bundle, examine
from bookrunner.app.examination.tables import Past, as_csv, as_json
from bookrunner.app.records import look
from bookrunner.audit import FileUnusable, verify_history
from bookrunner.cli.proof.records import moment_of
from bookrunner.core import clock
from bookrunner.core.errors import Refused
from bookrunner.db import Keeper
from tests.attack.world import Connect
from tests.pages.officers import PERSON
from tests.pages.world import World
from tests.servicing.paying import POOL, payer, pool
from tests.stages import Built

TABLES = ("register/holding", "control_book/control_book", "screening/screening", "compliance/clearance")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


def asked(purpose: str = "examination 7", *, until: datetime | None = None) -> Asked:
    """Ask for everything up to a moment."""
    return Asked(LONG_AGO, until or clock.now() + timedelta(days=1), "usr_aud", purpose)


@pytest.fixture
def stocked(application: Application, worked: Built) -> Application:  # noqa: ARG001 - what the copy is of
    """Return the application over investors at each stage, with an officer's work."""
    return application


def taken(application: Application, target: Path, **how: Any) -> Bundle:  # noqa: ANN401
    """Take a bundle."""
    return examine(application.database, application.press, asked(**how), target)


def test_every_file_is_in_the_manifest_and_the_verifier_runs_alone(
    stocked: Application, tmp_path: Path
) -> None:
    folder = tmp_path / "bundle"
    made = taken(stocked, folder)
    raw = (folder / "manifest.json").read_bytes()
    assert hashlib.sha256(raw).hexdigest() == made.manifest_sha256
    manifest = json.loads(raw)
    assert manifest["as_of"] <= manifest["made_at"] < manifest["until"]
    listed = {one["path"]: one for one in manifest["files"]}
    there = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert there - {"manifest.json", "SHA256SUMS"} == set(listed)
    for path, one in listed.items():
        content = (folder / path).read_bytes()
        assert (hashlib.sha256(content).hexdigest(), len(content)) == (one["sha256"], one["bytes"])
    checked = subprocess.run(["sha256sum", "-c", "--quiet", "SHA256SUMS"], cwd=folder, check=False)  # noqa: S607
    assert checked.returncode == 0
    alone = [sys.executable, "-I", "verify_history.py", "history.jsonl", manifest["root"]]
    verified = subprocess.run(alone, cwd=folder, check=False, capture_output=True, text=True, env={})
    assert verified.returncode == 0, verified.stdout + verified.stderr
    for name in TABLES:
        rows = json.loads((folder / f"{name}.json").read_bytes())
        with (folder / f"{name}.csv").open(newline="", encoding="utf-8") as file:
            assert len(list(csv.DictReader(file))) == len(rows) == listed[f"{name}.csv"]["rows"], name
    assert json.loads((folder / "screening/screening.json").read_bytes())[0]["list_version"]
    people = {row["investor"]: row for row in json.loads((folder / "people/profiles.json").read_bytes())}
    assert people[PERSON]["legal_name"]
    assert "tax_id" not in people[PERSON]
    files = json.loads((folder / "documents/agreements.json").read_bytes())
    assert files
    assert all(row["lacks"] or (folder / row["path"]).is_file() for row in files)


def test_one_altered_byte_is_found(stocked: Application, tmp_path: Path) -> None:
    folder = tmp_path / "bundle"
    taken(stocked, folder)
    table = folder / "compliance/clearance.csv"
    table.write_bytes(table.read_bytes()[:-2] + b"X\n")
    checked = subprocess.run(
        ["sha256sum", "-c", "SHA256SUMS"],  # noqa: S607
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    assert checked.returncode == 1
    assert "compliance/clearance.csv: FAILED" in checked.stdout


def test_the_index_is_for_people_and_names_each_file(stocked: Application, tmp_path: Path) -> None:
    target = tmp_path / "bundle.zip"
    made = taken(stocked, target)
    with zipfile.ZipFile(target) as packed:
        manifest = json.loads(packed.read("manifest.json"))
        text = " ".join(page.extract_text() for page in PdfReader(BytesIO(packed.read("index.pdf"))).pages)
    squeezed = "".join(text.split())
    for one in manifest["files"]:
        if one["path"] != "index.pdf":
            assert one["path"].replace(" ", "") in squeezed, one["path"]
            assert one["sha256"] in squeezed
    assert made.examination in squeezed
    with pytest.raises(FileUnusable):
        taken(stocked, target)


def test_taking_it_is_on_record_and_in_the_access_log_of_everybody(
    stocked: Application, tmp_path: Path, connect: Connect
) -> None:
    made = taken(stocked, tmp_path / "bundle.zip")
    kinds = connect("owner").execute(
        "select kind, actor from audit.event where subject = %s order by version", [made.examination]
    )
    assert kinds.fetchall() == [("examination.begun", "usr_aud"), ("examination.taken", "usr_aud")]
    keeper = Keeper(stocked.database, "audit", "bookrunner.audit.record")
    log = keeper.accesses(person=PERSON, since=None, until=None, most=100)
    assert {(row["kind"], row["viewed_by"], row["purpose"]) for row in log} >= {
        ("examination", "usr_aud", "examination 7"),
        ("profile", "usr_aud", "examination 7"),
    }
    assert {row["person_id"] for row in log} == {PERSON, None}
    (row,) = keeper.examinations()
    assert (row["status"], row["files"], row["manifest_sha256"].hex()) == (
        "taken",
        made.files,
        made.manifest_sha256,
    )
    assert verify_history(stocked.database).ok


def test_the_ledger_is_in_it_with_each_leg(stocked: Application, tmp_path: Path, connect: Connect) -> None:
    taken(stocked, tmp_path / "bundle")
    lines = json.loads((tmp_path / "bundle/treasury/ledger_entries.json").read_bytes())
    (count,) = connect("owner").execute("select count(*) from treasury.entry").fetchone() or (0,)
    assert len(lines) == count > 0
    sums = {"debit": 0, "credit": 0}
    for line in lines:
        sums[line["side"]] += int(line["amount_minor"])
    assert sums["debit"] == sums["credit"]


def test_a_distribution_is_in_it_with_its_parts(
    application: Application, tmp_path: Path, connect: Connect
) -> None:
    world, runs = payer(connect, application.database)
    name = runs.draft(world.offering, pool(POOL, [("roof", 100_00)]), actor="usr_first")
    taken(application, tmp_path / "bundle")

    def read(part: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(
            (tmp_path / f"bundle/distributions/{part}.json").read_bytes()
        )
        return found

    assert [(row["record"], row["status"]) for row in read("distribution")] == [(name, "draft")]
    assert [(row["name"], row["amount_minor"]) for row in read("distribution_reserves")] == [("roof", 100_00)]
    assert [(row["kind"], row["holders_minor"]) for row in read("distribution_tiers")] == [
        ("split", POOL - 100_00)
    ]
    lines = read("distribution_lines")
    assert {row["investor_id"] for row in lines} == {world.id("ivr", n) for n in world.numbers}
    assert sum(row["gross_minor"] for row in lines) == POOL - 100_00
    assert verify_history(application.database).ok


class Torn(Typesetter):
    """A press that fails when everything else was written."""

    def typeset(self, sheet: Sheet) -> Printed:
        """Fail as a press does whose process is gone."""
        raise OSError(5, "the press is gone", str(sheet))


@pytest.mark.parametrize("name", ["bundle", "bundle.zip"])
def test_a_bundle_that_fails_leaves_nothing_in_clear(stocked: Application, tmp_path: Path, name: str) -> None:
    press = Torn()
    with pytest.raises(FileUnusable):
        examine(stocked.database, press, asked(), tmp_path / "out" / name)
    press.close()
    assert [each.name for each in (tmp_path / "out").iterdir()] == []
    (row,) = Keeper(stocked.database, "audit", "bookrunner.audit.record").examinations()
    assert row["status"] == "begun"


class Meanwhile(Typesetter):
    """A press beside which somebody else writes a file."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def typeset(self, sheet: Sheet) -> Printed:
        """Let the other file appear; then print."""
        self._path.parent.mkdir(exist_ok=True)
        self._path.write_text("another's", encoding="utf-8")
        return super().typeset(sheet)


@pytest.mark.parametrize("other", ["bundle/there", "bundle.zip"])
def test_what_came_to_stand_at_the_target_stays_and_nothing_was_taken(
    stocked: Application, tmp_path: Path, other: str
) -> None:
    out = tmp_path / "out"
    out.mkdir()
    press = Meanwhile(out / other)
    with pytest.raises(FileUnusable):
        examine(stocked.database, press, asked(), out / other.partition("/")[0])
    press.close()
    assert (out / other).read_text("utf-8") == "another's"
    assert [each.name for each in out.iterdir()] == [other.partition("/")[0]]
    (row,) = Keeper(stocked.database, "audit", "bookrunner.audit.record").examinations()
    assert row["status"] == "begun"


def test_what_a_record_says_is_no_head_of_its_line(tmp_path: Path) -> None:
    payload = {"machine": "payment", "record": "x", "last_actor": "y", "units": 3}
    event = {
        "scope": "ofr_1",
        "subject": "inv_1",
        "version": 1,
        "kind": "investment.opened",
        "keeper": "engine",
        "actor": "usr_1",
        "request_id": "req_1",
        "caused_by": None,
        "occurred_at": "2026-01-01T00:00:00Z",
        "recorded_at": "2026-01-01T00:00:00Z",
        "payload": payload,
    }
    history = tmp_path / "history.jsonl"
    history.write_text(json.dumps({"type": "event", "canonical": json.dumps(event)}) + "\n", encoding="utf-8")
    past = Past(history, LONG_AGO, clock.now())
    (line,) = past.records["investment"]
    assert (line["record"], line["last_actor"], line["units"]) == ("inv_1", "usr_1", 3)
    assert (line["said_machine"], line["said_record"], line["said_last_actor"]) == ("payment", "x", "y")


def test_a_look_at_a_record_of_an_offer_concerns_its_investor_or_nobody(
    stocked: Application, connect: Connect
) -> None:
    (investment,) = connect("owner").execute(
        "select investment_id from engine.investment where investor_id = %s", [PERSON]
    ).fetchone() or ("",)
    for record in ("ofr_pages", investment, PERSON):
        look(stocked.database, record, clock.now(), actor="usr_aud", purpose="a question")
    log = Keeper(stocked.database, "audit", "bookrunner.audit.record").accesses(
        person=None, since=None, until=None, most=100
    )
    whose = {
        row["about"]: (row["person_id"], row["is_of_everybody"]) for row in log if row["kind"] == "record"
    }
    assert whose["ofr_pages"] == (None, False)
    assert whose[investment] == (PERSON, False)
    assert {person for person, _ in whose.values()} == {None, PERSON}


def test_a_period_of_days_ends_as_on_the_page() -> None:
    assert moment_of("2026-03-31") == datetime(2026, 4, 1, tzinfo=UTC)
    assert moment_of("2026-03-31", is_begin=True) == datetime(2026, 3, 31, tzinfo=UTC)
    assert moment_of("2026-03-31T17:00") == datetime(2026, 3, 31, 17, tzinfo=UTC)


def test_a_bundle_of_a_past_moment_says_what_was_known_then(stocked: Application, tmp_path: Path) -> None:
    now = clock.now()
    offer = World(stocked, ())
    offer.engine.move_offer(actor="usr_x", offering="ofr_pages", status="legally_closed")
    for name, until, status in (("then", now, "published"), ("now", None, "legally_closed")):
        folder = tmp_path / name
        taken(stocked, folder, until=until)
        told = [json.loads(line) for line in (folder / "history.jsonl").read_text("utf-8").splitlines()]
        assert told[-1]["type"] == "manifest"
        (row,) = json.loads((folder / "offers/offer.json").read_bytes())
        assert (row["record"], row["status"]) == ("ofr_pages", status)
        begun = json.loads((folder / "access/examination.json").read_bytes())
        assert (begun == []) == (name == "then")


def test_what_is_asked_wrongly_is_refused_and_nothing_is_read(
    stocked: Application, tmp_path: Path, connect: Connect
) -> None:
    with pytest.raises(Refused, match="examination_says_its_purpose"):
        taken(stocked, tmp_path / "a.zip", purpose=" ")
    with pytest.raises(Refused, match="examined_period_ends_after_its_begin"):
        taken(stocked, tmp_path / "a.zip", until=LONG_AGO)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "there").touch()
    with pytest.raises(FileUnusable):
        taken(stocked, tmp_path / "full")
    assert list(tmp_path.glob("*.zip")) == []
    assert connect("owner").execute("select count(*) from audit.examination").fetchone() == (0,)
    assert connect("owner").execute("select count(*) from portal.personal_view").fetchone() == (0,)


ATTACKS = [
    (
        "engine",
        "select audit.begin_examination('u', 'r', 'x', now() - interval '1 day', now(), 'p')",
        "42501",
    ),
    ("audit", "insert into audit.examination values ('x')", "42501"),
    ("audit", "select audit.begin_examination('u', '', 'x', now() - interval '1 day', now(), 'p')", "BR001"),
    ("audit", "select audit.end_examination('other', 'r', 'exm_1', sha256(''), 1)", "BR404"),
    ("audit", "select audit.end_examination('u', 'r', 'exm_1', '\\x00', 1)", "23514"),
    ("owner", "delete from audit.examination", "BR003"),
    ("portal", "select * from audit.access_entry", "42501"),
]


@pytest.mark.parametrize(("login", "attack", "code"), ATTACKS)
def test_examinations_stand(connect: Connect, login: str, attack: str, code: str) -> None:
    begun = "select audit.begin_examination('u', 'r', 'exm_1', now() - interval '1 day', now(), 'p')"
    connect("audit").execute(begun.encode())
    with pytest.raises(psycopg.Error) as caught:
        connect(login).execute(attack.encode())
    assert caught.value.sqlstate == code


def test_no_cell_is_a_formula_and_numbers_stay_numbers() -> None:
    lines = [
        {"a": "=1+1", "b": "-5", "c": "@SUM(A1)"},
        {"a": "+cmd|' /C calc'!A0", "b": -7, "c": "-2+3", "d": ["x"]},
        {"a": "\tx", "b": 12345678901234567890, "c": None},
    ]
    rows = list(csv.reader(as_csv(lines).decode().splitlines()))
    assert rows[0] == ["a", "b", "c", "d"]
    assert rows[1] == ["'=1+1", "-5", "'@SUM(A1)", ""]
    assert rows[2] == ["'+cmd|' /C calc'!A0", "-7", "'-2+3", '["x"]']
    assert rows[3] == ["'\tx", "12345678901234567890", "", ""]
    assert json.loads(as_json(lines))[0]["a"] == "=1+1"
