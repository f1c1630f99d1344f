"""Records of any moment, the access log and bundles for examiners, on the command line over a raise."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bookrunner.cli import main
from bookrunner.sandbox.story import Story

pytestmark = pytest.mark.chain

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def here(
    raised: Story, story_state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Return what runs a command in the installation that runs: its status, and what it said."""
    assert raised.exists()
    monkeypatch.setenv("BOOKRUNNER_STATE_DIR", str(story_state))

    def answer(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        told = capsys.readouterr()
        assert not told.err or "--json" in arguments
        assert isinstance(ended.value.code, int)
        return ended.value.code, told.out + told.err

    return answer


def test_a_record_is_shown_as_of_a_moment(here: Run, raised: Story) -> None:
    status, said = here("as-of", raised.offering, "--json")
    now = json.loads(said)
    assert (status, now["fields"]["status"]) == (0, "legally_closed")
    versions = now["tables"][-1]["rows"]
    moment = versions[0]["recorded"].removesuffix(" UTC").replace(" ", "T") + "Z"
    early = here("as-of", raised.offering, "--at", "2001-01-01")
    assert (early[0], "record_exists" in early[1]) == (1, True)
    assert here("as-of", raised.offering, "--at", moment.replace("Z", ".999999Z"))[0] == 0
    assert here("as-of", raised.offering, "--at", "soon")[0] == 2
    assert here("as-of", "ofr_none")[0] == 1


def test_a_look_is_in_the_access_log(here: Run, raised: Story) -> None:
    investor = json.loads(here("as-of", raised.offering, "--json")[1])["scope"]
    assert investor == raised.offering
    looked = here("as-of", raised.offering, "--because", "a complaint", "--actor", "usr_aud")
    assert looked[0] == 0
    log = json.loads(here("access-log", "--json")[1])
    assert {"who": "usr_aud", "why": "a complaint"}.items() <= log["tables"][0]["rows"][0].items()
    assert json.loads(here("access-log", "--until", "2001-01-01", "--json")[1])["views"] == 0


def test_a_bundle_is_taken(here: Run, tmp_path: Path) -> None:
    period = ("--from", "2001-01-01", "--until", "2999-12-31")
    target = tmp_path / "bundle"
    status, said = here("examine", *period, "--out", str(target), "--because", "exam", "--json")
    assert status == 0, said
    manifest = json.loads((target / "manifest.json").read_bytes())
    assert json.loads(said)["files"] == len(manifest["files"])
    assert list((target / "documents").glob("*.pdf")) or list((target / "documents").glob("*.json"))
    again = here("examine", *period, "--out", str(target), "--because", "exam")
    assert (again[0], "is there already" in again[1]) == (1, True)


def test_a_seal_is_anchored_and_an_event_says_its_anchor(here: Run, raised: Story, tmp_path: Path) -> None:
    event = f"{raised.offering}@1"
    status, before = here("verify", "--event", event)
    assert (status, "not yet" in before) == (0, True)
    status, made = here("anchor", "--json")
    assert status == 0, made
    assert "proves nothing to a stranger" in made
    status, after = here("verify", "--event", event)
    assert (status, json.loads(made)["transaction"] in after) == (0, True)
    (row,) = json.loads(here("anchors", "--json")[1])["tables"][0]["rows"]
    export = str(tmp_path / "history.jsonl")
    assert here("export", export)[0] == 0
    assert here("verify", export, "--root", row["data"])[0] == 0
    assert here("verify", export, "--root", row["data"][:-2] + "00")[0] == 1
    assert here("verify", "--event", "ofr_none@1")[0] == 1
    assert here("verify", "--event", "ofr_none")[0] == 2
