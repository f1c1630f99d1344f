"""Words and calls that stand in one place, or in none."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture import tree

MONEY = ("core/", "books/", "engine/", "reconciliation/", "audit/", "adapters/bank/")
UNTYPED = ("core/", "books/", "engine/")
BROAD_EDGES = ("api/", "pages/", "cli/", "engine/process/workflow.py")
SETATTR_ALLOWED: frozenset[str] = frozenset()

_UNFINISHED = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X)\b|keep in " r"sync", re.IGNORECASE)
_EXACT = re.compile(r"minor|amount|units")


def unfinished_words(root: Path) -> Iterator[str]:
    """Name each line that promises later work or asks a person to keep two places equal."""
    for folder in tree.CODE:
        for path in tree.files(root / folder):
            if (
                path.suffix not in {".py", ".sql", ".html", ".css", ".js", ".sh", ""}
                or "static" in path.parts
            ):
                continue
            for number, line in enumerate(tree.text(path).splitlines(), 1):
                if found := _UNFINISHED.search(line):
                    yield f"{path.relative_to(root)}:{number}: {found.group()}"


def calls_out_of_place(root: Path) -> Iterator[str]:
    """Name each commit outside db, clock reading outside the clock and print outside the command line."""
    homes = {
        "commit": ("db/",),
        "datetime.now": ("core/clock.py",),
        "datetime.utcnow": (),
        "date.today": ("core/clock.py",),
        "print": ("cli/",),
    }
    for path, module in tree.package(root):
        for call, name in tree.calls(module):
            for banned, home in homes.items():
                if (name == banned or name.endswith(f".{banned}")) and not path.startswith(home):
                    yield f"{path}:{call.lineno}: {name}("


def floats_near_money(root: Path) -> Iterator[str]:
    """Name each float where money is handled, unless it is a duration called ``…_seconds``."""
    for path, module in tree.package(root):
        durations: set[int] = set()
        for node in ast.walk(module):
            target = _annotated_name(node)
            if target.endswith("_seconds") and isinstance(node, ast.arg | ast.AnnAssign) and node.annotation:
                durations.update(id(part) for part in ast.walk(node.annotation))
            if (
                isinstance(node, ast.BinOp)
                and isinstance(node.op, ast.Div)
                and _EXACT.search(ast.unparse(node))
            ):
                yield f"{path}:{node.lineno}: / makes a float of {ast.unparse(node)}"
        for node in ast.walk(module):
            if not isinstance(node, ast.Name) or node.id != "float" or id(node) in durations:
                continue
            if path.startswith(MONEY):
                yield f"{path}:{node.lineno}: float"


def _annotated_name(node: ast.AST) -> str:
    if isinstance(node, ast.arg):
        return node.arg
    return ast.unparse(node.target) if isinstance(node, ast.AnnAssign) else ""


def untyped_values(root: Path) -> Iterator[str]:
    """Name each ``Any`` in core, books and engine."""
    for path, module in tree.package(root):
        if path.startswith(UNTYPED):
            for node in ast.walk(module):
                if ast.unparse(node) in {"Any", "typing.Any"} and isinstance(node, ast.Name | ast.Attribute):
                    yield f"{path}:{node.lineno}: Any"


def broad_handlers(root: Path) -> Iterator[str]:
    """Name each handler of every exception outside the edges, unless it raises again at its end."""
    for path, module in tree.package(root):
        for node in ast.walk(module):
            if not isinstance(node, ast.ExceptHandler) or path.startswith(BROAD_EDGES):
                continue
            caught = ast.unparse(node.type) if node.type else "everything"
            raises_again = isinstance(node.body[-1], ast.Raise)
            if re.search(r"\b(Base)?Exception\b|^everything$", caught) and not raises_again:
                yield f"{path}:{node.lineno}: except {caught}"


def mocks(root: Path) -> Iterator[str]:
    """Name each mock and each patched attribute."""
    for path, module in tree.python(root, "src", "tests"):
        for node in ast.walk(module):
            if isinstance(node, ast.Import) and any(a.name.startswith("unittest.mock") for a in node.names):
                yield f"{path}:{node.lineno}: unittest.mock"
            if isinstance(node, ast.ImportFrom) and f"{node.module}.{node.names[0].name}".startswith(
                "unittest.mock"
            ):
                yield f"{path}:{node.lineno}: unittest.mock"
        for call, name in tree.calls(module):
            if name.endswith("monkeypatch.setattr") and path not in SETATTR_ALLOWED:
                yield f"{path}:{call.lineno}: monkeypatch.setattr"
