"""The command line with wrong ids, arguments, addresses and files: one clear line, a status, no traceback."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from bookrunner.cli import app, main
from bookrunner.cli.screen import narrowed
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.stories.conftest import picture, publish

pytestmark = pytest.mark.chain

Answer = tuple[int, list[str]]
Run = Callable[..., Answer]

NOWHERE = "postgresql://admin:hidden@127.0.0.1:1/books"
ASKS_THE_DATABASE: tuple[Sequence[str], ...] = (
    ("why", "inv_1"),
    ("close", "ofr_1", "--dry-run"),
    ("release", "ofr_1", "cls_1", "payee", "--actor", "a"),
    ("reconcile", "ofr_1"),
    ("verify",),
    ("export", "history.jsonl"),
    ("doctor",),
)


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command in an installation that was never started, and what it answers."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOOKRUNNER_STATE_DIR", str(tmp_path / "state"))

    def answer(*arguments: str, **settings: str) -> Answer:
        for name, value in settings.items():
            monkeypatch.setenv(f"BOOKRUNNER_{name.upper()}", value)
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        told = capsys.readouterr()
        assert not told.err
        assert isinstance(ended.value.code, int)
        return ended.value.code, told.out.splitlines()

    return answer


@pytest.fixture
def here(run: Run, world: World, story_state: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return the same for the installation that runs."""
    assert world.application
    monkeypatch.setenv("BOOKRUNNER_STATE_DIR", str(story_state))
    return run


@pytest.fixture
def no_node() -> Iterator[str]:
    """Serve pages instead of JSON-RPC and return the address."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<p>hello</p>")

        def log_message(self, *_: object) -> None:
            """Stay silent."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def refusal(answer: Answer) -> str:
    """Return the one line of a refused command."""
    status, lines = answer
    assert status == 1, lines
    (line,) = lines
    word, _, told = line.partition(" ")
    assert word == "refused"
    return told


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([], "A command is missing."),
        (["sell"], "No such command"),
        (["--fast"], "No such option"),
        (["why"], "Missing argument"),
        (["why", "inv_1\n"], "not printable"),
        (["why", "inv_\udcff"], "not printable"),
        (["close", "ofr_1", "ofr_2"], "unexpected extra argument"),
        (["close", "ofr_1", "--redy"], "No such option"),
        (["release", "ofr_1", "cls_1", "payee"], "Missing option '--actor'"),
        (["release", "ofr_1", "cls_1", "--actor", "a"], "Missing argument"),
        (["reconcile"], "Missing argument"),
        (["export"], "Missing argument"),
        (["simulate", "--investors", "2"], "'--investors'"),
        (["simulate", "--seed", "x"], "'--seed'"),
    ],
)
def test_wrong_usage(run: Run, arguments: list[str], says: str) -> None:
    status, lines = run(*arguments)
    assert status == 2
    assert lines[-1].startswith("usage ")
    assert says in lines[-1]
    assert "--help" in lines[-1]
    assert not arguments or len(lines) == 1


@pytest.mark.parametrize(
    "case",
    [
        (["why", "inv_none"], "there is no investment inv_none"),
        (["why", "[/red]"], "there is no investment [/red]"),
        (["close", "ofr_none"], "there is no offer ofr_none; known: ofr_"),
        (["close", "ofr_none", "--ready"], "there is no offer"),
        (["close", "ofr_none", "--dry-run"], "there is no offer"),
        (["close", "OFFER", "--actor", ""], "write_names_actor_and_request"),
        (["release", "ofr_none", "cls_1", "payee", "--actor", "a"], "there is no offer"),
        (["release", "OFFER", "cls_none", "payee", "--actor", "a"], "closing_exists"),
        (["reconcile", "ofr_none"], "there is no offer"),
    ],
)
def test_a_wrong_id(here: Run, world: World, published: Story, case: tuple[list[str], str]) -> None:
    arguments, says = case
    before = picture(world)
    given = [published.offering if word == "OFFER" else word for word in arguments]
    assert says in refusal(here(*given))
    assert picture(world) == before


@pytest.mark.parametrize("arguments", ASKS_THE_DATABASE, ids=lambda words: words[0])
def test_no_database(run: Run, arguments: Sequence[str]) -> None:
    status, lines = run(*arguments, database_url=NOWHERE)
    assert status == 1
    (line,) = lines
    assert "127.0.0.1" in line
    assert "hidden" not in line


def test_a_wrong_database_url(here: Run, world: World) -> None:
    urls = {
        "nonsense": "is not a PostgreSQL connection string",
        "postgresql://127.0.0.1:many/books": "invalid integer value",
        world.endpoint.of("nobody").admin_dsn(): 'database "nobody" does not exist',
    }
    for url, says in urls.items():
        assert says in refusal(here("why", "inv_1", database_url=url))
        status, lines = here("doctor", database_url=url)
        assert (status, len(lines)) == (1, 1)
        assert says in lines[0]
    password = world.endpoint.secrets.obtain("bookrunner_admin")
    wrong = world.endpoint.admin_dsn().replace(password, "another")
    assert "password authentication failed" in refusal(here("why", "inv_1", database_url=wrong))


def test_the_doctor_tells_a_sound_database_from_an_empty_one(here: Run, world: World) -> None:
    status, lines = here("doctor")
    assert (status, lines[0]) == (0, "nothing is wrong with this set-up")
    closed = [line.partition(" is not set: ")[0] for line in lines[1:]]
    assert closed == [f"closed BOOKRUNNER_{name}" for name in ("SCORER", "TOKENS", "SETTLEMENT_SECRETS")]
    key = '{"url": "https://models.example/v1", "key": "sk-1", "model": "m"}'
    assert len(here("doctor", scorer=key)[1]) == len(lines) - 1
    status, lines = here("doctor", scorer=key.replace("https", "http"))
    assert (status, len(lines)) == (1, 1)
    assert "BOOKRUNNER_SCORER: the scorer is asked at an https address" in lines[0]
    assert here("doctor", scorer=key)[0] == 0
    assert here("doctor", database_url=world.endpoint.admin_dsn())[0] == 0
    status, lines = here("doctor", database_url=world.endpoint.of("postgres").admin_dsn())
    assert (status, len(lines)) == (1, 1)
    assert "the database has the migrations none" in lines[0]


def test_a_node_that_is_none_of_ours(here: Run, world: World, no_node: str) -> None:
    bad = {
        "http://127.0.0.1:1": "the node did not answer",
        "http://127.0.0.1:99999": "no http or https URL",
        "http://[": "no http or https URL",
        "ftp://127.0.0.1": "no http or https URL",
        "mainnet": "no http or https URL",
        no_node: "not JSON-RPC",
    }
    for url, says in bad.items():
        assert says in refusal(here("reconcile", "ofr_1", rpc_url=url))
        status, lines = here("doctor", rpc_url=url)
        assert (status, len(lines)) == (1, 1)
        assert says in lines[0]
    other = "the node is on chain 31337, BOOKRUNNER_CHAIN_ID says 1"
    assert refusal(here("close", "ofr_1", rpc_url=world.node_url, chain_id="1")) == other
    assert other in here("doctor")[1][0]


def test_a_setting_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    told = refusal(run("verify", chain_id="mainnet"))
    assert told.startswith("BOOKRUNNER_CHAIN_ID: ")
    (tmp_path / "file").touch()
    told = refusal(run("why", "inv_1", chain_id="31337", state_dir=str(tmp_path / "file" / "state")))
    assert told.endswith("Not a directory")


def test_an_export_that_cannot_be_written(here: Run, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    bad = {"nowhere/h.jsonl": "No such file", "file/h.jsonl": "Not a directory", "pipe": "no regular file"}
    for target, says in bad.items():
        assert says in refusal(here("export", target))
    assert (tmp_path / "pipe").is_fifo()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file", "pipe"]
    assert here("export", "h.jsonl")[0] == 0
    assert here("verify", "h.jsonl")[0] == 0


def test_an_export_that_cannot_be_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    bad = {
        "none.jsonl": "there is no file none.jsonl",
        "[/red].jsonl": "there is no file [/red].jsonl",
        "a\udcff.jsonl": "there is no file a\\udcff.jsonl",
        "folder": "there is no file folder",
        "n" * 300: "File name too long",
        "/proc/self/mem": "cannot be read: Input/output error",
    }
    for path, says in bad.items():
        assert says in refusal(run("verify", path))


def test_an_export_that_was_cut_off(here: Run, tmp_path: Path) -> None:
    assert here("export", "whole.jsonl")[0] == 0
    raw = (tmp_path / "whole.jsonl").read_bytes()
    lines = raw.splitlines(keepends=True)
    cut = tmp_path / "cut.jsonl"
    pieces = [raw[:size] for size in (0, 1, len(lines[0]), len(raw) // 2, len(raw) - 1)]
    pieces += [b"".join(lines[:-1]), b"".join(lines[: len(lines) // 2]), b"".join(lines[:5] + lines[6:])]
    for piece in (*pieces, b"\x00" * 1000, os.urandom(1000)):
        cut.write_bytes(piece)
        status, told = here("verify", "cut.jsonl")
        assert status == 1
        assert told[0].startswith("fault ")
        assert told[-1].endswith("faults")
    assert here("verify", "whole.jsonl")[0] == 0
    root = next(record["root"] for record in map(json.loads, lines) if record["type"] == "seal")
    assert here("verify", "whole.jsonl", "--root", f"0x{root}")[0] == 0
    status, told = here("verify", "whole.jsonl", "--root", "0" * 64)
    assert (status, told[0]) == (1, "fault root_is_published: no seal has the root that was given")
    assert "a root is 64 hexadecimal digits" in " ".join(here("verify", "whole.jsonl", "--root", "12")[1])


def test_the_verifier_that_goes_with_an_export_runs_alone(here: Run, tmp_path: Path) -> None:
    assert here("export", "told.jsonl", "--verifier")[0] == 0
    command = [sys.executable, "-I", "-S", "verify_history.py", "told.jsonl"]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout
    assert ran.stdout.endswith(" 0 faults\n")


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (("why", "inv_1"), 1, "refused "),
        (("why",), 2, "usage "),
        (("--help",), 0, ""),
        (("work",), 1, "stopped "),
    ],
)
def test_as_a_process_of_its_own(tmp_path: Path, arguments: Sequence[str], status: int, says: str) -> None:
    settings = {"BOOKRUNNER_DATABASE_URL": NOWHERE, "BOOKRUNNER_STATE_DIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-m", "bookrunner.cli", *arguments],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert ended.returncode == status
    assert ended.stdout.startswith(says)
    assert "Traceback" not in ended.stdout + ended.stderr
    assert not ended.stderr


def test_no_command_waits_for_a_server_that_it_does_not_run() -> None:
    servers = ("bookrunner.api", "bookrunner.client", "bookrunner.pages", "dbos", "fastapi", "sqlalchemy")
    program = f"import sys, bookrunner.cli; print([name for name in {servers} if name in sys.modules])"
    started = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert started.stdout == "[]\n"


def test_one_noun_is_built_alone_and_an_unknown_one_is_looked_for_in_all() -> None:
    assert [group.name for group in narrowed(["vote", "cast"]).registered_groups] == ["vote"]
    (why,) = narrowed(["why", "--json"]).registered_commands
    assert why.callback is not None
    assert why.callback.__name__ == "why"
    for given in ([], ["--help"], ["sell"]):
        assert narrowed(given) is app


def test_a_demo_that_was_interrupted_is_not_called_played(world: World, story_state: Path) -> None:
    """A raise of its own that ended with its publication: other tests close the raise that they share."""
    investors = 7
    publish(world, seed=1, investors=investors)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    ended = subprocess.run(
        [sys.executable, "-m", "bookrunner.cli", "demo", "--investors", str(investors), "--exit"],
        env=os.environ | {"BOOKRUNNER_STATE_DIR": str(story_state), "BOOKRUNNER_PORT": str(port)},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert ended.returncode == 0, ended.stderr
    assert "interrupted an earlier run ended before the certificate" in ended.stdout
    assert "bookrunner demo --wipe" in ended.stdout
    assert "played before" not in ended.stdout


def test_wiping_takes_only_what_an_installation_wrote(run: Run, tmp_path: Path) -> None:
    precious = tmp_path / "state" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("ten years")
    status, lines = run("demo", "--wipe")
    assert (status, lines) == (
        1,
        [f"refused {precious.parent} is not removed: thesis.txt is not of an installation"],
    )
    precious.rename(tmp_path / "thesis.txt")
    (precious.parent / "keys").mkdir()
    assert run("demo", "--wipe")[0] == 0
    assert not precious.parent.exists()


def test_an_installation_that_runs_is_not_wiped(here: Run, story_state: Path) -> None:
    status, lines = here("demo", "--wipe")
    assert status == 1
    assert lines == [f"refused {story_state} is not removed: its database is running; stop it first"]
    assert (story_state / "keys").exists()
