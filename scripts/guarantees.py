"""The page of guarantees: each promise with the tests that hold it, every one of which must exist."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path

_ABOUT = """\
Each promise has tests that attack it. They run on a real PostgreSQL and a real EVM node; a test that is named
here and does not exist fails the build. `make test ARGS=tests/attack` runs those of one folder."""


def guarantees_page(root: Path, made: str) -> str:
    """Return the text of docs/guarantees.md; SystemExit names a test that does not exist."""
    promises = tomllib.loads((root / "docs/guarantees.toml").read_text(encoding="utf-8"))["promise"]
    named = [test for promise in promises for test in promise["tests"]]
    if missing := sorted(set(missing_tests(root, named))):
        raise SystemExit(f"docs/guarantees.toml names what is no test: {', '.join(missing)}")
    lines = [made, "# Guarantees\n", _ABOUT, ""]
    for number, promise in enumerate(promises, 1):
        lines += [f"## {number}. {promise['name']}\n", f"{promise['says']}\n"]
        for test in promise["tests"]:
            path, _, name = test.partition("::")
            sentence = name.removeprefix("test_").replace("_", " ")
            lines.append(f"- {sentence} ([{Path(path).name}](../{path}))")
        lines.append("")
    return "\n".join(lines)


def missing_tests(root: Path, named: list[str]) -> Iterator[str]:
    """Yield each of these tests that no file of the checkout has."""
    for test in named:
        path, _, name = test.partition("::")
        file = root / path
        found = ast.parse(file.read_text(encoding="utf-8")).body if file.is_file() else []
        if name not in {node.name for node in found if isinstance(node, ast.FunctionDef)}:
            yield test
