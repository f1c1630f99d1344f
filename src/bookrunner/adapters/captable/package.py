"""Packages of the Open Cap Table Format: a zip of a manifest and of files of objects, with their hashes."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from bookrunner.adapters.captable.objects import OCF_VERSION, Fault, check_object
from bookrunner.core.errors import Malformed

# One object of a package, as its JSON says.
Item = dict[str, Any]

MOST_BYTES: Final = 256 * 2**20
_MANIFEST: Final = "Manifest.ocf.json"
# One moment for all files, so that the same register gives the same bytes.
_STAMP: Final = (1980, 1, 1, 0, 0, 0)
# The key in the manifest, the file type, and the file of each list of objects that a package may have.
_FILES: Final[Mapping[str, tuple[str, str]]] = {
    "stock_plans_files": ("OCF_STOCK_PLANS_FILE", ""),
    "stock_legend_templates_files": ("OCF_STOCK_LEGEND_TEMPLATES_FILE", "StockLegends.ocf.json"),
    "stock_classes_files": ("OCF_STOCK_CLASSES_FILE", "StockClasses.ocf.json"),
    "vesting_terms_files": ("OCF_VESTING_TERMS_FILE", ""),
    "valuations_files": ("OCF_VALUATIONS_FILE", ""),
    "transactions_files": ("OCF_TRANSACTIONS_FILE", "Transactions.ocf.json"),
    "stakeholders_files": ("OCF_STAKEHOLDERS_FILE", "Stakeholders.ocf.json"),
}


@dataclass(frozen=True, slots=True)
class Package:
    """What a package holds: the issuer, the day that it shows, and its objects by their list."""

    issuer: Item
    as_of: str
    generated_at: str
    objects: Mapping[str, Sequence[Item]]
    faults: list[Fault] = field(default_factory=list)


def write_package(package: Package) -> bytes:
    """Return the zip of a package; the same package gives the same bytes."""
    files: dict[str, bytes] = {}
    manifest: dict[str, Any] = {
        "ocf_version": OCF_VERSION,
        "file_type": "OCF_MANIFEST_FILE",
        "issuer": package.issuer,
        "as_of": package.as_of,
        "generated_at": package.generated_at,
    }
    for key, (file_type, name) in _FILES.items():
        manifest[key] = []
        if name:
            files[name] = _text({"file_type": file_type, "items": list(package.objects.get(key, ()))})
            manifest[key] = [{"filepath": f"./{name}", "md5": _md5(files[name])}]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {_MANIFEST: _text(manifest), **files}.items():
            archive.writestr(zipfile.ZipInfo(name, _STAMP), content)
    return made.getvalue()


def read_package(raw: bytes) -> Package:
    """Read a package and name the faults of its files and objects.

    Refuses ``package_is_a_zip``, ``package_is_not_too_large`` and ``package_has_its_manifest``. Faults beside
    those of `check_object` are ``file_is_there``, ``file_is_what_its_hash_says``, ``file_has_its_type`` and
    ``id_is_used_once``.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(raw))
    except zipfile.BadZipFile:
        raise Malformed("package_is_a_zip", "the file is no zip archive") from None
    with archive:
        if sum(entry.file_size for entry in archive.infolist()) > MOST_BYTES:
            raise Malformed("package_is_not_too_large", f"more than {MOST_BYTES} bytes")
        manifest = _manifest(archive)
        faults = check_object("manifest/issuer", manifest.get("issuer"))
        objects: dict[str, list[Item]] = {}
        for key, (file_type, _) in _FILES.items():
            objects[key] = []
            for named in manifest.get(key) or ():
                items, found = _items(archive, named, file_type)
                objects[key] += items
                faults += found
    issuer, as_of = manifest.get("issuer") or {}, str(manifest.get("as_of", ""))
    faults += _repeated(objects)
    return Package(issuer, as_of, str(manifest.get("generated_at", "")), objects, faults)


def _manifest(archive: zipfile.ZipFile) -> dict[str, Any]:
    names = [name for name in archive.namelist() if name.rpartition("/")[2] == _MANIFEST]
    said = _parsed(archive.read(names[0])) if len(names) == 1 else None
    if not isinstance(said, dict) or said.get("file_type") != "OCF_MANIFEST_FILE":
        raise Malformed("package_has_its_manifest", f"one {_MANIFEST} has to be there")
    return said


def _items(archive: zipfile.ZipFile, named: object, file_type: str) -> tuple[list[Item], list[Fault]]:
    path = str(named.get("filepath", "")) if isinstance(named, dict) else ""
    name = path.removeprefix("./")
    if name not in archive.namelist():
        return [], [
            Fault(name or "manifest", "", "file_is_there", f"{path or 'a file'} is not in the package")
        ]
    raw, faults = archive.read(name), []
    if isinstance(named, dict) and str(named.get("md5", "")).lower() != _md5(raw):
        faults.append(Fault(name, "", "file_is_what_its_hash_says", "the manifest has another hash"))
    said = _parsed(raw)
    if (
        not isinstance(said, dict)
        or said.get("file_type") != file_type
        or not isinstance(said.get("items"), list)
    ):
        return [], [*faults, Fault(name, "", "file_has_its_type", f"{file_type} was expected")]
    good: list[Item] = []
    for number, item in enumerate(said["items"]):
        found = check_object(f"{name}#{number}", item)
        faults += found
        if not found:
            good.append(item)
    return good, faults


def _repeated(objects: Mapping[str, Iterable[Item]]) -> list[Fault]:
    seen: set[str] = set()
    faults = []
    for key, items in objects.items():
        for item in items:
            named = str(item["id"])
            if named in seen:
                faults.append(Fault(key, named, "id_is_used_once", "two objects have this id"))
            seen.add(named)
    return faults


def _parsed(raw: bytes) -> object:
    try:
        parsed: object = json.loads(raw)
    except ValueError:
        return None
    return parsed


def _text(said: object) -> bytes:
    return json.dumps(said, indent=2, ensure_ascii=False, sort_keys=True).encode()


def _md5(raw: bytes) -> str:
    # The format names its files by MD5; nothing secret or trusted rests on it.
    return hashlib.md5(raw, usedforsecurity=False).hexdigest()
