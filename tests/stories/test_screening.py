"""The sandbox's people pass through the matcher, and the commands take, refuse and show lists."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from bookrunner.sandbox.story import Story
from bookrunner.sandbox.world import World
from tests.compliance.screened import NAME, whole
from tests.stories.test_command_line import Run, here, refusal, run

__all__ = ["here", "run"]

pytestmark = pytest.mark.chain


def test_everybody_of_the_raise_was_screened_by_the_matcher(world: World, raised: Story) -> None:
    with psycopg.connect(world.endpoint.admin_dsn(), autocommit=True) as connection:
        rows = connection.execute(
            "select subject_id, subject_kind, matcher_version from compliance.screening"
        ).fetchall()
    screened = {row[0] for row in rows}
    assert {person.investor for person in raised.people} <= screened
    assert {(kind, matcher) for _, kind, matcher in rows} == {
        ("person", "1"),
        ("entity", "1"),
        ("wallet", "exact.1"),
    }


def test_lists_by_command(here: Run, tmp_path: Path) -> None:
    good, bad = tmp_path / NAME, tmp_path / "cut.xml"
    good.write_bytes(whole())
    bad.write_bytes(whole()[:1_000_000])
    assert refusal(here("screening", "update", str(bad))).startswith("list_file_is_whole")
    assert refusal(here("screening", "update", str(tmp_path / "none"))).startswith("list_file_is_readable")
    status, lines = here("screening", "update", str(good), "--actor", "officer.one")
    assert status == 0
    assert lines[0].startswith("us.ofac.consolidated: 443 entries in force, 443 added")
    status, lines = here("screening", "update", str(good))
    assert (status, lines[0]) == (0, "us.ofac.consolidated: nothing new, 443 entries stay in force")
    status, lines = here("screening", "status")
    assert status == 0
    shown = "\n".join(lines)
    assert all(source in shown for source in ("us.ofac.consolidated", "us.ofac.sdn", "us.ofac.wallets"))


def test_a_policy_by_command(here: Run, raised: Story) -> None:
    asked = (
        "screening",
        "policy",
        raised.offering,
        "--person",
        "8400",
        "--other",
        "7500",
        "--actor",
        "officer.one",
    )
    status, lines = here(*asked, "--because", "the sponsor's policy")
    assert status == 0
    offering, change, *_ = lines[0].split()
    assert offering == f"{raised.offering}:"
    adopt = ("screening", "adopt", raised.offering, change, "--because", "agreed", "--actor")
    superseded = refusal(here(*adopt, "officer.two", "--under", "prg_before"))
    assert superseded.startswith("decision_is_under_the_programme_in_force")
    under = ("--under", _programme(here))
    assert refusal(here(*adopt, "officer.one", *under)).startswith("policy_change_needs_two_people")
    assert here(*adopt, "officer.two", *under)[0] == 0
    under = ("--under", _programme(here))
    assert refusal(here(*adopt, "officer.two", *under)).startswith("decision_is_on_the_version_seen")
    assert refusal(here(*asked, "--because", " ")).startswith("decision_has_its_reason")
    unknown = ("screening", "policy", "ofr_x", "--person", "8400", "--other", "7500", "--actor", "a")
    assert refusal(here(*unknown, "--because", "x")).startswith("offer_exists")


def test_erasure_by_command_waits_for_retention(here: Run, raised: Story) -> None:
    asked = ("erase", raised.people[0].investor, "--because", "asked for", "--actor", "officer.one")
    said = refusal(here(*asked))
    assert said.startswith("retention_allows_erasure")
    assert "an investment is not ended" in said


def test_countries_by_command(here: Run, raised: Story) -> None:
    asked = (
        "countries",
        raised.offering,
        "--because",
        "no licence there",
        "--actor",
        "officer.one",
        "--under",
    )
    under = _programme(here)
    assert refusal(here(*asked, under)).startswith("country_rule_allows_or_restricts")
    both = ("--never", "KP", "--only", "US")
    assert refusal(here(*asked, under, *both)).startswith("country_rule_allows_or_restricts")
    assert refusal(here(*asked, under, "--never", "Atlantis")).startswith("country_is_known")
    superseded = refusal(here(*asked, "prg_before", "--never", "KP"))
    assert superseded.startswith("decision_is_under_the_programme_in_force")
    status, lines = here(*asked, under, "--never", "kp, ir")
    assert (status, lines) == (0, [f"{raised.offering}: never in KP, IR"])


def _programme(here: Run) -> str:
    """Return the programme that the status says is in force."""
    _, lines = here("screening", "status")
    (line,) = [line for line in lines if line.startswith("the programme in force")]
    return line.rpartition(" ")[2]
