"""The register as an open file and back: each object valid, judged without writing, equal after it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest

from bookrunner.adapters.captable import check_object, read_package
from bookrunner.books import registry
from bookrunner.core.errors import Malformed, Refused
from bookrunner.db import Database, Keeper
from tests.attack.world import Connect, World, digest
from tests.registry.transferring import AGENT, SECOND, Transferring

MOMENT = datetime(2026, 11, 22, 12, tzinfo=UTC)
DESCRIBED = registry.Described("Example Issuer Inc.", date(2020, 3, 2), "US")
AUTHORITY = {"file_sha256": "0a" * 32, "authority_sha256": "0b" * 32, "reference": "letter of the issuer"}


@pytest.fixture
def desk(connect: Connect, database: Database) -> Transferring:
    """Return a register in which one lot was used twice, once to its end."""
    found = Transferring(World(connect).build("registered"), database)
    found.free_lots()
    found.registered(found.taker(), 2)
    found.registered("ivr_one2", 1)
    found.world.call(
        "registry.propose_control_change", "ofr_one", "cch_1", 2_000_000, digest("2"), "resolution 2"
    )
    found.world.call("registry.decide_control_change", "ofr_one", "cch_1", "true", "", actor="usr_second")
    return found


@pytest.fixture
def keeper(desk: Transferring) -> Keeper:
    return registry.keeper(desk.keeper.database)


def empty(connect: Connect) -> None:
    """Open another offer with a control book and nobody in it."""
    World(connect, "two", 1).build("published")


def lots(keeper: Keeper, offering: str) -> list[tuple[object, ...]]:
    """Return what every lot with units left says, without its id."""
    named = ("investor_id", "left_units", "legend", "acquired_on", "period_from")
    return sorted(
        tuple(str(row[name]) for name in named)
        for row in keeper.export_lots(offering=offering)
        if row["left_units"]
    )


def changed(raw: bytes, name: str, change: Callable[[Any], None]) -> bytes:
    """Return a package in which one file says something else, with its new hash in the manifest."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        files = {named: json.loads(archive.read(named)) for named in archive.namelist()}
    change(files[f"{name}.ocf.json"])
    text = {named: json.dumps(said).encode() for named, said in files.items()}
    for key, listed in files["Manifest.ocf.json"].items():
        for entry in listed if key.endswith("_files") else ():
            content = text.get(entry["filepath"].removeprefix("./"), b"")
            entry["md5"] = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if name != "Manifest":
        text["Manifest.ocf.json"] = json.dumps(files["Manifest.ocf.json"]).encode()
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for named, content in text.items():
            archive.writestr(named, content)
    return made.getvalue()


def test_a_package_goes_out_comes_in_and_is_the_same(
    desk: Transferring, keeper: Keeper, connect: Connect
) -> None:
    raw = registry.export_package(keeper, desk.offering, DESCRIBED, MOMENT)
    assert raw == registry.export_package(keeper, "ofr_one", DESCRIBED, MOMENT)
    package = read_package(raw)
    assert package.faults == []
    kinds = [one["object_type"] for one in package.objects["transactions_files"]]
    assert (kinds.count("TX_STOCK_ISSUANCE"), kinds.count("TX_STOCK_TRANSFER")) == (6, 2)
    empty(connect)
    judged = registry.judge_holders(keeper, "ofr_two", registry.judge_package(raw))
    assert (judged.faults, judged.units) == ([], 6)
    assert keeper.register_as_of(offering="ofr_two", day=MOMENT.date()) == []
    on = {"offering": "ofr_two"}
    made = registry.propose_import(keeper, ("ofr_two", AGENT), judged, AUTHORITY)
    with pytest.raises(Refused, match="import_needs_two_people"):
        keeper.decide_import(actor=AGENT, **on, import_id=made, is_approved=True, because="")
    keeper.decide_import(actor=SECOND, **on, import_id=made, is_approved=True, because="")
    assert lots(keeper, "ofr_two") == lots(keeper, "ofr_one")
    balance = keeper.balance(offering="ofr_two")
    assert [balance[name] for name in ("issued_units", "register_units", "posted_units", "lot_units")] == [
        6
    ] * 4
    with pytest.raises(Refused, match="import_enters_an_empty_register"):
        registry.propose_import(keeper, ("ofr_two", AGENT), judged, AUTHORITY)


def test_a_table_goes_out_comes_in_and_is_the_same(
    desk: Transferring, keeper: Keeper, connect: Connect
) -> None:
    text = registry.export_csv(keeper, "ofr_one")
    assert text.splitlines()[0] == "security,investor,units,legend,acquired_on,period_from"
    empty(connect)
    judged = registry.judge_holders(keeper, "ofr_two", registry.judge_csv(text))
    assert judged.faults == []
    declined = registry.propose_import(keeper, ("ofr_two", AGENT), judged, AUTHORITY)
    keeper.decide_import(
        actor=SECOND, offering="ofr_two", import_id=declined, is_approved=False, because="unsigned"
    )
    made = registry.propose_import(keeper, ("ofr_two", AGENT), judged, AUTHORITY)
    keeper.decide_import(actor=SECOND, offering="ofr_two", import_id=made, is_approved=True, because="")
    assert lots(keeper, "ofr_two") == lots(keeper, "ofr_one")
    assert desk.offering == "ofr_one"


def _drop_holder(said: Any) -> None:  # noqa: ANN401 - parsed JSON
    said["items"] = said["items"][1:]


def _more_units(said: Any) -> None:  # noqa: ANN401 - parsed JSON
    next(one for one in said["items"] if "~" in one.get("security_id", "") and "quantity" in one)[
        "quantity"
    ] = "9"


def _formula(said: Any) -> None:  # noqa: ANN401 - parsed JSON
    said["items"].append(
        next(o for o in said["items"] if "quantity" in o) | {"id": "x", "security_id": "=1+1"}
    )


def _part_units(said: Any) -> None:  # noqa: ANN401 - parsed JSON
    said["items"][0]["quantity"] = "1.5"


def _odd_field(said: Any) -> None:  # noqa: ANN401 - parsed JSON
    said["items"][0]["mood"] = "good"


def _odd_object(said: Any) -> None:  # noqa: ANN401 - parsed JSON
    said["items"].append({"id": "x", "object_type": "TX_WARRANT_ISSUANCE"})


def _twice(said: Any) -> None:  # noqa: ANN401 - parsed JSON
    said["items"].append(said["items"][0])


def _ends_again(said: Any) -> None:  # noqa: ANN401 - parsed JSON
    said["items"].append(next(o for o in said["items"] if "resulting_security_ids" in o) | {"id": "x"})


def _other_type(said: Any) -> None:  # noqa: ANN401 - parsed JSON
    said["file_type"] = "OCF_VALUATIONS_FILE"


def _bad_issuer(said: Any) -> None:  # noqa: ANN401 - parsed JSON
    del said["issuer"]["legal_name"]


def _lost_file(said: Any) -> None:  # noqa: ANN401 - parsed JSON
    said["valuations_files"] = [{"filepath": "./None.ocf.json", "md5": "0" * 32}]


def test_each_fault_of_a_package_is_named_at_its_object(desk: Transferring, keeper: Keeper) -> None:
    raw = registry.export_package(keeper, desk.offering, DESCRIBED, MOMENT)
    for name, change, rule in (
        ("Stakeholders", _drop_holder, "reference_is_known"),
        ("Transactions", _more_units, "transfer_keeps_its_units"),
        ("Transactions", _part_units, "units_are_whole"),
        ("Transactions", _formula, "text_is_no_formula"),
        ("Transactions", _odd_field, "object_has_its_shape"),
        ("Transactions", _odd_object, "object_is_of_a_known_type"),
        ("Stakeholders", _twice, "id_is_used_once"),
        ("Transactions", _ends_again, "security_ends_once"),
        ("Stakeholders", _other_type, "file_has_its_type"),
        ("StockClasses", _twice, "package_has_one_class"),
        ("Manifest", _bad_issuer, "object_has_its_shape"),
        ("Manifest", _lost_file, "file_is_there"),
    ):
        found = {fault.rule for fault in registry.judge_package(changed(raw, name, change)).faults}
        assert rule in found, (name, rule, found)
    torn = raw.replace(b"ofr_one", b"ofr_two")
    for broken, rule in ((b"no zip", "package_is_a_zip"), (torn[:-30], "package_is_a_zip")):
        with pytest.raises(Malformed, match=rule):
            registry.judge_package(broken)
    assert check_object("here", []) != []


def test_a_hash_that_is_not_the_files_is_named(desk: Transferring, keeper: Keeper) -> None:
    raw = registry.export_package(keeper, desk.offering, DESCRIBED, MOMENT)

    def other(said: Any) -> None:  # noqa: ANN401 - parsed JSON
        said["stakeholders_files"][0]["filepath"] = "./StockClasses.ocf.json"

    found = changed(raw, "Manifest", other)
    assert "file_has_its_type" in {fault.rule for fault in read_package(found).faults}
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    files["Stakeholders.ocf.json"] += b" "
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    assert {fault.rule for fault in read_package(made.getvalue()).faults} == {"file_is_what_its_hash_says"}


def test_the_dry_run_knows_the_books(desk: Transferring, keeper: Keeper) -> None:
    header = "security,investor,units,legend,acquired_on,period_from\n"
    judged = registry.judge_csv(header + "s1,ivr_nobody,3000000,,2026-01-02,2026-01-02\n")
    found = registry.judge_holders(keeper, desk.offering, judged)
    assert [fault.rule for fault in found.faults] == ["holder_has_a_profile", "issue_stays_within_authorised"]
    for row, rule in (
        ("s1,ivr_a,1.5,,2026-01-02,2026-01-02\n", "row_has_its_shape"),
        ("s1,ivr_a,1,,yesterday,2026-01-02\n", "row_has_its_shape"),
        ("=1+1,ivr_a,1,,2026-01-02,2026-01-02\n", "row_has_its_shape"),
        ("s1,ivr_a,1,@SUM(A1),2026-01-02,2026-01-02\n", "row_has_its_shape"),
        ("s1,ivr_a,1,,2026-01-02,2026-01-02\n" * 2, "id_is_used_once"),
    ):
        assert [fault.rule for fault in registry.judge_csv(header + row).faults] == [rule]
    assert registry.judge_csv("a,b\n").faults[0].rule == "table_has_its_columns"
