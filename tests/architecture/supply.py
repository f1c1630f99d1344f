"""What comes from outside has a reason and a hash; what an operator sets is little and documented."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tests.architecture import tree

SETTINGS = 25
LISTS = ("dependencies", "node", "dev")

# Written in pieces, so that this file itself holds none of them.
HOSTS = tuple(
    ".".join(pieces)
    for pieces in (
        ("pypi", "org"),
        ("python" + "hosted", "org"),
        ("npm" + "js", "org"),
        ("npm" + "js", "com"),
        ("deb", "debian", "org"),
        ("proxy", "golang", "org"),
        ("crates", "io"),
    )
)


def unreasoned_dependencies(root: Path) -> Iterator[str]:
    """Name each dependency whose line does not end with its reason."""
    wanted = False
    for line in (root / "pyproject.toml").read_text(encoding="utf-8").splitlines():
        if opened := re.match(r"([\w-]+) = \[$", line):
            wanted = opened.group(1) in LISTS
        elif line == "]":
            wanted = False
        elif wanted and re.match(r'\s*"', line) and not re.search(r'",\s+# \S+ \S+', line):
            yield f"pyproject.toml: {line.strip()} has no reason"


def lock_files(root: Path) -> Iterator[Path]:
    """Yield each lock file of the checkout."""
    for path in tree.files(root):
        if path.suffix == ".lock" or re.fullmatch(r"(.*-lock|.*shrinkwrap)\.(json|yaml)", path.name):
            yield path


def addresses_in_locks(root: Path) -> Iterator[str]:
    """Name each lock file that says where its packages came from."""
    for path in lock_files(root):
        content = tree.text(path)
        for mark in ('"resolved"', "://", "--index", "--find-links"):
            if mark in content:
                yield f"{path.relative_to(root)}: holds {mark}"


def pins_without_hash(root: Path) -> Iterator[str]:
    """Name each locked Python package that any file of that version could satisfy."""
    for path in root.glob("requirements*.lock"):
        for entry in re.split(r"^(?=\S)", tree.text(path), flags=re.MULTILINE):
            if entry.strip() and not re.match(
                r"[\w.\[\]-]+==\S+[^\n]*\\\n\s+--hash=sha256:[0-9a-f]{64}", entry
            ):
                yield f"{path.name}: {entry.splitlines()[0]} has no hash"


def registry_hosts(root: Path) -> Iterator[str]:
    """Name each file that names a package registry: whoever installs decides where from."""
    for path in tree.files(root):
        content = tree.text(path).lower()
        yield from (f"{path.relative_to(root)}: {host}" for host in HOSTS if host in content)


def settings(root: Path) -> list[str]:
    """Return the name of each setting of each settings class."""
    return [
        field.target.id
        for _, module in tree.package(root)
        for node in ast.walk(module)
        if isinstance(node, ast.ClassDef)
        and "BaseSettings" in {ast.unparse(base).split(".")[-1] for base in node.bases}
        for field in node.body
        if isinstance(field, ast.AnnAssign)
        and isinstance(field.target, ast.Name)
        and field.target.id != "model_config"
    ]


def many_settings(root: Path) -> Iterator[str]:
    """Say when there are more settings than an operator reads."""
    if (count := len(settings(root))) > SETTINGS:
        yield f"{count} settings, at most {SETTINGS}"


def undocumented_settings(root: Path) -> Iterator[str]:
    """Name each setting whose environment variable no page of the docs explains."""
    pages = "".join(tree.text(path) for path in (*tree.files(root / "docs", "*.md"), *root.glob("README.md")))
    for name in settings(root):
        if f"BOOKRUNNER_{name.upper()}" not in pages:
            yield f"BOOKRUNNER_{name.upper()}: not in docs/"
