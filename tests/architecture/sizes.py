"""Nothing grows past what a reader holds in the head."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture import tree

PYTHON_LINES = 400
TEST_LINES = 600
FUNCTION_LINES = 70
SQL_LINES = 400
POSITIONAL = 4
ENTRIES = 12
# The package itself has the client as one more: it is a layer of its own beside the server's.
LAYERS = 13
# These override a method of a library, which fixes the parameters.
OVERRIDES = frozenset({"src/bookrunner/db/queries.py: select"})

Function = ast.FunctionDef | ast.AsyncFunctionDef


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())


def long_python_files(root: Path) -> Iterator[str]:
    """Name each Python file that is too long."""
    for folder in tree.CODE:
        limit = TEST_LINES if folder == "tests" else PYTHON_LINES
        for path in tree.files(root / folder, "*.py"):
            if (lines := _lines(path)) > limit:
                yield f"{path.relative_to(root)}: {lines} lines, at most {limit}"


def long_sql_files(root: Path) -> Iterator[str]:
    """Name each SQL file that is too long; a migration is as long as its change."""
    for path in tree.files(root / "src", "*.sql"):
        if "migrations" not in path.parts and (lines := _lines(path)) > SQL_LINES:
            yield f"{path.relative_to(root)}: {lines} lines, at most {SQL_LINES}"


def _functions(root: Path, *folders: str) -> Iterator[tuple[str, Function]]:
    for path, module in tree.python(root, *folders):
        for node in ast.walk(module):
            if isinstance(node, Function):
                yield f"{path}: {node.name}", node


def long_functions(root: Path) -> Iterator[str]:
    """Name each function that is too long, its docstring included."""
    for name, node in _functions(root, *tree.CODE):
        lines = (node.end_lineno or node.lineno) - node.lineno + 1
        if lines > FUNCTION_LINES:
            yield f"{name} has {lines} lines, at most {FUNCTION_LINES}"


def many_positional_parameters(root: Path) -> Iterator[str]:
    """Name each function with too many positional parameters; frameworks call decorated ones by keyword."""
    for name, node in _functions(root, "src"):
        decorators = {ast.unparse(decorator) for decorator in node.decorator_list}
        if name in OVERRIDES or decorators - {"staticmethod", "classmethod", "override"}:
            continue
        parameters = [
            a.arg for a in (*node.args.posonlyargs, *node.args.args) if a.arg not in {"self", "cls"}
        ]
        if len(parameters) > POSITIONAL:
            yield f"{name} takes {len(parameters)} positional parameters, at most {POSITIONAL}"


def crowded_folders(root: Path) -> Iterator[str]:
    """Name each folder with too many entries; vendored, migrated and generated files only accumulate."""
    base = root / tree.PACKAGE
    folders = {
        base,
        *(parent for path in tree.files(base) for parent in path.parents if base in parent.parents),
    }
    for folder in sorted(folders):
        if {"static", "migrations", "generated"} & set(folder.relative_to(base).parts):
            continue
        entries = [entry.name for entry in folder.iterdir() if not _uncounted(entry)]
        most = LAYERS if folder == base else ENTRIES
        if len(entries) > most:
            yield f"{folder.relative_to(root)}: {len(entries)} entries, at most {most}"


def _uncounted(entry: Path) -> bool:
    return entry.name in {"__init__.py", "__pycache__", "node_modules", "py.typed"}
