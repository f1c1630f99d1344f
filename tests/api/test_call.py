"""Any operation from a terminal: what is printed, and with which status it ends."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable

import pytest

from bookrunner.cli import main
from tests.api.conftest import Api
from tests.api.test_tools import SOURCES

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def run(calls: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return what runs `bookrunner api` under a key of the engine."""
    monkeypatch.setenv("BOOKRUNNER_URL", calls.url)
    monkeypatch.setenv("BOOKRUNNER_KEY", calls.key("engine"))

    def answer(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["api", *arguments])
        assert isinstance(ended.value.code, int)
        return ended.value.code, capsys.readouterr().out

    return answer


def test_an_answer_is_printed_as_json(run: Run) -> None:
    status, out = run("list_investments", "offer=ofr_one", "limit=1")
    assert status == 0
    assert [one["id"] for one in json.loads(out)["investments"]] == ["inv_one1"]


def test_a_write_is_made_once_under_its_key(run: Run, calls: Api) -> None:
    for _ in range(2):
        status, out = run("confirm_investment", "investment=inv_one1", "--once", "terminal-1")
        assert (status, json.loads(out)["status"]) == (0, "confirmed")
    assert calls.events("inv_one1").count("investment.confirmed") == 1


def test_a_closed_gate_is_printed_with_its_conditions(run: Run) -> None:
    seen = json.loads(run("dry_run_closing", "offer=ofr_one")[1])["version"]
    body = '{"members": "all"}'
    status, out = run("freeze_closing", "offer=ofr_one", "--version", seen, "--body", body)
    assert status == 1
    assert "gate_is_closed" in out
    assert "inv_one1" in out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["no_such_operation"], "is no operation"),
        (["get_offer"], "it needs offer"),
        (["get_offer", "ofr_one"], "is not NAME=VALUE"),
        (["list_investments", "ofer=ofr_one"], "there is no ofer: it takes "),
        (["get_offer", "offer=ofr_one", "limit=1"], "there is no limit: it takes offer"),
        (["open_offer", "--body", "{"], "it is no JSON"),
    ],
)
def test_wrong_usage_is_one_line_and_status_two(run: Run, arguments: list[str], says: str) -> None:
    status, out = run(*arguments)
    assert (status, says in out) == (2, True), out


def test_a_refusal_is_one_line_and_status_one(run: Run) -> None:
    status, out = run("get_offer", "offer=ofr_none")
    assert (status, "offer_exists" in out) == (1, True)


def test_a_shell_completes_commands_and_operations() -> None:
    for words, found in (("bookrunner recon", "reconcile"), ("bookrunner api get_inv", "get_investment")):
        told = {"_BOOKRUNNER_COMPLETE": "complete_bash", "COMP_WORDS": words}
        told["COMP_CWORD"] = str(len(words.split()) - 1)
        program = "from bookrunner.cli import app; app(prog_name='bookrunner')"
        completed = subprocess.run(
            [sys.executable, "-c", program],
            env=os.environ | told | {"PYTHONPATH": SOURCES},
            capture_output=True,
            text=True,
            check=False,
        )
        assert completed.stdout.split() == [found], completed.stderr
