"""The documents say what the code does: generated pages are current, names are explained, links resolve."""

from __future__ import annotations

import re
import runpy
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import pytest
from typer.main import get_command

from bookrunner.app.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
GENERATED = runpy.run_path(str(ROOT / "scripts" / "generate_docs.py"))
WORDS = "".join(page.read_text(encoding="utf-8") for page in PAGES)
_LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)\s]*)?\)")


def _commands() -> Mapping[str, Any]:
    from bookrunner.cli import app

    return cast("Mapping[str, Any]", get_command(app).commands)  # type: ignore[attr-defined]


def _leaves(commands: Mapping[str, Any], group: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each command that does something, by its whole name."""
    for name, command in commands.items():
        if hasattr(command, "commands"):
            yield from _leaves(command.commands, f"{group}{name} ")
        else:
            yield f"{group}{name}", command


@pytest.mark.parametrize("name", GENERATED["pages"]())
def test_a_generated_page_is_current(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == GENERATED["pages"]()[name], (
        "run scripts/generate_docs.py"
    )


def test_every_row_of_the_machines_is_read() -> None:
    found = GENERATED["machines"]()
    files = [GENERATED["engine_file"](name) for name in GENERATED["MOVES"]]
    # A file may name its machines and states before their moves.
    texts = [file.read_text(encoding="utf-8") for file in files]
    listed = "".join(text.partition("insert into engine.transition")[2] for text in texts)
    assert sum(map(len, found.moves.values())) == len(re.findall(r"^\s*\('", listed, re.MULTILINE))
    for machine, moves in found.moves.items():
        states = {""} | set(found.states[machine])
        assert {state for move in moves for state in (move.before, move.after)} <= states


def test_every_command_and_option_is_explained() -> None:
    page = (ROOT / "docs/commands.md").read_text(encoding="utf-8")
    # What every command has is explained once.
    assert "Every command takes `--json`" in page
    missing = []
    for name, command in _leaves(_commands()):
        told = "".join(re.findall(rf"`bookrunner {name}[^`]*`", page))
        flags = [p.opts[0] for p in command.params if p.opts[0].startswith("--") and p.opts[0] != "--json"]
        missing += [f"{name} {flag}" for flag in flags if flag not in told] if told else [name]
    assert not missing


def test_every_setting_is_explained() -> None:
    assert not [n for n in Settings.model_fields if f"`BOOKRUNNER_{n.upper()}`" not in WORDS]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_relative_link_resolves(page: Path) -> None:
    targets = [link for link in _LINK.findall(page.read_text(encoding="utf-8")) if "://" not in link]
    assert not [link for link in targets if not (page.parent / link).exists()]


def test_every_path_of_the_architecture_exists() -> None:
    told = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    paths = re.findall(r"`([a-z_]+/[a-z_/.]*)`", told)
    assert len(paths) > 20
    assert not [p for p in paths if not (ROOT / p).exists() and not (ROOT / "src/bookrunner" / p).exists()]


def test_the_glossary_is_sorted_and_says_each_word_once() -> None:
    rows = [line.split("|") for line in (ROOT / "docs/glossary.md").read_text(encoding="utf-8").splitlines()]
    words = [row[1].strip() for row in rows if len(row) == 4][2:]
    assert len(words) > 100
    assert words == sorted(set(words))


def test_pages_keep_their_length() -> None:
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= 120
    decisions = sorted((ROOT / "docs" / "decisions").rglob("*.md"))
    numbers = [page.name[:4] for page in decisions]
    assert len(set(numbers)) == len(numbers) > 50
    for page in decisions:
        assert len(page.read_text(encoding="utf-8").splitlines()) <= 40, page.name
