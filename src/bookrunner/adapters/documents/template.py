"""Template versions: a folder with a layout, clause texts and a schema, unchangeable once approved."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from bookrunner.adapters.documents.typesetter import engine_version
from bookrunner.core.errors import Refused

LAYOUT: Final = "layout.typ"
SHELF: Final = Path(__file__).with_name("templates")
_PACKAGE_IMPORT: Final = re.compile(r"[\"']@[a-z]")
_ITEM: Final = re.compile(r"\(([a-z])\) ")
_PLACE: Final = re.compile(r"\{([a-z_.]*)\}")


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """One approved version: its names, its folder, the SHA-256 over its files, metadata, schema."""

    id: str
    version: str
    folder: Path
    sha256: str
    about: Mapping[str, Any]
    schema: Mapping[str, Any]

    def clause(self, name: str) -> str:
        """Return the text of one clause file, such as ``schedules/consent``."""
        return (self.folder / "clauses" / f"{name}.txt").read_text(encoding="utf-8")

    def clauses(self, group: str) -> list[str]:
        """Return the names of the clause files of one group, in the order of their numbers."""
        return sorted(f"{group}/{path.stem}" for path in (self.folder / "clauses" / group).glob("*.txt"))


def load_template(name: str, version: str, shelf: Path = SHELF) -> Template:
    """Return an approved template version from a shelf.

    Refuses ``template_is_approved`` (unknown, draft or retired), ``approved_template_is_unchanged`` when a
    file differs from what was approved, ``template_imports_no_package`` and ``engine_is_the_approved_one``.
    """
    approvals = json.loads((shelf / "approved.json").read_text(encoding="utf-8"))
    approval = approvals.get(f"{name}/{version}")
    if approval is None or approval["state"] != "approved":
        raise Refused("template_is_approved", f"{name} {version}")
    folder = shelf / name / version
    digest = folder_sha256(folder)
    if digest != approval["sha256"]:
        raise Refused("approved_template_is_unchanged", f"{name} {version} has {digest}")
    about = json.loads((folder / "template.json").read_text(encoding="utf-8"))
    if about["engine_version"] != engine_version():
        raise Refused("engine_is_the_approved_one", f"{name} wants Typst {about['engine_version']}")
    if any(_PACKAGE_IMPORT.search(path.read_text(encoding="utf-8")) for path in folder.rglob("*.typ")):
        raise Refused("template_imports_no_package", f"{name} {version}")
    schema = folder / "schema.json"
    shape = json.loads(schema.read_text(encoding="utf-8")) if schema.exists() else {}
    return Template(name, version, folder, digest, about, shape)


def folder_sha256(folder: Path) -> str:
    """Return the SHA-256 over the relative path and the SHA-256 of each file, in the order of the paths."""
    total = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        inner = hashlib.sha256(path.read_bytes()).hexdigest()
        total.update(f"{path.relative_to(folder).as_posix()} {inner}\n".encode())
    return total.hexdigest()


def read_clause(text: str, values: Mapping[str, str]) -> dict[str, Any]:
    """Return heading and blocks of a clause text, with its places filled in.

    The first line is ``# heading``; blank lines part the blocks; a block that starts with ``(a) `` is an
    item with that mark. Refuses ``clause_names_known_places`` and ``clause_has_a_heading``.
    """
    heading, _, body = text.strip().partition("\n")
    if not heading.startswith("# ") or not body.strip():
        raise Refused("clause_has_a_heading", heading[:60])
    blocks = [" ".join(block.split()) for block in re.split(r"\n\s*\n", body.strip())]
    return {"heading": heading[2:], "blocks": [_block(block, values) for block in blocks]}


def _block(block: str, values: Mapping[str, str]) -> dict[str, str]:
    marked = _ITEM.match(block)
    mark, text = (f"({marked[1]})", block[marked.end() :]) if marked else ("", block)
    unknown = [place for place in _PLACE.findall(text) if place not in values]
    if unknown:
        raise Refused("clause_names_known_places", unknown[0])
    return {"mark": mark, "text": _PLACE.sub(lambda found: values[found[1]], text)}
