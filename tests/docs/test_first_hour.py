"""The page of the first hour is played on a server of its own, by curl and by the client."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

pytestmark = [pytest.mark.chain, pytest.mark.timeout(600)]

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs" / "first-hour.md").read_text(encoding="utf-8")
LOOPBACK = '{"loopback": true}'
START = "bookrunner demo --investors 6 --packets"
KEYS = {"OTTO": "operator.otto", "ANA": "officer.ana", "ROSA": "desk.rosa", "IVAN": "issuer.ivan"}
MADE = re.compile(r"^export (\w+)=\$\(\.venv/bin/bookrunner (key [\w. ]+)\)", re.MULTILINE)


@pytest.fixture(scope="module")
def server(state_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, str]]:
    """Run the demo that the page starts, and return what its reader exports."""
    folder = tmp_path_factory.mktemp("receiver")
    assert f"BOOKRUNNER_WEBHOOKS='{LOOPBACK}' SSL_CERT_FILE=localhost.pem\n.venv/bin/{START}" in PAGE
    (certify,) = re.findall(r"^openssl .*$", PAGE, re.MULTILINE)
    subprocess.run(certify.split(), cwd=folder, check=True, capture_output=True)
    state = state_root / "hour"
    state.mkdir(mode=0o711)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    told = {
        "BOOKRUNNER_STATE_DIR": str(state),
        "BOOKRUNNER_PORT": str(port),
        "BOOKRUNNER_WEBHOOKS": LOOPBACK,
        "SSL_CERT_FILE": str(folder / "localhost.pem"),
        "PYTHONPATH": str(ROOT / "src"),
    }
    demo = subprocess.Popen(
        [sys.executable, "-m", "bookrunner.cli", *START.split()[1:]],
        env=os.environ | told,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert demo.stdout is not None
    try:
        shown: list[str] = []
        for line in demo.stdout:
            shown.append(line)
            if line.startswith("Press Ctrl-C"):
                break
        keys = dict(re.findall(r"^  (\S+)  (bookrunner_\S+)$", "".join(shown), re.MULTILINE))
        said = {name: keys[holder] for name, holder in KEYS.items()}
        for name, command in MADE.findall(PAGE):
            said[name] = subprocess.run(
                [sys.executable, "-m", "bookrunner.cli", *command.split()],
                env=os.environ | told,
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
        yield told | said | {"BOOKRUNNER_URL": f"http://127.0.0.1:{port}"}
    finally:
        demo.terminate()
        demo.communicate(timeout=60)


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)


def expected() -> str:
    """Return what the page shows that comes back: what follows the code of each step."""
    return "".join(re.findall(r"^```python\n.*?^```\n\n```text\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize(
    ("language", "last"),
    [("sh", "0 faults\n"), ("python", "['closing.proposed', 'closing.frozen']\n")],
    ids=["curl", "client"],
)
def test_the_page_is_played(server: Mapping[str, str], tmp_path: Path, language: str, last: str) -> None:
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    for file in Path(server["SSL_CERT_FILE"]).parent.iterdir():
        (tmp_path / file.name).symlink_to(file)
    script = tmp_path / "hour"
    script.write_text("\n".join(blocks(language)), encoding="utf-8")
    program = ["bash", "-eu"] if language == "sh" else [sys.executable]
    played = subprocess.run(
        [*program, str(script)],
        env=os.environ | dict(server),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (played.returncode, played.stdout) == (0, expected() + last), played.stderr


def test_the_program_of_the_page_is_typed(tmp_path: Path) -> None:
    script = tmp_path / "hour.py"
    script.write_text("\n".join(blocks("python")), encoding="utf-8")
    checked = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", str(script)],
        env=os.environ | {"MYPYPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout
