"""Two people close where the terms say so; the certificate proves itself without a database."""

from __future__ import annotations

import hashlib
import io
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from pypdf import PdfReader

from bookrunner.app import Application
from bookrunner.audit import advance_feed, export_history, merkle, seal, verify_certificate
from bookrunner.core.errors import NotFound, Refused
from bookrunner.db import Database
from tests.allocation.book import Book, refused
from tests.attack.world import Connect
from tests.signing.test_attacks import _pdfsig


@pytest.mark.parametrize("count", [0, 1, 2, 3, 7, 8, 13])
def test_the_database_and_the_verifier_make_one_root(connect: Connect, count: int) -> None:
    leaves = [bytes([n]) * 32 for n in range(count)]
    row = connect("owner").execute("select engine.merkle_root(%s::bytea[])", [leaves]).fetchone()
    assert row == (merkle.merkle_root(leaves),)


def test_one_person_proposes_and_another_freezes(connect: Connect) -> None:
    book = Book(connect)
    book.terms = {"two_people_close": True}
    book.build("linked")
    with refused("closing_is_proposed_before_it_is_frozen"):
        book.frozen()
    book.call("engine.propose_closing", book.offering, book.closing, ["inv_one1", "inv_one2"])
    with refused("closing_needs_two_people"):
        book.frozen()
    with refused("one_closing_runs_per_offer"):
        book.call("engine.propose_closing", book.offering, "cls_two", None)
    chosen = [book.offering, book.closing, ["inv_one3"]]
    assert book.call("engine.freeze_closing", *chosen, actor="usr_second") == 2
    rows = book.ask(
        "select investment_id, ordinal from engine.closing_member join engine.closing using (closing_id)"
    )
    assert sorted(rows) == [("inv_one1", 1), ("inv_one2", 1)]


def test_nobody_proposes_for_an_offer_that_is_not_open(connect: Connect) -> None:
    book = Book(connect).build("linked")
    book.call("engine.fail_offer", book.offering, "halted", "a regulator's order")
    with refused("offer_can_close"):
        book.call("engine.propose_closing", book.offering, book.closing, None)


def certified(connect: Connect, database: Database, folder: Path) -> tuple[Path, Path]:
    """Return the certificate of a closing and an export of the history."""
    book = Book(connect).build("registered")
    book.call("engine.mark_issued", book.offering, book.closing)
    book.release()
    book.call("engine.mark_released", book.offering, book.closing)
    certificate, export = folder / "certificate.json", folder / "history.jsonl"
    certificate.write_text(book.call("engine.certify", book.offering, book.closing), encoding="utf-8")
    advance_feed(database)
    seal(database)
    export_history(database, export)
    return certificate, export


def test_a_certificate_is_verified_offline(connect: Connect, database: Database, tmp_path: Path) -> None:
    certificate, export = certified(connect, database, tmp_path)
    assert verify_certificate(certificate) == []
    assert verify_certificate(certificate, export) == []
    said = json.loads(certificate.read_bytes())
    assert [member["units"] for member in said["members"]] == [1, 2, 3]
    (first, *_) = said["members"]
    for change, fault in (
        ({"units": 9}, "the root does not cover the members"),
        ({"facts": {}}, f"the facts of {first['investment']} do not hash to what is stated"),
    ):
        forged = tmp_path / "forged.json"
        body = said | {"members": [first | change, *said["members"][1:]]}
        forged.write_text(json.dumps(body, separators=(",", ":"), sort_keys=True), encoding="utf-8")
        assert fault in verify_certificate(forged)
        told = f"the history does not name this as the certificate of {said['closing']}"
        assert told in verify_certificate(forged, export)
    for text, fault in (
        (json.dumps(said, indent=1), "the text is not canonical"),
        ("{}", "the file is no certificate of a closing"),
        ("no", "the file is no JSON text"),
    ):
        (tmp_path / "other.json").write_text(text, encoding="utf-8")
        assert verify_certificate(tmp_path / "other.json") == [fault]


def test_a_sealed_sheet_states_the_record(connect: Connect, application: Application, tmp_path: Path) -> None:
    certificate, _ = certified(connect, application.database, tmp_path)
    raw = certificate.read_bytes()
    said, packets = json.loads(raw), application.desk.packets
    where = {"offering": said["offering"], "closing": said["closing"]}
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(application.certificates.sheet, *where.values()) for _ in range(2)]
        content, same = (each.result().content for each in asked)
    assert content == same
    verdict = _pdfsig(content, tmp_path)
    assert "Signature is Valid." in verdict
    assert "Total document signed" in verdict
    text = " ".join(" ".join(page.extract_text() for page in PdfReader(io.BytesIO(content)).pages).split())
    for stated in (hashlib.sha256(raw).hexdigest(), said["root"], said["set_sha256"], said["closing"]):
        assert stated in text
    for member in said["members"]:
        assert all(member[name] in text for name in ("investment", "transaction", "facts_sha256"))
    again = packets.keep_closing_sheet(actor="x", **where, content=b"another")
    assert not again
    with pytest.raises(NotFound):
        application.certificates.sheet(said["offering"], "cls_none")
    with pytest.raises(Refused) as refusal:
        packets.keep_closing_sheet(
            actor="x", offering=said["offering"], closing="cls_none", content=b"another"
        )
    assert refusal.value.rule == "certificate_exists"
    with pytest.raises(psycopg.DatabaseError, match="append only"):
        connect("owner").execute("update subscription.closing_sheet set made_at = clock_timestamp()")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        connect("subscription").execute(
            "insert into subscription.closing_sheet (offering_id, closing_id, sha256) values ('o', 'c', '')"
        )
