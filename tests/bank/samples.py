"""The published bank files that tests read."""

from __future__ import annotations

import zipfile
from pathlib import Path

DATA = Path(__file__).parents[1] / "data" / "bank"


def samples() -> dict[str, bytes]:
    """Return every published file by its folder and name."""
    found = {
        f"{path.parent.name}/{path.name}": path.read_bytes()
        for folder in ("genkgo", "moov")
        for path in sorted((DATA / folder).iterdir())
    }
    with zipfile.ZipFile(DATA / "samples.zip") as archive:
        found |= {name: archive.read(name) for name in archive.namelist()}
    return found
