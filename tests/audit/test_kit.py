"""The kit to leave with: taken, altered, refused, and an empty installation rebuilt from it that is equal."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path

import psycopg
import pytest

from bookrunner.adapters.captable import read_package
from bookrunner.adapters.documents import Typesetter
from bookrunner.adapters.documents.typesetter import Printed, Sheet
from bookrunner.app import Application
from bookrunner.app.examination import Bundle, compare_kit, open_kit, rebuild, take_kit
from bookrunner.books import portal, registry
from bookrunner.core.errors import NotFound, Refused
from bookrunner.db import Database, Endpoint, Keeper
from tests.copies import fresh
from tests.pages.world import OFFERING
from tests.stages import Built

ACTOR, SECOND = "usr_old", "usr_new"
DESCRIBED = registry.Described("Example Issuer Inc.", date(2020, 3, 2), "US")
LOTS = """security,investor,units,legend,acquired_on,period_from
one,ivr_0001,40,Rule 144,2026-01-02,2026-01-02
two,ivr_0001,2,,2026-02-03,2026-01-02
three,ivr_0003,58,Rule 144,2026-01-02,2026-01-02
"""
PAPER = {"authority_sha256": "0b" * 32, "reference": "letter of the issuer"}

Change = Callable[[dict[str, bytes]], None]


@pytest.fixture
def stocked(application: Application, built: Built) -> Application:  # noqa: ARG001 - what the copy is of
    """Return an installation in which two investors hold three lots of an offer."""
    keeper, on = application.desk.registry, {"offering": OFFERING}
    keeper.open_control_book(
        actor=ACTOR, **on, control="ctl_one", authorised_units=500, authority_sha256=b"\x0c" * 32
    )
    said = {"file_sha256": "0a" * 32, **PAPER}
    proposed = registry.propose_import(keeper, (OFFERING, ACTOR), registry.judge_csv(LOTS), said)
    keeper.decide_import(actor=SECOND, **on, import_id=proposed, is_approved=True, because="")
    return application


@pytest.fixture
def taken(stocked: Application, tmp_path: Path) -> Bundle:
    """Take the kit of such an installation."""
    application = stocked
    return take_kit(
        application.database,
        application.press,
        (ACTOR, "the contract ends"),
        tmp_path / "kit.zip",
        issuers=issuers(application),
    )


@pytest.fixture
def empty(template: Endpoint) -> Iterator[Database]:
    """Return an installation in which nothing ever happened."""
    with fresh(template) as endpoint:
        database = Database(endpoint, max_size=2)
        yield database
        database.close()


def issuers(application: Application) -> dict[str, registry.Described]:
    return {row["issuer_id"]: DESCRIBED for row in application.desk.engine.offers()}


def altered(made: Bundle, change: Change) -> tuple[Path, str]:
    """Return a kit with other files, whose manifest was written anew for them, and the SHA-256 of that."""
    with zipfile.ZipFile(made.path) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    change(files)
    manifest = json.loads(files["manifest.json"])
    for one in manifest["files"]:
        content = files.get(one["path"], b"")
        one |= {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    files["manifest.json"] = json.dumps(manifest).encode()
    target = made.path.with_name("altered.zip")
    with zipfile.ZipFile(target, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)
    return target, hashlib.sha256(files["manifest.json"]).hexdigest()


def test_an_empty_installation_is_rebuilt_and_equal(
    application: Application, taken: Bundle, empty: Database
) -> None:
    keeper = registry.keeper(empty)
    with open_kit(taken.path, taken.manifest_sha256) as kit:
        assert kit.offers
        assert sum(lots.total() for lots in map(kit.lots, kit.offers)) > 0
        assert compare_kit(empty, kit, ACTOR)
        made = rebuild(empty, kit, ACTOR, PAPER)
        assert rebuild(empty, kit, ACTOR, PAPER) == []
        assert {one.what.split(" ")[0] for one in compare_kit(empty, kit, ACTOR)} == {
            "lot",
            "issued_units",
            "register_units",
            "posted_units",
            "lot_units",
        }
        for offering, proposed in made:
            with pytest.raises(Refused, match="import_needs_two_people"):
                keeper.decide_import(
                    actor=ACTOR, offering=offering, import_id=proposed, is_approved=True, because=""
                )
            keeper.decide_import(
                actor=SECOND, offering=offering, import_id=proposed, is_approved=True, because=""
            )
        assert compare_kit(empty, kit, ACTOR) == []
        assert rebuild(empty, kit, ACTOR, PAPER) == []
        assert [
            row["offering_id"] for row in application.desk.engine.offers() if row["offering_id"] in kit.offers
        ] == list(kit.offers)


def test_whoever_differs_after_all_is_named_without_a_value(taken: Bundle, empty: Database) -> None:
    with open_kit(taken.path, taken.manifest_sha256) as kit:
        rebuild(empty, kit, ACTOR, PAPER)
        person, said = next((who, row) for who, row in kit.people.items() if not row.get("representative"))
        detail = {"legal_name": "Another Name", "country": "US", "address": "1 Other Street"}
        portal.keeper(empty).amend_profile(
            actor=ACTOR, investor=person, detail={**detail, "email": said["email"], "tax_id": said["tax_id"]}
        )
        found = [one for one in compare_kit(empty, kit, ACTOR) if one.subject == person]
    assert {one.what for one in found} >= {"legal_name", "address"}
    assert not any("Another Name" in repr(one) for one in found)


def test_its_files_open_with_open_tools(taken: Bundle) -> None:
    with zipfile.ZipFile(taken.path) as packed:
        names = packed.namelist()
        registers = [name for name in names if name.endswith("register.ocf.zip")]
        assert registers
        for name in registers:
            assert read_package(packed.read(name)).faults == []
        statements = [name for name in names if "/statements/" in name]
        assert statements
        assert all(packed.read(name).startswith(b"%PDF-") for name in statements)
        assert {"history.jsonl", "verify_history.py", "index.pdf", "SHA256SUMS"} <= set(names)
        people = json.loads(packed.read("people/profiles.json"))
    assert all(one["is_erased"] or len(one["tax_id"]) == 9 for one in people)


def _more_units(files: dict[str, bytes]) -> None:
    name = next(name for name in files if name.endswith("lots.csv") and files[name].count(b"\n") > 1)
    head, first, *rest = files[name].decode().splitlines()
    security, investor, units, *days = first.split(",")
    files[name] = "\n".join(
        [head, ",".join([security, investor, str(int(units) + 1), *days]), *rest, ""]
    ).encode()


def _other_event(files: dict[str, bytes]) -> None:
    files["history.jsonl"] = files["history.jsonl"].replace(b"usr_", b"usx_", 1)


def _lost_file(files: dict[str, bytes]) -> None:
    del files["index.pdf"]


def _file_too_many(files: dict[str, bytes]) -> None:
    files["more.txt"] = b"more"


def _other_format(files: dict[str, bytes]) -> None:
    files["manifest.json"] = files["manifest.json"].replace(b"bookrunner/kit/1", b"bookrunner/kit/9")


def _outside(files: dict[str, bytes]) -> None:
    manifest = json.loads(files["manifest.json"])
    manifest["files"].append({"path": "../outside.txt", "rows": None})
    files["manifest.json"] = json.dumps(manifest).encode()
    files["../outside.txt"] = b"out"


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        (_more_units, "kit_agrees_with_its_history"),
        (_other_event, "kit_history_verifies"),
        (_lost_file, "kit_is_whole"),
        (_file_too_many, "kit_is_whole"),
        (_other_format, "kit_has_a_known_format"),
        (_outside, "kit_is_whole"),
    ],
)
def test_one_that_was_made_up_is_refused(taken: Bundle, change: Change, rule: str) -> None:
    file, manifest = altered(taken, change)
    with pytest.raises(Refused, match=rule), open_kit(file, manifest):
        pytest.fail("it was opened")
    with pytest.raises(Refused, match="kit_is_the_one_that_was_taken"), open_kit(file, taken.manifest_sha256):
        pytest.fail("it was opened")


def test_a_changed_byte_is_refused(taken: Bundle) -> None:
    target = taken.path.with_name("changed.zip")
    with zipfile.ZipFile(taken.path) as packed, zipfile.ZipFile(target, "w") as copy:
        for name in packed.namelist():
            content = packed.read(name)
            copy.writestr(name, content[:-1] + b"!" if name == "people/profiles.json" else content)
    with pytest.raises(Refused, match="kit_is_unaltered"), open_kit(target, taken.manifest_sha256):
        pytest.fail("it was opened")
    target.write_bytes(b"no zip")
    with pytest.raises(Refused, match="kit_is_whole"), open_kit(target, taken.manifest_sha256):
        pytest.fail("it was opened")
    with pytest.raises(NotFound), open_kit(target.with_name("nowhere.zip"), taken.manifest_sha256):
        pytest.fail("it was opened")


def test_it_enters_an_empty_installation_alone(taken: Bundle, empty: Database) -> None:
    portal.keeper(empty).open_profile(
        actor=ACTOR,
        investor="ivr_stranger",
        account="acc_stranger",
        kind="individual",
        detail={
            "legal_name": "Some Body",
            "country": "US",
            "address": "1 Road",
            "email": "a@example.org",
            "tax_id": "900000001",
        },
    )
    with (
        open_kit(taken.path, taken.manifest_sha256) as kit,
        pytest.raises(Refused, match="kit_enters_an_empty_installation"),
    ):
        rebuild(empty, kit, ACTOR, PAPER)
    with psycopg.connect(empty.endpoint.admin_dsn()) as admin:
        assert admin.execute("select count(*) from engine.offer").fetchone() == (0,)


class Meanwhile(Typesetter):
    """A press beside which somebody acts, once: some registers are written by then, the history is not."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self._acts = [act]

    def typeset(self, sheet: Sheet) -> Printed:
        """Let it happen; then print."""
        while self._acts:
            self._acts.pop()()
        return super().typeset(sheet)


def test_units_that_are_posted_while_it_is_taken_leave_no_kit(stocked: Application, tmp_path: Path) -> None:
    on = {"offering": "ofr_beside"}
    (offer, *_) = stocked.desk.engine.offers()
    terms = {"name": "Beside", "exemption": "506(c)", "currency": "USD", "unit_price_minor": 100_00}
    terms |= {"issuer_id": offer["issuer_id"], "units_total": 500, "minimum_units": 1}
    stocked.desk.engine.open_offer(actor=ACTOR, **on, terms=terms)
    keeper = stocked.desk.registry
    keeper.open_control_book(
        actor=ACTOR, **on, control="ctl_two", authorised_units=500, authority_sha256=b"\x0c" * 32
    )
    said = {"file_sha256": "0a" * 32, **PAPER}
    proposed = registry.propose_import(keeper, ("ofr_beside", ACTOR), registry.judge_csv(LOTS), said)
    press = Meanwhile(
        lambda: keeper.decide_import(actor=SECOND, **on, import_id=proposed, is_approved=True, because="")
    )
    asked, target = (ACTOR, "the contract ends"), tmp_path / "kit.zip"
    with pytest.raises(Refused, match="kit_agrees_with_its_history"):
        take_kit(stocked.database, press, asked, target, issuers=issuers(stocked))
    assert list(tmp_path.iterdir()) == []
    # Nothing moves any more, and what stands is taken.
    made = take_kit(stocked.database, press, asked, target, issuers=issuers(stocked))
    press.close()
    with open_kit(made.path, made.manifest_sha256) as kit:
        assert kit.lots("ofr_beside").total() == LOTS.count("\n") - 1


def test_an_issuer_of_whom_nothing_is_said_ends_it_before_anything_is_on_record(
    stocked: Application, tmp_path: Path
) -> None:
    with pytest.raises(Refused, match="kit_describes_each_issuer"):
        take_kit(stocked.database, stocked.press, (ACTOR, "why"), tmp_path / "kit.zip", issuers={})
    assert not (tmp_path / "kit.zip").exists()
    log = Keeper(stocked.database, "audit", "bookrunner.audit.record")
    assert list(log.examinations()) == []
