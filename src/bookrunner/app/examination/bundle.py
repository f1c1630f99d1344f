"""Takes a bundle: on record first, then read, hashed, indexed, and on record again by its manifest.

The parts are those that an examiner of a transfer agent and a broker asks for (17 CFR 240.17Ad-6, 17Ad-7,
240.17a-4(f)(3)(v)). What a record says is as of the end of the period, made again from its events.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bookrunner.adapters import documents
from bookrunner.adapters.documents import Typesetter
from bookrunner.app.examination.parts import PARTS, Part
from bookrunner.app.examination.tables import Line, Past, as_csv, as_json
from bookrunner.audit import FileUnusable, advance_feed, export_history, seal, write_verifier
from bookrunner.books import portal
from bookrunner.books.subscription import Archive, packets_of
from bookrunner.core import clock
from bookrunner.core.errors import NotFound, Refused
from bookrunner.core.ids import new_id
from bookrunner.db import Database, Keeper, load

_TEMPLATE: Final = ("examination_index", "1.0.0")
_MOST: Final = 2**31


@dataclass(frozen=True, slots=True)
class Asked:
    """Who asks for which period and why; the period ends before ``until``."""

    since: datetime
    until: datetime
    actor: str
    purpose: str


@dataclass(frozen=True, slots=True)
class Bundle:
    """What was taken: its id, where it is, how many files it has, the SHA-256 of its manifest."""

    examination: str
    path: Path
    files: int
    manifest_sha256: str


class Folder:
    """Writes files below a folder and keeps the path, rows, size and SHA-256 of each."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: list[dict[str, Any]] = []

    def write(self, path: str, content: bytes, rows: int | None = None) -> None:
        """Write a file of so many rows, where it has any."""
        target = self.root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
        self.take(path, rows)

    def take(self, path: str, rows: int | None = None) -> None:
        """Take in a file that somebody else has written below the folder."""
        content = (self.root / path).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        self.files.append({"path": path, "bytes": len(content), "rows": rows, "sha256": digest})

    def table(self, path: str, lines: Sequence[Line]) -> None:
        """Write lines as CSV and as JSON."""
        self.write(f"{path}.csv", as_csv(lines), len(lines))
        self.write(f"{path}.json", as_json(lines), len(lines))


Listed = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Kind:
    """What sort of bundle it is: format, what it shows of people, who writes more parts, who judges it."""

    format: str
    shown: Sequence[str]
    add: Callable[[Database, Typesetter, Folder], Mapping[str, Listed]] | None = None
    judge: Callable[[Path, str], object] | None = None


EXAMINATION: Final = Kind(
    "bookrunner/examination/1",
    ("legal_name", "country", "address", "email", "representative", "lei"),
)


def examine(
    database: Database, press: Typesetter, asked: Asked, target: Path, *, kind: Kind = EXAMINATION
) -> Bundle:
    """Write the bundle of a period to an empty folder, or to a new file that ends in ``.zip``.

    Refuses ``examination_says_its_purpose``, ``examined_period_ends_after_its_begin`` and what the index and
    the judge of the kind refuse; raises FileUnusable where something stands at the target or it cannot be
    written. A bundle that was begun and not finished stays on record as begun; as taken it is when it stands
    at the target.
    """
    is_zip = target.suffix == ".zip"
    if target.exists() and (is_zip or not target.is_dir() or any(target.iterdir())):
        raise FileUnusable(f"{target} is there already")
    keeper = Keeper(database, "audit", "bookrunner.audit.record")
    examination = new_id("exm")
    keeper.begin_examination(
        actor=asked.actor,
        examination=examination,
        since=asked.since,
        until=asked.until,
        purpose=asked.purpose,
    )
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        # Nothing stands at the target before all of it is there; what fails on the way is removed.
        with tempfile.TemporaryDirectory(prefix=".bkr-examination-", dir=target.parent) as room:
            folder = Folder(Path(room) / "bundle")
            folder.root.mkdir()
            manifest = _fill(database, press, (examination, asked, kind), folder)
            if kind.judge is not None:
                kind.judge(folder.root, manifest)
            whole = _packed(folder.root, Path(room) / "bundle.zip") if is_zip else folder.root
            if is_zip:
                # What stands there by now is not ours to replace; a folder in use refuses by itself.
                target.touch(exist_ok=False)
            whole.replace(target)
    except OSError as fault:
        raise FileUnusable(f"{target} cannot be written: {fault.strerror}") from None
    keeper.end_examination(
        actor=asked.actor,
        examination=examination,
        manifest_sha256=bytes.fromhex(manifest),
        files=len(folder.files),
    )
    return Bundle(examination, target, len(folder.files), manifest)


def _fill(database: Database, press: Typesetter, taken: tuple[str, Asked, Kind], folder: Folder) -> str:
    """Write every file and return the SHA-256 of the manifest."""
    examination, asked, kind = taken
    added = {} if kind.add is None else kind.add(database, press, folder)
    advance_feed(database)
    seal(database)
    summary = export_history(database, folder.root / "history.jsonl")
    past = Past(summary.path, asked.since, asked.until)
    parts = {name: _part(database, (name, part), asked, (past, folder)) for name, part in PARTS.items()}
    parts["people"] = _people(database, (past, asked), folder, kind.shown)
    parts["documents"] = _documents(database, past, asked, folder)
    folder.take("history.jsonl", summary.events)
    write_verifier(folder.root)
    folder.take("verify_history.py")
    proof = folder.files[-2:]
    head = _head((examination, asked), past, summary.events)
    folder.write("index.pdf", _index(press, head, {**parts, **added, "proof": proof}))
    files = sorted(folder.files, key=lambda one: str(one["path"]))
    about = {"format": kind.format, "made_at": _instant(clock.now()), "damaged": past.damaged}
    manifest = {**about, **head, "files": files}
    raw = (json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()
    sums = "".join(f"{one['sha256']}  {one['path']}\n" for one in files)
    (folder.root / "manifest.json").write_bytes(raw)
    (folder.root / "SHA256SUMS").write_text(sums, encoding="utf-8")
    return hashlib.sha256(raw).hexdigest()


def _part(database: Database, named: tuple[str, Part], asked: Asked, to: tuple[Past, Folder]) -> Listed:
    (name, part), (past, folder) = named, to
    begin = len(folder.files)
    for machine in part.machines:
        folder.table(f"{name}/{machine}", past.records.get(machine, []))
    changes = [line for machine in part.machines for line in past.changes.get(machine, [])]
    folder.table(f"{name}/changes", sorted(changes, key=lambda line: line["recorded_at"]))
    for query, login in (part.tables or {}).items():
        period: dict[str, object] = {"since": asked.since, "until": asked.until}
        home = __package__
        if query == "accesses":
            home, period = "bookrunner.audit.record", {**period, "person": None, "most": _MOST}
        with database.transaction(login) as transaction:
            folder.table(f"{name}/{query}", getattr(load(home), query)(transaction, **period))
    return folder.files[begin:]


def _people(database: Database, of: tuple[Past, Asked], folder: Folder, shown: Sequence[str]) -> Listed:
    """Write who the investors are, each by the portal's own view, which is on record."""
    past, asked = of
    keeper, lines, begin = portal.keeper(database), [], len(folder.files)
    for profile in past.records.get("profile", []):
        line = {"investor": profile["record"], "detail_version": profile["detail_version"]}
        try:
            found = portal.reveal_profile(
                keeper,
                profile["record"],
                int(profile["detail_version"]),
                actor=asked.actor,
                purpose=asked.purpose,
            )
            lines.append(line | {name: found.get(name) for name in shown} | {"is_erased": False})
        except Refused as refused:
            if refused.rule != "personal_data_is_not_erased":
                raise
            lines.append(line | {"is_erased": True})
    folder.table("people/profiles", lines)
    return folder.files[begin:]


def _documents(database: Database, past: Past, asked: Asked, folder: Folder) -> Listed:
    """Write the newest file of each agreement that changed in the period; an erased one is only named."""
    archive, lines, begin = Archive(packets_of(database)), [], len(folder.files)
    changed = {line["subject"] for line in past.changes.get("agreement", [])}
    for agreement in past.records.get("agreement", []):
        stored = next((agreement[name] for name in _FILES if agreement.get(name)), None)
        if agreement["record"] not in changed or stored is None:
            continue
        sha256 = bytes.fromhex(str(stored).removeprefix("\\x"))
        line = {"agreement": agreement["record"], "scope": agreement["scope"], "sha256": sha256.hex()}
        try:
            file = archive.fetch(sha256, actor=asked.actor)
        except (NotFound, Refused) as lost:
            lines.append(line | {"path": None, "lacks": getattr(lost, "rule", "document_exists")})
            continue
        path = f"documents/{sha256.hex()}.{_ENDINGS.get(file.media_type, 'bin')}"
        if not (folder.root / path).exists():
            folder.write(path, file.content)
        lines.append(line | {"path": path, "lacks": None})
    folder.table("documents/agreements", lines)
    return folder.files[begin:]


_FILES: Final = ("executed_sha256", "signed_sha256", "document_sha256")
_ENDINGS: Final = {"application/pdf": "pdf", "text/plain": "txt", "application/json": "json"}
_FURTHER: Final = {
    "people": Part(
        "People", "Who the investors are at the end of the period; the look at each is on record."
    ),
    "registers": Part(
        "Open registers",
        "Each register as Open Cap Table Format and CSV, and a statement of each holder.",
    ),
    "documents": Part("Files", "The newest file of each agreement that changed in the period."),
    "proof": Part("Proof", "The whole history with its seals, and what verifies it."),
}


def _head(taken: tuple[str, Asked], past: Past, events: int) -> dict[str, str]:
    examination, asked = taken
    return {
        "as_of": _instant(min(asked.until, clock.now())),
        "examination": examination,
        "from": _instant(asked.since),
        "until": _instant(asked.until),
        "taken_by": asked.actor,
        "purpose": " ".join(asked.purpose.split()),
        "events": str(events),
        "root": str(past.head["root"]),
    }


def _index(press: Typesetter, head: Mapping[str, str], parts: Mapping[str, Listed]) -> bytes:
    """Return the index for people: the part, its files, rows and digests."""
    told = []
    for name, files in parts.items():
        about = PARTS.get(name) or _FURTHER[name]
        shown = [
            {
                "path": one["path"],
                "rows": "one" if one["rows"] is None else str(one["rows"]),
                "sha256": one["sha256"],
            }
            for one in files
        ]
        told.append({"title": about.title, "says": about.says, "files": shown})
    template = documents.load_template(*_TEMPLATE)
    return documents.render_index(template, {**head, "parts": told}, press).content


def _packed(root: Path, target: Path) -> Path:
    with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as packed:
        for path in sorted(each for each in root.rglob("*") if each.is_file()):
            packed.write(path, path.relative_to(root).as_posix())
    return target


def _instant(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
