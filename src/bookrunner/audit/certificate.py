"""Proves the certificate of a closing offline: its text, the facts of each member, their root, its event."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bookrunner.audit.errors import FileUnusable
from bookrunner.audit.merkle import merkle_root
from bookrunner.core.errors import NotFound

_LEAF = b"\x00"
_KEYS = {"closing", "members", "number", "offering", "root", "set_sha256"}


def verify_certificate(path: Path, export: Path | None = None) -> list[str]:
    """Return a sentence for each fault of a certificate; none when it stands.

    The bytes are canonical (RFC 8785), the facts of each member hash to what is stated, and the Merkle root
    (RFC 6962) covers every member. With an export, its history names these very bytes as the certificate of
    the closing. Raises NotFound and FileUnusable.
    """
    raw = _read(path)
    try:
        said = json.loads(raw)
    except ValueError:
        return ["the file is no JSON text"]
    if not isinstance(said, dict) or set(said) != _KEYS or not isinstance(said["members"], list):
        return ["the file is no certificate of a closing"]
    faults = [] if canonical(said) == raw else ["the text is not canonical"]
    faults += [
        f"the facts of {member.get('investment')} do not hash to what is stated"
        for member in said["members"]
        if hashlib.sha256(canonical(member.get("facts"))).hexdigest() != member.get("facts_sha256")
    ]
    leaves = [hashlib.sha256(_LEAF + canonical(member)).digest() for member in said["members"]]
    if merkle_root(leaves).hex() != said["root"]:
        faults.append("the root does not cover the members")
    if export is not None and not _is_told(export, said, hashlib.sha256(raw).hexdigest()):
        faults.append(f"the history does not name this as the certificate of {said['closing']}")
    return faults


def canonical(value: object) -> bytes:
    """Return the RFC 8785 bytes of a value whose numbers are whole."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()


def _read(path: Path) -> bytes:
    try:
        if not path.is_file():
            raise NotFound(f"there is no file {path}")
        return path.read_bytes()
    except OSError as fault:
        raise FileUnusable(f"{path} cannot be read: {fault.strerror}") from None


def _is_told(export: Path, said: Mapping[str, Any], digest: str) -> bool:
    """Say whether the history of an export has the certification of this closing with this digest."""
    for line in _read(export).splitlines():
        row = json.loads(line)
        if row.get("type") != "event" or row.get("kind") not in {None, "closing.certified"}:
            continue
        told = json.loads(row["canonical"]) if "canonical" in row else {}
        if told.get("kind") == "closing.certified" and told.get("subject") == said["closing"]:
            stated: str = told["payload"].get("certificate_sha256", "")
            return stated.removeprefix("\\x") == digest
    return False
