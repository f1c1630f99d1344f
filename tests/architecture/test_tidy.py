"""The checkout keeps the house rules, and each rule catches a planted breach."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.architecture import queries, reach, sizes, supply, tree, words

Rule = Callable[[Path], Iterator[str]]
BASE = tree.PACKAGE.as_posix()
WORK_LEFT = "# TO" + "DO later\n"


@dataclass(frozen=True)
class Sample:
    """A file that breaks a rule, what the rule says of it, and a neighbour that it lets pass."""

    rule: Rule
    path: str
    bad: str
    says: str
    good: str = ""


def _lines(count: int) -> str:
    return "x = 1\n" * count


def _function(lines: int) -> str:
    return "def f() -> None:\n" + "    x = 1\n" * (lines - 1)


SAMPLES = (
    Sample(sizes.long_python_files, f"{BASE}/core/a.py", _lines(401), "401 lines", _lines(400)),
    Sample(sizes.long_python_files, "tests/test_a.py", _lines(601), "601 lines", _lines(600)),
    Sample(sizes.long_sql_files, f"{BASE}/engine/schema.sql", "--\n" * 401, "401 lines", "--\n" * 400),
    Sample(sizes.long_functions, f"{BASE}/core/a.py", _function(71), "f has 71 lines", _function(70)),
    Sample(
        sizes.many_positional_parameters,
        f"{BASE}/core/a.py",
        "class A:\n    def f(self, a, b, c, d, e): ...\n",
        "f takes 5",
        "class A:\n    def f(self, a, b, c, d, *, e): ...\n",
    ),
    Sample(words.unfinished_words, f"{BASE}/core/a.py", WORK_LEFT, "a.py:1", "# Done once.\n"),
    Sample(words.unfinished_words, f"{BASE}/core/a.sql", "-- Keep in " + "sync with b\n", "a.sql:1"),
    Sample(words.calls_out_of_place, f"{BASE}/engine/a.py", "c.commit()\n", "c.commit(", "c.committed()\n"),
    Sample(
        words.calls_out_of_place,
        f"{BASE}/engine/a.py",
        "import datetime\nt = datetime.datetime.now(UTC)\n",
        "a.py:2: datetime.datetime.now(",
        "t = clock.now()\n",
    ),
    Sample(words.calls_out_of_place, f"{BASE}/engine/a.py", "print(1)\n", "print(", "console.show(1)\n"),
    Sample(
        words.floats_near_money,
        f"{BASE}/books/treasury/a.py",
        "def f(price: float) -> int: ...\n",
        "a.py:1: float",
        "def f(wait_seconds: float) -> int: ...\n",
    ),
    Sample(
        words.floats_near_money,
        f"{BASE}/pages/a.py",
        "x = amount_minor / 100\n",
        "makes a float",
        "x = amount_minor // 100\n",
    ),
    Sample(words.untyped_values, f"{BASE}/books/portal/a.py", "x: Any = 1\n", "a.py:1: Any", "x: int = 1\n"),
    Sample(
        words.broad_handlers,
        f"{BASE}/books/portal/a.py",
        "try:\n    f()\nexcept (OSError, Exception):\n    g()\n",
        "a.py:3: except (OSError, Exception)",
        "try:\n    f()\nexcept Exception:\n    g()\n    raise\n",
    ),
    Sample(
        words.broad_handlers, f"{BASE}/books/portal/a.py", "try:\n    f()\nexcept:\n    g()\n", "everything"
    ),
    Sample(
        words.mocks, "tests/test_a.py", "from unittest import mock\n", "unittest.mock", "import unittest\n"
    ),
    Sample(
        words.mocks,
        "tests/test_a.py",
        "def test(monkeypatch): monkeypatch.setattr(a, 'b', 1)\n",
        "monkeypatch.setattr",
        "def test(monkeypatch): monkeypatch.setenv('a', 'b')\n",
    ),
    Sample(
        queries.unused_queries,
        f"{BASE}/engine/queries.sql",
        "-- name: offer_of^\n-- The offer.\nselect 1;\n",
        "offer_of is never called",
    ),
    Sample(
        queries.nameless_or_silent_queries,
        f"{BASE}/engine/queries.sql",
        "-- name: a\n-- One thing.\nselect 1;\n-- name: a\nselect 1;\n",
        "a has no sentence",
        "-- name: a\n-- One thing.\nselect 1;\n",
    ),
    Sample(
        queries.nameless_or_silent_queries,
        f"{BASE}/engine/queries.sql",
        "-- name: a\n-- One thing.\nselect 1;\n-- name: a\n-- One thing.\nselect 1;\n",
        "a is declared 2 times",
    ),
    Sample(
        queries.sql_in_strings,
        f"{BASE}/db/a.py",
        "x = 'select id from portal.account where id = %s'\n",
        "a.py:1: select id",
        "'''select 1 from a'''\nx = 'select an offer from the list of yours'\n",
    ),
    Sample(queries.sql_in_strings, f"{BASE}/db/a.py", "x = f'SET ROLE {name}'\n", "SET ROLE"),
    Sample(queries.sql_in_strings, f"{BASE}/db/a.py", "x = 'CREATE ROLE keeper'\n", "CREATE ROLE"),
    Sample(
        queries.nulls_that_agree,
        f"{BASE}/engine/verbs.sql",
        "    if not p_is_agreed then\n",
        "write p_is_agreed is not true",
        "    if p_is_agreed is not true then\n",
    ),
    Sample(
        reach.unimported_modules,
        f"{BASE}/core/a.py",
        "x = 1\n",
        "core/a.py: never imported",
        "if __name__ == '__main__':\n    x = 1\n",
    ),
    Sample(reach.unrendered_templates, f"{BASE}/pages/a.html", "<p>\n", "a.html: never rendered"),
    Sample(
        supply.unreasoned_dependencies,
        "pyproject.toml",
        'dependencies = [\n    "a>=1",\n]\n',
        '"a>=1", has no reason',
        'dependencies = [\n    "a>=1",  # reads files\n]\n',
    ),
    Sample(supply.addresses_in_locks, "a/package-lock.json", '{"resolved": "x"}', '"resolved"', "{}"),
    Sample(supply.addresses_in_locks, "uv.lock", 'source = "https://example.test"', "://"),
    Sample(
        supply.pins_without_hash,
        "requirements.lock",
        "a==1\n",
        "a==1 has no hash",
        "a==1 ; os_name == 'nt' \\\n    --hash=sha256:" + "0" * 64 + "\n",
    ),
    Sample(
        supply.registry_hosts, "docs/a.md", f"from {supply.HOSTS[0]}\n", supply.HOSTS[0], "from a mirror\n"
    ),
    Sample(
        supply.many_settings,
        f"{BASE}/app.py",
        "class S(BaseSettings):\n" + "".join(f"    a{n}: int\n" for n in range(26)),
        "26 settings",
        "class S(BaseSettings):\n    model_config = 1\n" + "".join(f"    a{n}: int\n" for n in range(25)),
    ),
    Sample(
        supply.undocumented_settings,
        f"{BASE}/app.py",
        "class S(BaseSettings):\n    port: int\n",
        "BOOKRUNNER_PORT: not in docs/",
        "class S(Other):\n    port: int\n",
    ),
)
RULES = tuple(dict.fromkeys([*(sample.rule for sample in SAMPLES), sizes.crowded_folders]))


def _write(root: Path, name: str, content: str) -> None:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_checkout_keeps(rule: Rule) -> None:
    assert list(rule(tree.PROJECT)) == []


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: f"{sample.rule.__name__}-{sample.says[:24]}")
def test_rule_catches_what_is_planted(sample: Sample, tmp_path: Path) -> None:
    _write(tmp_path, "bad/pyproject.toml", "")
    _write(tmp_path, f"bad/{sample.path}", sample.bad)
    _write(tmp_path, "good/pyproject.toml", "")
    _write(tmp_path, f"good/{sample.path}", sample.good)
    assert any(sample.says in breach for breach in sample.rule(tmp_path / "bad"))
    if sample.good:
        assert list(sample.rule(tmp_path / "good")) == []


def test_a_folder_is_crowded_from_the_thirteenth_entry(tmp_path: Path) -> None:
    for number in range(12):
        _write(tmp_path, f"{BASE}/core/a{number}.py", "")
    _write(tmp_path, f"{BASE}/core/__init__.py", "")
    assert list(sizes.crowded_folders(tmp_path)) == []
    _write(tmp_path, f"{BASE}/core/a12.py", "")
    assert list(sizes.crowded_folders(tmp_path)) == [f"{BASE}/core: 13 entries, at most 12"]


def test_use_is_recognised(tmp_path: Path) -> None:
    _write(tmp_path, f"{BASE}/engine/queries.sql", "-- name: offer_of^\n-- The offer.\nselect 1;\n")
    _write(tmp_path, f"{BASE}/engine/offers.py", "row = queries.offer_of(c)\n")
    _write(tmp_path, f"{BASE}/engine/__init__.py", "from .offers import row\n")
    _write(tmp_path, f"{BASE}/pages/a.html", "<p>\n")
    _write(tmp_path, f"{BASE}/pages/__init__.py", "page = 'a.html'\n")
    _write(tmp_path, f"{BASE}/app.py", "class S(BaseSettings):\n    port: int\n")
    _write(tmp_path, f"{BASE}/__init__.py", "from bookrunner import app\n")
    _write(tmp_path, "docs/settings.md", "`BOOKRUNNER_PORT`\n")
    for rule in (
        queries.unused_queries,
        reach.unimported_modules,
        reach.unrendered_templates,
        supply.undocumented_settings,
    ):
        assert list(rule(tmp_path)) == []
