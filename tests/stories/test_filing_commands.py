"""Filings on the command line over a raise: listed, filled, prepared, exported, recorded with proof."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bookrunner.cli import main
from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.attack.test_issuers import PROFILE

pytestmark = pytest.mark.chain

Run = Callable[..., tuple[int, str]]
BY = ("--actor", "issuer.iris")


@pytest.fixture(scope="module")
def named(raised: Story, world: World) -> Story:
    """Return the raise with its issuer on record."""
    desk = world.application.desk
    issuer = desk.offer(raised.offering)["issuer_id"]
    desk.life.name_issuer(actor="usr_operator", issuer=issuer, profile=PROFILE, logo=None)
    return raised


@pytest.fixture
def here(
    named: Story, story_state: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Return what runs a command in the installation that runs: its status, and what it said."""
    assert named.exists()
    monkeypatch.setenv("BOOKRUNNER_STATE_DIR", str(story_state))

    def answer(*arguments: str) -> tuple[int, str]:
        with pytest.raises(SystemExit) as ended:
            main(["filing", *arguments])
        told = capsys.readouterr()
        assert isinstance(ended.value.code, int)
        return ended.value.code, told.out + told.err

    return answer


def test_a_notice_goes_its_way(here: Run, raised: Story, tmp_path: Path) -> None:
    proof = tmp_path / "accepted.pdf"
    proof.write_bytes(b"accepted")
    status, said = here("list", raised.offering, "--json")
    assert status == 0, said
    rows = {row["form"]: row for row in json.loads(said)["tables"][0]["rows"]}
    assert {"D", "state notice"} <= set(rows)
    name, sold_on = rows["D"]["filing"], rows["D"]["for"]
    unfilled = json.loads(here("show", name, "--json")[1])["unfilled"]
    early = here("prepare", name, *BY)
    assert (early[0], "prepared_pack_is_filled" in early[1]) == (1, True)
    recorded = ("file", name, str(proof), "--on", sold_on, "--reference", "0001234567-26-000001", *BY)
    assert here(*recorded)[0] == 1
    for item in unfilled:
        assert here("fill", name, item, "Example", "--source", "charter", *BY)[0] == 0
    assert "0 unfilled" in here("show", name)[1]
    assert here("prepare", name, *BY)[0] == 0
    for file in (tmp_path / "pack.json", tmp_path / "pack.csv"):
        assert here("export", name, str(file))[0] == 0
    assert here("export", name, str(tmp_path / "pack.txt"))[0] == 2
    pack = json.loads((tmp_path / "pack.json").read_text())
    lines = list(csv.DictReader((tmp_path / "pack.csv").read_text().splitlines()))
    assert [line["code"] for line in lines] == [item["code"] for item in pack["items"]]
    assert (pack["status"], pack["unfilled"]) == ("prepared", [])
    assert here(*recorded)[0] == 0
    assert "filed on" in here("list", raised.offering)[1]
    assert here("show", "fil_none")[0] == 1


def test_a_fact_is_stated_and_a_filing_ended(here: Run, raised: Story, tmp_path: Path) -> None:
    minutes = tmp_path / "minutes.pdf"
    minutes.write_bytes(b"minutes")
    fact = (
        "state",
        raised.offering,
        "state_sale",
        str(minutes),
        "--on",
        "2026-03-30",
        "--because",
        "it was",
        *BY,
    )
    wrong = here(*fact)
    assert (wrong[0], "sale_names_its_state" in wrong[1]) == (1, True)
    assert here(*fact, "--place", "US-CA")[0] == 0
    rows = json.loads(here("list", "--json")[1])["tables"][0]["rows"]
    (name,) = (row["filing"] for row in rows if row["for"] == "US-CA")
    assert here("end", name, "--because", "no notice is asked for", *BY)[0] == 0
    assert "waits for a second" in here("show", name)[1]
    confirmed = ("confirm-end", name, "--seen", "2", "--actor")
    assert here(*confirmed, "issuer.iris")[0] == 1
    assert here(*confirmed, "issuer.ivan")[0] == 0
    assert "not owed" in here("list", raised.offering)[1]
    assert here("reopen", name, "--because", "the state asks for it", *BY)[0] == 0
    assert ", due" in here("show", name)[1]
