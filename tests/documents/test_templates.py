"""Approved template versions cannot change, reach outside their folder or run away."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bookrunner.adapters.documents import Typesetter, load_template, render_packet
from bookrunner.adapters.documents.template import SHELF, read_clause
from bookrunner.adapters.documents.typesetter import Sheet
from bookrunner.core.errors import Refused
from tests.documents import samples

AT = datetime(2026, 3, 2, tzinfo=UTC)
VERSION = "subscription_packet/1.1.0"
SLOW = "#for i in range(40000) { for j in range(40000) { let x = calc.sqrt(i * j) } }"
PAGE = "#set page(width: 100pt, height: 100pt)\n"


def _shelf(folder: Path) -> Path:
    return shutil.copytree(SHELF, folder / "shelf")


def _refused(shelf: Path, version: str = "1.1.0") -> str:
    with pytest.raises(Refused) as refused:
        load_template("subscription_packet", version, shelf)
    return refused.value.rule


@pytest.mark.parametrize(
    "file", ["clauses/agreement/03-payment.txt", "layout.typ", "schema.json", "template.json"]
)
def test_a_changed_file_of_an_approved_version_is_refused(tmp_path: Path, file: str) -> None:
    shelf = _shelf(tmp_path)
    path = shelf / VERSION / file
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    assert _refused(shelf) == "approved_template_is_unchanged"


def test_an_added_file_is_a_change(tmp_path: Path) -> None:
    shelf = _shelf(tmp_path)
    (shelf / VERSION / "clauses/agreement/13-more.txt").write_text("# More\n\nMore.\n", encoding="utf-8")
    assert _refused(shelf) == "approved_template_is_unchanged"


@pytest.mark.parametrize("state", ["draft", "retired"])
def test_only_an_approved_version_renders(tmp_path: Path, state: str) -> None:
    shelf = _shelf(tmp_path)
    samples.approve(shelf, state=state)
    assert _refused(shelf) == "template_is_approved"
    assert _refused(shelf, "9.9.9") == "template_is_approved"


def test_a_version_for_another_engine_is_refused(tmp_path: Path) -> None:
    shelf = _shelf(tmp_path)
    about = shelf / VERSION / "template.json"
    about.write_text(
        json.dumps(json.loads(about.read_text()) | {"engine_version": "0.14.0"}), encoding="utf-8"
    )
    samples.approve(shelf, state="approved")
    assert _refused(shelf) == "engine_is_the_approved_one"


def test_a_package_from_outside_is_refused(tmp_path: Path) -> None:
    shelf = _shelf(tmp_path)
    layout = shelf / VERSION / "layout.typ"
    layout.write_text(
        '#import "@preview/cetz:0.4.0"\n' + layout.read_text(encoding="utf-8"), encoding="utf-8"
    )
    samples.approve(shelf, state="approved")
    assert _refused(shelf) == "template_imports_no_package"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("#for clause in packet.agreement {", "#for clause in packet.agreement ("),
        ("packet.summary", "packet.sumary"),
    ],
)
def test_a_template_that_does_not_compile_is_refused(
    press: Typesetter, tmp_path: Path, old: str, new: str
) -> None:
    template = samples.altered(tmp_path, "layout.typ", old, new)
    with pytest.raises(Refused) as refused:
        render_packet(template, samples.individual(), press)
    assert refused.value.rule == "template_compiles"


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("No heading\n\nText.", "clause_has_a_heading"),
        ("# Only a heading", "clause_has_a_heading"),
        ("# Heading\n\nPay {amout}.", "clause_names_known_places"),
    ],
)
def test_a_clause_with_a_slip_is_refused(text: str, rule: str) -> None:
    with pytest.raises(Refused) as refused:
        read_clause(text, {"amount": "1.00 USD"})
    assert refused.value.rule == rule


def test_a_clause_is_text_and_never_markup() -> None:
    read = read_clause("# One\n\nPay {amount}\nnow.\n\n(b) *Not* #bold.", {"amount": "{x} #1"})
    assert read["blocks"] == [
        {"mark": "", "text": "Pay {x} #1 now."},
        {"mark": "(b)", "text": "*Not* #bold."},
    ]


@pytest.mark.parametrize(
    "source",
    [
        '#read("../secret.txt")',
        '#read("/etc/passwd")',
        '#import "@preview/cetz:0.4.0": canvas',
        "#while true { }",
        "#let f() = f()\n#f()",
    ],
)
def test_a_layout_stays_inside_its_folder_and_ends(press: Typesetter, tmp_path: Path, source: str) -> None:
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    folder = tmp_path / "root"
    folder.mkdir()
    (folder / "a.typ").write_text(PAGE + source, encoding="utf-8")
    with pytest.raises(Refused) as refused:
        press.typeset(Sheet(folder, "a.typ", {}, AT))
    assert refused.value.rule == "template_compiles"


@pytest.mark.parametrize(
    ("source", "seconds", "bytes_"),
    [
        (SLOW, 1.0, 4 << 30),
        ('#let s = "x" * 400000000\n#(s + "y").len()', 30.0, 1 << 30),
    ],
    ids=["time", "memory"],
)
def test_a_layout_beyond_its_limits_is_refused(
    tmp_path: Path, source: str, seconds: float, bytes_: int
) -> None:
    (tmp_path / "a.typ").write_text(PAGE + source, encoding="utf-8")
    with Typesetter(seconds=seconds, address_space=bytes_) as press, pytest.raises(Refused) as refused:
        press.typeset(Sheet(tmp_path, "a.typ", {}, AT))
    assert refused.value.rule == "typesetting_keeps_its_limits"


def test_the_same_press_goes_on_after_a_document_that_took_too_long(tmp_path: Path) -> None:
    (tmp_path / "a.typ").write_text(PAGE + SLOW, encoding="utf-8")
    (tmp_path / "b.typ").write_text(PAGE + "Good.", encoding="utf-8")
    with Typesetter(seconds=2.0) as press:
        with pytest.raises(Refused):
            press.typeset(Sheet(tmp_path, "a.typ", {}, AT))
        assert press.typeset(Sheet(tmp_path, "b.typ", {}, AT)).content.startswith(b"%PDF-")
