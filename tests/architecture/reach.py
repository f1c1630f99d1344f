"""Nothing lies around: each module is imported, each template rendered."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from tests.architecture import tree


def _module(path: Path, base: Path) -> str:
    parts = path.relative_to(base.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _imported(path: Path, base: Path) -> Iterator[str]:
    """Yield each dotted name that a file imports, relative ones resolved."""
    here = _module(path, base).split(".")
    folder = here if path.name == "__init__.py" else here[:-1]
    for node in ast.walk(tree.parse(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = folder[: len(folder) - node.level + 1] if node.level else []
            source = ".".join([*above, *([node.module] if node.module else [])])
            yield source
            yield from (f"{source}.{alias.name}" for alias in node.names)


def _is_started(path: Path) -> bool:
    """Whether a file is a program of its own, which ``python -m`` starts."""
    tests = [node.test for node in tree.parse(path).body if isinstance(node, ast.If)]
    return any(ast.unparse(test) == "__name__ == '__main__'" for test in tests)


def unimported_modules(root: Path) -> Iterator[str]:
    """Name each module that no other module imports and nobody starts; Alembic loads migrations by itself."""
    base = root / tree.PACKAGE
    sources = list(tree.files(base, "*.py"))
    wanted = {name for path in sources for name in _imported(path, base) if name != _module(path, base)}
    for path in sources:
        if path.name in {"__init__.py", "__main__.py"} or "migrations" in path.parts or _is_started(path):
            continue
        if _module(path, base) not in wanted:
            yield f"{path.relative_to(root)}: never imported"


def unrendered_templates(root: Path) -> Iterator[str]:
    """Name each template that no Python file and no other template mentions."""
    base = root / tree.PACKAGE
    templates = [path for path in tree.files(base) if path.suffix in {".html", ".j2", ".typ"}]
    texts = {path: tree.text(path) for path in (*templates, *tree.files(base, "*.py"))}
    for template in templates:
        if not any(template.name in content for path, content in texts.items() if path != template):
            yield f"{template.relative_to(root)}: never rendered"
