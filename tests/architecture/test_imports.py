"""The project keeps its import rules, and each rule catches a planted breach."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import grimp
import pytest

from tests.architecture import imports

Rule = Callable[[grimp.ImportGraph, str], Iterator[str]]

BREACHES: dict[Rule, tuple[str, str, str]] = {
    imports.libraries_away_from_home: (
        "books/portal/actions.py",
        "import psycopg\n",
        "planted.books.portal.actions:1 imports psycopg, which belongs to db",
    ),
    imports.impure_gates: (
        "engine/gates/funding.py",
        "from planted.core import money\n",
        "planted.engine.gates.funding reaches planted.db",
    ),
    imports.side_doors: (
        "engine/offers.py",
        "from planted.books.portal import actions\n",
        "planted.engine.offers:1 enters planted.books.portal.actions by a side door",
    ),
    imports.picked_adapters: (
        "engine/closings.py",
        "from planted.adapters.bank import camt\n",
        "planted.engine.closings:1 picks the adapter planted.adapters.bank.camt",
    ),
}


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return imports.graph_of(imports.ROOT)


@pytest.mark.parametrize("rule", imports.RULES, ids=lambda rule: rule.__name__)
def test_project_keeps(rule: Rule, graph: grimp.ImportGraph) -> None:
    assert list(rule(graph, imports.ROOT)) == []


@pytest.fixture
def planted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    base = tmp_path / "planted"
    _write(base, "db.py", "import psycopg\n")
    _write(base, "core/money.py", "from planted import db\n")
    _write(base, "books/portal/actions.py", "")
    _write(base, "adapters/bank/camt.py", "")
    monkeypatch.syspath_prepend(tmp_path)
    yield base
    sys.modules.pop("planted", None)


def _write(base: Path, name: str, content: str) -> None:
    path = base / name
    path.parent.mkdir(parents=True, exist_ok=True)
    for folder in (path.parent, *path.parent.parents):
        if folder == base.parent:
            break
        (folder / "__init__.py").touch()
    path.write_text(content, encoding="utf-8")


@pytest.mark.parametrize("rule", imports.RULES, ids=lambda rule: rule.__name__)
def test_rule_catches_what_is_planted(rule: Rule, planted: Path) -> None:
    name, content, breach = BREACHES[rule]
    assert list(rule(imports.graph_of("planted"), "planted")) == []
    _write(planted, name, content)
    assert breach in list(rule(imports.graph_of("planted"), "planted"))
