"""Every command answers in JSON when it is asked to: one document, on one stream, with the same status."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from typer.main import get_command

from bookrunner.adapters.chain import ChainError
from bookrunner.audit.errors import FileUnusable
from bookrunner.cli import app, main
from bookrunner.cli.programs import machine
from bookrunner.core.errors import BookrunnerError, ConfigurationError, UnknownRecord
from bookrunner.db import DatabaseUnavailable
from bookrunner.sandbox.story import Story
from tests.api.conftest import description

Run = Callable[..., tuple[int, Any, Any]]


def commands(group: Any, path: Sequence[str] = ()) -> Iterator[tuple[Sequence[str], Any]]:  # noqa: ANN401
    """Yield each command of the program with its words."""
    for name, command in group.commands.items():
        words = [*path, name]
        if hasattr(command, "commands"):
            yield from commands(command, words)
        else:
            yield words, command


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs a command with --json: its status, and what stood on each stream."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOOKRUNNER_STATE_DIR", str(tmp_path / "state"))

    def answer(*arguments: str) -> tuple[int, Any, Any]:
        with pytest.raises(SystemExit) as ended:
            main([*arguments, "--json"])
        told = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        assert f"{told.out}{told.err}".count("\n") == 1, told
        return ended.value.code, *(json.loads(text) if text else None for text in (told.out, told.err))

    return answer


@pytest.fixture
def here(run: Run, raised: Story, story_state: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Return the same for the installation that runs."""
    assert raised.exists()
    monkeypatch.setenv("BOOKRUNNER_STATE_DIR", str(story_state))
    return run


def is_problem(problem: Mapping[str, Any]) -> None:
    """Compare a problem with the one that the API describes, but for what only a request has."""
    told = description()["components"]
    schema = {**told["schemas"]["Problem"], "components": told}
    schema["required"] = [n for n in schema["required"] if n not in {"instance", "request_id"}]
    Draft202012Validator(schema).validate(problem)
    assert problem["type"] == f"urn:bookrunner:refusal:{problem['code']}"


def test_every_command_has_the_option() -> None:
    every = list(commands(get_command(app)))
    lacking = [words for words, one in every if "--json" not in {p.opts[0] for p in one.params}]
    assert (lacking, len(every) > 60) == ([], True), len(every)


@pytest.mark.parametrize("words", [words for words, _ in commands(get_command(app))], ids="-".join)
def test_wrong_usage_of_every_command_is_a_problem_and_status_two(run: Run, words: Sequence[str]) -> None:
    status, result, problem = run(*words, "--no-such-option")
    assert (status, result, problem["code"]) == (2, None, "command_is_used_as_it_says")
    is_problem(problem)


def test_a_refusal_is_a_problem_on_the_other_stream(run: Run) -> None:
    status, result, problem = run("wallet", "export", "ivr_1")
    assert (status, result) == (1, None)
    is_problem(problem)
    status, result, problem = run("verify", "missing.jsonl")
    assert (status, result) == (1, None), problem


@pytest.mark.parametrize("given", [("--once",), ()])
def test_a_worker_that_stops_says_so_in_one_document(tmp_path: Path, given: Sequence[str]) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:9/none"
    settings = {"BOOKRUNNER_DATABASE_URL": nowhere, "BOOKRUNNER_STATE_DIR": str(tmp_path)}
    ended = subprocess.run(
        [sys.executable, "-m", "bookrunner.cli", "work", *given, "--json"],
        env=os.environ | settings,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
    problem = json.loads(ended.stderr)
    assert (problem["code"], problem["fault"]) == ("server_can_answer", "DatabaseUnavailable")
    is_problem(problem)


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (DatabaseUnavailable("gone"), "server_can_answer"),
        (ChainError("silent"), "server_can_answer"),
        (ConfigurationError("no site"), "installation_is_ready"),
        (UnknownRecord("offer_exists", "ofr_x"), "offer_exists"),
        (FileUnusable("torn"), "command_meets_no_fault"),
    ],
)
def test_each_kind_of_fault_has_its_code(fault: BookrunnerError, code: str) -> None:
    problem = machine.problem_of(fault)
    is_problem(problem)
    assert problem["code"] == code


def test_what_stands_behind_two_hyphens_is_no_option(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    assert run
    with pytest.raises(SystemExit):
        main(["why", "--", "--json"])
    assert capsys.readouterr().out.startswith("refused")


@pytest.mark.chain
def test_the_main_commands_answer_with_what_they_found(here: Run, raised: Story, tmp_path: Path) -> None:
    status, why, _ = here("why", raised.people[0].investment)
    assert (status, why["status"]) == (0, 0)
    rows = [row for table in why["tables"] for row in table["rows"]]
    assert "investor_is_cleared" in json.dumps(rows)
    status, none, problem = here("close", raised.offering)
    assert (status, none, problem["code"]) == (1, None, "gate_is_closed")
    is_problem(problem)
    assert {one["keeper"] for one in problem["gate"]["missing"]} >= {"compliance", "treasury"}
    status, issued, _ = here("key", "json.reader", "engine")
    assert issued["key"].startswith("bookrunner_engine_")
    assert here("keys")[1]["tables"][0]["rows"][0]["keeper"]
    history = str(tmp_path / "history.jsonl")
    status, written, _ = here("export", history)
    assert (status, len(written["sha256"])) == (0, 64)
    status, verdict, _ = here("verify", history)
    assert (status, verdict["faults"], verdict["events"]) == (0, [], written["events"])
    path = Path(history)
    path.write_bytes(path.read_bytes().replace(b"Harbor Street", b"Harbour Streets", 1))
    status, verdict, problem = here("verify", history)
    assert (status, verdict["status"], problem) == (1, 1, None)
    assert verdict["faults"]
