"""Walks a checkout: which files there are, and what their syntax trees hold."""

from __future__ import annotations

import ast
import os
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PACKAGE = Path("src/bookrunner")
CODE = ("src", "tests", "bench", "examples", "scripts")

_SKIPPED = frozenset({"__pycache__", "node_modules", "dist", "build"})


def files(folder: Path, pattern: str = "*") -> Iterator[Path]:
    """Yield the files below a folder whose names match; hidden folders and caches are left out."""
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if (name not in _SKIPPED and name[0] != ".") or name == ".ci"
        )
        yield from (Path(parent, name) for name in sorted(names) if fnmatch(name, pattern))


def python(root: Path, *folders: str) -> Iterator[tuple[str, ast.Module]]:
    """Yield ``(path from the root, syntax tree)`` of each Python file in the named folders."""
    for folder in folders:
        for path in files(root / folder, "*.py"):
            yield path.relative_to(root).as_posix(), parse(path)


def package(root: Path) -> Iterator[tuple[str, ast.Module]]:
    """Yield ``(path from the package, syntax tree)`` of each Python file of the package."""
    base = root / PACKAGE
    for path in files(base, "*.py"):
        yield path.relative_to(base).as_posix(), parse(path)


@cache
def _parse(path: Path, _changed: int) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def parse(path: Path) -> ast.Module:
    """Return the syntax tree of a file, parsed once for each version of it."""
    return _parse(path, path.stat().st_mtime_ns)


def calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    """Yield each call with the dotted name that is called, such as ``datetime.now``."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def docstrings(tree: ast.Module) -> frozenset[int]:
    """Return the ids of the nodes that are docstrings."""
    owners = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    return frozenset(
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, owners) and node.body and isinstance(node.body[0], ast.Expr)
    )


def text(path: Path) -> str:
    """Return a file's text, or nothing when it is binary."""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""
