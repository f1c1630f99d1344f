"""SQL lives in files; each query has a name, a sentence and a caller."""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

from tests.architecture import tree

_NAME = re.compile(r"^--\s*name:\s*([A-Za-z_]\w*)", re.MULTILINE)
_STATEMENT = re.compile(
    r"^\s*(?:SELECT\s|INSERT\s+INTO\s|UPDATE\s+[\w.\"]+\s+SET\s|DELETE\s+FROM\s|TRUNCATE\s|CALL\s+[\w.]+\s*\("
    r"|COPY\s+[\w.\"(]|WITH\s+\w+\s+AS\s*\(|(?:CREATE|ALTER|DROP)\s+(?:OR\s+REPLACE\s+)?[A-Z]{3,}\s"
    r"|GRANT\s+[\w, ]+\s+(?:ON|TO)\s|REVOKE\s+[\w, ]+\s+(?:ON|FROM)\s|SET\s+(?:LOCAL|SESSION|ROLE)\s"
    r"|LOCK\s+TABLE\s|NOTIFY\s|LISTEN\s)"
)
# In lower case a statement is known by its shape, so that an English sentence is none.
_SHAPE = re.compile(
    r"^\s*(?:select\s.+\sfrom\s+[\w.]+(?:\s+(?:where|join|order|limit)\s|\s*;?\s*$)|select\s+[\w.]+\s*\("
    r"|insert\s+into\s+[\w.]+\s*(?:\(|values|select)|update\s+[\w.]+\s+set\s+\w+\s*=|delete\s+from\s+[\w.]+"
    r"|with\s+\w+\s+as\s*\(|(?:create|alter|drop)\s+(?:table|role|schema|database|view|function|index)\s+\w)",
    re.DOTALL,
)


# Of a word that somebody gave or did not give: a null, which is neither, must not pass for a yes.
_NOT_NO = re.compile(r"\b(?:if|when)\s+not\s+(p_is_\w+)", re.IGNORECASE)


def query_files(root: Path) -> Iterator[Path]:
    """Yield each file of queries."""
    base = root / tree.PACKAGE
    yield from tree.files(base, "queries.sql")
    yield from (path for path in tree.files(base, "*.sql") if path.parent.name == "queries")


def unused_queries(root: Path) -> Iterator[str]:
    """Name each query that nobody calls: as an attribute anywhere, or by a string in its own package.

    Layers above a book call its queries through its keeper, so an attribute counts wherever it stands.
    """
    base = root / tree.PACKAGE
    attributes = {
        node.attr
        for source in tree.files(base, "*.py")
        for node in ast.walk(tree.parse(source))
        if isinstance(node, ast.Attribute)
    }
    for path in query_files(root):
        home = path.parent.parent if path.parent.name == "queries" else path.parent
        used = attributes | set(_strings(home))
        for name in _NAME.findall(tree.text(path)):
            if name not in used:
                yield f"{path.relative_to(root)}: {name} is never called"


def _strings(home: Path) -> Iterator[str]:
    for source in tree.files(home, "*.py"):
        for node in ast.walk(tree.parse(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def nameless_or_silent_queries(root: Path) -> Iterator[str]:
    """Name each query that another in the file shadows, and each without a sentence below its name."""
    for path in query_files(root):
        content = tree.text(path)
        for name, count in Counter(_NAME.findall(content)).items():
            if count > 1:
                yield f"{path.relative_to(root)}: {name} is declared {count} times"
        lines = [*content.splitlines(), ""]
        for above, below in pairwise(lines):
            if (named := _NAME.match(above)) and not re.match(r"--\s*\w+\s+\w+", below):
                yield f"{path.relative_to(root)}: {named.group(1)} has no sentence"


def sql_in_strings(root: Path) -> Iterator[str]:
    """Name each string of the package that is a SQL statement; docstrings may quote one."""
    for path, module in tree.package(root):
        skipped = tree.docstrings(module)
        for node in ast.walk(module):
            if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in skipped:
                continue
            if _STATEMENT.match(node.value) or _SHAPE.match(node.value):
                yield f"{path}:{node.lineno}: {' '.join(node.value.split())[:60]}"


def nulls_that_agree(root: Path) -> Iterator[str]:
    """Name each branch that a null word of a person would pass as if it were given."""
    for path in tree.files(root / "src", "*.sql"):
        if "migrations" in path.parts:
            continue
        for number, line in enumerate(tree.text(path).splitlines(), 1):
            if found := _NOT_NO.search(line):
                yield f"{path.relative_to(root)}:{number}: write {found[1]} is not true"
