"""Static files: the vendored ones and the style sheet, each under a path that holds its hash."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from importlib.resources import files

_TYPES = {"js": "text/javascript", "css": "text/css", "woff2": "font/woff2"}
_FONTS = ("inter-latin-wght-normal.woff2", "inter-latin-ext-wght-normal.woff2")


@dataclass(frozen=True, slots=True)
class Asset:
    """A file as it is served: its path, its type, its bytes and their hash for ``integrity``."""

    path: str
    media_type: str
    content: bytes
    integrity: str


def _asset(name: str, content: bytes) -> Asset:
    digest = hashlib.sha384(content).digest()
    return Asset(
        path=f"/static/{digest.hex()[:16]}/{name}",
        media_type=_TYPES[name.rpartition(".")[2]],
        content=content,
        integrity="sha384-" + base64.b64encode(digest).decode("ascii"),
    )


def assets() -> dict[str, Asset]:
    """Return every served file by its name; the style sheet names the fonts by their served paths."""
    folder = files("bookrunner.pages") / "static"
    found = {
        entry.name: _asset(entry.name, entry.read_bytes())
        for entry in folder.iterdir()
        if entry.name.rpartition(".")[2] in {"js", "woff2"}
    }
    style = (folder / "bookrunner.css").read_text(encoding="utf-8")
    for font in _FONTS:
        style = style.replace(f"url({font})", f"url({found[font].path})")
    found["bookrunner.css"] = _asset("bookrunner.css", style.encode("utf-8"))
    return found
